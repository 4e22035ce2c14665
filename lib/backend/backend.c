// SPDX-License-Identifier: MIT
/*
 * Which backend serves this process. The first caller that needs memory decides, under
 * open_lock; the choice and its reason stay for as long as the process lives.
 */
#include "backend/region.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include <linux/aclkm.h>

#include "base/base.h"

static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;
static const struct backend *_Atomic current;

/* Written once, before @current is. */
static const char *reason = "";

/* Said once: to have no driver is common, to have one in vain is a mistake. */
static void tell_refusal(const char *why)
{
	fprintf(stderr,
		"aclkm: %s; ordinary memory serves instead (ACLKM_BACKEND=user chooses "
		"it without this message)\n",
		why);
	error_set(ACLKM_ERR_NODEV, "%s; ordinary memory serves instead", why);
	error_publish();
}

static int open_chosen(const struct backend **out)
{
	const struct backend *first = &backend_kmod;
	bool there;
	int err;

	reason = ACLKM_DEVICE_PATH " is open";
	if (config_get()->backend == BACKEND_USER) {
		first = &backend_user;
		reason = "ACLKM_BACKEND=user";
	}
	err = first->open();
	if (err && config_get()->backend == BACKEND_AUTO) {
		reason = backend_kmod_refusal(&there);
		if (there)
			tell_refusal(reason);
		first = &backend_user;
		err = first->open();
	}
	*out = first;
	return err;
}

const char *backend_reason(void)
{
	return reason;
}

int backend_get(const struct backend **out)
{
	int err;

	*out = atomic_load(&current);
	if (*out)
		return ACLKM_OK;
	err = config_check();
	if (err)
		return err;

	pthread_mutex_lock(&open_lock);
	*out = atomic_load(&current);
	if (!*out) {
		err = open_chosen(out);
		if (!err) {
			process_in_use();
			atomic_store(&current, *out);
		}
	}
	pthread_mutex_unlock(&open_lock);
	return err;
}
