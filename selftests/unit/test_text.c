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

	is(aclFinalizeReference(NULL), 100037, "reference: NULL, not initialised");
	is(aclInit(NULL) | aclFinalizeReference(NULL), 0,
	   "reference: the count left out");
	is(aclFinalizeReference(&left), 100037, "reference: not initialised");
	is(left, 9, "writes nothing");
	is(aclInit(NULL), 0, "init");
	is(aclInit(""), 100002, "init again is counted");
	is(aclInit("/no/such/file"), 100002, "and the file is not looked at");
	is(aclFinalizeReference(&left), 0, "reference");
	is(left, 2, "two are left");
	is(aclFinalizeReference(&left), 0, "reference");
	is(left, 1, "one is left");
	is(aclFinalizeReference(&left), 0, "reference");
	is(left, 0, "none is left");
	is(aclFinalize(), 100037, "finalize finds none");
	is(aclInit(NULL), 0, "init anew");
	is(aclFinalize(), 0, "finalize");
}

static void *fail(void *arg)
{
	(void)arg;
	aclrtFree(NULL);
	return NULL;
}

static void test_mode(void)
{
	static const char *const lines[] = {"{}", "{ \"err_msg_mode\" : \"1\" }",
					    "{\"err_msg_mode\":1}",
					    "{\"err_msg_mode\": \"0\"}"};
	static const bool shared[] = {false, true, true, false};
	char path[] = "/tmp/aclkm-config-XXXXXX";
	int fd = mkstemp(path), i;
	const char *text;

	for (i = 0; i < 4; i++) {
		if (ftruncate(fd, 0) || pwrite(fd, lines[i], strlen(lines[i]), 0) < 0)
			bail_out("no file");
		aclGetRecentErrMsg();
		is(aclInit(path), 0, "init with %s", lines[i]);
		in_thread(fail, NULL);
		text = aclGetRecentErrMsg();
		ok(shared[i] == (text && strstr(text, "aclrtFree: devPtr is NULL")),
		   "another thread's failures are %s here",
		   shared[i] ? "told" : "not told");
		ok(!aclGetRecentErrMsg(), "and told once");
		is(aclFinalize(), 0, "finalize");
	}
	is(aclInit(NULL) | aclFinalize(), 0, "init without a file");
	close(fd);
	unlink(path);
}

static void *use_default(void *arg)
{
	int32_t device = -1;
	void *p = NULL;

	if (!arg) {
		is(aclrtMalloc(&p, 100, ACL_MEM_MALLOC_NORMAL_ONLY), 107002,
		   "a thread has no device");
		return NULL;
	}
	is(aclrtMalloc(&p, 100, ACL_MEM_MALLOC_NORMAL_ONLY), 0, "a thread has memory");
	is(aclrtGetDevice(&device), 0, "its device");
	is(device, 1, "is the default one");
	is(aclrtFree(p), 0, "free");
	is(aclrtSetDevice(0), 0, "it sets another");
	is(aclrtGetDevice(&device), 0, "its device");
	is(device, 0, "is what it set");
	is(aclrtResetDevice(0), 0, "reset");
	is(aclrtResetDevice(1), 107002, "the default one counts no set");
	return NULL;
}

/* "default_device": threads that set none have this one, until aclFinalize. */
static void test_default_device(void)
{
	static const char *const good[] = {
		"{\"defaultDevice\":{\"default_device\":\"1\"}}",
		"{ \"defaultDevice\" : { \"default_device\" : 1 } }"};
	static const char *const bad[] = {
		"{\"defaultDevice\":{\"default_device\":\"2\"}}",
		"{\"defaultDevice\":{\"default_device\":-7}}"};
	char path[] = "/tmp/aclkm-config-XXXXXX";
	int fd = mkstemp(path), i;

	in_thread(use_default, NULL);
	for (i = 0; i < 2; i++) {
		if (ftruncate(fd, 0) || pwrite(fd, good[i], strlen(good[i]), 0) < 0)
			bail_out("no file");
		is(aclInit(path), 0, "init with %s", good[i]);
		in_thread(use_default, path);
		is(aclFinalize(), 0, "finalize");
		in_thread(use_default, NULL);
		if (ftruncate(fd, 0) || pwrite(fd, bad[i], strlen(bad[i]), 0) < 0)
			bail_out("no file");
		is(aclInit(path), 107001, "init with %s", bad[i]);
		is(aclFinalize(), 100037, "is none");
	}
	if (ftruncate(fd, (10L << 20) + 1))
		bail_out("no file");
	is(aclInit(path), 100005, "a file of more than 10 MiB");
	close(fd);
	unlink(path);
	is(aclInit(path), 100003, "no file");
}

static struct {
	int calls;
	char text[64];
	size_t len;
	void *last;
	aclError answer;
} heard;

static aclError hear_init(const char *text, size_t len, void *data)
{
	heard.calls++;
	heard.len = len;
	heard.last = data;
	snprintf(heard.text, sizeof(heard.text), "%s", text);
	return heard.answer;
}

static aclError hear_other(const char *text, size_t len, void *data)
{
	is(aclInit(NULL), 100002, "who is called may call");
	return hear_init(text, len, data);
}

static aclError hear_end(void *data)
{
	heard.calls++;
	heard.last = data;
	return heard.answer;
}

/* Who takes part in aclInit and aclFinalize. */
static void test_taking_part(void)
{
	static const char json[] = "{\"mine\": 1}";
	char path[] = "/tmp/aclkm-config-XXXXXX";
	int fd = mkstemp(path), a = 0, b = 0, i, code = 0;
	const aclRegisterCallbackType other = ACL_REG_TYPE_OTHER;

	if (write(fd, json, strlen(json)) < 0)
		bail_out("no file");
	is(aclInitCallbackRegister(ACL_REG_TYPE_ACL_DVPP, hear_init, &a), 0, "take part");
	is(aclInitCallbackRegister(ACL_REG_TYPE_ACL_DVPP, hear_other, &a), 500000,
	   "one of a type");
	is(aclInitCallbackRegister(other, NULL, NULL), 100000, "NULL");
	is(aclInitCallbackRegister((aclRegisterCallbackType)8, hear_init, NULL), 100000,
	   "no type");
	is(heard.calls, 0, "not called before");
	is(aclInit(path), 0, "init with a file");
	ok(heard.calls == 1 && heard.last == &a && heard.len == strlen(json) &&
		   !strcmp(heard.text, json),
	   "called with its text");
	is(aclInit(path), 100002, "once more");
	is(heard.calls, 1, "is not told");
	is(aclInitCallbackRegister(other, hear_other, &b), 0, "take part later");
	ok(heard.calls == 2 && heard.last == &b && !strcmp(heard.text, json),
	   "called at once");
	is(aclFinalizeCallbackRegister(other, hear_end, &a), 0, "and in the end");
	is(aclFinalizeCallbackRegister(other, NULL, &a), 100000, "NULL");
	is(aclFinalizeReference(NULL) | aclFinalizeReference(NULL), 0,
	   "two references less");
	is(heard.calls, 2, "is not the end");
	is(aclFinalizeReference(NULL), 0, "the last one");
	ok(heard.calls == 3 && heard.last == &a, "is");

	heard.answer = 4711;
	is(aclInit(NULL), 4711, "a callback that fails");
	ok(recent_has("callback of type 6 failed"), "the text says which");
	is(heard.calls, 4, "those behind it are not called");
	is(heard.len, 0, "no file, no text");
	is(aclFinalize(), 100037, "and nothing is initialised");
	heard.answer = 0;
	is(aclInitCallbackUnRegister(ACL_REG_TYPE_ACL_DVPP, hear_init), 0, "leave");
	is(aclInitCallbackUnRegister(ACL_REG_TYPE_ACL_DVPP, hear_init), 500000, "again");
	is(aclInitCallbackUnRegister(other, NULL), 100000, "NULL");
	is(aclInit(NULL), 0, "init");
	ok(heard.calls == 5 && heard.last == &b, "only the other one is called");
	heard.answer = 7;
	is(aclFinalize(), 7, "a callback that fails in the end");
	heard.answer = 0;
	is(aclFinalize(), 100037, "it is the end");
	is(aclInitCallbackUnRegister(other, hear_other) |
		   aclFinalizeCallbackUnRegister(other, hear_end),
	   0, "leave");
	is(aclFinalizeCallbackUnRegister(other, hear_end), 500000, "again");
	for (i = 0; i < 64; i++)
		code |= aclFinalizeCallbackRegister(other, hear_end, NULL);
	is(code, 0, "64 of the program's own");
	is(aclFinalizeCallbackRegister(other, hear_end, NULL), 200000, "one more");
	for (i = 0; i < 64; i++)
		code |= aclFinalizeCallbackUnRegister(other, hear_end);
	is(code, 0, "leave");
	heard.calls = 0;
	is(aclInit(NULL) | aclFinalize(), 0, "init and finalize");
	is(heard.calls, 0, "nobody is called");
	close(fd);
	unlink(path);
}

int main(void)
{
	setenv("ACLKM_DEVICES", "2", 1);
	small_device();
	test_last_error();
	test_text();
	test_reference();
	test_mode();
	test_default_device();
	test_taking_part();
	return done_testing();
}
