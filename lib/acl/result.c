// SPDX-License-Identifier: MIT
#include "acl/result.h"

#include <stdarg.h>
#include <stdio.h>

#include "exec/exec.h"

aclError acl_code(int err)
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
	case ACLKM_ERR_EXISTS:
		return ACL_ERROR_RT_PARAM_INVALID;
	case ACLKM_ERR_CONTEXT:
		return ACL_ERROR_RT_STREAM_CONTEXT;
	case ACLKM_ERR_UNSUPPORTED:
	case ACLKM_ERR_BUSY:
		return ACL_ERROR_RT_FEATURE_NOT_SUPPORT;
	case ACLKM_ERR_PERM:
		return ACL_ERROR_RT_NO_PERMISSION;
	case ACLKM_ERR_TIMEOUT:
		return ACL_ERROR_RT_WAIT_TIMEOUT;
	case ACLKM_ERR_TASK:
		return ACL_ERROR_RT_TASK_TIMEOUT;
	case ACLKM_ERR_ABORTED:
		return ACL_ERROR_RT_STREAM_ABORT;
	case ACLKM_ERR_KERNEL:
		return ACL_ERROR_RT_AICORE_EXCEPTION;
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
	case CAPTURE_DEPENDENCY:
		return ACL_ERROR_RT_CAPTURE_DEPENDENCY;
	case CAPTURE_UNJOINED:
		return ACL_ERROR_RT_STREAM_UNJOINED;
	case CAPTURE_MODEL:
		return ACL_ERROR_RT_MODEL_CAPTURED;
	case CAPTURE_STREAM:
		return ACL_ERROR_RT_STREAM_CAPTURED;
	case CAPTURE_EVENT:
		return ACL_ERROR_RT_EVENT_CAPTURED;
	case CAPTURE_NONE:
		return ACL_ERROR_RT_STREAM_NOT_CAPTURED;
	case CAPTURE_MODE:
		return ACL_ERROR_RT_CAPTURE_MODE_NOT_SUPPORT;
	case CAPTURE_CONFLICT:
		return ACL_ERROR_STREAM_CAPTURE_CONFLICT;
	case CAPTURE_UNMATCHED:
		return ACL_ERROR_RT_STREAM_CAPTURE_UNMATCHED;
	case CAPTURE_RUNNING:
		return ACL_ERROR_RT_MODEL_RUNNING;
	case CAPTURE_THREAD:
		return ACL_ERROR_RT_STREAM_CAPTURE_WRONG_THREAD;
	default:
		return ACL_ERROR_RT_INTERNAL_ERROR;
	}
}

static _Thread_local aclError last_code;

static aclError answer(aclError code)
{
	error_publish();
	/* Those of media memory are negative, and none of the runtime's. */
	if (code > 0)
		last_code = code;
	return code;
}

aclError acl_result(int err)
{
	return err ? answer(acl_code(err)) : ACL_SUCCESS;
}

aclError acl_result_for(int err, int match, aclError code)
{
	return err && err == match ? answer(code) : acl_result(err);
}

aclError acl_refuse(aclError code, const char *format, ...)
{
	char text[384];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	error_set(code, "%s", text);
	return answer(code);
}

aclError acl_last(int clear)
{
	aclError code = last_code;

	if (clear)
		last_code = ACL_SUCCESS;
	return code;
}

aclError acl_enter(const char *function)
{
	return acl_result(api_enter(function));
}

aclError acl_need(const void *pointer, const char *name)
{
	if (pointer)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_INVALID_PARAM, "%s is NULL", name);
}

aclError acl_need_size(uint64_t size, const char *name)
{
	if (size)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_INVALID_PARAM, "%s = 0: must be 1 or more", name);
}
