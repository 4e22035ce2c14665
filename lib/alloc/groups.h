/* SPDX-License-Identifier: MIT */
/*
 * Groups of threads, each with slabs of its own (see SLAB_GROUPS), and which slab a
 * thread takes from.
 */
#ifndef LIB_GROUPS_H
#define LIB_GROUPS_H

#include <stdint.h>

struct heap;
struct slab;

/*
 * The group with the fewest threads has one more; the group has one less. The caller has
 * the lock of all caches.
 */
uint8_t group_join(void);
void group_leave(uint8_t group);

/*
 * A slab of the group with free blocks. The heap's lock is held. ACLKM_ERR_NOMEM,
 * ACLKM_ERR_NOHEAP.
 */
int group_slab(struct heap *heap, unsigned int group, unsigned int class,
	       struct slab **out);

#endif /* LIB_GROUPS_H */
