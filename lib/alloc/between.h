/* SPDX-License-Identifier: MIT */
/*
 * What a full row gives back lies between the threads for a while: one whose row is
 * empty gets it from there, without a look at slabs, if it is of slabs of its group. All
 * under the heap's lock; no pool has it.
 */
#ifndef LIB_BETWEEN_H
#define LIB_BETWEEN_H

#include "alloc/tcache.h"

/* False: there are enough, it is a pool's heap, or there is no memory for them. */
bool between_put(struct heap *heap, const struct slab *slab, const struct kept *kept);

/* Up to @n blocks for a thread of @group. How many. */
uint64_t between_take(struct heap *heap, unsigned int group, unsigned int class,
		      struct kept *kept, uint64_t n);

/* Takes all, each of which @give gets. */
void between_empty(struct heap *heap,
		   void (*give)(struct heap *heap, const struct kept *kept));

/* Bytes of all; adds to @blocks how many. */
uint64_t between_kept(const struct heap *heap, uint64_t *blocks);

#endif /* LIB_BETWEEN_H */
