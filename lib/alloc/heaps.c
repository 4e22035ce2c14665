// SPDX-License-Identifier: MIT
#include "alloc/heaps.h"

#include <pthread.h>

#include "alloc/chunk.h"
#include "base/base.h"

#define HEAP(c, p)                                                                       \
	{                                                                                \
		.lock = PTHREAD_MUTEX_INITIALIZER, .id = (c)*HEAP_PAGES + (p),           \
		.class = (c), .pages = (enum aclkm_pages)(p),                            \
	}
#define HEAPS_OF(c) HEAP(c, 0), HEAP(c, 1), HEAP(c, 2), HEAP(c, 3)

static struct heap heaps[BUILTIN_HEAPS] = {HEAPS_OF(HEAP_DEVICE), HEAPS_OF(HEAP_HOST),
					   HEAPS_OF(HEAP_MEDIA)};

/* Of the devices from 1 on: not touched where there is but one. */
static struct heap others[MAX_DEVICES - 1][BUILTIN_HEAPS];
static pthread_once_t others_once = PTHREAD_ONCE_INIT;

static void init_others(void)
{
	uint32_t device;
	unsigned int id;

	for (device = 1; device < config_get()->devices; device++) {
		for (id = 0; id < BUILTIN_HEAPS; id++) {
			struct heap *heap = &others[device - 1][id];

			pthread_mutex_init(&heap->lock, NULL);
			heap->id = (uint16_t)DEVICE_HEAP(device, id);
			heap->class = heaps[id].class;
			heap->pages = heaps[id].pages;
			heap->device = device;
		}
	}
}

struct heap *heap_of(uint32_t device, unsigned int id)
{
	if (!device)
		return &heaps[id];
	pthread_once(&others_once, init_others);
	return &others[device - 1][id];
}

/* Heaps of pools whose segments threads keep; used again, never freed. */
static struct heap of_pools[POOL_HEAPS];
static _Atomic(bool) pool_heap_taken[POOL_HEAPS];
static pthread_once_t of_pools_once = PTHREAD_ONCE_INIT;

static void init_of_pools(void)
{
	int i;

	for (i = 0; i < POOL_HEAPS; i++) {
		of_pools[i].id = (uint16_t)(BUILTIN_HEAPS + i);
		of_pools[i].fixed = true;
		atomic_store(&of_pools[i].generation, 1);
		pthread_mutex_init(&of_pools[i].lock, NULL);
	}
	classes_init();
}

struct heap *heap_take_for_pool(void)
{
	bool no = false;
	int i;

	pthread_once(&of_pools_once, init_of_pools);
	for (i = 0; i < POOL_HEAPS; i++, no = false) {
		if (atomic_compare_exchange_strong(&pool_heap_taken[i], &no, true))
			return &of_pools[i];
	}
	return NULL;
}

void heap_give_of_pool(struct heap *heap)
{
	atomic_store(&pool_heap_taken[heap->id - BUILTIN_HEAPS], false);
}

struct heap *heap_of_id(unsigned int id)
{
	if (id < BUILTIN_HEAPS)
		return &heaps[id];
	if (is_pool_heap(id))
		return pool_heap_taken[id - BUILTIN_HEAPS] ? &of_pools[id - BUILTIN_HEAPS]
							   : NULL;
	id -= HEAPS;
	return &others[id / BUILTIN_HEAPS][id % BUILTIN_HEAPS];
}
