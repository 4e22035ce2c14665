// SPDX-License-Identifier: GPL-2.0
/*
 * Regions: allocated from an arena, cleared, given a cache mode, and counted until
 * the last reference. release.c gives their memory back.
 */
#include <linux/io.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "aclkm.h"
#include "clear.h"
#include "compat.h"
#include "pages.h"
#include "trace.h"

/* Cleared between two looks at signals and two scheduling points. */
#define CLEAR_STEP	SZ_2M

/**
 * aclkm_region_page() - a page of a region
 * @region:	the region
 * @index:	which page
 *
 * Return: the page, or NULL past the end. A mapping of it takes a reference.
 */
struct page *aclkm_region_page(const struct aclkm_region *region, pgoff_t index)
{
	if (index >= PHYS_PFN(region->extent->len))
		return NULL;
	return pfn_to_page(PHYS_PFN(region->extent->start) + index);
}

/**
 * aclkm_region_mark_used() - count all of a region as written, when it is freed
 * @region:	the region
 */
void aclkm_region_mark_used(struct aclkm_region *region)
{
	WRITE_ONCE(region->used, true);
}

/**
 * aclkm_region_gup() - whether get_user_pages takes the mappings of a region
 * @region:	the region
 */
bool aclkm_region_gup(const struct aclkm_region *region)
{
	if (region->cache != ACLKM_CACHE_WB)
		return false;
	return region->map_order != ACLKM_ORDER_1G || ACLKM_GUP_PUD;
}

static int region_clear_range(u64 start, u64 end)
{
	while (start < end) {
		u64 len = min_t(u64, end - start, CLEAR_STEP);

		if (fatal_signal_pending(current))
			return -EINTR;
		aclkm_clear(phys_to_virt(start), len);
		start += len;
		cond_resched();
	}
	return 0;
}

/* Clears the parts that are not in the list of clean ones. */
static int region_clear(const struct aclkm_region *region, const struct aclkm_extent *clean)
{
	u64 pos = region->extent->start, end = pos + region->extent->len;
	int err = 0;

	for (; clean && !err; clean = clean->next) {
		err = region_clear_range(pos, clean->start);
		pos = clean->start + clean->len;
	}
	return err ? err : region_clear_range(pos, end);
}

/* The order of the largest entries that the request could have. */
static unsigned int region_best_order(u64 size, u32 flags)
{
	if (flags & (ACLKM_ALLOC_SMALL | ACLKM_ALLOC_WC | ACLKM_ALLOC_UC) || !ACLKM_HUGE)
		return 0;
	if (flags & ACLKM_ALLOC_HUGE_1G)
		return ACLKM_HUGE_PUD ? ACLKM_ORDER_1G : ACLKM_ORDER_2M;
	if (flags & ACLKM_ALLOC_HUGE_2M)
		return ACLKM_ORDER_2M;
	if (size >= SZ_1G && ACLKM_HUGE_PUD && ACLKM_GUP_PUD)
		return ACLKM_ORDER_1G;
	return size >= SZ_2M ? ACLKM_ORDER_2M : 0;
}

static unsigned int region_unit_order(const struct aclkm_region *region)
{
	/* Entries marked as a device's need no unit; smaller ones in their place do. */
	if (region->map_order == ACLKM_ORDER_1G && !ACLKM_GUP_PUD)
		return ACLKM_ORDER_2M;
	return region->map_order;
}

/* Takes memory, aligned for the largest entries for which there is a piece. */
static int region_alloc(struct aclkm_request *request, u32 flags, struct aclkm_region *region,
			struct aclkm_extent **clean)
{
	bool best = !(flags & (ACLKM_ALLOC_HUGE_1G | ACLKM_ALLOC_HUGE_2M));
	u64 align = request->align;
	bool tried_held = false;
	int err;

	region->map_order = region_best_order(request->size, flags);
	for (;;) {
		request->align = max(align, (u64)PAGE_SIZE << region->map_order);
		err = aclkm_arena_alloc(request, region, clean);
		if (err != -ENOSPC)
			break;
		if (!tried_held) {
			tried_held = true;
			if (aclkm_regions_release_held())
				continue;
		}
		if (!best || !region->map_order)
			break;
		region->map_order = region->map_order == ACLKM_ORDER_1G ? ACLKM_ORDER_2M : 0;
	}
	request->align = align;
	region->order = region_unit_order(region);
	return err;
}

/* Whether one clean part is all of a region. */
static bool region_is_clean(const struct aclkm_region *region, const struct aclkm_extent *clean)
{
	return clean && clean->len == region->extent->len;
}

/* Makes the memory of a new region fit to be mapped. */
static int region_prepare(struct aclkm_region *region, const struct aclkm_extent *clean)
{
	int err = aclkm_pages_shape(region->extent->start, region->extent->len, region->order);

	if (!err && !region_is_clean(region, clean))
		err = region_clear(region, clean);
	if (err || region->cache == ACLKM_CACHE_WB)
		return err;
	return aclkm_cache_set(region);
}

/**
 * aclkm_region_create() - allocate a region
 * @request:	size, alignment and node
 * @flags:	ACLKM_ALLOC_*, checked
 * @user:	charged for the region already; the region returns the charge when its
 *		memory is free again, also where this call fails
 *
 * Return: the region with one reference, or -ENOSPC, -EDQUOT (the cgroup's limit),
 * -ENOMEM, -EINTR (the caller was killed), -EOPNOTSUPP.
 */
struct aclkm_region *aclkm_region_create(struct aclkm_request *request, u32 flags,
					 struct aclkm_user *user)
{
	static atomic_t ids;
	struct aclkm_region *region = kzalloc(sizeof(*region), GFP_KERNEL_ACCOUNT);
	struct aclkm_extent *clean;
	int err = -ENOMEM;

	if (!region)
		goto uncharge;
	kref_init(&region->ref);
	aclkm_exports_init(&region->exports);
	region->id = (u32)atomic_inc_return(&ids) % ACLKM_REGION_IDS;
	region->align_shift = ilog2(request->align);
	region->pid = task_tgid_nr(current);
	if (flags & ACLKM_ALLOC_WC)
		region->cache = ACLKM_CACHE_WC;
	else if (flags & ACLKM_ALLOC_UC)
		region->cache = ACLKM_CACHE_UC;

	err = aclkm_cgroup_charge(request->size, &region->cgroup);
	if (err == -EDQUOT)
		request->reason = ACLKM_REASON_CGROUP;
	if (err)
		goto free;

	aclkm_poison_settle();
	/* The kernel has fixed the type of a carve-out's memory. */
	request->ordinary = region->cache != ACLKM_CACHE_WB;
	err = region_alloc(request, flags, region, &clean);
	if (err == -ENOSPC && flags & ACLKM_ALLOC_NODE_PREFER) {
		request->node = NUMA_NO_NODE;
		err = region_alloc(request, flags, region, &clean);
	}
	if (err)
		goto uncharge_cgroup;
	region->user = user;
	err = region_prepare(region, clean);
	aclkm_extent_list_free(clean);
	if (err)
		goto release;
	trace_aclkm_alloc(region);
	return region;

release:
	region->used = true;
	/* Nobody has mapped it, so no page is pinned. */
	region->unpinned = PHYS_PFN(region->extent->len);
	aclkm_region_release_memory(region);
	return ERR_PTR(err);
uncharge_cgroup:
	aclkm_cgroup_uncharge(region->cgroup, request->size);
free:
	kfree(region);
uncharge:
	aclkm_user_uncharge(user, request->size);
	return ERR_PTR(err);
}

static void region_release(struct kref *ref)
{
	struct aclkm_region *region = container_of(ref, struct aclkm_region, ref);

	trace_aclkm_release(region);
	aclkm_region_release_memory(region);
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
 * aclkm_region_put() - drop a reference; the last one frees the memory
 * @region:	the region. Sleeps.
 */
void aclkm_region_put(struct aclkm_region *region)
{
	kref_put(&region->ref, region_release);
}
