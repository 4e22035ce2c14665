// SPDX-License-Identifier: MIT
#include "extents.h"

#include <stdlib.h>

#include "rules.h"

/* Pieces of fitting size that are tried before one that fits for certain. */
#define BEST_FIT_TRIES 8

static struct extent *from_addr(struct tree_node *node)
{
	return node ? tree_entry(node, struct extent, by_addr) : NULL;
}

static struct extent *from_size(struct tree_node *node)
{
	return node ? tree_entry(node, struct extent, by_size) : NULL;
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_addr(const struct tree_node *a, const struct tree_node *b)
{
	return compare_u64(tree_entry(a, const struct extent, by_addr)->addr,
			   tree_entry(b, const struct extent, by_addr)->addr);
}

static int compare_size(const struct tree_node *a, const struct tree_node *b)
{
	const struct extent *x = tree_entry(a, const struct extent, by_size);
	const struct extent *y = tree_entry(b, const struct extent, by_size);

	if (x->size != y->size)
		return compare_u64(x->size, y->size);
	return compare_u64(x->addr, y->addr);
}

static void set_free(struct extents *ex, struct extent *piece)
{
	struct extent_sizes *sizes = ex->sizes;

	piece->used = false;
	tree_insert(&sizes->tree, &piece->by_size);
	if (!sizes->last || compare_size(&piece->by_size, &sizes->last->by_size) > 0)
		sizes->last = piece;
}

static void unset_free(struct extents *ex, struct extent *piece)
{
	struct extent_sizes *sizes = ex->sizes;

	tree_erase(&sizes->tree, &piece->by_size);
	if (sizes->last == piece)
		sizes->last = from_size(tree_last(&sizes->tree));
}

int extents_join(struct extents *ex, uint64_t base, uint64_t size,
		 struct extent_sizes *sizes)
{
	struct extent *all;
	uint64_t end;

	if (!size || __builtin_add_overflow(base, size - 1, &end))
		return ACLKM_ERR_INVALID;
	all = calloc(1, sizeof(*all));
	if (!all)
		return ACLKM_ERR_NOHEAP;

	*ex = (struct extents){.base = base, .size = size};
	ex->sizes = sizes ? sizes : &ex->own;
	tree_init(&ex->by_addr, compare_addr);
	if (!ex->sizes->tree.compare)
		tree_init(&ex->sizes->tree, compare_size);
	all->of = ex;
	all->addr = base;
	all->size = size;
	tree_insert(&ex->by_addr, &all->by_addr);
	set_free(ex, all);
	return ACLKM_OK;
}

int extents_init(struct extents *ex, uint64_t base, uint64_t size)
{
	return extents_join(ex, base, size, NULL);
}

void extents_destroy(struct extents *ex)
{
	struct extent *piece = from_addr(tree_first(&ex->by_addr));
	bool shared = ex->sizes != &ex->own;

	while (piece) {
		struct extent *next = piece->next;

		if (shared && !piece->used)
			unset_free(ex, piece);
		free(piece);
		piece = next;
	}
	*ex = (struct extents){0};
}

/* Where a piece of @size would start in the free @piece; false: it does not fit. */
static bool fits(const struct extent *piece, uint64_t size, uint64_t align,
		 uint64_t *start)
{
	if (aclkm_align_up(piece->addr, align, start))
		return false;
	return *start - piece->addr <= piece->size &&
	       piece->size - (*start - piece->addr) >= size;
}

static struct extent *first_of_size(const struct extent_sizes *sizes, uint64_t size)
{
	struct extent key = {.size = size, .addr = 0};

	return from_size(tree_ceil(&sizes->tree, &key.by_size));
}

static struct extent *next_of_size(const struct extent_sizes *sizes,
				   const struct extent *piece)
{
	return from_size(tree_above(&sizes->tree, &piece->by_size));
}

static struct extent *best_fit(const struct extent_sizes *sizes, uint64_t size,
			       uint64_t align, uint64_t *start)
{
	struct extent *piece = first_of_size(sizes, size);
	struct extent *sure;
	uint64_t enough;
	int tries;

	for (tries = 0; piece && tries < BEST_FIT_TRIES; tries++) {
		if (fits(piece, size, align, start))
			return piece;
		piece = next_of_size(sizes, piece);
	}
	if (!piece)
		return NULL;

	if (!__builtin_add_overflow(size, align - 1, &enough)) {
		sure = first_of_size(sizes, enough);
		if (sure && fits(sure, size, align, start))
			return sure;
	}
	for (; piece; piece = next_of_size(sizes, piece)) {
		if (fits(piece, size, align, start))
			return piece;
	}
	return NULL;
}

/* Put @right, for [piece->addr + at, end of piece), behind @piece. Both not free. */
static void cut(struct extents *ex, struct extent *piece, uint64_t at,
		struct extent *right)
{
	right->of = ex;
	right->addr = piece->addr + at;
	right->size = piece->size - at;
	right->prev = piece;
	right->next = piece->next;
	if (right->next)
		right->next->prev = right;
	piece->next = right;
	piece->size = at;
	tree_insert(&ex->by_addr, &right->by_addr);
}

int extents_alloc(struct extents *ex, uint64_t size, uint64_t align, struct extent **out)
{
	return extents_alloc_best(ex->sizes, size, align, out);
}

int extents_alloc_best(struct extent_sizes *sizes, uint64_t size, uint64_t align,
		       struct extent **out)
{
	struct extent *piece, *head = NULL, *tail = NULL;
	struct extents *ex;
	uint64_t start;

	if (!size || !is_power_of_two(align))
		return ACLKM_ERR_INVALID;
	piece = best_fit(sizes, size, align, &start);
	if (!piece)
		return ACLKM_ERR_NOMEM;
	ex = piece->of;

	if (start != piece->addr) {
		head = calloc(1, sizeof(*head));
		if (!head)
			return ACLKM_ERR_NOHEAP;
	}
	if (start - piece->addr + size != piece->size) {
		tail = calloc(1, sizeof(*tail));
		if (!tail) {
			free(head);
			return ACLKM_ERR_NOHEAP;
		}
	}

	unset_free(ex, piece);
	if (head) {
		struct extent *gap = piece;

		cut(ex, gap, start - gap->addr, head);
		set_free(ex, gap);
		piece = head;
	}
	if (tail) {
		cut(ex, piece, size, tail);
		set_free(ex, tail);
	}

	piece->used = true;
	ex->used += size;
	ex->count++;
	if (ex->used > ex->high_water)
		ex->high_water = ex->used;
	*out = piece;
	return ACLKM_OK;
}

int extents_split(struct extents *ex, struct extent *piece, uint64_t size,
		  struct extent **out)
{
	struct extent *rest = calloc(1, sizeof(*rest));

	if (!rest)
		return ACLKM_ERR_NOHEAP;
	cut(ex, piece, size, rest);
	rest->used = true;
	rest->kind = piece->kind;
	ex->count++;
	*out = rest;
	return ACLKM_OK;
}

int extents_find(const struct extents *ex, uint64_t addr, struct extent **out)
{
	struct extent key = {.addr = addr};
	struct extent *piece;

	*out = NULL;
	if (addr < ex->base || addr - ex->base >= ex->size)
		return ACLKM_ERR_FOREIGN;
	piece = from_addr(tree_floor(&ex->by_addr, &key.by_addr));
	if (!piece || !piece->used)
		return ACLKM_ERR_NOTALIVE;
	*out = piece;
	return piece->addr == addr ? ACLKM_OK : ACLKM_ERR_INTERIOR;
}

/* @piece swallows the one behind it. */
static void swallow_next(struct extents *ex, struct extent *piece)
{
	struct extent *gone = piece->next;

	piece->size += gone->size;
	piece->next = gone->next;
	if (piece->next)
		piece->next->prev = piece;
	tree_erase(&ex->by_addr, &gone->by_addr);
	free(gone);
}

void extents_free(struct extents *ex, struct extent *piece)
{
	struct extent *prev = piece->prev;
	struct extent *next = piece->next;

	ex->used -= piece->size;
	ex->count--;
	piece->asked = 0;
	piece->ruled = 0;
	piece->kind = 0;
	piece->owner = NULL;

	if (next && !next->used) {
		unset_free(ex, next);
		swallow_next(ex, piece);
	}
	if (prev && !prev->used) {
		unset_free(ex, prev);
		swallow_next(ex, prev);
		piece = prev;
	}
	set_free(ex, piece);
}

uint64_t extents_largest(const struct extents *ex)
{
	return ex->sizes->last ? ex->sizes->last->size : 0;
}
