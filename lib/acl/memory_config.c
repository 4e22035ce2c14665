// SPDX-License-Identifier: MIT
/* Allocations with a configuration: the argument rules of AscendCL. */
#include "acl/memory.h"

#include "base/base.h"
#include "map/map.h"
#include "exec/exec.h"
#include "acl/context.h"
#include "acl/result.h"

#define BAND_WIDTHS                                                                      \
	((uint32_t)ACL_MEM_TYPE_LOW_BAND_WIDTH | (uint32_t)ACL_MEM_TYPE_HIGH_BAND_WIDTH)
#define READ_ONLY ((uint32_t)ACL_MEM_ACCESS_USER_SPACE_READONLY)
#define BASE_POLICIES 0xffU

static aclError apply(const aclrtMallocAttribute *attribute, size_t index,
		      struct block_tag *out)
{
	uint32_t device = attribute->value.deviceId;

	switch (attribute->attr) {
	case ACL_RT_MEM_ATTR_RSV:
	case ACL_RT_MEM_ATTR_VA_FLAG:
		return ACL_SUCCESS;
	case ACL_RT_MEM_ATTR_MODULE_ID:
		if (attribute->value.moduleId > 255)
			return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
					  "attrs[%zu]: moduleId = %u: at most 255", index,
					  attribute->value.moduleId);
		out->module = attribute->value.moduleId;
		return ACL_SUCCESS;
	case ACL_RT_MEM_ATTR_DEVICE_ID:
		if (device == out->device)
			return ACL_SUCCESS;
		return acl_refuse(
			ACL_ERROR_RT_PARAM_INVALID,
			"attrs[%zu]: deviceId = %u: must be the current device, "
			"%u",
			index, device, out->device);
	default:
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "attrs[%zu]: attr = %d: not a value of "
				  "aclrtMallocAttrType",
				  index, (int)attribute->attr);
	}
}

aclError memory_config(const aclrtMallocConfig *cfg, struct block_tag *out)
{
	aclError code = ACL_SUCCESS;
	size_t i;

	*out = (struct block_tag){.device = context_device(), .module = BLOCK_MODULE_APP};
	if (!cfg || !cfg->numAttrs)
		return ACL_SUCCESS;
	if (!cfg->attrs)
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "cfg->attrs is NULL with numAttrs = %zu",
				  cfg->numAttrs);
	for (i = 0; i < cfg->numAttrs && !code; i++)
		code = apply(&cfg->attrs[i], i, out);
	return code;
}

/* One base policy, one bandwidth and read-only may be ORed here. */
static aclError check_policy(aclrtMemMallocPolicy policy)
{
	uint32_t bits = (uint32_t)policy;
	uint32_t width = bits & BAND_WIDTHS;

	if (bits & ~(BAND_WIDTHS | READ_ONLY | BASE_POLICIES) || width == BAND_WIDTHS ||
	    (bits & BASE_POLICIES) > ACL_MEM_MALLOC_HUGE1G_ONLY_P2P)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "policy = %#x: must be one of 0 to 7, with at most one "
				  "bandwidth and READONLY ORed to it",
				  bits);
	return ACL_SUCCESS;
}

static aclError memory_config_take(struct heap_request *request,
				   const struct block_tag *tag, void **out)
{
	int err = aclkm_block_size(request->asked, ACLKM_BLOCK_ALIGN32,
				   config_get()->padding, &request->ruled);

	if (err)
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "size = %llu leaves 64 bits by ALIGN_UP[size,32]",
				  (unsigned long long)request->asked);
	request->align = config_get()->align;
	return acl_result(mempool_block_take(request, tag, out));
}

static aclError memory_config_take_device(const char *call, void **devPtr, size_t size,
					  aclrtMemMallocPolicy policy,
					  const aclrtMallocConfig *cfg)
{
	struct heap_request request = {
		.class = HEAP_DEVICE, .kind = ACLKM_KIND_DEVICE, .asked = size};
	uint32_t base = (uint32_t)policy & BASE_POLICIES;
	struct block_tag tag;
	aclError code = acl_enter(call) ?: acl_need(devPtr, "devPtr") ?:
			acl_need_size(size, "size") ?: context_need() ?:
			check_policy(policy) ?: memory_config(cfg, &tag) ?:
			memory_pages((aclrtMemMallocPolicy)base, size, &request.pages);

	if (code)
		return code;
	tag.read_only = (uint32_t)policy & READ_ONLY;
	return memory_config_take(&request, &tag, devPtr);
}

aclError aclrtMallocWithCfg(void **devPtr, size_t size, aclrtMemMallocPolicy policy,
			    aclrtMallocConfig *cfg)
{
	return memory_config_take_device(__func__, devPtr, size, policy, cfg);
}

aclError aclrtMallocForTaskScheduler(void **devPtr, size_t size,
				     aclrtMemMallocPolicy policy, aclrtMallocConfig *cfg)
{
	return memory_config_take_device(__func__, devPtr, size, policy, cfg);
}

aclError aclrtMallocHostWithCfg(void **ptr, uint64_t size, aclrtMallocConfig *cfg)
{
	struct heap_request request = {
		.class = HEAP_HOST, .kind = ACLKM_KIND_HOST, .asked = size};
	struct block_tag tag;
	aclError code = acl_enter(__func__) ?: acl_need(ptr, "ptr") ?:
			acl_need_size(size, "size") ?: context_need() ?:
			memory_config(cfg, &tag);

	if (code)
		return code;
	request.pages = config_get()->run_on_device ? ACLKM_PAGES_NORMAL
						    : memory_huge_first(size);
	return memory_config_take(&request, &tag, ptr);
}

aclError aclrtMemAllocManaged(void **ptr, uint64_t size, uint32_t flag)
{
	struct heap_request request = {.class = HEAP_DEVICE,
				       .kind = ACLKM_KIND_DEVICE,
				       .pages = ACLKM_PAGES_HUGE_FIRST,
				       .align = MANAGED_UNIT};
	struct block_tag tag;
	aclError code = acl_enter(__func__) ?: acl_need(ptr, "ptr") ?:
			acl_need_size(size, "size") ?: context_need();

	if (code)
		return code;
	if (flag != ACL_RT_MEM_ATTACH_GLOBAL)
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "flag = %u: must be ACL_RT_MEM_ATTACH_GLOBAL (1)",
				  flag);
	if (aclkm_align_up(size, MANAGED_UNIT, &request.ruled))
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "size = %llu leaves 64 bits when rounded up to 2 MiB",
				  (unsigned long long)size);
	request.asked = size;
	tag = (struct block_tag){
		.device = context_device(), .module = BLOCK_MODULE_APP, .managed = true};
	return acl_result(mempool_block_take(&request, &tag, ptr));
}
