// SPDX-License-Identifier: GPL-2.0
/*
 * What only probes in the kernel can see: that ordinary calls write no audit record, and
 * in which order an mmap() that fails half way undoes what it has done.
 */
#include "pin.h"
#include "admin.h"
#include <sys/resource.h>
#include "kselftest_harness.h"

#define TRACING "/sys/kernel/tracing/"
#define USER_A 1001
/* Of the kernel's security_capable(): this question is for no audit record. */
#define NO_AUDIT 2

static char trace[1 << 20];

FIXTURE(probe) {
	int fd;
	struct aclkm_info before;
};

FIXTURE_SETUP(probe)
{
	if (geteuid() || access(TRACING "kprobe_events", W_OK))
		SKIP(return, "needs root, and probes in " TRACING);
	self->fd = dev_open(O_RDWR);
	ASSERT_LE(0, self->fd);
	self->before = dev_info(self->fd);
	ASSERT_EQ(0, file_write(TRACING "trace", "\n"));
}

FIXTURE_TEARDOWN(probe)
{
	file_write(TRACING "events/kprobes/enable", "0");
	file_write(TRACING "events/aclkm/enable", "0");
	file_write(TRACING "kprobe_events", "\n");
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
	close(self->fd);
}

/* Between two marks in the trace, as somebody without rights: 0 or the failed line. */
static int ordinary_calls(void *arg)
{
	int marker = open(TRACING "trace_marker", O_WRONLY | O_CLOEXEC), fd;
	struct rlimit memlock = { 16 * PAGE, 16 * PAGE };
	struct aclkm_phys_extent extent;
	struct aclkm_alloc alloc;
	struct aclkm_query query;
	struct aclkm_phys phys;
	struct aclkm_pin pin;

	(void)arg;
	if (setrlimit(RLIMIT_MEMLOCK, &memlock))
		return __LINE__;
	become(USER_A);
	fd = dev_open(O_RDWR);
	if (fd < 0)
		return __LINE__;
	if (write(marker, "ordinary begin", 14) != 14)
		return __LINE__;
	if (dev_alloc(fd, 4 * PAGE, 0, &alloc) || dev_query(fd, alloc.handle, &query) || query.phys)
		return __LINE__;
	/* Refused by the limits of the file, of the user, and for root. */
	if (dev_alloc(fd, 8 * MIB, 0, &alloc) != -EDQUOT || dev_alloc(fd, 3 * MIB, 0, &alloc) != -EDQUOT)
		return __LINE__;
	if (dev_pin(fd, anonymous(PAGE), PAGE, 0, &pin) || dev_query(fd, pin.handle, &query) ||
	    dev_pin(fd, anonymous(MIB), MIB, 0, &pin) != -ENOMEM)
		return __LINE__;
	if (write(marker, "ordinary end", 12) != 12)
		return __LINE__;
	/* To ask for an address without the right to it is what an audit is for. */
	if (dev_phys(fd, 1, 0, &extent, 1, &phys) != -EPERM)
		return __LINE__;
	return 0;
}

/* Questions for CAP_IPC_LOCK, CAP_SYS_RAWIO and CAP_SYS_RESOURCE in a part of the trace. */
static int questions(const char *from, const char *to, bool audited)
{
	const char *at = from;
	int cap, n = 0;
	unsigned int opts;

	while ((at = strstr(at, " cap=")) && at < to) {
		if (sscanf(at, " cap=%d opts=%u", &cap, &opts) == 2 &&
		    (cap == CAP_IPC_LOCK || cap == CAP_SYS_RAWIO || cap == CAP_SYS_RESOURCE))
			n += audited == !(opts & NO_AUDIT);
		at++;
	}
	return n;
}

TEST_F(probe, ordinary_calls_write_no_audit_record)
{
	const char *begin, *end;
	int result;

	if (file_write(TRACING "kprobe_events",
		       "p:aclkm_cap cap_capable cap=$arg3:s32 opts=$arg4:u32"))
		SKIP(return, "this kernel has no probe at cap_capable()");
	device_for_all();
	ASSERT_EQ(0, sysfs_set("limits/file_bytes", 4 * MIB));
	ASSERT_EQ(0, sysfs_set("limits/user_bytes", 2 * MIB));
	ASSERT_EQ(0, sysfs_set("limits/root_reserve", MIB));
	ASSERT_EQ(0, file_write(TRACING "events/kprobes/enable", "1"));
	result = in_child(ordinary_calls, NULL);
	file_write(TRACING "events/kprobes/enable", "0");
	sysfs_set("limits/file_bytes", 0);
	sysfs_set("limits/user_bytes", 0);
	sysfs_set("limits/root_reserve", 0);
	device_for_root();
	EXPECT_EQ(0, result);

	ASSERT_LT(0, file_read(TRACING "trace", trace, sizeof(trace)));
	begin = strstr(trace, "ordinary begin");
	end = strstr(trace, "ordinary end");
	ASSERT_NE(NULL, begin);
	ASSERT_NE(NULL, end);
	TH_LOG("%d questions for no audit record", questions(begin, end, false));
	EXPECT_LE(3, questions(begin, end, false));
	EXPECT_EQ(0, questions(begin, end, true));
	EXPECT_EQ(1, questions(end, trace + strlen(trace), true));
}

/* Maps write-combined memory, and is killed meanwhile. */
static void map_until_killed(int fd, const struct aclkm_alloc *alloc, int go)
{
	if (write(go, "g", 1) != 1)
		_exit(1);
	dev_map(fd, alloc->offset, alloc->size);
	pause();
}

/*
 * The entries are frame numbers without a reference: while one is left, the memory must
 * not be free. FREE comes meanwhile, so that mmap() itself drops the last reference.
 */
TEST_F_TIMEOUT(probe, a_killed_mmap_drops_its_entries_before_the_memory, 120)
{
	int tries, seen = 0, go[2], status;
	const char *map, *zap, *release;
	struct aclkm_alloc alloc;
	char byte;
	pid_t pid;

	if (!dev_has(self->fd, ACLKM_FEATURE_CACHE))
		SKIP(return, "this driver has no write-combined memory");
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "one processor");
	/* Its name on older and on newer kernels. */
	if (file_write(TRACING "kprobe_events", "p:aclkm_zap zap_vma_ptes") &&
	    file_write(TRACING "kprobe_events", "p:aclkm_zap zap_special_vma_range"))
		SKIP(return, "this kernel has no probe where entries are dropped");
	ASSERT_EQ(0, file_write(TRACING "events/kprobes/enable", "1"));
	ASSERT_EQ(0, file_write(TRACING "events/aclkm/enable", "1"));
	for (tries = 0; tries < 100 && seen < 3; tries++) {
		ASSERT_EQ(0, dev_alloc_flags(self->fd, 48 * MIB, 0, ACLKM_ALLOC_WC, &alloc));
		ASSERT_EQ(0, file_write(TRACING "trace", "\n"));
		ASSERT_EQ(0, pipe(go));
		pid = fork();
		if (!pid)
			map_until_killed(self->fd, &alloc, go[1]);
		ASSERT_EQ(1, read(go[0], &byte, 1));
		usleep(500 + tries % 16 * 1000);
		ASSERT_EQ(0, dev_free(self->fd, alloc.handle));
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		close(go[0]);
		close(go[1]);
		ASSERT_LT(0, file_read(TRACING "trace", trace, sizeof(trace)));
		map = strstr(trace, "err=-4");
		release = map ? strstr(map, "aclkm_release: ") : NULL;
		/* The region was freed before, or mmap() had ended. */
		if (!release)
			continue;
		seen++;
		zap = strstr(map, "aclkm_zap: ");
		EXPECT_TRUE(zap && zap < release);
	}
	TH_LOG("mmap() was ended by the signal in %d of %d tries", seen, tries);
	EXPECT_LT(0, seen);
}

TEST_HARNESS_MAIN
