// SPDX-License-Identifier: MIT
#include "debug/check.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "debug/check_flight.h"
#include "debug/check_host.h"
#include "debug/check_object.h"
#include "debug/check_report.h"
#include "debug/check_small.h"
#include "base/base.h"
#include "debug/report.h"
#include "debug/stacks.h"

/* Freed blocks that are held back, and records of freed blocks that are kept. */
#define MAX_HELD_BYTES (16ULL << 20)
#define MAX_FREED 4096

/* A block that is in no slab, or any block where others watch as well. */
struct record {
	struct tree_node by_base;
	struct checked block;
	void *heap_base; /* what the heap knows */
	struct record *next_freed;
	uint64_t hidden; /* bytes that the program cannot touch; 0: none, or no more */
	uint32_t opened; /* by calls and tasks that work on it now */
	bool is_paged;	 /* it was hidden once */
};

static int compare(const struct tree_node *a, const struct tree_node *b)
{
	uint64_t x = tree_entry(a, const struct record, by_base)->block.base;
	uint64_t y = tree_entry(b, const struct record, by_base)->block.base;

	return (x > y) - (x < y);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct tree records = {.compare = compare, .random = 1};
static struct record *freed_first, **freed_last = &freed_first;
static uint64_t held_bytes;
static uint32_t freed_count;

static struct record *check_find(uint64_t addr)
{
	struct record key = {.block.base = addr};
	struct tree_node *node = tree_floor(&records, &key.by_base);
	struct record *record;

	if (!node)
		return NULL;
	record = tree_entry(node, struct record, by_base);
	return addr - record->block.base < record->block.ruled ||
			       addr == record->block.base
		       ? record
		       : NULL;
}

/*
 * A block that was freed for good, and whose memory something else has now that does
 * not come by here: a pool, a native block.
 */
static bool is_stale(const struct checked *block, const void *ptr)
{
	struct heap_block found;

	return block->freed && !block->held && !heap_find(ptr, &found, NULL, NULL);
}

/* The block around @addr that the checks know; record: where it is no small one. */
static bool check_look_up(uint64_t addr, struct checked *out, struct record **record)
{
	*record = NULL;
	/* First: a record may be of what was there before the slab. */
	if (small_find(addr, out))
		return true;
	*record = check_find(addr);
	if (*record)
		*out = (*record)->block;
	return *record;
}

/* Back to the heap, with the lock held. */
static void let_go(struct record *record)
{
	const struct checked *block = &record->block;
	const uint8_t *bad;

	guard_forget((void *)(uintptr_t)block->base, block->ruled);
	bad = check_written(block);
	if (bad)
		check_report_held(block, bad);
	heap_free(record->heap_base, block->kind);
	held_bytes -= block->ruled;
	record->block.held = false;
}

static void check_drop_oldest(void)
{
	struct record *record = freed_first;

	freed_first = record->next_freed;
	if (!freed_first)
		freed_last = &freed_first;
	freed_count--;
	if (record->block.held)
		let_go(record);
	tree_erase(&records, &record->by_base);
	free(record);
}

/* An address that the heap has given again has no freed record any more. */
static void forget_freed(uint64_t base, uint64_t size)
{
	struct record **at = &freed_first, *record;

	while ((record = *at)) {
		if (record->block.held || record->block.base >= base + size ||
		    record->block.base + record->block.ruled <= base) {
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

/* What lives at the end, by the place that took it. */
static struct leak {
	uint64_t place, bytes, blocks;
	struct checked first;
} * leaks;

static uint32_t leak_count, leak_room;
static uint64_t leaked_bytes, leaked_blocks;

static struct leak *leak_of(const struct checked *block)
{
	uint64_t place = trace_place(stack_get(block->taken)) + block->kind;
	struct leak *more;
	uint32_t i;

	for (i = 0; i < leak_count; i++) {
		if (leaks[i].place == place)
			return &leaks[i];
	}
	if (leak_count == leak_room) {
		more = realloc(leaks, (leak_room * 2 + 16) * sizeof(*more));
		if (!more)
			return NULL;
		leaks = more;
		leak_room = leak_room * 2 + 16;
	}
	leaks[leak_count] = (struct leak){.place = place, .first = *block};
	return &leaks[leak_count++];
}

static void note_leak(const struct checked *block)
{
	struct leak *leak = leak_of(block);

	leaked_bytes += block->asked;
	leaked_blocks++;
	if (!leak)
		return;
	leak->bytes += block->asked;
	leak->blocks++;
}

static void report_leak(const struct leak *leak)
{
	const struct report report = {.check = "leak", .about = leak->place};
	bool told;

	if (leak->blocks == 1)
		told = report_begin(&report, "a block was never freed");
	else
		told = report_begin(&report,
				    "%llu blocks, %llu bytes together, were never freed; "
				    "the first of them:",
				    (unsigned long long)leak->blocks,
				    (unsigned long long)leak->bytes);
	if (!told)
		return;
	checked_describe(&leak->first);
	report_end("free it with the function that fits before the program ends");
}

static void report_leaks(void)
{
	const struct record *record;
	struct tree_node *node;
	struct record key = {0};
	uint32_t i;

	for (node = tree_ceil(&records, &key.by_base); node;
	     node = tree_above(&records, node)) {
		record = tree_entry(node, struct record, by_base);
		if (!record->block.freed)
			note_leak(&record->block);
	}
	for (i = 0; i < leak_count; i++)
		report_leak(&leaks[i]);
	if (leaked_blocks)
		report_note("%llu bytes in %llu blocks were never freed",
			    (unsigned long long)leaked_bytes,
			    (unsigned long long)leaked_blocks);
}

/* Other threads may still be in here: what they hold must not hang the end for ever. */
static bool lock_at_end(void)
{
	int tries = 0;

	while (pthread_mutex_trylock(&lock)) {
		if (++tries > 100)
			return false;
		usleep(1000);
	}
	return true;
}

static atomic_bool started;

/*
 * Static destructors and atexit handlers of the program have run: they may free, too.
 * Only in the process that took the memory: a child has a copy, and an end of its own.
 */
static __attribute__((destructor(101))) void check_end_of_process(void)
{
	if (!atomic_load(&started) || !process_is_user())
		return;
	/* What is found now, no call has found. */
	error_function = "";
	if (lock_at_end()) {
		while (freed_first)
			check_drop_oldest();
		small_end(check_is(CHECK_LEAK) ? note_leak : NULL);
		if (check_is(CHECK_LEAK)) {
			report_leaks();
			check_objects_report();
		}
		pthread_mutex_unlock(&lock);
	}
	report_exit();
}

/* The environment was read: what the list says is known to all parts of the checks. */
static void check_start(const struct check_list *list)
{
	if (list->checks)
		atomic_store(&started, true);
	atomic_store(&check_tasks, (list->checks & CHECK_FLIGHT) != 0);
	atomic_store(&check_host, (list->checks & CHECK_PORTABLE) != 0);
	check_host_start(check_touched);
	report_set(&(struct report_options){
		.exit_code = list->exit_code,
		.abort_first = list->abort_first,
		.count_advice = list->count_advice,
		.log = list->log[0] ? list->log : NULL,
	});
}

/* Before a constructor of the program may read the environment. */
static __attribute__((constructor(101))) void check_register(void)
{
	config_on_checks(check_start);
}

/*
 * What is asked of the heap: with align64 the block starts 64 bytes into it. Not one of a
 * page or more: a right program may rely on its start on a page.
 */
static struct heap_request shifted(const struct heap_request *request, uint64_t *shift)
{
	struct heap_request more = *request;

	*shift = request->class == HEAP_MEDIA ? 0 : check_shift(request->asked);
	if (!*shift)
		return more;
	if (more.align < 2 * ACLKM_RULE_ALIGN)
		more.align = 2 * ACLKM_RULE_ALIGN;
	/* Both, so that the last byte is still the block's to those who ask. */
	more.shift = (uint32_t)*shift;
	more.asked += *shift;
	more.ruled += *shift;
	return more;
}

/* Pages of its own, which can be hidden. */
static bool is_hidden(const struct heap_request *request)
{
	return check_hides() && request->class == HEAP_DEVICE &&
	       !config_get()->run_on_device;
}

static struct heap_request paged(const struct heap_request *request)
{
	struct heap_request more = *request;

	if (more.align < CHECK_PAGE)
		more.align = CHECK_PAGE;
	more.ruled = (more.ruled + CHECK_PAGE - 1) & ~(CHECK_PAGE - 1ULL);
	return more;
}

static struct heap_request wanted(const struct heap_request *request, uint64_t *shift)
{
	struct heap_request more = shifted(request, shift);

	if (!is_hidden(request))
		return more;
	*shift = 0;
	return paged(request);
}

/* With what is held back where there is no other memory. */
static int take_from_heap(const struct heap_request *request, void **out)
{
	int err = heap_alloc(request, out);

	while (err == ACLKM_ERR_NOMEM && held_bytes) {
		check_drop_oldest();
		err = heap_alloc(request, out);
	}
	if (err == ACLKM_ERR_NOMEM && small_let_go())
		err = heap_alloc(request, out);
	return err;
}

static void enter_record(struct record *record, const struct heap_request *request,
			 void *heap_base, uint64_t shift)
{
	struct checked *block = &record->block;
	void *base = (char *)heap_base + shift;

	record->heap_base = heap_base;
	*block = (struct checked){.base = (uint64_t)(uintptr_t)base,
				  .asked = request->asked,
				  .ruled = request->ruled,
				  .kind = request->kind,
				  .taken = stack_id_here()};
	forget_freed(block->base, block->ruled);
	tree_insert(&records, &record->by_base);
	guard_forget(base, block->ruled);
	check_fill_taken(block);
	guard_alloc(base, block->asked, block->ruled);
	if (is_hidden(request)) {
		record->hidden = (block->ruled + CHECK_PAGE - 1) & ~(CHECK_PAGE - 1ULL);
		record->is_paged = true;
		check_hide(block->base, record->hidden);
	}
}

int check_take(const struct heap_request *request, void **out)
{
	struct record *record = calloc(1, sizeof(*record));
	struct heap_request more;
	uint64_t shift;
	void *base;
	int err;

	if (!record)
		return error_no_records();
	more = wanted(request, &shift);
	pthread_mutex_lock(&lock);
	err = take_from_heap(&more, &base);
	if (!err && !guard_is_watched() && !is_hidden(request) &&
	    small_take((uint64_t)(uintptr_t)base, request->asked, request->ruled,
		       shift)) {
		free(record);
	} else if (!err) {
		enter_record(record, request, base, shift);
	} else {
		free(record);
	}
	pthread_mutex_unlock(&lock);
	if (!err)
		*out = (char *)base + shift;
	return err;
}

static void keep_freed(struct record *record)
{
	record->block.freed = true;
	record->next_freed = NULL;
	*freed_last = record;
	freed_last = &record->next_freed;
	freed_count++;
	while (freed_count > MAX_FREED || held_bytes > MAX_HELD_BYTES)
		check_drop_oldest();
}

static int check_free_record(struct record *record)
{
	struct checked *block = &record->block;
	void *base = (void *)(uintptr_t)block->base;
	const uint8_t *bad;
	int err = ACLKM_OK;

	if (record->hidden)
		check_show(block->base, record->hidden);
	record->hidden = 0;
	guard_forget(base, block->ruled);
	bad = check_written_behind(block);
	if (bad)
		check_report_red_zone(block, bad);
	block->given = stack_id_here();
	if (check_is(CHECK_POISON) && !block->in_use) {
		check_fill_freed(block);
		block->held = true;
		held_bytes += block->ruled;
		guard_free(base, block->ruled);
	} else {
		guard_free(base, block->ruled);
		err = heap_free(record->heap_base, block->kind);
	}
	keep_freed(record);
	return err;
}

static void report_free(const void *ptr, const struct checked *block, const char *what,
			const char *fix)
{
	struct report report;
	struct trace here;

	if (!check_is(CHECK_FREE))
		return;
	report = checked_report("bad-free", &here, block);
	if (!report_begin(&report, "%p: %s", ptr, what))
		return;
	if (block)
		checked_describe(block);
	report_end(fix);
}

static int check_refuse(void *ptr, enum aclkm_kind kind, const struct checked *block)
{
	uint64_t addr = (uint64_t)(uintptr_t)ptr;

	if (!block || is_stale(block, ptr)) {
		report_free(ptr, NULL,
			    "is no block of AscendCL's allocation functions, or was "
			    "freed long ago",
			    "free only what an allocation function gave, with the free "
			    "function that fits");
		return heap_free(ptr, kind);
	}
	if (block->freed) {
		report_free(ptr, block, "is freed already",
			    "free each block once; clear the pointer when you do");
		return error_set(
			ACLKM_ERR_NOTALIVE,
			"address %p is not allocated: never given, or freed already",
			ptr);
	}
	if (block->base != addr) {
		report_free(ptr, block, "lies inside a block",
			    "free with exactly the address that was given");
		return error_set(ACLKM_ERR_INTERIOR,
				 "address %p lies inside a block: give the start", ptr);
	}
	report_free(ptr, block, "is freed by a function for another kind of memory",
		    "aclrtMalloc* with aclrtFree, aclrtMallocHost with aclrtFreeHost, "
		    "acldvppMalloc with acldvppFree, hi_mpi_dvpp_malloc with "
		    "hi_mpi_dvpp_free");
	return error_set(ACLKM_ERR_KIND,
			 "address %p is %s memory: it has a free function of its own",
			 ptr, kind_name(block->kind));
}

static void describe_any(const void *block)
{
	checked_describe(block);
}

int check_give(void *ptr, enum aclkm_kind kind)
{
	struct checked block;
	struct record *record;
	bool known;
	int err = ACLKM_OK;

	pthread_mutex_lock(&lock);
	known = check_look_up((uint64_t)(uintptr_t)ptr, &block, &record);
	if (!known || block.freed || block.base != (uint64_t)(uintptr_t)ptr ||
	    block.kind != kind) {
		err = check_refuse(ptr, kind, known ? &block : NULL);
	} else {
		if (check_is(CHECK_FREE))
			check_offered(block.base, block.asked, describe_any, &block);
		block.in_use = check_is(CHECK_FLIGHT) &&
			       check_in_flight(block.base, block.asked, "freed",
					       describe_any, &block);
		if (record) {
			record->block.in_use = block.in_use;
			err = check_free_record(record);
		} else {
			small_give(&block);
		}
	}
	pthread_mutex_unlock(&lock);
	return err;
}

void check_open(const void *at)
{
	struct record *record;

	pthread_mutex_lock(&lock);
	record = check_find((uint64_t)(uintptr_t)at);
	if (record && !record->opened++ && record->hidden)
		check_show(record->block.base, record->hidden);
	pthread_mutex_unlock(&lock);
}

void check_close(const void *at)
{
	struct record *record;

	pthread_mutex_lock(&lock);
	record = check_find((uint64_t)(uintptr_t)at);
	if (record && record->opened && !--record->opened && record->hidden)
		check_hide(record->block.base, record->hidden);
	pthread_mutex_unlock(&lock);
}

static void report_touch(const struct checked *block, uint64_t at)
{
	struct report report;
	struct trace here;

	/* The program is in no call. */
	error_function = "";
	report = checked_report("portable", &here, block);
	if (!report_begin(&report, "%p, device memory, was accessed by the host",
			  (void *)(uintptr_t)at))
		return;
	checked_describe(block);
	report_end(
		"copy with aclrtMemcpy, or take host or managed memory: a real device's "
		"memory is not mapped for the host");
}

/* The block whose last page may end behind it. */
static struct record *find_page(uint64_t at)
{
	struct record *record = check_find(at);

	return record ?: check_find(at & ~(CHECK_PAGE - 1ULL));
}

bool check_touched(uint64_t at, bool by_library)
{
	struct record *record;
	struct checked block;
	bool hidden, known;

	pthread_mutex_lock(&lock);
	record = find_page(at);
	hidden = record && record->hidden;
	/* Another thread may work on it, or have shown it, meanwhile: the access goes on.
	 */
	known = hidden || (record && record->is_paged);
	if (hidden) {
		check_show(record->block.base, record->hidden);
		record->hidden = 0;
		block = record->block;
	}
	pthread_mutex_unlock(&lock);
	if (hidden && !by_library)
		report_touch(&block, at);
	return known;
}

static void check_end(const void *ptr, uint64_t count, const char *side)
{
	struct checked block;
	struct record *record;
	struct report report;
	struct trace here;
	uint64_t offset;
	bool known;

	pthread_mutex_lock(&lock);
	known = check_look_up((uint64_t)(uintptr_t)ptr, &block, &record);
	offset = known ? (uint64_t)(uintptr_t)ptr - block.base : 0;
	if (known && block.freed && !is_stale(&block, ptr)) {
		report = checked_report("use-after-free", &here, &block);
		if (report_begin(&report, "%s %p is in a freed block", side, ptr)) {
			checked_describe(&block);
			report_end("free memory when nothing uses it any more");
		}
	} else if (known && !block.freed &&
		   (offset > block.asked || count > block.asked - offset)) {
		report = checked_report("out-of-bounds", &here, &block);
		if (report_begin(&report,
				 "%s %p with %llu bytes goes %llu bytes past the end of "
				 "its block",
				 side, ptr, (unsigned long long)count,
				 (unsigned long long)(offset + count - block.asked))) {
			checked_describe(&block);
			report_end("destMax and count must fit the block: destMax is not "
				   "checked against it by the API");
		}
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

void check_kind(const struct copy_kind *copy)
{
	struct report report;
	struct trace here;

	if (!check_is(CHECK_PORTABLE))
		return;
	report = checked_report("portable", &here, NULL);
	if (copy->stated &&
	    report_begin(
		    &report,
		    "the copy from %p to %p goes from %s to %s, not as kind = %d says",
		    copy->src, copy->dst, copy->from_device ? "device" : "host",
		    copy->to_device ? "device" : "host", copy->kind))
		report_end(
			"state the kind that the addresses have, or ACL_MEMCPY_DEFAULT: "
			"real devices refuse the others");
	report.about = 1;
	if (copy->no_peer &&
	    report_begin(
		    &report,
		    "the copy from %p of device %u to %p of device %u has no peer access",
		    copy->src, copy->src_device, copy->dst, copy->dst_device))
		report_end("call aclrtDeviceEnablePeerAccess for the other device first");
}

void check_async(const void *dst, const void *src, bool unaligned, bool at_once)
{
	struct report report;
	struct trace here;

	if (unaligned && check_is(CHECK_ALIGN)) {
		report = checked_report("unaligned", &here, NULL);
		report.kind = REPORT_ADVICE;
		if (report_begin(&report,
				 "asynchronous copy from %p to %p: both should be "
				 "multiples of 64",
				 src, dst))
			report_end("let buffers and offsets be multiples of 64: some "
				   "releases of AscendCL ask for it (107008)");
	}
	if (at_once && check_is(CHECK_SYNC)) {
		report = checked_report("not-asynchronous", &here, NULL);
		report.kind = REPORT_ADVICE;
		if (report_begin(&report,
				 "the copy from %p to %p drained the stream and was done "
				 "at once: one side is pageable host memory",
				 src, dst))
			report_end("take host buffers with aclrtMallocHost, or register "
				   "them with aclrtHostRegister");
	}
}
