/* SPDX-License-Identifier: MIT */
/*
 * Events by handle: points in streams. A record is a task that marks the event, a
 * wait is one that stands until the records made before the wait are done. The
 * state can lie in memory that processes share. Thread-safe; failures note their
 * text; every function gives ACLKM_ERR_HANDLE for a handle that is not alive.
 */
#ifndef LIB_EVENT_H
#define LIB_EVENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define EVENT_MAX 65536 /* recorded ones of one device */

/* Bits of an event's flags: the values of AscendCL. */
#define EVENT_SYNC 0x1U
#define EVENT_STREAM_PROGRESS 0x2U
#define EVENT_TIME_LINE 0x8U
#define EVENT_DEVICE_USE 0x10U
#define EVENT_EXTERNAL 0x20U
#define EVENT_IPC 0x40U
#define EVENT_FLAGS 0x7bU

/* Created by the Ex form: no reset, no deprecated queries. */
#define EVENT_NEW_MODE 0x80000000U

/* What processes share of an event. Counts of records, 0: never. */
struct event_state {
	_Atomic uint64_t recorded;  /* asked for */
	_Atomic uint64_t completed; /* the last that is done */
	_Atomic uint64_t reset;	    /* the last that a reset has undone */
	_Atomic int64_t time;	    /* CLOCK_MONOTONIC ns of the last; 0: none */
	_Atomic uint32_t word;
	_Atomic uint32_t sleepers;
};

struct event_status {
	bool recorded;
	bool complete;
	bool waited;   /* no stream waits for it any more */
	bool captured; /* its last record is of a capture that goes on */
	uint32_t flags;
	uint32_t id;
	int64_t time; /* 0: none, or no EVENT_TIME_LINE */
};

int event_create(uint32_t device, uint32_t flags, uintptr_t *handle);

/*
 * With a state in shared memory of @size bytes and its file: both are the event's, and
 * unmapped and closed when it goes.
 */
int event_adopt(uint32_t device, uint32_t flags, struct event_state *state, uint64_t size,
		int fd, uintptr_t *handle);

/*
 * The number that event_offered has said, or 0 and the file of the state, duplicated.
 * ACLKM_ERR_UNSUPPORTED: it has none.
 */
int event_file(uintptr_t event, int *fd, uint64_t *number);

/* The number under which share.h offers the file: as long as the event lives here. */
int event_offered(uintptr_t event, uint64_t number);

/* Streams that still have it as a task keep what they need. */
int event_destroy(uintptr_t event);

/*
 * While the stream is captured a record marks a point of the capture, and a wait makes
 * its stream come behind that (capture.h). An @external one is a task of the graph: so is
 * each of an event with EVENT_EXTERNAL. An event of a capture that goes on gives
 * CAPTURE_EVENT to those who ask or wait for it.
 */

/* ACLKM_ERR_LIMIT: the first record of one event too many; what stream_submit gives. */
int event_record(uintptr_t event, uintptr_t stream, bool external);

/* @timeout_ms < 0: none; the task fails with ACLKM_ERR_TASK when it is up. */
int event_wait(uintptr_t event, uintptr_t stream, int64_t timeout_ms, bool external);

/* ACLKM_ERR_UNSUPPORTED: of the new mode. */
int event_reset(uintptr_t event, uintptr_t stream);

/* ACLKM_ERR_TIMEOUT, ACLKM_ERR_BUSY. At once for one that was never recorded. */
int event_synchronize(uintptr_t event, int64_t deadline);

int event_query(uintptr_t event, struct event_status *out);

/* How many more events of @device could be recorded. */
uint32_t event_available(uint32_t device);

/* ACLKM_ERR_UNSUPPORTED: not created for sharing. */
int event_export(uintptr_t event, uint64_t *number);
int event_import(uint64_t number, uint32_t device, uintptr_t *event);

/* An event whose state other processes can have. */
int event_create_shared(uint32_t device, uint32_t flags, uintptr_t *event);

#endif /* LIB_EVENT_H */
