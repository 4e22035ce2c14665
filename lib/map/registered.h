/* SPDX-License-Identifier: MIT */
/*
 * Ranges of the process that are known though no heap gave them: memory of the
 * program that it registered, and memory imported from other processes.
 * Thread-safe; failures note their text.
 */
#ifndef LIB_REGISTERED_H
#define LIB_REGISTERED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

struct registered {
	struct addr_range at;
	uint64_t page_size;
	uint32_t device;
	uint32_t flags; /* the caller's own */
	bool host;
};

/* ACLKM_ERR_EXISTS: one overlaps. @range stays the caller's, until it is removed. */
int registered_add(struct registered *range);

/*
 * Takes out the one that starts at @base; @only_host: not one that was imported. NULL:
 * there is none.
 */
struct registered *registered_remove(uint64_t base, bool only_host);

/* Where the first starts from @addr on; UINT64_MAX: none does. */
uint64_t registered_next(uint64_t addr);

/* The one around @addr. No lock while there is none at all. */
bool registered_find(const void *addr, struct registered *out);

#endif /* LIB_REGISTERED_H */
