/* SPDX-License-Identifier: MIT */
/*
 * What a program sets for compute cores: overflow modes, limits, timeouts, options.
 *
 * No cores run here. The settings are kept and told again, with the numbers of the
 * product that aclrtGetSocName names; nothing else depends on them. Functions whose line
 * says 207000 answer that, and aclGetRecentErrMsg() says what is missing. Any thread.
 */
#ifndef ACL_RT_RESOURCE_H
#define ACL_RT_RESOURCE_H

#include "../acl_base.h"
#include "memory.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Floats that overflow (AscendCL API reference, "aclrtFloatOverflowMode"). */
typedef enum aclrtFloatOverflowMode {
	ACL_RT_OVERFLOW_MODE_SATURATION = 0,
	ACL_RT_OVERFLOW_MODE_INFNAN = 1,
	ACL_RT_OVERFLOW_MODE_UNDEF = 2
} aclrtFloatOverflowMode;

/**
 * aclrtSetDeviceSatMode - the overflow mode of the current device
 * @mode: SATURATION or INFNAN
 *
 * Before the first call the mode is INFNAN on products that have it, else SATURATION.
 * Without a context the call sets the mode of device 0, as programs call it right after
 * aclInit. Returns 0; 100000 another mode.
 */
ACL_FUNC_VISIBILITY aclError aclrtSetDeviceSatMode(aclrtFloatOverflowMode mode);

/* aclrtGetDeviceSatMode - tell it. 0; 100000 NULL. */
ACL_FUNC_VISIBILITY aclError aclrtGetDeviceSatMode(aclrtFloatOverflowMode *mode);

/**
 * aclrtSetStreamOverflowSwitch - whether a stream looks for overflow
 * @stream: NULL is the default stream
 * @flag:   0 or 1
 *
 * The same as the attribute ACL_STREAM_ATTR_FLOAT_OVERFLOW_CHECK. Returns 0; 100000
 * another @flag; 107002 no context; 107003 a stream that is not alive.
 */
ACL_FUNC_VISIBILITY aclError aclrtSetStreamOverflowSwitch(aclrtStream stream,
							  uint32_t flag);

/* aclrtGetStreamOverflowSwitch - tell it. 0; 100000 NULL; 107002; 107003. */
ACL_FUNC_VISIBILITY aclError aclrtGetStreamOverflowSwitch(aclrtStream stream,
							  uint32_t *flag);

/* Whether tasks did overflow: 207000, as no task computes. */
ACL_FUNC_VISIBILITY aclError aclrtGetOverflowStatus(void *outputAddr, size_t outputSize,
						    aclrtStream stream);
ACL_FUNC_VISIBILITY aclError aclrtResetOverflowStatus(aclrtStream stream);
ACL_FUNC_VISIBILITY aclError aclrtCtxGetFloatOverflowAddr(void **overflowAddr);
ACL_FUNC_VISIBILITY aclError aclrtGetFloatOverflowStatus(void *outputAddr,
							 uint64_t outputSize,
							 aclrtStream stream);
ACL_FUNC_VISIBILITY aclError aclrtResetFloatOverflowStatus(aclrtStream stream);
ACL_FUNC_VISIBILITY aclError aclrtNpuGetFloatOverFlowStatus(void *outputAddr,
							    uint64_t outputSize,
							    uint32_t checkMode,
							    aclrtStream stream);
ACL_FUNC_VISIBILITY aclError aclrtNpuClearFloatOverFlowStatus(uint32_t checkMode,
							      aclrtStream stream);

/* Cores that a program may use (AscendCL API reference, "aclrtDevResLimitType"). */
typedef enum {
	ACL_RT_DEV_RES_CUBE_CORE = 0,
	ACL_RT_DEV_RES_VECTOR_CORE = 1
} aclrtDevResLimitType;

/**
 * aclrtGetDeviceResLimit - how many cores of a kind this process may use on a device
 * @value: out; all cores of the product before aclrtSetDeviceResLimit
 *
 * Needs no context. Returns 0; 100000 NULL or another @type; 107001 bad id.
 */
ACL_FUNC_VISIBILITY aclError aclrtGetDeviceResLimit(int32_t deviceId,
						    aclrtDevResLimitType type,
						    uint32_t *value);

/* aclrtSetDeviceResLimit - @value: 1 to all of them, else 107000. Errors as Get. */
ACL_FUNC_VISIBILITY aclError aclrtSetDeviceResLimit(int32_t deviceId,
						    aclrtDevResLimitType type,
						    uint32_t value);

/* aclrtResetDeviceResLimit - all of them again. 0; 107001 bad id. */
ACL_FUNC_VISIBILITY aclError aclrtResetDeviceResLimit(int32_t deviceId);

/**
 * aclrtGetStreamResLimit - the same for a stream
 * @stream: NULL is the default stream
 * @value:  out; the device's limit before aclrtSetStreamResLimit
 *
 * Returns 0; 100000 NULL or another @type; 107002 no context; 107003 a stream that is
 * not alive.
 */
ACL_FUNC_VISIBILITY aclError aclrtGetStreamResLimit(aclrtStream stream,
						    aclrtDevResLimitType type,
						    uint32_t *value);

/* aclrtSetStreamResLimit - @value as for a device. 200000 more than 2048 streams. */
ACL_FUNC_VISIBILITY aclError aclrtSetStreamResLimit(aclrtStream stream,
						    aclrtDevResLimitType type,
						    uint32_t value);

/* aclrtResetStreamResLimit - the device's limit again. */
ACL_FUNC_VISIBILITY aclError aclrtResetStreamResLimit(aclrtStream stream);

/* aclrtUseStreamResInCurrentThread - let the limits of @stream hold for this thread. */
ACL_FUNC_VISIBILITY aclError aclrtUseStreamResInCurrentThread(aclrtStream stream);

/* aclrtUnuseStreamResInCurrentThread - undo it. */
ACL_FUNC_VISIBILITY aclError aclrtUnuseStreamResInCurrentThread(aclrtStream stream);

/* aclrtGetResInCurrentThread - the limit that holds here. 0; 100000; 107002. */
ACL_FUNC_VISIBILITY aclError aclrtGetResInCurrentThread(aclrtDevResLimitType type,
							uint32_t *value);

/* Stacks and buffers of cores: 207000. */
typedef enum tagAclrtDeviceLimit {
	ACL_RT_DEV_LIMIT_SIMT_STACK_SIZE = 0,
	ACL_RT_DEV_LIMIT_SIMT_DVG_WARP_STACK_SIZE = 1,
	ACL_RT_DEV_LIMIT_SIMD_STACK_SIZE = 2,
	ACL_RT_DEV_LIMIT_SIMD_PRINTF_FIFO_SIZE_PER_CORE = 3,
	ACL_RT_DEV_LIMIT_SIMT_PRINTF_FIFO_SIZE = 4
} aclrtDeviceLimit;

ACL_FUNC_VISIBILITY aclError aclrtDeviceSetLimit(aclrtDeviceLimit limit, size_t value);
ACL_FUNC_VISIBILITY aclError aclrtDeviceGetLimit(aclrtDeviceLimit limit, size_t *value);

/**
 * aclrtSetOpExecuteTimeOut - how long an operator may run, in seconds
 *
 * Kept for the process. Returns 0. The forms WithMs and V2 take milliseconds and
 * microseconds; V2 tells what holds then.
 */
ACL_FUNC_VISIBILITY aclError aclrtSetOpExecuteTimeOut(uint32_t timeout);
ACL_FUNC_VISIBILITY aclError aclrtSetOpExecuteTimeOutWithMs(uint32_t timeout);

/* aclrtSetOpExecuteTimeOutV2 - @actualTimeout: out, NULL is left out. */
ACL_FUNC_VISIBILITY aclError aclrtSetOpExecuteTimeOutV2(uint64_t timeout,
							uint64_t *actualTimeout);

/* aclrtGetOpExecuteTimeout - in milliseconds, 0 before the first set. 0; 100000 NULL. */
ACL_FUNC_VISIBILITY aclError aclrtGetOpExecuteTimeout(uint32_t *const timeoutMs);

/* aclrtGetOpTimeOutInterval - the step of timeouts: 1 microsecond. 0; 100000 NULL. */
ACL_FUNC_VISIBILITY aclError aclrtGetOpTimeOutInterval(uint64_t *interval);

/**
 * aclrtSetSysParamOpt - an option of operators, for the process
 * @value: as the option takes it; all are kept
 *
 * Returns 0; 100000 another @opt. aclrtCtxSetSysParamOpt sets it for the current
 * context (107002 without one); the Get forms tell it, 0 before the first set. A context
 * without a value of its own has the process's.
 */
ACL_FUNC_VISIBILITY aclError aclrtSetSysParamOpt(aclSysParamOpt opt, int64_t value);
ACL_FUNC_VISIBILITY aclError aclrtGetSysParamOpt(aclSysParamOpt opt, int64_t *value);
ACL_FUNC_VISIBILITY aclError aclrtCtxSetSysParamOpt(aclSysParamOpt opt, int64_t value);
ACL_FUNC_VISIBILITY aclError aclrtCtxGetSysParamOpt(aclSysParamOpt opt, int64_t *value);

typedef struct aclrtUtilizationExtendInfo aclrtUtilizationExtendInfo;

/* Per cent. */
typedef struct aclrtUtilizationInfo {
	int32_t cubeUtilization;
	int32_t vectorUtilization;
	int32_t aicpuUtilization;
	int32_t memoryUtilization;
	aclrtUtilizationExtendInfo *utilizationExtend; /* NULL */
} aclrtUtilizationInfo;

/**
 * aclrtGetDeviceUtilizationRate - how busy a device is
 * @utilizationInfo: out: 0 for cores, how much of the device's memory is used
 *
 * Needs no context. Returns 0; 100000 NULL, or utilizationExtend is not; 107001 bad id.
 */
ACL_FUNC_VISIBILITY aclError
aclrtGetDeviceUtilizationRate(int32_t deviceId, aclrtUtilizationInfo *utilizationInfo);

/* Faults of the hardware (AscendCL API reference, "aclrtErrorInfo"). */
typedef enum {
	ACL_RT_NO_ERROR = 0,
	ACL_RT_ERROR_MEMORY = 1,
	ACL_RT_ERROR_L2 = 2,
	ACL_RT_ERROR_AICORE = 3,
	ACL_RT_ERROR_LINK = 4,
	ACL_RT_ERROR_L3_PORT = 5,
	ACL_RT_ERROR_OTHERS = 0xFFFF
} aclrtErrorType;

typedef enum aclrtAicoreErrorType {
	ACL_RT_AICORE_ERROR_UNKNOWN = 0,
	ACL_RT_AICORE_ERROR_SW = 1,
	ACL_RT_AICORE_ERROR_HW_LOCAL = 2
} aclrtAicoreErrorType;

typedef struct {
	size_t arraySize;
	aclrtMemUceInfo memUceInfoArray[ACL_RT_MEM_UCE_INFO_MAX_NUM];
} aclrtMemUceInfoArray;

typedef union aclrtErrorInfoDetail {
	aclrtMemUceInfoArray uceInfo;
	aclrtAicoreErrorType aicoreErrType;
} aclrtErrorInfoDetail;

typedef struct aclrtErrorInfo {
	uint8_t tryRepair;
	uint8_t hasDetail;
	uint8_t reserved[2];
	aclrtErrorType errorType;
	aclrtErrorInfoDetail detail;
} aclrtErrorInfo;

/* aclrtGetErrorVerbose - always ACL_RT_NO_ERROR. 0; 100000 NULL; 107001 bad id. */
ACL_FUNC_VISIBILITY aclError aclrtGetErrorVerbose(int32_t deviceId,
						  aclrtErrorInfo *errorInfo);

/* aclrtRepairError - nothing for ACL_RT_NO_ERROR, else 207000. 100000; 107001. */
ACL_FUNC_VISIBILITY aclError aclrtRepairError(int32_t deviceId,
					      const aclrtErrorInfo *errorInfo);

/* Groups of cores: 207000, NULL. */
typedef enum aclrtGroupAttr {
	ACL_GROUP_AICORE_INT = 0,
	ACL_GROUP_AIV_INT = 1,
	ACL_GROUP_AIC_INT = 2,
	ACL_GROUP_SDMANUM_INT = 3,
	ACL_GROUP_ASQNUM_INT = 4,
	ACL_GROUP_GROUPID_INT = 5
} aclrtGroupAttr;

typedef struct tagRtGroupInfo aclrtGroupInfo;

ACL_FUNC_VISIBILITY aclError aclrtSetGroup(int32_t groupId);
ACL_FUNC_VISIBILITY aclError aclrtGetGroupCount(uint32_t *count);
ACL_FUNC_VISIBILITY aclrtGroupInfo *aclrtCreateGroupInfo(void);
ACL_FUNC_VISIBILITY aclError aclrtDestroyGroupInfo(aclrtGroupInfo *groupInfo);
ACL_FUNC_VISIBILITY aclError aclrtGetAllGroupInfo(aclrtGroupInfo *groupInfo);
ACL_FUNC_VISIBILITY aclError aclrtGetGroupInfoDetail(const aclrtGroupInfo *groupInfo,
						     int32_t groupIndex,
						     aclrtGroupAttr attr, void *attrValue,
						     size_t valueLen,
						     size_t *paramRetSize);

/* Abilities of cores and links: 207000. */
typedef enum aclrtTsId {
	ACL_TS_ID_AICORE = 0,
	ACL_TS_ID_AIVECTOR = 1,
	ACL_TS_ID_RESERVED = 2
} aclrtTsId;

#define ACL_DEV_FEATURE_SUPPORT 0x00000001
#define ACL_DEV_FEATURE_NOT_SUPPORT 0x00000000

typedef enum {
	ACL_FEATURE_TSCPU_TASK_UPDATE_SUPPORT_AIC_AIV = 1,
	ACL_FEATURE_SYSTEM_MEMQ_EVENT_CROSS_DEV = 21
} aclrtDevFeatureType;

typedef enum aclrtAtomicOperationCapability {
	ACL_RT_ATOMIC_CAPABILITY_SIGNED = 1U << 0,
	ACL_RT_ATOMIC_CAPABILITY_UNSIGNED = 1U << 1,
	ACL_RT_ATOMIC_CAPABILITY_REDUCATION = 1U << 2,
	ACL_RT_ATOMIC_CAPABILITY_REDUCTION = 1U << 2,
	ACL_RT_ATOMIC_CAPABILITY_SCALAR8 = 1U << 3,
	ACL_RT_ATOMIC_CAPABILITY_SCALAR16 = 1U << 4,
	ACL_RT_ATOMIC_CAPABILITY_SCALAR32 = 1U << 5,
	ACL_RT_ATOMIC_CAPABILITY_SCALAR64 = 1U << 6,
	ACL_RT_ATOMIC_CAPABILITY_SCALAR128 = 1U << 7,
	ACL_RT_ATOMIC_CAPABILITY_VECTOR32X4 = 1U << 8
} aclrtAtomicOperationCapability;

typedef enum aclrtAtomicOperation {
	ACL_RT_ATOMIC_OPERATION_INTEGER_ADD = 0,
	ACL_RT_ATOMIC_OPERATION_INTEGER_MIN = 1,
	ACL_RT_ATOMIC_OPERATION_INTEGER_MAX = 2,
	ACL_RT_ATOMIC_OPERATION_INTEGER_INCREMENT = 3,
	ACL_RT_ATOMIC_OPERATION_INTEGER_DECREMENT = 4,
	ACL_RT_ATOMIC_OPERATION_AND = 5,
	ACL_RT_ATOMIC_OPERATION_OR = 6,
	ACL_RT_ATOMIC_OPERATION_XOR = 7,
	ACL_RT_ATOMIC_OPERATION_EXCHANGE = 8,
	ACL_RT_ATOMIC_OPERATION_CAS = 9,
	ACL_RT_ATOMIC_OPERATION_FLOAT_ADD = 10,
	ACL_RT_ATOMIC_OPERATION_FLOAT_MIN = 11,
	ACL_RT_ATOMIC_OPERATION_FLOAT_MAX = 12,
	ACL_RT_ATOMIC_OPERATION_DMA_ADD = 30,
	ACL_RT_ATOMIC_OPERATION_DMA_MIN = 31,
	ACL_RT_ATOMIC_OPERATION_DMA_MAX = 32,
	ACL_RT_ATOMIC_OPERATION_SIMD_SCALAR_ADD = 40,
	ACL_RT_ATOMIC_OPERATION_SIMD_SCALAR_MIN = 41,
	ACL_RT_ATOMIC_OPERATION_SIMD_SCALAR_MAX = 42,
	ACL_RT_ATOMIC_OPERATION_SIMD_SCALAR_CAS = 43,
	ACL_RT_ATOMIC_OPERATION_SIMD_SCALAR_EXCH = 44
} aclrtAtomicOperation;

ACL_FUNC_VISIBILITY aclError aclrtSetTsDevice(aclrtTsId tsId);
ACL_FUNC_VISIBILITY aclError aclrtGetDeviceCapability(int32_t deviceId,
						      aclrtDevFeatureType devFeatureType,
						      int32_t *value);
ACL_FUNC_VISIBILITY aclError aclrtDeviceGetHostAtomicCapabilities(
	uint32_t *capabilities, const aclrtAtomicOperation *operations,
	const uint32_t count, int32_t deviceId);
ACL_FUNC_VISIBILITY aclError aclrtDeviceGetP2PAtomicCapabilities(
	uint32_t *capabilities, const aclrtAtomicOperation *operations,
	const uint32_t count, int32_t srcDeviceId, int32_t dstDeviceId);
ACL_FUNC_VISIBILITY aclError aclrtGetHardwareSyncAddr(void **addr);
ACL_FUNC_VISIBILITY aclError aclrtDeviceL2CacheFlush(void *rsv);
ACL_FUNC_VISIBILITY aclError aclrtGetThreadLastTaskId(uint32_t *taskId);

/* How two devices are connected: 207000. */
#define ACL_RT_DEVS_TOPOLOGY_HCCS 0x01ULL
#define ACL_RT_DEVS_TOPOLOGY_PIX 0x02ULL
#define ACL_RT_DEVS_TOPOLOGY_PIB 0x04ULL
#define ACL_RT_DEVS_TOPOLOGY_PHB 0x08ULL
#define ACL_RT_DEVS_TOPOLOGY_SYS 0x10ULL
#define ACL_RT_DEVS_TOPOLOGY_SIO 0x20ULL
#define ACL_RT_DEVS_TOPOLOGY_HCCS_SW 0x40ULL

ACL_FUNC_VISIBILITY aclError aclrtGetDevicesTopo(uint32_t deviceId,
						 uint32_t otherDeviceId, uint64_t *value);

/* The device is on no PCI bus: 207000. */
ACL_FUNC_VISIBILITY aclError aclrtDeviceGetPCIBusId(int32_t deviceId, char *pciBusId,
						    int32_t len);
ACL_FUNC_VISIBILITY aclError aclrtDeviceGetByPCIBusId(const char *pciBusId,
						      int32_t *deviceId);

/**
 * aclrtCheckArchCompatibility - whether code for one product runs on another
 * @socVersion:    a name as aclrtGetSocName tells it
 * @canCompatible: out: 1 when it has the architecture of the product that is played
 *
 * Needs no context. Returns 0; 100000 NULL; 107000 a name that is none.
 */
ACL_FUNC_VISIBILITY aclError aclrtCheckArchCompatibility(const char *socVersion,
							 int32_t *canCompatible);

#ifdef __cplusplus
}
#endif

#endif /* ACL_RT_RESOURCE_H */
