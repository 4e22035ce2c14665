// SPDX-License-Identifier: MIT
#include "debug/report.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"

#define LINE_SIZE 1024
#define MAX_PLACES 4096 /* a power of two */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint32_t findings, again;
static struct report_options options = {.exit_code = 66};
static char log_path[PATH_MAX];

/* The report that is being told; under the lock. */
static struct {
	char summary[256];
	sigset_t signals; /* of the thread, before */
	int error;	  /* errno, before */
	int output;
	bool of_log;
	bool may_abort;
} now;

/* What was told, by check and place; under the lock. */
static uint64_t told[MAX_PLACES];
static uint32_t told_count;

/* Relative to where the program starts, wherever it goes. */
static void report_set_log(const char *log)
{
	size_t length = 0;

	log_path[0] = '\0';
	if (!log)
		return;
	if (log[0] != '/' && getcwd(log_path, sizeof(log_path) - 1)) {
		length = strlen(log_path);
		log_path[length++] = '/';
	}
	snprintf(log_path + length, sizeof(log_path) - length, "%s", log);
}

void report_set(const struct report_options *wanted)
{
	options = *wanted;
	report_set_log(wanted->log);
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

/* The function's where there are no frames. */
uint64_t trace_place(const struct trace *trace)
{
	uint64_t all = (uintptr_t)trace->function;
	int i;

	for (i = 0; i < trace->depth; i++)
		all = (all ^ (uintptr_t)trace->frames[i]) * 0x9e3779b97f4a7c15ULL;
	return all;
}

/*
 * A log is opened for each report: the number of a descriptor that stays open may be one
 * of the program's own files later.
 */
static void output_open(void)
{
	now.output = -1;
	if (log_path[0])
		now.output =
			open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	now.of_log = now.output >= 0;
	if (!now.of_log)
		now.output = STDERR_FILENO;
}

static void output_close(void)
{
	if (now.of_log)
		close(now.output);
}

/* Nobody may read any more, or the file may grow no more: no reason to end. */
static void output_eat(int number)
{
	const struct timespec at_once = {0};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	sigtimedwait(&set, NULL, &at_once);
}

static void report_put(const char *text)
{
	size_t left = strlen(text);
	sigset_t pending;
	ssize_t n = 0;

	sigpending(&pending);
	while (left &&
	       ((n = write(now.output, text, left)) > 0 || (n < 0 && errno == EINTR))) {
		if (n < 0)
			continue;
		text += n;
		left -= (size_t)n;
	}
	if (n < 0 && errno == EPIPE && !sigismember(&pending, SIGPIPE))
		output_eat(SIGPIPE);
	if (n < 0 && errno == EFBIG && !sigismember(&pending, SIGXFSZ))
		output_eat(SIGXFSZ);
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
	report_put(line);
}

/*
 * The lines of the program's own frames come from addr2line, if it is installed. It runs
 * as a grandchild: the program gets no SIGCHLD for it, and its wait() does not find it.
 */
#define PATH_SIZE 1024
#define FRAME_SIZE 256

/* A frame's file, its offset there, and a name if the file exports one. */
struct frame {
	char *at;
	const char *file; /* NULL: unknown */
	const char *name;
	unsigned long offset;
	bool of_program;
	char line[FRAME_SIZE]; /* "function at file:line"; "" */
};

static void frame_locate(void *addr, struct frame *frame)
{
	struct link_map *map = NULL;
	Dl_info info;

	/* The call is before the address that it returns to. */
	*frame = (struct frame){.at = (char *)addr - 1};
	if (!dladdr1(frame->at, &info, (void **)&map, RTLD_DL_LINKMAP) || !map)
		return;
	frame->file = info.dli_fname;
	frame->name = info.dli_sname;
	frame->offset = (unsigned long)((uintptr_t)frame->at - map->l_addr);
	frame->of_program = !*map->l_name;
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

static void where_read(struct frame *frames, int n, FILE *from)
{
	int i;

	for (i = 0; i < n; i++) {
		if (!frames[i].of_program)
			continue;
		if (!fgets(frames[i].line, sizeof(frames[i].line), from))
			break;
		frames[i].line[strcspn(frames[i].line, "\n")] = '\0';
		if (frames[i].line[0] == '?')
			frames[i].line[0] = '\0';
	}
}

static void where_ask(struct frame *frames, int n, char **arguments)
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
		where_read(frames, n, from);
		fclose(from);
	} else {
		close(pipes[0]);
	}
	if (pid > 0)
		waitpid(pid, &status, __WALL);
}

static void where_symbolize(struct frame *frames, int n)
{
	static char name[] = "addr2line", flags[] = "-Cfpe";
	static char program[PATH_SIZE], offsets[TRACE_DEPTH][24];
	char *arguments[TRACE_DEPTH + 4] = {name, flags, program};
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
	int i, last = 3;

	if (length <= 0)
		return;
	program[length] = '\0';
	for (i = 0; i < n; i++) {
		if (!frames[i].of_program)
			continue;
		snprintf(offsets[i], sizeof(offsets[i]), "0x%lx", frames[i].offset);
		arguments[last++] = offsets[i];
	}
	if (last > 3)
		where_ask(frames, n, arguments);
}

static void frame_print(int number, const struct frame *frame)
{
	if (frame->line[0])
		report_line("    #%d %p in %s", number, (void *)frame->at, frame->line);
	else if (frame->file)
		report_line("    #%d %p in %s (%s+0x%lx)", number, (void *)frame->at,
			    frame->name ? frame->name : "?", frame->file, frame->offset);
	else
		report_line("    #%d %p", number, (void *)frame->at);
}

static void report_frames(const struct trace *trace)
{
	static struct frame frames[TRACE_DEPTH]; /* under the lock of report_begin */
	int i;

	for (i = 0; i < trace->depth; i++)
		frame_locate(trace->frames[i], &frames[i]);
	where_symbolize(frames, trace->depth);
	for (i = 0; i < trace->depth; i++)
		frame_print(i, &frames[i]);
}

static uint64_t report_place(const struct report *report)
{
	uint64_t place = (uintptr_t)report->check;

	place = place * 0x9e3779b97f4a7c15ULL + report->about;
	if (report->here)
		place = place * 0x9e3779b97f4a7c15ULL + trace_place(report->here);
	return place ?: 1;
}

/* True for the first time, and for all once there are too many to remember. */
static bool is_new(uint64_t place)
{
	uint64_t *at = &told[place % MAX_PLACES];

	while (*at && *at != place)
		at = at == &told[MAX_PLACES - 1] ? told : at + 1;
	if (*at)
		return false;
	if (told_count < MAX_PLACES - 1) {
		told_count++;
		*at = place;
	}
	return true;
}

/*
 * From here to report_leave no handler of the program runs in this thread: one that calls
 * the library, or that does not return, would find the lock held.
 */
static void report_enter(void)
{
	int error = errno;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_mutex_lock(&lock);
	now.signals = before;
	now.error = error;
}

static void report_leave(void)
{
	const sigset_t before = now.signals;
	int error = now.error;

	pthread_mutex_unlock(&lock);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
}

bool report_begin(const struct report *report, const char *format, ...)
{
	bool advice = report->kind == REPORT_ADVICE && !options.count_advice;
	char text[LINE_SIZE / 2];
	va_list args;

	report_enter();
	if (!is_new(report_place(report))) {
		atomic_fetch_add(&again, !advice);
		report_leave();
		return false;
	}
	atomic_fetch_add(&findings, !advice);
	now.may_abort = !advice;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	output_open();
	report_put("=================================================================\n");
	report_line("==%d==%s: aclkm: %s: %s", (int)getpid(), advice ? "ADVICE" : "ERROR",
		    report->check, text);
	snprintf(now.summary, sizeof(now.summary), "SUMMARY: aclkm: %s in %s",
		 report->check,
		 report->here && *report->here->function ? report->here->function
							 : "the program");
	if (report->here)
		report_trace("here", report->here);
	return true;
}

void report_note(const char *format, ...)
{
	char line[LINE_SIZE / 2];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	report_enter();
	output_open();
	report_line("==%d==aclkm: %s", (int)getpid(), line);
	output_close();
	report_leave();
}

void report_trace(const char *heading, const struct trace *trace)
{
	char thread[24] = "one of many threads";

	if (trace->thread)
		snprintf(thread, sizeof(thread), "thread %d", trace->thread);
	if (*trace->function)
		report_line("  %s by %s in %s:", heading, trace->function, thread);
	else
		report_line("  %s in %s:", heading, thread);
	report_frames(trace);
}

void report_end(const char *fix)
{
	report_line("  to fix it: %s", fix);
	report_line("%s", now.summary);
	output_close();
	if (now.may_abort && options.abort_first)
		abort();
	report_leave();
}

uint32_t report_count(void)
{
	return atomic_load(&findings);
}

/*
 * An exit within an exit: the C library goes on with what is left to run, with the other
 * code. All libraries have ended by now.
 */
static void end_process(void *unused)
{
	(void)unused;
	exit(options.exit_code);
}

extern int __cxa_atexit(void (*fn)(void *arg), void *arg, void *dso);

void report_exit(void)
{
	uint32_t more = atomic_load(&again);

	if (!report_count() || !options.exit_code)
		return;
	if (more)
		report_note("the same was found again %u times", more);
	report_note("%u reports, exit code %d", report_count(), options.exit_code);
	/* What is registered while the process ends runs next. */
	if (__cxa_atexit(end_process, NULL, NULL))
		end_process(NULL);
}
