// SPDX-License-Identifier: MIT
/*
 * aclkm bench: in about a minute, what blocks cost here beside malloc() and hugetlbfs.
 * All of them do the same work in turn: take a block, touch each page, free it. Figures
 * are of this machine at this moment; bench/ in the sources has the careful comparison.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "aclkm/aclkm.h"
#include "command.h"
#include "show.h"

#define DEFAULT_SECONDS 60
#define BAR 30
#define PAGE 4096
#define SIZE_2M (2ULL << 20)

struct source {
	const char *name;
	void *(*take)(size_t size);
	void (*give)(void *mem, size_t size);
};

static void *aclkm_take(size_t size)
{
	void *mem;

	return aclkm_memory_alloc(size, 0, ACLKM_PAGES_HUGE_FIRST, &mem) ? NULL : mem;
}

static void aclkm_give(void *mem, size_t size)
{
	(void)size;
	aclkm_memory_free(mem);
}

static void *malloc_take(size_t size)
{
	return malloc(size);
}

static void malloc_give(void *mem, size_t size)
{
	(void)size;
	free(mem);
}

static size_t huge_size(size_t size)
{
	return (size + SIZE_2M - 1) & ~(SIZE_2M - 1);
}

static void *hugetlb_take(size_t size)
{
	void *mem = mmap(NULL, huge_size(size), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

static void hugetlb_give(void *mem, size_t size)
{
	munmap(mem, huge_size(size));
}

static const struct source sources[] = {
	{"aclkm", aclkm_take, aclkm_give},
	{"malloc", malloc_take, malloc_give},
	{"hugetlbfs", hugetlb_take, hugetlb_give},
};

#define SOURCES (sizeof(sources) / sizeof(sources[0]))

static const struct {
	uint64_t size;
	bool copies; /* time a copy between two blocks in place of taking one */
} cases[] = {
	{256, false},	   {64 << 10, false}, {2 << 20, false},
	{32 << 20, false}, {32 << 20, true},
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

struct result {
	double ns; /* of one round; 0: it could not be done */
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void touch(volatile char *mem, size_t size)
{
	size_t at;

	for (at = 0; at < size; at += PAGE)
		mem[at] = 1;
}

static bool round_of_blocks(const struct source *source, size_t size)
{
	void *mem = source->take(size);

	if (!mem)
		return false;
	touch(mem, size);
	source->give(mem, size);
	return true;
}

/* Rounds until the time is over; nanoseconds of the average one. */
static double time_blocks(const struct source *source, size_t size, double seconds)
{
	unsigned long rounds = 0, i, batch = size < SIZE_2M ? 64 : 1;
	double start, end, at;

	/* The first block of all pays for what the others find. */
	if (!round_of_blocks(source, size))
		return 0;
	start = now();
	end = start + seconds;
	do {
		for (i = 0; i < batch; i++)
			if (!round_of_blocks(source, size))
				return 0;
		rounds += batch;
		at = now();
	} while (at < end);
	return (at - start) * 1e9 / (double)rounds;
}

static double time_copies(const struct source *source, size_t size, double seconds)
{
	void *from = source->take(size), *to = source->take(size);
	double start, end, at, ns = 0;
	unsigned long rounds = 0;

	if (from && to) {
		memset(from, 1, size);
		memset(to, 2, size);
		start = now();
		end = start + seconds;
		do {
			memcpy(to, from, size);
			/* The compiler must not think that nobody looks. */
			__asm__ volatile("" : : "r"(to) : "memory");
			rounds++;
			at = now();
		} while (at < end);
		ns = (at - start) * 1e9 / (double)rounds;
	}
	if (from)
		source->give(from, size);
	if (to)
		source->give(to, size);
	return ns;
}

static void time_text(double ns, char *text, size_t room)
{
	if (ns < 1e3)
		snprintf(text, room, "%.0f ns", ns);
	else if (ns < 1e6)
		snprintf(text, room, "%.1f us", ns / 1e3);
	else
		snprintf(text, room, "%.1f ms", ns / 1e6);
}

/* Shorter bars are faster; the slowest fills the columns. */
static void print_case(size_t which, const struct result *results)
{
	char bar[128], text[32];
	double slowest = 0;
	size_t i;

	for (i = 0; i < SOURCES; i++)
		if (results[i].ns > slowest)
			slowest = results[i].ns;
	printf("%s%s of %s%s\n", show_colour(SHOW_BOLD),
	       cases[which].copies ? "copy" : "take, touch and free a block",
	       SHOW_SIZE(cases[which].size), show_colour(SHOW_PLAIN));
	for (i = 0; i < SOURCES; i++) {
		if (results[i].ns == 0) {
			printf("  %-10s %12s\n", sources[i].name, "none free");
			continue;
		}
		time_text(results[i].ns, text, sizeof(text));
		show_bar(bar, sizeof(bar), BAR, (uint64_t)(results[i].ns * 1000),
			 (uint64_t)(slowest * 1000));
		printf("  %-10s %12s  %s%s%s", sources[i].name, text,
		       show_colour(i ? SHOW_DIM : SHOW_INFO), bar,
		       show_colour(SHOW_PLAIN));
		if (cases[which].copies)
			printf("  %.1f GB/s", (double)cases[which].size / results[i].ns);
		else if (i && results[0].ns > 0)
			printf("  %.1fx", results[i].ns / results[0].ns);
		putchar('\n');
	}
}

static cJSON *json_case(size_t which, const struct result *results)
{
	cJSON *object = cJSON_CreateObject();
	size_t i;

	cJSON_AddStringToObject(object, "does", cases[which].copies ? "copy" : "block");
	show_json_number(object, "size", cases[which].size);
	for (i = 0; i < SOURCES; i++) {
		if (results[i].ns > 0)
			cJSON_AddNumberToObject(object, sources[i].name, results[i].ns);
		else
			cJSON_AddNullToObject(object, sources[i].name);
	}
	return object;
}

static int run_cases(double seconds, const char *backend)
{
	double each = seconds / (double)(CASES * SOURCES);
	struct result results[SOURCES];
	cJSON *root = cJSON_CreateObject(), *array;
	int code = EXIT_FINE;
	size_t which, i;

	cJSON_AddStringToObject(root, "backend", backend);
	cJSON_AddStringToObject(root, "unit", "ns");
	array = cJSON_AddArrayToObject(root, "cases");
	if (!command_json)
		printf("backend %s; shorter is faster\n\n", backend);
	for (which = 0; which < CASES; which++) {
		size_t size = cases[which].size;

		for (i = 0; i < SOURCES; i++) {
			show_status("%zu of %zu: %s", which * SOURCES + i + 1,
				    CASES * SOURCES, sources[i].name);
			results[i].ns = cases[which].copies
						? time_copies(&sources[i], size, each)
						: time_blocks(&sources[i], size, each);
		}
		show_status("%s", "");
		/* No huge pages of hugetlbfs is common; no device memory is a finding. */
		if (results[0].ns == 0)
			code = command_failed(&command_bench, "%s", aclkm_last_error());
		cJSON_AddItemToArray(array, json_case(which, results));
		if (!command_json)
			print_case(which, results);
	}
	if (command_json)
		return show_json(root, code);
	cJSON_Delete(root);
	return code;
}

static const struct option longs[] = {{"seconds", required_argument, NULL, 's'},
				      {NULL, 0, NULL, 0}};

static int run_bench(int argc, char **argv)
{
	double seconds = DEFAULT_SECONDS;
	const char *backend, *why;
	char *end;

	while (command_option(&command_bench, argc, argv) != -1) {
		seconds = strtod(optarg, &end);
		if (!*optarg || *end || !(seconds >= 0.1 && seconds <= 3600))
			command_misused(&command_bench,
					"the time \"%s\" is not 0.1 to 3600 seconds",
					optarg);
	}
	command_no_arguments(&command_bench, argc, argv);
	if (aclkm_memory_backend(&backend, &why))
		return command_failed(&command_bench, "%s", aclkm_last_error());
	return run_cases(seconds, backend);
}

const struct command command_bench = {
	.name = "bench",
	.arguments = "",
	.summary = "Compare blocks with malloc and hugetlbfs, in a minute",
	.help = "  -s, --seconds N        how long in all; 60 if not given\n",
	.shorts = "s:",
	.longs = longs,
	.run = run_bench,
};
