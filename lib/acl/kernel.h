/* SPDX-License-Identifier: MIT */
/* What the functions that load kernels share with those that launch them. */
#ifndef LIB_ACL_KERNEL_H
#define LIB_ACL_KERNEL_H

#include "exec/exec.h"
#include "acl/acl_base.h"

/* As acl_enter; 207000 without ACLKM_KERNELS, 100000 for one that cannot be loaded. */
aclError kernel_enter(const char *function);

/* 107017 for a handle, 507027 for a kernel that is not there, 107000 for an argument. */
aclError kernel_result(int err);

/* 100000 for NULL, or as kernel_result. */
aclError kernel_find(const void *funcHandle, const struct aclkm_kernel **kernel);
aclError kernel_find_list(const void *argsHandle, struct launch_list **list);

/* 207000: the table does not say which parameters the kernel has. */
aclError kernel_need_params(const struct aclkm_kernel *kernel);
/* Where parameter @index lies; with @index the count: how long all are. */
size_t kernel_param_at(const struct aclkm_kernel *kernel, size_t index);

#endif /* LIB_ACL_KERNEL_H */
