/* SPDX-License-Identifier: MIT */
/* Reports about a block: what it is, and which of its bytes were written. No state. */
#ifndef LIB_CHECK_REPORT_H
#define LIB_CHECK_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "alloc/alloc.h"
#include "debug/report.h"

/* A block as the program knows it; after its free, for a while. */
struct checked {
	uint64_t base;
	uint64_t asked;
	uint64_t ruled;
	enum aclkm_kind kind;
	bool freed;
	bool held;	       /* freed, but not given back to the heap */
	bool in_use;	       /* a task still uses it, which was told */
	uint32_t taken, given; /* where: numbers of stacks.h */
};

/* A finding, here, about a block if any. */
struct report checked_report(const char *check, struct trace *here,
			     const struct checked *block);

/* Lines of a report: the block, and where it was taken and freed. */
void checked_describe(const struct checked *block);

void check_report_held(const struct checked *block, const uint8_t *bad);
void check_report_red_zone(const struct checked *block, const uint8_t *bad);

#endif /* LIB_CHECK_REPORT_H */
