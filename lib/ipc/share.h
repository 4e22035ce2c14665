/* SPDX-License-Identifier: MIT */
/*
 * Things that other processes may have: files, each under a number that says which
 * process offers it. A thread of the offering process hands them out,
 * over a socket whose name follows from the number, to processes of the same user (or
 * root) that it was told of. The importer (share_client.c) trusts the same user or root.
 * Thread-safe; failures note their text.
 */
#ifndef LIB_SHARE_H
#define LIB_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/share_wire.h"

/*
 * Offers @item; its file is the registry's from now on. With @anyone no process has
 * to be named. ACLKM_ERR_IO, ACLKM_ERR_NOHEAP, ACLKM_ERR_NOTHREAD; the file is the
 * caller's then.
 */
int share_offer(const struct share_item *item, bool anyone, uint64_t *number);

/* The same; the file is closed if it fails. */
int share_offer_file(const struct share_item *item, bool anyone, uint64_t *number);

/* Lets more processes have it. ACLKM_ERR_HANDLE: not offered by this process. */
int share_allow(uint64_t number, const int32_t *pids, size_t count);

/* Offers it no more; who has it keeps it. ACLKM_ERR_HANDLE. */
int share_withdraw(uint64_t number);

/* Whether this process offers it. */
bool share_is_mine(uint64_t number);

/*
 * Gets it from the process that offers it; @out->fd is the caller's. ACLKM_ERR_HANDLE:
 * nobody offers it, or another kind of thing; ACLKM_ERR_PERM: not to this process, or the
 * other one is of another user; ACLKM_ERR_INVALID: what was sent is unsound;
 * ACLKM_ERR_LIMIT: no descriptor is free; ACLKM_ERR_IO: no answer in time.
 */
int share_fetch(uint64_t number, enum share_kind kind, struct share_item *out);

#endif /* LIB_SHARE_H */
