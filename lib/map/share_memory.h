/* SPDX-License-Identifier: MIT */
/*
 * Memory of this process that others import, by shareable handles of physical memory
 * and by keys of blocks. Thread-safe; failures note their text and give what share.h,
 * vmm.h and heap.h give.
 */
#ifndef LIB_SHARE_MEMORY_H
#define LIB_SHARE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/ipc.h"

int share_physical_export(uintptr_t handle, bool anyone, uint64_t *number);

/* ACLKM_ERR_INVALID under ACLKM_STRICT: it is this process's own. */
int share_physical_import(uint64_t number, uint32_t device, uintptr_t *handle);

/*
 * @addr must be a multiple of the page size: ACLKM_ERR_INVALID. The offer ends with the
 * block.
 */
int share_block_export(void *addr, uint64_t size, bool anyone, uint64_t *number);
int share_block_import(uint64_t number, uint32_t device, void **out);

/* Ends the import, or the offer, of this process. ACLKM_ERR_HANDLE: neither. */
int share_block_close(uint64_t number);

#endif /* LIB_SHARE_MEMORY_H */
