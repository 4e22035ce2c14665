/* SPDX-License-Identifier: MIT */
/*
 * Counted objects behind handles. A handle is a number that is never given twice,
 * so that one that was destroyed is told from one that lives; it looks like an
 * aligned address, for programs that test its low bits. Thread-safe.
 */
#ifndef LIB_OBJECT_H
#define LIB_OBJECT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum object_type {
	OBJECT_STREAM = 1,
	OBJECT_CONTEXT,
	OBJECT_EVENT,
	OBJECT_PHYSICAL,
	OBJECT_POOL,
	OBJECT_ALLOCATOR,
	OBJECT_NOTIFY,
	OBJECT_COUNTER,
	OBJECT_BINARY,
	OBJECT_FUNCTION,
	OBJECT_IMAGE,
	OBJECT_GRAPH,
};

struct object {
	_Atomic uint32_t users;
	uintptr_t handle;
	void (*release)(struct object *object); /* when nobody uses it any more */
};

struct object_slot {
	struct object *object;
	uint64_t generation;
	uint32_t next_free;
};

struct object_table {
	pthread_mutex_t lock;
	const enum object_type type;
	struct object_slot *slots;
	uint32_t size;
	uint32_t first_free; /* 1 + index; 0: none */
	uint32_t alive;
};

#define OBJECT_TABLE(object_type)                                                        \
	{                                                                                \
		.lock = PTHREAD_MUTEX_INITIALIZER, .type = (object_type)                 \
	}

#define object_entry(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* A small number that no other live object of the table has. */
static inline uint32_t object_number(uintptr_t handle)
{
	return (uint32_t)(handle >> 4 & 0xffffff);
}

/*
 * Gives @object a handle; the table has one reference of it. @max 0: no limit.
 * ACLKM_ERR_LIMIT, ACLKM_ERR_NOHEAP; no text noted.
 */
int object_add(struct object_table *table, struct object *object, uint32_t max,
	       void (*release)(struct object *object));

/* The live object behind @handle with one more reference, or NULL. */
struct object *object_get(struct object_table *table, uintptr_t handle);

/* Ends the handle; the table's reference goes to the caller. NULL: not alive. */
struct object *object_remove(struct object_table *table, uintptr_t handle);

/* The first live object from slot *@at on, with a reference; *@at goes behind it. */
struct object *object_next(struct object_table *table, uint32_t *at);

void object_put(struct object *object);

#endif /* LIB_OBJECT_H */
