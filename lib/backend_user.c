// SPDX-License-Identifier: MIT
/*
 * Regions from ordinary memory, with no driver: hugetlb pages, else transparent
 * huge pages, else small ones. Not physically contiguous, and no physical
 * addresses. The device's size is a number that is only counted against.
 */
#include "backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "budget.h"
#include "config.h"
#include "error.h"
#include "guard.h"
#include "rules.h"
#include "va.h"

#ifndef MFD_HUGE_2MB
#define MFD_HUGE_2MB (21U << 26)
#define MFD_HUGE_1GB (30U << 26)
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define THP_DIR "/sys/kernel/mm/transparent_hugepage/"

static uint64_t part; /* of each device */

static uint64_t half_of_ram(void)
{
	struct sysinfo info;

	if (sysinfo(&info))
		return SIZE_1G;
	return ((uint64_t)info.totalram * info.mem_unit / 2) & ~(SIZE_2M - 1);
}

static int user_open(void)
{
	uint64_t total = config_get()->mem;

	part = budget_part(total ? total : half_of_ram());
	return ACLKM_OK;
}

static int user_info(uint32_t device, struct backend_info *out)
{
	out->total = part;
	out->free = budget_left(device, part);
	out->largest = out->free;
	return ACLKM_OK;
}

static int charge(uint32_t device, uint64_t size)
{
	return budget_take(device, size, part,
			   config_get()->devices == 1
				   ? " (ACLKM_MEM sets its size)"
				   : " (ACLKM_MEM sets the size of all together)");
}

/* Makes every page resident now. False: there are not enough. */
static bool populate(char *addr, uint64_t size, uint64_t page)
{
	uint64_t at;

	if (!madvise(addr, size, MADV_POPULATE_WRITE))
		return true;
	if (errno != EINVAL)
		return false;
	for (at = 0; at < size; at += page)
		((volatile char *)addr)[at] = 0;
	return true;
}

/* Files are kept open up to this number, so that their regions can be shared. */
#define MAX_KEPT_FILES 256

static _Atomic uint32_t kept_files;

static void forget_file(struct region *region)
{
	if (region->fd < 0)
		return;
	close(region->fd);
	region->fd = -1;
	atomic_fetch_sub(&kept_files, 1);
}

static void keep_file(struct region *region, int fd)
{
	if (atomic_fetch_add(&kept_files, 1) < MAX_KEPT_FILES) {
		region->fd = fd;
		return;
	}
	atomic_fetch_sub(&kept_files, 1);
	close(fd);
}

/* Maps a new memfd over the region's addresses. */
static bool map_memfd(struct region *region, unsigned int flags)
{
	int fd = memfd_create("aclkm", MFD_CLOEXEC | flags);
	uint64_t size = region->size;
	void *got = MAP_FAILED;
	int err;

	if (fd < 0)
		return false;
	err = ftruncate(fd, (off_t)size);
	/*
	 * Huge pages are taken before the mapping: an mmap that fails for want
	 * of them would leave a hole in the reserved addresses.
	 */
	if (!err && (flags & MFD_HUGETLB))
		err = fallocate(fd, 0, 0, (off_t)size);
	if (!err)
		got = mmap(region->addr, size, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_FIXED, fd, 0);
	forget_file(region);
	if (got != MAP_FAILED)
		keep_file(region, fd);
	else
		close(fd);
	return got != MAP_FAILED;
}

static bool map_anonymous(void *addr, uint64_t size)
{
	return mmap(addr, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
}

static bool thp_is_off(const char *knob)
{
	char text[128] = "";
	FILE *file = fopen(knob, "re");

	if (!file)
		return true;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return strstr(text, "[never]") || strstr(text, "[deny]");
}

/* Whether the kernel maps all of the mapping at @addr with huge entries. */
static bool is_huge(const void *addr, uint64_t size)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	unsigned long long from, to, kib, huge = 0;
	bool inside = false;
	char line[512];

	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llx-%llx ", &from, &to) == 2) {
			if (inside)
				break;
			inside = from == (uint64_t)(uintptr_t)addr && to - from == size;
		} else if (inside && (sscanf(line, "AnonHugePages: %llu", &kib) == 1 ||
				      sscanf(line, "ShmemPmdMapped: %llu", &kib) == 1)) {
			huge += kib << 10;
		}
	}
	fclose(file);
	return huge >= size;
}

static bool try_hugetlb(struct region *out, unsigned int flags, uint64_t page)
{
	if (!map_memfd(out, MFD_HUGETLB | flags))
		return false;
	if (!populate(out->addr, out->size, page))
		return false;
	out->page_size = page;
	return true;
}

static bool try_thp(struct region *out)
{
	if (!thp_is_off(THP_DIR "shmem_enabled") && map_memfd(out, 0) &&
	    !madvise(out->addr, out->size, MADV_HUGEPAGE) &&
	    populate(out->addr, out->size, va_page_size()) &&
	    is_huge(out->addr, out->size))
		goto huge;
	forget_file(out);
	if (!thp_is_off(THP_DIR "enabled") && map_anonymous(out->addr, out->size) &&
	    !madvise(out->addr, out->size, MADV_HUGEPAGE) &&
	    populate(out->addr, out->size, va_page_size()) &&
	    is_huge(out->addr, out->size))
		goto huge;
	return false;
huge:
	out->page_size = SIZE_2M;
	return true;
}

static bool try_small(struct region *out)
{
	if (!map_memfd(out, 0))
		return false;
	/* An error means that the kernel has no transparent huge pages at all. */
	madvise(out->addr, out->size, MADV_NOHUGEPAGE);
	if (!populate(out->addr, out->size, va_page_size()))
		return false;
	out->page_size = va_page_size();
	return true;
}

/* Each attempt maps over the one before, on the same reserved addresses. */
static int fill(struct region *out, enum aclkm_pages pages)
{
	if (pages == ACLKM_PAGES_HUGE1G) {
		if (try_hugetlb(out, MFD_HUGE_1GB, SIZE_1G))
			return ACLKM_OK;
		return error_set(ACLKM_ERR_NOMEM, "no 1 GiB huge pages for %llu bytes",
				 (unsigned long long)out->size);
	}
	if (pages != ACLKM_PAGES_NORMAL && !(out->size % SIZE_2M)) {
		if (try_hugetlb(out, MFD_HUGE_2MB, SIZE_2M) || try_thp(out))
			return ACLKM_OK;
	}
	if (pages == ACLKM_PAGES_HUGE_ONLY)
		return error_set(ACLKM_ERR_NOMEM, "no 2 MiB huge pages for %llu bytes",
				 (unsigned long long)out->size);
	if (try_small(out))
		return ACLKM_OK;
	return error_set(ACLKM_ERR_NOMEM, "the system has no memory for %llu bytes: %s",
			 (unsigned long long)out->size, strerror(errno));
}

static uint64_t page_wanted(uint64_t size, enum aclkm_pages pages)
{
	if (pages == ACLKM_PAGES_HUGE1G)
		return SIZE_1G;
	if (pages == ACLKM_PAGES_HUGE_ONLY)
		return SIZE_2M;
	if (pages == ACLKM_PAGES_HUGE_FIRST && size >= SIZE_2M)
		return SIZE_2M;
	return va_page_size();
}

static int alloc_pages_of(uint32_t device, uint64_t page, uint64_t size, uint64_t align,
			  enum aclkm_pages pages, struct region *out)
{
	int err;

	*out = (struct region){.fd = -1, .device = device};
	if (aclkm_align_up(size, page, &out->size))
		return error_set(ACLKM_ERR_NOMEM, "no device has %llu bytes",
				 (unsigned long long)size);
	err = charge(device, out->size);
	if (err)
		return err;
	out->charged = out->size;
	out->addr = va_reserve(out->size, align > page ? align : page);
	if (!out->addr) {
		err = error_set(ACLKM_ERR_NOMEM, "no address space for %llu bytes",
				(unsigned long long)out->size);
		goto uncharge;
	}
	err = fill(out, pages);
	if (err)
		goto release;
	return ACLKM_OK;
release:
	forget_file(out);
	va_release(out->addr, out->size);
uncharge:
	budget_give(device, out->charged);
	return err;
}

static int user_region_alloc(uint32_t device, uint64_t size, uint64_t align,
			     enum aclkm_pages pages, struct region *out)
{
	uint64_t page = page_wanted(size, pages);
	int err = alloc_pages_of(device, page, size, align, pages, out);

	/* The last bytes of the device may not do for whole huge pages. */
	if (err == ACLKM_ERR_NOMEM && pages == ACLKM_PAGES_HUGE_FIRST &&
	    page != va_page_size())
		err = alloc_pages_of(device, va_page_size(), size, align, pages, out);
	return err;
}

static void user_region_free(struct region *region)
{
	forget_file(region);
	guard_forget(region->addr, region->size);
	va_release(region->addr, region->size);
	budget_give(region->device, region->charged);
}

/* A memfd of @size bytes that are there. -1: there are not enough such pages. */
static int new_file(uint64_t size, unsigned int flags)
{
	int fd = memfd_create("aclkm", MFD_CLOEXEC | flags);

	if (fd >= 0 && (ftruncate(fd, (off_t)size) || fallocate(fd, 0, 0, (off_t)size))) {
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * All bytes, those as well that AddressSanitizer keeps from the program: no memcpy,
 * and no loop that becomes one.
 */
__attribute__((no_sanitize("address"))) static void
copy_all(uint64_t *dst, const uint64_t *src, uint64_t size)
{
	uint64_t i;

	for (i = 0; i < size / sizeof(*dst); i++) {
		dst[i] = src[i];
		__asm__ volatile("" ::: "memory");
	}
}

/*
 * Moves the region's bytes into a file: what was mapped anonymously, or has lost its
 * file, becomes shared memory at the same addresses.
 */
static int move_to_file(struct region *region)
{
	bool huge = region->page_size >= SIZE_2M && !(region->size % SIZE_2M);
	int fd = huge ? new_file(region->size, MFD_HUGETLB | MFD_HUGE_2MB) : -1;
	uint64_t page = fd < 0 ? va_page_size() : SIZE_2M;
	void *copy;

	if (fd < 0)
		fd = new_file(region->size, 0);
	if (fd < 0)
		return error_set(
			ACLKM_ERR_NOMEM,
			"no memory to move %llu bytes to where they can be shared",
			(unsigned long long)region->size);
	copy = mmap(NULL, region->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (copy == MAP_FAILED)
		goto close;
	copy_all(copy, region->addr, region->size);
	munmap(copy, region->size);
	if (mmap(region->addr, region->size, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		goto close;
	/* Read without a lock by who asks for a block in it. */
	__atomic_store_n(&region->page_size, page, __ATOMIC_RELAXED);
	region->fd = fd;
	atomic_fetch_add(&kept_files, 1);
	return ACLKM_OK;
close:
	close(fd);
	return error_set(ACLKM_ERR_NOMEM, "mapping %llu bytes again: %s",
			 (unsigned long long)region->size, strerror(errno));
}

/* Of hugetlb memory only whole huge pages can be mapped. */
static uint64_t file_page(int fd)
{
	struct statfs info;

	if (fstatfs(fd, &info))
		return va_page_size();
	return (uint64_t)info.f_bsize;
}

/* The file is the whole region's. */
static int user_region_share(struct region *region, uint64_t offset, uint64_t size,
			     struct backing *out)
{
	int err = region->fd < 0 ? move_to_file(region) : ACLKM_OK;

	if (err)
		return err;
	*out = (struct backing){.fd = fcntl(region->fd, F_DUPFD_CLOEXEC, 0),
				.offset = offset,
				.size = size,
				.page_size = file_page(region->fd)};
	if (out->fd < 0)
		return error_set(ACLKM_ERR_LIMIT, "no more open files: %s",
				 strerror(errno));
	return ACLKM_OK;
}

static int user_backing_alloc(uint32_t device, uint64_t size, enum aclkm_pages pages,
			      struct backing *out)
{
	int err = charge(device, size);

	if (err)
		return err;
	*out = (struct backing){.fd = -1,
				.size = size,
				.page_size = va_page_size(),
				.device = device,
				.charged = size};
	if (pages == ACLKM_PAGES_HUGE1G) {
		out->fd = new_file(size, MFD_HUGETLB | MFD_HUGE_1GB);
		out->page_size = SIZE_1G;
	} else if (pages != ACLKM_PAGES_NORMAL && !(size % SIZE_2M)) {
		out->fd = new_file(size, MFD_HUGETLB | MFD_HUGE_2MB);
		if (out->fd >= 0)
			out->page_size = SIZE_2M;
	}
	if (out->fd < 0 && pages != ACLKM_PAGES_HUGE1G && pages != ACLKM_PAGES_HUGE_ONLY)
		out->fd = new_file(size, 0);
	if (out->fd >= 0)
		return ACLKM_OK;
	budget_give(device, size);
	return error_set(ACLKM_ERR_NOMEM, "the system has no %s for %llu bytes",
			 pages == ACLKM_PAGES_HUGE1G ? "1 GiB huge pages" : "memory",
			 (unsigned long long)size);
}

static void user_backing_free(struct backing *backing)
{
	close(backing->fd);
	budget_give(backing->device, backing->charged);
}

const struct backend backend_user = {
	.name = "user",
	.open = user_open,
	.info = user_info,
	.region_alloc = user_region_alloc,
	.region_free = user_region_free,
	.region_share = user_region_share,
	.backing_alloc = user_backing_alloc,
	.backing_free = user_backing_free,
};
