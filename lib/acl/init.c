// SPDX-License-Identifier: MIT
/* aclInit, aclFinalize, who takes part in them, and the recent errors. */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "acl/acl_rt.h"
#include "base/base.h"
#include "exec/exec.h"
#include "acl/init_file.h"
#include "acl/result.h"

#define HOOKS 64

typedef void (*any_function)(void);

/* Who is called; in the order of registration, free slots behind the last. */
struct hook {
	any_function fn;
	void *data;
	aclRegisterCallbackType type;
};

struct hooks {
	struct hook list[HOOKS];
	int count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t init_count;
static struct init_file init_file;
static struct hooks init_hooks, finalize_hooks;

static aclError check_type(aclRegisterCallbackType type)
{
	if ((uint32_t)type <= ACL_REG_TYPE_ACL_RETR || type == ACL_REG_TYPE_OTHER)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_INVALID_PARAM,
			  "type = %d: not a value of aclRegisterCallbackType", (int)type);
}

/* One of each type, and as many as there is room for of the program's own. */
static aclError add_locked(struct hooks *hooks, const struct hook *hook)
{
	int i;

	for (i = 0; i < hooks->count && hook->type != ACL_REG_TYPE_OTHER; i++) {
		if (hooks->list[i].type == hook->type)
			return acl_refuse(ACL_ERROR_INTERNAL_ERROR,
					  "type = %d has a callback already",
					  (int)hook->type);
	}
	if (hooks->count == HOOKS)
		return acl_refuse(ACL_ERROR_BAD_ALLOC, "at most %d callbacks", HOOKS);
	hooks->list[hooks->count++] = *hook;
	return ACL_SUCCESS;
}

static aclError remove_hook(const char *call, struct hooks *hooks,
			    aclRegisterCallbackType type, any_function fn)
{
	int i;
	aclError code = acl_enter(call) ?: acl_need_function(fn, "cbFunc") ?:
			check_type(type);

	if (code)
		return code;
	pthread_mutex_lock(&lock);
	for (i = 0; i < hooks->count; i++) {
		if (hooks->list[i].type == type && hooks->list[i].fn == fn)
			break;
	}
	if (i < hooks->count) {
		hooks->count--;
		memmove(&hooks->list[i], &hooks->list[i + 1],
			(size_t)(hooks->count - i) * sizeof(hooks->list[0]));
	} else {
		code = acl_refuse(ACL_ERROR_INTERNAL_ERROR,
				  "cbFunc = %p is not registered for type %d",
				  (void *)(uintptr_t)fn, (int)type);
	}
	pthread_mutex_unlock(&lock);
	return code;
}

static aclError call_init(const struct hook *hook, const char *text)
{
	return ((aclInitCallbackFunc)hook->fn)(text, strlen(text), hook->data);
}

/* With no lock held: who is called may call aclInit and register, too. */
static aclError call_all_init(const struct hooks *hooks, const char *text)
{
	aclError code = ACL_SUCCESS;
	int i;

	for (i = 0; i < hooks->count && !code; i++) {
		code = call_init(&hooks->list[i], text);
		if (code)
			acl_refuse(code, "the callback of type %d failed",
				   (int)hooks->list[i].type);
	}
	return code;
}

static aclError call_all_finalize(const struct hooks *hooks)
{
	aclError first = ACL_SUCCESS, code;
	int i;

	for (i = 0; i < hooks->count; i++) {
		code = ((aclFinalizeCallbackFunc)hooks->list[i].fn)(hooks->list[i].data);
		if (code && !first)
			first = acl_refuse(code, "the callback of type %d failed",
					   (int)hooks->list[i].type);
	}
	return first;
}

aclError aclInitCallbackRegister(aclRegisterCallbackType type, aclInitCallbackFunc cbFunc,
				 void *userData)
{
	const struct hook hook = {(any_function)cbFunc, userData, type};
	char *text = NULL;
	aclError code = acl_enter(__func__) ?: acl_need_function(cbFunc, "cbFunc") ?:
			check_type(type);

	if (code)
		return code;
	pthread_mutex_lock(&lock);
	if (init_count) {
		text = strdup(init_file.text ?: "");
		if (!text)
			code = acl_refuse(ACL_ERROR_BAD_ALLOC,
					  "no memory for the library's own records");
	}
	if (!code)
		code = add_locked(&init_hooks, &hook);
	pthread_mutex_unlock(&lock);
	/* What it says has no one to hear it. */
	if (!code && text)
		call_init(&hook, text);
	free(text);
	return code;
}

aclError aclInitCallbackUnRegister(aclRegisterCallbackType type,
				   aclInitCallbackFunc cbFunc)
{
	return remove_hook(__func__, &init_hooks, type, (any_function)cbFunc);
}

aclError aclFinalizeCallbackRegister(aclRegisterCallbackType type,
				     aclFinalizeCallbackFunc cbFunc, void *userData)
{
	const struct hook hook = {(any_function)cbFunc, userData, type};
	aclError code = acl_enter(__func__) ?: acl_need_function(cbFunc, "cbFunc") ?:
			check_type(type);

	if (code)
		return code;
	pthread_mutex_lock(&lock);
	code = add_locked(&finalize_hooks, &hook);
	pthread_mutex_unlock(&lock);
	return code;
}

aclError aclFinalizeCallbackUnRegister(aclRegisterCallbackType type,
				       aclFinalizeCallbackFunc cbFunc)
{
	return remove_hook(__func__, &finalize_hooks, type, (any_function)cbFunc);
}

/* Back to before the first aclInit. */
static void acl_init_end_locked(void)
{
	init_count = 0;
	device_set_default(-1);
	init_file_free(&init_file);
}

#define INIT_AGAIN "called before in this process"

/* What the first aclInit does; the file becomes the process's. */
static aclError acl_init_begin(struct init_file *file)
{
	struct hooks hooks;
	char *text = strdup(file->text ?: "");
	aclError code = ACL_SUCCESS;

	if (!text)
		code = acl_refuse(ACL_ERROR_BAD_ALLOC,
				  "no memory for the library's own records");
	pthread_mutex_lock(&lock);
	if (!code && init_count++)
		code = acl_refuse(ACL_ERROR_REPEAT_INITIALIZE, INIT_AGAIN);
	if (code) {
		pthread_mutex_unlock(&lock);
		free(text);
		return code;
	}
	error_share(file->message_mode == 1);
	device_set_default((int32_t)file->default_device);
	init_file = *file;
	file->text = NULL;
	hooks = init_hooks;
	pthread_mutex_unlock(&lock);
	code = call_all_init(&hooks, text);
	free(text);
	if (code) {
		pthread_mutex_lock(&lock);
		acl_init_end_locked();
		pthread_mutex_unlock(&lock);
	}
	return code;
}

/* Counts a call that is not the first, without a look at its file. */
static aclError init_again(void)
{
	bool again;

	pthread_mutex_lock(&lock);
	again = init_count;
	if (again)
		init_count++;
	pthread_mutex_unlock(&lock);
	if (!again)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_REPEAT_INITIALIZE, INIT_AGAIN);
}

aclError aclInit(const char *configPath)
{
	struct init_file file;
	aclError code = acl_enter(__func__) ?: acl_result(config_check()) ?: init_again() ?:
			init_file_read(configPath, &file);

	if (code)
		return code;
	code = acl_init_begin(&file);
	init_file_free(&file);
	return code;
}

/* @all: whatever the count is. */
static aclError finalize(const char *call, uint64_t *left, bool all)
{
	struct hooks hooks;
	bool live, last;
	aclError code = acl_enter(call);

	if (code)
		return code;
	pthread_mutex_lock(&lock);
	live = init_count > 0;
	last = live && (all || init_count == 1);
	if (last)
		acl_init_end_locked();
	else if (live)
		init_count--;
	if (live && left)
		*left = init_count;
	hooks = finalize_hooks;
	pthread_mutex_unlock(&lock);
	if (!live)
		return acl_refuse(ACL_ERROR_REPEAT_FINALIZE,
				  "not initialised, or finalised before");
	return last ? call_all_finalize(&hooks) : ACL_SUCCESS;
}

aclError aclFinalize(void)
{
	return finalize(__func__, NULL, true);
}

aclError aclFinalizeReference(uint64_t *refCount)
{
	return finalize(__func__, refCount, false);
}

static aclError check_level(aclrtLastErrLevel level)
{
	if (level == ACL_RT_THREAD_LEVEL)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_INVALID_PARAM,
			  "level = %d: must be ACL_RT_THREAD_LEVEL (0)", (int)level);
}

aclError aclrtPeekAtLastError(aclrtLastErrLevel level)
{
	return check_level(level) ?: acl_last(0);
}

aclError aclrtGetLastError(aclrtLastErrLevel level)
{
	return check_level(level) ?: acl_last(1);
}

const char *aclGetRecentErrMsg(void)
{
	return error_take_recent();
}
