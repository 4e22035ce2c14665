/* SPDX-License-Identifier: GPL-2.0 */
/* The sharing calls of /dev/aclkm, and descriptors on their way to other processes. */
#ifndef ACLKM_SELFTEST_DMABUF_H
#define ACLKM_SELFTEST_DMABUF_H

#include "common.h"
#include <dirent.h>
#include <linux/dma-buf.h>
#include <sys/socket.h>

/* The dma-buf's descriptor, or a negative errno. */
static inline int dev_export(int fd, uint32_t handle, uint64_t offset, uint64_t len, uint32_t flags)
{
	struct aclkm_export req = { .handle = handle, .flags = flags, .offset = offset,
				    .len = len, .fd = -1 };
	int err = dev_ioctl(fd, ACLKM_IOC_EXPORT, &req);

	return err ? err : req.fd;
}

static inline int dev_import(int fd, int buf, struct aclkm_import *out)
{
	memset(out, 0, sizeof(*out));
	out->fd = buf;
	return dev_ioctl(fd, ACLKM_IOC_IMPORT, out);
}

static inline int dev_sync(int fd, uint32_t handle, uint32_t flags, uint64_t offset, uint64_t len)
{
	struct aclkm_sync req = { .handle = handle, .flags = flags, .offset = offset, .len = len };

	return dev_ioctl(fd, ACLKM_IOC_SYNC, &req);
}

static inline int buf_sync(int buf, uint64_t flags)
{
	struct dma_buf_sync req = { .flags = flags };

	return dev_ioctl(buf, DMA_BUF_IOCTL_SYNC, &req);
}

static inline uint64_t buf_size(int buf)
{
	return lseek(buf, 0, SEEK_END);
}

static inline int fd_send(int sock, int fd)
{
	char byte = 'f', control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

static inline int fd_receive(int sock)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	int fd;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&msg))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

/* Descriptors that this process has open. */
static inline int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

/* Permutation number @n of @items numbers, @n < items!. */
static inline void permutation(int n, int items, int *order)
{
	int i, j, k;

	for (i = 0; i < items; i++)
		order[i] = i;
	for (i = 0; i < items - 1; i++) {
		k = i + n % (items - i);
		n /= items - i;
		j = order[i];
		order[i] = order[k];
		order[k] = j;
	}
}

#define NEED_FEATURE(fd, bit) do { \
	if (!dev_has(fd, bit)) \
		SKIP(return, "this driver has not feature %#llx (" #bit ")", \
		     (unsigned long long)(bit)); \
} while (0)

#endif /* ACLKM_SELFTEST_DMABUF_H */
