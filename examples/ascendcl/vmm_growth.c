// SPDX-License-Identifier: MIT
/*
 * A buffer that grows where it is: a range of addresses is reserved once, and physical
 * memory is mapped into it piece by piece. Nothing is copied, no pointer changes, and
 * the pieces need not lie side by side. In the end it shrinks the same way.
 */
#include "check.h"

enum { STEPS = 5, RANGE_MIB = 1024 };

static aclrtPhysicalMemProp prop = {
	.handleType = ACL_MEM_HANDLE_TYPE_NONE,
	.allocationType = ACL_MEM_ALLOCATION_TYPE_PINNED,
	.memAttr = ACL_HBM_MEM_HUGE,
	.location = {.type = ACL_MEM_LOCATION_TYPE_DEVICE, .id = 0},
};

struct buffer {
	char *base;
	size_t size;	 /* mapped so far */
	size_t reserved; /* what it can grow to */
	size_t pieces;
	aclrtDrvMemHandle handles[STEPS];
	size_t sizes[STEPS];
};

static size_t free_memory(void)
{
	size_t free, total;

	CHECK(aclrtGetMemInfo(ACL_HBM_MEM, &free, &total));
	return free;
}

static void grow(struct buffer *buffer, size_t by)
{
	aclrtDrvMemHandle handle;

	expect(buffer->pieces < STEPS && by <= buffer->reserved - buffer->size,
	       "the range is used up");
	CHECK(aclrtMallocPhysical(&handle, by, &prop, 0));
	CHECK(aclrtMapMem(buffer->base + buffer->size, by, 0, handle, 0));
	buffer->handles[buffer->pieces] = handle;
	buffer->sizes[buffer->pieces] = by;
	buffer->pieces++;
	buffer->size += by;
}

/* The last piece goes. */
static void shrink(struct buffer *buffer)
{
	buffer->pieces--;
	buffer->size -= buffer->sizes[buffer->pieces];
	CHECK(aclrtUnmapMem(buffer->base + buffer->size));
	CHECK(aclrtFreePhysical(buffer->handles[buffer->pieces]));
}

/* All 32-bit values from the start: number i must be at place i, whatever was mapped. */
static void check_values(const struct buffer *buffer)
{
	uint32_t *back = malloc(buffer->size);
	size_t i;

	expect(back, "no memory to read into");
	/* One copy over all pieces: to the program they are one buffer. */
	CHECK(aclrtMemcpy(back, buffer->size, buffer->base, buffer->size,
			  ACL_MEMCPY_DEVICE_TO_HOST));
	for (i = 0; i < buffer->size / sizeof(*back); i++)
		expect(back[i] == i, "a value has changed");
	free(back);
}

/* Writes the values of what was mapped last. */
static void append_values(const struct buffer *buffer, size_t from)
{
	size_t bytes = buffer->size - from, i;
	uint32_t *values = malloc(bytes);

	expect(values, "no memory to write from");
	for (i = 0; i < bytes / sizeof(*values); i++)
		values[i] = (uint32_t)(from / sizeof(*values) + i);
	CHECK(aclrtMemcpy(buffer->base + from, bytes, values, bytes,
			  ACL_MEMCPY_HOST_TO_DEVICE));
	free(values);
}

int main(void)
{
	struct buffer buffer = {.reserved = (size_t)RANGE_MIB << 20};
	size_t unit, before, from, at_first;
	void *range, *base;
	int step;

	CHECK(aclInit(NULL));
	CHECK(aclrtSetDevice(0));
	CHECK(aclrtMemGetAllocationGranularity(
		&prop, ACL_RT_MEM_ALLOC_GRANULARITY_MINIMUM, &unit));
	CHECK(aclrtReserveMemAddress(&range, buffer.reserved, 0, NULL, 0));
	buffer.base = range;
	before = free_memory();
	printf("reserved %d MiB of addresses at %p; memory comes in units of %.0f "
	       "MiB\n\n",
	       RANGE_MIB, range, mib(unit));
	printf("%-8s %10s %12s %16s\n", "step", "size, MiB", "pieces", "taken, MiB");
	for (step = 0; step < STEPS; step++) {
		/* 1, 1, 2, 4 and 8 units: twice the size each time. */
		from = buffer.size;
		grow(&buffer, from ? from : unit);
		append_values(&buffer, from);
		check_values(&buffer);
		printf("grow %-3d %10.0f %12zu %16.0f\n", step + 1, mib(buffer.size),
		       buffer.pieces, mib(before - free_memory()));
		expect(before - free_memory() == buffer.size, "what the device counts");
	}
	/* Where nothing is mapped the whole range is told, elsewhere the mapping. */
	CHECK(aclrtMemGetAddressRange(buffer.base + buffer.reserved - 1, &base,
				      &at_first));
	expect(base == range && at_first == buffer.reserved, "the range has moved");
	while (buffer.pieces) {
		shrink(&buffer);
		expect(before - free_memory() == buffer.size, "what the device counts");
		printf("shrink   %10.0f %12zu %16.0f\n", mib(buffer.size), buffer.pieces,
		       mib(before - free_memory()));
		if (buffer.size)
			check_values(&buffer);
	}
	CHECK(aclrtReleaseMemAddress(range));
	CHECK(aclrtResetDevice(0));
	CHECK(aclFinalize());
	printf("vmm_growth: ok\n");
	return 0;
}
