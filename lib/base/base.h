/* SPDX-License-Identifier: MIT */
/*
 * What all rooms stand on: handles, trees, address ranges, futexes, texts of failures,
 * the environment, threads of the library, descriptors and address space. Nothing here
 * knows of memory for devices.
 */
#ifndef LIB_BASE_ROOM_H
#define LIB_BASE_ROOM_H

#include "base/addr_map.h"
#include "base/check_list.h"
#include "base/config.h"
#include "base/counters.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/futex.h"
#include "base/guard.h"
#include "base/hot.h"
#include "base/object.h"
#include "base/outcall.h"
#include "base/product.h"
#include "base/rules.h"
#include "base/thread_key.h"
#include "base/threads.h"
#include "base/tree.h"
#include "base/uncached.h"
#include "base/va.h"

#endif /* LIB_BASE_ROOM_H */
