// SPDX-License-Identifier: MIT
#include "exec/graph.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_NODES 16

static struct object_table graphs = OBJECT_TABLE(OBJECT_GRAPH);
static _Atomic uint32_t last_id;

void graph_drop_record(union graph_record *record)
{
	record->task.ran = true;
	record->task.worker = NULL;
	if (record->task.drop)
		record->task.drop(&record->task);
}

static void graph_hook_unwound(void *arg)
{
	free(arg);
}

static void graph_call_hooks(struct graph *graph)
{
	struct graph_hook *hook;

	while ((hook = graph->hooks)) {
		graph->hooks = hook->next;
		outcall(hook->fn, hook->data, graph_hook_unwound, hook);
		free(hook);
	}
}

static void graph_release(struct object *object)
{
	struct graph *graph = object_entry(object, struct graph, object);
	size_t i;

	for (i = 0; i < graph->count; i++)
		graph_drop_record(&graph->records[i]);
	graph_call_hooks(graph);
	free(graph->records);
	free(graph->notes);
	pthread_mutex_destroy(&graph->lock);
	free(graph);
}

int graph_create(struct graph **out)
{
	struct graph *graph = calloc(1, sizeof(*graph));

	if (!graph)
		return error_no_records();
	pthread_mutex_init(&graph->lock, NULL);
	graph->id = atomic_fetch_add(&last_id, 1);
	if (object_add(&graphs, &graph->object, 0, graph_release)) {
		pthread_mutex_destroy(&graph->lock);
		free(graph);
		return error_no_records();
	}
	atomic_fetch_add(&graph->object.users, 1);
	*out = graph;
	return ACLKM_OK;
}

int graph_get(uintptr_t handle, struct graph **out)
{
	struct object *object = object_get(&graphs, handle);

	if (!object)
		return error_set(ACLKM_ERR_HANDLE,
				 "modelRI = %p: never captured, or destroyed already",
				 (void *)handle);
	*out = object_entry(object, struct graph, object);
	return ACLKM_OK;
}

void graph_put(struct graph *graph)
{
	object_put(&graph->object);
}

int graph_destroy(uintptr_t handle)
{
	struct graph *graph = NULL;
	struct object *object;
	int err = graph_get(handle, &graph);

	if (err)
		return err;
	pthread_mutex_lock(&graph->lock);
	if (graph->captured)
		err = error_set(CAPTURE_MODEL,
				"modelRI = %p: a capture fills it; end that first",
				(void *)handle);
	pthread_mutex_unlock(&graph->lock);
	graph_put(graph);
	if (err)
		return err;
	object = object_remove(&graphs, handle);
	if (!object)
		return error_set(ACLKM_ERR_HANDLE, "modelRI = %p: destroyed already",
				 (void *)handle);
	object_put(object);
	return ACLKM_OK;
}

static int graph_grow_locked(struct graph *graph)
{
	size_t room = graph->room ? 2 * graph->room : FIRST_NODES;
	union graph_record *records;
	struct graph_note *notes;

	if (graph->count < graph->room)
		return ACLKM_OK;
	records = aligned_alloc(64, room * sizeof(*records));
	notes = realloc(graph->notes, room * sizeof(*notes));
	if (notes)
		graph->notes = notes;
	if (!records || !notes) {
		free(records);
		return error_no_records();
	}
	if (graph->count)
		memcpy(records, graph->records, graph->count * sizeof(*records));
	free(graph->records);
	graph->records = records;
	graph->room = room;
	return ACLKM_OK;
}

int graph_add(struct graph *graph, const struct submission *submission,
	      uint32_t stream_id)
{
	union graph_record *record;
	struct graph_note *note;
	int err;

	pthread_mutex_lock(&graph->lock);
	err = graph_grow_locked(graph);
	if (!err) {
		record = &graph->records[graph->count];
		note = &graph->notes[graph->count++];
		memset(record, 0, sizeof(*record));
		memcpy(record, submission->task, submission->size);
		/* Of a short task, what lies behind it is no part of it. */
		if (submission->size < sizeof(struct task))
			record->task.now = false;
		*note = (struct graph_note){.size = submission->size,
					    .resubmit = submission->resubmit,
					    .stream = submission->stream,
					    .stream_id = stream_id};
		if (submission->uses) {
			note->uses = *submission->uses;
			note->has_uses = true;
		}
		graph->resubmits |= submission->resubmit != NULL;
	}
	pthread_mutex_unlock(&graph->lock);
	return err;
}

int graph_hook_add(struct graph *graph, void (*fn)(void *data), void *data)
{
	struct graph_hook *hook = malloc(sizeof(*hook));

	if (!hook)
		return error_no_records();
	pthread_mutex_lock(&graph->lock);
	*hook = (struct graph_hook){graph->hooks, fn, data};
	graph->hooks = hook;
	pthread_mutex_unlock(&graph->lock);
	return ACLKM_OK;
}

int graph_hook_remove(struct graph *graph, void (*fn)(void *data))
{
	struct graph_hook **at, *hook;

	pthread_mutex_lock(&graph->lock);
	for (at = &graph->hooks; (hook = *at) && hook->fn != fn; at = &hook->next)
		;
	if (hook)
		*at = hook->next;
	pthread_mutex_unlock(&graph->lock);
	free(hook);
	if (hook)
		return ACLKM_OK;
	return error_set(ACLKM_ERR_FOREIGN, "func: not registered with this modelRI");
}
