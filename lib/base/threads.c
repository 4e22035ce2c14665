// SPDX-License-Identifier: MIT
#include "base/threads.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aclkm/copy.h"
#include "base/config.h"
#include "base/error.h"

static pthread_mutex_t threads_lock = PTHREAD_MUTEX_INITIALIZER;
static struct thread_options threads_mine; /* the program's */
static bool threads_are_set;
static _Atomic unsigned int cpus_seen; /* 0: not counted yet */

static struct thread_options threads_now(void)
{
	struct thread_options options;

	pthread_mutex_lock(&threads_lock);
	options = threads_are_set ? threads_mine : config_get()->threads;
	pthread_mutex_unlock(&threads_lock);
	return options;
}

void threads_set(const struct thread_options *options)
{
	pthread_mutex_lock(&threads_lock);
	threads_are_set = options != NULL;
	if (options)
		threads_mine = *options;
	pthread_mutex_unlock(&threads_lock);
	atomic_store(&cpus_seen, 0);
}

/* What the kernel raises for what a thread itself has done. */
static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};

/*
 * The program's signals are not for the library's threads. A fault is: blocked, it would
 * end the process past the program's handler.
 */
static void threads_mask(sigset_t *before)
{
	sigset_t others;
	size_t i;

	sigfillset(&others);
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigdelset(&others, faults[i]);
	pthread_sigmask(SIG_SETMASK, &others, before);
}

static bool threads_is_here(const cpu_set_t *cpus)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	return !sched_getaffinity(0, sizeof(here), &here) && CPU_EQUAL(&here, cpus);
}

/* An ordinary thread, whatever the one is that creates it. */
static void threads_set_policy(pthread_attr_t *attr)
{
	const struct sched_param param = {0};

	if (sched_getscheduler(0) == SCHED_OTHER)
		return;
	pthread_attr_setinheritsched(attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(attr, SCHED_OTHER);
	pthread_attr_setschedparam(attr, &param);
}

static int threads_create_masked(pthread_t *thread, void *(*fn)(void *arg), void *arg)
{
	const struct thread_options options = threads_now();
	const cpu_set_t *cpus =
		options.affinity.chosen ? &options.affinity.cpus : &affinity_at_load;
	pthread_attr_t attr;
	int err = 0;

	pthread_attr_init(&attr);
	threads_set_policy(&attr);
	if (options.affinity.chosen || !threads_is_here(cpus))
		err = pthread_attr_setaffinity_np(&attr, sizeof(*cpus), cpus);
	if (!err)
		err = pthread_create(thread, &attr, fn, arg);
	pthread_attr_destroy(&attr);
	/* A sandbox may forbid either: then the thread is as its creator. */
	if ((err == EPERM || err == EINVAL) && !options.affinity.chosen)
		err = pthread_create(thread, NULL, fn, arg);
	return err;
}

int threads_create(pthread_t *thread, void *(*fn)(void *arg), void *arg)
{
	sigset_t before;
	int err;

	threads_mask(&before);
	err = threads_create_masked(thread, fn, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

unsigned int threads_cpus(void)
{
	unsigned int seen = atomic_load_explicit(&cpus_seen, memory_order_relaxed);
	struct thread_options options;

	if (seen)
		return seen;
	options = threads_now();
	if (!options.affinity.chosen)
		options.affinity.cpus = affinity_at_load;
	seen = (unsigned int)CPU_COUNT(&options.affinity.cpus);
	atomic_store(&cpus_seen, seen);
	return seen;
}

uint32_t threads_spin(void)
{
	const struct thread_options options = threads_now();

	if (options.spin_set)
		return options.spin_us * 1000;
	/* Who looks on the only CPU keeps the others from it. */
	return CPU_COUNT(&affinity_at_load) > 1 ? THREADS_DEFAULT_SPIN_US * 1000 : 0;
}

uint32_t threads_of_copy(void)
{
	return threads_now().threads;
}

int aclkm_workers_set(const struct aclkm_workers *workers)
{
	struct thread_options options = {0};
	int err = api_enter(__func__);
	char list[128];

	if (err || !workers)
		goto set;
	if (workers->threads > THREADS_MAX)
		return error_set(ACLKM_ERR_INVALID, "threads = %u: at most %d",
				 workers->threads, THREADS_MAX);
	if (workers->spin_us > THREADS_SPIN_US && workers->spin_us != UINT32_MAX)
		return error_set(ACLKM_ERR_INVALID,
				 "spin_us = %u: at most %d, or UINT32_MAX (the default)",
				 workers->spin_us, THREADS_SPIN_US);
	options.threads = workers->threads;
	options.spin_set = workers->spin_us != UINT32_MAX;
	options.spin_us = workers->spin_us;
	if (workers->cpus && !affinity_choose(&options.affinity, workers->cpus))
		return error_set(ACLKM_ERR_INVALID,
				 "cpus = \"%.60s\": must be numbers and ranges with "
				 "commas, of CPUs that this process may use: %s",
				 workers->cpus, affinity_allowed(list, sizeof(list)));
	if (workers->node != -1 &&
	    !affinity_choose_node(&options.affinity, workers->node))
		return error_set(ACLKM_ERR_INVALID,
				 "node = %d: must be -1 (any) or a NUMA node that has "
				 "some of the CPUs given, or else of those that this "
				 "process may use: %s",
				 workers->node, affinity_allowed(list, sizeof(list)));
set:
	if (!err)
		err = config_check();
	if (!err)
		threads_set(workers ? &options : NULL);
	return err;
}
