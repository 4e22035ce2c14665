// SPDX-License-Identifier: GPL-2.0
/*
 * Arenas: which of their bytes are free, which are a region's, and which are held for a
 * dead region until release.c can free them; and which free bytes are zero.
 *
 * aclkm_arenas_lock guards the list of arenas, each arena's own lock its accounts.
 * Work that grows with the size of a region is done outside both.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "aclkm.h"
#include "compat.h"
#include "pages.h"

/*
 * Up to this size the best hole is worth more than a clean one: clearing a few
 * pages is cheap, and small regions all over the clean memory would spoil it
 * for large ones.
 */
#define CLEAN_FIRST_MIN		SZ_64K
/*
 * A clean place is used only out of a hole with room for so many requests. In a
 * smaller hole, whether two halves of all memory fit would depend on the scrubbers.
 */
#define CLEAN_FIRST_ROOM	16

LIST_HEAD(aclkm_arenas);
DECLARE_RWSEM(aclkm_arenas_lock);

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

static bool arena_taken_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct aclkm_extent, by_addr)->start <
	       rb_entry(b, struct aclkm_extent, by_addr)->start;
}

/* Adds an extent to a set, which owns it from now on. */
static void arena_extent_add(struct aclkm_extents *set, struct aclkm_extent *ext)
{
	struct aclkm_extent *unused[2];

	aclkm_extents_insert(set, ext, unused);
	kfree(unused[0]);
	kfree(unused[1]);
}

/**
 * aclkm_arena_init() - set up the accounts: all memory is free, none is clean
 * @arena:	start, size and node are filled
 * @piece:	owned by the arena from now on
 */
void aclkm_arena_init(struct aclkm_arena *arena, struct aclkm_extent *piece)
{
	static unsigned int ids;

	mutex_init(&arena->lock);
	INIT_LIST_HEAD(&arena->poison);
	arena->taken = RB_ROOT;
	aclkm_extents_init(&arena->free);
	aclkm_extents_init(&arena->clean);
	arena->id = ids++;
	piece->start = arena->start;
	piece->len = arena->size;
	arena_extent_add(&arena->free, piece);
	arena->scrub_at = arena->start;
	aclkm_scrub_arena_init(arena);
}

/**
 * aclkm_arena_lock_quiet() - lock an arena while no scrubber clears a part of it
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

/* Extents that the accounts may need where a request splits a free and a clean piece. */
struct arena_spares {
	struct aclkm_extent *free[2];
	struct aclkm_extent *clean[2];
};

static void arena_spares_free(struct arena_spares *spares)
{
	/* Mostly all of them have been used. */
	if (!spares->free[0] && !spares->free[1] && !spares->clean[0] && !spares->clean[1])
		return;
	kfree(spares->free[0]);
	kfree(spares->free[1]);
	kfree(spares->clean[0]);
	kfree(spares->clean[1]);
}

/* Sees to it that there are @count spares for each of the two sets. */
static int arena_spares_alloc(struct arena_spares *spares, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (!spares->free[i])
			spares->free[i] = kmalloc(sizeof(*spares->free[i]), GFP_KERNEL_ACCOUNT);
		if (!spares->clean[i])
			spares->clean[i] = kmalloc(sizeof(*spares->clean[i]), GFP_KERNEL_ACCOUNT);
		if (!spares->free[i] || !spares->clean[i])
			return -ENOMEM;
	}
	return 0;
}

/* Whether the spares are enough to take a range, which lies in one free piece. */
static bool arena_spares_suffice(const struct arena_spares *spares,
				 const struct aclkm_arena *arena, u64 start, u64 size)
{
	if (spares->free[1] && spares->clean[1])
		return true;
	return aclkm_extents_cuts(&arena->free, start, size) < 2 &&
	       aclkm_extents_cuts(&arena->clean, start, size) < 2;
}

/*
 * Chooses the address for a request; false if no free piece has been found, and then
 * @search says whether there are more to look at.
 */
static bool arena_find_place(const struct aclkm_arena *arena, struct aclkm_search *search,
			     const struct aclkm_request *request, u64 *start)
{
	struct aclkm_search clean_search = {};
	u64 size = request->size, clean;

	if (!aclkm_extents_find_step(&arena->free, search, size, request->align, start))
		return false;
	/* One step: a clean place is not worth a long search. */
	if (size > CLEAN_FIRST_MIN &&
	    aclkm_extents_find_step(&arena->clean, &clean_search, size, request->align, &clean) &&
	    aclkm_extents_next(&arena->free, clean)->len / CLEAN_FIRST_ROOM >= size)
		*start = clean;
	return true;
}

static int arena_alloc_piece(struct aclkm_arena *arena, const struct aclkm_request *request,
			     struct aclkm_region *region, struct arena_spares *spares,
			     struct aclkm_extent **clean)
{
	struct aclkm_search search = {}, step;
	u64 size = request->size, start;
	int err = -ENOSPC;
	bool fits;

again:
	mutex_lock(&arena->lock);
	step = search;
	fits = arena_find_place(arena, &search, request, &start);
	if (fits && aclkm_scrub_in_hand(arena, start, size)) {
		mutex_unlock(&arena->lock);
		aclkm_arena_lock_quiet(arena);
		search = step;
		fits = arena_find_place(arena, &search, request, &start);
	}
	if (!fits && search.len) {
		/* Millions of pieces can be too short behind their first aligned byte. */
		mutex_unlock(&arena->lock);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		goto again;
	}
	if (!fits || arena->asleep)
		goto unlock;
	if (!arena_spares_suffice(spares, arena, start, size)) {
		mutex_unlock(&arena->lock);
		err = arena_spares_alloc(spares, 2);
		if (err)
			return err;
		err = -ENOSPC;
		search = step;
		goto again;
	}
	*clean = aclkm_extents_carve(&arena->clean, start, size, spares->clean);
	region->arena = arena;
	region->extent = aclkm_extents_carve(&arena->free, start, size, spares->free);
	region->extent->owner = region;
	rb_add(&region->extent->by_addr, &arena->taken, arena_taken_less);
	arena->nr_regions++;
	/* No later owner of a neighbouring piece may find a unit that this region shares. */
	aclkm_pages_cut(start, size);
	err = 0;
unlock:
	mutex_unlock(&arena->lock);
	return err;
}

/* One check and take at a time where bytes are kept for the administrator. */
static DEFINE_MUTEX(arena_keep_lock);

static u64 arena_node_free(int node)
{
	struct aclkm_arena *arena;
	u64 free = 0;

	list_for_each_entry(arena, &aclkm_arenas, list) {
		if (arena->node != node)
			continue;
		mutex_lock(&arena->lock);
		free += arena->free.free;
		mutex_unlock(&arena->lock);
	}
	return free;
}

/* Whether a node keeps @request->keep free bytes after @request. */
static bool arena_node_keeps(const struct aclkm_request *request, int node, bool *reserved)
{
	u64 free;

	if (!request->keep)
		return true;
	free = arena_node_free(node);
	if (free >= request->size && free - request->size >= request->keep)
		return true;
	*reserved |= free >= request->size;
	return false;
}

/**
 * aclkm_arena_alloc() - allocate a piece for a region
 * @request:	size, alignment and node
 * @region:	its arena and extent are filled
 * @clean:	filled with the parts that are zero, in ascending order; for the
 *		caller to free
 *
 * Arenas are tried in the order in which they were reserved. The caller shapes the
 * pages of the region, by aclkm_pages_shape().
 *
 * Return: 0, -ENOSPC with the reason, -ENOMEM for the kernel's own memory, or -EINTR
 * if the caller was killed.
 */
int aclkm_arena_alloc(struct aclkm_request *request, struct aclkm_region *region,
		      struct aclkm_extent **clean)
{
	struct aclkm_arena *arena;
	struct arena_spares spares = {};
	bool reserved = false;
	u64 free = 0;
	int err;

	*clean = NULL;
	/* Most requests begin or end where a piece does, and need no second one. */
	err = arena_spares_alloc(&spares, 1);
	if (err)
		goto free;

	err = -ENOSPC;
	if (request->keep)
		mutex_lock(&arena_keep_lock);
	down_read(&aclkm_arenas_lock);
	list_for_each_entry(arena, &aclkm_arenas, list) {
		if (request->node != NUMA_NO_NODE && request->node != arena->node)
			continue;
		if (request->ordinary && arena->carveout)
			continue;
		if (!arena_node_keeps(request, arena->node, &reserved))
			continue;
		err = arena_alloc_piece(arena, request, region, &spares, clean);
		if (err != -ENOSPC)
			break;
		free += READ_ONCE(arena->free.free);
	}
	up_read(&aclkm_arenas_lock);
	if (request->keep)
		mutex_unlock(&arena_keep_lock);
	if (err == -ENOSPC && reserved)
		request->reason = ACLKM_REASON_ROOT_RESERVE;
	else if (err == -ENOSPC)
		request->reason = free < request->size ? ACLKM_REASON_FREE :
				  ACLKM_REASON_FRAGMENTED;
free:
	arena_spares_free(&spares);
	return err;
}

/**
 * aclkm_arena_taken_next() - the lowest taken extent that ends after an address
 * @arena:	locked
 * @addr:	physical address
 */
struct aclkm_extent *aclkm_arena_taken_next(const struct aclkm_arena *arena, u64 addr)
{
	struct rb_node *node = arena->taken.rb_node;
	struct aclkm_extent *found = NULL;

	while (node) {
		struct aclkm_extent *ext = rb_entry(node, struct aclkm_extent, by_addr);

		if (ext->start + ext->len > addr) {
			found = ext;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

/* Takes a free page out of the arena for good. */
static void arena_lose_page(struct aclkm_arena *arena, struct aclkm_poison *poison)
{
	/* The healthy pages of a compound unit stay. */
	aclkm_pages_cut(poison->addr, PAGE_SIZE);
	aclkm_extent_list_free(aclkm_extents_carve(&arena->free, poison->addr, PAGE_SIZE,
						   poison->spare));
	aclkm_extent_list_free(aclkm_extents_carve(&arena->clean, poison->addr, PAGE_SIZE,
						   poison->spare + 2));
	poison->lost = true;
	arena->lost += PAGE_SIZE;
}

static struct aclkm_poison *arena_next_poison(const struct aclkm_arena *arena, u64 start, u64 len)
{
	struct aclkm_poison *poison;

	list_for_each_entry(poison, &arena->poison, list)
		if (poison->addr >= start && poison->addr - start < len)
			return poison;
	return NULL;
}

/**
 * aclkm_arena_search_poison() - whether a range has a page known to be poisoned
 * @arena:	the arena, unlocked; it has poisoned pages
 * @start:	physical address
 * @len:	bytes
 */
bool aclkm_arena_search_poison(struct aclkm_arena *arena, u64 start, u64 len)
{
	bool found;

	mutex_lock(&arena->lock);
	found = arena_next_poison(arena, start, len);
	mutex_unlock(&arena->lock);
	return found;
}

static struct aclkm_arena *arena_at(u64 addr)
{
	struct aclkm_arena *arena;

	list_for_each_entry(arena, &aclkm_arenas, list)
		if (addr >= READ_ONCE(arena->start) &&
		    addr - READ_ONCE(arena->start) < READ_ONCE(arena->size))
			return arena;
	return NULL;
}

/**
 * aclkm_arena_poison() - tell an arena of a poisoned page
 * @poison:	its address is filled; the rest is filled here
 *
 * Return: true if the page is an arena's and was not known; the arena owns @poison then.
 */
bool aclkm_arena_poison(struct aclkm_poison *poison)
{
	struct aclkm_arena *arena;
	struct aclkm_extent *ext;
	bool fresh = false;

	down_read(&aclkm_arenas_lock);
	arena = arena_at(poison->addr);
	if (!arena)
		goto up;
	aclkm_arena_lock_quiet(arena);
	fresh = !arena_next_poison(arena, poison->addr, PAGE_SIZE);
	if (!fresh)
		goto unlock;
	list_add(&poison->list, &arena->poison);
	WRITE_ONCE(arena->poisoned, arena->poisoned + PAGE_SIZE);
	ext = aclkm_arena_taken_next(arena, poison->addr);
	if (ext && ext->start <= poison->addr) {
		const struct aclkm_region *region = ext->owner;

		poison->in_region = true;
		poison->region_id = region->id;
		poison->index = PHYS_PFN(poison->addr - ext->start);
		poison->map_order = region->map_order;
	} else {
		arena_lose_page(arena, poison);
	}
unlock:
	mutex_unlock(&arena->lock);
up:
	up_read(&aclkm_arenas_lock);
	return fresh;
}

/* Frees what aclkm_arena_poison() was given. */
void aclkm_poison_free(struct aclkm_poison *poison)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(poison->spare); i++)
		kfree(poison->spare[i]);
	kfree(poison);
}

/**
 * aclkm_arena_free() - free the piece of a dead region
 * @region:	nobody refers to it, and none of its pages is pinned; it keeps no extent
 * @clean:	parts of it that are zero, linked; owned by the arena from now on
 */
void aclkm_arena_free(struct aclkm_region *region, struct aclkm_extent *clean)
{
	u64 start = region->extent->start, len = region->extent->len;
	struct aclkm_arena *arena = region->arena;
	struct aclkm_poison *poison;

	/* Keeps aclkm_shrink() from freeing the arena before this thread has unlocked it. */
	down_read(&aclkm_arenas_lock);
	mutex_lock(&arena->lock);
	if (region->held)
		arena->held_bytes -= len;
	else
		arena->nr_regions--;
	rb_erase(&region->extent->by_addr, &arena->taken);
	arena->scrub_at = min(arena->scrub_at, start);
	arena_extent_add(&arena->free, region->extent);
	region->extent = NULL;
	while (clean) {
		struct aclkm_extent *next = clean->next;

		arena_extent_add(&arena->clean, clean);
		clean = next;
	}
	list_for_each_entry(poison, &arena->poison, list)
		if (!poison->lost && poison->addr >= start && poison->addr - start < len)
			arena_lose_page(arena, poison);
	if (arena->free.free > arena->clean.free)
		aclkm_scrub_kick(arena, false);
	mutex_unlock(&arena->lock);
	up_read(&aclkm_arenas_lock);
}

/**
 * aclkm_arena_hold() - count a dead region as held
 * @region:	its memory is not free before aclkm_arena_free()
 */
void aclkm_arena_hold(struct aclkm_region *region)
{
	struct aclkm_arena *arena = region->arena;

	mutex_lock(&arena->lock);
	arena->nr_regions--;
	arena->held_bytes += region->extent->len;
	region->held = true;
	mutex_unlock(&arena->lock);
}

/**
 * aclkm_arena_sleep() - let nobody use an arena until aclkm_arena_wake()
 * @arena:	the arena
 *
 * Return: 0, or -EBUSY if it has regions.
 */
int aclkm_arena_sleep(struct aclkm_arena *arena)
{
	int err = 0;

	aclkm_arena_lock_quiet(arena);
	if (arena->nr_regions || arena->held_bytes)
		err = -EBUSY;
	else
		arena->asleep = true;
	mutex_unlock(&arena->lock);
	return err;
}

/**
 * aclkm_arena_wake() - let an arena be used again, none of whose bytes count as clean
 * @arena:	maybe not asleep
 */
void aclkm_arena_wake(struct aclkm_arena *arena)
{
	mutex_lock(&arena->lock);
	if (arena->asleep) {
		arena->asleep = false;
		aclkm_extents_free(&arena->clean);
		arena->scrub_at = arena->start;
		aclkm_scrub_kick(arena, true);
	}
	mutex_unlock(&arena->lock);
}

/**
 * aclkm_extents_free() - empty a set
 * @set:	its extents are freed
 */
void aclkm_extents_free(struct aclkm_extents *set)
{
	struct rb_node *node;

	while ((node = rb_first(&set->by_addr))) {
		rb_erase(node, &set->by_addr);
		kfree(rb_entry(node, struct aclkm_extent, by_addr));
	}
	aclkm_extents_init(set);
}

/**
 * aclkm_arenas_sum() - add up the accounts
 * @node:	of the arenas on this node, or of all with NUMA_NO_NODE
 * @sum:	its counters are filled, the other fields are left alone
 */
void aclkm_arenas_sum(int node, struct aclkm_info *sum)
{
	struct aclkm_arena *arena;

	down_read(&aclkm_arenas_lock);
	list_for_each_entry(arena, &aclkm_arenas, list) {
		if (node != NUMA_NO_NODE && node != arena->node)
			continue;
		mutex_lock(&arena->lock);
		sum->nr_arenas++;
		sum->total += arena->size;
		sum->free += arena->free.free;
		sum->clean += arena->clean.free;
		sum->largest_free = max(sum->largest_free,
					aclkm_extents_largest(&arena->free));
		sum->held += arena->held_bytes;
		sum->nr_regions += arena->nr_regions;
		sum->poisoned += arena->poisoned;
		/* A scrubber that found no memory for an extent has given up. */
		if (arena->free.free > arena->clean.free)
			aclkm_scrub_kick(arena, false);
		mutex_unlock(&arena->lock);
	}
	up_read(&aclkm_arenas_lock);
}
