// SPDX-License-Identifier: GPL-2.0
/*
 * Hibernation with an arena in a carve-out, whose memory the kernel does not save. The
 * kernel's own test mode goes as far as it does before it makes the image, and back.
 */
#include "admin.h"
#include "kselftest_harness.h"

#define TRACING "/sys/kernel/tracing/"

FIXTURE(hibernate) {
	int fd;
	struct aclkm_info before;
};

FIXTURE_SETUP(hibernate)
{
	self->fd = dev_open(O_RDWR);
	ASSERT_LE(0, self->fd);
	self->before = dev_info(self->fd);
	/* Five seconds, in which nothing happens, otherwise. */
	file_write("/sys/module/suspend/parameters/pm_test_delay", "0");
}

FIXTURE_TEARDOWN(hibernate)
{
	file_write("/sys/power/pm_test", "none");
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
	close(self->fd);
}

#define NEED_TEST_MODE() do { \
	if (file_write("/sys/power/pm_test", "freezer")) \
		SKIP(return, "no /sys/power/pm_test: %s", strerror(errno)); \
} while (0)

static bool wait_until_clean(int fd)
{
	int i;

	for (i = 0; i < 1000; i++) {
		struct aclkm_info info = dev_info(fd);

		if (info.clean == info.free)
			return true;
		usleep(20 * 1000);
	}
	return false;
}

/* Bytes that were cleared in the background, by the tracepoint. */
static uint64_t scrubbed(void)
{
	FILE *f = fopen(TRACING "trace", "re");
	unsigned long long len;
	uint64_t bytes = 0;
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, "len=0x");

		if (strstr(line, "aclkm_scrub:") && at && sscanf(at, "len=%llx", &len) == 1)
			bytes += len;
	}
	if (f)
		fclose(f);
	return bytes;
}

TEST_F_TIMEOUT(hibernate, clean_memory_does_not_survive, 120)
{
	NEED_TEST_MODE();
	ASSERT_TRUE(wait_until_clean(self->fd));
	ASSERT_EQ(0, file_write(TRACING "events/aclkm/aclkm_scrub/enable", "1"));
	ASSERT_EQ(0, file_write(TRACING "trace", "\n"));
	ASSERT_EQ(0, file_write("/sys/power/state", "disk"));
	ASSERT_TRUE(wait_until_clean(self->fd));
	EXPECT_EQ(0, file_write(TRACING "events/aclkm/aclkm_scrub/enable", "0"));
	EXPECT_EQ(self->before.total, scrubbed());
}

TEST_F_TIMEOUT(hibernate, refused_while_a_region_would_lose_its_bytes, 120)
{
	struct aclkm_alloc alloc;
	char *mem;

	NEED_TEST_MODE();
	ASSERT_EQ(0, dev_alloc(self->fd, 4 * MIB, 0, &alloc));
	mem = dev_map(self->fd, alloc.offset, 4 * MIB);
	ASSERT_NE(MAP_FAILED, mem);
	pattern_fill(mem, 0, 4 * MIB, 5);
	EXPECT_EQ(-EBUSY, file_write("/sys/power/state", "disk"));
	EXPECT_TRUE(pattern_is(mem, 0, 4 * MIB, 5));
	/* The arena works on, and does not stay asleep. */
	ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
	EXPECT_EQ(-EBUSY, file_write("/sys/power/state", "disk"));
	munmap(mem, 4 * MIB);
	ASSERT_EQ(0, dev_alloc(self->fd, 4 * MIB, 0, &alloc));
	ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
	EXPECT_EQ(0, file_write("/sys/power/state", "disk"));
}

TEST_HARNESS_MAIN
