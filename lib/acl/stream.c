// SPDX-License-Identifier: MIT
/* Streams: the argument rules of AscendCL. */
#include "acl/acl_rt.h"

#include "../stream.h"
#include "context.h"
#include "result.h"

aclError aclrtCreateStream(aclrtStream *stream)
{
	uintptr_t handle;
	aclError code;
	int err = api_enter(__func__);

	if (err)
		return acl_result(err);
	if (!stream)
		return acl_refuse(ACL_ERROR_INVALID_PARAM, "stream is NULL");
	code = context_need();
	if (code)
		return code;
	err = stream_create(&handle);
	if (err == ACLKM_ERR_LIMIT) {
		error_publish();
		return ACL_ERROR_RT_NO_STREAM_RESOURCE;
	}
	if (err)
		return acl_result(err);
	*stream = (aclrtStream)handle;
	return ACL_SUCCESS;
}

aclError aclrtDestroyStream(aclrtStream stream)
{
	int err = api_enter(__func__);

	if (err)
		return acl_result(err);
	if (!stream)
		return acl_refuse(ACL_ERROR_INVALID_PARAM, "stream is NULL");
	return acl_result(stream_destroy((uintptr_t)stream));
}

aclError aclrtSynchronizeStream(aclrtStream stream)
{
	aclError code;
	int err = api_enter(__func__);

	if (err)
		return acl_result(err);
	code = context_need();
	if (code)
		return code;
	return acl_result(stream_wait(context_stream(stream)));
}
