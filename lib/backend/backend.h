/* SPDX-License-Identifier: MIT */
/*
 * Regions: where memory comes from, the driver or memfds. One backend serves the process.
 */
#ifndef LIB_BACKEND_ROOM_H
#define LIB_BACKEND_ROOM_H

#include "backend/memfile.h"
#include "backend/memlimit.h"
#include "backend/region.h"

#endif /* LIB_BACKEND_ROOM_H */
