// SPDX-License-Identifier: GPL-2.0
/*
 * What happens to a mapping after mmap(): faults, fork, split, mprotect, debuggers.
 *
 * A fault enters a whole unit with one entry where the unit, the mapping and the
 * address allow it, else one page. Each vma has a reference of its region, so that
 * forked, split, moved and partly unmapped vmas need no account of their own. All of
 * it runs under mmap_lock, or under the lock of the vma.
 *
 * What a kernel wants of entries stands in compat.h: ACLKM_HUGE (units at all),
 * ACLKM_HUGE_FOLIO (entries with a reference), ACLKM_HUGE_IN_FAULT (units entered by
 * ->fault), ACLKM_GUP_PUD (1 GiB entries that can be pinned).
 */
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "aclkm.h"
#include "compat.h"
#include "pages.h"
#include "trace.h"

/*
 * Drops the entries of the GiBs around these pages, of all their mappings; they come
 * back by faults. An entry of 1 GiB begins at a whole GiB of the region wherever it is
 * mapped: none is cut, which the core does only under the lock of the mapping's owner.
 */
static void vma_drop_1g_entries(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	pgoff_t first = vma->vm_pgoff + PHYS_PFN(start - vma->vm_start);
	pgoff_t last = first + PHYS_PFN(end - start);

	first = ALIGN_DOWN(first, PHYS_PFN(SZ_1G));
	last = ALIGN(last, PHYS_PFN(SZ_1G));
	unmap_mapping_range(vma->vm_file->f_mapping, PFN_PHYS(first), PFN_PHYS(last - first), 0);
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
		vma_drop_1g_entries(vma, vma->vm_start, vma->vm_end);
}

static void vma_close(struct vm_area_struct *vma)
{
	aclkm_region_put(vma->vm_private_data);
}

#if ACLKM_HUGE
static vm_fault_t vma_fault_unit(struct vm_fault *vmf, unsigned int order)
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
	phys = region->extent->start + PFN_PHYS(aclkm_vma_index(vma, addr));
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
static vm_fault_t vma_fault_unit(struct vm_fault *vmf, unsigned int order)
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
		vm_fault_t ret = vma_fault_unit(vmf, ACLKM_ORDER_2M);

		if (ret != VM_FAULT_FALLBACK)
			return ret;
	}
	page = aclkm_region_page(region, aclkm_vma_index(vmf->vma, vmf->address));
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
	u64 at = PFN_PHYS(aclkm_vma_index(vma, addr)) + offset_in_page(addr);
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
		return vma_fault_unit(vmf, ACLKM_ORDER_2M);
	case PE_SIZE_PUD:
		return vma_fault_unit(vmf, ACLKM_ORDER_1G);
	default:
		return VM_FAULT_FALLBACK;
	}
}
#else
#define vma_huge_fault vma_fault_unit
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
		vma_drop_1g_entries(vma, addr, addr + PAGE_SIZE);
	}
	return 0;
}

#ifdef ACLKM_HAVE_VM_OPS_MPROTECT
/* Where the core cannot change 1 GiB entries, it drops them, and complains of them. */
static int vma_mprotect(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			unsigned long flags)
{
	struct aclkm_region *region = vma->vm_private_data;

	if (region->map_order == ACLKM_ORDER_1G && !ACLKM_GUP_PUD)
		vma_drop_1g_entries(vma, start, end);
	return 0;
}
#endif
#endif

const struct vm_operations_struct aclkm_page_vm_ops = {
	.open = vma_open,
	.close = vma_close,
	.fault = vma_fault,
	.access = vma_access,
#if ACLKM_HUGE
	.huge_fault = vma_huge_fault,
	.ACLKM_VM_OPS_MAY_SPLIT = vma_may_split,
#ifdef ACLKM_HAVE_VM_OPS_MPROTECT
	.mprotect = vma_mprotect,
#endif
#endif
};

/* Frame numbers are all there from the beginning: reached only where they were dropped. */
static vm_fault_t vma_fault_frame(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	pgoff_t index = aclkm_vma_index(vma, vmf->address);
	struct page *page = aclkm_region_page(vma->vm_private_data, index);

	if (!page)
		return VM_FAULT_SIGBUS;
	if (PageHWPoison(page))
		return VM_FAULT_HWPOISON;
	return vmf_insert_pfn_prot(vma, vmf->address, page_to_pfn(page), vma->vm_page_prot);
}

const struct vm_operations_struct aclkm_frame_vm_ops = {
	.open = vma_open,
	.close = vma_close,
	.fault = vma_fault_frame,
	.access = vma_access,
};
