/* SPDX-License-Identifier: MIT */
/*
 * A device moves the memory: QEMU's "edu" PCI device reads one media buffer and
 * writes another by the physical addresses that the driver gave. It must run as
 * root, and with "-device edu,dma_mask=0xffffffffffffffff".
 *
 * The device's own buffer has 4096 bytes, so the range goes in pieces, and it
 * starts in the middle of a page, so that each piece crosses a page boundary.
 */
#define _GNU_SOURCE
#include <acl/acl.h>
#include <acl/ops/acl_dvpp.h>
#include <aclkm/memory.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"

#define EDU_VENDOR "0x1234"
#define EDU_DEVICE "0x11e8"
#define EDU_BAR_SIZE (1 << 20)

#define PAGE 4096
#define RANGE (10 * EDU_PIECE)
#define FIRST 1000

static int fail(const char *what)
{
	const char *why = aclGetRecentErrMsg();

	fprintf(stderr, "edu DMA: %s%s%s\n", what, why && *why ? ": " : "",
		why ? why : "");
	return 1;
}

static int read_word(const char *dir, const char *name, char *word, size_t len)
{
	char path[512];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, word, len - 1);
	close(fd);
	if (n <= 0)
		return -1;
	word[n] = 0;
	word[strcspn(word, "\n")] = 0;
	return 0;
}

static int find_edu(char *name, size_t len)
{
	DIR *dir = opendir("/sys/bus/pci/devices");
	char vendor[32], device[32];
	struct dirent *entry;
	int found = -1;

	while (dir && found && (entry = readdir(dir))) {
		if (read_word(entry->d_name, "vendor", vendor, sizeof(vendor)) ||
		    read_word(entry->d_name, "device", device, sizeof(device)))
			continue;
		if (strcmp(vendor, EDU_VENDOR) || strcmp(device, EDU_DEVICE))
			continue;
		snprintf(name, len, "%s", entry->d_name);
		found = 0;
	}
	if (dir)
		closedir(dir);
	return found;
}

/* Memory decoding and bus mastering: nobody has enabled a device without a driver. */
static volatile void *map_edu(const char *name)
{
	char path[512];
	uint16_t command;
	void *bar;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || pread(fd, &command, 2, 4) != 2)
		return NULL;
	command |= 0x6;
	if (pwrite(fd, &command, 2, 4) != 2)
		return NULL;
	close(fd);

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	bar = mmap(NULL, EDU_BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return bar == MAP_FAILED ? NULL : bar;
}

static int outside_is_untouched(const unsigned char *to, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if ((i < FIRST || i >= FIRST + RANGE) && to[i] != 0xee)
			return 0;
	return 1;
}

int main(void)
{
	const size_t size = FIRST + RANGE + PAGE;
	struct aclkm_memory_info from_info, to_info;
	unsigned char *from, *to;
	volatile void *bar;
	char name[256];
	size_t i;
	uint32_t id;

	if (find_edu(name, sizeof(name)))
		return fail("no edu device on the PCI bus");
	bar = map_edu(name);
	if (!bar)
		return fail("the device's registers cannot be mapped (root?)");
	id = *(volatile uint32_t *)bar;
	if ((id & 0xff) != 0xed)
		return fail("the device does not answer as an edu device");

	if (aclInit(NULL) || aclrtSetDevice(0) || acldvppMalloc((void **)&from, size) ||
	    acldvppMalloc((void **)&to, size) || aclkm_memory_query(from, &from_info) ||
	    aclkm_memory_query(to, &to_info))
		return fail("allocation");
	if (!from_info.phys_valid || !to_info.phys_valid)
		return fail("no physical addresses: kmod backend and CAP_SYS_RAWIO are "
			    "needed");

	for (i = 0; i < size; i++)
		from[i] = i * 2654435761u >> 24;
	memset(to, 0xee, size);

	printf("edu device %s: %d bytes from %#" PRIx64 " to %#" PRIx64 "\n", name, RANGE,
	       from_info.phys + FIRST, to_info.phys + FIRST);
	if (!edu_copy(bar, from_info.phys + FIRST, to_info.phys + FIRST, RANGE))
		return fail("the device does not finish");

	if (memcmp(from + FIRST, to + FIRST, RANGE))
		return fail("the bytes differ");
	if (!outside_is_untouched(to, size))
		return fail("bytes outside the range were written");
	printf("%d bytes read and written by the device, %d page boundaries crossed\n",
	       RANGE, (FIRST + RANGE) / PAGE - FIRST / PAGE);
	if (acldvppFree(from) || acldvppFree(to) || aclFinalize())
		return fail("release");
	printf("edu DMA: ok\n");
	return 0;
}
