// SPDX-License-Identifier: MIT
/* Virtual memory management: the argument rules of AscendCL. */
#include "acl/acl_rt.h"

#include "map/map.h"
#include "debug/debug.h"
#include "base/base.h"
#include "exec/exec.h"
#include "acl/context.h"
#include "acl/result.h"

/* Where the pages advise to put ranges without UC memory: 40 to 224 TiB. */
#define NO_UC_START (40ULL << 40)
#define NO_UC_END (224ULL << 40)

static aclError zero_flags(uint64_t flags, aclError code)
{
	if (!flags)
		return ACL_SUCCESS;
	return acl_refuse(code, "flags = %llu: must be 0", (unsigned long long)flags);
}

static bool is_in_window(uint64_t wanted, uint64_t size, uint64_t start, uint64_t end)
{
	return wanted >= start && wanted < end && size <= end - wanted;
}

static aclError check_reserve(size_t alignment, const void *expect, size_t size,
			      uint64_t flags)
{
	uint64_t wanted = (uint64_t)(uintptr_t)expect;

	if (alignment)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "alignment = %zu: must be 0", alignment);
	if (flags > 1)
		return acl_refuse(ACL_ERROR_INVALID_PARAM, "flags = %llu: must be 0 or 1",
				  (unsigned long long)flags);
	if (!expect || (!(wanted % SIZE_2M) &&
			(is_in_window(wanted, size, VMM_WINDOW_START, VMM_WINDOW_END) ||
			 vmm_gave(wanted, size))))
		return ACL_SUCCESS;
	return acl_refuse(
		ACL_ERROR_RT_PARAM_INVALID,
		"expectPtr = %p: must be NULL, or a multiple of 2 MiB with all of "
		"the range from 16T to 24T or in a range that was given before",
		expect);
}

static aclError check_reserve_no_uc(size_t alignment, const void *expect, size_t size,
				    uint64_t flags)
{
	uint64_t wanted = (uint64_t)(uintptr_t)expect;

	/* Programs take this code for the sign to reserve without a wish. */
	if (!config_get()->product->no_uc_memory)
		return acl_refuse(ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
				  "%s has no memory of this kind: products of the "
				  "generation Ascend910_93 have",
				  config_get()->soc_name);
	if (alignment)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "alignment = %zu: must be 0", alignment);
	if (flags > 1)
		return acl_refuse(ACL_ERROR_INVALID_PARAM, "flags = %llu: must be 0 or 1",
				  (unsigned long long)flags);
	if (size % SIZE_1G)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "size = %zu: must be a multiple of 1 GiB", size);
	if (wanted && !(wanted % SIZE_2M) &&
	    is_in_window(wanted, size, NO_UC_START, NO_UC_END))
		return ACL_SUCCESS;
	return acl_refuse(
		ACL_ERROR_RT_PARAM_INVALID,
		"expectPtr = %p: must be a multiple of 2 MiB with all of the range "
		"from 40T to 224T",
		expect);
}

typedef aclError check_fn(size_t alignment, const void *expect, size_t size,
			  uint64_t flags);

/* No function of this file asks for a context: devices are given in properties. */
static aclError reserve(const char *call, check_fn *check, void **virPtr, size_t size,
			size_t alignment, void *expectPtr, uint64_t flags)
{
	uint64_t base;
	aclError code =
		acl_enter(call) ?: acl_need(virPtr, "virPtr") ?:
		acl_need_size(size, "size") ?: check(alignment, expectPtr, size, flags) ?:
		acl_result(vmm_reserve(size, (uint64_t)(uintptr_t)expectPtr, &base));

	if (!code)
		*virPtr = (void *)(uintptr_t)base;
	return code;
}

aclError aclrtReserveMemAddress(void **virPtr, size_t size, size_t alignment,
				void *expectPtr, uint64_t flags)
{
	return reserve(__func__, check_reserve, virPtr, size, alignment, expectPtr,
		       flags);
}

aclError aclrtReserveMemAddressNoUCMemory(void **virPtr, size_t size, size_t alignment,
					  void *expectPtr, uint64_t flags)
{
	return reserve(__func__, check_reserve_no_uc, virPtr, size, alignment, expectPtr,
		       flags);
}

aclError aclrtReleaseMemAddress(void *virPtr)
{
	return acl_enter(__func__) ?: acl_need(virPtr, "virPtr") ?:
	       acl_result_for(vmm_release((uint64_t)(uintptr_t)virPtr), ACLKM_ERR_BUSY,
			      ACL_ERROR_RT_PARAM_INVALID);
}

static aclError pages_of(aclrtMemAttr attr, enum aclkm_pages *out)
{
	switch ((uint32_t)attr) {
	case ACL_HBM_MEM_HUGE1G:
	case ACL_HBM_MEM_P2P_HUGE1G:
	case ACL_MEM_HUGE1G:
	case ACL_MEM_P2P_HUGE1G:
		*out = ACLKM_PAGES_HUGE1G;
		return ACL_SUCCESS;
	case ACL_DDR_MEM_NORMAL:
	case ACL_DDR_MEM_P2P_NORMAL:
	case ACL_MEM_NORMAL:
	case ACL_MEM_P2P_NORMAL:
		*out = ACLKM_PAGES_NORMAL;
		return ACL_SUCCESS;
	default:
		/* HBM_MEM_NORMAL is served with huge pages, as on the real device. */
		*out = ACLKM_PAGES_HUGE_FIRST;
		return ACL_SUCCESS;
	}
}

static aclError check_location(const aclrtMemLocation *location, struct vmm_property *out)
{
	switch ((uint32_t)location->type) {
	case ACL_MEM_LOCATION_TYPE_DEVICE:
		out->device = location->id;
		return context_check_device(location->id);
	case ACL_MEM_LOCATION_TYPE_HOST:
	case ACL_MEM_LOCATION_TYPE_HOST_NUMA:
		out->host = true;
		out->device = location->id;
		return ACL_SUCCESS;
	default:
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "location.type = %d: must be HOST (0), DEVICE (1) or "
				  "HOST_NUMA (4)",
				  (int)location->type);
	}
}

static bool is_ddr(aclrtMemAttr attr)
{
	return attr == ACL_DDR_MEM || attr == ACL_DDR_MEM_HUGE ||
	       attr == ACL_DDR_MEM_NORMAL || attr == ACL_DDR_MEM_P2P_HUGE ||
	       attr == ACL_DDR_MEM_P2P_NORMAL;
}

static aclError read_property(const aclrtPhysicalMemProp *prop, struct vmm_property *out)
{
	aclError code;

	*out = (struct vmm_property){.attr = (uint32_t)prop->memAttr};
	if (prop->handleType != ACL_MEM_HANDLE_TYPE_NONE)
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "handleType = %d: must be NONE (0)",
				  (int)prop->handleType);
	if (prop->allocationType != ACL_MEM_ALLOCATION_TYPE_PINNED)
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "allocationType = %d: must be PINNED (0)",
				  (int)prop->allocationType);
	if ((uint32_t)prop->memAttr > ACL_MEM_P2P_HUGE1G)
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "memAttr = %d: not a value of aclrtMemAttr",
				  (int)prop->memAttr);
	code = check_location(&prop->location, out);
	if (code)
		return code;
	if (is_ddr(prop->memAttr) && !out->host)
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "memAttr = %d: DDR memory is for host locations",
				  (int)prop->memAttr);
	return pages_of(prop->memAttr, &out->pages);
}

aclError aclrtMemGetAllocationGranularity(aclrtPhysicalMemProp *prop,
					  aclrtMemGranularityOptions option,
					  size_t *granularity)
{
	struct vmm_property property;
	aclError code = acl_enter(__func__) ?: acl_need(prop, "prop") ?:
			acl_need(granularity, "granularity") ?:
			read_property(prop, &property);

	if (code)
		return code;
	if ((uint32_t)option > ACL_RT_MEM_ALLOC_GRANULARITY_RECOMMENDED)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "option = %d: must be MINIMUM (0) or RECOMMENDED (1)",
				  (int)option);
	*granularity = vmm_granularity(
		&property, option == ACL_RT_MEM_ALLOC_GRANULARITY_RECOMMENDED);
	return ACL_SUCCESS;
}

aclError aclrtMallocPhysical(aclrtDrvMemHandle *handle, size_t size,
			     const aclrtPhysicalMemProp *prop, uint64_t flags)
{
	const struct device_here *here;
	struct vmm_property property;
	uint64_t granularity;
	uintptr_t number;
	uint32_t device;
	int err;
	aclError code = acl_enter(__func__) ?: acl_need(handle, "handle") ?:
			acl_need_size(size, "size") ?: acl_need(prop, "prop") ?:
			zero_flags(flags, ACL_ERROR_INVALID_PARAM) ?:
			read_property(prop, &property);

	if (code)
		return code;
	granularity = vmm_granularity(&property, false);
	if (size % granularity)
		return acl_refuse(
			ACL_ERROR_RT_PARAM_INVALID,
			"size = %zu: must be a multiple of the granularity, %llu", size,
			(unsigned long long)granularity);
	/* Host memory is taken from the part of the current device, or of the first. */
	here = device_here();
	device = here ? here->device : 0;
	err = vmm_create(size, &property, device, &number);
	/* As aclrtMalloc: what pools keep free is given up for it. */
	if (err == ACLKM_ERR_NOMEM &&
	    mempool_yield(property.host ? device : property.device))
		err = vmm_create(size, &property, device, &number);
	if (err)
		return acl_result(err);
	check_object_take(number, size);
	*handle = (aclrtDrvMemHandle)number;
	return ACL_SUCCESS;
}

aclError aclrtFreePhysical(aclrtDrvMemHandle handle)
{
	aclError code = acl_enter(__func__) ?: acl_need(handle, "handle") ?:
			acl_result(vmm_free((uintptr_t)handle));

	if (!code)
		check_object_give((uintptr_t)handle);
	return code;
}

static aclError map(const char *call, void *virPtr, size_t size, size_t offset,
		    aclrtDrvMemHandle handle, uint64_t flags, enum vmm_access access)
{
	int err;
	aclError code = acl_enter(call) ?: acl_need(virPtr, "virPtr") ?:
			acl_need_size(size, "size") ?: acl_need(handle, "handle") ?:
			zero_flags(flags, ACL_ERROR_RT_PARAM_INVALID);

	if (code)
		return code;
	if (offset)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID, "offset = %zu: must be 0",
				  offset);
	err = vmm_map((uint64_t)(uintptr_t)virPtr, size, (uintptr_t)handle, access);
	return acl_result_for(err, ACLKM_ERR_INVALID, ACL_ERROR_RT_PARAM_INVALID);
}

aclError aclrtMapMem(void *virPtr, size_t size, size_t offset, aclrtDrvMemHandle handle,
		     uint64_t flags)
{
	return map(__func__, virPtr, size, offset, handle, flags, VMM_READ_WRITE);
}

aclError aclrtMemMapNoAccess(void *virPtr, size_t size, size_t offset,
			     aclrtDrvMemHandle handle, uint64_t flags)
{
	return map(__func__, virPtr, size, offset, handle, flags, VMM_NONE);
}

aclError aclrtUnmapMem(void *virPtr)
{
	aclError code = acl_enter(__func__) ?: acl_need(virPtr, "virPtr");

	if (code)
		return code;
	place_goes(virPtr, "unmapped");
	return acl_result(vmm_unmap((uint64_t)(uintptr_t)virPtr));
}

static aclError check_access(const aclrtMemAccessDesc *desc, size_t index)
{
	struct vmm_property property = {0};

	if (desc->flags != ACL_RT_MEM_ACCESS_FLAGS_NONE &&
	    desc->flags != ACL_RT_MEM_ACCESS_FLAGS_READ &&
	    desc->flags != ACL_RT_MEM_ACCESS_FLAGS_READWRITE)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "desc[%zu].flags = %d: must be NONE (0), READ (1) or "
				  "READWRITE (3)",
				  index, (int)desc->flags);
	return check_location(&desc->location, &property);
}

/* Host and device see memory by the same page tables here: the last one counts. */
aclError aclrtMemSetAccess(void *virPtr, size_t size, aclrtMemAccessDesc *desc,
			   size_t count)
{
	size_t i;
	aclError code = acl_enter(__func__) ?: acl_need(virPtr, "virPtr") ?:
			acl_need_size(size, "size") ?: acl_need(desc, "desc") ?:
			acl_need_size(count, "count");

	for (i = 0; i < count && !code; i++)
		code = check_access(&desc[i], i);
	if (code)
		return code;
	return acl_result_for(vmm_set_access((uint64_t)(uintptr_t)virPtr, size,
					     (enum vmm_access)desc[count - 1].flags),
			      ACLKM_ERR_INVALID, ACL_ERROR_RT_PARAM_INVALID);
}

aclError aclrtMemGetAccess(void *virPtr, aclrtMemLocation *location, uint64_t *flag)
{
	struct vmm_property unused = {0};
	struct vmm_place place;
	aclError code = acl_enter(__func__) ?: acl_need(virPtr, "virPtr") ?:
			acl_need(location, "location") ?: acl_need(flag, "flag") ?:
			check_location(location, &unused);

	if (code)
		return code;
	if (!vmm_find(virPtr, &place))
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "virPtr = %p: nothing is mapped there", virPtr);
	*flag = place.access;
	return ACL_SUCCESS;
}

aclError aclrtMemRetainAllocationHandle(void *virPtr, aclrtDrvMemHandle *handle)
{
	uintptr_t number;
	aclError code = acl_enter(__func__) ?: acl_need(virPtr, "virPtr") ?:
			acl_need(handle, "handle") ?:
			acl_result(vmm_retain((uint64_t)(uintptr_t)virPtr, &number));

	if (!code) {
		check_object_take(number, 0);
		*handle = (aclrtDrvMemHandle)number;
	}
	return code;
}

aclError aclrtMemGetAllocationPropertiesFromHandle(aclrtDrvMemHandle handle,
						   aclrtPhysicalMemProp *prop)
{
	struct vmm_property property;
	uint64_t size;
	aclError code = acl_enter(__func__) ?: acl_need(handle, "handle") ?:
			acl_need(prop, "prop") ?:
			acl_result(vmm_property((uintptr_t)handle, &property, &size));

	if (code)
		return code;
	*prop = (aclrtPhysicalMemProp){
		.handleType = ACL_MEM_HANDLE_TYPE_NONE,
		.allocationType = ACL_MEM_ALLOCATION_TYPE_PINNED,
		.memAttr = (aclrtMemAttr)property.attr,
		.location = {.id = property.device,
			     .type = property.host ? ACL_MEM_LOCATION_TYPE_HOST
						   : ACL_MEM_LOCATION_TYPE_DEVICE},
	};
	return ACL_SUCCESS;
}
