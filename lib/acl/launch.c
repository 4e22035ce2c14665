// SPDX-License-Identifier: MIT
/* Launches of kernels: the argument rules of AscendCL. */
#include "acl/acl_rt.h"

#include <string.h>

#include "exec/exec.h"
#include "context.h"
#include "kernel.h"
#include "result.h"

static aclError check_blocks(uint32_t numBlocks, aclError code)
{
	if (numBlocks)
		return ACL_SUCCESS;
	return acl_refuse(code, "numBlocks = 0: must be 1 or more");
}

static aclError check_args_size(size_t size)
{
	if (size && size <= UINT32_MAX)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
			  "argsSize = %zu: must be from 1 to 4294967295", size);
}

static struct launch_shape plain_shape(uint32_t blocks)
{
	return (struct launch_shape){
		.blocks = blocks, .grid = {blocks, 1, 1}, .threads = {1, 1, 1}};
}

/* Of the attributes the first block changes what runs; the others are for a device. */
static aclError acl_launch_read_config(const aclrtLaunchKernelCfg *cfg,
				       struct launch_shape *shape)
{
	size_t i;

	if (!cfg || !cfg->numAttrs)
		return ACL_SUCCESS;
	if (!cfg->attrs)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "cfg->attrs is NULL, and numAttrs = %zu",
				  cfg->numAttrs);
	for (i = 0; i < cfg->numAttrs; i++) {
		const aclrtLaunchKernelAttr *attr = &cfg->attrs[i];

		if ((int)attr->id < ACL_RT_LAUNCH_KERNEL_ATTR_SCHEM_MODE ||
		    (int)attr->id > ACL_RT_LAUNCH_KERNEL_ATTR_ENABLE_PROFILING)
			return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
					  "cfg->attrs[%zu].id = %d: must be from 1 to 9",
					  i, (int)attr->id);
		if (attr->id != ACL_RT_LAUNCH_KERNEL_ATTR_BLOCKDIM_OFFSET)
			continue;
		if (attr->value.blockDimOffset > UINT32_MAX - shape->blocks)
			return acl_refuse(
				ACL_ERROR_RT_PARAM_INVALID,
				"blockDimOffset = %u: leaves 32 bits with %u blocks",
				attr->value.blockDimOffset, shape->blocks);
		shape->first = attr->value.blockDimOffset;
	}
	return ACL_SUCCESS;
}

static aclError launch_device(const char *function, aclrtFuncHandle funcHandle,
			      uint32_t numBlocks, const void *argsData, size_t argsSize,
			      const aclrtLaunchKernelCfg *cfg, aclrtStream stream)
{
	struct launch_shape shape = plain_shape(numBlocks);
	const struct aclkm_kernel *kernel;
	aclError code = kernel_enter(function) ?: acl_need(funcHandle, "funcHandle") ?:
			acl_need(argsData, "argsData") ?: context_need() ?:
			check_blocks(numBlocks, ACL_ERROR_RT_PARAM_INVALID) ?:
			check_args_size(argsSize) ?: acl_launch_read_config(cfg, &shape) ?:
			kernel_find(funcHandle, &kernel);

	if (code)
		return code;
	return stream_result(launch_submit_device(kernel, &shape, argsData, argsSize,
						  context_stream(stream)));
}

aclError aclrtLaunchKernel(aclrtFuncHandle funcHandle, uint32_t numBlocks,
			   const void *argsData, size_t argsSize, aclrtStream stream)
{
	return launch_device(__func__, funcHandle, numBlocks, argsData, argsSize, NULL,
			     stream);
}

aclError aclrtLaunchKernelV2(aclrtFuncHandle funcHandle, uint32_t numBlocks,
			     const void *argsData, size_t argsSize,
			     aclrtLaunchKernelCfg *cfg, aclrtStream stream)
{
	return launch_device(__func__, funcHandle, numBlocks, argsData, argsSize, cfg,
			     stream);
}

aclError aclrtLaunchKernelWithConfig(aclrtFuncHandle funcHandle, uint32_t numBlocks,
				     aclrtStream stream, aclrtLaunchKernelCfg *cfg,
				     aclrtArgsHandle argsHandle, void *reserve)
{
	struct launch_shape shape = plain_shape(numBlocks);
	const struct aclkm_kernel *kernel;
	struct launch_list *list;
	struct launch *launch;
	aclError code = kernel_enter(__func__) ?: acl_need(funcHandle, "funcHandle") ?:
			check_blocks(numBlocks, ACL_ERROR_INVALID_PARAM) ?:
			acl_need(argsHandle, "argsHandle");

	if (code)
		return code;
	if (reserve)
		return acl_refuse(ACL_ERROR_INVALID_PARAM, "reserve = %p: must be NULL",
				  reserve);
	code = context_need() ?: acl_launch_read_config(cfg, &shape) ?: kernel_find(funcHandle, &kernel) ?:
	       kernel_find_list(argsHandle, &list) ?:
	       kernel_result(launch_list_copy(list, (uintptr_t)funcHandle, kernel, &shape,
					      &launch));
	return code ?: stream_result(launch_submit(launch, context_stream(stream)));
}

/* What a launch with arguments in host memory has. */
struct host_args {
	const void *args;
	size_t size;
	const aclrtPlaceHolderInfo *places;
	size_t nr_places;
};

static aclError check_places(const struct host_args *host)
{
	size_t i;

	if (host->nr_places && !host->places)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "placeHolderArray is NULL, and placeHolderNum = %zu",
				  host->nr_places);
	for (i = 0; i < host->nr_places; i++) {
		const aclrtPlaceHolderInfo *place = &host->places[i];

		if (host->size < sizeof(uint64_t) ||
		    place->addrOffset > host->size - sizeof(uint64_t) ||
		    place->dataOffset >= host->size)
			return acl_refuse(
				ACL_ERROR_RT_PARAM_INVALID,
				"placeHolderArray[%zu] = {%u, %u}: an address and "
				"its data must lie in the %zu bytes of the arguments",
				i, place->addrOffset, place->dataOffset, host->size);
	}
	return ACL_SUCCESS;
}

static aclError launch_host(const struct aclkm_kernel *kernel,
			    const struct launch_shape *shape,
			    const struct host_args *host, aclrtStream stream)
{
	struct launch *launch = launch_new(kernel, shape, host->size);
	size_t i;

	if (!launch)
		return acl_refuse(ACL_ERROR_BAD_ALLOC,
				  "no memory for the launch's arguments");
	memcpy(launch_args(launch), host->args, host->size);
	for (i = 0; i < host->nr_places; i++)
		launch_place(launch, &(struct launch_place){host->places[i].addrOffset,
							    host->places[i].dataOffset});
	return stream_result(launch_submit(launch, context_stream(stream)));
}

aclError aclrtLaunchKernelWithHostArgs(aclrtFuncHandle funcHandle, uint32_t numBlocks,
				       aclrtStream stream, aclrtLaunchKernelCfg *cfg,
				       void *hostArgs, size_t argsSize,
				       aclrtPlaceHolderInfo *placeHolderArray,
				       size_t placeHolderNum)
{
	const struct host_args host = {hostArgs, argsSize, placeHolderArray,
				       placeHolderNum};
	struct launch_shape shape = plain_shape(numBlocks);
	const struct aclkm_kernel *kernel;

	return kernel_enter(__func__) ?: acl_need(funcHandle, "funcHandle") ?:
	       acl_need(hostArgs, "hostArgs") ?: context_need() ?:
	       check_blocks(numBlocks, ACL_ERROR_RT_PARAM_INVALID) ?:
	       check_args_size(argsSize) ?: check_places(&host) ?:
	       acl_launch_read_config(cfg, &shape) ?: kernel_find(funcHandle, &kernel) ?:
	       launch_host(kernel, &shape, &host, stream);
}

/* Gathers the parameters, which the program gives by their addresses. */
static aclError launch_array(const struct aclkm_kernel *kernel,
			     const struct launch_shape *shape, void **args,
			     aclrtStream stream)
{
	size_t size = kernel_param_at(kernel, kernel->param_count);
	struct launch *launch;
	uint32_t i;

	for (i = 0; i < kernel->param_count; i++) {
		if (!args[i])
			return acl_refuse(ACL_ERROR_RT_PARAM_INVALID, "args[%u] is NULL",
					  i);
	}
	launch = launch_new(kernel, shape, size);
	if (!launch)
		return acl_refuse(ACL_ERROR_BAD_ALLOC,
				  "no memory for the launch's arguments");
	memset(launch_args(launch), 0, size);
	for (i = 0; i < kernel->param_count; i++)
		memcpy(launch_args(launch) + kernel_param_at(kernel, i), args[i],
		       kernel->param_sizes[i]);
	return stream_result(launch_submit(launch, context_stream(stream)));
}

aclError aclrtLaunchKernelWithArgsArray(void *func, uint32_t numBlocks,
					aclrtStream stream, aclrtLaunchKernelCfg *cfg,
					void **args)
{
	struct launch_shape shape = plain_shape(numBlocks);
	const struct aclkm_kernel *kernel;

	return kernel_enter(__func__) ?: acl_need(func, "func") ?:
	       check_blocks(numBlocks, ACL_ERROR_INVALID_PARAM) ?: acl_need(args, "args") ?:
	       context_need() ?: acl_launch_read_config(cfg, &shape) ?: kernel_find(func, &kernel) ?:
	       kernel_need_params(kernel) ?: launch_array(kernel, &shape, args, stream);
}

static aclError simt_shape(dim3 grid, dim3 threads, struct launch_shape *shape)
{
	uint32_t blocks;

	*shape = (struct launch_shape){.grid = {grid.x, grid.y, grid.z},
				       .threads = {threads.x, threads.y, threads.z}};
	if (!grid.x || !grid.y || !grid.z || !threads.x || !threads.y || !threads.z)
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "gridDim = {%u, %u, %u}, blockDim = {%u, %u, %u}: each "
				  "must be 1 or more",
				  grid.x, grid.y, grid.z, threads.x, threads.y,
				  threads.z);
	if (__builtin_mul_overflow(grid.x, grid.y, &blocks) ||
	    __builtin_mul_overflow(blocks, grid.z, &shape->blocks))
		return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
				  "gridDim = {%u, %u, %u}: more than 4294967295 blocks",
				  grid.x, grid.y, grid.z);
	return ACL_SUCCESS;
}

/* A SIMT launch has no first block of its own: only the ids of the attributes count. */
static aclError acl_launch_check_config(const aclrtLaunchKernelCfg *cfg)
{
	struct launch_shape unused = plain_shape(1);

	return acl_launch_read_config(cfg, &unused);
}

/* The memory of the cores is a device's. */
static aclError check_ubuf(size_t dynUbufSize)
{
	if (dynUbufSize <= UINT32_MAX)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
			  "dynUbufSize = %zu: more than 4294967295", dynUbufSize);
}

aclError aclrtLaunchSIMTKernelWithArgsArray(void *func, dim3 gridDim, dim3 blockDim,
					    size_t dynUbufSize, aclrtStream stream,
					    aclrtLaunchKernelCfg *cfg, void **args)
{
	const struct aclkm_kernel *kernel;
	struct launch_shape shape;

	return kernel_enter(__func__) ?: acl_need(func, "func") ?: acl_need(args, "args") ?:
	       context_need() ?: simt_shape(gridDim, blockDim, &shape) ?:
	       check_ubuf(dynUbufSize) ?: acl_launch_check_config(cfg) ?: kernel_find(func, &kernel) ?:
	       kernel_need_params(kernel) ?: launch_array(kernel, &shape, args, stream);
}

aclError aclrtLaunchSIMTKernelWithHostArgs(void *func, dim3 gridDim, dim3 blockDim,
					   size_t dynUbufSize, aclrtStream stream,
					   aclrtLaunchKernelCfg *cfg, void *hostArgs,
					   size_t argsSize,
					   aclrtPlaceHolderInfo *placeHolderArray,
					   size_t placeHolderNum)
{
	const struct host_args host = {hostArgs, argsSize, placeHolderArray,
				       placeHolderNum};
	const struct aclkm_kernel *kernel;
	struct launch_shape shape;

	return kernel_enter(__func__) ?: acl_need(func, "func") ?:
	       acl_need(hostArgs, "hostArgs") ?: acl_need_size(argsSize, "argsSize") ?:
	       context_need() ?: simt_shape(gridDim, blockDim, &shape) ?:
	       check_ubuf(dynUbufSize) ?: check_args_size(argsSize) ?: check_places(&host) ?:
	       acl_launch_check_config(cfg) ?: kernel_find(func, &kernel) ?:
	       launch_host(kernel, &shape, &host, stream);
}
