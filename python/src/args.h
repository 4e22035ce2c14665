/* SPDX-License-Identifier: MIT */
/*
 * How functions of Python become calls of AscendCL: one line a function.
 *
 *	ACL_RET(free, "k", aclrtFree(PTR(0)))
 *	ACL_OUT(malloc, "kI", void *, aclrtMalloc(&out, w[0], (aclrtMemMallocPolicy)w[1]))
 *
 * The string tells the arguments: k a pointer, handle or size (64 bits, wraps as in
 * pyACL), i an int32_t, I a uint32_t or enumerator. They arrive in w[]. The call runs
 * without the interpreter's lock. Keywords are in their places by then (keywords.c).
 *ACL_RET gives the error, ACL_OUT what the call wrote and the error. FN makes the row of
 *the method table.
 */
#ifndef PYTHON_ARGS_H
#define PYTHON_ARGS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>
#include <acl/acl.h>

#define ACL_MAX_ARGS 8

#define PTR(i) ((void *)w[i])
#define I32(i) ((int32_t)w[i])
#define U32(i) ((uint32_t)w[i])

#define UNLOCKED(statement)                                                              \
	do {                                                                             \
		Py_BEGIN_ALLOW_THREADS statement;                                        \
		Py_END_ALLOW_THREADS                                                     \
	} while (0)

/* A new reference to what a call wrote. */
PyObject *acl_from_float(float value);
#define ACL_NUMBER(x)                                                                    \
	_Generic((x),                                                                    \
		 void *: PyLong_FromVoidPtr,                                             \
		 float: acl_from_float,                                                  \
		 int32_t: PyLong_FromLong,                                               \
		 int64_t: PyLong_FromLong,                                               \
		 default: PyLong_FromUnsignedLong)(x)

#define ACL_RET(name, spec, call)                                                        \
	static PyObject *py_##name(PyObject *module, PyObject *args)                     \
	{                                                                                \
		unsigned long w[ACL_MAX_ARGS];                                           \
		int ret;                                                                 \
		(void)module;                                                            \
		if (!acl_args(args, #name, spec, w))                                     \
			return NULL;                                                     \
		UNLOCKED(ret = call);                                                    \
		return PyLong_FromLong(ret);                                             \
	}

#define ACL_OUT(name, spec, type, call)                                                  \
	static PyObject *py_##name(PyObject *module, PyObject *args)                     \
	{                                                                                \
		unsigned long w[ACL_MAX_ARGS];                                           \
		type out = 0;                                                            \
		int ret;                                                                 \
		(void)module;                                                            \
		if (!acl_args(args, #name, spec, w))                                     \
			return NULL;                                                     \
		UNLOCKED(ret = call);                                                    \
		return Py_BuildValue("(Ni)", ACL_NUMBER(out), ret);                      \
	}

#define FN(name, signature, doc)                                                         \
	{                                                                                \
#name, py_##name, METH_VARARGS, #name signature "\n--\n\n" doc           \
	}
#define FN_END                                                                           \
	{                                                                                \
		NULL, NULL, 0, NULL                                                      \
	}

/* The arguments as @spec says, or false and TypeError or OverflowError. */
bool acl_args(PyObject *args, const char *function, const char *spec, unsigned long *w);

/* One of them; @what names it, such as "argument 2" or "location['id']". */
bool acl_word(PyObject *value, const char *function, const char *what, char kind,
	      unsigned long *word);

/* TypeError "function() what must be wanted, not the type of value"; gives false. */
bool acl_wrong_type(PyObject *value, const char *function, const char *what,
		    const char *wanted);

/* As acl_args for functions with other objects among theirs: the count only. */
bool acl_count(PyObject *args, const char *function, Py_ssize_t count);

/*
 * Dictionaries. A key that is missing raises KeyError, unless there is a value for that
 * case; keys that are not known are left alone.
 */
bool acl_get(PyObject *dict, const char *function, const char *key, char kind,
	     const unsigned long *missing, unsigned long *word);

/* {"attrs": [{"attr": n, "value": n or {name: n}}], "numAttrs": n}, {} or None */
struct acl_config {
	aclrtMallocConfig config;
	aclrtMallocConfig *pointer; /* NULL for {} and None */
};
bool acl_config(PyObject *dict, const char *function, struct acl_config *config);
void acl_config_free(struct acl_config *config);

/* {"handleType", "allocationType", "memAttr", "location": {"id", "type"}, "reserve"} */
bool acl_prop(PyObject *dict, const char *function, aclrtPhysicalMemProp *prop);

/* A list or tuple of process ids; PyMem_Free it. */
bool acl_pids(PyObject *list, const char *function, int32_t **pids, size_t *count);

/* What takes a handle and a list of process ids: gives ret. */
PyObject *acl_set_pids(PyObject *args, const char *function,
		       aclError (*call)(unsigned long handle, int32_t *pids,
					size_t count));

/* The text of a key; what is too long is none. */
bool acl_key(PyObject *text, const char *function, char key[ACL_RT_IPC_MEM_KEY_LENGTH]);

/* Tables of the modules. */
extern PyMethodDef acl_top_methods[], acl_device_methods[], acl_stream_methods[],
	acl_event_methods[], acl_memory_methods[], acl_host_methods[], acl_copy_methods[],
	acl_vmm_methods[], acl_share_methods[], acl_callback_methods[],
	acl_media_methods[], acl_himpi_methods[], acl_util_methods[],
	acl_notify_methods[], acl_allocator_methods[];

/* Adds the rows of a table, each taking keywords as well; 0 or -1. */
int acl_add_functions(PyObject *module, PyMethodDef *table);

/* The enumerators and error codes, as numbers; 0 or -1. */
int acl_add_constants(PyObject *module);

#endif /* PYTHON_ARGS_H */
