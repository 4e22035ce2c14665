// SPDX-License-Identifier: MIT
/* Device and host memory: the argument rules of AscendCL. */
#include "acl/acl_rt.h"

#include "debug/debug.h"
#include "base/base.h"
#include "map/map.h"
#include "exec/exec.h"
#include "alloc/alloc.h"
#include "acl/context.h"
#include "acl/memory.h"
#include "acl/result.h"

#define HUGE_THRESHOLD (1ULL << 20) /* HUGE_FIRST: more than this is huge */
#define CACHED_MAX_SIZE (1ULL << 50)

/* What every allocation checks first, in this order. */
static aclError enter_take(const char *call, void *const *out, const char *name,
			   size_t size)
{
	return acl_enter(call) ?: acl_need(out, name) ?: acl_need_size(size, "size") ?:
	       context_need();
}

enum aclkm_pages memory_huge_first(size_t size)
{
	return size > HUGE_THRESHOLD ? ACLKM_PAGES_HUGE_FIRST : ACLKM_PAGES_NORMAL;
}

aclError memory_pages(aclrtMemMallocPolicy policy, size_t size, enum aclkm_pages *out)
{
	switch ((uint32_t)policy) {
	case ACL_MEM_MALLOC_HUGE_ONLY:
	case ACL_MEM_MALLOC_HUGE_ONLY_P2P:
		*out = ACLKM_PAGES_HUGE_ONLY;
		return ACL_SUCCESS;
	case ACL_MEM_MALLOC_NORMAL_ONLY:
	case ACL_MEM_MALLOC_NORMAL_ONLY_P2P:
		*out = ACLKM_PAGES_NORMAL;
		return ACL_SUCCESS;
	case ACL_MEM_MALLOC_HUGE1G_ONLY:
	case ACL_MEM_MALLOC_HUGE1G_ONLY_P2P:
		*out = ACLKM_PAGES_HUGE1G;
		return ACL_SUCCESS;
	case ACL_MEM_MALLOC_HUGE_FIRST:
	case ACL_MEM_MALLOC_HUGE_FIRST_P2P:
	case ACL_MEM_TYPE_LOW_BAND_WIDTH:
	case ACL_MEM_TYPE_HIGH_BAND_WIDTH:
	case ACL_MEM_ACCESS_USER_SPACE_READONLY:
		*out = memory_huge_first(size);
		return ACL_SUCCESS;
	default:
		if (config_get()->strict)
			return acl_refuse(
				ACL_ERROR_RT_PARAM_INVALID,
				"policy = %d: not a value of aclrtMemMallocPolicy",
				(int)policy);
		*out = memory_huge_first(size);
		return ACL_SUCCESS;
	}
}

static aclError acl_memory_take(struct heap_request *request, enum aclkm_block_rule rule,
				void **out)
{
	const struct block_tag tag = {.device = context_device(),
				      .module = BLOCK_MODULE_APP};
	const struct config *config = config_get();
	int err;

	if (request->pages == ACLKM_PAGES_HUGE1G)
		rule = ACLKM_BLOCK_HUGE1G;
	request->align = config->align;
	err = aclkm_block_size(request->asked, rule, config->padding, &request->ruled);
	if (err)
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "size = %llu leaves 64 bits by ALIGN_UP[size,32] + %u",
				  (unsigned long long)request->asked, config->padding);
	return acl_result(mempool_block_take(request, &tag, out));
}

static aclError acl_memory_take_device(void **out, size_t size,
				       aclrtMemMallocPolicy policy,
				       enum aclkm_block_rule rule)
{
	struct heap_request request = {
		.class = HEAP_DEVICE, .kind = ACLKM_KIND_DEVICE, .asked = size};
	aclError code;

	code = memory_pages(policy, size, &request.pages);
	if (code)
		return code;
	return acl_memory_take(&request, rule, out);
}

/* The two policies that programs use and that put a small block on normal pages. */
static inline bool is_normal(aclrtMemMallocPolicy policy)
{
	_Static_assert(ACL_MEM_MALLOC_HUGE_FIRST == 0, "one bit tells them");

	return !((uint32_t)policy & ~(uint32_t)ACL_MEM_MALLOC_NORMAL_ONLY);
}

static __attribute__((noinline)) aclError malloc_device(const char *call, void **devPtr,
							size_t size,
							aclrtMemMallocPolicy policy,
							enum aclkm_block_rule rule)
{
	uint64_t epoch = atomic_load(&tcache_epoch);
	aclError code = enter_take(call, devPtr, "devPtr", size);

	if (code)
		return code;
	if (block_all_plain())
		tcache_arm(epoch, context_device());
	else if (block_all_checked())
		check_arm(epoch, context_device());
	return acl_memory_take_device(devPtr, size, policy, rule);
}

/*
 * Where the program is, for stacks.h; what is freed there is another place. The functions
 * that ask end in a call of the next one, which finds the same.
 */
#define PROGRAM_AT __builtin_return_address(0), STACK_FRAME
#define PROGRAM_GIVES_AT __builtin_return_address(0), STACK_FRAME + 1

static __attribute__((noinline)) aclError
malloc_slowly(const char *call, void **devPtr, size_t size, aclrtMemMallocPolicy policy)
{
	aclError code;

	check_enter(call, PROGRAM_AT);
	code = malloc_device(call, devPtr, size, policy, ACLKM_BLOCK_PADDED);
	check_leave();
	return code;
}

CHECK_INLINE aclError malloc_checked(const char *call, struct tcache *mine,
				     const void *pc, const void *frame, void **devPtr,
				     size_t size, aclrtMemMallocPolicy policy,
				     enum check_way way)
{
	if (check_take_fast(mine, pc, frame, size, devPtr, way))
		return ACL_SUCCESS;
	return malloc_slowly(call, devPtr, size, policy);
}

static __attribute__((noinline)) aclError malloc_any(const char *call,
						     struct tcache *mine, void **devPtr,
						     size_t size,
						     aclrtMemMallocPolicy policy)
{
	return malloc_checked(call, mine, PROGRAM_AT, devPtr, size, policy,
			      CHECK_WAY_ANY);
}

static __attribute__((noinline)) aclError malloc_usual(const char *call,
						       struct tcache *mine, void **devPtr,
						       size_t size,
						       aclrtMemMallocPolicy policy)
{
	return malloc_checked(call, mine, PROGRAM_AT, devPtr, size, policy,
			      CHECK_WAY_USUAL);
}

static __attribute__((noinline)) CHECK_WIDE aclError
malloc_wide(const char *call, struct tcache *mine, void **devPtr, size_t size,
	    aclrtMemMallocPolicy policy)
{
	return malloc_checked(call, mine, PROGRAM_AT, devPtr, size, policy,
			      CHECK_WAY_WIDE);
}

/* With checks, or the first of its kind in the thread. */
static inline aclError malloc_by_way(const char *call, struct tcache *mine, void **devPtr,
				     size_t size, aclrtMemMallocPolicy policy)
{
	int way = slab_read(check_options.way);

	if (__builtin_expect(way == CHECK_WAY_WIDE, 1))
		return malloc_wide(call, mine, devPtr, size, policy);
	if (way == CHECK_WAY_USUAL)
		return malloc_usual(call, mine, devPtr, size, policy);
	return malloc_any(call, mine, devPtr, size, policy);
}

aclError aclrtMalloc(void **devPtr, size_t size, aclrtMemMallocPolicy policy)
{
	struct tcache *mine = tcache_mine;

	if (__builtin_expect(!devPtr || !is_normal(policy), 0))
		return malloc_slowly(__func__, devPtr, size, policy);
	/* Small, with a context, and there is one that was freed. */
	if (__builtin_expect(tcache_alloc_device(mine, size, devPtr), 1))
		return ACL_SUCCESS;
	return malloc_by_way(__func__, mine, devPtr, size, policy);
}

aclError aclrtMallocAlign32(void **devPtr, size_t size, aclrtMemMallocPolicy policy)
{
	return malloc_device(__func__, devPtr, size, policy, ACLKM_BLOCK_ALIGN32);
}

/* Overflow is 100000 as everywhere, so it is told before the limit of 2^50. */
static aclError acl_memory_check_cached(size_t size, aclrtMemMallocPolicy policy)
{
	uint64_t ruled;

	if (!aclkm_block_size(size, ACLKM_BLOCK_PADDED, ACLKM_RULE_PADDING, &ruled) &&
	    size > CACHED_MAX_SIZE)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID, "size = %zu: at most 2^50",
				  size);
	switch ((uint32_t)policy) {
	case ACL_MEM_MALLOC_HUGE_FIRST:
	case ACL_MEM_MALLOC_HUGE_ONLY:
	case ACL_MEM_MALLOC_NORMAL_ONLY:
	case ACL_MEM_MALLOC_HUGE1G_ONLY:
		return ACL_SUCCESS;
	default:
		return acl_refuse(
			ACL_ERROR_RT_PARAM_INVALID,
			"policy = %d: must be HUGE_FIRST (0), HUGE_ONLY (1), NORMAL_ONLY "
			"(2) or HUGE1G_ONLY (6)",
			(int)policy);
	}
}

aclError aclrtMallocCached(void **devPtr, size_t size, aclrtMemMallocPolicy policy)
{
	aclError code = enter_take(__func__, devPtr, "devPtr", size)
				?: acl_memory_check_cached(size, policy);

	if (code)
		return code;
	return acl_memory_take_device(devPtr, size, policy, ACLKM_BLOCK_PADDED);
}

aclError aclrtMallocHost(void **hostPtr, size_t size)
{
	struct heap_request request = {
		.class = HEAP_HOST, .kind = ACLKM_KIND_HOST, .asked = size};
	aclError code = enter_take(__func__, hostPtr, "hostPtr", size);

	if (code)
		return code;
	request.pages = config_get()->run_on_device ? ACLKM_PAGES_NORMAL
						    : memory_huge_first(size);
	return acl_memory_take(&request, ACLKM_BLOCK_PADDED, hostPtr);
}

static __attribute__((noinline)) aclError free_device(const char *call, void *devPtr)
{
	aclError code = acl_enter(call) ?: acl_need(devPtr, "devPtr");

	if (code)
		return code;
	return acl_result(block_give(devPtr, ACLKM_KIND_DEVICE));
}

static __attribute__((noinline)) aclError free_slowly(const char *call, void *devPtr)
{
	aclError code;

	check_enter(call, PROGRAM_GIVES_AT);
	code = free_device(call, devPtr);
	check_leave();
	return code;
}

CHECK_INLINE aclError free_checked(const char *call, struct tcache *mine,
				   struct slab *slab, const void *pc, const void *frame,
				   void *devPtr, enum check_way way)
{
	if (check_give_fast(call, mine, slab, pc, frame, devPtr, way))
		return ACL_SUCCESS;
	return free_slowly(call, devPtr);
}

static __attribute__((noinline)) aclError free_any(const char *call, struct tcache *mine,
						   struct slab *slab, void *devPtr)
{
	return free_checked(call, mine, slab, PROGRAM_GIVES_AT, devPtr, CHECK_WAY_ANY);
}

static __attribute__((noinline)) aclError
free_usual(const char *call, struct tcache *mine, struct slab *slab, void *devPtr)
{
	return free_checked(call, mine, slab, PROGRAM_GIVES_AT, devPtr, CHECK_WAY_USUAL);
}

static __attribute__((noinline)) CHECK_WIDE aclError free_wide(const char *call,
							       struct tcache *mine,
							       struct slab *slab,
							       void *devPtr)
{
	return free_checked(call, mine, slab, PROGRAM_GIVES_AT, devPtr, CHECK_WAY_WIDE);
}

static inline aclError free_by_way(const char *call, struct tcache *mine,
				   struct slab *slab, void *devPtr)
{
	int way = slab_read(check_options.way);

	if (__builtin_expect(way == CHECK_WAY_WIDE, 1))
		return free_wide(call, mine, slab, devPtr);
	if (way == CHECK_WAY_USUAL)
		return free_usual(call, mine, slab, devPtr);
	return free_any(call, mine, slab, devPtr);
}

aclError aclrtFree(void *devPtr)
{
	struct tcache *mine = tcache_mine;
	struct slab *slab = slab_read(*near_slot(mine, (uint64_t)(uintptr_t)devPtr));

	/* What has a tag, or is checked, is refused there. */
	if (__builtin_expect(tcache_free(slab, mine, devPtr, ACLKM_KIND_DEVICE), 1))
		return ACL_SUCCESS;
	return free_by_way(__func__, mine, slab, devPtr);
}

aclError aclrtFreeHost(void *hostPtr)
{
	aclError code = acl_enter(__func__) ?: acl_need(hostPtr, "hostPtr");

	if (code)
		return code;
	return acl_result(block_give(hostPtr, ACLKM_KIND_HOST));
}

aclError aclrtFreeWithDevSync(void *devPtr)
{
	return acl_enter(__func__) ?: acl_need(devPtr, "devPtr") ?:
	       context_need_to_wait() ?:
	       stream_result(stream_wait_device(context_device(), NO_DEADLINE)) ?:
	       acl_result(block_give(devPtr, ACLKM_KIND_DEVICE));
}

aclError aclrtFreeHostWithDevSync(void *hostPtr)
{
	return acl_enter(__func__) ?: acl_need(hostPtr, "hostPtr") ?:
	       context_need_to_wait() ?:
	       stream_result(stream_wait_device(context_device(), NO_DEADLINE)) ?:
	       acl_result(block_give(hostPtr, ACLKM_KIND_HOST));
}

aclError aclrtGetMemInfo(aclrtMemAttr attr, size_t *free, size_t *total)
{
	struct aclkm_memory_totals totals;
	aclError code = acl_enter(__func__) ?: acl_need(free, "free") ?:
			acl_need(total, "total") ?: context_need();
	int err;

	if (code)
		return code;
	if ((uint32_t)attr > ACL_MEM_P2P_HUGE1G)
		return acl_refuse(ACL_ERROR_RT_INVALID_MEMORY_TYPE,
				  "attr = %d: not a value of aclrtMemAttr", (int)attr);
	err = heap_totals(context_device(), &totals);
	if (err)
		return acl_result(err);
	*free = totals.free;
	*total = totals.total;
	return ACL_SUCCESS;
}
