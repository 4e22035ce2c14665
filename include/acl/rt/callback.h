/* SPDX-License-Identifier: MIT */
/*
 * Functions of the program that streams call, and values in memory that they write
 * and wait for. Streams: errors as in acl/rt/stream.h; NULL is the default stream.
 *
 * Callbacks run in a thread that the program lends: it loops aclrtProcessReport, and
 * aclrtSubscribeReport binds a stream to it. Host functions run in the stream's own
 * thread. Both may copy and free; whatever waits for a stream gives 207000 there.
 */
#ifndef ACL_RT_CALLBACK_H
#define ACL_RT_CALLBACK_H

#include "../acl_base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*aclrtCallback)(void *userData);
typedef void (*aclrtHostFunc)(void *args);

/* Whether the stream stands until the callback has returned. */
typedef enum aclrtCallbackBlockType {
	ACL_CALLBACK_NO_BLOCK = 0,
	ACL_CALLBACK_BLOCK = 1
} aclrtCallbackBlockType;

/* When aclrtValueWait goes on, seen from the 64 bits in memory. */
#define ACL_STREAM_WAIT_VALUE_GEQ 0x0U /* (int64_t)(memory - value) >= 0 */
#define ACL_STREAM_WAIT_VALUE_EQ 0x1U  /* memory == value */
#define ACL_STREAM_WAIT_VALUE_AND 0x2U /* (memory & value) != 0 */
#define ACL_STREAM_WAIT_VALUE_NOR 0x3U /* ~(memory | value) != 0 */

/**
 * aclrtSubscribeReport - run the stream's callbacks in a thread
 * @threadId: the pthread_t as a number; one thread may serve several streams
 *
 * (AscendCL API reference, "aclrtSubscribeReport".)
 *
 * Returns 0; 100000 @threadId 0; 107011 the stream has a thread; 107002; 107003.
 */
ACL_FUNC_VISIBILITY aclError aclrtSubscribeReport(uint64_t threadId, aclrtStream stream);

/**
 * aclrtUnSubscribeReport - undo it
 *
 * The thread may have ended before. Callbacks that have not begun never will: their
 * stream goes on.
 *
 * Returns 0; 107015 the stream has no thread; 107012 it has another; 107002.
 */
ACL_FUNC_VISIBILITY aclError aclrtUnSubscribeReport(uint64_t threadId,
						    aclrtStream stream);

/**
 * aclrtLaunchCallback - call @fn when the stream comes there
 * @blockType: whether the stream waits for it
 *
 * Returns 0; 100000 @fn NULL or bad @blockType; 107015 the stream has no thread;
 * 107002; 107003.
 */
ACL_FUNC_VISIBILITY aclError aclrtLaunchCallback(aclrtCallback fn, void *userData,
						 aclrtCallbackBlockType blockType,
						 aclrtStream stream);

/**
 * aclrtProcessReport - run one callback of this thread, when there is one
 * @timeout: ms from 1, or -1: for ever
 *
 * May be called before the thread is subscribed. Needs no context.
 *
 * Returns 0 after one callback; 507012 none came in that time; 107012 no stream is
 * subscribed to the thread, or the last one was unsubscribed; 107000 bad @timeout.
 */
ACL_FUNC_VISIBILITY aclError aclrtProcessReport(int32_t timeout);

/**
 * aclrtLaunchHostFunc - call @fn in the stream's own thread
 *
 * The stream stands meanwhile. Not together with callbacks on one stream.
 *
 * Returns 0; 100000 @fn NULL; 207000 the stream has a report thread; 107002; 107003.
 */
ACL_FUNC_VISIBILITY aclError aclrtLaunchHostFunc(aclrtStream stream, aclrtHostFunc fn,
						 void *args);

/**
 * aclrtValueWrite - write 64 bits when the stream comes there
 * @devAddr: memory that can be written then; a multiple of 8
 * @flag:    0
 *
 * What the stream did before is seen by whoever sees the value.
 *
 * Returns 0; 100000 NULL; 107000 alignment or flag; 107002; 107003.
 */
ACL_FUNC_VISIBILITY aclError aclrtValueWrite(void *devAddr, uint64_t value, uint32_t flag,
					     aclrtStream stream);

/**
 * aclrtValueWait - hold the stream until memory fulfils a rule
 * @flag: ACL_STREAM_WAIT_VALUE_*
 *
 * Any stream, thread, process or device may write the value. Ended by
 * aclrtStreamAbort. Returns as aclrtValueWrite; 107000 flag above 3.
 */
ACL_FUNC_VISIBILITY aclError aclrtValueWait(void *devAddr, uint64_t value, uint32_t flag,
					    aclrtStream stream);

/*
 * Threads that run the host functions of models: 207000, as there are no models.
 * aclrtLaunchHostFunc has a thread of its own.
 */
ACL_FUNC_VISIBILITY aclError aclrtSubscribeHostFunc(uint64_t hostFuncThreadId,
						    aclrtStream exeStream);
ACL_FUNC_VISIBILITY aclError aclrtProcessHostFunc(int32_t timeout);
ACL_FUNC_VISIBILITY aclError aclrtUnSubscribeHostFunc(uint64_t hostFuncThreadId,
						      aclrtStream exeStream);

#ifdef __cplusplus
}
#endif

#endif /* ACL_RT_CALLBACK_H */
