// SPDX-License-Identifier: MIT
/*
 * A thread takes from its rows without a lock and without a barrier, so the work is on
 * this side. The thread writes its new top, then reads the word of the block that it
 * takes (row_lower). Here tcache_end is written in the place of words, then every
 * processor passes a barrier, then tops are read. So either the thread finds tcache_end
 * and leaves the block to us, or we find that its top is below the block and leave it to
 * the thread; never both take it. Who finds tcache_end goes the slow way and waits for
 * the heap's lock there, so that nothing is written over before we are done.
 *
 * A thread may have put another block at a place meanwhile: then its word is there again.
 */
#include "alloc/reclaim.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "alloc/chunk.h"
#include "alloc/tcache.h"

/* Of one thread's rows at a time. */
static struct claim claims[CLASSES];
static pthread_mutex_t claims_lock = PTHREAD_MUTEX_INITIALIZER; /* after a heap's */

static bool can_order;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static long membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0);
}

static void register_process(void)
{
	can_order = !membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

static bool keeps_any(struct bins *bins)
{
	unsigned int class;

	for (class = 0; class < CLASSES; class ++) {
		if (row_left(bins_row(bins, class)))
			return true;
	}
	return false;
}

void reclaim_claim(struct row *row, struct claim *claim)
{
	uint64_t i;

	claim->count = row_count(row);
	for (i = 1; i <= claim->count; i++)
		claim->words[i] = atomic_exchange_explicit(
			&row->kept[i].word, &tcache_end, memory_order_relaxed);
}

/* Unless the thread has put another one there. */
static void reclaim_put_back(struct kept *kept, _Atomic uint32_t *word)
{
	_Atomic uint32_t *end = &tcache_end;

	atomic_compare_exchange_strong(&kept->word, &end, word);
}

bool reclaim_collect(struct heap *heap, struct row *row, const struct claim *claim,
		     uint64_t count)
{
	bool any = false;
	uint64_t i;

	for (i = 1; i <= claim->count; i++) {
		struct kept *kept = &row->kept[i];
		_Atomic uint32_t *word = claim->words[i];

		if (word == &tcache_end)
			continue;
		if (i > count) {
			reclaim_put_back(kept, word);
			continue;
		}
		if (slab_read(kept->word) != &tcache_end)
			continue;
		row->taken++;
		tcache_give(heap, &(struct kept){kept->ptr, word});
		any = true;
	}
	return any;
}

struct search {
	struct heap *heap;
	bool any;
};

static void reclaim_from(struct tcache *cache, void *arg)
{
	struct search *search = arg;
	struct bins *bins = tcache_bins(cache, search->heap);
	unsigned int class;
	bool ordered;

	if (!bins || !keeps_any(bins))
		return;
	for (class = 0; class < CLASSES; class ++)
		reclaim_claim(bins_row(bins, class), &claims[class]);
	/* Refused by a filter that the process got meanwhile, say: nothing is ours. */
	ordered = !membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
	for (class = 0; class < CLASSES; class ++) {
		struct row *row = bins_row(bins, class);

		search->any |= reclaim_collect(search->heap, row, &claims[class],
					       ordered ? row_count(row) : 0);
	}
}

bool reclaim_rows(struct heap *heap)
{
	struct search search = {.heap = heap};

	pthread_once(&once, register_process);
	if (!can_order || !heap->slab_out)
		return false;
	pthread_mutex_lock(&claims_lock);
	tcache_each_other(reclaim_from, &search);
	pthread_mutex_unlock(&claims_lock);
	return search.any;
}
