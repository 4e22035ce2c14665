// SPDX-License-Identifier: MIT
/* Where the library's threads run and how they wait: set by the program. */
#include <sched.h>

#include "client.h"
#include "copy/copy.h"
#include "base/base.h"

static const struct aclkm_workers plain = {.node = -1, .spin_us = UINT32_MAX};

static void refused(const struct aclkm_workers *workers, const char *a, const char *b)
{
	uint32_t threads = crew_size(), spin = threads_spin();

	is(aclkm_workers_set(workers), ACLKM_ERR_INVALID, "%s is refused", a);
	ok(strstr(aclkm_last_error(), a) && strstr(aclkm_last_error(), b),
	   "the text has value and limit: %s", aclkm_last_error());
	ok(crew_size() == threads && threads_spin() == spin, "nothing has changed");
}

static void test_refused(void)
{
	struct aclkm_workers w = plain;

	w.threads = 17;
	refused(&w, "threads = 17", "16");
	w = plain;
	w.spin_us = 1000001;
	refused(&w, "spin_us = 1000001", "1000000");
	w = plain;
	w.node = 4711;
	w.threads = 3;
	refused(&w, "node = 4711", "-1 (any)");
	w.node = -2;
	refused(&w, "node = -2", "-1 (any)");
	w = plain;
	w.cpus = "0-";
	refused(&w, "cpus = \"0-\"", "ranges with commas");
	w.cpus = "1023";
	w.spin_us = 7;
	refused(&w, "cpus = \"1023\"", "this process may use: ");
}

static void test_numbers(void)
{
	struct aclkm_workers w = plain;
	uint32_t threads = crew_size(), spin = threads_spin();

	w.threads = 5;
	w.spin_us = 7;
	is(aclkm_workers_set(&w), 0, "five threads, 7 us");
	is(crew_size(), 5, "five");
	is(threads_spin(), 7000, "7 us");
	w.threads = 0;
	w.spin_us = 0;
	is(aclkm_workers_set(&w), 0, "no looking");
	is(threads_spin(), 0, "none");
	is(aclkm_workers_set(NULL), 0, "as the environment says");
	ok(crew_size() == threads && threads_spin() == spin, "which is what it was");
}

static void note_cpus(void *out)
{
	sched_getaffinity(0, sizeof(cpu_set_t), out);
}

/* The CPUs of the thread of a new stream. */
static cpu_set_t cpus_of_new(void)
{
	aclrtStream s;
	cpu_set_t set;

	CPU_ZERO(&set);
	if (aclrtCreateStream(&s) || aclrtLaunchHostFunc(s, note_cpus, &set) ||
	    aclrtDestroyStream(s))
		bail_out("no stream");
	return set;
}

static void test_cpus(void)
{
	struct aclkm_workers w = plain;
	cpu_set_t all, got;
	char text[48];
	int first = 0, last = CPU_SETSIZE - 1;

	sched_getaffinity(0, sizeof(all), &all);
	while (!CPU_ISSET(first, &all))
		first++;
	while (!CPU_ISSET(last, &all))
		last--;
	got = cpus_of_new();
	ok(CPU_EQUAL(&got, &all), "by default a thread runs where the process may");
	snprintf(text, sizeof(text), "%d", first);
	w.cpus = text;
	is(aclkm_workers_set(&w), 0, "the first CPU");
	got = cpus_of_new();
	ok(CPU_COUNT(&got) == 1 && CPU_ISSET(first, &got), "is where it runs");
	is(crew_size(), 1, "and one thread copies");
	snprintf(text, sizeof(text), "%d,%d-%d", first, last, last);
	is(aclkm_workers_set(&w), 0, "the first and the last: %s", text);
	got = cpus_of_new();
	ok(CPU_ISSET(first, &got) && CPU_ISSET(last, &got) && CPU_COUNT(&got) <= 2,
	   "are where it runs");
	is(aclkm_workers_set(NULL), 0, "as the environment says");
	got = cpus_of_new();
	ok(CPU_EQUAL(&got, &all), "everywhere");
	if (access("/sys/devices/system/node/node0/cpulist", R_OK)) {
		skip("node 0", "this machine does not tell its nodes");
		return;
	}
	w.cpus = NULL;
	w.node = 0;
	is(aclkm_workers_set(&w), 0, "node 0");
	got = cpus_of_new();
	CPU_AND(&all, &all, &got);
	ok(CPU_COUNT(&got) && CPU_EQUAL(&all, &got), "some of the process's CPUs");
	is(aclkm_workers_set(NULL), 0, "as the environment says");
}

/* Streams work however long their threads look. */
static void test_spin(void)
{
	static const uint32_t spins[] = {0, 1, 1000};
	struct aclkm_workers w = plain;
	unsigned char *to, *from;
	aclrtStream s;
	int err, i;
	size_t n;

	if (aclrtMalloc((void **)&to, MIB, ACL_MEM_MALLOC_NORMAL_ONLY) ||
	    aclrtMallocHost((void **)&from, MIB))
		bail_out("no memory");
	for (n = 0; n < 3; n++) {
		w.spin_us = spins[n];
		if (aclkm_workers_set(&w) || aclrtCreateStream(&s))
			bail_out("no stream");
		for (i = 0, err = 0; i < 50; i++) {
			memset(from, i, MIB);
			err |= aclrtMemcpyAsync(to, MIB, from, MIB, ACL_MEMCPY_DEFAULT,
						s);
			err |= aclrtSynchronizeStream(s);
			err |= memcmp(to, from, MIB) != 0;
			if (i % 10 == 0)
				usleep(2000);
		}
		is(err | aclrtDestroyStream(s), 0, "copies with %u us of looking",
		   spins[n]);
	}
	is(aclkm_workers_set(NULL) | aclrtFree(to) | aclrtFreeHost(from), 0, "back");
}

int main(void)
{
	small_device();
	need_device();
	test_refused();
	test_numbers();
	test_cpus();
	test_spin();
	return done_testing();
}
