// SPDX-License-Identifier: GPL-2.0
/*
 * aclkm: physically contiguous memory for user space, from arenas that are
 * reserved when the module is loaded.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "aclkm.h"

static char *reserve = "64M";
module_param(reserve, charp, 0444);
MODULE_PARM_DESC(reserve,
		 "arenas to reserve: SIZE[:PAGE[:NODE]][,...], SIZE a multiple of 2M, PAGE 2M or 1G (default: 64M)");

static int aclkm_open(struct inode *inode, struct file *filp)
{
	struct aclkm_file *file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);

	if (!file)
		return -ENOMEM;
	xa_init_flags(&file->regions, XA_FLAGS_ALLOC1);
	filp->private_data = file;
	return 0;
}

static int aclkm_release(struct inode *inode, struct file *filp)
{
	struct aclkm_file *file = filp->private_data;
	struct aclkm_region *region;
	unsigned long handle;

	xa_for_each(&file->regions, handle, region)
		aclkm_region_put(region);
	xa_destroy(&file->regions);
	kfree(file);
	return 0;
}

static const struct file_operations aclkm_fops = {
	.owner = THIS_MODULE,
	.open = aclkm_open,
	.release = aclkm_release,
	.unlocked_ioctl = aclkm_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = aclkm_mmap,
	.llseek = noop_llseek,
};

static struct miscdevice aclkm_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "aclkm",
	.fops = &aclkm_fops,
	.mode = 0660,
};

static int __init aclkm_init(void)
{
	int err = aclkm_arenas_init(reserve);

	if (err)
		return err;
	err = misc_register(&aclkm_misc);
	if (err)
		aclkm_arenas_exit();
	return err;
}

static void __exit aclkm_exit(void)
{
	misc_deregister(&aclkm_misc);
	aclkm_arenas_exit();
}

module_init(aclkm_init);
module_exit(aclkm_exit);

MODULE_DESCRIPTION("Physically contiguous memory for devices, in user space");
MODULE_AUTHOR("The aclkm authors");
MODULE_LICENSE("GPL");
