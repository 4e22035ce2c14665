// SPDX-License-Identifier: MIT
/* Stream-ordered pools: the argument rules of AscendCL. */
#include "acl/acl_rt_memory_soma.h"

#include <string.h>

#include "exec/exec.h"
#include "acl/context.h"
#include "acl/result.h"

static aclError check_props(const aclrtMemPoolProps *props)
{
	if (props->allocType != ACL_MEM_ALLOCATION_TYPE_PINNED)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "allocType = %d: must be PINNED (0)",
				  (int)props->allocType);
	if (props->handleType != ACL_MEM_HANDLE_TYPE_NONE)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "handleType = %d: must be NONE (0)",
				  (int)props->handleType);
	if (props->location.type != ACL_MEM_LOCATION_TYPE_DEVICE)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "location.type = %d: must be DEVICE (1)",
				  (int)props->location.type);
	return context_check_device(props->location.id);
}

aclError aclrtMemPoolCreate(aclrtMemPool *memPool, const aclrtMemPoolProps *poolProps)
{
	uintptr_t handle;
	aclError code = acl_enter(__func__) ?: acl_need(memPool, "memPool") ?:
			acl_need(poolProps, "poolProps") ?: context_need() ?:
			check_props(poolProps) ?:
			acl_result(mempool_create(poolProps->location.id,
						  poolProps->maxSize, &handle));

	if (!code)
		*memPool = (aclrtMemPool)handle;
	return code;
}

aclError aclrtMemPoolDestroy(const aclrtMemPool memPool)
{
	return acl_enter(__func__) ?: acl_need(memPool, "memPool") ?:
	       acl_result(mempool_destroy((uintptr_t)memPool));
}

aclError aclrtMemPoolMallocAsync(void **ptr, size_t size, aclrtMemPool memPool,
				 aclrtStream stream)
{
	int err;
	aclError code = acl_enter(__func__) ?: acl_need(ptr, "ptr") ?:
			acl_need_size(size, "size") ?: acl_need(memPool, "memPool") ?:
			context_need() ?: stream_result(stream_check(context_stream(stream)));

	if (code)
		return code;
	err = mempool_take((uintptr_t)memPool, size, context_stream(stream), ptr);
	return acl_result(err);
}

aclError aclrtMemPoolFreeAsync(void *ptr, aclrtStream stream)
{
	return acl_enter(__func__) ?: acl_need(ptr, "ptr") ?: context_need() ?:
	       stream_result(mempool_give(ptr, context_stream(stream)));
}

aclError aclrtMemPoolTrimTo(aclrtMemPool memPool, size_t minBytesToKeep)
{
	return acl_enter(__func__) ?: acl_need(memPool, "memPool") ?:
	       acl_result(mempool_trim((uintptr_t)memPool, minBytesToKeep));
}

static aclError refuse_attr(aclrtMemPoolAttr attr, const char *why)
{
	return acl_refuse(ACL_ERROR_RT_PARAM_INVALID, "attr = %d: %s", (int)attr, why);
}

/* Reuse follows the streams always; the switches for it are fixed. */
aclError aclrtMemPoolSetAttr(aclrtMemPool memPool, aclrtMemPoolAttr attr, void *value)
{
	uint64_t unused, number = 0;
	aclError code = acl_enter(__func__) ?: acl_need(memPool, "memPool") ?:
			acl_need(value, "value");

	if (code)
		return code;
	switch ((uint32_t)attr) {
	case ACL_RT_MEM_POOL_ATTR_RELEASE_THRESHOLD:
		memcpy(&number, value, sizeof(number));
		return acl_result(
			mempool_threshold((uintptr_t)memPool, &number, &unused));
	case ACL_RT_MEM_POOL_ATTR_RESERVED_MEM_HIGH:
	case ACL_RT_MEM_POOL_ATTR_USED_MEM_HIGH:
		memcpy(&number, value, sizeof(number));
		if (number)
			return refuse_attr(attr, "can be set to 0 only");
		return acl_result(
			mempool_reset_high((uintptr_t)memPool,
					   attr == ACL_RT_MEM_POOL_ATTR_RESERVED_MEM_HIGH,
					   attr == ACL_RT_MEM_POOL_ATTR_USED_MEM_HIGH));
	default:
		return refuse_attr(attr, "cannot be set");
	}
}

/* The switches are an int, the numbers 64 bits. */
static aclError get_switch(aclrtMemPoolAttr attr, void *value)
{
	int on = attr == ACL_RT_MEM_POOL_REUSE_ALLOW_OPPORTUNISTIC;

	memcpy(value, &on, sizeof(on));
	return ACL_SUCCESS;
}

aclError aclrtMemPoolGetAttr(aclrtMemPool memPool, aclrtMemPoolAttr attr, void *value)
{
	struct mempool_stats stats;
	uint64_t number = 0;
	aclError code = acl_enter(__func__) ?: acl_need(memPool, "memPool") ?:
			acl_need(value, "value") ?:
			acl_result(mempool_stats((uintptr_t)memPool, &stats));

	if (code)
		return code;
	switch ((uint32_t)attr) {
	case ACL_RT_MEM_POOL_REUSE_FOLLOW_EVENT_DEPENDENCIES:
	case ACL_RT_MEM_POOL_REUSE_ALLOW_INTERNAL_DEPENDENCIES:
	case ACL_RT_MEM_POOL_REUSE_ALLOW_OPPORTUNISTIC:
		return get_switch(attr, value);
	case ACL_RT_MEM_POOL_ATTR_RELEASE_THRESHOLD:
		code = acl_result(mempool_threshold((uintptr_t)memPool, NULL, &number));
		break;
	case ACL_RT_MEM_POOL_ATTR_RESERVED_MEM_CURRENT:
		number = stats.reserved;
		break;
	case ACL_RT_MEM_POOL_ATTR_RESERVED_MEM_HIGH:
		number = stats.reserved_high;
		break;
	case ACL_RT_MEM_POOL_ATTR_USED_MEM_CURRENT:
		number = stats.used;
		break;
	case ACL_RT_MEM_POOL_ATTR_USED_MEM_HIGH:
		number = stats.used_high;
		break;
	default:
		return refuse_attr(attr, "not a value of aclrtMemPoolAttr");
	}
	if (!code)
		memcpy(value, &number, sizeof(number));
	return code;
}
