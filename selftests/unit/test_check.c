// SPDX-License-Identifier: MIT
/*
 * The checks: for each, a deliberately wrong program, which is this one started again
 * with a name, and the report that it gives. A right program gives none.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "client.h"

static void *device(size_t size)
{
	void *p;

	if (aclrtMalloc(&p, size, ACL_MEM_MALLOC_NORMAL_ONLY))
		exit(90);
	return p;
}

static void *host(size_t size)
{
	void *p;

	if (aclrtMallocHost(&p, size))
		exit(91);
	return p;
}

static aclrtStream new_stream(void)
{
	aclrtStream s;

	if (aclrtCreateStream(&s))
		exit(92);
	return s;
}

/* The wrong programs ------------------------------------------------------- */

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

/* From here on blocks go the short way, as nearly all of a program's do. */
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

static const struct {
	const char *name;
	void (*run)(void);
} programs[] = {
	{"no_tail", no_tail},
	{"tagged", tagged},
	{"deep_places", deep_places},
	{"overflow_later", overflow_later},
	{"use_after_free_later", use_after_free_later},
	{"double_free_later", double_free_later},
	{"middle", middle},
	{"two_places", two_places},
	{"threads", threads},
	{"native", native},
	{"other_thread", other_thread},
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

static int run_program(const char *name)
{
	size_t i;

	if (aclrtSetDevice(0))
		return 89;
	for (i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (!strcmp(name, programs[i].name)) {
			programs[i].run();
			return 0;
		}
	}
	return 88;
}

/* The tests ---------------------------------------------------------------- */

static char text[1 << 16];
static int status;

static void run(const char *name, const char *check)
{
	int pipes[2];
	size_t at = 0;
	ssize_t n;
	pid_t pid;

	fflush(stdout);
	if (pipe(pipes))
		bail_out("no pipe");
	pid = fork();
	if (pid < 0)
		bail_out("no process");
	if (!pid) {
		dup2(pipes[1], STDERR_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		if (check)
			setenv("ACLKM_CHECK", check, 1);
		execl("/proc/self/exe", "test_check", name, (char *)NULL);
		_exit(127);
	}
	close(pipes[1]);
	while (at < sizeof(text) - 1 &&
	       (n = read(pipes[0], text + at, sizeof(text) - 1 - at)) > 0)
		at += (size_t)n;
	text[at] = '\0';
	close(pipes[0]);
	waitpid(pid, &status, 0);
	status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int count(const char *word)
{
	const char *at = text;
	int n = 0;

	while ((at = strstr(at, word))) {
		at++;
		n++;
	}
	return n;
}

static void show(void)
{
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n")))
		printf("# %s\n", line);
}

/* One report with these words, none more; exit code 66. */
static void reported(const char *name, const char *check, const char *const *words)
{
	bool good;

	run(name, check);
	good = is(status, 66, "%s, ACLKM_CHECK=%s: exit code", name, check);
	good &= is(count("==ERROR: aclkm: "), 1, "%s: one report", name);
	good &= is(count("SUMMARY: aclkm: "), 1, "%s: one summary", name);
	good &= ok(strstr(text, "to fix it: "), "%s: how to fix it", name);
	for (; *words; words++)
		good &= ok(strstr(text, *words), "%s: \"%s\"", name, *words);
	if (!good)
		show();
}

#define REPORTED(name, check, ...)                                                       \
	reported(name, check, (const char *const[]){__VA_ARGS__, NULL})

static void silent(const char *name, const char *check)
{
	run(name, check);
	if (!is(status, 0, "%s, ACLKM_CHECK=%s: ends well", name, check) ||
	    !is(strlen(text), 0, "%s: no report", name))
		show();
}

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
	setenv("ACLKM_ALIGN", "64", 1);
	silent("no_tail", "poison,redzone");
	unsetenv("ACLKM_ALIGN");
	silent("tagged", "all");
	silent("threads", "all");
	silent("threads", "free,leak");
	REPORTED("native", "all", "bad-free", "no block of AscendCL's");
	REPORTED("other_thread", "poison", "use-after-free: byte 3 of a freed");
	run("right", "poison,fill=100");
	is(status, 89, "fill=100, no multiple of 64: no device");
	run("right", "poison,fill=0");
	is(status, 89, "fill=0: no device");
	run("right", "poison,fill=64K");
	is(status, 89, "fill=64K: no device");
}

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
	run("right", "redzone,bogus");
	is(status, 89, "a word that is none: no device");
	run("right", "exitcode=300");
	is(status, 89, "exitcode=300: no device");
}

int main(int argc, char **argv)
{
	small_device();
	if (argc == 2)
		return run_program(argv[1]);
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
	test_short_way();
	test_places();
	test_log();
	return done_testing();
}
