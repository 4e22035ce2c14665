/* SPDX-License-Identifier: MIT */
/*
 * Regions that a heap divides, and the heap's own state. The heap's lock protects
 * everything here. Records of chunks are never unmapped: table.h finds them
 * without a lock.
 */
#ifndef LIB_CHUNK_H
#define LIB_CHUNK_H

#include <pthread.h>
#include <stdbool.h>

#include "backend/backend.h"
#include "alloc/size_class.h"
#include "alloc/extents.h"
#include "alloc/table.h"

enum heap_class { HEAP_DEVICE, HEAP_HOST, HEAP_MEDIA, HEAP_CLASSES };

#define HEAP_PAGE 4096 /* blocks of so many bytes or more start on a multiple of it */

#define HEAP_PAGES 4 /* values of enum aclkm_pages */
#define HEAP_ID(class, pages) ((unsigned int)(class) * HEAP_PAGES + (unsigned int)(pages))

struct between;
struct slab;

struct chunk {
	struct region region;
	struct extents extents;
	struct heap *_Atomic heap;
	struct chunk *prev, *next;
	struct chunk *older; /* record: the table alone hides them from leak checkers */
	uintptr_t entry;     /* what the table says of its memory that is in no slab */
	bool shared;	     /* for many blocks; else for one */
	bool empty;	     /* shared, and counted as such */
	bool kept;	     /* not shared, empty, in the heap's list of those */
	bool exported;	     /* another process may have it mapped: not kept once empty */
};

struct heap {
	pthread_mutex_t lock;
	uint16_t id;
	uint8_t class; /* enum heap_class */
	bool fixed;    /* a pool: its memory is one piece, and no more comes */
	enum aclkm_pages pages;
	uint32_t device;
	uint64_t chunk_bytes; /* of a shared chunk, at most; see heap_was_used */
	uint64_t piece_size;  /* what the last of them was made for */
	unsigned int pieces;  /* like it, that it was made for */
	struct chunk *shared;
	struct extent_sizes
		*sizes; /* free pieces of all of these; NULL before the first */
	uint64_t shared_bytes;
	uint64_t empty_bytes;	       /* of those in which nothing is used */
	struct chunk *kept, *kept_end; /* newest first */

	/*
	 * Bytes that may be kept unless the caller says otherwise: a part of the device
	 * as it was when this heap last took a region for one block. An arena that grows
	 * or shrinks is noticed with the next one.
	 */
	uint64_t keep_most;

	struct slab *slabs[SLAB_GROUPS][CLASSES]; /* those with free blocks */
	uint16_t empty[SLAB_GROUPS][CLASSES];	  /* how many of these are empty */
	uint64_t slab_bytes;			  /* of all slabs */
	uint64_t slab_count;
	uint64_t slab_out;	     /* of blocks in use or kept by threads */
	uint64_t slab_blocks;	     /* how many these are */
	struct between *between;     /* blocks from one thread to another */
	_Atomic uint64_t generation; /* grows when a pool's number is used again */
};

/*
 * Whether the heap can have blocks. Without a lock: the first who wants a block writes
 * chunk_bytes, under the lock, and a pool's is written when it is made. Who has the lock,
 * or wanted a block before, reads the field as it is.
 */
static inline bool heap_was_used(const struct heap *heap)
{
	return __atomic_load_n(&heap->chunk_bytes, __ATOMIC_RELAXED);
}

/*
 * Chunks are aligned so that what is aligned in the mapping is so in physical
 * memory, too.
 */
static inline uint64_t heap_chunk_align(uint64_t chunk_bytes)
{
	return chunk_bytes < SIZE_2M ? chunk_bytes : SIZE_2M;
}

static inline uintptr_t chunk_entry(const struct chunk *chunk)
{
	return (uintptr_t)chunk | TABLE_CHUNK;
}

/* The one whose region it is: itself, or what is around a pool's. */
static inline struct chunk *chunk_whole(const struct chunk *chunk)
{
	return (struct chunk *)(chunk->entry & ~TABLE_CHUNK);
}

/* A record that is no region of its own: a pool's memory. NULL: no memory. */
struct chunk *chunk_record_get(void);
void chunk_record_put(struct chunk *chunk);

/* Bytes of a shared chunk, at most: less on a small device. */
int chunk_size(const struct heap *heap, uint64_t *out);

/* @alone: for one block in a file of its own. */
int chunk_add(struct heap *heap, uint64_t size, uint64_t align, bool shared, bool alone,
	      struct chunk **out);
void chunk_remove(struct chunk *chunk);

/*
 * The best piece of all shared chunks; from a new one where none has it.
 * ACLKM_ERR_NOMEM, ACLKM_ERR_NOHEAP and what the backend says.
 */
int chunk_piece(struct heap *heap, uint64_t size, uint64_t align, struct chunk **out,
		struct extent **piece);

/* Gives the chunk back when nothing is used in it; keeps some. */
void chunk_emptied(struct chunk *chunk);

/* A kept one that can hold @size on @align without much waste, or NULL. */
struct chunk *chunk_reuse(struct heap *heap, uint64_t size, uint64_t align);

/* Gives back what is kept. */
void chunk_drop_spares(struct heap *heap);

/*
 * Bytes of regions that may be kept in all, and are. A thread that frees one meanwhile
 * may still go by what was set before.
 */
void chunk_set_keep(uint64_t bytes);
uint64_t chunk_kept(void);

#endif /* LIB_CHUNK_H */
