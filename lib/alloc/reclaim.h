/* SPDX-License-Identifier: MIT */
/*
 * What threads keep is taken back from them where memory is short, whatever they do
 * meanwhile, asleep or in the middle of a malloc.
 */
#ifndef LIB_RECLAIM_H
#define LIB_RECLAIM_H

#include <stdbool.h>
#include <stdint.h>

#include "alloc/size_class.h"

/* How often, for one block: others may have it again before this thread does. */
#define RECLAIM_TRIES 16

struct heap;
struct row;

/*
 * Gives what other threads keep of the heap's blocks back to its slabs; under the heap's
 * lock. True: there was something. Where the kernel has no membarrier(2): nothing.
 */
bool reclaim_rows(struct heap *heap);

/* The two halves of it, for one row; between them a barrier on each processor. */

/* What was at the places of a row. */
struct claim {
	uint64_t count;
	_Atomic uint32_t *words[CACHE_MAX + 1];
};

void reclaim_claim(struct row *row, struct claim *claim);

/* What the row's thread has not taken goes to slabs if it lies up to @count. */
bool reclaim_collect(struct heap *heap, struct row *row, const struct claim *claim,
		     uint64_t count);

#endif /* LIB_RECLAIM_H */
