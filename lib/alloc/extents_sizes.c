// SPDX-License-Identifier: MIT
#include "alloc/extents_sizes.h"

#include <stddef.h>
#include <stdlib.h>

#include "alloc/extents.h"

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

static uint32_t list_of(uint64_t size)
{
	unsigned int top;

	if (size >> LINEAR_END_SHIFT == 0)
		return (uint32_t)(size >> LINEAR_SHIFT);
	top = 63U - (unsigned int)__builtin_clzll(size);
	return (top - LINEAR_END_SHIFT + 1) * STEPS +
	       (uint32_t)(size >> (top - STEPS_SHIFT) & (STEPS - 1));
}

struct extent_sizes *sizes_new(uint64_t size)
{
	/* No piece is longer, so no list behind that one is ever looked at. */
	return calloc(1, offsetof(struct extent_sizes, lists) +
				 (list_of(size) + 1) * sizeof(struct extent *));
}

void sizes_free(struct extent_sizes *sizes)
{
	if (sizes)
		sizes_drop_records(sizes);
	free(sizes);
}

void sizes_put(struct extent_sizes *sizes, struct extent *piece)
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

void sizes_take(struct extent_sizes *sizes, struct extent *piece)
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

struct extent *sizes_find(const struct extent_sizes *sizes, uint64_t size, uint64_t align,
			  uint64_t *start)
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

struct extent *sizes_record(struct extent_sizes *sizes)
{
	struct extent *piece = sizes->unused;

	if (!piece)
		return calloc(1, sizeof(*piece));
	sizes->unused = piece->next;
	sizes->unused_count--;
	*piece = (struct extent){0};
	return piece;
}

void sizes_record_put(struct extent_sizes *sizes, struct extent *piece)
{
	if (sizes->unused_count == MAX_UNUSED) {
		free(piece);
		return;
	}
	piece->next = sizes->unused;
	sizes->unused = piece;
	sizes->unused_count++;
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
