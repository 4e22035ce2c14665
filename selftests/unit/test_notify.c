// SPDX-License-Identifier: MIT
/*
 * Notifies: a flag between streams, and between processes. The other process is this
 * program, started again by exec: it imports what it reads and records it.
 */
#include <sys/wait.h>

#include "gate.h"

#define KEY 65

static aclrtStream streams[2];

static bool idle(aclrtStream stream)
{
	aclrtStreamStatus status;

	return !aclrtStreamQuery(stream, &status) && status == ACL_STREAM_STATUS_COMPLETE;
}

static aclrtNotify make(void)
{
	aclrtNotify notify;

	if (aclrtCreateNotify(&notify, ACL_NOTIFY_DEFAULT))
		bail_out("no notify");
	return notify;
}

static void test_streams(void)
{
	aclrtNotify notify = make();
	struct gate gate;

	is(aclrtWaitAndResetNotify(notify, streams[1], 0), 0, "wait first");
	is(aclrtSynchronizeStreamWithTimeout(streams[1], 20), 507046,
	   "the stream stands");
	is(aclrtRecordNotify(notify, streams[0]), 0, "then record");
	is(aclrtSynchronizeStream(streams[1]), 0, "it goes on");
	is(aclrtWaitAndResetNotify(notify, streams[1], 0), 0, "wait again");
	is(aclrtSynchronizeStreamWithTimeout(streams[1], 20), 507046,
	   "the flag was taken down");
	gate_close(&gate, streams[0]);
	is(aclrtRecordNotify(notify, streams[0]), 0, "a record behind a gate");
	ok(!idle(streams[1]), "is none yet");
	gate_open(&gate);
	is(aclrtSynchronizeStream(streams[1]), 0, "now it is");
	is(aclrtRecordNotify(notify, streams[0]) | aclrtRecordNotify(notify, streams[0]) |
		   aclrtSynchronizeStream(streams[0]),
	   0, "two records");
	is(aclrtWaitAndResetNotify(notify, streams[1], 0), 0, "raise it once");
	is(aclrtSynchronizeStream(streams[1]), 0, "one wait");
	is(aclrtWaitAndResetNotify(notify, streams[1], 1), 0, "another, of one second");
	is(aclrtSynchronizeStream(streams[1]), 107020, "fails when the time is up");
	is(aclrtSynchronizeStream(streams[1]), 0, "told once");
	is(aclrtDestroyNotify(notify), 0, "destroy");
}

static void test_reset(void)
{
	aclrtNotify both[2] = {make(), make()};

	is(aclrtRecordNotify(both[0], NULL) | aclrtRecordNotify(both[1], NULL) |
		   aclrtSynchronizeStream(NULL),
	   0, "two flags are up");
	is(aclrtNotifyBatchReset(both, 2), 0, "take both down");
	is(aclrtWaitAndResetNotify(both[1], streams[0], 0), 0, "wait");
	is(aclrtSynchronizeStreamWithTimeout(streams[0], 20), 507046, "it is down");
	is(aclrtStreamAbort(streams[0]), 0, "an abort ends the wait");
	aclrtSynchronizeStream(streams[0]);
	is(aclrtRecordNotify(both[0], NULL) | aclrtSynchronizeStream(NULL), 0, "up");
	is(aclrtDestroyNotify(both[1]), 0, "destroy the second");
	is(aclrtNotifyBatchReset(both, 2), 107000, "reset with it");
	is(aclrtWaitAndResetNotify(both[0], streams[0], 0), 0, "then the first");
	is(aclrtSynchronizeStream(streams[0]), 0, "is still up");
	is(aclrtNotifyBatchReset(NULL, 1) | aclrtNotifyBatchReset(both, 0), 100000,
	   "NULL, none");
	is(aclrtDestroyNotify(both[0]), 0, "destroy the first");
}

static void test_wrong(void)
{
	aclrtNotify notify = make(), other = make();
	uint32_t id, second;
	char key[KEY];
	int32_t pid = 1;

	is(aclrtGetNotifyId(notify, &id) | aclrtGetNotifyId(other, &second), 0, "ids");
	ok(id != second, "are two");
	is(aclrtGetNotifyId(notify, NULL), 100000, "id: NULL");
	is(aclrtCreateNotify(NULL, 0), 100000, "create: NULL");
	is(aclrtCreateNotify(&other, 2), 107000, "create: flags");
	is(aclrtRecordNotify(NULL, NULL) | aclrtWaitAndResetNotify(NULL, NULL, 0) |
		   aclrtDestroyNotify(NULL) | aclrtGetNotifyId(NULL, &id),
	   100000, "NULL");
	is(aclrtRecordNotify(notify, (aclrtStream)0x1230), 107003,
	   "a stream that is none");
	is(aclrtWaitAndResetNotify(notify, (aclrtStream)0x1230, 0), 107003,
	   "nor to wait");
	is(aclrtNotifyGetExportKey(notify, key, KEY - 1, 0), 107000, "a short key");
	is(aclrtNotifyGetExportKey(notify, key, KEY, 1), 107000, "export: flags");
	is(aclrtNotifyGetExportKey(notify, NULL, KEY, 0), 100000, "export: NULL");
	is(aclrtNotifySetImportPid(notify, &pid, 1), 107017, "not exported");
	is(aclrtNotifySetImportPid(notify, &pid, 0), 100000, "no pids");
	is(aclrtNotifySetImportPid(notify, NULL, 1), 100000, "pids: NULL");
	pid = 0;
	is(aclrtNotifySetImportPid(notify, &pid, 1), 107000, "pid 0");
	is(aclrtNotifyImportByKey(&other, "nonsense", 0), 107017, "no such key");
	is(aclrtNotifyImportByKey(&other, "aclkm-ipc-0000000000000001", 0), 107017,
	   "a key of nobody");
	is(aclrtNotifyImportByKey(&other, NULL, 0), 100000, "import: NULL");
	is(aclrtDestroyNotify(notify), 0, "destroy");
	is(aclrtDestroyNotify(notify), 107000, "again");
	ok(recent_has("destroyed already"), "the text says so");
	is(aclrtRecordNotify(notify, NULL), 107000, "record it");
	is(aclrtWaitAndResetNotify(notify, NULL, 0), 107000, "wait for it");
	is(aclrtGetNotifyId(notify, &id), 107000, "its id");
	is(aclrtRecordNotify((aclrtNotify)(uintptr_t)0xdeadbeef, NULL), 107000,
	   "a number");
	is(aclrtDestroyNotify(other), 0, "destroy");
}

/* A notify that is a task lives until the task is done. */
static void test_destroy_under_way(void)
{
	aclrtNotify notify = make();
	struct gate gate;

	gate_close(&gate, streams[0]);
	is(aclrtRecordNotify(notify, streams[0]), 0, "record behind a gate");
	is(aclrtWaitAndResetNotify(notify, streams[1], 0), 0, "wait");
	is(aclrtDestroyNotify(notify), 0, "destroy it");
	gate_open(&gate);
	is(aclrtSynchronizeStream(streams[1]), 0, "the wait ends all the same");
	/* The record's task has the notify until it is over. */
	is(aclrtSynchronizeStream(streams[0]), 0, "and the record");
}

static void test_limit(void)
{
	static aclrtNotify all[8192];
	aclrtNotify more;
	int i, code = 0;

	for (i = 0; i < 8192; i++)
		code |= aclrtCreateNotify(&all[i], ACL_NOTIFY_DEVICE_USE_ONLY);
	is(code, 0, "8192 notifies");
	is(aclrtCreateNotify(&more, 0), 207009, "one more");
	for (i = 0; i < 8192; i++)
		code |= aclrtDestroyNotify(all[i]);
	is(code, 0, "destroy them");
	is(aclrtCreateNotify(&more, 0) | aclrtDestroyNotify(more), 0, "again there are");
}

/* Streams that hand a flag to and fro while it moves to where it can be shared. */
static void test_moving(void)
{
	aclrtNotify ping = make(), pong = make();
	char key[KEY], again[KEY];
	int i, code = 0;

	for (i = 0; i < 300; i++) {
		code |= aclrtWaitAndResetNotify(ping, streams[1], 0);
		code |= aclrtRecordNotify(pong, streams[1]);
		code |= aclrtRecordNotify(ping, streams[0]);
		code |= aclrtWaitAndResetNotify(pong, streams[0], 0);
		if (i == 150)
			code |= aclrtNotifyGetExportKey(ping, key, KEY, 2);
	}
	is(code, 0, "300 rounds, exported under way");
	is(aclrtSynchronizeStream(streams[0]) | aclrtSynchronizeStream(streams[1]), 0,
	   "all of them end");
	is(aclrtNotifyGetExportKey(ping, again, KEY, 0), 0, "export again");
	is(strcmp(key, again), 0, "the same key");
	is(aclrtDestroyNotify(ping) | aclrtDestroyNotify(pong), 0, "destroy");
	is(aclrtNotifyImportByKey(&ping, key, 0), 107017, "it is offered no more");
}

/* The other process: 0, or the code of the import. */
static int other_side(void)
{
	aclrtNotify here, there;
	char keys[2][KEY];
	int code;

	if (aclrtSetDevice(0) || read(STDIN_FILENO, keys, sizeof(keys)) != sizeof(keys))
		return 1;
	code = aclrtNotifyImportByKey(&here, keys[0], 2);
	if (code)
		return code == 207006 ? 6 : 7;
	if (aclrtNotifyImportByKey(&there, keys[1], 0))
		return 8;
	/* Wait for what the parent records, and answer. */
	if (aclrtWaitAndResetNotify(there, NULL, 20) || aclrtRecordNotify(here, NULL) ||
	    aclrtSynchronizeStream(NULL))
		return 9;
	if (aclrtNotifyGetExportKey(here, keys[0], KEY, 0) != 207000)
		return 10;
	return aclrtDestroyNotify(here) || aclrtDestroyNotify(there) ? 11 : 0;
}

static void with_process(bool named)
{
	aclrtNotify here = make(), there = make();
	char keys[2][KEY];
	int ends[2], status = -1;
	int32_t pid;

	fflush(stdout);
	if (pipe(ends))
		bail_out("no pipe");
	pid = fork();
	if (pid < 0)
		bail_out("no process");
	if (!pid) {
		dup2(ends[0], STDIN_FILENO);
		close(ends[1]);
		execl("/proc/self/exe", "test_notify", "other", (char *)NULL);
		_exit(127);
	}
	close(ends[0]);
	is(aclrtNotifyGetExportKey(here, keys[0], KEY, 0), 0, "export");
	is(aclrtNotifyGetExportKey(there, keys[1], KEY,
				   ACL_RT_NOTIFY_EXPORT_FLAG_DISABLE_PID_VALIDATION),
	   0, "export to everybody");
	if (named)
		is(aclrtNotifySetImportPid(here, &pid, 1), 0, "to a process");
	is(write(ends[1], keys, sizeof(keys)), (long)sizeof(keys), "tell it the keys");
	close(ends[1]);
	is(aclrtRecordNotify(there, streams[0]), 0, "record for the other");
	if (named) {
		is(aclrtWaitAndResetNotify(here, streams[1], 20), 0, "wait for it");
		is(aclrtSynchronizeStream(streams[1]), 0, "it has recorded");
	}
	waitpid(pid, &status, 0);
	is(WIFEXITED(status) ? WEXITSTATUS(status) : -1, named ? 0 : 6,
	   named ? "the other is content" : "a process that was not named has no access");
	is(aclrtDestroyNotify(here) | aclrtDestroyNotify(there), 0, "destroy");
}

static void *without_context(void *arg)
{
	aclrtNotify notify = arg;
	char key[KEY];
	uint32_t id;

	is(aclrtCreateNotify(&notify, 0), 107002, "create without a context");
	is(aclrtRecordNotify(arg, NULL), 107002, "record");
	is(aclrtWaitAndResetNotify(arg, NULL, 0), 107002, "wait");
	is(aclrtGetNotifyId(arg, &id), 107002, "id");
	is(aclrtNotifyGetExportKey(arg, key, KEY, 0), 107002, "export");
	is(aclrtDestroyNotify(arg), 0, "destroy needs none");
	return NULL;
}

int main(int argc, char **argv)
{
	small_device();
	if (argc == 2 && !strcmp(argv[1], "other"))
		return other_side();
	need_device();
	if (aclrtCreateStream(&streams[0]) || aclrtCreateStream(&streams[1]))
		bail_out("no streams");
	test_streams();
	test_reset();
	test_wrong();
	test_destroy_under_way();
	test_limit();
	test_moving();
	with_process(true);
	with_process(false);
	in_thread(without_context, make());
	is(aclrtDestroyStream(streams[0]) | aclrtDestroyStream(streams[1]), 0, "destroy");
	return done_testing();
}
