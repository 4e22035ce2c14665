// SPDX-License-Identifier: MIT
#include "base/uncached.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/error.h"

struct range {
	struct range *next;
	uintptr_t start;
	size_t size;
};

_Atomic uintptr_t uncached_start;
_Atomic size_t uncached_span;

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct range *ranges;

/*
 * Whoever reads one of the two anew and the other not yet takes the slow way, or, for a
 * moment, ordinary loads: both are right.
 */
static void set_bounds_locked(void)
{
	uintptr_t start = UINTPTR_MAX, end = 0;
	const struct range *range;

	for (range = ranges; range; range = range->next) {
		if (range->start < start)
			start = range->start;
		if (range->start + range->size > end)
			end = range->start + range->size;
	}
	atomic_store(&uncached_start, start);
	atomic_store(&uncached_span, ranges ? end - start : 0);
}

int uncached_add(const void *addr, size_t size)
{
	struct range *range = malloc(sizeof(*range));

	if (!range)
		return error_no_records();
	pthread_rwlock_wrlock(&lock);
	*range = (struct range){ranges, (uintptr_t)addr, size};
	ranges = range;
	set_bounds_locked();
	pthread_rwlock_unlock(&lock);
	return ACLKM_OK;
}

void uncached_remove(const void *addr)
{
	struct range **at, *range;

	pthread_rwlock_wrlock(&lock);
	for (at = &ranges; *at && (*at)->start != (uintptr_t)addr; at = &(*at)->next)
		;
	range = *at;
	if (range) {
		*at = range->next;
		set_bounds_locked();
	}
	pthread_rwlock_unlock(&lock);
	free(range);
}

bool uncached_find(const void *ptr)
{
	const struct range *range;

	pthread_rwlock_rdlock(&lock);
	for (range = ranges; range; range = range->next) {
		if ((uintptr_t)ptr - range->start < range->size)
			break;
	}
	pthread_rwlock_unlock(&lock);
	return range;
}
