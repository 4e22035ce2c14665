// SPDX-License-Identifier: MIT
/*
 * Regions from ordinary memory, with no driver: hugetlb pages, else transparent
 * huge pages, else small ones. All of it is pieces of memfds (memfile.h), so that any
 * block can be shared without being moved. Not physically contiguous, and no physical
 * addresses. The device's size is a number that is only counted against; before pages
 * become resident, memlimit.h tells whether the system has them.
 */
#include "backend/region.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend/budget.h"
#include "base/base.h"
#include "backend/memfile.h"
#include "backend/memlimit.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* from 6.1 on */
#endif

#define THP_DIR "/sys/kernel/mm/transparent_hugepage/"

static uint64_t part; /* of each device */

static int user_open(void)
{
	uint64_t total = config_get()->mem;
	struct memlimit limit;

	if (!total) {
		memlimit_read("", &limit);
		total = memlimit_device_size(&limit);
	}
	part = budget_part(total);
	return ACLKM_OK;
}

static int user_info(uint32_t device, struct backend_info *out)
{
	out->total = part;
	out->free = budget_left(device, part);
	out->largest = out->free;
	return ACLKM_OK;
}

static int user_charge(uint32_t device, uint64_t size)
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

/*
 * Maps new shared memory over the region's addresses, so that a part of it can be given
 * to another process at any time without moving a byte. Where the process may have no
 * file, it is shared memory that cannot be found again.
 */
static int map_new(struct region *region, enum memfile_pages pages, bool alone)
{
	int err;

	memfile_give(&region->piece, region->addr);
	err = memfile_take(pages, region->size, alone, &region->piece);
	if (!err) {
		err = memfile_map(&region->piece, region->addr, PROT_READ | PROT_WRITE);
		if (err)
			memfile_give(&region->piece, NULL);
		return err;
	}
	if (err != ACLKM_ERR_UNSUPPORTED || pages != MEMFILE_SMALL || alone)
		return err;
	if (mmap(region->addr, region->size, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED)
		return ACLKM_OK;
	return error_set(ACLKM_ERR_NOMEM, "mapping %llu bytes: %s",
			 (unsigned long long)region->size, strerror(errno));
}

static bool knob_says(const char *knob, const char *word)
{
	char text[128] = "";
	FILE *file = fopen(knob, "re");

	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return strstr(text, word);
}

/*
 * The kernel's default for shared memory is "never", which means faults: MADV_COLLAPSE
 * still makes huge pages. An administrator who wants none says so for all memory, or
 * "deny".
 */
static bool thp_is_off(void)
{
	return knob_says(THP_DIR "shmem_enabled", "[deny]") ||
	       (knob_says(THP_DIR "enabled", "[never]") &&
		knob_says(THP_DIR "shmem_enabled", "[never]")) ||
	       access(THP_DIR "shmem_enabled", R_OK);
}

/* One page of each unit is touched; the kernel replaces it by a whole huge page. */
static bool make_huge(char *addr, uint64_t size)
{
	uint64_t at;

	if (madvise(addr, size, MADV_HUGEPAGE))
		return false;
	for (at = 0; at < size; at += SIZE_2M) {
		if (madvise(addr + at, va_page_size(), MADV_POPULATE_WRITE) ||
		    madvise(addr + at, SIZE_2M, MADV_COLLAPSE))
			return false;
	}
	return true;
}

static int try_hugetlb(struct region *out, enum memfile_pages pages, uint64_t page,
		       bool alone)
{
	int err = map_new(out, pages, alone);

	if (err)
		return err;
	if (!populate(out->addr, out->size, page))
		return ACLKM_ERR_NOMEM;
	out->page_size = page;
	return ACLKM_OK;
}

static int try_small(struct region *out, bool huge, bool alone)
{
	int err = map_new(out, MEMFILE_SMALL, alone);

	if (err)
		return err;
	if (huge && !thp_is_off() && make_huge(out->addr, out->size)) {
		out->page_size = SIZE_2M;
		return ACLKM_OK;
	}
	/* An error means that the kernel has no transparent huge pages at all. */
	if (!huge)
		madvise(out->addr, out->size, MADV_NOHUGEPAGE);
	if (!populate(out->addr, out->size, va_page_size()))
		return error_set(ACLKM_ERR_NOMEM,
				 "the system has no memory for %llu bytes: %s",
				 (unsigned long long)out->size, strerror(errno));
	out->page_size = va_page_size();
	return ACLKM_OK;
}

/* Each attempt maps over the one before, on the same reserved addresses. */
static int user_fill(struct region *out, enum aclkm_pages pages, bool alone)
{
	bool huge = pages != ACLKM_PAGES_NORMAL && !(out->size % SIZE_2M);
	int err;

	if (pages == ACLKM_PAGES_HUGE1G) {
		err = try_hugetlb(out, MEMFILE_1G, SIZE_1G, alone);
		if (err != ACLKM_ERR_NOMEM && err != ACLKM_ERR_UNSUPPORTED)
			return err;
		return error_set(ACLKM_ERR_NOMEM, "no 1 GiB huge pages for %llu bytes",
				 (unsigned long long)out->size);
	}
	if (huge && !try_hugetlb(out, MEMFILE_2M, SIZE_2M, alone))
		return ACLKM_OK;
	/* Huge pages of hugetlb are reserved already; these are not. */
	err = memlimit_allow(out->size) ?: try_small(out, huge, alone);
	if (err || out->page_size == SIZE_2M || pages != ACLKM_PAGES_HUGE_ONLY)
		return err;
	return error_set(ACLKM_ERR_NOMEM, "no 2 MiB huge pages for %llu bytes",
			 (unsigned long long)out->size);
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
			  enum aclkm_pages pages, bool alone, struct region *out)
{
	int err;

	*out = (struct region){.device = device};
	if (aclkm_align_up(size, page, &out->size))
		return error_set(ACLKM_ERR_NOMEM, "no device has %llu bytes",
				 (unsigned long long)size);
	err = user_charge(device, out->size);
	if (err)
		return err;
	out->charged = out->size;
	out->addr = va_reserve(out->size, align > page ? align : page);
	if (!out->addr) {
		err = error_set(ACLKM_ERR_NOMEM, "no address space for %llu bytes",
				(unsigned long long)out->size);
		goto uncharge;
	}
	err = user_fill(out, pages, alone);
	if (err)
		goto release;
	return ACLKM_OK;
release:
	memfile_give(&out->piece, out->addr);
	va_release(out->addr, out->size);
uncharge:
	budget_give(device, out->charged);
	return err;
}

static int user_region_alloc(uint32_t device, uint64_t size, uint64_t align,
			     enum aclkm_pages pages, bool alone, struct region *out)
{
	uint64_t page = page_wanted(size, pages);
	int err = alloc_pages_of(device, page, size, align, pages, alone, out);

	/* The last bytes of the device may not do for whole huge pages. */
	if (err == ACLKM_ERR_NOMEM && pages == ACLKM_PAGES_HUGE_FIRST &&
	    page != va_page_size())
		err = alloc_pages_of(device, va_page_size(), size, align, pages, alone,
				     out);
	return err;
}

static void user_region_free(struct region *region)
{
	guard_forget(region->addr, region->size);
	memfile_give(&region->piece, region->addr);
	va_release(region->addr, region->size);
	budget_give(region->device, region->charged);
}

/* The file may hold more of the region, and other regions where there are many. */
static int user_region_share(struct region *region, uint64_t offset, uint64_t size,
			     struct file_part *out)
{
	return memfile_share(&region->piece, offset, size, out);
}

static int backing_pages(struct backing *out, enum memfile_pages pages,
			 uint64_t page_size)
{
	int err = memfile_take(pages, out->size, false, &out->piece);

	out->page_size = page_size;
	return err;
}

static int fill_backing(struct backing *out, enum aclkm_pages pages)
{
	int err = ACLKM_ERR_NOMEM;

	if (pages == ACLKM_PAGES_HUGE1G)
		err = backing_pages(out, MEMFILE_1G, SIZE_1G);
	else if (pages != ACLKM_PAGES_NORMAL && !(out->size % SIZE_2M))
		err = backing_pages(out, MEMFILE_2M, SIZE_2M);
	if (err != ACLKM_ERR_NOMEM && err != ACLKM_ERR_UNSUPPORTED)
		return err;
	if (pages == ACLKM_PAGES_HUGE1G || pages == ACLKM_PAGES_HUGE_ONLY)
		return error_set(ACLKM_ERR_NOMEM,
				 "the system has no %s huge pages for %llu bytes",
				 pages == ACLKM_PAGES_HUGE1G ? "1 GiB" : "2 MiB",
				 (unsigned long long)out->size);
	err = memlimit_allow(out->size)
		      ?: backing_pages(out, MEMFILE_SMALL, va_page_size());
	if (err || memfile_fill(&out->piece))
		return err;
	err = error_set(ACLKM_ERR_NOMEM, "the system has no memory for %llu bytes: %s",
			(unsigned long long)out->size, strerror(errno));
	memfile_give(&out->piece, NULL);
	return err;
}

static int user_backing_alloc(uint32_t device, uint64_t size, enum aclkm_pages pages,
			      struct backing *out)
{
	int err = user_charge(device, size);

	if (err)
		return err;
	*out = (struct backing){.size = size, .device = device, .charged = size};
	err = fill_backing(out, pages);
	if (err)
		budget_give(device, size);
	/* No file, no memory that can be mapped twice. */
	return err == ACLKM_ERR_UNSUPPORTED ? ACLKM_ERR_LIMIT : err;
}

static void user_backing_free(struct backing *backing)
{
	memfile_give(&backing->piece, NULL);
	budget_give(backing->device, backing->charged);
}

static int user_backing_map(const struct backing *backing, void *addr, int protection)
{
	return memfile_map(&backing->piece, addr, protection);
}

static int user_backing_share(struct backing *backing, struct file_part *out)
{
	return memfile_share(&backing->piece, 0, backing->size, out);
}

static int user_backing_adopt(const struct file_part *file, struct backing *out)
{
	*out = (struct backing){.size = file->size, .page_size = file->page_size};
	return memfile_adopt(file, &out->piece);
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
	.backing_map = user_backing_map,
	.backing_share = user_backing_share,
	.backing_adopt = user_backing_adopt,
};
