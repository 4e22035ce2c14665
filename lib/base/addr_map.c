// SPDX-License-Identifier: MIT
#include "base/addr_map.h"

static struct addr_range *addr_of(struct tree_node *node)
{
	return node ? tree_entry(node, struct addr_range, node) : NULL;
}

int addr_map_compare(const struct tree_node *a, const struct tree_node *b)
{
	uint64_t x = tree_entry(a, const struct addr_range, node)->base;
	uint64_t y = tree_entry(b, const struct addr_range, node)->base;

	return (x > y) - (x < y);
}

void addr_map_add(struct addr_map *map, struct addr_range *range)
{
	tree_insert(&map->tree, &range->node);
	atomic_fetch_add(&map->count, 1);
}

void addr_map_remove(struct addr_map *map, struct addr_range *range)
{
	tree_erase(&map->tree, &range->node);
	atomic_fetch_sub(&map->count, 1);
}

struct addr_range *addr_map_find(const struct addr_map *map, uint64_t addr)
{
	const struct addr_range key = {.base = addr};
	struct addr_range *range = addr_of(tree_floor(&map->tree, &key.node));

	return range && addr - range->base < range->size ? range : NULL;
}

struct addr_range *addr_map_from(const struct addr_map *map, uint64_t addr)
{
	const struct addr_range key = {.base = addr};

	return addr_of(tree_ceil(&map->tree, &key.node));
}

struct addr_range *addr_map_at(const struct addr_map *map, uint64_t addr)
{
	struct addr_range *range = addr_map_from(map, addr);

	return range && range->base == addr ? range : NULL;
}

bool addr_map_overlaps(const struct addr_map *map, uint64_t base, uint64_t size)
{
	const struct addr_range *next = addr_map_from(map, base);

	return addr_map_find(map, base) || (next && next->base - base < size);
}
