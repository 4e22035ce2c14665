/* SPDX-License-Identifier: MIT */
/* The one header that AscendCL programs include. */
#ifndef ACL_ACL_H
#define ACL_ACL_H

#include "acl_base.h"
#include "acl_rt.h"
#include "acl_op.h"
#include "acl_mdl.h"

#endif /* ACL_ACL_H */
