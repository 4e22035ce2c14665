// SPDX-License-Identifier: MIT
#include "alloc/extents.h"

#include "alloc/extents_cells.h"
#include "base/rules.h"

static struct extent *from_addr(struct tree_node *node)
{
	return node ? tree_entry(node, struct extent, by_addr) : NULL;
}

static int compare_addr(const struct tree_node *a, const struct tree_node *b)
{
	uint64_t x = tree_entry(a, const struct extent, by_addr)->addr;
	uint64_t y = tree_entry(b, const struct extent, by_addr)->addr;

	return (x > y) - (x < y);
}

static void index_put(struct extents *ex, struct extent *piece)
{
	if (ex->cells)
		cells_put(ex->cells, piece);
	else
		tree_insert(&ex->by_addr, &piece->by_addr);
}

/* With its neighbours still linked. */
static void index_take(struct extents *ex, struct extent *piece)
{
	if (ex->cells)
		cells_take(ex->cells, piece);
	else
		tree_erase(&ex->by_addr, &piece->by_addr);
}

static struct extent *index_floor(const struct extents *ex, uint64_t addr)
{
	struct extent key = {.addr = addr};

	if (ex->cells)
		return cells_floor(ex->cells, addr);
	return from_addr(tree_floor(&ex->by_addr, &key.by_addr));
}

static void set_free(struct extents *ex, struct extent *piece)
{
	piece->used = false;
	sizes_put(ex->sizes, piece);
}

static void unset_free(struct extents *ex, struct extent *piece)
{
	sizes_take(ex->sizes, piece);
}

int extents_join(struct extents *ex, uint64_t base, uint64_t size,
		 struct extent_sizes *sizes)
{
	struct extent *all;
	uint64_t end;

	if (!size || __builtin_add_overflow(base, size - 1, &end))
		return ACLKM_ERR_INVALID;
	*ex = (struct extents){.base = base, .size = size, .shares = sizes};
	ex->sizes = sizes ? sizes : sizes_new(size);
	all = ex->sizes ? sizes_record(ex->sizes) : NULL;
	if (sizes)
		ex->cells = cells_new(base, size);
	else
		tree_init(&ex->by_addr, compare_addr);
	if (!all || (sizes && !ex->cells)) {
		if (all)
			sizes_record_put(ex->sizes, all);
		if (!sizes)
			sizes_free(ex->sizes);
		cells_free(ex->cells);
		*ex = (struct extents){0};
		return ACLKM_ERR_NOHEAP;
	}
	all->of = ex;
	all->addr = base;
	all->size = size;
	ex->first = all;
	index_put(ex, all);
	set_free(ex, all);
	return ACLKM_OK;
}

int extents_init(struct extents *ex, uint64_t base, uint64_t size)
{
	return extents_join(ex, base, size, NULL);
}

void extents_destroy(struct extents *ex)
{
	struct extent *piece = ex->first;

	while (piece) {
		struct extent *next = piece->next;

		if (ex->shares && !piece->used)
			unset_free(ex, piece);
		sizes_record_put(ex->sizes, piece);
		piece = next;
	}
	if (!ex->shares)
		sizes_free(ex->sizes);
	cells_free(ex->cells);
	*ex = (struct extents){0};
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
	index_put(ex, right);
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
	piece = sizes_find(sizes, size, align, &start);
	if (!piece)
		return ACLKM_ERR_NOMEM;
	ex = piece->of;

	if (start != piece->addr) {
		head = sizes_record(sizes);
		if (!head)
			return ACLKM_ERR_NOHEAP;
	}
	if (start - piece->addr + size != piece->size) {
		tail = sizes_record(sizes);
		if (!tail) {
			if (head)
				sizes_record_put(sizes, head);
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
	struct extent *rest = sizes_record(ex->sizes);

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
	struct extent *piece;

	*out = NULL;
	if (addr < ex->base || addr - ex->base >= ex->size)
		return ACLKM_ERR_FOREIGN;
	piece = index_floor(ex, addr);
	if (!piece || !piece->used)
		return ACLKM_ERR_NOTALIVE;
	*out = piece;
	return piece->addr == addr ? ACLKM_OK : ACLKM_ERR_INTERIOR;
}

/* @piece swallows the one behind it. */
static void swallow_next(struct extents *ex, struct extent *piece)
{
	struct extent *gone = piece->next;

	index_take(ex, gone);
	piece->size += gone->size;
	piece->next = gone->next;
	if (piece->next)
		piece->next->prev = piece;
	sizes_record_put(ex->sizes, gone);
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
