// SPDX-License-Identifier: GPL-2.0
/*
 * The struct pages of arenas: made compound and single, searched for pins, and given
 * to the page allocator. Loops have a scheduling point at least every 2 MiB.
 */
#include <linux/bits.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "compat.h"
#include "pages.h"

#define UNIT_PAGES	BIT(ACLKM_ORDER_2M)

static unsigned int pages_unit_order(struct page *page)
{
	return compound_order(compound_head(page));
}

static void pages_make_compound(struct page *head, unsigned int order)
{
	unsigned long i, nr = 1UL << order;

	for (i = 1; i < nr; i++) {
		aclkm_compound_add_tail(head, head + i, order);
		if (IS_ALIGNED(i, UNIT_PAGES))
			cond_resched();
	}
	aclkm_compound_set_head(head, order);
}

static void pages_break_compound(struct page *page)
{
	struct page *head = compound_head(page);
	unsigned int order = compound_order(head);
	unsigned long i, nr = 1UL << order;

	aclkm_compound_clear_head(head);
	for (i = 1; i < nr; i++) {
		aclkm_compound_drop_tail(head, head + i);
		if (IS_ALIGNED(i, UNIT_PAGES))
			cond_resched();
	}
}

/* Makes units of 2 MiB of the unit of 1 GiB around a page. */
static void pages_break_1g(struct page *page)
{
	struct page *head = compound_head(page);
	unsigned long i;

	if (compound_order(head) != ACLKM_ORDER_1G)
		return;
	pages_break_compound(head);
	for (i = 0; i < 1UL << ACLKM_ORDER_1G; i += UNIT_PAGES) {
		pages_make_compound(head + i, ACLKM_ORDER_2M);
		cond_resched();
	}
}

static void pages_make_unit(struct page *head, unsigned int order)
{
	unsigned long i;

	if (pages_unit_order(head) == order)
		return;
	if (order == ACLKM_ORDER_2M) {
		pages_break_1g(head);
		if (!PageHead(head))
			pages_make_compound(head, order);
		return;
	}
	for (i = 0; i < 1UL << order; i += UNIT_PAGES) {
		if (PageHead(head + i))
			pages_break_compound(head + i);
		cond_resched();
	}
	pages_make_compound(head, order);
}

/* Whether the unit around a page begins before @pfn and ends after it. */
static bool pages_unit_spans(struct page *page, unsigned long pfn)
{
	struct page *head = compound_head(page);
	unsigned long first = page_to_pfn(head);

	return first < pfn && pfn < first + (1UL << compound_order(head));
}

static void pages_cut_at(struct page *page, unsigned long pfn)
{
	if (!pages_unit_spans(page, pfn))
		return;
	pages_break_1g(page);
	if (pages_unit_spans(page, pfn))
		pages_break_compound(page);
}

void aclkm_pages_cut(u64 start, u64 len)
{
	unsigned long pfn = PHYS_PFN(start), end = PHYS_PFN(start + len);
	struct page *first = pfn_to_page(pfn), *last = pfn_to_page(end - 1);

	if (!ACLKM_HUGE)
		return;
	/* A unit whose head is here begins here. */
	if (PageTail(first))
		pages_cut_at(first, pfn);
	/* Page @end may lie behind the arena. */
	if (PageCompound(last))
		pages_cut_at(last, end);
}

int aclkm_pages_shape(u64 start, u64 len, unsigned int order)
{
	unsigned long pfn = PHYS_PFN(start), end = PHYS_PFN(start + len);
	unsigned long unit = 1UL << order;

	/* A shorter range has no whole unit, so that all its pages have been made single. */
	if (!ACLKM_HUGE || len < SZ_2M)
		return 0;
	while (pfn < end) {
		struct page *page = pfn_to_page(pfn);

		if (order && IS_ALIGNED(pfn, unit) && unit <= end - pfn) {
			bool ready = pages_unit_order(page) == order;

			pfn += unit;
			/* Most units are as their last owner had them. */
			if (ready && !IS_ALIGNED(pfn, PHYS_PFN(SZ_1G)))
				continue;
			pages_make_unit(page, order);
		} else {
			pages_break_1g(page);
			/* Of a GiB that the range covers in part, units of 2 MiB are useful. */
			if (order && IS_ALIGNED(pfn, UNIT_PAGES) && UNIT_PAGES <= end - pfn)
				pages_make_unit(page, ACLKM_ORDER_2M);
			else if (PageCompound(page))
				pages_break_compound(page);
			pfn = ALIGN(pfn + 1, UNIT_PAGES);
		}
		if (pfn < end && fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

bool aclkm_pages_pinned(u64 *pos, u64 end)
{
	unsigned long pfn = PHYS_PFN(*pos);

	while (pfn < PHYS_PFN(end)) {
		struct page *page = pfn_to_page(pfn);

		/*
		 * The references of a compound page are its head's, which is in the range.
		 * A poisoned single page has one of memory_failure()'s, and is given to
		 * nobody any more, so its references do not matter.
		 */
		if (page_count(page) != 1 && (PageCompound(page) || !PageHWPoison(page)))
			break;
		pfn += 1UL << compound_order(page);
		if (!(pfn % UNIT_PAGES))
			cond_resched();
	}
	*pos = PFN_PHYS(pfn);
	return *pos < end;
}

void aclkm_pages_release(u64 start, u64 len, bool put)
{
	unsigned long pfn = PHYS_PFN(start), end = PHYS_PFN(start + len);

	for (; pfn < end; pfn++) {
		struct page *page = pfn_to_page(pfn);

		if (PageHead(page))
			pages_break_compound(page);
		set_page_private(page, 0);
		/* A poisoned page is nobody's from now on. */
		if (put && !PageHWPoison(page))
			put_page(page);
		if (!(pfn % UNIT_PAGES))
			cond_resched();
	}
}
