// SPDX-License-Identifier: MIT
/*
 * The lines of the program's own frames come from addr2line, if it is installed. It runs
 * as a grandchild: the program gets no SIGCHLD for it, and its wait() does not find it.
 */
#include "debug/report_where.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_SIZE 1024
#define LINE_SIZE 256

/* A frame's file, its offset there, and a name if the file exports one. */
struct place {
	char *at;
	const char *file; /* NULL: unknown */
	const char *name;
	unsigned long offset;
	bool of_program;
	char line[LINE_SIZE]; /* "function at file:line"; "" */
};

static void place_locate(void *frame, struct place *place)
{
	struct link_map *map = NULL;
	Dl_info info;

	/* The call is before the address that it returns to. */
	*place = (struct place){.at = (char *)frame - 1};
	if (!dladdr1(place->at, &info, (void **)&map, RTLD_DL_LINKMAP) || !map)
		return;
	place->file = info.dli_fname;
	place->name = info.dli_sname;
	place->offset = (unsigned long)((uintptr_t)place->at - map->l_addr);
	place->of_program = !*map->l_name;
}

/* fork(2) without its handlers and, for @signal 0, without SIGCHLD to the parent. */
static pid_t where_fork(long signal)
{
#ifdef __s390__
	return (pid_t)syscall(SYS_clone, NULL, signal, NULL, NULL, NULL);
#else
	return (pid_t)syscall(SYS_clone, signal, NULL, NULL, NULL, NULL);
#endif
}

static __attribute__((noreturn)) void where_exec(char **arguments, int output)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	dup2(nothing, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(nothing, STDERR_FILENO);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(arguments[0], arguments);
	_exit(127);
}

/* A process that is the parent of the one that runs @arguments, or -1. */
static pid_t where_run(char **arguments, int output)
{
	pid_t middle = where_fork(0), last;
	int status;

	if (middle)
		return middle;
	last = where_fork(SIGCHLD);
	if (!last)
		where_exec(arguments, output);
	if (last > 0)
		waitpid(last, &status, __WALL);
	_exit(0);
}

static void where_read(struct place *places, int n, FILE *from)
{
	int i;

	for (i = 0; i < n; i++) {
		if (!places[i].of_program)
			continue;
		if (!fgets(places[i].line, sizeof(places[i].line), from))
			break;
		places[i].line[strcspn(places[i].line, "\n")] = '\0';
		if (places[i].line[0] == '?')
			places[i].line[0] = '\0';
	}
}

static void where_ask(struct place *places, int n, char **arguments)
{
	int pipes[2], status;
	FILE *from;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC))
		return;
	pid = where_run(arguments, pipes[1]);
	close(pipes[1]);
	from = pid > 0 ? fdopen(pipes[0], "re") : NULL;
	if (from) {
		where_read(places, n, from);
		fclose(from);
	} else {
		close(pipes[0]);
	}
	if (pid > 0)
		waitpid(pid, &status, __WALL);
}

static void where_symbolize(struct place *places, int n)
{
	static char name[] = "addr2line", options[] = "-Cfpe";
	static char program[PATH_SIZE], offsets[TRACE_DEPTH][24];
	char *arguments[TRACE_DEPTH + 4] = {name, options, program};
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
	int i, last = 3;

	if (length <= 0)
		return;
	program[length] = '\0';
	for (i = 0; i < n; i++) {
		if (!places[i].of_program)
			continue;
		snprintf(offsets[i], sizeof(offsets[i]), "0x%lx", places[i].offset);
		arguments[last++] = offsets[i];
	}
	if (last > 3)
		where_ask(places, n, arguments);
}

static void place_print(int number, const struct place *place)
{
	if (place->line[0])
		report_line("    #%d %p in %s", number, (void *)place->at, place->line);
	else if (place->file)
		report_line("    #%d %p in %s (%s+0x%lx)", number, (void *)place->at,
			    place->name ? place->name : "?", place->file, place->offset);
	else
		report_line("    #%d %p", number, (void *)place->at);
}

void report_frames(const struct trace *trace)
{
	static struct place places[TRACE_DEPTH]; /* under the lock of report_begin */
	int i;

	for (i = 0; i < trace->depth; i++)
		place_locate(trace->frames[i], &places[i]);
	where_symbolize(places, trace->depth);
	for (i = 0; i < trace->depth; i++)
		place_print(i, &places[i]);
}
