/* SPDX-License-Identifier: MIT */
/*
 * Address ranges that do not overlap, found by an address in them. Intrusive: the caller
 * embeds struct addr_range and has the lock; only addr_map_any needs none.
 */
#ifndef LIB_ADDR_MAP_H
#define LIB_ADDR_MAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/tree.h"

struct addr_range {
	struct tree_node node;
	uint64_t base;
	uint64_t size;
};

struct addr_map {
	struct tree tree;
	_Atomic uint32_t count;
};

int addr_map_compare(const struct tree_node *a, const struct tree_node *b);

#define ADDR_MAP                                                                         \
	{                                                                                \
		.tree = {.compare = addr_map_compare, .random = 1 }                      \
	}

#define addr_entry(range, type, member) ((type *)((char *)(range)-offsetof(type, member)))

static inline bool addr_map_any(const struct addr_map *map)
{
	return atomic_load(&map->count);
}

void addr_map_add(struct addr_map *map, struct addr_range *range);
void addr_map_remove(struct addr_map *map, struct addr_range *range);

/* The range around @addr, the one that starts there, the first from there on; or NULL. */
struct addr_range *addr_map_find(const struct addr_map *map, uint64_t addr);
struct addr_range *addr_map_at(const struct addr_map *map, uint64_t addr);
struct addr_range *addr_map_from(const struct addr_map *map, uint64_t addr);

bool addr_map_overlaps(const struct addr_map *map, uint64_t base, uint64_t size);

#endif /* LIB_ADDR_MAP_H */
