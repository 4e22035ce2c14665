// SPDX-License-Identifier: MIT
#include "report.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "error.h"

#define LINE_SIZE 1024
#define MAX_PLACES 1024

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint32_t count;
static int output = STDERR_FILENO;
static int exit_code = 66;
static bool abort_first;
static char summary[256];

static struct {
	const char *check;
	uintptr_t where;
} told[MAX_PLACES];
static uint32_t told_count;

void report_set(int code, bool abort_at_first, const char *log)
{
	int fd;

	exit_code = code;
	abort_first = abort_at_first;
	if (!log)
		return;
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd >= 0)
		output = fd;
}

/* Frames of a library that is a file of its own say nothing to the program. */
static int own_frames(void *const *frames, int depth)
{
	Dl_info own, info, program;
	int n = 0;

	if (!dladdr((void *)(uintptr_t)trace_take, &own) ||
	    !dladdr((void *)getauxval(AT_ENTRY), &program) ||
	    own.dli_fbase == program.dli_fbase)
		return 0;
	while (n < depth && dladdr(frames[n], &info) && info.dli_fbase == own.dli_fbase)
		n++;
	return n < depth ? n : 0;
}

void trace_of(struct trace *trace, const char *function, void *const *frames, int depth)
{
	int own = own_frames(frames, depth);

	trace->function = function;
	trace->thread = (int32_t)syscall(SYS_gettid);
	trace->depth = depth - own > TRACE_DEPTH ? TRACE_DEPTH : depth - own;
	memcpy(trace->frames, frames + own, (size_t)trace->depth * sizeof(void *));
}

void trace_take(struct trace *trace)
{
	void *frames[TRACE_DEPTH + 8];

	int depth = backtrace(frames, TRACE_DEPTH + 8);

	/* The first is this function. */
	if (depth)
		trace_of(trace, api_function(), frames + 1, depth - 1);
	else
		trace_of(trace, api_function(), frames, 0);
}

static void put(const char *text)
{
	size_t left = strlen(text);
	ssize_t n;

	while (left && (n = write(output, text, left)) > 0) {
		text += n;
		left -= (size_t)n;
	}
}

void report_line(const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	if (n > (int)sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	memcpy(line + n, "\n", 2);
	put(line);
}

/* One number for the calls that led here; the function's where there is no trace. */
static uintptr_t place_of(const struct trace *trace)
{
	uintptr_t all = (uintptr_t)trace->function;
	int i;

	for (i = 0; i < trace->depth; i++)
		all = all * 31 + (uintptr_t)trace->frames[i];
	return all;
}

/* The same check at the same place; true for the first time. */
static bool is_new(const char *check, uintptr_t where)
{
	uint32_t i;

	for (i = 0; i < told_count; i++) {
		if (told[i].check == check && told[i].where == where)
			return false;
	}
	if (told_count < MAX_PLACES) {
		told[told_count].check = check;
		told[told_count++].where = where;
	}
	return true;
}

bool report_begin(const char *check, const struct trace *here, bool once,
		  const char *format, ...)
{
	char text[LINE_SIZE / 2];
	va_list args;

	pthread_mutex_lock(&lock);
	if (once && here && !is_new(check, place_of(here))) {
		pthread_mutex_unlock(&lock);
		return false;
	}
	atomic_fetch_add(&count, 1);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put("=================================================================\n");
	report_line("==%d==ERROR: aclkm: %s: %s", (int)getpid(), check, text);
	snprintf(summary, sizeof(summary), "SUMMARY: aclkm: %s in %s", check,
		 here && *here->function ? here->function : "the program");
	if (here)
		report_trace("here", here);
	return true;
}

/* A frame's file, its offset there, and a name if the file exports one. */
struct place {
	char *at;
	const char *file; /* NULL: unknown */
	const char *name;
	unsigned long offset;
	bool of_program;
	char line[LINE_SIZE / 4]; /* "function at file:line"; "" */
};

static void locate(void *frame, struct place *place)
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

/* The program's own frames get lines from addr2line, if it is installed. */
static void symbolize(struct place *places, int n)
{
	char command[LINE_SIZE * 2], program[LINE_SIZE];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
	size_t at;
	FILE *pipe;
	int i;

	if (length <= 0)
		return;
	program[length] = '\0';
	if (strpbrk(program, "'\\\n"))
		return;
	at = (size_t)snprintf(command, sizeof(command), "addr2line -Cfpe '%s'", program);
	for (i = 0; i < n; i++) {
		if (places[i].of_program)
			at += (size_t)snprintf(command + at, sizeof(command) - at,
					       " 0x%lx", places[i].offset);
	}
	snprintf(command + at, sizeof(command) - at, " 2>/dev/null </dev/null");
	pipe = popen(command, "re");
	if (!pipe)
		return;
	for (i = 0; i < n; i++) {
		if (!places[i].of_program)
			continue;
		if (!fgets(places[i].line, sizeof(places[i].line), pipe))
			break;
		places[i].line[strcspn(places[i].line, "\n")] = '\0';
		if (places[i].line[0] == '?')
			places[i].line[0] = '\0';
	}
	pclose(pipe);
}

static void print_place(int number, const struct place *place)
{
	if (place->line[0])
		report_line("    #%d %p in %s", number, (void *)place->at, place->line);
	else if (place->file)
		report_line("    #%d %p in %s (%s+0x%lx)", number, (void *)place->at,
			    place->name ? place->name : "?", place->file, place->offset);
	else
		report_line("    #%d %p", number, (void *)place->at);
}

void report_trace(const char *heading, const struct trace *trace)
{
	static struct place places[TRACE_DEPTH]; /* under the lock of report_begin */
	int i;

	if (*trace->function)
		report_line("  %s by %s in thread %d:", heading, trace->function,
			    trace->thread);
	else
		report_line("  %s in thread %d:", heading, trace->thread);
	for (i = 0; i < trace->depth; i++)
		locate(trace->frames[i], &places[i]);
	symbolize(places, trace->depth);
	for (i = 0; i < trace->depth; i++)
		print_place(i, &places[i]);
}

void report_end(const char *fix)
{
	report_line("  to fix it: %s", fix);
	report_line("%s", summary);
	if (abort_first)
		abort();
	pthread_mutex_unlock(&lock);
}

uint32_t report_count(void)
{
	return atomic_load(&count);
}

void report_exit(void)
{
	if (!report_count() || !exit_code)
		return;
	report_line("==%d==aclkm: %u reports, exit code %d", (int)getpid(),
		    report_count(), exit_code);
	fflush(NULL);
	_exit(exit_code);
}
