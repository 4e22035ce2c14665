// SPDX-License-Identifier: GPL-2.0
#include <linux/bits.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "compat.h"
#include "pages.h"

#define UNIT_PAGES	BIT(ACLKM_ORDER_2M)

static unsigned int unit_order(struct page *page)
{
	return compound_order(compound_head(page));
}

static void make_compound(struct page *head, unsigned int order)
{
	unsigned long i, nr = 1UL << order;

	for (i = 1; i < nr; i++)
		aclkm_compound_add_tail(head, head + i, order);
	aclkm_compound_set_head(head, order);
}

static void break_compound(struct page *page)
{
	struct page *head = compound_head(page);
	unsigned int order = compound_order(head);
	unsigned long i, nr = 1UL << order;

	aclkm_compound_clear_head(head);
	for (i = 1; i < nr; i++)
		aclkm_compound_drop_tail(head, head + i);
}

/* Makes sure that the 2 MiB around @page belong to no larger unit. */
static void break_1g(struct page *page)
{
	struct page *head = compound_head(page);
	unsigned long i;

	if (compound_order(head) != ACLKM_ORDER_1G)
		return;
	break_compound(head);
	for (i = 0; i < 1UL << ACLKM_ORDER_1G; i += UNIT_PAGES)
		make_compound(head + i, ACLKM_ORDER_2M);
}

static void make_unit(struct page *head, unsigned int order)
{
	unsigned long i;

	if (unit_order(head) == order)
		return;
	if (order == ACLKM_ORDER_2M) {
		break_1g(head);
		if (!PageHead(head))
			make_compound(head, order);
		return;
	}
	for (i = 0; i < 1UL << order; i += UNIT_PAGES)
		if (PageHead(head + i))
			break_compound(head + i);
	make_compound(head, order);
}

void aclkm_pages_shape(u64 start, u64 len, unsigned int order)
{
	unsigned long pfn = PHYS_PFN(start), end = PHYS_PFN(start + len);
	unsigned long unit = 1UL << order;

	if (!ACLKM_HUGE)
		return;
	while (pfn < end) {
		struct page *page = pfn_to_page(pfn);

		if (order && IS_ALIGNED(pfn, unit) && unit <= end - pfn) {
			make_unit(page, order);
			pfn += unit;
			continue;
		}
		break_1g(page);
		/* Below a gigabyte that the range covers in part, 2 MiB units remain of use. */
		if (order && IS_ALIGNED(pfn, UNIT_PAGES) && UNIT_PAGES <= end - pfn)
			make_unit(page, ACLKM_ORDER_2M);
		else if (PageCompound(page))
			break_compound(page);
		pfn = ALIGN(pfn + 1, UNIT_PAGES);
	}
}

bool aclkm_pages_pinned(u64 start, u64 len)
{
	unsigned long pfn = PHYS_PFN(start), end = PHYS_PFN(start + len);

	while (pfn < end) {
		struct page *page = pfn_to_page(pfn);

		/* The counts of a compound page are its head's, which is in the range. */
		if (page_count(page) != 1)
			return true;
		pfn += 1UL << compound_order(page);
		if (!(pfn % UNIT_PAGES))
			cond_resched();
	}
	return false;
}

void aclkm_pages_release(u64 start, u64 len, bool put)
{
	unsigned long pfn = PHYS_PFN(start), end = PHYS_PFN(start + len);

	for (; pfn < end; pfn++) {
		struct page *page = pfn_to_page(pfn);

		if (PageHead(page))
			break_compound(page);
		set_page_private(page, 0);
		if (put)
			put_page(page);
		if (!(pfn % UNIT_PAGES))
			cond_resched();
	}
}

void aclkm_unit_mark_used(u64 addr, u64 len)
{
	unsigned long pfn = PHYS_PFN(addr), end = PHYS_PFN(addr + len);

	for (; pfn < end; pfn += UNIT_PAGES)
		set_page_private(pfn_to_page(pfn), 1);
}

bool aclkm_unit_test_clear_used(u64 addr)
{
	struct page *page = pfn_to_page(PHYS_PFN(addr));
	bool used = page_private(page);

	set_page_private(page, 0);
	return used;
}
