// SPDX-License-Identifier: MIT
#include "alloc/heap.h"

#include <pthread.h>

#include "backend/backend.h"
#include "alloc/chunk.h"
#include "base/base.h"
#include "alloc/heaps.h"
#include "alloc/reclaim.h"
#include "alloc/slab.h"
#include "alloc/tcache.h"

/* Pieces up to this alignment are rounded to it, so that no slivers remain. */
#define MAX_GRANULE 4096

static bool is_paged(const struct heap_request *request)
{
	return request->asked - request->shift >= HEAP_PAGE;
}

/*
 * A block of a page or more starts on a page, so that it can be shared or registered
 * without its neighbours; a block of whole huge pages starts on one. Callers of the
 * native API say themselves what they need, and pools divide a block that is aligned
 * already.
 */
static uint64_t piece_align(const struct heap_request *request)
{
	uint64_t align = HEAP_PAGE, page;

	if (!is_paged(request) || request->kind == ACLKM_KIND_POOL ||
	    request->kind == ACLKM_KIND_NATIVE)
		return request->align;
	page = va_page_size();
	if (request->pages == ACLKM_PAGES_HUGE_ONLY && request->asked >= SIZE_2M)
		align = SIZE_2M;
	else if (request->asked >= page)
		align = page;
	return align > request->align ? align : request->align;
}

static int piece_size(const struct heap_request *request, uint64_t *out)
{
	uint64_t granule = request->align;

	if (granule > MAX_GRANULE)
		granule = MAX_GRANULE;
	return aclkm_align_up(request->ruled, granule, out);
}

static int alloc_own(struct heap *heap, uint64_t size, uint64_t align, bool fresh,
		     struct extent **out)
{
	struct chunk *chunk = fresh ? NULL : chunk_reuse(heap, size, align);
	int err = ACLKM_OK;

	if (!chunk)
		err = chunk_add(heap, size, align, false, fresh, &chunk);
	if (err)
		return err;
	err = extents_alloc(&chunk->extents, size, align, out);
	if (err)
		chunk_remove(chunk);
	return err;
}

static int alloc_piece(struct heap *heap, uint64_t size, uint64_t align, bool alone,
		       struct extent **out)
{
	uint64_t bytes = heap->chunk_bytes;
	struct chunk *chunk;
	int err;

	if (!alone && size <= bytes / 2 && align <= heap_chunk_align(bytes)) {
		err = chunk_piece(heap, size, align, &chunk, out);
		if (err != ACLKM_ERR_NOMEM)
			return err;
	}
	return alloc_own(heap, size, align, alone, out);
}

static int know_chunk_size(struct heap *heap)
{
	int err = ACLKM_OK;
	uint64_t bytes;

	/* Written once. */
	if (__builtin_expect(__atomic_load_n(&heap->chunk_bytes, __ATOMIC_ACQUIRE) != 0,
			     1))
		return ACLKM_OK;
	pthread_mutex_lock(&heap->lock);
	if (!heap->chunk_bytes) {
		err = chunk_size(heap, &bytes);
		if (!err)
			__atomic_store_n(&heap->chunk_bytes, bytes, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&heap->lock);
	return err;
}

static int alloc_large(struct heap *heap, const struct heap_request *request,
		       uint64_t size, void **out)
{
	struct extent *piece;
	int err;

	pthread_mutex_lock(&heap->lock);
	err = alloc_piece(heap, size, request->align, request->alone, &piece);
	if (!err) {
		piece->asked = request->asked;
		piece->ruled = request->ruled;
		piece->kind = (int)request->kind;
		piece->owner = request->owner;
		*out = (void *)(uintptr_t)piece->addr;
	}
	pthread_mutex_unlock(&heap->lock);
	return err;
}

/* Whether the block can be in a slab, and then the word that describes it. */
static bool is_small(const struct heap_request *request, uint64_t size, uint32_t *word)
{
	uint64_t bare =
		(request->asked + ACLKM_RULE_UNIT - 1) & ~(ACLKM_RULE_UNIT - 1ULL);
	uint64_t padding = request->ruled - bare;

	if (size > SMALL_MAX || request->align > SMALL_ALIGN ||
	    request->kind == ACLKM_KIND_POOL ||
	    (padding && padding != ACLKM_RULE_PADDING))
		return false;
	*word = word_tag(request->kind, (uint32_t)padding) | (uint32_t)request->asked;
	if (request->watched)
		*word |= WORD_WATCHED;
	return true;
}

static int alloc_small_slowly(struct heap *heap, uint32_t units, uint32_t word,
			      void **out)
{
	struct bins *bins = tcache_need(heap);

	/* Without rows a piece does. */
	if (!bins)
		return ACLKM_ERR_NOMEM;
	return tcache_refill(heap, bins, class_of_units[units], word, out);
}

/* From a slab; where there is no room for one more slab, a piece is tried. */
static int alloc_once(struct heap *heap, const struct heap_request *request,
		      uint64_t size, bool small, uint32_t word, void **out)
{
	int err = ACLKM_ERR_NOMEM;

	if (small)
		err = alloc_small_slowly(heap, (uint32_t)(size >> CLASS_UNIT_SHIFT), word,
					 out);
	if (err == ACLKM_ERR_NOMEM)
		err = alloc_large(heap, request, size, out);
	return err;
}

/* @keep: bytes of regions that may stay. */
static bool drop_kept(struct heap *heap, bool of_others, uint64_t keep)
{
	bool any;

	pthread_mutex_lock(&heap->lock);
	any = of_others && reclaim_rows(heap);
	tcache_drop_between(heap);
	slab_drop_empty(heap);
	if (chunk_kept() + heap->empty_bytes > keep)
		chunk_drop_spares(heap);
	pthread_mutex_unlock(&heap->lock);
	return any;
}

bool heap_drop_kept(uint32_t device, bool of_others)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < BUILTIN_HEAPS; i++)
		any |= drop_kept(heap_of(device, i), of_others, 0);
	return any;
}

void heap_trim(uint64_t keep)
{
	unsigned int i;

	tcache_flush();
	for (i = 0; i < BUILTIN_HEAPS * config_get()->devices; i++)
		drop_kept(heap_of(i / BUILTIN_HEAPS, i % BUILTIN_HEAPS), true, keep);
}

/* What other threads keep comes last: it is they who want it next. */
static int heap_alloc_slowly(struct heap *heap, const struct heap_request *request,
			     uint64_t size, bool small, uint32_t word, void **out)
{
	int err = know_chunk_size(heap), tries = 0;
	bool any = true;

	if (err)
		return err;
	err = alloc_once(heap, request, size, small, word, out);
	if (err != ACLKM_ERR_NOMEM)
		return err;
	tcache_flush();
	heap_drop_kept(heap->device, false);
	err = alloc_once(heap, request, size, small, word, out);
	/* Others who keep nothing may just have given back what they kept. */
	for (; err == ACLKM_ERR_NOMEM && any && tries < RECLAIM_TRIES; tries++) {
		any = heap_drop_kept(heap->device, true);
		err = alloc_once(heap, request, size, small, word, out);
	}
	return err;
}

int heap_alloc(const struct heap_request *wanted, void **out)
{
	unsigned int id = HEAP_ID(wanted->class, wanted->pages);
	struct heap_request aligned = *wanted;
	const struct heap_request *request = &aligned;
	uint32_t word = 0;
	uint64_t size;
	bool small;
	int err;

	aligned.align = piece_align(wanted);
	err = piece_size(request, &size);
	if (err)
		return error_set(err, "size = %llu leaves 64 bits by the rule's rounding",
				 (unsigned long long)request->asked);
	small = is_small(request, size, &word);
	if (small && tcache_mine != tcache_none) {
		struct row *row =
			bins_row(&tcache_mine->own[OWN_BINS(request->device, id)],
				 class_of_units[size >> CLASS_UNIT_SHIFT]);

		if (row_was_used(row) && row_take(row, word, out))
			return ACLKM_OK;
	}
	err = heap_alloc_slowly(heap_of(request->device, id), request, size, small, word,
				out);
	if (err == ACLKM_ERR_NOHEAP)
		error_no_records();
	/* It may be what the layer above has given back as not to be used. */
	if (!err && guard_is_watched())
		guard_forget(*out, request->ruled);
	return err;
}

static int heap_explain(int err, const void *ptr, int found)
{
	switch (err) {
	case ACLKM_ERR_KIND:
		return error_set(
			err, "address %p is %s memory: it has a free function of its own",
			ptr, kind_name((enum aclkm_kind)found));
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

/* The chunk whose region it is: that of the slab, and of the pool it is in, too. */
static struct chunk *chunk_of(uintptr_t entry)
{
	if (entry & TABLE_CHUNK)
		return (struct chunk *)(entry & ~TABLE_CHUNK);
	return chunk_whole(slab_read(((const struct slab *)entry)->chunk));
}

/* The chunk of an entry, with its heap's lock held; NULL: it has gone meanwhile. */
static struct chunk *lock_chunk(uintptr_t entry, uint64_t addr)
{
	struct chunk *chunk = chunk_of(entry);
	struct heap *heap = atomic_load_explicit(&chunk->heap, memory_order_relaxed);

	pthread_mutex_lock(&heap->lock);
	if (table_get(addr) == entry &&
	    atomic_load_explicit(&chunk->heap, memory_order_relaxed) == heap)
		return chunk;
	pthread_mutex_unlock(&heap->lock);
	return NULL;
}

static int free_large(uintptr_t entry, void *ptr, enum aclkm_kind kind)
{
	uint64_t addr = (uint64_t)(uintptr_t)ptr;
	struct chunk *chunk = lock_chunk(entry, addr);
	struct extent *piece;
	struct heap *heap;
	int err, found = 0;

	if (!chunk)
		return heap_explain(ACLKM_ERR_NOTALIVE, ptr, 0);
	heap = chunk->heap;
	err = extents_find(&chunk->extents, addr, &piece);
	if (!err && piece->kind != (int)kind) {
		found = piece->kind;
		err = ACLKM_ERR_KIND;
	}
	if (!err) {
		extents_free(&chunk->extents, piece);
		chunk_emptied(chunk);
	}
	pthread_mutex_unlock(&heap->lock);
	return heap_explain(err, ptr, found);
}

/* Why a block of a slab is not freed. */
static int refuse_small(const struct slab *slab, void *ptr)
{
	uint64_t offset, index = slab_index(slab, (uint64_t)(uintptr_t)ptr, &offset);
	uint32_t word;

	if (index >= slab_read(slab->slots))
		return heap_explain(ACLKM_ERR_NOTALIVE, ptr, 0);
	word = slab_read(slab->words[index]);
	if (!word_lives(word))
		return heap_explain(ACLKM_ERR_NOTALIVE, ptr, 0);
	if (offset)
		return heap_explain(ACLKM_ERR_INTERIOR, ptr, 0);
	return heap_explain(ACLKM_ERR_KIND, ptr, (int)word_kind(word) - 1);
}

static int heap_free_small(struct slab *slab, void *ptr, enum aclkm_kind kind)
{
	struct heap *heap = heap_of_id(slab_read(slab->heap));
	_Atomic uint32_t *word;
	struct bins *bins;
	uint64_t index;

	if (!slab_holds(slab, (uint64_t)(uintptr_t)ptr, &index))
		return refuse_small(slab, ptr);
	word = &slab->words[index];
	if (word_kind(slab_read(*word)) != (uint32_t)kind + 1)
		return refuse_small(slab, ptr);
	bins = tcache_need(heap);
	if (bins) {
		tcache_put(heap, bins, slab, ptr, word);
		return ACLKM_OK;
	}
	pthread_mutex_lock(&heap->lock);
	slab_push(heap, slab, (uint32_t)index);
	pthread_mutex_unlock(&heap->lock);
	return ACLKM_OK;
}

int heap_free(void *ptr, enum aclkm_kind kind)
{
	uintptr_t entry;

	if (tcache_free_mine(ptr, kind))
		return ACLKM_OK;
	entry = table_get((uint64_t)(uintptr_t)ptr);
	if (!entry)
		return heap_explain(ACLKM_ERR_FOREIGN, ptr, 0);
	if (entry & TABLE_CHUNK)
		return free_large(entry, ptr, kind);
	return heap_free_small((struct slab *)entry, ptr, kind);
}

static void heap_describe(const struct chunk *chunk, uint64_t addr,
			  struct heap_block *out)
{
	const struct region *region = &chunk_whole(chunk)->region;
	uint64_t offset = addr - (uint64_t)(uintptr_t)region->addr;

	out->class = (enum heap_class)chunk->heap->class;
	out->device = region->device;
	out->base = addr;
	out->page_size = region->page_size;
	out->phys_valid = region->phys_valid;
	out->contiguous = region->contiguous;
	out->phys = out->phys_valid ? region->phys + offset : 0;
}

static int find_small(const struct slab *slab, uint64_t addr, struct heap_block *out)
{
	uint64_t offset, index = slab_index(slab, addr, &offset);
	uint32_t word;

	if (index >= slab_read(slab->slots))
		return ACLKM_ERR_NOTALIVE;
	word = slab_read(slab->words[index]);
	if (!word_lives(word))
		return ACLKM_ERR_NOTALIVE;
	*out = (struct heap_block){
		.kind = (enum aclkm_kind)(word_kind(word) - 1),
		.asked = word & WORD_VALUE,
	};
	out->ruled = ((out->asked + ACLKM_RULE_UNIT - 1) & ~(ACLKM_RULE_UNIT - 1ULL)) +
		     (uint64_t)(word >> WORD_PADDING_SHIFT & WORD_PADDING_MASK) * 16;
	heap_describe(slab_read(slab->chunk), addr - offset, out);
	return ACLKM_OK;
}

static int find_large(uintptr_t entry, uint64_t addr, struct heap_block *out,
		      int (*fn)(struct heap_block *block, void *arg), void *arg)
{
	struct chunk *chunk = lock_chunk(entry, addr);
	struct extent *piece;
	struct heap *heap;
	int err;

	if (!chunk)
		return ACLKM_ERR_NOTALIVE;
	heap = chunk->heap;
	err = extents_find(&chunk->extents, addr, &piece);
	if (err == ACLKM_ERR_INTERIOR)
		err = ACLKM_OK;
	if (!err) {
		*out = (struct heap_block){
			.kind = (enum aclkm_kind)piece->kind,
			.asked = piece->asked,
			.ruled = piece->ruled,
			.owner = piece->owner,
		};
		heap_describe(chunk, piece->addr, out);
	}
	if (!err && fn)
		err = fn(out, arg);
	pthread_mutex_unlock(&heap->lock);
	return err;
}

int heap_find(const void *ptr, struct heap_block *out,
	      int (*fn)(struct heap_block *block, void *arg), void *arg)
{
	uint64_t addr = (uint64_t)(uintptr_t)ptr;
	uintptr_t entry = table_get(addr);
	int err;

	if (!entry)
		return ACLKM_ERR_FOREIGN;
	if (entry & TABLE_CHUNK)
		return find_large(entry, addr, out, fn, arg);
	err = find_small((const struct slab *)entry, addr, out);
	if (!err && fn)
		err = fn(out, arg);
	return err;
}

/* ACLKM_OK inside a block as well; the heap's lock is held. */
static int check_alive(struct chunk *chunk, uintptr_t entry, uint64_t addr)
{
	struct extent *piece;
	struct heap_block block;
	int err;

	if (!(entry & TABLE_CHUNK))
		return find_small((const struct slab *)entry, addr, &block);
	err = extents_find(&chunk->extents, addr, &piece);
	return err == ACLKM_ERR_INTERIOR ? ACLKM_OK : err;
}

/* The chunk around a living block, with its heap locked. */
static int find_shared(const void *ptr, struct chunk **chunk, uint64_t *offset)
{
	uint64_t addr = (uint64_t)(uintptr_t)ptr;
	uintptr_t entry = table_get(addr);
	int err;

	if (!entry)
		return heap_explain(ACLKM_ERR_FOREIGN, ptr, 0);
	*chunk = lock_chunk(entry, addr);
	if (!*chunk)
		return heap_explain(ACLKM_ERR_NOTALIVE, ptr, 0);
	err = check_alive(*chunk, entry, addr);
	if (err) {
		pthread_mutex_unlock(&(*chunk)->heap->lock);
		return heap_explain(err, ptr, 0);
	}
	*offset = addr - (uint64_t)(uintptr_t)(*chunk)->region.addr;
	return ACLKM_OK;
}

int heap_share(const void *ptr, uint64_t size, struct file_part *out)
{
	const struct backend *backend;
	struct chunk *chunk;
	uint64_t offset;
	int err = backend_get(&backend);

	if (!err)
		err = find_shared(ptr, &chunk, &offset);
	if (err)
		return err;
	err = backend->region_share(&chunk->region, offset, size, out);
	if (!err)
		chunk->exported = true;
	pthread_mutex_unlock(&chunk->heap->lock);
	return err;
}

/* Larger blocks always are freed by that layer. */
void heap_watch(const void *ptr)
{
	uint64_t addr = (uint64_t)(uintptr_t)ptr, offset, index;
	uintptr_t entry = table_get(addr);
	struct slab *slab = (struct slab *)entry;

	if (!entry || entry & TABLE_CHUNK)
		return;
	index = slab_index(slab, addr, &offset);
	if (index < slab_read(slab->slots) && word_lives(slab_read(slab->words[index])))
		atomic_fetch_or(&slab->words[index], WORD_WATCHED);
}

int heap_export(const void *ptr, uint64_t size, bool read_only, int *fd)
{
	const struct backend *backend;
	struct chunk *chunk;
	uint64_t offset;
	int err = backend_get(&backend);

	if (err)
		return err;
	if (!backend->region_export)
		return error_set(ACLKM_ERR_UNSUPPORTED, "the %s backend has no dma-bufs",
				 backend->name);
	err = find_shared(ptr, &chunk, &offset);
	if (err)
		return err;
	err = backend->region_export(&chunk->region, offset, size, read_only, fd);
	if (!err)
		chunk->exported = true;
	pthread_mutex_unlock(&chunk->heap->lock);
	return err;
}

const char *kind_name(enum aclkm_kind kind)
{
	static const char *const names[] = {"device", "host",	"dvpp",
					    "himpi",  "native", "pool"};

	return names[kind];
}

static void add_heap(struct heap *heap, struct aclkm_memory_totals *out)
{
	const struct chunk *chunk;

	pthread_mutex_lock(&heap->lock);
	for (chunk = heap->shared; chunk; chunk = chunk->next) {
		uint64_t largest = extents_largest(&chunk->extents);

		out->free += chunk->extents.size - chunk->extents.used;
		if (largest > out->largest)
			out->largest = largest;
	}
	for (chunk = heap->kept; chunk; chunk = chunk->next) {
		out->free += chunk->region.size;
		if (chunk->region.size > out->largest)
			out->largest = chunk->region.size;
	}
	out->free += heap->slab_bytes - heap->slab_out + tcache_kept(heap, NULL);
	pthread_mutex_unlock(&heap->lock);
}

int heap_totals(uint32_t device, struct aclkm_memory_totals *out)
{
	const struct backend *backend;
	struct backend_info info;
	unsigned int i;
	int err;

	err = backend_get(&backend);
	if (!err)
		err = backend->info(device, &info);
	if (err)
		return err;
	*out = (struct aclkm_memory_totals){.total = info.total,
					    .free = info.free,
					    .largest = info.largest,
					    .backend = backend->name};
	for (i = 0; i < BUILTIN_HEAPS; i++)
		add_heap(heap_of(device, i), out);
	return ACLKM_OK;
}
