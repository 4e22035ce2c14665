// SPDX-License-Identifier: MIT
/* Streams: flags, priorities, attributes, query, timeouts, abort, failure mode. */
#include "gate.h"

#define SIZE (64 * KIB)

static unsigned char *device, *host;

static void test_config(void)
{
	aclrtStreamConfigHandle *config;
	uint32_t priority = 99, flags = 99, left = 0, less = 0;
	size_t flag = ACL_STREAM_HUGE;
	int32_t a = -1, b = -1;
	aclrtStream s, t;

	is(aclrtCreateStreamWithConfig(NULL, 0, 0), 100000, "config: NULL");
	is(aclrtCreateStreamWithConfig(&s, 0, 0x40), 107000, "config: unknown flag");
	is(aclrtGetStreamAvailableNum(&left), 0, "available");
	is(aclrtCreateStreamWithConfig(&s, 3,
				       ACL_STREAM_FAST_LAUNCH | ACL_STREAM_FAST_SYNC),
	   0, "priority 3, two flags");
	is(aclrtGetStreamAvailableNum(&less), 0, "available");
	is(left - less, 1, "one less");
	is(aclrtGetStreamAvailableNum(NULL), 100000, "available: NULL");
	is(aclrtStreamGetPriority(s, &priority), 0, "priority");
	is(priority, 3, "is 3");
	is(aclrtStreamGetFlags(s, &flags), 0, "flags");
	is(flags, 3, "both");
	is(aclrtStreamGetPriority(s, NULL), 100000, "priority: NULL");
	is(aclrtStreamGetFlags(s, NULL), 100000, "flags: NULL");
	is(aclrtStreamGetFlags((aclrtStream)8, &flags), 107003, "flags: no stream");
	is(aclrtCreateStreamWithConfig(&t, 8, 0), 0, "priority 8");
	is(aclrtStreamGetPriority(t, &priority), 0, "priority");
	is(priority, 7, "is cut off at 7");
	is(aclrtStreamGetId(s, &a) | aclrtStreamGetId(t, &b), 0, "ids");
	ok(a != b && a >= 0, "are numbers of their own");
	is(aclrtStreamGetId(s, NULL), 100000, "id: NULL");
	is(aclrtDestroyStream(t), 0, "destroy");

	config = aclrtCreateStreamConfigHandle();
	ok(config, "a config");
	priority = 5;
	is(aclrtSetStreamConfigOpt(config, ACL_RT_STREAM_PRIORITY, &priority, 4), 0,
	   "priority");
	is(aclrtSetStreamConfigOpt(config, ACL_RT_STREAM_FLAG, &flag, sizeof(flag)), 0,
	   "flag");
	is(aclrtSetStreamConfigOpt(config, ACL_RT_STREAM_FLAG, &flag, 3), 100000,
	   "a wrong size");
	is(aclrtSetStreamConfigOpt(NULL, ACL_RT_STREAM_FLAG, &flag, 8), 100000, "NULL");
	is(aclrtSetStreamConfigOpt(config, ACL_RT_STREAM_FLAG, NULL, 8), 100000,
	   "no value");
	is(aclrtSetStreamConfigOpt(config, (aclrtStreamConfigAttr)9, &flag, 8), 100000,
	   "unknown item");
	is(aclrtCreateStreamV2(&t, config), 0, "a stream of the config");
	is(aclrtStreamGetPriority(t, &priority) | aclrtStreamGetFlags(t, &flags), 0,
	   "ask");
	ok(priority == 5 && flags == ACL_STREAM_HUGE, "it has both");
	is(aclrtDestroyStreamConfigHandle(config), 0, "the config goes");
	is(aclrtDestroyStreamConfigHandle(NULL), 100000, "config: NULL");
	is(aclrtDestroyStream(s) | aclrtDestroyStream(t), 0, "destroy");
	is(aclrtCreateStreamV2(&t, NULL) | aclrtDestroyStream(t), 0, "no config");
}

static void test_attributes(void)
{
	static const aclrtStreamAttr kept[] = {
		ACL_STREAM_ATTR_FLOAT_OVERFLOW_CHECK, ACL_STREAM_ATTR_USER_CUSTOM_TAG,
		ACL_STREAM_ATTR_CACHE_OP_INFO, ACL_STREAM_ATTR_PRIORITY};
	aclrtStreamAttrValue value = {.userCustomTag = 6};
	aclrtStream s;
	size_t i;

	if (aclrtCreateStream(&s))
		bail_out("no stream");
	for (i = 0; i < 4; i++) {
		value.userCustomTag = 6;
		is(aclrtSetStreamAttribute(s, kept[i], &value), 0, "set item %d",
		   kept[i]);
		value.userCustomTag = 0;
		is(aclrtGetStreamAttribute(s, kept[i], &value), 0, "get item %d",
		   kept[i]);
		is(value.userCustomTag, 6, "is kept");
	}
	value.failureMode = ACL_STOP_ON_FAILURE;
	is(aclrtSetStreamAttribute(s, ACL_STREAM_ATTR_FAILURE_MODE, &value), 0,
	   "failure mode");
	value.failureMode = 7;
	is(aclrtGetStreamAttribute(s, ACL_STREAM_ATTR_FAILURE_MODE, &value), 0, "get");
	is(value.failureMode, 1, "is kept");
	value.failureMode = 2;
	is(aclrtSetStreamAttribute(s, ACL_STREAM_ATTR_FAILURE_MODE, &value), 100000,
	   "failure mode 2");
	is(aclrtSetStreamAttribute(s, (aclrtStreamAttr)0, &value), 100000, "item 0");
	is(aclrtGetStreamAttribute(s, (aclrtStreamAttr)6, &value), 100000, "item 6");
	is(aclrtSetStreamAttribute(s, ACL_STREAM_ATTR_PRIORITY, NULL), 100000, "NULL");
	is(aclrtSetStreamFailureMode(s, 2), 100000, "mode 2");
	is(aclrtSetStreamFailureMode(NULL, 0), 100000, "mode: NULL");
	is(aclrtSetStreamFailureMode(s, 0), 0, "mode 0");
	is(aclrtDestroyStream(s), 0, "destroy");
}

static void test_timeouts(void)
{
	aclrtStreamStatus status = ACL_STREAM_STATUS_RESERVED;
	struct gate gate;
	aclrtStream s;

	if (aclrtCreateStream(&s))
		bail_out("no stream");
	is(aclrtStreamQuery(s, NULL), 100000, "query: NULL");
	is(aclrtStreamQuery(s, &status), 0, "query");
	is(status, ACL_STREAM_STATUS_COMPLETE, "nothing to do");
	is(aclrtStreamQuery(NULL, &status), 0, "the default stream too");
	gate_close(&gate, s);
	is(aclrtStreamQuery(s, &status), 0, "query");
	is(status, ACL_STREAM_STATUS_NOT_READY, "a task runs");
	is(aclrtSynchronizeStreamWithTimeout(s, 0), 507046, "timeout 0");
	is(aclrtSynchronizeStreamWithTimeout(s, 3), 507046, "timeout 3");
	is(aclrtSynchronizeStreamWithTimeout(s, -2), 107000, "timeout -2");
	gate_open(&gate);
	is(aclrtSynchronizeStreamWithTimeout(s, 60000), 0, "the gate opens");
	is(aclrtSynchronizeStreamWithTimeout(s, -1), 0, "no timeout");
	is(aclrtSynchronizeStreamWithTimeout((aclrtStream)8, 1), 107003, "no stream");
	is(aclrtDestroyStream(s), 0, "destroy");
}

static _Atomic int there;

static void *synchronize(void *arg)
{
	aclrtSetDevice(0);
	there = 1;
	*(int *)arg = aclrtSynchronizeStream(*(aclrtStream *)((char *)arg + 8));
	aclrtResetDevice(0);
	return NULL;
}

static void test_abort(void)
{
	struct {
		int code;
		_Alignas(8) aclrtStream stream;
	} waiter = {.code = -1};
	struct gate gate;
	aclrtEvent event;
	pthread_t thread;
	aclrtStream s;

	if (aclrtCreateStream(&s) || aclrtCreateEvent(&event))
		bail_out("no stream");
	waiter.stream = s;
	memset(device, 0, SIZE);
	memset(host, 0x77, SIZE);
	is(aclrtStreamAbort(NULL) | aclrtStreamStop(NULL), 0,
	   "abort: NULL is the default");
	is(aclrtStreamAbort((aclrtStream)8), 107003, "abort: no stream");
	gate_close(&gate, s);
	is(aclrtMemcpyAsync(device, SIZE, host, SIZE, ACL_MEMCPY_DEFAULT, s), 0,
	   "a copy");
	is(aclrtRecordEvent(event, s), 0, "a record");
	if (pthread_create(&thread, NULL, synchronize, &waiter))
		bail_out("no thread");
	/* The abort must come while the other thread waits, or before: both are 107023
	 * or 0, so let it get there. */
	while (!there || aclrtSynchronizeStreamWithTimeout(s, 50) != 507046)
		;
	is(aclrtStreamAbort(s), 0, "abort");
	is(aclrtSynchronizeEvent(event), 0, "the event is complete");
	is(aclrtEventElapsedTime(&(float){0}, event, event), 107006, "without a time");
	gate_open(&gate);
	pthread_join(thread, NULL);
	is(waiter.code, 107023, "who waited is told");
	is(aclrtSynchronizeStream(s), 0, "the stream can be used again");
	is(device[0], 0, "the copy never ran");
	is(aclrtMemcpyAsync(device, SIZE, host, SIZE, ACL_MEMCPY_DEFAULT, s), 0,
	   "a copy");
	is(aclrtSynchronizeStream(s), 0, "synchronise");
	is(device[SIZE - 1], 0x77, "runs");

	gate_close(&gate, s);
	is(aclrtMemcpyAsync(device, SIZE, device + 64, 64, ACL_MEMCPY_DEFAULT, s), 0,
	   "a copy behind a gate");
	gate_open(&gate);
	is(aclrtDestroyStreamForce(s), 0, "destroy by force");
	is(aclrtDestroyStreamForce(s), 107003, "again");
	is(aclrtDestroyStreamForce(NULL), 100000, "force: NULL");
	is(aclrtDestroyEvent(event), 0, "the event goes");
	if (aclrtCreateStream(&s))
		bail_out("no stream");
	gate_close(&gate, s);
	memset(device, 0, SIZE);
	is(aclrtMemcpyAsync(device, SIZE, host, SIZE, ACL_MEMCPY_DEFAULT, s), 0,
	   "a copy");
	is(aclrtDeviceTaskAbort(0, 1000), 0, "abort the device's tasks");
	is(aclrtDeviceTaskAbort(5, 1000), 107001, "of a device that is not");
	gate_open(&gate);
	is(aclrtSynchronizeStream(s), 0, "synchronise");
	is(device[0], 0, "the copy never ran");
	is(aclrtDestroyStream(s), 0, "destroy");
}

static void test_failure_mode(void)
{
	struct gate gate;
	aclrtEvent event;
	aclrtStream s, t;

	if (aclrtCreateStream(&s) || aclrtCreateStream(&t) || aclrtCreateEvent(&event))
		bail_out("no stream");
	gate_close(&gate, t);
	aclrtRecordEvent(event, t);
	memset(host, 0x31, SIZE);
	memset(device, 0, SIZE);
	is(aclrtStreamWaitEventWithTimeout(s, event, 1), 0, "a task that fails");
	is(aclrtMemcpyAsync(device, SIZE, host, SIZE, ACL_MEMCPY_DEFAULT, s), 0,
	   "a copy");
	is(aclrtSynchronizeStream(s), 107020, "the failure is told");
	is(device[0], 0x31, "mode 0: the copy ran all the same");
	memset(device, 0, SIZE);
	is(aclrtSetStreamFailureMode(s, ACL_STOP_ON_FAILURE), 0, "mode 1");
	is(aclrtStreamWaitEventWithTimeout(s, event, 1), 0, "a task that fails");
	is(aclrtMemcpyAsync(device, SIZE, host, SIZE, ACL_MEMCPY_DEFAULT, s), 0,
	   "a copy");
	is(aclrtSynchronizeStream(s), 107020, "the failure is told");
	is(device[0], 0, "mode 1: the copy did not run");
	is(aclrtMemcpyAsync(device, 64, host, 64, ACL_MEMCPY_DEFAULT, s), 0,
	   "nor does one");
	is(aclrtSynchronizeStream(s), 107020, "the failure is told again");
	is(device[0], 0, "that comes later");
	is(aclrtStreamAbort(s), 0, "abort");
	is(aclrtMemcpyAsync(device, 64, host, 64, ACL_MEMCPY_DEFAULT, s), 0, "makes it");
	is(aclrtSynchronizeStream(s), 0, "run again");
	is(device[0], 0x31, "really");
	gate_open(&gate);
	is(aclrtDestroyStream(s) | aclrtDestroyStream(t) | aclrtDestroyEvent(event), 0,
	   "destroy");
}

/* Aborts and submits at the same time: nothing is lost, nothing hangs. */
static _Atomic int stop_aborts;

static void *abort_often(void *arg)
{
	long odd = aclrtSetDevice(0);

	while (!stop_aborts)
		odd += aclrtStreamAbort(arg) != 0;
	odd += aclrtResetDevice(0);
	return (void *)odd;
}

static void test_abort_storm(void)
{
	pthread_t thread;
	aclrtStream s;
	void *odd;
	int i, code, err = 0;

	if (aclrtCreateStream(&s) || pthread_create(&thread, NULL, abort_often, s))
		bail_out("no stream");
	for (i = 0; i < 3000; i++) {
		err |= aclrtMemcpyAsync(device, SIZE, host, SIZE, ACL_MEMCPY_DEFAULT, s);
		if (i % 10 == 0) {
			code = aclrtSynchronizeStream(s);
			err |= code && code != 107023;
		}
	}
	stop_aborts = 1;
	pthread_join(thread, &odd);
	is(err | (int)(long)odd, 0, "a stream is aborted all the time while it is used");
	is(aclrtSynchronizeStream(s), 0, "it comes to rest");
	is(aclrtDestroyStream(s), 0, "destroy");
}

int main(void)
{
	small_device();
	need_device();
	if (aclrtMalloc((void **)&device, SIZE, ACL_MEM_MALLOC_NORMAL_ONLY) ||
	    aclrtMallocHost((void **)&host, SIZE))
		bail_out("no memory");
	test_config();
	test_attributes();
	test_timeouts();
	test_abort();
	test_failure_mode();
	test_abort_storm();
	is(aclrtFree(device) | aclrtFreeHost(host), 0, "the memory goes");
	return done_testing();
}
