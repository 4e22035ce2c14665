/* SPDX-License-Identifier: MIT */
/*
 * Copies and fills of plain addresses, in the calling thread with the help of the crew: a
 * kernel for each machine, and a tuner that finds the fastest way by trying.
 */
#ifndef LIB_COPY_H
#define LIB_COPY_H

#include <stddef.h>

#include "copy/crew.h"
#include "copy/kernels.h"
#include "copy/tuner.h"

/* Does it now. The ranges may overlap. */
void copy_bytes(void *dst, const void *src, size_t count);

/* @rows rows, as one where nothing lies between them. The areas do not overlap. */
void copy_rows(void *dst, size_t dst_pitch, const void *src, size_t src_pitch,
	       size_t width, size_t rows);

/* Sets every byte of the range to the low byte of @value, now. */
void fill_bytes(void *dst, int value, size_t count);

#endif /* LIB_COPY_H */
