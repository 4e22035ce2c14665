/* SPDX-License-Identifier: MIT */
/* What lives and is no block, for the check "leak": physical memory by its handle. */
#ifndef LIB_CHECK_OBJECT_H
#define LIB_CHECK_OBJECT_H

#include <stdint.h>

/* One more claim on it, and one less: the last one ends it. */
void check_object_take(uint64_t handle, uint64_t size);
void check_object_give(uint64_t handle);

/* At the end of the process: reports what lives. */
void check_objects_report(void);

#endif /* LIB_CHECK_OBJECT_H */
