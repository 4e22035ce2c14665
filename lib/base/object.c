// SPDX-License-Identifier: MIT
#include "base/object.h"

#include <stdlib.h>

#include "aclkm/error.h"

/* Bits of a handle: type, generation, slot + 1, four zeros. */
#define SLOT_SHIFT 4
#define GENERATION_SHIFT 28
#define TYPE_SHIFT 56
#define SLOT_MASK ((1ULL << (GENERATION_SHIFT - SLOT_SHIFT)) - 1)
#define GENERATION_MASK ((1ULL << (TYPE_SHIFT - GENERATION_SHIFT)) - 1)

#define FIRST_SIZE 64

static int grow(struct object_table *table)
{
	uint32_t i, size = table->size ? table->size * 2 : FIRST_SIZE;
	struct object_slot *slots;

	if (size > SLOT_MASK)
		return ACLKM_ERR_LIMIT;
	slots = realloc(table->slots, size * sizeof(*slots));
	if (!slots)
		return ACLKM_ERR_NOHEAP;
	for (i = size; i > table->size; i--) {
		slots[i - 1] = (struct object_slot){.next_free = table->first_free};
		table->first_free = i;
	}
	table->slots = slots;
	table->size = size;
	return ACLKM_OK;
}

static int handle_add_locked(struct object_table *table, struct object *object,
			     uint32_t max)
{
	struct object_slot *slot;
	uint32_t number;
	int err;

	if (max && table->alive >= max)
		return ACLKM_ERR_LIMIT;
	if (!table->first_free) {
		err = grow(table);
		if (err)
			return err;
	}
	number = table->first_free;
	slot = &table->slots[number - 1];
	table->first_free = slot->next_free;
	slot->generation = (slot->generation + 1) & GENERATION_MASK;
	slot->object = object;
	object->handle = (uintptr_t)table->type << TYPE_SHIFT |
			 (uintptr_t)slot->generation << GENERATION_SHIFT |
			 (uintptr_t)number << SLOT_SHIFT;
	table->alive++;
	return ACLKM_OK;
}

int object_add(struct object_table *table, struct object *object, uint32_t max,
	       void (*release)(struct object *object))
{
	int err;

	object->users = 1;
	object->release = release;
	pthread_mutex_lock(&table->lock);
	err = handle_add_locked(table, object, max);
	pthread_mutex_unlock(&table->lock);
	return err;
}

static struct object_slot *handle_find_locked(struct object_table *table,
					      uintptr_t handle)
{
	uint64_t number = handle >> SLOT_SHIFT & SLOT_MASK;
	struct object_slot *slot;

	if (!number || number > table->size)
		return NULL;
	slot = &table->slots[number - 1];
	return slot->object && slot->object->handle == handle ? slot : NULL;
}

struct object *object_get(struct object_table *table, uintptr_t handle)
{
	struct object *object = NULL;
	struct object_slot *slot;

	pthread_mutex_lock(&table->lock);
	slot = handle_find_locked(table, handle);
	if (slot) {
		object = slot->object;
		atomic_fetch_add_explicit(&object->users, 1, memory_order_relaxed);
	}
	pthread_mutex_unlock(&table->lock);
	return object;
}

struct object *object_remove(struct object_table *table, uintptr_t handle)
{
	struct object *object = NULL;
	struct object_slot *slot;

	pthread_mutex_lock(&table->lock);
	slot = handle_find_locked(table, handle);
	if (slot) {
		object = slot->object;
		slot->object = NULL;
		slot->next_free = table->first_free;
		table->first_free = (uint32_t)(slot - table->slots) + 1;
		table->alive--;
	}
	pthread_mutex_unlock(&table->lock);
	return object;
}

struct object *object_next(struct object_table *table, uint32_t *at)
{
	struct object *object = NULL;

	pthread_mutex_lock(&table->lock);
	while (*at < table->size && !object)
		object = table->slots[(*at)++].object;
	if (object)
		atomic_fetch_add_explicit(&object->users, 1, memory_order_relaxed);
	pthread_mutex_unlock(&table->lock);
	return object;
}

void object_put(struct object *object)
{
	if (atomic_fetch_sub_explicit(&object->users, 1, memory_order_acq_rel) == 1)
		object->release(object);
}
