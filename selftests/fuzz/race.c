// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that call the driver on one open file, with the same few handles, at
 * the same time. No model can say what each call answers; the kernel must not
 * complain, and the accounts must come back.
 */
#include "fuzz.h"
#include "../kmod/dmabuf.h"

#include <pthread.h>

#define THREADS 3
#define CALLS 64
#define SHARED_HANDLES 8

unsigned long race_calls;

struct racer {
	pthread_t thread;
	int fd;
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

static void race_pin(struct racer *r)
{
	static unsigned char memory[4 * PAGE] __attribute__((aligned(PAGE)));
	struct aclkm_pin pin = { .addr = (uintptr_t)memory, .len = (1 + next(r) % 4) * PAGE };

	if (!dev_ioctl(r->fd, ACLKM_IOC_PIN, &pin) && next(r) % 2)
		dev_free(r->fd, pin.handle);
}

/* Add new calls here; the model's side is in ops.c. */
static void (*const calls[])(struct racer *r) = {
	race_alloc, race_alloc, race_free, race_query, race_info, race_map,
	race_share, race_share, race_sync, race_pin,
};

static void *racer_main(void *arg)
{
	struct racer *r = arg;
	int i;

	for (i = 0; i < CALLS; i++)
		calls[next(r) % (sizeof(calls) / sizeof(*calls))](r);
	return NULL;
}

void race_burst(struct world *w, uint64_t seed)
{
	struct racer racers[THREADS];
	int fd = dev_open(O_RDWR), i;

	if (fd < 0)
		wrong("open: %d", fd);
	for (i = 0; i < THREADS; i++) {
		racers[i].fd = fd;
		racers[i].state = seed * THREADS + i + 1;
		if (pthread_create(&racers[i].thread, NULL, racer_main, &racers[i]))
			abort();
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(racers[i].thread, NULL);
	close(fd);
	race_calls += THREADS * CALLS;
	world_check(w);
}
