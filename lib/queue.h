/* SPDX-License-Identifier: MIT */
/*
 * A queue of tasks from any threads to one worker. Putting takes no lock, and no
 * system call while the worker is awake. The queue has no bound; its nodes are used
 * again, and only when there are more tasks waiting than ever before is memory
 * asked for (under a lock).
 *
 * A task is some bytes that the queue does not look at. The one who runs tasks is
 * "inside": the worker while there are any, or a thread that found the queue idle
 * and does a short task itself, at once. Only one is inside at a time, so tasks are
 * done in order.
 *
 *	worker:		while (queue_sleep(q))		putting:  if (short &&
 *				queue_enter(q); queue_try_enter(q)) while (queue_take(q,
 *&t))		do it, queue_leave(q); do it, queue_done(q);	  else queue_leave(q);
 *queue_put(q, &t);
 */
#ifndef LIB_QUEUE_H
#define LIB_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aclkm/error.h"

#define QUEUE_TASK 96	/* bytes of a task, at most */
#define QUEUE_BLOCKS 24 /* of nodes, each twice as long as the one before */
#define QUEUE_FIRST 64	/* nodes of the first */

/* A task of up to 48 bytes shares the line of the links. */
struct queue_node {
	_Alignas(64) struct queue_node *_Atomic next; /* in the queue */
	_Atomic uint32_t next_free; /* number + 1 of the next unused one */
	uint32_t number;
	_Alignas(16) unsigned char task[QUEUE_TASK];
};

struct queue {
	/* Written by all who put. */
	_Alignas(64) struct queue_node *_Atomic tail;
	_Atomic uint64_t put;
	/* {number + 1, tag}: unused nodes; the tag changes with each taken. */
	_Alignas(64) _Atomic uint64_t unused;
	/* Written by whoever is inside. */
	_Alignas(64) struct queue_node *head;
	_Atomic uint64_t done;
	_Atomic uint32_t done_signal; /* the low half, for futex */
	_Atomic uint32_t inside;
	/* Seldom written. */
	_Alignas(64) _Atomic uint32_t sleeping; /* the worker */
	_Atomic uint32_t waiting;		/* those in queue_wait */
	_Atomic uint32_t stopping;
	_Atomic uint32_t spin; /* nanoseconds of looking before a sleep */
	pthread_mutex_t grow;
	struct queue_node *_Atomic blocks[QUEUE_BLOCKS];
	unsigned int nr_blocks;
};

/* @spin_ns: see queue_set_spin. ACLKM_ERR_NOHEAP. */
int queue_init(struct queue *queue, uint32_t spin_ns);

/* When nobody uses it any more; tasks that were not taken are forgotten. */
void queue_destroy(struct queue *queue);

/* How long the worker and those who wait look before they sleep. */
void queue_set_spin(struct queue *queue, uint32_t spin_ns);

/* Any thread. A copy of @size bytes (at most QUEUE_TASK). ACLKM_ERR_NOHEAP. */
int queue_put(struct queue *queue, const void *task, size_t size);

/* Any thread. True: all is done, nobody is inside but the caller: queue_leave. */
bool queue_try_enter(struct queue *queue);
void queue_leave(struct queue *queue);

/* The worker. False: stopped, and nothing is left. */
bool queue_sleep(struct queue *queue);
void queue_enter(struct queue *queue);
/* Inside. @size bytes of the next task; false: there is none now. */
bool queue_take(struct queue *queue, void *task, size_t size);
/* Inside: the task taken last is done. */
void queue_done(struct queue *queue);

/* Any thread. Waits until all that was put before the call is done. */
void queue_wait(struct queue *queue);

/* Whether all that was put is done. */
bool queue_is_idle(struct queue *queue);

/* Lets the worker end, after what is put. */
void queue_stop(struct queue *queue);

#endif /* LIB_QUEUE_H */
