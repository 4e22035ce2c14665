/* SPDX-License-Identifier: MIT */
/*
 * The heaps by their numbers: one for each device, class of memory and kind of page, and
 * one for each pool whose segments threads keep.
 */
#ifndef LIB_HEAPS_H
#define LIB_HEAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "alloc/chunk.h"

#define HEAPS 64
#define BUILTIN_HEAPS (HEAP_CLASSES * 4)
#define POOL_HEAPS (HEAPS - BUILTIN_HEAPS)

/*
 * Numbers of heaps: those of device 0, those of pools, and from HEAPS on those of
 * the other devices. A thread's rows of the devices lie in the order of these.
 */
#define DEVICE_HEAP(device, id)                                                          \
	((device) ? HEAPS + ((device)-1) * BUILTIN_HEAPS + (id) : (id))
#define OWN_BINS(device, id) ((device)*BUILTIN_HEAPS + (id))

static inline bool is_pool_heap(unsigned int id)
{
	return id >= BUILTIN_HEAPS && id < HEAPS;
}

/* @id: HEAP_ID. */
struct heap *heap_of(uint32_t device, unsigned int id);

/* The heap of a number, a pool's as well; NULL: none has it. */
struct heap *heap_of_id(unsigned int id);

/* A heap for a pool whose segments threads keep; NULL: all are taken. */
struct heap *heap_take_for_pool(void);
void heap_give_of_pool(struct heap *heap);

#endif /* LIB_HEAPS_H */
