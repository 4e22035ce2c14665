// SPDX-License-Identifier: MIT
#include "alloc/groups.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "alloc/chunk.h"
#include "base/error.h"
#include "alloc/slab.h"

/* Of a pool so much may be free in slabs before one group takes another's: it divides. */
#define POOL_SPARE_DIVISOR 16

static _Atomic uint32_t threads[SLAB_GROUPS];

uint8_t group_join(void)
{
	uint8_t group, least = 0;

	for (group = 1; group < SLAB_GROUPS; group++) {
		if (atomic_load(&threads[group]) < atomic_load(&threads[least]))
			least = group;
	}
	atomic_fetch_add(&threads[least], 1);
	return least;
}

void group_leave(uint8_t group)
{
	atomic_fetch_sub(&threads[group], 1);
}

/* A slab of any group, or of those that have no thread; NULL: none has free blocks. */
static struct slab *slab_of_others(struct heap *heap, unsigned int class, bool of_any)
{
	unsigned int group;

	for (group = 0; group < SLAB_GROUPS; group++) {
		if (heap->slabs[group][class] &&
		    (of_any || !atomic_load(&threads[group])))
			return heap->slabs[group][class];
	}
	return NULL;
}

/*
 * Whether more is free in the heap's slabs than in a chunk of the device's, or a small
 * part of a pool: each group having slabs of its own would use up a small one.
 */
static bool has_spare(const struct heap *heap)
{
	uint64_t divisor = heap->fixed ? POOL_SPARE_DIVISOR : 1;

	return heap->slab_bytes - heap->slab_out >= heap->chunk_bytes / divisor;
}

/*
 * One for a group that has none with free blocks: others' if nobody else takes from it,
 * or where memory is short.
 */
static int find_slab(struct heap *heap, unsigned int group, unsigned int class)
{
	struct slab *slab = slab_of_others(heap, class, has_spare(heap));
	int err = slab ? ACLKM_OK : slab_add(heap, class, group);

	if (err)
		slab = slab_of_others(heap, class, true);
	if (!slab)
		return err;
	slab_adopt(heap, slab, group);
	return ACLKM_OK;
}

int group_slab(struct heap *heap, unsigned int group, unsigned int class,
	       struct slab **out)
{
	int err = heap->slabs[group][class] ? ACLKM_OK : find_slab(heap, group, class);

	*out = heap->slabs[group][class];
	return err;
}
