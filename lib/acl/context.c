// SPDX-License-Identifier: MIT
/* Devices and contexts: the argument rules of AscendCL. */
#include "acl/context.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "acl/acl_rt.h"
#include "backend/backend.h"
#include "base/base.h"
#include "exec/exec.h"
#include "acl/result.h"
#include "acl/state.h"

aclError context_need(void)
{
	int err;

	if (device_here())
		return ACL_SUCCESS;
	err = device_use_default();
	if (err != ACLKM_ERR_CONTEXT)
		return acl_result(err);
	return acl_refuse(ACL_ERROR_RT_CONTEXT_NULL,
			  "this thread has no context: call aclrtSetDevice in it first");
}

aclError context_need_to_wait(void)
{
	return acl_result(stream_may_wait()) ?: context_need();
}

aclError context_may_do_now(void)
{
	return acl_result(capture_may_do_now());
}

aclError context_check_device(int64_t id)
{
	return acl_result_for(device_check(id), ACLKM_ERR_INVALID,
			      ACL_ERROR_RT_INVALID_DEVICEID);
}

/*
 * Another thread may have reset the device since context_need. The thread's own record
 * stays readable then: its default stream is one that no call finds any more.
 */
uint32_t context_device(void)
{
	return device_mine.device;
}

uintptr_t context_stream(aclrtStream stream)
{
	return stream ? (uintptr_t)stream : device_mine.stream;
}

aclError stream_failure(int err)
{
	return acl_result_for(err, ACLKM_ERR_HANDLE, ACL_ERROR_RT_STREAM_CONTEXT);
}

aclError context_deadline(int32_t timeout, int zero_too, int64_t *out)
{
	if (timeout < -1 || (!timeout && !zero_too))
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "timeout = %d: must be -1 (none) or %d ms and more",
				  timeout, !zero_too);
	*out = clock_deadline(timeout);
	return ACL_SUCCESS;
}

/* Each context has a default stream, of which a device has so many. */
static aclError opened(int err)
{
	if (err == ACLKM_ERR_LIMIT)
		return acl_result_for(err, err, ACL_ERROR_RT_NO_STREAM_RESOURCE);
	return acl_result_for(err, ACLKM_ERR_INVALID, ACL_ERROR_RT_INVALID_DEVICEID);
}

aclError aclrtSetDevice(int32_t deviceId)
{
	aclError code = acl_enter(__func__);

	if (code)
		return code;
	if (!device_check(deviceId))
		state_tell(deviceId, ACL_RT_DEVICE_STATE_SET_PRE);
	/* Once more, as what was called may have called, too. */
	code = acl_enter(__func__) ?: opened(device_set(deviceId));
	if (!code)
		state_tell(deviceId, ACL_RT_DEVICE_STATE_SET_POST);
	return code;
}

static aclError reset(const char *call, int32_t id, bool force)
{
	int err;

	if (!device_check(id))
		state_tell(id, ACL_RT_DEVICE_STATE_RESET_PRE);
	err = acl_enter(call);
	if (err)
		return err;
	err = device_reset(id, force);
	if (!err)
		state_tell(id, ACL_RT_DEVICE_STATE_RESET_POST);
	if (err == ACLKM_ERR_HANDLE)
		return acl_result_for(err, err, ACL_ERROR_RT_CONTEXT_NULL);
	return acl_result_for(err, ACLKM_ERR_INVALID, ACL_ERROR_RT_INVALID_DEVICEID);
}

aclError aclrtResetDevice(int32_t deviceId)
{
	return acl_enter(__func__) ?: reset(__func__, deviceId, false);
}

aclError aclrtResetDeviceForce(int32_t deviceId)
{
	return acl_enter(__func__) ?: reset(__func__, deviceId, true);
}

aclError aclrtGetDevice(int32_t *deviceId)
{
	aclError code = acl_enter(__func__) ?: acl_need(deviceId, "deviceId") ?:
			context_need();

	if (code)
		return code;
	*deviceId = (int32_t)context_device();
	return ACL_SUCCESS;
}

aclError aclrtGetDeviceCount(uint32_t *count)
{
	aclError code = acl_enter(__func__) ?: acl_need(count, "count");

	if (code)
		return code;
	*count = config_get()->devices;
	return ACL_SUCCESS;
}

aclError aclrtGetRunMode(aclrtRunMode *runMode)
{
	aclError code = acl_enter(__func__) ?: acl_need(runMode, "runMode") ?:
			acl_result(config_check());

	if (code)
		return code;
	*runMode = config_get()->run_on_device ? ACL_DEVICE : ACL_HOST;
	return ACL_SUCCESS;
}

aclError aclrtSynchronizeDevice(void)
{
	return acl_enter(__func__) ?: context_need_to_wait() ?:
	       stream_result(stream_wait_device(context_device(), NO_DEADLINE));
}

aclError aclrtSynchronizeDeviceWithTimeout(int32_t timeout)
{
	int64_t deadline;
	aclError code = acl_enter(__func__) ?: context_need_to_wait() ?:
			context_deadline(timeout, 0, &deadline);

	if (code)
		return code;
	return acl_result_for(stream_wait_device(context_device(), deadline),
			      ACLKM_ERR_TIMEOUT, ACL_ERROR_RT_STREAM_SYNC_TIMEOUT);
}

aclError aclrtCreateContext(aclrtContext *context, int32_t deviceId)
{
	uintptr_t handle;
	aclError code = acl_enter(__func__) ?: acl_need(context, "context") ?:
			opened(context_create(deviceId, &handle));

	if (code)
		return code;
	*context = (aclrtContext)handle;
	return ACL_SUCCESS;
}

aclError aclrtDestroyContext(aclrtContext context)
{
	return acl_enter(__func__) ?: acl_need(context, "context") ?:
	       acl_result_for(context_destroy((uintptr_t)context), ACLKM_ERR_UNSUPPORTED,
			      ACL_ERROR_RT_PARAM_INVALID);
}

aclError aclrtSetCurrentContext(aclrtContext context)
{
	return acl_enter(__func__) ?: acl_need(context, "context") ?:
	       acl_result(context_use((uintptr_t)context));
}

aclError aclrtGetCurrentContext(aclrtContext *context)
{
	aclError code = acl_enter(__func__) ?: acl_need(context, "context") ?:
			context_need();

	if (code)
		return code;
	*context = (aclrtContext)device_context();
	return ACL_SUCCESS;
}

aclError aclrtCtxGetCurrentDefaultStream(aclrtStream *stream)
{
	aclError code = acl_enter(__func__) ?: acl_need(stream, "stream") ?:
			context_need();

	if (code)
		return code;
	*stream = (aclrtStream)context_stream(NULL);
	return ACL_SUCCESS;
}

aclError aclrtGetPrimaryCtxState(int32_t deviceId, uint32_t *flags, int32_t *active)
{
	aclError code = acl_enter(__func__) ?: context_check_device(deviceId);

	if (code)
		return code;
	if (flags)
		*flags = 0;
	if (active)
		*active = device_is_set((uint32_t)deviceId);
	return ACL_SUCCESS;
}

aclError aclrtDeviceTaskAbort(int32_t deviceId, uint32_t timeout)
{
	aclError code = acl_enter(__func__) ?: context_check_device(deviceId);

	if (code)
		return code;
	state_tell_abort(deviceId, ACL_RT_DEVICE_TASK_ABORT_PRE, timeout);
	stream_abort_device((uint32_t)deviceId);
	state_tell_abort(deviceId, ACL_RT_DEVICE_TASK_ABORT_POST, timeout);
	return ACL_SUCCESS;
}

aclError aclrtDeviceCanAccessPeer(int32_t *canAccessPeer, int32_t deviceId,
				  int32_t peerDeviceId)
{
	aclError code = acl_enter(__func__) ?: acl_need(canAccessPeer, "canAccessPeer") ?:
			context_check_device(deviceId) ?:
			context_check_device(peerDeviceId);

	if (code)
		return code;
	*canAccessPeer = deviceId != peerDeviceId;
	return ACL_SUCCESS;
}

static aclError set_peer(int32_t peer, bool enable)
{
	int err;

	if (peer != (int32_t)context_device()) {
		err = device_peer_set(context_device(), peer, enable);
		return acl_result_for(err, ACLKM_ERR_INVALID,
				      ACL_ERROR_RT_INVALID_DEVICEID);
	}
	return acl_refuse(ACL_ERROR_INVALID_PARAM,
			  "peerDeviceId = %d is the current device itself", peer);
}

aclError aclrtDeviceEnablePeerAccess(int32_t peerDeviceId, uint32_t flags)
{
	aclError code = acl_enter(__func__) ?: context_need();

	if (code)
		return code;
	if (flags)
		return acl_refuse(ACL_ERROR_FEATURE_UNSUPPORTED, "flags = %#x: must be 0",
				  flags);
	return set_peer(peerDeviceId, true);
}

aclError aclrtDeviceDisablePeerAccess(int32_t peerDeviceId)
{
	return acl_enter(__func__) ?: context_need() ?: set_peer(peerDeviceId, false);
}

aclError aclrtDevicePeerAccessStatus(int32_t deviceId, int32_t peerDeviceId,
				     int32_t *status)
{
	aclError code = acl_enter(__func__) ?: acl_need(status, "status") ?:
			context_check_device(deviceId) ?:
			context_check_device(peerDeviceId);

	if (code)
		return code;
	*status = device_peer_get((uint32_t)deviceId, (uint32_t)peerDeviceId);
	return ACL_SUCCESS;
}
