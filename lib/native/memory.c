// SPDX-License-Identifier: MIT
/* The native memory calls. */
#include "aclkm/memory.h"

#include "backend/backend.h"
#include "alloc/alloc.h"
#include "base/base.h"
#include "pool/pool.h"

#define DEFAULT_ALIGN 512
#define MAX_ALIGN (1ULL << 30)

static int check_alloc(size_t size, size_t align, enum aclkm_pages pages, void **out)
{
	if (!out)
		return error_set(ACLKM_ERR_INVALID, "out is NULL");
	if (!size)
		return error_set(ACLKM_ERR_INVALID, "size = 0: must be 1 or more");
	if (align < ACLKM_RULE_ALIGN || align > MAX_ALIGN || !is_power_of_two(align))
		return error_set(ACLKM_ERR_INVALID,
				 "align = %zu: must be a power of two from 64 to 1 GiB",
				 align);
	if ((unsigned int)pages > ACLKM_PAGES_HUGE1G)
		return error_set(ACLKM_ERR_INVALID,
				 "pages = %d: not a value of aclkm_pages", (int)pages);
	return ACLKM_OK;
}

static __attribute__((noinline)) int memory_alloc_slowly(const char *call, size_t size,
							 size_t align,
							 enum aclkm_pages pages,
							 void **out)
{
	struct heap_request request = {.class = HEAP_DEVICE,
				       .pages = pages,
				       .kind = ACLKM_KIND_NATIVE,
				       .asked = size};
	int err = api_enter(call);

	if (err)
		return err;
	request.align = align ? align : DEFAULT_ALIGN;
	err = check_alloc(size, request.align, pages, out);
	if (err)
		return err;
	err = aclkm_block_size(size, ACLKM_BLOCK_ALIGN32, 0, &request.ruled);
	if (err)
		return error_set(err, "size = %zu leaves 64 bits when rounded up to 32",
				 size);
	err = heap_alloc(&request, out);
	if (!err && guard_is_watched())
		guard_alloc(*out, size, request.ruled);
	return err;
}

int aclkm_memory_alloc(size_t size, size_t align, enum aclkm_pages pages, void **out)
{
	struct tcache *mine = tcache_mine;

	if (pages == ACLKM_PAGES_NORMAL && align == ACLKM_RULE_ALIGN && out &&
	    tcache_alloc(&mine->own[HEAP_ID(HEAP_DEVICE, ACLKM_PAGES_NORMAL)],
			 &mine->native, size, out))
		return ACLKM_OK;
	return memory_alloc_slowly(__func__, size, align, pages, out);
}

static __attribute__((noinline)) int memory_free_slowly(const char *call, void *ptr)
{
	struct heap_block block;
	int err = api_enter(call);

	if (err)
		return err;
	if (!ptr)
		return error_set(ACLKM_ERR_INVALID, "ptr is NULL");
	/* Before the free: the bytes may be somebody else's a moment later. */
	if (guard_is_watched() && !heap_find(ptr, &block, NULL, NULL) &&
	    block.kind == ACLKM_KIND_NATIVE && block.base == (uint64_t)(uintptr_t)ptr)
		guard_free(ptr, block.ruled);
	return heap_free(ptr, ACLKM_KIND_NATIVE);
}

int aclkm_memory_free(void *ptr)
{
	if (tcache_free_mine(ptr, ACLKM_KIND_NATIVE))
		return ACLKM_OK;
	return memory_free_slowly(__func__, ptr);
}

/* A pool's block becomes the segment around the address. */
static int narrow_to_segment(struct heap_block *block, void *arg)
{
	/* A small segment, which threads keep, is found by itself. */
	if (block->kind != ACLKM_KIND_POOL || !block->owner)
		return ACLKM_OK;
	return pool_narrow(block->owner, (uint64_t)(uintptr_t)arg, block);
}

int aclkm_memory_query(const void *ptr, struct aclkm_memory_info *out)
{
	const struct backend *backend;
	struct heap_block block;
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!ptr || !out)
		return error_set(ACLKM_ERR_INVALID, "%s is NULL", ptr ? "out" : "ptr");
	err = heap_find(ptr, &block, narrow_to_segment, (void *)(uintptr_t)ptr);
	if (err)
		return error_set(err, "address %p: %s", ptr, aclkm_strerror(err));
	err = backend_get(&backend);
	if (err)
		return err;

	*out = (struct aclkm_memory_info){
		.base = (void *)(uintptr_t)block.base,
		.asked = block.asked,
		.ruled = block.ruled,
		.alignment = natural_alignment(block.base),
		.page_size = block.page_size,
		.phys = block.phys,
		.phys_valid = block.phys_valid,
		.contiguous = block.contiguous,
		.kind = block.kind,
		.kind_name = kind_name(block.kind),
		.backend = backend->name,
	};
	return ACLKM_OK;
}

int aclkm_memory_totals(struct aclkm_memory_totals *out)
{
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!out)
		return error_set(ACLKM_ERR_INVALID, "out is NULL");
	return heap_totals(0, out);
}

int aclkm_memory_trim(size_t keep)
{
	int err = api_enter(__func__);

	if (err)
		return err;
	heap_trim(keep);
	return ACLKM_OK;
}

int aclkm_memory_keep(size_t bytes)
{
	int err = api_enter(__func__);

	if (err)
		return err;
	chunk_set_keep(bytes);
	if (chunk_kept() > bytes)
		heap_trim(bytes);
	return ACLKM_OK;
}

int aclkm_memory_backend(const char **name, const char **why)
{
	const struct backend *backend;
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!name || !why)
		return error_set(ACLKM_ERR_INVALID, "%s is NULL", name ? "why" : "name");
	err = backend_get(&backend);
	if (err)
		return err;
	*name = backend->name;
	*why = backend_reason();
	return ACLKM_OK;
}

int aclkm_memory_costs(struct aclkm_memory_costs *out)
{
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!out)
		return error_set(ACLKM_ERR_INVALID, "out is NULL");
	*out = (struct aclkm_memory_costs){
		.records = slab_record_bytes(),
		.threads = tcache_bytes(),
		.kept = chunk_kept(),
	};
	return ACLKM_OK;
}
