// SPDX-License-Identifier: MIT
/*
 * Blocks and buffer objects of DRM devices, by way of dma-bufs. libdrm is found at run
 * time, so that programs without a graphics device need not have it.
 */
#include "aclkm/share.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"

#ifdef ACLKM_HAVE_LIBDRM
#include <xf86drm.h>

static __typeof__(&drmPrimeFDToHandle) fd_to_handle;
static __typeof__(&drmPrimeHandleToFD) handle_to_fd;

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Kept for as long as the process lives. */
static void find_libdrm(void)
{
	void *libdrm = dlopen("libdrm.so.2", RTLD_NOW | RTLD_LOCAL);

	if (!libdrm)
		return;
	fd_to_handle = (__typeof__(fd_to_handle))dlsym(libdrm, "drmPrimeFDToHandle");
	handle_to_fd = (__typeof__(handle_to_fd))dlsym(libdrm, "drmPrimeHandleToFD");
}

static int need_libdrm(void)
{
	pthread_once(&once, find_libdrm);
	if (fd_to_handle && handle_to_fd)
		return ACLKM_OK;
	return error_set(ACLKM_ERR_UNSUPPORTED, "libdrm.so.2 is not there");
}

int aclkm_drm_import(int drm, const void *ptr, size_t size, unsigned int flags,
		     uint32_t *gem)
{
	int fd, err = api_enter(__func__);

	if (err)
		return err;
	if (!gem)
		return error_set(ACLKM_ERR_INVALID, "gem is NULL");
	/* Before anything is exported: nothing of the block is told for nothing. */
	err = need_libdrm();
	if (!err)
		err = aclkm_dmabuf_export(ptr, size, flags, &fd);
	if (err)
		return err;
	if (fd_to_handle(drm, fd, gem))
		err = error_set(ACLKM_ERR_IO, "drm = %d does not take the dma-buf: %m",
				drm);
	close(fd);
	return err;
}

int aclkm_drm_export(int drm, uint32_t gem, void **addr, size_t *size)
{
	int err = api_enter(__func__), fd;

	if (err)
		return err;
	err = need_libdrm();
	if (err)
		return err;
	if (handle_to_fd(drm, gem, DRM_CLOEXEC | DRM_RDWR, &fd))
		return error_set(ACLKM_ERR_IO, "drm = %d gives no dma-buf of %u: %m", drm,
				 gem);
	err = aclkm_dmabuf_import(fd, addr, size);
	close(fd);
	return err;
}
#else
static int without_libdrm(const char *call)
{
	int err = api_enter(call);

	return err ? err
		   : error_set(ACLKM_ERR_UNSUPPORTED,
			       "the library was built without libdrm");
}

int aclkm_drm_import(int drm, const void *ptr, size_t size, unsigned int flags,
		     uint32_t *gem)
{
	(void)drm, (void)ptr, (void)size, (void)flags, (void)gem;
	return without_libdrm(__func__);
}

int aclkm_drm_export(int drm, uint32_t gem, void **addr, size_t *size)
{
	(void)drm, (void)gem, (void)addr, (void)size;
	return without_libdrm(__func__);
}
#endif
