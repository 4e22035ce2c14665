// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a process, kept where it is for devices. The driver remembers the
 * physically contiguous pieces of the memory, not its pages.
 *
 * The user who opened the file pays for the pages until they are unpinned, so
 * neither fork, exec nor a passed descriptor leaves a pin that nobody pays for.
 * Releasing pinned memory takes page locks and can take long: no caller drops a
 * reference under mmap_lock.
 */
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "aclkm.h"
#include "compat.h"

#define BATCH_PAGES	(PAGE_SIZE / sizeof(struct page *))

struct pinned_piece {
	unsigned long pfn;
	unsigned long pages;
};

/**
 * struct aclkm_pinned - pinned memory
 * @ref:	one for each handle, dma-buf and call under way
 * @user:	pays for the pages
 * @mm:		shows the pages as VmPin; referenced as a struct, not as memory
 * @pages:	number of pinned pages
 * @page_size:	largest page size that the layout of the memory allows, bytes
 * @read_only:	devices do not write to it
 * @nr:		number of pieces
 * @room:	number of pieces that fit into @piece
 * @piece:	the pieces, in the order of the process's addresses
 * @exports:	its dma-bufs
 */
struct aclkm_pinned {
	struct kref ref;
	struct aclkm_user *user;
	struct mm_struct *mm;
	unsigned long pages;
	u64 page_size;
	bool read_only;
	unsigned long nr;
	unsigned long room;
	struct pinned_piece *piece;
	struct aclkm_exports exports;
};

static atomic64_t pinned_total;

/* Bytes pinned, all together. */
u64 aclkm_pinned_total(void)
{
	return atomic64_read(&pinned_total);
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

/* Adds a page; a page that follows the last piece extends it. */
static int pinned_add_page(struct aclkm_pinned *pinned, struct page *page)
{
	unsigned long pfn = page_to_pfn(page);
	struct pinned_piece *last = pinned->nr ? &pinned->piece[pinned->nr - 1] : NULL;

	if (last && last->pfn + last->pages == pfn) {
		last->pages++;
		return 0;
	}
	if (pinned->nr == pinned->room) {
		unsigned long room = max(16UL, pinned->room * 2);
		/* More than kvmalloc() has is no reason for a warning in the log. */
		struct pinned_piece *grown = kvmalloc_array(room, sizeof(*grown),
							    GFP_KERNEL_ACCOUNT | __GFP_NOWARN);

		if (!grown)
			return -ENOMEM;
		if (pinned->nr)
			memcpy(grown, pinned->piece, pinned->nr * sizeof(*grown));
		kvfree(pinned->piece);
		pinned->piece = grown;
		pinned->room = room;
	}
	pinned->piece[pinned->nr++] = (struct pinned_piece){ .pfn = pfn, .pages = 1 };
	return 0;
}

static int pinned_add_pages(struct aclkm_pinned *pinned, unsigned long addr, unsigned long pages)
{
	struct page **batch = (struct page **)__get_free_page(GFP_KERNEL_ACCOUNT);
	int err = 0;

	if (!batch)
		return -ENOMEM;
	while (pages && !err) {
		int want = min_t(unsigned long, pages, BATCH_PAGES);
		int got = aclkm_pin_user_pages(addr, want, pinned->read_only, batch);
		int i;

		if (got <= 0) {
			err = got ? got : -EFAULT;
			break;
		}
		for (i = 0; i < got && !err; i++) {
			err = pinned_add_page(pinned, batch[i]);
			if (!err)
				pinned->pages++;
		}
		if (err)
			unpin_user_pages(batch + i - 1, got - i + 1);
		addr += PFN_PHYS(got);
		pages -= got;
		/* A profiler's timer must not make a long call start over for ever. */
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	free_page((unsigned long)batch);
	return err;
}

/*
 * The largest power of two, up to 1 GiB, that divides the address, the length and
 * each piece's address and length. The layout decides, not the kernel's folios: a
 * mapping can show a part of a folio.
 */
static u64 pinned_layout_size(const struct aclkm_pinned *pinned, const struct aclkm_pin *pin)
{
	u64 bits = SZ_1G | pin->addr | pin->len;
	unsigned long i;

	for (i = 0; i < pinned->nr; i++) {
		bits |= PFN_PHYS(pinned->piece[i].pfn | pinned->piece[i].pages);
		if (!(i % BATCH_PAGES))
			cond_resched();
	}
	return BIT_ULL(__ffs64(bits));
}

static void pinned_unpin(struct aclkm_pinned *pinned)
{
	unsigned long i;

	for (i = 0; i < pinned->nr; i++) {
		unsigned long pfn = pinned->piece[i].pfn, left = pinned->piece[i].pages;

		while (left) {
			unsigned long step = min_t(unsigned long, left, BATCH_PAGES);

			aclkm_unpin_user_pages(pfn_to_page(pfn), step, !pinned->read_only);
			pfn += step;
			left -= step;
			cond_resched();
		}
	}
	kvfree(pinned->piece);
}

/**
 * aclkm_pinned_create() - pin memory of the calling process
 * @pin:	what; its flags are checked
 * @user:	the user who opened the file, and pays until it is unpinned
 *
 * Return: the pinned memory with one reference, or the errors of ACLKM_IOC_PIN.
 */
struct aclkm_pinned *aclkm_pinned_create(struct aclkm_pin *pin, struct aclkm_user *user)
{
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
	err = aclkm_user_charge_pin(user, pin->len);
	if (err)
		goto free;
	err = pinned_add_pages(pinned, pin->addr, PHYS_PFN(pin->len));
	if (err)
		goto unpin;
	pinned->page_size = pinned_layout_size(pinned, pin);
	pinned->user = user;
	mmgrab(current->mm);
	pinned->mm = current->mm;
	atomic64_add(pinned->pages, &pinned->mm->pinned_vm);
	atomic64_add(pin->len, &pinned_total);
	return pinned;

unpin:
	pinned_unpin(pinned);
	aclkm_user_uncharge_pin(user, pin->len);
free:
	kfree(pinned);
	return ERR_PTR(err);
}

static void pinned_release(struct kref *ref)
{
	struct aclkm_pinned *pinned = container_of(ref, struct aclkm_pinned, ref);
	u64 bytes = PFN_PHYS(pinned->pages);

	pinned_unpin(pinned);
	atomic64_sub(bytes, &pinned_total);
	atomic64_sub(pinned->pages, &pinned->mm->pinned_vm);
	mmdrop(pinned->mm);
	aclkm_user_uncharge_pin(pinned->user, bytes);
	kfree(pinned);
}

/* Takes one more reference. */
void aclkm_pinned_get(struct aclkm_pinned *pinned)
{
	kref_get(&pinned->ref);
}

/* Drops a reference; the last one unpins. Sleeps; never called under mmap_lock. */
void aclkm_pinned_put(struct aclkm_pinned *pinned)
{
	/* Also where this is not the last reference: lockdep then reports each caller. */
	if (current->mm)
		might_lock(&current->mm->mmap_lock);
	kref_put(&pinned->ref, pinned_release);
}
