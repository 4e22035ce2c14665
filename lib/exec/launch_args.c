// SPDX-License-Identifier: MIT
#include "launch_args.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/base.h"

#define LIST_MAGIC 0x6c6b6d2d61726773ULL

struct param {
	size_t at, size;
	size_t data; /* of a placeholder: where its data begin; 0: none yet */
	bool place;
};

struct launch_list {
	uint64_t magic;
	const struct launch_list *self;
	uintptr_t function;
	unsigned char *memory;
	size_t size, used;
	uint32_t count;
	bool has_data; /* no parameter can follow */
	bool finished; /* and only values change */
	bool changed;  /* since it was finished */
	struct param params[LAUNCH_PARAMS];
};

const size_t launch_list_size = sizeof(struct launch_list);

static _Thread_local struct launch_list *own_list;
static struct thread_key own_key;

static void end_own(void *value)
{
	struct launch_list *list = value;

	own_list = NULL;
	list->magic = 0;
	free(list);
}

static void launch_args_begin(struct launch_list *list, uintptr_t function, void *memory,
			      size_t size)
{
	*list = (struct launch_list){
		.magic = LIST_MAGIC,
		.self = list,
		.function = function,
		.memory = memory,
		.size = size,
	};
}

int launch_list_own(uintptr_t function, struct launch_list **out)
{
	struct launch_list *list = own_list;

	if (!list) {
		list = calloc(1, sizeof(*list) + LAUNCH_ARGS_SIZE);
		if (!list || !thread_key_set(&own_key, end_own, list)) {
			free(list);
			return error_set(ACLKM_ERR_NOHEAP,
					 "no memory for this thread's arguments");
		}
		own_list = list;
	}
	launch_args_begin(list, function, list + 1, LAUNCH_ARGS_SIZE);
	*out = list;
	return ACLKM_OK;
}

int launch_list_init(void *at, uintptr_t function, void *memory, size_t size)
{
	if ((uintptr_t)at % _Alignof(struct launch_list))
		return error_set(ACLKM_ERR_INVALID,
				 "argsHandle = %p: must be a multiple of 8", at);
	launch_args_begin(at, function, memory, size);
	return ACLKM_OK;
}

/* An address that the program may have made up is read by a call that can fail. */
static bool can_be_list(const void *handle)
{
	struct {
		uint64_t magic;
		const struct launch_list *self;
	} head;
	struct iovec to = {&head, sizeof(head)},
		     from = {(void *)(uintptr_t)handle, sizeof(head)};

	return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)sizeof(head) &&
	       head.magic == LIST_MAGIC && head.self == handle;
}

int launch_list_find(const void *handle, struct launch_list **out)
{
	if (handle != own_list &&
	    ((uintptr_t)handle % _Alignof(struct launch_list) || !can_be_list(handle)))
		return error_set(ACLKM_ERR_HANDLE,
				 "argsHandle = %p: not from aclrtKernelArgsInit or "
				 "aclrtKernelArgsInitByUserMem",
				 handle);
	*out = (struct launch_list *)(uintptr_t)handle;
	return ACLKM_OK;
}

static int find_param(const struct launch_list *list, const void *handle,
		      struct param **out)
{
	uintptr_t in = (uintptr_t)handle - (uintptr_t)list->params;

	if (in % sizeof(struct param) || in / sizeof(struct param) >= list->count)
		return error_set(ACLKM_ERR_HANDLE,
				 "paramHandle = %p: not one of this list's %u parameters",
				 handle, list->count);
	*out = (struct param *)(uintptr_t)handle;
	return ACLKM_OK;
}

/* Where @size bytes follow. */
static int take_room(const struct launch_list *list, size_t size, size_t *at)
{
	*at = (list->used + LAUNCH_ALIGN - 1) & ~(size_t)(LAUNCH_ALIGN - 1);
	if (*at <= list->size && size <= list->size - *at)
		return ACLKM_OK;
	return error_set(ACLKM_ERR_INVALID,
			 "%zu bytes behind %zu: the arguments have %zu bytes in all",
			 size, list->used, list->size);
}

static int check_open(const struct launch_list *list, bool param)
{
	if (list->finished)
		return error_set(
			ACLKM_ERR_UNSUPPORTED,
			"argsHandle: aclrtKernelArgsFinalize has ended the list");
	if (!param)
		return ACLKM_OK;
	if (list->has_data)
		return error_set(ACLKM_ERR_UNSUPPORTED,
				 "argsHandle: no parameter can follow the first "
				 "aclrtKernelArgsGetPlaceHolderBuffer");
	if (list->count == LAUNCH_PARAMS)
		return error_set(ACLKM_ERR_INVALID,
				 "argsHandle: has 128 parameters, the most");
	return ACLKM_OK;
}

static int add_param(struct launch_list *list, size_t size, bool place,
		     struct param **out)
{
	size_t at;
	int err = check_open(list, true) ?: take_room(list, size, &at);

	if (err)
		return err;
	*out = &list->params[list->count++];
	**out = (struct param){.at = at, .size = size, .place = place};
	memset(list->memory + list->used, 0, at - list->used);
	list->used = at + size;
	return ACLKM_OK;
}

int launch_list_add(struct launch_list *list, const void *value, size_t size,
		    void **param)
{
	struct param *new;
	int err = add_param(list, size, false, &new);

	if (err)
		return err;
	memcpy(list->memory + new->at, value, size);
	*param = new;
	return ACLKM_OK;
}

int launch_list_add_place(struct launch_list *list, void **param)
{
	struct param *new;
	int err = add_param(list, sizeof(uint64_t), true, &new);

	if (err)
		return err;
	memset(list->memory + new->at, 0, new->size);
	*param = new;
	return ACLKM_OK;
}

int launch_list_buffer(struct launch_list *list, void *handle, size_t size, void **buffer)
{
	struct param *param = NULL;
	size_t at;
	int err = find_param(list, handle, &param) ?: check_open(list, false) ?:
		  take_room(list, size, &at);

	if (err)
		return err;
	if (!param->place)
		return error_set(ACLKM_ERR_INVALID,
				 "paramHandle = %p: not from "
				 "aclrtKernelArgsAppendPlaceHolder",
				 handle);
	param->data = at;
	list->has_data = true;
	memset(list->memory + list->used, 0, at - list->used);
	list->used = at + size;
	*buffer = list->memory + at;
	return ACLKM_OK;
}

int launch_list_update(struct launch_list *list, void *handle, const void *value,
		       size_t size)
{
	struct param *param = NULL;
	int err = find_param(list, handle, &param);

	if (err)
		return err;
	if (param->place)
		return error_set(ACLKM_ERR_INVALID,
				 "paramHandle = %p: a placeholder; write into its buffer",
				 handle);
	if (size != param->size)
		return error_set(ACLKM_ERR_INVALID,
				 "paramSize = %zu: the parameter has %zu bytes", size,
				 param->size);
	memcpy(list->memory + param->at, value, size);
	list->changed = true;
	return ACLKM_OK;
}

int launch_list_finish(struct launch_list *list)
{
	list->finished = true;
	list->changed = false;
	return ACLKM_OK;
}

static int check_whole(const struct launch_list *list, uintptr_t function)
{
	uint32_t i;

	if (list->function != function)
		return error_set(ACLKM_ERR_INVALID,
				 "argsHandle = %p: built for funcHandle %p, not for %p",
				 (const void *)list, (void *)list->function,
				 (void *)function);
	if (!list->finished || list->changed)
		return error_set(ACLKM_ERR_INVALID,
				 "argsHandle = %p: call aclrtKernelArgsFinalize%s",
				 (const void *)list, list->changed ? " again" : " first");
	for (i = 0; i < list->count; i++) {
		if (list->params[i].place && !list->params[i].data)
			return error_set(ACLKM_ERR_INVALID,
					 "argsHandle = %p: parameter %u is a placeholder "
					 "without a buffer",
					 (const void *)list, i);
	}
	return ACLKM_OK;
}

int launch_list_copy(const struct launch_list *list, uintptr_t function,
		     const struct aclkm_kernel *kernel, const struct launch_shape *shape,
		     struct launch **out)
{
	int err = check_whole(list, function);
	struct launch *launch;
	uint32_t i;

	if (err)
		return err;
	launch = launch_new(kernel, shape, list->used);
	if (!launch)
		return error_set(ACLKM_ERR_NOHEAP,
				 "no memory for the launch's arguments");
	memcpy(launch_args(launch), list->memory, list->used);
	for (i = 0; i < list->count; i++) {
		const struct param *param = &list->params[i];

		if (param->place)
			launch_place(launch,
				     &(struct launch_place){param->at, param->data});
	}
	*out = launch;
	return ACLKM_OK;
}
