// SPDX-License-Identifier: MIT
/* Allocation and free: every rule, every error, on either backend. */
#include "client.h"

#include <sys/wait.h>
#include <unistd.h>

#include "acl/memory.h"

#define P(p) ((void **)&(p))

/* One of the calls of the documents, by name. */
static aclError align32(void **p, size_t size)
{
	return aclrtMallocAlign32(p, size, ACL_MEM_MALLOC_NORMAL_ONLY);
}

static aclError plain(void **p, size_t size)
{
	return aclrtMalloc(p, size, ACL_MEM_MALLOC_HUGE_FIRST);
}

static aclError cached(void **p, size_t size)
{
	return aclrtMallocCached(p, size, ACL_MEM_MALLOC_NORMAL_ONLY);
}

static aclError himpi(void **p, size_t size)
{
	return hi_mpi_dvpp_malloc(0, p, size);
}

static const struct call {
	const char *name;
	aclError (*take)(void **p, size_t size);
	aclError (*give)(void *p);
	enum aclkm_kind kind;
	uint64_t align;
	uint32_t padding;
	aclError null, zero, overflow, no_context, no_memory, bad_free;
} calls[] = {
	{"aclrtMalloc", plain, aclrtFree, ACLKM_KIND_DEVICE, 512, 32, 100000, 100000,
	 100000, 107002, 207001, 107000},
	{"aclrtMallocAlign32", align32, aclrtFree, ACLKM_KIND_DEVICE, 512, 0, 100000,
	 100000, 100000, 107002, 207001, 107000},
	{"aclrtMallocCached", cached, aclrtFree, ACLKM_KIND_DEVICE, 512, 32, 100000,
	 100000, 100000, 107002, 207001, 107000},
	{"aclrtMallocHost", aclrtMallocHost, aclrtFreeHost, ACLKM_KIND_HOST, 512, 32,
	 100000, 100000, 100000, 107002, 207001, 107000},
	{"acldvppMalloc", acldvppMalloc, acldvppFree, ACLKM_KIND_DVPP, 128, 32, 100000,
	 100000, 100000, 107002, 207001, 107000},
	{"hi_mpi_dvpp_malloc", himpi, hi_mpi_dvpp_free, ACLKM_KIND_HIMPI, 128, 32,
	 (int)0xA0028006, (int)0xA0028003, (int)0xA0028003, (int)0xA0028010,
	 (int)0xA002800C, (int)0xA0028003},
};

#define CALLS (sizeof(calls) / sizeof(calls[0]))

static void test_without_context(void)
{
	const struct call *c;
	size_t free, total;
	int32_t id;
	void *p = NULL;

	for (c = calls; c < calls + CALLS; c++) {
		is(c->take(&p, 100), c->no_context, "%s without a context", c->name);
		is(c->take(NULL, 100), c->null, "%s: the argument is checked first",
		   c->name);
	}
	ok(!p, "no failure gives an address");
	is(aclrtGetMemInfo(ACL_HBM_MEM, &free, &total), 107002,
	   "aclrtGetMemInfo without one");
	is(aclrtGetDevice(&id), 107002, "aclrtGetDevice without one");
	is(aclrtMemset(&id, 4, 0, 4), 107002, "aclrtMemset without one");
	is(aclrtSynchronizeDevice(), 107002, "aclrtSynchronizeDevice without one");
	is(aclrtFree(&id), 107000, "aclrtFree works without one");
	ok(recent_has("call aclrtSetDevice"), "the text says what to do");
	ok(!aclGetRecentErrMsg(), "and reading clears it");
}

static bool has_rule(const struct call *c, size_t size)
{
	struct aclkm_memory_info info;
	uint64_t ruled = 0;
	char *p = NULL;
	bool good;

	if (c->take(P(p), size))
		return false;
	aclkm_block_size(size, ACLKM_BLOCK_PADDED, c->padding, &ruled);
	/* A device may write all of it; AddressSanitizer lets the program write its own.
	 */
#if defined(__SANITIZE_ADDRESS__)
	memset(p, 0x5a, size);
#else
	memset(p, 0x5a, ruled);
#endif
	good = !aclkm_memory_query(p + size - 1, &info) && info.base == p &&
	       info.asked == size && info.ruled == ruled && info.kind == c->kind &&
	       (uintptr_t)p % c->align == 0 && info.alignment >= c->align &&
	       info.page_size >= 4096;
	return c->give(p) == 0 && good;
}

static void test_sizes(const struct call *c)
{
	static const size_t sizes[] = {1,	31,	 32,	  33,	  64,
				       97,	1000,	 4096,	  65535,  MIB,
				       MIB + 1, 2 * MIB, 3110400, 5 * MIB};
	bool good = true;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		good = has_rule(c, sizes[i]) && good;
	ok(good, "%s: size by the rule, alignment %d", c->name, (int)c->align);
}

static void test_call_errors(const struct call *c)
{
	void *p = (void *)8;

	is(c->take(NULL, 100), c->null, "%s: NULL", c->name);
	ok(recent_has("NULL"), "%s: the text names it", c->name);
	is(c->take(&p, 0), c->zero, "%s: size 0", c->name);
	ok(recent_has("size = 0"), "%s: the text names it", c->name);
	is(c->take(&p, SIZE_MAX), c->overflow, "%s: 2^64 - 1", c->name);
	ok(recent_has("18446744073709551615"), "%s: the text has the value", c->name);
	is(c->take(&p, SIZE_MAX - 30), c->overflow, "%s: 2^64 - 31", c->name);
	/* At 2^49 MallocCached has no other limit yet. */
	is(c->take(&p, 1ULL << 49), c->no_memory, "%s: 2^49", c->name);
	ok(p == (void *)8, "%s: a failure writes no address", c->name);
	is(c->give(NULL), c->null, "%s: free of NULL", c->name);
}

static void test_wrong_frees(const struct call *c)
{
	const struct call *other;
	int on_stack = 0;
	char *p = NULL, *heap = malloc(64);

	if (c->take(P(p), 5000))
		bail_out(c->name);
	for (other = calls; other < calls + CALLS; other++) {
		if (other->give != c->give)
			is(other->give(p), other->bad_free,
			   "%s memory given to the free of %s", c->name, other->name);
	}
	is(aclkm_memory_free(p), ACLKM_ERR_KIND, "%s memory given to aclkm_memory_free",
	   c->name);
	is(c->give(p + 64), c->bad_free, "%s: free inside the block", c->name);
	ok(recent_has("inside"), "%s: the text says so", c->name);
	is(c->give(p + 1), c->bad_free, "%s: free one byte in", c->name);
	is(c->give(&on_stack), c->bad_free, "%s: free of the stack", c->name);
	is(c->give(heap), c->bad_free, "%s: free of malloc memory", c->name);
	is(c->give((void *)SIZE_MAX), c->bad_free, "%s: free of 2^64 - 1", c->name);
	is(c->give(p), 0, "%s: free", c->name);
	is(c->give(p), c->bad_free, "%s: free again", c->name);
	ok(recent_has("freed already"), "%s: the text says so", c->name);
	free(heap);
}

/* What HUGE_FIRST means at the threshold; how it is mapped is the machine's business. */
static void test_threshold(void)
{
	is(memory_huge_first(MIB), ACLKM_PAGES_NORMAL,
	   "1 MiB is taken from normal pages");
	is(memory_huge_first(MIB + 1), ACLKM_PAGES_HUGE_FIRST,
	   "a byte more from huge ones");
	is(memory_huge_first(MIB - 1), ACLKM_PAGES_NORMAL,
	   "a byte less from normal ones");
}

static void test_policies(void)
{
	static const int any[] = {0, 2, 3, 5, 8, 99, -1, 0x100, 0x1000, 0x100000, 0x1100};
	static const int not_cached[] = {3, 4, 5, 7, 8, -1, 0x1000};
	void *p = NULL;
	size_t i;
	int code;

	for (i = 0; i < sizeof(any) / sizeof(any[0]); i++) {
		is(aclrtMalloc(&p, 100, (aclrtMemMallocPolicy)any[i]), 0,
		   "policy %#x is taken", (unsigned int)any[i]);
		aclrtFree(p);
	}
	for (i = 0; i < sizeof(not_cached) / sizeof(not_cached[0]); i++)
		is(aclrtMallocCached(&p, 100, (aclrtMemMallocPolicy)not_cached[i]),
		   107000, "MallocCached: policy %#x", (unsigned int)not_cached[i]);
	is(aclrtMallocCached(&p, (1ULL << 50) + 1, ACL_MEM_MALLOC_NORMAL_ONLY), 107000,
	   "MallocCached: more than 2^50");
	is(aclrtMallocCached(&p, 1ULL << 50, ACL_MEM_MALLOC_NORMAL_ONLY), 207001,
	   "MallocCached: 2^50 is only too much");
	is(aclrtMallocCached(&p, 0, (aclrtMemMallocPolicy)3), 100000,
	   "MallocCached: size 0 comes first");
	code = aclrtMalloc(&p, 100, ACL_MEM_MALLOC_HUGE1G_ONLY);
	ok(code == 0 || code == 207001, "1 GiB pages: there, or 207001 (%d)", code);
	if (!code)
		aclrtFree(p);
}

static void test_huge_only(void)
{
	struct aclkm_memory_info info = {0};
	void *p = NULL;
	int code = aclrtMalloc(&p, 2 * MIB, ACL_MEM_MALLOC_HUGE_ONLY);

	if (on_kmod()) {
		is(code, 0, "HUGE_ONLY: the driver gives it");
		is(aclkm_memory_query(p, &info), 0, "and is asked");
		ok(info.contiguous, "it is contiguous");
	} else if (code) {
		is(code, 207001, "HUGE_ONLY without huge pages: 207001");
		ok(recent_has("2 MiB huge pages"), "the text says so");
		return;
	} else {
		aclkm_memory_query(p, &info);
		ok(info.page_size >= 2 * MIB, "HUGE_ONLY: pages of 2 MiB or more");
	}
	if (!code)
		is(aclrtFree(p), 0, "HUGE_ONLY: free");
}

static void test_mem_info(void)
{
	size_t free = 0, total = 0;
	int attr;
	bool all = true;

	for (attr = 0; attr <= 17; attr++)
		all = all && !aclrtGetMemInfo((aclrtMemAttr)attr, &free, &total) &&
		      total && free <= total;
	ok(all, "aclrtGetMemInfo answers for 0 to 17");
	is(aclrtGetMemInfo((aclrtMemAttr)18, &free, &total), 107016, "18 is none");
	is(aclrtGetMemInfo((aclrtMemAttr)-1, &free, &total), 107016, "nor is -1");
	is(aclrtGetMemInfo(ACL_DDR_MEM, NULL, &total), 100000, "free NULL");
	is(aclrtGetMemInfo(ACL_DDR_MEM, &free, NULL), 100000, "total NULL");
}

/* Takes 2 MiB blocks until there is no more, then everything must come back. */
static void test_exhaustion(void)
{
	static void *blocks[4096];
	struct aclkm_memory_totals totals;
	size_t before = free_bytes(), n = 0, i, err = 0;
	aclError code = 0;

	aclkm_memory_totals(&totals);
	if (totals.total > 4096 * MIB) {
		skip("a full device", "the device is too large to fill here");
		return;
	}
	while (n < 4096) {
		code = aclrtMalloc(&blocks[n], 2 * MIB - 32, ACL_MEM_MALLOC_NORMAL_ONLY);
		if (code)
			break;
		n++;
	}
	is(code, 207001, "a full device gives 207001, after %d blocks", (int)n);
	ok(recent_has("free"), "the text tells what is free");
	for (i = 0; i < n; i += 2)
		err += (size_t)aclrtFree(blocks[i]);
	for (i = 1; i < n; i += 2)
		err += (size_t)aclrtFree(blocks[i]);
	is(err, 0, "all blocks are freed");
	is(free_bytes(), before, "the device is as free as before");
}

/* Blocks of random sizes do not overlap, and the accounts come out even. */
static void test_many(void)
{
	enum { N = 400 };
	static unsigned char *blocks[N];
	static size_t sizes[N];
	size_t before = free_bytes(), i, round, bad = 0;
	unsigned int seed = 7;

	for (round = 0; round < 4000; round++) {
		i = (size_t)rand_r(&seed) % N;
		if (blocks[i]) {
			bad += blocks[i][0] != i % 251 ||
			       blocks[i][sizes[i] - 1] != i % 251;
			bad += aclrtFree(blocks[i]) != 0;
			blocks[i] = NULL;
			continue;
		}
		sizes[i] = 1 + (size_t)rand_r(&seed) % 30000;
		if (aclrtMalloc(P(blocks[i]), sizes[i], ACL_MEM_MALLOC_HUGE_FIRST))
			bad++;
		else
			memset(blocks[i], (int)(i % 251), sizes[i]);
	}
	for (i = 0; i < N; i++) {
		if (blocks[i])
			bad += aclrtFree(blocks[i]) != 0;
	}
	is(bad, 0, "4000 random steps");
	is(free_bytes(), before, "the device is as free as before");
}

/*
 * Threads allocate and free; each asks about a block that another one may free. They
 * use a few blocks, but what they keep would be more than the device has.
 */
static void *churn(void *arg)
{
	static void *_Atomic seen;
	struct aclkm_memory_info info;
	unsigned int seed = (unsigned int)(uintptr_t)arg;
	uintptr_t bad = aclrtSetDevice(0) != 0;
	size_t size;
	char *p;
	int i;

	for (i = 0; i < 1500; i++) {
		const struct call *c = &calls[(size_t)rand_r(&seed) % CALLS];

		size = 1 + (size_t)rand_r(&seed) % 20000;
		if (c->take(P(p), size)) {
			printf("# %s\n", aclkm_last_error());
			bad++;
			continue;
		}
		memset(p, i, size);
		aclkm_memory_query(seen ? seen : p, &info);
		seen = p;
		bad += p[0] != (char)i || p[size - 1] != (char)i;
		bad += c->give(p) != 0;
	}
	bad += aclrtResetDevice(0) != 0;
	return (void *)bad;
}

static void test_threads(void)
{
	pthread_t threads[4];
	uintptr_t all = 0, i;
	void *bad;

	for (i = 0; i < 4; i++) {
		if (pthread_create(&threads[i], NULL, churn, (void *)(i + 1)))
			bail_out("no thread");
	}
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], &bad);
		all += (uintptr_t)bad;
	}
	is(all, 0, "four threads allocate and free all kinds");
}

static void test_native(void)
{
	struct aclkm_memory_info info;
	size_t align;
	void *p = NULL;

	is(aclkm_memory_alloc(0, 0, ACLKM_PAGES_NORMAL, &p), ACLKM_ERR_INVALID,
	   "native: size 0");
	is(aclkm_memory_alloc(1, 0, ACLKM_PAGES_NORMAL, NULL), ACLKM_ERR_INVALID,
	   "native: NULL");
	is(aclkm_memory_alloc(1, 32, ACLKM_PAGES_NORMAL, &p), ACLKM_ERR_INVALID,
	   "native: align 32");
	is(aclkm_memory_alloc(1, 192, ACLKM_PAGES_NORMAL, &p), ACLKM_ERR_INVALID,
	   "native: align 192");
	is(aclkm_memory_alloc(1, 1UL << 31, ACLKM_PAGES_NORMAL, &p), ACLKM_ERR_INVALID,
	   "native: align 2^31");
	is(aclkm_memory_alloc(1, 0, (enum aclkm_pages)4, &p), ACLKM_ERR_INVALID,
	   "native: pages 4");
	is(aclkm_memory_alloc(SIZE_MAX, 0, ACLKM_PAGES_NORMAL, &p), ACLKM_ERR_OVERFLOW,
	   "native: 2^64 - 1");
	for (align = 64; align <= 4 * MIB; align *= 2) {
		is(aclkm_memory_alloc(1000, align, ACLKM_PAGES_NORMAL, &p), 0,
		   "native: align %zu", align);
		is((uintptr_t)p % align, 0, "native: the start is a multiple");
		is(aclkm_memory_query(p, &info), 0, "native: query");
		is(info.phys % align, 0,
		   "native: the physical address, if known, is, too");
		is(aclrtFree(p), 107000, "native: aclrtFree is not for it");
		is(aclkm_memory_free(p), 0, "native: free");
	}
	is(aclkm_memory_free(NULL), ACLKM_ERR_INVALID, "native: free of NULL");
	is(aclkm_memory_free(p), aclkm_memory_query(p, &info),
	   "native: query and free agree");
	is(aclkm_memory_query(NULL, &info), ACLKM_ERR_INVALID, "query: NULL");
	is(aclkm_memory_query(&info, NULL), ACLKM_ERR_INVALID, "query: to NULL");
	is(aclkm_memory_query(&info, &info), ACLKM_ERR_FOREIGN, "query: the stack");
	is(aclkm_memory_totals(NULL), ACLKM_ERR_INVALID, "totals: to NULL");
}

static void test_physical(void)
{
	struct aclkm_memory_info info, tail;
	char *p = NULL;

	if (aclrtMalloc(P(p), MIB, ACL_MEM_MALLOC_NORMAL_ONLY))
		bail_out("no memory");
	aclkm_memory_query(p, &info);
	if (on_kmod()) {
		ok(info.contiguous, "kmod: contiguous");
		ok(!info.phys_valid || (info.phys && info.phys % 512 == 0),
		   "kmod: an aligned physical address, for those who may know it");
		aclkm_memory_query(p + MIB - 1, &tail);
		ok(tail.phys == info.phys && tail.base == info.base,
		   "kmod: of the whole block");
	} else {
		ok(!info.contiguous && !info.phys_valid && !info.phys,
		   "user: no physical address, no promise");
	}
	aclrtFree(p);
}

static void *set_in_thread(void *arg)
{
	void *p;

	(void)arg;
	is(aclrtMalloc(&p, 100, ACL_MEM_MALLOC_NORMAL_ONLY), 107002,
	   "another thread has no context of its own");
	is(aclrtSetDevice(0), 0, "it sets the device");
	is(aclrtMalloc(&p, 100, ACL_MEM_MALLOC_NORMAL_ONLY), 0, "then it may allocate");
	is(aclrtResetDevice(0), 0, "and reset");
	is(aclrtFree(p), 0, "and free after its reset");
	return NULL;
}

static void test_device(void)
{
	int32_t id = 7;
	uint32_t count = 0;
	aclrtRunMode mode;
	void *p;

	is(aclrtSetDevice(-1), 107001, "device -1");
	is(aclrtSetDevice(1), 107001, "device 1");
	is(aclrtResetDevice(1), 107001, "reset of device 1");
	is(aclrtResetDevice(0), 107002, "reset of a device that is not set");
	is(aclrtGetDeviceCount(&count), 0, "device count");
	is(count, 1, "is 1");
	is(aclrtGetDeviceCount(NULL), 100000, "device count to NULL");
	is(aclrtGetRunMode(&mode), 0, "run mode, before aclInit");
	is(aclrtGetRunMode(NULL), 100000, "run mode to NULL");
	is(aclrtSetDevice(0), 0, "device 0");
	is(aclrtGetDevice(&id), 0, "is current");
	is(id, 0, "and is 0");
	is(aclrtGetDevice(NULL), 100000, "to NULL");
	in_thread(set_in_thread, NULL);
	is(aclrtGetDevice(&id), 0, "it is still current here");
	is(aclrtMalloc(&p, 100, ACL_MEM_MALLOC_NORMAL_ONLY), 0, "a block");
	is(aclrtResetDevice(0), 0, "the last reset");
	is(aclrtGetDevice(&id), 107002, "leaves no current device");
	is(aclrtFree(p), 0, "memory is freed after it");
}

static void test_init(void)
{
	is(aclFinalize(), 100037, "aclFinalize before aclInit");
	is(aclInit(NULL), 0, "aclInit(NULL)");
	is(aclInit(""), 100002, "again: 100002");
	is(aclFinalize(), 0, "aclFinalize");
	is(aclFinalize(), 100037, "again: 100037");
	is(aclInit("/nowhere/acl.json"), 100003, "a file that is not there");
	is(aclInit("/"), 100003, "a directory");
	is(aclInit("/dev/null"), 100006, "an empty file");
	is(aclInit(""), 0, "aclInit(\"\")");
	is(aclFinalize(), 0, "aclFinalize");
	is(hi_mpi_sys_exit(), (int)0xA0028010, "hi_mpi_sys_exit before init");
	is(hi_mpi_sys_init(), 0, "hi_mpi_sys_init");
	is(hi_mpi_sys_exit(), 0, "hi_mpi_sys_exit");
}

static void test_config_file(void)
{
	char path[] = "/tmp/aclkm-test-XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || write(fd, " {}\n", 4) != 4)
		bail_out("no temporary file");
	close(fd);
	is(aclInit(path), 0, "aclInit with a file that holds {}");
	aclFinalize();
	unlink(path);
}

static int forked_child(void *p)
{
	void *q;
	aclrtStream stream;

	if (aclrtMalloc(&q, 100, ACL_MEM_MALLOC_NORMAL_ONLY) != 507000)
		return 1;
	if (aclrtFree(p) != 507000 || aclrtSetDevice(0) != 507000)
		return 2;
	if (aclrtCreateStream(&stream) != 507000 ||
	    aclrtSynchronizeStream(NULL) != 507000)
		return 3;
	if (hi_mpi_dvpp_free(p) != (int)0xA0028010 ||
	    aclkm_memory_free(p) != ACLKM_ERR_FORKED)
		return 4;
	if (!strstr(aclkm_last_error(), "fork"))
		return 5;
	return 0;
}

static void test_fork(void)
{
	int status = -1;
	pid_t pid;
	void *p;

	if (aclrtMalloc(&p, 100, ACL_MEM_MALLOC_NORMAL_ONLY))
		bail_out("no memory");
	pid = fork();
	if (pid == 0)
		_exit(forked_child(p));
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status), "a forked child ends");
	is(WEXITSTATUS(status), 0, "every call in it is refused");
	is(aclrtFree(p), 0, "the parent goes on");
}

int main(void)
{
	const struct call *c;
	size_t before;

	small_device();
	unsetenv("ACLKM_ALIGN");
	unsetenv("ACLKM_STRICT");
	unsetenv("ACLKM_PADDING");
	test_without_context();
	test_init();
	test_config_file();
	test_device();
	need_device();
	before = free_bytes();
	for (c = calls; c < calls + CALLS; c++) {
		test_sizes(c);
		test_call_errors(c);
		test_wrong_frees(c);
	}
	test_policies();
	test_threshold();
	test_huge_only();
	test_mem_info();
	test_native();
	test_physical();
	test_many();
	test_threads();
	test_exhaustion();
	test_fork();
	is(free_bytes(), before, "in the end the device is as free as in the beginning");
	return done_testing();
}
