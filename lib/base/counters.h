/* SPDX-License-Identifier: MIT */
/*
 * The counters behind aclkm_stats_get. Each thread counts in a row of its own, so that
 * threads do not take the lines from each other; when there are more threads than
 * rows, the last row is for all others.
 */
#ifndef LIB_COUNTERS_H
#define LIB_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

enum counter {
	COUNT_COPIES_SYNC,
	COUNT_COPIES_ASYNC,
	COUNT_COPIES_DEGRADED,
	COUNT_COPIES_UNALIGNED,
	COUNT_BYTES_COPIED,
	COUNT_BYTES_UNCACHED,
	COUNT_TASKS_DONE,
	COUNTERS
};

struct counter_row {
	_Alignas(64) _Atomic uint64_t counts[COUNTERS];
};

/* NULL: this thread has none yet, or counts with others. */
extern _Thread_local struct counter_row *counter_mine;

void counter_add_slowly(enum counter counter, uint64_t n);

static inline void counter_add(enum counter counter, uint64_t n)
{
	struct counter_row *row = counter_mine;

	if (__builtin_expect(!row, 0)) {
		counter_add_slowly(counter, n);
		return;
	}
	atomic_store_explicit(
		&row->counts[counter],
		atomic_load_explicit(&row->counts[counter], memory_order_relaxed) + n,
		memory_order_relaxed);
}

#endif /* LIB_COUNTERS_H */
