// SPDX-License-Identifier: MIT
#include "acl/state.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "exec/exec.h"
#include "acl/result.h"

#define NAME_MAX_LENGTH 63
#define CALLBACKS 64

typedef void (*any_function)(void);

struct callback {
	char name[NAME_MAX_LENGTH + 1]; /* "": a free slot */
	any_function fn;
	void *args;
};

struct registry {
	struct callback slots[CALLBACKS];
	_Atomic int count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct registry states, aborts, streams;

/* A copy of slot @i; false: it is free. */
static bool state_get(struct registry *registry, int i, struct callback *out)
{
	pthread_mutex_lock(&lock);
	*out = registry->slots[i];
	pthread_mutex_unlock(&lock);
	return out->name[0];
}

void state_tell(int32_t device, aclrtDeviceState state)
{
	struct callback now;
	int i;

	for (i = 0; atomic_load(&states.count) && i < CALLBACKS; i++) {
		if (state_get(&states, i, &now))
			((aclrtDeviceStateCallback)now.fn)(device, state, now.args);
	}
}

void state_tell_abort(int32_t device, aclrtDeviceTaskAbortStage stage, uint32_t timeout)
{
	struct callback now;
	int i;

	for (i = 0; atomic_load(&aborts.count) && i < CALLBACKS; i++) {
		if (state_get(&aborts, i, &now))
			((aclrtDeviceTaskAbortCallback)now.fn)(device, stage, timeout,
							       now.args);
	}
}

static void tell_stream(uintptr_t stream, bool created)
{
	struct callback now;
	int i;

	for (i = 0; atomic_load(&streams.count) && i < CALLBACKS; i++) {
		if (state_get(&streams, i, &now))
			((aclrtStreamStateCallback)now.fn)(
				(aclrtStream)stream,
				created ? ACL_RT_STREAM_STATE_CREATE_POST
					: ACL_RT_STREAM_STATE_DESTROY_PRE,
				now.args);
	}
}

/* The slot of this name; "": a free one. */
static struct callback *state_find_locked(struct registry *registry, const char *name)
{
	int i;

	for (i = 0; i < CALLBACKS; i++) {
		if (!strcmp(registry->slots[i].name, name))
			return &registry->slots[i];
	}
	return NULL;
}

static aclError state_add(struct registry *registry, const char *name, any_function fn,
			  void *args)
{
	struct callback *slot;
	bool there;

	pthread_mutex_lock(&lock);
	there = state_find_locked(registry, name);
	slot = there ? NULL : state_find_locked(registry, "");
	if (slot) {
		strcpy(slot->name, name);
		slot->fn = fn;
		slot->args = args;
		atomic_fetch_add(&registry->count, 1);
	}
	pthread_mutex_unlock(&lock);
	if (there)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "regName = \"%s\" is registered already", name);
	if (!slot)
		return acl_refuse(ACL_ERROR_BAD_ALLOC, "at most %d callbacks", CALLBACKS);
	return ACL_SUCCESS;
}

static aclError end(struct registry *registry, const char *name)
{
	struct callback *slot;

	pthread_mutex_lock(&lock);
	slot = state_find_locked(registry, name);
	if (slot) {
		memset(slot, 0, sizeof(*slot));
		atomic_fetch_sub(&registry->count, 1);
	}
	pthread_mutex_unlock(&lock);
	if (slot)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
			  "regName = \"%s\" is not registered", name);
}

static aclError change(const char *call, struct registry *registry, const char *name,
		       any_function fn, void *args)
{
	size_t length;
	aclError code = acl_enter(call) ?: acl_need(name, "regName");

	if (code)
		return code;
	length = strnlen(name, NAME_MAX_LENGTH + 1);
	if (!length || length > NAME_MAX_LENGTH)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "regName = \"%.40s\": must have 1 to %d characters",
				  name, NAME_MAX_LENGTH);
	return fn ? state_add(registry, name, fn, args) : end(registry, name);
}

aclError aclrtRegDeviceStateCallback(const char *regName,
				     aclrtDeviceStateCallback callback, void *args)
{
	return change(__func__, &states, regName, (any_function)callback, args);
}

aclError aclrtSetDeviceTaskAbortCallback(const char *regName,
					 aclrtDeviceTaskAbortCallback callback,
					 void *args)
{
	return change(__func__, &aborts, regName, (any_function)callback, args);
}

aclError aclrtRegStreamStateCallback(const char *regName,
				     aclrtStreamStateCallback callback, void *args)
{
	stream_watch(tell_stream);
	return change(__func__, &streams, regName, (any_function)callback, args);
}
