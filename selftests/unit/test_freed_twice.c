// SPDX-License-Identifier: MIT
/*
 * Two threads free the same block at the same moment: nobody is told, so each keeps it.
 * It is given out once, and what one of them has left of it is in nobody's way.
 */
#include "alloc/alloc.h"
#include "client.h"
#include "base/base.h"

#define SIZE 320
#define ROUNDS 2000

static void *take(void)
{
	void *p = NULL;

	if (aclkm_memory_alloc(SIZE, 64, ACLKM_PAGES_NORMAL, &p))
		bail_out(aclkm_last_error());
	return p;
}

static int compare(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

	return x < y ? -1 : x > y;
}

/* How many are there once more. */
static unsigned int repeated(void *const *blocks, size_t n)
{
	void **sorted = malloc(n * sizeof(*sorted));
	unsigned int found = 0;
	size_t i;

	memcpy(sorted, blocks, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare);
	for (i = 1; i < n; i++)
		found += sorted[i] == sorted[i - 1];
	free(sorted);
	return found;
}

/* ------------------------------------------------ as it comes, if at all */

static pthread_barrier_t both;
static void *_Atomic victim;

static void *free_victim(void *arg)
{
	int round;

	(void)arg;
	for (round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&both);
		aclkm_memory_free(victim);
		pthread_barrier_wait(&both);
	}
	return NULL;
}

static void test_race(void)
{
	enum { N = 8 };
	unsigned int round, i, twice = 0;
	void *blocks[N];
	pthread_t thread;

	pthread_barrier_init(&both, NULL, 2);
	if (pthread_create(&thread, NULL, free_victim, NULL))
		bail_out("no thread");
	for (round = 0; round < ROUNDS; round++) {
		victim = take();
		pthread_barrier_wait(&both);
		aclkm_memory_free(victim);
		pthread_barrier_wait(&both);
		for (i = 0; i < N; i++)
			blocks[i] = take();
		twice += repeated(blocks, N);
		for (i = 0; i < N; i++)
			aclkm_memory_free(blocks[i]);
	}
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&both);
	is(twice, 0, "a block that two threads free at once is given out once");
}

/* ------------------------------------------------ step by step */

static struct {
	struct heap *heap;
	unsigned int class;
	unsigned int keep, batch;
	void *blocks[CACHE_MAX + 1]; /* of this thread, in use */
} step;

/* What a thread does that has found the block in use. */
static void put(void *p)
{
	uint64_t addr = (uint64_t)(uintptr_t)p, index = 0;
	struct slab *slab = (struct slab *)table_get(addr);

	if (!slab_holds(slab, addr, &index))
		bail_out("no small block");
	tcache_put(step.heap, tcache_need(step.heap), slab, p, &slab->words[index]);
}

/* One more than it keeps, so that the batch that came first goes to between the threads.
 */
static void *gives_a_batch(void *arg)
{
	unsigned int i;

	(void)arg;
	for (i = 0; i <= step.keep; i++)
		put(step.blocks[i]);
	return NULL;
}

static bool keeps_any(void)
{
	struct row *row = bins_row(tcache_need(step.heap), step.class);

	return atomic_load(&row->top) != row->kept;
}

/* A thread whose row is empty gets a batch of which the @n on top are in use. */
static void test_between(unsigned int n)
{
	uint32_t word = word_tag(ACLKM_KIND_NATIVE, 0) | SIZE;
	void *got[3 * CACHE_MAX] = {NULL};
	unsigned int i, first = step.batch - n, mine = 0, again = 0;

	aclkm_memory_trim(0);
	for (i = 0; i <= step.keep; i++)
		step.blocks[i] = take();
	for (i = first; i < step.batch; i++)
		put(step.blocks[i]);
	in_thread(gives_a_batch, NULL);
	while (keeps_any())
		got[mine++] = take();
	for (i = 0; i < n; i++)
		again += got[i] == step.blocks[step.batch - 1 - i];
	is(again, n, "%u of %u freed twice, and this thread has them again", n,
	   step.batch);
	is(tcache_refill(step.heap, tcache_need(step.heap), step.class, word, &got[mine]),
	   ACLKM_OK, "the thread whose row is empty gets a block");
	for (i = 0, mine++; i < 2 * step.batch; i++)
		got[mine++] = take();
	is(repeated(got, mine), 0, "and none that is in use");
	for (i = 0; i < mine; i++)
		aclkm_memory_free(got[i]);
}

int main(void)
{
	size_t before;

	small_device();
	need_device();
	aclkm_memory_trim(0);
	before = free_bytes();
	test_race();
	step.heap = heap_of_id(HEAP_ID(HEAP_DEVICE, ACLKM_PAGES_NORMAL));
	step.class = class_of_units[SIZE / CLASS_UNIT];
	step.keep = classes[step.class].keep;
	step.batch = classes[step.class].batch;
	if (guard_is_watched()) {
		skip("what is freed twice goes between threads", "threads keep nothing");
	} else {
		test_between(0);
		test_between(1);
		test_between(step.batch);
	}
	aclkm_memory_trim(0);
	is(free_bytes(), before, "in the end the device is as free as in the beginning");
	return done_testing();
}
