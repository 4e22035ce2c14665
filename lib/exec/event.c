// SPDX-License-Identifier: MIT
#include "exec/event.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/base.h"
#include "backend/backend.h"
#include "ipc/ipc.h"
#include "exec/stream.h"

struct event {
	struct object object;
	struct event_state *state;
	struct event_state own;
	uint64_t mapped; /* bytes of a state in shared memory; 0: @own */
	int fd;		 /* of that memory */
	struct fd_id file;
	uint32_t flags;
	uint32_t device;
	_Atomic uint32_t id;	/* of its hardware event, from 1; 0: none yet */
	_Atomic uint32_t waits; /* of streams, not over */
	uint64_t offer;		/* 0: none */
	struct capture_mark *_Atomic mark; /* where in a capture; under event_marks */
};

struct event_task {
	struct task task;
	struct event *event;
	uint64_t number; /* the record that it makes, waits for or undoes */
	int64_t timeout_ms;
};

static struct object_table events = OBJECT_TABLE(OBJECT_EVENT);
static _Atomic uint32_t recorded[MAX_DEVICES];
static _Atomic uint32_t last_id;
static pthread_mutex_t event_marks = PTHREAD_MUTEX_INITIALIZER;

static void event_release(struct object *object)
{
	struct event *event = object_entry(object, struct event, object);

	if (atomic_load(&event->id))
		atomic_fetch_sub(&recorded[event->device], 1);
	if (event->offer)
		share_withdraw(event->offer);
	capture_mark_free(atomic_load(&event->mark));
	if (event->mapped) {
		va_unmap(event->state, event->mapped);
		fd_close(event->fd, &event->file);
	}
	free(event);
}

static int event_add(uint32_t device, uint32_t flags, struct event_state *state,
		     uint64_t size, int fd, uintptr_t *handle)
{
	struct event *event = calloc(1, sizeof(*event));
	int err;

	if (!event)
		goto no_heap;
	event->device = device;
	event->flags = flags;
	event->state = state ? state : &event->own;
	event->mapped = size;
	event->fd = fd;
	if (fd >= 0)
		fd_know(fd, &event->file);
	err = object_add(&events, &event->object, 0, event_release);
	if (err)
		goto free;
	*handle = event->object.handle;
	return ACLKM_OK;
free:
	free(event);
no_heap:
	return error_no_records();
}

int event_create(uint32_t device, uint32_t flags, uintptr_t *handle)
{
	return event_add(device, flags, NULL, 0, -1, handle);
}

int event_adopt(uint32_t device, uint32_t flags, struct event_state *state, uint64_t size,
		int fd, uintptr_t *handle)
{
	return event_add(device, flags, state, size, fd, handle);
}

static int event_not_alive(uintptr_t handle)
{
	return error_set(ACLKM_ERR_HANDLE,
			 "event = %p: never created, or destroyed already",
			 (void *)handle);
}

static int event_get(uintptr_t handle, struct event **out)
{
	struct object *object = object_get(&events, handle);

	if (!object)
		return event_not_alive(handle);
	*out = object_entry(object, struct event, object);
	return ACLKM_OK;
}

static void event_put(struct event *event)
{
	object_put(&event->object);
}

int event_file(uintptr_t handle, int *fd, uint64_t *number)
{
	struct event *event = NULL;
	int err = event_get(handle, &event);

	if (err)
		return err;
	if (!event->mapped)
		err = error_set(ACLKM_ERR_UNSUPPORTED,
				"event = %p: created without ACL_EVENT_IPC",
				(void *)handle);
	*number = event->offer;
	if (!err && !event->offer) {
		if (!fd_is(event->fd, &event->file))
			err = fd_lost(event->fd, "sharing an event");
		else
			*fd = fd_dup(event->fd);
		if (!err && *fd < 0)
			err = fd_refused("sharing an event");
	}
	event_put(event);
	return err;
}

int event_offered(uintptr_t handle, uint64_t number)
{
	struct event *event = NULL;
	int err = event_get(handle, &event);

	if (err)
		return err;
	event->offer = number;
	event_put(event);
	return ACLKM_OK;
}

int event_destroy(uintptr_t handle)
{
	struct object *object = object_remove(&events, handle);

	if (!object)
		return event_not_alive(handle);
	object_put(object);
	return ACLKM_OK;
}

/* The device's event behind the handle is taken with the first record. */
static int take_number(struct event *event)
{
	uint32_t none = 0;

	if (atomic_load(&event->id))
		return ACLKM_OK;
	if (atomic_fetch_add(&recorded[event->device], 1) >= EVENT_MAX) {
		atomic_fetch_sub(&recorded[event->device], 1);
		return error_set(ACLKM_ERR_LIMIT,
				 "%d events are recorded: the device has no more",
				 EVENT_MAX);
	}
	if (!atomic_compare_exchange_strong(&event->id, &none,
					    atomic_fetch_add(&last_id, 1) + 1))
		atomic_fetch_sub(&recorded[event->device], 1);
	return ACLKM_OK;
}

static void wake(struct event_state *state)
{
	atomic_fetch_add(&state->word, 1);
	if (atomic_load(&state->sleepers))
		word_change(&state->word);
}

static void raise_to(_Atomic uint64_t *value, uint64_t to)
{
	uint64_t now = atomic_load(value);

	while (now < to && !atomic_compare_exchange_weak(value, &now, to))
		;
}

static void complete(struct event_state *state, uint64_t number, int64_t time)
{
	if (number > atomic_load(&state->completed)) {
		atomic_store(&state->time, time);
		raise_to(&state->completed, number);
	}
	wake(state);
}

static int event_run_record(struct task *task)
{
	const struct event_task *record = (const struct event_task *)task;

	complete(record->event->state, record->number, clock_now());
	return ACLKM_OK;
}

/* A record that an abort has thrown away must not keep others waiting. */
static void drop_record(struct task *task)
{
	struct event_task *record = (struct event_task *)task;

	if (!task->ran)
		complete(record->event->state, record->number, 0);
	event_put(record->event);
}

static int event_submit(const struct event_task *task, uintptr_t stream)
{
	int err = stream_submit(stream, &task->task, sizeof(*task), WORKER_NOW);

	if (err)
		event_put(task->event);
	return err;
}

/* ----------------------------------------------------------------- in captures */

static void event_set_mark(struct event *event, struct capture_mark *mark)
{
	pthread_mutex_lock(&event_marks);
	capture_mark_free(atomic_exchange(&event->mark, mark));
	pthread_mutex_unlock(&event_marks);
}

/* Whether the last record was in a capture that goes on. */
static bool event_is_marked(struct event *event)
{
	bool marked;

	if (!capture_is_any() || !atomic_load(&event->mark))
		return false;
	pthread_mutex_lock(&event_marks);
	marked = capture_mark_lives(atomic_load(&event->mark));
	pthread_mutex_unlock(&event_marks);
	return marked;
}

static int event_refuse_marked(struct event *event)
{
	if (!event_is_marked(event))
		return ACLKM_OK;
	return error_set(CAPTURE_EVENT,
			 "event = %p: was recorded in a stream that is captured, so it "
			 "does not happen yet",
			 (void *)event->object.handle);
}

static void event_drop_node(struct task *task)
{
	event_put(((struct event_task *)task)->event);
}

/* A node of the graph, with a reference of the event. */
static int event_submit_node(const struct event_task *made, uintptr_t stream,
			     const char *what,
			     int (*resubmit)(const struct task *task, uintptr_t stream))
{
	const struct uses uses = {.what = what};
	struct event_task node = *made;
	int err;

	node.task.drop = event_drop_node;
	atomic_fetch_add(&node.event->object.users, 1);
	err = stream_submit_anew(stream, &node.task, sizeof(node), &uses, resubmit);
	if (err)
		event_put(node.event);
	return err;
}

/* ---------------------------------------------------------------------- records */

static int event_record_now(struct event *event, uintptr_t stream)
{
	struct event_task task = {.task = {.run = event_run_record, .drop = drop_record},
				  .event = event};
	int err = stream_check(stream);

	if (!err)
		err = take_number(event);
	if (err)
		return err;
	if (atomic_load_explicit(&event->mark, memory_order_relaxed))
		event_set_mark(event, NULL);
	task.number = atomic_fetch_add(&event->state->recorded, 1) + 1;
	/* The number is given away: whoever waits for it must not wait for ever. */
	atomic_fetch_add(&event->object.users, 1);
	err = event_submit(&task, stream);
	if (err)
		complete(event->state, task.number, 0);
	return err;
}

static int event_record_anew(const struct task *task, uintptr_t stream)
{
	return event_record_now(((const struct event_task *)task)->event, stream);
}

/* *@done: the stream is captured. */
static int event_record_captured(struct event *event, uintptr_t stream, bool external,
				 bool *done)
{
	const struct event_task node = {.task = {.run = event_run_record},
					.event = event};
	struct capture_stream view;
	struct capture_mark *mark = NULL;
	int err = stream_capture_get(stream, &view);

	if (err)
		return err;
	*done = capture_is_on(view.point);
	if (*done && !external)
		err = capture_mark(&view, &mark);
	stream_capture_put(&view);
	if (*done && external)
		return event_submit_node(&node, stream, "event record",
					 event_record_anew);
	if (mark)
		event_set_mark(event, mark);
	return err;
}

static bool event_is_external(const struct event *event, bool external)
{
	return external || event->flags & EVENT_EXTERNAL;
}

int event_record(uintptr_t handle, uintptr_t stream, bool external)
{
	struct event *event = NULL;
	bool captured = false;
	int err = event_get(handle, &event);

	if (err)
		return err;
	if (capture_is_any())
		err = event_record_captured(
			event, stream, event_is_external(event, external), &captured);
	if (!err && !captured)
		err = event_record_now(event, stream);
	event_put(event);
	return err;
}

static bool is_complete(const struct event_state *state, uint64_t number)
{
	return atomic_load(&state->completed) >= number;
}

static int event_run_wait(struct task *task)
{
	const struct event_task *wait = (const struct event_task *)task;
	struct event_state *state = wait->event->state;
	int64_t deadline = clock_deadline(wait->timeout_ms);
	int err = ACLKM_OK;
	uint32_t seen;

	atomic_fetch_add(&state->sleepers, 1);
	for (;;) {
		seen = atomic_load(&state->word);
		if (is_complete(state, wait->number) || err)
			break;
		err = worker_sleep(task->worker, &state->word, seen, deadline);
	}
	atomic_fetch_sub(&state->sleepers, 1);
	return err == ACLKM_ERR_TIMEOUT ? ACLKM_ERR_TASK : ACLKM_OK;
}

static void drop_wait(struct task *task)
{
	struct event_task *wait = (struct event_task *)task;

	atomic_fetch_sub(&wait->event->waits, 1);
	event_put(wait->event);
}

static int event_wait_now(struct event *event, uintptr_t stream, int64_t timeout_ms)
{
	struct event_task task = {.task = {.run = event_run_wait, .drop = drop_wait},
				  .event = event,
				  .timeout_ms = timeout_ms};
	unsigned int flags = 0;
	int err;

	atomic_fetch_add(&event->object.users, 1);
	task.number = atomic_load(&task.event->state->recorded);
	/* A wait that is over already does not wake the stream's thread. */
	if (is_complete(task.event->state, task.number))
		flags = WORKER_NOW;
	atomic_fetch_add(&task.event->waits, 1);
	err = stream_submit(stream, &task.task, sizeof(task), flags);
	if (err)
		drop_wait(&task.task);
	return err;
}

static int event_wait_anew(const struct task *task, uintptr_t stream)
{
	const struct event_task *node = (const struct event_task *)task;

	return event_wait_now(node->event, stream, node->timeout_ms);
}

/* *@done: the stream is captured, maybe from here on. */
static int event_wait_captured(struct event *event, uintptr_t stream, int64_t timeout_ms,
			       bool external, bool *done)
{
	const struct event_task node = {.task = {.run = event_run_wait},
					.event = event,
					.timeout_ms = timeout_ms};
	struct capture_stream view;
	bool marked;
	int err = stream_capture_get(stream, &view);

	if (err)
		return err;
	pthread_mutex_lock(&event_marks);
	marked = capture_mark_lives(atomic_load(&event->mark));
	*done = capture_is_on(view.point) || (marked && !external);
	if (*done && !external)
		err = capture_wait(&view, marked ? atomic_load(&event->mark) : NULL);
	pthread_mutex_unlock(&event_marks);
	stream_capture_put(&view);
	if (*done && external)
		return event_submit_node(&node, stream, "event wait", event_wait_anew);
	return err;
}

int event_wait(uintptr_t handle, uintptr_t stream, int64_t timeout_ms, bool external)
{
	struct event *event = NULL;
	bool captured = false;
	int err = event_get(handle, &event);

	if (err)
		return err;
	if (capture_is_any())
		err = event_wait_captured(event, stream, timeout_ms,
					  event_is_external(event, external), &captured);
	if (!err && !captured)
		err = event_wait_now(event, stream, timeout_ms);
	event_put(event);
	return err;
}

static int run_reset(struct task *task)
{
	const struct event_task *reset = (const struct event_task *)task;

	raise_to(&reset->event->state->reset, reset->number);
	return ACLKM_OK;
}

static int event_reset_now(struct event *event, uintptr_t stream)
{
	const struct event_task task = {
		.task = {.run = run_reset, .drop = event_drop_node},
		.event = event,
		.number = atomic_load(&event->state->recorded)};

	atomic_fetch_add(&event->object.users, 1);
	return event_submit(&task, stream);
}

static int event_reset_anew(const struct task *task, uintptr_t stream)
{
	return event_reset_now(((const struct event_task *)task)->event, stream);
}

/* An event of the capture happens anew in each run: there is nothing to reset. */
static int event_reset_captured(struct event *event, uintptr_t stream)
{
	const struct event_task node = {.task = {.run = run_reset}, .event = event};

	if (event_is_external(event, false))
		return event_submit_node(&node, stream, "event reset", event_reset_anew);
	if (event_is_marked(event))
		return ACLKM_OK;
	return error_set(CAPTURE_DEPENDENCY,
			 "stream = %p: is captured, and the event was not recorded in "
			 "the same capture",
			 (void *)stream);
}

int event_reset(uintptr_t handle, uintptr_t stream)
{
	struct event *event = NULL;
	int err = event_get(handle, &event);

	if (err)
		return err;
	if (event->flags & EVENT_NEW_MODE ||
	    (config_get()->strict && !(event->flags & EVENT_SYNC)))
		err = error_set(ACLKM_ERR_UNSUPPORTED,
				"event = %p: only events of aclrtCreateEventWithFlag("
				"ACL_EVENT_SYNC) can be reset",
				(void *)handle);
	else if (stream_is_captured(stream))
		err = event_reset_captured(event, stream);
	else
		err = event_reset_now(event, stream);
	event_put(event);
	return err;
}

int event_synchronize(uintptr_t handle, int64_t deadline)
{
	struct event_state *state;
	struct event *event = NULL;
	uint64_t number;
	bool in_time = true;
	uint32_t seen;
	int err = event_get(handle, &event);

	if (err)
		return err;
	state = event->state;
	number = atomic_load(&state->recorded);
	err = event_refuse_marked(event);
	if (!err && !is_complete(state, number))
		err = stream_may_wait();
	atomic_fetch_add(&state->sleepers, 1);
	while (!err) {
		seen = atomic_load(&state->word);
		if (is_complete(state, number))
			break;
		if (!in_time)
			err = error_set(ACLKM_ERR_TIMEOUT,
					"event = %p is not complete, and the time is up",
					(void *)handle);
		else
			in_time = word_wait(&state->word, seen, deadline);
	}
	atomic_fetch_sub(&state->sleepers, 1);
	event_put(event);
	return err;
}

int event_query(uintptr_t handle, struct event_status *out)
{
	struct event *event = NULL;
	uint64_t number, done;
	int err = event_get(handle, &event);

	if (err)
		return err;
	number = atomic_load(&event->state->recorded);
	done = atomic_load(&event->state->completed);
	*out = (struct event_status){
		.recorded = number,
		.complete = number && done >= number &&
			    atomic_load(&event->state->reset) < number,
		.waited = !atomic_load(&event->waits),
		.flags = event->flags,
		.id = atomic_load(&event->id),
	};
	if (out->complete && event->flags & EVENT_TIME_LINE)
		out->time = atomic_load(&event->state->time);
	out->captured = event_is_marked(event);
	event_put(event);
	return ACLKM_OK;
}

uint32_t event_available(uint32_t device)
{
	uint32_t count = atomic_load(&recorded[device]);

	return count < EVENT_MAX ? EVENT_MAX - count : 0;
}

/* One page with the state, in a file. */
static int event_map_file(int fd, struct event_state **state, uint64_t *size)
{
	void *addr;

	*size = va_page_size();
	addr = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (addr == MAP_FAILED)
		return error_set(ACLKM_ERR_NOMEM, "mapping an event: %s",
				 strerror(errno));
	*state = addr;
	return ACLKM_OK;
}

static int event_adopt_file(int fd, uint32_t device, uint32_t flags, uintptr_t *event)
{
	struct event_state *state = NULL;
	uint64_t size;
	int err = event_map_file(fd, &state, &size);

	if (err)
		return err;
	err = event_adopt(device, flags, state, size, fd, event);
	if (err)
		va_unmap(state, size);
	return err;
}

int event_create_shared(uint32_t device, uint32_t flags, uintptr_t *event)
{
	int err, fd = memfile_new("aclkm-event", va_page_size(), 0);

	if (fd < 0)
		return fd_refused("a file for an event");
	err = event_adopt_file(fd, device, flags, event);
	if (err)
		close(fd);
	return err;
}

/* One export at a time, so that an event has one offer. */
static pthread_mutex_t event_offers = PTHREAD_MUTEX_INITIALIZER;

int event_export(uintptr_t event, uint64_t *number)
{
	struct share_item item = {.kind = SHARE_EVENT};
	struct event_status status;
	int err = event_query(event, &status);

	if (err)
		return err;
	item.flags = status.flags;
	/* One offer for each event, however often it is asked for. */
	pthread_mutex_lock(&event_offers);
	err = event_file(event, &item.fd, number);
	if (!err && !*number) {
		err = share_offer_file(&item, true, number);
		if (!err) {
			err = event_offered(event, *number);
			if (err)
				share_withdraw(*number);
		}
	}
	pthread_mutex_unlock(&event_offers);
	return err;
}

int event_import(uint64_t number, uint32_t device, uintptr_t *event)
{
	struct share_item item;
	int err = share_fetch(number, SHARE_EVENT, &item);

	if (err)
		return err;
	err = event_adopt_file(item.fd, device, (uint32_t)item.flags, event);
	if (err)
		close(item.fd);
	return err;
}
