// SPDX-License-Identifier: MIT
/* Devices and contexts: which thread has which, what belongs to what, what goes when. */
#include "gate.h"

#define DEVICES 3

static void test_devices(void)
{
	aclrtDeviceStatus health = ACL_RT_DEVICE_STATUS_ABNORMAL;
	uint32_t count = 0, flags = 9;
	int32_t id = -1, active = -1;

	is(aclrtGetDeviceCount(&count), 0, "count");
	is(count, DEVICES, "is ACLKM_DEVICES");
	is(aclrtGetDeviceCount(NULL), 100000, "count: NULL");
	is(aclrtSetDevice(-1), 107001, "set -1");
	is(aclrtSetDevice(DEVICES), 107001, "set one too many");
	ok(recent_has("from 0 to 2"), "the text has the range");
	is(aclrtSetDevice(INT32_MAX), 107001, "set 2^31 - 1");
	is(aclrtGetDevice(&id), 107002, "no device is set");
	is(aclrtGetPrimaryCtxState(2, &flags, &active), 0, "default context of 2");
	is(active, 0, "is not there");
	is(aclrtSetDevice(2), 0, "set 2");
	is(aclrtGetDevice(&id), 0, "get");
	is(id, 2, "is 2");
	is(aclrtGetPrimaryCtxState(2, &flags, &active), 0, "default context of 2");
	is(active, 1, "is there");
	is(flags, 0, "no flags");
	is(aclrtGetPrimaryCtxState(7, NULL, NULL), 107001, "of a device that is not");
	is(aclrtSetDevice(0), 0, "set 0");
	is(aclrtGetDevice(&id) | id, 0, "the last one set is current");
	is(aclrtResetDevice(1), 107002, "reset one that was never set");
	is(aclrtResetDevice(9), 107001, "reset a bad id");
	is(aclrtResetDeviceForce(9), 107001, "force: a bad id");
	is(aclrtResetDevice(2), 0, "reset 2");
	is(aclrtGetDevice(&id) | id, 0, "0 is still current");
	is(aclrtQueryDeviceStatus(0, &health), 0, "health");
	is(health, ACL_RT_DEVICE_STATUS_NORMAL, "is normal");
	is(aclrtQueryDeviceStatus(3, &health), 107001, "health: a bad id");
	is(aclrtResetDevice(0), 0, "reset 0");
	is(aclrtGetDevice(&id), 107002, "none is current");
}

static void test_counted(void)
{
	int32_t id;

	is(aclrtSetDevice(1) | aclrtSetDevice(1) | aclrtSetDevice(1), 0,
	   "set three times");
	is(aclrtResetDevice(1), 0, "reset once");
	is(aclrtGetDevice(&id), 0, "it is still set");
	is(aclrtResetDeviceForce(1), 0, "force");
	is(aclrtGetDevice(&id), 107002, "takes all the others");
	is(aclrtResetDeviceForce(1), 107002, "once only");
}

static void test_questions(void)
{
	int32_t least = 1, greatest = 1, pid = 0, major = 0, minor = 0, patch = 9;
	aclrtUuid a, b, again;
	int64_t value = 0;

	is(aclrtDeviceGetStreamPriorityRange(&least, &greatest), 107002,
	   "priorities: no context");
	is(aclrtSetDevice(0), 0, "set");
	is(aclrtDeviceGetStreamPriorityRange(&least, &greatest), 0, "priorities");
	ok(least == 7 && greatest == 0, "from 0, the greatest, to 7");
	is(aclrtDeviceGetStreamPriorityRange(NULL, NULL), 0, "NULL is left out");
	ok(!strncmp(aclrtGetSocName(), "Ascend", 6), "soc: %s", aclrtGetSocName());
	is(aclrtDeviceGetBareTgid(NULL), 100000, "pid: NULL");
	is(aclrtDeviceGetBareTgid(&pid), 0, "pid");
	is(pid, getpid(), "is this process");
	is(aclrtGetVersion(&major, &minor, NULL), 100000, "version: NULL");
	is(aclrtGetVersion(&major, &minor, &patch), 0, "version");
	ok(major == 1 && minor == 17 && patch == 0, "1.17.0");
	is(aclrtDeviceGetUuid(0, &a) | aclrtDeviceGetUuid(1, &b) |
		   aclrtDeviceGetUuid(0, &again),
	   0, "uuids");
	ok(memcmp(&a, &b, sizeof(a)) && !memcmp(&a, &again, sizeof(a)),
	   "one for each device, always the same");
	is(aclrtDeviceGetUuid(3, &a), 107001, "uuid: a bad id");
	is(aclrtDeviceGetUuid(0, NULL), 100000, "uuid: NULL");
	is(aclrtGetDeviceInfo(1, ACL_DEV_ATTR_TOTAL_GLOBAL_MEM_SIZE, &value), 0,
	   "memory");
	ok(value > 0, "there is some");
	is(aclrtGetDeviceInfo(1, ACL_DEV_ATTR_PHY_CHIP_ID, &value), 0, "chip");
	is(value, 1, "is the device");
	is(aclrtGetDeviceInfo(1, ACL_DEV_ATTR_AICORE_CORE_NUM, &value), 0, "cores");
	is(value, 20, "of the product");
	is(aclrtGetDeviceInfo(1, ACL_DEV_ATTR_WARP_SIZE, &value), 207000, "warps");
	is(aclrtGetDeviceInfo(1, ACL_DEV_ATTR_SMP_ID, NULL), 100000, "info: NULL");
	is(aclrtResetDevice(0), 0, "reset");
}

static void test_peers(void)
{
	int32_t can = -1, status = -1;

	is(aclrtDeviceEnablePeerAccess(1, 0), 107002, "peers: no context");
	is(aclrtSetDevice(0), 0, "set 0");
	is(aclrtDeviceCanAccessPeer(&can, 0, 1), 0, "can 0 reach 1");
	is(can, 1, "yes");
	is(aclrtDeviceCanAccessPeer(&can, 1, 1), 0, "can 1 reach 1");
	is(can, 0, "it is no peer");
	is(aclrtDeviceCanAccessPeer(NULL, 0, 1), 100000, "NULL");
	is(aclrtDeviceCanAccessPeer(&can, 0, 3), 107001, "a bad id");
	is(aclrtDevicePeerAccessStatus(0, 1, &status) | status, 0, "not enabled");
	is(aclrtDeviceEnablePeerAccess(1, 1), 200006, "flags must be 0");
	is(aclrtDeviceEnablePeerAccess(0, 0), 100000, "itself");
	is(aclrtDeviceEnablePeerAccess(3, 0), 107001, "a bad id");
	is(aclrtDeviceEnablePeerAccess(1, 0), 0, "enable");
	is(aclrtDeviceEnablePeerAccess(1, 0), 0, "again");
	is(aclrtDevicePeerAccessStatus(0, 1, &status), 0, "status");
	is(status, 1, "from 0 to 1");
	is(aclrtDevicePeerAccessStatus(1, 0, &status) | status, 0, "one way");
	is(aclrtDeviceDisablePeerAccess(1), 0, "disable");
	is(aclrtDevicePeerAccessStatus(0, 1, &status) | status, 0, "it is off");
	is(aclrtResetDevice(0), 0, "reset");
}

static void test_contexts(void)
{
	aclrtContext first = NULL, second = NULL, now = NULL, standard;
	aclrtStream s, d, e;
	int32_t id;
	void *p;

	is(aclrtCreateContext(NULL, 0), 100000, "create: NULL");
	is(aclrtCreateContext(&first, DEVICES), 107001, "create: a bad id");
	is(aclrtGetCurrentContext(&now), 107002, "there is none");
	is(aclrtCreateContext(&first, 1), 0, "create, without a device set");
	is(aclrtGetCurrentContext(&now), 0, "get");
	ok(now == first && first, "it is current");
	is(aclrtGetDevice(&id), 0, "the device");
	is(id, 1, "is the context's");
	is(aclrtCtxGetCurrentDefaultStream(&d), 0, "it has a default stream");
	is(aclrtCtxGetCurrentDefaultStream(NULL), 100000, "default stream: NULL");
	is(aclrtSynchronizeStream(d), 0, "which can be used");
	is(aclrtCreateStream(&s), 0, "and another");
	is(aclrtCreateContext(&second, 0), 0, "a second context");
	ok(second != first, "is another");
	is(aclrtSynchronizeStream(s), 107003, "streams of the first are not its own");
	ok(recent_has("belongs to context"), "the text says so");
	is(aclrtStreamQuery(s, &(aclrtStreamStatus){0}), 107003, "query: neither");
	is(aclrtCtxGetCurrentDefaultStream(&e), 0, "default stream");
	ok(e != d, "each has its own");
	is(aclrtSetCurrentContext(first), 0, "back to the first");
	is(aclrtSynchronizeStream(s), 0, "its stream is good again");
	is(aclrtSetCurrentContext(NULL), 100000, "set: NULL");
	is(aclrtSetCurrentContext((aclrtContext)s), 107000, "set: a stream");
	is(aclrtSetCurrentContext(&first), 107000, "set: an address");
	is(aclrtDestroyContext(second), 0, "destroy the second");
	is(aclrtDestroyContext(second), 107000, "again");
	is(aclrtSetCurrentContext(second), 107000, "and make it current");
	ok(recent_has("destroyed already"), "the text says so");
	is(aclrtSynchronizeStream(s), 0, "the current one is still there");
	is(aclrtDestroyContext(first), 0, "destroy the current one");
	is(aclrtGetCurrentContext(&now), 107002, "now there is none");
	is(aclrtMalloc(&p, 100, ACL_MEM_MALLOC_NORMAL_ONLY), 107002, "and no memory");
	is(aclrtDestroyStream(s), 107003, "its stream went with it");
	is(aclrtDestroyContext(NULL), 100000, "destroy: NULL");
	is(aclrtSetDevice(0), 0, "set");
	is(aclrtGetCurrentContext(&standard), 0, "the default context");
	is(aclrtDestroyContext(standard), 107000, "cannot be destroyed");
	ok(recent_has("aclrtResetDevice"), "the text says what to do");
	is(aclrtCreateContext(&first, 0), 0, "a context beside it");
	is(aclrtSetDevice(0), 0, "set makes the default one current");
	is(aclrtGetCurrentContext(&now), 0, "get");
	ok(now == standard, "it is");
	is(aclrtResetDevice(0) | aclrtResetDevice(0), 0, "reset");
	is(aclrtSetCurrentContext(first), 107000, "takes the other contexts as well");
}

static void *use_both(void *arg)
{
	aclrtContext *contexts = arg, now;
	long odd = 0;
	aclrtStream s;

	odd += aclrtGetCurrentContext(&now) != 107002;
	odd += aclrtSetCurrentContext(contexts[0]) != 0;
	odd += aclrtCreateStream(&s) != 0;
	odd += aclrtSetCurrentContext(contexts[1]) != 0;
	odd += aclrtSynchronizeStream(s) != 107003;
	odd += aclrtDestroyStream(s) != 0;
	return (void *)odd;
}

static void test_threads(void)
{
	pthread_t threads[4];
	aclrtContext contexts[2];
	void *odd;
	long all = 0;
	int i;

	if (aclrtCreateContext(&contexts[0], 0) || aclrtCreateContext(&contexts[1], 1))
		bail_out("no context");
	for (i = 0; i < 4; i++) {
		if (pthread_create(&threads[i], NULL, use_both, contexts))
			bail_out("no thread");
	}
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], &odd);
		all += (long)odd;
	}
	is(all, 0, "four threads share two contexts; each starts with none");
	is(aclrtDestroyContext(contexts[0]) | aclrtDestroyContext(contexts[1]), 0,
	   "destroy");
}

/* Contexts that come and go under threads that use them: an error at most. */
static void *create_and_use(void *arg)
{
	long i, odd = 0;

	(void)arg;
	for (i = 0; i < 100; i++) {
		aclrtContext c;
		aclrtStream s;

		odd += aclrtCreateContext(&c, (int)(i % DEVICES)) != 0;
		odd += aclrtCreateStream(&s) != 0;
		odd += aclrtSynchronizeStream(s) != 0;
		odd += aclrtDestroyContext(c) != 0;
		odd += aclrtSynchronizeStream(s) != 107002;
	}
	return (void *)odd;
}

static void test_storm(void)
{
	pthread_t threads[4];
	void *odd;
	long all = 0;
	int i;

	for (i = 0; i < 4; i++) {
		if (pthread_create(&threads[i], NULL, create_and_use, NULL))
			bail_out("no thread");
	}
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], &odd);
		all += (long)odd;
	}
	is(all, 0, "four threads create and destroy contexts");
}

static void test_synchronize(void)
{
	struct gate first, second;
	aclrtContext other;
	aclrtStream a, b;

	is(aclrtSynchronizeDeviceWithTimeout(5), 107002, "no context");
	if (aclrtSetDevice(0) || aclrtCreateStream(&a))
		bail_out("no stream");
	gate_close(&first, a);
	is(aclrtSynchronizeDeviceWithTimeout(5), 507046, "a stream stands: time is up");
	is(aclrtSynchronizeDeviceWithTimeout(0), 107000, "timeout 0");
	is(aclrtSynchronizeDeviceWithTimeout(-2), 107000, "timeout -2");
	is(aclrtSetDevice(1), 0, "another device");
	is(aclrtSynchronizeDevice(), 0, "has nothing to wait for");
	is(aclrtCreateContext(&other, 0), 0, "another context of the first device");
	if (aclrtCreateStream(&b))
		bail_out("no stream");
	gate_close(&second, b);
	gate_open(&first);
	is(aclrtSetDevice(0), 0, "back");
	is(aclrtSynchronizeDeviceWithTimeout(5), 507046, "streams of all contexts count");
	gate_open(&second);
	is(aclrtSynchronizeDeviceWithTimeout(-1), 0, "the gates are open");
	is(aclrtDestroyContext(other), 0, "destroy");
	is(aclrtResetDevice(0) | aclrtResetDevice(0) | aclrtResetDevice(1), 0, "reset");
}

static void test_memory(void)
{
	aclrtPhysicalMemProp prop = {
		.memAttr = ACL_HBM_MEM_HUGE,
		.location = {.id = 1, .type = ACL_MEM_LOCATION_TYPE_DEVICE}};
	size_t free0, free1, total, total1, left;
	aclrtDrvMemHandle handle;
	aclrtPtrAttributes where;
	char *a, *b;
	void *p;

	is(aclrtSetDevice(0), 0, "set 0");
	is(aclrtGetMemInfo(ACL_HBM_MEM, &free0, &total), 0, "memory of 0");
	if (aclrtMalloc((void **)&a, 2 * MIB, ACL_MEM_MALLOC_NORMAL_ONLY))
		bail_out("no memory");
	is(aclrtGetMemInfo(ACL_HBM_MEM, &left, &total), 0, "memory of 0");
	ok(free0 - left >= 2 * MIB, "2 MiB less");
	is(aclrtSetDevice(1), 0, "set 1");
	is(aclrtGetMemInfo(ACL_HBM_MEM, &free1, &total1), 0, "memory of 1");
	ok(total1 == total && free1 <= total1, "has an equal part");
	ok(free1 > left, "of which nothing is used");
	is(aclrtMalloc(&p, total + 1, ACL_MEM_MALLOC_NORMAL_ONLY), 207001,
	   "more than the part");
	ok(recent_has("equal parts"), "the text says so");
	if (aclrtMalloc((void **)&b, MIB, ACL_MEM_MALLOC_NORMAL_ONLY))
		bail_out("no memory");
	is(aclrtPointerGetAttributes(a, &where) | (int)where.location.id, 0,
	   "the first block is on 0");
	is(aclrtPointerGetAttributes(b + 5, &where), 0, "the second");
	is(where.location.id, 1, "is on 1");
	memset(a, 0x2a, MIB);
	is(aclrtMemcpyAsync(b, MIB, a, MIB, ACL_MEMCPY_DEVICE_TO_DEVICE, NULL) |
		   aclrtSynchronizeStream(NULL),
	   0, "from 0 to 1");
	is(b[MIB - 1], 0x2a, "the bytes arrive");
	is(aclrtFree(a) | aclrtFree(b), 0, "free, whatever is current");
	is(aclrtMallocPhysical(&handle, 2 * MIB, &prop, 0), 0, "physical memory of 1");
	is(aclrtGetMemInfo(ACL_HBM_MEM, &left, &total), 0, "memory of 1");
	ok(free1 - left >= 2 * MIB, "counts, too");
	is(aclrtFreePhysical(handle), 0, "free");
	is(aclrtGetMemInfo(ACL_HBM_MEM, &left, &total), 0, "memory of 1");
	is(left, free1, "all is back");
	is(aclrtResetDevice(0) | aclrtResetDevice(1), 0, "reset");
}

int main(void)
{
	char count[8];

	snprintf(count, sizeof(count), "%d", DEVICES);
	setenv("ACLKM_DEVICES", count, 1);
	small_device();
	test_devices();
	test_counted();
	test_questions();
	test_peers();
	test_contexts();
	test_threads();
	test_storm();
	test_synchronize();
	test_memory();
	return done_testing();
}
