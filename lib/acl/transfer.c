// SPDX-License-Identifier: MIT
#include "acl/transfer.h"

#include <stddef.h>

#include "debug/debug.h"
#include "base/base.h"
#include "copy/copy.h"
#include "exec/exec.h"
#include "map/map.h"
#include "acl/context.h"
#include "acl/result.h"

struct rows_task {
	struct task task;
	size_t room, source_pitch, height;
};
_Static_assert(sizeof(struct rows_task) <= QUEUE_TASK, "a task of the queue");

/* What the library knows of the addresses, beside what the program says of them. */
static void check_portable(const struct transfer *transfer, aclrtMemcpyKind kind)
{
	struct copy_kind copy = {
		.dst = transfer->dst, .src = transfer->src, .kind = (int)kind};
	struct place_info dst, src;

	place_describe(transfer->dst, &dst);
	place_describe(transfer->src, &src);
	/* Both sides may use managed memory. */
	if (dst.managed || src.managed)
		return;
	copy.to_device = dst.place == PLACE_DEVICE;
	copy.from_device = src.place == PLACE_DEVICE;
	copy.src_device = src.device;
	copy.dst_device = dst.device;
	copy.stated = kind != ACL_MEMCPY_DEFAULT && kind <= ACL_MEMCPY_DEVICE_TO_DEVICE &&
		      (copy.from_device != (kind >= ACL_MEMCPY_DEVICE_TO_HOST) ||
		       copy.to_device != (kind == ACL_MEMCPY_HOST_TO_DEVICE ||
					  kind == ACL_MEMCPY_DEVICE_TO_DEVICE));
	copy.no_peer = copy.from_device && copy.to_device && src.device != dst.device &&
		       !device_peer_get(src.device, dst.device) &&
		       !device_peer_get(dst.device, src.device);
	check_kind(&copy);
}

aclError transfer_check(const struct transfer *transfer, aclrtMemcpyKind kind)
{
	aclError code = acl_need(transfer->dst, "dst") ?: acl_need(transfer->src, "src");

	if (code)
		return code;
	if ((uint32_t)kind >= ACL_MEMCPY_INNER_DEVICE_TO_DEVICE)
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "kind = %d: must be from 0 to 5", (int)kind);
	code = context_need_to_wait();
	if (code)
		return code;
	if (transfer->count > transfer->room)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "count = %zu is more than destMax = %zu",
				  transfer->count, transfer->room);
	if (check_wanted())
		check_copy(transfer->dst, transfer->src, transfer->count);
	if (check_is(CHECK_PORTABLE))
		check_portable(transfer, kind);
	return ACL_SUCCESS;
}

static void copy_now(void *dst, const void *src, size_t count)
{
	dst = readonly_target(dst);
	if (dst != src)
		copy_bytes(dst, src, count);
}

void transfer_now(const struct transfer *transfer)
{
	char *dst;

	if (transfer->height <= 1) {
		copy_now(transfer->dst, transfer->src, transfer->count);
		return;
	}
	dst = readonly_target(transfer->dst);
	if (dst != transfer->src)
		copy_rows(dst, transfer->room, transfer->src, transfer->source_pitch,
			  transfer->count, transfer->height);
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
	enum place to = place_of_used(transfer->dst);
	enum place from = place_of_used(transfer->src);

	if (is_host_to_host(to, from, kind))
		return acl_refuse(
			ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
			"dst = %p and src = %p are both host memory: use aclrtMemcpy",
			transfer->dst, transfer->src);
	*now = to == PLACE_UNKNOWN || from == PLACE_UNKNOWN;
	return check_alignment(transfer);
}

static int transfer_run_copy(struct task *task)
{
	copy_now(task->dst, task->src, task->count);
	return ACLKM_OK;
}

static int run_rows(struct task *task)
{
	const struct rows_task *rows = (const struct rows_task *)task;
	const struct transfer transfer = {.dst = task->dst,
					  .room = rows->room,
					  .src = task->src,
					  .count = task->count,
					  .source_pitch = rows->source_pitch,
					  .height = rows->height};

	transfer_now(&transfer);
	return ACLKM_OK;
}

static struct uses transfer_uses_of(const struct transfer *transfer)
{
	return (struct uses){
		.what = "copy",
		.of = {{.at = transfer->dst,
			.target = readonly_target(transfer->dst),
			.size = transfer->count,
			.pitch = transfer->room,
			.rows = transfer->height,
			.writes = true},
		       {.at = transfer->src,
			.size = transfer->count,
			.pitch = transfer->source_pitch,
			.rows = transfer->height}},
	};
}

void transfer_at_once(const struct transfer *transfer)
{
	struct uses uses;

	if (check_watches_tasks()) {
		uses = transfer_uses_of(transfer);
		check_uses_now(&uses);
	}
	transfer_now(transfer);
}

/* In this thread, if the stream has nothing else to do. */
static bool submit_now(const struct transfer *transfer, uintptr_t stream,
		       uintptr_t context)
{
	struct worker *worker;

	if (transfer->count * (transfer->height ?: 1) > STREAM_NOW_SIZE)
		return false;
	worker = stream_try_enter(stream, context);
	if (!worker)
		return false;
	transfer_now(transfer);
	worker_leave(worker);
	counter_add(COUNT_TASKS_DONE, 1);
	return true;
}

static int submit_later(const struct transfer *transfer, uintptr_t stream)
{
	struct rows_task rows = {.task = {.run = transfer_run_copy,
					  .dst = transfer->dst,
					  .src = transfer->src,
					  .count = transfer->count}};
	/* What an ordinary copy needs shares a line with the queue's links. */
	size_t size = offsetof(struct task, value);
	static const struct uses plain = {.what = "copy"};
	struct uses uses;

	if (transfer->height > 1) {
		rows.task.run = run_rows;
		rows.room = transfer->room;
		rows.source_pitch = transfer->source_pitch;
		rows.height = transfer->height;
		size = sizeof(rows);
	}
	if (!check_watches_tasks())
		return stream_submit_using(stream, &rows.task, size, 0, &plain);
	uses = transfer_uses_of(transfer);
	return stream_submit_using(stream, &rows.task, size, 0, &uses);
}

static aclError transfer_submit(const struct transfer *transfer, uintptr_t stream)
{
	int err = ACLKM_OK;

	if (check_watches_tasks() || !submit_now(transfer, stream, device_context()))
		err = submit_later(transfer, stream);
	if (!err)
		counter_add(COUNT_COPIES_ASYNC, 1);
	return stream_result(err);
}

/* Pageable memory: nobody can promise that it is still there later. */
static aclError degrade(const struct transfer *transfer, uintptr_t stream)
{
	aclError code;

	if (stream_is_captured(stream))
		return acl_refuse(
			ACL_ERROR_RT_CAPTURE_MODE_NOT_SUPPORT,
			"dst = %p and src = %p: a copy of pageable memory is "
			"done at once, which a capture cannot keep: use memory of "
			"aclrtMallocHost",
			transfer->dst, transfer->src);
	code = stream_result(stream_wait(stream, NO_DEADLINE));

	if (code)
		return code;
	counter_add(COUNT_COPIES_DEGRADED, 1);
	transfer_at_once(transfer);
	return ACL_SUCCESS;
}

aclError transfer_start(const struct transfer *transfer, bool now, uintptr_t stream)
{
	if (check_wanted())
		check_async(transfer->dst, transfer->src,
			    is_unaligned(transfer->dst) || is_unaligned(transfer->src),
			    now);
	return now ? degrade(transfer, stream) : transfer_submit(transfer, stream);
}

bool transfer_join(struct transfer *run, const struct transfer *next)
{
	/* Each is reported by itself; what cannot be written has a place of its own. */
	if (check_wanted() || next->dst != (char *)run->dst + run->count ||
	    next->src != (const char *)run->src + run->count ||
	    readonly_target(run->dst) != run->dst ||
	    readonly_target(next->dst) != next->dst)
		return false;
	run->count += next->count;
	run->room += next->room;
	return true;
}

aclError transfer_async(const struct transfer *transfer, aclrtMemcpyKind kind,
			uintptr_t stream)
{
	bool now;
	aclError code = stream_result(stream_check(stream))
				?: transfer_rules(transfer, kind, &now);

	return code ?: transfer_start(transfer, now, stream);
}
