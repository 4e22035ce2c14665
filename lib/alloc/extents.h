/* SPDX-License-Identifier: MIT */
/*
 * Used and free pieces of one address range. The records lie outside of the
 * range, which is never touched: it may be device memory, or no memory at all.
 *
 * Best fit with alignment, neighbours coalesce when freed. O(log n) in the
 * number of pieces, in ranges that share their free pieces O(1), but for requests
 * whose alignment is coarser than that of the free pieces, when only a piece with
 * less than size + alignment fits. No locking.
 */
#ifndef LIB_EXTENTS_H
#define LIB_EXTENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "aclkm/error.h"
#include "base/base.h"

#define SIZES_LISTS 1728 /* up to 2^64 - 1 */

struct cells;
struct extent;

/* Free pieces by their size. All zero: none. */
struct extent_sizes {
	struct extent *last;   /* the largest */
	struct extent *unused; /* records that may be used again */
	uint32_t unused_count;
	uint32_t words; /* which words of the map are not 0 */
	uint64_t map[SIZES_LISTS / 64];
	struct extent *lists[SIZES_LISTS];
};

/* One piece. The owner of a used piece may read it, and write the last group. */
struct extent {
	struct extent *prev, *next;	 /* by address */
	struct extent *shorter, *longer; /* in the list of its size while free */
	struct extents *of;
	uint64_t addr;
	uint64_t size;
	bool used;

	uint64_t asked;
	uint64_t ruled;
	int kind;
	void *owner;
	struct tree_node by_addr; /* where the range has no cells */
};

struct extents {
	struct extent *first;
	struct cells *cells; /* with shared sizes: most pieces are long */
	struct tree by_addr; /* without */
	struct extent_sizes *sizes;
	bool shares; /* these sizes with other ranges */
	uint64_t base;
	uint64_t size;
	uint64_t used;	     /* bytes in used pieces */
	uint64_t high_water; /* most that used ever was */
	uint64_t count;	     /* used pieces */
};

/*
 * All of [base, base + size) is free. 0 or ACLKM_ERR_NOHEAP; ACLKM_ERR_INVALID
 * for size 0 or a range that wraps.
 */
int extents_init(struct extents *ex, uint64_t base, uint64_t size);

/*
 * The same, for one of several ranges: extents_alloc of each cuts the best piece of all
 * (piece->of is where), in the time that one takes. @sizes is all zero before the first.
 */
int extents_join(struct extents *ex, uint64_t base, uint64_t size,
		 struct extent_sizes *sizes);

/* Forgets all pieces, used ones as well. */
void extents_destroy(struct extents *ex);

/*
 * A used piece of exactly @size bytes whose address is a multiple of @align (a
 * power of two). 0, ACLKM_ERR_NOMEM, ACLKM_ERR_NOHEAP, ACLKM_ERR_INVALID.
 */
int extents_alloc(struct extents *ex, uint64_t size, uint64_t align, struct extent **out);

/* From the free pieces of ranges that share them. */
int extents_alloc_best(struct extent_sizes *sizes, uint64_t size, uint64_t align,
		       struct extent **out);

/*
 * The used piece that starts at @addr: 0. Otherwise ACLKM_ERR_INTERIOR (with
 * @out the used piece around it), ACLKM_ERR_NOTALIVE (free there) or
 * ACLKM_ERR_FOREIGN (outside of the range).
 */
int extents_find(const struct extents *ex, uint64_t addr, struct extent **out);

/*
 * Cuts a used piece in two used ones: @piece keeps @size bytes, less than it has; the
 * rest is @out. ACLKM_ERR_NOHEAP.
 */
int extents_split(struct extents *ex, struct extent *piece, uint64_t size,
		  struct extent **out);

/* @piece must be a used one of @ex, from extents_alloc or extents_find. */
void extents_free(struct extents *ex, struct extent *piece);

/* Frees the records that are kept for later pieces. */
void sizes_drop_records(struct extent_sizes *sizes);

/* Bytes of the largest free piece, with ranges that share them of all. */
uint64_t extents_largest(const struct extents *ex);

#endif /* LIB_EXTENTS_H */
