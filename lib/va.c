// SPDX-License-Identifier: MIT
#include "va.h"

#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rules.h"

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
		munmap(raw, start - from);
	if (start + keep != from + total)
		munmap(raw + (start - from) + keep, from + total - start - keep);
	return raw + (start - from);
}

void va_release(void *addr, uint64_t size)
{
	munmap(addr, size + va_page_size());
}
