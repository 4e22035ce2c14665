// SPDX-License-Identifier: GPL-2.0
/*
 * aclkm: physically contiguous memory for user space, from arenas that are
 * reserved when the module is loaded.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "aclkm.h"

static char *reserve = "64M";
module_param(reserve, charp, 0444);
MODULE_PARM_DESC(reserve,
		 "arenas to reserve: SIZE[:PAGE[:NODE]][:force][,...], SIZE a multiple of 2M, PAGE 2M or 1G (default: 64M), or none");

static bool force;
module_param(force, bool, 0444);
MODULE_PARM_DESC(force, "reserve= may take the last tenth of the machine's memory too (default: no)");

static char *carveout;
module_param(carveout, charp, 0400);
MODULE_PARM_DESC(carveout,
		 "arenas in memory that the kernel was told to leave alone: SIZE@ADDR or the name of a reserved-memory node[,...], or none (default: the nodes compatible with aclkm,arena)");

static char *leave_out;
module_param(leave_out, charp, 0400);
MODULE_PARM_DESC(leave_out,
		 "in the kernel that writes a crash dump: what the dump leaves out, SIZE@ADDR[,...], as the file ranges had it");

static const struct file_operations aclkm_fops = {
	.owner = THIS_MODULE,
	.open = aclkm_open,
	.release = aclkm_release,
	.unlocked_ioctl = aclkm_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = aclkm_mmap,
	.get_unmapped_area = aclkm_get_unmapped_area,
	.show_fdinfo = aclkm_show_fdinfo,
	/* msync() of a mapping: memory has nowhere to be written to. */
	.fsync = noop_fsync,
	.llseek = noop_llseek,
};

static struct miscdevice aclkm_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "aclkm",
	.fops = &aclkm_fops,
	.mode = 0660,
	.groups = aclkm_groups,
};

static int __init aclkm_init(void)
{
	int err = aclkm_vmcore_init(leave_out);

	if (err)
		return err;
	err = aclkm_inode_init();
	if (err)
		goto vmcore;
	err = aclkm_cgroup_init();
	if (err)
		goto inode;
	err = aclkm_scrub_init();
	if (err)
		goto cgroup;
	aclkm_poison_init();
	/*
	 * A kernel that writes a crash dump needs the little memory that it has, and must
	 * not clear what the dump is of.
	 */
	if (aclkm_vmcore_here()) {
		reserve = "none";
		carveout = "none";
	}
	err = aclkm_arenas_init(reserve, carveout, force);
	if (err)
		goto poison;
	aclkm_poison_search();
	aclkm_debugfs_init();
	err = aclkm_power_init();
	if (err)
		goto arenas;
	err = misc_register(&aclkm_misc);
	if (err)
		goto power;
	return 0;

power:
	aclkm_power_exit();
arenas:
	aclkm_debugfs_exit();
	aclkm_arenas_exit();
poison:
	aclkm_poison_exit();
	aclkm_scrub_exit();
cgroup:
	aclkm_cgroup_exit();
inode:
	aclkm_inode_exit();
vmcore:
	aclkm_vmcore_exit();
	return err;
}

static void __exit aclkm_exit(void)
{
	misc_deregister(&aclkm_misc);
	aclkm_power_exit();
	aclkm_debugfs_exit();
	aclkm_release_exit();
	aclkm_arenas_exit();
	aclkm_poison_exit();
	aclkm_scrub_exit();
	aclkm_cgroup_exit();
	aclkm_inode_exit();
	aclkm_vmcore_exit();
}

module_init(aclkm_init);
module_exit(aclkm_exit);

MODULE_DESCRIPTION("Physically contiguous memory for devices, in user space");
MODULE_AUTHOR("The aclkm authors");
MODULE_VERSION(ACLKM_VERSION);
MODULE_LICENSE("GPL");
