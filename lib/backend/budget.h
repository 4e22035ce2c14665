/* SPDX-License-Identifier: MIT */
/*
 * How many bytes of a backend each device holds, where several devices have equal
 * parts of it. Whole regions are counted, so that what a device has left is exact.
 * Thread-safe.
 */
#ifndef LIB_BUDGET_H
#define LIB_BUDGET_H

#include <stdint.h>

/* The part of each device, in whole pages, of @total bytes; of one device all. */
uint64_t budget_part(uint64_t total);

/*
 * Counts @size bytes against @device, whose part is @part. ACLKM_ERR_NOMEM with the
 * text noted; @hint ends it.
 */
int budget_take(uint32_t device, uint64_t size, uint64_t part, const char *hint);
void budget_give(uint32_t device, uint64_t size);

/* What is left of @part. */
uint64_t budget_left(uint32_t device, uint64_t part);

#endif /* LIB_BUDGET_H */
