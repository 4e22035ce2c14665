// SPDX-License-Identifier: MIT
/*
 * Secondary allocation: one block is taken, and divided among tensors. By the rule of
 * "Secondary Memory Allocation" a segment for len bytes takes m = ALIGN_UP[len,32] + 32
 * and starts on a multiple of 64. Once by hand, with the library's arithmetic, and once
 * with the library's pool: the layouts are the same.
 */
#include <acl/dvpp/hi_dvpp.h>
#include <aclkm/aclkm.h>

#include "check.h"

static const struct {
	const char *name;
	size_t len;
} tensors[] = {
	{"image, 1x3x224x224 uint8", 1 * 3 * 224 * 224},
	{"weights, 64x3x7x7 float16", 64 * 3 * 7 * 7 * 2},
	{"bias, 64 float16", 64 * 2},
	{"anchors, 9x4 float32", 9 * 4 * 4},
	{"flag, 1 uint8", 1},
	{"scores, 1000 float32", 1000 * 4},
};

enum { TENSORS = sizeof(tensors) / sizeof(tensors[0]) };

/* By hand: where each tensor starts. Returns the bytes that all of them take. */
static size_t lay_out(uint64_t offsets[TENSORS])
{
	uint64_t at = 0, stride;
	size_t i;

	for (i = 0; i < TENSORS; i++) {
		offsets[i] = at;
		CHECK(aclkm_segment_stride(tensors[i].len, ACLKM_RULE_PADDING,
					   ACLKM_RULE_ALIGN, &stride));
		at += stride;
	}
	return at;
}

/* What the rule says of a layout; the text of the first fault when there is one. */
static int judge(const void *base, size_t size, const uint64_t offsets[TENSORS],
		 struct aclkm_layout_report *report)
{
	struct aclkm_layout_segment segments[TENSORS];
	size_t i;

	for (i = 0; i < TENSORS; i++) {
		segments[i].offset = offsets[i];
		segments[i].len = tensors[i].len;
	}
	return aclkm_layout_check(base, size, segments, TENSORS, ACLKM_RULE_ALIGN,
				  ACLKM_RULE_PADDING, report);
}

/* Each tensor is filled by itself; after the last, all must still be as they were. */
static void use(unsigned char *const starts[TENSORS])
{
	unsigned char *back;
	size_t i, byte;

	for (i = 0; i < TENSORS; i++)
		CHECK(aclrtMemset(starts[i], tensors[i].len, (int)i + 1, tensors[i].len));
	for (i = 0; i < TENSORS; i++) {
		back = malloc(tensors[i].len);
		expect(back, "no memory to read into");
		CHECK(aclrtMemcpy(back, tensors[i].len, starts[i], tensors[i].len,
				  ACL_MEMCPY_DEVICE_TO_HOST));
		for (byte = 0; byte < tensors[i].len; byte++)
			expect(back[byte] == i + 1, "a tensor holds another's bytes");
		free(back);
	}
}

int main(void)
{
	unsigned char *block, *by_hand[TENSORS], *by_pool[TENSORS];
	struct aclkm_layout_report report;
	struct aclkm_pool_stats stats;
	struct aclkm_pool *pool;
	uint64_t offsets[TENSORS], m;
	size_t i, total = lay_out(offsets);
	void *p;

	CHECK(aclInit(NULL));
	CHECK(aclrtSetDevice(0));

	/* By hand: a block of the sum, and each tensor at its offset. */
	CHECK(aclrtMalloc(&p, total, ACL_MEM_MALLOC_HUGE_FIRST));
	block = p;
	CHECK(judge(block, total, offsets, &report));
	for (i = 0; i < TENSORS; i++)
		by_hand[i] = block + offsets[i];
	use(by_hand);

	/* With the pool: it finds the place. */
	CHECK(aclkm_pool_create(ACLKM_POOL_LINEAR, total, ACLKM_PAGES_HUGE_FIRST, 0,
				&pool));
	for (i = 0; i < TENSORS; i++) {
		CHECK(aclkm_segment_alloc(pool, tensors[i].len, &p));
		by_pool[i] = p;
	}
	use(by_pool);

	printf("%-26s %8s %8s %10s %10s\n", "tensor", "len", "m", "by hand", "by pool");
	for (i = 0; i < TENSORS; i++) {
		CHECK(aclkm_segment_size(tensors[i].len, ACLKM_RULE_PADDING, &m));
		p = aclkm_pool_base(pool);
		printf("%-26s %8zu %8llu %10llu %10td\n", tensors[i].name, tensors[i].len,
		       (unsigned long long)m, (unsigned long long)offsets[i],
		       by_pool[i] - (unsigned char *)p);
		expect(by_pool[i] - (unsigned char *)p == (ptrdiff_t)offsets[i],
		       "the pool's layout is not that by hand");
	}
	CHECK(aclkm_pool_stats(pool, &stats));
	printf("%-26s %8s %8s %10zu %10llu\n", "all", "", "", total,
	       (unsigned long long)stats.used);
	expect(stats.segments == TENSORS && stats.used == total, "what the pool counts");

	/* The usual mistake: lengths rounded up to 64, and nothing for the 32 behind. */
	for (i = 1; i < TENSORS; i++)
		offsets[i] = offsets[i - 1] + ALIGN_UP(tensors[i - 1].len, 64);
	expect(judge(block, total, offsets, &report) == ACLKM_ERR_INVALID &&
		       report.fault == ACLKM_LAYOUT_PADDING,
	       "a layout without padding passes");
	printf("\nwithout the 32 bytes: %s\n", report.text);

	for (i = 0; i < TENSORS; i++)
		CHECK(aclkm_segment_free(pool, by_pool[i]));
	CHECK(aclkm_pool_destroy(pool, 0));
	CHECK(aclrtFree(block));
	CHECK(aclrtResetDevice(0));
	CHECK(aclFinalize());
	printf("secondary_pool: ok\n");
	return 0;
}
