// SPDX-License-Identifier: MIT
#include "copy/copy.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "aclkm/copy.h"
#include "debug/debug.h"
#include "base/base.h"
#include "copy/crew.h"
#include "alloc/alloc.h"
#include "copy/kernels.h"
#include "copy/tuner.h"

/* Below this the caches win everywhere, and taking the time would cost. */
#define TUNED_FROM (256U << 10)
#define TUNED_SHIFT 18
#define TUNED_SIZES 12 /* 256 KiB to 512 MiB, and all above */

/* From here on more threads are tried, in pieces that are whole pages. */
#define SHARED_FROM (1U << 20)
#define MIN_PART (256U << 10)

/* A shared copy takes more of the machine: its time counts so much more. */
#define SHARED_COSTS 3

/* What is done to a range: a copy, or a fill where @src is NULL. */
struct span {
	char *dst;
	const char *src;
	int value;
	size_t count;
};

/* A way to do it: a kernel or the C library, alone or with the crew. */
struct way {
	const struct kernel *kernel; /* NULL: the C library */
	bool pieces;
	bool shared;
};

struct parts {
	const struct span *span;
	struct way way;
	size_t part;
};

static struct tuner copy_tuners[TUNED_SIZES], fill_tuners[TUNED_SIZES];
static _Atomic size_t past_caches; /* 0: by measurement */

static void copy_run(const struct span *span, struct way way)
{
	const struct kernel *kernel = way.kernel;

	if (span->src && kernel && way.pieces)
		kernel->copy_pieces(span->dst, span->src, span->count);
	else if (span->src && kernel)
		kernel->copy(span->dst, span->src, span->count);
	else if (span->src)
		memmove(span->dst, span->src, span->count);
	else if (kernel)
		kernel->fill(span->dst, span->value, span->count);
	else
		memset(span->dst, span->value, span->count);
}

static void run_part(void *arg, size_t part)
{
	const struct parts *parts = arg;
	struct span span = *parts->span;
	size_t from = part * parts->part;

	span.dst += from;
	if (span.src)
		span.src += from;
	span.count -= from;
	if (span.count > parts->part)
		span.count = parts->part;
	copy_run(&span, parts->way);
}

static void run_way(const struct span *span, struct way way)
{
	struct parts parts = {.span = span, .way = way};
	size_t n = 2UL * crew_size();

	if (way.shared) {
		parts.part = (span->count / n + 4095) & ~(size_t)4095;
		if (parts.part < MIN_PART)
			parts.part = MIN_PART;
		n = (span->count + parts.part - 1) / parts.part;
		if (crew_run(run_part, &parts, n))
			return;
	}
	copy_run(span, way);
}

static uint64_t nanoseconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* The ways of this machine for @count bytes, the C library's first. */
static unsigned int list_ways(size_t count, struct way *ways)
{
	const struct kernel *const *kernels;
	unsigned int n = 0;
	size_t here, i;

	kernels = kernels_here(&here);
	ways[n++] = (struct way){0};
	for (i = 0; i < here && i < 2; i++)
		ways[n++] = (struct way){.kernel = kernels[i]};
	if (count < SHARED_FROM)
		return n;
	ways[n++] = (struct way){.kernel = kernels[0], .pieces = true};
	if (crew_size() > 1) {
		ways[n++] = (struct way){.shared = true};
		ways[n++] = (struct way){
			.kernel = kernels[0], .pieces = true, .shared = true};
	}
	return n;
}

static unsigned int index_of(size_t count)
{
	unsigned int index = 63 - (unsigned int)__builtin_clzll(count) - TUNED_SHIFT;

	return index < TUNED_SIZES ? index : TUNED_SIZES - 1;
}

static void run_tuned(const struct span *span, struct tuner *tuners)
{
	struct tuner *tuner = &tuners[index_of(span->count)];
	struct way ways[TUNER_WAYS];
	unsigned int n = list_ways(span->count, ways), way;
	uint64_t start, cost;
	clockid_t clock;
	int timed;

	way = tuner_pick(tuner, n, &timed);
	if (!timed) {
		run_way(span, ways[way]);
		return;
	}
	/* What others take of this CPU says nothing of the way; of helpers it does. */
	clock = ways[way].shared ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID;
	start = nanoseconds(clock);
	run_way(span, ways[way]);
	cost = (nanoseconds(clock) - start) * 65536 / span->count;
	/* More threads take more of the machine: they must be worth it. */
	if (ways[way].shared)
		cost += cost / SHARED_COSTS;
	tuner_note(tuner, n, way, cost);
}

static void run_fixed(const struct span *span, size_t limit)
{
	struct way way = {0};
	size_t n;

	if (span->count >= limit)
		way.kernel = kernels_here(&n)[0];
	way.shared = span->count >= SHARED_FROM && crew_size() > 1;
	run_way(span, way);
}

static void run_span(const struct span *span, struct tuner *tuners)
{
	size_t limit = atomic_load_explicit(&past_caches, memory_order_relaxed);

	if (span->count < TUNED_FROM && !limit)
		copy_run(span, (struct way){0});
	else if (limit)
		run_fixed(span, limit);
	else
		run_tuned(span, tuners);
}

static bool overlap(const char *a, const char *b, size_t count)
{
	return (uintptr_t)a - (uintptr_t)b < count || (uintptr_t)b - (uintptr_t)a < count;
}

static void read_uncached(void *dst, const void *src, size_t count)
{
	size_t n;

	kernels_here(&n)[0]->copy_uncached(dst, src, count);
	counter_add(COUNT_BYTES_UNCACHED, count);
}

static void copy_one(void *dst, const void *src, size_t count)
{
	const struct span span = {.dst = dst, .src = src, .count = count};
	size_t limit = atomic_load_explicit(&past_caches, memory_order_relaxed);

	if (uncached_has(src) && !overlap(dst, src, count))
		read_uncached(dst, src, count);
	else if ((count < TUNED_FROM && (!limit || count < limit)) ||
		 overlap(dst, src, count))
		memmove(dst, src, count);
	else
		run_span(&span, copy_tuners);
}

HOT void copy_bytes(void *dst, const void *src, size_t count)
{
	check_work_begins(dst, src);
	copy_one(dst, src, count);
	check_work_ends(dst, src);
	counter_add(COUNT_BYTES_COPIED, count);
}

void copy_rows(void *dst, size_t dst_pitch, const void *src, size_t src_pitch,
	       size_t width, size_t rows)
{
	const char *from = src;
	char *to = dst;

	if (dst_pitch == width && src_pitch == width) {
		copy_bytes(dst, src, width * rows);
		return;
	}
	counter_add(COUNT_BYTES_COPIED, width * rows);
	check_work_begins(dst, src);
	for (; rows; rows--, to += dst_pitch, from += src_pitch)
		copy_one(to, from, width);
	check_work_ends(dst, src);
}

void fill_bytes(void *dst, int value, size_t count)
{
	const struct span span = {.dst = dst, .value = value, .count = count};

	check_work_begins(dst, NULL);
	run_span(&span, fill_tuners);
	check_work_ends(dst, NULL);
}

int aclkm_copy(void *dst, const void *src, size_t count, unsigned int flags)
{
	int err = api_enter(__func__);

	if (err)
		return err;
	if (flags & ~ACLKM_COPY_UNCACHED)
		return error_set(ACLKM_ERR_INVALID, "flags = %#x: unknown bits", flags);
	if (!count)
		return ACLKM_OK;
	if (!dst || !src)
		return error_set(ACLKM_ERR_INVALID, "%s is NULL", dst ? "src" : "dst");
	if (flags & ACLKM_COPY_UNCACHED) {
		read_uncached(dst, src, count);
		counter_add(COUNT_BYTES_COPIED, count);
	} else {
		copy_bytes(dst, src, count);
	}
	return ACLKM_OK;
}

static int check_2d(const void *base, size_t pitch, size_t width, size_t rows,
		    const char *name)
{
	size_t length, end;

	if (!base)
		return error_set(ACLKM_ERR_INVALID, "%s is NULL", name);
	if (pitch < width)
		return error_set(ACLKM_ERR_INVALID,
				 "%s_pitch = %zu: must be at least width = %zu", name,
				 pitch, width);
	if (__builtin_mul_overflow(pitch, rows - 1, &length) ||
	    __builtin_add_overflow(length, width, &length) ||
	    __builtin_add_overflow((size_t)(uintptr_t)base, length, &end))
		return error_set(ACLKM_ERR_OVERFLOW,
				 "%s: %zu rows of %zu bytes leave 64 bits", name, rows,
				 pitch);
	return ACLKM_OK;
}

int aclkm_copy_2d(void *dst, size_t dst_pitch, const void *src, size_t src_pitch,
		  size_t width, size_t rows)
{
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!width || !rows)
		return ACLKM_OK;
	err = check_2d(dst, dst_pitch, width, rows, "dst");
	if (!err)
		err = check_2d(src, src_pitch, width, rows, "src");
	if (err)
		return err;
	copy_rows(dst, dst_pitch, src, src_pitch, width, rows);
	return ACLKM_OK;
}

int aclkm_copy_batch(const struct aclkm_copy_piece *pieces, size_t n)
{
	int err = api_enter(__func__);
	size_t i, next;

	if (err)
		return err;
	if (n && !pieces)
		return error_set(ACLKM_ERR_INVALID, "pieces is NULL");
	for (i = 0; i < n; i++) {
		if (pieces[i].count && (!pieces[i].dst || !pieces[i].src))
			return error_set(ACLKM_ERR_INVALID, "pieces[%zu].%s is NULL", i,
					 pieces[i].dst ? "src" : "dst");
	}
	for (i = 0; i < n; i = next) {
		size_t count = pieces[i].count;

		for (next = i + 1; next < n; next++) {
			if (pieces[next].dst != (char *)pieces[i].dst + count ||
			    pieces[next].src != (const char *)pieces[i].src + count)
				break;
			count += pieces[next].count;
		}
		if (count)
			copy_bytes(pieces[i].dst, pieces[i].src, count);
	}
	return ACLKM_OK;
}

int aclkm_fill(void *dst, int value, size_t count)
{
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!dst && count)
		return error_set(ACLKM_ERR_INVALID, "dst is NULL");
	if (count)
		fill_bytes(dst, value, count);
	return ACLKM_OK;
}

int aclkm_copy_tune(const struct aclkm_copy_tuning *tuning)
{
	int err = api_enter(__func__), i;

	if (err)
		return err;
	if (tuning && tuning->threads > 16)
		return error_set(ACLKM_ERR_INVALID, "threads = %u: at most 16",
				 tuning->threads);
	atomic_store(&past_caches, tuning ? tuning->past_caches : 0);
	crew_set_size(tuning ? tuning->threads : 0);
	for (i = 0; i < TUNED_SIZES; i++) {
		tuner_begin(&copy_tuners[i]);
		tuner_begin(&fill_tuners[i]);
	}
	return ACLKM_OK;
}
