/* SPDX-License-Identifier: MIT */
/*
 * Advice on memory of aclrtMemAllocManaged, and where it is wanted.
 *
 * The memory has units of 2 MiB; what is said of a range holds for all units that it
 * touches, until the memory is freed. Host and device see the same memory here: what
 * was said is kept and told, and a prefetch to a NUMA node moves the pages there where
 * the kernel lets it. Any thread. (AscendCL API reference, "aclrtMemManagedAdvise" and
 * the pages around it.)
 *
 * Errors that all functions here share: 100000 NULL or a size of 0; 107002 no context;
 * 107000 a range that is not all in one block of aclrtMemAllocManaged, a size that is
 * no multiple of 2 MiB (queries take any), a location that is none; 107001 the id of a
 * device that is not there.
 */
#ifndef ACL_RT_MANAGED_H
#define ACL_RT_MANAGED_H

#include "../acl_base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum aclrtMemManagedAdviseType {
	ACL_MEM_ADVISE_SET_READ_MOSTLY = 0,
	ACL_MEM_ADVISE_UNSET_READ_MOSTLY = 1,
	ACL_MEM_ADVISE_SET_PREFERRED_LOCATION = 2,
	ACL_MEM_ADVISE_UNSET_PREFERRED_LOCATION = 3,
	ACL_MEM_ADVISE_SET_ACCESSED_BY = 4,
	ACL_MEM_ADVISE_UNSET_ACCESSED_BY = 5
} aclrtMemManagedAdviseType;

typedef enum aclrtMemManagedLocationType {
	ACL_MEM_LOCATIONTYPE_INVALID = 0,
	ACL_MEM_LOCATIONTYPE_DEVICE = 1,
	ACL_MEM_LOCATIONTYPE_HOST = 2,		   /* the id says nothing */
	ACL_MEM_LOCATIONTYPE_HOST_NUMA = 3,	   /* the id is a node, 0 to 63 */
	ACL_MEM_LOCATIONTYPE_HOST_NUMA_CURRENT = 4 /* that of the thread */
} aclrtMemManagedLocationType;

/* Mind the order: in aclrtMemLocation the id is first. */
typedef struct aclrtMemManagedLocation {
	aclrtMemManagedLocationType type;
	int32_t id;
} aclrtMemManagedLocation;

/*
 * What aclrtMemManagedGetAttr tells. All are 4 bytes but ACCESSED_BY, which is as many
 * as there is room for. In a place the id is that of the device or node, -1 the host;
 * -2 none, or not the same one for the whole range.
 */
typedef enum aclrtMemManagedRangeAttribute {
	ACL_MEM_RANGE_ATTRIBUTE_READ_MOSTLY = 1,	/* 1: the whole range */
	ACL_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION = 2, /* a place */
	ACL_MEM_RANGE_ATTRIBUTE_ACCESSED_BY = 3,	/* places; -2 behind the last */
	ACL_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION_TYPE = 4, /* INVALID for -2 */
	ACL_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION_ID = 5,   /* -2 for the host, too */
	ACL_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION = 6,  /* asked for, not done */
	ACL_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION_TYPE = 7,
	ACL_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION_ID = 8
} aclrtMemManagedRangeAttribute;

/**
 * aclrtMemManagedAdvise - how a range will be used
 * @size:     a multiple of 2 MiB
 * @location: for SET_PREFERRED_LOCATION, SET_ACCESSED_BY and UNSET_ACCESSED_BY
 *
 * Returns 0; the shared errors; 107000 as well for another @advise; 200000 the
 * library's own heap.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemManagedAdvise(const void *const ptr, uint64_t size,
						   aclrtMemManagedAdviseType advise,
						   aclrtMemManagedLocation location);

/**
 * aclrtMemManagedGetAttr - what was said of a range
 * @data:     out
 * @dataSize: 4; for ACCESSED_BY a multiple of it
 *
 * Returns 0; the shared errors; 107000 as well for another attribute or @dataSize.
 */
ACL_FUNC_VISIBILITY aclError
aclrtMemManagedGetAttr(aclrtMemManagedRangeAttribute attribute, const void *ptr,
		       size_t size, void *data, size_t dataSize);

/* aclrtMemManagedGetAttrs - several at once. After an error nothing is written. */
ACL_FUNC_VISIBILITY aclError
aclrtMemManagedGetAttrs(aclrtMemManagedRangeAttribute *attributes, size_t numAttributes,
			const void *ptr, size_t size, void **data, size_t *dataSizes);

/**
 * aclrtMemManagedPrefetchAsync - bring a range to where it will be used
 * @size:  a multiple of 2 MiB
 * @flags: 0
 *
 * A task of the stream. Returns 0; the shared errors; 107000 as well for other flags;
 * 107003 a stream that is not alive.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemManagedPrefetchAsync(
	const void *ptr, size_t size, aclrtMemManagedLocation location, uint32_t flags,
	aclrtStream stream);

/**
 * aclrtMemManagedPrefetchBatchAsync - several ranges
 * @ptrs, @sizes:    @count ranges
 * @prefetchLocs:    @numPrefetchLocs places, at most @count
 * @prefetchLocIdxs: the first range that goes to each place: 0, then growing
 *
 * As aclrtMemManagedPrefetchAsync for each. After an error nothing was submitted.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemManagedPrefetchBatchAsync(
	const void **ptrs, size_t *sizes, size_t count,
	aclrtMemManagedLocation *prefetchLocs, size_t *prefetchLocIdxs,
	size_t numPrefetchLocs, uint64_t flags, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif /* ACL_RT_MANAGED_H */
