/* SPDX-License-Identifier: MIT */
/*
 * Wrong programs for the checks: one is this test started again with the program's name,
 * and what it prints to standard error is the report.
 */
#ifndef WRONG_PROGRAM_H
#define WRONG_PROGRAM_H

#include <fcntl.h>
#include <sys/wait.h>

#include "client.h"

struct program {
	const char *name;
	void (*run)(void);
};

/* What main() is to return when it is started with a name. */
__attribute__((unused)) static int run_program(const struct program *programs, size_t n,
					       const char *name)
{
	size_t i;

	if (aclrtSetDevice(0))
		return 89;
	for (i = 0; i < n; i++) {
		if (!strcmp(name, programs[i].name)) {
			programs[i].run();
			return 0;
		}
	}
	return 88;
}

/* For the programs ---------------------------------------------------------- */

__attribute__((unused)) static void *device(size_t size)
{
	void *p;

	if (aclrtMalloc(&p, size, ACL_MEM_MALLOC_NORMAL_ONLY))
		exit(90);
	return p;
}

__attribute__((unused)) static void *host(size_t size)
{
	void *p;

	if (aclrtMallocHost(&p, size))
		exit(91);
	return p;
}

__attribute__((unused)) static aclrtStream new_stream(void)
{
	aclrtStream s;

	if (aclrtCreateStream(&s))
		exit(92);
	return s;
}

/* For the tests: a program with its checks, what it printed and how it ended - */

__attribute__((unused)) static char text[1 << 16];
__attribute__((unused)) static int status;

__attribute__((unused)) static void run(const char *name, const char *check)
{
	int pipes[2];
	size_t at = 0;
	ssize_t n;
	pid_t pid;

	fflush(stdout);
	if (pipe(pipes))
		bail_out("no pipe");
	pid = fork();
	if (pid < 0)
		bail_out("no process");
	if (!pid) {
		dup2(pipes[1], STDERR_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		if (check)
			setenv("ACLKM_CHECK", check, 1);
		execl("/proc/self/exe", "wrong", name, (char *)NULL);
		_exit(127);
	}
	close(pipes[1]);
	while (at < sizeof(text) - 1 &&
	       (n = read(pipes[0], text + at, sizeof(text) - 1 - at)) > 0)
		at += (size_t)n;
	text[at] = '\0';
	close(pipes[0]);
	waitpid(pid, &status, 0);
	status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

__attribute__((unused)) static int count(const char *word)
{
	const char *at = text;
	int n = 0;

	while ((at = strstr(at, word))) {
		at++;
		n++;
	}
	return n;
}

__attribute__((unused)) static void show(void)
{
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n")))
		printf("# %s\n", line);
}

/* One report with these words, none more; exit code 66. */
__attribute__((unused)) static void reported(const char *name, const char *check,
					     const char *const *words)
{
	bool good;

	run(name, check);
	good = is(status, 66, "%s, ACLKM_CHECK=%s: exit code", name, check);
	good &= is(count("==ERROR: aclkm: "), 1, "%s: one report", name);
	good &= is(count("SUMMARY: aclkm: "), 1, "%s: one summary", name);
	good &= ok(strstr(text, "to fix it: "), "%s: how to fix it", name);
	for (; *words; words++)
		good &= ok(strstr(text, *words), "%s: \"%s\"", name, *words);
	if (!good)
		show();
}

#define REPORTED(name, check, ...)                                                       \
	reported(name, check, (const char *const[]){__VA_ARGS__, NULL})

__attribute__((unused)) static void silent(const char *name, const char *check)
{
	run(name, check);
	if (!is(status, 0, "%s, ACLKM_CHECK=%s: ends well", name, check) ||
	    !is(strlen(text), 0, "%s: no report", name))
		show();
}

#endif /* WRONG_PROGRAM_H */
