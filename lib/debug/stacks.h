/* SPDX-License-Identifier: MIT */
/*
 * Where blocks were taken and freed, as numbers: each place is written down once and
 * kept for ever. A place that a thread was at before is known again by the return
 * addresses on its stack, without unwinding. Thread-safe.
 */
#ifndef LIB_STACKS_H
#define LIB_STACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "debug/report.h"

/* Numbers there are, at most; 0 is a place that nothing is known of. */
#define STACKS_MAX (1U << 20)

#define STACKS_SEEN 128 /* places that a thread knows again, a power of two */
#define STACKS_FRAMES (TRACE_DEPTH + 4) /* that are looked at, a multiple of two */

struct stack_slot {
	const uintptr_t *at; /* where on the stack a return address is */
	uintptr_t value;
};

struct stack_seen {
	uintptr_t pc; /* 0: none */
	uintptr_t frame;
	uintptr_t unused;
	uint32_t id;
	uint32_t more; /* pairs of slots that are looked at, beyond the first */
	struct stack_slot slots[STACKS_FRAMES + 2];
};

#define STACKS_SEEN_SHIFT 9
_Static_assert(sizeof(struct stack_seen) == 1U << STACKS_SEEN_SHIFT, "found by a mask");

/* This thread's; those in which no place is until it has been at one. */
extern _Thread_local struct stack_seen *stacks_seen;

/* As stack_id, when the thread was not there before. */
uint32_t stack_unwind(const char *function, const void *pc, const void *frame);

static inline struct stack_seen *stack_place(struct stack_seen *seen, const void *pc,
					     const void *frame)
{
	uint32_t mixed = (uint32_t)((uintptr_t)pc ^ (uintptr_t)frame) * 0x9e3779b1U;

	return (struct stack_seen *)((char *)seen +
				     (mixed >> 16 & (STACKS_SEEN - 1)
							    << STACKS_SEEN_SHIFT));
}

static inline bool stack_holds(const struct stack_slot *slot)
{
	return __builtin_expect(*slot->at == slot->value, 1);
}

static inline bool stack_two_hold(const struct stack_slot *slot)
{
	return stack_holds(slot) && stack_holds(slot + 1);
}

/*
 * The same in functions that end in calls of each other, on each machine; what
 * __builtin_frame_address gives depends on the function.
 */
#define STACK_FRAME ((const char *)__builtin_dwarf_cfa() - 2 * sizeof(void *))

/*
 * Where this thread is, if it was there before: a number in @id. @pc is the return
 * address of a function that it runs in, @frame where that is on the stack, by
 * STACK_FRAME; what is added to the latter tells functions of the API that are called
 * at the same place.
 */
static inline bool stack_known(const void *pc, const void *frame, uint32_t *id)
{
	const struct stack_seen *seen = stack_place(stacks_seen, pc, frame);
	const struct stack_slot *slot;
	uint32_t more;

	if (__builtin_expect(seen->pc != (uintptr_t)pc || seen->frame != (uintptr_t)frame,
			     0))
		return false;
	/* The frames are where they were as long as these are the same. */
	slot = seen->slots;
	if (!stack_two_hold(slot))
		return false;
	for (more = seen->more; __builtin_expect(more, 0); more--) {
		slot += 2;
		if (!stack_two_hold(slot))
			return false;
	}
	*id = seen->id;
	return true;
}

/* The same, or the long way: in @function of the API. */
static inline uint32_t stack_id(const char *function, const void *pc, const void *frame)
{
	uint32_t id;

	return stack_known(pc, frame, &id) ? id : stack_unwind(function, pc, frame);
}

/* Where this call of the API was noted to be, else 0: for what it calls. */
struct stack_entry {
	const char *function;
	const void *pc;
	const void *frame;
};

extern _Thread_local struct stack_entry stack_entry;

/* Where this thread is: by its entry, if that is noted, or the long way. */
uint32_t stack_id_here(void);

/* What a number stands for; a trace without frames for 0. */
const struct trace *stack_get(uint32_t id);

#endif /* LIB_STACKS_H */
