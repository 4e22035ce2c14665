// SPDX-License-Identifier: MIT
/*
 * What threads keep of freed blocks is memory that others can have, whatever these
 * threads do meanwhile: asleep, or in the middle of a malloc.
 */
#include "alloc/alloc.h"
#include "client.h"

#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define THREADS 4
#define HURRIED 2

static bool has_membarrier(void)
{
	return syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0) > 0;
}

static struct heap *device_heap(void)
{
	return heap_of_id(HEAP_ID(HEAP_DEVICE, ACLKM_PAGES_NORMAL));
}

static void start(pthread_t *thread, void *(*fn)(void *), void *arg)
{
	if (pthread_create(thread, NULL, fn, arg))
		bail_out("no thread");
}

/* --------------------------------------------------------- threads asleep */

static pthread_barrier_t turn;

/* All sizes are freed here; false: one could not be had, or was somebody else's too. */
static bool take_and_free(unsigned char mark)
{
	enum { N = 8 };
	unsigned char *blocks[N];
	bool good = true;
	size_t size;
	int i;

	for (size = 64; size <= 20000; size += 256) {
		for (i = 0; i < N; i++) {
			if (aclrtMalloc((void **)&blocks[i], size,
					ACL_MEM_MALLOC_NORMAL_ONLY))
				return false;
			memset(blocks[i], mark, size);
		}
		for (i = 0; i < N; i++) {
			good = good && blocks[i][0] == mark &&
			       blocks[i][size - 1] == mark;
			good = !aclrtFree(blocks[i]) && good;
		}
	}
	return good;
}

static void *keep_and_sleep(void *arg)
{
	unsigned char mark = (unsigned char)(uintptr_t)arg;
	bool good = !aclrtSetDevice(0) && take_and_free(mark);

	pthread_barrier_wait(&turn);
	/* Whoever is awake has all of it. */
	pthread_barrier_wait(&turn);
	good = take_and_free(mark) && good;
	return (void *)(uintptr_t)(aclrtResetDevice(0) || !good);
}

static uint64_t kept_by_all(void)
{
	struct heap *heap = device_heap();
	uint64_t bytes;

	pthread_mutex_lock(&heap->lock);
	bytes = tcache_kept(heap, NULL);
	pthread_mutex_unlock(&heap->lock);
	return bytes;
}

/* Takes 2 MiB blocks until there are no more. How many; they are freed. */
static size_t fill_device(void)
{
	static void *blocks[4096];
	size_t n = 0, i;

	while (n < 4096 &&
	       !aclrtMalloc(&blocks[n], 2 * MIB - 32, ACL_MEM_MALLOC_NORMAL_ONLY))
		n++;
	for (i = 0; i < n; i++)
		aclrtFree(blocks[i]);
	return n;
}

static void test_asleep(void)
{
	size_t before = free_bytes(), blocks = fill_device();
	pthread_t threads[THREADS];
	void *bad, *all = NULL;
	uintptr_t i;

	pthread_barrier_init(&turn, NULL, THREADS + 1);
	for (i = 0; i < THREADS; i++)
		start(&threads[i], keep_and_sleep, (void *)(i + 1));
	pthread_barrier_wait(&turn);
	ok(kept_by_all() >= 2 * MIB, "threads asleep keep %llu KiB",
	   (unsigned long long)kept_by_all() >> 10);
	is(free_bytes(), before, "which count as free");
	is(fill_device(), blocks, "and can be had, all of them");
	is(kept_by_all(), 0, "then they keep nothing");
	is(free_bytes(), before, "the device is as free as before");
	pthread_barrier_wait(&turn);
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &bad);
		all = (void *)((uintptr_t)all | (uintptr_t)bad);
	}
	ok(!all, "they go on as if nothing had been");
	is(free_bytes(), before, "the device is as free as before");
}

static void test_trim(void)
{
	struct heap *heap = device_heap();
	pthread_t threads[THREADS];
	uintptr_t i;

	for (i = 0; i < THREADS; i++)
		start(&threads[i], keep_and_sleep, (void *)(i + 1));
	pthread_barrier_wait(&turn);
	ok(kept_by_all(), "threads asleep keep some");
	aclkm_memory_trim(0);
	is(heap->slab_bytes + heap->shared_bytes, 0, "a trim leaves nothing of it");
	pthread_barrier_wait(&turn);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* -------------------------------------------------------------- of a pool */

static struct aclkm_pool *pool;

static void segments(void)
{
	enum { N = 32 };
	void *taken[N];
	int i;

	for (i = 0; i < N; i++) {
		if (aclkm_segment_alloc(pool, 1000, &taken[i]))
			bail_out(aclkm_last_error());
	}
	for (i = 0; i < N; i++)
		aclkm_segment_free(pool, taken[i]);
}

static void *segments_and_sleep(void *arg)
{
	(void)arg;
	segments();
	pthread_barrier_wait(&turn);
	pthread_barrier_wait(&turn);
	segments();
	/* It is destroyed while they keep some. */
	pthread_barrier_wait(&turn);
	pthread_barrier_wait(&turn);
	return NULL;
}

static void test_pool(void)
{
	const size_t most = 8 * MIB - 64;
	pthread_t threads[THREADS];
	void *segment;
	int i;

	is(aclkm_pool_create(ACLKM_POOL_LINEAR, 8 * MIB, ACLKM_PAGES_NORMAL,
			     ACLKM_POOL_THREADS, &pool),
	   0, "a pool of whose segments threads keep some");
	for (i = 0; i < THREADS; i++)
		start(&threads[i], segments_and_sleep, NULL);
	pthread_barrier_wait(&turn);
	is(aclkm_segment_alloc(pool, most, &segment), 0, "all of it is one segment");
	is(aclkm_segment_free(pool, segment), 0, "which is freed");
	is(aclkm_pool_reset(pool), 0, "the pool is as new");
	pthread_barrier_wait(&turn);
	pthread_barrier_wait(&turn);
	is(aclkm_pool_destroy(pool, 0), 0, "what threads keep of it since is no segment");
	pthread_barrier_wait(&turn);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* ----------------------------------- what a thread does meanwhile, one by one */

#define SIZE 200

static void *one(void)
{
	void *p = NULL;

	if (aclkm_memory_alloc(SIZE, 64, ACLKM_PAGES_NORMAL, &p))
		bail_out(aclkm_last_error());
	return p;
}

static struct row *row_of_size(void)
{
	return bins_row_for(&tcache_mine->own[device_heap()->id], &tcache_mine->native,
			    SIZE);
}

/* This thread's row, with a block or two, one of them as the last. */
static struct row *row_with(void *first, void *last)
{
	aclkm_memory_trim(0);
	if (first)
		aclkm_memory_free(first);
	aclkm_memory_free(last);
	return row_of_size();
}

static bool collect(struct row *row, const struct claim *claim)
{
	struct heap *heap = device_heap();
	bool any;

	pthread_mutex_lock(&heap->lock);
	any = reclaim_collect(heap, row, claim, row_count(row));
	pthread_mutex_unlock(&heap->lock);
	return any;
}

/* Nobody looks at the row between its top's being read and its words' being changed. */
static void claim_as_with(struct row *row, struct kept *top, struct claim *claim)
{
	struct kept *now = row->top;

	row->top = top;
	reclaim_claim(row, claim);
	row->top = now;
}

/* What was taken lies below what the thread frees later. */
static void test_full_row(void)
{
	enum { TAKEN = 4, N = CACHE_MAX + TAKEN };
	size_t before = free_bytes();
	struct claim claim;
	struct row *row;
	void *blocks[N];
	int i;

	for (i = 0; i < N; i++)
		blocks[i] = one();
	row = row_with(NULL, blocks[0]);
	for (i = 1; i < TAKEN; i++)
		aclkm_memory_free(blocks[i]);
	reclaim_claim(row, &claim);
	ok(collect(row, &claim), "a few are taken");
	is(row->taken, TAKEN, "all that were there");
	for (; i < N; i++)
		aclkm_memory_free(blocks[i]);
	is(row->taken, 0, "in a row that was full since they are no more");
	is(free_bytes(), before, "the device is as free as before");
}

/* A record may be another slab's in the middle of a thread's look at it. */
static void test_near(void)
{
	struct slab *_Atomic *slot;
	void *block = one();

	slot = near_slot(tcache_mine, (uint64_t)(uintptr_t)block);
	is(aclkm_memory_free(block), 0, "freed");
	ok(slab_read((*slot)->slots), "the thread knows the slab");
	aclkm_memory_trim(0);
	is((*slot)->slots + (*slot)->base, 0, "and forgets it as it goes");
}

static void test_steps(void)
{
	size_t before = free_bytes();
	void *a = one(), *b = one(), *p = NULL;
	struct claim claim;
	struct kept *top;
	struct row *row;

	row = row_with(a, b);
	is(row_count(row), 2, "two blocks in a row");
	reclaim_claim(row, &claim);
	ok(!row_take(row, 1, &p), "claimed: the thread cannot take one");
	is(row_count(row), 2, "and leaves it in the row");
	ok(collect(row, &claim), "who claimed them has them");
	is(row_left(row), 0, "nothing is left in the row");
	a = one();
	is(row->taken, 0, "whose thread forgets them");
	b = one();

	row = row_with(a, b);
	reclaim_claim(row, &claim);
	top = row->top;
	row_lower(row, top);
	ok(collect(row, &claim), "the thread is about to take the last: the first goes");
	row_raise(row, top);
	is(row_left(row), 1, "the last stays");
	ok(one() == b, "and is the thread's");
	a = one();

	row = row_with(NULL, a);
	top = row->top;
	ok(one() == a, "taken before it was claimed");
	claim_as_with(row, top, &claim);
	ok(!collect(row, &claim), "it cannot be had");
	is(aclkm_memory_free(a), 0, "but freed");

	top = row->top;
	ok(one() == a, "taken before it was claimed, once more");
	claim_as_with(row, top, &claim);
	is(aclkm_memory_free(b), 0, "another one in its place");
	ok(!collect(row, &claim), "cannot be had");
	ok(one() == b, "as it is the thread's");

	is(aclkm_memory_free(a), 0, "freed");
	reclaim_claim(row, &claim);
	is(aclkm_memory_free(b), 0, "one more while the row is claimed");
	ok(collect(row, &claim), "the one below goes");
	is(row_left(row), 1, "this one stays");
	ok(one() == b, "and is the thread's");
	is(aclkm_memory_free(b), 0, "freed");

	reclaim_claim(row, &claim);
	ok(!reclaim_collect(device_heap(), row, &claim, 0), "without a barrier: nothing");
	ok(one() == b, "and all is as before");
	is(aclkm_memory_free(b), 0, "freed");
	aclkm_memory_trim(0);
	is(free_bytes(), before, "the device is as free as before");
	is(device_heap()->slab_bytes, 0, "and nothing is left in slabs");
}

/* ------------------------------------------- in the middle of a malloc */

static _Atomic bool over;
static _Atomic uint32_t given;	/* blocks that the threads took and freed */
static _Atomic uint32_t rounds; /* of who takes what they keep */
static _Atomic uint32_t some;	/* of these, how many found something */
static _Thread_local bool is_taker;

/*
 * Stops a thread wherever it is, until the other side has come on: so that every
 * instruction of it is one between which all of the other's work may lie.
 */
static void wait_for_others(int signal)
{
	_Atomic uint32_t *of_others = is_taker ? &given : &rounds;
	uint32_t until = *of_others + (is_taker ? 64 : 2);
	int i;

	(void)signal;
	/* They may wait for this thread: not for ever. */
	for (i = 0; i < 100 && (int32_t)(until - *of_others) > 0 && !over; i++)
		sched_yield();
}

/* Blocks that are two threads' at once have another's number in them. */
static void *hurry(void *arg)
{
	enum { LIVE = 4 };
	uintptr_t me = (uintptr_t)arg, bad = aclrtSetDevice(0) != 0;
	volatile uint64_t *blocks[LIVE] = {NULL};
	uint64_t number = me << 32;
	unsigned int i;

	for (i = 0; !over; i = (i + 1) % LIVE) {
		if (blocks[i]) {
			bad += blocks[i][0] != blocks[i][3] || blocks[i][0] >> 32 != me;
			bad += aclrtFree((void *)blocks[i]) != 0;
			blocks[i] = NULL;
			given++;
		}
		/* One is taken and freed at the end of the row again and again. */
		if (number % 32 >= LIVE && i)
			continue;
		if (aclrtMalloc((void **)&blocks[i], 200, ACL_MEM_MALLOC_NORMAL_ONLY)) {
			bad++;
			continue;
		}
		blocks[i][0] = ++number;
		blocks[i][3] = number;
	}
	for (i = 0; i < LIVE; i++) {
		if (blocks[i])
			bad += aclrtFree((void *)blocks[i]) != 0;
	}
	bad += aclrtResetDevice(0) != 0;
	return (void *)bad;
}

/* Takes from them what they keep. */
static void *take_from_all(void *arg)
{
	struct heap *heap = device_heap();
	bool any;

	(void)arg;
	is_taker = true;
	while (!over) {
		pthread_mutex_lock(&heap->lock);
		any = reclaim_rows(heap);
		pthread_mutex_unlock(&heap->lock);
		some += any;
		if (!any)
			sched_yield();
		if (++rounds % 64 == 0)
			aclkm_memory_trim(0);
	}
	return NULL;
}

enum { IDLE = 1, WRONG = 2, LESS = 4, LEFT = 8 };

/* What went wrong. */
static int hurry_and_take(unsigned int times)
{
	const struct sigaction stop = {.sa_handler = wait_for_others,
				       .sa_flags = SA_RESTART};
	size_t before = free_bytes();
	pthread_t threads[HURRIED + 1];
	uintptr_t i, all = 0;
	void *bad;
	int ret;

	sigaction(SIGUSR1, &stop, NULL);
	over = false;
	some = 0;
	for (i = 0; i < HURRIED; i++)
		start(&threads[i], hurry, (void *)(i + 1));
	start(&threads[HURRIED], take_from_all, NULL);
	for (i = 0; i < times || (some < times / 16 && i < 200 * times); i++) {
		pthread_kill(threads[i % (HURRIED + 1)], SIGUSR1);
		usleep(20);
	}
	printf("# %u rounds, %u with something to take, %u signals\n", rounds, some,
	       (unsigned int)i);
	fflush(stdout);
	ret = some < times / 16 ? IDLE : 0;
	over = true;
	for (i = 0; i < HURRIED; i++) {
		pthread_join(threads[i], &bad);
		all += (uintptr_t)bad;
	}
	pthread_join(threads[HURRIED], NULL);
	if (all)
		ret |= WRONG;
	aclkm_memory_trim(0);
	if (free_bytes() != before)
		ret |= LESS;
	if (device_heap()->slab_bytes)
		ret |= LEFT;
	return ret;
}

static void test_hurry(const char *how, int ret)
{
	ok(!(ret & ~(IDLE | WRONG | LESS | LEFT)), "%s: it came to an end", how);
	ok(!(ret & IDLE), "%s: there was something to take, often enough", how);
	ok(!(ret & WRONG), "%s: no block is two threads' at once, or lost", how);
	ok(!(ret & LESS), "%s: the device is as free as before", how);
	ok(!(ret & LEFT), "%s: and nothing is left in slabs", how);
}

/* ------------------------------------------------------ memory is short */

/* Blocks of all sizes, one at a time, of each heap. How many could not be had. */
static void *one_at_a_time(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg, i;
	uintptr_t bad = aclrtSetDevice(0) != 0;
	size_t size;
	int err;
	void *p;

	for (i = 0; i < 3000; i++) {
		size = 1 + (size_t)rand_r(&seed) % 20000;
		if (i % 3 == 0)
			err = aclrtMalloc(&p, size, ACL_MEM_MALLOC_NORMAL_ONLY) ||
			      aclrtFree(p);
		else if (i % 3 == 1)
			err = aclrtMallocHost(&p, size) || aclrtFreeHost(p);
		else
			err = acldvppMalloc(&p, size) || acldvppFree(p);
		bad += err != 0;
	}
	bad += aclrtResetDevice(0) != 0;
	return (void *)bad;
}

/* A few blocks are used, but what threads would keep is many times the device. */
static int use_little(unsigned int times)
{
	pthread_t threads[THREADS];
	uintptr_t i, all = 0;
	void *bad;

	while (times--) {
		for (i = 0; i < THREADS; i++)
			start(&threads[i], one_at_a_time, (void *)(i + 1));
		for (i = 0; i < THREADS; i++) {
			pthread_join(threads[i], &bad);
			all += (uintptr_t)bad;
		}
	}
	return all < 255 ? (int)all : 255;
}

/* Calls @fn in a process that has not used the library yet. What it returns, or -1. */
static int in_process(int (*fn)(unsigned int), unsigned int times, const char *name,
		      const char *value)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		setenv(name, value, 1);
		need_device();
		_exit(fn(times));
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void)
{
	const unsigned int times = 2000;

	small_device();
	without_guard();
	if (!has_membarrier()) {
		skip("reclaim",
		     "the kernel has no membarrier(2), or a filter forbids it");
		return done_testing();
	}
	test_hurry("with checks",
		   in_process(hurry_and_take, times, "ACLKM_CHECK", "all"));
	is(in_process(use_little, 4, "ACLKM_MEM", "8M"), 0, "threads never lack memory");
	need_device();
	test_asleep();
	test_trim();
	test_pool();
	test_steps();
	test_full_row();
	test_near();
	test_hurry("plain", hurry_and_take(times));
	return done_testing();
}
