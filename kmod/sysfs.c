// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/class/misc/aclkm: totals, limits, and the two files by which an
 * administrator makes arenas come and go.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "aclkm.h"

static DEFINE_MUTEX(grow_lock);

#define TOTAL(name, field)							\
static ssize_t name##_show(struct device *dev, struct device_attribute *attr,	\
			   char *buf)						\
{										\
	struct aclkm_info sum = {};						\
										\
	aclkm_poison_settle();							\
	aclkm_arenas_sum(NUMA_NO_NODE, &sum);					\
	return sysfs_emit(buf, "%llu\n", (u64)sum.field);			\
}										\
static DEVICE_ATTR_RO(name)

TOTAL(arenas, nr_arenas);
TOTAL(total, total);
TOTAL(free, free);
TOTAL(largest_free, largest_free);
TOTAL(clean, clean);
TOTAL(held, held);
TOTAL(regions, nr_regions);
TOTAL(poisoned, poisoned);

static ssize_t dirty_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct aclkm_info sum = {};

	aclkm_arenas_sum(NUMA_NO_NODE, &sum);
	return sysfs_emit(buf, "%llu\n", sum.free - sum.clean);
}
static DEVICE_ATTR_RO(dirty);

static ssize_t pinned_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", aclkm_pinned_total());
}
static DEVICE_ATTR_RO(pinned);

static ssize_t limit_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	u64 *limit = container_of(attr, struct dev_ext_attribute, attr)->var;

	return sysfs_emit(buf, "%llu\n", READ_ONCE(*limit));
}

static ssize_t limit_store(struct device *dev, struct device_attribute *attr, const char *buf,
			   size_t count)
{
	u64 *limit = container_of(attr, struct dev_ext_attribute, attr)->var, value;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (aclkm_parse_bytes(buf, &value))
		return -EINVAL;
	WRITE_ONCE(*limit, value);
	return count;
}

#define LIMIT(_name, _limit)							\
	static struct dev_ext_attribute limit_##_name = {			\
		__ATTR(_name, 0644, limit_show, limit_store), &(_limit)		\
	}

LIMIT(file_bytes, aclkm_limits.file_bytes);
LIMIT(file_regions, aclkm_limits.file_regions);
LIMIT(user_bytes, aclkm_limits.user_bytes);
LIMIT(user_regions, aclkm_limits.user_regions);
LIMIT(root_reserve, aclkm_limits.root_reserve);

/* SIZE[:PAGE[:NODE]][:force][,...]; what came of it is in the log and in total. */
static ssize_t grow_store(struct device *dev, struct device_attribute *attr, const char *buf,
			  size_t count)
{
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (mutex_lock_interruptible(&grow_lock))
		return -EINTR;
	err = aclkm_grow(buf);
	aclkm_poison_search();
	mutex_unlock(&grow_lock);
	return err ? err : count;
}
static DEVICE_ATTR_WO(grow);

/* Physical addresses, so for root only. */
static ssize_t ranges_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	return aclkm_arenas_ranges(buf, PAGE_SIZE);
}
static DEVICE_ATTR_ADMIN_RO(ranges);

/* SIZE, a multiple of 2M. */
static ssize_t shrink_store(struct device *dev, struct device_attribute *attr, const char *buf,
			    size_t count)
{
	u64 bytes, got;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (aclkm_parse_bytes(buf, &bytes) || !bytes || !IS_ALIGNED(bytes, SZ_2M)) {
		pr_err("shrink: what to give back must be a multiple of 2M, not 0\n");
		return -EINVAL;
	}
	if (mutex_lock_interruptible(&grow_lock))
		return -EINTR;
	aclkm_regions_release_held();
	err = aclkm_shrink(bytes, &got);
	mutex_unlock(&grow_lock);
	return err ? err : count;
}
static DEVICE_ATTR_WO(shrink);

static struct attribute *attrs[] = {
	&dev_attr_arenas.attr,
	&dev_attr_total.attr,
	&dev_attr_free.attr,
	&dev_attr_largest_free.attr,
	&dev_attr_clean.attr,
	&dev_attr_dirty.attr,
	&dev_attr_held.attr,
	&dev_attr_regions.attr,
	&dev_attr_poisoned.attr,
	&dev_attr_pinned.attr,
	&dev_attr_ranges.attr,
	&dev_attr_grow.attr,
	&dev_attr_shrink.attr,
	NULL
};

static struct attribute *limits[] = {
	&limit_file_bytes.attr.attr,
	&limit_file_regions.attr.attr,
	&limit_user_bytes.attr.attr,
	&limit_user_regions.attr.attr,
	&limit_root_reserve.attr.attr,
	NULL
};

static const struct attribute_group attrs_group = { .attrs = attrs };
static const struct attribute_group limits_group = { .name = "limits", .attrs = limits };

const struct attribute_group *aclkm_groups[] = { &attrs_group, &limits_group, NULL };
