// SPDX-License-Identifier: GPL-2.0
/*
 * Attachments: the devices that use a dma-buf. An attachment lists the memory in
 * entries that its device can take, maps them for the device, and hands byte ranges
 * over between processor and device. Devices with an IOMMU merge entries: the ranges
 * that the device sees need not be those of the list. So mapping records the pieces
 * that are contiguous on both sides, and a sync looks the first one up. The lock of a
 * dma-buf's attachments guards their list and orders their mapping and syncs.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "aclkm.h"

/* Bytes that a sync hands over between two looks at signals and the scheduler. */
#define SYNC_STEP	SZ_2M
/* Entries that a loop handles between two looks at the scheduler; a power of two. */
#define RESCHED_ENTRIES	1024

/**
 * struct attachment_piece - bytes that are contiguous for the processor and the device
 * @end:	first byte behind the piece, counted from the dma-buf's first byte
 * @addr:	the device's address of the piece's first byte
 */
struct attachment_piece {
	u64 end;
	dma_addr_t addr;
};

/**
 * struct aclkm_attachment - a device that uses a dma-buf
 * @list:	in the dma-buf's attachments
 * @dev:	the device
 * @sgt:	the memory, in entries that the device can take
 * @dir:	which way the data goes, while mapped
 * @mapped:	the device has addresses of the memory
 * @piece:	while mapped, the memory in ascending order; NULL if the device sees
 *		what the processor sees without any sync
 * @nr:		pieces
 */
struct aclkm_attachment {
	struct list_head list;
	struct device *dev;
	struct sg_table sgt;
	enum dma_data_direction dir;
	bool mapped;
	struct attachment_piece *piece;
	unsigned int nr;
};

/**
 * struct attachment_walk - cuts memory into entries that a device can take
 * @memory:	the memory
 * @max:	bytes that one entry may have, page-aligned
 * @boundary:	mask of the addresses that no entry may cross
 * @index:	the next extent of pinned memory
 * @skip:	bytes of the coming extents that lie before the memory
 * @phys:	address of the next entry
 * @left:	bytes left of the current extent
 * @total:	bytes left of the memory
 */
struct attachment_walk {
	const struct aclkm_handle *memory;
	u64 max;
	u64 boundary;
	u64 index;
	u64 skip;
	u64 phys;
	u64 left;
	u64 total;
};

static void attachment_walk_begin(struct attachment_walk *walk, struct device *dev,
				  const struct aclkm_handle *memory)
{
	u64 max = min_t(u64, dma_get_max_seg_size(dev), dma_max_mapping_size(dev));

	*walk = (struct attachment_walk){
		.memory = memory,
		/* The length of an entry is an unsigned int. */
		.max = clamp_t(u64, ALIGN_DOWN(max, PAGE_SIZE), PAGE_SIZE, SZ_1G),
		.boundary = max_t(u64, dma_get_seg_boundary(dev), PAGE_SIZE - 1),
		.total = memory->len,
	};
	if (memory->region) {
		walk->phys = memory->region->extent->start + memory->start;
		walk->left = memory->len;
	} else {
		walk->skip = memory->start;
	}
}

static void attachment_walk_extent(struct attachment_walk *walk)
{
	struct aclkm_phys_extent extent;

	for (;;) {
		extent = aclkm_pinned_extent(walk->memory->pinned, walk->index++);
		if (extent.len > walk->skip)
			break;
		walk->skip -= extent.len;
	}
	walk->phys = extent.phys + walk->skip;
	walk->left = min(extent.len - walk->skip, walk->total);
	walk->skip = 0;
}

/* The length of the next entry, which begins at walk->phys; 0 at the end. */
static u64 attachment_walk_next(struct attachment_walk *walk)
{
	u64 len;

	if (!walk->total)
		return 0;
	if (!walk->left)
		attachment_walk_extent(walk);
	len = min(walk->left, walk->max);
	/* A mask of all ones must not overflow. */
	return min(len - 1, walk->boundary - (walk->phys & walk->boundary)) + 1;
}

static void attachment_walk_advance(struct attachment_walk *walk, u64 len)
{
	walk->phys += len;
	walk->left -= len;
	walk->total -= len;
}

static void attachment_resched(unsigned int entries)
{
	if (!(entries & (RESCHED_ENTRIES - 1)))
		cond_resched();
}

static int attachment_list(struct device *dev, const struct aclkm_handle *memory,
			   struct sg_table *sgt)
{
	struct attachment_walk walk;
	struct scatterlist *sg;
	unsigned int nr = 0;
	u64 len;
	int err, i;

	attachment_walk_begin(&walk, dev, memory);
	while ((len = attachment_walk_next(&walk))) {
		attachment_walk_advance(&walk, len);
		attachment_resched(++nr);
	}
	err = sg_alloc_table(sgt, nr, GFP_KERNEL);
	if (err)
		return err;
	attachment_walk_begin(&walk, dev, memory);
	for_each_sgtable_sg(sgt, sg, i) {
		len = attachment_walk_next(&walk);
		sg_set_page(sg, pfn_to_page(PHYS_PFN(walk.phys)), len, 0);
		attachment_walk_advance(&walk, len);
		attachment_resched(i);
	}
	return 0;
}

/**
 * aclkm_attachments_init() - of a dma-buf that no device uses yet
 * @attachments: the dma-buf's
 */
void aclkm_attachments_init(struct aclkm_attachments *attachments)
{
	mutex_init(&attachments->lock);
	INIT_LIST_HEAD(&attachments->list);
}

/**
 * aclkm_attachment_create() - list memory for a device
 * @attachments: the dma-buf's
 * @memory:	what the dma-buf stands for
 * @dev:	the device
 *
 * Return: the attachment, or -ENOMEM.
 */
struct aclkm_attachment *aclkm_attachment_create(struct aclkm_attachments *attachments,
						 const struct aclkm_handle *memory,
						 struct device *dev)
{
	struct aclkm_attachment *attachment = kzalloc(sizeof(*attachment), GFP_KERNEL);
	int err;

	if (!attachment)
		return ERR_PTR(-ENOMEM);
	err = attachment_list(dev, memory, &attachment->sgt);
	if (err) {
		kfree(attachment);
		return ERR_PTR(err);
	}
	attachment->dev = dev;
	mutex_lock(&attachments->lock);
	list_add(&attachment->list, &attachments->list);
	mutex_unlock(&attachments->lock);
	return attachment;
}

/**
 * aclkm_attachment_destroy() - the device does not use the dma-buf any more
 * @attachments: the dma-buf's
 * @attachment:	not mapped
 */
void aclkm_attachment_destroy(struct aclkm_attachments *attachments,
			      struct aclkm_attachment *attachment)
{
	mutex_lock(&attachments->lock);
	list_del(&attachment->list);
	mutex_unlock(&attachments->lock);
	sg_free_table(&attachment->sgt);
	kfree(attachment);
}

static bool attachment_needs_sync(const struct aclkm_attachment *attachment)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(&attachment->sgt, sg, i) {
		if (dma_need_sync(attachment->dev, sg_dma_address(sg)))
			return true;
		attachment_resched(i);
	}
	return false;
}

/* Walks the entries and the device's ranges, which have the same bytes in the same order. */
static int attachment_find_pieces(struct aclkm_attachment *attachment)
{
	struct sg_table *sgt = &attachment->sgt;
	struct scatterlist *entry = sgt->sgl, *range = sgt->sgl;
	u64 entry_left = entry->length, range_left = sg_dma_len(range), pos = 0;
	dma_addr_t addr = sg_dma_address(range);
	unsigned int nr_ranges = sgt->nents;
	struct attachment_piece *piece;

	/* Each piece but the last ends where an entry or a range does. */
	piece = kvmalloc_array((size_t)sgt->orig_nents + sgt->nents, sizeof(*piece),
			       GFP_KERNEL | __GFP_NOWARN);
	if (!piece)
		return -ENOMEM;
	attachment->nr = 0;
	for (;;) {
		u64 len = min(entry_left, range_left);

		pos += len;
		piece[attachment->nr++] = (struct attachment_piece){ .end = pos, .addr = addr };
		addr += len;
		entry_left -= len;
		range_left -= len;
		if (!entry_left) {
			entry = sg_next(entry);
			if (!entry)
				break;
			entry_left = entry->length;
		}
		if (!range_left) {
			if (WARN_ON_ONCE(!--nr_ranges)) {
				kvfree(piece);
				return -EIO;
			}
			range = sg_next(range);
			range_left = sg_dma_len(range);
			addr = sg_dma_address(range);
		}
		attachment_resched(attachment->nr);
	}
	attachment->piece = piece;
	return 0;
}

static int attachment_map(struct aclkm_attachment *attachment, enum dma_data_direction dir)
{
	int err;

	/* A second mapping would overwrite the addresses of the first one. */
	if (attachment->mapped)
		return -EBUSY;
	err = dma_map_sgtable(attachment->dev, &attachment->sgt, dir, 0);
	if (err)
		return err;
	if (attachment_needs_sync(attachment)) {
		err = attachment_find_pieces(attachment);
		if (err) {
			dma_unmap_sgtable(attachment->dev, &attachment->sgt, dir, 0);
			return err;
		}
	}
	attachment->dir = dir;
	attachment->mapped = true;
	return 0;
}

/**
 * aclkm_attachment_map() - map the memory for a device
 * @attachments: the dma-buf's
 * @attachment:	the device's
 * @dir:	which way the data goes
 *
 * Return: the list with these addresses, -EBUSY if the device has them already,
 * -EINTR if the caller was killed, or the errors of dma_map_sgtable().
 */
struct sg_table *aclkm_attachment_map(struct aclkm_attachments *attachments,
				      struct aclkm_attachment *attachment,
				      enum dma_data_direction dir)
{
	int err;

	if (mutex_lock_killable(&attachments->lock))
		return ERR_PTR(-EINTR);
	err = attachment_map(attachment, dir);
	mutex_unlock(&attachments->lock);
	return err ? ERR_PTR(err) : &attachment->sgt;
}

/**
 * aclkm_attachment_unmap() - unmap the memory from the device
 * @attachments: the dma-buf's
 * @attachment:	mapped
 */
void aclkm_attachment_unmap(struct aclkm_attachments *attachments,
			    struct aclkm_attachment *attachment)
{
	mutex_lock(&attachments->lock);
	attachment->mapped = false;
	kvfree(attachment->piece);
	attachment->piece = NULL;
	dma_unmap_sgtable(attachment->dev, &attachment->sgt, attachment->dir, 0);
	mutex_unlock(&attachments->lock);
}

/* In which direction a sync hands bytes over, or DMA_NONE if it need not. */
static enum dma_data_direction attachment_sync_dir(enum dma_data_direction mapped,
						   enum dma_data_direction access, bool for_cpu)
{
	if (mapped == DMA_BIDIRECTIONAL)
		return access;
	if (access == DMA_BIDIRECTIONAL || access == mapped)
		return mapped;
	/* A dirty cache line would be written over what the device writes. */
	if (mapped == DMA_FROM_DEVICE && !for_cpu)
		return mapped;
	return DMA_NONE;
}

/* The first piece that ends behind a byte. */
static unsigned int attachment_find(const struct aclkm_attachment *attachment, u64 pos)
{
	unsigned int low = 0, high = attachment->nr;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (attachment->piece[middle].end > pos)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static int attachment_sync(struct aclkm_attachment *attachment, u64 start, u64 end,
			   enum dma_data_direction access, bool for_cpu)
{
	enum dma_data_direction dir = attachment_sync_dir(attachment->dir, access, for_cpu);
	unsigned int i;
	u64 pos = start;

	if (!attachment->piece || dir == DMA_NONE)
		return 0;
	for (i = attachment_find(attachment, start); pos < end; i++) {
		const struct attachment_piece *piece = &attachment->piece[i];
		u64 first = i ? piece[-1].end : 0, last = min(piece->end, end);

		while (pos < last) {
			dma_addr_t addr = piece->addr + (pos - first);
			u64 len = min_t(u64, last - pos, SYNC_STEP);

			if (fatal_signal_pending(current))
				return -EINTR;
			if (for_cpu)
				dma_sync_single_for_cpu(attachment->dev, addr, len, dir);
			else
				dma_sync_single_for_device(attachment->dev, addr, len, dir);
			pos += len;
			cond_resched();
		}
	}
	return 0;
}

/**
 * aclkm_attachments_sync() - hand a range over between processor and devices
 * @attachments: the dma-buf's
 * @start:	first byte, counted from the dma-buf's first byte
 * @end:	first byte behind the range, inside
 * @access:	DMA_FROM_DEVICE where the processor reads, DMA_TO_DEVICE where it writes
 * @for_cpu:	before the access, or else after it
 *
 * Return: 0, or -EINTR if the caller was killed.
 */
int aclkm_attachments_sync(struct aclkm_attachments *attachments, u64 start, u64 end,
			   enum dma_data_direction access, bool for_cpu)
{
	struct aclkm_attachment *attachment;
	int err = 0;

	if (mutex_lock_killable(&attachments->lock))
		return -EINTR;
	list_for_each_entry(attachment, &attachments->list, list) {
		if (!attachment->mapped)
			continue;
		err = attachment_sync(attachment, start, end, access, for_cpu);
		if (err)
			break;
	}
	mutex_unlock(&attachments->lock);
	/* Drains the buffers of write-combining. */
	mb();
	return err;
}
