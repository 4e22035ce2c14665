// SPDX-License-Identifier: MIT
/* Physical memory and address ranges where the process has few descriptors or mappings.
 */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "client.h"
#include "map/map.h"

#define PAGE 4096UL
#define MANY 1000
#define RANGE (1UL << 32)

static const struct vmm_property small_host = {.host = true, .pages = ACLKM_PAGES_NORMAL};

static void in_child(void (*fn)(void), const char *name)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		fn();
		_exit(99);
	}
	waitpid(pid, &status, 0);
	is(status, 0, "%s", name);
}

static void many_handles(void)
{
	static uintptr_t handles[MANY];
	struct rlimit limit = {64, 64};
	uint64_t base;
	int i;

	setrlimit(RLIMIT_NOFILE, &limit);
	if (vmm_reserve(RANGE, 0, &base))
		_exit(1);
	for (i = 0; i < MANY; i++) {
		uint64_t at = base + 2 * PAGE * (uint64_t)i;

		if (vmm_create(PAGE, &small_host, 0, &handles[i]) ||
		    vmm_map(at, PAGE, handles[i], VMM_READ_WRITE)) {
			fprintf(stderr, "# handle %d: %s\n", i, aclkm_last_error());
			_exit(2);
		}
		*(volatile int *)(uintptr_t)at = i;
	}
	for (i = 0; i < MANY; i++) {
		uint64_t at = base + 2 * PAGE * (uint64_t)i;

		if (*(volatile int *)(uintptr_t)at != i || vmm_unmap(at) ||
		    vmm_free(handles[i]))
			_exit(3);
	}
	_exit(vmm_release(base) ? 4 : 0);
}

/* The first try fails for want of a descriptor, at each place in turn. */
static void export_again(void)
{
	struct rlimit limit = {64, 64};
	aclrtPhysicalMemProp prop = {
		.memAttr = ACL_HBM_MEM_HUGE,
		.location = {.type = ACL_MEM_LOCATION_TYPE_DEVICE},
	};
	aclrtDrvMemHandle handle;
	uint64_t number;
	int fds[64], n = 0, code;

	if (aclrtSetDevice(0) || aclrtMallocPhysical(&handle, 2 * MIB, &prop, 0))
		_exit(1);
	setrlimit(RLIMIT_NOFILE, &limit);
	while ((fds[n] = open("/dev/null", O_RDONLY)) >= 0)
		n++;
	while ((code = aclrtMemExportToShareableHandle(handle, 0, 1, &number)) && n) {
		if (!recent_has("EMFILE"))
			_exit(2);
		close(fds[--n]);
	}
	if (code)
		_exit(3);
	_exit(aclrtFreePhysical(handle));
}

/* As many mappings as the kernel lets a process have. */
static void at_max_map_count(void)
{
	uintptr_t handle;
	uint64_t base, n, i;
	int err = 0;

	if (vmm_reserve(RANGE, 0, &base) || vmm_create(PAGE, &small_host, 0, &handle))
		_exit(1);
	for (n = 0; n < RANGE / PAGE / 2 && !err; n++)
		err = vmm_map(base + 2 * PAGE * n, PAGE, handle, VMM_READ_WRITE);
	if (err != ACLKM_ERR_NOMEM)
		_exit(2);
	for (i = 0; i < n - 1; i++) {
		/* From the middle on, so that no neighbour is free already. */
		uint64_t at = (i + n / 2) % (n - 1);

		if (vmm_unmap(base + 2 * PAGE * at)) {
			fprintf(stderr, "# %s\n", aclkm_last_error());
			_exit(3);
		}
	}
	if (vmm_free(handle))
		_exit(4);
	_exit(vmm_release(base) ? 5 : 0);
}

static long max_map_count(void)
{
	FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
	long count = 0;

	if (file && fscanf(file, "%ld", &count) != 1)
		count = 0;
	if (file)
		fclose(file);
	return count;
}

static void test_granularity(void)
{
	const struct vmm_property device = {.pages = ACLKM_PAGES_HUGE_FIRST};
	uintptr_t handle, host;
	uint64_t base;

	if (vmm_reserve(16 * MIB, 0, &base) || vmm_create(2 * MIB, &device, 0, &handle) ||
	    vmm_create(PAGE, &small_host, 0, &host))
		bail_out("no memory");
	is(vmm_map(base + PAGE, 2 * MIB, handle, VMM_READ_WRITE), ACLKM_ERR_INVALID,
	   "device memory at an address off the granularity");
	ok(strstr(aclkm_last_error(), "granularity, 2097152"), "text: %s",
	   aclkm_last_error());
	is(vmm_map(base + 2 * MIB, 2 * MIB, handle, VMM_READ_WRITE), 0, "and on it");
	is(vmm_map(base + PAGE, PAGE, host, VMM_READ_WRITE), 0,
	   "host memory of pages beside it");
	is(vmm_unmap(base + 2 * MIB), 0, "unmap");
	is(vmm_unmap(base + PAGE), 0, "unmap the host's");
	is(vmm_free(handle) | vmm_free(host), 0, "free");
	is(vmm_release(base), 0, "release");
}

int main(void)
{
	long most = max_map_count();

	small_device();
	in_child(many_handles, "1000 handles with 64 descriptors");
	in_child(export_again, "an export that failed can be tried again");
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
	/* It wants mappings of its own, and ends the process when it gets none. */
	most = 0;
#endif
	if (most > 0 && most <= 262144)
		in_child(at_max_map_count, "at vm.max_map_count unmapping still works");
	else
		skip("at vm.max_map_count unmapping still works",
		     "it is very large, or under a sanitizer");
	test_granularity();
	return done_testing();
}
