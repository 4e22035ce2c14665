/* SPDX-License-Identifier: MIT */
/* A thread that runs tasks in the order in which they were given. */
#ifndef LIB_WORKER_H
#define LIB_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct task {
	void (*run)(const struct task *task);
	void *dst;
	const void *src;
	size_t count;
	int value;
	struct task *next;
};

struct worker {
	pthread_mutex_t lock;
	pthread_cond_t work; /* there is a task, or stop */
	pthread_cond_t done; /* a task has finished */
	pthread_t thread;
	struct task *head, **tail;
	uint64_t submitted;
	uint64_t finished;
	bool started;
	bool stopping;
};

void worker_init(struct worker *worker);

/*
 * Queues a copy of @task; the first one starts the thread. ACLKM_ERR_NOHEAP,
 * ACLKM_ERR_NOTHREAD, ACLKM_ERR_HANDLE once worker_stop has begun.
 */
int worker_submit(struct worker *worker, const struct task *task);

/* Waits for the tasks submitted before the call. */
void worker_wait(struct worker *worker);

/* Runs what is queued, then ends the thread. Once. */
void worker_stop(struct worker *worker);

/* After worker_stop, when nobody uses @worker any more. */
void worker_destroy(struct worker *worker);

#endif /* LIB_WORKER_H */
