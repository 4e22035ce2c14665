/* SPDX-License-Identifier: MIT */
/*
 * Calls of the program's functions, which may not return: a C++ exception passes through
 * to the program's own handler, pthread_exit and a cancellation end the thread. The
 * library's state is put right in each case.
 */
#ifndef LIB_OUTCALL_H
#define LIB_OUTCALL_H

#include <stdbool.h>

/*
 * Calls @fn with @data. If it does not return, @unwound is called with @arg once, in the
 * same thread, before any function below this one on the stack is left. A longjmp out of
 * @fn is not seen.
 */
void outcall(void (*fn)(void *data), void *data, void (*unwound)(void *arg), void *arg);

/* Whether this thread is in a function of the program that the library has called. */
bool outcall_is_active(void);

/* Whether this thread is in a task or a callback: it must wait for no stream. */
extern _Thread_local int outcall_in_task;

#endif /* LIB_OUTCALL_H */
