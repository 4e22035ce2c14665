// SPDX-License-Identifier: MIT
/*
 * Several devices: each has memory of its own, no region holds blocks of two, and
 * what a device has left is told to the byte, whoever frees.
 */
#include "client.h"
#include "acl/acl_rt_memory_soma.h"

#include <sys/wait.h>

#include "alloc/alloc.h"

#define DEVICES 3
#define BLOCKS 48
#define NORMAL ACL_MEM_MALLOC_NORMAL_ONLY

#define P(p) ((void **)&(p))

static void use(int device)
{
	if (aclrtSetDevice(device))
		bail_out("aclrtSetDevice fails");
}

static size_t left_of(int device)
{
	use(device);
	return free_bytes();
}

static size_t total(void)
{
	size_t free = 0, all = 0;

	aclrtGetMemInfo(ACL_HBM_MEM, &free, &all);
	return all;
}

static int device_of(const void *p)
{
	aclrtPtrAttributes where;

	return aclrtPointerGetAttributes(p, &where) ? -1 : (int)where.location.id;
}

/* Where the region around an address starts. */
static const void *region_of(const void *p)
{
	uintptr_t entry = table_get((uint64_t)(uintptr_t)p);
	const struct chunk *chunk;

	if (!entry)
		return NULL;
	if (entry & TABLE_CHUNK)
		chunk = (const struct chunk *)(entry & ~TABLE_CHUNK);
	else
		chunk = slab_read(((const struct slab *)entry)->chunk);
	return chunk_whole(chunk)->region.addr;
}

static aclError take(int i, void **out)
{
	static const size_t sizes[] = {1, 100, 512, 3000, 8000, 40000, 70000, 300000};
	size_t size = sizes[i % 8];

	switch (i % 5) {
	case 0:
		return aclrtMallocHost(out, size);
	case 1:
		return acldvppMalloc(out, size);
	case 2:
		return aclrtMallocAlign32(out, size, NORMAL);
	default:
		return aclrtMalloc(out, size, NORMAL);
	}
}

static aclError give(int i, void *p)
{
	if (i % 5 == 0)
		return aclrtFreeHost(p);
	return i % 5 == 1 ? acldvppFree(p) : aclrtFree(p);
}

/* What a thread keeps of freed blocks it keeps for each device apart. */
static void test_at_hand(void)
{
	void *p[16], *seen[DEVICES];
	int d, i, round, wrong = 0, again = 0;
	aclrtContext contexts[DEVICES];

	for (d = 0; d < DEVICES; d++) {
		use(d);
		if (aclrtGetCurrentContext(&contexts[d]))
			bail_out("no context");
	}
	for (round = 0; round < 20; round++) {
		d = round % DEVICES;
		if (aclrtSetCurrentContext(contexts[d]))
			bail_out("aclrtSetCurrentContext fails");
		for (i = 0; i < 16; i++) {
			if (aclrtMalloc(&p[i], 100, NORMAL))
				bail_out("no memory");
			wrong += device_of(p[i]) != d;
		}
		again += round >= DEVICES && p[15] == seen[d];
		seen[d] = p[15];
		/* From the other end, so that the last to be taken is so again. */
		for (i = 15; i >= 0; i--)
			wrong += aclrtFree(p[i]) != 0;
	}
	is(wrong, 0, "small blocks are of the device that is used now");
	is(again, 20 - DEVICES, "and the ones that were freed there");
	use(0);
}

static void test_regions(void)
{
	void *blocks[DEVICES][BLOCKS];
	size_t before[DEVICES];
	int d, e, i, j, code = 0, wrong = 0, shared = 0;

	for (d = 0; d < DEVICES; d++)
		before[d] = left_of(d);
	/* One after the other, so that neighbours would be neighbours. */
	for (i = 0; i < BLOCKS; i++) {
		for (d = 0; d < DEVICES; d++) {
			use(d);
			code |= take(i, &blocks[d][i]);
			wrong += device_of(blocks[d][i]) != d;
		}
	}
	is(code, 0, "blocks of all kinds and sizes on %d devices", DEVICES);
	is(wrong, 0, "each is where it was taken");
	for (d = 0; d < DEVICES; d++) {
		for (e = d + 1; e < DEVICES; e++) {
			for (i = 0; i < BLOCKS; i++) {
				for (j = 0; j < BLOCKS; j++)
					shared += region_of(blocks[d][i]) ==
						  region_of(blocks[e][j]);
			}
		}
	}
	is(shared, 0, "no two devices have memory of one region");
	/* All are freed by a thread that has device 0. */
	use(0);
	for (d = 0; d < DEVICES; d++) {
		for (i = 0; i < BLOCKS; i++)
			code |= give(i, blocks[d][i]);
	}
	is(code, 0, "free all of them from one device");
	for (d = 0; d < DEVICES; d++)
		is(left_of(d), before[d], "all is back on %d", d);
}

/* What was freed from another device goes back to where it came from. */
static void test_no_mixing(void)
{
	void *p[64];
	int round, i, code = 0, wrong = 0;

	for (round = 0; round < 8; round++) {
		for (i = 0; i < 64; i++) {
			use(i & 1);
			code |= aclrtMalloc(&p[i], 256, NORMAL);
			wrong += device_of(p[i]) != (i & 1);
		}
		for (i = 0; i < 64; i++) {
			use(!(i & 1));
			code |= aclrtFree(p[i]);
		}
	}
	is(code, 0, "blocks of two devices, freed from the other one");
	is(wrong, 0, "no device gets a block of the other");
}

static void test_budget(void)
{
	size_t part = total(), before = left_of(1), zero = left_of(0), taken = 0;
	void *blocks[256], *p;
	int n, i, code;

	use(1);
	for (n = 0; n < 256; n++) {
		if (aclrtMalloc(&blocks[n], MIB, NORMAL))
			break;
		taken += before - free_bytes();
		before = free_bytes();
	}
	ok(n > 1 && n < 256, "%d blocks of 1 MiB fill device 1", n);
	ok(recent_has("device 1"), "the text names the device");
	ok(free_bytes() < part / 4, "what is left is between them");
	is(taken % n, 0, "each took the same");
	is(aclrtMalloc(&p, part + 1, NORMAL), 207001, "more than the part");
	ok(recent_has("equal parts"), "the text says so");
	is(left_of(0), zero, "device 0 has what it had");
	is(aclrtMalloc(&p, MIB, NORMAL), 0, "and gives it");
	is(aclrtFree(p), 0, "free");
	use(1);
	for (i = 0, code = 0; i < n; i++)
		code |= aclrtFree(blocks[i]);
	is(code, 0, "free all");
	is(free_bytes(), before + taken, "device 1 has all again");
}

/* One way to take memory of device 1, and how much it must cost there. */
static void counted(const char *what, size_t least, aclError (*fn)(void **, bool take))
{
	size_t zero = left_of(0), one = left_of(1);
	void *p = NULL;

	if (!is(fn(&p, true), 0, "%s of device 1", what))
		return;
	ok(one - free_bytes() >= least, "%s: device 1 has as much less", what);
	is(left_of(0), zero, "%s: device 0 has not", what);
	is(fn(&p, false), 0, "%s: free it with device 0 current", what);
	is(left_of(1), one, "%s: all is back", what);
}

static aclError managed(void **p, bool taking)
{
	return taking ? aclrtMemAllocManaged(p, MIB, 1) : aclrtFree(*p);
}

static aclError read_only(void **p, bool taking)
{
	return taking ? aclrtMallocWithCfg(p, MIB, ACL_MEM_ACCESS_USER_SPACE_READONLY,
					   NULL)
		      : aclrtFree(*p);
}

static aclError himpi(void **p, bool taking)
{
	return taking ? hi_mpi_dvpp_malloc(0, p, MIB) : hi_mpi_dvpp_free(*p);
}

static aclError physical_at(void **p, bool taking, aclrtMemLocation where)
{
	aclrtPhysicalMemProp prop = {.memAttr = ACL_MEM_NORMAL, .location = where};

	return taking ? aclrtMallocPhysical(p, 2 * MIB, &prop, 0) : aclrtFreePhysical(*p);
}

static aclError physical(void **p, bool taking)
{
	return physical_at(
		p, taking,
		(aclrtMemLocation){.id = 1, .type = ACL_MEM_LOCATION_TYPE_DEVICE});
}

static aclError host_physical(void **p, bool taking)
{
	return physical_at(p, taking,
			   (aclrtMemLocation){.type = ACL_MEM_LOCATION_TYPE_HOST});
}

static aclError pooled(void **p, bool taking)
{
	static aclrtMemPool pool;
	aclrtMemPoolProps props = {
		.location = {.id = 1, .type = ACL_MEM_LOCATION_TYPE_DEVICE}};

	if (taking)
		return aclrtMemPoolCreate(&pool, &props) ?:
		       aclrtMemPoolMallocAsync(p, MIB, pool, NULL) ?:
		       aclrtSynchronizeStream(NULL);
	use(1);
	return aclrtMemPoolFreeAsync(*p, NULL) ?: aclrtSynchronizeStream(NULL) ?:
	       aclrtMemPoolDestroy(pool);
}

static void test_kinds(void)
{
	counted("managed memory", 2 * MIB, managed);
	counted("read-only memory", MIB, read_only);
	counted("himpi memory", MIB, himpi);
	counted("physical memory", 2 * MIB, physical);
	counted("host physical memory", 2 * MIB, host_physical);
	counted("pooled memory", MIB, pooled);
}

static void test_usage(void)
{
	aclrtMemUsageInfo info[4];
	size_t n[2] = {9, 9};
	void *p;

	use(1);
	if (aclrtMalloc(&p, MIB, NORMAL))
		bail_out("no memory");
	is(aclrtGetMemUsageInfo(1, info, 4, &n[1]), 0, "usage of device 1");
	ok(n[1] == 1 && info[0].curMemSize >= MIB, "has the block");
	is(aclrtGetMemUsageInfo(2, info, 4, &n[0]), 0, "usage of device 2");
	ok(!n[0] || !info[0].curMemSize, "has not");
	is(aclrtFree(p), 0, "free");
}

/* Each thread has a device, and frees what the one before it took. */
static struct {
	pthread_mutex_t lock;
	void *blocks[64];
} hand = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *exchange(void *arg)
{
	int device = (int)(long)arg, i;
	long odd = 0;
	void *p, *other;

	odd += aclrtSetDevice(device) != 0;
	for (i = 0; i < 2000; i++) {
		if (aclrtMalloc(&p, (size_t)(i % 700 + 1), NORMAL)) {
			odd++;
			continue;
		}
		odd += device_of(p) != device;
		pthread_mutex_lock(&hand.lock);
		other = hand.blocks[i % 64];
		hand.blocks[i % 64] = p;
		pthread_mutex_unlock(&hand.lock);
		odd += other && aclrtFree(other) != 0;
	}
	odd += aclrtResetDevice(device) != 0;
	return (void *)odd;
}

static void test_threads(void)
{
	size_t before[DEVICES];
	pthread_t threads[DEVICES];
	long all = 0;
	void *odd;
	int d, i;

	for (d = 0; d < DEVICES; d++)
		before[d] = left_of(d);
	for (d = 0; d < DEVICES; d++) {
		if (pthread_create(&threads[d], NULL, exchange, (void *)(long)d))
			bail_out("no thread");
	}
	for (d = 0; d < DEVICES; d++) {
		pthread_join(threads[d], &odd);
		all += (long)odd;
	}
	for (i = 0; i < 64; i++)
		all += hand.blocks[i] && aclrtFree(hand.blocks[i]) != 0;
	is(all, 0, "a thread on each device frees what the others took");
	for (d = 0; d < DEVICES; d++)
		is(left_of(d), before[d], "all is back on %d", d);
}

/* What a fresh process with this variable says to aclrtSetDevice. */
static int with_nodes(const char *value)
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child < 0)
		bail_out("no process");
	if (!child) {
		setenv("ACLKM_NODES", value, 1);
		execl("/proc/self/exe", "test_devices", "nodes", (char *)NULL);
		_exit(127);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* 0: memory of the last device; 1: the environment is refused, as it must be. */
static int say_nodes(void)
{
	const char *text;
	void *p;

	if (!aclrtSetDevice(DEVICES - 1))
		return aclrtMalloc(&p, 5 * MIB, NORMAL) ? 2 : 0;
	text = aclGetRecentErrMsg();
	return text && strstr(text, "ACLKM_NODES") ? 1 : 3;
}

static void test_nodes(void)
{
	static const char *const good[] = {"0", "0,0", "0,0,0,0"};
	static const char *const bad[] = {"",	  ",",	 "0,",	",0",
					  "-1",	  "x",	 "0 ",	" 0",
					  "1024", "0;0", "0x0", "99999999999999999999"};
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		is(with_nodes(good[i]), 0, "ACLKM_NODES=%s", good[i]);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is(with_nodes(bad[i]), 1, "ACLKM_NODES=\"%s\" is refused", bad[i]);
}

int main(int argc, char **argv)
{
	char count[8];
	int d;

	snprintf(count, sizeof(count), "%d", DEVICES);
	setenv("ACLKM_DEVICES", count, 1);
	small_device();
	if (argc == 2 && !strcmp(argv[1], "nodes"))
		return say_nodes();
	test_nodes();
	/* The library's own pages come first. */
	for (d = 0; d < DEVICES; d++)
		use(d);
	test_at_hand();
	test_regions();
	test_no_mixing();
	test_budget();
	test_kinds();
	test_usage();
	test_threads();
	return done_testing();
}
