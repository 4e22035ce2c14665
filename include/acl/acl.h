/* SPDX-License-Identifier: MIT */
/* The one header that AscendCL programs include: base types and the runtime. */
#ifndef ACL_ACL_H
#define ACL_ACL_H

#include "acl_base.h"
#include "acl_rt.h"

#endif /* ACL_ACL_H */
