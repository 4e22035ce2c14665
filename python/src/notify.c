// SPDX-License-Identifier: MIT
/* acl.rt: notifies, reductions, and the numbers of devices. */
#include "args.h"

ACL_OUT(create_notify, "k", void *, aclrtCreateNotify(&out, w[0]))
ACL_RET(destroy_notify, "k", aclrtDestroyNotify(PTR(0)))
ACL_RET(record_notify, "kk", aclrtRecordNotify(PTR(0), PTR(1)))
ACL_RET(wait_and_reset_notify, "kkI", aclrtWaitAndResetNotify(PTR(0), PTR(1), U32(2)))
ACL_OUT(get_notify_id, "k", uint32_t, aclrtGetNotifyId(PTR(0), &out))

static PyObject *py_notify_batch_reset(PyObject *module, PyObject *args)
{
	const char *function = "notify_batch_reset";
	aclrtNotify *notifies;
	Py_ssize_t count, i;
	PyObject *list;
	int ret;

	(void)module;
	if (!acl_count(args, function, 1))
		return NULL;
	list = PyTuple_GetItem(args, 0);
	if (!PyList_Check(list)) {
		acl_wrong_type(list, function, "argument 1", "list");
		return NULL;
	}
	count = PyList_Size(list);
	notifies = PyMem_Malloc(((size_t)count + 1) * sizeof(*notifies));
	if (!notifies)
		return PyErr_NoMemory();
	for (i = 0; i < count; i++) {
		unsigned long word;

		if (!acl_word(PyList_GetItem(list, i), function, "a notify", 'k',
			      &word)) {
			PyMem_Free(notifies);
			return NULL;
		}
		notifies[i] = (aclrtNotify)word;
	}
	UNLOCKED(ret = aclrtNotifyBatchReset(notifies, (size_t)count));
	PyMem_Free(notifies);
	return PyLong_FromLong(ret);
}

static PyObject *py_notify_get_export_key(PyObject *module, PyObject *args)
{
	char key[4096] = "";
	unsigned long w[3];
	int ret;

	(void)module;
	if (!acl_args(args, "notify_get_export_key", "kkk", w))
		return NULL;
	if (w[1] > sizeof(key))
		w[1] = sizeof(key);
	UNLOCKED(ret = aclrtNotifyGetExportKey(PTR(0), key, w[1], w[2]));
	return Py_BuildValue("(si)", ret ? "" : key, ret);
}

static aclError let_import(unsigned long notify, int32_t *pids, size_t count)
{
	return aclrtNotifySetImportPid((aclrtNotify)notify, pids, count);
}

static PyObject *py_notify_set_import_pid(PyObject *module, PyObject *args)
{
	(void)module;
	return acl_set_pids(args, "notify_set_import_pid", let_import);
}

static PyObject *py_notify_import_by_key(PyObject *module, PyObject *args)
{
	const char *function = "notify_import_by_key";
	char key[ACL_RT_IPC_MEM_KEY_LENGTH];
	aclrtNotify notify = NULL;
	unsigned long flags;
	int ret;

	(void)module;
	if (!acl_count(args, function, 2) ||
	    !acl_key(PyTuple_GetItem(args, 0), function, key) ||
	    !acl_word(PyTuple_GetItem(args, 1), function, "argument 2", 'k', &flags))
		return NULL;
	UNLOCKED(ret = aclrtNotifyImportByKey(&notify, key, flags));
	return Py_BuildValue("(Ni)", PyLong_FromVoidPtr(notify), ret);
}

ACL_RET(reduce_async, "kkkIikk",
	aclrtReduceAsync(PTR(0), PTR(1), w[2], (aclrtReduceKind)U32(3),
			 (aclDataType)I32(4), PTR(5), PTR(6)))

ACL_OUT(get_logic_dev_id_by_user_dev_id, "i", int32_t,
	aclrtGetLogicDevIdByUserDevId(I32(0), &out))
ACL_OUT(get_user_dev_id_by_logic_dev_id, "i", int32_t,
	aclrtGetUserDevIdByLogicDevId(I32(0), &out))
ACL_OUT(get_logic_dev_id_by_phy_dev_id, "i", int32_t,
	aclrtGetLogicDevIdByPhyDevId(I32(0), &out))
ACL_OUT(get_phy_dev_id_by_logic_dev_id, "i", int32_t,
	aclrtGetPhyDevIdByLogicDevId(I32(0), &out))

PyMethodDef acl_notify_methods[] = {
	FN(create_notify, "(flag)",
	   "A flag that a stream raises and another takes down. Gives (notify, ret)."),
	FN(destroy_notify, "(notify)", "Gives ret."),
	FN(record_notify, "(notify, stream)", "Raise it. Gives ret."),
	FN(wait_and_reset_notify, "(notify, stream, timeout)",
	   "Hold the stream until it is up, for that many seconds, 0 for ever, and take "
	   "it "
	   "down. Gives ret."),
	FN(get_notify_id, "(notify)", "Gives (notify_id, ret)."),
	FN(notify_batch_reset, "(notifies)", "Take all of a list down. Gives ret."),
	FN(notify_get_export_key, "(notify, len, flags)",
	   "Offer it to other processes by a str; len from 65. Gives (key, ret)."),
	FN(notify_set_import_pid, "(notify, pids)",
	   "Let processes import it. Gives ret."),
	FN(notify_import_by_key, "(key, flags)",
	   "That of another process. Gives (notify, ret)."),
	FN(reduce_async, "(dst, src, count, kind, type, stream, reserve)",
	   "dst = dst OP src, by elements; count in bytes. Gives ret."),
	FN(get_logic_dev_id_by_user_dev_id, "(user_dev_id)",
	   "The numberings of devices are the same here. Gives (logic_dev_id, ret)."),
	FN(get_user_dev_id_by_logic_dev_id, "(logic_dev_id)",
	   "Gives (user_dev_id, ret)."),
	FN(get_logic_dev_id_by_phy_dev_id, "(phy_dev_id)", "Gives (logic_dev_id, ret)."),
	FN(get_phy_dev_id_by_logic_dev_id, "(logic_dev_id)", "Gives (phy_dev_id, ret)."),
	FN_END,
};
