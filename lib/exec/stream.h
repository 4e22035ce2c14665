/* SPDX-License-Identifier: MIT */
/*
 * Streams by handle, each of one context. Thread-safe; failures note their text.
 *
 * Every function that takes a handle gives ACLKM_ERR_HANDLE for one that is not
 * alive and, but for stream_destroy, ACLKM_ERR_CONTEXT for a stream of another
 * context than the thread's. Those that wait give ACLKM_ERR_BUSY in a task or a
 * callback: it would wait for itself. Waiting and asking give CAPTURE_STREAM while the
 * stream is captured (capture.h).
 */
#ifndef LIB_STREAM_H
#define LIB_STREAM_H

#include <stdint.h>

#include "base/base.h"
#include "exec/capture.h"
#include "exec/worker.h"

#define STREAM_MAX 1984 /* of one device */
#define STREAM_LOWEST_PRIORITY 7

/* Small copies on an idle stream are done in the submitting thread up to this size. */
#define STREAM_NOW_SIZE (16UL << 10)

struct stream_config {
	uint32_t flags;
	uint32_t priority; /* 0 is the highest */
};

/* What a program may set and ask, with no effect here. */
struct stream_attributes {
	uint64_t failure_mode; /* this one has: 1 stops the stream at a failure */
	uint32_t overflow_switch;
	uint32_t custom_tag;
	uint32_t cache_op_info;
	uint32_t core_limits[2]; /* cube, vector; 0: not set */
	uint32_t flags;
	uint32_t priority;
	int32_t id; /* a small number that no other live stream of the process has */
};

/* The context of the stream whose task runs. */
uintptr_t stream_context(const struct worker *worker);

/* ACLKM_ERR_LIMIT, ACLKM_ERR_NOHEAP. */
int stream_create(uintptr_t context, uint32_t device, const struct stream_config *config,
		  uintptr_t *handle);

int stream_submit(uintptr_t handle, const struct task *task, size_t size,
		  unsigned int flags);

/* The same of a task that reads or writes memory, with what it does: see check_flight.h.
 */
int stream_submit_using(uintptr_t handle, const struct task *task, size_t size,
			unsigned int flags, const struct uses *uses);

/*
 * The same of a task that a graph cannot run again as it is: while the stream is captured
 * it becomes a node, which @resubmit submits in each run.
 */
int stream_submit_anew(uintptr_t handle, const struct task *task, size_t size,
		       const struct uses *uses,
		       int (*resubmit)(const struct task *task, uintptr_t stream));

/* The stream as captures see it, until stream_capture_put. */
int stream_capture_get(uintptr_t handle, struct capture_stream *out);
void stream_capture_put(const struct capture_stream *stream);
/* Whether it lives and is captured. */
bool stream_is_captured(uintptr_t handle);

/*
 * For something short that cannot fail or wait: if the stream lives, is one of
 * @context, and all before is done, its worker, which the caller now is until
 * worker_leave. Else NULL, and no text; also where stream_submit would say what is wrong.
 */
struct worker *stream_try_enter(uintptr_t handle, uintptr_t context);

/* ACLKM_ERR_TIMEOUT, ACLKM_ERR_ABORTED, ACLKM_ERR_TASK. */
int stream_wait(uintptr_t handle, int64_t deadline);
/*
 * True: stream_wait would give ACLKM_OK at once, and need not be called. No text. For
 * a thread that has @context.
 */
bool stream_is_done(uintptr_t handle, uintptr_t context);
int stream_query(uintptr_t handle, bool *idle);
int stream_check(uintptr_t handle);
int stream_abort(uintptr_t handle, bool queued);
int stream_get(uintptr_t handle, struct stream_attributes *out);

/* @change edits the attributes, alone with them; what it returns is passed on. */
int stream_change(uintptr_t handle,
		  int (*change)(struct stream_attributes *at, void *arg), void *arg);

/* Drains it, or with @force throws away what has not run. */
int stream_destroy(uintptr_t handle, bool force);

/* How many more streams @device could have. */
uint32_t stream_available(uint32_t device);

/* Every stream of the device that lives now; the first error, all are waited for. */
int stream_wait_device(uint32_t device, int64_t deadline);
void stream_abort_device(uint32_t device);

/* The streams of a context, which is going. */
void stream_destroy_context(uintptr_t context);

/*
 * @fn is called of each stream that ends, before its thread does, and behind each wait
 * for a stream or device. One function each.
 */
void stream_at_end(void (*fn)(uintptr_t handle));
void stream_at_wait(void (*fn)(void));

/* A task that has failed. */
struct stream_failure {
	uint32_t device;
	int32_t stream_id;
	uint64_t task; /* of the stream, from 1 */
	int err;
};

/* Who is told of them, in the thread that ran the task. */
void stream_watch_failures(void (*watcher)(const struct stream_failure *failure));

/*
 * Who is told of each stream: before it ends, once, and behind its creation by
 * stream_tell_created of whoever created it. Called with no lock held; may destroy
 * other streams.
 */
void stream_watch(void (*watcher)(uintptr_t handle, bool created));
void stream_tell_created(uintptr_t handle);

/* Whether the thread may wait; ACLKM_ERR_BUSY with its text. */
int stream_may_wait(void);

#endif /* LIB_STREAM_H */
