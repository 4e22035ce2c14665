// SPDX-License-Identifier: MIT
/* Sharing between processes: the argument rules of AscendCL. */
#include "acl/acl_rt.h"

#include <string.h>

#include "debug/debug.h"
#include "exec/exec.h"
#include "map/map.h"
#include "acl/context.h"
#include "acl/key.h"
#include "acl/result.h"

#define FABRIC_MAGIC "aclkm-fabric"

static aclError argument_result(int err)
{
	return acl_result_for(err, ACLKM_ERR_INVALID, ACL_ERROR_RT_PARAM_INVALID);
}

static aclError acl_share_check_flags(uint64_t flags)
{
	if (flags <= 1)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_RT_PARAM_INVALID, "flags = %llu: must be 0 or 1",
			  (unsigned long long)flags);
}

/* The two forms of a shareable handle: a number, or 128 bytes with it inside. */
static aclError check_share_type(aclrtMemSharedHandleType type)
{
	if (type == ACL_MEM_SHARE_HANDLE_TYPE_DEFAULT ||
	    type == ACL_MEM_SHARE_HANDLE_TYPE_FABRIC)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
			  "shareType = %d: must be DEFAULT (1) or FABRIC (2)", (int)type);
}

static void write_handle(uint64_t number, aclrtMemSharedHandleType type, void *out)
{
	aclrtMemFabricHandle fabric = {{0}};

	if (type == ACL_MEM_SHARE_HANDLE_TYPE_DEFAULT) {
		memcpy(out, &number, sizeof(number));
		return;
	}
	memcpy(fabric.data, FABRIC_MAGIC, sizeof(FABRIC_MAGIC));
	memcpy(fabric.data + 64, &number, sizeof(number));
	memcpy(out, &fabric, sizeof(fabric));
}

static aclError read_handle(const void *handle, aclrtMemSharedHandleType type,
			    uint64_t *number)
{
	const uint8_t *bytes = handle;

	if (type == ACL_MEM_SHARE_HANDLE_TYPE_FABRIC) {
		if (memcmp(bytes, FABRIC_MAGIC, sizeof(FABRIC_MAGIC)) != 0)
			return acl_refuse(ACL_ERROR_RT_INVALID_HANDLE,
					  "shareableHandle: not one of this library");
		bytes += 64;
	}
	memcpy(number, bytes, sizeof(*number));
	return ACL_SUCCESS;
}

static aclError export_physical(aclrtDrvMemHandle handle, uint64_t flags,
				aclrtMemSharedHandleType type, void *out)
{
	uint64_t number = 0;
	aclError code = acl_share_check_flags(flags)
				?: argument_result(share_physical_export(
					   (uintptr_t)handle, flags, &number));

	if (!code)
		write_handle(number, type, out);
	return code;
}

aclError aclrtMemExportToShareableHandle(aclrtDrvMemHandle handle,
					 aclrtMemHandleType handleType, uint64_t flags,
					 uint64_t *shareableHandle)
{
	aclError code = acl_enter(__func__) ?: acl_need(handle, "handle") ?:
			acl_need(shareableHandle, "shareableHandle") ?: context_need();

	if (code)
		return code;
	if (handleType != ACL_MEM_HANDLE_TYPE_NONE)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "handleType = %d: must be NONE (0)", (int)handleType);
	return export_physical(handle, flags, ACL_MEM_SHARE_HANDLE_TYPE_DEFAULT,
			       shareableHandle);
}

aclError aclrtMemExportToShareableHandleV2(aclrtDrvMemHandle handle, uint64_t flags,
					   aclrtMemSharedHandleType shareType,
					   void *shareableHandle)
{
	return acl_enter(__func__) ?: acl_need(handle, "handle") ?:
	       acl_need(shareableHandle, "shareableHandle") ?: context_need() ?:
	       check_share_type(shareType) ?:
	       export_physical(handle, flags, shareType, shareableHandle);
}

aclError aclrtMemSetPidToShareableHandle(uint64_t shareableHandle, int32_t *pid,
					 size_t pidNum)
{
	return acl_enter(__func__) ?: key_check_pids(pid, pidNum) ?: context_need() ?:
	       key_result(share_allow(shareableHandle, pid, pidNum));
}

aclError aclrtMemSetPidToShareableHandleV2(void *shareableHandle,
					   aclrtMemSharedHandleType shareType,
					   int32_t *pid, size_t pidNum)
{
	uint64_t number = 0;

	return acl_enter(__func__) ?: acl_need(shareableHandle, "shareableHandle") ?:
	       key_check_pids(pid, pidNum) ?: context_need() ?:
	       check_share_type(shareType) ?:
	       read_handle(shareableHandle, shareType, &number) ?:
	       key_result(share_allow(number, pid, pidNum));
}

static aclError import_physical(uint64_t number, int32_t device,
				aclrtDrvMemHandle *handle)
{
	uintptr_t got;
	int err = share_physical_import(number, (uint32_t)device, &got);
	aclError code = err == ACLKM_ERR_INVALID ? argument_result(err) : key_result(err);

	if (!code)
		*handle = (aclrtDrvMemHandle)got;
	return code;
}

aclError aclrtMemImportFromShareableHandle(uint64_t shareableHandle, int32_t deviceId,
					   aclrtDrvMemHandle *handle)
{
	return acl_enter(__func__) ?: acl_need(handle, "handle") ?: context_need() ?:
	       context_check_device(deviceId) ?:
	       import_physical(shareableHandle, deviceId, handle);
}

aclError aclrtMemImportFromShareableHandleV2(void *shareableHandle,
					     aclrtMemSharedHandleType shareType,
					     uint64_t flags, aclrtDrvMemHandle *handle)
{
	uint64_t number = 0;
	aclError code = acl_enter(__func__) ?:
			acl_need(shareableHandle, "shareableHandle") ?:
			acl_need(handle, "handle") ?: context_need() ?:
			check_share_type(shareType) ?: acl_share_check_flags(flags) ?:
			read_handle(shareableHandle, shareType, &number);

	if (code)
		return code;
	return import_physical(number, (int32_t)context_device(), handle);
}

aclError aclrtIpcMemGetExportKey(void *devPtr, size_t size, char *key, size_t len,
				 uint64_t flags)
{
	uint64_t number = 0;
	aclError code = acl_enter(__func__) ?: acl_need(devPtr, "devPtr") ?:
			acl_need_size(size, "size") ?: acl_need(key, "key") ?:
			context_need() ?: acl_share_check_flags(flags);

	if (code)
		return code;
	code = key_check_length(len)
		       ?: argument_result(
				  share_block_export(devPtr, size, flags, &number));
	if (code)
		return code;
	check_offer_begin(number, (uint64_t)(uintptr_t)devPtr, size);
	key_write(number, key);
	return ACL_SUCCESS;
}

aclError aclrtIpcMemSetImportPid(const char *key, int32_t *pid, size_t num)
{
	uint64_t number = 0;

	return acl_enter(__func__) ?: key_read(key, &number) ?: key_check_pids(pid, num) ?:
	       context_need() ?: key_result(share_allow(number, pid, num));
}

aclError aclrtIpcMemImportByKey(void **devPtr, const char *key, uint64_t flags)
{
	uint64_t number = 0;

	return acl_enter(__func__) ?: acl_need(devPtr, "devPtr") ?:
	       key_read(key, &number) ?: context_need() ?: acl_share_check_flags(flags) ?:
	       key_result(share_block_import(number, context_device(), devPtr));
}

aclError aclrtIpcMemClose(const char *key)
{
	uint64_t number = 0;

	aclError code = acl_enter(__func__) ?: key_read(key, &number);

	if (!code)
		check_offer_end(number);
	return code ?: key_result(share_block_close(number));
}

#define EVENT_MAGIC "aclkm-ipc-event"

aclError aclrtIpcGetEventHandle(aclrtEvent event, aclrtIpcEventHandle *handle)
{
	uint64_t number = 0;
	aclError code = acl_enter(__func__) ?: acl_need(event, "event") ?:
			acl_need(handle, "handle") ?: context_need() ?:
			acl_result(event_export((uintptr_t)event, &number));

	if (code)
		return code;
	memset(handle, 0, sizeof(*handle));
	memcpy(handle->reserved, EVENT_MAGIC, sizeof(EVENT_MAGIC));
	memcpy(handle->reserved + 32, &number, sizeof(number));
	return ACL_SUCCESS;
}

aclError aclrtIpcOpenEventHandle(aclrtIpcEventHandle handle, aclrtEvent *event)
{
	uint64_t number = 0;
	uintptr_t got;
	aclError code = acl_enter(__func__) ?: acl_need(event, "event") ?: context_need();

	if (code)
		return code;
	if (memcmp(handle.reserved, EVENT_MAGIC, sizeof(EVENT_MAGIC)) != 0)
		return acl_refuse(ACL_ERROR_RT_INVALID_HANDLE,
				  "handle: not one of this library");
	memcpy(&number, handle.reserved + 32, sizeof(number));
	code = key_result(event_import(number, context_device(), &got));
	if (!code)
		*event = (aclrtEvent)got;
	return code;
}
