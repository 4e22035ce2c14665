// SPDX-License-Identifier: MIT
/*
 * Where a program is, as a number: a place that a thread was at before is known again by
 * what is on its stack, another one is not taken for it.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "debug/debug.h"
#include "tap.h"

struct place {
	uint32_t id;
	bool known; /* without unwinding */
};

/* As a function of the API does. */
static __attribute__((noinline)) struct place look(void)
{
	const void *pc = __builtin_return_address(0), *frame = STACK_FRAME;
	struct place place;

	place.known = stack_known(pc, frame, &place.id);
	if (!place.known)
		place.id = stack_unwind("look", pc, frame);
	return place;
}

/* Each of these is a frame: nothing is passed on as it is. */
#define FRAME __attribute__((noinline, noclone))

static FRAME struct place deeper(int depth)
{
	struct place place = depth ? deeper(depth - 1) : look();

	__asm__ volatile("" : "+r"(place.id));
	return place;
}

static FRAME struct place by_one(int depth)
{
	struct place place = deeper(depth);

	__asm__ volatile("" : "+r"(place.id));
	return place;
}

static FRAME struct place by_other(int depth)
{
	struct place place = deeper(depth);

	__asm__ volatile("" : "+r"(place.id));
	return place;
}

/* So many looks by one call: each call is a place of its own, so no loop is unrolled. */
static FRAME void visit(struct place (*const by[2])(int), int depth, struct place *places,
			int n)
{
	volatile int i;

	for (i = 0; i < n; i++)
		places[i] = by[i % 2](depth);
}

static void test_known_again(void)
{
	struct place (*const by[])(int) = {by_one, by_one};
	struct place places[3];
	int depth;

	for (depth = 0; depth < 6; depth++) {
		visit(by, depth, places, 3);
		ok(!places[0].known && places[1].known && places[2].known,
		   "%d frames: known again", depth + 3);
		ok(places[0].id && places[1].id == places[0].id &&
			   places[2].id == places[0].id,
		   "%d frames: by the same number", depth + 3);
	}
}

/* At the same address of the stack, all the same but for one frame further out. */
static void test_other_caller(void)
{
	struct place (*const by[])(int) = {by_one, by_other};
	struct place places[6];
	int depth;

	for (depth = 0; depth < 6; depth++) {
		visit(by, depth, places, 6);
		ok(places[0].id != places[1].id,
		   "%d frames: another caller, another place", depth + 3);
		ok(places[2].id == places[0].id && places[4].id == places[0].id &&
			   places[3].id == places[1].id && places[5].id == places[1].id,
		   "%d frames: in turn, each is told from the other", depth + 3);
	}
}

static bool names(uint32_t id, const void *function, size_t size)
{
	const struct trace *trace = stack_get(id);
	int i;

	for (i = 0; i < trace->depth; i++) {
		if ((uintptr_t)trace->frames[i] - (uintptr_t)function < size)
			return true;
	}
	return false;
}

/* What is not compared is written down all the same. */
static void test_whole(void)
{
	uint32_t id = by_one(1).id;

	ok(names(id, (const void *)(uintptr_t)by_one, 256), "the caller is in the trace");
	ok(stack_get(id)->depth > 4, "and so is what called main");
	is(strcmp(stack_get(id)->function, "look"), 0, "with the function of the API");
}

static void *in_thread(void *arg)
{
	struct place (*const by[])(int) = {by_one, by_one};

	visit(by, 2, arg, 3);
	return NULL;
}

static void test_thread(void)
{
	struct place places[2][3];
	pthread_t id;
	int i;

	for (i = 0; i < 2; i++) {
		if (pthread_create(&id, NULL, in_thread, places[i]))
			exit(1);
		pthread_join(id, NULL);
		ok(!places[i][0].known, "thread %d knows nothing of another's places", i);
		ok(places[i][1].known && places[i][2].known, "and its own again");
	}
}

/* A thread that starts in a function of the API: no frame of the program's at all. */
static void *starts_there(void *arg)
{
	struct place *place = arg;
	const void *pc = __builtin_return_address(0), *frame = STACK_FRAME;

	place->known = stack_known(pc, frame, &place->id);
	place->id = stack_unwind("starts_there", pc, frame);
	place->known = !place->known && stack_known(pc, frame, &place->id);
	return NULL;
}

static void test_start(void)
{
	struct place place = {0};
	pthread_t id;

	if (pthread_create(&id, NULL, starts_there, &place))
		exit(1);
	pthread_join(id, NULL);
	ok(place.known, "a place without a caller of its own is known again");
	ok(place.id, "and has a number");
}

int main(void)
{
	test_known_again();
	if (dlopen("libgcc_s.so.1", RTLD_NOW)) {
		test_other_caller();
		test_whole();
	} else {
		skip("frames", "libgcc_s.so.1, which knows them, is not here");
	}
	test_thread();
	test_start();
	return done_testing();
}
