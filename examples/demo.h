/* SPDX-License-Identifier: MIT */
#ifndef DEMO_H
#define DEMO_H

#include <acl/acl.h>
#include <stdbool.h>
#include <stdio.h>

/* Leaves the function with 1 and the library's own words when a call fails. */
#define TRY(call)                                                                        \
	do {                                                                             \
		int try_err = (int)(call);                                               \
		if (try_err) {                                                           \
			const char *why = aclGetRecentErrMsg();                          \
			fprintf(stderr, "demo: %s: error %d: %s\n", #call, try_err,      \
				why ? why : "");                                         \
			return 1;                                                        \
		}                                                                        \
	} while (0)

/* demo_table.c: every allocation call, one row each. 0 or 1. */
int demo_table(void);

/* demo_copy.c: a file through media, host and device memory. 0 or 1. */
int demo_copy(const char *path);

#endif /* DEMO_H */
