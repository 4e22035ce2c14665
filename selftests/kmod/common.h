/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of /dev/aclkm share: the calls, the accounts, a few ways to look. */
#ifndef ACLKM_SELFTEST_COMMON_H
#define ACLKM_SELFTEST_COMMON_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/aclkm.h>

#define KIB 1024ULL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define PAGE 4096ULL

/* All calls here return 0 or a negative errno, as the driver does. */

static inline int dev_open(int flags)
{
	int fd = open(ACLKM_DEVICE_PATH, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static inline int dev_ioctl(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) ? -errno : 0;
}

static inline struct aclkm_info dev_info(int fd)
{
	struct aclkm_info info = {};

	if (dev_ioctl(fd, ACLKM_IOC_INFO, &info))
		abort();
	return info;
}

static inline int dev_alloc(int fd, uint64_t size, uint64_t align, struct aclkm_alloc *out)
{
	memset(out, 0, sizeof(*out));
	out->size = size;
	out->align = align;
	out->node = ACLKM_NODE_ANY;
	return dev_ioctl(fd, ACLKM_IOC_ALLOC, out);
}

static inline int dev_free(int fd, uint32_t handle)
{
	struct aclkm_free req = { .handle = handle };

	return dev_ioctl(fd, ACLKM_IOC_FREE, &req);
}

static inline int dev_query(int fd, uint32_t handle, struct aclkm_query *out)
{
	memset(out, 0, sizeof(*out));
	out->handle = handle;
	return dev_ioctl(fd, ACLKM_IOC_QUERY, out);
}

static inline void *dev_map(int fd, uint64_t offset, size_t len)
{
	return mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
}

/*
 * Whether the accounts are as in @before; tells what differs. How much of the free
 * memory is clear already is the driver's own affair.
 */
static inline bool accounts_as(int fd, const struct aclkm_info *before)
{
	struct aclkm_info now;
	int tries;

	/* A region whose last pin has just gone is put back by a timer. */
	for (tries = 0; tries < 50; tries++) {
		now = dev_info(fd);
		now.clean = before->clean;
		if (!memcmp(&now, before, sizeof(now)))
			return true;
		usleep(20 * 1000);
	}
	printf("# free %llu -> %llu, largest %llu -> %llu, held %llu -> %llu, regions %llu -> %llu\n",
	       before->free, now.free, before->largest_free, now.largest_free,
	       before->held, now.held, before->nr_regions, now.nr_regions);
	return false;
}

/* Physical address behind a mapped address, from /proc/self/pagemap; 0 if none. */
static inline uint64_t pagemap_phys(const void *addr)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (fd < 0)
		return 0;
	/* Entries come with the first touch. */
	(void)*(const volatile char *)addr;
	if (pread(fd, &entry, 8, (uintptr_t)addr / PAGE * 8) != 8)
		entry = 0;
	close(fd);
	if (!(entry >> 63))
		return 0;
	return (entry & ((1ULL << 55) - 1)) * PAGE + (uintptr_t)addr % PAGE;
}

/* How often a long test does something: slow kernels ask for a part of it (percent). */
static inline int rounds(int all)
{
	const char *percent = getenv("ACLKM_TEST_PERCENT");

	return percent ? 1 + all * atoi(percent) / 100 : all;
}

static inline bool all_bytes(const void *mem, size_t len, unsigned char value)
{
	const unsigned char *p = mem;

	return !len || (p[0] == value && !memcmp(p, p + 1, len - 1));
}

/* Runs @fn in a child; its result (0 to 255) or, negative, the signal that ended it. */
static inline int in_child(int (*fn)(void *), void *arg)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(fn(arg));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline int dev_alloc_flags(int fd, uint64_t size, uint64_t align, uint32_t flags,
				  struct aclkm_alloc *out)
{
	memset(out, 0, sizeof(*out));
	out->size = size;
	out->align = align;
	out->flags = flags;
	out->node = ACLKM_NODE_ANY;
	return dev_ioctl(fd, ACLKM_IOC_ALLOC, out);
}

/* What a debugger writes into a child that has inherited the mapping. */
static inline bool poked(char *mem)
{
	bool written;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, NULL, WUNTRACED) != pid)
		abort();
	written = !ptrace(PTRACE_POKEDATA, pid, mem, 1L);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return written;
}

/* S7: neither by mprotect() nor through the kernel's own ways to write. */
static inline bool stays_read_only(char *mem)
{
	char bytes[8] = "written";
	struct iovec from = { bytes, 8 }, to = { mem, 8 };
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	bool ok = true;

	ok &= mprotect(mem, PAGE, PROT_READ | PROT_WRITE) == -1 && errno == EACCES;
	ok &= process_vm_writev(getpid(), &from, 1, &to, 1, 0) < 0;
	ok &= pwrite(fd, bytes, 8, (uintptr_t)mem) < 0;
	ok &= !poked(mem);
	close(fd);
	return ok;
}

/* All of these ACLKM_FEATURE_* bits are set. */
static inline bool dev_has(int fd, uint64_t features)
{
	return (dev_info(fd).features & features) == features;
}

/*
 * As accounts_as(), but clean memory is not waited for: what was written and
 * freed may still be cleared in the background. Up to 10 s, for long pins.
 *
 * A region with any page that counts more, or fewer, references than the arena's
 * own is never given back, so this is also the proof of healthy page counts.
 */
static inline bool accounts_back(int fd, const struct aclkm_info *before)
{
	struct aclkm_info now;
	int tries;

	for (tries = 0; tries < 500; tries++) {
		now = dev_info(fd);
		if (now.free == before->free && now.largest_free == before->largest_free &&
		    now.held == before->held && now.nr_regions == before->nr_regions &&
		    now.pinned == before->pinned && now.total == before->total)
			return true;
		usleep(20 * 1000);
	}
	printf("# free %llu -> %llu, largest %llu -> %llu, held %llu -> %llu, regions %llu -> %llu, pinned %llu -> %llu\n",
	       before->free, now.free, before->largest_free, now.largest_free,
	       before->held, now.held, before->nr_regions, now.nr_regions,
	       before->pinned, now.pinned);
	return false;
}

/* A number of /proc/vmstat, /proc/meminfo or /proc/self/status; -1 if it is not there. */
static inline long long proc_number(const char *path, const char *name)
{
	size_t len = strlen(name);
	long long value = -1;
	char line[256];
	FILE *f = fopen(path, "r");

	while (f && value < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, len) && (line[len] == ' ' || line[len] == ':'))
			sscanf(line + len + 1, "%lld", &value);
	if (f)
		fclose(f);
	return value;
}

/* Pages that are pinned by pin_user_pages() now, in the whole guest. */
static inline long long pinned_pages(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);

	/* Each processor keeps some counts to itself until asked. */
	if (fd >= 0) {
		if (write(fd, "1", 1) != 1)
			perror("# stat_refresh");
		close(fd);
	}
	return proc_number("/proc/vmstat", "nr_foll_pin_acquired") -
	       proc_number("/proc/vmstat", "nr_foll_pin_released");
}

/*
 * A pattern that tells each byte's place: @at is the place of the first byte,
 * @seed makes patterns differ.
 */
static inline uint64_t pattern_word(uint64_t at, uint64_t seed)
{
	return (at / 8 + 1) * 0x9e3779b97f4a7c15ULL ^ seed * 0xd6e8feb86659fd93ULL;
}

static inline unsigned char pattern_byte(uint64_t at, uint64_t seed)
{
	return pattern_word(at, seed) >> at % 8 * 8;
}

static inline void pattern_fill(void *mem, uint64_t at, size_t len, uint64_t seed)
{
	unsigned char *p = mem;
	uint64_t word;

	for (; len && at % 8; len--, at++)
		*p++ = pattern_byte(at, seed);
	for (; len >= 8; len -= 8, at += 8, p += 8) {
		word = pattern_word(at, seed);
		memcpy(p, &word, 8);
	}
	for (; len; len--, at++)
		*p++ = pattern_byte(at, seed);
}

static inline bool pattern_is(const void *mem, uint64_t at, size_t len, uint64_t seed)
{
	const unsigned char *p = mem;
	uint64_t word;

	for (; len && at % 8; len--, at++)
		if (*p++ != pattern_byte(at, seed))
			return false;
	for (; len >= 8; len -= 8, at += 8, p += 8) {
		memcpy(&word, p, 8);
		if (word != pattern_word(at, seed))
			return false;
	}
	for (; len; len--, at++)
		if (*p++ != pattern_byte(at, seed))
			return false;
	return true;
}

/* madvise() for the page size; a kernel without transparent huge pages has but one. */
static inline int advise_page_size(void *mem, size_t len, int advice)
{
	if (access("/sys/kernel/mm/transparent_hugepage", F_OK))
		return 0;
	return madvise(mem, len, advice);
}

#endif /* ACLKM_SELFTEST_COMMON_H */
