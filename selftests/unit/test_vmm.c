// SPDX-License-Identifier: MIT
/* Virtual memory: ranges, physical memory, mapping, access, handles. */
#include <setjmp.h>
#include <signal.h>

#include "client.h"

#define UNIT (2 * MIB)

static aclrtPhysicalMemProp prop = {.memAttr = ACL_HBM_MEM_HUGE,
				    .location = {.type = ACL_MEM_LOCATION_TYPE_DEVICE}};
static aclrtStream stream;

static void test_reserve(void)
{
	void *p = (void *)8, *q, *base = NULL;
	size_t size = 0;

	is(aclrtReserveMemAddress(NULL, UNIT, 0, NULL, 0), 100000, "reserve: NULL");
	is(aclrtReserveMemAddress(&p, 0, 0, NULL, 0), 100000, "reserve: size 0");
	is(aclrtReserveMemAddress(&p, UNIT, 4096, NULL, 0), 107000, "reserve: alignment");
	ok(recent_has("alignment = 4096: must be 0"), "the text has the rule");
	is(aclrtReserveMemAddress(&p, UNIT, 0, &p, 0), 107000, "reserve: expectPtr");
	is(aclrtReserveMemAddress(&p, UNIT, 0, NULL, 2), 100000, "reserve: flags 2");
	is(aclrtReserveMemAddress(&p, SIZE_MAX - 5, 0, NULL, 0), 207001,
	   "reserve: 2^64 - 6");
	ok(p == (void *)8, "no failure gives an address");
	is(aclrtReserveMemAddress(&p, 5 * UNIT + 12345, 0, NULL, 1), 0,
	   "a size that is no multiple, flags 1");
	ok((uintptr_t)p % UNIT == 0, "a multiple of 2 MiB");
	is(aclrtMemGetAddressRange((char *)p + UNIT, &base, &size), 0, "range");
	ok(base == p && size >= 5 * UNIT + 12345, "base and size");
	is(aclrtMemGetAddressRange(&size, &base, &size), 107000, "range of the stack");
	is(aclrtMemGetAddressRange(NULL, &base, &size), 100000, "range: NULL");
	is(aclrtReserveMemAddress(&q, 1UL << 40, 0, NULL, 0), 0, "a whole TiB");
	ok((uintptr_t)q % (1UL << 30) == 0, "a multiple of 1 GiB");
	is(aclrtReleaseMemAddress((char *)p + UNIT), 107000, "release inside");
	is(aclrtReleaseMemAddress(p), 0, "release");
	is(aclrtReleaseMemAddress(p), 107000, "again");
	is(aclrtReleaseMemAddress(NULL), 100000, "release: NULL");
	is(aclrtReleaseMemAddress(q), 0, "release the TiB");
}

static void test_granularity(void)
{
	aclrtPhysicalMemProp other = prop;
	size_t size = 0;

	is(aclrtMemGetAllocationGranularity(&prop, ACL_RT_MEM_ALLOC_GRANULARITY_MINIMUM,
					    &size),
	   0, "minimum");
	is(size, UNIT, "is 2 MiB");
	is(aclrtMemGetAllocationGranularity(
		   &prop, ACL_RT_MEM_ALLOC_GRANULARITY_RECOMMENDED, &size),
	   0, "recommended");
	is(size, UNIT, "too");
	is(aclrtMemGetAllocationGranularity(&prop, ACL_RT_MEM_ALLOC_GRANULARITY_UNDEF,
					    &size),
	   107000, "another option");
	is(aclrtMemGetAllocationGranularity(NULL, 0, &size), 100000, "NULL");
	is(aclrtMemGetAllocationGranularity(&prop, 0, NULL), 100000, "no room");
	other.memAttr = ACL_MEM_HUGE1G;
	is(aclrtMemGetAllocationGranularity(&other, 0, &size), 0, "1 GiB pages");
	is(size, 1UL << 30, "1 GiB");
	other.memAttr = ACL_MEM_NORMAL;
	other.location.type = ACL_MEM_LOCATION_TYPE_HOST;
	is(aclrtMemGetAllocationGranularity(&other, 0, &size), 0, "normal host pages");
	is(size, 4096, "the page size");
	other.memAttr = ACL_DDR_MEM;
	is(aclrtMemGetAllocationGranularity(&other, 0, &size), 0, "DDR on the host");
	other.location.type = ACL_MEM_LOCATION_TYPE_DEVICE;
	is(aclrtMemGetAllocationGranularity(&other, 0, &size), 100000, "but no device");
	other = prop;
	other.location.id = 9;
	is(aclrtMemGetAllocationGranularity(&other, 0, &size), 107001, "device 9");
	other = prop;
	other.location.type = ACL_MEM_LOCATION_TYPE_MANAGED;
	is(aclrtMemGetAllocationGranularity(&other, 0, &size), 100000, "location");
	other = prop;
	other.handleType = ACL_MEM_HANDLE_TYPE_POSIX;
	is(aclrtMemGetAllocationGranularity(&other, 0, &size), 100000, "handle type");
	other = prop;
	other.allocationType = (aclrtMemAllocationType)1;
	is(aclrtMemGetAllocationGranularity(&other, 0, &size), 100000, "allocation type");
	other = prop;
	other.memAttr = (aclrtMemAttr)18;
	is(aclrtMemGetAllocationGranularity(&other, 0, &size), 100000, "attribute 18");
}

static void test_physical(void)
{
	aclrtDrvMemHandle handle = NULL, gone;
	aclrtPhysicalMemProp back;
	size_t before = free_bytes();

	is(aclrtMallocPhysical(NULL, UNIT, &prop, 0), 100000, "physical: NULL");
	is(aclrtMallocPhysical(&handle, 0, &prop, 0), 100000, "physical: size 0");
	is(aclrtMallocPhysical(&handle, UNIT, NULL, 0), 100000, "physical: no property");
	is(aclrtMallocPhysical(&handle, UNIT, &prop, 1), 100000, "physical: flags");
	is(aclrtMallocPhysical(&handle, UNIT + 4096, &prop, 0), 107000,
	   "physical: no multiple");
	ok(recent_has("granularity, 2097152"), "the text has the rule");
	is(aclrtMallocPhysical(&handle, 1UL << 46, &prop, 0), 207001, "physical: 64 TiB");
	is(aclrtMallocPhysical(&handle, 2 * UNIT, &prop, 0), 0, "physical");
	is(before - free_bytes(), 2 * UNIT, "counts as the device's");
	is(aclrtMemGetAllocationPropertiesFromHandle(handle, &back), 0, "properties");
	ok(back.memAttr == prop.memAttr && back.location.type == prop.location.type &&
		   !back.location.id && !back.handleType && !back.allocationType,
	   "as created");
	is(aclrtMemGetAllocationPropertiesFromHandle(handle, NULL), 100000, "no room");
	gone = handle;
	is(aclrtFreePhysical(handle), 0, "free");
	is(aclrtFreePhysical(gone), 107000, "again");
	is(aclrtFreePhysical(NULL), 100000, "free: NULL");
	is(aclrtMemGetAllocationPropertiesFromHandle(gone, &back), 107000,
	   "properties of one that is freed");
	is(free_bytes(), before, "all is back");
}

static void test_map(void)
{
	aclrtDrvMemHandle a, b, again = NULL;
	aclrtPtrAttributes where;
	unsigned char *range, *host;
	size_t before = free_bytes();
	void *base;
	size_t size;

	if (aclrtReserveMemAddress((void **)&range, 8 * UNIT, 0, NULL, 0) ||
	    aclrtMallocPhysical(&a, 2 * UNIT, &prop, 0) ||
	    aclrtMallocPhysical(&b, UNIT, &prop, 0) ||
	    aclrtMallocHost((void **)&host, UNIT))
		bail_out("no memory");
	is(aclrtMapMem(NULL, UNIT, 0, a, 0), 100000, "map: NULL");
	is(aclrtMapMem(range, 0, 0, a, 0), 100000, "map: size 0");
	is(aclrtMapMem(range, UNIT, 0, NULL, 0), 100000, "map: no handle");
	is(aclrtMapMem(range, 2 * UNIT, 4096, a, 0), 107000, "map: offset");
	is(aclrtMapMem(range, 2 * UNIT, 0, a, 1), 107000, "map: flags");
	is(aclrtMapMem(range, UNIT, 0, a, 0), 107000, "map: not the handle's size");
	ok(recent_has("must be the handle's"), "the text has the rule");
	is(aclrtMapMem(range + 7, 2 * UNIT, 0, a, 0), 107000, "map: unaligned");
	is(aclrtMapMem(range + 7 * UNIT, 2 * UNIT, 0, a, 0), 107000, "map: past the end");
	is(aclrtMapMem(host, 2 * UNIT, 0, a, 0), 107000, "map: no reserved range");
	is(aclrtMapMem(range, 2 * UNIT, 0, (aclrtDrvMemHandle)stream, 0), 107000,
	   "map: no handle of memory");
	is(aclrtMapMem(range + UNIT, 2 * UNIT, 0, a, 0), 0, "map");
	is(aclrtMapMem(range, 2 * UNIT, 0, a, 0), 107000, "map: overlaps behind");
	is(aclrtMapMem(range + 2 * UNIT, UNIT, 0, b, 0), 107000, "map: overlaps before");
	is(aclrtMapMem(range + 4 * UNIT, UNIT, 0, b, 0), 0, "map another");
	is(aclrtMapMem(range + 6 * UNIT, UNIT, 0, b, 0), 0, "and once more elsewhere");
	is(aclrtPointerGetAttributes(range + UNIT + 5, &where), 0, "where is it");
	is(where.location.type, ACL_MEM_LOCATION_TYPE_DEVICE, "on the device");
	is(aclrtPointerGetAttributes(range, &where), 0, "and where nothing is mapped");
	is(where.location.type, ACL_MEM_LOCATION_TYPE_UNREGISTERED, "nowhere");

	memset(host, 0x6b, UNIT);
	is(aclrtMemcpyAsync(range + 4 * UNIT, UNIT, host, UNIT, ACL_MEMCPY_DEFAULT,
			    stream),
	   0, "copy into it in a stream");
	is(aclrtSynchronizeStream(stream), 0, "synchronise");
	ok(range[6 * UNIT] == 0x6b && range[7 * UNIT - 1] == 0x6b,
	   "the same memory is seen at both addresses");
	is(aclrtMemset(range + UNIT, 2 * UNIT, 1, 2 * UNIT), 0, "set the other");
	is(range[3 * UNIT - 1], 1, "to its end");

	is(aclrtMemRetainAllocationHandle(range + UNIT + 9, &again), 0, "retain");
	ok(again == a, "the same handle");
	is(aclrtMemRetainAllocationHandle(range, &again), 107000,
	   "where nothing is mapped");
	is(aclrtFreePhysical(a) | aclrtFreePhysical(a), 0, "free twice");
	is(aclrtFreePhysical(a), 107000, "but not three times");
	is(range[UNIT], 1, "it stays while it is mapped");
	is(aclrtMapMem(range, 2 * UNIT, 0, a, 0), 107000, "and the handle is dead");
	is(aclrtMemRetainAllocationHandle(range + UNIT, &again), 0, "until retained");
	is(aclrtFreePhysical(again), 0, "free");
	is(aclrtReleaseMemAddress(range), 107000, "release while mapped");
	ok(recent_has("unmap them first"), "the text says what to do");
	is(aclrtUnmapMem(range + UNIT + 4096), 107000, "unmap inside");
	is(aclrtUnmapMem(NULL), 100000, "unmap: NULL");
	is(aclrtUnmapMem(range + UNIT), 0, "unmap");
	is(aclrtUnmapMem(range + UNIT), 107000, "again");
	is(aclrtUnmapMem(range + 4 * UNIT), 0, "unmap the second");
	is(aclrtFreePhysical(b), 0, "free while mapped");
	is(range[6 * UNIT], 0x6b, "the bytes are still there");
	is(aclrtUnmapMem(range + 6 * UNIT), 0, "unmap the last");
	is(aclrtMemGetAddressRange(range + 6 * UNIT, &base, &size), 0, "the range stays");
	is(aclrtReleaseMemAddress(range) | aclrtFreeHost(host), 0, "release");
	is(free_bytes(), before, "all is back");
}

static sigjmp_buf jump;

static void on_fault(int signal)
{
	(void)signal;
	siglongjmp(jump, 1);
}

/* Whether a byte can be read, or written back. */
static bool can(volatile unsigned char *p, bool write)
{
	struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER},
			 before;
	volatile bool did = false;

	sigaction(SIGSEGV, &action, &before);
	if (!sigsetjmp(jump, 1)) {
		unsigned char byte = *p;

		if (write)
			*p = byte;
		did = true;
	}
	sigaction(SIGSEGV, &before, NULL);
	return did;
}

static void test_access(void)
{
	aclrtMemAccessDesc desc = {.location = {.type = ACL_MEM_LOCATION_TYPE_DEVICE}};
	aclrtMemLocation here = {.type = ACL_MEM_LOCATION_TYPE_DEVICE};
	aclrtDrvMemHandle a;
	unsigned char *range;
	uint64_t flag = 9;

	if (aclrtReserveMemAddress((void **)&range, 4 * UNIT, 0, NULL, 0) ||
	    aclrtMallocPhysical(&a, UNIT, &prop, 0))
		bail_out("no memory");
	is(aclrtMemMapNoAccess(range, UNIT, 0, a, 0), 0, "map without access");
	ok(!can(range, false), "cannot be read");
	is(aclrtMemGetAccess(range, &here, &flag), 0, "get");
	is(flag, 0, "none");
	desc.flags = ACL_RT_MEM_ACCESS_FLAGS_READ;
	is(aclrtMemSetAccess(range, UNIT, &desc, 1), 0, "read");
	ok(can(range, false) && !can(range, true), "can be read, not written");
	desc.flags = ACL_RT_MEM_ACCESS_FLAGS_READWRITE;
	is(aclrtMemSetAccess(range, UNIT, &desc, 1), 0, "read and write");
	ok(can(range, true), "can be written");
	is(aclrtMemGetAccess(range + 5, &here, &flag), 0, "get");
	is(flag, 3, "read and write");
	is(aclrtMemSetAccess(range, 2 * UNIT, &desc, 1), 107000, "more than is mapped");
	is(aclrtMemSetAccess(range, 4096, &desc, 1), 107000, "a part of a mapping");
	is(aclrtMemSetAccess(range, 0, &desc, 1), 100000, "size 0");
	is(aclrtMemSetAccess(range, UNIT, &desc, 0), 100000, "no items");
	is(aclrtMemSetAccess(range, UNIT, NULL, 1), 100000, "NULL");
	desc.flags = (aclrtMemAccessFlags)2;
	is(aclrtMemSetAccess(range, UNIT, &desc, 1), 107000, "flags 2");
	is(aclrtMemGetAccess(range + 2 * UNIT, &here, &flag), 107000, "nothing mapped");
	is(aclrtMemGetAccess(range, &here, NULL), 100000, "no room");
	is(aclrtUnmapMem(range) | aclrtFreePhysical(a), 0, "unmap, free");
	ok(!can(range, false), "nothing is there");
	is(aclrtReleaseMemAddress(range), 0, "release");
}

/* Growth without moving, as pools of clients do it. */
static void test_growth(void)
{
	enum { STEPS = 8 };
	aclrtDrvMemHandle handles[STEPS];
	unsigned char *range;
	int i, err = 0, wrong = 0;

	err |= aclrtReserveMemAddress((void **)&range, STEPS * UNIT, 0, NULL, 1);
	for (i = 0; i < STEPS; i++) {
		err |= aclrtMallocPhysical(&handles[i], UNIT, &prop, 0);
		err |= aclrtMapMem(range + (size_t)i * UNIT, UNIT, 0, handles[i], 0);
		err |= aclrtMemset(range + (size_t)i * UNIT, UNIT, i + 1, UNIT);
	}
	/* One copy over all pieces. */
	err |= aclrtMemcpy(range, STEPS * UNIT, range + UNIT, (STEPS - 1) * UNIT,
			   ACL_MEMCPY_DEVICE_TO_DEVICE);
	for (i = 0; i < STEPS; i++) {
		int want = i < STEPS - 1 ? i + 2 : STEPS;

		wrong += range[(size_t)i * UNIT] != want;
		err |= aclrtUnmapMem(range + (size_t)i * UNIT);
		err |= aclrtFreePhysical(handles[i]);
	}
	err |= aclrtReleaseMemAddress(range);
	is(err | wrong, 0, "a range grows by %d pieces and is used as one", STEPS);
}

static void *map_and_unmap(void *arg)
{
	aclrtDrvMemHandle handle;
	long i, odd = aclrtSetDevice(0);
	unsigned char *range;

	(void)arg;
	for (i = 0; i < 20; i++) {
		odd += aclrtReserveMemAddress((void **)&range, 2 * UNIT, 0, NULL, 0);
		odd += aclrtMallocPhysical(&handle, UNIT, &prop, 0);
		odd += aclrtMapMem(range + UNIT, UNIT, 0, handle, 0);
		odd += aclrtFreePhysical(handle);
		range[UNIT] = 5;
		odd += aclrtUnmapMem(range + UNIT);
		odd += aclrtReleaseMemAddress(range);
	}
	odd += aclrtResetDevice(0);
	return (void *)odd;
}

static void test_threads(void)
{
	pthread_t threads[3];
	void *odd;
	long all = 0;
	int i;

	for (i = 0; i < 3; i++) {
		if (pthread_create(&threads[i], NULL, map_and_unmap, NULL))
			bail_out("no thread");
	}
	for (i = 0; i < 3; i++) {
		pthread_join(threads[i], &odd);
		all += (long)odd;
	}
	is(all, 0, "three threads reserve, map and unmap");
}

int main(void)
{
	small_device();
	without_guard();
	need_device();
	if (aclrtCreateStream(&stream))
		bail_out("no stream");
	test_reserve();
	test_granularity();
	test_physical();
	test_map();
	test_access();
	test_growth();
	test_threads();
	return done_testing();
}
