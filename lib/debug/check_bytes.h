/* SPDX-License-Identifier: MIT */
/*
 * Filling and comparing the bytes that the checks write at the ends of blocks, 64 at
 * a time. @wide: registers of 32 bytes may be used where this is expanded.
 */
#ifndef LIB_CHECK_BYTES_H
#define LIB_CHECK_BYTES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

#define CHECK_RED 0xfd
#define CHECK_TAKEN 0xab
#define CHECK_FREED 0xdd

#define CHECK_INLINE static inline __attribute__((always_inline))

typedef uint64_t check_16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t check_32 __attribute__((vector_size(32), aligned(1), may_alias));

#define CHECK_AT(type, at) (*(type *)(uintptr_t)(at))

/* 32 times the same byte each: one load, where a constant takes three instructions. */
struct check_pattern {
	uint64_t bytes[4];
};

extern HIDDEN const struct check_pattern check_red, check_taken, check_freed;

CHECK_INLINE uint64_t check_at(const struct check_pattern *pattern)
{
	return (uint64_t)(uintptr_t)pattern;
}

/* 32 bytes, anywhere. */
CHECK_INLINE void check_set_32(uint64_t to, const struct check_pattern *pattern,
			       bool wide)
{
	uint64_t from = check_at(pattern);

	if (wide) {
		CHECK_AT(check_32, to) = CHECK_AT(const check_32, from);
	} else {
		CHECK_AT(check_16, to) = CHECK_AT(const check_16, from);
		CHECK_AT(check_16, to + 16) = CHECK_AT(const check_16, from);
	}
}

CHECK_INLINE void check_set_64(uint64_t to, const struct check_pattern *pattern,
			       bool wide)
{
	check_set_32(to, pattern, wide);
	check_set_32(to + 32, pattern, wide);
}

CHECK_INLINE bool check_any_16(check_16 v)
{
	return v[0] | v[1];
}

CHECK_INLINE bool check_any_32(const check_32 *v)
{
#if defined(__x86_64__) && !defined(__clang__) && defined(__OPTIMIZE__)
	/* One instruction; clang finds it by itself, and without optimization it is no
	 * matter. */
	bool any;

	__asm__("vptest %1, %1" : "=@ccnz"(any) : "x"(*v));
	return any;
#else
	return (*v)[0] | (*v)[1] | (*v)[2] | (*v)[3];
#endif
}

/* Whether one of the 32 bytes at @a or at @b is another. */
CHECK_INLINE bool check_other_32(uint64_t a, uint64_t b,
				 const struct check_pattern *pattern, bool wide)
{
	uint64_t from = check_at(pattern);

	if (wide) {
		check_32 want = CHECK_AT(const check_32, from);
		check_32 sum = (CHECK_AT(const check_32, a) ^ want) |
			       (CHECK_AT(const check_32, b) ^ want);

		return check_any_32(&sum);
	}
	check_16 want = CHECK_AT(const check_16, from);

	return check_any_16(((CHECK_AT(const check_16, a) ^ want) |
			     (CHECK_AT(const check_16, a + 16) ^ want)) |
			    ((CHECK_AT(const check_16, b) ^ want) |
			     (CHECK_AT(const check_16, b + 16) ^ want)));
}

/* The same for 64 bytes each. */
CHECK_INLINE bool check_other_64(uint64_t a, uint64_t b,
				 const struct check_pattern *pattern, bool wide)
{
	uint64_t from = check_at(pattern);

	if (wide) {
		check_32 want = CHECK_AT(const check_32, from);
		check_32 sum = ((CHECK_AT(const check_32, a) ^ want) |
				(CHECK_AT(const check_32, a + 32) ^ want)) |
			       ((CHECK_AT(const check_32, b) ^ want) |
				(CHECK_AT(const check_32, b + 32) ^ want));

		return check_any_32(&sum);
	}
	return check_other_32(a, a + 32, pattern, false) ||
	       check_other_32(b, b + 32, pattern, false);
}

#endif /* LIB_CHECK_BYTES_H */
