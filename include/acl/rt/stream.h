/* SPDX-License-Identifier: MIT */
/*
 * Streams.
 *
 * Tasks of one stream run in the order of submission, those of two streams at
 * the same time, on threads of the library. A stream may be used by several
 * threads; their order is then the program's business. A small copy on a stream
 * with nothing to do may be done in the call that submits it.
 *
 * Errors that all functions with a stream share: 107002 no context; 107003 for a
 * stream that was never created, is destroyed, or belongs to another context.
 * Where NULL is allowed it means the default stream of the current context. In a
 * callback or host function everything that waits gives 207000.
 */
#ifndef ACL_RT_STREAM_H
#define ACL_RT_STREAM_H

#include "../acl_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Flags of aclrtCreateStreamWithConfig. Taken and told again; no effect here. */
#define ACL_STREAM_FAST_LAUNCH 0x00000001U
#define ACL_STREAM_FAST_SYNC 0x00000002U
#define ACL_STREAM_PERSISTENT 0x00000004U
#define ACL_STREAM_HUGE 0x00000008U
#define ACL_STREAM_CPU_SCHEDULE 0x00000010U
#define ACL_STREAM_DEVICE_USE_ONLY 0x00000020U

/* Failure modes of a stream. */
#define ACL_CONTINUE_ON_FAILURE 0x00000000U
#define ACL_STOP_ON_FAILURE 0x00000001U /* tasks behind one that fails do not run */

/* (AscendCL API reference, "aclrtStreamStatus".) */
typedef enum aclrtStreamStatus {
	ACL_STREAM_STATUS_COMPLETE = 0,
	ACL_STREAM_STATUS_NOT_READY = 1,
	ACL_STREAM_STATUS_RESERVED = 0xFFFF
} aclrtStreamStatus;

/* (AscendCL API reference, "aclrtStreamAttr".) */
typedef enum {
	ACL_STREAM_ATTR_FAILURE_MODE = 1,
	ACL_STREAM_ATTR_FLOAT_OVERFLOW_CHECK = 2,
	ACL_STREAM_ATTR_USER_CUSTOM_TAG = 3,
	ACL_STREAM_ATTR_CACHE_OP_INFO = 4,
	ACL_STREAM_ATTR_PRIORITY = 5
} aclrtStreamAttr;

typedef union {
	uint64_t failureMode;
	uint32_t overflowSwitch;
	uint32_t userCustomTag;
	uint32_t cacheOpInfoSwitch;
	uint32_t streamPriority;
	uint32_t reserve[4];
} aclrtStreamAttrValue;

/* What aclrtSetStreamConfigOpt sets. */
typedef enum {
	ACL_RT_STREAM_WORK_ADDR_PTR = 0, /* void * */
	ACL_RT_STREAM_WORK_SIZE = 1,	 /* size_t */
	ACL_RT_STREAM_FLAG = 2,		 /* size_t or uint32_t */
	ACL_RT_STREAM_PRIORITY = 3	 /* uint32_t */
} aclrtStreamConfigAttr;

typedef struct aclrtStreamConfigHandle {
	void *workptr;
	size_t workSize;
	size_t flag;
	uint32_t priority;
} aclrtStreamConfigHandle;

/**
 * aclrtCreateStream - a new stream of the current context
 * @stream: out; give it back with aclrtDestroyStream
 *
 * Returns 0; 100000 NULL; 107002 no context; 207008 more than 1984 streams on the
 * device, default streams included.
 */
ACL_FUNC_VISIBILITY aclError aclrtCreateStream(aclrtStream *stream);

/**
 * aclrtCreateStreamWithConfig - the same with a priority and flags
 * @priority: 0 (highest) to 7; more is 7
 * @flag:     ACL_STREAM_* or 0
 *
 * Returns as aclrtCreateStream; 107000 unknown flags.
 */
ACL_FUNC_VISIBILITY aclError aclrtCreateStreamWithConfig(aclrtStream *stream,
							 uint32_t priority,
							 uint32_t flag);

/* aclrtCreateStreamConfigHandle - a config of zeros; NULL when there is no memory. */
ACL_FUNC_VISIBILITY aclrtStreamConfigHandle *aclrtCreateStreamConfigHandle(void);

/* aclrtDestroyStreamConfigHandle - give it back. 0; 100000 NULL. */
ACL_FUNC_VISIBILITY aclError
aclrtDestroyStreamConfigHandle(aclrtStreamConfigHandle *handle);

/**
 * aclrtSetStreamConfigOpt - set one item
 * @valueSize: exactly the size of the item's type, or of one of them
 *
 * Returns 0; 100000 NULL, unknown item, wrong size.
 */
ACL_FUNC_VISIBILITY aclError aclrtSetStreamConfigOpt(aclrtStreamConfigHandle *handle,
						     aclrtStreamConfigAttr attr,
						     const void *attrValue,
						     size_t valueSize);

/* aclrtCreateStreamV2 - aclrtCreateStreamWithConfig by a config; NULL is all zeros. */
ACL_FUNC_VISIBILITY aclError aclrtCreateStreamV2(aclrtStream *stream,
						 const aclrtStreamConfigHandle *handle);

/**
 * aclrtDestroyStream - finish the stream's tasks, then destroy it
 *
 * In any context, and without one. Callbacks that have not run never will:
 * synchronise and unsubscribe first.
 *
 * Returns 0; 100000 NULL; 107003 unknown or destroyed stream; 207000 in a callback.
 */
ACL_FUNC_VISIBILITY aclError aclrtDestroyStream(aclrtStream stream);

/* aclrtDestroyStreamForce - the same; tasks that have not run never will. */
ACL_FUNC_VISIBILITY aclError aclrtDestroyStreamForce(aclrtStream stream);

/**
 * aclrtSynchronizeStream - wait until all tasks submitted so far are done
 * @stream: NULL is the default stream
 *
 * Returns 0; the shared errors; 107020 a task's own time was up, told once; 107023
 * the stream was aborted meanwhile; 207000 in a callback.
 */
ACL_FUNC_VISIBILITY aclError aclrtSynchronizeStream(aclrtStream stream);

/**
 * aclrtSynchronizeStreamWithTimeout - the same, not longer than @timeout
 * @timeout: ms; 0: look only; -1: for ever
 *
 * Returns as aclrtSynchronizeStream; 507046 the time is up; 107000 bad @timeout.
 */
ACL_FUNC_VISIBILITY aclError aclrtSynchronizeStreamWithTimeout(aclrtStream stream,
							       int32_t timeout);

/* aclrtStreamQuery - whether all is done. 0; 100000 NULL; the shared errors. */
ACL_FUNC_VISIBILITY aclError aclrtStreamQuery(aclrtStream stream,
					      aclrtStreamStatus *status);

/**
 * aclrtStreamAbort - throw away what has not run, end the waiting of what runs
 *
 * Those who wait for the stream get 107023; events recorded in it are complete,
 * without a time. The stream can be used again.
 *
 * Returns 0; the shared errors.
 */
ACL_FUNC_VISIBILITY aclError aclrtStreamAbort(aclrtStream stream);

/* aclrtStreamStop - the same, but what has not run will run. */
ACL_FUNC_VISIBILITY aclError aclrtStreamStop(aclrtStream stream);

/* aclrtStreamGetId - a small number of its own. 0; 100000 NULL; the shared errors. */
ACL_FUNC_VISIBILITY aclError aclrtStreamGetId(aclrtStream stream, int32_t *streamId);

/* aclrtStreamGetPriority - 0 to 7. 0; 100000 NULL; the shared errors. */
ACL_FUNC_VISIBILITY aclError aclrtStreamGetPriority(aclrtStream stream,
						    uint32_t *priority);

/* aclrtStreamGetFlags - those it was created with. 0; 100000 NULL; the shared errors. */
ACL_FUNC_VISIBILITY aclError aclrtStreamGetFlags(aclrtStream stream, uint32_t *flags);

/**
 * aclrtSetStreamAttribute, aclrtGetStreamAttribute - one item of aclrtStreamAttr
 *
 * The failure mode has an effect; the priority is cut off at 7; the others are kept.
 *
 * Returns 0; 100000 NULL, unknown item, failure mode above 1; the shared errors.
 */
ACL_FUNC_VISIBILITY aclError aclrtSetStreamAttribute(aclrtStream stream,
						     aclrtStreamAttr stmAttrType,
						     aclrtStreamAttrValue *value);
ACL_FUNC_VISIBILITY aclError aclrtGetStreamAttribute(aclrtStream stream,
						     aclrtStreamAttr stmAttrType,
						     aclrtStreamAttrValue *value);

/**
 * aclrtSetStreamFailureMode - what happens behind a task that fails
 * @stream: not NULL
 * @mode:   ACL_CONTINUE_ON_FAILURE, or ACL_STOP_ON_FAILURE: nothing runs until
 *          aclrtStreamAbort, and each wait tells the error again
 *
 * Returns 0; 100000 NULL or bad mode; the shared errors.
 */
ACL_FUNC_VISIBILITY aclError aclrtSetStreamFailureMode(aclrtStream stream, uint64_t mode);

/* When a callback of aclrtRegStreamStateCallback is called. */
typedef enum {
	ACL_RT_STREAM_STATE_CREATE_POST = 1,
	ACL_RT_STREAM_STATE_DESTROY_PRE = 2 /* once; the stream lives and takes tasks */
} aclrtStreamState;

typedef void (*aclrtStreamStateCallback)(aclrtStream stm, aclrtStreamState state,
					 void *args);

/**
 * aclrtRegStreamStateCallback - be called when a stream was created or will be destroyed
 * @regName:  a name of your own, 1 to 63 characters
 * @callback: NULL ends the registration of that name
 *
 * For the streams of aclrtCreateStream and its forms, and for default streams; also for
 * those that go with their context or device, which is out of reach then. Called in the
 * thread that creates or destroys. It may call functions of AscendCL and destroy other
 * streams. Any thread. (AscendCL API reference, "aclrtRegStreamStateCallback".)
 *
 * Returns 0; 100000 NULL; 107000 an empty or too long name, one that is registered, or
 * is not when it should end; 200000 the library's own heap.
 */
ACL_FUNC_VISIBILITY aclError aclrtRegStreamStateCallback(
	const char *regName, aclrtStreamStateCallback callback, void *args);

/* aclrtGetStreamAvailableNum - how many more the device has. 0; 100000; 107002. */
ACL_FUNC_VISIBILITY aclError aclrtGetStreamAvailableNum(uint32_t *streamCount);

#ifdef __cplusplus
}
#endif

#endif /* ACL_RT_STREAM_H */
