// SPDX-License-Identifier: MIT
/* Who is told of tasks that fail: what, where, in which order. */
#include <stdatomic.h>
#include <sys/syscall.h>

#include "gate.h"

static struct told {
	uint32_t task, stream, thread, device, code;
	aclError wait; /* of a call that waits */
} told[16];
static _Atomic int tellings, others;

static void note(aclrtExceptionInfo *info)
{
	int i = atomic_fetch_add(&tellings, 1);

	if (i >= 16)
		return;
	told[i].task = aclrtGetTaskIdFromExceptionInfo(info);
	told[i].stream = aclrtGetStreamIdFromExceptionInfo(info);
	told[i].thread = aclrtGetThreadIdFromExceptionInfo(info);
	told[i].device = aclrtGetDeviceIdFromExceptionInfo(info);
	told[i].code = aclrtGetErrorCodeFromExceptionInfo(info);
	/* The library's thread has no context of its own. */
	aclrtSetDevice(1);
	told[i].wait = aclrtSynchronizeDevice();
	aclrtResetDevice(1);
}

static void note_other(aclrtExceptionInfo *info)
{
	(void)info;
	atomic_fetch_add(&others, 1);
}

static void end_itself(aclrtExceptionInfo *info)
{
	(void)info;
	atomic_fetch_add(&others, 10);
	aclrtExceptionInfoCallbackUnregister(end_itself);
}

static void run_nothing(void *args)
{
	(void)args;
}

static void test_arguments(void)
{
	is(aclrtExceptionInfoCallbackRegister(NULL), 100000, "register: NULL");
	is(aclrtExceptionInfoCallbackUnregister(NULL), 100000, "unregister: NULL");
	is(aclrtExceptionInfoCallbackUnregister(note), 0, "unregister: none");
	is(aclrtGetTaskIdFromExceptionInfo(NULL), UINT32_MAX, "task: NULL");
	is(aclrtGetStreamIdFromExceptionInfo(NULL), UINT32_MAX, "stream: NULL");
	is(aclrtGetThreadIdFromExceptionInfo(NULL), UINT32_MAX, "thread: NULL");
	is(aclrtGetDeviceIdFromExceptionInfo(NULL), UINT32_MAX, "device: NULL");
	is(aclrtGetErrorCodeFromExceptionInfo(NULL), UINT32_MAX, "code: NULL");
}

/* A wait for an event whose record stands behind a gate. */
static void test_failures(void)
{
	aclrtStream held, waiting;
	char room[256] = {0};
	struct gate gate;
	aclrtEvent event;
	int32_t id = -1;

	if (aclrtSetDevice(1) || aclrtCreateStream(&held) ||
	    aclrtCreateStream(&waiting) || aclrtCreateEvent(&event) ||
	    aclrtStreamGetId(waiting, &id))
		bail_out("no stream");
	is(aclrtExceptionInfoCallbackRegister(note), 0, "register");
	is(aclrtExceptionInfoCallbackRegister(note), 0, "once more is the same");
	is(aclrtSetExceptionInfoCallback(note_other), 0, "the deprecated one");
	gate_close(&gate, held);
	is(aclrtRecordEvent(event, held), 0, "a record that does not come");
	is(aclrtLaunchHostFunc(waiting, run_nothing, NULL), 0, "task 1");
	is(aclrtStreamWaitEventWithTimeout(waiting, event, 1), 0, "task 2 waits for it");
	is(aclrtMemcpyAsyncWithDesc(room, ACL_MEMCPY_HOST_TO_DEVICE, waiting), 0,
	   "task 3 is by no descriptor");
	is(aclrtSynchronizeStream(waiting), 107020, "the first failure is returned");
	is(tellings, 2, "both are told before that");
	is(others, 2, "to the deprecated one, too");
	is(told[0].task, 2, "which task");
	is(told[0].code, 107020, "its time was up");
	is(told[1].task, 3, "which task");
	is(told[1].code, 100000, "no descriptor");
	ok(told[0].stream == (uint32_t)id && told[1].stream == (uint32_t)id,
	   "which stream");
	is(told[0].device, 1, "whose device");
	ok(told[0].thread == told[1].thread &&
		   told[0].thread != (uint32_t)syscall(SYS_gettid),
	   "in the stream's own thread");
	is(told[0].wait, 207000, "where nothing waits");

	is(aclrtSetExceptionInfoCallback(end_itself), 0, "another deprecated one");
	is(aclrtExceptionInfoCallbackRegister(end_itself), 0, "which is registered, too");
	is(aclrtMemcpyAsyncWithDesc(room, ACL_MEMCPY_HOST_TO_DEVICE, waiting), 0,
	   "another failure");
	is(aclrtSynchronizeStream(waiting), 100000, "is told");
	is(others, 22, "twice to whom is there twice");
	is(aclrtMemcpyAsyncWithDesc(room, ACL_MEMCPY_HOST_TO_DEVICE, waiting), 0,
	   "another failure");
	is(aclrtSynchronizeStream(waiting), 100000, "is told");
	is(others, 32, "once, as it ended itself");
	is(tellings, 4, "and to the first one each time");

	is(aclrtSetExceptionInfoCallback(NULL), 0, "none");
	is(aclrtStreamWaitEvent(waiting, event), 0, "a wait");
	is(aclrtStreamAbort(waiting), 0, "that is aborted");
	is(aclrtSynchronizeStream(waiting), 0, "the stream goes on");
	is(tellings, 4, "has not failed");
	is(aclrtExceptionInfoCallbackUnregister(note), 0, "unregister");
	is(aclrtMemcpyAsyncWithDesc(room, ACL_MEMCPY_HOST_TO_DEVICE, waiting), 0,
	   "a failure");
	is(aclrtSynchronizeStream(waiting), 100000, "is returned");
	is(tellings, 4, "nobody is told");
	gate_open(&gate);
	is(aclrtSynchronizeStream(held) | aclrtDestroyEvent(event) |
		   aclrtDestroyStream(held) | aclrtDestroyStream(waiting) |
		   aclrtResetDevice(1),
	   0, "end");
}

int main(void)
{
	setenv("ACLKM_DEVICES", "2", 1);
	small_device();
	test_arguments();
	test_failures();
	return done_testing();
}
