// SPDX-License-Identifier: MIT
#include "counters.h"

#include <stdatomic.h>

#include "aclkm/stats.h"
#include "error.h"

static _Atomic uint64_t counters[COUNTERS];

void counter_add(enum counter counter, uint64_t n)
{
	atomic_fetch_add_explicit(&counters[counter], n, memory_order_relaxed);
}

static uint64_t read_counter(enum counter counter)
{
	return atomic_load_explicit(&counters[counter], memory_order_relaxed);
}

int aclkm_stats_get(struct aclkm_stats *out)
{
	int err = api_enter(__func__);

	if (err)
		return err;
	if (!out)
		return error_set(ACLKM_ERR_INVALID, "out is NULL");
	*out = (struct aclkm_stats){
		.copies_sync = read_counter(COUNT_COPIES_SYNC),
		.copies_async = read_counter(COUNT_COPIES_ASYNC),
		.copies_degraded = read_counter(COUNT_COPIES_DEGRADED),
		.copies_unaligned = read_counter(COUNT_COPIES_UNALIGNED),
		.bytes_copied = read_counter(COUNT_BYTES_COPIED),
		.tasks_done = read_counter(COUNT_TASKS_DONE),
	};
	return ACLKM_OK;
}
