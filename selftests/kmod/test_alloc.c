// SPDX-License-Identifier: GPL-2.0
/* ALLOC and QUERY: sizes, alignment, contiguity, cleanliness, who sees addresses. */
#include "common.h"
#include <linux/capability.h>
#include <sys/syscall.h>
#include "kselftest_harness.h"

FIXTURE(alloc) {
	int fd;
	struct aclkm_info before;
};

FIXTURE_SETUP(alloc)
{
	self->fd = dev_open(O_RDWR);
	ASSERT_LE(0, self->fd);
	self->before = dev_info(self->fd);
}

FIXTURE_TEARDOWN(alloc)
{
	close(self->fd);
	self->fd = dev_open(O_RDWR);
	EXPECT_TRUE(accounts_as(self->fd, &self->before));
	close(self->fd);
}

TEST_F(alloc, bad_sizes)
{
	static const uint64_t bad[] = { 0, ~0ULL, ~0ULL - 1, ~0ULL - PAGE + 2 };
	struct aclkm_alloc alloc;
	int i;

	for (i = 0; i < 4; i++)
		EXPECT_EQ(-EINVAL, dev_alloc(self->fd, bad[i], 0, &alloc));
}

TEST_F(alloc, too_large_tells_how_much_there_is)
{
	uint64_t sizes[] = { self->before.largest_free + 1, 1ULL << 32, (1ULL << 32) + 1,
			     1ULL << 40, (1ULL << 40) + 1, (1ULL << 63) - 1, 1ULL << 63,
			     ~0ULL - PAGE + 1, ~0ULL - 2 * PAGE };
	struct aclkm_alloc alloc;
	int i;

	for (i = 0; i < 9; i++) {
		EXPECT_EQ(-ENOSPC, dev_alloc(self->fd, sizes[i], 0, &alloc));
		EXPECT_EQ(self->before.free, alloc.free);
		EXPECT_EQ(self->before.largest_free, alloc.largest_free);
		EXPECT_EQ(0, alloc.handle);
		EXPECT_EQ(0, alloc.offset);
	}
}

TEST_F(alloc, bad_alignments)
{
	static const uint64_t bad[] = { 3, 12288, PAGE + 1, ACLKM_ALIGN_MAX + 1,
					ACLKM_ALIGN_MAX * 2, 1ULL << 63, ~0ULL };
	struct aclkm_alloc alloc;
	int i;

	for (i = 0; i < 7; i++)
		EXPECT_EQ(-EINVAL, dev_alloc(self->fd, PAGE, bad[i], &alloc));
}

TEST_F(alloc, bad_nodes)
{
	static const int32_t bad[] = { -2, 1000, INT32_MIN, INT32_MAX };
	int i;

	for (i = 0; i < 4; i++) {
		struct aclkm_alloc alloc = { .size = PAGE, .node = bad[i] };

		EXPECT_EQ(-EINVAL, dev_ioctl(self->fd, ACLKM_IOC_ALLOC, &alloc));
	}
}

TEST_F(alloc, every_alignment)
{
	uint64_t align;

	for (align = 1; align <= 32 * MIB; align *= 2) {
		struct aclkm_alloc first, second;
		struct aclkm_query query;

		/* The first disturbs, so that the second cannot be aligned by chance. */
		ASSERT_EQ(0, dev_alloc(self->fd, PAGE, 0, &first));
		ASSERT_EQ(0, dev_alloc(self->fd, 3 * PAGE, align, &second));
		ASSERT_EQ(0, dev_query(self->fd, second.handle, &query));
		EXPECT_EQ(ACLKM_QUERY_PHYS | ACLKM_QUERY_GUP, query.flags);
		EXPECT_EQ(0, query.phys % align);
		EXPECT_EQ(align < PAGE ? PAGE : align, query.align);
		EXPECT_EQ(0, dev_free(self->fd, first.handle));
		EXPECT_EQ(0, dev_free(self->fd, second.handle));
	}
}

TEST_F(alloc, contiguous_by_pagemap)
{
	struct aclkm_alloc alloc;
	struct aclkm_query query;
	uint64_t at;
	char *mem;

	ASSERT_EQ(0, dev_alloc(self->fd, 8 * MIB, 0, &alloc));
	ASSERT_EQ(0, dev_query(self->fd, alloc.handle, &query));
	mem = dev_map(self->fd, alloc.offset, 8 * MIB);
	ASSERT_NE(MAP_FAILED, mem);
	for (at = 0; at < 8 * MIB; at += PAGE)
		ASSERT_EQ(query.phys + at, pagemap_phys(mem + at));
	munmap(mem, 8 * MIB);
}

TEST_F(alloc, clean_after_another_owner)
{
	struct aclkm_alloc alloc;
	size_t size = self->before.largest_free;
	int round;
	char *mem;

	for (round = 0; round < 2; round++) {
		ASSERT_EQ(0, dev_alloc(self->fd, size, 0, &alloc));
		mem = dev_map(self->fd, alloc.offset, size);
		ASSERT_NE(MAP_FAILED, mem);
		EXPECT_TRUE(all_bytes(mem, size, 0));
		memset(mem, 0xa5, size);
		munmap(mem, size);
		ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
	}
	/* The whole last page belongs to the region, not only the bytes asked for. */
	ASSERT_EQ(0, dev_alloc(self->fd, PAGE + 1, 0, &alloc));
	EXPECT_EQ(2 * PAGE, alloc.size);
	mem = dev_map(self->fd, alloc.offset, alloc.size);
	ASSERT_NE(MAP_FAILED, mem);
	EXPECT_TRUE(all_bytes(mem, alloc.size, 0));
	munmap(mem, alloc.size);
}

static int without_rawio(void *arg)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	struct aclkm_query query;
	struct aclkm_alloc alloc;
	int fd = *(int *)arg;

	if (syscall(SYS_capget, &head, data))
		return 1;
	data[0].effective &= ~(1U << CAP_SYS_RAWIO);
	if (syscall(SYS_capset, &head, data))
		return 2;
	if (dev_alloc(fd, PAGE, 0, &alloc))
		return 3;
	if (dev_query(fd, alloc.handle, &query))
		return 4;
	if (dev_free(fd, alloc.handle))
		return 5;
	return query.flags & ACLKM_QUERY_PHYS || query.phys ? 6 : 0;
}

TEST_F(alloc, physical_address_needs_rawio)
{
	EXPECT_EQ(0, in_child(without_rawio, &self->fd));
}

#define SLOTS 64
#define ROUNDS rounds(4000)

struct slot {
	uint32_t handle;
	uint64_t phys, size;
};

static bool overlaps(const struct slot *slots, const struct slot *one)
{
	int i;

	for (i = 0; i < SLOTS; i++) {
		const struct slot *s = &slots[i];

		if (s->handle && s != one && one->phys < s->phys + s->size &&
		    s->phys < one->phys + one->size)
			return true;
	}
	return false;
}

/* Random sizes and alignments: never two regions on one byte, and free bytes add up. */
TEST_F(alloc, random_against_a_model)
{
	struct slot slots[SLOTS] = {};
	uint64_t used = 0, refused = 0;
	int round, i;

	srandom(1);
	for (round = 0; round < ROUNDS; round++) {
		struct slot *s = &slots[random() % SLOTS];
		uint64_t size = PAGE * (1 + random() % (random() % 4 ? 16 : 2048));
		uint64_t align = PAGE << (random() % 11);
		struct aclkm_alloc alloc;
		struct aclkm_query query;
		int err;

		if (s->handle) {
			ASSERT_EQ(0, dev_free(self->fd, s->handle));
			used -= s->size;
			s->handle = 0;
			continue;
		}
		err = dev_alloc(self->fd, size, align, &alloc);
		if (err == -ENOSPC) {
			refused++;
			EXPECT_EQ(self->before.free - used, alloc.free);
			/* Whatever its place, a piece this long holds an aligned run. */
			ASSERT_LT(alloc.largest_free, size + align);
			continue;
		}
		ASSERT_EQ(0, err);
		ASSERT_EQ(0, dev_query(self->fd, alloc.handle, &query));
		*s = (struct slot){ alloc.handle, query.phys, query.size };
		used += s->size;
		ASSERT_EQ(0, s->phys % align);
		ASSERT_EQ(size, s->size);
		ASSERT_FALSE(overlaps(slots, s));
		ASSERT_EQ(self->before.free - used, dev_info(self->fd).free);
	}
	TH_LOG("%d rounds, %llu refused", ROUNDS, (unsigned long long)refused);
	for (i = 0; i < SLOTS; i++)
		if (slots[i].handle)
			ASSERT_EQ(0, dev_free(self->fd, slots[i].handle));
	EXPECT_TRUE(accounts_as(self->fd, &self->before));
}

TEST_HARNESS_MAIN
