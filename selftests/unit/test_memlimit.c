// SPDX-License-Identifier: MIT
/* What a process may use: of the machine, its cgroups and its address space. */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "client.h"
#include "backend/backend.h"

#define GIB (1024 * MIB)

static char root[64];

static void put(const char *name, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put(const char *name, const char *format, ...)
{
	char path[256], *slash;
	va_list args;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	for (slash = strchr(path + strlen(root) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	file = fopen(path, "w");
	if (!file)
		bail_out("no folder for files");
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	fclose(file);
}

static void machine(unsigned long total, unsigned long available)
{
	put("proc/meminfo", "MemTotal: %lu kB\nMemFree: 1 kB\nMemAvailable: %lu kB\n",
	    total / KIB, available / KIB);
	put("proc/self/cgroup", "0::/\n");
	put("proc/self/mountinfo", "24 1 0:5 / /proc rw - proc proc rw\n");
	put("proc/self/statm", "1 1 1 1 0 1 0\n");
}

static void group(const char *folder, const char *most, unsigned long now,
		  unsigned long cache)
{
	char name[128];

	snprintf(name, sizeof(name), "sys/fs/cgroup%s/memory.max", folder);
	put(name, "%s\n", most);
	snprintf(name, sizeof(name), "sys/fs/cgroup%s/memory.current", folder);
	put(name, "%lu\n", now);
	snprintf(name, sizeof(name), "sys/fs/cgroup%s/memory.stat", folder);
	put(name, "anon 1\ninactive_file %lu\nactive_file 0\nslab_reclaimable 0\n",
	    cache);
}

static struct memlimit look(void)
{
	struct memlimit limit;

	memlimit_read(root, &limit);
	return limit;
}

static void test_machine(void)
{
	struct memlimit limit;

	machine(16 * GIB, 12 * GIB);
	limit = look();
	is(limit.total, 16 * GIB, "all of the machine");
	is(limit.left, 12 * GIB - 256 * MIB, "what is available but a spare part");
	is(memlimit_device_size(&limit), 8 * GIB, "a device is half of it");
	machine(16 * GIB, 2 * GIB);
	limit = look();
	ok(memlimit_device_size(&limit) < 2 * GIB, "less where little is free");
}

static void test_version_2(void)
{
	struct memlimit limit;

	machine(16 * GIB, 12 * GIB);
	put("proc/self/cgroup", "0::/outer/inner\n");
	put("proc/self/mountinfo",
	    "30 1 0:26 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw\n");
	group("/outer", "268435456", 100 * MIB, 36 * MIB);
	group("/outer/inner", "max", 100 * MIB, 0);
	limit = look();
	is(limit.total, 256 * MIB, "the parent's limit counts");
	is(limit.left, (256 - 64 - 8) * MIB, "page cache can be reclaimed");
	is(memlimit_device_size(&limit), 128 * MIB, "a device is half of the limit");
	group("/outer/inner", "67108864", 60 * MIB, 0);
	limit = look();
	is(limit.total, 64 * MIB, "so does the group's own");
	is(limit.left, 2 * MIB, "and what it has used");
	ok(!strcmp(limit.by, "its memory cgroup"), "which is named");
}

/* In a container the mount shows a part of the hierarchy. */
static void test_version_2_inside(void)
{
	machine(16 * GIB, 12 * GIB);
	put("proc/self/cgroup", "0::/box/17/work\n");
	put("proc/self/mountinfo",
	    "30 1 0:26 /box/17 /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
	group("", "134217728", 0, 0);
	group("/work", "67108864", 0, 0);
	is(look().total, 64 * MIB, "the group's folder is below the mount's root");
	put("proc/self/cgroup", "0::/../other\n");
	is(look().total, 128 * MIB, "a group outside of the namespace has none");
}

static void test_version_1(void)
{
	machine(16 * GIB, 12 * GIB);
	put("proc/self/cgroup", "9:cpu,cpuacct:/x\n4:memory:/job\n0::/\n");
	put("proc/self/mountinfo",
	    "30 1 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
	    "31 1 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
	put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
	put("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "%lu\n", 512 * MIB);
	put("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "%lu\n", 128 * MIB);
	put("sys/fs/cgroup/memory/job/memory.stat", "cache 9\ntotal_inactive_file %lu\n",
	    28 * MIB);
	is(look().total, 512 * MIB, "version 1: the group's limit");
	is(look().left, (512 - 100 - 16) * MIB, "version 1: what is left");
}

static void test_address_space(void)
{
	struct rlimit limit = {256 * MIB, RLIM_INFINITY}, before;
	struct memlimit seen;

	machine(16 * GIB, 12 * GIB);
	getrlimit(RLIMIT_AS, &before);
	setrlimit(RLIMIT_AS, &limit);
	seen = look();
	setrlimit(RLIMIT_AS, &before);
	is(seen.space, 256 * MIB - 4096, "address space under RLIMIT_AS");
	ok(memlimit_device_size(&seen) <= 128 * MIB, "a device is half of that at most");
}

/* More than the system has: a code, and not the OOM killer. */
static void test_too_much(void)
{
	struct memlimit limit;
	char all[32];
	void *block;
	int status = -1;
	pid_t pid;

	memlimit_read("", &limit);
	ok(limit.left < limit.total, "a real system: %llu MiB of %llu MiB",
	   (unsigned long long)limit.left >> 20, (unsigned long long)limit.total >> 20);
	is(memlimit_allow(limit.left * 2), ACLKM_ERR_NOMEM, "more is refused");
	ok(strstr(aclkm_last_error(), "before the kernel ends processes"), "text: %s",
	   aclkm_last_error());
	is(memlimit_allow(4096), 0, "a page is not");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		snprintf(all, sizeof(all), "%lluM", (unsigned long long)limit.left >> 19);
		setenv("ACLKM_MEM", all, 1);
		setenv("ACLKM_BACKEND", "user", 1);
		if (aclrtSetDevice(0))
			_exit(1);
		_exit(aclrtMalloc(&block, limit.left / 2 * 3,
				  ACL_MEM_MALLOC_HUGE_FIRST) == 207001
			      ? 0
			      : 2);
	}
	waitpid(pid, &status, 0);
	is(status, 0, "aclrtMalloc says 207001");
}

int main(void)
{
	snprintf(root, sizeof(root), "/tmp/aclkm-limits-XXXXXX");
	if (!mkdtemp(root))
		bail_out("no folder");
	test_machine();
	test_version_2();
	test_version_2_inside();
	test_version_1();
	test_address_space();
	test_too_much();
	return done_testing();
}
