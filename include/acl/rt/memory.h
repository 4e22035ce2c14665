/* SPDX-License-Identifier: MIT */
/*
 * Device and host memory.
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
#ifndef ACL_RT_MEMORY_H
#define ACL_RT_MEMORY_H

#include "../acl_base.h"

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif

#endif /* ACL_RT_MEMORY_H */
