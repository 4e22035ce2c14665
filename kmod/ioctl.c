// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of /dev/aclkm: every field checked, every output filled.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include "aclkm.h"

static int check_node(s32 node)
{
	if (node == ACLKM_NODE_ANY)
		return 0;
	if (node < 0 || node >= MAX_NUMNODES || !node_online(node))
		return -EINVAL;
	return 0;
}

static long do_info(struct aclkm_file *file, void *arg)
{
	struct aclkm_info *info = arg;

	memset(info, 0, sizeof(*info));
	info->abi_version = ACLKM_ABI_VERSION;
	info->features = ACLKM_FEATURE_GUP;
	info->granule = PAGE_SIZE;
	info->align_max = ACLKM_ALIGN_MAX;
	aclkm_arenas_sum(NUMA_NO_NODE, info);
	return 0;
}

/*
 * The handle is reserved before the memory is taken and filled in only after
 * the answer has reached the caller (finish_alloc()), so that no other thread
 * can use it, and nothing is left of a call that fails.
 */
static long do_alloc(struct aclkm_file *file, void *arg, struct aclkm_region **out)
{
	struct aclkm_alloc *alloc = arg;
	struct aclkm_info sum = {};
	struct aclkm_region *region;
	u32 handle;
	int err;

	alloc->handle = 0;
	alloc->offset = 0;
	alloc->free = 0;
	alloc->largest_free = 0;
	/* More than any arena is a want of memory; what PAGE_ALIGN() cannot hold is no size. */
	if (!alloc->size || alloc->size > U64_MAX - PAGE_SIZE + 1 || alloc->flags ||
	    alloc->reason || check_node(alloc->node))
		return -EINVAL;
	if (alloc->align && !is_power_of_2(alloc->align))
		return -EINVAL;
	if (alloc->align > ACLKM_ALIGN_MAX)
		return -EINVAL;

	err = xa_alloc(&file->regions, &handle, NULL, XA_LIMIT(1, ACLKM_HANDLE_MAX),
		       GFP_KERNEL_ACCOUNT);
	if (err)
		return err == -EBUSY ? -EMFILE : err;

	region = aclkm_region_create(PAGE_ALIGN(alloc->size),
				     max_t(u64, alloc->align, PAGE_SIZE), alloc->node);
	if (IS_ERR(region)) {
		xa_erase(&file->regions, handle);
		if (PTR_ERR(region) == -ENOSPC) {
			aclkm_arenas_sum(alloc->node, &sum);
			alloc->free = sum.free;
			alloc->largest_free = sum.largest_free;
		}
		return PTR_ERR(region);
	}

	alloc->size = region->extent->len;
	alloc->node = region->arena->node;
	alloc->handle = handle;
	alloc->offset = (u64)handle << ACLKM_OFFSET_SHIFT;
	*out = region;
	return 0;
}

/* @err: whether the answer reached the caller. */
static long finish_alloc(struct aclkm_file *file, u32 handle, struct aclkm_region *region,
			 long err)
{
	if (err) {
		xa_erase(&file->regions, handle);
		aclkm_region_put(region);
		return err;
	}
	/* Cannot fail: the slot is there since xa_alloc(). */
	xa_store(&file->regions, handle, region, GFP_KERNEL);
	return 0;
}

static long do_free(struct aclkm_file *file, void *arg)
{
	struct aclkm_free *req = arg;
	struct aclkm_region *region;

	if (req->flags)
		return -EINVAL;
	/* Not xa_erase(): a slot that ALLOC has reserved is not ours to take away. */
	xa_lock(&file->regions);
	region = xa_load(&file->regions, req->handle);
	if (region)
		__xa_erase(&file->regions, req->handle);
	xa_unlock(&file->regions);
	if (!region)
		return -ENOENT;
	aclkm_region_put(region);
	return 0;
}

static long do_query(struct aclkm_file *file, void *arg)
{
	struct aclkm_query *query = arg;
	struct aclkm_region *region;
	u32 handle = query->handle;

	if (query->flags || query->cache)
		return -EINVAL;
	region = aclkm_file_lookup(file, handle);
	if (!region)
		return -ENOENT;

	memset(query, 0, sizeof(*query));
	query->handle = handle;
	query->size = region->extent->len;
	query->offset = (u64)handle << ACLKM_OFFSET_SHIFT;
	query->align = region->align;
	query->map_page = PAGE_SIZE;
	query->node = region->arena->node;
	if (capable(CAP_SYS_RAWIO)) {
		query->phys = region->extent->start;
		query->flags = ACLKM_QUERY_PHYS;
	}
	aclkm_region_put(region);
	return 0;
}

union aclkm_arg {
	struct aclkm_info info;
	struct aclkm_alloc alloc;
	struct aclkm_free free;
	struct aclkm_query query;
};

/* The call's size when the ABI began: a smaller struct has never existed. */
static size_t arg_size(unsigned int cmd)
{
	switch (_IOC_NR(cmd)) {
	case _IOC_NR(ACLKM_IOC_INFO):
		return sizeof(struct aclkm_info);
	case _IOC_NR(ACLKM_IOC_ALLOC):
		return sizeof(struct aclkm_alloc);
	case _IOC_NR(ACLKM_IOC_FREE):
		return sizeof(struct aclkm_free);
	case _IOC_NR(ACLKM_IOC_QUERY):
		return sizeof(struct aclkm_query);
	default:
		return 0;
	}
}

static unsigned int known_cmd(unsigned int nr)
{
	static const unsigned int cmds[] = {
		[_IOC_NR(ACLKM_IOC_INFO)] = ACLKM_IOC_INFO,
		[_IOC_NR(ACLKM_IOC_ALLOC)] = ACLKM_IOC_ALLOC,
		[_IOC_NR(ACLKM_IOC_FREE)] = ACLKM_IOC_FREE,
		[_IOC_NR(ACLKM_IOC_QUERY)] = ACLKM_IOC_QUERY,
	};

	return nr < ARRAY_SIZE(cmds) ? cmds[array_index_nospec(nr, ARRAY_SIZE(cmds))] : 0;
}

/**
 * aclkm_ioctl() - the calls, by number and direction; the size may have grown
 * @filp:	the open file
 * @cmd:	from user space
 * @arg:	from user space
 *
 * Return: 0, -ENOTTY (no such call), -EINVAL (a struct shorter than any that
 * existed), -E2BIG (a longer one that asks for what is not known here),
 * -EFAULT, or the call's own errors.
 */
long aclkm_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct aclkm_file *file = filp->private_data;
	void __user *user = (void __user *)arg;
	unsigned int known = known_cmd(_IOC_NR(cmd));
	size_t size = arg_size(cmd);
	struct aclkm_region *region = NULL;
	union aclkm_arg kernel = {};
	long err;

	if (!known || _IOC_TYPE(cmd) != ACLKM_IOC_MAGIC || _IOC_DIR(cmd) != _IOC_DIR(known))
		return -ENOTTY;
	if (_IOC_SIZE(cmd) < size)
		return -EINVAL;
	if (_IOC_DIR(cmd) & _IOC_WRITE) {
		err = copy_struct_from_user(&kernel, size, user, _IOC_SIZE(cmd));
		if (err)
			return err;
	}

	switch (known) {
	case ACLKM_IOC_INFO:
		err = do_info(file, &kernel);
		break;
	case ACLKM_IOC_ALLOC:
		err = do_alloc(file, &kernel, &region);
		break;
	case ACLKM_IOC_FREE:
		return do_free(file, &kernel);
	case ACLKM_IOC_QUERY:
		err = do_query(file, &kernel);
		break;
	default:
		return -ENOTTY;
	}

	/* A full arena is explained in the struct, all other errors by their code. */
	if (err && !(err == -ENOSPC && known == ACLKM_IOC_ALLOC))
		return err;
	if (copy_to_user(user, &kernel, size))
		err = -EFAULT;
	if (region)
		err = finish_alloc(file, kernel.alloc.handle, region, err);
	return err;
}
