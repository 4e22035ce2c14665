/* SPDX-License-Identifier: MIT */
#ifndef LIB_POOL_H
#define LIB_POOL_H

#include "aclkm/pool.h"
#include "heap.h"

/* Makes @block, the whole of @pool, the segment around @addr. NOTALIVE. */
int pool_narrow(struct aclkm_pool *pool, uint64_t addr, struct heap_block *block);

/* The heap of a pool whose segments threads keep; NULL: there is none. */
struct heap *pool_heap_of_id(unsigned int id);

#endif /* LIB_POOL_H */
