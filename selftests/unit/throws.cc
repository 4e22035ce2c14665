// SPDX-License-Identifier: MIT
// Functions of the program that throw; see test_exceptions.sh.
#include <acl/acl.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <pthread.h>
#include <unistd.h>

static int calls;

static void need(bool good, int line)
{
	if (good)
		return;
	std::printf("line %d: %s\n", line, aclGetRecentErrMsg());
	std::fflush(stdout);
	_exit(1);
}

#define NEED(condition) need(condition, __LINE__)

static void throws(void *)
{
	calls++;
	throw 4711;
}

static void counts(void *)
{
	calls++;
}

// The thread's own handler gets the exception; another call of the thread works.
static void *process(void *)
{
	int caught = 0;

	try {
		aclrtProcessReport(-1);
	} catch (int number) {
		caught = number;
	}
	NEED(caught == 4711);
	NEED(aclrtProcessReport(-1) == 0);
	NEED(aclrtSetDevice(0) == 0 && aclrtSynchronizeDevice() == 0);
	return nullptr;
}

static void callback()
{
	aclrtStream s;
	pthread_t thread;

	NEED(aclrtCreateStream(&s) == 0);
	NEED(pthread_create(&thread, nullptr, process, nullptr) == 0);
	NEED(aclrtSubscribeReport(static_cast<uint64_t>(thread), s) == 0);
	NEED(aclrtLaunchCallback(throws, nullptr, ACL_CALLBACK_BLOCK, s) == 0);
	NEED(aclrtLaunchCallback(counts, nullptr, ACL_CALLBACK_BLOCK, s) == 0);
	NEED(aclrtSynchronizeStream(s) == 0);
	NEED(calls == 2);
	pthread_join(thread, nullptr);
	NEED(aclrtUnSubscribeReport(static_cast<uint64_t>(thread), s) == 0);
	NEED(aclrtDestroyStream(s) == 0);
}

static void watches(aclrtStream, aclrtStreamState state, void *)
{
	if (state == ACL_RT_STREAM_STATE_DESTROY_PRE && !calls++)
		throw 4711;
}

static void watcher()
{
	aclrtStream s;
	int caught = 0;

	NEED(aclrtRegStreamStateCallback("throws", watches, nullptr) == 0);
	NEED(aclrtCreateStream(&s) == 0);
	try {
		aclrtDestroyStream(s);
	} catch (int number) {
		caught = number;
	}
	NEED(caught == 4711);
	NEED(aclrtSynchronizeStream(s) == 0);
	NEED(aclrtDestroyStream(s) == 0);
	NEED(aclrtSynchronizeStream(s) != 0);
}

static void terminates()
{
	_exit(calls == 1 ? 0 : 1);
}

static void host()
{
	aclrtStream s;

	std::set_terminate(terminates);
	NEED(aclrtCreateStream(&s) == 0);
	NEED(aclrtLaunchHostFunc(s, throws, nullptr) == 0);
	aclrtSynchronizeStream(s);
	_exit(1);
}

int main(int argc, char **argv)
{
	NEED(argc == 2);
	NEED(aclInit(nullptr) == 0 && aclrtSetDevice(0) == 0);
	if (!std::strcmp(argv[1], "callback"))
		callback();
	else if (!std::strcmp(argv[1], "watcher"))
		watcher();
	else
		host();
	NEED(aclrtResetDevice(0) == 0);
	return 0;
}
