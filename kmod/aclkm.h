/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the module know of each other. Calls go down this list:
 * main, ioctl and mmap -> region -> arena -> reserve, extent.
 */
#ifndef ACLKM_H
#define ACLKM_H

#include <linux/bits.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/xarray.h>
#include <linux/aclkm.h>

#include "extent.h"

struct file;
struct page;
struct vm_area_struct;

/*
 * An mmap offset is the handle and, below ACLKM_OFFSET_SHIFT, the byte in the
 * region. So a region has at most 1 TiB, and an open file at most 2^22 regions,
 * which keeps every offset positive.
 */
#define ACLKM_OFFSET_SHIFT	40
#define ACLKM_REGION_MAX	BIT_ULL(ACLKM_OFFSET_SHIFT)
#define ACLKM_HANDLE_MAX	((1U << 22) - 1)

/**
 * struct aclkm_arena - a contiguous range taken from the kernel
 * @list:	in aclkm_arenas, fixed between insmod and rmmod
 * @lock:	guards @free, @held, @held_bytes and @nr_regions
 * @free:	free pieces, by physical address
 * @held:	dead regions whose pages somebody still pins
 * @held_bytes:	their bytes
 * @nr_regions:	regions that live
 * @start:	physical address
 * @size:	bytes
 * @node:	NUMA node
 */
struct aclkm_arena {
	struct list_head list;
	struct mutex lock; /* the accounts below */
	struct aclkm_extents free;
	struct list_head held;
	u64 held_bytes;
	u64 nr_regions;
	u64 start;
	u64 size;
	int node;
};

/**
 * struct aclkm_region - a piece of an arena, as long as a handle or a mapping needs it
 * @ref:	one for the handle, one for each vma, one for each call under way
 * @arena:	where it is
 * @extent:	what it takes there; owned by the region, never NULL while it lives
 * @held:	in arena->held once dead and pinned
 * @align:	alignment asked for
 */
struct aclkm_region {
	struct kref ref;
	struct aclkm_arena *arena;
	struct aclkm_extent *extent;
	struct list_head held;
	u64 align;
};

/**
 * struct aclkm_file - one open of /dev/aclkm
 * @regions:	handle -> region; its lock guards lookup against FREE
 */
struct aclkm_file {
	struct xarray regions;
};

extern struct list_head aclkm_arenas;

/* reserve.c */
int aclkm_reserve_parse(const char *spec, int (*add)(u64 size, u64 align, int node));
int aclkm_reserve_take(u64 size, u64 align, int node, u64 *start, int *got_node);
void aclkm_reserve_release(u64 start, u64 size);

/* arena.c */
int aclkm_arenas_init(const char *spec);
void aclkm_arenas_exit(void);
int aclkm_arena_take(u64 size, u64 align, int node, struct aclkm_region *region);
void aclkm_arena_give(struct aclkm_region *region);
void aclkm_arena_hold(struct aclkm_region *region);
void aclkm_arenas_sum(int node, struct aclkm_info *sum);

/* region.c */
struct aclkm_region *aclkm_region_create(u64 size, u64 align, int node);
void aclkm_region_get(struct aclkm_region *region);
void aclkm_region_put(struct aclkm_region *region);
struct page *aclkm_region_page(const struct aclkm_region *region, pgoff_t index);
bool aclkm_region_pinned(const struct aclkm_region *region);
struct aclkm_region *aclkm_file_lookup(struct aclkm_file *file, u32 handle);

/* ioctl.c, mmap.c */
long aclkm_ioctl(struct file *filp, unsigned int cmd, unsigned long arg);
int aclkm_mmap(struct file *filp, struct vm_area_struct *vma);

#endif /* ACLKM_H */
