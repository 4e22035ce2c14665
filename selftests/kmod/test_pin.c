// SPDX-License-Identifier: GPL-2.0
/* PIN and PHYS: the process's own memory, whatever it is made of, and how it is let go. */
#include "dmabuf.h"
#include "pin.h"
#include <linux/memfd.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include "kselftest_harness.h"
#include "fixtures.h"

#define RW (PROT_READ | PROT_WRITE)
#define MIB2 (2 * MIB)

FIXTURE_WITH_PINS(pin)

/* 2 MiB aligned, so that the kernel may use one huge page for each 2 MiB. */
static char *huge_aligned(uint64_t len)
{
	char *mem = anonymous(len + MIB2);

	return mem ? (char *)(((uintptr_t)mem + MIB2 - 1) & -MIB2) : NULL;
}

static char *from_memfd(uint64_t len, unsigned int flags)
{
	int fd = memfd_create("pin", MFD_CLOEXEC | flags);
	char *mem = MAP_FAILED;

	if (fd >= 0 && !ftruncate(fd, len))
		mem = mmap(NULL, len, RW, MAP_SHARED, fd, 0);
	close(fd);
	return mem == MAP_FAILED ? NULL : mem;
}

static void set_number(const char *path, int number)
{
	FILE *f = fopen(path, "w");

	if (!f || fprintf(f, "%d\n", number) < 0 || fclose(f))
		printf("# %s: %s\n", path, strerror(errno));
}

/* The largest power of two that divides the range's, and each piece's, place and length. */
static uint64_t layout_page(const char *mem, uint64_t len, const struct aclkm_phys_extent *ext,
			    uint64_t nr)
{
	uint64_t bits = GIB | (uintptr_t)mem | len, i;

	for (i = 0; i < nr; i++)
		bits |= ext[i].phys | ext[i].len;
	return bits & -bits;
}

/* Pins it, and compares what the driver says with /proc/self/pagemap. */
static bool pin_and_compare(int fd, char *mem, uint64_t len, uint64_t page)
{
	static struct aclkm_phys_extent ext[4096];
	struct aclkm_pin pin;
	struct aclkm_phys phys;
	struct aclkm_query query;
	struct aclkm_info before = dev_info(fd);
	uint64_t i, at = 0, off;
	int err = dev_pin(fd, mem, len, 0, &pin);

	if (err || !pin.handle) {
		printf("# PIN: %d\n", err);
		return false;
	}
	err = dev_phys(fd, pin.handle, 0, ext, 4096, &phys);
	if (err || pin.page_size != layout_page(mem, len, ext, phys.count) ||
	    pin.page_size < page) {
		printf("# page size %llu, by layout %llu, at least %llu\n", pin.page_size,
		       (unsigned long long)layout_page(mem, len, ext, phys.count),
		       (unsigned long long)page);
		return false;
	}
	page = pin.page_size;
	if (dev_info(fd).pinned != before.pinned + len || dev_info(fd).free != before.free) {
		printf("# INFO: pinned %llu\n", dev_info(fd).pinned);
		return false;
	}
	if (dev_query(fd, pin.handle, &query) || query.size != len || query.offset ||
	    query.map_page != page || query.align != page ||
	    (query.flags & (ACLKM_QUERY_PINNED | ACLKM_QUERY_IMPORTED)) != ACLKM_QUERY_PINNED) {
		printf("# QUERY: size %llu, offset %llu, map_page %llu, align %llu, flags %#x\n",
		       query.size, query.offset, query.map_page, query.align, query.flags);
		return false;
	}
	err = dev_phys(fd, pin.handle, 0, ext, 4096, &phys);
	if (err || phys.total != pin.nr_extents || phys.count != phys.total) {
		printf("# PHYS: %d, %llu of %llu, PIN said %llu\n", err, phys.count, phys.total,
		       pin.nr_extents);
		return false;
	}
	for (i = 0; i < phys.count; i++) {
		/* Neighbours are one piece. */
		if (i && ext[i].phys == ext[i - 1].phys + ext[i - 1].len) {
			printf("# pieces %llu and %llu are one\n", (unsigned long long)i - 1,
			       (unsigned long long)i);
			return false;
		}
		for (off = 0; off < ext[i].len; off += PAGE, at += PAGE) {
			if (at >= len || pagemap_phys(mem + at) != ext[i].phys + off) {
				printf("# byte %llu is not where PHYS says\n",
				       (unsigned long long)at);
				return false;
			}
		}
	}
	if (at != len || dev_free(fd, pin.handle) || dev_free(fd, pin.handle) != -ENOENT)
		return false;
	return accounts_back(fd, &before);
}

TEST_F(pin, ordinary_pages)
{
	char *mem = anonymous(MIB);

	NEED_FEATURE(self->fd, ACLKM_FEATURE_PIN);
	ASSERT_EQ(0, advise_page_size(mem, MIB, MADV_NOHUGEPAGE));
	/* Not touched before: pinning is what brings the pages. */
	EXPECT_TRUE(pin_and_compare(self->owner, mem, PAGE, PAGE));
	EXPECT_TRUE(pin_and_compare(self->owner, mem, MIB, PAGE));
	pattern_fill(mem, 0, MIB, 1);
	EXPECT_TRUE(pin_and_compare(self->owner, mem + 3 * PAGE, 17 * PAGE, PAGE));
	EXPECT_TRUE(pattern_is(mem, 0, MIB, 1));
}

TEST_F(pin, transparent_huge_pages)
{
	char *mem = huge_aligned(4 * MIB2);

	NEED_FEATURE(self->fd, ACLKM_FEATURE_PIN);
	ASSERT_EQ(0, advise_page_size(mem, 4 * MIB2, MADV_HUGEPAGE));
	memset(mem, 1, 4 * MIB2);
	if (proc_number("/proc/self/smaps_rollup", "AnonHugePages") < 4 * MIB2 / KIB)
		SKIP(return, "this guest gives no transparent huge pages");
	EXPECT_TRUE(pin_and_compare(self->owner, mem, 4 * MIB2, MIB2));
	EXPECT_TRUE(pin_and_compare(self->owner, mem + PAGE, PAGE, PAGE));
	EXPECT_TRUE(pin_and_compare(self->owner, mem + MIB2 - PAGE, 2 * PAGE, PAGE));
}

TEST_F(pin, shared_memory)
{
	char *mem = from_memfd(MIB, 0);

	NEED_FEATURE(self->fd, ACLKM_FEATURE_PIN);
	ASSERT_NE(NULL, mem);
	pattern_fill(mem, 0, MIB, 1);
	EXPECT_TRUE(pin_and_compare(self->owner, mem, MIB, PAGE));
	EXPECT_TRUE(pattern_is(mem, 0, MIB, 1));
}

TEST_F(pin, hugetlb)
{
	char *mem;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_PIN);
	set_number("/proc/sys/vm/nr_hugepages", 4);
	mem = from_memfd(2 * MIB2, MFD_HUGETLB);
	if (mem) {
		memset(mem, 1, 2 * MIB2);
		EXPECT_TRUE(pin_and_compare(self->owner, mem, 2 * MIB2, MIB2));
		EXPECT_TRUE(pin_and_compare(self->owner, mem + MIB2 - PAGE, 2 * PAGE, PAGE));
		munmap(mem, 2 * MIB2);
	}
	/* Nothing pinned keeps a huge page. */
	set_number("/proc/sys/vm/nr_hugepages", 0);
	EXPECT_EQ(0, proc_number("/proc/meminfo", "HugePages_Total"));
	if (!mem)
		SKIP(return, "no free hugetlb pages");
}

/* A mapping of several kinds. */
TEST_F(pin, mixed)
{
	char *mem = huge_aligned(2 * MIB2);

	NEED_FEATURE(self->fd, ACLKM_FEATURE_PIN);
	ASSERT_EQ(0, advise_page_size(mem, MIB2, MADV_NOHUGEPAGE));
	ASSERT_EQ(0, advise_page_size(mem + MIB2, MIB2, MADV_HUGEPAGE));
	memset(mem, 1, 2 * MIB2);
	EXPECT_TRUE(pin_and_compare(self->owner, mem, 2 * MIB2, PAGE));
	/* From a huge page into small ones: 4 KiB further than any larger page allows. */
	EXPECT_TRUE(pin_and_compare(self->owner, mem + MIB2 - PAGE, 3 * PAGE, PAGE));
}

TEST_F(pin, bad_arguments)
{
	char *mem = anonymous(4 * PAGE);
	struct aclkm_pin pin;
	int fd = self->owner;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_PIN);
	EXPECT_EQ(-EINVAL, dev_pin(fd, mem, 0, 0, &pin));
	EXPECT_EQ(-EINVAL, dev_pin(fd, mem, 1, 0, &pin));
	EXPECT_EQ(-EINVAL, dev_pin(fd, mem, PAGE + 1, 0, &pin));
	EXPECT_EQ(-EINVAL, dev_pin(fd, mem + 1, PAGE, 0, &pin));
	EXPECT_EQ(-EINVAL, dev_pin(fd, mem + 64, PAGE, 0, &pin));
	EXPECT_EQ(-EINVAL, dev_pin(fd, mem, PAGE, 2, &pin));
	EXPECT_EQ(-EINVAL, dev_pin(fd, mem, PAGE, 1U << 31, &pin));
	EXPECT_EQ(-EINVAL, dev_pin(fd, mem, -PAGE, 0, &pin));
	EXPECT_EQ(-EINVAL, dev_pin(fd, (void *)(-PAGE), 2 * PAGE, 0, &pin));
	/* Sums that fit, of places where nothing of a process can be. */
	EXPECT_GT(0, dev_pin(fd, (void *)(1ULL << 63), PAGE, 0, &pin));
	EXPECT_GT(0, dev_pin(fd, (void *)(-2 * PAGE), PAGE, 0, &pin));
	EXPECT_GT(0, dev_pin(fd, mem, 1ULL << 46, 0, &pin));
	EXPECT_EQ(-EFAULT, dev_pin(fd, NULL, PAGE, 0, &pin));
	/* A hole in the middle, after some pages have been pinned. */
	ASSERT_EQ(0, munmap(mem + 2 * PAGE, PAGE));
	EXPECT_EQ(-EFAULT, dev_pin(fd, mem, 4 * PAGE, 0, &pin));
	EXPECT_EQ(0, pin.handle);
	EXPECT_EQ(-EFAULT, dev_pin(fd, mem + 2 * PAGE, PAGE, 0, &pin));
}

TEST_F(pin, read_only_memory)
{
	char *mem = anonymous(4 * PAGE);
	struct aclkm_pin pin;
	struct aclkm_query query;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_PIN);
	pattern_fill(mem, 0, 4 * PAGE, 1);
	ASSERT_EQ(0, mprotect(mem, 4 * PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, dev_pin(self->owner, mem, 4 * PAGE, 0, &pin));
	ASSERT_EQ(0, dev_pin(self->owner, mem, 4 * PAGE, ACLKM_PIN_READ_ONLY, &pin));
	ASSERT_EQ(0, dev_query(self->owner, pin.handle, &query));
	EXPECT_NE(0, query.flags & ACLKM_QUERY_READ_ONLY);
	EXPECT_EQ(-EACCES, dev_sync(self->owner, pin.handle, ACLKM_SYNC_START | ACLKM_SYNC_WRITE,
				    0, PAGE));
	EXPECT_EQ(0, dev_free(self->owner, pin.handle));
	ASSERT_EQ(0, mprotect(mem, 4 * PAGE, PROT_NONE));
	EXPECT_EQ(-EFAULT, dev_pin(self->owner, mem, 4 * PAGE, ACLKM_PIN_READ_ONLY, &pin));
}

/* What cannot be done with memory that is only pinned. */
TEST_F(pin, neither_mapped_nor_imported)
{
	char *mem = anonymous(4 * PAGE);
	struct aclkm_import imp;
	struct aclkm_pin pin;
	int buf;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_PIN | ACLKM_FEATURE_DMABUF);
	ASSERT_EQ(0, dev_pin(self->owner, mem, 4 * PAGE, 0, &pin));
	EXPECT_EQ(MAP_FAILED, dev_map(self->owner, 0, PAGE));
	EXPECT_EQ(MAP_FAILED, dev_map(self->owner, (uint64_t)pin.handle << 40, PAGE));
	EXPECT_EQ(0, dev_sync(self->owner, pin.handle, ACLKM_SYNC_START | ACLKM_SYNC_WRITE, 1, 2));
	buf = dev_export(self->owner, pin.handle, PAGE, 2 * PAGE, ACLKM_EXPORT_CLOEXEC);
	ASSERT_LE(0, buf);
	EXPECT_EQ(2 * PAGE, buf_size(buf));
	EXPECT_EQ(MAP_FAILED, dev_map(buf, 0, PAGE));
	EXPECT_EQ(-EOPNOTSUPP, dev_import(self->owner, buf, &imp));

	/* Pinned as long as the dma-buf is there. */
	EXPECT_EQ(0, dev_free(self->owner, pin.handle));
	EXPECT_EQ(self->pages + 4, pinned_pages());
	EXPECT_EQ(self->before.pinned + 4 * PAGE, dev_info(self->fd).pinned);
	munmap(mem, 4 * PAGE);
	close(self->owner);
	self->owner = -1;
	EXPECT_EQ(self->pages + 4, pinned_pages());
	close(buf);
}

TEST_F(pin, phys_calls)
{
	struct aclkm_phys_extent ext[8], all[64];
	struct aclkm_alloc alloc;
	struct aclkm_query query;
	struct aclkm_pin pin;
	struct aclkm_phys phys;
	char *mem = anonymous(64 * PAGE);
	int i;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_PIN);
	/* A region is one piece. */
	ASSERT_EQ(0, dev_alloc(self->owner, MIB, 0, &alloc));
	ASSERT_EQ(0, dev_query(self->owner, alloc.handle, &query));
	ASSERT_EQ(0, dev_phys(self->owner, alloc.handle, 0, ext, 8, &phys));
	EXPECT_EQ(1, phys.total);
	EXPECT_EQ(1, phys.count);
	EXPECT_EQ(query.phys, ext[0].phys);
	EXPECT_EQ(MIB, ext[0].len);

	/* Every second page of a mapping, to have many pieces. */
	ASSERT_EQ(0, advise_page_size(mem, 64 * PAGE, MADV_NOHUGEPAGE));
	for (i = 0; i < 64; i++)
		mem[(i * 29 % 64) * PAGE] = 1;
	ASSERT_EQ(0, dev_pin(self->owner, mem, 64 * PAGE, 0, &pin));
	ASSERT_EQ(0, dev_phys(self->owner, pin.handle, 0, all, 64, &phys));
	EXPECT_EQ(pin.nr_extents, phys.total);
	for (i = 0; i < phys.total; i++) {
		struct aclkm_phys one;

		ASSERT_EQ(0, dev_phys(self->owner, pin.handle, i, ext, 1, &one));
		EXPECT_EQ(1, one.count);
		EXPECT_EQ(phys.total, one.total);
		EXPECT_EQ(all[i].phys, ext[0].phys);
		EXPECT_EQ(all[i].len, ext[0].len);
	}
	ASSERT_EQ(0, dev_phys(self->owner, pin.handle, 0, NULL, 0, &phys));
	EXPECT_EQ(0, phys.count);
	EXPECT_EQ(pin.nr_extents, phys.total);
	ASSERT_EQ(0, dev_phys(self->owner, pin.handle, phys.total, ext, 8, &phys));
	EXPECT_EQ(0, phys.count);
	ASSERT_EQ(0, dev_phys(self->owner, pin.handle, ~0ULL, ext, 8, &phys));
	EXPECT_EQ(0, phys.count);
	EXPECT_EQ(-EFAULT, dev_phys(self->owner, pin.handle, 0, NULL, 8, &phys));
	EXPECT_EQ(-EFAULT, dev_phys(self->owner, pin.handle, 0, (void *)(-PAGE), 8, &phys));
	EXPECT_EQ(-ENOENT, dev_phys(self->owner, pin.handle + 1, 0, ext, 8, &phys));
	phys = (struct aclkm_phys){ .handle = pin.handle, .flags = 1 };
	EXPECT_EQ(-EINVAL, dev_ioctl(self->owner, ACLKM_IOC_PHYS, &phys));
}

static int phys_without_rawio(void *arg)
{
	struct aclkm_phys_extent ext = { 7, 7 };
	struct aclkm_alloc alloc;
	struct aclkm_phys phys;
	int fd = *(int *)arg;

	drop_cap(CAP_SYS_RAWIO);
	if (dev_alloc(fd, PAGE, 0, &alloc))
		return 1;
	if (dev_phys(fd, alloc.handle, 0, &ext, 1, &phys) != -EPERM || ext.phys != 7)
		return 2;
	return dev_free(fd, alloc.handle);
}

TEST_F(pin, phys_needs_rawio)
{
	NEED_FEATURE(self->fd, ACLKM_FEATURE_PIN);
	EXPECT_EQ(0, in_child(phys_without_rawio, &self->owner));
}

static int within_memlock(void *arg)
{
	struct rlimit limit = { 64 * KIB, 64 * KIB };
	int fd = dev_open(O_RDWR), buf;
	char *mem = anonymous(128 * KIB);
	struct aclkm_pin a, b;

	drop_cap(CAP_IPC_LOCK);
	if (setrlimit(RLIMIT_MEMLOCK, &limit))
		return 1;
	if (dev_pin(fd, mem, 68 * KIB, 0, &a) != -ENOMEM)
		return 2;
	if (dev_pin(fd, mem, 64 * KIB, 0, &a))
		return 3;
	if (dev_pin(fd, mem + 64 * KIB, PAGE, 0, &b) != -ENOMEM)
		return 4;
	/* A failed call has taken nothing of the limit. */
	if (dev_free(fd, a.handle) || dev_pin(fd, mem, 32 * KIB, 0, &a) ||
	    dev_pin(fd, mem + 32 * KIB, 32 * KIB, 0, &b))
		return 5;
	if (dev_pin(fd, NULL, PAGE, 0, &b) != -EFAULT && dev_pin(fd, mem, PAGE, 0, &b) != -ENOMEM)
		return 6;
	/* A dma-buf keeps its share of the limit. */
	buf = dev_export(fd, a.handle, 0, PAGE, 0);
	if (buf < 0 || dev_free(fd, a.handle))
		return 7;
	if (dev_pin(fd, mem + 64 * KIB, PAGE, 0, &a) != -ENOMEM)
		return 8;
	close(buf);
	if (dev_pin(fd, mem + 64 * KIB, 32 * KIB, 0, &a))
		return 9;
	close(fd);
	fd = dev_open(O_RDWR);
	if (dev_pin(fd, mem, 64 * KIB, 0, &a))
		return 10;
	return 0;
}

static int beyond_memlock_with_capability(void *arg)
{
	struct rlimit limit = { PAGE, PAGE };
	struct aclkm_pin pin;
	int fd = dev_open(O_RDWR);

	if (setrlimit(RLIMIT_MEMLOCK, &limit))
		return 1;
	return dev_pin(fd, anonymous(MIB), MIB, 0, &pin) ? 2 : 0;
}

TEST_F(pin, memlock_limit)
{
	NEED_FEATURE(self->fd, ACLKM_FEATURE_PIN | ACLKM_FEATURE_DMABUF);
	EXPECT_EQ(0, in_child(within_memlock, NULL));
	EXPECT_EQ(0, in_child(beyond_memlock_with_capability, NULL));
}

static int pin_and_die(void *arg)
{
	char *mem = anonymous(8 * MIB);
	int fd = dev_open(O_RDWR), i;
	struct aclkm_pin pin;

	for (i = 0; i < 8; i++)
		if (dev_pin(fd, mem + i * MIB, MIB, 0, &pin) ||
		    (i & 1 && dev_export(fd, pin.handle, 0, 0, 0) < 0))
			return 1;
	if (pinned_pages() < 8 * MIB / PAGE)
		return 2;
	kill(getpid(), SIGKILL);
	return 3;
}

TEST_F(pin, killed)
{
	NEED_FEATURE(self->fd, ACLKM_FEATURE_PIN | ACLKM_FEATURE_DMABUF);
	EXPECT_EQ(-SIGKILL, in_child(pin_and_die, NULL));
}

TEST_F(pin, closed_without_free)
{
	char *mem = anonymous(MIB);
	struct aclkm_pin pin;
	int i, fd = dev_open(O_RDWR);

	NEED_FEATURE(self->fd, ACLKM_FEATURE_PIN);
	for (i = 0; i < 16; i++)
		ASSERT_EQ(0, dev_pin(fd, mem, MIB, 0, &pin));
	EXPECT_EQ(self->pages + 16 * 256, pinned_pages());
	munmap(mem, MIB);
	close(fd);
}

/* After fork() the parent, who pinned it, keeps the page that devices know. */
TEST_F(pin, same_pages_after_fork)
{
	struct aclkm_phys_extent before[16], after[16];
	uint64_t place[16];
	char *mem = anonymous(16 * PAGE);
	struct aclkm_phys phys;
	struct aclkm_pin pin;
	int status, i;
	pid_t pid;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_PIN);
	memset(mem, 1, 16 * PAGE);
	ASSERT_EQ(0, dev_pin(self->owner, mem, 16 * PAGE, 0, &pin));
	ASSERT_EQ(0, dev_phys(self->owner, pin.handle, 0, before, 16, &phys));
	for (i = 0; i < 16; i++)
		place[i] = pagemap_phys(mem + i * PAGE);
	pid = fork();
	if (!pid) {
		memset(mem, 2, 16 * PAGE);
		_exit(0);
	}
	memset(mem, 3, 16 * PAGE);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	memset(mem, 4, 16 * PAGE);
	ASSERT_EQ(0, dev_phys(self->owner, pin.handle, 0, after, 16, &phys));
	EXPECT_EQ(0, memcmp(before, after, phys.count * sizeof(before[0])));
	/* The mapped pages are still the pinned ones, each of them. */
	EXPECT_EQ(after[0].phys, pagemap_phys(mem));
	for (i = 0; i < 16; i++)
		EXPECT_EQ(place[i], pagemap_phys(mem + i * PAGE));
}

/* A region of ours, pinned through its mapping: held until that has been freed. */
TEST_F(pin, memory_of_a_region)
{
	int other = dev_open(O_RDWR), err;
	struct aclkm_alloc alloc;
	struct aclkm_pin pin;
	char *mem;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_PIN);
	ASSERT_EQ(0, dev_alloc(other, MIB2, 0, &alloc));
	mem = dev_map(other, alloc.offset, MIB2);
	ASSERT_NE(MAP_FAILED, mem);
	err = dev_pin(self->owner, mem, MIB2, 0, &pin);
	munmap(mem, MIB2);
	close(other);
	if (err) {
		EXPECT_EQ(-EOPNOTSUPP, err);
		return;
	}
	EXPECT_EQ(self->before.held + MIB2, dev_info(self->fd).held);
	EXPECT_EQ(self->before.free - MIB2, dev_info(self->fd).free);
	EXPECT_EQ(0, dev_free(self->owner, pin.handle));
}

TEST_HARNESS_MAIN
