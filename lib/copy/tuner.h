/* SPDX-License-Identifier: MIT */
/*
 * Finds the fastest of some ways to do a thing by trying each on real work: a few
 * times each, one after the other, as what a way leaves in the caches is for the next
 * time. The second least time counts, and then the best one stays until it is found
 * slow or has been used often. One state for each size of work. Threads may share it; a
 * time that is lost only delays.
 */
#ifndef LIB_TUNER_H
#define LIB_TUNER_H

#include <stdatomic.h>
#include <stdint.h>

#define TUNER_WAYS 6
#define TUNER_TRIES 5
#define TUNER_AGAIN 4096
#define TUNER_LOOK 32 /* of the work done the chosen way, one in so many is timed */
#define TUNER_SLOW 4  /* so many in a row that take half as long again are too many */

struct tuner {
	_Atomic uint32_t chosen;   /* way + 1; 0: still trying */
	_Atomic uint32_t tried;	   /* picks since it began */
	_Atomic uint32_t slow;	   /* looks in a row */
	_Atomic uint64_t expected; /* cost of the chosen way */
	_Atomic uint32_t noted[TUNER_WAYS];
	_Atomic uint64_t costs[TUNER_WAYS][TUNER_TRIES];
};

/*
 * The way to go now, below @ways; @timed: tell tuner_note how long it took. After
 * TUNER_AGAIN picks, or when the chosen way has become slow, it begins anew, as the
 * machine may do other things now.
 */
unsigned int tuner_pick(struct tuner *tuner, unsigned int ways, int *timed);

/* Forgets all it knows. */
void tuner_begin(struct tuner *tuner);

/* @cost: time by size, in any unit. */
void tuner_note(struct tuner *tuner, unsigned int ways, unsigned int way, uint64_t cost);

#endif /* LIB_TUNER_H */
