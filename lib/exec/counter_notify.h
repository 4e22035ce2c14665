/* SPDX-License-Identifier: MIT */
/*
 * Counting notifies: a number of 32 bits that streams change and wait for. Of this
 * process only. Thread-safe; failures note their text.
 */
#ifndef LIB_COUNTER_NOTIFY_H
#define LIB_COUNTER_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* What a record does to the number. */
enum counter_change {
	COUNTER_SET = 0,
	COUNTER_ADD = 1, /* wraps around */
	COUNTER_OR = 2,
	COUNTER_AND = 4,
};

/* When a wait goes on. */
enum counter_rule {
	COUNTER_LESS = 0,
	COUNTER_EQUAL = 1,
	COUNTER_MORE = 2,
	COUNTER_AT_LEAST = 3,
	COUNTER_HAS_BITS = 4, /* all that are set in the value */
};

/* ACLKM_ERR_NOHEAP. */
int counter_create(uintptr_t *handle);

/* All of these: ACLKM_ERR_HANDLE; tasks keep what they need. */
int counter_destroy(uintptr_t handle);
int counter_id(uintptr_t handle, uint32_t *id);

/* Tasks of a stream; besides, what stream_submit gives. */
int counter_record(uintptr_t handle, uintptr_t stream, enum counter_change change,
		   uint32_t value);

/* @clear: the number is 0 behind it. @timeout_ms -1: none; else ACLKM_ERR_TASK. */
int counter_wait(uintptr_t handle, uintptr_t stream, enum counter_rule rule,
		 uint32_t value, int64_t timeout_ms, bool clear);

#endif /* LIB_COUNTER_NOTIFY_H */
