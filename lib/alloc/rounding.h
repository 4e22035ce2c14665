/* SPDX-License-Identifier: MIT */
/*
 * From the length that is asked for to the row of blocks that are long enough under a
 * rule, for small ones: by a table, so that the fast path reads once and adds once.
 */
#ifndef LIB_ROUNDING_H
#define LIB_ROUNDING_H

#include <stdatomic.h>
#include <stdint.h>

#include <aclkm/aclkm.h>

#include "alloc/classes.h"

/* All lengths of a step round up to the same. */
#define ROUNDING_STEP 32

struct rounding {
	_Atomic uint64_t limit; /* it has a length if that less 1 is below; 0: none */
	uint32_t tag;		/* of the blocks' words; see word_tag */
	uint32_t rows[EXACT_MAX / ROUNDING_STEP]; /* where in struct bins */
};

/*
 * Of a rule that adds @padding and rounds to @align, with @shift bytes, a multiple of the
 * step, before each block. Pure.
 */
struct rounding rounding_of(enum aclkm_kind kind, uint32_t padding, uint64_t align,
			    uint64_t shift);

#endif /* LIB_ROUNDING_H */
