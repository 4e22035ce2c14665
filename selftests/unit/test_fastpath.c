// SPDX-License-Identifier: MIT
/*
 * What the fast path of aclrtMalloc and aclrtFree must not pass by: the end of a
 * context, blocks that the library knows more of, several devices; and that small
 * blocks are shared and described as others are.
 */
#include <sys/wait.h>

#include "map/map.h"
#include "client.h"
#include "alloc/alloc.h"

#define P(p) ((void **)&(p))
#define NORMAL ACL_MEM_MALLOC_NORMAL_ONLY
#define PAGE 4096UL

static bool is_armed(void)
{
	return tcache_is_armed(tcache_mine);
}

/* It never is where AddressSanitizer must see every block. */
static bool is_open(void)
{
	return is_armed() || block_is_watched();
}

/* Until the next block of 100 bytes comes by the fast path. */
static void arm(void)
{
	void *p[4];
	int i, code = 0;

	for (i = 0; i < 4; i++)
		code |= aclrtMalloc(&p[i], 100, NORMAL);
	for (i = 0; i < 4; i++)
		code |= aclrtFree(p[i]);
	is(code, 0, "some blocks come and go");
}

static int take_one(void)
{
	void *p = NULL;
	int code = aclrtMalloc(&p, 100, NORMAL);

	if (!code && aclrtFree(p))
		return -1;
	return code;
}

static void test_reset(void)
{
	void *p = NULL;

	arm();
	ok(is_open(), "with one device the fast path is open");
	is(aclrtMalloc(&p, 100, NORMAL), 0, "a block that stays");
	is(aclrtResetDevice(0), 0, "reset");
	ok(!is_armed(), "the fast path is closed");
	is(take_one(), 107002, "malloc has no context any more");
	ok(recent_has("aclrtMalloc: "), "the text names the call");
	is(aclrtFree(p), 0, "free needs none");
	is(aclrtFree(p), 107000, "and is told from a second one");
	is(aclrtSetDevice(0), 0, "set again");
	is(take_one(), 0, "malloc goes on");
	is(aclrtSetDevice(0), 0, "set twice");
	is(take_one(), 0, "malloc");
	is(aclrtResetDevice(0), 0, "one set less");
	ok(is_open(), "leaves the context as it is");
	is(take_one(), 0, "malloc");
	is(aclrtResetDeviceForce(0), 0, "reset by force");
	is(take_one(), 107002, "malloc has no context any more");
	need_device();
}

static void test_switch(void)
{
	aclrtContext first, second;

	is(aclrtGetCurrentContext(&first), 0, "the context now");
	arm();
	ok(is_open(), "open");
	is(aclrtSetCurrentContext(first), 0, "the same once more");
	ok(is_open(), "changes nothing");
	is(aclrtCreateContext(&second, 0), 0, "another");
	ok(!is_armed(), "closes");
	is(take_one(), 0, "malloc");
	ok(is_open(), "opens");
	is(aclrtSetCurrentContext(first), 0, "back to the first");
	ok(!is_armed(), "closes");
	is(take_one(), 0, "malloc");
	is(aclrtSetCurrentContext(second), 0, "the second");
	is(take_one(), 0, "malloc");
	is(aclrtDestroyContext(second), 0, "destroy what is current");
	ok(!is_armed(), "closes");
	is(take_one(), 107002, "malloc has no context any more");
	is(aclrtSetDevice(0), 0, "set the device");
	ok(!is_armed(), "does not open");
	is(take_one(), 0, "malloc");
	ok(is_open(), "does");
	is(aclrtResetDevice(0), 0, "and one set less");
}

static pthread_barrier_t barrier;

static void *waits_for_the_end(void *unused)
{
	void *p = NULL;

	(void)unused;
	need_device();
	arm();
	is(aclrtMalloc(&p, 100, NORMAL), 0, "thread: a block");
	ok(is_open(), "thread: open");
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	ok(!is_armed(), "thread: closed by another one");
	is(take_one(), 107002, "thread: malloc has no context any more");
	is(aclrtFree(p), 0, "thread: free needs none");
	return NULL;
}

static void test_other_thread(void)
{
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 2);
	if (pthread_create(&thread, NULL, waits_for_the_end, NULL))
		bail_out("no thread");
	pthread_barrier_wait(&barrier);
	is(aclrtResetDeviceForce(0), 0, "reset by force");
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&barrier);
	need_device();
}

static uint64_t used_by(int32_t device, const char *name)
{
	aclrtMemUsageInfo all[8];
	size_t n = 0, i;

	if (aclrtGetMemUsageInfo(device, all, 8, &n))
		return UINT64_MAX;
	for (i = 0; i < n; i++) {
		if (!strcmp(all[i].name, name))
			return all[i].curMemSize;
	}
	return 0;
}

static void test_module(void)
{
	aclrtMallocAttribute attr = {.attr = ACL_RT_MEM_ATTR_MODULE_ID,
				     .value = {.moduleId = 7}};
	aclrtMallocConfig config = {.attrs = &attr, .numAttrs = 1};
	void *p = NULL, *q[64];
	uint64_t before;
	int i, code = 0;

	arm();
	is(aclrtMallocWithCfg(&p, 100, NORMAL, &config), 0, "a small block of module 7");
	before = used_by(0, "module 7");
	ok(before >= 100, "is counted");
	is(take_one(), 0, "others come and go beside it");
	is(used_by(0, "module 7"), before, "and are not of that module");
	is(aclrtFree(p), 0, "free, by the call that has a fast path");
	is(used_by(0, "module 7"), 0, "is counted");
	is(aclrtFree(p), 107000, "once");
	for (i = 0; i < 64; i++)
		code |= aclrtMalloc(&q[i], 100, NORMAL);
	for (i = 0; i < 64; i++)
		code |= aclrtFree(q[i]);
	is(code, 0, "its memory is used again");
	is(used_by(0, "module 7"), 0, "not by that module");
}

/* The bytes at @at, by an import of them in this same process; 207000: no way. */
static int import(void *at, size_t size, char *key, char **out)
{
	int code = aclrtIpcMemGetExportKey(
		at, size, key, ACL_RT_IPC_MEM_KEY_LENGTH,
		ACL_RT_IPC_MEM_EXPORT_FLAG_DISABLE_PID_VALIDATION);

	return code ?: aclrtIpcMemImportByKey(P(*out), key, 0);
}

/* Two closes: of the import, then of the offer. */
static void check_shared(char *at, size_t size, const char *what)
{
	char key[ACL_RT_IPC_MEM_KEY_LENGTH], *seen = NULL;

	at[0] = 'a';
	at[size - 1] = 'z';
	is(import(at, size, key, &seen), 0, "%s: import", what);
	if (!seen)
		return;
	ok(seen != at && seen[0] == 'a' && seen[size - 1] == 'z', "%s: its bytes", what);
	seen[1] = 'b';
	is(at[1], 'b', "%s: the same memory", what);
	is(aclrtIpcMemClose(key) | aclrtIpcMemClose(key), 0, "%s: close", what);
}

/* The first page that begins in [at, at + size); NULL: none lies in it as a whole. */
static char *page_in(char *at, size_t size)
{
	char *page = (char *)(((uintptr_t)at + PAGE - 1) & ~(PAGE - 1));

	return page + PAGE <= at + size ? page : NULL;
}

static void test_share_small(void)
{
	char key[ACL_RT_IPC_MEM_KEY_LENGTH], *block, *at, *seen = NULL;

	if (aclrtMalloc(P(block), 4 * PAGE, NORMAL))
		bail_out("no memory");
	/* A page that begins inside of the block. */
	at = page_in(block + 1, 4 * PAGE - 1);
	is(import(at, PAGE, key, &seen), 0, "import");
	is(aclrtIpcMemClose(key) | aclrtIpcMemClose(key), 0, "close");
	check_shared(at, PAGE, "inside a small block");
	is(aclrtIpcMemGetExportKey(at, 4 * PAGE, key, sizeof(key), 0), 107000,
	   "what leaves the block is refused");
	is(aclrtFree(block), 0, "free");
	is(aclrtIpcMemGetExportKey(at, PAGE, key, sizeof(key), 0), 107000,
	   "so is a block that is free");
	ok(recent_has("not allocated"), "the text says so");
}

/* Segments of 7000 bytes until one has a whole page: it comes from a slab. */
static char *segment_with_page(struct aclkm_pool *pool)
{
	char *segment = NULL;
	int i;

	for (i = 0; i < 16; i++) {
		if (aclkm_segment_alloc(pool, 7000, P(segment)))
			bail_out("no segment");
		if (page_in(segment, 7000))
			break;
	}
	return segment;
}

static void test_share_segment(void)
{
	const struct aclkm_pool_options options = {.pages = ACLKM_PAGES_NORMAL,
						   .size = 4 * MIB,
						   .flags = ACLKM_POOL_THREADS};
	struct aclkm_pool *pool = NULL;
	aclrtPtrAttributes where;
	char *segment;

	is(aclkm_pool_make(&options, &pool), 0, "a pool with threads' stacks");
	segment = segment_with_page(pool);
	ok(block_is_watched() || !(table_get((uint64_t)(uintptr_t)segment) & TABLE_CHUNK),
	   "a small segment");
	is(aclrtPointerGetAttributes(segment + 9, &where), 0, "where is it");
	is(where.location.type, ACL_MEM_LOCATION_TYPE_DEVICE, "on the device");
	is(where.pageSize, PAGE, "on pages of 4 KiB");
	is(aclrtMemcpyAsync(segment, 64, segment + 64, 64, ACL_MEMCPY_DEVICE_TO_DEVICE,
			    NULL),
	   0, "copy in it");
	is(aclrtSynchronizeStream(NULL), 0, "done");
	check_shared(page_in(segment, 7000), PAGE, "inside a small segment");
	is(aclkm_segment_free(pool, segment), 0, "free it");
	is(aclkm_pool_destroy(pool, ACLKM_POOL_FORCE), 0, "destroy");
}

/* What another process may have mapped is nobody else's memory later. */
static void test_share_freed(void)
{
	char key[ACL_RT_IPC_MEM_KEY_LENGTH], *block, *again, *seen = NULL;

	if (aclrtMalloc(P(block), 4 * MIB, NORMAL))
		bail_out("no memory");
	is(import(block, 4 * MIB, key, &seen), 0, "import a large block");
	memset(block, 's', 4 * MIB);
	is(aclrtFree(block), 0, "free it");
	is(aclrtMalloc(P(again), 4 * MIB, NORMAL), 0, "take one of its size");
	memset(again, 'n', 4 * MIB);
	ok(seen && seen[0] == 's' && seen[4 * MIB - 1] == 's',
	   "the importer does not see what is in it");
	is(aclrtFree(again), 0, "free");
	is(aclrtIpcMemClose(key) | aclrtIpcMemClose(key), 0, "close");
}

static int32_t device_of(void *p)
{
	aclrtPtrAttributes where;

	return aclrtPointerGetAttributes(p, &where) ? -1 : (int32_t)where.location.id;
}

/* In a process of its own, with ACLKM_DEVICES=2. */
static int with_two_devices(void)
{
	size_t free_before, free_after;
	void *p[32];
	int i, code = 0, strange = 0;

	need_device();
	arm();
	ok(is_open(), "with two devices the fast path is open, too");
	free_before = free_bytes();
	for (i = 0; i < 32; i++)
		code |= aclrtMalloc(&p[i], 100, NORMAL);
	is(code, 0, "blocks of device 0");
	free_after = free_bytes();
	is(free_before - free_after, 32 * 512, "each is counted there");
	is(used_by(0, "APP"), 32 * 512, "as the program's");
	for (i = 0; i < 32; i++)
		code |= aclrtFree(p[i]);
	is(code, 0, "free them");
	is(free_bytes(), free_before, "each is counted there");
	is(used_by(0, "APP"), 0, "as the program's");
	is(aclrtFree(p[0]), 107000, "a second free");
	is(free_bytes(), free_before, "is not");
	is(aclrtSetDevice(1), 0, "the other device");
	for (i = 0; i < 32; i++) {
		code |= aclrtMalloc(&p[i], 100, NORMAL);
		strange |= device_of(p[i]) != 1;
	}
	is(code | strange, 0, "the same memory is its");
	is(aclrtSetDevice(0), 0, "back");
	is(free_bytes(), free_before, "no byte of it is counted for device 0");
	for (i = 0; i < 32; i++)
		code |= aclrtFree(p[i]);
	is(code, 0, "free it from there");
	is(used_by(1, "APP"), 0, "counted where it was taken");
	is(aclrtResetDeviceForce(0), 0, "reset");
	is(take_one(), 107002, "malloc has no context any more");
	return done_testing();
}

static void test_two_devices(void)
{
	int status = -1, ends[2];
	char line[256];
	FILE *said;
	pid_t child;

	fflush(stdout);
	if (pipe(ends))
		bail_out("no pipe");
	child = fork();
	if (child < 0)
		bail_out("no process");
	if (!child) {
		setenv("ACLKM_DEVICES", "2", 1);
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execl("/proc/self/exe", "test_fastpath", "two", (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	said = fdopen(ends[0], "r");
	/* Its checks are not of this program's count. */
	while (said && fgets(line, sizeof(line), said))
		printf("# two devices: %s", line);
	if (said)
		fclose(said);
	waitpid(child, &status, 0);
	is(status, 0, "all is well with two devices");
}

/* Lengths whose row is not that of the blocks they get by the rule. */
static int wrong_rows(uint32_t padding, uint64_t align, uint64_t shift)
{
	struct rounding rounding = rounding_of(ACLKM_KIND_DEVICE, padding, align, shift);
	int wrong = rounding.limit != EXACT_MAX - padding - shift;
	uint64_t len;

	for (len = 1; len <= rounding.limit; len++) {
		/* One row is for all lengths of a step: the last one's rule decides. */
		uint64_t last = (len + ROUNDING_STEP - 1) / ROUNDING_STEP * ROUNDING_STEP;
		uint64_t unit = last >= HEAP_PAGE ? HEAP_PAGE : align;
		uint64_t ruled = (len + padding + shift + unit - 1) / unit * unit;
		unsigned int class = class_of_units[ruled >> CLASS_UNIT_SHIFT];

		wrong += classes[class].size != ruled;
		wrong += (char *)bins_row_for(tcache_mine->own, &rounding, len) !=
			 (char *)bins_row(tcache_mine->own, class);
	}
	return wrong;
}

static void test_rounding(void)
{
	uint64_t align;

	for (align = CLASS_UNIT; align <= SMALL_ALIGN; align *= 2) {
		is(wrong_rows(0, align, 0), 0, "rows without padding, align %d",
		   (int)align);
		is(wrong_rows(32, align, 0), 0, "rows with padding, align %d",
		   (int)align);
		is(wrong_rows(32, align, 64), 0, "rows with a shift, align %d",
		   (int)align);
	}
	is((int)rounding_of(ACLKM_KIND_DEVICE, 16, 64, 0).limit, 0, "none with 16 bytes");
	is((int)rounding_of(ACLKM_KIND_DEVICE, 32, 2 * SMALL_ALIGN, 0).limit, 0,
	   "none with a large alignment");
}

int main(int argc, char **argv)
{
	small_device();
	if (argc == 2 && !strcmp(argv[1], "two"))
		return with_two_devices();
	test_two_devices();
	need_device();
	test_reset();
	test_switch();
	test_other_thread();
	test_module();
	test_share_small();
	test_share_segment();
	test_share_freed();
	test_rounding();
	return done_testing();
}
