// SPDX-License-Identifier: GPL-2.0
/* Prints what the module offers on this kernel, one "# feature NAME yes|no" a line. Tests nothing. */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include <linux/aclkm.h>

static const struct {
	const char *name;
	__u64 bit;
} features[] = {
	{ "gup", ACLKM_FEATURE_GUP },
	{ "2M", ACLKM_FEATURE_HUGE_2M },
	{ "1G", ACLKM_FEATURE_HUGE_1G },
	{ "gup-1G", ACLKM_FEATURE_GUP_1G },
	{ "cache", ACLKM_FEATURE_CACHE },
	{ "dma-buf", ACLKM_FEATURE_DMABUF },
	{ "pin", ACLKM_FEATURE_PIN },
	{ "dmem", ACLKM_FEATURE_CGROUP },
};

int main(void)
{
	struct aclkm_info info = { 0 };
	int fd = open("/dev/aclkm", O_RDWR | O_CLOEXEC);
	size_t i;

	if (fd < 0 || ioctl(fd, ACLKM_IOC_INFO, &info))
		err(1, "/dev/aclkm");
	for (i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		printf("# feature %s %s\n", features[i].name, info.features & features[i].bit ? "yes" : "no");
	printf("1..1\nok 1 - features\n");
	return 0;
}
