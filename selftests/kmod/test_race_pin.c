// SPDX-License-Identifier: GPL-2.0
/*
 * PIN and its handles against everything that other threads can do with them at the
 * same time: mmap, FREE, EXPORT, SYNC, PHYS, munmap of the pinned memory, fork, exit.
 */
#include "dmabuf.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include "kselftest_harness.h"

#define THREADS 4
#define ROUNDS rounds(1500)
#define HANDLES 8
#define MEM (64 * PAGE)

struct race {
	int fd;
	uint64_t shift_offset; /* of handle 1: the offset of handle n is n times that */
	char *mem;
	atomic_ulong pins, frees, maps, bufs, extents, bad;
};

static void racer_pin(struct race *race, unsigned int *seed)
{
	uint64_t first = rand_r(seed) % 64, len = 1 + rand_r(seed) % (64 - first);
	struct aclkm_pin pin = { .addr = (uintptr_t)race->mem + first * PAGE, .len = len * PAGE,
				 .flags = rand_r(seed) % 2 ? ACLKM_PIN_READ_ONLY : 0 };
	int err = dev_ioctl(race->fd, ACLKM_IOC_PIN, &pin);

	race->pins += !err;
	/* Another thread may have unmapped a part of it. */
	race->bad += err && err != -EFAULT;
	if (!err && pin.handle > HANDLES)
		race->bad += dev_free(race->fd, pin.handle) != 0;
}

/* A pinned handle has no mapping, and a region's is always a good one. */
static void racer_map(struct race *race, uint32_t handle)
{
	char *mem = dev_map(race->fd, handle * race->shift_offset, PAGE);

	if (mem == MAP_FAILED) {
		race->bad += errno != EOPNOTSUPP && errno != EINVAL;
		return;
	}
	atomic_fetch_add((atomic_int *)mem, 1);
	munmap(mem, PAGE);
	race->maps++;
}

static void racer_export(struct race *race, uint32_t handle)
{
	int buf = dev_export(race->fd, handle, 0, 0, ACLKM_EXPORT_CLOEXEC);

	if (buf < 0) {
		race->bad += buf != -ENOENT;
		return;
	}
	buf_sync(buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	close(buf);
	race->bufs++;
}

static void racer_phys(struct race *race, uint32_t handle)
{
	struct aclkm_phys_extent extents[4];
	struct aclkm_phys phys = { .handle = handle, .count = 4, .extents = (uintptr_t)extents };
	int err = dev_ioctl(race->fd, ACLKM_IOC_PHYS, &phys);

	race->bad += err && err != -ENOENT;
	race->bad += !err && (!phys.count || !extents[0].len || phys.count > phys.total);
	race->extents += !err;
}

static void *racer(void *arg)
{
	struct race *race = arg;
	unsigned int seed = (uintptr_t)&seed >> 6;
	int i, err;

	for (i = 0; i < ROUNDS; i++) {
		uint32_t handle = 1 + rand_r(&seed) % HANDLES;
		char *page = race->mem + rand_r(&seed) % 64 * PAGE;
		struct aclkm_alloc alloc;

		switch (rand_r(&seed) % 8) {
		case 0 ... 1:
			racer_pin(race, &seed);
			break;
		case 2:
			err = dev_free(race->fd, handle);
			race->frees += !err;
			race->bad += err && err != -ENOENT;
			break;
		case 3:
			racer_map(race, handle);
			break;
		case 4:
			racer_export(race, handle);
			break;
		case 5:
			racer_phys(race, handle);
			err = dev_sync(race->fd, handle, ACLKM_SYNC_END | ACLKM_SYNC_READ, 0, PAGE);
			race->bad += err && err != -ENOENT;
			break;
		case 6:
			if (!dev_alloc(race->fd, PAGE, 0, &alloc) && alloc.handle > HANDLES)
				dev_free(race->fd, alloc.handle);
			break;
		default:
			/* The pages go from under those who pin them. */
			mmap(page, PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		}
	}
	return NULL;
}

FIXTURE(race_pin) {
	int watch;
	struct aclkm_info before;
	long long pages;
	struct race race;
};

FIXTURE_SETUP(race_pin)
{
	struct aclkm_alloc alloc;

	self->watch = dev_open(O_RDWR);
	ASSERT_LE(0, self->watch);
	self->before = dev_info(self->watch);
	self->pages = pinned_pages();
	self->race = (struct race){ .fd = dev_open(O_RDWR) };
	ASSERT_LE(0, self->race.fd);
	ASSERT_EQ(0, dev_alloc(self->race.fd, PAGE, 0, &alloc));
	ASSERT_EQ(1, alloc.handle);
	self->race.shift_offset = alloc.offset;
	self->race.mem = mmap(NULL, MEM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->race.mem);
}

FIXTURE_TEARDOWN(race_pin)
{
	close(self->race.fd);
	EXPECT_TRUE(accounts_back(self->watch, &self->before));
	EXPECT_EQ(self->pages, pinned_pages());
	close(self->watch);
}

static void run_threads(struct race *race)
{
	pthread_t threads[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, racer, race))
			abort();
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

TEST_F_TIMEOUT(race_pin, pinned_handles_by_many_threads, 120)
{
	struct race *race = &self->race;

	NEED_FEATURE(self->watch, ACLKM_FEATURE_PIN | ACLKM_FEATURE_DMABUF);
	run_threads(race);
	EXPECT_EQ(0, race->bad);
	EXPECT_LT(0, race->pins);
	EXPECT_LT(0, race->frees);
	EXPECT_LT(0, race->maps);
	EXPECT_LT(0, race->bufs);
	EXPECT_LT(0, race->extents);
}

/* mmap looks at a handle under mmap_lock; the FREE that comes then must not need that. */
static void *mapper(void *arg)
{
	struct race *race = arg;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		void *mem = dev_map(race->fd, 2 * race->shift_offset, PAGE);

		if (mem != MAP_FAILED)
			munmap(mem, PAGE);
	}
	return NULL;
}

TEST_F_TIMEOUT(race_pin, free_against_mmap_of_the_same_handle, 120)
{
	struct race *race = &self->race;
	pthread_t threads[2];
	int i;

	NEED_FEATURE(self->watch, ACLKM_FEATURE_PIN);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, mapper, race));
	for (i = 0; i < ROUNDS; i++) {
		struct aclkm_pin pin = { .addr = (uintptr_t)race->mem, .len = PAGE };

		ASSERT_EQ(0, dev_ioctl(race->fd, ACLKM_IOC_PIN, &pin));
		ASSERT_EQ(2, pin.handle);
		ASSERT_EQ(0, dev_free(race->fd, pin.handle));
	}
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

/* Killed in the middle of it, with all that is pinned. */
static int killed_child(void *arg)
{
	struct race *race = arg;
	pthread_t thread;

	if (pthread_create(&thread, NULL, racer, race) || pthread_create(&thread, NULL, racer, race))
		return 1;
	usleep(2000 + getpid() % 20 * 1000);
	kill(getpid(), SIGKILL);
	return 2;
}

TEST_F_TIMEOUT(race_pin, killed_while_threads_pin, 120)
{
	int i;

	NEED_FEATURE(self->watch, ACLKM_FEATURE_PIN | ACLKM_FEATURE_DMABUF);
	for (i = 0; i < rounds(20); i++)
		ASSERT_EQ(-SIGKILL, in_child(killed_child, &self->race));
}

TEST_HARNESS_MAIN
