// SPDX-License-Identifier: MIT
/* Arguments of Python as numbers, pointers and structs of AscendCL. */
#include "args.h"

#include <limits.h>
#include <string.h>

PyObject *acl_from_float(float value)
{
	return PyFloat_FromDouble((double)value);
}

bool acl_wrong_type(PyObject *value, const char *function, const char *what,
		    const char *wanted)
{
	PyObject *type = PyObject_Type(value);
	PyObject *name = type ? PyObject_GetAttrString(type, "__name__") : NULL;

	if (name)
		PyErr_Format(PyExc_TypeError, "%s() %s must be %s, not %U", function,
			     what, wanted, name);
	Py_XDECREF(name);
	Py_XDECREF(type);
	return false;
}

bool acl_word(PyObject *value, const char *function, const char *what, char kind,
	      unsigned long *word)
{
	long long number;
	long long low = kind == 'i' ? INT_MIN : 0;
	long long high = kind == 'i' ? INT_MAX : UINT_MAX;
	int overflow;

	if (!PyLong_Check(value))
		return acl_wrong_type(value, function, what, "int");
	if (kind == 'k') {
		*word = PyLong_AsUnsignedLongMask(value);
		return !PyErr_Occurred();
	}
	number = PyLong_AsLongLongAndOverflow(value, &overflow);
	if (number == -1 && PyErr_Occurred())
		return false;
	if (overflow || number < low || number > high) {
		PyErr_Format(PyExc_OverflowError,
			     "%s() %s is %S: must be from %lld to %lld", function, what,
			     value, low, high);
		return false;
	}
	*word = (unsigned long)number;
	return true;
}

bool acl_count(PyObject *args, const char *function, Py_ssize_t count)
{
	if (PyTuple_Size(args) == count)
		return true;
	PyErr_Format(PyExc_TypeError, "%s() takes %zd argument%s (%zd given)", function,
		     count, count == 1 ? "" : "s", PyTuple_Size(args));
	return false;
}

bool acl_args(PyObject *args, const char *function, const char *spec, unsigned long *w)
{
	char what[] = "argument 1";
	size_t i;

	if (!acl_count(args, function, (Py_ssize_t)strlen(spec)))
		return false;
	for (i = 0; spec[i]; i++) {
		what[sizeof(what) - 2] = (char)('1' + i);
		if (!acl_word(PyTuple_GetItem(args, (Py_ssize_t)i), function, what,
			      spec[i], &w[i]))
			return false;
	}
	return true;
}

/* A borrowed reference, or NULL, with KeyError when @required. */
static PyObject *get_item(PyObject *dict, const char *key, bool required)
{
	PyObject *name = PyUnicode_FromString(key);
	PyObject *value = name ? PyDict_GetItemWithError(dict, name) : NULL;

	if (name && !value && required && !PyErr_Occurred())
		PyErr_SetObject(PyExc_KeyError, name);
	Py_XDECREF(name);
	return value;
}

bool acl_get(PyObject *dict, const char *function, const char *key, char kind,
	     const unsigned long *missing, unsigned long *word)
{
	char what[40];
	PyObject *value = get_item(dict, key, !missing);

	if (!value) {
		if (PyErr_Occurred())
			return false;
		*word = *missing;
		return true;
	}
	PyOS_snprintf(what, sizeof(what), "value of '%s'", key);
	return acl_word(value, function, what, kind, word);
}

/* What aclrtMallocAttrValue is for this attribute; of others, all its bytes. */
static bool get_value(PyObject *value, const char *function,
		      aclrtMallocAttribute *attribute)
{
	static const char *const names[] = {NULL, "moduleId", "deviceId", "vaFlag"};
	unsigned long word;
	unsigned int attr = attribute->attr;

	if (PyDict_Check(value)) {
		if (attr == ACL_RT_MEM_ATTR_RSV || attr >= sizeof(names) / sizeof(*names))
			return true; /* the call refuses it */
		if (!acl_get(value, function, names[attr], 'I', NULL, &word))
			return false;
	} else if (!PyLong_Check(value)) {
		return acl_wrong_type(value, function, "value of 'value'", "dict or int");
	} else if (!acl_word(value, function, "value of 'value'", 'I', &word)) {
		return false;
	}
	if (attr != ACL_RT_MEM_ATTR_MODULE_ID) {
		attribute->value.deviceId = (uint32_t)word;
		return true;
	}
	if (word > UINT16_MAX) {
		PyErr_Format(PyExc_OverflowError,
			     "%s() moduleId is %lu: must be from 0 to 65535", function,
			     word);
		return false;
	}
	attribute->value.moduleId = (uint16_t)word;
	return true;
}

static bool get_attribute(PyObject *item, const char *function,
			  aclrtMallocAttribute *attribute)
{
	unsigned long attr;
	PyObject *value;

	if (!PyDict_Check(item))
		return acl_wrong_type(item, function, "item of 'attrs'", "dict");
	if (!acl_get(item, function, "attr", 'I', NULL, &attr))
		return false;
	value = get_item(item, "value", true);
	if (!value)
		return false;
	memset(attribute, 0, sizeof(*attribute));
	attribute->attr = (aclrtMallocAttrType)attr;
	return get_value(value, function, attribute);
}

bool acl_config(PyObject *dict, const char *function, struct acl_config *config)
{
	PyObject *attrs;
	unsigned long given, wanted;
	size_t i;

	memset(config, 0, sizeof(*config));
	if (dict == Py_None)
		return true;
	if (!PyDict_Check(dict))
		return acl_wrong_type(dict, function, "cfg", "dict");
	if (!PyDict_Size(dict))
		return true;
	attrs = get_item(dict, "attrs", false);
	if (!attrs && PyErr_Occurred())
		return false;
	if (attrs == Py_None)
		attrs = NULL;
	if (attrs && !PyList_Check(attrs))
		return acl_wrong_type(attrs, function, "value of 'attrs'", "list");
	given = attrs ? (unsigned long)PyList_Size(attrs) : 0;
	if (!acl_get(dict, function, "numAttrs", 'I', &given, &wanted))
		return false;
	if (attrs && wanted > given) {
		PyErr_Format(PyExc_ValueError,
			     "%s() numAttrs is %lu: must be at most the %lu of attrs",
			     function, wanted, given);
		return false;
	}
	config->config.numAttrs = wanted;
	config->pointer = &config->config;
	if (!attrs || !wanted)
		return true;
	config->config.attrs = PyMem_Calloc(wanted, sizeof(*config->config.attrs));
	if (!config->config.attrs) {
		PyErr_NoMemory();
		return false;
	}
	for (i = 0; i < wanted; i++) {
		if (!get_attribute(PyList_GetItem(attrs, (Py_ssize_t)i), function,
				   &config->config.attrs[i])) {
			acl_config_free(config);
			return false;
		}
	}
	return true;
}

void acl_config_free(struct acl_config *config)
{
	PyMem_Free(config->config.attrs);
	config->config.attrs = NULL;
}

bool acl_prop(PyObject *dict, const char *function, aclrtPhysicalMemProp *prop)
{
	static const unsigned long zero;
	unsigned long handle, allocation, attr, id, type, reserve;
	PyObject *location;

	if (!PyDict_Check(dict))
		return acl_wrong_type(dict, function, "prop", "dict");
	if (!acl_get(dict, function, "handleType", 'I', NULL, &handle) ||
	    !acl_get(dict, function, "allocationType", 'I', NULL, &allocation) ||
	    !acl_get(dict, function, "memAttr", 'I', NULL, &attr) ||
	    !acl_get(dict, function, "reserve", 'k', &zero, &reserve))
		return false;
	location = get_item(dict, "location", true);
	if (!location)
		return false;
	if (!PyDict_Check(location))
		return acl_wrong_type(location, function, "value of 'location'", "dict");
	if (!acl_get(location, function, "id", 'I', NULL, &id) ||
	    !acl_get(location, function, "type", 'I', NULL, &type))
		return false;
	memset(prop, 0, sizeof(*prop));
	prop->handleType = (aclrtMemHandleType)handle;
	prop->allocationType = (aclrtMemAllocationType)allocation;
	prop->memAttr = (aclrtMemAttr)attr;
	prop->location.id = (uint32_t)id;
	prop->location.type = (aclrtMemLocationType)type;
	prop->reserve = reserve;
	return true;
}

bool acl_pids(PyObject *list, const char *function, int32_t **pids, size_t *count)
{
	unsigned long word;
	Py_ssize_t i, n;

	if (!PyList_Check(list))
		return acl_wrong_type(list, function, "pids", "list");
	n = PyList_Size(list);
	*pids = PyMem_Calloc(n ? (size_t)n : 1, sizeof(**pids));
	if (!*pids) {
		PyErr_NoMemory();
		return false;
	}
	for (i = 0; i < n; i++) {
		if (!acl_word(PyList_GetItem(list, i), function, "pid", 'i', &word)) {
			PyMem_Free(*pids);
			return false;
		}
		(*pids)[i] = (int32_t)word;
	}
	*count = (size_t)n;
	return true;
}
