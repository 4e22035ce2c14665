/* SPDX-License-Identifier: MIT */
#ifndef LIB_SEGMENT_H
#define LIB_SEGMENT_H

#include <pthread.h>

#include "aclkm/pool.h"
#include "alloc/alloc.h"
#include "base/base.h"

/* What extents say of a segment that was freed in a stream (extent.kind). */
#define SEGMENT_PENDING 1

/* Likewise, a bit of what blocks of one length were asked for. */
#define BLOCK_PENDING (1ULL << 63)

struct pending;

/* Segments of one length: a stack of free numbers, and what each was asked for. */
struct blocks {
	uint64_t stride; /* 0: the pool has none */
	uint32_t count;
	uint32_t free;	 /* how many are in the stack */
	uint32_t *next;	 /* the stack */
	uint64_t *asked; /* 0: free; with BLOCK_PENDING: freed in a stream */
};

struct aclkm_pool {
	struct rounding rounding; /* of small segments, with ACLKM_POOL_THREADS */
	struct heap *heap;	  /* with ACLKM_POOL_THREADS, else NULL */
	pthread_mutex_t *lock;	  /* own_lock or the heap's */
	struct extents *extents;  /* own_extents or the chunk's */
	struct chunk *chunk;	  /* with ACLKM_POOL_THREADS */
	struct blocks blocks;
	void *base;
	uint64_t size;
	uint64_t align;
	uint64_t limit;
	uint64_t high_water;
	uint64_t segment_limit; /* of blocks: bytes that one has room for */
	uint32_t padding;
	enum heap_class class;
	unsigned int children;	 /* pools in it; under the lock */
	struct pending *pending; /* freed in streams; under the lock of pending.c */
	uint64_t pending_bytes;	 /* of these; under the pool's lock */
	uint64_t pending_count;
	int file; /* with ACLKM_POOL_SHARED its memory, else -1 */
	struct fd_id file_id;
	struct aclkm_pool *parent; /* NULL: a block of the heap */
	pthread_mutex_t own_lock;
	struct extents own_extents;
};

/* Makes @block, the whole of @pool, the segment around @addr. NOTALIVE. */
int pool_narrow(struct aclkm_pool *pool, uint64_t addr, struct heap_block *block);

/*
 * What aclkm_segment_alloc and aclkm_segment_free check of their arguments; @stride:
 * what the segment takes. The text is noted.
 */
int segment_check(const struct aclkm_pool *pool, size_t len, void *const *out,
		  uint64_t *stride);

/* Takes a segment, when its arguments were checked. */
int segment_take(struct aclkm_pool *pool, size_t len, uint64_t stride, void **out);

/*
 * Of a pool with a heap: empty slabs become free pieces, after they got what all threads
 * but this one keep if @of_others. True: these had something.
 */
bool segment_drop_kept(struct aclkm_pool *pool, bool of_others);

/* Where the segment that starts at an address is: one of the three is there. */
struct segment {
	uint64_t addr;
	uint64_t takes; /* bytes of the pool */
	uint64_t asked;
	struct slab *slab; /* of a small one */
	struct extent *piece;
	uint32_t number; /* of the block, or in the slab */
};

/*
 * The living segment that starts at @ptr; the pool's lock is held. FOREIGN, INTERIOR,
 * NOTALIVE, KIND; no text.
 */
int segment_find(const struct aclkm_pool *pool, const void *ptr, struct segment *out);

/* Notes why @ptr is no segment that can be freed. */
int segment_explain(const struct aclkm_pool *pool, const void *ptr, int err);

/* Bytes and number of what is used; the pool's lock is held. */
uint64_t pool_used(const struct aclkm_pool *pool);
uint64_t pool_count(const struct aclkm_pool *pool);

/* Segments of one length. ACLKM_ERR_NOHEAP. */
int blocks_init(struct blocks *blocks, uint64_t size, uint64_t stride);
void blocks_destroy(struct blocks *blocks);
void blocks_reset(struct blocks *blocks);

#endif /* LIB_SEGMENT_H */
