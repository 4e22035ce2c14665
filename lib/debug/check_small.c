// SPDX-License-Identifier: MIT
#include "debug/check_small.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/alloc.h"
#include "base/base.h"
#include "debug/check_fast.h"
#include "debug/check_host.h"

#define EIGHT(value) ((value)*0x0101010101010101ULL)
#define PATTERN(value)                                                                   \
	{                                                                                \
		{                                                                        \
			EIGHT(value), EIGHT(value), EIGHT(value), EIGHT(value)           \
		}                                                                        \
	}

const struct check_pattern check_red = PATTERN(CHECK_RED);
const struct check_pattern check_taken = PATTERN(CHECK_TAKEN);
const struct check_pattern check_freed = PATTERN(CHECK_FREED);

/* A part at the start and one at the end of a block. */
struct window {
	uint64_t head; /* bytes */
	uint64_t tail; /* where it starts */
};

/* The bytes of a block that poison fills and looks at. */
static struct window window_of(uint64_t size)
{
	if (size / 2 <= check_options.fill)
		return (struct window){.head = size, .tail = size};
	return (struct window){.head = check_options.fill,
			       .tail = size - check_options.fill};
}

typedef uint64_t words __attribute__((vector_size(16), aligned(1), may_alias));

static inline words words_at(const uint8_t *from)
{
	return *(const words *)(const void *)from;
}

static inline words of(uint8_t value)
{
	const uint64_t eight = value * 0x0101010101010101ULL;

	return (words){eight, eight};
}

/* Not 0 where one of 64 bytes is not @value. */
static inline words other_64(const uint8_t *from, uint8_t value)
{
	return ((words_at(from) ^ of(value)) | (words_at(from + 16) ^ of(value))) |
	       ((words_at(from + 32) ^ of(value)) | (words_at(from + 48) ^ of(value)));
}

/* The first byte in [from, to) that is not @value; @to when all are. */
static inline const uint8_t *first_other(const uint8_t *from, const uint8_t *to,
					 uint8_t value)
{
	const words want = of(value);
	words bad = {0};
	const uint8_t *p;

	/* All of it first, as nothing is wrong nearly always. */
	for (p = from; to - p >= 64; p += 64)
		bad |= other_64(p, value);
	for (; to - p >= 16; p += 16)
		bad |= words_at(p) ^ want;
	if (bad[0] | bad[1])
		p = from;
	while (p < to && *p == value)
		p++;
	return p;
}

static void fill_ends(uint64_t base, uint64_t size, uint8_t value)
{
	const struct window window = window_of(size);
	uint8_t *bytes = (uint8_t *)(uintptr_t)base;

	memset(bytes, value, window.head);
	if (window.tail != size)
		memset(bytes + window.tail, value, size - window.tail);
}

void check_fill_freed(const struct checked *block)
{
	fill_ends(block->base, block->ruled, CHECK_FREED);
}

const uint8_t *check_written(const struct checked *block)
{
	const uint8_t *base = (const uint8_t *)(uintptr_t)block->base, *bad;
	const struct window window = window_of(block->ruled);
	const uint8_t *end = base + block->ruled;

	bad = first_other(base, base + window.head, CHECK_FREED);
	if (bad != base + window.head)
		return bad;
	if (window.tail == block->ruled)
		return NULL;
	bad = first_other(base + window.tail, end, CHECK_FREED);
	return bad == end ? NULL : bad;
}

const uint8_t *check_written_behind(const struct checked *block)
{
	const uint8_t *end = (const uint8_t *)(uintptr_t)(block->base + block->ruled);
	const uint8_t *bad;

	if (!(check_options.checks & CHECK_REDZONE))
		return NULL;
	bad = first_other(end - (block->ruled - block->asked), end, CHECK_RED);
	return bad == end ? NULL : bad;
}

void check_fill_taken(const struct checked *block)
{
	uint8_t *bytes = (uint8_t *)(uintptr_t)block->base;

	if (check_options.checks & CHECK_POISON)
		fill_ends(block->base, block->asked, CHECK_TAKEN);
	if (check_options.checks & CHECK_REDZONE)
		memset(bytes + block->asked, CHECK_RED, block->ruled - block->asked);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of lists, not of members */
static struct ring *all_rings;
static struct thread_key key;
_Thread_local struct ring *check_ring;
static atomic_bool ending;
static _Atomic uint32_t odd;

/* Of memory that a thread may hold back, for each block of which it may. */
#define HOLD_BYTES (16U << 10)

struct check_options check_options;
static pthread_once_t options_once = PTHREAD_ONCE_INIT;

static bool has_wide(void)
{
#ifdef __x86_64__
	return __builtin_cpu_supports("avx2");
#else
	return false;
#endif
}

static void read_options(void)
{
	const struct config *config = config_get();
	uint64_t align = config->align;
	const uint32_t ends = CHECK_REDZONE | CHECK_POISON;

	check_options.checks = config->check.checks;
	check_options.padding = config->padding;
	check_options.fill = config->check.fill;
	/* One goes when there is one too many. */
	check_options.hold = (config->check.hold + 1) * (uint32_t)sizeof(struct held);
	check_options.hold_mask =
		(2U << (31 - __builtin_clz(check_options.hold - 1))) - 1;
	check_options.hold_most = config->check.hold * HOLD_BYTES;
	if (config->check.checks & CHECK_ALIGN64) {
		check_options.shift = ACLKM_RULE_ALIGN;
		align = align < 2 * ACLKM_RULE_ALIGN ? 2 * ACLKM_RULE_ALIGN : align;
	}
	check_options.rounding = rounding_of(ACLKM_KIND_DEVICE, check_options.padding,
					     align, check_options.shift);
	check_options.rounding.tag |= WORD_WATCHED;
	check_options.rounding.tag += (uint32_t)check_options.shift;
	if ((config->check.checks & ends) == ends && config->check.fill == CHECK_FILL &&
	    config->padding == CHECK_PADDING)
		atomic_store(&check_options.way,
			     has_wide() ? CHECK_WAY_WIDE : CHECK_WAY_USUAL);
}

uint64_t check_shift(uint64_t asked)
{
	pthread_once(&options_once, read_options);
	return asked < CHECK_PAGE ? check_options.shift : 0;
}

static inline bool is_on(uint32_t check)
{
	return check_options.checks & check;
}

static struct slab *slab_at(uint64_t addr)
{
	uintptr_t entry = table_get(addr);

	return entry & TABLE_CHUNK ? NULL : (struct slab *)entry;
}

/* The program's part of a block with this word. */
static void small_describe(const struct slab *slab, uint64_t number, uint32_t word,
			   struct checked *out)
{
	const struct mark *mark = mark_of(&slab->words[number]);
	uint64_t shift = slab_read(mark->shift);

	*out = (struct checked){
		.base = slab_read(slab->base) + number * slab_read(slab->size) + shift,
		.asked = (word & WORD_VALUE) - shift,
		.kind = (enum aclkm_kind)(word_kind(word) - 1),
		.taken = slab_read(mark->taken),
		.given = slab_read(mark->given),
	};
	out->ruled = ((out->asked + ACLKM_RULE_UNIT - 1) & ~(ACLKM_RULE_UNIT - 1ULL)) +
		     (uint64_t)(word >> WORD_PADDING_SHIFT & WORD_PADDING_MASK) * 16;
	out->freed = !mark_lives(out->given);
}

/* A block of AscendCL, living or held or free since. */
static bool small_find_in(const struct slab *slab, uint64_t number, struct checked *out)
{
	const struct mark *mark;
	uint32_t word;

	if (number >= slab_read(slab->slots))
		return false;
	mark = mark_of(&slab->words[number]);
	if (slab_read(mark->given) == MARK_NONE)
		return false;
	word = slab_read(slab->words[number]);
	if (word_lives(word)) {
		/* Of somebody else, who does not come by here. */
		if (!mark_lives(slab_read(mark->given)))
			return false;
		small_describe(slab, number, word, out);
		return true;
	}
	if (mark_lives(slab_read(mark->given)))
		return false;
	small_describe(slab, number, slab_read(mark->word), out);
	out->held = word == WORD_HELD;
	return true;
}

bool small_find(uint64_t addr, struct checked *out)
{
	const struct slab *slab = slab_at(addr);
	uint64_t offset;

	return slab && small_find_in(slab, slab_index(slab, addr, &offset), out);
}

bool small_take(uint64_t base, uint64_t asked, uint64_t ruled, uint64_t shift)
{
	const struct checked block = {
		.base = base + shift, .asked = asked, .ruled = ruled};
	struct slab *slab = slab_at(base);
	_Atomic uint32_t *word;
	struct mark *mark;
	uint64_t offset;

	if (!slab)
		return false;
	word = &slab->words[slab_index(slab, base, &offset)];
	mark = mark_of(word);
	check_set(&mark->taken, stack_id_here());
	check_set(&mark->given, MARK_LIVES);
	check_set(&mark->shift, (uint32_t)shift);
	near_set(base, slab);
	check_fill_taken(&block);
	return true;
}

/* To where this thread keeps freed blocks. */
static __attribute__((noinline)) void put_slowly(uint64_t base, _Atomic uint32_t *word)
{
	struct slab *slab = slab_at(base);
	struct heap *heap = heap_of_id(slab_read(slab->heap));
	struct bins *bins = tcache_need(heap);

	base -= (base - slab_read(slab->base)) % slab_read(slab->size);
	if (bins) {
		tcache_put(heap, bins, slab, (void *)(uintptr_t)base, word);
		return;
	}
	pthread_mutex_lock(&heap->lock);
	slab_push(heap, slab, (uint32_t)(word - slab->words));
	pthread_mutex_unlock(&heap->lock);
}

/* @base: of the program's part, @start: of the heap's block. */
static inline void small_put_back(uint64_t base, uint64_t start, _Atomic uint32_t *word,
				  uint32_t row)
{
	struct tcache *mine = tcache_mine;

	if (mine == tcache_none ||
	    !row_put((struct row *)((char *)mine + row), (void *)(uintptr_t)start, word))
		put_slowly(base, word);
}

static void report_held(const struct held *held, const uint8_t *bad)
{
	struct checked block;

	if (small_find(held->base, &block))
		check_report_held(&block, bad);
}

static const uint8_t *written(const struct held *held)
{
	const struct checked block = {.base = held->base, .ruled = held->ruled};

	return check_written(&block);
}

/* The block is the heap's again. */
static void small_drop_oldest(struct ring *ring)
{
	const struct held *held = check_held(ring, ring->first);
	const uint8_t *bad;

	ring->first += (uint32_t)sizeof(*held);
	ring->bytes -= held->ruled;
	if (slab_read(*held->word) != WORD_HELD)
		return;
	bad = written(held);
	if (bad)
		report_held(held, bad);
	small_put_back(held->base, held->start, held->word, held->row);
}

bool check_drop_slowly(const char *call, struct ring *ring)
{
	error_function = call;
	while (check_ring_is_full(ring))
		small_drop_oldest(ring);
	return true;
}

static void small_drop_all(struct ring *ring)
{
	while (ring->first != ring->end)
		small_drop_oldest(ring);
}

static void small_thread_ends(void *arg)
{
	struct ring *ring = arg;

	/* In a forked child a thread that is not there may hold a lock. */
	if (process_is_forked())
		return;
	small_drop_all(ring);
	/* Without a ring nothing goes the short way. */
	tcache_disarm_mine();
	check_ring = NULL;
	pthread_mutex_lock(&lock);
	ring->in_use = false;
	pthread_mutex_unlock(&lock);
}

static struct ring *need_ring(void)
{
	struct ring *ring;

	if (check_ring)
		return check_ring;
	pthread_once(&options_once, read_options);
	pthread_mutex_lock(&lock);
	for (ring = all_rings; ring && ring->in_use; ring = ring->next)
		;
	if (!ring) {
		ring = calloc(1, sizeof(*ring) + check_options.hold_mask + 1ULL);
		if (ring) {
			ring->next = all_rings;
			all_rings = ring;
		}
	}
	if (ring)
		ring->in_use = thread_key_set(&key, small_thread_ends, ring);
	if (ring && !ring->in_use)
		ring = NULL;
	pthread_mutex_unlock(&lock);
	check_ring = ring;
	return ring;
}

bool small_let_go(void)
{
	bool any = check_ring && check_ring->first != check_ring->end;

	if (any)
		small_drop_all(check_ring);
	return any;
}

/* Poisoned and held back; false: no memory to hold it. */
static bool small_hold(const struct slab *slab, const struct checked *block,
		       uint64_t start, _Atomic uint32_t *word)
{
	struct ring *ring = need_ring();

	if (!ring)
		return false;
	check_fill_freed(block);
	check_set(word, WORD_HELD);
	*check_held(ring, ring->end) = (struct held){
		.base = block->base,
		.word = word,
		.ruled = (uint32_t)block->ruled,
		.row = slab_read(slab->row),
		.start = start,
	};
	ring->end += (uint32_t)sizeof(struct held);
	ring->bytes += block->ruled;
	while (check_ring_is_full(ring))
		small_drop_oldest(ring);
	return true;
}

static void small_free_block(const struct slab *slab, const struct checked *block,
			     uint64_t start, _Atomic uint32_t *word)
{
	if (block->in_use || !is_on(CHECK_POISON) ||
	    !small_hold(slab, block, start, word))
		small_put_back(block->base, start, word, slab_read(slab->row));
}

void small_give(const struct checked *block)
{
	struct slab *slab = slab_at(block->base);
	uint64_t offset, number = slab_index(slab, block->base, &offset);
	const uint8_t *bad = check_written_behind(block);
	_Atomic uint32_t *word = &slab->words[number];
	struct mark *mark = mark_of(word);

	if (bad)
		check_report_red_zone(block, bad);
	check_set(&mark->word, slab_read(*word));
	check_set(&mark->given, stack_id_here());
	small_free_block(slab, block, block->base - offset, word);
}

uint64_t check_ruled_any(uint64_t len)
{
	return check_ruled(len) - CHECK_PADDING + check_options.padding;
}

void check_dress_any(uint64_t base, uint64_t len, uint64_t ruled)
{
	const struct checked block = {.base = base, .asked = len, .ruled = ruled};

	check_fill_taken(&block);
}

bool check_red_is_hurt_any(uint64_t base, uint64_t len, uint64_t ruled)
{
	const struct checked block = {.base = base, .asked = len, .ruled = ruled};

	return check_written_behind(&block);
}

bool check_give_any(const char *call, const struct slab *slab, uint64_t base,
		    _Atomic uint32_t *word, uint64_t ruled)
{
	const struct checked block = {.base = base, .ruled = ruled};

	error_function = call;
	small_free_block(slab, &block, base - check_options.shift, word);
	return true;
}

void check_enter(const char *call, const void *pc, const void *frame)
{
	if (check_wanted())
		stack_entry = (struct stack_entry){call, pc, frame};
}

void check_leave(void)
{
	stack_entry.function = NULL;
}

void check_odd_begin(void)
{
	atomic_fetch_add(&odd, 1);
	tcache_disarm();
}

void check_odd_end(void)
{
	atomic_fetch_sub(&odd, 1);
}

/* Longer blocks have no shift, which the short way takes for given. */
static uint64_t fast_limit(void)
{
	uint64_t limit = check_options.rounding.limit;

	return check_options.shift && limit > CHECK_PAGE - 1 ? CHECK_PAGE - 1 : limit;
}

void check_arm(uint64_t epoch, uint32_t device)
{
	if (!atomic_load(&ending) && !atomic_load(&odd) && !guard_is_watched() &&
	    !check_hides() && need_ring())
		tcache_arm_checked(epoch, device, fast_limit());
}

static void look_at_held(struct ring *ring)
{
	uint32_t at = ring->first, end = ring->end;

	for (; at != end; at += (uint32_t)sizeof(struct held)) {
		const struct held *held = check_held(ring, at);
		const uint8_t *bad;

		if (!held->word || slab_read(*held->word) != WORD_HELD)
			continue;
		bad = written(held);
		/* Its thread may have given it back meanwhile. */
		if (bad && slab_read(*held->word) == WORD_HELD)
			report_held(held, bad);
	}
}

static void end_slab(const struct slab *slab, void *arg)
{
	void (**fn)(const struct checked *block) = arg;
	struct checked block;
	uint32_t i;

	for (i = 0; i < slab_read(slab->slots); i++) {
		if (small_find_in(slab, i, &block) && !block.freed)
			(*fn)(&block);
	}
}

void small_end(void (*fn)(const struct checked *block))
{
	struct ring *ring;

	/* Other threads go the slow way from now on, and wait there. */
	atomic_store(&ending, true);
	tcache_disarm();
	pthread_mutex_lock(&lock);
	for (ring = all_rings; ring; ring = ring->next)
		look_at_held(ring);
	if (fn)
		slab_each(end_slab, &fn);
	pthread_mutex_unlock(&lock);
}
