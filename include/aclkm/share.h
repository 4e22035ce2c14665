/* SPDX-License-Identifier: MIT */
/*
 * Memory as dma-bufs: for drivers that import them, and for other processes, to which
 * the descriptor goes by SCM_RIGHTS. Only with the driver (ACLKM_BACKEND=kmod); on
 * the user backend each function returns ACLKM_ERR_UNSUPPORTED.
 *
 * No context is needed. Any thread. All sizes are bytes. Every function can also
 * return what aclkm/memory.h says of all.
 */
#ifndef ACLKM_SHARE_H
#define ACLKM_SHARE_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACLKM_SHARE_READ_ONLY 1u /* mappings of the dma-buf cannot be written */

/**
 * aclkm_dmabuf_export - a dma-buf of a part of a block
 * @ptr:   start of the part, a multiple of the page size, in any block of this
 *         library, whoever allocated it
 * @size:  a multiple of the page size, not 0; the part lies in one block
 * @flags: 0 or ACLKM_SHARE_READ_ONLY
 * @fd:    out: close-on-exec; the caller closes it
 *
 * The dma-buf keeps the memory alive after the block is freed.
 *
 * ACLKM_ERR_INVALID (NULL, alignment, size, flags), ACLKM_ERR_FOREIGN,
 * ACLKM_ERR_NOTALIVE, ACLKM_ERR_IO.
 */
ACLKM_API int aclkm_dmabuf_export(const void *ptr, size_t size, unsigned int flags,
				  int *fd);

/**
 * aclkm_dmabuf_import - map a dma-buf
 * @fd:   from aclkm_dmabuf_export, in this process or another, or of any driver whose
 *        dma-bufs can be mapped; stays the caller's
 * @addr: out: readable, and writable where the dma-buf is
 * @size: out
 *
 * ACLKM_ERR_INVALID (NULL, no dma-buf), ACLKM_ERR_NOHEAP, ACLKM_ERR_IO.
 */
ACLKM_API int aclkm_dmabuf_import(int fd, void **addr, size_t *size);

/* aclkm_dmabuf_release - unmap what aclkm_dmabuf_import gave. ACLKM_ERR_INVALID
 * (NULL), ACLKM_ERR_FOREIGN (not from there, or released before). */
ACLKM_API int aclkm_dmabuf_release(void *addr);

/**
 * aclkm_drm_import - make a part of a block known to a DRM device
 * @drm:  the open device
 * @gem:  out: handle of the buffer object there; the caller closes it
 *
 * Otherwise as aclkm_dmabuf_export. ACLKM_ERR_UNSUPPORTED as well where libdrm was not
 * there when the library was built, or is not there now.
 */
ACLKM_API int aclkm_drm_import(int drm, const void *ptr, size_t size, unsigned int flags,
			       uint32_t *gem);

/* aclkm_drm_export - map a buffer object of a DRM device, as aclkm_dmabuf_import does;
 * end it with aclkm_dmabuf_release. Errors as of both others. */
ACLKM_API int aclkm_drm_export(int drm, uint32_t gem, void **addr, size_t *size);

#ifdef __cplusplus
}
#endif

#endif /* ACLKM_SHARE_H */
