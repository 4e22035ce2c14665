// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/aclkm/arenas: every extent of every arena, by address. For
 * root alone: it has physical addresses.
 */
#include <linux/cred.h>
#include <linux/debugfs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "aclkm.h"

static struct dentry *dir;

static struct aclkm_extent *first(const struct rb_root *root)
{
	return rb_entry_safe(rb_first(root), struct aclkm_extent, by_addr);
}

static struct aclkm_extent *next(struct aclkm_extent *ext)
{
	return rb_entry_safe(rb_next(&ext->by_addr), struct aclkm_extent, by_addr);
}

/* Bytes of a free piece that are clean. */
static u64 clean_in(const struct aclkm_arena *arena, const struct aclkm_extent *piece)
{
	struct aclkm_extent *ext = aclkm_extents_next(&arena->clean, piece->start);
	u64 end = piece->start + piece->len, bytes = 0;

	for (; ext && ext->start < end; ext = next(ext))
		bytes += ext->len;
	return bytes;
}

static void show_extent(struct seq_file *m, const struct aclkm_arena *arena,
			const struct aclkm_extent *ext)
{
	seq_printf(m, "  0x%010llx  %12llu KiB  ", ext->start - arena->start, ext->len >> 10);
}

static void show_taken(struct seq_file *m, const struct aclkm_region *region)
{
	static const char * const cache[] = { "wb", "wc", "uc" };

	seq_printf(m, "%s  uid %u pid %d  align %llu KiB  entries %lu KiB  %s\n",
		   list_empty(&region->held) ? "region" : "held  ",
		   region->user ? from_kuid(&init_user_ns, region->user->uid) : 0, region->pid,
		   region->align >> 10, (PAGE_SIZE << region->map_order) >> 10,
		   cache[region->cache]);
}

static void show_arena(struct seq_file *m, struct aclkm_arena *arena)
{
	struct aclkm_extent *free = first(&arena->free.by_addr);
	struct aclkm_extent *taken = first(&arena->taken);

	seq_printf(m, "arena %u: %llu KiB at 0x%llx, node %d, free %llu KiB, clean %llu KiB, held %llu KiB, regions %llu\n",
		   arena->id, arena->size >> 10, arena->start, arena->node,
		   arena->free.free >> 10, arena->clean.free >> 10, arena->held_bytes >> 10,
		   arena->nr_regions);
	while (free || taken) {
		if (!taken || (free && free->start < taken->start)) {
			show_extent(m, arena, free);
			seq_printf(m, "free    clean %llu KiB\n", clean_in(arena, free) >> 10);
			free = next(free);
		} else {
			show_extent(m, arena, taken);
			show_taken(m, taken->owner);
			taken = next(taken);
		}
	}
}

static int arenas_show(struct seq_file *m, void *unused)
{
	struct aclkm_arena *arena;

	down_read(&aclkm_arenas_lock);
	list_for_each_entry(arena, &aclkm_arenas, list) {
		mutex_lock(&arena->lock);
		show_arena(m, arena);
		mutex_unlock(&arena->lock);
	}
	up_read(&aclkm_arenas_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(arenas);

/**
 * aclkm_debugfs_init() - make the file; the module does without it where it cannot
 */
void aclkm_debugfs_init(void)
{
	dir = debugfs_create_dir("aclkm", NULL);
	debugfs_create_file("arenas", 0400, dir, NULL, &arenas_fops);
}

/**
 * aclkm_debugfs_exit() - remove it
 */
void aclkm_debugfs_exit(void)
{
	debugfs_remove_recursive(dir);
}
