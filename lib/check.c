// SPDX-License-Identifier: MIT
#include "check.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "error.h"
#include "guard.h"
#include "report.h"
#include "rules.h"
#include "tree.h"

#define RED 0xfd
#define TAKEN 0xab
#define FREED 0xdd

/* Freed blocks that are held back, and records of freed blocks that are kept. */
#define MAX_HELD_BYTES (16ULL << 20)
#define MAX_FREED 4096

/* A block as the program knows it; after its free, for a while. */
struct record {
	struct tree_node by_base;
	uint64_t base;
	void *heap_base; /* what the heap knows */
	struct heap_request request;
	bool freed;
	bool held; /* freed, but not given back to the heap */
	struct record *next_freed;
	struct trace taken, given;
};

static int compare(const struct tree_node *a, const struct tree_node *b)
{
	uint64_t x = tree_entry(a, const struct record, by_base)->base;
	uint64_t y = tree_entry(b, const struct record, by_base)->base;

	return (x > y) - (x < y);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct tree records = {.compare = compare, .random = 1};
static struct record *freed_first, **freed_last = &freed_first;
static uint64_t held_bytes;
static uint32_t freed_count;

uint32_t check_wanted(void)
{
	return config_get()->checks;
}

static struct record *find(uint64_t addr)
{
	struct record key = {.base = addr};
	struct tree_node *node = tree_floor(&records, &key.by_base);
	struct record *record;

	if (!node)
		return NULL;
	record = tree_entry(node, struct record, by_base);
	return addr - record->base < record->request.ruled || addr == record->base
		       ? record
		       : NULL;
}

/*
 * A block that was freed for good, and whose memory something else has now that does
 * not come by here: a pool, a native block.
 */
static bool is_stale(const struct record *record, const void *ptr)
{
	struct heap_block block;

	return record && record->freed && !record->held &&
	       !heap_find(ptr, &block, NULL, NULL);
}

static void describe(const struct record *record)
{
	report_line("  block: %llu bytes [%p, %p) of %s memory",
		    (unsigned long long)record->request.asked,
		    (void *)(uintptr_t)record->base,
		    (void *)(uintptr_t)(record->base + record->request.asked),
		    kind_name(record->request.kind));
	report_trace("taken", &record->taken);
	if (record->freed)
		report_trace("freed", &record->given);
}

/* The first byte in [from, to) that is not @value; @to when all are. */
static const uint8_t *first_other(const uint8_t *from, const uint8_t *to, uint8_t value)
{
	while (from < to && *from == value)
		from++;
	return from;
}

static void check_red_zone(const struct record *record)
{
	const uint8_t *zone =
		(const uint8_t *)(uintptr_t)record->base + record->request.asked;
	const uint8_t *end =
		(const uint8_t *)(uintptr_t)record->base + record->request.ruled;
	const uint8_t *bad = first_other(zone, end, RED);
	struct trace here;

	if (bad == end)
		return;
	trace_take(&here);
	report_begin("red-zone", &here, false,
		     "byte %llu behind the end of a block was written: 0x%02x",
		     (unsigned long long)(bad - zone), *bad);
	describe(record);
	report_end(
		"write no more than the size that was asked for; found when freeing, so "
		"look at who writes this block");
}

static void check_held(const struct record *record)
{
	const uint8_t *from = (const uint8_t *)(uintptr_t)record->base;
	const uint8_t *end = from + record->request.asked;
	const uint8_t *bad = first_other(from, end, FREED);
	struct trace here;

	if (bad == end)
		return;
	trace_take(&here);
	report_begin("use-after-free", &here, false,
		     "byte %llu of a freed block was written: 0x%02x",
		     (unsigned long long)(bad - from), *bad);
	describe(record);
	report_end("free memory when nobody writes it any more: synchronise the streams "
		   "that use it first");
}

/* Back to the heap, with the lock held. */
static void let_go(struct record *record)
{
	guard_forget((void *)(uintptr_t)record->base, record->request.ruled);
	check_held(record);
	heap_free(record->heap_base, record->request.kind);
	held_bytes -= record->request.ruled;
	record->held = false;
}

static void drop_oldest(void)
{
	struct record *record = freed_first;

	freed_first = record->next_freed;
	if (!freed_first)
		freed_last = &freed_first;
	freed_count--;
	if (record->held)
		let_go(record);
	tree_erase(&records, &record->by_base);
	free(record);
}

/* An address that the heap has given again has no freed record any more. */
static void forget_freed(uint64_t base, uint64_t size)
{
	struct record **at = &freed_first, *record;

	while ((record = *at)) {
		if (record->held || record->base >= base + size ||
		    record->base + record->request.ruled <= base) {
			at = &record->next_freed;
			continue;
		}
		*at = record->next_freed;
		freed_count--;
		tree_erase(&records, &record->by_base);
		free(record);
	}
	freed_last = at;
}

static void report_leaks(void)
{
	struct tree_node *node;
	struct record *record;
	struct record key = {0};
	uint64_t bytes = 0, n = 0;

	for (node = tree_ceil(&records, &key.by_base); node;
	     node = tree_above(&records, node)) {
		record = tree_entry(node, struct record, by_base);
		if (record->freed)
			continue;
		bytes += record->request.asked;
		n++;
		if (n > 50)
			continue;
		report_begin("leak", NULL, false, "a block was never freed");
		describe(record);
		report_end("free it with the function that fits before the program ends");
	}
	if (n)
		report_line("==aclkm: %llu bytes in %llu blocks were never freed",
			    (unsigned long long)bytes, (unsigned long long)n);
}

static void at_exit(void)
{
	/* What is found now, no call has found. */
	error_function = "";
	/* Other threads may still be in here: what they hold must not hang the end. */
	if (!pthread_mutex_trylock(&lock)) {
		while (freed_first)
			drop_oldest();
		if (check_is(CHECK_LEAK))
			report_leaks();
		pthread_mutex_unlock(&lock);
	}
	report_exit();
}

void check_start(void)
{
	atexit(at_exit);
}

/* On a multiple of 64 that is none of 128: 64 bytes into what the heap gives. */
static bool is_shifted(const struct heap_request *request)
{
	return check_is(CHECK_ALIGN64) && request->class != HEAP_MEDIA;
}

static int take_from_heap(struct record *record)
{
	struct heap_request request = record->request;
	bool shifted = is_shifted(&request);
	int err;

	if (shifted) {
		if (request.align < 2 * ACLKM_RULE_ALIGN)
			request.align = 2 * ACLKM_RULE_ALIGN;
		/* Both, so that the last byte is still the block's to those who ask. */
		request.asked += ACLKM_RULE_ALIGN;
		request.ruled += ACLKM_RULE_ALIGN;
	}
	err = heap_alloc(&request, &record->heap_base);
	record->base =
		(uint64_t)(uintptr_t)record->heap_base + (shifted ? ACLKM_RULE_ALIGN : 0);
	return err;
}

int check_take(const struct heap_request *request, void **out)
{
	struct record *record = calloc(1, sizeof(*record));
	uint8_t *base;
	int err;

	if (!record)
		return error_set(ACLKM_ERR_NOHEAP,
				 "no memory for the library's own records");
	record->request = *request;
	pthread_mutex_lock(&lock);
	err = take_from_heap(record);
	while (err == ACLKM_ERR_NOMEM && held_bytes) {
		drop_oldest();
		err = take_from_heap(record);
	}
	if (err) {
		pthread_mutex_unlock(&lock);
		free(record);
		return err;
	}
	forget_freed(record->base, request->ruled);
	trace_take(&record->taken);
	tree_insert(&records, &record->by_base);
	base = (uint8_t *)(uintptr_t)record->base;
	guard_forget(base, request->ruled);
	if (check_is(CHECK_POISON))
		memset(base, TAKEN, request->asked);
	if (check_is(CHECK_REDZONE))
		memset(base + request->asked, RED, request->ruled - request->asked);
	guard_alloc(base, request->asked, request->ruled);
	*out = base;
	pthread_mutex_unlock(&lock);
	return ACLKM_OK;
}

static void keep_freed(struct record *record)
{
	record->freed = true;
	record->next_freed = NULL;
	*freed_last = record;
	freed_last = &record->next_freed;
	freed_count++;
	while (freed_count > MAX_FREED || held_bytes > MAX_HELD_BYTES)
		drop_oldest();
}

static int give(struct record *record)
{
	int err = ACLKM_OK;

	guard_forget((void *)(uintptr_t)record->base, record->request.ruled);
	if (check_is(CHECK_REDZONE))
		check_red_zone(record);
	trace_take(&record->given);
	if (check_is(CHECK_POISON)) {
		memset((void *)(uintptr_t)record->base, FREED, record->request.ruled);
		record->held = true;
		held_bytes += record->request.ruled;
		guard_free((void *)(uintptr_t)record->base, record->request.ruled);
	} else {
		guard_free((void *)(uintptr_t)record->base, record->request.ruled);
		err = heap_free(record->heap_base, record->request.kind);
	}
	keep_freed(record);
	return err;
}

static void report_free(const void *ptr, const struct record *record, const char *what,
			const char *fix)
{
	struct trace here;

	if (!check_is(CHECK_FREE))
		return;
	trace_take(&here);
	report_begin("bad-free", &here, false, "%p: %s", ptr, what);
	if (record)
		describe(record);
	report_end(fix);
}

static int refuse(void *ptr, enum aclkm_kind kind, const struct record *record)
{
	uint64_t addr = (uint64_t)(uintptr_t)ptr;

	if (!record || is_stale(record, ptr)) {
		report_free(ptr, NULL,
			    "is no block of AscendCL's allocation functions, or was "
			    "freed long ago",
			    "free only what an allocation function gave, with the free "
			    "function that fits");
		return heap_free(ptr, kind);
	}
	if (record->freed) {
		report_free(ptr, record, "is freed already",
			    "free each block once; clear the pointer when you do");
		return error_set(
			ACLKM_ERR_NOTALIVE,
			"address %p is not allocated: never given, or freed already",
			ptr);
	}
	if (record->base != addr) {
		report_free(ptr, record, "lies inside a block",
			    "free with exactly the address that was given");
		return error_set(ACLKM_ERR_INTERIOR,
				 "address %p lies inside a block: give the start", ptr);
	}
	report_free(ptr, record, "is freed by a function for another kind of memory",
		    "aclrtMalloc* with aclrtFree, aclrtMallocHost with aclrtFreeHost, "
		    "acldvppMalloc with acldvppFree, hi_mpi_dvpp_malloc with "
		    "hi_mpi_dvpp_free");
	return error_set(ACLKM_ERR_KIND,
			 "address %p is %s memory: it has a free function of its own",
			 ptr, kind_name(record->request.kind));
}

static void end_in_flight(const struct record *record)
{
	describe(record);
	report_end("synchronise the stream before the memory is freed");
}

int check_give(void *ptr, enum aclkm_kind kind)
{
	struct record *record;
	int err;

	pthread_mutex_lock(&lock);
	record = find((uint64_t)(uintptr_t)ptr);
	if (!record || record->freed || record->base != (uint64_t)(uintptr_t)ptr ||
	    record->request.kind != kind) {
		err = refuse(ptr, kind, record);
	} else {
		if (check_is(CHECK_FLIGHT) &&
		    check_in_flight(record->base, record->request.asked, "freed"))
			end_in_flight(record);
		err = give(record);
	}
	pthread_mutex_unlock(&lock);
	return err;
}

static void check_end(const void *ptr, uint64_t count, const char *side)
{
	const struct record *record;
	struct trace here;
	uint64_t offset;

	pthread_mutex_lock(&lock);
	record = find((uint64_t)(uintptr_t)ptr);
	offset = record ? (uint64_t)(uintptr_t)ptr - record->base : 0;
	if (record && record->freed && !is_stale(record, ptr)) {
		trace_take(&here);
		report_begin("use-after-free", &here, false, "%s %p is in a freed block",
			     side, ptr);
		describe(record);
		report_end("free memory when nothing uses it any more");
	} else if (record && !record->freed &&
		   (offset > record->request.asked ||
		    count > record->request.asked - offset)) {
		trace_take(&here);
		report_begin(
			"out-of-bounds", &here, false,
			"%s %p with %llu bytes goes %llu bytes past the end of its "
			"block",
			side, ptr, (unsigned long long)count,
			(unsigned long long)(offset + count - record->request.asked));
		describe(record);
		report_end("destMax and count must fit the block: destMax is not checked "
			   "against it by the API");
	}
	pthread_mutex_unlock(&lock);
}

void check_copy(const void *dst, const void *src, uint64_t count)
{
	if (!check_is(CHECK_BOUNDS))
		return;
	check_end(dst, count, "destination");
	if (src)
		check_end(src, count, "source");
}

void check_async(const void *dst, const void *src, bool unaligned, bool at_once)
{
	struct trace here;

	if (unaligned && check_is(CHECK_ALIGN)) {
		trace_take(&here);
		if (report_begin("unaligned", &here, true,
				 "asynchronous copy from %p to %p: both should be "
				 "multiples of 64",
				 src, dst))
			report_end("let buffers and offsets be multiples of 64: some "
				   "releases of AscendCL ask for it (107008)");
	}
	if (at_once && check_is(CHECK_SYNC)) {
		trace_take(&here);
		if (report_begin("not-asynchronous", &here, true,
				 "the copy from %p to %p drained the stream and was done "
				 "at once: one side is pageable host memory",
				 src, dst))
			report_end("take host buffers with aclrtMallocHost, or register "
				   "them with aclrtHostRegister");
	}
}
