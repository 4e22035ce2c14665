// SPDX-License-Identifier: GPL-2.0
/* Which instrumented places of the module the calls of this thread reach. */
#include "fuzz.h"

#include <linux/kcov.h>

#define COVER_WORDS (1UL << 16)
#define TABLE (1UL << 16)

/* Open addressing, zero is an empty slot. */
struct set {
	uint64_t slots[TABLE];
	unsigned int count;
};

static int fd = -1;
static uint64_t *cover;
/* Places, which are reported; and which comes after which, which steers. */
static struct set places, steps;

/* Without KCOV everything works but the steering. */
bool kcov_open(void)
{
	fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (ioctl(fd, KCOV_INIT_TRACE, COVER_WORDS))
		goto fail;
	cover = mmap(NULL, COVER_WORDS * sizeof(*cover), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (cover == MAP_FAILED)
		goto fail;
	if (ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC))
		goto fail;
	return true;
fail:
	cover = NULL;
	close(fd);
	fd = -1;
	return false;
}

void kcov_begin(void)
{
	if (cover)
		__atomic_store_n(&cover[0], 0, __ATOMIC_RELAXED);
}

static bool add(struct set *set, uint64_t value)
{
	uint64_t i = (value * 0x9E3779B97F4A7C15ULL) >> 48;

	for (;; i = (i + 1) % TABLE) {
		if (set->slots[i] == value)
			return false;
		if (!set->slots[i])
			break;
	}
	/* The module has some thousand places; a full table would never end the search. */
	if (set->count == TABLE / 2)
		return false;
	set->slots[i] = value;
	set->count++;
	return true;
}

unsigned int kcov_end(void)
{
	unsigned int new = 0;
	uint64_t i, n;

	if (!cover)
		return 0;
	n = __atomic_load_n(&cover[0], __ATOMIC_RELAXED);
	for (i = 1; i <= n && i < COVER_WORDS; i++) {
		add(&places, cover[i]);
		new += add(&steps, cover[i] ^ (i > 1 ? cover[i - 1] << 1 : 0));
	}
	return new;
}

unsigned int kcov_total(void)
{
	return places.count;
}

void kcov_print(void)
{
	unsigned long i;

	for (i = 0; i < TABLE; i++)
		if (places.slots[i])
			printf("# place %#llx\n", (unsigned long long)places.slots[i]);
}
