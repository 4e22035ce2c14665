// SPDX-License-Identifier: MIT
/* Registered host memory: only what was done is undone. */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "client.h"

#define PAGE 4096UL
#define PINNED (ACL_HOST_REG_MAPPED | ACL_HOST_REG_PINNED)

static long locked_kib(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	long kib = -1;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "VmLck: %ld", &kib) == 1)
			break;
	}
	if (file)
		fclose(file);
	return kib;
}

static char *pages(size_t count)
{
	char *addr = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (addr == MAP_FAILED)
		bail_out("no memory");
	return addr;
}

static void test_refused(void)
{
	long before = locked_kib();
	char *m = pages(8);

	is(aclrtHostRegisterV2(m + 2 * PAGE, 2 * PAGE, PINNED), 0, "register two pages");
	is(locked_kib() - before, 8, "they are locked");
	is(aclrtHostRegisterV2(m, 4 * PAGE, PINNED), 507910, "an overlap is refused");
	is(locked_kib() - before, 8, "and changes no lock");
	is(aclrtHostUnregister(m + 2 * PAGE), 0, "unregister");
	is(locked_kib() - before, 0, "no lock is left");
	munmap(m, 8 * PAGE);
}

static void test_own_locks(void)
{
	long before = locked_kib();
	char *m = pages(64);

	if (mlock(m + 3 * PAGE, 2 * PAGE) || mlock(m + 20 * PAGE, PAGE) ||
	    mlock(m + 63 * PAGE, PAGE)) {
		skip("locks of the program", "it may not lock memory");
		return;
	}
	is(aclrtHostRegisterV2(m, 64 * PAGE, PINNED), 0, "register around own locks");
	is(locked_kib() - before, 64 * 4, "all is locked");
	is(aclrtHostUnregister(m), 0, "unregister");
	is(locked_kib() - before, 4 * 4, "the program's own locks stay");
	ok(msync(m + 3 * PAGE, 2 * PAGE, MS_ASYNC | MS_INVALIDATE) &&
		   msync(m + 20 * PAGE, PAGE, MS_ASYNC | MS_INVALIDATE) &&
		   msync(m + 63 * PAGE, PAGE, MS_ASYNC | MS_INVALIDATE) &&
		   !msync(m + 5 * PAGE, 15 * PAGE, MS_ASYNC | MS_INVALIDATE),
	   "where they were");
	munmap(m, 64 * PAGE);
}

/* Of a user who may lock nothing, what is said on standard error. */
static void test_limit(void)
{
	struct rlimit limit = {0, 0};
	char said[512] = "";
	int ends[2], status = -1;
	ssize_t n;
	pid_t pid;

	fflush(stdout);
	if (pipe(ends))
		bail_out("no pipe");
	pid = fork();
	if (!pid) {
		dup2(ends[1], STDERR_FILENO);
		setrlimit(RLIMIT_MEMLOCK, &limit);
		setenv("ACLKM_BACKEND", "user", 1);
		if (!geteuid() && setuid(65534))
			_exit(1);
		if (aclrtSetDevice(0) ||
		    aclrtHostRegisterV2(pages(4), 4 * PAGE, PINNED) || locked_kib())
			_exit(2);
		_exit(0);
	}
	close(ends[1]);
	n = read(ends[0], said, sizeof(said) - 1);
	close(ends[0]);
	waitpid(pid, &status, 0);
	is(status, 0, "a range that cannot be locked is registered");
	ok(n > 0 && strstr(said, "not pinned") && strstr(said, "RLIMIT_MEMLOCK is 0"),
	   "which is said: %s", said);
}

static void test_own_blocks(void)
{
	void *host, *device, *seen;

	if (aclrtMallocHost(&host, 64 * KIB) ||
	    aclrtMalloc(&device, 64 * KIB, ACL_MEM_MALLOC_HUGE_FIRST))
		bail_out("no memory");
	is(aclrtHostRegisterV2(host, 64 * KIB, ACL_HOST_REG_MAPPED), 0,
	   "a block of aclrtMallocHost");
	is(aclrtHostRegister(host, 64 * KIB, ACL_HOST_REGISTER_MAPPED, &seen), 507910,
	   "once");
	is(aclrtHostGetDevicePointer(host, &seen, 0), 0, "it has a device pointer");
	is(aclrtHostUnregister(host), 0, "unregister it");
	is(aclrtHostRegisterV2((char *)host + PAGE, PAGE, ACL_HOST_REG_MAPPED), 0,
	   "a page of it");
	is(aclrtHostRegisterV2((char *)host + 32 * KIB, 64 * KIB, ACL_HOST_REG_MAPPED),
	   107000, "not beyond its end");
	is(aclrtFreeHost(host), 0, "free it while it is registered");
	is(aclrtHostUnregister((char *)host + PAGE), 507911, "which ends that");
	is(aclrtHostRegisterV2(device, 64 * KIB, ACL_HOST_REG_MAPPED), 107000,
	   "device memory is refused");
	is(aclrtFree(device), 0, "free");
}

/* The sanitizers make mlock() a call that does nothing. */
static bool memory_can_be_locked(void)
{
	long before = locked_kib();
	char *m = pages(1);
	bool locked = !mlock(m, PAGE) && locked_kib() > before;

	munmap(m, PAGE);
	return locked;
}

int main(void)
{
	bool locks = memory_can_be_locked();

	small_device();
	if (locks)
		test_limit();
	need_device();
	if (locks) {
		test_refused();
		test_own_locks();
	} else {
		skip("locks", "mlock() locks nothing in this process");
	}
	test_own_blocks();
	return done_testing();
}
