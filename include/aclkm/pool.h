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
#define ACLKM_POOL_SHARED (1U << 2)  /* memory of its own, for aclkm_pool_export */

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
	uint64_t pending; /* part of @used: freed, but its stream is not there yet */
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
 *         one needs its whole m too; rounded up to a multiple of 128, of the page
 *         size with ACLKM_POOL_SHARED
 * @pages: which pages
 * @flags: 0, ACLKM_POOL_HOST, ACLKM_POOL_THREADS, ACLKM_POOL_SHARED
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
 * ACLKM_POOL_THREADS, ACLKM_POOL_THREADS or ACLKM_POOL_SHARED in a pool with a parent,
 * a kind that is not the parent's; and ACLKM_ERR_LIMIT (52 pools with ACLKM_POOL_THREADS
 * live).
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
 * With ACLKM_POOL_THREADS: what threads keep goes back, and slabs that are empty
 * become free pieces. ACLKM_ERR_INVALID (NULL). What other threads keep stays with them
 * where the kernel has no membarrier(2); see aclkm_memory_trim.
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

/**
 * aclkm_segment_alloc_async - take a segment in the order of a stream
 * @stream: an aclrtStream of the thread's context; NULL: the context's default one
 * @out:    out; tasks that are submitted to @stream from now on may use it, the host
 *          and other streams when they have synchronised with it
 *
 * What was freed in the same stream comes first, though the stream may not have come
 * to the free yet; else as aclkm_segment_alloc. Does not wait: ACLKM_ERR_NOMEM as well
 * where other streams have yet to come to their frees. Besides, ACLKM_ERR_HANDLE (no
 * such stream) and ACLKM_ERR_CONTEXT (none, or the stream is of another).
 */
ACLKM_API int aclkm_segment_alloc_async(struct aclkm_pool *pool, size_t len, void *stream,
					void **out);

/**
 * aclkm_segment_free_async - free a segment when a stream comes there
 * @ptr: from aclkm_segment_alloc or aclkm_segment_alloc_async; tasks submitted to
 *       @stream before may still use it
 *
 * From the call on the segment counts as freed: freeing it again is
 * ACLKM_ERR_NOTALIVE. It stays part of what is used, and aclkm_pool_destroy says
 * ACLKM_ERR_BUSY, until the stream was there. ACLKM_POOL_FORCE and aclkm_pool_reset do
 * not wait for streams. Errors of aclkm_segment_free and of aclkm_segment_alloc_async,
 * and what submitting a task can give (ACLKM_ERR_NOHEAP, ACLKM_ERR_NOTHREAD); then the
 * segment lives on.
 */
ACLKM_API int aclkm_segment_free_async(struct aclkm_pool *pool, void *ptr, void *stream);

/**
 * aclkm_segment_place - the name of a segment in a pool that processes share
 * @ptr:    the start of a living segment
 * @offset: out: bytes from the pool's first one; the same in each process
 * @len:    out: bytes that were asked for; may be NULL
 *
 * ACLKM_ERR_INVALID (NULL), ACLKM_ERR_FOREIGN, ACLKM_ERR_INTERIOR, ACLKM_ERR_NOTALIVE,
 * ACLKM_ERR_KIND (a pool in the pool).
 */
ACLKM_API int aclkm_segment_place(struct aclkm_pool *pool, const void *ptr,
				  uint64_t *offset, uint64_t *len);

/* Flags of aclkm_pool_export. */
#define ACLKM_POOL_READ_ONLY (1U << 0) /* mappings of the file cannot be written */

/**
 * aclkm_pool_export - a file with the pool's memory
 * @flags: 0 or ACLKM_POOL_READ_ONLY
 * @fd:    out: close-on-exec; the caller closes it. It goes to another process by
 *         SCM_RIGHTS, or by exec when its close-on-exec flag is cleared.
 *
 * The pool's first byte is the file's, and nothing of other blocks is in it: a segment
 * has the same place in each process (aclkm_segment_place). A dma-buf with the driver,
 * a memfd without. The file keeps the memory alive when the pool is destroyed. Only
 * the process that made the pool takes and gives segments.
 *
 * With a memfd READ_ONLY keeps from mistakes only: a process of the same user can open
 * the file anew for writing.
 *
 * ACLKM_ERR_INVALID (NULL, flags), ACLKM_ERR_UNSUPPORTED (made without
 * ACLKM_POOL_SHARED), ACLKM_ERR_LIMIT (open files), ACLKM_ERR_IO.
 */
ACLKM_API int aclkm_pool_export(struct aclkm_pool *pool, unsigned int flags, int *fd);

/**
 * aclkm_pool_import - map the memory of another process's pool
 * @fd:   from aclkm_pool_export; stays the caller's
 * @base: out: the pool's first byte; readable, and writable where the file is. Device
 *        memory for copies. End it with aclkm_pool_release.
 * @size: out: bytes, at least the pool's
 *
 * Both processes use the same backend. ACLKM_ERR_INVALID (NULL, no file of a pool),
 * ACLKM_ERR_NOMEM, ACLKM_ERR_NOHEAP, ACLKM_ERR_LIMIT, ACLKM_ERR_IO.
 */
ACLKM_API int aclkm_pool_import(int fd, void **base, uint64_t *size);

/**
 * aclkm_pool_release - unmap what aclkm_pool_import gave
 *
 * Nothing may use it any more. ACLKM_ERR_INVALID (NULL), ACLKM_ERR_FOREIGN (not from
 * there, or released before).
 */
ACLKM_API int aclkm_pool_release(void *base);

/* aclkm_pool_stats - how full it is. ACLKM_ERR_INVALID (NULL). */
ACLKM_API int aclkm_pool_stats(struct aclkm_pool *pool, struct aclkm_pool_stats *out);

/* aclkm_pool_base - first byte of the pool, a multiple of 512; NULL for NULL. */
ACLKM_API void *aclkm_pool_base(const struct aclkm_pool *pool);

#ifdef __cplusplus
}
#endif

#endif /* ACLKM_POOL_H */
