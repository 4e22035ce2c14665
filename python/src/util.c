// SPDX-License-Identifier: MIT
/* acl.util: bytes and addresses. What needs numpy or threads is in acl/util.py. */
#include "args.h"

/* PyBUF_WRITE; not in the headers of the limited interface before 3.11. */
#define BUFFER_WRITE 0x200

/* An address and a size that can be one object of Python. */
static bool get_range(PyObject *args, const char *function, unsigned long w[2])
{
	if (!acl_args(args, function, "kk", w))
		return false;
	if (!w[0]) {
		PyErr_Format(PyExc_ValueError, "%s() ptr is 0", function);
		return false;
	}
	if (w[1] > PY_SSIZE_T_MAX || w[0] + w[1] < w[0]) {
		PyErr_Format(PyExc_ValueError,
			     "%s() size is %lu: no memory is that large", function, w[1]);
		return false;
	}
	return true;
}

static PyObject *py_bytes_to_ptr(PyObject *module, PyObject *args)
{
	PyObject *bytes;

	(void)module;
	if (!acl_count(args, "bytes_to_ptr", 1))
		return NULL;
	bytes = PyTuple_GetItem(args, 0);
	if (!PyBytes_Check(bytes)) {
		acl_wrong_type(bytes, "bytes_to_ptr", "argument 1", "bytes");
		return NULL;
	}
	return PyLong_FromVoidPtr(PyBytes_AsString(bytes));
}

static PyObject *py_ptr_to_bytes(PyObject *module, PyObject *args)
{
	unsigned long w[2];

	(void)module;
	if (!get_range(args, "ptr_to_bytes", w))
		return NULL;
	return PyBytes_FromStringAndSize((const char *)w[0], (Py_ssize_t)w[1]);
}

static PyObject *py_ptr_to_view(PyObject *module, PyObject *args)
{
	unsigned long w[2];

	(void)module;
	if (!get_range(args, "ptr_to_view", w))
		return NULL;
	return PyMemoryView_FromMemory((char *)w[0], (Py_ssize_t)w[1], BUFFER_WRITE);
}

PyMethodDef acl_util_methods[] = {
	FN(bytes_to_ptr, "(data)",
	   "The address of the bytes of an object, which must live as long as it is "
	   "used.\n"
	   "It is pageable host memory. Gives ptr."),
	FN(ptr_to_bytes, "(ptr, size)",
	   "A copy of memory of the host, or of this device. Gives bytes."),
	FN(ptr_to_view, "(ptr, size)",
	   "The memory itself as a memoryview. Gives memoryview."),
	FN_END,
};
