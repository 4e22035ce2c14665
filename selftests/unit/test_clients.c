// SPDX-License-Identifier: MIT
/*
 * What programs written for Ascend do, call by call: the frameworks' allocators, their
 * ways with callbacks, sharing and host memory. Names of the interface only, and both
 * C and C++, as test_install.sh builds it once more against the installed tree.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <acl/acl.h>
#include <acl/acl_rt_memory_soma.h>
#define ENABLE_DVPP_INTERFACE
#include <acl/dvpp/hi_dvpp.h>
#include <acl/ops/acl_dvpp.h>

#include "tap.h"

#define MIB ((size_t)1 << 20)

/* A framework's segments: 2 MiB for small blocks, and the way out when memory is short.
 */
static void test_caching_allocator(void)
{
	void *segments[4096];
	size_t n = 0, kept, free_now = 0, total = 0, free_before = 0;
	aclError code = ACL_SUCCESS;

	is(aclrtGetMemInfo(ACL_HBM_MEM, &free_before, &total), 0, "how much there is");
	while (n < 4096 && !(code = aclrtMallocAlign32(&segments[n], 2 * MIB + 32,
						       ACL_MEM_MALLOC_HUGE_FIRST)))
		n++;
	is(code, ACL_ERROR_RT_MEMORY_ALLOCATION, "out of memory is 207001");
	ok(aclGetRecentErrMsg() != NULL, "with a text");
	kept = n / 2;
	while (n > kept)
		code = aclrtFree(segments[--n]);
	is(aclrtMallocAlign32(&segments[n], 2 * MIB + 32, ACL_MEM_MALLOC_HUGE_FIRST), 0,
	   "with what was freed the same call succeeds");
	n++;
	while (n)
		code = aclrtFree(segments[--n]);
	is(code, 0, "free all");
	aclrtGetMemInfo(ACL_HBM_MEM, &free_now, &total);
	ok(free_now == free_before, "all is back");
}

/* A growing pool: one range of more than the device has, physical pieces behind it. */
static void test_growing_pool(void)
{
	aclrtPhysicalMemProp prop;
	size_t free_now, total, granularity = 0, odd, i;
	aclrtDrvMemHandle handles[4];
	aclError code = ACL_SUCCESS;
	char *base = NULL;

	memset(&prop, 0, sizeof(prop));
	prop.memAttr = ACL_HBM_MEM_HUGE;
	prop.location.type = ACL_MEM_LOCATION_TYPE_DEVICE;
	is(aclrtMemGetAllocationGranularity(
		   &prop, ACL_RT_MEM_ALLOC_GRANULARITY_RECOMMENDED, &granularity),
	   0, "granularity");
	is(aclrtGetMemInfo(ACL_DDR_MEM, &free_now, &total), 0, "memory of DDR, too");
	odd = total / 8 * 9 + 12345;
	is(aclrtReserveMemAddress((void **)&base, odd, 0, NULL, 1), 0,
	   "9/8 of all, no multiple, page type 1");
	for (i = 0; i < 4; i++) {
		code |= aclrtMallocPhysical(&handles[i], granularity, &prop, 0);
		code |= aclrtMapMem(base + i * granularity, granularity, 0, handles[i],
				    0);
		/* The mapping holds the memory. */
		code |= aclrtFreePhysical(handles[i]);
	}
	is(code, 0, "grow four times");
	is(aclrtMemset(base, 4 * granularity, 7, 4 * granularity), 0, "used as one");
	ok(base[4 * granularity - 1] == 7, "to its last byte");
	for (i = 4; i-- > 0;)
		code |= aclrtUnmapMem(base + i * granularity);
	is(code | aclrtReleaseMemAddress(base), 0, "shrink and release");
}

/* Sleep: the memory goes, the addresses stay and get other memory. */
static void test_sleep(void)
{
	aclrtPhysicalMemProp prop;
	aclrtDrvMemHandle handle, again;
	size_t unit = 0, free_asleep, free_awake, total;
	char *address = NULL;
	int32_t device = -1;

	memset(&prop, 0, sizeof(prop));
	prop.memAttr = ACL_HBM_MEM_HUGE;
	prop.location.type = ACL_MEM_LOCATION_TYPE_DEVICE;
	is(aclrtGetDevice(&device), 0, "the device");
	prop.location.id = (uint32_t)device;
	is(aclrtMemGetAllocationGranularity(&prop, ACL_RT_MEM_ALLOC_GRANULARITY_MINIMUM,
					    &unit) |
		   aclrtReserveMemAddress((void **)&address, 4 * unit, 0, NULL, 0) |
		   aclrtMallocPhysical(&handle, 4 * unit, &prop, 0) |
		   aclrtMapMem(address, 4 * unit, 0, handle, 0),
	   0, "weights in a range");
	aclrtGetMemInfo(ACL_HBM_MEM, &free_awake, &total);
	is(aclrtMemRetainAllocationHandle(address + unit, &again), 0, "found by address");
	is(aclrtFreePhysical(again), 0, "one claim less");
	is(aclrtUnmapMem(address) | aclrtFreePhysical(handle), 0, "sleep");
	aclrtGetMemInfo(ACL_HBM_MEM, &free_asleep, &total);
	ok(free_asleep >= free_awake + 4 * unit, "the memory is free for others");
	is(aclrtMallocPhysical(&handle, 4 * unit, &prop, 0) |
		   aclrtMapMem(address, 4 * unit, 0, handle, 0),
	   0, "wake up at the same address");
	address[4 * unit - 1] = 1;
	is(aclrtUnmapMem(address) | aclrtFreePhysical(handle) |
		   aclrtReleaseMemAddress(address),
	   0, "end");
}

/* Host memory of any kind, told apart and registered. */
static void test_host_memory(void)
{
	char *pages = (char *)mmap(NULL, MIB, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *heap = (char *)malloc(MIB), *device = NULL, *pinned = NULL;
	aclrtPtrAttributes at;
	void *seen = NULL;
	int i, wrong = 0;

	is(aclrtMalloc((void **)&device, MIB, ACL_MEM_MALLOC_HUGE_FIRST) |
		   aclrtMallocHost((void **)&pinned, MIB),
	   0, "device and pinned memory");
	is(aclrtPointerGetAttributes(heap + 3, &at), 0, "of heap memory");
	is(at.location.type, ACL_MEM_LOCATION_TYPE_UNREGISTERED, "is told");
	is(aclrtPointerGetAttributes(device + 77, &at), 0, "inside of device memory");
	is(at.location.type, ACL_MEM_LOCATION_TYPE_DEVICE, "is told");
	is(aclrtPointerGetAttributes(pinned + MIB - 1, &at), 0,
	   "the end of pinned memory");
	is(at.location.type, ACL_MEM_LOCATION_TYPE_HOST, "is told");
	for (i = 0; i < (int)MIB; i++)
		heap[i] = (char)(i * 7);
	is(aclrtMemcpy(device, MIB, heap + 1, MIB - 1, ACL_MEMCPY_DEFAULT), 0,
	   "odd heap memory, the direction found");
	is(aclrtMemcpyAsync(pinned, MIB, device, MIB - 1, ACL_MEMCPY_DEVICE_TO_HOST,
			    NULL) |
		   aclrtSynchronizeStream(NULL),
	   0, "back");
	for (i = 0; i < (int)MIB - 1; i++)
		wrong += pinned[i] != (char)((i + 1) * 7);
	is(wrong, 0, "the same bytes");
	is(aclrtHostRegister(pages, MIB, ACL_HOST_REGISTER_MAPPED, &seen), 0, "register");
	is(aclrtHostRegister(pages, MIB, ACL_HOST_REGISTER_MAPPED, &seen), 507910,
	   "twice");
	is(aclrtMemcpyAsync(pages, MIB, device, MIB - 1, ACL_MEMCPY_DEVICE_TO_HOST,
			    NULL) |
		   aclrtSynchronizeStream(NULL),
	   0, "copy to it");
	ok(pages[5] == 42, "it is there");
	is(aclrtHostUnregister(pages), 0, "unregister");
	is(aclrtHostUnregister(pages), 507911, "twice");
	is(aclrtMemset(heap, MIB, 5, MIB) | aclrtMemsetAsync(heap, MIB, 6, MIB, NULL) |
		   aclrtSynchronizeStream(NULL),
	   0, "set heap memory");
	ok(heap[0] == 6 && heap[MIB - 1] == 6, "it is set");
	is(aclrtFree(device) | aclrtFreeHost(pinned), 0, "free");
	free(heap);
	munmap(pages, MIB);
}

static int polling, called;

static void count(void *arg)
{
	__atomic_fetch_add((int *)arg, 1, __ATOMIC_SEQ_CST);
}

static int now(const int *number)
{
	return __atomic_load_n(number, __ATOMIC_SEQ_CST);
}

static void set(int *number, int value)
{
	__atomic_store_n(number, value, __ATOMIC_SEQ_CST);
}

static void *poll_reports(void *arg)
{
	aclrtSetCurrentContext((aclrtContext)arg);
	while (now(&polling))
		aclrtProcessReport(10);
	return NULL;
}

/* The two ways in which programs end the thread that runs their callbacks. */
static void test_report_threads(void)
{
	aclrtContext context = NULL;
	pthread_t thread;
	aclrtStream stream;
	int way;

	is(aclrtGetCurrentContext(&context) | aclrtCreateStream(&stream), 0, "a stream");
	for (way = 0; way < 2; way++) {
		set(&polling, 1);
		set(&called, 0);
		pthread_create(&thread, NULL, poll_reports, context);
		is(aclrtSubscribeReport((uint64_t)thread, stream), 0,
		   "the pthread_t as a number");
		is(aclrtLaunchCallback(count, &called, ACL_CALLBACK_NO_BLOCK, stream) |
			   aclrtLaunchCallback(count, &called, ACL_CALLBACK_BLOCK,
					       stream) |
			   aclrtSynchronizeStream(stream),
		   0, "both kinds of callbacks");
		while (now(&called) < 2)
			usleep(1000);
		if (way)
			is(aclrtUnSubscribeReport((uint64_t)thread, stream), 0,
			   "unsubscribe while it polls");
		set(&polling, 0);
		pthread_join(thread, NULL);
		if (!way)
			is(aclrtUnSubscribeReport((uint64_t)thread, stream), 0,
			   "unsubscribe a thread that has ended");
		is(now(&called), 2, "each was called once");
	}
	is(aclrtDestroyStream(stream), 0, "destroy");
}

/* Every call with a stream takes NULL for the default one. */
static void test_default_stream(void)
{
	aclrtMemManagedLocation here;
	aclrtStreamAttrValue value;
	aclrtAllocatorDesc desc;
	aclrtStreamStatus status;
	aclrtMemPoolProps props;
	aclrtMemPool pool;
	aclrtNotify notify;
	aclrtEvent event;
	void *d = NULL, *h = NULL, *p = NULL, *managed = NULL, *from, *to;
	const void *source;
	uint32_t number = 0;
	int32_t id = -1;
	size_t size = 0;
	char room[256];
	int ran = 0;

	memset(&props, 0, sizeof(props));
	memset(&here, 0, sizeof(here));
	props.location.type = ACL_MEM_LOCATION_TYPE_DEVICE;
	here.type = ACL_MEM_LOCATIONTYPE_DEVICE;
	if (aclrtMalloc(&d, 4096, ACL_MEM_MALLOC_NORMAL_ONLY) ||
	    aclrtMallocHost(&h, 4096) ||
	    aclrtMemAllocManaged(&managed, 2 * MIB, ACL_RT_MEM_ATTACH_GLOBAL) ||
	    aclrtCreateEventWithFlag(&event, ACL_EVENT_SYNC | ACL_EVENT_TIME_LINE) ||
	    aclrtCreateNotify(&notify, 0) || aclrtMemPoolCreate(&pool, &props))
		bail_out("nothing to use");
	is(aclrtMemcpyAsync(d, 4096, h, 4096, ACL_MEMCPY_HOST_TO_DEVICE, NULL), 0,
	   "NULL: copy");
	is(aclrtMemcpy2dAsync(d, 64, h, 64, 64, 4, ACL_MEMCPY_HOST_TO_DEVICE, NULL), 0,
	   "NULL: rows");
	is(aclrtMemsetAsync(d, 4096, 0, 4096, NULL), 0, "NULL: set");
	is(aclrtMemsetD32Async(d, 4096, 3, 1024, NULL), 0, "NULL: set words");
	from = h;
	to = d;
	source = from;
	is(aclrtMemcpyAsyncWithOffset(&to, 4096, 8, &source, 64, 0,
				      ACL_MEMCPY_HOST_TO_DEVICE, NULL) |
		   aclrtSynchronizeStream(NULL),
	   0, "NULL: indirect");
	is(aclrtGetMemcpyDescSize(ACL_MEMCPY_HOST_TO_DEVICE, &size) |
		   aclrtSetMemcpyDesc(room, ACL_MEMCPY_HOST_TO_DEVICE, h, d, 64, NULL) |
		   aclrtMemcpyAsyncWithDesc(room, ACL_MEMCPY_HOST_TO_DEVICE, NULL),
	   0, "NULL: described");
	is(aclrtCmoAsync(d, 64, ACL_RT_CMO_TYPE_PREFETCH, NULL), 0, "NULL: hint");
	is(aclrtReduceAsync(d, h, 64, ACL_RT_MEMCPY_SDMA_AUTOMATIC_SUM, ACL_INT32, NULL,
			    NULL),
	   0, "NULL: reduce");
	is(aclrtMemManagedPrefetchAsync(managed, 2 * MIB, here, 0, NULL), 0,
	   "NULL: prefetch");
	is(aclrtMemPoolMallocAsync(&p, 100, pool, NULL) | aclrtMemPoolFreeAsync(p, NULL),
	   0, "NULL: pool");
	is(aclrtRecordEvent(event, NULL) | aclrtStreamWaitEvent(NULL, event) |
		   aclrtStreamWaitEventWithTimeout(NULL, event, 1000) |
		   aclrtResetEvent(event, NULL),
	   0, "NULL: events");
	is(aclrtRecordNotify(notify, NULL) | aclrtWaitAndResetNotify(notify, NULL, 1), 0,
	   "NULL: notify");
	is(aclrtValueWrite(d, 9, 0, NULL) |
		   aclrtValueWait(d, 9, ACL_STREAM_WAIT_VALUE_EQ, NULL),
	   0, "NULL: values");
	is(aclrtLaunchHostFunc(NULL, count, &ran), 0, "NULL: host function");
	is(aclrtSynchronizeStreamWithTimeout(NULL, 5000), 0, "NULL: wait");
	is(ran, 1, "it ran");
	is(aclrtStreamQuery(NULL, &status), 0, "NULL: query");
	is(aclrtStreamGetId(NULL, &id) | aclrtStreamGetPriority(NULL, &number) |
		   aclrtStreamGetFlags(NULL, &number),
	   0, "NULL: what it is");
	memset(&value, 0, sizeof(value));
	is(aclrtGetStreamAttribute(NULL, ACL_STREAM_ATTR_PRIORITY, &value) |
		   aclrtSetStreamAttribute(NULL, ACL_STREAM_ATTR_USER_CUSTOM_TAG, &value),
	   0, "NULL: attributes");
	desc = aclrtAllocatorCreateDesc();
	is(aclrtAllocatorRegister(NULL, desc), 100000,
	   "NULL: an empty allocator is refused");
	is(aclrtAllocatorUnregister(NULL), 107000, "NULL: there is none");
	is(aclrtStreamAbort(NULL) | aclrtSynchronizeStream(NULL), 0, "NULL: abort");
	is(aclrtAllocatorDestroyDesc(desc) | aclrtMemPoolDestroy(pool) |
		   aclrtDestroyNotify(notify) | aclrtDestroyEvent(event) |
		   aclrtFree(managed) | aclrtFree(d) | aclrtFreeHost(h),
	   0, "free");
}

/* A decoder's frames: media memory that goes into a model's input. */
static void test_media(void)
{
	hi_void *decoded = NULL;
	void *input = NULL, *media = NULL;
	hi_u64 bytes = (hi_u64)ALIGN_UP(1920, 128) * ALIGN_UP(1080, 16) * 3 / 2;

	is(hi_mpi_sys_init(), HI_SUCCESS, "media system");
	is(hi_mpi_dvpp_malloc(0, &decoded, bytes), HI_SUCCESS, "a frame");
	is(acldvppMalloc(&media, (size_t)bytes) |
		   aclrtMalloc(&input, (size_t)bytes, ACL_MEM_TYPE_HIGH_BAND_WIDTH),
	   0, "media memory, and an input by bandwidth alone");
	ok((uintptr_t)decoded % 128 == 0 && (uintptr_t)media % 128 == 0, "by 128");
	ok((uintptr_t)input % 512 == 0,
	   "an input by 512, as some programs silently need");
	is(aclrtMemcpy(input, (size_t)bytes, decoded, (size_t)bytes,
		       ACL_MEMCPY_DEVICE_TO_DEVICE) |
		   aclrtMemcpy(media, (size_t)bytes, decoded, (size_t)bytes,
			       ACL_MEMCPY_DEVICE_TO_DEVICE),
	   0, "from one to the other");
	is(hi_mpi_dvpp_free(decoded), HI_SUCCESS, "free the frame");
	is(acldvppFree(media) | aclrtFree(input), 0, "free the others");
	is(hi_mpi_sys_exit(), HI_SUCCESS, "media system ends");
}

/* Frameworks open the library by name and look functions up. */
static void test_names(void)
{
	static const char *const names[] = {"aclInit",
					    "aclrtMallocAlign32",
					    "aclrtMallocHostWithCfg",
					    "aclrtMemcpyBatchAsync",
					    "aclrtReserveMemAddress",
					    "aclrtIpcMemGetExportKey",
					    "aclrtLaunchHostFunc",
					    "aclrtValueWait",
					    "aclrtGetMemUceInfo",
					    "aclrtPeekAtLastError",
					    "aclrtDeviceGetBareTgid",
					    "hi_mpi_dvpp_malloc"};
	void *library = dlopen("libascendcl.so", RTLD_NOW);
	size_t i, missing = 0;

	if (!library) {
		skip("names by dlsym", "not against the installed tree");
		return;
	}
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		missing += !dlsym(library, names[i]);
	is(missing, 0, "names by dlsym");
	dlclose(library);
}

int main(void)
{
	aclrtRunMode mode = ACL_DEVICE;
	uint32_t devices = 0;

	setenv("ACLKM_MEM", "48M", 0);
	is(aclrtGetRunMode(&mode), 0, "run mode before all else");
	is(mode, ACL_HOST, "a host");
	is(aclInit(""), 0, "init with an empty path");
	is(aclInit(NULL), ACL_ERROR_REPEAT_INITIALIZE, "another framework, too: 100002");
	is(aclrtGetDeviceCount(&devices), 0, "devices");
	ok(devices >= 1 && aclrtGetSocName() != NULL, "at least one, with a name");
	is(aclrtSetDevice(0), 0, "set");
	test_caching_allocator();
	test_growing_pool();
	test_sleep();
	test_host_memory();
	test_report_threads();
	test_default_stream();
	test_media();
	test_names();
	is(aclrtResetDevice(0), 0, "reset");
	is(aclFinalize(), 0, "finalize");
	return done_testing();
}
