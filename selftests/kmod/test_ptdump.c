// SPDX-License-Identifier: GPL-2.0
/*
 * The page tables themselves, as the kernel prints them: the level of every entry
 * of a mapping. Only kernels with CONFIG_PTDUMP_DEBUGFS print them.
 */
#include "common.h"
#include "kselftest_harness.h"

#define SIZE_2M (2 * MIB)
/* Of the process that reads it. */
#define TABLES "/sys/kernel/debug/page_tables/current_kernel"

/* Bytes that entries of a level map. */
struct levels {
	uint64_t pud, pmd, pte;
};

static uint64_t overlap(uint64_t a, uint64_t a_end, uint64_t b, uint64_t b_end)
{
	uint64_t from = a > b ? a : b, to = a_end < b_end ? a_end : b_end;

	return from < to ? to - from : 0;
}

/* Lines are "0xSTART-0xEND SIZE FLAGS... LEVEL", without flags where nothing is mapped. */
static bool read_levels(const char *mem, uint64_t size, struct levels *sum)
{
	uint64_t start = (uintptr_t)mem, end = start + size;
	FILE *f = fopen(TABLES, "r");
	char line[512];

	if (!f)
		return false;
	memset(sum, 0, sizeof(*sum));
	while (fgets(line, sizeof(line), f)) {
		unsigned long long from, to;
		uint64_t bytes;

		if (sscanf(line, "%llx-%llx", &from, &to) != 2 || !strstr(line, "USR"))
			continue;
		bytes = overlap(from, to, start, end);
		if (strstr(line, " pud"))
			sum->pud += bytes;
		else if (strstr(line, " pmd"))
			sum->pmd += bytes;
		else if (strstr(line, " pte"))
			sum->pte += bytes;
	}
	fclose(f);
	return true;
}

FIXTURE(tables) {
	int fd;
	struct aclkm_info before;
};

FIXTURE_VARIANT(tables) {
	uint32_t flags;
	uint64_t feature;
	uint64_t size;
	struct levels want;
};

FIXTURE_VARIANT_ADD(tables, small) {
	.flags = ACLKM_ALLOC_SMALL, .size = 2 * SIZE_2M, .want = { .pte = 2 * SIZE_2M },
};
FIXTURE_VARIANT_ADD(tables, best) {
	.feature = ACLKM_FEATURE_HUGE_2M, .size = 2 * SIZE_2M + 3 * PAGE,
	.want = { .pmd = 2 * SIZE_2M, .pte = 3 * PAGE },
};
FIXTURE_VARIANT_ADD(tables, huge_2m) {
	.flags = ACLKM_ALLOC_HUGE_2M, .feature = ACLKM_FEATURE_HUGE_2M, .size = 8 * SIZE_2M,
	.want = { .pmd = 8 * SIZE_2M },
};
FIXTURE_VARIANT_ADD(tables, huge_1g) {
	.flags = ACLKM_ALLOC_HUGE_1G, .feature = ACLKM_FEATURE_HUGE_1G, .size = GIB,
	.want = { .pud = GIB },
};
FIXTURE_VARIANT_ADD(tables, wc) {
	.flags = ACLKM_ALLOC_WC, .feature = ACLKM_FEATURE_CACHE, .size = 2 * SIZE_2M,
	.want = { .pte = 2 * SIZE_2M },
};

FIXTURE_SETUP(tables)
{
	self->fd = dev_open(O_RDWR);
	ASSERT_LE(0, self->fd);
	self->before = dev_info(self->fd);
}

FIXTURE_TEARDOWN(tables)
{
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
	close(self->fd);
}

/* After one touch of each unit: what the entries are, and that they go with the mapping. */
TEST_F(tables, levels)
{
	struct levels seen;
	struct aclkm_alloc alloc;
	uint64_t at;
	char *mem;
	int err;

	if (access(TABLES, R_OK))
		SKIP(return, "this kernel has no " TABLES);
	if (!dev_has(self->fd, variant->feature))
		SKIP(return, "this driver has not feature %#llx", (unsigned long long)variant->feature);
	err = dev_alloc_flags(self->fd, variant->size, 0, variant->flags, &alloc);
	if (err == -ENOSPC)
		SKIP(return, "no piece of %llu bytes that is aligned",
		     (unsigned long long)variant->size);
	ASSERT_EQ(0, err);
	mem = dev_map(self->fd, alloc.offset, variant->size);
	ASSERT_NE(MAP_FAILED, mem);
	for (at = 0; at < variant->size; at += PAGE)
		((volatile char *)mem)[at] = 1;
	ASSERT_TRUE(read_levels(mem, variant->size, &seen));
	EXPECT_EQ(variant->want.pud, seen.pud);
	EXPECT_EQ(variant->want.pmd, seen.pmd);
	EXPECT_EQ(variant->want.pte, seen.pte);
	munmap(mem, variant->size);
	ASSERT_TRUE(read_levels(mem, variant->size, &seen));
	EXPECT_EQ(0, seen.pud + seen.pmd + seen.pte);
	ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
}

TEST_HARNESS_MAIN
