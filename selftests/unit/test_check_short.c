// SPDX-License-Identifier: MIT
/*
 * The checks on blocks that go the short way (check_fast.h): where a thread has taken and
 * freed such blocks before, at the same places. As test_check.
 */
#include <pthread.h>

#include "wrong_program.h"

/* From then on blocks go the short way, as nearly all of a program's do. */
static void warm_up(size_t size)
{
	int i;

	for (i = 0; i < 5000; i++)
		aclrtFree(device(size));
}

static void overflow_later(void)
{
	volatile char *p;

	warm_up(100);
	p = device(100);
	p[127] = 7;
	aclrtFree((void *)(uintptr_t)p);
}

static void use_after_free_later(void)
{
	volatile char *p;

	warm_up(1000);
	p = device(1000);
	aclrtFree((void *)(uintptr_t)p);
	p[999] = 7;
	/* Found as it comes out of what is held back, not at the end. */
	warm_up(1000);
	fputs("END\n", stderr);
}

/* When 300 more have been freed. */
static void written_late(void)
{
	volatile char *p;
	void *other[300];
	int i;

	warm_up(100);
	p = device(100);
	for (i = 0; i < 300; i++)
		other[i] = device(100);
	aclrtFree((void *)(uintptr_t)p);
	for (i = 0; i < 300; i++)
		aclrtFree(other[i]);
	p[3] = 7;
}

static void double_free_later(void)
{
	void *p;

	warm_up(100);
	p = device(100);
	aclrtFree(p);
	if (aclrtFree(p) != 107000)
		exit(95);
}

static void middle(void)
{
	volatile char *p = device(1000);

	if ((unsigned char)p[0] != 0xab || (unsigned char)p[999] != 0xab)
		exit(94);
	aclrtFree((void *)(uintptr_t)p);
	p[500] = 7;
}

/* Same function, same depth of the stack, another call. */
static __attribute__((noinline)) void *take_here(int which)
{
	void *p = which ? device(200) : NULL;

	return p ? p : device(200);
}

static void two_places(void)
{
	warm_up(200);
	take_here(1);
	take_here(1);
	take_here(0);
}

static void *exchange(void *arg)
{
	void *_Atomic *slots = arg;
	uint64_t seed = (uintptr_t)&seed;
	int i;

	if (aclrtSetDevice(0))
		exit(89);
	for (i = 0; i < 20000; i++) {
		size_t size;
		void *p;

		seed = seed * 6364136223846793005U + 1;
		size = 1 + (seed >> 33) % (i % 64 ? 4000 : 100000);
		p = device(size);
		memset(p, i, size);
		p = __atomic_exchange_n(&slots[seed >> 58], p, __ATOMIC_ACQ_REL);
		if (p && aclrtFree(p))
			exit(95);
	}
	return NULL;
}

/* What one thread takes another frees. */
static void threads(void)
{
	static void *_Atomic slots[64];
	pthread_t ids[4];
	int i;

	for (i = 0; i < 4; i++)
		pthread_create(&ids[i], NULL, exchange, (void *)(uintptr_t)slots);
	for (i = 0; i < 4; i++)
		pthread_join(ids[i], NULL);
	for (i = 0; i < 64; i++) {
		if (slots[i])
			aclrtFree(slots[i]);
	}
}

/* Memory that was a block before is now one that is not AscendCL's, and lives on. */
static void native(void)
{
	void *p[64];
	int i;

	warm_up(100);
	for (i = 0; i < 64; i++) {
		if (aclkm_memory_alloc(160, 64, ACLKM_PAGES_NORMAL, &p[i]))
			exit(90);
		memset(p[i], 1, 160);
	}
	warm_up(100);
	if (aclrtFree(p[0]) != 107000)
		exit(95);
}

/* A thread that still runs when the program ends has freed, and written since. */
static void *free_and_wait(void *arg)
{
	volatile char *p;

	if (aclrtSetDevice(0))
		exit(89);
	warm_up(100);
	p = device(100);
	aclrtFree((void *)(uintptr_t)p);
	p[3] = 7;
	__atomic_store_n((int *)arg, 1, __ATOMIC_RELEASE);
	for (;;)
		pause();
}

static void other_thread(void)
{
	static int done;
	pthread_t id;

	pthread_create(&id, NULL, free_and_wait, &done);
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE))
		usleep(1000);
}

/* Blocks without the rule's tail: what is behind them is another's. */
static void no_tail(void)
{
	unsigned char *p[64];
	int i, k;

	warm_up(100);
	for (i = 0; i < 64; i++) {
		if (aclrtMallocAlign32((void **)&p[i], 100, ACL_MEM_MALLOC_NORMAL_ONLY))
			exit(90);
		memset(p[i], 0xfd, 100);
	}
	for (i = 0; i < 64; i += 2)
		aclrtFree(p[i]);
	for (i = 1; i < 64; i += 2) {
		for (k = 0; k < 100; k++) {
			if (p[i][k] != 0xfd)
				exit(94);
		}
		aclrtFree(p[i]);
	}
}

static uint64_t module_bytes(void)
{
	aclrtMemUsageInfo all[8];
	size_t n = 0, i;

	if (aclrtGetMemUsageInfo(0, all, 8, &n))
		exit(95);
	for (i = 0; i < n; i++) {
		if (!strcmp(all[i].name, "module 12"))
			return all[i].curMemSize;
	}
	return 0;
}

/* What is to be known of a block beyond the heap is forgotten when it is freed. */
static void tagged(void)
{
	aclrtMallocAttribute attr = {.attr = ACL_RT_MEM_ATTR_MODULE_ID,
				     .value = {.moduleId = 12}};
	aclrtMallocConfig config = {.attrs = &attr, .numAttrs = 1};
	void *p;

	warm_up(100);
	if (aclrtMallocWithCfg(&p, 100, ACL_MEM_MALLOC_NORMAL_ONLY, &config))
		exit(90);
	if (!module_bytes() || aclrtFree(p) || module_bytes())
		exit(94);
	warm_up(100);
}

/* More frames than are compared at a time, the outermost of which is another. */
static __attribute__((noinline)) void *take_deep(int depth)
{
	void *volatile p = depth ? take_deep(depth - 1) : device(300);

	return p;
}

static __attribute__((noinline)) void *from_one(void)
{
	void *volatile p = take_deep(9);

	return p;
}

static __attribute__((noinline)) void *from_other(void)
{
	void *volatile p = take_deep(9);

	return p;
}

static void deep_places(void)
{
	int i;

	warm_up(300);
	for (i = 0; i < 100; i++)
		aclrtFree(i % 3 ? from_one() : from_other());
	from_one();
	from_other();
}

static const struct program programs[] = {
	{"no_tail", no_tail},
	{"tagged", tagged},
	{"deep_places", deep_places},
	{"overflow_later", overflow_later},
	{"use_after_free_later", use_after_free_later},
	{"written_late", written_late},
	{"double_free_later", double_free_later},
	{"middle", middle},
	{"two_places", two_places},
	{"threads", threads},
	{"native", native},
	{"other_thread", other_thread},
};

/* The frames of the nth leak's report, one after the other; "" when it has none. */
static void frames_of(int n, char *out, size_t room)
{
	const char *at = text, *line;

	*out = '\0';
	while (n-- && (at = strstr(at, "aclkm: leak: ")))
		at++;
	if (!at)
		return;
	for (line = strstr(at, "taken"); line && (line = strchr(line, '\n'));) {
		line++;
		if (strncmp(line, "    #", 5))
			return;
		if (strlen(out) + 20 < room)
			strncat(out, line + 5, 18);
	}
}

static void test_places(void)
{
	char first[1024], second[1024], third[1024];

	run("two_places", "leak");
	is(count("==ERROR: aclkm: leak"), 3, "three leaks");
	frames_of(1, first, sizeof(first));
	frames_of(2, second, sizeof(second));
	frames_of(3, third, sizeof(third));
	if (!*first) {
		skip("places", "no traces without libgcc_s");
		return;
	}
	/* In the order of addresses, so any two of them can be the same place. */
	ok(strcmp(first, second) || strcmp(second, third), "of more than one place");
	ok(strcmp(first, second) && strcmp(second, third) && strcmp(first, third),
	   "each line of the program is one");
	run("deep_places", "all");
	is(count("==ERROR: aclkm: leak"), 2, "two leaks, deep down");
	frames_of(1, first, sizeof(first));
	frames_of(2, second, sizeof(second));
	ok(*first && strcmp(first, second), "of two places");
}

static void test_short_way(void)
{
	REPORTED("overflow_later", "all", "red-zone: byte 27 behind the end",
		 "block: 100 bytes", "taken by aclrtMalloc", "here by aclrtFree");
	REPORTED("use_after_free_later", "poison", "use-after-free: byte 999 of a freed",
		 "block: 1000 bytes", "freed by aclrtFree");
	ok(strstr(text, "END") && strstr(text, "ERROR") < strstr(text, "END"),
	   "while the program runs");
	REPORTED("double_free_later", "all", "bad-free", "is freed already",
		 "freed by aclrtFree");
	silent("middle", "poison");
	REPORTED("middle", "poison,fill=all", "use-after-free: byte 500 of a freed");
	silent("middle", "poison,fill=128");
	silent("written_late", "poison");
	REPORTED("written_late", "poison,hold=301", "use-after-free: byte 3 of a freed");
	silent("written_late", "poison,hold=300");
	setenv("ACLKM_ALIGN", "64", 1);
	silent("no_tail", "poison,redzone");
	unsetenv("ACLKM_ALIGN");
	silent("tagged", "all");
	silent("threads", "all");
	silent("threads", "free,leak");
	REPORTED("native", "all", "bad-free", "no block of AscendCL's");
	REPORTED("other_thread", "poison", "use-after-free: byte 3 of a freed");
}

int main(int argc, char **argv)
{
	small_device();
	if (argc == 2)
		return run_program(programs, sizeof(programs) / sizeof(programs[0]),
				   argv[1]);
	unsetenv("ACLKM_CHECK");
	/* As in test_check. */
	without_guard();
	test_short_way();
	test_places();
	return done_testing();
}
