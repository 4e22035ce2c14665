// SPDX-License-Identifier: GPL-2.0
/* Threads that use the same handles against each other, then exact accounts. */
#include "common.h"
#include <pthread.h>
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

TEST_HARNESS_MAIN
