// SPDX-License-Identifier: GPL-2.0
/*
 * dma-bufs of regions and of pinned memory. A dma-buf stands for a part of what a
 * handle stands for, and holds the memory as a handle does; so whoever imports
 * it, here or in another process, can reach that part and nothing else.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/iosys-map.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "aclkm.h"
#include "compat.h"
#include "trace.h"

/**
 * struct export - the memory behind a dma-buf
 * @memory:	what part of what; with references
 * @lock:	guards @attachments
 * @attachments: devices that use it
 * @list:	in the exports of the region or the pinned memory
 */
struct export {
	struct aclkm_handle memory;
	struct mutex lock; /* the list */
	struct list_head attachments;
	struct list_head list;
};

/**
 * struct attachment - a device that uses a dma-buf
 * @list:	in the export's attachments
 * @dev:	the device
 * @sgt:	the memory's pieces; with its addresses while mapped
 * @dir:	which way the data goes, while mapped
 * @mapped:	for the device
 */
struct attachment {
	struct list_head list;
	struct device *dev;
	struct sg_table sgt;
	enum dma_data_direction dir;
	bool mapped;
};

/**
 * aclkm_exports_init() - of memory that has no dma-bufs yet
 * @exports:	in the region or the pinned memory
 */
void aclkm_exports_init(struct aclkm_exports *exports)
{
	mutex_init(&exports->lock);
	INIT_LIST_HEAD(&exports->list);
}

static struct aclkm_exports *exports_of(const struct aclkm_handle *memory)
{
	return memory->region ? &memory->region->exports :
				aclkm_pinned_exports(memory->pinned);
}

/* What one entry of a list may cover: its length is an int, and devices have limits. */
static u64 entry_max(struct device *dev)
{
	u64 max = ALIGN_DOWN(dma_get_max_seg_size(dev), PAGE_SIZE);

	return clamp_t(u64, max, PAGE_SIZE, SZ_1G);
}

static int region_sg(const struct aclkm_handle *memory, u64 max, struct sg_table *sgt)
{
	unsigned long pfn = PHYS_PFN(memory->region->extent->start + memory->start);
	u64 left = memory->len;
	struct scatterlist *sg;
	int err, i;

	err = sg_alloc_table(sgt, DIV_ROUND_UP_ULL(left, max), GFP_KERNEL);
	if (err)
		return err;
	for_each_sgtable_sg(sgt, sg, i) {
		u64 len = min(left, max);

		sg_set_page(sg, pfn_to_page(pfn), len, 0);
		pfn += PHYS_PFN(len);
		left -= len;
	}
	return 0;
}

static int export_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct export *export = dmabuf->priv;
	struct attachment *a = kzalloc(sizeof(*a), GFP_KERNEL);
	int err;

	if (!a)
		return -ENOMEM;
	if (export->memory.region)
		err = region_sg(&export->memory, entry_max(attach->dev), &a->sgt);
	else
		err = aclkm_pinned_sg(export->memory.pinned, export->memory.start,
				      export->memory.len, entry_max(attach->dev), &a->sgt);
	if (err) {
		kfree(a);
		return err;
	}
	a->dev = attach->dev;
	attach->priv = a;
	mutex_lock(&export->lock);
	list_add(&a->list, &export->attachments);
	mutex_unlock(&export->lock);
	return 0;
}

static void export_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct export *export = dmabuf->priv;
	struct attachment *a = attach->priv;

	mutex_lock(&export->lock);
	list_del(&a->list);
	mutex_unlock(&export->lock);
	sg_free_table(&a->sgt);
	kfree(a);
}

static struct sg_table *export_map(struct dma_buf_attachment *attach,
				   enum dma_data_direction dir)
{
	struct export *export = attach->dmabuf->priv;
	struct attachment *a = attach->priv;
	int err;

	if (export->memory.read_only && dir != DMA_TO_DEVICE)
		return ERR_PTR(-EACCES);
	mutex_lock(&export->lock);
	err = dma_map_sgtable(a->dev, &a->sgt, dir, 0);
	a->dir = dir;
	a->mapped = !err;
	mutex_unlock(&export->lock);
	return err ? ERR_PTR(err) : &a->sgt;
}

static void export_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	struct export *export = attach->dmabuf->priv;
	struct attachment *a = attach->priv;

	mutex_lock(&export->lock);
	a->mapped = false;
	dma_unmap_sgtable(a->dev, sgt, dir, 0);
	mutex_unlock(&export->lock);
}

static void export_sync(struct export *export, bool for_cpu)
{
	struct attachment *a;

	mutex_lock(&export->lock);
	list_for_each_entry(a, &export->attachments, list) {
		if (!a->mapped)
			continue;
		if (for_cpu)
			dma_sync_sgtable_for_cpu(a->dev, &a->sgt, a->dir);
		else
			dma_sync_sgtable_for_device(a->dev, &a->sgt, a->dir);
	}
	mutex_unlock(&export->lock);
	/* Nothing waits in the buffers of write-combining. */
	mb();
}

static int export_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	export_sync(dmabuf->priv, true);
	return 0;
}

static int export_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	export_sync(dmabuf->priv, false);
	return 0;
}

static int export_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct export *export = dmabuf->priv;
	const struct aclkm_handle *memory = &export->memory;

	if (!memory->region)
		return -EOPNOTSUPP;
	if (memory->read_only) {
		if (vma->vm_flags & VM_WRITE)
			return -EACCES;
		aclkm_vma_clear_flags(vma, VM_MAYWRITE);
	}
	return aclkm_region_mmap(memory->region, memory->start, memory->len, vma, vma->vm_pgoff);
}

static int export_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct export *export = dmabuf->priv;
	const struct aclkm_handle *memory = &export->memory;

	/* Contiguous, and the kernel's own mapping has the right type. */
	if (!memory->region)
		return -EOPNOTSUPP;
	iosys_map_set_vaddr(map, phys_to_virt(memory->region->extent->start + memory->start));
	return 0;
}

static void export_release(struct dma_buf *dmabuf)
{
	struct export *export = dmabuf->priv;
	struct aclkm_exports *exports = exports_of(&export->memory);

	mutex_lock(&exports->lock);
	list_del(&export->list);
	mutex_unlock(&exports->lock);
	aclkm_handle_put(&export->memory);
	kfree(export);
}

static const struct dma_buf_ops export_ops = {
	.attach = export_attach,
	.detach = export_detach,
	.map_dma_buf = export_map,
	.unmap_dma_buf = export_unmap,
	.begin_cpu_access = export_begin_cpu_access,
	.end_cpu_access = export_end_cpu_access,
	.mmap = export_mmap,
	.vmap = export_vmap,
	.release = export_release,
};

/**
 * aclkm_dmabuf_export() - make a dma-buf of a part of a handle's memory
 * @handle:	what; the dma-buf takes a reference
 * @offset:	first byte of the part, page-aligned, inside
 * @len:	bytes, page-aligned, inside
 * @read_only:	mappings of it cannot be written
 *
 * Return: the dma-buf, or an error.
 */
struct dma_buf *aclkm_dmabuf_export(const struct aclkm_handle *handle, u64 offset, u64 len,
				    bool read_only)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct export *export = kzalloc(sizeof(*export), GFP_KERNEL_ACCOUNT);
	struct aclkm_exports *exports = exports_of(handle);
	struct dma_buf *dmabuf;

	if (!export)
		return ERR_PTR(-ENOMEM);
	export->memory = *handle;
	export->memory.start += offset;
	export->memory.len = len;
	export->memory.read_only |= read_only;
	mutex_init(&export->lock);
	INIT_LIST_HEAD(&export->attachments);

	info.exp_name = KBUILD_MODNAME;
	info.ops = &export_ops;
	info.size = len;
	info.flags = export->memory.read_only ? O_RDONLY : O_RDWR;
	info.priv = export;
	dmabuf = dma_buf_export(&info);
	if (!IS_ERR(dmabuf)) {
		if (handle->region) {
			aclkm_region_get(handle->region);
			/* A device may write to it without a page fault. */
			aclkm_region_mark_used(handle->region);
		} else {
			aclkm_pinned_get(handle->pinned);
		}
		mutex_lock(&exports->lock);
		list_add(&export->list, &exports->list);
		mutex_unlock(&exports->lock);
	}
	trace_aclkm_export(handle->region, export->memory.start, len, PTR_ERR_OR_ZERO(dmabuf));
	if (IS_ERR(dmabuf))
		kfree(export);
	return dmabuf;
}

/**
 * aclkm_dmabuf_import() - what one of our dma-bufs stands for
 * @fd:		from user space
 * @handle:	filled, with a reference
 *
 * Return: 0, -EBADF, -EINVAL (no dma-buf), or -EOPNOTSUPP (not of a region of ours).
 */
int aclkm_dmabuf_import(int fd, struct aclkm_handle *handle)
{
	struct dma_buf *dmabuf = dma_buf_get(fd);
	struct export *export;
	int err = -EOPNOTSUPP;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	if (dmabuf->ops != &export_ops)
		goto put;
	export = dmabuf->priv;
	if (!export->memory.region)
		goto put;
	*handle = export->memory;
	handle->charge = 0;
	handle->imported = true;
	aclkm_region_get(handle->region);
	err = 0;
put:
	dma_buf_put(dmabuf);
	return err;
}

/**
 * aclkm_dmabuf_sync() - hand a range over between processor and devices
 * @handle:	the memory
 * @offset:	first byte, inside
 * @len:	bytes, inside
 * @flags:	ACLKM_SYNC_*, checked
 *
 * Devices are those attached to a dma-buf that overlaps the range.
 *
 * Return: 0 or -EINTR.
 */
int aclkm_dmabuf_sync(const struct aclkm_handle *handle, u64 offset, u64 len, u32 flags)
{
	u64 start = handle->start + offset, end = start + len;
	struct aclkm_exports *exports = exports_of(handle);
	struct export *export;

	if (mutex_lock_interruptible(&exports->lock))
		return -EINTR;
	list_for_each_entry(export, &exports->list, list) {
		if (export->memory.start < end &&
		    start < export->memory.start + export->memory.len)
			export_sync(export, flags & ACLKM_SYNC_START);
	}
	mutex_unlock(&exports->lock);
	/* Also where no device is attached. */
	mb();
	return 0;
}

ACLKM_IMPORT_DMA_BUF;
