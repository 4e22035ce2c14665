// SPDX-License-Identifier: MIT
/* Memory for media data processing, both interfaces. */
#include "acl/dvpp/hi_dvpp.h"
#include "acl/ops/acl_dvpp.h"

#include <pthread.h>

#include "base/base.h"
#include "map/map.h"
#include "exec/exec.h"
#include "acl/context.h"
#include "acl/memory.h"
#include "acl/result.h"

/* Overflow is the only rule left to check here. */
static int take_media(enum aclkm_kind kind, uint64_t size, enum aclkm_pages pages,
		      struct block_tag *tag, void **out)
{
	struct heap_request request = {.class = HEAP_MEDIA,
				       .pages = pages,
				       .kind = kind,
				       .asked = size,
				       .align = ACLKM_RULE_ALIGN_MEDIA};
	uint32_t padding = config_get()->padding;
	int err;

	err = aclkm_block_size(size, ACLKM_BLOCK_PADDED, padding, &request.ruled);
	if (err)
		return error_set(err,
				 "size = %llu leaves 64 bits by ALIGN_UP[size,32] + %u",
				 (unsigned long long)size, padding);
	tag->device = context_device();
	return mempool_block_take(&request, tag, out);
}

aclError acldvppMalloc(void **devPtr, size_t size)
{
	struct block_tag tag = {.module = BLOCK_MODULE_APP};
	aclError code = acl_enter(__func__) ?: acl_need(devPtr, "devPtr") ?:
			acl_need_size(size, "size") ?: context_need();

	if (code)
		return code;
	return acl_result(
		take_media(ACLKM_KIND_DVPP, size, ACLKM_PAGES_HUGE_FIRST, &tag, devPtr));
}

aclError acldvppMallocWithCfg(void **devPtr, size_t size, aclrtMemMallocPolicy policy,
			      aclrtMallocConfig *cfg)
{
	struct block_tag tag;
	enum aclkm_pages pages;
	aclError code = acl_enter(__func__) ?: acl_need(devPtr, "devPtr") ?:
			acl_need_size(size, "size") ?: context_need() ?:
			memory_pages(policy, size, &pages) ?:
			memory_config(cfg, &tag);

	if (code)
		return code;
	return acl_result(take_media(ACLKM_KIND_DVPP, size, pages, &tag, devPtr));
}

aclError acldvppFree(void *devPtr)
{
	aclError code = acl_enter(__func__) ?: acl_need(devPtr, "devPtr");

	if (code)
		return code;
	return acl_result(block_give(devPtr, ACLKM_KIND_DVPP));
}

static hi_s32 hi_result(int err)
{
	if (!err)
		return HI_SUCCESS;
	error_publish();
	switch (err) {
	case ACLKM_ERR_NOMEM:
	case ACLKM_ERR_LIMIT:
	case ACLKM_ERR_NOHEAP:
		return HI_ERR_SYS_NO_MEM;
	case ACLKM_ERR_FORKED:
	case ACLKM_ERR_IO:
		return HI_ERR_SYS_NOT_READY;
	default:
		return HI_ERR_SYS_ILLEGAL_PARAM;
	}
}

hi_s32 hi_mpi_dvpp_malloc(hi_u32 dev_id, hi_void **dev_ptr, hi_u64 size)
{
	struct block_tag tag = {.module = BLOCK_MODULE_APP};
	int err = api_enter(__func__);

	(void)dev_id;
	if (err)
		return hi_result(err);
	if (!dev_ptr)
		return acl_refuse(HI_ERR_SYS_NULL_PTR, "dev_ptr is NULL");
	if (!size)
		return acl_refuse(HI_ERR_SYS_ILLEGAL_PARAM,
				  "size = 0: must be 1 or more");
	if (context_need())
		return HI_ERR_SYS_NOT_READY;
	return hi_result(take_media(ACLKM_KIND_HIMPI, size, ACLKM_PAGES_HUGE_FIRST, &tag,
				    dev_ptr));
}

hi_s32 hi_mpi_dvpp_free(hi_void *dev_ptr)
{
	int err = api_enter(__func__);

	if (err)
		return hi_result(err);
	if (!dev_ptr)
		return acl_refuse(HI_ERR_SYS_NULL_PTR, "dev_ptr is NULL");
	return hi_result(block_give(dev_ptr, ACLKM_KIND_HIMPI));
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int sys_count;

hi_s32 hi_mpi_sys_init(hi_void)
{
	int err = api_enter(__func__);

	if (err)
		return hi_result(err);
	pthread_mutex_lock(&lock);
	sys_count++;
	pthread_mutex_unlock(&lock);
	return HI_SUCCESS;
}

hi_s32 hi_mpi_sys_exit(hi_void)
{
	unsigned int before;
	int err = api_enter(__func__);

	if (err)
		return hi_result(err);
	pthread_mutex_lock(&lock);
	before = sys_count;
	if (before)
		sys_count--;
	pthread_mutex_unlock(&lock);
	if (!before)
		return acl_refuse(HI_ERR_SYS_NOT_READY,
				  "the media system is not started");
	return HI_SUCCESS;
}
