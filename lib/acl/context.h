/* SPDX-License-Identifier: MIT */
/* The current device of a thread, and what the device's context holds. */
#ifndef LIB_ACL_CONTEXT_H
#define LIB_ACL_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "acl/acl_base.h"

/* Whether this thread has a current device. */
bool context_is_set(void);

/* 0, or 107002 with its text. */
aclError context_need(void);

/* The stream behind @stream; the default stream for NULL. Needs a context. */
uintptr_t context_stream(aclrtStream stream);

#endif /* LIB_ACL_CONTEXT_H */
