/* SPDX-License-Identifier: MIT */
/*
 * What a program has said of its managed memory: for each unit of 2 MiB of a block how
 * it is used and where it is wanted. Thread-safe; failures note their text.
 */
#ifndef LIB_MANAGED_H
#define LIB_MANAGED_H

#include <stdbool.h>
#include <stdint.h>

#define MANAGED_UNIT (2ULL << 20)
#define MANAGED_NODES 64

enum managed_type { MANAGED_NOWHERE, MANAGED_DEVICE, MANAGED_HOST, MANAGED_NODE };

struct managed_place {
	enum managed_type type;
	int32_t id; /* of a device or node */
};

/* What is the same for all units of a range. */
struct managed_state {
	bool read_mostly;
	bool by_host;	     /* accessed by these */
	uint64_t by_devices; /* bits */
	uint64_t by_nodes;
	struct managed_place preferred;
	struct managed_place prefetched; /* the last one that was asked for */
};

/* ACLKM_ERR_FOREIGN: not all in one block of managed memory. */
int managed_check(const void *ptr, uint64_t size);

/*
 * Calls @change for each unit that [ptr, ptr + size) touches. ACLKM_ERR_FOREIGN,
 * ACLKM_ERR_NOHEAP.
 */
int managed_change(const void *ptr, uint64_t size,
		   void (*change)(struct managed_state *state, const void *arg),
		   const void *arg);

/* ACLKM_ERR_FOREIGN. */
int managed_get(const void *ptr, uint64_t size, struct managed_state *out);

/* Moves the pages to a node, as far as the kernel does that; a hint. */
void managed_move(const void *ptr, uint64_t size, struct managed_place place);

/* The node that this thread runs on. */
int32_t managed_current_node(void);

#endif /* LIB_MANAGED_H */
