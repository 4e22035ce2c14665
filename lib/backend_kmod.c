// SPDX-License-Identifier: MIT
/* Regions from the driver, by /dev/aclkm. */
#include "backend.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/aclkm.h>

#include "budget.h"
#include "config.h"
#include "error.h"
#include "guard.h"
#include "rules.h"
#include "uncached.h"
#include "va.h"

static int device = -1;
static uint64_t features;

/* A missing driver is no failure in auto mode: the text would mislead. */
static int refuse_open(int err, const char *why)
{
	if (config_get()->backend == BACKEND_AUTO)
		return err;
	return error_set(err, "ACLKM_BACKEND=kmod: %s: %s", ACLKM_DEVICE_PATH, why);
}

static int kmod_open(void)
{
	struct aclkm_info info;
	int fd, err;

	fd = open(ACLKM_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return refuse_open(ACLKM_ERR_NODEV, strerror(errno));
	memset(&info, 0, sizeof(info));
	if (ioctl(fd, ACLKM_IOC_INFO, &info)) {
		err = refuse_open(ACLKM_ERR_NODEV, "INFO is refused");
		goto close;
	}
	if (info.abi_version != ACLKM_ABI_VERSION) {
		err = refuse_open(ACLKM_ERR_NODEV, "the driver has another ABI version");
		goto close;
	}
	device = fd;
	features = info.features;
	return ACLKM_OK;
close:
	close(fd);
	return err;
}

static int kmod_info(uint32_t number, struct backend_info *out)
{
	struct aclkm_info info;
	uint64_t left;

	memset(&info, 0, sizeof(info));
	if (ioctl(device, ACLKM_IOC_INFO, &info))
		return error_set(ACLKM_ERR_IO, "%s: INFO: %s", ACLKM_DEVICE_PATH,
				 strerror(errno));
	out->total = budget_part(info.total);
	out->free = info.free;
	out->largest = info.largest_free;
	if (config_get()->devices == 1)
		return ACLKM_OK;
	left = budget_left(number, out->total);
	if (left < out->free)
		out->free = left;
	if (left < out->largest)
		out->largest = left;
	return ACLKM_OK;
}

/* One device may have all that the driver gives, to however many processes. */
static int charge(uint32_t number, uint64_t size)
{
	struct backend_info info;
	int err;

	if (config_get()->devices == 1)
		return budget_take(number, size, UINT64_MAX, "");
	err = kmod_info(number, &info);
	return err ?: budget_take(number, size, info.total, "");
}

static void free_handle(uint32_t handle)
{
	struct aclkm_free arg = {.handle = handle};

	ioctl(device, ACLKM_IOC_FREE, &arg);
}

static const char *reason_text(uint32_t reason)
{
	switch (reason) {
	case ACLKM_REASON_ROOT_RESERVE:
		return "bytes are kept for root";
	case ACLKM_REASON_FILE_BYTES:
		return "bytes are the limit of a process";
	case ACLKM_REASON_FILE_REGIONS:
		return "regions are the limit of a process";
	case ACLKM_REASON_USER_BYTES:
		return "bytes are the limit of this user";
	default:
		return "regions are the limit of this user";
	}
}

static int refuse_alloc(int error, const struct aclkm_alloc *arg)
{
	unsigned long long size = arg->size, align = arg->align;

	switch (error) {
	case ENOSPC:
	case EDQUOT:
		if (arg->reason >= ACLKM_REASON_ROOT_RESERVE)
			return error_set(ACLKM_ERR_NOMEM,
					 "the driver gives no %llu bytes: %llu %s", size,
					 (unsigned long long)arg->limit,
					 reason_text(arg->reason));
		return error_set(
			ACLKM_ERR_NOMEM,
			"the driver has no piece of %llu bytes aligned to %llu: %llu "
			"bytes are free, the largest piece is %llu",
			size, align, (unsigned long long)arg->free,
			(unsigned long long)arg->largest_free);
	case ENOMEM:
		return error_set(ACLKM_ERR_NOMEM, "the kernel is out of memory");
	case EMFILE:
		return error_set(ACLKM_ERR_LIMIT,
				 "the driver gives one process no more regions");
	default:
		return error_set(ACLKM_ERR_IO,
				 "%s: ALLOC of %llu bytes aligned to %llu: %s",
				 ACLKM_DEVICE_PATH, size, align, strerror(error));
	}
}

/*
 * 1 GiB entries only where they can be pinned: a mapping that direct I/O refuses
 * would surprise more than smaller entries do, which a query tells.
 */
static uint32_t entry_flags(enum aclkm_pages pages)
{
	switch (pages) {
	case ACLKM_PAGES_HUGE_ONLY:
		return features & ACLKM_FEATURE_HUGE_2M ? ACLKM_ALLOC_HUGE_2M : 0;
	case ACLKM_PAGES_HUGE1G:
		return features & ACLKM_FEATURE_GUP_1G ? ACLKM_ALLOC_HUGE_1G : 0;
	case ACLKM_PAGES_NORMAL:
		return ACLKM_ALLOC_SMALL;
	default:
		return 0;
	}
}

/* The node that ACLKM_NODES names for the device, as long as it has room. */
static int32_t node_of(uint32_t number)
{
	const struct config *config = config_get();

	return config->node_count ? config->nodes[number % config->node_count]
				  : ACLKM_NODE_ANY;
}

static void wish(uint32_t number, struct aclkm_alloc *arg)
{
	arg->node = node_of(number);
	if (arg->node != ACLKM_NODE_ANY)
		arg->flags |= ACLKM_ALLOC_NODE_PREFER;
}

static int take(uint32_t number, uint64_t size, uint64_t align, uint32_t flags,
		struct aclkm_alloc *arg)
{
	*arg = (struct aclkm_alloc){.size = size, .align = align, .flags = flags};
	wish(number, arg);
	return ioctl(device, ACLKM_IOC_ALLOC, arg) ? refuse_alloc(errno, arg) : ACLKM_OK;
}

static int describe(const struct aclkm_alloc *arg, struct region *out)
{
	struct aclkm_query query = {.handle = arg->handle};

	if (ioctl(device, ACLKM_IOC_QUERY, &query))
		return error_set(ACLKM_ERR_IO, "%s: QUERY: %s", ACLKM_DEVICE_PATH,
				 strerror(errno));
	out->size = query.size;
	out->page_size = query.map_page;
	out->phys = query.phys;
	out->phys_valid = query.flags & ACLKM_QUERY_PHYS;
	out->contiguous = true;
	out->handle = arg->handle;
	return ACLKM_OK;
}

static int map(const struct aclkm_alloc *arg, uint64_t align, struct region *out)
{
	void *addr = va_reserve(out->size, align);
	int err;

	if (!addr)
		return error_set(ACLKM_ERR_NOMEM, "no address space for %llu bytes",
				 (unsigned long long)out->size);
	out->addr = mmap(addr, out->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			 device, (off_t)arg->offset);
	if (out->addr != MAP_FAILED)
		return ACLKM_OK;
	err = error_set(errno == ENOMEM ? ACLKM_ERR_NOMEM : ACLKM_ERR_IO, "%s: mmap: %s",
			ACLKM_DEVICE_PATH, strerror(errno));
	va_release(addr, out->size);
	return err;
}

/* The physical alignment that lets the mapping have the pages wanted. */
static uint64_t huge_alignment(uint64_t size, uint64_t align, enum aclkm_pages pages)
{
	uint64_t huge = va_page_size();

	if (pages == ACLKM_PAGES_HUGE1G)
		huge = SIZE_1G;
	else if (pages == ACLKM_PAGES_HUGE_ONLY ||
		 (pages == ACLKM_PAGES_HUGE_FIRST && size >= SIZE_2M))
		huge = SIZE_2M;
	return align > huge ? align : huge;
}

static int kmod_region_alloc(uint32_t number, uint64_t size, uint64_t align,
			     enum aclkm_pages pages, struct region *out)
{
	uint64_t want = huge_alignment(size, align, pages);
	struct aclkm_alloc arg;
	uint64_t unit = va_page_size();
	int err;

	if (pages == ACLKM_PAGES_HUGE_ONLY || pages == ACLKM_PAGES_HUGE1G)
		unit = pages == ACLKM_PAGES_HUGE1G ? SIZE_1G : SIZE_2M;
	if (aclkm_align_up(size, unit, &size))
		return error_set(ACLKM_ERR_NOMEM, "no device has %llu bytes",
				 (unsigned long long)size);

	err = charge(number, size);
	if (err)
		return err;
	err = take(number, size, want, entry_flags(pages), &arg);
	if (err == ACLKM_ERR_NOMEM && pages == ACLKM_PAGES_HUGE_FIRST && want > align)
		err = take(number, size, align, 0, &arg);
	if (err)
		goto uncharge;
	*out = (struct region){.fd = -1, .device = number, .charged = size};
	err = describe(&arg, out);
	if (err)
		goto free;
	err = map(&arg, want, out);
	if (err)
		goto free;
	return ACLKM_OK;
free:
	free_handle(arg.handle);
uncharge:
	budget_give(number, size);
	return err;
}

static void kmod_region_free(struct region *region)
{
	guard_forget(region->addr, region->size);
	if (region->uncached)
		uncached_remove(region->addr);
	va_release(region->addr, region->size);
	free_handle(region->handle);
	budget_give(region->device, region->charged);
}

static int kmod_region_export(struct region *region, uint64_t offset, uint64_t size,
			      bool read_only, int *fd)
{
	struct aclkm_export arg = {.handle = region->handle,
				   .flags = ACLKM_EXPORT_CLOEXEC,
				   .offset = offset,
				   .len = size};

	if (read_only)
		arg.flags |= ACLKM_EXPORT_READ_ONLY;
	if (ioctl(device, ACLKM_IOC_EXPORT, &arg))
		return error_set(errno == EMFILE ? ACLKM_ERR_LIMIT : ACLKM_ERR_IO,
				 "%s: EXPORT: %s", ACLKM_DEVICE_PATH, strerror(errno));
	*fd = arg.fd;
	return ACLKM_OK;
}

static int map_import(const struct aclkm_import *arg, uint64_t align, struct region *out)
{
	void *addr = va_reserve(arg->size, align);
	int prot = PROT_READ | PROT_WRITE;

	if (!addr)
		return error_set(ACLKM_ERR_NOMEM, "no address space for %llu bytes",
				 (unsigned long long)arg->size);
	out->addr = mmap(addr, arg->size, prot, MAP_SHARED | MAP_FIXED, device,
			 (off_t)arg->offset);
	if (out->addr == MAP_FAILED && errno == EACCES)
		out->addr = mmap(addr, arg->size, PROT_READ, MAP_SHARED | MAP_FIXED,
				 device, (off_t)arg->offset);
	if (out->addr != MAP_FAILED)
		return ACLKM_OK;
	va_release(addr, arg->size);
	return error_set(ACLKM_ERR_IO, "%s: mmap: %s", ACLKM_DEVICE_PATH,
			 strerror(errno));
}

static int kmod_region_import(int fd, struct region *out)
{
	struct aclkm_import arg = {.fd = fd};
	struct aclkm_query query = {0};
	uint64_t align = va_page_size();
	int err;

	if (ioctl(device, ACLKM_IOC_IMPORT, &arg)) {
		if (errno == EOPNOTSUPP)
			return ACLKM_ERR_FOREIGN;
		if (errno == EINVAL || errno == EBADF)
			return error_set(ACLKM_ERR_INVALID, "fd = %d: not a dma-buf", fd);
		return error_set(errno == EMFILE || errno == EDQUOT ? ACLKM_ERR_LIMIT
								    : ACLKM_ERR_IO,
				 "%s: IMPORT: %s", ACLKM_DEVICE_PATH, strerror(errno));
	}
	*out = (struct region){
		.size = arg.size, .handle = arg.handle, .contiguous = true, .fd = -1};
	query = (struct aclkm_query){.handle = arg.handle};
	if (!ioctl(device, ACLKM_IOC_QUERY, &query))
		align = out->page_size = query.map_page;
	err = map_import(&arg, align, out);
	if (err)
		goto free;
	/* Only another program's memory can be: the library takes none that is. */
	if (query.cache != ACLKM_CACHE_WB) {
		err = uncached_add(out->addr, out->size);
		if (err)
			goto unmap;
		out->uncached = true;
	}
	return ACLKM_OK;
unmap:
	va_release(out->addr, out->size);
free:
	free_handle(arg.handle);
	return err;
}

/* The pages with these bytes, and no others of the region. */
static int kmod_region_share(struct region *region, uint64_t offset, uint64_t size,
			     struct backing *out)
{
	uint64_t mask = va_page_size() - 1, start = offset & ~mask;
	uint64_t len = ((offset + size + mask) & ~mask) - start;
	int fd = -1, err;

	err = kmod_region_export(region, start, len, false, &fd);
	if (!err)
		*out = (struct backing){.fd = fd,
					.offset = offset - start,
					.size = size,
					.page_size = va_page_size()};
	return err;
}

static int kmod_backing_alloc(uint32_t number, uint64_t size, enum aclkm_pages pages,
			      struct backing *out)
{
	struct aclkm_alloc arg = {.size = size,
				  .align = huge_alignment(size, va_page_size(), pages)};
	int err = charge(number, size), fd;

	if (err)
		return err;
	fd = open(ACLKM_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		err = error_set(errno == EMFILE ? ACLKM_ERR_LIMIT : ACLKM_ERR_IO,
				"%s: %s", ACLKM_DEVICE_PATH, strerror(errno));
		goto uncharge;
	}
	wish(number, &arg);
	if (ioctl(fd, ACLKM_IOC_ALLOC, &arg)) {
		err = refuse_alloc(errno, &arg);
		goto close;
	}
	*out = (struct backing){.fd = fd,
				.offset = arg.offset,
				.size = size,
				.page_size = va_page_size(),
				.device = number,
				.charged = size};
	return ACLKM_OK;
close:
	close(fd);
uncharge:
	budget_give(number, size);
	return err;
}

static void kmod_backing_free(struct backing *backing)
{
	close(backing->fd);
	budget_give(backing->device, backing->charged);
}

const struct backend backend_kmod = {
	.name = "kmod",
	.open = kmod_open,
	.info = kmod_info,
	.region_alloc = kmod_region_alloc,
	.region_free = kmod_region_free,
	.region_share = kmod_region_share,
	.region_export = kmod_region_export,
	.region_import = kmod_region_import,
	.backing_alloc = kmod_backing_alloc,
	.backing_free = kmod_backing_free,
};
