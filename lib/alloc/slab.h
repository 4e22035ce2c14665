/* SPDX-License-Identifier: MIT */
/*
 * A slab: a piece of a chunk divided into blocks of one class. What is known of
 * each block is a word beside the slab's record, outside of the memory:
 *
 *   in use    bits 28..31 kind + 1, bit 27 something above the heap must hear of its
 *             free, bits 24..25 padding / 16, bits 0..23 bytes asked
 *   pending   as in use, with bits 28..31 all set: freed in a stream that is not there
 *   held      bits 28..31 are 14: freed, and held back by the checks
 *   kept      0: free, in some thread's cache
 *   free      bits 24..31 are 0, bits 0..23 the next free block + 1, or END
 *
 * Lists and counts are under the heap's lock. Words, and what is needed to find
 * one from an address, are read without it; records are never unmapped and keep
 * their number of words for life.
 */
#ifndef LIB_SLAB_H
#define LIB_SLAB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aclkm/memory.h"
#include "alloc/size_class.h"

#define WORD_KIND_SHIFT 28
#define WORD_WATCHED_SHIFT 27
#define WORD_WATCHED (1U << WORD_WATCHED_SHIFT)
#define WORD_PADDING_SHIFT 24
#define WORD_PADDING_MASK 3U
#define WORD_VALUE 0xffffffU
#define WORD_KEPT 0U
#define WORD_END WORD_VALUE
#define WORD_PENDING (0xfU << WORD_KIND_SHIFT)
#define WORD_HELD (0xeU << WORD_KIND_SHIFT)

struct chunk;
struct extent;
struct heap;

struct slab {
	/* Under the heap's lock, but for what is atomic. */
	struct slab *next, *prev;
	struct extent *piece;
	struct chunk *_Atomic chunk;
	struct slab *older;    /* record: all there ever were; under a lock of its own */
	uint16_t used;	       /* blocks in use or kept */
	uint16_t free;	       /* first free block, or SLAB_NONE */
	_Atomic uint32_t size; /* of a block */
	_Atomic uint16_t heap; /* its number */
	_Atomic uint8_t class;
	uint8_t room;  /* log2 of the words that the record has */
	uint8_t group; /* whose threads take blocks of it */
	bool listed;   /* in the heap's list of slabs with free blocks */

	/*
	 * What a free needs, and the first words, in one line of the cache. Relaxed
	 * atomics, as those above: one who holds a stale pointer may read them.
	 */
	_Alignas(64) _Atomic uint64_t base;
	_Atomic uint64_t magic; /* 2^64 / size of a block, rounded up */
	_Atomic uint32_t slots;
	_Atomic uint32_t row; /* where a thread's row for it is */
	_Atomic uint32_t words[];
};

#define SLAB_NONE 0xffff
static inline uint32_t word_kind(uint32_t word)
{
	return word >> WORD_KIND_SHIFT; /* kind + 1; 0: free */
}

/* Whether the block is in use and not freed in any way. */
static inline bool word_lives(uint32_t word)
{
	return word_kind(word) && word < WORD_HELD;
}

/* Whether it is in use as @kind, and no layer above has to hear of its free. */
static inline bool word_is_plain(uint32_t word, enum aclkm_kind kind)
{
	return word >> WORD_WATCHED_SHIFT == (uint32_t)(kind + 1) << 1;
}

static inline uint32_t word_tag(enum aclkm_kind kind, uint32_t padding)
{
	return (uint32_t)(kind + 1) << WORD_KIND_SHIFT | (padding / 16)
								 << WORD_PADDING_SHIFT;
}

#define slab_read(field) atomic_load_explicit(&(field), memory_order_relaxed)

/* Which block of @slab @addr lies in; @offset: how far behind its start. */
static inline uint64_t slab_index(const struct slab *slab, uint64_t addr,
				  uint64_t *offset)
{
	uint64_t in = addr - slab_read(slab->base);
	uint64_t index = (uint64_t)((unsigned __int128)in * slab_read(slab->magic) >> 64);

	*offset = in - index * slab_read(slab->size);
	return index;
}

/*
 * Whether a block of @slab starts at @addr, and which. The lower half of the
 * product is less than the factor just where nothing is left over.
 */
static inline bool slab_holds(const struct slab *slab, uint64_t addr, uint64_t *index)
{
	uint64_t magic = slab_read(slab->magic);
	unsigned __int128 product =
		(unsigned __int128)(addr - slab_read(slab->base)) * magic;

	*index = (uint64_t)(product >> 64);
	if (__builtin_expect((uint64_t)product >= magic, 0))
		return false;
	return *index < slab_read(slab->slots);
}

/* All under the heap's lock. */

/*
 * Threads are in groups, each with slabs of its own (see SLAB_GROUPS). The group with the
 * fewest threads has one more; the group has one less. The caller has the lock of all
 * caches.
 */
uint8_t group_join(void);
void group_leave(uint8_t group);

/*
 * A slab of the group with free blocks; @row is what a new one has there.
 * ACLKM_ERR_NOMEM, ACLKM_ERR_NOHEAP.
 */
int group_slab(struct heap *heap, unsigned int group, unsigned int class, uint32_t row,
	       struct slab **out);

/* A free block of @slab, which has one; its word becomes 0. */
uint32_t slab_pop(struct heap *heap, struct slab *slab);

/* Gives the block back; the slab goes when it is empty and not the last one. */
void slab_push(struct heap *heap, struct slab *slab, uint32_t index);

/* Gives empty slabs back to their chunks. */
void slab_drop_empty(struct heap *heap);

/* Forgets the slabs of a range that goes as a whole; its entries become @entry. */
void slab_forget(uint64_t base, uint64_t size, uintptr_t entry);

/*
 * @fn is called before the record of a slab in the range is used again: a thread that
 * reads it meanwhile could find half of what it was and half of what it is.
 */
void slab_set_forget(void (*fn)(uint64_t base, uint64_t size));

/* Calls @fn for every slab there is. Without the lock of any heap. */
void slab_each(void (*fn)(const struct slab *slab, void *arg), void *arg);

/* Bytes of all records. */
uint64_t slab_record_bytes(void);

#endif /* LIB_SLAB_H */
