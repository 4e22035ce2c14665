// SPDX-License-Identifier: MIT
#include "exec/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"

/* How often to look before others are let run: first soon, then less often. */
#define FIRST_LOOKS 4
#define LOOKS 64

/* Halves of the time of looking by which whoever sleeps is woken early, at most. */
#define AHEAD_MAX 16

static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* False: the time is up. */
static HOT bool sleep_on(_Atomic uint32_t *word, uint32_t value, int64_t deadline)
{
	struct timespec at = clock_spec(deadline);

	return futex_call(word, FUTEX_WAIT_BITSET_PRIVATE, value,
			  deadline == NO_DEADLINE ? NULL : &at) != -ETIMEDOUT;
}

static HOT void wake_all(_Atomic uint32_t *word)
{
	futex_call(word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL);
}

/* ------------------------------------------------------------ unused nodes */

static struct queue_node *node_of(struct queue *queue, uint32_t number)
{
	unsigned int block;
	uint32_t at;

	if (number == queue->first.number)
		return &queue->first;
	at = number - 2 + QUEUE_FIRST;
	block = 31 - (unsigned int)__builtin_clz(at / QUEUE_FIRST);
	return &atomic_load_explicit(&queue->blocks[block],
				     memory_order_acquire)[at - (QUEUE_FIRST << block)];
}

/* A chain from @first to @last, linked by next_free. */
static HOT void nodes_put(struct queue *queue, const struct queue_node *first,
			  struct queue_node *last)
{
	uint64_t old = atomic_load_explicit(&queue->unused, memory_order_relaxed);
	uint64_t new;

	do {
		atomic_store_explicit(&last->next_free, (uint32_t)old,
				      memory_order_relaxed);
		new = (old & ~(uint64_t)UINT32_MAX) | first->number;
	} while (!atomic_compare_exchange_weak_explicit(
		&queue->unused, &old, new, memory_order_release, memory_order_relaxed));
}

static HOT struct queue_node *node_get(struct queue *queue)
{
	uint64_t old = atomic_load_explicit(&queue->unused, memory_order_acquire);

	while ((uint32_t)old) {
		struct queue_node *node = node_of(queue, (uint32_t)old);
		uint32_t next =
			atomic_load_explicit(&node->next_free, memory_order_relaxed);
		uint64_t new = ((old >> 32) + 1) << 32 | next;

		/* The worker wrote to it last; whoever puts next will want it. */
		if (next)
			__builtin_prefetch(node_of(queue, next), 1);
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
	uint32_t first = length - QUEUE_FIRST + 2;
	struct queue_node *nodes = NULL;

	if (queue->nr_blocks < QUEUE_BLOCKS)
		nodes = aligned_alloc(64, length * sizeof(*nodes));
	if (!nodes)
		return ACLKM_ERR_NOHEAP;
	memset(nodes, 0, length * sizeof(*nodes));
	for (i = 0; i < length; i++) {
		nodes[i].number = first + i;
		atomic_store_explicit(&nodes[i].next_free, first + i + 1,
				      memory_order_relaxed);
	}
	atomic_store_explicit(&queue->blocks[queue->nr_blocks++], nodes,
			      memory_order_release);
	nodes_put(queue, nodes, &nodes[length - 1]);
	return ACLKM_OK;
}

static HOT struct queue_node *node_need(struct queue *queue)
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

/* Inside. */
static HOT void give_spent(struct queue *queue)
{
	if (!queue->spent)
		return;
	nodes_put(queue, queue->spent, queue->spent_end);
	queue->spent = NULL;
	queue->nr_spent = 0;
}

/* Inside. Some at a time, so that those who put are seldom disturbed. */
static HOT void node_spent(struct queue *queue, struct queue_node *node)
{
	uint32_t next = queue->spent ? queue->spent->number : 0;

	atomic_store_explicit(&node->next_free, next, memory_order_relaxed);
	if (!queue->spent)
		queue->spent_end = node;
	queue->spent = node;
	if (++queue->nr_spent == QUEUE_SPENT)
		give_spent(queue);
}

/* ---------------------------------------------------------------- the queue */

void queue_init(struct queue *queue, uint32_t spin_ns)
{
	/* Not @inside: see the header. */
	atomic_store(&queue->unused, 0);
	atomic_store(&queue->interrupted, 0);
	atomic_store(&queue->sleeping, 0);
	atomic_store(&queue->spin, spin_ns);
	atomic_store(&queue->wake_at, UINT64_MAX);
	atomic_store(&queue->ahead, 1);
	atomic_store(&queue->signal, 0);
	atomic_store(&queue->sleepers, 0);
	queue->taken = 0;
	queue->dropped = 0;
	queue->spent = NULL;
	queue->nr_spent = 0;
	queue->nr_blocks = 0;
	pthread_mutex_init(&queue->grow, NULL);
	queue->first.number = 1;
	atomic_store(&queue->first.next, NULL);
	queue->head = &queue->first;
	atomic_store(&queue->tail, &queue->first);
	atomic_store(&queue->done, 0);
	atomic_store(&queue->put, 0);
}

void queue_destroy(struct queue *queue)
{
	unsigned int i;

	for (i = 0; i < queue->nr_blocks; i++)
		free(atomic_load(&queue->blocks[i]));
	queue->nr_blocks = 0;
	pthread_mutex_destroy(&queue->grow);
}

void queue_set_spin(struct queue *queue, uint32_t spin_ns)
{
	atomic_store(&queue->spin, spin_ns);
}

/* Most are of that size: no call. */
static HOT inline void put_task(struct queue_node *node, const void *task, size_t size)
{
	if (size == QUEUE_SHORT)
		memcpy(node->task, task, QUEUE_SHORT);
	else
		memcpy(node->task, task, size);
}

HOT int queue_put(struct queue *queue, const void *task, size_t size)
{
	struct queue_node *node = node_need(queue), *before;
	uint64_t count = atomic_load_explicit(&queue->put, memory_order_relaxed);

	if (!node)
		return ACLKM_ERR_NOHEAP;
	put_task(node, task, size);
	atomic_store_explicit(&node->next, NULL, memory_order_relaxed);
	/* Counted first: whoever waits for this count waits for this task. */
	do {
		if (count & QUEUE_STOPPED) {
			nodes_put(queue, node, node);
			return ACLKM_ERR_HANDLE;
		}
	} while (!atomic_compare_exchange_weak(&queue->put, &count, count + 1));
	before = atomic_exchange(&queue->tail, node);
	atomic_store_explicit(&before->next, node, memory_order_release);
	if (atomic_load(&queue->sleeping)) {
		atomic_store_explicit(&queue->sleeping, 0, memory_order_relaxed);
		wake_all(&queue->sleeping);
	}
	return ACLKM_OK;
}

static HOT bool is_done(struct queue *queue, uint64_t count)
{
	return atomic_load(&queue->done) >= count;
}

/* From one of two states to another; waits while it is none of them. */
static HOT uint32_t move(struct queue *queue, uint32_t a, uint32_t to_a, uint32_t b,
			 uint32_t to_b)
{
	uint32_t now = a;
	int looks = 0;

	for (;;) {
		if (atomic_compare_exchange_weak(&queue->inside, &now,
						 now == b ? to_b : to_a))
			return now;
		while (now != a && now != b) {
			if (++looks % LOOKS)
				relax();
			else
				yield_cpu();
			now = atomic_load(&queue->inside);
		}
	}
}

/* Inside. */
static HOT bool take_out(struct queue *queue, void *task)
{
	struct queue_node *node =
		atomic_load_explicit(&queue->head->next, memory_order_acquire);

	if (!node)
		return false;
	/* The head is the node before the next task: its own task was taken. */
	memcpy(task, node->task, QUEUE_TASK);
	/* The next one comes from another CPU while this one runs. */
	__builtin_prefetch(atomic_load_explicit(&node->next, memory_order_relaxed));
	node_spent(queue, queue->head);
	queue->head = node;
	queue->taken++;
	return true;
}

/* The end of QUEUE_TAKING. */
static HOT void go_on(struct queue *queue, bool taken)
{
	if (taken)
		atomic_store_explicit(&queue->interrupted, 0, memory_order_relaxed);
	atomic_store_explicit(&queue->inside, taken ? QUEUE_RUNNING : QUEUE_NOBODY,
			      memory_order_release);
}

HOT bool queue_take(struct queue *queue, void *task)
{
	bool taken;

	move(queue, QUEUE_NOBODY, QUEUE_TAKING, QUEUE_NOBODY, QUEUE_TAKING);
	taken = take_out(queue, task);
	go_on(queue, taken);
	/* Counted, but not linked yet: whoever puts it may need this CPU. */
	if (!taken)
		yield_cpu();
	return taken;
}

static HOT void tell_done(struct queue *queue, uint64_t n)
{
	uint64_t done = atomic_fetch_add(&queue->done, n) + n;

	if (done < atomic_load(&queue->wake_at))
		return;
	/* Written before the signal is: whoever sees that registers anew. */
	atomic_store_explicit(&queue->wake_at, UINT64_MAX, memory_order_relaxed);
	atomic_fetch_add(&queue->signal, 1);
	if (atomic_load(&queue->sleepers))
		wake_all(&queue->signal);
}

/* How many are done with the running task, which ends here. */
static HOT uint64_t end_task(struct queue *queue)
{
	uint64_t n;

	move(queue, QUEUE_RUNNING, QUEUE_TAKING, QUEUE_RUNNING, QUEUE_TAKING);
	n = 1 + queue->dropped;
	queue->dropped = 0;
	return n;
}

void queue_done(struct queue *queue)
{
	uint64_t n = end_task(queue);

	/* Left before it is told: whoever is told can enter. */
	go_on(queue, false);
	tell_done(queue, n);
}

HOT bool queue_next(struct queue *queue, void *task)
{
	uint64_t n = end_task(queue);
	bool taken = take_out(queue, task);

	/* Few tasks at a time use few nodes, which stay in the caches. */
	if (!taken)
		give_spent(queue);
	go_on(queue, taken);
	tell_done(queue, n);
	return taken;
}

bool queue_hold(struct queue *queue, bool interrupt)
{
	bool runs = move(queue, QUEUE_NOBODY, QUEUE_TAKING, QUEUE_RUNNING,
			 QUEUE_RUNNING_AND_TAKING) == QUEUE_RUNNING;

	if (runs && interrupt)
		atomic_store(&queue->interrupted, 1);
	return runs;
}

bool queue_drop(struct queue *queue, void *task, uint64_t before)
{
	if (queue->taken >= before || !take_out(queue, task))
		return false;
	queue->dropped++;
	return true;
}

void queue_release(struct queue *queue, bool runs)
{
	uint64_t n = queue->dropped;

	if (runs) {
		atomic_store_explicit(&queue->inside, QUEUE_RUNNING,
				      memory_order_release);
		return;
	}
	queue->dropped = 0;
	atomic_store_explicit(&queue->inside, QUEUE_NOBODY, memory_order_release);
	if (n)
		tell_done(queue, n);
}

bool queue_is_interrupted(struct queue *queue)
{
	return atomic_load(&queue->interrupted);
}

/* Looks for as long as is set, not beyond @deadline; true: @found holds. */
static HOT bool queue_look(struct queue *queue,
			   bool (*found)(struct queue *queue, uint64_t arg), uint64_t arg,
			   int64_t deadline)
{
	uint32_t spin = atomic_load_explicit(&queue->spin, memory_order_relaxed);
	int i, looks = FIRST_LOOKS;
	int64_t until;

	if (found(queue, arg))
		return true;
	if (!spin)
		return false;
	/* Whoever is looked for may be waiting for this CPU: it goes first. */
	yield_cpu();
	if (found(queue, arg))
		return true;
	until = clock_now() + spin;
	if (until > deadline)
		until = deadline;
	do {
		for (i = 0; i < looks; i++) {
			relax();
			if (found(queue, arg))
				return true;
		}
		if (looks < LOOKS)
			looks *= 2;
		yield_cpu();
	} while (clock_now() < until);
	return found(queue, arg);
}

static HOT bool has_work(struct queue *queue, uint64_t unused)
{
	(void)unused;
	return queue_has_left(queue) || atomic_load(&queue->put) & QUEUE_STOPPED;
}

HOT bool queue_sleep(struct queue *queue)
{
	while (!queue_has_left(queue)) {
		/* Nothing comes any more, and what was there may be thrown away. */
		if (atomic_load(&queue->put) & QUEUE_STOPPED)
			return queue_has_left(queue);
		if (queue_look(queue, has_work, 0, NO_DEADLINE))
			continue;
		atomic_store(&queue->sleeping, 1);
		if (!has_work(queue, 0))
			sleep_on(&queue->sleeping, 1, NO_DEADLINE);
		atomic_store_explicit(&queue->sleeping, 0, memory_order_relaxed);
	}
	return true;
}

static HOT void wake_me_at(struct queue *queue, uint64_t count)
{
	uint64_t at = atomic_load(&queue->wake_at);

	while (count < at && !atomic_compare_exchange_weak(&queue->wake_at, &at, count))
		;
}

static HOT bool is_signalled(struct queue *queue, uint64_t seen)
{
	return atomic_load_explicit(&queue->signal, memory_order_acquire) != seen;
}

static uint32_t queue_ahead(struct queue *queue)
{
	return atomic_load_explicit(&queue->ahead, memory_order_relaxed);
}

static void set_ahead(struct queue *queue, uint32_t halves)
{
	if (halves > AHEAD_MAX)
		halves = AHEAD_MAX;
	if (halves)
		atomic_store_explicit(&queue->ahead, halves, memory_order_relaxed);
}

/*
 * Whoever sleeps is woken some tasks before the last one, so that the time that takes
 * is not lost: by as many as were done in half of the time for which it has looked, and
 * in twice of that each time it came too late, as a processor that idles takes long; in
 * a half less each time it then looked in vain.
 */
static uint64_t ahead_of(struct queue *queue, uint64_t count, uint64_t before)
{
	uint64_t done = atomic_load(&queue->done);
	uint64_t ahead = (done - before) * queue_ahead(queue) / 2;

	return count > done + ahead ? count - ahead : count;
}

/*
 * Looks at the signal, not at the count: that lies where the worker writes with each
 * task, and would go back and forth between the two.
 */
HOT bool queue_wait(struct queue *queue, uint64_t count, int64_t deadline)
{
	bool in_time = true, looked = false, woken = false;
	uint64_t at = count, before;
	uint32_t looks = 0;

	while (in_time && !is_done(queue, count)) {
		uint32_t seen = atomic_load(&queue->signal);

		/* The last ones are worth looking for once more. */
		if (at < count && is_done(queue, at)) {
			at = count;
			looked = false;
			woken = true;
		}
		wake_me_at(queue, at);
		before = atomic_load(&queue->done);
		if (before >= at)
			continue;
		if (!looked) {
			if (queue_look(queue, is_signalled, seen, deadline))
				continue;
			if (woken)
				set_ahead(queue, queue_ahead(queue) - 1);
			else
				at = ahead_of(queue, count, before);
			/* With fewer left than that a sleep would last too long. */
			if (at == count && looks++ < queue_ahead(queue))
				continue;
			looked = true;
			if (at < count)
				continue;
		}
		atomic_fetch_add(&queue->sleepers, 1);
		in_time = sleep_on(&queue->signal, seen, deadline);
		atomic_fetch_sub(&queue->sleepers, 1);
		if (at < count && is_done(queue, count))
			set_ahead(queue, queue_ahead(queue) * 2);
	}
	return is_done(queue, count);
}

void queue_stop(struct queue *queue)
{
	atomic_fetch_or(&queue->put, QUEUE_STOPPED);
	atomic_store(&queue->sleeping, 0);
	wake_all(&queue->sleeping);
}
