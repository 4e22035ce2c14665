// SPDX-License-Identifier: MIT
#include "exec/replay.h"

#include <string.h>

#include "exec/stream.h"

/* ------------------------------------------------------- captures, by handles */

int replay_capture(uintptr_t stream, enum capture_mode mode, uintptr_t into)
{
	struct capture_stream view;
	struct graph *graph = NULL;
	int err = into ? graph_get(into, &graph) : ACLKM_OK;

	if (err)
		return err;
	err = stream_capture_get(stream, &view);
	if (!err) {
		err = capture_begin(&view, mode, graph);
		stream_capture_put(&view);
	}
	if (graph)
		graph_put(graph);
	return err;
}

int replay_info(uintptr_t stream, enum capture_status *status, uintptr_t *graph)
{
	struct capture_stream view;
	int err = stream_capture_get(stream, &view);

	if (err)
		return err;
	capture_info(&view, status, graph);
	stream_capture_put(&view);
	return ACLKM_OK;
}

int replay_end(uintptr_t stream, uintptr_t *graph)
{
	struct capture_stream view;
	int err = stream_capture_get(stream, &view);

	if (err)
		return err;
	err = capture_end(&view, graph);
	stream_capture_put(&view);
	return err;
}

/* ----------------------------------------------------------------------- runs */

/* One task that runs all nodes. */
struct replay_task {
	struct task task;
	struct graph *graph;
};

/* How far a run is. The first member is the node that runs, as its function sees it. */
struct replay_step {
	union graph_record record;
	struct task *whole;
	size_t next;
	int err;
};

static struct graph *replay_graph(const struct task *task)
{
	return ((const struct replay_task *)task)->graph;
}

static void replay_abandoned(struct task *task);

/* Nobody changes the nodes: the graph runs. */
static void replay_nodes(struct replay_step *step)
{
	const struct graph *graph = replay_graph(step->whole);
	struct worker *worker = step->whole->worker;
	int err;

	while (step->next < graph->count && !queue_is_interrupted(&worker->queue)) {
		memcpy(&step->record, &graph->records[step->next++],
		       sizeof(step->record));
		step->record.task.worker = worker;
		step->record.task.drop = replay_abandoned;
		step->record.task.ran = true;
		err = step->record.task.run(&step->record.task);
		if (err && !step->err)
			step->err = err;
		if (err && atomic_load(&worker->stop_on_failure))
			break;
	}
	step->record.task.drop = NULL;
}

/* A host function has ended the thread: what comes behind it still runs. */
static void replay_abandoned(struct task *task)
{
	struct replay_step *step = (struct replay_step *)task;

	replay_nodes(step);
	step->whole->drop(step->whole);
}

static HOT int replay_run(struct task *task)
{
	struct replay_step step;

	step.whole = task;
	step.next = 0;
	step.err = ACLKM_OK;
	replay_nodes(&step);
	return step.err;
}

static void replay_drop(struct task *task)
{
	struct graph *graph = replay_graph(task);

	pthread_mutex_lock(&graph->lock);
	graph->runs--;
	pthread_mutex_unlock(&graph->lock);
	graph_put(graph);
}

static int replay_run_nothing(struct task *task)
{
	(void)task;
	return ACLKM_OK;
}

static int replay_submit_node(const struct graph *graph, size_t i, uintptr_t stream)
{
	const struct graph_note *note = &graph->notes[i];
	union graph_record record = graph->records[i];

	if (note->resubmit)
		return note->resubmit(&record.task, stream);
	/* The graph keeps what the node needs, until the task behind all nodes. */
	record.task.drop = NULL;
	return stream_submit_using(stream, &record.task, note->size, 0,
				   note->has_uses ? &note->uses : NULL);
}

/* Each node by itself: so checks see it, and events of the graph are recorded anew. */
static int replay_submit_nodes(struct replay_task *end, uintptr_t stream)
{
	int err = ACLKM_OK;
	size_t i;

	for (i = 0; i < end->graph->count && !err; i++)
		err = replay_submit_node(end->graph, i, stream);
	end->task.run = replay_run_nothing;
	if (!err)
		err = stream_submit(stream, &end->task, sizeof(*end), 0);
	/* Those that were submitted need the graph until they have run. */
	if (err && i > 1)
		stream_wait(stream, NO_DEADLINE);
	return err;
}

static int replay_claim(uintptr_t handle, struct graph **out)
{
	int err = graph_get(handle, out);
	struct graph *graph = *out;

	if (err)
		return err;
	pthread_mutex_lock(&graph->lock);
	if (graph->captured)
		err = error_set(CAPTURE_MODEL,
				"modelRI = %p: a capture fills it; end that first",
				(void *)handle);
	else
		graph->runs++;
	pthread_mutex_unlock(&graph->lock);
	if (err)
		graph_put(graph);
	return err;
}

int replay_start(uintptr_t handle, uintptr_t stream)
{
	struct replay_task run = {.task = {.run = replay_run, .drop = replay_drop}};
	int err = replay_claim(handle, &run.graph);

	if (err)
		return err;
	if (run.graph->resubmits || check_watches_tasks())
		err = replay_submit_nodes(&run, stream);
	else
		err = stream_submit(stream, &run.task, sizeof(run), 0);
	if (err)
		replay_drop(&run.task);
	return err;
}
