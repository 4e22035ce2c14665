/* SPDX-License-Identifier: MIT */
#ifndef LIB_POOL_H
#define LIB_POOL_H

#include <pthread.h>

#include "aclkm/pool.h"
#include "chunk.h"
#include "heap.h"
#include "tcache.h"

/* Segments of one length: a stack of free numbers, and what each was asked for. */
struct blocks {
	uint64_t stride; /* 0: the pool has none */
	uint32_t count;
	uint32_t free;	 /* how many are in the stack */
	uint32_t *next;	 /* the stack */
	uint64_t *asked; /* 0: free */
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
	unsigned int children;	   /* pools in it; under the lock */
	struct aclkm_pool *parent; /* NULL: a block of the heap */
	pthread_mutex_t own_lock;
	struct extents own_extents;
};

/* Makes @block, the whole of @pool, the segment around @addr. NOTALIVE. */
int pool_narrow(struct aclkm_pool *pool, uint64_t addr, struct heap_block *block);

/* The heap of a pool whose segments threads keep; NULL: there is none. */
struct heap *pool_heap_of_id(unsigned int id);

/* Bytes and number of what is used; the pool's lock is held. */
uint64_t pool_used(const struct aclkm_pool *pool);
uint64_t pool_count(const struct aclkm_pool *pool);

/* Segments of one length. ACLKM_ERR_NOHEAP. */
int blocks_init(struct blocks *blocks, uint64_t size, uint64_t stride);
void blocks_destroy(struct blocks *blocks);
void blocks_reset(struct blocks *blocks);

#endif /* LIB_POOL_H */
