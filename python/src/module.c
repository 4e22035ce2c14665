// SPDX-License-Identifier: MIT
/* The module acl._acl: functions of acl itself, and the modules below it. */
#include "args.h"

#include <aclkm/version.h>
#include <string.h>

static PyObject *py_init(PyObject *module, PyObject *args)
{
	const char *path = NULL;
	int ret;

	(void)module;
	if (!PyArg_ParseTuple(args, "|z:init", &path))
		return NULL;
	UNLOCKED(ret = aclInit(path));
	return PyLong_FromLong(ret);
}

/* None for NULL. The text is the library's and may be replaced by the next call. */
static PyObject *text_or_none(const char *text)
{
	if (!text)
		Py_RETURN_NONE;
	return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

static PyObject *py_get_recent_err_msg(PyObject *module, PyObject *args)
{
	(void)module;
	if (!acl_args(args, "get_recent_err_msg", "", NULL))
		return NULL;
	return text_or_none(aclGetRecentErrMsg());
}

static PyObject *py_get_soc_name(PyObject *module, PyObject *args)
{
	(void)module;
	if (!acl_args(args, "get_soc_name", "", NULL))
		return NULL;
	return text_or_none(aclrtGetSocName());
}

/* What gives a value and no error. */
#define VALUE(name, spec, value)                                                         \
	static PyObject *py_##name(PyObject *module, PyObject *args)                     \
	{                                                                                \
		unsigned long w[ACL_MAX_ARGS];                                           \
		(void)module;                                                            \
		if (!acl_args(args, #name, spec, w))                                     \
			return NULL;                                                     \
		return PyLong_FromUnsignedLong((unsigned long)value);                    \
	}

ACL_RET(finalize, "", aclFinalize())
ACL_OUT(finalize_reference, "", uint64_t, aclFinalizeReference(&out))
VALUE(create_data_buffer, "kk", aclCreateDataBuffer(PTR(0), w[1]))
ACL_RET(destroy_data_buffer, "k", aclDestroyDataBuffer(PTR(0)))
ACL_RET(update_data_buffer, "kkk", aclUpdateDataBuffer(PTR(0), PTR(1), w[2]))
VALUE(get_data_buffer_addr, "k", aclGetDataBufferAddr(PTR(0)))
VALUE(get_data_buffer_size, "k", aclGetDataBufferSize(PTR(0)))
VALUE(get_data_buffer_size_v2, "k", aclGetDataBufferSizeV2(PTR(0)))
VALUE(data_type_size, "i", aclDataTypeSize((aclDataType)I32(0)))

static PyObject *py_float16_to_float(PyObject *module, PyObject *args)
{
	unsigned long w[ACL_MAX_ARGS];

	(void)module;
	if (!acl_args(args, "float16_to_float", "I", w))
		return NULL;
	return acl_from_float(aclFloat16ToFloat((aclFloat16)U32(0)));
}

static PyObject *py_float_to_float16(PyObject *module, PyObject *args)
{
	double value;

	(void)module;
	if (!acl_count(args, "float_to_float16", 1))
		return NULL;
	if (!PyFloat_Check(PyTuple_GetItem(args, 0)) &&
	    !PyLong_Check(PyTuple_GetItem(args, 0))) {
		acl_wrong_type(PyTuple_GetItem(args, 0), "float_to_float16", "argument 1",
			       "float");
		return NULL;
	}
	value = PyFloat_AsDouble(PyTuple_GetItem(args, 0));
	if (PyErr_Occurred())
		return NULL;
	return PyLong_FromLong(aclFloatToFloat16((float)value));
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

static PyObject *py_app_log(PyObject *module, PyObject *args)
{
	unsigned long level;
	PyObject *message, *bytes;

	(void)module;
	if (!acl_count(args, "app_log", 2) ||
	    !acl_word(PyTuple_GetItem(args, 0), "app_log", "argument 1", 'I', &level))
		return NULL;
	message = PyTuple_GetItem(args, 1);
	if (!PyUnicode_Check(message)) {
		acl_wrong_type(message, "app_log", "argument 2", "str");
		return NULL;
	}
	bytes = PyUnicode_AsEncodedString(message, "utf-8", "replace");
	if (!bytes)
		return NULL;
	aclAppLog((aclLogLevel)level, "python", "acl", 0, "%s", PyBytes_AsString(bytes));
	Py_DECREF(bytes);
	Py_RETURN_NONE;
}

PyMethodDef acl_top_methods[] = {
	FN(init, "(config_path=None)",
	   "Start using AscendCL; the path of a JSON file, or nothing. Gives ret."),
	FN(finalize, "()", "Stop using it. Gives ret."),
	FN(finalize_reference, "()", "Undo one init. Gives (count, ret)."),
	FN(get_recent_err_msg, "()",
	   "What failed in this thread, newest first; reading clears it. Gives str or "
	   "None."),
	FN(get_soc_name, "()", "Gives str or None."),
	FN(create_data_buffer, "(ptr, size)",
	   "An address and a size. Gives a handle, 0 when there is no memory."),
	FN(destroy_data_buffer, "(data_buffer)", "The memory stays. Gives ret."),
	FN(update_data_buffer, "(data_buffer, ptr, size)",
	   "Another address and size. Gives ret."),
	FN(get_data_buffer_addr, "(data_buffer)", "Gives ptr."),
	FN(get_data_buffer_size, "(data_buffer)",
	   "Deprecated: 32 bits of the size. Gives size."),
	FN(get_data_buffer_size_v2, "(data_buffer)", "Gives size."),
	FN(float16_to_float, "(value)",
	   "The number that 16 bits of half precision are. Gives float."),
	FN(float_to_float16, "(value)",
	   "The nearest 16 bits of half precision. Gives int."),
	FN(get_version, "()",
	   "The version of the interface. Gives (major, minor, patch, ret)."),
	FN(app_log, "(log_level, message)",
	   "A line on standard error, from warnings on. Gives None."),
	FN(data_type_size, "(data_type)", "Bytes of an element. Gives size."),
	FN_END,
};

/* acl._acl.name, filled from tables up to NULL; it calls itself acl.name. */
static int add_module(PyObject *parent, const char *name, const char *doc,
		      PyMethodDef *const *tables)
{
	PyObject *full = PyUnicode_FromFormat("acl.%s", name);
	PyObject *module = full ? PyModule_NewObject(full) : NULL;

	Py_XDECREF(full);
	if (!module || PyModule_SetDocString(module, doc))
		goto failed;
	for (; *tables; tables++)
		if (acl_add_functions(module, *tables))
			goto failed;
	if (!PyModule_AddObject(parent, name, module))
		return 0; /* the reference is the parent's now */
failed:
	Py_XDECREF(module);
	return -1;
}

static int execute(PyObject *module)
{
	static PyMethodDef *const rt[] = {
		acl_device_methods,   acl_stream_methods,    acl_event_methods,
		acl_notify_methods,   acl_memory_methods,    acl_host_methods,
		acl_copy_methods,     acl_vmm_methods,	     acl_share_methods,
		acl_callback_methods, acl_allocator_methods, NULL,
	};
	static PyMethodDef *const media[] = {acl_media_methods, NULL};
	static PyMethodDef *const himpi[] = {acl_himpi_methods, NULL};
	static PyMethodDef *const util[] = {acl_util_methods, NULL};

	if (PyModule_AddStringConstant(module, "__version__", ACLKM_VERSION) ||
	    acl_add_constants(module) || acl_add_functions(module, acl_top_methods) ||
	    add_module(module, "rt", "The runtime: devices, memory, copies, streams.",
		       rt) ||
	    add_module(module, "media", "Memory for media data processing.", media) ||
	    add_module(module, "himpi", "Media memory, the hi_mpi way.", himpi) ||
	    add_module(module, "util", "Bytes and addresses.", util))
		return -1;
	return 0;
}

static PyModuleDef_Slot slots[] = {
	{Py_mod_exec, execute},
	{0, NULL},
};

static PyModuleDef definition = {
	PyModuleDef_HEAD_INIT,
	.m_name = "acl._acl",
	.m_doc = "AscendCL for Python; use acl.",
	.m_slots = slots,
};

PyMODINIT_FUNC PyInit__acl(void);
PyMODINIT_FUNC PyInit__acl(void)
{
	return PyModuleDef_Init(&definition);
}
