/* SPDX-License-Identifier: MIT */
/*
 * Events: marks in streams.
 *
 * A record marks the place in the stream; the event is complete when the stream has
 * come there. A wait holds a stream until the records made before the wait are
 * complete; an event that was never recorded holds nothing. Record and wait again
 * as often as you like. Any thread; records of one event in two threads at a time
 * are the program's business.
 *
 * Errors that all functions with an event share: 100000 NULL; 107000 for an event
 * that was never created or is destroyed. Streams: as in acl/rt/stream.h.
 */
#ifndef ACL_RT_EVENT_H
#define ACL_RT_EVENT_H

#include "../acl_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Flags of the create functions. */
#define ACL_EVENT_SYNC 0x00000001U /* for waiting */
#define ACL_EVENT_CAPTURE_STREAM_PROGRESS 0x00000002U
#define ACL_EVENT_TIME_LINE 0x00000008U /* has a time */
#define ACL_EVENT_DEVICE_USE_ONLY 0x00000010U
#define ACL_EVENT_EXTERNAL 0x00000020U
#define ACL_EVENT_IPC 0x00000040U /* can be shared; has no time */

/* Flags of record and wait. The second is taken as the first. */
#define ACL_EVENT_RECORD_DEFAULT 0x0U
#define ACL_EVENT_RECORD_EXTERNAL 0x1U
#define ACL_EVENT_WAIT_DEFAULT 0x0U
#define ACL_EVENT_WAIT_EXTERNAL 0x1U

/* Of the deprecated aclrtQueryEvent. Mind the values: the next has them swapped. */
typedef enum aclrtEventStatus {
	ACL_EVENT_STATUS_COMPLETE = 0,
	ACL_EVENT_STATUS_NOT_READY = 1,
	ACL_EVENT_STATUS_RESERVED = 2
} aclrtEventStatus;

typedef enum aclrtEventRecordedStatus {
	ACL_EVENT_RECORDED_STATUS_NOT_READY = 0,
	ACL_EVENT_RECORDED_STATUS_COMPLETE = 1
} aclrtEventRecordedStatus;

typedef enum aclrtEventWaitStatus {
	ACL_EVENT_WAIT_STATUS_COMPLETE = 0,
	ACL_EVENT_WAIT_STATUS_NOT_READY = 1,
	ACL_EVENT_WAIT_STATUS_RESERVED = 0xFFFF
} aclrtEventWaitStatus;

/**
 * aclrtCreateEvent - an event for waiting and with a time
 * @event: out; give it back with aclrtDestroyEvent
 *
 * Returns 0; 100000 NULL; 107002 no context; 200000 the library's own heap.
 */
ACL_FUNC_VISIBILITY aclError aclrtCreateEvent(aclrtEvent *event);

/* aclrtCreateEventWithFlag - with ACL_EVENT_* flags. The same; 107000 unknown flags. */
ACL_FUNC_VISIBILITY aclError aclrtCreateEventWithFlag(aclrtEvent *event, uint32_t flag);

/**
 * aclrtCreateEventExWithFlag - an event of the newer kind
 *
 * As aclrtCreateEventWithFlag, but a never recorded one counts as complete, and
 * aclrtResetEvent, aclrtQueryEvent and aclrtQueryEventWaitStatus refuse it (207000).
 */
ACL_FUNC_VISIBILITY aclError aclrtCreateEventExWithFlag(aclrtEvent *event, uint32_t flag);

/**
 * aclrtDestroyEvent - give an event back
 *
 * Does not wait: records and waits that were submitted still do their work. Needs no
 * context. Returns 0; the shared errors.
 */
ACL_FUNC_VISIBILITY aclError aclrtDestroyEvent(aclrtEvent event);

/**
 * aclrtRecordEvent - mark the place that @stream has come to
 *
 * Returns 0; the shared errors; 107002; 107003; 207007 more than 65536 recorded
 * events live on the device.
 */
ACL_FUNC_VISIBILITY aclError aclrtRecordEvent(aclrtEvent event, aclrtStream stream);

/* aclrtRecordEventWithFlag - the same; 107000 for a flag above 1. */
ACL_FUNC_VISIBILITY aclError aclrtRecordEventWithFlag(aclrtEvent event,
						      aclrtStream stream, uint32_t flag);

/**
 * aclrtResetEvent - undo the records so far, when @stream comes there
 *
 * Returns 0; the shared errors; 107002; 107003; 207000 for events of
 * aclrtCreateEventExWithFlag (strict: for all without ACL_EVENT_SYNC).
 */
ACL_FUNC_VISIBILITY aclError aclrtResetEvent(aclrtEvent event, aclrtStream stream);

/**
 * aclrtStreamWaitEvent - hold @stream until @event is complete
 *
 * In any stream and context, for events of all. Not longer than
 * aclrtSetOpWaitTimeout says. Returns 0; the shared errors; 107002; 107003.
 */
ACL_FUNC_VISIBILITY aclError aclrtStreamWaitEvent(aclrtStream stream, aclrtEvent event);

/**
 * aclrtStreamWaitEventWithTimeout - the same with a time of its own
 * @timeout: ms from 1, or -1: for ever
 *
 * When the time is up the task fails: the next synchronisation gives 107020.
 * Returns as aclrtStreamWaitEvent; 107000 bad @timeout.
 */
ACL_FUNC_VISIBILITY aclError aclrtStreamWaitEventWithTimeout(aclrtStream stream,
							     aclrtEvent event,
							     int32_t timeout);

/**
 * aclrtStreamWaitEventWithFlag - the same with a flag
 * @timeout: ms; 0: as aclrtStreamWaitEvent
 * @flag:    ACL_EVENT_WAIT_*; above 1: 107000
 */
ACL_FUNC_VISIBILITY aclError aclrtStreamWaitEventWithFlag(aclrtStream stream,
							  aclrtEvent event,
							  uint32_t timeout,
							  uint32_t flag);

/* aclrtSetOpWaitTimeout - seconds that waits submitted from now on may take; 0: any. */
ACL_FUNC_VISIBILITY aclError aclrtSetOpWaitTimeout(uint32_t timeout);

/**
 * aclrtSynchronizeEvent - wait until the records made so far are complete
 *
 * At once for an event that was never recorded. Returns 0; the shared errors; 107002
 * no context; 207000 in a callback.
 */
ACL_FUNC_VISIBILITY aclError aclrtSynchronizeEvent(aclrtEvent event);

/**
 * aclrtSynchronizeEventWithTimeout - the same, not longer than @timeout
 * @timeout: ms; 0: look only; -1: for ever
 *
 * Returns as aclrtSynchronizeEvent; 507047 the time is up; 107000 bad @timeout.
 */
ACL_FUNC_VISIBILITY aclError aclrtSynchronizeEventWithTimeout(aclrtEvent event,
							      int32_t timeout);

/* aclrtQueryEvent - deprecated. 0; the shared errors; 207000 for the newer kind. */
ACL_FUNC_VISIBILITY aclError aclrtQueryEvent(aclrtEvent event, aclrtEventStatus *status);

/**
 * aclrtQueryEventStatus - whether the event is complete
 *
 * A never recorded one is, if it is of the newer kind. 0; the shared errors.
 */
ACL_FUNC_VISIBILITY aclError aclrtQueryEventStatus(aclrtEvent event,
						   aclrtEventRecordedStatus *status);

/**
 * aclrtQueryEventWaitStatus - whether no stream waits for it any more
 *
 * Returns 0; the shared errors; 207000 for the newer kind.
 */
ACL_FUNC_VISIBILITY aclError aclrtQueryEventWaitStatus(aclrtEvent event,
						       aclrtEventWaitStatus *status);

/**
 * aclrtEventElapsedTime - from one event to another
 * @ms: out: milliseconds; negative when @endEvent was first
 *
 * Returns 0; the shared errors; 507000 one was never recorded; 107006 one is not
 * complete, was aborted, or has no ACL_EVENT_TIME_LINE; 207000 IPC and external
 * events.
 */
ACL_FUNC_VISIBILITY aclError aclrtEventElapsedTime(float *ms, aclrtEvent startEvent,
						   aclrtEvent endEvent);

/* aclrtEventGetTimestamp - microseconds of a clock that only runs on. Errors as above. */
ACL_FUNC_VISIBILITY aclError aclrtEventGetTimestamp(aclrtEvent event,
						    uint64_t *timestamp);

/* aclrtGetEventId - of a recorded event, from 1; else 0. 0; the shared errors. */
ACL_FUNC_VISIBILITY aclError aclrtGetEventId(aclrtEvent event, uint32_t *eventId);

/* aclrtGetEventAvailNum - how many more can be recorded. 0; 100000; 107002. */
ACL_FUNC_VISIBILITY aclError aclrtGetEventAvailNum(uint32_t *eventCount);

#ifdef __cplusplus
}
#endif

#endif /* ACL_RT_EVENT_H */
