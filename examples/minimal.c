/* SPDX-License-Identifier: MIT */
/* The ten lines of the README: 1 MiB of device memory, set, read back, freed. */
#include <acl/acl.h>
#include <stdio.h>

int main(void)
{
	unsigned char last = 0;
	void *dev;

	if (aclInit(NULL) || aclrtSetDevice(0) ||
	    aclrtMalloc(&dev, 1 << 20, ACL_MEM_MALLOC_HUGE_FIRST) ||
	    aclrtMemset(dev, 1 << 20, 0x5a, 1 << 20) ||
	    aclrtMemcpy(&last, 1, (char *)dev + (1 << 20) - 1, 1,
			ACL_MEMCPY_DEVICE_TO_HOST))
		return fprintf(stderr, "%s\n", aclGetRecentErrMsg()), 1;
	printf("last byte: %#x at %p\n", last, dev);
	return aclrtFree(dev) || aclFinalize();
}
