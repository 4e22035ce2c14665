/* SPDX-License-Identifier: MIT */
/* The name that newer toolkits give to what the runtime needs of acl_base.h. */
#ifndef ACL_ACL_BASE_RT_H
#define ACL_ACL_BASE_RT_H

#include "acl_base.h"

#endif /* ACL_ACL_BASE_RT_H */
