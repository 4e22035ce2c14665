/* SPDX-License-Identifier: MIT */
/*
 * The short way of aclrtMalloc and aclrtFree with checks: a small device block, in a
 * thread that has taken one before, at a place where it was before, and nothing wrong.
 * All else goes the long way (check.c, check_small.c), before anything is changed.
 *
 * Written for few instructions: nothing is called, so that nothing has to be saved;
 * each way is compiled apart, so that options are no branches.
 */
#ifndef LIB_CHECK_FAST_H
#define LIB_CHECK_FAST_H

#include "base/base.h"
#include "debug/check_bytes.h"
#include "alloc/alloc.h"
#include "debug/stacks.h"

/* All that is needed to look at a block and to give it back. */
struct held {
	uint64_t base; /* of the program's part */
	_Atomic uint32_t *word;
	uint32_t ruled;
	uint32_t row;	/* as the slab's */
	uint64_t start; /* of the heap's block */
};

struct ring {
	struct ring *next; /* all there ever were; under a lock */
	bool in_use;
	uint32_t first,
		end;	/* bytes from the start, counted on for ever: see check_held */
	uint64_t bytes; /* of the blocks */
	struct held of[];
};

extern _Thread_local struct ring *check_ring; /* there while this thread may */

/*
 * Of what is asked for and what the CPU has. Usual: red zones and poison of CHECK_FILL
 * bytes, with the rule's padding: a block has 64 bytes or more then, and its red zone 32
 * to 63. Wide: the same, with registers of 32 bytes.
 */
enum check_way { CHECK_WAY_ANY, CHECK_WAY_USUAL, CHECK_WAY_WIDE };

#ifdef __x86_64__
#define CHECK_WIDE __attribute__((target("avx2")))
#else
#define CHECK_WIDE
#endif

/* What the environment asks for, as these need it; what the short way reads, in a line.
 */
struct check_options {
	_Alignas(64) uint64_t shift;
	uint32_t hold;	    /* bytes of a ring's entries that may be in use */
	uint32_t hold_mask; /* of a place in the ring: its bytes less 1 */
	uint32_t hold_most; /* bytes of memory that a thread holds back */
	_Atomic int
		way; /* enum check_way; the others are read by who may go these ways */
	uint64_t fill;
	uint32_t checks;
	uint32_t padding;
	struct rounding rounding;
};
_Static_assert(offsetof(struct check_options, rounding.rows) <= 64, "a line");

extern HIDDEN struct check_options check_options;

CHECK_INLINE struct held *check_held(struct ring *ring, uint32_t at)
{
	return (struct held *)((char *)ring->of + (at & check_options.hold_mask));
}

/* So much is held back that one has to go. */
CHECK_INLINE bool check_ring_is_full(const struct ring *ring)
{
	return ring->end - ring->first == check_options.hold ||
	       ring->bytes > check_options.hold_most;
}

#define CHECK_PADDING ACLKM_RULE_PADDING

CHECK_INLINE uint64_t check_ruled(uint64_t len)
{
	return ((len + ACLKM_RULE_UNIT - 1) & ~(ACLKM_RULE_UNIT - 1ULL)) + CHECK_PADDING;
}

/*
 * The red zone last: of a short block the fill reaches into it. Of the end 32 bytes are
 * filled, not 64, for one line of the cache less: nothing looks at them later.
 */
CHECK_INLINE void check_dress(uint64_t base, uint64_t len, uint64_t ruled, bool wide)
{
	uint64_t tail = (len < CHECK_FILL ? CHECK_FILL : len) - 32;

	check_set_64(base, &check_taken, wide);
	check_set_32(base + tail, &check_taken, wide);
	check_set_32(base + len, &check_red, wide);
	check_set_32(base + ruled - 32, &check_red, wide);
}

CHECK_INLINE bool check_red_is_hurt(uint64_t base, uint64_t len, uint64_t ruled,
				    bool wide)
{
	return check_other_32(base + len, base + ruled - 32, &check_red, wide);
}

CHECK_INLINE void check_poison(uint64_t base, uint64_t ruled, bool wide)
{
	check_set_64(base, &check_freed, wide);
	check_set_64(base + ruled - CHECK_FILL, &check_freed, wide);
}

CHECK_INLINE bool check_poison_is_hurt(uint64_t base, uint64_t ruled, bool wide)
{
	return check_other_64(base, base + ruled - CHECK_FILL, &check_freed, wide);
}

CHECK_INLINE void check_set(_Atomic uint32_t *word, uint32_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

/* Of other options: what the above do, by them. */
void check_dress_any(uint64_t base, uint64_t len, uint64_t ruled);
bool check_red_is_hurt_any(uint64_t base, uint64_t len, uint64_t ruled);
uint64_t check_ruled_any(uint64_t len);

/* Poisons and holds back, or gives back, by the options; the mark is written. */
bool check_give_any(const char *call, const struct slab *slab, uint64_t base,
		    _Atomic uint32_t *word, uint64_t ruled);

/* Gives back what is too much, with a look at each. True. */
bool check_drop_slowly(const char *call, struct ring *ring);

CHECK_INLINE bool check_take_fast(struct tcache *mine, const void *pc, const void *frame,
				  uint64_t len, void **out, enum check_way way)
{
	const struct rounding *rounding = &check_options.rounding;
	uint64_t shift, base;
	_Atomic uint32_t *word;
	struct kept *top;
	struct mark *mark;
	struct row *row;
	uint32_t where;
	const bool usual = way != CHECK_WAY_ANY, wide = way == CHECK_WAY_WIDE;

	if (__builtin_expect(!stack_known(pc, frame, &where), 0) ||
	    __builtin_expect(len - 1 >= slab_read(mine->checked_limit), 0))
		return false;
	shift = check_options.shift;
	row = bins_row_for(mine->device_bins, rounding, len);
	top = atomic_load_explicit(&row->top, memory_order_relaxed);
	if (__builtin_expect(!top, 0))
		return false;
	word = row_lower(row, top);
	if (__builtin_expect(slab_read(*word) != WORD_KEPT, 0)) {
		row_raise(row, top);
		return false;
	}
	base = (uint64_t)(uintptr_t)top->ptr + shift;
	check_set(word, rounding->tag + (uint32_t)len);
	mark = mark_of(word);
	check_set(&mark->taken, where);
	check_set(&mark->given, MARK_LIVES);
	check_set(&mark->shift, (uint32_t)shift);
	*out = (void *)(uintptr_t)base;
	if (usual)
		check_dress(base, len, check_ruled(len), wide);
	else
		check_dress_any(base, len, check_ruled_any(len));
	return true;
}

/* What was held back longest is the heap's again, if nothing was written in it. */
CHECK_INLINE bool check_drop(const char *call, struct ring *ring, struct tcache *mine,
			     bool wide)
{
	const struct held *held = check_held(ring, ring->first);
	uint64_t bytes = ring->bytes - held->ruled;

	if (__builtin_expect(bytes > check_options.hold_most ||
				     slab_read(*held->word) != WORD_HELD ||
				     check_poison_is_hurt(held->base, held->ruled, wide),
			     0) ||
	    __builtin_expect(!row_put((struct row *)((char *)mine + held->row),
				      (void *)(uintptr_t)held->start, held->word),
			     0))
		return check_drop_slowly(call, ring);
	ring->first += sizeof(*held);
	ring->bytes = bytes;
	return true;
}

/* @slab: what near_slot has for @ptr; with or without the shift it is the same. */
CHECK_INLINE bool check_give_fast(const char *call, struct tcache *mine,
				  struct slab *slab, const void *pc, const void *frame,
				  void *ptr, enum check_way way)
{
	uint64_t base = (uint64_t)(uintptr_t)ptr, start, len, ruled, number;
	struct ring *ring = check_ring;
	_Atomic uint32_t *word;
	struct held *held;
	struct mark *mark;
	uint32_t value, where;
	const bool usual = way != CHECK_WAY_ANY, wide = way == CHECK_WAY_WIDE;

	if (__builtin_expect(!stack_known(pc, frame, &where), 0) ||
	    __builtin_expect(!slab_read(mine->checked_limit), 0))
		return false;
	start = base - check_options.shift;
	if (__builtin_expect(!slab_holds(slab, start, &number), 0))
		return false;
	word = &slab->words[number];
	value = slab_read(*word);
	/*
	 * It lives and is as aclrtMalloc's: told by the word, as the mark's line is not
	 * waited for.
	 */
	if (__builtin_expect((value ^ check_options.rounding.tag) & ~WORD_VALUE, 0))
		return false;
	/* What is wrong is told on the long way. */
	len = (value & WORD_VALUE) - check_options.shift;
	ruled = usual ? check_ruled(len) : check_ruled_any(len);
	if (__builtin_expect(usual ? check_red_is_hurt(base, len, ruled, wide)
				   : check_red_is_hurt_any(base, len, ruled),
			     0))
		return false;
	mark = mark_of(word);
	check_set(&mark->word, value);
	check_set(&mark->given, where);
	if (!usual)
		return check_give_any(call, slab, base, word, ruled);
	check_poison(base, ruled, wide);
	check_set(word, WORD_HELD);
	held = check_held(ring, ring->end);
	held->base = base;
	held->word = word;
	held->ruled = (uint32_t)ruled;
	held->row = slab_read(slab->row);
	held->start = start;
	ring->end += sizeof(*held);
	ring->bytes += ruled;
	if (__builtin_expect(check_ring_is_full(ring), 1))
		return check_drop(call, ring, mine, wide);
	return true;
}

#endif /* LIB_CHECK_FAST_H */
