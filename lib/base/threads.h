/* SPDX-License-Identifier: MIT */
/*
 * Where the library's threads run, how many share a copy, and how long they look for
 * work before they sleep: from the environment, or set by the program. Thread-safe.
 */
#ifndef LIB_THREADS_H
#define LIB_THREADS_H

#include <pthread.h>
#include <stdint.h>

#include "base/config.h"

#define THREADS_DEFAULT_SPIN_US 50 /* none where there is one CPU */

/* From now on. NULL: what the environment says. */
void threads_set(const struct thread_options *options);

/*
 * pthread_create of a thread of the library: on its CPUs, scheduled as an ordinary
 * thread, with all signals blocked but those of its own faults.
 */
int threads_create(pthread_t *thread, void *(*fn)(void *arg), void *arg);

uint32_t threads_spin(void); /* nanoseconds */
uint32_t threads_of_copy(void);

/* CPUs that threads of the library can run on now. */
unsigned int threads_cpus(void);

#endif /* LIB_THREADS_H */
