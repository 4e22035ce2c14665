// SPDX-License-Identifier: GPL-2.0
/*
 * What a reserve leaves to the kernel: memory that it expects back, and a tenth of the
 * rest. Loads the module itself. Wants a machine with movablecore=, or with cma= where the
 * kernel has CMA; tests of memory that the machine has not are skipped.
 */
#include "common.h"
#include "admin.h"
#include "kmsg.h"
#include "kselftest_harness.h"
#include "fixtures.h"

struct zones {
	uint64_t movable_start, movable_end;	/* bytes; of the first node that has one */
	uint64_t managed, free;			/* bytes of the zones that the kernel can use; no CMA is free */
};

static struct zones zones_read(void)
{
	unsigned long long value, start = 0, spanned = 0, free = 0, file = 0, managed = 0;
	struct zones zones = {};
	char line[256], name[32] = "";
	FILE *f = fopen("/proc/zoneinfo", "re");
	bool more = true;

	while (more) {
		more = f && fgets(line, sizeof(line), f);
		if (more && !strstr(line, "zone ")) {
			if (sscanf(line, " pages free %llu", &value) == 1)
				free = value;
			else if (sscanf(line, " spanned %llu", &value) == 1)
				spanned = value;
			else if (sscanf(line, " managed %llu", &value) == 1)
				managed = value;
			else if (sscanf(line, " nr_zone_inactive_file %llu", &value) == 1 ||
				 sscanf(line, " nr_zone_active_file %llu", &value) == 1)
				file += value;
			else if (sscanf(line, " nr_free_cma %llu", &value) == 1)
				free -= value;
			else if (sscanf(line, " start_pfn: %llu", &value) == 1)
				start = value;
			continue;
		}
		/* The end of a zone. */
		if (!strcmp(name, "Movable") && managed && !zones.movable_end) {
			zones.movable_start = start * PAGE;
			zones.movable_end = (start + spanned) * PAGE;
		} else if (strcmp(name, "Movable")) {
			zones.managed += managed * PAGE;
			zones.free += (free + file) * PAGE;
		}
		free = file = managed = spanned = 0;
		sscanf(line, "Node %*d, zone %31s", name);
	}
	if (f)
		fclose(f);
	return zones;
}

FIXTURE_WITHOUT_MODULE(reserve)

/* Takes all memory that may be had, without force. */
static void grow_all(void)
{
	static const char * const sizes[] = { "512M", "128M", "32M", "8M", "2M" };
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		while (!sysfs_write("grow", sizes[i]))
			;
}

/* Bytes of regions of 2 MiB, taken until none is left, that lie in a range. */
static uint64_t bytes_inside(int fd, uint64_t start, uint64_t end)
{
	struct aclkm_alloc alloc;
	struct aclkm_query query;
	uint64_t bytes = 0;

	while (!dev_alloc_flags(fd, 2 * MIB, 0, ACLKM_ALLOC_HUGE_2M, &alloc)) {
		if (dev_query(fd, alloc.handle, &query))
			abort();
		if (query.phys < end && query.phys + alloc.size > start)
			bytes += alloc.size;
	}
	return bytes;
}

TEST_F_TIMEOUT(reserve, no_arena_in_zone_movable, 200)
{
	struct zones zones = zones_read();

	if (!zones.movable_end)
		SKIP(return, "no ZONE_MOVABLE: boot with movablecore=");
	LOAD("reserve=64M");
	grow_all();
	TH_LOG("%llu MiB of arenas, none from %#llx to %#llx", dev_info(self->fd).total / MIB,
	       (unsigned long long)zones.movable_start, (unsigned long long)zones.movable_end);
	EXPECT_LT(zones.managed / 2, dev_info(self->fd).total);
	EXPECT_EQ(0, bytes_inside(self->fd, zones.movable_start, zones.movable_end));
}

TEST_F_TIMEOUT(reserve, no_arena_in_cma, 200)
{
	unsigned long long mib = 0, start = 0;
	struct zones zones;
	char line[256];

	/* From the first line of the boot on. */
	log_rewind();
	if (log_lines("cma: Reserved ", line, sizeof(line)) != 1 ||
	    sscanf(line, "cma: Reserved %llu MiB at %llx", &mib, &start) != 2)
		SKIP(return, "no CMA: a kernel with CONFIG_CMA, booted with cma=");
	LOAD("reserve=64M");
	grow_all();
	EXPECT_EQ(0, bytes_inside(self->fd, start, start + mib * MIB));
	/* Programs and the kernel go on: what is free of CMA does not count as left to them. */
	zones = zones_read();
	TH_LOG("%llu MiB left to the kernel beside CMA of %llu MiB", zones.free / MIB, mib);
	EXPECT_LE(zones.managed / 10, zones.free + 4 * MIB);
}

TEST_F_TIMEOUT(reserve, the_last_tenth_is_for_the_kernel, 200)
{
	uint64_t all = proc_number("/proc/meminfo", "MemTotal") * KIB, left, total;
	struct zones zones;
	char params[1200];
	unsigned int i;
	int len;

	/* More than the machine has: a part, and the log says which. */
	snprintf(params, sizeof(params), "reserve=%lluM", (unsigned long long)all / MIB / 2 * 2 + 2);
	LOAD(params);
	EXPECT_EQ(1, log_lines("could be reserved; at most", NULL, 0));
	EXPECT_LT(all / 4, dev_info(self->fd).total);
	grow_all();
	total = dev_info(self->fd).total;
	zones = zones_read();
	left = proc_number("/proc/meminfo", "MemAvailable") * KIB;
	if (proc_number("/proc/meminfo", "CmaFree") > 0)
		left -= proc_number("/proc/meminfo", "CmaFree") * KIB;
	TH_LOG("%llu of %llu MiB reserved, %llu MiB left to the kernel of the %llu MiB that it can use",
	       (unsigned long long)total / MIB, (unsigned long long)all / MIB,
	       (unsigned long long)zones.free / MIB, (unsigned long long)zones.managed / MIB);
	/* The kernel goes on using its memory: 4 MiB for that. */
	EXPECT_LE(zones.managed / 10, zones.free + 4 * MIB);
	EXPECT_LE(all / 10, left + 4 * MIB);
	EXPECT_EQ(-ENOMEM, sysfs_write("grow", "16M"));

	/* By force. */
	ASSERT_EQ(0, sysfs_write("grow", "16M:force"));
	ASSERT_EQ(0, sysfs_write("grow", "16M:2M:0:force\n"));
	EXPECT_EQ(total + 32 * MIB, dev_info(self->fd).total);
	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(0, module_unload());
	len = snprintf(params, sizeof(params), "force=1 reserve=16M");
	for (i = 0; i < total / (16 * MIB) + 1; i++)
		len += snprintf(params + len, sizeof(params) - len, ",16M");
	LOAD(params);
	EXPECT_LT(total, dev_info(self->fd).total);
}

TEST_F(reserve, a_refused_insmod_says_what_could_be_had)
{
	unsigned long long more = 0;
	char line[256];

	EXPECT_EQ(-ENOMEM, module_load("reserve=512G"));
	ASSERT_EQ(1, log_lines("of 524288 MiB asked for", line, sizeof(line)));
	ASSERT_EQ(1, sscanf(line, "of 524288 MiB asked for, 0 MiB could be reserved; at most %llu MiB",
			    &more));
	EXPECT_LT(64, more);
	EXPECT_GT(zones_read().managed / MIB, more);
}

/* A range that is taken in part is given back whole. */
TEST_F_TIMEOUT(reserve, a_failed_search_gives_everything_back, 600)
{
	uint64_t size = zones_read().managed / (64 * MIB) * 64 * MIB / MIB;
	long long before, after = 0;
	char params[64];
	int i;

	snprintf(params, sizeof(params), "reserve=%lluM:2M:0:force", (unsigned long long)size);
	/* The first time for what the kernel keeps from now on. */
	for (i = 0; i < 2; i++) {
		before = after;
		if (!module_load(params))
			ASSERT_EQ(0, module_unload());
		after = free_pages_settled(before);
	}
	TH_LOG("%lld KiB free before, %lld KiB after", before * 4, after * 4);
	EXPECT_LT(before - 512, after);
}

TEST_F_TIMEOUT(reserve, a_killed_insmod_keeps_the_finished_arenas, 100)
{
	char params[400] = "reserve=32M";
	int i, status, len = strlen(params), interrupted;
	uint64_t total;
	pid_t pid;

	for (i = 0; i < 30; i++)
		len += snprintf(params + len, sizeof(params) - len, ",32M");
	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(module_load(params) ? 1 : 0);
	for (i = 0; i < 10000 && !log_lines("arena ", NULL, 0); i++)
		usleep(1000);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	self->fd = dev_open(O_RDWR);
	ASSERT_LE(0, self->fd);
	total = dev_info(self->fd).total;
	interrupted = log_lines("interrupted: ", NULL, 0);
	TH_LOG("%llu of 992 MiB", (unsigned long long)total / MIB);
	EXPECT_EQ(0, total % (32 * MIB));
	EXPECT_LT(0, total);
	/* The machine may have been faster than the kill. */
	EXPECT_TRUE(interrupted || total == 31 * 32 * MIB);
	EXPECT_EQ(0, sysfs_write("grow", "32M"));
	EXPECT_EQ(total + 32 * MIB, dev_info(self->fd).total);
}

TEST_HARNESS_MAIN
