// SPDX-License-Identifier: MIT
#include "alloc/extents_cells.h"

#include <stddef.h>
#include <stdlib.h>

#include "alloc/extents.h"

#define CELL_SHIFT 15

struct cells {
	uint64_t base;
	uint64_t *map;	 /* a bit for each cell in which a piece starts */
	uint64_t *words; /* a bit for each word of it that is not 0 */
	struct extent *first[];
};

struct cells *cells_new(uint64_t base, uint64_t size)
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

void cells_free(struct cells *cells)
{
	free(cells);
}

static uint64_t cell_of(const struct cells *cells, uint64_t addr)
{
	return (addr - cells->base) >> CELL_SHIFT;
}

void cells_put(struct cells *cells, struct extent *piece)
{
	uint64_t cell = cell_of(cells, piece->addr);
	struct extent *first = cells->first[cell];

	if (first && first->addr < piece->addr)
		return;
	cells->first[cell] = piece;
	cells->map[cell / 64] |= 1ULL << cell % 64;
	cells->words[cell / 4096] |= 1ULL << cell / 64 % 64;
}

void cells_take(struct cells *cells, struct extent *piece)
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

struct extent *cells_floor(const struct cells *cells, uint64_t addr)
{
	uint64_t cell = cell_of(cells, addr);
	struct extent *piece = cells->first[cell];

	if (!piece || piece->addr > addr)
		piece = cells->first[cell_before(cells, cell)];
	while (piece->next && piece->next->addr <= addr)
		piece = piece->next;
	return piece;
}
