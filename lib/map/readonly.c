// SPDX-License-Identifier: MIT
#include "map/readonly.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "backend/backend.h"
#include "debug/debug.h"
#include "base/base.h"

struct readonly {
	struct addr_range at;
	char *writable;
	struct backing backing;
	struct heap_request request;
};

static pthread_mutex_t readonly_lock = PTHREAD_MUTEX_INITIALIZER;
static struct addr_map readonly_blocks = ADDR_MAP;

static struct readonly *readonly_of(struct addr_range *at)
{
	return at ? addr_entry(at, struct readonly, at) : NULL;
}

static struct readonly *readonly_around(const void *addr)
{
	return readonly_of(addr_map_find(&readonly_blocks, (uint64_t)(uintptr_t)addr));
}

static void *readonly_map(const struct backing *backing, int protection)
{
	void *addr = va_reserve(backing->size, backing->page_size);
	const struct backend *backend;

	if (!addr)
		return NULL;
	if (!backend_get(&backend) && !backend->backing_map(backing, addr, protection))
		return addr;
	va_release(addr, backing->size);
	return NULL;
}

static void readonly_free(struct readonly *block)
{
	const struct backend *backend;

	if (block->writable)
		va_release(block->writable, block->backing.size);
	if (block->at.base)
		va_release((void *)(uintptr_t)block->at.base, block->backing.size);
	if (!backend_get(&backend))
		backend->backing_free(&block->backing);
	free(block);
}

static uint64_t readonly_unit(enum aclkm_pages pages)
{
	if (pages == ACLKM_PAGES_HUGE1G)
		return SIZE_1G;
	return pages == ACLKM_PAGES_NORMAL ? va_page_size() : SIZE_2M;
}

int readonly_take(const struct heap_request *request, void **out)
{
	const struct backend *backend;
	struct readonly *block;
	uint64_t size;
	int err = backend_get(&backend);

	if (err)
		return err;
	if (aclkm_align_up(request->ruled, readonly_unit(request->pages), &size))
		return error_set(ACLKM_ERR_NOMEM, "no device has so many bytes");
	block = calloc(1, sizeof(*block));
	if (!block)
		return error_no_records();
	block->request = *request;
	err = backend->backing_alloc(request->device, size, request->pages,
				     &block->backing);
	if (err) {
		free(block);
		return err;
	}
	block->at.base = (uint64_t)(uintptr_t)readonly_map(&block->backing, PROT_READ);
	block->writable = readonly_map(&block->backing, PROT_READ | PROT_WRITE);
	if (!block->at.base || !block->writable) {
		readonly_free(block);
		return error_set(ACLKM_ERR_NOMEM, "mapping read-only memory: %s",
				 strerror(errno));
	}
	block->at.size = block->backing.size;
	*out = (void *)(uintptr_t)block->at.base;
	guard_alloc(*out, request->asked, block->backing.size);
	/* Its bytes are what the device writes: never without a value. */
	guard_forget(*out, request->asked);
	pthread_mutex_lock(&readonly_lock);
	addr_map_add(&readonly_blocks, &block->at);
	pthread_mutex_unlock(&readonly_lock);
	return ACLKM_OK;
}

bool readonly_give(void *ptr, uint64_t *size)
{
	struct readonly *block;

	if (!addr_map_any(&readonly_blocks))
		return false;
	pthread_mutex_lock(&readonly_lock);
	block = readonly_of(addr_map_at(&readonly_blocks, (uint64_t)(uintptr_t)ptr));
	if (block)
		addr_map_remove(&readonly_blocks, &block->at);
	pthread_mutex_unlock(&readonly_lock);
	if (!block)
		return false;
	*size = block->request.ruled;
	if (check_watches_tasks())
		check_in_flight(block->at.base, block->request.asked, "freed", NULL,
				NULL);
	guard_free((void *)(uintptr_t)block->at.base, block->backing.size);
	guard_forget((void *)(uintptr_t)block->at.base, block->backing.size);
	readonly_free(block);
	return true;
}

bool readonly_find(const void *addr, struct heap_block *out)
{
	const struct readonly *block;

	if (!addr_map_any(&readonly_blocks))
		return false;
	pthread_mutex_lock(&readonly_lock);
	block = readonly_around(addr);
	if (block)
		*out = (struct heap_block){.device = block->request.device,
					   .class = block->request.class,
					   .kind = block->request.kind,
					   .base = block->at.base,
					   .asked = block->request.asked,
					   .ruled = block->request.ruled,
					   .page_size = block->backing.page_size};
	pthread_mutex_unlock(&readonly_lock);
	return block != NULL;
}

void *readonly_target(void *dst)
{
	const struct readonly *block;

	if (!addr_map_any(&readonly_blocks))
		return dst;
	pthread_mutex_lock(&readonly_lock);
	block = readonly_around(dst);
	if (block)
		dst = block->writable + ((uint64_t)(uintptr_t)dst - block->at.base);
	pthread_mutex_unlock(&readonly_lock);
	return dst;
}
