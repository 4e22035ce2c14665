// SPDX-License-Identifier: MIT
/* The runtime's own names do what AscendCL's do. */
#include "acl/rt/runtime.h"
#include "client.h"

#include <sys/wait.h>

static void memory(void)
{
	rtPointerAttributes_t at;
	rtStream_t stream = NULL;
	void *device = NULL, *host = NULL;
	uint32_t sq = 99, cq = 98, logic = 97;
	char *bytes;

	is(rtMalloc(&device, 1000, 0, 33), 0, "rtMalloc");
	is(rtMallocHost(&host, 1000, 33), 0, "rtMallocHost");
	bytes = host;
	memset(bytes, 5, 1000);
	is(rtMemcpy(device, 1000, host, 1000, 1), 0, "rtMemcpy");
	memset(bytes, 0, 1000);
	is(rtStreamCreate(&stream, 0), 0, "rtStreamCreate");
	is(rtMemcpyAsyncWithoutCheckKind(host, 1000, device, 1000, 2, stream), 0,
	   "rtMemcpyAsyncWithoutCheckKind");
	aclrtSynchronizeStream(stream);
	ok(bytes[0] == 5 && bytes[999] == 5, "copies the bytes");
	is(rtPointerGetAttributes(&at, device), 0, "rtPointerGetAttributes");
	is(at.memoryType, 2, "device memory");
	rtPointerGetAttributes(&at, host);
	is(at.memoryType, 1, "host memory");
	is(rtPointerGetAttributes(NULL, host), 100000, "NULL: 100000");
	is(rtStreamGetSqid(stream, &sq), 0, "rtStreamGetSqid");
	is(rtStreamGetCqid(stream, &cq, &logic), 0, "rtStreamGetCqid");
	ok(sq == cq && cq == logic, "a stream has one queue");
	is(rtStreamDestroy(stream), 0, "rtStreamDestroy");
	is(rtFree(device), 0, "rtFree");
	is(rtFree(device), 107000, "twice: 107000");
	is(rtFreeHost(host), 0, "rtFreeHost");
}

static void devices(void)
{
	uint32_t pid = 0, physical = 9;
	int32_t logic = 9;

	is(rtSetDevice(0), 0, "rtSetDevice");
	is(rtDeviceGetBareTgid(&pid), 0, "rtDeviceGetBareTgid");
	is(pid, getpid(), "is this process");
	is(rtGetLogicDevIdByUserDevId(0, &logic), 0, "rtGetLogicDevIdByUserDevId");
	is(rtGetDevicePhyIdByIndex(0, &physical), 0, "rtGetDevicePhyIdByIndex");
	ok(!logic && !physical, "the numbers are the same");
	is(rtEnableP2P(0, 0, 0), 0, "rtEnableP2P");
	is(rtEnableP2P(0, 7, 0), 107001, "no device: 107001");
	is(rtDisableP2P(0, 0), 0, "rtDisableP2P");
}

/* In a process of its own: what it maps by a name, it closes by the address. */
static int import(int from)
{
	char name[65];
	void *address = NULL;

	if (read(from, name, sizeof(name)) != sizeof(name) || rtSetDevice(0) ||
	    rtIpcOpenMemory(&address, name) || *(char *)address != 7)
		return 1;
	*(char *)address = 8;
	return rtIpcCloseMemory(address) || rtIpcCloseMemory(address) != 107000;
}

static void sharing(void)
{
	int pipes[2], status = -1;
	int32_t child;
	char name[65];
	void *block = NULL;

	if (pipe(pipes))
		bail_out("pipe");
	/* Forked before this process uses the library. */
	child = fork();
	if (!child)
		_exit(import(pipes[0]));
	need_device();
	rtMalloc(&block, 2 * MIB, 0, 33);
	aclrtMemset(block, 2 * MIB, 7, 4096);
	is(rtIpcSetMemoryName(block, 2 * MIB, name, sizeof(name)), 0,
	   "rtIpcSetMemoryName");
	is(rtSetIpcMemPid(name, &child, 1), 0, "rtSetIpcMemPid");
	if (write(pipes[1], name, sizeof(name)) != sizeof(name))
		bail_out("write");
	waitpid(child, &status, 0);
	is(status, 0, "rtIpcOpenMemory and rtIpcCloseMemory in another process");
	is(*(char *)block, 8, "which writes the owner's memory");
	is(rtIpcDestroyMemoryName(name), 0, "rtIpcDestroyMemoryName");
	rtFree(block);
}

int main(void)
{
	small_device();
	sharing();
	devices();
	memory();
	return done_testing();
}
