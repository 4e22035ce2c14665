/* SPDX-License-Identifier: MIT */
/* The processes that have the driver open, by /proc. */
#ifndef CMD_USERS_H
#define CMD_USERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct user - one process, all its open files of the driver together
 * @pid:	the process
 * @uid:	its real user
 * @name:	of its program, as in /proc/PID/comm
 * @files:	descriptors of the driver; one that was inherited counts again
 * @handles:	regions, imported parts and pinned ranges
 * @allocated:	bytes of regions
 * @imported:	bytes of imported parts
 * @pinned:	bytes of the process's own memory that are pinned
 */
struct user {
	pid_t pid;
	uid_t uid;
	char name[32];
	unsigned int files;
	uint64_t handles;
	uint64_t allocated;
	uint64_t imported;
	uint64_t pinned;
};

/*
 * The processes that this one may look at, sorted by what they hold, the largest first;
 * for free(). @hidden: processes whose descriptors this user may not see.
 */
struct user *users_find(size_t *count, size_t *hidden);

/* The user's name, or the number. */
const char *users_name(uid_t uid, char *text, size_t room);

#endif /* CMD_USERS_H */
