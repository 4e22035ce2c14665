// SPDX-License-Identifier: GPL-2.0
/* What users may hold, who is exempt, how long they pay, and what a refusal says. */
#include "dmabuf.h"
#include "admin.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <time.h>
#include "kselftest_harness.h"

#define USER_A 1001
#define USER_B 1002

static const char * const limits[] = {
	"limits/file_bytes", "limits/file_regions", "limits/user_bytes", "limits/user_regions",
	"limits/root_reserve",
};
#define LIMITS (sizeof(limits) / sizeof(limits[0]))

FIXTURE(limits) {
	int fd;
	struct aclkm_info before;
};

FIXTURE_SETUP(limits)
{
	int i;

	if (geteuid())
		SKIP(return, "needs root");
	self->fd = dev_open(O_RDWR);
	ASSERT_LE(0, self->fd);
	self->before = dev_info(self->fd);
	device_for_all();
	for (i = 0; i < LIMITS; i++)
		ASSERT_EQ(0, sysfs_set(limits[i], 0));
}

FIXTURE_TEARDOWN(limits)
{
	int i;

	for (i = 0; i < LIMITS; i++)
		EXPECT_EQ(0, sysfs_set(limits[i], 0));
	device_for_root();
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
	close(self->fd);
}

/* In children: the line that went wrong, from 1 to 255, is the exit status. */
#define CHECK(expression) do { \
	if (!(expression)) { \
		printf("# line %d: %s\n", __LINE__, #expression); \
		return 1; \
	} \
} while (0)

static bool refused(int fd, uint64_t size, uint32_t reason, uint64_t limit)
{
	struct aclkm_info info = dev_info(fd);
	int want = reason >= ACLKM_REASON_FILE_BYTES ? -EDQUOT : -ENOSPC;
	struct aclkm_alloc alloc;
	int err = dev_alloc(fd, size, 0, &alloc);

	if (err == want && alloc.reason == reason && alloc.limit == limit &&
	    alloc.free == info.free && alloc.largest_free == info.largest_free &&
	    !alloc.handle && !alloc.offset && alloc.size == size)
		return true;
	printf("# error %d, reason %u, limit %llu, free %llu of %llu\n", err, alloc.reason,
	       alloc.limit, alloc.free, info.free);
	return false;
}

static int file_limits_child(void *arg)
{
	struct aclkm_pin pin = {};
	struct aclkm_import import;
	struct aclkm_alloc a, b, c;
	int fd, other, buf;
	void *mem;

	become(USER_A);
	fd = dev_open(O_RDWR);
	other = dev_open(O_RDWR);
	CHECK(refused(fd, 4 * MIB + 1, ACLKM_REASON_FILE_BYTES, 4 * MIB));
	CHECK(refused(fd, ~0ULL - 2 * PAGE, ACLKM_REASON_FILE_BYTES, 4 * MIB));
	CHECK(!dev_alloc(fd, 4 * MIB, 0, &a));
	CHECK(refused(fd, 1, ACLKM_REASON_FILE_BYTES, 4 * MIB));
	/* Another open file has its own. */
	CHECK(!dev_alloc(other, 4 * MIB, 0, &b));
	CHECK(!dev_free(fd, a.handle));
	CHECK(!dev_alloc(fd, PAGE, 0, &a));
	CHECK(!dev_alloc(fd, PAGE, 0, &b));
	CHECK(!dev_alloc(fd, PAGE, 0, &c));
	/* Rounded up. */
	CHECK(refused(fd, 4 * MIB - 3 * PAGE + 1, ACLKM_REASON_FILE_REGIONS, 3));
	/* Imports and pins are handles as well. */
	buf = dev_export(fd, a.handle, 0, 0, 0);
	CHECK(buf >= 0);
	CHECK(dev_import(fd, buf, &import) == -EDQUOT);
	mem = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pin = (struct aclkm_pin){ .addr = (uintptr_t)mem, .len = PAGE };
	CHECK(dev_ioctl(fd, ACLKM_IOC_PIN, &pin) == -EDQUOT);
	CHECK(!dev_free(fd, c.handle));
	CHECK(!dev_import(fd, buf, &import));
	/* Bytes of an import are its owner's. */
	CHECK(!dev_free(fd, b.handle));
	CHECK(!dev_alloc(fd, 4 * MIB - PAGE, 0, &b));
	return 0;
}

TEST_F(limits, of_a_file)
{
	ASSERT_EQ(0, sysfs_set("limits/file_bytes", 4 * MIB));
	ASSERT_EQ(0, sysfs_set("limits/file_regions", 3));
	EXPECT_EQ(0, in_child(file_limits_child, NULL));
}

static int user_limits_child(void *arg)
{
	struct aclkm_alloc a, b, c;
	int fd, other;

	become(USER_A);
	fd = dev_open(O_RDWR);
	other = dev_open(O_RDWR);
	CHECK(!dev_alloc(fd, 4 * MIB, 0, &a));
	CHECK(!dev_alloc(other, 4 * MIB - PAGE, 0, &b));
	CHECK(refused(fd, 2 * PAGE, ACLKM_REASON_USER_BYTES, 8 * MIB));
	CHECK(refused(other, PAGE + 1, ACLKM_REASON_USER_BYTES, 8 * MIB));
	CHECK(!dev_alloc(fd, PAGE, 0, &c));
	CHECK(refused(other, 1, ACLKM_REASON_USER_REGIONS, 3));
	close(other);
	CHECK(!dev_alloc(fd, 4 * MIB - PAGE, 0, &b));
	CHECK(refused(fd, 1, ACLKM_REASON_USER_REGIONS, 3));
	return 0;
}

static int other_user_child(void *arg)
{
	struct aclkm_alloc a;
	int fd;

	become(USER_B);
	fd = dev_open(O_RDWR);
	CHECK(!dev_alloc(fd, 8 * MIB, 0, &a));
	CHECK(refused(fd, 1, ACLKM_REASON_USER_BYTES, 8 * MIB));
	return 0;
}

TEST_F(limits, of_a_user)
{
	ASSERT_EQ(0, sysfs_set("limits/user_bytes", 8 * MIB));
	ASSERT_EQ(0, sysfs_set("limits/user_regions", 3));
	EXPECT_EQ(0, in_child(user_limits_child, NULL));
	EXPECT_EQ(0, in_child(other_user_child, NULL));
	EXPECT_EQ(0, in_child(user_limits_child, NULL));
}

/* Paid for until the memory is back, whatever keeps it. */
static int keepers_child(void *arg)
{
	struct aclkm_alloc a, b;
	char *mem, copy[PAGE];
	struct iovec iov;
	int fd, buf, pipes[2], tries;

	become(USER_A);
	fd = dev_open(O_RDWR);
	/* A mapping. */
	CHECK(!dev_alloc(fd, MIB, 0, &a));
	mem = dev_map(fd, a.offset, MIB);
	CHECK(mem != MAP_FAILED);
	CHECK(!dev_free(fd, a.handle));
	close(fd);
	fd = dev_open(O_RDWR);
	CHECK(refused(fd, PAGE, ACLKM_REASON_USER_BYTES, MIB));
	munmap(mem + PAGE, MIB - PAGE);
	CHECK(refused(fd, PAGE, ACLKM_REASON_USER_BYTES, MIB));
	munmap(mem, PAGE);
	/* A dma-buf of one page of it. */
	CHECK(!dev_alloc(fd, MIB, 0, &a));
	buf = dev_export(fd, a.handle, PAGE, PAGE, 0);
	CHECK(buf >= 0);
	CHECK(!dev_free(fd, a.handle));
	CHECK(refused(fd, PAGE, ACLKM_REASON_USER_BYTES, MIB));
	close(buf);
	for (tries = 0; tries < 50 && dev_alloc(fd, MIB, 0, &a); tries++)
		usleep(10 * 1000);
	CHECK(tries < 50);
	/* A pin. */
	CHECK(!pipe(pipes));
	mem = dev_map(fd, a.offset, MIB);
	CHECK(mem != MAP_FAILED);
	memset(mem, 1, PAGE);
	iov = (struct iovec){ mem, PAGE };
	CHECK(vmsplice(pipes[1], &iov, 1, 0) == PAGE);
	munmap(mem, MIB);
	CHECK(!dev_free(fd, a.handle));
	CHECK(refused(fd, PAGE, ACLKM_REASON_USER_BYTES, MIB));
	CHECK(read(pipes[0], copy, PAGE) == PAGE);
	for (tries = 0; tries < 100 && dev_alloc(fd, MIB, 0, &b); tries++)
		usleep(20 * 1000);
	CHECK(tries < 100);
	return 0;
}

TEST_F(limits, paid_until_the_memory_is_back)
{
	ASSERT_EQ(0, sysfs_set("limits/user_bytes", MIB));
	EXPECT_EQ(0, in_child(keepers_child, NULL));
}

/* Calls that fail cost nothing. */
static int failing_child(void *arg)
{
	struct aclkm_alloc alloc = { .size = MIB, .node = ACLKM_NODE_ANY };
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd, i;

	become(USER_A);
	fd = dev_open(O_RDWR);
	memcpy(page, &alloc, sizeof(alloc));
	mprotect(page, PAGE, PROT_READ);
	for (i = 0; i < 20; i++) {
		/* The answer cannot be written. */
		CHECK(ioctl(fd, ACLKM_IOC_ALLOC, page) == -1 && errno == EFAULT);
		CHECK(dev_alloc(fd, MIB, 3, &alloc) == -EINVAL);
		CHECK(dev_alloc_flags(fd, MIB, 0, 1 << 31, &alloc) == -EINVAL);
		CHECK(refused(fd, MIB + 1, ACLKM_REASON_FILE_BYTES, MIB));
	}
	CHECK(!dev_alloc(fd, MIB, 0, &alloc));
	return 0;
}

TEST_F(limits, failures_cost_nothing)
{
	ASSERT_EQ(0, sysfs_set("limits/file_bytes", MIB));
	ASSERT_EQ(0, sysfs_set("limits/file_regions", 1));
	ASSERT_EQ(0, sysfs_set("limits/user_bytes", MIB));
	ASSERT_EQ(0, sysfs_set("limits/user_regions", 1));
	EXPECT_EQ(0, in_child(failing_child, NULL));
}

static int reserve_child(void *arg)
{
	uint64_t keep = *(uint64_t *)arg, free;
	struct aclkm_alloc alloc;
	int fd;

	become(USER_A);
	fd = dev_open(O_RDWR);
	CHECK(refused(fd, dev_info(fd).largest_free, ACLKM_REASON_ROOT_RESERVE, keep));
	while (!dev_alloc(fd, 4 * MIB, 0, &alloc))
		;
	CHECK(alloc.reason == ACLKM_REASON_ROOT_RESERVE);
	while (!dev_alloc(fd, PAGE, 0, &alloc))
		;
	free = dev_info(fd).free;
	CHECK(free == keep);
	/* More than there is at all is a want of memory. */
	CHECK(refused(fd, free + 1, ACLKM_REASON_FREE, 0));
	CHECK(refused(fd, PAGE, ACLKM_REASON_ROOT_RESERVE, keep));
	return 0;
}

TEST_F(limits, root_reserve)
{
	uint64_t keep = self->before.largest_free - 8 * MIB - 5 * PAGE;
	struct aclkm_alloc alloc;

	if (self->before.nr_arenas > 1) {
		/* As much as leaves little of all arenas together. */
		keep = self->before.free - 8 * MIB - 5 * PAGE;
	}
	ASSERT_EQ(0, sysfs_set("limits/root_reserve", keep));
	EXPECT_EQ(0, in_child(reserve_child, &keep));
	ASSERT_EQ(0, dev_alloc(self->fd, self->before.largest_free, 0, &alloc));
	ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
}

static int exempt_child(void *arg)
{
	struct aclkm_alloc alloc;
	int fd = dev_open(O_RDWR);

	CHECK(!dev_alloc(fd, 16 * MIB, 0, &alloc));
	CHECK(!dev_alloc(fd, PAGE, 0, &alloc));
	drop_cap(CAP_SYS_RESOURCE);
	/* Root all the same, but not exempt any more. */
	CHECK(dev_alloc(fd, PAGE, 0, &alloc) == -EDQUOT);
	return 0;
}

static int userns_root_child(void *arg)
{
	struct aclkm_alloc alloc;
	struct aclkm_query query;
	struct aclkm_phys phys = {};
	int fd;

	become(USER_A);
	/* Its own files below /proc are root's otherwise. */
	prctl(PR_SET_DUMPABLE, 1);
	if (unshare(CLONE_NEWUSER))
		return 77;
	/* Has every capability, over nothing that is ours. */
	if (file_write("/proc/self/setgroups", "deny") ||
	    file_write("/proc/self/uid_map", "0 1001 1"))
		return 77;
	CHECK(!geteuid());
	fd = dev_open(O_RDWR);
	CHECK(fd >= 0);
	CHECK(refused(fd, 2 * MIB, ACLKM_REASON_FILE_BYTES, MIB));
	CHECK(!dev_alloc(fd, MIB, 0, &alloc));
	CHECK(refused(fd, PAGE, ACLKM_REASON_FILE_BYTES, MIB));
	CHECK(!dev_query(fd, alloc.handle, &query));
	CHECK(!(query.flags & ACLKM_QUERY_PHYS) && !query.phys);
	phys.handle = alloc.handle;
	CHECK(dev_ioctl(fd, ACLKM_IOC_PHYS, &phys) == -EPERM);
	CHECK(sysfs_write("grow", "2M") < 0 && sysfs_write("limits/file_bytes", "0") < 0);
	return 0;
}

TEST_F(limits, who_is_exempt)
{
	int status;

	ASSERT_EQ(0, sysfs_set("limits/file_bytes", MIB));
	ASSERT_EQ(0, sysfs_set("limits/user_regions", 2));
	EXPECT_EQ(0, in_child(exempt_child, NULL));
	file_write("/proc/sys/kernel/unprivileged_userns_clone", "1");
	status = in_child(userns_root_child, NULL);
	if (status == 77)
		SKIP(return, "no user namespaces");
	EXPECT_EQ(0, status);
}

static int bomb(void *arg)
{
	struct aclkm_alloc alloc;
	int i, fd;

	become(USER_A);
	/* What the kernel needs for it is the user's as well: few processes do. */
	for (i = 0; i < 4; i++)
		fork();
	fd = dev_open(O_RDWR);
	for (i = 0; i < 3; i++)
		while (!dev_alloc(fd, MIB >> 4 * i, 0, &alloc))
			;
	if (alloc.reason != ACLKM_REASON_USER_BYTES)
		printf("# reason %u\n", alloc.reason);
	pause();
	return 0;
}

/* S14: who takes all that can be had leaves others their share. */
TEST_F(limits, fork_bomb_leaves_others_their_share)
{
	uint64_t share = self->before.free / 2 & -MIB;
	struct aclkm_alloc alloc;
	int i, status;
	pid_t pid;

	ASSERT_EQ(0, sysfs_set("limits/user_bytes", share));
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		_exit(bomb(NULL));
	}
	for (i = 0; i < 500 && dev_info(self->fd).free > self->before.free - share; i++)
		usleep(10 * 1000);
	usleep(50 * 1000);
	EXPECT_EQ(self->before.free - share, dev_info(self->fd).free);
	/* Another user gets its own share in spite of it, to the last byte. */
	for (i = 0; i < share / (4 * MIB); i++)
		ASSERT_EQ(0, dev_alloc(self->fd, 4 * MIB, 0, &alloc));
	kill(-pid, SIGKILL);
	waitpid(pid, &status, 0);
	close(self->fd);
	self->fd = dev_open(O_RDWR);
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Writes to every 2 MiB of @size bytes and gives them back: true if that could be done. */
static bool make_dirty(int fd, uint64_t size)
{
	struct aclkm_alloc alloc;
	uint64_t at;
	char *mem;

	if (dev_alloc(fd, size, 0, &alloc))
		return false;
	mem = dev_map(fd, alloc.offset, size);
	if (mem == MAP_FAILED)
		return false;
	for (at = 0; at < size; at += 2 * MIB)
		mem[at] = 1;
	munmap(mem, size);
	return !dev_free(fd, alloc.handle);
}

static uint32_t killed_flags;

static void child_allocs(uint64_t size, int pipe)
{
	struct aclkm_alloc alloc;
	int fd = dev_open(O_RDWR);

	if (write(pipe, "g", 1) != 1)
		_exit(1);
	_exit(dev_alloc_flags(fd, size, 0, killed_flags, &alloc) ? 2 : 3);
}

/*
 * SIGKILL ends a long ALLOC, each time: the process dies by the signal, not long after
 * it, and all memory comes back. How much of the time of a whole ALLOC it lived on, and
 * how many seconds, is told; test_latency judges that by a clock that counts instructions.
 */
TEST_F_TIMEOUT(limits, killed_while_memory_is_cleared, 120)
{
	static const uint32_t flags[] = { 0, ACLKM_ALLOC_SMALL, ACLKM_ALLOC_WC, ACLKM_ALLOC_UC };
	uint64_t size = self->before.largest_free;
	int pipes[2], status, i, tries;
	struct aclkm_alloc alloc;
	double whole, start, late;
	char byte;
	pid_t pid;

	if (size < GIB)
		SKIP(return, "no GiB to clear");
	ASSERT_EQ(0, pipe(pipes));
	for (i = 0; i < 4; i++) {
		killed_flags = flags[i];
		if (flags[i] & (ACLKM_ALLOC_WC | ACLKM_ALLOC_UC) &&
		    !dev_has(self->fd, ACLKM_FEATURE_CACHE))
			continue;
		/* How long it takes when it is all dirty. */
		ASSERT_TRUE(make_dirty(self->fd, size));
		start = now();
		ASSERT_EQ(0, dev_alloc_flags(self->fd, size, 0, flags[i], &alloc));
		whole = now() - start;
		ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
		for (tries = 1; tries <= 4; tries++) {
			ASSERT_TRUE(make_dirty(self->fd, size));
			pid = fork();
			if (!pid)
				child_allocs(size, pipes[1]);
			ASSERT_EQ(1, read(pipes[0], &byte, 1));
			usleep(whole * tries / 8 * 1e6);
			start = now();
			kill(pid, SIGKILL);
			ASSERT_EQ(pid, waitpid(pid, &status, 0));
			late = now() - start;
			/* With other guests around, it may have been done before the signal. */
			if (WIFSIGNALED(status))
				EXPECT_GT(whole / 2 + 1, late);
			EXPECT_TRUE(accounts_back(self->fd, &self->before));
			printf("# flags %#x: ALLOC %.2f s; dead %.2f s after the signal\n",
			       flags[i], whole, late);
		}
	}
	close(pipes[0]);
	close(pipes[1]);
}

/* The text of every file of limits, and who may write it. */
static int nobody_writes(void *arg)
{
	int i;

	become(NOBODY);
	for (i = 0; i < LIMITS; i++)
		CHECK(sysfs_write(limits[i], "1") == -EACCES);
	return 0;
}

static int without_cap_writes(void *arg)
{
	int i;

	drop_cap(CAP_SYS_ADMIN);
	for (i = 0; i < LIMITS; i++)
		CHECK(sysfs_write(limits[i], "1") == -EPERM);
	return 0;
}

TEST_F(limits, files)
{
	static const struct { const char *text; uint64_t value; } good[] = {
		{ "0", 0 }, { "1", 1 }, { "4K\n", 4 * KIB }, { "3m", 3 * MIB }, { "2G", 2 * GIB },
		{ "0x10", 16 }, { "18446744073709551615", ~0ULL }, { "12\n", 12 },
	};
	static const char * const bad[] = { "\n", " ", "abc", "-1", "-0", "4K4", "1 2", "1\n\n",
					    "M", "1Z", "\t1x", "18446744073709551616",
					    "99999999999999999999999", "32E", "0x", "1.5M" };
	int i, j;

	for (i = 0; i < LIMITS; i++) {
		for (j = 0; j < sizeof(good) / sizeof(good[0]); j++) {
			EXPECT_EQ(0, sysfs_write(limits[i], good[j].text))
				TH_LOG("%s: %s", limits[i], good[j].text);
			EXPECT_EQ(good[j].value, sysfs_get(limits[i]));
		}
		ASSERT_EQ(0, sysfs_set(limits[i], 12));
		for (j = 0; j < sizeof(bad) / sizeof(bad[0]); j++) {
			EXPECT_EQ(-EINVAL, sysfs_write(limits[i], bad[j]))
				TH_LOG("%s: %s", limits[i], bad[j]);
			EXPECT_EQ(12, sysfs_get(limits[i]));
			ASSERT_EQ(0, sysfs_set(limits[i], 12));
		}
	}
	EXPECT_EQ(0, in_child(nobody_writes, NULL));
	EXPECT_EQ(0, in_child(without_cap_writes, NULL));
	for (i = 0; i < LIMITS; i++)
		EXPECT_EQ(12, sysfs_get(limits[i]));
}

/* Files that tell cannot be written, by root either. */
#define CGROUPS	"/tmp/aclkm-cgroups"
#define PARENT	CGROUPS "/parent"
#define CHILD	PARENT "/child"
#define OTHER	PARENT "/other"

/* Bytes of "aclkm" that a group holds, itself and with the groups below it. */
static unsigned long long cgroup_bytes(const char *file)
{
	char text[256], *at;

	if (file_read(file, text, sizeof(text)) < 0)
		return ~0ULL;
	at = strstr(text, "aclkm ");
	return at ? strtoull(at + strlen("aclkm "), NULL, 10) : 0;
}

static bool cgroup_refuses(int fd, uint64_t size)
{
	return refused(fd, size, ACLKM_REASON_CGROUP, 0);
}

/* In CHILD, which may have 4 MiB, of the 6 MiB that all groups in PARENT may have. */
static int cgroup_child(void *arg)
{
	struct aclkm_alloc a, b, c;
	int fd;
	char *mem;

	CHECK(!file_write(CHILD "/cgroup.procs", "0"));
	become(USER_A);
	fd = dev_open(O_RDWR);
	CHECK(cgroup_refuses(fd, 4 * MIB + 1));
	CHECK(!dev_alloc(fd, 3 * MIB, 0, &a));
	CHECK(cgroup_refuses(fd, MIB + 1));
	CHECK(!dev_alloc(fd, MIB, 0, &b));
	CHECK(cgroup_refuses(fd, PAGE));
	CHECK(cgroup_bytes(CHILD "/dmem.current") == 4 * MIB);
	CHECK(!dev_free(fd, b.handle));
	/* A mapping keeps the memory, and a descriptor of another group's changes nothing. */
	mem = dev_map(fd, a.offset, 3 * MIB);
	CHECK(mem != MAP_FAILED);
	CHECK(!dev_free(fd, a.handle));
	CHECK(cgroup_bytes(CHILD "/dmem.current") == 3 * MIB);
	CHECK(cgroup_refuses(*(int *)arg, MIB + 1));
	CHECK(!dev_alloc(*(int *)arg, MIB, 0, &c));
	CHECK(cgroup_bytes(CHILD "/dmem.current") == 4 * MIB);
	CHECK(!dev_free(*(int *)arg, c.handle));
	munmap(mem, 3 * MIB);
	CHECK(cgroup_bytes(CHILD "/dmem.current") == 0);
	/* Calls that fail, and a process that ends with what it holds. */
	CHECK(dev_alloc_flags(fd, MIB, 0, 1 << 31, &a) == -EINVAL);
	CHECK(cgroup_bytes(CHILD "/dmem.current") == 0);
	CHECK(!dev_alloc(fd, 4 * MIB, 0, &a));
	return 0;
}

static int cgroup_other_child(void *arg)
{
	struct aclkm_alloc alloc;
	int fd;

	CHECK(!file_write(OTHER "/cgroup.procs", "0"));
	fd = dev_open(O_RDWR);
	CHECK(!dev_alloc(fd, 6 * MIB, 0, &alloc));
	CHECK(cgroup_bytes(PARENT "/dmem.current") == 6 * MIB);
	/* Root as well: the limit is the group's. */
	CHECK(cgroup_refuses(fd, PAGE));
	CHECK(!file_write(CHILD "/cgroup.procs", "0"));
	CHECK(cgroup_bytes(OTHER "/dmem.current") == 6 * MIB);
	CHECK(cgroup_refuses(fd, PAGE));
	return 0;
}

static bool cgroup_is_empty(void)
{
	int i;

	for (i = 0; i < 100 && cgroup_bytes(PARENT "/dmem.current"); i++)
		usleep(20 * 1000);
	return !cgroup_bytes(PARENT "/dmem.current");
}

TEST_F(limits, of_a_cgroup)
{
	char text[256] = "";

	mkdir(CGROUPS, 0700);
	ASSERT_EQ(0, mount("none", CGROUPS, "cgroup2", 0, NULL));
	if (file_read(CGROUPS "/cgroup.controllers", text, sizeof(text)) < 0 ||
	    !strstr(text, "dmem")) {
		umount(CGROUPS);
		SKIP(return, "the kernel has no dmem controller (CONFIG_CGROUP_DMEM)");
	}
	EXPECT_LT(64 * MIB, cgroup_bytes(CGROUPS "/dmem.capacity"));
	ASSERT_EQ(0, file_write(CGROUPS "/cgroup.subtree_control", "+dmem"));
	ASSERT_EQ(0, mkdir(PARENT, 0755));
	ASSERT_EQ(0, file_write(PARENT "/cgroup.subtree_control", "+dmem"));
	ASSERT_EQ(0, mkdir(CHILD, 0755));
	ASSERT_EQ(0, mkdir(OTHER, 0755));
	ASSERT_EQ(0, file_write(PARENT "/dmem.max", "aclkm 6291456"));
	ASSERT_EQ(0, file_write(CHILD "/dmem.max", "aclkm 4194304"));
	EXPECT_EQ(0, in_child(cgroup_child, &self->fd));
	EXPECT_TRUE(cgroup_is_empty());
	EXPECT_EQ(0, in_child(cgroup_other_child, NULL));
	EXPECT_TRUE(cgroup_is_empty());
	EXPECT_EQ(0, rmdir(CHILD));
	EXPECT_EQ(0, rmdir(OTHER));
	EXPECT_EQ(0, rmdir(PARENT));
	EXPECT_EQ(0, umount(CGROUPS));
}

TEST_F(limits, totals_cannot_be_written)
{
	static const char * const files[] = { "arenas", "total", "free", "largest_free", "clean",
					      "dirty", "held", "regions", "pinned" };
	int i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		EXPECT_GT(0, sysfs_write(files[i], "1"));
}

/*
 * As many handles as there can be cannot be tried (2^22 - 1); but as many as an
 * open file is allowed, all different, none 0.
 */
static int handles_child(void *arg)
{
	struct aclkm_import import;
	struct aclkm_alloc alloc;
	uint32_t last = 0;
	int fd, buf, i;

	become(USER_A);
	fd = dev_open(O_RDWR);
	CHECK(!dev_alloc(fd, PAGE, 0, &alloc));
	buf = dev_export(fd, alloc.handle, 0, 0, 0);
	for (i = 1; i < 20000; i++) {
		CHECK(!dev_import(fd, buf, &import));
		CHECK(import.handle > last && import.handle < 1U << 22);
		last = import.handle;
	}
	CHECK(dev_import(fd, buf, &import) == -EDQUOT);
	CHECK(!dev_free(fd, last));
	CHECK(!dev_import(fd, buf, &import) && import.handle == last);
	return 0;
}

TEST_F(limits, many_handles)
{
	ASSERT_EQ(0, sysfs_set("limits/file_regions", 20000));
	EXPECT_EQ(0, in_child(handles_child, NULL));
}

TEST_HARNESS_MAIN
