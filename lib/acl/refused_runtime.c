// SPDX-License-Identifier: MIT
/* What the runtime's headers declare and this library cannot do. See refused.h. */
#include "acl/refused.h"

#include "acl/acl_rt.h"

aclError refused_code(const char *function, const char *missing)
{
	aclError code = acl_enter(function);

	if (code)
		return code;
	return acl_refuse(ACL_ERROR_RT_FEATURE_NOT_SUPPORT, "not supported: %s", missing);
}

#define KERNELS "kernels have no device code here; ACLKM_KERNELS has host functions"

REFUSED(aclrtBinaryGetDevAddress, KERNELS);
REFUSED(aclrtBinaryGetGlobal, KERNELS);
REFUSED(aclrtBinarySetExceptionCallback, KERNELS);
REFUSED(aclrtRegisterCpuFunc, KERNELS);
REFUSED(aclrtGetFuncBySymbol, KERNELS);
REFUSED(aclrtGetFunctionAddr, KERNELS);
REFUSED(aclrtGetFunctionSize, KERNELS);
REFUSED(aclrtFunctionGetAvailDynUbufPerBlock, KERNELS);
REFUSED(aclrtGetSymbolAddress, KERNELS);
REFUSED(aclrtGetSymbolSize, KERNELS);
REFUSED(aclrtMemcpyFromSymbol, KERNELS);
REFUSED(aclrtMemcpyFromSymbolAsync, KERNELS);
REFUSED(aclrtMemcpyToSymbol, KERNELS);
REFUSED(aclrtMemcpyToSymbolAsync, KERNELS);
REFUSED(aclrtGetArgsFromExceptionInfo, KERNELS);
REFUSED(aclrtGetFuncHandleFromExceptionInfo, KERNELS);
REFUSED(aclrtTaskUpdateAsync, KERNELS);

#define CAPTURE "a graph's tasks are not looked at or changed: capture it again"

REFUSED(aclmdlRICaptureTaskGrpBegin, CAPTURE);
REFUSED(aclmdlRICaptureTaskGrpEnd, CAPTURE);
REFUSED(aclmdlRICaptureTaskUpdateBegin, CAPTURE);
REFUSED(aclmdlRICaptureTaskUpdateEnd, CAPTURE);
REFUSED(aclmdlRIBuildBegin, CAPTURE);
REFUSED(aclmdlRIBindStream, CAPTURE);
REFUSED(aclmdlRIUnbindStream, CAPTURE);
REFUSED(aclmdlRIEndTask, CAPTURE);
REFUSED(aclmdlRIBuildEnd, CAPTURE);
REFUSED(aclmdlRIAbort, CAPTURE);
REFUSED(aclmdlRIGetStreams, CAPTURE);
REFUSED(aclmdlRIGetTasksByStream, CAPTURE);
REFUSED(aclmdlRITaskGetType, CAPTURE);
REFUSED(aclmdlRITaskGetSeqId, CAPTURE);
REFUSED(aclmdlRITaskGetParams, CAPTURE);
REFUSED(aclmdlRITaskSetParams, CAPTURE);
REFUSED(aclmdlRITaskDisable, CAPTURE);
REFUSED(aclmdlRIKernelTaskGetAttribute, CAPTURE);
REFUSED(aclmdlRIUpdate, CAPTURE);
REFUSED(aclmdlRICondHandleCreate, CAPTURE);
REFUSED(aclmdlRICondHandleGetCondPtr, CAPTURE);
REFUSED(aclmdlRIAddCondTask, CAPTURE);

#define LABELS "labels and switches are tasks of captured streams, which are not there"

REFUSED(aclrtCreateLabel, LABELS);
REFUSED(aclrtSetLabel, LABELS);
REFUSED(aclrtDestroyLabel, LABELS);
REFUSED(aclrtCreateLabelList, LABELS);
REFUSED(aclrtDestroyLabelList, LABELS);
REFUSED(aclrtSwitchLabelByIndex, LABELS);
REFUSED(aclrtActiveStream, LABELS);
REFUSED(aclrtSwitchStream, LABELS);
REFUSED(aclrtPersistentTaskClean, LABELS);

#define CORES "this device has no compute cores"

REFUSED(aclrtRandomNumAsync, CORES);
REFUSED(aclrtGetOverflowStatus, CORES);
REFUSED(aclrtResetOverflowStatus, CORES);
REFUSED(aclrtCtxGetFloatOverflowAddr, CORES);
REFUSED(aclrtGetFloatOverflowStatus, CORES);
REFUSED(aclrtResetFloatOverflowStatus, CORES);
REFUSED(aclrtNpuGetFloatOverFlowStatus, CORES);
REFUSED(aclrtNpuClearFloatOverFlowStatus, CORES);
REFUSED(aclrtDeviceSetLimit, CORES);
REFUSED(aclrtDeviceGetLimit, CORES);
REFUSED(aclrtSetGroup, CORES);
REFUSED(aclrtGetGroupCount, CORES);
REFUSED(aclrtDestroyGroupInfo, CORES);
REFUSED(aclrtGetAllGroupInfo, CORES);
REFUSED(aclrtGetGroupInfoDetail, CORES);
REFUSED(aclrtSetTsDevice, CORES);
REFUSED(aclrtGetDeviceCapability, CORES);
REFUSED(aclrtDeviceGetHostAtomicCapabilities, CORES);
REFUSED(aclrtDeviceGetP2PAtomicCapabilities, CORES);
REFUSED(aclrtGetHardwareSyncAddr, CORES);
REFUSED(aclrtDeviceL2CacheFlush, CORES);
REFUSED_AS(void *, NULL, aclrtCreateGroupInfo, CORES);

#define TASK_NUMBERS "tasks are numbered when they run, not when they are submitted"

REFUSED(aclrtGetThreadLastTaskId, TASK_NUMBERS);

#define LINKS "devices are not connected by links that a program could choose"

REFUSED(aclrtGetDevicesTopo, LINKS);
REFUSED(aclrtMemMapSelectedLink, LINKS);
REFUSED(aclrtMemMapSetLink, LINKS);
REFUSED(aclrtIpcMemSetAttr, LINKS);

#define BUS "the device is on no PCI bus"

REFUSED(aclrtDeviceGetPCIBusId, BUS);
REFUSED(aclrtDeviceGetByPCIBusId, BUS);

#define SERVERS "memory and notifies are shared between processes of one machine"

REFUSED(aclrtIpcMemImportPidInterServer, SERVERS);
REFUSED(aclrtNotifySetImportPidInterServer, SERVERS);

#define MODEL_STREAMS "only streams of a model have these tasks, and there are no models"

REFUSED(aclrtSubscribeHostFunc, MODEL_STREAMS);
REFUSED(aclrtProcessHostFunc, MODEL_STREAMS);
REFUSED(aclrtUnSubscribeHostFunc, MODEL_STREAMS);
REFUSED(aclrtCmoAsyncWithBarrier, MODEL_STREAMS);
REFUSED(aclrtCmoWaitBarrier, MODEL_STREAMS);

#define QUEUES "there are no queues and buffers of the data flow interface"

REFUSED(aclrtAllocBuf, QUEUES);
REFUSED(aclrtFreeBuf, QUEUES);
REFUSED(aclrtGetBufData, QUEUES);
REFUSED(aclrtGetBufDataLen, QUEUES);
REFUSED(aclrtSetBufDataLen, QUEUES);
REFUSED(aclrtGetBufUserData, QUEUES);
REFUSED(aclrtSetBufUserData, QUEUES);
REFUSED(aclrtCopyBufRef, QUEUES);
REFUSED(aclrtAppendBufChain, QUEUES);
REFUSED(aclrtGetBufChainNum, QUEUES);
REFUSED(aclrtGetBufFromChain, QUEUES);

#define SNAPSHOTS "a process that uses this device cannot be saved"

REFUSED(aclrtSnapShotProcessLock, SNAPSHOTS);
REFUSED(aclrtSnapShotProcessUnlock, SNAPSHOTS);
REFUSED(aclrtSnapShotProcessBackup, SNAPSHOTS);
REFUSED(aclrtSnapShotProcessRestore, SNAPSHOTS);
REFUSED(aclrtSnapShotCallbackRegister, SNAPSHOTS);
REFUSED(aclrtSnapShotCallbackUnregister, SNAPSHOTS);

#define PROFILING "nothing is profiled here; ACLKM_CHECK and aclkm_stats tell of memory"

REFUSED(aclrtProfTrace, PROFILING);

#define DUMPS "there are no operators whose data could be dumped"

REFUSED(aclmdlInitDump, DUMPS);
REFUSED(aclmdlSetDump, DUMPS);
REFUSED(aclmdlFinalizeDump, DUMPS);
REFUSED(aclrtCacheLastTaskOpInfo, DUMPS);
REFUSED(aclrtCacheLastTaskExtendInfo, DUMPS);
