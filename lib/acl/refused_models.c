// SPDX-License-Identifier: MIT
/* What the headers of other areas declare, for files that include them. See refused.h. */
#include "acl/refused.h"

#include "acl/acl.h"
#include "acl/acl_dump.h"
#include "acl/acl_op_compiler.h"
#include "acl/acl_platform.h"
#include "acl/acl_prof.h"
#include "acl/acl_tdt.h"
#include "acl/acl_tdt_queue.h"
#include "acl/ops/acl_dvpp.h"

#define QUEUES "there are no queues and buffers of the data flow interface"

REFUSED_AS(void *, NULL, acltdtCreateQueueAttr, QUEUES);
REFUSED(acltdtDestroyQueueAttr, QUEUES);
REFUSED(acltdtSetQueueAttr, QUEUES);
REFUSED(acltdtCreateQueue, QUEUES);
REFUSED(acltdtDestroyQueue, QUEUES);
REFUSED(acltdtEnqueue, QUEUES);
REFUSED(acltdtDequeue, QUEUES);
REFUSED(acltdtGrantQueue, QUEUES);
REFUSED(acltdtAttachQueue, QUEUES);
REFUSED(acltdtAllocBuf, QUEUES);
REFUSED(acltdtFreeBuf, QUEUES);
REFUSED(acltdtGetBufData, QUEUES);
REFUSED(acltdtSetBufDataLen, QUEUES);
REFUSED(acltdtGetBufDataLen, QUEUES);

#define PROFILING "nothing is profiled here; ACLKM_CHECK and aclkm_stats tell of memory"

REFUSED(aclprofInit, PROFILING);
REFUSED(aclprofFinalize, PROFILING);
REFUSED(aclprofStart, PROFILING);
REFUSED(aclprofStop, PROFILING);
REFUSED_AS(void *, NULL, aclprofCreateConfig, PROFILING);
REFUSED(aclprofDestroyConfig, PROFILING);
REFUSED(aclprofSetConfig, PROFILING);
REFUSED_AS(void *, NULL, aclprofCreateStepInfo, PROFILING);
REFUSED_VOID(aclprofDestroyStepInfo, PROFILING);
REFUSED(aclprofGetStepTimestamp, PROFILING);
REFUSED_AS(void *, NULL, aclprofCreateStamp, PROFILING);
REFUSED_VOID(aclprofDestroyStamp, PROFILING);
REFUSED(aclprofPush, PROFILING);
REFUSED(aclprofPop, PROFILING);
REFUSED(aclprofRangeStart, PROFILING);
REFUSED(aclprofRangeStop, PROFILING);
REFUSED(aclprofSetStampTraceMessage, PROFILING);
REFUSED(aclprofMark, PROFILING);

#define DUMPS "there are no operators whose data could be dumped"

REFUSED(acldumpRegCallback, DUMPS);
REFUSED_VOID(acldumpUnregCallback, DUMPS);
REFUSED(aclopStartDumpArgs, DUMPS);
REFUSED(aclopStopDumpArgs, DUMPS);
REFUSED_AS(void *, NULL, acldumpGetPath, DUMPS);

#define MODELS "there are no models: this library has the memory and the streams"

REFUSED_AS(void *, NULL, aclmdlCreateDesc, MODELS);
REFUSED(aclmdlDestroyDesc, MODELS);
REFUSED(aclmdlGetDesc, MODELS);
REFUSED_AS(size_t, 0, aclmdlGetNumInputs, MODELS);
REFUSED_AS(size_t, 0, aclmdlGetNumOutputs, MODELS);
REFUSED_AS(size_t, 0, aclmdlGetInputSizeByIndex, MODELS);
REFUSED_AS(size_t, 0, aclmdlGetOutputSizeByIndex, MODELS);
REFUSED(aclmdlGetInputDims, MODELS);
REFUSED(aclmdlGetOutputDims, MODELS);
REFUSED_AS(void *, NULL, aclmdlGetInputNameByIndex, MODELS);
REFUSED_AS(void *, NULL, aclmdlGetOutputNameByIndex, MODELS);
REFUSED_AS(aclFormat, ACL_FORMAT_UNDEFINED, aclmdlGetInputFormat, MODELS);
REFUSED_AS(aclFormat, ACL_FORMAT_UNDEFINED, aclmdlGetOutputFormat, MODELS);
REFUSED_AS(aclDataType, ACL_DT_UNDEFINED, aclmdlGetInputDataType, MODELS);
REFUSED_AS(aclDataType, ACL_DT_UNDEFINED, aclmdlGetOutputDataType, MODELS);
REFUSED(aclmdlGetInputIndexByName, MODELS);
REFUSED(aclmdlGetOutputIndexByName, MODELS);
REFUSED_AS(void *, NULL, aclmdlCreateDataset, MODELS);
REFUSED(aclmdlDestroyDataset, MODELS);
REFUSED(aclmdlAddDatasetBuffer, MODELS);
REFUSED(aclmdlSetDatasetTensorDesc, MODELS);
REFUSED_AS(void *, NULL, aclmdlGetDatasetTensorDesc, MODELS);
REFUSED_AS(size_t, 0, aclmdlGetDatasetNumBuffers, MODELS);
REFUSED_AS(void *, NULL, aclmdlGetDatasetBuffer, MODELS);
REFUSED(aclmdlLoadFromFile, MODELS);
REFUSED(aclmdlLoadFromMem, MODELS);
REFUSED(aclmdlLoadFromFileWithMem, MODELS);
REFUSED(aclmdlLoadFromMemWithMem, MODELS);
REFUSED(aclmdlUnload, MODELS);
REFUSED(aclmdlQuerySize, MODELS);
REFUSED(aclmdlQuerySizeFromMem, MODELS);
REFUSED(aclmdlExecute, MODELS);
REFUSED(aclmdlExecuteAsync, MODELS);
REFUSED(aclmdlGetDynamicBatch, MODELS);
REFUSED(aclmdlSetDynamicBatchSize, MODELS);
REFUSED(aclmdlGetDynamicHW, MODELS);
REFUSED(aclmdlSetDynamicHWSize, MODELS);

#define OPERATORS "there are no operators: this library has the memory and the streams"

REFUSED(aclopSetModelDir, OPERATORS);
REFUSED(aclopLoad, OPERATORS);
REFUSED_AS(void *, NULL, aclopCreateAttr, OPERATORS);
REFUSED_VOID(aclopDestroyAttr, OPERATORS);
REFUSED(aclopSetAttrBool, OPERATORS);
REFUSED(aclopSetAttrInt, OPERATORS);
REFUSED(aclopSetAttrFloat, OPERATORS);
REFUSED(aclopSetAttrString, OPERATORS);
REFUSED(aclopExecuteV2, OPERATORS);
REFUSED(aclopCreateHandle, OPERATORS);
REFUSED_VOID(aclopDestroyHandle, OPERATORS);
REFUSED(aclopExecWithHandle, OPERATORS);
REFUSED(aclSetCompileopt, OPERATORS);
REFUSED(aclGetCompileopt, OPERATORS);
REFUSED_AS(size_t, 0, aclGetCompileoptSize, OPERATORS);
REFUSED(aclopSetCompileFlag, OPERATORS);
REFUSED(aclopCompile, OPERATORS);
REFUSED(aclopCompileAndExecute, OPERATORS);

#define TENSORS "there are no operators that would take a tensor"

REFUSED_AS(void *, NULL, aclCreateTensorDesc, TENSORS);
REFUSED_VOID(aclDestroyTensorDesc, TENSORS);
REFUSED_AS(aclDataType, ACL_DT_UNDEFINED, aclGetTensorDescType, TENSORS);
REFUSED_AS(aclFormat, ACL_FORMAT_UNDEFINED, aclGetTensorDescFormat, TENSORS);
REFUSED_AS(size_t, 0, aclGetTensorDescSize, TENSORS);
REFUSED_AS(size_t, 0, aclGetTensorDescElementCount, TENSORS);
REFUSED_AS(size_t, 0, aclGetTensorDescNumDims, TENSORS);
REFUSED_AS(int64_t, -1, aclGetTensorDescDim, TENSORS);
REFUSED(aclGetTensorDescDimV2, TENSORS);
REFUSED_AS(void *, NULL, aclGetTensorDescName, TENSORS);
REFUSED_VOID(aclSetTensorDescName, TENSORS);
REFUSED(aclSetTensorShapeRange, TENSORS);
REFUSED(aclSetTensorFormat, TENSORS);
REFUSED(aclSetTensorShape, TENSORS);
REFUSED(aclSetTensorPlaceMent, TENSORS);

#define CHANNELS "there are no channels between host and device queues"

REFUSED_AS(acltdtTensorType, ACL_TENSOR_DATA_UNDEFINED, acltdtGetTensorTypeFromItem,
	   CHANNELS);
REFUSED_AS(aclDataType, ACL_DT_UNDEFINED, acltdtGetDataTypeFromItem, CHANNELS);
REFUSED_AS(void *, NULL, acltdtGetDataAddrFromItem, CHANNELS);
REFUSED_AS(size_t, 0, acltdtGetDataSizeFromItem, CHANNELS);
REFUSED_AS(size_t, 0, acltdtGetDimNumFromItem, CHANNELS);
REFUSED(acltdtGetSliceInfoFromItem, CHANNELS);
REFUSED(acltdtGetDimsFromItem, CHANNELS);
REFUSED_AS(void *, NULL, acltdtCreateDataItem, CHANNELS);
REFUSED(acltdtDestroyDataItem, CHANNELS);
REFUSED_AS(void *, NULL, acltdtCreateDataset, CHANNELS);
REFUSED(acltdtDestroyDataset, CHANNELS);
REFUSED_AS(void *, NULL, acltdtGetDataItem, CHANNELS);
REFUSED(acltdtAddDataItem, CHANNELS);
REFUSED_AS(size_t, 0, acltdtGetDatasetSize, CHANNELS);
REFUSED_AS(void *, NULL, acltdtGetDatasetName, CHANNELS);
REFUSED_AS(void *, NULL, acltdtCreateChannel, CHANNELS);
REFUSED_AS(void *, NULL, acltdtCreateChannelWithCapacity, CHANNELS);
REFUSED(acltdtStopChannel, CHANNELS);
REFUSED(acltdtDestroyChannel, CHANNELS);
REFUSED(acltdtCleanChannel, CHANNELS);
REFUSED(acltdtSendTensor, CHANNELS);
REFUSED(acltdtReceiveTensor, CHANNELS);
REFUSED(acltdtQueryChannelSize, CHANNELS);

#define MEDIA "no picture is decoded here: only the memory for it is there"

REFUSED(acldvppJpegGetImageInfo, MEDIA);
REFUSED(acldvppJpegGetImageInfoV2, MEDIA);
REFUSED(acldvppPngGetImageInfo, MEDIA);

#define INSTRUCTIONS "this device runs no instructions"

REFUSED(aclplatformGetInstructionInfo, INSTRUCTIONS);
