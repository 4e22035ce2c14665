// SPDX-License-Identifier: MIT
/* acl.rt: functions of Python that streams call, and values in memory. */
#include "args.h"

#include <stdlib.h>

struct callback {
	PyObject *function;
	PyObject *data;
};

/* In aclrtProcessReport, which runs without the interpreter's lock. */
static void run_callback(void *argument)
{
	struct callback *callback = argument;
	PyGILState_STATE state = PyGILState_Ensure();
	PyObject *result =
		PyObject_CallFunctionObjArgs(callback->function, callback->data, NULL);

	if (!result)
		PyErr_WriteUnraisable(callback->function);
	Py_XDECREF(result);
	Py_DECREF(callback->function);
	Py_DECREF(callback->data);
	PyGILState_Release(state);
	free(callback);
}

/*
 * The function and its data live until it has run. A callback that never runs, since
 * its stream lost its thread before, keeps them: nobody tells that it was dropped.
 */
static PyObject *py_launch_callback(PyObject *module, PyObject *args)
{
	const char *function = "launch_callback";
	struct callback *callback;
	unsigned long block, stream;
	int ret;

	(void)module;
	if (!acl_count(args, function, 4))
		return NULL;
	if (!PyCallable_Check(PyTuple_GetItem(args, 0))) {
		acl_wrong_type(PyTuple_GetItem(args, 0), function, "argument 1",
			       "callable");
		return NULL;
	}
	if (!acl_word(PyTuple_GetItem(args, 2), function, "argument 3", 'I', &block) ||
	    !acl_word(PyTuple_GetItem(args, 3), function, "argument 4", 'k', &stream))
		return NULL;
	callback = malloc(sizeof(*callback));
	if (!callback)
		return PyErr_NoMemory();
	callback->function = PyTuple_GetItem(args, 0);
	callback->data = PyTuple_GetItem(args, 1);
	Py_INCREF(callback->function);
	Py_INCREF(callback->data);
	UNLOCKED(ret = aclrtLaunchCallback(run_callback, callback,
					   (aclrtCallbackBlockType)block,
					   (aclrtStream)stream));
	if (ret) {
		Py_DECREF(callback->function);
		Py_DECREF(callback->data);
		free(callback);
	}
	return PyLong_FromLong(ret);
}

ACL_RET(subscribe_report, "kk", aclrtSubscribeReport(w[0], PTR(1)))
ACL_RET(unsubscribe_report, "kk", aclrtUnSubscribeReport(w[0], PTR(1)))
ACL_RET(process_report, "i", aclrtProcessReport(I32(0)))
ACL_RET(value_write, "kkIk", aclrtValueWrite(PTR(0), w[1], U32(2), PTR(3)))
ACL_RET(value_wait, "kkIk", aclrtValueWait(PTR(0), w[1], U32(2), PTR(3)))

/* Under the interpreter's lock; NULL: none. */
static PyObject *on_exception;

/* In the thread that ran the task. */
static void run_exception(aclrtExceptionInfo *info)
{
	PyGILState_STATE state = PyGILState_Ensure();
	PyObject *function = on_exception;
	PyObject *address, *result;

	if (function) {
		Py_INCREF(function);
		address = PyLong_FromVoidPtr(info);
		result = address ? PyObject_CallFunctionObjArgs(function, address, NULL)
				 : NULL;
		if (!result)
			PyErr_WriteUnraisable(function);
		Py_XDECREF(result);
		Py_XDECREF(address);
		Py_DECREF(function);
	}
	PyGILState_Release(state);
}

static PyObject *py_set_exception_info_callback(PyObject *module, PyObject *args)
{
	const char *name = "set_exception_info_callback";
	PyObject *function = Py_None, *old;
	int ret;

	(void)module;
	if (PyTuple_Size(args) && !acl_count(args, name, 1))
		return NULL;
	if (PyTuple_Size(args))
		function = PyTuple_GetItem(args, 0);
	if (function == Py_None)
		function = NULL;
	if (function && !PyCallable_Check(function)) {
		acl_wrong_type(function, name, "argument 1", "callable or None");
		return NULL;
	}
	UNLOCKED(ret = aclrtSetExceptionInfoCallback(function ? run_exception : NULL));
	if (!ret) {
		Py_XINCREF(function);
		old = on_exception;
		on_exception = function;
		Py_XDECREF(old);
	}
	return PyLong_FromLong(ret);
}

#define EXCEPTION_NUMBER(name, call)                                                     \
	static PyObject *py_##name(PyObject *module, PyObject *args)                     \
	{                                                                                \
		unsigned long w[ACL_MAX_ARGS];                                           \
                                                                                         \
		(void)module;                                                            \
		if (!acl_args(args, #name, "k", w))                                      \
			return NULL;                                                     \
		return PyLong_FromUnsignedLong(call(PTR(0)));                            \
	}

EXCEPTION_NUMBER(get_task_id_from_exception_info, aclrtGetTaskIdFromExceptionInfo)
EXCEPTION_NUMBER(get_stream_id_from_exception_info, aclrtGetStreamIdFromExceptionInfo)
EXCEPTION_NUMBER(get_thread_id_from_exception_info, aclrtGetThreadIdFromExceptionInfo)
EXCEPTION_NUMBER(get_device_id_from_exception_info, aclrtGetDeviceIdFromExceptionInfo)
EXCEPTION_NUMBER(get_error_code_from_exception_info, aclrtGetErrorCodeFromExceptionInfo)

PyMethodDef acl_callback_methods[] = {
	FN(set_exception_info_callback, "(function=None)",
	   "Call function(info) when a task fails, in a thread of the library; None "
	   "ends\n"
	   "it. info is good until the function returns. Gives ret."),
	FN(get_task_id_from_exception_info, "(info)",
	   "Which of the tasks in its stream's queue. Gives the number, or 0xFFFFFFFF "
	   "for 0."),
	FN(get_stream_id_from_exception_info, "(info)",
	   "Which stream. Gives the number, or 0xFFFFFFFF for 0."),
	FN(get_thread_id_from_exception_info, "(info)",
	   "The thread that ran the task. Gives the number, or 0xFFFFFFFF for 0."),
	FN(get_device_id_from_exception_info, "(info)",
	   "The stream's device. Gives the number, or 0xFFFFFFFF for 0."),
	FN(get_error_code_from_exception_info, "(info)",
	   "What the next synchronisation returns. Gives the code, or 0xFFFFFFFF for 0."),
	FN(subscribe_report, "(thread_id, stream)",
	   "Run the stream's callbacks in a thread of acl.util.start_thread. Gives ret."),
	FN(unsubscribe_report, "(thread_id, stream)",
	   "Undo it; callbacks that have not begun never will. Gives ret."),
	FN(launch_callback, "(function, user_data, block_type, stream)",
	   "Call function(user_data) when the stream comes there; 1 holds the stream\n"
	   "until it has returned. Gives ret."),
	FN(process_report, "(timeout)",
	   "Run one callback of this thread; ms, or -1 for ever. Gives ret."),
	FN(value_write, "(dev_ptr, value, flag, stream)",
	   "Write 64 bits when the stream comes there; flag 0. Gives ret."),
	FN(value_wait, "(dev_ptr, value, flag, stream)",
	   "Hold the stream until the 64 bits fulfil the rule of flag. Gives ret."),
	FN_END,
};
