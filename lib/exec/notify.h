/* SPDX-License-Identifier: MIT */
/*
 * Notifies by handle: one flag that a stream raises, and that another waits for and
 * takes down. The flag can lie in memory that processes share. Thread-safe; failures
 * note their text; every function gives ACLKM_ERR_HANDLE for a handle that is not alive.
 */
#ifndef LIB_NOTIFY_H
#define LIB_NOTIFY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOTIFY_MAX 8192 /* of one device */

/* ACLKM_ERR_LIMIT, ACLKM_ERR_NOHEAP. */
int notify_create(uint32_t device, uintptr_t *handle);

/* Streams that still have it as a task keep what they need. */
int notify_destroy(uintptr_t notify);

/* As stream_submit. */
int notify_record(uintptr_t notify, uintptr_t stream);

/* @timeout_ms < 0: none; the task fails with ACLKM_ERR_TASK when it is up. */
int notify_wait(uintptr_t notify, uintptr_t stream, int64_t timeout_ms);

/* Takes the flag down, now. */
int notify_reset(uintptr_t notify);

/* A small number that no other live notify of the process has. */
int notify_id(uintptr_t notify, uint32_t *id);

/* Offers it to other processes, under one number however often. share_offer's errors. */
int notify_export(uintptr_t notify, bool anyone, uint64_t *number);

/* ACLKM_ERR_HANDLE as well when it was not exported. */
int notify_allow(uintptr_t notify, const int32_t *pids, size_t count);

/* What share_fetch gives. */
int notify_import(uint64_t number, uint32_t device, uintptr_t *handle);

#endif /* LIB_NOTIFY_H */
