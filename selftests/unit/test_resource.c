// SPDX-License-Identifier: MIT
/* What programs set for compute cores is kept; what the product has is told. */
#include "acl/acl_platform.h"
#include "client.h"

static void overflow_modes(void)
{
	aclrtFloatOverflowMode mode = ACL_RT_OVERFLOW_MODE_UNDEF;

	is(aclrtGetDeviceSatMode(&mode), 0,
	   "the overflow mode is told before a device is set");
	is(mode, ACL_RT_OVERFLOW_MODE_INFNAN, "Ascend910B3 overflows to infinity");
	is(aclrtSetDeviceSatMode(ACL_RT_OVERFLOW_MODE_SATURATION), 0,
	   "it can be set then");
	need_device();
	is(aclrtGetDeviceSatMode(&mode), 0, "and asked for with a device");
	is(mode, ACL_RT_OVERFLOW_MODE_SATURATION, "where it is what was set");
	is(aclrtSetDeviceSatMode(ACL_RT_OVERFLOW_MODE_UNDEF), 100000, "no value: 100000");
	is(aclrtGetDeviceSatMode(NULL), 100000, "NULL: 100000");
}

static void overflow_switch(aclrtStream stream)
{
	aclrtStreamAttrValue value = {0};
	uint32_t flag = 7;

	is(aclrtGetStreamOverflowSwitch(stream, &flag), 0, "the switch of a stream");
	is(flag, 0, "is off at first");
	is(aclrtSetStreamOverflowSwitch(stream, 1), 0, "it is set");
	is(aclrtGetStreamOverflowSwitch(stream, &flag), 0, "and told");
	is(flag, 1, "as it was set");
	aclrtGetStreamAttribute(stream, ACL_STREAM_ATTR_FLOAT_OVERFLOW_CHECK, &value);
	is(value.overflowSwitch, 1, "by the attribute as well");
	is(aclrtSetStreamOverflowSwitch(stream, 2), 100000, "2: 100000");
	is(aclrtSetStreamOverflowSwitch((aclrtStream)&flag, 1), 107003,
	   "no stream: 107003");
	is(aclrtSetStreamOverflowSwitch(NULL, 0), 0, "NULL is the default stream");
}

static void limits(aclrtStream stream)
{
	uint32_t cubes = 0, vectors = 0;

	is(aclrtGetDeviceResLimit(0, ACL_RT_DEV_RES_CUBE_CORE, &cubes), 0,
	   "limit of cubes");
	is(cubes, 20, "is all of Ascend910B3's at first");
	aclrtGetDeviceResLimit(0, ACL_RT_DEV_RES_VECTOR_CORE, &vectors);
	is(vectors, 40, "and so for vector cores");
	is(aclrtSetDeviceResLimit(0, ACL_RT_DEV_RES_CUBE_CORE, 21), 107000,
	   "one more: 107000");
	is(aclrtSetDeviceResLimit(0, ACL_RT_DEV_RES_CUBE_CORE, 0), 107000,
	   "none: 107000");
	is(aclrtSetDeviceResLimit(9, ACL_RT_DEV_RES_CUBE_CORE, 1), 107001,
	   "no device: 107001");
	is(aclrtSetDeviceResLimit(0, (aclrtDevResLimitType)2, 1), 100000,
	   "no kind: 100000");
	is(aclrtSetDeviceResLimit(0, ACL_RT_DEV_RES_CUBE_CORE, 10), 0, "half of them");
	is(aclrtGetStreamResLimit(stream, ACL_RT_DEV_RES_CUBE_CORE, &cubes), 0,
	   "a stream");
	is(cubes, 10, "has its device's limit");
	is(aclrtSetStreamResLimit(stream, ACL_RT_DEV_RES_CUBE_CORE, 4), 0, "or its own");
	aclrtGetStreamResLimit(stream, ACL_RT_DEV_RES_CUBE_CORE, &cubes);
	is(cubes, 4, "which is told");
	aclrtGetResInCurrentThread(ACL_RT_DEV_RES_CUBE_CORE, &cubes);
	is(cubes, 10, "a thread has the device's");
	is(aclrtUseStreamResInCurrentThread(stream), 0, "or uses a stream's");
	aclrtGetResInCurrentThread(ACL_RT_DEV_RES_CUBE_CORE, &cubes);
	is(cubes, 4, "and has it then");
	is(aclrtUnuseStreamResInCurrentThread(stream), 0, "until it does not");
	aclrtGetResInCurrentThread(ACL_RT_DEV_RES_CUBE_CORE, &cubes);
	is(cubes, 10, "any more");
	is(aclrtResetStreamResLimit(stream), 0, "a stream's limit is taken away");
	aclrtGetStreamResLimit(stream, ACL_RT_DEV_RES_CUBE_CORE, &cubes);
	is(cubes, 10, "and is the device's again");
	is(aclrtResetDeviceResLimit(0), 0, "a device's as well");
	aclrtGetDeviceResLimit(0, ACL_RT_DEV_RES_CUBE_CORE, &cubes);
	is(cubes, 20, "and is the product's again");
}

static void timeouts(void)
{
	uint64_t actual = 0, step = 0;
	uint32_t ms = 1;

	is(aclrtGetOpExecuteTimeout(&ms), 0, "time of operators");
	is(ms, 0, "is not set at first");
	aclrtSetOpExecuteTimeOut(3);
	aclrtGetOpExecuteTimeout(&ms);
	is(ms, 3000, "is set in seconds");
	aclrtSetOpExecuteTimeOutWithMs(70);
	aclrtGetOpExecuteTimeout(&ms);
	is(ms, 70, "in milliseconds");
	is(aclrtSetOpExecuteTimeOutV2(5000, &actual), 0, "or in microseconds");
	aclrtGetOpExecuteTimeout(&ms);
	is(ms, 5, "as well");
	is(actual, 5000, "which are told again");
	is(aclrtGetOpTimeOutInterval(&step), 0, "the step");
	is(step, 1, "is one microsecond");
	is(aclrtGetOpExecuteTimeout(NULL), 100000, "NULL: 100000");
}

static void options(void)
{
	aclrtContext second;
	int64_t value = -1;

	is(aclrtGetSysParamOpt(ACL_OPT_DETERMINISTIC, &value), 0,
	   "an option of operators");
	is(value, 0, "is 0 at first");
	is(aclrtSetSysParamOpt(ACL_OPT_DETERMINISTIC, 1), 0, "set for the process");
	aclrtCtxGetSysParamOpt(ACL_OPT_DETERMINISTIC, &value);
	is(value, 1, "it holds for a context");
	is(aclrtCtxSetSysParamOpt(ACL_OPT_DETERMINISTIC, 2), 0, "that may have its own");
	aclrtCtxGetSysParamOpt(ACL_OPT_DETERMINISTIC, &value);
	is(value, 2, "which is told");
	aclrtGetSysParamOpt(ACL_OPT_DETERMINISTIC, &value);
	is(value, 1, "beside the process's");
	aclrtCtxGetSysParamOpt(ACL_OPT_ENABLE_DEBUG_KERNEL, &value);
	is(value, 0, "and other options are untouched");
	aclrtCreateContext(&second, 0);
	aclrtCtxGetSysParamOpt(ACL_OPT_DETERMINISTIC, &value);
	is(value, 1, "another context has the process's");
	aclrtDestroyContext(second);
	aclrtSetDevice(0);
	is(aclrtSetSysParamOpt((aclSysParamOpt)4, 1), 100000, "no option: 100000");
	is(aclrtCtxGetSysParamOpt((aclSysParamOpt)-1, &value), 100000,
	   "nor this: 100000");
}

static void facts(void)
{
	const aclCannAttr *list = NULL;
	size_t count = 0;
	int32_t can = -1;
	int64_t value = -1;
	char text[32];

	is(aclrtGetDeviceInfo(0, ACL_DEV_ATTR_AICORE_CORE_NUM, &value), 0, "cores");
	is(value, 20, "20 of Ascend910B3");
	aclrtGetDeviceInfo(0, ACL_DEV_ATTR_VECTOR_CORE_NUM, &value);
	is(value, 40, "40 for vectors");
	aclrtGetDeviceInfo(0, ACL_DEV_ATTR_NPU_ARCH, &value);
	is(value, 2201, "the architecture");
	is(aclrtGetDeviceInfo(0, ACL_DEV_ATTR_SUPER_POD_DEVIDE_ID, &value), 207000,
	   "no super pod: 207000");
	is(aclGetDeviceCapability(0, ACL_DEVICE_INFO_L2_SIZE, &value), 0, "size of L2");
	is(value, 192 << 20, "192 MiB");
	aclGetDeviceCapability(0, ACL_DEVICE_INFO_VECTOR_CORE_NUM, &value);
	is(value, 40, "cores by the older call");
	is(aclGetDeviceCapability(0, ACL_DEVICE_INFO_UNDEFINED, &value), 100000,
	   "no value: 100000");
	is(aclGetCannAttributeList(&list, &count), 0, "abilities");
	ok(count == 2 && list && list[0] == ACL_CANN_ATTR_INF_NAN &&
		   list[1] == ACL_CANN_ATTR_BF16,
	   "infinity and bfloat16");
	is(aclGetCannAttribute(ACL_CANN_ATTR_BF16, &can), 0, "one ability");
	is(can, 1, "is there");
	is(aclGetCannAttribute(ACL_CANN_ATTR_UNDEFINED, &can), 100000,
	   "no ability: 100000");
	is(aclrtCheckArchCompatibility("Ascend910B1", &can), 0, "code for a neighbour");
	is(can, 1, "runs");
	aclrtCheckArchCompatibility("Ascend310P3", &can);
	is(can, 0, "that of another family does not");
	is(aclrtCheckArchCompatibility("Nothing1", &can), 107000, "no product: 107000");
	is(aclplatformGetDeviceInfo(ACL_PLATFORM_SOC_VERSION, text, sizeof(text)), 0,
	   "a name");
	ok(!strcmp(text, "Ascend910B3"), "of the product");
	is(aclplatformGetDeviceInfo(ACL_PLATFORM_CUBE_CORE_CNT, text, sizeof(text)), 0,
	   "cores");
	ok(!strcmp(text, "20"), "in digits");
	is(aclplatformGetDeviceInfo(ACL_PLATFORM_CUBE_CORE_CNT, text, 2), 100000,
	   "no room for the NUL: 100000");
	is(aclplatformGetDeviceInfo(ACL_PLATFORM_CUBE_FREQ, text, sizeof(text)), 207000,
	   "a frequency: 207000");
}

static void health(void)
{
	aclrtUtilizationInfo busy = {.cubeUtilization = 9};
	aclrtErrorInfo error;
	size_t free_now = 0, total = 1;
	void *block = NULL;

	/* The device of a test on the user backend has 48 MiB, the driver's has more. */
	aclrtMalloc(&block, 24 * MIB, ACL_MEM_MALLOC_NORMAL_ONLY);
	aclrtGetMemInfo(ACL_HBM_MEM, &free_now, &total);
	is(aclrtGetDeviceUtilizationRate(0, &busy), 0, "how busy");
	is(busy.cubeUtilization, 0, "no core is");
	ok(busy.memoryUtilization > 0 &&
		   labs((long)busy.memoryUtilization -
			(long)((total - free_now) * 100 / total)) <= 1,
	   "the part of the memory that is used: %d %%", busy.memoryUtilization);
	aclrtFree(block);
	busy.utilizationExtend = (aclrtUtilizationExtendInfo *)&busy;
	is(aclrtGetDeviceUtilizationRate(0, &busy), 100000, "an extension: 100000");
	memset(&error, 0xff, sizeof(error));
	is(aclrtGetErrorVerbose(0, &error), 0, "faults of the hardware");
	is(error.errorType, ACL_RT_NO_ERROR, "there are none");
	is(aclrtRepairError(0, &error), 0, "so nothing is repaired");
	error.errorType = ACL_RT_ERROR_L2;
	is(aclrtRepairError(0, &error), 207000, "and nothing could be: 207000");
}

static void versions(void)
{
	char text[ACL_PKG_VERSION_MAX_SIZE] = "", runtime[] = "Runtime", other[] = "opp";
	aclCANNPackageVersion version;
	int32_t number = 0, major = 0, minor = 0;

	is(aclsysGetVersionStr(runtime, text), 0, "version of the runtime");
	ok(sscanf(text, "%d.%d", &major, &minor) == 2 && major >= 8, "is a number: %s",
	   text);
	is(aclsysGetVersionNum(runtime, &number), 0, "as one number");
	is(number / 10000000, major, "with the major one first");
	is(aclsysGetCANNVersion(ACL_PKG_NAME_CANN, &version), 0, "by the older call");
	ok(!strcmp(version.version, text), "it is the same");
	is(atoi(version.majorVersion), major, "in parts as well");
	is(aclsysGetVersionStr(other, text), 100003,
	   "operators are not installed: 100003");
	is(aclsysGetCANNVersion(ACL_PKG_NAME_OPP, &version), 100003, "nor so: 100003");
	is(aclsysGetCANNVersion((aclCANNPackageName)8, &version), 100000,
	   "no name: 100000");
}

static void short_values(aclrtStream stream)
{
	aclrtStreamConfigHandle *config = aclrtCreateStreamConfigHandle();
	uint32_t flag = ACL_STREAM_FAST_SYNC, told = 0;
	uint32_t *one = malloc(sizeof(*one));
	aclrtStream other = NULL;

	is(aclrtSetStreamConfigOpt(config, ACL_RT_STREAM_FLAG, &flag, sizeof(flag)), 0,
	   "a flag of 4 bytes");
	is(aclrtCreateStreamV2(&other, config), 0, "a stream with it");
	aclrtStreamGetFlags(other, &told);
	is(told, ACL_STREAM_FAST_SYNC, "tells it");
	is(aclrtSetStreamConfigOpt(config, ACL_RT_STREAM_FLAG, &flag, 2), 100000,
	   "2 bytes: 100000");
	aclrtDestroyStream(other);
	aclrtDestroyStreamConfigHandle(config);
	*one = 1;
	is(aclrtSetStreamAttribute(stream, ACL_STREAM_ATTR_FLOAT_OVERFLOW_CHECK,
				   (aclrtStreamAttrValue *)(void *)one),
	   0, "an attribute of 4 bytes, and none behind it is read");
	free(one);
}

int main(void)
{
	aclrtStream stream = NULL;

	small_device();
	overflow_modes();
	aclrtCreateStream(&stream);
	overflow_switch(stream);
	limits(stream);
	timeouts();
	options();
	facts();
	health();
	versions();
	short_values(stream);
	aclrtDestroyStream(stream);
	return done_testing();
}
