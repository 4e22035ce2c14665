// SPDX-License-Identifier: MIT
#include "error.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LAST_SIZE 512
#define RECENT_SIZE 2048

static _Thread_local const char *current_function = "?";
static _Thread_local char last[LAST_SIZE];
static _Thread_local char recent[RECENT_SIZE];
static _Thread_local char taken[RECENT_SIZE];

static atomic_bool forked;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void mark_forked(void)
{
	atomic_store(&forked, true);
}

static void watch_fork(void)
{
	pthread_atfork(NULL, NULL, mark_forked);
}

void process_in_use(void)
{
	pthread_once(&fork_once, watch_fork);
}

int api_enter(const char *function)
{
	current_function = function;
	if (!atomic_load_explicit(&forked, memory_order_relaxed))
		return ACLKM_OK;
	return error_set(
		ACLKM_ERR_FORKED,
		"called in a child of fork(); its parent used the library: call exec "
		"in the child first");
}

void error_publish(void)
{
	size_t add = strlen(last) + 1;
	size_t keep = strlen(recent);

	if (keep > RECENT_SIZE - 1 - add)
		keep = RECENT_SIZE - 1 - add;
	memmove(recent + add, recent, keep);
	memcpy(recent, last, add - 1);
	recent[add - 1] = '\n';
	recent[add + keep] = '\0';
}

int error_set(int err, const char *format, ...)
{
	va_list args;
	int n;

	n = snprintf(last, sizeof(last), "%s: ", current_function);
	if (n > 0 && (size_t)n < sizeof(last)) {
		va_start(args, format);
		vsnprintf(last + n, sizeof(last) - (size_t)n, format, args);
		va_end(args);
	}
	return err;
}

const char *error_take_recent(void)
{
	if (!recent[0])
		return NULL;
	memcpy(taken, recent, sizeof(taken));
	recent[0] = '\0';
	return taken;
}

const char *aclkm_last_error(void)
{
	return last;
}

const char *aclkm_strerror(int err)
{
	switch (err) {
	case ACLKM_OK:
		return "success";
	case ACLKM_ERR_IO:
		return "the backend failed";
	case ACLKM_ERR_NOHEAP:
		return "the library's own heap is exhausted";
	case ACLKM_ERR_FOREIGN:
		return "the address is not from this library";
	case ACLKM_ERR_BUSY:
		return "still in use";
	case ACLKM_ERR_NODEV:
		return "the backend is not there";
	case ACLKM_ERR_INVALID:
		return "invalid argument";
	case ACLKM_ERR_NOMEM:
		return "out of memory";
	case ACLKM_ERR_INTERIOR:
		return "the address lies inside a block";
	case ACLKM_ERR_KIND:
		return "the memory is of another kind";
	case ACLKM_ERR_OVERFLOW:
		return "the size is too large for the rule";
	case ACLKM_ERR_HANDLE:
		return "unknown or destroyed handle";
	case ACLKM_ERR_CONFIG:
		return "bad environment variable";
	case ACLKM_ERR_NOTHREAD:
		return "no thread could be started";
	case ACLKM_ERR_LIMIT:
		return "limit reached";
	case ACLKM_ERR_FORKED:
		return "child of fork()";
	case ACLKM_ERR_NOTALIVE:
		return "the address is free: never given, or freed before";
	case ACLKM_ERR_PERM:
		return "not allowed to this process";
	case ACLKM_ERR_EXISTS:
		return "done before";
	case ACLKM_ERR_CONTEXT:
		return "belongs to another context";
	case ACLKM_ERR_UNSUPPORTED:
		return "not supported for this kind of object";
	case ACLKM_ERR_TIMEOUT:
		return "the time is up";
	case ACLKM_ERR_TASK:
		return "a task of the stream took too long";
	case ACLKM_ERR_ABORTED:
		return "the stream was aborted";
	default:
		return "unknown error";
	}
}
