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
 *
 * Three ways to divide: the best fit of exact strides (the default), blocks of one
 * length (options.block), and small segments from slabs by way of stacks that each
 * thread has (ACLKM_POOL_THREADS), which is the fastest and takes some of the pool
 * for what is kept.
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
	ACLKM_POOL_LINEAR = 0,	    /* device memory, segments on multiples of 64 */
	ACLKM_POOL_MEDIA = 1,	    /* media memory, segments on multiples of 128 */
	ACLKM_POOL_KIND_HOST = 2,   /* host memory, 64; as LINEAR with ACLKM_POOL_HOST */
	ACLKM_POOL_KIND_CACHED = 3, /* as aclrtMallocCached: device memory, 64 */
};

/* Flags of aclkm_pool_create. */
#define ACLKM_POOL_HOST (1U << 0) /* host memory: asynchronous copies see a host side */
#define ACLKM_POOL_THREADS (1U << 1) /* threads keep small segments that they freed */

/* Flags of aclkm_pool_destroy. */
#define ACLKM_POOL_FORCE (1U << 0) /* segments that live are taken back as well */

/* Read in O(1). With ACLKM_POOL_THREADS, what threads keep counts as used. */
struct aclkm_pool_stats {
	uint64_t size;	     /* bytes of the pool */
	uint64_t used;	     /* bytes held by segments, rounding and padding included */
	uint64_t free;	     /* size - used */
	uint64_t largest;    /* largest free piece */
	uint64_t segments;   /* segments that live */
	uint64_t high_water; /* most that @used ever was */
	uint64_t fragmentation; /* thousandths of @free that are not in @largest */
	uint64_t limit;		/* most that @used may be; 0: no limit */
};

/* How a pool is made; all that is not set is 0. */
struct aclkm_pool_options {
	enum aclkm_pool_kind kind;
	enum aclkm_pages pages;
	size_t size;
	unsigned int flags;
	/*
	 * Segments of one length, each with room for @block bytes by the rule: taken
	 * and given in O(1), no fragmentation. 0: any length.
	 */
	size_t block;
	/* Most bytes that may be used at a time, rounding and padding included. 0: all.
	 */
	uint64_t limit;
	/*
	 * The pool's memory is one segment of this pool, which cannot go before it, so
	 * that no part uses more than it was given. The kind must be the parent's
	 * memory's (LINEAR and CACHED are the same). NULL: a block of its own.
	 */
	struct aclkm_pool *parent;
};

/**
 * aclkm_pool_create - take a pool
 * @kind:  enum aclkm_pool_kind
 * @size:  bytes; the sum of aclkm_segment_stride() of the segments, as the last
 *         one needs its whole m too; rounded up to a multiple of 128
 * @pages: which pages
 * @flags: 0, ACLKM_POOL_HOST, ACLKM_POOL_THREADS
 * @pool:  out; give it back with aclkm_pool_destroy
 *
 * ACLKM_ERR_INVALID (NULL, size 0, kind, pages, flags), ACLKM_ERR_OVERFLOW,
 * ACLKM_ERR_NOMEM, ACLKM_ERR_NOHEAP, and what memory.h lists for all.
 */
ACLKM_API int aclkm_pool_create(enum aclkm_pool_kind kind, size_t size,
				enum aclkm_pages pages, unsigned int flags,
				struct aclkm_pool **pool);

/**
 * aclkm_pool_make - take a pool, with all there is to choose
 * @options: read only during the call
 *
 * As aclkm_pool_create; besides, ACLKM_ERR_INVALID for options that exclude each
 * other: block or limit with ACLKM_POOL_THREADS, a parent with blocks or with
 * ACLKM_POOL_THREADS, ACLKM_POOL_THREADS in a pool with a parent, a kind that is
 * not the parent's; and ACLKM_ERR_LIMIT (52 pools with ACLKM_POOL_THREADS live).
 */
ACLKM_API int aclkm_pool_make(const struct aclkm_pool_options *options,
			      struct aclkm_pool **pool);

/**
 * aclkm_pool_reset - free all segments at once
 *
 * Segments that other threads still use are freed under them: all users must have
 * ended. ACLKM_ERR_INVALID (NULL), ACLKM_ERR_BUSY (pools live in this one).
 */
ACLKM_API int aclkm_pool_reset(struct aclkm_pool *pool);

/**
 * aclkm_pool_trim - make one piece of what threads keep
 *
 * With ACLKM_POOL_THREADS: what this thread keeps goes back, and slabs that are
 * empty become free pieces. ACLKM_ERR_INVALID (NULL).
 */
ACLKM_API int aclkm_pool_trim(struct aclkm_pool *pool);

/**
 * aclkm_pool_set_limit - how much may be used at a time
 * @limit: bytes; 0: no limit. What is used already stays.
 *
 * ACLKM_ERR_INVALID (NULL, a pool with ACLKM_POOL_THREADS).
 */
ACLKM_API int aclkm_pool_set_limit(struct aclkm_pool *pool, uint64_t limit);

/**
 * aclkm_pool_destroy - give the pool back
 * @flags: 0 or ACLKM_POOL_FORCE
 *
 * ACLKM_ERR_INVALID (NULL, flags), ACLKM_ERR_BUSY (segments live, no force; or
 * pools live in it).
 */
ACLKM_API int aclkm_pool_destroy(struct aclkm_pool *pool, unsigned int flags);

/**
 * aclkm_segment_alloc - take a segment
 * @len: bytes, from 1
 * @out: out; free with aclkm_segment_free of the same pool
 *
 * ACLKM_ERR_INVALID (NULL, length 0, more than the pool's block), ACLKM_ERR_OVERFLOW,
 * ACLKM_ERR_NOMEM (no free piece of the pool fits, or its limit), ACLKM_ERR_NOHEAP.
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
