// SPDX-License-Identifier: MIT
#include "exec/device.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "backend/backend.h"
#include "base/base.h"
#include "exec/stream.h"
#include "alloc/alloc.h"

static struct device {
	uint64_t sets;
	uintptr_t context; /* the default one; 0: none */
	_Atomic uint64_t peers;
} devices[MAX_DEVICES];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the devices */
static _Atomic int32_t default_device = -1;
int device_check(int64_t id)
{
	uint32_t count = config_get()->devices;

	if (id >= 0 && id < count)
		return ACLKM_OK;
	return error_set(ACLKM_ERR_INVALID, "device %lld: must be from 0 to %u%s",
			 (long long)id, count - 1,
			 count == 1 ? " (ACLKM_DEVICES sets how many)" : "");
}

static void device_release(struct object *object)
{
	free(object_entry(object, struct context, object));
}

static int device_create(uint32_t device, bool is_default, uintptr_t *out)
{
	static const struct stream_config plain;
	struct context *context = calloc(1, sizeof(*context));
	int err;

	if (!context)
		return error_no_records();
	context->device = device;
	context->is_default = is_default;
	err = object_add(&context_table, &context->object, 0, device_release);
	if (err) {
		free(context);
		return error_no_records();
	}
	err = stream_create(context->object.handle, device, &plain, &context->stream);
	if (err)
		object_put(object_remove(&context_table, context->object.handle));
	else
		*out = context->object.handle;
	return err;
}

static void device_destroy(struct object *object)
{
	atomic_fetch_add(&device_gone, 1);
	tcache_disarm();
	stream_destroy_context(object->handle);
	object_put(object);
}

static int open_device(int32_t id)
{
	const struct backend *backend;
	int err = config_check();

	if (!err)
		err = device_check(id);
	if (!err)
		err = backend_get(&backend);
	return err;
}

static int set(int32_t id, uint64_t sets)
{
	struct device *device = &devices[id & (MAX_DEVICES - 1)];
	int err = open_device(id);
	bool created;

	if (err)
		return err;
	pthread_mutex_lock(&lock);
	created = !device->context;
	if (created)
		err = device_create((uint32_t)id, true, &device->context);
	if (!err)
		err = context_use(device->context);
	if (!err)
		device->sets += sets;
	pthread_mutex_unlock(&lock);
	if (!err && created)
		stream_tell_created(device_mine.stream);
	return err;
}

int device_set(int32_t id)
{
	return set(id, 1);
}

/* Out of reach at once; what they still do is waited for without the lock. */
static struct context *remove_contexts(uint32_t id)
{
	struct context *context, *dead = NULL;
	struct object *object, *removed;
	uint32_t at = 0;

	devices[id].context = 0;
	atomic_store(&devices[id].peers, 0);
	while ((object = object_next(&context_table, &at))) {
		context = object_entry(object, struct context, object);
		removed = context->device == id
				  ? object_remove(&context_table, object->handle)
				  : NULL;
		if (removed) {
			context->next_dead = dead;
			dead = context;
		}
		object_put(object);
	}
	atomic_fetch_add(&device_gone, 1);
	return dead;
}

int device_reset(int32_t id, bool force)
{
	struct device *device = &devices[id & (MAX_DEVICES - 1)];
	struct context *dead = NULL, *next;
	int err = device_check(id);

	if (err)
		return err;
	pthread_mutex_lock(&lock);
	if (!device->sets)
		err = error_set(ACLKM_ERR_HANDLE,
				"device %d is not set: more resets than sets", id);
	else if (force || device->sets == 1)
		err = stream_may_wait();
	if (!err) {
		device->sets = force ? 0 : device->sets - 1;
		if (!device->sets)
			dead = remove_contexts((uint32_t)id);
	}
	pthread_mutex_unlock(&lock);
	/* A host function that runs in one of their streams may set the device again. */
	for (; dead; dead = next) {
		next = dead->next_dead;
		device_destroy(&dead->object);
	}
	return err;
}

void device_set_default(int32_t id)
{
	atomic_store(&default_device, id);
}

int device_use_default(void)
{
	int32_t id = atomic_load(&default_device);

	return id < 0 ? ACLKM_ERR_CONTEXT : set(id, 0);
}

bool device_is_set(uint32_t id)
{
	bool is_set;

	pthread_mutex_lock(&lock);
	is_set = devices[id].context != 0;
	pthread_mutex_unlock(&lock);
	return is_set;
}

int context_create(int32_t device, uintptr_t *out)
{
	int err = open_device(device);

	if (!err)
		err = device_create((uint32_t)device, false, out);
	if (!err)
		err = context_use(*out);
	if (!err)
		stream_tell_created(device_mine.stream);
	return err;
}

int context_destroy(uintptr_t handle)
{
	struct object *object = object_get(&context_table, handle), *removed = NULL;
	int err = stream_may_wait();

	if (err || !object)
		goto out;
	if (object_entry(object, struct context, object)->is_default)
		err = error_set(ACLKM_ERR_UNSUPPORTED,
				"context = %p is the default context of its device: "
				"aclrtResetDevice ends it",
				(void *)handle);
	else
		removed = object_remove(&context_table, handle);
out:
	if (object)
		object_put(object);
	if (err)
		return err;
	if (!removed)
		return error_set(ACLKM_ERR_HANDLE,
				 "context = %p: never created, or destroyed already",
				 (void *)handle);
	device_destroy(removed);
	return ACLKM_OK;
}

int device_peer_set(uint32_t device, int32_t peer, bool enable)
{
	int err = device_check(peer);

	if (err)
		return err;
	if ((uint32_t)peer == device)
		return error_set(ACLKM_ERR_INVALID,
				 "peerDeviceId = %d is the current device itself", peer);
	if (enable)
		atomic_fetch_or(&devices[device].peers, 1ULL << peer);
	else
		atomic_fetch_and(&devices[device].peers, ~(1ULL << peer));
	return ACLKM_OK;
}

bool device_peer_get(uint32_t device, uint32_t peer)
{
	return atomic_load(&devices[device].peers) >> peer & 1;
}
