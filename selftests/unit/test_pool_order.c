// SPDX-License-Identifier: MIT
/* Segments taken and given in the order of streams. */
#include "gate.h"

static aclrtStream one, two;

static struct aclkm_pool *make(struct aclkm_pool_options options)
{
	struct aclkm_pool *pool = NULL;

	if (aclkm_pool_make(&options, &pool))
		bail_out(aclkm_last_error());
	return pool;
}

static struct aclkm_pool_stats stats_of(struct aclkm_pool *pool)
{
	struct aclkm_pool_stats stats = {0};

	aclkm_pool_stats(pool, &stats);
	return stats;
}

static void *take(struct aclkm_pool *pool, size_t len, aclrtStream stream)
{
	void *segment = NULL;

	is(aclkm_segment_alloc_async(pool, len, stream, &segment), 0, "take %zu", len);
	return segment;
}

/* Until the stream is there the memory is its own, then everybody's. */
static void order(struct aclkm_pool_options options, size_t len, const char *what)
{
	struct aclkm_pool *pool = make(options);
	struct aclkm_pool_stats full;
	void *all[64], *again, *mine, *query;
	struct aclkm_memory_info info;
	struct gate gate;
	size_t n = 0, i;

	while (n < 64 && !aclkm_segment_alloc_async(pool, len, one, &all[n]))
		n++;
	ok(n > 1 && n < 64, "%s: %zu segments, then it is full", what, n);
	full = stats_of(pool);
	gate_close(&gate, one);
	is(aclkm_segment_free_async(pool, all[0], one), 0, "%s: free in stream 1", what);
	is(aclkm_segment_free_async(pool, all[0], one), ACLKM_ERR_NOTALIVE,
	   "%s: free again", what);
	is(aclkm_segment_free_async(pool, all[0], two), ACLKM_ERR_NOTALIVE,
	   "%s: free again in another", what);
	is(aclkm_segment_free(pool, all[0]), ACLKM_ERR_NOTALIVE, "%s: free at once",
	   what);
	is(aclkm_memory_query(all[0], &info), ACLKM_ERR_NOTALIVE, "%s: query", what);
	is(stats_of(pool).used, full.used, "%s: it is used still", what);
	ok(stats_of(pool).pending >= len, "%s: but pending", what);
	is(aclkm_segment_alloc_async(pool, len, two, &again), ACLKM_ERR_NOMEM,
	   "%s: not for stream 2", what);
	ok(strstr(aclkm_last_error(), "wait for streams"), "%s: the text says so", what);
	is(aclkm_segment_alloc(pool, len, &again), ACLKM_ERR_NOMEM, "%s: nor at once",
	   what);
	mine = take(pool, len - 1, one);
	ok(mine == all[0], "%s: stream 1 has it at once", what);
	is(stats_of(pool).pending, 0, "%s: nothing is pending", what);
	query = (char *)mine + 9;
	is(aclkm_memory_query(query, &info), 0, "%s: query", what);
	ok(info.base == mine && info.asked == len - 1, "%s: it has the new length", what);
	gate_open(&gate);
	is(aclrtSynchronizeStream(one), 0, "%s: synchronize", what);
	is(aclkm_memory_query(mine, &info), 0, "%s: the old free does not reach it",
	   what);

	gate_close(&gate, one);
	is(aclkm_segment_free_async(pool, mine, one), 0, "%s: free in stream 1", what);
	is(aclkm_pool_destroy(pool, 0), ACLKM_ERR_BUSY, "%s: destroy", what);
	gate_open(&gate);
	is(aclrtSynchronizeStream(one), 0, "%s: synchronize", what);
	ok(take(pool, len, two) == mine, "%s: now stream 2 has it", what);
	for (i = 0; i < n; i++)
		is(aclkm_segment_free_async(pool, all[i], i % 2 ? one : two), 0,
		   "%s: free %zu", what, i);
	is(aclrtSynchronizeDevice(), 0, "%s: synchronize", what);
	is(stats_of(pool).segments, 0, "%s: none lives", what);
	is(stats_of(pool).pending, 0, "%s: nor waits", what);
	is(aclkm_pool_destroy(pool, 0), 0, "%s: destroy", what);
}

/* Small ones of a pool whose threads keep them: a free at once goes another way. */
static void small(void)
{
	struct aclkm_pool *pool = make(
		(struct aclkm_pool_options){.size = MIB, .flags = ACLKM_POOL_THREADS});
	struct aclkm_memory_info info;
	void *segment, *again, *next;
	struct gate gate;

	segment = take(pool, 100, one);
	gate_close(&gate, one);
	is(aclkm_segment_free_async(pool, segment, one), 0, "small: free");
	is(aclkm_segment_free(pool, segment), ACLKM_ERR_NOTALIVE, "small: free again");
	is(aclkm_segment_free_async(pool, segment, two), ACLKM_ERR_NOTALIVE,
	   "small: in another stream");
	ok(aclkm_memory_free(segment) < 0, "small: free as a block");
	is(aclrtFree(segment), 107000, "small: with aclrtFree");
	is(aclkm_memory_query(segment, &info), ACLKM_ERR_NOTALIVE, "small: query");
	is(aclkm_segment_place(pool, segment, &(uint64_t){0}, NULL), ACLKM_ERR_NOTALIVE,
	   "small: place");
	next = take(pool, 100, two);
	ok(next != segment, "small: not for stream 2");
	again = take(pool, 300, one);
	ok(again != segment, "small: nor for another length");
	ok(take(pool, 128, one) == segment, "small: but for one that takes as much");
	is(aclkm_memory_query(segment, &info), 0, "small: query");
	is(info.asked, 128, "small: the new length");
	is(aclkm_segment_free(pool, segment), 0, "small: free at once");
	gate_open(&gate);
	is(aclrtSynchronizeStream(one), 0, "small: synchronize");
	is(aclkm_segment_free_async(pool, again, one), 0, "small: free");
	is(aclkm_segment_free_async(pool, next, one), 0, "small: free");
	is(aclrtSynchronizeStream(one), 0, "small: synchronize");
	is(aclkm_pool_destroy(pool, 0), 0, "small: destroy");
}

/* A long one is cut: what is left waits on, and is one piece with others later. */
static void parts(void)
{
	struct aclkm_pool *pool = make((struct aclkm_pool_options){.size = MIB});
	char *all = take(pool, MIB - 32, one), *first, *second;
	struct gate gate;
	void *none;

	gate_close(&gate, one);
	is(aclkm_segment_free_async(pool, all, one), 0, "free all of it");
	first = take(pool, 1000, one);
	second = take(pool, 5000, one);
	ok(first == all && second == all + 1088, "two parts of it, one after the other");
	is(stats_of(pool).pending, MIB - 1088 - 5056, "what is left is pending");
	is(aclkm_segment_alloc(pool, 32, &none), ACLKM_ERR_NOMEM, "for the stream only");
	is(aclkm_segment_free_async(pool, second, one), 0, "free a part");
	is(aclkm_segment_free(pool, first), 0, "free the other at once");
	gate_open(&gate);
	is(aclrtSynchronizeStream(one), 0, "synchronize");
	is(stats_of(pool).largest, MIB, "all is one piece again");
	is(aclkm_pool_destroy(pool, 0), 0, "destroy");
}

/* Bytes written in the order of the stream are what the next one there sees. */
static void data(void)
{
	struct aclkm_pool *pool = make((struct aclkm_pool_options){
		.size = 64 * KIB, .flags = ACLKM_POOL_THREADS});
	uint64_t *result, i, bad = 0;
	void *host, *segment;

	if (aclrtMallocHost(&host, 1024) || aclrtMallocHost((void **)&result, 8 * 1000))
		bail_out("no host memory");
	for (i = 0; i < 1000; i++) {
		if (aclkm_segment_alloc_async(pool, 1024, one, &segment))
			break;
		bad |= (uint64_t)aclrtMemsetAsync(segment, 1024, (int)(i & 0xff), 1024,
						  one);
		bad |= (uint64_t)aclrtMemcpyAsync(&result[i], 8, segment, 8,
						  ACL_MEMCPY_DEVICE_TO_HOST, one);
		bad |= (uint64_t)aclkm_segment_free_async(pool, segment, one);
	}
	is(i, 1000, "1000 segments in one after the other");
	is(aclrtSynchronizeStream(one), 0, "synchronize");
	for (i = 0; i < 1000; i++)
		bad += result[i] != (i & 0xff) * 0x0101010101010101;
	is(bad, 0, "each has had its own bytes");
	is(aclkm_pool_destroy(pool, ACLKM_POOL_FORCE), 0, "destroy");
	aclrtFreeHost(host);
	aclrtFreeHost(result);
}

/* What goes before the stream is there: the pool, its segments, the stream. */
static void ends(void)
{
	struct aclkm_pool *pool = make((struct aclkm_pool_options){.size = MIB});
	struct aclkm_pool_stats stats;
	aclrtStream stream;
	struct gate gate;
	void *segment;

	segment = take(pool, 1000, one);
	gate_close(&gate, one);
	is(aclkm_segment_free_async(pool, segment, one), 0, "free");
	is(aclkm_pool_reset(pool), 0, "reset");
	stats = stats_of(pool);
	is(stats.used + stats.pending, 0, "nothing is used");
	ok(take(pool, 1000, two) == segment, "it is taken again");
	is(aclkm_segment_free_async(pool, segment, one), 0, "and freed again");
	is(aclkm_pool_destroy(pool, ACLKM_POOL_FORCE), 0, "destroy");
	pool = make((struct aclkm_pool_options){.size = MIB});
	gate_open(&gate);
	is(aclrtSynchronizeStream(one), 0, "the stream comes to what is gone");
	is(stats_of(pool).used, 0, "and another pool does not hear of it");

	is(aclrtCreateStream(&stream), 0, "a stream");
	segment = take(pool, 1000, stream);
	gate_close(&gate, stream);
	is(aclkm_segment_free_async(pool, segment, stream), 0, "free in it");
	is(aclrtStreamAbort(stream), 0, "abort it");
	gate_open(&gate);
	is(aclrtDestroyStream(stream), 0, "destroy it");
	is(stats_of(pool).used, 0, "the segment is free");
	segment = take(pool, 1000, one);
	is(aclkm_segment_free_async(pool, segment, stream), ACLKM_ERR_HANDLE,
	   "free in a stream that has gone");
	is(aclkm_segment_free(pool, segment), 0, "it lives on, and is freed");
	is(aclkm_pool_destroy(pool, 0), 0, "destroy");
}

static void *without_context(void *arg)
{
	void *segment;

	is(aclkm_segment_alloc_async(arg, 64, NULL, &segment), ACLKM_ERR_CONTEXT,
	   "a thread without a context");
	is(aclkm_segment_free_async(arg, arg, one), ACLKM_ERR_CONTEXT, "free as well");
	return NULL;
}

static void bad_arguments(void)
{
	struct aclkm_pool *pool = make((struct aclkm_pool_options){.size = MIB});
	struct aclkm_pool *other = make((struct aclkm_pool_options){.size = MIB});
	struct aclkm_pool *child =
		make((struct aclkm_pool_options){.size = 4096, .parent = pool});
	char *segment = NULL;
	void *same = &same;

	is(aclkm_segment_alloc_async(NULL, 64, one, &same), ACLKM_ERR_INVALID,
	   "take: no pool");
	is(aclkm_segment_alloc_async(pool, 64, one, NULL), ACLKM_ERR_INVALID,
	   "take: no room");
	is(aclkm_segment_alloc_async(pool, 0, one, &same), ACLKM_ERR_INVALID,
	   "take: nothing");
	is(aclkm_segment_alloc_async(pool, SIZE_MAX, one, &same), ACLKM_ERR_OVERFLOW,
	   "take: 2^64 - 1");
	is(aclkm_segment_alloc_async(pool, 2 * MIB, one, &same), ACLKM_ERR_NOMEM,
	   "take: too much");
	is(aclkm_segment_alloc_async(pool, 64, (void *)&pool, &same), ACLKM_ERR_HANDLE,
	   "take: no stream");
	ok(same == &same, "nothing is written");
	segment = take(pool, 1000, NULL);
	is(aclkm_segment_free_async(NULL, segment, one), ACLKM_ERR_INVALID,
	   "free: no pool");
	is(aclkm_segment_free_async(pool, NULL, one), ACLKM_ERR_INVALID, "free: NULL");
	is(aclkm_segment_free_async(pool, segment + 64, one), ACLKM_ERR_INTERIOR,
	   "free: inside");
	is(aclkm_segment_free_async(pool, segment + 65536, one), ACLKM_ERR_NOTALIVE,
	   "free: never given");
	is(aclkm_segment_free_async(other, segment, one), ACLKM_ERR_FOREIGN,
	   "free: another pool's");
	is(aclkm_segment_free_async(pool, aclkm_pool_base(child), one), ACLKM_ERR_KIND,
	   "free: a pool");
	is(aclkm_segment_free_async(pool, segment, (void *)&pool), ACLKM_ERR_HANDLE,
	   "free: no stream");
	is(stats_of(pool).pending, 0, "nothing has changed");
	in_thread(without_context, pool);
	is(aclkm_segment_free_async(pool, segment, NULL), 0, "free in the default one");
	is(aclrtSynchronizeStream(NULL), 0, "synchronize");
	is(aclkm_pool_destroy(child, 0), 0, "destroy");
	is(aclkm_pool_destroy(pool, 0), 0, "destroy");
	is(aclkm_pool_destroy(other, 0), 0, "destroy");
}

struct load {
	struct aclkm_pool *pool;
	aclrtContext context;
	int failed;
};

/* Each thread with a stream of its own, and all with one pool. */
static void *churn(void *arg)
{
	struct load *load = arg;
	void *kept[8] = {0};
	aclrtStream stream;
	unsigned int i;

	if (aclrtSetCurrentContext(load->context) || aclrtCreateStream(&stream))
		return arg;
	for (i = 0; i < 4000; i++) {
		void **slot = &kept[i % 8];

		if (*slot && aclkm_segment_free_async(load->pool, *slot, stream))
			load->failed++;
		*slot = NULL;
		/* Full of what waits: the streams are to come to it first. */
		while (aclkm_segment_alloc_async(load->pool, 100 + i * 37 % 9000, stream,
						 slot) == ACLKM_ERR_NOMEM)
			aclrtSynchronizeStream(stream);
		if (!*slot)
			load->failed++;
		else if (aclrtMemsetAsync(*slot, 64, (int)i, 64, stream))
			load->failed++;
	}
	for (i = 0; i < 8; i++)
		load->failed += aclkm_segment_free_async(load->pool, kept[i], stream);
	load->failed += aclrtSynchronizeStream(stream) | aclrtDestroyStream(stream);
	return NULL;
}

static void threads(unsigned int flags)
{
	struct aclkm_pool *pool =
		make((struct aclkm_pool_options){.size = 4 * MIB, .flags = flags});
	struct load loads[4] = {{0}};
	pthread_t ids[4];
	int i;

	for (i = 0; i < 4; i++) {
		loads[i].pool = pool;
		aclrtGetCurrentContext(&loads[i].context);
		if (pthread_create(&ids[i], NULL, churn, &loads[i]))
			bail_out("no thread");
	}
	for (i = 0; i < 4; i++) {
		pthread_join(ids[i], NULL);
		is(loads[i].failed, 0, "thread %d", i);
	}
	is(stats_of(pool).pending, 0, "nothing is pending");
	is(aclkm_pool_destroy(pool, 0), 0, "destroy");
}

int main(void)
{
	small_device();
	need_device();
	if (aclrtCreateStream(&one) || aclrtCreateStream(&two))
		bail_out("no streams");
	order((struct aclkm_pool_options){.size = 64 * KIB}, 3000, "any length");
	order((struct aclkm_pool_options){.size = 64 * KIB, .block = 4000}, 4000,
	      "blocks");
	order((struct aclkm_pool_options){.size = 64 * KIB, .limit = 10 * KIB}, 3000,
	      "limit");
	order((struct aclkm_pool_options){.size = MIB, .flags = ACLKM_POOL_THREADS},
	      60000, "threads, long");
	small();
	parts();
	data();
	ends();
	bad_arguments();
	threads(0);
	threads(ACLKM_POOL_THREADS);
	is(aclrtDestroyStream(one) | aclrtDestroyStream(two), 0, "destroy the streams");
	return done_testing();
}
