// SPDX-License-Identifier: MIT
#include "pool/pending.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/base.h"
#include "pool/segment.h"
#include "alloc/alloc.h"

struct pending {
	struct pending *prev, *next;
	struct aclkm_pool *pool; /* NULL: taken again as a whole, or the pool has gone */
	uintptr_t stream;
	struct segment segment;
	uint32_t word; /* of a slab's block, before the free */
	bool cut;      /* a part was taken again */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void pending_lock(void)
{
	pthread_mutex_lock(&lock);
}

void pending_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

static _Atomic uint32_t *word_of(const struct segment *segment)
{
	return &segment->slab->words[segment->number];
}

static void pending_set_word(const struct segment *segment, uint32_t word)
{
	atomic_store_explicit(word_of(segment), word, memory_order_relaxed);
}

/* Dead to the program; the pool is locked. */
static void mark(struct aclkm_pool *pool, struct pending *pending)
{
	const struct segment *segment = &pending->segment;

	if (segment->slab) {
		pending->word = slab_read(*word_of(segment));
		pending_set_word(segment, pending->word | WORD_PENDING);
	} else if (segment->piece) {
		segment->piece->kind = SEGMENT_PENDING;
	} else {
		pool->blocks.asked[segment->number] |= BLOCK_PENDING;
	}
}

static void unmark(struct aclkm_pool *pool, const struct pending *pending)
{
	const struct segment *segment = &pending->segment;

	if (segment->slab)
		pending_set_word(segment, pending->word);
	else if (segment->piece)
		segment->piece->kind = 0;
	else
		pool->blocks.asked[segment->number] &= ~BLOCK_PENDING;
}

static void pending_give(struct aclkm_pool *pool, const struct segment *segment)
{
	struct blocks *blocks = &pool->blocks;

	/* Until here the stream may have used it. */
	if (!segment->slab)
		guard_pool_free(pool, (void *)(uintptr_t)segment->addr, segment->takes);
	if (segment->slab) {
		/* Not to a row: the thread is the stream's, which takes none. */
		slab_push(pool->heap, segment->slab, segment->number);
	} else if (segment->piece) {
		extents_free(pool->extents, segment->piece);
	} else {
		blocks->asked[segment->number] = 0;
		blocks->next[blocks->free++] = segment->number;
	}
}

static void pending_link(struct aclkm_pool *pool, struct pending *pending)
{
	pending->pool = pool;
	pending->next = pool->pending;
	if (pending->next)
		pending->next->prev = pending;
	pool->pending = pending;
	pool->pending_bytes += pending->segment.takes;
	pool->pending_count++;
}

static void pending_unlink(struct pending *pending)
{
	struct aclkm_pool *pool = pending->pool;

	if (pending->prev)
		pending->prev->next = pending->next;
	else
		pool->pending = pending->next;
	if (pending->next)
		pending->next->prev = pending->prev;
	pool->pending_bytes -= pending->segment.takes;
	pool->pending_count--;
	pending->pool = NULL;
}

int pending_add(struct aclkm_pool *pool, const void *ptr, uintptr_t stream,
		struct pending **out)
{
	struct pending *pending = calloc(1, sizeof(*pending));
	int err;

	if (!pending)
		return ACLKM_ERR_NOHEAP;
	pending->stream = stream;
	pending_lock();
	pthread_mutex_lock(pool->lock);
	err = segment_find(pool, ptr, &pending->segment);
	if (!err) {
		mark(pool, pending);
		pending_link(pool, pending);
	}
	pthread_mutex_unlock(pool->lock);
	pending_unlock();
	if (err)
		free(pending);
	else
		*out = pending;
	return err;
}

static void pending_end(struct pending *pending, bool lives)
{
	struct aclkm_pool *pool;

	pending_lock();
	pool = pending->pool;
	if (pool) {
		pthread_mutex_lock(pool->lock);
		pending_unlink(pending);
		if (lives && !pending->cut)
			unmark(pool, pending);
		else
			pending_give(pool, &pending->segment);
		pthread_mutex_unlock(pool->lock);
	}
	pending_unlock();
	free(pending);
}

void pending_reach(struct pending *pending)
{
	pending_end(pending, false);
}

void pending_undo(struct pending *pending)
{
	pending_end(pending, true);
}

static bool serves(const struct aclkm_pool *pool, const struct pending *pending,
		   uint64_t stride, bool small)
{
	const struct segment *segment = &pending->segment;

	if (pool->blocks.stride)
		return true;
	if (segment->slab)
		return small && segment->takes == stride;
	return segment->takes >= stride;
}

/* The shortest that does, the newest of these. */
static struct pending *pending_find(const struct aclkm_pool *pool, uint64_t stride,
				    bool small, uintptr_t stream)
{
	struct pending *pending, *best = NULL;

	for (pending = pool->pending; pending; pending = pending->next) {
		if (pending->stream != stream || !serves(pool, pending, stride, small))
			continue;
		if (!best || pending->segment.takes < best->segment.takes)
			best = pending;
	}
	return best;
}

/* Its first bytes become a segment, what is behind them waits on. */
static bool cut_piece(struct aclkm_pool *pool, struct pending *pending, uint64_t stride)
{
	struct segment *segment = &pending->segment;
	struct extent *rest;

	if (extents_split(pool->extents, segment->piece, stride, &rest))
		return false;
	segment->piece->kind = 0;
	*segment =
		(struct segment){.addr = rest->addr, .takes = rest->size, .piece = rest};
	pending->cut = true;
	pool->pending_bytes -= stride;
	return true;
}

/* The whole of it lives again, for another length. */
static void revive(struct aclkm_pool *pool, struct pending *pending, size_t len)
{
	struct segment *segment = &pending->segment;

	if (segment->slab)
		pending_set_word(segment, pool->rounding.tag | (uint32_t)len);
	else if (segment->piece)
		segment->piece->kind = 0;
	else
		pool->blocks.asked[segment->number] = len;
	pending_unlink(pending);
}

static bool pending_reuse(struct aclkm_pool *pool, struct pending *pending, size_t len,
			  uint64_t stride, void **out)
{
	const struct segment was = pending->segment;
	struct extent *piece = was.piece;
	bool cut = piece && piece->size > stride;

	*out = (void *)(uintptr_t)was.addr;
	if (cut && !cut_piece(pool, pending, stride))
		return false;
	if (!cut)
		revive(pool, pending, len);
	if (!was.slab) {
		/* All of it: what the stream has yet to do may use more than @len. */
		guard_pool_free(pool, *out, was.takes);
		guard_pool_alloc(pool, *out, cut ? stride : was.takes);
	}
	if (cut)
		guard_pool_alloc(pool, (char *)*out + stride, was.takes - stride);
	if (piece) {
		piece->asked = len;
		aclkm_segment_size(len, pool->padding, &piece->ruled);
	}
	return true;
}

bool pending_take(struct aclkm_pool *pool, size_t len, uint64_t stride, uintptr_t stream,
		  void **out)
{
	bool small = pool->heap && len - 1 < pool->rounding.limit;
	struct pending *pending;
	bool done = false;

	pending_lock();
	pthread_mutex_lock(pool->lock);
	pending = pending_find(pool, stride, small, stream);
	if (pending)
		done = pending_reuse(pool, pending, len, stride, out);
	pthread_mutex_unlock(pool->lock);
	pending_unlock();
	return done;
}

void pending_forget_locked(struct aclkm_pool *pool)
{
	while (pool->pending)
		pending_unlink(pool->pending);
}

void pending_forget(struct aclkm_pool *pool)
{
	pending_lock();
	pthread_mutex_lock(pool->lock);
	pending_forget_locked(pool);
	pthread_mutex_unlock(pool->lock);
	pending_unlock();
}
