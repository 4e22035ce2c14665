// SPDX-License-Identifier: MIT
#include "backend/memlimit.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

#define MEMLIMIT_UNIT (2ULL << 20)
#define MEMLIMIT_SPARE_MAX (256ULL << 20)
#define MEMLIMIT_SPARE_DIVISOR 32 /* of the total, for all that is not counted */

/* A whole small file as text, "" when it cannot be read. */
static const char *memlimit_file(const char *path, char *text, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t have = 0;
	ssize_t n = 0;

	while (fd >= 0 && have < room - 1) {
		n = read(fd, text + have, room - 1 - have);
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	text[have] = '\0';
	return text;
}

/* The number behind @word at the start of a line; @otherwise: no such line. */
static uint64_t memlimit_number(const char *text, const char *word, uint64_t otherwise)
{
	size_t length = strlen(word);
	const char *line = text;

	while (line && *line) {
		if (!strncmp(line, word, length))
			return strtoull(line + length, NULL, 10);
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return otherwise;
}

/* The least of what is known so far and one more limit. */
static void memlimit_add(struct memlimit *out, uint64_t total, uint64_t left,
			 const char *by)
{
	uint64_t spare = total / MEMLIMIT_SPARE_DIVISOR;

	if (spare > MEMLIMIT_SPARE_MAX)
		spare = MEMLIMIT_SPARE_MAX;
	left = left > spare ? left - spare : 0;
	if (total < out->total)
		out->total = total;
	if (left < out->left) {
		out->left = left;
		out->by = by;
	}
}

static void memlimit_machine(const char *root, struct memlimit *out)
{
	char path[PATH_MAX], text[4096];
	uint64_t total, left;

	snprintf(path, sizeof(path), "%s/proc/meminfo", root);
	memlimit_file(path, text, sizeof(text));
	total = memlimit_number(text, "MemTotal:", UINT64_MAX >> 10);
	left = memlimit_number(text, "MemAvailable:", total);
	memlimit_add(out, total << 10, left << 10, "the machine");
}

/* What the files of one cgroup are called. */
struct memlimit_names {
	const char *most, *now, *cache[3], *by;
};

static const struct memlimit_names memlimit_v1 = {
	"memory.limit_in_bytes",
	"memory.usage_in_bytes",
	{"total_inactive_file ", "total_active_file ", NULL},
	"its memory cgroup",
};
static const struct memlimit_names memlimit_v2 = {
	"memory.max",
	"memory.current",
	{"inactive_file ", "active_file ", "slab_reclaimable "},
	"its memory cgroup",
};

/* One folder of the hierarchy. */
static void memlimit_folder(const char *folder, const struct memlimit_names *names,
			    struct memlimit *out)
{
	char path[PATH_MAX + 64], text[8192];
	uint64_t most, now, cache = 0;
	int i;

	snprintf(path, sizeof(path), "%s/%s", folder, names->most);
	memlimit_file(path, text, sizeof(text));
	/* "max", or version 1's largest number of pages. */
	if (*text < '0' || *text > '9')
		return;
	most = strtoull(text, NULL, 10);
	if (most >= INT64_MAX >> 1)
		return;
	snprintf(path, sizeof(path), "%s/%s", folder, names->now);
	now = strtoull(memlimit_file(path, text, sizeof(text)), NULL, 10);
	snprintf(path, sizeof(path), "%s/memory.stat", folder);
	memlimit_file(path, text, sizeof(text));
	for (i = 0; i < 3 && names->cache[i]; i++)
		cache += memlimit_number(text, names->cache[i], 0);
	/* The kernel reclaims the page cache before it kills. */
	now = now > cache ? now - cache : 0;
	memlimit_add(out, most, most > now ? most - now : 0, names->by);
}

/* The cgroup and its parents, up to where the hierarchy is mounted. */
static void memlimit_climb(const char *mount, const char *group,
			   const struct memlimit_names *names, struct memlimit *out)
{
	size_t top = strlen(mount);
	char folder[PATH_MAX];
	char *slash;

	/* A group outside of the namespace has no folder here. */
	if (strstr(group, "/.."))
		group = "";
	snprintf(folder, sizeof(folder), "%s%s", mount, group);
	for (;;) {
		memlimit_folder(folder, names, out);
		slash = strrchr(folder, '/');
		if (!slash || (size_t)(slash - folder) < top)
			return;
		*slash = '\0';
	}
}

/*
 * Where the hierarchy is mounted, from a line of mountinfo, and which of its folders is
 * the mount's root.
 */
static bool memlimit_mount(char *line, bool v2, char **at, char **inside)
{
	char *fields[5], *type, *save = NULL;
	char *rest = strstr(line, " - ");
	int i;

	if (!rest)
		return false;
	type = rest + 3;
	if (v2 ? strncmp(type, "cgroup2 ", 8) != 0
	       : strncmp(type, "cgroup ", 7) != 0 || !strstr(type, "memory"))
		return false;
	*rest = '\0';
	for (i = 0; i < 5; i++) {
		fields[i] = strtok_r(i ? NULL : line, " ", &save);
		if (!fields[i])
			return false;
	}
	*inside = strcmp(fields[3], "/") ? fields[3] : fields[3] + 1;
	*at = fields[4];
	return true;
}

static void memlimit_hierarchy(const char *root, const char *group, bool v2,
			       struct memlimit *out)
{
	char path[PATH_MAX], line[2048], *at, *inside;
	FILE *file;

	snprintf(path, sizeof(path), "%s/proc/self/mountinfo", root);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (!memlimit_mount(line, v2, &at, &inside))
			continue;
		if (!strncmp(group, inside, strlen(inside)))
			group += strlen(inside);
		if (!strcmp(group, "/"))
			group = "";
		snprintf(path, sizeof(path), "%s%s", root, at);
		memlimit_climb(path, group, v2 ? &memlimit_v2 : &memlimit_v1, out);
		break;
	}
	if (file)
		fclose(file);
}

/* "0::/path" names a group of version 2, "4:cpu,memory:/path" one of version 1. */
static void memlimit_cgroups(const char *root, struct memlimit *out)
{
	char path[PATH_MAX], line[2048], *controllers, *group;
	FILE *file;

	snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		controllers = strchr(line, ':');
		group = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!group)
			continue;
		*group++ = '\0';
		if (!controllers[1])
			memlimit_hierarchy(root, group, true, out);
		else if (strstr(controllers, "memory"))
			memlimit_hierarchy(root, group, false, out);
	}
	if (file)
		fclose(file);
}

static void memlimit_space(const char *root, struct memlimit *out)
{
	char path[PATH_MAX], text[256];
	struct rlimit limit;
	uint64_t used;

	if (getrlimit(RLIMIT_AS, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return;
	snprintf(path, sizeof(path), "%s/proc/self/statm", root);
	used = strtoull(memlimit_file(path, text, sizeof(text)), NULL, 10) *
	       (uint64_t)sysconf(_SC_PAGESIZE);
	out->space = limit.rlim_cur > used ? limit.rlim_cur - used : 0;
}

void memlimit_read(const char *root, struct memlimit *out)
{
	*out = (struct memlimit){
		.total = UINT64_MAX, .left = UINT64_MAX, .space = UINT64_MAX, .by = ""};
	memlimit_machine(root, out);
	memlimit_cgroups(root, out);
	memlimit_space(root, out);
}

uint64_t memlimit_device_size(const struct memlimit *limits)
{
	uint64_t size = limits->total / 2;

	if (size > limits->left / 4 * 3)
		size = limits->left / 4 * 3;
	if (size > limits->space / 2)
		size = limits->space / 2;
	size &= ~(MEMLIMIT_UNIT - 1);
	return size ? size : MEMLIMIT_UNIT;
}

/*
 * Reading takes a tenth of a millisecond. While there is plenty, what was read holds for
 * a moment, and for an eighth of what was left.
 */
#define MEMLIMIT_HOLDS_MS 100
#define MEMLIMIT_PLENTY 8

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t plenty; /* bytes that may be taken without another look */
static int64_t plenty_until;

static int64_t coarse_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static bool take_of_plenty(uint64_t size)
{
	bool enough;

	pthread_mutex_lock(&lock);
	enough = size <= plenty && coarse_ms() < plenty_until;
	if (enough)
		plenty -= size;
	pthread_mutex_unlock(&lock);
	return enough;
}

static void set_plenty(uint64_t left, uint64_t size)
{
	pthread_mutex_lock(&lock);
	plenty = left / MEMLIMIT_PLENTY > size ? left / MEMLIMIT_PLENTY - size : 0;
	plenty_until = coarse_ms() + MEMLIMIT_HOLDS_MS;
	pthread_mutex_unlock(&lock);
}

int memlimit_allow(uint64_t size)
{
	struct memlimit limit;

	if (take_of_plenty(size))
		return ACLKM_OK;
	memlimit_read("", &limit);
	if (size <= limit.left) {
		set_plenty(limit.left, size);
		return ACLKM_OK;
	}
	return error_set(ACLKM_ERR_NOMEM,
			 "no %llu bytes of memory: %s has %llu left before the kernel "
			 "ends processes",
			 (unsigned long long)size, limit.by,
			 (unsigned long long)limit.left);
}
