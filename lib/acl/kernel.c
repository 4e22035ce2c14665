// SPDX-License-Identifier: MIT
/* Kernels as host functions: loading them and their arguments, by AscendCL's rules. */
#include "acl/acl_rt.h"

#include <stdlib.h>
#include <string.h>

#include "exec/exec.h"
#include "base/base.h"
#include "context.h"
#include "kernel.h"
#include "result.h"

/* What aclrtCreateBinary describes: the bytes are the program's, and nobody reads them.
 */
struct image {
	struct object object;
	size_t size;
};

static struct object_table images = OBJECT_TABLE(OBJECT_IMAGE);

aclError kernel_enter(const char *function)
{
	return acl_enter(function) ?: acl_result(launch_ready());
}

aclError kernel_result(int err)
{
	switch (err) {
	case ACLKM_ERR_HANDLE:
		return acl_result_for(err, err, ACL_ERROR_RT_INVALID_HANDLE);
	case ACLKM_ERR_FOREIGN:
		return acl_result_for(err, err, ACL_ERROR_RT_KERNEL_LOOKUP);
	default:
		return acl_result_for(err, ACLKM_ERR_INVALID, ACL_ERROR_RT_PARAM_INVALID);
	}
}

static void free_image(struct object *object)
{
	free(object_entry(object, struct image, object));
}

aclrtBinary aclrtCreateBinary(const void *data, size_t dataLen)
{
	struct image *image;

	if (kernel_enter(__func__) || acl_need(data, "data"))
		return NULL;
	image = calloc(1, sizeof(*image));
	if (!image || object_add(&images, &image->object, 0, free_image)) {
		free(image);
		acl_refuse(ACL_ERROR_BAD_ALLOC,
			   "no memory for the library's own records");
		return NULL;
	}
	image->size = dataLen;
	return (aclrtBinary)image->object.handle;
}

static aclError no_image(const void *binary)
{
	return acl_refuse(ACL_ERROR_RT_INVALID_HANDLE,
			  "binary = %p: never created, or destroyed already", binary);
}

aclError aclrtDestroyBinary(aclrtBinary binary)
{
	struct object *object;
	aclError code = kernel_enter(__func__) ?: acl_need(binary, "binary");

	if (code)
		return code;
	object = object_remove(&images, (uintptr_t)binary);
	if (!object)
		return no_image(binary);
	object_put(object);
	return ACL_SUCCESS;
}

static aclError load(size_t size, aclrtBinHandle *binHandle)
{
	uintptr_t handle;
	aclError code;

	if (!size)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "length = 0: must be 1 or more");
	code = kernel_result(launch_load(&handle));
	if (!code)
		*binHandle = (aclrtBinHandle)handle;
	return code;
}

aclError aclrtBinaryLoad(const aclrtBinary binary, aclrtBinHandle *binHandle)
{
	struct object *object;
	size_t size;
	aclError code = kernel_enter(__func__) ?: acl_need(binary, "binary") ?:
			acl_need(binHandle, "binHandle") ?: context_need();

	if (code)
		return code;
	object = object_get(&images, (uintptr_t)binary);
	if (!object)
		return no_image(binary);
	size = object_entry(object, struct image, object)->size;
	object_put(object);
	return load(size, binHandle);
}

static aclError kernel_check_options(const aclrtBinaryLoadOptions *options)
{
	size_t i;

	if (!options || !options->numOpt)
		return ACL_SUCCESS;
	if (!options->options)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "options->options is NULL, and numOpt = %zu",
				  options->numOpt);
	for (i = 0; i < options->numOpt; i++) {
		int type = (int)options->options[i].type;

		if (type < ACL_RT_BINARY_LOAD_OPT_LAZY_LOAD ||
		    type > ACL_RT_BINARY_LOAD_OPT_CPU_KERNEL_MODE)
			return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
					  "options[%zu].type = %d: must be from 1 to 3",
					  i, type);
	}
	return ACL_SUCCESS;
}

/* The file is not opened: where there is no device, there is often no compiler for it. */
aclError aclrtBinaryLoadFromFile(const char *binPath, aclrtBinaryLoadOptions *options,
				 aclrtBinHandle *binHandle)
{
	return kernel_enter(__func__) ?: acl_need(binPath, "binPath") ?:
	       acl_need(binHandle, "binHandle") ?: context_need() ?:
	       kernel_check_options(options) ?: load(1, binHandle);
}

aclError aclrtBinaryLoadFromData(const void *data, size_t length,
				 const aclrtBinaryLoadOptions *options,
				 aclrtBinHandle *binHandle)
{
	return kernel_enter(__func__) ?: acl_need(data, "data") ?:
	       acl_need(binHandle, "binHandle") ?: context_need() ?:
	       kernel_check_options(options) ?: load(length, binHandle);
}

aclError aclrtBinaryUnLoad(aclrtBinHandle binHandle)
{
	return kernel_enter(__func__) ?: acl_need(binHandle, "binHandle") ?:
	       kernel_result(launch_unload((uintptr_t)binHandle));
}

aclError aclrtBinaryGetFunction(const aclrtBinHandle binHandle, const char *kernelName,
				aclrtFuncHandle *funcHandle)
{
	uintptr_t handle = 0;
	aclError code = kernel_enter(__func__) ?: acl_need(binHandle, "binHandle") ?:
			acl_need(kernelName, "kernelName") ?:
			acl_need(funcHandle, "funcHandle") ?:
			kernel_result(launch_find((uintptr_t)binHandle, kernelName, &handle));

	if (!code)
		*funcHandle = (aclrtFuncHandle)handle;
	return code;
}

aclError aclrtBinaryGetFunctionByEntry(aclrtBinHandle binHandle, uint64_t funcEntry,
				       aclrtFuncHandle *funcHandle)
{
	uintptr_t handle = 0;
	aclError code = kernel_enter(__func__) ?: acl_need(binHandle, "binHandle") ?:
			acl_need(funcHandle, "funcHandle") ?:
			kernel_result(launch_find_entry((uintptr_t)binHandle, funcEntry,
							&handle));

	if (!code)
		*funcHandle = (aclrtFuncHandle)handle;
	return code;
}

aclError kernel_find(const void *funcHandle, const struct aclkm_kernel **kernel)
{
	return acl_need(funcHandle, "funcHandle")
		       ?: kernel_result(
				  launch_function((uintptr_t)funcHandle, kernel, NULL));
}

aclError aclrtGetFunctionName(aclrtFuncHandle funcHandle, uint32_t maxLen, char *name)
{
	const struct aclkm_kernel *kernel;
	aclError code = kernel_enter(__func__) ?: acl_need(name, "name") ?:
			kernel_find(funcHandle, &kernel);

	if (code)
		return code;
	if (maxLen <= strlen(kernel->name))
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "maxLen = %u: the name and its end need %zu", maxLen,
				  strlen(kernel->name) + 1);
	strcpy(name, kernel->name);
	return ACL_SUCCESS;
}

aclError aclrtGetFunctionAttribute(aclrtFuncHandle funcHandle,
				   aclrtFuncAttribute attrType, int64_t *attrValue)
{
	const struct aclkm_kernel *kernel;
	aclError code = kernel_enter(__func__) ?: acl_need(attrValue, "attrValue") ?:
			kernel_find(funcHandle, &kernel);

	if (code)
		return code;
	if (attrType != ACL_FUNC_ATTR_KERNEL_TYPE)
		return acl_refuse(ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
				  "attrType = %d: a host function has a type (1), and no "
				  "cores to be shared out or scheduled",
				  (int)attrType);
	*attrValue = kernel->type;
	return ACL_SUCCESS;
}

aclError aclrtFunctionGetBinary(const aclrtFuncHandle funcHandle,
				aclrtBinHandle *binHandle)
{
	const struct aclkm_kernel *kernel;
	uintptr_t binary = 0;
	aclError code = kernel_enter(__func__) ?: acl_need(funcHandle, "funcHandle") ?:
			acl_need(binHandle, "binHandle") ?:
			kernel_result(launch_function((uintptr_t)funcHandle, &kernel,
						      &binary));

	if (!code)
		*binHandle = (aclrtBinHandle)binary;
	return code;
}

aclError kernel_need_params(const struct aclkm_kernel *kernel)
{
	if (kernel->param_count)
		return ACL_SUCCESS;
	return acl_refuse(
		ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
		"kernel \"%.100s\" has no param_sizes in the table of ACLKM_KERNELS",
		kernel->name);
}

aclError aclrtFunctionGetParamCount(const void *func, size_t *paramCount)
{
	const struct aclkm_kernel *kernel;
	aclError code = kernel_enter(__func__) ?: acl_need(paramCount, "paramCount") ?:
			kernel_find(func, &kernel) ?: kernel_need_params(kernel);

	if (!code)
		*paramCount = kernel->param_count;
	return code;
}

size_t kernel_param_at(const struct aclkm_kernel *kernel, size_t index)
{
	size_t at = 0, i;

	for (i = 0; i < index; i++)
		at = (at + kernel->param_sizes[i] + LAUNCH_ALIGN - 1) &
		     ~(size_t)(LAUNCH_ALIGN - 1);
	return at;
}

aclError aclrtFunctionGetParamInfo(const void *func, size_t paramIndex,
				   size_t *paramOffset, size_t *paramSize)
{
	const struct aclkm_kernel *kernel;
	aclError code = kernel_enter(__func__) ?: acl_need(paramOffset, "paramOffset") ?:
			kernel_find(func, &kernel) ?: kernel_need_params(kernel);

	if (code)
		return code;
	if (paramIndex >= kernel->param_count)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "paramIndex = %zu: the kernel has %u parameters",
				  paramIndex, kernel->param_count);
	*paramOffset = kernel_param_at(kernel, paramIndex);
	if (paramSize)
		*paramSize = kernel->param_sizes[paramIndex];
	return ACL_SUCCESS;
}

aclError aclrtKernelArgsGetHandleMemSize(aclrtFuncHandle funcHandle, size_t *memSize)
{
	const struct aclkm_kernel *kernel;
	aclError code = kernel_enter(__func__) ?: acl_need(memSize, "memSize") ?:
			kernel_find(funcHandle, &kernel);

	if (!code)
		*memSize = launch_list_size;
	return code;
}

aclError aclrtKernelArgsGetMemSize(aclrtFuncHandle funcHandle, size_t userArgsSize,
				   size_t *actualArgsSize)
{
	const struct aclkm_kernel *kernel;
	size_t size;
	aclError code = kernel_enter(__func__) ?: acl_need(actualArgsSize, "actualArgsSize") ?:
			kernel_find(funcHandle, &kernel);

	if (code)
		return code;
	/* Each parameter, and each placeholder's data, may need bytes before it. */
	if (__builtin_add_overflow(userArgsSize, 2UL * LAUNCH_PARAMS * LAUNCH_ALIGN,
				   &size))
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "userArgsSize = %zu: leaves 64 bits", userArgsSize);
	*actualArgsSize = size;
	return ACL_SUCCESS;
}

aclError aclrtKernelArgsInit(aclrtFuncHandle funcHandle, aclrtArgsHandle *argsHandle)
{
	const struct aclkm_kernel *kernel;
	struct launch_list *list = NULL;
	aclError code = kernel_enter(__func__) ?: acl_need(argsHandle, "argsHandle") ?:
			kernel_find(funcHandle, &kernel) ?:
			kernel_result(launch_list_own((uintptr_t)funcHandle, &list));

	if (!code)
		*argsHandle = list;
	return code;
}

aclError aclrtKernelArgsInitByUserMem(aclrtFuncHandle funcHandle,
				      aclrtArgsHandle argsHandle, void *userHostMem,
				      size_t actualArgsSize)
{
	const struct aclkm_kernel *kernel;

	return kernel_enter(__func__) ?: acl_need(argsHandle, "argsHandle") ?:
	       acl_need(userHostMem, "userHostMem") ?:
	       acl_need_size(actualArgsSize, "actualArgsSize") ?:
	       kernel_find(funcHandle, &kernel) ?:
	       kernel_result(launch_list_init(argsHandle, (uintptr_t)funcHandle, userHostMem,
					      actualArgsSize));
}

aclError kernel_find_list(const void *argsHandle, struct launch_list **list)
{
	return acl_need(argsHandle, "argsHandle")
		       ?: kernel_result(launch_list_find(argsHandle, list));
}

aclError aclrtKernelArgsAppend(aclrtArgsHandle argsHandle, void *param, size_t paramSize,
			       aclrtParamHandle *paramHandle)
{
	struct launch_list *list;

	return kernel_enter(__func__) ?: acl_need(param, "param") ?:
	       acl_need_size(paramSize, "paramSize") ?: acl_need(paramHandle, "paramHandle") ?:
	       kernel_find_list(argsHandle, &list) ?:
	       kernel_result(launch_list_add(list, param, paramSize, paramHandle));
}

aclError aclrtKernelArgsAppendPlaceHolder(aclrtArgsHandle argsHandle,
					  aclrtParamHandle *paramHandle)
{
	struct launch_list *list;

	return kernel_enter(__func__) ?: acl_need(paramHandle, "paramHandle") ?:
	       kernel_find_list(argsHandle, &list) ?:
	       kernel_result(launch_list_add_place(list, paramHandle));
}

aclError aclrtKernelArgsGetPlaceHolderBuffer(aclrtArgsHandle argsHandle,
					     aclrtParamHandle paramHandle,
					     size_t dataSize, void **bufferAddr)
{
	struct launch_list *list;

	return kernel_enter(__func__) ?: acl_need(paramHandle, "paramHandle") ?:
	       acl_need_size(dataSize, "dataSize") ?: acl_need(bufferAddr, "bufferAddr") ?:
	       kernel_find_list(argsHandle, &list) ?:
	       kernel_result(launch_list_buffer(list, paramHandle, dataSize, bufferAddr));
}

aclError aclrtKernelArgsParaUpdate(aclrtArgsHandle argsHandle,
				   aclrtParamHandle paramHandle, void *param,
				   size_t paramSize)
{
	struct launch_list *list;

	return kernel_enter(__func__) ?: acl_need(paramHandle, "paramHandle") ?:
	       acl_need(param, "param") ?: acl_need_size(paramSize, "paramSize") ?:
	       kernel_find_list(argsHandle, &list) ?:
	       kernel_result(launch_list_update(list, paramHandle, param, paramSize));
}

aclError aclrtKernelArgsFinalize(aclrtArgsHandle argsHandle)
{
	struct launch_list *list;

	return kernel_enter(__func__) ?: kernel_find_list(argsHandle, &list) ?:
	       context_need() ?: kernel_result(launch_list_finish(list));
}
