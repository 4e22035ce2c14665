// SPDX-License-Identifier: MIT
/*
 * The three kernels of three_kernels.c once more, as functions of the host. A block is
 * one call; a block's part of the data is cut out as on the device.
 */
#include <stddef.h>

#include <aclkm/kernels.h>

struct tiling {
	uint32_t length;
	float factor;
};

/* This block's part of @length numbers. */
static uint32_t part(const struct aclkm_launch *launch, uint32_t length, uint32_t *end)
{
	uint32_t share = (length + launch->blocks - 1) / launch->blocks;
	uint32_t begin = launch->block * share;

	*end = begin + share < length ? begin + share : length;
	return begin;
}

/* out = a + b */
static int add(const struct aclkm_launch *launch)
{
	const struct {
		const float *a, *b;
		float *out;
		const struct tiling *tiling;
	} *args = launch->args;
	uint32_t end, i;

	for (i = part(launch, args->tiling->length, &end); i < end; i++)
		args->out[i] = args->a[i] + args->b[i];
	return 0;
}

/* out *= factor */
static int scale(const struct aclkm_launch *launch)
{
	const struct {
		float *out;
		const struct tiling *tiling;
	} *args = launch->args;
	uint32_t end, i;

	for (i = part(launch, args->tiling->length, &end); i < end; i++)
		args->out[i] *= args->tiling->factor;
	return 0;
}

/* partial[block] = the sum of the block's part. Refuses what it cannot divide. */
static int sum(const struct aclkm_launch *launch)
{
	const struct {
		const float *in;
		float *partial;
		uint64_t length;
	} *args = launch->args;
	uint32_t end, i;
	float total = 0;

	if (args->length > UINT32_MAX)
		return 1;
	for (i = part(launch, (uint32_t)args->length, &end); i < end; i++)
		total += args->in[i];
	args->partial[launch->block] = total;
	return 0;
}

static const uint32_t sum_sizes[] = {sizeof(float *), sizeof(float *), sizeof(uint64_t)};
static const struct aclkm_kernel kernels[] = {
	{.name = "add_custom", .run = add, .type = 2},
	{.name = "scale_custom", .run = scale, .type = 2},
	{.name = "sum_custom",
	 .run = sum,
	 .param_sizes = sum_sizes,
	 .param_count = 3,
	 .type = 2},
};

ACLKM_KERNEL_TABLE(kernels);
