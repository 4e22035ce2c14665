/* SPDX-License-Identifier: MIT */
/*
 * A queue of tasks from any threads to one worker. Putting takes no lock, and no
 * system call while the worker is awake. The queue has no bound; its nodes are used
 * again, and only when there are more tasks waiting than ever before is memory
 * asked for (under a lock).
 *
 * A task is some bytes that the queue does not look at. At most one is running at
 * any time, so tasks are done in order. Who may run them:
 *
 * - The worker: while queue_sleep says so, it takes a task, does it, and calls
 *   queue_done.
 * - A thread with a short task that finds all others done: when queue_try_enter
 *   lets it in, it does the task itself and calls queue_leave. Else it puts it.
 *
 * A third thread can throw away what is not running yet: queue_hold, queue_drop for
 * each, queue_release.
 */
#ifndef LIB_QUEUE_H
#define LIB_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aclkm/error.h"

/* What goes on inside. */
enum queue_inside {
	QUEUE_NOBODY,
	QUEUE_TAKING,		  /* a task is taken out; short */
	QUEUE_RUNNING,		  /* the worker does a task */
	QUEUE_RUNNING_AND_TAKING, /* and meanwhile others are thrown away */
	QUEUE_ONCE,		  /* a thread does its own task */
};

#define QUEUE_TASK 112	/* bytes of a task, at most */
#define QUEUE_SHORT 40	/* bytes of most tasks */
#define QUEUE_BLOCKS 24 /* of nodes, each twice as long as the one before */
#define QUEUE_FIRST 64	/* nodes of the first */
#define QUEUE_SPENT 16	/* nodes are given back so many at a time */

/* A task of up to 48 bytes shares the line of the links. */
struct queue_node {
	_Alignas(64) struct queue_node *_Atomic next; /* in the queue */
	_Atomic uint32_t next_free; /* number + 1 of the next unused one */
	uint32_t number;	    /* 0: the one in the queue itself */
	_Alignas(16) unsigned char task[QUEUE_TASK];
};

struct queue {
	/* Written by all who put. The count has a bit that says "no more". */
	_Alignas(64) struct queue_node *_Atomic tail;
	_Atomic uint64_t put;
	/* {number, tag}: unused nodes; the tag changes with each taken. */
	_Alignas(64) _Atomic uint64_t unused;
	/* Written by whoever runs or takes. */
	_Alignas(64) struct queue_node *head;
	_Atomic uint64_t done;
	_Atomic uint32_t inside; /* enum queue_inside */
	_Atomic uint32_t interrupted;
	uint64_t taken;
	uint64_t dropped; /* while a task ran: counted as done when it is */
	struct queue_node *spent, *spent_end;
	uint32_t nr_spent;
	/* Seldom written: those who wait look here all the time. */
	_Alignas(64) _Atomic uint32_t sleeping; /* the worker */
	_Atomic uint32_t spin;	   /* nanoseconds of looking before a sleep */
	_Atomic uint64_t wake_at;  /* what the first of those who wait needs */
	_Atomic uint32_t signal;   /* they look at this, and sleep on it */
	_Atomic uint32_t sleepers; /* of them */
	_Atomic uint32_t ahead;	   /* how early they are woken; see ahead_of */
	pthread_mutex_t grow;
	struct queue_node *_Atomic blocks[QUEUE_BLOCKS];
	unsigned int nr_blocks;
	struct queue_node first;
};

_Static_assert(
	offsetof(struct queue, nr_spent) / 64 != offsetof(struct queue, signal) / 64,
	"what the worker writes with each task is not where others look meanwhile");

/*
 * In memory that was zero or a queue before: threads that are late may still call
 * queue_try_enter and queue_leave, at any time. @spin_ns: see queue_set_spin.
 */
void queue_init(struct queue *queue, uint32_t spin_ns);

/* When nobody uses it any more; tasks that were not taken are forgotten. */
void queue_destroy(struct queue *queue);

/* How long the worker and those who wait look before they sleep. */
void queue_set_spin(struct queue *queue, uint32_t spin_ns);

/*
 * Any thread. A copy of @size bytes (at most QUEUE_TASK). ACLKM_ERR_NOHEAP;
 * ACLKM_ERR_HANDLE: after queue_stop.
 */
int queue_put(struct queue *queue, const void *task, size_t size);

/*
 * Any thread. True: all is done, nobody takes or runs anything before queue_leave.
 * Only for what is short: the others wait without sleeping. False after queue_stop.
 */
static inline bool queue_try_enter(struct queue *queue)
{
	uint64_t done = atomic_load_explicit(&queue->done, memory_order_acquire);
	uint32_t outside = QUEUE_NOBODY;

	if (atomic_load_explicit(&queue->put, memory_order_relaxed) != done ||
	    !atomic_compare_exchange_strong(&queue->inside, &outside, QUEUE_ONCE))
		return false;
	/* Now nobody else can make anything done. */
	if (atomic_load(&queue->put) == atomic_load(&queue->done))
		return true;
	atomic_store_explicit(&queue->inside, QUEUE_NOBODY, memory_order_release);
	return false;
}

static inline void queue_leave(struct queue *queue)
{
	atomic_store_explicit(&queue->inside, QUEUE_NOBODY, memory_order_release);
}

/* The worker. False: stopped, and nothing is left. */
bool queue_sleep(struct queue *queue);

/*
 * The worker. True: @task is the next one (QUEUE_TASK bytes), and runs until
 * queue_done. False: there is none now.
 */
bool queue_take(struct queue *queue, void *task);
void queue_done(struct queue *queue);
/* Both: ends the running task, and takes the next one if there is one. */
bool queue_next(struct queue *queue, void *task);

/*
 * Any thread. From queue_hold to queue_release no task begins or ends. True: one
 * runs; @interrupt: queue_is_interrupted is true until it ends. Short.
 */
bool queue_hold(struct queue *queue, bool interrupt);
/* Held. Takes out the next task; false: none was put before the call of @before. */
bool queue_drop(struct queue *queue, void *task, uint64_t before);
void queue_release(struct queue *queue, bool runs);

/* For the running task. */
bool queue_is_interrupted(struct queue *queue);

/* In the count of tasks: no more. */
#define QUEUE_STOPPED (1ULL << 63)

/* How many were put, ever. */
static inline uint64_t queue_count(struct queue *queue)
{
	return atomic_load(&queue->put) & ~QUEUE_STOPPED;
}

/*
 * Any thread. Waits until the first @count tasks are done. False: not by @deadline
 * (CLOCK_MONOTONIC nanoseconds, or NO_DEADLINE).
 */
bool queue_wait(struct queue *queue, uint64_t count, int64_t deadline);

/* Whether something that was put is not done. */
static inline bool queue_has_left(struct queue *queue)
{
	/* In this order: what is done was put before. */
	uint64_t done = atomic_load(&queue->done);

	return queue_count(queue) != done;
}

/* Whether all that was put is done, and nobody does a task at once. */
static inline bool queue_is_idle(struct queue *queue)
{
	return !queue_has_left(queue) && atomic_load(&queue->inside) != QUEUE_ONCE;
}

/* Nothing can be put any more; the worker ends after what is put. */
void queue_stop(struct queue *queue);

#endif /* LIB_QUEUE_H */
