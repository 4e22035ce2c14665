/* SPDX-License-Identifier: MIT */
/* Start and end of AscendCL in a process, and what failed. See acl/acl_rt.h. */
#ifndef ACL_RT_PROCESS_H
#define ACL_RT_PROCESS_H

#include "../acl_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whose last error is asked for (AscendCL API reference, "aclrtLastErrLevel"). */
typedef enum aclrtLastErrLevel {
	ACL_RT_THREAD_LEVEL = 0 /* the calling thread's */
} aclrtLastErrLevel;

/**
 * aclInit - start using AscendCL in this process
 * @configPath: NULL, "", or a JSON file with an object in it (may be {})
 *
 * Optional: no other function asks for it. Calls are counted. Of the file two items
 * have a meaning: "err_msg_mode": "1" lets aclGetRecentErrMsg tell of all threads, and
 * "defaultDevice": {"default_device": "0"} gives threads that have no context that
 * device's default one with their first call that needs one, until aclFinalize.
 * (AscendCL API reference, "aclInit".)
 *
 * Returns 0; 100002 when already initialised (harmless, still counted; the file is not
 * looked at); 100003
 * file cannot be read; 100005 file over 10 MiB; 100006 no JSON object in it;
 * 100000 bad ACLKM_* variable; 107001 a default device that is not there; what a
 * callback of aclInitCallbackRegister returns.
 */
ACL_FUNC_VISIBILITY aclError aclInit(const char *configPath);

/**
 * aclFinalize - stop using AscendCL
 *
 * Sets the count of aclInit back to zero; memory and streams stay as they are.
 * (AscendCL API reference, "aclFinalize".)
 *
 * Returns 0; 100037 when not initialised or finalised before; what a callback of
 * aclFinalizeCallbackRegister returns.
 */
ACL_FUNC_VISIBILITY aclError aclFinalize(void);

/**
 * aclGetRecentErrMsg - text of the recent failures of this thread, newest first; of
 * all threads with "err_msg_mode": "1" (aclInit)
 *
 * Reading clears it. The string belongs to the library and lives until the
 * next call of this function in the same thread.
 * (AscendCL API reference, "aclGetRecentErrMsg".)
 *
 * Returns NULL when there is none.
 */
ACL_FUNC_VISIBILITY const char *aclGetRecentErrMsg(void);

/**
 * aclFinalizeReference - undo one aclInit
 * @refCount: out; how many are left. NULL is left out
 *
 * (AscendCL API reference, "aclFinalizeReference".)
 *
 * Returns 0; 100037 when not initialised or finalised before.
 */
ACL_FUNC_VISIBILITY aclError aclFinalizeReference(uint64_t *refCount);

/* Who takes part in aclInit and aclFinalize (AscendCL API reference). */
typedef enum aclRegisterCallbackType {
	ACL_REG_TYPE_ACL_MODEL = 0,
	ACL_REG_TYPE_ACL_OP_EXECUTOR = 1,
	ACL_REG_TYPE_ACL_OP_CBLAS = 2,
	ACL_REG_TYPE_ACL_OP_COMPILER = 3,
	ACL_REG_TYPE_ACL_TDT_CHANNEL = 4,
	ACL_REG_TYPE_ACL_TDT_QUEUE = 5,
	ACL_REG_TYPE_ACL_DVPP = 6,
	ACL_REG_TYPE_ACL_RETR = 7,
	ACL_REG_TYPE_OTHER = 0xFFFF /* the program's own: any number of them */
} aclRegisterCallbackType;

/* @configStr: the @len characters of aclInit's file, with a NUL behind; "" without. */
typedef aclError (*aclInitCallbackFunc)(const char *configStr, size_t len,
					void *userData);
typedef aclError (*aclFinalizeCallbackFunc)(void *userData);

/**
 * aclInitCallbackRegister - be called by aclInit
 * @type: one callback for each, of ACL_REG_TYPE_OTHER as many as there is room for
 *
 * In the thread that calls aclInit for the first time, in the order of registration; at
 * once, in this thread, when the process is initialised. It may call functions of
 * AscendCL. What it returns, if not 0, makes aclInit fail with it, and the process is
 * not initialised then. (AscendCL API reference, "aclInitCallbackRegister".)
 *
 * Returns 0; 100000 NULL or another @type; 500000 the type has one; 200000 more than
 * 64 callbacks.
 */
ACL_FUNC_VISIBILITY aclError aclInitCallbackRegister(aclRegisterCallbackType type,
						     aclInitCallbackFunc cbFunc,
						     void *userData);

/* aclInitCallbackUnRegister - undo it. 0; 100000; 500000 that is not registered. */
ACL_FUNC_VISIBILITY aclError aclInitCallbackUnRegister(aclRegisterCallbackType type,
						       aclInitCallbackFunc cbFunc);

/**
 * aclFinalizeCallbackRegister - be called by aclFinalize
 *
 * Or by the aclFinalizeReference that leaves no reference. All are called; the first
 * code that is not 0 is what the function then returns. Returns as
 * aclInitCallbackRegister.
 */
ACL_FUNC_VISIBILITY aclError aclFinalizeCallbackRegister(aclRegisterCallbackType type,
							 aclFinalizeCallbackFunc cbFunc,
							 void *userData);

/* aclFinalizeCallbackUnRegister - undo it. 0; 100000; 500000 that is not registered. */
ACL_FUNC_VISIBILITY aclError aclFinalizeCallbackUnRegister(
	aclRegisterCallbackType type, aclFinalizeCallbackFunc cbFunc);

/**
 * aclrtGetLastError - the code of the last failure of this thread, and forget it
 * @level: ACL_RT_THREAD_LEVEL
 *
 * (AscendCL API reference, "aclrtGetLastError".)
 *
 * Returns 0 when nothing failed since the last call; 100000 another level.
 */
ACL_FUNC_VISIBILITY aclError aclrtGetLastError(aclrtLastErrLevel level);

/* aclrtPeekAtLastError - the same, and keep it. */
ACL_FUNC_VISIBILITY aclError aclrtPeekAtLastError(aclrtLastErrLevel level);

#define ACL_PKG_VERSION_MAX_SIZE 128
#define ACL_PKG_VERSION_PARTS_MAX_SIZE 64

/* Packages of a toolkit (AscendCL API reference, "aclCANNPackageName"). */
typedef enum aclCANNPackageName {
	ACL_PKG_NAME_CANN = 0,
	ACL_PKG_NAME_RUNTIME = 1,
	ACL_PKG_NAME_COMPILER = 2,
	ACL_PKG_NAME_HCCL = 3,
	ACL_PKG_NAME_TOOLKIT = 4,
	ACL_PKG_NAME_OPP = 5,
	ACL_PKG_NAME_OPP_KERNEL = 6,
	ACL_PKG_NAME_DRIVER = 7
} aclCANNPackageName;

typedef struct aclCANNPackageVersion {
	char version[ACL_PKG_VERSION_MAX_SIZE];
	char majorVersion[ACL_PKG_VERSION_PARTS_MAX_SIZE];
	char minorVersion[ACL_PKG_VERSION_PARTS_MAX_SIZE];
	char releaseVersion[ACL_PKG_VERSION_PARTS_MAX_SIZE];
	char patchVersion[ACL_PKG_VERSION_PARTS_MAX_SIZE];
	char reserved[ACL_PKG_VERSION_MAX_SIZE];
} aclCANNPackageVersion;

/**
 * aclsysGetCANNVersion - deprecated: the version of the toolkit that is played
 * @name:    CANN, RUNTIME, TOOLKIT and DRIVER, which all have the same version here
 * @version: out
 *
 * Needs no context. Returns 0; 100000 NULL or another value; 100003 a package that is
 * not there: compilers and operators.
 */
ACL_FUNC_VISIBILITY aclError aclsysGetCANNVersion(aclCANNPackageName name,
						  aclCANNPackageVersion *version);

/**
 * aclsysGetVersionStr - the same as text
 * @pkgName:    "cann", "runtime", "toolkit", "driver" in upper or lower case
 * @versionStr: out: ACL_PKG_VERSION_MAX_SIZE bytes
 *
 * Returns 0; 100000 NULL; 100003 another package.
 */
ACL_FUNC_VISIBILITY aclError aclsysGetVersionStr(char *pkgName, char *versionStr);

/* aclsysGetVersionNum - major * 10^7 + minor * 10^5 + release * 10^3. As the text. */
ACL_FUNC_VISIBILITY aclError aclsysGetVersionNum(char *pkgName, int32_t *versionNum);

#ifdef __cplusplus
}
#endif

#endif /* ACL_RT_PROCESS_H */
