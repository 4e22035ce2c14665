// SPDX-License-Identifier: MIT
/* Questions about the product that the library plays. */
#include "acl/acl_rt.h"
#include "acl/acl_platform.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "alloc/alloc.h"
#include "acl/context.h"
#include "acl/result.h"

aclError aclGetCannAttributeList(const aclCannAttr **cannAttrList, size_t *num)
{
	static const aclCannAttr both[] = {ACL_CANN_ATTR_INF_NAN, ACL_CANN_ATTR_BF16};
	aclError code = acl_enter(__func__) ?: acl_need(cannAttrList, "cannAttrList") ?:
			acl_need(num, "num");

	if (code)
		return code;
	*cannAttrList = both;
	*num = config_get()->product->infnan ? 2 : 0;
	return ACL_SUCCESS;
}

aclError aclGetCannAttribute(aclCannAttr cannAttr, int32_t *value)
{
	aclError code = acl_enter(__func__) ?: acl_need(value, "value");

	if (code)
		return code;
	switch (cannAttr) {
	case ACL_CANN_ATTR_INF_NAN:
		*value = config_get()->product->infnan;
		return ACL_SUCCESS;
	case ACL_CANN_ATTR_BF16:
		*value = config_get()->product->bf16;
		return ACL_SUCCESS;
	case ACL_CANN_ATTR_JIT_COMPILE:
		*value = 0;
		return ACL_SUCCESS;
	default:
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "cannAttr = %d: not a value of aclCannAttr",
				  (int)cannAttr);
	}
}

aclError aclGetDeviceCapability(uint32_t deviceId, aclDeviceInfo deviceInfo,
				int64_t *value)
{
	const struct product *product = config_get()->product;
	aclError code = acl_enter(__func__) ?: acl_need(value, "value") ?:
			context_check_device(deviceId);

	if (code)
		return code;
	switch (deviceInfo) {
	case ACL_DEVICE_INFO_AI_CORE_NUM:
		*value = product->ai_cores;
		return ACL_SUCCESS;
	case ACL_DEVICE_INFO_VECTOR_CORE_NUM:
		*value = product->vector_cores;
		return ACL_SUCCESS;
	case ACL_DEVICE_INFO_L2_SIZE:
		*value = (int64_t)product->l2_size;
		return ACL_SUCCESS;
	default:
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "deviceInfo = %d: not a value of aclDeviceInfo",
				  (int)deviceInfo);
	}
}

aclError aclrtCheckArchCompatibility(const char *socVersion, int32_t *canCompatible)
{
	const struct product *other;
	aclError code = acl_enter(__func__) ?: acl_need(socVersion, "socVersion") ?:
			acl_need(canCompatible, "canCompatible");

	if (code)
		return code;
	other = product_find(socVersion);
	if (!other)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "socVersion = %.64s: not the name of a product",
				  socVersion);
	*canCompatible = other->arch == config_get()->product->arch;
	return ACL_SUCCESS;
}

aclError aclrtGetDeviceInfo(uint32_t deviceId, aclrtDevAttr attr, int64_t *value)
{
	const struct product *product = config_get()->product;
	struct aclkm_memory_totals totals;
	aclError code = acl_enter(__func__) ?: acl_need(value, "value") ?:
			context_check_device(deviceId);

	if (code)
		return code;
	switch ((uint32_t)attr) {
	case ACL_DEV_ATTR_AICPU_CORE_NUM:
		*value = product->ai_cpus;
		return ACL_SUCCESS;
	case ACL_DEV_ATTR_AICORE_CORE_NUM:
		*value = product->ai_cores;
		return ACL_SUCCESS;
	case ACL_DEV_ATTR_CUBE_CORE_NUM:
		*value = product->cube_cores;
		return ACL_SUCCESS;
	case ACL_DEV_ATTR_VECTOR_CORE_NUM:
		*value = product->vector_cores;
		return ACL_SUCCESS;
	case ACL_DEV_ATTR_UBUF_PER_VECTOR_CORE:
		*value = (int64_t)product->ub_size;
		return ACL_SUCCESS;
	case ACL_DEV_ATTR_L2_CACHE_SIZE:
		*value = (int64_t)product->l2_size;
		return ACL_SUCCESS;
	case ACL_DEV_ATTR_NPU_ARCH:
		*value = product->arch;
		return ACL_SUCCESS;
	case ACL_DEV_ATTR_TOTAL_GLOBAL_MEM_SIZE:
		code = acl_result(heap_totals(deviceId, &totals));
		if (!code)
			*value = (int64_t)totals.total;
		return code;
	case ACL_DEV_ATTR_PHY_CHIP_ID:
		*value = deviceId;
		return ACL_SUCCESS;
	case ACL_DEV_ATTR_SMP_ID:
	case ACL_DEV_ATTR_IS_VIRTUAL:
	case ACL_DEV_ATTR_CUST_OP_PRIVILEGE:
		*value = 0;
		return ACL_SUCCESS;
	default:
		return acl_refuse(
			ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
			"attr = %d: told are cores, L2, memory, architecture and place",
			(int)attr);
	}
}

static aclError platform_number(aclplatformDevInfo infoType, uint64_t *out)
{
	const struct product *product = config_get()->product;
	struct aclkm_memory_totals totals;
	aclError code;

	switch (infoType) {
	case ACL_PLATFORM_AICORE_CNT:
		*out = product->ai_cores;
		return ACL_SUCCESS;
	case ACL_PLATFORM_AICORE_UB_SIZE:
		*out = product->ub_size;
		return ACL_SUCCESS;
	case ACL_PLATFORM_CUBE_CORE_CNT:
		*out = product->cube_cores;
		return ACL_SUCCESS;
	case ACL_PLATFORM_VECTOR_CORE_CNT:
		*out = product->vector_cores;
		return ACL_SUCCESS;
	case ACL_PLATFORM_L2_SIZE:
		*out = product->l2_size;
		return ACL_SUCCESS;
	case ACL_PLATFORM_NPU_ARCH:
		*out = product->arch;
		return ACL_SUCCESS;
	case ACL_PLATFORM_MEMORY_SIZE:
		code = context_need()
			       ?: acl_result(heap_totals(context_device(), &totals));
		if (!code)
			*out = totals.total;
		return code;
	default:
		if ((uint32_t)infoType > ACL_PLATFORM_MEMORY_TYPE)
			return acl_refuse(ACL_ERROR_INVALID_PARAM,
					  "infoType = %d: not a value of "
					  "aclplatformDevInfo",
					  (int)infoType);
		return acl_refuse(ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
				  "infoType = %d: told are cores, sizes of UB, L2 and "
				  "memory, name and architecture",
				  (int)infoType);
	}
}

aclError aclplatformGetDeviceInfo(aclplatformDevInfo infoType, char *value,
				  uint32_t maxLen)
{
	char text[64];
	uint64_t number = 0;
	aclError code = acl_enter(__func__) ?: acl_need(value, "value");

	if (code)
		return code;
	if (infoType == ACL_PLATFORM_SOC_VERSION) {
		snprintf(text, sizeof(text), "%s", config_get()->soc_name);
	} else {
		code = platform_number(infoType, &number);
		if (code)
			return code;
		snprintf(text, sizeof(text), "%" PRIu64, number);
	}
	if (strlen(text) >= maxLen)
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "maxLen = %u: the text and its NUL need %zu bytes",
				  maxLen, strlen(text) + 1);
	strcpy(value, text);
	return ACL_SUCCESS;
}
