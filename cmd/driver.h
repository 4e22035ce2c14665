/* SPDX-License-Identifier: MIT */
/* Queries of the driver: its state, version and limits. None of them changes anything. */
#ifndef CMD_DRIVER_H
#define CMD_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/aclkm.h>

/**
 * struct driver - the state of the module and of its device node
 * @loaded:	the module is in the kernel
 * @node:	/dev/aclkm exists; then @mode, @uid and @gid are its own
 * @fd:		it was opened; else -1, with the reason in @open_error
 * @info_error:	of INFO, an errno value
 * @info:	filled if @fd is open and @info_error is 0
 * @usable:	this process can use it
 */
struct driver {
	bool loaded;
	bool node;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	int fd;
	int open_error;
	int info_error;
	struct aclkm_info info;
	bool usable;
};

void driver_look(struct driver *driver);
/* Why this process cannot use the driver, and the remedy. */
void driver_reason(const struct driver *driver, char *text, size_t room);

void driver_close(struct driver *driver);

/* A number of /sys/class/misc/aclkm/; false: it cannot be read. */
bool driver_number(const char *name, uint64_t *value);

/* What the files of /sys, /proc, /etc and /lib are looked for below; "" by default. */
extern const char *driver_root;

/* A whole small file below driver_root as a string without its last newline. */
bool driver_file(const char *path, char *text, size_t room);
bool driver_exists(const char *path);

#define DRIVER_SYSFS "/sys/class/misc/aclkm/"

#endif /* CMD_DRIVER_H */
