// SPDX-License-Identifier: MIT
/* The only file that is compiled without uncancelled.h, whose functions it has. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/hot.h"

static int uncancelled_begin(void)
{
	int before;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	return before;
}

static void uncancelled_end(const int *before)
{
	pthread_setcancelstate(*before, NULL);
}

#define UNCANCELLED                                                                      \
	__attribute__((cleanup(uncancelled_end), unused)) const int before =             \
		uncancelled_begin()

/* A function of the C library under its name here; arguments in parentheses. */
#define FUNCTION(type, name, parameters, arguments)                                      \
	HIDDEN type uncancelled_##name parameters;                                       \
	type uncancelled_##name parameters                                               \
	{                                                                                \
		UNCANCELLED;                                                             \
		return name arguments;                                                   \
	}

FUNCTION(int, accept4, (int fd, struct sockaddr *name, socklen_t *length, int flags),
	 (fd, name, length, flags))
FUNCTION(int, close, (int fd), (fd))
FUNCTION(int, connect, (int fd, const struct sockaddr *name, socklen_t length),
	 (fd, name, length))
FUNCTION(int, fallocate, (int fd, int mode, off_t offset, off_t length),
	 (fd, mode, offset, length))
FUNCTION(int, fclose, (FILE * file), (file))
FUNCTION(int, fflush, (FILE * file), (file))
FUNCTION(char *, fgets, (char *to, int size, FILE *file), (to, size, file))
FUNCTION(FILE *, fopen, (const char *path, const char *mode), (path, mode))
FUNCTION(size_t, fread, (void *to, size_t size, size_t n, FILE *file),
	 (to, size, n, file))
FUNCTION(ssize_t, getdelim, (char **line, size_t *room, int end, FILE *file),
	 (line, room, end, file))
FUNCTION(int, msync, (void *at, size_t length, int flags), (at, length, flags))
FUNCTION(int, nanosleep, (const struct timespec *time, struct timespec *left),
	 (time, left))
FUNCTION(int, poll, (struct pollfd * fds, nfds_t n, int timeout), (fds, n, timeout))
FUNCTION(ssize_t, pread, (int fd, void *to, size_t n, off_t offset), (fd, to, n, offset))
FUNCTION(int, pthread_cond_wait, (pthread_cond_t * cond, pthread_mutex_t *mutex),
	 (cond, mutex))
FUNCTION(int, pthread_join, (pthread_t thread, void **value), (thread, value))
FUNCTION(ssize_t, pwrite, (int fd, const void *from, size_t n, off_t offset),
	 (fd, from, n, offset))
FUNCTION(ssize_t, read, (int fd, void *to, size_t n), (fd, to, n))
FUNCTION(ssize_t, recv, (int fd, void *to, size_t n, int flags), (fd, to, n, flags))
FUNCTION(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags),
	 (fd, message, flags))
FUNCTION(ssize_t, send, (int fd, const void *from, size_t n, int flags),
	 (fd, from, n, flags))
FUNCTION(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags),
	 (fd, message, flags))
FUNCTION(int, sigtimedwait,
	 (const sigset_t *set, siginfo_t *info, const struct timespec *time),
	 (set, info, time))
FUNCTION(int, usleep, (useconds_t time), (time))
FUNCTION(pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options))
FUNCTION(ssize_t, write, (int fd, const void *from, size_t n), (fd, from, n))

HIDDEN int uncancelled_open(const char *path, int flags, ...);
int uncancelled_open(const char *path, int flags, ...)
{
	UNCANCELLED;
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	return open(path, flags, mode);
}

HIDDEN int uncancelled_openat(int dir, const char *path, int flags, ...);
int uncancelled_openat(int dir, const char *path, int flags, ...)
{
	UNCANCELLED;
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	return openat(dir, path, flags, mode);
}

HIDDEN int uncancelled_fcntl(int fd, int command, ...);
int uncancelled_fcntl(int fd, int command, ...)
{
	UNCANCELLED;
	va_list args;
	void *arg;

	va_start(args, command);
	arg = va_arg(args, void *);
	va_end(args);
	return fcntl(fd, command, arg);
}

HIDDEN int uncancelled_ioctl(int fd, unsigned long request, ...);
int uncancelled_ioctl(int fd, unsigned long request, ...)
{
	UNCANCELLED;
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	return ioctl(fd, request, arg);
}

HIDDEN int uncancelled_fprintf(FILE *file, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int uncancelled_fprintf(FILE *file, const char *format, ...)
{
	UNCANCELLED;
	va_list args;
	int n;

	va_start(args, format);
	n = vfprintf(file, format, args);
	va_end(args);
	return n;
}
