/* SPDX-License-Identifier: MIT */
/*
 * The heaps that there are, one for each device, class of memory and kind of page, and
 * what they and the threads keep for later.
 */
#ifndef LIB_HEAPS_H
#define LIB_HEAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "alloc/heap.h"

/* @id: HEAP_ID. */
struct heap *heap_of(uint32_t device, unsigned int id);

/* The heap of a number, a pool's as well; NULL: none has it. */
struct heap *heap_of_id(unsigned int id);

/*
 * Gives what the heaps of the device keep to the backend, and what all threads but this
 * one do if @of_others. True: these had something.
 */
bool heap_drop_kept(uint32_t device, bool of_others);

#endif /* LIB_HEAPS_H */
