// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO: mappings of regions are given to an IOMMU, and a PCI device reads and
 * writes them there by I/O virtual addresses. The device is QEMU's "edu" behind
 * "intel-iommu"; its driver is vfio-pci, which is told of it here.
 *
 * Memory that the IOMMU maps is pinned: it must not be handed out again before it
 * is unmapped there, whatever else is let go.
 */
#include "gup.h"
#include "../../examples/edu.h"
#include <dirent.h>
#include <libgen.h>
#include <linux/vfio.h>
#include "kselftest_harness.h"

#define EDU_ID "1234 11e8"

#define PCI_COMMAND 4
#define PCI_COMMAND_MEMORY 2
#define PCI_COMMAND_MASTER 4

/* Where the IOMMU shows the memory; the device's addresses have 28 bits. */
#define IOVA (16 * MIB)

GUP_FIXTURE

struct vfio {
	int container, group, device;
	char *bar;
	uint64_t bar_size;
};

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)strlen(text);
}

/* The edu device's name on the PCI bus, and its IOMMU group; false if there is none. */
static bool find_edu(char *name, size_t size, int *group)
{
	DIR *dir = opendir("/sys/bus/pci/devices");
	char path[512], target[512], id[32] = "";
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		FILE *f;
		ssize_t n;

		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/device", entry->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		found = fgets(id, sizeof(id), f) && !strncmp(id, "0x11e8", 6);
		fclose(f);
		if (!found)
			continue;
		snprintf(name, size, "%s", entry->d_name);
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", name);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			found = false;
		else
			*group = (target[n] = 0, atoi(basename(target)));
		break;
	}
	if (dir)
		closedir(dir);
	return found;
}

/* Why there is nothing to test with, or NULL. */
static const char *vfio_open(struct vfio *v)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	struct vfio_region_info bar = { .argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX };
	struct vfio_region_info config = { .argsz = sizeof(config),
					   .index = VFIO_PCI_CONFIG_REGION_INDEX };
	char name[256], path[64];
	uint16_t command;
	int number;

	*v = (struct vfio){ .container = -1, .group = -1, .device = -1 };
	v->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (v->container < 0)
		return "no /dev/vfio/vfio";
	if (!find_edu(name, sizeof(name), &number))
		return "no edu device behind an IOMMU";
	/* Already so after the first test. */
	write_text("/sys/bus/pci/drivers/vfio-pci/new_id", EDU_ID);
	snprintf(path, sizeof(path), "/dev/vfio/%d", number);
	v->group = open(path, O_RDWR | O_CLOEXEC);
	if (v->group < 0)
		return "vfio-pci did not take the device";
	if (ioctl(v->group, VFIO_GROUP_GET_STATUS, &status) ||
	    !(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return "the device's IOMMU group has other drivers";
	if (ioctl(v->group, VFIO_GROUP_SET_CONTAINER, &v->container) ||
	    ioctl(v->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return "no type 1 IOMMU";
	v->device = ioctl(v->group, VFIO_GROUP_GET_DEVICE_FD, name);
	if (v->device < 0 || ioctl(v->device, VFIO_DEVICE_GET_REGION_INFO, &bar) ||
	    ioctl(v->device, VFIO_DEVICE_GET_REGION_INFO, &config))
		return "no device";
	v->bar_size = bar.size;
	v->bar = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, v->device, bar.offset);
	if (v->bar == MAP_FAILED)
		return "the device's registers cannot be mapped";
	if (pread(v->device, &command, 2, config.offset + PCI_COMMAND) != 2)
		return "no configuration space";
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	if (pwrite(v->device, &command, 2, config.offset + PCI_COMMAND) != 2)
		return "no bus mastering";
	return NULL;
}

static void vfio_close(struct vfio *v)
{
	if (v->bar && v->bar != MAP_FAILED)
		munmap(v->bar, v->bar_size);
	close(v->device);
	close(v->group);
	close(v->container);
}

static int iommu_map(struct vfio *v, void *mem, uint64_t len, uint64_t iova)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)mem, .iova = iova, .size = len,
	};

	return ioctl(v->container, VFIO_IOMMU_MAP_DMA, &map) ? -errno : 0;
}

static bool iommu_unmap(struct vfio *v, uint64_t len, uint64_t iova)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = iova, .size = len,
	};

	return !ioctl(v->container, VFIO_IOMMU_UNMAP_DMA, &unmap) && unmap.size == len;
}

/* The device copies [from, from + len) of the region to @to, by its own buffer. */
static bool device_copies(struct vfio *v, uint64_t from, uint64_t to, uint64_t len)
{
	return edu_copy(v->bar, IOVA + from, IOVA + to, len);
}

TEST_F_TIMEOUT(gup, device_by_iommu, 120)
{
	uint64_t size = variant->unit < 8 * MIB ? 8 * MIB : variant->unit;
	/* Across pages, and across the second and third 2 MiB. */
	const uint64_t from = PAGE + 1000, to = 2 * SIZE_2M - 5000, len = 3 * EDU_PIECE;
	struct gup_region r;
	struct vfio v;
	const char *why = vfio_open(&v);
	int err;

	if (why) {
		vfio_close(&v);
		SKIP(return, "%s", why);
	}
	NEED_MODE();
	ASSERT_TRUE(gup_open(&r, self->fd, size, variant->flags));
	err = iommu_map(&v, r.mem, r.size, IOVA);
	if (!r.gup) {
		/* S16: nobody would keep the memory while the device has it. */
		EXPECT_EQ(-EFAULT, err);
		goto out;
	}
	ASSERT_EQ(0, err);
	memset(r.mem + to - PAGE, 0xee, len + 2 * PAGE);
	pattern_fill(r.mem + from, from, len, 1);
	EXPECT_TRUE(device_copies(&v, from, to, len));
	EXPECT_TRUE(pattern_is(r.mem + to, from, len, 1));
	EXPECT_TRUE(all_bytes(r.mem + to - PAGE, PAGE, 0xee));
	EXPECT_TRUE(all_bytes(r.mem + to + len, PAGE, 0xee));
	EXPECT_TRUE(iommu_unmap(&v, r.size, IOVA));
out:
	gup_close(&r);
	vfio_close(&v);
}

TEST_F_TIMEOUT(gup, memory_stays_while_the_iommu_maps_it, 120)
{
	uint64_t size = variant->unit < 8 * MIB ? 8 * MIB : variant->unit;
	struct aclkm_info now;
	struct aclkm_alloc other;
	struct gup_region r;
	struct vfio v;
	const char *why = vfio_open(&v);
	char *mem;

	if (why) {
		vfio_close(&v);
		SKIP(return, "%s", why);
	}
	NEED_MODE();
	ASSERT_TRUE(gup_open(&r, self->fd, size, variant->flags));
	if (!r.gup) {
		gup_close(&r);
		vfio_close(&v);
		SKIP(return, "get_user_pages does not take these mappings");
	}
	ASSERT_EQ(0, iommu_map(&v, r.mem, r.size, IOVA));
	pattern_fill(r.mem + PAGE, 0, EDU_PIECE, 2);
	gup_close(&r);

	/* Nobody has a handle or a mapping any more, but the device has the memory. */
	now = dev_info(self->fd);
	EXPECT_EQ(size, now.held);
	EXPECT_EQ(self->before.free - size, now.free);
	if (now.largest_free >= SIZE_2M) {
		ASSERT_EQ(0, dev_alloc(self->fd, SIZE_2M, 0, &other));
		mem = dev_map(self->fd, other.offset, SIZE_2M);
		ASSERT_NE(MAP_FAILED, mem);
		EXPECT_TRUE(device_copies(&v, PAGE, 3 * PAGE, EDU_PIECE));
		EXPECT_TRUE(all_bytes(mem, SIZE_2M, 0));
		munmap(mem, SIZE_2M);
		EXPECT_EQ(0, dev_free(self->fd, other.handle));
	}
	/* The end of the file that had it mapped, without an unmap, is enough. */
	if (variant->flags & ACLKM_ALLOC_SMALL)
		EXPECT_TRUE(iommu_unmap(&v, size, IOVA));
	vfio_close(&v);
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
}

TEST_HARNESS_MAIN
