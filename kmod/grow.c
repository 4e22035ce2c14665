// SPDX-License-Identifier: GPL-2.0
/*
 * Makes arenas at insmod and when an administrator asks for them in sysfs, and gives
 * their memory back at rmmod and on request. A wish that the machine cannot fulfil in
 * one piece is fulfilled in several, or in part; the log says what could be had. One
 * thread at a time makes arenas: the one that loads the module, then the writer of grow.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "aclkm.h"
#include "pages.h"

/* How often the memory of a node is searched for the same size. */
#define TRIES		2
/* Pieces smaller than this share of what was asked for are not worth an arena. */
#define MIN_SHARE	16
/* Memory given back between two looks at signals. */
#define TRIM_STEP	SZ_256M

/* Bytes of all arenas that have been made. */
static u64 grow_bytes;
/* The parameter force=, while the arenas of the parameters are made. */
static bool grow_forced;

/* @from, @name: where the memory is from, for the log */
static void grow_list(struct aclkm_arena *arena, struct aclkm_extent *piece,
		      const char *from, const char *name)
{
	aclkm_arena_init(arena, piece);
	down_write(&aclkm_arenas_lock);
	list_add_tail(&arena->list, &aclkm_arenas);
	up_write(&aclkm_arenas_lock);
	grow_bytes += arena->size;
	pr_info("arena %u: %llu MiB on node %d, aligned to %llu MiB%s%s\n", arena->id,
		arena->size / SZ_1M, arena->node, arena->page / SZ_1M, from, name);
	aclkm_scrub_kick(arena, true);
}

/* Makes an arena of exactly this size. */
static int grow_add(const struct aclkm_reserve *reserve)
{
	struct aclkm_arena *arena = kzalloc(sizeof(*arena), GFP_KERNEL);
	struct aclkm_extent *piece = kzalloc(sizeof(*piece), GFP_KERNEL);
	int err = -ENOMEM;

	if (!arena || !piece)
		goto free;
	err = aclkm_reserve_take(reserve, &arena->start, &arena->node);
	if (err)
		goto free;
	arena->size = reserve->size;
	arena->page = reserve->align;
	grow_list(arena, piece, "", "");
	return 0;

free:
	kfree(piece);
	kfree(arena);
	return err;
}

/* Makes an arena of a carve-out; the log names one that the kernel refuses. */
static int carveout_add(const struct aclkm_carve *carve)
{
	struct aclkm_arena *arena = kzalloc(sizeof(*arena), GFP_KERNEL);
	struct aclkm_extent *piece = kzalloc(sizeof(*piece), GFP_KERNEL);
	int err = -ENOMEM;

	if (!arena || !piece)
		goto free;
	arena->carveout = aclkm_carveout_take(carve, &arena->node);
	err = PTR_ERR_OR_ZERO(arena->carveout);
	if (err)
		goto free;
	arena->start = carve->start;
	arena->size = carve->size;
	arena->page = IS_ALIGNED(carve->start, SZ_1G) ? SZ_1G : SZ_2M;
	if (carve->node)
		grow_list(arena, piece, ", reserved-memory node ", carve->node);
	else
		grow_list(arena, piece, ", carved out at boot", "");
	return 0;

free:
	pr_err("carveout: no arena of %llu MiB at %#llx: error %d%s\n", carve->size / SZ_1M,
	       carve->start, err, err == -EBUSY ? ", this is ordinary memory or in use" : "");
	kfree(piece);
	kfree(arena);
	return 0;
}

static int carveout_check(const struct aclkm_carve *carve)
{
	return 0;
}

/* The size of the next arena: of what is left to reserve, as much as may be had. */
static u64 grow_size(const struct aclkm_reserve *arena, u64 most)
{
	u64 room = arena->force ? most : aclkm_reserve_room(arena->node);

	return ALIGN_DOWN(min(most, room), arena->align);
}

static void grow_report(const struct aclkm_reserve *reserve, u64 got, bool force, int err)
{
	u64 room = aclkm_reserve_room(reserve->node) / SZ_1M;

	pr_warn("%sof %llu MiB asked for, %llu MiB could be reserved; at most %llu MiB more may be had%s\n",
		err == -EINTR ? "interrupted: " : "", reserve->size / SZ_1M, got / SZ_1M, room,
		force ? " without force" :
			", as a tenth of the memory is kept for the kernel unless force is given");
}

/*
 * Reserves in one arena what may be had of the wish, if the machine can; else in as few
 * arenas as possible. Alignment to 1 GiB is given up before the one arena is.
 */
static int grow_one(const struct aclkm_reserve *reserve)
{
	u64 left = reserve->size, most = left, before = grow_bytes;
	struct aclkm_reserve arena = *reserve;
	unsigned int tries = 0;
	bool split = false;
	int err = 0;

	arena.force |= grow_forced;
	while (left) {
		arena.size = grow_size(&arena, most);
		if (arena.size && arena.size >= reserve->size / MIN_SHARE)
			err = grow_add(&arena);
		else
			err = -ENOMEM;
		if (!err) {
			left -= arena.size;
			most = min(arena.size, left);
			split = true;
			continue;
		}
		if (err != -ENOMEM)
			break;
		/* What could not be moved away at first often can be a moment later. */
		if (arena.size && ++tries < TRIES)
			continue;
		tries = 0;
		if (arena.align > SZ_2M && !split) {
			pr_warn("no %llu MiB aligned to %llu MiB, trying 2 MiB\n", most / SZ_1M,
				arena.align / SZ_1M);
			arena.align = SZ_2M;
			continue;
		}
		split = true;
		most = ALIGN_DOWN(arena.size / 2, arena.align);
		if (most < max(arena.align, reserve->size / MIN_SHARE))
			break;
	}
	if (left)
		grow_report(reserve, grow_bytes - before, arena.force, err);
	/* Less than asked for is reported, and of use. */
	return err == -EINTR ? err : 0;
}

static int grow_check(const struct aclkm_reserve *reserve)
{
	return 0;
}

/**
 * aclkm_grow() - reserve more memory
 * @spec:	SIZE[:PAGE[:NODE]][:force][,...]
 *
 * The caller sees to it that there is one call at a time. A signal that kills the
 * caller ends the call; arenas that are finished then stay.
 *
 * Return: 0 with at least one new arena, -EINVAL with the broken rule in the
 * log, or -EINTR or -ENOMEM with none.
 */
int aclkm_grow(const char *spec)
{
	u64 before = grow_bytes;
	int err = aclkm_reserve_parse(spec, grow_check);

	if (!err)
		err = aclkm_reserve_parse(spec, grow_one);
	if (err == -EINTR)
		pr_warn("interrupted: %llu MiB are reserved and stay; grow reserves the rest\n",
			(grow_bytes - before) / SZ_1M);
	if (grow_bytes != before)
		return 0;
	return err ? err : -ENOMEM;
}

/* Frees an arena that is on no list, and all of whose memory is free. */
static void grow_destroy_arena(struct aclkm_arena *arena)
{
	struct aclkm_poison *poison, *next;

	aclkm_scrub_arena_stop(arena);
	aclkm_extents_free(&arena->free);
	aclkm_extents_free(&arena->clean);
	list_for_each_entry_safe(poison, next, &arena->poison, list)
		aclkm_poison_free(poison);
	aclkm_pages_release(arena->start, arena->size, !arena->carveout);
	if (arena->carveout)
		aclkm_carveout_release(arena->carveout);
	kfree(arena);
}

/* Takes a free range at an end of an arena out of the accounts. The arena is locked. */
static int shrink_cut(struct aclkm_arena *arena, u64 start, u64 len)
{
	struct aclkm_extent *spare[4];
	int err = 0, i;

	for (i = 0; i < 4; i++) {
		spare[i] = kmalloc(sizeof(*spare[i]), GFP_KERNEL);
		if (!spare[i])
			err = -ENOMEM;
	}
	if (!err) {
		aclkm_extent_list_free(aclkm_extents_carve(&arena->free, start, len, spare));
		aclkm_extent_list_free(aclkm_extents_carve(&arena->clean, start, len, spare + 2));
		if (start == arena->start)
			arena->start += len;
		arena->size -= len;
		/* The range may be a part of a compound GiB. */
		aclkm_pages_cut(start, len);
	}
	for (i = 0; i < 4; i++)
		kfree(spare[i]);
	return err;
}

/*
 * Frees up to @bytes at the end of an arena, or at its start; returns how many. At
 * least 2 MiB stay.
 */
static u64 shrink_trim(struct aclkm_arena *arena, u64 bytes, bool at_end)
{
	struct rb_root *pieces = &arena->free.by_addr;
	struct aclkm_extent *piece;
	u64 start = 0, len = 0;

	aclkm_arena_lock_quiet(arena);
	piece = rb_entry_safe(at_end ? rb_last(pieces) : rb_first(pieces), struct aclkm_extent,
			      by_addr);
	if (piece && at_end && piece->start + piece->len == arena->start + arena->size) {
		len = ALIGN_DOWN(min3(bytes, piece->len, arena->size - SZ_2M), SZ_2M);
		start = piece->start + piece->len - len;
	} else if (piece && !at_end && piece->start == arena->start) {
		len = ALIGN_DOWN(min3(bytes, piece->len, arena->size - SZ_2M), SZ_2M);
		start = piece->start;
	}
	if (len && shrink_cut(arena, start, len))
		len = 0;
	mutex_unlock(&arena->lock);
	/* The range is in no account any more, so the pages need no lock. */
	aclkm_pages_release(start, len, true);
	return len;
}

/* As shrink_trim(), until there is no more or the caller is killed. */
static u64 shrink_trim_steps(struct aclkm_arena *arena, u64 bytes, bool at_end)
{
	u64 left = bytes, n = 1;

	while (left && n && !fatal_signal_pending(current)) {
		n = shrink_trim(arena, min_t(u64, left, TRIM_STEP), at_end);
		left -= n;
	}
	return bytes - left;
}

/* Takes the newest arena of at most @bytes without regions off the list. */
static struct aclkm_arena *shrink_unlist_idle(u64 bytes)
{
	struct aclkm_arena *arena;
	bool idle = false;

	down_write(&aclkm_arenas_lock);
	list_for_each_entry_reverse(arena, &aclkm_arenas, list) {
		mutex_lock(&arena->lock);
		idle = arena->free.free + arena->lost == arena->size &&
		       arena->size <= bytes && !arena->carveout;
		mutex_unlock(&arena->lock);
		if (idle) {
			list_del(&arena->list);
			break;
		}
	}
	up_write(&aclkm_arenas_lock);
	return idle ? arena : NULL;
}

/* Frees an arena that was taken off the list; what is left when the caller is killed stays. */
static u64 shrink_free_idle(struct aclkm_arena *arena)
{
	u64 got = 0;

	if (arena->size > TRIM_STEP)
		got = shrink_trim_steps(arena, arena->size - TRIM_STEP, true);
	if (arena->size > TRIM_STEP && fatal_signal_pending(current)) {
		down_write(&aclkm_arenas_lock);
		list_add_tail(&arena->list, &aclkm_arenas);
		up_write(&aclkm_arenas_lock);
		return got;
	}
	got += arena->size;
	grow_destroy_arena(arena);
	return got;
}

/**
 * aclkm_shrink() - return free memory to the kernel
 * @bytes:	how many, a multiple of 2 MiB
 * @got:	filled with what could be given back
 *
 * Whole arenas go first, the newest before the others; then what is free at the
 * ends of those in use. The caller sees to it that one thread at a time changes the
 * list of arenas, so that this one can walk it without the lock.
 *
 * Return: 0, also for a part of @bytes, or -EBUSY if nothing could be given back.
 */
int aclkm_shrink(u64 bytes, u64 *got)
{
	struct aclkm_arena *arena;
	u64 left = bytes;

	while (!fatal_signal_pending(current) && (arena = shrink_unlist_idle(left)))
		left -= shrink_free_idle(arena);
	list_for_each_entry_reverse(arena, &aclkm_arenas, list) {
		/* The kernel itself has no use for a part of a carve-out. */
		if (arena->carveout)
			continue;
		left -= shrink_trim_steps(arena, left, true);
		left -= shrink_trim_steps(arena, left, false);
	}
	*got = bytes - left;
	pr_info("of %llu MiB to give back, %llu MiB were free at an arena's end\n",
		bytes / SZ_1M, *got / SZ_1M);
	return *got ? 0 : -EBUSY;
}

/**
 * aclkm_arenas_ranges() - where the arenas are that a crash dump would contain
 * @text:	filled with SIZE@ADDR,... for leave_out=, and a newline
 * @room:	bytes at @text
 *
 * Return: the length of the text.
 */
int aclkm_arenas_ranges(char *text, size_t room)
{
	struct aclkm_arena *arena;
	int len = 0;

	down_read(&aclkm_arenas_lock);
	list_for_each_entry(arena, &aclkm_arenas, list) {
		mutex_lock(&arena->lock);
		len += scnprintf(text + len, room - len, "%s%lluM@%#llx", len ? "," : "",
				 arena->size / SZ_1M, arena->start);
		mutex_unlock(&arena->lock);
	}
	up_read(&aclkm_arenas_lock);
	return len + scnprintf(text + len, room - len, "\n");
}

/**
 * aclkm_arenas_init() - make the arenas that the parameters ask for
 * @spec:	reserve=, or "none": for an administrator who will grow later
 * @carveout:	carveout=, or NULL for what the device tree has for us
 * @force:	also of the tenth of memory that is kept for the kernel
 *
 * Return: as aclkm_grow().
 */
int aclkm_arenas_init(const char *spec, const char *carveout, bool force)
{
	int err = carveout ? aclkm_carveout_parse(carveout, carveout_check) : 0;

	if (err)
		return err;
	grow_forced = force;
	if (strcmp(spec, "none"))
		err = aclkm_grow(spec);
	grow_forced = false;
	if (!err)
		err = aclkm_carveout_parse(carveout, carveout_add);
	/* As with reserve=: not with nothing. */
	if (!err && carveout && strcmp(carveout, "none") && list_empty(&aclkm_arenas))
		err = -ENOMEM;
	if (err)
		aclkm_arenas_exit();
	return err;
}

/**
 * aclkm_arenas_exit() - return all arenas to the kernel
 *
 * No file is open, no region is mapped or held: either would have kept the module
 * loaded. So nobody else walks the list.
 */
void aclkm_arenas_exit(void)
{
	struct aclkm_arena *arena, *next;

	list_for_each_entry_safe(arena, next, &aclkm_arenas, list) {
		mutex_lock(&arena->lock);
		WARN_ON(arena->nr_regions || arena->held_bytes ||
			arena->free.free + arena->lost != arena->size);
		mutex_unlock(&arena->lock);
		list_del(&arena->list);
		grow_destroy_arena(arena);
	}
}
