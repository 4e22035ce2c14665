// SPDX-License-Identifier: MIT
#include "queue.h"

#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Rounds of looking between two looks at the clock. */
#define LOOKS 64

static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static void futex_wait(_Atomic uint32_t *word, uint32_t value)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static uint64_t nanoseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* ------------------------------------------------------------ unused nodes */

static struct queue_node *node_of(struct queue *queue, uint32_t number)
{
	unsigned int block = 0;
	uint32_t first = 0, length = QUEUE_FIRST;

	while (number - first >= length) {
		first += length;
		length *= 2;
		block++;
	}
	return &atomic_load_explicit(&queue->blocks[block],
				     memory_order_acquire)[number - first];
}

static void node_put(struct queue *queue, struct queue_node *node)
{
	uint64_t old = atomic_load_explicit(&queue->unused, memory_order_relaxed);
	uint64_t new;

	do {
		atomic_store_explicit(&node->next_free, (uint32_t)old,
				      memory_order_relaxed);
		new = (old & ~(uint64_t)UINT32_MAX) | (node->number + 1);
	} while (!atomic_compare_exchange_weak_explicit(
		&queue->unused, &old, new, memory_order_release, memory_order_relaxed));
}

static struct queue_node *node_get(struct queue *queue)
{
	uint64_t old = atomic_load_explicit(&queue->unused, memory_order_acquire);

	while ((uint32_t)old) {
		struct queue_node *node = node_of(queue, (uint32_t)old - 1);
		uint32_t next =
			atomic_load_explicit(&node->next_free, memory_order_relaxed);
		uint64_t new = ((old >> 32) + 1) << 32 | next;

		/* The worker wrote to it last; whoever puts next will want it. */
		if (next)
			__builtin_prefetch(node_of(queue, next - 1), 1);
		if (atomic_compare_exchange_weak_explicit(&queue->unused, &old, new,
							  memory_order_acquire,
							  memory_order_acquire))
			return node;
	}
	return NULL;
}

static int add_block(struct queue *queue)
{
	uint32_t length = QUEUE_FIRST << queue->nr_blocks, i;
	uint32_t first = length - QUEUE_FIRST;
	struct queue_node *nodes = NULL;

	if (queue->nr_blocks < QUEUE_BLOCKS)
		nodes = aligned_alloc(64, (length * sizeof(*nodes) + 63) & ~63UL);
	if (!nodes)
		return ACLKM_ERR_NOHEAP;
	memset(nodes, 0, length * sizeof(*nodes));
	for (i = 0; i < length; i++)
		nodes[i].number = first + i;
	atomic_store_explicit(&queue->blocks[queue->nr_blocks++], nodes,
			      memory_order_release);
	for (i = 0; i < length; i++)
		node_put(queue, &nodes[i]);
	return ACLKM_OK;
}

static struct queue_node *node_need(struct queue *queue)
{
	struct queue_node *node = node_get(queue);
	int err = ACLKM_OK;

	while (!node && !err) {
		pthread_mutex_lock(&queue->grow);
		node = node_get(queue);
		if (!node)
			err = add_block(queue);
		pthread_mutex_unlock(&queue->grow);
		if (!node && !err)
			node = node_get(queue);
	}
	return node;
}

/* ---------------------------------------------------------------- the queue */

int queue_init(struct queue *queue, uint32_t spin_ns)
{
	struct queue_node *first;

	memset(queue, 0, sizeof(*queue));
	pthread_mutex_init(&queue->grow, NULL);
	atomic_store(&queue->spin, spin_ns);
	first = node_need(queue);
	if (!first) {
		pthread_mutex_destroy(&queue->grow);
		return ACLKM_ERR_NOHEAP;
	}
	queue->head = first;
	atomic_store(&queue->tail, first);
	return ACLKM_OK;
}

void queue_destroy(struct queue *queue)
{
	unsigned int i;

	for (i = 0; i < queue->nr_blocks; i++)
		free(queue->blocks[i]);
	pthread_mutex_destroy(&queue->grow);
}

void queue_set_spin(struct queue *queue, uint32_t spin_ns)
{
	atomic_store(&queue->spin, spin_ns);
}

int queue_put(struct queue *queue, const void *task, size_t size)
{
	struct queue_node *node = node_need(queue), *before;

	if (!node)
		return ACLKM_ERR_NOHEAP;
	memcpy(node->task, task, size);
	atomic_store_explicit(&node->next, NULL, memory_order_relaxed);
	/* Counted first: whoever waits for this count waits for this task. */
	atomic_fetch_add(&queue->put, 1);
	before = atomic_exchange(&queue->tail, node);
	atomic_store(&before->next, node);
	if (atomic_load(&queue->sleeping)) {
		atomic_store(&queue->sleeping, 0);
		futex_wake(&queue->sleeping);
	}
	return ACLKM_OK;
}

bool queue_take(struct queue *queue, void *task, size_t size)
{
	struct queue_node *node = atomic_load(&queue->head->next);

	if (!node)
		return false;
	/* The head is the node before the next task: its own task was taken. */
	memcpy(task, node->task, size);
	node_put(queue, queue->head);
	queue->head = node;
	return true;
}

void queue_done(struct queue *queue)
{
	uint64_t done = atomic_load_explicit(&queue->done, memory_order_relaxed) + 1;

	atomic_store_explicit(&queue->done, done, memory_order_release);
	atomic_store(&queue->done_signal, (uint32_t)done);
	if (atomic_load(&queue->waiting))
		futex_wake(&queue->done_signal);
}

bool queue_is_idle(struct queue *queue)
{
	/* In this order: what is done was put before. */
	uint64_t done = atomic_load_explicit(&queue->done, memory_order_acquire);

	return atomic_load(&queue->put) == done;
}

bool queue_try_enter(struct queue *queue)
{
	uint32_t outside = 0;

	if (!queue_is_idle(queue) ||
	    !atomic_compare_exchange_strong(&queue->inside, &outside, 1))
		return false;
	if (queue_is_idle(queue))
		return true;
	queue_leave(queue);
	return false;
}

void queue_leave(struct queue *queue)
{
	atomic_store_explicit(&queue->inside, 0, memory_order_release);
}

/* Whoever is inside does one short task. */
void queue_enter(struct queue *queue)
{
	uint32_t outside = 0;
	int looks = 0;

	while (!atomic_compare_exchange_weak(&queue->inside, &outside, 1)) {
		outside = 0;
		if (++looks % LOOKS)
			relax();
		else
			sched_yield();
	}
}

/* Looks for as long as is set; true: @found holds. */
static bool look(struct queue *queue, bool (*found)(struct queue *queue, uint64_t arg),
		 uint64_t arg)
{
	uint32_t spin = atomic_load_explicit(&queue->spin, memory_order_relaxed);
	uint64_t until;
	int i;

	if (found(queue, arg))
		return true;
	if (!spin)
		return false;
	until = nanoseconds() + spin;
	do {
		for (i = 0; i < LOOKS; i++) {
			if (found(queue, arg))
				return true;
			relax();
		}
	} while (nanoseconds() < until);
	return found(queue, arg);
}

static bool has_work(struct queue *queue, uint64_t unused)
{
	(void)unused;
	return !queue_is_idle(queue) || atomic_load(&queue->stopping);
}

bool queue_sleep(struct queue *queue)
{
	while (!look(queue, has_work, 0)) {
		atomic_store(&queue->sleeping, 1);
		if (has_work(queue, 0)) {
			atomic_store(&queue->sleeping, 0);
			break;
		}
		futex_wait(&queue->sleeping, 1);
	}
	if (queue_is_idle(queue))
		return false;
	/* Counted but not in the list yet: whoever puts it may need this CPU. */
	if (!atomic_load(&queue->head->next))
		sched_yield();
	return true;
}

static bool is_done(struct queue *queue, uint64_t target)
{
	return atomic_load_explicit(&queue->done, memory_order_acquire) >= target;
}

void queue_wait(struct queue *queue)
{
	uint64_t target = atomic_load(&queue->put);

	if (is_done(queue, target) || look(queue, is_done, target))
		return;
	atomic_fetch_add(&queue->waiting, 1);
	for (;;) {
		uint32_t signal = atomic_load(&queue->done_signal);

		if (is_done(queue, target))
			break;
		futex_wait(&queue->done_signal, signal);
	}
	atomic_fetch_sub(&queue->waiting, 1);
}

void queue_stop(struct queue *queue)
{
	atomic_store(&queue->stopping, 1);
	atomic_store(&queue->sleeping, 0);
	futex_wake(&queue->sleeping);
}
