/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's log, and how much memory is free. */
#ifndef ACLKM_SELFTEST_KMSG_H
#define ACLKM_SELFTEST_KMSG_H

#include "common.h"
#include "admin.h"

static int kmsg = -1;

static inline void log_seek(int whence)
{
	if (kmsg < 0)
		kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	lseek(kmsg, 0, whence);
}

/* Forgets what the log has so far. */
static inline void log_begin(void)
{
	log_seek(SEEK_END);
}

/* Reads the log from the first line of the boot. */
static inline void log_rewind(void)
{
	log_seek(SEEK_SET);
}

/* Lines since log_begin() that have @text; those read are gone. */
static inline int log_lines(const char *text, char *last, size_t room)
{
	char line[1024];
	ssize_t len;
	int n = 0;

	while ((len = read(kmsg, line, sizeof(line) - 1)) > 0 || (len < 0 && errno == EPIPE)) {
		if (len < 0)
			continue;
		line[len] = 0;
		if (!strstr(line, text))
			continue;
		n++;
		if (last)
			snprintf(last, room, "%s", strstr(line, text));
	}
	return n;
}

/* Free pages that processors keep in lists of their own. */
static inline long long pages_of_processors(void)
{
	long long pages = 0, count;
	char line[256];
	FILE *f = fopen("/proc/zoneinfo", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " count: %lld", &count) == 1)
			pages += count;
	if (f)
		fclose(f);
	return pages;
}

/*
 * Pages that are free, without caches. Memory that goes back late is waited for until
 * there is as much as @want, up to 2 s.
 */
static inline long long free_pages_settled(long long want)
{
	long long pages = 0;
	int i;

	for (i = 0; i < 100; i++) {
		file_write("/proc/sys/vm/drop_caches", "3");
		file_write("/proc/sys/vm/stat_refresh", "1");
		pages = proc_number("/proc/vmstat", "nr_free_pages") + pages_of_processors();
		if (pages >= want)
			break;
		usleep(20 * 1000);
	}
	return pages;
}

#endif /* ACLKM_SELFTEST_KMSG_H */
