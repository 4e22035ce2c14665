// SPDX-License-Identifier: GPL-2.0
/* The operations that are made to fail. */
#include "fault.h"

#include <sys/socket.h>
#include <sys/uio.h>

static void must(bool good)
{
	if (!good)
		abort();
}

static void need_open(struct state *s)
{
	s->fd = dev_open(O_RDWR);
	must(s->fd >= 0);
}

static void need_region_of(struct state *s, uint64_t size, uint64_t align)
{
	struct aclkm_alloc alloc;

	need_open(s);
	must(!dev_alloc(s->fd, size, align, &alloc));
	s->handle = alloc.handle;
	s->offset = alloc.offset;
	s->size = alloc.size;
}

static void need_region(struct state *s)
{
	need_region_of(s, 8 * PAGE, 0);
}

static void need_large_region(struct state *s)
{
	need_region_of(s, 4 * MIB, 2 * MIB);
}

static void map_it(struct state *s)
{
	s->addr = dev_map(s->fd, s->offset, s->size);
	must(s->addr != MAP_FAILED);
	s->len = s->size;
}

static void need_map(struct state *s)
{
	need_region(s);
	map_it(s);
}

static void need_large_map(struct state *s)
{
	need_large_region(s);
	map_it(s);
}

static void need_pipe(struct state *s)
{
	need_map(s);
	must(!pipe2(s->extra, O_CLOEXEC));
	/* The page tables of a mapping are no part of what is tested with the pipe. */
	memset(s->addr, 1, s->len);
}

static void need_socket(struct state *s)
{
	need_region(s);
	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->extra));
}

static int run_open(struct state *s)
{
	int fd = dev_open(O_RDWR);

	if (fd < 0)
		return fd;
	s->fd = fd;
	return 0;
}

static int run_info(struct state *s)
{
	struct aclkm_info info;

	return dev_ioctl(s->fd, ACLKM_IOC_INFO, &info);
}

static int alloc_of(struct state *s, uint64_t size, uint64_t align)
{
	struct aclkm_alloc alloc;
	int err = dev_alloc(s->fd, size, align, &alloc);

	s->handle = alloc.handle;
	s->offset = alloc.offset;
	s->size = alloc.size;
	return err;
}

static int run_alloc(struct state *s)
{
	return alloc_of(s, PAGE, 0);
}

static int run_alloc_aligned(struct state *s)
{
	return alloc_of(s, 2 * MIB, 2 * MIB);
}

static int run_alloc_too_much(struct state *s)
{
	int err = alloc_of(s, GIB, 0);

	/* As it should: only what else it answers is of interest. */
	return err == -ENOSPC ? 0 : err ? err : -EPROTO;
}

/* A new region is empty, and its handle works. */
static bool good_region(struct state *s)
{
	struct aclkm_query query;
	bool good;
	void *p;

	if (dev_query(s->fd, s->handle, &query) || query.size != s->size)
		return false;
	p = dev_map(s->fd, s->offset, s->size);
	if (p == MAP_FAILED)
		return false;
	good = all_bytes(p, s->size, 0);
	munmap(p, s->size);
	return good;
}

static int run_alloc_wc(struct state *s)
{
	struct aclkm_alloc alloc = {
		.size = 4 * PAGE, .flags = ACLKM_ALLOC_WC, .node = ACLKM_NODE_ANY
	};
	int err = dev_ioctl(s->fd, ACLKM_IOC_ALLOC, &alloc);

	s->handle = alloc.handle;
	s->offset = alloc.offset;
	s->size = alloc.size;
	return err;
}

static int export_of(int fd, uint32_t handle, int *buf)
{
	struct aclkm_export req = { .handle = handle, .flags = ACLKM_EXPORT_CLOEXEC };
	int err = dev_ioctl(fd, ACLKM_IOC_EXPORT, &req);

	if (!err)
		*buf = req.fd;
	return err;
}

static int run_export(struct state *s)
{
	return export_of(s->fd, s->handle, &s->buf);
}

static bool map_buf(struct state *s)
{
	s->addr = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_SHARED, s->buf, 0);
	if (s->addr == MAP_FAILED) {
		s->addr = NULL;
		return false;
	}
	s->len = s->size;
	return true;
}

static bool good_export(struct state *s)
{
	return map_buf(s) && all_bytes(s->addr, s->len, 0);
}

static void need_buf(struct state *s)
{
	need_region(s);
	must(!run_export(s));
}

static int run_map_buf(struct state *s)
{
	return map_buf(s) ? 0 : -errno;
}

static int run_import(struct state *s)
{
	struct aclkm_import req = { .fd = s->buf };
	int err = dev_ioctl(s->fd, ACLKM_IOC_IMPORT, &req);

	if (err)
		return err;
	s->handle = req.handle;
	s->offset = req.offset;
	return req.size == s->size ? 0 : -EPROTO;
}

/* The last that holds the region. */
static int run_close_buf(struct state *s)
{
	int fd = s->buf;

	close(s->fd);
	s->fd = -1;
	s->buf = -1;
	return close(fd) ? -errno : 0;
}

static int run_sync(struct state *s)
{
	struct aclkm_sync req = {
		.handle = s->handle, .len = s->size,
		.flags = ACLKM_SYNC_START | ACLKM_SYNC_READ | ACLKM_SYNC_WRITE,
	};

	return dev_ioctl(s->fd, ACLKM_IOC_SYNC, &req);
}

static void need_user(struct state *s)
{
	need_open(s);
	s->user = mmap(NULL, USER_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(s->user != MAP_FAILED);
	memset(s->user, 1, USER_BYTES);
}

static int run_pin(struct state *s)
{
	struct aclkm_pin req = { .addr = (uintptr_t)s->user, .len = USER_BYTES };
	int err = dev_ioctl(s->fd, ACLKM_IOC_PIN, &req);

	s->handle = req.handle;
	s->size = USER_BYTES;
	return err;
}

static void need_pinned(struct state *s)
{
	need_user(s);
	must(!run_pin(s));
}

static int run_phys(struct state *s)
{
	struct aclkm_phys_extent extents[USER_BYTES / PAGE];
	struct aclkm_phys req = {
		.handle = s->handle, .count = USER_BYTES / PAGE, .extents = (uintptr_t)extents
	};

	return dev_ioctl(s->fd, ACLKM_IOC_PHYS, &req);
}

static int run_free(struct state *s)
{
	return dev_free(s->fd, s->handle);
}

static bool good_free(struct state *s)
{
	struct aclkm_query query;

	return dev_query(s->fd, s->handle, &query) == -ENOENT;
}

static int run_query(struct state *s)
{
	struct aclkm_query query;

	return dev_query(s->fd, s->handle, &query);
}

static int run_mmap(struct state *s)
{
	void *p = dev_map(s->fd, s->offset, s->size);

	if (p == MAP_FAILED)
		return -errno;
	s->addr = p;
	s->len = s->size;
	return 0;
}

static void need_wc(struct state *s)
{
	need_open(s);
	must(!run_alloc_wc(s));
}

/* Where nothing else is: each page table is to be made. */
static int run_mmap_far(struct state *s)
{
	void *far = (void *)(1UL << 45);
	void *p = mmap(far, s->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE,
		       s->fd, s->offset);

	if (p == MAP_FAILED)
		return -errno;
	must(p == far);
	s->addr = p;
	s->len = s->size;
	return 0;
}

static bool good_map(struct state *s)
{
	bool good = all_bytes(s->addr, s->len, 0);

	memset(s->addr, 0x5A, s->len);
	return good && all_bytes(s->addr, s->len, 0x5A);
}

static int run_touch_again(struct state *s)
{
	int sum = 0;
	size_t i;

	/* Entries that were dropped come back by faults. */
	if (madvise(s->addr, s->len, MADV_DONTNEED))
		return -errno;
	for (i = 0; i < s->len; i += PAGE)
		sum += ((volatile unsigned char *)s->addr)[i];
	return sum ? -EPROTO : 0;
}

static int run_munmap(struct state *s)
{
	if (munmap(s->addr, s->len))
		return -errno;
	s->addr = NULL;
	return 0;
}

/* A hole in the middle makes two mappings of one. */
static int run_munmap_middle(struct state *s)
{
	size_t third = s->len / PAGE / 3 * PAGE;

	if (munmap((char *)s->addr + third, third))
		return -errno;
	s->addr2 = (char *)s->addr + 2 * third;
	s->len2 = s->len - 2 * third;
	s->len = third;
	return 0;
}

static int run_mprotect_part(struct state *s)
{
	return mprotect((char *)s->addr + PAGE, PAGE, PROT_READ) ? -errno : 0;
}

static int run_mremap(struct state *s)
{
	void *to = (void *)(1ULL << 40);
	void *p = mremap(s->addr, s->len, s->len, MREMAP_MAYMOVE | MREMAP_FIXED, to);

	if (p == MAP_FAILED)
		return -errno;
	/* A core that has no memory to unmap the old place leaves it, empty, and says nothing. */
	s->addr2 = s->addr;
	s->len2 = s->len;
	s->addr = p;
	return 0;
}

static int run_fork(struct state *s)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(0);
	must(waitpid(pid, NULL, 0) == pid);
	return 0;
}

static int run_close(struct state *s)
{
	int fd = s->fd;

	s->fd = -1;
	return close(fd) ? -errno : 0;
}

/* A splice that stops in the middle has met a fault too. */
static int run_vmsplice(struct state *s)
{
	struct iovec iov = { s->addr, s->len };
	ssize_t got = vmsplice(s->extra[1], &iov, 1, 0);

	return got == (ssize_t)s->len ? 0 : got < 0 ? -errno : -ENOMEM;
}

/* The last reference goes with the pipe, after mapping and handle. */
static int run_drop_pinned(struct state *s)
{
	int err = run_vmsplice(s);

	if (err)
		return err;
	/* The fault comes once: after it, they succeed. */
	must(!munmap(s->addr, s->len) || !munmap(s->addr, s->len));
	s->addr = NULL;
	must(!dev_free(s->fd, s->handle) || !dev_free(s->fd, s->handle));
	return 0;
}

static int run_send_fd(struct state *s)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &s->fd, sizeof(int));
	return sendmsg(s->extra[0], &msg, 0) == 1 ? 0 : -errno;
}

const struct fault_op fault_ops[] = {
	{ "open", NULL, run_open, NULL, { ENOMEM, EFAULT, ENFILE } },
	{ "INFO", need_open, run_info, NULL, { EFAULT } },
	{ "ALLOC a page", need_open, run_alloc, good_region, { ENOMEM, EFAULT } },
	{ "ALLOC 2 MiB aligned", need_open, run_alloc_aligned, good_region, { ENOMEM, EFAULT } },
	{ "ALLOC too much", need_open, run_alloc_too_much, NULL, { ENOMEM, EFAULT } },
	{ "FREE", need_region, run_free, good_free, { EFAULT } },
	{ "FREE while mapped", need_map, run_free, good_free, { EFAULT } },
	{ "ALLOC write-combined", need_open, run_alloc_wc, good_region, { ENOMEM, EFAULT } },
	{ "EXPORT", need_region, run_export, good_export, { ENOMEM, EFAULT, ENFILE } },
	{ "mmap of a dma-buf", need_buf, run_map_buf, good_map, { ENOMEM } },
	{ "IMPORT", need_buf, run_import, good_region, { ENOMEM, EFAULT } },
	{ "close a dma-buf", need_buf, run_close_buf, NULL, { 0 } },
	{ "SYNC", need_buf, run_sync, NULL, { EFAULT } },
	{ "PIN", need_user, run_pin, NULL, { ENOMEM, EFAULT } },
	{ "EXPORT pinned memory", need_pinned, run_export, NULL, { ENOMEM, EFAULT, ENFILE } },
	{ "PHYS of pinned memory", need_pinned, run_phys, NULL, { EFAULT } },
	{ "FREE pinned memory", need_pinned, run_free, good_free, { EFAULT } },
	{ "QUERY", need_region, run_query, NULL, { EFAULT } },
	{ "mmap", need_region, run_mmap, good_map, { ENOMEM } },
	{ "mmap of 4 MiB", need_large_region, run_mmap, good_map, { ENOMEM } },
	{ "mmap far from all else", need_region, run_mmap_far, good_map, { ENOMEM } },
	{ "mmap of write-combined memory", need_wc, run_mmap_far, good_map, { ENOMEM } },
	{ "faults after MADV_DONTNEED", need_map, run_touch_again, NULL, { ENOMEM } },
	{ "munmap", need_map, run_munmap, NULL, { ENOMEM } },
	{ "munmap of the middle", need_map, run_munmap_middle, NULL, { ENOMEM }, true },
	{ "munmap of the middle of 4 MiB", need_large_map, run_munmap_middle, NULL, { ENOMEM }, true },
	{ "mprotect of a part", need_map, run_mprotect_part, NULL, { ENOMEM }, true },
	{ "mremap", need_map, run_mremap, NULL, { ENOMEM } },
	{ "mremap of 4 MiB", need_large_map, run_mremap, NULL, { ENOMEM } },
	{ "fork", need_map, run_fork, NULL, { ENOMEM, EAGAIN } },
	{ "fork with 4 MiB", need_large_map, run_fork, NULL, { ENOMEM, EAGAIN } },
	{ "close with a region", need_region, run_close, NULL, { 0 } },
	{ "close while mapped", need_map, run_close, NULL, { 0 } },
	{ "vmsplice", need_pipe, run_vmsplice, NULL, { ENOMEM, EFAULT } },
	{ "free what is pinned", need_pipe, run_drop_pinned, NULL, { ENOMEM, EFAULT } },
	{ "send the descriptor", need_socket, run_send_fd, NULL, { ENOMEM, EFAULT, ENOBUFS } },
};
const unsigned int nr_fault_ops = sizeof(fault_ops) / sizeof(*fault_ops);
