// SPDX-License-Identifier: MIT
/* Copies: one piece, rows, indirect ones. */
#include "copy/copy.h"
#include "acl/transfer.h"

#include <string.h>

#include "debug/debug.h"
#include "base/base.h"
#include "exec/exec.h"
#include "acl/context.h"
#include "acl/result.h"

/* Limits of a copy of rows (AscendCL API reference, "aclrtMemcpy2d"). */
#define MAX_WIDTH 5000000UL
#define MAX_HEIGHT 5242880UL

aclError aclrtMemcpy(void *dst, size_t destMax, const void *src, size_t count,
		     aclrtMemcpyKind kind)
{
	const struct transfer transfer = {
		.dst = dst, .room = destMax, .src = src, .count = count};
	aclError code = acl_enter(__func__);

	if (code || !count)
		return code;
	code = transfer_check(&transfer, kind) ?: context_may_do_now();
	if (code)
		return code;
	counter_add(COUNT_COPIES_SYNC, 1);
	transfer_at_once(&transfer);
	return ACL_SUCCESS;
}

static aclError copy_async(const char *call, const struct transfer *transfer,
			   aclrtMemcpyKind kind, aclrtStream stream)
{
	aclError code = acl_enter(call);

	if (code || !transfer->count)
		return code;
	return transfer_check(transfer, kind)
		       ?: transfer_async(transfer, kind, context_stream(stream));
}

aclError aclrtMemcpyAsync(void *dst, size_t destMax, const void *src, size_t count,
			  aclrtMemcpyKind kind, aclrtStream stream)
{
	struct transfer transfer;
	aclError code;

	if (!api_enter(__func__) &&
	    transfer_quick(dst, destMax, src, count, kind, stream, &code))
		return code;
	transfer = (struct transfer){
		.dst = dst, .room = destMax, .src = src, .count = count};
	return copy_async(__func__, &transfer, kind, stream);
}

aclError aclrtMemcpyAsyncWithCondition(void *dst, size_t destMax, const void *src,
				       size_t count, aclrtMemcpyKind kind,
				       aclrtStream stream)
{
	const struct transfer transfer = {
		.dst = dst, .room = destMax, .src = src, .count = count};

	return copy_async(__func__, &transfer, kind, stream);
}

static bool is_one_of(aclrtMemcpyKind kind, uint32_t set)
{
	return (uint32_t)kind < 32 && set >> (uint32_t)kind & 1;
}

static aclError check_rows(const struct transfer *rows, aclrtMemcpyKind kind,
			   uint32_t kinds)
{
	size_t narrow = rows->room < rows->source_pitch ? rows->room : rows->source_pitch;
	aclError code = acl_need(rows->dst, "dst") ?: acl_need(rows->src, "src") ?:
			acl_need_size(rows->count, "width") ?:
			acl_need_size(rows->height, "height");

	if (code)
		return code;
	if (!is_one_of(kind, kinds))
		return acl_refuse(
			ACL_ERROR_INVALID_PARAM,
			"kind = %d: rows are copied from host to device, or back",
			(int)kind);
	if (rows->count > narrow || rows->count > MAX_WIDTH)
		return acl_refuse(
			ACL_ERROR_INVALID_PARAM,
			"width = %zu: at most dpitch = %zu, spitch = %zu and %lu",
			rows->count, rows->room, rows->source_pitch, MAX_WIDTH);
	if (rows->height > MAX_HEIGHT)
		return acl_refuse(ACL_ERROR_INVALID_PARAM, "height = %zu: at most %lu",
				  rows->height, MAX_HEIGHT);
	if (check_wanted()) {
		check_copy(rows->dst, NULL,
			   (rows->height - 1) * rows->room + rows->count);
		check_copy(rows->src, NULL,
			   (rows->height - 1) * rows->source_pitch + rows->count);
	}
	return context_need_to_wait();
}

#define KIND(name) (1U << ACL_MEMCPY_##name)

aclError aclrtMemcpy2d(void *dst, size_t dpitch, const void *src, size_t spitch,
		       size_t width, size_t height, aclrtMemcpyKind kind)
{
	const struct transfer rows = {dst, dpitch, src, width, spitch, height};
	aclError code =
		acl_enter(__func__)
			?: check_rows(&rows, kind,
				      KIND(HOST_TO_DEVICE) | KIND(DEVICE_TO_HOST) |
					      KIND(DEFAULT))
			?: context_may_do_now();

	if (code)
		return code;
	counter_add(COUNT_COPIES_SYNC, 1);
	transfer_at_once(&rows);
	return ACL_SUCCESS;
}

aclError aclrtMemcpy2dAsync(void *dst, size_t dpitch, const void *src, size_t spitch,
			    size_t width, size_t height, aclrtMemcpyKind kind,
			    aclrtStream stream)
{
	const struct transfer rows = {dst, dpitch, src, width, spitch, height};

	return acl_enter(__func__) ?:
	       check_rows(&rows, kind,
			  KIND(HOST_TO_DEVICE) | KIND(DEVICE_TO_HOST) |
				  KIND(DEVICE_TO_DEVICE) | KIND(DEFAULT)) ?:
	       transfer_async(&rows, kind, context_stream(stream));
}

/* A copy whose addresses are read when it is done. */
struct indirect {
	struct task task;
	size_t room, dst_offset, src_offset;
};

static int run_indirect(struct task *task)
{
	const struct indirect *indirect = (const struct indirect *)task;
	struct transfer transfer = {.count = task->count};
	const char *src;
	char *dst;

	copy_bytes(&dst, task->dst, sizeof(dst));
	copy_bytes(&src, task->src, sizeof(src));
	transfer.dst = dst + indirect->dst_offset;
	transfer.src = src + indirect->src_offset;
	transfer_now(&transfer);
	return ACLKM_OK;
}

aclError aclrtMemcpyAsyncWithOffset(void **dst, size_t destMax, size_t dstDataOffset,
				    const void **src, size_t count, size_t srcDataOffset,
				    aclrtMemcpyKind kind, aclrtStream stream)
{
	const struct indirect task = {
		.task = {.run = run_indirect, .dst = dst, .src = src, .count = count},
		.dst_offset = dstDataOffset,
		.src_offset = srcDataOffset};
	const struct transfer shape = {
		.dst = dst, .room = destMax, .src = src, .count = count};
	const struct uses uses = {
		"copy by pointers in memory",
		{{.at = dst, .size = sizeof(*dst)}, {.at = src, .size = sizeof(*src)}}};
	aclError code = acl_enter(__func__);

	if (code || !count)
		return code;
	code = transfer_check(&shape, kind);
	if (code)
		return code;
	if (dstDataOffset > destMax - count)
		return acl_refuse(
			ACL_ERROR_RT_PARAM_INVALID,
			"dstDataOffset = %zu and count = %zu are more than destMax = %zu",
			dstDataOffset, count, destMax);
	return stream_result(stream_submit_using(context_stream(stream), &task.task,
						 sizeof(task), 0, &uses));
}

/* What a copy descriptor holds; it lies in the program's memory. */
struct descriptor {
	uint64_t magic;
	void *dst;
	const void *src;
	size_t count;
};

#define DESCRIPTOR_MAGIC 0x6d6b6c6361637064ULL

static aclError check_descriptor_kind(aclrtMemcpyKind kind)
{
	if (is_one_of(kind, KIND(HOST_TO_DEVICE) | KIND(DEVICE_TO_HOST) |
				    KIND(DEVICE_TO_DEVICE) |
				    1U << ACL_MEMCPY_INNER_DEVICE_TO_DEVICE))
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_INVALID_PARAM, "kind = %d: must be 1, 2, 3 or 6",
			  (int)kind);
}

aclError aclrtGetMemcpyDescSize(aclrtMemcpyKind kind, size_t *descSize)
{
	aclError code = acl_enter(__func__) ?: acl_need(descSize, "descSize") ?:
			check_descriptor_kind(kind);

	if (!code)
		*descSize = sizeof(struct descriptor);
	return code;
}

aclError aclrtSetMemcpyDesc(void *desc, aclrtMemcpyKind kind, void *srcAddr,
			    void *dstAddr, size_t count, void *config)
{
	const struct descriptor made = {DESCRIPTOR_MAGIC, dstAddr, srcAddr, count};
	aclError code = acl_enter(__func__) ?: acl_need(desc, "desc") ?:
			acl_need(srcAddr, "srcAddr") ?: acl_need(dstAddr, "dstAddr") ?:
			acl_need_size(count, "count") ?: check_descriptor_kind(kind) ?:
			context_need();

	if (code)
		return code;
	if (config)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "config = %p: reserved, must be NULL", config);
	copy_bytes(desc, &made, sizeof(made));
	return ACL_SUCCESS;
}

/* Read when it is done: the program may change it before. */
static int run_descriptor(struct task *task)
{
	struct descriptor now;
	struct transfer transfer = {0};

	copy_bytes(&now, task->src, sizeof(now));
	if (now.magic != DESCRIPTOR_MAGIC)
		return ACLKM_ERR_INVALID;
	transfer.dst = now.dst;
	transfer.src = now.src;
	transfer.count = now.count;
	transfer_now(&transfer);
	return ACLKM_OK;
}

aclError aclrtMemcpyAsyncWithDesc(void *desc, aclrtMemcpyKind kind, aclrtStream stream)
{
	const struct task task = {.run = run_descriptor, .src = desc};
	const struct uses uses = {"copy by descriptor",
				  {{.at = desc, .size = sizeof(struct descriptor)}}};

	return acl_enter(__func__) ?: acl_need(desc, "desc") ?:
	       check_descriptor_kind(kind) ?: context_need_to_wait() ?:
	       stream_result(stream_submit_using(context_stream(stream), &task,
						 sizeof(task), 0, &uses));
}
