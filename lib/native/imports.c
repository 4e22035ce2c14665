// SPDX-License-Identifier: MIT
#include "native/imports.h"

void imports_add(struct imports *imports, struct import *import)
{
	pthread_mutex_lock(&imports->lock);
	import->next = imports->first;
	imports->first = import;
	pthread_mutex_unlock(&imports->lock);
}

struct import *imports_take(struct imports *imports, const void *addr)
{
	struct import **at, *found;

	pthread_mutex_lock(&imports->lock);
	for (at = &imports->first; *at && (*at)->region.addr != addr; at = &(*at)->next)
		;
	found = *at;
	if (found)
		*at = found->next;
	pthread_mutex_unlock(&imports->lock);
	return found;
}
