/* SPDX-License-Identifier: MIT */
/*
 * Free pieces by their size: lists, 32 for each doubling, and a map of those that are
 * not empty, so that putting in, taking out and finding take a few steps however many
 * there are. No locking.
 */
#ifndef LIB_EXTENTS_SIZES_H
#define LIB_EXTENTS_SIZES_H

#include <stdbool.h>
#include <stdint.h>

#define SIZES_LISTS 1728 /* up to 2^64 - 1 */

struct extent;

/* All zero: none. */
struct extent_sizes {
	struct extent *last;   /* the largest */
	struct extent *unused; /* records that may be used again */
	uint32_t unused_count;
	uint32_t words; /* which words of the map are not 0 */
	uint64_t map[SIZES_LISTS / 64];
	struct extent *lists[SIZES_LISTS];
};

/* For pieces of one range of @size bytes only; NULL: no memory. Freed by sizes_free. */
struct extent_sizes *sizes_new(uint64_t size);
void sizes_free(struct extent_sizes *sizes);

void sizes_put(struct extent_sizes *sizes, struct extent *piece);
void sizes_take(struct extent_sizes *sizes, struct extent *piece);

/*
 * A piece that can hold @size bytes on a multiple of @align, and where; NULL: there is
 * none. The best, but where very many are nearly of its size.
 */
struct extent *sizes_find(const struct extent_sizes *sizes, uint64_t size, uint64_t align,
			  uint64_t *start);

/* A record for a piece, all zero. NULL: no memory. */
struct extent *sizes_record(struct extent_sizes *sizes);
void sizes_record_put(struct extent_sizes *sizes, struct extent *piece);

/* Gives the records back that are kept. */
void sizes_drop_records(struct extent_sizes *sizes);

#endif /* LIB_EXTENTS_SIZES_H */
