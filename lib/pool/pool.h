/* SPDX-License-Identifier: MIT */
/*
 * Pools: one block of the heap that is divided into segments, by the same means as the
 * heap divides chunks. pending.h knows the segments that a stream has yet to free.
 */
#ifndef LIB_POOL_ROOM_H
#define LIB_POOL_ROOM_H

#include "pool/pending.h"
#include "pool/segment.h"

#endif /* LIB_POOL_ROOM_H */
