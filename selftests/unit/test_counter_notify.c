// SPDX-License-Identifier: MIT
/* Counting notifies: numbers that streams change and wait for. */
#include "client.h"

static aclrtCntNotify counter;
static aclrtStream s, t;

static aclError record(aclrtCntNotifyRecordMode mode, uint32_t value)
{
	aclrtCntNotifyRecordInfo info = {.mode = mode, .value = value};

	return aclrtCntNotifyRecord(counter, s, &info);
}

static aclError wait_for(aclrtCntNotifyWaitMode mode, uint32_t value, uint32_t timeout,
			 uint8_t clear)
{
	aclrtCntNotifyWaitInfo info = {
		.mode = mode, .value = value, .timeout = timeout, .isClear = clear};

	return aclrtCntNotifyWaitWithTimeout(counter, t, &info);
}

static bool idle(aclrtStream stream)
{
	aclrtStreamStatus status = ACL_STREAM_STATUS_RESERVED;

	aclrtStreamQuery(stream, &status);
	return status == ACL_STREAM_STATUS_COMPLETE;
}

/* A wait that stands, and goes on by what is recorded next. */
static void goes_on(const char *name, aclrtCntNotifyWaitMode rule, uint32_t wanted,
		    uint8_t clear, aclrtCntNotifyRecordMode mode, uint32_t value)
{
	is(wait_for(rule, wanted, 0, clear), 0, "%s: wait", name);
	is(aclrtSynchronizeStreamWithTimeout(t, 5), 507046, "%s: it stands", name);
	is(record(mode, value), 0, "%s: record", name);
	is(aclrtSynchronizeStreamWithTimeout(t, 60000), 0, "%s: it goes on", name);
}

static void *without_context(void *arg)
{
	(void)arg;
	is(aclrtCntNotifyCreate(&counter, 0), 107002, "create without a context");
	return NULL;
}

static void test_arguments(void)
{
	aclrtCntNotifyRecordInfo info = {.mode = (aclrtCntNotifyRecordMode)3};
	aclrtCntNotify none = NULL, second;
	aclrtNotify plain;
	uint32_t a = 0, b = 0;

	in_thread(without_context, NULL);
	is(aclrtCntNotifyCreate(NULL, 0), 100000, "create: NULL");
	is(aclrtCntNotifyCreate(&none, 1), 107000, "create: a flag");
	ok(!none, "nothing is written");
	is(aclrtCntNotifyCreate(&counter, 0) | aclrtCntNotifyCreate(&second, 0), 0,
	   "two of them");
	is(aclrtCntNotifyGetId(counter, &a) | aclrtCntNotifyGetId(second, &b), 0,
	   "numbers");
	ok(a != b, "of their own");
	is(aclrtCntNotifyGetId(counter, NULL), 100000, "id: NULL");
	is(aclrtCntNotifyDestroy(second), 0, "destroy");
	is(aclrtCntNotifyDestroy(second), 107000, "again");
	is(aclrtCntNotifyDestroy(NULL), 100000, "NULL");
	is(aclrtCntNotifyGetId(second, &b), 107000, "id of it");
	is(aclrtCntNotifyReset(second, s), 107000, "reset it");
	is(aclrtCntNotifyRecord(counter, s, NULL), 100000, "record: NULL");
	is(aclrtCntNotifyRecord(counter, s, &info), 107000, "record: mode 3");
	info.mode = (aclrtCntNotifyRecordMode)5;
	is(aclrtCntNotifyRecord(counter, s, &info), 107000, "record: mode 5");
	is(aclrtCntNotifyWaitWithTimeout(counter, s, NULL), 100000, "wait: NULL");
	is(wait_for((aclrtCntNotifyWaitMode)5, 1, 0, 0), 107000, "wait: mode 5");
	is(wait_for(ACL_RT_CNT_NOTIFY_WAIT_EQUAL_MODE, 1, 0, 2), 107000,
	   "wait: isClear 2");
	is(aclrtCntNotifyReset(counter, (aclrtStream)8), 107003, "no stream");
	if (aclrtCreateNotify(&plain, 0))
		bail_out("no notify");
	is(aclrtCntNotifyReset(plain, s), 107000, "a notify is none");
	is(aclrtDestroyNotify(counter), 107000, "and none is a notify");
	is(aclrtDestroyNotify(plain), 0, "destroy the notify");
}

static void test_rules(void)
{
	goes_on("equal", ACL_RT_CNT_NOTIFY_WAIT_EQUAL_MODE, 5, 0,
		ACL_RT_CNT_NOTIFY_RECORD_SET_VALUE_MODE, 5);
	goes_on("bigger", ACL_RT_CNT_NOTIFY_WAIT_BIGGER_MODE, 5, 0,
		ACL_RT_CNT_NOTIFY_RECORD_ADD_MODE, 1);
	goes_on("at least", ACL_RT_CNT_NOTIFY_WAIT_BIGGER_OR_EQUAL_MODE, 7, 0,
		ACL_RT_CNT_NOTIFY_RECORD_ADD_MODE, 1);
	goes_on("less", ACL_RT_CNT_NOTIFY_WAIT_LESS_MODE, 4, 0,
		ACL_RT_CNT_NOTIFY_RECORD_BIT_AND_MODE, 0xfff1);
	goes_on("bits", ACL_RT_CNT_NOTIFY_WAIT_EQUAL_WITH_BITMASK_MODE, 0x11, 1,
		ACL_RT_CNT_NOTIFY_RECORD_BIT_OR_MODE, 0x30);
	is(wait_for(ACL_RT_CNT_NOTIFY_WAIT_EQUAL_MODE, 0, 0, 0) |
		   aclrtSynchronizeStreamWithTimeout(t, 60000),
	   0, "which cleared it");
	goes_on("adds up", ACL_RT_CNT_NOTIFY_WAIT_EQUAL_MODE, 2, 0,
		ACL_RT_CNT_NOTIFY_RECORD_ADD_MODE, 2);
	is(wait_for(ACL_RT_CNT_NOTIFY_WAIT_EQUAL_MODE, 2, 0, 0) |
		   wait_for(ACL_RT_CNT_NOTIFY_WAIT_BIGGER_OR_EQUAL_MODE, 1, 0, 0) |
		   aclrtSynchronizeStreamWithTimeout(t, 60000),
	   0, "several waits by one record");
	is(aclrtCntNotifyReset(counter, s) | aclrtSynchronizeStream(s), 0, "reset");
	is(wait_for(ACL_RT_CNT_NOTIFY_WAIT_LESS_MODE, 1, 0, 0) |
		   aclrtSynchronizeStreamWithTimeout(t, 60000),
	   0, "it is 0");
	is(record(ACL_RT_CNT_NOTIFY_RECORD_ADD_MODE, UINT32_MAX) |
		   record(ACL_RT_CNT_NOTIFY_RECORD_ADD_MODE, 3),
	   0, "beyond 32 bits");
	is(wait_for(ACL_RT_CNT_NOTIFY_WAIT_EQUAL_MODE, 2, 0, 0) |
		   aclrtSynchronizeStreamWithTimeout(t, 60000),
	   0, "it wraps around");
}

static void test_ends(void)
{
	is(wait_for(ACL_RT_CNT_NOTIFY_WAIT_EQUAL_MODE, 99, 1, 0), 0, "a second");
	is(aclrtSynchronizeStream(t), 107020, "is up");
	is(wait_for(ACL_RT_CNT_NOTIFY_WAIT_EQUAL_MODE, 99, 0, 0), 0, "no limit");
	ok(!idle(t), "it stands");
	is(aclrtStreamAbort(t), 0, "abort");
	is(aclrtSynchronizeStream(t), 0, "the stream can be used");
	is(wait_for(ACL_RT_CNT_NOTIFY_WAIT_EQUAL_MODE, 77, 0, 0), 0, "a wait");
	is(record(ACL_RT_CNT_NOTIFY_RECORD_SET_VALUE_MODE, 77), 0, "its record");
	is(aclrtCntNotifyDestroy(counter), 0, "destroyed meanwhile");
	is(aclrtSynchronizeStream(t), 0, "both do their work");
}

int main(void)
{
	small_device();
	need_device();
	if (aclrtCreateStream(&s) || aclrtCreateStream(&t))
		bail_out("no stream");
	test_arguments();
	test_rules();
	test_ends();
	is(aclrtDestroyStream(s) | aclrtDestroyStream(t), 0, "end");
	return done_testing();
}
