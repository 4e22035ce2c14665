// SPDX-License-Identifier: MIT
/* Callbacks in a lent thread, host functions, values in memory. */
#include <semaphore.h>

#include "gate.h"

static aclrtStream s;

/* A thread that processes reports until told, as the published samples do. */
struct poller {
	pthread_t thread;
	_Atomic int stop;
	_Atomic int ran, timeouts, others;
};

static void *poll_reports(void *arg)
{
	struct poller *poller = arg;

	while (!poller->stop) {
		int code = aclrtProcessReport(20);

		if (!code)
			poller->ran++;
		else if (code == 507012)
			poller->timeouts++;
		else if (code != 107012)
			poller->others++;
	}
	return NULL;
}

static void start_poller(struct poller *poller)
{
	memset(poller, 0, sizeof(*poller));
	if (pthread_create(&poller->thread, NULL, poll_reports, poller))
		bail_out("no thread");
}

static void stop_poller(struct poller *poller)
{
	poller->stop = 1;
	pthread_join(poller->thread, NULL);
}

struct seen {
	pthread_t thread;
	int calls;
	int sync, destroy;
	sem_t done;
};

static void call(void *arg)
{
	struct seen *seen = arg;

	seen->thread = pthread_self();
	seen->calls++;
	sem_post(&seen->done);
}

static void test_arguments(void)
{
	uint64_t me = (uint64_t)pthread_self();

	is(aclrtSubscribeReport(0, s), 100000, "subscribe: thread 0");
	is(aclrtSubscribeReport(me, (aclrtStream)8), 107003, "subscribe: no stream");
	is(aclrtLaunchCallback(NULL, NULL, ACL_CALLBACK_BLOCK, s), 100000,
	   "launch: NULL");
	is(aclrtLaunchCallback(call, NULL, (aclrtCallbackBlockType)2, s), 100000,
	   "launch: block type 2");
	is(aclrtLaunchCallback(call, NULL, ACL_CALLBACK_BLOCK, s), 107015,
	   "launch: not subscribed");
	ok(recent_has("aclrtSubscribeReport"), "the text says what to do");
	is(aclrtProcessReport(0), 107000, "process: timeout 0");
	is(aclrtProcessReport(-2), 107000, "process: timeout -2");
	is(aclrtProcessReport(2), 107012, "process: not subscribed");
	is(aclrtUnSubscribeReport(me, s), 107015, "unsubscribe: not subscribed");
	is(aclrtSubscribeReport(me, s), 0, "subscribe");
	is(aclrtSubscribeReport(me, s), 107011, "again");
	is(aclrtUnSubscribeReport(me + 1, s), 107012, "unsubscribe another thread");
	is(aclrtProcessReport(2), 507012, "process: nothing comes");
	is(aclrtUnSubscribeReport(me, s), 0, "unsubscribe");
	is(aclrtLaunchHostFunc(s, NULL, NULL), 100000, "host function: NULL");
	is(aclrtLaunchHostFunc((aclrtStream)8, call, NULL), 107003,
	   "host function: no stream");
}

static void test_callbacks(void)
{
	struct seen seen = {0};
	struct poller poller;

	sem_init(&seen.done, 0, 0);
	start_poller(&poller);
	is(aclrtSubscribeReport((uint64_t)poller.thread, s), 0, "subscribe a thread");
	is(aclrtLaunchCallback(call, &seen, ACL_CALLBACK_BLOCK, s), 0, "launch, block");
	is(aclrtSynchronizeStream(s), 0, "synchronise");
	is(seen.calls, 1, "the callback has run");
	ok(pthread_equal(seen.thread, poller.thread), "in that thread");
	is(aclrtLaunchCallback(call, &seen, ACL_CALLBACK_NO_BLOCK, s), 0,
	   "launch, no block");
	sem_wait(&seen.done);
	sem_wait(&seen.done);
	is(seen.calls, 2, "runs too");
	is(aclrtUnSubscribeReport((uint64_t)poller.thread, s), 0,
	   "unsubscribe while it polls");
	stop_poller(&poller);
	is(poller.ran, 2, "it has processed two");
	is(poller.others, 0, "and seen no other code");

	start_poller(&poller);
	is(aclrtSubscribeReport((uint64_t)poller.thread, s), 0, "the other style:");
	is(aclrtLaunchCallback(call, &seen, ACL_CALLBACK_BLOCK, s), 0, "launch");
	is(aclrtSynchronizeStream(s), 0, "synchronise");
	stop_poller(&poller);
	is(aclrtUnSubscribeReport((uint64_t)poller.thread, s), 0,
	   "unsubscribe a thread that has ended");
	is(seen.calls, 3, "three ran in all");
}

/* The stream stands in front of a blocking callback that nobody runs. */
static void test_block(void)
{
	uint64_t me = (uint64_t)pthread_self();
	aclrtStreamStatus status;
	struct seen seen = {0};

	sem_init(&seen.done, 0, 0);
	is(aclrtSubscribeReport(me, s), 0, "subscribe this thread");
	is(aclrtLaunchCallback(call, &seen, ACL_CALLBACK_BLOCK, s), 0, "launch, block");
	is(aclrtSynchronizeStreamWithTimeout(s, 3), 507046, "the stream stands");
	is(aclrtProcessReport(-1), 0, "process");
	is(seen.calls, 1, "runs it");
	is(aclrtSynchronizeStream(s), 0, "the stream goes on");
	is(aclrtLaunchCallback(call, &seen, ACL_CALLBACK_NO_BLOCK, s), 0, "no block");
	is(aclrtSynchronizeStream(s), 0, "the stream does not wait");
	is(seen.calls, 1, "nobody has run it");
	is(aclrtProcessReport(1000), 0, "process");
	is(seen.calls, 2, "runs it");
	is(aclrtLaunchCallback(call, &seen, ACL_CALLBACK_BLOCK, s), 0, "a last one");
	is(aclrtUnSubscribeReport(me, s), 0, "unsubscribe");
	is(aclrtSynchronizeStream(s), 0, "lets the stream go");
	is(aclrtStreamQuery(s, &status) | (int)status, 0, "it has nothing to do");
	is(seen.calls, 2, "the last one never runs");

	is(aclrtSubscribeReport(me, s), 0, "subscribe");
	is(aclrtLaunchCallback(call, &seen, ACL_CALLBACK_BLOCK, s), 0, "launch");
	is(aclrtStreamAbort(s), 0, "abort");
	is(aclrtSynchronizeStream(s), 0, "the stream is free");
	is(aclrtUnSubscribeReport(me, s), 0, "unsubscribe");
}

static void test_destroy(void)
{
	uint64_t me = (uint64_t)pthread_self();
	struct seen seen = {0};
	aclrtStream own;

	sem_init(&seen.done, 0, 0);
	if (aclrtCreateStream(&own))
		bail_out("no stream");
	is(aclrtSubscribeReport(me, own), 0, "subscribe");
	is(aclrtLaunchCallback(call, &seen, ACL_CALLBACK_BLOCK, own), 0, "launch");
	is(aclrtDestroyStream(own), 0, "destroying the stream does not hang");
	is(seen.calls, 0, "the callback never runs");
	is(aclrtUnSubscribeReport(me, own), 107015, "the subscription went with it");
}

static void wrong(void *arg)
{
	struct seen *seen = arg;

	aclrtSetDevice(0);
	seen->sync = aclrtSynchronizeStream(NULL);
	seen->destroy = aclrtDestroyStream(s);
	seen->calls = aclrtSynchronizeDevice();
	aclrtResetDevice(0);
}

/* What a callback may do and may not, without a context of its own. */
struct inside {
	void *device, *host;
	int take, wait, copy, copy_now, launch, give;
};

static void look_inside(void *arg)
{
	struct inside *in = arg;
	void *p = NULL;

	in->take = aclrtMalloc(&p, 100, ACL_MEM_MALLOC_NORMAL_ONLY);
	in->give = in->take ?: aclrtFree(p);
	in->wait = aclrtSynchronizeDevice();
	in->copy = aclrtMemcpyAsync(in->device, 64, in->host, 64, ACL_MEMCPY_DEFAULT, s);
	in->copy_now = aclrtMemcpy(in->device, 64, in->host, 64, ACL_MEMCPY_DEFAULT);
	in->launch = aclrtLaunchHostFunc(s, look_inside, arg);
}

static void test_inside(void)
{
	struct inside in = {0};
	struct poller poller;

	if (aclrtMalloc(&in.device, 64, ACL_MEM_MALLOC_NORMAL_ONLY) ||
	    aclrtMallocHost(&in.host, 64))
		bail_out("no memory");
	is(aclrtLaunchHostFunc(s, look_inside, &in) | aclrtSynchronizeStream(s), 0,
	   "a host function");
	is(in.take | in.give, 0, "has its stream's context: it can allocate");
	is(in.wait, 207000, "must not wait");
	is(in.copy, 207000, "must not copy");
	is(in.copy_now, 207000, "not at once either");
	is(in.launch, 207000, "must not launch another");
	start_poller(&poller);
	is(aclrtSubscribeReport((uint64_t)poller.thread, s), 0, "a report thread");
	is(aclrtLaunchCallback(look_inside, &in, ACL_CALLBACK_BLOCK, s) |
		   aclrtLaunchHostFunc(s, call, &(struct seen){0}) |
		   aclrtSynchronizeStream(s),
	   0, "callbacks and host functions work on one stream");
	is(in.take, 107002, "the report thread has no context");
	is(in.wait, 207000, "all the same it must not wait");
	is(in.copy, 207000, "nor copy");
	is(aclrtUnSubscribeReport((uint64_t)poller.thread, s), 0, "unsubscribe");
	stop_poller(&poller);
	is(aclrtFree(in.device) | aclrtFreeHost(in.host), 0, "free");
}

static void test_host(void)
{
	struct seen seen = {0};
	struct gate gate;

	sem_init(&seen.done, 0, 0);
	gate_close(&gate, s);
	is(aclrtLaunchHostFunc(s, call, &seen), 0, "host function behind a gate");
	is(seen.calls, 0, "does not run");
	gate_open(&gate);
	is(aclrtSynchronizeStream(s), 0, "the gate opens");
	is(seen.calls, 1, "it has run");
	ok(!pthread_equal(seen.thread, pthread_self()), "in another thread");
	is(aclrtLaunchHostFunc(s, wrong, &seen), 0, "one that synchronises");
	is(aclrtSynchronizeStream(s), 0, "does not hang");
	is(seen.sync, 207000, "it is refused");
	is(seen.destroy, 207000, "so is destroying its stream");
	is(seen.calls, 207000, "and waiting for the device");
}

/* Sets the device while the last reset waits for this function to end. */
static void set_again(void *arg)
{
	int32_t active = 1;

	while (active)
		aclrtGetPrimaryCtxState(0, NULL, &active);
	*(int *)arg = aclrtSetDevice(0);
}

static void test_reset(void)
{
	int code = -1;

	is(aclrtLaunchHostFunc(NULL, set_again, &code), 0, "one that sets the device");
	is(aclrtResetDevice(0), 0, "while it is reset");
	is(code, 0, "works");
	is(aclrtSynchronizeStream(s), 107002, "the context here is gone");
	is(aclrtSetDevice(0), 0, "set");
	is(aclrtResetDevice(0), 0, "undo the function's");
	is(aclrtSynchronizeStream(s), 107003, "the stream is gone");
	is(aclrtCreateStream(&s), 0, "another");
}

static void test_values(void)
{
	uint64_t *word;
	aclrtStream t;

	if (aclrtMalloc((void **)&word, 64, ACL_MEM_MALLOC_NORMAL_ONLY) ||
	    aclrtCreateStream(&t))
		bail_out("no memory");
	*word = 0;
	is(aclrtValueWrite(NULL, 1, 0, s), 100000, "write: NULL");
	is(aclrtValueWrite((char *)word + 4, 1, 0, s), 107000, "write: unaligned");
	ok(recent_has("multiple of 8"), "the text has the rule");
	is(aclrtValueWrite(word, 1, 1, s), 107000, "write: flag 1");
	is(aclrtValueWrite(word, 1, 0, (aclrtStream)8), 107003, "write: no stream");
	is(aclrtValueWait(NULL, 1, 0, s), 100000, "wait: NULL");
	is(aclrtValueWait((char *)word + 1, 1, 0, s), 107000, "wait: unaligned");
	is(aclrtValueWait(word, 1, 4, s), 107000, "wait: flag 4");
	is(aclrtValueWait(word, 5, ACL_STREAM_WAIT_VALUE_GEQ, s), 0,
	   "wait for 5 and more");
	is(aclrtSynchronizeStreamWithTimeout(s, 3), 507046, "0 is less");
	is(aclrtValueWrite(word, 6, 0, t), 0, "another stream writes 6");
	is(aclrtSynchronizeStream(s), 0, "the first goes on");
	is(*word, 6, "it is written");
	is(aclrtValueWait(word, 6, ACL_STREAM_WAIT_VALUE_EQ, s) |
		   aclrtSynchronizeStream(s),
	   0, "equal");
	is(aclrtValueWait(word, 4, ACL_STREAM_WAIT_VALUE_AND, s) |
		   aclrtSynchronizeStream(s),
	   0, "and");
	is(aclrtValueWait(word, 1, ACL_STREAM_WAIT_VALUE_NOR, s) |
		   aclrtSynchronizeStream(s),
	   0, "nor");
	is(aclrtValueWait(word, 7, ACL_STREAM_WAIT_VALUE_EQ, s), 0,
	   "one that never comes");
	is(aclrtSynchronizeStreamWithTimeout(s, 3), 507046, "stands");
	is(aclrtStreamStop(s), 0, "stop");
	is(aclrtSynchronizeStream(s), 0, "ends it");
	is(aclrtDestroyStream(t) | aclrtFree(word), 0, "free");
}

/* Several streams, one thread for all; each callback exactly once, in its order. */
enum { STREAMS = 4, CALLS = 100 };

struct order {
	int next;
	int wrong;
};

struct numbered {
	struct order *order;
	int number;
};

static void count(void *arg)
{
	struct numbered *numbered = arg;

	numbered->order->wrong += numbered->order->next++ != numbered->number;
}

static void test_many(void)
{
	static struct numbered args[STREAMS][CALLS];
	struct order orders[STREAMS] = {{0}};
	aclrtStream streams[STREAMS];
	struct poller poller;
	int i, n, err = 0, wrong_ones = 0;

	start_poller(&poller);
	for (i = 0; i < STREAMS; i++) {
		err |= aclrtCreateStream(&streams[i]);
		err |= aclrtSubscribeReport((uint64_t)poller.thread, streams[i]);
	}
	for (n = 0; n < CALLS; n++) {
		for (i = 0; i < STREAMS; i++) {
			args[i][n] = (struct numbered){&orders[i], n};
			err |= aclrtLaunchCallback(count, &args[i][n],
						   (aclrtCallbackBlockType)(n % 2),
						   streams[i]);
		}
	}
	for (i = 0; i < STREAMS; i++) {
		err |= aclrtSynchronizeStream(streams[i]);
		/* CALLS - 1 is a blocking one: all before it have run. */
		wrong_ones += orders[i].wrong + (orders[i].next != CALLS);
		err |= aclrtUnSubscribeReport((uint64_t)poller.thread, streams[i]);
		err |= aclrtDestroyStream(streams[i]);
	}
	stop_poller(&poller);
	is(err, 0, "%d streams with %d callbacks each", STREAMS, CALLS);
	is(wrong_ones, 0, "each ran once, in its stream's order");
}

int main(void)
{
	small_device();
	need_device();
	if (aclrtCreateStream(&s))
		bail_out("no stream");
	test_arguments();
	test_callbacks();
	test_block();
	test_destroy();
	test_host();
	test_inside();
	test_reset();
	test_values();
	test_many();
	is(aclrtDestroyStream(s), 0, "the stream goes");
	return done_testing();
}
