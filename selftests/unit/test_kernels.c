// SPDX-License-Identifier: MIT
/* Kernels as host functions: loading, argument lists, launches, the variable's rules. */
#include <dlfcn.h>
#include <limits.h>
#include <sys/wait.h>

#include "gate.h"
#include "kernels_shared.h"

static aclrtStream s;
static aclrtBinHandle binary;
static aclrtFuncHandle add, scale, record;
static char file[PATH_MAX];

static bool find_file(void)
{
	ssize_t n = readlink("/proc/self/exe", file, sizeof(file) - 12);
	char *slash;

	if (n < 0)
		return false;
	file[n] = 0;
	slash = strrchr(file, '/');
	strcpy(slash + 1, "kernels.so");
	return !access(file, R_OK);
}

/* In a child, as the variable is read once. Gives the exit code. */
static int in_child(const char *value, int (*fn)(void))
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		if (value)
			setenv("ACLKM_KERNELS", value, 1);
		else
			unsetenv("ACLKM_KERNELS");
		_exit(fn());
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
}

#define WANT(condition)                                                                  \
	do {                                                                             \
		if (!(condition))                                                        \
			return __LINE__ % 251 + 1;                                       \
	} while (0)

static int without_variable(void)
{
	aclrtBinHandle bin = NULL;
	void *handle = NULL;
	size_t size;

	WANT(!aclrtSetDevice(0));
	WANT(aclrtBinaryLoadFromFile("a.o", NULL, &bin) == 207000 && !bin);
	WANT(recent_has("aclrtBinaryLoadFromFile"));
	WANT(aclrtBinaryLoadFromData("x", 1, NULL, &bin) == 207000 && !bin);
	WANT(recent_has("ACLKM_KERNELS"));
	WANT(!aclrtCreateBinary("x", 1));
	WANT(aclrtKernelArgsInit(&bin, &handle) == 207000 && !handle);
	WANT(aclrtKernelArgsGetHandleMemSize(&bin, &size) == 207000);
	WANT(aclrtLaunchKernel(&bin, 1, &bin, 8, NULL) == 207000);
	WANT(aclrtLaunchKernelWithConfig(&bin, 1, NULL, NULL, &bin, NULL) == 207000);
	WANT(aclrtLaunchKernelWithHostArgs(&bin, 1, NULL, NULL, &bin, 8, NULL, 0) ==
	     207000);
	return 0;
}

static int refused_file(void)
{
	return aclrtSetDevice(0) == 100000 && recent_has("ACLKM_KERNELS") ? 0 : 1;
}

/* A file that is there, and is no table of kernels. */
static int unusable_file(void)
{
	aclrtBinHandle bin;

	WANT(!aclrtSetDevice(0));
	WANT(aclrtBinaryLoadFromFile("a.o", NULL, &bin) == 100000);
	WANT(recent_has("ACLKM_KERNELS"));
	return 0;
}

static void test_variable(void)
{
	is(in_child(NULL, without_variable), 0, "without the variable all answer 207000");
	is(in_child("/no/such/file.so", refused_file), 0,
	   "a file that is not there is refused");
	is(in_child("", refused_file), 0, "an empty path is refused");
	is(in_child("/proc/self/exe", unusable_file), 0,
	   "a program is no file of kernels: 100000 with a text");
}

static void test_binaries(void)
{
	aclrtBinaryLoadOption option = {ACL_RT_BINARY_LOAD_OPT_LAZY_LOAD,
					{.isLazyLoad = 1}};
	aclrtBinaryLoadOptions options = {&option, 1};
	aclrtFuncHandle function = NULL, other = NULL;
	aclrtBinHandle bin = NULL, from = NULL;
	aclrtBinary image = aclrtCreateBinary("bytes", 5);
	char name[32];
	int64_t type = -1;

	ok(image, "a binary is described by its bytes");
	is(aclrtBinaryLoad(image, &bin), 0, "and loaded");
	is(aclrtDestroyBinary(image), 0, "the description can go");
	is(aclrtDestroyBinary(image), 107017, "once");
	is(aclrtBinaryLoad(image, &from), 107017, "and is not loaded again");
	ok(!aclrtCreateBinary(NULL, 5), "NULL is no binary");
	image = aclrtCreateBinary("", 0);
	is(aclrtBinaryLoad(image, &from), 107000, "an empty one is not loaded");
	aclrtDestroyBinary(image);
	is(aclrtBinaryGetFunction(bin, "add_custom", &function), 0,
	   "a kernel by its name");
	is(aclrtBinaryGetFunction(bin, "add_custom", &other), 0, "once more");
	ok(function && function == other, "the same handle");
	is(aclrtBinaryGetFunctionByEntry(bin, 7, &other), 0, "by its entry");
	ok(function == other, "the same handle too");
	is(aclrtBinaryGetFunctionByEntry(bin, 9, &other), 0, "an entry of two kernels");
	is(aclrtGetFunctionName(other, sizeof(name), name), 0, "its name");
	ok(!strcmp(name, "scale_custom"), "is that of the first");
	is(aclrtGetFunctionName(other, 12, name), 107000,
	   "a name without room for its end");
	is(aclrtBinaryGetFunction(bin, "missing", &other), 507027,
	   "a name that is not there");
	ok(recent_has("\"missing\""), "the text names it");
	is(aclrtBinaryGetFunctionByEntry(bin, 8, &other), 507027, "nor this entry");
	is(aclrtGetFunctionAttribute(function, ACL_FUNC_ATTR_KERNEL_TYPE, &type), 0,
	   "type");
	is(type, ACL_KERNEL_TYPE_VECTOR, "as the table says");
	is(aclrtGetFunctionAttribute(function, ACL_FUNC_ATTR_KERNEL_RATIO, &type), 207000,
	   "no ratio of cores");
	is(aclrtFunctionGetBinary(function, &from), 0, "the binary of a function");
	ok(from == bin, "is its own");
	is(aclrtBinaryUnLoad(bin), 0, "unload");
	is(aclrtBinaryUnLoad(bin), 107017, "once");
	is(aclrtGetFunctionName(function, sizeof(name), name), 107017,
	   "its functions end");
	is(aclrtBinaryGetFunction(bin, "add_custom", &other), 107017,
	   "and none is found");
	is(aclrtBinaryLoadFromData("x", 0, NULL, &bin), 107000, "data of no length");
	is(aclrtBinaryLoadFromData(NULL, 1, NULL, &bin), 100000, "no data");
	is(aclrtBinaryLoadFromData("x", 1, &options, &bin), 0, "data with an option");
	aclrtBinaryUnLoad(bin);
	option.type = (aclrtBinaryLoadOptionType)4;
	is(aclrtBinaryLoadFromFile("x.o", &options, &bin), 107000, "an unknown option");
	options.options = NULL;
	is(aclrtBinaryLoadFromFile("x.o", &options, &bin), 107000, "options at NULL");
}

static void *without_context(void *arg)
{
	aclrtBinHandle bin;

	*(int *)arg = aclrtBinaryLoadFromFile("x.o", NULL, &bin);
	return NULL;
}

static void test_add(void)
{
	aclrtArgsHandle list = NULL;
	aclrtParamHandle p[5] = {0};
	int32_t *a, *b, *out, host[1000];
	struct add_tiling *tiling = NULL;
	int i, good = 0;

	for (i = 0; i < 1000; i++)
		host[i] = i;
	is(aclrtMalloc((void **)&a, sizeof(host), 0), 0, "memory");
	is(aclrtMalloc((void **)&b, sizeof(host), 0), 0, "memory");
	is(aclrtMalloc((void **)&out, sizeof(host), 0), 0, "memory");
	aclrtMemcpy(a, sizeof(host), host, sizeof(host), ACL_MEMCPY_HOST_TO_DEVICE);
	aclrtMemcpy(b, sizeof(host), host, sizeof(host), ACL_MEMCPY_HOST_TO_DEVICE);
	is(aclrtKernelArgsInit(add, &list), 0, "a list");
	is(aclrtKernelArgsAppend(list, &a, sizeof(a), &p[0]), 0, "first");
	is(aclrtKernelArgsAppend(list, &b, sizeof(b), &p[1]), 0, "second");
	is(aclrtKernelArgsAppend(list, &out, sizeof(out), &p[2]), 0, "third");
	is(aclrtKernelArgsAppendPlaceHolder(list, &p[3]), 0, "a placeholder");
	is(aclrtLaunchKernelWithConfig(add, 4, s, NULL, list, NULL), 107000,
	   "not finished");
	is(aclrtKernelArgsFinalize(list), 0, "finished");
	is(aclrtLaunchKernelWithConfig(add, 4, s, NULL, list, NULL), 107000,
	   "a placeholder without a buffer is refused");
	ok(recent_has("placeholder"), "and the text says so");

	is(aclrtKernelArgsInit(add, &list), 0, "the list once more");
	for (i = 0; i < 3; i++)
		aclrtKernelArgsAppend(list, (void *[]){&a, &b, &out}[i], sizeof(a),
				      &p[i]);
	is(aclrtKernelArgsAppendPlaceHolder(list, &p[3]), 0, "a placeholder");
	is(aclrtKernelArgsGetPlaceHolderBuffer(list, p[0], 4, (void **)&tiling), 107000,
	   "a parameter has no buffer");
	is(aclrtKernelArgsGetPlaceHolderBuffer(list, p[3], sizeof(*tiling),
					       (void **)&tiling),
	   0, "its buffer");
	tiling->length = 1000;
	is(aclrtKernelArgsAppend(list, &a, sizeof(a), &p[4]), 207000,
	   "no parameter behind the first buffer");
	is(aclrtKernelArgsAppendPlaceHolder(list, &p[4]), 207000,
	   "no placeholder either");
	is(aclrtKernelArgsFinalize(list), 0, "finished");
	is(aclrtKernelArgsAppend(list, &a, sizeof(a), &p[4]), 207000, "nothing more");
	is(aclrtKernelArgsGetPlaceHolderBuffer(list, p[3], 4, (void **)&tiling), 207000,
	   "no other buffer");
	is(aclrtLaunchKernelWithConfig(add, 4, s, NULL, list, NULL), 0, "launched");
	tiling->length = 0; /* the launch has its own copy */
	is(aclrtSynchronizeStream(s), 0, "done");
	aclrtMemcpy(host, sizeof(host), out, sizeof(host), ACL_MEMCPY_DEVICE_TO_HOST);
	for (i = 0; i < 1000; i++)
		good += host[i] == 2 * i;
	is(good, 1000, "4 blocks have added all numbers");
	aclrtFree(a);
	aclrtFree(b);
	aclrtFree(out);
}

static void test_order_and_update(void)
{
	aclrtParamHandle value_param, factor_param, offset_param;
	int64_t *value, host = 1, factor, offset = 0;
	aclrtArgsHandle list;
	struct gate gate;
	uint32_t small = 0;

	aclrtMalloc((void **)&value, 8, 0);
	aclrtKernelArgsInit(scale, &list);
	factor = 3;
	aclrtKernelArgsAppend(list, &value, 8, &value_param);
	aclrtKernelArgsAppend(list, &factor, 8, &factor_param);
	aclrtKernelArgsAppend(list, &offset, 8, &offset_param);
	aclrtKernelArgsFinalize(list);
	aclrtMemcpy(value, 8, &host, 8, ACL_MEMCPY_HOST_TO_DEVICE);
	gate_close(&gate, s);
	is(aclrtLaunchKernelWithConfig(scale, 1, s, NULL, list, NULL), 0, "x * 3");
	offset = 5;
	is(aclrtKernelArgsParaUpdate(list, offset_param, &offset, 8), 0,
	   "another offset");
	is(aclrtLaunchKernelWithConfig(scale, 1, s, NULL, list, NULL), 107000,
	   "a changed list must be finished again");
	ok(recent_has("aclrtKernelArgsFinalize again"), "the text says so");
	is(aclrtKernelArgsFinalize(list), 0, "finished");
	is(aclrtLaunchKernelWithConfig(scale, 1, s, NULL, list, NULL), 0, "x * 3 + 5");
	is(aclrtKernelArgsParaUpdate(list, offset_param, &small, 4), 107000,
	   "another size is refused");
	is(aclrtKernelArgsParaUpdate(list, (aclrtParamHandle)list, &offset, 8), 107017,
	   "no parameter of the list");
	is(aclrtKernelArgsParaUpdate(list, (char *)offset_param + 1, &offset, 8), 107017,
	   "nor the inside of one");
	gate_open(&gate);
	is(aclrtSynchronizeStream(s), 0, "done");
	aclrtMemcpy(&host, 8, value, 8, ACL_MEMCPY_DEVICE_TO_HOST);
	is(host, 14, "in the order of the stream, each with the arguments of its launch");
	aclrtFree(value);
}

static void test_limits_of_lists(void)
{
	aclrtParamHandle p;
	aclrtArgsHandle list;
	static char much[70000];
	void *buffer;
	int i, code = 0;

	aclrtKernelArgsInit(record, &list);
	for (i = 0; i < 128 && !code; i++)
		code = aclrtKernelArgsAppend(list, &i, 4, &p);
	is(code, 0, "128 parameters");
	is(aclrtKernelArgsAppend(list, &i, 4, &p), 107000, "129 are refused");
	ok(recent_has("128"), "the text names the limit");
	aclrtKernelArgsInit(record, &list);
	is(aclrtKernelArgsAppend(list, much, 65537, &p), 107000, "more than 64 KiB");
	is(aclrtKernelArgsAppend(list, much, SIZE_MAX, &p), 107000, "nearly 2^64 bytes");
	is(aclrtKernelArgsAppend(list, much, 65520, &p), 0, "nearly 64 KiB");
	is(aclrtKernelArgsAppendPlaceHolder(list, &p), 0, "and a placeholder");
	is(aclrtKernelArgsGetPlaceHolderBuffer(list, p, 9, &buffer), 107000,
	   "no room for its buffer");
	is(aclrtKernelArgsGetPlaceHolderBuffer(list, p, 8, &buffer), 0,
	   "the last 8 bytes");
	is(aclrtKernelArgsAppend(list, NULL, 8, &p), 100000, "NULL");
	is(aclrtKernelArgsAppend(list, much, 0, &p), 100000, "size 0");
	is(aclrtKernelArgsAppend((aclrtArgsHandle)8, much, 8, &p), 107017,
	   "a made-up list");
	is(aclrtKernelArgsAppend(much, much, 8, &p), 107017, "memory that is no list");
	is(aclrtKernelArgsFinalize(NULL), 100000, "no list");
	is(aclrtKernelArgsInit((aclrtFuncHandle)16, &list), 107017, "no function");
}

static void launch_record(uint32_t blocks, aclrtLaunchKernelCfg *cfg, struct seen *seen,
			  int want, const char *what)
{
	aclrtArgsHandle list;
	aclrtParamHandle p;

	aclrtKernelArgsInit(record, &list);
	aclrtKernelArgsAppend(list, &seen, sizeof(seen), &p);
	aclrtKernelArgsFinalize(list);
	is(aclrtLaunchKernelWithConfig(record, blocks, s, cfg, list, NULL), want, "%s",
	   what);
}

static void test_config(void)
{
	aclrtLaunchKernelAttr attrs[2] = {
		{ACL_RT_LAUNCH_KERNEL_ATTR_TIMEOUT, {.timeout = 3}},
		{ACL_RT_LAUNCH_KERNEL_ATTR_BLOCKDIM_OFFSET, {.blockDimOffset = 2}},
	};
	aclrtLaunchKernelCfg cfg = {attrs, 2};
	struct seen seen = {0};

	launch_record(3, &cfg, &seen, 0, "with a first block");
	is(aclrtSynchronizeStream(s), 0, "done");
	is(seen.calls, 3, "3 calls");
	ok(seen.blocks[0] == 2 && seen.blocks[1] == 3 && seen.blocks[2] == 4,
	   "blocks 2 to 4 in order");
	is(seen.last.blocks, 3, "3 blocks");
	is(seen.last.grid[0], 3, "are the grid");
	is(seen.last.threads[2], 1, "of one thread each");
	is(seen.last.args_size, 8, "the bytes of the arguments");
	ok(!strcmp(seen.last.kernel->name, "record"), "the kernel");
	attrs[1].value.blockDimOffset = UINT32_MAX;
	launch_record(3, &cfg, &seen, 107000, "blocks that leave 32 bits");
	attrs[1].id = (aclrtLaunchKernelAttrId)10;
	launch_record(3, &cfg, &seen, 107000, "an unknown attribute");
	attrs[1].id = (aclrtLaunchKernelAttrId)0;
	launch_record(3, &cfg, &seen, 107000, "attribute 0");
	cfg.attrs = NULL;
	launch_record(3, &cfg, &seen, 107000, "attributes at NULL");
	launch_record(0, NULL, &seen, 100000, "no block");
	is(aclrtSynchronizeStream(s), 0, "nothing else");
	is(seen.calls, 3, "was called");
}

static void test_user_memory(void)
{
	struct seen seen = {0}, *at = &seen;
	size_t handle_size = 0, args_size = 0;
	aclrtParamHandle p, q;
	char *memory, *list;
	void *buffer;

	is(aclrtKernelArgsGetHandleMemSize(record, &handle_size), 0, "size of a list");
	is(aclrtKernelArgsGetMemSize(record, 100, &args_size), 0,
	   "size of its arguments");
	ok(args_size >= 100, "not less than the program's own");
	is(aclrtKernelArgsGetMemSize(record, SIZE_MAX, &args_size), 107000, "near 2^64");
	aclrtKernelArgsGetMemSize(record, 100, &args_size);
	list = malloc(handle_size);
	memory = malloc(args_size);
	memset(memory, 0xff, args_size);
	is(aclrtKernelArgsInitByUserMem(record, list, NULL, args_size), 100000, "NULL");
	is(aclrtKernelArgsInitByUserMem(record, list, memory, 0), 100000, "size 0");
	is(aclrtKernelArgsInitByUserMem(record, list + 1, memory, args_size), 107000,
	   "a list at an odd address");
	is(aclrtKernelArgsInitByUserMem(record, list, memory, 16), 0, "16 bytes");
	is(aclrtKernelArgsAppend(list, &at, 8, &p), 0, "one fits");
	is(aclrtKernelArgsAppend(list, &at, 9, &p), 107000, "no more than 16 bytes");
	is(aclrtKernelArgsInitByUserMem(record, list, memory, args_size), 0, "all");
	is(aclrtKernelArgsAppend(list, &at, 8, &p), 0, "the first");
	is(aclrtKernelArgsAppend(list, "x", 1, &p), 0, "one byte");
	is(aclrtKernelArgsAppendPlaceHolder(list, &q), 0, "a placeholder");
	is(aclrtKernelArgsGetPlaceHolderBuffer(list, q, 4, &buffer), 0, "its buffer");
	memcpy(buffer, "abc", 4);
	is(aclrtKernelArgsFinalize(list), 0, "finished");
	is(aclrtLaunchKernelWithConfig(add, 1, s, NULL, list, NULL), 107000,
	   "not for another kernel");
	is(aclrtLaunchKernelWithConfig(record, 1, s, NULL, list, &at), 100000,
	   "the reserved pointer must be NULL");
	is(aclrtLaunchKernelWithConfig(record, 1, s, NULL, list, NULL), 0, "launched");
	free(memory);
	memset(list, 0, handle_size);
	is(aclrtSynchronizeStream(s), 0, "done");
	is(seen.calls, 1, "called");
	is(seen.last.args_size, 28, "parameters at multiples of 8, data behind them");
	ok(!memcmp(seen.args + 8, "x\0\0\0\0\0\0\0", 8), "zeros between them");
	ok(!memcmp(seen.args + 24, "abc", 4), "the data of the placeholder");
	is(aclrtKernelArgsFinalize(list), 107017, "cleared memory is no list any more");
	free(list);
}

static void test_host_args(void)
{
	struct {
		struct seen *seen;
		const char *text;
		char data[8];
	} args;
	aclrtPlaceHolderInfo place = {offsetof(typeof(args), text),
				      offsetof(typeof(args), data)};
	struct seen seen = {0};
	struct gate gate;
	uintptr_t text;

	args = (typeof(args)){&seen, NULL, "abcdefg"};
	gate_close(&gate, s);
	is(aclrtLaunchKernelWithHostArgs(record, 2, s, NULL, &args, sizeof(args), &place,
					 1),
	   0, "arguments in host memory");
	memset(&args, 0, sizeof(args));
	gate_open(&gate);
	is(aclrtSynchronizeStream(s), 0, "done");
	is(seen.calls, 2, "2 blocks");
	memcpy(&text, seen.args + 8, 8);
	is(text, (uintptr_t)seen.last.args + 16,
	   "the placeholder is the address of its data");
	ok(!memcmp(seen.args + 16, "abcdefg", 8), "which are the launch's own copy");
	is(aclrtLaunchKernelWithHostArgs(record, 1, s, NULL, &args, sizeof(args), NULL,
					 1),
	   107000, "placeholders at NULL");
	place.addrOffset = sizeof(args) - 7;
	is(aclrtLaunchKernelWithHostArgs(record, 1, s, NULL, &args, sizeof(args), &place,
					 1),
	   107000, "an address past the end");
	place.addrOffset = 0;
	place.dataOffset = sizeof(args);
	is(aclrtLaunchKernelWithHostArgs(record, 1, s, NULL, &args, sizeof(args), &place,
					 1),
	   107000, "data past the end");
	place.dataOffset = 0;
	is(aclrtLaunchKernelWithHostArgs(record, 1, s, NULL, &args, 4, &place, 1), 107000,
	   "arguments shorter than an address");
	is(aclrtLaunchKernelWithHostArgs(record, 1, s, NULL, &args, 0, NULL, 0), 107000,
	   "no arguments");
	is(aclrtLaunchKernelWithHostArgs(record, 0, s, NULL, &args, 8, NULL, 0), 107000,
	   "no block");
	is(aclrtLaunchKernelWithHostArgs(NULL, 1, s, NULL, &args, 8, NULL, 0), 100000,
	   "NULL");
	is(aclrtLaunchKernelWithHostArgs(record, 1, (aclrtStream)8, NULL, &args, 8, NULL,
					 0),
	   107003, "no stream");
}

static void test_device_args(void)
{
	struct seen seen = {0}, *at = &seen;
	struct gate gate;
	void *args;

	aclrtMalloc(&args, 64, 0);
	gate_close(&gate, s);
	is(aclrtLaunchKernel(record, 1, args, 8, s), 0, "arguments in device memory");
	aclrtMemcpy(args, 8, &at, 8, ACL_MEMCPY_HOST_TO_DEVICE);
	gate_open(&gate);
	is(aclrtSynchronizeStream(s), 0, "done");
	is(seen.calls, 1, "they are read when the kernel runs");
	ok(seen.last.args == args, "where they lie");
	is(aclrtLaunchKernelV2(record, 2, args, 8, NULL, s), 0,
	   "the same with a configuration");
	is(aclrtSynchronizeStream(s), 0, "done");
	is(seen.calls, 3, "2 blocks more");
	is(aclrtLaunchKernel(record, 1, NULL, 8, s), 100000, "NULL");
	is(aclrtLaunchKernel(record, 1, args, 0, s), 107000, "size 0");
	is(aclrtLaunchKernel(record, 0, args, 8, s), 107000, "no block");
	is(aclrtLaunchKernel((aclrtFuncHandle)16, 1, args, 8, s), 107017, "no function");
	aclrtFree(args);
}

static void test_array(void)
{
	struct seen seen = {0}, *at = &seen;
	uint32_t number = 0x01020304;
	char byte = 'b', sixteen[] = "0123456789abcde";
	void *args[] = {&at, &byte, &number, sixteen};
	size_t count = 0, offset = 0, size = 0;
	const dim3 grid = {2, 3, 1}, threads = {32, 2, 1};
	struct record_args host = {&seen};

	is(aclrtFunctionGetParamCount(record, &count), 0, "parameters");
	is(count, 4, "4 of them");
	is(aclrtFunctionGetParamInfo(record, 3, &offset, &size), 0, "the last");
	ok(offset == 24 && size == 16, "16 bytes at 24");
	is(aclrtFunctionGetParamInfo(record, 4, &offset, &size), 107000,
	   "there is no fifth");
	is(aclrtFunctionGetParamCount(add, &count), 207000, "a kernel without sizes");
	is(aclrtLaunchKernelWithArgsArray(record, 1, s, NULL, args), 0, "one by one");
	byte = 'c';
	is(aclrtSynchronizeStream(s), 0, "done");
	is(seen.last.args_size, 40, "40 bytes");
	ok(seen.args[8] == 'b' && !memcmp(seen.args + 16, &number, 4) &&
		   !memcmp(seen.args + 24, sixteen, 16),
	   "each at its offset, as they were at the launch");
	is(aclrtLaunchKernelWithArgsArray(add, 1, s, NULL, args), 207000,
	   "a kernel whose parameters are not known");
	is(aclrtLaunchKernelWithArgsArray(record, 0, s, NULL, args), 100000, "no block");
	is(aclrtLaunchKernelWithArgsArray(record, 1, s, NULL, NULL), 100000, "NULL");
	seen.calls = 0;
	is(aclrtLaunchSIMTKernelWithArgsArray(record, grid, threads, 64, s, NULL, args),
	   0, "a SIMT launch");
	is(aclrtSynchronizeStream(s), 0, "done");
	is(seen.calls, 6, "a call for each of 2 x 3 blocks");
	ok(seen.last.grid[1] == 3 && seen.last.threads[0] == 32, "with both shapes");
	is(aclrtLaunchSIMTKernelWithHostArgs(record, grid, threads, 0, s, NULL, &host,
					     sizeof(host), NULL, 0),
	   0, "with arguments in host memory");
	is(aclrtSynchronizeStream(s), 0, "done");
	is(seen.calls, 12, "6 more");
	is(aclrtLaunchSIMTKernelWithArgsArray(record, (dim3){1U << 16, 1U << 16, 1},
					      threads, 0, s, NULL, args),
	   107000, "2^32 blocks");
	is(aclrtLaunchSIMTKernelWithArgsArray(record, (dim3){1, 0, 1}, threads, 0, s,
					      NULL, args),
	   107000, "a grid of nothing");
	is(aclrtLaunchSIMTKernelWithArgsArray(record, grid, (dim3){1, 1, 0}, 0, s, NULL,
					      args),
	   107000, "blocks of no thread");
	args[1] = NULL;
	is(aclrtLaunchKernelWithArgsArray(record, 1, s, NULL, args), 107000,
	   "a parameter at NULL");
}

static void wait_inside(struct seen *seen)
{
	int32_t device = -1;

	seen->answer = aclrtSynchronizeStream(NULL) == 207000 &&
				       !aclrtGetDevice(&device) && !device
			       ? 0
			       : 77;
}

static void leave_thread(struct seen *seen)
{
	(void)seen;
	pthread_exit(NULL);
}

static void test_failures(void)
{
	struct seen seen = {.answer = 5};
	struct gate gate;

	launch_record(4, NULL, &seen, 0, "a kernel that fails");
	is(aclrtSynchronizeStream(s), 507015, "its stream reports 507015");
	is(seen.calls, 1, "no block runs behind the one that failed");
	is(aclrtSynchronizeStream(s), 0, "once");
	seen = (struct seen){.before_return = wait_inside};
	launch_record(1, NULL, &seen, 0, "a kernel that waits for a stream");
	is(aclrtSynchronizeStream(s), 0, "is refused that, and has the stream's context");
	seen = (struct seen){.before_return = leave_thread};
	launch_record(1, NULL, &seen, 0, "a kernel that ends its thread");
	is(aclrtSynchronizeStream(s), 0, "the stream goes on");
	seen = (struct seen){0};
	launch_record(1, NULL, &seen, 0, "with the next");
	is(aclrtSynchronizeStream(s), 0, "done");
	is(seen.calls, 1, "called");
	gate_close(&gate, s);
	launch_record(1, NULL, &seen, 0, "a launch that waits");
	is(aclrtBinaryUnLoad(binary), 0, "its binary goes");
	gate_open(&gate);
	is(aclrtSynchronizeStream(s), 0, "done");
	is(seen.calls, 2, "it runs all the same");
	gate_close(&gate, s);
	is(aclrtLaunchKernel(record, 1, &seen, 8, s), 107017, "no new one does");
	gate_open(&gate);
	is(aclrtSynchronizeStream(s), 0, "the gate is not used any more");
}

static void test_aborted(void)
{
	struct seen seen = {0};
	struct gate gate;

	gate_close(&gate, s);
	launch_record(1, NULL, &seen, 0, "a launch behind a gate");
	is(aclrtStreamAbort(s), 0, "the stream is aborted");
	gate_open(&gate);
	aclrtSynchronizeStream(s);
	is(seen.calls, 0, "the launch is thrown away");
}

/* Another thread has a list of its own, and its end leaves this one's alone. */
static void *other_list(void *arg)
{
	aclrtArgsHandle list = NULL;

	aclrtSetDevice(0);
	aclrtKernelArgsInit(record, &list);
	*(aclrtArgsHandle *)arg = list;
	return NULL;
}

static void test_threads(void)
{
	aclrtArgsHandle mine = NULL, again = NULL, others = NULL;

	aclrtKernelArgsInit(record, &mine);
	in_thread(other_list, &others);
	ok(others && others != mine, "each thread has its own list");
	aclrtKernelArgsInit(add, &again);
	ok(again == mine, "and one only");
}

int main(void)
{
	int code = 0;

	small_device();
	if (!find_file()) {
		skip("kernels", "no kernels.so beside the program");
		return done_testing();
	}
	test_variable();
	setenv("ACLKM_KERNELS", file, 1);
	need_device();
	in_thread(without_context, &code);
	is(code, 107002, "a thread without a context loads no binary");
	aclrtCreateStream(&s);
	is(aclrtBinaryLoadFromFile(NULL, NULL, &binary), 100000, "no path");
	is(aclrtBinaryLoadFromFile("kernels.o", NULL, &binary), 0,
	   "a binary from a file");
	is(aclrtBinaryGetFunction(binary, "add_custom", &add), 0, "add");
	is(aclrtBinaryGetFunction(binary, "scale_custom", &scale), 0, "scale");
	is(aclrtBinaryGetFunction(binary, "record", &record), 0, "record");
	test_binaries();
	test_add();
	test_order_and_update();
	test_limits_of_lists();
	test_config();
	test_user_memory();
	test_host_args();
	test_device_args();
	test_array();
	test_aborted();
	test_threads();
	test_failures();
	is(aclrtDestroyStream(s), 0, "the stream ends");
	return done_testing();
}
