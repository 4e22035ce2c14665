// SPDX-License-Identifier: MIT
#include "debug/stacks.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unwind.h>

#include "base/base.h"

#define PAGE_STACKS 1024
#define BUCKETS 4096

/* Bytes of the code that starts a program, at most: it calls the C library and ends. */
#define ENTRY_BYTES 256

/* Threads that are told apart at one place. */
#define PLACE_THREADS 16

/* A frame is at most so long, where its return address has to be looked for. */
#define FRAME_WORDS 4096

struct stack {
	struct trace trace;
	uint64_t hash;
	uint32_t next; /* of the bucket */
};

static struct stack_seen none[STACKS_SEEN];
_Thread_local struct stack_seen *stacks_seen = none;
_Thread_local struct stack_entry stack_entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct stack *_Atomic pages[STACKS_MAX / PAGE_STACKS];
static uint32_t buckets[BUCKETS];
static uint32_t count = 1; /* 0 stands for nothing */
static struct thread_key key;

/* libgcc's, which a small system may not have: then no place has frames. */
static struct {
	_Unwind_Reason_Code (*backtrace)(_Unwind_Trace_Fn fn, void *arg);
	_Unwind_Ptr (*ip)(struct _Unwind_Context *context);
	_Unwind_Word (*cfa)(struct _Unwind_Context *context);
} unwind;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const void *c_library; /* where it is; NULL: part of the program */

static void unmap_seen(void *seen)
{
	stacks_seen = none;
	munmap(seen, STACKS_SEEN * sizeof(struct stack_seen));
}

static void stack_start(void)
{
	void *library = dlopen("libgcc_s.so.1", RTLD_NOW);
	Dl_info starts, mine;

	if (dladdr(dlsym(RTLD_DEFAULT, "pthread_create"), &starts) &&
	    dladdr(&once, &mine) && starts.dli_fbase != mine.dli_fbase)
		c_library = starts.dli_fbase;
	if (!library)
		return;
	*(void **)&unwind.ip = dlsym(library, "_Unwind_GetIP");
	*(void **)&unwind.cfa = dlsym(library, "_Unwind_GetCFA");
	*(void **)&unwind.backtrace = dlsym(library, "_Unwind_Backtrace");
	if (!unwind.ip || !unwind.cfa)
		unwind.backtrace = NULL;
}

static struct stack *stack_at(uint32_t id)
{
	struct stack *page =
		atomic_load_explicit(&pages[id / PAGE_STACKS], memory_order_acquire);

	return &page[id % PAGE_STACKS];
}

const struct trace *stack_get(uint32_t id)
{
	static const struct trace unknown = {.function = ""};

	return id ? &stack_at(id)->trace : &unknown;
}

/* But for the thread. */
static bool is_same(const struct trace *a, const struct trace *b)
{
	return a->function == b->function && a->depth == b->depth &&
	       !memcmp(a->frames, b->frames, (size_t)a->depth * sizeof(a->frames[0]));
}

static uint32_t stack_add_locked(const struct trace *trace, uint64_t hash)
{
	uint32_t *bucket = &buckets[hash % BUCKETS];
	struct stack *page;

	if (count == STACKS_MAX)
		return 0;
	page = atomic_load(&pages[count / PAGE_STACKS]);
	if (!page) {
		page = calloc(PAGE_STACKS, sizeof(*page));
		if (!page)
			return 0;
		atomic_store_explicit(&pages[count / PAGE_STACKS], page,
				      memory_order_release);
	}
	page[count % PAGE_STACKS] =
		(struct stack){.trace = *trace, .hash = hash, .next = *bucket};
	*bucket = count;
	return count++;
}

/* Of @thread; 0: not there. @threads: how many have a number there. */
static uint32_t stack_find_locked(const struct trace *trace, uint64_t hash,
				  int32_t thread, uint32_t *threads)
{
	uint32_t id;

	*threads = 0;
	for (id = buckets[hash % BUCKETS]; id; id = stack_at(id)->next) {
		if (stack_at(id)->hash != hash || !is_same(&stack_at(id)->trace, trace))
			continue;
		if (stack_at(id)->trace.thread == thread)
			break;
		++*threads;
	}
	return id;
}

static uint32_t number(const struct trace *trace)
{
	uint64_t hash = trace_place(trace);
	struct trace any = *trace;
	uint32_t id, threads;

	pthread_mutex_lock(&lock);
	id = stack_find_locked(trace, hash, trace->thread, &threads);
	/* A program that starts threads without end needs no more memory for it. */
	if (!id && threads >= PLACE_THREADS) {
		any.thread = 0;
		id = stack_find_locked(&any, hash, 0, &threads);
	}
	if (!id)
		id = stack_add_locked(&any, hash);
	pthread_mutex_unlock(&lock);
	return id;
}

uint32_t stack_id_here(void)
{
	struct trace trace;

	if (stack_entry.function)
		return stack_id(stack_entry.function, stack_entry.pc, stack_entry.frame);
	trace_take(&trace);
	return number(&trace);
}

struct walk {
	uintptr_t pc;
	uintptr_t frame; /* what is below it is ours */
	uintptr_t below; /* end of the frame before */
	struct stack_seen *seen;
	void *frames[STACKS_FRAMES];
	int depth;
	bool ended; /* at the last frame of the thread */
	bool lost;  /* a return address is not on the stack */
};

/* Where the return address is: on x86 at the end of the frame, else somewhere in it. */
static const uintptr_t *find_slot(uintptr_t from, uintptr_t end, uintptr_t value)
{
	const uintptr_t *slot = (const uintptr_t *)end;
#ifdef __x86_64__
	uintptr_t words = end - from >= sizeof(*slot);
#else
	uintptr_t words = (end - from) / sizeof(*slot);
#endif

	for (; words; words--) {
		if (*--slot == value)
			return slot;
	}
	return NULL;
}

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *context, void *arg)
{
	struct walk *walk = arg;
	uintptr_t ip = unwind.ip(context), end = unwind.cfa(context);
	const uintptr_t *slot;

	if (end <= walk->frame)
		return _URC_NO_REASON;
	/* The last frame of a thread has no caller. */
	if (!ip) {
		walk->ended = true;
		return _URC_END_OF_STACK;
	}
	if (end <= walk->below || end - walk->below > FRAME_WORDS * sizeof(*slot))
		walk->lost = true;
	slot = walk->lost ? NULL : find_slot(walk->below, end, ip);
	walk->below = end;
	walk->seen->slots[walk->depth].at = slot;
	walk->seen->slots[walk->depth].value = ip;
	/* The place's own, which is compared anyway, may be in a register. */
	if (!slot && (walk->depth || ip != walk->pc))
		walk->lost = true;
	walk->frames[walk->depth++] = (void *)ip;
	return walk->depth == STACKS_FRAMES ? _URC_END_OF_STACK : _URC_NO_REASON;
}

static struct stack_seen *seen_of_thread(void)
{
	void *map;

	if (stacks_seen != none)
		return stacks_seen;
	map = mmap(NULL, STACKS_SEEN * sizeof(struct stack_seen), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return NULL;
	if (!thread_key_set(&key, unmap_seen, map)) {
		munmap(map, STACKS_SEEN * sizeof(struct stack_seen));
		return NULL;
	}
	stacks_seen = map;
	return map;
}

/* Of the code that starts the program or a thread. */
static bool is_start(uintptr_t ip)
{
	Dl_info at;

	if (ip - getauxval(AT_ENTRY) < ENTRY_BYTES)
		return true;
	return c_library && dladdr((void *)ip, &at) && at.dli_fbase == c_library;
}

/*
 * What has called main or a thread's function is below it on the stack as long as it
 * runs, and that it runs is told by the frames that it called.
 */
static int without_last(const struct walk *walk)
{
	int depth = walk->depth;

	while (walk->ended && depth && is_start(walk->seen->slots[depth - 1].value))
		depth--;
	return depth;
}

/* The innermost one is compared anyway, where it is the place's own. */
static int without_first(struct stack_seen *seen, const void *pc, int depth)
{
	if (!depth || seen->slots[0].value != (uintptr_t)pc)
		return depth;
	memmove(&seen->slots[0], &seen->slots[1],
		(size_t)(depth - 1) * sizeof(seen->slots[0]));
	return depth - 1;
}

/* To a multiple of two, with some that always hold. */
static void fill_up(struct stack_seen *seen, int depth)
{
	static const uintptr_t nothing;

	for (; !depth || depth % 2; depth++) {
		seen->slots[depth].at = &nothing;
		seen->slots[depth].value = nothing;
	}
	seen->more = (uint32_t)depth / 2 - 1;
}

uint32_t stack_unwind(const char *function, const void *pc, const void *frame)
{
	struct walk walk = {.pc = (uintptr_t)pc,
			    .frame = (uintptr_t)frame,
			    .below = (uintptr_t)frame};
	struct trace trace;
	uint32_t id;

	pthread_once(&once, stack_start);
	if (!seen_of_thread())
		return 0;
	walk.seen = stack_place(stacks_seen, pc, frame);
	walk.seen->pc = 0;
	if (unwind.backtrace)
		unwind.backtrace(on_frame, &walk);
	trace_of(&trace, function, walk.frames, walk.depth);
	id = number(&trace);
	/* Found again only where all of the frames can be looked at, and with a number.
	 */
	if (walk.lost || !id)
		return id;
	fill_up(walk.seen, without_first(walk.seen, pc, without_last(&walk)));
	walk.seen->id = id;
	walk.seen->frame = (uintptr_t)frame;
	walk.seen->pc = (uintptr_t)pc;
	return id;
}
