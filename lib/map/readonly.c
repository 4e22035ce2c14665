// SPDX-License-Identifier: MIT
#include "map/readonly.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "backend/backend.h"
#include "debug/check_flight.h"
#include "base/error.h"
#include "base/guard.h"
#include "base/rules.h"
#include "base/tree.h"
#include "base/va.h"

struct block {
	struct tree_node by_base;
	uint64_t base;
	char *writable;
	struct backing backing;
	struct heap_request request;
};

TREE_COMPARE(compare, struct block, by_base, base)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct tree blocks = {.compare = compare, .random = 1};
static _Atomic uint32_t count;

static struct block *find(uint64_t addr)
{
	struct block key = {.base = addr};
	struct tree_node *node = tree_floor(&blocks, &key.by_base);
	struct block *block;

	if (!node)
		return NULL;
	block = tree_entry(node, struct block, by_base);
	return addr - block->base < block->backing.size ? block : NULL;
}

static void *map(const struct backing *backing, int protection)
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

static void unmap_and_free(struct block *block)
{
	const struct backend *backend;

	if (block->writable)
		va_release(block->writable, block->backing.size);
	if (block->base)
		va_release((void *)(uintptr_t)block->base, block->backing.size);
	if (!backend_get(&backend))
		backend->backing_free(&block->backing);
	free(block);
}

static uint64_t unit_of(enum aclkm_pages pages)
{
	if (pages == ACLKM_PAGES_HUGE1G)
		return SIZE_1G;
	return pages == ACLKM_PAGES_NORMAL ? va_page_size() : SIZE_2M;
}

int readonly_take(const struct heap_request *request, void **out)
{
	const struct backend *backend;
	struct block *block;
	uint64_t size;
	int err = backend_get(&backend);

	if (err)
		return err;
	if (aclkm_align_up(request->ruled, unit_of(request->pages), &size))
		return error_set(ACLKM_ERR_NOMEM, "no device has so many bytes");
	block = calloc(1, sizeof(*block));
	if (!block)
		return error_set(ACLKM_ERR_NOHEAP,
				 "no memory for the library's own records");
	block->request = *request;
	err = backend->backing_alloc(request->device, size, request->pages,
				     &block->backing);
	if (err) {
		free(block);
		return err;
	}
	block->base = (uint64_t)(uintptr_t)map(&block->backing, PROT_READ);
	block->writable = map(&block->backing, PROT_READ | PROT_WRITE);
	if (!block->base || !block->writable) {
		unmap_and_free(block);
		return error_set(ACLKM_ERR_NOMEM, "mapping read-only memory: %s",
				 strerror(errno));
	}
	*out = (void *)(uintptr_t)block->base;
	guard_alloc(*out, request->asked, block->backing.size);
	/* Its bytes are what the device writes: never without a value. */
	guard_forget(*out, request->asked);
	pthread_mutex_lock(&lock);
	tree_insert(&blocks, &block->by_base);
	atomic_fetch_add(&count, 1);
	pthread_mutex_unlock(&lock);
	return ACLKM_OK;
}

bool readonly_give(void *ptr, uint64_t *size)
{
	struct block *block;

	if (!atomic_load(&count))
		return false;
	pthread_mutex_lock(&lock);
	block = find((uint64_t)(uintptr_t)ptr);
	if (block && block->base != (uint64_t)(uintptr_t)ptr)
		block = NULL;
	if (block) {
		tree_erase(&blocks, &block->by_base);
		atomic_fetch_sub(&count, 1);
	}
	pthread_mutex_unlock(&lock);
	if (!block)
		return false;
	*size = block->request.ruled;
	if (check_watches_tasks())
		check_in_flight(block->base, block->request.asked, "freed", NULL, NULL);
	guard_free((void *)(uintptr_t)block->base, block->backing.size);
	guard_forget((void *)(uintptr_t)block->base, block->backing.size);
	unmap_and_free(block);
	return true;
}

bool readonly_find(const void *addr, struct heap_block *out)
{
	const struct block *block;

	if (!atomic_load(&count))
		return false;
	pthread_mutex_lock(&lock);
	block = find((uint64_t)(uintptr_t)addr);
	if (block)
		*out = (struct heap_block){.device = block->request.device,
					   .class = block->request.class,
					   .kind = block->request.kind,
					   .base = block->base,
					   .asked = block->request.asked,
					   .ruled = block->request.ruled,
					   .page_size = block->backing.page_size};
	pthread_mutex_unlock(&lock);
	return block != NULL;
}

void *readonly_target(void *dst)
{
	const struct block *block;

	if (!atomic_load(&count))
		return dst;
	pthread_mutex_lock(&lock);
	block = find((uint64_t)(uintptr_t)dst);
	if (block)
		dst = block->writable + ((uint64_t)(uintptr_t)dst - block->base);
	pthread_mutex_unlock(&lock);
	return dst;
}
