// SPDX-License-Identifier: MIT
/*
 * The checks: for each, a deliberately wrong program, which is this one started again
 * with a name, and the report that it gives. A right program gives none. What is told
 * of blocks that go the short way: test_check_short.
 */
#include <pthread.h>
#include <sys/mman.h>

#include "wrong_program.h"

static void right(void)
{
	char *a = device(100), *b = host(100), *big = host(64 * KIB);
	char *bigger = device(64 * KIB);
	aclrtStream s = new_stream();

	memset(b, 1, 100);
	memset(big, 2, 64 * KIB);
	aclrtMemcpyAsync(a, 100, b, 100, ACL_MEMCPY_DEFAULT, s);
	aclrtMemcpyAsync(bigger, 64 * KIB, big, 64 * KIB, ACL_MEMCPY_DEFAULT, s);
	aclrtSynchronizeStream(s);
	memset(big, 3, 64 * KIB);
	if (a[99] != 1 || bigger[64 * KIB - 1] != 2)
		exit(93);
	aclrtDestroyStream(s);
	aclrtFree(a);
	aclrtFree(bigger);
	aclrtFreeHost(b);
	aclrtFreeHost(big);
}

static void overflow(void)
{
	volatile char *p = device(100);

	p[101] = 7;
	aclrtFree((void *)(uintptr_t)p);
}

static void use_after_free(void)
{
	volatile char *p = device(100);

	aclrtFree((void *)(uintptr_t)p);
	p[5] = 7;
}

static void fresh_poison(void)
{
	unsigned char *p = device(100);

	if (p[0] != 0xab || p[99] != 0xab)
		exit(94);
	aclrtFree(p);
}

static void double_free(void)
{
	void *p = device(100);

	aclrtFree(p);
	if (aclrtFree(p) != 107000)
		exit(95);
}

static void interior_free(void)
{
	char *p = device(100);

	if (aclrtFree(p + 64) != 107000)
		exit(95);
	aclrtFree(p);
}

static void wrong_free(void)
{
	void *p = host(100);

	if (aclrtFree(p) != 107000)
		exit(95);
	aclrtFreeHost(p);
}

static void foreign_free(void)
{
	static int local;

	if (aclrtFree(&local) != 107000)
		exit(95);
}

static void unaligned(void)
{
	char *a = device(1000), *b = host(1000);
	int i;

	/* From one place: told once. */
	for (i = 0; i < 5; i++)
		aclrtMemcpyAsync(a + 1, 100, b, 100, ACL_MEMCPY_DEFAULT, NULL);
	aclrtSynchronizeStream(NULL);
	aclrtFree(a);
	aclrtFreeHost(b);
}

static void unaligned_twice(void)
{
	char *a = device(1000), *b = host(1000);

	aclrtMemcpyAsync(a + 1, 100, b, 100, ACL_MEMCPY_DEFAULT, NULL);
	aclrtMemcpyAsync(a, 100, b + 3, 100, ACL_MEMCPY_DEFAULT, NULL);
	aclrtSynchronizeStream(NULL);
	aclrtFree(a);
	aclrtFreeHost(b);
}

static void out_of_bounds(void)
{
	char *a = device(100), *b = host(200);

	/* destMax is what the program says, and it says wrong. */
	aclrtMemcpy(a, 200, b, 110, ACL_MEMCPY_DEFAULT);
	aclrtFree(a);
	aclrtFreeHost(b);
}

static void out_of_bounds_rows(void)
{
	char *a = device(1000), *b = host(2000);

	aclrtMemcpy2d(a, 100, b, 100, 50, 11, ACL_MEMCPY_HOST_TO_DEVICE);
	aclrtFree(a);
	aclrtFreeHost(b);
}

static void set_too_far(void)
{
	char *a = device(100);

	aclrtMemset(a, 120, 0, 120);
	aclrtFree(a);
}

static void freed_in_flight(void)
{
	char *a = device(MIB), *b = host(MIB);
	aclrtStream s = new_stream();
	uint64_t *gate = device(64);

	*gate = 0;
	aclrtValueWait(gate, 1, ACL_STREAM_WAIT_VALUE_EQ, s);
	aclrtMemcpyAsync(a, MIB, b, MIB, ACL_MEMCPY_DEFAULT, s);
	aclrtFreeHost(b);
	aclrtStreamAbort(s);
	aclrtDestroyStream(s);
	aclrtFree(a);
	aclrtFree(gate);
}

/* Keeps what follows on a stream waiting, long enough for what a program does at once. */
static void *open_gate(void *gate)
{
	usleep(300000);
	__atomic_store_n((uint64_t *)gate, 1, __ATOMIC_RELEASE);
	return NULL;
}

static pthread_t hold(aclrtStream s, uint64_t *gate)
{
	pthread_t thread;

	*gate = 0;
	aclrtValueWait(gate, 1, ACL_STREAM_WAIT_VALUE_EQ, s);
	if (pthread_create(&thread, NULL, open_gate, gate))
		exit(95);
	return thread;
}

static void read_in_flight(void)
{
	char *a = device(MIB), *b = host(MIB);
	uint64_t *gate = device(64);
	aclrtStream s = new_stream();
	volatile char byte;
	pthread_t opener;

	memset(a, 4, MIB);
	memset(b, 0, MIB);
	opener = hold(s, gate);
	aclrtMemcpyAsync(b, MIB, a, MIB, ACL_MEMCPY_DEFAULT, s);
	byte = b[MIB / 2];
	(void)byte;
	aclrtSynchronizeStream(s);
	/* The program goes on, and the copy is right. */
	if (b[0] != 4 || b[MIB - 1] != 4)
		exit(96);
	pthread_join(opener, NULL);
	aclrtDestroyStream(s);
	aclrtFree(gate);
	aclrtFree(a);
	aclrtFreeHost(b);
}

static void write_in_flight(void)
{
	char *a = device(MIB), *b = host(MIB);
	uint64_t *gate = device(64);
	aclrtStream s = new_stream();
	pthread_t opener;

	memset(b, 5, MIB);
	opener = hold(s, gate);
	aclrtMemcpyAsync(a, MIB, b, MIB, ACL_MEMCPY_DEFAULT, s);
	b[MIB / 2] = 6;
	aclrtSynchronizeStream(s);
	pthread_join(opener, NULL);
	aclrtDestroyStream(s);
	aclrtFree(gate);
	aclrtFree(a);
	aclrtFreeHost(b);
}

static void leak(void)
{
	aclrtFree(device(100));
	device(200);
	host(300);
}

static void pageable(void)
{
	char *a = device(4096), *b = malloc(4096);

	memset(b, 1, 4096);
	aclrtMemcpyAsync(a, 4096, b, 4096, ACL_MEMCPY_HOST_TO_DEVICE, NULL);
	free(b);
	aclrtFree(a);
}

static void base_64(void)
{
	char key[ACL_RT_IPC_MEM_KEY_LENGTH];
	void *p[4];
	int i;

	for (i = 0; i < 4; i++) {
		p[i] = i % 2 ? device(100) : host(100);
		if ((uintptr_t)p[i] % 128 != 64)
			exit(97);
	}
	for (i = 0; i < 4; i++)
		i % 2 ? aclrtFree(p[i]) : aclrtFreeHost(p[i]);
	/* They end where they should: what is wrong with this one is its start. */
	p[0] = device(3 * MIB);
	if (aclrtIpcMemGetExportKey(p[0], 3 * MIB, key, sizeof(key), 0) != 107000 ||
	    !strstr(aclGetRecentErrMsg(), "multiple of its page size"))
		exit(99);
	aclrtFree(p[0]);
	if (acldvppMalloc(&p[0], 100) || (uintptr_t)p[0] % 128 || acldvppFree(p[0]))
		exit(98);
}

static const struct program programs[] = {
	{"right", right},
	{"overflow", overflow},
	{"use_after_free", use_after_free},
	{"fresh_poison", fresh_poison},
	{"double_free", double_free},
	{"interior_free", interior_free},
	{"wrong_free", wrong_free},
	{"foreign_free", foreign_free},
	{"unaligned", unaligned},
	{"unaligned_twice", unaligned_twice},
	{"out_of_bounds", out_of_bounds},
	{"out_of_bounds_rows", out_of_bounds_rows},
	{"set_too_far", set_too_far},
	{"freed_in_flight", freed_in_flight},
	{"read_in_flight", read_in_flight},
	{"write_in_flight", write_in_flight},
	{"leak", leak},
	{"pageable", pageable},
	{"base_64", base_64},
};

static void test_log(void)
{
	char path[] = "/tmp/aclkm-check-XXXXXX", list[64];
	int fd = mkstemp(path);
	off_t size;

	snprintf(list, sizeof(list), "free,log=%s,exitcode=5", path);
	run("double_free", list);
	is(status, 5, "exitcode=5");
	is(strlen(text), 0, "log=: nothing on standard error");
	size = lseek(fd, 0, SEEK_END);
	ok(size > 100, "but in the file");
	close(fd);
	unlink(path);
	run("double_free", "free,exitcode=0");
	is(status, 0, "exitcode=0: reports, and ends well");
	is(count("==ERROR"), 1, "with a report");
	run("double_free", "free,abort=1");
	is(status, 128 + 6, "abort=1: at the first report");
	run("double_free", "none");
	is(status, 0, "none");
	run("double_free", NULL);
	is(status, 0, "without checks a double free is an error code, no more");
}

/* What is no list refuses every device. */
static void test_bad_lists(void)
{
	static const char *const bad[] = {
		"redzone,bogus",   "exitcode=300",  "poison,fill=100",	 "poison,fill=0",
		"poison,fill=64K", "poison,hold=0", "poison,hold=65537",
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		run("right", bad[i]);
		is(status, 89, "%s: no device", bad[i]);
	}
	run("right", "poison,hold=65536");
	is(status, 0, "hold=65536");
}

int main(int argc, char **argv)
{
	small_device();
	if (argc == 2)
		return run_program(programs, sizeof(programs) / sizeof(programs[0]),
				   argv[1]);
	unsetenv("ACLKM_CHECK");
	/*
	 * Told of blocks, AddressSanitizer ends the wrong programs with reports of its
	 * own: see test_sanitizer. Here it watches the checks at their work.
	 */
	without_guard();
	silent("right", "all,align64");
	silent("right", NULL);
	REPORTED("overflow", "redzone", "red-zone: byte 1 behind the end", "0x07",
		 "block: 100 bytes", "taken by aclrtMalloc", "here by aclrtFree");
	silent("overflow", "poison");
	REPORTED("use_after_free", "poison", "use-after-free: byte 5 of a freed block",
		 "here in thread", "taken by aclrtMalloc", "freed by aclrtFree",
		 "use-after-free in the program");
	silent("fresh_poison", "poison");
	REPORTED("double_free", "free", "bad-free", "is freed already",
		 "freed by aclrtFree");
	REPORTED("double_free", "free,poison", "bad-free", "is freed already");
	REPORTED("interior_free", "free", "bad-free", "lies inside a block");
	REPORTED("wrong_free", "free", "bad-free", "another kind of memory",
		 "of host memory", "taken by aclrtMallocHost");
	REPORTED("foreign_free", "free", "bad-free", "no block of AscendCL's");
	REPORTED("unaligned", "align", "unaligned", "multiples of 64",
		 "here by aclrtMemcpyAsync");
	run("unaligned_twice", "align");
	/* Without traces (no libgcc_s, as in a small guest) the function is the place. */
	ok(count("==ERROR: aclkm: unaligned") == (strstr(text, "#0 ") ? 2 : 1),
	   "unaligned: once for each place");
	REPORTED("out_of_bounds", "bounds", "out-of-bounds", "destination",
		 "10 bytes past the end", "taken by aclrtMalloc");
	REPORTED("out_of_bounds_rows", "bounds", "out-of-bounds",
		 "50 bytes past the end");
	REPORTED("set_too_far", "bounds", "out-of-bounds", "20 bytes past the end");
	REPORTED("freed_in_flight", "flight", "in-flight: memory is freed",
		 "copy submitted by aclrtMemcpyAsync", "still reads it");
	REPORTED("read_in_flight", "flight", "in-flight", "was accessed",
		 "still writes it", "copy submitted by aclrtMemcpyAsync");
	REPORTED("write_in_flight", "flight", "in-flight", "was written",
		 "still reads it");
	run("leak", "leak");
	is(status, 66, "leak: exit code");
	is(count("==ERROR: aclkm: leak"), 2, "leak: two reports");
	ok(strstr(text, "500 bytes in 2 blocks were never freed"), "leak: how much");
	ok(strstr(text, "taken by aclrtMallocHost"), "leak: by whom");
	REPORTED("pageable", "sync", "not-asynchronous", "pageable host memory",
		 "aclrtHostRegister");
	silent("base_64", "align64");
	test_log();
	test_bad_lists();
	return done_testing();
}
