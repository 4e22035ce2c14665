// SPDX-License-Identifier: MIT
#include "base/error.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/thread_key.h"

#define LAST_SIZE 512
#define RECENT_SIZE 2048

/*
 * The library's thread-local data are few bytes, so that a program that loads it
 * late still has room for them; the texts come with the first failure.
 */
struct texts {
	char last[LAST_SIZE];
	char recent[RECENT_SIZE];
	char taken[RECENT_SIZE];
};

_Thread_local const char *error_function = "?";
atomic_bool error_forked;

static _Thread_local struct texts *texts;

/* Instead of a thread's own recent ones, when all threads share one. */
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;
static char shared[RECENT_SIZE];
static atomic_bool is_shared;

static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static struct thread_key texts_key;

/* A thread that is not there in the child may have held the lock. */
static void mark_forked(void)
{
	static const pthread_mutex_t unlocked = PTHREAD_MUTEX_INITIALIZER;

	shared_lock = unlocked;
	atomic_store(&error_forked, true);
}

/* The process that used the library first. */
static _Atomic pid_t user;

static void watch_fork(void)
{
	atomic_store(&user, getpid());
	pthread_atfork(NULL, NULL, mark_forked);
}

void process_in_use(void)
{
	pthread_once(&fork_once, watch_fork);
}

/* clone(2) makes children, too, and calls no handler. */
bool process_is_user(void)
{
	return !process_is_forked() && atomic_load(&user) == getpid();
}

int error_set_forked(void)
{
	return error_set(
		ACLKM_ERR_FORKED,
		"called in a child of fork(); its parent used the library: call exec "
		"in the child first");
}

int error_no_records(void)
{
	return error_set(ACLKM_ERR_NOHEAP, "no memory for the library's own records");
}

const char *api_function(void)
{
	return error_function;
}

static void free_texts(void *arg)
{
	texts = NULL;
	free(arg);
}

/* The C library's own list of what a thread runs at its end; it has no limit. */
extern int __cxa_thread_atexit_impl(void (*end)(void *arg), void *arg, void *dso)
	__attribute__((weak));
extern void *__dso_handle __attribute__((visibility("hidden")));

static bool texts_register(struct texts *new)
{
	if (thread_key_set(&texts_key, free_texts, new))
		return true;
	return __cxa_thread_atexit_impl &&
	       !__cxa_thread_atexit_impl(free_texts, new, &__dso_handle);
}

/* NULL: no memory for them. */
static struct texts *need_texts(void)
{
	struct texts *new;

	if (texts)
		return texts;
	new = calloc(1, sizeof(*new));
	if (new &&texts_register(new))
		texts = new;
	else
		free(new);
	return texts;
}

/* The last text goes in front, what does not fit any more goes out at the end. */
static void push(char *text)
{
	size_t add = strlen(texts->last) + 1;
	size_t keep = strlen(text);

	if (keep > RECENT_SIZE - 1 - add)
		keep = RECENT_SIZE - 1 - add;
	memmove(text + add, text, keep);
	memcpy(text, texts->last, add - 1);
	text[add - 1] = '\n';
	text[add + keep] = '\0';
}

void error_share(bool share)
{
	atomic_store(&is_shared, share);
}

void error_publish(void)
{
	if (!texts)
		return;
	if (!atomic_load_explicit(&is_shared, memory_order_relaxed)) {
		push(texts->recent);
		return;
	}
	pthread_mutex_lock(&shared_lock);
	push(shared);
	pthread_mutex_unlock(&shared_lock);
}

int error_set(int err, const char *format, ...)
{
	struct texts *t = need_texts();
	va_list args;
	int n;

	if (!t)
		return err;
	n = snprintf(t->last, sizeof(t->last), "%s: ", error_function);
	if (n > 0 && (size_t)n < sizeof(t->last)) {
		va_start(args, format);
		vsnprintf(t->last + n, sizeof(t->last) - (size_t)n, format, args);
		va_end(args);
	}
	return err;
}

/* NULL: there is none. The caller has texts of its own. */
static const char *error_take(char *from)
{
	if (!from[0])
		return NULL;
	memcpy(texts->taken, from, sizeof(texts->taken));
	from[0] = '\0';
	return texts->taken;
}

const char *error_take_recent(void)
{
	const char *text;

	if (!atomic_load(&is_shared))
		return texts ? error_take(texts->recent) : NULL;
	if (!need_texts())
		return NULL;
	pthread_mutex_lock(&shared_lock);
	text = error_take(shared);
	pthread_mutex_unlock(&shared_lock);
	return text;
}

const char *aclkm_last_error(void)
{
	return texts ? texts->last : "";
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
	case ACLKM_ERR_KERNEL:
		return "a kernel's host function reported a failure";
	default:
		return "unknown error";
	}
}
