// SPDX-License-Identifier: MIT
/* Every loop that copies or fills, the choice between them, and the native calls. */
#include <pthread.h>

#include "aclkm/aclkm.h"
#include "copy/copy.h"
#include "tap.h"

#define KIB 1024UL
#define MIB (1024UL * KIB)
#define ROOM (9 * MIB)
#define GUARD 256

static unsigned char *from, *to, *want;

static void setup(void)
{
	unsigned int seed = 11;
	size_t i;

	from = malloc(ROOM);
	to = malloc(ROOM);
	want = malloc(ROOM);
	for (i = 0; i < ROOM; i++)
		from[i] = (unsigned char)rand_r(&seed);
}

typedef void (*copier)(void *dst, const void *src, size_t count);

/* @count bytes from one offset to another; nothing around them changes. */
static bool copies(copier copy, size_t d, size_t s, size_t count)
{
	size_t span = count + 2 * GUARD + 64;

	memset(to, 0xee, span);
	memset(want, 0xee, span);
	memcpy(want + GUARD + d, from + s, count);
	copy(to + GUARD + d, from + s, count);
	return !memcmp(to, want, span);
}

static bool copies_all(copier copy)
{
	static const size_t large[] = {1000, 4095, 4096, 4097, 65537, 300000};
	size_t d, s, count, i;

	for (count = 0; count < 330; count++) {
		for (d = 0; d < 64; d += count % 7 ? 29 : 5) {
			for (s = 0; s < 64; s += 21) {
				if (!copies(copy, d, s, count))
					return false;
			}
		}
	}
	for (i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
		for (d = 0; d < 64; d += 31) {
			for (s = 0; s < 64; s += 31) {
				if (!copies(copy, d, s, large[i]))
					return false;
			}
		}
	}
	return true;
}

static bool fills(void (*fill)(void *dst, int value, size_t count), size_t d,
		  size_t count)
{
	size_t span = count + 2 * GUARD + 64;

	memset(to, 0xee, span);
	memset(want, 0xee, span);
	memset(want + GUARD + d, 0x15a, count);
	fill(to + GUARD + d, 0x15a, count);
	return !memcmp(to, want, span);
}

static bool fills_all(void (*fill)(void *dst, int value, size_t count))
{
	size_t d, count;

	for (count = 0; count < 400; count++) {
		for (d = 0; d < 64; d += 3) {
			if (!fills(fill, d, count))
				return false;
		}
	}
	return fills(fill, 1, 300000) && fills(fill, 0, 300032);
}

static void test_kernels(void)
{
	const struct kernel *const *kernels;
	size_t n, i;

	kernels = kernels_here(&n);
	ok(n > 0, "this machine has %d kernels", (int)n);
	for (i = 0; i < n; i++) {
		ok(copies_all(kernels[i]->copy), "%s: copies exactly", kernels[i]->name);
		ok(copies_all(kernels[i]->copy_pieces), "%s: so does it in pieces",
		   kernels[i]->name);
		ok(copies_all(kernels[i]->copy_uncached),
		   "%s: copies with streaming loads exactly", kernels[i]->name);
		ok(fills_all(kernels[i]->fill), "%s: fills exactly", kernels[i]->name);
	}
	ok(copies_all(copy_bytes), "copy_bytes: copies exactly");
	ok(fills_all(fill_bytes), "fill_bytes: fills exactly");
}

/* Enough copies of each size that every way is tried, and then one chosen. */
static void test_ways(void)
{
	static const size_t sizes[] = {256 * KIB, 513 * KIB + 7, MIB + 1, 8 * MIB - 3};
	size_t i;
	int round;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		bool copy = true, fill = true;

		for (round = 0; round < 40; round++) {
			copy = copy && copies(copy_bytes, (size_t)round % 3, 5, sizes[i]);
			fill = fill && fills(fill_bytes, (size_t)round % 5, sizes[i]);
		}
		ok(copy, "%zu bytes: every way to copy is right", sizes[i]);
		ok(fill, "%zu bytes: every way to fill is right", sizes[i]);
	}
}

static void test_tuner(void)
{
	struct tuner tuner = {0};
	unsigned int tries[3] = {0}, i, way, all;
	int timed;

	for (i = 0; i < 3 * TUNER_TRIES; i++) {
		way = tuner_pick(&tuner, 3, &timed);
		tries[way] += (unsigned int)timed;
		/* Way 1 is the fastest but for its first, cold try. */
		tuner_note(&tuner, 3, way, way == 1 ? (tries[1] == 1 ? 900 : 50) : 100);
	}
	ok(tries[0] == TUNER_TRIES && tries[1] == TUNER_TRIES && tries[2] == TUNER_TRIES,
	   "each way is tried as often");
	is(tuner_pick(&tuner, 3, &timed), 1, "the fastest is taken from then on");
	is(timed, 0, "and no longer timed");
	is(tuner_pick(&tuner, 1, &timed), 0, "unless it is not there any more");
	for (i = 0, all = 0; i < 160; i++) {
		way = tuner_pick(&tuner, 3, &timed);
		all += (unsigned int)timed;
		/* A slow one now and then, or one in between that is not. */
		if (timed)
			tuner_note(&tuner, 3, way, all % 4 ? 80 : 70);
	}
	is(all, 160 / TUNER_LOOK, "but for a look now and then");
	is(tuner_pick(&tuner, 3, &timed), 1, "slow looks between others change nothing");
	for (i = 0; i < TUNER_SLOW * TUNER_LOOK && atomic_load(&tuner.chosen); i++) {
		way = tuner_pick(&tuner, 3, &timed);
		if (timed)
			tuner_note(&tuner, 3, way, 80);
	}
	is(atomic_load(&tuner.chosen), 0, "slow ones in a row: it begins anew");
	for (i = 0; i < 3 * TUNER_TRIES; i++) {
		way = tuner_pick(&tuner, 3, &timed);
		tuner_note(&tuner, 3, way, way == 2 ? 60 : 90);
	}
	is(tuner_pick(&tuner, 3, &timed), 2, "and finds what is fastest now");
	for (i = 3 * TUNER_TRIES; i < TUNER_AGAIN + 8; i++)
		tuner_pick(&tuner, 3, &timed);
	is(timed, 1, "after many it begins anew");
	is(atomic_load(&tuner.chosen), 0, "from the start");
	memset(&tuner, 0, sizeof(tuner));
	for (i = 0; i < 2 * TUNER_TRIES; i++) {
		way = tuner_pick(&tuner, 2, &timed);
		tuner_note(&tuner, 2, way, way ? 99 : 100);
	}
	is(tuner_pick(&tuner, 2, &timed), 0, "a hair's breadth is only noise");
	memset(&tuner, 0, sizeof(tuner));
	for (i = 0; i < 2 * TUNER_TRIES; i++) {
		way = tuner_pick(&tuner, 2, &timed);
		/* Once very fast, as when others were still. */
		tuner_note(&tuner, 2, way, way && i % TUNER_TRIES ? 120 : 100 - 80 * way);
	}
	is(tuner_pick(&tuner, 2, &timed), 0, "nor is it the fastest by luck, once");
	memset(&tuner, 0, sizeof(tuner));
	for (i = 0; i < 2 * TUNER_TRIES; i++) {
		way = tuner_pick(&tuner, 2, &timed);
		/* Three of five fell on when others ran. */
		tuner_note(&tuner, 2, way, way ? 120 : i < 3 ? 200 : 100);
	}
	is(tuner_pick(&tuner, 2, &timed), 0,
	   "nor is a way slow that was often disturbed");
}

static void count_part(void *arg, size_t part)
{
	atomic_fetch_add(&((atomic_int *)arg)[part], 1);
}

static void *use_crew(void *arg)
{
	int *bad = arg, round, i;

	for (round = 0; round < 300; round++) {
		atomic_int parts[40] = {0};

		if (!crew_run(count_part, parts, 40))
			continue;
		for (i = 0; i < 40; i++)
			*bad += parts[i] != 1;
	}
	return NULL;
}

static void test_crew(void)
{
	pthread_t threads[3];
	int bad[3] = {0}, i;
	atomic_int part = 0;

	crew_set_size(1);
	ok(!crew_run(count_part, &part, 8), "one thread is no crew");
	crew_set_size(4);
	is(crew_size(), 4, "four are");
	ok(!crew_run(count_part, &part, 1), "one part is no work for it");
	is(part, 0, "what is refused is not done");
	for (i = 0; i < 3; i++) {
		if (pthread_create(&threads[i], NULL, use_crew, &bad[i]))
			bail_out("no thread");
	}
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	is(bad[0] + bad[1] + bad[2], 0, "each part is done once");
}

static void test_calls(void)
{
	struct aclkm_copy_tuning tuning = {.threads = 17};
	struct aclkm_copy_piece pieces[5];
	int round;

	is(aclkm_copy(NULL, from, 1, 0), ACLKM_ERR_INVALID, "copy: dst NULL");
	is(aclkm_copy(to, NULL, 1, 0), ACLKM_ERR_INVALID, "copy: src NULL");
	is(aclkm_copy(to, from, 1, 2), ACLKM_ERR_INVALID, "copy: flag 2");
	is(aclkm_copy(NULL, NULL, 0, 0), 0, "copy: nothing");
	is(aclkm_copy(to, from, 100001, 0), 0, "copy");
	ok(!memcmp(to, from, 100001), "the bytes arrive");
	memset(to, 0, 100001);
	is(aclkm_copy(to, from + 1, 100000, ACLKM_COPY_UNCACHED), 0, "copy, uncached");
	ok(!memcmp(to, from + 1, 100000), "the bytes arrive");
	memcpy(to, from, 3 * MIB);
	is(aclkm_copy(to + 5, to, 2 * MIB, 0), 0, "copy: overlapping, upwards");
	ok(!memcmp(to + 5, from, 2 * MIB), "is right");
	memcpy(to, from, 3 * MIB);
	is(aclkm_copy(to, to + 70, 2 * MIB, 0), 0, "copy: overlapping, downwards");
	ok(!memcmp(to, from + 70, 2 * MIB), "is right");

	is(aclkm_fill(NULL, 0, 1), ACLKM_ERR_INVALID, "fill: NULL");
	is(aclkm_fill(NULL, 0, 0), 0, "fill: nothing");
	is(aclkm_fill(to, 0x1234, 3), 0, "fill");
	ok(to[0] == 0x34 && to[2] == 0x34 && to[3] != 0x34, "the low byte");

	pieces[0] = (struct aclkm_copy_piece){to, from, 1000};
	pieces[1] = (struct aclkm_copy_piece){to + 1000, from + 1000, 500};
	pieces[2] = (struct aclkm_copy_piece){to + 1500, from + 1501, 64};
	pieces[3] = (struct aclkm_copy_piece){NULL, NULL, 0};
	pieces[4] = (struct aclkm_copy_piece){to + 4000, from, 10};
	memset(to, 0, 5000);
	is(aclkm_copy_batch(pieces, 5), 0, "batch");
	ok(!memcmp(to, from, 1500) && !memcmp(to + 1500, from + 1501, 64) && !to[1564] &&
		   !memcmp(to + 4000, from, 10),
	   "every piece arrives");
	memset(to, 0, 5000);
	pieces[4].src = NULL;
	is(aclkm_copy_batch(pieces, 5), ACLKM_ERR_INVALID, "batch: a NULL");
	ok(strstr(aclkm_last_error(), "pieces[4].src"), "the text names the piece");
	ok(!to[0], "nothing is copied");
	is(aclkm_copy_batch(NULL, 1), ACLKM_ERR_INVALID, "batch: NULL");
	is(aclkm_copy_batch(NULL, 0), 0, "batch: nothing");

	is(aclkm_copy_tune(&tuning), ACLKM_ERR_INVALID, "tune: 17 threads");
	tuning = (struct aclkm_copy_tuning){.past_caches = 512 * KIB, .threads = 3};
	is(aclkm_copy_tune(&tuning), 0, "tune: past the caches from 512 KiB");
	for (round = 0; round < 4; round++)
		ok(copies(copy_bytes, (size_t)round, 1, 3 * MIB + 5), "copies are right");
	tuning = (struct aclkm_copy_tuning){.past_caches = SIZE_MAX, .threads = 1};
	is(aclkm_copy_tune(&tuning), 0, "tune: never past the caches");
	ok(copies(copy_bytes, 1, 1, 3 * MIB + 5), "copies are right");
	is(aclkm_copy_tune(NULL), 0, "tune: back to measurement");
}

static void test_2d(void)
{
	size_t row;
	bool good = true;

	is(aclkm_copy_2d(NULL, 10, from, 10, 10, 2), ACLKM_ERR_INVALID, "2d: dst NULL");
	is(aclkm_copy_2d(to, 10, NULL, 10, 10, 2), ACLKM_ERR_INVALID, "2d: src NULL");
	is(aclkm_copy_2d(to, 9, from, 10, 10, 2), ACLKM_ERR_INVALID, "2d: short pitch");
	ok(strstr(aclkm_last_error(), "dst_pitch = 9"), "the text names it");
	is(aclkm_copy_2d(to, 10, from, 9, 10, 2), ACLKM_ERR_INVALID, "2d: the other");
	is(aclkm_copy_2d(to, SIZE_MAX, from, 10, 10, 3), ACLKM_ERR_OVERFLOW,
	   "2d: leaves 64 bits");
	is(aclkm_copy_2d(NULL, 0, NULL, 0, 0, 5), 0, "2d: nothing");
	memset(to, 0, 100000);
	is(aclkm_copy_2d(to, 300, from, 200, 150, 20), 0, "2d");
	for (row = 0; row < 20; row++)
		good = good && !memcmp(to + row * 300, from + row * 200, 150) &&
		       !to[row * 300 + 150];
	ok(good, "every row arrives, and nothing behind it");
	is(aclkm_copy_2d(to, 512, from, 512, 512, 100), 0, "2d without gaps");
	ok(!memcmp(to, from, 51200), "arrives as one");
}

int main(void)
{
	setup();
	test_kernels();
	test_tuner();
	test_crew();
	test_ways();
	test_calls();
	test_2d();
	free(from);
	free(to);
	free(want);
	return done_testing();
}
