// SPDX-License-Identifier: MIT
/*
 * Two processes, one memory. The owner exports physical memory as a shareable handle
 * and a block of aclrtMalloc as a key, and names the process that may import them. The
 * names go over a pipe, here.
 *
 * The order of closing: the importer unmaps and frees what it imported and says so;
 * then the owner ends its offers and frees. Memory would outlive an owner that is
 * faster, but an offer would not: a late import finds nothing.
 *
 * The importer is this program, started again: a child of fork() alone must not use
 * AscendCL.
 */
#define _POSIX_C_SOURCE 200809L
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <acl/dvpp/hi_dvpp.h>

#include "check.h"

enum { UNIT = 2 << 20, WORDS = UNIT / sizeof(uint32_t) };

struct offer {
	uint64_t handle;
	bool has_key;
	char key[ACL_RT_IPC_MEM_KEY_LENGTH];
};

static void put(int fd, const void *data, size_t size)
{
	expect(write(fd, data, size) == (ssize_t)size, "the other process is gone");
}

static void get(int fd, void *data, size_t size)
{
	expect(read(fd, data, size) == (ssize_t)size, "the other process is gone");
}

/* Number i at place i, from @start: checked from device memory by a copy, or set. */
static void check_words(const void *memory, uint32_t start)
{
	uint32_t *back = malloc(UNIT);
	size_t i;

	expect(back, "no memory to read into");
	CHECK(aclrtMemcpy(back, UNIT, memory, UNIT, ACL_MEMCPY_DEVICE_TO_HOST));
	for (i = 0; i < WORDS; i++)
		expect(back[i] == start + i, "the bytes are not the other side's");
	free(back);
}

static void set_words(void *memory, uint32_t start)
{
	uint32_t *words = malloc(UNIT);
	size_t i;

	expect(words, "no memory to write from");
	for (i = 0; i < WORDS; i++)
		words[i] = start + (uint32_t)i;
	CHECK(aclrtMemcpy(memory, UNIT, words, UNIT, ACL_MEMCPY_HOST_TO_DEVICE));
	free(words);
}

static void *map(aclrtDrvMemHandle handle)
{
	void *range;

	CHECK(aclrtReserveMemAddress(&range, UNIT, 0, NULL, 0));
	CHECK(aclrtMapMem(range, UNIT, 0, handle, 0));
	return range;
}

static void unmap(void *range, aclrtDrvMemHandle handle)
{
	CHECK(aclrtUnmapMem(range));
	CHECK(aclrtReleaseMemAddress(range));
	CHECK(aclrtFreePhysical(handle));
}

static int importer(void)
{
	struct offer offer;
	aclrtDrvMemHandle handle;
	void *range, *block;
	int32_t pid;
	int code;

	CHECK(aclInit(NULL));
	CHECK(aclrtSetDevice(0));
	CHECK(aclrtDeviceGetBareTgid(&pid));
	put(STDOUT_FILENO, &pid, sizeof(pid));

	/* Offered, but not to this process yet. */
	get(STDIN_FILENO, &offer, sizeof(offer));
	code = aclrtMemImportFromShareableHandle(offer.handle, 0, &handle);
	put(STDOUT_FILENO, &code, sizeof(code));

	get(STDIN_FILENO, &offer, sizeof(offer));
	CHECK(aclrtMemImportFromShareableHandle(offer.handle, 0, &handle));
	range = map(handle);
	check_words(range, 1000);
	set_words(range, 2000);
	unmap(range, handle);
	if (offer.has_key) {
		CHECK(aclrtIpcMemImportByKey(&block, offer.key, 0));
		check_words(block, 3000);
		set_words(block, 4000);
		CHECK(aclrtIpcMemClose(offer.key));
	}
	CHECK(aclrtResetDevice(0));
	CHECK(aclFinalize());
	put(STDOUT_FILENO, &offer, sizeof(offer));
	return 0;
}

/* The other process, with its standard input and output as pipes. */
static pid_t start_importer(int *to, int *from)
{
	int there[2], back[2];
	pid_t pid;

	expect(!pipe(there) && !pipe(back), "no pipe");
	pid = fork();
	expect(pid >= 0, "no process");
	if (!pid) {
		dup2(there[0], STDIN_FILENO);
		dup2(back[1], STDOUT_FILENO);
		close(there[0]);
		close(there[1]);
		close(back[0]);
		close(back[1]);
		execl("/proc/self/exe", "share", "importer", (char *)NULL);
		_exit(127);
	}
	close(there[0]);
	close(back[1]);
	*to = there[1];
	*from = back[0];
	return pid;
}

/* Keys are for whole pages, and aclrtMalloc promises multiples of 64: align inside. */
static void *page_aligned(void *block, size_t size)
{
	aclrtPtrAttributes where;
	uintptr_t start;

	CHECK(aclrtPointerGetAttributes(block, &where));
	start = ALIGN_UP((uintptr_t)block, (uintptr_t)where.pageSize);
	expect(start + UNIT <= (uintptr_t)block + size, "the block has larger pages");
	return (void *)start;
}

/* A key for the bytes; not every backend can share single blocks. */
static bool export_bytes(void *start, char *key)
{
	int code =
		aclrtIpcMemGetExportKey(start, UNIT, key, ACL_RT_IPC_MEM_KEY_LENGTH, 0);

	if (code == ACL_ERROR_RT_FEATURE_NOT_SUPPORT) {
		printf("%-34s %s", "key", reason());
		return false;
	}
	CHECK(code);
	printf("%-34s %s\n", "key", key);
	return true;
}

int main(int argc, char **argv)
{
	aclrtPhysicalMemProp prop = {
		.memAttr = ACL_HBM_MEM_HUGE,
		.location = {.type = ACL_MEM_LOCATION_TYPE_DEVICE, .id = 0},
	};
	struct offer offer = {0};
	int to, from, code, status;
	aclrtDrvMemHandle handle;
	void *range, *block, *start;
	int32_t other;
	pid_t pid;

	if (argc == 2 && !strcmp(argv[1], "importer"))
		return importer();
	pid = start_importer(&to, &from);
	get(from, &other, sizeof(other));

	CHECK(aclInit(NULL));
	CHECK(aclrtSetDevice(0));
	CHECK(aclrtMallocPhysical(&handle, UNIT, &prop, 0));
	range = map(handle);
	set_words(range, 1000);
	CHECK(aclrtMalloc(&block, 2 * UNIT, ACL_MEM_MALLOC_HUGE_FIRST));
	start = page_aligned(block, 2 * UNIT);
	set_words(start, 3000);
	CHECK(aclrtMemExportToShareableHandle(handle, ACL_MEM_HANDLE_TYPE_NONE, 0,
					      &offer.handle));
	printf("%-34s %#llx\n", "shareable handle", (unsigned long long)offer.handle);
	offer.has_key = export_bytes(start, offer.key);

	put(to, &offer, sizeof(offer));
	get(from, &code, sizeof(code));
	printf("%-34s %d\n", "import by a process not named", code);
	expect(code == ACL_ERROR_RT_NO_PERMISSION, "it was not refused");

	CHECK(aclrtMemSetPidToShareableHandle(offer.handle, &other, 1));
	if (offer.has_key)
		CHECK(aclrtIpcMemSetImportPid(offer.key, &other, 1));
	put(to, &offer, sizeof(offer));
	get(from, &offer, sizeof(offer));
	check_words(range, 2000);
	printf("%-34s both processes saw all %d bytes\n", "physical memory", UNIT);
	if (offer.has_key) {
		check_words(start, 4000);
		printf("%-34s both processes saw all %d bytes\n", "block", UNIT);
	}
	expect(waitpid(pid, &status, 0) == pid && status == 0, "the importer failed");
	close(to);
	close(from);

	/* The importer is done: now the offer, then the memory. */
	if (offer.has_key)
		CHECK(aclrtIpcMemClose(offer.key));
	CHECK(aclrtFree(block));
	unmap(range, handle);
	CHECK(aclrtResetDevice(0));
	CHECK(aclFinalize());
	printf("share: ok\n");
	return 0;
}
