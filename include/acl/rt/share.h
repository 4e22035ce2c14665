/* SPDX-License-Identifier: MIT */
/*
 * Sharing memory and events between processes.
 *
 * The owner exports and names the processes that may import (or lets all, flag 1);
 * the name goes over by any means. Only processes of the same user, or root's, get
 * anything. Memory lives as long as one process has it mapped. Physical memory is
 * offered until the owner has freed and unmapped it, an event until it is destroyed, a
 * block until its key is closed; all of it ends with the owner. Process ids are those
 * that the owner sees in its own pid namespace.
 *
 * Errors that all functions here share: 100000 NULL or size 0; 107002 no context;
 * 107017 a name that nobody offers (any more) or that is none; 207006 not offered to
 * this process; 107000 what breaks its rule (the text says which).
 */
#ifndef ACL_RT_SHARE_H
#define ACL_RT_SHARE_H

#include "vmm.h"
#include "event.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACL_RT_IPC_MEM_KEY_LENGTH 65 /* bytes of a key, with its NUL */

/* Flags of exports and imports. */
#define ACL_RT_IPC_MEM_EXPORT_FLAG_DEFAULT 0x0UL
#define ACL_RT_IPC_MEM_EXPORT_FLAG_DISABLE_PID_VALIDATION 0x1UL
#define ACL_RT_IPC_MEM_IMPORT_FLAG_DEFAULT 0x0UL
#define ACL_RT_IPC_MEM_IMPORT_FLAG_ENABLE_PEER_ACCESS 0x1UL
#define ACL_RT_VMM_EXPORT_FLAG_DEFAULT 0x0UL
#define ACL_RT_VMM_EXPORT_FLAG_DISABLE_PID_VALIDATION 0x1UL

typedef enum aclrtMemSharedHandleType {
	ACL_MEM_SHARE_HANDLE_TYPE_DEFAULT = 0x1, /* uint64_t */
	ACL_MEM_SHARE_HANDLE_TYPE_FABRIC = 0x2	 /* aclrtMemFabricHandle */
} aclrtMemSharedHandleType;

typedef struct aclrtMemFabricHandle {
	uint8_t data[128];
} aclrtMemFabricHandle;

#define ACL_IPC_EVENT_HANDLE_SIZE 64U

typedef struct aclrtIpcEventHandle {
	char reserved[ACL_IPC_EVENT_HANDLE_SIZE];
} aclrtIpcEventHandle;

/**
 * aclrtMemExportToShareableHandle - offer physical memory to other processes
 * @handle:          of aclrtMallocPhysical; each once
 * @handleType:      ACL_MEM_HANDLE_TYPE_NONE
 * @flags:           ACL_RT_VMM_EXPORT_FLAG_*
 * @shareableHandle: out
 *
 * Returns 0; the shared errors; 107000 as well for a handle exported before.
 */
ACL_FUNC_VISIBILITY aclError
aclrtMemExportToShareableHandle(aclrtDrvMemHandle handle, aclrtMemHandleType handleType,
				uint64_t flags, uint64_t *shareableHandle);

/* aclrtMemExportToShareableHandleV2 - the same, as the form that @shareType says. */
ACL_FUNC_VISIBILITY aclError aclrtMemExportToShareableHandleV2(
	aclrtDrvMemHandle handle, uint64_t flags, aclrtMemSharedHandleType shareType,
	void *shareableHandle);

/**
 * aclrtMemSetPidToShareableHandle - let processes import it
 * @pid, @pidNum: as aclrtDeviceGetBareTgid tells them; added to those before
 *
 * Returns 0; the shared errors; 207001 more than 1024 in all.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemSetPidToShareableHandle(uint64_t shareableHandle,
							     int32_t *pid, size_t pidNum);

/* aclrtMemSetPidToShareableHandleV2 - the same for either form. */
ACL_FUNC_VISIBILITY aclError aclrtMemSetPidToShareableHandleV2(
	void *shareableHandle, aclrtMemSharedHandleType shareType, int32_t *pid,
	size_t pidNum);

/**
 * aclrtMemImportFromShareableHandle - physical memory of another process
 * @deviceId: the device that it is used on here
 * @handle:   out; give it back with aclrtFreePhysical
 *
 * Returns 0; the shared errors; 107001 bad id; strict: 107000 for one of this process.
 */
ACL_FUNC_VISIBILITY aclError aclrtMemImportFromShareableHandle(uint64_t shareableHandle,
							       int32_t deviceId,
							       aclrtDrvMemHandle *handle);

/* aclrtMemImportFromShareableHandleV2 - either form, for the current device. */
ACL_FUNC_VISIBILITY aclError aclrtMemImportFromShareableHandleV2(
	void *shareableHandle, aclrtMemSharedHandleType shareType, uint64_t flags,
	aclrtDrvMemHandle *handle);

/**
 * aclrtIpcMemGetExportKey - offer a block to other processes
 * @devPtr: in a block; a multiple of the page size that aclrtPointerGetAttributes
 *          tells, so allocate whole pages for sharing
 * @size:   bytes; inside the block
 * @key:    out; @len bytes, at least 65
 * @flags:  ACL_RT_IPC_MEM_EXPORT_FLAG_*
 *
 * Whoever imports sees whole pages, with what lies behind the block in the last one.
 * Nobody may write the block's region while it is exported for the first time: on
 * the user backend it may move into a file. Close the key before the block is freed.
 *
 * Returns 0; the shared errors.
 */
ACL_FUNC_VISIBILITY aclError aclrtIpcMemGetExportKey(void *devPtr, size_t size, char *key,
						     size_t len, uint64_t flags);

/* aclrtIpcMemSetImportPid - let processes import it. As for shareable handles. */
ACL_FUNC_VISIBILITY aclError aclrtIpcMemSetImportPid(const char *key, int32_t *pid,
						     size_t num);

/**
 * aclrtIpcMemImportByKey - map the block of another process
 * @devPtr: out; device memory of the current device; aclrtIpcMemClose ends it
 * @flags:  ACL_RT_IPC_MEM_IMPORT_FLAG_*
 */
ACL_FUNC_VISIBILITY aclError aclrtIpcMemImportByKey(void **devPtr, const char *key,
						    uint64_t flags);

/* aclrtIpcMemClose - in an importer: unmap it; in the owner: offer it no more. */
ACL_FUNC_VISIBILITY aclError aclrtIpcMemClose(const char *key);

/**
 * aclrtIpcGetEventHandle - offer an event to all processes of the user
 * @event: created with ACL_EVENT_IPC, else 207000
 */
ACL_FUNC_VISIBILITY aclError aclrtIpcGetEventHandle(aclrtEvent event,
						    aclrtIpcEventHandle *handle);

/* aclrtIpcOpenEventHandle - the same event here; destroy it as any other. */
ACL_FUNC_VISIBILITY aclError aclrtIpcOpenEventHandle(aclrtIpcEventHandle handle,
						     aclrtEvent *event);

/* Other servers of a super pod, and the links to them: 207000. */

#define ACL_RT_IPC_MEM_ATTR_ACCESS_LINK_SIO 0
#define ACL_RT_IPC_MEM_ATTR_ACCESS_LINK_HCCS 1
#define ACL_RT_IPC_MEM_ATTR_ACCESS_LINK_UB_ONE_PORT_PATH 2
#define ACL_RT_IPC_MEM_ATTR_ACCESS_LINK_UB_MULTI_PORT_PATH 3

typedef enum { ACL_RT_IPC_MEM_ATTR_ACCESS_LINK = 0 } aclrtIpcMemAttrType;

typedef struct {
	uint32_t sdid;
	int32_t *pid;
	size_t num;
} aclrtServerPid;

ACL_FUNC_VISIBILITY aclError aclrtIpcMemSetAttr(const char *key, aclrtIpcMemAttrType type,
						uint64_t attr);
ACL_FUNC_VISIBILITY aclError aclrtIpcMemImportPidInterServer(const char *key,
							     aclrtServerPid *serverPids,
							     size_t num);
ACL_FUNC_VISIBILITY aclError aclrtNotifySetImportPidInterServer(
	aclrtNotify notify, aclrtServerPid *serverPids, size_t num);

#ifdef __cplusplus
}
#endif

#endif /* ACL_RT_SHARE_H */
