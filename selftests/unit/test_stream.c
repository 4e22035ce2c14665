// SPDX-License-Identifier: MIT
/* Streams: order, real asynchrony, concurrency, handles, many threads. */
#include "gate.h"

#define SIZE (64 * KIB)

static unsigned char *device, *host;

static void test_handles(void)
{
	aclrtStream s = NULL, t = NULL;

	is(aclrtCreateStream(NULL), 100000, "create: NULL");
	is(aclrtDestroyStream(NULL), 100000, "destroy: NULL");
	is(aclrtCreateStream(&s), 0, "create");
	ok(s, "gives a handle");
	is(aclrtSynchronizeStream(s), 0, "an idle stream is synchronised");
	is(aclrtDestroyStream(s), 0, "destroy");
	is(aclrtDestroyStream(s), 107003, "destroy again");
	ok(recent_has("destroyed already"), "the text says so");
	is(aclrtSynchronizeStream(s), 107003, "synchronise a destroyed stream");
	is(aclrtMemcpyAsync(device, 64, host, 64, ACL_MEMCPY_DEFAULT, s), 107003,
	   "copy in a destroyed stream");
	is(aclrtCreateStream(&t), 0, "the next stream");
	ok(t != s, "has another handle");
	is(aclrtDestroyStream(t), 0, "destroy");
	is(aclrtSynchronizeStream((aclrtStream)(uintptr_t)0xdeadbeef), 107003,
	   "no handle at all");
	is(aclrtSynchronizeStream((aclrtStream)device), 107003, "an address");
	is(aclrtSynchronizeStream(NULL), 0, "NULL is the default stream");
}

static void test_asynchrony(void)
{
	struct aclkm_stats before, after;
	struct gate gate;
	aclrtStream s;

	if (aclrtCreateStream(&s))
		bail_out("no stream");
	memset(device, 0, SIZE);
	memset(host, 0x11, SIZE);
	gate_close(&gate, s);
	aclkm_stats_get(&before);
	is(aclrtMemcpyAsync(device, SIZE, host, SIZE, ACL_MEMCPY_DEFAULT, s), 0,
	   "a copy behind a closed gate returns");
	aclkm_stats_get(&after);
	is(after.bytes_copied, before.bytes_copied, "nothing is copied yet");
	is(device[0], 0, "the destination is untouched");
	memset(host, 0x22, SIZE);
	ok(!pthread_equal(gate.thread, pthread_self()), "another thread does the work");
	gate_open(&gate);
	is(aclrtSynchronizeStream(s), 0, "the gate opens, synchronise");
	ok(device[0] == 0x22 && device[SIZE - 1] == 0x22,
	   "the source is read when the copy runs");
	is(aclrtDestroyStream(s), 0, "destroy");
}

static void test_two_streams(void)
{
	struct gate first, second;
	aclrtStream a, b;

	if (aclrtCreateStream(&a) || aclrtCreateStream(&b))
		bail_out("no stream");
	gate_close(&first, a);
	memset(device, 0, SIZE);
	memset(host, 0x33, SIZE);
	is(aclrtMemcpyAsync(device, SIZE, host, SIZE, ACL_MEMCPY_DEFAULT, b), 0,
	   "a copy in the second stream");
	is(aclrtSynchronizeStream(b), 0, "is done while the first stands");
	is(device[SIZE - 1], 0x33, "really");
	is(aclrtMemcpyAsync(device, SIZE, host, SIZE, ACL_MEMCPY_DEFAULT, NULL), 0,
	   "so is one in the default stream");
	is(aclrtSynchronizeStream(NULL), 0, "synchronise it");
	gate_close(&second, b);
	ok(!pthread_equal(first.thread, second.thread), "both run at the same time");
	gate_open(&first);
	gate_open(&second);
	is(aclrtSynchronizeDevice(), 0, "synchronise the device");
	is(aclrtDestroyStream(a), 0, "destroy the first");
	is(aclrtDestroyStream(b), 0, "destroy the second");
}

/* Each copy takes what the one before has written: any other order shows. */
static void test_order(void)
{
	enum { STEPS = 1000, STEP = 64 };
	unsigned char *chain;
	struct gate gate;
	aclrtStream s;
	int i, err = 0, wrong = 0;

	if (aclrtCreateStream(&s) ||
	    aclrtMalloc((void **)&chain, (STEPS + 1) * STEP, ACL_MEM_MALLOC_NORMAL_ONLY))
		bail_out("no stream");
	memset(chain, 0, (STEPS + 1) * STEP);
	memset(host, 0x44, STEP);
	gate_close(&gate, s);
	err |= aclrtMemcpyAsync(chain, STEP, host, STEP, ACL_MEMCPY_DEFAULT, s);
	for (i = 0; i < STEPS; i++)
		err |= aclrtMemcpyAsync(chain + (i + 1) * STEP, STEP, chain + i * STEP,
					STEP, ACL_MEMCPY_DEFAULT, s);
	is(err, 0, "%d dependent copies are submitted", STEPS);
	gate_open(&gate);
	is(aclrtDestroyStream(s), 0, "destroying the stream finishes them");
	for (i = 0; i <= STEPS; i++)
		wrong += chain[i * STEP] != 0x44 || chain[i * STEP + STEP - 1] != 0x44;
	is(wrong, 0, "they ran in order");
	aclrtFree(chain);
}

static void test_limit(void)
{
	static aclrtStream all[2000];
	int n = 0, code = 0, err = 0, i;

	while (n < 2000) {
		code = aclrtCreateStream(&all[n]);
		if (code)
			break;
		n++;
	}
	is(code, 207008, "there are no streams without end");
	is(n, 1983, "1984 with the default stream");
	for (i = 0; i < n; i++)
		err |= aclrtDestroyStream(all[i]);
	is(err, 0, "all are destroyed");
}

#define THREADS 6
#define ROUNDS 200

static void *hammer(void *arg)
{
	aclrtStream shared = arg, own;
	unsigned char *from = NULL, *to = NULL;
	int i;
	long failed = 0;

	if (aclrtSetDevice(0) || aclrtCreateStream(&own) ||
	    aclrtMallocHost((void **)&from, SIZE) ||
	    aclrtMalloc((void **)&to, SIZE, ACL_MEM_MALLOC_NORMAL_ONLY))
		return (void *)1L;
	for (i = 0; i < ROUNDS; i++) {
		aclrtStream s = i % 2 ? own : shared;

		memset(from, i, SIZE);
		failed += aclrtMemcpyAsync(to, SIZE, from, SIZE, ACL_MEMCPY_DEFAULT, s) !=
			  0;
		failed += aclrtSynchronizeStream(s) != 0;
		failed += memcmp(from, to, SIZE) != 0;
		if (i % 50 == 49) {
			failed += aclrtDestroyStream(own) != 0;
			failed += aclrtCreateStream(&own) != 0;
		}
	}
	failed += aclrtDestroyStream(own) != 0;
	failed += aclrtFreeHost(from) != 0;
	failed += aclrtFree(to) != 0;
	failed += aclrtResetDevice(0) != 0;
	return (void *)failed;
}

static void test_threads(void)
{
	pthread_t threads[THREADS];
	aclrtStream shared;
	void *failed;
	long all = 0;
	int i;

	if (aclrtCreateStream(&shared))
		bail_out("no stream");
	for (i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, hammer, shared))
			bail_out("no thread");
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &failed);
		all += (long)failed;
	}
	is(all, 0, "%d threads, a shared stream and one each", THREADS);
	is(aclrtDestroyStream(shared), 0, "destroy the shared one");
}

/* A stream that goes while others use it: an error for them, nothing else. */
static void *use_until_gone(void *arg)
{
	long odd = 0;
	int code = 0;

	if (aclrtSetDevice(0))
		return (void *)1L;
	while (!code) {
		code = aclrtMemcpyAsync(device, 64, host, 64, ACL_MEMCPY_DEFAULT, arg);
		if (!code)
			code = aclrtSynchronizeStream(arg);
	}
	odd += code != 107003;
	odd += aclrtResetDevice(0) != 0;
	return (void *)odd;
}

static void test_destroy_in_use(void)
{
	pthread_t threads[2];
	aclrtStream s;
	void *odd;
	long all = 0;
	int i;

	if (aclrtCreateStream(&s))
		bail_out("no stream");
	for (i = 0; i < 2; i++) {
		if (pthread_create(&threads[i], NULL, use_until_gone, s))
			bail_out("no thread");
	}
	for (i = 0; i < 50; i++)
		aclrtSynchronizeStream(s);
	is(aclrtDestroyStream(s), 0, "a stream is destroyed while two threads use it");
	for (i = 0; i < 2; i++) {
		pthread_join(threads[i], &odd);
		all += (long)odd;
	}
	is(all, 0, "both get 107003");
}

static void test_reset(void)
{
	aclrtStream s;

	is(aclrtCreateStream(&s), 0, "a stream");
	memset(host, 0x55, SIZE);
	is(aclrtMemcpyAsync(device, SIZE, host, SIZE, ACL_MEMCPY_DEFAULT, s), 0,
	   "with a copy");
	is(aclrtResetDevice(0), 0, "the last reset");
	is(device[SIZE - 1], 0x55, "finishes the copy");
	is(aclrtDestroyStream(s), 107003, "and takes the stream");
	is(aclrtSynchronizeStream(NULL), 107002, "there is no default stream now");
	is(aclrtSetDevice(0), 0, "set again");
	is(aclrtSynchronizeStream(NULL), 0, "there is a new one");
}

int main(void)
{
	small_device();
	need_device();
	if (aclrtMalloc((void **)&device, SIZE, ACL_MEM_MALLOC_NORMAL_ONLY) ||
	    aclrtMallocHost((void **)&host, SIZE))
		bail_out("no memory");
	test_handles();
	test_asynchrony();
	test_two_streams();
	test_order();
	test_limit();
	test_threads();
	test_destroy_in_use();
	test_reset();
	is(aclrtFree(device) | aclrtFreeHost(host), 0, "the memory goes");
	return done_testing();
}
