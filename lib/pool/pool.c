// SPDX-License-Identifier: MIT
/* Pools as a whole: how they are made, changed and given back. */
#include "pool/segment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/backend.h"
#include "base/base.h"
#include "alloc/alloc.h"
#include "pool/pending.h"

/* Start of the block that a pool divides: enough for every segment rule. */
#define POOL_ALIGN 512

/* Slabs are at most an eighth of this; small pools still hold some. */
#define MIN_SLAB_SOURCE (GRANULE * 8)

static enum heap_class class_of(const struct aclkm_pool_options *o)
{
	if (o->flags & ACLKM_POOL_HOST || o->kind == ACLKM_POOL_KIND_HOST)
		return HEAP_HOST;
	return o->kind == ACLKM_POOL_MEDIA ? HEAP_MEDIA : HEAP_DEVICE;
}

static int check_plain(const struct aclkm_pool_options *o)
{
	if (!o->size)
		return error_set(ACLKM_ERR_INVALID, "size = 0: must be 1 or more");
	if ((unsigned int)o->kind > ACLKM_POOL_KIND_CACHED)
		return error_set(ACLKM_ERR_INVALID,
				 "kind = %d: not a value of aclkm_pool_kind",
				 (int)o->kind);
	if ((unsigned int)o->pages > ACLKM_PAGES_HUGE1G)
		return error_set(ACLKM_ERR_INVALID,
				 "pages = %d: not a value of aclkm_pages", (int)o->pages);
	if (o->flags & ~(ACLKM_POOL_HOST | ACLKM_POOL_THREADS | ACLKM_POOL_SHARED))
		return error_set(ACLKM_ERR_INVALID, "flags = %#x: unknown bits",
				 o->flags);
	return ACLKM_OK;
}

static int check_together(const struct aclkm_pool_options *o)
{
	bool threads = o->flags & ACLKM_POOL_THREADS;

	if (threads && (o->block || o->limit))
		return error_set(ACLKM_ERR_INVALID,
				 "%s = %llu: not with ACLKM_POOL_THREADS",
				 o->block ? "block" : "limit",
				 o->block ? (unsigned long long)o->block
					  : (unsigned long long)o->limit);
	if (!o->parent)
		return ACLKM_OK;
	if (o->flags & ACLKM_POOL_SHARED)
		return error_set(ACLKM_ERR_INVALID,
				 "parent: its memory is not a file of its own, as "
				 "ACLKM_POOL_SHARED asks; export the parent");
	if (threads || o->parent->heap || o->parent->blocks.stride)
		return error_set(ACLKM_ERR_INVALID, "parent: neither pool may have %s",
				 threads || o->parent->heap ? "ACLKM_POOL_THREADS"
							    : "blocks of one length");
	if (o->parent->class != class_of(o))
		return error_set(ACLKM_ERR_INVALID,
				 "kind = %d: the parent's memory is of another kind",
				 (int)o->kind);
	return ACLKM_OK;
}

static int take_from_parent(struct aclkm_pool *pool, uint64_t size)
{
	struct aclkm_pool *parent = pool->parent;
	struct extent *piece;
	int err = ACLKM_ERR_NOMEM;

	pthread_mutex_lock(parent->lock);
	if (!parent->limit || (parent->limit >= pool_used(parent) &&
			       parent->limit - pool_used(parent) >= size))
		err = extents_alloc(parent->extents, size, POOL_ALIGN, &piece);
	if (!err) {
		piece->owner = pool;
		piece->asked = size;
		piece->ruled = size;
		parent->children++;
		pool->base = (void *)(uintptr_t)piece->addr;
	}
	pthread_mutex_unlock(parent->lock);
	if (err)
		error_set(err, "size = %llu: the parent has no such piece, or its limit",
			  (unsigned long long)size);
	return err;
}

static int take_memory(struct aclkm_pool *pool, const struct aclkm_pool_options *o,
		       uint64_t size)
{
	struct heap_request request = {.class = pool->class,
				       .pages = o->pages,
				       .kind = ACLKM_KIND_POOL,
				       .asked = o->size,
				       .ruled = size,
				       .align = pool->heap ? GRANULE : POOL_ALIGN,
				       .owner = pool};
	struct file_part file;
	int err;

	pool->size = size;
	if (pool->parent)
		return take_from_parent(pool, size);
	if (!(o->flags & ACLKM_POOL_SHARED))
		return heap_alloc(&request, &pool->base);

	request.alone = true;
	if (request.align < va_page_size())
		request.align = va_page_size();
	err = heap_alloc(&request, &pool->base);
	if (err)
		return err;
	err = heap_share(pool->base, size, &file);
	if (err) {
		heap_free(pool->base, ACLKM_KIND_POOL);
		return err;
	}
	pool->file = file.fd;
	fd_know(pool->file, &pool->file_id);
	return ACLKM_OK;
}

static void give_memory(struct aclkm_pool *pool)
{
	struct aclkm_pool *parent = pool->parent;
	struct extent *piece;

	if (pool->file >= 0)
		fd_close(pool->file, &pool->file_id);
	if (!parent) {
		heap_free(pool->base, ACLKM_KIND_POOL);
		return;
	}
	pthread_mutex_lock(parent->lock);
	if (!extents_find(parent->extents, (uint64_t)(uintptr_t)pool->base, &piece)) {
		extents_free(parent->extents, piece);
		parent->children--;
	}
	pthread_mutex_unlock(parent->lock);
}

/* The pool's memory as a chunk of the pool's heap, so that it can have slabs. */
static int make_heap(struct aclkm_pool *pool)
{
	struct chunk *around =
		(struct chunk *)(table_get((uint64_t)(uintptr_t)pool->base) &
				 ~TABLE_CHUNK);
	struct chunk *chunk = chunk_record_get();
	struct heap *heap = pool->heap;

	if (!chunk)
		return ACLKM_ERR_NOHEAP;
	/* The chunk around cannot go while the pool's block is in it. */
	chunk->region = around->region;
	chunk->entry = chunk_entry(around);
	chunk->shared = true;
	atomic_store(&chunk->heap, heap);
	heap->class = (uint8_t)pool->class;
	/* A thread that gives back what it keeps may look whether the heap is in use. */
	__atomic_store_n(&heap->chunk_bytes,
			 pool->size > MIN_SLAB_SOURCE ? pool->size : 0, __ATOMIC_RELEASE);
	heap->shared = chunk;
	pool->chunk = chunk;
	pool->extents = &chunk->extents;
	pool->lock = &heap->lock;
	pool->rounding = rounding_of(ACLKM_KIND_POOL, pool->padding, pool->align, 0);
	return ACLKM_OK;
}

/* Nothing of the pool's heap is known any more; the caller has the lock. */
static void forget_slabs(struct aclkm_pool *pool)
{
	struct heap *heap = pool->heap;

	atomic_fetch_add(&heap->generation, 1);
	slab_forget((uint64_t)(uintptr_t)pool->base, pool->size, pool->chunk->entry);
	if (heap->slab_count) {
		memset(heap->slabs, 0, sizeof(heap->slabs));
		memset(heap->empty, 0, sizeof(heap->empty));
	}
	heap->slab_bytes = 0;
	heap->slab_out = 0;
	heap->slab_blocks = 0;
	heap->slab_count = 0;
}

static void drop_heap(struct aclkm_pool *pool)
{
	struct heap *heap = pool->heap;

	if (!heap)
		return;
	if (pool->chunk) {
		pthread_mutex_lock(&heap->lock);
		forget_slabs(pool);
		heap->shared = NULL;
		pthread_mutex_unlock(&heap->lock);
		extents_destroy(&pool->chunk->extents);
		chunk_record_put(pool->chunk);
	}
	heap_give_of_pool(heap);
}

static int make_division(struct aclkm_pool *pool, const struct aclkm_pool_options *o)
{
	uint64_t base = (uint64_t)(uintptr_t)pool->base, stride;
	int err;

	if (pool->heap) {
		err = make_heap(pool);
		if (err)
			return err;
	}
	err = extents_init(pool->extents, base, pool->size);
	if (err || !o->block)
		return err;
	err = aclkm_segment_stride(o->block, pool->padding, pool->align, &stride);
	if (err)
		return err;
	pool->segment_limit = o->block;
	return blocks_init(&pool->blocks, pool->size, stride);
}

static struct aclkm_pool *new_pool(const struct aclkm_pool_options *o)
{
	struct aclkm_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pthread_mutex_init(&pool->own_lock, NULL);
	pool->lock = &pool->own_lock;
	pool->extents = &pool->own_extents;
	pool->class = class_of(o);
	pool->file = -1;
	pool->parent = o->parent;
	pool->limit = o->limit;
	pool->padding = config_get()->padding;
	pool->align =
		o->kind == ACLKM_POOL_MEDIA ? ACLKM_RULE_ALIGN_MEDIA : ACLKM_RULE_ALIGN;
	return pool;
}

static void free_pool(struct aclkm_pool *pool)
{
	extents_destroy(&pool->own_extents);
	blocks_destroy(&pool->blocks);
	pthread_mutex_destroy(&pool->own_lock);
	free(pool);
}

static int pool_make(const struct aclkm_pool_options *o, struct aclkm_pool **out)
{
	struct aclkm_pool *pool;
	uint64_t size, unit = ACLKM_RULE_ALIGN_MEDIA;
	int err;

	if (!o || !out)
		return error_set(ACLKM_ERR_INVALID, "%s is NULL", o ? "pool" : "options");
	err = check_plain(o);
	if (!err)
		err = config_check();
	if (!err)
		err = check_together(o);
	if (err)
		return err;
	if (o->flags & ACLKM_POOL_SHARED)
		unit = va_page_size();
	err = aclkm_align_up(o->size, unit, &size);
	if (err)
		return error_set(err, "size = %zu leaves 64 bits when rounded up to %llu",
				 o->size, (unsigned long long)unit);
	if (o->block && aclkm_segment_stride(o->block, config_get()->padding,
					     ACLKM_RULE_ALIGN_MEDIA, &(uint64_t){0}))
		return error_set(ACLKM_ERR_OVERFLOW,
				 "block = %zu leaves 64 bits by the rule", o->block);

	pool = new_pool(o);
	if (!pool)
		goto no_heap;
	if (o->flags & ACLKM_POOL_THREADS) {
		pool->heap = heap_take_for_pool();
		if (!pool->heap) {
			free_pool(pool);
			return error_set(ACLKM_ERR_LIMIT,
					 "%d pools with ACLKM_POOL_THREADS live: there "
					 "can be no more",
					 POOL_HEAPS);
		}
	}
	err = take_memory(pool, o, size);
	if (err)
		goto drop;
	err = make_division(pool, o);
	if (err) {
		drop_heap(pool);
		give_memory(pool);
		free_pool(pool);
		goto no_heap;
	}
	guard_pool_make(pool, pool->base, pool->size);
	*out = pool;
	return ACLKM_OK;
drop:
	drop_heap(pool);
	free_pool(pool);
	return err;
no_heap:
	return error_no_records();
}

int aclkm_pool_make(const struct aclkm_pool_options *options, struct aclkm_pool **pool)
{
	int err = api_enter(__func__);

	return err ? err : pool_make(options, pool);
}

int aclkm_pool_create(enum aclkm_pool_kind kind, size_t size, enum aclkm_pages pages,
		      unsigned int flags, struct aclkm_pool **pool)
{
	const struct aclkm_pool_options options = {
		.kind = kind, .size = size, .pages = pages, .flags = flags};
	int err = api_enter(__func__);

	return err ? err : pool_make(&options, pool);
}

int aclkm_pool_destroy(struct aclkm_pool *pool, unsigned int flags)
{
	uint64_t live, waiting;
	unsigned int children;
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!pool)
		return error_set(ACLKM_ERR_INVALID, "pool is NULL");
	if (flags & ~ACLKM_POOL_FORCE)
		return error_set(ACLKM_ERR_INVALID, "flags = %#x: unknown bits", flags);

	pthread_mutex_lock(pool->lock);
	children = pool->children;
	live = pool_count(pool) - children;
	waiting = pool->pending_count;
	if (pool->heap) {
		uint64_t kept;

		tcache_kept(pool->heap, &kept);
		live -= kept;
	}
	pthread_mutex_unlock(pool->lock);
	if (children)
		return error_set(ACLKM_ERR_BUSY,
				 "%u pools live in it: destroy them first", children);
	if (live && !(flags & ACLKM_POOL_FORCE))
		return error_set(ACLKM_ERR_BUSY,
				 "%llu segments live, %llu of them until their streams "
				 "come to the free: free them, synchronise, or say "
				 "ACLKM_POOL_FORCE",
				 (unsigned long long)live, (unsigned long long)waiting);

	/* From here on no stream and no query by an address finds the pool. */
	pending_forget(pool);
	guard_pool_drop(pool, pool->base, pool->size);
	if (pool->parent)
		guard_hide(pool->base, pool->size);
	drop_heap(pool);
	give_memory(pool);
	free_pool(pool);
	return ACLKM_OK;
}

int aclkm_pool_reset(struct aclkm_pool *pool)
{
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!pool)
		return error_set(ACLKM_ERR_INVALID, "pool is NULL");
	pending_lock();
	pthread_mutex_lock(pool->lock);
	if (pool->children) {
		err = error_set(ACLKM_ERR_BUSY, "%u pools live in it: destroy them first",
				pool->children);
	} else {
		pending_forget_locked(pool);
		if (pool->heap)
			forget_slabs(pool);
		guard_pool_drop(pool, pool->base, pool->size);
		guard_pool_make(pool, pool->base, pool->size);
		extents_destroy(pool->extents);
		blocks_reset(&pool->blocks);
		err = extents_init(pool->extents, (uint64_t)(uintptr_t)pool->base,
				   pool->size);
	}
	pthread_mutex_unlock(pool->lock);
	pending_unlock();
	if (err == ACLKM_ERR_NOHEAP)
		error_no_records();
	return err;
}

int aclkm_pool_trim(struct aclkm_pool *pool)
{
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!pool)
		return error_set(ACLKM_ERR_INVALID, "pool is NULL");
	if (pool->heap) {
		tcache_flush();
		segment_drop_kept(pool, true);
	}
	return ACLKM_OK;
}

int aclkm_pool_set_limit(struct aclkm_pool *pool, uint64_t limit)
{
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!pool)
		return error_set(ACLKM_ERR_INVALID, "pool is NULL");
	if (pool->heap)
		return error_set(ACLKM_ERR_INVALID,
				 "limit = %llu: not with ACLKM_POOL_THREADS",
				 (unsigned long long)limit);
	pthread_mutex_lock(pool->lock);
	pool->limit = limit;
	pthread_mutex_unlock(pool->lock);
	return ACLKM_OK;
}

void *aclkm_pool_base(const struct aclkm_pool *pool)
{
	return pool ? pool->base : NULL;
}
