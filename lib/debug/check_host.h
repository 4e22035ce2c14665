/* SPDX-License-Identifier: MIT */
/*
 * For the check "portable": device memory is hidden from the program, as a real device's
 * is, and open while the library itself works on it.
 */
#ifndef LIB_CHECK_HOST_H
#define LIB_CHECK_HOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/hot.h"

/* Whether device memory is hidden. Set with the options. */
extern HIDDEN _Atomic bool check_host;

static inline bool check_hides(void)
{
	return __builtin_expect(atomic_load_explicit(&check_host, memory_order_relaxed),
				0);
}

/* Of check.c: counts who works on the block around @at; NULL is fine. */
void check_open(const void *at);
void check_close(const void *at);

/* Around what the library reads and writes itself. NULL: nothing. */
static inline void check_work_begins(const void *dst, const void *src)
{
	if (check_hides()) {
		check_open(dst);
		check_open(src);
	}
}

static inline void check_work_ends(const void *dst, const void *src)
{
	if (check_hides()) {
		check_close(src);
		check_close(dst);
	}
}

/* Of check.c: the program has touched @at; true: it is a hidden block, open from now on.
 */
bool check_touched(uint64_t at, bool by_library);

void check_hide(uint64_t base, uint64_t size);
void check_show(uint64_t base, uint64_t size);

#endif /* LIB_CHECK_HOST_H */
