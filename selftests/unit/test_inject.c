// SPDX-License-Identifier: MIT
/*
 * Each call by which the library asks the system for something is made to fail, one after
 * another, in scenarios that cover the interface. After each failure: no crash, no lock
 * that is held, a code that the failure permits, what the call would have given is not
 * there, giving back works, the same scenario succeeds, and the accounts (descriptors,
 * blocks of the heap, mapped files, free memory) are what they were.
 *
 * INJECT_ONLY=NAME runs one scenario, INJECT_CALL=NUMBER one failure of it.
 * INJECT_EVERY=N tries each Nth failure (3), INJECT_TIME=SECONDS (90) is the time for
 * all.
 */
#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "acl/acl_rt_memory_soma.h"
#include "client.h"
#include "inject.h"

static char kernels_file[PATH_MAX];
static int not_given_back;
static const char *lost;

/* Giving back may fail once, when it changes nothing: the second call must succeed. */
static void give(int first, int (*again)(void *), void *arg, const char *what)
{
	if (!first || !again(arg))
		return;
	not_given_back++;
	lost = what;
}

#define GIVER(name, type, call)                                                          \
	static int again_##name(void *p)                                                 \
	{                                                                                \
		return call((type)p);                                                    \
	}                                                                                \
	static void give_##name(void *p)                                                 \
	{                                                                                \
		if (p)                                                                   \
			give(call((type)p), again_##name, p, #call);                     \
	}

static int reset_device(void *unused)
{
	(void)unused;
	return aclrtResetDevice(0);
}

GIVER(device, void *, reset_device)
GIVER(memory, void *, aclrtFree)
GIVER(host, void *, aclrtFreeHost)
GIVER(media, void *, acldvppFree)
GIVER(hi_media, void *, hi_mpi_dvpp_free)
GIVER(stream, aclrtStream, aclrtDestroyStream)
GIVER(event, aclrtEvent, aclrtDestroyEvent)
GIVER(notify, aclrtNotify, aclrtDestroyNotify)
GIVER(counter, aclrtCntNotify, aclrtCntNotifyDestroy)
GIVER(context, aclrtContext, aclrtDestroyContext)
GIVER(range, void *, aclrtReleaseMemAddress)
GIVER(physical, aclrtDrvMemHandle, aclrtFreePhysical)
GIVER(mapping, void *, aclrtUnmapMem)
GIVER(registered, void *, aclrtHostUnregister)
GIVER(mempool, aclrtMemPool, aclrtMemPoolDestroy)
GIVER(binary, aclrtBinHandle, aclrtBinaryUnLoad)
GIVER(key, const char *, aclrtIpcMemClose)

static int destroy_pool(void *pool)
{
	return aclkm_pool_destroy(pool, 0);
}
GIVER(pool, void *, destroy_pool)

static int finalize(void *unused)
{
	int code = aclFinalize();

	(void)unused;
	return code == ACL_ERROR_REPEAT_FINALIZE ? 0 : code;
}
GIVER(init, void *, finalize)

/* The first call that fails ends the scenario, by way of what gives back. */
#define TRY(call)                                                                        \
	do {                                                                             \
		code = (call);                                                           \
		if (code)                                                                \
			goto end;                                                        \
	} while (0)

static int memory(void)
{
	void *p[7] = {0};
	int code, i;

	TRY(aclrtMalloc(&p[0], 100, ACL_MEM_MALLOC_HUGE_FIRST));
	TRY(aclrtMalloc(&p[1], 70 * KIB, ACL_MEM_MALLOC_NORMAL_ONLY));
	TRY(aclrtMalloc(&p[2], 3 * MIB, ACL_MEM_MALLOC_HUGE_FIRST));
	TRY(aclrtMalloc(&p[3], 9 * MIB, ACL_MEM_MALLOC_HUGE_FIRST));
	TRY(aclrtMallocCached(&p[4], 4096, ACL_MEM_MALLOC_NORMAL_ONLY));
	TRY(aclrtMallocAlign32(&p[5], 999, ACL_MEM_MALLOC_HUGE_FIRST));
	TRY(aclrtMemset(p[0], 100, 1, 100));
end:
	for (i = 0; i < 7; i++)
		give_memory(p[i]);
	return code;
}

static int host_and_media(void)
{
	void *host = NULL, *large = NULL, *media = NULL, *hi = NULL;
	int code;

	TRY(aclrtMallocHost(&host, 5000));
	TRY(aclrtMallocHost(&large, 5 * MIB));
	TRY(acldvppMalloc(&media, 70000));
	TRY(hi_mpi_dvpp_malloc(0, &hi, 3 * MIB));
end:
	give_hi_media(hi);
	give_media(media);
	give_host(large);
	give_host(host);
	return code;
}

static int streams(void)
{
	aclrtStream s[3] = {0};
	void *p = NULL;
	int code, i;

	TRY(aclrtMalloc(&p, 64 * KIB, 0));
	for (i = 0; i < 3; i++) {
		TRY(aclrtCreateStream(&s[i]));
		TRY(aclrtMemsetAsync(p, 64 * KIB, i, 64 * KIB, s[i]));
	}
	for (i = 0; i < 3; i++)
		TRY(aclrtSynchronizeStream(s[i]));
	/* More than the first nodes of a queue. */
	for (i = 0; i < 300; i++)
		TRY(aclrtMemsetAsync(p, 64 * KIB, i, 64 * KIB, s[0]));
	TRY(aclrtSynchronizeStream(s[0]));
end:
	for (i = 0; i < 3; i++)
		give_stream(s[i]);
	give_memory(p);
	return code;
}

static int events(void)
{
	aclrtStream s = NULL, other = NULL;
	aclrtEvent e[2] = {0};
	aclrtNotify notify = NULL;
	aclrtCntNotify counter = NULL;
	aclrtCntNotifyRecordInfo record = {ACL_RT_CNT_NOTIFY_RECORD_ADD_MODE, 1};
	int code;

	TRY(aclrtCreateStream(&s));
	TRY(aclrtCreateStream(&other));
	TRY(aclrtCreateEvent(&e[0]));
	TRY(aclrtCreateEventWithFlag(&e[1], ACL_EVENT_SYNC));
	TRY(aclrtRecordEvent(e[0], s));
	TRY(aclrtStreamWaitEvent(other, e[0]));
	TRY(aclrtRecordEvent(e[1], other));
	TRY(aclrtSynchronizeEvent(e[1]));
	TRY(aclrtCreateNotify(&notify, 0));
	TRY(aclrtRecordNotify(notify, s));
	TRY(aclrtWaitAndResetNotify(notify, other, 5000));
	TRY(aclrtCntNotifyCreate(&counter, 0));
	TRY(aclrtCntNotifyRecord(counter, s, &record));
	TRY(aclrtSynchronizeDevice());
end:
	give_counter(counter);
	give_notify(notify);
	give_event(e[0]);
	give_event(e[1]);
	give_stream(s);
	give_stream(other);
	return code;
}

static int copies(void)
{
	const size_t size = 3 * MIB;
	unsigned char *host = NULL, *a = NULL, *b = NULL;
	aclrtStream s = NULL;
	int code;

	TRY(aclrtMallocHost((void **)&host, size));
	TRY(aclrtMalloc((void **)&a, size, 0));
	TRY(aclrtMalloc((void **)&b, size, 0));
	TRY(aclrtCreateStream(&s));
	memset(host, 0x5a, size);
	TRY(aclrtMemcpy(a, size, host, size, ACL_MEMCPY_HOST_TO_DEVICE));
	TRY(aclrtMemcpyAsync(b, size, a, size, ACL_MEMCPY_DEVICE_TO_DEVICE, s));
	TRY(aclrtMemcpy2dAsync(a, 4096, b, 8192, 4000, 100, ACL_MEMCPY_DEVICE_TO_DEVICE,
			       s));
	TRY(aclrtSynchronizeStream(s));
	memset(host, 0, size);
	TRY(aclrtMemcpy(host, size, b, size, ACL_MEMCPY_DEVICE_TO_HOST));
	if (host[0] != 0x5a || host[size - 1] != 0x5a)
		code = -1;
end:
	give_stream(s);
	give_memory(a);
	give_memory(b);
	give_host(host);
	return code;
}

static void count_call(void *arg)
{
	(*(_Atomic int *)arg)++;
}

static int callbacks(void)
{
	uint64_t me = (uint64_t)pthread_self();
	_Atomic int calls = 0;
	aclrtStream s = NULL;
	bool subscribed = false;
	int code;

	TRY(aclrtCreateStream(&s));
	TRY(aclrtSubscribeReport(me, s));
	subscribed = true;
	TRY(aclrtLaunchCallback(count_call, &calls, ACL_CALLBACK_NO_BLOCK, s));
	TRY(aclrtLaunchHostFunc(s, count_call, &calls));
	TRY(aclrtSynchronizeStream(s));
	/* A callback for which there was no memory is never called. */
	code = aclrtProcessReport(atomic_load(&inject_hit) ? 50 : 5000);
	if (code == ACL_ERROR_RT_REPORT_TIMEOUT && atomic_load(&inject_hit))
		code = ACL_ERROR_BAD_ALLOC;
end:
	if (subscribed)
		aclrtUnSubscribeReport(me, s);
	give_stream(s);
	return code;
}

static int pools(void)
{
	struct aclkm_pool *pool = NULL;
	void *p[40] = {0}, *more = NULL;
	int code, i;

	TRY(aclkm_pool_create(ACLKM_POOL_LINEAR, 4 * MIB, ACLKM_PAGES_NORMAL, 0, &pool));
	for (i = 0; i < 40; i++)
		TRY(aclkm_segment_alloc(pool, 100 + (size_t)i * 1000, &p[i]));
	TRY(aclkm_segment_alloc(pool, MIB, &more));
end:
	for (i = 0; i < 40 && pool; i++) {
		if (p[i])
			not_given_back += aclkm_segment_free(pool, p[i]) &&
					  aclkm_segment_free(pool, p[i]);
	}
	if (more)
		not_given_back +=
			aclkm_segment_free(pool, more) && aclkm_segment_free(pool, more);
	give_pool(pool);
	return code;
}

static int stream_pools(void)
{
	aclrtMemPoolProps props = {.allocType = ACL_MEM_ALLOCATION_TYPE_PINNED,
				   .location = {0, ACL_MEM_LOCATION_TYPE_DEVICE}};
	aclrtMemPool pool = NULL;
	aclrtStream s = NULL, other = NULL;
	void *p[6] = {0}, *q = NULL;
	int code, i;

	TRY(aclrtCreateStream(&s));
	TRY(aclrtCreateStream(&other));
	TRY(aclrtMemPoolCreate(&pool, &props));
	for (i = 0; i < 6; i++)
		TRY(aclrtMemPoolMallocAsync(&p[i], 1000 << (2 * i), pool, s));
	TRY(aclrtMemPoolMallocAsync(&q, 300000, pool, other));
	TRY(aclrtMemsetAsync(p[5], 1000, 1, 1000, s));
	for (i = 0; i < 6; i++) {
		TRY(aclrtMemPoolFreeAsync(p[i], s));
		p[i] = NULL;
	}
	TRY(aclrtMemPoolTrimTo(pool, 0));
end:
	for (i = 0; i < 6; i++) {
		if (p[i])
			not_given_back += aclrtMemPoolFreeAsync(p[i], s) &&
					  aclrtMemPoolFreeAsync(p[i], s);
	}
	if (q)
		not_given_back += aclrtMemPoolFreeAsync(q, other) &&
				  aclrtMemPoolFreeAsync(q, other);
	if (s)
		aclrtSynchronizeStream(s);
	if (other)
		aclrtSynchronizeStream(other);
	give_mempool(pool);
	give_stream(s);
	give_stream(other);
	return code;
}

static const aclrtPhysicalMemProp prop = {
	.memAttr = ACL_HBM_MEM_HUGE, .location = {.type = ACL_MEM_LOCATION_TYPE_DEVICE}};

static int virtual_memory(void)
{
	const size_t unit = 2 * MIB;
	aclrtDrvMemHandle h[2] = {0}, retained = NULL, imported = NULL;
	bool mapped[2] = {0};
	char *range = NULL;
	uint64_t shared;
	int code, i;

	TRY(aclrtReserveMemAddress((void **)&range, 2 * unit, 0, NULL, 0));
	for (i = 0; i < 2; i++) {
		TRY(aclrtMallocPhysical(&h[i], unit, &prop, 0));
		TRY(aclrtMapMem(range + (size_t)i * unit, unit, 0, h[i], 0));
		mapped[i] = true;
	}
	TRY(aclrtMemRetainAllocationHandle(range, &retained));
	TRY(aclrtMemExportToShareableHandle(h[0], 0, 0, &shared));
	TRY(aclrtMemImportFromShareableHandle(shared, 0, &imported));
	TRY(aclrtMemset(range, 2 * unit, 7, 2 * unit));
end:
	give_physical(imported);
	give_physical(retained);
	for (i = 0; i < 2; i++) {
		if (mapped[i])
			give_mapping(range + (size_t)i * unit);
		give_physical(h[i]);
	}
	give_range(range);
	return code;
}

static int sharing(void)
{
	void *p = NULL, *import = NULL;
	char key[65] = "";
	int code;

	TRY(aclrtMalloc(&p, 3 * MIB, 0));
	TRY(aclrtMemset(p, 3 * MIB, 3, 3 * MIB));
	TRY(aclrtIpcMemGetExportKey(p, 3 * MIB, key, sizeof(key),
				    ACL_RT_IPC_MEM_EXPORT_FLAG_DISABLE_PID_VALIDATION));
	TRY(aclrtIpcMemImportByKey(&import, key, 0));
	if (((unsigned char *)import)[MIB] != 3)
		code = -1;
end:
	if (import)
		give(aclrtIpcMemClose(key), again_key, key, "close of an import");
	if (key[0])
		give_key(key);
	give_memory(p);
	return code;
}

static int registration(void)
{
	const size_t size = 64 * KIB;
	char *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *host = NULL, *address, *done = NULL;
	bool both = false;
	int code = ACL_ERROR_RT_MEMORY_ALLOCATION;

	if (pages == MAP_FAILED)
		return code;
	TRY(aclrtHostRegister(pages, size, ACL_HOST_REGISTER_MAPPED, &address));
	done = pages;
	TRY(aclrtMallocHost(&host, MIB));
	TRY(aclrtHostRegister(host, MIB, ACL_HOST_REGISTER_MAPPED, &address));
	both = true;
	TRY(aclrtHostGetDevicePointer(host, &address, 0));
end:
	if (both)
		give_registered(host);
	give_registered(done);
	give_host(host);
	inject_disarm();
	munmap(pages, size);
	return code;
}

static int managed(void)
{
	void *p = NULL;
	int code;

	TRY(aclrtMemAllocManaged(&p, 4 * MIB, ACL_RT_MEM_ATTACH_GLOBAL));
	memset(p, 1, 4 * MIB);
end:
	give_memory(p);
	return code;
}

static void *in_its_own_thread(void *arg)
{
	void *p = NULL, *host = NULL;
	int *code = arg;

	*code = aclrtSetDevice(0);
	if (*code)
		return NULL;
	*code = aclrtMalloc(&p, 200, 0) ?: aclrtMallocHost(&host, 200);
	give_memory(p);
	give_host(host);
	give_device(code);
	return NULL;
}

static int contexts(void)
{
	aclrtContext own = NULL, was = NULL;
	pthread_t thread;
	int code;

	TRY(aclrtGetCurrentContext(&was));
	TRY(aclrtCreateContext(&own, 0));
	TRY(aclrtSetCurrentContext(was));
	if (__real_pthread_create(&thread, NULL, in_its_own_thread, &code))
		return -1;
	pthread_join(thread, NULL);
end:
	if (was)
		aclrtSetCurrentContext(was);
	give_context(own);
	return code;
}

static int kernels(void)
{
	_Alignas(8) unsigned char args[64] = {0};
	aclrtFuncHandle function;
	aclrtBinHandle binary = NULL;
	aclrtArgsHandle list;
	aclrtParamHandle param;
	int64_t *value = NULL, one = 1, two = 2;
	int code;

	TRY(aclrtBinaryLoadFromFile("kernels.o", NULL, &binary));
	TRY(aclrtBinaryGetFunction(binary, "scale_custom", &function));
	TRY(aclrtMalloc((void **)&value, 8, 0));
	TRY(aclrtKernelArgsInit(function, &list));
	TRY(aclrtKernelArgsAppend(list, &value, 8, &param));
	TRY(aclrtKernelArgsAppend(list, &two, 8, &param));
	TRY(aclrtKernelArgsAppend(list, &one, 8, &param));
	TRY(aclrtKernelArgsFinalize(list));
	TRY(aclrtLaunchKernelWithConfig(function, 1, NULL, NULL, list, NULL));
	memcpy(args, &value, 8);
	TRY(aclrtLaunchKernelWithHostArgs(function, 1, NULL, NULL, args, 24, NULL, 0));
	TRY(aclrtSynchronizeStream(NULL));
end:
	aclrtSynchronizeStream(NULL);
	give_memory(value);
	give_binary(binary);
	return code;
}

/* Each scenario between aclInit and aclFinalize, with a device that is set and reset. */
struct scenario {
	const char *name;
	int (*run)(void);
	const char *variable, *value;
	const char *function; /* only its calls fail, all of them */
};

static int nothing(void)
{
	return 0;
}

static const struct scenario scenarios[] = {
	/* At vm.max_map_count the kernel refuses to unmap. */
	{"memory_unmapped", memory, NULL, NULL, "munmap"},
	{"virtual_memory_unmapped", virtual_memory, NULL, NULL, "munmap"},
	{"sharing_unmapped", sharing, NULL, NULL, "munmap"},
	{"device", nothing, NULL, NULL, NULL},
	{"memory", memory, NULL, NULL, NULL},
	{"host_and_media", host_and_media, NULL, NULL, NULL},
	{"streams", streams, NULL, NULL, NULL},
	{"events", events, NULL, NULL, NULL},
	{"copies", copies, "ACLKM_WORKERS", "3", NULL},
	{"callbacks", callbacks, NULL, NULL, NULL},
	{"pools", pools, NULL, NULL, NULL},
	{"stream_pools", stream_pools, NULL, NULL, NULL},
	{"virtual_memory", virtual_memory, NULL, NULL, NULL},
	{"sharing", sharing, NULL, NULL, NULL},
	{"registration", registration, NULL, NULL, NULL},
	{"managed", managed, NULL, NULL, NULL},
	{"contexts", contexts, NULL, NULL, NULL},
	{"kernels", kernels, "ACLKM_KERNELS", kernels_file, NULL},
	{"memory_checked", memory, "ACLKM_CHECK",
	 "redzone,poison,free,bounds,flight,leak", NULL},
	{"streams_checked", streams, "ACLKM_CHECK",
	 "redzone,poison,free,bounds,flight,leak", NULL},
	/* A watched task needs a record of its own: the stream can refuse each. */
	{"stream_pools_checked", stream_pools, "ACLKM_CHECK", "flight", NULL},
	{"copies_checked", copies, "ACLKM_CHECK",
	 "redzone,poison,free,bounds,flight,leak", NULL},
};

static int whole(const struct scenario *scenario)
{
	bool init = false, set = false;
	int code;

	TRY(aclInit(NULL));
	init = true;
	TRY(aclrtSetDevice(0));
	set = true;
	code = scenario->run();
end:
	if (set)
		give_device(&set);
	if (init)
		give_init(&init);
	return code;
}

struct accounts {
	int fds;
	uint32_t blocks; /* of the heap */
	long mapped;	 /* KiB of files of memory */
	size_t free;	 /* of the device */
};

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

static long count_mapped(void)
{
	FILE *maps = __real_fopen("/proc/self/maps", "r");
	unsigned long from, to;
	char line[512];
	long size = 0;

	while (maps && fgets(line, sizeof(line), maps)) {
		if (strstr(line, "memfd:") && sscanf(line, "%lx-%lx", &from, &to) == 2)
			size += (long)(to - from) / 1024;
	}
	if (maps)
		fclose(maps);
	return size;
}

static struct accounts take_accounts(void)
{
	struct aclkm_memory_totals totals = {0};
	struct accounts now = {0};

	/* The thread keeps the text of its last error until it is read. */
	while (aclGetRecentErrMsg())
		;
	aclkm_memory_trim(0);
	aclkm_memory_totals(&totals);
	now.free = totals.free;
	now.fds = count_fds();
	now.mapped = count_mapped();
	now.blocks = inject_live;
	return now;
}

static bool permitted(int code, const char *hit)
{
	const int codes[] = {0,
			     ACL_ERROR_BAD_ALLOC,
			     ACL_ERROR_RT_MEMORY_ALLOCATION,
			     ACL_ERROR_RT_RESOURCE_ALLOC_FAIL,
			     ACL_ERROR_RT_INTERNAL_ERROR,
			     ACLKM_ERR_NOHEAP,
			     ACLKM_ERR_NOMEM,
			     ACLKM_ERR_IO,
			     ACLKM_ERR_NOTHREAD,
			     ACLKM_ERR_LIMIT,
			     HI_ERR_SYS_NO_MEM};
	size_t i;

	/* Nobody at the other end: the process has gone. */
	if (code == ACL_ERROR_RT_INVALID_HANDLE && hit && !strcmp(hit, "connect"))
		return true;
	/* Nothing can be shared then, and all else works. */
	if (code == ACL_ERROR_RT_FEATURE_NOT_SUPPORT && hit && !strcmp(hit, "ftruncate"))
		return true;
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (code == codes[i])
			return true;
	}
	return false;
}

/* What a child tells. */
struct verdict {
	char why[400];
	bool hit;
	char function[32];
	uint32_t calls;
};

__attribute__((format(printf, 2, 3))) static void blame(struct verdict *verdict,
							const char *format, ...)
{
	size_t used = strlen(verdict->why);
	va_list args;

	va_start(args, format);
	vsnprintf(verdict->why + used, sizeof(verdict->why) - used, format, args);
	va_end(args);
}

/*
 * The same failure several times: what one of them loses is lost each time, and counts
 * more than a record that the library makes on its way around the failure and keeps.
 */
#define TIMES 3
#ifdef __SANITIZE_ADDRESS__
#define KEPT 64 /* where blocks were allocated is kept for AddressSanitizer's reports */
#else
#define KEPT 2
#endif

static bool accounts_differ(const struct accounts *now, const struct accounts *was)
{
	if (now->fds > was->fds)
		return true;
	/* Checks hold freed blocks back, and know where they were freed. */
	return !getenv("ACLKM_CHECK") &&
	       (now->blocks > was->blocks + KEPT || now->mapped > was->mapped ||
		now->free != was->free);
}

static void check_accounts(struct verdict *verdict, const struct accounts *was)
{
	struct accounts now = take_accounts();
	int i;

	/* The thread that serves other processes closes connections in its own time. */
	for (i = 0; i < 200 && accounts_differ(&now, was); i++) {
		usleep(10000);
		now = take_accounts();
	}
	if (accounts_differ(&now, was))
		blame(verdict,
		      "; %d descriptors, were %d; %u blocks of the heap, were %u; %ld "
		      "KiB of "
		      "memory files mapped, were %ld; %zu bytes free, were %zu",
		      now.fds, was->fds, now.blocks, was->blocks, now.mapped, was->mapped,
		      now.free, was->free);
}

/* @warm: the library has done it all before. Cold, the first failure is in a first use.
 */
static void attempt(struct verdict *verdict, const struct scenario *scenario, bool warm,
		    uint32_t at, const struct accounts *was)
{
	struct accounts before = *was;
	const char *hit;
	int code, i;

	inject_name = scenario->function;
	/* A thread's record of errors comes with the first, and stays. */
	aclrtMalloc(NULL, 1, 0);
	if (warm) {
		if (whole(scenario) || whole(scenario))
			blame(verdict, "; fails without a failure");
		before = take_accounts();
	}
	for (i = 0; i < (at ? TIMES : 1) && !verdict->why[0]; i++) {
		inject_arm(at);
		code = whole(scenario);
		inject_disarm();
		hit = atomic_load(&inject_hit);
		if (!i)
			verdict->calls = atomic_load(&inject_count);
		if (hit) {
			verdict->hit = true;
			snprintf(verdict->function, sizeof(verdict->function), "%s", hit);
		}
		if (!permitted(code, hit) || (code && !hit))
			blame(verdict, "; gives %d: %s", code, aclkm_last_error());
		if (not_given_back)
			blame(verdict, "; %d not given back (%s)", not_given_back,
			      lost ? lost : "");
	}
	not_given_back = 0;
	code = whole(scenario);
	if (code)
		blame(verdict, "; gives %d the next time: %s", code, aclkm_last_error());
	whole(scenario);
	if (at)
		check_accounts(verdict, &before);
}

#define JOBS 6

#ifdef __SANITIZE_THREAD__
#define UNDER_TSAN true
#else
#define UNDER_TSAN false
#endif

/* Of the processes that run now. */
static struct shared {
	struct verdict verdicts[JOBS];
	struct accounts cold;
} * shared;

/* Where coverage is counted; _exit does not write what was counted. */
void __gcov_dump(void) __attribute__((weak));

/* In a process of its own, since a first use is only once. */
static pid_t start(const struct scenario *scenario, bool warm, uint32_t at,
		   struct verdict *verdict)
{
	pid_t child;

	memset(verdict, 0, sizeof(*verdict));
	fflush(stdout);
	child = fork();
	if (child)
		return child;
	alarm(120);
	if (scenario->variable)
		setenv(scenario->variable, scenario->value, 1);
	attempt(verdict, scenario, warm, at, &shared->cold);
	if (!at)
		shared->cold = take_accounts();
	if (__gcov_dump)
		__gcov_dump();
	_exit(0);
}

/* Whether all was well. */
static bool finish(pid_t child, const struct scenario *scenario, bool warm, uint32_t at,
		   struct verdict *verdict)
{
	int status = 0;

	waitpid(child, &status, 0);
	if (WIFSIGNALED(status))
		blame(verdict, "; %s",
		      WTERMSIG(status) == SIGALRM ? "hangs"
						  : strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		blame(verdict, "; ends with %d", WEXITSTATUS(status));
	if (!verdict->why[0])
		return true;
	printf("# %s %s, call %u (%s)%s\n", scenario->name, warm ? "warm" : "cold", at,
	       verdict->function, verdict->why);
	return false;
}

static uint32_t from_environment(const char *name, uint32_t otherwise)
{
	const char *value = getenv(name);

	return value ? (uint32_t)atoi(value) : otherwise;
}

static void run_scenario(const struct scenario *scenario, bool warm, time_t end)
{
	uint32_t every = from_environment("INJECT_EVERY", 3), at, calls;
	uint32_t only = from_environment("INJECT_CALL", 0), tried = 0, i, n;
	pid_t children[JOBS];
	bool good;

	good = finish(start(scenario, warm, 0, shared->verdicts), scenario, warm, 0,
		      shared->verdicts);
	calls = shared->verdicts[0].calls;
	every = only ? calls + 1 : scenario->function ? 1 : every + calls / 100;
	/* What the first use leaves out the second has perhaps, and the other way. */
	at = only ? only : 1 + warm % every;
	while (at <= calls && time(NULL) < end) {
		for (n = 0; n < JOBS && at + n * every <= calls; n++)
			children[n] = start(scenario, warm, at + n * every,
					    &shared->verdicts[n]);
		for (i = 0; i < n; i++)
			good &= finish(children[i], scenario, warm, at + i * every,
				       &shared->verdicts[i]);
		at += n * every;
		tried += n;
	}
	if (time(NULL) >= end)
		printf("# out of time: %s %s has %u calls, %u tried\n", scenario->name,
		       warm ? "warm" : "cold", calls, tried);
	ok(good, "%s, %s: %u calls, %u made to fail", scenario->name,
	   warm ? "used before" : "first use", calls, tried);
}

static void find_kernels(void)
{
	ssize_t n = readlink("/proc/self/exe", kernels_file, sizeof(kernels_file) - 12);

	if (n > 0)
		strcpy(strrchr(kernels_file, '/') + 1, "kernels.so");
}

int main(void)
{
	time_t end = time(NULL) + from_environment("INJECT_TIME", 90);
	const char *only = getenv("INJECT_ONLY");
	size_t i;

	/* Some thousand processes: too many for an emulated guest. */
	if (!access("/dev/aclkm", F_OK) || UNDER_TSAN) {
		skip("injection", "in a guest, or under ThreadSanitizer");
		return done_testing();
	}
	setenv("ACLKM_BACKEND", "user", 1);
	setenv("ACLKM_MEM", "32M", 1);
	find_kernels();
	shared = __real_mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		if (only && strcmp(only, scenarios[i].name))
			continue;
		if (scenarios[i].value == kernels_file && access(kernels_file, R_OK))
			continue;
		run_scenario(&scenarios[i], false, end);
		run_scenario(&scenarios[i], true, end);
	}
	return done_testing();
}
