// SPDX-License-Identifier: GPL-2.0
/*
 * Clears free memory before somebody asks for it. The workers of an arena run on
 * its node, take one piece each at a time out of the free pieces, and put it
 * back clean. Memory that is needed while it is dirty is cleared by the
 * taker, in region.c.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/workqueue.h>

#include "aclkm.h"
#include "clear.h"
#include "trace.h"

/* What one worker has in hand, and so how long INFO and a full arena may wait. */
#define CHUNK		SZ_2M
/* Memory that is freed now may be asked for again at once. */
#define DELAY_MS	20
/* So little is not worth waking anybody soon: who takes small regions clears them. */
#define LITTLE		SZ_256K
#define DELAY_LITTLE_MS	1000

static struct workqueue_struct *scrub_wq;

/* The lowest dirty range at or above @from, of at most CHUNK; false if there is none. */
static bool find_dirty(struct aclkm_arena *arena, u64 from, u64 *start, u64 *len)
{
	struct aclkm_extent *piece, *clean;
	u64 pos = from;

	while ((piece = aclkm_extents_next(&arena->free, pos))) {
		u64 end = piece->start + piece->len;

		pos = max(pos, piece->start);
		clean = aclkm_extents_next(&arena->clean, pos);
		if (clean && clean->start <= pos) {
			pos = clean->start + clean->len;
			continue;
		}
		if (clean)
			end = min(end, clean->start);
		end = min(end, ALIGN(pos + 1, CHUNK));
		*start = pos;
		*len = end - pos;
		return true;
	}
	return false;
}

/* Takes a dirty piece in hand. */
static struct aclkm_extent *begin(struct aclkm_arena *arena, struct aclkm_extent *spare[2])
{
	struct aclkm_extent *piece = NULL;
	u64 start, len;

	mutex_lock(&arena->lock);
	if (arena->scrub_stop)
		goto unlock;
	if (arena->scrub_pause) {
		aclkm_scrub_kick(arena, false);
		goto unlock;
	}
	if (arena->free.free == arena->clean.free)
		goto unlock;
	if (!find_dirty(arena, arena->scrub_at, &start, &len) &&
	    !find_dirty(arena, arena->start, &start, &len))
		goto unlock;
	piece = aclkm_extents_carve(&arena->free, start, len, spare);
	arena->scrub_at = start + len;
	arena->scrubbing += len;
unlock:
	mutex_unlock(&arena->lock);
	return piece;
}

/* Puts it back. @also says the same for the tree of clean pieces. */
static void finish(struct aclkm_arena *arena, struct aclkm_extent *piece,
		   struct aclkm_extent *also)
{
	struct aclkm_extent *unused[4];
	bool idle;
	int i;

	also->start = piece->start;
	also->len = piece->len;
	mutex_lock(&arena->lock);
	arena->scrubbing -= piece->len;
	aclkm_extents_give(&arena->free, piece, unused);
	aclkm_extents_give(&arena->clean, also, unused + 2);
	idle = !arena->scrubbing;
	mutex_unlock(&arena->lock);
	if (idle)
		wake_up_all(&arena->scrub_idle);
	for (i = 0; i < 4; i++)
		kfree(unused[i]);
}

static void scrub(struct work_struct *work)
{
	struct aclkm_scrubber *scrubber = container_of(work, struct aclkm_scrubber, work);
	struct aclkm_arena *arena = scrubber->arena;

	for (;;) {
		struct aclkm_extent *also = kmalloc(sizeof(*also), GFP_KERNEL);
		struct aclkm_extent *spare[2] = {
			kmalloc(sizeof(*spare[0]), GFP_KERNEL),
			kmalloc(sizeof(*spare[1]), GFP_KERNEL),
		};
		struct aclkm_extent *piece = NULL;

		/* Without memory for the books, it stays dirty until somebody takes it. */
		if (also && spare[0] && spare[1])
			piece = begin(arena, spare);
		kfree(spare[0]);
		kfree(spare[1]);
		if (!piece) {
			kfree(also);
			return;
		}
		aclkm_clear(phys_to_virt(piece->start), piece->len);
		trace_aclkm_scrub(arena->id, piece->start - arena->start, piece->len);
		finish(arena, piece, also);
		cond_resched();
	}
}

static void wake(struct work_struct *work)
{
	struct aclkm_arena *arena = container_of(to_delayed_work(work), struct aclkm_arena,
						 scrub_wake);
	u64 dirty;
	unsigned int i;

	mutex_lock(&arena->lock);
	arena->scrub_soon = false;
	dirty = arena->free.free - arena->clean.free;
	mutex_unlock(&arena->lock);
	/* One worker for little, and not more than there is work for. */
	for (i = 0; i < arena->nr_scrubbers && (u64)i * SZ_16M <= dirty; i++)
		queue_work_node(arena->node, scrub_wq, &arena->scrubbers[i].work);
}

/**
 * aclkm_scrub_kick() - have dirty memory cleared
 * @arena:	which; locked, or @now
 * @now:	do not wait whether it is taken again
 */
void aclkm_scrub_kick(struct aclkm_arena *arena, bool now)
{
	if (now) {
		mod_delayed_work(scrub_wq, &arena->scrub_wake, 0);
	} else if (arena->free.free - arena->clean.free > LITTLE) {
		if (!arena->scrub_soon)
			mod_delayed_work(scrub_wq, &arena->scrub_wake, msecs_to_jiffies(DELAY_MS));
		arena->scrub_soon = true;
	} else if (!delayed_work_pending(&arena->scrub_wake)) {
		queue_delayed_work(scrub_wq, &arena->scrub_wake,
				   msecs_to_jiffies(DELAY_LITTLE_MS));
	}
}

/**
 * aclkm_scrub_arena_init() - set up the workers of an arena
 * @arena:	new
 */
void aclkm_scrub_arena_init(struct aclkm_arena *arena)
{
	unsigned int cpus = cpumask_weight(cpumask_of_node(arena->node));
	unsigned int i;

	arena->nr_scrubbers = clamp(cpus, 1U, (unsigned int)ACLKM_SCRUBBERS_MAX);
	for (i = 0; i < arena->nr_scrubbers; i++) {
		arena->scrubbers[i].arena = arena;
		INIT_WORK(&arena->scrubbers[i].work, scrub);
	}
	INIT_DELAYED_WORK(&arena->scrub_wake, wake);
	init_waitqueue_head(&arena->scrub_idle);
}

/**
 * aclkm_scrub_arena_stop() - wait until no worker touches an arena any more
 * @arena:	nobody kicks it again
 */
void aclkm_scrub_arena_stop(struct aclkm_arena *arena)
{
	unsigned int i;

	/* From here on no worker kicks again, so that the order below is final. */
	mutex_lock(&arena->lock);
	arena->scrub_stop = true;
	mutex_unlock(&arena->lock);
	cancel_delayed_work_sync(&arena->scrub_wake);
	for (i = 0; i < arena->nr_scrubbers; i++)
		cancel_work_sync(&arena->scrubbers[i].work);
}

/**
 * aclkm_scrub_init() - make the workqueue
 *
 * Return: 0 or -ENOMEM.
 */
int aclkm_scrub_init(void)
{
	scrub_wq = alloc_workqueue("aclkm_scrub", WQ_UNBOUND | WQ_SYSFS, 0);
	return scrub_wq ? 0 : -ENOMEM;
}

/**
 * aclkm_scrub_exit() - the arenas are gone
 */
void aclkm_scrub_exit(void)
{
	destroy_workqueue(scrub_wq);
}
