// SPDX-License-Identifier: GPL-2.0
/*
 * A graphics driver as the importer, through libdrm: vgem attaches to our
 * dma-bufs, has their pages mapped for its device, and hands them on.
 */
#include "dmabuf.h"
#include <drm.h>
#include <signal.h>
#include <xf86drm.h>
#include "kselftest_harness.h"

#define SIZE (4 * MIB)

FIXTURE(vgem) {
	int fd;		/* watches the accounts, owns nothing */
	int owner;
	int drm;
	struct aclkm_info before;
	struct aclkm_alloc alloc;
	char *mem;
};

/* vgem's node, or -1. */
static int open_vgem(void)
{
	char path[32];
	int i, fd;

	for (i = 0; i < 8; i++) {
		drmVersionPtr version;
		bool found;

		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		version = drmGetVersion(fd);
		found = version && !strcmp(version->name, "vgem");
		drmFreeVersion(version);
		if (found)
			return fd;
		close(fd);
	}
	return -1;
}

FIXTURE_SETUP(vgem)
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
	self->drm = open_vgem();
}

FIXTURE_TEARDOWN(vgem)
{
	munmap(self->mem, SIZE);
	close(self->owner);
	if (self->drm >= 0)
		close(self->drm);
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
	close(self->fd);
}

#define NEED_VGEM() do { \
	NEED_FEATURE(self->fd, ACLKM_FEATURE_DMABUF); \
	if (self->drm < 0) \
		SKIP(return, "no vgem node in /dev/dri"); \
} while (0)

/*
 * DRM does not map imported objects on its own node; a program maps them through
 * the descriptor that DRM gives for the object.
 */
static void *map_gem(int drm, uint32_t gem, size_t len, int prot)
{
	void *mem;
	int buf;

	if (drmPrimeHandleToFD(drm, gem, DRM_CLOEXEC | DRM_RDWR, &buf))
		return MAP_FAILED;
	mem = mmap(NULL, len, prot, MAP_SHARED, buf, 0);
	close(buf);
	return mem;
}

static int close_gem(int drm, uint32_t gem)
{
	struct drm_gem_close req = { .handle = gem };

	return drmIoctl(drm, DRM_IOCTL_GEM_CLOSE, &req) ? -errno : 0;
}

TEST_F(vgem, same_bytes_both_ways)
{
	static const struct { uint64_t offset, len; } parts[] = {
		{ 0, SIZE }, { 0, PAGE }, { SIZE - PAGE, PAGE }, { 2 * MIB - PAGE, 2 * PAGE },
		{ 2 * MIB, 2 * MIB }, { 7 * PAGE, 3 * MIB },
	};
	int i;

	NEED_VGEM();
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		uint64_t off = parts[i].offset, len = parts[i].len;
		int buf = dev_export(self->owner, self->alloc.handle, off, len, 0);
		uint32_t gem;
		char *mem;

		ASSERT_LE(0, buf);
		ASSERT_EQ(0, drmPrimeFDToHandle(self->drm, buf, &gem));
		mem = map_gem(self->drm, gem, len, PROT_READ | PROT_WRITE);
		ASSERT_NE(MAP_FAILED, mem);
		EXPECT_TRUE(pattern_is(mem, off, len, 1));
		pattern_fill(mem, off, len, 2);
		EXPECT_TRUE(pattern_is(self->mem + off, off, len, 2));
		EXPECT_TRUE(pattern_is(self->mem, 0, off, 1));
		EXPECT_TRUE(pattern_is(self->mem + off + len, off + len, SIZE - off - len, 1));
		pattern_fill(self->mem, 0, SIZE, 1);
		EXPECT_TRUE(pattern_is(mem, off, len, 1));
		EXPECT_EQ(0, buf_sync(buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
		EXPECT_EQ(0, buf_sync(buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
		EXPECT_EQ(0, dev_sync(self->owner, self->alloc.handle,
				      ACLKM_SYNC_START | ACLKM_SYNC_READ, off, len));
		EXPECT_EQ(0, dev_sync(self->owner, self->alloc.handle,
				      ACLKM_SYNC_END | ACLKM_SYNC_READ, off, len));
		munmap(mem, len);
		close(buf);
		EXPECT_EQ(0, close_gem(self->drm, gem));
	}
}

/* What vgem hands on is still ours, and comes back as a handle. */
TEST_F(vgem, there_and_back)
{
	struct aclkm_import imp;
	uint32_t gem, again;
	int buf, back;
	char *mem;

	NEED_VGEM();
	buf = dev_export(self->owner, self->alloc.handle, MIB, MIB, 0);
	ASSERT_LE(0, buf);
	ASSERT_EQ(0, drmPrimeFDToHandle(self->drm, buf, &gem));
	/* Twice the same buffer is once the same object. */
	ASSERT_EQ(0, drmPrimeFDToHandle(self->drm, buf, &again));
	EXPECT_EQ(gem, again);
	ASSERT_EQ(0, drmPrimeHandleToFD(self->drm, gem, DRM_CLOEXEC | DRM_RDWR, &back));
	close(buf);
	ASSERT_EQ(0, dev_import(self->owner, back, &imp));
	EXPECT_EQ(MIB, imp.size);
	mem = dev_map(self->owner, imp.offset, MIB);
	ASSERT_NE(MAP_FAILED, mem);
	EXPECT_TRUE(pattern_is(mem, MIB, MIB, 1));
	munmap(mem, MIB);
	close(back);
	EXPECT_EQ(0, dev_free(self->owner, imp.handle));
	EXPECT_EQ(0, close_gem(self->drm, gem));
}

/* S7: vgem would attach to read and write, and so may not at all; others may read. */
TEST_F(vgem, read_only)
{
	uint32_t gem;
	char *mem;
	int buf;

	NEED_VGEM();
	buf = dev_export(self->owner, self->alloc.handle, 0, 0, ACLKM_EXPORT_READ_ONLY);
	ASSERT_LE(0, buf);
	if (drmPrimeFDToHandle(self->drm, buf, &gem)) {
		EXPECT_EQ(EACCES, errno);
	} else {
		/* The newest vgem maps a buffer only when it is used. */
		EXPECT_EQ(MAP_FAILED, map_gem(self->drm, gem, SIZE, PROT_READ | PROT_WRITE));
		EXPECT_EQ(0, close_gem(self->drm, gem));
	}
	/* The kernel itself writes for a debugger, by process_vm_writev() and /proc/self/mem. */
	mem = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, buf, 0);
	ASSERT_NE(MAP_FAILED, mem);
	EXPECT_TRUE(stays_read_only(mem));
	EXPECT_TRUE(stays_read_only(mem + SIZE - PAGE));
	EXPECT_TRUE(pattern_is(mem, 0, SIZE, 1));
	munmap(mem, SIZE);
	close(buf);
	EXPECT_TRUE(pattern_is(self->mem, 0, SIZE, 1));
}

/*
 * Five holders and the file of one of them let go in every order: the bytes stay
 * until the last, and not longer.
 */
enum { HANDLE, OWNER_MAP, BUF_FD, GEM_MAP, GEM, DRM_FD, HOLDERS };

TEST_F_TIMEOUT(vgem, every_close_order, 300)
{
	int order[HOLDERS], n, i, j;

	NEED_VGEM();
	for (n = 0; n < 720; n++) {
		struct aclkm_info before = dev_info(self->fd);
		bool has[HOLDERS] = { true, true, true, true, true, true };
		int buf, drm = open_vgem();
		struct aclkm_alloc alloc;
		char *map[HOLDERS] = {};
		uint32_t gem;

		ASSERT_EQ(0, dev_alloc(self->owner, 4 * PAGE, 0, &alloc));
		buf = dev_export(self->owner, alloc.handle, PAGE, 2 * PAGE, 0);
		ASSERT_LE(0, buf);
		ASSERT_EQ(0, drmPrimeFDToHandle(drm, buf, &gem));
		map[OWNER_MAP] = dev_map(self->owner, alloc.offset + PAGE, 2 * PAGE);
		map[GEM_MAP] = map_gem(drm, gem, 2 * PAGE, PROT_READ | PROT_WRITE);
		ASSERT_NE(MAP_FAILED, map[OWNER_MAP]);
		ASSERT_NE(MAP_FAILED, map[GEM_MAP]);
		pattern_fill(map[GEM_MAP], 0, 2 * PAGE, n);

		permutation(n, HOLDERS, order);
		for (i = 0; i < HOLDERS; i++) {
			int what = order[i];

			if (what == HANDLE) {
				ASSERT_EQ(0, dev_free(self->owner, alloc.handle));
			} else if (what == BUF_FD) {
				close(buf);
			} else if (what == GEM && has[DRM_FD]) {
				ASSERT_EQ(0, close_gem(drm, gem));
			} else if (what == DRM_FD) {
				close(drm);
				/* Objects go with their file. */
				has[GEM] = false;
			} else if (map[what]) {
				munmap(map[what], 2 * PAGE);
				map[what] = NULL;
			}
			has[what] = false;
			if (!has[HANDLE] && !has[OWNER_MAP] && !has[BUF_FD] && !has[GEM_MAP] &&
			    !has[GEM]) {
				ASSERT_TRUE(accounts_back(self->fd, &before));
				continue;
			}
			ASSERT_EQ(before.free - 4 * PAGE, dev_info(self->fd).free);
			for (j = 0; j < HOLDERS; j++)
				ASSERT_TRUE(!map[j] || pattern_is(map[j], 0, 2 * PAGE, n));
		}
	}
}

static int import_and_die(void *arg)
{
	int buf = *(int *)arg, drm = open_vgem();
	uint32_t gem;
	char *mem;

	if (drmPrimeFDToHandle(drm, buf, &gem))
		return 1;
	mem = map_gem(drm, gem, SIZE, PROT_READ | PROT_WRITE);
	if (mem == MAP_FAILED || !pattern_is(mem, 0, SIZE, 1))
		return 2;
	pattern_fill(mem, 0, SIZE, 3);
	kill(getpid(), SIGKILL);
	return 3;
}

TEST_F(vgem, importer_killed)
{
	int buf;

	NEED_VGEM();
	buf = dev_export(self->owner, self->alloc.handle, 0, 0, 0);
	ASSERT_LE(0, buf);
	EXPECT_EQ(-SIGKILL, in_child(import_and_die, &buf));
	EXPECT_TRUE(pattern_is(self->mem, 0, SIZE, 3));
	close(buf);
}

TEST_F(vgem, foreign_buffer)
{
	struct drm_mode_create_dumb dumb = { .width = 64, .height = 64, .bpp = 32 };
	struct aclkm_import imp = {};
	int buf, fds = open_fds();

	NEED_VGEM();
	ASSERT_EQ(0, drmIoctl(self->drm, DRM_IOCTL_MODE_CREATE_DUMB, &dumb));
	ASSERT_EQ(0, drmPrimeHandleToFD(self->drm, dumb.handle, DRM_CLOEXEC | DRM_RDWR, &buf));
	EXPECT_EQ(-EOPNOTSUPP, dev_import(self->owner, buf, &imp));
	EXPECT_EQ(0, imp.handle);
	close(buf);
	EXPECT_EQ(fds, open_fds());
	EXPECT_EQ(0, close_gem(self->drm, dumb.handle));
}

/* Memory of the process, pinned and exported: attached, and never mapped. */
TEST_F(vgem, pinned_memory)
{
	char *mem = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long long pages = pinned_pages();
	struct aclkm_pin pin = { .addr = (uintptr_t)mem, .len = MIB };
	uint32_t gem;
	int buf;

	NEED_VGEM();
	NEED_FEATURE(self->fd, ACLKM_FEATURE_PIN);
	memset(mem, 1, MIB);
	ASSERT_EQ(0, dev_ioctl(self->owner, ACLKM_IOC_PIN, &pin));
	buf = dev_export(self->owner, pin.handle, 0, 0, ACLKM_EXPORT_CLOEXEC);
	ASSERT_LE(0, buf);
	ASSERT_EQ(0, drmPrimeFDToHandle(self->drm, buf, &gem));
	EXPECT_EQ(MAP_FAILED, map_gem(self->drm, gem, MIB, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, dev_free(self->owner, pin.handle));
	close(buf);
	/* vgem alone keeps the pages now. */
	EXPECT_EQ(pages + 256, pinned_pages());
	EXPECT_EQ(0, close_gem(self->drm, gem));
	EXPECT_EQ(pages, pinned_pages());
	munmap(mem, MIB);
}

/* Also write-combined memory has an importer. */
TEST_F(vgem, write_combined)
{
	struct aclkm_alloc alloc;
	uint32_t gem;
	char *mem, *there;
	int buf;

	NEED_VGEM();
	NEED_FEATURE(self->fd, ACLKM_FEATURE_CACHE);
	ASSERT_EQ(0, dev_alloc_flags(self->owner, MIB, 0, ACLKM_ALLOC_WC, &alloc));
	mem = dev_map(self->owner, alloc.offset, MIB);
	ASSERT_NE(MAP_FAILED, mem);
	pattern_fill(mem, 0, MIB, 1);
	EXPECT_EQ(0, dev_sync(self->owner, alloc.handle, ACLKM_SYNC_END | ACLKM_SYNC_WRITE, 0,
			      MIB));
	buf = dev_export(self->owner, alloc.handle, 0, 0, 0);
	ASSERT_LE(0, buf);
	ASSERT_EQ(0, drmPrimeFDToHandle(self->drm, buf, &gem));
	there = map_gem(self->drm, gem, MIB, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, there);
	EXPECT_TRUE(pattern_is(there, 0, MIB, 1));
	munmap(there, MIB);
	munmap(mem, MIB);
	close(buf);
	EXPECT_EQ(0, close_gem(self->drm, gem));
	EXPECT_EQ(0, dev_free(self->owner, alloc.handle));
}

TEST_HARNESS_MAIN
