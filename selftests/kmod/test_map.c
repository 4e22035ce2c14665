// SPDX-License-Identifier: GPL-2.0
/*
 * MAP: every byte of every arena once, in the state that it is in; owners for those who
 * may know them; no physical address without CAP_SYS_RAWIO.
 */
#include "dmabuf.h"
#include "admin.h"
#include "gup.h"
#include <sched.h>
#include "kselftest_harness.h"

#define USER_A 1001
#define USER_B 1002
#define EXTENTS 4096

static struct aclkm_map_extent extents[EXTENTS];
static unsigned int nr_extents;

/* What MAP says of all arenas together, and whether it fits together. */
struct sum {
	unsigned int arenas;
	uint64_t size, free, clean, held, regions, poisoned;
	uint64_t seen_free, seen_clean, seen_held, seen_regions;
	uint32_t flags;
	uint64_t phys;
	bool gaps;
};

static int dev_map_arena(int fd, struct aclkm_map *map, uint32_t arena, uint64_t offset,
			 struct aclkm_map_extent *to, uint64_t room)
{
	memset(map, 0, sizeof(*map));
	map->arena = arena;
	map->offset = offset;
	map->extents = (uintptr_t)to;
	map->count = room;
	return dev_ioctl(fd, ACLKM_IOC_MAP, map);
}

static void add_extent(struct sum *sum, const struct aclkm_map_extent *e)
{
	if (e->state == ACLKM_STATE_FREE) {
		sum->seen_free += e->len;
		sum->seen_clean += e->flags & ACLKM_EXTENT_CLEAN ? e->len : 0;
	}
	sum->seen_held += e->state == ACLKM_STATE_HELD ? e->len : 0;
	sum->seen_regions += e->state == ACLKM_STATE_REGION;
}

/* Reads all arenas, @step extents in one call, into extents[]. */
static int map_all(int fd, struct sum *sum, uint64_t step)
{
	struct aclkm_map map;
	uint32_t id = 0;
	int err;

	memset(sum, 0, sizeof(*sum));
	nr_extents = 0;
	for (;;) {
		uint64_t at = 0, i;

		do {
			uint64_t room = EXTENTS - nr_extents < step ? EXTENTS - nr_extents : step;

			err = dev_map_arena(fd, &map, id, at, extents + nr_extents, room);
			if (err)
				return err == -ENOENT && sum->arenas ? 0 : err;
			id = map.arena;
			for (i = 0; i < map.count; i++) {
				const struct aclkm_map_extent *e = &extents[nr_extents + i];

				sum->gaps |= e->offset != at || !e->len || e->reserved;
				at = e->offset + e->len;
				add_extent(sum, e);
			}
			sum->gaps |= map.offset != at;
			nr_extents += map.count;
		} while (map.offset < map.size && map.count);
		sum->gaps |= map.offset != map.size;
		sum->arenas++;
		sum->size += map.size;
		sum->free += map.free;
		sum->clean += map.clean;
		sum->held += map.held;
		sum->regions += map.nr_regions;
		sum->poisoned += map.poisoned;
		sum->flags |= map.flags;
		sum->phys = map.phys;
		id++;
	}
}

static const struct aclkm_map_extent *find_len(uint64_t len)
{
	unsigned int i;

	for (i = 0; i < nr_extents; i++)
		if (extents[i].len == len && extents[i].state != ACLKM_STATE_FREE)
			return &extents[i];
	return NULL;
}

/* The map when nothing is being cleared any more. */
static void settle(int fd)
{
	struct aclkm_info info;
	int i;

	for (i = 0; i < 500; i++) {
		info = dev_info(fd);
		if (info.clean == info.free)
			return;
		usleep(20 * 1000);
	}
}

FIXTURE(map) {
	int fd;
	struct aclkm_info before;
};

FIXTURE_SETUP(map)
{
	if (geteuid())
		SKIP(return, "needs root");
	self->fd = dev_open(O_RDWR);
	ASSERT_LE(0, self->fd);
	self->before = dev_info(self->fd);
}

FIXTURE_TEARDOWN(map)
{
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
	close(self->fd);
}

TEST_F(map, info_has_the_feature)
{
	EXPECT_TRUE(dev_has(self->fd, ACLKM_FEATURE_MAP));
}

TEST_F(map, every_byte_of_every_arena_is_told_once)
{
	static const uint64_t steps[] = { EXTENTS, 1, 3, 64, 65 };
	struct aclkm_alloc alloc[40];
	struct sum sum;
	int i;

	for (i = 0; i < 40; i++)
		ASSERT_EQ(0, dev_alloc(self->fd, (i % 5 + 1) * PAGE, 0, &alloc[i]));
	for (i = 0; i < 40; i += 2)
		ASSERT_EQ(0, dev_free(self->fd, alloc[i].handle));
	settle(self->fd);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct aclkm_info info = dev_info(self->fd);

		ASSERT_EQ(0, map_all(self->fd, &sum, steps[i]));
		EXPECT_FALSE(sum.gaps);
		EXPECT_EQ(info.nr_arenas, sum.arenas);
		EXPECT_EQ(info.total, sum.size);
		EXPECT_EQ(info.free, sum.free);
		EXPECT_EQ(info.free, sum.seen_free);
		EXPECT_EQ(info.clean, sum.clean);
		EXPECT_EQ(info.clean, sum.seen_clean);
		EXPECT_EQ(info.held, sum.held);
		EXPECT_EQ(info.held, sum.seen_held);
		EXPECT_EQ(info.nr_regions, sum.regions);
		EXPECT_EQ(info.nr_regions, sum.seen_regions);
		EXPECT_EQ(info.poisoned, sum.poisoned);
	}
	for (i = 1; i < 40; i += 2)
		ASSERT_EQ(0, dev_free(self->fd, alloc[i].handle));
}

TEST_F(map, regions_have_owner_entries_and_cache_mode)
{
	const struct aclkm_map_extent *e;
	struct aclkm_alloc small, huge;
	struct aclkm_query query;
	struct sum sum;

	ASSERT_EQ(0, dev_alloc(self->fd, 11 * PAGE, 0, &small));
	ASSERT_EQ(0, dev_alloc(self->fd, 4 * MIB, 0, &huge));
	ASSERT_EQ(0, map_all(self->fd, &sum, EXTENTS));
	e = find_len(11 * PAGE);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(ACLKM_STATE_REGION, e->state);
	EXPECT_EQ(ACLKM_EXTENT_OWNER, e->flags);
	EXPECT_EQ(getuid(), e->uid);
	EXPECT_EQ(getpid(), e->pid);
	EXPECT_EQ(PAGE, e->map_page);
	EXPECT_EQ(ACLKM_CACHE_WB, e->cache);
	/* The physical address is the arena's and the offset. */
	ASSERT_EQ(0, dev_query(self->fd, small.handle, &query));
	if (sum.arenas == 1)
		EXPECT_EQ(query.phys, sum.phys + e->offset);
	e = find_len(4 * MIB);
	ASSERT_NE(NULL, e);
	ASSERT_EQ(0, dev_query(self->fd, huge.handle, &query));
	EXPECT_EQ(query.map_page, e->map_page);
	ASSERT_EQ(0, dev_free(self->fd, small.handle));
	ASSERT_EQ(0, dev_free(self->fd, huge.handle));

	if (!dev_has(self->fd, ACLKM_FEATURE_CACHE))
		return;
	ASSERT_EQ(0, dev_alloc_flags(self->fd, 13 * PAGE, 0, ACLKM_ALLOC_WC, &small));
	ASSERT_EQ(0, map_all(self->fd, &sum, EXTENTS));
	e = find_len(13 * PAGE);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(ACLKM_CACHE_WC, e->cache);
	ASSERT_EQ(0, dev_free(self->fd, small.handle));
}

/* A region is told as a whole, whatever byte of it the caller begins at. */
TEST_F(map, a_call_may_begin_in_the_middle)
{
	struct aclkm_map_extent found, again, unused[4];
	const struct aclkm_map_extent *e;
	struct aclkm_alloc alloc;
	struct aclkm_map map;
	struct sum sum;
	uint32_t id = 0;

	ASSERT_EQ(0, dev_alloc(self->fd, 9 * PAGE, 0, &alloc));
	ASSERT_EQ(0, map_all(self->fd, &sum, EXTENTS));
	e = find_len(9 * PAGE);
	ASSERT_NE(NULL, e);
	found = *e;
	/* The arena that it is in. */
	while (!dev_map_arena(self->fd, &map, id, found.offset + 3 * PAGE + 7, &again, 1)) {
		if (map.count == 1 && again.len == 9 * PAGE)
			break;
		id = map.arena + 1;
	}
	EXPECT_EQ(0, memcmp(&found, &again, sizeof(found)));
	EXPECT_EQ(found.offset + found.len, map.offset);
	/* Past the end there is nothing; nothing is written without room. */
	memset(unused, 0xaa, sizeof(unused));
	ASSERT_EQ(0, dev_map_arena(self->fd, &map, map.arena, map.size, unused, 4));
	EXPECT_EQ(0, map.count);
	EXPECT_EQ(map.size, map.offset);
	ASSERT_EQ(0, dev_map_arena(self->fd, &map, map.arena, ~0ULL, unused, 4));
	EXPECT_EQ(0, map.count);
	EXPECT_EQ(map.size, map.offset);
	ASSERT_EQ(0, dev_map_arena(self->fd, &map, map.arena, 0, unused, 0));
	EXPECT_EQ(0, map.count);
	EXPECT_EQ(0, map.offset);
	EXPECT_TRUE(all_bytes(unused, sizeof(unused), 0xaa));
	/* Room for more than there is, and no more than that is written. */
	ASSERT_EQ(0, dev_map_arena(self->fd, &map, map.arena, 0, extents, 1ULL << 60));
	EXPECT_EQ(map.size, map.offset);
	ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
}

TEST_F(map, bad_arguments_are_refused)
{
	struct aclkm_map map;
	char *none;
	int bit;

	for (bit = 0; bit < 32; bit++) {
		map = (struct aclkm_map){ .flags = 1U << bit };
		EXPECT_EQ(-EINVAL, dev_ioctl(self->fd, ACLKM_IOC_MAP, &map));
		map = (struct aclkm_map){ .reserved = 1U << bit };
		EXPECT_EQ(-EINVAL, dev_ioctl(self->fd, ACLKM_IOC_MAP, &map));
	}
	EXPECT_EQ(-ENOENT, dev_map_arena(self->fd, &map, ~0U, 0, extents, EXTENTS));
	EXPECT_EQ(-EFAULT, dev_map_arena(self->fd, &map, 0, 0, NULL, 1));
	none = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT_EQ(-EFAULT, dev_map_arena(self->fd, &map, 0, 0, (void *)none, 1));
	EXPECT_EQ(-EFAULT, dev_ioctl(self->fd, ACLKM_IOC_MAP, none));
	munmap(none, PAGE);
	EXPECT_EQ(-EINVAL, dev_ioctl(self->fd, _IOWR(ACLKM_IOC_MAGIC, 9, char[8]), &map));
}

TEST_F(map, exported_and_pinned_regions_are_marked)
{
	const struct aclkm_map_extent *e;
	struct aclkm_alloc alloc;
	struct sum sum;
	int pipes[2], buf;
	struct iovec iov;
	char *mem;

	ASSERT_EQ(0, dev_alloc(self->fd, 17 * PAGE, 0, &alloc));
	buf = dev_export(self->fd, alloc.handle, 0, 0, 0);
	ASSERT_LE(0, buf);
	ASSERT_EQ(0, map_all(self->fd, &sum, EXTENTS));
	e = find_len(17 * PAGE);
	ASSERT_NE(NULL, e);
	EXPECT_TRUE(e->flags & ACLKM_EXTENT_SHARED);
	close(buf);
	usleep(50 * 1000);
	ASSERT_EQ(0, map_all(self->fd, &sum, EXTENTS));
	e = find_len(17 * PAGE);
	ASSERT_NE(NULL, e);
	EXPECT_FALSE(e->flags & ACLKM_EXTENT_SHARED);

	/* A pipe keeps the page of a region that is gone: held, and pinned. */
	mem = dev_map(self->fd, alloc.offset, 17 * PAGE);
	ASSERT_NE(MAP_FAILED, mem);
	memset(mem, 1, 17 * PAGE);
	ASSERT_EQ(0, pipe2(pipes, O_CLOEXEC));
	iov = (struct iovec){ mem, PAGE };
	ASSERT_EQ((ssize_t)PAGE, vmsplice(pipes[1], &iov, 1, 0));
	munmap(mem, 17 * PAGE);
	ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
	ASSERT_EQ(0, map_all(self->fd, &sum, EXTENTS));
	e = find_len(17 * PAGE);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(ACLKM_STATE_HELD, e->state);
	EXPECT_TRUE(e->flags & ACLKM_EXTENT_PINNED);
	EXPECT_EQ(17 * PAGE, sum.held);
	close(pipes[0]);
	close(pipes[1]);
}

/* A live region that PIN pins, as get_user_pages for long does. */
TEST_F(map, a_live_region_with_pinned_pages_is_marked)
{
	/* Only among the first units is looked for pinned pages. */
	bool units = dev_has(self->fd, ACLKM_FEATURE_HUGE_2M);
	const uint64_t sizes[] = { 19 * PAGE, units ? 6 * MIB : 64 * PAGE };
	const struct aclkm_map_extent *e;
	struct aclkm_alloc alloc;
	struct aclkm_pin pin;
	struct sum sum;
	char *mem;
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, dev_alloc(self->fd, sizes[i], 0, &alloc));
		mem = dev_map(self->fd, alloc.offset, sizes[i]);
		ASSERT_NE(MAP_FAILED, mem);
		memset(mem, 1, sizes[i]);
		ASSERT_EQ(0, map_all(self->fd, &sum, EXTENTS));
		e = find_len(sizes[i]);
		ASSERT_NE(NULL, e);
		EXPECT_FALSE(e->flags & ACLKM_EXTENT_PINNED);
		pin = (struct aclkm_pin){ .addr = (uintptr_t)mem + sizes[i] - PAGE, .len = PAGE };
		ASSERT_EQ(0, dev_ioctl(self->fd, ACLKM_IOC_PIN, &pin));
		ASSERT_EQ(0, map_all(self->fd, &sum, EXTENTS));
		e = find_len(sizes[i]);
		ASSERT_NE(NULL, e);
		EXPECT_TRUE(e->flags & ACLKM_EXTENT_PINNED);
		ASSERT_EQ(0, dev_free(self->fd, pin.handle));
		munmap(mem, sizes[i]);
		ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
	}
}

/* 1: nothing physical and no foreign owner; 2: more than that; others: the test failed. */
static int look_as_other(void *arg)
{
	int fd;
	struct sum sum;
	const struct aclkm_map_extent *e;
	struct aclkm_alloc alloc;

	become(USER_B);
	fd = dev_open(O_RDWR);
	if (fd < 0 || dev_alloc(fd, 21 * PAGE, 0, &alloc) || map_all(fd, &sum, EXTENTS))
		return 10;
	if (sum.gaps || sum.flags & ACLKM_MAP_PHYS || sum.phys)
		return 2;
	e = find_len(23 * PAGE);
	if (!e || e->state != ACLKM_STATE_REGION)
		return 11;
	if (e->flags & ACLKM_EXTENT_OWNER || e->uid || e->pid)
		return 2;
	e = find_len(21 * PAGE);
	if (!e || !(e->flags & ACLKM_EXTENT_OWNER) || e->uid != USER_B || e->pid != getpid())
		return 12;
	return 1;
}

TEST_F(map, users_learn_neither_addresses_nor_others_names)
{
	struct aclkm_alloc alloc;

	ASSERT_EQ(0, dev_alloc(self->fd, 23 * PAGE, 0, &alloc));
	device_for_all();
	EXPECT_EQ(1, in_child(look_as_other, NULL));
	device_for_root();
	ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
}

static int look_without(void *arg)
{
	int fd = *(int *)arg;
	struct sum sum;

	drop_cap(CAP_SYS_RAWIO);
	if (map_all(fd, &sum, EXTENTS))
		return 10;
	return sum.flags & ACLKM_MAP_PHYS || sum.phys ? 2 : 1;
}

TEST_F(map, physical_addresses_are_for_rawio)
{
	struct sum sum;

	ASSERT_EQ(0, map_all(self->fd, &sum, EXTENTS));
	EXPECT_TRUE(sum.flags & ACLKM_MAP_PHYS);
	EXPECT_NE(0, sum.phys);
	EXPECT_EQ(1, in_child(look_without, &self->fd));
}

static int pid_in_namespace(void *arg)
{
	int *fds = arg, status, pid, result;
	struct sum sum;

	/* The next child is number 1 of a namespace in which this process has none. */
	if (unshare(CLONE_NEWPID))
		return 77;
	fflush(NULL);
	pid = fork();
	if (!pid) {
		const struct aclkm_map_extent *e;

		if (map_all(fds[0], &sum, EXTENTS))
			_exit(10);
		e = find_len(25 * PAGE);
		_exit(!e ? 11 : e->pid ? 2 : 1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 12;
	result = WIFEXITED(status) ? WEXITSTATUS(status) : 13;
	return result;
}

TEST_F(map, a_pid_namespace_does_not_learn_numbers_of_others)
{
	struct aclkm_alloc alloc;
	int result;

	ASSERT_EQ(0, dev_alloc(self->fd, 25 * PAGE, 0, &alloc));
	result = in_child(pid_in_namespace, &self->fd);
	ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
	if (result == 77)
		SKIP(return, "this kernel has no PID namespaces");
	EXPECT_EQ(1, result);
}

TEST_HARNESS_MAIN
