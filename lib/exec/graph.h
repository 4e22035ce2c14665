/* SPDX-License-Identifier: MIT */
/*
 * Graphs: tasks that streams have not run but kept, to be run again and again as one. A
 * capture (capture.h) fills a graph, replay.h runs it. The nodes of a graph run one after
 * the other in the order in which they were submitted: each comes behind all that it
 * depends on, in whatever stream that was captured.
 *
 * A graph is changed only while nobody runs it. Its lock guards its nodes and its state.
 */
#ifndef LIB_GRAPH_H
#define LIB_GRAPH_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "debug/debug.h"
#include "exec/worker.h"

/* Results of captures and graphs, beside those of enum aclkm_error. */
enum capture_error {
	CAPTURE_DEPENDENCY = -1000, /* a wait for what is not captured */
	CAPTURE_UNJOINED = -1001,   /* a stream was forked and not joined */
	CAPTURE_MODEL = -1002,	    /* a capture fills the graph */
	CAPTURE_STREAM = -1003,	    /* the stream is captured */
	CAPTURE_EVENT = -1004,	    /* the event is one of a capture */
	CAPTURE_NONE = -1005,	    /* the stream is not captured */
	CAPTURE_MODE = -1006,	    /* the mode of a capture forbids the call */
	CAPTURE_CONFLICT = -1007,   /* two captures would become one */
	CAPTURE_UNMATCHED = -1008,  /* another stream began the capture */
	CAPTURE_RUNNING = -1009,    /* the graph runs */
	CAPTURE_THREAD = -1010,	    /* another thread began the capture */
};

#define GRAPH_NAME 128 /* bytes of a name with its end, at most */

/* A task as the queue of a worker has it. */
union graph_record {
	struct task task;
	_Alignas(16) unsigned char bytes[QUEUE_TASK];
};

/* What is said of a node; what runs is in the array of records. */
struct graph_note {
	size_t size;
	struct uses uses;
	bool has_uses;
	int (*resubmit)(const struct task *task, uintptr_t stream);
	uintptr_t stream; /* where the task was submitted */
	uint32_t stream_id;
};

struct graph_hook {
	struct graph_hook *next;
	void (*fn)(void *data);
	void *data;
};

struct graph {
	struct object object;
	pthread_mutex_t lock;
	union graph_record *records;
	struct graph_note *notes;
	size_t count, room;
	bool resubmits; /* a node must be submitted by itself */
	bool captured;	/* a capture fills it */
	uint32_t runs;	/* executions that have not ended */
	uint32_t id;
	char name[GRAPH_NAME];
	struct graph_hook *hooks; /* called when the graph ends */
};

/* An empty graph with one reference beside the handle's. ACLKM_ERR_NOHEAP. */
int graph_create(struct graph **out);
/* With a reference. ACLKM_ERR_HANDLE. */
int graph_get(uintptr_t handle, struct graph **out);
void graph_put(struct graph *graph);
/* Ends the handle. ACLKM_ERR_HANDLE; CAPTURE_MODEL: a capture fills it. */
int graph_destroy(uintptr_t handle);

/* Adds a node; the graph owns what the task's drop gives back. Locks. ACLKM_ERR_NOHEAP.
 */
int graph_add(struct graph *graph, const struct submission *submission,
	      uint32_t stream_id);

/* Runs the drop of a task that does not run. */
void graph_drop_record(union graph_record *record);

/* @fn is called with @data once, when the graph is destroyed and no run of it is left. */
int graph_hook_add(struct graph *graph, void (*fn)(void *data), void *data);
/* ACLKM_ERR_FOREIGN: not registered. */
int graph_hook_remove(struct graph *graph, void (*fn)(void *data));

#endif /* LIB_GRAPH_H */
