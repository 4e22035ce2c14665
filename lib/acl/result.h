/* SPDX-License-Identifier: MIT */
/* From the library's result codes to AscendCL's. */
#ifndef LIB_ACL_RESULT_H
#define LIB_ACL_RESULT_H

#include "base/base.h"
#include "acl/acl_base.h"

/*
 * The opening lines of a public function, in the order in which AscendCL checks
 * them; each gives 0 or the code to return, its text noted:
 *
 *	aclError code = acl_enter(__func__) ?: acl_need(out, "out") ?: context_need();
 *
 *	if (code)
 *		return code;
 */

/* The code for @err, and nothing else. */
aclError acl_code(int err);

/* Names the function for texts. Refuses a forked child. */
aclError acl_enter(const char *function);

/* Refuses a NULL argument. */
aclError acl_need(const void *pointer, const char *name);

/* The same for a function, which C does not convert to a pointer to void. */
#define acl_need_function(fn, name) acl_need((const void *)(uintptr_t)(fn), name)

/* Refuses a length of 0. */
aclError acl_need_size(uint64_t size, const char *name);

/*
 * What a public function returns: the code for @err, its text kept for
 * aclGetRecentErrMsg.
 */
aclError acl_result(int err);

/* The same, with @code where the function has one of its own for @match. */
aclError acl_result_for(int err, int match, aclError code);

/* The same for a rule of AscendCL with a code of its own. */
aclError acl_refuse(aclError code, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The last failure of this thread, for aclrtGetLastError; forgotten when @clear. */
aclError acl_last(int clear);

#endif /* LIB_ACL_RESULT_H */
