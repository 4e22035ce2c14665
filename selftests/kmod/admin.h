/* SPDX-License-Identifier: GPL-2.0 */
/* What tests do as administrator, and as somebody who is none. */
#ifndef ACLKM_SELFTEST_ADMIN_H
#define ACLKM_SELFTEST_ADMIN_H

#include "common.h"
#include <grp.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define SYSFS "/sys/class/misc/aclkm/"
#define NOBODY 65534
/* Where the VM runner puts the module. */
#define MODULE "/aclkm.ko"

/* Writes all of @text at once; 0 or a negative errno. */
static inline int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err = -errno;
	close(fd);
	return err;
}

static inline int sysfs_write(const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), SYSFS "%s", name);
	return file_write(path, text);
}

static inline int sysfs_set(const char *name, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu\n", (unsigned long long)value);
	return sysfs_write(name, text);
}

static inline uint64_t sysfs_get(const char *name)
{
	unsigned long long value;
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), SYSFS "%s", name);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%llu", &value) != 1)
		abort();
	fclose(f);
	return value;
}

/* The whole of a file, at most @room - 1 bytes; bytes read or a negative errno. */
static inline ssize_t file_read(const char *path, char *text, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (len < room - 1 && (n = read(fd, text + len, room - 1 - len)) != 0) {
		if (n < 0) {
			n = -errno;
			close(fd);
			return n;
		}
		len += n;
	}
	text[len] = 0;
	close(fd);
	return len;
}

/* Becomes a user without rights, for good. */
static inline void become(uid_t uid)
{
	if (setgroups(0, NULL) || setgid(uid) || setuid(uid))
		abort();
}

/* Drops one capability of the effective set, for good enough. */
static inline void drop_cap(int cap)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		abort();
	data[cap / 32].effective &= ~(1U << cap % 32);
	if (syscall(SYS_capset, &head, data))
		abort();
}

/* Anybody may open the device from here on: what a udev rule does for a group. */
static inline void device_for_all(void)
{
	if (chmod(ACLKM_DEVICE_PATH, 0666))
		abort();
}

static inline void device_for_root(void)
{
	chmod(ACLKM_DEVICE_PATH, 0600);
}

static inline int module_unload(void)
{
	return syscall(SYS_delete_module, "aclkm", O_NONBLOCK) ? -errno : 0;
}

static inline int module_load(const char *params)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, params, 0) ? -errno : 0;
	close(fd);
	return err;
}

#endif /* ACLKM_SELFTEST_ADMIN_H */
