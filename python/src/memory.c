// SPDX-License-Identifier: MIT
/* acl.rt: device memory, host memory, and what is known of addresses. */
#include "args.h"

#define POLICY(i) ((aclrtMemMallocPolicy)w[i])

ACL_OUT(malloc, "kI", void *, aclrtMalloc(&out, w[0], POLICY(1)))
ACL_OUT(malloc_align32, "kI", void *, aclrtMallocAlign32(&out, w[0], POLICY(1)))
ACL_OUT(malloc_cached, "kI", void *, aclrtMallocCached(&out, w[0], POLICY(1)))
ACL_RET(free, "k", aclrtFree(PTR(0)))
ACL_RET(free_with_dev_sync, "k", aclrtFreeWithDevSync(PTR(0)))
ACL_OUT(mem_alloc_managed, "kI", void *, aclrtMemAllocManaged(&out, w[0], U32(1)))
ACL_RET(mem_p2p_map, "kkik", aclrtMemP2PMap(PTR(0), w[1], I32(2), w[3]))

/* Device memory with attributes: the two calls differ in nothing else. */
static PyObject *with_cfg(PyObject *args, const char *function,
			  aclError (*call)(void **, size_t, aclrtMemMallocPolicy,
					   aclrtMallocConfig *))
{
	unsigned long size, policy;
	struct acl_config config;
	void *ptr = NULL;
	int ret;

	if (!acl_count(args, function, 3) ||
	    !acl_word(PyTuple_GetItem(args, 0), function, "argument 1", 'k', &size) ||
	    !acl_word(PyTuple_GetItem(args, 1), function, "argument 2", 'I', &policy) ||
	    !acl_config(PyTuple_GetItem(args, 2), function, &config))
		return NULL;
	UNLOCKED(ret = call(&ptr, size, (aclrtMemMallocPolicy)policy, config.pointer));
	acl_config_free(&config);
	return Py_BuildValue("(Ni)", PyLong_FromVoidPtr(ptr), ret);
}

static PyObject *py_malloc_with_cfg(PyObject *module, PyObject *args)
{
	(void)module;
	return with_cfg(args, "malloc_with_cfg", aclrtMallocWithCfg);
}

static PyObject *py_malloc_for_task_scheduler(PyObject *module, PyObject *args)
{
	(void)module;
	return with_cfg(args, "malloc_for_task_scheduler", aclrtMallocForTaskScheduler);
}

static PyObject *py_get_mem_info(PyObject *module, PyObject *args)
{
	unsigned long w[1];
	size_t available = 0, total = 0;
	int ret;

	(void)module;
	if (!acl_args(args, "get_mem_info", "I", w))
		return NULL;
	UNLOCKED(ret = aclrtGetMemInfo((aclrtMemAttr)w[0], &available, &total));
	return Py_BuildValue("(kki)", (unsigned long)available, (unsigned long)total,
			     ret);
}

static PyObject *location(const aclrtMemLocation *where)
{
	return Py_BuildValue("{sIsI}", "id", where->id, "type",
			     (unsigned int)where->type);
}

/* The reference says pageSize, the published wrapper page_size: both are there. */
static PyObject *py_pointer_get_attributes(PyObject *module, PyObject *args)
{
	aclrtPtrAttributes a = {.pageSize = 0};
	unsigned long w[1];
	int ret;

	(void)module;
	if (!acl_args(args, "pointer_get_attributes", "k", w))
		return NULL;
	UNLOCKED(ret = aclrtPointerGetAttributes(PTR(0), &a));
	return Py_BuildValue("({sNsIsIs[IIII]}i)", "location", location(&a.location),
			     "page_size", a.pageSize, "pageSize", a.pageSize, "rsv",
			     a.rsv[0], a.rsv[1], a.rsv[2], a.rsv[3], ret);
}

/* A list of what @dict makes of each entry, and @ret. */
static PyObject *list_and_ret(PyObject *(*dict)(const void *entry), const char *entries,
			      size_t size, size_t count, int ret)
{
	PyObject *list = PyList_New(0);
	size_t i;

	for (i = 0; list && i < count; i++) {
		PyObject *item = dict(entries + i * size);

		if (!item || PyList_Append(list, item))
			Py_CLEAR(list);
		Py_XDECREF(item);
	}
	return list ? Py_BuildValue("(Ni)", list, ret) : NULL;
}

static PyObject *uce_dict(const void *entry)
{
	const aclrtMemUceInfo *info = entry;

	return Py_BuildValue("{sNsk}", "addr", PyLong_FromVoidPtr(info->addr), "len",
			     (unsigned long)info->len);
}

static PyObject *py_get_mem_uce_info(PyObject *module, PyObject *args)
{
	aclrtMemUceInfo entries[ACL_RT_MEM_UCE_INFO_MAX_NUM];
	unsigned long w[2];
	size_t count = 0;
	int ret;

	(void)module;
	if (!acl_args(args, "get_mem_uce_info", "ik", w))
		return NULL;
	if (w[1] > ACL_RT_MEM_UCE_INFO_MAX_NUM)
		w[1] = ACL_RT_MEM_UCE_INFO_MAX_NUM;
	UNLOCKED(ret = aclrtGetMemUceInfo(I32(0), entries, w[1], &count));
	return list_and_ret(uce_dict, (const char *)entries, sizeof(*entries),
			    ret ? 0 : count, ret);
}

static PyObject *py_mem_uce_repair(PyObject *module, PyObject *args)
{
	aclrtMemUceInfo entries[ACL_RT_MEM_UCE_INFO_MAX_NUM + 1] = {{0}};
	const char *function = "mem_uce_repair";
	unsigned long device, addr, length;
	PyObject *list, *item;
	Py_ssize_t i, count;
	int ret;

	(void)module;
	if (!acl_count(args, function, 2) ||
	    !acl_word(PyTuple_GetItem(args, 0), function, "argument 1", 'i', &device))
		return NULL;
	list = PyTuple_GetItem(args, 1);
	if (!PyList_Check(list)) {
		acl_wrong_type(list, function, "argument 2", "list");
		return NULL;
	}
	/* One more than the call takes, so that the call refuses it. */
	count = PyList_Size(list);
	if (count > ACL_RT_MEM_UCE_INFO_MAX_NUM + 1)
		count = ACL_RT_MEM_UCE_INFO_MAX_NUM + 1;
	for (i = 0; i < count; i++) {
		item = PyList_GetItem(list, i);
		if (!PyDict_Check(item)) {
			acl_wrong_type(item, function, "item", "dict");
			return NULL;
		}
		if (!acl_get(item, function, "addr", 'k', NULL, &addr) ||
		    !acl_get(item, function, "len", 'k', NULL, &length))
			return NULL;
		entries[i].addr = (void *)addr;
		entries[i].len = length;
	}
	UNLOCKED(ret = aclrtMemUceRepair((int32_t)device, entries, (size_t)count));
	return PyLong_FromLong(ret);
}

static PyObject *usage_dict(const void *entry)
{
	const aclrtMemUsageInfo *info = entry;

	return Py_BuildValue("{sssKsK}", "name", info->name, "curMemSize",
			     (unsigned long long)info->curMemSize, "memPeakSize",
			     (unsigned long long)info->memPeakSize);
}

static PyObject *py_get_mem_usage_info(PyObject *module, PyObject *args)
{
	enum { ROOM = 256 };
	aclrtMemUsageInfo *entries;
	PyObject *result;
	unsigned long w[2];
	size_t count = 0;
	int ret;

	(void)module;
	if (!acl_args(args, "get_mem_usage_info", "ik", w))
		return NULL;
	if (w[1] > ROOM)
		w[1] = ROOM;
	entries = PyMem_Calloc(ROOM, sizeof(*entries));
	if (!entries)
		return PyErr_NoMemory();
	UNLOCKED(ret = aclrtGetMemUsageInfo(I32(0), entries, w[1], &count));
	result = list_and_ret(usage_dict, (const char *)entries, sizeof(*entries),
			      ret ? 0 : count, ret);
	PyMem_Free(entries);
	return result;
}

PyMethodDef acl_memory_methods[] = {
	FN(malloc, "(size, policy)",
	   "Device memory: ALIGN_UP[size,32] + 32 bytes. Gives (dev_ptr, ret)."),
	FN(malloc_align32, "(size, policy)",
	   "ALIGN_UP[size,32] bytes. Gives (dev_ptr, ret)."),
	FN(malloc_cached, "(size, policy)",
	   "As malloc, cached in any scenario. Gives (dev_ptr, ret)."),
	FN(malloc_with_cfg, "(size, policy, cfg)",
	   "With attributes: cfg is {} or {'attrs': [{'attr': 1, 'value': {'moduleId': "
	   "33}}],\n"
	   "'numAttrs': 1}. Gives (dev_ptr, ret)."),
	FN(malloc_for_task_scheduler, "(size, policy, cfg)",
	   "As malloc_with_cfg. Gives (dev_ptr, ret)."),
	FN(free, "(dev_ptr)",
	   "Free at once; wait for tasks that use it before. Gives ret."),
	FN(free_with_dev_sync, "(dev_ptr)",
	   "Free after all streams of the device are done. Gives ret."),
	FN(mem_alloc_managed, "(size, flag)",
	   "One address for host and device; free frees it. Gives (ptr, ret)."),
	FN(mem_p2p_map, "(dev_ptr, size, dst_device_id, flags)",
	   "Let another device reach it. Gives ret."),
	FN(get_mem_info, "(attr)",
	   "Bytes of the current device. Gives (free, total, ret)."),
	FN(pointer_get_attributes, "(ptr)",
	   "Gives ({'location': {'id', 'type'}, 'page_size', 'pageSize', 'rsv'}, ret)."),
	FN(mem_uce_repair, "(device_id, mem_uce_info_list)",
	   "Repair what get_mem_uce_info gave. Gives ret."),
	FN(get_mem_uce_info, "(device_id, size)",
	   "Memory faults, at most 20. Gives ([{'addr', 'len'}], ret)."),
	FN(get_mem_usage_info, "(device_id, size)",
	   "Who has how much. Gives ([{'name', 'curMemSize', 'memPeakSize'}], ret)."),
	FN_END,
};

ACL_OUT(malloc_host, "k", void *, aclrtMallocHost(&out, w[0]))
ACL_RET(free_host, "k", aclrtFreeHost(PTR(0)))
ACL_RET(free_host_with_dev_sync, "k", aclrtFreeHostWithDevSync(PTR(0)))
ACL_OUT(host_register, "kkI", void *,
	aclrtHostRegister(PTR(0), w[1], (aclrtHostRegisterType)w[2], &out))
ACL_RET(host_register_v2, "kkI", aclrtHostRegisterV2(PTR(0), w[1], U32(2)))
ACL_RET(host_unregister, "k", aclrtHostUnregister(PTR(0)))
ACL_OUT(host_get_device_pointer, "kI", void *,
	aclrtHostGetDevicePointer(PTR(0), &out, U32(1)))

static PyObject *py_malloc_host_with_cfg(PyObject *module, PyObject *args)
{
	const char *function = "malloc_host_with_cfg";
	struct acl_config config;
	unsigned long size;
	void *ptr = NULL;
	int ret;

	(void)module;
	if (!acl_count(args, function, 2) ||
	    !acl_word(PyTuple_GetItem(args, 0), function, "argument 1", 'k', &size) ||
	    !acl_config(PyTuple_GetItem(args, 1), function, &config))
		return NULL;
	UNLOCKED(ret = aclrtMallocHostWithCfg(&ptr, size, config.pointer));
	acl_config_free(&config);
	return Py_BuildValue("(Ni)", PyLong_FromVoidPtr(ptr), ret);
}

PyMethodDef acl_host_methods[] = {
	FN(malloc_host, "(size)", "Pinned host memory. Gives (host_ptr, ret)."),
	FN(malloc_host_with_cfg, "(size, cfg)",
	   "The same with attributes, as malloc_with_cfg. Gives (host_ptr, ret)."),
	FN(free_host, "(host_ptr)", "Gives ret."),
	FN(free_host_with_dev_sync, "(host_ptr)",
	   "Free after all streams of the device are done. Gives ret."),
	FN(host_register, "(ptr, size, type)",
	   "Let the device use the program's memory. Gives (dev_ptr, ret)."),
	FN(host_register_v2, "(ptr, size, flag)", "The same by flags. Gives ret."),
	FN(host_unregister, "(ptr)", "Undo it. Gives ret."),
	FN(host_get_device_pointer, "(ptr, flag)", "Gives (dev_ptr, ret)."),
	FN_END,
};
