// SPDX-License-Identifier: MIT
#include "alloc/table.h"

#include <pthread.h>
#include <sys/mman.h>

_Atomic(table_leaf *) table_top[TABLE_TOP];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool add_leaf(uint64_t top)
{
	void *leaf = mmap(NULL, sizeof(table_leaf), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (leaf == MAP_FAILED)
		return false;
	atomic_store_explicit(&table_top[top], (table_leaf *)leaf, memory_order_release);
	return true;
}

bool table_prepare(uint64_t addr, uint64_t size)
{
	uint64_t last = (addr + size - 1) >> TABLE_TOP_SHIFT;
	bool good = last < TABLE_TOP;
	uint64_t top;

	pthread_mutex_lock(&lock);
	for (top = addr >> TABLE_TOP_SHIFT; good && top <= last; top++) {
		if (!atomic_load_explicit(&table_top[top], memory_order_relaxed))
			good = add_leaf(top);
	}
	pthread_mutex_unlock(&lock);
	return good;
}

void table_set(uint64_t addr, uint64_t size, uintptr_t entry)
{
	uint64_t last = (addr + size - 1) >> GRANULE_SHIFT;
	uint64_t at;

	for (at = addr >> GRANULE_SHIFT; at <= last; at++) {
		table_leaf *leaf = atomic_load_explicit(
			&table_top[at >> TABLE_LEAF_SHIFT], memory_order_relaxed);

		atomic_store_explicit(&(*leaf)[at % TABLE_LEAF], entry,
				      memory_order_release);
	}
}
