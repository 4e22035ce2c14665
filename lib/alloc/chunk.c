// SPDX-License-Identifier: MIT
#include "alloc/chunk.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/base.h"

#define MAX_CHUNK (256ULL << 20)
#define MIN_CHUNK (64ULL << 10)

#define FIRST_CHUNK SIZE_2M
#define FIRST_PIECES 2 /* in a chunk */
#define MAX_PIECES 16

/* One n-th, at most, of what the comment names last. */
#define CHUNK_DIVISOR 16  /* a chunk of many blocks: of the device */
#define GROWTH_DIVISOR 64 /* such a one above FIRST_CHUNK: of all that the heap has */
#define EMPTY_DIVISOR 24  /* those that are kept with nothing in them: of all of them */
#define WASTE_DIVISOR 8	  /* waste of a kept region: of what is taken from it */
#define KEEP_DIVISOR 8	  /* kept regions, unless the caller says more: of the device */

#define KEEP_MAX (256ULL << 20) /* kept regions likewise: bytes */
#define KEEP_UNSET UINT64_MAX

static pthread_mutex_t records_lock = PTHREAD_MUTEX_INITIALIZER;
static struct chunk *records; /* unused */
static struct chunk *newest;  /* of all records */
static _Atomic uint64_t keep_limit = KEEP_UNSET;
static _Atomic uint64_t kept_bytes;

struct chunk *chunk_record_get(void)
{
	struct chunk *chunk;

	pthread_mutex_lock(&records_lock);
	chunk = records;
	if (chunk) {
		records = chunk->next;
	} else {
		chunk = calloc(1, sizeof(*chunk));
		if (chunk) {
			chunk->older = newest;
			newest = chunk;
		}
	}
	pthread_mutex_unlock(&records_lock);
	if (!chunk)
		return NULL;
	/*
	 * Not heap and entry: who has a stale entry of the table follows them without a
	 * lock. Not extents: they are all zero once they are destroyed.
	 */
	chunk->region = (struct region){0};
	chunk->prev = NULL;
	chunk->next = NULL;
	chunk->shared = false;
	chunk->empty = false;
	chunk->kept = false;
	chunk->exported = false;
	return chunk;
}

void chunk_record_put(struct chunk *chunk)
{
	pthread_mutex_lock(&records_lock);
	chunk->next = records;
	records = chunk;
	pthread_mutex_unlock(&records_lock);
}

int chunk_size(const struct heap *heap, uint64_t *out)
{
	const struct backend *backend;
	struct backend_info info;
	uint64_t size = MAX_CHUNK;
	int err;

	if (heap->pages == ACLKM_PAGES_HUGE1G) {
		*out = SIZE_1G;
		return ACLKM_OK;
	}
	err = backend_get(&backend);
	if (err)
		return err;
	err = backend->info(heap->device, &info);
	if (err)
		return err;
	while (size > MIN_CHUNK && size > info.total / CHUNK_DIVISOR)
		size /= 2;
	if (heap->pages == ACLKM_PAGES_HUGE_ONLY && size < SIZE_2M)
		size = SIZE_2M;
	*out = size;
	return ACLKM_OK;
}

static void link_shared(struct chunk *chunk)
{
	struct heap *heap = chunk->heap;

	chunk->next = heap->shared;
	if (chunk->next)
		chunk->next->prev = chunk;
	heap->shared = chunk;
	heap->shared_bytes += chunk->region.size;
}

static void unlink_shared(struct chunk *chunk)
{
	if (chunk->prev)
		chunk->prev->next = chunk->next;
	else
		chunk->heap->shared = chunk->next;
	if (chunk->next)
		chunk->next->prev = chunk->prev;
	chunk->heap->shared_bytes -= chunk->region.size;
}

/* What may be kept unless the caller says otherwise; 0 where he did. */
static uint64_t keep_most(uint32_t device)
{
	const struct backend *backend;
	struct backend_info info;
	uint64_t part;

	if (atomic_load(&keep_limit) != KEEP_UNSET)
		return 0;
	if (backend_get(&backend) || backend->info(device, &info))
		return 0;
	part = info.total / KEEP_DIVISOR;
	return part < KEEP_MAX ? part : KEEP_MAX;
}

static bool need_sizes(struct heap *heap)
{
	if (!heap->sizes)
		heap->sizes = calloc(1, sizeof(*heap->sizes));
	return heap->sizes;
}

/* All of a region is free, and the table has room for it. */
static int prepare(struct heap *heap, struct chunk *chunk)
{
	uint64_t base = (uint64_t)(uintptr_t)chunk->region.addr;
	uint64_t size = chunk->region.size;

	if (chunk->shared && !need_sizes(heap))
		return ACLKM_ERR_NOHEAP;
	if (!table_prepare(base, size))
		return ACLKM_ERR_NOHEAP;
	return extents_join(&chunk->extents, base, size,
			    chunk->shared ? heap->sizes : NULL);
}

/* From here on it is found. */
static void publish(struct heap *heap, struct chunk *chunk)
{
	atomic_store_explicit(&chunk->heap, heap, memory_order_relaxed);
	chunk->entry = chunk_entry(chunk);
	if (chunk->shared)
		link_shared(chunk);
	else
		heap->keep_most = keep_most(heap->device);
	table_set((uint64_t)(uintptr_t)chunk->region.addr, chunk->region.size,
		  chunk->entry);
}

int chunk_add(struct heap *heap, uint64_t size, uint64_t align, bool shared, bool alone,
	      struct chunk **out)
{
	const struct backend *backend;
	struct chunk *chunk;
	int err;

	err = backend_get(&backend);
	if (err)
		return err;
	chunk = chunk_record_get();
	if (!chunk)
		return ACLKM_ERR_NOHEAP;
	chunk->shared = shared;
	/* No two regions share an entry of the table. */
	err = backend->region_alloc(heap->device, size, align > GRANULE ? align : GRANULE,
				    heap->pages, alone, &chunk->region);
	if (err)
		goto put;
	err = prepare(heap, chunk);
	if (err)
		goto give_back;
	publish(heap, chunk);
	*out = chunk;
	return ACLKM_OK;
give_back:
	backend->region_free(&chunk->region);
put:
	chunk_record_put(chunk);
	return err;
}

void chunk_remove(struct chunk *chunk)
{
	const struct backend *backend;

	table_set((uint64_t)(uintptr_t)chunk->region.addr, chunk->region.size, 0);
	if (chunk->shared)
		unlink_shared(chunk);
	extents_destroy(&chunk->extents);
	/* Cannot fail: the region came from it, and what is open once stays. */
	backend_get(&backend);
	backend->region_free(&chunk->region);
	chunk_record_put(chunk);
}

static void unlink_kept(struct chunk *chunk)
{
	struct heap *heap = chunk->heap;

	if (chunk->prev)
		chunk->prev->next = chunk->next;
	else
		heap->kept = chunk->next;
	if (chunk->next)
		chunk->next->prev = chunk->prev;
	else
		heap->kept_end = chunk->prev;
	chunk->prev = NULL;
	chunk->next = NULL;
	chunk->kept = false;
	atomic_fetch_sub(&kept_bytes, chunk->region.size);
}

/* False: all heaps would keep more than @most then. */
static bool count_kept(uint64_t size, uint64_t most)
{
	uint64_t now = atomic_load(&kept_bytes);

	do {
		if (size > most || now > most - size)
			return false;
	} while (!atomic_compare_exchange_weak(&kept_bytes, &now, now + size));
	return true;
}

/* It is counted. */
static void link_kept(struct chunk *chunk)
{
	struct heap *heap = chunk->heap;

	chunk->next = heap->kept;
	if (chunk->next)
		chunk->next->prev = chunk;
	else
		heap->kept_end = chunk;
	heap->kept = chunk;
	chunk->kept = true;
}

/* The newest are kept: they are the ones that come again. */
static void keep(struct chunk *chunk)
{
	struct heap *heap = chunk->heap;
	uint64_t size = chunk->region.size, most = atomic_load(&keep_limit);

	if (most == KEEP_UNSET)
		most = heap->keep_most;
	while (!count_kept(size, most)) {
		struct chunk *oldest = heap->kept_end;

		/* It is too long, or the rest of what is kept is in other heaps. */
		if (size > most || !oldest) {
			chunk_remove(chunk);
			return;
		}
		unlink_kept(oldest);
		chunk_remove(oldest);
	}
	link_kept(chunk);
}

struct chunk *chunk_reuse(struct heap *heap, uint64_t size, uint64_t align)
{
	uint64_t most = size + size / WASTE_DIVISOR + GRANULE;
	struct chunk *chunk, *best = NULL;

	for (chunk = heap->kept; chunk; chunk = chunk->next) {
		if (chunk->region.size < size || chunk->region.size > most ||
		    chunk->extents.base % align ||
		    (chunk->region.phys_valid && chunk->region.phys % align))
			continue;
		if (!best || chunk->region.size < best->region.size)
			best = chunk;
	}
	if (best)
		unlink_kept(best);
	return best;
}

/*
 * Who takes one length again and again has ever longer chunks, as there may be nearly
 * one piece too little for another at the end of each.
 */
static unsigned int next_pieces(struct heap *heap, uint64_t size)
{
	if (size != heap->piece_size) {
		heap->piece_size = size;
		heap->pieces = FIRST_PIECES;
	} else if (heap->pieces < MAX_PIECES) {
		heap->pieces *= 2;
	}
	return heap->pieces;
}

/* Grows with the heap, so that little of it is not used yet. */
static uint64_t next_size(struct heap *heap, uint64_t size)
{
	uint64_t least = size * next_pieces(heap, size);
	uint64_t bytes = heap->shared_bytes / GROWTH_DIVISOR & ~(SIZE_2M - 1);

	if (heap->pages == ACLKM_PAGES_HUGE1G)
		return heap->chunk_bytes;
	if (bytes < FIRST_CHUNK)
		bytes = FIRST_CHUNK;
	if (bytes < least)
		bytes = (least + SIZE_2M - 1) & ~(SIZE_2M - 1);
	return bytes < heap->chunk_bytes ? bytes : heap->chunk_bytes;
}

/* A multiple of 2 MiB, or a power of two below. */
static bool shorter(uint64_t *bytes)
{
	*bytes /= 2;
	if (*bytes > SIZE_2M)
		*bytes &= ~(SIZE_2M - 1);
	return *bytes >= MIN_CHUNK;
}

static void chunk_set_empty(struct chunk *chunk, bool empty)
{
	struct heap *heap = chunk->heap;

	if (chunk->empty == empty)
		return;
	chunk->empty = empty;
	if (empty)
		heap->empty_bytes += chunk->region.size;
	else
		heap->empty_bytes -= chunk->region.size;
}

/* The heap's best piece. */
static int best_piece(struct heap *heap, uint64_t size, uint64_t align,
		      struct chunk **out, struct extent **piece)
{
	int err = ACLKM_ERR_NOMEM;

	if (heap->fixed)
		err = extents_alloc(&heap->shared->extents, size, align, piece);
	else if (heap->shared)
		err = extents_alloc_best(heap->sizes, size, align, piece);
	if (err)
		return err;
	*out = (struct chunk *)((char *)(*piece)->of - offsetof(struct chunk, extents));
	if ((*out)->empty)
		chunk_set_empty(*out, false);
	return ACLKM_OK;
}

int chunk_piece(struct heap *heap, uint64_t size, uint64_t align, struct chunk **out,
		struct extent **piece)
{
	int err = best_piece(heap, size, align, out, piece);
	uint64_t bytes;

	if (err != ACLKM_ERR_NOMEM || heap->fixed)
		return err;

	/* A device that is nearly full, or scattered, may have shorter ones. */
	bytes = next_size(heap, size);
	err = chunk_add(heap, bytes, heap_chunk_align(bytes), true, false, out);
	while (err == ACLKM_ERR_NOMEM && shorter(&bytes) && bytes >= size)
		err = chunk_add(heap, bytes, heap_chunk_align(bytes), true, false, out);
	if (err)
		return err;
	err = best_piece(heap, size, align, out, piece);
	if (err)
		chunk_emptied(*out);
	return err;
}

/* Removes empty ones until there are at most @most bytes of them. */
static void chunk_drop_empty(struct heap *heap, uint64_t most)
{
	struct chunk *chunk, *next;

	for (chunk = heap->shared; chunk && heap->empty_bytes > most; chunk = next) {
		next = chunk->next;
		if (!chunk->empty)
			continue;
		chunk_set_empty(chunk, false);
		chunk_remove(chunk);
	}
}

void chunk_drop_spares(struct heap *heap)
{
	chunk_drop_empty(heap, 0);
	while (heap->kept) {
		struct chunk *chunk = heap->kept;

		unlink_kept(chunk);
		chunk_remove(chunk);
	}
}

void chunk_emptied(struct chunk *chunk)
{
	struct heap *heap = chunk->heap;
	uint64_t most;

	if (chunk->extents.used || heap->fixed)
		return;
	/* A 1 GiB page is too much to keep for nothing. */
	if (heap->pages == ACLKM_PAGES_HUGE1G || chunk->exported) {
		chunk_remove(chunk);
		return;
	}
	if (!chunk->shared) {
		keep(chunk);
		return;
	}
	if (chunk->empty)
		return;
	/* So many are kept that a heap that breathes a little does not need others. */
	most = heap->shared_bytes / EMPTY_DIVISOR;
	chunk_drop_empty(heap, most > chunk->region.size ? most - chunk->region.size : 0);
	chunk_set_empty(chunk, true);
}

void chunk_set_keep(uint64_t bytes)
{
	/* The largest number stands for none; no device has so much. */
	atomic_store(&keep_limit, bytes < KEEP_UNSET ? bytes : KEEP_UNSET - 1);
}

uint64_t chunk_kept(void)
{
	return atomic_load(&kept_bytes);
}
