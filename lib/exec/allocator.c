// SPDX-License-Identifier: MIT
#include "exec/allocator.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/base.h"

struct description {
	struct object object;
	struct allocator allocator;
};

struct registration {
	struct registration *next;
	uintptr_t stream;
	uintptr_t handle;
	struct allocator allocator;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct registration *registrations;
static _Atomic uint32_t count;
static struct object_table descriptions = OBJECT_TABLE(OBJECT_ALLOCATOR);

static void allocator_release(struct object *object)
{
	free(object_entry(object, struct description, object));
}

int allocator_create(uintptr_t *handle)
{
	struct description *description = calloc(1, sizeof(*description));

	if (!description ||
	    object_add(&descriptions, &description->object, 0, allocator_release)) {
		free(description);
		return error_no_records();
	}
	*handle = description->object.handle;
	return ACLKM_OK;
}

static int allocator_not_alive(uintptr_t handle)
{
	return error_set(ACLKM_ERR_HANDLE,
			 "allocatorDesc = %p: never created, or destroyed already",
			 (void *)handle);
}

int allocator_destroy(uintptr_t handle)
{
	struct object *object = object_remove(&descriptions, handle);

	if (!object)
		return allocator_not_alive(handle);
	object_put(object);
	return ACLKM_OK;
}

int allocator_set_object(uintptr_t handle, void *value)
{
	struct object *object = object_get(&descriptions, handle);

	if (!object)
		return allocator_not_alive(handle);
	pthread_mutex_lock(&lock);
	object_entry(object, struct description, object)->allocator.object = value;
	pthread_mutex_unlock(&lock);
	object_put(object);
	return ACLKM_OK;
}

int allocator_set_part(uintptr_t handle, enum allocator_part part, allocator_function fn)
{
	struct object *object = object_get(&descriptions, handle);

	if (!object)
		return allocator_not_alive(handle);
	pthread_mutex_lock(&lock);
	object_entry(object, struct description, object)->allocator.parts[part] = fn;
	pthread_mutex_unlock(&lock);
	object_put(object);
	return ACLKM_OK;
}

/* Where the stream's registration hangs, or the end of the list. */
static struct registration **allocator_find_locked(uintptr_t stream)
{
	struct registration **at = &registrations;

	while (*at && (*at)->stream != stream)
		at = &(*at)->next;
	return at;
}

static int read_whole(uintptr_t handle, struct allocator *out)
{
	struct object *object = object_get(&descriptions, handle);
	int part;

	if (!object)
		return allocator_not_alive(handle);
	pthread_mutex_lock(&lock);
	*out = object_entry(object, struct description, object)->allocator;
	pthread_mutex_unlock(&lock);
	object_put(object);
	for (part = 0; part < ALLOCATOR_PARTS; part++) {
		if (part != ALLOCATOR_ADVISE && !out->parts[part])
			break;
	}
	if (!out->object || part < ALLOCATOR_PARTS)
		return error_set(
			ACLKM_ERR_INVALID,
			"allocatorDesc = %p: object, allocation, free and address "
			"function must be set",
			(void *)handle);
	return ACLKM_OK;
}

int allocator_register(uintptr_t handle, uintptr_t stream)
{
	struct registration *made = calloc(1, sizeof(*made)), **at;
	int err;

	if (!made)
		return error_no_records();
	err = read_whole(handle, &made->allocator);
	if (err) {
		free(made);
		return err;
	}
	made->stream = stream;
	made->handle = handle;
	pthread_mutex_lock(&lock);
	at = allocator_find_locked(stream);
	if (*at) {
		made->next = (*at)->next;
		free(*at);
	} else {
		atomic_fetch_add(&count, 1);
	}
	*at = made;
	pthread_mutex_unlock(&lock);
	return ACLKM_OK;
}

static int has_none(uintptr_t stream)
{
	return error_set(ACLKM_ERR_FOREIGN, "stream = %p has no allocator",
			 (void *)stream);
}

int allocator_get(uintptr_t stream, struct allocator *out, uintptr_t *handle)
{
	const struct registration *found;

	pthread_mutex_lock(&lock);
	found = *allocator_find_locked(stream);
	if (found) {
		*out = found->allocator;
		*handle = found->handle;
	}
	pthread_mutex_unlock(&lock);
	return found ? ACLKM_OK : has_none(stream);
}

int allocator_unregister(uintptr_t stream)
{
	struct registration **at, *found;

	pthread_mutex_lock(&lock);
	at = allocator_find_locked(stream);
	found = *at;
	if (found) {
		*at = found->next;
		atomic_fetch_sub(&count, 1);
	}
	pthread_mutex_unlock(&lock);
	free(found);
	return found ? ACLKM_OK : has_none(stream);
}

void allocator_stream_ends(uintptr_t stream)
{
	struct registration **at, *found;

	if (!atomic_load(&count))
		return;
	pthread_mutex_lock(&lock);
	at = allocator_find_locked(stream);
	found = *at;
	if (found) {
		*at = found->next;
		atomic_fetch_sub(&count, 1);
	}
	pthread_mutex_unlock(&lock);
	free(found);
}
