/* SPDX-License-Identifier: MIT */
/*
 * Being told of tasks that fail: a wait of a stream whose time is up (107020), a copy by
 * what is no descriptor (100000).
 *
 * Called in the thread that ran the task, before whoever waits for the stream goes on;
 * several streams call at the same time. As in a host function, what waits for a stream
 * gives 207000 there. Tasks that an abort throws away do not fail. Any thread, no
 * context. (AscendCL API reference, "aclrtExceptionInfoCallbackRegister".)
 */
#ifndef ACL_RT_EXCEPTION_H
#define ACL_RT_EXCEPTION_H

#include "../acl_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the functions below tell of; the library's, and good while the callback runs. */
typedef struct rtExceptionInfo aclrtExceptionInfo;

typedef void (*aclrtExceptionInfoCallback)(aclrtExceptionInfo *exceptionInfo);

/**
 * aclrtSetExceptionInfoCallback - deprecated: one callback; the last that was set counts
 * @callback: NULL: none
 *
 * Beside those of aclrtExceptionInfoCallbackRegister. Returns 0.
 */
ACL_FUNC_VISIBILITY aclError
aclrtSetExceptionInfoCallback(aclrtExceptionInfoCallback callback);

/**
 * aclrtExceptionInfoCallbackRegister - one callback more
 *
 * The same function once more changes nothing. Returns 0; 100000 NULL; 200000 more than
 * 64 functions.
 */
ACL_FUNC_VISIBILITY aclError
aclrtExceptionInfoCallbackRegister(aclrtExceptionInfoCallback callback);

/**
 * aclrtExceptionInfoCallbackUnregister - undo it
 *
 * Calls that have begun go on. Returns 0, also for one that is not registered; 100000
 * NULL.
 */
ACL_FUNC_VISIBILITY aclError
aclrtExceptionInfoCallbackUnregister(aclrtExceptionInfoCallback callback);

/* All of these: 0xFFFFFFFF for NULL. */

/*
 * aclrtGetTaskIdFromExceptionInfo - which of the tasks that its stream had in its queue:
 * from 1. What is done in the call that submits it is not counted.
 */
ACL_FUNC_VISIBILITY uint32_t
aclrtGetTaskIdFromExceptionInfo(const aclrtExceptionInfo *info);

/* aclrtGetStreamIdFromExceptionInfo - as aclrtStreamGetId. */
ACL_FUNC_VISIBILITY uint32_t
aclrtGetStreamIdFromExceptionInfo(const aclrtExceptionInfo *info);

/* aclrtGetThreadIdFromExceptionInfo - the kernel's number of the thread that ran it. */
ACL_FUNC_VISIBILITY uint32_t
aclrtGetThreadIdFromExceptionInfo(const aclrtExceptionInfo *info);

/* aclrtGetDeviceIdFromExceptionInfo - the stream's device. */
ACL_FUNC_VISIBILITY uint32_t
aclrtGetDeviceIdFromExceptionInfo(const aclrtExceptionInfo *info);

/* aclrtGetErrorCodeFromExceptionInfo - what the next synchronisation returns. */
ACL_FUNC_VISIBILITY uint32_t
aclrtGetErrorCodeFromExceptionInfo(const aclrtExceptionInfo *info);

#ifdef __cplusplus
}
#endif

#endif /* ACL_RT_EXCEPTION_H */
