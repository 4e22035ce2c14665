// SPDX-License-Identifier: MIT
/* Streams: the argument rules of AscendCL. */
#include "acl/acl_rt.h"

#include <stdlib.h>

#include "exec/exec.h"
#include "base/base.h"
#include "acl/context.h"
#include "acl/result.h"

#define KNOWN_FLAGS                                                                      \
	(ACL_STREAM_FAST_LAUNCH | ACL_STREAM_FAST_SYNC | ACL_STREAM_PERSISTENT |         \
	 ACL_STREAM_HUGE | ACL_STREAM_CPU_SCHEDULE | ACL_STREAM_DEVICE_USE_ONLY)

static aclError acl_stream_create(const char *call, aclrtStream *stream,
				  uint32_t priority, uint32_t flags)
{
	struct stream_config config = {.flags = flags, .priority = priority};
	uintptr_t handle, context;
	aclError code = acl_enter(call) ?: acl_need(stream, "stream") ?: context_need();

	if (code)
		return code;
	if (flags & ~KNOWN_FLAGS)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "flag = %#x: known bits are %#x", flags, KNOWN_FLAGS);
	if (config.priority > STREAM_LOWEST_PRIORITY)
		config.priority = STREAM_LOWEST_PRIORITY;
	context = device_context();
	code = acl_result_for(stream_create(context, context_device(), &config, &handle),
			      ACLKM_ERR_LIMIT, ACL_ERROR_RT_NO_STREAM_RESOURCE);
	if (code)
		return code;
	*stream = (aclrtStream)handle;
	stream_tell_created(handle);
	return ACL_SUCCESS;
}

aclError aclrtCreateStream(aclrtStream *stream)
{
	return acl_stream_create(__func__, stream, 0, 0);
}

aclError aclrtCreateStreamWithConfig(aclrtStream *stream, uint32_t priority,
				     uint32_t flag)
{
	return acl_stream_create(__func__, stream, priority, flag);
}

aclError aclrtCreateStreamV2(aclrtStream *stream, const aclrtStreamConfigHandle *handle)
{
	if (!handle)
		return acl_stream_create(__func__, stream, 0, 0);
	return acl_stream_create(__func__, stream, handle->priority,
				 (uint32_t)handle->flag);
}

aclrtStreamConfigHandle *aclrtCreateStreamConfigHandle(void)
{
	if (acl_enter(__func__))
		return NULL;
	return calloc(1, sizeof(aclrtStreamConfigHandle));
}

aclError aclrtDestroyStreamConfigHandle(aclrtStreamConfigHandle *handle)
{
	aclError code = acl_enter(__func__) ?: acl_need(handle, "handle");

	if (code)
		return code;
	free(handle);
	return ACL_SUCCESS;
}

static aclError need_value_size(size_t size, size_t want)
{
	if (size == want)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_INVALID_PARAM, "valueSize = %zu: must be %zu", size,
			  want);
}

aclError aclrtSetStreamConfigOpt(aclrtStreamConfigHandle *handle,
				 aclrtStreamConfigAttr attr, const void *attrValue,
				 size_t valueSize)
{
	aclError code = acl_enter(__func__) ?: acl_need(handle, "handle") ?:
			acl_need(attrValue, "attrValue");

	if (code)
		return code;
	switch (attr) {
	case ACL_RT_STREAM_WORK_ADDR_PTR:
		code = need_value_size(valueSize, sizeof(void *));
		if (!code)
			handle->workptr = *(void *const *)attrValue;
		return code;
	case ACL_RT_STREAM_WORK_SIZE:
		code = need_value_size(valueSize, sizeof(size_t));
		if (!code)
			handle->workSize = *(const size_t *)attrValue;
		return code;
	case ACL_RT_STREAM_FLAG:
		/* aclrtCreateStreamWithConfig takes 4 bytes, so programs have those. */
		if (valueSize == sizeof(uint32_t)) {
			handle->flag = *(const uint32_t *)attrValue;
			return ACL_SUCCESS;
		}
		code = need_value_size(valueSize, sizeof(size_t));
		if (!code)
			handle->flag = *(const size_t *)attrValue;
		return code;
	case ACL_RT_STREAM_PRIORITY:
		code = need_value_size(valueSize, sizeof(uint32_t));
		if (!code)
			handle->priority = *(const uint32_t *)attrValue;
		return code;
	default:
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "attr = %d: not a value of aclrtStreamConfigAttr",
				  (int)attr);
	}
}

aclError aclrtDestroyStream(aclrtStream stream)
{
	return acl_enter(__func__) ?: acl_need(stream, "stream") ?:
	       stream_result(stream_destroy((uintptr_t)stream, false));
}

aclError aclrtDestroyStreamForce(aclrtStream stream)
{
	return acl_enter(__func__) ?: acl_need(stream, "stream") ?:
	       stream_result(stream_destroy((uintptr_t)stream, true));
}

HOT aclError aclrtSynchronizeStream(aclrtStream stream)
{
	const struct device_here *here = device_here();
	uintptr_t handle;

	if (!here || api_enter(__func__))
		return acl_enter(__func__) ?: context_need_to_wait() ?:
		       stream_result(stream_wait(context_stream(stream), NO_DEADLINE));
	handle = stream ? (uintptr_t)stream : here->stream;
	/* Nothing to wait for, and nothing to say: the usual end of small copies. */
	if (stream_is_done(handle, here->context))
		return ACL_SUCCESS;
	return stream_result(stream_wait(handle, NO_DEADLINE));
}

aclError aclrtSynchronizeStreamWithTimeout(aclrtStream stream, int32_t timeout)
{
	int64_t deadline;
	int err;
	aclError code = acl_enter(__func__) ?: context_need_to_wait() ?:
			context_deadline(timeout, 1, &deadline);

	if (code)
		return code;
	err = stream_wait(context_stream(stream), deadline);
	if (err == ACLKM_ERR_TIMEOUT)
		return acl_result_for(err, err, ACL_ERROR_RT_STREAM_SYNC_TIMEOUT);
	return stream_result(err);
}

aclError aclrtStreamQuery(aclrtStream stream, aclrtStreamStatus *status)
{
	bool idle;
	aclError code = acl_enter(__func__) ?: acl_need(status, "status") ?:
			context_need() ?:
			stream_result(stream_query(context_stream(stream), &idle));

	if (code)
		return code;
	*status = idle ? ACL_STREAM_STATUS_COMPLETE : ACL_STREAM_STATUS_NOT_READY;
	return ACL_SUCCESS;
}

aclError aclrtStreamAbort(aclrtStream stream)
{
	return acl_enter(__func__) ?: context_need() ?:
	       stream_result(stream_abort(context_stream(stream), true));
}

aclError aclrtStreamStop(aclrtStream stream)
{
	return acl_enter(__func__) ?: context_need() ?:
	       stream_result(stream_abort(context_stream(stream), false));
}

static aclError acl_stream_look(const char *call, aclrtStream stream, const void *out,
				const char *name, struct stream_attributes *at)
{
	return acl_enter(call) ?: acl_need(out, name) ?: context_need() ?:
	       stream_result(stream_get(context_stream(stream), at));
}

aclError aclrtStreamGetId(aclrtStream stream, int32_t *streamId)
{
	struct stream_attributes at;
	aclError code = acl_stream_look(__func__, stream, streamId, "streamId", &at);

	if (!code)
		*streamId = at.id;
	return code;
}

aclError aclrtStreamGetPriority(aclrtStream stream, uint32_t *priority)
{
	struct stream_attributes at;
	aclError code = acl_stream_look(__func__, stream, priority, "priority", &at);

	if (!code)
		*priority = at.priority;
	return code;
}

aclError aclrtStreamGetFlags(aclrtStream stream, uint32_t *flags)
{
	struct stream_attributes at;
	aclError code = acl_stream_look(__func__, stream, flags, "flags", &at);

	if (!code)
		*flags = at.flags;
	return code;
}

/* Programs may have just the item that they set: no other one is read. */
struct change {
	aclrtStreamAttr attribute;
	const aclrtStreamAttrValue *value;
};

static int change_attribute(struct stream_attributes *at, void *arg)
{
	const struct change *change = arg;

	switch (change->attribute) {
	case ACL_STREAM_ATTR_FAILURE_MODE:
		at->failure_mode = change->value->failureMode;
		break;
	case ACL_STREAM_ATTR_FLOAT_OVERFLOW_CHECK:
		at->overflow_switch = change->value->overflowSwitch;
		break;
	case ACL_STREAM_ATTR_USER_CUSTOM_TAG:
		at->custom_tag = change->value->userCustomTag;
		break;
	case ACL_STREAM_ATTR_CACHE_OP_INFO:
		at->cache_op_info = change->value->cacheOpInfoSwitch;
		break;
	case ACL_STREAM_ATTR_PRIORITY:
		at->priority = change->value->streamPriority > STREAM_LOWEST_PRIORITY
				       ? STREAM_LOWEST_PRIORITY
				       : change->value->streamPriority;
		break;
	default:
		return error_set(ACLKM_ERR_INVALID,
				 "stmAttrType = %d: not a value of aclrtStreamAttr",
				 (int)change->attribute);
	}
	return ACLKM_OK;
}

static aclError set_attribute(uintptr_t stream, aclrtStreamAttr attribute,
			      const aclrtStreamAttrValue *value)
{
	struct change change = {attribute, value};

	if (attribute == ACL_STREAM_ATTR_FAILURE_MODE &&
	    value->failureMode > ACL_STOP_ON_FAILURE)
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "mode = %llu: must be ACL_CONTINUE_ON_FAILURE (0) or "
				  "ACL_STOP_ON_FAILURE (1)",
				  (unsigned long long)value->failureMode);
	return stream_result(stream_change(stream, change_attribute, &change));
}

aclError aclrtSetStreamAttribute(aclrtStream stream, aclrtStreamAttr stmAttrType,
				 aclrtStreamAttrValue *value)
{
	return acl_enter(__func__) ?: acl_need(value, "value") ?: context_need() ?:
	       set_attribute(context_stream(stream), stmAttrType, value);
}

aclError aclrtGetStreamAttribute(aclrtStream stream, aclrtStreamAttr stmAttrType,
				 aclrtStreamAttrValue *value)
{
	struct stream_attributes at;
	aclError code = acl_stream_look(__func__, stream, value, "value", &at);

	if (code)
		return code;
	switch (stmAttrType) {
	case ACL_STREAM_ATTR_FAILURE_MODE:
		value->failureMode = at.failure_mode;
		return ACL_SUCCESS;
	case ACL_STREAM_ATTR_FLOAT_OVERFLOW_CHECK:
		value->overflowSwitch = at.overflow_switch;
		return ACL_SUCCESS;
	case ACL_STREAM_ATTR_USER_CUSTOM_TAG:
		value->userCustomTag = at.custom_tag;
		return ACL_SUCCESS;
	case ACL_STREAM_ATTR_CACHE_OP_INFO:
		value->cacheOpInfoSwitch = at.cache_op_info;
		return ACL_SUCCESS;
	case ACL_STREAM_ATTR_PRIORITY:
		value->streamPriority = at.priority;
		return ACL_SUCCESS;
	default:
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "stmAttrType = %d: not a value of aclrtStreamAttr",
				  (int)stmAttrType);
	}
}

aclError aclrtSetStreamFailureMode(aclrtStream stream, uint64_t mode)
{
	const aclrtStreamAttrValue value = {.failureMode = mode};

	return acl_enter(__func__) ?: acl_need(stream, "stream") ?: context_need() ?:
	       set_attribute((uintptr_t)stream, ACL_STREAM_ATTR_FAILURE_MODE, &value);
}

aclError aclrtSetStreamOverflowSwitch(aclrtStream stream, uint32_t flag)
{
	const aclrtStreamAttrValue value = {.overflowSwitch = flag};
	aclError code = acl_enter(__func__);

	if (code)
		return code;
	if (flag > 1)
		return acl_refuse(ACL_ERROR_INVALID_PARAM, "flag = %u: must be 0 or 1",
				  flag);
	return context_need()
		       ?: set_attribute(context_stream(stream),
					ACL_STREAM_ATTR_FLOAT_OVERFLOW_CHECK, &value);
}

aclError aclrtGetStreamOverflowSwitch(aclrtStream stream, uint32_t *flag)
{
	struct stream_attributes at;
	aclError code = acl_stream_look(__func__, stream, flag, "flag", &at);

	if (!code)
		*flag = at.overflow_switch;
	return code;
}

aclError aclrtGetStreamAvailableNum(uint32_t *streamCount)
{
	aclError code = acl_enter(__func__) ?: acl_need(streamCount, "streamCount") ?:
			context_need();

	if (!code)
		*streamCount = stream_available(context_device());
	return code;
}
