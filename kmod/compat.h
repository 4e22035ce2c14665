/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that differs between kernels. The ACLKM_HAVE_* come from probe.sh.
 */
#ifndef ACLKM_COMPAT_H
#define ACLKM_COMPAT_H

#include <linux/gfp.h>
#include <linux/mm.h>

static inline void aclkm_vma_set_flags(struct vm_area_struct *vma, unsigned long flags)
{
#ifdef ACLKM_HAVE_VM_FLAGS_SET
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}

/* Takes every page of [start, end) out of the page allocator, each with one reference. */
static inline int aclkm_contig_take(unsigned long start, unsigned long end)
{
#ifdef ACLKM_HAVE_CONTIG_ACR_FLAGS
	return alloc_contig_range(start, end, ACR_FLAGS_NONE, GFP_KERNEL);
#else
	return alloc_contig_range(start, end, MIGRATE_MOVABLE, GFP_KERNEL);
#endif
}

#endif /* ACLKM_COMPAT_H */
