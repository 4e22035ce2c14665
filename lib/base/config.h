/* SPDX-License-Identifier: MIT */
/*
 * The ACLKM_* environment variables, read once:
 *
 * ACLKM_BACKEND  auto | kmod | user
 * ACLKM_MEM      size of the user backend's device: 512M, 2G, ...
 * ACLKM_ALIGN    start alignment, a power of two from 64 to 1 GiB
 * ACLKM_PADDING  0 | 16 | 32; without: the product's
 * ACLKM_STRICT   0 | 1; 1 fixes the alignment at 64 and the padding at 32
 * ACLKM_RUN_MODE host | device
 * ACLKM_DEVICES  1 to 64
 * ACLKM_NODES    NUMA nodes of the devices, in order and around again: 0,1
 * ACLKM_CHECK    a list, see check_list.h
 * ACLKM_GUARD    1 | 0; 0: AddressSanitizer and Valgrind are told of no blocks
 * ACLKM_SOC_NAME up to 31 characters: a product of product.c
 * ACLKM_IPC_DIR  an absolute path: a folder for sockets, seen by processes of other
 *                network namespaces
 * ACLKM_KERNELS  the path of a shared object with host functions for kernels
 *
 * ACLKM_WORKERS      threads that share one large copy, 1 to 16
 * ACLKM_WORKER_CPUS  CPUs of the library's threads: 0-3,8
 * ACLKM_WORKER_NODE  the NUMA node of the library's threads
 * ACLKM_WORKER_SPIN  microseconds they look for work before they sleep, 0 to 1000000
 */
#ifndef LIB_CONFIG_H
#define LIB_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/affinity.h"
#include "base/check_list.h"
#include "base/product.h"

#define MAX_DEVICES 64

#define THREADS_MAX 16		/* of one copy */
#define THREADS_SPIN_US 1000000 /* at most */

/* Of the library's threads. */
struct thread_options {
	struct affinity affinity;
	bool spin_set; /* @spin_us counts */
	uint32_t spin_us;
	uint32_t threads; /* 0: by the CPUs */
};

enum backend_choice { BACKEND_AUTO, BACKEND_KMOD, BACKEND_USER };

struct config {
	enum backend_choice backend;
	uint64_t mem; /* bytes; 0: not set */
	uint64_t align;
	uint32_t padding;
	uint32_t devices;
	uint32_t node_count; /* 0: any node will do */
	uint16_t nodes[MAX_DEVICES];
	struct check_list check;
	char soc_name[32];
	const char *ipc_dir; /* NULL: none */
	const char *kernels; /* an absolute path; NULL: none */
	bool strict;
	bool guard;
	bool run_on_device;
	struct thread_options threads;
	const struct product *product; /* that the library plays */
	char bad[384];		       /* what is wrong, "" when nothing is */
};

const struct config *config_get(void);

/* The checks that the environment asks for: 0 none. */
static inline uint32_t check_wanted(void)
{
	return config_get()->check.checks;
}

static inline bool check_is(uint32_t check)
{
	return check_wanted() & check;
}

/* @start is called once, when the list of checks is read: before config_get returns. */
void config_on_checks(void (*start)(const struct check_list *list));

/* 0, or ACLKM_ERR_CONFIG with the text noted. */
int config_check(void);

#endif /* LIB_CONFIG_H */
