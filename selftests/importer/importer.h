/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/aclkm_importer: a device that uses a dma-buf, for tests. Each open file is a
 * device of its own. The device is either behind bounce buffers (swiotlb=force), and
 * reads and writes where its addresses point to, or it has an IOMMU that merges all
 * entries of the list, and records the syncs that the driver asks for.
 */
#ifndef ACLKM_IMPORTER_H
#define ACLKM_IMPORTER_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IMPORTER_PATH		"/dev/aclkm_importer"

/* struct importer_attach.dir, as enum dma_data_direction */
#define IMPORTER_BOTH		0
#define IMPORTER_TO_DEVICE	1
#define IMPORTER_FROM_DEVICE	2

/**
 * struct importer_attach - attach to a dma-buf and map it
 * @fd:		in: the dma-buf
 * @dir:	in: IMPORTER_*
 * @records:	in: not 0 for the device that merges and records
 * @max_seg:	in: bytes that the device takes in one entry, or 0
 * @boundary:	in: mask of the addresses that no entry may cross, or 0
 * @entries:	out: entries of the list
 * @ranges:	out: address ranges that the device sees
 * @longest:	out: bytes of the longest entry
 * @crossing:	out: entries that cross the boundary
 * @max_mapping: out: what the kernel says of the device
 * @total:	out: bytes that the device sees
 */
struct importer_attach {
	__s32 fd;
	__u32 dir;
	__u32 records;
	__u32 max_seg;
	__u64 boundary;
	__u32 entries;
	__u32 ranges;
	__u32 longest;
	__u32 crossing;
	__u64 max_mapping;
	__u64 total;
};

/**
 * struct importer_access - what the device does to the memory
 * @offset:	in: first byte
 * @len:	in: bytes
 * @value:	in: what a write writes. out: what all bytes of a read are, or -1
 * @reserved:	in: 0
 */
struct importer_access {
	__u64 offset;
	__u64 len;
	__s32 value;
	__u32 reserved;
};

/**
 * struct importer_record - a sync of the device that records
 * @offset:	bytes from the device's first address
 * @len:	bytes
 * @dir:	IMPORTER_*
 * @for_cpu:	1 before an access of the processor, 0 after
 */
struct importer_record {
	__u64 offset;
	__u64 len;
	__u32 dir;
	__u32 for_cpu;
};

#define IMPORTER_RECORDS	64

/**
 * struct importer_records - the syncs since the last call
 * @count:	out: how many; the first IMPORTER_RECORDS of them are in @record
 * @reserved:	in: 0
 * @record:	out: in the order in which the driver asked for them
 */
struct importer_records {
	__u32 count;
	__u32 reserved;
	struct importer_record record[IMPORTER_RECORDS];
};

/**
 * struct importer_vmap - map a dma-buf into the kernel and write to it there
 * @fd:		in: the dma-buf
 * @value:	in: the byte that the first page is filled with
 */
struct importer_vmap {
	__s32 fd;
	__s32 value;
};

#define IMPORTER_IOC_ATTACH	_IOWR(0xBD, 0, struct importer_attach)
#define IMPORTER_IOC_DETACH	_IO(0xBD, 1)
#define IMPORTER_IOC_WRITE	_IOW(0xBD, 2, struct importer_access)
#define IMPORTER_IOC_READ	_IOWR(0xBD, 3, struct importer_access)
#define IMPORTER_IOC_RECORDS	_IOR(0xBD, 4, struct importer_records)
#define IMPORTER_IOC_VMAP	_IOW(0xBD, 5, struct importer_vmap)
/* The argument is one of IMPORTER_*: maps once more; undone if it succeeds. */
#define IMPORTER_IOC_MAP_AGAIN	_IO(0xBD, 6)

#endif /* ACLKM_IMPORTER_H */
