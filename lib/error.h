/* SPDX-License-Identifier: MIT */
/*
 * The text of failures, kept for each thread. Every public function starts with
 * api_enter(__func__), so that the text can name it.
 */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

#include "aclkm/error.h"

/* Notes the function that the caller called; ACLKM_ERR_FORKED in a forked child. */
int api_enter(const char *function);

/* Notes the text of a failure, after "function: ". Returns @err. */
int error_set(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The last text is the answer to the caller: keeps it for error_take_recent. An
 * attempt that fails and is made up for is never published.
 */
void error_publish(void);

/* All texts published since the last call, newest first, one a line; NULL when none. */
const char *error_take_recent(void);

/* The process has threads or memory of the library now: a forked child is refused. */
void process_in_use(void);

#endif /* LIB_ERROR_H */
