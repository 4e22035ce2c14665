/* SPDX-License-Identifier: MIT */
/*
 * Models, for files that include this header beside memory and streams.
 *
 * This library runs no models: each function here answers 207000, NULL where it returns
 * a pointer, 0 where it returns a number. aclGetRecentErrMsg() says what is missing.
 * Functions that are not declared are out of scope. Captured streams (aclmdlRI) are in
 * acl/rt/graph.h.
 */
#ifndef ACL_ACL_MDL_H
#define ACL_ACL_MDL_H

#include "acl_base.h"
#include "acl_rt.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACL_DIM_ENDPOINTS 2
#define ACL_MAX_DIM_CNT 128
#define ACL_MAX_TENSOR_NAME_LEN 128
#define ACL_MAX_BATCH_NUM 128
#define ACL_MAX_HW_NUM 128
#define ACL_MAX_SHAPE_COUNT 128
#define ACL_INVALID_NODE_INDEX 0xFFFFFFFF

#define ACL_MDL_LOAD_FROM_FILE 1
#define ACL_MDL_LOAD_FROM_FILE_WITH_MEM 2
#define ACL_MDL_LOAD_FROM_MEM 3
#define ACL_MDL_LOAD_FROM_MEM_WITH_MEM 4
#define ACL_MDL_LOAD_FROM_FILE_WITH_Q 5
#define ACL_MDL_LOAD_FROM_MEM_WITH_Q 6

#define ACL_DYNAMIC_TENSOR_NAME "ascend_mbatch_shape_data"
#define ACL_DYNAMIC_AIPP_NAME "ascend_dynamic_aipp_data"

typedef struct aclmdlDataset aclmdlDataset;
typedef struct aclmdlDesc aclmdlDesc;
typedef struct aclmdlAIPP aclmdlAIPP;
typedef struct aclAippExtendInfo aclAippExtendInfo;
typedef struct aclmdlConfigHandle aclmdlConfigHandle;
typedef struct aclmdlExecConfigHandle aclmdlExecConfigHandle;

typedef enum {
	ACL_YUV420SP_U8 = 1,
	ACL_XRGB8888_U8 = 2,
	ACL_RGB888_U8 = 3,
	ACL_YUV400_U8 = 4,
	ACL_NC1HWC0DI_FP16 = 5,
	ACL_NC1HWC0DI_S8 = 6,
	ACL_ARGB8888_U8 = 7,
	ACL_YUYV_U8 = 8,
	ACL_YUV422SP_U8 = 9,
	ACL_AYUV444_U8 = 10,
	ACL_RAW10 = 11,
	ACL_RAW12 = 12,
	ACL_RAW16 = 13,
	ACL_RAW24 = 14,
	ACL_AIPP_RESERVED = 0xFFFF
} aclAippInputFormat;

typedef enum {
	ACL_MDL_PRIORITY_INT32 = 0,
	ACL_MDL_LOAD_TYPE_SIZET = 1,
	ACL_MDL_PATH_PTR = 2,
	ACL_MDL_MEM_ADDR_PTR = 3,
	ACL_MDL_MEM_SIZET = 4,
	ACL_MDL_WEIGHT_ADDR_PTR = 5,
	ACL_MDL_WEIGHT_SIZET = 6,
	ACL_MDL_WORKSPACE_ADDR_PTR = 7,
	ACL_MDL_WORKSPACE_SIZET = 8,
	ACL_MDL_INPUTQ_NUM_SIZET = 9,
	ACL_MDL_INPUTQ_ADDR_PTR = 10,
	ACL_MDL_OUTPUTQ_NUM_SIZET = 11,
	ACL_MDL_OUTPUTQ_ADDR_PTR = 12,
	ACL_MDL_WORKSPACE_MEM_OPTIMIZE = 13
} aclmdlConfigAttr;

typedef enum {
	ACL_DATA_WITHOUT_AIPP = 0,
	ACL_DATA_WITH_STATIC_AIPP = 1,
	ACL_DATA_WITH_DYNAMIC_AIPP = 2,
	ACL_DYNAMIC_AIPP_NODE = 3
} aclmdlInputAippType;

typedef struct aclmdlIODims {
	char name[ACL_MAX_TENSOR_NAME_LEN];
	size_t dimCount;
	int64_t dims[ACL_MAX_DIM_CNT];
} aclmdlIODims;

typedef struct aclmdlIODimsRange {
	size_t rangeCount;
	int64_t range[ACL_MAX_DIM_CNT][ACL_DIM_ENDPOINTS];
} aclmdlIODimsRange;

typedef struct aclAippDims {
	aclmdlIODims srcDims;
	size_t srcSize;
	aclmdlIODims aippOutdims;
	size_t aippOutSize;
} aclAippDims;

typedef struct aclmdlBatch {
	size_t batchCount;
	uint64_t batch[ACL_MAX_BATCH_NUM];
} aclmdlBatch;

typedef struct aclmdlHW {
	size_t hwCount;
	uint64_t hw[ACL_MAX_HW_NUM][2];
} aclmdlHW;

ACL_FUNC_VISIBILITY aclmdlDesc *aclmdlCreateDesc(void);
ACL_FUNC_VISIBILITY aclError aclmdlDestroyDesc(aclmdlDesc *modelDesc);
ACL_FUNC_VISIBILITY aclError aclmdlGetDesc(aclmdlDesc *modelDesc, uint32_t modelId);
ACL_FUNC_VISIBILITY size_t aclmdlGetNumInputs(aclmdlDesc *modelDesc);
ACL_FUNC_VISIBILITY size_t aclmdlGetNumOutputs(aclmdlDesc *modelDesc);
ACL_FUNC_VISIBILITY size_t aclmdlGetInputSizeByIndex(aclmdlDesc *modelDesc, size_t index);
ACL_FUNC_VISIBILITY size_t aclmdlGetOutputSizeByIndex(aclmdlDesc *modelDesc,
						      size_t index);
ACL_FUNC_VISIBILITY aclError aclmdlGetInputDims(const aclmdlDesc *modelDesc, size_t index,
						aclmdlIODims *dims);
ACL_FUNC_VISIBILITY aclError aclmdlGetOutputDims(const aclmdlDesc *modelDesc,
						 size_t index, aclmdlIODims *dims);
ACL_FUNC_VISIBILITY const char *aclmdlGetInputNameByIndex(const aclmdlDesc *modelDesc,
							  size_t index);
ACL_FUNC_VISIBILITY const char *aclmdlGetOutputNameByIndex(const aclmdlDesc *modelDesc,
							   size_t index);
/* ACL_FORMAT_UNDEFINED */
ACL_FUNC_VISIBILITY aclFormat aclmdlGetInputFormat(const aclmdlDesc *modelDesc,
						   size_t index);
ACL_FUNC_VISIBILITY aclFormat aclmdlGetOutputFormat(const aclmdlDesc *modelDesc,
						    size_t index);
/* ACL_DT_UNDEFINED */
ACL_FUNC_VISIBILITY aclDataType aclmdlGetInputDataType(const aclmdlDesc *modelDesc,
						       size_t index);
ACL_FUNC_VISIBILITY aclDataType aclmdlGetOutputDataType(const aclmdlDesc *modelDesc,
							size_t index);
ACL_FUNC_VISIBILITY aclError aclmdlGetInputIndexByName(const aclmdlDesc *modelDesc,
						       const char *name, size_t *index);
ACL_FUNC_VISIBILITY aclError aclmdlGetOutputIndexByName(const aclmdlDesc *modelDesc,
							const char *name, size_t *index);
ACL_FUNC_VISIBILITY aclmdlDataset *aclmdlCreateDataset(void);
ACL_FUNC_VISIBILITY aclError aclmdlDestroyDataset(const aclmdlDataset *dataset);
ACL_FUNC_VISIBILITY aclError aclmdlAddDatasetBuffer(aclmdlDataset *dataset,
						    aclDataBuffer *dataBuffer);
ACL_FUNC_VISIBILITY aclError aclmdlSetDatasetTensorDesc(aclmdlDataset *dataset,
							aclTensorDesc *tensorDesc,
							size_t index);
ACL_FUNC_VISIBILITY aclTensorDesc *
aclmdlGetDatasetTensorDesc(const aclmdlDataset *dataset, size_t index);
ACL_FUNC_VISIBILITY size_t aclmdlGetDatasetNumBuffers(const aclmdlDataset *dataset);
ACL_FUNC_VISIBILITY aclDataBuffer *aclmdlGetDatasetBuffer(const aclmdlDataset *dataset,
							  size_t index);
ACL_FUNC_VISIBILITY aclError aclmdlLoadFromFile(const char *modelPath, uint32_t *modelId);
ACL_FUNC_VISIBILITY aclError aclmdlLoadFromMem(const void *model, size_t modelSize,
					       uint32_t *modelId);
ACL_FUNC_VISIBILITY aclError aclmdlLoadFromFileWithMem(const char *modelPath,
						       uint32_t *modelId, void *workPtr,
						       size_t workSize, void *weightPtr,
						       size_t weightSize);
ACL_FUNC_VISIBILITY aclError aclmdlLoadFromMemWithMem(const void *model, size_t modelSize,
						      uint32_t *modelId, void *workPtr,
						      size_t workSize, void *weightPtr,
						      size_t weightSize);
ACL_FUNC_VISIBILITY aclError aclmdlUnload(uint32_t modelId);
ACL_FUNC_VISIBILITY aclError aclmdlQuerySize(const char *fileName, size_t *workSize,
					     size_t *weightSize);
ACL_FUNC_VISIBILITY aclError aclmdlQuerySizeFromMem(const void *model, size_t modelSize,
						    size_t *workSize, size_t *weightSize);
ACL_FUNC_VISIBILITY aclError aclmdlExecute(uint32_t modelId, const aclmdlDataset *input,
					   aclmdlDataset *output);
ACL_FUNC_VISIBILITY aclError aclmdlExecuteAsync(uint32_t modelId,
						const aclmdlDataset *input,
						aclmdlDataset *output,
						aclrtStream stream);
ACL_FUNC_VISIBILITY aclError aclmdlGetDynamicBatch(const aclmdlDesc *modelDesc,
						   aclmdlBatch *batch);
ACL_FUNC_VISIBILITY aclError aclmdlSetDynamicBatchSize(uint32_t modelId,
						       aclmdlDataset *dataset,
						       size_t index, uint64_t batchSize);
ACL_FUNC_VISIBILITY aclError aclmdlGetDynamicHW(const aclmdlDesc *modelDesc, size_t index,
						aclmdlHW *hw);
ACL_FUNC_VISIBILITY aclError aclmdlSetDynamicHWSize(uint32_t modelId,
						    aclmdlDataset *dataset, size_t index,
						    uint64_t height, uint64_t width);

#ifdef __cplusplus
}
#endif

#endif /* ACL_ACL_MDL_H */
