// SPDX-License-Identifier: MIT
/* Copy and set: the argument rules, and which copies go to a stream. */
#include "acl/acl_rt.h"

#include <string.h>

#include "../config.h"
#include "../copy.h"
#include "../counters.h"
#include "../rules.h"
#include "../stream.h"
#include "context.h"
#include "result.h"

#define ASYNC_ALIGN 64

struct span {
	void *dst;
	size_t room;
	const void *src;
	size_t count;
};

/* @span->count is not 0 here: nothing to copy is a success before all checks. */
static aclError check_copy(const struct span *span, aclrtMemcpyKind kind)
{
	aclError code;

	code = acl_need(span->dst, "dst") ?: acl_need(span->src, "src");
	if (code)
		return code;
	if ((uint32_t)kind >= ACL_MEMCPY_INNER_DEVICE_TO_DEVICE)
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "kind = %d: must be from 0 to 5", (int)kind);
	code = context_need();
	if (code)
		return code;
	if (span->count > span->room)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "count = %zu is more than destMax = %zu", span->count,
				  span->room);
	return ACL_SUCCESS;
}

aclError aclrtMemcpy(void *dst, size_t destMax, const void *src, size_t count,
		     aclrtMemcpyKind kind)
{
	const struct span span = {dst, destMax, src, count};
	aclError code = acl_enter(__func__);

	if (code)
		return code;
	if (!count)
		return ACL_SUCCESS;
	code = check_copy(&span, kind);
	if (code)
		return code;
	counter_add(COUNT_COPIES_SYNC, 1);
	if (dst != src)
		copy_bytes(dst, src, count);
	return ACL_SUCCESS;
}

aclError aclrtMemset(void *devPtr, size_t maxCount, int32_t value, size_t count)
{
	aclError code = acl_enter(__func__);

	if (code)
		return code;
	if (!count)
		return ACL_SUCCESS;
	code = acl_need(devPtr, "devPtr") ?: context_need();
	if (code)
		return code;
	if (count > maxCount)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "count = %zu is more than maxCount = %zu", count,
				  maxCount);
	memset(devPtr, value, count);
	return ACL_SUCCESS;
}

static bool is_unaligned(const void *ptr)
{
	return (uintptr_t)ptr % ASYNC_ALIGN;
}

static aclError check_alignment(const struct span *span)
{
	bool dst = is_unaligned(span->dst);

	if (!dst && !is_unaligned(span->src))
		return ACL_SUCCESS;
	if (config_get()->strict)
		return acl_refuse(ACL_ERROR_RT_ADDR_UNALIGNED,
				  "%s = %p: must be a multiple of %d (ACLKM_STRICT=1)",
				  dst ? "dst" : "src", dst ? span->dst : span->src,
				  ASYNC_ALIGN);
	counter_add(COUNT_COPIES_UNALIGNED, 1);
	return ACL_SUCCESS;
}

/*
 * What the library knows of an address wins over the stated kind; the kind
 * speaks only for memory that is not ours.
 */
static bool is_host_to_host(enum place dst, enum place src, aclrtMemcpyKind kind)
{
	if (dst == PLACE_DEVICE || src == PLACE_DEVICE)
		return false;
	if (dst == PLACE_HOST && src == PLACE_HOST)
		return true;
	return kind == ACL_MEMCPY_HOST_TO_HOST || kind == ACL_MEMCPY_DEFAULT;
}

static int run_copy(struct task *task)
{
	copy_bytes(task->dst, task->src, task->count);
	return ACLKM_OK;
}

static aclError submit_copy(const struct span *span, uintptr_t stream)
{
	const struct task task = {.run = run_copy,
				  .dst = span->dst,
				  .src = span->src,
				  .count = span->count};
	unsigned int flags = span->count <= STREAM_NOW_SIZE ? WORKER_NOW : 0;
	int err = stream_submit(stream, &task, sizeof(task), flags);

	if (!err)
		counter_add(COUNT_COPIES_ASYNC, 1);
	return stream_result(err);
}

/* Pageable memory: nobody can promise that it is still there later. */
static aclError copy_degraded(const struct span *span, uintptr_t stream)
{
	aclError code = stream_result(stream_wait(stream, NO_DEADLINE));

	if (code)
		return code;
	counter_add(COUNT_COPIES_DEGRADED, 1);
	copy_bytes(span->dst, span->src, span->count);
	return ACL_SUCCESS;
}

aclError aclrtMemcpyAsync(void *dst, size_t destMax, const void *src, size_t count,
			  aclrtMemcpyKind kind, aclrtStream stream)
{
	const struct span span = {dst, destMax, src, count};
	enum place to, from;
	aclError code = acl_enter(__func__);

	if (code)
		return code;
	if (!count)
		return ACL_SUCCESS;
	code = check_copy(&span, kind);
	if (code)
		return code;
	code = stream_result(stream_check(context_stream(stream)));
	if (code)
		return code;
	to = copy_place(dst);
	from = copy_place(src);
	if (is_host_to_host(to, from, kind))
		return acl_refuse(
			ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
			"dst = %p and src = %p are both host memory: use aclrtMemcpy",
			dst, src);
	code = check_alignment(&span);
	if (code)
		return code;
	if (to == PLACE_UNKNOWN || from == PLACE_UNKNOWN)
		return copy_degraded(&span, context_stream(stream));
	return submit_copy(&span, context_stream(stream));
}
