// SPDX-License-Identifier: MIT
/*
 * Sharing between real processes: this program starts itself again as the other side,
 * by exec, as a forked child must not use the library.
 */
#include <dirent.h>
#include <errno.h>
#include <sys/wait.h>

#include "backend/backend.h"
#include "client.h"
#include "alloc/alloc.h"

#define UNIT (2 * MIB)

/* What goes to the other side, and what comes back. */
struct order {
	char what; /* p physical, h hold it, l let go, f fabric, k key, e event, q quit */
	uint64_t handle;
	aclrtMemFabricHandle fabric;
	char key[ACL_RT_IPC_MEM_KEY_LENGTH];
	aclrtIpcEventHandle event;
};

struct report {
	int code, second, third;
	uint64_t first_byte, last_byte;
};

static int to_other, from_other;
static pid_t other;

static void transfer(int fd, void *data, size_t size, bool out)
{
	char *at = data;

	while (size) {
		ssize_t n = out ? write(fd, at, size) : read(fd, at, size);

		if (n <= 0)
			exit(3);
		at += n;
		size -= (size_t)n;
	}
}

static void use_physical(aclrtDrvMemHandle handle, struct report *report)
{
	uint64_t *range = NULL;

	report->second = aclrtReserveMemAddress((void **)&range, UNIT, 0, NULL, 0);
	report->second |= aclrtMapMem(range, UNIT, 0, handle, 0);
	if (report->second)
		return;
	report->first_byte = range[0];
	report->last_byte = range[UNIT / 8 - 1];
	range[1] = 0x1234;
	report->third = aclrtFreePhysical(handle) | aclrtUnmapMem(range) |
			aclrtReleaseMemAddress(range);
}

static uint64_t *held; /* of the other side */

static void obey(const struct order *order, struct report *report)
{
	aclrtPtrAttributes where;
	aclrtDrvMemHandle handle;
	uint64_t *block;
	aclrtEvent event;

	switch (order->what) {
	case 'p':
		report->code =
			aclrtMemImportFromShareableHandle(order->handle, 0, &handle);
		if (!report->code)
			use_physical(handle, report);
		break;
	case 'h':
		report->code = aclrtMemImportFromShareableHandle(order->handle, 0, &handle) ?:
			       aclrtReserveMemAddress((void **)&held, UNIT, 0, NULL, 0) ?:
			       aclrtMapMem(held, UNIT, 0, handle, 0) ?:
			       aclrtFreePhysical(handle);
		break;
	case 'l':
		report->first_byte = held[0];
		report->last_byte = held[UNIT / 8 - 1];
		report->code = aclrtUnmapMem(held) | aclrtReleaseMemAddress(held);
		break;
	case 'f':
		report->code = aclrtMemImportFromShareableHandleV2(
			(void *)(uintptr_t)&order->fabric,
			ACL_MEM_SHARE_HANDLE_TYPE_FABRIC, 0, &handle);
		if (!report->code)
			use_physical(handle, report);
		break;
	case 'k':
		report->code = aclrtIpcMemImportByKey((void **)&block, order->key, 0);
		if (report->code)
			break;
		report->first_byte = block[0];
		report->last_byte = block[8191];
		block[1] = 0x77;
		aclrtPointerGetAttributes(block, &where);
		report->third = where.location.type != ACL_MEM_LOCATION_TYPE_DEVICE;
		report->second = aclrtIpcMemClose(order->key);
		break;
	case 'e':
		report->code = aclrtIpcOpenEventHandle(order->event, &event);
		if (report->code)
			break;
		report->second = aclrtStreamWaitEvent(NULL, event);
		/* Tell that the wait stands, then see it end. */
		transfer(STDOUT_FILENO, &(struct report){.code = 1}, sizeof(*report),
			 true);
		report->third = aclrtSynchronizeStream(NULL);
		report->third |= aclrtDestroyEvent(event);
		break;
	default:
		report->code = -1;
	}
}

static int other_side(void)
{
	struct report report;
	struct order order;

	if (aclrtSetDevice(0))
		return 4;
	for (;;) {
		transfer(STDIN_FILENO, &order, sizeof(order), false);
		if (order.what == 'q')
			return 0;
		report = (struct report){.code = -1};
		obey(&order, &report);
		transfer(STDOUT_FILENO, &report, sizeof(report), true);
	}
}

static void start_other(void)
{
	int there[2], back[2];

	fflush(stdout);
	if (pipe(there) || pipe(back))
		bail_out("no pipe");
	other = fork();
	if (other < 0)
		bail_out("no process");
	if (!other) {
		dup2(there[0], STDIN_FILENO);
		dup2(back[1], STDOUT_FILENO);
		close(there[0]);
		close(there[1]);
		close(back[0]);
		close(back[1]);
		execl("/proc/self/exe", "test_ipc", "other", (char *)NULL);
		_exit(127);
	}
	close(there[0]);
	close(back[1]);
	to_other = there[1];
	from_other = back[0];
}

static struct report ask(struct order *order, char what)
{
	struct report report;

	order->what = what;
	transfer(to_other, order, sizeof(*order), true);
	transfer(from_other, &report, sizeof(report), false);
	return report;
}

static aclrtPhysicalMemProp prop = {.memAttr = ACL_HBM_MEM_HUGE,
				    .location = {.type = ACL_MEM_LOCATION_TYPE_DEVICE}};

static uint64_t *mapped_physical(aclrtDrvMemHandle *handle)
{
	uint64_t *range = NULL;

	if (aclrtReserveMemAddress((void **)&range, UNIT, 0, NULL, 0) ||
	    aclrtMallocPhysical(handle, UNIT, &prop, 0) ||
	    aclrtMapMem(range, UNIT, 0, *handle, 0))
		bail_out("no memory");
	range[0] = 0xabcdef;
	range[UNIT / 8 - 1] = 0xfedcba;
	return range;
}

static void test_physical(void)
{
	int32_t wrong = 1, pid = (int32_t)other;
	struct order order = {0};
	aclrtDrvMemHandle handle, none;
	struct report report;
	uint64_t *range = mapped_physical(&handle), again;

	is(aclrtMemExportToShareableHandle(NULL, 0, 0, &again), 100000, "export: NULL");
	is(aclrtMemExportToShareableHandle(handle, 0, 0, NULL), 100000,
	   "export: no room");
	is(aclrtMemExportToShareableHandle(handle, ACL_MEM_HANDLE_TYPE_POSIX, 0, &again),
	   107000, "export: handle type");
	is(aclrtMemExportToShareableHandle(handle, 0, 2, &again), 107000,
	   "export: flags");
	is(aclrtMemExportToShareableHandle(handle, 0, 0, &order.handle), 0, "export");
	is(aclrtMemExportToShareableHandle(handle, 0, 0, &again), 107000, "once is all");
	ok(recent_has("once is all"), "the text says so");
	is(aclrtMemImportFromShareableHandle(order.handle, 0, &none), 0,
	   "import in the same process");
	is(aclrtFreePhysical(none), 0, "and free the import");
	is(aclrtMemImportFromShareableHandle(order.handle + 99, 0, &none), 107017,
	   "but not of a number that the process did not give");
	is(aclrtMemImportFromShareableHandle(5, 0, &none), 107017, "of nobody's number");
	is(aclrtMemImportFromShareableHandle(order.handle, 3, &none), 107001, "device 3");
	is(ask(&order, 'p').code, 207006, "a process that was not named is refused");
	is(aclrtMemSetPidToShareableHandle(order.handle, NULL, 1), 100000, "pids: NULL");
	is(aclrtMemSetPidToShareableHandle(order.handle, &pid, 0), 100000, "pids: none");
	is(aclrtMemSetPidToShareableHandle(order.handle, &(int32_t){-1}, 1), 107000,
	   "pid -1");
	is(aclrtMemSetPidToShareableHandle(5, &pid, 1), 107017, "of nobody's number");
	is(aclrtMemSetPidToShareableHandle(order.handle, &wrong, 1), 0, "name another");
	is(ask(&order, 'p').code, 207006, "it is still refused");
	is(aclrtMemSetPidToShareableHandle(order.handle, &pid, 1), 0, "name it");
	report = ask(&order, 'p');
	is(report.code, 0, "it imports");
	is(report.second | report.third, 0, "maps and unmaps");
	ok(report.first_byte == 0xabcdef && report.last_byte == 0xfedcba,
	   "sees all of the bytes");
	is(range[1], 0x1234, "and this process sees its");
	is(aclrtUnmapMem(range) | aclrtFreePhysical(handle) |
		   aclrtReleaseMemAddress(range),
	   0, "free");
	is(ask(&order, 'p').code, 107017, "and it is offered no more");
}

static void test_fabric(void)
{
	struct order order = {0};
	aclrtDrvMemHandle handle;
	uint64_t *range = mapped_physical(&handle), number;
	int32_t pid = (int32_t)other;

	is(aclrtMemExportToShareableHandleV2(handle, 0, (aclrtMemSharedHandleType)3,
					     &order.fabric),
	   107000, "V2: type 3");
	is(aclrtMemExportToShareableHandleV2(handle, 1, ACL_MEM_SHARE_HANDLE_TYPE_FABRIC,
					     &order.fabric),
	   0, "V2: fabric, no list of processes");
	is(ask(&order, 'f').code, 0, "any process of the user imports it");
	is(aclrtMemSetPidToShareableHandleV2(&order.fabric,
					     ACL_MEM_SHARE_HANDLE_TYPE_FABRIC, &pid, 1),
	   0, "V2: processes can be named all the same");
	memset(&order.fabric, 7, sizeof(order.fabric));
	is(ask(&order, 'f').code, 107017, "bytes that are none");
	is(aclrtUnmapMem(range) | aclrtFreePhysical(handle), 0, "free");
	is(aclrtMallocPhysical(&handle, UNIT, &prop, 0), 0, "another");
	is(aclrtMemExportToShareableHandleV2(handle, 1, ACL_MEM_SHARE_HANDLE_TYPE_DEFAULT,
					     &number),
	   0, "V2: a number");
	order.handle = number;
	is(ask(&order, 'p').code, 0, "is one as any other");
	is(aclrtFreePhysical(handle) | aclrtReleaseMemAddress(range), 0, "free");
}

static void test_keys(void)
{
	struct order order = {0};
	struct report report;
	int32_t pid = (int32_t)other;
	uint64_t *block, *small;
	struct file_part part = {.fd = -1};
	char key[80];
	int code;

	if (aclrtMalloc((void **)&block, 3 * MIB, ACL_MEM_MALLOC_HUGE_FIRST) ||
	    aclrtMalloc((void **)&small, 100, ACL_MEM_MALLOC_NORMAL_ONLY))
		bail_out("no memory");
	block[0] = 0x1111;
	block[8191] = 0x2222;
	is(heap_share(block + 512, 100, &part), 0, "a file for a part of the block");
	if (on_kmod())
		is(lseek(part.fd, 0, SEEK_END), 4 * KIB, "it has that part's pages only");
	else
		skip("it has that part's pages only", "user: one file is a whole region");
	close(part.fd);
	is(aclrtIpcMemGetExportKey(NULL, 64 * KIB, key, 65, 0), 100000, "key: NULL");
	is(aclrtIpcMemGetExportKey(block, 0, key, 65, 0), 100000, "key: size 0");
	is(aclrtIpcMemGetExportKey(block, 64 * KIB, NULL, 65, 0), 100000, "key: no room");
	is(aclrtIpcMemGetExportKey(block, 64 * KIB, key, 64, 0), 107000, "key: 64 bytes");
	is(aclrtIpcMemGetExportKey(block, 64 * KIB, key, 65, 2), 107000, "key: flags");
	is(aclrtIpcMemGetExportKey(key, 64, key, 65, 0), 107000, "key: the stack");
	is(aclrtIpcMemClose("no key"), 107017, "close what is no key");
	is(aclrtIpcMemClose(NULL), 100000, "close NULL");
	is(aclrtIpcMemClose("aclkm-ipc-0000000000000001"), 107017, "close nobody's key");
	code = aclrtIpcMemGetExportKey(block, 64 * KIB, order.key, sizeof(order.key), 0);
	is(code, 0, "key");
	is(strlen(order.key) < 65, 1, "%s", order.key);
	is(aclrtIpcMemGetExportKey((char *)block + 512, 64, key, 65, 0), 107000,
	   "key: unaligned");
	ok(recent_has("page size"), "the text has the rule");
	is(aclrtIpcMemGetExportKey(block, 4 * MIB, key, 65, 0), 107000, "key: too long");
	ok(block[0] == 0x1111 && block[8191] == 0x2222, "the bytes have stayed");
	is(ask(&order, 'k').code, 207006, "a process that was not named is refused");
	is(aclrtIpcMemSetImportPid(order.key, &pid, 1), 0, "name it");
	is(aclrtIpcMemSetImportPid("x", &pid, 1), 107017, "for what is no key");
	report = ask(&order, 'k');
	is(report.code, 0, "it imports");
	is(report.second | report.third, 0, "as device memory, and closes");
	ok(report.first_byte == 0x1111 && report.last_byte == 0x2222, "sees the bytes");
	is(block[1], 0x77, "and this process sees its");
	memset(key, 0, sizeof(key));
	is(aclrtIpcMemGetExportKey(block, 64 * KIB, key, 65, 1), 0, "a key for all");
	memcpy(order.key, key, sizeof(order.key));
	is(ask(&order, 'k').code, 0, "needs no name");
	is(aclrtIpcMemClose(order.key), 0, "close");
	is(aclrtIpcMemClose(order.key), 107017, "again");
	is(ask(&order, 'k').code, 107017, "nobody can import it any more");
	is(aclrtFree(block) | aclrtFree(small), 0, "free");
}

static void test_events(void)
{
	struct order order = {.what = 'e'};
	struct report report;
	aclrtEvent event, plain;
	float ms;

	if (aclrtCreateEvent(&plain))
		bail_out("no event");
	is(aclrtIpcGetEventHandle(plain, &order.event), 207000, "not made for sharing");
	is(aclrtIpcGetEventHandle(NULL, &order.event), 100000, "event: NULL");
	is(aclrtCreateEventExWithFlag(&event, ACL_EVENT_IPC), 0, "an event to share");
	is(aclrtIpcGetEventHandle(event, NULL), 100000, "event: no room");
	is(aclrtIpcGetEventHandle(event, &order.event), 0, "its handle");
	is(aclrtEventElapsedTime(&ms, event, event), 207000, "it has no time");
	/* The other process waits for a record that this one makes later. */
	is(aclrtValueWait(&order.handle, 1, ACL_STREAM_WAIT_VALUE_EQ, NULL), 0,
	   "hold the stream");
	is(aclrtRecordEvent(event, NULL), 0, "record");
	report = ask(&order, 'e');
	is(report.code, 1, "the other side waits");
	__atomic_store_n(&order.handle, 1, __ATOMIC_RELEASE);
	transfer(from_other, &report, sizeof(report), false);
	is(report.code | report.second | report.third, 0,
	   "and goes on when the record is made");
	is(aclrtSynchronizeEvent(event), 0, "complete");
	memset(&order.event, 0, sizeof(order.event));
	is(aclrtIpcOpenEventHandle(order.event, &event), 107017, "bytes that are none");
	is(aclrtDestroyEvent(event) | aclrtDestroyEvent(plain), 0, "destroy");
}

/* Who has it mapped keeps the memory, though its owner has freed it. */
static void test_outlives(void)
{
	struct order order = {0};
	aclrtDrvMemHandle handle;
	size_t before = free_bytes();
	struct report report;
	uint64_t *range = mapped_physical(&handle);
	void *next;

	is(aclrtMemExportToShareableHandle(handle, 0,
					   ACL_RT_VMM_EXPORT_FLAG_DISABLE_PID_VALIDATION,
					   &order.handle),
	   0, "offered to all");
	is(ask(&order, 'h').code, 0, "the other side maps it");
	is(aclrtUnmapMem(range) | aclrtFreePhysical(handle) |
		   aclrtReleaseMemAddress(range),
	   0, "its owner frees it");
	is(aclrtMalloc(&next, UNIT, ACL_MEM_MALLOC_HUGE_FIRST) |
		   aclrtMemset(next, UNIT, 0xee, UNIT),
	   0, "and uses other memory");
	report = ask(&order, 'l');
	is(report.code, 0, "the other side lets it go");
	ok(report.first_byte == 0xabcdef && report.last_byte == 0xfedcba,
	   "it had what was there");
	is(aclrtFree(next), 0, "free");
	is(free_bytes(), before, "then all is back");
}

static int open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* What is freed is offered no more: no file of it keeps its memory. */
static void test_offers_end(void)
{
	int files = open_files(), i, code = 0;
	size_t before = free_bytes();
	aclrtIpcEventHandle first, again;
	aclrtDrvMemHandle handle;
	aclrtEvent event;
	int32_t pid = getpid();
	uint64_t shared;
	void *range;

	for (i = 0; i < 5; i++) {
		code |= aclrtMallocPhysical(&handle, UNIT, &prop, 0) |
			aclrtMemExportToShareableHandle(handle, 0, 0, &shared) |
			aclrtReserveMemAddress(&range, UNIT, 0, NULL, 0) |
			aclrtMapMem(range, UNIT, 0, handle, 0) |
			aclrtFreePhysical(handle);
		code |= aclrtMemSetPidToShareableHandle(shared, &pid, 1);
		code |= aclrtUnmapMem(range) | aclrtReleaseMemAddress(range);
	}
	is(code, 0, "offered while it is mapped");
	is(aclrtMemSetPidToShareableHandle(shared, &pid, 1), 107017,
	   "freed and unmapped it is offered no more");
	is(free_bytes(), before, "its memory is back");
	is(open_files(), files, "no file of it is open");

	code = aclrtCreateEventWithFlag(&event, ACL_EVENT_IPC) |
	       aclrtIpcGetEventHandle(event, &first);
	for (i = 0; i < 5; i++)
		code |= aclrtIpcGetEventHandle(event, &again);
	is(code, 0, "an event's handle, many times");
	ok(!memcmp(&first, &again, sizeof(first)), "is the same");
	is(open_files(), files + 2, "and takes one file beside its own");
	is(aclrtDestroyEvent(event), 0, "destroyed");
	is(open_files(), files, "it has none");
	is(aclrtIpcOpenEventHandle(first, &event), 107017, "and is offered no more");
}

static void test_owner_ends(void)
{
	int status = -1;

	transfer(to_other, &(struct order){.what = 'q'}, sizeof(struct order), true);
	waitpid(other, &status, 0);
	is(status, 0, "the other side ends well");
}

int main(int argc, char **argv)
{
	small_device();
	if (argc == 2 && !strcmp(argv[1], "other"))
		return other_side();
	start_other();
	need_device();
	test_physical();
	test_fabric();
	test_keys();
	test_events();
	test_outlives();
	test_offers_end();
	test_owner_ends();
	return done_testing();
}
