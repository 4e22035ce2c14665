/* SPDX-License-Identifier: MIT */
/* Mappings of other processes' memory, found by where they begin. Thread-safe. */
#ifndef LIB_IMPORTS_H
#define LIB_IMPORTS_H

#include <pthread.h>
#include <stdbool.h>

#include "backend/backend.h"
#include "map/map.h"

struct import {
	struct import *next;
	struct region region;
	struct registered known; /* as what copies know it */
	bool by_backend;	 /* mapped by region_import, so it ends by region_free */
};

struct imports {
	pthread_mutex_t lock;
	struct import *first;
};

#define IMPORTS_INIT                                                                     \
	{                                                                                \
		.lock = PTHREAD_MUTEX_INITIALIZER                                        \
	}

void imports_add(struct imports *imports, struct import *import);

/* Takes the one that begins at @addr off the list; NULL: there is none. */
struct import *imports_take(struct imports *imports, const void *addr);

#endif /* LIB_IMPORTS_H */
