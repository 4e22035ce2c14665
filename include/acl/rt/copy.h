/* SPDX-License-Identifier: MIT */
/* Copies and sets. See acl/acl_rt.h for the rules of all. */
#ifndef ACL_RT_COPY_H
#define ACL_RT_COPY_H

#include "../acl_base.h"

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

#ifdef __cplusplus
}
#endif

#endif /* ACL_RT_COPY_H */
