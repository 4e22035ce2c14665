/* SPDX-License-Identifier: MIT */
/*
 * Tells AddressSanitizer and Valgrind, when one of them is there, which bytes are
 * allocated. Nothing else is needed to use them: the program is built or run with
 * them, this library is not. With ACLKM_GUARD=0 they are told nothing, and blocks take
 * the ways that they take without them.
 */
#ifndef LIB_GUARD_H
#define LIB_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* Whether one of them watches, and is told. Never changes in a process. */
bool guard_is_watched(void);

/* All of these do nothing where none watches. */

/* The program may use @asked bytes at @ptr, and not those up to @size. */
void guard_alloc(void *ptr, size_t asked, size_t size);

/* It may use none of them any more. */
void guard_free(void *ptr, size_t size);

/* They are nobody's: the addresses may become something else. */
void guard_forget(void *ptr, size_t size);

/* The program is not to use them, until it is said that it may. */
void guard_hide(void *ptr, size_t size);

/* A pool, named @pool, divides @size bytes at @base; what it has not given is hidden. */
void guard_pool_make(const void *pool, void *base, size_t size);
void guard_pool_drop(const void *pool, void *base, size_t size);
void guard_pool_alloc(const void *pool, void *ptr, size_t asked);
void guard_pool_free(const void *pool, void *ptr, size_t size);

#endif /* LIB_GUARD_H */
