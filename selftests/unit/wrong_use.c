// SPDX-License-Identifier: MIT
/*
 * Calls every function that the headers declare with nothing, and then with whatever
 * dice give: none may crash, a failing one gives a code of AscendCL's and a text that
 * names it. test_wrong_use.sh makes calls.h of the headers and builds this.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <acl/acl.h>
#include <acl/acl_dump.h>
#include <acl/acl_op_compiler.h>
#include <acl/acl_platform.h>
#include <acl/acl_prof.h>
#include <acl/acl_tdt.h>
#include <acl/acl_tdt_queue.h>
#include <acl/rt/runtime.h>
#include <acl/acl_rt_allocator.h>
#include <acl/acl_rt_memory_soma.h>
#include <acl/dvpp/hi_dvpp.h>
#include <acl/ops/acl_dvpp.h>

#define ROOM (1 << 20)
#define SCRATCH (96 << 10) /* what one call may write of it, at most */

static uint64_t seed;
static int dice;  /* 0: nothing but zeros */
static int large; /* sizes may be too large for any memory */
static int stale; /* memory that was freed may be named: it is not touched */
static int flat;  /* sizes are multiplied, or count structs */

static char room[ROOM];
static void *device, *host, *freed;
static void *handles[12];

static uint64_t roll(uint64_t sides)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % sides;
}

static void *pointer(void)
{
	void *const choice[] = {NULL,	room, room + 64,
				device, host, (char *)device + 512};

	return dice ? choice[roll(6)] : NULL;
}

/* Bytes; where they are not touched, memory that is gone as well. */
static void *address(void)
{
	void *const choice[] = {room + 1, (char *)device + 7, (char *)host + 1};

	if (!dice || roll(3))
		return pointer();
	return stale && !roll(2) ? freed : choice[roll(3)];
}

static const char *text(void)
{
	static const char *const choice[] = {
		NULL,
		"",
		"x",
		"aclkm-ipc-",
		"aclkm-ipc-0123456789abcdef",
		"/nonexistent",
		"0123456789012345678901234567890123456789012345678901234567890123456789"};

	return dice ? choice[roll(7)] : NULL;
}

static void *handle(void)
{
	return dice ? handles[roll(12)] : NULL;
}

static uint64_t number(void)
{
	static const uint64_t choice[] = {
		0, 1,  2,    3,		 4,	     5,		 6,	    7,
		8, 64, 1000, 0x7fffffff, 0x80000000, 0xffffffff, UINT64_MAX};

	return dice ? choice[roll(15)] : 0;
}

static uint64_t size(void)
{
	static const uint64_t some[] = {0, 1, 31, 32, 64, 128, 500, 512};
	static const uint64_t more[] = {4096, 65536};
	static const uint64_t most[] = {2 << 20,    1ULL << 40,	     1ULL << 63,
					UINT64_MAX, UINT64_MAX - 31, UINT64_MAX - 63};

	if (!dice)
		return 0;
	if (large && !roll(3))
		return most[roll(6)];
	return !flat && !roll(3) ? more[roll(2)] : some[roll(8)];
}

/* As a callback of any type: what it returns is a success. */
static long nothing(void)
{
	return 0;
}

typedef long (*any_callback)(void);

static any_callback function(void)
{
	return dice && roll(4) ? nothing : NULL;
}

enum kind { CODE, MEDIA, OTHER };

struct call {
	const char *name;
	enum kind kind;
	long (*call)(void);
};

#include "calls.h" /* calls[], one for each function */

#define CALLS (sizeof(calls) / sizeof(calls[0]))

/* For whom zeros are right, or who needs no context. */
static const char *const fine[] = {"aclInit",
				   "aclFinalize",
				   "aclFinalizeReference",
				   "aclrtSetDevice",
				   "aclrtResetDevice",
				   "aclrtResetDeviceForce",
				   "aclrtSetOpWaitTimeout",
				   "aclrtSetOpExecuteTimeOut",
				   "aclrtSetOpExecuteTimeOutV2",
				   "aclrtSetOpExecuteTimeOutWithMs",
				   "aclrtSetDeviceSatMode",
				   "aclrtSetSysParamOpt",
				   "aclrtCtxSetSysParamOpt",
				   "aclrtSetStreamOverflowSwitch",
				   "aclrtResetDeviceResLimit",
				   "aclrtResetStreamResLimit",
				   "aclrtUseStreamResInCurrentThread",
				   "aclrtUnuseStreamResInCurrentThread",
				   "rtEnableP2P",
				   "rtDisableP2P",
				   "rtMemcpy",
				   "rtMemcpyAsyncWithoutCheckKind",
				   "aclrtSetExceptionInfoCallback",
				   "aclrtDeviceTaskAbort",
				   "aclrtGetPrimaryCtxState",
				   "aclrtPeekAtLastError",
				   "aclrtGetLastError",
				   "aclrtSynchronizeStream",
				   "aclrtSynchronizeDevice",
				   "aclrtDeviceGetStreamPriorityRange",
				   "aclrtMemcpy",
				   "aclrtMemcpyAsync",
				   "aclrtMemset",
				   "aclrtMemsetAsync",
				   "aclrtStreamAbort",
				   "aclrtStreamStop",
				   "aclrtSetStreamFailureMode",
				   "aclrtMemcpyAsyncWithCondition",
				   "aclrtMemcpyAsyncWithOffset",
				   "hi_mpi_sys_init",
				   "hi_mpi_sys_exit"};

/* Who waits for what never comes, is told lies about memory, or takes C's pointers. */
static const char *const barred[] = {"aclrtValueWait",
				     "aclrtValueWrite",
				     "aclrtWaitAndResetNotify",
				     "aclrtProcessReport",
				     "aclrtSubscribeReport",
				     "aclrtLaunchCallback",
				     "aclDestroyDataBuffer",
				     "aclUpdateDataBuffer",
				     "aclGetDataBufferAddr",
				     "aclGetDataBufferSize",
				     "aclGetDataBufferSizeV2",
				     "aclrtDestroyStreamConfigHandle",
				     "aclrtCreateStreamV2",
				     "aclrtSetStreamConfigOpt",
				     "aclAppLog",
				     "aclrtMemcpyBatch",
				     "aclrtMemcpyBatchAsync",
				     "aclrtMemcpyBatchV2",
				     "aclrtMemcpyBatchAsyncV2",
				     "aclrtMemcpyAsyncWithOffset",
				     "aclFloat16ToFloat",
				     "aclFloatToFloat16"};

static int is_in(const char *name, const char *const *list, size_t n)
{
	while (n--) {
		if (!strcmp(name, list[n]))
			return 1;
	}
	return 0;
}

#define IS_IN(name, list) is_in(name, list, sizeof(list) / sizeof(list[0]))

static int is_known(long code)
{
	return !code || (code >= 100000 && code <= 100041) ||
	       (code >= 107000 && code <= 107043) || (code >= 200000 && code <= 200007) ||
	       (code >= 207000 && code <= 207020) || code == 500000 ||
	       (code >= 507000 && code <= 507911);
}

static int odd;

static void complain(const struct call *call, long code, const char *what)
{
	if (odd++ < 20)
		printf("# %s: %ld: %s\n", call->name, code, what);
}

static void judge(const struct call *call, long code)
{
	const char *why;

	if (call->kind == OTHER || !code)
		return;
	if (call->kind == CODE && !is_known(code))
		complain(call, code, "no code of AscendCL");
	why = aclGetRecentErrMsg();
	if (!strcmp(call->name, "aclrtPeekAtLastError") ||
	    !strcmp(call->name, "aclrtGetLastError"))
		return;
	/* The runtime's own names are other words for AscendCL's, which the text names.
	 */
	if (!why || (strncmp(call->name, "rt", 2) && !strstr(why, call->name)))
		complain(call, code, why ? why : "no text");
}

/* Every function with zeros. @want: the code that all give; 0: any but 0. */
static int zeros(const char *state, long want)
{
	size_t i;
	long code;

	for (i = 0; i < CALLS; i++) {
		/* No call behind aclrtResetDevice sets the device again. */
		if (!strcmp(calls[i].name, "aclAppLog") ||
		    !strcmp(calls[i].name, "rtSetDevice"))
			continue;
		aclGetRecentErrMsg();
		code = calls[i].call();
		judge(&calls[i], code);
		if (calls[i].kind == CODE &&
		    (want ? code != want : !code && !IS_IN(calls[i].name, fine)))
			complain(&calls[i], code, state);
	}
	return odd != 0;
}

/* All is there again that a call may have taken away. */
static void restore(void)
{
	aclrtPtrAttributes where;

	if (aclrtSetDevice(0)) {
		printf("# the device cannot be set any more\n");
		exit(9);
	}
	aclrtSynchronizeDevice();
	if (aclrtPointerGetAttributes(device, &where) ||
	    where.location.type != ACL_MEM_LOCATION_TYPE_DEVICE) {
		freed = device;
		aclrtMalloc(&device, ROOM, ACL_MEM_MALLOC_NORMAL_ONLY);
	}
	if (aclrtPointerGetAttributes(host, &where) ||
	    where.location.type != ACL_MEM_LOCATION_TYPE_HOST)
		aclrtMallocHost(&host, ROOM);
	memset(room, 0, SCRATCH);
	memset(device, 0, SCRATCH);
	memset(host, 0, SCRATCH);
}

static void make_handles(void)
{
	aclrtStream stream, dead;
	aclrtContext context;
	aclrtEvent event;
	aclrtNotify notify;

	aclrtGetCurrentContext(&context);
	aclrtCreateStream(&stream);
	aclrtCreateStream(&dead);
	aclrtDestroyStream(dead);
	aclrtCreateEvent(&event);
	aclrtCreateNotify(&notify, 0);
	handles[1] = (void *)0x1230;
	handles[2] = stream;
	handles[3] = dead;
	handles[4] = event;
	handles[5] = context;
	handles[6] = notify;
	handles[7] = (void *)-1;
	handles[8] = room;
	handles[9] = device;
	handles[10] = (char *)stream + 16;
	handles[11] = (void *)((uintptr_t)stream ^ 1ULL << 60);
}

static int play(int rounds)
{
	long failed = 0, code;
	int round;

	dice = 1;
	restore();
	make_handles();
	for (round = 0; round < rounds; round++) {
		const struct call *call = &calls[roll(CALLS)];

		if (IS_IN(call->name, barred))
			continue;
		if (!roll(64))
			make_handles();
		large = strstr(call->name, "Malloc") || strstr(call->name, "malloc") ||
			strstr(call->name, "Reserve") || strstr(call->name, "Managed") ||
			strstr(call->name, "PoolCreate") || strstr(call->name, "MapMem");
		stale = strstr(call->name, "Free") || strstr(call->name, "free") ||
			strstr(call->name, "Attributes") ||
			strstr(call->name, "Release") || strstr(call->name, "Unmap") ||
			strstr(call->name, "Retain") ||
			strstr(call->name, "Unregister") ||
			strstr(call->name, "ExportKey");
		flat = strstr(call->name, "2d") || strstr(call->name, "SetAccess");
		aclGetRecentErrMsg();
		code = call->call();
		failed += code != 0;
		judge(call, code);
		restore();
	}
	printf("# %d rounds, %ld calls failed\n", rounds, failed);
	return odd != 0;
}

static int in_child(void)
{
	int status = -1;
	pid_t child;

	if (aclrtSetDevice(0))
		return 8;
	fflush(stdout);
	child = fork();
	if (!child) {
		int bad = zeros("not refused in a forked child", 507000);

		fflush(stdout);
		_exit(bad);
	}
	waitpid(child, &status, 0);
	return status;
}

int main(int argc, char **argv)
{
	char what = argc > 1 ? argv[1][0] : 'n';

	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	switch (what) {
	case 'n':
		return zeros("not refused without a context", 0);
	case 'c':
		if (aclrtSetDevice(0))
			return 8;
		return zeros("not refused with a context", 0);
	case 'f':
		if (aclInit(NULL) || aclrtSetDevice(0) || aclrtResetDevice(0) ||
		    aclFinalize())
			return 8;
		return zeros("not refused after aclFinalize", 0);
	case 'k':
		return in_child();
	default:
		return play(argc > 3 ? atoi(argv[3]) : 20000);
	}
}
