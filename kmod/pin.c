// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a process, kept where it is for devices. Only its physically
 * contiguous pieces are remembered, not its pages.
 */
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/scatterlist.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "aclkm.h"

#define BATCH_PAGES	(PAGE_SIZE / sizeof(struct page *))

struct piece {
	unsigned long pfn;
	unsigned long pages;
};

/**
 * struct aclkm_pinned - pinned memory
 * @ref:	one for each handle, dma-buf and call under way
 * @mm:		whose RLIMIT_MEMLOCK pays
 * @pages:	how many are pinned and paid for
 * @page_size:	of the smallest page of it
 * @read_only:	devices do not write to it
 * @nr:		pieces
 * @room:	pieces that fit
 * @piece:	the pieces, in order
 * @exports:	its dma-bufs
 */
struct aclkm_pinned {
	struct kref ref;
	struct mm_struct *mm;
	unsigned long pages;
	u64 page_size;
	bool read_only;
	unsigned long nr;
	unsigned long room;
	struct piece *piece;
	struct aclkm_exports exports;
};

static atomic64_t total;

/* Bytes pinned, all together. */
u64 aclkm_pinned_total(void)
{
	return atomic64_read(&total);
}

u64 aclkm_pinned_page_size(const struct aclkm_pinned *pinned)
{
	return pinned->page_size;
}

u64 aclkm_pinned_extents(const struct aclkm_pinned *pinned)
{
	return pinned->nr;
}

struct aclkm_phys_extent aclkm_pinned_extent(const struct aclkm_pinned *pinned, u64 index)
{
	return (struct aclkm_phys_extent){
		.phys = PFN_PHYS(pinned->piece[index].pfn),
		.len = PFN_PHYS(pinned->piece[index].pages),
	};
}

int aclkm_pinned_node(const struct aclkm_pinned *pinned)
{
	return page_to_nid(pfn_to_page(pinned->piece[0].pfn));
}

struct aclkm_exports *aclkm_pinned_exports(struct aclkm_pinned *pinned)
{
	return &pinned->exports;
}

/* Adds a page; joins it with the last piece where they touch. */
static int add_page(struct aclkm_pinned *pinned, struct page *page)
{
	unsigned long pfn = page_to_pfn(page);
	struct piece *last = pinned->nr ? &pinned->piece[pinned->nr - 1] : NULL;

	pinned->page_size = min_t(u64, pinned->page_size,
				  PAGE_SIZE << compound_order(compound_head(page)));
	if (last && last->pfn + last->pages == pfn) {
		last->pages++;
		return 0;
	}
	if (pinned->nr == pinned->room) {
		unsigned long room = max(16UL, pinned->room * 2);
		struct piece *grown = kvmalloc_array(room, sizeof(*grown), GFP_KERNEL_ACCOUNT);

		if (!grown)
			return -ENOMEM;
		if (pinned->nr)
			memcpy(grown, pinned->piece, pinned->nr * sizeof(*grown));
		kvfree(pinned->piece);
		pinned->piece = grown;
		pinned->room = room;
	}
	pinned->piece[pinned->nr++] = (struct piece){ .pfn = pfn, .pages = 1 };
	return 0;
}

static int pin_pages(struct aclkm_pinned *pinned, unsigned long addr, unsigned long pages)
{
	unsigned int flags = FOLL_LONGTERM | (pinned->read_only ? 0 : FOLL_WRITE);
	struct page **batch = (struct page **)__get_free_page(GFP_KERNEL_ACCOUNT);
	int err = 0;

	if (!batch)
		return -ENOMEM;
	while (pages && !err) {
		int want = min_t(unsigned long, pages, BATCH_PAGES);
		int got = pin_user_pages_fast(addr, want, flags, batch);
		int i;

		if (got <= 0) {
			err = got ? got : -EFAULT;
			break;
		}
		for (i = 0; i < got && !err; i++) {
			err = add_page(pinned, batch[i]);
			if (!err)
				pinned->pages++;
		}
		if (err)
			unpin_user_pages(batch + i - 1, got - i + 1);
		addr += PFN_PHYS(got);
		pages -= got;
		if (!err && signal_pending(current) && pages)
			err = -EINTR;
		cond_resched();
	}
	free_page((unsigned long)batch);
	return err;
}

static void unpin(struct aclkm_pinned *pinned)
{
	unsigned long i;

	for (i = 0; i < pinned->nr; i++) {
		unpin_user_page_range_dirty_lock(pfn_to_page(pinned->piece[i].pfn),
						 pinned->piece[i].pages, !pinned->read_only);
		cond_resched();
	}
	kvfree(pinned->piece);
}

/**
 * aclkm_pinned_create() - pin memory of the calling process
 * @pin:	what; its flags are checked
 *
 * Return: the pinned memory with one reference, or the errors of ACLKM_IOC_PIN.
 */
struct aclkm_pinned *aclkm_pinned_create(struct aclkm_pin *pin)
{
	unsigned long pages = PHYS_PFN(pin->len);
	struct aclkm_pinned *pinned;
	u64 end;
	int err;

	if (!pin->len || !PAGE_ALIGNED(pin->addr) || !PAGE_ALIGNED(pin->len) ||
	    check_add_overflow(pin->addr, pin->len, &end))
		return ERR_PTR(-EINVAL);
	if (!access_ok((void __user *)(unsigned long)pin->addr, pin->len))
		return ERR_PTR(-EFAULT);

	pinned = kzalloc(sizeof(*pinned), GFP_KERNEL_ACCOUNT);
	if (!pinned)
		return ERR_PTR(-ENOMEM);
	kref_init(&pinned->ref);
	aclkm_exports_init(&pinned->exports);
	pinned->read_only = pin->flags & ACLKM_PIN_READ_ONLY;
	pinned->page_size = SZ_1G;
	pinned->mm = current->mm;
	err = account_locked_vm(pinned->mm, pages, true);
	if (err)
		goto free;
	mmgrab(pinned->mm);
	err = pin_pages(pinned, pin->addr, pages);
	if (err)
		goto unpin;
	/* A page is only as good as the part of it that is in the range. */
	while (pinned->page_size > PAGE_SIZE &&
	       !IS_ALIGNED(pin->addr | pin->len, pinned->page_size))
		pinned->page_size >>= 1;
	atomic64_add(pin->len, &total);
	return pinned;

unpin:
	unpin(pinned);
	account_locked_vm(pinned->mm, pages, false);
	mmdrop(pinned->mm);
free:
	kfree(pinned);
	return ERR_PTR(err);
}

static void pinned_release(struct kref *ref)
{
	struct aclkm_pinned *pinned = container_of(ref, struct aclkm_pinned, ref);

	unpin(pinned);
	atomic64_sub(PFN_PHYS(pinned->pages), &total);
	account_locked_vm(pinned->mm, pinned->pages, false);
	mmdrop(pinned->mm);
	kfree(pinned);
}

/* Takes one more reference. */
void aclkm_pinned_get(struct aclkm_pinned *pinned)
{
	kref_get(&pinned->ref);
}

/* Drops a reference; the last one unpins. Sleeps. */
void aclkm_pinned_put(struct aclkm_pinned *pinned)
{
	kref_put(&pinned->ref, pinned_release);
}

/**
 * aclkm_pinned_sg() - a scatter list of a part of pinned memory
 * @pinned:	the memory
 * @start:	first byte, page-aligned
 * @len:	bytes, page-aligned, inside
 * @max:	bytes that one entry may cover, page-aligned
 * @sgt:	made; for the caller to free with sg_free_table()
 *
 * Return: 0 or -ENOMEM.
 */
int aclkm_pinned_sg(const struct aclkm_pinned *pinned, u64 start, u64 len, u64 max,
		    struct sg_table *sgt)
{
	struct scatterlist *sg = NULL;
	u64 pos = 0, end = start + len;
	unsigned int nr = 0;
	unsigned long i;
	int pass, err;

	/* First counts, then fills. */
	for (pass = 0; pass < 2; pass++) {
		if (pass) {
			err = sg_alloc_table(sgt, nr, GFP_KERNEL);
			if (err)
				return err;
			sg = sgt->sgl;
		}
		for (i = 0, pos = 0; i < pinned->nr && pos < end; i++) {
			u64 size = PFN_PHYS(pinned->piece[i].pages);
			u64 from = start > pos ? start : pos;
			u64 to = min(end, pos + size);

			for (; from < to; from += min(to - from, max)) {
				if (!pass) {
					nr++;
					continue;
				}
				sg_set_page(sg, pfn_to_page(pinned->piece[i].pfn +
							    PHYS_PFN(from - pos)),
					    min(to - from, max), 0);
				sg = sg_next(sg);
			}
			pos += size;
		}
	}
	return 0;
}
