// SPDX-License-Identifier: MIT
/* Host functions for the kernels that test_kernels launches: ACLKM_KERNELS names them. */
#include <string.h>

#include "../kernels_shared.h"

/* out[i] = a[i] + b[i], each block its own part; the length is a placeholder's. */
static int add(const struct aclkm_launch *launch)
{
	const struct add_args *args = launch->args;
	uint32_t i;

	for (i = launch->block; i < args->tiling->length; i += launch->blocks)
		args->out[i] = args->a[i] + args->b[i];
	return 0;
}

/* Multiplies in place, so that the order of launches shows in the result. */
static int scale(const struct aclkm_launch *launch)
{
	const struct scale_args *args = launch->args;

	if (!launch->block)
		*args->value = *args->value * args->factor + args->offset;
	return 0;
}

/* Writes down what it was called with. */
static int record(const struct aclkm_launch *launch)
{
	const struct record_args *args = launch->args;
	struct seen *seen = args->seen;

	if (launch->size != sizeof(*launch))
		return 1;
	if (seen->calls < SEEN_CALLS)
		seen->blocks[seen->calls] = launch->block;
	seen->calls++;
	seen->last = *launch;
	memcpy(seen->args, launch->args,
	       launch->args_size < SEEN_ARGS ? launch->args_size : SEEN_ARGS);
	if (seen->before_return)
		seen->before_return(seen);
	return seen->answer;
}

static const uint32_t record_sizes[] = {sizeof(void *), 1, 4, 16};
static const struct aclkm_kernel kernels[] = {
	{.name = "add_custom", .run = add, .entry = 7, .type = 2},
	{.name = "scale_custom", .run = scale, .entry = 9},
	{.name = "record",
	 .run = record,
	 .entry = 9,
	 .param_sizes = record_sizes,
	 .param_count = 4,
	 .type = 3},
};

ACLKM_KERNEL_TABLE(kernels);
