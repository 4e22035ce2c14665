// SPDX-License-Identifier: GPL-2.0
/*
 * The two inodes that all mappings of regions belong to, so that the entries of a page
 * can be dropped wherever it is mapped.
 *
 * Kernels such as 6.1 ask ->huge_fault only in mappings of an inode with S_DAX, and let
 * pages of these be pinned for long only if the file is a character device's. So
 * mappings of /dev/aclkm have an inode with S_DAX, and those of dma-bufs one without.
 * The device node's own inode belongs to the file system that it is on.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#include "aclkm.h"

#define ACLKM_FS_MAGIC	0x61636c6b

static struct inode *inode_device;
static struct inode *inode_dmabuf;
static struct vfsmount *mount;

static int inode_init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, ACLKM_FS_MAGIC) ? 0 : -ENOMEM;
}

/* Without an owner: our own mount would keep the module loaded for ever. */
static struct file_system_type aclkm_fs = {
	.name = "aclkm",
	.init_fs_context = inode_init_fs_context,
	.kill_sb = kill_anon_super,
};

/**
 * aclkm_inode_init() - make the inodes
 *
 * Return: 0 or an error.
 */
int aclkm_inode_init(void)
{
	int err;

	mount = kern_mount(&aclkm_fs);
	if (IS_ERR(mount))
		return PTR_ERR(mount);
	inode_device = alloc_anon_inode(mount->mnt_sb);
	err = PTR_ERR_OR_ZERO(inode_device);
	if (err)
		goto unmount;
	inode_dmabuf = alloc_anon_inode(mount->mnt_sb);
	err = PTR_ERR_OR_ZERO(inode_dmabuf);
	if (err)
		goto device;
	inode_device->i_mode = S_IFCHR | 0600;
	inode_device->i_flags |= S_DAX;
	return 0;

device:
	iput(inode_device);
unmount:
	kern_unmount(mount);
	return err;
}

/**
 * aclkm_inode_exit() - drop them; nothing is mapped any more
 */
void aclkm_inode_exit(void)
{
	iput(inode_dmabuf);
	iput(inode_device);
	kern_unmount(mount);
}

/**
 * aclkm_device_mapping() - what the mappings of /dev/aclkm belong to
 */
struct address_space *aclkm_device_mapping(void)
{
	return inode_device->i_mapping;
}

/**
 * aclkm_dmabuf_mapping() - what the mappings of dma-bufs belong to
 */
struct address_space *aclkm_dmabuf_mapping(void)
{
	return inode_dmabuf->i_mapping;
}

/**
 * aclkm_drop_entries() - drop the page-table entries of a range, in all mappings
 * @first:	first page, counted as vm_pgoff counts: see aclkm_vma_index()
 * @nr:		pages
 *
 * The entries come back by faults.
 */
void aclkm_drop_entries(pgoff_t first, pgoff_t nr)
{
	unmap_mapping_range(inode_device->i_mapping, PFN_PHYS(first), PFN_PHYS(nr), 0);
	unmap_mapping_range(inode_dmabuf->i_mapping, PFN_PHYS(first), PFN_PHYS(nr), 0);
}
