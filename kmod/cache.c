// SPDX-License-Identifier: GPL-2.0
/*
 * Write-combined and uncached regions. The kernel's own mapping of the memory gets
 * the region's type before a process can map it, and is write-back again before
 * another region can have the memory: memory never has two types at once.
 *
 * The kernel changes a range without a scheduling point, 0.3 s for a GiB: it
 * rewrites page tables and flushes each cache line. So ranges are changed in steps.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#ifdef CONFIG_X86
#include <asm/set_memory.h>
#endif

#include "aclkm.h"

/* One entry of the kernel's own mapping, which then need not be split for the step. */
#define CACHE_STEP	SZ_2M

/**
 * aclkm_cache_possible() - whether some memory can be mapped other than cached
 *
 * The memory of a carve-out cannot: its type is reserved with its pages.
 */
bool aclkm_cache_possible(void)
{
	struct aclkm_arena *arena;
	bool found = false;

	down_read(&aclkm_arenas_lock);
	list_for_each_entry(arena, &aclkm_arenas, list)
		found |= !arena->carveout;
	up_read(&aclkm_arenas_lock);
	return found && IS_ENABLED(CONFIG_X86_PAT);
}

#ifdef CONFIG_X86_PAT
static int cache_set_step(const struct aclkm_region *region, u64 start, u64 len)
{
	unsigned long addr = (unsigned long)phys_to_virt(start);
	int pages = PHYS_PFN(len), err;

	if (region->cache == ACLKM_CACHE_WC)
		err = set_memory_wc(addr, pages);
	else
		err = set_memory_uc(addr, pages);
	/* The kernel may have changed a part before it found no memory for a page table. */
	if (err)
		set_memory_wb(addr, pages);
	return err;
}

/**
 * aclkm_cache_set() - set the memory type of a new region
 * @region:	cleared, and not mapped; aclkm_cache_restore_step() undoes its @typed pages
 *
 * Return: 0, -EINTR (the caller was killed), or the error of the page tables' change.
 */
int aclkm_cache_set(struct aclkm_region *region)
{
	u64 start = region->extent->start, end = start + region->extent->len;
	u64 pos = start, next;
	int err;

	if (region->cache == ACLKM_CACHE_WB)
		return 0;
	for (; pos < end; pos = next) {
		next = min(end, ALIGN(pos + 1, CACHE_STEP));
		if (fatal_signal_pending(current))
			return -EINTR;
		err = cache_set_step(region, pos, next - pos);
		if (err)
			return err;
		region->typed = PHYS_PFN(next - start);
		cond_resched();
	}
	return 0;
}

/**
 * aclkm_cache_restore_step() - make a part of a dead region's memory write-back again
 * @region:	not mapped any more; its @typed becomes less
 */
void aclkm_cache_restore_step(struct aclkm_region *region)
{
	u64 start = region->extent->start, end = start + PFN_PHYS(region->typed);
	u64 pos = max(start, ALIGN_DOWN(end - 1, CACHE_STEP));

	WARN_ON(set_memory_wb((unsigned long)phys_to_virt(pos), PHYS_PFN(end - pos)));
	region->typed = PHYS_PFN(pos - start);
}
#else
int aclkm_cache_set(struct aclkm_region *region)
{
	return region->cache == ACLKM_CACHE_WB ? 0 : -EOPNOTSUPP;
}

void aclkm_cache_restore_step(struct aclkm_region *region)
{
}
#endif
