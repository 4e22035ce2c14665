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
#ifndef LIB_CHECK_LIST_H
#define LIB_CHECK_LIST_H

#include <stdbool.h>
#include <stdint.h>

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

/* Rules of real devices that this one has not. Not in "all". */
#define CHECK_PORTABLE (1U << 9)

#define CHECK_HOLD 256
#define CHECK_HOLD_MAX 65536

struct check_list {
	uint32_t checks; /* CHECK_* */
	uint32_t hold;	 /* freed blocks that a thread holds back */
	uint64_t fill;	 /* bytes at each end of a block that poison fills */
	int exit_code;
	bool abort_first;
	bool count_advice;
	char log[256]; /* "": standard error */
};

/* False: the list is bad, and @out is what it was. */
bool check_list_parse(const char *text, struct check_list *out);

#endif /* LIB_CHECK_LIST_H */
