/* SPDX-License-Identifier: MIT */
/* Whether an access will fault, told without one. */
#ifndef LIB_CHECK_REACH_H
#define LIB_CHECK_REACH_H

#include <stdbool.h>
#include <stdint.h>

/* @size bytes at @at; for @rows > 1 in each of them, which start @pitch apart. */
struct use {
	const void *at;
	const void *target; /* where the library itself writes them; NULL: there */
	uint64_t size;
	uint64_t pitch, rows;
	bool writes;
};

/*
 * NULL unless the use is sure to fault and to end the process: part of it is not mapped
 * or has not the right, and the program has no handler that might put that right. Else
 * why.
 */
const char *check_unreachable(const struct use *use);

#endif /* LIB_CHECK_REACH_H */
