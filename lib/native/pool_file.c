// SPDX-License-Identifier: MIT
/* Pools as files, and mappings of those of other processes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/backend.h"
#include "base/base.h"
#include "native/imports.h"
#include "pool/pool.h"
#include "map/map.h"

/* How the system names the files of the user backend. */
#define MEMFD_NAME "/memfd:aclkm"

static struct imports imports = IMPORTS_INIT;

/* A memfd that was opened for reading cannot be mapped writable. */
static int open_again(int file)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int export_file(const struct aclkm_pool *pool, bool read_only, int *fd)
{
	const struct backend *backend;
	int err = backend_get(&backend);

	if (err)
		return err;
	if (read_only && backend->region_export)
		return heap_export(pool->base, pool->size, true, fd);
	if (!fd_is(pool->file, &pool->file_id))
		return fd_lost(pool->file, "the pool's file");
	*fd = read_only ? open_again(pool->file) : fcntl(pool->file, F_DUPFD_CLOEXEC, 0);
	return *fd < 0 ? fd_refused("the pool's file") : ACLKM_OK;
}

int aclkm_pool_export(struct aclkm_pool *pool, unsigned int flags, int *fd)
{
	int err = api_enter(__func__), file;

	if (err)
		return err;
	if (!pool || !fd)
		return error_set(ACLKM_ERR_INVALID, "%s is NULL", pool ? "fd" : "pool");
	if (flags & ~ACLKM_POOL_READ_ONLY)
		return error_set(ACLKM_ERR_INVALID,
				 "flags = %#x: only ACLKM_POOL_READ_ONLY is known",
				 flags);
	if (pool->file < 0)
		return error_set(
			ACLKM_ERR_UNSUPPORTED,
			"pool at %p: made without ACLKM_POOL_SHARED, other blocks "
			"share its memory",
			pool->base);
	err = export_file(pool, flags & ACLKM_POOL_READ_ONLY, &file);
	if (!err)
		*fd = file;
	return err;
}

/* Of the user backend: no other file is mapped, whoever sent it. */
static bool is_pool_file(int fd, struct stat *info)
{
	char path[32], name[64];
	ssize_t n;

	if (fd < 0 || fstat(fd, info) || !S_ISREG(info->st_mode) || info->st_size <= 0)
		return false;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, name, sizeof(name));
	return n >= (ssize_t)strlen(MEMFD_NAME) &&
	       !strncmp(name, MEMFD_NAME, strlen(MEMFD_NAME));
}

static int map_file(int fd, struct region *out)
{
	int prot = PROT_READ | PROT_WRITE;
	struct stat info;
	uint64_t page;
	int err, seals;

	if (!is_pool_file(fd, &info))
		return error_set(ACLKM_ERR_INVALID,
				 "fd = %d: not from aclkm_pool_export on this backend",
				 fd);
	/* A file that can shrink would end this process with SIGBUS. */
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || !(seals & F_SEAL_SHRINK))
		return error_set(ACLKM_ERR_INVALID,
				 "fd = %d: its size is not sealed (F_SEAL_SHRINK)", fd);
	page = (uint64_t)info.st_blksize;
	if (page < va_page_size())
		page = va_page_size();
	*out = (struct region){.size = (uint64_t)info.st_size, .page_size = page};
	out->addr = va_reserve(out->size, page);
	if (!out->addr)
		return error_set(ACLKM_ERR_NOMEM, "no address space for %llu bytes",
				 (unsigned long long)out->size);
	if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
		prot = PROT_READ;
	if (mmap(out->addr, out->size, prot, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED)
		return ACLKM_OK;
	err = error_set(ACLKM_ERR_IO, "fd = %d: mmap: %s", fd, strerror(errno));
	va_release(out->addr, out->size);
	return err;
}

static int pool_file_map(const struct backend *backend, int fd, struct import *import)
{
	int err;

	import->by_backend = backend->region_import;
	if (!import->by_backend)
		return map_file(fd, &import->region);
	err = backend->region_import(fd, &import->region);
	if (err == ACLKM_ERR_FOREIGN)
		err = error_set(ACLKM_ERR_INVALID,
				"fd = %d: a dma-buf of another driver, no pool", fd);
	return err;
}

static void unmap(const struct backend *backend, struct import *import)
{
	if (import->by_backend)
		backend->region_free(&import->region);
	else
		va_release(import->region.addr, import->region.size);
	free(import);
}

/* What copies know it by. */
static int make_known(struct import *import)
{
	import->known = (struct registered){
		.at = {.base = (uint64_t)(uintptr_t)import->region.addr,
		       .size = import->region.size},
		.page_size = import->region.page_size};
	return registered_add(&import->known);
}

int aclkm_pool_import(int fd, void **base, uint64_t *size)
{
	const struct backend *backend;
	struct import *import;
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!base || !size)
		return error_set(ACLKM_ERR_INVALID, "%s is NULL", base ? "size" : "base");
	err = backend_get(&backend);
	if (err)
		return err;
	import = calloc(1, sizeof(*import));
	if (!import)
		return error_no_records();
	err = pool_file_map(backend, fd, import);
	if (err) {
		free(import);
		return err;
	}
	err = make_known(import);
	if (err) {
		unmap(backend, import);
		return err;
	}
	*base = import->region.addr;
	*size = import->region.size;
	imports_add(&imports, import);
	return ACLKM_OK;
}

int aclkm_pool_release(void *base)
{
	const struct backend *backend;
	struct import *import;
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!base)
		return error_set(ACLKM_ERR_INVALID, "base is NULL");
	err = backend_get(&backend);
	if (err)
		return err;
	import = imports_take(&imports, base);
	if (!import)
		return error_set(
			ACLKM_ERR_FOREIGN,
			"base = %p: not from aclkm_pool_import, or released before",
			base);
	registered_remove((uint64_t)(uintptr_t)base, false);
	unmap(backend, import);
	return ACLKM_OK;
}
