// SPDX-License-Identifier: MIT
/* Pools of blocks, with threads' stacks, with limits, in pools; layouts by hand. */
#include <stdatomic.h>

#include "client.h"

#define P(p) ((void **)&(p))

static struct aclkm_pool *made(struct aclkm_pool_options options)
{
	struct aclkm_pool *pool = NULL;

	if (aclkm_pool_make(&options, &pool))
		bail_out(aclkm_last_error());
	return pool;
}

static struct aclkm_pool_stats stats_of(struct aclkm_pool *pool)
{
	struct aclkm_pool_stats stats = {0};

	is(aclkm_pool_stats(pool, &stats), 0, "stats");
	return stats;
}

static void refused(struct aclkm_pool_options options, int err, const char *why)
{
	struct aclkm_pool *pool = NULL;

	is(aclkm_pool_make(&options, &pool), err, "make: %s", why);
	ok(!pool, "and gives no pool");
}

static void test_options(void)
{
	struct aclkm_pool *plain = made((struct aclkm_pool_options){.size = MIB});
	struct aclkm_pool *threads = made(
		(struct aclkm_pool_options){.size = MIB, .flags = ACLKM_POOL_THREADS});
	struct aclkm_pool *blocks =
		made((struct aclkm_pool_options){.size = MIB, .block = 100});
	struct aclkm_pool *pool = NULL;

	is(aclkm_pool_make(NULL, &pool), ACLKM_ERR_INVALID, "make: options NULL");
	is(aclkm_pool_make(&(struct aclkm_pool_options){.size = MIB}, NULL),
	   ACLKM_ERR_INVALID, "make: pool NULL");
	refused((struct aclkm_pool_options){.size = 0}, ACLKM_ERR_INVALID, "size 0");
	refused((struct aclkm_pool_options){.size = MIB, .block = SIZE_MAX},
		ACLKM_ERR_OVERFLOW, "a block of 2^64 - 1");
	refused((struct aclkm_pool_options){.size = MIB,
					    .block = 64,
					    .flags = ACLKM_POOL_THREADS},
		ACLKM_ERR_INVALID, "blocks and threads");
	ok(strstr(aclkm_last_error(), "block = 64"), "the text names it");
	refused((struct aclkm_pool_options){.size = MIB,
					    .limit = 64,
					    .flags = ACLKM_POOL_THREADS},
		ACLKM_ERR_INVALID, "limit and threads");
	refused((struct aclkm_pool_options){.size = 4096, .parent = threads},
		ACLKM_ERR_INVALID, "in a pool with threads");
	refused((struct aclkm_pool_options){.size = 4096, .parent = blocks},
		ACLKM_ERR_INVALID, "in a pool of blocks");
	refused((struct aclkm_pool_options){.size = 4096,
					    .parent = plain,
					    .kind = ACLKM_POOL_MEDIA},
		ACLKM_ERR_INVALID, "media in linear");
	refused((struct aclkm_pool_options){.size = 4096,
					    .parent = plain,
					    .flags = ACLKM_POOL_THREADS},
		ACLKM_ERR_INVALID, "threads in a pool");
	refused((struct aclkm_pool_options){.size = 2 * MIB, .parent = plain},
		ACLKM_ERR_NOMEM, "larger than its parent");
	is(aclkm_pool_set_limit(plain, 64 * KIB), 0, "a limit of 64 KiB");
	refused((struct aclkm_pool_options){.size = 128 * KIB, .parent = plain},
		ACLKM_ERR_NOMEM, "beyond its parent's limit");
	is(aclkm_pool_set_limit(plain, 0), 0, "no limit");
	is(aclkm_pool_set_limit(threads, 100), ACLKM_ERR_INVALID, "limit with threads");
	is(aclkm_pool_set_limit(NULL, 100), ACLKM_ERR_INVALID, "limit: NULL");
	is(aclkm_pool_trim(NULL), ACLKM_ERR_INVALID, "trim: NULL");
	is(aclkm_pool_reset(NULL), ACLKM_ERR_INVALID, "reset: NULL");
	is(aclkm_pool_destroy(plain, 0) | aclkm_pool_destroy(threads, 0) |
		   aclkm_pool_destroy(blocks, 0),
	   0, "destroy");
}

static void test_kinds(void)
{
	struct aclkm_pool *host = made(
		(struct aclkm_pool_options){.kind = ACLKM_POOL_KIND_HOST, .size = MIB});
	struct aclkm_pool *cached = made(
		(struct aclkm_pool_options){.kind = ACLKM_POOL_KIND_CACHED, .size = MIB});
	aclrtStream stream;
	void *a = NULL, *b = NULL, *c = NULL;

	if (aclkm_segment_alloc(host, 100, &a) || aclkm_segment_alloc(cached, 100, &b) ||
	    aclkm_segment_alloc(host, 100, &c) || aclrtCreateStream(&stream))
		bail_out("no segments");
	is(aclrtMemcpyAsync(b, 100, a, 100, ACL_MEMCPY_HOST_TO_DEVICE, stream), 0,
	   "host to cached");
	is(aclrtMemcpyAsync(c, 100, a, 100, ACL_MEMCPY_DEFAULT, stream), 207000,
	   "host to host");
	is(aclrtDestroyStream(stream), 0, "the stream goes");
	is(aclkm_pool_destroy(host, ACLKM_POOL_FORCE), 0, "the host pool goes");
	is(aclkm_pool_destroy(cached, ACLKM_POOL_FORCE), 0, "the cached pool goes");
}

/* Blocks of 1000 bytes take 1088 each: 10880 bytes hold exactly ten. */
static void test_blocks(void)
{
	struct aclkm_pool *pool =
		made((struct aclkm_pool_options){.size = 10880, .block = 1000});
	struct aclkm_memory_info info;
	struct aclkm_pool_stats stats;
	char *all[10], *p = NULL;
	int i, err = 0;

	for (i = 0; i < 10; i++)
		err |= aclkm_segment_alloc(pool, (size_t)(i * 100 + 1), P(all[i]));
	is(err, 0, "ten blocks of up to 1000");
	for (i = 1, err = 0; i < 10; i++)
		err |= all[i] - all[0] != i * 1088;
	is(err, 0, "1088 bytes from one to the next");
	is(aclkm_segment_alloc(pool, 1, P(p)), ACLKM_ERR_NOMEM, "no eleventh");
	is(aclkm_segment_alloc(pool, 1001, P(p)), ACLKM_ERR_INVALID, "none of 1001");
	ok(strstr(aclkm_last_error(), "1000 bytes"), "the text tells the limit");
	is(aclkm_memory_query(all[5] + 700, &info), 0, "a query inside");
	ok(info.base == all[5] && info.asked == 501 && info.ruled == 544,
	   "tells the block's start, and its size by the rule");
	stats = stats_of(pool);
	is(stats.used, 10880, "all is used");
	is(stats.segments, 10, "by ten");
	is(stats.high_water, 10880, "at most");
	is(aclkm_segment_free(pool, all[3] + 1), ACLKM_ERR_INTERIOR, "free inside");
	is(aclkm_segment_free(pool, all[0] - 1), ACLKM_ERR_FOREIGN, "free in front");
	is(aclkm_segment_free(pool, all[3]), 0, "free");
	is(aclkm_segment_free(pool, all[3]), ACLKM_ERR_NOTALIVE, "again");
	is(aclkm_memory_query(all[3], &info), ACLKM_ERR_NOTALIVE, "query of it");
	is(aclkm_segment_alloc(pool, 77, P(p)), 0, "one more");
	ok(p == all[3], "takes its place");
	is(aclkm_pool_destroy(pool, 0), ACLKM_ERR_BUSY, "destroy is refused");
	is(aclkm_pool_reset(pool), 0, "reset");
	stats = stats_of(pool);
	is(stats.used, 0, "nothing is used");
	is(stats.high_water, 10880, "the high water stays");
	is(aclkm_segment_free(pool, all[0]), ACLKM_ERR_NOTALIVE, "what was, is not");
	is(aclkm_pool_destroy(pool, 0), 0, "destroy");
}

static void test_limit(void)
{
	struct aclkm_pool *pool =
		made((struct aclkm_pool_options){.size = MIB, .limit = 10000});
	struct aclkm_pool_stats stats;
	void *p = NULL, *q = NULL;

	is(aclkm_segment_alloc(pool, 9000, &p), 0, "9000 of 10000");
	is(aclkm_segment_alloc(pool, 1000, &q), ACLKM_ERR_NOMEM, "1000 more");
	ok(strstr(aclkm_last_error(), "limit is 10000"), "the text tells the limit");
	is(aclkm_pool_set_limit(pool, 0), 0, "no limit");
	is(aclkm_segment_alloc(pool, 1000, &q), 0, "then there is room");
	is(aclkm_pool_set_limit(pool, 64), 0, "a limit below what is used");
	is(aclkm_segment_free(pool, q), 0, "what is used goes");
	is(aclkm_segment_alloc(pool, 1, &q), ACLKM_ERR_NOMEM, "nothing comes");
	stats = stats_of(pool);
	is(stats.limit, 64, "the stats tell the limit");
	is(aclkm_segment_free(pool, p), 0, "free");
	stats = stats_of(pool);
	is(stats.fragmentation, 0, "one piece is not fragmented");
	is(aclkm_pool_destroy(pool, 0), 0, "destroy");
}

static void test_fragmentation(void)
{
	struct aclkm_pool *pool = made((struct aclkm_pool_options){.size = 8 * 1024});
	struct aclkm_pool_stats stats;
	void *p[8];
	int i;

	for (i = 0; i < 8; i++)
		is(aclkm_segment_alloc(pool, 992, &p[i]), 0, "an eighth");
	for (i = 0; i < 8; i += 2)
		aclkm_segment_free(pool, p[i]);
	stats = stats_of(pool);
	is(stats.free, 4096, "half is free");
	is(stats.largest, 1024, "in pieces of an eighth");
	is(stats.fragmentation, 750, "three quarters of it are elsewhere");
	is(aclkm_pool_destroy(pool, ACLKM_POOL_FORCE), 0, "destroy");
}

static void test_nested(void)
{
	struct aclkm_pool *outer = made((struct aclkm_pool_options){.size = MIB});
	struct aclkm_pool *inner =
		made((struct aclkm_pool_options){.size = 64 * KIB, .parent = outer});
	struct aclkm_pool *third = made((struct aclkm_pool_options){
		.size = 16 * KIB, .parent = inner, .block = 100});
	struct aclkm_memory_info info;
	char *a = NULL, *b = NULL, *c = NULL;

	is(stats_of(outer).used, 64 * KIB, "the inner pool is a segment of the outer");
	is(aclkm_segment_alloc(inner, 60 * KIB, P(a)), ACLKM_ERR_NOMEM,
	   "it has no more than it was given");
	is(aclkm_segment_alloc(outer, 1000, P(a)), 0, "a segment of the outer");
	is(aclkm_segment_alloc(inner, 2000, P(b)), 0, "one of the inner");
	is(aclkm_segment_alloc(third, 50, P(c)), 0, "one of the third");
	is(aclkm_memory_query(b + 1999, &info), 0, "query of the inner one");
	ok(info.base == b && info.asked == 2000, "tells it");
	is(aclkm_memory_query(c + 49, &info), 0, "query of the third one");
	ok(info.base == c && info.asked == 50, "tells it");
	is(aclkm_segment_free(outer, aclkm_pool_base(inner)), ACLKM_ERR_KIND,
	   "the inner pool is no segment to be freed");
	is(aclkm_segment_free(outer, b), ACLKM_ERR_INTERIOR, "nor what is in it");
	is(aclkm_pool_destroy(outer, ACLKM_POOL_FORCE), ACLKM_ERR_BUSY,
	   "the outer one cannot go before it");
	is(aclkm_pool_reset(outer), ACLKM_ERR_BUSY, "nor be reset");
	is(aclkm_pool_destroy(third, ACLKM_POOL_FORCE), 0, "the third goes");
	is(aclkm_memory_query(c, &info), ACLKM_ERR_NOTALIVE, "with what was in it");
	is(aclkm_pool_destroy(inner, ACLKM_POOL_FORCE), 0, "the inner goes");
	is(stats_of(outer).used, 1088, "and gives its memory back");
	/* The next segment is taken where the inner pool was. */
	is(aclkm_segment_alloc(outer, 1000, P(b)), 0, "a segment in its place");
	is(aclkm_memory_query(b, &info), 0, "is known");
	ok(info.base == b && info.asked == 1000, "as a segment");
	is(aclkm_segment_free(outer, b), 0, "and is freed as one, not as a pool");
	is(aclkm_pool_destroy(outer, ACLKM_POOL_FORCE), 0, "the outer goes");
}

static void test_threads_pool(void)
{
	struct aclkm_pool *pool = made((struct aclkm_pool_options){
		.size = 2 * MIB, .flags = ACLKM_POOL_THREADS});
	struct aclkm_pool *other = made((struct aclkm_pool_options){
		.size = 2 * MIB, .flags = ACLKM_POOL_THREADS, .kind = ACLKM_POOL_MEDIA});
	struct aclkm_memory_info info;
	struct aclkm_pool_stats stats;
	char *p = NULL, *q = NULL, *large = NULL;
	uint64_t ruled = 0;
	size_t len;
	bool good = true;

	for (len = 1; len < 9000; len += 37) {
		aclkm_segment_size(len, 32, &ruled);
		good = good && !aclkm_segment_alloc(pool, len, P(p)) &&
		       (uintptr_t)p % 64 == 0 &&
		       !aclkm_memory_query(p + len - 1, &info) && info.base == p &&
		       info.asked == len && info.ruled == ruled &&
		       info.kind == ACLKM_KIND_POOL;
		memset(p, 1, ruled);
		good = good && !aclkm_segment_alloc(other, len, P(q)) &&
		       (uintptr_t)q % 128 == 0 && !aclkm_segment_free(other, q) &&
		       !aclkm_segment_free(pool, p);
	}
	ok(good, "segments by the rule, of either kind");
	is(aclkm_segment_alloc(pool, 100, P(p)), 0, "a segment");
	is(aclkm_segment_alloc(other, 100, P(q)), 0, "one of the other");
	is(aclkm_segment_free(pool, q), ACLKM_ERR_FOREIGN, "is not for the first");
	is(aclkm_segment_free(pool, p + 64), ACLKM_ERR_INTERIOR, "inside");
	is(aclkm_memory_free(p), ACLKM_ERR_KIND, "not for aclkm_memory_free");
	is(aclrtFree(p), 107000, "nor for aclrtFree");
	is(aclkm_pool_destroy(pool, 0), ACLKM_ERR_BUSY, "it keeps the pool");
	ok(strstr(aclkm_last_error(), "1 segments"), "and it alone");
	is(aclkm_segment_free(pool, p), 0, "free");
	is(aclkm_segment_free(pool, p), ACLKM_ERR_NOTALIVE, "again");
	is(aclkm_memory_query(p, &info), ACLKM_ERR_NOTALIVE, "query of it");
	is(aclkm_segment_alloc(pool, 2 * MIB - 32, P(large)), 0,
	   "the whole pool in one piece");
	is(aclkm_segment_alloc(pool, 1, P(p)), ACLKM_ERR_NOMEM, "then there is no more");
	is(aclkm_segment_free(pool, large), 0, "free");
	is(aclkm_segment_alloc(pool, 100, P(p)), 0, "a small one again");
	is(aclkm_pool_reset(pool), 0, "reset");
	is(aclkm_segment_free(pool, p), ACLKM_ERR_NOTALIVE, "what was, is not");
	is(aclkm_segment_alloc(pool, 100, P(p)), 0, "a new one");
	is(aclkm_segment_free(pool, p), 0, "free");
	is(aclkm_pool_trim(pool), 0, "trim");
	stats = stats_of(pool);
	is(stats.used, 0, "leaves nothing used");
	is(stats.largest, stats.size, "and one piece");
	is(aclkm_pool_destroy(pool, 0), 0, "destroy");
	is(aclkm_memory_query(p, &info) != 0, 1, "the memory is no pool's any more");
	is(aclkm_pool_destroy(other, ACLKM_POOL_FORCE), 0, "destroy the other");
}

#define THREADS 4

static struct aclkm_pool *shared;
static void *_Atomic hand;

/* Each gives back what another took, now and then. */
static void *churn(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;
	uintptr_t bad = 0;
	int i;

	for (i = 0; i < 4000; i++) {
		size_t len = 1 + (size_t)rand_r(&seed) % 3000;
		unsigned char *p = NULL, *q;

		if (aclkm_segment_alloc(shared, len, P(p))) {
			bad++;
			continue;
		}
		memset(p, (int)(seed & 0xff), len);
		bad += p[len - 1] != (seed & 0xff);
		q = atomic_exchange(&hand, p);
		if (q)
			bad += aclkm_segment_free(shared, q) != 0;
	}
	return (void *)bad;
}

static void test_shared(void)
{
	pthread_t threads[THREADS];
	uintptr_t i, all = 0;
	void *bad, *last;
	int round;

	for (round = 0; round < 3; round++) {
		shared = made((struct aclkm_pool_options){.size = 8 * MIB,
							  .flags = ACLKM_POOL_THREADS});
		for (i = 0; i < THREADS; i++) {
			if (pthread_create(&threads[i], NULL, churn, (void *)(i + 1)))
				bail_out("no thread");
		}
		for (i = 0; i < THREADS; i++) {
			pthread_join(threads[i], &bad);
			all += (uintptr_t)bad;
		}
		last = atomic_exchange(&hand, NULL);
		is(aclkm_segment_free(shared, last), 0, "the last one");
		is(aclkm_pool_trim(shared), 0, "trim");
		is(stats_of(shared).used, 0, "nothing is left over");
		is(aclkm_pool_destroy(shared, 0), 0, "destroy");
	}
	is(all, 0, "%d threads share a pool", THREADS);
}

static void test_many_pools(void)
{
	struct aclkm_pool *pools[60] = {NULL};
	const struct aclkm_pool_options options = {.size = 256 * KIB,
						   .flags = ACLKM_POOL_THREADS};
	int n = 0, i, err = 0;
	void *p;

	while (n < 60 && !(err = aclkm_pool_make(&options, &pools[n])))
		n++;
	is(err, ACLKM_ERR_LIMIT, "there is a limit to pools with threads");
	is(n, 52, "52");
	for (i = 0, err = 0; i < n; i++) {
		err |= aclkm_segment_alloc(pools[i], 100, &p);
		err |= aclkm_segment_free(pools[i], p);
		err |= aclkm_pool_destroy(pools[i], 0);
	}
	is(err, 0, "all are used and go");
}

static int check(const struct aclkm_layout_segment *segments, size_t n, uint64_t align,
		 uint64_t size, struct aclkm_layout_report *report)
{
	return aclkm_layout_check((void *)4096, size, segments, n, align, 32, report);
}

static void test_layout(void)
{
	struct aclkm_layout_report r = {0};
	struct aclkm_layout_segment s[3] = {{256, 1000}, {0, 100}, {1344, 33}};

	is(check(s, 3, 64, 1440, &r), 0, "a good layout, in any order");
	is(r.fault, ACLKM_LAYOUT_GOOD, "is good");
	is(r.needed, 192 + 1088 + 128, "and packed it needs the strides");
	is(check(s, 3, 64, 1439, &r), ACLKM_ERR_INVALID, "the last one's tail");
	is(r.fault, ACLKM_LAYOUT_END_TAIL, "does not fit");
	is(r.segment, 2, "it is the third given");
	is(check(s, 3, 64, 1376, &r), ACLKM_ERR_INVALID, "the last one's bytes");
	is(r.fault, ACLKM_LAYOUT_END, "do not fit");
	is(check(s, 3, 128, 4096, &r), ACLKM_ERR_INVALID, "for media");
	is(r.fault, ACLKM_LAYOUT_START, "one starts on a multiple of 64 only");
	is(r.is, 4096 + 1344, "there");
	is(r.should_be, 4096 + 1408, "128 is the next");
	s[2].offset = 1280;
	is(check(s, 3, 64, 4096, &r), ACLKM_ERR_INVALID, "one starts too early");
	is(r.fault, ACLKM_LAYOUT_PADDING, "in the padding of the one before");
	is(r.segment, 0, "of the first given");
	is(r.other, 2, "is the third");
	is(r.should_be, 256 + 1056, "and how far it must be");
	ok(strstr(r.text, "1312"), "the text has it too");
	s[2].offset = 1216;
	is(check(s, 3, 64, 4096, &r), ACLKM_ERR_INVALID, "earlier still");
	is(r.fault, ACLKM_LAYOUT_OVERLAP, "in its bytes");
	s[2] = (struct aclkm_layout_segment){2048, 0};
	is(check(s, 3, 64, 4096, &r), ACLKM_ERR_INVALID, "a length of 0");
	is(r.fault, ACLKM_LAYOUT_EMPTY, "is none");
	s[2] = (struct aclkm_layout_segment){2048, UINT64_MAX - 100};
	is(check(s, 3, 64, 4096, &r), ACLKM_ERR_OVERFLOW, "a length near 2^64");
	is(check(s, 0, 64, 4096, &r), ACLKM_ERR_INVALID, "no segments");
	is(check(NULL, 1, 64, 4096, &r), ACLKM_ERR_INVALID, "NULL");
	is(check(s, 2, 96, 4096, &r), ACLKM_ERR_INVALID, "alignment 96");
	is(check(s, 2, 64, 4096, NULL), ACLKM_ERR_INVALID, "to NULL");
}

int main(void)
{
	struct aclkm_memory_totals before, after;

	small_device();
	without_guard();
	need_device();
	if (aclkm_memory_totals(&before))
		bail_out(aclkm_last_error());
	test_options();
	test_kinds();
	test_blocks();
	test_limit();
	test_fragmentation();
	test_nested();
	test_threads_pool();
	test_shared();
	test_many_pools();
	test_layout();
	aclkm_memory_trim(0);
	aclkm_memory_totals(&after);
	is(after.free, before.free, "the device is as free as before");
	return done_testing();
}
