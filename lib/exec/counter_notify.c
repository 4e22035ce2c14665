// SPDX-License-Identifier: MIT
#include "exec/counter_notify.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/base.h"
#include "exec/stream.h"

struct counter_notify {
	struct object object;
	pthread_mutex_t lock;
	uint32_t number; /* under the lock */
	_Atomic uint32_t word;
};

struct counter_task {
	struct task task;
	struct counter_notify *counter;
	int64_t timeout_ms;
	uint32_t what; /* enum counter_change or counter_rule */
	uint32_t value;
	bool clear;
};

static struct object_table counters = OBJECT_TABLE(OBJECT_COUNTER);

static void counter_release(struct object *object)
{
	struct counter_notify *counter =
		object_entry(object, struct counter_notify, object);

	pthread_mutex_destroy(&counter->lock);
	free(counter);
}

int counter_create(uintptr_t *handle)
{
	struct counter_notify *counter = calloc(1, sizeof(*counter));

	if (!counter)
		goto no_heap;
	pthread_mutex_init(&counter->lock, NULL);
	if (object_add(&counters, &counter->object, 0, counter_release))
		goto free;
	*handle = counter->object.handle;
	return ACLKM_OK;
free:
	pthread_mutex_destroy(&counter->lock);
	free(counter);
no_heap:
	return error_no_records();
}

static int counter_not_alive(uintptr_t handle)
{
	return error_set(ACLKM_ERR_HANDLE,
			 "cntNotify = %p: never created, or destroyed already",
			 (void *)handle);
}

int counter_destroy(uintptr_t handle)
{
	struct object *object = object_remove(&counters, handle);

	if (!object)
		return counter_not_alive(handle);
	object_put(object);
	return ACLKM_OK;
}

int counter_id(uintptr_t handle, uint32_t *id)
{
	struct object *object = object_get(&counters, handle);

	if (!object)
		return counter_not_alive(handle);
	*id = object_number(handle);
	object_put(object);
	return ACLKM_OK;
}

static uint32_t changed(uint32_t number, const struct counter_task *task)
{
	switch ((enum counter_change)task->what) {
	case COUNTER_ADD:
		return number + task->value;
	case COUNTER_OR:
		return number | task->value;
	case COUNTER_AND:
		return number & task->value;
	default:
		return task->value;
	}
}

static bool holds(uint32_t number, const struct counter_task *task)
{
	switch ((enum counter_rule)task->what) {
	case COUNTER_LESS:
		return number < task->value;
	case COUNTER_EQUAL:
		return number == task->value;
	case COUNTER_MORE:
		return number > task->value;
	case COUNTER_AT_LEAST:
		return number >= task->value;
	default:
		return (number & task->value) == task->value;
	}
}

static void set_locked(struct counter_notify *counter, uint32_t number)
{
	counter->number = number;
	word_change(&counter->word);
}

static int counter_run_record(struct task *task)
{
	const struct counter_task *record = (const struct counter_task *)task;
	struct counter_notify *counter = record->counter;

	pthread_mutex_lock(&counter->lock);
	set_locked(counter, changed(counter->number, record));
	pthread_mutex_unlock(&counter->lock);
	return ACLKM_OK;
}

/* Whether the rule holds; else which word changes when the number does. */
static bool counter_take(const struct counter_task *wait, uint32_t *seen)
{
	struct counter_notify *counter = wait->counter;
	bool taken;

	pthread_mutex_lock(&counter->lock);
	*seen = atomic_load(&counter->word);
	taken = holds(counter->number, wait);
	if (taken && wait->clear)
		set_locked(counter, 0);
	pthread_mutex_unlock(&counter->lock);
	return taken;
}

static int counter_run_wait(struct task *task)
{
	const struct counter_task *wait = (const struct counter_task *)task;
	int64_t deadline = clock_deadline(wait->timeout_ms);
	int err = ACLKM_OK;
	uint32_t seen;

	while (!counter_take(wait, &seen) && !err)
		err = worker_sleep(task->worker, &wait->counter->word, seen, deadline);
	return err == ACLKM_ERR_TIMEOUT ? ACLKM_ERR_TASK : ACLKM_OK;
}

static void counter_drop(struct task *task)
{
	object_put(&((struct counter_task *)task)->counter->object);
}

static int counter_submit(uintptr_t handle, uintptr_t stream, struct counter_task *task,
			  unsigned int flags)
{
	struct object *object = object_get(&counters, handle);
	int err;

	if (!object)
		return counter_not_alive(handle);
	task->counter = object_entry(object, struct counter_notify, object);
	task->task.drop = counter_drop;
	err = stream_submit(stream, &task->task, sizeof(*task), flags);
	if (err)
		object_put(object);
	return err;
}

int counter_record(uintptr_t handle, uintptr_t stream, enum counter_change change,
		   uint32_t value)
{
	struct counter_task task = {
		.task = {.run = counter_run_record}, .what = change, .value = value};

	return counter_submit(handle, stream, &task, WORKER_NOW);
}

int counter_wait(uintptr_t handle, uintptr_t stream, enum counter_rule rule,
		 uint32_t value, int64_t timeout_ms, bool clear)
{
	struct counter_task task = {.task = {.run = counter_run_wait},
				    .timeout_ms = timeout_ms,
				    .what = rule,
				    .value = value,
				    .clear = clear};

	return counter_submit(handle, stream, &task, 0);
}
