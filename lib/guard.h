/* SPDX-License-Identifier: MIT */
/*
 * Tells AddressSanitizer and Valgrind, when one of them is there, which bytes are
 * allocated. Nothing else is needed to use them: the program is built or run with
 * them, this library is not.
 */
#ifndef LIB_GUARD_H
#define LIB_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* Whether one of them watches. */
bool guard_is_watched(void);

/* The program may use @asked bytes at @ptr, and not those up to @size. */
void guard_alloc(void *ptr, size_t asked, size_t size);

/* It may use none of them any more. */
void guard_free(void *ptr, size_t size);

/* They are nobody's: the addresses may become something else. */
void guard_forget(void *ptr, size_t size);

#endif /* LIB_GUARD_H */
