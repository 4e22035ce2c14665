// SPDX-License-Identifier: GPL-2.0
/*
 * Write-combined and uncached regions. The kernel's own mapping of the memory
 * gets the same type before anybody can map it, and gets its old type back when
 * nobody can any more: memory never has two types at once.
 */
#include <linux/io.h>
#include <linux/mm.h>
#ifdef CONFIG_X86
#include <asm/set_memory.h>
#endif

#include "aclkm.h"

/**
 * aclkm_cache_possible() - whether there is memory that can be other than cached
 *
 * Not that of a carve-out: its type is reserved with the pages.
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

/**
 * aclkm_cache_set() - give a new region's memory its type
 * @region:	cleared, and not mapped
 *
 * Return: 0, -EOPNOTSUPP, or the error of the page tables' change.
 */
int aclkm_cache_set(const struct aclkm_region *region)
{
#ifdef CONFIG_X86_PAT
	unsigned long addr = (unsigned long)phys_to_virt(region->extent->start);
	int pages = PHYS_PFN(region->extent->len);
	int err = -EOPNOTSUPP;
#endif

	if (region->cache == ACLKM_CACHE_WB)
		return 0;
#ifdef CONFIG_X86_PAT
	if (region->cache == ACLKM_CACHE_WC)
		err = set_memory_wc(addr, pages);
	else if (region->cache == ACLKM_CACHE_UC)
		err = set_memory_uc(addr, pages);
	/* A part of it may have been changed before the page tables ran out of memory. */
	if (err)
		set_memory_wb(addr, pages);
	return err;
#else
	return -EOPNOTSUPP;
#endif
}

/**
 * aclkm_cache_restore() - make a dead region's memory ordinary again
 * @region:	not mapped any more
 */
void aclkm_cache_restore(const struct aclkm_region *region)
{
#ifdef CONFIG_X86_PAT
	if (region->cache != ACLKM_CACHE_WB)
		WARN_ON(set_memory_wb((unsigned long)phys_to_virt(region->extent->start),
				      PHYS_PFN(region->extent->len)));
#endif
}
