/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The struct pages of an arena. Whole units of 2 MiB, or of 1 GiB, that a region
 * maps with one page-table entry are compound pages of that size: get_user_pages
 * takes all its references of such an entry on the head page, and would ruin the
 * counts of single pages. All other pages are single ones.
 *
 * A unit stays compound when it becomes free, so most requests find their units
 * ready. A compound unit is wholly free or wholly inside one region.
 */
#ifndef ACLKM_PAGES_H
#define ACLKM_PAGES_H

#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/types.h>

#define ACLKM_ORDER_2M	9
#define ACLKM_ORDER_1G	18

/**
 * aclkm_pages_cut() - break up the compound units that lie partly in a range
 * @start:	physical address, page-aligned
 * @len:	bytes, page-aligned
 *
 * The other part of such a unit is free, so the caller holds the lock of the arena.
 * Sleeps.
 */
void aclkm_pages_cut(u64 start, u64 len);

/**
 * aclkm_pages_shape() - make the pages of a range fit for its mappings
 * @start:	physical address, page-aligned
 * @len:	bytes, page-aligned
 * @order:	of the units wanted: 0, ACLKM_ORDER_2M or ACLKM_ORDER_1G
 *
 * The range belongs to the caller and was cut. No lock: it takes long.
 *
 * Return: 0, or -EINTR if the caller was killed; the range can be shaped again.
 */
int aclkm_pages_shape(u64 start, u64 len, unsigned int order);

/**
 * aclkm_pages_pinned() - whether a page has more references than the arena's own
 * @pos:	in: physical address of the first page, not inside a unit; out: of the
 *		page that is pinned, or the end
 * @end:	physical address of the range's end
 */
bool aclkm_pages_pinned(u64 *pos, u64 end);

/**
 * aclkm_pages_release() - make a range single pages, and free those that are not poisoned
 * @start:	physical address
 * @len:	bytes
 * @put:	to the page allocator; otherwise they are only made single
 */
void aclkm_pages_release(u64 start, u64 len, bool put);

/*
 * Whether somebody may have written into the 2 MiB at a physical address. Kept in
 * their first page; only for memory in compound units.
 */
static inline void aclkm_unit_mark_used(u64 addr, u64 len)
{
	unsigned long pfn = PHYS_PFN(addr), end = PHYS_PFN(addr + len);

	for (; pfn < end; pfn += 1UL << ACLKM_ORDER_2M)
		set_page_private(pfn_to_page(pfn), 1);
}

static inline bool aclkm_unit_test_clear_used(u64 addr)
{
	struct page *page = pfn_to_page(PHYS_PFN(addr));

	if (!page_private(page))
		return false;
	set_page_private(page, 0);
	return true;
}

#endif /* ACLKM_PAGES_H */
