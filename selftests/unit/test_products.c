// SPDX-License-Identifier: MIT
/* ACLKM_SOC_NAME decides what the product has: one process for each product. */
#include "client.h"

#include <sys/wait.h>

static const struct product {
	const char *name;
	int cubes, vectors, arch, padding;
	bool infnan, no_uc;
} products[] = {
	{"Ascend910A", 32, 0, 1001, 32, false, false},
	{"Ascend910B1", 24, 48, 2201, 32, true, false},
	{"Ascend910B3", 20, 40, 2201, 32, true, false},
	{"Ascend910B4-1", 20, 40, 2201, 32, true, false},
	{"Ascend910_9391", 24, 48, 2201, 32, true, true},
	{"Ascend310P3", 8, 7, 2002, 32, false, false},
	{"Ascend310B4", 1, 1, 3002, 32, false, false},
	{"Ascend950PR_9579", 28, 56, 3510, 0, true, false},
	{"Ascend350_355e", 16, 32, 3510, 0, true, false},
	{"Ascend035", 1, 0, 3505, 16, false, false},
	{"Unknown77", 20, 40, 2201, 32, true, false},
};

#define PRODUCTS (sizeof(products) / sizeof(products[0]))

static int ruled(size_t size)
{
	struct aclkm_memory_info info = {0};
	void *block = NULL;

	if (aclrtMalloc(&block, size, ACL_MEM_MALLOC_NORMAL_ONLY) ||
	    aclkm_memory_query(block, &info) || aclrtFree(block))
		return -1;
	return (int)info.ruled;
}

/* Sizes are ALIGN_UP[size + padding, 32]. */
static int padding_here(void)
{
	if (ruled(64) == 64)
		return 0;
	return ruled(48) == 64 ? 16 : 32;
}

/* In a process that has the product's name: what differs, one bit each. */
static int look(const struct product *want)
{
	aclrtFloatOverflowMode mode;
	int64_t cubes = -1, vectors = -1, arch = -1;
	const aclCannAttr *list;
	size_t count = 9;
	void *p;
	int bad = 0, code;

	if (aclrtSetDevice(0) || strcmp(aclrtGetSocName(), want->name))
		return 1;
	aclrtGetDeviceInfo(0, ACL_DEV_ATTR_CUBE_CORE_NUM, &cubes);
	aclrtGetDeviceInfo(0, ACL_DEV_ATTR_VECTOR_CORE_NUM, &vectors);
	aclrtGetDeviceInfo(0, ACL_DEV_ATTR_NPU_ARCH, &arch);
	if (cubes != want->cubes || vectors != want->vectors)
		bad |= 2;
	if (arch != want->arch)
		bad |= 4;
	aclrtGetDeviceSatMode(&mode);
	if (mode != (want->infnan ? ACL_RT_OVERFLOW_MODE_INFNAN
				  : ACL_RT_OVERFLOW_MODE_SATURATION))
		bad |= 8;
	aclGetCannAttributeList(&list, &count);
	if (count != (want->infnan ? 2 : 0))
		bad |= 16;
	code = aclrtReserveMemAddressNoUCMemory(&p, 1UL << 30, 0, (void *)(40UL << 40),
						0);
	/* The window may be taken in this process, by a sanitizer. */
	if (want->no_uc ? code && code != 207001 : code != 207000)
		bad |= 32;
	if (padding_here() != want->padding)
		bad |= 64;
	return bad;
}

int main(void)
{
	unsigned int i;
	int status;
	pid_t child;

	small_device();
	for (i = 0; i < PRODUCTS; i++) {
		fflush(stdout);
		child = fork();
		if (!child) {
			setenv("ACLKM_SOC_NAME", products[i].name, 1);
			_exit(look(&products[i]));
		}
		waitpid(child, &status, 0);
		is(WEXITSTATUS(status), 0, "%s: cores, architecture, overflow, padding",
		   products[i].name);
	}
	fflush(stdout);
	child = fork();
	if (!child) {
		/* What a program sets counts more than what the product has. */
		setenv("ACLKM_SOC_NAME", "Ascend950PR_9579", 1);
		setenv("ACLKM_PADDING", "32", 1);
		_exit(aclrtSetDevice(0) || padding_here() != 32);
	}
	waitpid(child, &status, 0);
	is(status, 0, "ACLKM_PADDING goes before the product's");
	return done_testing();
}
