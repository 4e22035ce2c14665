// SPDX-License-Identifier: GPL-2.0
/*
 * Write-combined and uncached regions: their bytes, that nobody takes their pages,
 * and that the kernel's own mapping never has another type than the program's.
 */
#include "dmabuf.h"
#include "admin.h"
#include <sys/mman.h>
#include <sys/uio.h>
#include "kselftest_harness.h"

#define SIZE (256 * KIB)

/* Bits of /proc/kpageflags: where x86 keeps the type of each page of memory. */
#define KPF_ARCH	(1ULL << 38)
#define KPF_UNCACHED	(1ULL << 39)
#define KPF_ARCH_2	(1ULL << 41)
#define KPF_TYPE	(KPF_ARCH | KPF_UNCACHED | KPF_ARCH_2)

static uint64_t page_type(uint64_t phys)
{
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	uint64_t flags = ~0ULL;

	if (fd < 0 || pread(fd, &flags, 8, phys / PAGE * 8) != 8)
		return ~0ULL;
	close(fd);
	return flags & KPF_TYPE;
}

/* All pages of a range have this type. */
static bool type_is(uint64_t phys, uint64_t len, uint64_t type)
{
	uint64_t at;

	for (at = 0; at < len; at += PAGE)
		if (page_type(phys + at) != type) {
			printf("# page %llu of %llu: type %#llx, not %#llx\n",
			       (unsigned long long)(at / PAGE),
			       (unsigned long long)(len / PAGE),
			       (unsigned long long)page_type(phys + at),
			       (unsigned long long)type);
			return false;
		}
	return true;
}

FIXTURE(cache) {
	int watch, fd;
	struct aclkm_info before;
	struct aclkm_alloc alloc;
	struct aclkm_query query;
	uint64_t type;
	char *mem;
};

FIXTURE_VARIANT(cache) {
	uint32_t flags;
	uint32_t mode;
	const char *name;
};

FIXTURE_VARIANT_ADD(cache, wc) {
	.flags = ACLKM_ALLOC_WC, .mode = ACLKM_CACHE_WC, .name = "wc"
};
FIXTURE_VARIANT_ADD(cache, uc) {
	.flags = ACLKM_ALLOC_UC, .mode = ACLKM_CACHE_UC, .name = "uc"
};

FIXTURE_SETUP(cache)
{
	self->watch = dev_open(O_RDWR);
	ASSERT_LE(0, self->watch);
	if (!dev_has(self->watch, ACLKM_FEATURE_CACHE))
		return;
	self->before = dev_info(self->watch);
	self->fd = dev_open(O_RDWR);
	ASSERT_EQ(0, dev_alloc_flags(self->fd, SIZE, 0, variant->flags, &self->alloc));
	ASSERT_EQ(0, dev_query(self->fd, self->alloc.handle, &self->query));
	self->mem = dev_map(self->fd, self->alloc.offset, SIZE);
	ASSERT_NE(MAP_FAILED, self->mem);
	self->type = page_type(self->query.phys);
}

/* Not in the setup: the harness would run the test all the same. */
#define NEED_MODES() do { \
	if (!self->before.total) \
		SKIP(return, "this driver has cached memory only"); \
} while (0)

FIXTURE_TEARDOWN(cache)
{
	if (!self->before.total)
		return;
	if (self->mem)
		munmap(self->mem, SIZE);
	close(self->fd);
	EXPECT_TRUE(accounts_back(self->watch, &self->before));
	/* Ordinary again. */
	EXPECT_TRUE(type_is(self->query.phys, SIZE, 0));
	close(self->watch);
}

TEST_F(cache, query_tells)
{
	NEED_MODES();
	EXPECT_EQ(variant->mode, self->query.cache);
	EXPECT_EQ(ACLKM_QUERY_PHYS, self->query.flags);
	EXPECT_EQ(PAGE, self->query.map_page);
	EXPECT_TRUE(type_is(self->query.phys, SIZE, self->type));
	EXPECT_NE(0, self->type);
	EXPECT_NE(~0ULL, self->type);
	/* Neighbours are not changed with it. */
	EXPECT_EQ(0, page_type(self->query.phys + SIZE) & self->type &
		  (self->before.nr_regions ? 0 : ~0ULL));
}

TEST_F(cache, bytes)
{
	NEED_MODES();
	EXPECT_TRUE(all_bytes(self->mem, SIZE, 0));
	pattern_fill(self->mem, 0, SIZE, 5);
	EXPECT_TRUE(pattern_is(self->mem, 0, SIZE, 5));
	/* Another mapping of the same, of a part, and another process. */
	{
		char *again = dev_map(self->fd, self->alloc.offset + 3 * PAGE, 5 * PAGE);

		ASSERT_NE(MAP_FAILED, again);
		EXPECT_TRUE(pattern_is(again, 3 * PAGE, 5 * PAGE, 5));
		pattern_fill(again, 3 * PAGE, PAGE, 6);
		__sync_synchronize();
		EXPECT_TRUE(pattern_is(self->mem + 3 * PAGE, 3 * PAGE, PAGE, 6));
		munmap(again, 5 * PAGE);
	}
	EXPECT_EQ(0, dev_sync(self->fd, self->alloc.handle, ACLKM_SYNC_START | ACLKM_SYNC_READ, 1,
			      SIZE - 1));
	EXPECT_EQ(0, dev_sync(self->fd, self->alloc.handle, ACLKM_SYNC_END | ACLKM_SYNC_WRITE, 0,
			      SIZE));
}

/* Whoever wants the pages is refused, and changes nothing. */
TEST_F(cache, pages_cannot_be_taken)
{
	struct iovec iov = { self->mem, 4 * PAGE };
	char path[] = "/tmp/aclkm-cache-XXXXXX", other[PAGE];
	struct aclkm_pin pin = { .addr = (uintptr_t)self->mem, .len = PAGE };
	struct iovec local = { other, PAGE };
	int pipes[2], file;

	NEED_MODES();
	pattern_fill(self->mem, 0, SIZE, 9);
	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(-1, vmsplice(pipes[1], &iov, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_GT(0, dev_ioctl(self->fd, ACLKM_IOC_PIN, &pin));
	/* Reading another's memory takes its pages for a moment. */
	EXPECT_EQ(-1, process_vm_readv(getpid(), &local, 1, &iov, 1, 0));
	/* Copies by the processor work, into a file as well. */
	file = mkstemp(path);
	ASSERT_LE(0, file);
	unlink(path);
	EXPECT_EQ(SIZE, write(file, self->mem, SIZE));
	memset(self->mem, 0, SIZE);
	EXPECT_EQ(SIZE, pread(file, self->mem, SIZE, 0));
	EXPECT_TRUE(pattern_is(self->mem, 0, SIZE, 9));
	close(file);
	close(pipes[0]);
	close(pipes[1]);
}

/* The type stays as long as anything has it mapped, and goes with the last. */
TEST_F(cache, type_until_the_last_mapping)
{
	char *moved, *place;
	int buf, status, pipes[2];
	char byte;
	pid_t pid;

	NEED_MODES();
	pattern_fill(self->mem, 0, SIZE, 2);
	ASSERT_EQ(0, pipe(pipes));
	buf = dev_export(self->fd, self->alloc.handle, PAGE, 2 * PAGE, ACLKM_EXPORT_CLOEXEC);
	ASSERT_LE(0, buf);
	pid = fork();
	if (!pid) {
		close(self->fd);
		close(buf);
		if (!pattern_is(self->mem, 0, SIZE, 2))
			_exit(1);
		munmap(self->mem, SIZE / 2);
		if (read(pipes[0], &byte, 1) != 1)
			_exit(2);
		_exit(pattern_is(self->mem + SIZE / 2, SIZE / 2, SIZE / 2, 2) ? 0 : 3);
	}
	ASSERT_EQ(0, dev_free(self->fd, self->alloc.handle));
	/* Middle out, front moved, back protected. */
	ASSERT_EQ(0, munmap(self->mem + SIZE / 4, SIZE / 4));
	place = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	moved = mremap(self->mem, SIZE / 4, SIZE / 4, MREMAP_MAYMOVE | MREMAP_FIXED, place + PAGE);
	ASSERT_EQ(place + PAGE, moved);
	ASSERT_EQ(0, mprotect(self->mem + SIZE / 2, PAGE, PROT_READ));
	EXPECT_TRUE(pattern_is(moved, 0, SIZE / 4, 2));
	EXPECT_TRUE(pattern_is(self->mem + SIZE / 2, SIZE / 2, SIZE / 2, 2));
	EXPECT_TRUE(type_is(self->query.phys, SIZE, self->type));
	munmap(place, SIZE);
	munmap(self->mem + SIZE / 2, SIZE / 2);
	self->mem = NULL;
	EXPECT_TRUE(type_is(self->query.phys, SIZE, self->type));
	ASSERT_EQ(1, write(pipes[1], "g", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	/* The dma-buf has it still, and maps it with the same type. */
	EXPECT_TRUE(type_is(self->query.phys, SIZE, self->type));
	moved = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, buf, 0);
	ASSERT_NE(MAP_FAILED, moved);
	EXPECT_TRUE(pattern_is(moved, PAGE, 2 * PAGE, 2));
	munmap(moved, 2 * PAGE);
	close(buf);
	close(pipes[0]);
	close(pipes[1]);
}

/* The same memory, after it was of this type, as ordinary memory. */
TEST_F(cache, memory_is_ordinary_afterwards)
{
	struct aclkm_alloc alloc;
	struct aclkm_query query;
	struct iovec iov;
	int pipes[2], fd;
	char copy[PAGE], *mem;
	uint64_t size;

	NEED_MODES();
	memset(self->mem, 0xee, SIZE);
	munmap(self->mem, SIZE);
	self->mem = NULL;
	ASSERT_EQ(0, dev_free(self->fd, self->alloc.handle));
	EXPECT_TRUE(type_is(self->query.phys, SIZE, 0));
	/* All that is free, in pieces, until this memory comes. */
	fd = dev_open(O_RDWR);
	for (;;) {
		size = dev_info(fd).largest_free;
		ASSERT_NE(0, size);
		ASSERT_EQ(0, dev_alloc(fd, size > 64 * MIB ? 64 * MIB : size, 0, &alloc));
		ASSERT_EQ(0, dev_query(fd, alloc.handle, &query));
		EXPECT_EQ(ACLKM_CACHE_WB, query.cache);
		if (query.phys <= self->query.phys &&
		    self->query.phys + SIZE <= query.phys + query.size)
			break;
	}
	mem = dev_map(fd, alloc.offset + (self->query.phys - query.phys), SIZE);
	ASSERT_NE(MAP_FAILED, mem);
	EXPECT_TRUE(all_bytes(mem, SIZE, 0));
	mem[5] = 'x';
	iov = (struct iovec){ mem, PAGE };
	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(PAGE, vmsplice(pipes[1], &iov, 1, 0));
	EXPECT_EQ(PAGE, read(pipes[0], copy, PAGE));
	EXPECT_EQ('x', copy[5]);
	close(pipes[0]);
	close(pipes[1]);
	munmap(mem, SIZE);
	close(fd);
}

/* What INFO tells is what ALLOC does. */
TEST(offered_or_refused)
{
	const uint32_t flags[] = { ACLKM_ALLOC_WC, ACLKM_ALLOC_UC };
	int i, fd = dev_open(O_RDWR), want;
	struct aclkm_info before;
	struct aclkm_alloc alloc;

	ASSERT_LE(0, fd);
	before = dev_info(fd);
	want = dev_has(fd, ACLKM_FEATURE_CACHE) ? 0 : -EOPNOTSUPP;
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(want, dev_alloc_flags(fd, SIZE, 0, flags[i], &alloc));
		if (!want)
			EXPECT_EQ(0, dev_free(fd, alloc.handle));
	}
	EXPECT_TRUE(accounts_back(fd, &before));
	close(fd);
}

/* No other flags with it. */
TEST_F(cache, flags)
{
	static const uint32_t bad[] = { ACLKM_ALLOC_WC | ACLKM_ALLOC_UC, ACLKM_ALLOC_HUGE_2M,
					ACLKM_ALLOC_HUGE_1G,
					ACLKM_ALLOC_SMALL | ACLKM_ALLOC_HUGE_2M };
	struct aclkm_alloc alloc;
	int i;

	NEED_MODES();
	for (i = 0; i < 4; i++)
		EXPECT_EQ(-EINVAL, dev_alloc_flags(self->fd, SIZE, 0, variant->flags | bad[i],
						   &alloc));
	ASSERT_EQ(0, dev_alloc_flags(self->fd, SIZE, 0,
				     variant->flags | ACLKM_ALLOC_SMALL | ACLKM_ALLOC_NODE_PREFER,
				     &alloc));
	ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
}

/* The kernel's own mapping, where a debug kernel shows its page tables. */
TEST_F(cache, kernels_own_mapping)
{
	uint64_t base = 0, from, to, want;
	FILE *f = fopen("/sys/kernel/debug/page_tables/kernel", "re");
	char line[512];
	bool found = false;

	NEED_MODES();
	if (!f)
		SKIP(return, "this kernel does not show its page tables");
	while (fgets(line, sizeof(line), f)) {
		unsigned long long a, b;

		if (strstr(line, "Low Kernel Mapping")) {
			/* The direct map begins with the next line. */
			if (!fgets(line, sizeof(line), f) ||
			    sscanf(line, "0x%llx-0x%llx", &a, &b) != 2)
				break;
			base = a;
		}
		if (!base || sscanf(line, "0x%llx-0x%llx", &a, &b) != 2)
			continue;
		from = a;
		to = b;
		want = base + self->query.phys;
		if (want < from || want >= to)
			continue;
		found = true;
		EXPECT_NE(NULL, strstr(line, "PWT") ? line : strstr(line, "PCD"))
			TH_LOG("%s", line);
		break;
	}
	fclose(f);
	EXPECT_TRUE(found);
}

/* Regions of every type beside each other, come and gone many times. */
TEST(cache_types_side_by_side)
{
	static const uint32_t flags[] = { 0, ACLKM_ALLOC_WC, ACLKM_ALLOC_UC, ACLKM_ALLOC_SMALL };
	int fd = dev_open(O_RDWR), round, i;
	struct aclkm_info before = dev_info(fd);
	struct aclkm_alloc alloc[8];
	struct aclkm_query query;
	uint64_t type[4] = {};

	if (!dev_has(fd, ACLKM_FEATURE_CACHE))
		SKIP(return, "this processor has cached memory only");
	for (round = 0; round < 40; round++) {
		for (i = 0; i < 8; i++) {
			int kind = (i * 3 + round) % 4;
			char *mem;

			ASSERT_EQ(0, dev_alloc_flags(fd, PAGE * (1 + (i + round) % 40), 0,
						     flags[kind], &alloc[i]));
			ASSERT_EQ(0, dev_query(fd, alloc[i].handle, &query));
			mem = dev_map(fd, alloc[i].offset, query.size);
			ASSERT_NE(MAP_FAILED, mem);
			ASSERT_TRUE(all_bytes(mem, query.size, 0));
			memset(mem, round + 1, query.size);
			munmap(mem, query.size);
			if (!type[kind] && flags[kind] & (ACLKM_ALLOC_WC | ACLKM_ALLOC_UC))
				type[kind] = page_type(query.phys);
			ASSERT_TRUE(type_is(query.phys, query.size, type[kind]));
		}
		for (i = 0; i < 8; i++)
			ASSERT_EQ(0, dev_free(fd, alloc[(i + round) % 8].handle));
	}
	EXPECT_NE(type[1], type[2]);
	EXPECT_TRUE(accounts_back(fd, &before));
	close(fd);
}

TEST_HARNESS_MAIN
