// SPDX-License-Identifier: MIT
/* Copies from write-combined and uncached mappings are done by streaming loads. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/aclkm.h>

#include "client.h"
#include "base/base.h"

#define PAGE 4096UL
#define SIZE (256UL << 10)

static aclrtStream stream;
static unsigned char *want, *got;

static uint64_t streamed(void)
{
	struct aclkm_stats stats;

	aclkm_stats_get(&stats);
	return stats.bytes_uncached;
}

/* Any offsets and lengths, with nothing changed around them. */
static void any_alignment(const unsigned char *mem, const char *name)
{
	static const size_t counts[] = {1, 63, 64, 65, 127, 300, 4096, 5001, 70000};
	uint64_t before = streamed(), bytes = 0;
	size_t s, d, i, count;
	bool right = true;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		for (s = 0; s < 64; s += 13) {
			for (d = 0; d < 64; d += 9) {
				count = counts[i];
				memset(got, 0xee, count + 256);
				aclkm_copy(got + 64 + d, mem + s, count, 0);
				right &= !memcmp(got + 64 + d, want + s, count);
				right &= got[63 + d] == 0xee;
				right &= got[64 + d + count] == 0xee;
				bytes += count;
			}
		}
	}
	ok(right, "%s: the bytes of any length arrive", name);
	is(streamed() - before, bytes, "%s: all of them streamed", name);
}

/* Each call that copies; @mem as @want. */
static void all_calls(unsigned char *mem, const char *name)
{
	const struct aclkm_copy_piece pieces[] = {{got, mem, 100},
						  {got + 100, mem + 100, 900},
						  {got + 2000, mem + 2000, 500}};
	uint64_t before = streamed();
	bool right;
	size_t i;

	memset(got, 0, SIZE);
	is(aclkm_copy(got, mem, SIZE, 0), 0, "%s: aclkm_copy", name);
	is(streamed() - before, SIZE, "streams");
	ok(!memcmp(got, want, SIZE), "and the bytes arrive");

	before = streamed();
	is(aclkm_copy_2d(got, 512, mem, 1024, 300, 100), 0, "%s: rows", name);
	is(streamed() - before, 30000, "stream");
	for (right = true, i = 0; i < 100; i++)
		right &= !memcmp(got + i * 512, want + i * 1024, 300);
	ok(right, "and the bytes arrive");

	before = streamed();
	is(aclkm_copy_batch(pieces, 3), 0, "%s: a batch", name);
	is(streamed() - before, 1500, "streams");
	ok(!memcmp(got, want, 1000) && !memcmp(got + 2000, want + 2000, 500),
	   "and the bytes arrive");

	memset(got, 0, SIZE);
	before = streamed();
	is(aclrtMemcpy(got, SIZE, mem, SIZE, ACL_MEMCPY_DEFAULT), 0, "%s: aclrtMemcpy",
	   name);
	is(streamed() - before, SIZE, "streams");
	ok(!memcmp(got, want, SIZE), "and the bytes arrive");

	memset(got, 0, SIZE);
	before = streamed();
	is(aclrtMemcpyAsync(got, SIZE, mem, SIZE, ACL_MEMCPY_HOST_TO_DEVICE, stream), 0,
	   "%s: aclrtMemcpyAsync", name);
	is(aclrtSynchronizeStream(stream), 0, "and its end");
	is(streamed() - before, SIZE, "streams");
	ok(!memcmp(got, want, SIZE), "and the bytes arrive");

	/* What overlaps cannot be read first and written then. */
	before = streamed();
	is(aclkm_copy(mem + 100, mem, 1000, 0), 0, "%s: onto itself", name);
	is(streamed() - before, 0, "does not stream");
	ok(!memcmp(mem + 100, want, 1000), "and is right");
	is(aclkm_copy(mem, want, SIZE, 0), 0, "%s: into it", name);
	is(streamed() - before, 0, "does not stream");
}

/* Memory that is ordinary, for the bookkeeping. */
static void bookkeeping(void)
{
	unsigned char *mem = want, *other = got;
	uint64_t before = streamed();

	ok(!uncached_has(mem), "nothing is uncached");
	is(uncached_add(mem + PAGE, 2 * PAGE), 0, "a range");
	is(uncached_add(mem + 8 * PAGE, PAGE), 0, "another");
	ok(!uncached_has(mem + PAGE - 1), "not before it");
	ok(uncached_has(mem + PAGE), "its first byte");
	ok(uncached_has(mem + 3 * PAGE - 1), "its last byte");
	ok(!uncached_has(mem + 3 * PAGE), "not behind it");
	ok(!uncached_has(mem + 7 * PAGE), "not between the two");
	ok(uncached_has(mem + 8 * PAGE), "the other");
	ok(!uncached_has(mem + 9 * PAGE), "and not behind that");
	ok(!uncached_has(other), "nor elsewhere");
	aclkm_copy(other, mem + 4 * PAGE, PAGE, 0);
	is(streamed() - before, 0, "a copy from between them does not stream");
	uncached_remove(mem + 2 * PAGE);
	ok(uncached_has(mem + 2 * PAGE), "only by its first byte it is removed");
	uncached_remove(mem + PAGE);
	ok(!uncached_has(mem + PAGE), "the first is gone");
	ok(uncached_has(mem + 8 * PAGE), "the other is not");
	uncached_remove(mem + 8 * PAGE);
	ok(!uncached_has(mem + 8 * PAGE), "both are gone");
	is(atomic_load(&uncached_span), 0, "and nothing is left to look at");
}

static atomic_bool stop;

static void *come_and_go(void *mem)
{
	while (!atomic_load(&stop)) {
		if (uncached_add((char *)mem + 16 * PAGE, PAGE))
			bail_out("no memory");
		uncached_remove((char *)mem + 16 * PAGE);
	}
	return NULL;
}

/* Others come and go: one that stays is found or, at most, read the ordinary way. */
static void threads(void)
{
	pthread_t thread;
	bool right = true;
	int i;

	uncached_add(want, PAGE);
	if (pthread_create(&thread, NULL, come_and_go, want))
		bail_out("no thread");
	for (i = 0; i < 2000; i++) {
		aclkm_copy(got, want + 15 * PAGE, 3 * PAGE, 0);
		right &= !memcmp(got, want + 15 * PAGE, 3 * PAGE);
		right &= uncached_find(want + 5) && !uncached_find(want + PAGE);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	uncached_remove(want);
	ok(right, "ranges come and go while others copy");
}

/* Another program's region, with its type; -1: this driver has none. */
static int foreign_buf(uint32_t flags, uint32_t mode)
{
	struct aclkm_alloc alloc = {.size = SIZE, .flags = flags, .node = ACLKM_NODE_ANY};
	struct aclkm_export export = {.flags = ACLKM_EXPORT_CLOEXEC};
	struct aclkm_info info = {0};
	struct aclkm_query query = {0};
	int fd = open(ACLKM_DEVICE_PATH, O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, ACLKM_IOC_INFO, &info))
		bail_out("no driver");
	if (!(info.features & ACLKM_FEATURE_CACHE)) {
		close(fd);
		return -1;
	}
	if (ioctl(fd, ACLKM_IOC_ALLOC, &alloc))
		bail_out("ALLOC is refused");
	query.handle = export.handle = alloc.handle;
	if (ioctl(fd, ACLKM_IOC_QUERY, &query) || query.cache != mode)
		bail_out("not of that type");
	if (ioctl(fd, ACLKM_IOC_EXPORT, &export))
		bail_out("EXPORT is refused");
	close(fd);
	return export.fd;
}

static void imported(uint32_t flags, uint32_t mode, const char *name)
{
	int fd = foreign_buf(flags, mode);
	uint64_t before;
	size_t size;
	void *mem;

	if (fd < 0) {
		skip(name, "this driver has cached memory only");
		return;
	}
	is(aclkm_dmabuf_import(fd, &mem, &size), 0, "%s: import", name);
	is(size, SIZE, "all of it");
	is(uncached_has(mem), mode != ACLKM_CACHE_WB, "%s: is known for what it is",
	   name);
	memcpy(mem, want, SIZE);
	if (mode != ACLKM_CACHE_WB) {
		any_alignment(mem, name);
		all_calls(mem, name);
	}
	before = streamed();
	ok(!memcmp(mem, want, SIZE), "%s: the same bytes as before", name);
	is(aclkm_dmabuf_release(mem), 0, "%s: release", name);
	close(fd);
	ok(!uncached_has(mem), "%s: known no more", name);
	aclkm_copy(got, want, SIZE, 0);
	is(streamed() - before, 0, "other copies do not stream");
}

int main(void)
{
	unsigned int seed = 3;
	size_t i;

	small_device();
	need_device();
	if (aclrtCreateStream(&stream))
		bail_out("no stream");
	want = aligned_alloc(PAGE, SIZE);
	got = aligned_alloc(PAGE, SIZE);
	for (i = 0; i < SIZE; i++)
		want[i] = (unsigned char)rand_r(&seed);
	bookkeeping();
	threads();
	if (on_kmod()) {
		imported(0, ACLKM_CACHE_WB, "cached");
		imported(ACLKM_ALLOC_WC, ACLKM_CACHE_WC, "write-combined");
		imported(ACLKM_ALLOC_UC, ACLKM_CACHE_UC, "uncached");
	} else {
		unsigned char *mem = aligned_alloc(PAGE, SIZE);

		memcpy(mem, want, SIZE);
		uncached_add(mem, SIZE);
		any_alignment(mem, "said to be uncached");
		all_calls(mem, "said to be uncached");
		uncached_remove(mem);
		free(mem);
	}
	aclrtDestroyStream(stream);
	aclrtResetDevice(0);
	free(want);
	free(got);
	return done_testing();
}
