// SPDX-License-Identifier: GPL-2.0
/*
 * mmap(): which address a mapping gets, and what is entered into it at once.
 *
 * Single pages are entered at once, each entry with a reference of its page.
 * Compound units are left to the first touch (vma.c), one entry for the whole unit.
 * Either way get_user_pages() works. Write-combined and uncached regions are entered
 * as plain frame numbers, which nobody can pin.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "aclkm.h"
#include "compat.h"
#include "pages.h"
#include "trace.h"

#define BATCH_PAGES	(PAGE_SIZE / sizeof(struct page *))

static bool mmap_has_poison(const struct aclkm_region *region)
{
	return aclkm_arena_has_poison(region->arena, region->extent->start, region->extent->len);
}

static void mmap_mark_units(const struct aclkm_region *region, u64 start, u64 len)
{
	u64 from = ALIGN_DOWN(region->extent->start + start, SZ_2M);

	aclkm_unit_mark_used(from, region->extent->start + start + len - from);
}

/* Enters single pages: the memory is resident, so faults would only cost time. */
static int mmap_pages(struct vm_area_struct *vma, const struct aclkm_region *region,
		      unsigned long addr, unsigned long end)
{
	pgoff_t index = aclkm_vma_index(vma, addr);
	struct page **pages;
	int err = 0;

	if (addr >= end)
		return 0;
	if (region->order)
		mmap_mark_units(region, PFN_PHYS(index), end - addr);
	if (end - addr == PAGE_SIZE)
		return vm_insert_page(vma, addr, aclkm_region_page(region, index));
	pages = (struct page **)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!pages)
		return -ENOMEM;
	while (addr < end && !err) {
		unsigned long n = min_t(unsigned long, BATCH_PAGES, PHYS_PFN(end - addr));
		unsigned long left = n, i;

		for (i = 0; i < n; i++)
			pages[i] = aclkm_region_page(region, index + i);
		err = vm_insert_pages(vma, addr, pages, &left);
		if (fatal_signal_pending(current))
			err = -EINTR;
		index += n;
		addr += PFN_PHYS(n);
		cond_resched();
	}
	free_page((unsigned long)pages);
	/* What vm_insert_pages() says of a page table that it could not get. */
	return err == -EFAULT ? -ENOMEM : err;
}

/* The part of a mapping that is left to faults, which enter whole units; may be empty. */
static void mmap_unit_part(const struct aclkm_region *region, struct vm_area_struct *vma,
			   unsigned long *start, unsigned long *end)
{
	u64 phys = region->extent->start + PFN_PHYS(aclkm_vma_index(vma, vma->vm_start));

	*start = *end = vma->vm_end;
	if (!region->order || !IS_ALIGNED(phys ^ vma->vm_start, SZ_2M) ||
	    !aclkm_file_faults_units(vma->vm_file))
		return;
	*start = ALIGN(vma->vm_start, SZ_2M);
	*end = ALIGN_DOWN(vma->vm_end, SZ_2M);
	if (*start >= *end)
		*start = *end = vma->vm_end;
}

static int mmap_wb(struct aclkm_region *region, struct vm_area_struct *vma)
{
	unsigned long start, end;
	u64 last = region->extent->start + region->extent->len;
	int err;

	aclkm_vma_set_flags(vma, VM_DONTEXPAND);
	vma->vm_ops = &aclkm_page_vm_ops;
	mmap_unit_part(region, vma, &start, &end);
	if (!region->order || !IS_ALIGNED(last, SZ_2M))
		aclkm_region_mark_used(region);
	/* Single pages beside such units are entered by faults, too. */
	if (ACLKM_HUGE_FOLIO && start < end)
		return 0;
	aclkm_vma_set_flags(vma, VM_MIXEDMAP);
	/* A poisoned page is left to faults, and so are the others then. */
	if (mmap_has_poison(region))
		return 0;
	err = mmap_pages(vma, region, vma->vm_start, start);
	return err ? err : mmap_pages(vma, region, end, vma->vm_end);
}

/*
 * One by one: where remap_pfn_range() finds no memory for its first page table, 6.1 on
 * x86 warns of a mapping that has no first entry (untrack_pfn), which anybody with a
 * memory limit can bring about.
 */
static int mmap_frames(struct aclkm_region *region, struct vm_area_struct *vma)
{
	unsigned long pfn = PHYS_PFN(region->extent->start) + aclkm_vma_index(vma, vma->vm_start);
	pgprot_t prot = region->cache == ACLKM_CACHE_WC ?
		pgprot_writecombine(vma->vm_page_prot) : pgprot_noncached(vma->vm_page_prot);
	unsigned long addr;

	aclkm_region_mark_used(region);
	aclkm_vma_set_flags(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot = prot;
	vma->vm_ops = &aclkm_frame_vm_ops;
	if (mmap_has_poison(region))
		return 0;
	for (addr = vma->vm_start; addr < vma->vm_end; addr += PAGE_SIZE) {
		if (vmf_insert_pfn_prot(vma, addr, pfn++, prot) != VM_FAULT_NOPAGE)
			return -ENOMEM;
		if (IS_ALIGNED(addr, SZ_2M)) {
			if (fatal_signal_pending(current))
				return -EINTR;
			cond_resched();
		}
	}
	return 0;
}

/**
 * aclkm_region_mmap() - map a part of a region
 * @region:	the region; the mapping takes a reference
 * @start:	first byte that may be mapped
 * @len:	bytes that may be mapped
 * @vma:	the mapping; its offset becomes the page in the region
 * @first:	first page of that part to map
 *
 * Return: 0, -EINVAL (a private mapping, an end past the part), -ENOMEM, -EINTR.
 */
int aclkm_region_mmap(struct aclkm_region *region, u64 start, u64 len,
		      struct vm_area_struct *vma, pgoff_t first)
{
	unsigned long pages = PHYS_PFN(len);
	int err;

	if (!(vma->vm_flags & (VM_SHARED | VM_MAYSHARE)))
		return -EINVAL;
	if (first >= pages || vma_pages(vma) > pages - first)
		return -EINVAL;

	aclkm_region_get(region);
	vma->vm_pgoff = region->id * ACLKM_OFFSET_PAGES + PHYS_PFN(start) + first;
	vma->vm_private_data = region;
	err = region->cache == ACLKM_CACHE_WB ? mmap_wb(region, vma) : mmap_frames(region, vma);
	trace_aclkm_map(region, vma, err);
	/* The core calls no close after a failed mmap. */
	if (err) {
		/*
		 * It unmaps later, and frame numbers have no references of pages: they go
		 * before the region can, which another thread may free right now.
		 */
		if (region->cache != ACLKM_CACHE_WB)
			aclkm_vma_zap(vma);
		aclkm_region_put(region);
	}
	return err;
}

/**
 * aclkm_mmap() - mmap() of /dev/aclkm
 * @filp:	the open file
 * @vma:	its offset is one that ALLOC or IMPORT gave, plus whole pages
 *
 * Return: 0, -EINVAL (unknown offset and as above), -EACCES (a writable mapping
 * of a read-only handle), -EOPNOTSUPP (pinned memory), -ENOMEM, -EINTR.
 */
int aclkm_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct aclkm_handle handle;
	pgoff_t first;
	int err = aclkm_file_lookup_offset(filp->private_data, vma->vm_pgoff, &handle, &first);

	if (err)
		return err;
	if (handle.read_only) {
		err = -EACCES;
		if (vma->vm_flags & VM_WRITE)
			goto put;
		aclkm_vma_clear_flags(vma, VM_MAYWRITE);
	}
	err = aclkm_region_mmap(handle.region, handle.start, handle.len, vma, first);
put:
	aclkm_handle_put(&handle);
	return err;
}

/**
 * aclkm_get_unmapped_area() - an address at which the region's largest entries fit
 * @filp:	the open file
 * @addr:	what the caller would like, or 0
 * @len:	bytes
 * @pgoff:	mmap offset in pages
 * @flags:	of mmap()
 *
 * Return: the address, or an error as a number above TASK_SIZE.
 */
unsigned long aclkm_get_unmapped_area(struct file *filp, unsigned long addr, unsigned long len,
				      unsigned long pgoff, unsigned long flags)
{
	unsigned long unit = PAGE_SIZE, offset = 0, found;
	struct aclkm_handle handle;
	pgoff_t first;

	if (flags & MAP_FIXED)
		goto plain;
	if (!aclkm_file_lookup_offset(filp->private_data, pgoff, &handle, &first)) {
		unit <<= handle.region->map_order;
		offset = handle.region->extent->start + handle.start + PFN_PHYS(first);
		aclkm_handle_put(&handle);
	}
	/* What is shorter than a large entry has no use for its alignment. */
	while (unit > PAGE_SIZE && len < unit)
		unit = unit > SZ_2M ? SZ_2M : PAGE_SIZE;
	if (unit == PAGE_SIZE || len > TASK_SIZE - unit)
		goto plain;

	if (addr) {
		found = aclkm_unmapped_area(filp, addr, len, 0, flags);
		if (found == addr)
			return addr;
	}
	found = aclkm_unmapped_area(filp, 0, len + unit - PAGE_SIZE, 0, flags);
	if (!IS_ERR_VALUE(found))
		return found + ((offset - found) & (unit - 1));
plain:
	return aclkm_unmapped_area(filp, addr, len, pgoff, flags);
}
