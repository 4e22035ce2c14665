/* SPDX-License-Identifier: MIT */
/*
 * Native memory: blocks from the backend, and what the library knows of them.
 *
 * No context is needed. Any thread. All sizes are bytes. Every function can
 * also return ACLKM_ERR_CONFIG (bad ACLKM_* variable), ACLKM_ERR_NODEV (the
 * backend asked for is not there), ACLKM_ERR_IO and ACLKM_ERR_FORKED.
 */
#ifndef ACLKM_MEMORY_H
#define ACLKM_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a block was taken for; the free function must fit it. */
enum aclkm_kind {
	ACLKM_KIND_DEVICE = 0, /* aclrtMalloc, MallocAlign32, MallocCached */
	ACLKM_KIND_HOST = 1,   /* aclrtMallocHost */
	ACLKM_KIND_DVPP = 2,   /* acldvppMalloc */
	ACLKM_KIND_HIMPI = 3,  /* hi_mpi_dvpp_malloc */
	ACLKM_KIND_NATIVE = 4, /* aclkm_memory_alloc */
	ACLKM_KIND_POOL = 5,   /* a pool and its segments */
};

/* Which pages a block wants. */
enum aclkm_pages {
	ACLKM_PAGES_HUGE_FIRST = 0, /* 2 MiB pages if there are any */
	ACLKM_PAGES_HUGE_ONLY = 1,  /* 2 MiB pages or ACLKM_ERR_NOMEM */
	ACLKM_PAGES_NORMAL = 2,	    /* normal pages */
	ACLKM_PAGES_HUGE1G = 3,	    /* 1 GiB pages or ACLKM_ERR_NOMEM */
};

/* What aclkm_memory_query tells. */
struct aclkm_memory_info {
	void *base;	    /* first byte of the block or segment around the address */
	uint64_t asked;	    /* bytes that the caller asked for */
	uint64_t ruled;	    /* bytes by the rule (rounding and padding) */
	uint64_t alignment; /* largest power of two that divides @base */
	uint64_t page_size; /* bytes of one page-table entry of the mapping */
	uint64_t phys;	    /* physical address of @base; 0 unless @phys_valid */
	int phys_valid;	    /* 1: kmod backend and CAP_SYS_RAWIO */
	int contiguous;	    /* 1: physically contiguous for certain */
	enum aclkm_kind kind;
	const char *kind_name; /* "device", "host", "dvpp", "himpi", "native", "pool" */
	const char *backend;   /* "kmod" or "user" */
};

/* What aclkm_memory_totals tells. */
struct aclkm_memory_totals {
	uint64_t total;	  /* bytes of the device */
	uint64_t free;	  /* bytes that no block holds */
	uint64_t largest; /* largest piece that a block could take */
	const char *backend;
};

/* What aclkm_memory_costs tells: bytes of the library's own memory. */
struct aclkm_memory_costs {
	uint64_t records; /* what is known of small blocks, beside them */
	uint64_t threads; /* the threads' stacks of freed blocks, mapped; few are touched
			   */
	uint64_t kept;	  /* bytes of free regions, kept for later */
};

/**
 * aclkm_memory_alloc - a block of @size bytes
 * @align: start alignment, a power of two from 64 to 1 GiB, or 0 for 512; with
 *         kmod that of the physical address as well
 * @out:   out; free with aclkm_memory_free
 *
 * Exactly ALIGN_UP[size,32] bytes may be used, no padding behind them.
 *
 * ACLKM_ERR_INVALID (NULL, size 0, alignment, pages), ACLKM_ERR_OVERFLOW,
 * ACLKM_ERR_NOMEM, ACLKM_ERR_NOHEAP.
 */
ACLKM_API int aclkm_memory_alloc(size_t size, size_t align, enum aclkm_pages pages,
				 void **out);

/**
 * aclkm_memory_free - free a block of aclkm_memory_alloc
 *
 * ACLKM_ERR_INVALID (NULL), ACLKM_ERR_FOREIGN, ACLKM_ERR_INTERIOR,
 * ACLKM_ERR_NOTALIVE, ACLKM_ERR_KIND (another function frees this).
 */
ACLKM_API int aclkm_memory_free(void *ptr);

/**
 * aclkm_memory_query - what the library knows of an address
 * @ptr: any address in a block or segment of this library, whoever allocated it
 * @out: out; the strings in it are constant
 *
 * ACLKM_ERR_INVALID (NULL), ACLKM_ERR_FOREIGN, ACLKM_ERR_NOTALIVE.
 */
ACLKM_API int aclkm_memory_query(const void *ptr, struct aclkm_memory_info *out);

/**
 * aclkm_memory_trim - give back what the library keeps for later
 * @keep: bytes of free regions that may stay
 *
 * Freed small blocks that threads keep, whatever these do meanwhile, then empty pieces
 * and regions. An allocation that finds no memory does the same first. Where the kernel
 * has no membarrier(2), or a filter forbids it, what other threads keep of small blocks
 * (at most 64 KiB or 8 blocks of each size) stays with them until they end or trim
 * themselves.
 */
ACLKM_API int aclkm_memory_trim(size_t keep);

/**
 * aclkm_memory_keep - how many bytes of freed large regions are kept
 * @bytes: 0 gives each back at once; by default an eighth of the device, at most
 *         256 MiB
 *
 * Regions above half a chunk (128 MiB; less on a device below 4 GiB) count; a later
 * allocation of about the same size takes one again, with its old content.
 */
ACLKM_API int aclkm_memory_keep(size_t bytes);

/* aclkm_memory_totals - how much there is. ACLKM_ERR_INVALID (NULL). */
ACLKM_API int aclkm_memory_totals(struct aclkm_memory_totals *out);

/**
 * aclkm_memory_backend - which backend serves this process, and why
 * @name: out; "kmod" or "user"
 * @why:  out; one line such as "/dev/aclkm: permission denied; join group aclkm and log
 * in again", as long as the process lives
 *
 * Opens the backend if nothing has yet. Under ACLKM_BACKEND=auto a driver that is there
 * and cannot be used is also told once on standard error.
 *
 * ACLKM_ERR_INVALID (NULL).
 */
ACLKM_API int aclkm_memory_backend(const char **name, const char **why);

/* aclkm_memory_costs - what the bookkeeping takes. ACLKM_ERR_INVALID (NULL). */
ACLKM_API int aclkm_memory_costs(struct aclkm_memory_costs *out);

#ifdef __cplusplus
}
#endif

#endif /* ACLKM_MEMORY_H */
