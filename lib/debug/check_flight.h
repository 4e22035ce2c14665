/* SPDX-License-Identifier: MIT */
/*
 * What tasks of streams use, from their submission until they begin. Where tasks are
 * watched a worker tells here of each task, in the order of its queue.
 */
#ifndef LIB_CHECK_FLIGHT_H
#define LIB_CHECK_FLIGHT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "debug/check_reach.h"

#define CHECK_USES 3

/* What a task uses; NULL or size 0: nothing. */
struct uses {
	const char *what; /* "copy": for reports */
	struct use of[CHECK_USES];
};

/* Whether tasks are watched. Set before the first task, with the options. */
extern HIDDEN _Atomic bool check_tasks;

static inline bool check_watches_tasks(void)
{
	return __builtin_expect(atomic_load_explicit(&check_tasks, memory_order_relaxed),
				0);
}

struct flight;

/* The tasks of one worker that have not begun, in the order of its queue. */
struct flight_line {
	pthread_mutex_t lock; /* held while a task is put into both */
	struct flight *first, *last;
};

void check_line_lock(struct flight_line *line);
void check_line_unlock(struct flight_line *line);

/* A task is about to be submitted in this thread. NULL: no memory. */
struct flight *check_flight(const struct uses *uses, const void *stream);

/* With the line locked, before the task is put; and if it was refused then. */
void check_flight_queued(struct flight_line *line, struct flight *flight);
void check_flight_refused(struct flight_line *line, struct flight *flight);

/* The first task of the line begins, or is thrown away. */
void check_task_begins(struct flight_line *line);
void check_task_dropped(struct flight_line *line);

/* The task begins at once, without a line. */
void check_task_now(struct flight *flight);

void check_wait_begin_slowly(void);
void check_wait_end_slowly(void);

/* A call is about to do this in its own thread. */
void check_uses_now(const struct uses *uses);

/* Around a wait for a stream: its tasks are not held up then. */
static inline void check_wait_begin(void)
{
	if (check_watches_tasks())
		check_wait_begin_slowly();
}

static inline void check_wait_end(void)
{
	if (check_watches_tasks())
		check_wait_end_slowly();
}

/*
 * Memory goes: whether a task that has not begun uses it. Reports who submitted the task
 * and, by @describe, what the memory is.
 */
bool check_in_flight(uint64_t base, uint64_t size, const char *doing,
		     void (*describe)(const void *arg), const void *arg);

#endif /* LIB_CHECK_FLIGHT_H */
