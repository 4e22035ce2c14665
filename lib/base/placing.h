/* SPDX-License-Identifier: MIT */
/*
 * Where the library's threads run, how many share a copy, and how long they look for
 * work before they sleep: from the environment, or set by the program. Thread-safe.
 */
#ifndef LIB_PLACING_H
#define LIB_PLACING_H

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#define PLACING_THREADS 16	   /* at most */
#define PLACING_SPIN_US 1000000	   /* at most */
#define PLACING_DEFAULT_SPIN_US 50 /* none where there is one CPU */

/* What there is to set; the environment's is in the config. */
struct placing {
	cpu_set_t cpus;
	bool placed;   /* @cpus counts, else all that the process may use */
	bool spin_set; /* @spin_us counts */
	uint32_t spin_us;
	uint32_t threads; /* 0: by the CPUs */
};

/* "0-3,8". False: it is no such list, or has none. */
bool placing_parse(const char *text, cpu_set_t *out);

/* The CPUs of a NUMA node. False: there is no such node. */
bool placing_node(int32_t node, cpu_set_t *out);

/* Leaves those that this process may use. False: none is left, or, for @all, fewer. */
bool placing_allow(cpu_set_t *cpus, bool all);

/* Those that this process may use, as a list for texts. */
const char *placing_allowed(char *text, int size);

/* From now on. NULL: what the environment says. */
void placing_set(const struct placing *placing);

/*
 * pthread_create of a thread of the library: on its CPUs, scheduled as an ordinary
 * thread, with all signals blocked but those of its own faults.
 */
int placing_create(pthread_t *thread, void *(*fn)(void *arg), void *arg);

uint32_t placing_spin(void); /* nanoseconds */
uint32_t placing_threads(void);

/* CPUs that threads of the library can run on now. */
unsigned int placing_cpus(void);

#endif /* LIB_PLACING_H */
