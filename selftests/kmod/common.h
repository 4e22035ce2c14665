/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of /dev/aclkm share: the calls, the accounts, a few ways to look. */
#ifndef ACLKM_SELFTEST_COMMON_H
#define ACLKM_SELFTEST_COMMON_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
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

#endif /* ACLKM_SELFTEST_COMMON_H */
