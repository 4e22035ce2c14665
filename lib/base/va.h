/* SPDX-License-Identifier: MIT */
/* Aligned address space for regions, with an inaccessible page behind each. */
#ifndef LIB_VA_H
#define LIB_VA_H

#include <stdint.h>

uint64_t va_page_size(void);

/*
 * Inaccessible address space of @size bytes (a multiple of the page size) on a
 * multiple of @align, to be mapped over with MAP_FIXED; NULL when there is none.
 */
void *va_reserve(uint64_t size, uint64_t align);

/* Unmaps it, with whatever was mapped over it. */
void va_release(void *addr, uint64_t size);

/*
 * Unmaps what is mapped there, at vm.max_map_count as well: when even the spare mapping
 * is of no help, the addresses are lost and the memory is not.
 */
void va_unmap(void *addr, uint64_t size);

/* Prepares for va_unmap and va_hide at vm.max_map_count. */
void va_need_spare(void);

/*
 * Makes mapped address space inaccessible again, at vm.max_map_count as well. Returns
 * @addr, or MAP_FAILED with errno and nothing changed.
 */
void *va_hide(void *addr, uint64_t size);

#endif /* LIB_VA_H */
