// SPDX-License-Identifier: MIT
/* Allocations with attributes, what the library tells of memory, registered memory. */
#include <sys/mman.h>
#include <sys/wait.h>

#include "client.h"

static aclrtStream stream;

static void test_config(void)
{
	aclrtMallocAttribute attrs[2] = {
		{.attr = ACL_RT_MEM_ATTR_MODULE_ID, .value = {.moduleId = 7}},
		{.attr = ACL_RT_MEM_ATTR_DEVICE_ID, .value = {.deviceId = 1}}};
	aclrtMallocConfig config = {attrs, 2};
	struct aclkm_memory_info info;
	void *p = NULL;

	is(aclrtMallocWithCfg(NULL, 100, 0, NULL), 100000, "config: NULL");
	is(aclrtMallocWithCfg(&p, 0, 0, NULL), 100000, "config: size 0");
	is(aclrtMallocWithCfg(&p, SIZE_MAX, 0, NULL), 100000, "config: 2^64 - 1");
	is(aclrtMallocWithCfg(&p, 100, (aclrtMemMallocPolicy)8, NULL), 107000,
	   "policy 8");
	is(aclrtMallocWithCfg(&p, 100, (aclrtMemMallocPolicy)0x1100, NULL), 107000,
	   "both bandwidths");
	is(aclrtMallocWithCfg(&p, 100, (aclrtMemMallocPolicy)0x2, NULL), 0, "no config");
	is(aclkm_memory_query(p, &info), 0, "ask");
	is(info.ruled, 128, "100 bytes take 128, no padding");
	is(aclrtFree(p), 0, "free");
	is(aclrtMallocWithCfg(&p, 100, (aclrtMemMallocPolicy)0x1002, &config), 107000,
	   "a device that is not current");
	ok(recent_has("must be the current device, 0"), "the text has the rule");
	attrs[1].value.deviceId = 0;
	is(aclrtMallocWithCfg(&p, 100, (aclrtMemMallocPolicy)0x1002, &config), 0,
	   "the current one, bandwidth and a base policy");
	is(aclrtFree(p), 0, "free");
	config.attrs = NULL;
	is(aclrtMallocWithCfg(&p, 100, 0, &config), 100000, "attrs NULL, but 2 of them");
	is(aclrtMallocHostWithCfg(&p, 100, &config), 100000, "host: too");
	is(acldvppMallocWithCfg(&p, 100, 0, &config), 100000, "media: too");
	config.attrs = attrs;
	attrs[1].attr = (aclrtMallocAttrType)4;
	is(aclrtMallocForTaskScheduler(&p, 100, 0, &config), 107000, "unknown attribute");
	attrs[0].value.moduleId = 256;
	is(aclrtMallocWithCfg(&p, 100, 0, &config), 107000, "module 256");
	attrs[0].value.moduleId = 7;
	attrs[1].attr = ACL_RT_MEM_ATTR_VA_FLAG;
	is(aclrtMallocForTaskScheduler(&p, 100, 0, &config) | aclrtFree(p), 0,
	   "for the scheduler");
	is(aclrtMallocHostWithCfg(NULL, 100, NULL), 100000, "host: NULL");
	is(aclrtMallocHostWithCfg(&p, 0, NULL), 100000, "host: size 0");
	is(aclrtMallocHostWithCfg(&p, 100, &config), 0, "host");
	is(aclrtFree(p), 107000, "is no device memory");
	is(aclrtFreeHost(p), 0, "free");
	is(acldvppMallocWithCfg(&p, 100, ACL_MEM_MALLOC_NORMAL_ONLY, &config), 0,
	   "media");
	ok((uintptr_t)p % 128 == 0, "a multiple of 128");
	is(aclrtFree(p), 107000, "is no ordinary memory");
	is(acldvppFree(p), 0, "free");
}

static uint64_t usage_of(const char *name, uint64_t *peak)
{
	aclrtMemUsageInfo all[8];
	size_t n = 0, i;

	if (aclrtGetMemUsageInfo(0, all, 8, &n))
		return 99;
	for (i = 0; i < n; i++) {
		if (!strcmp(all[i].name, name)) {
			*peak = all[i].memPeakSize;
			return all[i].curMemSize;
		}
	}
	return 0;
}

static void test_usage(void)
{
	aclrtMallocAttribute attr = {.attr = ACL_RT_MEM_ATTR_MODULE_ID,
				     .value = {.moduleId = 12}};
	aclrtMallocConfig config = {&attr, 1};
	aclrtMemUsageInfo one;
	uint64_t peak = 0, app;
	void *p, *q;
	size_t n = 9;

	is(aclrtGetMemUsageInfo(0, NULL, 1, &n), 100000, "usage: NULL");
	is(aclrtGetMemUsageInfo(0, &one, 0, &n), 100000, "usage: no room");
	is(aclrtGetMemUsageInfo(0, &one, 1, NULL), 100000, "usage: no count");
	is(aclrtGetMemUsageInfo(5, &one, 1, &n), 107001, "usage: device 5");
	if (aclrtMallocWithCfg(&p, MIB, ACL_MEM_MALLOC_NORMAL_ONLY, &config) ||
	    aclrtMallocWithCfg(&q, MIB, ACL_MEM_MALLOC_NORMAL_ONLY, &config))
		bail_out("no memory");
	is(usage_of("module 12", &peak), 2 * MIB, "two blocks of a module");
	is(aclrtFree(p), 0, "free one");
	is(usage_of("module 12", &peak), MIB, "one is left");
	is(peak, 2 * MIB, "two were the most");
	is(aclrtFree(q), 0, "free the other");
	is(usage_of("module 12", &peak), 0, "none is left");
	app = usage_of("APP", &peak);
	if (aclrtMalloc(&p, 4 * MIB, ACL_MEM_MALLOC_NORMAL_ONLY))
		bail_out("no memory");
	ok(usage_of("APP", &peak) >= app + 4 * MIB, "blocks without a module are APP's");
	is(aclrtGetMemUsageInfo(0, &one, 1, &n), 0, "room for one");
	is(n, 1, "gives one");
	is(aclrtFree(p), 0, "free");
}

static aclrtPtrAttributes where(const void *p)
{
	aclrtPtrAttributes at = {.location = {.type = (aclrtMemLocationType)99}};

	aclrtPointerGetAttributes(p, &at);
	return at;
}

static void test_attributes(void)
{
	void *device, *host, *media, *managed, *list[2];
	aclrtPtrAttributes at;
	uint32_t all = 9;
	int local = 0;

	is(aclrtPointerGetAttributes(NULL, &at), 100000, "NULL");
	is(aclrtPointerGetAttributes(&local, NULL), 100000, "no room");
	if (aclrtMalloc(&device, 3 * MIB, ACL_MEM_MALLOC_NORMAL_ONLY) ||
	    aclrtMallocHost(&host, 100) || acldvppMalloc(&media, 100) ||
	    aclrtMemAllocManaged(&managed, 100, 1))
		bail_out("no memory");
	is(where(device).location.type, ACL_MEM_LOCATION_TYPE_DEVICE, "device memory");
	is(where((char *)device + 2 * MIB + 3).location.type,
	   ACL_MEM_LOCATION_TYPE_DEVICE, "inside");
	ok(where(device).pageSize >= 4096, "its pages: %u", where(device).pageSize);
	is(where(host).location.type, ACL_MEM_LOCATION_TYPE_HOST, "host memory");
	is(where(media).location.type, ACL_MEM_LOCATION_TYPE_DEVICE, "media memory");
	is(where(managed).location.type, ACL_MEM_LOCATION_TYPE_MANAGED, "managed memory");
	is(where(&local).location.type, ACL_MEM_LOCATION_TYPE_UNREGISTERED, "the stack");
	is(where((void *)SIZE_MAX).location.type, ACL_MEM_LOCATION_TYPE_UNREGISTERED,
	   "no address at all");
	is((uintptr_t)managed % (2 * MIB), 0, "managed memory starts on 2 MiB");
	is(aclrtMemAllocManaged(&managed, 100, 2), 100000, "managed: flag 2");
	is(aclrtMemAllocManaged(NULL, 100, 1), 100000, "managed: NULL");
	is(aclrtMemAllocManaged(&managed, 0, 1), 100000, "managed: size 0");
	is(aclrtMemAllocManaged(&managed, UINT64_MAX, 1), 100000, "managed: 2^64 - 1");

	list[0] = device;
	list[1] = (char *)device + 7;
	is(aclrtCheckMemType(list, 2, ACL_RT_MEM_TYPE_DEV, &all, 0), 0, "check type");
	is(all, 1, "both are device memory");
	list[1] = media;
	is(aclrtCheckMemType(list, 2, ACL_RT_MEM_TYPE_DEV, &all, 0) | (int)all, 0,
	   "one is media memory");
	is(aclrtCheckMemType(list, 2, ACL_RT_MEM_TYPE_DEV | ACL_RT_MEM_TYPE_DVPP, &all,
			     0),
	   0, "either");
	is(all, 1, "will do");
	list[1] = host;
	is(aclrtCheckMemType(list, 2, ACL_RT_MEM_TYPE_DEV, &all, 0) | (int)all, 0,
	   "one is host memory");
	is(aclrtCheckMemType(NULL, 2, 2, &all, 0), 100000, "type: NULL");
	is(aclrtCheckMemType(list, 0, 2, &all, 0), 100000, "type: none");
	is(aclrtCheckMemType(list, 2, 2, NULL, 0), 100000, "type: no room");
	is(aclrtCheckMemType(list, 2, 0, &all, 0), 107000, "type 0");
	is(aclrtCheckMemType(list, 2, 1, &all, 0), 107000, "type 1");
	is(aclrtCheckMemType(list, 2, 2, &all, 1), 107000, "reserve");

	is(aclrtMemFlush(device, 64) | aclrtMemInvalidate(device, 64), 0, "flush");
	is(aclrtMemFlush(NULL, 64), 100000, "flush: NULL");
	is(aclrtMemFlush(device, 0), 100000, "flush: size 0");
	is(aclrtMemInvalidate(NULL, 64), 100000, "invalidate: NULL");
	is(aclrtMemInvalidate(device, 0), 100000, "invalidate: size 0");
	is(aclrtMemP2PMap(device, 64, 0, 0), 0, "P2P");
	is(aclrtMemP2PMap(host, 64, 0, 0), 107000, "P2P: host memory");
	is(aclrtMemP2PMap(device, 64, 4, 0), 107001, "P2P: device 4");
	is(aclrtMemP2PMap(device, 64, 0, 1), 107000, "P2P: flags");
	is(aclrtMemP2PMap(NULL, 64, 0, 0), 100000, "P2P: NULL");
	is(aclrtFree(device) | aclrtFreeHost(host) | acldvppFree(media), 0, "free");
}

static void test_faults(void)
{
	aclrtMemUceInfo info[21];
	size_t n = 9;

	is(aclrtGetMemUceInfo(0, info, 20, &n), 0, "memory faults");
	is(n, 0, "there are none");
	is(aclrtGetMemUceInfo(0, NULL, 20, &n), 100000, "NULL");
	is(aclrtGetMemUceInfo(0, info, 0, &n), 100000, "no room");
	is(aclrtGetMemUceInfo(0, info, 20, NULL), 100000, "no count");
	is(aclrtGetMemUceInfo(7, info, 20, &n), 107001, "device 7");
	is(aclrtMemUceRepair(0, info, 0), 0, "repair none");
	is(aclrtMemUceRepair(0, info, 21), 107000, "repair 21");
	is(aclrtMemUceRepair(0, NULL, 1), 100000, "repair NULL");
	is(aclrtMemUceRepair(7, info, 1), 107001, "repair: device 7");
}

static void test_sync_free(void)
{
	void *p, *h;

	if (aclrtMalloc(&p, 100, ACL_MEM_MALLOC_NORMAL_ONLY) || aclrtMallocHost(&h, 100))
		bail_out("no memory");
	is(aclrtFreeWithDevSync(NULL), 100000, "free with sync: NULL");
	is(aclrtFreeWithDevSync(h), 107000, "of host memory");
	is(aclrtMemcpyAsync(p, 100, h, 100, ACL_MEMCPY_DEFAULT, stream), 0, "a copy");
	is(aclrtFreeWithDevSync(p), 0, "free with sync");
	is(aclrtFreeWithDevSync(p), 107000, "again");
	is(aclrtFreeHostWithDevSync(NULL), 100000, "host: NULL");
	is(aclrtFreeHostWithDevSync(h), 0, "host");
	is(aclrtFreeHostWithDevSync(h), 107000, "again");
}

/* A write faults; asked in a child, which may die. */
static bool write_faults(volatile char *p)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		*p = 1;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	/* A sanitizer makes an exit of the signal. */
	return pid > 0 && !(WIFEXITED(status) && !WEXITSTATUS(status));
}

static void test_readonly(void)
{
	const aclrtMemMallocPolicy policy =
		(aclrtMemMallocPolicy)(ACL_MEM_ACCESS_USER_SPACE_READONLY |
				       ACL_MEM_MALLOC_NORMAL_ONLY);
	unsigned char *p, *host;
	size_t before = free_bytes();

	if (aclrtMallocHost((void **)&host, MIB))
		bail_out("no memory");
	is(aclrtMallocWithCfg((void **)&p, 10000, policy, NULL), 0, "read-only memory");
	ok(free_bytes() < before, "counts");
	is(where(p + 100).location.type, ACL_MEM_LOCATION_TYPE_DEVICE,
	   "is device memory");
	memset(host, 0x19, 10000);
	is(aclrtMemcpy(p, 10000, host, 10000, ACL_MEMCPY_HOST_TO_DEVICE), 0,
	   "copies write");
	ok(p[0] == 0x19 && p[9999] == 0x19, "the program reads");
	is(aclrtMemsetAsync(p + 64, 5000, 3, 5000, stream) |
		   aclrtSynchronizeStream(stream),
	   0, "sets write");
	ok(p[64] == 3 && p[5064] == 0x19, "too");
	ok(write_faults((volatile char *)p), "the program cannot write");
	is(aclrtFreeHost(p), 107000, "is no host memory");
	is(aclrtFree(p + 64), 107000, "free inside");
	is(aclrtFree(p), 0, "free");
	is(aclrtFree(p), 107000, "again");
	is(aclrtFreeHost(host), 0, "free");
}

static void test_register(void)
{
	size_t size = 16 * 4096;
	char *mine = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	struct aclkm_stats before, after;
	void *device, *seen = NULL, *host;

	if (aclrtMalloc(&device, size, ACL_MEM_MALLOC_NORMAL_ONLY) ||
	    aclrtMallocHost(&host, 4096))
		bail_out("no memory");
	is(aclrtHostRegister(NULL, size, 0, &seen), 100000, "register: NULL");
	is(aclrtHostRegister(mine, 0, 0, &seen), 100000, "register: size 0");
	is(aclrtHostRegister(mine, size, 0, NULL), 100000, "register: no room");
	is(aclrtHostRegister(mine + 64, size - 64, 0, &seen), 107000,
	   "register: unaligned");
	ok(recent_has("page size, 4096"), "the text has the rule");
	is(aclrtHostRegister(mine, size, (aclrtHostRegisterType)1, &seen), 107000,
	   "register: type 1");
	is(aclrtHostRegister((void *)4096, size, 0, &seen), 107000,
	   "register: not mapped");
	is(aclrtHostRegister((void *)(SIZE_MAX - 4095), size, 0, &seen), 107000,
	   "register: past the end");
	is(aclrtHostGetDevicePointer(mine, &seen, 0), 507911, "device pointer: not yet");
	is(aclrtHostUnregister(mine), 507911, "unregister: not yet");
	is(aclrtHostRegister(mine, size, ACL_HOST_REGISTER_MAPPED, &seen), 0, "register");
	ok(seen == mine, "the device sees the same address");
	is(aclrtHostRegister(mine, size, 0, &seen), 507910, "again");
	is(aclrtHostRegister(mine + 4096, 4096, 0, &seen), 507910, "a part of it");
	is(aclrtHostRegisterV2(mine, size, ACL_HOST_REG_PINNED), 507910, "the other way");
	is(where(mine + 5000).location.type, ACL_MEM_LOCATION_TYPE_HOST,
	   "it is known now");
	is(aclrtHostGetDevicePointer(mine + 77, &seen, 0), 0, "device pointer");
	ok(seen == mine + 77, "the same");
	is(aclrtHostGetDevicePointer(mine, &seen, 1), 100000, "device pointer: flag");
	is(aclrtHostGetDevicePointer(host, &seen, 0), 0, "of aclrtMallocHost memory");
	is(aclrtHostGetDevicePointer(device, &seen, 0), 507911, "of device memory");
	aclkm_stats_get(&before);
	memset(mine, 0x44, size);
	is(aclrtMemcpyAsync(device, size, mine, size, ACL_MEMCPY_DEFAULT, stream), 0,
	   "a copy from it");
	is(aclrtSynchronizeStream(stream), 0, "synchronise");
	aclkm_stats_get(&after);
	is(after.copies_degraded - before.copies_degraded, 0, "is not degraded");
	is(after.copies_async - before.copies_async, 1, "but asynchronous");
	is(aclrtHostUnregister(mine + 4096), 507911, "unregister inside");
	is(aclrtHostUnregister(NULL), 100000, "unregister: NULL");
	is(aclrtHostUnregister(mine), 0, "unregister");
	is(aclrtHostUnregister(mine), 507911, "again");
	is(where(mine).location.type, ACL_MEM_LOCATION_TYPE_UNREGISTERED,
	   "unknown again");
	is(aclrtHostRegisterV2(mine, size, 0), 107000, "flags 0");
	is(aclrtHostRegisterV2(mine, size, 1), 107000, "flags 1");
	is(aclrtHostRegisterV2(mine, size, ACL_HOST_REG_PINNED), 0, "pinned only");
	is(aclrtHostGetDevicePointer(mine, &seen, 0), 107000, "has no device pointer");
	is(aclrtHostUnregister(mine), 0, "unregister");
	is(aclrtHostRegisterV2(host, 4096, ACL_HOST_REG_PINNED), 107000,
	   "memory of aclrtMallocHost is pinned already");
	is(aclrtFree(device) | aclrtFreeHost(host), 0, "free");
	munmap(mine, size);
}

int main(void)
{
	small_device();
	need_device();
	if (aclrtCreateStream(&stream))
		bail_out("no stream");
	test_config();
	test_usage();
	test_attributes();
	test_faults();
	test_sync_free();
	test_readonly();
	test_register();
	return done_testing();
}
