/* SPDX-License-Identifier: MIT */
/* The counters behind aclkm_stats_get. */
#ifndef LIB_COUNTERS_H
#define LIB_COUNTERS_H

#include <stdint.h>

enum counter {
	COUNT_COPIES_SYNC,
	COUNT_COPIES_ASYNC,
	COUNT_COPIES_DEGRADED,
	COUNT_COPIES_UNALIGNED,
	COUNT_BYTES_COPIED,
	COUNT_TASKS_DONE,
	COUNTERS
};

void counter_add(enum counter counter, uint64_t n);

#endif /* LIB_COUNTERS_H */
