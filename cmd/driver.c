// SPDX-License-Identifier: MIT
#include "driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

const char *driver_root = "";

static void below_root(char *out, size_t room, const char *path)
{
	snprintf(out, room, "%s%s", driver_root, path);
}

bool driver_exists(const char *path)
{
	char full[4096];

	below_root(full, sizeof(full), path);
	return !access(full, F_OK);
}

bool driver_file(const char *path, char *text, size_t room)
{
	char full[4096];
	size_t len;
	FILE *file;

	below_root(full, sizeof(full), path);
	file = fopen(full, "re");
	if (!file)
		return false;
	len = fread(text, 1, room - 1, file);
	fclose(file);
	if (len && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	return true;
}

bool driver_number(const char *name, uint64_t *value)
{
	char path[256], text[64], *end;

	snprintf(path, sizeof(path), DRIVER_SYSFS "%s", name);
	if (!driver_file(path, text, sizeof(text)) || !*text)
		return false;
	*value = strtoull(text, &end, 10);
	return !*end;
}

void driver_look(struct driver *driver)
{
	char path[4096];
	struct stat st;

	memset(driver, 0, sizeof(*driver));
	driver->loaded = driver_exists("/sys/module/aclkm");
	below_root(path, sizeof(path), ACLKM_DEVICE_PATH);
	if (!stat(path, &st)) {
		driver->node = true;
		driver->mode = st.st_mode;
		driver->uid = st.st_uid;
		driver->gid = st.st_gid;
	}
	driver->fd = open(path, O_RDWR | O_CLOEXEC);
	if (driver->fd < 0) {
		driver->open_error = errno;
		return;
	}
	if (ioctl(driver->fd, ACLKM_IOC_INFO, &driver->info)) {
		driver->info_error = errno;
		return;
	}
	driver->usable = driver->info.abi_version == ACLKM_ABI_VERSION;
}

void driver_reason(const struct driver *driver, char *text, size_t room)
{
	if (driver->fd >= 0 && driver->info_error)
		snprintf(text, room,
			 "%s refuses INFO: %s; load the module that belongs to this "
			 "library",
			 ACLKM_DEVICE_PATH, strerror(driver->info_error));
	else if (driver->fd >= 0)
		snprintf(text, room,
			 "the driver has ABI %u and this library %u; install the same "
			 "version of both",
			 driver->info.abi_version, (unsigned int)ACLKM_ABI_VERSION);
	else if (driver->open_error == EACCES || driver->open_error == EPERM)
		snprintf(text, room,
			 "%s: permission denied; join group aclkm and log in again",
			 ACLKM_DEVICE_PATH);
	else if (driver->node)
		snprintf(text, room, "%s: %s; aclkm doctor looks for the cause",
			 ACLKM_DEVICE_PATH, strerror(driver->open_error));
	else
		snprintf(text, room, "the driver is not loaded");
}

void driver_close(struct driver *driver)
{
	if (driver->fd >= 0)
		close(driver->fd);
}
