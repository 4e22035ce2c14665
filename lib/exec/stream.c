// SPDX-License-Identifier: MIT
#include "exec/stream.h"

#include <stdlib.h>
#include <string.h>

#include "exec/allocator.h"
#include "base/base.h"
#include "exec/context.h"

/*
 * Records are never given back, only used again, so that a handle is looked up
 * without a lock and a record that has just gone can still be read. Who counts itself
 * as a user of a record and then finds its handle there has the stream for certain.
 */
struct stream {
	/* Written by each who submits. */
	_Alignas(64) _Atomic uint64_t users;   /* one is the table's, while it lives */
	_Alignas(64) _Atomic uintptr_t handle; /* 0: none */
	_Atomic uintptr_t context;
	_Atomic uint32_t device;
	_Atomic bool dying; /* to be used again when nobody uses it */
	_Atomic bool end_told;
	uint32_t number;
	uint32_t generation;
	struct stream *next_free;
	pthread_mutex_t lock; /* of the attributes */
	struct stream_attributes attributes;
	struct capture_point point;
	struct worker worker;
};

/* Bits of a handle as those of object.h: type, generation, number + 1, four zeros. */
#define NUMBER_SHIFT 4
#define GENERATION_SHIFT 28
#define TYPE_SHIFT 56
#define NUMBER_MASK ((1ULL << (GENERATION_SHIFT - NUMBER_SHIFT)) - 1)
#define GENERATION_MASK ((1U << (TYPE_SHIFT - GENERATION_SHIFT)) - 1)

#define FIRST_BLOCK 16 /* records; each further block has twice as many */
#define BLOCKS 14      /* enough for STREAM_MAX of MAX_DEVICES */
_Static_assert(FIRST_BLOCK *((1UL << BLOCKS) - 1) >= 1UL * STREAM_MAX * MAX_DEVICES,
	       "records for all streams");

static struct stream *_Atomic blocks[BLOCKS];
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static struct stream *unused;	 /* under the lock */
static _Atomic uint32_t records; /* in the blocks there are */
static _Atomic uint32_t alive[MAX_DEVICES];

/* What other files of the room do at the end of a stream, and behind a wait for one. */
static void (*_Atomic at_end)(uintptr_t handle);
static void (*_Atomic at_wait)(void);

void stream_at_end(void (*fn)(uintptr_t handle))
{
	atomic_store(&at_end, fn);
}

void stream_at_wait(void (*fn)(void))
{
	atomic_store(&at_wait, fn);
}

static void call_at_end(uintptr_t handle)
{
	void (*fn)(uintptr_t) = atomic_load(&at_end);

	if (fn)
		fn(handle);
}

static HOT void call_at_wait(void)
{
	void (*fn)(void) = atomic_load_explicit(&at_wait, memory_order_acquire);

	if (fn)
		fn();
}

static HOT struct stream *record_at(uint32_t number)
{
	uint32_t at = number + FIRST_BLOCK;
	unsigned int block = 31 - (unsigned int)__builtin_clz(at / FIRST_BLOCK);
	struct stream *first;

	if (block >= BLOCKS)
		return NULL;
	first = atomic_load_explicit(&blocks[block], memory_order_acquire);
	return first ? &first[at - (FIRST_BLOCK << block)] : NULL;
}

static HOT struct stream *find(uintptr_t handle)
{
	uint64_t number = handle >> NUMBER_SHIFT & NUMBER_MASK;

	return number ? record_at((uint32_t)number - 1) : NULL;
}

static int add_block_locked(void)
{
	uint32_t count = atomic_load(&records), length = count + FIRST_BLOCK, i;
	unsigned int block = 31 - (unsigned int)__builtin_clz(length / FIRST_BLOCK);
	struct stream *streams = NULL;

	if (block < BLOCKS)
		streams = aligned_alloc(64, length * sizeof(*streams));
	if (!streams)
		return ACLKM_ERR_NOHEAP;
	memset(streams, 0, length * sizeof(*streams));
	for (i = length; i; i--) {
		streams[i - 1].number = count + i - 1;
		streams[i - 1].next_free = unused;
		unused = &streams[i - 1];
	}
	atomic_store_explicit(&blocks[block], streams, memory_order_release);
	atomic_store(&records, count + length);
	return ACLKM_OK;
}

static int stream_take_record(struct stream **out)
{
	int err = ACLKM_OK;

	pthread_mutex_lock(&table_lock);
	if (!unused)
		err = add_block_locked();
	if (!err) {
		*out = unused;
		unused = unused->next_free;
	}
	pthread_mutex_unlock(&table_lock);
	return err;
}

/* Nobody uses it. Those who come late count themselves in and out: once is enough. */
static void stream_release(struct stream *stream)
{
	bool dying = true;

	if (!atomic_compare_exchange_strong(&stream->dying, &dying, false))
		return;
	worker_destroy(&stream->worker);
	pthread_mutex_destroy(&stream->lock);
	pthread_mutex_lock(&table_lock);
	stream->next_free = unused;
	unused = stream;
	pthread_mutex_unlock(&table_lock);
}

static HOT void stream_put(struct stream *stream)
{
	if (atomic_fetch_sub(&stream->users, 1) == 1)
		stream_release(stream);
}

static HOT bool hold(struct stream *stream, uintptr_t handle)
{
	atomic_fetch_add(&stream->users, 1);
	if (atomic_load(&stream->handle) == handle)
		return true;
	stream_put(stream);
	return false;
}

static int no_room(int err)
{
	return error_set(err,
			 err == ACLKM_ERR_LIMIT
				 ? "%d streams live: the device has no more"
				 : "no memory for the library's own records",
			 STREAM_MAX);
}

int stream_create(uintptr_t context, uint32_t device, const struct stream_config *config,
		  uintptr_t *handle)
{
	static _Atomic int32_t last_id;
	struct stream *stream = NULL;
	int err = ACLKM_ERR_LIMIT;

	if (atomic_fetch_add(&alive[device], 1) < STREAM_MAX)
		err = stream_take_record(&stream);
	if (err) {
		atomic_fetch_sub(&alive[device], 1);
		return no_room(err);
	}
	atomic_fetch_add(&stream->users, 1);
	worker_init(&stream->worker);
	pthread_mutex_init(&stream->lock, NULL);
	atomic_store(&stream->context, context);
	atomic_store(&stream->device, device);
	stream->attributes = (struct stream_attributes){
		.flags = config->flags,
		.priority = config->priority,
		.id = atomic_fetch_add(&last_id, 1),
	};
	atomic_store(&stream->end_told, false);
	stream->generation = (stream->generation + 1) & GENERATION_MASK;
	*handle = (uintptr_t)OBJECT_STREAM << TYPE_SHIFT |
		  (uintptr_t)stream->generation << GENERATION_SHIFT |
		  (uintptr_t)(stream->number + 1) << NUMBER_SHIFT;
	atomic_store(&stream->handle, *handle);
	return ACLKM_OK;
}

uintptr_t stream_context(const struct worker *worker)
{
	const struct stream *stream =
		(const struct stream *)((const char *)worker -
					offsetof(struct stream, worker));

	return atomic_load(&stream->context);
}

static int stream_not_alive(uintptr_t handle)
{
	return error_set(ACLKM_ERR_HANDLE,
			 "stream = %p: never created, or destroyed already",
			 (void *)handle);
}

static int not_here(uintptr_t handle, uintptr_t context, uintptr_t here)
{
	return error_set(ACLKM_ERR_CONTEXT,
			 "stream = %p: belongs to context %p, this thread's is %p",
			 (void *)handle, (void *)context, (void *)here);
}

/* The record, if the stream lives now and is one of this thread's context. */
static HOT int look_up(uintptr_t handle, struct stream **out)
{
	struct stream *stream = find(handle);
	uintptr_t context, here = device_context();

	if (!stream)
		return stream_not_alive(handle);
	context = atomic_load_explicit(&stream->context, memory_order_relaxed);
	if (atomic_load(&stream->handle) != handle)
		return stream_not_alive(handle);
	if (here && context != here)
		return not_here(handle, context, here);
	*out = stream;
	return ACLKM_OK;
}

static HOT int stream_get_held(uintptr_t handle, struct stream **out)
{
	struct stream *stream = NULL;
	int err = look_up(handle, &stream);

	if (err)
		return err;
	if (!hold(stream, handle))
		return stream_not_alive(handle);
	*out = stream;
	return ACLKM_OK;
}

/* Of a record that may go at any time. */
static bool is_of(struct stream *stream, uintptr_t context)
{
	return atomic_load_explicit(&stream->context, memory_order_relaxed) == context;
}

struct worker *stream_try_enter(uintptr_t handle, uintptr_t context)
{
	struct stream *stream = find(handle);

	if (!stream || capture_is_on(&stream->point) ||
	    !worker_try_enter(&stream->worker))
		return NULL;
	/* Whoever destroys it first ends the handle, then waits for the worker. */
	if (atomic_load(&stream->handle) == handle && is_of(stream, context))
		return &stream->worker;
	worker_leave(&stream->worker);
	return NULL;
}

HOT bool stream_is_done(uintptr_t handle, uintptr_t context)
{
	struct stream *stream = find(handle);

	/* If it is the same stream after the look, all of it was done. */
	if (outcall_in_task || !stream || !is_of(stream, context) ||
	    capture_is_on(&stream->point) || !worker_is_done(&stream->worker) ||
	    atomic_load(&stream->handle) != handle)
		return false;
	call_at_wait();
	return true;
}

HOT int stream_may_wait(void)
{
	if (!outcall_in_task)
		return ACLKM_OK;
	return error_set(ACLKM_ERR_BUSY,
			 "called in a callback: the stream stands until the callback has "
			 "returned; callbacks must not wait, copy or launch");
}

static struct capture_stream capture_view(struct stream *stream, uintptr_t handle)
{
	return (struct capture_stream){.point = &stream->point,
				       .handle = handle,
				       .id = (uint32_t)stream->attributes.id};
}

static bool stream_capture(struct stream *stream, const struct submission *submission,
			   int *err)
{
	const struct capture_stream view = capture_view(stream, submission->stream);

	return capture_task(&view, submission, err);
}

static HOT int stream_put_task(const struct submission *submission)
{
	uintptr_t handle = submission->stream;
	struct stream *stream = NULL;
	int err = stream_get_held(handle, &stream);

	if (err)
		return err;
	if (capture_is_on(&stream->point) && stream_capture(stream, submission, &err))
		goto put;
	err = worker_submit(&stream->worker, submission);
	if (err == ACLKM_ERR_HANDLE)
		stream_not_alive(handle);
	else if (err)
		error_set(err, "stream = %p: %s", (void *)handle, aclkm_strerror(err));
put:
	stream_put(stream);
	return err;
}

HOT int stream_submit_using(uintptr_t handle, const struct task *task, size_t size,
			    unsigned int flags, const struct uses *uses)
{
	const struct submission submission = {task, size, flags, uses, handle, NULL};

	return stream_put_task(&submission);
}

int stream_submit_anew(uintptr_t handle, const struct task *task, size_t size,
		       const struct uses *uses,
		       int (*resubmit)(const struct task *task, uintptr_t stream))
{
	const struct submission submission = {task, size, 0, uses, handle, resubmit};

	return stream_put_task(&submission);
}

int stream_capture_get(uintptr_t handle, struct capture_stream *out)
{
	struct stream *stream = NULL;
	int err = stream_get_held(handle, &stream);

	if (!err)
		*out = capture_view(stream, handle);
	return err;
}

void stream_capture_put(const struct capture_stream *view)
{
	stream_put(
		(struct stream *)((char *)view->point - offsetof(struct stream, point)));
}

bool stream_is_captured(uintptr_t handle)
{
	struct stream *stream = capture_is_any() ? find(handle) : NULL;

	return stream && atomic_load(&stream->handle) == handle &&
	       capture_is_on(&stream->point);
}

/* What waits for a stream, or asks how far it is. */
static int stream_refuse_captured(struct stream *stream, uintptr_t handle)
{
	if (!capture_is_on(&stream->point))
		return ACLKM_OK;
	return error_set(CAPTURE_STREAM,
			 "stream = %p: is captured, so its tasks do not run",
			 (void *)handle);
}

HOT int stream_submit(uintptr_t handle, const struct task *task, size_t size,
		      unsigned int flags)
{
	return stream_submit_using(handle, task, size, flags, NULL);
}

static int explain(int err, uintptr_t handle)
{
	if (err)
		error_set(err, "stream = %p: %s", (void *)handle, aclkm_strerror(err));
	return err;
}

HOT int stream_wait(uintptr_t handle, int64_t deadline)
{
	struct stream *stream = NULL;
	int err = stream_may_wait();

	if (!err)
		err = stream_get_held(handle, &stream);
	if (err)
		return err;
	err = stream_refuse_captured(stream, handle);
	if (err) {
		stream_put(stream);
		return err;
	}
	err = worker_wait(&stream->worker, deadline);
	stream_put(stream);
	call_at_wait();
	return explain(err, handle);
}

int stream_query(uintptr_t handle, bool *idle)
{
	struct stream *stream = NULL;
	int err = stream_get_held(handle, &stream);

	if (err)
		return err;
	err = stream_refuse_captured(stream, handle);
	*idle = worker_is_idle(&stream->worker);
	stream_put(stream);
	return err;
}

int stream_check(uintptr_t handle)
{
	struct stream *stream = NULL;

	return look_up(handle, &stream);
}

int stream_abort(uintptr_t handle, bool queued)
{
	struct stream *stream = NULL;
	int err = stream_get_held(handle, &stream);

	if (err)
		return err;
	err = stream_refuse_captured(stream, handle);
	if (!err)
		worker_abort(&stream->worker, queued);
	stream_put(stream);
	return err;
}

int stream_get(uintptr_t handle, struct stream_attributes *out)
{
	struct stream *stream = NULL;
	int err = stream_get_held(handle, &stream);

	if (err)
		return err;
	pthread_mutex_lock(&stream->lock);
	*out = stream->attributes;
	pthread_mutex_unlock(&stream->lock);
	stream_put(stream);
	return ACLKM_OK;
}

int stream_change(uintptr_t handle,
		  int (*change)(struct stream_attributes *at, void *arg), void *arg)
{
	struct stream *stream = NULL;
	int err = stream_get_held(handle, &stream);

	if (err)
		return err;
	pthread_mutex_lock(&stream->lock);
	err = change(&stream->attributes, arg);
	worker_set_failure_mode(&stream->worker, stream->attributes.failure_mode);
	pthread_mutex_unlock(&stream->lock);
	stream_put(stream);
	return err;
}

static void stream_drain(struct stream *stream, uintptr_t handle, bool force)
{
	const struct capture_stream view = capture_view(stream, handle);

	capture_stream_ends(&view);
	if (force)
		worker_abort(&stream->worker, true);
	/* A callback that nobody processes any more must not hold up the end. */
	call_at_end(handle);
	allocator_stream_ends(handle);
	worker_stop(&stream->worker);
	atomic_store(&stream->dying, true);
	stream_put(stream);
}

/* Ends the handle; the table's use of the record goes to the caller. */
static bool remove_stream(struct stream *stream, uintptr_t handle)
{
	uint32_t device = atomic_load(&stream->device);

	if (!atomic_compare_exchange_strong(&stream->handle, &handle, 0))
		return false;
	atomic_fetch_sub(&alive[device], 1);
	return true;
}

static void (*_Atomic watch)(uintptr_t handle, bool created);

void stream_watch(void (*watcher)(uintptr_t handle, bool created))
{
	atomic_store(&watch, watcher);
}

void stream_tell_created(uintptr_t handle)
{
	void (*watcher)(uintptr_t, bool) = atomic_load(&watch);

	if (watcher)
		watcher(handle, true);
}

static void (*_Atomic watch_failures)(const struct stream_failure *failure);

static void stream_tell_failure(struct worker *worker, int err, uint64_t number)
{
	struct stream *stream =
		(struct stream *)((char *)worker - offsetof(struct stream, worker));
	const struct stream_failure failure = {.device = atomic_load(&stream->device),
					       .stream_id = stream->attributes.id,
					       .task = number,
					       .err = err};

	atomic_load (&watch_failures)(&failure);
}

void stream_watch_failures(void (*watcher)(const struct stream_failure *failure))
{
	atomic_store(&watch_failures, watcher);
	atomic_store(&worker_on_failure, stream_tell_failure);
}

struct end {
	void (*watcher)(uintptr_t handle, bool created);
	uintptr_t handle;
};

static void call_watcher(void *arg)
{
	const struct end *end = arg;

	end->watcher(end->handle, false);
}

/* The watcher has thrown: the caller, which holds the stream, does not go on. */
static void unhold(void *stream)
{
	stream_put(stream);
}

/* Once, also when the watcher destroys the stream. */
static void tell_end(struct stream *stream, uintptr_t handle)
{
	struct end end = {atomic_load(&watch), handle};

	if (end.watcher && !atomic_exchange(&stream->end_told, true))
		outcall(call_watcher, &end, unhold, stream);
}

/* A stream that is held. */
static bool end_stream(struct stream *stream, uintptr_t handle, bool force)
{
	tell_end(stream, handle);
	if (!remove_stream(stream, handle))
		return false;
	stream_drain(stream, handle, force);
	return true;
}

int stream_destroy(uintptr_t handle, bool force)
{
	struct stream *stream = find(handle);
	int err = stream_may_wait();
	bool ended;

	if (err)
		return err;
	if (!stream || !handle || !hold(stream, handle))
		return stream_not_alive(handle);
	ended = end_stream(stream, handle, force);
	stream_put(stream);
	return ended ? ACLKM_OK : stream_not_alive(handle);
}

uint32_t stream_available(uint32_t device)
{
	uint32_t count = atomic_load(&alive[device]);

	return count < STREAM_MAX ? STREAM_MAX - count : 0;
}

/* The first living one from record *@at on, held; *@at goes behind it. */
static struct stream *next_stream(uint32_t *at, uintptr_t *handle)
{
	struct stream *stream;

	while (*at < atomic_load(&records)) {
		stream = record_at((*at)++);
		*handle = atomic_load(&stream->handle);
		if (*handle && hold(stream, *handle))
			return stream;
	}
	return NULL;
}

int stream_wait_device(uint32_t device, int64_t deadline)
{
	struct stream *stream;
	int err, first = stream_may_wait();
	uintptr_t handle;
	uint32_t at = 0;

	if (first)
		return first;
	while ((stream = next_stream(&at, &handle))) {
		if (atomic_load(&stream->device) == device) {
			err = stream_refuse_captured(stream, handle);
			if (!err)
				err = explain(worker_wait(&stream->worker, deadline),
					      handle);
			if (err && !first)
				first = err;
		}
		stream_put(stream);
	}
	call_at_wait();
	return first;
}

void stream_abort_device(uint32_t device)
{
	struct stream *stream;
	uintptr_t handle;
	uint32_t at = 0;

	while ((stream = next_stream(&at, &handle))) {
		if (atomic_load(&stream->device) == device)
			worker_abort(&stream->worker, true);
		stream_put(stream);
	}
}

void stream_destroy_context(uintptr_t context)
{
	struct stream *stream;
	uintptr_t handle;
	uint32_t at = 0;

	while ((stream = next_stream(&at, &handle))) {
		if (atomic_load(&stream->context) == context)
			end_stream(stream, handle, false);
		stream_put(stream);
	}
}
