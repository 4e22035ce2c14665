/* SPDX-License-Identifier: MIT */
/* From the library's result codes to AscendCL's. */
#ifndef LIB_ACL_RESULT_H
#define LIB_ACL_RESULT_H

#include "../error.h"
#include "acl/acl_base.h"

/*
 * What a public function returns: the code for @err, its text kept for
 * aclGetRecentErrMsg.
 */
aclError acl_result(int err);

/* The same for a rule of AscendCL with a code of its own. */
aclError acl_refuse(aclError code, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* LIB_ACL_RESULT_H */
