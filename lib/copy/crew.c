// SPDX-License-Identifier: MIT
#include "copy/crew.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/base.h"

#define MAX_CREW THREADS_MAX
#define DEFAULT_CREW 4

/* Rounds of looking before a helper sleeps, or the caller waits for the last part. */
#define LOOKS 2000

static pthread_mutex_t one_job = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static pthread_cond_t done = PTHREAD_COND_INITIALIZER;
static unsigned int started; /* helpers; under one_job */
static atomic_uint wanted;   /* threads in all; 0: by the CPUs */

/* The job; the lock is held while it is set up and taken down. */
static void (*job_fn)(void *arg, size_t part);
static void *job_arg;
static size_t job_parts;
static _Atomic uint64_t job_number; /* odd while there is one */
static _Atomic size_t next_part;
static unsigned int inside; /* helpers that work on it; under the lock */

static void run_parts(void (*fn)(void *arg, size_t part), void *arg, size_t parts)
{
	size_t part;

	while ((part = atomic_fetch_add(&next_part, 1)) < parts)
		fn(arg, part);
}

static void *help(void *unused)
{
	uint64_t seen = 0;

	(void)unused;
	for (;;) {
		void (*fn)(void *arg, size_t part);
		size_t parts;
		void *arg;
		int look;

		for (look = 0; look < LOOKS; look++) {
			if (atomic_load(&job_number) % 2 &&
			    atomic_load(&job_number) != seen)
				break;
			sched_yield();
		}
		pthread_mutex_lock(&lock);
		while (job_number % 2 == 0 || job_number == seen)
			pthread_cond_wait(&work, &lock);
		seen = job_number;
		fn = job_fn;
		arg = job_arg;
		parts = job_parts;
		inside++;
		pthread_mutex_unlock(&lock);

		run_parts(fn, arg, parts);

		pthread_mutex_lock(&lock);
		if (!--inside)
			pthread_cond_signal(&done);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

unsigned int crew_size(void)
{
	unsigned int size = atomic_load(&wanted);

	if (!size)
		size = threads_of_copy();
	if (size)
		return size;
	size = threads_cpus();
	return size < DEFAULT_CREW ? size : DEFAULT_CREW;
}

void crew_set_size(unsigned int threads)
{
	atomic_store(&wanted, threads < MAX_CREW ? threads : MAX_CREW);
}

static void start_helpers(unsigned int helpers)
{
	pthread_t thread;

	if (started >= helpers)
		return;
	process_in_use();
	while (started < helpers && !threads_create(&thread, help, NULL)) {
		pthread_detach(thread);
		started++;
	}
}

/* The caller has the job to itself. */
static void crew_share(void (*fn)(void *arg, size_t part), void *arg, size_t parts)
{
	pthread_mutex_lock(&lock);
	job_fn = fn;
	job_arg = arg;
	job_parts = parts;
	atomic_store(&next_part, 0);
	atomic_fetch_add(&job_number, 1);
	pthread_cond_broadcast(&work);
	pthread_mutex_unlock(&lock);

	run_parts(fn, arg, parts);

	pthread_mutex_lock(&lock);
	atomic_fetch_add(&job_number, 1);
	while (inside)
		pthread_cond_wait(&done, &lock);
	pthread_mutex_unlock(&lock);
}

bool crew_run(void (*fn)(void *arg, size_t part), void *arg, size_t parts)
{
	unsigned int size = crew_size();
	bool shared;
	int before;

	if (size < 2 || parts < 2 || pthread_mutex_trylock(&one_job))
		return false;
	/* A wait for the helpers would end a cancelled caller with both locks held. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	start_helpers(size - 1);
	shared = started;
	if (shared)
		crew_share(fn, arg, parts);
	pthread_mutex_unlock(&one_job);
	pthread_setcancelstate(before, NULL);
	return shared;
}
