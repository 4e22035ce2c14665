// SPDX-License-Identifier: MIT
/*
 * alloc TRACE [THREADS [TOUCH [FILE]]]: runs one trace on this program's subject
 * and prints nanoseconds for one allocation with its free (each thread's own time,
 * the mean of the threads), or for `overhead` the bytes.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "subject.h"

#define LIVE 4096
#define TABLE (1U << 16)
#define MAX_THREADS 16

static bool touch;
static clockid_t which_clock = CLOCK_MONOTONIC;

struct step {
	uint32_t slot;
	uint32_t len;
};

struct job {
	void (*run)(struct job *job);
	pthread_barrier_t *start;
	unsigned int index;
	uint64_t pairs; /* out */
	double seconds; /* out */
};

static double now(void)
{
	struct timespec t;

	clock_gettime(which_clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static inline void *take_touched(size_t len)
{
	char *p = take(len);

	if (touch)
		*(volatile char *)p = 1;
	return p;
}

static struct step *steps_of(unsigned int live, uint32_t min, uint32_t max,
			     unsigned int index)
{
	struct step *steps = malloc(TABLE * sizeof(*steps));
	uint64_t seed = 88172645463325252ULL + index;
	uint32_t i;

	if (!steps)
		subject_die("out of memory");
	for (i = 0; i < TABLE; i++) {
		steps[i].slot = (uint32_t)(next_random(&seed) % live);
		steps[i].len = min + (uint32_t)(next_random(&seed) % (max - min + 1));
	}
	return steps;
}

/* Replaces a random one of @live blocks by one of random size, over and over. */
static void replace(struct job *job, unsigned int live, uint32_t min, uint32_t max,
		    unsigned int rounds)
{
	struct step *steps = steps_of(live, min, max, job->index);
	void **blocks = calloc(live, sizeof(*blocks));
	unsigned int round, i;
	double start;

	for (i = 0; i < live; i++)
		blocks[i] = take_touched(steps[i].len);
	for (i = 0; i < TABLE; i++) {
		give(blocks[steps[i].slot]);
		blocks[steps[i].slot] = take_touched(steps[i].len);
	}
	pthread_barrier_wait(job->start);
	start = now();
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < TABLE; i++) {
			give(blocks[steps[i].slot]);
			blocks[steps[i].slot] = take_touched(steps[i].len);
		}
	}
	job->seconds = now() - start;
	job->pairs = (uint64_t)rounds * TABLE;
	for (i = 0; i < live; i++)
		give(blocks[i]);
	free(blocks);
	free(steps);
}

static void run_mix(struct job *job)
{
	replace(job, LIVE, 1, 4096, 60);
}

static void run_large(struct job *job)
{
	replace(job, 512, 1024, 1 << 20, 1);
}

static void run_pair(struct job *job)
{
	const unsigned int pairs = 20000000;
	unsigned int i;
	double start;

	for (i = 0; i < 1000; i++)
		give(take_touched(256));
	pthread_barrier_wait(job->start);
	start = now();
	for (i = 0; i < pairs; i++)
		give(take_touched(256));
	job->seconds = now() - start;
	job->pairs = pairs;
}

/* A thousand blocks taken, then a thousand given, in the same order. */
static void run_batch(struct job *job)
{
	enum { BATCH = 1000, ROUNDS = 1000 };
	struct step *steps = steps_of(LIVE, 1, 4096, job->index);
	void *blocks[BATCH];
	unsigned int round, i, at = 0;
	double start = 0;

	for (round = 0; round < ROUNDS + ROUNDS / 10; round++) {
		if (round == ROUNDS / 10) {
			pthread_barrier_wait(job->start);
			start = now();
		}
		for (i = 0; i < BATCH; i++)
			blocks[i] = take_touched(steps[at++ % TABLE].len);
		for (i = 0; i < BATCH; i++)
			give(blocks[i]);
	}
	job->seconds = now() - start;
	job->pairs = (uint64_t)BATCH * ROUNDS;
	free(steps);
}

/* From nothing to 100,000 blocks of up to 2 KiB and back, in a random order. */
static void run_grow(struct job *job)
{
	enum { BLOCKS = 100000, ROUNDS = 5 };
	struct step *steps = steps_of(LIVE, 1, 2048, job->index);
	void **blocks = malloc(BLOCKS * sizeof(*blocks));
	uint32_t *order = malloc(BLOCKS * sizeof(*order));
	uint64_t seed = 1234567;
	unsigned int round, i;
	double start = 0;

	for (i = 0; i < BLOCKS; i++)
		order[i] = i;
	for (i = BLOCKS - 1; i > 0; i--) {
		unsigned int j = (unsigned int)(next_random(&seed) % (i + 1));
		uint32_t other = order[j];

		order[j] = order[i];
		order[i] = other;
	}
	for (round = 0; round < ROUNDS + 1; round++) {
		if (round == 1) {
			pthread_barrier_wait(job->start);
			start = now();
		}
		for (i = 0; i < BLOCKS; i++)
			blocks[i] = take_touched(steps[i % TABLE].len);
		for (i = 0; i < BLOCKS; i++)
			give(blocks[order[i]]);
	}
	job->seconds = now() - start;
	job->pairs = (uint64_t)BLOCKS * ROUNDS;
	free(order);
	free(blocks);
	free(steps);
}

/* One thread takes, its partner gives: a ring of pointers between the two. */
#define RING 1024

static struct ring {
	_Alignas(64) _Atomic uint64_t head;
	_Alignas(64) _Atomic uint64_t tail;
	void *slots[RING];
} rings[MAX_THREADS / 2];

static void run_handover(struct job *job)
{
	const uint64_t pairs = 1000000;
	struct ring *ring = &rings[job->index / 2];
	struct step *steps = steps_of(LIVE, 1, 4096, job->index);
	bool producer = job->index % 2 == 0;
	double start;
	uint64_t i;

	pthread_barrier_wait(job->start);
	start = now();
	for (i = 0; i < pairs; i++) {
		if (producer) {
			while (i - atomic_load_explicit(&ring->tail,
							memory_order_acquire) >=
			       RING)
				;
			ring->slots[i % RING] = take_touched(steps[i % TABLE].len);
			atomic_store_explicit(&ring->head, i + 1, memory_order_release);
		} else {
			while (atomic_load_explicit(&ring->head, memory_order_acquire) <=
			       i)
				;
			give(ring->slots[i % RING]);
			atomic_store_explicit(&ring->tail, i + 1, memory_order_release);
		}
	}
	job->seconds = now() - start;
	job->pairs = pairs;
	free(steps);
}

/* A recording of record.c: words, a length takes block n + 1, a negative one gives. */
static const char *replay_path;

static void run_replay(struct job *job)
{
	enum { ROUNDS = 5 };
	FILE *file = fopen(replay_path, "rb");
	size_t count, used, i, taken;
	unsigned int round;
	double start = 0;
	int32_t *words;
	void **blocks;

	if (!file)
		subject_die("replay: no recording");
	fseek(file, 0, SEEK_END);
	count = (size_t)ftell(file) / sizeof(*words);
	rewind(file);
	words = malloc(count * sizeof(*words));
	blocks = calloc(count + 1, sizeof(*blocks));
	used = fread(words, sizeof(*words), count, file);
	fclose(file);
	for (round = 0; round < ROUNDS + 1; round++) {
		if (round == 1) {
			pthread_barrier_wait(job->start);
			start = now();
		}
		for (i = 0, taken = 0; i < used; i++) {
			if (words[i] >= 0) {
				blocks[++taken] = take_touched((size_t)words[i]);
			} else {
				give(blocks[-words[i]]);
				blocks[-words[i]] = NULL;
			}
		}
		for (i = 1; i <= taken; i++) {
			if (blocks[i])
				give(blocks[i]);
		}
		job->pairs += round ? taken : 0;
	}
	job->seconds = now() - start;
	free(blocks);
	free(words);
}

static long resident(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (!file || fscanf(file, "%*d %ld", &pages) != 1)
		subject_die("no /proc/self/statm");
	fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}

/* Resident bytes that are in no file: the bookkeeping, as the device is a memfd. */
static long resident_private(void)
{
	char line[256];
	long kib = -1;
	FILE *file = fopen("/proc/self/status", "r");

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "RssAnon: %ld", &kib) == 1)
			break;
	}
	if (!file || kib < 0)
		subject_die("no RssAnon in /proc/self/status");
	fclose(file);
	return kib * 1024;
}

/* Bytes of the device that blocks hold, by the subject's own account. */
static uint64_t held(void)
{
#ifdef SUBJECT_ACLRT
	size_t free_bytes = 0, total = 0;

	aclrtGetMemInfo(ACL_HBM_MEM, &free_bytes, &total);
	return total - free_bytes;
#else
	return 0;
#endif
}

/*
 * Bytes beyond what the rule asks, after a while of replacing, in percent: all that
 * is resident; what blocks hold ("inner"); what the bookkeeping takes ("books").
 */
static int overhead(const char *which, uint32_t min, uint32_t max, unsigned int live)
{
	struct step *steps = steps_of(live, min, max, 0);
	void **blocks = calloc(live, sizeof(*blocks));
	uint32_t *lens = calloc(live, sizeof(*lens));
	uint64_t ruled = 0;
	long before, after, books;
	unsigned int i;
	double percent;

	memset(blocks, 0xff, live * sizeof(*blocks));
	memset(lens, 0xff, live * sizeof(*lens));
	subject_thread();
	give(take(100));
	before = resident();
	books = resident_private();
	for (i = 0; i < live; i++) {
		lens[i] = steps[i].len;
		blocks[i] = take(lens[i]);
		memset(blocks[i], 1, rule_size(lens[i]));
	}
	for (i = 0; i < TABLE; i++) {
		uint32_t slot = steps[i].slot;

		give(blocks[slot]);
		lens[slot] = steps[i].len;
		blocks[slot] = take(lens[slot]);
		memset(blocks[slot], 1, rule_size(lens[slot]));
	}
	after = resident();
	books = resident_private() - books;
	for (i = 0; i < live; i++)
		ruled += (rule_size(lens[i]) + 63) & ~63ULL;
	if (!strcmp(which, "books"))
		percent = (double)books;
	else if (!strcmp(which, "inner"))
		percent = (double)held() - (double)ruled;
	else
		percent = (double)(after - before) - (double)ruled;
	printf("%.3f\n", 100.0 * percent / (double)ruled);
	return 0;
}

static const struct {
	const char *name;
	void (*run)(struct job *job);
} traces[] = {
	{"mix", run_mix},	{"large", run_large}, {"pair", run_pair},
	{"batch", run_batch},	{"grow", run_grow},   {"handover", run_handover},
	{"replay", run_replay},
};

/* On a processor of its own, the last ones first: one that moves meets cold caches. */
static void stay(unsigned int index)
{
	cpu_set_t all, one;
	int left, cpu;

	if (sched_getaffinity(0, sizeof(all), &all))
		return;
	left = CPU_COUNT(&all) - 1 - (int)index;
	if (left < 0)
		return;
	for (cpu = 0; !CPU_ISSET(cpu, &all) || left--;)
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static void *thread(void *arg)
{
	struct job *job = arg;

	subject_thread();
	stay(job->index);
	job->run(job);
	return NULL;
}

static int run_trace(void (*run)(struct job *job), unsigned int threads)
{
	struct job jobs[MAX_THREADS] = {0};
	pthread_t ids[MAX_THREADS];
	pthread_barrier_t start;
	double sum = 0;
	unsigned int i;

	pthread_barrier_init(&start, NULL, threads);
	for (i = 0; i < threads; i++) {
		jobs[i] = (struct job){.run = run, .start = &start, .index = i};
		if (pthread_create(&ids[i], NULL, thread, &jobs[i]))
			subject_die("no thread");
	}
	for (i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		sum += jobs[i].seconds * 1e9 / (double)jobs[i].pairs;
	}
	printf("%.3f\n", sum / threads);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int threads = argc > 2 ? (unsigned int)atoi(argv[2]) : 1;
	size_t i;

	/* On a machine that others use: what the thread itself has run. */
	if (getenv("BENCH_CLOCK") && !strcmp(getenv("BENCH_CLOCK"), "cpu"))
		which_clock = CLOCK_THREAD_CPUTIME_ID;
	touch = argc > 3 && atoi(argv[3]);
	replay_path = argc > 4 ? argv[4] : "";
	if (argc > 1 && !strcmp(argv[1], "overhead"))
		return overhead(argc > 2 ? argv[2] : "", 1024, 1 << 20, 1024);
	if (argc > 1 && !strcmp(argv[1], "overhead-small"))
		return overhead(argc > 2 ? argv[2] : "", 1, 4096, 65536);
	for (i = 0; argc > 1 && i < sizeof(traces) / sizeof(traces[0]); i++) {
		if (!strcmp(argv[1], traces[i].name) && threads >= 1 &&
		    threads <= MAX_THREADS)
			return run_trace(traces[i].run, threads);
	}
	fprintf(stderr, "usage: %s TRACE [THREADS [TOUCH [FILE]]]\n", argv[0]);
	return 2;
}
