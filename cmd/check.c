// SPDX-License-Identifier: MIT
/*
 * aclkm check: runs a program with the library's checks on, and collects what they find
 * in one place. The reports go to a file of their own, so that they do not mix with what
 * the program prints.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "run.h"
#include "show.h"

#define DEFAULT_CHECKS "all"
/* The exit code of a program in which the checks have found something. */
#define FOUND_CODE 66
#define LOG_MAX (4 << 20)

static const struct option longs[] = {{"checks", required_argument, NULL, 'c'},
				      {NULL, 0, NULL, 0}};

static char *check_read_log(int fd)
{
	char *text = malloc(LOG_MAX + 1);
	ssize_t len = 0, n;

	if (!text)
		return NULL;
	while (len < LOG_MAX && (n = pread(fd, text + len, (size_t)(LOG_MAX - len), len)))
		if (n > 0)
			len += n;
		else if (errno != EINTR)
			break;
	text[len] = '\0';
	return text;
}

static int check_report(const char *log, int program)
{
	bool found = program == FOUND_CODE;
	int code = found || program ? EXIT_FINDING : EXIT_FINE;
	cJSON *root;

	if (command_json) {
		root = cJSON_CreateObject();
		cJSON_AddBoolToObject(root, "found", found);
		show_json_number(root, "exit_code", (uint64_t)program);
		cJSON_AddStringToObject(root, "reports", log);
		return show_json(root, code);
	}
	fputs(log, stderr);
	if (found)
		fprintf(stderr, "aclkm check: the checks found something%s\n",
			*log ? "; see above" : "");
	else if (program)
		fprintf(stderr, "aclkm check: nothing found; the program ended with %d\n",
			program);
	else
		fprintf(stderr, "aclkm check: nothing found%s\n",
			*log ? "; the above is advice" : "");
	return code;
}

static int run_check(int argc, char **argv)
{
	char path[] = "/tmp/aclkm-check-XXXXXX", value[512], *log;
	const char *checks = DEFAULT_CHECKS;
	int fd, code, program;
	pid_t pid;

	while (command_option(&command_check, argc, argv) != -1)
		checks = optarg;
	if (optind == argc)
		command_misused(&command_check, "names no program");
	fd = mkstemp(path);
	if (fd < 0)
		return command_failed(&command_check, "%s: %s", path, strerror(errno));
	if (snprintf(value, sizeof(value), "%s,log=%s", checks, path) >=
	    (int)sizeof(value))
		command_misused(&command_check, "the list of checks is too long");
	setenv("ACLKM_CHECK", value, 1);
	pid = run_begin(argv + optind);
	if (pid < 0) {
		code = command_failed(&command_check, "fork: %s", strerror(errno));
		goto close;
	}
	program = run_finish(pid);
	log = check_read_log(fd);
	code = log ? check_report(log, program)
		   : command_failed(&command_check, "no memory");
	free(log);
close:
	unlink(path);
	close(fd);
	return code;
}

const struct command command_check = {
	.name = "check",
	.arguments = "[--] PROGRAM [ARGUMENT...]",
	.summary = "Run a program and report wrong use of device memory",
	.help = "  -c, --checks LIST      as ACLKM_CHECK takes them; all by default\n",
	.shorts = "+c:",
	.longs = longs,
	.run = run_check,
};
