// SPDX-License-Identifier: MIT
#include "exec/capture.h"

#include <stdlib.h>
#include <string.h>

/*
 * A stream in a capture. How many tasks of each member come before what is submitted to
 * it next is in @seen: a fork copies that to the new member, a join adds it to the old
 * one.
 */
struct capture_member {
	struct capture_stream stream; /* its point is NULL once the stream has gone */
	size_t count;		      /* its own tasks */
	size_t *seen;		      /* of each member; shorter than the list at first */
	size_t nr_seen;
};

struct capture {
	struct capture *next;
	uint64_t id;
	struct graph *graph; /* with a reference */
	enum capture_mode mode;
	const void *thread;		/* that has begun it */
	int invalid;			/* why, or ACLKM_OK */
	struct capture_member *members; /* the first one is that of the begin */
	uint32_t nr_members;
};

struct capture_mark {
	uint64_t capture;
	size_t nr_seen;
	size_t seen[];
};

HIDDEN _Atomic uint32_t capture_points;

static pthread_mutex_t capture_lock = PTHREAD_MUTEX_INITIALIZER;
static struct capture *captures; /* under the lock */
static uint64_t capture_last_id; /* likewise */

static _Thread_local enum capture_mode thread_mode;

/* An address that no other thread has while this one lives. */
static const void *capture_thread(void)
{
	return &thread_mode;
}

static struct capture *capture_of(const struct capture_stream *stream)
{
	return atomic_load_explicit(&stream->point->capture, memory_order_relaxed);
}

static struct capture_member *capture_member(struct capture *capture,
					     const struct capture_stream *stream)
{
	return &capture->members[stream->point->member];
}

static struct capture *capture_by_id_locked(uint64_t id)
{
	struct capture *at = captures;

	while (at && at->id != id)
		at = at->next;
	return at;
}

/* ------------------------------------------------------------------ members */

static int capture_add_member_locked(struct capture *capture,
				     const struct capture_stream *stream)
{
	struct capture_member *members =
		realloc(capture->members, (capture->nr_members + 1) * sizeof(*members));

	if (!members)
		return error_no_records();
	capture->members = members;
	members[capture->nr_members] = (struct capture_member){.stream = *stream};
	stream->point->member = capture->nr_members++;
	atomic_store(&stream->point->capture, capture);
	atomic_fetch_add(&capture_points, 1);
	return ACLKM_OK;
}

static void capture_leave_locked(struct capture_member *member)
{
	if (!member->stream.point)
		return;
	atomic_store(&member->stream.point->capture, NULL);
	atomic_fetch_sub(&capture_points, 1);
	member->stream.point = NULL;
}

/* The streams are not captured any more; the graph's reference goes to the caller. */
static struct graph *capture_free_locked(struct capture *capture)
{
	struct capture **at = &captures;
	struct graph *graph = capture->graph;
	uint32_t i;

	while (*at != capture)
		at = &(*at)->next;
	*at = capture->next;
	for (i = 0; i < capture->nr_members; i++) {
		capture_leave_locked(&capture->members[i]);
		free(capture->members[i].seen);
	}
	free(capture->members);
	free(capture);
	return graph;
}

/* Makes @member come behind what @seen says. */
static int capture_merge_locked(struct capture_member *member, const size_t *seen,
				size_t nr)
{
	size_t *grown, i;

	if (nr > member->nr_seen) {
		grown = realloc(member->seen, nr * sizeof(*grown));
		if (!grown)
			return error_no_records();
		memset(grown + member->nr_seen, 0,
		       (nr - member->nr_seen) * sizeof(*grown));
		member->seen = grown;
		member->nr_seen = nr;
	}
	for (i = 0; i < nr; i++)
		if (member->seen[i] < seen[i])
			member->seen[i] = seen[i];
	return ACLKM_OK;
}

/* -------------------------------------------------------------- begin and end */

static void capture_set_captured(struct graph *graph, bool captured)
{
	pthread_mutex_lock(&graph->lock);
	graph->captured = captured;
	pthread_mutex_unlock(&graph->lock);
}

static int capture_start_locked(const struct capture_stream *stream,
				enum capture_mode mode, struct graph *graph)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	int err;

	if (!capture)
		return error_no_records();
	*capture = (struct capture){.id = ++capture_last_id,
				    .graph = graph,
				    .mode = mode,
				    .thread = capture_thread(),
				    .next = captures};
	err = capture_add_member_locked(capture, stream);
	if (err) {
		free(capture);
		return err;
	}
	captures = capture;
	return ACLKM_OK;
}

static int capture_start(const struct capture_stream *stream, enum capture_mode mode,
			 struct graph *graph)
{
	int err;

	pthread_mutex_lock(&capture_lock);
	if (capture_of(stream))
		err = error_set(CAPTURE_STREAM, "stream = %p: is captured already",
				(void *)stream->handle);
	else
		err = capture_start_locked(stream, mode, graph);
	pthread_mutex_unlock(&capture_lock);
	return err;
}

/* A graph that gets more nodes must stand still. */
static int capture_claim(struct graph *graph)
{
	int err = ACLKM_OK;

	pthread_mutex_lock(&graph->lock);
	if (graph->captured)
		err = error_set(CAPTURE_MODEL, "modelRI: another capture fills it");
	else if (graph->runs)
		err = error_set(CAPTURE_RUNNING, "modelRI: it runs");
	else
		graph->captured = true;
	pthread_mutex_unlock(&graph->lock);
	return err;
}

int capture_begin(const struct capture_stream *stream, enum capture_mode mode,
		  struct graph *into)
{
	struct graph *graph = into;
	int err = into ? capture_claim(into) : graph_create(&graph);

	if (err)
		return err;
	if (into)
		atomic_fetch_add(&graph->object.users, 1);
	else
		capture_set_captured(graph, true);
	err = capture_start(stream, mode, graph);
	if (!err)
		return ACLKM_OK;
	capture_set_captured(graph, false);
	if (!into)
		graph_destroy(graph->object.handle);
	graph_put(graph);
	return err;
}

static int capture_check_joined(const struct capture *capture)
{
	const struct capture_member *origin = &capture->members[0];
	uint32_t i;

	for (i = 1; i < capture->nr_members; i++) {
		size_t seen = i < origin->nr_seen ? origin->seen[i] : 0;

		if (seen < capture->members[i].count)
			return error_set(
				CAPTURE_UNJOINED,
				"stream = %p: captured by a wait for an event, and its "
				"last tasks are not waited for by the stream that began "
				"the capture",
				(void *)capture->members[i].stream.handle);
	}
	return ACLKM_OK;
}

static int capture_check_end(const struct capture *capture,
			     const struct capture_stream *stream)
{
	void *handle = (void *)stream->handle;

	if (!capture)
		return error_set(CAPTURE_NONE, "stream = %p: is not captured", handle);
	if (stream->point->member)
		return error_set(CAPTURE_UNMATCHED,
				 "stream = %p: the capture began in stream %p", handle,
				 (void *)capture->members[0].stream.handle);
	if (capture->mode != CAPTURE_RELAXED && capture->thread != capture_thread())
		return error_set(CAPTURE_THREAD,
				 "stream = %p: another thread began the capture, and its "
				 "mode is not relaxed",
				 handle);
	return ACLKM_OK;
}

int capture_end(const struct capture_stream *stream, uintptr_t *handle)
{
	struct graph *graph = NULL;
	struct capture *capture;
	int err;

	*handle = 0;
	pthread_mutex_lock(&capture_lock);
	capture = capture_of(stream);
	err = capture_check_end(capture, stream);
	if (!err) {
		err = capture->invalid;
		if (err)
			error_set(err,
				  "stream = %p: the capture has become invalid: a stream "
				  "of it was destroyed, or a task could not be kept",
				  (void *)stream->handle);
		else
			err = capture_check_joined(capture);
		graph = capture_free_locked(capture);
	}
	pthread_mutex_unlock(&capture_lock);
	if (!graph)
		return err;
	capture_set_captured(graph, false);
	if (err)
		graph_destroy(graph->object.handle);
	else
		*handle = graph->object.handle;
	graph_put(graph);
	return err;
}

void capture_info(const struct capture_stream *stream, enum capture_status *status,
		  uintptr_t *graph)
{
	const struct capture *capture;

	*status = CAPTURE_IS_NONE;
	*graph = 0;
	pthread_mutex_lock(&capture_lock);
	capture = capture_of(stream);
	if (capture) {
		*status = capture->invalid ? CAPTURE_IS_INVALID : CAPTURE_IS_ACTIVE;
		*graph = capture->graph->object.handle;
	}
	pthread_mutex_unlock(&capture_lock);
}

bool capture_task(const struct capture_stream *stream,
		  const struct submission *submission, int *err)
{
	struct capture *capture;

	pthread_mutex_lock(&capture_lock);
	capture = capture_of(stream);
	if (capture && submission->flags & WORKER_NOT_CAPTURED) {
		*err = error_set(CAPTURE_MODE,
				 "stream = %p: is captured, and a graph cannot repeat "
				 "what frees memory in a stream's order",
				 (void *)stream->handle);
	} else if (capture) {
		*err = graph_add(capture->graph, submission, stream->id);
		if (*err)
			capture->invalid = *err;
		else
			capture_member(capture, stream)->count++;
	}
	pthread_mutex_unlock(&capture_lock);
	return capture;
}

void capture_stream_ends(const struct capture_stream *stream)
{
	struct graph *graph = NULL;
	struct capture *capture;

	if (!capture_is_on(stream->point))
		return;
	pthread_mutex_lock(&capture_lock);
	capture = capture_of(stream);
	if (capture && stream->point->member) {
		capture->invalid = CAPTURE_UNJOINED;
		capture_leave_locked(capture_member(capture, stream));
	} else if (capture) {
		graph = capture_free_locked(capture);
	}
	pthread_mutex_unlock(&capture_lock);
	if (!graph)
		return;
	capture_set_captured(graph, false);
	graph_destroy(graph->object.handle);
	graph_put(graph);
}

/* --------------------------------------------------------------------- events */

int capture_mark(const struct capture_stream *stream, struct capture_mark **out)
{
	struct capture_mark *mark = NULL;
	struct capture_member *member;
	struct capture *capture;
	int err = ACLKM_OK;
	size_t nr, at;

	pthread_mutex_lock(&capture_lock);
	capture = capture_of(stream);
	if (capture) {
		member = capture_member(capture, stream);
		at = stream->point->member;
		nr = member->nr_seen > at ? member->nr_seen : at + 1;
		mark = calloc(1, sizeof(*mark) + nr * sizeof(*mark->seen));
		if (mark) {
			mark->capture = capture->id;
			mark->nr_seen = nr;
			if (member->nr_seen)
				memcpy(mark->seen, member->seen,
				       member->nr_seen * sizeof(*mark->seen));
			mark->seen[at] = member->count;
		} else {
			err = error_no_records();
		}
	}
	pthread_mutex_unlock(&capture_lock);
	*out = mark;
	return err;
}

bool capture_mark_lives(const struct capture_mark *mark)
{
	bool lives;

	if (!mark || !capture_is_any())
		return false;
	pthread_mutex_lock(&capture_lock);
	lives = capture_by_id_locked(mark->capture);
	pthread_mutex_unlock(&capture_lock);
	return lives;
}

void capture_mark_free(struct capture_mark *mark)
{
	free(mark);
}

static int capture_wait_locked(const struct capture_stream *stream,
			       const struct capture_mark *mark)
{
	struct capture *of = mark ? capture_by_id_locked(mark->capture) : NULL;
	struct capture *mine = capture_of(stream);
	int err;

	if (!of)
		return error_set(CAPTURE_DEPENDENCY,
				 "stream = %p: is captured, and the event was not "
				 "recorded in the same capture",
				 (void *)stream->handle);
	if (mine && mine != of)
		return error_set(CAPTURE_CONFLICT,
				 "stream = %p: the event is of another capture",
				 (void *)stream->handle);
	if (!mine) {
		err = capture_add_member_locked(of, stream);
		if (err)
			return err;
	}
	return capture_merge_locked(capture_member(of, stream), mark->seen,
				    mark->nr_seen);
}

int capture_wait(const struct capture_stream *stream, const struct capture_mark *mark)
{
	int err;

	pthread_mutex_lock(&capture_lock);
	err = capture_wait_locked(stream, mark);
	pthread_mutex_unlock(&capture_lock);
	return err;
}

/* ---------------------------------------------------------------------- modes */

/* The laxer of the two modes counts: the thread's, and the one of the capture. */
static bool capture_forbids(const struct capture *capture)
{
	if (capture->mode == CAPTURE_RELAXED)
		return false;
	if (capture->thread == capture_thread())
		return thread_mode != CAPTURE_RELAXED;
	return capture->mode == CAPTURE_GLOBAL && thread_mode == CAPTURE_GLOBAL;
}

int capture_may_do_now_slowly(void)
{
	const struct capture *at;
	bool forbidden = false;

	pthread_mutex_lock(&capture_lock);
	for (at = captures; at && !forbidden; at = at->next)
		forbidden = capture_forbids(at);
	pthread_mutex_unlock(&capture_lock);
	if (!forbidden)
		return ACLKM_OK;
	return error_set(
		CAPTURE_MODE,
		"a stream is captured in a mode that forbids calls which copy or "
		"set memory at once: use the asynchronous form, or "
		"aclmdlRICaptureThreadExchangeMode");
}

enum capture_mode capture_exchange_mode(enum capture_mode mode)
{
	enum capture_mode before = thread_mode;

	thread_mode = mode;
	return before;
}
