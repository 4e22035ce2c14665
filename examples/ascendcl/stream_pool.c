// SPDX-License-Identifier: MIT
/*
 * Memory in the order of a stream: a pool gives it to the tasks that come, and takes it
 * back behind the tasks that are there, without anybody waiting. What is freed in a
 * stream serves the next request of this stream at once, and other streams when this
 * one has come there.
 */
#include <acl/acl_rt_memory_soma.h>

#include "check.h"

enum { ROUNDS = 6, BYTES = 1 << 20 };

static aclrtMemPool pool;

static double value(aclrtMemPoolAttr attr)
{
	uint64_t bytes;

	CHECK(aclrtMemPoolGetAttr(pool, attr, &bytes));
	return mib(bytes);
}

static void tell(const char *when)
{
	printf("%-44s %6.1f %6.1f %6.1f\n", when,
	       value(ACL_RT_MEM_POOL_ATTR_USED_MEM_CURRENT),
	       value(ACL_RT_MEM_POOL_ATTR_USED_MEM_HIGH),
	       value(ACL_RT_MEM_POOL_ATTR_RESERVED_MEM_CURRENT));
}

/* One round of work: two scratch buffers, of which nothing is left but the result. */
static void round_of_work(aclrtStream stream, int n, unsigned char *result,
			  void *scratch[2])
{
	CHECK(aclrtMemPoolMallocAsync(&scratch[0], BYTES, pool, stream));
	CHECK(aclrtMemPoolMallocAsync(&scratch[1], BYTES, pool, stream));
	CHECK(aclrtMemsetAsync(scratch[0], BYTES, n + 1, BYTES, stream));
	CHECK(aclrtMemcpyAsync(scratch[1], BYTES, scratch[0], BYTES,
			       ACL_MEMCPY_DEVICE_TO_DEVICE, stream));
	CHECK(aclrtMemcpyAsync(result, BYTES, scratch[1], BYTES,
			       ACL_MEMCPY_DEVICE_TO_DEVICE, stream));
	/* The copies have not run yet, perhaps. The order of the stream is enough. */
	CHECK(aclrtMemPoolFreeAsync(scratch[1], stream));
	CHECK(aclrtMemPoolFreeAsync(scratch[0], stream));
}

static void check_results(const unsigned char *results)
{
	unsigned char *back = malloc(BYTES);
	int n, i;

	expect(back, "no memory to read into");
	for (n = 0; n < ROUNDS; n++) {
		CHECK(aclrtMemcpy(back, BYTES, results + (size_t)n * BYTES, BYTES,
				  ACL_MEMCPY_DEVICE_TO_HOST));
		for (i = 0; i < BYTES; i++)
			expect(back[i] == n + 1, "a result");
	}
	free(back);
}

int main(void)
{
	aclrtMemPoolProps props = {
		.allocType = ACL_MEM_ALLOCATION_TYPE_PINNED,
		.handleType = ACL_MEM_HANDLE_TYPE_NONE,
		.location = {.type = ACL_MEM_LOCATION_TYPE_DEVICE, .id = 0},
		.maxSize = 8 * BYTES,
	};
	void *results, *first[2], *scratch[2], *other, *large;
	uint64_t threshold = 4 * BYTES;
	aclrtStream a, b;
	int n, code;

	CHECK(aclInit(NULL));
	CHECK(aclrtSetDevice(0));
	CHECK(aclrtCreateStream(&a));
	CHECK(aclrtCreateStream(&b));
	CHECK(aclrtMalloc(&results, (size_t)ROUNDS * BYTES, ACL_MEM_MALLOC_HUGE_FIRST));
	CHECK(aclrtMemPoolCreate(&pool, &props));
	CHECK(aclrtMemPoolSetAttr(pool, ACL_RT_MEM_POOL_ATTR_RELEASE_THRESHOLD,
				  &threshold));

	printf("%-44s %6s %6s %6s\n", "MiB of the pool", "used", "most", "taken");
	tell("a pool of at most 8 MiB");
	round_of_work(a, 0, results, first);
	for (n = 1; n < ROUNDS; n++) {
		round_of_work(a, n, (unsigned char *)results + (size_t)n * BYTES,
			      scratch);
		expect((scratch[0] == first[0] && scratch[1] == first[1]) ||
			       (scratch[0] == first[1] && scratch[1] == first[0]),
		       "a round did not get the memory of the one before");
	}
	tell("6 rounds with 2 buffers of 1 MiB in a stream");
	CHECK(aclrtSynchronizeStream(a));
	check_results(results);

	/* Stream a has come to its end: what it freed is stream b's as well. */
	CHECK(aclrtMemPoolMallocAsync(&other, BYTES, pool, b));
	expect(other == first[0] || other == first[1], "the other stream got new memory");
	tell("1 MiB of it in another stream");
	CHECK(aclrtMemPoolMallocAsync(&large, 7 * BYTES - 4096, pool, b));
	tell("nearly 7 MiB more");
	code = aclrtMemPoolMallocAsync(&scratch[0], BYTES, pool, b);
	expect(code == ACL_ERROR_RT_MEMORY_ALLOCATION, "more than the limit is given");
	printf("  1 MiB more: %d, %s", code, reason());

	CHECK(aclrtMemPoolFreeAsync(large, b));
	CHECK(aclrtMemPoolFreeAsync(other, b));
	tell("freed, before the stream is synchronised");
	CHECK(aclrtSynchronizeStream(b));
	tell("after it: 4 MiB at most are kept");
	expect(value(ACL_RT_MEM_POOL_ATTR_RESERVED_MEM_CURRENT) <= mib(threshold),
	       "more than the threshold is kept");
	CHECK(aclrtMemPoolTrimTo(pool, 0));
	tell("trimmed to 0");
	expect(value(ACL_RT_MEM_POOL_ATTR_RESERVED_MEM_CURRENT) == 0,
	       "something is kept");

	CHECK(aclrtMemPoolDestroy(pool));
	CHECK(aclrtFree(results));
	CHECK(aclrtDestroyStream(b));
	CHECK(aclrtDestroyStream(a));
	CHECK(aclrtResetDevice(0));
	CHECK(aclFinalize());
	printf("stream_pool: ok\n");
	return 0;
}
