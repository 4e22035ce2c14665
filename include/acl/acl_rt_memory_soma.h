/* SPDX-License-Identifier: MIT */
/*
 * Stream-ordered pools: memory that is taken and freed in the order of a stream.
 *
 * A pool keeps what is freed: in the stream of the free it can be taken again at once,
 * in others when that stream has come there. What is free above the release threshold
 * goes back to the device when a stream or the device is synchronised; all that is free
 * goes back when memory is short for another call that takes some.
 *
 * Errors that all functions here share: 100000 NULL or size 0; 107000 a pool that was
 * never created or is destroyed, or what breaks its rule; streams as in
 * acl/rt/stream.h. (AscendCL API reference, "Memory pools".)
 */
#ifndef ACL_ACL_RT_MEMORY_SOMA_H
#define ACL_ACL_RT_MEMORY_SOMA_H

#include "acl_rt.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void *aclrtMemPool;

typedef struct aclrtMemPoolProps {
	aclrtMemAllocationType allocType; /* PINNED */
	aclrtMemHandleType handleType;	  /* NONE */
	aclrtMemLocation location;	  /* a device */
	size_t maxSize;			  /* bytes; 0: no limit */
	unsigned char reserved[32];
} aclrtMemPoolProps;

typedef enum aclrtMemPoolAttr {
	ACL_RT_MEM_POOL_REUSE_FOLLOW_EVENT_DEPENDENCIES = 1,   /* int; 0, fixed */
	ACL_RT_MEM_POOL_REUSE_ALLOW_OPPORTUNISTIC = 2,	       /* int; 1, fixed */
	ACL_RT_MEM_POOL_REUSE_ALLOW_INTERNAL_DEPENDENCIES = 3, /* int; 0, fixed */
	ACL_RT_MEM_POOL_ATTR_RELEASE_THRESHOLD = 4,	       /* uint64_t; 0 at first */
	ACL_RT_MEM_POOL_ATTR_RESERVED_MEM_CURRENT = 5, /* uint64_t; of the device */
	ACL_RT_MEM_POOL_ATTR_RESERVED_MEM_HIGH = 6,    /* uint64_t; set 0: anew */
	ACL_RT_MEM_POOL_ATTR_USED_MEM_CURRENT = 7,     /* uint64_t; of the pool */
	ACL_RT_MEM_POOL_ATTR_USED_MEM_HIGH = 8	       /* uint64_t; set 0: anew */
} aclrtMemPoolAttr;

/**
 * aclrtMemPoolCreate - a pool of device memory, empty at first
 * @memPool: out; give it back with aclrtMemPoolDestroy
 *
 * Returns 0; the shared errors; 107001 bad device; 107002 no context.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemPoolCreate(aclrtMemPool *memPool,
						const aclrtMemPoolProps *poolProps);

/* aclrtMemPoolDestroy - end it; memory that is in use goes when it is freed. */
ACL_FUNC_VISIBILITY aclError aclrtMemPoolDestroy(const aclrtMemPool memPool);

/**
 * aclrtMemPoolMallocAsync - memory for the tasks that @stream gets from now on
 * @ptr: out; a multiple of 512; free with aclrtMemPoolFreeAsync
 *
 * Returns 0; the shared errors; 207001 the pool's limit or the device's memory.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemPoolMallocAsync(void **ptr, size_t size,
						     aclrtMemPool memPool,
						     aclrtStream stream);

/**
 * aclrtMemPoolFreeAsync - free it behind the tasks that @stream has now
 *
 * Returns 0; the shared errors; 107000 not from a pool, or freed already.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemPoolFreeAsync(void *ptr, aclrtStream stream);

/* aclrtMemPoolTrimTo - give free memory back while more than that is reserved. */
ACL_FUNC_VISIBILITY aclError aclrtMemPoolTrimTo(aclrtMemPool memPool,
						size_t minBytesToKeep);

/**
 * aclrtMemPoolSetAttr, aclrtMemPoolGetAttr - one value
 * @value: of the type that aclrtMemPoolAttr tells; the threshold can be set, and the
 *         highest values to 0, which lets them begin anew
 */
ACL_FUNC_VISIBILITY aclError aclrtMemPoolSetAttr(aclrtMemPool memPool,
						 aclrtMemPoolAttr attr, void *value);
ACL_FUNC_VISIBILITY aclError aclrtMemPoolGetAttr(aclrtMemPool memPool,
						 aclrtMemPoolAttr attr, void *value);

#ifdef __cplusplus
}
#endif

#endif /* ACL_ACL_RT_MEMORY_SOMA_H */
