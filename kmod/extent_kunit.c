// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the free pieces, as the kernel's compiler and its red-black
 * trees make them. The model is one byte for each unit of the range. Longer
 * runs of the same are in selftests/host and selftests/fuzz.
 */
#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>

/* A module of its own, which the driver's objects are not linked into. */
#include "extent.c"

#define UNITS	256
#define UNIT	((u64)SZ_4K)
#define ROUNDS	1000
#define TIB	BIT_ULL(40)

struct model {
	struct aclkm_extents set;
	struct aclkm_extent *live[UNITS];
	u8 taken[UNITS];
	u64 start;
	u32 random;
};

/* The same numbers on every run. */
static u32 next_random(struct model *m)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 17;
	m->random ^= m->random << 5;
	return m->random;
}

static void give(struct aclkm_extents *set, struct aclkm_extent *ext)
{
	struct aclkm_extent *unused[2];

	aclkm_extents_insert(set, ext, unused);
	kfree(unused[0]);
	kfree(unused[1]);
}

static struct aclkm_extent *take(struct kunit *test, struct aclkm_extents *set, u64 len, u64 align)
{
	struct aclkm_extent *spare[2], *taken;
	u64 start;

	if (!aclkm_extents_find(set, len, align, &start))
		return NULL;
	spare[0] = kzalloc(sizeof(*spare[0]), GFP_KERNEL);
	spare[1] = kzalloc(sizeof(*spare[1]), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, spare[0]);
	KUNIT_ASSERT_NOT_NULL(test, spare[1]);
	taken = aclkm_extents_carve(set, start, len, spare);
	kfree(spare[0]);
	kfree(spare[1]);
	return taken;
}

static void fill(struct kunit *test, struct aclkm_extents *set, u64 start, u64 len)
{
	struct aclkm_extent *ext = kzalloc(sizeof(*ext), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ext);
	aclkm_extents_init(set);
	ext->start = start;
	ext->len = len;
	give(set, ext);
}

static unsigned int pieces(const struct aclkm_extents *set)
{
	unsigned int n = 0;
	struct rb_node *node;

	for (node = rb_first(&set->by_addr); node; node = rb_next(node))
		n++;
	return n;
}

static void empty(struct aclkm_extents *set)
{
	struct rb_node *node;

	while ((node = rb_first(&set->by_addr))) {
		rb_erase(node, &set->by_addr);
		kfree(rb_entry(node, struct aclkm_extent, by_addr));
	}
}

/* Units free from @at on. */
static int run_at(const struct model *m, int at)
{
	int n = 0;

	while (at + n < UNITS && !m->taken[at + n])
		n++;
	return n;
}

static bool anything_fits(const struct model *m, int len, u64 align)
{
	int at;

	for (at = 0; at + len <= UNITS; at++)
		if (!((m->start + at * UNIT) & (align - 1)) && run_at(m, at) >= len)
			return true;
	return false;
}

static void expect_totals(struct kunit *test, const struct model *m)
{
	int at, n, largest = 0, total = 0;

	for (at = 0; at < UNITS; at += n ? n : 1) {
		n = run_at(m, at);
		total += n;
		largest = max(largest, n);
	}
	KUNIT_EXPECT_EQ(test, m->set.free, total * UNIT);
	KUNIT_EXPECT_EQ(test, aclkm_extents_largest(&m->set), largest * UNIT);
}

static void model_round(struct kunit *test, struct model *m)
{
	int i = next_random(m) % UNITS, first;
	int len = 1 + next_random(m) % (next_random(m) % 8 ? 8 : UNITS / 2);
	u64 align = UNIT << (next_random(m) % 6);
	struct aclkm_extent *ext = m->live[i];

	if (ext) {
		first = (ext->start - m->start) / UNIT;
		memset(m->taken + first, 0, ext->len / UNIT);
		m->live[i] = NULL;
		give(&m->set, ext);
		return;
	}
	ext = take(test, &m->set, len * UNIT, align);
	KUNIT_EXPECT_EQ(test, !!ext, anything_fits(m, len, align));
	if (!ext)
		return;
	first = (ext->start - m->start) / UNIT;
	KUNIT_EXPECT_EQ(test, ext->len, len * UNIT);
	KUNIT_EXPECT_EQ(test, ext->start & (align - 1), 0ULL);
	KUNIT_ASSERT_LE(test, first + len, UNITS);
	KUNIT_EXPECT_GE(test, run_at(m, first), len);
	memset(m->taken + first, 1, len);
	m->live[i] = ext;
}

static void run_model(struct kunit *test, u64 start)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->start = start;
	m->random = 1 + (u32)(start >> 12);
	fill(test, &m->set, start, UNITS * UNIT);
	for (i = 0; i < ROUNDS; i++) {
		model_round(test, m);
		expect_totals(test, m);
	}
	for (i = 0; i < UNITS; i++)
		if (m->live[i])
			give(&m->set, m->live[i]);
	KUNIT_EXPECT_EQ(test, pieces(&m->set), 1U);
	KUNIT_EXPECT_EQ(test, m->set.free, UNITS * UNIT);
	empty(&m->set);
}

static void extents_model_from_zero(struct kunit *test)
{
	run_model(test, 0);
}

static void extents_model_odd_start(struct kunit *test)
{
	run_model(test, 5 * UNIT);
}

static void extents_model_high(struct kunit *test)
{
	run_model(test, 3 * TIB + 7 * UNIT);
}

static void extents_one_tib(struct kunit *test)
{
	struct aclkm_extent *a, *b, *c;
	struct aclkm_extents set;

	fill(test, &set, 3 * TIB, TIB);
	KUNIT_EXPECT_EQ(test, aclkm_extents_largest(&set), TIB);
	a = take(test, &set, UNIT, UNIT);
	b = take(test, &set, SZ_1G, SZ_1G);
	c = take(test, &set, TIB / 2, SZ_1G);
	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_ASSERT_NOT_NULL(test, c);
	KUNIT_EXPECT_EQ(test, b->start % SZ_1G, 0ULL);
	KUNIT_EXPECT_NULL(test, take(test, &set, TIB, UNIT));
	give(&set, b);
	give(&set, a);
	give(&set, c);

	c = take(test, &set, TIB, UNIT);
	KUNIT_ASSERT_NOT_NULL(test, c);
	KUNIT_EXPECT_EQ(test, set.free, 0ULL);
	KUNIT_EXPECT_EQ(test, aclkm_extents_largest(&set), 0ULL);
	KUNIT_EXPECT_NULL(test, take(test, &set, UNIT, UNIT));
	give(&set, c);
	empty(&set);
}

/* Sizes that would wrap when an alignment is added. */
static void extents_near_2_64(struct kunit *test)
{
	static const u64 sizes[] = {
		U64_MAX, U64_MAX - UNIT + 1, BIT_ULL(63), BIT_ULL(63) + UNIT
	};
	struct aclkm_extents set;
	u64 align;
	int i;

	fill(test, &set, UNIT, 16 * UNIT);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (align = UNIT; align <= SZ_1G; align *= 2)
			KUNIT_EXPECT_NULL(test, take(test, &set, sizes[i], align));
	KUNIT_EXPECT_NULL(test, take(test, &set, UNIT, SZ_1G));
	KUNIT_EXPECT_EQ(test, set.free, 16 * UNIT);
	KUNIT_EXPECT_EQ(test, pieces(&set), 1U);
	empty(&set);
}

static void extents_many_pieces(struct kunit *test)
{
	const int count = 20000;
	struct aclkm_extent **live = kvcalloc(count, sizeof(*live), GFP_KERNEL);
	struct aclkm_extents set;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, live);
	fill(test, &set, 0, count * UNIT);
	for (i = 0; i < count; i++) {
		live[i] = take(test, &set, UNIT, UNIT);
		KUNIT_ASSERT_NOT_NULL(test, live[i]);
	}
	for (i = 0; i < count; i += 2)
		give(&set, live[i]);
	KUNIT_EXPECT_EQ(test, pieces(&set), count / 2U);
	KUNIT_EXPECT_NULL(test, take(test, &set, 2 * UNIT, UNIT));
	for (i = 1; i < count; i += 2)
		give(&set, live[i]);
	KUNIT_EXPECT_EQ(test, pieces(&set), 1U);
	KUNIT_EXPECT_EQ(test, set.free, count * UNIT);
	empty(&set);
	kvfree(live);
}

/* A free and a taken piece by turns: a range over them gives its free parts. */
static void extents_carve(struct kunit *test)
{
	struct aclkm_extent *live[8], *spare[2], *part, *next;
	struct aclkm_extents set;
	u64 at = 0;
	int i;

	fill(test, &set, 0, 16 * UNIT);
	for (i = 0; i < 8; i++) {
		live[i] = take(test, &set, 2 * UNIT, UNIT);
		KUNIT_ASSERT_NOT_NULL(test, live[i]);
	}
	for (i = 0; i < 8; i += 2)
		give(&set, live[i]);

	spare[0] = kzalloc(sizeof(*spare[0]), GFP_KERNEL);
	spare[1] = kzalloc(sizeof(*spare[1]), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, spare[0]);
	KUNIT_ASSERT_NOT_NULL(test, spare[1]);
	/* Units 0, 1, 4, 5, 8, 9 are free: 1, 4, 5 and 8 are in the range. */
	part = aclkm_extents_carve(&set, UNIT, 8 * UNIT, spare);
	KUNIT_EXPECT_NULL(test, spare[0]);
	KUNIT_EXPECT_NULL(test, spare[1]);
	for (i = 0; part; part = next, i++) {
		static const u64 starts[] = { 1, 4, 8 }, lens[] = { 1, 2, 1 };

		KUNIT_ASSERT_LT(test, i, 3);
		KUNIT_EXPECT_EQ(test, part->start, starts[i] * UNIT);
		KUNIT_EXPECT_EQ(test, part->len, lens[i] * UNIT);
		KUNIT_EXPECT_GE(test, part->start, at);
		at = part->start + part->len;
		next = part->next;
		give(&set, part);
	}
	KUNIT_EXPECT_EQ(test, i, 3);
	for (i = 1; i < 8; i += 2)
		give(&set, live[i]);
	KUNIT_EXPECT_EQ(test, pieces(&set), 1U);
	KUNIT_EXPECT_EQ(test, set.free, 16 * UNIT);
	empty(&set);
}

static struct kunit_case extents_cases[] = {
	KUNIT_CASE(extents_model_from_zero),
	KUNIT_CASE(extents_model_odd_start),
	KUNIT_CASE(extents_model_high),
	KUNIT_CASE(extents_one_tib),
	KUNIT_CASE(extents_near_2_64),
	KUNIT_CASE(extents_carve),
	KUNIT_CASE(extents_many_pieces),
	{}
};

static struct kunit_suite extents_suite = {
	.name = "aclkm_extents",
	.test_cases = extents_cases,
};

kunit_test_suite(extents_suite);

MODULE_DESCRIPTION("KUnit tests of aclkm's free pieces");
MODULE_AUTHOR("The aclkm authors");
MODULE_LICENSE("GPL");
