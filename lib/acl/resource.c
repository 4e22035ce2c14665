// SPDX-License-Identifier: MIT
/*
 * Settings for compute cores: kept for the program that asks for them again. One mutex
 * guards all of them; they are set rarely.
 */
#include "acl/acl_rt.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/base.h"
#include "exec/exec.h"
#include "alloc/alloc.h"
#include "acl/context.h"
#include "acl/result.h"

#define CORE_KINDS 2

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Limits of a device; 0: not set. */
static uint32_t device_limits[MAX_DEVICES][CORE_KINDS];

/* Modes of a device plus 1; 0: not set. */
static int32_t saturation[MAX_DEVICES];

static _Atomic uint64_t op_timeout_us;

/* The stream whose limits hold in this thread; 0: none. */
static _Thread_local uintptr_t used_stream;

static aclError core_kind(aclrtDevResLimitType type)
{
	if ((uint32_t)type < CORE_KINDS)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_INVALID_PARAM,
			  "type = %d: must be ACL_RT_DEV_RES_CUBE_CORE (0) or "
			  "ACL_RT_DEV_RES_VECTOR_CORE (1)",
			  (int)type);
}

static uint32_t all_cores(aclrtDevResLimitType type)
{
	const struct product *product = config_get()->product;

	return type == ACL_RT_DEV_RES_CUBE_CORE ? product->cube_cores
						: product->vector_cores;
}

static aclError core_limit(aclrtDevResLimitType type, uint32_t value)
{
	if (value && value <= all_cores(type))
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
			  "value = %u: must be 1 to %u, the cores of %s", value,
			  all_cores(type), config_get()->soc_name);
}

static uint32_t device_limit(uint32_t device, aclrtDevResLimitType type)
{
	uint32_t limit;

	pthread_mutex_lock(&lock);
	limit = device_limits[device][type];
	pthread_mutex_unlock(&lock);
	return limit ? limit : all_cores(type);
}

static void limit_device(uint32_t device, uint32_t kind, uint32_t value)
{
	pthread_mutex_lock(&lock);
	device_limits[device][kind] = value;
	pthread_mutex_unlock(&lock);
}

aclError aclrtGetDeviceResLimit(int32_t deviceId, aclrtDevResLimitType type,
				uint32_t *value)
{
	aclError code = acl_enter(__func__) ?: acl_need(value, "value") ?:
			core_kind(type) ?: context_check_device(deviceId);

	if (!code)
		*value = device_limit((uint32_t)deviceId, type);
	return code;
}

aclError aclrtSetDeviceResLimit(int32_t deviceId, aclrtDevResLimitType type,
				uint32_t value)
{
	aclError code = acl_enter(__func__) ?: core_kind(type) ?:
			context_check_device(deviceId) ?: core_limit(type, value);

	if (!code)
		limit_device((uint32_t)deviceId, type, value);
	return code;
}

aclError aclrtResetDeviceResLimit(int32_t deviceId)
{
	aclError code = acl_enter(__func__) ?: context_check_device(deviceId);

	if (code)
		return code;
	limit_device((uint32_t)deviceId, ACL_RT_DEV_RES_CUBE_CORE, 0);
	limit_device((uint32_t)deviceId, ACL_RT_DEV_RES_VECTOR_CORE, 0);
	return ACL_SUCCESS;
}

struct limit_change {
	uint32_t kinds; /* bits */
	uint32_t value;
};

static int change_limits(struct stream_attributes *at, void *arg)
{
	const struct limit_change *change = arg;
	uint32_t i;

	for (i = 0; i < CORE_KINDS; i++) {
		if (change->kinds & 1U << i)
			at->core_limits[i] = change->value;
	}
	return ACLKM_OK;
}

static aclError limit_stream(aclrtStream stream, uint32_t kinds, uint32_t value)
{
	struct limit_change change = {kinds, value};

	return stream_failure(
		stream_change(context_stream(stream), change_limits, &change));
}

static aclError stream_limit(uintptr_t stream, aclrtDevResLimitType type, uint32_t *value)
{
	struct stream_attributes at;
	aclError code = stream_failure(stream_get(stream, &at));

	if (!code)
		*value = at.core_limits[type] ? at.core_limits[type]
					      : device_limit(context_device(), type);
	return code;
}

aclError aclrtGetStreamResLimit(aclrtStream stream, aclrtDevResLimitType type,
				uint32_t *value)
{
	return acl_enter(__func__) ?: acl_need(value, "value") ?: core_kind(type) ?:
	       context_need() ?: stream_limit(context_stream(stream), type, value);
}

aclError aclrtSetStreamResLimit(aclrtStream stream, aclrtDevResLimitType type,
				uint32_t value)
{
	return acl_enter(__func__) ?: core_kind(type) ?: core_limit(type, value) ?:
	       context_need() ?: limit_stream(stream, 1U << type, value);
}

aclError aclrtResetStreamResLimit(aclrtStream stream)
{
	return acl_enter(__func__) ?: context_need() ?:
	       limit_stream(stream, (1U << CORE_KINDS) - 1, 0);
}

aclError aclrtUseStreamResInCurrentThread(aclrtStream stream)
{
	uint32_t unused;
	aclError code = acl_enter(__func__) ?: context_need() ?:
			stream_limit(context_stream(stream), ACL_RT_DEV_RES_CUBE_CORE,
				     &unused);

	if (!code)
		used_stream = context_stream(stream);
	return code;
}

aclError aclrtUnuseStreamResInCurrentThread(aclrtStream stream)
{
	uint32_t unused;
	aclError code = acl_enter(__func__) ?: context_need() ?:
			stream_limit(context_stream(stream), ACL_RT_DEV_RES_CUBE_CORE,
				     &unused);

	if (!code && used_stream == context_stream(stream))
		used_stream = 0;
	return code;
}

aclError aclrtGetResInCurrentThread(aclrtDevResLimitType type, uint32_t *value)
{
	struct stream_attributes at;
	aclError code = acl_enter(__func__) ?: acl_need(value, "value") ?:
			core_kind(type) ?: context_need();

	if (code)
		return code;
	/* A stream that has gone has no limits any more. */
	if (!used_stream || stream_get(used_stream, &at) || !at.core_limits[type])
		*value = device_limit(context_device(), type);
	else
		*value = at.core_limits[type];
	return ACL_SUCCESS;
}

static uint32_t saturation_device(void)
{
	const struct device_here *here = device_here();

	return here ? here->device : 0;
}

aclError aclrtSetDeviceSatMode(aclrtFloatOverflowMode mode)
{
	aclError code = acl_enter(__func__);

	if (code)
		return code;
	if ((uint32_t)mode >= ACL_RT_OVERFLOW_MODE_UNDEF)
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "mode = %d: must be ACL_RT_OVERFLOW_MODE_SATURATION "
				  "(0) or ACL_RT_OVERFLOW_MODE_INFNAN (1)",
				  (int)mode);
	pthread_mutex_lock(&lock);
	saturation[saturation_device()] = (int32_t)mode + 1;
	pthread_mutex_unlock(&lock);
	return ACL_SUCCESS;
}

aclError aclrtGetDeviceSatMode(aclrtFloatOverflowMode *mode)
{
	int32_t set;
	aclError code = acl_enter(__func__) ?: acl_need(mode, "mode");

	if (code)
		return code;
	pthread_mutex_lock(&lock);
	set = saturation[saturation_device()];
	pthread_mutex_unlock(&lock);
	if (set)
		*mode = (aclrtFloatOverflowMode)(set - 1);
	else
		*mode = config_get()->product->infnan ? ACL_RT_OVERFLOW_MODE_INFNAN
						      : ACL_RT_OVERFLOW_MODE_SATURATION;
	return ACL_SUCCESS;
}

aclError aclrtSetOpExecuteTimeOut(uint32_t timeout)
{
	aclError code = acl_enter(__func__);

	if (!code)
		atomic_store(&op_timeout_us, timeout * 1000000ULL);
	return code;
}

aclError aclrtSetOpExecuteTimeOutWithMs(uint32_t timeout)
{
	aclError code = acl_enter(__func__);

	if (!code)
		atomic_store(&op_timeout_us, timeout * 1000ULL);
	return code;
}

aclError aclrtSetOpExecuteTimeOutV2(uint64_t timeout, uint64_t *actualTimeout)
{
	aclError code = acl_enter(__func__);

	if (code)
		return code;
	atomic_store(&op_timeout_us, timeout);
	if (actualTimeout)
		*actualTimeout = timeout;
	return ACL_SUCCESS;
}

aclError aclrtGetOpExecuteTimeout(uint32_t *const timeoutMs)
{
	uint64_t ms;
	aclError code = acl_enter(__func__) ?: acl_need(timeoutMs, "timeoutMs");

	if (code)
		return code;
	ms = atomic_load(&op_timeout_us) / 1000;
	*timeoutMs = ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
	return ACL_SUCCESS;
}

aclError aclrtGetOpTimeOutInterval(uint64_t *interval)
{
	aclError code = acl_enter(__func__) ?: acl_need(interval, "interval");

	if (!code)
		*interval = 1;
	return code;
}

aclError aclrtGetDeviceUtilizationRate(int32_t deviceId,
				       aclrtUtilizationInfo *utilizationInfo)
{
	struct aclkm_memory_totals totals;
	aclError code = acl_enter(__func__) ?:
			acl_need(utilizationInfo, "utilizationInfo") ?:
			context_check_device(deviceId);

	if (code)
		return code;
	if (utilizationInfo->utilizationExtend)
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "utilizationExtend = %p: must be NULL",
				  (void *)utilizationInfo->utilizationExtend);
	code = acl_result(heap_totals((uint32_t)deviceId, &totals));
	if (code)
		return code;
	*utilizationInfo = (aclrtUtilizationInfo){0};
	if (totals.total)
		utilizationInfo->memoryUtilization =
			(int32_t)((double)(totals.total - totals.free) * 100 /
				  (double)totals.total);
	return ACL_SUCCESS;
}

aclError aclrtGetErrorVerbose(int32_t deviceId, aclrtErrorInfo *errorInfo)
{
	aclError code = acl_enter(__func__) ?: acl_need(errorInfo, "errorInfo") ?:
			context_check_device(deviceId);

	if (!code)
		memset(errorInfo, 0, sizeof(*errorInfo));
	return code;
}

aclError aclrtRepairError(int32_t deviceId, const aclrtErrorInfo *errorInfo)
{
	aclError code = acl_enter(__func__) ?: acl_need(errorInfo, "errorInfo") ?:
			context_check_device(deviceId);

	if (code || errorInfo->errorType == ACL_RT_NO_ERROR)
		return code;
	return acl_refuse(ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
			  "errorType = %d: this device has no faults of the hardware to "
			  "repair",
			  (int)errorInfo->errorType);
}
