// SPDX-License-Identifier: MIT
#include "map/host_register.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "map/block.h"
#include "base/base.h"
#include "alloc/alloc.h"
#include "map/place.h"
#include "map/registered.h"

/* Pages that this library locked; the program's own locks lie between. */
struct run {
	uint64_t base;
	uint64_t size;
};

struct host_pins {
	struct registered range;
	struct run *runs;
	uint32_t run_count;
};

/* One registration locks pages at a time; before the lock of the ranges. */
static pthread_mutex_t pin_lock = PTHREAD_MUTEX_INITIALIZER;

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

static void unpin(struct host_pins *node)
{
	while (node->run_count) {
		const struct run *run = &node->runs[--node->run_count];

		munlock((void *)(uintptr_t)run->base, run->size);
	}
	free(node->runs);
	node->runs = NULL;
}

static bool lock_run(struct host_pins *node, uint64_t base, uint64_t size)
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
static bool pin(struct host_pins *node)
{
	uint64_t page = va_page_size(), at = node->range.at.base, size;
	uint64_t end = (at + node->range.at.size + page - 1) & ~(page - 1);

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
static void tell_unpinned(uint64_t size)
{
	static atomic_flag told = ATOMIC_FLAG_INIT;
	struct rlimit limit = {0};

	if (atomic_flag_test_and_set(&told))
		return;
	getrlimit(RLIMIT_MEMLOCK, &limit);
	fprintf(stderr,
		"aclkm: %s: %llu bytes are registered but not pinned: %s (RLIMIT_MEMLOCK "
		"is %llu bytes; raise it with ulimit -l)\n",
		api_function(), (unsigned long long)size, strerror(errno),
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

static void host_register_free(struct registered *range)
{
	if (range)
		free(addr_entry(range, struct host_pins, range));
}

/* A block is freed: what was registered in it is no memory of the program any more. */
static void pin_block_ends(uint64_t base)
{
	struct registered *range;
	struct heap_block block;
	uint64_t at = registered_next(base);

	if (at == UINT64_MAX || heap_find((void *)(uintptr_t)base, &block, NULL, NULL))
		return;
	do {
		range = at - base < block.ruled ? registered_remove(at, true) : NULL;
		host_register_free(range);
		at = registered_next(base);
	} while (range);
}

int host_register(uint64_t base, uint64_t size, uint32_t flags, bool pinned)
{
	struct host_pins *node;
	struct place_info place;
	bool own = place_describe((void *)(uintptr_t)base, &place);
	int err = ACLKM_OK;

	if (own)
		err = check_own(base, size, pinned, &place);
	else if (!is_mapped(base, size))
		err = error_set(ACLKM_ERR_INVALID,
				"address %p: not all of the %llu bytes are mapped",
				(void *)(uintptr_t)base, (unsigned long long)size);
	if (err)
		return err;
	node = calloc(1, sizeof(*node));
	if (!node)
		return error_no_records();
	node->range = (struct registered){.at.base = base,
					  .at.size = size,
					  .page_size = va_page_size(),
					  .flags = flags,
					  .host = true};
	if (own)
		block_watch((void *)(uintptr_t)place.base, pin_block_ends);
	pthread_mutex_lock(&pin_lock);
	/* First, so that a range that is refused has locked nothing. */
	err = registered_add(&node->range);
	if (err)
		free(node);
	else if (pinned && !pin(node))
		tell_unpinned(size);
	pthread_mutex_unlock(&pin_lock);
	return err;
}

int host_unregister(uint64_t base)
{
	struct registered *range;

	pthread_mutex_lock(&pin_lock);
	range = registered_remove(base, true);
	if (range)
		unpin(addr_entry(range, struct host_pins, range));
	pthread_mutex_unlock(&pin_lock);
	host_register_free(range);
	if (range)
		return ACLKM_OK;
	return error_set(ACLKM_ERR_FOREIGN,
			 "address %p is not the start of a registered range",
			 (void *)(uintptr_t)base);
}
