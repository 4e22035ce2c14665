/* SPDX-License-Identifier: MIT */
/* dst[i] = dst[i] OP src[i], as a task of a stream. */
#ifndef LIB_REDUCE_H
#define LIB_REDUCE_H

#include <stdint.h>

enum reduce_kind { REDUCE_SUM, REDUCE_MAX, REDUCE_MIN };

enum reduce_type {
	REDUCE_INT8,
	REDUCE_INT16,
	REDUCE_INT32,
	REDUCE_HALF,
	REDUCE_FLOAT,
	REDUCE_BFLOAT
};

/* Bytes of an element. */
uint64_t reduce_size(enum reduce_type type);

/* @count bytes, whole elements. As stream_submit. */
int reduce_submit(void *dst, const void *src, uint64_t count, enum reduce_kind kind,
		  enum reduce_type type, uintptr_t stream);

#endif /* LIB_REDUCE_H */
