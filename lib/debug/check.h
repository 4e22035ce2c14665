/* SPDX-License-Identifier: MIT */
/*
 * Checks on demand: ACLKM_CHECK= a list of names with commas between, or "all".
 *
 *	redzone  bytes behind a block that were written, looked at when it is freed
 *	poison   the ends of blocks filled with 0xab when taken and 0xdd when freed; freed
 *	         ones are held back for a while, and bytes written meanwhile reported
 *	free     wrong frees: twice, inside, of foreign memory, by the wrong function
 *	align    asynchronous copies that are not aligned to 64
 *	bounds   copies and sets past the end of a block
 *	flight   memory freed or unmapped before a task that uses it has begun; tasks that
 *	         are about to fault
 *	leak     blocks that live when the program ends
 *	sync     asynchronous copies that were done at once: pageable host memory
 *	align64  blocks of less than a page start on multiples of 64 that are none of 128,
 *	         to bring out code that assumes more
 *	portable what real devices refuse; not in "all"
 *
 *	fill=N      bytes at each end that poison fills, a multiple of 64; fill=all: all
 *	hold=N      freed small blocks that each thread holds back, at most, and 16 KiB
 *	            times as many bytes of them: 1 to 65536 (256, of 4 MiB)
 *	exitcode=N  how the program ends when something was found (66)
 *	abort=1     at the first finding
 *	advice=1    advice (align, sync) is a finding, too
 *	log=FILE    where reports go (standard error)
 *
 * A report says what, where, in whose block, taken and freed by whom, and what to do.
 * No check changes what a call returns.
 */
#ifndef LIB_CHECK_H
#define LIB_CHECK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "alloc/heap.h"

/* Bytes at each end of a block that poison fills and looks at, unless told otherwise. */
#define CHECK_FILL 64

#define CHECK_REDZONE (1U << 0)
#define CHECK_POISON (1U << 1)
#define CHECK_FREE (1U << 2)
#define CHECK_ALIGN (1U << 3)
#define CHECK_BOUNDS (1U << 4)
#define CHECK_FLIGHT (1U << 5)
#define CHECK_LEAK (1U << 6)
#define CHECK_SYNC (1U << 7)
#define CHECK_ALIGN64 (1U << 8)
#define CHECK_ALL ((1U << 9) - 1)

/* What the environment asks for: 0 nothing. Read once. */
uint32_t check_wanted(void);

#define CHECK_HOLD 256
#define CHECK_HOLD_MAX 65536

/* Reads a list; false: it is bad. For config.c. */
bool check_parse(const char *list, uint32_t *checks, uint64_t *fill, uint32_t *hold);

/* Rules of real devices that this one has not. Not in "all". */
#define CHECK_PORTABLE (1U << 9)

/* There are checks: the end of the process is looked at. */
void check_start(void);

static inline bool check_is(uint32_t check)
{
	return check_wanted() & check;
}

/* heap_alloc and heap_free with all checks that are about blocks. */
int check_take(const struct heap_request *request, void **out);
int check_give(void *ptr, enum aclkm_kind kind);

/* Around the long way: where the call is, so that it need not be found out. */
void check_enter(const char *call, const void *pc, const void *frame);
void check_leave(void);

/* From now on this thread may, as tcache_arm has it. */
void check_arm(uint64_t epoch, uint32_t device);

/*
 * Around an asynchronous copy that is under way, and the life of a block with a tag: the
 * frees of all threads go the long way meanwhile. Not where nothing is checked.
 */
void check_odd_begin(void);
void check_odd_end(void);

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
