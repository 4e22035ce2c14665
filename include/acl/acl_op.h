/* SPDX-License-Identifier: MIT */
/*
 * Operators, for files that include this header and call none of them.
 *
 * This library runs no operators: each function here answers 207000, or NULL where it
 * returns a pointer. Functions that are not declared are out of scope.
 */
#ifndef ACL_ACL_OP_H
#define ACL_ACL_OP_H

#include "acl_base.h"
#include "acl_rt.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct aclopHandle aclopHandle;
typedef struct aclopAttr aclopAttr;
typedef struct aclopKernelDesc aclopKernelDesc;

typedef void (*aclDataDeallocator)(void *data, size_t length);

static const int ACL_COMPILE_FLAG_BIN_SELECTOR = 1;

typedef enum aclEngineType {
	ACL_ENGINE_SYS = 0,
	ACL_ENGINE_AICORE = 1,
	ACL_ENGINE_VECTOR = 2
} aclopEngineType;

ACL_FUNC_VISIBILITY aclError aclopSetModelDir(const char *modelDir);
ACL_FUNC_VISIBILITY aclError aclopLoad(const void *model, size_t modelSize);
ACL_FUNC_VISIBILITY aclopAttr *aclopCreateAttr(void);
ACL_FUNC_VISIBILITY void aclopDestroyAttr(const aclopAttr *attr);
ACL_FUNC_VISIBILITY aclError aclopSetAttrBool(aclopAttr *attr, const char *attrName,
					      uint8_t attrValue);
ACL_FUNC_VISIBILITY aclError aclopSetAttrInt(aclopAttr *attr, const char *attrName,
					     int64_t attrValue);
ACL_FUNC_VISIBILITY aclError aclopSetAttrFloat(aclopAttr *attr, const char *attrName,
					       float attrValue);
ACL_FUNC_VISIBILITY aclError aclopSetAttrString(aclopAttr *attr, const char *attrName,
						const char *attrValue);
ACL_FUNC_VISIBILITY aclError aclopExecuteV2(const char *opType, int numInputs,
					    aclTensorDesc *inputDesc[],
					    aclDataBuffer *inputs[], int numOutputs,
					    aclTensorDesc *outputDesc[],
					    aclDataBuffer *outputs[], aclopAttr *attr,
					    aclrtStream stream);
ACL_FUNC_VISIBILITY aclError aclopCreateHandle(const char *opType, int numInputs,
					       const aclTensorDesc *const inputDesc[],
					       int numOutputs,
					       const aclTensorDesc *const outputDesc[],
					       const aclopAttr *opAttr,
					       aclopHandle **handle);
ACL_FUNC_VISIBILITY void aclopDestroyHandle(aclopHandle *handle);
ACL_FUNC_VISIBILITY aclError aclopExecWithHandle(aclopHandle *handle, int numInputs,
						 const aclDataBuffer *const inputs[],
						 int numOutputs,
						 aclDataBuffer *const outputs[],
						 aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif /* ACL_ACL_OP_H */
