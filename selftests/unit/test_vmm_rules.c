// SPDX-License-Identifier: MIT
/*
 * Virtual memory where programs and pages differ: calls without a context, wishes for
 * addresses, what one range may hold, and what lies around an address.
 */
#include "client.h"

#define UNIT (2 * MIB)
#define GIB (1UL << 30)
#define TIB (1UL << 40)

static aclrtPhysicalMemProp prop = {.memAttr = ACL_HBM_MEM_HUGE,
				    .location = {.type = ACL_MEM_LOCATION_TYPE_DEVICE}};

/* Sanitizers may have these addresses for themselves: then ranges are elsewhere. */
static bool has_window(void)
{
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
	return false;
#else
	return true;
#endif
}

static void without_context(void)
{
	aclrtMemAccessDesc access = {.flags = ACL_RT_MEM_ACCESS_FLAGS_READWRITE,
				     .location = {.type = ACL_MEM_LOCATION_TYPE_DEVICE}};
	aclrtPhysicalMemProp back;
	aclrtDrvMemHandle handle = NULL, again = NULL;
	char *range = NULL;
	void *base = NULL;
	size_t unit = 0;
	int32_t device;

	is(aclrtGetDevice(&device), 107002, "no device is set in this thread");
	is(aclrtMemGetAllocationGranularity(&prop, ACL_RT_MEM_ALLOC_GRANULARITY_MINIMUM,
					    &unit),
	   0, "granularity without a context");
	is(unit, UNIT, "2 MiB");
	is(aclrtReserveMemAddress((void **)&range, 2 * UNIT, 0, NULL, 0), 0, "reserve");
	is(aclrtMallocPhysical(&handle, UNIT, &prop, 0), 0, "physical memory");
	is(aclrtMapMem(range, UNIT, 0, handle, 0), 0, "map");
	is(aclrtMemSetAccess(range, UNIT, &access, 1), 0, "access");
	range[UNIT - 1] = 9;
	is(aclrtMemGetAddressRange(range + 5, &base, NULL), 0, "address range");
	is(aclrtMemRetainAllocationHandle(range, &again), 0, "retain");
	is(aclrtMemGetAllocationPropertiesFromHandle(again, &back), 0, "properties");
	is(aclrtUnmapMem(range), 0, "unmap");
	is(aclrtFreePhysical(handle) | aclrtFreePhysical(again), 0, "free");
	is(aclrtReleaseMemAddress(range), 0, "release");
	prop.location.id = 5;
	is(aclrtMallocPhysical(&handle, UNIT, &prop, 0), 107001, "device 5: 107001");
	prop.location.id = 0;
	is(aclrtGetDevice(&device), 107002, "and no device is set now");
}

static void bad_properties(void)
{
	aclrtPhysicalMemProp bad = prop;
	aclrtDrvMemHandle handle;
	void *p;

	is(aclrtMallocPhysical(&handle, UNIT, &prop, 1), 100000, "flags: 100000");
	bad.handleType = ACL_MEM_HANDLE_TYPE_POSIX;
	is(aclrtMallocPhysical(&handle, UNIT, &bad, 0), 100000, "handle type: 100000");
	bad = prop;
	bad.location.type = ACL_MEM_LOCATION_TYPE_MANAGED;
	is(aclrtMallocPhysical(&handle, UNIT, &bad, 0), 100000, "location: 100000");
	bad = prop;
	bad.memAttr = ACL_DDR_MEM_HUGE;
	is(aclrtMallocPhysical(&handle, UNIT, &bad, 0), 100000,
	   "memory of the host on a device: 100000");
	is(aclrtMallocPhysical(&handle, UNIT + 4096, &prop, 0), 107000,
	   "a size off the granularity: 107000");
	is(aclrtReserveMemAddress(&p, UNIT, 0, NULL, 2), 100000,
	   "reserve: flags 2: 100000");
}

static void wishes(void)
{
	char *range = NULL, *half = NULL, *other = NULL;
	void *p = NULL;

	is(aclrtReserveMemAddress((void **)&range, 2 * GIB, 0, NULL, 1), 0,
	   "a free range");
	if (has_window())
		ok((uintptr_t)range >= 16 * TIB && (uintptr_t)range < 24 * TIB,
		   "in the documented window");
	else
		skip("in the documented window", "the sanitizer has these addresses");
	is(aclrtReserveMemAddress(&p, GIB, 0, range, 1), 207001, "it is taken: 207001");
	is(aclrtReleaseMemAddress(range), 0, "released");
	is(aclrtReserveMemAddress((void **)&half, GIB, 0, range, 1), 0,
	   "it can be had again");
	ok(half == range, "at its address");
	is(aclrtReserveMemAddress((void **)&other, GIB, 0, range + GIB, 1), 0,
	   "its second half as well");
	ok(other == range + GIB, "with no gap between");
	is(aclrtReleaseMemAddress(half) | aclrtReleaseMemAddress(other), 0, "released");
	is(aclrtReserveMemAddress(&p, UNIT, 0, &p, 0), 107000, "no such address: 107000");
	is(aclrtReserveMemAddress(&p, UNIT, 0, (void *)(24 * TIB - 4096), 0), 107000,
	   "off 2 MiB: 107000");
	is(aclrtReserveMemAddress(&p, UNIT, 0, (void *)(24 * TIB), 0), 107000,
	   "behind the window: 107000");
	if (!has_window())
		return;
	is(aclrtReserveMemAddress(&p, UNIT, 0, (void *)(17 * TIB), 0), 0,
	   "in the window");
	is((long long)(uintptr_t)p, 17LL << 40, "as wished");
	is(aclrtReleaseMemAddress(p), 0, "released");
}

static void many_ranges(void)
{
	char *ranges[200];
	bool apart = true;
	int i, j, code = 0;

	for (i = 0; i < 200; i++)
		code |= aclrtReserveMemAddress((void **)&ranges[i], (i % 7 + 1) * UNIT, 0,
					       NULL, 0);
	is(code, 0, "200 ranges");
	for (i = 0; i < 200; i++)
		for (j = 0; j < i; j++)
			apart &= ranges[i] + (i % 7 + 1) * UNIT <= ranges[j] ||
				 ranges[j] + (j % 7 + 1) * UNIT <= ranges[i];
	ok(apart, "none covers another");
	for (i = 0; i < 200; i += 2)
		code |= aclrtReleaseMemAddress(ranges[i]);
	for (i = 0; i < 200; i += 2)
		code |= aclrtReserveMemAddress((void **)&ranges[i], (i % 7 + 1) * UNIT, 0,
					       NULL, 0);
	for (i = 0; i < 200; i++)
		code |= aclrtReleaseMemAddress(ranges[i]);
	is(code, 0, "released, reserved anew and released");
}

static void without_uc_memory(void)
{
	void *p = NULL;

	is(aclrtReserveMemAddressNoUCMemory(&p, GIB, 0, (void *)(40 * TIB), 0), 207000,
	   "Ascend910B3 has no such memory: 207000");
	ok(recent_has("Ascend910B3"), "the text names the product");
}

static void units(void)
{
	aclrtPhysicalMemProp host = {.memAttr = ACL_MEM_NORMAL,
				     .location = {.type = ACL_MEM_LOCATION_TYPE_HOST}};
	aclrtDrvMemHandle handle, page;
	char *range = NULL;

	if (aclrtReserveMemAddress((void **)&range, 4 * UNIT, 0, NULL, 0) ||
	    aclrtMallocPhysical(&handle, UNIT, &prop, 0) ||
	    aclrtMallocPhysical(&page, 4096, &host, 0))
		bail_out("no memory");
	is(aclrtMapMem(range + 4096, UNIT, 0, handle, 0), 107000, "a page off: 107000");
	ok(recent_has("2097152"), "the text has the granularity");
	is(aclrtMapMem(range + UNIT, UNIT, 0, handle, 0), 0, "2 MiB off");
	is(aclrtMapMem(range + 4096, 4096, 0, page, 0), 0,
	   "pages of the host: a page off");
	range[4096] = range[UNIT] = 1;
	is(aclrtUnmapMem(range + 4096) | aclrtUnmapMem(range + UNIT), 0, "unmap");
	is(aclrtFreePhysical(handle) | aclrtFreePhysical(page), 0, "free");
	is(aclrtReleaseMemAddress(range), 0, "release");
}

/* @strict: what the pages forbid is refused. */
static void one_range(bool strict)
{
	aclrtPhysicalMemProp numa = {
		.memAttr = ACL_MEM_P2P_HUGE,
		.location = {.type = ACL_MEM_LOCATION_TYPE_HOST_NUMA}};
	aclrtPhysicalMemProp second = prop;
	aclrtDrvMemHandle own, host, other, import = NULL;
	uint64_t number = 0;
	char *range = NULL;

	second.location.id = 1;
	need_device();
	if (aclrtReserveMemAddress((void **)&range, 8 * UNIT, 0, NULL, 0) ||
	    aclrtMallocPhysical(&own, UNIT, &prop, 0) ||
	    aclrtMallocPhysical(&host, UNIT, &numa, 0) ||
	    aclrtMallocPhysical(&other, UNIT, &second, 0))
		bail_out("no memory");
	is(aclrtMapMem(range, UNIT, 0, host, 0), 0, "memory of the host");
	is(aclrtMapMem(range + UNIT, UNIT, 0, own, 0), 0, "and of a device in one range");
	is(aclrtMapMem(range + 2 * UNIT, UNIT, 0, other, 0), 107000,
	   "of two devices: 107000");
	is(aclrtUnmapMem(range + UNIT), 0, "without the first device's");
	is(aclrtMapMem(range + 2 * UNIT, UNIT, 0, other, 0), 0,
	   "the second one's is taken");
	is(aclrtUnmapMem(range + 2 * UNIT), 0, "unmap");
	is(aclrtMapMem(range + UNIT, UNIT, 0, own, 0), 0, "map the first again");
	is(aclrtMemExportToShareableHandle(own, ACL_MEM_HANDLE_TYPE_NONE,
					   ACL_RT_VMM_EXPORT_FLAG_DEFAULT, &number),
	   0, "export");
	is(aclrtMemImportFromShareableHandle(number, 0, &import), strict ? 107000 : 0,
	   "import in the process that exports");
	if (strict) {
		ok(recent_has("ACLKM_STRICT=1"), "is refused, and the text says why");
	} else {
		is(aclrtMapMem(range + 3 * UNIT, UNIT, 0, import, 0), 0,
		   "own and imported memory in one range");
		range[UNIT + 5] = 77;
		is(range[3 * UNIT + 5], 77, "are the same memory");
		is(aclrtUnmapMem(range + 3 * UNIT) | aclrtFreePhysical(import), 0,
		   "unmap");
	}
	is(aclrtUnmapMem(range) | aclrtUnmapMem(range + UNIT), 0, "unmap both");
	is(aclrtFreePhysical(own) | aclrtFreePhysical(host) | aclrtFreePhysical(other), 0,
	   "free");
	is(aclrtReleaseMemAddress(range), 0, "release");
}

static void around(void)
{
	aclrtDrvMemHandle handle;
	char *device = NULL, *host = NULL, *range = NULL;
	void *base = NULL;
	size_t size = 0;

	if (aclrtMalloc((void **)&device, 5 * MIB, ACL_MEM_MALLOC_HUGE_FIRST) ||
	    aclrtMallocHost((void **)&host, 100000) ||
	    aclrtReserveMemAddress((void **)&range, 8 * UNIT, 0, NULL, 0) ||
	    aclrtMallocPhysical(&handle, UNIT, &prop, 0) ||
	    aclrtMapMem(range + 3 * UNIT, UNIT, 0, handle, 0))
		bail_out("no memory");
	is(aclrtMemGetAddressRange(device + 100, &base, &size), 0,
	   "inside a device block");
	ok(base == device && size == 5 * MIB, "its base and size");
	is(aclrtMemGetAddressRange(host + 99999, &base, &size), 0, "inside a host block");
	ok(base == host && size == 100000, "its base and size");
	is(aclrtMemGetAddressRange(range + 3 * UNIT + 5, &base, &size), 0,
	   "in a mapping");
	ok(base == range + 3 * UNIT && size == UNIT, "the mapping's");
	is(aclrtMemGetAddressRange(range, &base, &size), 0,
	   "in a range, where nothing is");
	ok(base == range && size >= 8 * UNIT, "the range's");
	base = NULL;
	is(aclrtMemGetAddressRange(device + 1, &base, NULL), 0, "no size asked");
	ok(base == device, "the base");
	is(aclrtMemGetAddressRange(device + 1, NULL, &size), 0, "no base asked");
	is(size, 5 * MIB, "the size");
	is(aclrtMemGetAddressRange(device, NULL, NULL), 100000, "nothing asked: 100000");
	is(aclrtMemGetAddressRange(&size, &base, &size), 107000, "the stack: 107000");
	is(aclrtUnmapMem(range + 3 * UNIT) | aclrtFreePhysical(handle) |
		   aclrtReleaseMemAddress(range) | aclrtFree(device) |
		   aclrtFreeHost(host),
	   0, "free");
}

int main(int argc, char **argv)
{
	char *const again[] = {argv[0], (char *)(uintptr_t) "strict", NULL};
	bool strict = argc > 1 && !strcmp(argv[1], "strict");

	small_device();
	setenv("ACLKM_DEVICES", "2", 1);
	without_guard();
	if (strict) {
		tap_count = atoi(getenv("TAP_COUNT") ?: "0");
		one_range(true);
		return done_testing();
	}
	without_context();
	bad_properties();
	wishes();
	many_ranges();
	without_uc_memory();
	units();
	one_range(false);
	around();
	if (tap_failed)
		return done_testing();
	/* Anew with the pages to the letter: the numbers of the checks go on. */
	setenv("ACLKM_STRICT", "1", 1);
	setenv("TAP_COUNT",
	       (char[12]){(char)('0' + tap_count / 100),
			  (char)('0' + tap_count / 10 % 10),
			  (char)('0' + tap_count % 10)},
	       1);
	execv("/proc/self/exe", again);
	bail_out("exec");
}
