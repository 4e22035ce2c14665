// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages PIN pins, and what it leaves behind: the pages that the process goes on
 * using, none of memory that the kernel wants back, each of them dirty where a device
 * may have written.
 */
#include "dmabuf.h"
#include "pin.h"
#include "kselftest_harness.h"

#define PAGES 16
#define SIZE (PAGES * PAGE)
#define KPF_DIRTY 4

FIXTURE(pages) {
	int fd;
	struct aclkm_info before;
};

FIXTURE_SETUP(pages)
{
	self->fd = dev_open(O_RDWR);
	ASSERT_LE(0, self->fd);
	self->before = dev_info(self->fd);
}

FIXTURE_TEARDOWN(pages)
{
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
	close(self->fd);
}

/* Addresses of the handle's pages, one by one. */
static bool pinned_at(int fd, uint32_t handle, uint64_t *phys, int pages)
{
	struct aclkm_phys_extent extents[PAGES];
	struct aclkm_phys req;
	uint64_t off;
	int n = 0, i;

	if (dev_phys(fd, handle, 0, extents, PAGES, &req))
		return false;
	for (i = 0; i < req.count; i++)
		for (off = 0; off < extents[i].len && n < pages; off += PAGE)
			phys[n++] = extents[i].phys + off;
	return n == pages;
}

static char *small_pages(uint64_t len)
{
	char *mem = anonymous(len);

	return !mem || advise_page_size(mem, len, MADV_NOHUGEPAGE) ? NULL : mem;
}

/* Whether the process sees the pinned pages through its mapping. */
static bool maps_pinned(const char *mem, const uint64_t *phys, int pages)
{
	int i;

	for (i = 0; i < pages; i++)
		if (pagemap_phys(mem + i * PAGE) != phys[i]) {
			printf("# page %d is at %#llx, %#llx is pinned\n", i,
			       (unsigned long long)pagemap_phys(mem + i * PAGE),
			       (unsigned long long)phys[i]);
			return false;
		}
	return true;
}

/* The child gets copies, whoever writes first; the devices and the parent keep the pages. */
TEST_F(pages, parent_keeps_the_pinned_pages_after_fork)
{
	char *mem = small_pages(SIZE);
	uint64_t phys[PAGES];
	struct aclkm_pin pin;
	int first, status;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_PIN);
	ASSERT_NE(NULL, mem);
	memset(mem, 1, SIZE);
	ASSERT_EQ(0, dev_pin(self->fd, mem, SIZE, 0, &pin));
	ASSERT_TRUE(pinned_at(self->fd, pin.handle, phys, PAGES));
	EXPECT_TRUE(maps_pinned(mem, phys, PAGES));
	for (first = 0; first < 2; first++) {
		int go[2];
		char byte;
		pid_t pid;

		ASSERT_EQ(0, pipe(go));
		pid = fork();
		if (!pid) {
			close(go[1]);
			if (first && read(go[0], &byte, 1) < 0)
				_exit(1);
			memset(mem, 2, SIZE);
			_exit(pagemap_phys(mem) == phys[0] ? 2 : 0);
		}
		close(go[0]);
		if (first)
			memset(mem, 3, SIZE);
		close(go[1]);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, WEXITSTATUS(status));
		memset(mem, 4, SIZE);
		EXPECT_TRUE(maps_pinned(mem, phys, PAGES));
	}
	ASSERT_EQ(0, dev_free(self->fd, pin.handle));
}

/* -1 if this kernel does not tell. */
static int page_is_dirty(uint64_t phys)
{
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	uint64_t flags;
	ssize_t got = pread(fd, &flags, 8, phys / PAGE * 8);

	close(fd);
	return got == 8 ? flags >> KPF_DIRTY & 1 : -1;
}

/* The processor has not written them, and the kernel must not throw away what a device did. */
TEST_F(pages, unpinned_pages_are_dirty_if_a_device_could_write)
{
	char *mem = small_pages(SIZE);
	uint64_t phys[PAGES];
	struct aclkm_pin pin;
	int i;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_PIN);
	ASSERT_NE(NULL, mem);
	/*
	 * Untouched memory: PIN itself takes the pages, outside of the movable zone. Pages
	 * that PIN moves would be marked as dirty by that.
	 */
	ASSERT_EQ(0, dev_pin(self->fd, mem, SIZE, 0, &pin));
	ASSERT_TRUE(pinned_at(self->fd, pin.handle, phys, PAGES));
	if (page_is_dirty(phys[0]) < 0)
		SKIP(return, "no /proc/kpageflags");
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(0, page_is_dirty(phys[i]));
	ASSERT_EQ(0, dev_free(self->fd, pin.handle));
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(1, page_is_dirty(phys[i]));

	/* A device that only reads leaves them as they are. */
	munmap(mem, SIZE);
	mem = small_pages(SIZE);
	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, dev_pin(self->fd, mem, SIZE, ACLKM_PIN_READ_ONLY, &pin));
	ASSERT_TRUE(pinned_at(self->fd, pin.handle, phys, PAGES));
	ASSERT_EQ(0, dev_free(self->fd, pin.handle));
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(0, page_is_dirty(phys[i]));
}

/* First page and size of the zone whose pages must stay movable; false without one. */
static bool movable_zone(uint64_t *start, uint64_t *pages)
{
	FILE *f = fopen("/proc/zoneinfo", "r");
	char line[128];
	bool inside = false;

	*start = *pages = 0;
	while (f && fgets(line, sizeof(line), f)) {
		unsigned long long value;

		if (!strncmp(line, "Node", 4))
			inside = strstr(line, "Movable");
		else if (inside && sscanf(line, " present %llu", &value) == 1)
			*pages = value;
		else if (inside && sscanf(line, " start_pfn: %llu", &value) == 1)
			*start = value;
	}
	if (f)
		fclose(f);
	return *start && *pages;
}

/* Pages for ever in there would keep the memory from going offline. */
TEST_F(pages, pinned_pages_leave_the_movable_zone)
{
	uint64_t phys[PAGES], start, count;
	char *mem = small_pages(SIZE);
	struct aclkm_pin pin;
	int i, moved = 0;

	NEED_FEATURE(self->fd, ACLKM_FEATURE_PIN);
	if (!movable_zone(&start, &count))
		SKIP(return, "no movable zone: movablecore= makes one");
	ASSERT_NE(NULL, mem);
	memset(mem, 1, SIZE);
	for (i = 0; i < PAGES; i++)
		moved += pagemap_phys(mem + i * PAGE) / PAGE - start < count;
	if (!moved)
		SKIP(return, "the process got no page of the movable zone");
	ASSERT_EQ(0, dev_pin(self->fd, mem, SIZE, 0, &pin));
	ASSERT_TRUE(pinned_at(self->fd, pin.handle, phys, PAGES));
	for (i = 0; i < PAGES; i++)
		EXPECT_LE(count, phys[i] / PAGE - start);
	EXPECT_TRUE(maps_pinned(mem, phys, PAGES));
	EXPECT_TRUE(all_bytes(mem, SIZE, 1));
	ASSERT_EQ(0, dev_free(self->fd, pin.handle));
}

TEST_HARNESS_MAIN
