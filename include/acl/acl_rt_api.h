/* SPDX-License-Identifier: MIT */
/*
 * The runtime for C++: overloads without casts, which call the functions of acl_rt.h.
 * In C this header is acl_rt.h. (AscendCL API reference, "C++ API Routines".)
 */
#ifndef ACL_ACL_RT_API_H
#define ACL_ACL_RT_API_H

#include "acl_rt.h"

#ifdef __cplusplus

static inline aclError aclrtSynchronizeDevice(int32_t timeout)
{
	return aclrtSynchronizeDeviceWithTimeout(timeout);
}

static inline aclError aclrtSynchronizeStream(aclrtStream stream, int32_t timeout)
{
	return aclrtSynchronizeStreamWithTimeout(stream, timeout);
}

static inline aclError aclrtSynchronizeEvent(aclrtEvent event, int32_t timeout)
{
	return aclrtSynchronizeEventWithTimeout(event, timeout);
}

static inline aclError aclrtStreamWaitEvent(aclrtStream stream, aclrtEvent event,
					    int32_t timeout)
{
	return aclrtStreamWaitEventWithTimeout(stream, event, timeout);
}

static inline aclError aclrtCreateStream(aclrtStream *stream, uint32_t priority,
					 uint32_t flag)
{
	return aclrtCreateStreamWithConfig(stream, priority, flag);
}

static inline aclError aclrtSetOpExecuteTimeOut(uint64_t timeout, uint64_t *actualTimeout)
{
	return aclrtSetOpExecuteTimeOutV2(timeout, actualTimeout);
}

static inline aclError aclrtCreateEvent(aclrtEvent *event, uint32_t flag)
{
	return aclrtCreateEventExWithFlag(event, flag);
}

template <typename T>
static inline aclError aclrtMalloc(T **devPtr, size_t size,
				   aclrtMallocConfig *cfg = nullptr)
{
	return aclrtMallocWithCfg((void **)devPtr, size, ACL_MEM_MALLOC_HUGE_FIRST, cfg);
}

template <typename T>
static inline aclError aclrtMalloc(T **devPtr, size_t size, aclrtMemMallocPolicy policy,
				   aclrtMallocConfig *cfg = nullptr)
{
	return aclrtMallocWithCfg((void **)devPtr, size, policy, cfg);
}

template <typename T>
static inline aclError aclrtMallocHost(T **hostPtr, size_t size,
				       aclrtMallocConfig *cfg = nullptr)
{
	return aclrtMallocHostWithCfg((void **)hostPtr, size, cfg);
}

template <typename T, typename U>
static inline aclError aclrtMemcpy(T *dst, size_t destMax, const U *src, size_t count,
				   aclrtMemcpyKind kind)
{
	return aclrtMemcpy((void *)dst, destMax, (const void *)src, count, kind);
}

template <typename T, typename U>
static inline aclError aclrtMemcpyAsync(T *dst, size_t destMax, const U *src,
					size_t count, aclrtMemcpyKind kind,
					aclrtStream stream)
{
	return aclrtMemcpyAsync((void *)dst, destMax, (const void *)src, count, kind,
				stream);
}

template <typename T, typename U>
static inline aclError aclrtMemcpy2d(T *dst, size_t dpitch, const U *src, size_t spitch,
				     size_t width, size_t height, aclrtMemcpyKind kind)
{
	return aclrtMemcpy2d((void *)dst, dpitch, (const void *)src, spitch, width,
			     height, kind);
}

template <typename T, typename U>
static inline aclError aclrtMemcpy2dAsync(T *dst, size_t dpitch, const U *src,
					  size_t spitch, size_t width, size_t height,
					  aclrtMemcpyKind kind, aclrtStream stream)
{
	return aclrtMemcpy2dAsync((void *)dst, dpitch, (const void *)src, spitch, width,
				  height, kind, stream);
}

template <typename T, typename U>
static inline aclError
aclrtMemcpyBatch(T **dsts, size_t *destMaxs, U **srcs, size_t *sizes, size_t numBatches,
		 aclrtMemcpyBatchAttr *attrs, size_t *attrsIndexes, size_t numAttrs)
{
	return aclrtMemcpyBatchV2((void **)dsts, destMaxs, (void **)srcs, sizes,
				  numBatches, attrs, attrsIndexes, numAttrs);
}

template <typename T, typename U>
static inline aclError aclrtMemcpyBatch(T **dsts, size_t *destMaxs, U **srcs,
					size_t *sizes, size_t numBatches,
					aclrtMemcpyBatchAttr attr)
{
	size_t first = 0;

	return aclrtMemcpyBatch(dsts, destMaxs, srcs, sizes, numBatches, &attr, &first,
				(size_t)1);
}

template <typename T, typename U>
static inline aclError
aclrtMemcpyBatchAsync(T **dsts, size_t *destMaxs, U **srcs, size_t *sizes,
		      size_t numBatches, aclrtMemcpyBatchAttr *attrs,
		      size_t *attrsIndexes, size_t numAttrs, aclrtStream stream)
{
	return aclrtMemcpyBatchAsyncV2((void **)dsts, destMaxs, (void **)srcs, sizes,
				       numBatches, attrs, attrsIndexes, numAttrs, stream);
}

template <typename T, typename U>
static inline aclError
aclrtMemcpyBatchAsync(T **dsts, size_t *destMaxs, U **srcs, size_t *sizes,
		      size_t numBatches, aclrtMemcpyBatchAttr attr, aclrtStream stream)
{
	size_t first = 0;

	return aclrtMemcpyBatchAsync(dsts, destMaxs, srcs, sizes, numBatches, &attr,
				     &first, (size_t)1, stream);
}

template <typename T>
static inline aclError aclrtPointerGetAttributes(const T *ptr,
						 aclrtPtrAttributes *attributes)
{
	return aclrtPointerGetAttributes((const void *)ptr, attributes);
}

template <typename T>
static inline aclError aclrtHostRegister(T *ptr, uint64_t size,
					 aclrtHostRegisterType type, T **devPtr)
{
	return aclrtHostRegister((void *)ptr, size, type, (void **)devPtr);
}

template <typename T>
static inline aclError aclrtHostRegister(T *ptr, uint64_t size, uint32_t flag)
{
	return aclrtHostRegisterV2((void *)ptr, size, flag);
}

template <typename T>
static inline aclError aclrtHostGetDevicePointer(T *pHost, T **pDevice, uint32_t flag)
{
	return aclrtHostGetDevicePointer((void *)pHost, (void **)pDevice, flag);
}

template <typename T> static inline aclError aclrtHostUnregister(T *ptr)
{
	return aclrtHostUnregister((void *)ptr);
}

template <typename T>
static inline aclError aclrtMemAllocManaged(T **devPtr, size_t size,
					    uint32_t flags = ACL_RT_MEM_ATTACH_GLOBAL)
{
	return aclrtMemAllocManaged((void **)devPtr, (uint64_t)size, flags);
}

template <typename T>
static inline aclError aclrtMemManagedPrefetchAsync(const T *ptr, size_t size,
						    aclrtMemManagedLocation location,
						    uint32_t flags, aclrtStream stream)
{
	return aclrtMemManagedPrefetchAsync((const void *)ptr, size, location, flags,
					    stream);
}

template <typename T>
static inline aclError
aclrtMemManagedPrefetchBatchAsync(const T **ptrs, size_t *sizes, size_t count,
				  aclrtMemManagedLocation *prefetchLocs,
				  size_t *prefetchLocIdxs, size_t numPrefetchLocs,
				  uint64_t flags, aclrtStream stream)
{
	return aclrtMemManagedPrefetchBatchAsync((const void **)ptrs, sizes, count,
						 prefetchLocs, prefetchLocIdxs,
						 numPrefetchLocs, flags, stream);
}

template <typename T>
static inline aclError
aclrtMemManagedPrefetchBatchAsync(const T **ptrs, size_t *sizes, size_t count,
				  aclrtMemManagedLocation prefetchLoc, uint64_t flags,
				  aclrtStream stream)
{
	size_t first = 0;

	return aclrtMemManagedPrefetchBatchAsync(ptrs, sizes, count, &prefetchLoc, &first,
						 (size_t)1, flags, stream);
}

#endif /* __cplusplus */

#endif /* ACL_ACL_RT_API_H */
