// SPDX-License-Identifier: MIT
/*
 * The library used for long: blocks, streams, copies, events, callbacks, host functions,
 * value waits, virtual memory, registered memory, keys, pools and threads that come and
 * go, all of it again and again. What the process has after the first minute is what it
 * has at the end. soak_lib MINUTES [THREADS]
 */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "acl/acl.h"
#include "aclkm/aclkm.h"

#define KIB 1024UL
#define MIB (1024UL * KIB)
#define LIVE 256
#define THREADS 8 /* at most */
#define SAMPLE_SECONDS 5

/* What some huge pages may add that were not touched in the first minute. */
#define SLACK_KIB 8192
#define SLACK_FDS 2

static _Atomic int stop;
static _Atomic unsigned long rounds;

/* A failure is one of the program's logic: nothing here runs out of anything. */
#define MUST(call) must((call), #call, __LINE__)

static void must(int code, const char *call, int line)
{
	if (!code)
		return;
	printf("Bail out! line %d: %s = %d: %s\n", line, call, code,
	       aclGetRecentErrMsg() ?: "");
	fflush(stdout);
	_exit(1);
}

static void blocks(unsigned int *seed)
{
	void *live[LIVE] = {0};
	int i, at;

	for (i = 0; i < 4 * LIVE; i++) {
		at = rand_r(seed) % LIVE;
		if (live[at])
			MUST(at % 2 ? aclrtFree(live[at]) : aclrtFreeHost(live[at]));
		if (at % 2)
			MUST(aclrtMalloc(&live[at], 1 + rand_r(seed) % (16 * KIB),
					 ACL_MEM_MALLOC_NORMAL_ONLY));
		else
			MUST(aclrtMallocHost(&live[at], 1 + rand_r(seed) % (16 * KIB)));
	}
	for (i = 0; i < LIVE; i++) {
		if (live[i])
			MUST(i % 2 ? aclrtFree(live[i]) : aclrtFreeHost(live[i]));
	}
}

static void count(void *arg)
{
	atomic_fetch_add((_Atomic int *)arg, 1);
}

static void streams(unsigned int *seed)
{
	size_t size = 64UL << rand_r(seed) % 15;
	_Atomic int called = 0;
	char *a, *b, *pageable = malloc(size);
	aclrtStream s, t;
	uint64_t *gate;
	aclrtEvent e;
	int i;

	MUST(aclrtCreateStream(&s));
	MUST(aclrtCreateStream(&t));
	MUST(aclrtCreateEventWithFlag(&e, ACL_EVENT_SYNC));
	MUST(aclrtMalloc((void **)&a, size, ACL_MEM_MALLOC_HUGE_FIRST));
	MUST(aclrtMallocHost((void **)&b, size));
	MUST(aclrtMallocHost((void **)&gate, 64));
	*gate = 0;
	memset(pageable, 1, size);
	for (i = 0; i < 20; i++) {
		MUST(aclrtMemcpyAsync(a, size, b, size, ACL_MEMCPY_HOST_TO_DEVICE, s));
		MUST(aclrtLaunchHostFunc(s, count, &called));
		MUST(aclrtRecordEvent(e, s));
		MUST(aclrtStreamWaitEvent(t, e));
		MUST(aclrtMemsetAsync(a, size, i, size, t));
		MUST(aclrtMemcpyAsync(b, size, a, size, ACL_MEMCPY_DEVICE_TO_HOST, t));
		MUST(aclrtSynchronizeStream(t));
	}
	MUST(aclrtValueWait(gate, 1, ACL_STREAM_WAIT_VALUE_EQ, s));
	MUST(aclrtValueWrite(gate, 1, 0, t));
	MUST(aclrtMemcpyAsync(a, size, pageable, size, ACL_MEMCPY_HOST_TO_DEVICE, s));
	MUST(aclrtSynchronizeStream(s));
	MUST(called != 20);
	MUST(aclrtDestroyEvent(e));
	MUST(aclrtDestroyStream(s));
	MUST(aclrtDestroyStream(t));
	MUST(aclrtFree(a));
	MUST(aclrtFreeHost(b));
	MUST(aclrtFreeHost(gate));
	free(pageable);
}

static void *poll_one(void *arg)
{
	int code;

	do {
		code = aclrtProcessReport(1000);
	} while (code && code != 507012);
	return arg;
}

static void callbacks(void)
{
	_Atomic int called = 0;
	pthread_t thread;
	aclrtStream s;

	MUST(aclrtCreateStream(&s));
	MUST(pthread_create(&thread, NULL, poll_one, NULL));
	MUST(aclrtSubscribeReport((uint64_t)thread, s));
	MUST(aclrtLaunchCallback(count, &called, ACL_CALLBACK_BLOCK, s));
	MUST(aclrtSynchronizeStream(s));
	MUST(pthread_join(thread, NULL));
	MUST(aclrtUnSubscribeReport((uint64_t)thread, s));
	MUST(aclrtDestroyStream(s));
	MUST(called != 1);
}

static void virtual_memory(void)
{
	aclrtPhysicalMemProp prop = {.handleType = ACL_MEM_HANDLE_TYPE_NONE,
				     .allocationType = ACL_MEM_ALLOCATION_TYPE_PINNED,
				     .memAttr = ACL_HBM_MEM_NORMAL,
				     .location.type = ACL_MEM_LOCATION_TYPE_DEVICE};
	aclrtDrvMemHandle handle;
	void *at;

	MUST(aclrtReserveMemAddress(&at, 4 * MIB, 0, NULL, 0));
	MUST(aclrtMallocPhysical(&handle, 2 * MIB, &prop, 0));
	MUST(aclrtMapMem(at, 2 * MIB, 0, handle, 0));
	MUST(aclrtMemset(at, 2 * MIB, 1, 2 * MIB));
	MUST(aclrtUnmapMem(at));
	MUST(aclrtFreePhysical(handle));
	MUST(aclrtReleaseMemAddress(at));
}

static void registered(void)
{
	char *host = mmap(NULL, 64 * KIB, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *device, *a;
	aclrtStream s;

	MUST(host == MAP_FAILED);
	MUST(aclrtHostRegister(host, 64 * KIB, ACL_HOST_REGISTER_MAPPED, &device));
	MUST(aclrtMalloc(&a, 64 * KIB, ACL_MEM_MALLOC_NORMAL_ONLY));
	MUST(aclrtCreateStream(&s));
	MUST(aclrtMemcpyAsync(a, 64 * KIB, host, 64 * KIB, ACL_MEMCPY_HOST_TO_DEVICE, s));
	MUST(aclrtSynchronizeStream(s));
	MUST(aclrtDestroyStream(s));
	MUST(aclrtHostUnregister(host));
	MUST(aclrtFree(a));
	munmap(host, 64 * KIB);
}

static void keys(void)
{
	char key[ACL_RT_IPC_MEM_KEY_LENGTH];
	void *a;

	MUST(aclrtMalloc(&a, 2 * MIB, ACL_MEM_MALLOC_HUGE_FIRST));
	MUST(aclrtIpcMemGetExportKey(a, 2 * MIB, key, sizeof(key), 1));
	MUST(aclrtIpcMemClose(key));
	MUST(aclrtFree(a));
}

static void *short_thread(void *arg)
{
	void *p;

	MUST(aclrtSetDevice(0));
	MUST(aclrtMalloc(&p, 100, ACL_MEM_MALLOC_NORMAL_ONLY));
	MUST(aclrtFree(p));
	/* Each thread has an error text of its own. */
	aclrtMalloc(&p, 0, ACL_MEM_MALLOC_NORMAL_ONLY);
	MUST(aclrtResetDevice(0));
	return arg;
}

static void *work(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;
	pthread_t thread;

	MUST(aclrtSetDevice(0));
	while (!stop) {
		blocks(&seed);
		streams(&seed);
		callbacks();
		virtual_memory();
		registered();
		keys();
		MUST(pthread_create(&thread, NULL, short_thread, NULL));
		MUST(pthread_join(thread, NULL));
		rounds++;
	}
	MUST(aclrtResetDevice(0));
	return NULL;
}

struct sample {
	long kib, fds, threads;
};

static long status_of(const char *name)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[128];
	long value = -1;

	while (file && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, name, strlen(name)))
			value = atol(line + strlen(name));
	}
	if (file)
		fclose(file);
	return value;
}

static struct sample take_sample(void)
{
	struct sample sample = {status_of("VmRSS:"), 0, status_of("Threads:")};
	DIR *dir = opendir("/proc/self/fd");

	while (dir && readdir(dir))
		sample.fds++;
	if (dir)
		closedir(dir);
	return sample;
}

/* The largest of samples that are taken until then. */
static struct sample watch(long seconds)
{
	struct sample most = {0}, now;
	long left;

	for (left = seconds; left > 0; left -= SAMPLE_SECONDS) {
		sleep(SAMPLE_SECONDS);
		now = take_sample();
		most.kib = now.kib > most.kib ? now.kib : most.kib;
		most.fds = now.fds > most.fds ? now.fds : most.fds;
		most.threads = now.threads > most.threads ? now.threads : most.threads;
	}
	return most;
}

int main(int argc, char **argv)
{
	long minutes = argc > 1 ? atol(argv[1]) : 30;
	int workers = argc > 2 ? atoi(argv[2]) : 3;
	struct sample first, last;
	pthread_t threads[THREADS];
	bool flat_memory, flat_fds;
	int i;

	if (minutes < 2 || workers < 1 || workers > THREADS) {
		fprintf(stderr, "soak_lib: at least 2 minutes, 1 to %d threads\n",
			THREADS);
		return 2;
	}
	for (i = 0; i < workers; i++)
		MUST(pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)(i + 1)));
	first = watch(60);
	last = watch((minutes - 1) * 60);
	stop = 1;
	for (i = 0; i < workers; i++)
		pthread_join(threads[i], NULL);
	flat_memory = last.kib <= first.kib + SLACK_KIB;
	flat_fds = last.fds <= first.fds + SLACK_FDS;
	printf("%s 1 - resident memory is flat: %ld KiB after a minute, %ld at most "
	       "later\n",
	       flat_memory ? "ok" : "not ok", first.kib, last.kib);
	printf("%s 2 - descriptors are flat: %ld after a minute, %ld at most later\n",
	       flat_fds ? "ok" : "not ok", first.fds, last.fds);
	printf("# %lu rounds of %d threads in %ld minutes\n1..2\n", rounds, workers,
	       minutes);
	return !flat_memory || !flat_fds;
}
