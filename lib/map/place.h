/* SPDX-License-Identifier: MIT */
/* What an address is: everything that the library can know of it. Thread-safe. */
#ifndef LIB_PLACE_H
#define LIB_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "alloc/alloc.h"

enum place {
	PLACE_UNKNOWN, /* memory that is not ours: pageable, as far as we know */
	PLACE_HOST,
	PLACE_DEVICE,
};

struct place_info {
	enum place place;
	uint64_t base; /* of the block, mapping or range around the address */
	uint64_t size; /* bytes that may be used from @base on */
	uint64_t page_size;
	uint32_t device;
	bool registered; /* by the program, or imported */
	bool mapped;	 /* by the virtual memory calls */
	bool media;
	bool managed;
	const char *name; /* what it is, for texts */
};

/* False: the library does not know the address; @out says so, too. */
bool place_describe(const void *addr, struct place_info *out);

/* A mapping or a registration ends: the checks look for tasks that still use it. */
void place_goes(const void *addr, const char *doing);

/* In a few loads and without a lock: what was freed may be taken for what it was. */
static inline enum place place_of_block(const void *ptr)
{
	uintptr_t entry = table_get((uint64_t)(uintptr_t)ptr);
	const struct chunk *chunk = (const struct chunk *)(entry & ~TABLE_CHUNK);

	if (!entry)
		return PLACE_UNKNOWN;
	if (!(entry & TABLE_CHUNK))
		chunk = slab_read(((const struct slab *)entry)->chunk);
	return slab_read(chunk->heap)->class == HEAP_HOST ? PLACE_HOST : PLACE_DEVICE;
}

/* Only the side that it is on. */
enum place place_of(const void *addr);

/* The same where memory that was freed may be taken for what it was: faster. */
enum place place_of_used(const void *addr);

#endif /* LIB_PLACE_H */
