/* SPDX-License-Identifier: MIT */
/*
 * Reports of the checks: text, call sites, and how the program ends. A report leaves the
 * program as it was: no signal comes in the middle of it or of its making, and errno is
 * what it was.
 */
#ifndef LIB_REPORT_H
#define LIB_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#define TRACE_DEPTH 24

/* Where something happened. */
struct trace {
	const char *function; /* of the API; "" outside of it */
	int32_t thread;
	int depth;
	void *frames[TRACE_DEPTH];
};

struct report_options {
	int exit_code;
	bool abort_first;
	bool count_advice; /* advice is a finding, too */
	const char *log;   /* NULL: standard error */
};

void report_set(const struct report_options *options);

void trace_take(struct trace *trace);

/* From frames that are known; those of this library on top are left out. */
void trace_of(struct trace *trace, const char *function, void *const *frames, int depth);

/* One number for the calls that led here, whatever the thread. */
uint64_t trace_place(const struct trace *trace);

/* A finding ends the program with the exit code; advice does not, unless asked to. */
enum report_kind { REPORT_FINDING, REPORT_ADVICE };

struct report {
	const char *check;
	const struct trace *here; /* NULL: nowhere */
	uint64_t about;		  /* with @here it tells equal reports */
	enum report_kind kind;
};

/*
 * A report in pieces: begin, lines, traces, end. One at a time in the process. False
 * from begin: an equal one was told before; then nothing follows.
 */
bool report_begin(const struct report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void report_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
void report_trace(const char *heading, const struct trace *trace);
void report_end(const char *fix);

/* A line by itself, outside of a report. */
void report_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Findings that were told. */
uint32_t report_count(void);

/*
 * While the process ends, when nothing is found any more: how much there was. With
 * findings the process ends with the exit code, after all that still has to run.
 */
void report_exit(void);

#endif /* LIB_REPORT_H */
