/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Free pieces of an address range. Pure: no locks, no allocation, nothing of
 * the kernel but its red-black trees, so that it also builds in user space.
 */
#ifndef ACLKM_EXTENT_H
#define ACLKM_EXTENT_H

#include <linux/rbtree.h>
#include <linux/types.h>
#ifdef __KERNEL__
#include "compat.h"
#endif

/**
 * struct aclkm_extent - a piece of the range, free (in the trees) or taken
 * @by_addr:	links the free piece by its start
 * @by_size:	links the free piece by its length, then its start
 * @next:	links extents outside the trees, in the lists of aclkm_extents_carve()
 * @owner:	whose a taken extent is; not used here
 * @start:	first byte
 * @len:	bytes
 */
struct aclkm_extent {
	struct rb_node by_addr;
	union {
		struct rb_node by_size;
		struct aclkm_extent *next;
		void *owner;
	};
	u64 start;
	u64 len;
};

/**
 * struct aclkm_extents - the free pieces of a range
 * @by_addr:	for joining neighbours
 * @by_size:	for best fit
 * @free:	bytes in all pieces
 */
struct aclkm_extents {
	struct rb_root by_addr;
	struct rb_root by_size;
	u64 free;
};

void aclkm_extents_init(struct aclkm_extents *set);

/**
 * aclkm_extents_find() - where @len bytes at a multiple of @align fit best
 * @set:	the free pieces
 * @len:	bytes, not 0
 * @align:	power of two
 * @start:	filled with the first byte; they lie in one piece
 *
 * The smallest piece that can hold the request is used, and the lowest of
 * these. O(log n), but where only pieces shorter than @len + @align are left:
 * then each of them is looked at before the request is refused.
 *
 * Return: false if nothing fits.
 */
bool aclkm_extents_find(const struct aclkm_extents *set, u64 len, u64 align, u64 *start);

/* Pieces that one step of a search looks at. */
#define ACLKM_SEARCH_STEP 4096

/**
 * struct aclkm_search - where a search in steps goes on
 * @len:	of the first piece that has not been looked at; 0 before and behind all
 * @start:	of this piece, or 0
 */
struct aclkm_search {
	u64 len;
	u64 start;
};

/**
 * aclkm_extents_find_step() - as aclkm_extents_find(), ACLKM_SEARCH_STEP pieces at a time
 * @set:	the free pieces; may change between the steps
 * @search:	zeroed before the first step
 * @len:	bytes, not 0
 * @align:	power of two
 * @start:	filled with the first byte
 *
 * Return: true if @start is filled. Otherwise nothing fits if @search->len is 0, or
 * another step is needed.
 */
bool aclkm_extents_find_step(const struct aclkm_extents *set, struct aclkm_search *search,
			     u64 len, u64 align, u64 *start);

/**
 * aclkm_extents_insert() - free an extent, joined with its neighbours
 * @set:	the free pieces
 * @ext:	the extent; the set owns it from now on
 * @unused:	filled with up to two extents that joining made superfluous, for
 *		the caller to free; NULL where there is none
 */
void aclkm_extents_insert(struct aclkm_extents *set, struct aclkm_extent *ext,
			  struct aclkm_extent *unused[2]);

/**
 * aclkm_extents_carve() - take out of a range whatever of it is free
 * @set:	the free pieces
 * @start:	first byte of the range
 * @len:	bytes
 * @spare:	in: two extents to use where a piece has to be split; out: NULL
 *		for those that were used
 *
 * Return: the parts that were taken out, in ascending order, linked by @next;
 * NULL where nothing was free. The caller owns them. O(log n) and the parts.
 */
struct aclkm_extent *aclkm_extents_carve(struct aclkm_extents *set, u64 start, u64 len,
					 struct aclkm_extent *spare[2]);

/**
 * aclkm_extents_cuts() - how many pieces aclkm_extents_carve() has to split
 * @set:	the free pieces
 * @start:	first byte of the range
 * @len:	bytes
 *
 * Return: 0 to 2, counting twice a piece that goes on at both ends of the range.
 */
unsigned int aclkm_extents_cuts(const struct aclkm_extents *set, u64 start, u64 len);

/**
 * aclkm_extents_next() - the lowest piece that ends after an address
 * @set:	the free pieces
 * @addr:	where to begin
 *
 * Return: the piece that holds @addr, or the first one above it, or NULL.
 */
struct aclkm_extent *aclkm_extents_next(const struct aclkm_extents *set, u64 addr);

/**
 * aclkm_extents_largest() - length of the largest free piece, 0 if there is none
 * @set:	the free pieces
 */
u64 aclkm_extents_largest(const struct aclkm_extents *set);

#endif /* ACLKM_EXTENT_H */
