// SPDX-License-Identifier: MIT
#include "base/thread_key.h"

#include <pthread.h>

/* False: the process has no key left. A later call tries again. */
static bool thread_key_need(struct thread_key *key, void (*end)(void *value),
			    pthread_key_t *out)
{
	uint32_t made = atomic_load_explicit(&key->made, memory_order_acquire);
	pthread_key_t mine;

	if (!made) {
		if (pthread_key_create(&mine, end))
			return false;
		if (atomic_compare_exchange_strong(&key->made, &made, mine + 1))
			made = mine + 1;
		else
			pthread_key_delete(mine);
	}
	*out = made - 1;
	return true;
}

bool thread_key_set(struct thread_key *key, void (*end)(void *value), const void *value)
{
	pthread_key_t id;

	return thread_key_need(key, end, &id) && !pthread_setspecific(id, value);
}
