// SPDX-License-Identifier: MIT
#include "exec/callback.h"

#include <pthread.h>
#include <stdlib.h>

#include "exec/context.h"
#include "base/base.h"
#include "exec/stream.h"

/* A stream and its thread. Tasks hold it too, so that it may end before them. */
struct subscription {
	struct subscription *next;
	uint64_t thread;
	uintptr_t stream;
	uint32_t users;
	bool ended;
};

/* A callback that waits for its thread, or runs in it. */
struct record {
	struct record *next;
	struct subscription *subscription;
	void (*fn)(void *data);
	void *data;
	uint32_t users; /* the queue or the thread; the stream if it stands */
	bool over;	/* has run, or never will */
	_Atomic uint32_t word;
};

struct launch {
	struct task task;
	struct subscription *subscription;
	void (*fn)(void *data);
	bool block;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct subscription *subscriptions;
static struct record *queue, **queue_tail = &queue;
static _Atomic uint32_t nr_subscriptions; /* changed under the lock */
static _Atomic uint32_t news; /* a record was queued, a subscription came or went */

static struct subscription *callback_find_locked(uintptr_t stream)
{
	struct subscription *at = subscriptions;

	while (at && at->stream != stream)
		at = at->next;
	return at;
}

static void put_subscription_locked(struct subscription *subscription)
{
	if (!--subscription->users)
		free(subscription);
}

static void put_record_locked(struct record *record)
{
	if (--record->users)
		return;
	put_subscription_locked(record->subscription);
	free(record);
}

static void finish_record_locked(struct record *record)
{
	record->over = true;
	word_change(&record->word);
	put_record_locked(record);
}

/* Takes the records of @subscription out of the queue; they never run. */
static void discard_locked(const struct subscription *subscription)
{
	struct record **at = &queue, *record;

	while ((record = *at)) {
		if (record->subscription != subscription) {
			at = &record->next;
			continue;
		}
		*at = record->next;
		finish_record_locked(record);
	}
	queue_tail = at;
}

static void callback_end_locked(struct subscription *subscription)
{
	struct subscription **at = &subscriptions;

	while (*at != subscription)
		at = &(*at)->next;
	*at = subscription->next;
	atomic_fetch_sub(&nr_subscriptions, 1);
	subscription->ended = true;
	discard_locked(subscription);
	put_subscription_locked(subscription);
}

static void callback_stream_ends(uintptr_t stream)
{
	struct subscription *subscription;

	if (!atomic_load(&nr_subscriptions))
		return;
	pthread_mutex_lock(&lock);
	subscription = callback_find_locked(stream);
	if (subscription)
		callback_end_locked(subscription);
	pthread_mutex_unlock(&lock);
	if (subscription)
		word_change(&news);
}

/* False: the stream has one. */
static bool add_subscription(struct subscription *subscription)
{
	bool first;

	pthread_mutex_lock(&lock);
	first = !callback_find_locked(subscription->stream);
	if (first) {
		subscription->next = subscriptions;
		subscriptions = subscription;
		atomic_fetch_add(&nr_subscriptions, 1);
	}
	pthread_mutex_unlock(&lock);
	return first;
}

int callback_subscribe(uint64_t thread, uintptr_t stream)
{
	struct subscription *subscription;
	int err = stream_check(stream);

	if (err)
		return err;
	subscription = calloc(1, sizeof(*subscription));
	if (!subscription)
		return error_no_records();
	*subscription =
		(struct subscription){.thread = thread, .stream = stream, .users = 1};
	stream_at_end(callback_stream_ends);
	if (!add_subscription(subscription)) {
		free(subscription);
		return error_set(ACLKM_ERR_EXISTS,
				 "stream = %p has a thread already: one is all",
				 (void *)stream);
	}
	word_change(&news);
	return ACLKM_OK;
}

int callback_unsubscribe(uint64_t thread, uintptr_t stream)
{
	struct subscription *subscription;
	int err = ACLKM_OK;

	pthread_mutex_lock(&lock);
	subscription = callback_find_locked(stream);
	if (!subscription)
		err = ACLKM_ERR_FOREIGN;
	else if (subscription->thread != thread)
		err = ACLKM_ERR_KIND;
	else
		callback_end_locked(subscription);
	pthread_mutex_unlock(&lock);
	if (err == ACLKM_ERR_FOREIGN)
		return error_set(err, "stream = %p is not subscribed", (void *)stream);
	if (err)
		return error_set(err, "stream = %p is subscribed to another thread",
				 (void *)stream);
	word_change(&news);
	return ACLKM_OK;
}

/* Queues the callback. NULL: nobody will run it. */
static struct record *queue_record(const struct launch *launch)
{
	struct record *record = calloc(1, sizeof(*record));

	if (!record)
		return NULL;
	pthread_mutex_lock(&lock);
	if (launch->subscription->ended) {
		free(record);
		record = NULL;
	} else {
		record->subscription = launch->subscription;
		record->subscription->users++;
		record->fn = launch->fn;
		record->data = launch->task.dst;
		record->users = 2;
		*queue_tail = record;
		queue_tail = &record->next;
	}
	pthread_mutex_unlock(&lock);
	if (record)
		word_change(&news);
	return record;
}

static bool is_over(struct record *record)
{
	bool over;

	pthread_mutex_lock(&lock);
	over = record->over;
	pthread_mutex_unlock(&lock);
	return over;
}

static int callback_run_launch(struct task *task)
{
	const struct launch *launch = (const struct launch *)task;
	struct record *record = queue_record(launch);
	int err = ACLKM_OK;
	uint32_t seen;

	if (!record)
		return ACLKM_OK;
	while (launch->block && !err) {
		seen = atomic_load(&record->word);
		if (is_over(record))
			break;
		err = worker_sleep(task->worker, &record->word, seen, NO_DEADLINE);
	}
	pthread_mutex_lock(&lock);
	put_record_locked(record);
	pthread_mutex_unlock(&lock);
	return ACLKM_OK;
}

static void callback_drop_launch(struct task *task)
{
	struct launch *launch = (struct launch *)task;

	pthread_mutex_lock(&lock);
	put_subscription_locked(launch->subscription);
	pthread_mutex_unlock(&lock);
}

int callback_launch(void (*fn)(void *data), void *data, bool block, uintptr_t stream)
{
	struct launch launch = {
		.task = {.run = callback_run_launch, .drop = callback_drop_launch},
		.fn = fn,
		.block = block};
	int err = stream_check(stream);

	if (err)
		return err;
	launch.task.dst = data;
	pthread_mutex_lock(&lock);
	launch.subscription = callback_find_locked(stream);
	if (launch.subscription)
		launch.subscription->users++;
	pthread_mutex_unlock(&lock);
	if (!launch.subscription)
		return error_set(ACLKM_ERR_FOREIGN,
				 "stream = %p has no thread for callbacks: call "
				 "aclrtSubscribeReport first",
				 (void *)stream);
	err = stream_submit(stream, &launch.task, sizeof(launch), 0);
	if (err)
		callback_drop_launch(&launch.task);
	return err;
}

/* The next record of this thread, out of the queue. */
static struct record *callback_take_record(uint64_t me, bool *subscribed)
{
	const struct subscription *subscription;
	struct record **at = &queue, *record;

	pthread_mutex_lock(&lock);
	for (subscription = subscriptions; subscription;
	     subscription = subscription->next)
		*subscribed |= subscription->thread == me;
	while ((record = *at) && record->subscription->thread != me)
		at = &record->next;
	if (record) {
		*at = record->next;
		if (!record->next)
			queue_tail = at;
	}
	pthread_mutex_unlock(&lock);
	return record;
}

static void end_record(void *arg)
{
	outcall_in_task--;
	pthread_mutex_lock(&lock);
	finish_record_locked(arg);
	pthread_mutex_unlock(&lock);
}

static void callback_run_record(struct record *record)
{
	outcall_in_task++;
	outcall(record->fn, record->data, end_record, record);
	end_record(record);
}

int callback_process(int64_t deadline)
{
	uint64_t me = (uint64_t)pthread_self();
	struct record *record;
	bool subscribed, was = false;
	uint32_t seen;

	for (;;) {
		seen = atomic_load(&news);
		subscribed = false;
		record = callback_take_record(me, &subscribed);
		if (record) {
			callback_run_record(record);
			return ACLKM_OK;
		}
		/* The last subscription has ended while this thread waited. */
		if (was && !subscribed)
			return error_set(
				ACLKM_ERR_FOREIGN,
				"no stream is subscribed to this thread any more");
		was = subscribed;
		if (!word_wait(&news, seen, deadline))
			break;
	}
	if (!was)
		return error_set(ACLKM_ERR_FOREIGN,
				 "no stream is subscribed to this thread");
	return error_set(ACLKM_ERR_TIMEOUT, "no callback came in that time");
}

/* In a task that shares a line with the queue's links. */
static HOT int run_host(struct task *task)
{
	/* The function works with the stream's context until it sets another. */
	if (!device_mine.context)
		device_lend(stream_context(task->worker));
	worker_call(task, (void (*)(void *))(uintptr_t)task->src, task->dst);
	return ACLKM_OK;
}

HOT int callback_host(void (*fn)(void *data), void *data, uintptr_t stream)
{
	const struct task task = {
		.run = run_host, .dst = data, .src = (const void *)(uintptr_t)fn};
	static const struct uses uses = {.what = "host function"};

	return stream_submit_using(stream, &task, offsetof(struct task, value), 0, &uses);
}
