// SPDX-License-Identifier: MIT
/* Allocators of the program: the argument rules of AscendCL. */
#include "acl/acl_rt_allocator.h"

#include "exec/exec.h"
#include "acl/context.h"
#include "acl/result.h"

aclrtAllocatorDesc aclrtAllocatorCreateDesc(void)
{
	uintptr_t handle;

	if (acl_enter(__func__) ?: acl_result(allocator_create(&handle)))
		return NULL;
	return (aclrtAllocatorDesc)handle;
}

aclError aclrtAllocatorDestroyDesc(aclrtAllocatorDesc allocatorDesc)
{
	return acl_enter(__func__) ?: acl_need(allocatorDesc, "allocatorDesc") ?:
	       acl_result(allocator_destroy((uintptr_t)allocatorDesc));
}

aclError aclrtAllocatorSetObjToDesc(aclrtAllocatorDesc allocatorDesc,
				    aclrtAllocator allocator)
{
	return acl_enter(__func__) ?: acl_need(allocatorDesc, "allocatorDesc") ?:
	       acl_need(allocator, "allocator") ?:
	       acl_result(allocator_set_object((uintptr_t)allocatorDesc, allocator));
}

static aclError set_part(const char *call, aclrtAllocatorDesc desc,
			 enum allocator_part part, allocator_function fn)
{
	return acl_enter(call) ?: acl_need(desc, "allocatorDesc") ?:
	       acl_need_function(fn, "func") ?:
	       acl_result(allocator_set_part((uintptr_t)desc, part, fn));
}

aclError aclrtAllocatorSetAllocFuncToDesc(aclrtAllocatorDesc allocatorDesc,
					  aclrtAllocatorAllocFunc func)
{
	return set_part(__func__, allocatorDesc, ALLOCATOR_TAKE,
			(allocator_function)func);
}

aclError aclrtAllocatorSetFreeFuncToDesc(aclrtAllocatorDesc allocatorDesc,
					 aclrtAllocatorFreeFunc func)
{
	return set_part(__func__, allocatorDesc, ALLOCATOR_GIVE,
			(allocator_function)func);
}

aclError aclrtAllocatorSetAllocAdviseFuncToDesc(aclrtAllocatorDesc allocatorDesc,
						aclrtAllocatorAllocAdviseFunc func)
{
	return set_part(__func__, allocatorDesc, ALLOCATOR_ADVISE,
			(allocator_function)func);
}

aclError
aclrtAllocatorSetGetAddrFromBlockFuncToDesc(aclrtAllocatorDesc allocatorDesc,
					    aclrtAllocatorGetAddrFromBlockFunc func)
{
	return set_part(__func__, allocatorDesc, ALLOCATOR_ADDRESS,
			(allocator_function)func);
}

aclError aclrtAllocatorRegister(aclrtStream stream, aclrtAllocatorDesc allocatorDesc)
{
	return acl_enter(__func__) ?: acl_need(allocatorDesc, "allocatorDesc") ?:
	       context_need() ?: stream_result(stream_check(context_stream(stream))) ?:
	       acl_result(allocator_register((uintptr_t)allocatorDesc,
					     context_stream(stream)));
}

aclError
aclrtAllocatorGetByStream(aclrtStream stream, aclrtAllocatorDesc *allocatorDesc,
			  aclrtAllocator *allocator, aclrtAllocatorAllocFunc *allocFunc,
			  aclrtAllocatorFreeFunc *freeFunc,
			  aclrtAllocatorAllocAdviseFunc *allocAdviseFunc,
			  aclrtAllocatorGetAddrFromBlockFunc *getAddrFromBlockFunc)
{
	struct allocator found;
	uintptr_t handle = 0;
	aclError code = acl_enter(__func__) ?: context_need() ?:
			stream_result(stream_check(context_stream(stream))) ?:
			acl_result(allocator_get(context_stream(stream), &found, &handle));

	if (code)
		return code;
	if (allocatorDesc)
		*allocatorDesc = (aclrtAllocatorDesc)handle;
	if (allocator)
		*allocator = found.object;
	if (allocFunc)
		*allocFunc = (aclrtAllocatorAllocFunc)found.parts[ALLOCATOR_TAKE];
	if (freeFunc)
		*freeFunc = (aclrtAllocatorFreeFunc)found.parts[ALLOCATOR_GIVE];
	if (allocAdviseFunc)
		*allocAdviseFunc =
			(aclrtAllocatorAllocAdviseFunc)found.parts[ALLOCATOR_ADVISE];
	if (getAddrFromBlockFunc)
		*getAddrFromBlockFunc = (aclrtAllocatorGetAddrFromBlockFunc)
						found.parts[ALLOCATOR_ADDRESS];
	return ACL_SUCCESS;
}

aclError aclrtAllocatorUnregister(aclrtStream stream)
{
	return acl_enter(__func__) ?: context_need() ?:
	       stream_result(stream_check(context_stream(stream))) ?:
	       acl_result(allocator_unregister(context_stream(stream)));
}
