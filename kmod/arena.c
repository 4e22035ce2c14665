// SPDX-License-Identifier: GPL-2.0
/*
 * Arenas: which of their bytes are free, taken, or held by somebody's pins, and
 * which of the free ones are zero already.
 *
 * A region that dies while its pages are pinned (direct I/O under way, a buffer
 * registered with io_uring) is put aside, and looked at again by a timer and by
 * whoever finds the arena full. The module stays loaded until then.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "aclkm.h"
#include "pages.h"
#include "trace.h"

#define HELD_RECHECK_MS		100

/*
 * Up to this size the best hole is worth more than a clean one: clearing a few
 * pages is cheap, and small regions all over the clean memory would spoil it
 * for large ones.
 */
#define CLEAN_FIRST_MIN		SZ_64K
/*
 * And only out of a hole with room for so many of them. In a smaller one it
 * would depend on the scrubbers whether two halves of all memory fit.
 */
#define CLEAN_FIRST_ROOM	16

LIST_HEAD(aclkm_arenas);
DECLARE_RWSEM(aclkm_arenas_lock);

static void held_recheck(struct work_struct *work);
static DECLARE_DELAYED_WORK(held_work, held_recheck);

/**
 * aclkm_extent_list_free() - free extents that are linked by their next
 * @ext:	the first, or NULL
 */
void aclkm_extent_list_free(struct aclkm_extent *ext)
{
	while (ext) {
		struct aclkm_extent *next = ext->next;

		kfree(ext);
		ext = next;
	}
}

static bool taken_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct aclkm_extent, by_addr)->start <
	       rb_entry(b, struct aclkm_extent, by_addr)->start;
}

static void free_extent(struct aclkm_arena *arena, struct aclkm_extent *ext)
{
	struct aclkm_extent *unused[2];

	aclkm_extents_give(&arena->free, ext, unused);
	kfree(unused[0]);
	kfree(unused[1]);
}

/**
 * aclkm_arena_init() - set the accounts up: everything is free, nothing clean
 * @arena:	start, size and node are filled
 * @piece:	owned by the arena from now on
 */
void aclkm_arena_init(struct aclkm_arena *arena, struct aclkm_extent *piece)
{
	static unsigned int ids;

	mutex_init(&arena->lock);
	INIT_LIST_HEAD(&arena->held);
	arena->taken = RB_ROOT;
	aclkm_extents_init(&arena->free);
	aclkm_extents_init(&arena->clean);
	arena->id = ids++;
	piece->start = arena->start;
	piece->len = arena->size;
	free_extent(arena, piece);
	arena->scrub_at = arena->start;
	aclkm_scrub_arena_init(arena);
}

/**
 * aclkm_arena_lock_quiet() - lock an arena when no scrubber has anything in hand
 * @arena:	each of its free pieces can be taken then
 */
void aclkm_arena_lock_quiet(struct aclkm_arena *arena)
{
	mutex_lock(&arena->lock);
	arena->scrub_pause++;
	while (arena->scrubbing) {
		mutex_unlock(&arena->lock);
		wait_event(arena->scrub_idle, !READ_ONCE(arena->scrubbing));
		mutex_lock(&arena->lock);
	}
	arena->scrub_pause--;
}

/* The end of a region; its memory may hold anything. */
static void bury(struct aclkm_arena *arena, struct aclkm_region *region)
{
	rb_erase(&region->extent->by_addr, &arena->taken);
	arena->scrub_at = min(arena->scrub_at, region->extent->start);
	free_extent(arena, region->extent);
	region->extent = NULL;
}

/**
 * aclkm_arena_held_free() - free what was put aside and is not pinned any more
 * @arena:	locked
 *
 * Return: true if something is still held.
 */
bool aclkm_arena_held_free(struct aclkm_arena *arena)
{
	struct aclkm_region *region, *next;

	lockdep_assert_held(&arena->lock);
	list_for_each_entry_safe(region, next, &arena->held, held) {
		u64 start = region->extent->start, len = region->extent->len;

		if (aclkm_pages_pinned(start, len))
			continue;
		list_del(&region->held);
		arena->held_bytes -= len;
		/* Their marks would be taken for the next owner's. */
		aclkm_region_trim(region, NULL);
		bury(arena, region);
		aclkm_user_uncharge(region->user, len);
		aclkm_user_put(region->user);
		kfree(region);
		aclkm_scrub_kick(arena, false);
		module_put(THIS_MODULE);
	}
	return !list_empty(&arena->held);
}

static void held_recheck(struct work_struct *work)
{
	struct aclkm_arena *arena;
	bool left = false;

	down_read(&aclkm_arenas_lock);
	list_for_each_entry(arena, &aclkm_arenas, list) {
		mutex_lock(&arena->lock);
		left |= aclkm_arena_held_free(arena);
		mutex_unlock(&arena->lock);
	}
	up_read(&aclkm_arenas_lock);
	if (left)
		schedule_delayed_work(&held_work, msecs_to_jiffies(HELD_RECHECK_MS));
}

/**
 * aclkm_held_stop() - end the timer; nothing is held any more
 */
void aclkm_held_stop(void)
{
	cancel_delayed_work_sync(&held_work);
}

/* Extents that taking may need, where it splits a free and a clean piece. */
struct spares {
	struct aclkm_extent *free[2];
	struct aclkm_extent *clean[2];
};

static void spares_free(struct spares *spares)
{
	kfree(spares->free[0]);
	kfree(spares->free[1]);
	kfree(spares->clean[0]);
	kfree(spares->clean[1]);
}

static int spares_alloc(struct spares *spares)
{
	spares->free[0] = kmalloc(sizeof(*spares->free[0]), GFP_KERNEL_ACCOUNT);
	spares->free[1] = kmalloc(sizeof(*spares->free[1]), GFP_KERNEL_ACCOUNT);
	spares->clean[0] = kmalloc(sizeof(*spares->clean[0]), GFP_KERNEL_ACCOUNT);
	spares->clean[1] = kmalloc(sizeof(*spares->clean[1]), GFP_KERNEL_ACCOUNT);
	if (spares->free[0] && spares->free[1] && spares->clean[0] && spares->clean[1])
		return 0;
	spares_free(spares);
	return -ENOMEM;
}

/* Where it goes; false if it fits nowhere. */
static bool place(const struct aclkm_arena *arena, const struct aclkm_request *request, u64 *start)
{
	u64 size = request->size, clean;

	if (!aclkm_extents_find(&arena->free, size, request->align, start))
		return false;
	if (size > CLEAN_FIRST_MIN &&
	    aclkm_extents_find(&arena->clean, size, request->align, &clean) &&
	    aclkm_extents_next(&arena->free, clean)->len / CLEAN_FIRST_ROOM >= size)
		*start = clean;
	return true;
}

static int take_from(struct aclkm_arena *arena, struct aclkm_request *request,
		     struct aclkm_region *region, unsigned int order, struct spares *spares,
		     struct aclkm_extent **clean)
{
	u64 size = request->size, start;
	int err = -ENOSPC;
	bool fits;

	mutex_lock(&arena->lock);
	fits = place(arena, request, &start);
	if (!fits && arena->held_bytes) {
		aclkm_arena_held_free(arena);
		fits = place(arena, request, &start);
	}
	if (fits && aclkm_scrub_in_hand(arena, start, size)) {
		mutex_unlock(&arena->lock);
		aclkm_arena_lock_quiet(arena);
		fits = place(arena, request, &start);
	}
	if (!fits)
		goto unlock;
	*clean = aclkm_extents_carve(&arena->clean, start, size, spares->clean);
	region->arena = arena;
	region->extent = aclkm_extents_carve(&arena->free, start, size, spares->free);
	region->extent->owner = region;
	rb_add(&region->extent->by_addr, &arena->taken, taken_less);
	arena->nr_regions++;
	aclkm_pages_shape(region->extent->start, region->extent->len, order);
	err = 0;
unlock:
	mutex_unlock(&arena->lock);
	return err;
}

/* One check and take at a time where something is kept for the administrator. */
static DEFINE_MUTEX(keep_lock);

static u64 node_free(int node)
{
	struct aclkm_arena *arena;
	u64 free = 0;

	list_for_each_entry(arena, &aclkm_arenas, list) {
		if (arena->node != node)
			continue;
		mutex_lock(&arena->lock);
		aclkm_arena_held_free(arena);
		free += arena->free.free;
		mutex_unlock(&arena->lock);
	}
	return free;
}

/* Whether taking @request from a node leaves there what is kept. */
static bool leaves_enough(const struct aclkm_request *request, int node, bool *reserved)
{
	u64 free;

	if (!request->keep)
		return true;
	free = node_free(node);
	if (free >= request->size && free - request->size >= request->keep)
		return true;
	*reserved |= free >= request->size;
	return false;
}

/**
 * aclkm_arena_take() - find a piece for a region, and get its pages ready
 * @request:	what is wanted
 * @region:	its arena and extent are filled
 * @order:	of its compound units
 * @clean:	filled with the parts that are zero, in ascending order; for the
 *		caller to free
 *
 * Arenas are tried in the order in which they were asked for.
 *
 * Return: 0, -ENOSPC with the reason, or -ENOMEM for the kernel's own memory.
 */
int aclkm_arena_take(struct aclkm_request *request, struct aclkm_region *region,
		     unsigned int order, struct aclkm_extent **clean)
{
	struct aclkm_arena *arena;
	bool reserved = false;
	struct spares spares;
	u64 free = 0;
	int err;

	*clean = NULL;
	err = spares_alloc(&spares);
	if (err)
		return err;

	err = -ENOSPC;
	if (request->keep)
		mutex_lock(&keep_lock);
	down_read(&aclkm_arenas_lock);
	list_for_each_entry(arena, &aclkm_arenas, list) {
		if (request->node != NUMA_NO_NODE && request->node != arena->node)
			continue;
		if (request->ordinary && arena->carveout)
			continue;
		if (!leaves_enough(request, arena->node, &reserved))
			continue;
		err = take_from(arena, request, region, order, &spares, clean);
		if (err != -ENOSPC)
			break;
		free += READ_ONCE(arena->free.free);
	}
	up_read(&aclkm_arenas_lock);
	if (request->keep)
		mutex_unlock(&keep_lock);
	if (err == -ENOSPC && reserved)
		request->reason = ACLKM_REASON_ROOT_RESERVE;
	else if (err == -ENOSPC)
		request->reason = free < request->size ? ACLKM_REASON_FREE :
				  ACLKM_REASON_FRAGMENTED;
	spares_free(&spares);
	return err;
}

/**
 * aclkm_arena_give() - make the piece of a dead region free
 * @region:	nobody refers to it, and none of its pages is pinned; it keeps no extent
 * @clean:	parts of it that are zero, linked; owned by the arena from now on
 */
void aclkm_arena_give(struct aclkm_region *region, struct aclkm_extent *clean)
{
	struct aclkm_arena *arena = region->arena;

	/* Keeps shrinking from freeing the arena while we are still unlocking it. */
	down_read(&aclkm_arenas_lock);
	mutex_lock(&arena->lock);
	arena->nr_regions--;
	bury(arena, region);
	while (clean) {
		struct aclkm_extent *next = clean->next, *unused[2];

		aclkm_extents_give(&arena->clean, clean, unused);
		kfree(unused[0]);
		kfree(unused[1]);
		clean = next;
	}
	if (arena->free.free > arena->clean.free)
		aclkm_scrub_kick(arena, false);
	mutex_unlock(&arena->lock);
	up_read(&aclkm_arenas_lock);
}

/**
 * aclkm_arena_hold() - put a dead region aside until its pins are gone
 * @region:	the arena owns it from now on
 */
void aclkm_arena_hold(struct aclkm_region *region)
{
	struct aclkm_arena *arena = region->arena;

	__module_get(THIS_MODULE);
	down_read(&aclkm_arenas_lock);
	mutex_lock(&arena->lock);
	arena->nr_regions--;
	arena->held_bytes += region->extent->len;
	list_add_tail(&region->held, &arena->held);
	mutex_unlock(&arena->lock);
	up_read(&aclkm_arenas_lock);
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

	down_read(&aclkm_arenas_lock);
	list_for_each_entry(arena, &aclkm_arenas, list) {
		if (node != NUMA_NO_NODE && node != arena->node)
			continue;
		mutex_lock(&arena->lock);
		aclkm_arena_held_free(arena);
		sum->nr_arenas++;
		sum->total += arena->size;
		sum->free += arena->free.free;
		sum->clean += arena->clean.free;
		sum->largest_free = max(sum->largest_free,
					aclkm_extents_largest(&arena->free));
		sum->held += arena->held_bytes;
		sum->nr_regions += arena->nr_regions;
		/* A worker gives up where it has no memory for the books. */
		if (arena->free.free > arena->clean.free)
			aclkm_scrub_kick(arena, false);
		mutex_unlock(&arena->lock);
	}
	up_read(&aclkm_arenas_lock);
}
