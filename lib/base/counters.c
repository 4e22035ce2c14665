// SPDX-License-Identifier: MIT
#include "base/counters.h"

#include <pthread.h>
#include <stdbool.h>

#include "aclkm/stats.h"
#include "base/error.h"
#include "base/thread_key.h"

#define ROWS 64 /* the last one is shared */

static struct counter_row rows[ROWS];
static _Atomic uint64_t taken; /* a bit for each row */
static struct thread_key key;

_Thread_local struct counter_row *counter_mine;
static _Thread_local bool asked;

/* At the end of the thread: another may go on counting in its row. */
static void give_row(void *row)
{
	counter_mine = NULL;
	atomic_fetch_and(&taken, ~(1ULL << ((struct counter_row *)row - rows)));
}

static void take_row(void)
{
	uint64_t now = atomic_load(&taken);
	unsigned int at;

	asked = true;
	do {
		at = ~now ? (unsigned int)__builtin_ctzll(~now) : ROWS - 1;
		if (at == ROWS - 1)
			return;
	} while (!atomic_compare_exchange_weak(&taken, &now, now | 1ULL << at));
	if (thread_key_set(&key, give_row, &rows[at]))
		counter_mine = &rows[at];
	else
		atomic_fetch_and(&taken, ~(1ULL << at));
}

void counter_add_slowly(enum counter counter, uint64_t n)
{
	if (!asked)
		take_row();
	if (counter_mine)
		counter_add(counter, n);
	else
		atomic_fetch_add_explicit(&rows[ROWS - 1].counts[counter], n,
					  memory_order_relaxed);
}

static uint64_t read_counter(enum counter counter)
{
	uint64_t sum = 0;
	int row;

	for (row = 0; row < ROWS; row++)
		sum += atomic_load_explicit(&rows[row].counts[counter],
					    memory_order_relaxed);
	return sum;
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
		.bytes_uncached = read_counter(COUNT_BYTES_UNCACHED),
		.tasks_done = read_counter(COUNT_TASKS_DONE),
	};
	return ACLKM_OK;
}
