/* SPDX-License-Identifier: MIT */
/*
 * The AscendCL runtime: device, memory, copies, streams.
 *
 * Rules for every function here:
 *
 * - Sizes and alignments are bytes.
 * - A function may be called from any thread at any time unless its comment
 *   says otherwise. The device set by aclrtSetDevice belongs to the thread.
 * - A failing call has changed nothing; aclGetRecentErrMsg() then names the
 *   function, the argument, its value and the rule.
 * - In a child after fork() of a process that used this library every function
 *   but aclGetRecentErrMsg() fails with 507000; exec starts afresh (AscendCL
 *   API reference: fork is not supported).
 * - A bad value in one of the ACLKM_* environment variables makes aclInit and
 *   aclrtSetDevice fail with 100000; the message names the variable.
 *
 * ACLKM_STRICT=1 in the environment keeps to the letter of the founding
 * documents (Secondary Memory Allocation; pyACL malloc); where that changes a
 * rule the comment says "strict".
 */
#ifndef ACL_ACL_RT_H
#define ACL_ACL_RT_H

#include <stdbool.h>

#include "acl_base.h"
#include "acl_rt_allocator.h"

/* The version of the interface that this library plays (aclrtGetVersion). */
#define ACL_MAJOR_VERSION 1
#define ACL_MINOR_VERSION 17
#define ACL_PATCH_VERSION 0

#include "rt/process.h"
#include "rt/device.h"
#include "rt/context.h"
#include "rt/memory.h"
#include "rt/managed.h"
#include "rt/copy.h"
#include "rt/reduce.h"
#include "rt/stream.h"
#include "rt/event.h"
#include "rt/notify.h"
#include "rt/counter_notify.h"
#include "rt/callback.h"
#include "rt/exception.h"
#include "rt/vmm.h"
#include "rt/share.h"
#include "rt/resource.h"
#include "rt/kernel.h"
#include "rt/graph.h"
#include "rt/buffer.h"
#include "rt/snapshot.h"

/*
 * Names:
 * rt/buffer.h:
 *   aclrtAllocBuf aclrtMbuf aclrtFreeBuf aclrtGetBufData aclrtGetBufDataLen
 *   aclrtSetBufDataLen aclrtGetBufUserData aclrtSetBufUserData aclrtCopyBufRef
 *   aclrtAppendBufChain aclrtGetBufChainNum aclrtGetBufFromChain
 * rt/callback.h:
 *   aclrtCallback aclrtHostFunc aclrtCallbackBlockType ACL_CALLBACK_NO_BLOCK
 *   ACL_CALLBACK_BLOCK ACL_STREAM_WAIT_VALUE_GEQ ACL_STREAM_WAIT_VALUE_EQ
 *   ACL_STREAM_WAIT_VALUE_AND ACL_STREAM_WAIT_VALUE_NOR aclrtSubscribeReport
 *   aclrtStream aclrtUnSubscribeReport aclrtLaunchCallback aclrtProcessReport
 *   aclrtLaunchHostFunc aclrtValueWrite aclrtValueWait aclrtSubscribeHostFunc
 *   aclrtProcessHostFunc aclrtUnSubscribeHostFunc
 * rt/context.h:
 *   aclrtCreateContext aclrtContext aclrtDestroyContext aclrtSetCurrentContext
 *   aclrtGetCurrentContext aclrtCtxGetCurrentDefaultStream aclrtStream
 *   aclrtGetPrimaryCtxState
 * rt/copy.h:
 *   aclrtMemcpyKind ACL_MEMCPY_HOST_TO_HOST ACL_MEMCPY_HOST_TO_DEVICE
 *   ACL_MEMCPY_DEVICE_TO_HOST ACL_MEMCPY_DEVICE_TO_DEVICE ACL_MEMCPY_DEFAULT
 *   ACL_MEMCPY_HOST_TO_BUF_TO_DEVICE ACL_MEMCPY_INNER_DEVICE_TO_DEVICE
 *   ACL_MEMCPY_INTER_DEVICE_TO_DEVICE aclrtCmoType ACL_RT_CMO_TYPE_PREFETCH
 *   ACL_RT_CMO_TYPE_WRITEBACK ACL_RT_CMO_TYPE_INVALID ACL_RT_CMO_TYPE_FLUSH
 *   aclrtMemcpyBatchAttr aclrtMemLocation aclrtMemcpy aclrtMemset aclrtMemcpyAsync
 *   aclrtStream aclrtMemcpyAsyncWithCondition aclrtMemcpy2d aclrtMemcpy2dAsync
 *   aclrtMemcpyBatch aclrtMemcpyBatchV2 aclrtMemcpyBatchAsync aclrtMemcpyBatchAsyncV2
 *   aclrtMemcpyAsyncWithOffset aclrtGetMemcpyDescSize aclrtSetMemcpyDesc
 *   aclrtMemcpyAsyncWithDesc aclrtMemsetAsync aclrtMemsetD32 aclrtMemsetD32Async
 *   aclrtCmoAsync aclrtCmoGetDescSize aclrtCmoSetDesc aclrtCmoAsyncWithDesc
 *   ACL_RT_CMO_MAX_BARRIER_NUM aclrtBarrierCmoInfo aclrtBarrierTaskInfo
 *   aclrtCmoAsyncWithBarrier aclrtCmoWaitBarrier
 * rt/counter_notify.h:
 *   ACL_RT_CNT_NOTIFY_RECORD_SET_VALUE_MODE ACL_RT_CNT_NOTIFY_RECORD_ADD_MODE
 *   ACL_RT_CNT_NOTIFY_RECORD_BIT_OR_MODE ACL_RT_CNT_NOTIFY_RECORD_BIT_AND_MODE
 *   aclrtCntNotifyRecordMode aclrtCntNotifyRecordInfo ACL_RT_CNT_NOTIFY_WAIT_LESS_MODE
 *   ACL_RT_CNT_NOTIFY_WAIT_EQUAL_MODE ACL_RT_CNT_NOTIFY_WAIT_BIGGER_MODE
 *   ACL_RT_CNT_NOTIFY_WAIT_BIGGER_OR_EQUAL_MODE
 *   ACL_RT_CNT_NOTIFY_WAIT_EQUAL_WITH_BITMASK_MODE aclrtCntNotifyWaitMode
 *   aclrtCntNotifyWaitInfo aclrtCntNotifyCreate aclrtCntNotify aclrtCntNotifyDestroy
 *   aclrtCntNotifyRecord aclrtStream aclrtCntNotifyWaitWithTimeout aclrtCntNotifyReset
 *   aclrtCntNotifyGetId
 * rt/device.h:
 *   aclrtRunMode ACL_DEVICE ACL_HOST aclrtDeviceStatus ACL_RT_DEVICE_STATUS_NORMAL
 *   ACL_RT_DEVICE_STATUS_ABNORMAL ACL_RT_DEVICE_STATUS_END ACL_DEV_ATTR_AICPU_CORE_NUM
 *   ACL_DEV_ATTR_AICORE_CORE_NUM ACL_DEV_ATTR_CUBE_CORE_NUM
 *   ACL_DEV_ATTR_VECTOR_CORE_NUM ACL_DEV_ATTR_WARP_SIZE
 *   ACL_DEV_ATTR_MAX_THREAD_PER_VECTOR_CORE ACL_DEV_ATTR_LOCAL_MEM_PER_VECTOR_CORE
 *   ACL_DEV_ATTR_UBUF_PER_VECTOR_CORE ACL_DEV_ATTR_MAX_GRID_DIM_X
 *   ACL_DEV_ATTR_MAX_GRID_DIM_Y ACL_DEV_ATTR_MAX_GRID_DIM_Z
 *   ACL_DEV_ATTR_MAX_BLOCK_PER_GRID ACL_DEV_ATTR_MAX_THREADS_PER_BLOCK
 *   ACL_DEV_ATTR_MAX_BLOCK_DIM_X ACL_DEV_ATTR_MAX_BLOCK_DIM_Y
 *   ACL_DEV_ATTR_MAX_BLOCK_DIM_Z ACL_DEV_ATTR_TOTAL_GLOBAL_MEM_SIZE
 *   ACL_DEV_ATTR_L2_CACHE_SIZE ACL_DEV_ATTR_SMP_ID ACL_DEV_ATTR_PHY_CHIP_ID
 *   ACL_DEV_ATTR_SUPER_POD_DEVIDE_ID ACL_DEV_ATTR_SUPER_POD_DEVICE_ID
 *   ACL_DEV_ATTR_SUPER_POD_SERVER_ID ACL_DEV_ATTR_SUPER_POD_ID
 *   ACL_DEV_ATTR_CUST_OP_PRIVILEGE ACL_DEV_ATTR_MAINBOARD_ID
 *   ACL_DEV_ATTR_HD_CONNECT_TYPE ACL_DEV_ATTR_DEVICE_FORM_FACTOR
 *   ACL_DEV_ATTR_SUPER_POD_CHASSIS_ID ACL_DEV_ATTR_IS_VIRTUAL ACL_DEV_ATTR_NPU_ARCH
 *   aclrtDevAttr ACL_HOST_DEVICE_CONNECT_TYPE_PCIE ACL_HOST_DEVICE_CONNECT_TYPE_HCCS
 *   ACL_HOST_DEVICE_CONNECT_TYPE_UB ACL_DEVICE_FORM_FACTOR_POD
 *   ACL_DEVICE_FORM_FACTOR_A_K ACL_DEVICE_FORM_FACTOR_A_X
 *   ACL_DEVICE_FORM_FACTOR_PCIE_CARD aclrtUuid aclrtSetDevice aclrtResetDevice
 *   aclrtGetDevice aclrtGetDeviceCount aclrtGetRunMode aclrtSynchronizeDevice
 *   aclrtSynchronizeDeviceWithTimeout aclrtResetDeviceForce aclrtDeviceTaskAbort
 *   aclrtDeviceCanAccessPeer aclrtDeviceEnablePeerAccess aclrtDeviceDisablePeerAccess
 *   aclrtDevicePeerAccessStatus aclrtGetSocName aclrtGetVersion aclrtDeviceGetBareTgid
 *   aclrtQueryDeviceStatus aclrtDeviceGetStreamPriorityRange aclrtDeviceGetUuid
 *   aclrtGetDeviceInfo aclrtGetLogicDevIdByUserDevId aclrtGetUserDevIdByLogicDevId
 *   aclrtGetLogicDevIdByPhyDevId aclrtGetPhyDevIdByLogicDevId
 *   aclrtGetUserDevIdByPhyDevId aclrtGetPhyDevIdByUserDevId aclrtHacType
 *   ACL_RT_HAC_TYPE_STARS ACL_RT_HAC_TYPE_AICPU ACL_RT_HAC_TYPE_AIC ACL_RT_HAC_TYPE_AIV
 *   ACL_RT_HAC_TYPE_PCIEDMA ACL_RT_HAC_TYPE_RDMA ACL_RT_HAC_TYPE_SDMA
 *   ACL_RT_HAC_TYPE_DVPP ACL_RT_HAC_TYPE_UDMA ACL_RT_HAC_TYPE_CCU
 *   aclrtHostMemMapCapability ACL_RT_HOST_MEM_MAP_NOT_SUPPORTED
 *   ACL_RT_HOST_MEM_MAP_SUPPORTED aclrtHostMemMapCapabilities aclrtDeviceState
 *   ACL_RT_DEVICE_STATE_SET_PRE ACL_RT_DEVICE_STATE_SET_POST
 *   ACL_RT_DEVICE_STATE_RESET_PRE ACL_RT_DEVICE_STATE_RESET_POST
 *   aclrtDeviceStateCallback aclrtRegDeviceStateCallback aclrtDeviceTaskAbortStage
 *   ACL_RT_DEVICE_TASK_ABORT_PRE ACL_RT_DEVICE_TASK_ABORT_POST
 *   aclrtDeviceTaskAbortCallback aclrtSetDeviceTaskAbortCallback
 * rt/event.h:
 *   ACL_EVENT_SYNC ACL_EVENT_CAPTURE_STREAM_PROGRESS ACL_EVENT_TIME_LINE
 *   ACL_EVENT_DEVICE_USE_ONLY ACL_EVENT_EXTERNAL ACL_EVENT_IPC ACL_EVENT_RECORD_DEFAULT
 *   ACL_EVENT_RECORD_EXTERNAL ACL_EVENT_WAIT_DEFAULT ACL_EVENT_WAIT_EXTERNAL
 *   aclrtEventStatus ACL_EVENT_STATUS_COMPLETE ACL_EVENT_STATUS_NOT_READY
 *   ACL_EVENT_STATUS_RESERVED aclrtEventRecordedStatus
 *   ACL_EVENT_RECORDED_STATUS_NOT_READY ACL_EVENT_RECORDED_STATUS_COMPLETE
 *   aclrtEventWaitStatus ACL_EVENT_WAIT_STATUS_COMPLETE ACL_EVENT_WAIT_STATUS_NOT_READY
 *   ACL_EVENT_WAIT_STATUS_RESERVED aclrtCreateEvent aclrtEvent aclrtCreateEventWithFlag
 *   aclrtCreateEventExWithFlag aclrtDestroyEvent aclrtRecordEvent aclrtStream
 *   aclrtRecordEventWithFlag aclrtResetEvent aclrtStreamWaitEvent
 *   aclrtStreamWaitEventWithTimeout aclrtStreamWaitEventWithFlag aclrtSetOpWaitTimeout
 *   aclrtSynchronizeEvent aclrtSynchronizeEventWithTimeout aclrtQueryEvent
 *   aclrtQueryEventStatus aclrtQueryEventWaitStatus aclrtEventElapsedTime
 *   aclrtEventGetTimestamp aclrtGetEventId aclrtGetEventAvailNum
 * rt/exception.h:
 *   aclrtExceptionInfo aclrtExceptionInfoCallback aclrtSetExceptionInfoCallback
 *   aclrtExceptionInfoCallbackRegister aclrtExceptionInfoCallbackUnregister
 *   aclrtGetTaskIdFromExceptionInfo aclrtGetStreamIdFromExceptionInfo
 *   aclrtGetThreadIdFromExceptionInfo aclrtGetDeviceIdFromExceptionInfo
 *   aclrtGetErrorCodeFromExceptionInfo
 * rt/graph.h:
 *   aclmdlRI aclmdlRICondHandle ACL_MODEL_RI_CAPTURE_MODE_GLOBAL
 *   ACL_MODEL_RI_CAPTURE_MODE_THREAD_LOCAL ACL_MODEL_RI_CAPTURE_MODE_RELAXED
 *   aclmdlRICaptureMode ACL_MODEL_RI_CAPTURE_STATUS_NONE
 *   ACL_MODEL_RI_CAPTURE_STATUS_ACTIVE ACL_MODEL_RI_CAPTURE_STATUS_INVALIDATED
 *   aclmdlRICaptureStatus ACL_MDLRI_DEBUG_JSON_PRINT_SUMMARY
 *   ACL_MDLRI_DEBUG_JSON_PRINT_VERBOSE aclmdlRITaskType ACL_MODEL_RI_TASK_DEFAULT
 *   ACL_MODEL_RI_TASK_KERNEL ACL_MODEL_RI_TASK_EVENT_RECORD
 *   ACL_MODEL_RI_TASK_EVENT_WAIT ACL_MODEL_RI_TASK_EVENT_RESET
 *   ACL_MODEL_RI_TASK_VALUE_WRITE ACL_MODEL_RI_TASK_VALUE_WAIT aclmdlRIKernelTaskParams
 *   aclrtFuncHandle aclrtLaunchKernelCfg aclmdlRIEventRecordTaskParams aclrtEvent
 *   aclmdlRIEventWaitTaskParams aclmdlRIEventResetTaskParams
 *   aclmdlRIValueWriteTaskParams aclmdlRIValueWaitTaskParams aclmdlRITaskParams
 *   aclrtTaskGrp ACL_MODEL_RI_COND_HANDLE_ASSIGN_DEFAULT aclmdlRICondHandleFlag
 *   ACL_MODEL_RI_COND_TYPE_IF ACL_MODEL_RI_COND_TYPE_WHILE
 *   ACL_MODEL_RI_COND_TYPE_SWITCH aclmdlRICondTaskType aclmdlRICondTaskParams
 *   aclmdlRICaptureBegin aclrtStream aclmdlRICaptureGetInfo aclmdlRICaptureEnd
 *   aclmdlRICaptureToModelRIBegin aclmdlRICaptureThreadExchangeMode
 *   aclmdlRICaptureTaskGrpBegin aclmdlRICaptureTaskGrpEnd
 *   aclmdlRICaptureTaskUpdateBegin aclmdlRICaptureTaskUpdateEnd aclmdlRIBuildBegin
 *   aclmdlRIBindStream aclmdlRIUnbindStream aclmdlRIEndTask aclmdlRIBuildEnd
 *   aclmdlRIExecuteAsync aclmdlRIExecute aclmdlRIAbort aclmdlRIDestroy
 *   aclmdlRIDestroyRegisterCallback aclrtCallback aclmdlRIDestroyUnregisterCallback
 *   aclmdlRISetName aclmdlRIGetName aclmdlRIGetId aclmdlRIDebugPrint
 *   aclmdlRIDebugJsonPrint aclmdlRIGetStreams aclmdlRIGetTasksByStream aclmdlRITask
 *   aclmdlRITaskGetType aclmdlRITaskGetSeqId aclmdlRITaskGetParams
 *   aclmdlRITaskSetParams aclmdlRITaskDisable aclmdlRIKernelTaskGetAttribute
 *   aclrtLaunchKernelAttrId aclrtLaunchKernelAttrValue aclmdlRIUpdate
 *   aclmdlRICondHandleCreate aclmdlRICondHandleGetCondPtr aclmdlRIAddCondTask
 *   aclmdlInitDump aclmdlSetDump aclmdlFinalizeDump ACL_RT_EQUAL ACL_RT_NOT_EQUAL
 *   ACL_RT_GREATER ACL_RT_GREATER_OR_EQUAL ACL_RT_LESS ACL_RT_LESS_OR_EQUAL
 *   aclrtCondition ACL_RT_SWITCH_INT32 ACL_RT_SWITCH_INT64 aclrtCompareDataType
 *   aclrtCreateLabel aclrtLabel aclrtSetLabel aclrtDestroyLabel aclrtCreateLabelList
 *   aclrtLabelList aclrtDestroyLabelList aclrtSwitchLabelByIndex aclrtActiveStream
 *   aclrtSwitchStream aclrtPersistentTaskClean aclrtRandomParaInfo
 *   aclrtDropoutBitmaskInfo aclrtUniformDisInfo aclrtNormalDisInfo
 *   ACL_RT_RANDOM_NUM_FUNC_TYPE_DROPOUT_BITMASK ACL_RT_RANDOM_NUM_FUNC_TYPE_UNIFORM_DIS
 *   ACL_RT_RANDOM_NUM_FUNC_TYPE_NORMAL_DIS
 *   ACL_RT_RANDOM_NUM_FUNC_TYPE_TRUNCATED_NORMAL_DIS aclrtRandomNumFuncType
 *   aclrtRandomNumFuncParaInfo aclrtRandomNumTaskInfo ACL_RT_UPDATE_RANDOM_TASK
 *   ACL_RT_UPDATE_AIC_AIV_TASK aclrtUpdateTaskAttrId aclrtRandomTaskUpdateAttr
 *   aclrtAicAivTaskUpdateAttr aclrtUpdateTaskAttrVal aclrtTaskUpdateInfo
 *   aclrtRandomNumAsync aclrtTaskUpdateAsync
 * rt/kernel.h:
 *   aclrtBinary aclrtBinHandle aclrtFuncHandle aclrtArgsHandle aclrtParamHandle
 *   aclrtOpExceptionCallback aclrtExceptionInfo ACL_RT_BINARY_MAGIC_ELF_AICORE
 *   ACL_RT_BINARY_MAGIC_ELF_VECTOR_CORE ACL_RT_BINARY_MAGIC_ELF_CUBE_CORE
 *   aclrtBinaryLoadOptionType ACL_RT_BINARY_LOAD_OPT_LAZY_LOAD
 *   ACL_RT_BINARY_LOAD_OPT_LAZY_MAGIC ACL_RT_BINARY_LOAD_OPT_MAGIC
 *   ACL_RT_BINARY_LOAD_OPT_CPU_KERNEL_MODE aclrtBinaryLoadOptionValue
 *   aclrtBinaryLoadOption aclrtBinaryLoadOptions ACL_RT_ENGINE_TYPE_AIC
 *   ACL_RT_ENGINE_TYPE_AIV aclrtEngineType aclrtLaunchKernelAttrId
 *   ACL_RT_LAUNCH_KERNEL_ATTR_SCHEM_MODE ACL_RT_LAUNCH_KERNEL_ATTR_LOCAL_MEMORY_SIZE
 *   ACL_RT_LAUNCH_KERNEL_ATTR_DYN_UBUF_SIZE ACL_RT_LAUNCH_KERNEL_ATTR_ENGINE_TYPE
 *   ACL_RT_LAUNCH_KERNEL_ATTR_BLOCKDIM_OFFSET
 *   ACL_RT_LAUNCH_KERNEL_ATTR_BLOCK_TASK_PREFETCH ACL_RT_LAUNCH_KERNEL_ATTR_DATA_DUMP
 *   ACL_RT_LAUNCH_KERNEL_ATTR_TIMEOUT ACL_RT_LAUNCH_KERNEL_ATTR_TIMEOUT_US
 *   ACL_RT_LAUNCH_KERNEL_ATTR_ENABLE_PROFILING aclrtTimeoutUs
 *   aclrtLaunchKernelAttrValue aclrtLaunchKernelAttr aclrtLaunchKernelCfg
 *   aclrtPlaceHolderInfo ACL_FUNC_ATTR_KERNEL_TYPE ACL_FUNC_ATTR_KERNEL_RATIO
 *   ACL_FUNC_ATTR_KERNEL_SCHED_MODE aclrtFuncAttribute ACL_KERNEL_TYPE_AICORE
 *   ACL_KERNEL_TYPE_CUBE ACL_KERNEL_TYPE_VECTOR ACL_KERNEL_TYPE_MIX
 *   ACL_KERNEL_TYPE_AICPU aclrtKernelType aclrtCreateBinary aclrtDestroyBinary
 *   aclrtBinaryLoad aclrtBinaryLoadFromFile aclrtBinaryLoadFromData aclrtBinaryUnLoad
 *   aclrtBinaryGetFunction aclrtBinaryGetFunctionByEntry aclrtBinaryGetDevAddress
 *   aclrtBinaryGetGlobal aclrtBinarySetExceptionCallback aclrtRegisterCpuFunc
 *   aclrtGetFuncBySymbol aclrtGetFunctionAddr aclrtGetFunctionSize aclrtGetFunctionName
 *   aclrtGetFunctionAttribute aclrtFunctionGetBinary aclrtFunctionGetParamCount
 *   aclrtFunctionGetParamInfo aclrtFunctionGetAvailDynUbufPerBlock
 *   aclrtKernelArgsGetHandleMemSize aclrtKernelArgsGetMemSize aclrtKernelArgsInit
 *   aclrtKernelArgsInitByUserMem aclrtKernelArgsAppend aclrtKernelArgsAppendPlaceHolder
 *   aclrtKernelArgsGetPlaceHolderBuffer aclrtKernelArgsParaUpdate
 *   aclrtKernelArgsFinalize aclrtLaunchKernel aclrtStream aclrtLaunchKernelV2
 *   aclrtLaunchKernelWithConfig aclrtLaunchKernelWithHostArgs
 *   aclrtLaunchKernelWithArgsArray aclrtLaunchSIMTKernelWithArgsArray
 *   aclrtLaunchSIMTKernelWithHostArgs aclrtGetSymbolAddress aclrtGetSymbolSize
 *   aclrtMemcpyFromSymbol aclrtMemcpyKind aclrtMemcpyFromSymbolAsync
 *   aclrtMemcpyToSymbol aclrtMemcpyToSymbolAsync aclrtGetArgsFromExceptionInfo
 *   aclrtGetFuncHandleFromExceptionInfo
 * rt/managed.h:
 *   aclrtMemManagedAdviseType ACL_MEM_ADVISE_SET_READ_MOSTLY
 *   ACL_MEM_ADVISE_UNSET_READ_MOSTLY ACL_MEM_ADVISE_SET_PREFERRED_LOCATION
 *   ACL_MEM_ADVISE_UNSET_PREFERRED_LOCATION ACL_MEM_ADVISE_SET_ACCESSED_BY
 *   ACL_MEM_ADVISE_UNSET_ACCESSED_BY aclrtMemManagedLocationType
 *   ACL_MEM_LOCATIONTYPE_INVALID ACL_MEM_LOCATIONTYPE_DEVICE ACL_MEM_LOCATIONTYPE_HOST
 *   ACL_MEM_LOCATIONTYPE_HOST_NUMA ACL_MEM_LOCATIONTYPE_HOST_NUMA_CURRENT
 *   aclrtMemManagedLocation aclrtMemManagedRangeAttribute
 *   ACL_MEM_RANGE_ATTRIBUTE_READ_MOSTLY ACL_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION
 *   ACL_MEM_RANGE_ATTRIBUTE_ACCESSED_BY ACL_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION_TYPE
 *   ACL_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION_ID
 *   ACL_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION
 *   ACL_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION_TYPE
 *   ACL_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION_ID aclrtMemManagedAdvise
 *   aclrtMemManagedGetAttr aclrtMemManagedGetAttrs aclrtMemManagedPrefetchAsync
 *   aclrtStream aclrtMemManagedPrefetchBatchAsync
 * rt/memory.h:
 *   aclrtMemMallocPolicy ACL_MEM_MALLOC_HUGE_FIRST ACL_MEM_MALLOC_HUGE_ONLY
 *   ACL_MEM_MALLOC_NORMAL_ONLY ACL_MEM_MALLOC_HUGE_FIRST_P2P
 *   ACL_MEM_MALLOC_HUGE_ONLY_P2P ACL_MEM_MALLOC_NORMAL_ONLY_P2P
 *   ACL_MEM_MALLOC_HUGE1G_ONLY ACL_MEM_MALLOC_HUGE1G_ONLY_P2P
 *   ACL_MEM_TYPE_LOW_BAND_WIDTH ACL_MEM_TYPE_HIGH_BAND_WIDTH
 *   ACL_MEM_ACCESS_USER_SPACE_READONLY aclrtMemAttr ACL_DDR_MEM ACL_HBM_MEM
 *   ACL_DDR_MEM_HUGE ACL_DDR_MEM_NORMAL ACL_HBM_MEM_HUGE ACL_HBM_MEM_NORMAL
 *   ACL_DDR_MEM_P2P_HUGE ACL_DDR_MEM_P2P_NORMAL ACL_HBM_MEM_P2P_HUGE
 *   ACL_HBM_MEM_P2P_NORMAL ACL_HBM_MEM_HUGE1G ACL_HBM_MEM_P2P_HUGE1G ACL_MEM_NORMAL
 *   ACL_MEM_HUGE ACL_MEM_HUGE1G ACL_MEM_P2P_NORMAL ACL_MEM_P2P_HUGE ACL_MEM_P2P_HUGE1G
 *   ACL_RT_MEM_ATTR_RSV ACL_RT_MEM_ATTR_MODULE_ID ACL_RT_MEM_ATTR_DEVICE_ID
 *   ACL_RT_MEM_ATTR_VA_FLAG aclrtMallocAttrType aclrtMallocAttrValue
 *   aclrtMallocAttribute aclrtMallocConfig aclrtMemLocationType
 *   ACL_MEM_LOCATION_TYPE_HOST ACL_MEM_LOCATION_TYPE_DEVICE
 *   ACL_MEM_LOCATION_TYPE_UNREGISTERED ACL_MEM_LOCATION_TYPE_MANAGED
 *   ACL_MEM_LOCATION_TYPE_HOST_NUMA aclrtMemLocation aclrtPtrAttributes
 *   aclrtMemUsageInfo aclrtMemUceInfo ACL_RT_MEM_UCE_INFO_MAX_NUM ACL_RT_MEM_TYPE_DEV
 *   ACL_RT_MEM_TYPE_DVPP ACL_RT_MEM_TYPE_RSVD ACL_HOST_REGISTER_MAPPED
 *   ACL_HOST_REGISTER_IOMEMORY ACL_HOST_REGISTER_READONLY aclrtHostRegisterType
 *   ACL_HOST_REG_MAPPED ACL_HOST_REG_IOMEMORY ACL_HOST_REG_READONLY ACL_HOST_REG_PINNED
 *   ACL_RT_MEM_ATTACH_GLOBAL aclrtMemPgType aclrtMemType
 *   ACL_RT_MAX_RECORD_PA_NUM_PER_DEV aclrtMalloc aclrtMallocAlign32 aclrtMallocCached
 *   aclrtFree aclrtMallocHost aclrtFreeHost aclrtGetMemInfo aclrtFreeWithDevSync
 *   aclrtFreeHostWithDevSync aclrtMallocWithCfg aclrtMallocForTaskScheduler
 *   aclrtMallocHostWithCfg aclrtMemAllocManaged aclrtPointerGetAttributes
 *   aclrtCheckMemType aclrtGetMemUsageInfo aclrtGetMemUceInfo aclrtMemUceRepair
 *   aclrtMemFlush aclrtMemInvalidate aclrtHostRegister aclrtHostRegisterV2
 *   aclrtHostUnregister aclrtHostGetDevicePointer aclrtMemP2PMap
 * rt/notify.h:
 *   ACL_NOTIFY_DEFAULT ACL_NOTIFY_DEVICE_USE_ONLY ACL_RT_NOTIFY_EXPORT_FLAG_DEFAULT
 *   ACL_RT_NOTIFY_EXPORT_FLAG_DISABLE_PID_VALIDATION ACL_RT_NOTIFY_IMPORT_FLAG_DEFAULT
 *   ACL_RT_NOTIFY_IMPORT_FLAG_ENABLE_PEER_ACCESS aclrtCreateNotify aclrtNotify
 *   aclrtDestroyNotify aclrtRecordNotify aclrtStream aclrtWaitAndResetNotify
 *   aclrtGetNotifyId aclrtNotifyBatchReset aclrtNotifyGetExportKey
 *   aclrtNotifySetImportPid aclrtNotifyImportByKey
 * rt/process.h:
 *   aclrtLastErrLevel ACL_RT_THREAD_LEVEL aclInit aclFinalize aclGetRecentErrMsg
 *   aclFinalizeReference aclRegisterCallbackType ACL_REG_TYPE_ACL_MODEL
 *   ACL_REG_TYPE_ACL_OP_EXECUTOR ACL_REG_TYPE_ACL_OP_CBLAS ACL_REG_TYPE_ACL_OP_COMPILER
 *   ACL_REG_TYPE_ACL_TDT_CHANNEL ACL_REG_TYPE_ACL_TDT_QUEUE ACL_REG_TYPE_ACL_DVPP
 *   ACL_REG_TYPE_ACL_RETR ACL_REG_TYPE_OTHER aclInitCallbackFunc
 *   aclFinalizeCallbackFunc aclInitCallbackRegister aclInitCallbackUnRegister
 *   aclFinalizeCallbackRegister aclFinalizeCallbackUnRegister aclrtGetLastError
 *   aclrtPeekAtLastError ACL_PKG_VERSION_MAX_SIZE ACL_PKG_VERSION_PARTS_MAX_SIZE
 *   aclCANNPackageName ACL_PKG_NAME_CANN ACL_PKG_NAME_RUNTIME ACL_PKG_NAME_COMPILER
 *   ACL_PKG_NAME_HCCL ACL_PKG_NAME_TOOLKIT ACL_PKG_NAME_OPP ACL_PKG_NAME_OPP_KERNEL
 *   ACL_PKG_NAME_DRIVER aclCANNPackageVersion aclsysGetCANNVersion aclsysGetVersionStr
 *   aclsysGetVersionNum
 * rt/reduce.h:
 *   ACL_RT_MEMCPY_SDMA_AUTOMATIC_SUM ACL_RT_MEMCPY_SDMA_AUTOMATIC_MAX
 *   ACL_RT_MEMCPY_SDMA_AUTOMATIC_MIN ACL_RT_MEMCPY_SDMA_AUTOMATIC_EQUAL aclrtReduceKind
 *   aclrtReduceAsync aclrtStream
 * rt/resource.h:
 *   aclrtFloatOverflowMode ACL_RT_OVERFLOW_MODE_SATURATION ACL_RT_OVERFLOW_MODE_INFNAN
 *   ACL_RT_OVERFLOW_MODE_UNDEF aclrtSetDeviceSatMode aclrtGetDeviceSatMode
 *   aclrtSetStreamOverflowSwitch aclrtStream aclrtGetStreamOverflowSwitch
 *   aclrtGetOverflowStatus aclrtResetOverflowStatus aclrtCtxGetFloatOverflowAddr
 *   aclrtGetFloatOverflowStatus aclrtResetFloatOverflowStatus
 *   aclrtNpuGetFloatOverFlowStatus aclrtNpuClearFloatOverFlowStatus
 *   ACL_RT_DEV_RES_CUBE_CORE ACL_RT_DEV_RES_VECTOR_CORE aclrtDevResLimitType
 *   aclrtGetDeviceResLimit aclrtSetDeviceResLimit aclrtResetDeviceResLimit
 *   aclrtGetStreamResLimit aclrtSetStreamResLimit aclrtResetStreamResLimit
 *   aclrtUseStreamResInCurrentThread aclrtUnuseStreamResInCurrentThread
 *   aclrtGetResInCurrentThread ACL_RT_DEV_LIMIT_SIMT_STACK_SIZE
 *   ACL_RT_DEV_LIMIT_SIMT_DVG_WARP_STACK_SIZE ACL_RT_DEV_LIMIT_SIMD_STACK_SIZE
 *   ACL_RT_DEV_LIMIT_SIMD_PRINTF_FIFO_SIZE_PER_CORE
 *   ACL_RT_DEV_LIMIT_SIMT_PRINTF_FIFO_SIZE aclrtDeviceLimit aclrtDeviceSetLimit
 *   aclrtDeviceGetLimit aclrtSetOpExecuteTimeOut aclrtSetOpExecuteTimeOutWithMs
 *   aclrtSetOpExecuteTimeOutV2 aclrtGetOpExecuteTimeout aclrtGetOpTimeOutInterval
 *   aclrtSetSysParamOpt aclSysParamOpt aclrtGetSysParamOpt aclrtCtxSetSysParamOpt
 *   aclrtCtxGetSysParamOpt aclrtUtilizationExtendInfo aclrtUtilizationInfo
 *   aclrtGetDeviceUtilizationRate ACL_RT_NO_ERROR ACL_RT_ERROR_MEMORY ACL_RT_ERROR_L2
 *   ACL_RT_ERROR_AICORE ACL_RT_ERROR_LINK ACL_RT_ERROR_L3_PORT ACL_RT_ERROR_OTHERS
 *   aclrtErrorType aclrtAicoreErrorType ACL_RT_AICORE_ERROR_UNKNOWN
 *   ACL_RT_AICORE_ERROR_SW ACL_RT_AICORE_ERROR_HW_LOCAL aclrtMemUceInfo
 *   ACL_RT_MEM_UCE_INFO_MAX_NUM aclrtMemUceInfoArray aclrtErrorInfoDetail
 *   aclrtErrorInfo aclrtGetErrorVerbose aclrtRepairError aclrtGroupAttr
 *   ACL_GROUP_AICORE_INT ACL_GROUP_AIV_INT ACL_GROUP_AIC_INT ACL_GROUP_SDMANUM_INT
 *   ACL_GROUP_ASQNUM_INT ACL_GROUP_GROUPID_INT aclrtGroupInfo aclrtSetGroup
 *   aclrtGetGroupCount aclrtCreateGroupInfo aclrtDestroyGroupInfo aclrtGetAllGroupInfo
 *   aclrtGetGroupInfoDetail aclrtTsId ACL_TS_ID_AICORE ACL_TS_ID_AIVECTOR
 *   ACL_TS_ID_RESERVED ACL_DEV_FEATURE_SUPPORT ACL_DEV_FEATURE_NOT_SUPPORT
 *   ACL_FEATURE_TSCPU_TASK_UPDATE_SUPPORT_AIC_AIV
 *   ACL_FEATURE_SYSTEM_MEMQ_EVENT_CROSS_DEV aclrtDevFeatureType
 *   aclrtAtomicOperationCapability ACL_RT_ATOMIC_CAPABILITY_SIGNED
 *   ACL_RT_ATOMIC_CAPABILITY_UNSIGNED ACL_RT_ATOMIC_CAPABILITY_REDUCATION
 *   ACL_RT_ATOMIC_CAPABILITY_REDUCTION ACL_RT_ATOMIC_CAPABILITY_SCALAR8
 *   ACL_RT_ATOMIC_CAPABILITY_SCALAR16 ACL_RT_ATOMIC_CAPABILITY_SCALAR32
 *   ACL_RT_ATOMIC_CAPABILITY_SCALAR64 ACL_RT_ATOMIC_CAPABILITY_SCALAR128
 *   ACL_RT_ATOMIC_CAPABILITY_VECTOR32X4 aclrtAtomicOperation
 *   ACL_RT_ATOMIC_OPERATION_INTEGER_ADD ACL_RT_ATOMIC_OPERATION_INTEGER_MIN
 *   ACL_RT_ATOMIC_OPERATION_INTEGER_MAX ACL_RT_ATOMIC_OPERATION_INTEGER_INCREMENT
 *   ACL_RT_ATOMIC_OPERATION_INTEGER_DECREMENT ACL_RT_ATOMIC_OPERATION_AND
 *   ACL_RT_ATOMIC_OPERATION_OR ACL_RT_ATOMIC_OPERATION_XOR
 *   ACL_RT_ATOMIC_OPERATION_EXCHANGE ACL_RT_ATOMIC_OPERATION_CAS
 *   ACL_RT_ATOMIC_OPERATION_FLOAT_ADD ACL_RT_ATOMIC_OPERATION_FLOAT_MIN
 *   ACL_RT_ATOMIC_OPERATION_FLOAT_MAX ACL_RT_ATOMIC_OPERATION_DMA_ADD
 *   ACL_RT_ATOMIC_OPERATION_DMA_MIN ACL_RT_ATOMIC_OPERATION_DMA_MAX
 *   ACL_RT_ATOMIC_OPERATION_SIMD_SCALAR_ADD ACL_RT_ATOMIC_OPERATION_SIMD_SCALAR_MIN
 *   ACL_RT_ATOMIC_OPERATION_SIMD_SCALAR_MAX ACL_RT_ATOMIC_OPERATION_SIMD_SCALAR_CAS
 *   ACL_RT_ATOMIC_OPERATION_SIMD_SCALAR_EXCH aclrtSetTsDevice aclrtGetDeviceCapability
 *   aclrtDeviceGetHostAtomicCapabilities aclrtDeviceGetP2PAtomicCapabilities
 *   aclrtGetHardwareSyncAddr aclrtDeviceL2CacheFlush aclrtGetThreadLastTaskId
 *   ACL_RT_DEVS_TOPOLOGY_HCCS ACL_RT_DEVS_TOPOLOGY_PIX ACL_RT_DEVS_TOPOLOGY_PIB
 *   ACL_RT_DEVS_TOPOLOGY_PHB ACL_RT_DEVS_TOPOLOGY_SYS ACL_RT_DEVS_TOPOLOGY_SIO
 *   ACL_RT_DEVS_TOPOLOGY_HCCS_SW aclrtGetDevicesTopo aclrtDeviceGetPCIBusId
 *   aclrtDeviceGetByPCIBusId aclrtCheckArchCompatibility
 * rt/share.h:
 *   ACL_RT_IPC_MEM_KEY_LENGTH ACL_RT_IPC_MEM_EXPORT_FLAG_DEFAULT
 *   ACL_RT_IPC_MEM_EXPORT_FLAG_DISABLE_PID_VALIDATION
 *   ACL_RT_IPC_MEM_IMPORT_FLAG_DEFAULT ACL_RT_IPC_MEM_IMPORT_FLAG_ENABLE_PEER_ACCESS
 *   ACL_RT_VMM_EXPORT_FLAG_DEFAULT ACL_RT_VMM_EXPORT_FLAG_DISABLE_PID_VALIDATION
 *   aclrtMemSharedHandleType ACL_MEM_SHARE_HANDLE_TYPE_DEFAULT
 *   ACL_MEM_SHARE_HANDLE_TYPE_FABRIC aclrtMemFabricHandle ACL_IPC_EVENT_HANDLE_SIZE
 *   aclrtIpcEventHandle aclrtMemExportToShareableHandle aclrtDrvMemHandle
 *   aclrtMemHandleType aclrtMemExportToShareableHandleV2
 *   aclrtMemSetPidToShareableHandle aclrtMemSetPidToShareableHandleV2
 *   aclrtMemImportFromShareableHandle aclrtMemImportFromShareableHandleV2
 *   aclrtIpcMemGetExportKey aclrtIpcMemSetImportPid aclrtIpcMemImportByKey
 *   aclrtIpcMemClose aclrtIpcGetEventHandle aclrtEvent aclrtIpcOpenEventHandle
 *   ACL_RT_IPC_MEM_ATTR_ACCESS_LINK_SIO ACL_RT_IPC_MEM_ATTR_ACCESS_LINK_HCCS
 *   ACL_RT_IPC_MEM_ATTR_ACCESS_LINK_UB_ONE_PORT_PATH
 *   ACL_RT_IPC_MEM_ATTR_ACCESS_LINK_UB_MULTI_PORT_PATH ACL_RT_IPC_MEM_ATTR_ACCESS_LINK
 *   aclrtIpcMemAttrType aclrtServerPid aclrtIpcMemSetAttr
 *   aclrtIpcMemImportPidInterServer aclrtNotifySetImportPidInterServer aclrtNotify
 * rt/snapshot.h:
 *   ACL_RT_SNAPSHOT_LOCK_PRE ACL_RT_SNAPSHOT_BACKUP_PRE ACL_RT_SNAPSHOT_BACKUP_POST
 *   ACL_RT_SNAPSHOT_RESTORE_PRE ACL_RT_SNAPSHOT_RESTORE_POST
 *   ACL_RT_SNAPSHOT_UNLOCK_POST aclrtSnapShotStage aclrtSnapShotCallBack
 *   aclrtSnapShotBackupArgs aclrtSnapShotRestoreArgs aclrtSnapShotProcessLock
 *   aclrtSnapShotProcessUnlock aclrtSnapShotProcessBackup aclrtSnapShotProcessRestore
 *   aclrtSnapShotCallbackRegister aclrtSnapShotCallbackUnregister aclrtProfTrace
 *   aclrtStream aclrtCacheLastTaskOpInfo aclrtCacheLastTaskExtendInfo
 * rt/stream.h:
 *   ACL_STREAM_FAST_LAUNCH ACL_STREAM_FAST_SYNC ACL_STREAM_PERSISTENT ACL_STREAM_HUGE
 *   ACL_STREAM_CPU_SCHEDULE ACL_STREAM_DEVICE_USE_ONLY ACL_CONTINUE_ON_FAILURE
 *   ACL_STOP_ON_FAILURE aclrtStreamStatus ACL_STREAM_STATUS_COMPLETE
 *   ACL_STREAM_STATUS_NOT_READY ACL_STREAM_STATUS_RESERVED ACL_STREAM_ATTR_FAILURE_MODE
 *   ACL_STREAM_ATTR_FLOAT_OVERFLOW_CHECK ACL_STREAM_ATTR_USER_CUSTOM_TAG
 *   ACL_STREAM_ATTR_CACHE_OP_INFO ACL_STREAM_ATTR_PRIORITY aclrtStreamAttr
 *   aclrtStreamAttrValue ACL_RT_STREAM_WORK_ADDR_PTR ACL_RT_STREAM_WORK_SIZE
 *   ACL_RT_STREAM_FLAG ACL_RT_STREAM_PRIORITY aclrtStreamConfigAttr
 *   aclrtStreamConfigHandle aclrtCreateStream aclrtStream aclrtCreateStreamWithConfig
 *   aclrtCreateStreamConfigHandle aclrtDestroyStreamConfigHandle
 *   aclrtSetStreamConfigOpt aclrtCreateStreamV2 aclrtDestroyStream
 *   aclrtDestroyStreamForce aclrtSynchronizeStream aclrtSynchronizeStreamWithTimeout
 *   aclrtStreamQuery aclrtStreamAbort aclrtStreamStop aclrtStreamGetId
 *   aclrtStreamGetPriority aclrtStreamGetFlags aclrtSetStreamAttribute
 *   aclrtGetStreamAttribute aclrtSetStreamFailureMode ACL_RT_STREAM_STATE_CREATE_POST
 *   ACL_RT_STREAM_STATE_DESTROY_PRE aclrtStreamState aclrtStreamStateCallback
 *   aclrtRegStreamStateCallback aclrtGetStreamAvailableNum
 * rt/vmm.h:
 *   aclrtDrvMemHandle aclrtMemHandleType ACL_MEM_HANDLE_TYPE_NONE
 *   ACL_MEM_HANDLE_TYPE_POSIX aclrtMemAllocationType ACL_MEM_ALLOCATION_TYPE_PINNED
 *   aclrtMemGranularityOptions ACL_RT_MEM_ALLOC_GRANULARITY_MINIMUM
 *   ACL_RT_MEM_ALLOC_GRANULARITY_RECOMMENDED ACL_RT_MEM_ALLOC_GRANULARITY_UNDEF
 *   aclrtMemAccessFlags ACL_RT_MEM_ACCESS_FLAGS_NONE ACL_RT_MEM_ACCESS_FLAGS_READ
 *   ACL_RT_MEM_ACCESS_FLAGS_READWRITE aclrtPhysicalMemProp aclrtMemAttr
 *   aclrtMemLocation aclrtMemAccessDesc aclrtReserveMemAddress
 *   aclrtReserveMemAddressNoUCMemory aclrtReleaseMemAddress
 *   aclrtMemGetAllocationGranularity aclrtMallocPhysical aclrtFreePhysical aclrtMapMem
 *   aclrtMemMapNoAccess aclrtUnmapMem aclrtMemSetAccess aclrtMemGetAccess
 *   aclrtMemRetainAllocationHandle aclrtMemGetAllocationPropertiesFromHandle
 *   aclrtMemGetAddressRange ACL_RT_MEM_LINK_IDX_0 ACL_RT_MEM_LINK_IDX_1
 *   ACL_RT_MEM_ACCESS_LINK_SIO ACL_RT_MEM_ACCESS_LINK_HCCS
 *   ACL_RT_MEM_ACCESS_UB_ONE_PORT_PATH ACL_RT_MEM_ACCESS_UB_MULTI_PORT_PATH
 *   aclrtMemLinkType aclrtMemMapSelectedLink aclrtMemMapSetLink
 * acl_rt_allocator.h:
 *   ACL_ACL_RT_ALLOCATOR_H aclrtAllocatorDesc aclrtAllocator aclrtAllocatorBlock
 *   aclrtAllocatorAddr aclrtAllocatorAllocFunc aclrtAllocatorFreeFunc
 *   aclrtAllocatorAllocAdviseFunc aclrtAllocatorGetAddrFromBlockFunc
 *   aclrtAllocatorCreateDesc aclrtAllocatorDestroyDesc aclrtAllocatorSetObjToDesc
 *   aclrtAllocatorSetAllocFuncToDesc aclrtAllocatorSetFreeFuncToDesc
 *   aclrtAllocatorSetAllocAdviseFuncToDesc aclrtAllocatorSetGetAddrFromBlockFuncToDesc
 *   aclrtAllocatorRegister aclrtStream aclrtAllocatorGetByStream
 *   aclrtAllocatorUnregister
 * End of names.
 *
 * Build systems look for names in this file to learn what a toolkit has. The list is made
 * by tools/api-table.sh.
 */

#endif /* ACL_ACL_RT_H */
