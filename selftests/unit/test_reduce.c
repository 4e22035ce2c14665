// SPDX-License-Identifier: MIT
/*
 * Reductions against sums made here, 16-bit floats against all of their values, and
 * descriptors of cache hints.
 */
#include "gate.h"

#include <math.h>

#define SUM ACL_RT_MEMCPY_SDMA_AUTOMATIC_SUM
#define MAX ACL_RT_MEMCPY_SDMA_AUTOMATIC_MAX
#define MIN ACL_RT_MEMCPY_SDMA_AUTOMATIC_MIN

#define N 64
#define BYTES 4096

#define P(p) ((void **)&(p))

static void *dst, *src;

static aclError reduce(size_t count, aclrtReduceKind kind, aclDataType type)
{
	return aclrtReduceAsync(dst, src, count, kind, type, NULL, NULL)
		       ?: aclrtSynchronizeStream(NULL);
}

#define INTEGERS(TYPE, UNSIGNED, NAME, VALUE)                                            \
	do {                                                                             \
		TYPE *to = dst, a[N];                                                    \
		const TYPE *b = src;                                                     \
		const aclrtReduceKind kinds[] = {SUM, MAX, MIN};                         \
		int i, k, wrong = 0;                                                     \
		for (k = 0; k < 3; k++) {                                                \
			for (i = 0; i < N; i++) {                                        \
				a[i] = to[i] = (TYPE)((UNSIGNED)i * 7919U * 104729U);    \
				((TYPE *)src)[i] = (TYPE)((UNSIGNED)(i + 3) * 2654435U); \
			}                                                                \
			is(reduce(sizeof(a), kinds[k], VALUE), 0, NAME ": %d",           \
			   kinds[k]);                                                    \
			for (i = 0; i < N; i++)                                          \
				wrong += to[i] !=                                        \
					 (k == 0   ? (TYPE)((UNSIGNED)a[i] +             \
							    (UNSIGNED)b[i])              \
					  : k == 1 ? (a[i] > b[i] ? a[i] : b[i])         \
						   : (a[i] < b[i] ? a[i] : b[i]));       \
		}                                                                        \
		is(wrong, 0, NAME ": each value is right");                              \
	} while (0)

static void test_integers(void)
{
	INTEGERS(int8_t, uint8_t, "int8", ACL_INT8);
	INTEGERS(int16_t, uint16_t, "int16", ACL_INT16);
	INTEGERS(int32_t, uint32_t, "int32", ACL_INT32);
}

static void test_floats(void)
{
	float *a = dst, *b = src;
	aclFloat16 *h = dst, *g = src;
	uint16_t *u = dst, *v = src;

	a[0] = 1.5f, b[0] = 2.25f;
	a[1] = -1e30f, b[1] = 1.0f;
	is(reduce(8, SUM, ACL_FLOAT), 0, "float: sum");
	ok(a[0] == 3.75f && a[1] == -1e30f, "is right");
	is(reduce(8, MAX, ACL_FLOAT), 0, "float: max");
	ok(a[0] == 3.75f && a[1] == 1.0f, "is right");
	h[0] = aclFloatToFloat16(0.5f), g[0] = aclFloatToFloat16(2048.0f);
	h[1] = aclFloatToFloat16(-3.0f), g[1] = aclFloatToFloat16(3.0f);
	h[2] = 0x7bff, g[2] = 0x7bff;
	is(reduce(6, SUM, ACL_FLOAT16), 0, "half: sum");
	is(h[0], aclFloatToFloat16(2048.0f), "2048.5 is rounded to the even one");
	is(h[1], 0, "-3 + 3");
	is(h[2], 0x7c00, "what is too large is infinite");
	h[0] = aclFloatToFloat16(-8.0f), g[0] = aclFloatToFloat16(0.25f);
	is(reduce(2, MIN, ACL_FLOAT16), 0, "half: min");
	is(h[0], aclFloatToFloat16(-8.0f), "is right");
	u[0] = 0x3f80, v[0] = 0x4000; /* 1 + 2 */
	u[1] = 0x3f80, v[1] = 0x3b80; /* 1 + 2^-8: half a unit, to the even one */
	u[2] = 0x3f81, v[2] = 0x3b80;
	is(reduce(6, SUM, ACL_BF16), 0, "bfloat: sum");
	ok(u[0] == 0x4040 && u[1] == 0x3f80 && u[2] == 0x3f82, "is right, and rounded");
}

static void test_order(void)
{
	struct gate gate;
	aclrtStream s;
	int32_t *a = dst, *b = src;

	if (aclrtCreateStream(&s))
		bail_out("no stream");
	a[0] = 1, b[0] = 5;
	gate_close(&gate, s);
	is(aclrtReduceAsync(dst, src, 4, SUM, ACL_INT32, s, NULL), 0, "behind a gate");
	is(a[0], 1, "nothing is done yet");
	gate_open(&gate);
	is(aclrtSynchronizeStream(s), 0, "wait");
	is(a[0], 6, "done");
	is(aclrtDestroyStream(s), 0, "destroy");
	is(aclrtReduceAsync(dst, src, 4, SUM, ACL_INT32, s, NULL), 107003, "no stream");
}

static void test_wrong(void)
{
	char *heap = malloc(64);

	is(aclrtReduceAsync(NULL, src, 4, SUM, ACL_INT32, NULL, NULL), 100000,
	   "dst NULL");
	is(aclrtReduceAsync(dst, NULL, 4, SUM, ACL_INT32, NULL, NULL), 100000,
	   "src NULL");
	is(aclrtReduceAsync(dst, src, 4, SUM, ACL_INT32, NULL, src), 100000, "reserve");
	is(reduce(0, SUM, ACL_INT32), 107000, "no bytes");
	is(reduce(6, SUM, ACL_INT32), 107000, "one element and a half");
	ok(recent_has("multiples of the element"), "the text says so");
	is(reduce(4, (aclrtReduceKind)9, ACL_INT32), 107000, "no such kind");
	is(reduce(4, (aclrtReduceKind)-1, ACL_INT32), 107000, "kind -1");
	is(reduce(4, ACL_RT_MEMCPY_SDMA_AUTOMATIC_EQUAL, ACL_INT32), 207000, "EQUAL");
	is(reduce(4, SUM, ACL_UINT8), 207000, "a type that it has not");
	is(reduce(8, SUM, ACL_DOUBLE), 207000, "double");
	is(reduce(4, SUM, (aclDataType)1000), 207000, "no such type");
	is(aclrtReduceAsync((char *)dst + 2, src, 4, SUM, ACL_INT32, NULL, NULL), 107000,
	   "dst unaligned");
	is(aclrtReduceAsync(dst, (char *)src + 1, 4, SUM, ACL_FLOAT16, NULL, NULL),
	   107000, "src unaligned");
	is(aclrtReduceAsync(dst, heap, 4, SUM, ACL_INT32, NULL, NULL), 107000,
	   "memory of the program");
	free(heap);
}

/* All 65536 halves there and back, and what the documents say of the strange ones. */
static void test_halves(void)
{
	uint32_t half, wrong = 0;

	for (half = 0; half < 0x10000; half++) {
		if ((half & 0x7c00) == 0x7c00)
			continue;
		wrong += aclFloatToFloat16(aclFloat16ToFloat((aclFloat16)half)) != half;
	}
	is(wrong, 0, "every finite half is the same after both ways");
	ok(aclFloat16ToFloat(0x3c00) == 1.0f && aclFloat16ToFloat(0xc000) == -2.0f &&
		   aclFloat16ToFloat(0x0001) == 0x1p-24f &&
		   aclFloat16ToFloat(0x03ff) == 1023 * 0x1p-24f &&
		   aclFloat16ToFloat(0x7bff) == 65504.0f,
	   "1, -2, the smallest, the largest subnormal, the largest");
	ok(aclFloat16ToFloat(0x7c00) == 65536.0f &&
		   aclFloat16ToFloat(0xfc00) == -65536.0f &&
		   aclFloat16ToFloat(0x7e00) == 98304.0f,
	   "the largest exponent is one as the others");
	ok(aclFloatToFloat16(INFINITY) == 0x7bff &&
		   aclFloatToFloat16(-INFINITY) == 0xfbff &&
		   aclFloatToFloat16(NAN) == 0x7bff && aclFloatToFloat16(1e9f) == 0x7bff,
	   "too large becomes the largest");
	ok(aclFloatToFloat16(0x1p-25f) == 0 && aclFloatToFloat16(0x1.8p-25f) == 1 &&
		   aclFloatToFloat16(0x1p-60f) == 0 && aclFloatToFloat16(-0.0f) == 0x8000,
	   "too small becomes 0, with its sign");
	ok(aclFloatToFloat16(1.0f + 0x1p-11f) == 0x3c00 &&
		   aclFloatToFloat16(1.0f + 3 * 0x1p-11f) == 0x3c02,
	   "half a unit goes to the even one");
}

static void test_hints(void)
{
	size_t size = 0;
	char other[64] = "";
	void *desc;

	is(aclrtCmoGetDescSize(&size), 0, "size of a descriptor");
	is(aclrtCmoGetDescSize(NULL), 100000, "NULL");
	ok(size && size <= sizeof(other), "is %zu", size);
	if (aclrtMalloc(&desc, size, ACL_MEM_MALLOC_NORMAL_ONLY))
		bail_out("no memory");
	aclrtMemset(desc, size, 0, size);
	is(aclrtCmoAsyncWithDesc(desc, ACL_RT_CMO_TYPE_PREFETCH, NULL, NULL), 107000,
	   "not described yet");
	is(aclrtCmoSetDesc(desc, src, BYTES), 0, "describe");
	is(aclrtCmoAsyncWithDesc(desc, ACL_RT_CMO_TYPE_PREFETCH, NULL, NULL), 0, "hint");
	is(aclrtSynchronizeStream(NULL), 0, "wait");
	is(aclrtCmoAsyncWithDesc(desc, (aclrtCmoType)4, NULL, NULL), 100000, "type");
	is(aclrtCmoAsyncWithDesc(desc, ACL_RT_CMO_TYPE_PREFETCH, NULL, desc), 100000,
	   "reserve");
	is(aclrtCmoAsyncWithDesc(NULL, ACL_RT_CMO_TYPE_PREFETCH, NULL, NULL), 100000,
	   "NULL");
	is(aclrtCmoAsyncWithDesc(other, ACL_RT_CMO_TYPE_PREFETCH, NULL, NULL), 107000,
	   "memory of the program");
	is(aclrtCmoSetDesc(NULL, src, 1) | aclrtCmoSetDesc(desc, NULL, 1) |
		   aclrtCmoSetDesc(desc, src, 0),
	   100000, "describe: NULL, size 0");
	is(aclrtCmoSetDesc(other, src, 1), 107000, "describe: memory of the program");
	is(aclrtFree(desc), 0, "free");
}

static void *without_context(void *arg)
{
	(void)arg;
	is(reduce(4, SUM, ACL_INT32), 107002, "without a context");
	return NULL;
}

int main(void)
{
	small_device();
	need_device();
	if (aclrtMalloc(P(dst), BYTES, ACL_MEM_MALLOC_NORMAL_ONLY) ||
	    aclrtMallocHost(P(src), BYTES))
		bail_out("no memory");
	test_integers();
	test_floats();
	test_order();
	test_wrong();
	test_halves();
	test_hints();
	in_thread(without_context, NULL);
	is(aclrtFree(dst) | aclrtFreeHost(src), 0, "free");
	return done_testing();
}
