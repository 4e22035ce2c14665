// SPDX-License-Identifier: GPL-2.0
/*
 * Regions: from the arena, cleared, to the last reference and back.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "aclkm.h"

/* Between two looks at signals, and two chances to be preempted, while clearing. */
#define CLEAR_STEP_PAGES (SZ_2M >> PAGE_SHIFT)

/**
 * aclkm_region_page() - a page of a region
 * @region:	the region
 * @index:	which page
 *
 * Return: the page, or NULL past the end. Whoever maps it takes a reference.
 */
struct page *aclkm_region_page(const struct aclkm_region *region, pgoff_t index)
{
	if (index >= PHYS_PFN(region->extent->len))
		return NULL;
	return pfn_to_page(PHYS_PFN(region->extent->start) + index);
}

/**
 * aclkm_region_pinned() - whether anybody but the arena refers to a page
 * @region:	a region without mappings
 */
bool aclkm_region_pinned(const struct aclkm_region *region)
{
	struct page *page;
	pgoff_t i;

	for (i = 0; (page = aclkm_region_page(region, i)); i++) {
		if (page_count(page) != 1)
			return true;
		if (!(i % CLEAR_STEP_PAGES))
			cond_resched();
	}
	return false;
}

static int region_clear(const struct aclkm_region *region)
{
	struct page *page;
	pgoff_t i;

	for (i = 0; (page = aclkm_region_page(region, i)); i++) {
		clear_highpage(page);
		if (i % CLEAR_STEP_PAGES)
			continue;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/**
 * aclkm_region_create() - take and clear a region
 * @size:	bytes, a multiple of the page size
 * @align:	bytes, a power of two from the page size
 * @node:	NUMA node, or NUMA_NO_NODE
 *
 * Return: the region with one reference, or -ENOSPC, -ENOMEM, -EINTR.
 */
struct aclkm_region *aclkm_region_create(u64 size, u64 align, int node)
{
	struct aclkm_region *region = kzalloc(sizeof(*region), GFP_KERNEL_ACCOUNT);
	int err;

	if (!region)
		return ERR_PTR(-ENOMEM);
	kref_init(&region->ref);
	region->align = align;

	err = aclkm_arena_take(size, align, node, region);
	if (err)
		goto free;
	err = region_clear(region);
	if (err)
		goto give;
	return region;

give:
	aclkm_arena_give(region);
free:
	kfree(region);
	return ERR_PTR(err);
}

static void region_release(struct kref *ref)
{
	struct aclkm_region *region = container_of(ref, struct aclkm_region, ref);

	if (aclkm_region_pinned(region)) {
		aclkm_arena_hold(region);
		return;
	}
	aclkm_arena_give(region);
	kfree(region);
}

/**
 * aclkm_region_get() - take one more reference
 * @region:	a region that the caller has a reference to
 */
void aclkm_region_get(struct aclkm_region *region)
{
	kref_get(&region->ref);
}

/**
 * aclkm_region_put() - drop a reference; the last one gives the memory back
 * @region:	the region. Sleeps.
 */
void aclkm_region_put(struct aclkm_region *region)
{
	kref_put(&region->ref, region_release);
}

/**
 * aclkm_file_lookup() - find a region by its handle
 * @file:	the open file
 * @handle:	from user space, unchecked
 *
 * Return: the region with a reference for the caller, or NULL.
 */
struct aclkm_region *aclkm_file_lookup(struct aclkm_file *file, u32 handle)
{
	struct aclkm_region *region;

	xa_lock(&file->regions);
	region = xa_load(&file->regions, handle);
	if (region)
		aclkm_region_get(region);
	xa_unlock(&file->regions);
	return region;
}
