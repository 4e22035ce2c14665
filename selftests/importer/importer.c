// SPDX-License-Identifier: GPL-2.0
/*
 * A device that uses dma-bufs, for tests: see importer.h. The addresses of the bounced
 * device are physical ones, as on PCs without an IOMMU, so its accesses go through the
 * kernel's own mapping.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-buf.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/iosys-map.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "importer.h"

/* Where the addresses of the device that records begin: no memory is there. */
#define RECORDED_START	BIT_ULL(44)

/**
 * struct importer - an open file, which is a device
 * @lock:	guards what follows
 * @pdev:	the device, while attached
 * @buf:	what it is attached to
 * @attach:	the attachment
 * @sgt:	the mapped list
 * @dir:	the direction of the mapping
 * @records:	the syncs
 */
struct importer {
	struct mutex lock; /* all below */
	struct platform_device *pdev;
	struct dma_buf *buf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	enum dma_data_direction dir;
	struct importer_records records;
};

/* The syncs of a device come from another thread's calls, under the driver's locks. */
static DEFINE_SPINLOCK(importer_records_lock);

static void importer_record(struct device *dev, dma_addr_t addr, size_t len,
			    enum dma_data_direction dir, bool for_cpu)
{
	struct importer *importer = dev_get_drvdata(dev);
	struct importer_records *records = &importer->records;

	spin_lock(&importer_records_lock);
	if (records->count < IMPORTER_RECORDS)
		records->record[records->count] = (struct importer_record){
			.offset = addr - RECORDED_START, .len = len, .dir = dir, .for_cpu = for_cpu,
		};
	records->count++;
	spin_unlock(&importer_records_lock);
}

static void importer_sync_for_cpu(struct device *dev, dma_addr_t addr, size_t len,
				  enum dma_data_direction dir)
{
	importer_record(dev, addr, len, dir, true);
}

static void importer_sync_for_device(struct device *dev, dma_addr_t addr, size_t len,
				     enum dma_data_direction dir)
{
	importer_record(dev, addr, len, dir, false);
}

/* One range for all entries. */
static int importer_map_sg(struct device *dev, struct scatterlist *sgl, int nr,
			   enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *sg;
	unsigned int total = 0;
	int i;

	for_each_sg(sgl, sg, nr, i)
		total += sg->length;
	sg_dma_address(sgl) = RECORDED_START;
	sg_dma_len(sgl) = total;
	return 1;
}

static void importer_unmap_sg(struct device *dev, struct scatterlist *sgl, int nr,
			      enum dma_data_direction dir, unsigned long attrs)
{
}

static const struct dma_map_ops importer_ops = {
	.map_sg = importer_map_sg,
	.unmap_sg = importer_unmap_sg,
	.sync_single_for_cpu = importer_sync_for_cpu,
	.sync_single_for_device = importer_sync_for_device,
};

static int importer_device(struct importer *importer, const struct importer_attach *req)
{
	struct platform_device *pdev;
	struct device *dev;

	pdev = platform_device_register_simple("aclkm_importer", PLATFORM_DEVID_AUTO, NULL, 0);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	dev = &pdev->dev;
	dev_set_drvdata(dev, importer);
	dev->dma_parms = devm_kzalloc(dev, sizeof(*dev->dma_parms), GFP_KERNEL);
	if (!dev->dma_parms) {
		platform_device_unregister(pdev);
		return -ENOMEM;
	}
	if (req->records)
		set_dma_ops(dev, &importer_ops);
	dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64));
	dma_set_max_seg_size(dev, req->max_seg ? req->max_seg : UINT_MAX);
	if (req->boundary)
		dma_set_seg_boundary(dev, req->boundary);
	importer->pdev = pdev;
	return 0;
}

static struct sg_table *importer_map(struct importer *importer, enum dma_data_direction dir)
{
	struct sg_table *sgt;

	dma_resv_lock(importer->buf->resv, NULL);
	sgt = dma_buf_map_attachment(importer->attach, dir);
	dma_resv_unlock(importer->buf->resv);
	return sgt;
}

static void importer_unmap(struct importer *importer, struct sg_table *sgt,
			   enum dma_data_direction dir)
{
	dma_resv_lock(importer->buf->resv, NULL);
	dma_buf_unmap_attachment(importer->attach, sgt, dir);
	dma_resv_unlock(importer->buf->resv);
}

static void importer_detach(struct importer *importer)
{
	if (!importer->pdev)
		return;
	if (importer->sgt)
		importer_unmap(importer, importer->sgt, importer->dir);
	importer->sgt = NULL;
	if (!IS_ERR_OR_NULL(importer->attach))
		dma_buf_detach(importer->buf, importer->attach);
	importer->attach = NULL;
	if (!IS_ERR_OR_NULL(importer->buf))
		dma_buf_put(importer->buf);
	importer->buf = NULL;
	platform_device_unregister(importer->pdev);
	importer->pdev = NULL;
}

static void importer_describe(const struct importer *importer, struct importer_attach *req)
{
	struct device *dev = &importer->pdev->dev;
	unsigned long boundary = dma_get_seg_boundary(dev);
	struct scatterlist *sg;
	int i;

	req->entries = importer->sgt->orig_nents;
	req->ranges = importer->sgt->nents;
	req->longest = 0;
	req->crossing = 0;
	req->total = 0;
	req->max_mapping = dma_max_mapping_size(dev);
	for_each_sgtable_sg(importer->sgt, sg, i) {
		phys_addr_t first = sg_phys(sg), last = first + sg->length - 1;

		req->longest = max(req->longest, sg->length);
		req->crossing += (first | boundary) != (last | boundary);
	}
	for_each_sgtable_dma_sg(importer->sgt, sg, i)
		req->total += sg_dma_len(sg);
}

static int importer_attach(struct importer *importer, struct importer_attach *req)
{
	int err;

	if (importer->pdev)
		return -EBUSY;
	if (req->dir > IMPORTER_FROM_DEVICE)
		return -EINVAL;
	err = importer_device(importer, req);
	if (err)
		return err;
	importer->dir = req->dir;
	importer->buf = dma_buf_get(req->fd);
	err = PTR_ERR_OR_ZERO(importer->buf);
	if (err)
		goto undo;
	importer->attach = dma_buf_attach(importer->buf, &importer->pdev->dev);
	err = PTR_ERR_OR_ZERO(importer->attach);
	if (err)
		goto undo;
	importer->sgt = importer_map(importer, req->dir);
	err = PTR_ERR_OR_ZERO(importer->sgt);
	if (err) {
		importer->sgt = NULL;
		goto undo;
	}
	importer_describe(importer, req);
	return 0;

undo:
	importer_detach(importer);
	return err;
}

/* The memory behind one of the device's addresses, and how much follows. */
static char *importer_at(const struct importer *importer, u64 offset, u64 *len)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(importer->sgt, sg, i) {
		if (offset < sg_dma_len(sg)) {
			*len = min_t(u64, *len, sg_dma_len(sg) - offset);
			return phys_to_virt(sg_dma_address(sg) + offset);
		}
		offset -= sg_dma_len(sg);
	}
	return NULL;
}

static int importer_access(struct importer *importer, struct importer_access *req, bool write)
{
	u64 offset = req->offset, left = req->len, len, i;
	int value = -1;

	if (!importer->sgt || get_dma_ops(&importer->pdev->dev) == &importer_ops)
		return -EINVAL;
	for (; left; left -= len, offset += len) {
		char *mem;

		len = left;
		mem = importer_at(importer, offset, &len);
		if (!mem)
			return -EINVAL;
		if (write) {
			memset(mem, req->value, len);
			continue;
		}
		if (left == req->len)
			value = (u8)mem[0];
		for (i = 0; i < len; i++)
			if ((u8)mem[i] != value)
				value = -1;
	}
	if (!write)
		req->value = value;
	return 0;
}

static int importer_vmap(const struct importer_vmap *req)
{
	struct dma_buf *buf = dma_buf_get(req->fd);
	struct iosys_map map;
	int err;

	if (IS_ERR(buf))
		return PTR_ERR(buf);
	dma_resv_lock(buf->resv, NULL);
	err = dma_buf_vmap(buf, &map);
	if (!err) {
		memset(map.vaddr, req->value, PAGE_SIZE);
		dma_buf_vunmap(buf, &map);
	}
	dma_resv_unlock(buf->resv);
	dma_buf_put(buf);
	return err;
}

static int importer_map_again(struct importer *importer, unsigned long dir)
{
	struct sg_table *sgt;

	if (!importer->sgt || dir > IMPORTER_FROM_DEVICE)
		return -EINVAL;
	sgt = importer_map(importer, dir);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	importer_unmap(importer, sgt, dir);
	return 0;
}

static int importer_records(struct importer *importer, struct importer_records __user *to)
{
	struct importer_records *copy = kmalloc(sizeof(*copy), GFP_KERNEL);
	int err;

	if (!copy)
		return -ENOMEM;
	spin_lock(&importer_records_lock);
	*copy = importer->records;
	importer->records.count = 0;
	spin_unlock(&importer_records_lock);
	err = copy_to_user(to, copy, sizeof(*copy)) ? -EFAULT : 0;
	kfree(copy);
	return err;
}

static long importer_call(struct importer *importer, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	union {
		struct importer_attach attach;
		struct importer_access access;
		struct importer_vmap vmap;
	} req;
	int err;

	if (_IOC_DIR(cmd) & _IOC_WRITE &&
	    (_IOC_SIZE(cmd) > sizeof(req) || copy_from_user(&req, user, _IOC_SIZE(cmd))))
		return -EFAULT;
	switch (cmd) {
	case IMPORTER_IOC_ATTACH:
		err = importer_attach(importer, &req.attach);
		break;
	case IMPORTER_IOC_DETACH:
		importer_detach(importer);
		return 0;
	case IMPORTER_IOC_WRITE:
		return importer_access(importer, &req.access, true);
	case IMPORTER_IOC_READ:
		err = importer_access(importer, &req.access, false);
		break;
	case IMPORTER_IOC_RECORDS:
		return importer_records(importer, user);
	case IMPORTER_IOC_VMAP:
		return importer_vmap(&req.vmap);
	case IMPORTER_IOC_MAP_AGAIN:
		return importer_map_again(importer, arg);
	default:
		return -ENOTTY;
	}
	if (!err && copy_to_user(user, &req, _IOC_SIZE(cmd)))
		err = -EFAULT;
	return err;
}

static long importer_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct importer *importer = filp->private_data;
	long err;

	mutex_lock(&importer->lock);
	err = importer_call(importer, cmd, arg);
	mutex_unlock(&importer->lock);
	return err;
}

static int importer_open(struct inode *inode, struct file *filp)
{
	struct importer *importer = kzalloc(sizeof(*importer), GFP_KERNEL);

	if (!importer)
		return -ENOMEM;
	mutex_init(&importer->lock);
	filp->private_data = importer;
	return 0;
}

static int importer_release(struct inode *inode, struct file *filp)
{
	struct importer *importer = filp->private_data;

	importer_detach(importer);
	kfree(importer);
	return 0;
}

static const struct file_operations importer_fops = {
	.owner = THIS_MODULE,
	.open = importer_open,
	.release = importer_release,
	.unlocked_ioctl = importer_ioctl,
};

static struct miscdevice importer_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "aclkm_importer",
	.fops = &importer_fops,
};

module_misc_device(importer_misc);

MODULE_DESCRIPTION("A device that uses dma-bufs, for tests");
MODULE_LICENSE("GPL");
ACLKM_IMPORT_DMA_BUF;
