// SPDX-License-Identifier: MIT
#include "debug/check_reach.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/base.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

/* A program with a handler may map the memory in it, as garbage collectors do. */
static bool reach_is_final(int number)
{
	struct sigaction action;

	return !sigaction(number, NULL, &action) && !(action.sa_flags & SA_SIGINFO) &&
	       action.sa_handler == SIG_DFL;
}

/* Whether the mapping that starts or ends between the two lacks the right. */
static const char *reach_of_maps(uint64_t from, uint64_t to, bool writes)
{
	FILE *file = fopen("/proc/self/maps", "re");
	unsigned long start, end;
	const char *why = NULL;
	char line[512], rights[5];

	while (file && from < to && !why && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx %4s", &start, &end, rights) != 3 || end <= from)
			continue;
		if (start > from)
			why = "is not mapped";
		else if (rights[writes ? 1 : 0] == '-')
			why = writes ? "cannot be written" : "cannot be read";
		from = end;
	}
	if (file && from < to && !why)
		why = "is not mapped";
	if (file)
		fclose(file);
	return why;
}

const char *check_unreachable(const struct use *use)
{
	const void *target = use->target ?: use->at;
	uint64_t mask = va_page_size() - 1;
	uint64_t from = (uint64_t)(uintptr_t)target & ~mask;
	uint64_t to = ((uint64_t)(uintptr_t)target + use->size + mask) & ~mask;
	int advice = use->writes ? MADV_POPULATE_WRITE : MADV_POPULATE_READ;

	if (to <= from)
		return NULL;
	/* Touches what the task is about to touch, and nothing faults. */
	if (!madvise((void *)(uintptr_t)from, to - from, advice))
		return NULL;
	if (errno == EFAULT && reach_is_final(SIGBUS))
		return "is not there any more: its file was cut";
	/* EINVAL: no right, or memory of a device, or an older kernel. */
	if ((errno != ENOMEM && errno != EINVAL) || !reach_is_final(SIGSEGV))
		return NULL;
	return reach_of_maps(from, to, use->writes);
}
