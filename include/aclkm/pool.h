/* SPDX-License-Identifier: MIT */
/*
 * Pools: one block that is taken once and divided many times ("Secondary
 * Memory Allocation", AscendCL application development guide).
 *
 * A segment for @len bytes takes m = ALIGN_UP[len,32] + 32 and starts on a
 * multiple of 64, of 128 in a media pool. Nothing of the bookkeeping lies in
 * the pool's memory. The 32 is ACLKM_PADDING (strict: always 32).
 *
 * Any thread, several at a time in one pool; only aclkm_pool_destroy must be
 * the last call that uses the pool. All sizes are bytes. Every function can
 * also return ACLKM_ERR_FORKED.
 */
#ifndef ACLKM_POOL_H
#define ACLKM_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "memory.h"

#ifdef __cplusplus
extern "C" {
#endif

struct aclkm_pool;

enum aclkm_pool_kind {
	ACLKM_POOL_LINEAR = 0, /* segments start on multiples of 64 */
	ACLKM_POOL_MEDIA = 1,  /* segments start on multiples of 128 */
};

/* Flags of aclkm_pool_create. */
#define ACLKM_POOL_HOST (1U << 0) /* host memory: asynchronous copies see a host side */

/* Flags of aclkm_pool_destroy. */
#define ACLKM_POOL_FORCE (1U << 0) /* segments that live are taken back as well */

struct aclkm_pool_stats {
	uint64_t size;	     /* bytes of the pool */
	uint64_t used;	     /* bytes held by segments, rounding and padding included */
	uint64_t free;	     /* size - used */
	uint64_t largest;    /* largest free piece */
	uint64_t segments;   /* segments that live */
	uint64_t high_water; /* most that @used ever was */
};

/**
 * aclkm_pool_create - take a pool
 * @kind:  enum aclkm_pool_kind
 * @size:  bytes; the sum of aclkm_segment_stride() of the segments, as the last
 *         one needs its whole m too; rounded up to a multiple of 128
 * @pages: which pages
 * @flags: 0 or ACLKM_POOL_HOST
 * @pool:  out; give it back with aclkm_pool_destroy
 *
 * ACLKM_ERR_INVALID (NULL, size 0, kind, pages, flags), ACLKM_ERR_OVERFLOW,
 * ACLKM_ERR_NOMEM, ACLKM_ERR_NOHEAP, and what memory.h lists for all.
 */
ACLKM_API int aclkm_pool_create(enum aclkm_pool_kind kind, size_t size,
				enum aclkm_pages pages, unsigned int flags,
				struct aclkm_pool **pool);

/**
 * aclkm_pool_destroy - give the pool back
 * @flags: 0 or ACLKM_POOL_FORCE
 *
 * ACLKM_ERR_INVALID (NULL, flags), ACLKM_ERR_BUSY (segments live, no force).
 */
ACLKM_API int aclkm_pool_destroy(struct aclkm_pool *pool, unsigned int flags);

/**
 * aclkm_segment_alloc - take a segment
 * @len: bytes, from 1
 * @out: out; free with aclkm_segment_free of the same pool
 *
 * ACLKM_ERR_INVALID (NULL, length 0), ACLKM_ERR_OVERFLOW, ACLKM_ERR_NOMEM (no
 * free piece of the pool fits), ACLKM_ERR_NOHEAP.
 */
ACLKM_API int aclkm_segment_alloc(struct aclkm_pool *pool, size_t len, void **out);

/**
 * aclkm_segment_free - free a segment
 *
 * ACLKM_ERR_INVALID (NULL), ACLKM_ERR_FOREIGN (not in this pool),
 * ACLKM_ERR_INTERIOR, ACLKM_ERR_NOTALIVE (freed before or never given).
 */
ACLKM_API int aclkm_segment_free(struct aclkm_pool *pool, void *ptr);

/* aclkm_pool_stats - how full it is. ACLKM_ERR_INVALID (NULL). */
ACLKM_API int aclkm_pool_stats(struct aclkm_pool *pool, struct aclkm_pool_stats *out);

/* aclkm_pool_base - first byte of the pool, a multiple of 512; NULL for NULL. */
ACLKM_API void *aclkm_pool_base(const struct aclkm_pool *pool);

#ifdef __cplusplus
}
#endif

#endif /* ACLKM_POOL_H */
