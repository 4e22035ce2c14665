/* SPDX-License-Identifier: MIT */
/* Which side of a copy is what, and the copy itself. */
#ifndef LIB_COPY_H
#define LIB_COPY_H

#include <stddef.h>

/* Does it now. The ranges may overlap. */
void copy_bytes(void *dst, const void *src, size_t count);

/* @rows rows, as one where nothing lies between them. The areas do not overlap. */
void copy_rows(void *dst, size_t dst_pitch, const void *src, size_t src_pitch,
	       size_t width, size_t rows);

/* Sets every byte of the range to the low byte of @value, now. */
void fill_bytes(void *dst, int value, size_t count);

#endif /* LIB_COPY_H */
