/* SPDX-License-Identifier: MIT */
/* Whether an access will fault, told without one. */
#ifndef LIB_CHECK_REACH_H
#define LIB_CHECK_REACH_H

#include "debug/check_flight.h"

/*
 * NULL unless the use is sure to fault and to end the process: part of it is not mapped
 * or has not the right, and the program has no handler that might put that right. Else
 * why.
 */
const char *check_unreachable(const struct use *use);

#endif /* LIB_CHECK_REACH_H */
