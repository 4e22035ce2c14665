// SPDX-License-Identifier: MIT
/* Extents against a byte map: the same answers after every random step. */
#include "alloc/alloc.h"
#include "tap.h"

#define BASE 0x7f0000000000ULL
#define UNITS 4096
#define SIZE (UNITS * unit)
#define MAX_LIVE 512
#define STEPS 40000

/* The model: who owns each unit; 0 is free. */
static uint16_t map[UNITS];

struct live {
	uint64_t addr;
	uint64_t size;
};

static uint64_t unit; /* bytes */
static struct live lives[MAX_LIVE];
static int nr_live;
static uint64_t seed = 88172645463325252ULL;

static uint64_t rnd(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

static bool model_has_room(uint64_t units, uint64_t align_units)
{
	uint64_t start, i;

	for (start = 0; start + units <= UNITS; start += align_units) {
		for (i = 0; i < units && !map[start + i]; i++)
			;
		if (i == units)
			return true;
	}
	return false;
}

static uint64_t model_largest(void)
{
	uint64_t best = 0, run = 0, i;

	for (i = 0; i < UNITS; i++) {
		run = map[i] ? 0 : run + 1;
		if (run > best)
			best = run;
	}
	return best * unit;
}

static bool model_take(uint64_t addr, uint64_t size, uint16_t owner)
{
	uint64_t i, from = (addr - BASE) / unit;

	for (i = 0; i < size / unit; i++) {
		if (map[from + i])
			return false;
		map[from + i] = owner;
	}
	return true;
}

static void model_give(uint64_t addr, uint64_t size)
{
	memset(&map[(addr - BASE) / unit], 0, size / unit * sizeof(map[0]));
}

static bool step_alloc(struct extents *ex)
{
	uint64_t units = rnd(4) ? 1 + rnd(16) : 1 + rnd(200);
	uint64_t align_units = 1ULL << rnd(7);
	struct extent *piece;
	int err = extents_alloc(ex, units * unit, align_units * unit, &piece);

	/* The base is a multiple of every alignment used here. */
	if (err == ACLKM_ERR_NOMEM)
		return !model_has_room(units, align_units);
	if (err || piece->addr % (align_units * unit) || piece->size != units * unit)
		return false;
	lives[nr_live++] = (struct live){piece->addr, piece->size};
	return model_take(piece->addr, piece->size, (uint16_t)(1 + rnd(60000)));
}

static bool step_free(struct extents *ex)
{
	int which = (int)rnd((uint64_t)nr_live);
	struct live l = lives[which];
	struct extent *piece;

	if (l.size > unit &&
	    (extents_find(ex, l.addr + 1, &piece) != ACLKM_ERR_INTERIOR ||
	     piece->addr != l.addr))
		return false;
	if (extents_find(ex, l.addr, &piece))
		return false;
	extents_free(ex, piece);
	model_give(l.addr, l.size);
	lives[which] = lives[--nr_live];
	return extents_find(ex, l.addr, &piece) == ACLKM_ERR_NOTALIVE;
}

/* @sizes: NULL, or what the range shares: then addresses are found in another way. */
static void test_random(uint64_t bytes, struct extent_sizes *sizes)
{
	struct extents ex;
	bool good = true;
	int i, err;

	unit = bytes;
	err = extents_join(&ex, BASE, SIZE, sizes);
	is(err, 0, "a range is managed, of %u units of %llu bytes, %s", UNITS,
	   (unsigned long long)unit, sizes ? "that shares" : "alone");
	if (err)
		return;
	for (i = 0; i < STEPS && good; i++) {
		bool take = !nr_live || (nr_live < MAX_LIVE && rnd(100) < 52);

		good = take ? step_alloc(&ex) : step_free(&ex);
		if (good && i % 64 == 0)
			good = extents_largest(&ex) == model_largest();
		good = good && ex.count == (uint64_t)nr_live;
	}
	ok(good, "%d random steps agree with the model", i);
	while (nr_live && good)
		good = step_free(&ex);
	ok(good, "all freed");
	ok(extents_largest(&ex) == SIZE, "and everything is one piece again");
	is(ex.used, 0, "nothing is used");
	extents_destroy(&ex);
}

static void test_results(void)
{
	struct extent *a, *b, *found;
	struct extents ex;
	int err;

	is(extents_init(&ex, BASE, 0), ACLKM_ERR_INVALID, "no bytes");
	is(extents_init(&ex, UINT64_MAX - 10, 100), ACLKM_ERR_INVALID,
	   "a range that wraps");
	err = extents_init(&ex, BASE, 4096);
	is(err, 0, "4096 bytes");
	if (err)
		return;
	is(extents_alloc(&ex, 0, 64, &a), ACLKM_ERR_INVALID, "size 0");
	is(extents_alloc(&ex, 64, 0, &a), ACLKM_ERR_INVALID, "alignment 0");
	is(extents_alloc(&ex, 64, 96, &a), ACLKM_ERR_INVALID, "alignment 96");
	is(extents_alloc(&ex, 4097, 64, &a), ACLKM_ERR_NOMEM, "more than there is");
	is(extents_alloc(&ex, UINT64_MAX, 64, &a), ACLKM_ERR_NOMEM, "2^64 - 1");
	is(extents_alloc(&ex, 64, 1ULL << 63, &a), ACLKM_ERR_NOMEM, "alignment 2^63");
	is(extents_alloc(&ex, 4096, 4096, &a), 0, "all of it");
	is(extents_alloc(&ex, 1, 1, &b), ACLKM_ERR_NOMEM, "then nothing is left");
	is(extents_largest(&ex), 0, "largest piece is 0");
	is(extents_find(&ex, BASE + 1, &found), ACLKM_ERR_INTERIOR, "inside");
	ok(found == a, "which tells the piece");
	is(extents_find(&ex, BASE - 1, &found), ACLKM_ERR_FOREIGN,
	   "in front of the range");
	is(extents_find(&ex, BASE + 4096, &found), ACLKM_ERR_FOREIGN, "behind the range");
	extents_free(&ex, a);
	is(extents_find(&ex, BASE, &found), ACLKM_ERR_NOTALIVE, "freed");
	is(ex.high_water, 4096, "high water");
	extents_destroy(&ex);
}

/* The smallest hole that fits is taken, not the first. */
static void test_best_fit(void)
{
	struct extent *p[5], *q;
	struct extents ex;
	static const uint64_t sizes[] = {512, 64, 128, 64, 256};
	int i, err;

	err = extents_init(&ex, BASE, 1024);
	is(err, 0, "1024 bytes");
	if (err)
		return;
	for (i = 0; i < 5; i++)
		err |= extents_alloc(&ex, sizes[i], 64, &p[i]);
	is(err, 0, "five pieces fill it");
	extents_free(&ex, p[0]);
	extents_free(&ex, p[2]);
	is(extents_alloc(&ex, 100, 1, &q), 0, "100 bytes");
	is(q->addr, BASE + 576, "go to the hole of 128");
	is(extents_alloc(&ex, 100, 1, &q), 0, "100 more");
	is(q->addr, BASE, "go to the hole of 512");
	extents_destroy(&ex);
}

/* Many holes of the right size and the wrong alignment, and one that fits. */
/* A used piece becomes two, and each can be freed by itself. */
static void test_split(void)
{
	struct extent *a, *b, *rest = NULL, *found;
	struct extents ex;
	int err;

	err = extents_init(&ex, BASE, 1024);
	err |= extents_alloc(&ex, 512, 64, &a) | extents_alloc(&ex, 64, 64, &b);
	is(err, 0, "two pieces");
	is(extents_split(&ex, a, 128, &rest), 0, "split the first");
	ok(a->size == 128 && rest->addr == BASE + 128 && rest->size == 384 && rest->used,
	   "into two used ones");
	is(ex.used, 576, "no byte more is used");
	is(ex.count, 3, "three pieces are");
	is(extents_find(&ex, BASE + 128, &found), 0, "the second is found");
	ok(found == rest, "as such");
	is(extents_find(&ex, BASE + 127, &found), ACLKM_ERR_INTERIOR,
	   "the first ends where it starts");
	ok(found == a, "and has its bytes");
	extents_free(&ex, a);
	is(extents_find(&ex, BASE + 128, &found), 0, "it outlives the first");
	extents_free(&ex, rest);
	is(extents_alloc(&ex, 512, 64, &a), 0, "both are one free piece again");
	is(a->addr, BASE, "from the start");
	extents_destroy(&ex);
}

/* Two ranges that share their free pieces: the best one of both is cut. */
static void test_join(void)
{
	struct extent_sizes sizes = {0};
	struct extent *a, *b, *c;
	struct extents one, two;
	int err;

	err = extents_join(&one, BASE, 1024, &sizes);
	err |= extents_join(&two, BASE + 65536, 512, &sizes);
	is(err, 0, "two ranges");
	is(extents_largest(&two), 1024, "the largest piece of both");
	is(extents_alloc(&one, 512, 64, &a), 0, "512 bytes");
	ok(a->of == &two && a->addr == BASE + 65536, "from where they fit best");
	is(two.used, 512, "counted there");
	is(one.used, 0, "and not here");
	is(extents_alloc_best(&sizes, 1024, 64, &b), 0, "1024 bytes");
	ok(b->of == &one, "from the other");
	is(extents_alloc_best(&sizes, 64, 64, &c), ACLKM_ERR_NOMEM, "now both are full");
	is(extents_largest(&one), 0, "no piece is left");
	extents_free(&two, a);
	is(extents_largest(&one), 512, "a piece of the other counts");
	extents_destroy(&two);
	is(extents_largest(&one), 0, "not when its range has gone");
	is(extents_alloc_best(&sizes, 64, 64, &c), ACLKM_ERR_NOMEM, "nor is it given");
	extents_free(&one, b);
	is(extents_alloc_best(&sizes, 64, 64, &c), 0, "what is left serves on");
	extents_destroy(&one);
	ok(!sizes.last && !sizes.words, "and leaves nothing");
	sizes_drop_records(&sizes);
}

static void test_misaligned_holes(void)
{
	static struct extent *keep[64], *hole[64];
	struct extents ex;
	struct extent *q;
	int i, err;

	err = extents_init(&ex, BASE, 64 * 192 + 128);
	is(err, 0, "a range for holes");
	if (err)
		return;
	for (i = 0; i < 64; i++) {
		err |= extents_alloc(&ex, 64, 64, &keep[i]);
		err |= extents_alloc(&ex, 128, 64, &hole[i]);
	}
	is(err, 0, "64 pieces of 64 and of 128 in turn");
	for (i = 0; i < 64; i++) {
		if (hole[i]->addr % 128)
			extents_free(&ex, hole[i]);
	}
	is(extents_alloc(&ex, 128, 128, &q), 0, "an aligned piece is found");
	is(q->addr % 128, 0, "and is aligned");
	is(extents_alloc(&ex, 128, 128, &q), ACLKM_ERR_NOMEM, "there is only one");
	is(extents_alloc(&ex, 128, 64, &q), 0, "with less alignment there are more");
	extents_destroy(&ex);
}

int main(void)
{
	static struct extent_sizes shared;

	test_results();
	test_best_fit();
	test_split();
	test_join();
	test_misaligned_holes();
	test_random(64, NULL);
	test_random(64, &shared);
	/* A cell has two pieces at most, and most pieces go over many. */
	test_random(16384, &shared);
	test_random(1 << 20, &shared);
	sizes_drop_records(&shared);
	return done_testing();
}
