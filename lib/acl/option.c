// SPDX-License-Identifier: MIT
/* Options of operators: kept for the process, and for context_sets that have their own.
 */
#include "acl/acl_rt.h"

#include <pthread.h>

#include "exec/exec.h"
#include "acl/context.h"
#include "acl/result.h"

#define OPTIONS 4
#define CONTEXTS 256

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t process_options[OPTIONS];

static struct context_options {
	uintptr_t context; /* 0: free */
	uint32_t set;	   /* a bit for each option */
	int64_t values[OPTIONS];
} context_sets[CONTEXTS];

static aclError option_check(aclSysParamOpt opt)
{
	if ((uint32_t)opt < OPTIONS)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_INVALID_PARAM,
			  "opt = %d: not a value of aclSysParamOpt", (int)opt);
}

/* The slot of @context, or a free one; NULL: there is none. Under the lock. */
static struct context_options *option_slot(uintptr_t context)
{
	struct context_options *spare = NULL;
	int i;

	for (i = 0; i < CONTEXTS; i++) {
		if (context_sets[i].context == context)
			return &context_sets[i];
		if (!context_sets[i].context && !spare)
			spare = &context_sets[i];
	}
	return spare;
}

aclError aclrtSetSysParamOpt(aclSysParamOpt opt, int64_t value)
{
	aclError code = acl_enter(__func__) ?: option_check(opt);

	if (code)
		return code;
	pthread_mutex_lock(&lock);
	process_options[opt] = value;
	pthread_mutex_unlock(&lock);
	return ACL_SUCCESS;
}

aclError aclrtGetSysParamOpt(aclSysParamOpt opt, int64_t *value)
{
	aclError code = acl_enter(__func__) ?: acl_need(value, "value") ?:
			option_check(opt);

	if (code)
		return code;
	pthread_mutex_lock(&lock);
	*value = process_options[opt];
	pthread_mutex_unlock(&lock);
	return ACL_SUCCESS;
}

aclError aclrtCtxSetSysParamOpt(aclSysParamOpt opt, int64_t value)
{
	struct context_options *slot;
	aclError code = acl_enter(__func__) ?: option_check(opt) ?: context_need();

	if (code)
		return code;
	pthread_mutex_lock(&lock);
	slot = option_slot(device_context());
	if (slot) {
		slot->context = device_context();
		slot->set |= 1U << opt;
		slot->values[opt] = value;
	}
	pthread_mutex_unlock(&lock);
	if (slot)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_BAD_ALLOC,
			  "%d context_sets have options of their own: no more are kept",
			  CONTEXTS);
}

aclError aclrtCtxGetSysParamOpt(aclSysParamOpt opt, int64_t *value)
{
	const struct context_options *slot;
	aclError code = acl_enter(__func__) ?: acl_need(value, "value") ?:
			option_check(opt) ?: context_need();

	if (code)
		return code;
	pthread_mutex_lock(&lock);
	slot = option_slot(device_context());
	if (slot && slot->set & 1U << opt)
		*value = slot->values[opt];
	else
		*value = process_options[opt];
	pthread_mutex_unlock(&lock);
	return ACL_SUCCESS;
}
