// SPDX-License-Identifier: MIT
#include "result.h"

#include <stdarg.h>
#include <stdio.h>

static aclError code_of(int err)
{
	switch (err) {
	case ACLKM_OK:
		return ACL_SUCCESS;
	case ACLKM_ERR_INVALID:
	case ACLKM_ERR_OVERFLOW:
	case ACLKM_ERR_CONFIG:
		return ACL_ERROR_INVALID_PARAM;
	case ACLKM_ERR_FOREIGN:
	case ACLKM_ERR_INTERIOR:
	case ACLKM_ERR_NOTALIVE:
	case ACLKM_ERR_KIND:
		return ACL_ERROR_RT_PARAM_INVALID;
	case ACLKM_ERR_HANDLE:
		return ACL_ERROR_RT_STREAM_CONTEXT;
	/* Programs free their caches and try again on this code, and on no other. */
	case ACLKM_ERR_NOMEM:
	case ACLKM_ERR_LIMIT:
		return ACL_ERROR_RT_MEMORY_ALLOCATION;
	case ACLKM_ERR_NOHEAP:
		return ACL_ERROR_BAD_ALLOC;
	case ACLKM_ERR_NODEV:
		return ACL_ERROR_RT_NO_DEVICE;
	case ACLKM_ERR_NOTHREAD:
		return ACL_ERROR_RT_RESOURCE_ALLOC_FAIL;
	default:
		return ACL_ERROR_RT_INTERNAL_ERROR;
	}
}

aclError acl_result(int err)
{
	if (err)
		error_publish();
	return code_of(err);
}

aclError acl_refuse(aclError code, const char *format, ...)
{
	char text[384];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	error_set(code, "%s", text);
	error_publish();
	return code;
}
