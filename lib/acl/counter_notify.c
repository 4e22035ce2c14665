// SPDX-License-Identifier: MIT
/* Counting notifies: the argument rules of AscendCL. */
#include "acl/acl_rt.h"

#include "exec/exec.h"
#include "acl/context.h"
#include "acl/result.h"

#define SECOND_MS 1000LL

/* 107003 is for a stream; a notify that is not alive is 107000. */
static aclError acl_counter_task_result(int err, aclrtCntNotify notify)
{
	uint32_t id;

	if (err == ACLKM_ERR_HANDLE && !counter_id((uintptr_t)notify, &id))
		return stream_result(err);
	return acl_result(err);
}

aclError aclrtCntNotifyCreate(aclrtCntNotify *cntNotify, uint64_t flag)
{
	uintptr_t handle = 0;
	aclError code = acl_enter(__func__) ?: acl_need(cntNotify, "cntNotify") ?:
			context_need();

	if (code)
		return code;
	if (flag)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID, "flag = %#llx: must be 0",
				  (unsigned long long)flag);
	code = acl_result(counter_create(&handle));
	if (!code)
		*cntNotify = (aclrtCntNotify)handle;
	return code;
}

aclError aclrtCntNotifyDestroy(aclrtCntNotify cntNotify)
{
	return acl_enter(__func__) ?: acl_need(cntNotify, "cntNotify") ?:
	       acl_result(counter_destroy((uintptr_t)cntNotify));
}

aclError aclrtCntNotifyRecord(aclrtCntNotify cntNotify, aclrtStream stream,
			      aclrtCntNotifyRecordInfo *info)
{
	aclError code = acl_enter(__func__) ?: acl_need(cntNotify, "cntNotify") ?:
			acl_need(info, "info") ?: context_need();

	if (code)
		return code;
	if (info->mode != ACL_RT_CNT_NOTIFY_RECORD_BIT_AND_MODE &&
	    (uint32_t)info->mode > ACL_RT_CNT_NOTIFY_RECORD_BIT_OR_MODE)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "mode = %d: must be SET_VALUE (0), ADD (1), BIT_OR (2) "
				  "or BIT_AND (4)",
				  (int)info->mode);
	return acl_counter_task_result(
		counter_record((uintptr_t)cntNotify, context_stream(stream),
			       (enum counter_change)info->mode, info->value),
		cntNotify);
}

aclError aclrtCntNotifyWaitWithTimeout(aclrtCntNotify cntNotify, aclrtStream stream,
				       aclrtCntNotifyWaitInfo *info)
{
	int64_t timeout;
	aclError code = acl_enter(__func__) ?: acl_need(cntNotify, "cntNotify") ?:
			acl_need(info, "info") ?: context_need();

	if (code)
		return code;
	if ((uint32_t)info->mode > ACL_RT_CNT_NOTIFY_WAIT_EQUAL_WITH_BITMASK_MODE)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "mode = %d: must be from 0 to 4", (int)info->mode);
	if (info->isClear > 1)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "isClear = %u: must be 0 or 1", info->isClear);
	timeout = info->timeout ? info->timeout * SECOND_MS : -1;
	return acl_counter_task_result(counter_wait((uintptr_t)cntNotify,
						    context_stream(stream),
						    (enum counter_rule)info->mode,
						    info->value, timeout, info->isClear),
				       cntNotify);
}

aclError aclrtCntNotifyReset(aclrtCntNotify cntNotify, aclrtStream stream)
{
	return acl_enter(__func__) ?: acl_need(cntNotify, "cntNotify") ?:
	       context_need() ?:
	       acl_counter_task_result(counter_record((uintptr_t)cntNotify, context_stream(stream),
					  COUNTER_SET, 0),
			   cntNotify);
}

aclError aclrtCntNotifyGetId(aclrtCntNotify cntNotify, uint32_t *notifyId)
{
	return acl_enter(__func__) ?: acl_need(cntNotify, "cntNotify") ?:
	       acl_need(notifyId, "notifyId") ?: context_need() ?:
	       acl_result(counter_id((uintptr_t)cntNotify, notifyId));
}
