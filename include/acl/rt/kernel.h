/* SPDX-License-Identifier: MIT */
/*
 * Kernels: loading, arguments, launches and symbols of device code.
 *
 * This library has no cores that could run device code. Where ACLKM_KERNELS names a file
 * with host functions (aclkm/kernels.h), binaries are loaded, functions found by name or
 * entry, arguments built, and launches call the host function in the stream's order.
 * Without the variable those functions answer 207000, aclrtCreateBinary NULL. Device
 * addresses, sizes, symbols and exceptions of kernels answer 207000 always.
 * aclGetRecentErrMsg() says what is missing.
 *
 * 100000: NULL, or a size of 0; numBlocks = 0 of aclrtLaunchKernelWithConfig and
 * aclrtLaunchKernelWithArgsArray; a file of ACLKM_KERNELS that cannot be used. 107000: an
 * argument that breaks a rule, more than 128 parameters or 64 KiB of arguments, a list of
 * another kernel or not finished. 107002: loading, finishing and launching need a
 * context. 107003: the stream. 107017: a handle that is not alive. 207000: a parameter
 * behind the first buffer or the end of its list. 507027: no such kernel. 507015, from
 * the stream: the host function has failed. Any thread; a list of arguments belongs to
 * one at a time. (AscendCL API reference, "Kernel loading and execution".)
 */
#ifndef ACL_RT_KERNEL_H
#define ACL_RT_KERNEL_H

#include "../acl_base.h"
#include "copy.h"
#include "exception.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void *aclrtBinary;
typedef void *aclrtBinHandle;
typedef void *aclrtFuncHandle;
typedef void *aclrtArgsHandle;
typedef void *aclrtParamHandle;

typedef void (*aclrtOpExceptionCallback)(aclrtExceptionInfo *exceptionInfo,
					 void *userData);

#define ACL_RT_BINARY_MAGIC_ELF_AICORE 0x43554245U
#define ACL_RT_BINARY_MAGIC_ELF_VECTOR_CORE 0x41415246U
#define ACL_RT_BINARY_MAGIC_ELF_CUBE_CORE 0x41494343U

typedef enum aclrtBinaryLoadOptionType {
	ACL_RT_BINARY_LOAD_OPT_LAZY_LOAD = 1,
	ACL_RT_BINARY_LOAD_OPT_LAZY_MAGIC = 2,
	ACL_RT_BINARY_LOAD_OPT_MAGIC = 2,
	ACL_RT_BINARY_LOAD_OPT_CPU_KERNEL_MODE = 3
} aclrtBinaryLoadOptionType;

typedef union aclrtBinaryLoadOptionValue {
	uint32_t isLazyLoad;
	uint32_t magic;
	int32_t cpuKernelMode;
	uint32_t rsv[4];
} aclrtBinaryLoadOptionValue;

typedef struct {
	aclrtBinaryLoadOptionType type;
	aclrtBinaryLoadOptionValue value;
} aclrtBinaryLoadOption;

typedef struct aclrtBinaryLoadOptions {
	aclrtBinaryLoadOption *options;
	size_t numOpt;
} aclrtBinaryLoadOptions;

typedef enum { ACL_RT_ENGINE_TYPE_AIC = 0, ACL_RT_ENGINE_TYPE_AIV = 1 } aclrtEngineType;

/* Sizes of a launch. In C++ what is left out is 1. */
typedef struct dim3 {
	uint32_t x;
	uint32_t y;
	uint32_t z;
#ifdef __cplusplus
	constexpr dim3(uint32_t vx = 1, uint32_t vy = 1, uint32_t vz = 1)
	    : x(vx), y(vy), z(vz)
	{
	}
#endif
} dim3;

typedef enum aclrtLaunchKernelAttrId {
	ACL_RT_LAUNCH_KERNEL_ATTR_SCHEM_MODE = 1,
	ACL_RT_LAUNCH_KERNEL_ATTR_LOCAL_MEMORY_SIZE = 2,
	ACL_RT_LAUNCH_KERNEL_ATTR_DYN_UBUF_SIZE = 2,
	ACL_RT_LAUNCH_KERNEL_ATTR_ENGINE_TYPE = 3,
	ACL_RT_LAUNCH_KERNEL_ATTR_BLOCKDIM_OFFSET = 4,
	ACL_RT_LAUNCH_KERNEL_ATTR_BLOCK_TASK_PREFETCH = 5,
	ACL_RT_LAUNCH_KERNEL_ATTR_DATA_DUMP = 6,
	ACL_RT_LAUNCH_KERNEL_ATTR_TIMEOUT = 7,
	ACL_RT_LAUNCH_KERNEL_ATTR_TIMEOUT_US = 8,
	ACL_RT_LAUNCH_KERNEL_ATTR_ENABLE_PROFILING = 9
} aclrtLaunchKernelAttrId;

typedef struct {
	uint32_t timeoutLow;
	uint32_t timeoutHigh;
} aclrtTimeoutUs;

typedef union aclrtLaunchKernelAttrValue {
	uint8_t schemMode;
	uint32_t localMemorySize;
	uint32_t dynUBufSize;
	aclrtEngineType engineType;
	uint32_t blockDimOffset;
	uint8_t isBlockTaskPrefetch;
	uint8_t isDataDump;
	uint16_t timeout;	  /* seconds */
	aclrtTimeoutUs timeoutUs; /* microseconds */
	uint8_t enableProfiling;
	uint32_t rsv[4];
} aclrtLaunchKernelAttrValue;

typedef struct aclrtLaunchKernelAttr {
	aclrtLaunchKernelAttrId id;
	aclrtLaunchKernelAttrValue value;
} aclrtLaunchKernelAttr;

typedef struct aclrtLaunchKernelCfg {
	aclrtLaunchKernelAttr *attrs;
	size_t numAttrs;
} aclrtLaunchKernelCfg;

typedef struct {
	uint32_t addrOffset;
	uint32_t dataOffset;
} aclrtPlaceHolderInfo;

typedef enum {
	ACL_FUNC_ATTR_KERNEL_TYPE = 1,
	ACL_FUNC_ATTR_KERNEL_RATIO = 2,
	ACL_FUNC_ATTR_KERNEL_SCHED_MODE = 3
} aclrtFuncAttribute;

typedef enum {
	ACL_KERNEL_TYPE_AICORE = 0,
	ACL_KERNEL_TYPE_CUBE = 1,
	ACL_KERNEL_TYPE_VECTOR = 2,
	ACL_KERNEL_TYPE_MIX = 3,
	ACL_KERNEL_TYPE_AICPU = 100
} aclrtKernelType;

/* Describes a binary; the bytes are not read here. aclrtDestroyBinary may follow the
 * load. */
ACL_FUNC_VISIBILITY aclrtBinary aclrtCreateBinary(const void *data, size_t dataLen);
ACL_FUNC_VISIBILITY aclError aclrtDestroyBinary(aclrtBinary binary);
ACL_FUNC_VISIBILITY aclError aclrtBinaryLoad(const aclrtBinary binary,
					     aclrtBinHandle *binHandle);
/* The file need not be there: the functions are those of ACLKM_KERNELS. */
ACL_FUNC_VISIBILITY aclError aclrtBinaryLoadFromFile(const char *binPath,
						     aclrtBinaryLoadOptions *options,
						     aclrtBinHandle *binHandle);
ACL_FUNC_VISIBILITY aclError
aclrtBinaryLoadFromData(const void *data, size_t length,
			const aclrtBinaryLoadOptions *options, aclrtBinHandle *binHandle);
/* Ends the functions found in it. Launches that wait in a stream still run. */
ACL_FUNC_VISIBILITY aclError aclrtBinaryUnLoad(aclrtBinHandle binHandle);
ACL_FUNC_VISIBILITY aclError aclrtBinaryGetFunction(const aclrtBinHandle binHandle,
						    const char *kernelName,
						    aclrtFuncHandle *funcHandle);
ACL_FUNC_VISIBILITY aclError aclrtBinaryGetFunctionByEntry(aclrtBinHandle binHandle,
							   uint64_t funcEntry,
							   aclrtFuncHandle *funcHandle);
ACL_FUNC_VISIBILITY aclError aclrtBinaryGetDevAddress(const aclrtBinHandle binHandle,
						      void **binAddr, size_t *binSize);
ACL_FUNC_VISIBILITY aclError aclrtBinaryGetGlobal(aclrtBinHandle binHandle,
						  const char *name, void **dptr,
						  size_t *size);
ACL_FUNC_VISIBILITY aclError aclrtBinarySetExceptionCallback(
	aclrtBinHandle binHandle, aclrtOpExceptionCallback callback, void *userData);
ACL_FUNC_VISIBILITY aclError aclrtRegisterCpuFunc(const aclrtBinHandle handle,
						  const char *funcName,
						  const char *kernelName,
						  aclrtFuncHandle *funcHandle);

ACL_FUNC_VISIBILITY aclError aclrtGetFuncBySymbol(const void *symbol,
						  aclrtFuncHandle *funcHandle);
ACL_FUNC_VISIBILITY aclError aclrtGetFunctionAddr(aclrtFuncHandle funcHandle,
						  void **aicAddr, void **aivAddr);
ACL_FUNC_VISIBILITY aclError aclrtGetFunctionSize(aclrtFuncHandle funcHandle,
						  size_t *aicSize, size_t *aivSize);
ACL_FUNC_VISIBILITY aclError aclrtGetFunctionName(aclrtFuncHandle funcHandle,
						  uint32_t maxLen, char *name);
ACL_FUNC_VISIBILITY aclError aclrtGetFunctionAttribute(aclrtFuncHandle funcHandle,
						       aclrtFuncAttribute attrType,
						       int64_t *attrValue);
ACL_FUNC_VISIBILITY aclError aclrtFunctionGetBinary(const aclrtFuncHandle funcHandle,
						    aclrtBinHandle *binHandle);
ACL_FUNC_VISIBILITY aclError aclrtFunctionGetParamCount(const void *func,
							size_t *paramCount);
ACL_FUNC_VISIBILITY aclError aclrtFunctionGetParamInfo(const void *func,
						       size_t paramIndex,
						       size_t *paramOffset,
						       size_t *paramSize);
ACL_FUNC_VISIBILITY aclError
aclrtFunctionGetAvailDynUbufPerBlock(void *func, uint32_t flags, size_t *dynamicUbufSize);

ACL_FUNC_VISIBILITY aclError aclrtKernelArgsGetHandleMemSize(aclrtFuncHandle funcHandle,
							     size_t *memSize);
ACL_FUNC_VISIBILITY aclError aclrtKernelArgsGetMemSize(aclrtFuncHandle funcHandle,
						       size_t userArgsSize,
						       size_t *actualArgsSize);
/* This thread's own list, emptied: a thread has one, and builds one after another. */
ACL_FUNC_VISIBILITY aclError aclrtKernelArgsInit(aclrtFuncHandle funcHandle,
						 aclrtArgsHandle *argsHandle);
/* The same in the program's memory: sizes from the two functions above. */
ACL_FUNC_VISIBILITY aclError aclrtKernelArgsInitByUserMem(aclrtFuncHandle funcHandle,
							  aclrtArgsHandle argsHandle,
							  void *userHostMem,
							  size_t actualArgsSize);
ACL_FUNC_VISIBILITY aclError aclrtKernelArgsAppend(aclrtArgsHandle argsHandle,
						   void *param, size_t paramSize,
						   aclrtParamHandle *paramHandle);
ACL_FUNC_VISIBILITY aclError aclrtKernelArgsAppendPlaceHolder(
	aclrtArgsHandle argsHandle, aclrtParamHandle *paramHandle);
ACL_FUNC_VISIBILITY aclError aclrtKernelArgsGetPlaceHolderBuffer(
	aclrtArgsHandle argsHandle, aclrtParamHandle paramHandle, size_t dataSize,
	void **bufferAddr);
/* Of the size that was appended. aclrtKernelArgsFinalize must follow before a launch. */
ACL_FUNC_VISIBILITY aclError aclrtKernelArgsParaUpdate(aclrtArgsHandle argsHandle,
						       aclrtParamHandle paramHandle,
						       void *param, size_t paramSize);
ACL_FUNC_VISIBILITY aclError aclrtKernelArgsFinalize(aclrtArgsHandle argsHandle);

/* The arguments lie in device memory and are read when the kernel runs. */
ACL_FUNC_VISIBILITY aclError aclrtLaunchKernel(aclrtFuncHandle funcHandle,
					       uint32_t numBlocks, const void *argsData,
					       size_t argsSize, aclrtStream stream);
ACL_FUNC_VISIBILITY aclError aclrtLaunchKernelV2(aclrtFuncHandle funcHandle,
						 uint32_t numBlocks, const void *argsData,
						 size_t argsSize,
						 aclrtLaunchKernelCfg *cfg,
						 aclrtStream stream);
/* The launch has a copy of the list, which can be changed and launched again. */
ACL_FUNC_VISIBILITY aclError aclrtLaunchKernelWithConfig(
	aclrtFuncHandle funcHandle, uint32_t numBlocks, aclrtStream stream,
	aclrtLaunchKernelCfg *cfg, aclrtArgsHandle argsHandle, void *reserve);
ACL_FUNC_VISIBILITY aclError aclrtLaunchKernelWithHostArgs(
	aclrtFuncHandle funcHandle, uint32_t numBlocks, aclrtStream stream,
	aclrtLaunchKernelCfg *cfg, void *hostArgs, size_t argsSize,
	aclrtPlaceHolderInfo *placeHolderArray, size_t placeHolderNum);
/* @func: a function's handle. Needs param_sizes in the table of ACLKM_KERNELS. */
ACL_FUNC_VISIBILITY aclError aclrtLaunchKernelWithArgsArray(void *func,
							    uint32_t numBlocks,
							    aclrtStream stream,
							    aclrtLaunchKernelCfg *cfg,
							    void **args);
ACL_FUNC_VISIBILITY aclError aclrtLaunchSIMTKernelWithArgsArray(
	void *func, dim3 gridDim, dim3 blockDim, size_t dynUbufSize, aclrtStream stream,
	aclrtLaunchKernelCfg *cfg, void **args);
ACL_FUNC_VISIBILITY aclError aclrtLaunchSIMTKernelWithHostArgs(
	void *func, dim3 gridDim, dim3 blockDim, size_t dynUbufSize, aclrtStream stream,
	aclrtLaunchKernelCfg *cfg, void *hostArgs, size_t argsSize,
	aclrtPlaceHolderInfo *placeHolderArray, size_t placeHolderNum);

ACL_FUNC_VISIBILITY aclError aclrtGetSymbolAddress(const void *symbol, void **devPtr);
ACL_FUNC_VISIBILITY aclError aclrtGetSymbolSize(const void *symbol, size_t *size);
ACL_FUNC_VISIBILITY aclError aclrtMemcpyFromSymbol(void *dst, size_t dstMax,
						   const void *symbol, size_t count,
						   size_t offset, aclrtMemcpyKind kind);
ACL_FUNC_VISIBILITY aclError aclrtMemcpyFromSymbolAsync(void *dst, size_t dstMax,
							const void *symbol, size_t count,
							size_t offset,
							aclrtMemcpyKind kind,
							aclrtStream stream);
ACL_FUNC_VISIBILITY aclError aclrtMemcpyToSymbol(const void *symbol, const void *src,
						 size_t count, size_t offset,
						 aclrtMemcpyKind kind);
ACL_FUNC_VISIBILITY aclError aclrtMemcpyToSymbolAsync(const void *symbol, const void *src,
						      size_t count, size_t offset,
						      aclrtMemcpyKind kind,
						      aclrtStream stream);

ACL_FUNC_VISIBILITY aclError aclrtGetArgsFromExceptionInfo(const aclrtExceptionInfo *info,
							   void **devArgsPtr,
							   uint32_t *devArgsLen);
ACL_FUNC_VISIBILITY aclError aclrtGetFuncHandleFromExceptionInfo(
	const aclrtExceptionInfo *info, aclrtFuncHandle *func);

#ifdef __cplusplus
}
#endif

#endif /* ACL_RT_KERNEL_H */
