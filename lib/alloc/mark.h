/* SPDX-License-Identifier: MIT */
/*
 * What the checks know of each block of a slab: a mark for each word, found from the
 * word's address alone. With checks the records of slabs come from one reserved range,
 * and their marks lie in another; without, there are none.
 */
#ifndef LIB_MARK_H
#define LIB_MARK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

/* Of given: nothing is known of the block; it lives. */
#define MARK_NONE 0U
#define MARK_LIVES UINT32_MAX

struct mark {
	_Atomic uint32_t taken; /* where: numbers of stacks.h */
	_Atomic uint32_t given; /* where, or one of these */
	_Atomic uint32_t word;	/* the block's, before it was freed */
	_Atomic uint32_t shift; /* bytes of the slot before the program's */
};

/* Where the mark of a word at address 0 would be; set with the first record. */
extern HIDDEN uintptr_t check_marks;

#define MARK_FACTOR (sizeof(struct mark) / sizeof(uint32_t))

/* Only where there are checks. */
static inline struct mark *mark_of(const _Atomic uint32_t *word)
{
	return (struct mark *)(check_marks + MARK_FACTOR * (uintptr_t)word);
}

static inline bool mark_lives(uint32_t given)
{
	return given == MARK_LIVES;
}

#endif /* LIB_MARK_H */
