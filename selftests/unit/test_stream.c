// SPDX-License-Identifier: MIT
/* Streams: order, real asynchrony, concurrency, handles, many threads. */
#include <stdatomic.h>

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

/* Small copies are done at once where nothing is before them, and only there. */
static void test_at_once(void)
{
	struct gate gate;
	aclrtStream s;

	if (aclrtCreateStream(&s))
		bail_out("no stream");
	memset(device, 0, SIZE);
	memset(host, 0x66, SIZE);
	is(aclrtMemcpyAsync(device, 64, host, 64, ACL_MEMCPY_DEFAULT, s), 0,
	   "a small copy on an idle stream");
	is(device[63], 0x66, "is done when the call returns");
	is(device[64], 0, "and no more than it");
	gate_close(&gate, s);
	is(aclrtMemcpyAsync(device, 128, host, 128, ACL_MEMCPY_DEFAULT, s), 0,
	   "one behind a gate");
	is(device[127], 0, "is not");
	gate_open(&gate);
	is(aclrtSynchronizeStream(s), 0, "the gate opens, synchronise");
	is(device[127], 0x66, "now it is");
	is(aclrtDestroyStream(s), 0, "destroy");
	is(aclrtMemcpyAsync(device, 64, host, 64, ACL_MEMCPY_DEFAULT, s), 107003,
	   "not on a stream that has gone");
}

/*
 * Threads that share a stream, each with a chain of its own of small copies, some of
 * which are done at once and some queued: any other order shows.
 */
#define LINKS 400

static unsigned char *chains;
static aclrtStream chained;

static void *make_chain(void *arg)
{
	unsigned char *mine = chains + (size_t)(uintptr_t)arg * (LINKS + 1) * 64;
	unsigned int seed = (unsigned int)(uintptr_t)arg + 1;
	long odd = aclrtSetDevice(0);
	int i;

	for (i = 0; i < LINKS; i++) {
		odd += aclrtMemcpyAsync(mine + (i + 1) * 64, 64, mine + i * 64, 64,
					ACL_MEMCPY_DEFAULT, chained) != 0;
		if (rand_r(&seed) % 4)
			continue;
		odd += aclrtSynchronizeStream(chained) != 0;
		odd += mine[(i + 1) * 64] != mine[0];
	}
	odd += aclrtSynchronizeStream(chained) != 0;
	odd += mine[LINKS * 64 + 63] != mine[0];
	odd += aclrtResetDevice(0) != 0;
	return (void *)odd;
}

static void test_chains(void)
{
	pthread_t threads[4];
	void *odd;
	long all = 0;
	uintptr_t i;

	if (aclrtCreateStream(&chained) ||
	    aclrtMalloc((void **)&chains, 4 * (LINKS + 1) * 64,
			ACL_MEM_MALLOC_NORMAL_ONLY))
		bail_out("no stream");
	memset(chains, 0, 4 * (LINKS + 1) * 64);
	for (i = 0; i < 4; i++) {
		memset(chains + i * (LINKS + 1) * 64, 0x70 + (int)i, 64);
		if (pthread_create(&threads[i], NULL, make_chain, (void *)i))
			bail_out("no thread");
	}
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], &odd);
		all += (long)odd;
	}
	is(all, 0, "four threads, chains of small copies on one stream");
	is(aclrtDestroyStream(chained) | aclrtFree(chains), 0, "destroy");
}

/* Handles of streams that come and go, in threads that use them whatever they are. */
static _Atomic uintptr_t passed;
static atomic_bool enough;

static atomic_uint called;

static void count_call(void *unused)
{
	(void)unused;
	atomic_fetch_add(&called, 1);
}

/* Each copy has a place of its own: a stream that goes still finishes its own. */
#define PLACES 4000

static void *use_what_is_passed(void *arg)
{
	unsigned char *to = arg;
	long odd = aclrtSetDevice(0), taken = 0;
	int code, i;

	for (i = 0; i < PLACES && !atomic_load(&enough); i++) {
		aclrtStream s = (aclrtStream)atomic_load(&passed);

		code = aclrtLaunchHostFunc(s, count_call, NULL);
		odd += code != 0 && code != 107003;
		taken += !code;
		code = aclrtMemcpyAsync(to + i * 64, 64, host, 64, ACL_MEMCPY_DEFAULT, s);
		odd += code != 0 && code != 107003;
		code = aclrtSynchronizeStream(s);
		odd += code != 0 && code != 107003;
		code = aclrtMemcpyAsync(to + i * 64, 64, host, 64, ACL_MEMCPY_DEFAULT, s);
		odd += code != 0 && code != 107003;
	}
	odd += aclrtResetDevice(0) != 0;
	return (void *)(odd << 32 | taken);
}

static void test_come_and_go(void)
{
	pthread_t threads[3];
	aclrtStream s, old = NULL;
	unsigned char *places;
	long all = 0, taken = 0;
	void *odd;
	int i;

	atomic_store(&enough, false);
	if (aclrtCreateStream(&s) ||
	    aclrtMalloc((void **)&places, 3 * PLACES * 64, ACL_MEM_MALLOC_NORMAL_ONLY))
		bail_out("no stream");
	atomic_store(&passed, (uintptr_t)s);
	for (i = 0; i < 3; i++) {
		if (pthread_create(&threads[i], NULL, use_what_is_passed,
				   places + i * PLACES * 64))
			bail_out("no thread");
	}
	for (i = 0; i < 200; i++) {
		old = s;
		all += aclrtCreateStream(&s) != 0;
		all += s == old;
		atomic_store(&passed, (uintptr_t)s);
		all += aclrtSynchronizeStream(s) != 0;
		all += aclrtDestroyStream(old) != 0;
	}
	atomic_store(&enough, true);
	for (i = 0; i < 3; i++) {
		pthread_join(threads[i], &odd);
		all += (long)odd >> 32;
		taken += (long)odd & 0xffffffff;
	}
	is(all, 0, "200 streams come and go while three threads use them");
	is(aclrtDestroyStream(s), 0, "destroy the last");
	is(atomic_load(&called), taken, "what was taken has run, and nothing else");
	is(aclrtFree(places), 0, "free");
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
	test_at_once();
	test_chains();
	test_come_and_go();
	test_reset();
	is(aclrtFree(device) | aclrtFreeHost(host), 0, "the memory goes");
	return done_testing();
}
