/* SPDX-License-Identifier: MIT */
/* What the programs here do with a call or a result that is not as it should be. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <acl/acl.h>

/* Every call that returns a code: 0, or the program ends with the library's text. */
#define CHECK(call) check_call((call), #call, __LINE__)

/* What the library says of the last error of this thread. It ends with a new line. */
static inline const char *reason(void)
{
	const char *text = aclGetRecentErrMsg();

	return text ? text : "no text\n";
}

static inline void check_call(int code, const char *call, int line)
{
	if (!code)
		return;
	fprintf(stderr, "line %d: %s gives %d (%#x)\n  %s", line, call, code,
		(unsigned int)code, reason());
	exit(EXIT_FAILURE);
}

/* Every result that the program can tell right from wrong. */
static inline void expect(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "wrong: %s\n", what);
	exit(EXIT_FAILURE);
}

/* For sizes in tables, with no more precision than they deserve. */
static inline double mib(size_t bytes)
{
	return (double)bytes / (1 << 20);
}

#endif /* CHECK_H */
