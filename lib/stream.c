// SPDX-License-Identifier: MIT
#include "stream.h"

#include <stdlib.h>

#include "allocator.h"
#include "callback.h"
#include "config.h"
#include "device.h"
#include "error.h"
#include "mempool.h"
#include "object.h"

struct stream {
	struct object object;
	struct worker worker;
	uintptr_t context;
	uint32_t device;
	pthread_mutex_t lock; /* of the attributes */
	struct stream_attributes attributes;
};

static struct object_table streams = OBJECT_TABLE(OBJECT_STREAM);
static _Atomic uint32_t alive[MAX_DEVICES];

static void release(struct object *object)
{
	struct stream *stream = object_entry(object, struct stream, object);

	worker_destroy(&stream->worker);
	pthread_mutex_destroy(&stream->lock);
	free(stream);
}

static int add(struct stream *stream)
{
	uint32_t count = atomic_fetch_add(&alive[stream->device], 1);
	int err = ACLKM_ERR_LIMIT;

	if (count < STREAM_MAX)
		err = object_add(&streams, &stream->object, 0, release);
	if (err)
		atomic_fetch_sub(&alive[stream->device], 1);
	return err;
}

int stream_create(uintptr_t context, uint32_t device, const struct stream_config *config,
		  uintptr_t *handle)
{
	static _Atomic int32_t last_id;
	struct stream *stream = calloc(1, sizeof(*stream));
	int err;

	if (!stream)
		return error_set(ACLKM_ERR_NOHEAP,
				 "no memory for the library's own records");
	worker_init(&stream->worker);
	pthread_mutex_init(&stream->lock, NULL);
	stream->context = context;
	stream->device = device;
	stream->attributes.flags = config->flags;
	stream->attributes.priority = config->priority;
	stream->attributes.id = atomic_fetch_add(&last_id, 1);
	err = add(stream);
	if (err) {
		release(&stream->object);
		return error_set(err, "%d streams live: the device has no more",
				 STREAM_MAX);
	}
	*handle = stream->object.handle;
	return ACLKM_OK;
}

static int not_alive(uintptr_t handle)
{
	return error_set(ACLKM_ERR_HANDLE,
			 "stream = %p: never created, or destroyed already",
			 (void *)handle);
}

static int get(uintptr_t handle, struct stream **out)
{
	struct object *object = object_get(&streams, handle);
	uintptr_t here = device_context();
	struct stream *stream = NULL;

	if (!object)
		return not_alive(handle);
	stream = object_entry(object, struct stream, object);
	if (here && stream->context != here) {
		object_put(object);
		return error_set(
			ACLKM_ERR_CONTEXT,
			"stream = %p: belongs to context %p, this thread's is %p",
			(void *)handle, (void *)stream->context, (void *)here);
	}
	*out = stream;
	return ACLKM_OK;
}

static void put(struct stream *stream)
{
	object_put(&stream->object);
}

int stream_may_wait(void)
{
	if (!worker_in_task)
		return ACLKM_OK;
	return error_set(ACLKM_ERR_BUSY,
			 "called in a callback: it would wait for itself; callbacks must "
			 "not synchronise");
}

int stream_submit(uintptr_t handle, const struct task *task, size_t size,
		  unsigned int flags)
{
	struct stream *stream = NULL;
	int err = get(handle, &stream);

	if (err)
		return err;
	err = worker_submit(&stream->worker, task, size, flags);
	if (err == ACLKM_ERR_HANDLE)
		not_alive(handle);
	else if (err)
		error_set(err, "stream = %p: %s", (void *)handle, aclkm_strerror(err));
	put(stream);
	return err;
}

static int explain(int err, uintptr_t handle)
{
	if (err)
		error_set(err, "stream = %p: %s", (void *)handle, aclkm_strerror(err));
	return err;
}

int stream_wait(uintptr_t handle, int64_t deadline)
{
	struct stream *stream = NULL;
	int err = stream_may_wait();

	if (!err)
		err = get(handle, &stream);
	if (err)
		return err;
	err = worker_wait(&stream->worker, deadline);
	put(stream);
	mempool_synchronized();
	return explain(err, handle);
}

int stream_query(uintptr_t handle, bool *idle)
{
	struct stream *stream = NULL;
	int err = get(handle, &stream);

	if (err)
		return err;
	*idle = worker_is_idle(&stream->worker);
	put(stream);
	return ACLKM_OK;
}

int stream_check(uintptr_t handle)
{
	struct stream *stream = NULL;
	int err = get(handle, &stream);

	if (!err)
		put(stream);
	return err;
}

int stream_abort(uintptr_t handle, bool queued)
{
	struct stream *stream = NULL;
	int err = get(handle, &stream);

	if (err)
		return err;
	worker_abort(&stream->worker, queued);
	put(stream);
	return ACLKM_OK;
}

int stream_get(uintptr_t handle, struct stream_attributes *out)
{
	struct stream *stream = NULL;
	int err = get(handle, &stream);

	if (err)
		return err;
	pthread_mutex_lock(&stream->lock);
	*out = stream->attributes;
	pthread_mutex_unlock(&stream->lock);
	put(stream);
	return ACLKM_OK;
}

int stream_change(uintptr_t handle,
		  int (*change)(struct stream_attributes *at, void *arg), void *arg)
{
	struct stream *stream = NULL;
	int err = get(handle, &stream);

	if (err)
		return err;
	pthread_mutex_lock(&stream->lock);
	err = change(&stream->attributes, arg);
	worker_set_failure_mode(&stream->worker, stream->attributes.failure_mode);
	pthread_mutex_unlock(&stream->lock);
	put(stream);
	return err;
}

static void destroy(struct stream *stream, bool force)
{
	if (force)
		worker_abort(&stream->worker, true);
	/* A callback that nobody processes any more must not hold up the end. */
	callback_stream_ends(stream->object.handle);
	allocator_stream_ends(stream->object.handle);
	worker_stop(&stream->worker);
	put(stream);
}

static bool remove_stream(uintptr_t handle, struct stream **out)
{
	struct object *object = object_remove(&streams, handle);

	if (!object)
		return false;
	*out = object_entry(object, struct stream, object);
	atomic_fetch_sub(&alive[(*out)->device], 1);
	return true;
}

int stream_destroy(uintptr_t handle, bool force)
{
	struct stream *stream = NULL;
	int err = stream_may_wait();

	if (err)
		return err;
	if (!remove_stream(handle, &stream))
		return not_alive(handle);
	destroy(stream, force);
	return ACLKM_OK;
}

uint32_t stream_available(uint32_t device)
{
	uint32_t count = atomic_load(&alive[device]);

	return count < STREAM_MAX ? STREAM_MAX - count : 0;
}

int stream_wait_device(uint32_t device, int64_t deadline)
{
	struct object *object;
	struct stream *stream = NULL;
	int err, first = stream_may_wait();
	uint32_t at = 0;

	if (first)
		return first;
	while ((object = object_next(&streams, &at))) {
		stream = object_entry(object, struct stream, object);
		if (stream->device == device) {
			err = worker_wait(&stream->worker, deadline);
			if (err && !first)
				first = explain(err, object->handle);
		}
		put(stream);
	}
	mempool_synchronized();
	return first;
}

void stream_abort_device(uint32_t device)
{
	struct object *object;
	struct stream *stream = NULL;
	uint32_t at = 0;

	while ((object = object_next(&streams, &at))) {
		stream = object_entry(object, struct stream, object);
		if (stream->device == device)
			worker_abort(&stream->worker, true);
		put(stream);
	}
}

void stream_destroy_context(uintptr_t context)
{
	struct stream *stream, *removed;
	struct object *object;
	uint32_t at = 0;

	while ((object = object_next(&streams, &at))) {
		stream = object_entry(object, struct stream, object);
		if (stream->context == context && remove_stream(object->handle, &removed))
			destroy(removed, false);
		put(stream);
	}
}
