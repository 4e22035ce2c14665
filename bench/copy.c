// SPDX-License-Identifier: MIT
/*
 * copy HOW WHAT BYTES: prints one number.
 *
 *   bandwidth  GB/s of copies of BYTES between the same two buffers, done at once
 *   queue      the same by streams of 64 copies and one wait
 *   queue2     the same on two streams
 *   latency    nanoseconds from the call to the bytes being there, on an idle stream
 *   submit     nanoseconds of the call alone, on a stream that is busy with 4 MiB
 *   wake       (no copy) nanoseconds for nothing to be done by a worker that sleeps
 *   awake      the same by one that has just done something
 *   futex      (no copy) nanoseconds of a futex round trip between two threads
 *
 * BENCH_CLOCK=cpu: bandwidth by the time for which the copying threads have run, for a
 * machine that others use. That is this thread's, or all but this thread's where
 * others copy (their looking for work counts). Of streams and the pool it is that of
 * all threads up to 16 KiB, as who copies such depends on who is faster.
 *
 * HOW: memcpy, the non-temporal loops sse2, avx2 and avx512, pool (a thread with a
 * queue and memcpy), ours (aclkm_copy) and stream (aclrtMemcpyAsync).
 */
#define _GNU_SOURCE
#include <immintrin.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "acl/acl.h"
#include "aclkm/aclkm.h"

#define DEPTH 64
#define BUSY (4UL << 20)     /* keeps a stream busy */
#define AT_ONCE (16UL << 10) /* up to here the caller may copy itself */
#define WARM 32		     /* copies until a way is chosen */

static size_t bytes;
static char *dst, *src;
static aclrtStream streams[2];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what)
{
	fprintf(stderr, "%s\n", what ? what : "failed");
	exit(1);
}

/* The plainest loops there are, for whole lines that are aligned to 64. */
__attribute__((target("sse2"))) static void nt_sse2(void *to, const void *from, size_t n)
{
	__m128i *d = to;
	const __m128i *s = from;
	size_t i;

	for (i = 0; i + 4 <= n / 16; i += 4) {
		__m128i a = _mm_loadu_si128(s + i), b = _mm_loadu_si128(s + i + 1);
		__m128i c = _mm_loadu_si128(s + i + 2), e = _mm_loadu_si128(s + i + 3);

		_mm_stream_si128(d + i, a);
		_mm_stream_si128(d + i + 1, b);
		_mm_stream_si128(d + i + 2, c);
		_mm_stream_si128(d + i + 3, e);
	}
	for (; i < n / 16; i++)
		_mm_stream_si128(d + i, _mm_loadu_si128(s + i));
	_mm_sfence();
}

__attribute__((target("avx2"))) static void nt_avx2(void *to, const void *from, size_t n)
{
	__m256i *d = to;
	const __m256i *s = from;
	size_t i;

	for (i = 0; i + 4 <= n / 32; i += 4) {
		__m256i a = _mm256_loadu_si256(s + i), b = _mm256_loadu_si256(s + i + 1);
		__m256i c = _mm256_loadu_si256(s + i + 2),
			e = _mm256_loadu_si256(s + i + 3);

		_mm256_stream_si256(d + i, a);
		_mm256_stream_si256(d + i + 1, b);
		_mm256_stream_si256(d + i + 2, c);
		_mm256_stream_si256(d + i + 3, e);
	}
	for (; i < n / 32; i++)
		_mm256_stream_si256(d + i, _mm256_loadu_si256(s + i));
	_mm_sfence();
}

__attribute__((target("avx512f"))) static void nt_avx512(void *to, const void *from,
							 size_t n)
{
	__m512i *d = to;
	const __m512i *s = from;
	size_t i;

	for (i = 0; i + 4 <= n / 64; i += 4) {
		__m512i a = _mm512_loadu_si512(s + i), b = _mm512_loadu_si512(s + i + 1);
		__m512i c = _mm512_loadu_si512(s + i + 2),
			e = _mm512_loadu_si512(s + i + 3);

		_mm512_stream_si512(d + i, a);
		_mm512_stream_si512(d + i + 1, b);
		_mm512_stream_si512(d + i + 2, c);
		_mm512_stream_si512(d + i + 3, e);
	}
	for (; i < n / 64; i++)
		_mm512_stream_si512(d + i, _mm512_loadu_si512(s + i));
	_mm_sfence();
}

/* A plain thread pool of one: a queue under a mutex, two conditions, memcpy. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	size_t submitted, finished;
	void *dst[DEPTH * 2];
	const void *src[DEPTH * 2];
	size_t count[DEPTH * 2];
	pthread_t thread;
} plain = {.lock = PTHREAD_MUTEX_INITIALIZER,
	   .work = PTHREAD_COND_INITIALIZER,
	   .done = PTHREAD_COND_INITIALIZER};

static void *plain_work(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&plain.lock);
	for (;;) {
		size_t at;

		while (plain.submitted == plain.finished)
			pthread_cond_wait(&plain.work, &plain.lock);
		at = plain.finished % (DEPTH * 2);
		pthread_mutex_unlock(&plain.lock);
		memcpy(plain.dst[at], plain.src[at], plain.count[at]);
		pthread_mutex_lock(&plain.lock);
		plain.finished++;
		pthread_cond_signal(&plain.done);
	}
	return NULL;
}

static void pool_submit(void *to, const void *from, size_t n)
{
	size_t at;

	if (!plain.thread && pthread_create(&plain.thread, NULL, plain_work, NULL))
		die("no thread");
	pthread_mutex_lock(&plain.lock);
	while (plain.submitted - plain.finished == DEPTH * 2)
		pthread_cond_wait(&plain.done, &plain.lock);
	at = plain.submitted++ % (DEPTH * 2);
	plain.dst[at] = to;
	plain.src[at] = from;
	plain.count[at] = n;
	pthread_cond_signal(&plain.work);
	pthread_mutex_unlock(&plain.lock);
}

static void pool_wait(void)
{
	pthread_mutex_lock(&plain.lock);
	while (plain.submitted != plain.finished)
		pthread_cond_wait(&plain.done, &plain.lock);
	pthread_mutex_unlock(&plain.lock);
}

static void ours(void *to, const void *from, size_t n)
{
	if (aclkm_copy(to, from, n, 0))
		die(aclkm_last_error());
}

static void submit_to(aclrtStream stream, void *to, const void *from, size_t n)
{
	if (aclrtMemcpyAsync(to, n, from, n, ACL_MEMCPY_HOST_TO_DEVICE, stream))
		die(aclGetRecentErrMsg());
}

static void stream_submit(void *to, const void *from, size_t n)
{
	submit_to(streams[0], to, from, n);
}

static void stream_wait(void)
{
	if (aclrtSynchronizeStream(streams[0]))
		die(aclGetRecentErrMsg());
}

static void no_wait(void)
{
}

/* Nothing to do, but for the worker. */
static void do_nothing(void *unused)
{
	(void)unused;
}

static void stream_nothing(void)
{
	if (aclrtLaunchHostFunc(streams[0], do_nothing, NULL))
		die(aclGetRecentErrMsg());
}

static void pool_nothing(void)
{
	pool_submit(dst, src, 0);
}

static const struct how {
	const char *name;
	void (*submit)(void *to, const void *from, size_t n);
	void (*wait)(void);
	void (*nothing)(void); /* NULL: no worker */
} hows[] = {
	{"memcpy", (void (*)(void *, const void *, size_t))(void *)memcpy, no_wait, NULL},
	{"sse2", nt_sse2, no_wait, NULL},
	{"avx2", nt_avx2, no_wait, NULL},
	{"avx512", nt_avx512, no_wait, NULL},
	{"ours", ours, no_wait, NULL},
	{"pool", pool_submit, pool_wait, pool_nothing},
	{"stream", stream_submit, stream_wait, stream_nothing},
};

static void make_buffers(void)
{
	size_t room = bytes * 2 > BUSY ? bytes * 2 : BUSY;

	if (aclInit(NULL) || aclrtSetDevice(0) || aclrtCreateStream(&streams[0]) ||
	    aclrtCreateStream(&streams[1]) ||
	    aclrtMalloc((void **)&dst, room, ACL_MEM_MALLOC_HUGE_FIRST) ||
	    aclrtMallocHost((void **)&src, room))
		die(aclGetRecentErrMsg());
	memset(dst, 1, room);
	memset(src, 2, room);
}

static unsigned int rounds_for(size_t total, unsigned int least, unsigned int most)
{
	size_t rounds = total / bytes;

	return rounds < least ? least : rounds > most ? most : (unsigned int)rounds;
}

static double seconds_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double now_of(const struct how *how)
{
	const char *clock = getenv("BENCH_CLOCK");

	if (!clock || strcmp(clock, "cpu"))
		return now();
	if (!how->nothing)
		return seconds_of(CLOCK_THREAD_CPUTIME_ID);
	if (bytes <= AT_ONCE)
		return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
	return seconds_of(CLOCK_PROCESS_CPUTIME_ID) - seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

static double bandwidth(const struct how *how, unsigned int depth)
{
	unsigned int rounds = rounds_for(bytes > 1UL << 20 ? 512UL << 20 : 2UL << 30, 8,
					 2000000),
		     warm = rounds / 4 + WARM, i;
	double start = 0;

	for (i = 0; i < rounds + warm; i++) {
		if (i == warm) {
			how->wait();
			start = now_of(how);
		}
		how->submit(dst, src, bytes);
		if (i % depth == depth - 1)
			how->wait();
	}
	how->wait();
	return (double)rounds * (double)bytes / (now_of(how) - start) * 1e-9;
}

static double two_streams(const struct how *how)
{
	unsigned int rounds = rounds_for(256UL << 20, 8, 1000000),
		     warm = rounds / 4 + WARM, i, s;
	double start = 0;

	for (i = 0; i < rounds + warm; i++) {
		if (i == warm) {
			for (s = 0; s < 2; s++)
				aclrtSynchronizeStream(streams[s]);
			start = now_of(how);
		}
		for (s = 0; s < 2; s++)
			submit_to(streams[s], dst + s * bytes, src + s * bytes, bytes);
		for (s = 0; i % DEPTH == DEPTH - 1 && s < 2; s++)
			aclrtSynchronizeStream(streams[s]);
	}
	for (s = 0; s < 2; s++)
		aclrtSynchronizeStream(streams[s]);
	return 2.0 * rounds * (double)bytes / (now_of(how) - start) * 1e-9;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), by_value);
	return values[n / 2];
}

static double latency(const struct how *how)
{
	enum { ROUNDS = 20000 };
	static double times[ROUNDS];
	unsigned int rounds = rounds_for(4UL << 30, 9, ROUNDS), i;
	double start;

	for (i = 0; i < WARM; i++) {
		how->submit(dst, src, bytes);
		how->wait();
	}
	for (i = 0; i < rounds; i++) {
		start = now();
		how->submit(dst, src, bytes);
		how->wait();
		times[i] = (now() - start) * 1e9;
	}
	return median(times, rounds);
}

/* @pause: microseconds before each, so that whoever looks gives up. */
static double wake(const struct how *how, unsigned int pause)
{
	enum { ROUNDS = 2000 };
	static double times[ROUNDS];
	double start;
	unsigned int i;

	if (!how->nothing)
		die("has no worker");
	for (i = 0; i < ROUNDS; i++) {
		if (pause)
			usleep(pause);
		start = now();
		how->nothing();
		how->wait();
		times[i] = (now() - start) * 1e9;
	}
	return median(times, ROUNDS);
}

/* The queue is kept busy by one long copy; then others are handed over. */
static double submit_cost(const struct how *how)
{
	enum { BATCHES = 200 };
	double times[BATCHES], start;
	unsigned int batches = rounds_for(256UL << 20, 3, BATCHES), puts = 16, i, j;

	for (i = 0; i < batches; i++) {
		how->submit(dst, src, BUSY);
		start = now();
		for (j = 0; j < puts; j++)
			how->submit(dst, src, bytes);
		times[i] = (now() - start) * 1e9 / puts;
		how->wait();
	}
	return median(times, batches);
}

static _Atomic uint32_t ball;

static void futex(int op, uint32_t value)
{
	syscall(SYS_futex, &ball, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void *return_ball(void *unused)
{
	(void)unused;
	for (;;) {
		while (atomic_load(&ball) != 1)
			futex(FUTEX_WAIT, 0);
		atomic_store(&ball, 0);
		futex(FUTEX_WAKE, 1);
	}
	return NULL;
}

static double futex_round_trip(void)
{
	enum { ROUNDS = 2000 };
	double times[ROUNDS], start;
	pthread_t thread;
	unsigned int i;

	if (pthread_create(&thread, NULL, return_ball, NULL))
		die("no thread");
	for (i = 0; i < ROUNDS; i++) {
		usleep(100);
		start = now();
		atomic_store(&ball, 1);
		futex(FUTEX_WAKE, 1);
		while (atomic_load(&ball))
			futex(FUTEX_WAIT, 1);
		times[i] = (now() - start) * 1e9;
	}
	return median(times, ROUNDS);
}

int main(int argc, char **argv)
{
	const struct how *how = NULL;
	const char *what;
	size_t i;

	if (argc == 2 && !strcmp(argv[1], "futex"))
		return printf("%.1f\n", futex_round_trip()) < 0;
	for (i = 0; argc == 4 && i < sizeof(hows) / sizeof(hows[0]); i++) {
		if (!strcmp(argv[1], hows[i].name))
			how = &hows[i];
	}
	if (!how) {
		fprintf(stderr, "usage: %s HOW WHAT BYTES | futex\n", argv[0]);
		return 2;
	}
	what = argv[2];
	bytes = strtoull(argv[3], NULL, 0);
	if (!bytes || bytes % 64) {
		fprintf(stderr, "BYTES = %s: must be a multiple of 64, and not 0\n",
			argv[3]);
		return 2;
	}
	make_buffers();
	if (!strcmp(what, "bandwidth"))
		printf("%.4f\n", bandwidth(how, 1));
	else if (!strcmp(what, "queue"))
		printf("%.4f\n", bandwidth(how, DEPTH));
	else if (!strcmp(what, "queue2"))
		printf("%.4f\n", two_streams(how));
	else if (!strcmp(what, "latency"))
		printf("%.1f\n", latency(how));
	else if (!strcmp(what, "wake"))
		printf("%.1f\n", wake(how, 100));
	else if (!strcmp(what, "awake"))
		printf("%.1f\n", wake(how, 0));
	else if (!strcmp(what, "submit"))
		printf("%.1f\n", submit_cost(how));
	else
		return 2;
	fflush(stdout);
	_exit(0);
}
