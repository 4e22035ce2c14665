// SPDX-License-Identifier: MIT
/* Captured streams: what is kept, in which order it runs again, and what is refused. */
#include "gate.h"

#define SIZE (64UL << 10)
#define MANY 1000
#define OFTEN 20 /* runs of each of two threads */

static aclrtStream s, t;
static unsigned char *a, *b, *c;

static aclmdlRICaptureStatus status_of(aclrtStream stream)
{
	aclmdlRICaptureStatus status = (aclmdlRICaptureStatus)9;

	if (aclmdlRICaptureGetInfo(stream, &status, NULL))
		return (aclmdlRICaptureStatus)8;
	return status;
}

static bool all_are(const unsigned char *at, size_t size, int value)
{
	size_t i;

	for (i = 0; i < size && at[i] == value; i++)
		;
	return i == size;
}

static void clear(void)
{
	memset(a, 0, SIZE);
	memset(b, 0, SIZE);
	memset(c, 0, SIZE);
}

static void begin(aclrtStream stream, aclmdlRICaptureMode mode)
{
	is(aclmdlRICaptureBegin(stream, mode), 0, "begin");
}

static aclmdlRI end(aclrtStream stream)
{
	aclmdlRI graph = NULL;

	is(aclmdlRICaptureEnd(stream, &graph), 0, "end");
	return graph;
}

static void run(aclmdlRI graph, aclrtStream stream)
{
	is(aclmdlRIExecuteAsync(graph, stream), 0, "run");
	is(aclrtSynchronizeStream(stream), 0, "the run ends");
}

static void copy(void *dst, const void *src, size_t size, aclrtStream stream)
{
	is(aclrtMemcpyAsync(dst, size, src, size, ACL_MEMCPY_DEVICE_TO_DEVICE, stream), 0,
	   "copy");
}

static int calls;
static void count_call(void *arg)
{
	__atomic_fetch_add((int *)arg, 1, __ATOMIC_RELAXED);
}

static void test_arguments(void)
{
	aclmdlRICaptureMode mode = (aclmdlRICaptureMode)3;
	aclmdlRICaptureStatus status;
	aclmdlRI graph = (aclmdlRI)1, gone;
	char name[8];
	uint32_t id;

	is(aclmdlRICaptureBegin(NULL, ACL_MODEL_RI_CAPTURE_MODE_GLOBAL), 100000, "NULL");
	is(aclmdlRICaptureBegin(s, (aclmdlRICaptureMode)3), 107000, "mode 3");
	is(aclmdlRICaptureBegin((aclrtStream)8, ACL_MODEL_RI_CAPTURE_MODE_GLOBAL), 107003,
	   "no stream");
	is(aclmdlRICaptureGetInfo(s, NULL, NULL), 100000, "info: no room");
	is(aclmdlRICaptureGetInfo(s, &status, &graph), 0, "info");
	ok(status == ACL_MODEL_RI_CAPTURE_STATUS_NONE && !graph, "nothing is captured");
	is(aclmdlRICaptureEnd(s, NULL), 100000, "end: no room");
	is(aclmdlRICaptureEnd(s, &graph), 107029, "end without a begin");
	is(aclmdlRICaptureThreadExchangeMode(NULL), 100000, "exchange: NULL");
	is(aclmdlRICaptureThreadExchangeMode(&mode), 107000, "exchange: mode 3");
	is(aclmdlRIExecuteAsync(NULL, s), 100000, "run: NULL");
	is(aclmdlRIExecuteAsync((aclmdlRI)8, s), 107000, "run: no graph");
	is(aclmdlRIDestroy(NULL), 100000, "destroy: NULL");
	begin(s, ACL_MODEL_RI_CAPTURE_MODE_RELAXED);
	gone = end(s);
	is(aclmdlRIGetId(gone, &id), 0, "id");
	is(aclmdlRISetName(gone, "decode \"1\""), 0, "name");
	is(aclmdlRIGetName(gone, sizeof(name), name), 107000, "no room for the name");
	is(aclmdlRIExecuteAsync(gone, (aclrtStream)8), 107003, "run: no stream");
	is(aclmdlRIExecute(gone, 0), 107000, "run: time 0");
	is(aclmdlRIExecute(gone, -1), 0, "a graph without tasks");
	is(aclmdlRIDestroy(gone), 0, "destroy");
	is(aclmdlRIDestroy(gone), 107000, "again");
	is(aclmdlRIExecuteAsync(gone, s), 107000, "run: destroyed");
}

/* Nothing happens before the run, and each run does it again with what is there then. */
static void test_tasks_run_again(void)
{
	aclmdlRICaptureStatus status;
	aclmdlRI graph = NULL, filled = NULL;
	int i;

	clear();
	calls = 0;
	begin(s, ACL_MODEL_RI_CAPTURE_MODE_GLOBAL);
	is(aclmdlRICaptureGetInfo(s, &status, &filled), 0, "info");
	ok(status == ACL_MODEL_RI_CAPTURE_STATUS_ACTIVE && filled, "it is captured");
	is(aclmdlRIExecuteAsync(filled, t), 107026, "a graph that is being filled");
	is(aclmdlRIDestroy(filled), 107026, "nor destroyed");
	is(aclrtMemsetAsync(a, SIZE, 7, 4096, s), 0, "set");
	copy(b, a, 4096, s);
	copy(c, a + SIZE / 2, SIZE / 2, s);
	is(aclrtMemcpy2dAsync(b + 8192, 128, a, 64, 64, 4, ACL_MEMCPY_DEVICE_TO_DEVICE,
			      s),
	   0, "rows");
	is(aclrtMemsetD32Async(a + 4096, 64, 0x01010101, 16, s), 0, "words");
	is(aclrtLaunchHostFunc(s, count_call, &calls), 0, "host function");
	graph = end(s);
	ok(graph == filled, "the graph of the begin");
	ok(all_are(a, SIZE, 0) && all_are(b, SIZE, 0) && !calls, "nothing has run");
	for (i = 1; i <= 3; i++) {
		memset(a, 0, SIZE);
		memset(a + SIZE / 2, i, SIZE / 2);
		run(graph, i == 2 ? t : s);
		ok(all_are(a, 4096, 7) && all_are(b, 4096, 7) &&
			   all_are(a + 4096, 64, 1) && all_are(c, SIZE / 2, i) &&
			   all_are(b + 8192 + 3 * 128, 64, 7) &&
			   all_are(b + 8192 + 64, 64, 0) && calls == i,
		   "run %d did all of it", i);
	}
	is(aclmdlRIExecute(graph, -1), 0, "a run that is waited for");
	is(calls, 4, "on the default stream");
	is(aclmdlRIDestroy(graph), 0, "destroy");
}

/* A fork and a join by events; the nodes run in the order of their submission. */
static void test_fork_and_join(void)
{
	aclrtEvent fork_event, join_event;
	aclmdlRI graph = NULL;

	aclrtCreateEvent(&fork_event);
	aclrtCreateEvent(&join_event);
	clear();
	begin(s, ACL_MODEL_RI_CAPTURE_MODE_GLOBAL);
	is(aclrtMemsetAsync(a, SIZE, 3, SIZE, s), 0, "set");
	is(aclrtRecordEvent(fork_event, s), 0, "record");
	is(aclrtQueryEvent(fork_event, &(aclrtEventStatus){0}), 107028, "query");
	is(aclrtSynchronizeEvent(fork_event), 107028, "synchronise");
	is(aclrtStreamWaitEvent(t, fork_event), 0, "wait");
	is(status_of(t), ACL_MODEL_RI_CAPTURE_STATUS_ACTIVE,
	   "the other is captured, too");
	copy(b, a, SIZE, t);
	is(aclmdlRICaptureEnd(t, &graph), 107036, "the other cannot end it");
	is(aclrtRecordEvent(join_event, t), 0, "record");
	is(aclrtStreamWaitEvent(s, join_event), 0, "wait");
	copy(c, b, SIZE, s);
	graph = end(s);
	is(status_of(t), ACL_MODEL_RI_CAPTURE_STATUS_NONE, "both are free again");
	run(graph, t);
	ok(all_are(c, SIZE, 3), "each behind what it waited for");
	is(aclmdlRIDestroy(graph), 0, "destroy");

	begin(s, ACL_MODEL_RI_CAPTURE_MODE_GLOBAL);
	aclrtRecordEvent(fork_event, s);
	aclrtStreamWaitEvent(t, fork_event);
	copy(b, a, SIZE, t);
	aclrtRecordEvent(join_event, t);
	is(aclrtStreamWaitEvent(s, join_event), 0, "joined");
	copy(b, a, SIZE, t);
	graph = (aclmdlRI)1;
	is(aclmdlRICaptureEnd(s, &graph), 107025, "a task behind the join");
	ok(!graph && !status_of(s) && !status_of(t), "there is no graph, and no capture");
	copy(b, a, SIZE, t);
	is(aclrtSynchronizeStream(t), 0, "the streams are of use");
	is(aclrtDestroyEvent(fork_event) | aclrtDestroyEvent(join_event), 0, "events go");
}

static void test_refusals(void)
{
	aclrtEvent event, other;
	aclmdlRI graph = NULL;
	aclrtStreamStatus status;
	char pageable[128] = {0};

	aclrtCreateEvent(&event);
	aclrtCreateEvent(&other);
	begin(s, ACL_MODEL_RI_CAPTURE_MODE_GLOBAL);
	is(aclmdlRICaptureBegin(s, ACL_MODEL_RI_CAPTURE_MODE_GLOBAL), 107027, "twice");
	is(aclrtSynchronizeStream(s), 107027, "synchronise");
	is(aclrtStreamQuery(s, &status), 107027, "query");
	is(aclrtSynchronizeDevice(), 107027, "the device");
	is(aclrtStreamAbort(s), 107027, "abort");
	is(aclrtMemcpy(a, SIZE, b, 64, ACL_MEMCPY_DEVICE_TO_DEVICE), 107030, "copy");
	ok(recent_has("aclmdlRICaptureThreadExchangeMode"), "the text says what to do");
	is(aclrtMemset(a, SIZE, 1, 64), 107030, "set");
	is(aclrtMemsetD32(a, SIZE, 1, 4), 107030, "words");
	is(aclrtMemcpy2d(a, 64, pageable, 64, 64, 2, ACL_MEMCPY_HOST_TO_DEVICE), 107030,
	   "rows");
	is(aclrtMemcpyAsync(a, SIZE, pageable, 128, ACL_MEMCPY_HOST_TO_DEVICE, s), 107030,
	   "pageable memory");
	is(aclrtStreamWaitEvent(s, event), 107024, "an event from outside");
	begin(t, ACL_MODEL_RI_CAPTURE_MODE_RELAXED);
	is(aclrtRecordEvent(other, t), 0, "record");
	is(aclrtStreamWaitEvent(s, other), 107032, "an event of another capture");
	is(aclmdlRICaptureToModelRIBegin(t, NULL, ACL_MODEL_RI_CAPTURE_MODE_GLOBAL),
	   100000, "into nothing");
	is(aclmdlRIDestroy(end(t)), 0, "the other one goes");
	graph = end(s);
	is(aclrtMemcpy(a, SIZE, b, 64, ACL_MEMCPY_DEVICE_TO_DEVICE), 0, "copy again");
	is(aclmdlRICaptureToModelRIBegin(s, graph, ACL_MODEL_RI_CAPTURE_MODE_RELAXED), 0,
	   "into a graph");
	is(aclmdlRICaptureToModelRIBegin(t, graph, ACL_MODEL_RI_CAPTURE_MODE_RELAXED),
	   107026, "twice into one");
	calls = 0;
	aclrtLaunchHostFunc(s, count_call, &calls);
	ok(end(s) == graph, "the same graph");
	run(graph, s);
	is(calls, 1, "with what was added");
	is(aclmdlRIDestroy(graph), 0, "destroy");
	is(aclrtDestroyEvent(event) | aclrtDestroyEvent(other), 0, "events go");
}

static aclError other_code[4];
static void *other_thread(void *arg)
{
	aclmdlRICaptureMode mode = ACL_MODEL_RI_CAPTURE_MODE_RELAXED;
	aclmdlRI graph;

	aclrtSetDevice(0);
	other_code[0] = aclrtMemset(a, SIZE, 1, 64);
	other_code[1] = aclmdlRICaptureEnd(arg, &graph);
	aclmdlRICaptureThreadExchangeMode(&mode);
	other_code[2] = aclrtMemset(a, SIZE, 1, 64);
	other_code[3] = aclrtMemsetAsync(b, SIZE, 9, 64, arg);
	return NULL;
}

static void from_thread(aclrtStream stream)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, other_thread, stream))
		bail_out("no thread");
	pthread_join(thread, NULL);
}

static void test_modes(void)
{
	aclmdlRICaptureMode mode = ACL_MODEL_RI_CAPTURE_MODE_RELAXED;
	aclmdlRI graph;

	clear();
	begin(s, ACL_MODEL_RI_CAPTURE_MODE_GLOBAL);
	from_thread(s);
	is(other_code[0], 107030, "global: other threads, too");
	is(other_code[1], 107038, "another thread cannot end it");
	is(other_code[2], 0, "but for a relaxed one");
	is(other_code[3], 0, "another thread's task is captured");
	is(aclmdlRICaptureThreadExchangeMode(&mode), 0, "exchange");
	is(mode, ACL_MODEL_RI_CAPTURE_MODE_GLOBAL, "the mode before");
	is(aclrtMemset(a, SIZE, 1, 64), 0, "this thread is relaxed");
	is(aclmdlRICaptureThreadExchangeMode(&mode), 0, "back");
	is(aclrtMemset(a, SIZE, 1, 64), 107030, "as before");
	graph = end(s);
	run(graph, s);
	ok(all_are(b, 64, 9), "the other thread's task runs");
	aclmdlRIDestroy(graph);

	begin(s, ACL_MODEL_RI_CAPTURE_MODE_THREAD_LOCAL);
	is(aclrtMemset(a, SIZE, 1, 64), 107030, "thread-local: this thread");
	from_thread(s);
	is(other_code[0], 0, "not the others");
	aclmdlRIDestroy(end(s));
	begin(s, ACL_MODEL_RI_CAPTURE_MODE_RELAXED);
	is(aclrtMemset(a, SIZE, 1, 64), 0, "relaxed: nobody");
	aclmdlRIDestroy(end(s));
}

static void test_streams_end(void)
{
	aclrtEvent event;
	aclrtStream other;
	aclmdlRI graph = (aclmdlRI)1;

	aclrtCreateEvent(&event);
	aclrtCreateStream(&other);
	begin(other, ACL_MODEL_RI_CAPTURE_MODE_GLOBAL);
	is(aclrtMemsetAsync(a, SIZE, 1, 64, other), 0, "set");
	is(aclrtDestroyStream(other), 0, "destroyed while it is captured");
	is(aclrtMemset(a, SIZE, 1, 64), 0, "no capture is left");
	aclrtCreateStream(&other);
	begin(s, ACL_MODEL_RI_CAPTURE_MODE_GLOBAL);
	aclrtRecordEvent(event, s);
	is(aclrtStreamWaitEvent(other, event), 0, "fork");
	is(aclrtDestroyStream(other), 0, "the forked one is destroyed");
	is(status_of(s), ACL_MODEL_RI_CAPTURE_STATUS_INVALIDATED, "invalid");
	ok(aclmdlRICaptureEnd(s, &graph) && !graph, "no graph");
	is(status_of(s), ACL_MODEL_RI_CAPTURE_STATUS_NONE, "and no capture");
	is(aclrtDestroyEvent(event), 0, "the event goes");
}

static sem_t blocked, unblock;
static void block(void *arg)
{
	(void)arg;
	sem_post(&blocked);
	sem_wait(&unblock);
}

static void leave(void *arg)
{
	count_call(arg);
	pthread_exit(NULL);
}

/* Destroyed while it runs: the run ends first, and then what was registered is called. */
static void test_destroyed_while_it_runs(void)
{
	int ended = 0;
	aclmdlRI graph;

	sem_init(&blocked, 0, 0);
	sem_init(&unblock, 0, 0);
	clear();
	begin(s, ACL_MODEL_RI_CAPTURE_MODE_GLOBAL);
	aclrtLaunchHostFunc(s, block, NULL);
	aclrtMemsetAsync(a, SIZE, 5, SIZE, s);
	graph = end(s);
	is(aclmdlRIDestroyRegisterCallback(graph, count_call, &ended), 0, "register");
	is(aclmdlRIDestroyUnregisterCallback(graph, block), 107000, "another one");
	is(aclmdlRIExecuteAsync(graph, t), 0, "run");
	sem_wait(&blocked);
	is(aclmdlRICaptureToModelRIBegin(s, graph, ACL_MODEL_RI_CAPTURE_MODE_GLOBAL),
	   107037, "a graph that runs gets no tasks");
	is(aclmdlRIDestroy(graph), 0, "destroy");
	is(ended, 0, "it still runs");
	sem_post(&unblock);
	is(aclrtSynchronizeStream(t), 0, "the run ends");
	ok(all_are(a, SIZE, 5), "whole");
	is(ended, 1, "and then it is told");
}

static void test_thread_that_leaves(void)
{
	int ended = 0;
	aclmdlRI graph;

	clear();
	calls = 0;
	begin(s, ACL_MODEL_RI_CAPTURE_MODE_GLOBAL);
	aclrtLaunchHostFunc(s, leave, &calls);
	aclrtLaunchHostFunc(s, leave, &calls);
	aclrtMemsetAsync(a, SIZE, 6, SIZE, s);
	graph = end(s);
	run(graph, s);
	ok(calls == 2 && all_are(a, SIZE, 6), "what comes behind it runs");
	run(graph, s);
	is(calls, 4, "again");
	is(aclmdlRIDestroyRegisterCallback(graph, count_call, &ended), 0, "register");
	is(aclmdlRIDestroy(graph), 0, "destroy");
	is(ended, 1, "no run is left");
}

/* An event of the outside is recorded and waited for in each run. */
static void test_external_events(void)
{
	aclrtEvent event, waited;
	aclmdlRI graph, second;
	struct gate gate;

	is(aclrtCreateEventExWithFlag(&event, ACL_EVENT_EXTERNAL), 0, "external event");
	aclrtCreateEvent(&waited);
	clear();
	begin(s, ACL_MODEL_RI_CAPTURE_MODE_GLOBAL);
	aclrtMemsetAsync(a, SIZE, 4, SIZE, s);
	is(aclrtRecordEvent(event, s), 0, "record");
	graph = end(s);
	begin(t, ACL_MODEL_RI_CAPTURE_MODE_GLOBAL);
	is(aclrtStreamWaitEventWithFlag(t, waited, 0, 1), 0, "wait by flag");
	copy(b, a, SIZE, t);
	second = end(t);
	is(aclrtSynchronizeEvent(event), 0, "never recorded so far");
	gate_close(&gate, s);
	is(aclmdlRIExecuteAsync(graph, s), 0, "run");
	is(aclrtRecordEventWithFlag(waited, s, 1), 0, "recorded behind it");
	is(aclmdlRIExecuteAsync(second, t), 0, "run, which waits");
	ok(!all_are(a, SIZE, 4) && !all_are(b, SIZE, 4), "the gate is closed");
	gate_open(&gate);
	is(aclrtSynchronizeEvent(event), 0, "the event of the run");
	ok(all_are(a, SIZE, 4), "came behind what was before it");
	is(aclrtSynchronizeStream(t), 0, "the second ends");
	ok(all_are(b, SIZE, 4), "behind what it waited for");
	is(aclmdlRIDestroy(graph) | aclmdlRIDestroy(second), 0, "destroy");
	is(aclrtDestroyEvent(event) | aclrtDestroyEvent(waited), 0, "events go");
}

/* Many small tasks; one graph in two streams at once, from two threads. */
static void *run_often(void *arg)
{
	aclrtStream stream;
	long odd = 0;
	int i;

	odd |= aclrtSetDevice(0) | aclrtCreateStream(&stream);
	for (i = 0; i < OFTEN; i++)
		odd |= aclmdlRIExecuteAsync(arg, stream);
	odd |= aclrtSynchronizeStream(stream) | aclrtDestroyStream(stream);
	return (void *)odd;
}

static void test_many(void)
{
	pthread_t threads[2];
	aclmdlRI graph;
	void *odd[2];
	size_t i;

	clear();
	memset(a, 2, SIZE);
	begin(s, ACL_MODEL_RI_CAPTURE_MODE_GLOBAL);
	for (i = 0; i < MANY; i++)
		if (aclrtMemcpyAsync(b + i * 64, 64, a + i * 64, 64,
				     ACL_MEMCPY_DEVICE_TO_DEVICE, s))
			bail_out("a copy is refused");
	graph = end(s);
	run(graph, s);
	ok(all_are(b, MANY * 64, 2) && all_are(b + MANY * 64, SIZE - MANY * 64, 0),
	   "all copies and nothing else");
	is(aclmdlRIDestroy(graph), 0, "destroy");

	calls = 0;
	begin(s, ACL_MODEL_RI_CAPTURE_MODE_GLOBAL);
	for (i = 0; i < MANY; i++)
		if (aclrtLaunchHostFunc(s, count_call, &calls))
			bail_out("a host function is refused");
	graph = end(s);
	for (i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, run_often, graph))
			bail_out("no thread");
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], &odd[i]);
	ok(!odd[0] && !odd[1], "two threads run one graph");
	is(calls, 2 * OFTEN * MANY, "each run has all of it");
	is(aclmdlRIDestroy(graph), 0, "destroy");
}

static void test_json(void)
{
	char path[] = "/tmp/aclkm-graph-XXXXXX", text[1024] = "";
	int fd = mkstemp(path), out;
	aclmdlRI graph;
	aclError code;

	begin(s, ACL_MODEL_RI_CAPTURE_MODE_GLOBAL);
	copy(b, a, 64, s);
	graph = end(s);
	is(aclmdlRISetName(graph, "say \"x\""), 0, "name");
	is(aclmdlRIDebugJsonPrint(graph, path, ACL_MDLRI_DEBUG_JSON_PRINT_VERBOSE), 0,
	   "print");
	ok(read(fd, text, sizeof(text) - 1) > 0, "there is a file");
	ok(strstr(text, "\"type\": \"copy\"") && strstr(text, "\"count\": 64") &&
		   strstr(text, "say ?x?"),
	   "with the task");
	fflush(stdout);
	out = dup(STDOUT_FILENO);
	if (lseek(fd, 0, SEEK_SET) || ftruncate(fd, 0) || dup2(fd, STDOUT_FILENO) < 0)
		bail_out("standard output cannot be a file");
	code = aclmdlRIDebugPrint(graph);
	dup2(out, STDOUT_FILENO);
	close(out);
	is(code, 0, "to standard output");
	memset(text, 0, sizeof(text));
	ok(pread(fd, text, sizeof(text) - 1, 0) > 0 && strstr(text, "\"tasks\": ["),
	   "the same");
	is(aclmdlRIDebugJsonPrint(graph, path, 2), 107000, "flag 2");
	is(aclmdlRIDebugJsonPrint(graph, "/nowhere/x", 0), 107000, "no folder");
	is(aclmdlRIDestroy(graph), 0, "destroy");
	close(fd);
	unlink(path);
}

int main(void)
{
	small_device();
	need_device();
	if (aclrtCreateStream(&s) || aclrtCreateStream(&t) ||
	    aclrtMalloc((void **)&a, SIZE, ACL_MEM_MALLOC_NORMAL_ONLY) ||
	    aclrtMalloc((void **)&b, SIZE, ACL_MEM_MALLOC_NORMAL_ONLY) ||
	    aclrtMalloc((void **)&c, SIZE, ACL_MEM_MALLOC_NORMAL_ONLY))
		bail_out("no stream or memory");
	test_arguments();
	test_tasks_run_again();
	test_fork_and_join();
	test_refusals();
	test_modes();
	test_streams_end();
	test_destroyed_while_it_runs();
	test_thread_that_leaves();
	test_external_events();
	test_many();
	test_json();
	is(aclrtFree(a) | aclrtFree(b) | aclrtFree(c), 0, "memory goes");
	is(aclrtDestroyStream(s) | aclrtDestroyStream(t), 0, "streams go");
	return done_testing();
}
