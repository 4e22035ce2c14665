// SPDX-License-Identifier: GPL-2.0
/*
 * Nobody ever sees another process's bytes: one user fills all the memory there
 * is and lets go of it in one way, another takes all of it and looks at each byte.
 */
#include "dmabuf.h"
#include "admin.h"
#include <signal.h>
#include <sys/uio.h>
#include "kselftest_harness.h"

#define SIZE_2M (2 * MIB)
#define USER_A 1001
#define USER_B 1002

#define REGIONS 8

struct region {
	struct aclkm_alloc alloc;
	char *mem;
};

static int watch = -1;

/* All that is free, in regions of these flags; how many, or negative. */
static int take_all(int fd, uint32_t flags, uint64_t unit, struct region *regions)
{
	uint64_t most = dev_info(fd).free / REGIONS / unit * unit;
	int n = 0;

	for (;;) {
		struct region *r = &regions[n];
		uint64_t size = dev_info(fd).largest_free / unit * unit;

		if (!size)
			return n;
		if (n == 4 * REGIONS)
			return -1;
		/* Sizes that end in the middle of a unit as well. */
		if (size > most && most)
			size = most - (unit == PAGE ? n * PAGE : 0);
		if (dev_alloc_flags(fd, size, 0, flags, &r->alloc)) {
			if (size == unit)
				return n;
			if (dev_alloc_flags(fd, unit, 0, flags, &r->alloc))
				return n;
		}
		r->mem = NULL;
		n++;
	}
}

static bool map_all(int fd, struct region *regions, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		regions[i].mem = dev_map(fd, regions[i].alloc.offset, regions[i].alloc.size);
		if (regions[i].mem == MAP_FAILED)
			return false;
	}
	return true;
}

/* B: every byte of everything. The number of the failed step, 0 if all is zero. */
static int look(uint32_t flags, uint64_t unit)
{
	struct region regions[4 * REGIONS];
	int fd, n, i;

	become(USER_B);
	fd = dev_open(O_RDWR);
	if (fd < 0)
		return 1;
	n = take_all(fd, flags, unit, regions);
	if (n <= 0 || !map_all(fd, regions, n))
		return 2;
	for (i = 0; i < n; i++)
		if (!all_bytes(regions[i].mem, regions[i].alloc.size, 0)) {
			printf("# region %d of %d has another's bytes\n", i, n);
			return 3;
		}
	return 0;
}

struct look {
	uint32_t flags;
	uint64_t unit;
};

static int look_child(void *arg)
{
	const struct look *l = arg;

	return look(l->flags, l->unit);
}

enum way { FREED, CLOSED, EXITED, KILLED, FREED_THEN_UNMAPPED, DMABUF_LAST, PINNED, IMPORTED,
	   BY_WRITE_TO_PROCESS, WAYS };

static const char * const way_names[] = {
	"unmapped and freed", "closed", "exit", "SIGKILL", "freed, then unmapped",
	"dma-buf last", "held by a pin", "written through an import",
	"written by process_vm_writev",
};

struct fill {
	enum way way;
	uint32_t flags;
	uint64_t unit;
	int pipe;
	int done;
	bool sparse;
};

static void dirty(char *mem, uint64_t size, bool sparse, enum way way)
{
	struct iovec local, remote;
	char page[PAGE];
	uint64_t at;

	memset(page, 0xa5, sizeof(page));
	if (way == BY_WRITE_TO_PROCESS) {
		for (at = 0; at < size; at += sparse ? 5 * MIB : PAGE) {
			local = (struct iovec){ page, PAGE };
			remote = (struct iovec){ mem + at, PAGE };
			if (process_vm_writev(getpid(), &local, 1, &remote, 1, 0) != PAGE)
				_exit(90);
		}
		return;
	}
	if (!sparse) {
		memset(mem, 0xa5, size);
		return;
	}
	/* One word here and there, and the last. */
	for (at = 8; at < size; at += 5 * MIB + 3 * PAGE)
		mem[at] = 1;
	mem[size - 1] = 1;
}

/* A: fills all memory and lets go of it. */
static int fill_child(void *arg)
{
	const struct fill *f = arg;
	struct region regions[4 * REGIONS];
	int bufs[4 * REGIONS], fd, n, i;
	struct aclkm_import import;

	become(USER_A);
	fd = dev_open(O_RDWR);
	if (fd < 0)
		return 1;
	n = take_all(fd, f->flags, f->unit, regions);
	if (n <= 0)
		return 2;
	if (f->way == IMPORTED || f->way == DMABUF_LAST) {
		for (i = 0; i < n; i++) {
			bufs[i] = dev_export(fd, regions[i].alloc.handle, 0, 0, 0);
			if (bufs[i] < 0)
				return 3;
		}
	}
	if (f->way == IMPORTED) {
		int other = dev_open(O_RDWR);

		for (i = 0; i < n; i++) {
			if (dev_import(other, bufs[i], &import))
				return 4;
			regions[i].mem = dev_map(other, import.offset, import.size);
			if (regions[i].mem == MAP_FAILED)
				return 4;
		}
	} else if (f->way == DMABUF_LAST) {
		for (i = 0; i < n; i++) {
			regions[i].mem = mmap(NULL, regions[i].alloc.size,
					      PROT_READ | PROT_WRITE, MAP_SHARED, bufs[i], 0);
			if (regions[i].mem == MAP_FAILED)
				return 4;
		}
	} else if (!map_all(fd, regions, n)) {
		return 5;
	}
	for (i = 0; i < n; i++)
		dirty(regions[i].mem, regions[i].alloc.size, f->sparse, f->way);
	if (f->way == PINNED) {
		struct iovec iov = { regions[0].mem, PAGE };

		if (vmsplice(f->pipe, &iov, 1, 0) != PAGE)
			return 6;
	}
	switch (f->way) {
	case KILLED:
		kill(getpid(), SIGKILL);
		return 7;
	case CLOSED:
		close(fd);
		return 0;
	case EXITED:
	case PINNED:
	case IMPORTED:
	case BY_WRITE_TO_PROCESS:
		return 0;
	default:
		break;
	}
	for (i = 0; i < n; i++) {
		if (f->way == FREED)
			munmap(regions[i].mem, regions[i].alloc.size);
		if (dev_free(fd, regions[i].alloc.handle))
			return 8;
		if (f->way != FREED)
			munmap(regions[i].mem, regions[i].alloc.size);
	}
	close(fd);
	if (f->way == DMABUF_LAST)
		for (i = 0; i < n; i++)
			close(bufs[i]);
	return 0;
}

FIXTURE(clean) {
	char reserve[128];
	bool reloaded;
};

static const struct look modes[] = {
	{ 0, PAGE }, { ACLKM_ALLOC_SMALL, PAGE }, { ACLKM_ALLOC_HUGE_2M, SIZE_2M },
	{ ACLKM_ALLOC_WC, PAGE }, { ACLKM_ALLOC_NODE_PREFER, PAGE },
};
#define MODES (sizeof(modes) / sizeof(modes[0]))

FIXTURE_SETUP(clean)
{
	if (geteuid() || access(MODULE, R_OK))
		SKIP(return, "needs root and the module as " MODULE);
	ASSERT_LT(0, file_read("/sys/module/aclkm/parameters/reserve", self->reserve,
			       sizeof(self->reserve)));
	self->reserve[strcspn(self->reserve, "\n")] = 0;
	ASSERT_EQ(0, module_unload());
	ASSERT_EQ(0, module_load("reserve=20M"));
	self->reloaded = true;
	device_for_all();
	watch = dev_open(O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, watch);
}

FIXTURE_TEARDOWN(clean)
{
	char params[160];
	int i;

	close(watch);
	if (!self->reloaded)
		return;
	for (i = 0; i < 50 && module_unload() == -EAGAIN; i++)
		usleep(20 * 1000);
	snprintf(params, sizeof(params), "reserve=%s", self->reserve);
	EXPECT_EQ(0, module_load(params));
}

static bool all_clean(void)
{
	struct aclkm_info info;
	int i;

	for (i = 0; i < 300; i++) {
		info = dev_info(watch);
		if (info.clean == info.free && info.free == info.total)
			return true;
		usleep(20 * 1000);
	}
	printf("# total %llu, free %llu, clean %llu\n", info.total, info.free, info.clean);
	return false;
}

/* One round: fill in a mode and a way, look in another mode. */
static bool round_ok(const struct look *from, const struct look *to, enum way way, bool sparse,
		     bool wait)
{
	struct fill fill = { way, from->flags, from->unit, -1, -1, sparse };
	struct look l = *to;
	int pipes[2], got;
	char copy[PAGE];

	/* A mode that the machine has not. */
	if ((from->flags | to->flags) & ACLKM_ALLOC_WC && !dev_has(watch, ACLKM_FEATURE_CACHE))
		return true;
	if (pipe(pipes))
		abort();
	fill.pipe = pipes[1];
	got = in_child(fill_child, &fill);
	if (way == PINNED) {
		/* B gets none of what is held, nor sees it. */
		struct aclkm_info info = dev_info(watch);

		if (!info.held || in_child(look_child, &l)) {
			printf("# held %llu\n", info.held);
			got = 99;
		}
		if (read(pipes[0], copy, PAGE) != PAGE)
			got = 98;
	}
	close(pipes[0]);
	close(pipes[1]);
	if (way == KILLED ? got != -SIGKILL : got) {
		printf("# %s, flags %#x: %d\n", way_names[way], from->flags, got);
		return false;
	}
	if (wait && !all_clean())
		return false;
	got = in_child(look_child, &l);
	if (got)
		printf("# %s, flags %#x, then %#x: %d\n", way_names[way], from->flags, to->flags,
		       got);
	return !got;
}

/* At once, before anything can have been cleared in the background. */
TEST_F_TIMEOUT(clean, every_way_and_mode, 120)
{
	int way, mode;

	for (way = 0; way < WAYS; way++)
		for (mode = 0; mode < MODES; mode++) {
			/* Frames of WC memory cannot be taken; that is tested elsewhere. */
			if (modes[mode].flags & ACLKM_ALLOC_WC &&
			    (way == PINNED || way == BY_WRITE_TO_PROCESS))
				continue;
			ASSERT_TRUE(round_ok(&modes[mode], &modes[(mode + way) % MODES], way,
					     false, false));
		}
}

/* What was not touched need not be cleared; what was, must be. */
TEST_F_TIMEOUT(clean, touched_here_and_there, 120)
{
	int way, mode;

	for (mode = 0; mode < MODES; mode++)
		for (way = 0; way < WAYS; way++) {
			if (modes[mode].flags & ACLKM_ALLOC_WC && way == BY_WRITE_TO_PROCESS)
				continue;
			if (modes[mode].flags & ACLKM_ALLOC_WC && way == PINNED)
				continue;
			ASSERT_TRUE(round_ok(&modes[mode], &modes[(2 * mode + way) % MODES], way,
					     true, mode == 2 && way & 1));
		}
}

/* Nobody asks for memory, and it becomes clean all the same. */
TEST_F(clean, in_the_background)
{
	struct fill fill = { KILLED, 0, PAGE, -1, -1, false };
	struct aclkm_info info;

	ASSERT_TRUE(all_clean());
	ASSERT_EQ(-SIGKILL, in_child(fill_child, &fill));
	info = dev_info(watch);
	EXPECT_EQ(info.free, info.total);
	EXPECT_TRUE(all_clean());
}

/* Untouched units stay clean, without any work. */
TEST_F(clean, only_touched_units_are_dirty)
{
	struct aclkm_alloc alloc;
	int fd = dev_open(O_RDWR);
	uint64_t dirty_bytes, unit;
	struct aclkm_query query;
	char *mem;

	if (!dev_has(fd, ACLKM_FEATURE_HUGE_2M))
		SKIP(return, "no huge entries");
	ASSERT_TRUE(all_clean());
	ASSERT_EQ(0, dev_alloc_flags(fd, 16 * MIB, 0, ACLKM_ALLOC_HUGE_2M, &alloc));
	/* Not by QUERY: root gets an address to give to devices. */
	unit = SIZE_2M;
	mem = dev_map(fd, alloc.offset, 16 * MIB);
	ASSERT_NE(MAP_FAILED, mem);
	mem[3 * MIB] = 1;
	mem[13 * MIB] = 1;
	munmap(mem, 16 * MIB);
	ASSERT_EQ(0, dev_free(fd, alloc.handle));
	dirty_bytes = dev_info(watch).free - dev_info(watch).clean;
	EXPECT_LE(dirty_bytes, 2 * unit);
	EXPECT_TRUE(all_clean());
	/* Never mapped: clean. With an address told to root: not. */
	ASSERT_EQ(0, dev_alloc_flags(fd, 16 * MIB, 0, ACLKM_ALLOC_SMALL, &alloc));
	ASSERT_EQ(0, dev_free(fd, alloc.handle));
	EXPECT_EQ(dev_info(watch).free, dev_info(watch).clean);
	ASSERT_EQ(0, dev_alloc_flags(fd, 16 * MIB, 0, ACLKM_ALLOC_SMALL, &alloc));
	ASSERT_EQ(0, dev_query(fd, alloc.handle, &query));
	ASSERT_EQ(0, dev_free(fd, alloc.handle));
	EXPECT_LT(dev_info(watch).clean, dev_info(watch).free);
	EXPECT_TRUE(all_clean());
	close(fd);
}

/*
 * A device writes without a page fault. An EXPORT gives it a way, and so does an address
 * that PHYS or QUERY tells. Memory that none of them reached, and nobody mapped, is clean.
 */
TEST_F(clean, memory_that_a_device_could_reach_is_dirty)
{
	static const uint32_t flags[] = { ACLKM_ALLOC_SMALL, 0, ACLKM_ALLOC_HUGE_2M };
	enum { NOTHING, EXPORT, PHYS, QUERY, REACHES };
	int fd = dev_open(O_RDWR), way, i;

	for (i = 0; i < 3 * REACHES; i++) {
		struct aclkm_phys_extent extent;
		struct aclkm_query query;
		struct aclkm_alloc alloc;
		struct aclkm_phys phys = { .count = 1, .extents = (uintptr_t)&extent };

		way = i % REACHES;
		ASSERT_TRUE(all_clean());
		ASSERT_EQ(0, dev_alloc_flags(fd, 16 * MIB, 0, flags[i / REACHES], &alloc));
		phys.handle = alloc.handle;
		if (way == EXPORT)
			ASSERT_EQ(0, close(dev_export(fd, alloc.handle, 0, 0, 0)));
		if (way == PHYS)
			ASSERT_EQ(0, dev_ioctl(fd, ACLKM_IOC_PHYS, &phys));
		if (way == QUERY)
			ASSERT_EQ(0, dev_query(fd, alloc.handle, &query));
		ASSERT_EQ(0, dev_free(fd, alloc.handle));
		EXPECT_EQ(way != NOTHING, dev_info(watch).clean < dev_info(watch).free)
			TH_LOG("flags %#x, way %d", flags[i / REACHES], way);
	}
	close(fd);
}

/* Whatever is clean, dirty or just being cleared: two halves of all memory fit. */
TEST_F_TIMEOUT(clean, halves_of_all_memory, 120)
{
	struct fill fill = { EXITED, 0, PAGE, -1, -1, false };
	struct aclkm_alloc first, second;
	int fd = dev_open(O_RDWR), i;
	uint64_t half = dev_info(fd).total / 2;

	for (i = 0; i < rounds(60); i++) {
		ASSERT_EQ(0, in_child(fill_child, &fill));
		/* The workers begin after 20 ms and need some more. */
		usleep((15 + i % 30) * 1000);
		ASSERT_EQ(0, dev_alloc(fd, half, 0, &first));
		ASSERT_EQ(0, dev_alloc(fd, half, 0, &second))
			TH_LOG("round %d: reason %u, largest %llu", i, second.reason,
			       dev_info(fd).largest_free);
		ASSERT_EQ(0, dev_free(fd, first.handle));
		ASSERT_EQ(0, dev_free(fd, second.handle));
	}
	close(fd);
}

/* A file that was opened for reading cannot write, and sees nothing but zeros. */
static int read_only_child(void *arg)
{
	struct aclkm_alloc alloc;
	int fd, i;
	char *mem;

	become(USER_B);
	fd = dev_open(O_RDONLY);
	if (fd < 0)
		return 1;
	for (i = 0; i < 2; i++) {
		if (dev_alloc(fd, 8 * MIB, 0, &alloc)) {
			printf("# ALLOC %d: %s, reason %u\n", i, strerror(errno), alloc.reason);
			return 2;
		}
		mem = mmap(NULL, 8 * MIB, PROT_READ, MAP_SHARED, fd, alloc.offset);
		if (mem == MAP_FAILED)
			return 3;
		if (!all_bytes(mem, 8 * MIB, 0))
			return 4;
	}
	return 0;
}

TEST_F(clean, read_only_handles)
{
	struct fill fill = { EXITED, 0, PAGE, -1, -1, false };

	ASSERT_EQ(0, in_child(fill_child, &fill));
	EXPECT_EQ(0, in_child(read_only_child, NULL));
}

/* Takers, fillers and scrubbers at the same time. */
static int churn(void *arg)
{
	static const uint32_t flags[] = { 0, ACLKM_ALLOC_SMALL, ACLKM_ALLOC_HUGE_2M,
					  ACLKM_ALLOC_WC };
	unsigned int seed = (uintptr_t)arg;
	int fd, i;

	become(USER_A + seed);
	fd = dev_open(O_RDWR);
	for (i = 0; i < rounds(150); i++) {
		uint32_t f = flags[rand_r(&seed) % 4];
		uint64_t size = f == ACLKM_ALLOC_HUGE_2M ? SIZE_2M << rand_r(&seed) % 3 :
				PAGE * (1 + rand_r(&seed) % 1500);
		struct aclkm_alloc alloc;
		char *mem;

		if (dev_alloc_flags(fd, size, 0, f, &alloc))
			continue;
		mem = dev_map(fd, alloc.offset, size);
		if (mem == MAP_FAILED)
			return 2;
		if (!all_bytes(mem, size, 0))
			return 3;
		/* Sometimes all, sometimes one page. */
		if (rand_r(&seed) % 2)
			memset(mem, 0x5a, size);
		else
			mem[rand_r(&seed) % size] = 1;
		munmap(mem, size);
		if (dev_free(fd, alloc.handle))
			return 4;
	}
	return 0;
}

TEST_F_TIMEOUT(clean, while_others_work, 120)
{
	pid_t pids[4];
	int i, status;

	for (i = 0; i < 4; i++) {
		pids[i] = fork();
		if (!pids[i])
			_exit(churn((void *)(uintptr_t)(i + 1)));
	}
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_TRUE(all_clean());
}

/* A GiB whose units are made one, cut up, and made one again. */
TEST(clean_gib_changes_its_shape)
{
	static const uint32_t flags[] = { ACLKM_ALLOC_HUGE_1G, ACLKM_ALLOC_SMALL,
					  ACLKM_ALLOC_HUGE_1G, ACLKM_ALLOC_HUGE_2M,
					  ACLKM_ALLOC_HUGE_1G };
	int fd = dev_open(O_RDWR), i;
	struct aclkm_info before = dev_info(fd);
	struct aclkm_alloc alloc;
	uint64_t at;
	char *mem;

	if (!dev_has(fd, ACLKM_FEATURE_HUGE_1G) || before.largest_free < GIB)
		SKIP(return, "no entries of 1 GiB");
	for (i = 0; i < 5; i++) {
		uint64_t size = i % 2 ? 32 * MIB : GIB, step = 32 * MIB - 64 * KIB;

		ASSERT_EQ(0, dev_alloc_flags(fd, size, 0, flags[i], &alloc));
		mem = dev_map(fd, alloc.offset, size);
		ASSERT_NE(MAP_FAILED, mem);
		for (at = 0; at + 64 * KIB <= size; at += step)
			ASSERT_TRUE(all_bytes(mem + at, 64 * KIB, 0));
		for (at = 0; at + 64 * KIB <= size; at += step)
			memset(mem + at, 0xa5, 64 * KIB);
		munmap(mem, size);
		ASSERT_EQ(0, dev_free(fd, alloc.handle));
	}
	EXPECT_TRUE(accounts_back(fd, &before));
	close(fd);
}

TEST_HARNESS_MAIN
