/* SPDX-License-Identifier: MIT */
/*
 * Which mappings are write-combined or uncached, so that copies from them are done by
 * streaming loads. Ordinary loads from such memory come one by one, each from the
 * memory itself. Thread-safe.
 */
#ifndef LIB_UNCACHED_H
#define LIB_UNCACHED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All of them lie in here; a length of 0: there are none. */
extern _Atomic uintptr_t uncached_start;
extern _Atomic size_t uncached_span;

/* ACLKM_ERR_NOHEAP with its text. What was added is removed before it is unmapped. */
int uncached_add(const void *addr, size_t size);
void uncached_remove(const void *addr);

bool uncached_find(const void *ptr);

/* Whether @ptr is in one: two loads where there are none, or none near. */
static inline bool uncached_has(const void *ptr)
{
	size_t span = atomic_load_explicit(&uncached_span, memory_order_relaxed);
	uintptr_t start = atomic_load_explicit(&uncached_start, memory_order_relaxed);

	return __builtin_expect((uintptr_t)ptr - start < span, 0) && uncached_find(ptr);
}

#endif /* LIB_UNCACHED_H */
