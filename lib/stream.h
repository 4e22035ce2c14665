/* SPDX-License-Identifier: MIT */
/*
 * Streams by handle. A handle is a number that is never used twice, so that one
 * that was destroyed is told from one that lives. Thread-safe; failures note
 * their text.
 */
#ifndef LIB_STREAM_H
#define LIB_STREAM_H

#include <stdint.h>

#include "worker.h"

#define STREAM_MAX 1984

/* ACLKM_ERR_LIMIT, ACLKM_ERR_NOHEAP. */
int stream_create(uintptr_t *handle);

/* All of these: ACLKM_ERR_HANDLE for a handle that is not alive. */
int stream_submit(uintptr_t handle, const struct task *task);
int stream_wait(uintptr_t handle);
int stream_check(uintptr_t handle);

/* Drains it; other threads that still wait in it are let go in order. */
int stream_destroy(uintptr_t handle);

/* Every stream that lives now. */
void stream_wait_all(void);
void stream_destroy_all(void);

#endif /* LIB_STREAM_H */
