/* SPDX-License-Identifier: MIT */
/*
 * Device and host memory.
 *
 * The memory is not initialised. It belongs to the process until it is freed
 * with the function that fits; exit of the process gives it back. Allocation
 * and free wait for no stream: synchronise before freeing what a task uses.
 *
 * Start alignment: 512, or ACLKM_ALIGN (a power of two from 64); strict: 64.
 * (Secondary Memory Allocation: 64 is what the documents promise.)
 *
 * Errors that all allocations share: 100000 for a NULL output pointer, size 0
 * and sizes that overflow by the rule's rounding; 107002 when the thread has no
 * context; 207001 when memory is short, which is never reported as any other
 * code.
 */
#ifndef ACL_RT_MEMORY_H
#define ACL_RT_MEMORY_H

#include <stdbool.h>

#include "../acl_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Which pages an allocation gets (AscendCL API reference,
 * "aclrtMemMallocPolicy"). One item only; the WithCfg calls take an OR of one of 0
 * to 7, one bandwidth and READONLY. The *_P2P forms are taken as their plain form.
 * LOW_/HIGH_BAND_WIDTH alone, and values not listed, mean HUGE_FIRST; strict refuses
 * values not listed with 107000.
 */
typedef enum aclrtMemMallocPolicy {
	ACL_MEM_MALLOC_HUGE_FIRST = 0,	/* > 1 MiB: 2 MiB pages if there are any */
	ACL_MEM_MALLOC_HUGE_ONLY = 1,	/* 2 MiB pages or 207001 */
	ACL_MEM_MALLOC_NORMAL_ONLY = 2, /* normal pages */
	ACL_MEM_MALLOC_HUGE_FIRST_P2P = 3,
	ACL_MEM_MALLOC_HUGE_ONLY_P2P = 4,
	ACL_MEM_MALLOC_NORMAL_ONLY_P2P = 5,
	ACL_MEM_MALLOC_HUGE1G_ONLY = 6, /* 1 GiB pages or 207001; no 32-byte padding */
	ACL_MEM_MALLOC_HUGE1G_ONLY_P2P = 7,
	ACL_MEM_TYPE_LOW_BAND_WIDTH = 0x0100,
	ACL_MEM_TYPE_HIGH_BAND_WIDTH = 0x1000,
	ACL_MEM_ACCESS_USER_SPACE_READONLY = 0x100000
} aclrtMemMallocPolicy;

/*
 * Kinds of memory that aclrtGetMemInfo answers for (AscendCL API reference,
 * "aclrtMemAttr"). This device has one memory: all of them give the same.
 */
typedef enum aclrtMemAttr {
	ACL_DDR_MEM = 0,
	ACL_HBM_MEM = 1,
	ACL_DDR_MEM_HUGE = 2,
	ACL_DDR_MEM_NORMAL = 3,
	ACL_HBM_MEM_HUGE = 4,
	ACL_HBM_MEM_NORMAL = 5,
	ACL_DDR_MEM_P2P_HUGE = 6,
	ACL_DDR_MEM_P2P_NORMAL = 7,
	ACL_HBM_MEM_P2P_HUGE = 8,
	ACL_HBM_MEM_P2P_NORMAL = 9,
	ACL_HBM_MEM_HUGE1G = 10,
	ACL_HBM_MEM_P2P_HUGE1G = 11,
	ACL_MEM_NORMAL = 12,
	ACL_MEM_HUGE = 13,
	ACL_MEM_HUGE1G = 14,
	ACL_MEM_P2P_NORMAL = 15,
	ACL_MEM_P2P_HUGE = 16,
	ACL_MEM_P2P_HUGE1G = 17
} aclrtMemAttr;

/* Items of a configuration (AscendCL API reference, "aclrtMallocAttrType"). */
typedef enum {
	ACL_RT_MEM_ATTR_RSV = 0,
	ACL_RT_MEM_ATTR_MODULE_ID = 1, /* who asks, for aclrtGetMemUsageInfo; 33: APP */
	ACL_RT_MEM_ATTR_DEVICE_ID = 2, /* must be the current device */
	ACL_RT_MEM_ATTR_VA_FLAG = 3    /* host address good on the device: always so */
} aclrtMallocAttrType;

typedef union {
	uint16_t moduleId;
	uint32_t deviceId;
	uint32_t vaFlag;
	uint8_t rsv[8];
} aclrtMallocAttrValue;

typedef struct {
	aclrtMallocAttrType attr;
	aclrtMallocAttrValue value;
} aclrtMallocAttribute;

typedef struct {
	aclrtMallocAttribute *attrs;
	size_t numAttrs;
} aclrtMallocConfig;

/* Where memory is (AscendCL API reference, "aclrtMemLocationType"). */
typedef enum aclrtMemLocationType {
	ACL_MEM_LOCATION_TYPE_HOST = 0,
	ACL_MEM_LOCATION_TYPE_DEVICE = 1,
	ACL_MEM_LOCATION_TYPE_UNREGISTERED = 2, /* not known: malloc, the stack */
	ACL_MEM_LOCATION_TYPE_MANAGED = 3,
	ACL_MEM_LOCATION_TYPE_HOST_NUMA = 4
} aclrtMemLocationType;

typedef struct aclrtMemLocation {
	uint32_t id; /* device, or NUMA node */
	aclrtMemLocationType type;
} aclrtMemLocation;

typedef struct aclrtPtrAttributes {
	aclrtMemLocation location;
	uint32_t pageSize; /* bytes; 0 for unregistered memory */
	uint32_t rsv[4];
} aclrtPtrAttributes;

typedef struct aclrtMemUsageInfo {
	char name[32];
	uint64_t curMemSize;
	uint64_t memPeakSize;
	size_t reserved[8];
} aclrtMemUsageInfo;

#define UCE_INFO_RESERVED_SIZE 14

/* A memory fault of the hardware. */
typedef struct aclrtMemUceInfo {
	void *addr;
	size_t len;
	size_t reserved[UCE_INFO_RESERVED_SIZE];
} aclrtMemUceInfo;

#define ACL_RT_MEM_UCE_INFO_MAX_NUM 20	/* of aclrtMemUceRepair */
#define MAX_MEM_UCE_INFO_ARRAY_SIZE 128 /* room that programs give aclrtGetMemUceInfo */

/* Bits of aclrtCheckMemType. */
#define ACL_RT_MEM_TYPE_DEV 0x2U
#define ACL_RT_MEM_TYPE_DVPP 0x8U
#define ACL_RT_MEM_TYPE_RSVD 0x10U

/* How host memory is registered (AscendCL API reference, "aclrtHostRegisterType"). */
typedef enum {
	ACL_HOST_REGISTER_MAPPED = 0,
	ACL_HOST_REGISTER_IOMEMORY = 0x04,
	ACL_HOST_REGISTER_READONLY = 0x08
} aclrtHostRegisterType;

/* Flags of aclrtHostRegisterV2. */
#define ACL_HOST_REG_MAPPED 0x2U
#define ACL_HOST_REG_IOMEMORY 0x4U
#define ACL_HOST_REG_READONLY 0x8U
#define ACL_HOST_REG_PINNED 0x10000000U

/* The flag of aclrtMemAllocManaged. */
#define ACL_RT_MEM_ATTACH_GLOBAL 1U

/* Parts of an aclrtMemAttr. */
enum aclrtMemPgType { NORMAL_PAGE_TYPE = 0, HUGE_PAGE_TYPE = 1, HUGE1G_PAGE_TYPE = 2 };

enum aclrtMemType { HBM_TYPE = 0, DDR_TYPE = 1, P2P_HBM_TYPE = 2, P2P_DDR_TYPE = 3 };

struct MemAttrMapping {
	uint32_t pgType;
	uint32_t memType;
	bool isHostAlloc;
	aclrtMemAttr memAttr;
};

#define ACL_RT_MAX_RECORD_PA_NUM_PER_DEV 20U

/**
 * aclrtMalloc - device memory
 * @devPtr: out
 * @size:   bytes, from 1
 * @policy: which pages
 *
 * Takes ALIGN_UP[size,32] + 32 bytes (with 1 GiB pages ALIGN_UP[size,32]; the
 * second 32 is ACLKM_PADDING; strict: always 32). Free with aclrtFree.
 * (Secondary Memory Allocation; AscendCL API reference, "aclrtMalloc".)
 *
 * Errors: the shared ones; strict: 107000 for a policy that is not listed.
 */
ACL_FUNC_VISIBILITY aclError aclrtMalloc(void **devPtr, size_t size,
					 aclrtMemMallocPolicy policy);

/**
 * aclrtMallocAlign32 - aclrtMalloc without the padding
 *
 * Takes ALIGN_UP[size,32] bytes. Otherwise as aclrtMalloc.
 */
ACL_FUNC_VISIBILITY aclError aclrtMallocAlign32(void **devPtr, size_t size,
						aclrtMemMallocPolicy policy);

/**
 * aclrtMallocCached - device memory that is cached in any scenario
 *
 * As aclrtMalloc, but @policy is one of HUGE_FIRST, HUGE_ONLY, NORMAL_ONLY and
 * HUGE1G_ONLY. (AscendCL API reference, "aclrtMallocCached".)
 *
 * Errors: the shared ones; 107000 for another policy or a size over 2^50.
 */
ACL_FUNC_VISIBILITY aclError aclrtMallocCached(void **devPtr, size_t size,
					       aclrtMemMallocPolicy policy);

/**
 * aclrtFree - free memory of aclrtMalloc, MallocAlign32 and MallocCached
 * @devPtr: exactly the address that was given
 *
 * At once, without waiting. Needs no context. (AscendCL API reference,
 * "aclrtFree".)
 *
 * Returns 0; 100000 NULL; 107000 for an address that is unknown, inside a
 * block, freed already, or of another kind of memory.
 */
ACL_FUNC_VISIBILITY aclError aclrtFree(void *devPtr);

/**
 * aclrtMallocHost - pinned host memory
 * @hostPtr: out
 * @size:    bytes, from 1
 *
 * Resident; the start is aligned as that of device memory. It comes from the
 * same backend and counts in aclrtGetMemInfo. In run mode ACL_DEVICE it is
 * memory of normal pages. Free with aclrtFreeHost. (AscendCL API reference,
 * "aclrtMallocHost".)
 *
 * Errors: the shared ones.
 */
ACL_FUNC_VISIBILITY aclError aclrtMallocHost(void **hostPtr, size_t size);

/**
 * aclrtFreeHost - free memory of aclrtMallocHost
 * @hostPtr: exactly the address that was given
 *
 * Returns 0; 100000 NULL; 107000 as for aclrtFree.
 */
ACL_FUNC_VISIBILITY aclError aclrtFreeHost(void *hostPtr);

/**
 * aclrtGetMemInfo - free and total bytes of the current device
 * @attr:  any value of aclrtMemAttr
 * @free:  out: bytes that can still be handed out (not as one piece)
 * @total: out
 *
 * Returns 0; 100000 NULL; 107002 no context; 107016 bad @attr.
 */
ACL_FUNC_VISIBILITY aclError aclrtGetMemInfo(aclrtMemAttr attr, size_t *free,
					     size_t *total);

/**
 * aclrtFreeWithDevSync - aclrtFree, after all streams of the current device are done
 *
 * Returns as aclrtFree; 107002 no context; what aclrtSynchronizeDevice gives, and
 * then the memory is not freed.
 */
ACL_FUNC_VISIBILITY aclError aclrtFreeWithDevSync(void *devPtr);

/* aclrtFreeHostWithDevSync - the same for aclrtFreeHost. */
ACL_FUNC_VISIBILITY aclError aclrtFreeHostWithDevSync(void *hostPtr);

/**
 * aclrtMallocWithCfg - device memory with attributes
 * @policy: one of 0 to 7, with one bandwidth and READONLY ORed to it as wanted
 * @cfg:    NULL, or attributes
 *
 * Takes ALIGN_UP[size,32] bytes, without padding. Free with aclrtFree. READONLY: the
 * program can only read it; copies and sets of this library write it.
 * (AscendCL API reference, "aclrtMallocWithCfg".)
 *
 * Errors: the shared ones; 100000 cfg->attrs NULL with numAttrs; 107000 policy,
 * unknown attribute, module id over 255, a device that is not the current one.
 */
ACL_FUNC_VISIBILITY aclError aclrtMallocWithCfg(void **devPtr, size_t size,
						aclrtMemMallocPolicy policy,
						aclrtMallocConfig *cfg);

/* aclrtMallocForTaskScheduler - the same: whoever schedules here can read it. */
ACL_FUNC_VISIBILITY aclError aclrtMallocForTaskScheduler(void **devPtr, size_t size,
							 aclrtMemMallocPolicy policy,
							 aclrtMallocConfig *cfg);

/* aclrtMallocHostWithCfg - aclrtMallocHost with attributes; errors as above. */
ACL_FUNC_VISIBILITY aclError aclrtMallocHostWithCfg(void **ptr, uint64_t size,
						    aclrtMallocConfig *cfg);

/**
 * aclrtMemAllocManaged - memory that host and device use with one address
 * @ptr:  out; a multiple of 2 MiB; free with aclrtFree
 * @size: rounded up to 2 MiB
 * @flag: ACL_RT_MEM_ATTACH_GLOBAL
 *
 * All memory is of this kind here; aclrtPointerGetAttributes tells it apart, and
 * acl/rt/managed.h has what can be said of it.
 *
 * Errors: the shared ones; 100000 another flag.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemAllocManaged(void **ptr, uint64_t size,
						  uint32_t flag);

/**
 * aclrtPointerGetAttributes - where an address is, and on what pages
 *
 * For every address: memory that the library does not know is UNREGISTERED. Needs no
 * context. (AscendCL API reference, "aclrtPointerGetAttributes".)
 *
 * Returns 0; 100000 NULL.
 */
ACL_FUNC_VISIBILITY aclError aclrtPointerGetAttributes(const void *ptr,
						       aclrtPtrAttributes *attributes);

/**
 * aclrtCheckMemType - whether all addresses are of a type
 * @memType:     ACL_RT_MEM_TYPE_* bits: one of them is enough
 * @checkResult: out: 1 or 0
 * @reserve:     0
 *
 * Returns 0; 100000 NULL or size 0; 107000 bad @memType or @reserve.
 */
ACL_FUNC_VISIBILITY aclError aclrtCheckMemType(void **addrList, uint32_t size,
					       uint32_t memType, uint32_t *checkResult,
					       uint32_t reserve);

/**
 * aclrtGetMemUsageInfo - who has how much of a device's memory
 * @memUsageInfo: out, the largest first
 * @inputNum:     room, from 1
 * @outputNum:    out: entries written
 *
 * "APP" is all that was taken without a module id; others are "module N". With one
 * device the peak of APP is the most that was ever seen by this call.
 *
 * Returns 0; 100000 NULL or no room; 107001 bad id.
 */
ACL_FUNC_VISIBILITY aclError aclrtGetMemUsageInfo(int32_t deviceId,
						  aclrtMemUsageInfo *memUsageInfo,
						  size_t inputNum, size_t *outputNum);

/* aclrtGetMemUceInfo - memory faults: none here. 0; 100000 NULL, no room; 107001. */
ACL_FUNC_VISIBILITY aclError aclrtGetMemUceInfo(int32_t deviceId,
						aclrtMemUceInfo *memUceInfoArray,
						size_t arraySize, size_t *retSize);

/* aclrtMemUceRepair - nothing to do. 0; 100000 NULL; 107000 over 20; 107001 bad id. */
ACL_FUNC_VISIBILITY aclError aclrtMemUceRepair(int32_t deviceId,
					       aclrtMemUceInfo *memUceInfoArray,
					       size_t arraySize);

/**
 * aclrtMemFlush, aclrtMemInvalidate - write caches back, drop what they hold
 *
 * Never needed: memory is coherent. Returns 0; 100000 NULL or size 0.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemFlush(void *devPtr, size_t size);
ACL_FUNC_VISIBILITY aclError aclrtMemInvalidate(void *devPtr, size_t size);

/**
 * aclrtHostRegister - let the device use memory of the program
 * @ptr:    a multiple of the page size; memory that is mapped
 * @size:   bytes, from 1; strict: a multiple of the page size
 * @devPtr: out: the same address
 *
 * Asynchronous copies count it as pinned from now on. Unregister it before it is
 * freed. (AscendCL API reference, "aclrtHostRegister": 4 KiB; some real devices want
 * 64 KiB.)
 *
 * Returns 0; 100000 NULL or size 0; 107000 alignment, type, not mapped, or memory of
 * this library; 507910 registered already, in whole or in part; 107002 no context.
 */
ACL_FUNC_VISIBILITY aclError aclrtHostRegister(void *ptr, uint64_t size,
					       aclrtHostRegisterType type, void **devPtr);

/**
 * aclrtHostRegisterV2 - the same by flags
 * @flag: ACL_HOST_REG_* bits, not 0; PINNED keeps it resident as far as
 *        RLIMIT_MEMLOCK lets the process
 *
 * Returns as aclrtHostRegister.
 */
ACL_FUNC_VISIBILITY aclError aclrtHostRegisterV2(void *ptr, uint64_t size, uint32_t flag);

/* aclrtHostUnregister - undo it. 0; 100000 NULL; 507911 not registered; 107002. */
ACL_FUNC_VISIBILITY aclError aclrtHostUnregister(void *ptr);

/**
 * aclrtHostGetDevicePointer - the device's address of host memory: the same
 * @pHost: in registered memory or memory of aclrtMallocHost
 * @flag:  0
 *
 * Returns 0; 100000 NULL or @flag; 107000 registered without MAPPED; 507911 not
 * registered; 107002 no context.
 */
ACL_FUNC_VISIBILITY aclError aclrtHostGetDevicePointer(void *pHost, void **pDevice,
						       uint32_t flag);

/**
 * aclrtMemP2PMap - let another device reach device memory: it can
 *
 * Returns 0; 100000 NULL or size 0; 107000 @flags not 0, or no device memory; 107001
 * bad id; 107002 no context.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemP2PMap(void *devPtr, size_t size, int32_t dstDevId,
					    uint64_t flags);

#ifdef __cplusplus
}
#endif

#endif /* ACL_RT_MEMORY_H */
