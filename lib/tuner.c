// SPDX-License-Identifier: MIT
#include "tuner.h"

/* A way that is not first must be better by this part of 256, or it is only noise. */
#define CLEARLY 8

void tuner_begin(struct tuner *tuner)
{
	unsigned int way;

	for (way = 0; way < TUNER_WAYS; way++)
		atomic_store_explicit(&tuner->best[way], 0, memory_order_relaxed);
	atomic_store_explicit(&tuner->tried, 0, memory_order_relaxed);
	atomic_store_explicit(&tuner->slow, 0, memory_order_relaxed);
	atomic_store_explicit(&tuner->chosen, 0, memory_order_relaxed);
}

unsigned int tuner_pick(struct tuner *tuner, unsigned int ways, int *timed)
{
	uint32_t picks =
		atomic_fetch_add_explicit(&tuner->tried, 1, memory_order_relaxed);
	uint32_t chosen = atomic_load_explicit(&tuner->chosen, memory_order_relaxed);

	if (picks >= TUNER_AGAIN)
		tuner_begin(tuner);
	*timed = !chosen || picks % TUNER_LOOK == 0;
	if (chosen)
		return chosen - 1 < ways ? chosen - 1 : 0;
	return picks / TUNER_TRIES % ways;
}

static unsigned int best_of(struct tuner *tuner, unsigned int ways)
{
	uint64_t least = atomic_load(&tuner->best[0]);
	unsigned int way, best = 0;

	for (way = 1; way < ways; way++) {
		uint64_t cost = atomic_load(&tuner->best[way]);

		if (cost && cost < least * (256 - CLEARLY) / 256) {
			least = cost;
			best = way;
		}
	}
	return best;
}

/* A look at the chosen way. */
static void look(struct tuner *tuner, uint64_t before, uint64_t cost)
{
	if (cost <= before + before / 2)
		atomic_store_explicit(&tuner->slow, 0, memory_order_relaxed);
	else if (atomic_fetch_add_explicit(&tuner->slow, 1, memory_order_relaxed) + 1 >=
		 TUNER_SLOW)
		tuner_begin(tuner);
}

void tuner_note(struct tuner *tuner, unsigned int ways, unsigned int way, uint64_t cost)
{
	uint64_t before = atomic_load(&tuner->best[way]);

	if (atomic_load_explicit(&tuner->chosen, memory_order_relaxed)) {
		look(tuner, before, cost);
		return;
	}
	if (!before || cost < before)
		atomic_store(&tuner->best[way], cost ? cost : 1);
	if (atomic_load(&tuner->tried) >= ways * TUNER_TRIES)
		atomic_store(&tuner->chosen, best_of(tuner, ways) + 1);
}
