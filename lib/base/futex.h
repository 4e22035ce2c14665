/* SPDX-License-Identifier: MIT */
/*
 * Waiting on a word that others change. The word counts changes, so that a change
 * between looking and waiting is never missed. Works across processes as well,
 * when the word lies in shared memory.
 */
#ifndef LIB_FUTEX_H
#define LIB_FUTEX_H

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NSEC_PER_SEC 1000000000LL
#define NO_DEADLINE INT64_MAX

static inline int64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/* The end of @timeout_ms from now; negative: never. */
static inline int64_t clock_deadline(int64_t timeout_ms)
{
	return timeout_ms < 0 ? NO_DEADLINE : clock_now() + timeout_ms * 1000000;
}

static inline struct timespec clock_spec(int64_t at)
{
	return (struct timespec){at / NSEC_PER_SEC, at % NSEC_PER_SEC};
}

/*
 * futex(2) without the C library's function, whose code and tables nobody else has
 * brought into the caches when a thread wakes. 0 or a count; else -errno.
 */
static inline long futex_call(_Atomic uint32_t *word, int op, uint32_t value,
			      const struct timespec *until)
{
#if defined(__x86_64__) && defined(__LP64__)
	register long at __asm__("r10") = (long)(uintptr_t)until;
	register long word2 __asm__("r8") = 0;
	register long bits __asm__("r9") = FUTEX_BITSET_MATCH_ANY;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"((long)SYS_futex), "D"(word), "S"((long)op),
			   "d"((long)value), "r"(at), "r"(word2), "r"(bits)
			 : "rcx", "r11", "memory");
	return ret;
#else
	long ret =
		syscall(SYS_futex, word, op, value, until, NULL, FUTEX_BITSET_MATCH_ANY);

	return ret < 0 ? -errno : ret;
#endif
}

/* sched_yield(2), the same way. */
static inline void yield_cpu(void)
{
#if defined(__x86_64__) && defined(__LP64__)
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"((long)SYS_sched_yield)
			 : "rcx", "r11", "memory");
#else
	syscall(SYS_sched_yield);
#endif
}

/*
 * Sleeps while @word is @seen, until @deadline (CLOCK_MONOTONIC). May return for no
 * reason: the caller looks again. False: the time is up.
 */
static inline bool word_wait(_Atomic uint32_t *word, uint32_t seen, int64_t deadline)
{
	struct timespec at = clock_spec(deadline);

	return futex_call(word, FUTEX_WAIT_BITSET, seen,
			  deadline == NO_DEADLINE ? NULL : &at) != -ETIMEDOUT;
}

/* Changes @word and wakes all that sleep on it. */
static inline void word_change(_Atomic uint32_t *word)
{
	atomic_fetch_add(word, 1);
	futex_call(word, FUTEX_WAKE, INT_MAX, NULL);
}

#endif /* LIB_FUTEX_H */
