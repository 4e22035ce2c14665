// SPDX-License-Identifier: MIT
/* The arithmetic, against the table computed from the documents' formula. */
#include "aclkm/rules.h"
#include "tap.h"

static const struct vector {
	uint64_t len, align32, m, stride64, stride128, bare64, bare128;
} vectors[] = {
	{1, 32, 64, 64, 128, 64, 128},
	{31, 32, 64, 64, 128, 64, 128},
	{32, 32, 64, 64, 128, 64, 128},
	{33, 64, 96, 128, 128, 64, 128},
	{63, 64, 96, 128, 128, 64, 128},
	{64, 64, 96, 128, 128, 64, 128},
	{65, 96, 128, 128, 128, 128, 128},
	{95, 96, 128, 128, 128, 128, 128},
	{96, 96, 128, 128, 128, 128, 128},
	{97, 128, 160, 192, 256, 128, 128},
	{100, 128, 160, 192, 256, 128, 128},
	{127, 128, 160, 192, 256, 128, 128},
	{128, 128, 160, 192, 256, 128, 128},
	{129, 160, 192, 192, 256, 192, 256},
	{1000, 1024, 1056, 1088, 1152, 1024, 1024},
	{1024, 1024, 1056, 1088, 1152, 1024, 1024},
	{4096, 4096, 4128, 4160, 4224, 4096, 4096},
	{65535, 65536, 65568, 65600, 65664, 65536, 65536},
	{65536, 65536, 65568, 65600, 65664, 65536, 65536},
	{1048576, 1048576, 1048608, 1048640, 1048704, 1048576, 1048576},
	{2097152, 2097152, 2097184, 2097216, 2097280, 2097152, 2097152},
	{3110400, 3110400, 3110432, 3110464, 3110528, 3110400, 3110400},
};

static uint64_t block(uint64_t len, enum aclkm_block_rule rule, uint32_t padding)
{
	uint64_t out = 0;

	return aclkm_block_size(len, rule, padding, &out) ? 0 : out;
}

static uint64_t stride(uint64_t len, uint32_t padding, uint64_t align)
{
	uint64_t out = 0;

	return aclkm_segment_stride(len, padding, align, &out) ? 0 : out;
}

static void test_vector(const struct vector *v)
{
	uint64_t m = 0;

	is(block(v->len, ACLKM_BLOCK_ALIGN32, 32), v->align32, "len %d: align32",
	   (int)v->len);
	is(block(v->len, ACLKM_BLOCK_HUGE1G, 32), v->align32, "len %d: 1 GiB",
	   (int)v->len);
	is(block(v->len, ACLKM_BLOCK_PADDED, 0), v->align32, "len %d: padding 0",
	   (int)v->len);
	is(block(v->len, ACLKM_BLOCK_PADDED, 32), v->m, "len %d: block", (int)v->len);
	aclkm_segment_size(v->len, 32, &m);
	is(m, v->m, "len %d: segment", (int)v->len);
	is(stride(v->len, 32, 64), v->stride64, "len %d: stride 64", (int)v->len);
	is(stride(v->len, 32, 128), v->stride128, "len %d: stride 128", (int)v->len);
	is(stride(v->len, 0, 64), v->bare64, "len %d: no padding, 64", (int)v->len);
	is(stride(v->len, 0, 128), v->bare128, "len %d: no padding, 128", (int)v->len);
}

static void test_limits(void)
{
	const uint64_t top = UINT64_MAX;
	uint64_t out = 7;

	is(aclkm_block_size(top - 62, ACLKM_BLOCK_PADDED, 32, &out), ACLKM_ERR_OVERFLOW,
	   "2^64 - 63 does not fit with padding");
	is(aclkm_block_size(top - 63, ACLKM_BLOCK_PADDED, 32, &out), 0, "2^64 - 64 does");
	ok(out == top - 31, "and takes 2^64 - 32");
	is(aclkm_block_size(top - 31, ACLKM_BLOCK_ALIGN32, 32, &out), 0,
	   "2^64 - 32, no padding");
	is(aclkm_block_size(top - 30, ACLKM_BLOCK_ALIGN32, 32, &out), ACLKM_ERR_OVERFLOW,
	   "2^64 - 31, no padding");
	is(aclkm_segment_stride(top - 63, 32, 64, &out), ACLKM_ERR_OVERFLOW,
	   "m fits, its stride does not");
	is(aclkm_segment_size(top, 32, &out), ACLKM_ERR_OVERFLOW, "segment of 2^64 - 1");
	out = 7;
	is(aclkm_block_size(0, ACLKM_BLOCK_PADDED, 32, &out), ACLKM_ERR_INVALID,
	   "length 0");
	is(aclkm_segment_size(0, 32, &out), ACLKM_ERR_INVALID, "segment of length 0");
	is(aclkm_segment_stride(0, 32, 64, &out), ACLKM_ERR_INVALID,
	   "stride of length 0");
	is(aclkm_segment_stride(1, 32, 32, &out), ACLKM_ERR_INVALID, "alignment 32");
	is(aclkm_segment_stride(1, 32, 96, &out), ACLKM_ERR_INVALID, "alignment 96");
	is(aclkm_segment_stride(1, 32, 0, &out), ACLKM_ERR_INVALID, "alignment 0");
	is(aclkm_block_size(1, ACLKM_BLOCK_PADDED, 8, &out), ACLKM_ERR_INVALID,
	   "padding 8");
	is(aclkm_block_size(1, ACLKM_BLOCK_HUGE1G, 8, &out), ACLKM_ERR_INVALID,
	   "padding 8 where none is added");
	is(aclkm_block_size(1, (enum aclkm_block_rule)9, 32, &out), ACLKM_ERR_INVALID,
	   "rule 9");
	is(aclkm_block_size(1, ACLKM_BLOCK_PADDED, 32, NULL), ACLKM_ERR_INVALID, "NULL");
	is(aclkm_segment_stride(1, 32, 64, NULL), ACLKM_ERR_INVALID, "stride to NULL");
	is(out, 7, "an error writes nothing");
}

static void test_align_up(void)
{
	uint64_t out = 7;

	is(aclkm_align_up(0, 64, &out), 0, "0 is aligned");
	is(out, 0, "and stays 0");
	is(aclkm_align_up(UINT64_MAX, 1, &out), 0, "alignment 1 takes anything");
	is(aclkm_align_up(UINT64_MAX, 2, &out), ACLKM_ERR_OVERFLOW, "2^64 - 1 to 2");
	is(aclkm_align_up(1, 3, &out), ACLKM_ERR_INVALID, "alignment 3");
	is(aclkm_align_up(1, 0, &out), ACLKM_ERR_INVALID, "alignment 0");
	is(block(33, ACLKM_BLOCK_PADDED, 16), 64, "33 with padding 16");
	is(block(1, ACLKM_BLOCK_PADDED, 16), 32, "1 with padding 16");
}

/* The implementation's formula from the documents is the same for every size. */
static void test_formula(void)
{
	bool same = true;
	uint64_t len;

	for (len = 1; len <= 100000; len++) {
		same = same && block(len, ACLKM_BLOCK_PADDED, 32) == (len + 63) / 32 * 32;
		same = same && block(len, ACLKM_BLOCK_PADDED, 32) ==
				       ((len - 1) / 32 + 1) * 32 + 32;
		same = same && stride(len, 32, 64) % 64 == 0;
	}
	ok(same, "both ways to write the formula agree for 1 to 100000");
}

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		test_vector(&vectors[i]);
	test_limits();
	test_align_up();
	test_formula();
	return done_testing();
}
