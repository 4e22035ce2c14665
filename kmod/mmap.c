// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of regions. Each page-table entry holds a reference of its page, so
 * get_user_pages() works, and each vma one of its region, so that forked, split,
 * moved and partly unmapped vmas need no account of their own.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "aclkm.h"
#include "compat.h"

#define OFFSET_PAGES	(ACLKM_REGION_MAX >> PAGE_SHIFT)
#define BATCH_PAGES	(PAGE_SIZE / sizeof(struct page *))

static void vma_open(struct vm_area_struct *vma)
{
	aclkm_region_get(vma->vm_private_data);
}

static void vma_close(struct vm_area_struct *vma)
{
	aclkm_region_put(vma->vm_private_data);
}

/* Reached only where the entries of mmap() were dropped again: MADV_DONTNEED, migration. */
static vm_fault_t vma_fault(struct vm_fault *vmf)
{
	struct aclkm_region *region = vmf->vma->vm_private_data;
	struct page *page = aclkm_region_page(region, vmf->pgoff & (OFFSET_PAGES - 1));

	if (!page)
		return VM_FAULT_SIGBUS;
	get_page(page);
	vmf->page = page;
	return 0;
}

static const struct vm_operations_struct aclkm_vm_ops = {
	.open = vma_open,
	.close = vma_close,
	.fault = vma_fault,
};

/* Enters all pages at once: the memory is resident, so a fault would only cost time. */
static int map_pages(struct vm_area_struct *vma, const struct aclkm_region *region,
		     pgoff_t first)
{
	struct page **pages = (struct page **)__get_free_page(GFP_KERNEL_ACCOUNT);
	unsigned long addr = vma->vm_start;
	int err = 0;

	if (!pages)
		return -ENOMEM;
	while (addr < vma->vm_end && !err) {
		unsigned long n = min_t(unsigned long, BATCH_PAGES,
					(vma->vm_end - addr) >> PAGE_SHIFT);
		unsigned long left = n, i;

		for (i = 0; i < n; i++)
			pages[i] = aclkm_region_page(region, first + i);
		err = vm_insert_pages(vma, addr, pages, &left);
		if (fatal_signal_pending(current))
			err = -EINTR;
		first += n;
		addr += n << PAGE_SHIFT;
		cond_resched();
	}
	free_page((unsigned long)pages);
	return err;
}

/**
 * aclkm_mmap() - map a part of a region
 * @filp:	the open file
 * @vma:	its offset is one that ALLOC gave, plus whole pages
 *
 * Return: 0, -EINVAL (private mapping, unknown offset, end past the region),
 * -ENOMEM, or -EINTR when the caller was killed.
 */
int aclkm_mmap(struct file *filp, struct vm_area_struct *vma)
{
	pgoff_t handle = vma->vm_pgoff / OFFSET_PAGES;
	pgoff_t first = vma->vm_pgoff % OFFSET_PAGES;
	struct aclkm_region *region;
	unsigned long pages;
	int err = -EINVAL;

	if (!(vma->vm_flags & (VM_SHARED | VM_MAYSHARE)) || handle > ACLKM_HANDLE_MAX)
		return -EINVAL;
	region = aclkm_file_lookup(filp->private_data, handle);
	if (!region)
		return -EINVAL;

	pages = PHYS_PFN(region->extent->len);
	if (first >= pages || vma_pages(vma) > pages - first)
		goto put;

	aclkm_vma_set_flags(vma, VM_MIXEDMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &aclkm_vm_ops;
	vma->vm_private_data = region;
	err = map_pages(vma, region, first);
	if (err)
		goto put;
	return 0;

put:
	/* The core calls no close after a failed mmap, and unmaps what is there. */
	aclkm_region_put(region);
	return err;
}
