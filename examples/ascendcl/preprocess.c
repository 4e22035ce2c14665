// SPDX-License-Identifier: MIT
/*
 * What comes before inference, without a model: decoded pictures go from host memory to
 * media memory, are cropped and resized there, and become one batch of input in device
 * memory. Two streams work at the same time, on two buffers; events keep the order.
 *
 *   stream "upload":  wait until the slot is free | host -> media | record "uploaded"
 *   stream "work":    wait for "uploaded" | crop and resize | record "slot is free"
 *                     | media -> the picture's part of the batch
 */
#include <acl/dvpp/hi_dvpp.h>
#include <acl/ops/acl_dvpp.h>

#include "check.h"

enum {
	PICTURES = 8,
	SLOTS = 2,
	WIDTH = 640,
	HEIGHT = 480,
	CROP = 480, /* a square from the middle */
	SIDE = 224, /* what the model wants */
	PICTURE_BYTES = WIDTH * HEIGHT * 3 / 2,
	INPUT_BYTES = SIDE * SIDE * 3 / 2,
};

struct slot {
	unsigned char *host;	/* as a decoder leaves it */
	unsigned char *decoded; /* media memory, whole picture */
	unsigned char *resized; /* media memory, what the model wants */
	aclrtEvent uploaded;
	aclrtEvent free;
};

static unsigned char *device_memory(size_t size)
{
	void *p;

	CHECK(aclrtMalloc(&p, size, ACL_MEM_MALLOC_HUGE_FIRST));
	return p;
}

/* One byte of picture number @n: luma of a pixel, then (U, V) of four pixels. */
static unsigned char pixel(int n, int x, int y)
{
	return (unsigned char)(x + 2 * y + 31 * n);
}

static unsigned char chroma(int n, int x, int y, int v)
{
	return (unsigned char)(x * 3 + y + 7 * n + 100 * v);
}

/* The decoder of this example: YUV420SP, a plane of Y and one of U and V in turns. */
static void decode(unsigned char *out, int n)
{
	int x, y;

	for (y = 0; y < HEIGHT; y++)
		for (x = 0; x < WIDTH; x++)
			*out++ = pixel(n, x, y);
	for (y = 0; y < HEIGHT / 2; y++)
		for (x = 0; x < WIDTH; x++)
			*out++ = chroma(n, x / 2, y, x % 2);
}

/* Which line or column of the square, so of the picture, the result shows. */
static int from(int at, int side, int crop)
{
	return at * crop / side;
}

/* Runs in the thread of stream "work", in the stream's order. */
static void crop_and_resize(void *arg)
{
	const struct slot *slot = arg;
	const unsigned char *luma = slot->decoded + (WIDTH - CROP) / 2, *uv;
	unsigned char *out = slot->resized;
	int x, y;

	for (y = 0; y < SIDE; y++)
		for (x = 0; x < SIDE; x++)
			*out++ = luma[from(y, SIDE, CROP) * WIDTH + from(x, SIDE, CROP)];
	luma = slot->decoded + WIDTH * HEIGHT + (WIDTH - CROP) / 2;
	for (y = 0; y < SIDE / 2; y++) {
		for (x = 0; x < SIDE / 2; x++) {
			uv = luma + from(y, SIDE / 2, CROP / 2) * WIDTH +
			     from(x, SIDE / 2, CROP / 2) * 2;
			*out++ = uv[0];
			*out++ = uv[1];
		}
	}
}

/* The same picture by the formula, with none of the steps above. */
static bool right(const unsigned char *input, int n)
{
	const int left = (WIDTH - CROP) / 2;
	int x, y, v;

	for (y = 0; y < SIDE; y++)
		for (x = 0; x < SIDE; x++)
			if (*input++ != pixel(n, left + x * CROP / SIDE, y * CROP / SIDE))
				return false;
	for (y = 0; y < SIDE / 2; y++)
		for (x = 0; x < SIDE / 2; x++)
			for (v = 0; v < 2; v++)
				if (*input++ != chroma(n, left / 2 + x * CROP / SIDE,
						       y * CROP / SIDE, v))
					return false;
	return true;
}

static void make_slot(struct slot *slot)
{
	void *p;

	CHECK(aclrtMallocHost(&p, PICTURE_BYTES));
	slot->host = p;
	CHECK(acldvppMalloc(&p, PICTURE_BYTES));
	slot->decoded = p;
	CHECK(hi_mpi_dvpp_malloc(0, &p, INPUT_BYTES));
	slot->resized = p;
	CHECK(aclrtCreateEvent(&slot->uploaded));
	CHECK(aclrtCreateEvent(&slot->free));
}

static void end_slot(struct slot *slot)
{
	CHECK(aclrtDestroyEvent(slot->free));
	CHECK(aclrtDestroyEvent(slot->uploaded));
	CHECK(hi_mpi_dvpp_free(slot->resized));
	CHECK(acldvppFree(slot->decoded));
	CHECK(aclrtFreeHost(slot->host));
}

int main(void)
{
	unsigned char *batch, *result = malloc((size_t)PICTURES * INPUT_BYTES);
	struct slot slots[SLOTS], *slot;
	aclrtEvent begin, end;
	aclrtStream upload, work;
	float ms;
	int n;

	expect(result, "no memory for the result");
	CHECK(aclInit(NULL));
	CHECK(aclrtSetDevice(0));
	CHECK(aclrtCreateStream(&upload));
	CHECK(aclrtCreateStream(&work));
	CHECK(aclrtCreateEvent(&begin));
	CHECK(aclrtCreateEvent(&end));
	batch = device_memory((size_t)PICTURES * INPUT_BYTES);
	for (n = 0; n < SLOTS; n++)
		make_slot(&slots[n]);
	printf("%d pictures YUV420SP, %d x %d, the middle %d x %d to %d x %d\n\n",
	       PICTURES, WIDTH, HEIGHT, CROP, CROP, SIDE, SIDE);
	printf("%-26s %10s  %s\n", "buffer", "bytes", "address");
	printf("%-26s %10d  %p\n", "host, as decoded", PICTURE_BYTES,
	       (void *)slots[0].host);
	printf("%-26s %10d  %p\n", "media, as decoded", PICTURE_BYTES,
	       (void *)slots[0].decoded);
	printf("%-26s %10d  %p\n", "media, resized", INPUT_BYTES,
	       (void *)slots[0].resized);
	printf("%-26s %10d  %p\n\n", "device, batch", PICTURES * INPUT_BYTES,
	       (void *)batch);

	CHECK(aclrtRecordEvent(begin, upload));
	for (n = 0; n < PICTURES; n++) {
		slot = &slots[n % SLOTS];
		/* The host buffer is the decoder's again when it was read. */
		CHECK(aclrtSynchronizeEvent(slot->uploaded));
		decode(slot->host, n);
		CHECK(aclrtStreamWaitEvent(upload, slot->free));
		CHECK(aclrtMemcpyAsync(slot->decoded, PICTURE_BYTES, slot->host,
				       PICTURE_BYTES, ACL_MEMCPY_HOST_TO_DEVICE, upload));
		CHECK(aclrtRecordEvent(slot->uploaded, upload));

		CHECK(aclrtStreamWaitEvent(work, slot->uploaded));
		CHECK(aclrtLaunchHostFunc(work, crop_and_resize, slot));
		CHECK(aclrtRecordEvent(slot->free, work));
		CHECK(aclrtMemcpyAsync(batch + (size_t)n * INPUT_BYTES, INPUT_BYTES,
				       slot->resized, INPUT_BYTES,
				       ACL_MEMCPY_DEVICE_TO_DEVICE, work));
	}
	CHECK(aclrtRecordEvent(end, work));
	CHECK(aclrtSynchronizeStream(work));
	CHECK(aclrtEventElapsedTime(&ms, begin, end));
	printf("%d pictures in %.2f ms, from the first upload to the last copy\n",
	       PICTURES, (double)ms);

	CHECK(aclrtMemcpy(result, (size_t)PICTURES * INPUT_BYTES, batch,
			  (size_t)PICTURES * INPUT_BYTES, ACL_MEMCPY_DEVICE_TO_HOST));
	for (n = 0; n < PICTURES; n++)
		expect(right(result + (size_t)n * INPUT_BYTES, n),
		       "a picture of the batch");

	for (n = 0; n < SLOTS; n++)
		end_slot(&slots[n]);
	CHECK(aclrtFree(batch));
	CHECK(aclrtDestroyEvent(begin));
	CHECK(aclrtDestroyEvent(end));
	CHECK(aclrtDestroyStream(work));
	CHECK(aclrtDestroyStream(upload));
	CHECK(aclrtResetDevice(0));
	CHECK(aclFinalize());
	free(result);
	printf("preprocess: ok\n");
	return 0;
}
