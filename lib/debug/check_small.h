/* SPDX-License-Identifier: MIT */
/*
 * What the checks know of small blocks: a mark for each (mark.h), with the places
 * that took and freed it. Freed ones that are held back are in a ring
 * of the thread that freed them. No lock on the way of a right program; all but the
 * fast way is called with check.c's lock held.
 */
#ifndef LIB_CHECK_SMALL_H
#define LIB_CHECK_SMALL_H

#include <stdbool.h>
#include <stdint.h>

#include "debug/check_report.h"

/*
 * Notes that the block at @base of the heap is taken here, if it is one of a slab;
 * false: it is not. @shift: where in it the program's part starts.
 */
bool small_take(uint64_t base, uint64_t asked, uint64_t ruled, uint64_t shift);

/* The small block around @addr, if the checks know it. */
bool small_find(uint64_t addr, struct checked *out);

/* Frees the living one that starts at @addr, which small_find gave. */
void small_give(const struct checked *block);

/* Gives back what this thread holds. True: there was something. */
bool small_let_go(void);

/* At the end of the process: looks at what all threads hold; calls @fn for what lives. */
void small_end(void (*fn)(const struct checked *block));

/* Poison and red zone, of any block. The written byte that is found, or NULL. */
void check_fill_taken(const struct checked *block);
void check_fill_freed(const struct checked *block);
const uint8_t *check_written(const struct checked *block);
const uint8_t *check_written_behind(const struct checked *block);

/* Blocks of so many bytes and more start on a page: programs export them. */
#define CHECK_PAGE 4096

/* Bytes of the heap's block that are before the program's; not for media memory. */
uint64_t check_shift(uint64_t asked);

/* Around the long way: where the call is, so that it need not be found out. */
void check_enter(const char *call, const void *pc, const void *frame);
void check_leave(void);

/* From now on this thread may, as tcache_arm has it. */
void check_arm(uint64_t epoch, uint32_t device);

/*
 * Around an asynchronous copy that is under way, and the life of a block with a tag: the
 * frees of all threads go the long way meanwhile. Not where nothing is checked.
 */
void check_odd_begin(void);
void check_odd_end(void);

#endif /* LIB_CHECK_SMALL_H */
