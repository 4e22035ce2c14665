// SPDX-License-Identifier: MIT
#include "registered.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "error.h"
#include "place.h"
#include "tree.h"
#include "va.h"

struct node {
	struct tree_node by_base;
	struct registered range;
};

TREE_COMPARE(compare, struct node, by_base, range.base)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct tree ranges = {.compare = compare, .random = 1};
static _Atomic uint32_t count;

static struct node *find(uint64_t addr)
{
	struct node key = {.range.base = addr};
	struct tree_node *node = tree_floor(&ranges, &key.by_base);
	struct node *found;

	if (!node)
		return NULL;
	found = tree_entry(node, struct node, by_base);
	return addr - found->range.base < found->range.size ? found : NULL;
}

static bool overlaps(const struct registered *range)
{
	struct node key = {.range.base = range->base};
	struct tree_node *above = tree_above(&ranges, &key.by_base);

	if (find(range->base))
		return true;
	return above &&
	       tree_entry(above, struct node, by_base)->range.base - range->base <
		       range->size;
}

int registered_add(const struct registered *range)
{
	struct node *node = malloc(sizeof(*node));
	bool free_there;

	if (!node)
		return error_set(ACLKM_ERR_NOHEAP,
				 "no memory for the library's own records");
	node->range = *range;
	pthread_mutex_lock(&lock);
	free_there = !overlaps(range);
	if (free_there) {
		tree_insert(&ranges, &node->by_base);
		atomic_fetch_add(&count, 1);
	}
	pthread_mutex_unlock(&lock);
	if (free_there)
		return ACLKM_OK;
	free(node);
	return error_set(ACLKM_ERR_EXISTS,
			 "address %p: registered already, in whole or in part",
			 (void *)(uintptr_t)range->base);
}

bool registered_remove(uint64_t base, struct registered *out)
{
	struct node *node;

	pthread_mutex_lock(&lock);
	node = find(base);
	if (node && node->range.base != base)
		node = NULL;
	if (node) {
		tree_erase(&ranges, &node->by_base);
		atomic_fetch_sub(&count, 1);
	}
	pthread_mutex_unlock(&lock);
	if (!node)
		return false;
	*out = node->range;
	free(node);
	return true;
}

bool registered_find(const void *addr, struct registered *out)
{
	const struct node *node;

	if (!atomic_load(&count))
		return false;
	pthread_mutex_lock(&lock);
	node = find((uint64_t)(uintptr_t)addr);
	if (node)
		*out = node->range;
	pthread_mutex_unlock(&lock);
	return node != NULL;
}

static bool is_mapped(uint64_t base, uint64_t size)
{
	uint64_t page = va_page_size();
	uint64_t from = base & ~(page - 1);

	/* ENOMEM: there is a hole in it. */
	return !msync((void *)(uintptr_t)from, size + (base - from), MS_ASYNC) ||
	       errno != ENOMEM;
}

int registered_host(uint64_t base, uint64_t size, uint32_t flags, bool pin)
{
	struct registered range = {.base = base,
				   .size = size,
				   .page_size = va_page_size(),
				   .flags = flags,
				   .host = true};
	struct place_info place;
	int err;

	if (place_describe((void *)(uintptr_t)base, &place))
		return error_set(
			place.registered ? ACLKM_ERR_EXISTS : ACLKM_ERR_INVALID,
			"address %p: %s", (void *)(uintptr_t)base,
			place.registered
				? "registered already"
				: "memory of this library, which is pinned as it is");
	if (!is_mapped(base, size))
		return error_set(ACLKM_ERR_INVALID,
				 "address %p: not all of the %llu bytes are mapped",
				 (void *)(uintptr_t)base, (unsigned long long)size);
	range.pinned = pin && !mlock((void *)(uintptr_t)base, size);
	err = registered_add(&range);
	if (err && range.pinned)
		munlock((void *)(uintptr_t)base, size);
	return err;
}

int registered_host_end(uint64_t base)
{
	struct registered range;

	if (!registered_find((void *)(uintptr_t)base, &range) || !range.host ||
	    !registered_remove(base, &range))
		return error_set(ACLKM_ERR_FOREIGN,
				 "address %p is not the start of a registered range",
				 (void *)(uintptr_t)base);
	if (range.pinned)
		munlock((void *)(uintptr_t)base, range.size);
	return ACLKM_OK;
}
