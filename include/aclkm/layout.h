/* SPDX-License-Identifier: MIT */
/*
 * Whether a layout that was made by hand obeys the segment rule of "Secondary
 * Memory Allocation" (AscendCL application development guide), and where not.
 * A pure function; any thread. All sizes are bytes.
 */
#ifndef ACLKM_LAYOUT_H
#define ACLKM_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One segment as the program uses it: @len bytes at @offset in the block. */
struct aclkm_layout_segment {
	uint64_t offset;
	uint64_t len;
};

enum aclkm_layout_fault {
	ACLKM_LAYOUT_GOOD = 0,
	ACLKM_LAYOUT_EMPTY = 1,	  /* len is 0 */
	ACLKM_LAYOUT_START = 2,	  /* the address is no multiple of the alignment */
	ACLKM_LAYOUT_OVERLAP = 3, /* the len bytes are shared with another segment */
	ACLKM_LAYOUT_PADDING =
		4,	      /* the next one starts before ALIGN_UP[len,32] + padding */
	ACLKM_LAYOUT_END = 5, /* len bytes leave the block */
	ACLKM_LAYOUT_END_TAIL = 6, /* they fit, but not with rounding and padding */
};

/* What aclkm_layout_check found first, in the order of the offsets. */
struct aclkm_layout_report {
	enum aclkm_layout_fault fault;
	size_t segment;	    /* which one, as numbered by the caller */
	size_t other;	    /* the one behind it, of OVERLAP and PADDING */
	uint64_t is;	    /* the address, offset or length that breaks the rule */
	uint64_t should_be; /* what it must be at least; of START: the next multiple */
	uint64_t needed;    /* bytes that a block of these segments needs by the rule */
	char text[160];	    /* the same in words; "" when good */
};

/**
 * aclkm_layout_check - check the segments of one block
 * @base:     address of the block
 * @size:     bytes of the block
 * @segments: in any order
 * @align:    64, or 128 for media: what each start must be a multiple of
 * @padding:  32; 0 or 16 on the products whose configuration says so
 * @out:      out
 *
 * 0 where all is good, ACLKM_ERR_INVALID with @out filled where a segment breaks a
 * rule, and with @out untouched for a bad argument (NULL, n 0, align no power of
 * two from 64, padding). ACLKM_ERR_OVERFLOW (a segment leaves 64 bits),
 * ACLKM_ERR_NOHEAP.
 */
ACLKM_API int aclkm_layout_check(const void *base, uint64_t size,
				 const struct aclkm_layout_segment *segments, size_t n,
				 uint64_t align, uint32_t padding,
				 struct aclkm_layout_report *out);

#ifdef __cplusplus
}
#endif

#endif /* ACLKM_LAYOUT_H */
