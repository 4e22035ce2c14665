// SPDX-License-Identifier: MIT
/*
 * The checks: for each, a deliberately wrong program, which is this one started again
 * with a name, and the report that it gives. A right program gives none. What is told
 * of blocks that go the short way: test_check_short.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
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

/*
 * Right: the gate orders what the host does and the copies. The host reads what a copy
 * behind the gate will write, and writes what another will read.
 */
static void gates(void)
{
	char *a = device(MIB), *b = host(MIB), *c = host(MIB);
	uint64_t *gate = host(64);
	aclrtStream s = new_stream();
	volatile char byte;
	pthread_t opener;

	memset(a, 4, MIB);
	memset(b, 0, MIB);
	opener = hold(s, gate);
	aclrtMemcpyAsync(b, MIB, a, MIB, ACL_MEMCPY_DEFAULT, s);
	aclrtMemcpyAsync(a, MIB, c, MIB, ACL_MEMCPY_DEFAULT, s);
	byte = b[MIB / 2];
	(void)byte;
	memset(c, 6, MIB);
	/* The kernel reads the buffer, too. */
	if (write(open("/dev/null", O_WRONLY), b, MIB) != MIB)
		exit(95);
	aclrtSynchronizeStream(s);
	if (b[0] != 4 || b[MIB - 1] != 4 || a[MIB / 2] != 6)
		exit(96);
	pthread_join(opener, NULL);
	aclrtDestroyStream(s);
	aclrtFreeHost(gate);
	aclrtFree(a);
	aclrtFreeHost(b);
	aclrtFreeHost(c);
}

/* Right: the host sees by the value that the tasks before it are done, and frees. */
static void polls(void)
{
	aclrtStream s = new_stream();
	char *a, *b;
	uint64_t *flag;
	int i;

	for (i = 0; i < 200; i++) {
		a = device(KIB);
		b = host(KIB);
		flag = host(64);
		*flag = 0;
		aclrtMemcpyAsync(a, KIB, b, KIB, ACL_MEMCPY_DEFAULT, s);
		aclrtValueWrite(flag, 1, 0, s);
		while (!__atomic_load_n(flag, __ATOMIC_ACQUIRE))
			;
		aclrtFree(a);
		aclrtFreeHost(b);
		aclrtFreeHost(flag);
	}
	aclrtDestroyStream(s);
}

/* Each kind of task, behind a gate, and its memory freed. */
static void submit_kind(int kind, char *a, char *b, aclrtStream s)
{
	int err = -1;

	switch (kind) {
	case 0:
		err = aclrtMemsetAsync(a, KIB, 1, KIB, s);
		break;
	case 1:
		err = aclrtMemsetD32Async(a, KIB, 1, KIB / 4, s);
		break;
	case 2:
		err = aclrtMemcpy2dAsync(a, 256, b, 256, 64, 4, ACL_MEMCPY_HOST_TO_DEVICE,
					 s);
		break;
	case 3:
		err = aclrtReduceAsync(a, b, KIB, ACL_RT_MEMCPY_SDMA_AUTOMATIC_SUM,
				       ACL_FLOAT, s, NULL);
		break;
	case 4:
		err = aclrtValueWrite(a, 1, 0, s);
		break;
	case 5:
		err = aclrtValueWait(a, 1, ACL_STREAM_WAIT_VALUE_EQ, s);
		break;
	case 6:
		err = aclrtMemcpyAsync(a, 64, b, 64, ACL_MEMCPY_DEFAULT, s);
		break;
	}
	if (err)
		exit(95);
}

static void freed_under(int kind)
{
	char *a = device(KIB), *b = device(KIB);
	uint64_t *gate = host(64);
	aclrtStream s = new_stream();

	*gate = 0;
	aclrtValueWait(gate, 1, ACL_STREAM_WAIT_VALUE_EQ, s);
	submit_kind(kind, a, b, s);
	aclrtFree(a);
	aclrtStreamAbort(s);
	aclrtDestroyStream(s);
	aclrtFree(b);
	aclrtFreeHost(gate);
}

static void freed_under_set(void)
{
	freed_under(0);
}

static void freed_under_fill(void)
{
	freed_under(1);
}

static void freed_under_rows(void)
{
	freed_under(2);
}

static void freed_under_reduction(void)
{
	freed_under(3);
}

static void freed_under_write(void)
{
	freed_under(4);
}

static void freed_under_wait(void)
{
	freed_under(5);
}

static void freed_under_small(void)
{
	freed_under(6);
}

/* No gate: what is freed at once is freed too early, however short the copy. */
static void freed_at_once(void)
{
	char *a = device(64), *b = host(64);
	aclrtStream s = new_stream();

	aclrtMemcpyAsync(a, 64, b, 64, ACL_MEMCPY_DEFAULT, s);
	aclrtFreeHost(b);
	aclrtDestroyStream(s);
	aclrtFree(a);
}

static void copy_of_unmapped(void)
{
	char *a = device(MIB), *m, *d;
	aclrtStream s = new_stream();

	/* The stream's thread is there: nothing is mapped in between. */
	aclrtMemsetAsync(a, MIB, 1, MIB, s);
	aclrtSynchronizeStream(s);
	m = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (aclrtHostRegister(m, MIB, 0, (void **)&d))
		exit(95);
	munmap(m, MIB);
	aclrtMemcpyAsync(a, MIB, m, MIB, ACL_MEMCPY_HOST_TO_DEVICE, s);
	aclrtSynchronizeStream(s);
}

static void write_to_constant(void)
{
	char *a = device(KIB), *m;

	m = mmap(NULL, KIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	aclrtMemcpy(m, KIB, a, KIB, ACL_MEMCPY_DEVICE_TO_HOST);
}

/* Right: the program's handler maps what a copy needs when the copy needs it. */
static char *late;

static void map_late(int number)
{
	if (mmap(late, MIB, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != late)
		_exit(number);
}

static void maps_late(void)
{
	char *a = device(MIB), *d;
	aclrtStream s = new_stream();

	signal(SIGSEGV, map_late);
	late = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	if (aclrtHostRegister(late, MIB, 0, (void **)&d) ||
	    mprotect(late, MIB, PROT_NONE) ||
	    aclrtMemcpyAsync(a, MIB, late, MIB, ACL_MEMCPY_HOST_TO_DEVICE, s) ||
	    aclrtSynchronizeStream(s) || aclrtHostUnregister(late))
		exit(95);
	aclrtDestroyStream(s);
	aclrtFree(a);
}

/* Right: other processes and the end of this one. */
static void *kept_for_end;

static __attribute__((destructor)) void free_at_end(void)
{
	if (kept_for_end)
		aclrtFree(kept_for_end);
}

static void free_in_handler(void)
{
	aclrtFreeHost(*(void **)kept_for_end);
}

static void freed_late(void)
{
	pid_t pid;
	int ended;

	kept_for_end = device(1000);
	*(void **)kept_for_end = host(1000);
	atexit(free_in_handler);
	pid = fork();
	if (!pid)
		exit(0);
	if (waitpid(pid, &ended, 0) != pid || ended)
		exit(95);
}

/* Right but for advice: no process is started that the program could see. */
static volatile sig_atomic_t children;

static void count_child(int number)
{
	children += number == SIGCHLD;
}

static void advice_only(void)
{
	char *a = device(4096), *b = aligned_alloc(64, 4096);
	int i;

	signal(SIGCHLD, count_child);
	errno = 4711;
	for (i = 0; i < 3; i++)
		aclrtMemcpyAsync(a, 4096, b, 4096, ACL_MEMCPY_HOST_TO_DEVICE, NULL);
	if (errno != 4711 || children || waitpid(-1, NULL, WNOHANG) != -1)
		exit(95);
	free(b);
	aclrtFree(a);
}

/* Nobody reads the report any more. */
static void reader_gone(void)
{
	int pipes[2];

	if (pipe(pipes))
		exit(95);
	close(pipes[0]);
	dup2(pipes[1], STDERR_FILENO);
	unaligned();
}

static void same_again(void)
{
	volatile char *p;
	int i;

	for (i = 0; i < 5; i++) {
		p = device(100);
		p[100] = 7;
		aclrtFree((void *)(uintptr_t)p);
	}
}

static void many_leaks(void)
{
	int i;

	for (i = 0; i < 200; i++)
		device(100);
}

static void leaked_physical(void)
{
	aclrtPhysicalMemProp prop = {.handleType = ACL_MEM_HANDLE_TYPE_NONE,
				     .allocationType = ACL_MEM_ALLOCATION_TYPE_PINNED,
				     .memAttr = ACL_HBM_MEM_HUGE,
				     .location.type = ACL_MEM_LOCATION_TYPE_DEVICE};
	aclrtDrvMemHandle freed, kept;

	if (aclrtMallocPhysical(&freed, 2 * MIB, &prop, 0) ||
	    aclrtMallocPhysical(&kept, 2 * MIB, &prop, 0) || aclrtFreePhysical(freed))
		exit(95);
}

/* What real devices refuse. */
static void touches_device(void)
{
	volatile char *a = device(5000);
	int i;

	/* From one place: told once; the program goes on. */
	for (i = 0; i < 3; i++)
		a[4999] = 1;
	if (a[4999] != 1)
		exit(95);
	aclrtFree((void *)(uintptr_t)a);
}

static void touch(void *at)
{
	*(volatile char *)at = 1;
}

static void touches_in_task(void)
{
	char *a = device(100);
	aclrtStream s = new_stream();

	aclrtLaunchHostFunc(s, touch, a);
	aclrtSynchronizeStream(s);
	aclrtDestroyStream(s);
	aclrtFree(a);
}

static void wrong_kind(void)
{
	char *a = device(100), *b = host(100);

	aclrtMemcpy(a, 100, b, 100, ACL_MEMCPY_DEVICE_TO_HOST);
	aclrtFree(a);
	aclrtFreeHost(b);
}

static void no_peer_access(void)
{
	char *a = device(100), *b;

	aclrtSetDevice(1);
	b = device(100);
	aclrtMemcpy(a, 100, b, 100, ACL_MEMCPY_DEVICE_TO_DEVICE);
	aclrtDeviceEnablePeerAccess(0, 0);
	aclrtMemcpy(a, 100, b, 100, ACL_MEMCPY_DEVICE_TO_DEVICE);
	aclrtFree(a);
	aclrtFree(b);
}

/* Right everywhere: each kind of task and call works on device memory. */
static void portable(void)
{
	char *a = device(KIB), *b = device(KIB), *c = host(KIB), pageable[100];
	aclrtStream s = new_stream();
	volatile char *managed;
	int kind;

	memset(c, 0, KIB);
	for (kind = 0; kind < 7; kind++) {
		if (kind == 5)
			aclrtValueWrite(a, 1, 0, s);
		submit_kind(kind, a, b, s);
	}
	if (aclrtSynchronizeStream(s) || aclrtMemset(a, KIB, 7, KIB) ||
	    aclrtMemcpy(c, KIB, a, KIB, ACL_MEMCPY_DEVICE_TO_HOST) || c[KIB - 1] != 7 ||
	    aclrtMemcpy(pageable, 100, a, 100, ACL_MEMCPY_DEVICE_TO_HOST) ||
	    pageable[99] != 7 ||
	    aclrtMemcpy2d(c, 64, a, 64, 32, 4, ACL_MEMCPY_DEVICE_TO_HOST))
		exit(95);
	if (aclrtMemAllocManaged((void **)&managed, KIB, 1))
		exit(96);
	managed[5] = 1;
	aclrtFree((void *)(uintptr_t)managed);
	aclrtDestroyStream(s);
	aclrtFree(a);
	aclrtFree(b);
	aclrtFreeHost(c);
}

static void freed_while_offered(void)
{
	char key[ACL_RT_IPC_MEM_KEY_LENGTH], *a = device(2 * MIB);

	if (aclrtIpcMemGetExportKey(a, 2 * MIB, key, sizeof(key), 0))
		exit(95);
	aclrtFree(a);
	aclrtIpcMemClose(key);
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
	/* Blocks of a page and more start on a page, so that they can be shared. */
	p[0] = device(3 * MIB);
	p[1] = host(4096);
	if ((uintptr_t)p[0] % 4096 || (uintptr_t)p[1] % 4096 ||
	    aclrtIpcMemGetExportKey(p[0], 3 * MIB, key, sizeof(key), 0) ||
	    aclrtIpcMemClose(key))
		exit(99);
	aclrtFree(p[0]);
	aclrtFreeHost(p[1]);
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
	{"gates", gates},
	{"polls", polls},
	{"freed_under_set", freed_under_set},
	{"freed_under_fill", freed_under_fill},
	{"freed_under_rows", freed_under_rows},
	{"freed_under_reduction", freed_under_reduction},
	{"freed_under_write", freed_under_write},
	{"freed_under_wait", freed_under_wait},
	{"freed_under_small", freed_under_small},
	{"freed_at_once", freed_at_once},
	{"copy_of_unmapped", copy_of_unmapped},
	{"write_to_constant", write_to_constant},
	{"maps_late", maps_late},
	{"freed_late", freed_late},
	{"advice_only", advice_only},
	{"reader_gone", reader_gone},
	{"same_again", same_again},
	{"many_leaks", many_leaks},
	{"leaked_physical", leaked_physical},
	{"touches_device", touches_device},
	{"touches_in_task", touches_in_task},
	{"wrong_kind", wrong_kind},
	{"no_peer_access", no_peer_access},
	{"portable", portable},
	{"freed_while_offered", freed_while_offered},
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

/* Told once, and the program ends as it likes. */
static void advised(const char *name, const char *check, const char *word)
{
	run(name, check);
	if (!is(status, 0, "%s, ACLKM_CHECK=%s: ends well", name, check) ||
	    !is(count("==ADVICE: aclkm: "), 1, "%s: one piece of advice", name) ||
	    !is(count("==ERROR"), 0, "%s: nothing found", name) ||
	    !ok(strstr(text, word), "%s: \"%s\"", name, word))
		show();
}

/* The program ends as without checks, and a report says which copy it was. */
static void test_faults(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip("faults", "the sanitizer has a handler: no fault is sure to end");
#else
	run("copy_of_unmapped", "all");
	is(status, 128 + SIGSEGV, "a copy of what is not mapped ends the program");
	ok(strstr(text, "aclkm: fault: the asynchronous copy") &&
		   strstr(text, "is not mapped") && strstr(text, "by aclrtMemcpyAsync"),
	   "the report names the copy");
	run("write_to_constant", "all");
	is(status, 128 + SIGSEGV, "so does one to what cannot be written");
	ok(strstr(text, "aclkm: fault: the copy faults") &&
		   strstr(text, "cannot be written") && strstr(text, "by aclrtMemcpy"),
	   "the report names it, too");
#endif
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
	advised("unaligned", "align", "unaligned");
	REPORTED("unaligned", "align,advice=1", "unaligned", "multiples of 64",
		 "here by aclrtMemcpyAsync");
	run("unaligned_twice", "align");
	/* Without traces (no libgcc_s, as in a small guest) the function is the place. */
	ok(count("==ADVICE: aclkm: unaligned") == (strstr(text, "#0 ") ? 2 : 1),
	   "unaligned: once for each place");
	REPORTED("out_of_bounds", "bounds", "out-of-bounds", "destination",
		 "10 bytes past the end", "taken by aclrtMalloc");
	REPORTED("out_of_bounds_rows", "bounds", "out-of-bounds",
		 "50 bytes past the end");
	REPORTED("set_too_far", "bounds", "out-of-bounds", "20 bytes past the end");
	REPORTED("freed_in_flight", "flight", "in-flight: memory is freed",
		 "task submitted by aclrtMemcpyAsync", "still reads it",
		 "here by aclrtFreeHost");
	REPORTED("freed_under_set", "all", "in-flight", "asynchronous set",
		 "here by aclrtFree", "task submitted by aclrtMemsetAsync");
	REPORTED("freed_under_fill", "all", "in-flight", "asynchronous set");
	REPORTED("freed_under_rows", "all", "in-flight", "asynchronous copy");
	REPORTED("freed_under_reduction", "all", "in-flight", "asynchronous reduction");
	REPORTED("freed_under_write", "all", "in-flight", "asynchronous value write");
	REPORTED("freed_under_wait", "all", "in-flight", "asynchronous value wait");
	REPORTED("freed_under_small", "all", "in-flight", "asynchronous copy");
	REPORTED("freed_at_once", "flight", "in-flight", "still reads it");
	silent("gates", "all");
	silent("polls", "all");
	silent("maps_late", "all");
	silent("freed_late", "all");
	advised("advice_only", "all", "not-asynchronous");
	run("reader_gone", "all");
	is(status, 0, "nobody reads the advice: no SIGPIPE");
	test_faults();
	run("same_again", "redzone");
	is(status, 66, "the same five times: exit code");
	ok(count("==ERROR") == 1 && strstr(text, "the same was found again 4 times"),
	   "told once, and counted");
	run("many_leaks", "leak");
	ok(count("==ERROR") == 1 && strstr(text, "200 blocks, 20000 bytes together"),
	   "leaks of one place are one report");
	REPORTED("leaked_physical", "leak", "physical memory was never freed",
		 "2097152 bytes", "taken by aclrtMallocPhysical");
	run("leak", "leak");
	is(status, 66, "leak: exit code");
	is(count("==ERROR: aclkm: leak"), 2, "leak: two reports");
	ok(strstr(text, "500 bytes in 2 blocks were never freed"), "leak: how much");
	ok(strstr(text, "taken by aclrtMallocHost"), "leak: by whom");
	REPORTED("touches_device", "portable", "device memory, was accessed by the host",
		 "block: 5000 bytes", "taken by aclrtMalloc");
	REPORTED("touches_in_task", "portable", "device memory, was accessed");
	silent("touches_device", "all");
	REPORTED("wrong_kind", "portable", "from host to device, not as kind = 2 says");
	setenv("ACLKM_DEVICES", "2", 1);
	REPORTED("no_peer_access", "portable", "has no peer access",
		 "aclrtDeviceEnablePeerAccess");
	unsetenv("ACLKM_DEVICES");
	silent("portable", "portable,all");
	REPORTED("freed_while_offered", "free", "offered", "here by aclrtFree",
		 "offered by aclrtIpcMemGetExportKey");
	advised("pageable", "sync", "pageable host memory");
	REPORTED("pageable", "sync,advice=1", "not-asynchronous", "pageable host memory",
		 "aclrtHostRegister");
	silent("base_64", "align64");
	test_log();
	test_bad_lists();
	return done_testing();
}
