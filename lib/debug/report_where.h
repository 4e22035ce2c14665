/* SPDX-License-Identifier: MIT */
/* Frames of a trace as lines of text: functions, files and lines where they are known. */
#ifndef LIB_REPORT_WHERE_H
#define LIB_REPORT_WHERE_H

#include "debug/report.h"

/* A line for each frame through report_line. One at a time in the process. */
void report_frames(const struct trace *trace);

#endif /* LIB_REPORT_WHERE_H */
