// SPDX-License-Identifier: MIT
/*
 * What queued tasks are going to read and write, so that memory which goes meanwhile is
 * reported, and a task that will fault names itself.
 *
 * Nothing is protected, and no signal is used: the library cannot know whether the host
 * may touch a buffer while a task waits for it. A value wait, a notify, an event or a
 * callback may order the two. That memory is freed before a task that uses it has begun
 * is wrong whatever orders them, so that is what is reported. From its first byte on a
 * task is not watched: the host may see by the bytes themselves that it is done.
 */
#include "debug/check_flight.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "debug/check_small.h"
#include "debug/check_reach.h"
#include "debug/report.h"

/* A task waits so long before it runs, so that there is time to do wrong. */
#define HOLD_NS 1000000L

/* Tasks of one place wait the first few times, and then now and then. */
#define HOLD_PLACES 256
#define HOLD_OFTEN 16
#define HOLD_SELDOM 64

struct flight {
	struct flight *prev, *next; /* of all that have not begun */
	struct flight *behind;	    /* in its stream */
	const void *stream;
	const char *what;
	struct trace submitted;
	uint32_t n;
	struct use uses[CHECK_USES];
};

HIDDEN _Atomic bool check_tasks;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct flight *flights;
static _Atomic uint32_t hold_counts[HOLD_PLACES];

/* Threads that wait for a stream: no task is held then. */
static _Atomic uint32_t waiters, hurry;

void check_wait_begin_slowly(void)
{
	atomic_fetch_add(&waiters, 1);
	word_change(&hurry);
}

void check_wait_end_slowly(void)
{
	atomic_fetch_sub(&waiters, 1);
}

struct flight *check_flight(const struct uses *uses, const void *stream)
{
	struct flight *flight = calloc(1, sizeof(*flight));
	uint32_t i;

	if (!flight)
		return NULL;
	flight->stream = stream;
	if (!uses)
		return flight;
	flight->what = uses->what;
	for (i = 0; i < CHECK_USES; i++) {
		if (uses->of[i].at && uses->of[i].size)
			flight->uses[flight->n++] = uses->of[i];
	}
	if (flight->n) {
		trace_take(&flight->submitted);
		check_odd_begin();
	}
	return flight;
}

static void flight_link_locked(struct flight *flight)
{
	flight->next = flights;
	if (flights)
		flights->prev = flight;
	flights = flight;
}

static void flight_unlink_locked(struct flight *flight)
{
	if (flight->prev)
		flight->prev->next = flight->next;
	else
		flights = flight->next;
	if (flight->next)
		flight->next->prev = flight->prev;
}

static void flight_free(struct flight *flight)
{
	if (flight->n)
		check_odd_end();
	free(flight);
}

void check_line_lock(struct flight_line *line)
{
	pthread_mutex_lock(&line->lock);
}

void check_line_unlock(struct flight_line *line)
{
	pthread_mutex_unlock(&line->lock);
}

void check_flight_queued(struct flight_line *line, struct flight *flight)
{
	pthread_mutex_lock(&lock);
	flight_link_locked(flight);
	if (line->last)
		line->last->behind = flight;
	else
		line->first = flight;
	line->last = flight;
	pthread_mutex_unlock(&lock);
}

/* The one that was queued last, and must not run. */
void check_flight_refused(struct flight_line *line, struct flight *flight)
{
	struct flight **at = &line->first;

	pthread_mutex_lock(&lock);
	line->last = NULL;
	for (; *at != flight; at = &(*at)->behind)
		line->last = *at;
	*at = NULL;
	flight_unlink_locked(flight);
	pthread_mutex_unlock(&lock);
	flight_free(flight);
}

static struct flight *flight_take_first(struct flight_line *line)
{
	struct flight *flight;

	pthread_mutex_lock(&lock);
	flight = line->first;
	if (flight) {
		line->first = flight->behind;
		if (!line->first)
			line->last = NULL;
	}
	pthread_mutex_unlock(&lock);
	return flight;
}

static void flight_end(struct flight *flight)
{
	pthread_mutex_lock(&lock);
	flight_unlink_locked(flight);
	pthread_mutex_unlock(&lock);
	flight_free(flight);
}

static bool hold_is_due(const struct flight *flight)
{
	uint64_t place = trace_place(&flight->submitted);
	uint32_t n = atomic_fetch_add(&hold_counts[place % HOLD_PLACES], 1);

	return n < HOLD_OFTEN || n % HOLD_SELDOM == 0;
}

static void flight_hold(const struct flight *flight)
{
	int64_t end = clock_now() + HOLD_NS;
	uint32_t seen;

	if (!flight->n || !hold_is_due(flight))
		return;
	do {
		seen = atomic_load(&hurry);
	} while (!atomic_load(&waiters) && word_wait(&hurry, seen, end) &&
		 clock_now() < end);
}

/* The fault itself goes to the program, as it would without checks. */
static void report_fault(const struct report *report, const char *text,
			 const struct use *use, const char *why)
{
	if (!report_begin(report, "%s faults: %p, which it %s, %s", text, use->at,
			  use->writes ? "writes" : "reads", why))
		return;
	report_end("memory must stay mapped until the copy is done, in a stream until it "
		   "has come past the task");
}

static void flight_look(const struct flight *flight)
{
	const struct report report = {.check = "fault", .here = &flight->submitted};
	char text[96];
	uint32_t i;

	for (i = 0; i < flight->n; i++) {
		const struct use *use = &flight->uses[i];
		const char *why = use->rows > 1 ? NULL : check_unreachable(use);

		if (!why)
			continue;
		snprintf(text, sizeof(text), "the asynchronous %s in stream %p",
			 flight->what, flight->stream);
		report_fault(&report, text, use, why);
	}
}

void check_uses_now(const struct uses *uses)
{
	struct trace here;
	const struct report report = {.check = "fault", .here = &here};
	char text[32];
	uint32_t i;

	for (i = 0; i < CHECK_USES; i++) {
		const struct use *use = &uses->of[i];
		const char *why =
			!use->size || use->rows > 1 ? NULL : check_unreachable(use);

		if (!why)
			continue;
		trace_take(&here);
		snprintf(text, sizeof(text), "the %s", uses->what);
		report_fault(&report, text, use, why);
	}
}

void check_task_begins(struct flight_line *line)
{
	struct flight *flight = flight_take_first(line);

	if (!flight)
		return;
	flight_hold(flight);
	flight_look(flight);
	flight_end(flight);
}

void check_task_now(struct flight *flight)
{
	flight_look(flight);
	flight_free(flight);
}

void check_task_dropped(struct flight_line *line)
{
	struct flight *flight = flight_take_first(line);

	if (flight)
		flight_end(flight);
}

static bool use_overlaps(const struct use *use, uint64_t base, uint64_t size)
{
	uint64_t at = (uint64_t)(uintptr_t)use->at, row = 0, last, start;

	if (use->rows <= 1)
		return base < at + use->size && at < base + size;
	if (base > at)
		row = (base - at) / use->pitch;
	/* The row that @base lies in or behind, and the next one. */
	for (last = row + 1; row <= last && row < use->rows; row++) {
		start = at + row * use->pitch;
		if (base < start + use->size && start < base + size)
			return true;
	}
	return false;
}

static const struct use *flight_uses(const struct flight *flight, uint64_t base,
				     uint64_t size)
{
	uint32_t i;

	for (i = 0; i < flight->n; i++) {
		if (use_overlaps(&flight->uses[i], base, size))
			return &flight->uses[i];
	}
	return NULL;
}

bool check_in_flight(uint64_t base, uint64_t size, const char *doing,
		     void (*describe)(const void *arg), const void *arg)
{
	struct report report = {.check = "in-flight"};
	const struct use *use = NULL;
	struct flight *flight, found;
	struct trace here;

	pthread_mutex_lock(&lock);
	for (flight = flights; flight && !use; flight = flight->next) {
		use = flight_uses(flight, base, size);
		if (use)
			found = *flight;
	}
	pthread_mutex_unlock(&lock);
	if (!use)
		return false;
	/* The record may be gone by now: the copy tells. */
	use = flight_uses(&found, base, size);
	trace_take(&here);
	report.here = &here;
	report.about = trace_place(&found.submitted);
	if (!report_begin(
		    &report,
		    "memory is %s while an asynchronous %s in stream %p still %s it",
		    doing, found.what, found.stream, use->writes ? "writes" : "reads"))
		return true;
	report_trace("task submitted", &found.submitted);
	if (describe)
		describe(arg);
	report_end("synchronise the stream before the memory goes");
	return true;
}
