// SPDX-License-Identifier: MIT
/* The short way of an ordinary asynchronous copy: the same rules, all met. */
#include <stddef.h>

#include "copy/copy.h"
#include "debug/debug.h"
#include "base/base.h"
#include "exec/exec.h"
#include "map/map.h"
#include "acl/context.h"
#include "acl/transfer.h"

/* What is looked up with each copy: 0 until it is known. */
static bool has_no_checks(void)
{
	static _Atomic int known;
	int now = atomic_load_explicit(&known, memory_order_relaxed);

	if (__builtin_expect(!now, 0)) {
		now = check_wanted() ? -1 : 1;
		atomic_store_explicit(&known, now, memory_order_relaxed);
	}
	return now > 0;
}

static bool is_ordinary(const void *dst, size_t room, const void *src, size_t count,
			aclrtMemcpyKind kind)
{
	enum place to, from;

	/* No count at all is more than any room, too. */
	if (!dst || !src || count - 1 >= room ||
	    ((uintptr_t)dst | (uintptr_t)src) % TRANSFER_ALIGN ||
	    (uint32_t)kind >= ACL_MEMCPY_INNER_DEVICE_TO_DEVICE || !has_no_checks())
		return false;
	to = place_of_block(dst);
	from = place_of_block(src);
	return to != PLACE_UNKNOWN && from != PLACE_UNKNOWN &&
	       (to == PLACE_DEVICE || from == PLACE_DEVICE);
}

/* Blocks of the heap can be written where they are: not so readonly_target's. */
static void copy(void *dst, const void *src, size_t count)
{
	if (dst != src)
		copy_bytes(dst, src, count);
}

static HOT int quick_run_copy(struct task *task)
{
	copy(task->dst, task->src, task->count);
	return ACLKM_OK;
}

HOT bool transfer_quick(void *dst, size_t room, const void *src, size_t count,
			aclrtMemcpyKind kind, aclrtStream stream, aclError *code)
{
	const struct device_here *here = device_here();
	struct worker *worker = NULL;
	uintptr_t handle;

	if (!here || outcall_in_task || !is_ordinary(dst, room, src, count, kind))
		return false;
	handle = stream ? (uintptr_t)stream : here->stream;
	if (count <= STREAM_NOW_SIZE)
		worker = stream_try_enter(handle, here->context);
	if (worker) {
		copy(dst, src, count);
		worker_leave(worker);
		counter_add(COUNT_TASKS_DONE, 1);
	} else {
		const struct task task = {
			.run = quick_run_copy, .dst = dst, .src = src, .count = count};
		/* What such a copy needs shares a line with the queue's links. */
		static const struct uses plain = {.what = "copy"};
		int err = stream_submit_using(handle, &task, offsetof(struct task, value),
					      0, &plain);

		if (err) {
			*code = stream_result(err);
			return true;
		}
	}
	counter_add(COUNT_COPIES_ASYNC, 1);
	*code = ACL_SUCCESS;
	return true;
}
