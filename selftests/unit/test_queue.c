// SPDX-License-Identifier: MIT
/* The queue of a stream: order, several threads, sleeping and waking, at once. */
#include <sched.h>
#include <stdatomic.h>

#include <semaphore.h>

#include "client.h"
#include "base/base.h"
#include "exec/exec.h"

struct item {
	uint32_t from;
	uint32_t number;
	uint64_t rest[4];
};

/* What comes out. */
union slot {
	struct item item;
	char bytes[QUEUE_TASK];
};

#define PUTTERS 4
#define ITEMS 5000

static struct queue queue;
static uint32_t seen[PUTTERS]; /* the next number; written by whoever is inside */
static atomic_uint wrong, at_once, by_worker;

static void wait_for_all(void)
{
	queue_wait(&queue, queue_count(&queue), NO_DEADLINE);
}

static void check(const struct item *item)
{
	if (item->number != seen[item->from] || item->rest[3] != item->number * 3ULL)
		wrong++;
	seen[item->from]++;
}

static void *worker(void *unused)
{
	union slot slot;

	(void)unused;
	while (queue_sleep(&queue)) {
		if (!queue_take(&queue, &slot))
			continue;
		do {
			check(&slot.item);
			atomic_fetch_add(&by_worker, 1);
		} while (queue_next(&queue, &slot));
	}
	return NULL;
}

static void *putter(void *arg)
{
	uint32_t me = (uint32_t)(uintptr_t)arg, i;
	unsigned int seed = me + 1;

	for (i = 0; i < ITEMS; i++) {
		struct item item = {me, i, {0, 0, 0, i * 3ULL}};

		if (rand_r(&seed) % 2 && queue_try_enter(&queue)) {
			check(&item);
			at_once++;
			queue_leave(&queue);
		} else if (queue_put(&queue, &item, sizeof(item))) {
			bail_out("no memory");
		}
		if (rand_r(&seed) % 64 == 0) {
			wait_for_all();
			/* Mine are all done; only I add to this count. */
			wrong += seen[me] != i + 1;
		}
		if (rand_r(&seed) % 16 == 0)
			sched_yield();
	}
	wait_for_all();
	return NULL;
}

static void test_threads(uint32_t spin)
{
	pthread_t threads[PUTTERS], work;
	uintptr_t i;
	uint32_t all = 0;

	memset(seen, 0, sizeof(seen));
	wrong = 0;
	at_once = 0;
	atomic_store(&by_worker, 0);
	printf("# a queue, %u ns of looking\n", spin);
	queue_init(&queue, spin);
	if (pthread_create(&work, NULL, worker, NULL))
		bail_out("no thread");
	for (i = 0; i < PUTTERS; i++) {
		if (pthread_create(&threads[i], NULL, putter, (void *)i))
			bail_out("no thread");
	}
	for (i = 0; i < PUTTERS; i++)
		pthread_join(threads[i], NULL);
	ok(queue_is_idle(&queue), "all have waited: it is idle");
	queue_stop(&queue);
	pthread_join(work, NULL);
	for (i = 0; i < PUTTERS; i++)
		all += seen[i];
	is(wrong, 0, "each thread's tasks are done in order, and before its wait ends");
	is(all, PUTTERS * ITEMS, "every task is done once");
	is(at_once + by_worker, PUTTERS * ITEMS, "at once or by the worker");
	queue_destroy(&queue);
}

/* No worker yet: everything stays, however much it is, and comes in order. */
static void test_grow(void)
{
	struct item item = {0};
	pthread_t work;
	uint32_t i;
	int err = 0;

	memset(seen, 0, sizeof(seen));
	wrong = 0;
	queue_init(&queue, 0);
	ok(queue_is_idle(&queue), "is idle");
	ok(queue_try_enter(&queue), "and can be entered");
	ok(!queue_try_enter(&queue), "by one");
	queue_leave(&queue);
	for (i = 0; i < 20000; i++) {
		item = (struct item){0, i, {0, 0, 0, i * 3ULL}};
		err |= queue_put(&queue, &item, sizeof(item));
	}
	is(err, 0, "20000 tasks wait");
	ok(!queue_is_idle(&queue), "it is not idle");
	ok(!queue_try_enter(&queue), "and not to be entered");
	queue_stop(&queue);
	if (pthread_create(&work, NULL, worker, NULL))
		bail_out("no thread");
	pthread_join(work, NULL);
	is(queue_put(&queue, &item, sizeof(item)), ACLKM_ERR_HANDLE,
	   "nothing can be put to one that is to stop");
	ok(!queue_try_enter(&queue), "nor done at once");
	is(wrong, 0, "a worker that is to stop does them first, in order");
	is(seen[0], 20000, "all of them");
	queue_destroy(&queue);
}

/* Nodes are used again: a long run needs no more than the most that waited. */
static void test_reuse(void)
{
	union slot slot = {0};
	unsigned int i;

	queue_init(&queue, 0);
	is(queue.nr_blocks, 0, "a queue that was never put to has no memory");
	for (i = 0; i < 50000; i++) {
		queue_put(&queue, &slot.item, sizeof(slot.item));
		queue_put(&queue, &slot.item, sizeof(slot.item));
		while (queue_take(&queue, &slot))
			queue_done(&queue);
	}
	is(queue.nr_blocks, 1, "100000 tasks, two at a time, in the first nodes");
	queue_destroy(&queue);
}

/* The worker has time to fall asleep before each task. */
static void test_wake(void)
{
	struct item item;
	pthread_t work;
	uint32_t i;

	memset(seen, 0, sizeof(seen));
	wrong = 0;
	queue_init(&queue, 0);
	if (pthread_create(&work, NULL, worker, NULL))
		bail_out("no thread");
	for (i = 0; i < 200; i++) {
		while (!atomic_load(&queue.sleeping))
			sched_yield();
		item = (struct item){0, i, {0, 0, 0, i * 3ULL}};
		queue_put(&queue, &item, sizeof(item));
		wait_for_all();
	}
	is(seen[0], 200, "a worker that sleeps is woken by each of 200");
	queue_set_spin(&queue, 1000000);
	queue_stop(&queue);
	pthread_join(work, NULL);
	is(wrong, 0, "in order");
	queue_destroy(&queue);
}

static sem_t reached, go_on;
static atomic_uint ran, told;

/* Each task stands until it is let go on. */
static void *standing_worker(void *unused)
{
	union slot slot;

	(void)unused;
	while (queue_sleep(&queue)) {
		if (!queue_take(&queue, &slot))
			continue;
		wrong += queue_is_interrupted(&queue);
		sem_post(&reached);
		sem_wait(&go_on);
		atomic_fetch_add(&ran, 1);
		atomic_fetch_add(&told, queue_is_interrupted(&queue));
		queue_done(&queue);
	}
	return NULL;
}

static unsigned int drop_all(bool *runs)
{
	uint64_t before = queue_count(&queue);
	unsigned int n = 0;
	union slot slot;

	*runs = queue_hold(&queue, true);
	while (queue_drop(&queue, &slot, before))
		n++;
	queue_release(&queue, *runs);
	return n;
}

/* What waits behind a running task is thrown away, and is done when that one is. */
static void test_drop(void)
{
	const struct item item = {0};
	pthread_t work;
	bool runs = true;
	unsigned int i;

	queue_init(&queue, 0);
	sem_init(&reached, 0, 0);
	sem_init(&go_on, 0, 0);
	is(drop_all(&runs), 0, "nothing to throw away");
	ok(!runs, "and nothing runs");
	for (i = 0; i < 10; i++)
		queue_put(&queue, &item, sizeof(item));
	is(drop_all(&runs), 10, "ten thrown away while nothing runs");
	ok(queue_is_idle(&queue), "are done");
	if (pthread_create(&work, NULL, standing_worker, NULL))
		bail_out("no thread");
	for (i = 0; i < 6; i++)
		queue_put(&queue, &item, sizeof(item));
	sem_wait(&reached);
	is(drop_all(&runs), 5, "one runs, five are thrown away");
	ok(runs, "it still runs");
	ok(!queue_is_idle(&queue), "none is done yet");
	ok(!queue_wait(&queue, 11, clock_now() + 1000000), "not even the first");
	ok(!queue_wait(&queue, 11, 0), "a deadline that has gone");
	sem_post(&go_on);
	wait_for_all();
	is(ran, 1, "then all are");
	is(told, 1, "and the one that ran was told");
	queue_put(&queue, &item, sizeof(item));
	sem_wait(&reached);
	sem_post(&go_on);
	wait_for_all();
	is(ran, 2, "the next runs");
	is(told + wrong, 1, "and is told nothing");
	queue_stop(&queue);
	pthread_join(work, NULL);
	queue_destroy(&queue);
}

/* Some put, one throws away, the worker runs: each task goes one of two ways. */
static void *dropper(void *arg)
{
	atomic_uint *dropped = arg;
	bool runs;
	int i;

	for (i = 0; i < 2000; i++) {
		*dropped += drop_all(&runs);
		sched_yield();
	}
	return NULL;
}

static void *plain_putter(void *unused)
{
	const struct item item = {0};
	int i;

	(void)unused;
	for (i = 0; i < ITEMS; i++) {
		if (queue_put(&queue, &item, sizeof(item)))
			bail_out("no memory");
		if (i % 100 == 0)
			wait_for_all();
	}
	wait_for_all();
	return NULL;
}

static void *counting_worker(void *unused)
{
	union slot slot;

	(void)unused;
	while (queue_sleep(&queue)) {
		if (!queue_take(&queue, &slot))
			continue;
		do {
			atomic_fetch_add(&ran, 1);
		} while (queue_next(&queue, &slot));
	}
	return NULL;
}

/* A worker that finds what it was woken for thrown away stays all the same. */
static void test_drop_before_worker(void)
{
	const struct item item = {0};
	pthread_t work;
	bool runs, stays = true;
	unsigned int seed = 5;
	volatile int pause;
	int i;

	queue_init(&queue, 100000);
	if (pthread_create(&work, NULL, counting_worker, NULL))
		bail_out("no thread");
	for (i = 0; i < 200000 && stays; i++) {
		queue_put(&queue, &item, sizeof(item));
		/* The worker sees it soon, not at once. */
		for (pause = rand_r(&seed) % 200; pause; pause--)
			;
		if (i % 2)
			drop_all(&runs);
		else if (i % 10000 == 0)
			stays = queue_wait(&queue, queue_count(&queue),
					   clock_now() + 5000000000);
	}
	queue_put(&queue, &item, sizeof(item));
	ok(stays && queue_wait(&queue, queue_count(&queue), clock_now() + 5000000000),
	   "a worker whose tasks are thrown away as they come does the next");
	queue_stop(&queue);
	pthread_join(work, NULL);
	queue_destroy(&queue);
}

static void test_drop_threads(void)
{
	pthread_t threads[3], work;
	atomic_uint dropped = 0;
	int i;

	queue_init(&queue, 1000);
	atomic_store(&ran, 0);
	if (pthread_create(&work, NULL, counting_worker, NULL) ||
	    pthread_create(&threads[0], NULL, plain_putter, NULL) ||
	    pthread_create(&threads[1], NULL, plain_putter, NULL) ||
	    pthread_create(&threads[2], NULL, dropper, &dropped))
		bail_out("no thread");
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	ok(queue_is_idle(&queue), "all is done");
	is(ran + dropped, 2 * ITEMS, "each task ran or was thrown away");
	queue_stop(&queue);
	pthread_join(work, NULL);
	queue_destroy(&queue);
}

int main(void)
{
	test_drop();
	test_drop_before_worker();
	test_drop_threads();
	test_grow();
	test_reuse();
	test_wake();
	test_threads(0);
	test_threads(20000);
	return done_testing();
}
