/* SPDX-License-Identifier: MIT */
/*
 * Virtual memory management: address ranges and physical memory apart.
 *
 * Reserve a range, make physical memory, map it into the range; unmap, map another.
 * Memory that is mapped can be used as memory of aclrtMalloc in copies and sets.
 * No function here needs a context. Errors that all share: 100000 NULL, size 0, or a
 * property that breaks its rule; 107000 an address, handle or flag that does (the text
 * says which). (AscendCL API reference, "Virtual memory management".)
 */
#ifndef ACL_RT_VMM_H
#define ACL_RT_VMM_H

#include "memory.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void *aclrtDrvMemHandle;

typedef enum aclrtMemHandleType {
	ACL_MEM_HANDLE_TYPE_NONE = 0, /* the only one that aclrtMallocPhysical takes */
	ACL_MEM_HANDLE_TYPE_POSIX = 2
} aclrtMemHandleType;

typedef enum aclrtMemAllocationType {
	ACL_MEM_ALLOCATION_TYPE_PINNED = 0
} aclrtMemAllocationType;

typedef enum aclrtMemGranularityOptions {
	ACL_RT_MEM_ALLOC_GRANULARITY_MINIMUM = 0,
	ACL_RT_MEM_ALLOC_GRANULARITY_RECOMMENDED = 1,
	ACL_RT_MEM_ALLOC_GRANULARITY_UNDEF = 0xFFFF
} aclrtMemGranularityOptions;

typedef enum aclrtMemAccessFlags {
	ACL_RT_MEM_ACCESS_FLAGS_NONE = 0,
	ACL_RT_MEM_ACCESS_FLAGS_READ = 1,
	ACL_RT_MEM_ACCESS_FLAGS_READWRITE = 3
} aclrtMemAccessFlags;

typedef struct aclrtPhysicalMemProp {
	aclrtMemHandleType handleType;
	aclrtMemAllocationType allocationType;
	aclrtMemAttr memAttr; /* DDR_* for host locations only */
	aclrtMemLocation location;
	uint64_t reserve;
} aclrtPhysicalMemProp;

typedef struct aclrtMemAccessDesc {
	aclrtMemAccessFlags flags;
	aclrtMemLocation location;
	uint8_t rsv[12];
} aclrtMemAccessDesc;

/**
 * aclrtReserveMemAddress - address space, with no memory behind it
 * @virPtr:    out; a multiple of 2 MiB, of 1 GiB from 1 GiB on; from 16T to 24T where the
 *	       process has room there
 * @size:      bytes, from 1, any; may be more than the device has
 * @alignment: 0
 * @expectPtr: NULL, or the start: a multiple of 2 MiB with all of the range from 16T to
 *	       24T, or in a range that was given before
 * @flags:     0 or 1
 *
 * Returns 0; the shared errors; 100000 other @flags; 207001 no address space, or
 * something is at @expectPtr.
 */
ACL_FUNC_VISIBILITY aclError aclrtReserveMemAddress(void **virPtr, size_t size,
						    size_t alignment, void *expectPtr,
						    uint64_t flags);

/**
 * aclrtReserveMemAddressNoUCMemory - the same, where the program says
 * @size:      a multiple of 1 GiB
 * @expectPtr: the start: a multiple of 2 MiB with all of the range from 40T to 224T
 *
 * Only where aclrtGetSocName names a product of the generation Ascend910_93. Returns as
 * aclrtReserveMemAddress; 207000 on other products.
 */
ACL_FUNC_VISIBILITY aclError aclrtReserveMemAddressNoUCMemory(void **virPtr, size_t size,
							      size_t alignment,
							      void *expectPtr,
							      uint64_t flags);

/* aclrtReleaseMemAddress - give it back; 107000 as well while something is mapped. */
ACL_FUNC_VISIBILITY aclError aclrtReleaseMemAddress(void *virPtr);

/**
 * aclrtMemGetAllocationGranularity - what sizes of physical memory are multiples of
 *
 * 2 MiB; 1 GiB for 1 GiB pages; for normal pages of the host the minimum is the page
 * size. Returns 0; the shared errors; 107001 bad device in @prop.
 */
ACL_FUNC_VISIBILITY aclError
aclrtMemGetAllocationGranularity(aclrtPhysicalMemProp *prop,
				 aclrtMemGranularityOptions option, size_t *granularity);

/**
 * aclrtMallocPhysical - physical memory with no address yet
 * @handle: out; give it back with aclrtFreePhysical
 * @size:   a multiple of the minimum granularity
 * @prop:   huge attributes mean huge pages if there are any, HUGE1G only those
 * @flags:  0, else 100000
 *
 * Returns 0; the shared errors; 107001 bad device in @prop; 207001 memory is short.
 */
ACL_FUNC_VISIBILITY aclError aclrtMallocPhysical(aclrtDrvMemHandle *handle, size_t size,
						 const aclrtPhysicalMemProp *prop,
						 uint64_t flags);

/**
 * aclrtFreePhysical - give a handle back
 *
 * The memory goes when it is mapped nowhere any more, in no process. Each handle of
 * aclrtMemRetainAllocationHandle must be given back as well. Needs no context.
 */
ACL_FUNC_VISIBILITY aclError aclrtFreePhysical(aclrtDrvMemHandle handle);

/**
 * aclrtMapMem - map physical memory into a reserved range
 * @virPtr: in the range; a multiple of 2 MiB, or of the page size for normal pages of the
 *	    host
 * @size:   exactly the handle's
 * @offset: 0
 * @flags:  0
 *
 * One range holds memory of one device, beside memory of the host (strict: and not both
 * own and imported memory). The same memory may be mapped several times. For reading and
 * writing.
 *
 * Returns 0; the shared errors; 107000 as well where something is mapped already.
 */
ACL_FUNC_VISIBILITY aclError aclrtMapMem(void *virPtr, size_t size, size_t offset,
					 aclrtDrvMemHandle handle, uint64_t flags);

/* aclrtMemMapNoAccess - the same, with no access until aclrtMemSetAccess. */
ACL_FUNC_VISIBILITY aclError aclrtMemMapNoAccess(void *virPtr, size_t size, size_t offset,
						 aclrtDrvMemHandle handle,
						 uint64_t flags);

/* aclrtUnmapMem - undo it. @virPtr: exactly the address that was mapped. */
ACL_FUNC_VISIBILITY aclError aclrtUnmapMem(void *virPtr);

/**
 * aclrtMemSetAccess - who may do what with mapped memory
 * @virPtr, @size: one or more whole mappings
 * @desc:	   locations and flags; host and device are one here, so the last counts
 */
ACL_FUNC_VISIBILITY aclError aclrtMemSetAccess(void *virPtr, size_t size,
					       aclrtMemAccessDesc *desc, size_t count);

/* aclrtMemGetAccess - the flags of the mapping around @virPtr. */
ACL_FUNC_VISIBILITY aclError aclrtMemGetAccess(void *virPtr, aclrtMemLocation *location,
					       uint64_t *flag);

/* aclrtMemRetainAllocationHandle - the handle mapped at @virPtr, once more to free. */
ACL_FUNC_VISIBILITY aclError aclrtMemRetainAllocationHandle(void *virPtr,
							    aclrtDrvMemHandle *handle);

/* aclrtMemGetAllocationPropertiesFromHandle - as it was created. */
ACL_FUNC_VISIBILITY aclError aclrtMemGetAllocationPropertiesFromHandle(
	aclrtDrvMemHandle handle, aclrtPhysicalMemProp *prop);

/**
 * aclrtMemGetAddressRange - what is around an address
 * @pbase, @psize: out: of the block of memory, or of what is mapped there; one of them
 *		   may be NULL
 *
 * Where nothing is mapped in a reserved range: of the range. Returns 0; the shared
 * errors.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemGetAddressRange(void *ptr, void **pbase,
						     size_t *psize);

/* Links between devices that memory is reached by: 207000. */

#define ACL_RT_MEM_LINK_IDX_0 0U
#define ACL_RT_MEM_LINK_IDX_1 1U

typedef enum {
	ACL_RT_MEM_ACCESS_LINK_SIO = 0,
	ACL_RT_MEM_ACCESS_LINK_HCCS = 1,
	ACL_RT_MEM_ACCESS_UB_ONE_PORT_PATH = 2,
	ACL_RT_MEM_ACCESS_UB_MULTI_PORT_PATH = 3
} aclrtMemLinkType;

ACL_FUNC_VISIBILITY aclError aclrtMemMapSelectedLink(void *virPtrDst, size_t size,
						     void *virPtrSrc, uint32_t linkIdx);
ACL_FUNC_VISIBILITY aclError aclrtMemMapSetLink(aclrtDrvMemHandle handle,
						aclrtMemLinkType adviceLink);

#ifdef __cplusplus
}
#endif

#endif /* ACL_RT_VMM_H */
