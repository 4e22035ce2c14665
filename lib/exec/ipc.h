/* SPDX-License-Identifier: MIT */
/*
 * Sharing by AscendCL's three kinds of names: shareable handles of physical memory,
 * keys of blocks, handles of events. Thread-safe; failures note their text and give
 * what share.h, vmm.h, heap.h and event.h give.
 */
#ifndef LIB_IPC_H
#define LIB_IPC_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/share.h"

int ipc_export_physical(uintptr_t handle, bool anyone, uint64_t *number);

/* ACLKM_ERR_INVALID under ACLKM_STRICT: it is this process's own. */
int ipc_import_physical(uint64_t number, uint32_t device, uintptr_t *handle);

/*
 * @addr must be a multiple of the page size: ACLKM_ERR_INVALID. The offer ends with the
 * block.
 */
int ipc_export_block(void *addr, uint64_t size, bool anyone, uint64_t *number);
int ipc_import_block(uint64_t number, uint32_t device, void **out);

/* Ends the import, or the offer, of this process. ACLKM_ERR_HANDLE: neither. */
int ipc_close_block(uint64_t number);

/* ACLKM_ERR_UNSUPPORTED: not created for sharing. */
int ipc_export_event(uintptr_t event, uint64_t *number);
int ipc_import_event(uint64_t number, uint32_t device, uintptr_t *event);

/* An event whose state other processes can have. */
int ipc_create_event(uint32_t device, uint32_t flags, uintptr_t *event);

#endif /* LIB_IPC_H */
