// SPDX-License-Identifier: MIT
#include "launch.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "device.h"
#include "stream.h"

struct launch {
	struct launch_shape shape;
	struct aclkm_launch call;
	_Alignas(16) unsigned char args[];
};

/* A kernel that a binary was asked for. */
struct function {
	struct object object;
	const struct aclkm_kernel *kernel;
	uintptr_t binary;
};

struct binary {
	struct object object;
	pthread_mutex_t lock; /* of the functions */
	bool unloaded;
	uintptr_t functions[]; /* one for each kernel; 0: not asked for yet */
};

static struct object_table binaries = OBJECT_TABLE(OBJECT_BINARY);
static struct object_table functions = OBJECT_TABLE(OBJECT_FUNCTION);

/* Set once and never changed after that. */
static const struct aclkm_kernel_table *_Atomic launch_table;

static bool check_row(const struct aclkm_kernel_table *table, uint64_t at)
{
	const struct aclkm_kernel *kernel = &table->kernels[at];
	uint64_t other;

	if (!kernel->name || !kernel->run || kernel->param_count > LAUNCH_PARAMS ||
	    (kernel->param_count && !kernel->param_sizes))
		return false;
	for (other = 0; other < at; other++) {
		if (!strcmp(table->kernels[other].name, kernel->name))
			return false;
	}
	return true;
}

static int check_table(const struct aclkm_kernel_table *table, const char *path)
{
	uint64_t i;

	if (table->size != sizeof(*table) ||
	    table->kernel_size != sizeof(struct aclkm_kernel))
		return error_set(
			ACLKM_ERR_CONFIG,
			"ACLKM_KERNELS=\"%.200s\": its table was built with another "
			"aclkm/kernels.h: build it again",
			path);
	for (i = 0; i < table->count; i++) {
		if (!check_row(table, i))
			return error_set(
				ACLKM_ERR_CONFIG,
				"ACLKM_KERNELS=\"%.200s\": kernel %llu of its table "
				"must have a name of its own, a function, at most "
				"128 parameters, and the size of each",
				path, (unsigned long long)i);
	}
	return ACLKM_OK;
}

/* No lock is held: functions of the file run while it is loaded. */
static int load_table(const char *path)
{
	const struct aclkm_kernel_table *table;
	void *file = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	int err;

	if (!file)
		return error_set(ACLKM_ERR_CONFIG, "ACLKM_KERNELS=\"%.200s\": %.150s",
				 path, dlerror());
	table = dlsym(file, "aclkm_kernels");
	if (!table)
		err = error_set(ACLKM_ERR_CONFIG,
				"ACLKM_KERNELS=\"%.200s\": defines no \"aclkm_kernels\": "
				"see ACLKM_KERNEL_TABLE in aclkm/kernels.h",
				path);
	else
		err = check_table(table, path);
	if (err)
		dlclose(file);
	else
		atomic_store(&launch_table, table);
	return err;
}

int launch_ready(void)
{
	const struct config *config = config_get();
	int err = config_check();

	if (err)
		return err;
	if (!config->kernels)
		return error_set(
			ACLKM_ERR_UNSUPPORTED,
			"not supported: kernels need compute cores, and this device "
			"has none; ACLKM_KERNELS names a file with host functions "
			"for them");
	return atomic_load(&launch_table) ? ACLKM_OK : load_table(config->kernels);
}

static int no_heap(void)
{
	return error_set(ACLKM_ERR_NOHEAP, "no memory for the library's own records");
}

static void free_binary(struct object *object)
{
	struct binary *binary = object_entry(object, struct binary, object);

	pthread_mutex_destroy(&binary->lock);
	free(binary);
}

static void free_function(struct object *object)
{
	free(object_entry(object, struct function, object));
}

int launch_load(uintptr_t *binary)
{
	const struct aclkm_kernel_table *table = atomic_load(&launch_table);
	struct binary *new = calloc(1, sizeof(*new) + table->count * sizeof(uintptr_t));

	if (!new)
		return no_heap();
	pthread_mutex_init(&new->lock, NULL);
	if (object_add(&binaries, &new->object, 0, free_binary)) {
		free_binary(&new->object);
		return no_heap();
	}
	*binary = new->object.handle;
	return ACLKM_OK;
}

static struct binary *get_binary(uintptr_t handle)
{
	struct object *object = object_get(&binaries, handle);

	if (object)
		return object_entry(object, struct binary, object);
	error_set(ACLKM_ERR_HANDLE, "binHandle = %p: never loaded, or unloaded already",
		  (void *)handle);
	return NULL;
}

int launch_unload(uintptr_t handle)
{
	const struct aclkm_kernel_table *table = atomic_load(&launch_table);
	struct object *object = object_remove(&binaries, handle), *found;
	struct binary *binary;
	uint64_t i;

	if (!object)
		return error_set(ACLKM_ERR_HANDLE,
				 "binHandle = %p: never loaded, or unloaded already",
				 (void *)handle);
	binary = object_entry(object, struct binary, object);
	pthread_mutex_lock(&binary->lock);
	binary->unloaded = true;
	for (i = 0; i < table->count; i++) {
		found = object_remove(&functions, binary->functions[i]);
		if (found)
			object_put(found);
	}
	pthread_mutex_unlock(&binary->lock);
	object_put(object);
	return ACLKM_OK;
}

/* Makes the handle of kernel @at the first time. */
static int function_locked(struct binary *binary, uint64_t at)
{
	struct function *function;

	if (binary->functions[at])
		return ACLKM_OK;
	function = calloc(1, sizeof(*function));
	if (!function)
		return ACLKM_ERR_NOHEAP;
	function->kernel = &atomic_load(&launch_table)->kernels[at];
	function->binary = binary->object.handle;
	if (object_add(&functions, &function->object, 0, free_function)) {
		free(function);
		return ACLKM_ERR_NOHEAP;
	}
	binary->functions[at] = function->object.handle;
	return ACLKM_OK;
}

static int find_kernel(uintptr_t handle, uint64_t at, uintptr_t *function)
{
	struct binary *binary = get_binary(handle);
	int err;

	if (!binary)
		return ACLKM_ERR_HANDLE;
	pthread_mutex_lock(&binary->lock);
	err = binary->unloaded ? ACLKM_ERR_HANDLE : function_locked(binary, at);
	if (!err)
		*function = binary->functions[at];
	pthread_mutex_unlock(&binary->lock);
	object_put(&binary->object);
	if (err == ACLKM_ERR_HANDLE)
		return error_set(err, "binHandle = %p: unloaded meanwhile",
				 (void *)handle);
	return err ? no_heap() : ACLKM_OK;
}

static int check_binary(uintptr_t handle)
{
	struct binary *binary = get_binary(handle);

	if (!binary)
		return ACLKM_ERR_HANDLE;
	object_put(&binary->object);
	return ACLKM_OK;
}

int launch_find(uintptr_t binary, const char *name, uintptr_t *function)
{
	const struct aclkm_kernel_table *table = atomic_load(&launch_table);
	int err = check_binary(binary);
	uint64_t at = 0;

	if (err)
		return err;
	while (at < table->count && strcmp(table->kernels[at].name, name))
		at++;
	if (at < table->count)
		return find_kernel(binary, at, function);
	return error_set(
		ACLKM_ERR_FOREIGN,
		"kernelName = \"%.100s\": not in the table of ACLKM_KERNELS=\"%.200s\"",
		name, config_get()->kernels);
}

int launch_find_entry(uintptr_t binary, uint64_t entry, uintptr_t *function)
{
	const struct aclkm_kernel_table *table = atomic_load(&launch_table);
	int err = check_binary(binary);
	uint64_t at = 0;

	if (err)
		return err;
	while (at < table->count && table->kernels[at].entry != entry)
		at++;
	if (at < table->count)
		return find_kernel(binary, at, function);
	return error_set(ACLKM_ERR_FOREIGN,
			 "funcEntry = %llu: not in the table of ACLKM_KERNELS=\"%.200s\"",
			 (unsigned long long)entry, config_get()->kernels);
}

int launch_function(uintptr_t handle, const struct aclkm_kernel **kernel,
		    uintptr_t *binary)
{
	struct object *object = object_get(&functions, handle);
	const struct function *function;

	if (!object)
		return error_set(
			ACLKM_ERR_HANDLE,
			"funcHandle = %p: never found, or its binary was unloaded",
			(void *)handle);
	function = object_entry(object, struct function, object);
	*kernel = function->kernel;
	if (binary)
		*binary = function->binary;
	object_put(object);
	return ACLKM_OK;
}

struct launch *launch_new(const struct aclkm_kernel *kernel,
			  const struct launch_shape *shape, size_t size)
{
	struct launch *launch = malloc(sizeof(*launch) + size);

	if (!launch)
		return NULL;
	*launch = (struct launch){
		.shape = *shape,
		.call = {.size = sizeof(launch->call),
			 .blocks = shape->blocks,
			 .args = launch->args,
			 .args_size = size,
			 .kernel = kernel},
	};
	memcpy(launch->call.grid, shape->grid, sizeof(launch->call.grid));
	memcpy(launch->call.threads, shape->threads, sizeof(launch->call.threads));
	return launch;
}

unsigned char *launch_args(struct launch *launch)
{
	return launch->args;
}

void launch_place(struct launch *launch, const struct launch_place *place)
{
	const void *data = launch->args + place->data;

	memcpy(launch->args + place->at, &data, sizeof(data));
}

/* A launch in a graph can run in several streams at once: each run has a call of its own.
 */
struct launch_run {
	const struct launch *launch;
	struct worker *worker;
	struct aclkm_launch call;
	int failed; /* what the kernel's function returned */
};

static void call_blocks(void *arg)
{
	struct launch_run *run = arg;
	uint32_t i;

	for (i = 0; i < run->launch->shape.blocks; i++) {
		run->call.block = run->launch->shape.first + i;
		run->failed = run->call.kernel->run(&run->call);
		if (run->failed || queue_is_interrupted(&run->worker->queue))
			break;
	}
}

static int run_launch(struct task *task)
{
	const struct launch *launch = task->dst;
	struct launch_run run = {
		.launch = launch, .worker = task->worker, .call = launch->call};

	/* The function works with the stream's context until it sets another. */
	if (!device_mine.context)
		device_lend(stream_context(task->worker));
	worker_call(task, call_blocks, &run);
	return run.failed ? ACLKM_ERR_KERNEL : ACLKM_OK;
}

static void drop_launch(struct task *task)
{
	free(task->dst);
}

static int launch_submit_task(struct launch *launch, uintptr_t stream,
			      const struct uses *uses)
{
	const struct task task = {.run = run_launch, .drop = drop_launch, .dst = launch};
	const struct device_here *here = device_here();
	int err;

	/* The stream is one of this thread's context, or is refused. */
	launch->call.device = here ? here->device : 0;
	err = stream_submit_using(stream, &task, sizeof(task), 0, uses);
	if (err)
		free(launch);
	return err;
}

int launch_submit(struct launch *launch, uintptr_t stream)
{
	static const struct uses uses = {.what = "kernel"};

	return launch_submit_task(launch, stream, &uses);
}

int launch_submit_device(const struct aclkm_kernel *kernel,
			 const struct launch_shape *shape, const void *args, size_t size,
			 uintptr_t stream)
{
	const struct uses uses = {"kernel's arguments", {{.at = args, .size = size}}};
	struct launch *launch = launch_new(kernel, shape, 0);

	if (!launch)
		return no_heap();
	launch->call.args = args;
	launch->call.args_size = size;
	return launch_submit_task(launch, stream, &uses);
}
