// SPDX-License-Identifier: GPL-2.0
/*
 * How long a call keeps a processor, keeps others from the accounts, and outlives
 * SIGKILL. For a guest with one processor whose clock counts instructions (guest-
 * latency.sh), so that every run gives the same times.
 *
 * A real-time process sleeps for a millisecond at a time, and asks INFO. The longest
 * time between two of its rounds is how long it could not run, or waited for a lock.
 */
#include "admin.h"
#include <sched.h>
#include <time.h>
#include "kselftest_harness.h"

/* Nanoseconds, which here are instructions. */
#define MS		1000000ULL
#define GAP_MAX		(12 * MS) /* 10 ms, and what the watcher itself takes */
#define DEATH_MAX	(100 * MS)

struct watch {
	uint64_t longest;
	uint64_t rounds;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 * MS + t.tv_nsec;
}

static void sleep_ms(int ms)
{
	usleep(ms * 1000);
}

static void watch_loop(struct watch *watch)
{
	struct sched_param param = { .sched_priority = 50 };
	int fd = dev_open(O_RDWR);
	uint64_t last, now;

	if (fd < 0 || sched_setscheduler(0, SCHED_FIFO, &param))
		_exit(1);
	for (last = now_ns();; last = now) {
		sleep_ms(1);
		dev_info(fd);
		now = now_ns();
		if (now - last > watch->longest)
			watch->longest = now - last;
		watch->rounds++;
	}
}

FIXTURE(latency) {
	struct watch *watch;
	pid_t watcher;
	int fd;
	struct aclkm_info before;
};

FIXTURE_SETUP(latency)
{
	int i;

	self->watch = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->watch);
	self->fd = dev_open(O_RDWR);
	ASSERT_LE(0, self->fd);
	for (i = 0; i < 600 && dev_info(self->fd).clean != dev_info(self->fd).free; i++)
		sleep_ms(20);
	self->before = dev_info(self->fd);
	ASSERT_EQ(self->before.total, self->before.clean);
	ASSERT_LE(GIB, self->before.largest_free);
	self->watcher = fork();
	if (!self->watcher)
		watch_loop(self->watch);
	ASSERT_LT(0, self->watcher);
	sleep_ms(20);
}

FIXTURE_TEARDOWN(latency)
{
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
	kill(self->watcher, SIGKILL);
	waitpid(self->watcher, NULL, 0);
	munmap(self->watch, PAGE);
	close(self->fd);
}

/* Begins to measure. */
static void watch_begin(struct watch *watch)
{
	sleep_ms(5);
	watch->longest = 0;
	watch->rounds = 0;
}

/* The longest time without the watcher since watch_begin(). */
static uint64_t watch_end(struct watch *watch)
{
	sleep_ms(5);
	return watch->rounds ? watch->longest : UINT64_MAX;
}

FIXTURE_VARIANT(latency) {
	uint32_t flags;
	uint64_t feature;
};
FIXTURE_VARIANT_ADD(latency, small) { .flags = ACLKM_ALLOC_SMALL };
FIXTURE_VARIANT_ADD(latency, huge_2m) {
	.flags = ACLKM_ALLOC_HUGE_2M, .feature = ACLKM_FEATURE_HUGE_2M
};
FIXTURE_VARIANT_ADD(latency, huge_1g) {
	.flags = ACLKM_ALLOC_HUGE_1G, .feature = ACLKM_FEATURE_HUGE_1G
};
FIXTURE_VARIANT_ADD(latency, wc) { .flags = ACLKM_ALLOC_WC, .feature = ACLKM_FEATURE_CACHE };
FIXTURE_VARIANT_ADD(latency, uc) { .flags = ACLKM_ALLOC_UC, .feature = ACLKM_FEATURE_CACHE };

#define NEED_MODE() do { \
	if (!dev_has(self->fd, variant->feature)) \
		SKIP(return, "this driver has not feature %#llx", \
		     (unsigned long long)variant->feature); \
} while (0)

/* Each kind after each other kind, so that units change their shape. */
TEST_F_TIMEOUT(latency, alloc_and_free_leave_the_processor_to_others, 300)
{
	static const uint32_t first[] = { ACLKM_ALLOC_SMALL, ACLKM_ALLOC_HUGE_2M,
					  ACLKM_ALLOC_HUGE_1G };
	struct aclkm_alloc alloc;
	int i;

	NEED_MODE();
	for (i = 0; i < 3; i++) {
		uint64_t gap;

		if (first[i] == ACLKM_ALLOC_HUGE_1G && !dev_has(self->fd, ACLKM_FEATURE_HUGE_1G))
			continue;
		ASSERT_EQ(0, dev_alloc_flags(self->fd, GIB, 0, first[i], &alloc));
		ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
		watch_begin(self->watch);
		ASSERT_EQ(0, dev_alloc_flags(self->fd, GIB, 0, variant->flags, &alloc));
		gap = watch_end(self->watch);
		EXPECT_GE(GAP_MAX, gap) TH_LOG("ALLOC after flags %#x", first[i]);
		printf("# ALLOC after flags %#x: %llu us\n", first[i],
		       (unsigned long long)gap / 1000);
		watch_begin(self->watch);
		ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
		gap = watch_end(self->watch);
		EXPECT_GE(GAP_MAX, gap) TH_LOG("FREE after flags %#x", first[i]);
		printf("# FREE: %llu us\n", (unsigned long long)gap / 1000);
	}
}

static void fill(char *mem, uint64_t size)
{
	uint64_t at;

	for (at = 0; at < size; at += PAGE)
		mem[at] = 1;
}

/* Memory that was written, so that ALLOC clears it itself. */
TEST_F_TIMEOUT(latency, alloc_of_dirty_memory, 300)
{
	struct aclkm_alloc alloc;
	char *mem;

	NEED_MODE();
	ASSERT_EQ(0, dev_alloc_flags(self->fd, GIB, 0, 0, &alloc));
	mem = dev_map(self->fd, alloc.offset, GIB);
	ASSERT_NE(MAP_FAILED, mem);
	fill(mem, GIB);
	munmap(mem, GIB);
	ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
	watch_begin(self->watch);
	ASSERT_EQ(0, dev_alloc_flags(self->fd, GIB, 0, variant->flags, &alloc));
	EXPECT_GE(GAP_MAX, watch_end(self->watch));
	ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
}

/*
 * Runs @child until @ms after it wrote a byte to its pipe, then kills it. How long it
 * lived after that.
 */
static uint64_t killed_after(void (*child)(int pipe, uint32_t flags), uint32_t flags, int ms)
{
	int pipes[2], status;
	uint64_t start;
	char byte;
	pid_t pid;

	if (pipe(pipes))
		abort();
	pid = fork();
	if (!pid) {
		child(pipes[1], flags);
		_exit(0);
	}
	if (read(pipes[0], &byte, 1) != 1)
		abort();
	sleep_ms(ms);
	start = now_ns();
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		abort();
	start = now_ns() - start;
	close(pipes[0]);
	close(pipes[1]);
	return WIFSIGNALED(status) ? start : 0;
}

static void child_allocs(int pipe, uint32_t flags)
{
	int fd = dev_open(O_RDWR);
	struct aclkm_alloc alloc;

	if (write(pipe, "x", 1) != 1)
		_exit(1);
	dev_alloc_flags(fd, GIB, 0, flags, &alloc);
	pause();
}

static void child_frees(int pipe, uint32_t flags)
{
	int fd = dev_open(O_RDWR);
	struct aclkm_alloc alloc;

	if (dev_alloc_flags(fd, GIB, 0, flags, &alloc) || write(pipe, "x", 1) != 1)
		_exit(1);
	dev_free(fd, alloc.handle);
	pause();
}

/* At every moment of an ALLOC, and of what comes after it. */
TEST_F_TIMEOUT(latency, sigkill_ends_alloc, 300)
{
	static const int moments[] = { 1, 3, 10, 30, 80, 150, 300, 600 };
	int i;

	NEED_MODE();
	for (i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		uint64_t lived;

		watch_begin(self->watch);
		lived = killed_after(child_allocs, variant->flags, moments[i]);
		EXPECT_NE(0, lived);
		EXPECT_GE(DEATH_MAX, lived) TH_LOG("killed after %d ms", moments[i]);
		EXPECT_GE(GAP_MAX, watch_end(self->watch));
		/* All of it is there again for the next one, and soon. */
		EXPECT_TRUE(accounts_back(self->fd, &self->before));
	}
}

TEST_F_TIMEOUT(latency, sigkill_ends_free, 300)
{
	static const int moments[] = { 0, 2, 20, 100 };
	int i;

	NEED_MODE();
	for (i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		uint64_t lived = killed_after(child_frees, variant->flags, moments[i]);

		EXPECT_NE(0, lived);
		EXPECT_GE(DEATH_MAX, lived) TH_LOG("killed after %d ms", moments[i]);
		EXPECT_TRUE(accounts_back(self->fd, &self->before));
	}
}

/* An ALLOC right after the death finds all memory, though it may still be released. */
TEST_F_TIMEOUT(latency, memory_of_the_killed_is_there_at_once, 300)
{
	struct aclkm_alloc alloc;

	NEED_MODE();
	EXPECT_NE(0, killed_after(child_allocs, variant->flags, 100));
	ASSERT_EQ(0, dev_alloc_flags(self->fd, GIB, 0, variant->flags, &alloc));
	EXPECT_EQ(0, dev_free(self->fd, alloc.handle));
}

FIXTURE(held) {
	int fd, pipes[2];
	struct aclkm_info before;
};

FIXTURE_SETUP(held)
{
	self->fd = dev_open(O_RDWR);
	ASSERT_LE(0, self->fd);
	self->before = dev_info(self->fd);
	ASSERT_EQ(0, pipe(self->pipes));
}

FIXTURE_TEARDOWN(held)
{
	close(self->pipes[0]);
	close(self->pipes[1]);
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
	close(self->fd);
}

/* A region whose last page alone is pinned, through the pipe. */
static bool hold(int fd, int pipe, uint64_t size)
{
	struct aclkm_alloc alloc;
	struct iovec iov = { .iov_len = PAGE };

	if (dev_alloc_flags(fd, size, 0, ACLKM_ALLOC_SMALL, &alloc))
		return false;
	iov.iov_base = dev_map(fd, alloc.offset + size - PAGE, PAGE);
	if (iov.iov_base == MAP_FAILED || vmsplice(pipe, &iov, 1, 0) != PAGE)
		return false;
	munmap(iov.iov_base, PAGE);
	return !dev_free(fd, alloc.handle) && dev_info(fd).held == size;
}

static uint64_t info_cost(int fd)
{
	uint64_t start = now_ns();
	int i;

	for (i = 0; i < 100; i++)
		dev_info(fd);
	return (now_ns() - start) / 100;
}

static uint64_t system_ticks(void)
{
	unsigned long long user, nice, system = 0;
	FILE *f = fopen("/proc/stat", "re");

	if (f && fscanf(f, "cpu %llu %llu %llu", &user, &nice, &system) != 3)
		abort();
	if (f)
		fclose(f);
	return system;
}

/* A search of a GiB, ten times a second, would be 13 ticks in 5 s at least. */
TEST_F(held, cost_does_not_depend_on_the_size)
{
	uint64_t small, large, ticks;

	ASSERT_TRUE(hold(self->fd, self->pipes[1], PAGE));
	small = info_cost(self->fd);
	close(self->pipes[0]);
	close(self->pipes[1]);
	ASSERT_TRUE(accounts_back(self->fd, &self->before));
	ASSERT_EQ(0, pipe(self->pipes));

	ASSERT_TRUE(hold(self->fd, self->pipes[1], GIB));
	sleep_ms(300);
	large = info_cost(self->fd);
	printf("# INFO: %llu ns with 4 KiB held, %llu ns with 1 GiB\n",
	       (unsigned long long)small, (unsigned long long)large);
	EXPECT_GE(2 * small, large);
	ticks = system_ticks();
	sleep(5);
	ticks = system_ticks() - ticks;
	printf("# idle for 5 s: %llu ticks\n", (unsigned long long)ticks);
	EXPECT_GE(6, ticks);
}

/* The first pinned page goes first, then the last: the search goes on from one to the other. */
TEST_F(held, until_the_last_pin_is_gone)
{
	struct aclkm_alloc alloc;
	struct iovec iov = { .iov_len = PAGE };
	char *mem, copy[PAGE];
	uint64_t at;

	ASSERT_EQ(0, dev_alloc_flags(self->fd, 64 * MIB, 0, ACLKM_ALLOC_SMALL, &alloc));
	mem = dev_map(self->fd, alloc.offset, 64 * MIB);
	ASSERT_NE(MAP_FAILED, mem);
	for (at = 0; at < 64 * MIB; at += 16 * MIB - PAGE) {
		iov.iov_base = mem + at;
		mem[at] = at >> 20;
		ASSERT_EQ(PAGE, vmsplice(self->pipes[1], &iov, 1, 0));
	}
	munmap(mem, 64 * MIB);
	ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
	for (at = 0; at < 64 * MIB; at += 16 * MIB - PAGE) {
		sleep_ms(250);
		EXPECT_EQ(64 * MIB, dev_info(self->fd).held);
		ASSERT_EQ(PAGE, read(self->pipes[0], copy, PAGE));
		EXPECT_EQ((char)(at >> 20), copy[0]);
	}
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
}

/* An arena that is full of a region just unpinned: ALLOC looks again by itself. */
TEST_F(held, alloc_of_all_memory_after_the_last_pin)
{
	struct aclkm_alloc alloc;
	char copy[PAGE];

	ASSERT_TRUE(hold(self->fd, self->pipes[1], GIB));
	EXPECT_EQ(-ENOSPC, dev_alloc(self->fd, GIB, 0, &alloc));
	ASSERT_EQ(PAGE, read(self->pipes[0], copy, PAGE));
	ASSERT_EQ(0, dev_alloc(self->fd, GIB, 0, &alloc));
	EXPECT_EQ(0, dev_free(self->fd, alloc.handle));
}

TEST_F_TIMEOUT(latency, close_with_many_handles, 300)
{
	struct aclkm_alloc alloc;
	int fd, i;

	if (variant->flags != ACLKM_ALLOC_SMALL)
		return;
	fd = dev_open(O_RDWR);
	ASSERT_LE(0, fd);
	for (i = 0; i < 20000; i++)
		ASSERT_EQ(0, dev_alloc(fd, PAGE, 0, &alloc));
	watch_begin(self->watch);
	close(fd);
	EXPECT_GE(GAP_MAX, watch_end(self->watch));
}

/*
 * Every second page is free, each at an odd one: none fits an alignment of two pages,
 * and all of them are looked at. GAP_STEP is less than one step over all would take.
 */
#define MANY		100000
#define GAP_STEP	(3 * MS / 2)

TEST_F_TIMEOUT(latency, search_among_many_pieces, 300)
{
	struct aclkm_alloc alloc, odd;
	uint32_t first = 0;
	uint64_t begin, gap;
	int fd, i;

	if (variant->flags != ACLKM_ALLOC_SMALL)
		return;
	fd = dev_open(O_RDWR);
	ASSERT_LE(0, fd);
	/* Nothing longer than a page is left. */
	for (i = 0; i < MANY; i++) {
		ASSERT_EQ(0, dev_alloc(fd, PAGE, 0, &alloc));
		if (!i)
			first = alloc.handle;
	}
	while (dev_info(fd).largest_free > PAGE)
		ASSERT_EQ(0, dev_alloc(fd, dev_info(fd).largest_free, 0, &odd));
	for (i = 1; i < MANY; i += 2)
		ASSERT_EQ(0, dev_free(fd, first + i));
	watch_begin(self->watch);
	begin = now_ns();
	EXPECT_EQ(-ENOSPC, dev_alloc(fd, PAGE, 2 * PAGE, &alloc));
	printf("# a search in vain among %d pieces: %llu us\n", MANY / 2,
	       (unsigned long long)(now_ns() - begin) / 1000);
	gap = watch_end(self->watch);
	printf("# longest time without the watcher: %llu us\n", (unsigned long long)gap / 1000);
	EXPECT_GE(GAP_STEP, gap);
	EXPECT_EQ(ACLKM_REASON_FRAGMENTED, alloc.reason);
	close(fd);
}

/* Read as a whole, and thrown away. */
static uint64_t read_all(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t bytes = 0;
	char text[4096];
	ssize_t n;

	while (fd >= 0 && (n = read(fd, text, sizeof(text))) > 0)
		bytes += n;
	if (fd >= 0)
		close(fd);
	return bytes;
}

TEST_F_TIMEOUT(latency, debugfs_with_many_extents, 300)
{
	struct aclkm_alloc alloc;
	int fd, i;

	if (variant->flags != ACLKM_ALLOC_SMALL)
		return;
	fd = dev_open(O_RDWR);
	ASSERT_LE(0, fd);
	for (i = 0; i < 20000; i++)
		ASSERT_EQ(0, dev_alloc(fd, PAGE, 0, &alloc));
	watch_begin(self->watch);
	EXPECT_LT(20000 * 40, read_all("/sys/kernel/debug/aclkm/arenas"));
	EXPECT_GE(GAP_MAX, watch_end(self->watch));
	close(fd);
}

/* Comes last: without an arena, the others have nothing to do. */
TEST_F_TIMEOUT(latency, shrink_leaves_the_processor_to_others, 300)
{
	uint64_t gap;

	if (variant->flags != ACLKM_ALLOC_SMALL)
		return;
	watch_begin(self->watch);
	ASSERT_EQ(0, sysfs_write("shrink", "512M"));
	gap = watch_end(self->watch);
	printf("# shrink: %llu us\n", (unsigned long long)gap / 1000);
	EXPECT_GE(GAP_MAX, gap);
	EXPECT_EQ(self->before.total - 512 * MIB, dev_info(self->fd).total);
	watch_begin(self->watch);
	ASSERT_EQ(0, sysfs_write("shrink", "1G"));
	EXPECT_GE(GAP_MAX, watch_end(self->watch));
	/* What the others and the teardown want. */
	ASSERT_EQ(0, sysfs_write("grow", "1G"));
	self->before = dev_info(self->fd);
}

TEST_HARNESS_MAIN
