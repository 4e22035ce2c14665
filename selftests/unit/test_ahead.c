// SPDX-License-Identifier: MIT
/*
 * How early whoever waits for a queue's tasks is woken, and how that changes. The test is
 * the worker itself: it says what is done while the waiter looks or sleeps, and counts.
 */
#include <sched.h>
#include <stdatomic.h>

#include "client.h"
#include "base/base.h"
#include "exec/exec.h"

#define TASKS 1000 /* of each wait */
#define SEEN 100   /* of them are done while the waiter looks */
#define MOST 16	   /* halves of those it is woken early, at most */

#define SHORT_LOOK 5000000   /* ns: ends, as nothing comes for so long */
#define LONG_LOOK UINT32_MAX /* ns: what the test does meanwhile is seen */
#define HANGS (60 * NSEC_PER_SEC)

static struct queue queue;

struct waiter {
	pthread_t thread;
	uint64_t count;
	uint64_t done; /* when its wait ended */
	atomic_bool ended;
};

static void *wait_for_count(void *arg)
{
	struct waiter *waiter = arg;

	queue_wait(&queue, waiter->count, NO_DEADLINE);
	waiter->done = atomic_load(&queue.done);
	atomic_store(&waiter->ended, true);
	return NULL;
}

static bool will_be_told_at(const struct waiter *waiter, uint64_t count)
{
	return atomic_load(&waiter->ended) || atomic_load(&queue.wake_at) == count;
}

static bool sleeps(const struct waiter *waiter, uint64_t unused)
{
	(void)unused;
	return atomic_load(&waiter->ended) || atomic_load(&queue.sleepers);
}

static void until(bool (*reached)(const struct waiter *waiter, uint64_t arg),
		  const struct waiter *waiter, uint64_t arg)
{
	int64_t end = clock_now() + HANGS;

	while (!reached(waiter, arg)) {
		if (clock_now() > end)
			bail_out("the waiter hangs");
		sched_yield();
	}
}

static void put_tasks(unsigned int n)
{
	const char task[QUEUE_SHORT] = "";

	while (n--) {
		if (queue_put(&queue, task, sizeof(task)))
			bail_out("no memory");
	}
}

/* One after the other, up to the one that makes @count done. */
static void do_tasks(uint64_t count)
{
	char task[QUEUE_TASK];

	if (atomic_load(&queue.done) >= count || !queue_take(&queue, task))
		return;
	while (atomic_load(&queue.done) + 1 < count)
		queue_next(&queue, task);
	queue_done(&queue);
}

/* What is left, thrown away: all of it is done at one moment. */
static void end_all_at_once(const struct waiter *waiter)
{
	bool runs = queue_hold(&queue, false);
	char task[QUEUE_TASK];

	while (queue_drop(&queue, task, waiter->count))
		;
	queue_release(&queue, runs);
}

/* The waiter sleeps then. How many tasks before the last it will be woken. */
static uint64_t sleep_early(struct waiter *waiter)
{
	put_tasks(TASKS);
	waiter->count = queue_count(&queue);
	atomic_store(&waiter->ended, false);
	if (pthread_create(&waiter->thread, NULL, wait_for_count, waiter))
		bail_out("no thread");
	until(will_be_told_at, waiter, waiter->count);
	do_tasks(waiter->count - TASKS + SEEN);
	until(sleeps, waiter, 0);
	return waiter->count - atomic_load(&queue.wake_at);
}

/*
 * Begins a wait, once more where the waiter was kept from its CPU and has not seen all
 * that was done. Nothing is done between this and what the test does next.
 */
static void start(struct waiter *waiter)
{
	enum { TRIES = 100 };
	uint32_t halves = atomic_load(&queue.ahead);
	uint64_t early = 0, want = (uint64_t)SEEN * halves / 2;
	int i;

	for (i = 0; i < TRIES; i++) {
		early = sleep_early(waiter);
		if (early >= want)
			break;
		end_all_at_once(waiter);
		pthread_join(waiter->thread, NULL);
		atomic_store(&queue.ahead, halves);
	}
	is(early, want, "%d seen, %u/2 of that: sleeps until %llu are left", SEEN, halves,
	   (unsigned long long)want);
}

static void finish(struct waiter *waiter)
{
	pthread_join(waiter->thread, NULL);
	is(waiter->done, waiter->count, "the wait ends with the last task");
}

/* Up to the task before those that are left is no sign; that task is one. */
static void wake(struct waiter *waiter)
{
	uint32_t signal = atomic_load(&queue.signal);
	uint64_t at = atomic_load(&queue.wake_at);

	do_tasks(at - 1);
	is(atomic_load(&queue.signal), signal, "not woken one task before that");
	do_tasks(at);
	is(atomic_load(&queue.signal), signal + 1, "woken there");
	until(will_be_told_at, waiter, waiter->count);
	ok(!atomic_load(&waiter->ended), "and waits on");
}

static void come_late(uint32_t want)
{
	struct waiter waiter;

	start(&waiter);
	end_all_at_once(&waiter);
	finish(&waiter);
	is(atomic_load(&queue.ahead), want, "late: %u halves the next time", want);
}

static void test_late(void)
{
	uint32_t halves;

	printf("# woken when all is done\n");
	for (halves = 2; halves <= MOST; halves *= 2)
		come_late(halves);
	come_late(MOST);
	come_late(MOST);
	/* What it has come down to after looks in vain: twice that is above the most. */
	for (halves = MOST / 2 + 1; halves < MOST; halves += 3) {
		atomic_store(&queue.ahead, halves);
		come_late(MOST);
	}
}

/* Gives how early it will be woken the next time. */
static uint32_t look_in_vain(void)
{
	struct waiter waiter;
	uint32_t halves;

	start(&waiter);
	wake(&waiter);
	until(sleeps, &waiter, 0);
	halves = atomic_load(&queue.ahead);
	do_tasks(waiter.count - 1);
	ok(!atomic_load(&waiter.ended), "the last but one does not end it");
	do_tasks(waiter.count);
	finish(&waiter);
	is(atomic_load(&queue.ahead), halves, "a wait that ends asleep changes nothing");
	return halves;
}

/* It looks again and again, as often as there are halves, before it sleeps once more. */
static void test_in_vain(void)
{
	uint32_t before = MOST, now;

	printf("# woken early, and nothing comes\n");
	while (before > 1) {
		now = look_in_vain();
		if (!ok(now < before && now >= (before - 1) / 2,
			"%u halves, %u the next time: a half less for each look", before,
			now))
			return;
		before = now;
	}
	is(look_in_vain(), 1, "one half stays");
}

static void test_in_time(void)
{
	struct waiter waiter;

	printf("# woken early, and the rest is done while it looks\n");
	come_late(2);
	start(&waiter);
	queue_set_spin(&queue, LONG_LOOK);
	wake(&waiter);
	do_tasks(waiter.count);
	finish(&waiter);
	queue_set_spin(&queue, SHORT_LOOK);
	is(atomic_load(&queue.ahead), 2, "in time: the same the next time");
}

int main(void)
{
	queue_init(&queue, SHORT_LOOK);
	is(atomic_load(&queue.ahead), 1, "at first: a half");
	test_late();
	test_in_vain();
	test_in_time();
	queue_destroy(&queue);
	return done_testing();
}
