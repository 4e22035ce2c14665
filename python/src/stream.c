// SPDX-License-Identifier: MIT
/* acl.rt: streams and events. Stream 0 is the default stream of the context. */
#include "args.h"

ACL_OUT(create_stream, "", void *, aclrtCreateStream(&out))
ACL_OUT(create_stream_with_config, "II", void *,
	aclrtCreateStreamWithConfig(&out, U32(0), U32(1)))
ACL_RET(destroy_stream, "k", aclrtDestroyStream(PTR(0)))
ACL_RET(destroy_stream_force, "k", aclrtDestroyStreamForce(PTR(0)))
ACL_RET(synchronize_stream, "k", aclrtSynchronizeStream(PTR(0)))
ACL_RET(synchronize_stream_with_timeout, "ki",
	aclrtSynchronizeStreamWithTimeout(PTR(0), I32(1)))
ACL_OUT(stream_query, "k", aclrtStreamStatus, aclrtStreamQuery(PTR(0), &out))
ACL_RET(stream_abort, "k", aclrtStreamAbort(PTR(0)))
ACL_RET(stream_stop, "k", aclrtStreamStop(PTR(0)))
ACL_OUT(stream_get_id, "k", int32_t, aclrtStreamGetId(PTR(0), &out))
ACL_OUT(stream_get_priority, "k", uint32_t, aclrtStreamGetPriority(PTR(0), &out))
ACL_OUT(stream_get_flags, "k", uint32_t, aclrtStreamGetFlags(PTR(0), &out))
ACL_RET(set_stream_failure_mode, "kk", aclrtSetStreamFailureMode(PTR(0), w[1]))
ACL_OUT(get_stream_available_num, "", uint32_t, aclrtGetStreamAvailableNum(&out))
ACL_OUT(ctx_get_current_default_stream, "", void *, aclrtCtxGetCurrentDefaultStream(&out))

/* An attribute as a number: its item of the union is what all of them begin with. */
static PyObject *py_set_stream_attribute(PyObject *module, PyObject *args)
{
	unsigned long w[ACL_MAX_ARGS];
	aclrtStreamAttrValue value = {0};
	int ret;

	(void)module;
	if (!acl_args(args, "set_stream_attribute", "kIk", w))
		return NULL;
	value.failureMode = w[2];
	UNLOCKED(ret = aclrtSetStreamAttribute(PTR(0), (aclrtStreamAttr)w[1], &value));
	return PyLong_FromLong(ret);
}

static PyObject *py_get_stream_attribute(PyObject *module, PyObject *args)
{
	unsigned long w[ACL_MAX_ARGS];
	aclrtStreamAttrValue value = {0};
	int ret;

	(void)module;
	if (!acl_args(args, "get_stream_attribute", "kI", w))
		return NULL;
	UNLOCKED(ret = aclrtGetStreamAttribute(PTR(0), (aclrtStreamAttr)w[1], &value));
	return Py_BuildValue("(ki)", (unsigned long)value.failureMode, ret);
}

PyMethodDef acl_stream_methods[] = {
	FN(create_stream, "()", "Gives (stream, ret)."),
	FN(create_stream_with_config, "(priority, flag)",
	   "A stream with a priority from 0, the highest, to 7. Gives (stream, ret)."),
	FN(destroy_stream, "(stream)", "Finish its tasks and destroy it. Gives ret."),
	FN(destroy_stream_force, "(stream)", "Drop its tasks. Gives ret."),
	FN(synchronize_stream, "(stream)", "Wait for its tasks. Gives ret."),
	FN(synchronize_stream_with_timeout, "(stream, timeout)",
	   "The same, for that many ms at most, -1 for ever. Gives ret."),
	FN(stream_query, "(stream)",
	   "0 when all is done, 1 when not. Gives (status, ret)."),
	FN(stream_abort, "(stream)", "Drop its tasks; it can be used again. Gives ret."),
	FN(stream_stop, "(stream)", "Drop what it has, wait for what runs. Gives ret."),
	FN(stream_get_id, "(stream)", "Gives (stream_id, ret)."),
	FN(stream_get_priority, "(stream)", "Gives (priority, ret)."),
	FN(stream_get_flags, "(stream)", "Gives (flags, ret)."),
	FN(set_stream_failure_mode, "(stream, mode)",
	   "1: no task runs behind one that fails. Gives ret."),
	FN(set_stream_attribute, "(stream, stm_attr_type, value)",
	   "ACL_STREAM_ATTR_*, an int. Gives ret."),
	FN(get_stream_attribute, "(stream, stm_attr_type)", "Gives (value, ret)."),
	FN(get_stream_available_num, "()",
	   "How many can be created yet. Gives (count, ret)."),
	FN(ctx_get_current_default_stream, "()",
	   "The stream that 0 means. Gives (stream, ret)."),
	FN_END,
};

ACL_OUT(create_event, "", void *, aclrtCreateEvent(&out))
ACL_OUT(create_event_with_flag, "I", void *, aclrtCreateEventWithFlag(&out, U32(0)))
ACL_OUT(create_event_ex_with_flag, "I", void *, aclrtCreateEventExWithFlag(&out, U32(0)))
ACL_RET(destroy_event, "k", aclrtDestroyEvent(PTR(0)))
ACL_RET(record_event, "kk", aclrtRecordEvent(PTR(0), PTR(1)))
ACL_RET(reset_event, "kk", aclrtResetEvent(PTR(0), PTR(1)))
ACL_RET(stream_wait_event, "kk", aclrtStreamWaitEvent(PTR(0), PTR(1)))
ACL_RET(stream_wait_event_with_timeout, "kki",
	aclrtStreamWaitEventWithTimeout(PTR(0), PTR(1), I32(2)))
ACL_RET(set_op_wait_timeout, "I", aclrtSetOpWaitTimeout(U32(0)))
ACL_RET(synchronize_event, "k", aclrtSynchronizeEvent(PTR(0)))
ACL_RET(synchronize_event_with_timeout, "ki",
	aclrtSynchronizeEventWithTimeout(PTR(0), I32(1)))
ACL_OUT(query_event, "k", aclrtEventStatus, aclrtQueryEvent(PTR(0), &out))
ACL_OUT(query_event_status, "k", aclrtEventRecordedStatus,
	aclrtQueryEventStatus(PTR(0), &out))
ACL_OUT(query_event_wait_status, "k", aclrtEventWaitStatus,
	aclrtQueryEventWaitStatus(PTR(0), &out))
ACL_OUT(event_elapsed_time, "kk", float, aclrtEventElapsedTime(&out, PTR(0), PTR(1)))
ACL_OUT(event_get_timestamp, "k", uint64_t, aclrtEventGetTimestamp(PTR(0), &out))
ACL_OUT(get_event_id, "k", uint32_t, aclrtGetEventId(PTR(0), &out))
ACL_OUT(get_event_avail_num, "", uint32_t, aclrtGetEventAvailNum(&out))

PyMethodDef acl_event_methods[] = {
	FN(create_event, "()", "For waiting and with a time. Gives (event, ret)."),
	FN(create_event_with_flag, "(flag)", "ACL_EVENT_* bits. Gives (event, ret)."),
	FN(create_event_ex_with_flag, "(flag)",
	   "The same without reset_event and query_event. Gives (event, ret)."),
	FN(destroy_event, "(event)", "Gives ret."),
	FN(record_event, "(event, stream)", "Mark the place in the stream. Gives ret."),
	FN(reset_event, "(event, stream)",
	   "Make it not recorded when the stream comes there. Gives ret."),
	FN(stream_wait_event, "(stream, event)",
	   "Hold the stream until the event is complete. Gives ret."),
	FN(stream_wait_event_with_timeout, "(stream, event, timeout)",
	   "The same, for that many ms at most. Gives ret."),
	FN(set_op_wait_timeout, "(timeout)",
	   "Seconds that streams wait for events; 0 for ever. Gives ret."),
	FN(synchronize_event, "(event)", "Wait for it. Gives ret."),
	FN(synchronize_event_with_timeout, "(event, timeout)",
	   "The same, for that many ms at most, -1 for ever. Gives ret."),
	FN(query_event, "(event)", "Deprecated: 0 complete, 1 not. Gives (status, ret)."),
	FN(query_event_status, "(event)",
	   "0 not complete, 1 complete. Gives (status, ret)."),
	FN(query_event_wait_status, "(event)",
	   "0 all waits are over, 1 not. Gives (status, ret)."),
	FN(event_elapsed_time, "(start, end)", "Milliseconds, a float. Gives (ms, ret)."),
	FN(event_get_timestamp, "(event)", "Microseconds. Gives (timestamp, ret)."),
	FN(get_event_id, "(event)", "Gives (event_id, ret)."),
	FN(get_event_avail_num, "()", "How many can be created yet. Gives (count, ret)."),
	FN_END,
};
