/* SPDX-License-Identifier: MIT */
/*
 * The arithmetic of "Secondary Memory Allocation" (AscendCL application
 * development guide): how many bytes a block or a segment takes, and where the
 * next one starts. Pure functions, any thread, no state and no environment.
 *
 * All sizes are bytes. Results go to @out; it is not written on an error.
 * Errors: ACLKM_ERR_INVALID (length 0, alignment no power of two, padding other
 * than 0, 16 and 32, NULL @out), ACLKM_ERR_OVERFLOW (leaves 64 bits).
 */
#ifndef ACLKM_RULES_H
#define ACLKM_RULES_H

#include <stdint.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACLKM_RULE_UNIT 32	   /* lengths are rounded up to this */
#define ACLKM_RULE_PADDING 32	   /* and this is added behind them, on most products */
#define ACLKM_RULE_ALIGN 64	   /* segments of ordinary memory start here */
#define ACLKM_RULE_ALIGN_MEDIA 128 /* segments of media memory start here */

/* Which rule gives the size of a whole block. */
enum aclkm_block_rule {
	ACLKM_BLOCK_PADDED = 0,	 /* aclrtMalloc, MallocCached, MallocHost, media */
	ACLKM_BLOCK_ALIGN32 = 1, /* aclrtMallocAlign32: no padding */
	ACLKM_BLOCK_HUGE1G = 2,	 /* policy HUGE1G_ONLY: no padding */
};

/* aclkm_align_up - @value rounded up to a multiple of @align; 0 stays 0. */
ACLKM_API int aclkm_align_up(uint64_t value, uint64_t align, uint64_t *out);

/**
 * aclkm_block_size - bytes that a block of @len takes
 * @len:     from 1
 * @rule:    enum aclkm_block_rule
 * @padding: 32; 0 or 16 on the products whose configuration says so
 */
ACLKM_API int aclkm_block_size(uint64_t len, enum aclkm_block_rule rule, uint32_t padding,
			       uint64_t *out);

/* aclkm_segment_size - m = ALIGN_UP[len,32] + padding, for a piece of a pool. */
ACLKM_API int aclkm_segment_size(uint64_t len, uint32_t padding, uint64_t *out);

/**
 * aclkm_segment_stride - distance to the next segment, ALIGN_UP[m,align]
 * @align: a power of two from 64: ACLKM_RULE_ALIGN, or ACLKM_RULE_ALIGN_MEDIA
 */
ACLKM_API int aclkm_segment_stride(uint64_t len, uint32_t padding, uint64_t align,
				   uint64_t *out);

#ifdef __cplusplus
}
#endif

#endif /* ACLKM_RULES_H */
