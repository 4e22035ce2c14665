// SPDX-License-Identifier: MIT
/* Events: the argument rules of AscendCL. */
#include "acl/acl_rt.h"

#include <stdatomic.h>

#include "exec/exec.h"
#include "base/base.h"
#include "map/map.h"
#include "acl/context.h"
#include "acl/result.h"

/* Seconds that a wait of a stream lasts; 0: for ever. */
static _Atomic uint32_t op_wait_timeout;

/* An event that is not alive is a bad argument, a stream that is not alive 107003. */
static aclError check_event(aclrtEvent event, struct event_status *status)
{
	return acl_need(event, "event")
		       ?: acl_result(event_query((uintptr_t)event, status));
}

static aclError acl_event_create(const char *call, aclrtEvent *event, uint32_t flags,
				 uint32_t mode)
{
	uintptr_t handle;
	aclError code = acl_enter(call) ?: acl_need(event, "event") ?: context_need();

	if (code)
		return code;
	if (flags & ~EVENT_FLAGS)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "flag = %#x: known bits are %#x", flags, EVENT_FLAGS);
	if (flags & EVENT_IPC)
		code = acl_result(
			event_create_shared(context_device(), flags | mode, &handle));
	else
		code = acl_result(event_create(context_device(), flags | mode, &handle));
	if (code)
		return code;
	*event = (aclrtEvent)handle;
	return ACL_SUCCESS;
}

aclError aclrtCreateEvent(aclrtEvent *event)
{
	return acl_event_create(__func__, event, EVENT_SYNC | EVENT_TIME_LINE, 0);
}

aclError aclrtCreateEventWithFlag(aclrtEvent *event, uint32_t flag)
{
	return acl_event_create(__func__, event, flag, 0);
}

aclError aclrtCreateEventExWithFlag(aclrtEvent *event, uint32_t flag)
{
	return acl_event_create(__func__, event, flag, EVENT_NEW_MODE);
}

aclError aclrtDestroyEvent(aclrtEvent event)
{
	return acl_enter(__func__) ?: acl_need(event, "event") ?:
	       acl_result(event_destroy((uintptr_t)event));
}

static aclError check_use_flag(uint32_t flag)
{
	if (flag <= ACL_EVENT_RECORD_EXTERNAL)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_RT_PARAM_INVALID, "flag = %u: must be 0 or 1", flag);
}

static aclError record(const char *call, aclrtEvent event, aclrtStream stream,
		       uint32_t flag)
{
	struct event_status status;
	int err;
	aclError code = acl_enter(call) ?: acl_need(event, "event") ?:
			check_use_flag(flag) ?: context_need() ?:
			check_event(event, &status);

	if (code)
		return code;
	err = event_record((uintptr_t)event, context_stream(stream), flag);
	if (err == ACLKM_ERR_LIMIT)
		return acl_result_for(err, err, ACL_ERROR_RT_NO_EVENT_RESOURCE);
	return stream_result(err);
}

aclError aclrtRecordEvent(aclrtEvent event, aclrtStream stream)
{
	return record(__func__, event, stream, 0);
}

aclError aclrtRecordEventWithFlag(aclrtEvent event, aclrtStream stream, uint32_t flag)
{
	return record(__func__, event, stream, flag);
}

aclError aclrtResetEvent(aclrtEvent event, aclrtStream stream)
{
	struct event_status status;

	return acl_enter(__func__) ?: acl_need(event, "event") ?: context_need() ?:
	       check_event(event, &status) ?:
	       stream_result(event_reset((uintptr_t)event, context_stream(stream)));
}

static aclError wait_event(const char *call, aclrtStream stream, aclrtEvent event,
			   int64_t timeout_ms, uint32_t flag)
{
	struct event_status status;

	return acl_enter(call) ?: acl_need(event, "event") ?: context_need() ?:
	       check_event(event, &status) ?:
	       stream_result(event_wait((uintptr_t)event, context_stream(stream),
					timeout_ms, flag));
}

static int64_t default_timeout(void)
{
	uint32_t seconds = atomic_load(&op_wait_timeout);

	return seconds ? (int64_t)seconds * 1000 : -1;
}

aclError aclrtStreamWaitEvent(aclrtStream stream, aclrtEvent event)
{
	return wait_event(__func__, stream, event, default_timeout(), 0);
}

aclError aclrtStreamWaitEventWithTimeout(aclrtStream stream, aclrtEvent event,
					 int32_t timeout)
{
	int64_t unused;

	return acl_enter(__func__) ?: context_deadline(timeout, 0, &unused) ?:
	       wait_event(__func__, stream, event, timeout, 0);
}

aclError aclrtStreamWaitEventWithFlag(aclrtStream stream, aclrtEvent event,
				      uint32_t timeout, uint32_t flag)
{
	return acl_enter(__func__) ?: check_use_flag(flag) ?:
	       wait_event(__func__, stream, event,
			  timeout ? (int64_t)timeout : default_timeout(), flag);
}

aclError aclrtSetOpWaitTimeout(uint32_t timeout)
{
	aclError code = acl_enter(__func__);

	if (!code)
		atomic_store(&op_wait_timeout, timeout);
	return code;
}

aclError aclrtSynchronizeEvent(aclrtEvent event)
{
	return acl_enter(__func__) ?: acl_need(event, "event") ?:
	       context_need_to_wait() ?:
	       acl_result(event_synchronize((uintptr_t)event, NO_DEADLINE));
}

aclError aclrtSynchronizeEventWithTimeout(aclrtEvent event, int32_t timeout)
{
	int64_t deadline;
	aclError code = acl_enter(__func__) ?: acl_need(event, "event") ?:
			context_need_to_wait() ?: context_deadline(timeout, 1, &deadline);

	if (code)
		return code;
	return acl_result_for(event_synchronize((uintptr_t)event, deadline),
			      ACLKM_ERR_TIMEOUT, ACL_ERROR_RT_EVENT_SYNC_TIMEOUT);
}

/* A question that has no answer while the event is one of a capture. */
static aclError ask_event(aclrtEvent event, struct event_status *status)
{
	aclError code = check_event(event, status);

	if (code || !status->captured)
		return code;
	return acl_refuse(ACL_ERROR_RT_EVENT_CAPTURED,
			  "event = %p: was recorded in a stream that is captured", event);
}

static aclError refuse_new_mode(const struct event_status *status)
{
	if (!(status->flags & EVENT_NEW_MODE))
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
			  "the event is one of aclrtCreateEventExWithFlag: use "
			  "aclrtQueryEventStatus");
}

aclError aclrtQueryEvent(aclrtEvent event, aclrtEventStatus *status)
{
	struct event_status now;
	aclError code = acl_enter(__func__) ?: acl_need(status, "status") ?:
			ask_event(event, &now) ?: refuse_new_mode(&now);

	if (!code)
		*status = now.complete ? ACL_EVENT_STATUS_COMPLETE
				       : ACL_EVENT_STATUS_NOT_READY;
	return code;
}

aclError aclrtQueryEventStatus(aclrtEvent event, aclrtEventRecordedStatus *status)
{
	struct event_status now;
	bool complete;
	aclError code = acl_enter(__func__) ?: acl_need(status, "status") ?:
			ask_event(event, &now);

	if (code)
		return code;
	complete = now.recorded ? now.complete : now.flags & EVENT_NEW_MODE;
	*status = complete ? ACL_EVENT_RECORDED_STATUS_COMPLETE
			   : ACL_EVENT_RECORDED_STATUS_NOT_READY;
	return ACL_SUCCESS;
}

aclError aclrtQueryEventWaitStatus(aclrtEvent event, aclrtEventWaitStatus *status)
{
	struct event_status now;
	aclError code = acl_enter(__func__) ?: acl_need(status, "status") ?:
			ask_event(event, &now) ?: refuse_new_mode(&now);

	if (!code)
		*status = now.waited ? ACL_EVENT_WAIT_STATUS_COMPLETE
				     : ACL_EVENT_WAIT_STATUS_NOT_READY;
	return code;
}

/* The time of an event that has one. */
static aclError time_of(const char *name, aclrtEvent event, int64_t *out)
{
	struct event_status now;
	aclError code = acl_need(event, name) ?: ask_event(event, &now);

	if (code)
		return code;
	if (now.flags & (EVENT_IPC | EVENT_EXTERNAL))
		return acl_refuse(ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
				  "%s = %p: IPC and external events have no time", name,
				  event);
	if (!now.recorded)
		return acl_refuse(ACL_ERROR_RT_INTERNAL_ERROR,
				  "%s = %p was never recorded", name, event);
	if (!now.time)
		return acl_refuse(ACL_ERROR_RT_EVENT_TIMESTAMP_INVALID, "%s = %p: %s",
				  name, event,
				  now.flags & EVENT_TIME_LINE
					  ? "not complete yet"
					  : "created without ACL_EVENT_TIME_LINE, so it "
					    "has no time");
	*out = now.time;
	return ACL_SUCCESS;
}

aclError aclrtEventElapsedTime(float *ms, aclrtEvent startEvent, aclrtEvent endEvent)
{
	int64_t start, end;
	aclError code = acl_enter(__func__) ?: acl_need(ms, "ms") ?:
			time_of("startEvent", startEvent, &start) ?:
			time_of("endEvent", endEvent, &end);

	if (!code)
		*ms = (float)((double)(end - start) / 1e6);
	return code;
}

aclError aclrtEventGetTimestamp(aclrtEvent event, uint64_t *timestamp)
{
	int64_t time;
	aclError code = acl_enter(__func__) ?: acl_need(timestamp, "timestamp") ?:
			time_of("event", event, &time);

	if (!code)
		*timestamp = (uint64_t)time / 1000;
	return code;
}

aclError aclrtGetEventId(aclrtEvent event, uint32_t *eventId)
{
	struct event_status now;
	aclError code = acl_enter(__func__) ?: acl_need(eventId, "eventId") ?:
			check_event(event, &now);

	if (!code)
		*eventId = now.id;
	return code;
}

aclError aclrtGetEventAvailNum(uint32_t *eventCount)
{
	aclError code = acl_enter(__func__) ?: acl_need(eventCount, "eventCount") ?:
			context_need();

	if (!code)
		*eventCount = event_available(context_device());
	return code;
}
