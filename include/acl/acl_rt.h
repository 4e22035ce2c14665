/* SPDX-License-Identifier: MIT */
/*
 * The AscendCL runtime: device, memory, copies, streams.
 *
 * Rules for every function here:
 *
 * - Sizes and alignments are bytes.
 * - A function may be called from any thread at any time unless its comment
 *   says otherwise. The device set by aclrtSetDevice belongs to the thread.
 * - A failing call has changed nothing; aclGetRecentErrMsg() then names the
 *   function, the argument, its value and the rule.
 * - In a child after fork() of a process that used this library every function
 *   but aclGetRecentErrMsg() fails with 507000; exec starts afresh (AscendCL
 *   API reference: fork is not supported).
 * - A bad value in one of the ACLKM_* environment variables makes aclInit and
 *   aclrtSetDevice fail with 100000; the message names the variable.
 *
 * ACLKM_STRICT=1 in the environment keeps to the letter of the founding
 * documents (Secondary Memory Allocation; pyACL malloc); where that changes a
 * rule the comment says "strict".
 */
#ifndef ACL_ACL_RT_H
#define ACL_ACL_RT_H

#include <stdbool.h>

#include "acl_base.h"
#include "acl_rt_allocator.h"
#include "rt/process.h"
#include "rt/device.h"
#include "rt/context.h"
#include "rt/memory.h"
#include "rt/managed.h"
#include "rt/copy.h"
#include "rt/reduce.h"
#include "rt/stream.h"
#include "rt/event.h"
#include "rt/notify.h"
#include "rt/counter_notify.h"
#include "rt/callback.h"
#include "rt/exception.h"
#include "rt/vmm.h"
#include "rt/share.h"

#endif /* ACL_ACL_RT_H */
