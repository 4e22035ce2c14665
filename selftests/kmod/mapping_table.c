// SPDX-License-Identifier: GPL-2.0
/*
 * What mapping and touching 1 GiB costs in each mode, and whether the kernel can
 * take its pages: one line for each mode, fields separated by tabs, for
 * table.sh. The faults are the process's own count, the page tables what
 * /proc/self/status says of them. O_DIRECT moves all of it to /dev/vda and back,
 * compared through the page cache; the disk is overwritten.
 *
 * Fields: mode, bytes that the largest entries cover (QUERY), faults, KiB of
 * page tables, gup (yes or no, QUERY), MiB moved and verified, or the error.
 */
#include "common.h"
#include <linux/fs.h>
#include <sys/resource.h>

#define DISK "/dev/vda"
#define SIZE GIB
#define CHUNK (32 * MIB)

struct mode {
	const char *name;
	uint32_t flags;
	uint64_t feature;
};

static const struct mode modes[] = {
	{ "SMALL", ACLKM_ALLOC_SMALL, ACLKM_FEATURE_HUGE_2M },
	{ "default", 0, 0 },
	{ "HUGE_2M", ACLKM_ALLOC_HUGE_2M, ACLKM_FEATURE_HUGE_2M },
	{ "HUGE_1G", ACLKM_ALLOC_HUGE_1G, ACLKM_FEATURE_HUGE_1G },
	{ "WC", ACLKM_ALLOC_WC, ACLKM_FEATURE_CACHE },
	{ "UC", ACLKM_ALLOC_UC, ACLKM_FEATURE_CACHE },
};

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

struct disk {
	int direct, cached;
	uint64_t size;
	char *copy;
};

/* MiB moved and found right, or -errno. */
static long move_all(const struct disk *d, char *mem)
{
	uint64_t at, place;
	long moved = 0;

	pattern_fill(mem, 0, SIZE, 1);
	for (at = 0; at < SIZE; at += CHUNK) {
		place = at % (d->size / CHUNK * CHUNK);
		if (pwrite(d->direct, mem + at, CHUNK, place) != CHUNK)
			return -errno;
		posix_fadvise(d->cached, place, CHUNK, POSIX_FADV_DONTNEED);
		if (pread(d->cached, d->copy, CHUNK, place) != CHUNK)
			return -errno;
		if (!pattern_is(d->copy, at, CHUNK, 1))
			return -EILSEQ;
		pattern_fill(d->copy, at, CHUNK, 2);
		if (pwrite(d->cached, d->copy, CHUNK, place) != CHUNK || fsync(d->cached))
			return -errno;
		if (pread(d->direct, mem + at, CHUNK, place) != CHUNK)
			return -errno;
		moved += 2 * CHUNK / MIB;
	}
	return pattern_is(mem, 0, SIZE, 2) ? moved : -EILSEQ;
}

static int one_mode(int fd, const struct mode *mode, const struct disk *d)
{
	volatile unsigned char *p;
	struct aclkm_alloc alloc;
	struct aclkm_query query;
	long long tables;
	long count, moved;
	uint64_t at;
	char *mem;
	int err;

	if (!dev_has(fd, mode->feature)) {
		printf("%s\t-\t-\t-\t-\tnot in this driver\n", mode->name);
		return 0;
	}
	err = dev_alloc_flags(fd, SIZE, 0, mode->flags, &alloc);
	if (err) {
		fprintf(stderr, "%s: ALLOC of 1 GiB: %s\n", mode->name, strerror(-err));
		return 1;
	}
	if (dev_query(fd, alloc.handle, &query))
		abort();
	tables = proc_number("/proc/self/status", "VmPTE");
	count = faults();
	mem = dev_map(fd, alloc.offset, SIZE);
	if (mem == MAP_FAILED) {
		fprintf(stderr, "%s: mmap of 1 GiB: %s\n", mode->name, strerror(errno));
		return 1;
	}
	p = (unsigned char *)mem;
	for (at = 0; at < SIZE; at += PAGE)
		p[at] = 1;
	count = faults() - count;
	tables = proc_number("/proc/self/status", "VmPTE") - tables;
	moved = move_all(d, mem);
	munmap(mem, SIZE);
	if (dev_free(fd, alloc.handle))
		abort();
	/* A driver without huge entries says it once for all. */
	if (!dev_has(fd, ACLKM_FEATURE_HUGE_2M) && dev_has(fd, ACLKM_FEATURE_GUP))
		query.flags |= ACLKM_QUERY_GUP;

	printf("%s\t%llu\t%ld\t%lld\t%s\t", mode->name, query.map_page, count, tables,
	       query.flags & ACLKM_QUERY_GUP ? "yes" : "no");
	if (moved == -EFAULT && !(query.flags & ACLKM_QUERY_GUP))
		printf("refused (EFAULT)\n");
	else if (moved < 0)
		printf("FAILED: %s\n", strerror(-moved));
	else
		printf("%ld\n", moved);
	/* What QUERY says must be so, and huge entries must have been used. */
	return (moved > 0) != !!(query.flags & ACLKM_QUERY_GUP) ||
	       (query.map_page > PAGE && count > SIZE / query.map_page);
}

int main(void)
{
	struct aclkm_info before;
	struct disk d = {};
	int i, failed = 0, fd = dev_open(O_RDWR);

	setvbuf(stdout, NULL, _IOLBF, 0);
	d.direct = open(DISK, O_RDWR | O_DIRECT | O_CLOEXEC);
	d.cached = open(DISK, O_RDWR | O_CLOEXEC);
	if (fd < 0 || d.direct < 0 || d.cached < 0 || ioctl(d.cached, BLKGETSIZE64, &d.size) ||
	    d.size < CHUNK) {
		fprintf(stderr, "needs " ACLKM_DEVICE_PATH " and a disk as " DISK "\n");
		return 1;
	}
	d.copy = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (d.copy == MAP_FAILED)
		return 1;
	before = dev_info(fd);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		failed |= one_mode(fd, &modes[i], &d);
		if (!accounts_back(fd, &before)) {
			fprintf(stderr, "%s: the accounts did not come back\n", modes[i].name);
			failed = 1;
		}
	}
	return failed;
}
