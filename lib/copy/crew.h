/* SPDX-License-Identifier: MIT */
/*
 * Threads that help with one large copy at a time. They start with the first such
 * copy and sleep between copies, after a short while of looking for the next.
 */
#ifndef LIB_CREW_H
#define LIB_CREW_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Calls @fn for each of @parts, in this thread and the helpers, and returns when all
 * are done. False, and nothing done: there are no helpers, or they are busy.
 */
bool crew_run(void (*fn)(void *arg, size_t part), void *arg, size_t parts);

/* Threads that work together, this one included; 0: one for each CPU, at most 4. */
void crew_set_size(unsigned int threads);
unsigned int crew_size(void);

#endif /* LIB_CREW_H */
