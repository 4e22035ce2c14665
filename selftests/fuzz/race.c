// SPDX-License-Identifier: GPL-2.0
/*
 * Threads of two users that call the driver on one open file, with the same few handles,
 * at the same time, some calls as 32-bit programs make them, while signals interrupt
 * them. No model can say what each call answers; the kernel must not complain, and the
 * accounts must come back.
 */
#include "fuzz.h"
#include "call32.h"
#include "../kmod/admin.h"
#include "../kmod/dmabuf.h"

#include <pthread.h>
#include <sys/time.h>

#define THREADS 3
#define OTHERS 2
#define CALLS 64
#define SHARED_HANDLES 8

unsigned long race_calls;

struct racer {
	pthread_t thread;
	int fd;
	void *low; /* below 4 GiB, for 32-bit calls; NULL where there are none */
	uint64_t state;
};

static uint64_t next(struct racer *r)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return r->state * 0x2545F4914F6CDD1DULL >> 8;
}

static void race_alloc(struct racer *r)
{
	struct aclkm_alloc alloc;

	dev_alloc(r->fd, (1 + next(r) % 64) * PAGE, 1ULL << next(r) % 22, &alloc);
}

static void race_free(struct racer *r)
{
	dev_free(r->fd, 1 + next(r) % SHARED_HANDLES);
}

static void race_query(struct racer *r)
{
	struct aclkm_query query;

	dev_query(r->fd, 1 + next(r) % SHARED_HANDLES, &query);
}

static void race_info(struct racer *r)
{
	dev_info(r->fd);
}

static void race_map(struct racer *r)
{
	size_t len = (1 + next(r) % 64) * PAGE;
	uint64_t handle = 1 + next(r) % SHARED_HANDLES;
	volatile unsigned char *p = dev_map(r->fd, handle << 40, len);
	uint64_t i;

	if (p == MAP_FAILED)
		return;
	for (i = 0; i < len; i += PAGE)
		p[i] = handle;
	if (next(r) % 2)
		madvise((void *)p, len, MADV_DONTNEED);
	p[0] = 1;
	munmap((void *)p, len);
}

/* The dma-buf and what is imported of it may outlive the region's handle. */
static void race_share(struct racer *r)
{
	int buf = dev_export(r->fd, 1 + next(r) % SHARED_HANDLES, 0, 0, ACLKM_EXPORT_CLOEXEC);
	struct aclkm_import import;
	volatile unsigned char *p;

	if (buf < 0)
		return;
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, buf, 0);
	if (next(r) % 2 && !dev_import(r->fd, buf, &import) && next(r) % 2)
		dev_free(r->fd, import.handle);
	close(buf);
	if (p != MAP_FAILED) {
		*p = 2;
		munmap((void *)p, PAGE);
	}
}

static void race_sync(struct racer *r)
{
	uint32_t when = next(r) % 2 ? ACLKM_SYNC_START : ACLKM_SYNC_END;

	dev_sync(r->fd, 1 + next(r) % SHARED_HANDLES, ACLKM_SYNC_READ | when, 0, PAGE);
}

#define PIN_PAGES 16

static unsigned char pin_memory[PIN_PAGES * PAGE] __attribute__((aligned(PAGE)));

static void race_pin(struct racer *r)
{
	uint64_t first = next(r) % PIN_PAGES;
	struct aclkm_pin pin = { .addr = (uintptr_t)pin_memory + first * PAGE,
				 .len = (1 + next(r) % (PIN_PAGES - first)) * PAGE,
				 .flags = next(r) % 2 ? ACLKM_PIN_READ_ONLY : 0 };

	if (!dev_ioctl(r->fd, ACLKM_IOC_PIN, &pin) && next(r) % 2)
		dev_free(r->fd, pin.handle);
}

/* The pages go, and others come, under those who pin or have pinned them. */
static void race_repage(struct racer *r)
{
	void *page = pin_memory + next(r) % PIN_PAGES * PAGE;

	if (next(r) % 2)
		madvise(page, PAGE, MADV_DONTNEED);
	else
		mmap(page, PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

/* What a region's mapping shows, pinned while another thread unmaps and frees it. */
static void race_pin_region(struct racer *r)
{
	uint64_t handle = 1 + next(r) % SHARED_HANDLES;
	void *mem = dev_map(r->fd, handle << 40, PAGE);
	struct aclkm_pin pin = { .addr = (uintptr_t)mem, .len = PAGE };

	if (mem == MAP_FAILED)
		return;
	if (!dev_ioctl(r->fd, ACLKM_IOC_PIN, &pin) && next(r) % 4)
		dev_free(r->fd, pin.handle);
	munmap(mem, PAGE);
}

static void race_phys(struct racer *r)
{
	struct aclkm_phys_extent extents[4];
	struct aclkm_phys phys = { .handle = 1 + next(r) % SHARED_HANDLES, .count = next(r) % 5,
				   .first = next(r) % 3, .extents = (uintptr_t)extents };

	dev_ioctl(r->fd, ACLKM_IOC_PHYS, &phys);
}

/* A 32-bit program's ALLOC, mmap2 and FREE. */
static void race_32(struct racer *r)
{
	struct aclkm_alloc *alloc = r->low;
	struct aclkm_free *req = r->low;
	volatile char *mem;

	if (!alloc)
		return;
	*alloc = (struct aclkm_alloc){ .size = PAGE, .node = ACLKM_NODE_ANY };
	if (call32(CALL32_IOCTL, r->fd, ACLKM_IOC_ALLOC, (uintptr_t)alloc, 0, 0, 0))
		return;
	mem = (void *)(uintptr_t)call32(CALL32_MMAP2, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
					r->fd, alloc->offset / PAGE);
	if ((uintptr_t)mem < -PAGE && (uintptr_t)mem > PAGE) {
		*mem = 3;
		munmap((void *)mem, PAGE);
	}
	*req = (struct aclkm_free){ .handle = alloc->handle };
	call32(CALL32_IOCTL, r->fd, ACLKM_IOC_FREE, (uintptr_t)req, 0, 0, 0);
}

/* Add new calls here; the model's side is in ops.c. */
static void (*const calls[])(struct racer *r) = {
	race_alloc, race_alloc, race_free, race_query, race_info, race_map,
	race_share, race_share, race_sync, race_pin, race_pin, race_repage, race_pin_region,
	race_phys, race_32,
};

static void *racer_main(void *arg)
{
	struct racer *r = arg;
	int i;

	for (i = 0; i < CALLS; i++)
		calls[next(r) % (sizeof(calls) / sizeof(*calls))](r);
	return NULL;
}

static void run_threads(int fd, uint64_t seed, int n)
{
	struct racer racers[THREADS];
	int i;

	for (i = 0; i < n; i++) {
		racers[i].fd = fd;
		racers[i].low = call32_works() ? call32_memory(PAGE) : NULL;
		racers[i].state = seed * THREADS + i + 1;
		if (pthread_create(&racers[i].thread, NULL, racer_main, &racers[i]))
			abort();
	}
	for (i = 0; i < n; i++) {
		pthread_join(racers[i].thread, NULL);
		if (racers[i].low)
			munmap(racers[i].low, PAGE);
	}
}

/* Another user: on the file that was passed to it, and on one of its own. */
static void other_user(int fd, uint64_t seed)
{
	int own;

	if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
		_exit(1);
	own = dev_open(O_RDWR);
	run_threads(seed % 2 && own >= 0 ? own : fd, seed, OTHERS);
	_exit(0);
}

/* What was pinned or held by threads that died comes back a moment later. */
static void race_settle(struct world *w)
{
	int tries;

	for (tries = 0; tries < 200; tries++) {
		struct aclkm_info now = dev_info(w->control);

		if (now.free == w->base.free && !now.held && now.pinned == w->base.pinned)
			break;
		usleep(10 * 1000);
	}
	world_check(w);
}

static void ignore(int sig)
{
}

/* Signals that end no call for ever: every one that sleeps must cope. */
static void interrupt(suseconds_t every)
{
	struct sigaction act = { .sa_handler = ignore };
	struct itimerval timer = { { 0, every }, { 0, every } };

	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

void race_burst(struct world *w, uint64_t seed)
{
	int fd = dev_open(O_RDWR), status;
	pid_t pid;

	if (fd < 0)
		wrong("open: %d", fd);
	fflush(NULL);
	/* The other user opens one, too. */
	chmod(ACLKM_DEVICE_PATH, 0666);
	pid = fork();
	if (!pid)
		other_user(fd, seed + 1);
	interrupt(300);
	run_threads(fd, seed, THREADS);
	/* Killed while its threads are inside calls. */
	if (seed % 3 == 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	interrupt(0);
	close(fd);
	if (!(WIFEXITED(status) && !WEXITSTATUS(status)) &&
	    !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
		wrong("the other user's racers ended with status %#x", status);
	race_calls += (THREADS + OTHERS) * CALLS;
	race_settle(w);
}
