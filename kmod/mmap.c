// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of regions.
 *
 * Single pages are entered at once, each entry with a reference of its page.
 * Compound units are entered by the first touch, with one entry for the whole
 * unit, which has a reference where ACLKM_HUGE_FOLIO says so. Either way
 * get_user_pages() works, and each vma has a reference of its region, so that
 * forked, split, moved and partly unmapped vmas need no account of their own.
 *
 * Write-combined and uncached regions are entered as plain frame numbers, which
 * nobody can pin.
 */
#include <linux/fs.h>
#include <linux/io.h>
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

/*
 * All mappings are of one inode. The upper bits of vm_pgoff say of which region, so
 * that dropping entries by offset drops those of no other region.
 */
static pgoff_t vma_index(const struct vm_area_struct *vma, unsigned long addr)
{
	return vma->vm_pgoff % ACLKM_OFFSET_PAGES + PHYS_PFN(addr - vma->vm_start);
}

/*
 * Drops the entries of the GiBs around these pages, of all their mappings; they come
 * back by faults. An entry of 1 GiB begins at a whole GiB of the region wherever it is
 * mapped: none is cut, which the core does only under the lock of the mapping's owner.
 */
static void drop_entries(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	pgoff_t first = vma->vm_pgoff + PHYS_PFN(start - vma->vm_start);
	pgoff_t last = first + PHYS_PFN(end - start);

	first = ALIGN_DOWN(first, PHYS_PFN(SZ_1G));
	last = ALIGN(last, PHYS_PFN(SZ_1G));
	unmap_mapping_pages(vma->vm_file->f_mapping, first, last - first, false);
}

static void vma_open(struct vm_area_struct *vma)
{
	struct aclkm_region *region = vma->vm_private_data;

	aclkm_region_get(region);
	/*
	 * mremap() makes the new mapping before it moves entries, and takes those of
	 * 1 GiB for broken tables: it complains, and forgets them without a flush.
	 */
	if (ACLKM_HUGE && region->map_order == ACLKM_ORDER_1G && vma->vm_mm == current->mm)
		drop_entries(vma, vma->vm_start, vma->vm_end);
}

static void vma_close(struct vm_area_struct *vma)
{
	aclkm_region_put(vma->vm_private_data);
}

#if ACLKM_HUGE
static vm_fault_t huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	struct aclkm_region *region = vma->vm_private_data;
	unsigned long size = PAGE_SIZE << order;
	unsigned long addr = ALIGN_DOWN(vmf->address, size);
	bool write = vmf->flags & FAULT_FLAG_WRITE;
	u64 phys, end;

	if (order > region->map_order || addr < vma->vm_start || vma->vm_end - addr < size)
		return VM_FAULT_FALLBACK;
	if (ACLKM_HUGE_FOLIO && vma->vm_flags & VM_MIXEDMAP)
		return VM_FAULT_FALLBACK;
	phys = region->extent->start + PFN_PHYS(vma_index(vma, addr));
	end = region->extent->start + region->extent->len;
	if (!IS_ALIGNED(phys, size) || phys < region->extent->start || phys >= end ||
	    end - phys < size)
		return VM_FAULT_FALLBACK;

	/* A smaller entry in a larger unit would be taken for a unit of its own. */
	if (compound_order(compound_head(pfn_to_page(PHYS_PFN(phys)))) > order)
		return VM_FAULT_FALLBACK;

	/* Its healthy pages are entered one by one. */
	if (aclkm_arena_has_poison(region->arena, phys, size))
		return VM_FAULT_FALLBACK;

	aclkm_unit_mark_used(phys, size);
	trace_aclkm_fault(region, phys - region->extent->start, order);
	if (order == ACLKM_ORDER_2M)
		return aclkm_insert_pmd(vmf, PHYS_PFN(phys), write);
	if (order == ACLKM_ORDER_1G)
		return aclkm_insert_pud(vmf, PHYS_PFN(phys), write);
	return VM_FAULT_FALLBACK;
}
#else
static vm_fault_t huge_fault(struct vm_fault *vmf, unsigned int order)
{
	return VM_FAULT_FALLBACK;
}
#endif

/* Part of a unit, or entries of mmap() that were dropped again: MADV_DONTNEED. */
static vm_fault_t vma_fault(struct vm_fault *vmf)
{
	struct aclkm_region *region = vmf->vma->vm_private_data;
	struct page *page;

	if (ACLKM_HUGE_IN_FAULT && pmd_none(READ_ONCE(*vmf->pmd))) {
		vm_fault_t ret = huge_fault(vmf, ACLKM_ORDER_2M);

		if (ret != VM_FAULT_FALLBACK)
			return ret;
	}
	page = aclkm_region_page(region, vma_index(vmf->vma, vmf->address));
	if (!page)
		return VM_FAULT_SIGBUS;
	if (PageHWPoison(page))
		return VM_FAULT_HWPOISON;
	if (PageCompound(page))
		aclkm_unit_mark_used(ALIGN_DOWN(PFN_PHYS(page_to_pfn(page)), SZ_2M), SZ_2M);
	return aclkm_insert_page(vmf, page);
}

/*
 * What a debugger reads or writes where get_user_pages() does not take the entries:
 * through the kernel's own mapping, which has the memory's cache mode.
 */
static int vma_access(struct vm_area_struct *vma, unsigned long addr, void *buf, int len,
		      int write)
{
	const struct aclkm_region *region = vma->vm_private_data;
	u64 at = PFN_PHYS(vma_index(vma, addr)) + offset_in_page(addr);
	void *mem;

	/* Also of a program that could write if it asked: get_user_pages() is as strict. */
	if (write && !(vma->vm_flags & VM_WRITE))
		return -EACCES;
	/* The caller's length may go past this mapping, into memory that it cannot reach. */
	len = min_t(u64, len, vma->vm_end - addr);
	if (at >= region->extent->len || len > region->extent->len - at)
		return -EINVAL;
	/* The kernel must not read memory that has failed. */
	if (aclkm_arena_has_poison(region->arena, region->extent->start + at, len))
		return -EFAULT;
	mem = phys_to_virt(region->extent->start + at);
	if (write) {
		memcpy(mem, buf, len);
		/* A unit that no fault has marked must not count as clean. */
		aclkm_region_mark_used(vma->vm_private_data);
	} else {
		memcpy(buf, mem, len);
	}
	return len;
}

#if ACLKM_HUGE
#ifdef ACLKM_HAVE_HUGE_FAULT_PE_SIZE
static vm_fault_t vma_huge_fault(struct vm_fault *vmf, enum page_entry_size pe_size)
{
	switch (pe_size) {
	case PE_SIZE_PMD:
		return huge_fault(vmf, ACLKM_ORDER_2M);
	case PE_SIZE_PUD:
		return huge_fault(vmf, ACLKM_ORDER_1G);
	default:
		return VM_FAULT_FALLBACK;
	}
}
#else
#define vma_huge_fault huge_fault
#endif

/*
 * When the core cuts a mapping in two it looks for a 2 MiB entry at the cut, and
 * would take the memory behind a 1 GiB entry for the table with that entry.
 */
static int vma_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	struct aclkm_region *region = vma->vm_private_data;

	if (region->map_order == ACLKM_ORDER_1G && !IS_ALIGNED(addr, SZ_1G)) {
		aclkm_vma_start_write(vma);
		drop_entries(vma, addr, addr + PAGE_SIZE);
	}
	return 0;
}

/* Where the core cannot change 1 GiB entries, it drops them, and complains of them. */
static int vma_mprotect(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			unsigned long flags)
{
	struct aclkm_region *region = vma->vm_private_data;

	if (region->map_order == ACLKM_ORDER_1G && !ACLKM_GUP_PUD)
		drop_entries(vma, start, end);
	return 0;
}
#endif

static const struct vm_operations_struct page_vm_ops = {
	.open = vma_open,
	.close = vma_close,
	.fault = vma_fault,
	.access = vma_access,
#if ACLKM_HUGE
	.huge_fault = vma_huge_fault,
	.may_split = vma_may_split,
	.mprotect = vma_mprotect,
#endif
};

/* Frame numbers are all there from the beginning: reached only where they were dropped. */
static vm_fault_t frame_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct page *page = aclkm_region_page(vma->vm_private_data, vma_index(vma, vmf->address));

	if (!page)
		return VM_FAULT_SIGBUS;
	if (PageHWPoison(page))
		return VM_FAULT_HWPOISON;
	return vmf_insert_pfn_prot(vma, vmf->address, page_to_pfn(page), vma->vm_page_prot);
}

static const struct vm_operations_struct frame_vm_ops = {
	.open = vma_open,
	.close = vma_close,
	.fault = frame_fault,
	.access = vma_access,
};

static bool region_has_poison(const struct aclkm_region *region)
{
	return aclkm_arena_has_poison(region->arena, region->extent->start, region->extent->len);
}

static void mark_units(const struct aclkm_region *region, u64 start, u64 len)
{
	u64 from = ALIGN_DOWN(region->extent->start + start, SZ_2M);

	aclkm_unit_mark_used(from, region->extent->start + start + len - from);
}

/* Enters single pages: the memory is resident, so faults would only cost time. */
static int map_pages(struct vm_area_struct *vma, const struct aclkm_region *region,
		     unsigned long addr, unsigned long end)
{
	pgoff_t index = vma_index(vma, addr);
	struct page **pages;
	int err = 0;

	if (addr >= end)
		return 0;
	if (region->order)
		mark_units(region, PFN_PHYS(index), end - addr);
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

/* Whether faults can enter whole units in mappings of this file. */
static bool huge_faults(const struct file *file)
{
#if defined(ACLKM_HAVE_HUGE_FAULT_PE_SIZE) || ACLKM_HUGE_FOLIO
	return ACLKM_HUGE_IN_FAULT || IS_DAX(file->f_mapping->host);
#else
	return true;
#endif
}

/* What of a mapping is left to faults, which enter whole units. */
static void huge_part(const struct aclkm_region *region, struct vm_area_struct *vma,
		      unsigned long *start, unsigned long *end)
{
	u64 phys = region->extent->start + PFN_PHYS(vma_index(vma, vma->vm_start));

	*start = *end = vma->vm_end;
	if (!region->order || !IS_ALIGNED(phys ^ vma->vm_start, SZ_2M) ||
	    !huge_faults(vma->vm_file))
		return;
	*start = ALIGN(vma->vm_start, SZ_2M);
	*end = ALIGN_DOWN(vma->vm_end, SZ_2M);
	if (*start >= *end)
		*start = *end = vma->vm_end;
}

static int map_wb(struct aclkm_region *region, struct vm_area_struct *vma)
{
	unsigned long start, end;
	u64 last = region->extent->start + region->extent->len;
	int err;

	aclkm_vma_set_flags(vma, VM_DONTEXPAND);
	vma->vm_ops = &page_vm_ops;
	huge_part(region, vma, &start, &end);
	if (!region->order || !IS_ALIGNED(last, SZ_2M))
		aclkm_region_mark_used(region);
	/* Single pages beside such units are entered by faults, too. */
	if (ACLKM_HUGE_FOLIO && start < end)
		return 0;
	aclkm_vma_set_flags(vma, VM_MIXEDMAP);
	/* A poisoned page is left to faults, and so are the others then. */
	if (region_has_poison(region))
		return 0;
	err = map_pages(vma, region, vma->vm_start, start);
	return err ? err : map_pages(vma, region, end, vma->vm_end);
}

/*
 * One by one: where remap_pfn_range() finds no memory for its first page table, 6.1 on
 * x86 warns of a mapping that has no first entry (untrack_pfn), which anybody with a
 * memory limit can bring about.
 */
static int map_frames(struct aclkm_region *region, struct vm_area_struct *vma)
{
	unsigned long pfn = PHYS_PFN(region->extent->start) + vma_index(vma, vma->vm_start);
	pgprot_t prot = region->cache == ACLKM_CACHE_WC ?
		pgprot_writecombine(vma->vm_page_prot) : pgprot_noncached(vma->vm_page_prot);
	unsigned long addr;

	aclkm_region_mark_used(region);
	aclkm_vma_set_flags(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot = prot;
	vma->vm_ops = &frame_vm_ops;
	if (region_has_poison(region))
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
	err = region->cache == ACLKM_CACHE_WB ? map_wb(region, vma) : map_frames(region, vma);
	trace_aclkm_map(region, vma, err);
	/* The core calls no close after a failed mmap. */
	if (err) {
		/*
		 * It unmaps later, and frame numbers have no references of pages: they go
		 * before the region can, which another thread may free right now.
		 */
		if (region->cache != ACLKM_CACHE_WB)
			zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
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
