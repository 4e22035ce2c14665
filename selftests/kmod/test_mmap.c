// SPDX-License-Identifier: GPL-2.0
/* Mappings: which are refused, what the others show, and who may write. */
#include "common.h"
#include <sys/uio.h>
#include "kselftest_harness.h"

#define SIZE (16 * PAGE)

FIXTURE(map) {
	int fd;
	struct aclkm_info before;
	struct aclkm_alloc alloc;
};

FIXTURE_SETUP(map)
{
	self->fd = dev_open(O_RDWR);
	ASSERT_LE(0, self->fd);
	self->before = dev_info(self->fd);
	ASSERT_EQ(0, dev_alloc(self->fd, SIZE, 0, &self->alloc));
}

FIXTURE_TEARDOWN(map)
{
	close(self->fd);
	self->fd = dev_open(O_RDWR);
	EXPECT_TRUE(accounts_as(self->fd, &self->before));
	close(self->fd);
}

static int map_error(int fd, uint64_t offset, size_t len, int prot, int flags)
{
	void *mem = mmap(NULL, len, prot, flags, fd, offset);

	if (mem == MAP_FAILED)
		return -errno;
	munmap(mem, len);
	return 0;
}

#define RW (PROT_READ | PROT_WRITE)

TEST_F(map, offsets_never_handed_out)
{
	uint64_t mine = self->alloc.offset;
	uint64_t bad[] = {
		0, PAGE, mine - PAGE, mine + SIZE, mine + SIZE + PAGE, mine * 2, mine * 3,
		mine * ((1 << 22) - 1), mine << 21, 1ULL << 62, (1ULL << 63) - PAGE,
	};
	int i;

	for (i = 0; i < 11; i++) {
		int err = map_error(self->fd, bad[i], PAGE, RW, MAP_SHARED);

		EXPECT_EQ(-EINVAL, err)
			TH_LOG("offset %#llx", (unsigned long long)bad[i]);
	}
	EXPECT_EQ(-EINVAL, map_error(self->fd, 0, PAGE, RW, MAP_SHARED));
	EXPECT_EQ(-EINVAL, map_error(self->fd, mine + SIZE, PAGE, RW, MAP_SHARED));
}

TEST_F(map, lengths)
{
	uint64_t mine = self->alloc.offset;

	EXPECT_EQ(0, map_error(self->fd, mine, SIZE, RW, MAP_SHARED));
	EXPECT_EQ(0, map_error(self->fd, mine, 1, RW, MAP_SHARED));
	EXPECT_EQ(0, map_error(self->fd, mine + SIZE - PAGE, PAGE, RW, MAP_SHARED));
	EXPECT_EQ(-EINVAL, map_error(self->fd, mine, SIZE + 1, RW, MAP_SHARED));
	EXPECT_EQ(-EINVAL, map_error(self->fd, mine + PAGE, SIZE, RW, MAP_SHARED));
	EXPECT_EQ(-EINVAL, map_error(self->fd, mine + SIZE - PAGE, 2 * PAGE, RW, MAP_SHARED));
	EXPECT_EQ(-EINVAL, map_error(self->fd, mine, 1ULL << 41, RW, MAP_SHARED));
}

TEST_F(map, private_is_refused)
{
	EXPECT_EQ(-EINVAL, map_error(self->fd, self->alloc.offset, SIZE, RW, MAP_PRIVATE));
	EXPECT_EQ(-EINVAL, map_error(self->fd, self->alloc.offset, SIZE, PROT_READ, MAP_PRIVATE));
}

TEST_F(map, freed_offset_is_refused)
{
	ASSERT_EQ(0, dev_free(self->fd, self->alloc.handle));
	EXPECT_EQ(-EINVAL, map_error(self->fd, self->alloc.offset, SIZE, RW, MAP_SHARED));
}

TEST_F(map, read_only_file)
{
	struct aclkm_alloc alloc;
	int ro = dev_open(O_RDONLY), again;
	char *mem, path[64];

	ASSERT_LE(0, ro);
	ASSERT_EQ(0, dev_alloc(ro, SIZE, 0, &alloc));
	EXPECT_EQ(-EACCES, map_error(ro, alloc.offset, SIZE, RW, MAP_SHARED));
	mem = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, ro, alloc.offset);
	ASSERT_NE(MAP_FAILED, mem);
	EXPECT_TRUE(all_bytes(mem, SIZE, 0));
	EXPECT_TRUE(stays_read_only(mem));
	EXPECT_TRUE(all_bytes(mem, SIZE, 0));

	/* Opened again for writing it is another file, to which this memory is unknown. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ro);
	again = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, again);
	EXPECT_EQ(-EINVAL, map_error(again, alloc.offset, SIZE, RW, MAP_SHARED));
	close(again);
	munmap(mem, SIZE);
	close(ro);
}

TEST_F(map, two_mappings_are_one_memory)
{
	char *a = dev_map(self->fd, self->alloc.offset, SIZE);
	char *b = dev_map(self->fd, self->alloc.offset + PAGE, SIZE - PAGE);

	ASSERT_NE(MAP_FAILED, a);
	ASSERT_NE(MAP_FAILED, b);
	memset(a, 1, SIZE);
	EXPECT_TRUE(all_bytes(b, SIZE - PAGE, 1));
	b[0] = 2;
	EXPECT_EQ(2, a[PAGE]);
	EXPECT_EQ(1, a[PAGE - 1]);
	munmap(a, SIZE);
	munmap(b, SIZE - PAGE);
}

TEST_F(map, cannot_grow)
{
	char *mem = dev_map(self->fd, self->alloc.offset, SIZE);

	ASSERT_NE(MAP_FAILED, mem);
	EXPECT_EQ(MAP_FAILED, mremap(mem, SIZE, 2 * SIZE, MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	/* An old size of 0 asks for a second mapping, of any size. */
	EXPECT_EQ(MAP_FAILED, mremap(mem, 0, 2 * SIZE, MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	munmap(mem, SIZE);
}

/* The entries may be dropped by the owner; the bytes come back with a fault. */
TEST_F(map, dontneed_keeps_the_bytes)
{
	char *mem = dev_map(self->fd, self->alloc.offset, SIZE);

	ASSERT_NE(MAP_FAILED, mem);
	memset(mem, 7, SIZE);
	ASSERT_EQ(0, madvise(mem, SIZE, MADV_DONTNEED));
	EXPECT_TRUE(all_bytes(mem, SIZE, 7));
	mem[0] = 8;
	EXPECT_EQ(8, mem[0]);
	munmap(mem, SIZE);
}

/* get_user_pages() on the mapping, within one process: pipe and process_vm_readv(). */
TEST_F(map, pages_can_be_taken)
{
	char *mem = dev_map(self->fd, self->alloc.offset, SIZE);
	struct iovec from = { .iov_len = SIZE }, to = { .iov_len = SIZE };
	char copy[SIZE];
	int pipes[2];

	ASSERT_NE(MAP_FAILED, mem);
	memset(mem, 9, SIZE);
	from.iov_base = mem;
	to.iov_base = copy;
	EXPECT_EQ(SIZE, process_vm_readv(getpid(), &to, 1, &from, 1, 0));
	EXPECT_TRUE(all_bytes(copy, SIZE, 9));

	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(SIZE, vmsplice(pipes[1], &from, 1, 0));
	memset(copy, 0, SIZE);
	EXPECT_EQ(SIZE, read(pipes[0], copy, SIZE));
	EXPECT_TRUE(all_bytes(copy, SIZE, 9));
	close(pipes[0]);
	close(pipes[1]);
	munmap(mem, SIZE);
}

/* Mapped when mmap() returns: touching every page takes no fault. */
TEST_F(map, resident_at_once)
{
	struct aclkm_alloc alloc;
	unsigned char vec[64];
	char *mem;
	int i;

	ASSERT_EQ(0, dev_alloc(self->fd, 64 * PAGE, 0, &alloc));
	mem = dev_map(self->fd, alloc.offset, 64 * PAGE);
	ASSERT_NE(MAP_FAILED, mem);
	for (i = 0; i < 64; i++)
		EXPECT_NE(0, pagemap_phys(mem + i * PAGE));
	EXPECT_EQ(0, mincore(mem, 64 * PAGE, vec));
	munmap(mem, 64 * PAGE);
}

TEST_HARNESS_MAIN
