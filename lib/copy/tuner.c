// SPDX-License-Identifier: MIT
#include "copy/tuner.h"

/* A way that is not first must be better by this part of 256, or it is only noise. */
#define CLEARLY 8

void tuner_begin(struct tuner *tuner)
{
	unsigned int way;

	for (way = 0; way < TUNER_WAYS; way++)
		atomic_store_explicit(&tuner->noted[way], 0, memory_order_relaxed);
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

/*
 * The second least of what was noted for the way; UINT64_MAX: nothing. Others and cold
 * caches make most of a few tries slow more easily than luck makes two of them fast.
 */
static uint64_t usual(struct tuner *tuner, unsigned int way)
{
	uint32_t n = atomic_load(&tuner->noted[way]), i, at;
	uint64_t costs[TUNER_TRIES];

	if (n > TUNER_TRIES)
		n = TUNER_TRIES;
	for (i = 0; i < n; i++) {
		uint64_t cost = atomic_load(&tuner->costs[way][i]);

		for (at = i; at && costs[at - 1] > cost; at--)
			costs[at] = costs[at - 1];
		costs[at] = cost;
	}
	return n ? costs[n > 1] : UINT64_MAX;
}

static void choose(struct tuner *tuner, unsigned int ways)
{
	uint64_t least = usual(tuner, 0);
	unsigned int way, best = 0;

	for (way = 1; way < ways; way++) {
		uint64_t cost = usual(tuner, way);

		if (cost < least - least * CLEARLY / 256) {
			least = cost;
			best = way;
		}
	}
	atomic_store(&tuner->expected, least);
	atomic_store(&tuner->chosen, best + 1);
}

/* A look at the chosen way. */
static void tuner_look(struct tuner *tuner, uint64_t cost)
{
	uint64_t before = atomic_load_explicit(&tuner->expected, memory_order_relaxed);

	if (cost <= before + before / 2)
		atomic_store_explicit(&tuner->slow, 0, memory_order_relaxed);
	else if (atomic_fetch_add_explicit(&tuner->slow, 1, memory_order_relaxed) + 1 >=
		 TUNER_SLOW)
		tuner_begin(tuner);
}

void tuner_note(struct tuner *tuner, unsigned int ways, unsigned int way, uint64_t cost)
{
	uint32_t n;

	if (atomic_load_explicit(&tuner->chosen, memory_order_relaxed)) {
		tuner_look(tuner, cost);
		return;
	}
	n = atomic_fetch_add(&tuner->noted[way], 1);
	if (n < TUNER_TRIES)
		atomic_store(&tuner->costs[way][n], cost);
	if (atomic_load(&tuner->tried) >= ways * TUNER_TRIES)
		choose(tuner, ways);
}
