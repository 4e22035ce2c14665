/* SPDX-License-Identifier: MIT */
/*
 * Captures: while a stream is captured, tasks that are submitted to it become nodes of a
 * graph. A stream that waits for an event of a captured stream is captured too, and must
 * be joined again before the end. Thread-safe; failures note their text.
 *
 * One lock guards all captures. capture_is_any() tells the plain paths that there is
 * nothing to look for.
 */
#ifndef LIB_CAPTURE_H
#define LIB_CAPTURE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "exec/graph.h"

/* The values of AscendCL. */
enum capture_mode { CAPTURE_GLOBAL, CAPTURE_LOCAL, CAPTURE_RELAXED };
enum capture_status { CAPTURE_IS_NONE, CAPTURE_IS_ACTIVE, CAPTURE_IS_INVALID };

struct capture;

/* A stream's place in a capture: in the stream, zero at first. */
struct capture_point {
	struct capture *_Atomic capture;
	uint32_t member;
};

/* How many streams are captured. */
extern HIDDEN _Atomic uint32_t capture_points;

static inline bool capture_is_any(void)
{
	return __builtin_expect(
		atomic_load_explicit(&capture_points, memory_order_relaxed) != 0, 0);
}

static inline bool capture_is_on(const struct capture_point *point)
{
	return capture_is_any() &&
	       atomic_load_explicit(&point->capture, memory_order_relaxed);
}

/* What a stream is to its captures. */
struct capture_stream {
	struct capture_point *point;
	uintptr_t handle;
	uint32_t id;
};

/* @into: a graph that gets more nodes, or NULL. CAPTURE_STREAM, ACLKM_ERR_NOHEAP. */
int capture_begin(const struct capture_stream *stream, enum capture_mode mode,
		  struct graph *into);
/*
 * Ends it. *@graph is 0 after CAPTURE_UNJOINED and what has made the capture invalid;
 * CAPTURE_NONE, CAPTURE_UNMATCHED and CAPTURE_THREAD change nothing.
 */
int capture_end(const struct capture_stream *stream, uintptr_t *graph);
void capture_info(const struct capture_stream *stream, enum capture_status *status,
		  uintptr_t *graph);

/*
 * A task that is submitted. True: it is a node now, or *@err says why not, and its drop
 * is the caller's then. False: the stream is not captured any more.
 */
bool capture_task(const struct capture_stream *stream,
		  const struct submission *submission, int *err);

/* The stream goes. */
void capture_stream_ends(const struct capture_stream *stream);

/* A point of a capture, for an event. */
struct capture_mark;

/* NULL: the stream is not captured. ACLKM_ERR_NOHEAP. */
int capture_mark(const struct capture_stream *stream, struct capture_mark **mark);
/* Whether the capture still goes on. */
bool capture_mark_lives(const struct capture_mark *mark);
void capture_mark_free(struct capture_mark *mark);
/*
 * The stream waits for the mark, or for nothing that is captured where it is NULL. Joins
 * the capture. CAPTURE_DEPENDENCY, CAPTURE_CONFLICT, ACLKM_ERR_NOHEAP.
 */
int capture_wait(const struct capture_stream *stream, const struct capture_mark *mark);

/* Whether this thread may do something at once, or wait; CAPTURE_MODE. */
int capture_may_do_now_slowly(void);
static inline int capture_may_do_now(void)
{
	return capture_is_any() ? capture_may_do_now_slowly() : ACLKM_OK;
}

/* Sets the mode of this thread, and gives the one before. */
enum capture_mode capture_exchange_mode(enum capture_mode mode);

#endif /* LIB_CAPTURE_H */
