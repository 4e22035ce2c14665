// SPDX-License-Identifier: MIT
/* Which backend serves this process. */
#include "backend/backend.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/config.h"
#include "base/error.h"

static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;
static const struct backend *_Atomic current;

static int open_chosen(const struct backend **out)
{
	const struct backend *first = &backend_kmod;
	int err;

	if (config_get()->backend == BACKEND_USER)
		first = &backend_user;
	err = first->open();
	if (err && config_get()->backend == BACKEND_AUTO) {
		first = &backend_user;
		err = first->open();
	}
	*out = first;
	return err;
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
