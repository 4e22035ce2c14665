// SPDX-License-Identifier: MIT
/*
 * C has no handlers for unwinding, and what compilers offer for it needs a library of
 * theirs that a small system may not have. But an unwinder asks for each function that it
 * leaves a personality routine, if the function names one. outcall() names the routine
 * below, which does the work itself.
 */
#include "base/outcall.h"

#include <stdint.h>
#include <unwind.h>

#include "base/hot.h"

/* The calls of this thread that have not returned, the innermost first. */
struct outcall {
	struct outcall *outer;
	void (*unwound)(void *arg);
	void *arg;
};

static _Thread_local struct outcall *outcall_inner;

_Thread_local int outcall_in_task;

_Unwind_Reason_Code HIDDEN outcall_personality(int version, _Unwind_Action actions,
					       _Unwind_Exception_Class class,
					       struct _Unwind_Exception *exception,
					       struct _Unwind_Context *context);

__attribute__((used)) _Unwind_Reason_Code
outcall_personality(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
		    struct _Unwind_Exception *exception, struct _Unwind_Context *context)
{
	struct outcall *call = outcall_inner;

	(void)version;
	(void)class;
	(void)exception;
	(void)context;
	/* The first phase only looks for a handler. */
	if (call && actions & _UA_CLEANUP_PHASE) {
		outcall_inner = call->outer;
		call->unwound(call->arg);
	}
	return _URC_CONTINUE_UNWIND;
}

bool outcall_is_active(void)
{
	return outcall_inner;
}

HOT __attribute__((noinline)) void outcall(void (*fn)(void *data), void *data,
					   void (*unwound)(void *arg), void *arg)
{
	struct outcall call = {outcall_inner, unwound, arg};

	/* 0x1b: its distance from here, in four bytes. */
	__asm__(".cfi_personality 0x1b, outcall_personality");
	outcall_inner = &call;
	fn(data);
	outcall_inner = call.outer;
}
