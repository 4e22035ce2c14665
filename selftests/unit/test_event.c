// SPDX-License-Identifier: MIT
/* Events: record, wait, query, time, reset, limits; real threads and gates, no sleeps. */
#include "gate.h"

static aclrtStream s, t;

static int recorded(aclrtEvent event)
{
	aclrtEventRecordedStatus status = (aclrtEventRecordedStatus)9;

	if (aclrtQueryEventStatus(event, &status))
		return -1;
	return (int)status;
}

static void test_arguments(void)
{
	aclrtEvent event = NULL, gone;
	aclrtEventStatus status;
	float ms;

	is(aclrtCreateEvent(NULL), 100000, "create: NULL");
	is(aclrtCreateEventWithFlag(NULL, 1), 100000, "with flag: NULL");
	is(aclrtCreateEventExWithFlag(NULL, 1), 100000, "ex: NULL");
	is(aclrtCreateEventWithFlag(&event, 0x80), 107000, "unknown flags");
	ok(recent_has("0x80"), "the text has the value");
	is(aclrtCreateEventExWithFlag(&event, 0x80000000U), 107000, "ex: unknown flags");
	is(aclrtCreateEvent(&gone), 0, "create");
	is(aclrtDestroyEvent(gone), 0, "destroy");
	is(aclrtDestroyEvent(gone), 107000, "again");
	ok(recent_has("destroyed already"), "the text says so");
	is(aclrtDestroyEvent(NULL), 100000, "destroy: NULL");
	is(aclrtRecordEvent(NULL, s), 100000, "record: NULL");
	is(aclrtRecordEvent(gone, s), 107000, "record: destroyed");
	is(aclrtStreamWaitEvent(s, NULL), 100000, "wait: NULL");
	is(aclrtStreamWaitEvent(s, gone), 107000, "wait: destroyed");
	is(aclrtSynchronizeEvent(NULL), 100000, "synchronise: NULL");
	is(aclrtSynchronizeEvent(gone), 107000, "synchronise: destroyed");
	is(aclrtQueryEvent(gone, &status), 107000, "query: destroyed");
	is(aclrtQueryEvent(NULL, &status), 100000, "query: NULL");
	is(aclrtResetEvent(gone, s), 107000, "reset: destroyed");
	is(aclrtEventElapsedTime(&ms, gone, gone), 107000, "elapsed: destroyed");
	is(aclrtCreateEvent(&event), 0, "create");
	is(aclrtQueryEvent(event, NULL), 100000, "query: no room for the answer");
	is(aclrtQueryEventStatus(event, NULL), 100000, "status: no room");
	is(aclrtQueryEventWaitStatus(event, NULL), 100000, "wait status: no room");
	is(aclrtEventElapsedTime(NULL, event, event), 100000, "elapsed: no room");
	is(aclrtRecordEvent(event, (aclrtStream)event), 107003, "record: no stream");
	is(recorded(event), 0, "a refused record is none");
	is(aclrtStreamWaitEvent((aclrtStream)8, event), 107003, "wait: no stream");
	is(aclrtRecordEventWithFlag(event, s, 2), 107000, "record flag 2");
	is(aclrtStreamWaitEventWithFlag(s, event, 0, 2), 107000, "wait flag 2");
	is(aclrtStreamWaitEventWithTimeout(s, event, 0), 107000, "wait timeout 0");
	is(aclrtStreamWaitEventWithTimeout(s, event, -2), 107000, "wait timeout -2");
	is(aclrtSynchronizeEventWithTimeout(event, -2), 107000, "timeout -2");
	is(aclrtDestroyEvent(event), 0, "destroy");
}

static void *without_context(void *arg)
{
	aclrtEvent event;
	long odd = 0;

	odd += aclrtCreateEvent(&event) != 107002;
	odd += aclrtRecordEvent(arg, NULL) != 107002;
	odd += aclrtStreamWaitEvent(NULL, arg) != 107002;
	odd += aclrtSynchronizeEvent(arg) != 107002;
	odd += aclrtDestroyEvent(arg) != 0;
	return (void *)odd;
}

static void test_no_context(void)
{
	pthread_t thread;
	aclrtEvent event;
	void *odd;

	if (aclrtCreateEvent(&event) ||
	    pthread_create(&thread, NULL, without_context, event))
		bail_out("no event");
	pthread_join(thread, &odd);
	is((long)odd, 0, "without a context: 107002 for all but destroy");
}

static void test_never_recorded(void)
{
	aclrtEvent old, ex;
	uint64_t time;
	float ms;

	if (aclrtCreateEvent(&old) ||
	    aclrtCreateEventExWithFlag(&ex, ACL_EVENT_TIME_LINE))
		bail_out("no event");
	is(aclrtSynchronizeEvent(old), 0, "never recorded: synchronise returns");
	is(recorded(old), 0, "is not complete");
	is(recorded(ex), 1, "but is in the newer kind");
	is(aclrtStreamWaitEvent(s, old), 0, "a stream does not wait");
	is(aclrtSynchronizeStream(s), 0, "for it");
	is(aclrtEventElapsedTime(&ms, old, old), 507000, "has no time");
	ok(recent_has("never recorded"), "the text says so");
	is(aclrtEventGetTimestamp(ex, &time), 507000, "neither in the newer kind");
	is(aclrtDestroyEvent(old) | aclrtDestroyEvent(ex), 0, "destroy");
}

static void test_record(void)
{
	aclrtEventWaitStatus waited = ACL_EVENT_WAIT_STATUS_RESERVED;
	aclrtEventStatus status = ACL_EVENT_STATUS_RESERVED;
	uint32_t id = 0, left = 0, less = 0;
	aclrtStreamStatus idle;
	struct gate gate;
	aclrtEvent event;
	float ms;

	/* An event that is destroyed goes when the stream is done with it. */
	aclrtSynchronizeDevice();
	aclrtGetEventAvailNum(&left);
	if (aclrtCreateEvent(&event))
		bail_out("no event");
	is(aclrtGetEventId(event, &id) | id, 0, "no number before the first record");
	gate_close(&gate, s);
	is(aclrtRecordEvent(event, s), 0, "record behind a closed gate");
	aclrtGetEventAvailNum(&less);
	is(left - less, 1, "takes one of the device's events");
	is(aclrtGetEventId(event, &id), 0, "number");
	ok(id, "is there now");
	is(recorded(event), 0, "not complete");
	is(aclrtQueryEvent(event, &status), 0, "deprecated query");
	is(status, ACL_EVENT_STATUS_NOT_READY, "says so with 1");
	is(aclrtSynchronizeEventWithTimeout(event, 0), 507047, "timeout 0: look only");
	is(aclrtSynchronizeEventWithTimeout(event, 3), 507047, "timeout 3: time is up");
	ok(recent_has("time is up"), "the text says so");
	is(aclrtEventElapsedTime(&ms, event, event), 107006, "no time yet");
	is(aclrtStreamWaitEvent(t, event), 0, "another stream waits");
	is(aclrtQueryEventWaitStatus(event, &waited), 0, "wait status");
	is(waited, ACL_EVENT_WAIT_STATUS_NOT_READY, "it does");
	is(aclrtStreamQuery(t, &idle), 0, "query the stream");
	is(idle, ACL_STREAM_STATUS_NOT_READY, "it stands");
	gate_open(&gate);
	is(aclrtSynchronizeEvent(event), 0, "the gate opens: synchronise");
	is(recorded(event), 1, "complete");
	is(aclrtQueryEvent(event, &status), 0, "deprecated query");
	is(status, ACL_EVENT_STATUS_COMPLETE, "says so with 0");
	is(aclrtSynchronizeStream(t), 0, "the other stream goes on");
	is(aclrtQueryEventWaitStatus(event, &waited), 0, "wait status");
	is(waited, ACL_EVENT_WAIT_STATUS_COMPLETE, "nobody waits");
	is(aclrtDestroyEvent(event), 0, "destroy");
	aclrtSynchronizeDevice();
	aclrtGetEventAvailNum(&less);
	is(left, less, "gives the device's event back");
}

static void test_wait_order(void)
{
	unsigned char *from, *middle, *to;
	struct gate gate;
	aclrtEvent event;

	if (aclrtCreateEventWithFlag(&event, ACL_EVENT_SYNC) ||
	    aclrtMallocHost((void **)&from, MIB) ||
	    aclrtMalloc((void **)&middle, MIB, ACL_MEM_MALLOC_NORMAL_ONLY) ||
	    aclrtMallocHost((void **)&to, MIB))
		bail_out("no memory");
	memset(from, 0x5c, MIB);
	memset(middle, 0, MIB);
	memset(to, 0, MIB);
	gate_close(&gate, s);
	is(aclrtMemcpyAsync(middle, MIB, from, MIB, ACL_MEMCPY_DEFAULT, s), 0,
	   "a copy behind a gate");
	is(aclrtRecordEvent(event, s), 0, "a record behind it");
	is(aclrtStreamWaitEvent(t, event), 0, "another stream waits");
	is(aclrtMemcpyAsync(to, MIB, middle, MIB, ACL_MEMCPY_DEFAULT, t), 0,
	   "and copies on");
	is(aclrtDestroyEvent(event), 0, "the event may go already");
	is(to[0], 0, "nothing has come through");
	gate_open(&gate);
	is(aclrtSynchronizeStream(t), 0, "the gate opens");
	ok(!memcmp(from, to, MIB), "the bytes came through both streams");
	is(aclrtFreeHost(from) | aclrtFree(middle) | aclrtFreeHost(to), 0, "free");
}

/* A wait is for the records before it, not for those that come later. */
static void test_rerecord(void)
{
	struct gate gate;
	aclrtEvent event;

	if (aclrtCreateEvent(&event))
		bail_out("no event");
	is(aclrtRecordEvent(event, s), 0, "record");
	is(aclrtSynchronizeStream(s), 0, "complete");
	is(aclrtStreamWaitEvent(t, event), 0, "wait for it");
	gate_close(&gate, s);
	is(aclrtRecordEvent(event, s), 0, "record again behind a gate");
	is(recorded(event), 0, "not complete any more");
	is(aclrtSynchronizeStream(t), 0, "the wait before is over");
	is(aclrtStreamWaitEvent(t, event), 0, "wait for the second");
	is(aclrtSynchronizeStreamWithTimeout(t, 3), 507046, "is not over");
	gate_open(&gate);
	is(aclrtSynchronizeStream(t), 0, "is over");
	is(aclrtDestroyEvent(event), 0, "destroy");
}

static void test_time(void)
{
	aclrtEvent a, b, sync;
	struct gate gate;
	uint64_t first = 0, second = 0;
	float ms = -1, back = 1;

	if (aclrtCreateEvent(&a) || aclrtCreateEventExWithFlag(&b, ACL_EVENT_TIME_LINE) ||
	    aclrtCreateEventWithFlag(&sync, ACL_EVENT_SYNC))
		bail_out("no event");
	is(aclrtRecordEvent(a, s), 0, "record a");
	is(aclrtSynchronizeEvent(a), 0, "synchronise");
	gate_close(&gate, s);
	is(aclrtRecordEvent(b, s), 0, "record b");
	/* Some time goes by for certain. */
	aclrtSynchronizeEventWithTimeout(b, 2);
	gate_open(&gate);
	is(aclrtSynchronizeEvent(b), 0, "synchronise");
	is(aclrtEventElapsedTime(&ms, a, b), 0, "from a to b");
	ok(ms >= 2, "2 ms and more: %f", (double)ms);
	is(aclrtEventElapsedTime(&back, b, a), 0, "from b to a");
	ok(back == -ms, "is negative: %f", (double)back);
	is(aclrtEventGetTimestamp(a, &first) | aclrtEventGetTimestamp(b, &second), 0,
	   "times");
	ok(second >= first + 2000, "are microseconds");
	is(aclrtRecordEvent(sync, s) | aclrtSynchronizeEvent(sync), 0, "record another");
	is(aclrtEventElapsedTime(&ms, a, sync), 107006, "which has no time");
	ok(recent_has("ACL_EVENT_TIME_LINE"), "the text says why");
	is(aclrtDestroyEvent(a) | aclrtDestroyEvent(b) | aclrtDestroyEvent(sync), 0,
	   "destroy");
	if (aclrtCreateEventWithFlag(&a, ACL_EVENT_EXTERNAL | ACL_EVENT_TIME_LINE))
		bail_out("no event");
	is(aclrtEventElapsedTime(&ms, a, a), 207000, "external events have none at all");
	is(aclrtDestroyEvent(a), 0, "destroy");
}

static void test_reset(void)
{
	aclrtEventWaitStatus waited;
	aclrtEventStatus status;
	aclrtEvent event, ex;

	if (aclrtCreateEventWithFlag(&event, ACL_EVENT_SYNC) ||
	    aclrtCreateEventExWithFlag(&ex, ACL_EVENT_SYNC))
		bail_out("no event");
	is(aclrtRecordEvent(event, s) | aclrtSynchronizeStream(s), 0, "record");
	is(recorded(event), 1, "complete");
	is(aclrtResetEvent(event, s) | aclrtSynchronizeStream(s), 0, "reset");
	is(recorded(event), 0, "not complete");
	is(aclrtRecordEvent(event, s) | aclrtSynchronizeStream(s), 0, "record again");
	is(recorded(event), 1, "complete again");
	is(aclrtResetEvent(event, (aclrtStream)8), 107003, "no stream");
	is(aclrtResetEvent(ex, s), 207000, "the newer kind: no reset");
	is(aclrtQueryEvent(ex, &status), 207000, "no deprecated query");
	ok(recent_has("aclrtQueryEventStatus"), "the text says what to use");
	is(aclrtQueryEventWaitStatus(ex, &waited), 207000, "no wait status");
	is(aclrtDestroyEvent(event) | aclrtDestroyEvent(ex), 0, "destroy");
}

static void test_timeouts(void)
{
	struct gate gate;
	aclrtEvent event;

	if (aclrtCreateEvent(&event))
		bail_out("no event");
	gate_close(&gate, s);
	is(aclrtRecordEvent(event, s), 0, "record behind a gate");
	is(aclrtStreamWaitEventWithTimeout(t, event, 2), 0, "a wait of 2 ms");
	is(aclrtSynchronizeStream(t), 107020, "fails when its time is up");
	is(aclrtSynchronizeStream(t), 0, "which is told once");
	is(aclrtStreamWaitEventWithFlag(t, event, 2, 0), 0, "with a flag");
	is(aclrtSynchronizeStream(t), 107020, "too");
	is(aclrtStreamWaitEventWithTimeout(t, event, -1), 0, "one without end");
	is(aclrtSynchronizeStreamWithTimeout(t, 2), 507046, "stays");
	is(aclrtSetOpWaitTimeout(100), 0, "100 s for all");
	is(aclrtStreamWaitEvent(t, event), 0, "a wait");
	is(aclrtSetOpWaitTimeout(0), 0, "no limit");
	gate_open(&gate);
	is(aclrtSynchronizeStream(t), 0, "all are over");
	is(aclrtDestroyEvent(event), 0, "destroy");
}

static void test_limit(void)
{
	static aclrtEvent all[65600];
	uint32_t left = 0;
	int n, i, code = 0, err = 0;

	/* What the tests before have destroyed may still be a task of the stream. */
	aclrtSynchronizeStream(s);
	is(aclrtGetEventAvailNum(NULL), 100000, "available: NULL");
	is(aclrtGetEventAvailNum(&left), 0, "available");
	is(left, 65536, "65536");
	for (n = 0; n < 65600; n++) {
		if (aclrtCreateEventWithFlag(&all[n], ACL_EVENT_SYNC))
			break;
		code = aclrtRecordEvent(all[n], s);
		if (code)
			break;
	}
	is(n, 65536, "so many can be recorded");
	is(code, 207007, "and no more");
	for (i = 0; i <= n; i++)
		err |= aclrtDestroyEvent(all[i]);
	is(err | aclrtSynchronizeStream(s), 0, "destroy all");
	is(aclrtGetEventAvailNum(&left), 0, "available");
	is(left, 65536, "again");
}

/* Tokens go round three streams: each waits for the one before. */
static void *ring(void *arg)
{
	enum { STREAMS = 3, ROUNDS = 50 };
	uint64_t *memory = arg;
	aclrtStream streams[STREAMS];
	aclrtEvent events[STREAMS];
	long odd = aclrtSetDevice(0);
	int i;

	for (i = 0; i < STREAMS; i++)
		odd += aclrtCreateStream(&streams[i]) + aclrtCreateEvent(&events[i]);
	for (i = 0; i < ROUNDS; i++) {
		int me = i % STREAMS, before = (i + STREAMS - 1) % STREAMS;

		odd += aclrtStreamWaitEvent(streams[me], events[before]) != 0;
		odd += aclrtMemcpyAsync(memory + (i + 1) * 8, 64, memory + i * 8, 64,
					ACL_MEMCPY_DEFAULT, streams[me]) != 0;
		odd += aclrtRecordEvent(events[me], streams[me]) != 0;
	}
	odd += aclrtSynchronizeEvent(events[(ROUNDS - 1) % STREAMS]) != 0;
	odd += memory[ROUNDS * 8] != memory[0];
	for (i = 0; i < STREAMS; i++)
		odd += aclrtDestroyStream(streams[i]) + aclrtDestroyEvent(events[i]);
	odd += aclrtResetDevice(0);
	return (void *)odd;
}

static void test_threads(void)
{
	pthread_t threads[4];
	uint64_t *memory[4];
	void *odd;
	long all = 0;
	int i;

	for (i = 0; i < 4; i++) {
		if (aclrtMalloc((void **)&memory[i], 8 * KIB, ACL_MEM_MALLOC_NORMAL_ONLY))
			bail_out("no memory");
		memset(memory[i], 0, 8 * KIB);
		memory[i][0] = 0x1000 + (uint64_t)i;
		if (pthread_create(&threads[i], NULL, ring, memory[i]))
			bail_out("no thread");
	}
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], &odd);
		all += (long)odd;
		all += aclrtFree(memory[i]);
	}
	is(all, 0, "four threads, three streams each, events between them");
}

int main(void)
{
	small_device();
	need_device();
	if (aclrtCreateStream(&s) || aclrtCreateStream(&t))
		bail_out("no stream");
	test_arguments();
	test_no_context();
	test_never_recorded();
	test_record();
	test_wait_order();
	test_rerecord();
	test_time();
	test_reset();
	test_timeouts();
	test_limit();
	test_threads();
	is(aclrtDestroyStream(s) | aclrtDestroyStream(t), 0, "the streams go");
	return done_testing();
}
