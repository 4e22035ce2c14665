// SPDX-License-Identifier: MIT
#include "alloc/extents.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/base.h"

/* Below this a list for each 64 bytes; from there on STEPS for each doubling. */
#define STEPS_SHIFT 5
#define STEPS (1U << STEPS_SHIFT)
#define LINEAR_SHIFT 6
#define LINEAR_END_SHIFT (LINEAR_SHIFT + STEPS_SHIFT)

/* Pieces of one list that are looked at for the best. */
#define LIST_TRIES 16

/* Pieces of fitting size that are tried before one that fits for certain. */
#define FIT_TRIES 8

/* Records that are kept. */
#define MAX_UNUSED 256

/*
 * Free pieces by their size: lists, 32 for each doubling, and a map of those that are
 * not empty, so that insert, remove and find take a few steps however many there are.
 */
static uint32_t list_of(uint64_t size)
{
	unsigned int top;

	if (size >> LINEAR_END_SHIFT == 0)
		return (uint32_t)(size >> LINEAR_SHIFT);
	top = 63U - (unsigned int)__builtin_clzll(size);
	return (top - LINEAR_END_SHIFT + 1) * STEPS +
	       (uint32_t)(size >> (top - STEPS_SHIFT) & (STEPS - 1));
}

static struct extent_sizes *sizes_new(uint64_t size)
{
	/* No piece is longer, so no list behind that one is ever looked at. */
	return calloc(1, offsetof(struct extent_sizes, lists) +
				 (list_of(size) + 1) * sizeof(struct extent *));
}

void sizes_drop_records(struct extent_sizes *sizes)
{
	while (sizes->unused) {
		struct extent *piece = sizes->unused;

		sizes->unused = piece->next;
		free(piece);
	}
	sizes->unused_count = 0;
}

static void sizes_free(struct extent_sizes *sizes)
{
	if (sizes)
		sizes_drop_records(sizes);
	free(sizes);
}

static void sizes_put(struct extent_sizes *sizes, struct extent *piece)
{
	uint32_t list = list_of(piece->size);

	piece->shorter = NULL;
	piece->longer = sizes->lists[list];
	if (piece->longer)
		piece->longer->shorter = piece;
	sizes->lists[list] = piece;
	sizes->map[list / 64] |= 1ULL << list % 64;
	sizes->words |= 1U << list / 64;
	if (!sizes->last || piece->size > sizes->last->size)
		sizes->last = piece;
}

/* The first list from @list on that is not empty; SIZES_LISTS: none. */
static uint32_t next_list(const struct extent_sizes *sizes, uint32_t list)
{
	uint32_t word = list / 64, words;
	uint64_t bits;

	if (list >= SIZES_LISTS)
		return SIZES_LISTS;
	bits = sizes->map[word] >> list % 64;
	if (bits)
		return list + (uint32_t)__builtin_ctzll(bits);
	words = sizes->words & (uint32_t)(~0ULL << (word + 1));
	if (!words)
		return SIZES_LISTS;
	word = (uint32_t)__builtin_ctz(words);
	return word * 64 + (uint32_t)__builtin_ctzll(sizes->map[word]);
}

/* None is longer than @most. */
static void find_last(struct extent_sizes *sizes, uint64_t most)
{
	struct extent *piece, *best = NULL;
	uint32_t word;

	if (sizes->words) {
		word = 31U - (uint32_t)__builtin_clz(sizes->words);
		best = sizes->lists[word * 64 + 63 -
				    (uint32_t)__builtin_clzll(sizes->map[word])];
	}
	for (piece = best; piece && best->size < most; piece = piece->longer) {
		if (piece->size > best->size)
			best = piece;
	}
	sizes->last = best;
}

static void sizes_take(struct extent_sizes *sizes, struct extent *piece)
{
	uint32_t list = list_of(piece->size);

	if (piece->longer)
		piece->longer->shorter = piece->shorter;
	if (piece->shorter)
		piece->shorter->longer = piece->longer;
	else
		sizes->lists[list] = piece->longer;
	if (!sizes->lists[list]) {
		sizes->map[list / 64] &= ~(1ULL << list % 64);
		if (!sizes->map[list / 64])
			sizes->words &= ~(1U << list / 64);
	}
	if (sizes->last == piece)
		find_last(sizes, piece->size);
}

/* Where a piece of @size would start in the free @piece; false: it does not fit. */
static bool fits(const struct extent *piece, uint64_t size, uint64_t align,
		 uint64_t *start)
{
	uint64_t at = (piece->addr + align - 1) & ~(align - 1);

	if (at < piece->addr || at - piece->addr > piece->size ||
	    piece->size - (at - piece->addr) < size)
		return false;
	*start = at;
	return true;
}

/* The best of a list, of at most @tries that fit or do not. */
static struct extent *best_of(const struct extent_sizes *sizes, uint32_t list,
			      uint64_t size, uint64_t align, uint32_t tries,
			      uint64_t *start)
{
	struct extent *piece, *best = NULL;
	uint64_t at;

	for (piece = sizes->lists[list]; piece && tries; piece = piece->longer, tries--) {
		if (best && (piece->size > best->size ||
			     (piece->size == best->size && piece->addr > best->addr)))
			continue;
		if (!fits(piece, size, align, &at))
			continue;
		best = piece;
		*start = at;
	}
	return best;
}

static struct extent *sizes_find(const struct extent_sizes *sizes, uint64_t size,
				 uint64_t align, uint64_t *start)
{
	uint32_t first = list_of(size), list, tries = 0;
	struct extent *best;
	uint64_t enough;

	if (!sizes->last || sizes->last->size < size)
		return NULL;
	for (list = next_list(sizes, first); list < SIZES_LISTS && tries < FIT_TRIES;
	     list = next_list(sizes, list + 1), tries++) {
		best = best_of(sizes, list, size, align, LIST_TRIES, start);
		if (best)
			return best;
	}
	if (!__builtin_add_overflow(size, align - 1, &enough)) {
		list = next_list(sizes, list_of(enough) + 1);
		best = list < SIZES_LISTS ? best_of(sizes, list, size, align, 1, start)
					  : NULL;
		if (best)
			return best;
	}
	/* All there are, as there must be a very good reason to say no. */
	for (list = next_list(sizes, first); list < SIZES_LISTS;
	     list = next_list(sizes, list + 1)) {
		best = best_of(sizes, list, size, align, UINT32_MAX, start);
		if (best)
			return best;
	}
	return NULL;
}

static struct extent *sizes_record(struct extent_sizes *sizes)
{
	struct extent *piece = sizes->unused;

	if (!piece)
		return calloc(1, sizeof(*piece));
	sizes->unused = piece->next;
	sizes->unused_count--;
	*piece = (struct extent){0};
	return piece;
}

static void sizes_record_put(struct extent_sizes *sizes, struct extent *piece)
{
	if (sizes->unused_count == MAX_UNUSED) {
		free(piece);
		return;
	}
	piece->next = sizes->unused;
	sizes->unused = piece;
	sizes->unused_count++;
}

/*
 * Pieces of a range by their address, where most are long: for each cell of 32 KiB the
 * first that starts in it, and a map of the cells in which one does.
 */
#define CELL_SHIFT 15

struct cells {
	uint64_t base;
	uint64_t *map;	 /* a bit for each cell in which a piece starts */
	uint64_t *words; /* a bit for each word of it that is not 0 */
	struct extent *first[];
};

static struct cells *cells_new(uint64_t base, uint64_t size)
{
	uint64_t count = ((size - 1) >> CELL_SHIFT) + 1;
	uint64_t map = (count + 63) / 64, words = (map + 63) / 64;
	struct cells *cells;

	cells = calloc(1, sizeof(*cells) + count * sizeof(cells->first[0]) +
				  (map + words) * sizeof(uint64_t));
	if (!cells)
		return NULL;
	cells->base = base;
	cells->map = (uint64_t *)(void *)&cells->first[count];
	cells->words = cells->map + map;
	return cells;
}

static void cells_free(struct cells *cells)
{
	free(cells);
}

static uint64_t cell_of(const struct cells *cells, uint64_t addr)
{
	return (addr - cells->base) >> CELL_SHIFT;
}

static void cells_put(struct cells *cells, struct extent *piece)
{
	uint64_t cell = cell_of(cells, piece->addr);
	struct extent *first = cells->first[cell];

	if (first && first->addr < piece->addr)
		return;
	cells->first[cell] = piece;
	cells->map[cell / 64] |= 1ULL << cell % 64;
	cells->words[cell / 4096] |= 1ULL << cell / 64 % 64;
}

static void cells_take(struct cells *cells, struct extent *piece)
{
	uint64_t cell = cell_of(cells, piece->addr);
	struct extent *next = piece->next;

	if (cells->first[cell] != piece)
		return;
	if (next && cell_of(cells, next->addr) == cell) {
		cells->first[cell] = next;
		return;
	}
	cells->first[cell] = NULL;
	cells->map[cell / 64] &= ~(1ULL << cell % 64);
	if (!cells->map[cell / 64])
		cells->words[cell / 4096] &= ~(1ULL << cell / 64 % 64);
}

static uint64_t highest(uint64_t bits)
{
	return 63 - (uint64_t)__builtin_clzll(bits);
}

/* The last cell before @cell in which a piece starts: one does, as the range's first. */
static uint64_t cell_before(const struct cells *cells, uint64_t cell)
{
	uint64_t word = cell / 64, group = word / 64;
	uint64_t bits = cells->map[word] & ((1ULL << cell % 64) - 1);

	if (!bits) {
		bits = cells->words[group] & ((1ULL << word % 64) - 1);
		while (!bits)
			bits = cells->words[--group];
		word = group * 64 + highest(bits);
		bits = cells->map[word];
	}
	return word * 64 + highest(bits);
}

static struct extent *cells_floor(const struct cells *cells, uint64_t addr)
{
	uint64_t cell = cell_of(cells, addr);
	struct extent *piece = cells->first[cell];

	if (!piece || piece->addr > addr)
		piece = cells->first[cell_before(cells, cell)];
	while (piece->next && piece->next->addr <= addr)
		piece = piece->next;
	return piece;
}

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
