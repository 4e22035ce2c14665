// SPDX-License-Identifier: GPL-2.0
/*
 * The inode that all mappings of /dev/aclkm belong to. Kernels such as 6.1 ask
 * ->huge_fault only in mappings of an inode with S_DAX, and let pages of these be
 * pinned for long only if it is a character device's; the device node's own
 * inode belongs to the file system that it is on.
 */
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#include "aclkm.h"

#define ACLKM_FS_MAGIC	0x61636c6b

static struct inode *inode;
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
 * aclkm_inode_init() - make the inode
 *
 * Return: 0 or an error.
 */
int aclkm_inode_init(void)
{
	int err;

	mount = kern_mount(&aclkm_fs);
	if (IS_ERR(mount))
		return PTR_ERR(mount);
	inode = alloc_anon_inode(mount->mnt_sb);
	if (IS_ERR(inode)) {
		err = PTR_ERR(inode);
		kern_unmount(mount);
		return err;
	}
	inode->i_mode = S_IFCHR | 0600;
	inode->i_flags |= S_DAX;
	return 0;
}

/**
 * aclkm_inode_exit() - drop it; nothing is mapped any more
 */
void aclkm_inode_exit(void)
{
	iput(inode);
	kern_unmount(mount);
}

/**
 * aclkm_inode() - the inode
 */
struct inode *aclkm_inode(void)
{
	return inode;
}
