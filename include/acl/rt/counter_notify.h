/* SPDX-License-Identifier: MIT */
/*
 * Counting notifies: a number of 32 bits, 0 at first, that streams change and wait for.
 *
 * As a notify, but what is recorded adds up, and several waits may go on by one record.
 * Of one process. (AscendCL API reference, "aclrtCntNotifyCreate" and the pages around
 * it; the documents have them for the Ascend950 family only.)
 *
 * Errors that all functions here share: 100000 NULL; 107002 no context; 107000 one that
 * was never created or is destroyed, a flag or mode that is none. Streams: as in
 * acl/rt/stream.h. Any thread.
 */
#ifndef ACL_RT_COUNTER_NOTIFY_H
#define ACL_RT_COUNTER_NOTIFY_H

#include "../acl_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a record does to the number. */
typedef enum {
	ACL_RT_CNT_NOTIFY_RECORD_SET_VALUE_MODE = 0,
	ACL_RT_CNT_NOTIFY_RECORD_ADD_MODE = 1, /* wraps around */
	ACL_RT_CNT_NOTIFY_RECORD_BIT_OR_MODE = 2,
	ACL_RT_CNT_NOTIFY_RECORD_BIT_AND_MODE = 4
} aclrtCntNotifyRecordMode;

typedef struct {
	aclrtCntNotifyRecordMode mode;
	uint32_t value;
} aclrtCntNotifyRecordInfo;

/* When a wait goes on. */
typedef enum {
	ACL_RT_CNT_NOTIFY_WAIT_LESS_MODE = 0, /* number < value */
	ACL_RT_CNT_NOTIFY_WAIT_EQUAL_MODE = 1,
	ACL_RT_CNT_NOTIFY_WAIT_BIGGER_MODE = 2,
	ACL_RT_CNT_NOTIFY_WAIT_BIGGER_OR_EQUAL_MODE = 3,
	ACL_RT_CNT_NOTIFY_WAIT_EQUAL_WITH_BITMASK_MODE = 4 /* number & value == value */
} aclrtCntNotifyWaitMode;

typedef struct {
	aclrtCntNotifyWaitMode mode;
	uint32_t value;
	uint32_t timeout; /* seconds; 0: none */
	uint8_t isClear;  /* 1: the number is 0 when the wait goes on */
	uint8_t rsv[3];
} aclrtCntNotifyWaitInfo;

/**
 * aclrtCntNotifyCreate - a number
 * @cntNotify: out; give it back with aclrtCntNotifyDestroy
 * @flag:      0
 *
 * Returns 0; the shared errors; 200000 the library's own heap.
 */
ACL_FUNC_VISIBILITY aclError aclrtCntNotifyCreate(aclrtCntNotify *cntNotify,
						  uint64_t flag);

/* aclrtCntNotifyDestroy - at once; streams that have it as a task keep what they need. */
ACL_FUNC_VISIBILITY aclError aclrtCntNotifyDestroy(aclrtCntNotify cntNotify);

/* aclrtCntNotifyRecord - change the number, in a stream. The shared errors; 107003. */
ACL_FUNC_VISIBILITY aclError aclrtCntNotifyRecord(aclrtCntNotify cntNotify,
						  aclrtStream stream,
						  aclrtCntNotifyRecordInfo *info);

/**
 * aclrtCntNotifyWaitWithTimeout - hold a stream until the rule holds
 *
 * When the time is up the task fails: the next synchronisation gives 107020.
 *
 * Returns 0; the shared errors; 107003; 107000 as well for isClear above 1.
 */
ACL_FUNC_VISIBILITY aclError aclrtCntNotifyWaitWithTimeout(aclrtCntNotify cntNotify,
							   aclrtStream stream,
							   aclrtCntNotifyWaitInfo *info);

/* aclrtCntNotifyReset - make the number 0, in a stream. The shared errors; 107003. */
ACL_FUNC_VISIBILITY aclError aclrtCntNotifyReset(aclrtCntNotify cntNotify,
						 aclrtStream stream);

/* aclrtCntNotifyGetId - a number that no other one that lives has. */
ACL_FUNC_VISIBILITY aclError aclrtCntNotifyGetId(aclrtCntNotify cntNotify,
						 uint32_t *notifyId);

#ifdef __cplusplus
}
#endif

#endif /* ACL_RT_COUNTER_NOTIFY_H */
