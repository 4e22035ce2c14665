// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target: the free pieces of an arena (kmod/extent.c) against a model
 * that knows the right answer, one byte for each unit of the range. The input's
 * first bytes choose the range, up to 1 TiB, the rest are calls.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extent.h"

#define UNITS 256

static struct {
	struct aclkm_extents set;
	struct aclkm_extent *live[UNITS];
	unsigned char taken[UNITS];
	u64 start;
	u64 unit;
} m;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(cond)                                                                         \
	do {                                                                                \
		if (!(cond)) {                                                              \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond);  \
			abort();                                                            \
		}                                                                           \
	} while (0)

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static int run_at(int at)
{
	int n = 0;

	while (at + n < UNITS && !m.taken[at + n])
		n++;
	return n;
}

/* Where in the free run at @at a piece of @len units aligned to @align begins; -1: nowhere. */
static int place_in_run(int at, int len, u64 align)
{
	int n = run_at(at), p;

	for (p = at; p + len <= at + n; p++)
		if (!((m.start + p * m.unit) & (align - 1)))
			return p;
	return -1;
}

/* The lowest of the shortest runs that can hold the request. */
static int best_place(int len, u64 align)
{
	int best = -1, best_run = UNITS + 1, at, n;

	for (at = 0; at < UNITS; at += n ? n : 1) {
		n = run_at(at);
		if (n && n < best_run && place_in_run(at, len, align) >= 0) {
			best = place_in_run(at, len, align);
			best_run = n;
		}
	}
	return best;
}

/* Every free run is one piece, in both trees, and the totals are theirs. */
static void check_set(void)
{
	struct rb_node *node = rb_first(&m.set.by_addr), *by_size = rb_first(&m.set.by_size);
	u64 total = 0, largest = 0, last = 0;
	int at, n;

	for (at = 0; at < UNITS; at += n ? n : 1) {
		struct aclkm_extent *ext;

		n = run_at(at);
		if (!n)
			continue;
		CHECK(node);
		ext = rb_entry(node, struct aclkm_extent, by_addr);
		CHECK(ext->start == m.start + at * m.unit && ext->len == n * m.unit);
		node = rb_next(node);

		CHECK(by_size);
		ext = rb_entry(by_size, struct aclkm_extent, by_size);
		CHECK(ext->len >= last);
		last = ext->len;
		by_size = rb_next(by_size);

		total += n * m.unit;
		if (n * m.unit > largest)
			largest = n * m.unit;
	}
	CHECK(!node && !by_size);
	CHECK(m.set.free == total && aclkm_extents_largest(&m.set) == largest);
}

static void give(struct aclkm_extent *ext)
{
	struct aclkm_extent *unused[2];

	aclkm_extents_insert(&m.set, ext, unused);
	free(unused[0]);
	free(unused[1]);
}

static struct aclkm_extent *take(u64 len, u64 align)
{
	struct aclkm_extent *spare[2], *taken;
	u64 start;

	if (!aclkm_extents_find(&m.set, len, align, &start))
		return NULL;
	spare[0] = must(calloc(1, sizeof(*spare[0])));
	spare[1] = must(calloc(1, sizeof(*spare[1])));
	taken = aclkm_extents_carve(&m.set, start, len, spare);
	/* Memory error detectors see one that is freed twice or still in the trees. */
	free(spare[0]);
	free(spare[1]);
	return taken;
}

static void remember(struct aclkm_extent *ext, int at, int len)
{
	int slot = 0;

	while (m.live[slot])
		slot++;
	m.live[slot] = ext;
	memset(m.taken + at, 1, len);
}

static void do_take(int len, u64 align)
{
	int want = best_place(len, align), at;
	struct aclkm_extent *ext = take(len * m.unit, align);

	CHECK(!ext == (want < 0));
	if (!ext)
		return;
	at = (ext->start - m.start) / m.unit;
	CHECK(ext->start == m.start + at * m.unit && ext->len == len * m.unit);
	CHECK(!(ext->start & (align - 1)));
	CHECK(at >= 0 && at + len <= UNITS && run_at(at) >= len);
	/* Best fit is promised where no alignment asks for more. */
	CHECK(align > m.unit || at == want);
	remember(ext, at, len);
}

/* The lowest piece that ends after the start of unit @at. */
static void check_next(int at)
{
	struct aclkm_extent *ext = aclkm_extents_next(&m.set, m.start + at * m.unit);
	int first = at;

	while (first < UNITS && m.taken[first])
		first++;
	CHECK(!ext == (first == UNITS));
	if (!ext)
		return;
	while (first && !m.taken[first - 1])
		first--;
	CHECK(ext->start == m.start + first * m.unit);
}

/* What is free of a range is taken out in parts; then each part lives like any extent. */
static void do_carve(int at, int len)
{
	struct aclkm_extent *spare[2] = { must(calloc(1, sizeof(struct aclkm_extent))),
					  must(calloc(1, sizeof(struct aclkm_extent))) };
	struct aclkm_extent *part, *next;
	int end, n;

	if (len > UNITS - at)
		len = UNITS - at;
	end = at + len;
	check_next(at);
	part = aclkm_extents_carve(&m.set, m.start + at * m.unit, len * m.unit, spare);
	free(spare[0]);
	free(spare[1]);
	for (; at < end; at += n ? n : 1) {
		n = run_at(at);
		if (n > end - at)
			n = end - at;
		if (!n)
			continue;
		CHECK(part);
		CHECK(part->start == m.start + at * m.unit && part->len == n * m.unit);
		next = part->next;
		remember(part, at, n);
		part = next;
	}
	CHECK(!part);
}

static void do_give(int which)
{
	int slot = which % UNITS, n;

	for (n = 0; n < UNITS && !m.live[slot]; n++)
		slot = (slot + 1) % UNITS;
	if (!m.live[slot])
		return;
	memset(m.taken + (m.live[slot]->start - m.start) / m.unit, 0, m.live[slot]->len / m.unit);
	give(m.live[slot]);
	m.live[slot] = NULL;
}

/* Any 64-bit length: what the range cannot hold is refused, and changes nothing. */
static void do_huge(u64 len, u64 align)
{
	if (len <= UNITS * m.unit)
		return;
	CHECK(!take(len, align));
}

static void setup(const uint8_t *data)
{
	struct aclkm_extent *ext = must(calloc(1, sizeof(*ext)));

	memset(&m, 0, sizeof(m));
	/* 4 KiB to 4 GiB: ranges of 1 MiB to 1 TiB. */
	m.unit = 4096ULL << data[0] % 21;
	m.start = (data[1] | (u64)data[2] << 8) * m.unit;
	aclkm_extents_init(&m.set);
	ext->start = m.start;
	ext->len = UNITS * m.unit;
	give(ext);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int slot;

	if (size < 3)
		return 0;
	setup(data);
	for (data += 3, size -= 3; size >= 3; data += 3, size -= 3) {
		u64 align = m.unit << data[2] % 10;

		switch (data[0] % 8) {
		case 0 ... 2:
			do_take(1 + data[1] % 16, align);
			break;
		case 3:
			do_take(1 + data[1] % UNITS, m.unit);
			break;
		case 4 ... 5:
			do_give(data[1]);
			break;
		case 6:
			do_carve(data[1], 1 + data[2]);
			break;
		case 7:
			do_huge((~0ULL - data[1] * m.unit) >> data[2] % 24, align);
			break;
		}
		check_set();
	}

	for (slot = 0; slot < UNITS; slot++)
		if (m.live[slot])
			do_give(slot);
	check_set();
	CHECK(m.set.free == UNITS * m.unit);
	free(rb_entry(rb_first(&m.set.by_addr), struct aclkm_extent, by_addr));
	return 0;
}
