// SPDX-License-Identifier: MIT
/* Segments of pools, taken and given in the order of a stream. */
#include "exec/context.h"
#include "base/base.h"
#include "pool/pool.h"
#include "exec/stream.h"

struct free_task {
	struct task task;
	struct pending *pending;
};

/* NULL is the default stream of the thread's context. */
static int resolve(void *stream, uintptr_t *out)
{
	const struct device_here *here = device_here();

	if (!here)
		return error_set(
			ACLKM_ERR_CONTEXT,
			"stream = %p: this thread has no context (aclrtSetDevice)",
			stream);
	*out = stream ? (uintptr_t)stream : here->stream;
	return stream_check(*out);
}

int aclkm_segment_alloc_async(struct aclkm_pool *pool, size_t len, void *stream,
			      void **out)
{
	uint64_t stride;
	uintptr_t handle = 0;
	int err = api_enter(__func__);

	if (!err)
		err = segment_check(pool, len, out, &stride);
	if (!err)
		err = resolve(stream, &handle);
	if (err)
		return err;
	if (pending_take(pool, len, stride, handle, out))
		return ACLKM_OK;
	return segment_take(pool, len, stride, out);
}

static void reach(struct task *task)
{
	pending_reach(((struct free_task *)task)->pending);
}

static int ordered_run_nothing(struct task *task)
{
	(void)task;
	return ACLKM_OK;
}

int aclkm_segment_free_async(struct aclkm_pool *pool, void *ptr, void *stream)
{
	struct free_task task = {.task = {.run = ordered_run_nothing, .drop = reach}};
	uintptr_t handle = 0;
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!pool || !ptr)
		return error_set(ACLKM_ERR_INVALID, "%s is NULL", pool ? "ptr" : "pool");
	err = resolve(stream, &handle);
	if (err)
		return err;
	err = pending_add(pool, ptr, handle, &task.pending);
	if (err == ACLKM_ERR_NOHEAP)
		return error_no_records();
	if (err)
		return segment_explain(pool, ptr, err);
	err = stream_submit(handle, &task.task, sizeof(task),
			    WORKER_NOW | WORKER_NOT_CAPTURED);
	if (err)
		pending_undo(task.pending);
	return err;
}
