// SPDX-License-Identifier: MIT
/* Notifies: the argument rules of AscendCL. */
#include "acl/acl_rt.h"

#include "exec/exec.h"
#include "acl/context.h"
#include "acl/key.h"
#include "acl/result.h"

#define SECOND_MS 1000LL

static aclError limit_result(int err)
{
	return acl_result_for(err, ACLKM_ERR_LIMIT, ACL_ERROR_RT_NO_NOTIFY_RESOURCE);
}

/* 107003 is for a stream; a notify that is not alive is 107000. */
static aclError acl_notify_task_result(int err, aclrtNotify notify)
{
	uint32_t id;

	if (err == ACLKM_ERR_HANDLE && !notify_id((uintptr_t)notify, &id))
		return stream_result(err);
	return acl_result(err);
}

static aclError acl_notify_check_flags(const char *name, uint64_t flags, uint64_t other)
{
	if (!flags || flags == other)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_RT_PARAM_INVALID, "%s = %#llx: must be 0 or %#llx",
			  name, (unsigned long long)flags, (unsigned long long)other);
}

aclError aclrtCreateNotify(aclrtNotify *notify, uint64_t flag)
{
	uintptr_t handle = 0;
	aclError code = acl_enter(__func__) ?: acl_need(notify, "notify") ?:
			context_need() ?:
			acl_notify_check_flags("flag", flag, ACL_NOTIFY_DEVICE_USE_ONLY) ?:
			limit_result(notify_create(context_device(), &handle));

	if (!code)
		*notify = (aclrtNotify)handle;
	return code;
}

aclError aclrtDestroyNotify(aclrtNotify notify)
{
	return acl_enter(__func__) ?: acl_need(notify, "notify") ?:
	       acl_result(notify_destroy((uintptr_t)notify));
}

aclError aclrtRecordNotify(aclrtNotify notify, aclrtStream stream)
{
	return acl_enter(__func__) ?: acl_need(notify, "notify") ?: context_need() ?:
	       acl_notify_task_result(notify_record((uintptr_t)notify, context_stream(stream)), notify);
}

aclError aclrtWaitAndResetNotify(aclrtNotify notify, aclrtStream stream, uint32_t timeout)
{
	return acl_enter(__func__) ?: acl_need(notify, "notify") ?: context_need() ?:
	       acl_notify_task_result(notify_wait((uintptr_t)notify, context_stream(stream),
				       timeout ? timeout * SECOND_MS : -1),
			   notify);
}

aclError aclrtGetNotifyId(aclrtNotify notify, uint32_t *notifyId)
{
	return acl_enter(__func__) ?: acl_need(notify, "notify") ?:
	       acl_need(notifyId, "notifyId") ?: context_need() ?:
	       acl_result(notify_id((uintptr_t)notify, notifyId));
}

aclError aclrtNotifyBatchReset(aclrtNotify *notifies, size_t num)
{
	uint32_t id;
	size_t i;
	aclError code = acl_enter(__func__) ?: acl_need(notifies, "notifies") ?:
			acl_need_size(num, "num") ?: context_need();

	/* All or none, as far as nobody destroys one meanwhile. */
	for (i = 0; i < num && !code; i++)
		code = acl_need(notifies[i], "notifies")
			       ?: acl_result(notify_id((uintptr_t)notifies[i], &id));
	for (i = 0; i < num && !code; i++)
		code = acl_result(notify_reset((uintptr_t)notifies[i]));
	return code;
}

aclError aclrtNotifyGetExportKey(aclrtNotify notify, char *key, size_t len,
				 uint64_t flags)
{
	uint64_t number = 0;
	aclError code = acl_enter(__func__) ?: acl_need(notify, "notify") ?:
			acl_need(key, "key") ?: context_need() ?: key_check_length(len) ?:
			acl_notify_check_flags("flags", flags,
				    ACL_RT_NOTIFY_EXPORT_FLAG_DISABLE_PID_VALIDATION) ?:
			acl_result(notify_export((uintptr_t)notify, flags, &number));

	if (!code)
		key_write(number, key);
	return code;
}

aclError aclrtNotifySetImportPid(aclrtNotify notify, int32_t *pid, size_t num)
{
	uint32_t id;

	return acl_enter(__func__) ?: acl_need(notify, "notify") ?:
	       key_check_pids(pid, num) ?: context_need() ?:
	       acl_result(notify_id((uintptr_t)notify, &id)) ?:
	       key_result(notify_allow((uintptr_t)notify, pid, num));
}

aclError aclrtNotifyImportByKey(aclrtNotify *notify, const char *key, uint64_t flags)
{
	uint64_t number = 0;
	uintptr_t handle = 0;
	int err;
	aclError code = acl_enter(__func__) ?: acl_need(notify, "notify") ?:
			key_read(key, &number) ?: context_need() ?:
			acl_notify_check_flags("flags", flags,
				    ACL_RT_NOTIFY_IMPORT_FLAG_ENABLE_PEER_ACCESS);

	if (code)
		return code;
	err = notify_import(number, context_device(), &handle);
	code = err == ACLKM_ERR_LIMIT ? limit_result(err) : key_result(err);
	if (!code)
		*notify = (aclrtNotify)handle;
	return code;
}
