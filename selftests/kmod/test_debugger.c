// SPDX-License-Identifier: GPL-2.0
/* What a debugger, a core file and the calls for any shared mapping make of the memory. */
#include "dmabuf.h"
#include "admin.h"
#include <sys/prctl.h>
#include <sys/resource.h>
#include "kselftest_harness.h"

#define SIZE (2 * MIB)
#define AT (PAGE + 64)
#define CORE "/tmp/core-of-test"

static const struct kind {
	const char *name;
	uint32_t flags;
	bool dmabuf;
	bool in_core;
} kinds[] = {
	{ "entries of 2 MiB", 0, false, true },
	{ "entries of 4 KiB", ACLKM_ALLOC_SMALL, false, true },
	{ "a dma-buf", 0, true, true },
	/* A core file has what get_user_pages() takes, and nothing else. */
	{ "write-combined", ACLKM_ALLOC_WC, false, false },
	{ "uncached", ACLKM_ALLOC_UC, false, false },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

FIXTURE(debugger) {
	int fd;
	int file;
	struct aclkm_info before;
	char *mem[KINDS];
};

static void mark(char *mem, int kind)
{
	pattern_fill(mem + AT, AT, 64, kind + 1);
}

FIXTURE_SETUP(debugger)
{
	struct aclkm_alloc alloc;
	int i, buf;

	self->fd = dev_open(O_RDWR);
	self->file = dev_open(O_RDWR);
	ASSERT_LE(0, self->file);
	self->before = dev_info(self->fd);
	for (i = 0; i < KINDS; i++) {
		uint32_t flags = kinds[i].flags;

		self->mem[i] = NULL;
		if (flags & (ACLKM_ALLOC_WC | ACLKM_ALLOC_UC) &&
		    !dev_has(self->fd, ACLKM_FEATURE_CACHE))
			continue;
		ASSERT_EQ(0, dev_alloc_flags(self->file, SIZE, 0, flags, &alloc));
		if (kinds[i].dmabuf) {
			buf = dev_export(self->file, alloc.handle, 0, 0, 0);
			ASSERT_LE(0, buf);
			self->mem[i] = dev_map(buf, 0, SIZE);
			close(buf);
		} else {
			self->mem[i] = dev_map(self->file, alloc.offset, SIZE);
		}
		ASSERT_NE(MAP_FAILED, self->mem[i]);
		mark(self->mem[i], i);
	}
}

FIXTURE_TEARDOWN(debugger)
{
	int i;

	for (i = 0; i < KINDS; i++)
		if (self->mem[i])
			munmap(self->mem[i], SIZE);
	close(self->file);
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
	close(self->fd);
}

static pid_t stopped_child(void)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(pid, NULL, WUNTRACED);
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

TEST_F(debugger, reads_and_writes_every_kind_of_mapping)
{
	pid_t pid = stopped_child();
	char path[64], bytes[64];
	long word = 0x0123456789abcdef;
	int i, fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	for (i = 0; i < KINDS; i++) {
		char *mem = self->mem[i];

		if (!mem)
			continue;
		TH_LOG("%s", kinds[i].name);
		errno = 0;
		EXPECT_EQ((long)pattern_word(AT, i + 1), ptrace(PTRACE_PEEKDATA, pid, mem + AT, 0));
		EXPECT_EQ(0, errno);
		EXPECT_EQ(64, pread(fd, bytes, 64, (uintptr_t)mem + AT));
		EXPECT_TRUE(pattern_is(bytes, AT, 64, i + 1));
		/* Across pages, and up to the end of the mapping but not beyond. */
		memset(bytes, 7, sizeof(bytes));
		EXPECT_EQ(64, pwrite(fd, bytes, 64, (uintptr_t)mem + SIZE / 2 - 32));
		EXPECT_TRUE(all_bytes(mem + SIZE / 2 - 32, 64, 7));
		EXPECT_EQ(0, ptrace(PTRACE_POKEDATA, pid, mem + 128, word));
		EXPECT_EQ(word, *(long *)(mem + 128));
	}
	close(fd);
	end_child(pid);
}

/* A mapping of a part: the rest of the region is not for this program. */
TEST_F(debugger, reaches_nothing_beyond_a_mapping)
{
	static char bytes[3 * PAGE];
	struct aclkm_alloc alloc;
	char *whole, *part;
	int fd, buf;

	if (!dev_has(self->fd, ACLKM_FEATURE_CACHE))
		SKIP(return, "no write-combined memory here");
	ASSERT_EQ(0, dev_alloc_flags(self->file, 4 * PAGE, 0, ACLKM_ALLOC_WC, &alloc));
	whole = dev_map(self->file, alloc.offset, 4 * PAGE);
	ASSERT_NE(MAP_FAILED, whole);
	memset(whole, 9, 4 * PAGE);
	munmap(whole, 4 * PAGE);
	buf = dev_export(self->file, alloc.handle, PAGE, PAGE, 0);
	/* Zeros behind it. */
	part = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, part);
	ASSERT_EQ(part, mmap(part, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, buf, 0));
	fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	EXPECT_LE((ssize_t)PAGE - 64, pread(fd, bytes, 2 * PAGE, (uintptr_t)part + 64));
	EXPECT_TRUE(all_bytes(bytes, PAGE - 64, 9));
	EXPECT_TRUE(all_bytes(bytes + PAGE - 64, sizeof(bytes) - PAGE + 64, 0));
	close(fd);
	munmap(part, 3 * PAGE);
	close(buf);
}

TEST_F(debugger, writes_nothing_that_is_read_only)
{
	uint32_t flags[] = { 0, ACLKM_ALLOC_SMALL, ACLKM_ALLOC_WC, ACLKM_ALLOC_UC };
	int ro = dev_open(O_RDONLY), i;
	struct aclkm_alloc alloc;
	char *mem;

	for (i = 0; i < 4; i++) {
		if (flags[i] & (ACLKM_ALLOC_WC | ACLKM_ALLOC_UC) &&
		    !dev_has(self->fd, ACLKM_FEATURE_CACHE))
			continue;
		ASSERT_EQ(0, dev_alloc_flags(ro, SIZE, 0, flags[i], &alloc));
		mem = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, ro, alloc.offset);
		ASSERT_NE(MAP_FAILED, mem);
		EXPECT_TRUE(stays_read_only(mem));
		EXPECT_TRUE(all_bytes(mem, SIZE, 0));
		munmap(mem, SIZE);
	}
	close(ro);
}

/* Whether each kind's mark is in the core file of a child with this filter. */
static void core_marks(const char *filter, bool found[KINDS])
{
	struct rlimit inf = { RLIM_INFINITY, RLIM_INFINITY };
	int status, fd, i;
	size_t len, at;
	char *core;
	pid_t pid;

	memset(found, 0, KINDS * sizeof(found[0]));
	unlink(CORE);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_CORE, &inf);
		prctl(PR_SET_DUMPABLE, 1);
		if (file_write("/proc/self/coredump_filter", filter))
			_exit(1);
		signal(SIGABRT, SIG_DFL);
		abort();
	}
	waitpid(pid, &status, 0);
	if (!WCOREDUMP(status))
		return;
	fd = open(CORE, O_RDONLY);
	len = lseek(fd, 0, SEEK_END);
	core = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	for (at = AT % PAGE; core != MAP_FAILED && at + 64 <= len; at += PAGE)
		for (i = 0; i < KINDS; i++)
			found[i] |= pattern_is(core + at, AT, 64, i + 1);
	munmap(core, len);
	close(fd);
	unlink(CORE);
}

TEST_F(debugger, core_files_have_the_memory_when_the_filter_says_so)
{
	bool found[KINDS];
	char pattern[256];
	int i;

	if (file_read("/proc/sys/kernel/core_pattern", pattern, sizeof(pattern)) < 0)
		SKIP(return, "this kernel writes no core files");
	ASSERT_EQ(0, file_write("/proc/sys/kernel/core_pattern", CORE "\n"));
	core_marks("0x1ff\n", found);
	for (i = 0; i < KINDS; i++) {
		if (!self->mem[i])
			continue;
		TH_LOG("%s", kinds[i].name);
		EXPECT_EQ(kinds[i].in_core, found[i]);
	}
	/* By default not: memory of this kind is large, and mostly of no use there. */
	core_marks("0x33\n", found);
	for (i = 0; i < KINDS; i++)
		EXPECT_FALSE(found[i]);
	EXPECT_EQ(0, file_write("/proc/sys/kernel/core_pattern", pattern));
}

TEST_F(debugger, msync_has_nothing_to_do)
{
	int i;

	for (i = 0; i < KINDS; i++) {
		/* The kernel asks the dma-buf's own file, which has no such call. */
		if (!self->mem[i] || kinds[i].dmabuf)
			continue;
		EXPECT_EQ(0, msync(self->mem[i], SIZE, MS_ASYNC));
		EXPECT_EQ(0, msync(self->mem[i], SIZE, MS_SYNC));
		EXPECT_EQ(0, msync(self->mem[i] + PAGE, PAGE, MS_SYNC | MS_INVALIDATE));
		EXPECT_TRUE(pattern_is(self->mem[i] + AT, AT, 64, i + 1));
	}
	EXPECT_EQ(0, fsync(self->file));
}

TEST_HARNESS_MAIN
