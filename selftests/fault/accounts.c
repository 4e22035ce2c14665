// SPDX-License-Identifier: GPL-2.0
/*
 * accounts            prints the driver's accounts
 * accounts LINE       exit 0 when they are, or soon become, what LINE says
 */
#include "../kmod/common.h"

int main(int argc, char **argv)
{
	int fd = dev_open(O_RDWR), tries;
	char now[200] = "";

	if (fd < 0)
		return 2;
	/* The last work of a killed program may still be under way. */
	for (tries = 0; tries < 100; tries++) {
		struct aclkm_info info = dev_info(fd);

		snprintf(now, sizeof(now), "total %llu free %llu largest %llu held %llu regions %llu",
			 info.total, info.free, info.largest_free, info.held, info.nr_regions);
		if (argc < 2 || !strcmp(now, argv[1]))
			break;
		usleep(50 * 1000);
	}
	puts(now);
	return argc > 1 && strcmp(now, argv[1]);
}
