// SPDX-License-Identifier: MIT
/* Rows, batches, indirect copies, sets; their rules, and what they write. */
#include "gate.h"

#define SIZE (256 * KIB)

static unsigned char *device, *host, *host2, *heap;
static aclrtStream stream;

static void pattern(unsigned char *p, unsigned int seed)
{
	size_t i;

	for (i = 0; i < SIZE; i++)
		p[i] = (unsigned char)rand_r(&seed);
}

/* Row by row; the bytes between rows are 0. */
static bool rows_are(const unsigned char *to, size_t dpitch, const unsigned char *from,
		     size_t spitch, size_t width, size_t height)
{
	size_t y, x;

	for (y = 0; y < height; y++) {
		if (memcmp(to + y * dpitch, from + y * spitch, width))
			return false;
		for (x = width; x < dpitch && y + 1 < height; x++) {
			if (to[y * dpitch + x])
				return false;
		}
	}
	return true;
}

static void test_rows(bool async)
{
	const char *name = async ? "rows, async" : "rows";
	int kind;

#define ROWS(d, dp, s, sp, w, h, k)                                                      \
	(async ? aclrtMemcpy2dAsync(d, dp, s, sp, w, h, (aclrtMemcpyKind)(k), stream)    \
	       : aclrtMemcpy2d(d, dp, s, sp, w, h, (aclrtMemcpyKind)(k)))
	is(ROWS(NULL, 64, host, 64, 64, 2, 1), 100000, "%s: dst NULL", name);
	is(ROWS(device, 64, NULL, 64, 64, 2, 1), 100000, "%s: src NULL", name);
	is(ROWS(device, 64, host, 64, 0, 2, 1), 100000, "%s: width 0", name);
	is(ROWS(device, 64, host, 64, 64, 0, 1), 100000, "%s: height 0", name);
	is(ROWS(device, 64, host, 100, 65, 2, 1), 100000, "%s: width > dpitch", name);
	is(ROWS(device, 100, host, 64, 65, 2, 1), 100000, "%s: width > spitch", name);
	is(ROWS(device, 6000000, host, 6000000, 5000001, 1, 1), 100000, "%s: too wide",
	   name);
	ok(recent_has("5000000"), "%s: the text has the limit", name);
	is(ROWS(device, 1, host, 1, 1, 5242881, 1), 100000, "%s: too high", name);
	for (kind = 0; kind < 9; kind++) {
		bool good = kind == 1 || kind == 2 || kind == 4 || (async && kind == 3);

		if (!good)
			is(ROWS(device, 64, host, 64, 64, 2, kind), 100000, "%s: kind %d",
			   name, kind);
	}
	pattern(host, 3);
	memset(device, 0, SIZE);
	is(ROWS(device, 300, host, 1000, 123, 77, 1), 0, "%s: to the device", name);
	is(aclrtSynchronizeStream(stream), 0, "%s: synchronise", name);
	ok(rows_are(device, 300, host, 1000, 123, 77), "%s: each row, nothing between",
	   name);
	memset(heap, 0, SIZE);
	is(ROWS(heap, 200, device, 300, 123, 77, 2), 0, "%s: to pageable memory", name);
	ok(rows_are(heap, 200, host, 1000, 123, 77), "%s: is there at once", name);
#undef ROWS
}

static void test_rows_async(void)
{
	is(aclrtMemcpy2dAsync(device, 64, device + 4096, 64, 64, 10,
			      ACL_MEMCPY_DEVICE_TO_DEVICE, stream),
	   0, "rows on the device");
	is(aclrtMemcpy2dAsync(host, 64, host2, 64, 64, 10, ACL_MEMCPY_DEFAULT, stream),
	   207000, "rows from host to host");
	is(aclrtMemcpy2dAsync(device, 64, host, 64, 64, 1, ACL_MEMCPY_DEFAULT,
			      (aclrtStream)8),
	   107003, "rows in no stream");
	is(aclrtSynchronizeStream(stream), 0, "synchronise");
}

static aclrtMemcpyBatchAttr to_device = {.dstLoc = {.type = ACL_MEM_LOCATION_TYPE_DEVICE},
					 .srcLoc = {.type = ACL_MEM_LOCATION_TYPE_HOST}};
static aclrtMemcpyBatchAttr to_host = {.dstLoc = {.type = ACL_MEM_LOCATION_TYPE_HOST},
				       .srcLoc = {.type = ACL_MEM_LOCATION_TYPE_DEVICE}};

static void test_batch(bool async)
{
	const char *name = async ? "batch, async" : "batch";
	void *dsts[3] = {device, device + 1000, device + 2000};
	void *srcs[3] = {host + 5, host + 3000, host + 7777};
	size_t rooms[3] = {1000, 1000, 1000}, sizes[3] = {999, 64, 1000};
	aclrtMemcpyBatchAttr attrs[3] = {to_device, to_device, to_host};
	size_t indexes[3] = {0, 2, 2}, failed = 77;

#define BATCH(d, r, s, z, n, a, i, m, f)                                                 \
	(async ? aclrtMemcpyBatchAsync(d, r, s, z, n, a, i, m, f, stream)                \
	       : aclrtMemcpyBatch(d, r, s, z, n, a, i, m, f))
	is(BATCH(NULL, rooms, srcs, sizes, 3, attrs, indexes, 1, &failed), 100000,
	   "%s: dsts NULL", name);
	ok(failed == SIZE_MAX, "%s: is no single copy", name);
	is(BATCH(dsts, NULL, srcs, sizes, 3, attrs, indexes, 1, &failed), 100000,
	   "%s: destMaxs NULL", name);
	is(BATCH(dsts, rooms, NULL, sizes, 3, attrs, indexes, 1, &failed), 100000,
	   "%s: srcs NULL", name);
	is(BATCH(dsts, rooms, srcs, NULL, 3, attrs, indexes, 1, &failed), 100000,
	   "%s: sizes NULL", name);
	is(BATCH(dsts, rooms, srcs, sizes, 0, attrs, indexes, 1, &failed), 100000,
	   "%s: no copies", name);
	is(BATCH(dsts, rooms, srcs, sizes, 3, NULL, indexes, 1, &failed), 100000,
	   "%s: attrs NULL", name);
	is(BATCH(dsts, rooms, srcs, sizes, 3, attrs, NULL, 1, &failed), 100000,
	   "%s: indexes NULL", name);
	is(BATCH(dsts, rooms, srcs, sizes, 3, attrs, indexes, 0, &failed), 100000,
	   "%s: no attributes", name);
	is(BATCH(dsts, rooms, srcs, sizes, 3, attrs, indexes, 1, NULL), 100000,
	   "%s: failIndex NULL", name);
	is(BATCH(dsts, rooms, srcs, sizes, 3, attrs, indexes, 3, &failed), 107000,
	   "%s: indexes do not ascend", name);
	indexes[2] = 1;
	indexes[1] = 3;
	is(BATCH(dsts, rooms, srcs, sizes, 3, attrs, indexes, 2, &failed), 107000,
	   "%s: an index too large", name);
	indexes[1] = 2;
	indexes[0] = 1;
	is(BATCH(dsts, rooms, srcs, sizes, 3, attrs, indexes, 1, &failed), 107000,
	   "%s: the first is not 0", name);
	indexes[0] = 0;
	attrs[1] = to_host;
	is(BATCH(dsts, rooms, srcs, sizes, 3, attrs, indexes, 2, &failed), 107000,
	   "%s: two directions", name);
	ok(recent_has("all copies of a batch"), "%s: the text has the rule", name);
	attrs[1] = to_device;
	sizes[2] = 1001;
	memset(device, 0, SIZE);
	is(BATCH(dsts, rooms, srcs, sizes, 3, attrs, indexes, 2, &failed), 107000,
	   "%s: size above its room", name);
	is(failed, 2, "%s: is named", name);
	is(aclrtSynchronizeStream(stream), 0, "%s: synchronise", name);
	is(device[0] | device[500], 0, "%s: nothing was copied", name);
	sizes[2] = 1000;
	srcs[1] = NULL;
	is(BATCH(dsts, rooms, srcs, sizes, 3, attrs, indexes, 2, &failed), 100000,
	   "%s: an address NULL", name);
	is(failed, 1, "%s: is named", name);
	srcs[1] = device + 9000;
	is(BATCH(dsts, rooms, srcs, sizes, 3, attrs, indexes, 2, &failed), 107000,
	   "%s: an address on the wrong side", name);
	is(failed, 1, "%s: is named", name);
	srcs[1] = host + 3000;
	pattern(host, 5);
	is(BATCH(dsts, rooms, srcs, sizes, 3, attrs, indexes, 2, &failed), 0, "%s: runs",
	   name);
	ok(failed == SIZE_MAX, "%s: none failed", name);
	is(aclrtSynchronizeStream(stream), 0, "%s: synchronise", name);
	ok(!memcmp(device, host + 5, 999) && !memcmp(device + 1000, host + 3000, 64) &&
		   !memcmp(device + 2000, host + 7777, 1000),
	   "%s: all three", name);
#undef BATCH
	memset(host2, 0, SIZE);
	dsts[0] = host2;
	srcs[0] = device;
	is(async ? aclrtMemcpyBatchAsyncV2(dsts, rooms, srcs, sizes, 1, &to_host, indexes,
					   1, stream)
		 : aclrtMemcpyBatchV2(dsts, rooms, srcs, sizes, 1, &to_host, indexes, 1),
	   0, "%s: V2, to the host", name);
	is(aclrtSynchronizeStream(stream), 0, "%s: synchronise", name);
	ok(!memcmp(host2, device, 999) && !host2[999], "%s: exactly", name);
}

static void test_indirect(void)
{
	void *dst = device;
	const void *src = host;
	struct gate gate;
	size_t size = 0;
	void *desc;

	pattern(host, 7);
	pattern(host2, 8);
	gate_close(&gate, stream);
	is(aclrtMemcpyAsyncWithOffset(&dst, SIZE, 100, &src, 1000, 200, 1, stream), 0,
	   "addresses to be read later");
	src = host2;
	gate_open(&gate);
	is(aclrtSynchronizeStream(stream), 0, "synchronise");
	ok(!memcmp(device + 100, host2 + 200, 1000), "are read when the copy is done");
	is(aclrtMemcpyAsyncWithOffset(&dst, 1000, 1, &src, 1000, 0, 1, stream), 107000,
	   "offset and count do not fit");
	is(aclrtMemcpyAsyncWithOffset(&dst, 1000, SIZE_MAX, &src, 10, 0, 1, stream),
	   107000, "offset 2^64 - 1");
	is(aclrtMemcpyAsyncWithOffset(NULL, 1000, 0, &src, 10, 0, 1, stream), 100000,
	   "dst NULL");
	is(aclrtMemcpyAsyncWithOffset(&dst, 1000, 0, NULL, 10, 0, 1, stream), 100000,
	   "src NULL");

	is(aclrtGetMemcpyDescSize(ACL_MEMCPY_HOST_TO_DEVICE, &size), 0,
	   "descriptor size");
	ok(size >= 24, "%zu", size);
	is(aclrtGetMemcpyDescSize(ACL_MEMCPY_HOST_TO_HOST, &size), 100000, "kind 0");
	is(aclrtGetMemcpyDescSize(ACL_MEMCPY_HOST_TO_DEVICE, NULL), 100000, "NULL");
	desc = heap;
	is(aclrtSetMemcpyDesc(desc, 1, host, device, 500, &size), 107000, "config");
	is(aclrtSetMemcpyDesc(desc, 1, NULL, device, 500, NULL), 100000, "source NULL");
	is(aclrtSetMemcpyDesc(desc, 1, host, device, 0, NULL), 100000, "count 0");
	is(aclrtSetMemcpyDesc(desc, 1, host, device, 500, NULL), 0, "descriptor");
	gate_close(&gate, stream);
	is(aclrtMemcpyAsyncWithDesc(desc, 1, stream), 0, "a copy by it");
	is(aclrtSetMemcpyDesc(desc, 1, host2, device, 400, NULL), 0, "which changes");
	gate_open(&gate);
	is(aclrtSynchronizeStream(stream), 0, "synchronise");
	ok(!memcmp(device, host2, 400), "the later one counts");
	memset(desc, 0, size);
	is(aclrtMemcpyAsyncWithDesc(desc, 1, stream), 0, "one that is none");
	is(aclrtSynchronizeStream(stream), 100000, "fails when it is read");
	is(aclrtMemcpyAsyncWithDesc(NULL, 1, stream), 100000, "NULL");
	is(aclrtMemcpyAsyncWithCondition(device, 64, host, 64, 1, stream), 0,
	   "condition");
	is(aclrtMemcpyAsyncWithCondition(device, 63, host, 64, 1, stream), 107000,
	   "condition: count > destMax");
	is(aclrtSynchronizeStream(stream), 0, "synchronise");
}

static void test_sets(void)
{
	uint32_t *words = (uint32_t *)device;
	struct gate gate;

	is(aclrtMemsetAsync(NULL, 0, 1, 0, stream), 0, "set: nothing");
	is(aclrtMemsetAsync(NULL, 64, 1, 64, stream), 100000, "set: NULL");
	is(aclrtMemsetAsync(device, 64, 1, 65, stream), 107000, "set: count > maxCount");
	is(aclrtMemsetAsync(device, 64, 1, 64, (aclrtStream)8), 107003, "set: no stream");
	memset(device, 0, SIZE);
	gate_close(&gate, stream);
	is(aclrtMemsetAsync(device, SIZE, 0x1ff, 1000, stream), 0, "set in a stream");
	is(device[0], 0, "not yet");
	gate_open(&gate);
	is(aclrtSynchronizeStream(stream), 0, "synchronise");
	ok(device[0] == 0xff && device[999] == 0xff && !device[1000], "the low byte");
	is(aclrtMemsetAsync(heap, SIZE, 9, 100, stream) | aclrtSynchronizeStream(stream),
	   0, "set heap memory");
	is(heap[99], 9, "is written");

	is(aclrtMemsetD32(NULL, 64, 1, 1), 100000, "words: NULL");
	is(aclrtMemsetD32(device, 64, 1, 0), 100000, "words: none");
	is(aclrtMemsetD32(device + 2, 64, 1, 1), 100000, "words: unaligned");
	is(aclrtMemsetD32(device, 64, 1, 17), 100000, "words: too many");
	is(aclrtMemsetD32(device, 64, 1, SIZE_MAX / 2), 100000, "words: far too many");
	is(aclrtMemsetD32(heap, 64, 1, 1), 100000, "words: heap memory");
	is(aclrtMemsetD32(device, 64, 0xdeadbeef, 16), 0, "words");
	ok(words[0] == 0xdeadbeef && words[15] == 0xdeadbeef && words[16] != 0xdeadbeef,
	   "exactly 16");
	gate_close(&gate, stream);
	is(aclrtMemsetD32Async(device, 64, 0x12345678, 3, stream), 0,
	   "words in a stream");
	is(words[0], 0xdeadbeef, "not yet");
	is(aclrtMemsetD32Async(host, 64, 0x12345678, 3, stream), 0, "of host memory");
	is(((uint32_t *)host)[2], 0x12345678, "at once");
	gate_open(&gate);
	is(aclrtSynchronizeStream(stream), 0, "synchronise");
	ok(words[2] == 0x12345678 && words[3] == 0xdeadbeef, "exactly 3");
	is(aclrtMemsetD32Async(device, 64, 1, 1, (aclrtStream)8), 107003, "no stream");
	is(aclrtCmoAsync(device, 64, ACL_RT_CMO_TYPE_PREFETCH, stream), 0, "hint");
	is(aclrtCmoAsync(device, 64, (aclrtCmoType)4, stream), 100000, "hint 4");
	is(aclrtCmoAsync(NULL, 64, 0, stream), 100000, "hint: NULL");
	is(aclrtCmoAsync(device, 0, 0, stream), 100000, "hint: size 0");
	is(aclrtSynchronizeStream(stream), 0, "synchronise");
}

/* The tasks that a batch of @n pieces becomes, each @gap behind the one before. */
static unsigned long long tasks_of(size_t n, size_t size, size_t gap, bool async)
{
	void *dsts[64], *srcs[64];
	size_t rooms[64], sizes[64], index = 0, failed, i;
	struct aclkm_stats before, after;
	bool right = true;
	struct gate gate;

	for (i = 0; i < n; i++) {
		dsts[i] = device + i * (size + gap);
		srcs[i] = host + i * (size + gap);
		rooms[i] = size;
		sizes[i] = size;
	}
	pattern(host, 77);
	memset(device, 0, SIZE);
	aclkm_stats_get(&before);
	if (async) {
		gate_close(&gate, stream);
		is(aclrtMemcpyBatchAsync(dsts, rooms, srcs, sizes, n, &to_device, &index,
					 1, &failed, stream),
		   0, "%zu pieces behind a gate", n);
		gate_open(&gate);
		is(aclrtSynchronizeStream(stream), 0, "synchronise");
	} else {
		is(aclrtMemcpyBatch(dsts, rooms, srcs, sizes, n, &to_device, &index, 1,
				    &failed),
		   0, "%zu pieces", n);
	}
	aclkm_stats_get(&after);
	for (i = 0; i < n; i++)
		right = right && !memcmp(dsts[i], srcs[i], size) &&
			(!gap || !((char *)dsts[i])[size]);
	ok(right, "each arrives, and nothing between");
	is(after.copies_async + after.copies_sync - before.copies_async -
		   before.copies_sync,
	   n, "each is counted");
	is(after.bytes_copied - before.bytes_copied, n * size, "so are the bytes");
	return after.tasks_done - before.tasks_done - async;
}

static void test_joined(void)
{
	is(tasks_of(64, 2048, 0, true), 1, "pieces that go on are one task");
	is(tasks_of(64, 2048, 64, true), 64, "those that do not are tasks of their own");
	is(tasks_of(1, 64, 0, true), 1, "one piece");
	tasks_of(64, 2048, 0, false);
	tasks_of(64, 2048, 64, false);
	tasks_of(2, 128 * KIB, 0, false);
}

/* Rows behind a gate, with and without something between them. */
static void test_rows_queued(void)
{
	struct gate gate;

	pattern(host, 9);
	memset(device, 0, SIZE);
	gate_close(&gate, stream);
	is(aclrtMemcpy2dAsync(device, 512, host, 600, 500, 100, ACL_MEMCPY_HOST_TO_DEVICE,
			      stream),
	   0, "rows behind a gate");
	is(aclrtMemcpy2dAsync(device + 128 * KIB, 512, host, 512, 512, 200,
			      ACL_MEMCPY_HOST_TO_DEVICE, stream),
	   0, "rows with nothing between");
	is(device[0], 0, "nothing is copied yet");
	gate_open(&gate);
	is(aclrtSynchronizeStream(stream), 0, "synchronise");
	ok(rows_are(device, 512, host, 600, 500, 100), "each row arrives");
	ok(!memcmp(device + 128 * KIB, host, 512 * 200), "as one");
	memset(device, 0, SIZE);
	is(aclrtMemcpy2dAsync(device, 64, host, 128, 64, 10, ACL_MEMCPY_HOST_TO_DEVICE,
			      stream),
	   0, "a few rows on an idle stream");
	ok(rows_are(device, 64, host, 128, 64, 10), "are done at once");
}

int main(void)
{
	small_device();
	need_device();
	heap = malloc(SIZE);
	if (aclrtMalloc((void **)&device, SIZE, ACL_MEM_MALLOC_NORMAL_ONLY) ||
	    aclrtMallocHost((void **)&host, SIZE) ||
	    aclrtMallocHost((void **)&host2, SIZE) || aclrtCreateStream(&stream))
		bail_out("no memory");
	test_rows(false);
	test_rows(true);
	test_rows_async();
	test_batch(false);
	test_batch(true);
	test_joined();
	test_rows_queued();
	test_indirect();
	test_sets();
	is(aclrtDestroyStream(stream), 0, "the stream goes");
	is(aclrtFree(device) | aclrtFreeHost(host) | aclrtFreeHost(host2), 0, "free");
	free(heap);
	return done_testing();
}
