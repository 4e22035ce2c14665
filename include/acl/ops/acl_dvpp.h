/* SPDX-License-Identifier: MIT */
/*
 * Memory for media data processing, the acldvpp way.
 *
 * Programs define ENABLE_DVPP_INTERFACE before this header for other stacks;
 * here it makes no difference.
 */
#ifndef ACL_OPS_ACL_DVPP_H
#define ACL_OPS_ACL_DVPP_H

#include "../acl_base.h"
#include "../rt/memory.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * acldvppMalloc - memory for media data processing
 * @devPtr: out; a multiple of 128
 * @size:   bytes, from 1
 *
 * Huge pages where there are any; ALIGN_UP[size,32] + 32 bytes. Also good as
 * ordinary device memory in copies. Not initialised. Free with acldvppFree.
 * Any thread with a context. (AscendCL API reference, "acldvppMalloc";
 * Secondary Memory Allocation.)
 *
 * Returns 0; 100000 NULL, size 0 or near 2^64; 107002 no context; 207001 memory
 * is short; 507000 in a child after fork().
 */
ACL_FUNC_VISIBILITY aclError acldvppMalloc(void **devPtr, size_t size);

/**
 * acldvppMallocWithCfg - the same with a policy and attributes
 *
 * As aclrtMallocWithCfg takes them, but @policy is one item. Free with acldvppFree.
 *
 * Returns as acldvppMalloc; 100000 and 107000 for @cfg as aclrtMallocWithCfg.
 */
ACL_FUNC_VISIBILITY aclError acldvppMallocWithCfg(void **devPtr, size_t size,
						  aclrtMemMallocPolicy policy,
						  aclrtMallocConfig *cfg);

/**
 * acldvppFree - free memory of acldvppMalloc, and only of that
 * @devPtr: exactly the address that was given
 *
 * Returns 0; 100000 NULL; 107000 for an address that is unknown, inside a
 * block, freed already, or of another kind of memory; 507000 in a child after
 * fork().
 */
ACL_FUNC_VISIBILITY aclError acldvppFree(void *devPtr);

#ifdef __cplusplus
}
#endif

#endif /* ACL_OPS_ACL_DVPP_H */
