// SPDX-License-Identifier: MIT
/* Who is told of tasks that fail. */
#include "acl/acl_rt.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "exec/exec.h"
#include "acl/result.h"

#define CALLBACKS 64

struct rtExceptionInfo {
	uint32_t task;
	uint32_t stream;
	uint32_t thread;
	uint32_t device;
	uint32_t code;
};

struct callbacks {
	aclrtExceptionInfoCallback only; /* of aclrtSetExceptionInfoCallback */
	aclrtExceptionInfoCallback list[CALLBACKS];
	int count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct callbacks callbacks;

/* With no lock held: they may register and end others. */
static void exception_tell(const struct stream_failure *failure)
{
	struct rtExceptionInfo info = {.task = (uint32_t)failure->task,
				       .stream = (uint32_t)failure->stream_id,
				       .thread = (uint32_t)syscall(SYS_gettid),
				       .device = failure->device,
				       .code = (uint32_t)acl_code(failure->err)};
	struct callbacks now;
	int i;

	pthread_mutex_lock(&lock);
	now = callbacks;
	pthread_mutex_unlock(&lock);
	if (now.only)
		now.only(&info);
	for (i = 0; i < now.count; i++)
		now.list[i](&info);
}

static int exception_find_locked(aclrtExceptionInfoCallback callback)
{
	int i = 0;

	while (i < callbacks.count && callbacks.list[i] != callback)
		i++;
	return i;
}

aclError aclrtSetExceptionInfoCallback(aclrtExceptionInfoCallback callback)
{
	aclError code = acl_enter(__func__);

	if (code)
		return code;
	pthread_mutex_lock(&lock);
	callbacks.only = callback;
	pthread_mutex_unlock(&lock);
	stream_watch_failures(exception_tell);
	return ACL_SUCCESS;
}

aclError aclrtExceptionInfoCallbackRegister(aclrtExceptionInfoCallback callback)
{
	int i;
	aclError code = acl_enter(__func__) ?: acl_need_function(callback, "callback");

	if (code)
		return code;
	pthread_mutex_lock(&lock);
	i = exception_find_locked(callback);
	if (i == CALLBACKS)
		code = acl_refuse(ACL_ERROR_BAD_ALLOC, "at most %d callbacks", CALLBACKS);
	else if (i == callbacks.count)
		callbacks.list[callbacks.count++] = callback;
	pthread_mutex_unlock(&lock);
	stream_watch_failures(exception_tell);
	return code;
}

aclError aclrtExceptionInfoCallbackUnregister(aclrtExceptionInfoCallback callback)
{
	int i;
	aclError code = acl_enter(__func__) ?: acl_need_function(callback, "callback");

	if (code)
		return code;
	pthread_mutex_lock(&lock);
	i = exception_find_locked(callback);
	if (i < callbacks.count)
		callbacks.list[i] = callbacks.list[--callbacks.count];
	pthread_mutex_unlock(&lock);
	return ACL_SUCCESS;
}

uint32_t aclrtGetTaskIdFromExceptionInfo(const aclrtExceptionInfo *info)
{
	return info ? info->task : UINT32_MAX;
}

uint32_t aclrtGetStreamIdFromExceptionInfo(const aclrtExceptionInfo *info)
{
	return info ? info->stream : UINT32_MAX;
}

uint32_t aclrtGetThreadIdFromExceptionInfo(const aclrtExceptionInfo *info)
{
	return info ? info->thread : UINT32_MAX;
}

uint32_t aclrtGetDeviceIdFromExceptionInfo(const aclrtExceptionInfo *info)
{
	return info ? info->device : UINT32_MAX;
}

uint32_t aclrtGetErrorCodeFromExceptionInfo(const aclrtExceptionInfo *info)
{
	return info ? info->code : UINT32_MAX;
}
