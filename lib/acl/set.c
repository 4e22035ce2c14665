// SPDX-License-Identifier: MIT
/* Setting memory, and the cache hints. */
#include "acl/acl_rt.h"

#include <string.h>

#include "debug/debug.h"
#include "copy/copy.h"
#include "map/map.h"
#include "exec/exec.h"
#include "acl/context.h"
#include "acl/result.h"

static aclError set_check(const void *ptr, size_t room, size_t count)
{
	aclError code = acl_need(ptr, "devPtr") ?: context_need();

	if (code)
		return code;
	if (count > room)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "count = %zu is more than maxCount = %zu", count, room);
	if (check_wanted())
		check_copy(ptr, NULL, count);
	return ACL_SUCCESS;
}

static struct uses set_uses_of(void *ptr, size_t count)
{
	return (struct uses){.what = "set",
			     .of = {{.at = ptr,
				     .target = readonly_target(ptr),
				     .size = count,
				     .writes = true}}};
}

aclError aclrtMemset(void *devPtr, size_t maxCount, int32_t value, size_t count)
{
	struct uses uses;
	aclError code = acl_enter(__func__);

	if (code || !count)
		return code;
	code = set_check(devPtr, maxCount, count) ?: context_may_do_now();
	if (!code && check_watches_tasks()) {
		uses = set_uses_of(devPtr, count);
		check_uses_now(&uses);
	}
	if (!code)
		fill_bytes(readonly_target(devPtr), value, count);
	return code;
}

static int run_set(struct task *task)
{
	fill_bytes(readonly_target(task->dst), (int)task->value, task->count);
	return ACLKM_OK;
}

aclError aclrtMemsetAsync(void *devPtr, size_t maxCount, int32_t value, size_t count,
			  aclrtStream stream)
{
	const struct task task = {
		.run = run_set, .dst = devPtr, .count = count, .value = (uint8_t)value};
	const struct uses uses = set_uses_of(devPtr, count);
	aclError code = acl_enter(__func__);

	if (code || !count)
		return code;
	return set_check(devPtr, maxCount, count)
		       ?: stream_result(stream_submit_using(
				  context_stream(stream), &task, sizeof(task),
				  count <= STREAM_NOW_SIZE ? WORKER_NOW : 0, &uses));
}

static void fill(void *ptr, uint32_t value, size_t n)
{
	uint32_t *at = readonly_target(ptr);
	size_t i;

	check_work_begins(at, NULL);
	for (i = 0; i < n; i++)
		at[i] = value;
	check_work_ends(at, NULL);
}

static int run_fill(struct task *task)
{
	fill(task->dst, (uint32_t)task->value, task->count);
	return ACLKM_OK;
}

static aclError check_fill(const char *call, void *ptr, size_t size, size_t n,
			   enum place *place)
{
	aclError code = acl_enter(call) ?: acl_need(ptr, "ptr") ?:
			acl_need_size(n, "N") ?: context_need();

	if (code)
		return code;
	if ((uintptr_t)ptr % sizeof(uint32_t))
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "ptr = %p: must be a multiple of 4", ptr);
	if (n > size / sizeof(uint32_t))
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "N = %zu: 4 N is more than memSize = %zu", n, size);
	*place = place_of(ptr);
	if (*place == PLACE_UNKNOWN)
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "ptr = %p: not memory of AscendCL", ptr);
	return ACL_SUCCESS;
}

aclError aclrtMemsetD32(void *ptr, size_t memSize, uint32_t value, size_t N)
{
	enum place place;
	aclError code =
		check_fill(__func__, ptr, memSize, N, &place) ?: context_may_do_now();

	if (!code)
		fill(ptr, value, N);
	return code;
}

aclError aclrtMemsetD32Async(void *ptr, size_t memSize, uint32_t value, size_t N,
			     aclrtStream stream)
{
	const struct task task = {
		.run = run_fill, .dst = ptr, .count = N, .value = value};
	const struct uses uses = set_uses_of(ptr, N * sizeof(value));
	enum place place;
	aclError code = check_fill(__func__, ptr, memSize, N, &place)
				?: stream_result(stream_check(context_stream(stream)));

	if (code)
		return code;
	/* Host memory is set at once, as the documents say; a capture keeps the task. */
	if (place == PLACE_HOST && !stream_is_captured(context_stream(stream))) {
		fill(ptr, value, N);
		return ACL_SUCCESS;
	}
	return stream_result(stream_submit_using(context_stream(stream), &task,
						 sizeof(task), 0, &uses));
}

/* There is no cache to work on; the place in the stream is kept. */
static int run_hint(struct task *task)
{
	(void)task;
	return ACLKM_OK;
}

static aclError check_cmo_type(aclrtCmoType type)
{
	if ((uint32_t)type <= ACL_RT_CMO_TYPE_FLUSH)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_INVALID_PARAM,
			  "cmoType = %d: not a value of aclrtCmoType", (int)type);
}

static aclError hint(aclrtStream stream)
{
	const struct task task = {.run = run_hint};

	return context_need()
		       ?: stream_result(stream_submit(context_stream(stream), &task,
						      sizeof(task), WORKER_NOW));
}

aclError aclrtCmoAsync(void *src, size_t size, aclrtCmoType cmoType, aclrtStream stream)
{
	return acl_enter(__func__) ?: acl_need(src, "src") ?:
	       acl_need_size(size, "size") ?: check_cmo_type(cmoType) ?: hint(stream);
}

#define CMO_MAGIC 0x6d6b6c6361636d6fULL

struct cmo_descriptor {
	uint64_t magic;
	void *src;
	uint64_t size;
	uint64_t reserved;
};

aclError aclrtCmoGetDescSize(size_t *size)
{
	aclError code = acl_enter(__func__) ?: acl_need(size, "size");

	if (!code)
		*size = sizeof(struct cmo_descriptor);
	return code;
}

static aclError check_cmo_descriptor(const void *descriptor)
{
	if (place_of(descriptor) != PLACE_UNKNOWN)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
			  "cmoDesc = %p: not memory of AscendCL", descriptor);
}

aclError aclrtCmoSetDesc(void *cmoDesc, void *src, size_t size)
{
	const struct cmo_descriptor made = {CMO_MAGIC, src, size, 0};
	aclError code = acl_enter(__func__) ?: acl_need(cmoDesc, "cmoDesc") ?:
			acl_need(src, "src") ?: acl_need_size(size, "size") ?:
			check_cmo_descriptor(cmoDesc);

	if (!code)
		copy_bytes(readonly_target(cmoDesc), &made, sizeof(made));
	return code;
}

aclError aclrtCmoAsyncWithDesc(void *cmoDesc, aclrtCmoType cmoType, aclrtStream stream,
			       const void *reserve)
{
	struct cmo_descriptor now;
	aclError code = acl_enter(__func__) ?: acl_need(cmoDesc, "cmoDesc") ?:
			check_cmo_type(cmoType);

	if (code)
		return code;
	if (reserve)
		return acl_refuse(ACL_ERROR_INVALID_PARAM, "reserve = %p: must be NULL",
				  reserve);
	code = check_cmo_descriptor(cmoDesc);
	if (code)
		return code;
	copy_bytes(&now, cmoDesc, sizeof(now));
	if (now.magic != CMO_MAGIC)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "cmoDesc = %p: not made by aclrtCmoSetDesc", cmoDesc);
	return hint(stream);
}
