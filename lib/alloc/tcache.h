/* SPDX-License-Identifier: MIT */
/*
 * What each thread keeps of freed small blocks: for each heap and class a stack
 * (row) of addresses with the words that belong to them. The fast path takes from
 * a row and puts to it, and touches nothing that another thread writes.
 *
 * Where memory is short, others take what a row has, too: see reclaim.h.
 *
 * A block in a row has the word 0. Only the thread moves a row's top; others read
 * how full it is, for the totals.
 *
 * Written for few instructions: an empty row has a word below it that is never 0,
 * so that one test covers "empty" and "in use"; a thread without a cache has
 * tcache_none, which refuses all; an address is first looked up in a small table
 * of the thread: a slab that does not hold the address, or a block that is not in use
 * there, sends it the slow way.
 */
#ifndef LIB_TCACHE_H
#define LIB_TCACHE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alloc/size_class.h"
#include "alloc/slab.h"
#include "alloc/heaps.h"
#include "alloc/table.h"

/*
 * From the length that is asked for to the row of blocks that are long enough under a
 * rule, for small ones: by a table, so that the fast path reads once and adds once.
 */

/* All lengths of a step round up to the same. */
#define ROUNDING_STEP 32

struct rounding {
	_Atomic uint64_t limit; /* it has a length if that less 1 is below; 0: none */
	uint32_t tag;		/* of the blocks' words; see word_tag */
	uint32_t rows[EXACT_MAX / ROUNDING_STEP]; /* where in struct bins */
};

/*
 * Of a rule that adds @padding and rounds to @align, with @shift bytes, a multiple of the
 * step, before each block. Pure.
 */
struct rounding rounding_of(enum aclkm_kind kind, uint32_t padding, uint64_t align,
			    uint64_t shift);

/* Where in tcache.own the bins of a heap are that is no pool's. */
static inline unsigned int own_bins(unsigned int id)
{
	return id < BUILTIN_HEAPS ? id : id - POOL_HEAPS;
}

#define NEAR 2048 /* granules that a thread finds at once */

struct kept {
	void *ptr;
	/* Of a row's: tcache_end once another thread has taken the block. */
	_Atomic uint32_t *_Atomic word;
};

#define BATCH_MAX (CACHE_MAX / 2) /* blocks: struct class_info's batch, at most */

struct row {
	struct kept *_Atomic top; /* the last one; NULL: never used */
	struct kept *limit;
	struct kept kept[CACHE_MAX + 2]; /* the first is the empty row's end */
	uint64_t taken; /* blocks of it that others took; under the heap's lock */
};

struct bins {
	struct row rows[CLASSES + 1]; /* class c has row c + 1 */
	_Atomic uint64_t generation;  /* of the pool, when these were made */
};

struct tcache {
	struct rounding device; /* of aclrtMalloc; its limit is 0 while it is not armed */
	uint64_t device_limit;	/* the limit while it is */
	struct bins *device_bins; /* then: of the device that the thread uses */
	/* device.rows in them; the empty one where a row was never used. */
	struct row *device_rows[EXACT_MAX / ROUNDING_STEP];
	struct row empty;	/* in the place of rows that were never used */
	struct rounding native; /* of aclkm_memory_alloc with alignment 64 */
	_Atomic uint64_t
		checked_limit; /* with checks: as device.limit, by their rounding */
	struct slab *_Atomic near[NEAR];	/* of slabs that are there */
	struct bins *_Atomic pools[POOL_HEAPS]; /* NULL until the pool is used */
	struct tcache *next;			/* all there ever were */
	bool in_use;
	uint8_t group;	   /* of slabs, from which it takes */
	struct bins own[]; /* BUILTIN_HEAPS of each device; tcache_none has none */
};

extern struct tcache *const tcache_none;

/* A word that is never WORD_KEPT: row_take refuses what has it. */
extern _Atomic uint32_t tcache_end;

extern _Atomic uint64_t tcache_epoch;

/* This thread's; tcache_none before its first slow path, after its last, after fork. */
extern _Thread_local struct tcache *tcache_mine;

static inline struct row *bins_row(struct bins *bins, unsigned int class)
{
	return &bins->rows[class + 1];
}

static inline struct row *bins_at(struct bins *bins, uint32_t at)
{
	return (struct row *)((char *)bins + at);
}

/* The row for blocks of @len bytes, which the rounding has. */
static inline struct row *bins_row_for(struct bins *bins, const struct rounding *rounding,
				       uint64_t len)
{
	return bins_at(bins, rounding->rows[(len - 1) / ROUNDING_STEP]);
}

static inline bool row_was_used(const struct row *row)
{
	return __builtin_expect(
		atomic_load_explicit(&row->top, memory_order_relaxed) != NULL, 1);
}

/*
 * The word of the row's last block, which is this thread's alone from here on if it is
 * WORD_KEPT. The row was used before; row_raise undoes it. The order of the two
 * accesses is what reclaim.c builds on: it has the processors follow it.
 */
static inline _Atomic uint32_t *row_lower(struct row *row, struct kept *top)
{
	atomic_store_explicit(&row->top, top - 1, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	return slab_read(top->word);
}

static inline void row_raise(struct row *row, struct kept *top)
{
	atomic_store_explicit(&row->top, top, memory_order_relaxed);
}

/*
 * A block whose word becomes @word; false: go the slow way. A row never holds what
 * is in use, but where two threads freed a block at the same time: such a one is
 * left to the slow way, which forgets it. The row was used before.
 */
static inline bool row_take(struct row *row, uint32_t word, void **out)
{
	struct kept *top = slab_read(row->top);
	_Atomic uint32_t *at = row_lower(row, top);

	if (__builtin_expect(slab_read(*at) != WORD_KEPT, 0)) {
		row_raise(row, top);
		return false;
	}
	*out = top->ptr;
	atomic_store_explicit(at, word, memory_order_relaxed);
	return true;
}

/* False: the row is full, or was never used. */
static inline bool row_put(struct row *row, void *ptr, _Atomic uint32_t *word)
{
	struct kept *top = slab_read(row->top);

	if (__builtin_expect(top == row->limit, 0))
		return false;
	top[1].ptr = ptr;
	atomic_store_explicit(&top[1].word, word, memory_order_relaxed);
	atomic_store_explicit(word, WORD_KEPT, memory_order_relaxed);
	/* Who sees it sees the block, and all that was written in it. */
	atomic_store_explicit(&row->top, top + 1, memory_order_release);
	return true;
}

/* A block by @rounding for @len bytes; false: go the slow way. Notes nothing. */
static inline bool tcache_alloc(struct bins *bins, const struct rounding *rounding,
				uint64_t len, void **out)
{
	struct row *row;

	if (__builtin_expect(len - 1 >= slab_read(rounding->limit), 0))
		return false;
	row = bins_row_for(bins, rounding, len);
	return row_was_used(row) && row_take(row, rounding->tag | (uint32_t)len, out);
}

/* As tcache_alloc, of the device that the thread uses. */
static inline bool tcache_alloc_device(struct tcache *mine, uint64_t len, void **out)
{
	if (__builtin_expect(len - 1 >= slab_read(mine->device.limit), 0))
		return false;
	return row_take(mine->device_rows[(len - 1) / ROUNDING_STEP],
			mine->device.tag | (uint32_t)len, out);
}

/*
 * Whether this thread may take device memory without being asked for its context
 * again. tcache_arm says so when it has one; whatever ends a context calls
 * tcache_disarm, for all threads; what gives this thread another one,
 * tcache_disarm_mine.
 */
static inline bool tcache_is_armed(const struct tcache *mine)
{
	return slab_read(mine->device.limit);
}

/* @epoch: tcache_epoch, read before the context was found good, which is of @device. */
void tcache_arm(uint64_t epoch, uint32_t device);
void tcache_disarm(void);

/* Threads set their context anew all the time: the others need not hear of it. */
void tcache_disarm_mine(void);

/* The same for blocks that are checked, up to @limit bytes. */
void tcache_arm_checked(uint64_t epoch, uint32_t device, uint64_t limit);

static inline struct slab *_Atomic *near_slot(struct tcache *mine, uint64_t addr)
{
	return &mine->near[addr >> GRANULE_SHIFT & (NEAR - 1)];
}

/* A block of @slab, at @addr, is not freed yet. */
static inline void near_set(uint64_t addr, struct slab *slab)
{
	atomic_store_explicit(near_slot(tcache_mine, addr), slab, memory_order_relaxed);
}

/*
 * Frees a block of @kind to @rows; false: go the slow way. Notes nothing. @slab: what
 * near_slot has.
 */
static inline bool tcache_free(struct slab *slab, void *rows, void *ptr,
			       enum aclkm_kind kind)
{
	_Atomic uint32_t *word;
	uint64_t index;

	if (__builtin_expect(!slab_holds(slab, (uint64_t)(uintptr_t)ptr, &index), 0))
		return false;
	word = &slab->words[index];
	if (__builtin_expect(!word_is_plain(slab_read(*word), kind), 0))
		return false;
	return row_put((struct row *)((char *)rows + slab_read(slab->row)), ptr, word);
}

/* As tcache_free, for what is no segment of a pool. */
static inline bool tcache_free_mine(void *ptr, enum aclkm_kind kind)
{
	struct tcache *mine = tcache_mine;

	return tcache_free(slab_read(*near_slot(mine, (uint64_t)(uintptr_t)ptr)), mine,
			   ptr, kind);
}

/* The slow way. */

/* Bins of this thread for @heap, made if need be; NULL: no memory for them. */
struct bins *tcache_need(struct heap *heap);

/* A block, after some were taken to the row. ACLKM_ERR_NOMEM, ACLKM_ERR_NOHEAP. */
int tcache_refill(struct heap *heap, struct bins *bins, unsigned int class, uint32_t word,
		  void **out);

/* Puts a block, after the older half was given back where the row was full. */
void tcache_put(struct heap *heap, struct bins *bins, struct slab *slab, void *ptr,
		_Atomic uint32_t *word);

/* Gives everything back that this thread keeps. */
void tcache_flush(void);

/* Of all caches but this thread's, whether threads have them or not. */
void tcache_each_other(void (*fn)(struct tcache *cache, void *arg), void *arg);

/* What a cache keeps of the heap now; NULL: nothing. Under the heap's lock. */
struct bins *tcache_bins(struct tcache *cache, const struct heap *heap);

/* How many places of a row are in use; under the heap's lock, how many with a block. */
uint64_t row_count(const struct row *row);
uint64_t row_left(const struct row *row);

/* Gives a block back to its slab; under the heap's lock. */
void tcache_give(struct heap *heap, const struct kept *kept);

/* Gives back what is on its way from one thread to another; under the heap's lock. */
void tcache_drop_between(struct heap *heap);

/*
 * Bytes that all threads keep of the heap's blocks, and that lie between them; @blocks,
 * if any: how many. Under the heap's lock.
 */
uint64_t tcache_kept(const struct heap *heap, uint64_t *blocks);

/* Zeroed memory for books of this kind, never given back; NULL: there is none. */
void *tcache_map(uint64_t size);

/* Bytes of the stacks of all threads, as mapped. */
uint64_t tcache_bytes(void);

#endif /* LIB_TCACHE_H */
