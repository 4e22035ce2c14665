// SPDX-License-Identifier: MIT
/* Callbacks and values in memory: the argument rules of AscendCL. */
#include "acl/acl_rt.h"

#include "exec/exec.h"
#include "base/base.h"
#include "acl/context.h"
#include "acl/result.h"

aclError aclrtSubscribeReport(uint64_t threadId, aclrtStream stream)
{
	int err;
	aclError code = acl_enter(__func__) ?: context_need();

	if (code)
		return code;
	if (!threadId)
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "threadId = 0: must be a pthread_t as a number");
	err = callback_subscribe(threadId, context_stream(stream));
	if (err == ACLKM_ERR_EXISTS)
		return acl_result_for(err, err, ACL_ERROR_RT_STREAM_SUBSCRIBE);
	return stream_result(err);
}

aclError aclrtUnSubscribeReport(uint64_t threadId, aclrtStream stream)
{
	int err;
	aclError code = acl_enter(__func__) ?: context_need();

	if (code)
		return code;
	err = callback_unsubscribe(threadId, context_stream(stream));
	if (err == ACLKM_ERR_FOREIGN)
		return acl_result_for(err, err, ACL_ERROR_RT_STREAM_NO_CB_REG);
	return acl_result_for(err, ACLKM_ERR_KIND, ACL_ERROR_RT_THREAD_SUBSCRIBE);
}

aclError aclrtLaunchCallback(aclrtCallback fn, void *userData,
			     aclrtCallbackBlockType blockType, aclrtStream stream)
{
	int err;
	aclError code = acl_enter(__func__) ?: acl_need_function(fn, "fn");

	if (code)
		return code;
	if ((uint32_t)blockType > ACL_CALLBACK_BLOCK)
		return acl_refuse(ACL_ERROR_INVALID_PARAM,
				  "blockType = %d: must be ACL_CALLBACK_NO_BLOCK (0) or "
				  "ACL_CALLBACK_BLOCK (1)",
				  (int)blockType);
	code = context_need_to_wait();
	if (code)
		return code;
	err = callback_launch(fn, userData, blockType == ACL_CALLBACK_BLOCK,
			      context_stream(stream));
	if (err == ACLKM_ERR_FOREIGN)
		return acl_result_for(err, err, ACL_ERROR_RT_STREAM_NO_CB_REG);
	return stream_result(err);
}

aclError aclrtProcessReport(int32_t timeout)
{
	int64_t deadline;
	int err;
	aclError code = acl_enter(__func__) ?: context_deadline(timeout, 0, &deadline);

	if (code)
		return code;
	err = callback_process(deadline);
	if (err == ACLKM_ERR_FOREIGN)
		return acl_result_for(err, err, ACL_ERROR_RT_THREAD_SUBSCRIBE);
	return acl_result_for(err, ACLKM_ERR_TIMEOUT, ACL_ERROR_RT_REPORT_TIMEOUT);
}

HOT aclError aclrtLaunchHostFunc(aclrtStream stream, aclrtHostFunc fn, void *args)
{
	const struct device_here *here = device_here();

	/* A sleeping worker is woken by this: the fewer lines of code, the sooner. */
	if (fn && here && !outcall_in_task && !api_enter(__func__))
		return stream_result(callback_host(
			fn, args, stream ? (uintptr_t)stream : here->stream));
	return acl_enter(__func__) ?: acl_need_function(fn, "fn") ?:
	       context_need_to_wait() ?:
	       stream_result(callback_host(fn, args, context_stream(stream)));
}

static aclError check_value_address(const void *address)
{
	if ((uintptr_t)address % sizeof(uint64_t) == 0)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
			  "devAddr = %p: must be a multiple of 8", address);
}

aclError aclrtValueWrite(void *devAddr, uint64_t value, uint32_t flag, aclrtStream stream)
{
	aclError code = acl_enter(__func__) ?: acl_need(devAddr, "devAddr") ?:
			check_value_address(devAddr);

	if (code)
		return code;
	if (flag)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID, "flag = %u: must be 0",
				  flag);
	return context_need()
		       ?: stream_result(
				  value_write(devAddr, value, context_stream(stream)));
}

aclError aclrtValueWait(void *devAddr, uint64_t value, uint32_t flag, aclrtStream stream)
{
	aclError code = acl_enter(__func__) ?: acl_need(devAddr, "devAddr") ?:
			check_value_address(devAddr);

	if (code)
		return code;
	if (flag > VALUE_NOR)
		return acl_refuse(
			ACL_ERROR_RT_PARAM_INVALID,
			"flag = %u: must be GEQ (0), EQ (1), AND (2) or NOR (3)", flag);
	return context_need()
		       ?: stream_result(value_wait(devAddr, value, (enum value_rule)flag,
						   context_stream(stream)));
}
