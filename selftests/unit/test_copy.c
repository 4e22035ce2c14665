// SPDX-License-Identifier: MIT
/* Copies and sets: argument rules, directions, contents, what is degraded. */
#include "gate.h"

#define SIZE (300 * KIB)

static unsigned char *device, *device2, *host, *host2, *media, *heap;
static aclrtStream stream;

static void setup(void)
{
	need_device();
	if (aclrtMalloc((void **)&device, SIZE, ACL_MEM_MALLOC_HUGE_FIRST) ||
	    aclrtMalloc((void **)&device2, SIZE, ACL_MEM_MALLOC_HUGE_FIRST) ||
	    aclrtMallocHost((void **)&host, SIZE) ||
	    aclrtMallocHost((void **)&host2, SIZE) ||
	    acldvppMalloc((void **)&media, SIZE) || aclrtCreateStream(&stream))
		bail_out("no memory");
	heap = malloc(SIZE);
}

static void teardown(void)
{
	is(aclrtDestroyStream(stream), 0, "the stream goes");
	is(aclrtFree(device) | aclrtFree(device2) | aclrtFreeHost(host) |
		   aclrtFreeHost(host2) | acldvppFree(media),
	   0, "the memory too");
	free(heap);
}

static void pattern(unsigned char *p, unsigned int seed)
{
	size_t i;

	for (i = 0; i < SIZE; i++)
		p[i] = (unsigned char)rand_r(&seed);
}

static struct aclkm_stats stats(void)
{
	struct aclkm_stats now;

	aclkm_stats_get(&now);
	return now;
}

/* The rules that both copies share. */
static void test_arguments(bool async)
{
	const char *name = async ? "MemcpyAsync" : "Memcpy";
	int kind;

#define COPY(d, max, s, n, k)                                                            \
	(async ? aclrtMemcpyAsync(d, max, s, n, (aclrtMemcpyKind)(k), stream)            \
	       : aclrtMemcpy(d, max, s, n, (aclrtMemcpyKind)(k)))
	is(COPY(NULL, 0, NULL, 0, 99), 0,
	   "%s: nothing to copy is fine, whatever the rest", name);
	is(COPY(NULL, 64, host, 64, 1), 100000, "%s: dst NULL", name);
	ok(recent_has("dst is NULL"), "%s: the text names it", name);
	is(COPY(device, 64, NULL, 64, 1), 100000, "%s: src NULL", name);
	ok(recent_has("src is NULL"), "%s: the text names it", name);
	is(COPY(device, 64, host, 65, 1), 107000, "%s: count > destMax", name);
	ok(recent_has("65"), "%s: the text has the value", name);
	is(COPY(device, 64, host, SIZE_MAX, 1), 107000, "%s: count 2^64 - 1", name);
	for (kind = 6; kind < 9; kind++)
		is(COPY(device, 64, host, 64, kind), 100000, "%s: kind %d", name, kind);
	is(COPY(device, 64, host, 64, -1), 100000, "%s: kind -1", name);
	for (kind = 0; kind < 6; kind++)
		is(COPY(device, 64, host, 64, kind), 0,
		   "%s: kind %d, the addresses decide", name, kind);
	is(COPY(device, 64, device, 64, 3), 0, "%s: onto itself", name);
#undef COPY
}

static void test_sync(void)
{
	pattern(heap, 1);
	is(aclrtMemcpy(device, SIZE, heap, SIZE, ACL_MEMCPY_HOST_TO_DEVICE), 0,
	   "host to device");
	is(aclrtMemcpy(media, SIZE, device, SIZE, ACL_MEMCPY_DEVICE_TO_DEVICE), 0,
	   "device to media");
	is(aclrtMemcpy(host, SIZE, media, SIZE, ACL_MEMCPY_DEVICE_TO_HOST), 0,
	   "media to host");
	is(aclrtMemcpy(host2, SIZE, host, SIZE, ACL_MEMCPY_HOST_TO_HOST), 0,
	   "host to host");
	ok(!memcmp(host2, heap, SIZE), "the bytes arrive");
	memset(host, 0, SIZE);
	is(aclrtMemcpy(host + 3, 1000, device + 7, 777, ACL_MEMCPY_DEFAULT), 0,
	   "unaligned");
	ok(!memcmp(host + 3, heap + 7, 777) && !host[2] && !host[780],
	   "exactly those bytes");
}

static void test_async(void)
{
	struct aclkm_stats before = stats(), after;

	pattern(host, 2);
	is(aclrtMemcpyAsync(device, SIZE, host, SIZE, ACL_MEMCPY_HOST_TO_DEVICE, stream),
	   0, "host to device in a stream");
	is(aclrtMemcpyAsync(media, SIZE, device, SIZE, ACL_MEMCPY_DEVICE_TO_DEVICE,
			    stream),
	   0, "device to media in a stream");
	is(aclrtMemcpyAsync(host2, SIZE, media, SIZE, ACL_MEMCPY_DEVICE_TO_HOST, stream),
	   0, "media to host in a stream");
	is(aclrtSynchronizeStream(stream), 0, "synchronise");
	ok(!memcmp(host, host2, SIZE), "the bytes arrive, in order");
	after = stats();
	is(after.copies_async - before.copies_async, 3, "three went to the stream");
	is(after.copies_degraded - before.copies_degraded, 0, "none was degraded");
	is(after.bytes_copied - before.bytes_copied, 3 * SIZE, "the bytes are counted");
}

static void test_host_to_host(void)
{
	is(aclrtMemcpyAsync(host2, SIZE, host, 64, ACL_MEMCPY_HOST_TO_HOST, stream),
	   207000, "host to host in a stream");
	is(aclrtMemcpyAsync(host2, SIZE, host, 64, ACL_MEMCPY_HOST_TO_DEVICE, stream),
	   207000, "and when the kind says otherwise");
	is(aclrtMemcpyAsync(heap, SIZE, host, 64, ACL_MEMCPY_HOST_TO_HOST, stream),
	   207000, "and with a pageable side");
	ok(recent_has("aclrtMemcpy"), "the text says what to use");
}

static void test_unaligned(void)
{
	struct aclkm_stats before = stats(), after;

	pattern(host, 3);
	is(aclrtMemcpyAsync(device + 1, SIZE - 1, host + 2, 1001, ACL_MEMCPY_DEFAULT,
			    stream),
	   0, "an unaligned copy in a stream");
	is(aclrtSynchronizeStream(stream), 0, "synchronise");
	ok(!memcmp(device + 1, host + 2, 1001), "is right");
	after = stats();
	is(after.copies_unaligned - before.copies_unaligned, 1, "and counted");
}

static void test_pageable(void)
{
	struct aclkm_stats before = stats(), after;
	struct gate gate;

	pattern(heap, 4);
	gate_close(&gate, stream);
	gate_open(&gate);
	is(aclrtMemcpyAsync(device, SIZE, heap, SIZE, ACL_MEMCPY_HOST_TO_DEVICE, stream),
	   0, "pageable host memory to device");
	ok(!memcmp(device, heap, SIZE), "is there when the call returns");
	memset(heap, 0, SIZE);
	is(aclrtMemcpyAsync(heap + 1, 100, device + 1, 100, ACL_MEMCPY_DEVICE_TO_HOST,
			    NULL),
	   0, "and back, unaligned, by the default stream");
	ok(!memcmp(device + 1, heap + 1, 100), "is there too");
	after = stats();
	is(after.copies_degraded - before.copies_degraded, 2,
	   "both are counted as degraded");
	is(after.copies_async - before.copies_async, 0, "none as asynchronous");
}

static void test_memset(void)
{
	pattern(device, 5);
	is(aclrtMemset(NULL, 0, 1, 0), 0, "memset: nothing to set");
	is(aclrtMemset(NULL, 64, 1, 64), 100000, "memset: NULL");
	is(aclrtMemset(device, 64, 1, 65), 107000, "memset: count > maxCount");
	is(aclrtMemset(device, SIZE, 0x1234, 100), 0, "memset");
	ok(device[0] == 0x34 && device[99] == 0x34, "writes the low byte");
	is(aclrtMemset(host, SIZE, -1, SIZE), 0, "memset of host memory");
	ok(host[SIZE - 1] == 0xff, "writes it");
	is(aclrtMemset(heap, SIZE, 0, 10), 0, "memset of malloc memory");
}

static void test_native_pool(void)
{
	struct aclkm_pool *pool = NULL, *host_pool = NULL;
	void *a = NULL, *b = NULL;

	if (aclkm_pool_create(ACLKM_POOL_MEDIA, MIB, ACLKM_PAGES_NORMAL, 0, &pool) ||
	    aclkm_pool_create(ACLKM_POOL_LINEAR, MIB, ACLKM_PAGES_NORMAL, ACLKM_POOL_HOST,
			      &host_pool) ||
	    aclkm_segment_alloc(pool, 1000, &a) ||
	    aclkm_segment_alloc(host_pool, 1000, &b))
		bail_out("no pool");
	is(aclrtMemcpyAsync(a, 1000, host, 1000, ACL_MEMCPY_HOST_TO_DEVICE, stream), 0,
	   "host to a segment");
	is(aclrtMemcpyAsync(b, 1000, a, 1000, ACL_MEMCPY_DEVICE_TO_HOST, stream), 0,
	   "segment to a host segment");
	is(aclrtMemcpyAsync(b, 1000, host, 1000, ACL_MEMCPY_DEFAULT, stream), 207000,
	   "host to a host segment");
	is(aclrtSynchronizeStream(stream), 0, "synchronise");
	ok(!memcmp(b, host, 1000), "the bytes arrive");
	is(aclkm_pool_destroy(pool, ACLKM_POOL_FORCE), 0, "the pool goes");
	is(aclkm_pool_destroy(host_pool, ACLKM_POOL_FORCE), 0, "the host pool goes");
}

static void *without_context(void *arg)
{
	(void)arg;
	is(aclrtMemcpy(device, 64, host, 64, ACL_MEMCPY_DEFAULT), 107002,
	   "copy, no context");
	is(aclrtMemcpyAsync(device, 64, host, 64, ACL_MEMCPY_DEFAULT, stream), 107002,
	   "copy in a stream, no context");
	is(aclrtMemcpy(device, 64, host, 0, ACL_MEMCPY_DEFAULT), 0,
	   "nothing to copy, no context");
	return NULL;
}

int main(void)
{
	small_device();
	unsetenv("ACLKM_STRICT");
	setup();
	test_arguments(false);
	test_arguments(true);
	is(aclrtSynchronizeStream(stream), 0, "synchronise");
	test_sync();
	test_async();
	test_host_to_host();
	test_unaligned();
	test_pageable();
	test_memset();
	test_native_pool();
	in_thread(without_context, NULL);
	is(aclkm_stats_get(NULL), ACLKM_ERR_INVALID, "stats: to NULL");
	teardown();
	return done_testing();
}
