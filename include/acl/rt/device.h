/* SPDX-License-Identifier: MIT */
/* Devices. See acl/acl_rt.h for the rules of all. */
#ifndef ACL_RT_DEVICE_H
#define ACL_RT_DEVICE_H

#include "../acl_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where the program runs (AscendCL API reference, "aclrtRunMode"). */
typedef enum aclrtRunMode {
	ACL_DEVICE = 0, /* on the device's own processor */
	ACL_HOST = 1	/* on the host that the device is plugged into */
} aclrtRunMode;

/* Health of a device (AscendCL API reference, "aclrtDeviceStatus"). */
typedef enum aclrtDeviceStatus {
	ACL_RT_DEVICE_STATUS_NORMAL = 0,
	ACL_RT_DEVICE_STATUS_ABNORMAL = 1,
	ACL_RT_DEVICE_STATUS_END = 0xFFFF
} aclrtDeviceStatus;

/* What aclrtGetDeviceInfo is asked. */
typedef enum {
	ACL_DEV_ATTR_AICPU_CORE_NUM = 1,
	ACL_DEV_ATTR_AICORE_CORE_NUM = 101,
	ACL_DEV_ATTR_CUBE_CORE_NUM = 102,
	ACL_DEV_ATTR_VECTOR_CORE_NUM = 201,
	ACL_DEV_ATTR_WARP_SIZE = 202,
	ACL_DEV_ATTR_MAX_THREAD_PER_VECTOR_CORE = 203,
	ACL_DEV_ATTR_LOCAL_MEM_PER_VECTOR_CORE = 204,
	ACL_DEV_ATTR_UBUF_PER_VECTOR_CORE = 204,
	ACL_DEV_ATTR_MAX_GRID_DIM_X = 205,
	ACL_DEV_ATTR_MAX_GRID_DIM_Y = 206,
	ACL_DEV_ATTR_MAX_GRID_DIM_Z = 207,
	ACL_DEV_ATTR_MAX_BLOCK_PER_GRID = 208,
	ACL_DEV_ATTR_MAX_THREADS_PER_BLOCK = 209,
	ACL_DEV_ATTR_MAX_BLOCK_DIM_X = 210,
	ACL_DEV_ATTR_MAX_BLOCK_DIM_Y = 211,
	ACL_DEV_ATTR_MAX_BLOCK_DIM_Z = 212,
	ACL_DEV_ATTR_TOTAL_GLOBAL_MEM_SIZE = 301, /* bytes */
	ACL_DEV_ATTR_L2_CACHE_SIZE = 302,
	ACL_DEV_ATTR_SMP_ID = 401,		/* 0: all devices are on one system */
	ACL_DEV_ATTR_PHY_CHIP_ID = 402,		/* the device's number */
	ACL_DEV_ATTR_SUPER_POD_DEVIDE_ID = 403, /* the older spelling */
	ACL_DEV_ATTR_SUPER_POD_DEVICE_ID = 403,
	ACL_DEV_ATTR_SUPER_POD_SERVER_ID = 404,
	ACL_DEV_ATTR_SUPER_POD_ID = 405,
	ACL_DEV_ATTR_CUST_OP_PRIVILEGE = 406,
	ACL_DEV_ATTR_MAINBOARD_ID = 407,
	ACL_DEV_ATTR_HD_CONNECT_TYPE = 408,
	ACL_DEV_ATTR_DEVICE_FORM_FACTOR = 409,
	ACL_DEV_ATTR_SUPER_POD_CHASSIS_ID = 410,
	ACL_DEV_ATTR_IS_VIRTUAL = 501,
	ACL_DEV_ATTR_NPU_ARCH = 601
} aclrtDevAttr;

/* Values of ACL_DEV_ATTR_HD_CONNECT_TYPE and ACL_DEV_ATTR_DEVICE_FORM_FACTOR. */
#define ACL_HOST_DEVICE_CONNECT_TYPE_PCIE 0
#define ACL_HOST_DEVICE_CONNECT_TYPE_HCCS 1
#define ACL_HOST_DEVICE_CONNECT_TYPE_UB 2
#define ACL_DEVICE_FORM_FACTOR_POD 0
#define ACL_DEVICE_FORM_FACTOR_A_K 1
#define ACL_DEVICE_FORM_FACTOR_A_X 2
#define ACL_DEVICE_FORM_FACTOR_PCIE_CARD 3

/* 16 bytes that name a device of this machine until it boots again. */
typedef struct aclrtUuid {
	char bytes[16];
} aclrtUuid;

/**
 * aclrtSetDevice - make a device current in this thread
 * @deviceId: 0 to count - 1 (see aclrtGetDeviceCount)
 *
 * Creates the device's default context and default stream with the first call.
 * Calls are counted, over all threads. (AscendCL API reference,
 * "aclrtSetDevice".)
 *
 * Returns 0; 107001 bad id; 100000 bad ACLKM_* variable; 207004 the backend
 * asked for is not there; 207008 the device has no more streams; 507000 the
 * backend fails.
 */
ACL_FUNC_VISIBILITY aclError aclrtSetDevice(int32_t deviceId);

/**
 * aclrtResetDevice - undo one aclrtSetDevice
 * @deviceId: the device
 *
 * With the last one all streams and contexts of the device are drained and
 * destroyed, and no thread has it current any more. Memory stays and may still be
 * freed. The last one not from a callback (207000).
 * (AscendCL API reference, "aclrtResetDevice".)
 *
 * Returns 0; 107001 bad id; 107002 more resets than sets.
 */
ACL_FUNC_VISIBILITY aclError aclrtResetDevice(int32_t deviceId);

/**
 * aclrtGetDevice - the current device of this thread
 * @deviceId: out
 *
 * Returns 0; 100000 NULL; 107002 no device set in this thread.
 */
ACL_FUNC_VISIBILITY aclError aclrtGetDevice(int32_t *deviceId);

/**
 * aclrtGetDeviceCount - how many devices there are
 * @count: out; ACLKM_DEVICES (1 to 64) in the environment, 1 without. Each has
 *         an equal part of the backend's memory, and regions of its own.
 *
 * Needs no context. Returns 0; 100000 NULL.
 */
ACL_FUNC_VISIBILITY aclError aclrtGetDeviceCount(uint32_t *count);

/**
 * aclrtGetRunMode - host or device
 * @runMode: out; ACL_HOST, or what ACLKM_RUN_MODE=host|device says
 *
 * Needs no context and no aclInit. Returns 0; 100000 NULL or bad ACLKM_*
 * variable.
 */
ACL_FUNC_VISIBILITY aclError aclrtGetRunMode(aclrtRunMode *runMode);

/**
 * aclrtSynchronizeDevice - wait for all streams of the current device
 *
 * All of its contexts, and all streams even when one has failed.
 * (AscendCL API reference, "aclrtSynchronizeDevice".)
 *
 * Returns 0; 107002 no context; 107020 a task's own time was up; 107023 a stream
 * was aborted meanwhile; 207000 in a callback.
 */
ACL_FUNC_VISIBILITY aclError aclrtSynchronizeDevice(void);

/**
 * aclrtSynchronizeDeviceWithTimeout - the same, not longer than @timeout
 * @timeout: ms from 1 for all streams together, or -1: for ever
 *
 * Returns as aclrtSynchronizeDevice; 507046 the time is up; 107000 bad @timeout.
 */
ACL_FUNC_VISIBILITY aclError aclrtSynchronizeDeviceWithTimeout(int32_t timeout);

/**
 * aclrtResetDeviceForce - aclrtResetDevice as often as it takes
 *
 * Returns as aclrtResetDevice.
 */
ACL_FUNC_VISIBILITY aclError aclrtResetDeviceForce(int32_t deviceId);

/**
 * aclrtDeviceTaskAbort - throw away what the device's streams have not run yet
 * @deviceId: the device
 * @timeout:  taken, but no task takes long enough to need one
 *
 * As aclrtStreamAbort for each stream. Returns 0; 107001 bad id.
 */
ACL_FUNC_VISIBILITY aclError aclrtDeviceTaskAbort(int32_t deviceId, uint32_t timeout);

/**
 * aclrtDeviceCanAccessPeer - whether one device can reach another's memory
 * @canAccessPeer: out: 1 for two devices, 0 for a device and itself
 *
 * Needs no context. Returns 0; 100000 NULL; 107001 bad id.
 */
ACL_FUNC_VISIBILITY aclError aclrtDeviceCanAccessPeer(int32_t *canAccessPeer,
						      int32_t deviceId,
						      int32_t peerDeviceId);

/**
 * aclrtDeviceEnablePeerAccess - let the current device reach a peer's memory
 * @peerDeviceId: another device
 * @flags:	  0
 *
 * One way. Copies between devices work without it here; aclrtDevicePeerAccessStatus
 * tells what is set. (AscendCL API reference, "aclrtDeviceEnablePeerAccess".)
 *
 * Returns 0, also when done before; 100000 the current device itself; 107001 bad id;
 * 107002 no context; 200006 flags.
 */
ACL_FUNC_VISIBILITY aclError aclrtDeviceEnablePeerAccess(int32_t peerDeviceId,
							 uint32_t flags);

/* aclrtDeviceDisablePeerAccess - undo it. Errors as Enable; 0 when it was not set. */
ACL_FUNC_VISIBILITY aclError aclrtDeviceDisablePeerAccess(int32_t peerDeviceId);

/**
 * aclrtDevicePeerAccessStatus - whether Enable was called from one to the other
 * @status: out: 1 yes, 0 no
 *
 * Returns 0; 100000 NULL; 107001 bad id.
 */
ACL_FUNC_VISIBILITY aclError aclrtDevicePeerAccessStatus(int32_t deviceId,
							 int32_t peerDeviceId,
							 int32_t *status);

/**
 * aclrtGetSocName - the product that this library plays
 *
 * ACLKM_SOC_NAME in the environment, "Ascend910B3" without. A constant string. Needs
 * no context. NULL only in a child after fork().
 */
ACL_FUNC_VISIBILITY const char *aclrtGetSocName(void);

/* aclrtGetVersion - 1, 17, 0: of the interface. Returns 0; 100000 NULL. */
ACL_FUNC_VISIBILITY aclError aclrtGetVersion(int32_t *majorVersion, int32_t *minorVersion,
					     int32_t *patchVersion);

/**
 * aclrtDeviceGetBareTgid - this process, for another's list of who may import
 * @pid: out: the process id in its own pid namespace
 *
 * Returns 0; 100000 NULL.
 */
ACL_FUNC_VISIBILITY aclError aclrtDeviceGetBareTgid(int32_t *pid);

/* aclrtQueryDeviceStatus - always normal. Returns 0; 100000 NULL; 107001 bad id. */
ACL_FUNC_VISIBILITY aclError aclrtQueryDeviceStatus(int32_t deviceId,
						    aclrtDeviceStatus *deviceStatus);

/**
 * aclrtDeviceGetStreamPriorityRange - 7, the least, and 0, the greatest
 *
 * NULL is left out. Returns 0; 107002 no context.
 */
ACL_FUNC_VISIBILITY aclError aclrtDeviceGetStreamPriorityRange(int32_t *leastPriority,
							       int32_t *greatestPriority);

/* aclrtDeviceGetUuid - the device's 16 bytes. 0; 100000 NULL; 107001 bad id. */
ACL_FUNC_VISIBILITY aclError aclrtDeviceGetUuid(int32_t deviceId, aclrtUuid *uuid);

/**
 * aclrtGetDeviceInfo - a number about a device
 * @attr: memory, SMP id, chip id, whether it is virtual; of the product that
 *        aclrtGetSocName names: numbers of cores, size of L2 and architecture
 *
 * Needs no context. Returns 0; 100000 NULL; 107001 bad id; 207000 another attribute.
 */
ACL_FUNC_VISIBILITY aclError aclrtGetDeviceInfo(uint32_t deviceId, aclrtDevAttr attr,
						int64_t *value);

/*
 * The three numberings of devices: the user's, the process's and the machine's. They
 * are the same here. Need no context. Return 0; 100000 NULL; 107001 bad id.
 */
ACL_FUNC_VISIBILITY aclError aclrtGetLogicDevIdByUserDevId(const int32_t userDevid,
							   int32_t *const logicDevId);
ACL_FUNC_VISIBILITY aclError aclrtGetUserDevIdByLogicDevId(const int32_t logicDevId,
							   int32_t *const userDevid);
ACL_FUNC_VISIBILITY aclError aclrtGetLogicDevIdByPhyDevId(const int32_t phyDevId,
							  int32_t *const logicDevId);
ACL_FUNC_VISIBILITY aclError aclrtGetPhyDevIdByLogicDevId(const int32_t logicDevId,
							  int32_t *const phyDevId);
ACL_FUNC_VISIBILITY aclError aclrtGetUserDevIdByPhyDevId(const int32_t phyDevId,
							 int32_t *const userDevId);
ACL_FUNC_VISIBILITY aclError aclrtGetPhyDevIdByUserDevId(const int32_t userDevId,
							 int32_t *const phyDevId);

/* Engines of a device that may reach host memory. */
typedef enum aclrtHacType {
	ACL_RT_HAC_TYPE_STARS = 0,
	ACL_RT_HAC_TYPE_AICPU = 1,
	ACL_RT_HAC_TYPE_AIC = 2,
	ACL_RT_HAC_TYPE_AIV = 3,
	ACL_RT_HAC_TYPE_PCIEDMA = 4,
	ACL_RT_HAC_TYPE_RDMA = 5,
	ACL_RT_HAC_TYPE_SDMA = 6,
	ACL_RT_HAC_TYPE_DVPP = 7,
	ACL_RT_HAC_TYPE_UDMA = 8,
	ACL_RT_HAC_TYPE_CCU = 9
} aclrtHacType;

typedef enum aclrtHostMemMapCapability {
	ACL_RT_HOST_MEM_MAP_NOT_SUPPORTED = 0,
	ACL_RT_HOST_MEM_MAP_SUPPORTED = 1
} aclrtHostMemMapCapability;

/**
 * aclrtHostMemMapCapabilities - whether an engine reaches registered host memory
 * @capabilities: out; what copies does, and nothing else is here
 *
 * Needs no context. Returns 0; 100000 NULL; 107000 another @hacType; 107001 bad id.
 */
ACL_FUNC_VISIBILITY aclError aclrtHostMemMapCapabilities(
	uint32_t deviceId, aclrtHacType hacType, aclrtHostMemMapCapability *capabilities);

/* When a callback of aclrtRegDeviceStateCallback is called. */
typedef enum aclrtDeviceState {
	ACL_RT_DEVICE_STATE_SET_PRE = 0,
	ACL_RT_DEVICE_STATE_SET_POST = 1, /* also when it was set before */
	ACL_RT_DEVICE_STATE_RESET_PRE = 2,
	ACL_RT_DEVICE_STATE_RESET_POST = 3
} aclrtDeviceState;

typedef void (*aclrtDeviceStateCallback)(int32_t deviceId, aclrtDeviceState state,
					 void *args);

/**
 * aclrtRegDeviceStateCallback - be called when a device is set or reset
 * @regName:  a name of your own, 1 to 63 characters
 * @callback: NULL ends the registration of that name
 *
 * Called in the thread that calls aclrtSetDevice, aclrtResetDevice or the forced form,
 * before and, where it succeeded, after; with an id that is there. It may call functions
 * of AscendCL, this one too. Any thread. (AscendCL API reference.)
 *
 * Returns 0; 100000 NULL; 107000 an empty or too long name, one that is registered, or
 * is not when it should end; 200000 the library's own heap.
 */
ACL_FUNC_VISIBILITY aclError aclrtRegDeviceStateCallback(
	const char *regName, aclrtDeviceStateCallback callback, void *args);

/* When a callback of aclrtSetDeviceTaskAbortCallback is called. */
typedef enum aclrtDeviceTaskAbortStage {
	ACL_RT_DEVICE_TASK_ABORT_PRE = 0,
	ACL_RT_DEVICE_TASK_ABORT_POST = 1
} aclrtDeviceTaskAbortStage;

/* @timeout: what aclrtDeviceTaskAbort was given. What it returns says nothing. */
typedef int32_t (*aclrtDeviceTaskAbortCallback)(int32_t deviceId,
						aclrtDeviceTaskAbortStage stage,
						uint32_t timeout, void *args);

/* aclrtSetDeviceTaskAbortCallback - the same for aclrtDeviceTaskAbort. */
ACL_FUNC_VISIBILITY aclError aclrtSetDeviceTaskAbortCallback(
	const char *regName, aclrtDeviceTaskAbortCallback callback, void *args);

#ifdef __cplusplus
}
#endif

#endif /* ACL_RT_DEVICE_H */
