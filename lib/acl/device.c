// SPDX-License-Identifier: MIT
/* Questions about the device and the library. */
#include "acl/acl_rt.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend/backend.h"
#include "base/base.h"
#include "exec/exec.h"
#include "acl/context.h"
#include "acl/result.h"

const char *aclrtGetSocName(void)
{
	if (acl_enter(__func__))
		return NULL;
	return config_get()->soc_name;
}

aclError aclrtGetVersion(int32_t *majorVersion, int32_t *minorVersion,
			 int32_t *patchVersion)
{
	aclError code = acl_enter(__func__) ?: acl_need(majorVersion, "majorVersion") ?:
			acl_need(minorVersion, "minorVersion") ?:
			acl_need(patchVersion, "patchVersion");

	if (code)
		return code;
	*majorVersion = ACL_MAJOR_VERSION;
	*minorVersion = ACL_MINOR_VERSION;
	*patchVersion = ACL_PATCH_VERSION;
	return ACL_SUCCESS;
}

aclError aclrtDeviceGetBareTgid(int32_t *pid)
{
	aclError code = acl_enter(__func__) ?: acl_need(pid, "pid");

	if (code)
		return code;
	*pid = (int32_t)getpid();
	return ACL_SUCCESS;
}

aclError aclrtQueryDeviceStatus(int32_t deviceId, aclrtDeviceStatus *deviceStatus)
{
	aclError code = acl_enter(__func__) ?: acl_need(deviceStatus, "deviceStatus") ?:
			context_check_device(deviceId);

	if (code)
		return code;
	*deviceStatus = ACL_RT_DEVICE_STATUS_NORMAL;
	return ACL_SUCCESS;
}

aclError aclrtDeviceGetStreamPriorityRange(int32_t *leastPriority,
					   int32_t *greatestPriority)
{
	aclError code = acl_enter(__func__) ?: context_need();

	if (code)
		return code;
	if (leastPriority)
		*leastPriority = STREAM_LOWEST_PRIORITY;
	if (greatestPriority)
		*greatestPriority = 0;
	return ACL_SUCCESS;
}

/* The same in every process on this machine, and another for each device. */
aclError aclrtDeviceGetUuid(int32_t deviceId, aclrtUuid *uuid)
{
	char boot[64] = "";
	FILE *file;
	size_t i, at = 0;
	aclError code = acl_enter(__func__) ?: acl_need(uuid, "uuid") ?:
			context_check_device(deviceId);

	if (code)
		return code;
	file = fopen("/proc/sys/kernel/random/boot_id", "re");
	if (file) {
		if (!fgets(boot, sizeof(boot), file))
			boot[0] = '\0';
		fclose(file);
	}
	memset(uuid, 0, sizeof(*uuid));
	for (i = 0; boot[i]; i++) {
		if (boot[i] != '-')
			uuid->bytes[at++ % sizeof(uuid->bytes)] ^= boot[i];
	}
	uuid->bytes[0] ^= (char)deviceId;
	return ACL_SUCCESS;
}

static aclError same_number(const char *call, int32_t from, const char *name, int32_t *to)
{
	aclError code = acl_enter(call) ?: acl_need(to, name) ?: context_check_device(from);

	if (!code)
		*to = from;
	return code;
}

aclError aclrtGetLogicDevIdByUserDevId(const int32_t userDevid, int32_t *const logicDevId)
{
	return same_number(__func__, userDevid, "logicDevId", logicDevId);
}

aclError aclrtGetUserDevIdByLogicDevId(const int32_t logicDevId, int32_t *const userDevid)
{
	return same_number(__func__, logicDevId, "userDevid", userDevid);
}

aclError aclrtGetLogicDevIdByPhyDevId(const int32_t phyDevId, int32_t *const logicDevId)
{
	return same_number(__func__, phyDevId, "logicDevId", logicDevId);
}

aclError aclrtGetPhyDevIdByLogicDevId(const int32_t logicDevId, int32_t *const phyDevId)
{
	return same_number(__func__, logicDevId, "phyDevId", phyDevId);
}

aclError aclrtGetUserDevIdByPhyDevId(const int32_t phyDevId, int32_t *const userDevId)
{
	return same_number(__func__, phyDevId, "userDevId", userDevId);
}

aclError aclrtGetPhyDevIdByUserDevId(const int32_t userDevId, int32_t *const phyDevId)
{
	return same_number(__func__, userDevId, "phyDevId", phyDevId);
}

aclError aclrtHostMemMapCapabilities(uint32_t deviceId, aclrtHacType hacType,
				     aclrtHostMemMapCapability *capabilities)
{
	aclError code = acl_enter(__func__) ?: acl_need(capabilities, "capabilities") ?:
			context_check_device(deviceId);

	if (code)
		return code;
	if ((uint32_t)hacType > ACL_RT_HAC_TYPE_CCU)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "hacType = %d: not a value of aclrtHacType",
				  (int)hacType);
	*capabilities =
		hacType == ACL_RT_HAC_TYPE_PCIEDMA || hacType == ACL_RT_HAC_TYPE_SDMA
			? ACL_RT_HOST_MEM_MAP_SUPPORTED
			: ACL_RT_HOST_MEM_MAP_NOT_SUPPORTED;
	return ACL_SUCCESS;
}
