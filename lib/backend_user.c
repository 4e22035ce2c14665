// SPDX-License-Identifier: MIT
/*
 * Regions from ordinary memory, with no driver: hugetlb pages, else transparent
 * huge pages, else small ones. Not physically contiguous, and no physical
 * addresses. The device's size is a number that is only counted against.
 */
#include "backend.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "config.h"
#include "error.h"
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

static struct {
	pthread_mutex_t lock;
	uint64_t total;
	uint64_t used;
} device = {.lock = PTHREAD_MUTEX_INITIALIZER};

static uint64_t half_of_ram(void)
{
	struct sysinfo info;

	if (sysinfo(&info))
		return SIZE_1G;
	return ((uint64_t)info.totalram * info.mem_unit / 2) & ~(SIZE_2M - 1);
}

static int user_open(void)
{
	device.total = config_get()->mem;
	if (!device.total)
		device.total = half_of_ram();
	return ACLKM_OK;
}

static int user_info(struct backend_info *out)
{
	pthread_mutex_lock(&device.lock);
	out->total = device.total;
	out->free = device.total - device.used;
	pthread_mutex_unlock(&device.lock);
	out->largest = out->free;
	return ACLKM_OK;
}

static int charge(uint64_t size)
{
	int err = ACLKM_OK;

	pthread_mutex_lock(&device.lock);
	if (size > device.total - device.used)
		err = error_set(ACLKM_ERR_NOMEM,
				"no %llu bytes left: %llu of the device's %llu are free "
				"(ACLKM_MEM "
				"sets its size)",
				(unsigned long long)size,
				(unsigned long long)(device.total - device.used),
				(unsigned long long)device.total);
	else
		device.used += size;
	pthread_mutex_unlock(&device.lock);
	return err;
}

static void uncharge(uint64_t size)
{
	pthread_mutex_lock(&device.lock);
	device.used -= size;
	pthread_mutex_unlock(&device.lock);
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

/* Maps a new memfd of @size bytes over @addr. */
static bool map_memfd(void *addr, uint64_t size, unsigned int flags)
{
	int fd = memfd_create("aclkm", MFD_CLOEXEC | flags);
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
		got = mmap(addr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
			   0);
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
	if (!map_memfd(out->addr, out->size, MFD_HUGETLB | flags))
		return false;
	if (!populate(out->addr, out->size, page))
		return false;
	out->page_size = page;
	return true;
}

static bool try_thp(struct region *out)
{
	if (!thp_is_off(THP_DIR "shmem_enabled") && map_memfd(out->addr, out->size, 0) &&
	    !madvise(out->addr, out->size, MADV_HUGEPAGE) &&
	    populate(out->addr, out->size, va_page_size()) &&
	    is_huge(out->addr, out->size))
		goto huge;
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
	if (!map_memfd(out->addr, out->size, 0))
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

static int alloc_pages_of(uint64_t page, uint64_t size, uint64_t align,
			  enum aclkm_pages pages, struct region *out)
{
	int err;

	*out = (struct region){0};
	if (aclkm_align_up(size, page, &out->size))
		return error_set(ACLKM_ERR_NOMEM, "no device has %llu bytes",
				 (unsigned long long)size);
	err = charge(out->size);
	if (err)
		return err;
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
	va_release(out->addr, out->size);
uncharge:
	uncharge(out->size);
	return err;
}

static int user_region_alloc(uint64_t size, uint64_t align, enum aclkm_pages pages,
			     struct region *out)
{
	uint64_t page = page_wanted(size, pages);
	int err = alloc_pages_of(page, size, align, pages, out);

	/* The last bytes of the device may not do for whole huge pages. */
	if (err == ACLKM_ERR_NOMEM && pages == ACLKM_PAGES_HUGE_FIRST &&
	    page != va_page_size())
		err = alloc_pages_of(va_page_size(), size, align, pages, out);
	return err;
}

static void user_region_free(struct region *region)
{
	va_release(region->addr, region->size);
	uncharge(region->size);
}

const struct backend backend_user = {
	.name = "user",
	.open = user_open,
	.info = user_info,
	.region_alloc = user_region_alloc,
	.region_free = user_region_free,
};
