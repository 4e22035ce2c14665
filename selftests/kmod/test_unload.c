// SPDX-License-Identifier: GPL-2.0
/* rmmod and insmod: refused while memory is in use; the reserve= parameter's rules. */
#include "common.h"
#include "kmsg.h"
#include <signal.h>
#include <sys/uio.h>
#include <sys/syscall.h>
#include "kselftest_harness.h"

FIXTURE(unload) {
	int loaded;
};

FIXTURE_SETUP(unload)
{
	if (geteuid() || access(MODULE, R_OK))
		SKIP(return, "needs root and the module as " MODULE);
}

FIXTURE_TEARDOWN(unload)
{
	/* The next program finds the module as this one did. */
	if (access(ACLKM_DEVICE_PATH, F_OK))
		EXPECT_EQ(0, module_load("reserve=64M"));
}

TEST_F(unload, refused_while_open)
{
	int fd = dev_open(O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EAGAIN, module_unload());
	close(fd);
	EXPECT_EQ(0, module_unload());
	EXPECT_EQ(-ENOENT, dev_open(O_RDWR));
}

TEST_F(unload, refused_while_mapped)
{
	struct aclkm_alloc alloc;
	int fd = dev_open(O_RDWR);
	char *mem;

	ASSERT_EQ(0, dev_alloc(fd, MIB, 0, &alloc));
	mem = dev_map(fd, alloc.offset, MIB);
	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, dev_free(fd, alloc.handle));
	close(fd);
	EXPECT_EQ(-EAGAIN, module_unload());
	memset(mem, 1, MIB);
	munmap(mem, MIB);
	EXPECT_EQ(0, module_unload());
}

/* Nothing is given back to the kernel while somebody reads it: the module waits. */
TEST_F(unload, refused_while_pinned)
{
	struct aclkm_alloc alloc;
	struct iovec iov;
	char copy[PAGE];
	int fd = dev_open(O_RDWR);
	int pipes[2], tries;
	char *mem;

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, dev_alloc(fd, MIB, 0, &alloc));
	mem = dev_map(fd, alloc.offset, MIB);
	ASSERT_NE(MAP_FAILED, mem);
	memset(mem, 0x77, MIB);
	iov = (struct iovec){ mem, PAGE };
	ASSERT_EQ(PAGE, vmsplice(pipes[1], &iov, 1, 0));
	munmap(mem, MIB);
	close(fd);
	EXPECT_EQ(-EAGAIN, module_unload());
	EXPECT_EQ(PAGE, read(pipes[0], copy, PAGE));
	EXPECT_TRUE(all_bytes(copy, PAGE, 0x77));
	close(pipes[0]);
	close(pipes[1]);
	/* Looked at again ten times a second. */
	for (tries = 0; tries < 50 && module_unload() == -EAGAIN; tries++)
		usleep(20 * 1000);
	EXPECT_LT(tries, 50);
}

TEST_F(unload, bad_reserve)
{
	static const char * const bad[] = {
		"reserve=", "reserve=0", "reserve=3M", "reserve=1", "reserve=abc", "reserve=64X",
		"reserve=-2M", "reserve=64M:4K", "reserve=64M:1G", "reserve=64M:2M:99",
		"reserve=64M:2M:-1", "reserve=64M:2M:x", "reserve=64M:2M:0:1", "reserve=64M,",
		"reserve=64M,3M", "reserve=2T", "reserve=99999999999999999999M",
		"reserve=18446744073711648768", "reserve=16777218T", "reserve=M", "reserve=2E",
	};
	int i;

	ASSERT_EQ(0, module_unload());
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int err = module_load(bad[i]);

		if (err != -EINVAL)
			TH_LOG("%s", bad[i]);
		EXPECT_EQ(-EINVAL, err);
		if (!err)
			module_unload();
	}
}

TEST_F(unload, more_than_the_machine_has)
{
	struct aclkm_info info;
	int fd;

	ASSERT_EQ(0, module_unload());
	EXPECT_EQ(-ENOMEM, module_load("reserve=512G"));
	/* What can be had is had, and the rest is missing from the totals. */
	ASSERT_EQ(0, module_load("reserve=32M,512G,16M:2M:0"));
	fd = dev_open(O_RDWR);
	ASSERT_LE(0, fd);
	info = dev_info(fd);
	EXPECT_EQ(2, info.nr_arenas);
	EXPECT_EQ(48 * MIB, info.total);
	EXPECT_EQ(32 * MIB, info.largest_free);
	close(fd);
	ASSERT_EQ(0, module_unload());
}

/* 20 rounds of 64 MiB: a leak of a page block in half of them would show. */
TEST_F_TIMEOUT(unload, memory_comes_back, 100)
{
	/* A kernel that checks itself keeps a stack trace for each place that allocates. */
	long long slack = access("/sys/kernel/debug/kmemleak", F_OK) ? 256 : 1024;
	long long before = 0, after;
	int i;

	ASSERT_EQ(0, module_unload());
	/* The first rounds are for what the kernel keeps from then on. */
	for (i = -3; i < 20; i++) {
		if (!i)
			before = free_pages_settled(0);
		ASSERT_EQ(0, module_load("reserve=64M"));
		ASSERT_EQ(0, module_unload());
	}
	after = free_pages_settled(before);
	TH_LOG("%lld KiB free before, %lld KiB after", before * 4, after * 4);
	EXPECT_LT(before - slack, after);
}

/* Opens, uses and looks at the driver, wherever it is in coming and going. */
static int use_until_told(void *arg)
{
	static const char * const files[] = {
		"/sys/class/misc/aclkm/total", "/sys/class/misc/aclkm/limits/file_bytes",
		"/sys/kernel/debug/aclkm/arenas",
	};
	volatile unsigned long *opened = arg;
	unsigned int i = 0;

	for (;;) {
		struct aclkm_alloc alloc;
		char text[4096];
		int fd = dev_open(O_RDWR);

		if (fd >= 0) {
			opened[0]++;
			if (dev_alloc(fd, PAGE, 0, &alloc))
				return 2;
			close(fd);
		} else if (fd != -ENOENT && fd != -ENODEV && fd != -ENXIO) {
			printf("# open: %s\n", strerror(-fd));
			return 1;
		}
		fd = open(files[i++ % 3], O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			opened[1] += read(fd, text, sizeof(text)) > 0;
			close(fd);
		}
		/* Leaves the driver time to go. */
		usleep(i % 8 * 200);
	}
}

/* S20; ACLKM_TEST_PERCENT=500 makes it the 1,000 rounds that the checklist names. */
TEST_F_TIMEOUT(unload, races_with_open, 300)
{
	volatile unsigned long *opened = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int i, n = rounds(200), err, status;
	unsigned long refused = 0;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, opened);
	ASSERT_EQ(0, module_unload());
	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(use_until_told((void *)opened));
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, module_load("reserve=2M"));
		while ((err = module_unload()) == -EAGAIN) {
			refused++;
			usleep(100);
		}
		ASSERT_EQ(0, err);
	}
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	kill(pid, SIGKILL);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	TH_LOG("%d rounds, %lu opens, %lu reads, %lu times refused", n, opened[0], opened[1], refused);
	EXPECT_LT(0, opened[0]);
	EXPECT_LT(0, opened[1]);
	munmap((void *)opened, PAGE);
}

TEST_HARNESS_MAIN
