// SPDX-License-Identifier: MIT
/* acl.rt: virtual addresses, physical memory, and sharing between processes. */
#include "args.h"

#include <string.h>

ACL_OUT(reserve_mem_address, "kkkk", void *,
	aclrtReserveMemAddress(&out, w[0], w[1], PTR(2), w[3]))
ACL_RET(release_mem_address, "k", aclrtReleaseMemAddress(PTR(0)))
ACL_RET(free_physical, "k", aclrtFreePhysical(PTR(0)))
ACL_RET(map_mem, "kkkkk", aclrtMapMem(PTR(0), w[1], w[2], PTR(3), w[4]))
ACL_RET(unmap_mem, "k", aclrtUnmapMem(PTR(0)))
ACL_OUT(mem_retain_allocation_handle, "k", void *,
	aclrtMemRetainAllocationHandle(PTR(0), &out))

static PyObject *py_malloc_physical(PyObject *module, PyObject *args)
{
	const char *function = "malloc_physical";
	aclrtDrvMemHandle handle = NULL;
	aclrtPhysicalMemProp prop;
	unsigned long size, flags;
	int ret;

	(void)module;
	if (!acl_count(args, function, 3) ||
	    !acl_word(PyTuple_GetItem(args, 0), function, "argument 1", 'k', &size) ||
	    !acl_prop(PyTuple_GetItem(args, 1), function, &prop) ||
	    !acl_word(PyTuple_GetItem(args, 2), function, "argument 3", 'k', &flags))
		return NULL;
	UNLOCKED(ret = aclrtMallocPhysical(&handle, size, &prop, flags));
	return Py_BuildValue("(Ni)", PyLong_FromVoidPtr(handle), ret);
}

static PyObject *py_mem_get_allocation_granularity(PyObject *module, PyObject *args)
{
	const char *function = "mem_get_allocation_granularity";
	aclrtPhysicalMemProp prop;
	unsigned long option;
	size_t granularity = 0;
	int ret;

	(void)module;
	if (!acl_count(args, function, 2) ||
	    !acl_prop(PyTuple_GetItem(args, 0), function, &prop) ||
	    !acl_word(PyTuple_GetItem(args, 1), function, "argument 2", 'I', &option))
		return NULL;
	UNLOCKED(ret = aclrtMemGetAllocationGranularity(
			 &prop, (aclrtMemGranularityOptions)option, &granularity));
	return Py_BuildValue("(ki)", (unsigned long)granularity, ret);
}

static PyObject *py_mem_get_address_range(PyObject *module, PyObject *args)
{
	unsigned long w[1];
	void *base = NULL;
	size_t size = 0;
	int ret;

	(void)module;
	if (!acl_args(args, "mem_get_address_range", "k", w))
		return NULL;
	UNLOCKED(ret = aclrtMemGetAddressRange(PTR(0), &base, &size));
	return Py_BuildValue("(Nki)", PyLong_FromVoidPtr(base), (unsigned long)size, ret);
}

PyMethodDef acl_vmm_methods[] = {
	FN(reserve_mem_address, "(size, alignment, expect_ptr, flags)",
	   "Address space with no memory behind it. Gives (ptr, ret)."),
	FN(release_mem_address, "(ptr)", "Give it back; unmap first. Gives ret."),
	FN(malloc_physical, "(size, prop, flags)",
	   "Physical memory; prop is {'handleType', 'allocationType', 'memAttr',\n"
	   "'location': {'id', 'type'}, 'reserve'}. Gives (handle, ret)."),
	FN(free_physical, "(handle)", "Free it when it is not mapped. Gives ret."),
	FN(map_mem, "(ptr, size, offset, handle, flags)",
	   "Put it behind addresses. Gives ret."),
	FN(unmap_mem, "(ptr)", "Undo it. Gives ret."),
	FN(mem_get_allocation_granularity, "(prop, option)",
	   "What sizes are multiples of. Gives (granularity, ret)."),
	FN(mem_retain_allocation_handle, "(ptr)",
	   "What is mapped there, once more. Gives (handle, ret)."),
	FN(mem_get_address_range, "(ptr)",
	   "The range around an address. Gives (base, size, ret)."),
	FN_END,
};

ACL_OUT(mem_export_to_shareable_handle, "kIk", uint64_t,
	aclrtMemExportToShareableHandle(PTR(0), (aclrtMemHandleType)w[1], w[2], &out))
ACL_OUT(mem_import_from_shareable_handle, "ki", void *,
	aclrtMemImportFromShareableHandle(w[0], I32(1), &out))

PyObject *acl_set_pids(PyObject *args, const char *function,
		       aclError (*call)(unsigned long handle, int32_t *pids,
					size_t count))
{
	unsigned long handle;
	int32_t *pids;
	size_t count;
	int ret;

	if (!acl_count(args, function, 2) ||
	    !acl_word(PyTuple_GetItem(args, 0), function, "argument 1", 'k', &handle) ||
	    !acl_pids(PyTuple_GetItem(args, 1), function, &pids, &count))
		return NULL;
	UNLOCKED(ret = call(handle, pids, count));
	PyMem_Free(pids);
	return PyLong_FromLong(ret);
}

static aclError let_import(unsigned long shareable, int32_t *pids, size_t count)
{
	return aclrtMemSetPidToShareableHandle(shareable, pids, count);
}

static PyObject *py_mem_set_pid_to_shareable_handle(PyObject *module, PyObject *args)
{
	(void)module;
	return acl_set_pids(args, "mem_set_pid_to_shareable_handle", let_import);
}

/* A str of at most 64 ASCII characters; the copy outlives the interpreter's lock. */
bool acl_key(PyObject *value, const char *function, char key[ACL_RT_IPC_MEM_KEY_LENGTH])
{
	PyObject *bytes;
	char *text;
	Py_ssize_t size;
	bool fits = false;

	if (!PyUnicode_Check(value))
		return acl_wrong_type(value, function, "key", "str");
	bytes = PyUnicode_AsUTF8String(value);
	if (!bytes)
		return false;
	if (!PyBytes_AsStringAndSize(bytes, &text, &size)) {
		fits = size < ACL_RT_IPC_MEM_KEY_LENGTH && !memchr(text, 0, (size_t)size);
		if (fits)
			memcpy(key, text, (size_t)size + 1);
		else
			PyErr_Format(PyExc_ValueError,
				     "%s() key has %zd bytes: must be at most 64, none "
				     "of them 0",
				     function, size);
	}
	Py_DECREF(bytes);
	return fits;
}

static PyObject *py_ipc_mem_get_export_key(PyObject *module, PyObject *args)
{
	char key[4096] = "";
	unsigned long w[4];
	int ret;

	(void)module;
	if (!acl_args(args, "ipc_mem_get_export_key", "kkkk", w))
		return NULL;
	if (w[2] > sizeof(key))
		w[2] = sizeof(key);
	UNLOCKED(ret = aclrtIpcMemGetExportKey(PTR(0), w[1], key, w[2], w[3]));
	return Py_BuildValue("(si)", ret ? "" : key, ret);
}

static PyObject *py_ipc_mem_set_import_pid(PyObject *module, PyObject *args)
{
	const char *function = "ipc_mem_set_import_pid";
	char key[ACL_RT_IPC_MEM_KEY_LENGTH];
	int32_t *pids;
	size_t count;
	int ret;

	(void)module;
	if (!acl_count(args, function, 2) ||
	    !acl_key(PyTuple_GetItem(args, 0), function, key) ||
	    !acl_pids(PyTuple_GetItem(args, 1), function, &pids, &count))
		return NULL;
	UNLOCKED(ret = aclrtIpcMemSetImportPid(key, pids, count));
	PyMem_Free(pids);
	return PyLong_FromLong(ret);
}

static PyObject *py_ipc_mem_import_by_key(PyObject *module, PyObject *args)
{
	const char *function = "ipc_mem_import_by_key";
	char key[ACL_RT_IPC_MEM_KEY_LENGTH];
	unsigned long flags;
	void *ptr = NULL;
	int ret;

	(void)module;
	if (!acl_count(args, function, 2) ||
	    !acl_key(PyTuple_GetItem(args, 0), function, key) ||
	    !acl_word(PyTuple_GetItem(args, 1), function, "argument 2", 'k', &flags))
		return NULL;
	UNLOCKED(ret = aclrtIpcMemImportByKey(&ptr, key, flags));
	return Py_BuildValue("(Ni)", PyLong_FromVoidPtr(ptr), ret);
}

static PyObject *py_ipc_mem_close(PyObject *module, PyObject *args)
{
	char key[ACL_RT_IPC_MEM_KEY_LENGTH];
	int ret;

	(void)module;
	if (!acl_count(args, "ipc_mem_close", 1) ||
	    !acl_key(PyTuple_GetItem(args, 0), "ipc_mem_close", key))
		return NULL;
	UNLOCKED(ret = aclrtIpcMemClose(key));
	return PyLong_FromLong(ret);
}

PyMethodDef acl_share_methods[] = {
	FN(mem_export_to_shareable_handle, "(handle, type, flags)",
	   "Offer physical memory to other processes. Gives (shareable, ret)."),
	FN(mem_set_pid_to_shareable_handle, "(shareable, pids)",
	   "Let processes import it. Gives ret."),
	FN(mem_import_from_shareable_handle, "(shareable, device_id)",
	   "Physical memory of another process. Gives (handle, ret)."),
	FN(ipc_mem_get_export_key, "(dev_ptr, size, len, flag)",
	   "Offer a block to other processes by a str; len from 65. Gives (key, ret)."),
	FN(ipc_mem_set_import_pid, "(key, pids)", "Let processes import it. Gives ret."),
	FN(ipc_mem_import_by_key, "(key, flag)",
	   "Map the block of another process. Gives (ptr, ret)."),
	FN(ipc_mem_close, "(key)", "Unmap it, or offer it no more. Gives ret."),
	FN_END,
};
