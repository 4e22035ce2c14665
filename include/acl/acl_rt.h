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

#include "acl_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where the program runs (AscendCL API reference, "aclrtRunMode"). */
typedef enum aclrtRunMode {
	ACL_DEVICE = 0, /* on the device's own processor */
	ACL_HOST = 1	/* on the host that the device is plugged into */
} aclrtRunMode;

/*
 * Which pages an allocation gets (AscendCL API reference,
 * "aclrtMemMallocPolicy"). One item only, no OR. The *_P2P forms are taken as
 * their plain form. LOW_/HIGH_BAND_WIDTH alone, and values not listed, mean
 * HUGE_FIRST; strict refuses values not listed with 107000.
 */
typedef enum aclrtMemMallocPolicy {
	ACL_MEM_MALLOC_HUGE_FIRST = 0,	/* > 1 MiB: 2 MiB pages if there are any */
	ACL_MEM_MALLOC_HUGE_ONLY = 1,	/* 2 MiB pages or 207001 */
	ACL_MEM_MALLOC_NORMAL_ONLY = 2, /* normal pages */
	ACL_MEM_MALLOC_HUGE_FIRST_P2P = 3,
	ACL_MEM_MALLOC_HUGE_ONLY_P2P = 4,
	ACL_MEM_MALLOC_NORMAL_ONLY_P2P = 5,
	ACL_MEM_MALLOC_HUGE1G_ONLY = 6, /* 1 GiB pages or 207001; no 32-byte padding */
	ACL_MEM_MALLOC_HUGE1G_ONLY_P2P = 7,
	ACL_MEM_TYPE_LOW_BAND_WIDTH = 0x0100,
	ACL_MEM_TYPE_HIGH_BAND_WIDTH = 0x1000,
	ACL_MEM_ACCESS_USER_SPACE_READONLY = 0x100000
} aclrtMemMallocPolicy;

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

/*
 * Kinds of memory that aclrtGetMemInfo answers for (AscendCL API reference,
 * "aclrtMemAttr"). This device has one memory: all of them give the same.
 */
typedef enum aclrtMemAttr {
	ACL_DDR_MEM = 0,
	ACL_HBM_MEM = 1,
	ACL_DDR_MEM_HUGE = 2,
	ACL_DDR_MEM_NORMAL = 3,
	ACL_HBM_MEM_HUGE = 4,
	ACL_HBM_MEM_NORMAL = 5,
	ACL_DDR_MEM_P2P_HUGE = 6,
	ACL_DDR_MEM_P2P_NORMAL = 7,
	ACL_HBM_MEM_P2P_HUGE = 8,
	ACL_HBM_MEM_P2P_NORMAL = 9,
	ACL_HBM_MEM_HUGE1G = 10,
	ACL_HBM_MEM_P2P_HUGE1G = 11,
	ACL_MEM_NORMAL = 12,
	ACL_MEM_HUGE = 13,
	ACL_MEM_HUGE1G = 14,
	ACL_MEM_P2P_NORMAL = 15,
	ACL_MEM_P2P_HUGE = 16,
	ACL_MEM_P2P_HUGE1G = 17
} aclrtMemAttr;

/* Whose last error is asked for (AscendCL API reference, "aclrtLastErrLevel"). */
typedef enum aclrtLastErrLevel {
	ACL_RT_THREAD_LEVEL = 0 /* the calling thread's */
} aclrtLastErrLevel;

/* Process ------------------------------------------------------------------ */

/**
 * aclInit - start using AscendCL in this process
 * @configPath: NULL, "", or a JSON file with an object in it (may be {})
 *
 * Optional: no other function asks for it. Calls are counted.
 * (AscendCL API reference, "aclInit".)
 *
 * Returns 0; 100002 when already initialised (harmless, still counted); 100003
 * file cannot be read; 100005 file over 10 MiB; 100006 no JSON object in it;
 * 100000 bad ACLKM_* variable.
 */
ACL_FUNC_VISIBILITY aclError aclInit(const char *configPath);

/**
 * aclFinalize - stop using AscendCL
 *
 * Sets the count of aclInit back to zero; memory and streams stay as they are.
 * (AscendCL API reference, "aclFinalize".)
 *
 * Returns 0; 100037 when not initialised or finalised before.
 */
ACL_FUNC_VISIBILITY aclError aclFinalize(void);

/**
 * aclGetRecentErrMsg - text of the recent failures of this thread, newest first
 *
 * Reading clears it. The string belongs to the library and lives until the
 * next call of this function in the same thread.
 * (AscendCL API reference, "aclGetRecentErrMsg".)
 *
 * Returns NULL when there is none.
 */
ACL_FUNC_VISIBILITY const char *aclGetRecentErrMsg(void);

/**
 * aclFinalizeReference - undo one aclInit
 * @refCount: out; how many are left
 *
 * (AscendCL API reference, "aclFinalizeReference".)
 *
 * Returns 0; 100000 NULL; 100037 when not initialised or finalised before.
 */
ACL_FUNC_VISIBILITY aclError aclFinalizeReference(uint64_t *refCount);

/**
 * aclrtGetLastError - the code of the last failure of this thread, and forget it
 * @level: ACL_RT_THREAD_LEVEL
 *
 * (AscendCL API reference, "aclrtGetLastError".)
 *
 * Returns 0 when nothing failed since the last call; 100000 another level.
 */
ACL_FUNC_VISIBILITY aclError aclrtGetLastError(aclrtLastErrLevel level);

/* aclrtPeekAtLastError - the same, and keep it. */
ACL_FUNC_VISIBILITY aclError aclrtPeekAtLastError(aclrtLastErrLevel level);

/* Device ------------------------------------------------------------------- */

/**
 * aclrtSetDevice - make a device current in this thread
 * @deviceId: 0 to count - 1 (see aclrtGetDeviceCount)
 *
 * Creates the device's default context and default stream with the first call.
 * Calls are counted, over all threads. (AscendCL API reference,
 * "aclrtSetDevice".)
 *
 * Returns 0; 107001 bad id; 100000 bad ACLKM_* variable; 207004 the backend
 * asked for is not there; 507000 the backend fails.
 */
ACL_FUNC_VISIBILITY aclError aclrtSetDevice(int32_t deviceId);

/**
 * aclrtResetDevice - undo one aclrtSetDevice
 * @deviceId: the device
 *
 * With the last one all streams are drained and destroyed, and no thread has a
 * current device any more. Memory stays and may still be freed.
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
 * @count: out; 1 today
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
 * Returns 0; 107002 no context; 507000 a task failed.
 */
ACL_FUNC_VISIBILITY aclError aclrtSynchronizeDevice(void);

/* Memory -------------------------------------------------------------------
 *
 * The memory is not initialised. It belongs to the process until it is freed
 * with the function that fits; exit of the process gives it back. Allocation
 * and free wait for no stream: synchronise before freeing what a task uses.
 *
 * Start alignment: 512, or ACLKM_ALIGN (a power of two from 64); strict: 64.
 * (Secondary Memory Allocation: 64 is what the documents promise.)
 *
 * Errors that all allocations share: 100000 for a NULL output pointer, size 0
 * and sizes that overflow by the rule's rounding; 107002 when the thread has no
 * context; 207001 when memory is short, which is never reported as any other
 * code.
 */

/**
 * aclrtMalloc - device memory
 * @devPtr: out
 * @size:   bytes, from 1
 * @policy: which pages
 *
 * Takes ALIGN_UP[size,32] + 32 bytes (with 1 GiB pages ALIGN_UP[size,32]; the
 * second 32 is ACLKM_PADDING; strict: always 32). Free with aclrtFree.
 * (Secondary Memory Allocation; AscendCL API reference, "aclrtMalloc".)
 *
 * Errors: the shared ones; strict: 107000 for a policy that is not listed.
 */
ACL_FUNC_VISIBILITY aclError aclrtMalloc(void **devPtr, size_t size,
					 aclrtMemMallocPolicy policy);

/**
 * aclrtMallocAlign32 - aclrtMalloc without the padding
 *
 * Takes ALIGN_UP[size,32] bytes. Otherwise as aclrtMalloc.
 */
ACL_FUNC_VISIBILITY aclError aclrtMallocAlign32(void **devPtr, size_t size,
						aclrtMemMallocPolicy policy);

/**
 * aclrtMallocCached - device memory that is cached in any scenario
 *
 * As aclrtMalloc, but @policy is one of HUGE_FIRST, HUGE_ONLY, NORMAL_ONLY and
 * HUGE1G_ONLY. (AscendCL API reference, "aclrtMallocCached".)
 *
 * Errors: the shared ones; 107000 for another policy or a size over 2^50.
 */
ACL_FUNC_VISIBILITY aclError aclrtMallocCached(void **devPtr, size_t size,
					       aclrtMemMallocPolicy policy);

/**
 * aclrtFree - free memory of aclrtMalloc, MallocAlign32 and MallocCached
 * @devPtr: exactly the address that was given
 *
 * At once, without waiting. Needs no context. (AscendCL API reference,
 * "aclrtFree".)
 *
 * Returns 0; 100000 NULL; 107000 for an address that is unknown, inside a
 * block, freed already, or of another kind of memory.
 */
ACL_FUNC_VISIBILITY aclError aclrtFree(void *devPtr);

/**
 * aclrtMallocHost - pinned host memory
 * @hostPtr: out
 * @size:    bytes, from 1
 *
 * Resident; the start is aligned as that of device memory. It comes from the
 * same backend and counts in aclrtGetMemInfo. In run mode ACL_DEVICE it is
 * memory of normal pages. Free with aclrtFreeHost. (AscendCL API reference,
 * "aclrtMallocHost".)
 *
 * Errors: the shared ones.
 */
ACL_FUNC_VISIBILITY aclError aclrtMallocHost(void **hostPtr, size_t size);

/**
 * aclrtFreeHost - free memory of aclrtMallocHost
 * @hostPtr: exactly the address that was given
 *
 * Returns 0; 100000 NULL; 107000 as for aclrtFree.
 */
ACL_FUNC_VISIBILITY aclError aclrtFreeHost(void *hostPtr);

/**
 * aclrtGetMemInfo - free and total bytes of the current device
 * @attr:  any value of aclrtMemAttr
 * @free:  out: bytes that can still be handed out (not as one piece)
 * @total: out
 *
 * Returns 0; 100000 NULL; 107002 no context; 107016 bad @attr.
 */
ACL_FUNC_VISIBILITY aclError aclrtGetMemInfo(aclrtMemAttr attr, size_t *free,
					     size_t *total);

/* Copy and set ------------------------------------------------------------- */

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

/* Streams ------------------------------------------------------------------
 *
 * Tasks of one stream run in the order of submission, those of two streams at
 * the same time, on threads of the library. A stream may be used by several
 * threads; their order is then the program's business.
 */

/**
 * aclrtCreateStream - a new stream on the current device
 * @stream: out; give it back with aclrtDestroyStream
 *
 * Returns 0; 100000 NULL; 107002 no context; 207008 more than 1984 streams.
 */
ACL_FUNC_VISIBILITY aclError aclrtCreateStream(aclrtStream *stream);

/**
 * aclrtDestroyStream - finish the stream's tasks, then destroy it
 *
 * Returns 0; 100000 NULL; 107003 unknown or destroyed stream.
 */
ACL_FUNC_VISIBILITY aclError aclrtDestroyStream(aclrtStream stream);

/**
 * aclrtSynchronizeStream - wait until all tasks submitted so far are done
 * @stream: NULL is the default stream
 *
 * Returns 0; 107002 no context; 107003 unknown or destroyed stream.
 */
ACL_FUNC_VISIBILITY aclError aclrtSynchronizeStream(aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif /* ACL_ACL_RT_H */
