/* SPDX-License-Identifier: MIT */
/*
 * Loops that copy and fill past the caches, one for each set of instructions, and
 * which of them this machine has. No state; any thread.
 */
#ifndef LIB_KERNELS_H
#define LIB_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

struct kernel {
	const char *name;
	/* Ranges that do not overlap, any alignment and length. */
	void (*copy)(void *dst, const void *src, size_t count);
	/* The same, in several places at once: for what the memory itself limits. */
	void (*copy_pieces)(void *dst, const void *src, size_t count);
	/* The same, for a source that loads from one by one: WC and UC mappings. */
	void (*copy_uncached)(void *dst, const void *src, size_t count);
	void (*fill)(void *dst, int value, size_t count);
};

/* The kernels that run here, widest first; @n: how many. */
const struct kernel *const *kernels_here(size_t *n);

#endif /* LIB_KERNELS_H */
