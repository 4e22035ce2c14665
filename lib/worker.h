/* SPDX-License-Identifier: MIT */
/* A thread that runs tasks in the order in which they were given. */
#ifndef LIB_WORKER_H
#define LIB_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct worker;

/* The first member of what a kind of task needs beside it. */
struct task {
	/* 0, or ACLKM_ERR_TASK and the like: the task failed. */
	int (*run)(struct task *task);
	/* Once, whether it ran or was thrown away; NULL: nothing to do. */
	void (*drop)(struct task *task);
	void *dst;
	const void *src;
	size_t count;
	uint64_t value;
	struct worker *worker; /* set by worker_submit, as are the next two */
	struct task *next;
	uint32_t size;
	bool ran;
};

struct worker {
	pthread_mutex_t lock;
	pthread_cond_t work; /* there is a task, or stop */
	pthread_cond_t done; /* a task has finished */
	pthread_t thread;
	struct task *head, **tail;
	struct task *spare; /* small records to use again */
	uint32_t spares;
	uint32_t waiters;
	uint64_t submitted;
	uint64_t finished;
	uint64_t dropped;	/* thrown away while a task ran: finished when it is */
	uint64_t aborts;	/* how often */
	_Atomic uint32_t *word; /* what the running task waits on */
	int error;		/* of the first task that failed, not told yet */
	bool busy;		/* a task runs */
	bool interrupted;	/* and is to give up waiting */
	bool stop_on_failure;
	bool started;
	bool stopping;
	bool stopped; /* by a failure */
};

/* Flags of worker_submit. */
#define WORKER_NOW (1U << 0) /* run it in this call if nothing is before it */

void worker_init(struct worker *worker);

/*
 * Queues a copy of @task and what lies behind it, @size bytes together; the first
 * one starts the thread. ACLKM_ERR_NOHEAP, ACLKM_ERR_NOTHREAD, ACLKM_ERR_HANDLE
 * once worker_stop has begun; drop is not called then.
 */
int worker_submit(struct worker *worker, const struct task *task, size_t size,
		  unsigned int flags);

/*
 * Waits for the tasks submitted before the call. ACLKM_ERR_TIMEOUT,
 * ACLKM_ERR_ABORTED, or the error of a task, which is told once.
 */
int worker_wait(struct worker *worker, int64_t deadline);

bool worker_is_idle(struct worker *worker);

/*
 * For a running task: sleeps while @word is @seen, until @deadline. May return for
 * no reason. ACLKM_ERR_ABORTED, ACLKM_ERR_TIMEOUT.
 */
int worker_sleep(struct worker *worker, _Atomic uint32_t *word, uint32_t seen,
		 int64_t deadline);

/* Makes a running task give up waiting and, if @queued, throws away the others. */
void worker_abort(struct worker *worker, bool queued);

/* Whether tasks behind one that fails are thrown away. */
void worker_set_failure_mode(struct worker *worker, bool stop);

/* Runs what is queued, then ends the thread. Once. */
void worker_stop(struct worker *worker);

/* After worker_stop, when nobody uses @worker any more. */
void worker_destroy(struct worker *worker);

/* Whether this thread is in a task or a callback: it must wait for no stream. */
extern _Thread_local int worker_in_task;

#endif /* LIB_WORKER_H */
