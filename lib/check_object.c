// SPDX-License-Identifier: MIT
#include "check_object.h"

#include <pthread.h>
#include <stdlib.h>

#include "check.h"
#include "report.h"
#include "stacks.h"

struct claimed {
	struct claimed *next;
	uint64_t handle, size, claims;
	uint32_t taken;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct claimed *all;

static struct claimed **find_locked(uint64_t handle)
{
	struct claimed **at = &all;

	while (*at && (*at)->handle != handle)
		at = &(*at)->next;
	return at;
}

void check_object_take(uint64_t handle, uint64_t size)
{
	struct claimed **at, *made;

	if (!check_is(CHECK_LEAK))
		return;
	pthread_mutex_lock(&lock);
	at = find_locked(handle);
	if (*at) {
		(*at)->claims++;
	} else if ((made = malloc(sizeof(*made)))) {
		*made = (struct claimed){NULL, handle, size, 1, stack_id_here()};
		*at = made;
	}
	pthread_mutex_unlock(&lock);
}

void check_object_give(uint64_t handle)
{
	struct claimed **at, *found;

	if (!check_is(CHECK_LEAK))
		return;
	pthread_mutex_lock(&lock);
	at = find_locked(handle);
	found = *at;
	if (found && !--found->claims) {
		*at = found->next;
		free(found);
	}
	pthread_mutex_unlock(&lock);
}

void check_objects_report(void)
{
	const struct claimed *at;

	pthread_mutex_lock(&lock);
	for (at = all; at; at = at->next) {
		const struct report report = {.check = "leak",
					      .about = trace_place(stack_get(at->taken))};

		if (!report_begin(&report,
				  "physical memory was never freed: handle %p, %llu "
				  "bytes",
				  (void *)(uintptr_t)at->handle,
				  (unsigned long long)at->size))
			continue;
		report_trace("taken", stack_get(at->taken));
		report_end("unmap it and free each handle with aclrtFreePhysical before "
			   "the program ends");
	}
	pthread_mutex_unlock(&lock);
}
