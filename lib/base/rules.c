// SPDX-License-Identifier: MIT
/* Sizes and strides of blocks and segments, checked for overflow. */
#include <stddef.h>

#include "base/rules.h"

int aclkm_align_up(uint64_t value, uint64_t align, uint64_t *out)
{
	uint64_t sum;

	if (!out || !is_power_of_two(align))
		return ACLKM_ERR_INVALID;
	if (__builtin_add_overflow(value, align - 1, &sum))
		return ACLKM_ERR_OVERFLOW;
	*out = sum & ~(align - 1);
	return ACLKM_OK;
}

/*
 * The padding goes in before the rounding, as in the runtime: with 32 that is
 * ALIGN_UP[len,32] + 32, with 16 the result is still a multiple of 32.
 */
static int padded_size(uint64_t len, uint32_t padding, uint64_t *out)
{
	uint64_t sum;

	if (!out || !len || !is_padding(padding))
		return ACLKM_ERR_INVALID;
	if (__builtin_add_overflow(len, (uint64_t)padding, &sum))
		return ACLKM_ERR_OVERFLOW;
	return aclkm_align_up(sum, ACLKM_RULE_UNIT, out);
}

int aclkm_block_size(uint64_t len, enum aclkm_block_rule rule, uint32_t padding,
		     uint64_t *out)
{
	if (!is_padding(padding))
		return ACLKM_ERR_INVALID;

	switch (rule) {
	case ACLKM_BLOCK_PADDED:
		return padded_size(len, padding, out);
	case ACLKM_BLOCK_ALIGN32:
	case ACLKM_BLOCK_HUGE1G:
		return padded_size(len, 0, out);
	}
	return ACLKM_ERR_INVALID;
}

int aclkm_segment_size(uint64_t len, uint32_t padding, uint64_t *out)
{
	return padded_size(len, padding, out);
}

int aclkm_segment_stride(uint64_t len, uint32_t padding, uint64_t align, uint64_t *out)
{
	uint64_t m;
	int err;

	if (align < ACLKM_RULE_ALIGN)
		return ACLKM_ERR_INVALID;
	err = padded_size(len, padding, out ? &m : NULL);
	if (err)
		return err;
	return aclkm_align_up(m, align, out);
}
