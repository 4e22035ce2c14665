/* SPDX-License-Identifier: MIT */
/* The arenas of the driver, read by ACLKM_IOC_MAP. */
#ifndef CMD_ARENAS_H
#define CMD_ARENAS_H

#include <stdbool.h>
#include <stddef.h>

#include "driver.h"

/**
 * struct arena - one arena
 * @map:	its numbers
 * @extents:	what it consists of, in order of address; @map.count of them
 */
struct arena {
	struct aclkm_map map;
	struct aclkm_map_extent *extents;
};

/*
 * All arenas; for arenas_free(). @extents: also what they consist of. NULL with an errno
 * value in @error: ENOTTY from a driver that has no such call.
 */
struct arena *arenas_read(const struct driver *driver, bool extents, size_t *count,
			  int *error);
void arenas_free(struct arena *arenas, size_t count);

#endif /* CMD_ARENAS_H */
