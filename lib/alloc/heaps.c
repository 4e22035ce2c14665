// SPDX-License-Identifier: MIT
#include "alloc/heaps.h"

#include <pthread.h>

#include "backend/backend.h"
#include "alloc/chunk.h"
#include "base/config.h"
#include "pool/pool.h"
#include "alloc/reclaim.h"
#include "alloc/slab.h"
#include "alloc/tcache.h"

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

struct heap *heap_of_id(unsigned int id)
{
	if (id < BUILTIN_HEAPS)
		return &heaps[id];
	if (is_pool_heap(id))
		return pool_heap_of_id(id);
	id -= HEAPS;
	return &others[id / BUILTIN_HEAPS][id % BUILTIN_HEAPS];
}

/* @keep: bytes of regions that may stay. */
static bool drop_kept(struct heap *heap, bool of_others, uint64_t keep)
{
	bool any;

	pthread_mutex_lock(&heap->lock);
	any = of_others && reclaim_rows(heap);
	tcache_drop_between(heap);
	slab_drop_empty(heap);
	if (chunk_kept() + heap->empty_bytes > keep)
		chunk_drop_spares(heap);
	pthread_mutex_unlock(&heap->lock);
	return any;
}

bool heap_drop_kept(uint32_t device, bool of_others)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < BUILTIN_HEAPS; i++)
		any |= drop_kept(heap_of(device, i), of_others, 0);
	return any;
}

void heap_trim(uint64_t keep)
{
	unsigned int i;

	tcache_flush();
	for (i = 0; i < BUILTIN_HEAPS * config_get()->devices; i++)
		drop_kept(heap_of(i / BUILTIN_HEAPS, i % BUILTIN_HEAPS), true, keep);
}

static void add_heap(struct heap *heap, struct aclkm_memory_totals *out)
{
	const struct chunk *chunk;

	pthread_mutex_lock(&heap->lock);
	for (chunk = heap->shared; chunk; chunk = chunk->next) {
		uint64_t largest = extents_largest(&chunk->extents);

		out->free += chunk->extents.size - chunk->extents.used;
		if (largest > out->largest)
			out->largest = largest;
	}
	for (chunk = heap->kept; chunk; chunk = chunk->next) {
		out->free += chunk->region.size;
		if (chunk->region.size > out->largest)
			out->largest = chunk->region.size;
	}
	out->free += heap->slab_bytes - heap->slab_out + tcache_kept(heap, NULL);
	pthread_mutex_unlock(&heap->lock);
}

int heap_totals(uint32_t device, struct aclkm_memory_totals *out)
{
	const struct backend *backend;
	struct backend_info info;
	unsigned int i;
	int err;

	err = backend_get(&backend);
	if (!err)
		err = backend->info(device, &info);
	if (err)
		return err;
	*out = (struct aclkm_memory_totals){.total = info.total,
					    .free = info.free,
					    .largest = info.largest,
					    .backend = backend->name};
	for (i = 0; i < BUILTIN_HEAPS; i++)
		add_heap(heap_of(device, i), out);
	return ACLKM_OK;
}
