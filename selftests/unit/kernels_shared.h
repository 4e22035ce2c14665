/* SPDX-License-Identifier: MIT */
/* What test_kernels and its host functions agree on. */
#ifndef KERNELS_SHARED_H
#define KERNELS_SHARED_H

#include <stdint.h>

#include "aclkm/kernels.h"

struct add_tiling {
	uint32_t length;
};

struct add_args {
	const int32_t *a, *b;
	int32_t *out;
	const struct add_tiling *tiling;
};

struct scale_args {
	int64_t *value;
	int64_t factor, offset;
};

#define SEEN_CALLS 8
#define SEEN_ARGS 64

struct seen {
	uint32_t calls;
	uint32_t blocks[SEEN_CALLS];
	struct aclkm_launch last;
	unsigned char args[SEEN_ARGS];
	void (*before_return)(struct seen *seen);
	int answer;
};

struct record_args {
	struct seen *seen;
};

#endif /* KERNELS_SHARED_H */
