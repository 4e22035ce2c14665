/* SPDX-License-Identifier: GPL-2.0 */
/* System calls as 32-bit programs make them, from a 64-bit one; on x86. */
#ifndef ACLKM_CALL32_H
#define ACLKM_CALL32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALL32_GETPID = 20, CALL32_IOCTL = 54, CALL32_MMAP2 = 192 };

#ifdef __x86_64__
/* The sixth argument is in the frame pointer, which the compiler may have in use. */
static inline long call32(long nr, unsigned long a, unsigned long b, unsigned long c,
			  unsigned long d, unsigned long e, unsigned long f)
{
	struct { unsigned long nr, f; } in = { nr, f };
	unsigned int result;

	asm volatile("push %%rbp\n\t"
		     "mov 8(%%rax), %%rbp\n\t"
		     "mov (%%rax), %%rax\n\t"
		     "int $0x80\n\t"
		     "pop %%rbp"
		     : "=a" (result)
		     : "a" (&in), "b" (a), "c" (b), "d" (c), "S" (d), "D" (e)
		     : "r8", "r9", "r10", "r11", "memory", "cc");
	return result > -4096U ? (long)(int)result : (long)result;
}
#else
static inline long call32(long nr, unsigned long a, unsigned long b, unsigned long c,
			  unsigned long d, unsigned long e, unsigned long f)
{
	return -38; /* ENOSYS */
}
#endif

/* A kernel without 32-bit programs answers with a signal. */
static inline bool call32_works(void)
{
	static int works = -1;
	int status;
	pid_t pid;

	if (works >= 0)
		return works;
	pid = fork();
	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		_exit(call32(CALL32_GETPID, 0, 0, 0, 0, 0, 0) != getpid());
	}
	works = pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
		!WEXITSTATUS(status);
	return works;
}

static inline void *call32_memory(size_t len)
{
	void *mem = mmap(NULL, len, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

#endif /* ACLKM_CALL32_H */
