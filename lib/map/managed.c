// SPDX-License-Identifier: MIT
#include "map/managed.h"

#include <linux/mempolicy.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"
#include "map/block.h"
#include "map/place.h"

/* A block of which something was said. */
struct managed_block {
	struct addr_range at;
	uint64_t count;
	struct managed_state units[];
};

static pthread_mutex_t managed_lock = PTHREAD_MUTEX_INITIALIZER;
static struct addr_map managed_blocks = ADDR_MAP;

static uint64_t managed_units(uint64_t size)
{
	return (size + MANAGED_UNIT - 1) / MANAGED_UNIT;
}

static struct managed_block *managed_find(uint64_t base)
{
	struct addr_range *at = addr_map_at(&managed_blocks, base);

	return at ? addr_entry(at, struct managed_block, at) : NULL;
}

/* The block is freed. */
static void managed_forget(uint64_t base)
{
	struct managed_block *block;

	pthread_mutex_lock(&managed_lock);
	block = managed_find(base);
	if (block)
		addr_map_remove(&managed_blocks, &block->at);
	pthread_mutex_unlock(&managed_lock);
	free(block);
}

static struct managed_block *managed_need(const struct place_info *place)
{
	struct managed_block *block = managed_find(place->base);
	uint64_t count = managed_units(place->size);

	if (block)
		return block;
	block = calloc(1, sizeof(*block) + count * sizeof(block->units[0]));
	if (!block)
		return NULL;
	block->at.base = place->base;
	block->at.size = place->size;
	block->count = count;
	addr_map_add(&managed_blocks, &block->at);
	return block;
}

/* The block around the range, whose last unit is the program's as a whole. */
static int managed_describe(const void *ptr, uint64_t size, struct place_info *out)
{
	uint64_t addr = (uint64_t)(uintptr_t)ptr;

	if (place_describe(ptr, out) && out->managed &&
	    size <= managed_units(out->size) * MANAGED_UNIT - (addr - out->base))
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

	return managed_describe(ptr, size, &place);
}

int managed_change(const void *ptr, uint64_t size,
		   void (*change)(struct managed_state *state, const void *arg),
		   const void *arg)
{
	uint64_t from, to;
	struct place_info place;
	struct managed_block *block;
	int err = managed_describe(ptr, size, &place);

	if (err)
		return err;
	from = ((uint64_t)(uintptr_t)ptr - place.base) / MANAGED_UNIT;
	to = managed_units((uint64_t)(uintptr_t)ptr - place.base + size);
	block_watch((void *)(uintptr_t)place.base, managed_forget);
	pthread_mutex_lock(&managed_lock);
	block = managed_need(&place);
	for (; block && from < to && from < block->count; from++)
		change(&block->units[from], arg);
	pthread_mutex_unlock(&managed_lock);
	if (block)
		return ACLKM_OK;
	return error_no_records();
}

static void managed_agree(struct managed_place *place, const struct managed_place *other)
{
	if (place->type != other->type || place->id != other->id)
		*place = (struct managed_place){0};
}

int managed_get(const void *ptr, uint64_t size, struct managed_state *out)
{
	uint64_t from, to;
	struct place_info place;
	const struct managed_block *block;
	int err = managed_describe(ptr, size, &place);

	if (err)
		return err;
	from = ((uint64_t)(uintptr_t)ptr - place.base) / MANAGED_UNIT;
	to = managed_units((uint64_t)(uintptr_t)ptr - place.base + size);
	*out = (struct managed_state){0};
	pthread_mutex_lock(&managed_lock);
	block = managed_find(place.base);
	if (block && from < block->count)
		*out = block->units[from];
	for (; block && from < to && from < block->count; from++) {
		const struct managed_state *unit = &block->units[from];

		out->read_mostly &= unit->read_mostly;
		out->by_host &= unit->by_host;
		out->by_devices &= unit->by_devices;
		out->by_nodes &= unit->by_nodes;
		managed_agree(&out->preferred, &unit->preferred);
		managed_agree(&out->prefetched, &unit->prefetched);
	}
	pthread_mutex_unlock(&managed_lock);
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
