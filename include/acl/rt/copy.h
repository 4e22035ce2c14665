/* SPDX-License-Identifier: MIT */
/* Copies and sets. See acl/acl_rt.h for the rules of all. */
#ifndef ACL_RT_COPY_H
#define ACL_RT_COPY_H

#include "memory.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Direction of a copy (AscendCL API reference, "aclrtMemcpyKind"). */
typedef enum aclrtMemcpyKind {
	ACL_MEMCPY_HOST_TO_HOST = 0,
	ACL_MEMCPY_HOST_TO_DEVICE = 1,
	ACL_MEMCPY_DEVICE_TO_HOST = 2,
	ACL_MEMCPY_DEVICE_TO_DEVICE = 3,
	ACL_MEMCPY_DEFAULT = 4,
	ACL_MEMCPY_HOST_TO_BUF_TO_DEVICE = 5,
	ACL_MEMCPY_INNER_DEVICE_TO_DEVICE = 6, /* refused by Memcpy and MemcpyAsync */
	ACL_MEMCPY_INTER_DEVICE_TO_DEVICE = 7  /* refused by Memcpy and MemcpyAsync */
} aclrtMemcpyKind;

/* Cache hints (AscendCL API reference, "aclrtCmoType"). */
typedef enum aclrtCmoType {
	ACL_RT_CMO_TYPE_PREFETCH = 0,
	ACL_RT_CMO_TYPE_WRITEBACK = 1,
	ACL_RT_CMO_TYPE_INVALID = 2,
	ACL_RT_CMO_TYPE_FLUSH = 3
} aclrtCmoType;

/* The two sides of copies of a batch. */
typedef struct aclrtMemcpyBatchAttr {
	aclrtMemLocation dstLoc;
	aclrtMemLocation srcLoc;
	uint8_t rsv[16];
} aclrtMemcpyBatchAttr;

/**
 * aclrtMemcpy - copy now
 * @dst, @destMax: destination and the bytes that it holds
 * @src, @count:   source and the bytes to copy
 * @kind:          checked for its range only: the addresses tell the direction
 *
 * Waits for no stream. Host sides may be any memory. @count 0 is a success
 * whatever the pointers are; @src == @dst too. (AscendCL API reference,
 * "aclrtMemcpy".)
 *
 * Returns 0; 100000 NULL, or kind 6, 7 and above; 107002 no context; 107000
 * @count > @destMax.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemcpy(void *dst, size_t destMax, const void *src,
					 size_t count, aclrtMemcpyKind kind);

/**
 * aclrtMemset - fill now
 * @devPtr, @maxCount: memory (device or host) and the bytes that it holds
 * @value:             its low byte is written
 * @count:             bytes to write; 0 is a success
 *
 * Returns 0; 100000 NULL; 107002 no context; 107000 @count > @maxCount.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemset(void *devPtr, size_t maxCount, int32_t value,
					 size_t count);

/**
 * aclrtMemcpyAsync - copy in a stream
 *
 * Arguments as aclrtMemcpy; @stream NULL is the default stream. Both sides
 * must stay valid until the stream is synchronised. When one side is host
 * memory that AscendCL did not give, the stream is synchronised first and the
 * copy is done before the call returns; struct aclkm_stats counts that as
 * degraded. (AscendCL API reference, "aclrtMemcpyAsync".)
 *
 * Errors: those of aclrtMemcpy; 207000 host to host; 107003 unknown or
 * destroyed stream; strict: 107008 when an address is no multiple of 64
 * (Secondary Memory Allocation); 207005 no thread can be started; 200000 the
 * library's own heap.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemcpyAsync(void *dst, size_t destMax, const void *src,
					      size_t count, aclrtMemcpyKind kind,
					      aclrtStream stream);

/* aclrtMemcpyAsyncWithCondition - deprecated; aclrtMemcpyAsync. */
ACL_FUNC_VISIBILITY aclError aclrtMemcpyAsyncWithCondition(void *dst, size_t destMax,
							   const void *src, size_t count,
							   aclrtMemcpyKind kind,
							   aclrtStream stream);

/**
 * aclrtMemcpy2d - copy rows now
 * @dpitch, @spitch: from one row to the next; at least @width
 * @width:	     bytes of a row, from 1 to 5,000,000
 * @height:	     rows, from 1 to 5,242,880
 * @kind:	     host to device, device to host, or default
 *
 * (AscendCL API reference, "aclrtMemcpy2d".)
 *
 * Returns 0; 100000 NULL, width, height, pitch or kind; 107002 no context.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemcpy2d(void *dst, size_t dpitch, const void *src,
					   size_t spitch, size_t width, size_t height,
					   aclrtMemcpyKind kind);

/**
 * aclrtMemcpy2dAsync - copy rows in a stream
 * @kind: as aclrtMemcpy2d, or device to device
 *
 * Returns as aclrtMemcpy2d, and 107003, 107008, 207000 as aclrtMemcpyAsync.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemcpy2dAsync(void *dst, size_t dpitch, const void *src,
						size_t spitch, size_t width,
						size_t height, aclrtMemcpyKind kind,
						aclrtStream stream);

/**
 * aclrtMemcpyBatch - copy several pieces now
 * @dsts, @destMaxs, @srcs, @sizes: @numBatches of each
 * @attrs:        where the two sides are: all host to device, or all device to host
 * @attrsIndexes: the first copy that each item of @attrs is for: 0, then ascending
 * @numAttrs:     from 1
 * @failIndex:    out: the copy that was refused; SIZE_MAX when it is no single one
 *
 * All are checked before the first is done; in no order.
 * (AscendCL API reference, "aclrtMemcpyBatch".)
 *
 * Returns 0; 100000 NULL, no copies, no attributes, size 0; 107000 size above its
 * destMax, bad index, other or mixed directions, an address that is not on the side
 * that its attribute says; 107002 no context.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemcpyBatch(void **dsts, size_t *destMaxs, void **srcs,
					      size_t *sizes, size_t numBatches,
					      aclrtMemcpyBatchAttr *attrs,
					      size_t *attrsIndexes, size_t numAttrs,
					      size_t *failIndex);

/* aclrtMemcpyBatchV2 - the same without @failIndex. */
ACL_FUNC_VISIBILITY aclError aclrtMemcpyBatchV2(void **dsts, size_t *destMaxs,
						void **srcs, size_t *sizes,
						size_t numBatches,
						aclrtMemcpyBatchAttr *attrs,
						size_t *attrsIndexes, size_t numAttrs);

/* aclrtMemcpyBatchAsync - in a stream; errors of both. */
ACL_FUNC_VISIBILITY aclError aclrtMemcpyBatchAsync(void **dsts, size_t *destMaxs,
						   void **srcs, size_t *sizes,
						   size_t numBatches,
						   aclrtMemcpyBatchAttr *attrs,
						   size_t *attrsIndexes, size_t numAttrs,
						   size_t *failIndex, aclrtStream stream);

/* aclrtMemcpyBatchAsyncV2 - the same without @failIndex. */
ACL_FUNC_VISIBILITY aclError aclrtMemcpyBatchAsyncV2(void **dsts, size_t *destMaxs,
						     void **srcs, size_t *sizes,
						     size_t numBatches,
						     aclrtMemcpyBatchAttr *attrs,
						     size_t *attrsIndexes,
						     size_t numAttrs, aclrtStream stream);

/**
 * aclrtMemcpyAsyncWithOffset - copy between addresses that are read when it is done
 * @dst, @src: where the addresses are; they must be good then
 * @destMax:   bytes at *@dst; the offset and @count must fit
 *
 * Returns as aclrtMemcpyAsync; 107000 as well for an offset that does not fit.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemcpyAsyncWithOffset(
	void **dst, size_t destMax, size_t dstDataOffset, const void **src, size_t count,
	size_t srcDataOffset, aclrtMemcpyKind kind, aclrtStream stream);

/**
 * aclrtGetMemcpyDescSize - bytes of a copy descriptor
 * @kind: 1, 2, 3 or 6
 *
 * Returns 0; 100000 NULL or kind.
 */
ACL_FUNC_VISIBILITY aclError aclrtGetMemcpyDescSize(aclrtMemcpyKind kind,
						    size_t *descSize);

/**
 * aclrtSetMemcpyDesc - write a copy descriptor
 * @desc:   memory of aclrtGetMemcpyDescSize bytes
 * @config: NULL
 *
 * Returns 0; 100000 NULL, count 0, kind; 107000 @config; 107002 no context.
 */
ACL_FUNC_VISIBILITY aclError aclrtSetMemcpyDesc(void *desc, aclrtMemcpyKind kind,
						void *srcAddr, void *dstAddr,
						size_t count, void *config);

/**
 * aclrtMemcpyAsyncWithDesc - the copy that @desc describes when the stream comes there
 *
 * Returns 0; 100000 NULL or kind; 107002; 107003. What is no descriptor then makes
 * the task fail: the next synchronisation gives 100000.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemcpyAsyncWithDesc(void *desc, aclrtMemcpyKind kind,
						      aclrtStream stream);

/**
 * aclrtMemsetAsync - fill in a stream
 *
 * Arguments as aclrtMemset. Returns as aclrtMemset; 107003; 207005 no thread.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemsetAsync(void *devPtr, size_t maxCount,
					      int32_t value, size_t count,
					      aclrtStream stream);

/**
 * aclrtMemsetD32 - fill with a 32-bit value now
 * @ptr:     memory of AscendCL; a multiple of 4
 * @memSize: bytes at @ptr
 * @N:       values to write, from 1
 *
 * Returns 0; 100000 NULL, alignment, N, or other memory; 107002 no context.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemsetD32(void *ptr, size_t memSize, uint32_t value,
					    size_t N);

/* aclrtMemsetD32Async - in a stream; host memory at once. The same; 107003. */
ACL_FUNC_VISIBILITY aclError aclrtMemsetD32Async(void *ptr, size_t memSize,
						 uint32_t value, size_t N,
						 aclrtStream stream);

/* aclrtCmoAsync - a cache hint: nothing to do. 0; 100000 NULL, size 0, type; 107002. */
ACL_FUNC_VISIBILITY aclError aclrtCmoAsync(void *src, size_t size, aclrtCmoType cmoType,
					   aclrtStream stream);

/* aclrtCmoGetDescSize - bytes of a descriptor of a hint. Returns 0; 100000 NULL. */
ACL_FUNC_VISIBILITY aclError aclrtCmoGetDescSize(size_t *size);

/**
 * aclrtCmoSetDesc - describe a hint
 * @cmoDesc: memory of AscendCL with aclrtCmoGetDescSize bytes
 *
 * Returns 0; 100000 NULL, size 0; 107000 @cmoDesc is other memory.
 */
ACL_FUNC_VISIBILITY aclError aclrtCmoSetDesc(void *cmoDesc, void *src, size_t size);

/**
 * aclrtCmoAsyncWithDesc - the hint that a descriptor describes
 * @reserve: NULL
 *
 * As aclrtCmoAsync. Returns 0; 100000 NULL, type, @reserve; 107000 @cmoDesc was not made
 * by aclrtCmoSetDesc; 107002; 107003.
 */
ACL_FUNC_VISIBILITY aclError aclrtCmoAsyncWithDesc(void *cmoDesc, aclrtCmoType cmoType,
						   aclrtStream stream,
						   const void *reserve);

/* Barriers of cache maintenance: 207000; only streams of a model have them. */

#define ACL_RT_CMO_MAX_BARRIER_NUM 6U

typedef struct {
	aclrtCmoType cmoType;
	uint32_t barrierId;
} aclrtBarrierCmoInfo;

typedef struct {
	size_t barrierNum;
	aclrtBarrierCmoInfo cmoInfo[ACL_RT_CMO_MAX_BARRIER_NUM];
} aclrtBarrierTaskInfo;

ACL_FUNC_VISIBILITY aclError aclrtCmoAsyncWithBarrier(void *src, size_t size,
						      aclrtCmoType cmoType,
						      uint32_t barrierId,
						      aclrtStream stream);
ACL_FUNC_VISIBILITY aclError aclrtCmoWaitBarrier(aclrtBarrierTaskInfo *taskInfo,
						 aclrtStream stream, uint32_t flag);

#ifdef __cplusplus
}
#endif

#endif /* ACL_RT_COPY_H */
