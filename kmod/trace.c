// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints themselves; trace.h declares them for the files that use them.
 */
#define CREATE_TRACE_POINTS
#include "trace.h"
