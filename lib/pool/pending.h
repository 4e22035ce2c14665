/* SPDX-License-Identifier: MIT */
/*
 * Segments that were freed in the order of a stream which has not come there yet. Until
 * it has, they are used by the pool's account and dead to the program, and only the
 * same stream can have them again. Knows streams by number only. Thread-safe; one lock
 * for all pools, which is taken before a pool's.
 */
#ifndef LIB_PENDING_H
#define LIB_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aclkm_pool;
struct pending;

void pending_lock(void);
void pending_unlock(void);

/*
 * The living segment at @ptr waits for @stream from now on. Exactly one of
 * pending_reach and pending_undo follows. FOREIGN, INTERIOR, NOTALIVE, KIND, NOHEAP;
 * no text.
 */
int pending_add(struct aclkm_pool *pool, const void *ptr, uintptr_t stream,
		struct pending **out);

/* The stream is there: what is left of the segment is free. Ends @pending. */
void pending_reach(struct pending *pending);

/* The stream would not have it: the segment lives again. Ends @pending. */
void pending_undo(struct pending *pending);

/*
 * A segment for @len bytes that takes @stride, of what waits for @stream. False: there
 * is none.
 */
bool pending_take(struct aclkm_pool *pool, size_t len, uint64_t stride, uintptr_t stream,
		  void **out);

/* All segments of the pool go at once; the second with both locks held. */
void pending_forget(struct aclkm_pool *pool);
void pending_forget_locked(struct aclkm_pool *pool);

#endif /* LIB_PENDING_H */
