// SPDX-License-Identifier: MIT
/*
 * Searches /proc for descriptors of the driver. Processes come and go meanwhile: what
 * cannot be read is left out.
 */
#include "users.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/aclkm.h>

static bool is_number(const char *text)
{
	return isdigit((unsigned char)*text) &&
	       strspn(text, "0123456789") == strlen(text);
}

/* Adds what one open file has, from its fdinfo. */
static void add_file(struct user *user, const char *number)
{
	char path[64], line[128];
	unsigned long long value;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.16s", user->pid, number);
	file = fopen(path, "re");
	if (!file)
		return;
	user->files++;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "aclkm-handles: %llu", &value) == 1)
			user->handles += value;
		else if (sscanf(line, "aclkm-allocated: %llu", &value) == 1)
			user->allocated += value << 10;
		else if (sscanf(line, "aclkm-imported: %llu", &value) == 1)
			user->imported += value << 10;
		else if (sscanf(line, "aclkm-pinned: %llu", &value) == 1)
			user->pinned += value << 10;
	}
	fclose(file);
}

/* False: this process may not look. */
static bool read_process(struct user *user)
{
	char path[64], target[64];
	struct dirent *entry;
	ssize_t len;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", user->pid);
	dir = opendir(path);
	if (!dir)
		return errno != EACCES && errno != EPERM;
	while ((entry = readdir(dir))) {
		if (!is_number(entry->d_name))
			continue;
		len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		if (len < 0)
			continue;
		target[len] = '\0';
		if (!strcmp(target, ACLKM_DEVICE_PATH))
			add_file(user, entry->d_name);
	}
	closedir(dir);
	return true;
}

static void read_names(struct user *user)
{
	char path[64];
	struct stat st;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d", user->pid);
	if (!stat(path, &st))
		user->uid = st.st_uid;
	snprintf(path, sizeof(path), "/proc/%d/comm", user->pid);
	file = fopen(path, "re");
	if (!file)
		return;
	if (!fgets(user->name, sizeof(user->name), file))
		user->name[0] = '\0';
	fclose(file);
	user->name[strcspn(user->name, "\n")] = '\0';
	/* A name may hold anything; it goes to terminals. */
	for (char *c = user->name; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
}

static int by_bytes(const void *a, const void *b)
{
	const struct user *x = a, *y = b;
	uint64_t have = x->allocated + x->pinned, other = y->allocated + y->pinned;

	if (have != other)
		return have < other ? 1 : -1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

struct user *users_find(size_t *count, size_t *hidden)
{
	struct user *users = NULL, *more, user;
	struct dirent *entry;
	size_t room = 0;
	DIR *dir;

	*count = 0;
	*hidden = 0;
	dir = opendir("/proc");
	while (dir && (entry = readdir(dir))) {
		if (!is_number(entry->d_name))
			continue;
		memset(&user, 0, sizeof(user));
		user.pid = atoi(entry->d_name);
		if (user.pid == getpid())
			continue;
		if (!read_process(&user))
			++*hidden;
		if (!user.files)
			continue;
		read_names(&user);
		if (*count == room) {
			room = room ? 2 * room : 16;
			more = realloc(users, room * sizeof(*users));
			if (!more)
				break;
			users = more;
		}
		users[(*count)++] = user;
	}
	if (dir)
		closedir(dir);
	if (users)
		qsort(users, *count, sizeof(*users), by_bytes);
	return users;
}

const char *users_name(uid_t uid, char *text, size_t room)
{
	const struct passwd *entry = getpwuid(uid);

	if (entry)
		snprintf(text, room, "%s", entry->pw_name);
	else
		snprintf(text, room, "%u", uid);
	return text;
}
