// SPDX-License-Identifier: GPL-2.0
/*
 * The call MAP: what an arena consists of, for people and their tools. Physical
 * addresses and other users' names are only for those who may learn them otherwise.
 *
 * An arena is locked while a batch of extents is filled, and not while it is copied to
 * the caller, so that a reader does not stop allocations for long.
 */
#include <linux/capability.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "aclkm.h"
#include "compat.h"
#include "pages.h"

/* Extents that are filled under one lock. */
#define MAP_BATCH	64U
/* Pages and huge pages of a region that are looked at for a pin. */
#define MAP_PIN_SEARCH	1024

/**
 * struct map_viewer - what a caller may see
 * @user:	who opened the file
 * @owners:	also the owners of other users' regions
 * @phys:	physical addresses
 */
struct map_viewer {
	const struct aclkm_user *user;
	bool owners;
	bool phys;
};

/* The arena with the lowest id from @id on. Under aclkm_arenas_lock. */
static struct aclkm_arena *map_find_arena(u32 id)
{
	struct aclkm_arena *arena, *found = NULL;

	list_for_each_entry(arena, &aclkm_arenas, list)
		if (arena->id >= id && (!found || arena->id < found->id))
			found = arena;
	return found;
}

/* A process is named to a caller in a PID namespace of its own only if that sees it. */
static pid_t map_pid(pid_t pid)
{
	pid_t seen;

	if (task_active_pid_ns(current) == &init_pid_ns)
		return pid;
	rcu_read_lock();
	seen = pid_vnr(find_pid_ns(pid, &init_pid_ns));
	rcu_read_unlock();
	return seen;
}

/*
 * Whether a page among the first of a region is pinned. Another thread may make or break
 * compound units meanwhile: what is read then is wrong, and only that.
 */
static bool map_is_pinned(const struct aclkm_region *region)
{
	unsigned long pfn = PHYS_PFN(region->extent->start);
	unsigned long end = pfn + PHYS_PFN(region->extent->len);
	unsigned int n = 0;

	/* Mappings of WC and UC memory cannot be pinned, and their pages are not counted. */
	if (region->held || region->cache != ACLKM_CACHE_WB)
		return region->held;
	for (; pfn < end && n < MAP_PIN_SEARCH; n++) {
		struct page *page = pfn_to_page(pfn);

		if (aclkm_page_is_pinned(page))
			return true;
		pfn += 1UL << min_t(unsigned int, compound_order(page), ACLKM_ORDER_1G);
	}
	return false;
}

static bool map_has_poison(const struct aclkm_arena *arena, const struct aclkm_extent *taken)
{
	const struct aclkm_poison *poison;

	list_for_each_entry(poison, &arena->poison, list)
		if (!poison->lost && poison->addr >= taken->start &&
		    poison->addr - taken->start < taken->len)
			return true;
	return false;
}

static void map_region(const struct aclkm_arena *arena, const struct aclkm_extent *taken,
		       const struct map_viewer *viewer, struct aclkm_map_extent *out)
{
	const struct aclkm_region *region = taken->owner;
	const struct aclkm_user *user = READ_ONCE(region->user);

	out->state = region->held ? ACLKM_STATE_HELD : ACLKM_STATE_REGION;
	out->map_page = PAGE_SIZE << region->map_order;
	out->cache = region->cache;
	if (map_is_pinned(region))
		out->flags |= ACLKM_EXTENT_PINNED;
	/* Only whether there is one now: no lock is needed to look. */
	if (!list_empty(&region->exports.list))
		out->flags |= ACLKM_EXTENT_SHARED;
	if (map_has_poison(arena, taken))
		out->flags |= ACLKM_EXTENT_POISONED;
	if (user && (viewer->owners || user == viewer->user)) {
		out->flags |= ACLKM_EXTENT_OWNER;
		out->uid = from_kuid_munged(current_user_ns(), user->uid);
		out->pid = map_pid(region->pid);
	}
}

/* Describes what begins at, or lies around, a byte of the arena, which is locked. */
static void map_extent(const struct aclkm_arena *arena, u64 addr, const struct map_viewer *viewer,
		       struct aclkm_map_extent *out)
{
	const struct aclkm_extent *free = aclkm_extents_next(&arena->free, addr);
	const struct aclkm_extent *taken = aclkm_arena_taken_next(arena, addr);
	u64 start = addr, end = arena->start + arena->size;

	memset(out, 0, sizeof(*out));
	if (free && free->start <= addr) {
		const struct aclkm_extent *clean = aclkm_extents_next(&arena->clean, addr);

		out->state = ACLKM_STATE_FREE;
		end = free->start + free->len;
		if (clean && clean->start <= addr) {
			out->flags = ACLKM_EXTENT_CLEAN;
			end = min(end, clean->start + clean->len);
		} else if (clean) {
			end = min(end, clean->start);
		}
	} else if (taken && taken->start <= addr) {
		start = taken->start;
		end = start + taken->len;
		map_region(arena, taken, viewer, out);
	} else {
		out->state = ACLKM_STATE_LOST;
		if (free)
			end = min(end, free->start);
		if (taken)
			end = min(end, taken->start);
	}
	out->offset = start - arena->start;
	out->len = end - start;
}

static void map_summary(const struct aclkm_arena *arena, const struct map_viewer *viewer,
			struct aclkm_map *map)
{
	map->arena = arena->id;
	map->size = arena->size;
	map->free = arena->free.free;
	map->clean = arena->clean.free;
	map->held = arena->held_bytes;
	map->nr_regions = arena->nr_regions;
	map->poisoned = arena->poisoned;
	map->align = arena->page;
	map->node = arena->node;
	map->flags = arena->carveout ? ACLKM_MAP_CARVEOUT : 0;
	map->phys = 0;
	if (viewer->phys) {
		map->flags |= ACLKM_MAP_PHYS;
		map->phys = arena->start;
	}
}

/*
 * Fills up to @room extents from @map->offset on, and advances that; returns how many.
 * -ENOENT: no such arena. @first: an arena with a higher id will do.
 */
static int map_fill(struct aclkm_map *map, bool first, const struct map_viewer *viewer,
		    struct aclkm_map_extent *batch, unsigned int room)
{
	struct aclkm_arena *arena;
	int n = -ENOENT;

	down_read(&aclkm_arenas_lock);
	arena = map_find_arena(map->arena);
	if (!arena || (!first && arena->id != map->arena))
		goto up;
	mutex_lock(&arena->lock);
	/* What another arena is asked for from its first byte on. */
	if (arena->id != map->arena)
		map->offset = 0;
	map_summary(arena, viewer, map);
	for (n = 0; n < room && map->offset < arena->size; n++) {
		map_extent(arena, arena->start + map->offset, viewer, &batch[n]);
		map->offset = batch[n].offset + batch[n].len;
	}
	map->offset = min(map->offset, map->size);
	mutex_unlock(&arena->lock);
up:
	up_read(&aclkm_arenas_lock);
	return n;
}

/**
 * aclkm_map_arena() - the call MAP
 * @file:	the open file
 * @map:	the caller's struct
 *
 * Return: 0 or a negative errno.
 */
long aclkm_map_arena(const struct aclkm_file *file, struct aclkm_map *map)
{
	struct aclkm_map_extent __user *to = u64_to_user_ptr(map->extents);
	const struct map_viewer viewer = {
		.user = file->user,
		.owners = ns_capable_noaudit(&init_user_ns, CAP_SYS_PTRACE),
		.phys = ns_capable_noaudit(&init_user_ns, CAP_SYS_RAWIO),
	};
	u64 left = map->count, done = 0;
	struct aclkm_map_extent *batch;
	int n, err = 0;

	if (map->flags || map->reserved)
		return -EINVAL;
	batch = kmalloc_array(MAP_BATCH, sizeof(*batch), GFP_KERNEL);
	if (!batch)
		return -ENOMEM;
	aclkm_poison_settle();
	do {
		unsigned int room = min_t(u64, left, MAP_BATCH);

		n = map_fill(map, !done, &viewer, batch, room);
		if (n < 0) {
			/* The arena went away meanwhile: what is told is all there was. */
			err = done ? 0 : n;
			map->offset = map->size;
			break;
		}
		if (copy_to_user(to + done, batch, n * sizeof(*batch)))
			err = -EFAULT;
		else if (fatal_signal_pending(current))
			err = -EINTR;
		done += n;
		left -= n;
		cond_resched();
	} while (!err && left && map->offset < map->size);
	map->count = done;
	kfree(batch);
	return err;
}
