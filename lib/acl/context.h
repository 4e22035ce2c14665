/* SPDX-License-Identifier: MIT */
/* What the calls need of the thread's context. */
#ifndef LIB_ACL_CONTEXT_H
#define LIB_ACL_CONTEXT_H

#include <stdint.h>

#include "acl/acl_base.h"

/* 0, or 107002 with its text. */
aclError context_need(void);

/* 0; 207000 in a callback, which must not wait or copy; or as context_need. */
aclError context_need_to_wait(void);

/* 0; 107030: the mode of a capture forbids what this thread would do at once. */
aclError context_may_do_now(void);

/* 0, or 107001 with its text. */
aclError context_check_device(int64_t id);

/* The current device. Needs a context, as does the next. */
uint32_t context_device(void);

/* The stream behind @stream; the default stream for NULL. */
uintptr_t context_stream(aclrtStream stream);

/* The result of a call that takes a stream: 107003 for one that is not alive. */
aclError stream_failure(int err);

static inline aclError stream_result(int err)
{
	return __builtin_expect(err, 0) ? stream_failure(err) : ACL_SUCCESS;
}

/*
 * The end of a wait of @timeout ms, which must be -1 (none) or, as @zero_too says,
 * from 0 or 1; else 107000.
 */
aclError context_deadline(int32_t timeout, int zero_too, int64_t *out);

#endif /* LIB_ACL_CONTEXT_H */
