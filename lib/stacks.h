/* SPDX-License-Identifier: MIT */
/*
 * Where blocks were taken and freed, as numbers: each place is written down once and
 * kept for ever. A place that a thread was at before is known again by the return
 * addresses on its stack, without unwinding. Thread-safe.
 */
#ifndef LIB_STACKS_H
#define LIB_STACKS_H

#include <stdint.h>

#include "report.h"

/* Numbers there are, at most; 0 is a place that nothing is known of. */
#define STACKS_MAX (1U << 20)

#define STACKS_SEEN 128 /* places that a thread knows again, a power of two */
#define STACKS_SLOTS (TRACE_DEPTH + 8)

struct stack_seen {
	uintptr_t pc;
	uintptr_t frame;
	const char *function;
	uint32_t id;
	uint32_t fours; /* of slots, filled up with some that always hold */
	struct {
		const uintptr_t *at; /* where on the stack a return address is */
		uintptr_t value;
	} slots[STACKS_SLOTS];
};

extern _Thread_local struct stack_seen *stacks_seen; /* NULL: none yet */

/* As stack_id, when the thread was not there before. */
uint32_t stack_unwind(const char *function, const void *pc, const void *frame);

static inline struct stack_seen *stack_slot(struct stack_seen *seen, const void *pc,
					    const void *frame)
{
	uintptr_t mixed = (uintptr_t)pc ^ (uintptr_t)frame >> 4;

	return &seen[(mixed ^ mixed >> 8) & (STACKS_SEEN - 1)];
}

/*
 * Where this thread is: in @function of the API. @pc and @frame are the builtin return
 * and frame addresses of a function that it runs in.
 */
static inline uint32_t stack_id(const char *function, const void *pc, const void *frame)
{
	const struct stack_seen *seen = stacks_seen;
	uintptr_t other = 0;
	uint32_t i;

	if (__builtin_expect(!seen, 0))
		return stack_unwind(function, pc, frame);
	seen = stack_slot(stacks_seen, pc, frame);
	if (__builtin_expect(seen->pc != (uintptr_t)pc ||
				     seen->frame != (uintptr_t)frame ||
				     seen->function != function,
			     0))
		return stack_unwind(function, pc, frame);
	/* The frames are where they were as long as these are the same. */
	for (i = 0; i < seen->fours * 4 && !other; i += 4) {
		other |= *seen->slots[i].at ^ seen->slots[i].value;
		other |= *seen->slots[i + 1].at ^ seen->slots[i + 1].value;
		other |= *seen->slots[i + 2].at ^ seen->slots[i + 2].value;
		other |= *seen->slots[i + 3].at ^ seen->slots[i + 3].value;
	}
	if (__builtin_expect(!!other, 0))
		return stack_unwind(function, pc, frame);
	return seen->id;
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
