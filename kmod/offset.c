// SPDX-License-Identifier: GPL-2.0
/*
 * The mmap offsets of handles. A handle's number in the upper bits of the offset
 * says which region; the bits below say which byte of it.
 *
 * A 32-bit program passes offsets to mmap2() in 32 bits of pages, so it cannot name
 * the handles from the 16th on. What it allocates, imports or queries gets a second
 * offset for that, in the first ACLKM_REGION_MAX bytes: they belong to the number 0,
 * which no handle has. All of it is under the lock of the file's handles.
 */
#include <linux/compat.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "aclkm.h"
#include "compat.h"

/* Offset 0 never names anything. */
#define LOW_FIRST	SZ_1M

/**
 * aclkm_offsets_init() - of a file without handles
 * @offsets:	in the file
 */
void aclkm_offsets_init(struct aclkm_offsets *offsets)
{
	aclkm_extents_init(&offsets->free);
	offsets->taken = RB_ROOT;
}

/**
 * aclkm_offsets_exit() - of a file whose handles are gone
 * @offsets:	in the file
 */
void aclkm_offsets_exit(struct aclkm_offsets *offsets)
{
	struct rb_node *node;

	while ((node = rb_first(&offsets->free.by_addr))) {
		rb_erase(node, &offsets->free.by_addr);
		kfree(rb_entry(node, struct aclkm_extent, by_addr));
	}
}

static bool offset_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct aclkm_extent, by_addr)->start <
	       rb_entry(b, struct aclkm_extent, by_addr)->start;
}

/* Takes @spare[2] as the first free piece, @spare[0] and @spare[1] for splitting it. */
static struct aclkm_extent *offset_alloc(struct aclkm_offsets *offsets, u64 len,
					 struct aclkm_extent *spare[3])
{
	struct aclkm_extent *low, *unused[2];
	u64 start;

	if (!offsets->ready) {
		spare[2]->start = LOW_FIRST;
		spare[2]->len = ACLKM_REGION_MAX - LOW_FIRST;
		aclkm_extents_insert(&offsets->free, spare[2], unused);
		spare[2] = NULL;
		offsets->ready = true;
	}
	if (!aclkm_extents_find(&offsets->free, len, PAGE_SIZE, &start))
		return NULL;
	low = aclkm_extents_carve(&offsets->free, start, len, spare);
	rb_add(&low->by_addr, &offsets->taken, offset_less);
	return low;
}

/**
 * aclkm_offset_assign() - the offset by which the caller can map a handle
 * @file:	the open file
 * @number:	of the handle
 * @handle:	the handle before it is installed; NULL for an installed one
 * @offset:	filled
 *
 * Return: 0, -ENOENT (another thread has freed it), -ENOMEM, or -EMFILE (the handles
 * that 32-bit programs know fill their offsets).
 */
int aclkm_offset_assign(struct aclkm_file *file, u32 number, struct aclkm_handle *handle,
			u64 *offset)
{
	struct aclkm_extent *spare[3] = {};
	int err = -ENOMEM, i;

	*offset = (u64)number << ACLKM_OFFSET_SHIFT;
	if (!in_compat_syscall())
		return 0;
	for (i = 0; i < 3; i++) {
		spare[i] = kmalloc(sizeof(*spare[i]), GFP_KERNEL_ACCOUNT);
		if (!spare[i])
			goto free;
	}

	xa_lock(&file->handles);
	/* An offset that is noted in a copy of the handle would never be freed. */
	if (!handle)
		handle = xa_load(&file->handles, number);
	err = handle ? 0 : -ENOENT;
	if (handle && !handle->low) {
		handle->low = offset_alloc(&file->offsets, handle->len, spare);
		if (handle->low)
			handle->low->owner = (void *)(unsigned long)number;
		else
			err = -EMFILE;
	}
	if (!err)
		*offset = handle->low->start;
	xa_unlock(&file->handles);
free:
	for (i = 0; i < 3; i++)
		kfree(spare[i]);
	return err;
}

/**
 * aclkm_offset_release() - free the offset of a handle that is removed
 * @file:	the open file; its handles are locked
 * @handle:	the handle
 */
void aclkm_offset_release(struct aclkm_file *file, struct aclkm_handle *handle)
{
	struct aclkm_extent *unused[2];

	if (!handle->low)
		return;
	rb_erase(&handle->low->by_addr, &file->offsets.taken);
	aclkm_extents_insert(&file->offsets.free, handle->low, unused);
	kfree(unused[0]);
	kfree(unused[1]);
	handle->low = NULL;
}

/**
 * aclkm_offset_find() - which handle an mmap offset names
 * @file:	the open file; its handles are locked
 * @pgoff:	from user space, in pages
 * @page:	filled with the page of the handle's memory
 *
 * Return: the handle's number, 0 if there is none.
 */
u32 aclkm_offset_find(const struct aclkm_file *file, pgoff_t pgoff, pgoff_t *page)
{
	struct rb_node *node = file->offsets.taken.rb_node;
	u64 at = PFN_PHYS(pgoff);

	*page = pgoff % ACLKM_OFFSET_PAGES;
	if (pgoff / ACLKM_OFFSET_PAGES > ACLKM_HANDLE_MAX)
		return 0;
	if (pgoff >= ACLKM_OFFSET_PAGES)
		return pgoff / ACLKM_OFFSET_PAGES;
	while (node) {
		const struct aclkm_extent *low = rb_entry(node, struct aclkm_extent, by_addr);

		if (at >= low->start && at - low->start < low->len) {
			*page = PHYS_PFN(at - low->start);
			return (unsigned long)low->owner;
		}
		node = at < low->start ? node->rb_left : node->rb_right;
	}
	return 0;
}
