/* SPDX-License-Identifier: MIT */
/*
 * Pieces of a range by their address, where most are long: for each cell of 32 KiB the
 * first that starts in it, and a map of the cells in which one does. No locking.
 */
#ifndef LIB_EXTENTS_CELLS_H
#define LIB_EXTENTS_CELLS_H

#include <stdint.h>

struct extent;
struct cells;

/* NULL: no memory. */
struct cells *cells_new(uint64_t base, uint64_t size);
void cells_free(struct cells *cells);

/* In the list by address already, and still. */
void cells_put(struct cells *cells, struct extent *piece);
void cells_take(struct cells *cells, struct extent *piece);

/* The last that starts at @addr, which is in the range, or before. */
struct extent *cells_floor(const struct cells *cells, uint64_t addr);

#endif /* LIB_EXTENTS_CELLS_H */
