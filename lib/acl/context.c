// SPDX-License-Identifier: MIT
/*
 * Device 0, counted; its default context is a number that changes when the
 * device is released for good, so that threads that had set it know.
 */
#include "context.h"

#include <pthread.h>
#include <stdatomic.h>

#include "acl/acl_rt.h"
#include "../backend.h"
#include "../config.h"
#include "../stream.h"
#include "result.h"

#define DEVICE_COUNT 1

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t set_count;
static uint64_t generations;
static _Atomic uint64_t generation; /* of the live context; 0: none */
static _Atomic uintptr_t default_stream;

static _Thread_local uint64_t my_generation;

bool context_is_set(void)
{
	return my_generation && my_generation == atomic_load(&generation);
}

aclError context_need(void)
{
	if (context_is_set())
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_RT_CONTEXT_NULL,
			  "this thread has no context: call aclrtSetDevice in it first");
}

uintptr_t context_stream(aclrtStream stream)
{
	if (!stream)
		return atomic_load(&default_stream);
	return (uintptr_t)stream;
}

static aclError check_id(int32_t id)
{
	if (id >= 0 && id < DEVICE_COUNT)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_RT_INVALID_DEVICEID,
			  "deviceId = %d: must be from 0 to %d", id, DEVICE_COUNT - 1);
}

static int acquire_locked(void)
{
	uintptr_t stream;
	int err;

	if (!set_count) {
		err = stream_create(&stream);
		if (err)
			return err;
		atomic_store(&default_stream, stream);
		atomic_store(&generation, ++generations);
	}
	set_count++;
	return ACLKM_OK;
}

aclError aclrtSetDevice(int32_t deviceId)
{
	const struct backend *backend;
	aclError code;
	int err = api_enter(__func__);

	if (err)
		return acl_result(err);
	code = check_id(deviceId);
	if (code)
		return code;
	err = backend_get(&backend);
	if (err)
		return acl_result(err);

	pthread_mutex_lock(&lock);
	err = acquire_locked();
	if (!err)
		my_generation = atomic_load(&generation);
	pthread_mutex_unlock(&lock);
	return acl_result(err);
}

aclError aclrtResetDevice(int32_t deviceId)
{
	bool any, last;
	aclError code;
	int err = api_enter(__func__);

	if (err)
		return acl_result(err);
	code = check_id(deviceId);
	if (code)
		return code;

	pthread_mutex_lock(&lock);
	any = set_count > 0;
	if (any)
		set_count--;
	last = any && !set_count;
	if (last) {
		atomic_store(&generation, 0);
		/* Under the lock: a set in another thread finds none of these. */
		stream_destroy_all();
	}
	pthread_mutex_unlock(&lock);
	if (!any)
		return acl_refuse(ACL_ERROR_RT_CONTEXT_NULL,
				  "deviceId = %d is not set: more resets than sets",
				  deviceId);
	return ACL_SUCCESS;
}

aclError aclrtGetDevice(int32_t *deviceId)
{
	aclError code;
	int err = api_enter(__func__);

	if (err)
		return acl_result(err);
	if (!deviceId)
		return acl_refuse(ACL_ERROR_INVALID_PARAM, "deviceId is NULL");
	code = context_need();
	if (code)
		return code;
	*deviceId = 0;
	return ACL_SUCCESS;
}

aclError aclrtGetDeviceCount(uint32_t *count)
{
	int err = api_enter(__func__);

	if (err)
		return acl_result(err);
	if (!count)
		return acl_refuse(ACL_ERROR_INVALID_PARAM, "count is NULL");
	*count = DEVICE_COUNT;
	return ACL_SUCCESS;
}

aclError aclrtGetRunMode(aclrtRunMode *runMode)
{
	int err = api_enter(__func__);

	if (err)
		return acl_result(err);
	if (!runMode)
		return acl_refuse(ACL_ERROR_INVALID_PARAM, "runMode is NULL");
	err = config_check();
	if (err)
		return acl_result(err);
	*runMode = config_get()->run_on_device ? ACL_DEVICE : ACL_HOST;
	return ACL_SUCCESS;
}

aclError aclrtSynchronizeDevice(void)
{
	aclError code;
	int err = api_enter(__func__);

	if (err)
		return acl_result(err);
	code = context_need();
	if (code)
		return code;
	stream_wait_all();
	return ACL_SUCCESS;
}
