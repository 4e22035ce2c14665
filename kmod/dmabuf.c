// SPDX-License-Identifier: GPL-2.0
/*
 * dma-bufs of regions and of pinned memory. A dma-buf stands for a part of the memory
 * behind a handle, and keeps that memory alive as a handle does. An importer, in this
 * process or another, reaches that part and nothing else. A read-only dma-buf refuses
 * each way in which its memory could be written: devices that write, writable mappings
 * of processes, and all mappings of the kernel, which can be no other than writable.
 */
#include <linux/dma-buf.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "aclkm.h"
#include "compat.h"
#include "trace.h"

/**
 * struct dmabuf_export - the memory behind a dma-buf
 * @memory:	which part of which memory; holds a reference
 * @attachments: the devices that use the dma-buf
 * @list:	in the exports of the region or the pinned memory
 */
struct dmabuf_export {
	struct aclkm_handle memory;
	struct aclkm_attachments attachments;
	struct list_head list;
};

static struct aclkm_exports *dmabuf_exports(const struct aclkm_handle *memory)
{
	return memory->region ? &memory->region->exports :
				aclkm_pinned_exports(memory->pinned);
}

static int dmabuf_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct dmabuf_export *export = dmabuf->priv;

	attach->priv = aclkm_attachment_create(&export->attachments, &export->memory,
					       attach->dev);
	return PTR_ERR_OR_ZERO(attach->priv);
}

static void dmabuf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct dmabuf_export *export = dmabuf->priv;

	aclkm_attachment_destroy(&export->attachments, attach->priv);
}

static struct sg_table *dmabuf_map(struct dma_buf_attachment *attach,
				   enum dma_data_direction dir)
{
	struct dmabuf_export *export = attach->dmabuf->priv;

	if (export->memory.read_only && dir != DMA_TO_DEVICE)
		return ERR_PTR(-EACCES);
	return aclkm_attachment_map(&export->attachments, attach->priv, dir);
}

static void dmabuf_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	struct dmabuf_export *export = attach->dmabuf->priv;

	aclkm_attachment_unmap(&export->attachments, attach->priv);
}

static int dmabuf_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir, bool begin)
{
	struct dmabuf_export *export = dmabuf->priv;

	/* Holders of a read-only dma-buf only read. */
	if (export->memory.read_only && dir != DMA_FROM_DEVICE)
		return -EACCES;
	return aclkm_attachments_sync(&export->attachments, 0, dmabuf->size, dir, begin);
}

static int dmabuf_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return dmabuf_cpu_access(dmabuf, dir, true);
}

static int dmabuf_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return dmabuf_cpu_access(dmabuf, dir, false);
}

static int dmabuf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct dmabuf_export *export = dmabuf->priv;
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

/* Contiguous, and the kernel's own mapping has the right cache mode. */
static void *dmabuf_address(struct dma_buf *dmabuf)
{
	struct dmabuf_export *export = dmabuf->priv;
	const struct aclkm_handle *memory = &export->memory;

	return phys_to_virt(memory->region->extent->start + memory->start);
}
ACLKM_DMABUF_VMAP(dmabuf_vmap, dmabuf_address)

static void dmabuf_release(struct dma_buf *dmabuf)
{
	struct dmabuf_export *export = dmabuf->priv;
	struct aclkm_exports *exports = dmabuf_exports(&export->memory);

	mutex_lock(&exports->lock);
	list_del(&export->list);
	mutex_unlock(&exports->lock);
	aclkm_handle_put(&export->memory);
	kfree(export);
}

#define DMABUF_OPS					\
	.attach = dmabuf_attach,			\
	.detach = dmabuf_detach,			\
	.map_dma_buf = dmabuf_map,			\
	.unmap_dma_buf = dmabuf_unmap,			\
	.begin_cpu_access = dmabuf_begin_cpu_access,	\
	.end_cpu_access = dmabuf_end_cpu_access,	\
	.mmap = dmabuf_mmap,				\
	.release = dmabuf_release

static const struct dma_buf_ops dmabuf_ops = {
	DMABUF_OPS,
	.vmap = dmabuf_vmap,
};

/*
 * An importer that maps a dma-buf into the kernel does not say whether it will write:
 * cameras do, without attaching. Scattered memory has no such mapping. The core warns
 * in the log when ->vmap fails, so these dma-bufs have none, which it refuses in silence.
 */
static const struct dma_buf_ops dmabuf_ops_without_vmap = {
	DMABUF_OPS,
};

static const struct dma_buf_ops *dmabuf_ops_for(const struct aclkm_handle *memory)
{
	return memory->region && !memory->read_only ? &dmabuf_ops : &dmabuf_ops_without_vmap;
}

static bool dmabuf_is_ours(const struct dma_buf *dmabuf)
{
	return dmabuf->ops == &dmabuf_ops || dmabuf->ops == &dmabuf_ops_without_vmap;
}

/**
 * aclkm_dmabuf_export() - make a dma-buf of a part of a handle's memory
 * @handle:	the memory; the dma-buf takes a reference
 * @offset:	first byte of the part, page-aligned, inside
 * @len:	bytes, page-aligned, inside
 * @read_only:	nobody can write to the memory through the dma-buf
 *
 * Return: the dma-buf, or an error.
 */
struct dma_buf *aclkm_dmabuf_export(const struct aclkm_handle *handle, u64 offset, u64 len,
				    bool read_only)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dmabuf_export *export = kzalloc(sizeof(*export), GFP_KERNEL_ACCOUNT);
	struct aclkm_exports *exports = dmabuf_exports(handle);
	struct dma_buf *dmabuf;

	if (!export)
		return ERR_PTR(-ENOMEM);
	export->memory = *handle;
	export->memory.start += offset;
	export->memory.len = len;
	export->memory.read_only |= read_only;
	aclkm_attachments_init(&export->attachments);

	info.exp_name = KBUILD_MODNAME;
	info.ops = dmabuf_ops_for(&export->memory);
	info.size = len;
	info.flags = export->memory.read_only ? O_RDONLY : O_RDWR;
	info.priv = export;
	dmabuf = dma_buf_export(&info);
	if (!IS_ERR(dmabuf)) {
		/* Entries of its mappings must be found when a page fails. */
		dmabuf->file->f_mapping = aclkm_dmabuf_mapping();
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
 * aclkm_dmabuf_import() - find the memory behind one of our dma-bufs
 * @fd:		from user space
 * @handle:	filled, with a reference
 *
 * Return: 0, -EBADF, -EINVAL (no dma-buf), or -EOPNOTSUPP (a dma-buf of another
 * driver, or of pinned memory).
 */
int aclkm_dmabuf_import(int fd, struct aclkm_handle *handle)
{
	struct dma_buf *dmabuf = dma_buf_get(fd);
	struct dmabuf_export *export;
	int err = -EOPNOTSUPP;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	if (!dmabuf_is_ours(dmabuf))
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

static enum dma_data_direction dmabuf_access(u32 flags)
{
	if (!(flags & ACLKM_SYNC_WRITE))
		return DMA_FROM_DEVICE;
	return flags & ACLKM_SYNC_READ ? DMA_BIDIRECTIONAL : DMA_TO_DEVICE;
}

/**
 * aclkm_dmabuf_sync() - hand a range over between processor and devices
 * @handle:	the memory
 * @offset:	first byte, inside
 * @len:	bytes, inside
 * @flags:	ACLKM_SYNC_*, checked
 *
 * The devices are those attached to a dma-buf that overlaps the range. Bytes outside
 * the range are not handed over.
 *
 * Return: 0, or -EINTR if the caller was killed.
 */
int aclkm_dmabuf_sync(const struct aclkm_handle *handle, u64 offset, u64 len, u32 flags)
{
	u64 start = handle->start + offset, end = start + len;
	struct aclkm_exports *exports = dmabuf_exports(handle);
	struct dmabuf_export *export;
	int err = 0;

	if (mutex_lock_killable(&exports->lock))
		return -EINTR;
	list_for_each_entry(export, &exports->list, list) {
		u64 first = export->memory.start, last = first + export->memory.len;

		if (first >= end || start >= last)
			continue;
		err = aclkm_attachments_sync(&export->attachments, max(start, first) - first,
					     min(end, last) - first, dmabuf_access(flags),
					     flags & ACLKM_SYNC_START);
		if (err)
			break;
	}
	mutex_unlock(&exports->lock);
	/* Also where no device is attached. */
	mb();
	return err;
}

ACLKM_IMPORT_DMA_BUF;
