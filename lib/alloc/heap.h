/* SPDX-License-Identifier: MIT */
/*
 * Blocks of memory. Small ones come from slabs, by way of a stack that each thread
 * has of its own; larger ones share regions (chunks); very large ones have a
 * region of their own. One heap for each device, class of memory and kind of page, so
 * that an address tells what it was taken for, and no region has memory of two
 * devices. Thread-safe; failures note their text.
 */
#ifndef LIB_HEAP_H
#define LIB_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "aclkm/memory.h"
#include "alloc/chunk.h"

struct heap_request {
	uint32_t device;
	enum heap_class class;
	enum aclkm_pages pages;
	enum aclkm_kind kind;
	uint64_t asked; /* what the caller said */
	uint64_t ruled; /* what the rule makes of it */
	uint64_t align;
	void *owner;	/* the pool, for ACLKM_KIND_POOL */
	uint32_t shift; /* bytes before the caller's part, in both sizes */
	bool alone;	/* in a region that nothing else ever was in */
	bool watched;	/* not to be freed past the layer above */
};

/* What heap_find tells of the block around an address. */
struct heap_block {
	uint32_t device;
	enum heap_class class;
	enum aclkm_kind kind;
	uint64_t base;
	uint64_t asked;
	uint64_t ruled;
	uint64_t page_size;
	uint64_t phys; /* of @base */
	bool phys_valid;
	bool contiguous;
	void *owner;
};

int heap_alloc(const struct heap_request *request, void **out);

/*
 * Frees the block that starts at @ptr, if it is of @kind. FOREIGN, INTERIOR,
 * NOTALIVE, KIND.
 */
int heap_free(void *ptr, enum aclkm_kind kind);

/*
 * Looks up the block around @ptr and calls @fn, if any. A pool, and a block that is
 * no small one, cannot be freed meanwhile. Without a lock where the block is a
 * small one. FOREIGN, NOTALIVE (no text noted), else what @fn gives.
 */
int heap_find(const void *ptr, struct heap_block *out,
	      int (*fn)(struct heap_block *block, void *arg), void *arg);

/*
 * A file with the @size bytes from @ptr on, which are of one block, and where in it
 * they are. FOREIGN, NOTALIVE, and what region_share gives; the text is noted.
 */
struct file_part;
int heap_share(const void *ptr, uint64_t size, struct file_part *out);

/* The block around @ptr is not freed past the layer above any more. */
void heap_watch(const void *ptr);

/*
 * A dma-buf of @size bytes from @ptr on, in the block around it; both are multiples of
 * the page size. As heap_share, and ACLKM_ERR_UNSUPPORTED.
 */
int heap_export(const void *ptr, uint64_t size, bool read_only, int *fd);

/*
 * Gives what the heaps of the device keep to the backend, and what all threads but this
 * one do if @of_others. True: these had something.
 */
bool heap_drop_kept(uint32_t device, bool of_others);

/* Gives back what threads and heaps keep, but @keep bytes of regions. */
void heap_trim(uint64_t keep);

int heap_totals(uint32_t device, struct aclkm_memory_totals *out);

const char *kind_name(enum aclkm_kind kind);

#endif /* LIB_HEAP_H */
