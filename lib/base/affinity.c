// SPDX-License-Identifier: MIT
#include "base/affinity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool affinity_number(const char **at, long *out)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	*out = strtol(*at, &end, 10);
	*at = end;
	return *out < CPU_SETSIZE;
}

static bool affinity_parse(const char *text, cpu_set_t *out)
{
	long from, to;

	CPU_ZERO(out);
	for (;;) {
		if (!affinity_number(&text, &from))
			return false;
		to = from;
		if (*text == '-' && (text++, !affinity_number(&text, &to)))
			return false;
		if (to < from)
			return false;
		for (; from <= to; from++)
			CPU_SET((size_t)from, out);
		if (*text++ != ',')
			return !text[-1];
	}
}

static bool affinity_of_node(int32_t node, cpu_set_t *out)
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
	return affinity_parse(text, out);
}

/*
 * The CPUs of the process when it loaded the library. A thread of the program that pins
 * itself later decides for itself, not for the threads of the library that it starts.
 */
cpu_set_t affinity_at_load;

static __attribute__((constructor)) void affinity_note(void)
{
	CPU_ZERO(&affinity_at_load);
	if (sched_getaffinity(getpid(), sizeof(affinity_at_load), &affinity_at_load))
		CPU_SET(0, &affinity_at_load);
}

static bool affinity_allow(cpu_set_t *cpus, bool all)
{
	int before = CPU_COUNT(cpus);

	CPU_AND(cpus, cpus, &affinity_at_load);
	return CPU_COUNT(cpus) && (!all || CPU_COUNT(cpus) == before);
}

const char *affinity_allowed(char *text, int size)
{
	int cpu, last, at = 0;

	text[0] = 0;
	for (cpu = 0; cpu < CPU_SETSIZE && at < size; cpu = last + 1) {
		last = cpu;
		if (!CPU_ISSET(cpu, &affinity_at_load))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, &affinity_at_load))
			last++;
		at += snprintf(text + at, (size_t)(size - at),
			       last > cpu ? "%s%d-%d" : "%s%d", at ? "," : "", cpu, last);
	}
	return text;
}

bool affinity_choose(struct affinity *out, const char *list)
{
	out->chosen =
		affinity_parse(list, &out->cpus) && affinity_allow(&out->cpus, true);
	return out->chosen;
}

bool affinity_choose_node(struct affinity *out, int32_t node)
{
	cpu_set_t there;
	bool any = affinity_of_node(node, &there) && affinity_allow(&there, false);

	if (any && out->chosen)
		CPU_AND(&there, &there, &out->cpus);
	out->cpus = there;
	out->chosen = any && CPU_COUNT(&there);
	return out->chosen;
}
