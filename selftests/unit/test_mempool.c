// SPDX-License-Identifier: MIT
/* Stream-ordered pools, allocators of the program, data buffers. */
#include "acl/acl_rt_allocator.h"
#include "acl/acl_rt_memory_soma.h"
#include "gate.h"

static aclrtStream s, t;
static aclrtMemPoolProps props = {.location = {.type = ACL_MEM_LOCATION_TYPE_DEVICE}};

static uint64_t value(aclrtMemPool pool, aclrtMemPoolAttr attr)
{
	uint64_t out = 99;

	aclrtMemPoolGetAttr(pool, attr, &out);
	return out;
}

static void test_arguments(void)
{
	aclrtMemPoolProps bad = props;
	aclrtMemPool pool = NULL, gone;
	uint64_t number = 5;
	int flag = 9;
	void *p;

	is(aclrtMemPoolCreate(NULL, &props), 100000, "create: NULL");
	is(aclrtMemPoolCreate(&pool, NULL), 100000, "create: no properties");
	bad.handleType = ACL_MEM_HANDLE_TYPE_POSIX;
	is(aclrtMemPoolCreate(&pool, &bad), 107000, "create: handle type");
	bad = props;
	bad.allocType = (aclrtMemAllocationType)1;
	is(aclrtMemPoolCreate(&pool, &bad), 107000, "create: allocation type");
	bad = props;
	bad.location.type = ACL_MEM_LOCATION_TYPE_HOST;
	is(aclrtMemPoolCreate(&pool, &bad), 107000, "create: host");
	bad = props;
	bad.location.id = 7;
	is(aclrtMemPoolCreate(&pool, &bad), 107001, "create: device 7");
	is(aclrtMemPoolCreate(&gone, &props), 0, "create");
	is(aclrtMemPoolDestroy(gone), 0, "destroy");
	is(aclrtMemPoolDestroy(gone), 107000, "again");
	is(aclrtMemPoolDestroy(NULL), 100000, "destroy: NULL");
	is(aclrtMemPoolMallocAsync(&p, 100, gone, s), 107000,
	   "take from a destroyed pool");
	is(aclrtMemPoolCreate(&pool, &props), 0, "create");
	is(aclrtMemPoolMallocAsync(NULL, 100, pool, s), 100000, "take: NULL");
	is(aclrtMemPoolMallocAsync(&p, 0, pool, s), 100000, "take: size 0");
	is(aclrtMemPoolMallocAsync(&p, 100, NULL, s), 100000, "take: no pool");
	is(aclrtMemPoolMallocAsync(&p, 100, pool, (aclrtStream)8), 107003,
	   "take: no stream");
	is(aclrtMemPoolMallocAsync(&p, SIZE_MAX, pool, s), 207001, "take: 2^64 - 1");
	is(aclrtMemPoolMallocAsync(&p, 1UL << 46, pool, s), 207001, "take: 64 TiB");
	is(aclrtMemPoolFreeAsync(NULL, s), 100000, "give: NULL");
	is(aclrtMemPoolFreeAsync(&flag, s), 107000, "give: the stack");
	is(aclrtMemPoolTrimTo(NULL, 0), 100000, "trim: NULL");
	is(aclrtMemPoolTrimTo(gone, 0), 107000, "trim: destroyed");
	is(aclrtMemPoolGetAttr(pool, (aclrtMemPoolAttr)0, &number), 107000,
	   "attribute 0");
	is(aclrtMemPoolGetAttr(pool, (aclrtMemPoolAttr)9, &number), 107000,
	   "attribute 9");
	is(aclrtMemPoolGetAttr(pool, ACL_RT_MEM_POOL_ATTR_RELEASE_THRESHOLD, NULL),
	   100000, "attribute: NULL");
	is(aclrtMemPoolGetAttr(pool, ACL_RT_MEM_POOL_REUSE_ALLOW_OPPORTUNISTIC, &flag), 0,
	   "opportunistic reuse");
	is(flag, 1, "is on");
	is(aclrtMemPoolSetAttr(pool, ACL_RT_MEM_POOL_REUSE_ALLOW_OPPORTUNISTIC, &flag),
	   107000, "and fixed");
	is(aclrtMemPoolSetAttr(pool, ACL_RT_MEM_POOL_ATTR_USED_MEM_HIGH, &number), 107000,
	   "highest values can be set to 0 only");
	is(aclrtMemPoolSetAttr(pool, ACL_RT_MEM_POOL_ATTR_RELEASE_THRESHOLD, NULL),
	   100000, "set: NULL");
	is(aclrtMemPoolDestroy(pool), 0, "destroy");
}

static void test_order(void)
{
	uint64_t keep = 64 * MIB, none = 0;
	size_t before = free_bytes();
	aclrtMemPool pool;
	struct gate gate;
	char *a, *b, *c, *d;

	if (aclrtMemPoolCreate(&pool, &props))
		bail_out("no pool");
	is(aclrtMemPoolSetAttr(pool, ACL_RT_MEM_POOL_ATTR_RELEASE_THRESHOLD, &keep), 0,
	   "keep 64 MiB");
	is(value(pool, ACL_RT_MEM_POOL_ATTR_RELEASE_THRESHOLD), keep, "threshold");
	is(aclrtMemPoolMallocAsync((void **)&a, 100000, pool, s), 0, "take");
	ok((uintptr_t)a % 512 == 0, "a multiple of 512");
	memset(a, 1, 100000);
	ok(value(pool, ACL_RT_MEM_POOL_ATTR_USED_MEM_CURRENT) >= 100000, "used");
	is(aclrtFree(a), 107000, "is nothing for aclrtFree");
	gate_close(&gate, s);
	is(aclrtMemPoolFreeAsync(a, s), 0, "give in a stream that stands");
	is(aclrtMemPoolFreeAsync(a, s), 107000, "again");
	is(value(pool, ACL_RT_MEM_POOL_ATTR_USED_MEM_CURRENT), 0, "not used any more");
	is(aclrtMemPoolMallocAsync((void **)&b, 100000, pool, t), 0,
	   "another stream takes");
	ok(b != a, "other memory");
	is(aclrtMemPoolMallocAsync((void **)&c, 90000, pool, s), 0,
	   "the same stream takes");
	ok(c == a, "this one, at once");
	is(aclrtMemPoolFreeAsync(c, s), 0, "give");
	gate_open(&gate);
	is(aclrtSynchronizeStream(s), 0, "the stream comes to it");
	is(aclrtMemPoolMallocAsync((void **)&c, 100000, pool, t), 0, "another stream");
	ok(c == a, "takes it now");
	is(aclrtMemPoolMallocAsync((void **)&a, 100, pool, t), 0, "a small one");
	ok(a != c, "does not take a large piece");
	ok(value(pool, ACL_RT_MEM_POOL_ATTR_RESERVED_MEM_CURRENT) >= 200000, "reserved");
	is(aclrtMemPoolFreeAsync(a, t), 0, "give the small one");
	is(aclrtMemPoolMallocAsync((void **)&d, 300000, pool, t), 0, "a long one");
	ok(d != a, "does not take a piece that is too short");
	is(aclrtMemPoolFreeAsync(d, t) | aclrtMemPoolFreeAsync(b, t) |
		   aclrtMemPoolFreeAsync(c, t),
	   0, "give all");
	is(aclrtSynchronizeStream(t), 0, "synchronise");
	ok(value(pool, ACL_RT_MEM_POOL_ATTR_RESERVED_MEM_CURRENT) >= 200000,
	   "the threshold keeps them");
	ok(value(pool, ACL_RT_MEM_POOL_ATTR_USED_MEM_HIGH) >= 200000, "highest use");
	ok(value(pool, ACL_RT_MEM_POOL_ATTR_RESERVED_MEM_HIGH) >=
		   value(pool, ACL_RT_MEM_POOL_ATTR_RESERVED_MEM_CURRENT),
	   "most that was reserved");
	is(aclrtMemPoolSetAttr(pool, ACL_RT_MEM_POOL_ATTR_USED_MEM_HIGH, &none), 0,
	   "begins anew");
	is(value(pool, ACL_RT_MEM_POOL_ATTR_USED_MEM_HIGH), 0, "at what is used now");
	is(aclrtMemPoolTrimTo(pool, 150000), 0, "trim");
	ok(value(pool, ACL_RT_MEM_POOL_ATTR_RESERVED_MEM_CURRENT) <= 150000, "to 150000");
	is(aclrtMemPoolTrimTo(pool, 0), 0, "trim");
	is(value(pool, ACL_RT_MEM_POOL_ATTR_RESERVED_MEM_CURRENT), 0, "to nothing");
	is(aclrtMemPoolSetAttr(pool, ACL_RT_MEM_POOL_ATTR_RELEASE_THRESHOLD, &none), 0,
	   "threshold 0");
	is(aclrtMemPoolMallocAsync((void **)&a, 100000, pool, t) |
		   aclrtMemPoolFreeAsync(a, t) | aclrtSynchronizeStream(t),
	   0, "take, give, synchronise");
	is(value(pool, ACL_RT_MEM_POOL_ATTR_RESERVED_MEM_CURRENT), 0, "keeps nothing");
	is(aclrtMemPoolMallocAsync((void **)&a, 100000, pool, t), 0, "take");
	is(aclrtMemPoolDestroy(pool), 0, "destroy while it is used");
	a[99999] = 1;
	is(aclrtMemPoolFreeAsync(a, t) | aclrtSynchronizeStream(t), 0, "give");
	is(free_bytes(), before, "all is back");

	if (aclrtMemPoolCreate(&pool, &props))
		bail_out("no pool");
	is(aclrtMemPoolSetAttr(pool, ACL_RT_MEM_POOL_ATTR_RELEASE_THRESHOLD, &keep), 0,
	   "a pool that keeps 64 MiB");
	is(aclrtMemPoolMallocAsync((void **)&a, 100000, pool, t), 0, "take");
	is(aclrtMemPoolDestroy(pool), 0, "destroy while it is used");
	is(aclrtMemPoolFreeAsync(a, t) | aclrtSynchronizeStream(t), 0, "give");
	is(free_bytes(), before, "a destroyed pool keeps nothing");
}

static void test_limit(void)
{
	aclrtMemPoolProps small = props;
	aclrtMemPool pool;
	void *a, *b;

	small.maxSize = MIB;
	if (aclrtMemPoolCreate(&pool, &small))
		bail_out("no pool");
	is(aclrtMemPoolMallocAsync(&a, 700 * KIB, pool, s), 0, "a pool of 1 MiB");
	is(aclrtMemPoolMallocAsync(&b, 700 * KIB, pool, s), 207001, "has no more");
	ok(recent_has("of its 1048576"), "the text has the limit");
	is(aclrtMemPoolFreeAsync(a, s), 0, "give");
	is(aclrtMemPoolMallocAsync(&b, 900 * KIB, pool, s), 0,
	   "what is free makes room for another size");
	is(aclrtMemPoolFreeAsync(b, s) | aclrtMemPoolDestroy(pool), 0, "destroy");
}

static aclError take_malloc(void **out, size_t size)
{
	return aclrtMalloc(out, size, ACL_MEM_MALLOC_HUGE_FIRST);
}

static aclError take_cfg(void **out, size_t size)
{
	return aclrtMallocWithCfg(out, size, ACL_MEM_MALLOC_NORMAL_ONLY, NULL);
}

static aclError take_media(void **out, size_t size)
{
	return acldvppMalloc(out, size);
}

static aclError take_physical(void **out, size_t size)
{
	const aclrtPhysicalMemProp prop = {
		.memAttr = ACL_HBM_MEM_HUGE,
		.location = {.type = ACL_MEM_LOCATION_TYPE_DEVICE}};

	return aclrtMallocPhysical(out, size, &prop, 0);
}

static aclError take_other_pool(void **out, size_t size)
{
	aclrtMemPool pool;
	aclError code = aclrtMemPoolCreate(&pool, &props)
				?: aclrtMemPoolMallocAsync(out, size, pool, s);

	aclrtMemPoolDestroy(pool);
	return code;
}

static aclError give_pool(void *ptr)
{
	return aclrtMemPoolFreeAsync(ptr, s) ?: aclrtSynchronizeStream(s);
}

/* What a pool keeps free is given up before another call fails for want of memory. */
static void test_yield(void)
{
	static const struct {
		const char *name;
		aclError (*take)(void **out, size_t size);
		aclError (*give)(void *ptr);
	} calls[] = {{"malloc", take_malloc, aclrtFree},
		     {"with a configuration", take_cfg, aclrtFree},
		     {"media", take_media, acldvppFree},
		     {"host", aclrtMallocHost, aclrtFreeHost},
		     {"physical", take_physical, aclrtFreePhysical},
		     {"another pool", take_other_pool, give_pool}};
	uint64_t keep = UINT64_MAX;
	size_t size = (free_bytes() / 3 * 2) & ~(2 * MIB - 1), i, before = free_bytes();
	aclrtMemPool pool;
	void *p, *q;

	if (aclrtMemPoolCreate(&pool, &props) ||
	    aclrtMemPoolSetAttr(pool, ACL_RT_MEM_POOL_ATTR_RELEASE_THRESHOLD, &keep))
		bail_out("no pool");
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		is(aclrtMemPoolMallocAsync(&p, size, pool, s), 0, "%s: a pool has most",
		   calls[i].name);
		is(calls[i].take(&q, size), 207001, "%s: the rest is too little",
		   calls[i].name);
		is(aclrtMemPoolFreeAsync(p, s) | aclrtSynchronizeStream(s), 0,
		   "%s: the pool keeps it", calls[i].name);
		ok(free_bytes() < size, "%s: it is not free", calls[i].name);
		is(calls[i].take(&q, size), 0, "%s: now there is enough", calls[i].name);
		is(value(pool, ACL_RT_MEM_POOL_ATTR_RESERVED_MEM_CURRENT), 0,
		   "%s: the pool has nothing", calls[i].name);
		is(calls[i].give(q), 0, "%s: free", calls[i].name);
	}
	is(aclrtMemPoolDestroy(pool), 0, "destroy");
	is(free_bytes(), before, "all is back");
}

static void *hammer(void *arg)
{
	long i, odd = aclrtSetDevice(0);
	aclrtStream own;
	unsigned char *p;

	odd += aclrtCreateStream(&own);
	for (i = 0; i < 200; i++) {
		odd += aclrtMemPoolMallocAsync((void **)&p, 1000 + (size_t)(i % 7) * 1000,
					       arg, own);
		odd += aclrtMemsetAsync(p, 1000, (int)i, 1000, own);
		odd += aclrtMemPoolFreeAsync(p, own);
		if (i % 50 == 0)
			odd += aclrtSynchronizeStream(own);
	}
	odd += aclrtDestroyStream(own) + aclrtResetDevice(0);
	return (void *)odd;
}

static void test_threads(void)
{
	pthread_t threads[4];
	aclrtMemPool pool;
	void *odd;
	long all = 0;
	int i;

	if (aclrtMemPoolCreate(&pool, &props))
		bail_out("no pool");
	for (i = 0; i < 4; i++) {
		if (pthread_create(&threads[i], NULL, hammer, pool))
			bail_out("no thread");
	}
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], &odd);
		all += (long)odd;
	}
	is(all, 0, "four threads with streams of their own");
	is(value(pool, ACL_RT_MEM_POOL_ATTR_USED_MEM_CURRENT), 0, "nothing is used");
	is(aclrtMemPoolDestroy(pool), 0, "destroy");
}

static void *take(aclrtAllocator allocator, size_t size)
{
	(void)allocator;
	return malloc(size);
}

static void give(aclrtAllocator allocator, aclrtAllocatorBlock block)
{
	(void)allocator;
	free(block);
}

static void *address(aclrtAllocatorBlock block)
{
	return block;
}

static void *advise(aclrtAllocator allocator, size_t size, aclrtAllocatorAddr addr)
{
	(void)addr;
	return take(allocator, size);
}

static void test_allocator(void)
{
	aclrtAllocatorDesc desc = aclrtAllocatorCreateDesc(), found = NULL;
	aclrtAllocatorGetAddrFromBlockFunc get_address = NULL;
	aclrtAllocatorAllocAdviseFunc get_advise = advise;
	aclrtAllocatorAllocFunc get_take = NULL;
	aclrtAllocatorFreeFunc get_give = NULL;
	aclrtAllocator object = NULL;
	aclrtStream own;
	int mine;

	if (!desc || aclrtCreateStream(&own))
		bail_out("no allocator");
	is(aclrtAllocatorRegister(own, NULL), 100000, "register: NULL");
	is(aclrtAllocatorRegister(own, desc), 100000, "register: nothing is set");
	ok(recent_has("must be set"), "the text has the rule");
	is(aclrtAllocatorSetObjToDesc(desc, NULL), 100000, "object: NULL");
	is(aclrtAllocatorSetObjToDesc((aclrtAllocatorDesc)own, &mine), 107000,
	   "object: no description");
	is(aclrtAllocatorSetObjToDesc(desc, &mine), 0, "object");
	is(aclrtAllocatorSetAllocFuncToDesc(desc, NULL), 100000, "function: NULL");
	is(aclrtAllocatorSetAllocFuncToDesc(desc, take), 0, "allocation");
	is(aclrtAllocatorSetFreeFuncToDesc(desc, give), 0, "free");
	is(aclrtAllocatorRegister(own, desc), 100000, "register: no address function");
	is(aclrtAllocatorSetGetAddrFromBlockFuncToDesc(desc, address), 0, "address");
	is(aclrtAllocatorGetByStream(own, &found, NULL, NULL, NULL, NULL, NULL), 107000,
	   "the stream has none");
	is(aclrtAllocatorUnregister(own), 107000, "nothing to undo");
	is(aclrtAllocatorRegister((aclrtStream)8, desc), 107003, "register: no stream");
	is(aclrtAllocatorRegister(own, desc), 0, "register");
	is(aclrtAllocatorGetByStream(own, &found, &object, &get_take, &get_give,
				     &get_advise, &get_address),
	   0, "get");
	ok(found == desc && object == &mine && get_take == take && get_give == give &&
		   !get_advise && get_address == address,
	   "all parts");
	is(aclrtAllocatorSetAllocAdviseFuncToDesc(desc, advise), 0, "advice");
	is(aclrtAllocatorRegister(own, desc), 0, "register again");
	is(aclrtAllocatorGetByStream(own, NULL, NULL, NULL, NULL, &get_advise, NULL), 0,
	   "get");
	ok(get_advise == advise, "the newer one");
	is(aclrtAllocatorDestroyDesc(desc), 0, "destroy the description");
	is(aclrtAllocatorDestroyDesc(desc), 107000, "again");
	is(aclrtAllocatorDestroyDesc(NULL), 100000, "NULL");
	is(aclrtAllocatorGetByStream(own, NULL, &object, NULL, NULL, NULL, NULL), 0,
	   "the stream keeps it");
	is(aclrtAllocatorUnregister(own), 0, "undo");
	is(aclrtAllocatorUnregister(own), 107000, "again");
	is(aclrtDestroyStream(own), 0, "destroy");
}

static void test_data(void)
{
	char bytes[10];
	aclDataBuffer *buffer = aclCreateDataBuffer(bytes, 10);

	ok(buffer, "a data buffer");
	ok(aclGetDataBufferAddr(buffer) == bytes, "its address");
	is(aclGetDataBufferSize(buffer), 10, "its size");
	is(aclUpdateDataBuffer(buffer, bytes + 1, 1UL << 33), 0, "change it");
	is(aclGetDataBufferSizeV2(buffer), 1L << 33, "its size, all bits");
	is(aclUpdateDataBuffer(NULL, bytes, 1), 100000, "NULL");
	ok(!aclGetDataBufferAddr(NULL), "no address of NULL");
	is(aclGetDataBufferSizeV2(NULL), 0, "no size of NULL");
	is(aclDestroyDataBuffer(buffer), 0, "destroy");
	is(aclDestroyDataBuffer(NULL), 100000, "destroy: NULL");
	is(aclDataTypeSize(ACL_BF16), 2, "bf16");
	is(aclDataTypeSize(ACL_COMPLEX128), 16, "complex128");
	is(aclDataTypeSize(ACL_STRING), 0, "strings");
	is(aclDataTypeSize(ACL_DT_UNDEFINED), 0, "no type");
	is(aclDataTypeSize(ACL_INT4), 1, "int4: a byte");
	is(aclDataTypeSize(ACL_UINT1), 1, "uint1: a byte");
	is(aclDataTypeSize(ACL_FLOAT8_E4M3FN), 1, "float8");
	is(aclDataTypeSize(ACL_COMPLEX64), 8, "complex64");
	aclAppLog(ACL_INFO, __func__, __FILE__, __LINE__, "is not shown %d", 1);
}

int main(void)
{
	small_device();
	need_device();
	if (aclrtCreateStream(&s) || aclrtCreateStream(&t))
		bail_out("no stream");
	test_arguments();
	test_order();
	test_limit();
	test_yield();
	test_threads();
	test_allocator();
	test_data();
	return done_testing();
}
