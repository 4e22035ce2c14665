/* SPDX-License-Identifier: MIT */
/*
 * Offers to other processes: files under numbers that cannot be guessed, handed out by a
 * thread of the offering process to processes that both sides trust.
 */
#ifndef LIB_IPC_ROOM_H
#define LIB_IPC_ROOM_H

#include "ipc/share.h"
#include "ipc/share_wire.h"

#endif /* LIB_IPC_ROOM_H */
