// SPDX-License-Identifier: MIT
#include "base/va.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/rules.h"

uint64_t va_page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

void *va_reserve(uint64_t size, uint64_t align)
{
	uint64_t page = va_page_size();
	uint64_t keep, total, start, from;
	char *raw;

	if (align < page)
		align = page;
	if (__builtin_add_overflow(size, page, &keep) ||
	    __builtin_add_overflow(keep, align - page, &total))
		return NULL;
	raw = mmap(NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		   -1, 0);
	if (raw == MAP_FAILED)
		return NULL;

	from = (uint64_t)(uintptr_t)raw;
	start = (from + align - 1) & ~(align - 1);
	if (start != from)
		va_unmap(raw, start - from);
	if (start + keep != from + total)
		va_unmap(raw + (start - from) + keep, from + total - start - keep);
	return raw + (start - from);
}

void va_release(void *addr, uint64_t size)
{
	va_unmap(addr, size + va_page_size());
}

/*
 * At vm.max_map_count mmap refuses even what would end mappings. The library keeps one
 * mapping that it can do without, and unmaps that first.
 */
static pthread_mutex_t spare_lock = PTHREAD_MUTEX_INITIALIZER;
static void *spare; /* NULL: none, or spent */

static void spare_make_locked(void)
{
	void *addr;

	if (spare)
		return;
	addr = mmap(NULL, va_page_size(), PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (addr != MAP_FAILED)
		spare = addr;
}

void va_need_spare(void)
{
	pthread_mutex_lock(&spare_lock);
	spare_make_locked();
	pthread_mutex_unlock(&spare_lock);
}

static void spare_spend_locked(void)
{
	if (!spare)
		return;
	munmap(spare, va_page_size());
	spare = NULL;
}

void va_unmap(void *addr, uint64_t size)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;

	if (!munmap(addr, size) || errno != ENOMEM)
		return;
	pthread_mutex_lock(&spare_lock);
	spare_spend_locked();
	/* Addresses may be lost, memory never. */
	if (munmap(addr, size))
		mmap(addr, size, PROT_NONE, flags, -1, 0);
	spare_make_locked();
	pthread_mutex_unlock(&spare_lock);
}

void *va_hide(void *addr, uint64_t size)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
	void *got = mmap(addr, size, PROT_NONE, flags, -1, 0);

	if (got != MAP_FAILED || errno != ENOMEM)
		return got;
	pthread_mutex_lock(&spare_lock);
	spare_spend_locked();
	got = mmap(addr, size, PROT_NONE, flags, -1, 0);
	spare_make_locked();
	pthread_mutex_unlock(&spare_lock);
	return got;
}
