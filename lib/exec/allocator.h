/* SPDX-License-Identifier: MIT */
/*
 * Allocators of the program: descriptions by handle, and which stream has which.
 * Thread-safe; failures note their text.
 */
#ifndef LIB_ALLOCATOR_H
#define LIB_ALLOCATOR_H

#include <stdint.h>

typedef void (*allocator_function)(void);

enum allocator_part {
	ALLOCATOR_TAKE,
	ALLOCATOR_GIVE,
	ALLOCATOR_ADVISE, /* may be missing */
	ALLOCATOR_ADDRESS,
	ALLOCATOR_PARTS
};

struct allocator {
	void *object;
	allocator_function parts[ALLOCATOR_PARTS];
};

int allocator_create(uintptr_t *handle);

/* All of these: ACLKM_ERR_HANDLE for a description that is not alive. */
int allocator_destroy(uintptr_t handle);
int allocator_set_object(uintptr_t handle, void *object);
int allocator_set_part(uintptr_t handle, enum allocator_part part, allocator_function fn);

/* ACLKM_ERR_INVALID: a part is missing; what stream_check gives as ACLKM_ERR_CONTEXT. */
int allocator_register(uintptr_t handle, uintptr_t stream);

/* ACLKM_ERR_FOREIGN: the stream has none. */
int allocator_get(uintptr_t stream, struct allocator *out, uintptr_t *handle);
int allocator_unregister(uintptr_t stream);

/* The stream is gone. */
void allocator_stream_ends(uintptr_t stream);

#endif /* LIB_ALLOCATOR_H */
