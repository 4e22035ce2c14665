// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of /dev/aclkm: every field checked, every output filled.
 *
 * What a call makes becomes visible only after the answer has reached the caller:
 * numbers are reserved before; ioctl_commit() fills them, ioctl_rollback() frees them.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/nospec.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "aclkm.h"
#include "compat.h"
#include "pages.h"
#include "trace.h"

union aclkm_arg {
	struct aclkm_info info;
	struct aclkm_alloc alloc;
	struct aclkm_free free;
	struct aclkm_query query;
	struct aclkm_export export;
	struct aclkm_import import;
	struct aclkm_sync sync;
	struct aclkm_pin pin;
	struct aclkm_phys phys;
	struct aclkm_map map;
};

/**
 * struct ioctl_pending - what a call has made and nobody can see yet
 * @handle:	what the handle will stand for, or NULL
 * @number:	reserved for it
 * @fd:		reserved descriptor, or negative
 * @dmabuf:	for it
 */
struct ioctl_pending {
	struct aclkm_handle *handle;
	u32 number;
	int fd;
	struct dma_buf *dmabuf;
};

static int ioctl_reserve_handle(struct aclkm_file *file, u64 charge, struct aclkm_alloc *alloc,
				struct ioctl_pending *pending)
{
	int err;

	pending->handle = kzalloc(sizeof(*pending->handle), GFP_KERNEL_ACCOUNT);
	if (!pending->handle)
		return -ENOMEM;
	err = aclkm_file_reserve(file, charge, alloc, &pending->number);
	if (err) {
		kfree(pending->handle);
		pending->handle = NULL;
		return err;
	}
	pending->handle->charge = charge;
	pending->handle->read_only = file->read_only;
	return 0;
}

static void ioctl_cancel_handle(struct aclkm_file *file, struct ioctl_pending *pending)
{
	aclkm_file_cancel(file, pending->number, pending->handle);
	kfree(pending->handle);
	pending->handle = NULL;
}

static void ioctl_commit(struct aclkm_file *file, struct ioctl_pending *pending)
{
	if (pending->handle)
		aclkm_file_install(file, pending->number, pending->handle);
	if (pending->fd >= 0)
		fd_install(pending->fd, pending->dmabuf->file);
}

static void ioctl_rollback(struct aclkm_file *file, struct ioctl_pending *pending)
{
	if (pending->handle) {
		aclkm_handle_put(pending->handle);
		ioctl_cancel_handle(file, pending);
	}
	if (pending->fd >= 0) {
		put_unused_fd(pending->fd);
		dma_buf_put(pending->dmabuf);
	}
}

static int ioctl_check_node(s32 node)
{
	if (node == ACLKM_NODE_ANY)
		return 0;
	if (node < 0 || node >= MAX_NUMNODES)
		return -EINVAL;
	return node_online(array_index_nospec(node, MAX_NUMNODES)) ? 0 : -EINVAL;
}

static long ioctl_info(struct aclkm_info *info)
{
	memset(info, 0, sizeof(*info));
	info->abi_version = ACLKM_ABI_VERSION;
	info->features = ACLKM_FEATURE_GUP | ACLKM_FEATURE_DMABUF | ACLKM_FEATURE_PIN |
			 ACLKM_FEATURE_MAP;
	if (ACLKM_HUGE)
		info->features |= ACLKM_FEATURE_HUGE_2M;
	if (ACLKM_HUGE_PUD)
		info->features |= ACLKM_FEATURE_HUGE_1G;
	if (ACLKM_HUGE_PUD && ACLKM_GUP_PUD)
		info->features |= ACLKM_FEATURE_GUP_1G;
	if (aclkm_cache_possible())
		info->features |= ACLKM_FEATURE_CACHE;
	if (aclkm_cgroup_possible())
		info->features |= ACLKM_FEATURE_CGROUP;
	info->granule = PAGE_SIZE;
	info->align_max = ACLKM_ALIGN_MAX;
	aclkm_poison_settle();
	aclkm_arenas_sum(NUMA_NO_NODE, info);
	info->pinned = aclkm_pinned_total();
	return 0;
}

#define ALLOC_CACHE	(ACLKM_ALLOC_WC | ACLKM_ALLOC_UC)
#define ALLOC_ENTRIES	(ACLKM_ALLOC_SMALL | ACLKM_ALLOC_HUGE_2M | ACLKM_ALLOC_HUGE_1G)
#define ALLOC_FLAGS	(ALLOC_CACHE | ALLOC_ENTRIES | ACLKM_ALLOC_NODE_PREFER)

/* What sizes and alignments are multiples of under these flags. */
static u64 ioctl_alloc_unit(u32 flags)
{
	if (flags & ACLKM_ALLOC_HUGE_1G)
		return SZ_1G;
	return flags & ACLKM_ALLOC_HUGE_2M ? SZ_2M : PAGE_SIZE;
}

static int ioctl_check_alloc(const struct aclkm_alloc *alloc)
{
	if (alloc->flags & ~ALLOC_FLAGS || hweight32(alloc->flags & ALLOC_CACHE) > 1 ||
	    hweight32(alloc->flags & ALLOC_ENTRIES) > 1 || alloc->reason)
		return -EINVAL;
	/* Entries of WC and UC memory are small. */
	if (alloc->flags & ALLOC_CACHE && ioctl_alloc_unit(alloc->flags) > PAGE_SIZE)
		return -EINVAL;
	/* More than any arena is a want of memory; what rounding cannot hold is no size. */
	if (!alloc->size || alloc->size > U64_MAX - ioctl_alloc_unit(alloc->flags) + 1)
		return -EINVAL;
	if (alloc->align && !is_power_of_2(alloc->align))
		return -EINVAL;
	if (alloc->align > ACLKM_ALIGN_MAX)
		return -EINVAL;
	if (alloc->flags & ALLOC_CACHE && !aclkm_cache_possible())
		return -EOPNOTSUPP;
	return ioctl_check_node(alloc->node);
}

/* Says in the struct why there is no memory. */
static void ioctl_explain_alloc(struct aclkm_alloc *alloc, const struct aclkm_request *request)
{
	int node = alloc->flags & ACLKM_ALLOC_NODE_PREFER ? NUMA_NO_NODE : request->node;
	struct aclkm_info sum = {};

	aclkm_arenas_sum(node, &sum);
	alloc->free = sum.free;
	alloc->largest_free = sum.largest_free;
	if (!alloc->reason)
		alloc->reason = request->reason;
	if (alloc->reason == ACLKM_REASON_ROOT_RESERVE)
		alloc->limit = request->keep;
}

static long ioctl_alloc(struct aclkm_file *file, struct aclkm_alloc *alloc,
			struct ioctl_pending *pending)
{
	struct aclkm_request request = { .node = alloc->node };
	struct aclkm_region *region;
	int err = ioctl_check_alloc(alloc);

	if (err)
		return err;
	request.size = ALIGN(alloc->size, ioctl_alloc_unit(alloc->flags));
	request.align = max(alloc->align, ioctl_alloc_unit(alloc->flags));
	request.keep = aclkm_root_reserve();
	alloc->handle = 0;
	alloc->offset = 0;
	alloc->free = 0;
	alloc->largest_free = 0;
	alloc->limit = 0;

	err = ioctl_reserve_handle(file, request.size, alloc, pending);
	if (err)
		goto fail;
	err = aclkm_user_charge(file->user, request.size, alloc);
	if (err)
		goto cancel;
	region = aclkm_region_create(&request, alloc->flags, file->user);
	err = PTR_ERR_OR_ZERO(region);
	if (err)
		goto cancel;

	pending->handle->region = region;
	pending->handle->len = region->extent->len;
	alloc->size = region->extent->len;
	alloc->node = region->arena->node;
	alloc->handle = pending->number;
	err = aclkm_offset_assign(file, pending->number, pending->handle, &alloc->offset);
	if (!err)
		return 0;
	/* The region, whose end gives the user's charge back, goes with the handle. */
	aclkm_region_put(region);
cancel:
	ioctl_cancel_handle(file, pending);
fail:
	if (err == -ENOSPC || err == -EDQUOT)
		ioctl_explain_alloc(alloc, &request);
	trace_aclkm_alloc_fail(request.size, request.align, request.node, alloc->reason, err);
	return err;
}

static long ioctl_free(struct aclkm_file *file, struct aclkm_free *req)
{
	return req->flags ? -EINVAL : aclkm_file_remove(file, req->handle);
}

/* QUERY answers without addresses, too: not having the capability is no event. */
static bool ioctl_shows_phys(void)
{
	return ns_capable_noaudit(&init_user_ns, CAP_SYS_RAWIO);
}

static int ioctl_query_region(struct aclkm_file *file, struct aclkm_query *query,
			      struct aclkm_handle *handle)
{
	struct aclkm_region *region = handle->region;
	int err = aclkm_offset_assign(file, query->handle, NULL, &query->offset);

	if (err)
		return err;
	query->align = BIT_ULL(region->align_shift);
	query->map_page = PAGE_SIZE << region->map_order;
	query->node = region->arena->node;
	query->cache = region->cache;
	if (aclkm_region_gup(region))
		query->flags |= ACLKM_QUERY_GUP;
	if (handle->read_only)
		query->flags |= ACLKM_QUERY_READ_ONLY;
	if (handle->imported)
		query->flags |= ACLKM_QUERY_IMPORTED;
	if (ioctl_shows_phys()) {
		query->phys = region->extent->start + handle->start;
		query->flags |= ACLKM_QUERY_PHYS;
		/* The caller can have a device write to the address. */
		aclkm_region_mark_used(region);
	}
	return 0;
}

static void ioctl_query_pinned(struct aclkm_query *query, const struct aclkm_handle *handle)
{
	query->align = aclkm_pinned_page_size(handle->pinned);
	query->map_page = query->align;
	query->node = aclkm_pinned_node(handle->pinned);
	query->flags = ACLKM_QUERY_PINNED | ACLKM_QUERY_GUP;
	if (handle->read_only)
		query->flags |= ACLKM_QUERY_READ_ONLY;
	if (ioctl_shows_phys()) {
		query->phys = aclkm_pinned_extent(handle->pinned, 0).phys;
		query->flags |= ACLKM_QUERY_PHYS;
	}
}

static long ioctl_query(struct aclkm_file *file, struct aclkm_query *query)
{
	struct aclkm_handle handle;
	u32 number = query->handle;
	int err;

	if (query->flags || query->cache)
		return -EINVAL;
	err = aclkm_file_lookup(file, number, &handle);
	if (err)
		return err;
	memset(query, 0, sizeof(*query));
	query->handle = number;
	query->size = handle.len;
	if (handle.region)
		err = ioctl_query_region(file, query, &handle);
	else
		ioctl_query_pinned(query, &handle);
	aclkm_handle_put(&handle);
	return err;
}

static long ioctl_export(struct aclkm_file *file, struct aclkm_export *export,
			 struct ioctl_pending *pending)
{
	struct aclkm_handle handle;
	u64 len = export->len;
	int err, fd;

	if (export->flags & ~(ACLKM_EXPORT_CLOEXEC | ACLKM_EXPORT_READ_ONLY) ||
	    export->reserved || !PAGE_ALIGNED(export->offset) || !PAGE_ALIGNED(len))
		return -EINVAL;
	err = aclkm_file_lookup(file, export->handle, &handle);
	if (err)
		return err;
	err = -EINVAL;
	if (export->offset >= handle.len || len > handle.len - export->offset)
		goto put;
	if (!len)
		len = handle.len - export->offset;

	fd = get_unused_fd_flags(export->flags & ACLKM_EXPORT_CLOEXEC ? O_CLOEXEC : 0);
	err = fd;
	if (fd < 0)
		goto put;
	pending->dmabuf = aclkm_dmabuf_export(&handle, export->offset, len,
					      export->flags & ACLKM_EXPORT_READ_ONLY);
	err = PTR_ERR_OR_ZERO(pending->dmabuf);
	if (err) {
		put_unused_fd(fd);
		goto put;
	}
	pending->fd = fd;
	export->fd = fd;
	export->len = len;
put:
	aclkm_handle_put(&handle);
	return err;
}

static long ioctl_import(struct aclkm_file *file, struct aclkm_import *import,
			 struct ioctl_pending *pending)
{
	int err;

	if (import->flags || import->reserved)
		return -EINVAL;
	err = ioctl_reserve_handle(file, 0, NULL, pending);
	if (err)
		return err;
	err = aclkm_dmabuf_import(import->fd, pending->handle);
	if (err) {
		ioctl_cancel_handle(file, pending);
		return err;
	}
	pending->handle->read_only |= file->read_only;
	import->size = pending->handle->len;
	import->handle = pending->number;
	err = aclkm_offset_assign(file, pending->number, pending->handle, &import->offset);
	if (err) {
		aclkm_handle_put(pending->handle);
		ioctl_cancel_handle(file, pending);
	}
	return err;
}

static long ioctl_sync(struct aclkm_file *file, struct aclkm_sync *sync)
{
	const u32 phase = ACLKM_SYNC_START | ACLKM_SYNC_END;
	const u32 access = ACLKM_SYNC_READ | ACLKM_SYNC_WRITE;
	struct aclkm_handle handle;
	int err;

	if (sync->flags & ~(phase | access) || hweight32(sync->flags & phase) != 1 ||
	    !(sync->flags & access))
		return -EINVAL;
	err = aclkm_file_lookup(file, sync->handle, &handle);
	if (err)
		return err;
	if (!sync->len || sync->offset >= handle.len || sync->len > handle.len - sync->offset)
		err = -EINVAL;
	else if (sync->flags & ACLKM_SYNC_WRITE && handle.read_only)
		err = -EACCES;
	else
		err = aclkm_dmabuf_sync(&handle, sync->offset, sync->len, sync->flags);
	aclkm_handle_put(&handle);
	return err;
}

static long ioctl_pin(struct aclkm_file *file, struct aclkm_pin *pin, struct ioctl_pending *pending)
{
	struct aclkm_pinned *pinned;
	int err;

	if (pin->flags & ~ACLKM_PIN_READ_ONLY)
		return -EINVAL;
	err = ioctl_reserve_handle(file, 0, NULL, pending);
	if (err)
		return err;
	pinned = aclkm_pinned_create(pin, file->user);
	err = PTR_ERR_OR_ZERO(pinned);
	if (err) {
		ioctl_cancel_handle(file, pending);
		return err;
	}
	pending->handle->pinned = pinned;
	pending->handle->len = pin->len;
	pending->handle->read_only |= pin->flags & ACLKM_PIN_READ_ONLY;
	pin->handle = pending->number;
	pin->page_size = aclkm_pinned_page_size(pinned);
	pin->nr_extents = aclkm_pinned_extents(pinned);
	return 0;
}

static struct aclkm_phys_extent ioctl_handle_extent(const struct aclkm_handle *handle, u64 index)
{
	if (handle->pinned)
		return aclkm_pinned_extent(handle->pinned, index);
	return (struct aclkm_phys_extent){
		.phys = handle->region->extent->start + handle->start,
		.len = handle->len,
	};
}

static long ioctl_phys(struct aclkm_file *file, struct aclkm_phys *phys)
{
	struct aclkm_phys_extent __user *to = u64_to_user_ptr(phys->extents);
	struct aclkm_handle handle;
	u64 total, done = 0;
	int err;

	if (phys->flags)
		return -EINVAL;
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	err = aclkm_file_lookup(file, phys->handle, &handle);
	if (err)
		return err;
	if (handle.region)
		aclkm_region_mark_used(handle.region);
	total = handle.pinned ? aclkm_pinned_extents(handle.pinned) : 1;
	for (; phys->first < total && done < min(phys->count, total - phys->first); done++) {
		struct aclkm_phys_extent extent = ioctl_handle_extent(&handle, phys->first + done);

		if (copy_to_user(to + done, &extent, sizeof(extent))) {
			err = -EFAULT;
			break;
		}
		cond_resched();
	}
	phys->count = done;
	phys->total = total;
	aclkm_handle_put(&handle);
	return err;
}

/* Every call, and the size of the shortest struct that it ever had. */
static const struct {
	unsigned int cmd;
	size_t size;
} ioctl_calls[] = {
	[_IOC_NR(ACLKM_IOC_INFO)] = { ACLKM_IOC_INFO, offsetofend(struct aclkm_info, pinned) },
	[_IOC_NR(ACLKM_IOC_ALLOC)] = { ACLKM_IOC_ALLOC, sizeof(struct aclkm_alloc) },
	[_IOC_NR(ACLKM_IOC_FREE)] = { ACLKM_IOC_FREE, sizeof(struct aclkm_free) },
	[_IOC_NR(ACLKM_IOC_QUERY)] = { ACLKM_IOC_QUERY, sizeof(struct aclkm_query) },
	[_IOC_NR(ACLKM_IOC_EXPORT)] = { ACLKM_IOC_EXPORT, sizeof(struct aclkm_export) },
	[_IOC_NR(ACLKM_IOC_IMPORT)] = { ACLKM_IOC_IMPORT, sizeof(struct aclkm_import) },
	[_IOC_NR(ACLKM_IOC_SYNC)] = { ACLKM_IOC_SYNC, sizeof(struct aclkm_sync) },
	[_IOC_NR(ACLKM_IOC_PIN)] = { ACLKM_IOC_PIN, sizeof(struct aclkm_pin) },
	[_IOC_NR(ACLKM_IOC_PHYS)] = { ACLKM_IOC_PHYS, sizeof(struct aclkm_phys) },
	[_IOC_NR(ACLKM_IOC_MAP)] = { ACLKM_IOC_MAP, sizeof(struct aclkm_map) },
};

static long ioctl_dispatch(struct aclkm_file *file, unsigned int cmd, union aclkm_arg *arg,
			   struct ioctl_pending *pending)
{
	switch (cmd) {
	case ACLKM_IOC_INFO:
		return ioctl_info(&arg->info);
	case ACLKM_IOC_ALLOC:
		return ioctl_alloc(file, &arg->alloc, pending);
	case ACLKM_IOC_FREE:
		return ioctl_free(file, &arg->free);
	case ACLKM_IOC_QUERY:
		return ioctl_query(file, &arg->query);
	case ACLKM_IOC_EXPORT:
		return ioctl_export(file, &arg->export, pending);
	case ACLKM_IOC_IMPORT:
		return ioctl_import(file, &arg->import, pending);
	case ACLKM_IOC_SYNC:
		return ioctl_sync(file, &arg->sync);
	case ACLKM_IOC_PIN:
		return ioctl_pin(file, &arg->pin, pending);
	case ACLKM_IOC_PHYS:
		return ioctl_phys(file, &arg->phys);
	case ACLKM_IOC_MAP:
		return aclkm_map_arena(file, &arg->map);
	default:
		return -ENOTTY;
	}
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
	struct ioctl_pending pending = { .fd = -1 };
	unsigned int nr = _IOC_NR(cmd), known;
	union aclkm_arg kernel = {};
	size_t size;
	long err;

	if (nr >= ARRAY_SIZE(ioctl_calls))
		return -ENOTTY;
	nr = array_index_nospec(nr, ARRAY_SIZE(ioctl_calls));
	known = ioctl_calls[nr].cmd;
	size = _IOC_SIZE(known);
	if (_IOC_TYPE(cmd) != ACLKM_IOC_MAGIC || _IOC_DIR(cmd) != _IOC_DIR(known))
		return -ENOTTY;
	if (_IOC_SIZE(cmd) < ioctl_calls[nr].size)
		return -EINVAL;
	if (_IOC_DIR(cmd) & _IOC_WRITE) {
		err = copy_struct_from_user(&kernel, size, user, _IOC_SIZE(cmd));
		if (err)
			return err;
	}

	err = ioctl_dispatch(file, known, &kernel, &pending);
	/* Why there is no memory is said in the struct, all other errors by their code. */
	if (err && !(known == ACLKM_IOC_ALLOC && (err == -ENOSPC || err == -EDQUOT)))
		return err;
	if (_IOC_DIR(cmd) & _IOC_READ &&
	    copy_to_user(user, &kernel, min_t(size_t, size, _IOC_SIZE(cmd))))
		err = -EFAULT;
	if (err)
		ioctl_rollback(file, &pending);
	else
		ioctl_commit(file, &pending);
	return err;
}
