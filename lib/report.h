/* SPDX-License-Identifier: MIT */
/* Reports of the checks: text, call sites, and how the program ends. */
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

void report_set(int exit_code, bool abort_first, const char *log);

void trace_take(struct trace *trace);

/* From frames that are known; those of this library on top are left out. */
void trace_of(struct trace *trace, const char *function, void *const *frames, int depth);

/*
 * A report in pieces: begin, lines, traces, end. One at a time in the process. False
 * from begin: the same has been reported from the same place; then nothing follows.
 */
bool report_begin(const char *check, const struct trace *here, bool once,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));
void report_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
void report_trace(const char *heading, const struct trace *trace);
void report_end(const char *fix);

/* How many there were. */
uint32_t report_count(void);

/* Ends the process with the exit code when there were any. */
void report_exit(void);

#endif /* LIB_REPORT_H */
