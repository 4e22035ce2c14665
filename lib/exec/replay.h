/* SPDX-License-Identifier: MIT */
/*
 * Captures by the handles of streams, and runs of graphs. Thread-safe; failures note
 * their text. Beside what is said, the errors of capture.h and stream.h.
 */
#ifndef LIB_REPLAY_H
#define LIB_REPLAY_H

#include "exec/capture.h"

/* @into: a graph that gets more nodes, or 0 for a new one. */
int replay_capture(uintptr_t stream, enum capture_mode mode, uintptr_t into);
int replay_info(uintptr_t stream, enum capture_status *status, uintptr_t *graph);
int replay_end(uintptr_t stream, uintptr_t *graph);

/*
 * Submits a run of the graph. A node that fails does not keep the others from running,
 * unless failures stop the stream; the stream tells the first failure. An abort of the
 * stream ends the run between two nodes.
 */
int replay_start(uintptr_t graph, uintptr_t stream);

#endif /* LIB_REPLAY_H */
