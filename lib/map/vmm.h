/* SPDX-License-Identifier: MIT */
/*
 * Virtual memory management: address ranges and physical memory apart, mapped onto
 * each other. Thread-safe; failures note their text.
 *
 * A physical handle has claims: one from its creation, one from each retain. It is
 * dead when all are given back, its memory when no mapping needs it either.
 */
#ifndef LIB_VMM_H
#define LIB_VMM_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/backend.h"

enum vmm_access { VMM_NONE = 0, VMM_READ = 1, VMM_READ_WRITE = 3 };

/* What a physical handle stands for; the caller's own words in @attr. */
struct vmm_property {
	bool host;
	uint32_t device; /* or the NUMA node */
	uint32_t attr;
	enum aclkm_pages pages;
};

/* What an address belongs to. */
struct vmm_place {
	uint64_t base; /* of the mapping */
	uint64_t size;
	uint64_t page_size;
	struct vmm_property property;
	enum vmm_access access;
	uintptr_t handle;
};

/* Bytes that sizes, offsets and addresses of this kind are multiples of. */
uint64_t vmm_granularity(const struct vmm_property *property, bool recommended);

/* The window of automatic ranges, where callers may wish for an address as well. */
#define VMM_WINDOW_START (16ULL << 40)
#define VMM_WINDOW_END (24ULL << 40)

/*
 * @wanted: that address or none; 0: one in the window, or anywhere when there is none.
 * ACLKM_ERR_NOMEM, ACLKM_ERR_NOHEAP.
 */
int vmm_reserve(uint64_t size, uint64_t wanted, uint64_t *base);

/* Whether vmm_reserve gave all of it before, in one of the last ranges outside the
 * window. */
bool vmm_gave(uint64_t base, uint64_t size);

/* ACLKM_ERR_FOREIGN: not the start of a range; ACLKM_ERR_BUSY: something is mapped. */
int vmm_release(uint64_t base);

/* The range around @addr. ACLKM_ERR_FOREIGN. */
int vmm_range(uint64_t addr, uint64_t *base, uint64_t *size);

/* Host memory is taken from the part of @device; other memory, of its own device. */
int vmm_create(uint64_t size, const struct vmm_property *property, uint32_t device,
	       uintptr_t *handle);

/* Memory that another process shared; on success @part->fd is the handle's. */
int vmm_adopt(const struct file_part *part, const struct vmm_property *property,
	      uintptr_t *handle);

/* All of these: ACLKM_ERR_HANDLE for a handle that is not alive. */
int vmm_free(uintptr_t handle);
int vmm_property(uintptr_t handle, struct vmm_property *out, uint64_t *size);

/* The memory for another process; @out->fd is the caller's. ACLKM_ERR_EXISTS: offered. */
int vmm_file(uintptr_t handle, struct file_part *out);

/*
 * The number under which share.h offers the memory: as long as the memory lives here.
 * ACLKM_ERR_EXISTS: another thread was faster.
 */
int vmm_offered(uintptr_t handle, uint64_t number);

/*
 * ACLKM_ERR_INVALID: not in one range, size not the handle's, alignment, a device that
 * the range does not have, or with ACLKM_STRICT an origin; ACLKM_ERR_EXISTS: something
 * is there.
 */
int vmm_map(uint64_t addr, uint64_t size, uintptr_t handle, enum vmm_access access);

/* ACLKM_ERR_FOREIGN: not the start of a mapping. */
int vmm_unmap(uint64_t addr);

/* Of whole mappings, from the first byte of one to the last of one. INVALID. */
int vmm_set_access(uint64_t addr, uint64_t size, enum vmm_access access);

/* One more claim on the memory mapped at @addr. ACLKM_ERR_FOREIGN. */
int vmm_retain(uint64_t addr, uintptr_t *handle);

/* The mapping around @addr. False: none. No lock while nothing is mapped at all. */
bool vmm_find(const void *addr, struct vmm_place *out);

#endif /* LIB_VMM_H */
