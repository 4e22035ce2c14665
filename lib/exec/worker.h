/* SPDX-License-Identifier: MIT */
/* A thread that runs tasks in the order in which they were given. */
#ifndef LIB_WORKER_H
#define LIB_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "debug/debug.h"
#include "exec/queue.h"

struct worker;

/* The first member of what a kind of task needs beside it; QUEUE_TASK together. */
struct task {
	/* 0, or ACLKM_ERR_TASK and the like: the task failed. */
	int (*run)(struct task *task);
	/* Once, whether it ran or was thrown away; NULL: nothing to do. */
	void (*drop)(struct task *task);
	void *dst;
	const void *src;
	size_t count;
	uint64_t value; /* a task that needs it no more than the rest ends before it */
	struct worker *worker; /* set for run and drop, as are the next */
	bool ran;
	bool now; /* in the thread that submitted it */
};

struct worker {
	_Atomic uint64_t aborts; /* how often */
	_Atomic int error;	 /* of the first task that failed, not told yet */
	_Atomic bool started;
	_Atomic bool stopped; /* by a failure */
	_Atomic bool stop_on_failure;
	bool stopping;
	pthread_mutex_t lock;	/* of the thread's start and end, @word and errors */
	_Atomic uint32_t *word; /* what the running task waits on */
	pthread_t thread;
	struct flight_line line; /* where tasks are watched */
	struct queue queue;
};

/* Flags of worker_submit. */
#define WORKER_NOW (1U << 0)	      /* run it in this call if nothing is before it */
#define WORKER_NOT_CAPTURED (1U << 1) /* a graph must not repeat it */

/* As queue_init: in memory that was zero or a worker before. */
void worker_init(struct worker *worker);

/*
 * Called when a task has failed, in the thread that ran it, before anybody who waits for
 * it goes on. @number: which task of the worker, from 1.
 */
extern void (*_Atomic worker_on_failure)(struct worker *worker, int err, uint64_t number);

/* A task and what is said of it. */
struct submission {
	const struct task *task; /* with what lies behind it */
	size_t size;		 /* bytes of both */
	unsigned int flags;
	const struct uses *uses; /* memory that the task reads and writes; NULL: none */
	uintptr_t stream;	 /* for reports */
	/* Submits the task of a graph anew; NULL: it can run again as it is. */
	int (*resubmit)(const struct task *task, uintptr_t stream);
};

/*
 * Queues a copy of the task; the first one starts the thread. ACLKM_ERR_NOHEAP,
 * ACLKM_ERR_NOTHREAD, ACLKM_ERR_HANDLE once worker_stop has begun, ACLKM_ERR_INVALID
 * for more than QUEUE_TASK bytes; drop is not called then.
 */
int worker_submit(struct worker *worker, const struct submission *submission);

/*
 * True: the caller is the worker until worker_leave, for something short that
 * cannot fail or wait, and all tasks before are done. Also while the worker is
 * initialised again: the caller must look then whether it is still the same one.
 */
static inline bool worker_try_enter(struct worker *worker)
{
	if (!queue_try_enter(&worker->queue))
		return false;
	if (!atomic_load_explicit(&worker->stopped, memory_order_relaxed))
		return true;
	queue_leave(&worker->queue);
	return false;
}

static inline void worker_leave(struct worker *worker)
{
	queue_leave(&worker->queue);
}

/*
 * Waits for the tasks submitted before the call. ACLKM_ERR_TIMEOUT,
 * ACLKM_ERR_ABORTED, or the error of a task, which is told once.
 */
int worker_wait(struct worker *worker, int64_t deadline);

/* True: worker_wait would return ACLKM_OK at once. */
static inline bool worker_is_done(struct worker *worker)
{
	return queue_is_idle(&worker->queue) &&
	       !atomic_load_explicit(&worker->error, memory_order_relaxed);
}

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

/*
 * Calls a function of the program in a task that runs. If it does not return (outcall.h)
 * the task ends all the same, and the thread goes on with the others until worker_stop.
 */
void worker_call(struct task *task, void (*fn)(void *data), void *data);

/* Runs what is queued, then ends the thread. Once. */
void worker_stop(struct worker *worker);

/* After worker_stop, when nobody uses @worker any more. */
void worker_destroy(struct worker *worker);

#endif /* LIB_WORKER_H */
