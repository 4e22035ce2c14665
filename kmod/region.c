// SPDX-License-Identifier: GPL-2.0
/*
 * Regions: from the arena, clear, to the last reference and back.
 */
#include <linux/io.h>
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

/* Between two looks at signals, and two chances to be preempted, while clearing. */
#define CLEAR_STEP	SZ_2M

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
 * aclkm_region_mark_used() - somebody may write anywhere in it from now on
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

static int clear_range(u64 start, u64 end)
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

/* Clears what is not in the list of clean parts. */
static int region_clear(const struct aclkm_region *region, const struct aclkm_extent *clean)
{
	u64 pos = region->extent->start, end = pos + region->extent->len;
	int err = 0;

	for (; clean && !err; clean = clean->next) {
		err = clear_range(pos, clean->start);
		pos = clean->start + clean->len;
	}
	return err ? err : clear_range(pos, end);
}

static void add_clean(struct aclkm_extent ***last, u64 start, u64 len)
{
	struct aclkm_extent *ext = kmalloc(sizeof(*ext), GFP_KERNEL);

	/* No memory for the books: then it counts as dirty. */
	if (!ext)
		return;
	ext->start = start;
	ext->len = len;
	ext->next = NULL;
	**last = ext;
	*last = &ext->next;
}

/**
 * aclkm_region_trim() - take the marks of use off a region's units
 * @region:	dead and not pinned
 * @clean:	filled with the units that nobody has touched, linked, for the
 *		arena; or NULL if nobody wants to know
 */
void aclkm_region_trim(struct aclkm_region *region, struct aclkm_extent **clean)
{
	u64 pos = region->extent->start, end = pos + region->extent->len, from;
	bool used = READ_ONCE(region->used);

	if (clean)
		*clean = NULL;
	if (!region->order) {
		if (clean && !used)
			add_clean(&clean, pos, end - pos);
		return;
	}
	for (from = pos; pos < end; pos = ALIGN(pos + 1, SZ_2M)) {
		bool unit = IS_ALIGNED(pos, SZ_2M) && end - pos >= SZ_2M;
		bool dirty = unit ? aclkm_unit_test_clear_used(pos) : used;

		if (!dirty && !used)
			continue;
		if (clean && from < pos)
			add_clean(&clean, from, pos - from);
		from = min(ALIGN(pos + 1, SZ_2M), end);
	}
	if (clean && from < end)
		add_clean(&clean, from, end - from);
}

/* The order of the largest entries that the request could have. */
static unsigned int best_order(u64 size, u32 flags)
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

static unsigned int unit_order(const struct aclkm_region *region)
{
	/* Entries that are marked as a device's do not care; smaller ones in their place do. */
	if (region->map_order == ACLKM_ORDER_1G && !ACLKM_GUP_PUD)
		return ACLKM_ORDER_2M;
	return region->map_order;
}

/* Takes memory, aligned for the best entries if there is a piece for them. */
static int take(struct aclkm_request *request, u32 flags, struct aclkm_region *region,
		struct aclkm_extent **clean)
{
	bool best = !(flags & (ACLKM_ALLOC_HUGE_1G | ACLKM_ALLOC_HUGE_2M));
	u64 align = request->align;
	int err;

	region->map_order = best_order(request->size, flags);
	for (;;) {
		request->align = max(align, (u64)PAGE_SIZE << region->map_order);
		region->order = unit_order(region);
		err = aclkm_arena_take(request, region, region->order, clean);
		if (err != -ENOSPC || !best || !region->map_order)
			break;
		region->map_order = region->map_order == ACLKM_ORDER_1G ? ACLKM_ORDER_2M : 0;
	}
	request->align = align;
	return err;
}

/**
 * aclkm_region_create() - take a region and see that it is clear
 * @request:	what is wanted
 * @flags:	ACLKM_ALLOC_*, checked
 * @user:	who pays, and has been charged; the region takes a reference
 *
 * Return: the region with one reference, or -ENOSPC, -ENOMEM, -EINTR, -EOPNOTSUPP.
 */
struct aclkm_region *aclkm_region_create(struct aclkm_request *request, u32 flags,
					 struct aclkm_user *user)
{
	static atomic_long_t ids;
	struct aclkm_region *region = kzalloc(sizeof(*region), GFP_KERNEL_ACCOUNT);
	struct aclkm_extent *clean;
	int err;

	if (!region)
		return ERR_PTR(-ENOMEM);
	kref_init(&region->ref);
	INIT_LIST_HEAD(&region->held);
	aclkm_exports_init(&region->exports);
	region->id = (unsigned long)atomic_long_inc_return(&ids) % ACLKM_REGION_IDS;
	region->user = user;
	region->align = request->align;
	region->pid = task_tgid_nr(current);
	if (flags & ACLKM_ALLOC_WC)
		region->cache = ACLKM_CACHE_WC;
	else if (flags & ACLKM_ALLOC_UC)
		region->cache = ACLKM_CACHE_UC;

	/* The kernel has given that memory a type for good. */
	request->ordinary = region->cache != ACLKM_CACHE_WB;
	err = take(request, flags, region, &clean);
	if (err == -ENOSPC && flags & ACLKM_ALLOC_NODE_PREFER) {
		request->node = NUMA_NO_NODE;
		err = take(request, flags, region, &clean);
	}
	if (err)
		goto free;
	err = region_clear(region, clean);
	aclkm_extent_list_free(clean);
	if (err)
		goto give;
	err = aclkm_cache_set(region);
	if (err)
		goto give;
	aclkm_user_get(user);
	trace_aclkm_alloc(region);
	return region;

give:
	aclkm_arena_give(region, NULL);
free:
	kfree(region);
	return ERR_PTR(err);
}

static void region_release(struct kref *ref)
{
	struct aclkm_region *region = container_of(ref, struct aclkm_region, ref);
	u64 len = region->extent->len;
	struct aclkm_extent *clean;

	trace_aclkm_release(region);
	aclkm_cache_restore(region);
	if (aclkm_pages_pinned(region->extent->start, len)) {
		aclkm_arena_hold(region);
		return;
	}
	aclkm_region_trim(region, &clean);
	aclkm_arena_give(region, clean);
	aclkm_user_uncharge(region->user, len);
	aclkm_user_put(region->user);
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
