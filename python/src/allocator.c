// SPDX-License-Identifier: MIT
/*
 * acl.rt: allocators of the program, for streams.
 *
 * AscendCL tells a function of an allocator nothing of its description, so that each
 * description that has functions of Python has C functions of its own: there are so many
 * of these, and descriptions keep theirs until the process ends. The interpreter's lock
 * guards the list.
 */
#include "args.h"
#include <acl/acl_rt_allocator.h>

#define SLOTS 16

enum part { TAKE, GIVE, ADVISE, ADDRESS, PARTS };

static struct slot {
	unsigned long desc; /* 0: free */
	PyObject *functions[PARTS];
} slots[SLOTS];

/* What the function of Python gives, as an address; NULL after an exception. */
static void *slot_call(unsigned int index, enum part part, const char *format,
		       unsigned long a, unsigned long b, unsigned long c)
{
	PyGILState_STATE state = PyGILState_Ensure();
	PyObject *function = slots[index].functions[part], *result = NULL;
	void *address = NULL;

	if (function)
		result = PyObject_CallFunction(function, format, a, b, c);
	if (result && result != Py_None)
		address = PyLong_AsVoidPtr(result);
	if (PyErr_Occurred())
		PyErr_WriteUnraisable(function);
	Py_XDECREF(result);
	PyGILState_Release(state);
	return address;
}

#define SLOT(i)                                                                          \
	static void *take_##i(aclrtAllocator allocator, size_t size)                     \
	{                                                                                \
		return slot_call(i, TAKE, "kk", (unsigned long)allocator, size, 0);      \
	}                                                                                \
	static void give_##i(aclrtAllocator allocator, aclrtAllocatorBlock block)        \
	{                                                                                \
		slot_call(i, GIVE, "kk", (unsigned long)allocator, (unsigned long)block, \
			  0);                                                            \
	}                                                                                \
	static void *advise_##i(aclrtAllocator allocator, size_t size,                   \
				aclrtAllocatorAddr address)                              \
	{                                                                                \
		return slot_call(i, ADVISE, "kkk", (unsigned long)allocator, size,       \
				 (unsigned long)address);                                \
	}                                                                                \
	static void *address_##i(aclrtAllocatorBlock block)                              \
	{                                                                                \
		return slot_call(i, ADDRESS, "k", (unsigned long)block, 0, 0);           \
	}

/* clang-format off */
SLOT(0)
SLOT(1)
SLOT(2)
SLOT(3)
SLOT(4)
SLOT(5)
SLOT(6)
SLOT(7)
SLOT(8)
SLOT(9)
SLOT(10)
SLOT(11)
SLOT(12)
SLOT(13)
SLOT(14)
SLOT(15)
/* clang-format on */

#define ROW(i)                                                                           \
	{                                                                                \
		take_##i, give_##i, advise_##i, address_##i                              \
	}

static const struct {
	aclrtAllocatorAllocFunc take;
	aclrtAllocatorFreeFunc give;
	aclrtAllocatorAllocAdviseFunc advise;
	aclrtAllocatorGetAddrFromBlockFunc address;
} entries[SLOTS] = {ROW(0), ROW(1), ROW(2),  ROW(3),  ROW(4),  ROW(5),	ROW(6),	 ROW(7),
		    ROW(8), ROW(9), ROW(10), ROW(11), ROW(12), ROW(13), ROW(14), ROW(15)};

/* The slot of a description, or a free one; SLOTS: none. */
static unsigned int slot_find(unsigned long desc)
{
	unsigned int i, spare = SLOTS;

	for (i = 0; i < SLOTS; i++) {
		if (slots[i].desc == desc)
			return i;
		if (!slots[i].desc && spare == SLOTS)
			spare = i;
	}
	return spare;
}

static aclError slot_set(aclrtAllocatorDesc desc, unsigned int index, enum part part)
{
	switch (part) {
	case TAKE:
		return aclrtAllocatorSetAllocFuncToDesc(desc, entries[index].take);
	case GIVE:
		return aclrtAllocatorSetFreeFuncToDesc(desc, entries[index].give);
	case ADVISE:
		return aclrtAllocatorSetAllocAdviseFuncToDesc(desc,
							      entries[index].advise);
	default:
		return aclrtAllocatorSetGetAddrFromBlockFuncToDesc(
			desc, entries[index].address);
	}
}

static PyObject *set_part(PyObject *args, const char *function, enum part part)
{
	PyObject *callable;
	unsigned long desc;
	unsigned int index;
	aclError ret;

	if (!acl_count(args, function, 2) ||
	    !acl_word(PyTuple_GetItem(args, 0), function, "argument 1", 'k', &desc))
		return NULL;
	callable = PyTuple_GetItem(args, 1);
	if (!PyCallable_Check(callable)) {
		acl_wrong_type(callable, function, "argument 2", "callable");
		return NULL;
	}
	index = slot_find(desc);
	if (index == SLOTS)
		return PyLong_FromLong(ACL_ERROR_BAD_ALLOC);
	ret = slot_set((aclrtAllocatorDesc)desc, index, part);
	if (!ret) {
		slots[index].desc = desc;
		Py_INCREF(callable);
		Py_XDECREF(slots[index].functions[part]);
		slots[index].functions[part] = callable;
	}
	return PyLong_FromLong(ret);
}

#define SET_PART(name, part)                                                             \
	static PyObject *py_##name(PyObject *module, PyObject *args)                     \
	{                                                                                \
		(void)module;                                                            \
		return set_part(args, #name, part);                                      \
	}

SET_PART(allocator_set_alloc_func_to_desc, TAKE)
SET_PART(allocator_set_free_func_to_desc, GIVE)
SET_PART(allocator_set_alloc_advise_func_to_desc, ADVISE)
SET_PART(allocator_set_get_addr_from_block_func_to_desc, ADDRESS)

static PyObject *py_allocator_create_desc(PyObject *module, PyObject *args)
{
	(void)module;
	if (!acl_args(args, "allocator_create_desc", "", NULL))
		return NULL;
	return PyLong_FromVoidPtr(aclrtAllocatorCreateDesc());
}

static PyObject *py_allocator_get_by_stream(PyObject *module, PyObject *args)
{
	aclrtAllocatorAllocFunc take = NULL;
	aclrtAllocatorFreeFunc give = NULL;
	aclrtAllocatorAllocAdviseFunc advise = NULL;
	aclrtAllocatorGetAddrFromBlockFunc address = NULL;
	aclrtAllocatorDesc desc = NULL;
	aclrtAllocator allocator = NULL;
	unsigned long w[ACL_MAX_ARGS];
	int ret;

	(void)module;
	if (!acl_args(args, "allocator_get_by_stream", "k", w))
		return NULL;
	UNLOCKED(ret = aclrtAllocatorGetByStream(PTR(0), &desc, &allocator, &take, &give,
						 &advise, &address));
	return Py_BuildValue("(NNi)", PyLong_FromVoidPtr(desc),
			     PyLong_FromVoidPtr(allocator), ret);
}

ACL_RET(allocator_destroy_desc, "k", aclrtAllocatorDestroyDesc(PTR(0)))
ACL_RET(allocator_set_obj_to_desc, "kk", aclrtAllocatorSetObjToDesc(PTR(0), PTR(1)))
ACL_RET(allocator_register, "kk", aclrtAllocatorRegister(PTR(0), PTR(1)))
ACL_RET(allocator_unregister, "k", aclrtAllocatorUnregister(PTR(0)))

PyMethodDef acl_allocator_methods[] = {
	FN(allocator_create_desc, "()", "A description without functions. Gives desc."),
	FN(allocator_destroy_desc, "(allocatorDesc)", "Gives ret."),
	FN(allocator_set_obj_to_desc, "(allocatorDesc, allocator)",
	   "The number that the functions are called with. Gives ret."),
	FN(allocator_set_alloc_func_to_desc, "(allocatorDesc, func)",
	   "func(allocator, size) gives a block. Gives ret."),
	FN(allocator_set_free_func_to_desc, "(allocatorDesc, func)",
	   "func(allocator, block). Gives ret."),
	FN(allocator_set_alloc_advise_func_to_desc, "(allocatorDesc, func)",
	   "func(allocator, size, addr) gives a block; may be missing. Gives ret."),
	FN(allocator_set_get_addr_from_block_func_to_desc, "(allocatorDesc, func)",
	   "func(block) gives its address. Gives ret."),
	FN(allocator_register, "(stream, allocatorDesc)",
	   "Let a stream have the allocator. Gives ret."),
	FN(allocator_get_by_stream, "(stream)", "Gives (desc, allocator, ret)."),
	FN(allocator_unregister, "(stream)", "Undo allocator_register. Gives ret."),
	FN_END,
};
