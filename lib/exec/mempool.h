/* SPDX-License-Identifier: MIT */
/*
 * Stream-ordered pools. Memory that is freed in a stream can be taken again in that
 * stream at once, in others when the stream has come to the free. What is free is kept
 * up to a threshold. Thread-safe; failures note their text.
 */
#ifndef LIB_MEMPOOL_H
#define LIB_MEMPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "map/map.h"

struct mempool_stats {
	uint64_t reserved, reserved_high; /* bytes that the pool has of the device */
	uint64_t used, used_high;	  /* bytes that the program has of the pool */
};

/* @max_size 0: no limit. ACLKM_ERR_NOHEAP. */
int mempool_create(uint32_t device, uint64_t max_size, uintptr_t *pool);

/* The memory goes when all that was taken is freed. ACLKM_ERR_HANDLE, as the next. */
int mempool_destroy(uintptr_t pool);

/* ACLKM_ERR_NOMEM, and what stream_check gives. */
int mempool_take(uintptr_t pool, uint64_t size, uintptr_t stream, void **out);

/* ACLKM_ERR_FOREIGN: no pool gave it, or it is freed; what stream_submit gives. */
int mempool_give(void *ptr, uintptr_t stream);

/* Gives free memory back until @keep bytes are reserved, or all that is left is used. */
int mempool_trim(uintptr_t pool, uint64_t keep);

int mempool_threshold(uintptr_t pool, const uint64_t *set, uint64_t *get);
int mempool_stats(uintptr_t pool, struct mempool_stats *out);

/* Lets the highest values begin anew at what is now. */
int mempool_reset_high(uintptr_t pool, int reserved, int used);

/*
 * All that pools keep free of a device's memory goes back, whatever their thresholds.
 * False: they keep nothing.
 */
bool mempool_yield(uint32_t device);

/* block_take; when memory is short, once more after mempool_yield. */
int mempool_block_take(const struct heap_request *request, const struct block_tag *tag,
		       void **out);

#endif /* LIB_MEMPOOL_H */
