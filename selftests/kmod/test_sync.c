// SPDX-License-Identifier: GPL-2.0
/*
 * What SYNC and read-only mean to a device. The importer module is the device: behind
 * bounce buffers (boot with swiotlb=force) it sees only what a sync has copied, and the
 * other way round; as a device that records it tells which syncs the driver asked for.
 */
#include "dmabuf.h"
#include "../importer/importer.h"
#include "kselftest_harness.h"

#define SIZE (1 * MIB)
#define START_READ (ACLKM_SYNC_START | ACLKM_SYNC_READ)
#define START_WRITE (ACLKM_SYNC_START | ACLKM_SYNC_WRITE)
#define END_READ (ACLKM_SYNC_END | ACLKM_SYNC_READ)
#define END_WRITE (ACLKM_SYNC_END | ACLKM_SYNC_WRITE)
#define HOST 0x11
#define DEVICE 0xdd

static int device_attach(int device, int buf, uint32_t dir, struct importer_attach *out)
{
	struct importer_attach req = { .fd = buf, .dir = dir };
	int err = dev_ioctl(device, IMPORTER_IOC_ATTACH, &req);

	if (out)
		*out = req;
	return err;
}

static int device_detach(int device)
{
	return dev_ioctl(device, IMPORTER_IOC_DETACH, NULL);
}

static int device_write(int device, uint64_t offset, uint64_t len, int value)
{
	struct importer_access req = { .offset = offset, .len = len, .value = value };

	return dev_ioctl(device, IMPORTER_IOC_WRITE, &req);
}

/* The value of all these bytes as the device sees them; -1 if they differ. */
static int device_read(int device, uint64_t offset, uint64_t len)
{
	struct importer_access req = { .offset = offset, .len = len };

	if (dev_ioctl(device, IMPORTER_IOC_READ, &req))
		abort();
	return req.value;
}

static int kernel_write(int device, int buf, int value)
{
	struct importer_vmap req = { .fd = buf, .value = value };

	return dev_ioctl(device, IMPORTER_IOC_VMAP, &req);
}

static struct importer_records device_records(int device)
{
	struct importer_records records = {};

	if (dev_ioctl(device, IMPORTER_IOC_RECORDS, &records))
		abort();
	return records;
}

FIXTURE(sync) {
	int fd;		/* watches the accounts, owns nothing */
	int owner;
	int device;
	int buf;
	struct aclkm_info before;
	struct aclkm_alloc alloc;
	unsigned char *mem;
};

FIXTURE_SETUP(sync)
{
	self->device = open(IMPORTER_PATH, O_RDWR | O_CLOEXEC);
	if (self->device < 0)
		SKIP(return, "no " IMPORTER_PATH ": the importer module is not loaded");
	self->fd = dev_open(O_RDWR);
	ASSERT_LE(0, self->fd);
	self->before = dev_info(self->fd);
	self->owner = dev_open(O_RDWR);
	ASSERT_LE(0, self->owner);
	ASSERT_EQ(0, dev_alloc(self->owner, SIZE, 0, &self->alloc));
	self->mem = dev_map(self->owner, self->alloc.offset, SIZE);
	ASSERT_NE(MAP_FAILED, self->mem);
	memset(self->mem, HOST, SIZE);
	self->buf = dev_export(self->owner, self->alloc.handle, 0, 0, 0);
	ASSERT_LE(0, self->buf);
}

FIXTURE_TEARDOWN(sync)
{
	if (self->device < 0)
		return;
	close(self->device);
	close(self->buf);
	munmap(self->mem, SIZE);
	close(self->owner);
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
	close(self->fd);
}

/* Attaches to the dma-buf; skips the test where the device has the same bytes anyway. */
#define ATTACH_BOUNCED(dir) do { \
	ASSERT_EQ(0, device_attach(self->device, self->buf, dir, NULL)); \
	ASSERT_EQ(0, device_write(self->device, SIZE - 1, 1, DEVICE)); \
	if (self->mem[SIZE - 1] == DEVICE) \
		SKIP(return, "no bounce buffers: boot with swiotlb=force"); \
} while (0)

#define SYNC(flags, offset, len) \
	ASSERT_EQ(0, dev_sync(self->owner, self->alloc.handle, flags, offset, len))

TEST_F(sync, start_read_hands_over_the_range_and_no_byte_beside_it)
{
	static const struct { uint64_t offset, len; } range[] = {
		{ 8 * PAGE, PAGE }, { 0, 1 }, { 3 * PAGE + 17, 2 * PAGE + 5 }, { 4095, 2 },
		/* Over the ends of entries, which are what one bounce buffer holds. */
		{ 256 * KIB - PAGE, 2 * PAGE }, { 200 * KIB + 3, 500 * KIB }, { 1, SIZE - 3 },
	};
	int i;

	ATTACH_BOUNCED(IMPORTER_BOTH);
	for (i = 0; i < ARRAY_SIZE(range); i++) {
		uint64_t start = range[i].offset, end = start + range[i].len;

		memset(self->mem, HOST, SIZE);
		ASSERT_EQ(0, device_write(self->device, 0, SIZE, DEVICE));
		SYNC(START_READ, start, end - start);
		EXPECT_TRUE(all_bytes(self->mem, start, HOST));
		EXPECT_TRUE(all_bytes(self->mem + start, end - start, DEVICE));
		EXPECT_TRUE(all_bytes(self->mem + end, SIZE - end, HOST));

		memset(self->mem, HOST, SIZE);
		SYNC(END_WRITE, start, end - start);
		EXPECT_EQ(HOST, device_read(self->device, start, end - start));
		if (start)
			EXPECT_EQ(DEVICE, device_read(self->device, 0, start));
		EXPECT_EQ(DEVICE, device_read(self->device, end, SIZE - end));
	}
}

TEST_F(sync, ranges_in_use_at_the_same_time_keep_their_bytes)
{
	ATTACH_BOUNCED(IMPORTER_BOTH);
	/* The processor writes page 0 while it looks at what the device wrote to page 8. */
	SYNC(START_WRITE, 0, PAGE);
	memset(self->mem, 0x22, PAGE);
	ASSERT_EQ(0, device_write(self->device, 8 * PAGE, PAGE, DEVICE));
	SYNC(START_READ, 8 * PAGE, PAGE);
	EXPECT_TRUE(all_bytes(self->mem + 8 * PAGE, PAGE, DEVICE));
	EXPECT_TRUE(all_bytes(self->mem, PAGE, 0x22));
	SYNC(END_READ, 8 * PAGE, PAGE);
	/* The device writes page 9 while the processor hands page 0 over. */
	ASSERT_EQ(0, device_write(self->device, 9 * PAGE, PAGE, DEVICE));
	SYNC(END_WRITE, 0, PAGE);
	EXPECT_EQ(0x22, device_read(self->device, 0, PAGE));
	SYNC(START_READ, 9 * PAGE, PAGE);
	EXPECT_TRUE(all_bytes(self->mem + 9 * PAGE, PAGE, DEVICE));
}

TEST_F(sync, bytes_go_in_the_direction_of_the_access_only)
{
	ATTACH_BOUNCED(IMPORTER_BOTH);
	ASSERT_EQ(0, device_write(self->device, 0, PAGE, DEVICE));
	SYNC(START_WRITE, 0, PAGE);
	EXPECT_TRUE(all_bytes(self->mem, PAGE, HOST));
	SYNC(END_READ, 0, PAGE);
	EXPECT_EQ(DEVICE, device_read(self->device, 0, PAGE));
	SYNC(START_READ | ACLKM_SYNC_WRITE, 0, PAGE);
	EXPECT_TRUE(all_bytes(self->mem, PAGE, DEVICE));
	memset(self->mem, 0x22, PAGE / 2);
	SYNC(END_READ | ACLKM_SYNC_WRITE, 0, PAGE);
	EXPECT_EQ(0x22, device_read(self->device, 0, PAGE / 2));
	EXPECT_EQ(DEVICE, device_read(self->device, PAGE / 2, PAGE / 2));
}

TEST_F(sync, a_device_that_only_writes_is_not_written_to)
{
	ATTACH_BOUNCED(IMPORTER_FROM_DEVICE);
	ASSERT_EQ(0, device_write(self->device, 0, PAGE, DEVICE));
	SYNC(END_WRITE, 0, PAGE);
	EXPECT_EQ(DEVICE, device_read(self->device, 0, PAGE));
	SYNC(START_READ, 0, PAGE);
	EXPECT_TRUE(all_bytes(self->mem, PAGE, DEVICE));
}

TEST_F(sync, a_device_that_only_reads_changes_nothing)
{
	ASSERT_EQ(0, device_attach(self->device, self->buf, IMPORTER_TO_DEVICE, NULL));
	EXPECT_EQ(HOST, device_read(self->device, 0, SIZE));
	ASSERT_EQ(0, device_write(self->device, 0, PAGE, DEVICE));
	if (self->mem[0] == DEVICE)
		SKIP(return, "no bounce buffers: boot with swiotlb=force");
	SYNC(START_READ | ACLKM_SYNC_WRITE, 0, SIZE);
	EXPECT_TRUE(all_bytes(self->mem, SIZE, HOST));
	memset(self->mem, 0x22, SIZE);
	SYNC(END_WRITE, 0, SIZE);
	EXPECT_EQ(0x22, device_read(self->device, 0, SIZE));
	ASSERT_EQ(0, device_write(self->device, 0, PAGE, DEVICE));
	ASSERT_EQ(0, device_detach(self->device));
	EXPECT_TRUE(all_bytes(self->mem, SIZE, 0x22));
}

TEST_F(sync, all_devices_of_all_overlapping_dma_bufs)
{
	int part = dev_export(self->owner, self->alloc.handle, 4 * PAGE, 4 * PAGE, 0);
	int apart = dev_export(self->owner, self->alloc.handle, 16 * PAGE, PAGE, 0);
	int second = open(IMPORTER_PATH, O_RDWR | O_CLOEXEC);
	int third = open(IMPORTER_PATH, O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, part);
	ASSERT_LE(0, apart);
	ATTACH_BOUNCED(IMPORTER_BOTH);
	ASSERT_EQ(0, device_attach(second, part, IMPORTER_BOTH, NULL));
	ASSERT_EQ(0, device_attach(third, apart, IMPORTER_BOTH, NULL));
	memset(self->mem, 0x22, SIZE);
	/* Pages 2 to 5: the first two pages of the part. */
	SYNC(END_WRITE, 2 * PAGE, 4 * PAGE);
	EXPECT_EQ(HOST, device_read(self->device, 0, 2 * PAGE));
	EXPECT_EQ(0x22, device_read(self->device, 2 * PAGE, 4 * PAGE));
	EXPECT_EQ(HOST, device_read(self->device, 6 * PAGE, 4 * PAGE));
	EXPECT_EQ(0x22, device_read(second, 0, 2 * PAGE));
	EXPECT_EQ(HOST, device_read(second, 2 * PAGE, 2 * PAGE));
	EXPECT_EQ(HOST, device_read(third, 0, PAGE));
	/* From its end, and by the part's own handle. */
	SYNC(END_WRITE, 7 * PAGE, 10 * PAGE);
	EXPECT_EQ(HOST, device_read(second, 2 * PAGE, PAGE));
	EXPECT_EQ(0x22, device_read(second, 3 * PAGE, PAGE));
	EXPECT_EQ(0x22, device_read(third, 0, PAGE));
	{
		struct aclkm_import imp;

		ASSERT_EQ(0, dev_import(self->owner, part, &imp));
		ASSERT_EQ(0, dev_sync(self->owner, imp.handle, END_WRITE, 2 * PAGE, PAGE));
		EXPECT_EQ(0, dev_free(self->owner, imp.handle));
	}
	EXPECT_EQ(0x22, device_read(second, 2 * PAGE, PAGE));
	EXPECT_EQ(0x22, device_read(self->device, 6 * PAGE, PAGE));
	close(part);
	close(apart);
	close(second);
	close(third);
}

/* The dma-buf's own calls are about all of it. */
TEST_F(sync, calls_of_the_dma_buf_follow_the_direction)
{
	ATTACH_BOUNCED(IMPORTER_BOTH);
	ASSERT_EQ(0, device_write(self->device, 0, SIZE, DEVICE));
	EXPECT_EQ(0, buf_sync(self->buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE));
	EXPECT_TRUE(all_bytes(self->mem, SIZE - 1, HOST));
	EXPECT_EQ(0, buf_sync(self->buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
	EXPECT_EQ(DEVICE, device_read(self->device, 0, SIZE));
	EXPECT_EQ(0, buf_sync(self->buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	EXPECT_TRUE(all_bytes(self->mem, SIZE, DEVICE));
	memset(self->mem, 0x22, SIZE);
	EXPECT_EQ(0, buf_sync(self->buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE));
	EXPECT_EQ(0x22, device_read(self->device, 0, SIZE));
}

TEST_F(sync, pinned_memory_too)
{
	struct aclkm_pin pin = { .len = SIZE };
	unsigned char *mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int buf;

	ASSERT_NE(MAP_FAILED, mem);
	memset(mem, HOST, SIZE);
	pin.addr = (uintptr_t)mem;
	ASSERT_EQ(0, dev_ioctl(self->owner, ACLKM_IOC_PIN, &pin));
	buf = dev_export(self->owner, pin.handle, PAGE, SIZE - PAGE, 0);
	ASSERT_LE(0, buf);
	ASSERT_EQ(0, device_attach(self->device, buf, IMPORTER_BOTH, NULL));
	ASSERT_EQ(0, device_write(self->device, 0, SIZE - PAGE, DEVICE));
	if (mem[PAGE] == DEVICE)
		SKIP(return, "no bounce buffers: boot with swiotlb=force");
	ASSERT_EQ(0, dev_sync(self->owner, pin.handle, START_READ, PAGE / 2, 3 * PAGE + 7));
	EXPECT_TRUE(all_bytes(mem, PAGE, HOST));
	EXPECT_TRUE(all_bytes(mem + PAGE, 5 * PAGE / 2 + 7, DEVICE));
	EXPECT_TRUE(all_bytes(mem + 7 * PAGE / 2 + 7, SIZE - 7 * PAGE / 2 - 7, HOST));
	ASSERT_EQ(0, device_detach(self->device));
	close(buf);
	EXPECT_EQ(0, dev_free(self->owner, pin.handle));
	munmap(mem, SIZE);
}

/* An attachment is listed in entries that the device can take. */
TEST_F(sync, entries_fit_the_device)
{
	static const struct { uint32_t max_seg; uint64_t boundary; } device[] = {
		{ 0, 0 }, { 64 * KIB, 0 }, { 4096, 0 }, { 5000, 0 }, { 512, 0 },
		{ 0, MIB - 1 }, { 0, 64 * KIB - 1 }, { 48 * KIB, 256 * KIB - 1 }, { 0, ~0ULL },
	};
	struct aclkm_alloc alloc;
	int i, buf;

	ASSERT_EQ(0, dev_alloc(self->owner, 8 * MIB, 0, &alloc));
	/* Not from a boundary on. */
	buf = dev_export(self->owner, alloc.handle, 3 * PAGE, 7 * MIB, 0);
	ASSERT_LE(0, buf);
	for (i = 0; i < ARRAY_SIZE(device); i++) {
		struct importer_attach req = { .fd = buf, .max_seg = device[i].max_seg,
					       .boundary = device[i].boundary };
		uint64_t most = device[i].max_seg ?: 1U << 30;

		ASSERT_EQ(0, dev_ioctl(self->device, IMPORTER_IOC_ATTACH, &req))
			TH_LOG("device %d", i);
		most = most < PAGE ? PAGE : most & ~(PAGE - 1);
		EXPECT_LE(req.longest, most);
		EXPECT_LE(req.longest, req.max_mapping);
		EXPECT_EQ(7 * MIB, req.total);
		EXPECT_EQ(0, req.crossing);
		EXPECT_EQ(0, device_detach(self->device));
	}
	close(buf);
	EXPECT_EQ(0, dev_free(self->owner, alloc.handle));
}

TEST_F(sync, a_second_mapping_of_an_attachment_is_refused)
{
	ATTACH_BOUNCED(IMPORTER_BOTH);
	EXPECT_EQ(-EBUSY, ioctl(self->device, IMPORTER_IOC_MAP_AGAIN, IMPORTER_BOTH) ? -errno : 0);
	SYNC(END_WRITE, 0, SIZE);
	EXPECT_EQ(HOST, device_read(self->device, 0, SIZE));
}

/* Which syncs a device sees, for each direction of its mapping and of the access. */
TEST_F(sync, recorded_directions)
{
	static const struct { uint32_t mapped, flags; int start, end; } expect[] = {
		/* -1: none */
		{ IMPORTER_BOTH, ACLKM_SYNC_READ, IMPORTER_FROM_DEVICE, IMPORTER_FROM_DEVICE },
		{ IMPORTER_BOTH, ACLKM_SYNC_WRITE, IMPORTER_TO_DEVICE, IMPORTER_TO_DEVICE },
		{ IMPORTER_BOTH, ACLKM_SYNC_READ | ACLKM_SYNC_WRITE, IMPORTER_BOTH, IMPORTER_BOTH },
		{ IMPORTER_TO_DEVICE, ACLKM_SYNC_READ, -1, -1 },
		{ IMPORTER_TO_DEVICE, ACLKM_SYNC_WRITE, IMPORTER_TO_DEVICE, IMPORTER_TO_DEVICE },
		{ IMPORTER_TO_DEVICE, ACLKM_SYNC_READ | ACLKM_SYNC_WRITE, IMPORTER_TO_DEVICE,
		  IMPORTER_TO_DEVICE },
		{ IMPORTER_FROM_DEVICE, ACLKM_SYNC_READ, IMPORTER_FROM_DEVICE, IMPORTER_FROM_DEVICE },
		/* Dirty cache lines must not end in what the device writes. */
		{ IMPORTER_FROM_DEVICE, ACLKM_SYNC_WRITE, -1, IMPORTER_FROM_DEVICE },
		{ IMPORTER_FROM_DEVICE, ACLKM_SYNC_READ | ACLKM_SYNC_WRITE, IMPORTER_FROM_DEVICE,
		  IMPORTER_FROM_DEVICE },
	};
	int i, end;

	for (i = 0; i < ARRAY_SIZE(expect); i++) {
		struct importer_attach req = { .fd = self->buf, .dir = expect[i].mapped,
					       .records = 1 };

		ASSERT_EQ(0, dev_ioctl(self->device, IMPORTER_IOC_ATTACH, &req));
		device_records(self->device);
		for (end = 0; end < 2; end++) {
			int dir = end ? expect[i].end : expect[i].start;
			struct importer_records records;

			SYNC((end ? ACLKM_SYNC_END : ACLKM_SYNC_START) | expect[i].flags,
			     5 * PAGE + 3, 11);
			records = device_records(self->device);
			ASSERT_EQ(dir >= 0, records.count) TH_LOG("case %d.%d", i, end);
			if (dir < 0)
				continue;
			EXPECT_EQ(5 * PAGE + 3, records.record[0].offset);
			EXPECT_EQ(11, records.record[0].len);
			EXPECT_EQ(dir, records.record[0].dir) TH_LOG("case %d.%d", i, end);
			EXPECT_EQ(!end, records.record[0].for_cpu);
		}
		EXPECT_EQ(0, device_detach(self->device));
	}
}

/*
 * The device's IOMMU makes one range of all entries. A sync of part of that range is
 * one call for each physically contiguous piece, which is what caches and bounce
 * buffers need, and none for the rest of the buffer.
 */
TEST_F(sync, recorded_ranges_of_scattered_memory)
{
	static const struct { uint64_t offset, len; } range[] = {
		{ 0, PAGE }, { 5 * PAGE + 100, 3 * PAGE }, { 40 * PAGE - 1, 2 },
		{ 63 * PAGE, PAGE }, { 17 * PAGE, 1 },
	};
	const uint64_t len = 64 * PAGE;
	struct importer_attach attach = { .records = 1 };
	struct aclkm_phys_extent extents[64];
	struct aclkm_phys phys = { .count = 64, .extents = (uintptr_t)extents };
	struct aclkm_pin pin = { .len = len };
	char *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *gaps = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int i, j, k;

	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_NE(MAP_FAILED, gaps);
	madvise(mem, len, MADV_NOHUGEPAGE);
	madvise(gaps, len, MADV_NOHUGEPAGE);
	/* The kernel hands out neighbours one after the other. */
	for (i = 0; i < 64; i++)
		mem[i * PAGE] = gaps[i * PAGE] = 1;
	pin.addr = (uintptr_t)mem;
	ASSERT_EQ(0, dev_ioctl(self->owner, ACLKM_IOC_PIN, &pin));
	phys.handle = pin.handle;
	ASSERT_EQ(0, dev_ioctl(self->owner, ACLKM_IOC_PHYS, &phys));
	attach.fd = dev_export(self->owner, pin.handle, 0, 0, 0);
	ASSERT_LE(0, attach.fd);
	ASSERT_EQ(0, dev_ioctl(self->device, IMPORTER_IOC_ATTACH, &attach));
	EXPECT_EQ(1, attach.ranges);
	EXPECT_EQ(phys.total, attach.entries);
	EXPECT_LT(1, attach.entries);
	device_records(self->device);
	for (i = 0; i < ARRAY_SIZE(range); i++) {
		struct importer_records records;
		uint64_t pos = range[i].offset, first = 0;

		ASSERT_EQ(0, dev_sync(self->owner, pin.handle, START_READ, range[i].offset,
				      range[i].len));
		records = device_records(self->device);
		ASSERT_GE(IMPORTER_RECORDS, records.count);
		for (j = 0, k = 0; j < records.count; j++) {
			ASSERT_EQ(pos, records.record[j].offset);
			pos += records.record[j].len;
			while (pos - 1 >= first + extents[k].len)
				first += extents[k++].len;
			/* Not over the end of a piece. */
			EXPECT_LE(first, records.record[j].offset);
		}
		EXPECT_EQ(range[i].offset + range[i].len, pos);
		if (range[i].len <= PAGE)
			EXPECT_GE(2, records.count);
	}
	EXPECT_EQ(0, device_detach(self->device));
	close(attach.fd);
	EXPECT_EQ(0, dev_free(self->owner, pin.handle));
	munmap(mem, len);
	munmap(gaps, len);
}

/* The cost follows the range: in a long list only the entries of the range count. */
TEST_F(sync, recorded_calls_follow_the_range)
{
	struct importer_attach attach = { .records = 1, .max_seg = PAGE };
	struct importer_records records;
	struct aclkm_alloc alloc;
	uint64_t pos;
	int i;

	ASSERT_EQ(0, dev_alloc(self->owner, 32 * MIB, 0, &alloc));
	attach.fd = dev_export(self->owner, alloc.handle, 0, 0, 0);
	ASSERT_LE(0, attach.fd);
	ASSERT_EQ(0, dev_ioctl(self->device, IMPORTER_IOC_ATTACH, &attach));
	EXPECT_EQ(32 * MIB / PAGE, attach.entries);
	device_records(self->device);
	ASSERT_EQ(0, dev_sync(self->owner, alloc.handle, END_WRITE, 31 * MIB + 5, 2 * PAGE));
	records = device_records(self->device);
	EXPECT_EQ(3, records.count);
	EXPECT_EQ(31 * MIB + 5, records.record[0].offset);
	EXPECT_EQ(PAGE - 5, records.record[0].len);
	EXPECT_EQ(5, records.record[2].len);
	EXPECT_EQ(0, device_detach(self->device));

	/* A long entry is synced in steps, between which the caller can be killed. */
	attach.max_seg = 0;
	ASSERT_EQ(0, dev_ioctl(self->device, IMPORTER_IOC_ATTACH, &attach));
	EXPECT_EQ(1, attach.entries);
	device_records(self->device);
	ASSERT_EQ(0, dev_sync(self->owner, alloc.handle, END_WRITE, PAGE, 31 * MIB));
	records = device_records(self->device);
	ASSERT_GE(IMPORTER_RECORDS, records.count);
	EXPECT_LT(1, records.count);
	for (i = 0, pos = PAGE; i < records.count; i++) {
		EXPECT_EQ(pos, records.record[i].offset);
		EXPECT_GE(4 * MIB, records.record[i].len);
		pos += records.record[i].len;
	}
	EXPECT_EQ(31 * MIB + PAGE, pos);
	EXPECT_EQ(0, device_detach(self->device));
	close(attach.fd);
	EXPECT_EQ(0, dev_free(self->owner, alloc.handle));
}

/* S7: each way in which an importer could write. */
static bool cannot_be_written(int device, int owner, int buf, unsigned char *mem)
{
	struct aclkm_import imp;
	bool ok = true;
	char *there;

	memset(mem, HOST, PAGE);
	ok &= device_attach(device, buf, IMPORTER_BOTH, NULL) == -EACCES;
	ok &= device_attach(device, buf, IMPORTER_FROM_DEVICE, NULL) == -EACCES;
	ok &= kernel_write(device, buf, DEVICE) == -EINVAL;
	ok &= mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, buf, 0) == MAP_FAILED && errno == EACCES;
	ok &= buf_sync(buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW) == -EACCES;
	ok &= buf_sync(buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE) == -EACCES;
	ok &= !buf_sync(buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	ok &= !buf_sync(buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	there = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, buf, 0);
	ok &= there != MAP_FAILED && stays_read_only(there);
	munmap(there, PAGE);

	/* Read-only again as a handle, and as a dma-buf of that handle. */
	if (dev_import(owner, buf, &imp))
		return false;
	ok &= dev_map(owner, imp.offset, PAGE) == MAP_FAILED && errno == EACCES;
	ok &= dev_sync(owner, imp.handle, END_WRITE, 0, 1) == -EACCES;
	there = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, owner, imp.offset);
	ok &= there != MAP_FAILED && stays_read_only(there);
	munmap(there, PAGE);
	ok &= !dev_free(owner, imp.handle);

	/* A device may read it. */
	ok &= !device_attach(device, buf, IMPORTER_TO_DEVICE, NULL);
	ok &= device_read(device, 0, PAGE) == HOST;
	ok &= !device_detach(device);
	return ok && all_bytes(mem, PAGE, HOST);
}

TEST_F(sync, read_only_cannot_be_written)
{
	struct aclkm_import imp;
	int buf, again, reader;

	EXPECT_EQ(0, kernel_write(self->device, self->buf, DEVICE));
	EXPECT_TRUE(all_bytes(self->mem, PAGE, DEVICE));

	buf = dev_export(self->owner, self->alloc.handle, 0, 0, ACLKM_EXPORT_READ_ONLY);
	ASSERT_LE(0, buf);
	EXPECT_TRUE(cannot_be_written(self->device, self->owner, buf, self->mem));
	ASSERT_EQ(0, dev_import(self->owner, buf, &imp));
	again = dev_export(self->owner, imp.handle, 0, 2 * PAGE, 0);
	ASSERT_LE(0, again);
	EXPECT_TRUE(cannot_be_written(self->device, self->owner, again, self->mem));
	EXPECT_EQ(0, dev_free(self->owner, imp.handle));
	close(again);

	/* What a file opened for reading imports and exports is read-only. */
	reader = dev_open(O_RDONLY);
	ASSERT_LE(0, reader);
	ASSERT_EQ(0, dev_import(reader, self->buf, &imp));
	again = dev_export(reader, imp.handle, 0, 0, 0);
	ASSERT_LE(0, again);
	EXPECT_TRUE(cannot_be_written(self->device, self->owner, again, self->mem));
	close(again);
	close(reader);
	close(buf);
}

TEST_F(sync, read_only_pinned_memory_cannot_be_written)
{
	struct aclkm_pin pin = { .len = PAGE, .flags = ACLKM_PIN_READ_ONLY };
	unsigned char *mem = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int buf;

	ASSERT_NE(MAP_FAILED, mem);
	memset(mem, HOST, PAGE);
	pin.addr = (uintptr_t)mem;
	ASSERT_EQ(0, dev_ioctl(self->owner, ACLKM_IOC_PIN, &pin));
	buf = dev_export(self->owner, pin.handle, 0, 0, 0);
	ASSERT_LE(0, buf);
	EXPECT_EQ(-EACCES, device_attach(self->device, buf, IMPORTER_BOTH, NULL));
	EXPECT_EQ(-EACCES, device_attach(self->device, buf, IMPORTER_FROM_DEVICE, NULL));
	EXPECT_EQ(-EINVAL, kernel_write(self->device, buf, DEVICE));
	EXPECT_EQ(-EACCES, buf_sync(buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE));
	EXPECT_EQ(-EACCES, dev_sync(self->owner, pin.handle, END_WRITE, 0, 1));
	EXPECT_EQ(0, device_attach(self->device, buf, IMPORTER_TO_DEVICE, NULL));
	EXPECT_EQ(HOST, device_read(self->device, 0, PAGE));
	EXPECT_EQ(0, device_detach(self->device));
	EXPECT_TRUE(all_bytes(mem, PAGE, HOST));
	close(buf);
	EXPECT_EQ(0, dev_free(self->owner, pin.handle));
	munmap(mem, PAGE);
}

TEST_HARNESS_MAIN
