// SPDX-License-Identifier: MIT
#include "pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "config.h"
#include "error.h"
#include "extents.h"
#include "rules.h"

/* Start of the block that a pool divides: enough for every segment rule. */
#define POOL_ALIGN 512

struct aclkm_pool {
	pthread_mutex_t lock;
	struct extents extents;
	void *base;
	uint64_t align;
	uint32_t padding;
};

static int check_create(enum aclkm_pool_kind kind, size_t size, enum aclkm_pages pages,
			unsigned int flags, struct aclkm_pool **pool)
{
	if (!pool)
		return error_set(ACLKM_ERR_INVALID, "pool is NULL");
	if (!size)
		return error_set(ACLKM_ERR_INVALID, "size = 0: must be 1 or more");
	if ((unsigned int)kind > ACLKM_POOL_MEDIA)
		return error_set(ACLKM_ERR_INVALID,
				 "kind = %d: not a value of aclkm_pool_kind", (int)kind);
	if ((unsigned int)pages > ACLKM_PAGES_HUGE1G)
		return error_set(ACLKM_ERR_INVALID,
				 "pages = %d: not a value of aclkm_pages", (int)pages);
	if (flags & ~ACLKM_POOL_HOST)
		return error_set(ACLKM_ERR_INVALID, "flags = %#x: unknown bits", flags);
	return ACLKM_OK;
}

static enum heap_class class_of(enum aclkm_pool_kind kind, unsigned int flags)
{
	if (flags & ACLKM_POOL_HOST)
		return HEAP_HOST;
	return kind == ACLKM_POOL_MEDIA ? HEAP_MEDIA : HEAP_DEVICE;
}

static int take_block(struct aclkm_pool *pool, struct heap_request *request)
{
	int err;

	err = heap_alloc(request, &pool->base);
	if (err)
		return err;
	err = extents_init(&pool->extents, (uint64_t)(uintptr_t)pool->base,
			   request->ruled);
	if (err) {
		heap_free(pool->base, ACLKM_KIND_POOL);
		return error_set(err, "no memory for the library's own records");
	}
	return ACLKM_OK;
}

int aclkm_pool_create(enum aclkm_pool_kind kind, size_t size, enum aclkm_pages pages,
		      unsigned int flags, struct aclkm_pool **pool)
{
	struct heap_request request = {.class = class_of(kind, flags),
				       .pages = pages,
				       .kind = ACLKM_KIND_POOL,
				       .asked = size,
				       .align = POOL_ALIGN};
	struct aclkm_pool *p;
	int err = api_enter(__func__);

	if (err)
		return err;
	err = check_create(kind, size, pages, flags, pool);
	if (err)
		return err;
	err = config_check();
	if (err)
		return err;
	err = aclkm_align_up(size, ACLKM_RULE_ALIGN_MEDIA, &request.ruled);
	if (err)
		return error_set(err, "size = %zu leaves 64 bits when rounded up to 128",
				 size);

	p = calloc(1, sizeof(*p));
	if (!p)
		return error_set(ACLKM_ERR_NOHEAP,
				 "no memory for the library's own records");
	pthread_mutex_init(&p->lock, NULL);
	p->align = kind == ACLKM_POOL_MEDIA ? ACLKM_RULE_ALIGN_MEDIA : ACLKM_RULE_ALIGN;
	p->padding = config_get()->padding;
	request.owner = p;
	err = take_block(p, &request);
	if (err)
		goto free;
	*pool = p;
	return ACLKM_OK;
free:
	pthread_mutex_destroy(&p->lock);
	free(p);
	return err;
}

int aclkm_pool_destroy(struct aclkm_pool *pool, unsigned int flags)
{
	uint64_t live;
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!pool)
		return error_set(ACLKM_ERR_INVALID, "pool is NULL");
	if (flags & ~ACLKM_POOL_FORCE)
		return error_set(ACLKM_ERR_INVALID, "flags = %#x: unknown bits", flags);

	pthread_mutex_lock(&pool->lock);
	live = pool->extents.count;
	pthread_mutex_unlock(&pool->lock);
	if (live && !(flags & ACLKM_POOL_FORCE))
		return error_set(ACLKM_ERR_BUSY,
				 "%llu segments live: free them, or say ACLKM_POOL_FORCE",
				 (unsigned long long)live);

	/* From here on no query finds the pool by an address. */
	err = heap_free(pool->base, ACLKM_KIND_POOL);
	if (err)
		return err;
	extents_destroy(&pool->extents);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
	return ACLKM_OK;
}

static int no_room(const struct aclkm_pool *pool, size_t len, uint64_t stride)
{
	return error_set(ACLKM_ERR_NOMEM,
			 "len = %zu takes %llu bytes of the pool: %llu are free, the "
			 "largest piece "
			 "is %llu",
			 len, (unsigned long long)stride,
			 (unsigned long long)(pool->extents.size - pool->extents.used),
			 (unsigned long long)extents_largest(&pool->extents));
}

static int alloc_locked(struct aclkm_pool *pool, size_t len, uint64_t stride, void **out)
{
	struct extent *piece;
	int err = extents_alloc(&pool->extents, stride, pool->align, &piece);

	if (err == ACLKM_ERR_NOMEM)
		return no_room(pool, len, stride);
	if (err)
		return error_set(err, "no memory for the library's own records");
	piece->asked = len;
	aclkm_segment_size(len, pool->padding, &piece->ruled);
	*out = (void *)(uintptr_t)piece->addr;
	return ACLKM_OK;
}

int aclkm_segment_alloc(struct aclkm_pool *pool, size_t len, void **out)
{
	uint64_t stride;
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!pool || !out)
		return error_set(ACLKM_ERR_INVALID, "%s is NULL", pool ? "out" : "pool");
	if (!len)
		return error_set(ACLKM_ERR_INVALID, "len = 0: must be 1 or more");
	err = aclkm_segment_stride(len, pool->padding, pool->align, &stride);
	if (err)
		return error_set(err, "len = %zu leaves 64 bits by ALIGN_UP[len,32] + %u",
				 len, pool->padding);

	pthread_mutex_lock(&pool->lock);
	err = alloc_locked(pool, len, stride, out);
	pthread_mutex_unlock(&pool->lock);
	return err;
}

int aclkm_segment_free(struct aclkm_pool *pool, void *ptr)
{
	struct extent *piece;
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!pool || !ptr)
		return error_set(ACLKM_ERR_INVALID, "%s is NULL", pool ? "ptr" : "pool");

	pthread_mutex_lock(&pool->lock);
	err = extents_find(&pool->extents, (uint64_t)(uintptr_t)ptr, &piece);
	if (!err)
		extents_free(&pool->extents, piece);
	pthread_mutex_unlock(&pool->lock);
	if (err)
		return error_set(err, "address %p, pool at %p: %s", ptr, pool->base,
				 aclkm_strerror(err));
	return ACLKM_OK;
}

int aclkm_pool_stats(struct aclkm_pool *pool, struct aclkm_pool_stats *out)
{
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!pool || !out)
		return error_set(ACLKM_ERR_INVALID, "%s is NULL", pool ? "out" : "pool");

	pthread_mutex_lock(&pool->lock);
	*out = (struct aclkm_pool_stats){
		.size = pool->extents.size,
		.used = pool->extents.used,
		.free = pool->extents.size - pool->extents.used,
		.largest = extents_largest(&pool->extents),
		.segments = pool->extents.count,
		.high_water = pool->extents.high_water,
	};
	pthread_mutex_unlock(&pool->lock);
	return ACLKM_OK;
}

void *aclkm_pool_base(const struct aclkm_pool *pool)
{
	return pool ? pool->base : NULL;
}

int pool_narrow(struct aclkm_pool *pool, uint64_t addr, struct heap_block *block)
{
	struct extent *piece;
	int err;

	pthread_mutex_lock(&pool->lock);
	err = extents_find(&pool->extents, addr, &piece);
	if (err == ACLKM_ERR_INTERIOR)
		err = ACLKM_OK;
	if (!err) {
		if (block->phys_valid)
			block->phys += piece->addr - block->base;
		block->base = piece->addr;
		block->asked = piece->asked;
		block->ruled = piece->ruled;
	}
	pthread_mutex_unlock(&pool->lock);
	return err;
}

struct heap *pool_heap_of_id(unsigned int id)
{
	(void)id;
	return NULL;
}
