// SPDX-License-Identifier: GPL-2.0
/* The shape of the calls: numbers, struct sizes, unknown bits, bad pointers. */
#include "common.h"
#include "kselftest_harness.h"

FIXTURE(abi) {
	int fd;
	struct aclkm_info before;
};

FIXTURE_SETUP(abi)
{
	self->fd = dev_open(O_RDWR);
	ASSERT_LE(0, self->fd);
	self->before = dev_info(self->fd);
}

FIXTURE_TEARDOWN(abi)
{
	EXPECT_TRUE(accounts_as(self->fd, &self->before));
	close(self->fd);
}

TEST_F(abi, info_is_plausible)
{
	struct aclkm_info *info = &self->before;

	EXPECT_EQ(ACLKM_ABI_VERSION, info->abi_version);
	EXPECT_EQ(PAGE, info->granule);
	EXPECT_EQ(ACLKM_ALIGN_MAX, info->align_max);
	EXPECT_LE(1, info->nr_arenas);
	EXPECT_LT(0, info->total);
	EXPECT_EQ(info->total, info->free);
	EXPECT_LE(info->largest_free, info->free);
	EXPECT_EQ(0, info->held);
	EXPECT_EQ(0, info->nr_regions);
	EXPECT_TRUE(info->features & ACLKM_FEATURE_GUP);
}

TEST_F(abi, unknown_numbers)
{
	char arg[256] = {};
	int nr;

	for (nr = 10; nr < 256; nr++)
		EXPECT_EQ(-ENOTTY, dev_ioctl(self->fd, _IOWR(ACLKM_IOC_MAGIC, nr, char[64]), arg));
	EXPECT_EQ(-ENOTTY, dev_ioctl(self->fd, _IOR('x', 0, struct aclkm_info), arg));
	/* The right number with the wrong direction. */
	EXPECT_EQ(-ENOTTY, dev_ioctl(self->fd, _IOW(ACLKM_IOC_MAGIC, 0, struct aclkm_info), arg));
	EXPECT_EQ(-ENOTTY, dev_ioctl(self->fd, _IO(ACLKM_IOC_MAGIC, 1), arg));
}

TEST_F(abi, struct_too_short)
{
	char arg[256] = {};

	EXPECT_EQ(-EINVAL, dev_ioctl(self->fd, _IOR(ACLKM_IOC_MAGIC, 0, char[8]), arg));
	EXPECT_EQ(-EINVAL, dev_ioctl(self->fd, _IOWR(ACLKM_IOC_MAGIC, 1,
			  char[sizeof(struct aclkm_alloc) - 8]), arg));
	EXPECT_EQ(-EINVAL, dev_ioctl(self->fd, _IOW(ACLKM_IOC_MAGIC, 2, char[4]), arg));
	EXPECT_EQ(-EINVAL, dev_ioctl(self->fd, _IOWR(ACLKM_IOC_MAGIC, 3, char[8]), arg));
}

/* Programs that were compiled before INFO grew. */
TEST_F(abi, first_version_of_info)
{
	const size_t size = offsetof(struct aclkm_info, poisoned);
	struct aclkm_info info;

	memset(&info, 0xaa, sizeof(info));
	EXPECT_EQ(-EINVAL, dev_ioctl(self->fd, _IOC(_IOC_READ, ACLKM_IOC_MAGIC, 0, size - 1),
				     &info));
	ASSERT_EQ(0, dev_ioctl(self->fd, _IOC(_IOC_READ, ACLKM_IOC_MAGIC, 0, size), &info));
	info.clean = self->before.clean;
	EXPECT_EQ(0, memcmp(&info, &self->before, size));
	EXPECT_EQ(0xaaaaaaaaaaaaaaaaULL, info.poisoned);
}

TEST_F(abi, struct_may_grow)
{
	struct {
		struct aclkm_alloc alloc;
		uint64_t later[4];
	} arg = { .alloc = { .size = PAGE, .node = ACLKM_NODE_ANY } };
	unsigned long cmd = _IOC(_IOC_READ | _IOC_WRITE, ACLKM_IOC_MAGIC, 1, sizeof(arg));

	arg.later[2] = 1;
	EXPECT_EQ(-E2BIG, dev_ioctl(self->fd, cmd, &arg));
	EXPECT_TRUE(accounts_as(self->fd, &self->before));
	arg.later[2] = 0;
	ASSERT_EQ(0, dev_ioctl(self->fd, cmd, &arg));
	EXPECT_EQ(0, arg.later[0] | arg.later[1] | arg.later[2] | arg.later[3]);
	EXPECT_EQ(0, dev_free(self->fd, arg.alloc.handle));
}

TEST_F(abi, unknown_flags_and_reserved)
{
	struct aclkm_alloc alloc;
	struct aclkm_query query;
	struct aclkm_free req;
	uint32_t handle;
	int bit;

	ASSERT_EQ(0, dev_alloc(self->fd, PAGE, 0, &alloc));
	handle = alloc.handle;
	for (bit = 6; bit < 32; bit++) {
		alloc = (struct aclkm_alloc){ .size = PAGE, .node = -1, .flags = 1U << bit };
		EXPECT_EQ(-EINVAL, dev_ioctl(self->fd, ACLKM_IOC_ALLOC, &alloc));
	}
	for (bit = 0; bit < 32; bit++) {
		alloc = (struct aclkm_alloc){ .size = PAGE, .node = -1, .reason = 1U << bit };
		EXPECT_EQ(-EINVAL, dev_ioctl(self->fd, ACLKM_IOC_ALLOC, &alloc));
		query = (struct aclkm_query){ .handle = handle, .flags = 1U << bit };
		EXPECT_EQ(-EINVAL, dev_ioctl(self->fd, ACLKM_IOC_QUERY, &query));
		query = (struct aclkm_query){ .handle = handle, .cache = 1U << bit };
		EXPECT_EQ(-EINVAL, dev_ioctl(self->fd, ACLKM_IOC_QUERY, &query));
		req = (struct aclkm_free){ .handle = handle, .flags = 1U << bit };
		EXPECT_EQ(-EINVAL, dev_ioctl(self->fd, ACLKM_IOC_FREE, &req));
	}
	EXPECT_EQ(0, dev_free(self->fd, handle));
}

TEST_F(abi, unknown_handles)
{
	static const uint32_t bad[] = { 0, 2, 1U << 22, (1U << 22) - 1, 1U << 31, ~0U };
	struct aclkm_alloc alloc;
	struct aclkm_query query;
	int other, i;

	ASSERT_EQ(0, dev_alloc(self->fd, PAGE, 0, &alloc));
	ASSERT_EQ(1, alloc.handle);
	for (i = 0; i < 6; i++) {
		EXPECT_EQ(-ENOENT, dev_query(self->fd, bad[i], &query));
		EXPECT_EQ(-ENOENT, dev_free(self->fd, bad[i]));
	}
	/* Handles belong to the open file. */
	other = dev_open(O_RDWR);
	ASSERT_LE(0, other);
	EXPECT_EQ(-ENOENT, dev_query(other, alloc.handle, &query));
	EXPECT_EQ(-ENOENT, dev_free(other, alloc.handle));
	EXPECT_EQ(MAP_FAILED, dev_map(other, alloc.offset, PAGE));
	close(other);
	EXPECT_EQ(0, dev_free(self->fd, alloc.handle));
	EXPECT_EQ(-ENOENT, dev_free(self->fd, alloc.handle));
}

TEST_F(abi, bad_pointers_leave_nothing)
{
	struct aclkm_alloc *ro;

	EXPECT_EQ(-EFAULT, dev_ioctl(self->fd, ACLKM_IOC_INFO, NULL));
	EXPECT_EQ(-EFAULT, dev_ioctl(self->fd, ACLKM_IOC_ALLOC, NULL));
	EXPECT_EQ(-EFAULT, dev_ioctl(self->fd, ACLKM_IOC_FREE, NULL));
	EXPECT_EQ(-EFAULT, dev_ioctl(self->fd, ACLKM_IOC_QUERY, NULL));

	/* Readable, so that the memory is taken; unwritable, so that it must be given back. */
	ro = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, ro);
	*ro = (struct aclkm_alloc){ .size = MIB, .node = ACLKM_NODE_ANY };
	ASSERT_EQ(0, mprotect(ro, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, dev_ioctl(self->fd, ACLKM_IOC_ALLOC, ro));
	EXPECT_TRUE(accounts_as(self->fd, &self->before));
	EXPECT_EQ(-ENOENT, dev_free(self->fd, 1));
	munmap(ro, PAGE);
}

/* Every output byte is written: nothing of what the caller had there stays. */
TEST_F(abi, output_is_filled)
{
	struct aclkm_alloc alloc;
	struct aclkm_query query;
	struct aclkm_info info;

	memset(&info, 0xaa, sizeof(info));
	ASSERT_EQ(0, dev_ioctl(self->fd, ACLKM_IOC_INFO, &info));
	info.clean = self->before.clean;
	EXPECT_EQ(0, memcmp(&info, &self->before, sizeof(info)));

	alloc = (struct aclkm_alloc){ .size = 1, .node = -1, .handle = ~0U, .offset = ~0ULL,
				      .free = ~0ULL, .largest_free = ~0ULL };
	ASSERT_EQ(0, dev_ioctl(self->fd, ACLKM_IOC_ALLOC, &alloc));
	EXPECT_EQ(PAGE, alloc.size);
	EXPECT_EQ(0, alloc.free);
	EXPECT_EQ(0, alloc.largest_free);
	EXPECT_LE(0, alloc.node);

	memset(&query, 0xaa, sizeof(query));
	query.handle = alloc.handle;
	query.flags = 0;
	query.cache = 0;
	ASSERT_EQ(0, dev_ioctl(self->fd, ACLKM_IOC_QUERY, &query));
	EXPECT_EQ(PAGE, query.size);
	EXPECT_EQ(alloc.offset, query.offset);
	EXPECT_EQ(PAGE, query.align);
	EXPECT_EQ(PAGE, query.map_page);
	EXPECT_EQ(alloc.node, query.node);
	EXPECT_EQ(ACLKM_QUERY_PHYS | ACLKM_QUERY_GUP, query.flags);
	EXPECT_EQ(0, dev_free(self->fd, alloc.handle));
}

TEST_HARNESS_MAIN
