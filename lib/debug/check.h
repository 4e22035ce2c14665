/* SPDX-License-Identifier: MIT */
/*
 * The checks of ACLKM_CHECK (base/check_list.h) on blocks and copies: reports of what is
 * wrong. One lock guards the records of large blocks; small ones have marks of their own
 * (check_small.h). Calls come from above; the heap knows nothing of checks.
 */
#ifndef LIB_CHECK_H
#define LIB_CHECK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "alloc/alloc.h"
#include "base/base.h"
#include "debug/check_host.h"
#include "debug/check_small.h"

/* heap_alloc and heap_free with all checks that are about blocks. */
int check_take(const struct heap_request *request, void **out);
int check_give(void *ptr, enum aclkm_kind kind);

/* The program has touched @at; true: it is a hidden block, open from now on. */
bool check_touched(uint64_t at, bool by_library);

/* Counts who works on the block around @at; NULL is fine. */
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

/* A copy or set is about to be made: @src NULL for a set. */
void check_copy(const void *dst, const void *src, uint64_t count);

/* For the check "portable": what is known of a copy's addresses. */
struct copy_kind {
	const void *dst, *src;
	int kind;
	bool stated; /* the kind says otherwise */
	bool from_device, to_device;
	bool no_peer; /* between two devices without access */
	uint32_t src_device, dst_device;
};

void check_kind(const struct copy_kind *copy);

/* An asynchronous one: what its addresses and memory are. */
void check_async(const void *dst, const void *src, bool unaligned, bool at_once);

#endif /* LIB_CHECK_H */
