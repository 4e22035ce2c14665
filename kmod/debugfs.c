// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/aclkm/arenas: every extent of every arena, by address. For
 * root alone: it has physical addresses.
 *
 * An arena is locked while a page of text is filled, and not from one page to the
 * next: a reader neither stops an allocation for long nor sees one moment of the whole.
 */
#include <linux/cred.h>
#include <linux/debugfs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "aclkm.h"

/**
 * struct arenas_pos - the line that a reader has come to
 * @nr:		number of the arena in the list
 * @addr:	0 for the arena's own line; else the extent that holds this physical
 *		address, or the next one
 * @arena:	locked between arenas_start() and arenas_stop(), or NULL at the end
 */
struct arenas_pos {
	unsigned int nr;
	u64 addr;
	struct aclkm_arena *arena;
};

static struct dentry *debugfs_dir;

/**
 * struct arenas_line - what the line of a position is about
 * @start:	physical address
 * @len:	bytes
 * @free:	the free piece, or NULL
 * @taken:	the taken extent, or NULL; poisoned pages that have left the arena are neither
 */
struct arenas_line {
	u64 start;
	u64 len;
	const struct aclkm_extent *free;
	const struct aclkm_extent *taken;
};

/* False behind the last extent. */
static bool arenas_line(const struct arenas_pos *at, struct arenas_line *line)
{
	const struct aclkm_arena *arena = at->arena;
	const struct aclkm_extent *free = aclkm_extents_next(&arena->free, at->addr);
	const struct aclkm_extent *taken = aclkm_arena_taken_next(arena, at->addr);
	u64 addr = max(at->addr, arena->start), end = arena->start + arena->size;
	const struct aclkm_extent *next = taken;

	if (free && (!taken || free->start < taken->start))
		next = free;
	*line = (struct arenas_line){ .start = addr, .len = (next ? next->start : end) - addr };
	if (next && next->start <= addr)
		*line = (struct arenas_line){
			.start = next->start,
			.len = next->len,
			.free = next == free ? free : NULL,
			.taken = next == free ? NULL : taken,
		};
	return addr < end;
}

/* Bytes of a free piece that are clean. */
static u64 arenas_clean_in(const struct aclkm_arena *arena, const struct aclkm_extent *piece)
{
	struct aclkm_extent *ext = aclkm_extents_next(&arena->clean, piece->start);
	u64 end = piece->start + piece->len, bytes = 0;

	while (ext && ext->start < end) {
		bytes += ext->len;
		ext = rb_entry_safe(rb_next(&ext->by_addr), struct aclkm_extent, by_addr);
	}
	return bytes;
}

static void arenas_show_taken(struct seq_file *m, const struct aclkm_region *region)
{
	static const char * const cache[] = { "wb", "wc", "uc" };

	seq_printf(m, "%s  uid %u pid %d  align %llu KiB  entries %lu KiB  %s\n",
		   region->held ? "held  " : "region",
		   region->user ? from_kuid(&init_user_ns, region->user->uid) : 0, region->pid,
		   BIT_ULL(region->align_shift) >> 10, (PAGE_SIZE << region->map_order) >> 10,
		   cache[region->cache]);
}

static void arenas_show_arena(struct seq_file *m, const struct aclkm_arena *arena)
{
	seq_printf(m, "arena %u: %llu KiB at 0x%llx, node %d, free %llu KiB, clean %llu KiB, held %llu KiB, regions %llu, poisoned %llu KiB\n",
		   arena->id, arena->size >> 10, arena->start, arena->node,
		   arena->free.free >> 10, arena->clean.free >> 10, arena->held_bytes >> 10,
		   arena->nr_regions, arena->poisoned >> 10);
}

/* Locks the arena of a position. */
static struct arenas_pos *arenas_lock(struct arenas_pos *at)
{
	struct aclkm_arena *arena;
	unsigned int nr = 0;

	at->arena = NULL;
	list_for_each_entry(arena, &aclkm_arenas, list) {
		if (nr++ == at->nr) {
			mutex_lock(&arena->lock);
			at->arena = arena;
			break;
		}
	}
	return at->arena ? at : NULL;
}

static void *arenas_start(struct seq_file *m, loff_t *pos)
{
	struct arenas_pos *at = m->private;

	if (!*pos)
		*at = (struct arenas_pos){};
	down_read(&aclkm_arenas_lock);
	return arenas_lock(at);
}

static void *arenas_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct arenas_pos *at = v;
	struct arenas_line line;

	++*pos;
	if (!at->addr)
		at->addr = at->arena->start;
	else if (arenas_line(at, &line))
		at->addr = line.start + line.len;
	if (arenas_line(at, &line))
		return at;
	mutex_unlock(&at->arena->lock);
	at->nr++;
	at->addr = 0;
	return arenas_lock(at);
}

static void arenas_stop(struct seq_file *m, void *v)
{
	struct arenas_pos *at = m->private;

	if (at->arena)
		mutex_unlock(&at->arena->lock);
	up_read(&aclkm_arenas_lock);
}

static int arenas_show(struct seq_file *m, void *v)
{
	const struct arenas_pos *at = v;
	struct arenas_line line;

	if (!at->addr) {
		arenas_show_arena(m, at->arena);
		return 0;
	}
	/* Another thread may have changed the arena since the last page of text. */
	if (!arenas_line(at, &line))
		return 0;
	seq_printf(m, "  0x%010llx  %12llu KiB  ", line.start - at->arena->start, line.len >> 10);
	if (line.free)
		seq_printf(m, "free    clean %llu KiB\n",
			   arenas_clean_in(at->arena, line.free) >> 10);
	else if (line.taken)
		arenas_show_taken(m, line.taken->owner);
	else
		seq_puts(m, "poisoned\n");
	return 0;
}

static const struct seq_operations arenas_sops = {
	.start = arenas_start,
	.next = arenas_next,
	.stop = arenas_stop,
	.show = arenas_show,
};

static int arenas_open(struct inode *inode, struct file *file)
{
	return seq_open_private(file, &arenas_sops, sizeof(struct arenas_pos));
}

static const struct file_operations arenas_fops = {
	.owner = THIS_MODULE,
	.open = arenas_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

/**
 * aclkm_debugfs_init() - make the file; the module works without it
 */
void aclkm_debugfs_init(void)
{
	debugfs_dir = debugfs_create_dir("aclkm", NULL);
	debugfs_create_file("arenas", 0400, debugfs_dir, NULL, &arenas_fops);
}

/**
 * aclkm_debugfs_exit() - remove the file
 */
void aclkm_debugfs_exit(void)
{
	debugfs_remove_recursive(debugfs_dir);
}
