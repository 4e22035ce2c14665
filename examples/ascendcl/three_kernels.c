// SPDX-License-Identifier: MIT
/*
 * A program with kernels of its own, run whole without a device: (a + b) * 0.5 in two
 * launches, its sum in a third. The kernels are functions of the host here, in the file
 * that ACLKM_KERNELS names (files/host_kernels.c). On a device the same program loads the
 * binary that its compiler has made.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

enum { LENGTH = 10000, BLOCKS = 8 };

struct tiling {
	uint32_t length;
	float factor;
};

/* A test sets the variable for the program; this one finds the file beside itself. */
static void name_host_kernels(void)
{
	char path[PATH_MAX + sizeof("host_kernels.so")];
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);

	expect(n > 0, "the program's own path");
	path[n] = 0;
	strcpy(strrchr(path, '/') + 1, "host_kernels.so");
	setenv("ACLKM_KERNELS", path, 0);
}

static aclrtFuncHandle find(aclrtBinHandle binary, const char *name)
{
	aclrtFuncHandle function;

	CHECK(aclrtBinaryGetFunction(binary, name, &function));
	return function;
}

static void append(aclrtArgsHandle args, const void *value, size_t size)
{
	aclrtParamHandle param;
	void *bytes = malloc(size);

	expect(bytes, "no memory for a parameter");
	memcpy(bytes, value, size);
	CHECK(aclrtKernelArgsAppend(args, bytes, size, &param));
	free(bytes);
}

/* @pointers, then a placeholder with the tiling; the library copies it at the launch. */
static void launch(aclrtFuncHandle function, float **pointers, size_t count,
		   struct tiling tiling, aclrtStream stream)
{
	aclrtArgsHandle args;
	aclrtParamHandle place;
	void *buffer;
	size_t i;

	CHECK(aclrtKernelArgsInit(function, &args));
	for (i = 0; i < count; i++)
		append(args, &pointers[i], sizeof(pointers[i]));
	CHECK(aclrtKernelArgsAppendPlaceHolder(args, &place));
	CHECK(aclrtKernelArgsGetPlaceHolderBuffer(args, place, sizeof(tiling), &buffer));
	memcpy(buffer, &tiling, sizeof(tiling));
	CHECK(aclrtKernelArgsFinalize(args));
	CHECK(aclrtLaunchKernelWithConfig(function, BLOCKS, stream, NULL, args, NULL));
}

int main(void)
{
	const struct tiling tiling = {LENGTH, 0.5f};
	const size_t bytes = LENGTH * sizeof(float);
	float *host, *a, *b, *out, *partial, sums[BLOCKS], total = 0;
	uint64_t length = LENGTH;
	aclrtBinHandle binary;
	aclrtStream stream;
	int i;

	name_host_kernels();
	CHECK(aclInit(NULL));
	CHECK(aclrtSetDevice(0));
	CHECK(aclrtCreateStream(&stream));
	CHECK(aclrtBinaryLoadFromFile("three_kernels.o", NULL, &binary));
	CHECK(aclrtMallocHost((void **)&host, bytes));
	CHECK(aclrtMalloc((void **)&a, bytes, ACL_MEM_MALLOC_HUGE_FIRST));
	CHECK(aclrtMalloc((void **)&b, bytes, ACL_MEM_MALLOC_HUGE_FIRST));
	CHECK(aclrtMalloc((void **)&out, bytes, ACL_MEM_MALLOC_HUGE_FIRST));
	CHECK(aclrtMalloc((void **)&partial, sizeof(sums), ACL_MEM_MALLOC_HUGE_FIRST));
	for (i = 0; i < LENGTH; i++)
		host[i] = (float)(i % 100);
	CHECK(aclrtMemcpyAsync(a, bytes, host, bytes, ACL_MEMCPY_HOST_TO_DEVICE, stream));
	CHECK(aclrtMemcpyAsync(b, bytes, host, bytes, ACL_MEMCPY_HOST_TO_DEVICE, stream));
	launch(find(binary, "add_custom"), (float *[]){a, b, out}, 3, tiling, stream);
	launch(find(binary, "scale_custom"), &out, 1, tiling, stream);
	CHECK(aclrtLaunchKernelWithArgsArray(find(binary, "sum_custom"), BLOCKS, stream,
					     NULL, (void *[]){&out, &partial, &length}));
	CHECK(aclrtSynchronizeStream(stream));
	CHECK(aclrtMemcpy(sums, sizeof(sums), partial, sizeof(sums),
			  ACL_MEMCPY_DEVICE_TO_HOST));
	for (i = 0; i < BLOCKS; i++)
		total += sums[i];
	printf("the sum of %d numbers in %d blocks is %.0f\n", LENGTH, BLOCKS,
	       (double)total);
	expect(total > 494999 && total < 495001, "the sum");
	CHECK(aclrtBinaryUnLoad(binary));
	CHECK(aclrtFree(partial));
	CHECK(aclrtFree(out));
	CHECK(aclrtFree(b));
	CHECK(aclrtFree(a));
	CHECK(aclrtFreeHost(host));
	CHECK(aclrtDestroyStream(stream));
	CHECK(aclrtResetDevice(0));
	CHECK(aclFinalize());
	printf("three_kernels: ok\n");
	return 0;
}
