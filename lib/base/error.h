/* SPDX-License-Identifier: MIT */
/*
 * The text of failures, kept for each thread. Every public function starts with
 * api_enter(__func__), so that the text can name it.
 */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

#include <stdatomic.h>
#include <stdbool.h>

#include "aclkm/error.h"

extern _Thread_local const char *error_function;
extern atomic_bool error_forked;

int error_set_forked(void);

/* In a child of fork() whose parent used the library. */
static inline bool process_is_forked(void)
{
	return atomic_load_explicit(&error_forked, memory_order_relaxed);
}

/* Notes the function that the caller called; ACLKM_ERR_FORKED in a forked child. */
static inline int api_enter(const char *function)
{
	error_function = function;
	if (__builtin_expect(!process_is_forked(), 1))
		return ACLKM_OK;
	return error_set_forked();
}

/* The function that this thread called last; "" before the first. */
const char *api_function(void);

/* Notes the text of a failure, after "function: ". Returns @err. */
int error_set(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Notes that there is no memory for records of the library: ACLKM_ERR_NOHEAP. */
int error_no_records(void);

/*
 * The last text is the answer to the caller: keeps it for error_take_recent. An
 * attempt that fails and is made up for is never published.
 */
void error_publish(void);

/* Whether error_take_recent gives the texts of all threads, from now on. */
void error_share(bool share);

/* All texts published since the last call, newest first, one a line; NULL when none. */
const char *error_take_recent(void);

/* This process, and no ancestor, is the one that uses the library. No lock. */
bool process_is_user(void);

/* The process has threads or memory of the library now: a forked child is refused. */
void process_in_use(void);

#endif /* LIB_ERROR_H */
