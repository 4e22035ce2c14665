/* SPDX-License-Identifier: MIT */
/*
 * Ranges of the process that are known though no heap gave them: memory of the
 * program that it registered, and memory imported from other processes.
 * Thread-safe; failures note their text.
 */
#ifndef LIB_REGISTERED_H
#define LIB_REGISTERED_H

#include <stdbool.h>
#include <stdint.h>

struct registered {
	uint64_t base;
	uint64_t size;
	uint64_t page_size;
	uint32_t device;
	uint32_t flags; /* the caller's own */
	bool host;
};

/* ACLKM_ERR_EXISTS: one overlaps; ACLKM_ERR_NOHEAP. */
int registered_add(const struct registered *range);

/* The one that starts at @base. False: there is none. */
bool registered_remove(uint64_t base, struct registered *out);

/* The one around @addr. No lock while there is none at all. */
bool registered_find(const void *addr, struct registered *out);

/*
 * Host memory of the program, or a block of aclrtMallocHost: checked to be mapped, pinned
 * if asked. Where the process may lock no more the range is registered all the same, and
 * a line on standard error says so once. ACLKM_ERR_INVALID: not mapped, device memory, or
 * a block that is to be pinned; ACLKM_ERR_EXISTS; ACLKM_ERR_NOHEAP.
 */
int registered_host(uint64_t base, uint64_t size, uint32_t flags, bool pin);

/* Unlocks what registered_host locked, and no more. ACLKM_ERR_FOREIGN. */
int registered_host_end(uint64_t base);

#endif /* LIB_REGISTERED_H */
