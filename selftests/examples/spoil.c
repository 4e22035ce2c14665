// SPDX-License-Identifier: MIT
/*
 * Preloaded into a program: the last byte of each aclrtMemcpy to the host is wrong. A
 * program that looks at its results notices.
 */
#include <dlfcn.h>

#include "acl/acl.h"

ACL_FUNC_VISIBILITY aclError aclrtMemcpy(void *dst, size_t destMax, const void *src,
					 size_t count, aclrtMemcpyKind kind)
{
	aclError (*copy)(void *, size_t, const void *, size_t, aclrtMemcpyKind);
	aclError code;

	*(void **)&copy = dlsym(RTLD_NEXT, "aclrtMemcpy");
	code = copy(dst, destMax, src, count, kind);
	if (!code && count && kind == ACL_MEMCPY_DEVICE_TO_HOST)
		((unsigned char *)dst)[count - 1] ^= 1;
	return code;
}
