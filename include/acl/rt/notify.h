/* SPDX-License-Identifier: MIT */
/*
 * Notifies: one flag that a stream raises and another waits for and takes down.
 *
 * A record raises the flag, however often; one wait takes it down, so that of several
 * waits one goes on. Unlike an event, a wait holds its stream until a record comes,
 * whenever that is submitted, in this process or in one that has imported the notify.
 * Any thread. (AscendCL API reference, "aclrtCreateNotify" and the pages around it.)
 *
 * Errors that all functions here share: 100000 NULL; 107002 no context; 107000 a notify
 * that was never created or is destroyed, flags. Streams: as in acl/rt/stream.h.
 */
#ifndef ACL_RT_NOTIFY_H
#define ACL_RT_NOTIFY_H

#include "../acl_base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACL_NOTIFY_DEFAULT 0x00000000U
#define ACL_NOTIFY_DEVICE_USE_ONLY 0x00000001U /* taken as the first */

#define ACL_RT_NOTIFY_EXPORT_FLAG_DEFAULT 0x0UL /* to the processes that are named */
#define ACL_RT_NOTIFY_EXPORT_FLAG_DISABLE_PID_VALIDATION 0x02UL
#define ACL_RT_NOTIFY_IMPORT_FLAG_DEFAULT 0x0UL
#define ACL_RT_NOTIFY_IMPORT_FLAG_ENABLE_PEER_ACCESS 0x02UL

/**
 * aclrtCreateNotify - a notify of the current device
 * @notify: out; give it back with aclrtDestroyNotify
 * @flag:   ACL_NOTIFY_*
 *
 * Returns 0; the shared errors; 207009 a device has 8192; 200000 the library's own heap.
 */
ACL_FUNC_VISIBILITY aclError aclrtCreateNotify(aclrtNotify *notify, uint64_t flag);

/* aclrtDestroyNotify - at once; streams that have it as a task keep what they need. */
ACL_FUNC_VISIBILITY aclError aclrtDestroyNotify(aclrtNotify notify);

/* aclrtRecordNotify - raise the flag, in a stream. The shared errors; 107003. */
ACL_FUNC_VISIBILITY aclError aclrtRecordNotify(aclrtNotify notify, aclrtStream stream);

/**
 * aclrtWaitAndResetNotify - hold a stream until the flag is up, and take it down
 * @timeout: seconds; 0: none. When it is up the stream goes on, and the next who waits
 *           for it is told: 107020. (The page of pyACL says milliseconds.)
 *
 * Returns 0; the shared errors; 107003.
 */
ACL_FUNC_VISIBILITY aclError aclrtWaitAndResetNotify(aclrtNotify notify,
						     aclrtStream stream,
						     uint32_t timeout);

/* aclrtGetNotifyId - a number that no other live notify of the process has. */
ACL_FUNC_VISIBILITY aclError aclrtGetNotifyId(aclrtNotify notify, uint32_t *notifyId);

/* aclrtNotifyBatchReset - take flags down, now. 100000 as well for @num 0. */
ACL_FUNC_VISIBILITY aclError aclrtNotifyBatchReset(aclrtNotify *notifies, size_t num);

/**
 * aclrtNotifyGetExportKey - offer a notify to other processes
 * @key:   out; @len bytes, at least 65
 * @flags: ACL_RT_NOTIFY_EXPORT_FLAG_*
 *
 * Again it gives the same key. It is offered until the notify is destroyed.
 *
 * Returns 0; the shared errors; 107000 @len; 207000 an imported one.
 */
ACL_FUNC_VISIBILITY aclError aclrtNotifyGetExportKey(aclrtNotify notify, char *key,
						     size_t len, uint64_t flags);

/**
 * aclrtNotifySetImportPid - let processes import it
 * @pid, @num: as aclrtDeviceGetBareTgid tells them; added to those before
 *
 * Returns 0; the shared errors; 107017 not exported; 207001 more than 1024 in all.
 */
ACL_FUNC_VISIBILITY aclError aclrtNotifySetImportPid(aclrtNotify notify, int32_t *pid,
						     size_t num);

/**
 * aclrtNotifyImportByKey - a notify of another process, or of this one
 * @notify: out; give it back with aclrtDestroyNotify
 * @flags:  ACL_RT_NOTIFY_IMPORT_FLAG_*
 *
 * Returns 0; the shared errors; 107017 no such key; 207006 not for this process; 207009.
 */
ACL_FUNC_VISIBILITY aclError aclrtNotifyImportByKey(aclrtNotify *notify, const char *key,
						    uint64_t flags);

#ifdef __cplusplus
}
#endif

#endif /* ACL_RT_NOTIFY_H */
