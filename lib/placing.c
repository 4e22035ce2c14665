// SPDX-License-Identifier: MIT
#include "placing.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aclkm/copy.h"
#include "config.h"
#include "error.h"

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

static void allowed(cpu_set_t *out)
{
	CPU_ZERO(out);
	if (sched_getaffinity(getpid(), sizeof(*out), out))
		CPU_SET(0, out);
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

int placing_create(pthread_t *thread, void *(*fn)(void *arg), void *arg)
{
	const struct placing placing = now();
	pthread_attr_t attr;
	int err;

	if (!placing.placed)
		return pthread_create(thread, NULL, fn, arg);
	pthread_attr_init(&attr);
	err = pthread_attr_setaffinity_np(&attr, sizeof(placing.cpus), &placing.cpus);
	if (!err)
		err = pthread_create(thread, &attr, fn, arg);
	pthread_attr_destroy(&attr);
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
