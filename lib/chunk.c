// SPDX-License-Identifier: MIT
#include "chunk.h"

#include <stdlib.h>

#include "error.h"
#include "rules.h"
#include "va.h"

#define MAX_CHUNK (32ULL << 20)
#define MIN_CHUNK (64ULL << 10)

/* A chunk is at most this part of the device. */
#define CHUNK_FRACTION 16

static int compare(const struct tree_node *a, const struct tree_node *b)
{
	const struct chunk *x = tree_entry(a, const struct chunk, by_addr);
	const struct chunk *y = tree_entry(b, const struct chunk, by_addr);

	return (x->extents.base > y->extents.base) - (x->extents.base < y->extents.base);
}

static struct tree all_chunks = {.compare = compare, .random = 1};

int chunk_size(enum aclkm_pages pages, uint64_t *out)
{
	const struct backend *backend;
	struct backend_info info;
	uint64_t size = MAX_CHUNK;
	int err;

	if (pages == ACLKM_PAGES_HUGE1G) {
		*out = SIZE_1G;
		return ACLKM_OK;
	}
	err = backend_get(&backend);
	if (err)
		return err;
	err = backend->info(&info);
	if (err)
		return err;
	while (size > MIN_CHUNK && size > info.total / CHUNK_FRACTION)
		size /= 2;
	if (pages == ACLKM_PAGES_HUGE_ONLY && size < SIZE_2M)
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
}

static void unlink_shared(struct chunk *chunk)
{
	if (chunk->prev)
		chunk->prev->next = chunk->next;
	else
		chunk->heap->shared = chunk->next;
	if (chunk->next)
		chunk->next->prev = chunk->prev;
}

int chunk_add(struct heap *heap, uint64_t size, uint64_t align, bool shared,
	      struct chunk **out)
{
	const struct backend *backend;
	struct chunk *chunk;
	uint64_t page = va_page_size();
	int err;

	err = backend_get(&backend);
	if (err)
		return err;
	chunk = calloc(1, sizeof(*chunk));
	if (!chunk)
		return ACLKM_ERR_NOHEAP;
	err = backend->region_alloc(size, align > page ? align : page, heap->pages,
				    &chunk->region);
	if (err)
		goto free;
	err = extents_init(&chunk->extents, (uint64_t)(uintptr_t)chunk->region.addr,
			   chunk->region.size);
	if (err)
		goto give_back;

	chunk->heap = heap;
	chunk->shared = shared;
	tree_insert(&all_chunks, &chunk->by_addr);
	if (shared)
		link_shared(chunk);
	*out = chunk;
	return ACLKM_OK;
give_back:
	backend->region_free(&chunk->region);
free:
	free(chunk);
	return err;
}

void chunk_remove(struct chunk *chunk)
{
	const struct backend *backend;

	tree_erase(&all_chunks, &chunk->by_addr);
	if (chunk->shared)
		unlink_shared(chunk);
	extents_destroy(&chunk->extents);
	if (!backend_get(&backend))
		backend->region_free(&chunk->region);
	free(chunk);
}

bool chunk_drop_spare(struct heap *heap)
{
	struct chunk *spare = heap->spare;

	heap->spare = NULL;
	if (!spare || spare->extents.used)
		return false;
	chunk_remove(spare);
	return true;
}

void chunk_emptied(struct chunk *chunk)
{
	struct heap *heap = chunk->heap;

	if (chunk->extents.used)
		return;
	/* A 1 GiB page is too much to keep for nothing. */
	if (!chunk->shared || heap->pages == ACLKM_PAGES_HUGE1G) {
		chunk_remove(chunk);
		return;
	}
	if (heap->spare && heap->spare != chunk)
		chunk_drop_spare(heap);
	heap->spare = chunk;
}

int chunk_find(uint64_t addr, struct chunk **chunk, struct extent **piece)
{
	struct chunk key = {.extents.base = addr};
	struct tree_node *node = tree_floor(&all_chunks, &key.by_addr);

	if (!node)
		return ACLKM_ERR_FOREIGN;
	*chunk = tree_entry(node, struct chunk, by_addr);
	return extents_find(&(*chunk)->extents, addr, piece);
}
