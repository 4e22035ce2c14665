/* SPDX-License-Identifier: MIT */
/*
 * Devices, their contexts, and which context a thread has. Thread-safe; failures
 * note their text.
 */
#ifndef LIB_DEVICE_H
#define LIB_DEVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What this thread works with. */
struct device_here {
	uintptr_t context;
	uintptr_t stream; /* the context's default stream */
	uint32_t device;
	uint64_t seen; /* device_gone, when it was looked at */
};

/*
 * Counts the contexts that have gone: while it stands still, what a thread knows
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

/* ACLKM_ERR_INVALID. */
int device_check(int64_t id);

/*
 * Makes the default context of the device this thread's, and creates it first if
 * need be. ACLKM_ERR_INVALID for the id, what backend_get and stream_create give.
 */
int device_set(int32_t id);

/* One set less, or with @force none; with the last all contexts go.
 * ACLKM_ERR_INVALID, ACLKM_ERR_HANDLE: it is not set. */
int device_reset(int32_t id, bool force);

bool device_is_set(uint32_t id);

/* The device whose default context a thread gets that has none; -1: none. */
void device_set_default(int32_t id);

/* Gives it to this thread, and counts no set. ACLKM_ERR_CONTEXT, no text noted: there
 * is none; else as device_set. */
int device_use_default(void);

int context_create(int32_t device, uintptr_t *out);

/* ACLKM_ERR_HANDLE: not alive; ACLKM_ERR_UNSUPPORTED: a default context. */
int context_destroy(uintptr_t context);
int context_use(uintptr_t context);

/* For a thread of the library that runs the program's code: no text if it is gone. */
void device_lend(uintptr_t context);

/* Access to another device's memory, one way. ACLKM_ERR_INVALID. */
int device_peer_set(uint32_t device, int32_t peer, bool enable);
bool device_peer_get(uint32_t device, uint32_t peer);

#endif /* LIB_DEVICE_H */
