// SPDX-License-Identifier: MIT
/* Questions about memory, and host memory that the program registers. */
#include "acl/memory.h"

#include "acl/rt/vmm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "map/map.h"
#include "acl/context.h"
#include "acl/result.h"

#define HOST_FLAGS                                                                       \
	(ACL_HOST_REG_MAPPED | ACL_HOST_REG_IOMEMORY | ACL_HOST_REG_READONLY |           \
	 ACL_HOST_REG_PINNED)

aclError aclrtPointerGetAttributes(const void *ptr, aclrtPtrAttributes *attributes)
{
	struct place_info place;
	aclError code = acl_enter(__func__) ?: acl_need(ptr, "ptr") ?:
			acl_need(attributes, "attributes");

	if (code)
		return code;
	*attributes = (aclrtPtrAttributes){
		.location = {.type = ACL_MEM_LOCATION_TYPE_UNREGISTERED}};
	if (!place_describe(ptr, &place))
		return ACL_SUCCESS;
	attributes->location.id = place.device;
	attributes->pageSize = (uint32_t)place.page_size;
	if (place.managed)
		attributes->location.type = ACL_MEM_LOCATION_TYPE_MANAGED;
	else if (place.place == PLACE_HOST)
		attributes->location.type = ACL_MEM_LOCATION_TYPE_HOST;
	else
		attributes->location.type = ACL_MEM_LOCATION_TYPE_DEVICE;
	return ACL_SUCCESS;
}

static uint32_t type_of(const void *ptr)
{
	struct place_info place;

	if (!place_describe(ptr, &place) || place.place != PLACE_DEVICE)
		return 0;
	return place.media ? ACL_RT_MEM_TYPE_DVPP : ACL_RT_MEM_TYPE_DEV;
}

aclError aclrtCheckMemType(void **addrList, uint32_t size, uint32_t memType,
			   uint32_t *checkResult, uint32_t reserve)
{
	uint32_t i, all = 1;
	aclError code = acl_enter(__func__) ?: acl_need(addrList, "addrList") ?:
			acl_need_size(size, "size") ?:
			acl_need(checkResult, "checkResult");

	if (code)
		return code;
	if (!memType || memType & ~(ACL_RT_MEM_TYPE_DEV | ACL_RT_MEM_TYPE_DVPP |
				    ACL_RT_MEM_TYPE_RSVD))
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "memType = %#x: must be bits of ACL_RT_MEM_TYPE_*",
				  memType);
	if (reserve)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID, "reserve = %u: must be 0",
				  reserve);
	/* The first that is of another type tells. */
	for (i = 0; i < size && all; i++)
		all = (type_of(addrList[i]) & memType) != 0;
	*checkResult = all;
	return ACL_SUCCESS;
}

aclError aclrtGetMemUsageInfo(int32_t deviceId, aclrtMemUsageInfo *memUsageInfo,
			      size_t inputNum, size_t *outputNum)
{
	struct block_usage all[256];
	size_t i, n;
	aclError code = acl_enter(__func__) ?: acl_need(memUsageInfo, "memUsageInfo") ?:
			acl_need_size(inputNum, "inputNum") ?:
			acl_need(outputNum, "outputNum") ?: context_check_device(deviceId);

	if (code)
		return code;
	n = block_usages((uint32_t)deviceId, all, 256);
	if (n > inputNum)
		n = inputNum;
	memset(memUsageInfo, 0, n * sizeof(*memUsageInfo));
	for (i = 0; i < n; i++) {
		if (all[i].module == BLOCK_MODULE_APP)
			strcpy(memUsageInfo[i].name, "APP");
		else
			snprintf(memUsageInfo[i].name, sizeof(memUsageInfo[i].name),
				 "module %u", all[i].module);
		memUsageInfo[i].curMemSize = all[i].current;
		memUsageInfo[i].memPeakSize = all[i].peak;
	}
	*outputNum = n;
	return ACL_SUCCESS;
}

/* Nothing here ever fails on its own: there are none to tell of. */
aclError aclrtGetMemUceInfo(int32_t deviceId, aclrtMemUceInfo *memUceInfoArray,
			    size_t arraySize, size_t *retSize)
{
	aclError code =
		acl_enter(__func__) ?: acl_need(memUceInfoArray, "memUceInfoArray") ?:
		acl_need_size(arraySize, "arraySize") ?: acl_need(retSize, "retSize") ?:
		context_check_device(deviceId);

	if (!code)
		*retSize = 0;
	return code;
}

aclError aclrtMemUceRepair(int32_t deviceId, aclrtMemUceInfo *memUceInfoArray,
			   size_t arraySize)
{
	aclError code = acl_enter(__func__) ?:
			acl_need(memUceInfoArray, "memUceInfoArray") ?:
			context_check_device(deviceId);

	if (code)
		return code;
	if (arraySize > ACL_RT_MEM_UCE_INFO_MAX_NUM)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "arraySize = %zu: at most %d", arraySize,
				  ACL_RT_MEM_UCE_INFO_MAX_NUM);
	return ACL_SUCCESS;
}

static aclError memory_info_check_cached(const char *call, const void *ptr, size_t size)
{
	return acl_enter(call) ?: acl_need(ptr, "devPtr") ?: acl_need_size(size, "size");
}

/* The processor and what stands for the device see the same caches. */
aclError aclrtMemFlush(void *devPtr, size_t size)
{
	return memory_info_check_cached(__func__, devPtr, size);
}

aclError aclrtMemInvalidate(void *devPtr, size_t size)
{
	return memory_info_check_cached(__func__, devPtr, size);
}

static aclError check_host_range(const void *ptr, uint64_t size)
{
	uint64_t page = va_page_size();

	if ((uintptr_t)ptr % page)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "ptr = %p: must be a multiple of the page size, %llu",
				  ptr, (unsigned long long)page);
	if (config_get()->strict && size % page)
		return acl_refuse(
			ACL_ERROR_RT_PARAM_INVALID,
			"size = %llu: must be a multiple of the page size, %llu "
			"(ACLKM_STRICT=1)",
			(unsigned long long)size, (unsigned long long)page);
	if (size > UINTPTR_MAX - (uintptr_t)ptr)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "size = %llu: the range leaves the address space",
				  (unsigned long long)size);
	return ACL_SUCCESS;
}

static aclError register_host(void *ptr, uint64_t size, uint32_t flags)
{
	int err = host_register((uint64_t)(uintptr_t)ptr, size, flags,
				flags & ACL_HOST_REG_PINNED);

	if (err == ACLKM_ERR_EXISTS)
		return acl_result_for(err, err, ACL_ERROR_HOST_MEMORY_ALREADY_REGISTERED);
	return acl_result_for(err, ACLKM_ERR_INVALID, ACL_ERROR_RT_PARAM_INVALID);
}

aclError aclrtHostRegister(void *ptr, uint64_t size, aclrtHostRegisterType type,
			   void **devPtr)
{
	aclError code = acl_enter(__func__) ?: acl_need(ptr, "ptr") ?:
			acl_need_size(size, "size") ?: acl_need(devPtr, "devPtr") ?:
			context_need() ?: check_host_range(ptr, size);

	if (code)
		return code;
	if (type != ACL_HOST_REGISTER_MAPPED && type != ACL_HOST_REGISTER_IOMEMORY &&
	    type != ACL_HOST_REGISTER_READONLY)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "type = %d: not a value of aclrtHostRegisterType",
				  (int)type);
	code = register_host(ptr, size, ACL_HOST_REG_MAPPED | (uint32_t)type);
	if (!code)
		*devPtr = ptr;
	return code;
}

aclError aclrtHostRegisterV2(void *ptr, uint64_t size, uint32_t flag)
{
	aclError code = acl_enter(__func__) ?: acl_need(ptr, "ptr") ?:
			acl_need_size(size, "size") ?: context_need() ?:
			check_host_range(ptr, size);

	if (code)
		return code;
	if (!flag || flag & ~HOST_FLAGS)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "flag = %#x: must be bits of ACL_HOST_REG_*", flag);
	return register_host(ptr, size, flag);
}

aclError aclrtHostUnregister(void *ptr)
{
	aclError code = acl_enter(__func__) ?: acl_need(ptr, "ptr") ?: context_need();

	if (code)
		return code;
	place_goes(ptr, "unregistered");
	return acl_result_for(host_unregister((uint64_t)(uintptr_t)ptr),
			      ACLKM_ERR_FOREIGN, ACL_ERROR_HOST_MEMORY_NOT_REGISTERED);
}

aclError aclrtHostGetDevicePointer(void *pHost, void **pDevice, uint32_t flag)
{
	struct registered range;
	struct place_info place;
	aclError code = acl_enter(__func__) ?: acl_need(pHost, "pHost") ?:
			acl_need(pDevice, "pDevice") ?: context_need();

	if (code)
		return code;
	if (flag)
		return acl_refuse(ACL_ERROR_INVALID_PARAM, "flag = %u: must be 0", flag);
	if (registered_find(pHost, &range)) {
		if (!(range.flags & ACL_HOST_REG_MAPPED))
			return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
					  "pHost = %p: registered without "
					  "ACL_HOST_REG_MAPPED",
					  pHost);
	} else if (!place_describe(pHost, &place) || place.place != PLACE_HOST) {
		return acl_refuse(ACL_ERROR_HOST_MEMORY_NOT_REGISTERED,
				  "pHost = %p: not registered, and not memory of "
				  "aclrtMallocHost",
				  pHost);
	}
	*pDevice = pHost;
	return ACL_SUCCESS;
}

aclError aclrtMemGetAddressRange(void *ptr, void **pbase, size_t *psize)
{
	struct place_info place;
	aclError code = acl_enter(__func__) ?: acl_need(ptr, "ptr");

	if (code)
		return code;
	if (!pbase && !psize)
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "pbase and psize are NULL: one of them must not be");
	/* A block, or a mapping; in a range with nothing mapped there, the range. */
	if (!place_describe(ptr, &place)) {
		code = acl_result(
			vmm_range((uint64_t)(uintptr_t)ptr, &place.base, &place.size));
		if (code)
			return code;
	}
	if (pbase)
		*pbase = (void *)(uintptr_t)place.base;
	if (psize)
		*psize = place.size;
	return ACL_SUCCESS;
}

aclError aclrtMemP2PMap(void *devPtr, size_t size, int32_t dstDevId, uint64_t flags)
{
	struct place_info place;
	aclError code = acl_enter(__func__) ?: acl_need(devPtr, "devPtr") ?:
			acl_need_size(size, "size") ?: context_need() ?:
			context_check_device(dstDevId);

	if (code)
		return code;
	if (flags)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID, "flags = %llu: must be 0",
				  (unsigned long long)flags);
	if (!place_describe(devPtr, &place) || place.place != PLACE_DEVICE)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "devPtr = %p: not device memory", devPtr);
	return ACL_SUCCESS;
}
