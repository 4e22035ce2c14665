/* SPDX-License-Identifier: MIT */
/*
 * The checks of ACLKM_CHECK: what is known of blocks, copies and tasks, and the reports
 * of what is wrong. No check changes what a call returns. The rooms below know nothing of
 * checks but marks of small blocks (alloc/mark.h).
 */
#ifndef LIB_DEBUG_ROOM_H
#define LIB_DEBUG_ROOM_H

#include "debug/check.h"
#include "debug/check_fast.h"
#include "debug/check_flight.h"
#include "debug/check_object.h"
#include "debug/check_small.h"
#include "debug/report.h"
#include "debug/stacks.h"

#endif /* LIB_DEBUG_ROOM_H */
