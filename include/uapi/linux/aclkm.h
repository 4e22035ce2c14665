/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * aclkm: physically contiguous memory for devices, from /dev/aclkm.
 *
 * Rules that hold for every call:
 *
 * - A struct may grow at its end. The size in the ioctl number says which one
 *   the caller was compiled with: bytes that the kernel does not know must be
 *   zero (else -E2BIG), bytes that the caller does not know are not written.
 * - Flags that are not listed here, and reserved fields that are not zero, are
 *   refused with -EINVAL.
 * - Sizes, alignments and offsets are in bytes, in 64 bits.
 * - No call takes a physical address.
 * - A call that fails has changed nothing. It leaves the caller's struct alone,
 *   but for the output fields of ACLKM_IOC_ALLOC named there.
 * - A handle is a number of one open file. It stands for a region (ALLOC), for a
 *   part of one that came in as a dma-buf (IMPORT), or for pinned memory of the
 *   process (PIN). What is not sensible for its kind is refused with
 *   -EOPNOTSUPP. All handles of a file that was opened for reading are read-only.
 */
#ifndef _UAPI_LINUX_ACLKM_H
#define _UAPI_LINUX_ACLKM_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define ACLKM_DEVICE_PATH	"/dev/aclkm"
#define ACLKM_ABI_VERSION	1

/* Alignments are powers of two from one page to this. */
#define ACLKM_ALIGN_MAX		(1ULL << 30)

/* Any NUMA node, in every field named node. */
#define ACLKM_NODE_ANY		(-1)

/*
 * Features of the running driver (struct aclkm_info.features). A bit that is
 * not set is not there on this kernel, with this build of the module.
 */
#define ACLKM_FEATURE_GUP	(1ULL << 0) /* mappings can be pinned: O_DIRECT, io_uring, ... */
#define ACLKM_FEATURE_HUGE_2M	(1ULL << 1) /* mappings use 2 MiB page-table entries */
#define ACLKM_FEATURE_HUGE_1G	(1ULL << 2) /* mappings can use 1 GiB page-table entries */
#define ACLKM_FEATURE_GUP_1G	(1ULL << 3) /* and these can be pinned as well */
#define ACLKM_FEATURE_CACHE	(1ULL << 4) /* write-combined and uncached regions */
#define ACLKM_FEATURE_DMABUF	(1ULL << 5) /* EXPORT, IMPORT */
#define ACLKM_FEATURE_PIN	(1ULL << 6) /* PIN */
#define ACLKM_FEATURE_MAP	(1ULL << 7) /* MAP */
#define ACLKM_FEATURE_CGROUP	(1ULL << 8) /* regions are charged to the dmem cgroup */

/**
 * struct aclkm_info - what the driver has, all arenas together
 * @abi_version:	out: ACLKM_ABI_VERSION of the driver
 * @nr_arenas:		out: arenas reserved
 * @features:		out: ACLKM_FEATURE_*
 * @granule:		out: sizes and offsets are multiples of this (the page size)
 * @align_max:		out: largest alignment that ACLKM_IOC_ALLOC takes
 * @total:		out: bytes in all arenas
 * @free:		out: bytes that no region holds
 * @largest_free:	out: the largest contiguous piece of @free
 * @held:		out: bytes of freed regions whose pages someone still pins;
 *			neither free nor owned, they become free when the pins go
 * @nr_regions:		out: regions that live (of all processes)
 * @clean:		out: bytes of @free that are zero already; the others are
 *			cleared in the background, or when they are taken
 * @pinned:		out: bytes pinned by ACLKM_IOC_PIN (of all processes)
 * @poisoned:		out: bytes of @total in pages whose memory has failed; they never
 *			become free again
 */
struct aclkm_info {
	__u32 abi_version;
	__u32 nr_arenas;
	__u64 features;
	__u64 granule;
	__u64 align_max;
	__u64 total;
	__u64 free;
	__u64 largest_free;
	__u64 held;
	__u64 nr_regions;
	__u64 clean;
	__u64 pinned;
	__u64 poisoned;
};

/*
 * struct aclkm_alloc.flags. Without any, a region is cached, its node is strict,
 * and it is aligned so that the largest page-table entries that get_user_pages
 * can take are used for it (QUERY tells which), where the arena has room for that.
 */
#define ACLKM_ALLOC_WC		(1U << 0) /* write-combined */
#define ACLKM_ALLOC_UC		(1U << 1) /* uncached */
#define ACLKM_ALLOC_NODE_PREFER	(1U << 2) /* another node rather than -ENOSPC */
#define ACLKM_ALLOC_SMALL	(1U << 3) /* 4 KiB page-table entries only */
#define ACLKM_ALLOC_HUGE_2M	(1U << 4) /* size and alignment of 2 MiB, or -ENOSPC */
#define ACLKM_ALLOC_HUGE_1G	(1U << 5) /* 1 GiB, in 1 GiB entries even without GUP */

/* struct aclkm_alloc.reason, after -ENOSPC (the first three) and -EDQUOT */
#define ACLKM_REASON_FREE		1 /* fewer bytes are free than asked for */
#define ACLKM_REASON_FRAGMENTED		2 /* enough are free, but no piece fits */
#define ACLKM_REASON_ROOT_RESERVE	3 /* what is left is for CAP_SYS_RESOURCE */
#define ACLKM_REASON_FILE_BYTES		4 /* limits of this open file */
#define ACLKM_REASON_FILE_REGIONS	5
#define ACLKM_REASON_USER_BYTES		6 /* limits of the user who opened it */
#define ACLKM_REASON_USER_REGIONS	7
#define ACLKM_REASON_CGROUP		8 /* dmem.max of the caller's cgroup, or of one above */

/**
 * struct aclkm_alloc - take a contiguous, zeroed region
 * @size:	in: bytes, not 0; out: bytes given, rounded up to the granule
 * @align:	in: physical alignment, a power of two up to ACLKM_ALIGN_MAX;
 *		0 and anything below the page size mean the page size
 * @flags:	in: ACLKM_ALLOC_*; at most one of WC and UC, at most one of
 *		SMALL, HUGE_2M and HUGE_1G, of these only SMALL with WC and UC
 * @node:	in: NUMA node wanted, or ACLKM_NODE_ANY. out: node given
 * @handle:	out: the region in this open file, never 0
 * @reason:	in: 0; out: after -ENOSPC and -EDQUOT, ACLKM_REASON_*
 * @offset:	out: where mmap() of this open file maps the region
 * @free:	out: after -ENOSPC and -EDQUOT, the bytes that are free on the
 *		wanted node; with NODE_PREFER, on all nodes
 * @largest_free: out: likewise, the largest free piece there
 * @limit:	out: likewise, the limit that @reason names: bytes or regions, 0 if
 *		it names none, and for a cgroup's, which the kernel does not tell
 *
 * Errors: -EINVAL (size 0 or within its rounding of 2^64, alignment, flags,
 * reason, a node that does not exist), -ENOSPC (no free piece fits, or what is
 * free is reserved for root), -EDQUOT (a limit of the file, the user or the cgroup),
 * -ENOMEM (the kernel's own memory), -EINTR (the caller was killed while the
 * memory was being cleared), -EMFILE (too many handles in this open file, or
 * too many bytes for the offsets of 32-bit programs), -EOPNOTSUPP (WC, UC: this
 * processor cannot).
 */
struct aclkm_alloc {
	__u64 size;
	__u64 align;
	__u32 flags;
	__s32 node;
	__u32 handle;
	__u32 reason;
	__u64 offset;
	__u64 free;
	__u64 largest_free;
	__u64 limit;
};

/**
 * struct aclkm_free - give a handle back
 * @handle:	in: from ACLKM_IOC_ALLOC, IMPORT or PIN
 * @flags:	in: 0
 *
 * The handle and its mmap offset are invalid at once. The memory returns to
 * its arena when the last mapping, handle and dma-buf of it is gone and nobody
 * pins its pages; pinned memory is unpinned when no dma-buf needs it.
 *
 * Errors: -ENOENT (no such handle in this open file), -EINVAL (flags).
 */
struct aclkm_free {
	__u32 handle;
	__u32 flags;
};

/* struct aclkm_query.flags, out */
#define ACLKM_QUERY_PHYS	(1U << 0) /* @phys is valid: the caller has CAP_SYS_RAWIO */
#define ACLKM_QUERY_GUP		(1U << 1) /* get_user_pages takes its mappings */
#define ACLKM_QUERY_READ_ONLY	(1U << 2) /* mappings of this handle cannot be written */
#define ACLKM_QUERY_IMPORTED	(1U << 3) /* from ACLKM_IOC_IMPORT */
#define ACLKM_QUERY_PINNED	(1U << 4) /* from ACLKM_IOC_PIN */

/* struct aclkm_query.cache */
#define ACLKM_CACHE_WB		0
#define ACLKM_CACHE_WC		1
#define ACLKM_CACHE_UC		2

/**
 * struct aclkm_query - what a handle stands for
 * @handle:	in: from ACLKM_IOC_ALLOC, IMPORT or PIN
 * @flags:	in: 0; out: ACLKM_QUERY_*
 * @size:	out: bytes
 * @offset:	out: mmap offset that the caller can use; of pinned memory, 0
 * @phys:	out: physical address of the first byte; 0 unless ACLKM_QUERY_PHYS
 * @align:	out: alignment that the physical address was asked to have; of
 *		pinned memory, its @page_size (see struct aclkm_pin)
 * @map_page:	out: bytes that the largest page-table entries of a mapping cover
 *		whose address has the same alignment; of pinned memory, @align
 * @node:	out: NUMA node
 * @cache:	in: 0; out: ACLKM_CACHE_*
 *
 * Errors: -ENOENT (no such handle in this open file), -EINVAL (flags, cache); in
 * a 32-bit program that has not allocated or imported the handle itself, -ENOMEM
 * and -EMFILE as ALLOC.
 */
struct aclkm_query {
	__u32 handle;
	__u32 flags;
	__u64 size;
	__u64 offset;
	__u64 phys;
	__u64 align;
	__u64 map_page;
	__s32 node;
	__u32 cache;
};

/* struct aclkm_export.flags */
#define ACLKM_EXPORT_CLOEXEC	(1U << 0)
#define ACLKM_EXPORT_READ_ONLY	(1U << 1) /* nobody writes through the dma-buf */

/**
 * struct aclkm_export - make a dma-buf of a part of a handle's memory
 * @handle:	in: from ACLKM_IOC_ALLOC, IMPORT or PIN
 * @flags:	in: ACLKM_EXPORT_*
 * @offset:	in: first byte, a multiple of the granule
 * @len:	in: bytes, a multiple of the granule; 0 means up to the end.
 *		out: bytes of the dma-buf
 * @fd:		out: the dma-buf
 * @reserved:	in: 0
 *
 * The dma-buf keeps the memory alive, and the caller owns the descriptor. The
 * memory of PIN cannot be mapped through it, only attached.
 *
 * A read-only handle gives a read-only dma-buf. Importers can attach to it for
 * DMA_TO_DEVICE only (else -EACCES); processes cannot map it writable; the kernel
 * cannot map it at all, as such a mapping would be writable (-EINVAL of
 * dma_buf_vmap()); and DMA_BUF_IOCTL_SYNC refuses WRITE (-EACCES).
 *
 * Errors: -ENOENT, -EINVAL (flags, reserved, a range that is not aligned or not
 * inside), -EMFILE, -ENFILE, -ENOMEM.
 */
struct aclkm_export {
	__u32 handle;
	__u32 flags;
	__u64 offset;
	__u64 len;
	__s32 fd;
	__u32 reserved;
};

/**
 * struct aclkm_import - a handle for a dma-buf that ACLKM_IOC_EXPORT made
 * @fd:		in: the dma-buf, from this process or another
 * @flags:	in: 0
 * @size:	out: bytes of the exported part
 * @offset:	out: where mmap() of this open file maps it
 * @handle:	out: never 0
 * @reserved:	in: 0
 *
 * It stands for the exported part, not for more, and is read-only if the
 * dma-buf is. Importing twice gives two handles. Counts as a region of the
 * file, but as bytes of nobody: these are the allocating user's.
 *
 * Errors: -EBADF, -EINVAL (not a dma-buf; flags, reserved), -EOPNOTSUPP (a
 * dma-buf of another driver, or of pinned memory), -EDQUOT (regions of this
 * file), -EMFILE, -ENOMEM.
 */
struct aclkm_import {
	__s32 fd;
	__u32 flags;
	__u64 size;
	__u64 offset;
	__u32 handle;
	__u32 reserved;
};

/* struct aclkm_sync.flags: START or END, and READ, WRITE or both */
#define ACLKM_SYNC_START	(1U << 0) /* the processor is about to access the bytes */
#define ACLKM_SYNC_END		(1U << 1) /* it has; a device may */
#define ACLKM_SYNC_READ		(1U << 2) /* the access reads what a device has written */
#define ACLKM_SYNC_WRITE	(1U << 3) /* the access writes what a device will read */

/**
 * struct aclkm_sync - hand a range over between processor and devices
 * @handle:	in: from ACLKM_IOC_ALLOC, IMPORT or PIN
 * @flags:	in: ACLKM_SYNC_*
 * @offset:	in: first byte, any
 * @len:	in: bytes, not 0
 *
 * Orders accesses, drains write-combining buffers, and writes back or drops
 * cache lines and bounce buffers of the range for those devices, attached to a
 * dma-buf of this memory, that do not snoop. Other bytes are not touched, but for
 * the rest of a cache line that the range begins or ends in: where devices do not
 * snoop, ranges that different owners use at the same time share no cache line.
 *
 * READ brings what devices have written, at START. WRITE brings to devices what the
 * processor has written, at END. WRITE without READ is for a caller that writes each
 * byte of the range: START does not fetch what a device has written there before.
 * DMA_BUF_IOCTL_SYNC does the same for all bytes of its dma-buf.
 *
 * Errors: -ENOENT, -EINVAL (flags, a range that is not inside), -EACCES (WRITE
 * on a read-only handle), -EINTR (the caller was killed).
 */
struct aclkm_sync {
	__u32 handle;
	__u32 flags;
	__u64 offset;
	__u64 len;
};

/* struct aclkm_pin.flags */
#define ACLKM_PIN_READ_ONLY	(1U << 0) /* devices only read it */

/**
 * struct aclkm_pin - keep memory of the calling process where it is
 * @addr:	in: address, a multiple of the page size
 * @len:	in: bytes, a multiple of the page size, not 0
 * @flags:	in: ACLKM_PIN_*
 * @handle:	out: for EXPORT, PHYS, QUERY, SYNC and FREE; never 0
 * @page_size:	out: the largest power of two, up to 1 GiB, that divides @addr,
 *		@len, and the address and the length of each physical piece; bytes
 * @nr_extents:	out: physically contiguous pieces that the range consists of
 *
 * The page that is pinned is the page that is mapped, and stays so when the
 * process writes to it, also with READ_ONLY.
 *
 * The user who opened the file pays until the handle and the dma-bufs of it are
 * gone: all that this user has pinned, in whatever process, is within the caller's
 * RLIMIT_MEMLOCK, unless the caller has CAP_IPC_LOCK. Users of a user namespace
 * count as the one who made it, unless that was root.
 *
 * Errors: -EINVAL (address, length or their sum; flags), -EFAULT (not mapped, or
 * not writable), -ENOMEM (RLIMIT_MEMLOCK, or the kernel's own memory), -EINTR (the
 * caller was killed), -EMFILE, -EDQUOT (regions of this file), -EOPNOTSUPP (pages
 * that cannot be pinned for long: those of a file with writeback, for writing).
 */
struct aclkm_pin {
	__u64 addr;
	__u64 len;
	__u32 flags;
	__u32 handle;
	__u64 page_size;
	__u64 nr_extents;
};

/**
 * struct aclkm_phys_extent - a physically contiguous piece
 * @phys:	address of its first byte
 * @len:	bytes
 */
struct aclkm_phys_extent {
	__u64 phys;
	__u64 len;
};

/**
 * struct aclkm_phys - the pieces that a handle's memory consists of, in order
 * @handle:	in: from ACLKM_IOC_ALLOC, IMPORT or PIN
 * @flags:	in: 0
 * @first:	in: the piece to begin with
 * @count:	in: room at @extents; out: pieces written
 * @total:	out: pieces there are
 * @extents:	in: address of an array of struct aclkm_phys_extent
 *
 * Errors: -EPERM (no CAP_SYS_RAWIO), -ENOENT, -EINVAL (flags), -EFAULT.
 */
struct aclkm_phys {
	__u32 handle;
	__u32 flags;
	__u64 first;
	__u64 count;
	__u64 total;
	__u64 extents;
};

/* struct aclkm_map_extent.state */
#define ACLKM_STATE_FREE	0 /* no region has it */
#define ACLKM_STATE_REGION	1 /* a region that lives */
#define ACLKM_STATE_HELD	2 /* a region that was freed, and whose pages someone pins */
#define ACLKM_STATE_LOST	3 /* poisoned pages, which never become free again */

/* struct aclkm_map_extent.flags */
#define ACLKM_EXTENT_CLEAN	(1U << 0) /* free, and zero already */
#define ACLKM_EXTENT_PINNED	(1U << 1) /* a page of the region is pinned */
#define ACLKM_EXTENT_SHARED	(1U << 2) /* a dma-buf of the region exists */
#define ACLKM_EXTENT_POISONED	(1U << 3) /* a page of the region has failed */
#define ACLKM_EXTENT_OWNER	(1U << 4) /* @uid and @pid are valid */

/**
 * struct aclkm_map_extent - a piece of an arena that is in one state
 * @offset:	of its first byte in the arena
 * @len:	bytes
 * @map_page:	of a region: bytes of its largest page-table entries, as QUERY says
 * @state:	ACLKM_STATE_*
 * @flags:	ACLKM_EXTENT_*. PINNED is exact for held regions; of a region that
 *		lives, the first 1,024 pages and huge pages are looked at
 * @uid:	of a region: the user who pays for it, as the caller's user namespace
 *		names it
 * @pid:	of a region: the process that allocated it, as the caller's PID namespace
 *		numbers it; 0: that cannot see it
 * @cache:	of a region: ACLKM_CACHE_*
 * @reserved:	0
 */
struct aclkm_map_extent {
	__u64 offset;
	__u64 len;
	__u64 map_page;
	__u32 state;
	__u32 flags;
	__u32 uid;
	__s32 pid;
	__u32 cache;
	__u32 reserved;
};

/* struct aclkm_map.flags, out */
#define ACLKM_MAP_PHYS		(1U << 0) /* @phys is valid: the caller has CAP_SYS_RAWIO */
#define ACLKM_MAP_CARVEOUT	(1U << 1) /* of memory that was carved out at boot */

/**
 * struct aclkm_map - what an arena consists of, in order of address
 * @arena:	in: the smallest id that is wanted; out: the arena with the next id from
 *		there on, which is the one that this call is about
 * @flags:	in: 0; out: ACLKM_MAP_*
 * @offset:	in: first byte that is wanted, 0 where the arena has another id than
 *		@arena; a region around it is told as a whole. out: where the next call
 *		goes on; @size at the end
 * @count:	in: room at @extents; out: extents written
 * @extents:	in: address of an array of struct aclkm_map_extent
 * @size:	out: bytes of the arena
 * @free:	out: bytes that no region holds
 * @clean:	out: bytes of @free that are zero already
 * @held:	out: bytes of held regions
 * @nr_regions:	out: regions that live
 * @poisoned:	out: bytes in pages that have failed
 * @phys:	out: physical address of the first byte; 0 unless ACLKM_MAP_PHYS
 * @align:	out: alignment that @phys was asked to have
 * @node:	out: NUMA node
 * @reserved:	in: 0
 *
 * The owner of a region is told (ACLKM_EXTENT_OWNER) to a file that the same user
 * opened, and to a caller with CAP_SYS_PTRACE. The arena may change while the call runs
 * and between two calls: extents then do not fit together.
 *
 * Errors: -ENOENT (no arena from @arena on), -EINVAL (flags, reserved), -EFAULT,
 * -ENOMEM (the kernel's own memory), -EINTR (the caller was killed).
 */
struct aclkm_map {
	__u32 arena;
	__u32 flags;
	__u64 offset;
	__u64 count;
	__u64 extents;
	__u64 size;
	__u64 free;
	__u64 clean;
	__u64 held;
	__u64 nr_regions;
	__u64 poisoned;
	__u64 phys;
	__u64 align;
	__s32 node;
	__u32 reserved;
};

#define ACLKM_IOC_MAGIC		0xBC
#define ACLKM_IOC_INFO		_IOR(ACLKM_IOC_MAGIC, 0x00, struct aclkm_info)
#define ACLKM_IOC_ALLOC		_IOWR(ACLKM_IOC_MAGIC, 0x01, struct aclkm_alloc)
#define ACLKM_IOC_FREE		_IOW(ACLKM_IOC_MAGIC, 0x02, struct aclkm_free)
#define ACLKM_IOC_QUERY		_IOWR(ACLKM_IOC_MAGIC, 0x03, struct aclkm_query)
#define ACLKM_IOC_EXPORT	_IOWR(ACLKM_IOC_MAGIC, 0x04, struct aclkm_export)
#define ACLKM_IOC_IMPORT	_IOWR(ACLKM_IOC_MAGIC, 0x05, struct aclkm_import)
#define ACLKM_IOC_SYNC		_IOW(ACLKM_IOC_MAGIC, 0x06, struct aclkm_sync)
#define ACLKM_IOC_PIN		_IOWR(ACLKM_IOC_MAGIC, 0x07, struct aclkm_pin)
#define ACLKM_IOC_PHYS	_IOWR(ACLKM_IOC_MAGIC, 0x08, struct aclkm_phys)
#define ACLKM_IOC_MAP		_IOWR(ACLKM_IOC_MAGIC, 0x09, struct aclkm_map)

/*
 * mmap(): offset as given by ACLKM_IOC_ALLOC, IMPORT or QUERY, or any whole page
 * inside the region; MAP_SHARED only. To a 32-bit program these calls give offsets
 * that mmap2() can name. Without an address hint, and with one that is
 * not MAP_FIXED, the kernel chooses an address for the largest entries that the
 * region has. Errors: -EINVAL (an offset never handed out or freed, a length
 * that leaves the region, MAP_PRIVATE), -EACCES (PROT_WRITE on a read-only
 * handle).
 */

#endif /* _UAPI_LINUX_ACLKM_H */
