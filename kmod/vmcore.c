// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves arenas out of crash dumps. The kernel that writes the dump loads this module
 * with leave_out=, the ranges that the crashed kernel's arenas had. They then read as
 * zeros from /proc/vmcore, and makedumpfile leaves pages of zeros out. No mark in the
 * pages themselves could say so: see Documentation/design.md.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/crash_dump.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "aclkm.h"

bool aclkm_vmcore_here(void)
{
	return is_kdump_kernel();
}

#ifdef CONFIG_PROC_VMCORE
#define RANGES_MAX	64

struct vmcore_range {
	unsigned long pfn;
	unsigned long end;
};

static struct vmcore_range vmcore_ranges[RANGES_MAX];
static unsigned int vmcore_nr;

static bool vmcore_pfn_is_ram(struct vmcore_cb *cb, unsigned long pfn)
{
	unsigned int i;

	for (i = 0; i < vmcore_nr; i++)
		if (pfn >= vmcore_ranges[i].pfn && pfn < vmcore_ranges[i].end)
			return false;
	return true;
}

static struct vmcore_cb vmcore_cb = { .pfn_is_ram = vmcore_pfn_is_ram };

static int vmcore_add(const struct aclkm_carve *carve)
{
	if (carve->node || vmcore_nr == RANGES_MAX) {
		pr_err("leave_out: at most %d ranges, each SIZE@ADDR\n", RANGES_MAX);
		return -EINVAL;
	}
	vmcore_ranges[vmcore_nr++] = (struct vmcore_range){
		.pfn = PHYS_PFN(carve->start), .end = PHYS_PFN(carve->start + carve->size),
	};
	pr_info("the dump leaves %llu MiB at %#llx out\n", carve->size / SZ_1M, carve->start);
	return 0;
}

/**
 * aclkm_vmcore_init() - leave ranges out of the dump that this kernel writes
 * @spec:	leave_out=, or NULL
 *
 * Return: 0, or the errors of aclkm_carveout_parse().
 */
int aclkm_vmcore_init(const char *spec)
{
	int err;

	if (!spec || !aclkm_vmcore_here())
		return 0;
	err = aclkm_carveout_parse(spec, vmcore_add);
	if (!err)
		register_vmcore_cb(&vmcore_cb);
	else
		vmcore_nr = 0;
	return err;
}

/* The dump has all memory again. */
void aclkm_vmcore_exit(void)
{
	if (vmcore_nr)
		unregister_vmcore_cb(&vmcore_cb);
}
#else
int aclkm_vmcore_init(const char *spec)
{
	return 0;
}

void aclkm_vmcore_exit(void)
{
}
#endif
