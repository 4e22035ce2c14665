/* SPDX-License-Identifier: MIT */
/*
 * The size classes of small blocks. A class is a distance from one block to the
 * next: every multiple of 64 up to 8 KiB, so that the size rule wastes nothing
 * there, then 32 steps for each doubling (at most 3 % above what was asked, half
 * of that on average). A multiple of a larger alignment is a class of its own or
 * rounds up to one that is a multiple of it, too.
 *
 * Pure: no state but the tables, which classes_init fills.
 */
#ifndef LIB_SIZE_CLASS_H
#define LIB_SIZE_CLASS_H

#include <stdint.h>

#define CLASS_UNIT_SHIFT 6
#define CLASS_UNIT (1U << CLASS_UNIT_SHIFT)
#define SMALL_MAX (32U << 10) /* bytes of the largest class */
#define EXACT_MAX 8192	      /* up to this every multiple of the unit is a class */
#define SMALL_UNITS (SMALL_MAX >> CLASS_UNIT_SHIFT)
#define SMALL_ALIGN 4096 /* classes obey alignments up to this */

#define CLASSES 192
#define SLAB_SLOTS 1024 /* blocks of a slab, at most */

/*
 * Threads are in groups, and so are slabs: what two threads take from one slab has words
 * in the same lines, and each write of one makes the other wait.
 */
#define SLAB_GROUPS 8

/* Blocks that a thread keeps of one class, at most. */
#define CACHE_MAX 64

struct class_info {
	uint32_t size;	/* bytes from one block to the next */
	uint32_t span;	/* bytes of a slab of them, where memory is not short */
	uint16_t keep;	/* blocks that a thread keeps */
	uint16_t batch; /* blocks that go to a thread, or back, at a time */
};

/* The class that holds blocks of so many units of 64 bytes, from 1 to SMALL_UNITS. */
extern uint8_t class_of_units[SMALL_UNITS + 1];
extern struct class_info classes[CLASSES];

/* Idempotent; before any other use. */
void classes_init(void);

#endif /* LIB_SIZE_CLASS_H */
