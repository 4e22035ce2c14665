// SPDX-License-Identifier: MIT
/* Callbacks when devices and streams come and go; numbers and engines of devices. */
#include "client.h"

#define DEVICES 3

static struct {
	int32_t device;
	aclrtDeviceState state;
	void *args;
} seen[32];
static int count;

static void note(int32_t device, aclrtDeviceState state, void *args)
{
	if (count < 32) {
		seen[count].device = device;
		seen[count].state = state;
		seen[count].args = args;
	}
	count++;
}

static bool saw(int i, int32_t device, aclrtDeviceState state)
{
	return i < count && seen[i].device == device && seen[i].state == state &&
	       seen[i].args == &count;
}

/* Calls what it is called for, and ends itself. */
static void nest(int32_t device, aclrtDeviceState state, void *args)
{
	void *p;

	(void)args;
	if (state != ACL_RT_DEVICE_STATE_SET_POST)
		return;
	is(aclrtMalloc(&p, 100, ACL_MEM_MALLOC_NORMAL_ONLY) | aclrtFree(p), 0,
	   "after the set there is memory of %d", device);
	is(aclrtRegDeviceStateCallback("nest", NULL, NULL), 0, "it ends itself");
}

static void test_callbacks(void)
{
	char name[65];

	is(aclrtRegDeviceStateCallback("note", note, &count), 0, "register");
	is(aclrtRegDeviceStateCallback("note", note, &count), 107000, "again");
	ok(recent_has("\"note\" is registered"), "the text says so");
	is(aclrtSetDevice(1), 0, "set");
	is(count, 2, "called twice");
	ok(saw(0, 1, ACL_RT_DEVICE_STATE_SET_PRE) &&
		   saw(1, 1, ACL_RT_DEVICE_STATE_SET_POST),
	   "before and after");
	is(aclrtSetDevice(DEVICES), 107001, "a device that is not there");
	is(count, 2, "is not told");
	is(aclrtResetDevice(1), 0, "reset");
	ok(count == 4 && saw(2, 1, ACL_RT_DEVICE_STATE_RESET_PRE) &&
		   saw(3, 1, ACL_RT_DEVICE_STATE_RESET_POST),
	   "before and after");
	is(aclrtResetDevice(1), 107002, "one reset too many");
	ok(count == 5 && saw(4, 1, ACL_RT_DEVICE_STATE_RESET_PRE), "no after");
	ok(recent_has("aclrtResetDevice"), "the text names the function");
	is(aclrtSetDevice(0) | aclrtResetDeviceForce(0), 0, "the forced form");
	is(count, 9, "is told, too");
	is(aclrtRegDeviceStateCallback("nest", nest, NULL), 0, "a second one");
	is(aclrtSetDevice(2), 0, "set");
	is(aclrtRegDeviceStateCallback("nest", NULL, NULL), 107000, "it is not there");
	is(aclrtRegDeviceStateCallback("note", NULL, NULL), 0, "end");
	count = 0;
	is(aclrtSetDevice(2), 0, "set");
	is(count, 0, "nobody is called");
	is(aclrtRegDeviceStateCallback(NULL, note, NULL), 100000, "NULL");
	is(aclrtRegDeviceStateCallback("", note, NULL), 107000, "no name");
	memset(name, 'x', 64);
	name[64] = '\0';
	is(aclrtRegDeviceStateCallback(name, note, NULL), 107000, "64 characters");
	name[63] = '\0';
	is(aclrtRegDeviceStateCallback(name, note, NULL), 0, "63");
	is(aclrtRegDeviceStateCallback(name, NULL, NULL), 0, "end");
	is(aclrtResetDevice(2) | aclrtResetDevice(2), 0, "reset");
}

static struct {
	aclrtStream stream;
	aclrtStreamState state;
	int32_t id;
} told[16];
static int tellings;
static aclrtStream sub_stream;

static void note_stream(aclrtStream stream, aclrtStreamState state, void *args)
{
	if (args == &tellings && tellings < 16) {
		told[tellings].stream = stream;
		told[tellings].state = state;
		told[tellings].id = -1;
		aclrtStreamGetId(stream, &told[tellings].id);
	}
	tellings++;
	/* A stream of its own for the one that goes. */
	if (state == ACL_RT_STREAM_STATE_DESTROY_PRE && sub_stream &&
	    sub_stream != stream) {
		aclrtStream old = sub_stream;

		sub_stream = NULL;
		is(aclrtDestroyStream(old), 0, "who is told destroys another stream");
	}
}

static bool was_told(int i, aclrtStream stream, aclrtStreamState state)
{
	return i < tellings && told[i].stream == stream && told[i].state == state;
}

/* Destroys the stream that is about to be destroyed. */
static void destroy_it(aclrtStream stream, aclrtStreamState state, void *args)
{
	if (state == ACL_RT_STREAM_STATE_DESTROY_PRE)
		*(aclError *)args = aclrtDestroyStream(stream);
}

static void test_streams(void)
{
	aclrtStream stream, other, standard, second;
	aclrtContext context;
	aclError inner = -1;
	int32_t id = -1;

	is(aclrtRegStreamStateCallback("note", note_stream, &tellings), 0, "register");
	is(aclrtRegStreamStateCallback("note", note_stream, &tellings), 107000, "again");
	is(aclrtRegStreamStateCallback(NULL, note_stream, NULL), 100000, "NULL");
	is(aclrtRegStreamStateCallback("none", NULL, NULL), 107000, "none to end");
	is(aclrtSetDevice(0), 0, "set");
	is(aclrtCtxGetCurrentDefaultStream(&standard), 0, "its default stream");
	ok(tellings == 1 && was_told(0, standard, ACL_RT_STREAM_STATE_CREATE_POST),
	   "was told");
	is(aclrtSetDevice(0) | aclrtResetDevice(0), 0, "once more");
	is(tellings, 1, "no stream was created");
	is(aclrtCreateStream(&stream) | aclrtCreateStreamWithConfig(&other, 3, 0), 0,
	   "two streams");
	ok(tellings == 3 && was_told(1, stream, ACL_RT_STREAM_STATE_CREATE_POST) &&
		   was_told(2, other, ACL_RT_STREAM_STATE_CREATE_POST),
	   "are told");
	aclrtStreamGetId(stream, &id);
	sub_stream = other;
	is(aclrtDestroyStream(stream), 0, "destroy one");
	ok(tellings == 5 && was_told(3, stream, ACL_RT_STREAM_STATE_DESTROY_PRE) &&
		   was_told(4, other, ACL_RT_STREAM_STATE_DESTROY_PRE),
	   "it is told, and the one that goes with it");
	ok(id >= 0 && told[3].id == id, "it was alive then");
	is(aclrtDestroyStream(stream), 107003, "destroy it again");
	is(aclrtDestroyStream(NULL), 100000, "destroy NULL");
	is(tellings, 5, "nobody is told");

	tellings = 0;
	is(aclrtCreateContext(&context, 1), 0, "a context");
	is(aclrtCtxGetCurrentDefaultStream(&second) | aclrtCreateStreamV2(&other, NULL),
	   0, "its streams");
	ok(tellings == 2 && was_told(0, second, ACL_RT_STREAM_STATE_CREATE_POST) &&
		   was_told(1, other, ACL_RT_STREAM_STATE_CREATE_POST),
	   "are told");
	is(aclrtDestroyContext(context), 0, "destroy it");
	ok(tellings == 4 && told[2].state == ACL_RT_STREAM_STATE_DESTROY_PRE &&
		   told[3].state == ACL_RT_STREAM_STATE_DESTROY_PRE,
	   "with its streams, which are told");

	is(aclrtSetDevice(0) | aclrtCreateStream(&stream), 0, "a stream");
	is(aclrtRegStreamStateCallback("destroy", destroy_it, &inner), 0, "a second one");
	is(aclrtDestroyStreamForce(stream), 107003, "it is gone when it should go");
	is(inner, 0, "as who was told has destroyed it");
	is(aclrtRegStreamStateCallback("destroy", NULL, NULL), 0, "end that");
	tellings = 0;
	is(aclrtResetDevice(0) | aclrtResetDevice(0), 0, "reset");
	ok(tellings == 1 && was_told(0, standard, ACL_RT_STREAM_STATE_DESTROY_PRE),
	   "the default stream goes");
	is(aclrtRegStreamStateCallback("note", NULL, NULL), 0, "end");
	is(aclrtSetDevice(0) | aclrtResetDevice(0), 0, "set and reset");
	is(tellings, 1, "nobody is told");
}

/* Contexts until the device has no more streams, and then its own. */
static void test_limit(void)
{
	static aclrtContext contexts[2048];
	aclError code = 0;
	int i, n = 0, bad = 0;

	while (n < 2048 && !(code = aclrtCreateContext(&contexts[n], 1)))
		n++;
	is(n, 1984, "contexts with a stream each");
	is(code, 207008, "one more: no stream for it");
	is(aclrtSetDevice(1), 207008, "the default context has none, too");
	for (i = 0; i < n; i++)
		bad += aclrtDestroyContext(contexts[i]) != 0;
	is(bad, 0, "destroy them");
	is(aclrtSetDevice(1), 0, "then there is one");
	is(aclrtResetDevice(1), 0, "reset");
}

static int32_t note_abort(int32_t device, aclrtDeviceTaskAbortStage stage,
			  uint32_t timeout, void *args)
{
	if (device == 1 && timeout == 77 && args == &count)
		seen[count].state = (aclrtDeviceState)stage;
	count++;
	return -1;
}

static void test_aborts(void)
{
	count = 0;
	is(aclrtSetDeviceTaskAbortCallback("note", note_abort, &count), 0, "register");
	is(aclrtSetDeviceTaskAbortCallback("note", note_abort, &count), 107000, "again");
	is(aclrtDeviceTaskAbort(1, 77), 0, "abort");
	ok(count == 2 && (int)seen[0].state == ACL_RT_DEVICE_TASK_ABORT_PRE &&
		   (int)seen[1].state == ACL_RT_DEVICE_TASK_ABORT_POST,
	   "told before and after");
	is(aclrtDeviceTaskAbort(DEVICES, 77), 107001, "a device that is not there");
	is(count, 2, "is not told");
	is(aclrtSetDeviceTaskAbortCallback("note", NULL, NULL), 0, "end");
	is(aclrtSetDeviceTaskAbortCallback("note", NULL, NULL), 107000, "again");
	is(aclrtSetDeviceTaskAbortCallback(NULL, note_abort, NULL), 100000, "NULL");
	is(aclrtDeviceTaskAbort(1, 77), 0, "abort");
	is(count, 2, "nobody is called");
}

static void test_many(void)
{
	char name[16];
	int i, code = 0;

	for (i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		code |= aclrtRegDeviceStateCallback(name, note, NULL);
	}
	is(code, 0, "64 callbacks");
	is(aclrtRegDeviceStateCallback("more", note, NULL), 200000, "one more");
	for (i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		code |= aclrtRegDeviceStateCallback(name, NULL, NULL);
	}
	is(code, 0, "end them");
}

typedef aclError (*number_fn)(const int32_t from, int32_t *const to);

static void test_numbers(void)
{
	static const number_fn fns[] = {
		aclrtGetLogicDevIdByUserDevId, aclrtGetUserDevIdByLogicDevId,
		aclrtGetLogicDevIdByPhyDevId,  aclrtGetPhyDevIdByLogicDevId,
		aclrtGetUserDevIdByPhyDevId,   aclrtGetPhyDevIdByUserDevId};
	int32_t to;
	int i, id;

	for (i = 0; i < 6; i++) {
		for (id = 0; id < DEVICES; id++) {
			to = -1;
			is(fns[i](id, &to), 0, "numbering %d, device %d", i, id);
			is(to, id, "is the same");
		}
		is(fns[i](-1, &to), 107001, "device -1");
		is(fns[i](DEVICES, &to), 107001, "one too many");
		is(fns[i](0, NULL), 100000, "NULL");
	}
}

static void test_engines(void)
{
	aclrtHostMemMapCapability can;
	int type;

	for (type = 0; type <= ACL_RT_HAC_TYPE_CCU; type++) {
		is(aclrtHostMemMapCapabilities(0, (aclrtHacType)type, &can), 0,
		   "engine %d", type);
		is(can, type == ACL_RT_HAC_TYPE_PCIEDMA || type == ACL_RT_HAC_TYPE_SDMA,
		   "only what copies");
	}
	is(aclrtHostMemMapCapabilities(0, (aclrtHacType)10, &can), 107000, "no engine");
	is(aclrtHostMemMapCapabilities(0, (aclrtHacType)-1, &can), 107000, "engine -1");
	is(aclrtHostMemMapCapabilities(DEVICES, ACL_RT_HAC_TYPE_SDMA, &can), 107001,
	   "no device");
	is(aclrtHostMemMapCapabilities(0, ACL_RT_HAC_TYPE_SDMA, NULL), 100000, "NULL");
}

int main(void)
{
	char number[8];

	snprintf(number, sizeof(number), "%d", DEVICES);
	setenv("ACLKM_DEVICES", number, 1);
	small_device();
	test_callbacks();
	test_streams();
	test_limit();
	test_aborts();
	test_many();
	test_numbers();
	test_engines();
	return done_testing();
}
