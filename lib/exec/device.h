/* SPDX-License-Identifier: MIT */
/*
 * Devices, and how their contexts begin and end. Thread-safe; failures note their text.
 */
#ifndef LIB_DEVICE_H
#define LIB_DEVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "exec/context.h"

/* ACLKM_ERR_INVALID. */
int device_check(int64_t id);

/*
 * Makes the default context of the device this thread's, and creates it first if
 * need be. ACLKM_ERR_INVALID for the id, what backend_get and stream_create give.
 */
int device_set(int32_t id);

/* One set less, or with @force none; with the last all contexts go.
 * ACLKM_ERR_INVALID, ACLKM_ERR_HANDLE: it is not set. */
int device_reset(int32_t id, bool force);

bool device_is_set(uint32_t id);

/* The device whose default context a thread gets that has none; -1: none. */
void device_set_default(int32_t id);

/* Gives it to this thread, and counts no set. ACLKM_ERR_CONTEXT, no text noted: there
 * is none; else as device_set. */
int device_use_default(void);

int context_create(int32_t device, uintptr_t *out);

/* ACLKM_ERR_HANDLE: not alive; ACLKM_ERR_UNSUPPORTED: a default context. */
int context_destroy(uintptr_t context);

/* Access to another device's memory, one way. ACLKM_ERR_INVALID. */
int device_peer_set(uint32_t device, int32_t peer, bool enable);
bool device_peer_get(uint32_t device, uint32_t peer);

#endif /* LIB_DEVICE_H */
