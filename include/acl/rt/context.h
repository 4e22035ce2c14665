/* SPDX-License-Identifier: MIT */
/*
 * Contexts: what belongs to a piece of work on one device, above all its streams.
 *
 * A thread has one current context or none. aclrtSetDevice gives it the device's
 * default context, which all threads share. A stream can be used only while its own
 * context is current (107003). A context may be current in several threads.
 */
#ifndef ACL_RT_CONTEXT_H
#define ACL_RT_CONTEXT_H

#include "../acl_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * aclrtCreateContext - a new context, current in this thread from now on
 * @context:  out; give it back with aclrtDestroyContext
 * @deviceId: the device; needs no aclrtSetDevice before
 *
 * It has a default stream of its own. (AscendCL API reference, "aclrtCreateContext".)
 *
 * Returns 0; 100000 NULL or bad ACLKM_* variable; 107001 bad id; 207004 as
 * aclrtSetDevice; 207008 the device has no more streams; 200000 the library's own heap.
 */
ACL_FUNC_VISIBILITY aclError aclrtCreateContext(aclrtContext *context, int32_t deviceId);

/**
 * aclrtDestroyContext - finish and destroy a context's streams, then it
 *
 * Threads that have it current have none then. Memory stays.
 * (AscendCL API reference, "aclrtDestroyContext".)
 *
 * Returns 0; 100000 NULL; 107000 unknown, destroyed already, or the default context
 * of a device (that goes with aclrtResetDevice); 207000 in a callback.
 */
ACL_FUNC_VISIBILITY aclError aclrtDestroyContext(aclrtContext context);

/**
 * aclrtSetCurrentContext - make a context this thread's, and with it its device
 *
 * Returns 0; 100000 NULL; 107000 unknown or destroyed.
 */
ACL_FUNC_VISIBILITY aclError aclrtSetCurrentContext(aclrtContext context);

/* aclrtGetCurrentContext - this thread's. 0; 100000 NULL; 107002 there is none. */
ACL_FUNC_VISIBILITY aclError aclrtGetCurrentContext(aclrtContext *context);

/**
 * aclrtCtxGetCurrentDefaultStream - the stream that NULL means
 *
 * Returns 0; 100000 NULL; 107002 no context.
 */
ACL_FUNC_VISIBILITY aclError aclrtCtxGetCurrentDefaultStream(aclrtStream *stream);

/**
 * aclrtGetPrimaryCtxState - whether a device has its default context
 * @flags:  out: 0; NULL is left out
 * @active: out: 1 or 0; NULL is left out
 *
 * Returns 0; 107001 bad id.
 */
ACL_FUNC_VISIBILITY aclError aclrtGetPrimaryCtxState(int32_t deviceId, uint32_t *flags,
						     int32_t *active);

#ifdef __cplusplus
}
#endif

#endif /* ACL_RT_CONTEXT_H */
