// SPDX-License-Identifier: GPL-2.0
/* EXPORT, IMPORT and SYNC: parts, read-only handles, other processes, every close order. */
#include "dmabuf.h"
#include <signal.h>
#include <sys/uio.h>
#include "kselftest_harness.h"

#define SIZE (4 * MIB)
#define RW (PROT_READ | PROT_WRITE)

FIXTURE(buf) {
	int fd;		/* watches the accounts, owns nothing */
	int owner;
	struct aclkm_info before;
	struct aclkm_alloc alloc;
	char *mem;
};

FIXTURE_SETUP(buf)
{
	self->fd = dev_open(O_RDWR);
	ASSERT_LE(0, self->fd);
	self->before = dev_info(self->fd);
	self->owner = dev_open(O_RDWR);
	ASSERT_LE(0, self->owner);
	ASSERT_EQ(0, dev_alloc(self->owner, SIZE, 0, &self->alloc));
	self->mem = dev_map(self->owner, self->alloc.offset, SIZE);
	ASSERT_NE(MAP_FAILED, self->mem);
	pattern_fill(self->mem, 0, SIZE, 1);
}

FIXTURE_TEARDOWN(buf)
{
	munmap(self->mem, SIZE);
	close(self->owner);
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
	close(self->fd);
}

TEST_F(buf, whole)
{
	struct aclkm_query query;
	char *mem;
	int buf;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_DMABUF);
	buf = dev_export(self->owner, self->alloc.handle, 0, 0, ACLKM_EXPORT_CLOEXEC);
	ASSERT_LE(0, buf);
	EXPECT_EQ(FD_CLOEXEC, fcntl(buf, F_GETFD));
	EXPECT_EQ(SIZE, buf_size(buf));
	mem = dev_map(buf, 0, SIZE);
	ASSERT_NE(MAP_FAILED, mem);
	EXPECT_TRUE(pattern_is(mem, 0, SIZE, 1));
	pattern_fill(mem, 0, SIZE, 2);
	EXPECT_TRUE(pattern_is(self->mem, 0, SIZE, 2));
	/* The same memory, not a copy of it. */
	ASSERT_EQ(0, dev_query(self->owner, self->alloc.handle, &query));
	EXPECT_EQ(query.phys + PAGE, pagemap_phys(mem + PAGE));
	munmap(mem, SIZE);
	close(buf);

	buf = dev_export(self->owner, self->alloc.handle, 0, 0, 0);
	ASSERT_LE(0, buf);
	EXPECT_EQ(0, fcntl(buf, F_GETFD));
	close(buf);
}

TEST_F(buf, bad_exports)
{
	static const struct {
		uint32_t handle, flags, reserved;
		uint64_t offset, len;
		int err;
	} bad[] = {
		{ 0, 0, 0, 0, 0, -ENOENT },
		{ ~0U, 0, 0, 0, 0, -ENOENT },
		{ 1000, 0, 0, 0, 0, -ENOENT },
		{ 1, 1U << 2, 0, 0, 0, -EINVAL },
		{ 1, 1U << 31, 0, 0, 0, -EINVAL },
		{ 1, 0, 1, 0, 0, -EINVAL },
		{ 1, 0, 0, 1, 0, -EINVAL },
		{ 1, 0, 0, 0, 1, -EINVAL },
		{ 1, 0, 0, 512, PAGE, -EINVAL },
		{ 1, 0, 0, 0, PAGE + 512, -EINVAL },
		{ 1, 0, 0, 0, SIZE + PAGE, -EINVAL },
		{ 1, 0, 0, PAGE, SIZE, -EINVAL },
		{ 1, 0, 0, SIZE, 0, -EINVAL },
		{ 1, 0, 0, SIZE, PAGE, -EINVAL },
		{ 1, 0, 0, SIZE - PAGE, 2 * PAGE, -EINVAL },
		{ 1, 0, 0, PAGE, -PAGE, -EINVAL },
		{ 1, 0, 0, -PAGE, 2 * PAGE, -EINVAL },
		{ 1, 0, 0, -PAGE, 0, -EINVAL },
		{ 1, 0, 0, 1ULL << 40, PAGE, -EINVAL },
		{ 1, 0, 0, 0, 1ULL << 63, -EINVAL },
	};
	int i, fds = open_fds();

	NEED_FEATURE(self->fd, ACLKM_FEATURE_DMABUF);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		/* 1 stands for the handle that there is. */
		uint32_t handle = bad[i].handle == 1 ? self->alloc.handle : bad[i].handle;
		struct aclkm_export req = { handle, bad[i].flags, bad[i].offset, bad[i].len,
					    77, bad[i].reserved };
		int err = dev_ioctl(self->owner, ACLKM_IOC_EXPORT, &req);

		if (err != bad[i].err)
			TH_LOG("case %d", i);
		EXPECT_EQ(bad[i].err, err);
		EXPECT_EQ(77, req.fd);
	}
	EXPECT_EQ(fds, open_fds());
}

/* The answer cannot be written: no descriptor stays behind. */
TEST_F(buf, unwritable_answer)
{
	struct aclkm_export *req = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct aclkm_import *imp = (void *)(req + 1);
	int fds, i, buf;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_DMABUF);
	buf = dev_export(self->owner, self->alloc.handle, 0, 0, 0);
	ASSERT_LE(0, buf);
	req->handle = self->alloc.handle;
	imp->fd = buf;
	ASSERT_EQ(0, mprotect(req, PAGE, PROT_READ));
	fds = open_fds();
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(-EFAULT, dev_ioctl(self->owner, ACLKM_IOC_EXPORT, req));
		EXPECT_EQ(-EFAULT, dev_ioctl(self->owner, ACLKM_IOC_IMPORT, imp));
	}
	EXPECT_EQ(fds, open_fds());
	close(buf);
}

/* A part shows that part, and nothing of what is before and behind it. */
TEST_F(buf, parts)
{
	static const struct { uint64_t offset, len; } parts[] = {
		{ 0, PAGE }, { PAGE, PAGE }, { SIZE - PAGE, PAGE }, { 2 * MIB - PAGE, 2 * PAGE },
		{ 2 * MIB, 2 * MIB }, { 3 * PAGE, 2 * MIB }, { 5 * PAGE, 0 },
	};
	struct aclkm_import imp;
	int i, buf;
	char *mem;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_DMABUF);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		uint64_t off = parts[i].offset, len = parts[i].len ?: SIZE - off;

		buf = dev_export(self->owner, self->alloc.handle, off, parts[i].len, 0);
		ASSERT_LE(0, buf);
		EXPECT_EQ(len, buf_size(buf));
		mem = dev_map(buf, 0, len);
		ASSERT_NE(MAP_FAILED, mem);
		EXPECT_TRUE(pattern_is(mem, off, len, 1));
		munmap(mem, len);
		mem = dev_map(buf, len - PAGE, PAGE);
		ASSERT_NE(MAP_FAILED, mem);
		EXPECT_TRUE(pattern_is(mem, off + len - PAGE, PAGE, 1));
		munmap(mem, PAGE);
		EXPECT_EQ(MAP_FAILED, dev_map(buf, 0, len + PAGE));
		EXPECT_EQ(MAP_FAILED, dev_map(buf, len, PAGE));
		EXPECT_EQ(MAP_FAILED, dev_map(buf, PAGE, len));
		EXPECT_EQ(MAP_FAILED, dev_map(buf, 1ULL << 40, PAGE));
		EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, RW, MAP_PRIVATE, buf, 0));

		ASSERT_EQ(0, dev_import(self->owner, buf, &imp));
		EXPECT_EQ(len, imp.size);
		EXPECT_NE(0, imp.handle);
		mem = dev_map(self->owner, imp.offset, len);
		ASSERT_NE(MAP_FAILED, mem);
		EXPECT_TRUE(pattern_is(mem, off, len, 1));
		EXPECT_EQ(MAP_FAILED, dev_map(self->owner, imp.offset, len + PAGE));
		EXPECT_EQ(MAP_FAILED, dev_map(self->owner, imp.offset + len, PAGE));
		munmap(mem, len);
		/* A part of the part, no further than it goes. */
		EXPECT_EQ(-EINVAL, dev_export(self->owner, imp.handle, 0, len + PAGE, 0));
		EXPECT_EQ(0, dev_free(self->owner, imp.handle));
		EXPECT_EQ(-ENOENT, dev_free(self->owner, imp.handle));
		close(buf);
	}
}

TEST_F(buf, part_of_a_part)
{
	struct aclkm_import imp;
	char *mem;
	int a, b;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_DMABUF);
	a = dev_export(self->owner, self->alloc.handle, MIB, 2 * MIB, 0);
	ASSERT_LE(0, a);
	ASSERT_EQ(0, dev_import(self->owner, a, &imp));
	b = dev_export(self->owner, imp.handle, MIB - PAGE, 2 * PAGE, 0);
	ASSERT_LE(0, b);
	EXPECT_EQ(2 * PAGE, buf_size(b));
	close(a);
	ASSERT_EQ(0, dev_free(self->owner, imp.handle));
	ASSERT_EQ(0, dev_free(self->owner, self->alloc.handle));
	mem = dev_map(b, 0, 2 * PAGE);
	ASSERT_NE(MAP_FAILED, mem);
	EXPECT_TRUE(pattern_is(mem, 2 * MIB - PAGE, 2 * PAGE, 1));
	munmap(mem, 2 * PAGE);
	close(b);
}

TEST_F(buf, read_only)
{
	struct aclkm_import imp;
	struct aclkm_query query;
	int buf, again;
	char *mem, path[64];

	NEED_FEATURE(self->fd, ACLKM_FEATURE_DMABUF);
	buf = dev_export(self->owner, self->alloc.handle, 0, 0, ACLKM_EXPORT_READ_ONLY);
	ASSERT_LE(0, buf);
	EXPECT_EQ(MAP_FAILED, dev_map(buf, 0, SIZE));
	EXPECT_EQ(EACCES, errno);
	mem = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, buf, 0);
	ASSERT_NE(MAP_FAILED, mem);
	EXPECT_TRUE(pattern_is(mem, 0, SIZE, 1));
	EXPECT_TRUE(stays_read_only(mem));
	munmap(mem, SIZE);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", buf);
	again = open(path, O_RDWR | O_CLOEXEC);
	EXPECT_EQ(MAP_FAILED, dev_map(again, 0, SIZE));
	if (again >= 0)
		close(again);

	ASSERT_EQ(0, dev_import(self->owner, buf, &imp));
	ASSERT_EQ(0, dev_query(self->owner, imp.handle, &query));
	EXPECT_EQ(ACLKM_QUERY_READ_ONLY | ACLKM_QUERY_IMPORTED,
		  query.flags & (ACLKM_QUERY_READ_ONLY | ACLKM_QUERY_IMPORTED));
	EXPECT_EQ(MAP_FAILED, dev_map(self->owner, imp.offset, SIZE));
	EXPECT_EQ(EACCES, errno);
	mem = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, self->owner, imp.offset);
	ASSERT_NE(MAP_FAILED, mem);
	EXPECT_TRUE(stays_read_only(mem));
	munmap(mem, SIZE);

	/* And once more round: what comes of it is read-only without asking. */
	again = dev_export(self->owner, imp.handle, 0, 0, 0);
	ASSERT_LE(0, again);
	EXPECT_EQ(MAP_FAILED, dev_map(again, 0, SIZE));
	EXPECT_EQ(0, dev_free(self->owner, imp.handle));
	ASSERT_EQ(0, dev_import(self->owner, again, &imp));
	EXPECT_EQ(MAP_FAILED, dev_map(self->owner, imp.offset, SIZE));
	EXPECT_EQ(-EACCES, dev_sync(self->owner, imp.handle,
				    ACLKM_SYNC_START | ACLKM_SYNC_WRITE, 0, PAGE));
	EXPECT_EQ(0, dev_sync(self->owner, imp.handle, ACLKM_SYNC_START | ACLKM_SYNC_READ, 0,
			      PAGE));
	EXPECT_EQ(0, dev_free(self->owner, imp.handle));
	close(again);
	close(buf);
	EXPECT_TRUE(pattern_is(self->mem, 0, SIZE, 1));
}

/* A file that was opened read-only gives no dma-buf that can be written. */
TEST_F(buf, export_of_a_read_only_file)
{
	struct aclkm_alloc alloc;
	int ro = dev_open(O_RDONLY), buf;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_DMABUF);
	ASSERT_EQ(0, dev_alloc(ro, SIZE, 0, &alloc));
	buf = dev_export(ro, alloc.handle, 0, 0, 0);
	if (buf >= 0) {
		EXPECT_EQ(MAP_FAILED, dev_map(buf, 0, SIZE));
		close(buf);
	}
	close(ro);
}

TEST_F(buf, imported_twice)
{
	struct aclkm_import a, b;
	struct aclkm_query query;
	char *mem;
	int buf;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_DMABUF);
	buf = dev_export(self->owner, self->alloc.handle, 0, 0, 0);
	ASSERT_LE(0, buf);
	ASSERT_EQ(0, dev_import(self->owner, buf, &a));
	ASSERT_EQ(0, dev_import(self->owner, buf, &b));
	EXPECT_NE(a.handle, b.handle);
	EXPECT_NE(a.offset, b.offset);
	/* No byte is taken twice. */
	EXPECT_EQ(self->before.free - SIZE, dev_info(self->fd).free);
	close(buf);
	EXPECT_EQ(0, dev_free(self->owner, a.handle));
	EXPECT_EQ(MAP_FAILED, dev_map(self->owner, a.offset, PAGE));
	ASSERT_EQ(0, dev_query(self->owner, b.handle, &query));
	EXPECT_EQ(SIZE, query.size);
	EXPECT_EQ(ACLKM_QUERY_IMPORTED,
		  query.flags & (ACLKM_QUERY_IMPORTED | ACLKM_QUERY_READ_ONLY));
	mem = dev_map(self->owner, b.offset, SIZE);
	ASSERT_NE(MAP_FAILED, mem);
	EXPECT_TRUE(pattern_is(mem, 0, SIZE, 1));
	munmap(mem, SIZE);
	EXPECT_EQ(0, dev_free(self->owner, b.handle));
}

/* A dma-buf of a driver that is not ours, if this kernel can make one by itself. */
static int foreign_buffer(void)
{
	struct { uint64_t len; uint32_t fd, fd_flags; uint64_t heap_flags; } heap = {
		PAGE, 0, O_RDWR | O_CLOEXEC, 0
	};
	struct { uint32_t memfd, flags; uint64_t offset, size; } create = { .size = PAGE };
	int fd = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		int err = ioctl(fd, _IOWR('H', 0, heap), &heap);

		close(fd);
		return err ? -1 : (int)heap.fd;
	}
	fd = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -1;
	create.memfd = memfd_create("foreign", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (ftruncate(create.memfd, PAGE) || fcntl(create.memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		return -1;
	return ioctl(fd, _IOW('u', 0x42, create), &create);
}

TEST_F(buf, bad_imports)
{
	struct aclkm_import req = {};
	int pipes[2], buf, foreign;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_DMABUF);
	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(-EBADF, dev_import(self->owner, -1, &req));
	EXPECT_EQ(-EBADF, dev_import(self->owner, 1000000, &req));
	EXPECT_EQ(-EINVAL, dev_import(self->owner, pipes[0], &req));
	EXPECT_EQ(-EINVAL, dev_import(self->owner, self->owner, &req));
	buf = dev_export(self->owner, self->alloc.handle, 0, 0, 0);
	ASSERT_LE(0, buf);
	req = (struct aclkm_import){ .fd = buf, .flags = 1 };
	EXPECT_EQ(-EINVAL, dev_ioctl(self->owner, ACLKM_IOC_IMPORT, &req));
	req = (struct aclkm_import){ .fd = buf, .reserved = 1 };
	EXPECT_EQ(-EINVAL, dev_ioctl(self->owner, ACLKM_IOC_IMPORT, &req));
	EXPECT_EQ(0, req.handle);
	foreign = foreign_buffer();
	if (foreign >= 0) {
		EXPECT_EQ(-EOPNOTSUPP, dev_import(self->owner, foreign, &req));
	} else {
		TH_LOG("no dma-buf heap and no udmabuf here; test_vgem has a foreign dma-buf");
	}
	close(foreign);
	close(buf);
	close(pipes[0]);
	close(pipes[1]);
}

TEST_F(buf, sync_calls)
{
	static const uint32_t good[] = { 5, 6, 9, 10, 13, 14 };
	uint32_t handle = self->alloc.handle, flags;
	int i, buf;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_DMABUF);
	buf = dev_export(self->owner, handle, PAGE, 2 * PAGE, 0);
	ASSERT_LE(0, buf);
	/* Exactly one of START and END, at least one of READ and WRITE. */
	for (flags = 0, i = 0; flags < 32; flags++) {
		bool valid = i < ARRAY_SIZE(good) && good[i] == flags;

		i += valid;
		EXPECT_EQ(valid ? 0 : -EINVAL, dev_sync(self->owner, handle, flags, 3, 5));
	}
	EXPECT_EQ(0, dev_sync(self->owner, handle, 5, 0, SIZE));
	EXPECT_EQ(0, dev_sync(self->owner, handle, 5, SIZE - 1, 1));
	EXPECT_EQ(-EINVAL, dev_sync(self->owner, handle, 5, 0, 0));
	EXPECT_EQ(-EINVAL, dev_sync(self->owner, handle, 5, SIZE, 1));
	EXPECT_EQ(-EINVAL, dev_sync(self->owner, handle, 5, 1, SIZE));
	EXPECT_EQ(-EINVAL, dev_sync(self->owner, handle, 5, ~0ULL, 2));
	EXPECT_EQ(-EINVAL, dev_sync(self->owner, handle, 5, 2, ~0ULL));
	EXPECT_EQ(-ENOENT, dev_sync(self->owner, handle + 1, 5, 0, 1));

	/* The dma-buf's own way. */
	EXPECT_EQ(0, buf_sync(buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	EXPECT_EQ(0, buf_sync(buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	EXPECT_EQ(0, buf_sync(buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	EXPECT_EQ(0, buf_sync(buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
	EXPECT_EQ(-EINVAL, buf_sync(buf, DMA_BUF_SYNC_START));
	EXPECT_EQ(-EINVAL, buf_sync(buf, 1 << 5));
	close(buf);
}

/* get_user_pages() through the dma-buf's mapping as through the region's own. */
TEST_F(buf, pages_of_its_mapping_can_be_taken)
{
	struct iovec from, to;
	struct aclkm_query query;
	int buf, pipes[2];
	char copy[2 * PAGE];
	char *mem;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_DMABUF);
	ASSERT_EQ(0, dev_query(self->owner, self->alloc.handle, &query));
	ASSERT_EQ(ACLKM_QUERY_GUP, query.flags & ACLKM_QUERY_GUP);
	buf = dev_export(self->owner, self->alloc.handle, 5 * PAGE, 2 * MIB, 0);
	ASSERT_LE(0, buf);
	mem = dev_map(buf, 0, 2 * MIB);
	ASSERT_NE(MAP_FAILED, mem);
	from = (struct iovec){ mem + MIB + 17, 2 * PAGE };
	to = (struct iovec){ copy, 2 * PAGE };
	ASSERT_EQ(2 * PAGE, process_vm_readv(getpid(), &to, 1, &from, 1, 0));
	EXPECT_TRUE(pattern_is(copy, 5 * PAGE + MIB + 17, 2 * PAGE, 1));

	/* The last holder is a pipe. */
	ASSERT_EQ(0, pipe(pipes));
	from.iov_len = PAGE;
	ASSERT_EQ(PAGE, vmsplice(pipes[1], &from, 1, 0));
	munmap(mem, 2 * MIB);
	close(buf);
	munmap(self->mem, SIZE);
	close(self->owner);
	self->owner = -1;
	EXPECT_EQ(self->before.held + SIZE, dev_info(self->fd).held);
	ASSERT_EQ(PAGE, read(pipes[0], copy, PAGE));
	EXPECT_TRUE(pattern_is(copy, 5 * PAGE + MIB + 17, PAGE, 1));
	close(pipes[0]);
	close(pipes[1]);
}

/* Six holders let go in every order that matters: the bytes stay until the last. */
enum { HANDLE, OWNER_MAP, BUF_FD, BUF_MAP, IMPORTER, IMPORT_MAP, HOLDERS };

TEST_F_TIMEOUT(buf, every_close_order, 300)
{
	int order[HOLDERS], n, i;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_DMABUF);
	munmap(self->mem, SIZE);
	ASSERT_EQ(0, dev_free(self->owner, self->alloc.handle));
	for (n = 0; n < 720; n++) {
		struct aclkm_alloc alloc;
		struct aclkm_import imp;
		char *map[HOLDERS] = {};
		int buf, importer = dev_open(O_RDWR);

		ASSERT_EQ(0, dev_alloc(self->owner, 4 * PAGE, 0, &alloc));
		buf = dev_export(self->owner, alloc.handle, PAGE, 2 * PAGE, 0);
		ASSERT_LE(0, buf);
		ASSERT_EQ(0, dev_import(importer, buf, &imp));
		map[OWNER_MAP] = dev_map(self->owner, alloc.offset + PAGE, 2 * PAGE);
		map[BUF_MAP] = dev_map(buf, 0, 2 * PAGE);
		map[IMPORT_MAP] = dev_map(importer, imp.offset, 2 * PAGE);
		ASSERT_NE(MAP_FAILED, map[OWNER_MAP]);
		ASSERT_NE(MAP_FAILED, map[BUF_MAP]);
		ASSERT_NE(MAP_FAILED, map[IMPORT_MAP]);
		pattern_fill(map[BUF_MAP], 0, 2 * PAGE, n);

		permutation(n, HOLDERS, order);
		for (i = 0; i < HOLDERS; i++) {
			int j, what = order[i];

			ASSERT_EQ(self->before.free - 4 * PAGE, dev_info(self->fd).free);
			if (what == HANDLE) {
				ASSERT_EQ(0, dev_free(self->owner, alloc.handle));
			} else if (what == BUF_FD) {
				close(buf);
			} else if (what == IMPORTER) {
				close(importer);
			} else {
				munmap(map[what], 2 * PAGE);
			}
			map[what] = NULL;
			for (j = 0; j < HOLDERS; j++)
				ASSERT_TRUE(!map[j] || pattern_is(map[j], 0, 2 * PAGE, n));
		}
		ASSERT_TRUE(accounts_back(self->fd, &self->before));
	}
	self->mem = NULL;
}

/* fork, moving and partial unmapping of a dma-buf's mapping. */
TEST_F(buf, mapping_split_moved_and_inherited)
{
	char *mem, *moved, *place;
	int buf, status;
	pid_t pid;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_DMABUF);
	buf = dev_export(self->owner, self->alloc.handle, 0, 0, 0);
	mem = dev_map(buf, 0, SIZE);
	ASSERT_NE(MAP_FAILED, mem);
	close(buf);
	munmap(self->mem, SIZE);
	close(self->owner);
	self->owner = -1;
	self->mem = NULL;
	place = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	moved = mremap(mem, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	ASSERT_EQ(place, moved);
	EXPECT_TRUE(pattern_is(moved, 0, SIZE, 1));
	EXPECT_EQ(MAP_FAILED, mremap(moved, SIZE, 2 * SIZE, MREMAP_MAYMOVE));
	ASSERT_EQ(0, munmap(moved + MIB, 2 * MIB + PAGE));
	pid = fork();
	if (!pid) {
		bool ok = pattern_is(moved, 0, MIB, 1);

		munmap(moved, MIB);
		_exit(ok ? 0 : 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(self->before.free - SIZE, dev_info(self->fd).free);
	munmap(moved, MIB);
	EXPECT_EQ(self->before.free - SIZE, dev_info(self->fd).free);
	EXPECT_TRUE(pattern_is(moved + 3 * MIB + PAGE, 3 * MIB + PAGE, MIB - PAGE, 1));
	munmap(moved + 3 * MIB + PAGE, MIB - PAGE);
}

/* ------------------------------------------------------------ two processes */

/* Exports, sends it, and is killed before anybody has received it. */
static int export_and_die(void *arg)
{
	int sock = *(int *)arg, fd = dev_open(O_RDWR), buf;
	struct aclkm_alloc alloc;
	char *mem;

	if (dev_alloc(fd, SIZE, 0, &alloc))
		return 1;
	mem = dev_map(fd, alloc.offset, SIZE);
	pattern_fill(mem, 0, SIZE, 4);
	buf = dev_export(fd, alloc.handle, MIB, MIB, 0);
	if (buf < 0 || fd_send(sock, buf))
		return 2;
	kill(getpid(), SIGKILL);
	return 3;
}

TEST_F(buf, exporter_dies_with_it_on_the_way)
{
	struct aclkm_import imp;
	int pair[2], buf;
	char *mem;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_DMABUF);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	ASSERT_EQ(-SIGKILL, in_child(export_and_die, &pair[1]));
	EXPECT_EQ(self->before.free - 2 * SIZE, dev_info(self->fd).free);
	buf = fd_receive(pair[0]);
	ASSERT_LE(0, buf);
	ASSERT_EQ(0, dev_import(self->owner, buf, &imp));
	close(buf);
	mem = dev_map(self->owner, imp.offset, MIB);
	ASSERT_NE(MAP_FAILED, mem);
	EXPECT_TRUE(pattern_is(mem, MIB, MIB, 4));
	munmap(mem, MIB);
	EXPECT_EQ(0, dev_free(self->owner, imp.handle));
	EXPECT_EQ(self->before.free - SIZE, dev_info(self->fd).free);

	/* And once more, received by nobody. */
	ASSERT_EQ(-SIGKILL, in_child(export_and_die, &pair[1]));
	close(pair[0]);
	close(pair[1]);
}

static int import_write_and_die(void *arg)
{
	int *fds = arg, fd = dev_open(O_RDWR), buf = fd_receive(fds[1]);
	struct aclkm_import imp;
	char *mem;

	/* What came by fork shall not be what it lives by. */
	close(fds[0]);
	close(fds[2]);
	if (buf < 0 || dev_import(fd, buf, &imp) || imp.size != 2 * MIB)
		return 1;
	close(buf);
	mem = dev_map(fd, imp.offset, imp.size);
	if (mem == MAP_FAILED || !pattern_is(mem, MIB, 2 * MIB, 1))
		return 2;
	pattern_fill(mem, MIB, 2 * MIB, 5);
	kill(getpid(), SIGKILL);
	return 3;
}

TEST_F(buf, importer_writes_and_dies)
{
	int fds[3], buf;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_DMABUF);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
	fds[2] = self->owner;
	buf = dev_export(self->owner, self->alloc.handle, MIB, 2 * MIB, 0);
	ASSERT_LE(0, buf);
	ASSERT_EQ(0, fd_send(fds[0], buf));
	close(buf);
	EXPECT_EQ(-SIGKILL, in_child(import_write_and_die, fds));
	EXPECT_TRUE(pattern_is(self->mem, 0, MIB, 1));
	EXPECT_TRUE(pattern_is(self->mem + MIB, MIB, 2 * MIB, 5));
	EXPECT_TRUE(pattern_is(self->mem + 3 * MIB, 3 * MIB, MIB, 1));
	close(fds[0]);
	close(fds[1]);
}

/* The next owner sees nothing of what the last holder, a dma-buf, had written. */
TEST_F(buf, clean_after_the_last_holder)
{
	struct aclkm_alloc alloc;
	char *mem;
	int buf;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_DMABUF);
	buf = dev_export(self->owner, self->alloc.handle, 0, 0, 0);
	mem = dev_map(buf, 0, SIZE);
	ASSERT_NE(MAP_FAILED, mem);
	munmap(self->mem, SIZE);
	self->mem = NULL;
	ASSERT_EQ(0, dev_free(self->owner, self->alloc.handle));
	close(buf);
	memset(mem, 0xa5, SIZE);
	munmap(mem, SIZE);
	while (!dev_alloc(self->owner, dev_info(self->fd).largest_free, 0, &alloc)) {
		mem = dev_map(self->owner, alloc.offset, alloc.size);
		ASSERT_NE(MAP_FAILED, mem);
		EXPECT_TRUE(all_bytes(mem, alloc.size, 0));
		munmap(mem, alloc.size);
	}
}

TEST_HARNESS_MAIN
