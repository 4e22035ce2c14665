// SPDX-License-Identifier: MIT
/*
 * queue WHAT: prints nanoseconds, medians, of the queue that streams are made of.
 *
 *   submit  one put, while the worker is busy
 *   once    a copy of 4 KiB on an idle queue, done at once, to completion
 *   worker  the same by a worker that is awake
 *   wake    an empty task for a worker that sleeps, to completion
 *   futex   a futex round trip between two threads: what a wake-up costs here
 *   memcpy  a copy of 4 KiB
 */
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/futex.h"
#include "exec/queue.h"

#define SIZE 4096

struct task {
	void *dst;
	const void *src;
	size_t count;
	unsigned int spin; /* microseconds */
};

static struct queue queue;
static _Alignas(64) char from[SIZE], to[SIZE];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* What this thread itself has run: the put takes no lock and never waits. */
static double ran(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void wait_for_all(void)
{
	queue_wait(&queue, queue_count(&queue), NO_DEADLINE);
}

static atomic_uint busy_now;

static void run(const struct task *task)
{
	double end;

	if (task->count)
		memcpy(task->dst, task->src, task->count);
	if (!task->spin)
		return;
	end = now() + task->spin * 1e3;
	atomic_store(&busy_now, 1);
	while (now() < end)
		;
}

static void *work(void *unused)
{
	union {
		struct task task;
		char bytes[QUEUE_TASK];
	} taken;

	(void)unused;
	while (queue_sleep(&queue)) {
		if (!queue_take(&queue, &taken))
			continue;
		do {
			run(&taken.task);
		} while (queue_next(&queue, &taken));
	}
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), by_value);
	return values[n / 2];
}

static double submit(void)
{
	enum { ROUNDS = 300, PUTS = 256 };
	const struct task busy = {.spin = 100}, none = {0};
	double times[ROUNDS], start;
	int i, j;

	for (i = 0; i < ROUNDS; i++) {
		queue_put(&queue, &busy, sizeof(busy));
		while (!atomic_exchange(&busy_now, 0))
			;
		start = ran();
		for (j = 0; j < PUTS; j++)
			queue_put(&queue, &none, sizeof(none));
		times[i] = (ran() - start) / PUTS;
		wait_for_all();
	}
	return median(times, ROUNDS);
}

static double once(int at_once)
{
	enum { ROUNDS = 2000, EACH = 16 };
	const struct task task = {to, from, SIZE, 0};
	double times[ROUNDS], start;
	int i, j;

	for (i = 0; i < ROUNDS; i++) {
		start = now();
		for (j = 0; j < EACH; j++) {
			if (at_once && queue_try_enter(&queue)) {
				run(&task);
				queue_leave(&queue);
			} else {
				queue_put(&queue, &task, sizeof(task));
			}
			wait_for_all();
		}
		times[i] = (now() - start) / EACH;
	}
	return median(times, ROUNDS);
}

static double plain(void)
{
	enum { ROUNDS = 2000, EACH = 16 };
	double times[ROUNDS], start;
	int i, j;

	for (i = 0; i < ROUNDS; i++) {
		start = now();
		for (j = 0; j < EACH; j++) {
			memcpy(to, from, SIZE);
			__asm__ volatile("" : : "r"(to) : "memory");
		}
		times[i] = (now() - start) / EACH;
	}
	return median(times, ROUNDS);
}

static double wake(void)
{
	enum { ROUNDS = 2000 };
	const struct task none = {0};
	double times[ROUNDS], start;
	int i;

	queue_set_spin(&queue, 0);
	for (i = 0; i < ROUNDS; i++) {
		while (!atomic_load(&queue.sleeping))
			usleep(50);
		usleep(50);
		start = now();
		queue_put(&queue, &none, sizeof(none));
		wait_for_all();
		times[i] = now() - start;
	}
	return median(times, ROUNDS);
}

static _Atomic uint32_t there, back;

static void futex(_Atomic uint32_t *word, int op, uint32_t value)
{
	syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void *return_ball(void *unused)
{
	(void)unused;
	for (;;) {
		while (!atomic_load(&there))
			futex(&there, FUTEX_WAIT, 0);
		atomic_store(&there, 0);
		atomic_store(&back, 1);
		futex(&back, FUTEX_WAKE, 1);
	}
	return NULL;
}

static double round_trip(void)
{
	enum { ROUNDS = 2000 };
	double times[ROUNDS], start;
	pthread_t thread;
	int i;

	if (pthread_create(&thread, NULL, return_ball, NULL))
		exit(1);
	for (i = 0; i < ROUNDS; i++) {
		usleep(100);
		start = now();
		atomic_store(&there, 1);
		futex(&there, FUTEX_WAKE, 1);
		while (!atomic_load(&back))
			futex(&back, FUTEX_WAIT, 0);
		times[i] = now() - start;
		atomic_store(&back, 0);
	}
	return median(times, ROUNDS);
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";
	pthread_t worker;
	double result;

	memset(from, 1, SIZE);
	memset(to, 2, SIZE);
	queue_init(&queue, 20000);
	if (pthread_create(&worker, NULL, work, NULL))
		return 1;
	if (!strcmp(what, "submit"))
		result = submit();
	else if (!strcmp(what, "once") || !strcmp(what, "worker"))
		result = once(what[0] == 'o');
	else if (!strcmp(what, "wake"))
		result = wake();
	else if (!strcmp(what, "futex"))
		result = round_trip();
	else if (!strcmp(what, "memcpy"))
		result = plain();
	else
		return fprintf(stderr, "usage: %s submit|once|worker|wake|futex|memcpy\n",
			       argv[0]),
		       2;
	printf("%.1f\n", result);
	fflush(stdout);
	_exit(0);
}
