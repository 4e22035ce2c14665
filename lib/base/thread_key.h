/* SPDX-License-Identifier: MIT */
/*
 * A pthread key that is created on first use. A process has a limited number of keys, and
 * a program may have used all of them: then a thread gets no value, and its caller does
 * without.
 */
#ifndef LIB_THREAD_KEY_H
#define LIB_THREAD_KEY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct thread_key {
	_Atomic uint32_t made; /* the key plus 1; 0: not created yet */
};

/*
 * At the end of this thread @end is called with @value. False: no key or no memory is
 * left, and nothing has changed.
 */
bool thread_key_set(struct thread_key *key, void (*end)(void *value), const void *value);

#endif /* LIB_THREAD_KEY_H */
