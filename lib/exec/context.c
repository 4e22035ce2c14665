// SPDX-License-Identifier: MIT
#include "exec/context.h"

#include "alloc/alloc.h"
#include "base/base.h"

struct object_table context_table = OBJECT_TABLE(OBJECT_CONTEXT);

_Atomic uint64_t device_gone = 1;
_Thread_local struct device_here device_mine;

const struct device_here *device_here_slowly(void)
{
	uint64_t now = atomic_load_explicit(&device_gone, memory_order_acquire);
	struct object *object;

	if (!device_mine.context)
		return NULL;
	object = object_get(&context_table, device_mine.context);
	if (!object) {
		/* A call that looked before a reset still needs the device's number. */
		device_mine = (struct device_here){.device = device_mine.device};
		return NULL;
	}
	object_put(object);
	device_mine.seen = now;
	return &device_mine;
}

/* False: the context is not alive. */
static bool try_use(uintptr_t handle)
{
	uint64_t now = atomic_load(&device_gone);
	struct object *object = object_get(&context_table, handle);
	const struct context *context;

	if (!object)
		return false;
	context = object_entry(object, struct context, object);
	if (handle != device_mine.context)
		tcache_disarm_mine();
	device_mine = (struct device_here){.context = handle,
					   .stream = context->stream,
					   .device = context->device,
					   .seen = now};
	object_put(object);
	return true;
}

int context_use(uintptr_t handle)
{
	if (try_use(handle))
		return ACLKM_OK;
	return error_set(ACLKM_ERR_HANDLE,
			 "context = %p: never created, or destroyed already",
			 (void *)handle);
}

void device_lend(uintptr_t context)
{
	try_use(context);
}
