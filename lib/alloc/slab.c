// SPDX-License-Identifier: MIT
#include "alloc/slab.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "alloc/chunk.h"
#include "base/base.h"
#include "alloc/mark.h"

/* Records come from mappings of this size and go to a list for each room. */
#define RECORD_MAP (256U << 10)
#define ROOMS 11 /* up to 2^10 words */
#define MIN_ROOM 4

/* With checks: of all records. Only what is used takes memory. */
#define RESERVED_RECORDS (256ULL << 20)

/* A slab is at most this part of a chunk, so that a small device holds many. */
#define CHUNK_SLABS 8

/* Forgets the slabs of a range before their records are used again. */
static void (*_Atomic slab_forget_near)(uint64_t base, uint64_t size);

static pthread_mutex_t records_lock = PTHREAD_MUTEX_INITIALIZER;
static struct slab *records[ROOMS]; /* unused */
static struct slab *newest;	    /* of all records */
static char *fresh, *fresh_end;
static char *reserved, *reserved_end; /* with checks */
uintptr_t check_marks;
static _Atomic uint64_t record_bytes;

static uint64_t record_size(unsigned int room)
{
	uint64_t size = offsetof(struct slab, words) + (sizeof(uint32_t) << room);

	return (size + 63) & ~63ULL;
}

static char *map_bytes(uint64_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return map == MAP_FAILED ? NULL : map;
}

/* See mark.h. */
static bool slab_reserve(void)
{
	char *map = map_bytes(RESERVED_RECORDS * (1 + MARK_FACTOR));

	if (!map)
		return false;
	reserved = map;
	reserved_end = map + RESERVED_RECORDS;
	check_marks = (uintptr_t)reserved_end - MARK_FACTOR * (uintptr_t)map;
	return true;
}

static char *map_records(void)
{
	char *map;

	if (!config_get()->check.checks)
		return map_bytes(RECORD_MAP);
	if (!reserved && !slab_reserve())
		return NULL;
	if (reserved == reserved_end)
		return NULL;
	map = reserved;
	reserved += RECORD_MAP;
	return map;
}

static struct slab *record_cut(unsigned int room)
{
	uint64_t size = record_size(room);
	struct slab *slab;

	if ((uint64_t)(fresh_end - fresh) < size) {
		char *map = map_records();

		if (!map)
			return NULL;
		fresh = map;
		fresh_end = fresh + RECORD_MAP;
	}
	slab = (struct slab *)(void *)fresh;
	fresh += size;
	slab->room = (uint8_t)room;
	slab->older = newest;
	newest = slab;
	atomic_fetch_add(&record_bytes, size);
	return slab;
}

static struct slab *record_get(uint32_t slots)
{
	unsigned int room = MIN_ROOM;
	struct slab *slab;

	while ((1U << room) < slots)
		room++;
	pthread_mutex_lock(&records_lock);
	slab = records[room];
	if (slab)
		records[room] = slab->next;
	else
		slab = record_cut(room);
	pthread_mutex_unlock(&records_lock);
	return slab;
}

static void record_put(struct slab *slab)
{
	pthread_mutex_lock(&records_lock);
	slab->next = records[slab->room];
	records[slab->room] = slab;
	pthread_mutex_unlock(&records_lock);
}

void slab_each(void (*fn)(const struct slab *slab, void *arg), void *arg)
{
	const struct slab *slab;

	pthread_mutex_lock(&records_lock);
	slab = newest;
	pthread_mutex_unlock(&records_lock);
	for (; slab; slab = slab->older) {
		if (slab_read(slab->slots))
			fn(slab, arg);
	}
}

uint64_t slab_record_bytes(void)
{
	return atomic_load(&record_bytes);
}

static void list(struct heap *heap, struct slab *slab)
{
	struct slab **head = &heap->slabs[slab->group][slab_read(slab->class)];

	slab->prev = NULL;
	slab->next = *head;
	if (slab->next)
		slab->next->prev = slab;
	*head = slab;
	slab->listed = true;
}

static void unlist(struct heap *heap, struct slab *slab)
{
	if (slab->prev)
		slab->prev->next = slab->next;
	else
		heap->slabs[slab->group][slab_read(slab->class)] = slab->next;
	if (slab->next)
		slab->next->prev = slab->prev;
	slab->listed = false;
}

static void slab_set(_Atomic uint32_t *word, uint32_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

/* They may be of blocks that the record was for before. */
static void forget_marks(struct slab *slab, uint32_t slots)
{
	uint32_t i;

	for (i = 0; i < slots; i++)
		slab_set(&mark_of(&slab->words[i])->given, MARK_NONE);
}

static void slab_fill(struct heap *heap, struct slab *slab, unsigned int class,
		      const struct extent *piece, uint32_t slots)
{
	uint32_t size = classes[class].size, i;

	atomic_store_explicit(&slab->slots, 0, memory_order_relaxed);
	atomic_store_explicit(&slab->base, piece->addr, memory_order_relaxed);
	atomic_store_explicit(&slab->magic, UINT64_MAX / size + 1, memory_order_relaxed);
	atomic_store_explicit(&slab->size, size, memory_order_relaxed);
	atomic_store_explicit(&slab->class, (uint8_t) class, memory_order_relaxed);
	atomic_store_explicit(&slab->heap, heap->id, memory_order_relaxed);
	slab->used = 0;
	slab->free = 0;
	if (config_get()->check.checks)
		forget_marks(slab, slots);
	for (i = 0; i < slots; i++)
		slab_set(&slab->words[i], i + 1 < slots ? i + 2 : WORD_END);
	atomic_store_explicit(&slab->slots, slots, memory_order_relaxed);
}

static int slab_add(struct heap *heap, unsigned int class, unsigned int group,
		    uint32_t row)
{
	uint64_t most = heap->chunk_bytes / CHUNK_SLABS & ~(GRANULE - 1);
	uint32_t span = classes[class].span;
	struct extent *piece;
	struct chunk *chunk;
	struct slab *slab;
	uint32_t slots;
	int err;

	if (span > most)
		span = (uint32_t)most;
	slots = span / classes[class].size;
	if (!slots)
		return ACLKM_ERR_NOMEM;
	slab = record_get(slots);
	if (!slab)
		return ACLKM_ERR_NOHEAP;
	err = chunk_piece(heap, span, GRANULE, &chunk, &piece);
	if (err) {
		record_put(slab);
		return err;
	}
	slab_fill(heap, slab, class, piece, slots);
	atomic_store_explicit(&slab->row, row, memory_order_relaxed);
	atomic_store_explicit(&slab->chunk, chunk, memory_order_relaxed);
	slab->piece = piece;
	slab->group = (uint8_t)group;
	heap->slab_bytes += span;
	heap->slab_count++;
	heap->empty[group][class]++;
	list(heap, slab);
	table_set(piece->addr, span, (uintptr_t)slab);
	return ACLKM_OK;
}

static void slab_adopt(struct heap *heap, struct slab *slab, unsigned int group)
{
	unsigned int class = slab_read(slab->class);

	unlist(heap, slab);
	if (!slab->used) {
		heap->empty[slab->group][class]--;
		heap->empty[group][class]++;
	}
	slab->group = (uint8_t)group;
	list(heap, slab);
}

uint32_t slab_pop(struct heap *heap, struct slab *slab)
{
	uint32_t index = slab->free;
	uint32_t next = slab_read(slab->words[index]);

	slab->free = next == WORD_END ? SLAB_NONE : (uint16_t)(next - 1);
	slab_set(&slab->words[index], WORD_KEPT);
	if (!slab->used++)
		heap->empty[slab->group][slab_read(slab->class)]--;
	if (slab->free == SLAB_NONE)
		unlist(heap, slab);
	heap->slab_out += slab_read(slab->size);
	heap->slab_blocks++;
	return index;
}

void slab_set_forget(void (*fn)(uint64_t base, uint64_t size))
{
	atomic_store(&slab_forget_near, fn);
}

/* Where no thread has a cache, none finds a slab without the table. */
static void forget_near(uint64_t base, uint64_t size)
{
	void (*fn)(uint64_t base, uint64_t size) = atomic_load(&slab_forget_near);

	if (fn)
		fn(base, size);
}

static void slab_drop(struct heap *heap, struct slab *slab)
{
	struct extent *piece = slab->piece;
	struct chunk *chunk = slab_read(slab->chunk);

	if (slab->listed)
		unlist(heap, slab);
	heap->empty[slab->group][slab_read(slab->class)]--;
	heap->slab_bytes -= piece->size;
	heap->slab_count--;
	atomic_store_explicit(&slab->slots, 0, memory_order_relaxed);
	table_set(piece->addr, piece->size, chunk->entry);
	forget_near(piece->addr, piece->size);
	extents_free(&chunk->extents, piece);
	record_put(slab);
	chunk_emptied(chunk);
}

void slab_push(struct heap *heap, struct slab *slab, uint32_t index)
{
	unsigned int class = slab_read(slab->class);

	slab_set(&slab->words[index],
		 slab->free == SLAB_NONE ? WORD_END : (uint32_t)slab->free + 1);
	slab->free = (uint16_t)index;
	heap->slab_out -= slab_read(slab->size);
	heap->slab_blocks--;
	if (!slab->listed)
		list(heap, slab);
	if (--slab->used)
		return;
	if (++heap->empty[slab->group][class] > 1)
		slab_drop(heap, slab);
}

static void slab_drop_empty_of(struct heap *heap, unsigned int group, unsigned int class)
{
	struct slab *slab, *next;

	for (slab = heap->slabs[group][class]; slab && heap->empty[group][class];
	     slab = next) {
		next = slab->next;
		if (slab->used)
			continue;
		slab_drop(heap, slab);
	}
}

void slab_drop_empty(struct heap *heap)
{
	unsigned int group, class;

	for (group = 0; group < SLAB_GROUPS && heap->slab_count; group++) {
		for (class = 0; class < CLASSES; class ++)
			slab_drop_empty_of(heap, group, class);
	}
}

void slab_forget(uint64_t base, uint64_t size, uintptr_t entry)
{
	uint64_t at;

	forget_near(base, size);
	for (at = base; at - base < size; at += GRANULE) {
		uintptr_t found = table_get(at);
		struct slab *slab = (struct slab *)found;

		if (!found || found & TABLE_CHUNK)
			continue;
		if (slab_read(slab->base) != at)
			continue;
		atomic_store_explicit(&slab->slots, 0, memory_order_relaxed);
		record_put(slab);
	}
	table_set(base, size, entry);
}

/* Of a pool so much may be free in slabs before one group takes another's: it divides. */
#define POOL_SPARE_DIVISOR 16

static _Atomic uint32_t threads[SLAB_GROUPS];

uint8_t group_join(void)
{
	uint8_t group, least = 0;

	for (group = 1; group < SLAB_GROUPS; group++) {
		if (atomic_load(&threads[group]) < atomic_load(&threads[least]))
			least = group;
	}
	atomic_fetch_add(&threads[least], 1);
	return least;
}

void group_leave(uint8_t group)
{
	atomic_fetch_sub(&threads[group], 1);
}

/* A slab of any group, or of those that have no thread; NULL: none has free blocks. */
static struct slab *slab_of_others(struct heap *heap, unsigned int class, bool of_any)
{
	unsigned int group;

	for (group = 0; group < SLAB_GROUPS; group++) {
		if (heap->slabs[group][class] &&
		    (of_any || !atomic_load(&threads[group])))
			return heap->slabs[group][class];
	}
	return NULL;
}

/*
 * Whether more is free in the heap's slabs than in a chunk of the device's, or a small
 * part of a pool: each group having slabs of its own would use up a small one.
 */
static bool has_spare(const struct heap *heap)
{
	uint64_t divisor = heap->fixed ? POOL_SPARE_DIVISOR : 1;

	return heap->slab_bytes - heap->slab_out >= heap->chunk_bytes / divisor;
}

/*
 * One for a group that has none with free blocks: others' if nobody else takes from it,
 * or where memory is short.
 */
static int find_slab(struct heap *heap, unsigned int group, unsigned int class,
		     uint32_t row)
{
	struct slab *slab = slab_of_others(heap, class, has_spare(heap));
	int err = slab ? ACLKM_OK : slab_add(heap, class, group, row);

	if (err)
		slab = slab_of_others(heap, class, true);
	if (!slab)
		return err;
	slab_adopt(heap, slab, group);
	return ACLKM_OK;
}

int group_slab(struct heap *heap, unsigned int group, unsigned int class, uint32_t row,
	       struct slab **out)
{
	int err =
		heap->slabs[group][class] ? ACLKM_OK : find_slab(heap, group, class, row);

	*out = heap->slabs[group][class];
	return err;
}
