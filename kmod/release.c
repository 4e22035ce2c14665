// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a region, from its last reference until its memory is free.
 *
 * A region whose pages are still pinned (direct I/O under way, a buffer registered
 * with io_uring) is held: its memory belongs to nobody. A worker looks at held
 * regions every 100 ms, and ALLOC does when an arena is full. The worker also
 * releases what would keep a killed process from ending. Held regions keep the
 * module loaded.
 *
 * release_lock serializes those who release held regions; held_lock guards the list.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "aclkm.h"
#include "compat.h"
#include "pages.h"

#define RECHECK_DELAY		msecs_to_jiffies(100)

/* How far to search for pinned pages between two looks at signals. */
#define SEARCH_STEP		((u64)SZ_1G)
/*
 * What a process that is ending may still do by itself, some 10 ms of work: change
 * the type of memory, and search for pinned pages.
 */
#define ENDING_TYPED_MAX	PHYS_PFN(SZ_32M)
#define ENDING_SEARCH_MAX	((u64)SZ_1G * 8)

static DEFINE_MUTEX(release_lock);
static DEFINE_MUTEX(held_lock); /* held_regions */
static LIST_HEAD(held_regions);
/* Of held_regions, and those that a thread with release_lock has taken off it. */
static atomic_t nr_held;

static void release_work_fn(struct work_struct *work);
static DECLARE_DELAYED_WORK(release_work, release_work_fn);

/* Adds an extent to the end of the list of clean parts. */
static void release_add_clean(struct aclkm_extent ***last, u64 start, u64 len)
{
	struct aclkm_extent *ext = kmalloc(sizeof(*ext), GFP_KERNEL);

	/* Without memory for the extent, its bytes count as dirty. */
	if (!ext)
		return;
	ext->start = start;
	ext->len = len;
	ext->next = NULL;
	**last = ext;
	*last = &ext->next;
}

/*
 * Lists the parts of a dead region that are still clean, and takes off its units the
 * marks of use, which would be taken for those of the next owner.
 */
static struct aclkm_extent *release_clean_parts(const struct aclkm_region *region)
{
	u64 clean = region->extent->start, end = clean + region->extent->len, unit, last_unit;
	struct aclkm_extent *parts = NULL, **last = &parts;

	/* Only whole units have marks; the pages beside them are as the region. */
	unit = region->order ? ALIGN(clean, SZ_2M) : end;
	last_unit = ALIGN_DOWN(end, SZ_2M);
	for (; unit < last_unit; unit += SZ_2M) {
		if (IS_ALIGNED(unit, SZ_1G))
			cond_resched();
		if (!aclkm_unit_test_clear_used(unit))
			continue;
		if (!region->used && clean < unit)
			release_add_clean(&last, clean, unit - clean);
		clean = unit + SZ_2M;
	}
	if (!region->used && clean < end)
		release_add_clean(&last, clean, end - clean);
	return parts;
}

static bool release_process_ends(void)
{
	return current->flags & PF_EXITING || fatal_signal_pending(current);
}

/*
 * Advances region->unpinned to the first page that is pinned; true if there is none.
 *
 * No page below it can become pinned again. A new reference is taken through a
 * mapping, and a dead region has none, or by a thread that has a reference of that
 * page already, and then the page was not unpinned. get_user_pages_fast() may take
 * one of a page that is being unmapped, but drops it when it sees that the entry is
 * gone. So a held region costs a look at one page each time, whatever its size.
 */
static bool release_find_pinned(struct aclkm_region *region)
{
	u64 start = region->extent->start, end = start + region->extent->len;
	u64 pos = start + PFN_PHYS(region->unpinned);
	bool pinned = false;

	while (pos < end && !pinned) {
		if (end - pos > ENDING_SEARCH_MAX && release_process_ends())
			break;
		pinned = aclkm_pages_pinned(&pos, min(end, pos + SEARCH_STEP));
	}
	region->unpinned = PHYS_PFN(pos - start);
	return pos >= end;
}

/*
 * Gives the memory of a dead region back to its arena, and frees the region. False if
 * the region must be held: a page of it is pinned, or this process is to end first.
 */
static bool release_try(struct aclkm_region *region)
{
	u64 len = region->extent->len;

	while (region->typed) {
		if (region->typed > ENDING_TYPED_MAX && release_process_ends())
			return false;
		aclkm_cache_restore_step(region);
		cond_resched();
	}
	if (!release_find_pinned(region))
		return false;
	aclkm_poison_settle_region(region);
	aclkm_arena_free(region, release_clean_parts(region));
	aclkm_cgroup_uncharge(region->cgroup, len);
	aclkm_user_uncharge(region->user, len);
	kfree(region);
	return true;
}

static void release_hold(struct aclkm_region *region)
{
	__module_get(THIS_MODULE);
	aclkm_arena_hold(region);
	atomic_inc(&nr_held);
	mutex_lock(&held_lock);
	list_add_tail(&region->held_list, &held_regions);
	mutex_unlock(&held_lock);
	if (release_process_ends())
		mod_delayed_work(aclkm_unbound_wq, &release_work, 0);
	else
		queue_delayed_work(aclkm_unbound_wq, &release_work, RECHECK_DELAY);
}

/**
 * aclkm_region_release_memory() - free a region that nobody refers to any more
 * @region:	owned by this file from now on. Sleeps.
 */
void aclkm_region_release_memory(struct aclkm_region *region)
{
	if (!release_try(region))
		release_hold(region);
}

/* Tries each held region once. Under release_lock. */
static void release_held(void)
{
	struct aclkm_region *region, *next;
	LIST_HEAD(todo);

	mutex_lock(&held_lock);
	list_splice_init(&held_regions, &todo);
	mutex_unlock(&held_lock);
	list_for_each_entry_safe(region, next, &todo, held_list) {
		list_del(&region->held_list);
		if (release_try(region)) {
			atomic_dec(&nr_held);
			module_put(THIS_MODULE);
		} else {
			mutex_lock(&held_lock);
			list_add_tail(&region->held_list, &held_regions);
			mutex_unlock(&held_lock);
		}
		cond_resched();
	}
}

static void release_work_fn(struct work_struct *work)
{
	mutex_lock(&release_lock);
	release_held();
	mutex_unlock(&release_lock);
	if (atomic_read(&nr_held))
		queue_delayed_work(aclkm_unbound_wq, &release_work, RECHECK_DELAY);
}

/**
 * aclkm_regions_release_held() - release the held regions that are not pinned any more
 *
 * Waits for the worker while it releases some.
 *
 * Return: true if memory may have become free.
 */
bool aclkm_regions_release_held(void)
{
	if (!atomic_read(&nr_held) || mutex_lock_killable(&release_lock))
		return false;
	release_held();
	mutex_unlock(&release_lock);
	return true;
}

/**
 * aclkm_release_exit() - stop the worker; nothing is held any more
 */
void aclkm_release_exit(void)
{
	cancel_delayed_work_sync(&release_work);
}
