// SPDX-License-Identifier: MIT
/* Regions from the driver, by /dev/aclkm. */
#include "backend/region.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/aclkm.h>

#include "backend/budget.h"
#include "base/base.h"

/*
 * Signal number that the library's open file is marked with (F_SETSIG), as another open
 * file of the same device has the same inode. No signal is ever asked for.
 */
#define DEVICE_MARK 61

static pthread_mutex_t device_lock = PTHREAD_MUTEX_INITIALIZER;
static int device = -1;
static struct fd_id device_id;
static uint32_t
	opening; /* grows when the program closed the file; older handles are lost */
static uint64_t features;

/* Why the driver did not open. Written by the thread that opens the backend. */
static char refusal[256];
static bool refusal_is_there;

/*
 * Notes why the driver does not open. In auto mode that is no error of the call: the text
 * would mislead, and backend.c decides what is said.
 */
static int refuse_open(bool there, const char *why, const char *remedy)
{
	refusal_is_there = there;
	snprintf(refusal, sizeof(refusal), "%s%s%s%s%s", there ? ACLKM_DEVICE_PATH : "",
		 there ? ": " : "", why, remedy ? "; " : "", remedy ? remedy : "");
	if (config_get()->backend == BACKEND_AUTO)
		return ACLKM_ERR_NODEV;
	return error_set(ACLKM_ERR_NODEV, "ACLKM_BACKEND=kmod: %s%s",
			 there ? "" : ACLKM_DEVICE_PATH ": ", refusal);
}

static int refuse_errno(int error)
{
	switch (error) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return refuse_open(false, "the driver is not loaded", NULL);
	case EACCES:
		return refuse_open(true, "permission denied",
				   "join group aclkm and log in again");
	case EPERM:
		return refuse_open(
			true, "not permitted",
			"let the container have the device: --device " ACLKM_DEVICE_PATH);
	case EMFILE:
	case ENFILE:
		/* Found before the kernel looks whether there is such a file. */
		if (access(ACLKM_DEVICE_PATH, F_OK))
			return refuse_open(false, "the driver is not loaded", NULL);
		return refuse_open(true, strerror(error), "raise ulimit -n");
	default:
		return refuse_open(true, strerror(error),
				   "aclkm doctor looks for the cause");
	}
}

const char *backend_kmod_refusal(bool *there)
{
	*there = refusal_is_there;
	return refusal;
}

/* What an open driver lacks before this library can use it. */
static int check_device(int fd, struct aclkm_info *info)
{
	char why[80];

	memset(info, 0, sizeof(*info));
	if (ioctl(fd, ACLKM_IOC_INFO, info)) {
		snprintf(why, sizeof(why), "INFO is refused: %s", strerror(errno));
		return refuse_open(true, why,
				   "load the module that belongs to this library");
	}
	if (info->abi_version != ACLKM_ABI_VERSION) {
		snprintf(why, sizeof(why), "the driver has ABI %u, this library %u",
			 info->abi_version, (unsigned int)ACLKM_ABI_VERSION);
		return refuse_open(true, why, "install the same version of both");
	}
	return ACLKM_OK;
}

static int open_device_locked(void)
{
	struct aclkm_info info;
	int fd, err;

	fd = fd_lift(open(ACLKM_DEVICE_PATH, O_RDWR | O_CLOEXEC));
	if (fd < 0)
		return refuse_errno(errno);
	err = check_device(fd, &info);
	if (err)
		goto close;
	if (fcntl(fd, F_SETSIG, DEVICE_MARK) || !fd_know(fd, &device_id)) {
		err = refuse_errno(errno);
		goto close;
	}
	device = fd;
	opening++;
	features = info.features;
	return ACLKM_OK;
close:
	close(fd);
	return err;
}

static bool device_is_ours_locked(void)
{
	return fd_is(device, &device_id) && fcntl(device, F_GETSIG) == DEVICE_MARK;
}

static int kmod_open(void)
{
	int err;

	pthread_mutex_lock(&device_lock);
	err = open_device_locked();
	pthread_mutex_unlock(&device_lock);
	return err;
}

/* The driver's open file for new handles, opened again if the program closed it. */
static int device_fd(int *fd, uint32_t *number)
{
	int err = ACLKM_OK;

	pthread_mutex_lock(&device_lock);
	if (!device_is_ours_locked()) {
		err = open_device_locked();
		if (err && (errno == EMFILE || errno == ENFILE))
			err = fd_refused(ACLKM_DEVICE_PATH);
		else if (err)
			error_set(err,
				  "%s: the program closed its descriptor, and it cannot "
				  "be opened again",
				  ACLKM_DEVICE_PATH);
	}
	*fd = device;
	*number = opening;
	pthread_mutex_unlock(&device_lock);
	return err;
}

/* The open file that a handle is of; -1: the program closed it. */
static int device_of(uint32_t number)
{
	int fd = -1;

	pthread_mutex_lock(&device_lock);
	if (number == opening && device_is_ours_locked())
		fd = device;
	pthread_mutex_unlock(&device_lock);
	return fd;
}

static int handle_is_lost(void)
{
	return error_set(ACLKM_ERR_IO,
			 "%s: the program closed the library's descriptor: memory from "
			 "before stays mapped, but cannot be mapped again or shared",
			 ACLKM_DEVICE_PATH);
}

static int kmod_info(uint32_t number, struct backend_info *out)
{
	struct aclkm_info info;
	uint32_t current;
	uint64_t left;
	int fd, err = device_fd(&fd, &current);

	if (err)
		return err;
	memset(&info, 0, sizeof(info));
	if (ioctl(fd, ACLKM_IOC_INFO, &info))
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
static int kmod_charge(uint32_t number, uint64_t size)
{
	struct backend_info info;
	int err;

	if (config_get()->devices == 1)
		return budget_take(number, size, UINT64_MAX, "");
	err = kmod_info(number, &info);
	return err ?: budget_take(number, size, info.total, "");
}

/* A handle of a file that the program closed is gone with it. */
static void free_handle(uint32_t of, uint32_t handle)
{
	struct aclkm_free arg = {.handle = handle};
	int fd = device_of(of);

	if (fd >= 0)
		ioctl(fd, ACLKM_IOC_FREE, &arg);
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
		if (arg->reason == ACLKM_REASON_CGROUP)
			return error_set(ACLKM_ERR_NOMEM,
					 "the driver gives no %llu bytes: they exceed "
					 "dmem.max of the process's cgroup",
					 size);
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
static int32_t kmod_node_of(uint32_t number)
{
	const struct config *config = config_get();

	return config->node_count ? config->nodes[number % config->node_count]
				  : ACLKM_NODE_ANY;
}

static void wish(uint32_t number, struct aclkm_alloc *arg)
{
	arg->node = kmod_node_of(number);
	if (arg->node != ACLKM_NODE_ANY)
		arg->flags |= ACLKM_ALLOC_NODE_PREFER;
}

static int kmod_take(uint32_t number, uint64_t size, uint64_t align, uint32_t flags,
		     struct aclkm_alloc *arg, uint32_t *of)
{
	int fd, err = device_fd(&fd, of);

	if (err)
		return err;
	*arg = (struct aclkm_alloc){.size = size, .align = align, .flags = flags};
	wish(number, arg);
	return ioctl(fd, ACLKM_IOC_ALLOC, arg) ? refuse_alloc(errno, arg) : ACLKM_OK;
}

static int kmod_describe(const struct aclkm_alloc *arg, struct region *out)
{
	struct aclkm_query query = {.handle = arg->handle};
	int fd = device_of(out->opening);

	if (fd < 0)
		return handle_is_lost();
	if (ioctl(fd, ACLKM_IOC_QUERY, &query))
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

static int kmod_map(const struct aclkm_alloc *arg, uint64_t align, struct region *out)
{
	void *addr = va_reserve(out->size, align);
	int err, fd = device_of(out->opening);

	if (!addr)
		return error_set(ACLKM_ERR_NOMEM, "no address space for %llu bytes",
				 (unsigned long long)out->size);
	if (fd < 0) {
		va_release(addr, out->size);
		return handle_is_lost();
	}
	out->addr = mmap(addr, out->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			 fd, (off_t)arg->offset);
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
			     enum aclkm_pages pages, bool alone, struct region *out)
{
	uint64_t want = huge_alignment(size, align, pages);
	struct aclkm_alloc arg;
	uint64_t unit = va_page_size();
	uint32_t of = 0;
	int err;

	/* A region is never in a file: it is exported as one. */
	(void)alone;
	if (pages == ACLKM_PAGES_HUGE_ONLY || pages == ACLKM_PAGES_HUGE1G)
		unit = pages == ACLKM_PAGES_HUGE1G ? SIZE_1G : SIZE_2M;
	if (aclkm_align_up(size, unit, &size))
		return error_set(ACLKM_ERR_NOMEM, "no device has %llu bytes",
				 (unsigned long long)size);

	err = kmod_charge(number, size);
	if (err)
		return err;
	err = kmod_take(number, size, want, entry_flags(pages), &arg, &of);
	if (err == ACLKM_ERR_NOMEM && pages == ACLKM_PAGES_HUGE_FIRST && want > align)
		err = kmod_take(number, size, align, 0, &arg, &of);
	if (err)
		goto uncharge;
	*out = (struct region){.opening = of, .device = number, .charged = size};
	err = kmod_describe(&arg, out);
	if (err)
		goto free;
	err = kmod_map(&arg, want, out);
	if (err)
		goto free;
	return ACLKM_OK;
free:
	free_handle(of, arg.handle);
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
	free_handle(region->opening, region->handle);
	budget_give(region->device, region->charged);
}

static int export(uint32_t of, uint32_t handle, uint64_t offset, uint64_t size,
		  bool read_only, int *fd)
{
	struct aclkm_export arg = {.handle = handle,
				   .flags = ACLKM_EXPORT_CLOEXEC,
				   .offset = offset,
				   .len = size};
	int file = device_of(of);

	if (file < 0)
		return handle_is_lost();
	if (read_only)
		arg.flags |= ACLKM_EXPORT_READ_ONLY;
	if (ioctl(file, ACLKM_IOC_EXPORT, &arg))
		return fd_refused(ACLKM_DEVICE_PATH ": EXPORT");
	*fd = fd_lift(arg.fd);
	return *fd < 0 ? fd_refused(ACLKM_DEVICE_PATH ": EXPORT") : ACLKM_OK;
}

static int kmod_region_export(struct region *region, uint64_t offset, uint64_t size,
			      bool read_only, int *fd)
{
	return export(region->opening, region->handle, offset, size, read_only, fd);
}

static int kmod_map_import(const struct aclkm_import *arg, uint64_t align,
			   struct region *out)
{
	void *addr = va_reserve(arg->size, align);
	int prot = PROT_READ | PROT_WRITE, fd = device_of(out->opening);

	if (!addr)
		return error_set(ACLKM_ERR_NOMEM, "no address space for %llu bytes",
				 (unsigned long long)arg->size);
	if (fd < 0) {
		va_release(addr, arg->size);
		return handle_is_lost();
	}
	out->addr = mmap(addr, arg->size, prot, MAP_SHARED | MAP_FIXED, fd,
			 (off_t)arg->offset);
	if (out->addr == MAP_FAILED && errno == EACCES)
		out->addr = mmap(addr, arg->size, PROT_READ, MAP_SHARED | MAP_FIXED, fd,
				 (off_t)arg->offset);
	if (out->addr != MAP_FAILED)
		return ACLKM_OK;
	va_release(addr, arg->size);
	return error_set(ACLKM_ERR_IO, "%s: mmap: %s", ACLKM_DEVICE_PATH,
			 strerror(errno));
}

/* A handle of the dma-buf @fd. */
static int import_handle(int fd, uint32_t *of, struct aclkm_import *arg)
{
	int file, err = device_fd(&file, of);

	if (err)
		return err;
	*arg = (struct aclkm_import){.fd = fd};
	if (!ioctl(file, ACLKM_IOC_IMPORT, arg))
		return ACLKM_OK;
	if (errno == EOPNOTSUPP)
		return ACLKM_ERR_FOREIGN;
	if (errno == EINVAL || errno == EBADF)
		return error_set(ACLKM_ERR_INVALID, "fd = %d: not a dma-buf", fd);
	return error_set(errno == EMFILE || errno == EDQUOT ? ACLKM_ERR_LIMIT
							    : ACLKM_ERR_IO,
			 "%s: IMPORT: %s", ACLKM_DEVICE_PATH, strerror(errno));
}

static int kmod_region_import(int fd, struct region *out)
{
	struct aclkm_import arg;
	struct aclkm_query query = {0};
	uint64_t align = va_page_size();
	uint32_t of;
	int err = import_handle(fd, &of, &arg);

	if (err)
		return err;
	*out = (struct region){.size = arg.size,
			       .handle = arg.handle,
			       .opening = of,
			       .contiguous = true};
	query = (struct aclkm_query){.handle = arg.handle};
	if (!ioctl(device_of(of), ACLKM_IOC_QUERY, &query))
		align = out->page_size = query.map_page;
	err = kmod_map_import(&arg, align, out);
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
	free_handle(of, arg.handle);
	return err;
}

/* The pages with these bytes, and no others of the region. */
static int kmod_region_share(struct region *region, uint64_t offset, uint64_t size,
			     struct file_part *out)
{
	uint64_t mask = va_page_size() - 1, start = offset & ~mask;
	uint64_t len = ((offset + size + mask) & ~mask) - start;
	int fd = -1, err;

	err = kmod_region_export(region, start, len, false, &fd);
	if (!err)
		*out = (struct file_part){.fd = fd,
					  .offset = offset - start,
					  .size = size,
					  .page_size = va_page_size()};
	return err;
}

/* A handle without a mapping. */
static int kmod_backing_alloc(uint32_t number, uint64_t size, enum aclkm_pages pages,
			      struct backing *out)
{
	struct aclkm_alloc arg;
	uint32_t of = 0;
	int err = kmod_charge(number, size);

	if (err)
		return err;
	err = kmod_take(number, size, huge_alignment(size, va_page_size(), pages), 0,
			&arg, &of);
	if (err) {
		budget_give(number, size);
		return err;
	}
	*out = (struct backing){.handle = arg.handle,
				.opening = of,
				.offset = arg.offset,
				.size = size,
				.page_size = va_page_size(),
				.device = number,
				.charged = size};
	return ACLKM_OK;
}

static void kmod_backing_free(struct backing *backing)
{
	if (backing->piece.file)
		memfile_give(&backing->piece, NULL);
	else
		free_handle(backing->opening, backing->handle);
	budget_give(backing->device, backing->charged);
}

static int kmod_backing_map(const struct backing *backing, void *addr, int protection)
{
	int fd;

	if (backing->piece.file)
		return memfile_map(&backing->piece, addr, protection);
	fd = device_of(backing->opening);
	if (fd < 0)
		return handle_is_lost();
	if (mmap(addr, backing->size, protection, MAP_SHARED | MAP_FIXED, fd,
		 (off_t)backing->offset) != MAP_FAILED)
		return ACLKM_OK;
	return error_set(errno == ENOMEM ? ACLKM_ERR_NOMEM : ACLKM_ERR_IO,
			 "mapping %llu bytes: %s", (unsigned long long)backing->size,
			 strerror(errno));
}

static int kmod_backing_share(struct backing *backing, struct file_part *out)
{
	int err;

	if (backing->piece.file)
		return memfile_share(&backing->piece, 0, backing->size, out);
	*out = (struct file_part){.size = backing->size, .page_size = va_page_size()};
	err = export(backing->opening, backing->handle, 0, backing->size, false,
		     &out->fd);
	return err;
}

/* The sender may be on the user backend: then it is a file that is mapped itself. */
static int kmod_backing_adopt(const struct file_part *part, struct backing *out)
{
	struct aclkm_import arg;
	uint32_t of;

	*out = (struct backing){.size = part->size, .page_size = part->page_size};
	if (part->offset || import_handle(part->fd, &of, &arg))
		return memfile_adopt(part, &out->piece);
	if (arg.size < part->size) {
		free_handle(of, arg.handle);
		return error_set(ACLKM_ERR_INVALID,
				 "the dma-buf has %llu bytes, %llu were offered",
				 (unsigned long long)arg.size,
				 (unsigned long long)part->size);
	}
	out->handle = arg.handle;
	out->opening = of;
	out->offset = arg.offset;
	close(part->fd);
	return ACLKM_OK;
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
	.backing_map = kmod_backing_map,
	.backing_share = kmod_backing_share,
	.backing_adopt = kmod_backing_adopt,
};
