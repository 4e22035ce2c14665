/* SPDX-License-Identifier: MIT */
/*
 * What the traces call. One program for each subject, so that every call is what a
 * user's program would have: a direct call through the linker's table. Peers are
 * chosen from outside with LD_PRELOAD; they get the size and the alignment that
 * the rule of AscendCL asks for, from the standard function for aligned memory.
 */
#ifndef SUBJECT_H
#define SUBJECT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* ALIGN_UP[len,32] + 32, on a multiple of 64. */
static inline size_t rule_size(size_t len)
{
	return ((len + 31) & ~(size_t)31) + 32;
}

static inline void subject_die(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

#if defined(SUBJECT_ACLRT)

#include "acl/acl.h"

static inline void *take(size_t len)
{
	void *p;

	if (aclrtMalloc(&p, len, ACL_MEM_MALLOC_NORMAL_ONLY))
		subject_die(aclGetRecentErrMsg());
	return p;
}

static inline void give(void *p)
{
	if (aclrtFree(p))
		subject_die(aclGetRecentErrMsg());
}

static inline void subject_thread(void)
{
	if (aclrtSetDevice(0))
		subject_die(aclGetRecentErrMsg());
}

#elif defined(SUBJECT_NATIVE)

#include "aclkm/aclkm.h"

static inline void *take(size_t len)
{
	void *p;

	if (aclkm_memory_alloc(rule_size(len), 64, ACLKM_PAGES_NORMAL, &p))
		subject_die(aclkm_last_error());
	return p;
}

static inline void give(void *p)
{
	if (aclkm_memory_free(p))
		subject_die(aclkm_last_error());
}

static inline void subject_thread(void)
{
}

#elif defined(SUBJECT_POOL)

#include <pthread.h>

#include "aclkm/aclkm.h"

static struct aclkm_pool *pool;
static pthread_once_t pool_once = PTHREAD_ONCE_INIT;

#ifndef POOL_FLAGS
#define POOL_FLAGS ACLKM_POOL_THREADS
#endif

static inline void pool_make(void)
{
	if (aclkm_pool_create(ACLKM_POOL_LINEAR, 1UL << 30, ACLKM_PAGES_NORMAL,
			      POOL_FLAGS, &pool))
		subject_die(aclkm_last_error());
}

static inline void *take(size_t len)
{
	void *p;

	if (aclkm_segment_alloc(pool, len, &p))
		subject_die(aclkm_last_error());
	return p;
}

static inline void give(void *p)
{
	if (aclkm_segment_free(pool, p))
		subject_die(aclkm_last_error());
}

static inline void subject_thread(void)
{
	pthread_once(&pool_once, pool_make);
}

#elif defined(SUBJECT_RTE) || defined(SUBJECT_MEMPOOL)

#include <pthread.h>
#include <sched.h>

#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mempool.h>

static pthread_once_t rte_once = PTHREAD_ONCE_INIT;
static __attribute__((unused)) struct rte_mempool *rte_pool;

/* One object of the pool is a block of 256 bytes by the rule: what the pair asks. */
#define RTE_OBJECT 320

static inline void rte_start(void)
{
	static char *words[] = {
		"bench",
		"--no-huge",
		"-m",
		"2048",
		"--no-pci",
		"--no-shconf",
		"--no-telemetry",
		"--log-level=3",
		"--lcores=0@0",
		NULL,
	};

	if (rte_eal_init(sizeof(words) / sizeof(words[0]) - 1, words) < 0)
		subject_die("rte_eal_init");
#ifdef SUBJECT_MEMPOOL
	rte_pool = rte_mempool_create("bench", 65535, RTE_OBJECT, 512, 0, NULL, NULL,
				      NULL, NULL, SOCKET_ID_ANY, 0);
	if (!rte_pool)
		subject_die("rte_mempool_create");
#endif
}

/* A thread gets caches of DPDK's by a number of its own; all may run everywhere. */
static inline void subject_thread(void)
{
	cpu_set_t all;
	int cpu;

	pthread_once(&rte_once, rte_start);
	CPU_ZERO(&all);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		CPU_SET(cpu, &all);
	if (rte_lcore_id() == LCORE_ID_ANY && rte_thread_register())
		subject_die("rte_thread_register");
	pthread_setaffinity_np(pthread_self(), sizeof(all), &all);
}

static inline void *take(size_t len)
{
	void *p;

#ifdef SUBJECT_MEMPOOL
	if (rule_size(len) > RTE_OBJECT || rte_mempool_get(rte_pool, &p))
		subject_die("rte_mempool_get");
#else
	p = rte_malloc(NULL, rule_size(len), 64);
	if (!p)
		subject_die("rte_malloc");
#endif
	return p;
}

static inline void give(void *p)
{
#ifdef SUBJECT_MEMPOOL
	rte_mempool_put(rte_pool, p);
#else
	rte_free(p);
#endif
}

#else /* whatever malloc the process has */

static inline void *take(size_t len)
{
#ifdef SUBJECT_PLAIN
	void *p = malloc(rule_size(len));
#else
	void *p = aligned_alloc(64, rule_size(len));
#endif

	if (!p)
		subject_die("out of memory");
	return p;
}

static inline void give(void *p)
{
	free(p);
}

static inline void subject_thread(void)
{
}

#endif

#endif /* SUBJECT_H */
