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
#define ACLKM_FEATURE_HUGE_1G	(1ULL << 2) /* mappings use 1 GiB page-table entries */

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
};

/**
 * struct aclkm_alloc - take a contiguous, zeroed region
 * @size:	in: bytes, not 0; out: bytes given, rounded up to the granule
 * @align:	in: physical alignment, a power of two up to ACLKM_ALIGN_MAX;
 *		0 and anything below the page size mean the page size
 * @flags:	in: none is defined yet, 0
 * @node:	in: NUMA node wanted, or ACLKM_NODE_ANY; strict. out: node given
 * @handle:	out: the region in this open file, never 0
 * @reserved:	in: 0
 * @offset:	out: where mmap() of this open file maps the region
 * @free:	out: after -ENOSPC, the bytes that are free on the wanted node
 * @largest_free: out: after -ENOSPC, the largest free piece on that node
 *
 * Errors: -EINVAL (size 0 or within a page of 2^64, alignment, flags, reserved,
 * a node that does not exist), -ENOSPC (no free piece fits: @free and
 * @largest_free tell), -ENOMEM (the kernel's own memory), -EINTR (the caller
 * was killed while the memory was being cleared), -EMFILE (too many regions in
 * this open file).
 */
struct aclkm_alloc {
	__u64 size;
	__u64 align;
	__u32 flags;
	__s32 node;
	__u32 handle;
	__u32 reserved;
	__u64 offset;
	__u64 free;
	__u64 largest_free;
};

/**
 * struct aclkm_free - give a handle back
 * @handle:	in: from ACLKM_IOC_ALLOC
 * @flags:	in: 0
 *
 * The handle and its mmap offset are invalid at once. The memory returns to
 * its arena when the last mapping of it is gone and nobody pins its pages.
 *
 * Errors: -ENOENT (no such handle in this open file), -EINVAL (flags).
 */
struct aclkm_free {
	__u32 handle;
	__u32 flags;
};

/* struct aclkm_query.flags, out */
#define ACLKM_QUERY_PHYS	(1U << 0) /* @phys is valid: the caller has CAP_SYS_RAWIO */

/**
 * struct aclkm_query - what a region is
 * @handle:	in: from ACLKM_IOC_ALLOC
 * @flags:	in: 0; out: ACLKM_QUERY_*
 * @size:	out: bytes
 * @offset:	out: mmap offset
 * @phys:	out: physical address of the first byte; 0 unless ACLKM_QUERY_PHYS
 * @align:	out: alignment that the physical address was asked to have
 * @map_page:	out: bytes that one page-table entry of a mapping covers
 * @node:	out: NUMA node
 * @reserved:	in: 0
 *
 * Errors: -ENOENT (no such handle in this open file), -EINVAL (flags,
 * reserved).
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
	__u32 reserved;
};

#define ACLKM_IOC_MAGIC		0xBC
#define ACLKM_IOC_INFO		_IOR(ACLKM_IOC_MAGIC, 0x00, struct aclkm_info)
#define ACLKM_IOC_ALLOC		_IOWR(ACLKM_IOC_MAGIC, 0x01, struct aclkm_alloc)
#define ACLKM_IOC_FREE		_IOW(ACLKM_IOC_MAGIC, 0x02, struct aclkm_free)
#define ACLKM_IOC_QUERY		_IOWR(ACLKM_IOC_MAGIC, 0x03, struct aclkm_query)

/*
 * mmap(): offset as given by ACLKM_IOC_ALLOC, or any whole page inside the
 * region; MAP_SHARED only. Errors: -EINVAL (an offset never handed out or
 * freed, a length that leaves the region, MAP_PRIVATE).
 */

#endif /* _UAPI_LINUX_ACLKM_H */
