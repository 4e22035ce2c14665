/* SPDX-License-Identifier: MIT */
/*
 * Where regions come from. One backend serves the process, chosen at the first
 * use by ACLKM_BACKEND.
 */
#ifndef LIB_REGION_H
#define LIB_REGION_H

#include <stdbool.h>
#include <stdint.h>

#include "aclkm/memory.h"
#include "backend/memfile.h"

#define SIZE_2M (2ULL << 20)
#define SIZE_1G (1ULL << 30)

struct region {
	void *addr;
	uint64_t size;
	uint64_t page_size; /* of the mapping, as it really is */
	uint64_t phys;
	bool phys_valid;
	bool contiguous;
	bool uncached;	  /* mapped write-combined or uncached, and uncached_has knows */
	uint32_t handle;  /* the backend's own */
	uint32_t opening; /* of the device: the handle is of this one */
	struct memfile_piece piece; /* of the user backend */
	uint32_t device;
	uint64_t charged; /* bytes counted against the device */
};

/* Memory that has no address yet, to be mapped with backing_map. */
struct backing {
	struct memfile_piece piece; /* of the user backend, or from another process */
	uint32_t handle;	    /* of the driver; 0: none */
	uint32_t opening;	    /* of the device: the handle is of this one */
	uint64_t offset;	    /* where the driver maps the handle */
	uint64_t size;
	uint64_t page_size; /* addresses and offsets of mappings are multiples of it */
	uint32_t device;
	uint64_t charged; /* bytes counted against the device; 0: another process's */
};

struct backend_info {
	uint64_t total;
	uint64_t free;
	uint64_t largest;
};

/*
 * Failing functions return enum aclkm_error with the text noted. Thread-safe. Each
 * device has a part of the memory of its own, and no region has memory of two.
 */
struct backend {
	const char *name;
	int (*open)(void);
	int (*info)(uint32_t device, struct backend_info *out);
	/*
	 * A region of at least @size bytes on a multiple of @align (a power of
	 * two, from one page), mapped and resident. Zeroed. @alone: in a file that holds
	 * nothing else, where regions have files.
	 */
	int (*region_alloc)(uint32_t device, uint64_t size, uint64_t align,
			    enum aclkm_pages pages, bool alone, struct region *out);
	void (*region_free)(struct region *region);
	/*
	 * A file with the @size bytes from @offset in @region on, which another process
	 * can map, and at @out->offset where in it they are. It has as little else of the
	 * region as the backend can do. @out->fd is the caller's. The region's bytes and
	 * mapping do not change.
	 */
	int (*region_share)(struct region *region, uint64_t offset, uint64_t size,
			    struct file_part *out);
	/*
	 * A dma-buf of a page-aligned part of @region, and a region of one; what the
	 * second gives ends by region_free. ACLKM_ERR_FOREIGN, without a text: the
	 * dma-buf is not of this backend. NULL where there are no dma-bufs.
	 */
	int (*region_export)(struct region *region, uint64_t offset, uint64_t size,
			     bool read_only, int *fd);
	int (*region_import)(int fd, struct region *out);
	int (*backing_alloc)(uint32_t device, uint64_t size, enum aclkm_pages pages,
			     struct backing *out);
	void (*backing_free)(struct backing *backing);
	/* Maps all of it over @addr. ACLKM_ERR_NOMEM, ACLKM_ERR_IO. */
	int (*backing_map)(const struct backing *backing, void *addr, int protection);
	/* As region_share, all of it. */
	int (*backing_share)(struct backing *backing, struct file_part *out);
	/* Memory that another process shared; on success @part->fd is the backing's. */
	int (*backing_adopt)(const struct file_part *part, struct backing *out);
};

extern const struct backend backend_kmod;
extern const struct backend backend_user;

/* The open backend of this process. */
int backend_get(const struct backend **out);

/*
 * Why that backend serves, after backend_get(): one line, for as long as the process
 * lives. Where the driver is there and cannot be used, it ends with what mends that.
 */
const char *backend_reason(void);

/* Why the driver did not open, with the remedy; @there: it is no missing driver. */
const char *backend_kmod_refusal(bool *there);

#endif /* LIB_REGION_H */
