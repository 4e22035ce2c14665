/* SPDX-License-Identifier: MIT */
/*
 * Functions of the program that a stream calls: in a thread that the program lends
 * for it (subscribe, launch, process), or in the stream's own. Thread-safe;
 * failures note their text.
 */
#ifndef LIB_CALLBACK_H
#define LIB_CALLBACK_H

#include <stdbool.h>
#include <stdint.h>

/* The callbacks of @stream run in @thread (a pthread_t as a number).
 * ACLKM_ERR_EXISTS: it has a thread; ACLKM_ERR_HANDLE, ACLKM_ERR_CONTEXT. */
int callback_subscribe(uint64_t thread, uintptr_t stream);

/* What has not run yet never will. ACLKM_ERR_FOREIGN: it is not subscribed;
 * ACLKM_ERR_KIND: to another thread. */
int callback_unsubscribe(uint64_t thread, uintptr_t stream);
/* With @block the stream stands until @fn has returned. ACLKM_ERR_FOREIGN: the
 * stream has no thread. */
int callback_launch(void (*fn)(void *data), void *data, bool block, uintptr_t stream);

/* Runs one callback of this thread. ACLKM_ERR_TIMEOUT; ACLKM_ERR_FOREIGN: no stream
 * is subscribed to it, and none was in that time. */
int callback_process(int64_t deadline);

/* In the stream's own thread, with the stream's context unless it has set another. */
int callback_host(void (*fn)(void *data), void *data, uintptr_t stream);

#endif /* LIB_CALLBACK_H */
