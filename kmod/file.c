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

static bool over(u64 used, u64 more, u64 limit)
{
	return limit && (used > limit || more > limit - used);
}

/**
 * aclkm_file_reserve() - take a handle's number before there is anything behind it
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
	bool limited = (max_bytes || max_regions) && !capable(CAP_SYS_RESOURCE);
	u32 reason = 0;
	int err;

	xa_lock(&file->handles);
	if (limited && over(file->count, 1, max_regions))
		reason = ACLKM_REASON_FILE_REGIONS;
	else if (limited && over(file->bytes, bytes, max_bytes))
		reason = ACLKM_REASON_FILE_BYTES;
	if (!reason) {
		file->bytes += bytes;
		file->count++;
	}
	xa_unlock(&file->handles);
	if (reason) {
		if (alloc) {
			alloc->reason = reason;
			alloc->limit = reason == ACLKM_REASON_FILE_BYTES ? max_bytes : max_regions;
		}
		return -EDQUOT;
	}

	err = xa_alloc(&file->handles, handle, NULL, XA_LIMIT(1, ACLKM_HANDLE_MAX),
		       GFP_KERNEL_ACCOUNT);
	if (!err)
		return 0;
	xa_lock(&file->handles);
	file->bytes -= bytes;
	file->count--;
	xa_unlock(&file->handles);
	return err == -EBUSY ? -EMFILE : err;
}

/**
 * aclkm_file_cancel() - give a reserved number back
 * @file:	the open file
 * @handle:	the number
 * @bytes:	as it was reserved with
 */
void aclkm_file_cancel(struct aclkm_file *file, u32 handle, u64 bytes)
{
	xa_lock(&file->handles);
	__xa_erase(&file->handles, handle);
	file->bytes -= bytes;
	file->count--;
	xa_unlock(&file->handles);
}

/**
 * aclkm_file_install() - put something behind a reserved number
 * @file:	the open file
 * @number:	the number
 * @handle:	it and its references belong to the file from now on
 */
void aclkm_file_install(struct aclkm_file *file, u32 number, struct aclkm_handle *handle)
{
	/* Cannot fail: the slot is there since xa_alloc(). */
	xa_store(&file->handles, number, handle, GFP_KERNEL_ACCOUNT);
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
	if (found) {
		*handle = *found;
		if (handle->region)
			aclkm_region_get(handle->region);
		else
			aclkm_pinned_get(handle->pinned);
	}
	xa_unlock(&file->handles);
	return found ? 0 : -ENOENT;
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
 * aclkm_file_remove() - take a handle away
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
		file->bytes -= handle->charge;
		file->count--;
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
	file->user = aclkm_user_open(current_fsuid());
	if (!file->user) {
		kfree(file);
		return -ENOMEM;
	}
	xa_init_flags(&file->handles, XA_FLAGS_ALLOC1);
	file->read_only = !(filp->f_mode & FMODE_WRITE);
	filp->private_data = file;
	filp->f_mapping = aclkm_inode()->i_mapping;
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
		kfree(handle);
	}
	xa_destroy(&file->handles);
	aclkm_user_put(file->user);
	kfree(file);
	return 0;
}

/* /proc/PID/fdinfo/FD */
void aclkm_show_fdinfo(struct seq_file *m, struct file *filp)
{
	struct aclkm_file *file = filp->private_data;
	u64 handles = 0, bytes = 0, imported = 0, pinned = 0;
	struct aclkm_handle *handle;
	unsigned long number = 0;

	xa_lock(&file->handles);
	for (handle = xa_find(&file->handles, &number, ULONG_MAX, XA_PRESENT); handle;
	     handle = xa_find_after(&file->handles, &number, ULONG_MAX, XA_PRESENT)) {
		handles++;
		if (handle->pinned)
			pinned += handle->len;
		else if (handle->imported)
			imported += handle->len;
		else
			bytes += handle->len;
	}
	xa_unlock(&file->handles);
	seq_printf(m, "aclkm-handles:\t%llu\n", handles);
	seq_printf(m, "aclkm-allocated:\t%llu KiB\n", bytes >> 10);
	seq_printf(m, "aclkm-imported:\t%llu KiB\n", imported >> 10);
	seq_printf(m, "aclkm-pinned:\t%llu KiB\n", pinned >> 10);
}
