/* SPDX-License-Identifier: MIT */
/*
 * Contexts by handle, and which one a thread works with. device.c creates and ends them.
 * Thread-safe; failures note their text.
 */
#ifndef LIB_EXEC_CONTEXT_H
#define LIB_EXEC_CONTEXT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

struct context {
	struct object object;
	struct context *next_dead;
	uintptr_t stream;
	uint32_t device;
	bool is_default;
};

extern struct object_table context_table;

/* What this thread works with. */
struct device_here {
	uintptr_t context;
	uintptr_t stream; /* the context's default stream */
	uint32_t device;
	uint64_t seen; /* device_gone, when it was looked at */
};

/*
 * Counts the contexts that have ended: while it stands still, what a thread knows
 * of its own context holds, and nothing is to be looked up or locked.
 */
extern _Atomic uint64_t device_gone;
extern _Thread_local struct device_here device_mine;

const struct device_here *device_here_slowly(void);

/* NULL: the thread has no context, or its context is destroyed. */
static inline const struct device_here *device_here(void)
{
	uint64_t gone = atomic_load_explicit(&device_gone, memory_order_acquire);

	if (__builtin_expect(device_mine.seen == gone, 1))
		return &device_mine;
	return device_here_slowly();
}

/* The context of this thread; 0: none. */
static inline uintptr_t device_context(void)
{
	const struct device_here *here = device_here();

	return here ? here->context : 0;
}

/* Makes it this thread's. ACLKM_ERR_HANDLE. */
int context_use(uintptr_t context);

/* For a thread of the library that runs the program's code: no text if it is gone. */
void device_lend(uintptr_t context);

#endif /* LIB_EXEC_CONTEXT_H */
