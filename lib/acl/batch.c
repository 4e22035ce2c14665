// SPDX-License-Identifier: MIT
/* Batches of copies: all are checked before the first is done. */
#include "acl/transfer.h"

#include "base/base.h"
#include "exec/exec.h"
#include "acl/context.h"
#include "acl/result.h"

struct batch {
	void **dsts;
	const size_t *rooms;
	void **srcs;
	const size_t *sizes;
	size_t count;
	const aclrtMemcpyBatchAttr *attrs;
	const size_t *indexes;
	size_t attr_count;
	size_t failed; /* SIZE_MAX: no single one */
};

static aclError check_arrays(const struct batch *batch)
{
	return acl_need(batch->dsts, "dsts") ?: acl_need(batch->rooms, "destMaxs") ?:
	       acl_need(batch->srcs, "srcs") ?: acl_need(batch->sizes, "sizes") ?:
	       acl_need_size(batch->count, "numBatches") ?:
	       acl_need(batch->attrs, "attrs") ?:
	       acl_need(batch->indexes, "attrsIndexes") ?:
	       acl_need_size(batch->attr_count, "numAttrs") ?: context_need();
}

static bool is_host_type(const aclrtMemLocation *location)
{
	return location->type == ACL_MEM_LOCATION_TYPE_HOST ||
	       location->type == ACL_MEM_LOCATION_TYPE_HOST_NUMA ||
	       location->type == ACL_MEM_LOCATION_TYPE_UNREGISTERED;
}

/* Each item is for the copies from its index on; all have one direction. */
static aclError check_attrs(const struct batch *batch, aclrtMemcpyKind *kind)
{
	bool to_host = is_host_type(&batch->attrs[0].dstLoc);
	size_t i;

	if (batch->attr_count > batch->count)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "numAttrs = %zu: at most numBatches = %zu",
				  batch->attr_count, batch->count);
	for (i = 0; i < batch->attr_count; i++) {
		const aclrtMemcpyBatchAttr *attr = &batch->attrs[i];
		size_t least = i ? batch->indexes[i - 1] + 1 : 0;

		if (batch->indexes[i] >= batch->count || batch->indexes[i] < least ||
		    (!i && batch->indexes[0]))
			return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
					  "attrsIndexes[%zu] = %zu: must begin with 0, "
					  "ascend and be below numBatches = %zu",
					  i, batch->indexes[i], batch->count);
		if (is_host_type(&attr->dstLoc) == is_host_type(&attr->srcLoc) ||
		    is_host_type(&attr->dstLoc) != to_host)
			return acl_refuse(
				ACL_ERROR_RT_PARAM_INVALID,
				"attrs[%zu]: all copies of a batch go from host "
				"to device, or all from device to host",
				i);
	}
	*kind = to_host ? ACL_MEMCPY_DEVICE_TO_HOST : ACL_MEMCPY_HOST_TO_DEVICE;
	return ACL_SUCCESS;
}

static struct transfer item(const struct batch *batch, size_t i)
{
	return (struct transfer){.dst = batch->dsts[i],
				 .room = batch->rooms[i],
				 .src = batch->srcs[i],
				 .count = batch->sizes[i]};
}

static aclError check_item(const struct transfer *transfer, aclrtMemcpyKind kind,
			   size_t i)
{
	bool to_host = kind == ACL_MEMCPY_DEVICE_TO_HOST;
	enum place dst, src;
	aclError code = acl_need_size(transfer->count, "sizes[]")
				?: transfer_check(transfer, kind);

	if (code)
		return code;
	dst = place_of(transfer->dst);
	src = place_of(transfer->src);
	if ((dst == PLACE_DEVICE) == to_host || (src == PLACE_DEVICE) != to_host)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "copy %zu: dst = %p and src = %p are not %s", i,
				  transfer->dst, transfer->src,
				  to_host ? "host and device memory"
					  : "device and host memory");
	return ACL_SUCCESS;
}

static aclError check_batch(const char *call, struct batch *batch, aclrtMemcpyKind *kind)
{
	struct transfer transfer;
	aclError code;
	size_t i;

	batch->failed = SIZE_MAX;
	code = acl_enter(call) ?: check_arrays(batch) ?: check_attrs(batch, kind);
	for (i = 0; i < batch->count && !code; i++) {
		transfer = item(batch, i);
		code = check_item(&transfer, *kind, i);
		if (code)
			batch->failed = i;
	}
	return code;
}

static aclError run_batch(const char *call, struct batch *batch)
{
	struct transfer run, next;
	aclrtMemcpyKind kind;
	aclError code = check_batch(call, batch, &kind) ?: context_may_do_now();
	size_t i;

	if (code)
		return code;
	run = item(batch, 0);
	for (i = 1; i < batch->count; i++) {
		next = item(batch, i);
		if (transfer_join(&run, &next))
			continue;
		transfer_at_once(&run);
		run = next;
	}
	transfer_at_once(&run);
	counter_add(COUNT_COPIES_SYNC, batch->count);
	return ACL_SUCCESS;
}

/* Copies that go on where the one before ended: they are one, and counted as @n. */
struct run {
	struct transfer transfer;
	size_t first, n;
	bool now;
};

static aclError start_run(const struct run *run, uintptr_t stream, size_t *failed)
{
	aclError code = ACL_SUCCESS;

	if (run->n)
		code = transfer_start(&run->transfer, run->now, stream);
	if (code)
		*failed = run->first;
	else if (run->n > 1)
		counter_add(run->now ? COUNT_COPIES_DEGRADED : COUNT_COPIES_ASYNC,
			    run->n - 1);
	return code;
}

static aclError submit_all(struct batch *batch, aclrtMemcpyKind kind, uintptr_t stream)
{
	struct run run = {.n = 0};
	aclError code, last;
	size_t i;

	for (i = 0; i < batch->count; i++) {
		const struct transfer next = item(batch, i);
		bool now;

		code = transfer_rules(&next, kind, &now);
		if (code) {
			/* Those before one that is refused are done. */
			last = start_run(&run, stream, &batch->failed);
			if (!last)
				batch->failed = i;
			return last ?: code;
		}
		if (run.n && now == run.now && transfer_join(&run.transfer, &next)) {
			run.n++;
			continue;
		}
		code = start_run(&run, stream, &batch->failed);
		if (code)
			return code;
		run = (struct run){.transfer = next, .first = i, .n = 1, .now = now};
	}
	return start_run(&run, stream, &batch->failed);
}

static aclError submit_batch(const char *call, struct batch *batch, aclrtStream stream)
{
	aclrtMemcpyKind kind;
	aclError code = check_batch(call, batch, &kind)
				?: stream_result(stream_check(context_stream(stream)));

	return code ?: submit_all(batch, kind, context_stream(stream));
}

aclError aclrtMemcpyBatch(void **dsts, size_t *destMaxs, void **srcs, size_t *sizes,
			  size_t numBatches, aclrtMemcpyBatchAttr *attrs,
			  size_t *attrsIndexes, size_t numAttrs, size_t *failIndex)
{
	struct batch batch = {dsts,  destMaxs,	   srcs,     sizes, numBatches,
			      attrs, attrsIndexes, numAttrs, 0};
	aclError code = acl_enter(__func__) ?: acl_need(failIndex, "failIndex") ?:
			run_batch(__func__, &batch);

	if (failIndex)
		*failIndex = code ? batch.failed : SIZE_MAX;
	return code;
}

aclError aclrtMemcpyBatchV2(void **dsts, size_t *destMaxs, void **srcs, size_t *sizes,
			    size_t numBatches, aclrtMemcpyBatchAttr *attrs,
			    size_t *attrsIndexes, size_t numAttrs)
{
	struct batch batch = {dsts,  destMaxs,	   srcs,     sizes, numBatches,
			      attrs, attrsIndexes, numAttrs, 0};

	return run_batch(__func__, &batch);
}

aclError aclrtMemcpyBatchAsync(void **dsts, size_t *destMaxs, void **srcs, size_t *sizes,
			       size_t numBatches, aclrtMemcpyBatchAttr *attrs,
			       size_t *attrsIndexes, size_t numAttrs, size_t *failIndex,
			       aclrtStream stream)
{
	struct batch batch = {dsts,  destMaxs,	   srcs,     sizes, numBatches,
			      attrs, attrsIndexes, numAttrs, 0};
	aclError code = acl_enter(__func__) ?: acl_need(failIndex, "failIndex") ?:
			submit_batch(__func__, &batch, stream);

	if (failIndex)
		*failIndex = code ? batch.failed : SIZE_MAX;
	return code;
}

aclError aclrtMemcpyBatchAsyncV2(void **dsts, size_t *destMaxs, void **srcs,
				 size_t *sizes, size_t numBatches,
				 aclrtMemcpyBatchAttr *attrs, size_t *attrsIndexes,
				 size_t numAttrs, aclrtStream stream)
{
	struct batch batch = {dsts,  destMaxs,	   srcs,     sizes, numBatches,
			      attrs, attrsIndexes, numAttrs, 0};

	return submit_batch(__func__, &batch, stream);
}
