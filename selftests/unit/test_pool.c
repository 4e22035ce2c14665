// SPDX-License-Identifier: MIT
/* Pools: the segment rule, errors, several threads. */
#include "client.h"

static struct aclkm_pool *pool_of(enum aclkm_pool_kind kind, size_t size)
{
	struct aclkm_pool *pool = NULL;
	int err = aclkm_pool_create(kind, size, ACLKM_PAGES_HUGE_FIRST, 0, &pool);

	if (err) {
		printf("# %s\n", aclkm_last_error());
		bail_out("no pool");
	}
	return pool;
}

static void test_create(void)
{
	struct aclkm_pool *pool = NULL;

	is(aclkm_pool_create(ACLKM_POOL_LINEAR, MIB, ACLKM_PAGES_NORMAL, 0, NULL),
	   ACLKM_ERR_INVALID, "create: NULL");
	is(aclkm_pool_create(ACLKM_POOL_LINEAR, 0, ACLKM_PAGES_NORMAL, 0, &pool),
	   ACLKM_ERR_INVALID, "create: size 0");
	is(aclkm_pool_create(ACLKM_POOL_LINEAR, SIZE_MAX, ACLKM_PAGES_NORMAL, 0, &pool),
	   ACLKM_ERR_OVERFLOW, "create: 2^64 - 1");
	is(aclkm_pool_create(ACLKM_POOL_LINEAR, SIZE_MAX / 2, ACLKM_PAGES_NORMAL, 0,
			     &pool),
	   ACLKM_ERR_NOMEM, "create: 2^63");
	is(aclkm_pool_create((enum aclkm_pool_kind)4, MIB, ACLKM_PAGES_NORMAL, 0, &pool),
	   ACLKM_ERR_INVALID, "create: kind 4");
	is(aclkm_pool_create(ACLKM_POOL_LINEAR, MIB, (enum aclkm_pages)4, 0, &pool),
	   ACLKM_ERR_INVALID, "create: pages 4");
	is(aclkm_pool_create(ACLKM_POOL_LINEAR, MIB, ACLKM_PAGES_NORMAL, 8, &pool),
	   ACLKM_ERR_INVALID, "create: flag 8");
	ok(!pool, "no failure gives a pool");
	is(aclkm_pool_destroy(NULL, 0), ACLKM_ERR_INVALID, "destroy: NULL");
	ok(!aclkm_pool_base(NULL), "base of NULL");
}

static void test_rule(enum aclkm_pool_kind kind, uint64_t align)
{
	static const size_t lens[] = {1, 31, 32, 33, 64, 65, 97, 129, 1000, 4096, 65535};
	struct aclkm_pool *pool = pool_of(kind, MIB);
	struct aclkm_pool_stats stats;
	struct aclkm_memory_info info;
	bool aligned = true, sized = true, apart = true;
	uint64_t sum = 0, stride, m, last_end = 0;
	char *p;
	size_t i;

	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		if (aclkm_segment_alloc(pool, lens[i], (void **)&p))
			bail_out("no segment");
		aclkm_segment_size(lens[i], 32, &m);
		aclkm_segment_stride(lens[i], 32, align, &stride);
		sum += stride;
		memset(p, 0xa5, m);
		aligned = aligned && (uintptr_t)p % align == 0;
		apart = apart && (uintptr_t)p >= last_end;
		last_end = (uintptr_t)p + m;
		sized = sized && !aclkm_memory_query(p + lens[i] / 2, &info) &&
			info.base == p && info.asked == lens[i] && info.ruled == m &&
			info.kind == ACLKM_KIND_POOL;
	}
	ok(aligned, "segments start on multiples of %d", (int)align);
	ok(apart, "none reaches into the next");
	ok(sized, "a query inside of each tells its size by the rule");
	aclkm_pool_stats(pool, &stats);
	is(stats.used, sum, "the strides are what is used");
	is(stats.segments, i, "segments are counted");
	is(stats.high_water, sum, "high water");
	is(stats.free, stats.size - sum, "the rest is free");
	is(aclkm_pool_destroy(pool, 0), ACLKM_ERR_BUSY,
	   "destroy is refused while they live");
	ok(strstr(aclkm_last_error(), "11 segments"), "and says how many");
	is(aclkm_pool_destroy(pool, 2), ACLKM_ERR_INVALID, "destroy: flag 2");
	is(aclkm_pool_destroy(pool, ACLKM_POOL_FORCE), 0, "forced, it goes");
}

/* A pool of exactly the sum of the strides holds the segments, and no more. */
static void test_exact(enum aclkm_pool_kind kind, uint64_t align)
{
	uint64_t stride = 0;
	struct aclkm_pool *pool;
	void *p, *all[10];
	int i, err = 0;

	aclkm_segment_stride(1000, 32, align, &stride);
	pool = pool_of(kind, 10 * stride);
	for (i = 0; i < 10; i++)
		err |= aclkm_segment_alloc(pool, 1000, &all[i]);
	is(err, 0, "ten segments of 1000 fit in ten strides");
	is(aclkm_segment_alloc(pool, 1000, &p), ACLKM_ERR_NOMEM, "an eleventh does not");
	ok(strstr(aclkm_last_error(), "largest piece"), "the text tells what is left");
	for (i = 0; i < 10; i++)
		err |= aclkm_segment_free(pool, all[i]);
	is(err, 0, "all are freed");
	is(aclkm_pool_destroy(pool, 0), 0, "and the pool goes without force");
}

static void test_segment_errors(void)
{
	struct aclkm_pool *pool = pool_of(ACLKM_POOL_LINEAR, MIB);
	struct aclkm_pool *other = pool_of(ACLKM_POOL_MEDIA, MIB);
	struct aclkm_pool_stats stats;
	struct aclkm_memory_info info;
	int on_stack = 0;
	void *p = NULL;

	is(aclkm_segment_alloc(NULL, 1, &p), ACLKM_ERR_INVALID, "alloc: pool NULL");
	is(aclkm_segment_alloc(pool, 1, NULL), ACLKM_ERR_INVALID, "alloc: out NULL");
	is(aclkm_segment_alloc(pool, 0, &p), ACLKM_ERR_INVALID, "alloc: length 0");
	is(aclkm_segment_alloc(pool, SIZE_MAX, &p), ACLKM_ERR_OVERFLOW,
	   "alloc: 2^64 - 1");
	is(aclkm_segment_alloc(pool, SIZE_MAX - 63, &p), ACLKM_ERR_OVERFLOW,
	   "alloc: 2^64 - 64");
	is(aclkm_segment_alloc(pool, MIB, &p), ACLKM_ERR_NOMEM,
	   "alloc: the pool, plus padding");
	is(aclkm_segment_alloc(pool, 100, &p), 0, "alloc: 100");
	is(aclkm_segment_free(NULL, p), ACLKM_ERR_INVALID, "free: pool NULL");
	is(aclkm_segment_free(pool, NULL), ACLKM_ERR_INVALID, "free: NULL");
	is(aclkm_segment_free(pool, (char *)p + 64), ACLKM_ERR_INTERIOR, "free: inside");
	is(aclkm_segment_free(pool, &on_stack), ACLKM_ERR_FOREIGN, "free: the stack");
	is(aclkm_segment_free(other, p), ACLKM_ERR_FOREIGN, "free: of another pool");
	is(aclkm_segment_free(pool, p), 0, "free");
	is(aclkm_segment_free(pool, p), ACLKM_ERR_NOTALIVE, "free: twice");
	is(aclkm_memory_query(p, &info), ACLKM_ERR_NOTALIVE, "query of a freed segment");
	is(aclkm_pool_stats(NULL, &stats), ACLKM_ERR_INVALID, "stats: NULL");
	is(aclkm_pool_stats(pool, NULL), ACLKM_ERR_INVALID, "stats: to NULL");
	is(aclkm_memory_free(aclkm_pool_base(pool)), ACLKM_ERR_KIND,
	   "the pool's block is not for memory_free");
	is(aclrtFree(aclkm_pool_base(pool)), ACL_ERROR_RT_PARAM_INVALID,
	   "nor for aclrtFree");
	is(aclkm_pool_destroy(pool, 0), 0, "destroy");
	is(aclkm_pool_destroy(other, 0), 0, "destroy the other");
}

static void test_host(void)
{
	struct aclkm_pool *pool = NULL;
	void *p = NULL;

	is(aclkm_pool_create(ACLKM_POOL_LINEAR, MIB, ACLKM_PAGES_NORMAL, ACLKM_POOL_HOST,
			     &pool),
	   0, "a host pool");
	is(aclkm_segment_alloc(pool, 100, &p), 0, "with a segment");
	memset(p, 1, 100);
	is((uintptr_t)p % 64, 0, "on a multiple of 64");
	is(aclkm_pool_destroy(pool, ACLKM_POOL_FORCE), 0, "goes by force");
}

#define THREADS 4
#define ROUNDS 3000

struct shared {
	struct aclkm_pool *pool;
	int failed[THREADS];
	int next;
	pthread_mutex_t lock;
};

static int one_round(struct aclkm_pool *pool, unsigned char mark, unsigned int *seed)
{
	size_t len = 1 + (size_t)rand_r(seed) % 2000;
	unsigned char *p;

	if (aclkm_segment_alloc(pool, len, (void **)&p))
		return 1;
	memset(p, mark, len);
	if (p[0] != mark || p[len - 1] != mark)
		return 1;
	return aclkm_segment_free(pool, p) != 0;
}

static void *work(void *arg)
{
	struct shared *shared = arg;
	unsigned int seed;
	int me, i;

	pthread_mutex_lock(&shared->lock);
	me = shared->next++;
	pthread_mutex_unlock(&shared->lock);
	seed = 17U + (unsigned int)me;
	for (i = 0; i < ROUNDS; i++)
		shared->failed[me] +=
			one_round(shared->pool, (unsigned char)(me + 1), &seed);
	return NULL;
}

static void test_threads(void)
{
	struct shared shared = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct aclkm_pool_stats stats;
	pthread_t threads[THREADS];
	int i, failed = 0;

	shared.pool = pool_of(ACLKM_POOL_LINEAR, MIB);
	for (i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, work, &shared))
			bail_out("no thread");
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	/* Numbers are taken in any order: only now have all ended. */
	for (i = 0; i < THREADS; i++)
		failed += shared.failed[i];
	is(failed, 0, "%d threads share a pool", THREADS);
	aclkm_pool_stats(shared.pool, &stats);
	is(stats.used, 0, "nothing is left over");
	is(stats.largest, stats.size, "all in one piece");
	is(aclkm_pool_destroy(shared.pool, 0), 0, "destroy");
}

int main(void)
{
	struct aclkm_memory_totals before, after;

	small_device();
	without_guard();
	if (aclkm_memory_totals(&before))
		bail_out(aclkm_last_error());
	test_create();
	test_rule(ACLKM_POOL_LINEAR, 64);
	test_rule(ACLKM_POOL_MEDIA, 128);
	test_exact(ACLKM_POOL_LINEAR, 64);
	test_exact(ACLKM_POOL_MEDIA, 128);
	test_segment_errors();
	test_host();
	test_threads();
	aclkm_memory_totals(&after);
	is(after.free, before.free, "the device is as free as before");
	return done_testing();
}
