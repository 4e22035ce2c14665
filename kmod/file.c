// SPDX-License-Identifier: GPL-2.0
/*
 * An open /dev/aclkm: its handles, and what it is charged for them.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "aclkm.h"

static bool file_exceeds(u64 used, u64 more, u64 limit)
{
	return limit && (used > limit || more > limit - used);
}

/**
 * aclkm_file_reserve() - reserve a handle's number before there is anything behind it
 * @file:	the open file
 * @bytes:	that it will hold, as far as they count
 * @alloc:	the reason and the limit are filled if it fails; or NULL
 * @handle:	filled with the number
 *
 * So no call can fail after it has changed something, and no other thread can
 * use the handle before its owner knows it.
 *
 * Return: 0, -EDQUOT, -EMFILE or -ENOMEM.
 */
int aclkm_file_reserve(struct aclkm_file *file, u64 bytes, struct aclkm_alloc *alloc,
		       u32 *handle)
{
	u64 max_bytes = READ_ONCE(aclkm_limits.file_bytes);
	u64 max_regions = READ_ONCE(aclkm_limits.file_regions);
	bool limited = (max_bytes || max_regions) && !aclkm_limits_exempt(CAP_SYS_RESOURCE);
	u32 reason = 0;
	int err;

	xa_lock(&file->handles);
	if (limited && file_exceeds(file->count, 1, max_regions))
		reason = ACLKM_REASON_FILE_REGIONS;
	else if (limited && file_exceeds(file->bytes, bytes, max_bytes))
		reason = ACLKM_REASON_FILE_BYTES;
	if (!reason) {
		file->bytes += bytes;
		file->count++;
	}
	/* Drops the lock for a moment where it needs memory. */
	err = reason ? -EDQUOT :
	      __xa_alloc(&file->handles, handle, NULL, XA_LIMIT(1, ACLKM_HANDLE_MAX),
			 GFP_KERNEL_ACCOUNT);
	if (err && !reason) {
		file->bytes -= bytes;
		file->count--;
	}
	xa_unlock(&file->handles);
	if (reason && alloc) {
		alloc->reason = reason;
		alloc->limit = reason == ACLKM_REASON_FILE_BYTES ? max_bytes : max_regions;
	}
	return err == -EBUSY ? -EMFILE : err;
}

/**
 * aclkm_file_cancel() - free a reserved number
 * @file:	the open file
 * @number:	the number
 * @handle:	what was to be behind it, with what the file was charged
 */
void aclkm_file_cancel(struct aclkm_file *file, u32 number, struct aclkm_handle *handle)
{
	xa_lock(&file->handles);
	__xa_erase(&file->handles, number);
	aclkm_offset_release(file, handle);
	file->bytes -= handle->charge;
	file->count--;
	xa_unlock(&file->handles);
}

/* The counters of fdinfo, which shall not walk all handles. @sign is 1 or -1. */
static void file_count_handle(struct aclkm_file *file, const struct aclkm_handle *handle, int sign)
{
	if (handle->pinned)
		file->pinned += sign * handle->len;
	else if (handle->imported)
		file->imported += sign * handle->len;
}

/**
 * aclkm_file_install() - put something behind a reserved number
 * @file:	the open file
 * @number:	the number
 * @handle:	it and its references belong to the file from now on
 */
void aclkm_file_install(struct aclkm_file *file, u32 number, struct aclkm_handle *handle)
{
	xa_lock(&file->handles);
	/* Cannot fail: the slot is there since xa_alloc(). */
	__xa_store(&file->handles, number, handle, GFP_KERNEL_ACCOUNT);
	file_count_handle(file, handle, 1);
	xa_unlock(&file->handles);
}

static void file_copy_handle(struct aclkm_handle *copy, const struct aclkm_handle *handle)
{
	*copy = *handle;
	copy->low = NULL;
	if (copy->region)
		aclkm_region_get(copy->region);
	else
		aclkm_pinned_get(copy->pinned);
}

/**
 * aclkm_file_lookup() - what a handle stands for
 * @file:	the open file
 * @number:	from user space, unchecked
 * @handle:	filled, with references for the caller to put
 *
 * Return: 0 or -ENOENT.
 */
int aclkm_file_lookup(struct aclkm_file *file, u32 number, struct aclkm_handle *handle)
{
	struct aclkm_handle *found;

	xa_lock(&file->handles);
	found = xa_load(&file->handles, number);
	if (found)
		file_copy_handle(handle, found);
	xa_unlock(&file->handles);
	return found ? 0 : -ENOENT;
}

/**
 * aclkm_file_lookup_offset() - the region that an mmap offset names
 * @file:	the open file
 * @pgoff:	from user space, in pages, unchecked
 * @handle:	filled, with a reference for the caller to put
 * @page:	filled with the page of the handle's memory, unchecked
 *
 * For callers under mmap_lock: pinned memory is refused without taking a reference,
 * which could become the last one.
 *
 * Return: 0, -EINVAL (no handle has the offset), or -EOPNOTSUPP (pinned memory).
 */
int aclkm_file_lookup_offset(struct aclkm_file *file, pgoff_t pgoff, struct aclkm_handle *handle,
			     pgoff_t *page)
{
	struct aclkm_handle *found;
	int err = 0;

	xa_lock(&file->handles);
	found = xa_load(&file->handles, aclkm_offset_find(file, pgoff, page));
	if (!found)
		err = -EINVAL;
	else if (!found->region)
		err = -EOPNOTSUPP;
	else
		file_copy_handle(handle, found);
	xa_unlock(&file->handles);
	return err;
}

/**
 * aclkm_handle_put() - put the references of a handle
 * @handle:	from aclkm_file_lookup(), or the file's own. Sleeps.
 */
void aclkm_handle_put(struct aclkm_handle *handle)
{
	if (handle->region)
		aclkm_region_put(handle->region);
	else
		aclkm_pinned_put(handle->pinned);
}

/**
 * aclkm_file_remove() - remove a handle
 * @file:	the open file
 * @number:	from user space, unchecked
 *
 * Return: 0, or -ENOENT: also for a number that another thread's call has reserved
 * and not told anybody yet.
 */
int aclkm_file_remove(struct aclkm_file *file, u32 number)
{
	struct aclkm_handle *handle;

	xa_lock(&file->handles);
	handle = xa_load(&file->handles, number);
	if (handle) {
		__xa_erase(&file->handles, number);
		aclkm_offset_release(file, handle);
		file->bytes -= handle->charge;
		file->count--;
		file_count_handle(file, handle, -1);
	}
	xa_unlock(&file->handles);
	if (!handle)
		return -ENOENT;
	aclkm_handle_put(handle);
	kfree(handle);
	return 0;
}

/* open() */
int aclkm_open(struct inode *inode, struct file *filp)
{
	struct aclkm_file *file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);

	if (!file)
		return -ENOMEM;
	file->user = aclkm_user_open();
	if (!file->user) {
		kfree(file);
		return -ENOMEM;
	}
	xa_init_flags(&file->handles, XA_FLAGS_ALLOC1);
	aclkm_offsets_init(&file->offsets);
	file->read_only = !(filp->f_mode & FMODE_WRITE);
	filp->private_data = file;
	filp->f_mapping = aclkm_device_mapping();
	return 0;
}

/* The last close() */
int aclkm_release(struct inode *inode, struct file *filp)
{
	struct aclkm_file *file = filp->private_data;
	struct aclkm_handle *handle;
	unsigned long number;

	xa_for_each(&file->handles, number, handle) {
		aclkm_handle_put(handle);
		/* Nobody else uses the file any more: no lock. */
		aclkm_offset_release(file, handle);
		kfree(handle);
		cond_resched();
	}
	xa_destroy(&file->handles);
	aclkm_offsets_exit(&file->offsets);
	aclkm_user_close(file->user);
	kfree(file);
	return 0;
}

/* /proc/PID/fdinfo/FD */
void aclkm_show_fdinfo(struct seq_file *m, struct file *filp)
{
	struct aclkm_file *file = filp->private_data;
	u64 handles, bytes, imported, pinned;

	xa_lock(&file->handles);
	handles = file->count;
	bytes = file->bytes;
	imported = file->imported;
	pinned = file->pinned;
	xa_unlock(&file->handles);
	seq_printf(m, "aclkm-handles:\t%llu\n", handles);
	seq_printf(m, "aclkm-allocated:\t%llu KiB\n", bytes >> 10);
	seq_printf(m, "aclkm-imported:\t%llu KiB\n", imported >> 10);
	seq_printf(m, "aclkm-pinned:\t%llu KiB\n", pinned >> 10);
}
