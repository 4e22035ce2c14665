/* SPDX-License-Identifier: MIT */
/*
 * Blocks: from a request to a slab, a piece of a chunk or a region, and back. A small
 * block comes from the thread's cache without a lock; what is known of it lies outside of
 * the memory. One lock for each heap, taken after none and before that of all caches.
 */
#ifndef LIB_ALLOC_ROOM_H
#define LIB_ALLOC_ROOM_H

#include "alloc/chunk.h"
#include "alloc/extents.h"
#include "alloc/heap.h"
#include "alloc/heaps.h"
#include "alloc/mark.h"
#include "alloc/reclaim.h"
#include "alloc/size_class.h"
#include "alloc/slab.h"
#include "alloc/table.h"
#include "alloc/tcache.h"

#endif /* LIB_ALLOC_ROOM_H */
