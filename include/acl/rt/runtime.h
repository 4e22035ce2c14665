/* SPDX-License-Identifier: MIT */
/*
 * The runtime's own names, which some programs look up with dlsym beside AscendCL's.
 *
 * Each one is the AscendCL function of the same purpose and returns its codes. No other
 * header includes this one: programs that declare these names themselves may go on.
 */
#ifndef ACL_RT_RUNTIME_H
#define ACL_RT_RUNTIME_H

#include "../acl_base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t rtError_t;
typedef void *rtStream_t;
typedef void *rtNotify_t;

/* rtMemcpyKind_t - 0 host to host, 1 host to device, 2 device to host, 3 device to
 * device; the addresses count, as in aclrtMemcpy. */
typedef uint32_t rtMemcpyKind_t;

/* rtMemType_t - bits; huge pages are taken if there are any, whatever they say. */
typedef uint32_t rtMemType_t;

/* What rtPointerGetAttributes tells: 1 host memory, 2 device memory, 4 others. */
typedef struct rtPointerAttributes {
	uint32_t memoryType;
	uint32_t locationType;
	uint32_t deviceID;
	uint32_t pageSize;
} rtPointerAttributes_t;

ACL_FUNC_VISIBILITY rtError_t rtMalloc(void **devPtr, uint64_t size, rtMemType_t type,
				       const uint16_t moduleId);
ACL_FUNC_VISIBILITY rtError_t rtFree(void *devPtr);
ACL_FUNC_VISIBILITY rtError_t rtMallocHost(void **hostPtr, uint64_t size,
					   const uint16_t moduleId);
ACL_FUNC_VISIBILITY rtError_t rtFreeHost(void *hostPtr);
ACL_FUNC_VISIBILITY rtError_t rtMemcpy(void *dst, uint64_t destMax, const void *src,
				       uint64_t cnt, rtMemcpyKind_t kind);
ACL_FUNC_VISIBILITY rtError_t rtMemcpyAsyncWithoutCheckKind(void *dst, uint64_t destMax,
							    const void *src, uint64_t cnt,
							    rtMemcpyKind_t kind,
							    rtStream_t stm);
ACL_FUNC_VISIBILITY rtError_t rtPointerGetAttributes(rtPointerAttributes_t *attributes,
						     const void *ptr);

ACL_FUNC_VISIBILITY rtError_t rtSetDevice(int32_t devId);
ACL_FUNC_VISIBILITY rtError_t rtDeviceGetBareTgid(uint32_t *pid);
ACL_FUNC_VISIBILITY rtError_t rtGetLogicDevIdByUserDevId(const int32_t userDevId,
							 int32_t *const logicDevId);
ACL_FUNC_VISIBILITY rtError_t rtGetDevicePhyIdByIndex(uint32_t devIndex, uint32_t *phyId);
ACL_FUNC_VISIBILITY rtError_t rtEnableP2P(uint32_t devIdDes, uint32_t phyIdSrc,
					  uint32_t flag);
ACL_FUNC_VISIBILITY rtError_t rtDisableP2P(uint32_t devIdDes, uint32_t phyIdSrc);

/* rtGetDeviceInfo - 207000: its numbers of modules are those of the driver. */
ACL_FUNC_VISIBILITY rtError_t rtGetDeviceInfo(uint32_t deviceId, int32_t moduleType,
					      int32_t infoType, int64_t *val);

ACL_FUNC_VISIBILITY rtError_t rtStreamCreate(rtStream_t *stm, int32_t priority);
ACL_FUNC_VISIBILITY rtError_t rtStreamDestroy(rtStream_t stm);

/* rtStreamGetSqid, rtStreamGetCqid - the stream's number, as it has one queue. */
ACL_FUNC_VISIBILITY rtError_t rtStreamGetSqid(const rtStream_t stm, uint32_t *sqId);
ACL_FUNC_VISIBILITY rtError_t rtStreamGetCqid(const rtStream_t stm, uint32_t *cqId,
					      uint32_t *logicCqId);

/*
 * rtIpcSetMemoryName - as aclrtIpcMemGetExportKey; @len is at least 65
 * rtIpcCloseMemory   - by the address that rtIpcOpenMemory gave
 */
ACL_FUNC_VISIBILITY rtError_t rtIpcSetMemoryName(const void *ptr, uint64_t byteCount,
						 char *name, uint32_t len);
ACL_FUNC_VISIBILITY rtError_t rtIpcOpenMemory(void **ptr, const char *name);
ACL_FUNC_VISIBILITY rtError_t rtIpcCloseMemory(const void *ptr);
ACL_FUNC_VISIBILITY rtError_t rtIpcDestroyMemoryName(const char *name);
ACL_FUNC_VISIBILITY rtError_t rtSetIpcMemPid(const char *name, int32_t pid[],
					     int32_t num);

/* Other servers, and addresses of hardware: 207000. */
ACL_FUNC_VISIBILITY rtError_t rtSetIpcMemorySuperPodPid(const char *name, uint32_t sdid,
							int32_t pid[], int32_t num);
ACL_FUNC_VISIBILITY rtError_t rtNotifyGetAddrOffset(rtNotify_t notify,
						    uint64_t *devAddrOffset);
ACL_FUNC_VISIBILITY rtError_t rtGetDevResAddress(void *resInfo, void *addrInfo);

#ifdef __cplusplus
}
#endif

#endif /* ACL_RT_RUNTIME_H */
