/* SPDX-License-Identifier: MIT */
/*
 * Blocks that the program can only read: mapped twice, once without the right to
 * write, which is the address that it gets, and once for the library's own copies.
 * Thread-safe; failures note their text.
 */
#ifndef LIB_READONLY_H
#define LIB_READONLY_H

#include <stdbool.h>
#include <stdint.h>

#include "alloc/alloc.h"

int readonly_take(const struct heap_request *request, void **out);

/* False: @ptr is not the start of such a block. */
bool readonly_give(void *ptr, uint64_t *size);

/* The block around @addr, as heap_find would tell it. No lock while there is none. */
bool readonly_find(const void *addr, struct heap_block *out);

/* Where the bytes at @dst can be written: @dst itself for all other memory. */
void *readonly_target(void *dst);

#endif /* LIB_READONLY_H */
