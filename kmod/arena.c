// SPDX-License-Identifier: GPL-2.0
/*
 * Arenas: which of their bytes are free, taken, or held by somebody's pins.
 *
 * A region that dies while its pages are pinned (direct I/O under way, a buffer
 * registered with io_uring) is put aside, and looked at again by a timer and by
 * whoever finds the arena full.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "aclkm.h"

#define HELD_RECHECK_MS 100

LIST_HEAD(aclkm_arenas);

static void held_recheck(struct work_struct *work);
static DECLARE_DELAYED_WORK(held_work, held_recheck);

static int arena_add(u64 size, u64 align, int node)
{
	struct aclkm_arena *arena = kzalloc(sizeof(*arena), GFP_KERNEL);
	struct aclkm_extent *piece = kzalloc(sizeof(*piece), GFP_KERNEL);
	struct aclkm_extent *unused[2];
	int err = -ENOMEM;

	if (!arena || !piece)
		goto free;

	err = aclkm_reserve_take(size, align, node, &arena->start, &arena->node);
	if (err == -ENOMEM && align > SZ_2M) {
		pr_warn("no %llu MiB aligned to %llu MiB, trying 2 MiB\n",
			size / SZ_1M, align / SZ_1M);
		align = SZ_2M;
		err = aclkm_reserve_take(size, align, node, &arena->start, &arena->node);
	}
	if (err)
		goto free;

	arena->size = size;
	mutex_init(&arena->lock);
	INIT_LIST_HEAD(&arena->held);
	aclkm_extents_init(&arena->free);
	piece->start = arena->start;
	piece->len = size;
	aclkm_extents_give(&arena->free, piece, unused);
	list_add_tail(&arena->list, &aclkm_arenas);
	pr_info("arena of %llu MiB on node %d, aligned to %llu MiB\n",
		size / SZ_1M, arena->node, align / SZ_1M);
	return 0;

free:
	pr_err("no arena of %llu MiB: error %d%s\n", size / SZ_1M, err,
	       err == -ENOMEM ? ", no contiguous memory" : "");
	kfree(piece);
	kfree(arena);
	/* One arena less is reported, and the others are still of use. */
	return err == -EINTR ? err : 0;
}

static int arena_check(u64 size, u64 align, int node)
{
	return 0;
}

/**
 * aclkm_arenas_init() - reserve what the reserve= parameter asks for
 * @spec:	the parameter
 *
 * Arenas that the machine cannot give are named in the log and left out.
 *
 * Return: 0 with at least one arena, -EINVAL, -EINTR, or -ENOMEM with none.
 */
int aclkm_arenas_init(const char *spec)
{
	int err = aclkm_reserve_parse(spec, arena_check);

	if (err)
		return err;
	err = aclkm_reserve_parse(spec, arena_add);
	if (!err && list_empty(&aclkm_arenas))
		err = -ENOMEM;
	if (err)
		aclkm_arenas_exit();
	return err;
}

/* Frees what has been put aside and is not pinned any more; true if some is left. */
static bool held_free(struct aclkm_arena *arena, bool all)
{
	struct aclkm_region *region, *next;

	lockdep_assert_held(&arena->lock);
	list_for_each_entry_safe(region, next, &arena->held, held) {
		struct aclkm_extent *unused[2];

		if (!all && aclkm_region_pinned(region))
			continue;
		list_del(&region->held);
		arena->held_bytes -= region->extent->len;
		aclkm_extents_give(&arena->free, region->extent, unused);
		kfree(unused[0]);
		kfree(unused[1]);
		kfree(region);
	}
	return !list_empty(&arena->held);
}

static void held_recheck(struct work_struct *work)
{
	struct aclkm_arena *arena;
	bool left = false;

	list_for_each_entry(arena, &aclkm_arenas, list) {
		mutex_lock(&arena->lock);
		left |= held_free(arena, false);
		mutex_unlock(&arena->lock);
	}
	if (left)
		schedule_delayed_work(&held_work, msecs_to_jiffies(HELD_RECHECK_MS));
}

/**
 * aclkm_arenas_exit() - give all arenas back to the kernel
 *
 * No file is open and nothing is mapped. Pages that are still pinned go back
 * one by one when their pins go.
 */
void aclkm_arenas_exit(void)
{
	struct aclkm_arena *arena, *next;

	cancel_delayed_work_sync(&held_work);
	list_for_each_entry_safe(arena, next, &aclkm_arenas, list) {
		struct rb_node *node;

		mutex_lock(&arena->lock);
		held_free(arena, true);
		mutex_unlock(&arena->lock);
		WARN_ON(arena->nr_regions || arena->free.free != arena->size);

		while ((node = rb_first(&arena->free.by_addr))) {
			rb_erase(node, &arena->free.by_addr);
			kfree(rb_entry(node, struct aclkm_extent, by_addr));
		}
		aclkm_reserve_release(arena->start, arena->size);
		list_del(&arena->list);
		kfree(arena);
	}
}

/**
 * aclkm_arena_take() - find a piece for a region
 * @size:	bytes, a multiple of the page size
 * @align:	bytes, a power of two
 * @node:	NUMA node, or NUMA_NO_NODE
 * @region:	its arena and extent are filled
 *
 * Arenas are tried in the order in which they were asked for.
 *
 * Return: 0, -ENOSPC, or -ENOMEM for the kernel's own memory.
 */
int aclkm_arena_take(u64 size, u64 align, int node, struct aclkm_region *region)
{
	struct aclkm_extent *taken = kmalloc(sizeof(*taken), GFP_KERNEL_ACCOUNT);
	struct aclkm_extent *spare = kmalloc(sizeof(*spare), GFP_KERNEL_ACCOUNT);
	struct aclkm_extent *unused = NULL;
	struct aclkm_arena *arena;
	int err = -ENOMEM;

	if (!taken || !spare)
		goto out;

	err = -ENOSPC;
	list_for_each_entry(arena, &aclkm_arenas, list) {
		bool found;

		if (node != NUMA_NO_NODE && node != arena->node)
			continue;
		mutex_lock(&arena->lock);
		found = aclkm_extents_take(&arena->free, size, align, taken, &spare, &unused);
		if (!found && arena->held_bytes) {
			held_free(arena, false);
			found = aclkm_extents_take(&arena->free, size, align, taken,
						   &spare, &unused);
		}
		if (found)
			arena->nr_regions++;
		mutex_unlock(&arena->lock);
		if (found) {
			region->arena = arena;
			region->extent = taken;
			taken = NULL;
			err = 0;
			break;
		}
	}
out:
	kfree(unused);
	kfree(spare);
	kfree(taken);
	return err;
}

/**
 * aclkm_arena_give() - make the piece of a dead region free
 * @region:	nobody refers to it, and none of its pages is pinned; it keeps no extent
 */
void aclkm_arena_give(struct aclkm_region *region)
{
	struct aclkm_arena *arena = region->arena;
	struct aclkm_extent *unused[2];

	mutex_lock(&arena->lock);
	arena->nr_regions--;
	aclkm_extents_give(&arena->free, region->extent, unused);
	mutex_unlock(&arena->lock);
	region->extent = NULL;
	kfree(unused[0]);
	kfree(unused[1]);
}

/**
 * aclkm_arena_hold() - put a dead region aside until its pins are gone
 * @region:	the arena owns it from now on
 */
void aclkm_arena_hold(struct aclkm_region *region)
{
	struct aclkm_arena *arena = region->arena;

	mutex_lock(&arena->lock);
	arena->nr_regions--;
	arena->held_bytes += region->extent->len;
	list_add_tail(&region->held, &arena->held);
	mutex_unlock(&arena->lock);
	schedule_delayed_work(&held_work, msecs_to_jiffies(HELD_RECHECK_MS));
}

/**
 * aclkm_arenas_sum() - add up the accounts
 * @node:	of the arenas on this node, or of all with NUMA_NO_NODE
 * @sum:	its counters are filled, the rest is left alone
 */
void aclkm_arenas_sum(int node, struct aclkm_info *sum)
{
	struct aclkm_arena *arena;

	list_for_each_entry(arena, &aclkm_arenas, list) {
		if (node != NUMA_NO_NODE && node != arena->node)
			continue;
		mutex_lock(&arena->lock);
		if (arena->held_bytes)
			held_free(arena, false);
		sum->nr_arenas++;
		sum->total += arena->size;
		sum->free += arena->free.free;
		sum->largest_free = max(sum->largest_free,
					aclkm_extents_largest(&arena->free));
		sum->held += arena->held_bytes;
		sum->nr_regions += arena->nr_regions;
		mutex_unlock(&arena->lock);
	}
}
