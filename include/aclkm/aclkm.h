/* SPDX-License-Identifier: MIT */
/*
 * The native interface of libaclkm, all of it.
 *
 * Environment, read once at the first use; a bad value makes every call that
 * needs it fail with ACLKM_ERR_CONFIG (aclInit, aclrtSetDevice: 100000):
 *
 * ACLKM_BACKEND   auto (default: the driver if it opens, else user), kmod, user
 * ACLKM_MEM       bytes of the user backend's device, 64K to 64T, with K, M, G or
 *                 T. By default half of the RAM or of the memory cgroup's limit, at
 *                 most three quarters of what is available and half of what
 *                 RLIMIT_AS leaves; kmod has its arenas instead
 * ACLKM_ALIGN     start alignment of aclrtMalloc, MallocAlign32, MallocCached and
 *                 MallocHost: a power of two from 64 to 1G; 512 by default.
 *                 Blocks of 4 KiB or more start on a page whatever it is
 * ACLKM_PADDING   bytes behind each block and segment: 32 (default), 16 or 0
 * ACLKM_STRICT    1: to the letter of the founding documents (acl/acl_rt.h);
 *                 fixes alignment and padding at 64 and 32
 * ACLKM_DEVICES   how many devices there are, 1 (default) to 64; each has an equal part
 *                 of the backend's memory, and regions of its own
 * ACLKM_NODES     NUMA nodes of the devices in order and around again, 0 to 1023 with
 *                 commas: kmod takes their memory there while there is some; any node
 * ACLKM_SOC_NAME  what aclrtGetSocName says: 1 to 31 characters; Ascend910B3
 * ACLKM_IPC_DIR   an absolute path of 80 characters at most: a folder in which processes
 *                 of different network namespaces find each other's sockets
 * ACLKM_KERNELS   the path of a shared object with host functions for the program's
 *                 kernels; see aclkm/kernels.h
 * ACLKM_CHECK     checks, a list with commas: redzone, poison, free, align, bounds,
 *                 flight, leak, sync, align64, all; fill=N, hold=N, exitcode=N,
 *                 abort=1, log=FILE; see Documentation/ascendcl-checks.md
 * ACLKM_GUARD     1 (default): AddressSanitizer and Valgrind see blocks and segments
 *                 as allocations; 0: they are told of none, and nothing is slower
 * ACLKM_RUN_MODE  what aclrtGetRunMode says: host (default) or device
 */
#ifndef ACLKM_ACLKM_H
#define ACLKM_ACLKM_H

#include "copy.h"
#include "error.h"
#include "kernels.h"
#include "layout.h"
#include "memory.h"
#include "pool.h"
#include "rules.h"
#include "share.h"
#include "stats.h"
#include "version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* aclkm_version - version of the library that runs; a constant string. */
ACLKM_API const char *aclkm_version(void);

#ifdef __cplusplus
}
#endif

#endif /* ACLKM_ACLKM_H */
