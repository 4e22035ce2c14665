// SPDX-License-Identifier: MIT
#include "transfer.h"

#include "../check.h"
#include "../config.h"
#include "../copy.h"
#include "../counters.h"
#include "../readonly.h"
#include "../stream.h"
#include "context.h"
#include "result.h"

struct transfer_task {
	struct task task;
	struct flight *flight;
	struct transfer transfer;
};

aclError transfer_check(const struct transfer *transfer, aclrtMemcpyKind kind)
{
	aclError code = acl_need(transfer->dst, "dst") ?: acl_need(transfer->src, "src");

	if (code)
		return code;
	if ((uint32_t)kind >= ACL_MEMCPY_INNER_DEVICE_TO_DEVICE)
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "kind = %d: must be from 0 to 5", (int)kind);
	code = context_need();
	if (code)
		return code;
	if (transfer->count > transfer->room)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "count = %zu is more than destMax = %zu",
				  transfer->count, transfer->room);
	if (check_wanted())
		check_copy(transfer->dst, transfer->src, transfer->count);
	return ACL_SUCCESS;
}

void transfer_now(const struct transfer *transfer)
{
	char *dst = readonly_target(transfer->dst);
	const char *src = transfer->src;
	size_t row;

	if (dst == src)
		return;
	if (transfer->height <= 1) {
		copy_bytes(dst, src, transfer->count);
		return;
	}
	for (row = 0; row < transfer->height; row++)
		copy_bytes(dst + row * transfer->room, src + row * transfer->source_pitch,
			   transfer->count);
}

static bool is_unaligned(const void *ptr)
{
	return (uintptr_t)ptr % TRANSFER_ALIGN;
}

static aclError check_alignment(const struct transfer *transfer)
{
	bool dst = is_unaligned(transfer->dst);

	if (!dst && !is_unaligned(transfer->src))
		return ACL_SUCCESS;
	if (config_get()->strict)
		return acl_refuse(ACL_ERROR_RT_ADDR_UNALIGNED,
				  "%s = %p: must be a multiple of %d (ACLKM_STRICT=1)",
				  dst ? "dst" : "src",
				  dst ? transfer->dst : transfer->src, TRANSFER_ALIGN);
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

aclError transfer_rules(const struct transfer *transfer, aclrtMemcpyKind kind, bool *now)
{
	enum place to = place_of(transfer->dst), from = place_of(transfer->src);

	if (is_host_to_host(to, from, kind))
		return acl_refuse(
			ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
			"dst = %p and src = %p are both host memory: use aclrtMemcpy",
			transfer->dst, transfer->src);
	*now = to == PLACE_UNKNOWN || from == PLACE_UNKNOWN;
	return check_alignment(transfer);
}

static int run_transfer(struct task *task)
{
	const struct transfer_task *transfer = (const struct transfer_task *)task;

	check_landing(transfer->flight);
	transfer_now(&transfer->transfer);
	return ACLKM_OK;
}

static void drop_transfer(struct task *task)
{
	check_landed(((struct transfer_task *)task)->flight);
}

/* From the first byte to the last, with what lies between rows. */
static uint64_t span_of(const struct transfer *transfer, size_t pitch)
{
	return transfer->count +
	       (transfer->height > 1 ? transfer->height - 1 : 0) * pitch;
}

static aclError submit(const struct transfer *transfer, uintptr_t stream)
{
	struct transfer_task task = {.task = {.run = run_transfer,
					      .dst = transfer->dst,
					      .src = transfer->src,
					      .count = transfer->count},
				     .transfer = *transfer};
	bool small = transfer->count <= STREAM_NOW_SIZE && transfer->height <= 1;
	int err;

	if (check_is(CHECK_FLIGHT)) {
		small = false;
		task.task.drop = drop_transfer;
		task.flight = check_flight(transfer->dst, transfer->src,
					   span_of(transfer, transfer->room),
					   (const void *)stream);
	}
	err = stream_submit(stream, &task.task, sizeof(task), small ? WORKER_NOW : 0);
	if (err)
		check_landed(task.flight);
	else
		counter_add(COUNT_COPIES_ASYNC, 1);
	return stream_result(err);
}

/* Pageable memory: nobody can promise that it is still there later. */
static aclError degrade(const struct transfer *transfer, uintptr_t stream)
{
	aclError code = stream_result(stream_wait(stream, NO_DEADLINE));

	if (code)
		return code;
	counter_add(COUNT_COPIES_DEGRADED, 1);
	transfer_now(transfer);
	return ACL_SUCCESS;
}

aclError transfer_async(const struct transfer *transfer, aclrtMemcpyKind kind,
			uintptr_t stream)
{
	bool now;
	aclError code = stream_result(stream_check(stream))
				?: transfer_rules(transfer, kind, &now);

	if (code)
		return code;
	if (check_wanted())
		check_async(transfer->dst, transfer->src,
			    is_unaligned(transfer->dst) || is_unaligned(transfer->src),
			    now);
	return now ? degrade(transfer, stream) : submit(transfer, stream);
}
