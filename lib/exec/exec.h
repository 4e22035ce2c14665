/* SPDX-License-Identifier: MIT */
/*
 * What runs in streams: devices and contexts, streams with their threads and queues, the
 * tasks themselves (callbacks, waits, reductions, kernels), events and notifies, and
 * pools whose memory is freed in the order of a stream. Handles are looked up without a
 * lock; every function notes the text of its failure.
 */
#ifndef LIB_EXEC_ROOM_H
#define LIB_EXEC_ROOM_H

#include "exec/allocator.h"
#include "exec/callback.h"
#include "exec/capture.h"
#include "exec/counter_notify.h"
#include "exec/device.h"
#include "exec/event.h"
#include "exec/float16.h"
#include "exec/graph.h"
#include "exec/launch.h"
#include "exec/launch_args.h"
#include "exec/mempool.h"
#include "exec/notify.h"
#include "exec/queue.h"
#include "exec/reduce.h"
#include "exec/replay.h"
#include "exec/stream.h"
#include "exec/value.h"
#include "exec/worker.h"

#endif /* LIB_EXEC_ROOM_H */
