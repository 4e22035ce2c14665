/* SPDX-License-Identifier: MIT */
/*
 * The whole path: every allocation call of the API, then a real file from disk
 * into media memory and through two streams, with equal digests at both ends.
 */
#include "demo.h"

#include <aclkm/memory.h>
#include <string.h>
#include <unistd.h>

static int usage(FILE *out, int status)
{
	fprintf(out,
		"usage: demo [--file PATH]\n"
		"  --file PATH   file or disk to copy (without it, only the table)\n");
	return status;
}

int main(int argc, char **argv)
{
	struct aclkm_memory_totals totals;
	const char *path = NULL;
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help"))
			return usage(stdout, 0);
		if (strcmp(argv[i], "--file") || i + 1 == argc) {
			fprintf(stderr, "demo: \"%s\" is not an option of mine%s\n",
				argv[i],
				strcmp(argv[i], "--file") ? "" : " without a path");
			return usage(stderr, 2);
		}
		path = argv[++i];
	}

	TRY(aclInit(NULL));
	TRY(aclrtSetDevice(0));
	TRY(aclkm_memory_totals(&totals));
	printf("backend %s: %.0f MiB, %.0f MiB free\n\n", totals.backend,
	       totals.total / 1048576.0, totals.free / 1048576.0);
	if (demo_table() || (path && demo_copy(path)))
		return 1;
	TRY(aclrtResetDevice(0));
	TRY(aclFinalize());
	return 0;
}
