/* SPDX-License-Identifier: MIT */
/* The side of a block that lives, in a few loads and without a lock. */
#ifndef LIB_SIDE_H
#define LIB_SIDE_H

#include "alloc/chunk.h"
#include "copy/copy.h"
#include "alloc/heap.h"
#include "alloc/slab.h"
#include "alloc/table.h"

/* As copy_place; what was freed may be taken for what it was. */
static inline enum place side_of_block(const void *ptr)
{
	uintptr_t entry = table_get((uint64_t)(uintptr_t)ptr);
	const struct chunk *chunk = (const struct chunk *)(entry & ~TABLE_CHUNK);

	if (!entry)
		return PLACE_UNKNOWN;
	if (!(entry & TABLE_CHUNK))
		chunk = slab_read(((const struct slab *)entry)->chunk);
	return slab_read(chunk->heap)->class == HEAP_HOST ? PLACE_HOST : PLACE_DEVICE;
}

#endif /* LIB_SIDE_H */
