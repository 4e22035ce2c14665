/* SPDX-License-Identifier: MIT */
/*
 * Blocks as the AscendCL calls take and give them: those of the heap, and what is to
 * be known of them beyond it. Where nothing is, they go straight to the heap.
 * Thread-safe; failures note their text.
 */
#ifndef LIB_BLOCK_H
#define LIB_BLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "alloc/alloc.h"

#define BLOCK_MODULE_APP 33 /* whose blocks have no module id of their own */

struct block_tag {
	uint32_t device; /* whose memory it is */
	uint16_t module;
	bool managed;
	bool read_only; /* in user space */
};

/* What one module has. */
struct block_usage {
	uint16_t module;
	uint64_t current;
	uint64_t peak;
};

/* As heap_alloc, from the memory of the tag's device. */
int block_take(const struct heap_request *request, const struct block_tag *tag,
	       void **out);

/* As heap_free. */
int block_give(void *ptr, enum aclkm_kind kind);

/*
 * From now on @fn is called before the block that starts at @ptr is freed, by whatever
 * thread and way; @fn finds out whether the block concerns it. Three callers at most.
 */
void block_watch(void *ptr, void (*fn)(uint64_t base));

/*
 * Whether a block of aclrtMalloc is a plain one here: then it may come from where the
 * thread keeps it, past this layer.
 */
bool block_all_plain(void);

/* The same but for the checks, which are on. */
bool block_all_checked(void);

extern _Atomic uint32_t block_tag_count;

/*
 * Whether there are blocks with tags. Those that have one are not given past this layer:
 * the heap knows them as watched.
 */
static inline bool block_any_tagged(void)
{
	return atomic_load_explicit(&block_tag_count, memory_order_relaxed);
}

/*
 * Whether checks, AddressSanitizer or Valgrind must see every block: no way around
 * block_take and block_give then. Never changes in a process.
 */
bool block_is_watched(void);

/* The tag of the block that starts at @base; the plain one if it has none. */
void block_tag(uint64_t base, struct block_tag *out);

/*
 * Modules of @device with memory, the largest first; up to @room are written, and how
 * many there are is returned. Module APP has all that has no tag.
 */
uint32_t block_usages(uint32_t device, struct block_usage *out, uint32_t room);

#endif /* LIB_BLOCK_H */
