/* SPDX-License-Identifier: MIT */
/*
 * From an address to what holds it, without a lock: a table of two levels, one
 * entry for each granule of address space. Entries are pointers, tagged in their
 * lowest bit: 0 a slab, 1 a chunk. What they point to is never unmapped, only
 * used again, so an entry that has just gone stale can still be read.
 *
 * Writers of one entry must be ordered among themselves by their own lock.
 */
#ifndef LIB_TABLE_H
#define LIB_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRANULE_SHIFT 16
#define GRANULE (1ULL << GRANULE_SHIFT)

#define TABLE_LEAF_SHIFT 16
#define TABLE_LEAF (1U << TABLE_LEAF_SHIFT)
#define TABLE_TOP_SHIFT (GRANULE_SHIFT + TABLE_LEAF_SHIFT)
#define TABLE_TOP (1U << 16) /* 48 bits of address: what mmap gives */

#define TABLE_CHUNK ((uintptr_t)1)

typedef _Atomic uintptr_t table_leaf[TABLE_LEAF];

extern _Atomic(table_leaf *) table_top[TABLE_TOP];

/* 0: nobody's. */
static inline uintptr_t table_get(uint64_t addr)
{
	uint64_t top = addr >> TABLE_TOP_SHIFT;
	table_leaf *leaf;

	if (__builtin_expect(top >= TABLE_TOP, 0))
		return 0;
	leaf = atomic_load_explicit(&table_top[top], memory_order_acquire);
	if (__builtin_expect(!leaf, 0))
		return 0;
	return atomic_load_explicit(&(*leaf)[(addr >> GRANULE_SHIFT) % TABLE_LEAF],
				    memory_order_acquire);
}

/* Makes room for the entries of [addr, addr + size). False: no memory. */
bool table_prepare(uint64_t addr, uint64_t size);

/* Every granule that [addr, addr + size) touches; prepared before. */
void table_set(uint64_t addr, uint64_t size, uintptr_t entry);

#endif /* LIB_TABLE_H */
