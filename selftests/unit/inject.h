/* SPDX-License-Identifier: MIT */
/*
 * Calls of the library that are made to fail, one at a time. The linker sends each call
 * of these functions by way of __wrap_NAME (see --wrap in the Makefile), which counts it
 * while a test counts, and lets the chosen one fail as the system would. What the library
 * has allocated is kept in a set, so that a test can tell whether all was freed.
 */
#ifndef INJECT_H
#define INJECT_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static _Atomic bool inject_on;
static _Atomic uint32_t inject_count;  /* calls since inject_arm */
static uint32_t inject_at;	       /* which of them fails, from 1; 0: none */
static const char *_Atomic inject_hit; /* the function that failed */
static const char *inject_name;	       /* only calls of this function count; NULL: all */

/* Lets call @at fail; 0: only counts. */
static void inject_arm(uint32_t at)
{
	inject_at = at;
	atomic_store(&inject_hit, NULL);
	atomic_store(&inject_count, 0);
	atomic_store(&inject_on, true);
}

static void inject_disarm(void)
{
	atomic_store(&inject_on, false);
}

static bool inject_fails(const char *function, int error)
{
	if (!atomic_load(&inject_on) || (inject_name && strcmp(inject_name, function)) ||
	    atomic_fetch_add(&inject_count, 1) + 1 != inject_at)
		return false;
	atomic_store(&inject_hit, function);
	errno = error;
	return true;
}

#define INJECT_SLOTS (1U << 16)

static pthread_mutex_t inject_lock = PTHREAD_MUTEX_INITIALIZER;
static void *inject_blocks[INJECT_SLOTS];
static uint32_t inject_live;

static uint32_t inject_slot(const void *block)
{
	uint32_t at = (uint32_t)((uintptr_t)block >> 4) * 2654435761U % INJECT_SLOTS;

	while (inject_blocks[at] && inject_blocks[at] != block)
		at = (at + 1) % INJECT_SLOTS;
	return at;
}

static void *inject_keep(void *block)
{
	if (!block)
		return NULL;
	pthread_mutex_lock(&inject_lock);
	inject_blocks[inject_slot(block)] = block;
	inject_live++;
	pthread_mutex_unlock(&inject_lock);
	return block;
}

/* Blocks that came from elsewhere, such as a line of getdelim, are not counted. */
static void inject_forget(void *block)
{
	uint32_t at;

	if (!block)
		return;
	pthread_mutex_lock(&inject_lock);
	at = inject_slot(block);
	if (inject_blocks[at]) {
		inject_live--;
		inject_blocks[at] = NULL;
		/* Others that were put behind it move up. */
		for (at = (at + 1) % INJECT_SLOTS; inject_blocks[at];
		     at = (at + 1) % INJECT_SLOTS) {
			void *moved = inject_blocks[at];

			inject_blocks[at] = NULL;
			inject_blocks[inject_slot(moved)] = moved;
		}
	}
	pthread_mutex_unlock(&inject_lock);
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	return inject_fails("malloc", ENOMEM) ? NULL : inject_keep(__real_malloc(size));
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
	return inject_fails("calloc", ENOMEM) ? NULL
					      : inject_keep(__real_calloc(n, size));
}

void *__real_aligned_alloc(size_t align, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size)
{
	return inject_fails("aligned_alloc", ENOMEM)
		       ? NULL
		       : inject_keep(__real_aligned_alloc(align, size));
}

void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size)
{
	if (inject_fails("realloc", ENOMEM))
		return NULL;
	inject_forget(block);
	return inject_keep(__real_realloc(block, size));
}

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
	return inject_fails("strdup", ENOMEM) ? NULL : inject_keep(__real_strdup(text));
}

void __real_free(void *block);
void __wrap_free(void *block);
void __wrap_free(void *block)
{
	inject_forget(block);
	__real_free(block);
}

/* A function with fixed arguments that returns @bad with @error when it fails. */
#define INJECT(type, name, bad, error, params, args)                                     \
	type __real_##name params;                                                       \
	type __wrap_##name params;                                                       \
	type __wrap_##name params                                                        \
	{                                                                                \
		return inject_fails(#name, error) ? (bad) : __real_##name args;          \
	}

INJECT(void *, mmap, MAP_FAILED, ENOMEM,
       (void *at, size_t size, int prot, int flags, int fd, off_t offset),
       (at, size, prot, flags, fd, offset))
INJECT(int, munmap, -1, ENOMEM, (void *at, size_t size), (at, size))
INJECT(int, mprotect, -1, ENOMEM, (void *at, size_t size, int prot), (at, size, prot))
INJECT(int, madvise, -1, ENOMEM, (void *at, size_t size, int advice), (at, size, advice))
INJECT(int, mlock, -1, ENOMEM, (const void *at, size_t size), (at, size))
INJECT(int, memfd_create, -1, EMFILE, (const char *name, unsigned int flags),
       (name, flags))
INJECT(int, ftruncate, -1, ENOSPC, (int fd, off_t size), (fd, size))
INJECT(int, fallocate, -1, ENOSPC, (int fd, int mode, off_t at, off_t size),
       (fd, mode, at, size))
INJECT(int, socket, -1, EMFILE, (int domain, int type, int protocol),
       (domain, type, protocol))
INJECT(int, bind, -1, EADDRINUSE, (int fd, const struct sockaddr *name, socklen_t size),
       (fd, name, size))
INJECT(int, listen, -1, EADDRINUSE, (int fd, int backlog), (fd, backlog))
INJECT(int, connect, -1, ECONNREFUSED,
       (int fd, const struct sockaddr *name, socklen_t size), (fd, name, size))
INJECT(int, accept4, -1, EMFILE,
       (int fd, struct sockaddr *name, socklen_t *size, int flags),
       (fd, name, size, flags))
INJECT(ssize_t, sendmsg, -1, ENOBUFS, (int fd, const struct msghdr *message, int flags),
       (fd, message, flags))
INJECT(ssize_t, recvmsg, -1, ENOMEM, (int fd, struct msghdr *message, int flags),
       (fd, message, flags))
INJECT(int, pipe2, -1, EMFILE, (int *fds, int flags), (fds, flags))
INJECT(int, poll, -1, ENOMEM, (struct pollfd * fds, nfds_t n, int timeout),
       (fds, n, timeout))
INJECT(ssize_t, pread, -1, EIO, (int fd, void *to, size_t size, off_t at),
       (fd, to, size, at))
INJECT(FILE *, fopen, NULL, EMFILE, (const char *path, const char *mode), (path, mode))
INJECT(int, pthread_create, EAGAIN, EAGAIN,
       (pthread_t * thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg),
       (thread, attr, fn, arg))
INJECT(int, pthread_key_create, EAGAIN, EAGAIN,
       (pthread_key_t * key, void (*end)(void *)), (key, end))

/* Those with one argument more, perhaps. */
#define INJECT_MORE(name, error, first, second, can_fail)                                \
	int __real_##name(first, second, ...);                                           \
	int __wrap_##name(first, second, ...);                                           \
	int __wrap_##name(first a, second b, ...)                                        \
	{                                                                                \
		va_list more;                                                            \
		long c;                                                                  \
                                                                                         \
		va_start(more, b);                                                       \
		c = va_arg(more, long);                                                  \
		va_end(more);                                                            \
		if ((can_fail) && inject_fails(#name, error))                            \
			return -1;                                                       \
		return __real_##name(a, b, c);                                           \
	}

/* What only asks of a descriptor that is open cannot fail. */
INJECT_MORE(fcntl, EMFILE, int, int, b == F_DUPFD_CLOEXEC || b == F_ADD_SEALS)
INJECT_MORE(ioctl, ENOMEM, int, unsigned long, true)
INJECT_MORE(open, EMFILE, const char *, int, true)

#endif /* INJECT_H */
