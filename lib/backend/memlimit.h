/* SPDX-License-Identifier: MIT */
/*
 * How much memory the process may still use: of the machine, of its memory cgroups (both
 * versions, with all parents), of its address space. The user backend asks before it
 * makes pages resident, because the kernel answers a page too many with the OOM killer.
 *
 * Reads files of /proc and /sys, at most ten times a second while there is plenty.
 * Thread-safe.
 */
#ifndef LIB_MEMLIMIT_H
#define LIB_MEMLIMIT_H

#include <stdint.h>

struct memlimit {
	uint64_t total; /* the least of RAM and the limits of the cgroups */
	uint64_t left;	/* bytes that can become resident without the OOM killer */
	uint64_t space; /* bytes of address space left under RLIMIT_AS; UINT64_MAX: all */
	const char *by; /* what @left comes from */
};

/* @root: goes before /proc and /sys, for tests; "" otherwise. */
void memlimit_read(const char *root, struct memlimit *out);

/* A device's size when ACLKM_MEM does not say: a multiple of 2 MiB. */
uint64_t memlimit_device_size(const struct memlimit *limits);

/* Whether @size bytes can become resident: 0, or ACLKM_ERR_NOMEM with the text noted. */
int memlimit_allow(uint64_t size);

#endif /* LIB_MEMLIMIT_H */
