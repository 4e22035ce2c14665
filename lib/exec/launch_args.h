/* SPDX-License-Identifier: MIT */
/*
 * The list of a kernel's arguments, which a program builds before it launches: parameters
 * first, then the data of its placeholders. Each thread has one list that the library
 * holds; others lie in the program's memory. A list belongs to one thread at a time.
 * Failures note their text and change nothing.
 */
#ifndef LIB_LAUNCH_ARGS_H
#define LIB_LAUNCH_ARGS_H

#include "launch.h"

#define LAUNCH_ARGS_SIZE (64UL << 10) /* of the library's own lists */

struct launch_list;

/* Bytes of a list in the program's memory, without its arguments. */
extern const size_t launch_list_size;

/* This thread's list, emptied. ACLKM_ERR_NOHEAP. */
int launch_list_own(uintptr_t function, struct launch_list **out);
/* A list at @at, its arguments at @memory. ACLKM_ERR_INVALID. */
int launch_list_init(void *at, uintptr_t function, void *memory, size_t size);

/* Whether @handle is a list; it is only read where it can be. ACLKM_ERR_HANDLE. */
int launch_list_find(const void *handle, struct launch_list **out);

/*
 * ACLKM_ERR_INVALID: too many, too long, or not a parameter of that kind or size;
 * ACLKM_ERR_UNSUPPORTED: too late, as the list is finished or has data already.
 */
int launch_list_add(struct launch_list *list, const void *value, size_t size,
		    void **param);
int launch_list_add_place(struct launch_list *list, void **param);
int launch_list_buffer(struct launch_list *list, void *param, size_t size, void **buffer);
int launch_list_update(struct launch_list *list, void *param, const void *value,
		       size_t size);
int launch_list_finish(struct launch_list *list);

/* A launch with a copy of the list. ACLKM_ERR_INVALID: another kernel's, not finished. */
int launch_list_copy(const struct launch_list *list, uintptr_t function,
		     const struct aclkm_kernel *kernel, const struct launch_shape *shape,
		     struct launch **out);

#endif /* LIB_LAUNCH_ARGS_H */
