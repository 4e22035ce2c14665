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

#include "base/base.h"

/* Whether device memory is hidden. Set with the options. */
extern HIDDEN _Atomic bool check_host;

static inline bool check_hides(void)
{
	return __builtin_expect(atomic_load_explicit(&check_host, memory_order_relaxed),
				0);
}

/*
 * @touched is called of an access of the program to an address: true where it is a hidden
 * block, which is open from now on.
 */
void check_host_start(bool (*touched)(uint64_t at, bool by_library));

void check_hide(uint64_t base, uint64_t size);
void check_show(uint64_t base, uint64_t size);

#endif /* LIB_CHECK_HOST_H */
