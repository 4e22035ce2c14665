// SPDX-License-Identifier: MIT
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define FD_LOWEST 3 /* after the standard streams */

int fd_dup(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, FD_LOWEST);
}

int fd_lift(int fd)
{
	int high, err;

	if (fd < 0 || fd >= FD_LOWEST)
		return fd;
	high = fd_dup(fd);
	err = errno;
	close(fd);
	errno = err;
	return high;
}

bool fd_know(int fd, struct fd_id *id)
{
	struct stat info;

	if (fstat(fd, &info))
		return false;
	*id = (struct fd_id){.device = info.st_dev, .inode = info.st_ino};
	return true;
}

bool fd_is(int fd, const struct fd_id *id)
{
	int err = errno;
	struct fd_id now;
	bool same = fd >= 0 && fd_know(fd, &now) && now.device == id->device &&
		    now.inode == id->inode;

	errno = err;
	return same;
}

void fd_close(int fd, const struct fd_id *id)
{
	if (fd_is(fd, id))
		close(fd);
}

int fd_refused(const char *what)
{
	struct rlimit limit = {0};
	int err = errno;

	if (err == EMFILE) {
		getrlimit(RLIMIT_NOFILE, &limit);
		return error_set(ACLKM_ERR_LIMIT,
				 "%s: the process has no free descriptor (EMFILE): "
				 "RLIMIT_NOFILE is %llu; close files or raise it",
				 what, (unsigned long long)limit.rlim_cur);
	}
	if (err == ENFILE)
		return error_set(ACLKM_ERR_LIMIT,
				 "%s: the system has no free descriptor (ENFILE): "
				 "fs.file-max is reached",
				 what);
	return error_set(ACLKM_ERR_IO, "%s: %s", what, strerror(err));
}

int fd_lost(int fd, const char *what)
{
	return error_set(ACLKM_ERR_IO,
			 "%s: the program closed descriptor %d, which the library had "
			 "opened for it",
			 what, fd);
}
