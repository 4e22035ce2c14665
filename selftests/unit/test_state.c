// SPDX-License-Identifier: MIT
/* Callbacks when devices are set and reset; numbers and engines of devices. */
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
	test_aborts();
	test_many();
	test_numbers();
	test_engines();
	return done_testing();
}
