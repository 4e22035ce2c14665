// SPDX-License-Identifier: GPL-2.0
/*
 * Clears free memory before somebody asks for it. The workers of an arena run on
 * its node and have one chunk each in hand at a time; who wants memory of it
 * waits. Memory that is needed while it is dirty is cleared by the taker, in
 * region.c.
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

/* What one worker has in hand, and so how long ALLOC may wait. */
#define CHUNK		SZ_2M
/* Memory that is freed now may be asked for again at once. */
#define DELAY_MS	20
/* So little is not worth waking anybody soon: who takes small regions clears them. */
#define LITTLE		SZ_256K
#define DELAY_LITTLE_MS	1000

static struct workqueue_struct *scrub_wq;

/**
 * aclkm_scrub_in_hand() - whether a worker is just clearing something in a range
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
 * The lowest dirty range at or above @from, in one chunk in which no other
 * worker is at work; false if there is none.
 */
static bool find_dirty(struct aclkm_arena *arena, u64 from, u64 *start, u64 *len)
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

/* Takes something dirty in hand. */
static bool begin(struct aclkm_scrubber *scrubber)
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
	found = find_dirty(arena, arena->scrub_at, &scrubber->start, &scrubber->len) ||
		find_dirty(arena, arena->start, &scrubber->start, &scrubber->len);
	if (!found)
		goto unlock;
	arena->scrub_at = scrubber->start + scrubber->len;
	arena->scrubbing++;
unlock:
	mutex_unlock(&arena->lock);
	return found;
}

/* Puts it down. @ext says that it is clean now. */
static void finish(struct aclkm_scrubber *scrubber, struct aclkm_extent *ext)
{
	struct aclkm_arena *arena = scrubber->arena;
	struct aclkm_extent *unused[2];
	bool idle;

	ext->start = scrubber->start;
	ext->len = scrubber->len;
	mutex_lock(&arena->lock);
	scrubber->len = 0;
	idle = !--arena->scrubbing;
	aclkm_extents_give(&arena->clean, ext, unused);
	mutex_unlock(&arena->lock);
	if (idle)
		wake_up_all(&arena->scrub_idle);
	kfree(unused[0]);
	kfree(unused[1]);
}

static void scrub(struct work_struct *work)
{
	struct aclkm_scrubber *scrubber = container_of(work, struct aclkm_scrubber, work);
	struct aclkm_arena *arena = scrubber->arena;

	for (;;) {
		struct aclkm_extent *ext = kmalloc(sizeof(*ext), GFP_KERNEL);

		/* Without memory for the books, it stays dirty until somebody takes it. */
		if (!ext || !begin(scrubber)) {
			kfree(ext);
			return;
		}
		aclkm_clear(phys_to_virt(scrubber->start), scrubber->len);
		trace_aclkm_scrub(arena->id, scrubber->start - arena->start, scrubber->len);
		finish(scrubber, ext);
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
