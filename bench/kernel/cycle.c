// SPDX-License-Identifier: MIT
/*
 * What it costs to get device memory and give it back, for aclkm and for what
 * else the kernel has: allocate, map, touch one byte, unmap, free. And what one
 * allocation costs when the free memory is in many pieces.
 *
 * For a guest whose clock counts instructions (-icount shift=0), with one
 * processor. Two figures for each cycle, both in instructions:
 *
 *   thread  processor time of the calling thread, from the first call to the last
 *   whole   all that any thread of the guest did from then on until the memory
 *           is clean again, so what is done in the background counts as well
 *
 * The second comes from a thread of the lowest priority that takes all time left
 * over: elapsed time less its own. A cycle of nothing is subtracted from both.
 *
 * usage: cycle [CMA-HEAP [cycles|pieces|own]]      own: the cycles of aclkm alone
 *
 * Prints tab-separated lines for run.sh:
 *   cycle   name  size  thread  whole  rounds  least thread  most thread
 *   pieces  free pieces  what  thread
 *   note    text
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/aclkm.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>

#define KIB 1024ULL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define PAGE 4096ULL
#define MAX_ROUNDS 64
/* A little more than a timer tick of HZ=250, in ns. */
#define TICK 5000000

#ifndef MFD_HUGETLB
#define MFD_HUGETLB 4U
#endif
#define MFD_2M (21U << 26)
#define MFD_1G (30U << 26)

struct backend {
	const char *name;
	int (*cycle)(struct backend *b, uint64_t size);
	const char *path;     /* opened once, if it is set */
	unsigned int flags;   /* of the memfd, or of ALLOC */
	uint64_t page;	      /* sizes are rounded up to this */
	uint64_t least, most; /* sizes it is asked for */
	int fd;
};

/* -------------------------------------------------------------------- clocks */

static volatile bool stop;
static clockid_t spinner_clock;
static pthread_t spinner;

static int64_t ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *spin(void *arg)
{
	struct sched_param param = {};

	(void)arg;
	if (sched_setscheduler(0, SCHED_IDLE, &param))
		perror("SCHED_IDLE");
	while (!stop)
		;
	return NULL;
}

/* The file of the driver whose background work is waited for, or -1. */
static int scrubbed = -1;

static bool clean(void)
{
	struct aclkm_info info = {};

	return ioctl(scrubbed, ACLKM_IOC_INFO, &info) ||
	       (info.clean == info.free && !info.held);
}

/* What a pause costs in itself: the clock's interrupts, and the look at the driver. */
static int64_t pause_cost;

/* Some time for what is put off, then until free memory is clean. How many pauses. */
static int settle(long ns_at_least)
{
	struct timespec pause = {0, ns_at_least};
	int tries = 0;

	do
		nanosleep(&pause, NULL);
	while (scrubbed >= 0 && !clean() && ++tries < 10000);
	if (tries == 10000)
		printf("note\tfree memory did not become clean in time\n");
	return tries + 1;
}

/* What anybody does in so many pauses without work. */
static int64_t busy_in_pauses(int pauses)
{
	int64_t other = ns(spinner_clock), begin = ns(CLOCK_MONOTONIC), end;
	struct timespec pause = {0, TICK};

	while (pauses--) {
		nanosleep(&pause, NULL);
		clean();
	}
	end = ns(CLOCK_MONOTONIC);
	return end - begin - (ns(spinner_clock) - other);
}

struct figures {
	int64_t thread, whole, least, most;
};

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int64_t median(int64_t *values, int count)
{
	qsort(values, count, sizeof(*values), by_value);
	return values[count / 2];
}

/*
 * Median of some rounds after one that is not counted; 0 or a negative errno. A round
 * is one cycle for the thread's figure, @batch for the other: so much is small beside
 * the pauses until the memory is clean.
 */
static int measure(struct backend *b, uint64_t size, int rounds, int batch,
		   struct figures *out)
{
	int64_t thread[MAX_ROUNDS], whole[MAX_ROUNDS];
	int i, k, err, pauses;

	for (i = -1; i < rounds; i++) {
		int64_t cpu, other, begin, end;

		settle(TICK);
		other = ns(spinner_clock);
		begin = ns(CLOCK_MONOTONIC);
		cpu = ns(CLOCK_THREAD_CPUTIME_ID);
		err = b->cycle(b, size);
		cpu = ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
		for (k = 1; k < batch && !err; k++)
			err = b->cycle(b, size);
		if (err)
			return err;
		pauses = settle(TICK);
		end = ns(CLOCK_MONOTONIC);
		other = ns(spinner_clock) - other;
		if (i < 0)
			continue;
		thread[i] = cpu;
		whole[i] = (end - begin - other - (pauses - 1) * pause_cost) / batch;
	}
	out->thread = median(thread, rounds);
	out->least = thread[0];
	out->most = thread[rounds - 1];
	out->whole = median(whole, rounds);
	return 0;
}

/* -------------------------------------------------------------------- cycles */

static int nothing(struct backend *b, uint64_t size)
{
	(void)b;
	(void)size;
	return 0;
}

static int touch(int fd, uint64_t size, uint64_t offset)
{
	volatile char *mem =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);

	if (mem == MAP_FAILED)
		return -errno;
	mem[size / 2] = 1;
	return munmap((void *)mem, size) ? -errno : 0;
}

static int aclkm_cycle(struct backend *b, uint64_t size)
{
	struct aclkm_alloc alloc = {
		.size = size, .node = ACLKM_NODE_ANY, .flags = b->flags};
	struct aclkm_free req = {};
	int err;

	if (ioctl(b->fd, ACLKM_IOC_ALLOC, &alloc))
		return -errno;
	err = touch(b->fd, size, alloc.offset);
	req.handle = alloc.handle;
	if (ioctl(b->fd, ACLKM_IOC_FREE, &req))
		return -errno;
	return err;
}

static int heap_cycle(struct backend *b, uint64_t size)
{
	struct dma_heap_allocation_data req = {.len = size,
					       .fd_flags = O_RDWR | O_CLOEXEC};
	int err;

	if (ioctl(b->fd, DMA_HEAP_IOCTL_ALLOC, &req))
		return -errno;
	err = touch(req.fd, size, 0);
	close(req.fd);
	return err;
}

static int memfd_cycle(struct backend *b, uint64_t size)
{
	int err, fd = memfd_create("bench", MFD_CLOEXEC | b->flags);

	if (fd < 0)
		return -errno;
	err = ftruncate(fd, size) ? -errno : touch(fd, size, 0);
	close(fd);
	return err;
}

static int udmabuf_cycle(struct backend *b, uint64_t size)
{
	struct udmabuf_create req = {.flags = UDMABUF_FLAGS_CLOEXEC, .size = size};
	int err = 0, buf = -1;

	req.memfd = memfd_create("bench", MFD_CLOEXEC | MFD_ALLOW_SEALING | b->flags);
	if ((int)req.memfd < 0)
		return -errno;
	if (ftruncate(req.memfd, size) || fcntl(req.memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		err = -errno;
	if (!err) {
		buf = ioctl(b->fd, UDMABUF_CREATE, &req);
		err = buf < 0 ? -errno : touch(buf, size, 0);
	}
	close(buf);
	close(req.memfd);
	return err;
}

/* ------------------------------------------------------------- the comparison */

static struct backend aclkm = {
	.name = "aclkm", .cycle = aclkm_cycle, .path = ACLKM_DEVICE_PATH, .page = PAGE};

static struct backend others[] = {
	{.name = "aclkm, HUGE_1G",
	 .cycle = aclkm_cycle,
	 .path = ACLKM_DEVICE_PATH,
	 .flags = ACLKM_ALLOC_HUGE_1G,
	 .page = GIB,
	 .least = GIB},
	{.name = "system heap",
	 .cycle = heap_cycle,
	 .path = "/dev/dma_heap/system",
	 .page = PAGE},
	{.name = "CMA heap",
	 .cycle = heap_cycle,
	 .path = "/dev/dma_heap/reserved",
	 .page = PAGE},
	{.name = "udmabuf, memfd",
	 .cycle = udmabuf_cycle,
	 .path = "/dev/udmabuf",
	 .page = PAGE},
	{.name = "udmabuf, hugetlb memfd",
	 .cycle = udmabuf_cycle,
	 .path = "/dev/udmabuf",
	 .flags = MFD_HUGETLB | MFD_2M,
	 .page = 2 * MIB},
	{.name = "hugetlbfs memfd, 2 MiB",
	 .cycle = memfd_cycle,
	 .flags = MFD_HUGETLB | MFD_2M,
	 .page = 2 * MIB},
	{.name = "hugetlbfs memfd, 1 GiB",
	 .cycle = memfd_cycle,
	 .flags = MFD_HUGETLB | MFD_1G,
	 .page = GIB,
	 .least = GIB},
};

static const struct {
	uint64_t size;
	int rounds;
	int batch;
} sizes[] = {
	{4 * KIB, 15, 64},
	{2 * MIB, 15, 1},
	{64 * MIB, 5, 1},
	{GIB, 3, 1},
};

static void compare(struct backend *b, const struct figures *null)
{
	struct figures f;
	uint64_t size;
	int i, err;

	b->fd = b->path ? open(b->path, O_RDWR | O_CLOEXEC) : -1;
	for (i = 0; i < (int)(sizeof(sizes) / sizeof(sizes[0])); i++) {
		if (sizes[i].size < b->least)
			continue;
		size = (sizes[i].size + b->page - 1) & -b->page;
		err = b->path && b->fd < 0
			      ? -ENODEV
			      : measure(b, size, sizes[i].rounds, sizes[i].batch, &f);
		if (err)
			printf("cycle\t%s\t%llu\t-\t%s\n", b->name,
			       (unsigned long long)sizes[i].size, strerror(-err));
		else
			printf("cycle\t%s\t%llu\t%lld\t%lld\t%d\t%lld\t%lld\n", b->name,
			       (unsigned long long)sizes[i].size,
			       (long long)(f.thread - null->thread),
			       (long long)(f.whole - null->whole / sizes[i].batch),
			       sizes[i].rounds, (long long)(f.least - null->thread),
			       (long long)(f.most - null->thread));
	}
	if (b->fd >= 0)
		close(b->fd);
}

/* ---------------------------------------------------------------- many pieces */

struct request {
	const char *what;
	uint64_t size, align;
};

static const struct request requests[] = {
	{"4 KiB, fits a piece", PAGE, 0},
	{"64 KiB, fits only the rest", 64 * KIB, 0},
	{"2 MiB aligned to 2 MiB", 2 * MIB, 2 * MIB},
};

static int alloc_free(int fd, const struct request *r, int64_t *cpu)
{
	struct aclkm_alloc alloc = {
		.size = r->size, .align = r->align, .node = ACLKM_NODE_ANY};
	struct aclkm_free req = {};
	int64_t begin = ns(CLOCK_THREAD_CPUTIME_ID);

	if (ioctl(fd, ACLKM_IOC_ALLOC, &alloc))
		return -errno;
	req.handle = alloc.handle;
	if (ioctl(fd, ACLKM_IOC_FREE, &req))
		return -errno;
	*cpu = ns(CLOCK_THREAD_CPUTIME_ID) - begin;
	return 0;
}

/* @count pieces of one page, each between two regions, and a large rest. */
static int fragmented(int count)
{
	struct aclkm_alloc alloc;
	struct aclkm_free req = {};
	uint32_t *handles = malloc(2 * count * sizeof(*handles));
	int64_t cpu[31];
	int fd = open(ACLKM_DEVICE_PATH, O_RDWR | O_CLOEXEC), i, k, err = 0;

	if (!handles || fd < 0)
		return -ENOMEM;
	for (i = 0; i < 2 * count; i++) {
		alloc = (struct aclkm_alloc){.size = PAGE, .node = ACLKM_NODE_ANY};
		if (ioctl(fd, ACLKM_IOC_ALLOC, &alloc)) {
			err = -errno;
			goto out;
		}
		handles[i] = alloc.handle;
	}
	for (i = 0; i < 2 * count; i += 2) {
		req.handle = handles[i];
		if (ioctl(fd, ACLKM_IOC_FREE, &req))
			abort();
	}
	for (k = 0; k < (int)(sizeof(requests) / sizeof(requests[0])); k++) {
		for (i = -1; i < 31; i++) {
			int64_t one = 0;

			settle(TICK / 5);
			err = alloc_free(fd, &requests[k], &one);
			if (err)
				goto out;
			if (i >= 0)
				cpu[i] = one;
		}
		printf("pieces\t%d\t%s\t%lld\n", count, requests[k].what,
		       (long long)median(cpu, 31));
	}
out:
	close(fd);
	free(handles);
	return err;
}

int main(int argc, char **argv)
{
	struct backend null = {.name = "nothing", .cycle = nothing};
	struct aclkm_info info = {};
	struct figures base;
	const char *only;
	int i, err;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1)
		others[2].path = argv[1];
	only = argc > 2 ? argv[2] : "";
	/* A driver that does not clear in the background never says that all is clean. */
	scrubbed = open(ACLKM_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	if (scrubbed < 0 || ioctl(scrubbed, ACLKM_IOC_INFO, &info)) {
		perror(ACLKM_DEVICE_PATH);
		return 1;
	}
	for (i = 0; i < 300 && !clean(); i++)
		usleep(100 * 1000);
	if (!clean()) {
		printf("note\tthis driver clears no memory in the background\n");
		close(scrubbed);
		scrubbed = -1;
	}

	if (pthread_create(&spinner, NULL, spin, NULL) ||
	    pthread_getcpuclockid(spinner, &spinner_clock))
		return 1;
	/* Until nothing of the boot is left that would be taken for the cycle's. */
	for (i = 0, base.whole = 0; i < 100; i++) {
		int64_t last = base.whole;

		if (measure(&null, PAGE, 15, 1, &base))
			return 1;
		if (base.whole < 100000 && llabs(base.whole - last) < base.whole / 10)
			break;
	}
	printf("note\ta cycle of nothing: thread %lld, whole %lld, subtracted\n",
	       (long long)base.thread, (long long)base.whole);
	pause_cost = (busy_in_pauses(201) - busy_in_pauses(1)) / 200;
	if (strcmp(only, "pieces"))
		compare(&aclkm, &base);
	for (i = 0; strcmp(only, "pieces") && strcmp(only, "own") &&
		    i < (int)(sizeof(others) / sizeof(others[0]));
	     i++)
		compare(&others[i], &base);
	for (i = 10; strcmp(only, "cycles") && strcmp(only, "own") && i <= 100000;
	     i *= 10) {
		if (i == 100)
			continue;
		err = fragmented(i);
		if (err)
			printf("note\t%d pieces: %s\n", i, strerror(-err));
	}
	stop = true;
	pthread_join(spinner, NULL);
	return 0;
}
