// SPDX-License-Identifier: MIT
/* Segments of pools: taken, given, found and counted. */
#include <stdlib.h>

#include "debug/debug.h"
#include "base/base.h"
#include "pool/segment.h"
#include "alloc/alloc.h"

int blocks_init(struct blocks *blocks, uint64_t size, uint64_t stride)
{
	uint64_t count = size / stride;

	blocks->stride = stride;
	blocks->count = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
	blocks->next = calloc((size_t)blocks->count + 1, sizeof(*blocks->next));
	blocks->asked = calloc((size_t)blocks->count + 1, sizeof(*blocks->asked));
	if (!blocks->next || !blocks->asked)
		return ACLKM_ERR_NOHEAP;
	blocks_reset(blocks);
	return ACLKM_OK;
}

void blocks_reset(struct blocks *blocks)
{
	uint32_t i;

	for (i = 0; i < blocks->count; i++) {
		blocks->next[i] = blocks->count - 1 - i;
		blocks->asked[i] = 0;
	}
	blocks->free = blocks->count;
}

void blocks_destroy(struct blocks *blocks)
{
	free(blocks->next);
	free(blocks->asked);
	blocks->next = NULL;
	blocks->asked = NULL;
}

uint64_t pool_used(const struct aclkm_pool *pool)
{
	const struct blocks *blocks = &pool->blocks;

	if (blocks->stride)
		return (uint64_t)(blocks->count - blocks->free) * blocks->stride;
	if (pool->heap)
		return pool->extents->used - pool->heap->slab_bytes +
		       pool->heap->slab_out;
	return pool->extents->used;
}

uint64_t pool_count(const struct aclkm_pool *pool)
{
	const struct blocks *blocks = &pool->blocks;

	if (blocks->stride)
		return blocks->count - blocks->free;
	if (pool->heap)
		return pool->extents->count - pool->heap->slab_count +
		       pool->heap->slab_blocks;
	return pool->extents->count;
}

static uint64_t largest(const struct aclkm_pool *pool)
{
	if (pool->blocks.stride)
		return pool->blocks.free ? pool->blocks.stride : 0;
	return extents_largest(pool->extents);
}

static int segment_no_room(const struct aclkm_pool *pool, size_t len, uint64_t stride)
{
	unsigned long long used = pool_used(pool);

	if (pool->limit && used + stride > pool->limit)
		return error_set(ACLKM_ERR_NOMEM,
				 "len = %zu takes %llu bytes: %llu are used, the pool's "
				 "limit is %llu, %llu wait for streams",
				 len, (unsigned long long)stride, used,
				 (unsigned long long)pool->limit,
				 (unsigned long long)pool->pending_bytes);
	return error_set(ACLKM_ERR_NOMEM,
			 "len = %zu takes %llu bytes of the pool: %llu are free, the "
			 "largest piece is %llu, %llu wait for streams",
			 len, (unsigned long long)stride, pool->size - used,
			 (unsigned long long)largest(pool),
			 (unsigned long long)pool->pending_bytes);
}

static int take_block(struct aclkm_pool *pool, size_t len, void **out)
{
	struct blocks *blocks = &pool->blocks;
	uint32_t number;

	if (!blocks->free)
		return segment_no_room(pool, len, blocks->stride);
	number = blocks->next[--blocks->free];
	blocks->asked[number] = len;
	*out = (char *)pool->base + number * blocks->stride;
	return ACLKM_OK;
}

static int take_piece(struct aclkm_pool *pool, size_t len, uint64_t stride, void **out)
{
	struct extent *piece;
	int err = extents_alloc(pool->extents, stride, pool->align, &piece);

	if (err == ACLKM_ERR_NOMEM)
		return segment_no_room(pool, len, stride);
	if (err)
		return error_no_records();
	piece->asked = len;
	aclkm_segment_size(len, pool->padding, &piece->ruled);
	*out = (void *)(uintptr_t)piece->addr;
	return ACLKM_OK;
}

static int alloc_locked(struct aclkm_pool *pool, size_t len, uint64_t stride, void **out)
{
	uint64_t takes = pool->blocks.stride ? pool->blocks.stride : stride;
	uint64_t used = pool_used(pool), now;
	int err;

	if (pool->limit && (used > pool->limit || takes > pool->limit - used))
		return segment_no_room(pool, len, takes);
	err = pool->blocks.stride ? take_block(pool, len, out)
				  : take_piece(pool, len, stride, out);
	if (!err)
		guard_pool_alloc(pool, *out, len);
	now = pool_used(pool);
	if (!err && now > pool->high_water)
		pool->high_water = now;
	return err;
}

/* A small segment from a slab of the pool. NOMEM: a piece is to be tried. */
static int take_small(struct aclkm_pool *pool, size_t len, uint64_t stride, void **out)
{
	const struct rounding *rounding = &pool->rounding;
	struct heap *heap = pool->heap;
	struct bins *bins;

	if (len - 1 >= rounding->limit || !heap->chunk_bytes)
		return ACLKM_ERR_NOMEM;
	bins = tcache_need(heap);
	if (!bins)
		return ACLKM_ERR_NOMEM;
	return tcache_refill(heap, bins, class_of_units[stride >> CLASS_UNIT_SHIFT],
			     rounding->tag | (uint32_t)len, out);
}

bool segment_drop_kept(struct aclkm_pool *pool, bool of_others)
{
	bool any;

	pthread_mutex_lock(pool->lock);
	any = of_others && reclaim_rows(pool->heap);
	slab_drop_empty(pool->heap);
	pthread_mutex_unlock(pool->lock);
	return any;
}

static int take_once(struct aclkm_pool *pool, size_t len, uint64_t stride, void **out)
{
	int err;

	if (pool->heap && !take_small(pool, len, stride, out))
		return ACLKM_OK;
	pthread_mutex_lock(pool->lock);
	err = alloc_locked(pool, len, stride, out);
	pthread_mutex_unlock(pool->lock);
	return err;
}

int segment_take(struct aclkm_pool *pool, size_t len, uint64_t stride, void **out)
{
	int err = take_once(pool, len, stride, out), tries = 0;
	bool any = true;

	if (err != ACLKM_ERR_NOMEM || !pool->heap)
		return err;
	/* What this thread keeps may be in the way. */
	tcache_flush();
	segment_drop_kept(pool, false);
	err = take_once(pool, len, stride, out);
	/* And what others keep, or have just given back. */
	for (; err == ACLKM_ERR_NOMEM && any && tries < RECLAIM_TRIES; tries++) {
		any = segment_drop_kept(pool, true);
		err = take_once(pool, len, stride, out);
	}
	return err;
}

/* This thread's rows for the pool as it is now, or NULL. */
static inline struct bins *bins_now(const struct aclkm_pool *pool)
{
	const struct heap *heap = pool->heap;
	struct bins *bins;

	if (!heap)
		return NULL;
	bins = atomic_load_explicit(&tcache_mine->pools[heap->id - BUILTIN_HEAPS],
				    memory_order_relaxed);
	if (!bins ||
	    atomic_load_explicit(&bins->generation, memory_order_relaxed) !=
		    atomic_load_explicit(&heap->generation, memory_order_relaxed))
		return NULL;
	return bins;
}

int segment_check(const struct aclkm_pool *pool, size_t len, void *const *out,
		  uint64_t *stride)
{
	int err;

	if (!pool || !out)
		return error_set(ACLKM_ERR_INVALID, "%s is NULL", pool ? "out" : "pool");
	if (!len)
		return error_set(ACLKM_ERR_INVALID, "len = 0: must be 1 or more");
	err = aclkm_segment_stride(len, pool->padding, pool->align, stride);
	if (err)
		return error_set(err, "len = %zu leaves 64 bits by ALIGN_UP[len,32] + %u",
				 len, pool->padding);
	if (pool->blocks.stride && len > pool->segment_limit)
		return error_set(ACLKM_ERR_INVALID,
				 "len = %zu: the pool's blocks have %llu bytes", len,
				 (unsigned long long)pool->segment_limit);
	return ACLKM_OK;
}

int aclkm_segment_alloc(struct aclkm_pool *pool, size_t len, void **out)
{
	struct bins *bins = pool && out ? bins_now(pool) : NULL;
	uint64_t stride;
	int err;

	if (bins && tcache_alloc(bins, &pool->rounding, len, out))
		return ACLKM_OK;
	err = api_enter(__func__);
	if (!err)
		err = segment_check(pool, len, out, &stride);
	return err ? err : segment_take(pool, len, stride, out);
}

/* The block around @addr. FOREIGN, NOTALIVE, INTERIOR as extents_find. */
static int find_block(const struct aclkm_pool *pool, uint64_t addr, uint32_t *number)
{
	const struct blocks *blocks = &pool->blocks;
	uint64_t in = addr - (uint64_t)(uintptr_t)pool->base;

	if (in >= pool->size)
		return ACLKM_ERR_FOREIGN;
	if (in / blocks->stride >= blocks->count)
		return ACLKM_ERR_NOTALIVE;
	*number = (uint32_t)(in / blocks->stride);
	if (!blocks->asked[*number] || blocks->asked[*number] & BLOCK_PENDING)
		return ACLKM_ERR_NOTALIVE;
	return in % blocks->stride ? ACLKM_ERR_INTERIOR : ACLKM_OK;
}

static int find_piece(const struct aclkm_pool *pool, uint64_t addr, struct extent **out)
{
	int err = extents_find(pool->extents, addr, out);

	if (*out && (*out)->kind == SEGMENT_PENDING)
		return ACLKM_ERR_NOTALIVE;
	if (!err && (*out)->owner)
		return ACLKM_ERR_KIND;
	return err;
}

static int free_locked(struct aclkm_pool *pool, uint64_t addr)
{
	struct extent *piece;
	uint32_t number;
	int err;

	if (pool->blocks.stride) {
		err = find_block(pool, addr, &number);
		if (!err) {
			guard_pool_free(pool, (void *)(uintptr_t)addr,
					pool->blocks.stride);
			pool->blocks.asked[number] = 0;
			pool->blocks.next[pool->blocks.free++] = number;
		}
		return err;
	}
	err = find_piece(pool, addr, &piece);
	if (!err) {
		guard_pool_free(pool, (void *)(uintptr_t)addr, piece->size);
		extents_free(pool->extents, piece);
	}
	return err;
}

static int segment_refusal(const struct slab *slab, uint64_t addr)
{
	uint64_t offset, index = slab_index(slab, addr, &offset);

	if (index >= slab_read(slab->slots) || !word_lives(slab_read(slab->words[index])))
		return ACLKM_ERR_NOTALIVE;
	return offset ? ACLKM_ERR_INTERIOR : ACLKM_OK;
}

static int segment_free_small(struct aclkm_pool *pool, struct slab *slab, void *ptr)
{
	uint64_t addr = (uint64_t)(uintptr_t)ptr, index;
	struct bins *bins;
	int err;

	if (slab_read(slab->heap) != pool->heap->id)
		return ACLKM_ERR_FOREIGN;
	err = segment_refusal(slab, addr);
	if (err)
		return err;
	slab_holds(slab, addr, &index);
	bins = tcache_need(pool->heap);
	if (!bins) {
		pthread_mutex_lock(pool->lock);
		slab_push(pool->heap, slab, (uint32_t)index);
		pthread_mutex_unlock(pool->lock);
		return ACLKM_OK;
	}
	tcache_put(pool->heap, bins, slab, ptr, &slab->words[index]);
	return ACLKM_OK;
}

static int segment_free_slowly(struct aclkm_pool *pool, void *ptr)
{
	uint64_t addr = (uint64_t)(uintptr_t)ptr;
	uintptr_t entry = pool->heap ? table_get(addr) : 0;
	int err;

	if (entry && !(entry & TABLE_CHUNK)) {
		err = segment_free_small(pool, (struct slab *)entry, ptr);
	} else {
		pthread_mutex_lock(pool->lock);
		err = free_locked(pool, addr);
		pthread_mutex_unlock(pool->lock);
	}
	return err ? segment_explain(pool, ptr, err) : ACLKM_OK;
}

int segment_explain(const struct aclkm_pool *pool, const void *ptr, int err)
{
	if (err == ACLKM_ERR_KIND)
		return error_set(err,
				 "address %p is a pool: aclkm_pool_destroy gives it back",
				 ptr);
	return error_set(err, "address %p, pool at %p: %s", ptr, pool->base,
			 aclkm_strerror(err));
}

/* The segment of a slab, or NOTALIVE where @addr is in none. */
static int find_in_slab(const struct aclkm_pool *pool, uint64_t addr, struct slab *slab,
			struct segment *out)
{
	uint64_t index;
	int err;

	if (slab_read(slab->heap) != pool->heap->id)
		return ACLKM_ERR_FOREIGN;
	err = segment_refusal(slab, addr);
	if (err)
		return err;
	slab_holds(slab, addr, &index);
	*out = (struct segment){.addr = addr,
				.takes = slab_read(slab->size),
				.asked = slab_read(slab->words[index]) & WORD_VALUE,
				.slab = slab,
				.number = (uint32_t)index};
	return ACLKM_OK;
}

int segment_find(const struct aclkm_pool *pool, const void *ptr, struct segment *out)
{
	uint64_t addr = (uint64_t)(uintptr_t)ptr;
	uintptr_t entry = pool->heap ? table_get(addr) : 0;
	struct extent *piece;
	uint32_t number;
	int err;

	if (entry && !(entry & TABLE_CHUNK))
		return find_in_slab(pool, addr, (struct slab *)entry, out);
	if (pool->blocks.stride) {
		err = find_block(pool, addr, &number);
		if (!err)
			*out = (struct segment){.addr = addr,
						.takes = pool->blocks.stride,
						.asked = pool->blocks.asked[number],
						.number = number};
		return err;
	}
	err = find_piece(pool, addr, &piece);
	if (!err)
		*out = (struct segment){.addr = addr,
					.takes = piece->size,
					.asked = piece->asked,
					.piece = piece};
	return err;
}

int aclkm_segment_place(struct aclkm_pool *pool, const void *ptr, uint64_t *offset,
			uint64_t *len)
{
	struct segment segment;
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!pool || !ptr || !offset)
		return error_set(ACLKM_ERR_INVALID, "%s is NULL",
				 !pool ? "pool"
				 : ptr ? "offset"
				       : "ptr");
	pthread_mutex_lock(pool->lock);
	err = segment_find(pool, ptr, &segment);
	pthread_mutex_unlock(pool->lock);
	if (err)
		return segment_explain(pool, ptr, err);
	*offset = segment.addr - (uint64_t)(uintptr_t)pool->base;
	if (len)
		*len = segment.asked;
	return ACLKM_OK;
}

static void segment_goes(struct aclkm_pool *pool, const void *ptr)
{
	struct segment segment;
	int err;

	pthread_mutex_lock(pool->lock);
	err = segment_find(pool, ptr, &segment);
	pthread_mutex_unlock(pool->lock);
	if (!err)
		check_in_flight(segment.addr, segment.asked, "freed", NULL, NULL);
}

int aclkm_segment_free(struct aclkm_pool *pool, void *ptr)
{
	struct slab *slab = slab_read(*near_slot(tcache_mine, (uint64_t)(uintptr_t)ptr));
	struct bins *bins = pool ? bins_now(pool) : NULL;
	int err;

	if (bins && !check_watches_tasks() && slab_read(slab->heap) == pool->heap->id &&
	    tcache_free(slab, bins, ptr, ACLKM_KIND_POOL))
		return ACLKM_OK;
	err = api_enter(__func__);
	if (err)
		return err;
	if (!pool || !ptr)
		return error_set(ACLKM_ERR_INVALID, "%s is NULL", pool ? "ptr" : "pool");
	if (check_watches_tasks())
		segment_goes(pool, ptr);
	return segment_free_slowly(pool, ptr);
}

int aclkm_pool_stats(struct aclkm_pool *pool, struct aclkm_pool_stats *out)
{
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!pool || !out)
		return error_set(ACLKM_ERR_INVALID, "%s is NULL", pool ? "out" : "pool");

	pthread_mutex_lock(pool->lock);
	*out = (struct aclkm_pool_stats){
		.size = pool->size,
		.used = pool_used(pool),
		.largest = largest(pool),
		.segments = pool_count(pool),
		.high_water = pool->high_water,
		.limit = pool->limit,
		.pending = pool->pending_bytes,
	};
	pthread_mutex_unlock(pool->lock);
	if (out->used > out->high_water)
		out->high_water = out->used;
	out->free = out->size - out->used;
	if (out->free && !pool->blocks.stride)
		out->fragmentation = 1000 - (uint64_t)((unsigned __int128)out->largest *
						       1000 / out->free);
	return ACLKM_OK;
}

static int narrow_to_block(struct aclkm_pool *pool, uint64_t addr,
			   struct heap_block *block)
{
	uint32_t number;
	int err = find_block(pool, addr, &number);

	if (err && err != ACLKM_ERR_INTERIOR)
		return err;
	addr = (uint64_t)(uintptr_t)pool->base + number * pool->blocks.stride;
	if (block->phys_valid)
		block->phys += addr - block->base;
	block->base = addr;
	block->asked = pool->blocks.asked[number];
	aclkm_segment_size(block->asked, pool->padding, &block->ruled);
	return ACLKM_OK;
}

int pool_narrow(struct aclkm_pool *pool, uint64_t addr, struct heap_block *block)
{
	struct extent *piece;
	int err;

	pthread_mutex_lock(pool->lock);
	if (pool->blocks.stride) {
		err = narrow_to_block(pool, addr, block);
		pthread_mutex_unlock(pool->lock);
		return err;
	}
	err = extents_find(pool->extents, addr, &piece);
	if (err == ACLKM_ERR_INTERIOR)
		err = ACLKM_OK;
	if (!err && piece->kind == SEGMENT_PENDING)
		err = ACLKM_ERR_NOTALIVE;
	if (!err) {
		if (block->phys_valid)
			block->phys += piece->addr - block->base;
		block->base = piece->addr;
		block->asked = piece->asked;
		block->ruled = piece->ruled;
	}
	/* A pool in the pool; it cannot go while its parent is locked. */
	if (!err && piece->owner)
		err = pool_narrow(piece->owner, addr, block);
	pthread_mutex_unlock(pool->lock);
	return err;
}
