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
#include "compat.h"

bool aclkm_vmcore_here(void)
{
	return is_kdump_kernel();
}

#ifdef CONFIG_PROC_VMCORE
#define HOLES_MAX	64

struct vmcore_hole {
	unsigned long pfn;
	unsigned long end;
};

static struct vmcore_hole vmcore_holes[HOLES_MAX];
static unsigned int vmcore_nr;

static bool vmcore_is_ram(unsigned long pfn)
{
	unsigned int i;

	for (i = 0; i < vmcore_nr; i++)
		if (pfn >= vmcore_holes[i].pfn && pfn < vmcore_holes[i].end)
			return false;
	return true;
}

ACLKM_VMCORE_FILTER(vmcore_filter, vmcore_is_ram)

static int vmcore_add(const struct aclkm_carve *carve)
{
	if (carve->node || vmcore_nr == HOLES_MAX) {
		pr_err("leave_out: at most %d ranges, each SIZE@ADDR\n", HOLES_MAX);
		return -EINVAL;
	}
	vmcore_holes[vmcore_nr++] = (struct vmcore_hole){
		.pfn = PHYS_PFN(carve->start), .end = PHYS_PFN(carve->start + carve->size),
	};
	pr_info("the dump leaves %llu MiB at %#llx out\n", carve->size / SZ_1M, carve->start);
	return 0;
}

/**
 * aclkm_vmcore_init() - leave ranges out of the dump that this kernel writes
 * @spec:	leave_out=, or NULL
 *
 * Return: 0, -EBUSY (another module filters the dump), or the errors of
 * aclkm_carveout_parse().
 */
int aclkm_vmcore_init(const char *spec)
{
	int err;

	if (!spec || !aclkm_vmcore_here())
		return 0;
	err = aclkm_carveout_parse(spec, vmcore_add);
	if (!err)
		err = aclkm_vmcore_register(&vmcore_filter);
	if (err)
		vmcore_nr = 0;
	return err;
}

/* The dump has all memory again. */
void aclkm_vmcore_exit(void)
{
	if (vmcore_nr)
		aclkm_vmcore_unregister(&vmcore_filter);
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
