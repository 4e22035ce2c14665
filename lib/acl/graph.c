// SPDX-License-Identifier: MIT
/* Captured streams (aclmdlRI): the argument rules of AscendCL. */
#include "acl/acl_rt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exec/exec.h"
#include "base/base.h"
#include "acl/context.h"
#include "acl/result.h"

static aclError check_mode(aclmdlRICaptureMode mode)
{
	if ((uint32_t)mode <= ACL_MODEL_RI_CAPTURE_MODE_RELAXED)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
			  "mode = %d: not a value of aclmdlRICaptureMode", (int)mode);
}

/* The default stream belongs to everybody: only streams of the program are captured. */
static aclError capture_begins(const char *call, aclrtStream stream,
			       aclmdlRICaptureMode mode, uintptr_t into)
{
	return acl_enter(call) ?: acl_need(stream, "stream") ?: check_mode(mode) ?:
	       context_need_to_wait() ?:
	       stream_result(replay_capture((uintptr_t)stream, (enum capture_mode)mode,
					    into));
}

aclError aclmdlRICaptureBegin(aclrtStream stream, aclmdlRICaptureMode mode)
{
	return capture_begins(__func__, stream, mode, 0);
}

/* A handle that is not alive is a bad argument; a stream that is not, 107003. */
static aclError check_model(aclmdlRI model, struct graph **graph)
{
	return acl_need(model, "modelRI")
		       ?: acl_result(graph_get((uintptr_t)model, graph));
}

aclError aclmdlRICaptureToModelRIBegin(aclrtStream stream, aclmdlRI modelRI,
				       aclmdlRICaptureMode mode)
{
	struct graph *graph = NULL;
	aclError code = acl_enter(__func__) ?: check_model(modelRI, &graph);

	if (code)
		return code;
	code = capture_begins(__func__, stream, mode, (uintptr_t)modelRI);
	graph_put(graph);
	return code;
}

aclError aclmdlRICaptureGetInfo(aclrtStream stream, aclmdlRICaptureStatus *status,
				aclmdlRI *modelRI)
{
	enum capture_status now = CAPTURE_IS_NONE;
	uintptr_t graph = 0;
	aclError code = acl_enter(__func__) ?: acl_need(stream, "stream") ?:
			acl_need(status, "status") ?: context_need() ?:
			stream_result(replay_info((uintptr_t)stream, &now, &graph));

	if (code)
		return code;
	*status = (aclmdlRICaptureStatus)now;
	if (modelRI)
		*modelRI = (aclmdlRI)graph;
	return ACL_SUCCESS;
}

aclError aclmdlRICaptureEnd(aclrtStream stream, aclmdlRI *modelRI)
{
	uintptr_t graph = 0;
	aclError code = acl_enter(__func__) ?: acl_need(stream, "stream") ?:
			acl_need(modelRI, "modelRI") ?: context_need();

	if (code)
		return code;
	code = stream_result(replay_end((uintptr_t)stream, &graph));
	*modelRI = (aclmdlRI)graph;
	return code;
}

aclError aclmdlRICaptureThreadExchangeMode(aclmdlRICaptureMode *mode)
{
	aclError code = acl_enter(__func__) ?: acl_need(mode, "mode") ?:
			check_mode(*mode);

	if (code)
		return code;
	*mode = (aclmdlRICaptureMode)capture_exchange_mode((enum capture_mode) * mode);
	return ACL_SUCCESS;
}

static aclError run_model(aclmdlRI model, uintptr_t stream)
{
	struct graph *graph = NULL;
	aclError code = check_model(model, &graph);

	if (code)
		return code;
	code = stream_result(replay_start((uintptr_t)model, stream));
	graph_put(graph);
	return code;
}

aclError aclmdlRIExecuteAsync(aclmdlRI modelRI, aclrtStream stream)
{
	return acl_enter(__func__) ?: context_need() ?:
	       run_model(modelRI, context_stream(stream));
}

aclError aclmdlRIExecute(aclmdlRI modelRI, int32_t timeout)
{
	int64_t deadline;
	aclError code = acl_enter(__func__) ?: context_need_to_wait() ?:
			context_deadline(timeout, 0, &deadline) ?:
			run_model(modelRI, context_stream(NULL));

	if (code)
		return code;
	return acl_result_for(stream_wait(context_stream(NULL), deadline),
			      ACLKM_ERR_TIMEOUT, ACL_ERROR_RT_STREAM_SYNC_TIMEOUT);
}

aclError aclmdlRIDestroy(aclmdlRI modelRI)
{
	return acl_enter(__func__) ?: acl_need(modelRI, "modelRI") ?:
	       acl_result(graph_destroy((uintptr_t)modelRI));
}

aclError aclmdlRIDestroyRegisterCallback(aclmdlRI modelRI, aclrtCallback func,
					 void *userData)
{
	struct graph *graph = NULL;
	aclError code = acl_enter(__func__) ?: acl_need_function(func, "func") ?:
			check_model(modelRI, &graph);

	if (code)
		return code;
	code = acl_result(graph_hook_add(graph, func, userData));
	graph_put(graph);
	return code;
}

aclError aclmdlRIDestroyUnregisterCallback(aclmdlRI modelRI, aclrtCallback func)
{
	struct graph *graph = NULL;
	aclError code = acl_enter(__func__) ?: acl_need_function(func, "func") ?:
			check_model(modelRI, &graph);

	if (code)
		return code;
	code = acl_result(graph_hook_remove(graph, func));
	graph_put(graph);
	return code;
}

aclError aclmdlRISetName(aclmdlRI modelRI, const char *name)
{
	struct graph *graph = NULL;
	aclError code = acl_enter(__func__) ?: acl_need(name, "name");

	if (!code && strlen(name) >= GRAPH_NAME)
		code = acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "name has %zu bytes: at most %d", strlen(name),
				  GRAPH_NAME - 1);
	if (!code)
		code = check_model(modelRI, &graph);
	if (code)
		return code;
	pthread_mutex_lock(&graph->lock);
	strcpy(graph->name, name);
	pthread_mutex_unlock(&graph->lock);
	graph_put(graph);
	return ACL_SUCCESS;
}

aclError aclmdlRIGetName(aclmdlRI modelRI, uint32_t maxLen, char *name)
{
	struct graph *graph = NULL;
	size_t length;
	aclError code = acl_enter(__func__) ?: acl_need(name, "name") ?:
			check_model(modelRI, &graph);

	if (code)
		return code;
	pthread_mutex_lock(&graph->lock);
	length = strlen(graph->name);
	if (length < maxLen)
		memcpy(name, graph->name, length + 1);
	pthread_mutex_unlock(&graph->lock);
	graph_put(graph);
	if (length < maxLen)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
			  "maxLen = %u: the name needs %zu bytes with its end", maxLen,
			  length + 1);
}

aclError aclmdlRIGetId(aclmdlRI modelRI, uint32_t *modelRIId)
{
	struct graph *graph = NULL;
	aclError code = acl_enter(__func__) ?: acl_need(modelRIId, "modelRIId") ?:
			check_model(modelRI, &graph);

	if (code)
		return code;
	*modelRIId = graph->id;
	graph_put(graph);
	return ACL_SUCCESS;
}

static const char *node_what(const struct graph_note *note)
{
	return note->has_uses && note->uses.what ? note->uses.what : "task";
}

/* Text that grows; @failed once there was no memory for it. */
struct graph_text {
	char *at;
	size_t length, room;
	bool failed;
};

static void __attribute__((format(printf, 2, 3)))
text_add(struct graph_text *text, const char *format, ...)
{
	char piece[512];
	va_list args;
	size_t more;

	va_start(args, format);
	more = (size_t)vsnprintf(piece, sizeof(piece), format, args);
	va_end(args);
	if (text->length + more >= text->room) {
		char *grown = realloc(text->at, 2 * text->room + sizeof(piece));

		text->failed |= !grown;
		if (!grown)
			return;
		text->at = grown;
		text->room = 2 * text->room + sizeof(piece);
	}
	memcpy(text->at + text->length, piece, more + 1);
	text->length += more;
}

/* Names are the program's: what JSON does not take as it is becomes a "?". */
static void text_add_name(struct graph_text *text, const char *name)
{
	char shown[GRAPH_NAME];
	size_t i;

	for (i = 0; name[i]; i++)
		shown[i] = strchr("\"\\", name[i]) || (unsigned char)name[i] < ' '
				   ? '?'
				   : name[i];
	shown[i] = 0;
	text_add(text, "%s", shown);
}

static void text_add_graph(struct graph_text *text, struct graph *graph, bool verbose)
{
	size_t i;

	pthread_mutex_lock(&graph->lock);
	text_add(text, "{\"id\": %u, \"name\": \"", graph->id);
	text_add_name(text, graph->name);
	text_add(text, "\", \"tasks\": [");
	for (i = 0; i < graph->count; i++) {
		const struct graph_note *note = &graph->notes[i];
		const struct task *task = &graph->records[i].task;

		text_add(text, "%s\n  {\"id\": %zu, \"stream\": %u, \"type\": \"%s\"",
			 i ? "," : "", i, note->stream_id, node_what(note));
		if (verbose)
			text_add(text,
				 ", \"dst\": \"%p\", \"src\": \"%p\", \"count\": %zu",
				 task->dst, task->src, task->count);
		text_add(text, "}");
	}
	text_add(text, "\n]}\n");
	pthread_mutex_unlock(&graph->lock);
}

static aclError write_text(const struct graph_text *text, int fd, const char *path)
{
	size_t done = 0;
	ssize_t n = 0;

	if (text->failed)
		return acl_result(error_no_records());
	for (; done < text->length && n >= 0; done += (size_t)n) {
		do
			n = write(fd, text->at + done, text->length - done);
		while (n < 0 && errno == EINTR);
	}
	if (n >= 0)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_RT_PARAM_INVALID, "path = %s: %s", path,
			  strerror(errno));
}

aclError aclmdlRIDebugJsonPrint(aclmdlRI modelRI, const char *path, uint32_t flags)
{
	struct graph_text text = {NULL, 0, 0, false};
	struct graph *graph = NULL;
	int fd;
	aclError code = acl_enter(__func__) ?: acl_need(path, "path");

	if (!code && flags & ~ACL_MDLRI_DEBUG_JSON_PRINT_VERBOSE)
		code = acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "flags = %#x: known bits are %#lx", flags,
				  ACL_MDLRI_DEBUG_JSON_PRINT_VERBOSE);
	if (!code)
		code = check_model(modelRI, &graph);
	if (code)
		return code;
	text_add_graph(&text, graph, flags & ACL_MDLRI_DEBUG_JSON_PRINT_VERBOSE);
	graph_put(graph);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		code = acl_refuse(ACL_ERROR_RT_PARAM_INVALID, "path = %s: %s", path,
				  strerror(errno));
	else
		code = write_text(&text, fd, path);
	if (fd >= 0)
		close(fd);
	free(text.at);
	return code;
}

aclError aclmdlRIDebugPrint(aclmdlRI modelRI)
{
	struct graph_text text = {NULL, 0, 0, false};
	struct graph *graph = NULL;
	aclError code = acl_enter(__func__) ?: check_model(modelRI, &graph);

	if (code)
		return code;
	text_add_graph(&text, graph, true);
	graph_put(graph);
	fflush(stdout);
	code = write_text(&text, STDOUT_FILENO, "standard output");
	free(text.at);
	return code;
}
