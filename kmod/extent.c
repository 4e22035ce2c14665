// SPDX-License-Identifier: GPL-2.0
/*
 * Best fit over two red-black trees of the free pieces: by address, to join
 * neighbours, and by size, to find the smallest that fits. A taken extent keeps
 * its node, so that giving back never needs memory.
 */
#include "extent.h"

/* Pieces tried by size order before one that is surely long enough is used. */
#define FIT_TRIES 16

static struct aclkm_extent *addr_entry(const struct rb_node *node)
{
	return rb_entry_safe(node, struct aclkm_extent, by_addr);
}

static struct aclkm_extent *size_entry(const struct rb_node *node)
{
	return rb_entry_safe(node, struct aclkm_extent, by_size);
}

static bool addr_less(struct rb_node *a, const struct rb_node *b)
{
	return addr_entry(a)->start < addr_entry(b)->start;
}

static bool size_less(struct rb_node *a, const struct rb_node *b)
{
	struct aclkm_extent *x = size_entry(a), *y = size_entry(b);

	return x->len != y->len ? x->len < y->len : x->start < y->start;
}

static void piece_insert(struct aclkm_extents *set, struct aclkm_extent *ext)
{
	rb_add(&ext->by_addr, &set->by_addr, addr_less);
	rb_add(&ext->by_size, &set->by_size, size_less);
	set->free += ext->len;
}

static void piece_remove(struct aclkm_extents *set, struct aclkm_extent *ext)
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
	struct aclkm_extent *ext = size_entry(rb_last(&set->by_size));

	return ext ? ext->len : 0;
}

/* The shortest piece of at least @len bytes. */
static struct aclkm_extent *no_shorter(const struct aclkm_extents *set, u64 len)
{
	struct rb_node *node = set->by_size.rb_node;
	struct aclkm_extent *found = NULL;

	while (node) {
		struct aclkm_extent *ext = size_entry(node);

		if (ext->len >= len) {
			found = ext;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

/* Bytes to leave before the first multiple of @align in @ext. */
static u64 gap_before(const struct aclkm_extent *ext, u64 align)
{
	return -ext->start & (align - 1);
}

static bool fits(const struct aclkm_extent *ext, u64 len, u64 align)
{
	u64 gap = gap_before(ext, align);

	return gap < ext->len && len <= ext->len - gap;
}

static struct aclkm_extent *best_fit(const struct aclkm_extents *set, u64 len, u64 align)
{
	struct aclkm_extent *ext = no_shorter(set, len);
	struct aclkm_extent *sure = NULL;
	unsigned int tries = FIT_TRIES;

	if (len + align - 1 >= len)
		sure = no_shorter(set, len + align - 1);

	for (; ext && ext != sure; ext = size_entry(rb_next(&ext->by_size))) {
		if (fits(ext, len, align))
			return ext;
		if (sure && !--tries)
			break;
	}
	return sure;
}

bool aclkm_extents_find(const struct aclkm_extents *set, u64 len, u64 align, u64 *start)
{
	struct aclkm_extent *piece = best_fit(set, len, align);

	if (!piece)
		return false;
	*start = piece->start + gap_before(piece, align);
	return true;
}

void aclkm_extents_give(struct aclkm_extents *set, struct aclkm_extent *ext,
			struct aclkm_extent *unused[2])
{
	struct rb_node *node = set->by_addr.rb_node;
	struct aclkm_extent *prev = NULL, *next = NULL;

	while (node) {
		struct aclkm_extent *e = addr_entry(node);

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
		piece_remove(set, prev);
		ext->start = prev->start;
		ext->len += prev->len;
		unused[0] = prev;
	}
	if (next && ext->start + ext->len == next->start) {
		piece_remove(set, next);
		ext->len += next->len;
		unused[1] = next;
	}
	piece_insert(set, ext);
}

struct aclkm_extent *aclkm_extents_next(const struct aclkm_extents *set, u64 addr)
{
	struct rb_node *node = set->by_addr.rb_node;
	struct aclkm_extent *found = NULL;

	while (node) {
		struct aclkm_extent *ext = addr_entry(node);

		if (ext->start + ext->len > addr) {
			found = ext;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

static struct aclkm_extent *use_spare(struct aclkm_extent *spare[2])
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
		struct aclkm_extent *next = addr_entry(rb_next(&ext->by_addr));
		u64 ext_end = ext->start + ext->len;
		u64 from = ext->start < start ? start : ext->start;
		u64 to = ext_end < end ? ext_end : end;
		struct aclkm_extent *part = ext;

		piece_remove(set, ext);
		if (ext->start < from) {
			part = use_spare(spare);
			ext->len = from - ext->start;
			piece_insert(set, ext);
		}
		if (to < ext_end) {
			struct aclkm_extent *tail = use_spare(spare);

			tail->start = to;
			tail->len = ext_end - to;
			piece_insert(set, tail);
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
