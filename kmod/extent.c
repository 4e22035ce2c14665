// SPDX-License-Identifier: GPL-2.0
/*
 * Best fit over two red-black trees of the free pieces: by address, to join
 * neighbours, and by size, to find the smallest that fits. A taken extent keeps
 * its node, so that giving back never needs memory.
 */
#include "extent.h"

/* Pieces tried by size order before one that is surely long enough is used. */
#define FIT_TRIES 16

static struct aclkm_extent *extent_by_addr(const struct rb_node *node)
{
	return rb_entry_safe(node, struct aclkm_extent, by_addr);
}

static struct aclkm_extent *extent_by_size(const struct rb_node *node)
{
	return rb_entry_safe(node, struct aclkm_extent, by_size);
}

static bool extent_addr_less(struct rb_node *a, const struct rb_node *b)
{
	return extent_by_addr(a)->start < extent_by_addr(b)->start;
}

static bool extent_size_less(struct rb_node *a, const struct rb_node *b)
{
	struct aclkm_extent *x = extent_by_size(a), *y = extent_by_size(b);

	return x->len != y->len ? x->len < y->len : x->start < y->start;
}

static void extent_insert(struct aclkm_extents *set, struct aclkm_extent *ext)
{
	rb_add(&ext->by_addr, &set->by_addr, extent_addr_less);
	rb_add(&ext->by_size, &set->by_size, extent_size_less);
	set->free += ext->len;
}

static void extent_remove(struct aclkm_extents *set, struct aclkm_extent *ext)
{
	rb_erase(&ext->by_addr, &set->by_addr);
	rb_erase(&ext->by_size, &set->by_size);
	set->free -= ext->len;
}

void aclkm_extents_init(struct aclkm_extents *set)
{
	set->by_addr = RB_ROOT;
	set->by_size = RB_ROOT;
	set->free = 0;
}

u64 aclkm_extents_largest(const struct aclkm_extents *set)
{
	struct aclkm_extent *ext = extent_by_size(rb_last(&set->by_size));

	return ext ? ext->len : 0;
}

/* The first piece, by size and then by address, that is not before this length and address. */
static struct aclkm_extent *extent_no_shorter(const struct aclkm_extents *set, u64 len, u64 start)
{
	struct rb_node *node = set->by_size.rb_node;
	struct aclkm_extent *found = NULL;

	while (node) {
		struct aclkm_extent *ext = extent_by_size(node);

		if (ext->len > len || (ext->len == len && ext->start >= start)) {
			found = ext;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

/* Bytes to leave before the first multiple of @align in @ext. */
static u64 extent_gap_before(const struct aclkm_extent *ext, u64 align)
{
	return -ext->start & (align - 1);
}

static bool extent_fits(const struct aclkm_extent *ext, u64 len, u64 align)
{
	u64 gap = extent_gap_before(ext, align);

	return gap < ext->len && len <= ext->len - gap;
}

static struct aclkm_extent *extent_best_fit(const struct aclkm_extents *set,
					    struct aclkm_search *search, u64 len, u64 align)
{
	struct aclkm_extent *ext = extent_no_shorter(set, search->len ? search->len : len,
						     search->start);
	struct aclkm_extent *sure = NULL;
	unsigned int tries = ACLKM_SEARCH_STEP;

	search->len = 0;
	search->start = 0;
	/* Mostly the first one. */
	if (!ext || extent_fits(ext, len, align))
		return ext;
	if (len + align - 1 >= len)
		sure = extent_no_shorter(set, len + align - 1, 0);
	if (sure)
		tries = FIT_TRIES;

	for (; ext && ext != sure; ext = extent_by_size(rb_next(&ext->by_size))) {
		if (!tries--)
			break;
		if (extent_fits(ext, len, align))
			return ext;
	}
	if (ext && !sure) {
		search->len = ext->len;
		search->start = ext->start;
	}
	return sure;
}

bool aclkm_extents_find_step(const struct aclkm_extents *set, struct aclkm_search *search,
			     u64 len, u64 align, u64 *start)
{
	struct aclkm_extent *piece = extent_best_fit(set, search, len, align);

	if (!piece)
		return false;
	*start = piece->start + extent_gap_before(piece, align);
	return true;
}

bool aclkm_extents_find(const struct aclkm_extents *set, u64 len, u64 align, u64 *start)
{
	struct aclkm_search search = {};

	do {
		if (aclkm_extents_find_step(set, &search, len, align, start))
			return true;
	} while (search.len);
	return false;
}

void aclkm_extents_insert(struct aclkm_extents *set, struct aclkm_extent *ext,
			  struct aclkm_extent *unused[2])
{
	struct rb_node *node = set->by_addr.rb_node;
	struct aclkm_extent *prev = NULL, *next = NULL;

	while (node) {
		struct aclkm_extent *e = extent_by_addr(node);

		if (e->start < ext->start) {
			prev = e;
			node = node->rb_right;
		} else {
			next = e;
			node = node->rb_left;
		}
	}

	unused[0] = NULL;
	unused[1] = NULL;
	if (prev && prev->start + prev->len == ext->start) {
		extent_remove(set, prev);
		ext->start = prev->start;
		ext->len += prev->len;
		unused[0] = prev;
	}
	if (next && ext->start + ext->len == next->start) {
		extent_remove(set, next);
		ext->len += next->len;
		unused[1] = next;
	}
	extent_insert(set, ext);
}

struct aclkm_extent *aclkm_extents_next(const struct aclkm_extents *set, u64 addr)
{
	struct rb_node *node = set->by_addr.rb_node;
	struct aclkm_extent *found = NULL;

	while (node) {
		struct aclkm_extent *ext = extent_by_addr(node);

		if (ext->start + ext->len > addr) {
			found = ext;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

unsigned int aclkm_extents_cuts(const struct aclkm_extents *set, u64 start, u64 len)
{
	const struct aclkm_extent *ext = aclkm_extents_next(set, start);
	u64 end = start + len;
	unsigned int cuts;

	if (!ext)
		return 0;
	cuts = ext->start < start;
	if (ext->start + ext->len <= end)
		ext = aclkm_extents_next(set, end);
	return cuts + (ext && ext->start < end);
}

static struct aclkm_extent *extent_use_spare(struct aclkm_extent *spare[2])
{
	int i = spare[0] ? 0 : 1;
	struct aclkm_extent *ext = spare[i];

	spare[i] = NULL;
	return ext;
}

struct aclkm_extent *aclkm_extents_carve(struct aclkm_extents *set, u64 start, u64 len,
					 struct aclkm_extent *spare[2])
{
	struct aclkm_extent *ext = aclkm_extents_next(set, start);
	struct aclkm_extent *parts = NULL, **last = &parts;
	u64 end = start + len;

	while (ext && ext->start < end) {
		struct aclkm_extent *next = extent_by_addr(rb_next(&ext->by_addr));
		u64 ext_end = ext->start + ext->len;
		u64 from = ext->start < start ? start : ext->start;
		u64 to = ext_end < end ? ext_end : end;
		struct aclkm_extent *part = ext;

		extent_remove(set, ext);
		if (ext->start < from) {
			part = extent_use_spare(spare);
			ext->len = from - ext->start;
			extent_insert(set, ext);
		}
		if (to < ext_end) {
			struct aclkm_extent *tail = extent_use_spare(spare);

			tail->start = to;
			tail->len = ext_end - to;
			extent_insert(set, tail);
		}
		part->start = from;
		part->len = to - from;
		*last = part;
		last = &part->next;
		ext = next;
	}
	*last = NULL;
	return parts;
}
