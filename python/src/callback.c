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

PyMethodDef acl_callback_methods[] = {
	FN(subscribe_report, "(thread_id, stream, /)",
	   "Run the stream's callbacks in a thread of acl.util.start_thread. Gives ret."),
	FN(unsubscribe_report, "(thread_id, stream, /)",
	   "Undo it; callbacks that have not begun never will. Gives ret."),
	FN(launch_callback, "(function, user_data, block_type, stream, /)",
	   "Call function(user_data) when the stream comes there; 1 holds the stream\n"
	   "until it has returned. Gives ret."),
	FN(process_report, "(timeout, /)",
	   "Run one callback of this thread; ms, or -1 for ever. Gives ret."),
	FN(value_write, "(dev_ptr, value, flag, stream, /)",
	   "Write 64 bits when the stream comes there; flag 0. Gives ret."),
	FN(value_wait, "(dev_ptr, value, flag, stream, /)",
	   "Hold the stream until the 64 bits fulfil the rule of flag. Gives ret."),
	FN_END,
};
