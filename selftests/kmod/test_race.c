// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that use the same handles against each other, then exact accounts; a
 * thread that writes while another lets the memory go.
 */
#include "common.h"
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include "kselftest_harness.h"

#define THREADS 4
#define ROUNDS rounds(3000)
#define HANDLES 16

struct race {
	int fd;
	atomic_ulong allocs, frees, maps, queries, bad;
};

static void *racer(void *arg)
{
	struct race *race = arg;
	unsigned int seed = (uintptr_t)&seed >> 6;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		uint32_t handle = 1 + rand_r(&seed) % HANDLES;
		struct aclkm_alloc alloc;
		struct aclkm_query query;
		char *mem;
		int err;

		switch (rand_r(&seed) % 4) {
		case 0:
			err = dev_alloc(race->fd, PAGE * (1 + handle % 4), 0, &alloc);
			if (!err && alloc.handle > HANDLES)
				err = dev_free(race->fd, alloc.handle);
			else if (!err)
				race->allocs++;
			race->bad += err && err != -ENOSPC;
			break;
		case 1:
			err = dev_free(race->fd, handle);
			race->frees += !err;
			race->bad += err && err != -ENOENT;
			break;
		case 2:
			mem = dev_map(race->fd, (uint64_t)handle << 40, PAGE);
			if (mem != MAP_FAILED) {
				/* Ours for as long as it is mapped, whoever frees the handle. */
				atomic_fetch_add((atomic_int *)mem, 1);
				munmap(mem, PAGE);
				race->maps++;
			}
			break;
		default:
			err = dev_query(race->fd, handle, &query);
			race->queries += !err;
			race->bad += err && err != -ENOENT;
		}
	}
	return NULL;
}

TEST(one_file_many_threads)
{
	struct race race = { .fd = dev_open(O_RDWR) };
	int watch = dev_open(O_RDWR);
	struct aclkm_info before = dev_info(watch);
	pthread_t threads[THREADS];
	int i;

	ASSERT_LE(0, race.fd);
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, racer, &race));
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, race.bad);
	EXPECT_LT(0, race.allocs);
	EXPECT_LT(0, race.frees);
	EXPECT_LT(0, race.maps);
	EXPECT_LT(0, race.queries);
	EXPECT_LE(race.frees, race.allocs);
	close(race.fd);
	EXPECT_TRUE(accounts_as(watch, &before));
	close(watch);
}

TEST(open_and_close_with_regions)
{
	int watch = dev_open(O_RDWR);
	struct aclkm_info before = dev_info(watch);
	struct aclkm_alloc alloc;
	int i, k;

	for (i = 0; i < 200; i++) {
		int fd = dev_open(O_RDWR);

		for (k = 0; k < 8; k++)
			ASSERT_EQ(0, dev_alloc(fd, PAGE << k, 0, &alloc));
		close(fd);
	}
	EXPECT_TRUE(accounts_as(watch, &before));
	close(watch);
}

/* ------------------------------------------------- S22: a writer that goes on */

#define WRITTEN (4 * MIB)

struct writer {
	char *mem;
	atomic_int begun;
};

static __thread sigjmp_buf writer_end;

static void writer_faulted(int number)
{
	siglongjmp(writer_end, 1);
}

/* Writes all over the memory, on the second processor, until it is gone. */
static void *writer(void *arg)
{
	struct writer *w = arg;
	cpu_set_t cpus;
	uint64_t at;

	CPU_ZERO(&cpus);
	CPU_SET(1, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		abort();
	if (sigsetjmp(writer_end, 1))
		return NULL;
	for (;;) {
		/* One word of each page, so that all its translations stay in use. */
		for (at = 0; at < WRITTEN; at += PAGE)
			*(volatile uint64_t *)(w->mem + at) = ~0ULL;
		w->begun = 1;
	}
}

FIXTURE(flush) { int fd, other; struct aclkm_info before; };
FIXTURE_VARIANT(flush) { uint32_t flags; uint64_t feature; };
FIXTURE_VARIANT_ADD(flush, small) { .flags = ACLKM_ALLOC_SMALL };
FIXTURE_VARIANT_ADD(flush, best) { .flags = 0 };
FIXTURE_VARIANT_ADD(flush, wc) { .flags = ACLKM_ALLOC_WC, .feature = ACLKM_FEATURE_CACHE };

FIXTURE_SETUP(flush)
{
	self->fd = dev_open(O_RDWR);
	self->other = dev_open(O_RDWR);
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->other);
	self->before = dev_info(self->fd);
}

FIXTURE_TEARDOWN(flush)
{
	close(self->other);
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
	close(self->fd);
}

/* All but what one region of WRITTEN bytes leaves: the next one must have its memory. */
static bool fill_up(int fd)
{
	struct aclkm_alloc alloc;
	uint64_t size;

	for (size = GIB; size >= PAGE; size /= 2)
		while (!dev_alloc(fd, size, size < 2 * MIB ? size : 2 * MIB, &alloc))
			;
	return !dev_info(fd).free;
}

TEST_F_TIMEOUT(flush, no_write_after_the_memory_has_gone, 120)
{
	struct sigaction action = { .sa_handler = writer_faulted };
	int i, n = rounds(60), reused = 0;

	if (!dev_has(self->fd, variant->feature))
		SKIP(return, "this driver has not feature %#llx",
		     (unsigned long long)variant->feature);
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "one processor");
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	for (i = 0; i < n; i++) {
		struct writer w = {};
		struct aclkm_alloc mine, theirs;
		struct aclkm_query was, is;
		pthread_t thread;
		char *mem;

		ASSERT_EQ(0, dev_alloc_flags(self->fd, WRITTEN, 0, variant->flags, &mine));
		if (!i)
			ASSERT_TRUE(fill_up(self->other));
		ASSERT_EQ(0, dev_query(self->fd, mine.handle, &was));
		w.mem = dev_map(self->fd, mine.offset, WRITTEN);
		ASSERT_NE(MAP_FAILED, w.mem);
		ASSERT_EQ(0, pthread_create(&thread, NULL, writer, &w));
		while (!w.begun)
			sched_yield();
		/* The handle goes last, or the mapping. */
		if (i % 2)
			dev_free(self->fd, mine.handle);
		/* Unmapped, and nothing else gets the address. */
		ASSERT_EQ(w.mem, mmap(w.mem, WRITTEN, PROT_NONE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
		if (i % 2 == 0)
			dev_free(self->fd, mine.handle);

		ASSERT_EQ(0, dev_alloc_flags(self->other, WRITTEN, 0, variant->flags, &theirs));
		ASSERT_EQ(0, dev_query(self->other, theirs.handle, &is));
		reused += is.phys == was.phys;
		mem = dev_map(self->other, theirs.offset, WRITTEN);
		ASSERT_NE(MAP_FAILED, mem);
		EXPECT_TRUE(all_bytes(mem, WRITTEN, 0));
		pthread_join(thread, NULL);
		EXPECT_TRUE(all_bytes(mem, WRITTEN, 0));
		munmap(w.mem, WRITTEN);
		munmap(mem, WRITTEN);
		EXPECT_EQ(0, dev_free(self->other, theirs.handle));
	}
	EXPECT_EQ(n, reused);
}

TEST_HARNESS_MAIN
