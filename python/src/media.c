// SPDX-License-Identifier: MIT
/* acl.media: memory for media data processing. */
#include "args.h"

#include <acl/ops/acl_dvpp.h>

ACL_OUT(dvpp_malloc, "k", void *, acldvppMalloc(&out, w[0]))
ACL_RET(dvpp_free, "k", acldvppFree(PTR(0)))

static PyObject *py_dvpp_malloc_with_cfg(PyObject *module, PyObject *args)
{
	unsigned long size, policy;
	struct acl_config config;
	void *ptr = NULL;
	int ret;

	(void)module;
	if (!acl_count(args, "dvpp_malloc_with_cfg", 3) ||
	    !acl_word(PyTuple_GetItem(args, 0), "dvpp_malloc_with_cfg", "argument 1", 'k',
		      &size) ||
	    !acl_word(PyTuple_GetItem(args, 1), "dvpp_malloc_with_cfg", "argument 2", 'I',
		      &policy) ||
	    !acl_config(PyTuple_GetItem(args, 2), "dvpp_malloc_with_cfg", &config))
		return NULL;
	UNLOCKED(ret = acldvppMallocWithCfg(&ptr, size, (aclrtMemMallocPolicy)policy,
					    config.pointer));
	acl_config_free(&config);
	return Py_BuildValue("(Ni)", PyLong_FromVoidPtr(ptr), ret);
}

PyMethodDef acl_media_methods[] = {
	FN(dvpp_malloc, "(size)",
	   "ALIGN_UP[size,32] + 32 bytes at a multiple of 128. Gives (ptr, ret)."),
	FN(dvpp_malloc_with_cfg, "(size, policy, cfg)",
	   "The same with a policy and attributes. Gives (ptr, ret)."),
	FN(dvpp_free, "(ptr)", "Gives ret."),
	FN_END,
};
