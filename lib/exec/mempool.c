// SPDX-License-Identifier: MIT
#include "exec/mempool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "map/map.h"
#include "base/base.h"
#include "exec/stream.h"

#define ALIGN 512
/* A piece is used again for a request of at least this part of it. */
#define WASTE 2

enum state {
	USED,
	FREED, /* in its stream; in others not yet */
	FREE,
};

struct mempool;

/* One block of the device, which the pool gives out whole. */
struct piece {
	struct piece *next;
	struct mempool *pool;
	void *addr;
	uint64_t size;
	enum state state;
	uintptr_t stream; /* of the free */
	uint64_t frees;	  /* which one it is, for a task that comes late */
};

struct mempool {
	struct object object;
	uint32_t device;
	uint64_t max_size;
	uint64_t threshold;
	struct mempool_stats stats;
	bool destroyed;
};

struct free_task {
	struct task task;
	struct piece *piece;
	uint64_t frees;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of pieces and pools */
static struct piece *pieces;
static struct object_table pools = OBJECT_TABLE(OBJECT_POOL);
static _Atomic uint32_t pool_count;

static void mempool_release(struct object *object)
{
	free(object_entry(object, struct mempool, object));
	atomic_fetch_sub(&pool_count, 1);
}

static int mempool_get(uintptr_t handle, struct mempool **out)
{
	struct object *object = object_get(&pools, handle);

	*out = object ? object_entry(object, struct mempool, object) : NULL;
	if (object)
		return ACLKM_OK;
	return error_set(ACLKM_ERR_HANDLE,
			 "memPool = %p: never created, or destroyed already",
			 (void *)handle);
}

static void drop_piece(struct piece **at)
{
	struct piece *piece = *at;

	*at = piece->next;
	piece->pool->stats.reserved -= piece->size;
	/* It is hidden since its stream came to its free. */
	guard_alloc(piece->addr, piece->size, piece->size);
	block_give(piece->addr, ACLKM_KIND_POOL);
	object_put(&piece->pool->object);
	free(piece);
}

/* Free pieces of @pool, NULL: of all pools above their thresholds. */
static void trim_locked(const struct mempool *pool, uint64_t keep)
{
	struct piece **at = &pieces, *piece;

	while ((piece = *at)) {
		const struct mempool *owner = piece->pool;
		uint64_t limit = pool ? keep : owner->destroyed ? 0 : owner->threshold;

		if ((!pool || owner == pool) && piece->state == FREE &&
		    owner->stats.reserved > limit)
			drop_piece(at);
		else
			at = &piece->next;
	}
}

static HOT void mempool_synchronized(void)
{
	if (!atomic_load(&pool_count))
		return;
	pthread_mutex_lock(&lock);
	trim_locked(NULL, 0);
	pthread_mutex_unlock(&lock);
}

int mempool_create(uint32_t device, uint64_t max_size, uintptr_t *handle)
{
	struct mempool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		goto no_heap;
	pool->device = device;
	pool->max_size = max_size;
	if (object_add(&pools, &pool->object, 0, mempool_release))
		goto free;
	stream_at_wait(mempool_synchronized);
	atomic_fetch_add(&pool_count, 1);
	*handle = pool->object.handle;
	return ACLKM_OK;
free:
	free(pool);
no_heap:
	return error_no_records();
}

static bool yield_locked(uint32_t device)
{
	struct piece **at = &pieces, *piece;
	bool any = false;

	while ((piece = *at)) {
		if (piece->pool->device == device && piece->state == FREE) {
			drop_piece(at);
			any = true;
		} else {
			at = &piece->next;
		}
	}
	return any;
}

bool mempool_yield(uint32_t device)
{
	bool any;

	if (!atomic_load(&pool_count))
		return false;
	pthread_mutex_lock(&lock);
	any = yield_locked(device);
	pthread_mutex_unlock(&lock);
	return any;
}

int mempool_block_take(const struct heap_request *request, const struct block_tag *tag,
		       void **out)
{
	int err = block_take(request, tag, out);

	if (err == ACLKM_ERR_NOMEM && mempool_yield(tag->device))
		err = block_take(request, tag, out);
	return err;
}

int mempool_destroy(uintptr_t handle)
{
	struct object *object = object_remove(&pools, handle);
	struct mempool *pool;

	if (!object)
		return error_set(ACLKM_ERR_HANDLE,
				 "memPool = %p: never created, or destroyed already",
				 (void *)handle);
	pool = object_entry(object, struct mempool, object);
	pthread_mutex_lock(&lock);
	pool->destroyed = true;
	trim_locked(pool, 0);
	pthread_mutex_unlock(&lock);
	object_put(object);
	return ACLKM_OK;
}

/* The smallest piece that fits and may be used in @stream now. */
static struct piece *reuse_locked(const struct mempool *pool, uint64_t size,
				  uintptr_t stream)
{
	struct piece *piece, *best = NULL;

	for (piece = pieces; piece; piece = piece->next) {
		if (piece->pool != pool || piece->state == USED || piece->size < size ||
		    piece->size / WASTE > size ||
		    (piece->state == FREED && piece->stream != stream))
			continue;
		if (!best || piece->size < best->size)
			best = piece;
	}
	return best;
}

static bool over_limit(const struct mempool *pool, uint64_t size)
{
	return pool->max_size && size > pool->max_size - pool->stats.reserved;
}

static int new_piece_locked(struct mempool *pool, uint64_t size, struct piece **out)
{
	const struct block_tag tag = {.device = pool->device, .module = BLOCK_MODULE_APP};
	struct heap_request request = {.class = HEAP_DEVICE,
				       .kind = ACLKM_KIND_POOL,
				       .pages = ACLKM_PAGES_HUGE_FIRST,
				       .align = ALIGN,
				       .asked = size,
				       .ruled = size};
	struct piece *piece;
	int err;

	if (over_limit(pool, size))
		return error_set(ACLKM_ERR_NOMEM,
				 "no %llu bytes left: the pool has %llu of its %llu",
				 (unsigned long long)size,
				 (unsigned long long)pool->stats.reserved,
				 (unsigned long long)pool->max_size);
	piece = calloc(1, sizeof(*piece));
	if (!piece)
		return error_no_records();
	err = block_take(&request, &tag, &piece->addr);
	if (err) {
		free(piece);
		return err;
	}
	piece->size = size;
	piece->pool = pool;
	atomic_fetch_add(&pool->object.users, 1);
	piece->next = pieces;
	pieces = piece;
	pool->stats.reserved += size;
	if (pool->stats.reserved > pool->stats.reserved_high)
		pool->stats.reserved_high = pool->stats.reserved;
	/* As one that was used before. */
	piece->state = FREE;
	guard_free(piece->addr, piece->size);
	*out = piece;
	return ACLKM_OK;
}

static int mempool_take_locked(struct mempool *pool, uint64_t asked, uint64_t size,
			       uintptr_t stream, void **out)
{
	struct piece *piece = reuse_locked(pool, size, stream);
	int err = ACLKM_OK;

	if (!piece)
		err = new_piece_locked(pool, size, &piece);
	if (err == ACLKM_ERR_NOMEM) {
		trim_locked(pool, 0);
		err = new_piece_locked(pool, size, &piece);
	}
	/* The device is short: what other pools keep free is given up for it. */
	if (err == ACLKM_ERR_NOMEM && !over_limit(pool, size) &&
	    yield_locked(pool->device))
		err = new_piece_locked(pool, size, &piece);
	if (err)
		return err;
	/* What its stream has not reached yet may still use all of it. */
	if (piece->state == FREE)
		guard_alloc(piece->addr, asked, piece->size);
	piece->state = USED;
	pool->stats.used += piece->size;
	if (pool->stats.used > pool->stats.used_high)
		pool->stats.used_high = pool->stats.used;
	*out = piece->addr;
	return ACLKM_OK;
}

int mempool_take(uintptr_t handle, uint64_t size, uintptr_t stream, void **out)
{
	uint64_t asked = size;
	struct mempool *pool;
	int err = stream_check(stream);

	if (!err && aclkm_align_up(size, ALIGN, &size))
		err = error_set(ACLKM_ERR_NOMEM, "no device has so many bytes");
	if (!err)
		err = mempool_get(handle, &pool);
	if (err)
		return err;
	pthread_mutex_lock(&lock);
	err = mempool_take_locked(pool, asked, size, stream, out);
	pthread_mutex_unlock(&lock);
	object_put(&pool->object);
	return err;
}

/* The stream has come to the free: now the piece is everybody's. */
static void reach_free(struct task *task)
{
	const struct free_task *reached = (const struct free_task *)task;
	struct piece **at = &pieces;

	pthread_mutex_lock(&lock);
	while (*at && *at != reached->piece)
		at = &(*at)->next;
	if (*at && (*at)->state == FREED && (*at)->frees == reached->frees) {
		(*at)->state = FREE;
		guard_free((*at)->addr, (*at)->size);
		if ((*at)->pool->destroyed)
			drop_piece(at);
	}
	pthread_mutex_unlock(&lock);
}

static int mempool_run_nothing(struct task *task)
{
	(void)task;
	return ACLKM_OK;
}

static struct piece *find_used_locked(const void *ptr)
{
	struct piece *piece = pieces;

	while (piece && (piece->addr != ptr || piece->state != USED))
		piece = piece->next;
	return piece;
}

int mempool_give(void *ptr, uintptr_t stream)
{
	struct free_task task = {
		.task = {.run = mempool_run_nothing, .drop = reach_free}};
	int err = stream_check(stream);

	if (err)
		return err;
	pthread_mutex_lock(&lock);
	task.piece = find_used_locked(ptr);
	if (task.piece) {
		task.piece->state = FREED;
		task.piece->stream = stream;
		task.frees = ++task.piece->frees;
		task.piece->pool->stats.used -= task.piece->size;
	}
	pthread_mutex_unlock(&lock);
	if (!task.piece)
		return error_set(ACLKM_ERR_FOREIGN,
				 "ptr = %p: not from a pool, or freed already", ptr);
	err = stream_submit(stream, &task.task, sizeof(task),
			    WORKER_NOW | WORKER_NOT_CAPTURED);
	if (!err)
		return ACLKM_OK;
	pthread_mutex_lock(&lock);
	task.piece->state = USED;
	task.piece->pool->stats.used += task.piece->size;
	pthread_mutex_unlock(&lock);
	return err;
}

int mempool_trim(uintptr_t handle, uint64_t keep)
{
	struct mempool *pool;
	int err = mempool_get(handle, &pool);

	if (err)
		return err;
	pthread_mutex_lock(&lock);
	trim_locked(pool, keep);
	pthread_mutex_unlock(&lock);
	object_put(&pool->object);
	return ACLKM_OK;
}

int mempool_threshold(uintptr_t handle, const uint64_t *set, uint64_t *value)
{
	struct mempool *pool;
	int err = mempool_get(handle, &pool);

	if (err)
		return err;
	pthread_mutex_lock(&lock);
	if (set)
		pool->threshold = *set;
	else
		*value = pool->threshold;
	pthread_mutex_unlock(&lock);
	object_put(&pool->object);
	return ACLKM_OK;
}

int mempool_stats(uintptr_t handle, struct mempool_stats *out)
{
	struct mempool *pool;
	int err = mempool_get(handle, &pool);

	if (err)
		return err;
	pthread_mutex_lock(&lock);
	*out = pool->stats;
	pthread_mutex_unlock(&lock);
	object_put(&pool->object);
	return ACLKM_OK;
}

int mempool_reset_high(uintptr_t handle, int reserved, int used)
{
	struct mempool *pool;
	int err = mempool_get(handle, &pool);

	if (err)
		return err;
	pthread_mutex_lock(&lock);
	if (reserved)
		pool->stats.reserved_high = pool->stats.reserved;
	if (used)
		pool->stats.used_high = pool->stats.used;
	pthread_mutex_unlock(&lock);
	object_put(&pool->object);
	return ACLKM_OK;
}
