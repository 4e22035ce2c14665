// SPDX-License-Identifier: MIT
/*
 * Arguments by keyword. The rows of the method tables take a tuple; what is added to a
 * module is a function around the row's, which puts keywords into their places in the
 * tuple by the names of the row's signature. Calls without keywords pass as they are.
 */
#include "args.h"

#include <string.h>

/* The next parameter of a signature "name(a, b=None)": its name, and where to go on. */
static const char *parameter_next(const char *at, PyObject **name, bool *optional)
{
	size_t length;

	*name = NULL;
	while (*at == ' ' || *at == ',' || *at == '(')
		at++;
	length = strcspn(at, ",=)");
	*optional = at[length] == '=';
	if (length)
		*name = PyUnicode_FromStringAndSize(at, (Py_ssize_t)length);
	return at + length + strcspn(at + length, ",)");
}

/* @name among the keywords: a new reference to its value, and one keyword less to come.
 */
static PyObject *keyword_take(PyObject *keywords, PyObject *name, Py_ssize_t *left)
{
	PyObject *value = PyDict_GetItemWithError(keywords, name);

	if (value) {
		Py_INCREF(value);
		--*left;
	}
	return value;
}

/* A list of all arguments in the order of the signature; NULL with TypeError. */
static PyObject *keywords_bind(const char *signature, PyObject *args, PyObject *keywords)
{
	const char *function_end = strchr(signature, '(');
	const char *at = function_end ? function_end : "()";
	Py_ssize_t given = PyTuple_Size(args), left = PyDict_Size(keywords), i;
	PyObject *all = PyList_New(0), *name, *value;
	PyObject *function = PyUnicode_FromStringAndSize(signature, at - signature);
	bool optional;

	for (i = 0; all && function; i++) {
		at = parameter_next(at, &name, &optional);
		if (!name)
			break;
		value = keyword_take(keywords, name, &left);
		if (value && i < given)
			PyErr_Format(PyExc_TypeError,
				     "%U() got multiple values for argument '%U'",
				     function, name);
		else if (!value && i >= given && !optional && !PyErr_Occurred())
			PyErr_Format(PyExc_TypeError, "%U() missing argument '%U'",
				     function, name);
		Py_DECREF(name);
		if (!PyErr_Occurred() && (value || i < given))
			PyList_Append(all, value ? value : PyTuple_GetItem(args, i));
		Py_XDECREF(value);
		if (PyErr_Occurred())
			break;
	}
	if (all && !PyErr_Occurred() && (left || given > i))
		PyErr_Format(PyExc_TypeError,
			     left ? "%U() got an unexpected keyword argument"
				  : "%U() takes fewer arguments",
			     function);
	Py_XDECREF(function);
	if (!PyErr_Occurred())
		return all;
	Py_XDECREF(all);
	return NULL;
}

/* @self is the row's own function. */
static PyObject *keywords_call(PyObject *self, PyObject *args, PyObject *keywords)
{
	PyObject *doc, *all, *tuple, *result = NULL;
	const char *signature;

	if (!keywords || !PyDict_Size(keywords))
		return PyObject_CallObject(self, args);
	/* The row's text, which begins with the signature. */
	doc = PyObject_GetAttrString(self, "__self__");
	signature = doc ? PyCapsule_GetPointer(doc, "acl.signature") : NULL;
	Py_XDECREF(doc);
	if (!signature)
		return NULL;
	all = keywords_bind(signature, args, keywords);
	tuple = all ? PyList_AsTuple(all) : NULL;
	Py_XDECREF(all);
	if (tuple)
		result = PyObject_CallObject(self, tuple);
	Py_XDECREF(tuple);
	return result;
}

static int keywords_add(PyObject *module, PyObject *module_name, PyMethodDef *row)
{
	/* Functions live as long as the process may call them. */
	PyMethodDef *outer = PyMem_Calloc(1, sizeof(*outer));
	PyObject *signature =
		PyCapsule_New((void *)(uintptr_t)row->ml_doc, "acl.signature", NULL);
	PyObject *inner =
		signature ? PyCFunction_NewEx(row, signature, module_name) : NULL;
	PyObject *function = NULL;

	Py_XDECREF(signature);
	if (outer && inner) {
		outer->ml_name = row->ml_name;
		outer->ml_meth = (PyCFunction)(void (*)(void))keywords_call;
		outer->ml_flags = METH_VARARGS | METH_KEYWORDS;
		outer->ml_doc = row->ml_doc;
		function = PyCFunction_NewEx(outer, inner, module_name);
	}
	Py_XDECREF(inner);
	if (function && !PyModule_AddObject(module, row->ml_name, function))
		return 0; /* the reference is the module's now */
	Py_XDECREF(function);
	return -1;
}

int acl_add_functions(PyObject *module, PyMethodDef *table)
{
	PyObject *name = PyModule_GetNameObject(module);
	int err = name ? 0 : -1;

	for (; !err && table->ml_name; table++)
		err = keywords_add(module, name, table);
	Py_XDECREF(name);
	return err;
}
