// SPDX-License-Identifier: GPL-2.0
/*
 * Free pieces of an arena (kmod/extent.c) against a model that knows the right
 * answer: one byte for each unit of the range.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extent.h"

#define UNITS 512
#define UNIT 4096ULL
#define TIB (1ULL << 40)

static int tests, failures;

static void report(int good, const char *name)
{
	tests++;
	failures += !good;
	printf("%sok %d - %s\n", good ? "" : "not ", tests, name);
}

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static void give(struct aclkm_extents *set, struct aclkm_extent *ext)
{
	struct aclkm_extent *unused[2];

	aclkm_extents_insert(set, ext, unused);
	free(unused[0]);
	free(unused[1]);
}

static struct aclkm_extent *take(struct aclkm_extents *set, u64 len, u64 align)
{
	struct aclkm_extent *spare[2], *taken;
	u64 start;

	if (!aclkm_extents_find(set, len, align, &start))
		return NULL;
	spare[0] = must(calloc(1, sizeof(*spare[0])));
	spare[1] = must(calloc(1, sizeof(*spare[1])));
	taken = aclkm_extents_carve(set, start, len, spare);
	free(spare[0]);
	free(spare[1]);
	return taken;
}

static void fill(struct aclkm_extents *set, u64 start, u64 len)
{
	struct aclkm_extent *ext = must(calloc(1, sizeof(*ext)));

	aclkm_extents_init(set);
	ext->start = start;
	ext->len = len;
	give(set, ext);
}

static unsigned long pieces(struct aclkm_extents *set)
{
	unsigned long n = 0;
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
		free(rb_entry(node, struct aclkm_extent, by_addr));
	}
}

/* The model: which units are taken. */
struct model {
	unsigned char taken[UNITS];
	u64 start;
};

/* Length of the free run at @at, in units. */
static int run_at(const struct model *m, int at)
{
	int n = 0;

	while (at + n < UNITS && !m->taken[at + n])
		n++;
	return n;
}

/* The shortest run that can hold the request, and where in it; -1 if there is none. */
static int best_run(const struct model *m, int len, u64 align, int *place)
{
	int best = -1, at, n;

	for (at = 0; at < UNITS; at += n ? n : 1) {
		int p;

		n = run_at(m, at);
		for (p = at; p < at + n; p++)
			if ((m->start + p * UNIT) % align == 0)
				break;
		if (p + len > at + n || (best >= 0 && n >= best))
			continue;
		best = n;
		*place = p;
	}
	return best;
}

static int totals_agree(const struct model *m, const struct aclkm_extents *set)
{
	int at, n, largest = 0, unused = 0;

	for (at = 0; at < UNITS; at += n ? n : 1) {
		n = run_at(m, at);
		unused += n;
		if (n > largest)
			largest = n;
	}
	return set->free == unused * UNIT && aclkm_extents_largest(set) == largest * UNIT;
}

static void test_random(u64 start, unsigned int seed)
{
	struct aclkm_extent *live[UNITS] = { NULL };
	struct model m = { .start = start };
	int refusals = 0, wrong_refusal = 0, wrong_place = 0, not_best = 0, wrong_totals = 0;
	struct aclkm_extents set;
	int round, i;

	srandom(seed);
	fill(&set, start, UNITS * UNIT);
	for (round = 0; round < 20000; round++) {
		int len = 1 + random() % (random() % 8 ? 8 : 200), place = -1, best, first;
		u64 align = UNIT << (random() % 6);
		struct aclkm_extent *ext;

		i = random() % UNITS;
		if (live[i]) {
			first = (live[i]->start - start) / UNIT;
			memset(m.taken + first, 0, live[i]->len / UNIT);
			give(&set, live[i]);
			live[i] = NULL;
			wrong_totals += !totals_agree(&m, &set);
			continue;
		}
		best = best_run(&m, len, align, &place);
		ext = take(&set, len * UNIT, align);
		wrong_refusal += !ext != (best < 0);
		refusals += !ext;
		if (!ext)
			continue;
		first = (ext->start - start) / UNIT;
		wrong_place += ext->start % align || first + len > UNITS ||
			       run_at(&m, first) < len;
		/* Best fit is promised where the order of sizes leads straight to it. */
		not_best += align == UNIT && first != place;
		memset(m.taken + first, 1, len);
		live[i] = ext;
		wrong_totals += !totals_agree(&m, &set);
	}
	report(refusals > 100, "some requests were refused, or the next line says little");
	report(!wrong_refusal, "refused exactly where nothing fits");
	report(!wrong_place, "inside, aligned, on free units only");
	report(!not_best, "the smallest piece that fits, and the lowest of these");
	report(!wrong_totals, "free bytes and largest piece");

	for (i = 0; i < UNITS; i++)
		if (live[i])
			give(&set, live[i]);
	report(pieces(&set) == 1 && set.free == UNITS * UNIT, "all joined again at the end");
	empty(&set);
}

static void test_tib(void)
{
	struct aclkm_extents set;
	struct aclkm_extent *a, *b, *c;

	fill(&set, 3 * TIB, TIB);
	report(aclkm_extents_largest(&set) == TIB, "a range of 1 TiB");
	a = take(&set, UNIT, UNIT);
	b = take(&set, 1ULL << 30, 1ULL << 30);
	report(a && b && b->start % (1ULL << 30) == 0, "1 GiB aligned to 1 GiB behind one page");
	c = take(&set, 512ULL << 30, 1ULL << 30);
	report(c != NULL, "half a TiB");
	report(!take(&set, TIB, UNIT), "a whole TiB is not there any more");
	give(&set, b);
	give(&set, a);
	give(&set, c);
	c = take(&set, TIB, UNIT);
	report(c && !set.free && !aclkm_extents_largest(&set), "all of it");
	report(!take(&set, UNIT, UNIT), "nothing from nothing");
	give(&set, c);
	empty(&set);
}

static void test_limits(void)
{
	static const u64 sizes[] = { ~0ULL, ~0ULL - UNIT + 1, 1ULL << 63, (1ULL << 63) + UNIT };
	struct aclkm_extents set;
	u64 align;
	int i, bad = 0;

	fill(&set, UNIT, 16 * UNIT);
	for (i = 0; i < 4; i++)
		for (align = UNIT; align <= 1ULL << 30; align *= 2)
			bad += take(&set, sizes[i], align) != NULL;
	report(!bad && set.free == 16 * UNIT, "sizes near 2^64 are refused and change nothing");
	bad = take(&set, UNIT, 1ULL << 30) != NULL;
	report(!bad, "an alignment that no piece reaches");
	empty(&set);
}

/* Every second unit free: as many pieces as there can be, then one again. */
static void test_many_pieces(void)
{
	enum { N = 200000 };
	struct aclkm_extent **live = must(calloc(N, sizeof(*live)));
	struct aclkm_extents set;
	int i;

	fill(&set, 0, N * UNIT);
	for (i = 0; i < N; i++)
		live[i] = must(take(&set, UNIT, UNIT));
	for (i = 0; i < N; i += 2)
		give(&set, live[i]);
	report(pieces(&set) == N / 2, "100,000 free pieces");
	report(!take(&set, 2 * UNIT, UNIT), "none of them is two units long");
	for (i = 1; i < N; i += 2)
		give(&set, live[i]);
	report(pieces(&set) == 1 && set.free == N * UNIT, "and one again");
	empty(&set);
	free(live);
}

/* Many pieces that are long enough, and too short behind their first aligned byte. */
static void test_search_in_steps(void)
{
	enum { N = 3 * ACLKM_SEARCH_STEP };
	struct aclkm_search search = {};
	unsigned long steps = 0, at = 0;
	struct aclkm_extents set;
	struct aclkm_extent *ext;
	bool found = false;
	u64 start = 0;
	int i;

	aclkm_extents_init(&set);
	for (i = 0; i < N; i++) {
		ext = must(calloc(1, sizeof(*ext)));
		ext->start = (4 * i + 1) * UNIT;
		ext->len = 2 * UNIT;
		give(&set, ext);
	}
	do
		steps += !aclkm_extents_find_step(&set, &search, 2 * UNIT, 2 * UNIT, &start);
	while (search.len);
	report(steps == 3, "a search in vain takes as many steps as there are pieces for");
	report(!take(&set, 2 * UNIT, 2 * UNIT), "and finds no more in one call");

	/* The last one that is looked at fits. */
	ext = must(calloc(1, sizeof(*ext)));
	ext->start = 4 * N * UNIT;
	ext->len = 2 * UNIT;
	give(&set, ext);
	for (steps = 0; !found && steps < 10; steps++) {
		at = search.start;
		found = aclkm_extents_find_step(&set, &search, 2 * UNIT, 2 * UNIT, &start);
	}
	report(found && steps == 4 && start == 4 * N * UNIT && at == start,
	       "a search goes on where its last step ended");
	report(!search.len, "and says that it has ended");
	empty(&set);
}

int main(void)
{
	/* What was said before a crash is to be seen. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
	test_random(0, 1);
	test_random(5 * UNIT, 2);
	test_random(3 * TIB + 7 * UNIT, 3);
	test_tib();
	test_limits();
	test_many_pieces();
	test_search_in_steps();
	printf("1..%d\n", tests);
	return failures != 0;
}
