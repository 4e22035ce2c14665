// SPDX-License-Identifier: GPL-2.0
/*
 * Clears free memory ahead of need. The workers of an arena run on its node, and each
 * clears one chunk at a time. An allocation that overlaps such a chunk waits until the
 * clear finishes. region.c clears what is still dirty when it is allocated.
 *
 * The arena's lock guards which chunks are being cleared; they are cleared without it.
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

/* What one worker clears at a time, which bounds how long ALLOC waits. */
#define CHUNK		SZ_2M
/* Memory that is freed now may be allocated again at once, and is then not cleared. */
#define DELAY_MS	20
/* Less than this is left for longer: ALLOC of small regions clears it by itself. */
#define LITTLE		SZ_256K
#define DELAY_LITTLE_MS	1000

static struct workqueue_struct *scrub_wq;

/**
 * aclkm_scrub_in_hand() - whether a worker is clearing a part of a range
 * @arena:	locked
 * @start:	first byte
 * @len:	bytes
 */
bool aclkm_scrub_in_hand(const struct aclkm_arena *arena, u64 start, u64 len)
{
	unsigned int i;

	for (i = 0; arena->scrubbing && i < arena->nr_scrubbers; i++) {
		const struct aclkm_scrubber *scrubber = &arena->scrubbers[i];

		if (scrubber->len && scrubber->start < start + len &&
		    start < scrubber->start + scrubber->len)
			return true;
	}
	return false;
}

/*
 * Finds the lowest dirty range at or above @from, inside one chunk of which no other
 * worker clears a part; false if there is none.
 */
static bool scrub_find_dirty(struct aclkm_arena *arena, u64 from, u64 *start, u64 *len)
{
	struct aclkm_extent *piece, *clean;
	u64 pos = from;

	while ((piece = aclkm_extents_next(&arena->free, pos))) {
		u64 end = piece->start + piece->len, next_chunk;

		pos = max(pos, piece->start);
		next_chunk = ALIGN(pos + 1, CHUNK);
		if (aclkm_scrub_in_hand(arena, next_chunk - CHUNK, CHUNK)) {
			pos = next_chunk;
			continue;
		}
		clean = aclkm_extents_next(&arena->clean, pos);
		if (clean && clean->start <= pos) {
			pos = clean->start + clean->len;
			continue;
		}
		if (clean)
			end = min(end, clean->start);
		*start = pos;
		*len = min(end, next_chunk) - pos;
		return true;
	}
	return false;
}

/* Chooses what a worker clears next; false if there is nothing. */
static bool scrub_begin(struct aclkm_scrubber *scrubber)
{
	struct aclkm_arena *arena = scrubber->arena;
	bool found = false;

	mutex_lock(&arena->lock);
	if (arena->scrub_stop || arena->asleep)
		goto unlock;
	if (arena->scrub_pause) {
		aclkm_scrub_kick(arena, false);
		goto unlock;
	}
	if (arena->free.free == arena->clean.free)
		goto unlock;
	found = scrub_find_dirty(arena, arena->scrub_at, &scrubber->start, &scrubber->len) ||
		scrub_find_dirty(arena, arena->start, &scrubber->start, &scrubber->len);
	if (!found)
		goto unlock;
	arena->scrub_at = scrubber->start + scrubber->len;
	arena->scrubbing++;
unlock:
	mutex_unlock(&arena->lock);
	return found;
}

/* Counts what a worker has cleared as clean. The arena owns @ext from now on. */
static void scrub_finish(struct aclkm_scrubber *scrubber, struct aclkm_extent *ext)
{
	struct aclkm_arena *arena = scrubber->arena;
	struct aclkm_extent *unused[2];
	bool idle;

	ext->start = scrubber->start;
	ext->len = scrubber->len;
	mutex_lock(&arena->lock);
	scrubber->len = 0;
	idle = !--arena->scrubbing;
	aclkm_extents_insert(&arena->clean, ext, unused);
	mutex_unlock(&arena->lock);
	if (idle)
		wake_up_all(&arena->scrub_idle);
	kfree(unused[0]);
	kfree(unused[1]);
}

static void scrub_work_fn(struct work_struct *work)
{
	struct aclkm_scrubber *scrubber = container_of(work, struct aclkm_scrubber, work);
	struct aclkm_arena *arena = scrubber->arena;

	for (;;) {
		struct aclkm_extent *ext = kmalloc(sizeof(*ext), GFP_KERNEL);

		/* Without memory for an extent, free memory stays dirty until it is allocated. */
		if (!ext || !scrub_begin(scrubber)) {
			kfree(ext);
			return;
		}
		aclkm_clear(phys_to_virt(scrubber->start), scrubber->len);
		trace_aclkm_scrub(arena->id, scrubber->start - arena->start, scrubber->len);
		scrub_finish(scrubber, ext);
		cond_resched();
	}
}

static void scrub_wake_fn(struct work_struct *work)
{
	struct aclkm_arena *arena = container_of(to_delayed_work(work), struct aclkm_arena,
						 scrub_wake);
	u64 dirty;
	unsigned int i;

	mutex_lock(&arena->lock);
	arena->scrub_soon = false;
	dirty = arena->free.free - arena->clean.free;
	mutex_unlock(&arena->lock);
	/* One worker for each 16 MiB. */
	for (i = 0; i < arena->nr_scrubbers && (u64)i * SZ_16M <= dirty; i++)
		queue_work_node(arena->node, scrub_wq, &arena->scrubbers[i].work);
}

/**
 * aclkm_scrub_kick() - wake the workers of an arena, soon
 * @arena:	locked, unless @now
 * @now:	at once: the memory was not freed just now
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
		INIT_WORK(&arena->scrubbers[i].work, scrub_work_fn);
	}
	INIT_DELAYED_WORK(&arena->scrub_wake, scrub_wake_fn);
	init_waitqueue_head(&arena->scrub_idle);
}

/**
 * aclkm_scrub_arena_stop() - stop the workers of an arena, and wait for them
 * @arena:	nobody else kicks them again
 */
void aclkm_scrub_arena_stop(struct aclkm_arena *arena)
{
	unsigned int i;

	/* A worker that sees this kicks no other, so that none starts after the waits below. */
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
 * aclkm_scrub_exit() - destroy the workqueue, after the arenas
 */
void aclkm_scrub_exit(void)
{
	destroy_workqueue(scrub_wq);
}
