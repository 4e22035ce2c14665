/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Operations on /dev/aclkm that are repeated with the first, the second, the
 * third ... place where the kernel can fail made to fail (fail-nth), until one
 * runs through. What they are stands in the table of ops.c.
 */
#ifndef ACLKM_FAULT_H
#define ACLKM_FAULT_H

#include "../kmod/common.h"

#define USER_BYTES (64 * PAGE)

/* What an operation works on; filled by its set-up, emptied by its take-down. */
struct state {
	int fd; /* of the device, -1 if none */
	int extra[2]; /* other descriptors, -1 if none */
	uint32_t handle;
	uint64_t offset;
	uint64_t size;
	void *addr; /* mapping, NULL if none */
	size_t len;
	void *addr2;
	size_t len2;
	int buf; /* dma-buf, -1 if none */
	void *user; /* memory of this process, NULL if none */
};

struct fault_op {
	const char *name;
	/* Without faults; may be NULL. Aborts when it fails. */
	void (*setup)(struct state *s);
	/* One system call, or one touch of memory: 0 or a negative errno. */
	int (*run)(struct state *s);
	/* Whether all is as the call, which has succeeded, must have left it; may be NULL. */
	bool (*good)(struct state *s);
	/* With which errors it may fail, when a fault came. */
	int errors[4];
	/* One mapping may have become two although it failed: that is how the core splits. */
	bool splits;
};

extern const struct fault_op fault_ops[];
extern const unsigned int nr_fault_ops;

#endif /* ACLKM_FAULT_H */
