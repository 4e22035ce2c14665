// SPDX-License-Identifier: MIT
#include "check_small.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "check.h"
#include "chunk.h"
#include "config.h"
#include "error.h"
#include "guard.h"
#include "rules.h"
#include "slab.h"
#include "stacks.h"
#include "tcache.h"

/* What a thread holds back, at most. */
#define RING 2048
#define RING_BYTES (8ULL << 20)

struct mark {
	_Atomic uint32_t taken; /* 0: the checks do not know the block */
	_Atomic uint32_t given; /* 0: it lives */
	_Atomic uint32_t word;	/* the block's, before it was freed */
};

struct marks {
	struct marks *next; /* all there ever were */
	struct slab *slab;
	struct mark of[];
};

/* All that the fast way needs to look at the block and to give it back. */
struct held {
	uint64_t base; /* of the program's part */
	_Atomic uint32_t *word;
	uint32_t ruled;
	uint32_t row;	/* as the slab's */
	uint64_t start; /* of the heap's block */
};

/* Of poison, unless the environment says otherwise. */
#define USUAL_FILL CHECK_FILL

/* A part at the start and one at the end of a block. */
struct window {
	uint64_t head; /* bytes */
	uint64_t tail; /* where it starts */
};

struct ring {
	struct ring *next; /* all there ever were; under the lock */
	bool in_use;
	uint32_t first;
	uint64_t bytes;
	uint32_t count;
	struct held of[RING];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of lists, not of members */
static struct marks *all_marks;
static struct ring *all_rings;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local struct ring *my_ring;
static atomic_bool ending;

/* What the environment asks for, as the fast way needs it. */
static struct {
	uint32_t checks;
	uint32_t padding;
	uint64_t shift;
	uint64_t fill;
	struct rounding rounding;
} options;

static pthread_once_t options_once = PTHREAD_ONCE_INIT;

static void read_options(void)
{
	const struct config *config = config_get();
	uint64_t align = config->align;

	options.checks = config->checks;
	options.padding = config->padding;
	options.fill = config->check_fill;
	if (config->checks & CHECK_ALIGN64) {
		options.shift = ACLKM_RULE_ALIGN;
		align = align < 2 * ACLKM_RULE_ALIGN ? 2 * ACLKM_RULE_ALIGN : align;
	}
	options.rounding = rounding_of(ACLKM_KIND_DEVICE, options.padding, align);
	options.rounding.add += options.shift;
	options.rounding.tag |= WORD_WATCHED;
	if (options.rounding.limit)
		options.rounding.limit -= options.shift;
}

uint64_t check_shift(void)
{
	pthread_once(&options_once, read_options);
	return options.shift;
}

static inline bool is_on(uint32_t check)
{
	return options.checks & check;
}

static void set(_Atomic uint32_t *word, uint32_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

static struct mark *mark_at(const struct slab *slab, uint64_t number)
{
	struct marks *marks = atomic_load_explicit(&slab->marks, memory_order_acquire);

	return marks ? &marks->of[number] : NULL;
}

static struct mark *need_mark(struct slab *slab, uint64_t number)
{
	struct marks *marks = atomic_load_explicit(&slab->marks, memory_order_acquire);

	if (marks)
		return &marks->of[number];
	pthread_mutex_lock(&lock);
	marks = atomic_load(&slab->marks);
	if (!marks)
		marks = calloc(1, sizeof(*marks) + (sizeof(struct mark) << slab->room));
	if (marks && !marks->slab) {
		marks->slab = slab;
		marks->next = all_marks;
		all_marks = marks;
		atomic_store_explicit(&slab->marks, marks, memory_order_release);
	}
	pthread_mutex_unlock(&lock);
	return marks ? &marks->of[number] : NULL;
}

static struct slab *slab_at(uint64_t addr)
{
	uintptr_t entry = table_get(addr);

	return entry & TABLE_CHUNK ? NULL : (struct slab *)entry;
}

/* The program's part of a block with this word. */
static void describe(const struct slab *slab, uint64_t number, uint32_t word,
		     struct checked *out)
{
	uint64_t shift = word_kind(word) == ACLKM_KIND_DVPP + 1 ||
					 word_kind(word) == ACLKM_KIND_HIMPI + 1
				 ? 0
				 : options.shift;
	const struct mark *mark = mark_at(slab, number);

	*out = (struct checked){
		.base = slab_read(slab->base) + number * slab_read(slab->size) + shift,
		.asked = (word & WORD_VALUE) - shift,
		.kind = (enum aclkm_kind)(word_kind(word) - 1),
		.taken = slab_read(mark->taken),
		.given = slab_read(mark->given),
	};
	out->ruled = ((out->asked + ACLKM_RULE_UNIT - 1) & ~(ACLKM_RULE_UNIT - 1ULL)) +
		     (uint64_t)(word >> WORD_PADDING_SHIFT & WORD_PADDING_MASK) * 16;
	out->freed = out->given;
}

/* A block of AscendCL, living or held or free since. */
static bool find(const struct slab *slab, uint64_t number, struct checked *out)
{
	const struct mark *mark = mark_at(slab, number);
	uint32_t word;

	if (!mark || number >= slab_read(slab->slots) || !slab_read(mark->taken))
		return false;
	word = slab_read(slab->words[number]);
	if (word_lives(word)) {
		/* Of somebody else, who does not come by here. */
		if (slab_read(mark->given) || word_kind(word) > ACLKM_KIND_HIMPI + 1)
			return false;
		describe(slab, number, word, out);
		return true;
	}
	if (!slab_read(mark->given))
		return false;
	describe(slab, number, slab_read(mark->word), out);
	out->held = word == WORD_HELD;
	return true;
}

bool small_find(uint64_t addr, struct checked *out)
{
	const struct slab *slab = slab_at(addr);
	uint64_t offset;

	return slab && find(slab, slab_index(slab, addr, &offset), out);
}

/* The bytes of a block that poison fills and looks at. */
static struct window window_of(uint64_t size)
{
	if (size / 2 <= options.fill)
		return (struct window){.head = size, .tail = size};
	return (struct window){.head = options.fill, .tail = size - options.fill};
}

typedef uint64_t words __attribute__((vector_size(16), aligned(1), may_alias));

static inline words at(const uint8_t *from)
{
	return *(const words *)(const void *)from;
}

static inline words of(uint8_t value)
{
	const uint64_t eight = value * 0x0101010101010101ULL;

	return (words){eight, eight};
}

static inline void fill_64(uint8_t *to, uint8_t value)
{
	int i;

	for (i = 0; i < 64; i += 16)
		*(words *)(void *)(to + i) = of(value);
}

/* Not 0 where one of 64 bytes is not @value. */
static inline words other_64(const uint8_t *from, uint8_t value)
{
	return ((at(from) ^ of(value)) | (at(from + 16) ^ of(value))) |
	       ((at(from + 32) ^ of(value)) | (at(from + 48) ^ of(value)));
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
		bad |= at(p) ^ want;
	if (bad[0] | bad[1])
		p = from;
	while (p < to && *p == value)
		p++;
	return p;
}

static inline void fill_ends(uint64_t base, uint64_t size, uint8_t value)
{
	uint8_t *bytes = (uint8_t *)(uintptr_t)base;
	struct window window;

	if (options.fill == USUAL_FILL && size >= 2 * USUAL_FILL) {
		fill_64(bytes, value);
		fill_64(bytes + size - USUAL_FILL, value);
		return;
	}
	window = window_of(size);
	memset(bytes, value, window.head);
	if (window.tail != size)
		memset(bytes + window.tail, value, size - window.tail);
}

void check_fill_freed(const struct checked *block)
{
	fill_ends(block->base, block->ruled, CHECK_FREED);
}

static __attribute__((noinline)) const uint8_t *written_in_windows(const uint8_t *base,
								   uint64_t ruled)
{
	const struct window window = window_of(ruled);
	const uint8_t *end = base + ruled, *bad;

	bad = first_other(base, base + window.head, CHECK_FREED);
	if (bad != base + window.head)
		return bad;
	if (window.tail == ruled)
		return NULL;
	bad = first_other(base + window.tail, end, CHECK_FREED);
	return bad == end ? NULL : bad;
}

/* NULL: all of a freed block is as it was filled. */
static inline const uint8_t *written(uint64_t from, uint64_t ruled)
{
	const uint8_t *base = (const uint8_t *)(uintptr_t)from;
	words other;

	if (options.fill == USUAL_FILL && ruled >= 2 * USUAL_FILL) {
		other = other_64(base, CHECK_FREED) |
			other_64(base + ruled - USUAL_FILL, CHECK_FREED);
		if (!(other[0] | other[1]))
			return NULL;
	}
	return written_in_windows(base, ruled);
}

const uint8_t *check_written(const struct checked *block)
{
	return written(block->base, block->ruled);
}

/* The red zone has 32 to 63 bytes nearly always: four stores, or four loads. */
static inline bool is_usual(const uint8_t *zone, const uint8_t *end)
{
	return end - zone >= 32 && end - zone <= 64;
}

static inline void fill_red_zone(uint8_t *zone, uint8_t *end)
{
	if (!is_usual(zone, end)) {
		memset(zone, CHECK_RED, (size_t)(end - zone));
		return;
	}
	*(words *)(void *)zone = of(CHECK_RED);
	*(words *)(void *)(zone + 16) = of(CHECK_RED);
	*(words *)(void *)(end - 32) = of(CHECK_RED);
	*(words *)(void *)(end - 16) = of(CHECK_RED);
}

static __attribute__((noinline)) const uint8_t *other_behind(const uint8_t *zone,
							     const uint8_t *end)
{
	const uint8_t *bad = first_other(zone, end, CHECK_RED);

	return bad == end ? NULL : bad;
}

static inline const uint8_t *written_behind(uint64_t base, uint64_t asked, uint64_t ruled)
{
	const uint8_t *zone = (const uint8_t *)(uintptr_t)base + asked;
	const uint8_t *end = (const uint8_t *)(uintptr_t)base + ruled;
	const words red = of(CHECK_RED);
	words other;

	if (is_usual(zone, end)) {
		other = ((at(zone) ^ red) | (at(zone + 16) ^ red)) |
			((at(end - 32) ^ red) | (at(end - 16) ^ red));
		if (!(other[0] | other[1]))
			return NULL;
	}
	return other_behind(zone, end);
}

const uint8_t *check_written_behind(const struct checked *block)
{
	if (!is_on(CHECK_REDZONE))
		return NULL;
	return written_behind(block->base, block->asked, block->ruled);
}

static inline void fill_taken(uint64_t base, uint64_t asked, uint64_t ruled)
{
	uint8_t *bytes = (uint8_t *)(uintptr_t)base;

	if (is_on(CHECK_POISON))
		fill_ends(base, asked, CHECK_TAKEN);
	if (is_on(CHECK_REDZONE))
		fill_red_zone(bytes + asked, bytes + ruled);
}

void check_fill_taken(const struct checked *block)
{
	fill_taken(block->base, block->asked, block->ruled);
}

bool small_take(uint64_t base, uint64_t asked, uint64_t ruled, uint64_t shift)
{
	const struct checked block = {
		.base = base + shift, .asked = asked, .ruled = ruled};
	struct slab *slab = slab_at(base);
	uint64_t offset, number;
	struct mark *mark;

	if (!slab)
		return false;
	number = slab_index(slab, base, &offset);
	mark = need_mark(slab, number);
	if (!mark)
		return false;
	set(&mark->taken, stack_id_here());
	set(&mark->given, 0);
	*near_slot(tcache_mine, base) = slab;
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
static inline void put_back(uint64_t base, uint64_t start, _Atomic uint32_t *word,
			    uint32_t row)
{
	struct tcache *mine = tcache_mine;

	if (mine == tcache_none ||
	    !row_put((struct row *)((char *)mine + row), (void *)(uintptr_t)start, word))
		put_slowly(base, word);
}

static __attribute__((noinline)) void report_held(const struct held *held,
						  const uint8_t *bad)
{
	struct checked block;

	if (small_find(held->base, &block))
		check_report_held(&block, bad);
}

/* The block is the heap's again. */
static inline void drop_oldest(struct ring *ring)
{
	const struct held *held = &ring->of[ring->first % RING];
	const struct held *soon = &ring->of[(ring->first + 4) % RING];
	const uint8_t *bad;

	ring->first++;
	ring->count--;
	ring->bytes -= held->ruled;
	__builtin_prefetch((const void *)(uintptr_t)soon->base);
	__builtin_prefetch((const void *)(uintptr_t)(soon->base + soon->ruled - 1));
	if (slab_read(*held->word) != WORD_HELD)
		return;
	bad = written(held->base, held->ruled);
	if (bad)
		report_held(held, bad);
	put_back(held->base, held->start, held->word, held->row);
}

static void drop_all(struct ring *ring)
{
	while (ring->count)
		drop_oldest(ring);
}

static void thread_ends(void *arg)
{
	struct ring *ring = arg;

	if (!process_is_forked())
		drop_all(ring);
	my_ring = NULL;
	pthread_mutex_lock(&lock);
	ring->in_use = false;
	pthread_mutex_unlock(&lock);
}

static void make_key(void)
{
	pthread_key_create(&key, thread_ends);
}

static struct ring *need_ring(void)
{
	struct ring *ring;

	if (my_ring)
		return my_ring;
	pthread_once(&once, make_key);
	pthread_mutex_lock(&lock);
	for (ring = all_rings; ring && ring->in_use; ring = ring->next)
		;
	if (!ring) {
		ring = calloc(1, sizeof(*ring));
		if (ring) {
			ring->next = all_rings;
			all_rings = ring;
		}
	}
	if (ring)
		ring->in_use = true;
	pthread_mutex_unlock(&lock);
	my_ring = ring;
	if (ring)
		pthread_setspecific(key, ring);
	return ring;
}

bool small_let_go(void)
{
	bool any = my_ring && my_ring->count;

	if (any)
		drop_all(my_ring);
	return any;
}

/* Poisoned and held back; false: no memory to hold it. */
static inline bool hold(const struct slab *slab, uint64_t base, uint64_t start,
			_Atomic uint32_t *word, uint64_t ruled)
{
	struct ring *ring = my_ring;
	struct held *held;

	if (__builtin_expect(!ring, 0)) {
		ring = need_ring();
		if (!ring)
			return false;
	}
	fill_ends(base, ruled, CHECK_FREED);
	set(word, WORD_HELD);
	held = &ring->of[(ring->first + ring->count) % RING];
	held->base = base;
	held->word = word;
	held->ruled = (uint32_t)ruled;
	held->row = slab_read(slab->row);
	held->start = start;
	ring->count++;
	ring->bytes += ruled;
	while (ring->count == RING || ring->bytes > RING_BYTES)
		drop_oldest(ring);
	return true;
}

static inline void give(struct slab *slab, uint64_t base, uint64_t start,
			_Atomic uint32_t *word, uint64_t ruled, struct mark *mark,
			uint32_t where)
{
	set(&mark->word, slab_read(*word));
	set(&mark->given, where);
	if (!is_on(CHECK_POISON) || !hold(slab, base, start, word, ruled))
		put_back(base, start, word, slab_read(slab->row));
}

void small_give(const struct checked *block)
{
	struct slab *slab = slab_at(block->base);
	uint64_t offset, number = slab_index(slab, block->base, &offset);
	const uint8_t *bad = check_written_behind(block);

	if (bad)
		check_report_red_zone(block, bad);
	give(slab, block->base, block->base - offset, &slab->words[number], block->ruled,
	     mark_at(slab, number), stack_id_here());
}

/* By the rule of aclrtMalloc. */
static inline uint64_t ruled_of(uint64_t len)
{
	return ((len + ACLKM_RULE_UNIT - 1) & ~(ACLKM_RULE_UNIT - 1ULL)) +
	       options.padding;
}

bool check_take_fast(const char *call, const void *pc, const void *frame, uint64_t len,
		     void **out)
{
	struct tcache *mine = tcache_mine;
	const struct rounding *rounding = &options.rounding;
	uint64_t shift, number;
	struct kept *top;
	struct slab *slab;
	struct mark *mark;
	struct row *row;

	if (!tcache_is_checked(mine) || len - 1 >= rounding->limit)
		return false;
	shift = options.shift;
	row = bins_row_for(&mine->own[HEAP_ID(HEAP_DEVICE, ACLKM_PAGES_NORMAL)], rounding,
			   len);
	top = atomic_load_explicit(&row->top, memory_order_relaxed);
	if (!top || !top->ptr)
		return false;
	slab = *near_slot(mine, (uint64_t)(uintptr_t)top->ptr);
	if (!slab_holds(slab, (uint64_t)(uintptr_t)top->ptr, &number))
		return false;
	mark = mark_at(slab, number);
	if (!mark || !row_take(row, rounding->tag | (uint32_t)(len + shift), out))
		return false;
	set(&mark->taken, stack_id(call, pc, frame));
	set(&mark->given, 0);
	*out = (char *)*out + shift;
	fill_taken((uint64_t)(uintptr_t)*out, len, ruled_of(len));
	return true;
}

bool check_give_fast(const char *call, const void *pc, const void *frame, void *ptr)
{
	uint64_t base, number;
	struct tcache *mine = tcache_mine;
	uint64_t asked, ruled;
	struct slab *slab;
	struct mark *mark;
	uint32_t word;

	if (!tcache_is_checked(mine) || check_any_flight())
		return false;
	__builtin_prefetch(ptr, 1);
	base = (uint64_t)(uintptr_t)ptr - options.shift;
	slab = *near_slot(mine, base);
	if (!slab_holds(slab, base, &number))
		return false;
	mark = mark_at(slab, number);
	word = slab_read(slab->words[number]);
	if (!mark || word_kind(word) != ACLKM_KIND_DEVICE + 1 || slab_read(mark->given) ||
	    !slab_read(mark->taken))
		return false;
	asked = (word & WORD_VALUE) - options.shift;
	ruled = ruled_of(asked);
	/* What is wrong is told on the slow way. */
	if (is_on(CHECK_REDZONE) &&
	    written_behind((uint64_t)(uintptr_t)ptr, asked, ruled))
		return false;
	error_function = call;
	give(slab, (uint64_t)(uintptr_t)ptr, base, &slab->words[number], ruled, mark,
	     stack_id(call, pc, frame));
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

void check_arm(uint64_t epoch)
{
	if (!atomic_load(&ending) && !guard_is_watched())
		tcache_arm_checked(epoch);
}

static void look_at_held(const struct ring *ring)
{
	uint32_t i;

	for (i = 0; i < ring->count && i < RING; i++) {
		const struct held *held = &ring->of[(ring->first + i) % RING];
		const uint8_t *bad;

		if (!held->word || slab_read(*held->word) != WORD_HELD)
			continue;
		bad = written(held->base, held->ruled);
		/* Its thread may have given it back meanwhile. */
		if (bad && slab_read(*held->word) == WORD_HELD)
			report_held(held, bad);
	}
}

void small_end(void (*fn)(const struct checked *block))
{
	const struct marks *marks;
	const struct ring *ring;
	struct checked block;
	uint32_t i;

	/* Other threads go the slow way from now on, and wait there. */
	atomic_store(&ending, true);
	tcache_disarm();
	pthread_mutex_lock(&lock);
	for (ring = all_rings; ring; ring = ring->next)
		look_at_held(ring);
	for (marks = fn ? all_marks : NULL; marks; marks = marks->next) {
		for (i = 0; i < slab_read(marks->slab->slots); i++) {
			if (find(marks->slab, i, &block) && !block.freed)
				fn(&block);
		}
	}
	pthread_mutex_unlock(&lock);
}
