/* SPDX-License-Identifier: MIT */
/*
 * What an address is. Blocks of the heap with their tags, virtual and physical memory,
 * managed and read-only memory, host memory that the program registered, memory of other
 * processes; place.h asks all of them.
 */
#ifndef LIB_MAP_ROOM_H
#define LIB_MAP_ROOM_H

#include "map/block.h"
#include "map/host_register.h"
#include "map/managed.h"
#include "map/place.h"
#include "map/readonly.h"
#include "map/registered.h"
#include "map/share_memory.h"
#include "map/vmm.h"

#endif /* LIB_MAP_ROOM_H */
