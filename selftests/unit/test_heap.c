// SPDX-License-Identifier: MIT
/* Small blocks: classes, threads' stacks, frees across threads, what is kept. */
#include "alloc/alloc.h"
#include "client.h"
#include "base/base.h"

#include <sys/wait.h>
#include <unistd.h>

#define P(p) ((void **)&(p))

static void test_classes(void)
{
	bool fits = true, near = true, aligned = true, exact = true;
	uint32_t units;
	uint64_t align;
	int i;

	classes_init();
	for (units = 1; units <= SMALL_UNITS; units++) {
		uint32_t size = units * CLASS_UNIT,
			 got = classes[class_of_units[units]].size;

		fits = fits && got >= size;
		near = near && got - size <= size / 32;
		exact = exact && (size > EXACT_MAX || got == size);
		exact = exact && (size > EXACT_MAX || class_of_units[units] == units - 1);
		for (align = 64; align <= SMALL_ALIGN; align *= 2)
			aligned = aligned && (size % align || got % align == 0);
	}
	ok(fits, "every size has a class that holds it");
	ok(exact, "to 8 KiB each multiple of 64 is a class");
	ok(near, "above, a class is at most 1/32 longer");
	ok(aligned, "a size that is a multiple of its alignment has such a class");
	is(classes[CLASSES - 1].size, SMALL_MAX, "the last class is the largest size");
	for (i = 0, fits = true; i < CLASSES; i++)
		fits = fits && classes[i].span % GRANULE == 0 &&
		       classes[i].span / classes[i].size <= SLAB_SLOTS &&
		       classes[i].keep <= CACHE_MAX && classes[i].batch >= 4 &&
		       classes[i].batch <= BATCH_MAX;
	ok(fits, "slabs and stacks have room for each class");
}

/* Which block of a slab an address is in, against division, for every class. */
static void test_index(void)
{
	struct slab slab = {0};
	bool same = true, holds = true, outside = true;
	uint64_t at, offset, index;
	int i;

	for (i = 0; i < CLASSES; i++) {
		uint32_t size = classes[i].size, span = classes[i].span;

		slab.base = 0x7f1234560000;
		slab.size = size;
		slab.slots = span / size;
		slab.magic = UINT64_MAX / size + 1;
		for (at = 0; at < span; at += at % 64 ? 31 : 1) {
			index = slab_index(&slab, slab.base + at, &offset);
			same = same && index == at / size && offset == at % size;
			holds = holds &&
				slab_holds(&slab, slab.base + at, &index) ==
					(at % size == 0 && at / size < slab.slots);
		}
		outside = outside && !slab_holds(&slab, slab.base - 1, &index) &&
			  !slab_holds(&slab, slab.base - size, &index) &&
			  !slab_holds(&slab, slab.base + (1ULL << 40), &index) &&
			  !slab_holds(&slab, 0, &index) &&
			  !slab_holds(&slab, UINT64_MAX, &index) &&
			  !slab_holds(&slab, slab.base + (uint64_t)slab.slots * size,
				      &index);
	}
	ok(same, "the index is the quotient, the offset the rest");
	ok(holds, "only starts of blocks are held");
	ok(outside, "nothing outside is");
}

static void *take(size_t size)
{
	void *p = NULL;

	if (aclkm_memory_alloc(size, 64, ACLKM_PAGES_NORMAL, &p))
		bail_out(aclkm_last_error());
	return p;
}

static uint64_t device_free(void)
{
	struct aclkm_memory_totals totals;

	aclkm_memory_totals(&totals);
	return totals.free;
}

/* Wrong frees of small blocks, when the thread has a stack and what is in it. */
static void test_wrong_frees(void)
{
	char *a = take(200), *b = take(200), *other = NULL;
	int err = aclrtMalloc(P(other), 200, ACL_MEM_MALLOC_NORMAL_ONLY);

	is(err, 0, "a block of another kind");
	is(aclkm_memory_free(a + 1), ACLKM_ERR_INTERIOR, "one byte in");
	is(aclkm_memory_free(a + 64), ACLKM_ERR_INTERIOR, "64 bytes in");
	is(aclkm_memory_free(other), ACLKM_ERR_KIND, "of another kind");
	is(aclrtFree(a), 107000, "the same the other way round");
	is(aclkm_memory_free(a), 0, "free");
	is(aclkm_memory_free(a), ACLKM_ERR_NOTALIVE, "again");
	is(aclkm_memory_free(a + 64), ACLKM_ERR_NOTALIVE, "inside of what is free");
	is(aclkm_memory_trim(0), 0, "trim");
	is(aclkm_memory_free(a), ACLKM_ERR_NOTALIVE, "again, after it left the stack");
	is(aclkm_memory_free(b), 0, "the other");
	is(aclrtFree(other), 0, "and the other kind");
	aclkm_memory_trim(0);
	err = aclkm_memory_free(b);
	ok(err == ACLKM_ERR_NOTALIVE || err == ACLKM_ERR_FOREIGN,
	   "again, after the memory may have gone (%d)", err);
}

/* Each block has its own bytes, whatever was freed in between. */
static void test_distinct(void)
{
	enum { N = 3000 };
	static unsigned char *blocks[N];
	static uint16_t sizes[N];
	unsigned int seed = 5, round, i, bad = 0;
	uint64_t before = device_free();

	for (round = 0; round < 60000; round++) {
		i = (unsigned int)rand_r(&seed) % N;
		if (blocks[i]) {
			bad += blocks[i][0] != (unsigned char)i ||
			       blocks[i][sizes[i] - 1] != (unsigned char)i;
			bad += aclkm_memory_free(blocks[i]) != 0;
			blocks[i] = NULL;
			continue;
		}
		sizes[i] = (uint16_t)(1 + (unsigned int)rand_r(&seed) %
						  (round % 8 ? 600 : 9000));
		blocks[i] = take(sizes[i]);
		bad += (uintptr_t)blocks[i] % 64 != 0;
		memset(blocks[i], (int)i, sizes[i]);
	}
	for (i = 0; i < N; i++) {
		if (blocks[i])
			bad += aclkm_memory_free(blocks[i]) != 0;
	}
	is(bad, 0, "60000 steps with small blocks");
	is(device_free(), before, "the device is as free as before");
}

#define HANDED 20000

struct handover {
	void *_Atomic slots[64];
	atomic_int failed;
};

static void *giver(void *arg)
{
	struct handover *h = arg;
	unsigned int i;

	for (i = 0; i < HANDED; i++) {
		void *_Atomic *slot = &h->slots[i % 64];
		void *p;

		while (!(p = atomic_exchange(slot, NULL)))
			sched_yield();
		if (((unsigned char *)p)[0] != (unsigned char)i || aclkm_memory_free(p))
			h->failed++;
	}
	return NULL;
}

static void test_handover(void)
{
	static struct handover h;
	uint64_t before = device_free();
	unsigned int i, seed = 3;
	pthread_t thread;

	if (pthread_create(&thread, NULL, giver, &h))
		bail_out("no thread");
	for (i = 0; i < HANDED; i++) {
		unsigned char *p = take(1 + (size_t)rand_r(&seed) % 5000);

		p[0] = (unsigned char)i;
		while (h.slots[i % 64])
			sched_yield();
		h.slots[i % 64] = p;
	}
	pthread_join(thread, NULL);
	is(h.failed, 0, "%d blocks freed by another thread", HANDED);
	is(device_free(), before, "the device is as free as before");
}

static void *ends_with_blocks(void *arg)
{
	void *blocks[300];
	int i;

	(void)arg;
	for (i = 0; i < 300; i++)
		blocks[i] = take(1000);
	for (i = 0; i < 300; i++)
		aclkm_memory_free(blocks[i]);
	return NULL;
}

/* What a thread kept is there for others, and does not grow with their number. */
static void test_thread_end(void)
{
	struct aclkm_memory_costs before, after;
	uint64_t free;
	int i;

	in_thread(ends_with_blocks, NULL);
	aclkm_memory_trim(0);
	free = device_free();
	aclkm_memory_costs(&before);
	for (i = 0; i < 50; i++)
		in_thread(ends_with_blocks, NULL);
	aclkm_memory_trim(0);
	aclkm_memory_costs(&after);
	is(after.threads, before.threads, "fifty threads use one cache after another");
	is(after.records, before.records, "and the same records");
	is(device_free(), free, "and leave nothing behind");
}

/* ------------------------------------------------ slabs of two threads at once */

#define APART 300
#define APART_SIZE 1000

static struct {
	pthread_barrier_t turn;
	void *mine[APART], *theirs[APART];
	bool whole; /* the thread takes all there is, and gives every other back */
	void **all;
	size_t n;
} apart;

static uintptr_t granule(const void *p)
{
	return (uintptr_t)p / GRANULE;
}

static bool shares(void *const *blocks, size_t n, const void *p)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (blocks[i] && granule(blocks[i]) == granule(p))
			return true;
	}
	return false;
}

static void *other_thread(void *arg)
{
	size_t i;

	(void)arg;
	for (i = 0; i < APART; i++) {
		pthread_barrier_wait(&apart.turn);
		apart.theirs[i] = take(APART_SIZE);
		pthread_barrier_wait(&apart.turn);
	}
	for (; apart.whole; apart.n++) {
		if (aclkm_memory_alloc(APART_SIZE, 64, ACLKM_PAGES_NORMAL,
				       &apart.all[apart.n]))
			break;
	}
	for (i = 0; i < apart.n; i += 2) {
		aclkm_memory_free(apart.all[i]);
		apart.all[i] = NULL;
	}
	pthread_barrier_wait(&apart.turn);
	pthread_barrier_wait(&apart.turn);
	return NULL;
}

/* Words of one slab that two threads write would make each wait for the other. */
static void test_apart(void)
{
	struct aclkm_memory_totals totals;
	size_t i, shared = 0, got = 0;
	pthread_t thread;
	void *p;

	if (guard_is_watched()) {
		skip("threads take from slabs of their own", "threads keep nothing");
		return;
	}
	aclkm_memory_trim(0);
	aclkm_memory_totals(&totals);
	apart.whole = totals.total <= 512 * MIB;
	apart.all = calloc(totals.total / APART_SIZE + 1, sizeof(*apart.all));
	pthread_barrier_init(&apart.turn, NULL, 2);
	if (pthread_create(&thread, NULL, other_thread, NULL))
		bail_out("no thread");
	for (i = 0; i < APART; i++) {
		pthread_barrier_wait(&apart.turn);
		apart.mine[i] = take(APART_SIZE);
		pthread_barrier_wait(&apart.turn);
	}
	for (i = 0; i < APART; i++)
		shared += shares(apart.mine, APART, apart.theirs[i]);
	is(shared, 0, "two threads that live take from slabs of their own");

	/* The thread still lives, and has half of the device in slabs of its own. */
	pthread_barrier_wait(&apart.turn);
	for (; apart.whole && got < apart.n / 4; got++) {
		if (aclkm_memory_alloc(APART_SIZE, 64, ACLKM_PAGES_NORMAL, &p))
			break;
		apart.all[2 * got] = p;
	}
	is(got, apart.n / 4, "where memory is short others may take from them");
	pthread_barrier_wait(&apart.turn);
	pthread_join(thread, NULL);

	for (i = 0; i < APART; i++) {
		aclkm_memory_free(apart.mine[i]);
		if (i % 2)
			continue;
		aclkm_memory_free(apart.theirs[i]);
		apart.theirs[i] = NULL;
	}
	for (i = 0; i < apart.n; i++) {
		if (apart.all[i])
			aclkm_memory_free(apart.all[i]);
	}
	aclkm_memory_trim(0);
	p = take(APART_SIZE);
	ok(shares(apart.theirs, APART, p),
	   "what a thread that has ended left is used first");
	aclkm_memory_free(p);
	for (i = 0; i < APART; i++) {
		if (apart.theirs[i])
			aclkm_memory_free(apart.theirs[i]);
	}
	pthread_barrier_destroy(&apart.turn);
	free(apart.all);
}

/* A device full of small blocks has room for large ones when they are freed. */
static void test_pressure(void)
{
	struct aclkm_memory_totals totals;
	size_t n = 0, i, bad = 0, most;
	uint64_t before;
	void **blocks;
	void *p;

	aclkm_memory_totals(&totals);
	if (totals.total > 512 * MIB) {
		skip("a device full of small blocks", "the device is too large");
		return;
	}
	aclkm_memory_trim(0);
	before = device_free();
	most = totals.total / 1024;
	blocks = calloc(most, sizeof(*blocks));
	while (n < most && !aclkm_memory_alloc(4000, 64, ACLKM_PAGES_NORMAL, &blocks[n]))
		n++;
	ok(n * 4032 > before / 10 * 9, "%d blocks fill the device to nine tenths or more",
	   (int)n);
	ok(device_free() < before / 10, "and the totals say so");
	for (i = 0; i < n; i++)
		bad += aclkm_memory_free(blocks[i]) != 0;
	is(bad, 0, "all are freed");
	is(aclkm_memory_alloc(before / 2, 64, ACLKM_PAGES_NORMAL, &p), 0,
	   "half of the device in one piece, without a trim");
	is(aclkm_memory_free(p), 0, "freed");
	aclkm_memory_trim(0);
	is(device_free(), before, "the device is as free as before");
	free(blocks);
}

static uint64_t kept_bytes(void)
{
	struct aclkm_memory_costs costs;

	aclkm_memory_costs(&costs);
	return costs.kept;
}

/* Before anybody said how much may be kept: an eighth of the device. */
static void test_keep_unset(void)
{
	struct aclkm_memory_totals totals;
	void *p, *q;
	size_t most;

	aclkm_memory_totals(&totals);
	if (totals.total > 512 * MIB) {
		skip("an eighth of the device is kept", "the device is too large");
		return;
	}
	aclkm_memory_trim(0);
	most = totals.total / 8 & ~(2 * MIB - 1);
	p = take(most);
	q = take(most);
	aclkm_memory_free(p);
	is(kept_bytes(), most, "an eighth of the device is kept");
	aclkm_memory_free(q);
	is(kept_bytes(), most, "of two regions as long as that the newest one");
	ok(take(most) == q, "which is used again");
	is(kept_bytes(), 0, "and not kept any more");
	aclkm_memory_free(q);
	aclkm_memory_free(take(most + 2 * MIB));
	is(kept_bytes(), most, "a longer one is not kept, and puts nothing out");
	is(aclrtMallocHost(&p, most - 2 * MIB), 0, "a block of another heap");
	is(aclrtFreeHost(p), 0, "freed");
	is(kept_bytes(), most, "what all heaps keep counts");
	is(aclkm_memory_keep(SIZE_MAX), 0, "all may be kept");
	aclkm_memory_free(take(most + 2 * MIB));
	is(kept_bytes(), 2 * most + 2 * MIB, "the longer one, too");
	aclkm_memory_trim(0);
	is(kept_bytes(), 0, "a trim leaves none");
}

static void test_keep(void)
{
	struct aclkm_memory_costs costs;
	uint64_t before;
	char *p = NULL, *q = NULL;
	size_t size = 8 * MIB; /* more than half a chunk of the small device */

	aclkm_memory_trim(0);
	before = device_free();
	is(aclkm_memory_keep(16 * MIB), 0, "16 MiB may be kept");
	is(aclkm_memory_alloc(size, 64, ACLKM_PAGES_NORMAL, P(p)), 0, "a large block");
	p[0] = 7;
	is(aclkm_memory_free(p), 0, "freed");
	aclkm_memory_costs(&costs);
	if (!costs.kept) {
		skip("a region is used again", "the device's chunks are too large");
		return;
	}
	is(device_free(), before, "what is kept counts as free");
	is(aclkm_memory_free(p), ACLKM_ERR_NOTALIVE, "a kept region is not alive");
	is(aclkm_memory_alloc(size - 4096, 64, ACLKM_PAGES_NORMAL, P(q)), 0,
	   "one that is a little shorter");
	ok(p == q, "takes the same region");
	is(aclkm_memory_free(q), 0, "freed");
	is(aclkm_memory_keep(0), 0, "nothing may be kept");
	aclkm_memory_costs(&costs);
	is(costs.kept, 0, "then nothing is");
	is(aclkm_memory_alloc(size, 64, ACLKM_PAGES_NORMAL, P(p)), 0, "once more");
	is(aclkm_memory_free(p), 0, "freed");
	is(aclkm_memory_free(p), ACLKM_ERR_FOREIGN, "it went at once");
	is(device_free(), before, "the device is as free as before");
	is(aclkm_memory_costs(NULL), ACLKM_ERR_INVALID, "costs to NULL");
}

/* A context that ended in another thread ends the fast path of this one, too. */
static void *reset_there(void *arg)
{
	(void)arg;
	is(aclrtResetDevice(0), 0, "another thread resets the device");
	return NULL;
}

/* Of empty chunks a heap keeps one, or a small part of it; a trim leaves none. */
static void test_empty_chunks(void)
{
	const struct heap *heap = heap_of_id(HEAP_ID(HEAP_DEVICE, ACLKM_PAGES_NORMAL));
	uint64_t all, before;
	void *blocks[16];
	int i, bad = 0;

	aclkm_memory_trim(0);
	before = device_free();
	for (i = 0; i < 16; i++)
		blocks[i] = take(MIB);
	all = heap->shared_bytes;
	ok(all >= 16 * MIB, "sixteen blocks of 1 MiB in chunks");
	is(heap->empty_bytes, 0, "none of which is empty");
	for (i = 0; i < 16; i++)
		bad |= aclkm_memory_free(blocks[i]);
	is(bad, 0, "free them");
	is(heap->empty_bytes, heap->shared_bytes, "now all that are left are");
	ok(heap->shared_bytes < all, "others have gone back");
	blocks[0] = take(MIB);
	ok(heap->empty_bytes < heap->shared_bytes, "a block makes one of them another's");
	aclkm_memory_free(blocks[0]);
	aclkm_memory_trim(0);
	is(heap->shared_bytes | heap->empty_bytes, 0, "a trim leaves none");
	is(device_free(), before, "the device is as free as before");
}

static void test_context(void)
{
	void *p = NULL, *q = NULL;

	is(aclrtMalloc(&p, 100, ACL_MEM_MALLOC_NORMAL_ONLY), 0, "a small block");
	is(aclrtFree(p), 0, "freed, so that the thread keeps it");
	in_thread(reset_there, NULL);
	is(aclrtMalloc(&q, 100, ACL_MEM_MALLOC_NORMAL_ONLY), 107002,
	   "a small block without a context");
	need_device();
	is(aclrtMalloc(&q, 100, ACL_MEM_MALLOC_NORMAL_ONLY), 0, "and with one again");
	is(aclrtFree(q), 0, "freed");
}

static void test_fork(void)
{
	void *p = take(100), *q = take(100);
	int status = -1;
	pid_t pid;

	aclkm_memory_free(q);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int a = aclkm_memory_alloc(100, 64, ACLKM_PAGES_NORMAL, &q);
		int b = aclkm_memory_free(p);
		int c = aclrtMalloc(&q, 100, ACL_MEM_MALLOC_NORMAL_ONLY);

		_exit(a == ACLKM_ERR_FORKED && b == ACLKM_ERR_FORKED && c == 507000 ? 0
										    : 1);
	}
	waitpid(pid, &status, 0);
	is(status, 0, "a child has no fast path");
	is(aclkm_memory_free(p), 0, "the parent goes on");
}

int main(void)
{
	uint64_t before;

	small_device();
	need_device();
	before = device_free();
	test_classes();
	test_index();
	test_wrong_frees();
	test_distinct();
	test_handover();
	test_thread_end();
	test_apart();
	test_pressure();
	test_keep_unset();
	test_keep();
	test_empty_chunks();
	test_context();
	test_fork();
	aclkm_memory_trim(0);
	is(device_free(), before, "in the end the device is as free as in the beginning");
	return done_testing();
}
