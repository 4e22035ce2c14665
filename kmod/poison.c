// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that the kernel calls poisoned: their memory has failed. Such a page leaves its
 * arena for good, at once if it is free, else when its region dies. Until then it is
 * unmapped, and a fault on it is answered with VM_FAULT_HWPOISON.
 *
 * The kernel tells no driver which pages it marks, so this file follows the tracepoint
 * of its memory failures. The probe cannot sleep and only notes the page;
 * aclkm_poison_handle() does the rest, from a worker and before memory changes hands.
 * A kernel without tracepoints makes it search each region that dies.
 */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/page-flags.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/workqueue.h>

#include "aclkm.h"
#include "pages.h"

#ifdef CONFIG_MEMORY_FAILURE

/* Pages noted and not handled yet. More than this many make all arenas be searched. */
#define NOTED_MAX	64

struct poison_notes {
	unsigned long pfn[NOTED_MAX];
	unsigned int nr;
	bool search;
};

static DEFINE_SPINLOCK(poison_noted_lock); /* poison_noted */
static struct poison_notes poison_noted;
/* One thread handles notes at a time, so that a second one waits until they are. */
static DEFINE_MUTEX(poison_lock);
static struct tracepoint *poison_tracepoint;

bool aclkm_poison_pending;
bool aclkm_poison_untraced;

static void poison_work_fn(struct work_struct *work)
{
	aclkm_poison_handle();
}
static DECLARE_WORK(poison_work, poison_work_fn);

static void poison_note(unsigned long pfn)
{
	unsigned long flags;

	spin_lock_irqsave(&poison_noted_lock, flags);
	if (poison_noted.nr < NOTED_MAX)
		poison_noted.pfn[poison_noted.nr++] = pfn;
	else
		poison_noted.search = true;
	WRITE_ONCE(aclkm_poison_pending, true);
	spin_unlock_irqrestore(&poison_noted_lock, flags);
}

/* In memory_failure(), which has marked the page. */
static void poison_probe(void *data, unsigned long pfn, int type, int result)
{
	poison_note(pfn);
	/* Soon: until then, programs can read the page. */
	queue_work(system_highpri_wq, &poison_work);
}

/* Removes the page's entries from the mappings of the region that it is in. */
static void poison_unmap(const struct aclkm_poison *poison)
{
	pgoff_t first = poison->region_id * ACLKM_OFFSET_PAGES + poison->index;
	pgoff_t nr = 1;

	/* Entries of 1 GiB are not cut: see mmap.c. */
	if (poison->map_order == ACLKM_ORDER_1G) {
		first = ALIGN_DOWN(first, PHYS_PFN(SZ_1G));
		nr = PHYS_PFN(SZ_1G);
	}
	aclkm_drop_entries(first, nr);
}

static void poison_page(unsigned long pfn)
{
	struct aclkm_poison *poison = kzalloc(sizeof(*poison), GFP_KERNEL | __GFP_NOFAIL);
	unsigned int i;

	poison->addr = PFN_PHYS(pfn);
	for (i = 0; i < ARRAY_SIZE(poison->spare); i++)
		poison->spare[i] = kmalloc(sizeof(*poison->spare[i]), GFP_KERNEL | __GFP_NOFAIL);
	if (!aclkm_arena_poison(poison)) {
		aclkm_poison_free(poison);
		return;
	}
	/* Of the pages of a carve-out, the kernel marks none. */
	SetPageHWPoison(pfn_to_page(pfn));
	if (poison->in_region)
		poison_unmap(poison);
}

/* Notes the marked pages of a range that the arena does not know yet. */
static void poison_search(struct aclkm_arena *arena, u64 start, u64 len)
{
	unsigned long pfn = PHYS_PFN(start), end = PHYS_PFN(start + len);

	for (; pfn < end; pfn++) {
		if (PageHWPoison(pfn_to_page(pfn)) &&
		    !aclkm_arena_has_poison(arena, PFN_PHYS(pfn), PAGE_SIZE))
			poison_note(pfn);
		if (IS_ALIGNED(pfn, PHYS_PFN(SZ_2M)))
			cond_resched();
	}
}

static void poison_search_all(void)
{
	struct aclkm_arena *arena;

	down_read(&aclkm_arenas_lock);
	list_for_each_entry(arena, &aclkm_arenas, list)
		poison_search(arena, arena->start, arena->size);
	up_read(&aclkm_arenas_lock);
}

/* Moves the notes to @notes; false if there are none. */
static bool poison_take_notes(struct poison_notes *notes)
{
	bool any;

	spin_lock_irq(&poison_noted_lock);
	any = poison_noted.nr || poison_noted.search;
	*notes = poison_noted;
	poison_noted.nr = 0;
	poison_noted.search = false;
	if (!any)
		WRITE_ONCE(aclkm_poison_pending, false);
	spin_unlock_irq(&poison_noted_lock);
	return any;
}

/**
 * aclkm_poison_handle() - remove the noted pages from their arenas
 *
 * When it returns, each page that was noted before the call has been handled.
 */
void aclkm_poison_handle(void)
{
	struct poison_notes *notes = kmalloc(sizeof(*notes), GFP_KERNEL | __GFP_NOFAIL);
	unsigned int i;

	mutex_lock(&poison_lock);
	while (poison_take_notes(notes)) {
		for (i = 0; i < notes->nr; i++)
			poison_page(notes->pfn[i]);
		if (notes->search)
			poison_search_all();
	}
	mutex_unlock(&poison_lock);
	kfree(notes);
}

/**
 * aclkm_poison_search() - handle the poisoned pages of all arenas
 *
 * For those that were poisoned before their arena was on the list.
 */
void aclkm_poison_search(void)
{
	poison_search_all();
	aclkm_poison_settle();
}

/**
 * aclkm_poison_search_region() - find poisoned pages before a region's memory is free
 * @region:	dead
 */
void aclkm_poison_search_region(const struct aclkm_region *region)
{
	poison_search(region->arena, region->extent->start, region->extent->len);
	aclkm_poison_settle();
}

static void poison_find_tracepoint(struct tracepoint *tracepoint, void *data)
{
	if (!strcmp(tracepoint->name, "memory_failure_event"))
		poison_tracepoint = tracepoint;
}

/**
 * aclkm_poison_init() - follow the kernel's memory failures
 */
void aclkm_poison_init(void)
{
	for_each_kernel_tracepoint(poison_find_tracepoint, NULL);
	if (poison_tracepoint && tracepoint_probe_register(poison_tracepoint, poison_probe, NULL))
		poison_tracepoint = NULL;
	aclkm_poison_untraced = !poison_tracepoint;
}

/**
 * aclkm_poison_exit() - follow them no longer
 */
void aclkm_poison_exit(void)
{
	if (poison_tracepoint) {
		tracepoint_probe_unregister(poison_tracepoint, poison_probe, NULL);
		tracepoint_synchronize_unregister();
	}
	cancel_work_sync(&poison_work);
}

#endif /* CONFIG_MEMORY_FAILURE */
