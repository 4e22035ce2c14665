/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the module know of each other. Calls go down this list:
 *
 *	main				the module
 *	sysfs, debugfs, power		totals and limits; the map of each arena; hibernation
 *	ioctl				the calls
 *	map_ioctl, dmabuf		the map of an arena; dma-bufs of regions and pinned memory
 *	mmap				mappings
 *	vma, dmabuf_attach		faults and splits; devices that use a dma-buf
 *	file				handles of an open file
 *	offset, region, pin		mmap offsets of handles; what a handle stands for
 *	release				the end of a region
 *	poison, cache			failed pages; cache modes
 *	limits				what users and cgroups hold
 *	grow				arenas come and go
 *	arena				bytes: free, taken, held, clean
 *	scrub				free memory cleared ahead of need
 *	vmcore				crash dumps
 *	carveout			memory carved out at boot
 *	reserve, node			memory of the kernel; reserved-memory nodes
 *	pages, extent, inode, trace	struct pages; arithmetic; the inodes; tracepoints
 *
 * Files in one row do not call each other. `make lint` reads the symbols of the built
 * objects and proves it (tools/call-order.py).
 *
 * Lock order, outermost first:
 *
 *	mmap_lock of a process		mmap, fault, open and close of mappings
 *	release_lock			who releases held regions (not under mmap_lock)
 *	held_lock			the list of held regions
 *	poison_lock			who handles poisoned pages
 *	aclkm_exports.lock		the dma-bufs of a region or of pinned memory
 *	aclkm_attachments.lock		the devices of one dma-buf
 *	arena_keep_lock			one ALLOC at a time, where bytes are kept for root
 *	aclkm_arenas_lock		the list of arenas
 *	aclkm_arena.lock		the accounts of one arena
 *	users_lock			what users hold; a spinlock
 *
 * A file's handles have a spinlock of their own, inside which no other lock is
 * taken. Pinned memory is never released under mmap_lock (aclkm_pinned_put() tells
 * lockdep so): a call that runs under mmap_lock takes no reference of it.
 */
#ifndef ACLKM_H
#define ACLKM_H

#include <linux/bits.h>
#include <linux/dma-direction.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/rwsem.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <linux/aclkm.h>

#include "extent.h"

struct aclkm_attachment;
struct aclkm_carveout;
struct address_space;
struct device;
struct dma_buf;
struct dmem_cgroup_pool_state;
struct file;
struct inode;
struct seq_file;
struct sg_table;

/*
 * An mmap offset is the handle and, below ACLKM_OFFSET_SHIFT, the byte in it. So a
 * region has at most 1 TiB, and an open file at most 2^22 handles, which keeps
 * every offset positive. offset.c has the offsets of 32-bit programs.
 */
#define ACLKM_OFFSET_SHIFT	40
#define ACLKM_REGION_MAX	BIT_ULL(ACLKM_OFFSET_SHIFT)
#define ACLKM_OFFSET_PAGES	((unsigned long)(ACLKM_REGION_MAX >> PAGE_SHIFT))
#define ACLKM_HANDLE_MAX	((1U << 22) - 1)
#define ACLKM_REGION_IDS	BIT(22)

#define ACLKM_SCRUBBERS_MAX	8

struct aclkm_arena;

/**
 * struct aclkm_scrubber - one of the workers that clear an arena's free memory
 * @work:	runs while there is something to clear
 * @arena:	the arena
 * @start:	first byte of the chunk being cleared: free, and not to be allocated now
 * @len:	bytes of the chunk, 0 for none
 */
struct aclkm_scrubber {
	struct work_struct work;
	struct aclkm_arena *arena;
	u64 start;
	u64 len;
};

/**
 * struct aclkm_arena - a contiguous range taken from the kernel
 * @list:	in aclkm_arenas, under aclkm_arenas_lock
 * @lock:	guards the accounts from @free to @scrub_at, and the chunks of @scrubbers
 * @free:	free pieces, by physical address
 * @clean:	those parts of @free that are zero
 * @taken:	extents of the regions that live or are held, by address
 * @held_bytes:	bytes of dead regions that cannot be given back yet
 * @nr_regions:	regions that live
 * @poison:	poisoned pages that were the arena's, struct aclkm_poison
 * @poisoned:	their bytes
 * @lost:	those of them that are no longer free nor a region's
 * @scrubbing:	how many scrubbers clear a chunk
 * @scrub_pause: how many threads wait until no scrubber does
 * @scrub_soon:	the scrubbers will be woken shortly
 * @scrub_stop:	the arena goes away: no scrubber begins another chunk
 * @asleep:	during hibernation: no memory is taken, freed or cleared
 * @scrub_at:	where the next search for something to clear begins
 * @scrub_idle:	woken when @scrubbing becomes 0
 * @scrub_wake:	starts the scrubbers, a moment after memory became free
 * @scrubbers:	the workers
 * @nr_scrubbers: how many of them
 * @start:	physical address
 * @size:	bytes; shrinks and never grows
 * @page:	alignment of @start that was asked for: 2 MiB or 1 GiB
 * @node:	NUMA node
 * @id:		in messages and traces
 * @carveout:	the memory carved out at boot that it consists of, or NULL
 */
struct aclkm_arena {
	struct list_head list;
	struct mutex lock; /* the accounts below */
	struct aclkm_extents free;
	struct aclkm_extents clean;
	struct rb_root taken;
	u64 held_bytes;
	u64 nr_regions;
	struct list_head poison;
	u64 poisoned;
	u64 lost;
	unsigned int scrubbing;
	unsigned int scrub_pause;
	bool scrub_soon;
	bool scrub_stop;
	bool asleep;
	u64 scrub_at;
	wait_queue_head_t scrub_idle;
	struct delayed_work scrub_wake;
	struct aclkm_scrubber scrubbers[ACLKM_SCRUBBERS_MAX];
	unsigned int nr_scrubbers;
	u64 start;
	u64 size;
	u64 page;
	int node;
	unsigned int id;
	struct aclkm_carveout *carveout;
};

/**
 * struct aclkm_poison - a page of an arena that the kernel has poisoned
 * @list:	in the arena's list
 * @addr:	physical address
 * @spare:	extents for taking the page out of the arena's free and clean pieces
 * @lost:	it has been taken out
 * @in_region:	it was a region's when it was poisoned, and these are filled:
 * @region_id:	the region's id
 * @index:	which page of the region
 * @map_order:	the region's map_order
 */
struct aclkm_poison {
	struct list_head list;
	u64 addr;
	struct aclkm_extent *spare[4];
	bool lost;
	bool in_region;
	unsigned long region_id;
	pgoff_t index;
	u8 map_order;
};

/**
 * struct aclkm_user - what all open files of one user hold
 * @list:	in the list of users, as long as any of the counts is not 0
 * @uid:	who opened the files
 * @files:	open files
 * @bytes:	in regions that they allocated and that live
 * @regions:	how many of these
 * @pinned:	bytes pinned through these files
 */
struct aclkm_user {
	struct list_head list;
	kuid_t uid;
	unsigned long files;
	u64 bytes;
	u64 regions;
	u64 pinned;
};

/**
 * struct aclkm_exports - the dma-bufs of a region or of pinned memory
 * @lock:	guards @list
 * @list:	the dma-bufs, for SYNC
 */
struct aclkm_exports {
	struct mutex lock; /* the list */
	struct list_head list;
};

/**
 * struct aclkm_attachments - the devices that use a dma-buf
 * @lock:	guards @list, and orders the mapping and the syncs of its members
 * @list:	struct aclkm_attachment
 */
struct aclkm_attachments {
	struct mutex lock; /* the list, mapping, syncs */
	struct list_head list;
};

/**
 * struct aclkm_region - a piece of an arena, as long as anything needs it
 * @ref:	one for each handle, vma, dma-buf and call under way
 * @arena:	where it is
 * @extent:	what it takes there; owned by the region, never NULL while it lives
 * @user:	who pays for it
 * @cgroup:	the cgroup that is charged for it, or NULL
 * @held_list:	in the list of release.c once held
 * @exports:	its dma-bufs
 * @id:		in the offsets of its mappings
 * @typed:	pages from its start whose memory type is @cache, unless that is WB
 * @unpinned:	once dead: so many pages from its start are not pinned
 * @pid:	process that allocated it, shown in debugfs
 * @align_shift: log2 of the alignment asked for
 * @order:	of its compound units: 0, ACLKM_ORDER_2M or ACLKM_ORDER_1G
 * @map_order:	of the largest page-table entries for it
 * @cache:	ACLKM_CACHE_*
 * @held:	dead, and counted in the arena's held_bytes; set under the arena's lock
 * @used:	any byte of it may have been written, not only those of marked units
 *
 * Each ALLOC clears one: ordered by size, it fills no more than 128 bytes.
 */
struct aclkm_region {
	struct aclkm_arena *arena;
	struct aclkm_extent *extent;
	struct aclkm_user *user;
	struct dmem_cgroup_pool_state *cgroup;
	struct list_head held_list;
	struct aclkm_exports exports;
	struct kref ref;
	u32 id;
	u32 typed;
	u32 unpinned;
	pid_t pid;
	u8 align_shift;
	u8 order;
	u8 map_order;
	u8 cache;
	bool held;
	bool used;
};

/**
 * struct aclkm_request - what ALLOC wants of an arena
 * @size:	bytes, a multiple of the page size
 * @align:	bytes, a power of two from the page size
 * @node:	NUMA node, or NUMA_NO_NODE
 * @keep:	bytes that must remain free
 * @ordinary:	not of a carve-out
 * @reason:	filled on -ENOSPC and -EDQUOT: ACLKM_REASON_*
 */
struct aclkm_request {
	u64 size;
	u64 align;
	u64 keep;
	int node;
	bool ordinary;
	u32 reason;
};

/**
 * struct aclkm_reserve - an arena that reserve= or grow asks for
 * @size:	bytes, a multiple of @align
 * @align:	of its physical address: 2 MiB or 1 GiB
 * @node:	NUMA node, or NUMA_NO_NODE
 * @force:	also of the tenth that is kept for the kernel
 */
struct aclkm_reserve {
	u64 size;
	u64 align;
	int node;
	bool force;
};

/**
 * struct aclkm_carve - a range that carveout= or the device tree names
 * @start:	physical address, a multiple of 2 MiB
 * @size:	bytes, a multiple of 2 MiB
 * @node:	name of its reserved-memory node, as long as add() runs, or NULL
 */
struct aclkm_carve {
	u64 start;
	u64 size;
	const char *node;
};

struct aclkm_pinned;

/**
 * struct aclkm_handle - what a handle stands for: a part of a region, or pinned memory
 * @region:	the region, or NULL
 * @pinned:	the pinned memory, or NULL
 * @start:	first byte in the region
 * @len:	bytes
 * @charge:	bytes that the file is charged for
 * @low:	offset for 32-bit programs, or NULL; only in the file's own handle
 * @read_only:	mappings cannot be written
 * @imported:	from a dma-buf
 */
struct aclkm_handle {
	struct aclkm_region *region;
	struct aclkm_pinned *pinned;
	struct aclkm_extent *low;
	u64 start;
	u64 len;
	u64 charge;
	bool read_only;
	bool imported;
};

/**
 * struct aclkm_offsets - the mmap offsets of a file for 32-bit programs
 * @free:	offsets that no handle has
 * @taken:	those of handles, by offset
 * @ready:	@free has been filled, for the first 32-bit program
 */
struct aclkm_offsets {
	struct aclkm_extents free;
	struct rb_root taken;
	bool ready;
};

/**
 * struct aclkm_file - one open of /dev/aclkm
 * @handles:	number -> struct aclkm_handle; its lock guards the rest as well
 * @offsets:	for 32-bit programs
 * @user:	who opened it
 * @bytes:	charged for allocated regions
 * @count:	handles, with those that are reserved
 * @imported:	bytes of imported handles
 * @pinned:	bytes of handles of pinned memory
 * @read_only:	opened so: all its handles are
 */
struct aclkm_file {
	struct xarray handles;
	struct aclkm_offsets offsets;
	struct aclkm_user *user;
	u64 bytes;
	u64 count;
	u64 imported;
	u64 pinned;
	bool read_only;
};

/**
 * struct aclkm_limits - what one file and one user may hold; 0 means no limit
 * @file_bytes:		bytes allocated by one open file
 * @file_regions:	handles of one open file
 * @user_bytes:		bytes in regions that a user's files allocated
 * @user_regions:	how many of these regions
 * @root_reserve:	bytes of each node that only CAP_SYS_RESOURCE may take
 *
 * Each is read and written whole, without a lock.
 */
struct aclkm_limits {
	u64 file_bytes;
	u64 file_regions;
	u64 user_bytes;
	u64 user_regions;
	u64 root_reserve;
};

extern struct list_head aclkm_arenas;
extern struct rw_semaphore aclkm_arenas_lock;
extern struct aclkm_limits aclkm_limits;

/* reserve.c */
int aclkm_parse_bytes(const char *text, u64 *bytes);
int aclkm_reserve_parse(const char *spec, int (*add)(const struct aclkm_reserve *reserve));
u64 aclkm_reserve_room(int node);
int aclkm_reserve_take(const struct aclkm_reserve *reserve, u64 *start, int *got_node);

/* carveout.c */
int aclkm_carveout_parse(const char *spec, int (*add)(const struct aclkm_carve *carve));
struct aclkm_carveout *aclkm_carveout_take(const struct aclkm_carve *carve, int *node);
void aclkm_carveout_release(struct aclkm_carveout *carveout);
bool aclkm_carveout_is_saved(const struct aclkm_carveout *carveout);

/* node.c */
#ifdef CONFIG_OF_RESERVED_MEM
int aclkm_node_add(const char *name, int (*add)(const struct aclkm_carve *carve));
void aclkm_nodes_add(int (*add)(const struct aclkm_carve *carve));
#else
static inline int aclkm_node_add(const char *name, int (*add)(const struct aclkm_carve *carve))
{
	pr_err("carveout: \"%s\" would be a reserved-memory node, and this kernel reads no device tree (CONFIG_OF_RESERVED_MEM); give SIZE@ADDR\n",
	       name);
	return -ENOENT;
}

static inline void aclkm_nodes_add(int (*add)(const struct aclkm_carve *carve))
{
}
#endif

/* arena.c */
void aclkm_arena_init(struct aclkm_arena *arena, struct aclkm_extent *piece);
int aclkm_arena_alloc(struct aclkm_request *request, struct aclkm_region *region,
		      struct aclkm_extent **clean);
void aclkm_arena_free(struct aclkm_region *region, struct aclkm_extent *clean);
void aclkm_arena_hold(struct aclkm_region *region);
struct aclkm_extent *aclkm_arena_taken_next(const struct aclkm_arena *arena, u64 addr);
bool aclkm_arena_search_poison(struct aclkm_arena *arena, u64 start, u64 len);
bool aclkm_arena_poison(struct aclkm_poison *poison);
void aclkm_poison_free(struct aclkm_poison *poison);
void aclkm_arenas_sum(int node, struct aclkm_info *sum);
void aclkm_arena_lock_quiet(struct aclkm_arena *arena);
int aclkm_arena_sleep(struct aclkm_arena *arena);
void aclkm_arena_wake(struct aclkm_arena *arena);
void aclkm_extent_list_free(struct aclkm_extent *ext);
void aclkm_extents_free(struct aclkm_extents *set);

/* Whether a range of an arena that is not locked has a page known to be poisoned. */
static inline bool aclkm_arena_has_poison(struct aclkm_arena *arena, u64 start, u64 len)
{
	return READ_ONCE(arena->poisoned) && aclkm_arena_search_poison(arena, start, len);
}

/* scrub.c */
int aclkm_scrub_init(void);
void aclkm_scrub_exit(void);
void aclkm_scrub_arena_init(struct aclkm_arena *arena);
void aclkm_scrub_arena_stop(struct aclkm_arena *arena);
void aclkm_scrub_kick(struct aclkm_arena *arena, bool now);
bool aclkm_scrub_in_hand(const struct aclkm_arena *arena, u64 start, u64 len);

/* grow.c */
int aclkm_grow(const char *spec);
int aclkm_shrink(u64 bytes, u64 *got);
int aclkm_arenas_init(const char *spec, const char *carveout, bool force);
int aclkm_arenas_ranges(char *text, size_t room);
void aclkm_arenas_exit(void);

/* region.c */
struct aclkm_region *aclkm_region_create(struct aclkm_request *request, u32 flags,
					 struct aclkm_user *user);
void aclkm_region_get(struct aclkm_region *region);
void aclkm_region_put(struct aclkm_region *region);
struct page *aclkm_region_page(const struct aclkm_region *region, pgoff_t index);
void aclkm_region_mark_used(struct aclkm_region *region);
bool aclkm_region_gup(const struct aclkm_region *region);

/* release.c */
void aclkm_region_release_memory(struct aclkm_region *region);
bool aclkm_regions_release_held(void);
void aclkm_release_exit(void);

/* poison.c */
#ifdef CONFIG_MEMORY_FAILURE
extern bool aclkm_poison_pending;
extern bool aclkm_poison_untraced;

void aclkm_poison_handle(void);
void aclkm_poison_search(void);
void aclkm_poison_search_region(const struct aclkm_region *region);
void aclkm_poison_init(void);
void aclkm_poison_exit(void);

/* Handles the pages that have been poisoned by now. */
static inline void aclkm_poison_settle(void)
{
	if (READ_ONCE(aclkm_poison_pending))
		aclkm_poison_handle();
}

/* The same, before the memory of a dead region becomes free. */
static inline void aclkm_poison_settle_region(const struct aclkm_region *region)
{
	if (aclkm_poison_untraced)
		aclkm_poison_search_region(region);
	aclkm_poison_settle();
}
#else
static inline void aclkm_poison_search(void) { }
static inline void aclkm_poison_init(void) { }
static inline void aclkm_poison_exit(void) { }
static inline void aclkm_poison_settle(void) { }
static inline void aclkm_poison_settle_region(const struct aclkm_region *region) { }
#endif

/* cache.c */
bool aclkm_cache_possible(void);
int aclkm_cache_set(struct aclkm_region *region);
void aclkm_cache_restore_step(struct aclkm_region *region);

/* limits.c */
bool aclkm_limits_exempt(int capability);
struct aclkm_user *aclkm_user_open(void);
void aclkm_user_close(struct aclkm_user *user);
int aclkm_user_charge(struct aclkm_user *user, u64 bytes, struct aclkm_alloc *alloc);
void aclkm_user_uncharge(struct aclkm_user *user, u64 bytes);
int aclkm_user_charge_pin(struct aclkm_user *user, u64 bytes);
void aclkm_user_uncharge_pin(struct aclkm_user *user, u64 bytes);
u64 aclkm_root_reserve(void);
int aclkm_cgroup_init(void);
void aclkm_cgroup_exit(void);
bool aclkm_cgroup_possible(void);
int aclkm_cgroup_charge(u64 bytes, struct dmem_cgroup_pool_state **cgroup);
void aclkm_cgroup_uncharge(struct dmem_cgroup_pool_state *cgroup, u64 bytes);

/* file.c */
int aclkm_file_reserve(struct aclkm_file *file, u64 bytes, struct aclkm_alloc *alloc,
		       u32 *handle);
void aclkm_file_cancel(struct aclkm_file *file, u32 number, struct aclkm_handle *handle);
void aclkm_file_install(struct aclkm_file *file, u32 number, struct aclkm_handle *handle);
int aclkm_file_lookup(struct aclkm_file *file, u32 number, struct aclkm_handle *handle);
int aclkm_file_lookup_offset(struct aclkm_file *file, pgoff_t pgoff, struct aclkm_handle *handle,
			     pgoff_t *page);
int aclkm_file_remove(struct aclkm_file *file, u32 number);
void aclkm_handle_put(struct aclkm_handle *handle);
int aclkm_open(struct inode *inode, struct file *filp);
int aclkm_release(struct inode *inode, struct file *filp);
void aclkm_show_fdinfo(struct seq_file *m, struct file *filp);

/* offset.c */
void aclkm_offsets_init(struct aclkm_offsets *offsets);
void aclkm_offsets_exit(struct aclkm_offsets *offsets);
int aclkm_offset_assign(struct aclkm_file *file, u32 number, struct aclkm_handle *handle,
			u64 *offset);
void aclkm_offset_release(struct aclkm_file *file, struct aclkm_handle *handle);
u32 aclkm_offset_find(const struct aclkm_file *file, pgoff_t pgoff, pgoff_t *page);

/* inode.c */
int aclkm_inode_init(void);
void aclkm_inode_exit(void);
struct address_space *aclkm_device_mapping(void);
struct address_space *aclkm_dmabuf_mapping(void);
void aclkm_drop_entries(pgoff_t first, pgoff_t nr);

/* pin.c */
struct aclkm_pinned *aclkm_pinned_create(struct aclkm_pin *pin, struct aclkm_user *user);
void aclkm_pinned_get(struct aclkm_pinned *pinned);
void aclkm_pinned_put(struct aclkm_pinned *pinned);
u64 aclkm_pinned_page_size(const struct aclkm_pinned *pinned);
int aclkm_pinned_node(const struct aclkm_pinned *pinned);
u64 aclkm_pinned_extents(const struct aclkm_pinned *pinned);
struct aclkm_phys_extent aclkm_pinned_extent(const struct aclkm_pinned *pinned, u64 index);
struct aclkm_exports *aclkm_pinned_exports(struct aclkm_pinned *pinned);
u64 aclkm_pinned_total(void);

/* Of memory that has no dma-bufs yet. */
static inline void aclkm_exports_init(struct aclkm_exports *exports)
{
	mutex_init(&exports->lock);
	INIT_LIST_HEAD(&exports->list);
}

/* dmabuf.c */
struct dma_buf *aclkm_dmabuf_export(const struct aclkm_handle *handle, u64 offset, u64 len,
				    bool read_only);
int aclkm_dmabuf_import(int fd, struct aclkm_handle *handle);
int aclkm_dmabuf_sync(const struct aclkm_handle *handle, u64 offset, u64 len, u32 flags);

/* dmabuf_attach.c */
void aclkm_attachments_init(struct aclkm_attachments *attachments);
struct aclkm_attachment *aclkm_attachment_create(struct aclkm_attachments *attachments,
						 const struct aclkm_handle *memory,
						 struct device *dev);
void aclkm_attachment_destroy(struct aclkm_attachments *attachments,
			      struct aclkm_attachment *attachment);
struct sg_table *aclkm_attachment_map(struct aclkm_attachments *attachments,
				      struct aclkm_attachment *attachment,
				      enum dma_data_direction dir);
void aclkm_attachment_unmap(struct aclkm_attachments *attachments,
			    struct aclkm_attachment *attachment);
int aclkm_attachments_sync(struct aclkm_attachments *attachments, u64 start, u64 end,
			   enum dma_data_direction access, bool for_cpu);

/* vma.c */
extern const struct vm_operations_struct aclkm_page_vm_ops;
extern const struct vm_operations_struct aclkm_frame_vm_ops;

/*
 * The page of the region that a mapping shows at an address. The mappings of all regions
 * are of the same inodes: the upper bits of vm_pgoff say of which region, so that
 * dropping entries by offset drops those of no other region.
 */
static inline pgoff_t aclkm_vma_index(const struct vm_area_struct *vma, unsigned long addr)
{
	return vma->vm_pgoff % ACLKM_OFFSET_PAGES + PHYS_PFN(addr - vma->vm_start);
}

/* map_ioctl.c */
long aclkm_map_arena(const struct aclkm_file *file, struct aclkm_map *map);

/* ioctl.c, mmap.c */
long aclkm_ioctl(struct file *filp, unsigned int cmd, unsigned long arg);
int aclkm_mmap(struct file *filp, struct vm_area_struct *vma);
int aclkm_region_mmap(struct aclkm_region *region, u64 start, u64 len,
		      struct vm_area_struct *vma, pgoff_t first);
unsigned long aclkm_get_unmapped_area(struct file *filp, unsigned long addr, unsigned long len,
				      unsigned long pgoff, unsigned long flags);

/* vmcore.c */
bool aclkm_vmcore_here(void);
int aclkm_vmcore_init(const char *spec);
void aclkm_vmcore_exit(void);

/* sysfs.c, debugfs.c, power.c */
extern const struct attribute_group *aclkm_groups[];
void aclkm_debugfs_init(void);
void aclkm_debugfs_exit(void);
int aclkm_power_init(void);
void aclkm_power_exit(void);

#endif /* ACLKM_H */
