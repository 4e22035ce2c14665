// SPDX-License-Identifier: GPL-2.0
/*
 * PIN beside everything else: which page it pins, who pays for it and for how long,
 * what signals do to it, and handles that go while another thread looks at them.
 */
#include "dmabuf.h"
#include "admin.h"
#include "pin.h"
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include "kselftest_harness.h"
#include "fixtures.h"

#define RW (PROT_READ | PROT_WRITE)
#define MIB2 (2 * MIB)
#define USER_A 1001
#define USER_B 1002
#define SUBORDINATE 200001
#define LIMIT (64 * KIB)

/* In children: the line that went wrong is in the output. */
#define CHECK(expression) do { \
	if (!(expression)) { \
		printf("# line %d: %s\n", __LINE__, #expression); \
		return 1; \
	} \
} while (0)

FIXTURE_WITH_PINS(pin)

/* ------------------------------------------------------ which page is pinned */

/* Where the page table says that the page is; 0 if there is none. Does not touch it. */
static uint64_t mapped_at(const char *mem)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (pread(fd, &entry, 8, (uintptr_t)mem / PAGE * 8) != 8)
		entry = 0;
	close(fd);
	return entry >> 63 ? (entry & ((1ULL << 55) - 1)) * PAGE : 0;
}

/*
 * Whether a device that reads the pinned page sees what the program writes afterwards,
 * or, where it may not write, what it reads.
 */
static bool device_reads_the_mapped_page(int fd, char *mem, uint32_t flags, bool write)
{
	struct aclkm_phys_extent ext;
	struct aclkm_phys phys;
	struct aclkm_pin pin;
	int err = dev_pin(fd, mem, PAGE, flags, &pin);

	if (err || dev_phys(fd, pin.handle, 0, &ext, 1, &phys) || phys.count != 1) {
		printf("# PIN: %d\n", err);
		return false;
	}
	if (write)
		memset(mem, 0x5a, PAGE);
	else
		(void)*(volatile char *)mem;
	if (ext.phys != mapped_at(mem)) {
		printf("# pinned at %#llx, mapped at %#llx\n", ext.phys,
		       (unsigned long long)mapped_at(mem));
		return false;
	}
	return !dev_free(fd, pin.handle);
}

static char *small_pages(void)
{
	char *mem = anonymous(PAGE);

	madvise(mem, PAGE, MADV_NOHUGEPAGE);
	return mem;
}

TEST_F(pin, anonymous_memory_is_pinned_where_it_is_mapped)
{
	uint32_t flags[] = { ACLKM_PIN_READ_ONLY, 0 };
	char *mem;
	int i;

	for (i = 0; i < 2; i++) {
		mem = small_pages();
		EXPECT_TRUE(device_reads_the_mapped_page(self->owner, mem, flags[i], true));
		mem = small_pages();
		/* The page of zeros that all processes share. */
		EXPECT_EQ(0, *(volatile char *)mem);
		EXPECT_TRUE(device_reads_the_mapped_page(self->owner, mem, flags[i], true));
		mem = small_pages();
		memset(mem, 1, PAGE);
		EXPECT_TRUE(device_reads_the_mapped_page(self->owner, mem, flags[i], true));
	}
	/* A program that may not write its own memory. */
	mem = small_pages();
	EXPECT_EQ(0, mprotect(mem, PAGE, PROT_READ));
	EXPECT_TRUE(device_reads_the_mapped_page(self->owner, mem, ACLKM_PIN_READ_ONLY, false));
	EXPECT_EQ(0, mprotect(mem, PAGE, RW));
	EXPECT_TRUE(device_reads_the_mapped_page(self->owner, mem, ACLKM_PIN_READ_ONLY, true));
}

TEST_F(pin, a_huge_page_of_zeros_is_not_what_is_pinned)
{
	char *mem = anonymous(2 * MIB2);

	mem = (char *)(((uintptr_t)mem + MIB2 - 1) & -MIB2);
	madvise(mem, MIB2, MADV_HUGEPAGE);
	EXPECT_EQ(0, *(volatile char *)mem);
	EXPECT_TRUE(device_reads_the_mapped_page(self->owner, mem, ACLKM_PIN_READ_ONLY, true));
}

TEST_F(pin, a_page_shared_with_a_child_is_the_parents_before_it_is_pinned)
{
	char *mem = small_pages();
	pid_t pid;

	memset(mem, 1, PAGE);
	pid = fork();
	if (!pid) {
		pause();
		_exit(0);
	}
	EXPECT_TRUE(device_reads_the_mapped_page(self->owner, mem, ACLKM_PIN_READ_ONLY, true));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

TEST_F(pin, memory_of_files_is_pinned_where_it_is_mapped)
{
	int file = memfd_create("pin", MFD_CLOEXEC), i;
	const struct {
		int prot, flags;
		bool read_first, write;
	} kinds[] = {
		{ RW, MAP_PRIVATE, true, true },
		{ RW, MAP_PRIVATE, false, true },
		{ PROT_READ, MAP_PRIVATE, false, false },
		{ RW, MAP_SHARED, false, true },
		{ PROT_READ, MAP_SHARED, false, false },
	};

	ASSERT_EQ(0, ftruncate(file, PAGE));
	for (i = 0; i < 5; i++) {
		char *mem = mmap(NULL, PAGE, kinds[i].prot, kinds[i].flags, file, 0);

		ASSERT_NE(MAP_FAILED, mem);
		if (kinds[i].read_first)
			(void)*(volatile char *)mem;
		TH_LOG("mapping %d", i);
		EXPECT_TRUE(device_reads_the_mapped_page(self->owner, mem, ACLKM_PIN_READ_ONLY,
							 kinds[i].write));
		munmap(mem, PAGE);
	}
	close(file);
}

/* Writeback would not see what a device writes, and some file systems fall over it. */
TEST_F(pin, writable_pages_of_a_disk_are_refused)
{
	int disk = open("/dev/vda", O_RDWR | O_CLOEXEC);
	struct aclkm_pin pin;
	char *mem;

	if (disk < 0)
		SKIP(return, "this guest has no disk");
	mem = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, disk, 0);
	ASSERT_NE(MAP_FAILED, mem);
	EXPECT_EQ(-EOPNOTSUPP, dev_pin(self->owner, mem, 4 * PAGE, 0, &pin));
	memset(mem, 1, PAGE);
	EXPECT_EQ(-EOPNOTSUPP, dev_pin(self->owner, mem, 4 * PAGE, 0, &pin));
	EXPECT_TRUE(device_reads_the_mapped_page(self->owner, mem, ACLKM_PIN_READ_ONLY, false));
	munmap(mem, 4 * PAGE);
	/* Copies of its pages are the program's own. */
	mem = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, disk, 0);
	ASSERT_NE(MAP_FAILED, mem);
	EXPECT_TRUE(device_reads_the_mapped_page(self->owner, mem, 0, true));
	munmap(mem, 4 * PAGE);
	close(disk);
}

/* ------------------------------------------------------------- who pays */

static int pin_and_exit(void *arg)
{
	struct aclkm_pin pin;
	int err = dev_pin(*(int *)arg, anonymous(LIMIT / 2), LIMIT / 2, 0, &pin);

	return err ? -err : 0;
}

static int limit_memlock(void)
{
	struct rlimit limit = { LIMIT, LIMIT };

	return setrlimit(RLIMIT_MEMLOCK, &limit);
}

/* Children that pin and exit leave their pages pinned: the file keeps the handles. */
static int children_pin_child(void *arg)
{
	struct aclkm_pin pin;
	int fd, other, i;

	become(USER_A);
	CHECK(!limit_memlock());
	fd = dev_open(O_RDWR);
	CHECK(!in_child(pin_and_exit, &fd));
	CHECK(!in_child(pin_and_exit, &fd));
	for (i = 0; i < 5; i++)
		CHECK(in_child(pin_and_exit, &fd) == ENOMEM);
	CHECK(dev_pin(fd, anonymous(PAGE), PAGE, 0, &pin) == -ENOMEM);
	/* Another open file of the same user is no way out. */
	other = dev_open(O_RDWR);
	CHECK(dev_pin(other, anonymous(PAGE), PAGE, 0, &pin) == -ENOMEM);
	close(fd);
	CHECK(!dev_pin(other, anonymous(LIMIT), LIMIT, 0, &pin));
	CHECK(dev_pin(other, anonymous(PAGE), PAGE, 0, &pin) == -ENOMEM);
	return 0;
}

TEST_F(pin, children_that_pin_and_exit_do_not_get_around_memlock)
{
	device_for_all();
	EXPECT_EQ(0, in_child(children_pin_child, NULL));
	device_for_root();
}

static int other_user_child(void *arg)
{
	int fd = *(int *)arg, own;
	struct aclkm_pin pin;

	become(USER_B);
	CHECK(!limit_memlock());
	/* Through the descriptor of user A, who pays; and A has all that the limit allows. */
	CHECK(dev_pin(fd, anonymous(PAGE), PAGE, 0, &pin) == -ENOMEM);
	own = dev_open(O_RDWR);
	CHECK(!dev_pin(own, anonymous(LIMIT), LIMIT, 0, &pin));
	return 0;
}

static int opener_pays_child(void *arg)
{
	struct aclkm_pin pin;
	int fd;

	/* User A opens; root stays root in this process, and passes the file on. */
	CHECK(!limit_memlock());
	CHECK(!setresgid(USER_A, USER_A, 0) && !setresuid(USER_A, USER_A, 0));
	fd = dev_open(O_RDWR);
	CHECK(fd >= 0);
	CHECK(!dev_pin(fd, anonymous(LIMIT), LIMIT, 0, &pin));
	CHECK(!setresuid(0, 0, 0));
	CHECK(!in_child(other_user_child, &fd));
	return 0;
}

TEST_F(pin, the_user_who_opened_the_file_pays)
{
	device_for_all();
	EXPECT_EQ(0, in_child(opener_pays_child, NULL));
	device_for_root();
}

/* A user with subordinate ids: becomes one of them inside a namespace of its own. */
static int subordinate_child(void *arg)
{
	struct aclkm_alloc alloc;
	struct aclkm_pin pin;
	int fd = dev_open(O_RDWR);

	CHECK(fd >= 0);
	CHECK(dev_pin(fd, anonymous(PAGE), PAGE, 0, &pin) == -ENOMEM);
	CHECK(dev_alloc(fd, PAGE, 0, &alloc) == -EDQUOT);
	CHECK(alloc.reason == ACLKM_REASON_USER_REGIONS);
	return 0;
}

static int namespace_child(void *arg)
{
	int ready[2], go[2];
	struct aclkm_alloc alloc;
	struct aclkm_pin pin;
	char path[64], byte;
	int status, fd;
	pid_t pid;

	CHECK(!pipe(ready) && !pipe(go));
	fflush(NULL);
	pid = fork();
	if (!pid) {
		become(USER_A);
		CHECK(!limit_memlock());
		fd = dev_open(O_RDWR);
		CHECK(!dev_pin(fd, anonymous(LIMIT), LIMIT, 0, &pin));
		CHECK(!dev_alloc(fd, PAGE, 0, &alloc));
		if (unshare(CLONE_NEWUSER))
			return 77;
		/* newuidmap does this for users; here root does. */
		CHECK(write(ready[1], "r", 1) == 1 && read(go[0], &byte, 1) == 1);
		CHECK(!setresuid(1, 1, 1));
		return in_child(subordinate_child, NULL);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) == 1) {
		char map[64];

		snprintf(map, sizeof(map), "0 %d 1\n1 %d 1\n", USER_A, SUBORDINATE);
		snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
		CHECK(!file_write(path, map));
		CHECK(write(go[1], "g", 1) == 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

TEST_F(pin, subordinate_users_pay_as_the_one_who_made_their_namespace)
{
	int result;

	device_for_all();
	EXPECT_EQ(0, sysfs_set("limits/user_regions", 1));
	result = in_child(namespace_child, NULL);
	EXPECT_EQ(0, sysfs_set("limits/user_regions", 0));
	device_for_root();
	if (result == 77)
		SKIP(return, "this kernel gives users no namespaces");
	EXPECT_EQ(0, result);
}

/* ------------------------------------------------------------- signals */

static void ignore_alarm(int sig)
{
}

TEST_F(pin, a_timer_does_not_make_it_start_over)
{
	struct sigaction act = { .sa_handler = ignore_alarm, .sa_flags = SA_RESTART };
	struct itimerval timer = { { 0, 2000 }, { 0, 2000 } }, off = {};
	char *mem = anonymous(64 * MIB);
	struct aclkm_pin pin;
	int i;

	madvise(mem, 64 * MIB, MADV_NOHUGEPAGE);
	memset(mem, 1, 64 * MIB);
	ASSERT_EQ(0, sigaction(SIGALRM, &act, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &timer, NULL));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0, dev_pin(self->owner, mem, 64 * MIB, 0, &pin));
		EXPECT_EQ(0, dev_free(self->owner, pin.handle));
	}
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &off, NULL));
}

static int pin_for_ever(void *arg)
{
	char *mem = anonymous(128 * MIB);
	struct aclkm_pin pin;
	int *fds = arg;

	madvise(mem, 128 * MIB, MADV_NOHUGEPAGE);
	for (;;) {
		if (dev_pin(fds[0], mem, 128 * MIB, 0, &pin) || dev_free(fds[0], pin.handle) ||
		    write(fds[1], "p", 1) != 1)
			return 1;
	}
}

TEST_F(pin, a_killed_caller_ends_at_once_and_leaves_nothing)
{
	int to[2], fds[2], i, status;
	pid_t pid;
	char byte;

	ASSERT_EQ(0, pipe(to));
	fds[0] = self->owner;
	fds[1] = to[1];
	for (i = 0; i < rounds(5); i++) {
		fflush(NULL);
		pid = fork();
		if (!pid)
			_exit(pin_for_ever(fds));
		/* Past the first round, somewhere in the next. */
		ASSERT_EQ(1, read(to[0], &byte, 1));
		usleep(1000 + 7000 * i);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		/* A handle may have been left in the file, and nothing else. */
		close(self->owner);
		EXPECT_TRUE(accounts_back(self->fd, &self->before));
		EXPECT_EQ(self->pages, pinned_pages());
		self->owner = fds[0] = dev_open(O_RDWR);
	}
	close(to[0]);
	close(to[1]);
}

/* ------------------------------------------------------------- other threads */

struct race {
	int fd;
	int rounds;
	char *mem;
	volatile bool stop;
};

static void *map_handles(void *arg)
{
	struct race *race = arg;

	while (!race->stop) {
		void *mem = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, race->fd, 1ULL << 40);

		if (mem != MAP_FAILED)
			munmap(mem, PAGE);
	}
	return NULL;
}

static int race_child(void *arg)
{
	struct race *race = arg;
	pthread_t mapper[2];
	struct aclkm_pin pin;
	int i;

	race->fd = dev_open(O_RDWR);
	race->mem = anonymous(PAGE);
	for (i = 0; i < 2; i++)
		CHECK(!pthread_create(&mapper[i], NULL, map_handles, race));
	for (i = 0; i < race->rounds; i++) {
		CHECK(!dev_pin(race->fd, race->mem, PAGE, 0, &pin));
		CHECK(pin.handle == 1);
		CHECK(!dev_free(race->fd, pin.handle));
	}
	race->stop = true;
	for (i = 0; i < 2; i++)
		CHECK(!pthread_join(mapper[i], NULL));
	return 0;
}

/* mmap() looks a handle up while it holds mmap_lock: the last reference must not end there. */
TEST_F_TIMEOUT(pin, mmap_of_a_handle_that_is_just_freed_does_not_hang, 120)
{
	struct race race = { .rounds = rounds(60000) };
	int status, i;
	pid_t pid, got = 0;

	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(race_child(&race));
	for (i = 0; i < 1000 && !got; i++) {
		usleep(100 * 1000);
		got = waitpid(pid, &status, WNOHANG);
	}
	if (!got)
		kill(pid, SIGKILL);
	ASSERT_EQ(pid, got);
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
