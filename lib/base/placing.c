// SPDX-License-Identifier: MIT
#include "base/placing.h"

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

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct placing mine; /* the program's */
static bool is_mine;
static _Atomic unsigned int cpus_seen; /* 0: not counted yet */

static bool parse_number(const char **at, long *out)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	*out = strtol(*at, &end, 10);
	*at = end;
	return *out < CPU_SETSIZE;
}

bool placing_parse(const char *text, cpu_set_t *out)
{
	long from, to;

	CPU_ZERO(out);
	for (;;) {
		if (!parse_number(&text, &from))
			return false;
		to = from;
		if (*text == '-' && (text++, !parse_number(&text, &to)))
			return false;
		if (to < from)
			return false;
		for (; from <= to; from++)
			CPU_SET((size_t)from, out);
		if (*text++ != ',')
			return !text[-1];
	}
}

bool placing_node(int32_t node, cpu_set_t *out)
{
	char path[64], text[1024] = "";
	FILE *file;

	if (node < 0)
		return false;
	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/cpulist", node);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = 0;
	fclose(file);
	text[strcspn(text, "\n")] = 0;
	return placing_parse(text, out);
}

/*
 * The CPUs of the process when it loaded the library. A thread of the program that pins
 * itself later decides for itself, not for the threads of the library that it starts.
 */
static cpu_set_t cpus_at_load;

static __attribute__((constructor)) void placing_note_cpus(void)
{
	CPU_ZERO(&cpus_at_load);
	if (sched_getaffinity(getpid(), sizeof(cpus_at_load), &cpus_at_load))
		CPU_SET(0, &cpus_at_load);
}

static void allowed(cpu_set_t *out)
{
	*out = cpus_at_load;
}

bool placing_allow(cpu_set_t *cpus, bool all)
{
	cpu_set_t may;
	int before = CPU_COUNT(cpus);

	allowed(&may);
	CPU_AND(cpus, cpus, &may);
	return CPU_COUNT(cpus) && (!all || CPU_COUNT(cpus) == before);
}

const char *placing_allowed(char *text, int size)
{
	cpu_set_t may;
	int cpu, last, at = 0;

	allowed(&may);
	text[0] = 0;
	for (cpu = 0; cpu < CPU_SETSIZE && at < size; cpu = last + 1) {
		last = cpu;
		if (!CPU_ISSET(cpu, &may))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, &may))
			last++;
		at += snprintf(text + at, (size_t)(size - at),
			       last > cpu ? "%s%d-%d" : "%s%d", at ? "," : "", cpu, last);
	}
	return text;
}

static struct placing now(void)
{
	struct placing placing;

	pthread_mutex_lock(&lock);
	placing = is_mine ? mine : config_get()->placing;
	pthread_mutex_unlock(&lock);
	return placing;
}

void placing_set(const struct placing *placing)
{
	pthread_mutex_lock(&lock);
	is_mine = placing != NULL;
	if (placing)
		mine = *placing;
	pthread_mutex_unlock(&lock);
	atomic_store(&cpus_seen, 0);
}

/* What the kernel raises for what a thread itself has done. */
static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};

/*
 * The program's signals are not for the library's threads. A fault is: blocked, it would
 * end the process past the program's handler.
 */
static void placing_mask(sigset_t *before)
{
	sigset_t others;
	size_t i;

	sigfillset(&others);
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigdelset(&others, faults[i]);
	pthread_sigmask(SIG_SETMASK, &others, before);
}

static bool placing_is_here(const cpu_set_t *cpus)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	return !sched_getaffinity(0, sizeof(here), &here) && CPU_EQUAL(&here, cpus);
}

/* An ordinary thread, whatever the one is that creates it. */
static void placing_set_policy(pthread_attr_t *attr)
{
	const struct sched_param param = {0};

	if (sched_getscheduler(0) == SCHED_OTHER)
		return;
	pthread_attr_setinheritsched(attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(attr, SCHED_OTHER);
	pthread_attr_setschedparam(attr, &param);
}

static int placing_create_masked(pthread_t *thread, void *(*fn)(void *arg), void *arg)
{
	const struct placing placing = now();
	const cpu_set_t *cpus = placing.placed ? &placing.cpus : &cpus_at_load;
	pthread_attr_t attr;
	int err = 0;

	pthread_attr_init(&attr);
	placing_set_policy(&attr);
	if (placing.placed || !placing_is_here(cpus))
		err = pthread_attr_setaffinity_np(&attr, sizeof(*cpus), cpus);
	if (!err)
		err = pthread_create(thread, &attr, fn, arg);
	pthread_attr_destroy(&attr);
	/* A sandbox may forbid either: then the thread is as its creator. */
	if ((err == EPERM || err == EINVAL) && !placing.placed)
		err = pthread_create(thread, NULL, fn, arg);
	return err;
}

int placing_create(pthread_t *thread, void *(*fn)(void *arg), void *arg)
{
	sigset_t before;
	int err;

	placing_mask(&before);
	err = placing_create_masked(thread, fn, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

unsigned int placing_cpus(void)
{
	unsigned int seen = atomic_load_explicit(&cpus_seen, memory_order_relaxed);
	struct placing placing;

	if (seen)
		return seen;
	placing = now();
	if (!placing.placed)
		allowed(&placing.cpus);
	seen = (unsigned int)CPU_COUNT(&placing.cpus);
	atomic_store(&cpus_seen, seen);
	return seen;
}

uint32_t placing_spin(void)
{
	const struct placing placing = now();
	cpu_set_t may;

	if (placing.spin_set)
		return placing.spin_us * 1000;
	/* Who looks on the only CPU keeps the others from it. */
	allowed(&may);
	return CPU_COUNT(&may) > 1 ? PLACING_DEFAULT_SPIN_US * 1000 : 0;
}

uint32_t placing_threads(void)
{
	return now().threads;
}

static int set_cpus(struct placing *out, const char *text)
{
	char list[128];

	if (!text)
		return ACLKM_OK;
	out->placed = true;
	if (placing_parse(text, &out->cpus) && placing_allow(&out->cpus, true))
		return ACLKM_OK;
	return error_set(ACLKM_ERR_INVALID,
			 "cpus = \"%.60s\": must be numbers and ranges with commas, of "
			 "CPUs that this process may use: %s",
			 text, placing_allowed(list, sizeof(list)));
}

static int set_node(struct placing *out, int32_t node)
{
	cpu_set_t there;
	char list[128];

	if (node == -1)
		return ACLKM_OK;
	if (placing_node(node, &there) && placing_allow(&there, false)) {
		if (!out->placed)
			out->cpus = there;
		out->placed = true;
		CPU_AND(&out->cpus, &out->cpus, &there);
		if (CPU_COUNT(&out->cpus))
			return ACLKM_OK;
	}
	return error_set(
		ACLKM_ERR_INVALID,
		"node = %d: must be -1 (any) or a NUMA node that has some of the "
		"CPUs given, or else of those that this process may use: %s",
		node, placing_allowed(list, sizeof(list)));
}

int aclkm_workers_set(const struct aclkm_workers *workers)
{
	struct placing placing = {0};
	int err = api_enter(__func__);

	if (err || !workers)
		goto set;
	if (workers->threads > PLACING_THREADS)
		return error_set(ACLKM_ERR_INVALID, "threads = %u: at most %d",
				 workers->threads, PLACING_THREADS);
	if (workers->spin_us > PLACING_SPIN_US && workers->spin_us != UINT32_MAX)
		return error_set(ACLKM_ERR_INVALID,
				 "spin_us = %u: at most %d, or UINT32_MAX (the default)",
				 workers->spin_us, PLACING_SPIN_US);
	placing.threads = workers->threads;
	placing.spin_set = workers->spin_us != UINT32_MAX;
	placing.spin_us = workers->spin_us;
	err = set_cpus(&placing, workers->cpus);
	if (!err)
		err = set_node(&placing, workers->node);
set:
	if (!err)
		err = config_check();
	if (!err)
		placing_set(workers ? &placing : NULL);
	return err;
}
