// SPDX-License-Identifier: MIT
#include "map/registered.h"

#include <pthread.h>

#include "base/base.h"

static pthread_mutex_t registered_lock = PTHREAD_MUTEX_INITIALIZER;
static struct addr_map registered_ranges = ADDR_MAP;

int registered_add(struct registered *range)
{
	bool overlaps;

	pthread_mutex_lock(&registered_lock);
	overlaps = addr_map_overlaps(&registered_ranges, range->at.base, range->at.size);
	if (!overlaps)
		addr_map_add(&registered_ranges, &range->at);
	pthread_mutex_unlock(&registered_lock);
	if (!overlaps)
		return ACLKM_OK;
	return error_set(ACLKM_ERR_EXISTS,
			 "address %p: registered already, in whole or in part",
			 (void *)(uintptr_t)range->at.base);
}

struct registered *registered_remove(uint64_t base, bool only_host)
{
	struct registered *range = NULL;
	struct addr_range *at;

	pthread_mutex_lock(&registered_lock);
	at = addr_map_at(&registered_ranges, base);
	if (at)
		range = addr_entry(at, struct registered, at);
	if (range && only_host && !range->host)
		range = NULL;
	if (range)
		addr_map_remove(&registered_ranges, at);
	pthread_mutex_unlock(&registered_lock);
	return range;
}

uint64_t registered_next(uint64_t addr)
{
	const struct addr_range *next;
	uint64_t base;

	if (!addr_map_any(&registered_ranges))
		return UINT64_MAX;
	pthread_mutex_lock(&registered_lock);
	next = addr_map_from(&registered_ranges, addr);
	base = next ? next->base : UINT64_MAX;
	pthread_mutex_unlock(&registered_lock);
	return base;
}

bool registered_find(const void *addr, struct registered *out)
{
	struct addr_range *at;

	if (!addr_map_any(&registered_ranges))
		return false;
	pthread_mutex_lock(&registered_lock);
	at = addr_map_find(&registered_ranges, (uint64_t)(uintptr_t)addr);
	if (at)
		*out = *addr_entry(at, struct registered, at);
	pthread_mutex_unlock(&registered_lock);
	return at;
}
