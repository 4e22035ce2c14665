// SPDX-License-Identifier: MIT
#include "map/registered.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "map/block.h"
#include "base/error.h"
#include "alloc/heap.h"
#include "map/place.h"
#include "base/tree.h"
#include "base/va.h"

/* Pages that this library locked; the program's own locks lie between. */
struct run {
	uint64_t base;
	uint64_t size;
};

struct node {
	struct tree_node by_base;
	struct registered range;
	struct run *runs;
	uint32_t run_count;
};

TREE_COMPARE(compare, struct node, by_base, range.base)

/* One registration locks pages at a time; before the lock of the tree. */
static pthread_mutex_t pin_lock = PTHREAD_MUTEX_INITIALIZER;
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

static int add(const struct registered *range, struct node **out)
{
	struct node *node = calloc(1, sizeof(*node));
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
	*out = node;
	if (free_there)
		return ACLKM_OK;
	free(node);
	return error_set(ACLKM_ERR_EXISTS,
			 "address %p: registered already, in whole or in part",
			 (void *)(uintptr_t)range->base);
}

int registered_add(const struct registered *range)
{
	struct node *node;

	return add(range, &node);
}

/* @only_host: not one that was imported. NULL: there is none. */
static struct node *take_out(uint64_t base, bool only_host)
{
	struct node *node;

	pthread_mutex_lock(&lock);
	node = find(base);
	if (node && (node->range.base != base || (only_host && !node->range.host)))
		node = NULL;
	if (node) {
		tree_erase(&ranges, &node->by_base);
		atomic_fetch_sub(&count, 1);
	}
	pthread_mutex_unlock(&lock);
	return node;
}

bool registered_remove(uint64_t base, struct registered *out)
{
	struct node *node = take_out(base, false);

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
	/* ENOMEM: there is a hole in it. */
	return !msync((void *)(uintptr_t)base, size, MS_ASYNC) || errno != ENOMEM;
}

/* Whether no page is locked. Nothing is invalidated: the kernel only looks. */
static bool is_unlocked(uint64_t base, uint64_t size)
{
	return !msync((void *)(uintptr_t)base, size, MS_ASYNC | MS_INVALIDATE);
}

/* Bytes from @base on, up to @size, that are not locked. */
static uint64_t unlocked_bytes(uint64_t base, uint64_t size, uint64_t page)
{
	uint64_t low = 0, high = size / page, middle;

	if (is_unlocked(base, size))
		return size;
	while (high - low > 1) {
		middle = low + (high - low) / 2;
		if (is_unlocked(base, middle * page))
			low = middle;
		else
			high = middle;
	}
	return low * page;
}

static void unpin(struct node *node)
{
	while (node->run_count) {
		const struct run *run = &node->runs[--node->run_count];

		munlock((void *)(uintptr_t)run->base, run->size);
	}
	free(node->runs);
	node->runs = NULL;
}

static bool lock_run(struct node *node, uint64_t base, uint64_t size)
{
	struct run *runs = realloc(node->runs, (node->run_count + 1) * sizeof(*runs));

	if (!runs)
		return false;
	node->runs = runs;
	if (mlock((void *)(uintptr_t)base, size))
		return false;
	runs[node->run_count++] = (struct run){base, size};
	return true;
}

/*
 * Locks the pages that are not locked yet, and remembers them: locks do not count, so
 * that munlock of all would end the program's own. False: the process may lock no more,
 * and nothing was locked.
 */
static bool pin(struct node *node)
{
	uint64_t page = va_page_size(), at = node->range.base, size;
	uint64_t end = (at + node->range.size + page - 1) & ~(page - 1);

	while (at < end) {
		size = unlocked_bytes(at, end - at, page);
		if (size && !lock_run(node, at, size)) {
			unpin(node);
			return false;
		}
		for (at += size; at < end && !is_unlocked(at, page); at += page)
			;
	}
	return true;
}

/* Said once: the program goes on, with pages that can be swapped out. */
static void tell_unpinned(const struct registered *range)
{
	static atomic_flag told = ATOMIC_FLAG_INIT;
	struct rlimit limit = {0};

	if (atomic_flag_test_and_set(&told))
		return;
	getrlimit(RLIMIT_MEMLOCK, &limit);
	fprintf(stderr,
		"aclkm: %s: %llu bytes are registered but not pinned: %s (RLIMIT_MEMLOCK "
		"is %llu bytes; raise it with ulimit -l)\n",
		api_function(), (unsigned long long)range->size, strerror(errno),
		(unsigned long long)limit.rlim_cur);
}

/* Memory of aclrtMallocHost is resident already: it is only noted. */
static int check_own(uint64_t base, uint64_t size, bool pinned,
		     const struct place_info *place)
{
	void *addr = (void *)(uintptr_t)base;

	if (place->registered)
		return error_set(ACLKM_ERR_EXISTS, "address %p: registered already",
				 addr);
	if (place->place != PLACE_HOST || place->mapped)
		return error_set(ACLKM_ERR_INVALID,
				 "address %p: device memory of this library", addr);
	if (pinned)
		return error_set(ACLKM_ERR_INVALID,
				 "address %p: host memory of this library, which is "
				 "pinned as it is",
				 addr);
	if (size > place->base + place->size - base)
		return error_set(ACLKM_ERR_INVALID,
				 "address %p: not one block with all of the %llu bytes",
				 addr, (unsigned long long)size);
	return ACLKM_OK;
}

/* A block is freed: what was registered in it is no memory of the program any more. */
static void block_ends(uint64_t base)
{
	struct heap_block block;
	struct node *node;
	uint64_t at;

	if (!atomic_load(&count) ||
	    heap_find((void *)(uintptr_t)base, &block, NULL, NULL))
		return;
	do {
		struct node key = {.range.base = base};
		struct tree_node *first;

		pthread_mutex_lock(&lock);
		first = tree_ceil(&ranges, &key.by_base);
		at = first ? tree_entry(first, struct node, by_base)->range.base
			   : UINT64_MAX;
		pthread_mutex_unlock(&lock);
		node = at - base < block.ruled ? take_out(at, true) : NULL;
		free(node);
	} while (node);
}

int registered_host(uint64_t base, uint64_t size, uint32_t flags, bool pinned)
{
	struct registered range = {.base = base,
				   .size = size,
				   .page_size = va_page_size(),
				   .flags = flags,
				   .host = true};
	bool own = false;
	struct place_info place;
	struct node *node;
	int err = ACLKM_OK;

	if (place_describe((void *)(uintptr_t)base, &place)) {
		err = check_own(base, size, pinned, &place);
		own = true;
	} else if (!is_mapped(base, size)) {
		err = error_set(ACLKM_ERR_INVALID,
				"address %p: not all of the %llu bytes are mapped",
				(void *)(uintptr_t)base, (unsigned long long)size);
	}
	if (err)
		return err;
	if (own)
		block_watch((void *)(uintptr_t)place.base, block_ends);
	pthread_mutex_lock(&pin_lock);
	/* First, so that a range that is refused has locked nothing. */
	err = add(&range, &node);
	if (!err && pinned && !pin(node))
		tell_unpinned(&range);
	pthread_mutex_unlock(&pin_lock);
	return err;
}

int registered_host_end(uint64_t base)
{
	struct node *node;

	pthread_mutex_lock(&pin_lock);
	node = take_out(base, true);
	if (node)
		unpin(node);
	pthread_mutex_unlock(&pin_lock);
	free(node);
	if (node)
		return ACLKM_OK;
	return error_set(ACLKM_ERR_FOREIGN,
			 "address %p is not the start of a registered range",
			 (void *)(uintptr_t)base);
}
