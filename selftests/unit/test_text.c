// SPDX-License-Identifier: MIT
/* What failures say: the text, the last code, and who sees them. */
#include "client.h"

static void test_last_error(void)
{
	void *p;

	aclrtGetLastError(ACL_RT_THREAD_LEVEL);
	is(aclrtPeekAtLastError(ACL_RT_THREAD_LEVEL), 0, "nothing has failed");
	aclrtMalloc(&p, 0, ACL_MEM_MALLOC_HUGE_FIRST);
	aclrtFree(&p);
	is(aclrtPeekAtLastError(ACL_RT_THREAD_LEVEL), 107000, "peek: the last code");
	is(aclrtPeekAtLastError(ACL_RT_THREAD_LEVEL), 107000, "peek keeps it");
	is(aclrtGetLastError(ACL_RT_THREAD_LEVEL), 107000, "get gives it");
	is(aclrtGetLastError(ACL_RT_THREAD_LEVEL), 0, "and forgets it");
	is(aclrtGetLastError((aclrtLastErrLevel)1), 100000, "another level");
	is(aclrtPeekAtLastError((aclrtLastErrLevel)1), 100000, "peek: another level");
	aclrtGetLastError(ACL_RT_THREAD_LEVEL);
}

static void *see_nothing(void *arg)
{
	*(bool *)arg = !aclGetRecentErrMsg() && !aclrtPeekAtLastError(0);
	return NULL;
}

static void test_text(void)
{
	bool nothing = false;
	const char *text, *first, *second;
	void *p;

	aclGetRecentErrMsg();
	aclrtMalloc(NULL, 5, ACL_MEM_MALLOC_HUGE_FIRST);
	aclrtMalloc(&p, 0, ACL_MEM_MALLOC_HUGE_FIRST);
	in_thread(see_nothing, &nothing);
	ok(nothing, "another thread sees nothing of it");
	text = aclGetRecentErrMsg();
	first = text ? strstr(text, "size = 0: must be 1 or more") : NULL;
	second = text ? strstr(text, "devPtr is NULL") : NULL;
	ok(first && second && first < second,
	   "texts: newest first, argument, value, rule");
	ok(text && !strncmp(text, "aclrtMalloc: ", 13), "and the function");
	ok(!aclGetRecentErrMsg(), "reading clears them");
}

static void test_reference(void)
{
	uint64_t left = 9;

	is(aclFinalizeReference(NULL), 100000, "reference: NULL");
	is(aclFinalizeReference(&left), 100037, "reference: not initialised");
	is(left, 9, "writes nothing");
	is(aclInit(NULL), 0, "init");
	is(aclInit(""), 100002, "init again is counted");
	is(aclFinalizeReference(&left), 0, "reference");
	is(left, 1, "one is left");
	is(aclFinalizeReference(&left), 0, "reference");
	is(left, 0, "none is left");
	is(aclFinalize(), 100037, "finalize finds none");
	is(aclInit(NULL), 0, "init anew");
	is(aclFinalize(), 0, "finalize");
}

int main(void)
{
	small_device();
	test_last_error();
	test_text();
	test_reference();
	return done_testing();
}
