// SPDX-License-Identifier: MIT
/* dma-bufs of blocks, and mappings of dma-bufs. */
#include "aclkm/share.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend/backend.h"
#include "base/base.h"
#include "alloc/alloc.h"
#include "native/imports.h"

static struct imports imports = IMPORTS_INIT;

static int check_part(const void *ptr, size_t size, unsigned int flags)
{
	uint64_t addr = (uint64_t)(uintptr_t)ptr, page = va_page_size();
	struct heap_block block;
	int err;

	if (flags & ~ACLKM_SHARE_READ_ONLY)
		return error_set(ACLKM_ERR_INVALID,
				 "flags = %#x: only ACLKM_SHARE_READ_ONLY is known",
				 flags);
	if (addr % page)
		return error_set(ACLKM_ERR_INVALID,
				 "ptr = %p: must be a multiple of the page size, %llu",
				 ptr, (unsigned long long)page);
	if (!size || size % page)
		return error_set(ACLKM_ERR_INVALID,
				 "size = %zu: must be a multiple of the page size, %llu, "
				 "and not 0",
				 size, (unsigned long long)page);
	err = heap_find(ptr, &block, NULL, NULL);
	if (err)
		return error_set(err, "ptr = %p: no block of this library is there", ptr);
	if (size > block.base + block.ruled - addr)
		return error_set(ACLKM_ERR_INVALID,
				 "size = %zu: the block has only %llu bytes from ptr on",
				 size,
				 (unsigned long long)(block.base + block.ruled - addr));
	return ACLKM_OK;
}

int aclkm_dmabuf_export(const void *ptr, size_t size, unsigned int flags, int *fd)
{
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!ptr || !fd)
		return error_set(ACLKM_ERR_INVALID, "%s is NULL", ptr ? "fd" : "ptr");
	err = check_part(ptr, size, flags);
	return err ? err : heap_export(ptr, size, flags & ACLKM_SHARE_READ_ONLY, fd);
}

/* A dma-buf of another driver: whatever its own mapping gives. */
static int map_foreign(int fd, struct region *out)
{
	off_t size = lseek(fd, 0, SEEK_END);
	int prot = PROT_READ | PROT_WRITE;

	if (size <= 0)
		return error_set(ACLKM_ERR_INVALID, "fd = %d: not a dma-buf", fd);
	out->size = (uint64_t)size;
	out->addr = mmap(NULL, out->size, prot, MAP_SHARED, fd, 0);
	if (out->addr == MAP_FAILED && errno == EACCES)
		out->addr = mmap(NULL, out->size, PROT_READ, MAP_SHARED, fd, 0);
	if (out->addr == MAP_FAILED)
		return error_set(ACLKM_ERR_IO, "fd = %d: mmap: %s", fd, strerror(errno));
	return ACLKM_OK;
}

int aclkm_dmabuf_import(int fd, void **addr, size_t *size)
{
	const struct backend *backend;
	struct import *import;
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!addr || !size)
		return error_set(ACLKM_ERR_INVALID, "%s is NULL", addr ? "size" : "addr");
	err = backend_get(&backend);
	if (err)
		return err;
	if (!backend->region_import)
		return error_set(ACLKM_ERR_UNSUPPORTED, "the %s backend has no dma-bufs",
				 backend->name);
	import = calloc(1, sizeof(*import));
	if (!import)
		return error_set(ACLKM_ERR_NOHEAP, "no memory to remember the mapping");

	err = backend->region_import(fd, &import->region);
	import->by_backend = !err;
	if (err == ACLKM_ERR_FOREIGN)
		err = map_foreign(fd, &import->region);
	if (err) {
		free(import);
		return err;
	}
	*addr = import->region.addr;
	*size = import->region.size;
	imports_add(&imports, import);
	return ACLKM_OK;
}

int aclkm_dmabuf_release(void *addr)
{
	const struct backend *backend;
	struct import *import;
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!addr)
		return error_set(ACLKM_ERR_INVALID, "addr is NULL");
	err = backend_get(&backend);
	if (err)
		return err;
	import = imports_take(&imports, addr);
	if (!import)
		return error_set(
			ACLKM_ERR_FOREIGN,
			"addr = %p: not from aclkm_dmabuf_import, or released before",
			addr);
	if (import->by_backend)
		backend->region_free(&import->region);
	else
		va_unmap(import->region.addr, import->region.size);
	free(import);
	return ACLKM_OK;
}
