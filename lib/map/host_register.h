/* SPDX-License-Identifier: MIT */
/* Host memory that the program registers: checked, pinned if asked. Thread-safe. */
#ifndef LIB_HOST_REGISTER_H
#define LIB_HOST_REGISTER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Host memory of the program, or a block of aclrtMallocHost: checked to be mapped, pinned
 * if asked. Where the process may lock no more the range is registered all the same, and
 * a line on standard error says so once. ACLKM_ERR_INVALID: not mapped, device memory, or
 * a block that is to be pinned; ACLKM_ERR_EXISTS; ACLKM_ERR_NOHEAP.
 */
int host_register(uint64_t base, uint64_t size, uint32_t flags, bool pin);

/* Unlocks what host_register locked, and no more. ACLKM_ERR_FOREIGN. */
int host_unregister(uint64_t base);

#endif /* LIB_HOST_REGISTER_H */
