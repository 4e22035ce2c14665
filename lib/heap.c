// SPDX-License-Identifier: MIT
#include "heap.h"

#include <pthread.h>
#include <stdlib.h>

#include "backend.h"
#include "chunk.h"
#include "error.h"
#include "rules.h"

#define HEAP_PAGES 4 /* values of enum aclkm_pages */

/* Pieces up to this alignment are rounded to it, so that no slivers remain. */
#define MAX_GRANULE 4096

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct heap heaps[HEAP_CLASSES][HEAP_PAGES];

static int piece_size(const struct heap_request *request, uint64_t *out)
{
	uint64_t granule = request->align;

	if (granule > MAX_GRANULE)
		granule = MAX_GRANULE;
	return aclkm_align_up(request->ruled, granule, out);
}

static void *hand_out(struct extent *piece, const struct heap_request *request)
{
	piece->asked = request->asked;
	piece->ruled = request->ruled;
	piece->kind = (int)request->kind;
	piece->owner = request->owner;
	return (void *)(uintptr_t)piece->addr;
}

/*
 * Chunks are aligned so that what is aligned in the mapping is so in physical
 * memory, too.
 */
static uint64_t chunk_align(uint64_t chunk_bytes)
{
	return chunk_bytes < SIZE_2M ? chunk_bytes : SIZE_2M;
}

static int alloc_shared(struct heap *heap, uint64_t size, uint64_t align,
			uint64_t chunk_bytes, struct extent **out)
{
	struct chunk *chunk;
	int err;

	for (chunk = heap->shared; chunk; chunk = chunk->next) {
		err = extents_alloc(&chunk->extents, size, align, out);
		if (err != ACLKM_ERR_NOMEM)
			return err;
	}
	err = chunk_add(heap, chunk_bytes, chunk_align(chunk_bytes), true, &chunk);
	if (err)
		return err;
	return extents_alloc(&chunk->extents, size, align, out);
}

static int alloc_own(struct heap *heap, uint64_t size, uint64_t align,
		     struct extent **out)
{
	struct chunk *chunk;
	int err = chunk_add(heap, size, align, false, &chunk);

	if (err)
		return err;
	err = extents_alloc(&chunk->extents, size, align, out);
	if (err)
		chunk_remove(chunk);
	return err;
}

static int alloc_piece(struct heap *heap, uint64_t size, uint64_t align,
		       struct extent **out)
{
	uint64_t chunk_bytes;
	int err = chunk_size(heap->pages, &chunk_bytes);

	if (err)
		return err;
	if (size <= chunk_bytes / 2 && align <= chunk_align(chunk_bytes)) {
		err = alloc_shared(heap, size, align, chunk_bytes, out);
		if (err != ACLKM_ERR_NOMEM)
			return err;
	}
	return alloc_own(heap, size, align, out);
}

/* Gives the empty chunks that were kept back to the backend. */
static bool drop_spares(void)
{
	bool any = false;
	int class, pages;

	for (class = 0; class < HEAP_CLASSES; class ++) {
		for (pages = 0; pages < HEAP_PAGES; pages++)
			any |= chunk_drop_spare(&heaps[class][pages]);
	}
	return any;
}

int heap_alloc(const struct heap_request *request, void **out)
{
	struct heap *heap = &heaps[request->class][request->pages];
	struct extent *piece;
	uint64_t size;
	int err;

	err = piece_size(request, &size);
	if (err)
		return error_set(err, "size = %llu leaves 64 bits by the rule's rounding",
				 (unsigned long long)request->asked);

	pthread_rwlock_wrlock(&lock);
	heap->pages = request->pages;
	err = alloc_piece(heap, size, request->align, &piece);
	if (err == ACLKM_ERR_NOMEM && drop_spares())
		err = alloc_piece(heap, size, request->align, &piece);
	if (!err)
		*out = hand_out(piece, request);
	pthread_rwlock_unlock(&lock);
	if (err == ACLKM_ERR_NOHEAP)
		error_set(err, "no memory for the library's own records");
	return err;
}

static int explain(int err, const void *ptr)
{
	switch (err) {
	case ACLKM_ERR_FOREIGN:
		return error_set(err,
				 "address %p is not from this library, or its memory is "
				 "freed already",
				 ptr);
	case ACLKM_ERR_INTERIOR:
		return error_set(err, "address %p lies inside a block: give the start",
				 ptr);
	case ACLKM_ERR_NOTALIVE:
		return error_set(
			err, "address %p is not allocated: never given, or freed already",
			ptr);
	default:
		return err;
	}
}

int heap_free(void *ptr, enum aclkm_kind kind)
{
	struct chunk *chunk;
	struct extent *piece;
	int err, found = ACLKM_KIND_DEVICE;

	pthread_rwlock_wrlock(&lock);
	err = chunk_find((uint64_t)(uintptr_t)ptr, &chunk, &piece);
	if (!err && piece->kind != (int)kind) {
		found = piece->kind;
		err = ACLKM_ERR_KIND;
	}
	if (!err) {
		extents_free(&chunk->extents, piece);
		chunk_emptied(chunk);
	}
	pthread_rwlock_unlock(&lock);

	if (err == ACLKM_ERR_KIND)
		return error_set(
			err, "address %p is %s memory: it has a free function of its own",
			ptr, kind_name((enum aclkm_kind)found));
	return explain(err, ptr);
}

static void describe(const struct chunk *chunk, const struct extent *piece,
		     struct heap_block *out)
{
	uint64_t offset = piece->addr - (uint64_t)(uintptr_t)chunk->region.addr;

	*out = (struct heap_block){
		.class = (enum heap_class)((chunk->heap - &heaps[0][0]) / HEAP_PAGES),
		.kind = (enum aclkm_kind)piece->kind,
		.base = piece->addr,
		.asked = piece->asked,
		.ruled = piece->ruled,
		.page_size = chunk->region.page_size,
		.phys_valid = chunk->region.phys_valid,
		.contiguous = chunk->region.contiguous,
		.owner = piece->owner,
	};
	if (out->phys_valid)
		out->phys = chunk->region.phys + offset;
}

int heap_find(const void *ptr, struct heap_block *out,
	      int (*fn)(struct heap_block *block, void *arg), void *arg)
{
	struct chunk *chunk;
	struct extent *piece;
	int err;

	pthread_rwlock_rdlock(&lock);
	err = chunk_find((uint64_t)(uintptr_t)ptr, &chunk, &piece);
	if (err == ACLKM_ERR_INTERIOR)
		err = ACLKM_OK;
	if (!err)
		describe(chunk, piece, out);
	if (!err && fn)
		err = fn(out, arg);
	pthread_rwlock_unlock(&lock);
	return err;
}

int heap_share(const void *ptr, struct backing *out, uint64_t *offset)
{
	const struct backend *backend;
	struct chunk *chunk;
	struct extent *piece;
	int err = backend_get(&backend);

	if (err)
		return err;
	pthread_rwlock_wrlock(&lock);
	err = chunk_find((uint64_t)(uintptr_t)ptr, &chunk, &piece);
	if (err == ACLKM_ERR_INTERIOR)
		err = ACLKM_OK;
	if (err)
		explain(err, ptr);
	else
		err = backend->region_share(&chunk->region, out);
	if (!err)
		*offset =
			(uint64_t)((const char *)ptr - (const char *)chunk->region.addr);
	pthread_rwlock_unlock(&lock);
	return err;
}

static void add_chunks(const struct heap *heap, struct aclkm_memory_totals *out)
{
	const struct chunk *chunk;

	for (chunk = heap->shared; chunk; chunk = chunk->next) {
		uint64_t largest = extents_largest(&chunk->extents);

		out->free += chunk->extents.size - chunk->extents.used;
		if (largest > out->largest)
			out->largest = largest;
	}
}

int heap_totals(struct aclkm_memory_totals *out)
{
	const struct backend *backend;
	struct backend_info info;
	int err, class, pages;

	err = backend_get(&backend);
	if (err)
		return err;
	pthread_rwlock_rdlock(&lock);
	err = backend->info(&info);
	if (!err) {
		*out = (struct aclkm_memory_totals){.total = info.total,
						    .free = info.free,
						    .largest = info.largest,
						    .backend = backend->name};
		for (class = 0; class < HEAP_CLASSES; class ++) {
			for (pages = 0; pages < HEAP_PAGES; pages++)
				add_chunks(&heaps[class][pages], out);
		}
	}
	pthread_rwlock_unlock(&lock);
	return err;
}

const char *kind_name(enum aclkm_kind kind)
{
	static const char *const names[] = {"device", "host",	"dvpp",
					    "himpi",  "native", "pool"};

	return names[kind];
}
