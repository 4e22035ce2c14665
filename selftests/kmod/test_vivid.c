// SPDX-License-Identifier: GPL-2.0
/*
 * A camera as the importer: frames of vivid, the kernel's virtual camera, land
 * in regions by V4L2_MEMORY_DMABUF and V4L2_MEMORY_USERPTR, and each pixel is
 * compared with the colour bars that vivid was told to show.
 */
#include "dmabuf.h"
#include <linux/videodev2.h>
#include <signal.h>
#include "kselftest_harness.h"

#define WIDTH 1280
#define HEIGHT 720
#define BUFFERS 4
#define FRAMES 8
/* One buffer for each 4 MiB; a frame is longer than 2 MiB. */
#define ROOM (4 * MIB)
#define REGION (BUFFERS * ROOM)
#define GUARD 64
#define POISON 0x5a

FIXTURE(vivid) {
	int fd;		/* watches the accounts, owns nothing */
	int owner;
	int cam;
	struct aclkm_info before;
	long long pinned;
	struct aclkm_alloc alloc;
	char *mem;
	uint32_t stride, size;	/* of a frame, in bytes */
};

FIXTURE_VARIANT(vivid) {
	uint32_t flags;
	uint64_t feature;
};

FIXTURE_VARIANT_ADD(vivid, default) {};
FIXTURE_VARIANT_ADD(vivid, small) { ACLKM_ALLOC_SMALL, ACLKM_FEATURE_HUGE_2M };
FIXTURE_VARIANT_ADD(vivid, huge_2m) { ACLKM_ALLOC_HUGE_2M, ACLKM_FEATURE_HUGE_2M };

static int open_camera(void)
{
	char path[32];
	int i, fd;

	for (i = 0; i < 32; i++) {
		struct v4l2_capability cap;

		snprintf(path, sizeof(path), "/dev/video%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!ioctl(fd, VIDIOC_QUERYCAP, &cap) && !strcmp((char *)cap.driver, "vivid") &&
		    cap.device_caps & V4L2_CAP_VIDEO_CAPTURE)
			return fd;
		close(fd);
	}
	return -1;
}

/* A menu control by its name, set to an item by its name. */
static bool choose(int cam, const char *control, const char *item)
{
	struct v4l2_queryctrl query = { .id = V4L2_CTRL_FLAG_NEXT_CTRL };

	for (; !ioctl(cam, VIDIOC_QUERYCTRL, &query); query.id |= V4L2_CTRL_FLAG_NEXT_CTRL) {
		struct v4l2_control set = { .id = query.id };

		if (strcmp((char *)query.name, control))
			continue;
		for (; set.value <= query.maximum; set.value++) {
			struct v4l2_querymenu menu = { .id = query.id, .index = set.value };

			if (!ioctl(cam, VIDIOC_QUERYMENU, &menu) &&
			    !strcmp((char *)menu.name, item))
				return !ioctl(cam, VIDIOC_S_CTRL, &set);
		}
	}
	printf("# vivid has no control \"%s\" with \"%s\"\n", control, item);
	return false;
}

static bool set_up(int cam, uint32_t *stride, uint32_t *size)
{
	struct v4l2_format fmt = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	int input = 0;

	if (ioctl(cam, VIDIOC_S_INPUT, &input))
		return false;
	fmt.fmt.pix.width = WIDTH;
	fmt.fmt.pix.height = HEIGHT;
	fmt.fmt.pix.pixelformat = V4L2_PIX_FMT_RGB24;
	fmt.fmt.pix.field = V4L2_FIELD_NONE;
	if (ioctl(cam, VIDIOC_S_FMT, &fmt) || fmt.fmt.pix.pixelformat != V4L2_PIX_FMT_RGB24 ||
	    fmt.fmt.pix.width != WIDTH || fmt.fmt.pix.height != HEIGHT)
		return false;
	*stride = fmt.fmt.pix.bytesperline;
	*size = fmt.fmt.pix.sizeimage;
	return choose(cam, "Test Pattern", "100% Colorbar") &&
	       choose(cam, "OSD Text Mode", "None") &&
	       choose(cam, "Horizontal Movement", "No Movement") &&
	       choose(cam, "Vertical Movement", "No Movement");
}

FIXTURE_SETUP(vivid)
{
	self->fd = dev_open(O_RDWR);
	ASSERT_LE(0, self->fd);
	self->before = dev_info(self->fd);
	self->pinned = pinned_pages();
	self->owner = dev_open(O_RDWR);
	ASSERT_LE(0, self->owner);
	self->cam = open_camera();
	self->mem = NULL;
	if (self->cam < 0 || !dev_has(self->fd, variant->feature))
		return;
	ASSERT_TRUE(set_up(self->cam, &self->stride, &self->size));
	ASSERT_GT(ROOM - 3 * PAGE, self->size);
	ASSERT_EQ(0, dev_alloc_flags(self->owner, REGION, 0, variant->flags, &self->alloc));
	self->mem = dev_map(self->owner, self->alloc.offset, REGION);
	ASSERT_NE(MAP_FAILED, self->mem);
}

FIXTURE_TEARDOWN(vivid)
{
	if (self->mem)
		munmap(self->mem, REGION);
	close(self->owner);
	if (self->cam >= 0)
		close(self->cam);
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
	EXPECT_EQ(self->pinned, pinned_pages());
	close(self->fd);
}

/* vivid takes user pointers only where its buffers need not be contiguous. */
static bool takes_userptr(int cam)
{
	struct v4l2_requestbuffers req = { .memory = V4L2_MEMORY_MMAP,
					   .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };

	return !ioctl(cam, VIDIOC_REQBUFS, &req) &&
	       req.capabilities & V4L2_BUF_CAP_SUPPORTS_USERPTR;
}

#define NEED_USERPTR() do { \
	if (!takes_userptr(self->cam)) \
		SKIP(return, "vivid with these buffers offers no V4L2_MEMORY_USERPTR"); \
} while (0)

#define NEED_VIVID() do { \
	if (self->cam < 0) \
		SKIP(return, "no vivid node in /dev"); \
	NEED_FEATURE(self->fd, variant->feature); \
} while (0)

/* Every pixel of a frame: eight bars, R, G and B each 0 or 255. */
static bool frame_is_right(const unsigned char *frame, uint32_t stride)
{
	static const unsigned char bars[8][3] = {
		{ 255, 255, 255 }, { 255, 255, 0 }, { 0, 255, 255 }, { 0, 255, 0 },
		{ 255, 0, 255 }, { 255, 0, 0 }, { 0, 0, 255 }, { 0, 0, 0 },
	};
	unsigned int x, y;

	for (y = 0; y < HEIGHT; y++) {
		const unsigned char *line = frame + y * stride;

		for (x = 0; x < WIDTH; x++) {
			if (!memcmp(line + 3 * x, bars[x * 8 / WIDTH], 3))
				continue;
			printf("# pixel %u,%u is %u %u %u\n", x, y, line[3 * x], line[3 * x + 1],
			       line[3 * x + 2]);
			return false;
		}
	}
	return true;
}

static int request(int cam, enum v4l2_memory memory, int count)
{
	struct v4l2_requestbuffers req = { .count = count, .memory = memory,
					   .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };

	return ioctl(cam, VIDIOC_REQBUFS, &req) ? -errno : (int)req.count;
}

static int stream(int cam, bool on)
{
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;

	return ioctl(cam, on ? VIDIOC_STREAMON : VIDIOC_STREAMOFF, &type) ? -errno : 0;
}

static int queue(int cam, enum v4l2_memory memory, int i, int buf, void *mem, uint32_t size)
{
	struct v4l2_buffer req = { .index = i, .memory = memory, .length = size,
				   .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };

	if (memory == V4L2_MEMORY_DMABUF)
		req.m.fd = buf;
	else
		req.m.userptr = (unsigned long)mem;
	return ioctl(cam, VIDIOC_QBUF, &req) ? -errno : 0;
}

/* Number of the buffer that has been filled. */
static int dequeue(int cam, enum v4l2_memory memory, uint32_t size)
{
	struct v4l2_buffer req = { .memory = memory, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };

	if (ioctl(cam, VIDIOC_DQBUF, &req))
		return -errno;
	if (req.flags & V4L2_BUF_FLAG_ERROR || req.bytesused != size)
		return -EIO;
	return req.index;
}

/* Into places @at of the region, poisoned before, with untouched bytes around. */
static bool capture(int cam, enum v4l2_memory memory, const int *bufs, char *mem,
		    const uint64_t *at, uint32_t stride, uint32_t size)
{
	int i, n, err = request(cam, memory, BUFFERS);

	if (err != BUFFERS) {
		printf("# VIDIOC_REQBUFS: %d\n", err);
		return false;
	}
	memset(mem, POISON, REGION);
	for (i = 0; i < BUFFERS; i++) {
		err = queue(cam, memory, i, bufs ? bufs[i] : -1, mem + at[i], size);
		if (err) {
			printf("# VIDIOC_QBUF %d: %d\n", i, err);
			return false;
		}
	}
	err = stream(cam, true);
	for (n = 0; !err && n < FRAMES; n++) {
		i = dequeue(cam, memory, size);
		if (i < 0) {
			err = i;
			break;
		}
		if (!frame_is_right((unsigned char *)mem + at[i], stride) ||
		    !all_bytes(mem + at[i] + size, GUARD, POISON) ||
		    (at[i] && !all_bytes(mem + at[i] - GUARD, GUARD, POISON))) {
			printf("# frame %d, in buffer %d\n", n, i);
			return false;
		}
		memset(mem + at[i], POISON, size);
		err = queue(cam, memory, i, bufs ? bufs[i] : -1, mem + at[i], size);
	}
	if (err)
		printf("# streaming: %d\n", err);
	return !err;
}

TEST_F_TIMEOUT(vivid, dmabuf, 120)
{
	uint64_t at[BUFFERS];
	int i, bufs[BUFFERS];

	NEED_VIVID();
	NEED_FEATURE(self->fd, ACLKM_FEATURE_DMABUF);
	for (i = 0; i < BUFFERS; i++) {
		at[i] = i * ROOM + i * 3 * PAGE;
		bufs[i] = dev_export(self->owner, self->alloc.handle, at[i],
				     (self->size + PAGE - 1) & -PAGE, 0);
		ASSERT_LE(0, bufs[i]);
	}
	EXPECT_TRUE(capture(self->cam, V4L2_MEMORY_DMABUF, bufs, self->mem, at, self->stride,
			    self->size));
	EXPECT_EQ(0, stream(self->cam, false));
	EXPECT_EQ(0, request(self->cam, V4L2_MEMORY_DMABUF, 0));
	for (i = 0; i < BUFFERS; i++)
		close(bufs[i]);
}

TEST_F_TIMEOUT(vivid, userptr, 120)
{
	uint64_t at[BUFFERS];
	int i;

	NEED_VIVID();
	NEED_USERPTR();
	/* Across the border of two huge entries, and not at the beginning of a page. */
	for (i = 0; i < BUFFERS; i++)
		at[i] = i * ROOM + i * (5 * PAGE + 64);
	EXPECT_TRUE(capture(self->cam, V4L2_MEMORY_USERPTR, NULL, self->mem, at, self->stride,
			    self->size));
	EXPECT_LT(self->pinned, pinned_pages());
	EXPECT_EQ(0, stream(self->cam, false));
	EXPECT_EQ(0, request(self->cam, V4L2_MEMORY_USERPTR, 0));
}

/* The camera is the last one that has the memory, by its attachments. */
TEST_F_TIMEOUT(vivid, freed_while_streaming_into_dmabufs, 120)
{
	uint64_t at[BUFFERS];
	int i, bufs[BUFFERS];

	NEED_VIVID();
	NEED_FEATURE(self->fd, ACLKM_FEATURE_DMABUF);
	for (i = 0; i < BUFFERS; i++) {
		at[i] = i * ROOM;
		bufs[i] = dev_export(self->owner, self->alloc.handle, at[i], ROOM, 0);
		ASSERT_LE(0, bufs[i]);
	}
	ASSERT_TRUE(capture(self->cam, V4L2_MEMORY_DMABUF, bufs, self->mem, at, self->stride,
			    self->size));
	munmap(self->mem, REGION);
	self->mem = NULL;
	ASSERT_EQ(0, dev_free(self->owner, self->alloc.handle));
	for (i = 0; i < BUFFERS; i++)
		close(bufs[i]);
	for (i = 0; i < BUFFERS; i++)
		EXPECT_LE(0, dequeue(self->cam, V4L2_MEMORY_DMABUF, self->size));
	EXPECT_EQ(self->before.free - REGION, dev_info(self->fd).free);
	EXPECT_EQ(0, stream(self->cam, false));
	EXPECT_EQ(0, request(self->cam, V4L2_MEMORY_DMABUF, 0));
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
}

/* And by its pins: the region is held until the camera lets go. */
TEST_F_TIMEOUT(vivid, freed_while_streaming_into_the_mapping, 120)
{
	uint64_t at[BUFFERS] = { 0, ROOM, 2 * ROOM, 3 * ROOM };
	int i;

	NEED_VIVID();
	NEED_USERPTR();
	ASSERT_TRUE(capture(self->cam, V4L2_MEMORY_USERPTR, NULL, self->mem, at, self->stride,
			    self->size));
	munmap(self->mem, REGION);
	self->mem = NULL;
	ASSERT_EQ(0, dev_free(self->owner, self->alloc.handle));
	for (i = 0; i < BUFFERS; i++)
		EXPECT_LE(0, dequeue(self->cam, V4L2_MEMORY_USERPTR, self->size));
	EXPECT_EQ(self->before.held + REGION, dev_info(self->fd).held);
	EXPECT_EQ(self->before.free - REGION, dev_info(self->fd).free);
	EXPECT_EQ(0, stream(self->cam, false));
	EXPECT_EQ(0, request(self->cam, V4L2_MEMORY_USERPTR, 0));
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
}

struct victim {
	uint32_t flags;
	enum v4l2_memory memory;
};

static int stream_and_die(void *arg)
{
	const struct victim *v = arg;
	uint64_t at[BUFFERS] = { 0, ROOM, 2 * ROOM, 3 * ROOM };
	int i, bufs[BUFFERS], fd = dev_open(O_RDWR), cam = open_camera();
	struct aclkm_alloc alloc;
	uint32_t stride, size;
	char *mem;

	if (!set_up(cam, &stride, &size) || dev_alloc_flags(fd, REGION, 0, v->flags, &alloc))
		return 1;
	mem = dev_map(fd, alloc.offset, REGION);
	if (mem == MAP_FAILED)
		return 2;
	for (i = 0; v->memory == V4L2_MEMORY_DMABUF && i < BUFFERS; i++) {
		bufs[i] = dev_export(fd, alloc.handle, at[i], ROOM, 0);
		if (bufs[i] < 0)
			return 3;
	}
	if (!capture(cam, v->memory, bufs, mem, at, stride, size))
		return 4;
	kill(getpid(), SIGKILL);
	return 5;
}

TEST_F_TIMEOUT(vivid, killed_while_streaming, 120)
{
	struct victim v = { variant->flags, V4L2_MEMORY_USERPTR };
	bool dmabuf = dev_has(self->fd, ACLKM_FEATURE_DMABUF), userptr;

	NEED_VIVID();
	userptr = takes_userptr(self->cam);
	if (!dmabuf && !userptr)
		SKIP(return, "neither dma-bufs nor user pointers here");
	/* Two open files cannot stream at once. */
	close(self->cam);
	self->cam = -1;
	if (userptr) {
		EXPECT_EQ(-SIGKILL, in_child(stream_and_die, &v));
	}
	v.memory = V4L2_MEMORY_DMABUF;
	if (dmabuf) {
		EXPECT_EQ(-SIGKILL, in_child(stream_and_die, &v));
	}
}

/* S7: the camera writes through a mapping of the kernel's or by DMA, never into this. */
TEST_F(vivid, a_read_only_dma_buf_is_not_written)
{
	int i, buf, queued = 0;

	NEED_VIVID();
	memset(self->mem, POISON, REGION);
	buf = dev_export(self->owner, self->alloc.handle, 0, 0, ACLKM_EXPORT_READ_ONLY);
	ASSERT_LE(0, buf);
	ASSERT_EQ(2, request(self->cam, V4L2_MEMORY_DMABUF, 2));
	for (i = 0; i < 2; i++)
		queued += !queue(self->cam, V4L2_MEMORY_DMABUF, i, buf, NULL, self->size);
	EXPECT_EQ(0, queued);
	/* What was taken nevertheless is waited for. */
	if (queued && !stream(self->cam, true)) {
		dequeue(self->cam, V4L2_MEMORY_DMABUF, self->size);
		stream(self->cam, false);
	}
	EXPECT_TRUE(all_bytes(self->mem, REGION, POISON));
	EXPECT_EQ(0, request(self->cam, V4L2_MEMORY_DMABUF, 0));
	close(buf);
}

TEST_HARNESS_MAIN
