/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that the library keeps. They are never 0 to 2, which belong to the
 * program's standard streams even while these are closed. A stored number is compared
 * with the file's identity before each use, because the program may have closed the
 * number (close_range, daemon, a wrapper before exec) and opened a file of its own there.
 */
#ifndef LIB_FD_H
#define LIB_FD_H

#include <stdbool.h>
#include <stdint.h>

struct fd_id {
	uint64_t device;
	uint64_t inode;
};

/*
 * Moves @fd to 3 or above, closing the low number. -1 with errno set, as for a call that
 * failed, when @fd is negative or no number is free.
 */
int fd_lift(int fd);

/* Duplicates @fd to 3 or above, close-on-exec. -1 with errno. */
int fd_dup(int fd);

/* Notes what file @fd is. False: @fd is closed. */
bool fd_know(int fd, struct fd_id *id);

/* Whether @fd still is the file of @id. Keeps errno. */
bool fd_is(int fd, const struct fd_id *id);

/* Closes @fd if it still is the file of @id. */
void fd_close(int fd, const struct fd_id *id);

/*
 * Notes why @what was not opened, from errno: ACLKM_ERR_LIMIT with the limit's name for
 * a full descriptor table of the process or of the system, else ACLKM_ERR_IO.
 */
int fd_refused(const char *what);

/* Notes that the program closed @fd, which @what needed: ACLKM_ERR_IO. */
int fd_lost(int fd, const char *what);

#endif /* LIB_FD_H */
