/* SPDX-License-Identifier: MIT */
/*
 * Regions that a heap divides, and the ordered table of all of them. The heap's
 * lock protects everything here.
 */
#ifndef LIB_CHUNK_H
#define LIB_CHUNK_H

#include <stdbool.h>

#include "backend.h"
#include "extents.h"

struct chunk {
	struct region region;
	struct extents extents;
	struct tree_node by_addr;
	struct heap *heap;
	struct chunk *prev, *next;
	bool shared; /* for many small blocks; else for one */
};

struct heap {
	struct chunk *shared;
	struct chunk *spare; /* an empty shared one that is kept */
	enum aclkm_pages pages;
};

/* Bytes of a shared chunk: less on a small device. */
int chunk_size(enum aclkm_pages pages, uint64_t *out);

int chunk_add(struct heap *heap, uint64_t size, uint64_t align, bool shared,
	      struct chunk **out);
void chunk_remove(struct chunk *chunk);

/* Gives the chunk back when nothing is used in it; keeps one for each heap. */
void chunk_emptied(struct chunk *chunk);
bool chunk_drop_spare(struct heap *heap);

/* As extents_find, over all chunks. */
int chunk_find(uint64_t addr, struct chunk **chunk, struct extent **piece);

#endif /* LIB_CHUNK_H */
