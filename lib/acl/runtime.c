// SPDX-License-Identifier: MIT
/*
 * The runtime's own names: thin functions over AscendCL's. Only closing imported memory
 * needs state, as it is closed by its address here and by its key there; a mutex guards
 * the list of what was opened.
 */
#include "acl/rt/runtime.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "acl/acl_rt.h"
#include "acl/refused.h"
#include "acl/result.h"

#define LOCATION_HOST 1
#define LOCATION_DEVICE 2
#define LOCATION_OTHER 4

struct opened {
	struct opened *next;
	void *address;
	char key[ACL_RT_IPC_MEM_KEY_LENGTH];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct opened *all_opened;

rtError_t rtMalloc(void **devPtr, uint64_t size, rtMemType_t type,
		   const uint16_t moduleId)
{
	aclrtMallocAttribute module = {.attr = ACL_RT_MEM_ATTR_MODULE_ID,
				       .value = {.moduleId = moduleId}};
	aclrtMallocConfig config = {.attrs = &module, .numAttrs = 1};

	(void)type;
	return aclrtMallocWithCfg(devPtr, size, ACL_MEM_MALLOC_HUGE_FIRST, &config);
}

rtError_t rtFree(void *devPtr)
{
	return aclrtFree(devPtr);
}

rtError_t rtMallocHost(void **hostPtr, uint64_t size, const uint16_t moduleId)
{
	aclrtMallocAttribute module = {.attr = ACL_RT_MEM_ATTR_MODULE_ID,
				       .value = {.moduleId = moduleId}};
	aclrtMallocConfig config = {.attrs = &module, .numAttrs = 1};

	return aclrtMallocHostWithCfg(hostPtr, size, &config);
}

rtError_t rtFreeHost(void *hostPtr)
{
	return aclrtFreeHost(hostPtr);
}

rtError_t rtMemcpy(void *dst, uint64_t destMax, const void *src, uint64_t cnt,
		   rtMemcpyKind_t kind)
{
	(void)kind;
	return aclrtMemcpy(dst, destMax, src, cnt, ACL_MEMCPY_DEFAULT);
}

rtError_t rtMemcpyAsyncWithoutCheckKind(void *dst, uint64_t destMax, const void *src,
					uint64_t cnt, rtMemcpyKind_t kind, rtStream_t stm)
{
	(void)kind;
	return aclrtMemcpyAsync(dst, destMax, src, cnt, ACL_MEMCPY_DEFAULT, stm);
}

rtError_t rtPointerGetAttributes(rtPointerAttributes_t *attributes, const void *ptr)
{
	aclrtPtrAttributes told = {0};
	aclError code = acl_enter(__func__) ?: acl_need(attributes, "attributes") ?:
			aclrtPointerGetAttributes(ptr, &told);

	if (code)
		return code;
	memset(attributes, 0, sizeof(*attributes));
	if (told.location.type == ACL_MEM_LOCATION_TYPE_DEVICE)
		attributes->memoryType = LOCATION_DEVICE;
	else if (told.location.type == ACL_MEM_LOCATION_TYPE_HOST)
		attributes->memoryType = LOCATION_HOST;
	else
		attributes->memoryType = LOCATION_OTHER;
	attributes->locationType = attributes->memoryType;
	attributes->deviceID = told.location.id;
	attributes->pageSize = told.pageSize;
	return ACL_SUCCESS;
}

rtError_t rtSetDevice(int32_t devId)
{
	return aclrtSetDevice(devId);
}

rtError_t rtDeviceGetBareTgid(uint32_t *pid)
{
	return aclrtDeviceGetBareTgid((int32_t *)pid);
}

rtError_t rtGetLogicDevIdByUserDevId(const int32_t userDevId, int32_t *const logicDevId)
{
	return aclrtGetLogicDevIdByUserDevId(userDevId, logicDevId);
}

rtError_t rtGetDevicePhyIdByIndex(uint32_t devIndex, uint32_t *phyId)
{
	return aclrtGetPhyDevIdByLogicDevId((int32_t)devIndex, (int32_t *)phyId);
}

rtError_t rtEnableP2P(uint32_t devIdDes, uint32_t phyIdSrc, uint32_t flag)
{
	int32_t can;

	/* Every device reaches every other: only the numbers can be wrong. */
	(void)flag;
	return aclrtDeviceCanAccessPeer(&can, (int32_t)devIdDes, (int32_t)phyIdSrc);
}

rtError_t rtDisableP2P(uint32_t devIdDes, uint32_t phyIdSrc)
{
	return rtEnableP2P(devIdDes, phyIdSrc, 0);
}

rtError_t rtStreamCreate(rtStream_t *stm, int32_t priority)
{
	return aclrtCreateStreamWithConfig(stm, (uint32_t)(priority < 0 ? 0 : priority),
					   0);
}

rtError_t rtStreamDestroy(rtStream_t stm)
{
	return aclrtDestroyStream(stm);
}

rtError_t rtStreamGetSqid(const rtStream_t stm, uint32_t *sqId)
{
	return aclrtStreamGetId(stm, (int32_t *)sqId);
}

rtError_t rtStreamGetCqid(const rtStream_t stm, uint32_t *cqId, uint32_t *logicCqId)
{
	aclError code = acl_enter(__func__) ?: acl_need(cqId, "cqId") ?:
			acl_need(logicCqId, "logicCqId") ?:
			aclrtStreamGetId(stm, (int32_t *)cqId);

	if (!code)
		*logicCqId = *cqId;
	return code;
}

rtError_t rtIpcSetMemoryName(const void *ptr, uint64_t byteCount, char *name,
			     uint32_t len)
{
	return aclrtIpcMemGetExportKey((void *)(uintptr_t)ptr, byteCount, name, len,
				       ACL_RT_IPC_MEM_EXPORT_FLAG_DEFAULT);
}

rtError_t rtSetIpcMemPid(const char *name, int32_t pid[], int32_t num)
{
	return aclrtIpcMemSetImportPid(name, pid, (size_t)(num < 0 ? 0 : num));
}

rtError_t rtIpcOpenMemory(void **ptr, const char *name)
{
	struct opened *opened;
	aclError code = acl_enter(__func__) ?: acl_need(ptr, "ptr") ?:
			acl_need(name, "name");

	if (code)
		return code;
	opened = calloc(1, sizeof(*opened));
	if (!opened)
		return acl_result(ACLKM_ERR_NOHEAP);
	code = aclrtIpcMemImportByKey(ptr, name,
				      ACL_RT_IPC_MEM_IMPORT_FLAG_ENABLE_PEER_ACCESS);
	if (code) {
		free(opened);
		return code;
	}
	opened->address = *ptr;
	strncpy(opened->key, name, sizeof(opened->key) - 1);
	pthread_mutex_lock(&lock);
	opened->next = all_opened;
	all_opened = opened;
	pthread_mutex_unlock(&lock);
	return ACL_SUCCESS;
}

rtError_t rtIpcCloseMemory(const void *ptr)
{
	struct opened **at, *found = NULL;
	aclError code = acl_enter(__func__) ?: acl_need(ptr, "ptr");

	if (code)
		return code;
	pthread_mutex_lock(&lock);
	for (at = &all_opened; *at; at = &(*at)->next) {
		if ((*at)->address == ptr) {
			found = *at;
			*at = found->next;
			break;
		}
	}
	pthread_mutex_unlock(&lock);
	if (!found)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "ptr = %p: not an address that rtIpcOpenMemory gave",
				  ptr);
	code = aclrtIpcMemClose(found->key);
	free(found);
	return code;
}

rtError_t rtIpcDestroyMemoryName(const char *name)
{
	return aclrtIpcMemClose(name);
}

#define DRIVER "the numbers and addresses of the real driver are not there"

REFUSED(rtGetDeviceInfo, DRIVER);
REFUSED(rtNotifyGetAddrOffset, DRIVER);
REFUSED(rtGetDevResAddress, DRIVER);

#define OTHER_SERVERS "memory is shared between processes of one machine"

REFUSED(rtSetIpcMemorySuperPodPid, OTHER_SERVERS);
