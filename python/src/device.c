// SPDX-License-Identifier: MIT
/* acl.rt: devices and contexts. */
#include "args.h"

ACL_RET(set_device, "i", aclrtSetDevice(I32(0)))
ACL_RET(reset_device, "i", aclrtResetDevice(I32(0)))
ACL_RET(reset_device_force, "i", aclrtResetDeviceForce(I32(0)))
ACL_OUT(get_device, "", int32_t, aclrtGetDevice(&out))
ACL_OUT(get_device_count, "", uint32_t, aclrtGetDeviceCount(&out))
ACL_OUT(get_run_mode, "", aclrtRunMode, aclrtGetRunMode(&out))
ACL_RET(synchronize_device, "", aclrtSynchronizeDevice())
ACL_RET(synchronize_device_with_timeout, "i", aclrtSynchronizeDeviceWithTimeout(I32(0)))
ACL_RET(device_task_abort, "iI", aclrtDeviceTaskAbort(I32(0), U32(1)))
ACL_OUT(query_device_status, "i", aclrtDeviceStatus, aclrtQueryDeviceStatus(I32(0), &out))
ACL_OUT(get_device_info, "II", int64_t,
	aclrtGetDeviceInfo(U32(0), (aclrtDevAttr)w[1], &out))
ACL_OUT(device_get_bare_tgid, "", int32_t, aclrtDeviceGetBareTgid(&out))

ACL_OUT(device_can_access_peer, "ii", int32_t,
	aclrtDeviceCanAccessPeer(&out, I32(0), I32(1)))
ACL_RET(device_enable_peer_access, "iI", aclrtDeviceEnablePeerAccess(I32(0), U32(1)))
ACL_RET(device_disable_peer_access, "i", aclrtDeviceDisablePeerAccess(I32(0)))
ACL_OUT(device_peer_access_status, "ii", int32_t,
	aclrtDevicePeerAccessStatus(I32(0), I32(1), &out))

ACL_OUT(create_context, "i", void *, aclrtCreateContext(&out, I32(0)))
ACL_RET(destroy_context, "k", aclrtDestroyContext(PTR(0)))
ACL_RET(set_context, "k", aclrtSetCurrentContext(PTR(0)))
ACL_OUT(get_context, "", void *, aclrtGetCurrentContext(&out))

static PyObject *py_device_get_stream_priority_range(PyObject *module, PyObject *args)
{
	int32_t least = 0, greatest = 0;
	int ret;

	(void)module;
	if (!acl_args(args, "device_get_stream_priority_range", "", NULL))
		return NULL;
	UNLOCKED(ret = aclrtDeviceGetStreamPriorityRange(&least, &greatest));
	return Py_BuildValue("(iii)", least, greatest, ret);
}

static PyObject *py_get_version(PyObject *module, PyObject *args)
{
	int32_t major = 0, minor = 0, patch = 0;
	int ret;

	(void)module;
	if (!acl_args(args, "get_version", "", NULL))
		return NULL;
	UNLOCKED(ret = aclrtGetVersion(&major, &minor, &patch));
	return Py_BuildValue("(iiii)", major, minor, patch, ret);
}

static PyObject *py_device_get_uuid(PyObject *module, PyObject *args)
{
	unsigned long w[ACL_MAX_ARGS];
	aclrtUuid uuid = {{0}};
	int ret;

	(void)module;
	if (!acl_args(args, "device_get_uuid", "i", w))
		return NULL;
	UNLOCKED(ret = aclrtDeviceGetUuid(I32(0), &uuid));
	return Py_BuildValue(
		"(Ni)",
		PyBytes_FromStringAndSize(uuid.bytes, ret ? 0 : sizeof(uuid.bytes)), ret);
}

static PyObject *py_get_primary_ctx_state(PyObject *module, PyObject *args)
{
	unsigned long w[ACL_MAX_ARGS];
	uint32_t flags = 0;
	int32_t active = 0;
	int ret;

	(void)module;
	if (!acl_args(args, "get_primary_ctx_state", "i", w))
		return NULL;
	UNLOCKED(ret = aclrtGetPrimaryCtxState(I32(0), &flags, &active));
	return Py_BuildValue("(Iii)", flags, active, ret);
}

ACL_RET(get_last_error, "I", aclrtGetLastError((aclrtLastErrLevel)w[0]))
ACL_RET(peek_at_last_error, "I", aclrtPeekAtLastError((aclrtLastErrLevel)w[0]))

PyMethodDef acl_device_methods[] = {
	FN(set_device, "(device_id)",
	   "Make a device this thread's, with its default context. Gives ret."),
	FN(reset_device, "(device_id)",
	   "Undo one set_device; the last one finishes what runs. Gives ret."),
	FN(reset_device_force, "(device_id)",
	   "Reset the device whatever the count is. Gives ret."),
	FN(get_device, "()", "This thread's device. Gives (device_id, ret)."),
	FN(get_device_count, "()", "Gives (count, ret)."),
	FN(get_run_mode, "()", "0 ACL_DEVICE or 1 ACL_HOST. Gives (run_mode, ret)."),
	FN(synchronize_device, "()",
	   "Wait for all streams of the current device. Gives ret."),
	FN(synchronize_device_with_timeout, "(timeout)",
	   "The same, for that many ms at most, -1 for ever. Gives ret."),
	FN(device_task_abort, "(device_id, timeout)",
	   "Drop the tasks of all streams of the device. Gives ret."),
	FN(query_device_status, "(device_id)", "Gives (status, ret)."),
	FN(get_device_info, "(device_id, attr)", "Gives (value, ret)."),
	FN(device_get_bare_tgid, "()",
	   "This process for mem_set_pid_to_shareable_handle. Gives (pid, ret)."),
	FN(device_can_access_peer, "(device_id, peer_device_id)",
	   "Whether copies between the two can be enabled. Gives (can_access, ret)."),
	FN(device_enable_peer_access, "(peer_device_id, flags)",
	   "Let the current device reach the other one; flags 0. Gives ret."),
	FN(device_disable_peer_access, "(peer_device_id)", "Undo it. Gives ret."),
	FN(device_peer_access_status, "(device_id, peer_device_id)",
	   "Whether it is enabled. Gives (status, ret)."),
	FN(create_context, "(device_id)",
	   "A new context, current in this thread from now on. Gives (context, ret)."),
	FN(destroy_context, "(context)",
	   "Finish and destroy its streams, then it. Gives ret."),
	FN(set_context, "(context)", "Make it this thread's. Gives ret."),
	FN(get_context, "()", "This thread's. Gives (context, ret)."),
	FN(device_get_stream_priority_range, "()", "Gives (least, greatest, ret)."),
	FN(get_version, "()",
	   "The version of the interface. Gives (major, minor, patch, ret)."),
	FN(device_get_uuid, "(device_id)",
	   "16 bytes, the same in all processes. Gives (uuid, ret)."),
	FN(get_primary_ctx_state, "(device_id)",
	   "1 when the default context is there. Gives (flags, active, ret)."),
	FN(get_last_error, "(level)",
	   "The last failure of this thread, which is forgotten. Gives ret."),
	FN(peek_at_last_error, "(level)", "The same, and kept. Gives ret."),
	FN_END,
};
