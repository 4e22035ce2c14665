// SPDX-License-Identifier: MIT
/* The queue of a stream: order, several threads, sleeping and waking, at once. */
#include <sched.h>
#include <stdatomic.h>

#include "client.h"
#include "queue.h"

struct item {
	uint32_t from;
	uint32_t number;
	uint64_t rest[4];
};

#define PUTTERS 4
#define ITEMS 5000

static struct queue queue;
static uint32_t seen[PUTTERS]; /* the next number; written by whoever is inside */
static unsigned int wrong, at_once;
static atomic_uint by_worker;

static void check(const struct item *item)
{
	if (item->number != seen[item->from] || item->rest[3] != item->number * 3ULL)
		wrong++;
	seen[item->from]++;
}

static void *worker(void *unused)
{
	struct item item;

	(void)unused;
	while (queue_sleep(&queue)) {
		queue_enter(&queue);
		while (queue_take(&queue, &item, sizeof(item))) {
			check(&item);
			atomic_fetch_add(&by_worker, 1);
			queue_done(&queue);
		}
		queue_leave(&queue);
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
			queue_wait(&queue);
			/* Mine are all done; only I add to this count. */
			queue_enter(&queue);
			wrong += seen[me] != i + 1;
			queue_leave(&queue);
		}
		if (rand_r(&seed) % 16 == 0)
			sched_yield();
	}
	queue_wait(&queue);
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
	is(queue_init(&queue, spin), 0, "a queue, %u ns of looking", spin);
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
	is(queue_init(&queue, 0), 0, "a queue");
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
	is(wrong, 0, "a worker that is to stop does them first, in order");
	is(seen[0], 20000, "all of them");
	queue_destroy(&queue);
}

/* Nodes are used again: a long run needs no more than the most that waited. */
static void test_reuse(void)
{
	struct item item = {0};
	unsigned int blocks, i;

	is(queue_init(&queue, 0), 0, "a queue");
	blocks = queue.nr_blocks;
	for (i = 0; i < 50000; i++) {
		queue_put(&queue, &item, sizeof(item));
		queue_put(&queue, &item, sizeof(item));
		queue_enter(&queue);
		while (queue_take(&queue, &item, sizeof(item)))
			queue_done(&queue);
		queue_leave(&queue);
	}
	is(queue.nr_blocks, blocks, "100000 tasks, two at a time, in the first nodes");
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
	is(queue_init(&queue, 0), 0, "a queue");
	if (pthread_create(&work, NULL, worker, NULL))
		bail_out("no thread");
	for (i = 0; i < 200; i++) {
		while (!atomic_load(&queue.sleeping))
			sched_yield();
		item = (struct item){0, i, {0, 0, 0, i * 3ULL}};
		queue_put(&queue, &item, sizeof(item));
		queue_wait(&queue);
	}
	queue_enter(&queue);
	is(seen[0], 200, "a worker that sleeps is woken by each of 200");
	queue_leave(&queue);
	queue_set_spin(&queue, 1000000);
	queue_stop(&queue);
	pthread_join(work, NULL);
	is(wrong, 0, "in order");
	queue_destroy(&queue);
}

int main(void)
{
	test_grow();
	test_reuse();
	test_wake();
	test_threads(0);
	test_threads(20000);
	return done_testing();
}
