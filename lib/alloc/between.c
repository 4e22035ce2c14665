// SPDX-License-Identifier: MIT
#include "alloc/between.h"

#include <string.h>

#include "alloc/chunk.h"

/* Batches of a class that lie between threads, at most. */
#define BETWEEN_BATCHES 2

/* Blocks of each group and class that do. */
struct between {
	struct blocks {
		uint64_t count;
		struct kept kept[BETWEEN_BATCHES * BATCH_MAX];
	} of[SLAB_GROUPS][CLASSES];
};

bool between_put(struct heap *heap, const struct slab *slab, const struct kept *kept)
{
	unsigned int class = slab_read(slab->class);
	struct blocks *blocks;

	if (is_pool_heap(heap->id))
		return false;
	if (!heap->between)
		heap->between = tcache_map(sizeof(*heap->between));
	if (!heap->between)
		return false;
	blocks = &heap->between->of[slab->group][class];
	if (blocks->count == (uint64_t)BETWEEN_BATCHES * classes[class].batch)
		return false;
	blocks->kept[blocks->count++] = *kept;
	return true;
}

uint64_t between_take(struct heap *heap, unsigned int group, unsigned int class,
		      struct kept *kept, uint64_t n)
{
	struct blocks *blocks;

	if (!heap->between)
		return 0;
	blocks = &heap->between->of[group][class];
	if (n > blocks->count)
		n = blocks->count;
	blocks->count -= n;
	memcpy(kept, &blocks->kept[blocks->count], n * sizeof(*kept));
	return n;
}

void between_empty(struct heap *heap,
		   void (*give)(struct heap *heap, const struct kept *kept))
{
	unsigned int group, class;

	for (group = 0; heap->between && group < SLAB_GROUPS; group++) {
		for (class = 0; class < CLASSES; class ++) {
			struct blocks *blocks = &heap->between->of[group][class];

			while (blocks->count)
				give(heap, &blocks->kept[--blocks->count]);
		}
	}
}

uint64_t between_kept(const struct heap *heap, uint64_t *blocks)
{
	unsigned int group, class;
	uint64_t sum = 0;

	for (group = 0; heap->between && group < SLAB_GROUPS; group++) {
		for (class = 0; class < CLASSES; class ++) {
			uint64_t count = heap->between->of[group][class].count;

			*blocks += count;
			sum += count * classes[class].size;
		}
	}
	return sum;
}
