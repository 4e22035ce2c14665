// SPDX-License-Identifier: MIT
/* ACLKM_STRICT=1: what the founding documents refuse, in the calls that came later. */
#include <sys/mman.h>

#include "client.h"

int main(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	aclrtEvent plain, sync;
	void *p, *device;

	setenv("ACLKM_STRICT", "1", 1);
	small_device();
	need_device();
	is(aclrtReserveMemAddress(&p, 4096, 0, NULL, 1) | aclrtReleaseMemAddress(p), 0,
	   "reserve: flags 1, which the pages only advise against");
	is(aclrtReserveMemAddress(&p, 4096, 0, NULL, 0) | aclrtReleaseMemAddress(p), 0,
	   "reserve: flags 0");
	is(aclrtHostRegister(page, 4097, ACL_HOST_REGISTER_MAPPED, &p), 107000,
	   "register: part of a page");
	ok(recent_has("ACLKM_STRICT=1"), "the text says why");
	is(aclrtHostRegister(page, 8192, ACL_HOST_REGISTER_MAPPED, &p) |
		   aclrtHostUnregister(page),
	   0, "register: whole pages");
	if (aclrtCreateEventWithFlag(&plain, ACL_EVENT_TIME_LINE) ||
	    aclrtCreateEventWithFlag(&sync, ACL_EVENT_SYNC) ||
	    aclrtMalloc(&device, 4096, ACL_MEM_MALLOC_NORMAL_ONLY))
		bail_out("no event");
	is(aclrtResetEvent(plain, NULL), 207000, "reset: no ACL_EVENT_SYNC");
	is(aclrtResetEvent(sync, NULL), 0, "reset: ACL_EVENT_SYNC");
	is(aclrtMemcpy2dAsync((char *)device + 1, 64, page, 64, 64, 2,
			      ACL_MEMCPY_HOST_TO_DEVICE, NULL),
	   107008, "rows: unaligned");
	is(aclrtMemcpy2dAsync(device, 64, page, 64, 64, 2, ACL_MEMCPY_HOST_TO_DEVICE,
			      NULL),
	   0, "rows: aligned");
	is(acldvppMallocWithCfg(&p, 100, (aclrtMemMallocPolicy)77, NULL), 107000,
	   "media: policy 77");
	is(aclrtDestroyEvent(plain) | aclrtDestroyEvent(sync) | aclrtFree(device), 0,
	   "free");
	munmap(page, 8192);
	return done_testing();
}
