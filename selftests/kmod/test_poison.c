// SPDX-License-Identifier: GPL-2.0
/*
 * Pages whose memory has failed (MADV_HWPOISON, or hwpoison-inject by frame number):
 * they leave the arena for good, and nothing but they does.
 */
#include "admin.h"
#include "dmabuf.h"
#include <setjmp.h>
#include <sys/mman.h>
#include "kselftest_harness.h"

#ifndef MADV_HWPOISON
#define MADV_HWPOISON 100
#endif

#define CORRUPT "/sys/kernel/debug/hwpoison/corrupt-pfn"

/* memory_failure() says of memory that it cannot handle that it is busy. */
static bool madvise_poison(void *mem)
{
	return !madvise(mem, PAGE, MADV_HWPOISON) || errno == EBUSY || errno == EHWPOISON;
}

static bool corrupt(uint64_t phys)
{
	char text[32];
	int err;

	snprintf(text, sizeof(text), "%#llx", (unsigned long long)(phys / PAGE));
	err = file_write(CORRUPT, text);
	return !err || err == -EBUSY;
}

static sigjmp_buf touched;
static volatile int sigbus_code;

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	sigbus_code = info->si_code;
	siglongjmp(touched, 1);
}

/* The si_code of the SIGBUS that reading a byte brings, 0 if it brings none. */
static int touch(const char *mem)
{
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO }, old;

	sigbus_code = 0;
	sigaction(SIGBUS, &action, &old);
	if (!sigsetjmp(touched, 1))
		(void)*(const volatile char *)mem;
	sigaction(SIGBUS, &old, NULL);
	return sigbus_code;
}

/* Takes all that is free, page by page where it must; true if @phys is not in it. */
static bool nobody_gets(int fd, uint64_t phys)
{
	struct aclkm_alloc alloc;
	struct aclkm_query query;
	bool elsewhere = true;
	int other = dev_open(O_RDWR);
	uint64_t size;

	while (elsewhere && (size = dev_info(fd).largest_free)) {
		if (dev_alloc(other, size, 0, &alloc) || dev_query(other, alloc.handle, &query))
			abort();
		elsewhere = phys < query.phys || phys >= query.phys + query.size;
	}
	close(other);
	return elsewhere;
}

FIXTURE(poison) {
	int fd, owner;
	struct aclkm_info before;
};

FIXTURE_SETUP(poison)
{
	if (geteuid() || access(MODULE, R_OK))
		SKIP(return, "needs root and the module as " MODULE);
	module_unload();
	ASSERT_EQ(0, module_load("reserve=64M"));
	self->fd = dev_open(O_RDWR);
	ASSERT_LE(0, self->fd);
	self->owner = dev_open(O_RDWR);
	self->before = dev_info(self->fd);
	ASSERT_EQ(0, self->before.poisoned);
}

FIXTURE_TEARDOWN(poison)
{
	int i;

	close(self->owner);
	close(self->fd);
	/* The arena goes back to the kernel but for those pages. */
	for (i = 0; i < 100 && module_unload() == -EAGAIN; i++)
		usleep(20 * 1000);
	EXPECT_EQ(-ENOENT, module_unload());
}

/* The map of the arenas has a line of this length that says so. */
static bool map_has_poison(unsigned long long kib)
{
	static char text[64 * KIB];
	char line[64];

	if (file_read("/sys/kernel/debug/aclkm/arenas", text, sizeof(text)) < 0)
		return false;
	snprintf(line, sizeof(line), " %llu KiB  poisoned\n", kib);
	return strstr(text, line);
}

/* Nothing is missing but the poisoned pages; up to 10 s, as for accounts_back(). */
static bool all_but(int fd, const struct aclkm_info *before, uint64_t bytes)
{
	struct aclkm_info now;
	int i;

	for (i = 0; i < 500; i++) {
		now = dev_info(fd);
		if (now.free == before->free - bytes && now.poisoned == bytes && !now.held &&
		    now.total == before->total && now.nr_regions == before->nr_regions)
			return true;
		usleep(20 * 1000);
	}
	printf("# free %llu -> %llu, held %llu, poisoned %llu, regions %llu\n", before->free,
	       now.free, now.held, now.poisoned, now.nr_regions);
	return false;
}

FIXTURE_VARIANT(poison) {
	uint32_t flags;
	uint64_t at;
};
/* The first page of a compound unit is its head, and others are tails. */
FIXTURE_VARIANT_ADD(poison, small) { .flags = ACLKM_ALLOC_SMALL, .at = 5 * PAGE };
FIXTURE_VARIANT_ADD(poison, head) { .flags = ACLKM_ALLOC_HUGE_2M, .at = 2 * MIB };
FIXTURE_VARIANT_ADD(poison, tail) { .flags = ACLKM_ALLOC_HUGE_2M, .at = 3 * MIB + 7 * PAGE };
FIXTURE_VARIANT_ADD(poison, first_tail) { .flags = ACLKM_ALLOC_HUGE_2M, .at = 4 * MIB + PAGE };
FIXTURE_VARIANT_ADD(poison, last) { .flags = ACLKM_ALLOC_HUGE_2M, .at = 8 * MIB - PAGE };

TEST_F(poison, page_of_a_region_leaves_for_good)
{
	struct aclkm_alloc alloc;
	uint64_t phys, at;
	char *mem, *again;

	ASSERT_EQ(0, dev_alloc_flags(self->owner, 8 * MIB, 2 * MIB, variant->flags, &alloc));
	mem = dev_map(self->owner, alloc.offset, 8 * MIB);
	ASSERT_NE(MAP_FAILED, mem);
	for (at = 0; at < 8 * MIB; at += PAGE)
		mem[at] = 'a' + at / PAGE % 7;
	phys = pagemap_phys(mem + variant->at);
	ASSERT_NE(0, phys);
	ASSERT_TRUE(madvise_poison(mem + variant->at));
	EXPECT_EQ(PAGE, dev_info(self->fd).poisoned);
	EXPECT_EQ(PAGE, sysfs_get("poisoned"));
	/* A mapping that was there, and a new one. */
	again = dev_map(self->owner, alloc.offset, 8 * MIB);
	ASSERT_NE(MAP_FAILED, again);
	EXPECT_EQ(BUS_MCEERR_AR, touch(mem + variant->at));
	EXPECT_EQ(BUS_MCEERR_AR, touch(again + variant->at));
	for (at = 0; at < 8 * MIB; at += PAGE)
		if (at != variant->at && (touch(mem + at) || touch(again + at) ||
					  mem[at] != 'a' + at / PAGE % 7))
			break;
	EXPECT_EQ(8 * MIB, at);
	munmap(mem, 8 * MIB);
	munmap(again, 8 * MIB);
	EXPECT_FALSE(map_has_poison(4));
	ASSERT_EQ(0, dev_free(self->owner, alloc.handle));
	EXPECT_TRUE(all_but(self->fd, &self->before, PAGE));
	EXPECT_TRUE(map_has_poison(4));
	EXPECT_TRUE(nobody_gets(self->fd, phys));
	EXPECT_TRUE(all_but(self->fd, &self->before, PAGE));
}

/* A dma-buf is a file of its own: its mappings are not those of the device node. */
TEST_F(poison, page_is_unmapped_from_dma_bufs)
{
	struct aclkm_alloc alloc;
	char *mem, *part, *whole;
	int part_fd, whole_fd;

	ASSERT_EQ(0, dev_alloc_flags(self->owner, 8 * MIB, 2 * MIB, variant->flags, &alloc));
	mem = dev_map(self->owner, alloc.offset, 8 * MIB);
	ASSERT_NE(MAP_FAILED, mem);
	whole_fd = dev_export(self->owner, alloc.handle, 0, 0, 0);
	ASSERT_LE(0, whole_fd);
	part_fd = dev_export(self->owner, alloc.handle, variant->at, PAGE, ACLKM_EXPORT_READ_ONLY);
	ASSERT_LE(0, part_fd);
	whole = mmap(NULL, 8 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, whole_fd, 0);
	ASSERT_NE(MAP_FAILED, whole);
	part = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, part_fd, 0);
	ASSERT_NE(MAP_FAILED, part);
	memset(whole, 1, 8 * MIB);
	ASSERT_EQ(0, touch(part));
	ASSERT_TRUE(madvise_poison(mem + variant->at));
	EXPECT_EQ(PAGE, dev_info(self->fd).poisoned);
	EXPECT_EQ(BUS_MCEERR_AR, touch(mem + variant->at));
	EXPECT_EQ(BUS_MCEERR_AR, touch(whole + variant->at));
	EXPECT_EQ(BUS_MCEERR_AR, touch(part));
	EXPECT_EQ(0, touch(whole + variant->at + (variant->at == 8 * MIB - PAGE ? -PAGE : PAGE)));
	munmap(mem, 8 * MIB);
	munmap(whole, 8 * MIB);
	munmap(part, PAGE);
	close(part_fd);
	close(whole_fd);
	ASSERT_EQ(0, dev_free(self->owner, alloc.handle));
	EXPECT_TRUE(all_but(self->fd, &self->before, PAGE));
}

/* The process dies, and the page is written by no scrubber. */
TEST_F(poison, page_of_a_killed_process)
{
	int pipes[2], i;
	uint64_t phys;
	pid_t pid;

	ASSERT_EQ(0, pipe(pipes));
	pid = fork();
	if (!pid) {
		struct aclkm_alloc alloc;
		char *mem;

		if (dev_alloc_flags(self->owner, 8 * MIB, 2 * MIB, variant->flags, &alloc))
			_exit(1);
		mem = dev_map(self->owner, alloc.offset, 8 * MIB);
		if (mem == MAP_FAILED)
			_exit(2);
		memset(mem, 0xee, 8 * MIB);
		phys = pagemap_phys(mem + variant->at);
		if (!madvise_poison(mem + variant->at) || write(pipes[1], &phys, 8) != 8)
			_exit(3);
		pause();
	}
	close(pipes[1]);
	ASSERT_EQ(8, read(pipes[0], &phys, 8));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(self->owner);
	self->owner = dev_open(O_RDWR);
	EXPECT_TRUE(all_but(self->fd, &self->before, PAGE));
	for (i = 0; i < 500 && dev_info(self->fd).clean != dev_info(self->fd).free; i++)
		usleep(20 * 1000);
	EXPECT_EQ(self->before.free - PAGE, dev_info(self->fd).clean);
	EXPECT_TRUE(nobody_gets(self->fd, phys));
	close(pipes[0]);
}

/* Pinned when it fails: held for as long as the healthy pages are pinned. */
TEST_F(poison, page_of_a_held_region)
{
	struct iovec iov = { .iov_len = PAGE };
	struct aclkm_alloc alloc;
	char *mem, copy[PAGE];
	int pipes[2];
	uint64_t phys;

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, dev_alloc_flags(self->owner, 8 * MIB, 2 * MIB, variant->flags, &alloc));
	mem = dev_map(self->owner, alloc.offset, 8 * MIB);
	ASSERT_NE(MAP_FAILED, mem);
	mem[0] = mem[variant->at] = 1;
	phys = pagemap_phys(mem + variant->at);
	iov.iov_base = mem;
	ASSERT_EQ(PAGE, vmsplice(pipes[1], &iov, 1, 0));
	ASSERT_TRUE(madvise_poison(mem + variant->at));
	munmap(mem, 8 * MIB);
	ASSERT_EQ(0, dev_free(self->owner, alloc.handle));
	usleep(300 * 1000);
	EXPECT_EQ(8 * MIB, dev_info(self->fd).held);
	EXPECT_EQ(PAGE, dev_info(self->fd).poisoned);
	ASSERT_EQ(PAGE, read(pipes[0], copy, PAGE));
	EXPECT_TRUE(all_but(self->fd, &self->before, PAGE));
	EXPECT_TRUE(nobody_gets(self->fd, phys));
	close(pipes[0]);
	close(pipes[1]);
}

/* Free when it fails, clean, in a compound unit or not: it leaves at once. */
TEST_F(poison, free_page_leaves_at_once)
{
	struct aclkm_alloc alloc;
	struct aclkm_query query;
	char *mem;

	if (access(CORRUPT, W_OK))
		SKIP(return, "no " CORRUPT);
	ASSERT_EQ(0, dev_alloc_flags(self->owner, 8 * MIB, 2 * MIB, variant->flags, &alloc));
	ASSERT_EQ(0, dev_query(self->owner, alloc.handle, &query));
	ASSERT_EQ(0, dev_free(self->owner, alloc.handle));
	ASSERT_TRUE(corrupt(query.phys + variant->at));
	EXPECT_EQ(PAGE, dev_info(self->fd).poisoned);
	EXPECT_EQ(self->before.free - PAGE, dev_info(self->fd).free);
	EXPECT_TRUE(nobody_gets(self->fd, query.phys + variant->at));
	/* Twice is once. */
	corrupt(query.phys + variant->at);
	EXPECT_TRUE(all_but(self->fd, &self->before, PAGE));
	/* The pages around it are of use. */
	ASSERT_EQ(0, dev_alloc_flags(self->owner, 2 * MIB, 0, variant->flags, &alloc));
	mem = dev_map(self->owner, alloc.offset, 2 * MIB);
	ASSERT_NE(MAP_FAILED, mem);
	EXPECT_TRUE(all_bytes(mem, 2 * MIB, 0));
	munmap(mem, 2 * MIB);
	EXPECT_EQ(0, dev_free(self->owner, alloc.handle));
}

/* Memory that get_user_pages() cannot reach, and that the kernel maps another way. */
TEST_F(poison, page_of_a_write_combined_region)
{
	struct aclkm_alloc alloc;
	struct aclkm_query query;
	char *mem;

	if (access(CORRUPT, W_OK) || !dev_has(self->fd, ACLKM_FEATURE_CACHE))
		SKIP(return, "no " CORRUPT " or no write-combined memory");
	ASSERT_EQ(0, dev_alloc_flags(self->owner, 8 * MIB, 2 * MIB, ACLKM_ALLOC_WC, &alloc));
	ASSERT_EQ(0, dev_query(self->owner, alloc.handle, &query));
	mem = dev_map(self->owner, alloc.offset, 8 * MIB);
	ASSERT_NE(MAP_FAILED, mem);
	memset(mem, 1, 8 * MIB);
	ASSERT_TRUE(corrupt(query.phys + variant->at));
	EXPECT_EQ(PAGE, dev_info(self->fd).poisoned);
	EXPECT_EQ(BUS_MCEERR_AR, touch(mem + variant->at));
	EXPECT_EQ(0, touch(mem + variant->at + (variant->at ? -PAGE : PAGE)));
	munmap(mem, 8 * MIB);
	ASSERT_EQ(0, dev_free(self->owner, alloc.handle));
	EXPECT_TRUE(all_but(self->fd, &self->before, PAGE));
	EXPECT_TRUE(nobody_gets(self->fd, query.phys + variant->at));
}

/* More at a time than the driver notes. */
TEST_F(poison, many_pages)
{
	const int pages = 200;
	struct aclkm_alloc alloc;
	char *mem;
	int i;

	ASSERT_EQ(0, dev_alloc_flags(self->owner, 8 * MIB, 2 * MIB, variant->flags, &alloc));
	mem = dev_map(self->owner, alloc.offset, 8 * MIB);
	ASSERT_NE(MAP_FAILED, mem);
	memset(mem, 1, 8 * MIB);
	for (i = 0; i < pages; i++)
		ASSERT_TRUE(madvise_poison(mem + 9 * i * PAGE));
	/* INFO waits until all of them are handled. */
	EXPECT_EQ(pages * PAGE, dev_info(self->fd).poisoned);
	for (i = 0; i < pages; i++)
		EXPECT_EQ(BUS_MCEERR_AR, touch(mem + 9 * i * PAGE));
	EXPECT_EQ(0, touch(mem + PAGE));
	munmap(mem, 8 * MIB);
	ASSERT_EQ(0, dev_free(self->owner, alloc.handle));
	EXPECT_TRUE(all_but(self->fd, &self->before, pages * PAGE));
}

/* What is left of the arena can be given back. */
TEST_F(poison, shrink_passes_it_by)
{
	struct aclkm_alloc alloc;
	char *mem;

	ASSERT_EQ(0, dev_alloc_flags(self->owner, 8 * MIB, 2 * MIB, variant->flags, &alloc));
	mem = dev_map(self->owner, alloc.offset, 8 * MIB);
	ASSERT_NE(MAP_FAILED, mem);
	mem[variant->at] = 1;
	ASSERT_TRUE(madvise_poison(mem + variant->at));
	munmap(mem, 8 * MIB);
	ASSERT_EQ(0, dev_free(self->owner, alloc.handle));
	EXPECT_TRUE(all_but(self->fd, &self->before, PAGE));
	ASSERT_EQ(0, sysfs_write("shrink", "16M"));
	EXPECT_EQ(48 * MIB, dev_info(self->fd).total);
	ASSERT_EQ(0, sysfs_write("shrink", "48M"));
	EXPECT_EQ(0, dev_info(self->fd).nr_arenas);
	EXPECT_EQ(0, dev_info(self->fd).poisoned);
	ASSERT_EQ(0, sysfs_write("grow", "32M"));
	EXPECT_EQ(32 * MIB, dev_info(self->fd).total);
}

TEST_HARNESS_MAIN
