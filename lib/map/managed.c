// SPDX-License-Identifier: MIT
#include "map/managed.h"

#include <linux/mempolicy.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "map/place.h"
#include "base/tree.h"

/* A block of which something was said. */
struct block {
	struct tree_node by_base;
	uint64_t base;
	uint64_t count;
	struct managed_state units[];
};

TREE_COMPARE(compare, struct block, by_base, base)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct tree blocks = {.compare = compare, .random = 1};

static uint64_t units_of(uint64_t size)
{
	return (size + MANAGED_UNIT - 1) / MANAGED_UNIT;
}

static struct block *find_locked(uint64_t base)
{
	struct block key = {.base = base};
	struct tree_node *node = tree_ceil(&blocks, &key.by_base);
	struct block *block;

	if (!node)
		return NULL;
	block = tree_entry(node, struct block, by_base);
	return block->base == base ? block : NULL;
}

static struct block *need_locked(const struct place_info *place)
{
	struct block *block = find_locked(place->base);
	uint64_t count = units_of(place->size);

	if (block)
		return block;
	block = calloc(1, sizeof(*block) + count * sizeof(block->units[0]));
	if (!block)
		return NULL;
	block->base = place->base;
	block->count = count;
	tree_insert(&blocks, &block->by_base);
	return block;
}

/* The block around the range, whose last unit is the program's as a whole. */
static int describe(const void *ptr, uint64_t size, struct place_info *out)
{
	uint64_t addr = (uint64_t)(uintptr_t)ptr;

	if (place_describe(ptr, out) && out->managed &&
	    size <= units_of(out->size) * MANAGED_UNIT - (addr - out->base))
		return ACLKM_OK;
	return error_set(
		ACLKM_ERR_FOREIGN,
		"ptr = %p: not one block of aclrtMemAllocManaged with all of the "
		"%llu bytes",
		ptr, (unsigned long long)size);
}

int managed_check(const void *ptr, uint64_t size)
{
	struct place_info place;

	return describe(ptr, size, &place);
}

int managed_change(const void *ptr, uint64_t size,
		   void (*change)(struct managed_state *state, const void *arg),
		   const void *arg)
{
	uint64_t from, to;
	struct place_info place;
	struct block *block;
	int err = describe(ptr, size, &place);

	if (err)
		return err;
	from = ((uint64_t)(uintptr_t)ptr - place.base) / MANAGED_UNIT;
	to = units_of((uint64_t)(uintptr_t)ptr - place.base + size);
	pthread_mutex_lock(&lock);
	block = need_locked(&place);
	for (; block && from < to && from < block->count; from++)
		change(&block->units[from], arg);
	pthread_mutex_unlock(&lock);
	if (block)
		return ACLKM_OK;
	return error_set(ACLKM_ERR_NOHEAP, "no memory for the library's own records");
}

static void agree(struct managed_place *place, const struct managed_place *other)
{
	if (place->type != other->type || place->id != other->id)
		*place = (struct managed_place){0};
}

int managed_get(const void *ptr, uint64_t size, struct managed_state *out)
{
	uint64_t from, to;
	struct place_info place;
	const struct block *block;
	int err = describe(ptr, size, &place);

	if (err)
		return err;
	from = ((uint64_t)(uintptr_t)ptr - place.base) / MANAGED_UNIT;
	to = units_of((uint64_t)(uintptr_t)ptr - place.base + size);
	*out = (struct managed_state){0};
	pthread_mutex_lock(&lock);
	block = find_locked(place.base);
	if (block && from < block->count)
		*out = block->units[from];
	for (; block && from < to && from < block->count; from++) {
		const struct managed_state *unit = &block->units[from];

		out->read_mostly &= unit->read_mostly;
		out->by_host &= unit->by_host;
		out->by_devices &= unit->by_devices;
		out->by_nodes &= unit->by_nodes;
		agree(&out->preferred, &unit->preferred);
		agree(&out->prefetched, &unit->prefetched);
	}
	pthread_mutex_unlock(&lock);
	return ACLKM_OK;
}

void managed_move(const void *ptr, uint64_t size, struct managed_place place)
{
	unsigned long nodes;

	if (place.type != MANAGED_NODE)
		return;
	nodes = 1UL << place.id;
	/* Not of pages that a driver mapped, nor to a node that is not there. */
	syscall(SYS_mbind, ptr, size, MPOL_PREFERRED, &nodes, MANAGED_NODES + 1,
		MPOL_MF_MOVE);
}

int32_t managed_current_node(void)
{
	unsigned int cpu, node = 0;

	syscall(SYS_getcpu, &cpu, &node, NULL);
	return node < MANAGED_NODES ? (int32_t)node : 0;
}

void managed_forget(uint64_t base)
{
	struct block *block;

	pthread_mutex_lock(&lock);
	block = find_locked(base);
	if (block)
		tree_erase(&blocks, &block->by_base);
	pthread_mutex_unlock(&lock);
	free(block);
}
