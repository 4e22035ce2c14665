/* SPDX-License-Identifier: MIT */
/*
 * Copies and fills by the CPU, done when the call returns, with the way that was
 * found fastest on this machine. aclrtMemcpy and the streams use the same.
 *
 * No context is needed; any memory, any alignment. Any thread. Every function can
 * also return ACLKM_ERR_FORKED.
 *
 * For sizes from 256 KiB the library tries what it has (the C library's memmove,
 * loops that store past the caches, several threads) on the first copies of about
 * that size, takes the time, and stays with the fastest.
 */
#ifndef ACLKM_COPY_H
#define ACLKM_COPY_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A flag of aclkm_copy: the source is mapped WC or UC, and is read by streaming loads.
 * All copies do that by themselves where the library has made the mapping, which is
 * that of a dma-buf by aclkm_dmabuf_import; the flag is for other mappings.
 */
#define ACLKM_COPY_UNCACHED (1U << 0)

/* One piece of aclkm_copy_batch. */
struct aclkm_copy_piece {
	void *dst;
	const void *src;
	size_t count;
};

/* How copies are done; what aclkm_copy_tune sets. 0 of a field: by measurement. */
struct aclkm_copy_tuning {
	size_t past_caches; /* bytes from which stores go past the caches; SIZE_MAX: never
			     */
	unsigned int threads; /* that share one large copy, at most 16; 1: no sharing */
};

/**
 * aclkm_copy - copy @count bytes; the ranges may overlap
 * @flags: 0 or ACLKM_COPY_UNCACHED (the ranges must not overlap then)
 *
 * ACLKM_ERR_INVALID (NULL with a count, flags).
 */
ACLKM_API int aclkm_copy(void *dst, const void *src, size_t count, unsigned int flags);

/**
 * aclkm_copy_2d - copy @rows rows of @width bytes
 * @dst_pitch, @src_pitch: bytes from one row to the next, from @width
 *
 * Rows that follow each other without a gap on both sides are copied as one. The
 * two areas must not overlap. ACLKM_ERR_INVALID (NULL, a pitch below the width),
 * ACLKM_ERR_OVERFLOW (an area leaves 64 bits).
 */
ACLKM_API int aclkm_copy_2d(void *dst, size_t dst_pitch, const void *src,
			    size_t src_pitch, size_t width, size_t rows);

/**
 * aclkm_copy_batch - copy @n pieces, in order
 *
 * Neighbours that continue each other on both sides are copied as one, so no
 * piece may overlap with another. Nothing is copied on an error.
 * ACLKM_ERR_INVALID (NULL with a count, or @pieces NULL).
 */
ACLKM_API int aclkm_copy_batch(const struct aclkm_copy_piece *pieces, size_t n);

/* aclkm_fill - set @count bytes to the low byte of @value. ACLKM_ERR_INVALID (NULL). */
ACLKM_API int aclkm_fill(void *dst, int value, size_t count);

/* aclkm_copy_tune - from now on; NULL: all by measurement. */
ACLKM_API int aclkm_copy_tune(const struct aclkm_copy_tuning *tuning);

/*
 * The library's threads: one for each stream that has something to do, and those
 * that share large copies with them.
 */
struct aclkm_workers {
	const char *cpus; /* where they may run: "0-3,8"; NULL: as the process may */
	int32_t node;	  /* only the CPUs of this NUMA node; -1: any */
	uint32_t threads; /* that share one large copy, at most 16; 1: no sharing; 0: as
			   * many as there are CPUs, at most 4 */
	uint32_t spin_us; /* microseconds for which a thread that has nothing to do, or
			   * waits for a stream, looks before it sleeps, at most
			   * 1000000; UINT32_MAX: 20, and 0 where there is one CPU */
};

/**
 * aclkm_workers_set - for streams and threads that are made from now on
 * @workers: NULL: what ACLKM_WORKER_CPUS, ACLKM_WORKER_NODE, ACLKM_WORKERS and
 *	ACLKM_WORKER_SPIN say in the environment, which is also how it begins
 *
 * What aclkm_copy_tune says of threads goes before. Nothing is changed on an error.
 * ACLKM_ERR_INVALID: CPUs that are no list, or that this process may not use; no such
 * node, or none of the CPUs is on it; a number above its limit. ACLKM_ERR_CONFIG.
 */
ACLKM_API int aclkm_workers_set(const struct aclkm_workers *workers);

#ifdef __cplusplus
}
#endif

#endif /* ACLKM_COPY_H */
