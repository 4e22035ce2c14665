// SPDX-License-Identifier: GPL-2.0
/*
 * Arenas by size, page and node, and how an administrator makes them come and go.
 * Loads the module itself, each time as it needs it. Wants two nodes, the second
 * with room for 3 GiB in one piece: what wants more than the machine has is skipped.
 */
#include "common.h"
#include "admin.h"
#include "kmsg.h"
#include <signal.h>
#include "kselftest_harness.h"
#include "fixtures.h"

static bool node_exists(int node)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d", node);
	return !access(path, F_OK);
}

static uint64_t node_free_kib(int node)
{
	unsigned long long kib = 0;
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo", node);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Node %*d MemFree: %llu", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

static int alloc_on(int fd, uint64_t size, int node, uint32_t flags, struct aclkm_alloc *out)
{
	*out = (struct aclkm_alloc){ .size = size, .node = node, .flags = flags };
	return dev_ioctl(fd, ACLKM_IOC_ALLOC, out);
}

FIXTURE_WITHOUT_MODULE(arenas)

TEST_F(arenas, nodes)
{
	struct aclkm_alloc alloc, other;
	struct aclkm_info info;

	if (!node_exists(1))
		SKIP(return, "one node only");
	LOAD("reserve=16M:2M:1,64M:2M:0,32M:2M:1");
	info = dev_info(self->fd);
	EXPECT_EQ(3, info.nr_arenas);
	EXPECT_EQ(112 * MIB, info.total);
	EXPECT_EQ(64 * MIB, info.largest_free);

	/* Without a wish, in the order of the list. */
	ASSERT_EQ(0, alloc_on(self->fd, PAGE, ACLKM_NODE_ANY, 0, &alloc));
	EXPECT_EQ(1, alloc.node);
	ASSERT_EQ(0, dev_free(self->fd, alloc.handle));

	ASSERT_EQ(0, alloc_on(self->fd, 60 * MIB, 0, 0, &alloc));
	EXPECT_EQ(0, alloc.node);
	/* Strict: what is free elsewhere does not count. */
	EXPECT_EQ(-ENOSPC, alloc_on(self->fd, 8 * MIB, 0, 0, &other));
	EXPECT_EQ(ACLKM_REASON_FREE, other.reason);
	EXPECT_EQ(4 * MIB, other.free);
	EXPECT_EQ(4 * MIB, other.largest_free);
	EXPECT_EQ(0, other.limit);
	/* A wish: another node. */
	ASSERT_EQ(0, alloc_on(self->fd, 8 * MIB, 0, ACLKM_ALLOC_NODE_PREFER, &other));
	EXPECT_EQ(1, other.node);
	EXPECT_EQ(0, dev_free(self->fd, other.handle));
	ASSERT_EQ(0, alloc_on(self->fd, 2 * MIB, 0, ACLKM_ALLOC_NODE_PREFER, &other));
	EXPECT_EQ(0, other.node);
	/* The second arena of a node, and two pieces that are not one. */
	ASSERT_EQ(0, alloc_on(self->fd, 32 * MIB, 1, 0, &other));
	EXPECT_EQ(1, other.node);
	EXPECT_EQ(0, dev_free(self->fd, other.handle));
	EXPECT_EQ(-ENOSPC, alloc_on(self->fd, 40 * MIB, 1, 0, &other));
	EXPECT_EQ(ACLKM_REASON_FRAGMENTED, other.reason);
	EXPECT_EQ(48 * MIB, other.free);
	EXPECT_EQ(32 * MIB, other.largest_free);
	EXPECT_EQ(-EINVAL, alloc_on(self->fd, PAGE, 2, 0, &other));
	EXPECT_EQ(-EINVAL, alloc_on(self->fd, PAGE, -2, ACLKM_ALLOC_NODE_PREFER, &other));
	/* No node can: the numbers are those of all nodes. */
	EXPECT_EQ(-ENOSPC, alloc_on(self->fd, 512 * GIB, 0, ACLKM_ALLOC_NODE_PREFER, &other));
	EXPECT_EQ(dev_info(self->fd).free, other.free);
	EXPECT_EQ(dev_info(self->fd).largest_free, other.largest_free);
	EXPECT_EQ(ACLKM_REASON_FREE, other.reason);
}

static int take_all(const int *go, int done)
{
	struct aclkm_alloc alloc;
	char byte = 0;
	int fd;

	become(NOBODY);
	fd = dev_open(O_RDWR);
	close(go[1]);
	if (read(go[0], &byte, 1) < 0)
		return 1;
	while (!alloc_on(fd, MIB, ACLKM_NODE_ANY, 0, &alloc))
		;
	if (alloc.reason != ACLKM_REASON_ROOT_RESERVE || alloc.limit != 16 * MIB)
		return 2;
	if (write(done, &byte, 1) != 1)
		return 3;
	/* Keeps it until the end of the test. */
	pause();
	return 0;
}

/* Each node keeps its share for root, also when many take at the same time. */
TEST_F(arenas, root_reserve_of_each_node)
{
	int go[2], done[2], nodes = node_exists(1) ? 2 : 1, i, node, status;
	struct aclkm_alloc alloc;
	pid_t pids[4];
	char byte;

	LOAD(nodes == 2 ? "reserve=32M:2M:0,32M:2M:1" : "reserve=32M");
	ASSERT_EQ(0, sysfs_set("limits/root_reserve", 16 * MIB));
	device_for_all();
	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(0, pipe(done));
	for (i = 0; i < 4; i++) {
		pids[i] = fork();
		if (!pids[i])
			_exit(take_all(go, done[1]));
	}
	close(go[0]);
	close(go[1]);
	close(done[1]);
	/* All have been told why they get no more, before root takes the rest. */
	for (i = 0; i < 4; i++)
		EXPECT_EQ(1, read(done[0], &byte, 1));
	close(done[0]);
	EXPECT_EQ(nodes * 16 * MIB, dev_info(self->fd).free);
	for (node = 0; node < nodes; node++) {
		/* Root may have it, to the last byte. */
		EXPECT_EQ(0, alloc_on(self->fd, 16 * MIB, node, 0, &alloc));
		EXPECT_EQ(-ENOSPC, alloc_on(self->fd, PAGE, node, 0, &alloc));
		EXPECT_EQ(ACLKM_REASON_FREE, alloc.reason);
	}
	for (i = 0; i < 4; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], &status, 0);
		EXPECT_TRUE(WIFSIGNALED(status));
	}
	device_for_root();
}

TEST_F(arenas, none_then_grow)
{
	struct aclkm_alloc alloc;

	LOAD("reserve=none");
	EXPECT_EQ(0, dev_info(self->fd).nr_arenas);
	EXPECT_EQ(0, dev_info(self->fd).total);
	EXPECT_EQ(-ENOSPC, dev_alloc(self->fd, PAGE, 0, &alloc));
	EXPECT_EQ(ACLKM_REASON_FREE, alloc.reason);
	EXPECT_EQ(0, alloc.free);
	EXPECT_EQ(-EBUSY, sysfs_write("shrink", "2M"));
	ASSERT_EQ(0, sysfs_write("grow", "16M,8M:2M:0\n"));
	EXPECT_EQ(2, dev_info(self->fd).nr_arenas);
	EXPECT_EQ(24 * MIB, dev_info(self->fd).total);
	EXPECT_EQ(0, dev_alloc(self->fd, 16 * MIB, 0, &alloc));
}

static int admin_files_without_cap(void *arg)
{
	drop_cap(CAP_SYS_ADMIN);
	return sysfs_write("grow", "2M") == -EPERM && sysfs_write("shrink", "2M") == -EPERM ? 0 : 1;
}

static int admin_files_as_nobody(void *arg)
{
	become(NOBODY);
	return sysfs_write("grow", "2M") == -EACCES && sysfs_write("shrink", "2M") == -EACCES ?
	       0 : 1;
}

TEST_F(arenas, bad_text_and_rights)
{
	static const char * const grow[] = { "", "\n", "0", "3M", "abc", "2M ,", "2M:4K", "2M:1G",
					     "-2M", "2M:2M:99", "2M:2M:0:0", "2T", "none", "2M,x",
					     "2M:forced", ":force", "force", "2M:force:2M",
					     "2M:2M:0:force:force", "2M:FORCE" };
	static const char * const shrink[] = { "\n", "0", "1M", "3M", "abc", "-2M", "2M 2M",
					       "2M,2M", "2M\n\n", "2MX", " " };
	struct aclkm_info before;
	int i;

	LOAD("reserve=8M");
	before = dev_info(self->fd);
	for (i = 0; i < sizeof(grow) / sizeof(grow[0]); i++) {
		/* Nothing is written where there is nothing to write. */
		EXPECT_EQ(*grow[i] ? -EINVAL : 0, sysfs_write("grow", grow[i]))
			TH_LOG("grow %s", grow[i]);
	}
	for (i = 0; i < sizeof(shrink) / sizeof(shrink[0]); i++) {
		EXPECT_EQ(-EINVAL, sysfs_write("shrink", shrink[i]))
			TH_LOG("shrink %s", shrink[i]);
	}
	EXPECT_EQ(0, in_child(admin_files_without_cap, NULL));
	EXPECT_EQ(0, in_child(admin_files_as_nobody, NULL));
	EXPECT_TRUE(accounts_as(self->fd, &before));
}

TEST_F(arenas, shrink_gives_back_what_is_free)
{
	struct aclkm_alloc first, middle, alloc;
	char *mem;

	LOAD("reserve=64M:2M:0,32M:2M:0");
	/* A whole arena that is free, the newest. */
	ASSERT_EQ(0, sysfs_write("shrink", "32M\n"));
	EXPECT_EQ(1, dev_info(self->fd).nr_arenas);
	EXPECT_EQ(64 * MIB, dev_info(self->fd).total);

	/* Both ends of one in use, and no more; what is in between stays as it is. */
	ASSERT_EQ(0, dev_alloc(self->fd, 30 * MIB, 0, &first));
	ASSERT_EQ(0, dev_alloc(self->fd, 2 * MIB, 0, &middle));
	mem = dev_map(self->fd, middle.offset, 2 * MIB);
	ASSERT_NE(MAP_FAILED, mem);
	pattern_fill(mem, 0, 2 * MIB, 7);
	ASSERT_EQ(0, dev_free(self->fd, first.handle));
	ASSERT_EQ(0, sysfs_write("shrink", "4M"));
	EXPECT_EQ(60 * MIB, dev_info(self->fd).total);
	ASSERT_EQ(0, sysfs_write("shrink", "1G"));
	EXPECT_EQ(2 * MIB, dev_info(self->fd).total);
	EXPECT_EQ(0, dev_info(self->fd).free);
	EXPECT_TRUE(pattern_is(mem, 0, 2 * MIB, 7));
	EXPECT_LT(0, log_lines("of 1024 MiB to give back, 58 MiB were free", NULL, 0));

	/* Nothing free. */
	EXPECT_EQ(-EBUSY, sysfs_write("shrink", "2M"));
	EXPECT_EQ(2 * MIB, dev_info(self->fd).total);

	ASSERT_EQ(0, sysfs_write("grow", "62M"));
	EXPECT_EQ(64 * MIB, dev_info(self->fd).total);
	ASSERT_EQ(0, dev_alloc(self->fd, 62 * MIB, 0, &alloc));
	EXPECT_TRUE(pattern_is(mem, 0, 2 * MIB, 7));
	munmap(mem, 2 * MIB);
}

/* Units of 1 GiB are cut up with the arena. */
TEST_F_TIMEOUT(arenas, shrink_through_a_compound_gib, 100)
{
	struct aclkm_alloc alloc;
	char *mem;
	int round;

	if (module_load("reserve=1G:1G"))
		SKIP(return, "no GiB in one piece");
	self->fd = dev_open(O_RDWR);
	if (dev_info(self->fd).largest_free < GIB)
		SKIP(return, "no GiB in one piece");
	ASSERT_EQ(0, dev_alloc_flags(self->fd, GIB, 0,
				     dev_has(self->fd, ACLKM_FEATURE_HUGE_1G) ?
				     ACLKM_ALLOC_HUGE_1G : 0, &alloc));
	ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
	for (round = 0; round < 2; round++)
		ASSERT_EQ(0, sysfs_write("shrink", "6M"));
	EXPECT_EQ(GIB - 12 * MIB, dev_info(self->fd).total);
	ASSERT_EQ(0, dev_alloc(self->fd, GIB - 12 * MIB, 0, &alloc));
	mem = dev_map(self->fd, alloc.offset, alloc.size);
	ASSERT_NE(MAP_FAILED, mem);
	mem[0] = mem[alloc.size - 1] = 1;
	munmap(mem, alloc.size);
}

/* What cannot be had is said, in the log and by the totals. */
TEST_F_TIMEOUT(arenas, grow_gets_what_there_is, 100)
{
	unsigned long long got;
	uint64_t before;
	char line[256];

	LOAD("reserve=8M");
	EXPECT_EQ(-ENOMEM, sysfs_write("grow", "512G"));
	EXPECT_EQ(8 * MIB, dev_info(self->fd).total);
	EXPECT_EQ(1, log_lines("of 524288 MiB asked for, 0 MiB could be reserved", NULL, 0));
	ASSERT_EQ(0, sysfs_write("grow", "4M,512G,2M"));
	EXPECT_EQ(14 * MIB, dev_info(self->fd).total);

	/* As much as node 0 has in all: a part of it. */
	before = dev_info(self->fd).total;
	log_begin();
	ASSERT_EQ(0, sysfs_write("grow", "1G:2M:0"));
	ASSERT_EQ(1, log_lines("of 1024 MiB asked for", line, sizeof(line)));
	ASSERT_EQ(1, sscanf(line, "of 1024 MiB asked for, %llu MiB", &got));
	EXPECT_LT(0, got);
	EXPECT_EQ(before + got * MIB, dev_info(self->fd).total);
	ASSERT_EQ(0, sysfs_write("shrink", "16G"));
	EXPECT_EQ(0, dev_info(self->fd).total);
}

/* Memory that devices with 32-bit addresses reach is taken last, of all nodes. */
TEST_F(arenas, memory_above_4_gib_comes_first)
{
	struct aclkm_alloc alloc;
	struct aclkm_query query;

	/* Holes below 4 GiB for devices: nearly 1 GiB of a machine's memory moves up. */
	if (proc_number("/proc/meminfo", "MemTotal") < 9 * GIB / 2 / KIB)
		SKIP(return, "little memory above 4 GiB");
	LOAD("reserve=64M");
	ASSERT_EQ(0, dev_alloc(self->fd, 64 * MIB, 0, &alloc));
	ASSERT_EQ(0, dev_query(self->fd, alloc.handle, &query));
	EXPECT_LE(4 * GIB, query.phys);
}

/*
 * Several processors take it, and say how far they are. One page that cannot be moved,
 * in the middle of the node, leaves no room for one arena; the log says so.
 */
TEST_F_TIMEOUT(arenas, three_gib_with_progress, 100)
{
	int node = node_exists(1) ? 1 : 0;
	char params[64];

	if (node_free_kib(node) < 7 * GIB / 2 / KIB)
		SKIP(return, "node %d has no 3.5 GiB free", node);
	snprintf(params, sizeof(params), "reserve=3G:1G:%d", node);
	LOAD(params);
	EXPECT_EQ(3 * GIB, dev_info(self->fd).total);
	/* A range that turns out not to be movable is followed by another one. */
	EXPECT_LE(3, log_lines("of 3 GiB", NULL, 0));
	log_rewind();
	if (!log_lines("no 3072 MiB aligned to 1024 MiB", NULL, 0))
		EXPECT_EQ(3 * GIB, dev_info(self->fd).largest_free);
}

/* Binds the memory of this process to node 0. */
static int bind_to_node_0(void)
{
	unsigned long mask = 1;

	return syscall(SYS_set_mempolicy, 2 /* MPOL_BIND */, &mask, 8 * sizeof(mask)) ? -errno : 0;
}

/* Pages in use are moved away, with their bytes. */
TEST_F_TIMEOUT(arenas, grow_moves_pages_away, 300)
{
	uint64_t size = node_free_kib(0) * KIB / 2 / (64 * PAGE) * (64 * PAGE), at, *phys;
	uint64_t pages = size / PAGE, moved = 0, intact = 0, resident = 0;
	struct aclkm_alloc alloc;
	struct aclkm_query query;
	char *mem;

	LOAD("reserve=none");
	phys = calloc(pages, sizeof(*phys));
	ASSERT_NE(NULL, phys);
	ASSERT_EQ(0, bind_to_node_0());
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, mem);
	madvise(mem, size, MADV_NOHUGEPAGE);
	for (at = 0; at < size; at += PAGE)
		pattern_fill(mem + at, at, 8, 3);
	/*
	 * Every other run of 32 pages is free: half of the node has no block that is, and
	 * an arena of a quarter of the node cannot avoid all of these.
	 */
	for (at = 0; at < size; at += 64 * PAGE)
		madvise(mem + at, 32 * PAGE, MADV_DONTNEED);
	for (at = 0; at < size; at += PAGE)
		if (at / PAGE % 64 >= 32)
			phys[at / PAGE] = pagemap_phys(mem + at);
	while (!sysfs_write("grow", "64M:2M:0") && dev_info(self->fd).total < size / 2 + 64 * MIB)
		;
	EXPECT_LT(0, dev_info(self->fd).total);
	for (at = 0; at < size; at += PAGE) {
		if (at / PAGE % 64 < 32)
			continue;
		resident++;
		intact += pattern_is(mem + at, at, 8, 3);
		moved += pagemap_phys(mem + at) != phys[at / PAGE];
	}
	EXPECT_EQ(resident, intact);
	TH_LOG("%llu of %llu pages have moved", (unsigned long long)moved,
	       (unsigned long long)resident);
	EXPECT_LT(0, moved);
	/* Out of what is an arena now. */
	at = 0;
	while (!dev_alloc(self->fd, 2 * MIB, 0, &alloc)) {
		ASSERT_EQ(0, dev_query(self->fd, alloc.handle, &query));
		for (resident = 0; resident < pages; resident++)
			at += phys[resident] >= query.phys &&
			      phys[resident] < query.phys + alloc.size;
	}
	EXPECT_LT(0, at);
	munmap(mem, size);
	free(phys);
}

TEST_HARNESS_MAIN
