// SPDX-License-Identifier: MIT
#include "copy.h"

#include <string.h>

#include "counters.h"
#include "heap.h"

enum place copy_place(const void *ptr)
{
	struct heap_block block;

	if (heap_find(ptr, &block, NULL, NULL))
		return PLACE_UNKNOWN;
	return block.class == HEAP_HOST ? PLACE_HOST : PLACE_DEVICE;
}

void copy_bytes(void *dst, const void *src, size_t count)
{
	memmove(dst, src, count);
	counter_add(COUNT_BYTES_COPIED, count);
}
