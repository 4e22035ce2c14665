// SPDX-License-Identifier: MIT
#include "debug/check_object.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/base.h"
#include "debug/report.h"
#include "debug/stacks.h"

struct claimed {
	struct claimed *next;
	uint64_t handle, size, claims;
	uint32_t taken;
};

struct offer {
	struct offer *next;
	uint64_t number, base, size;
	uint32_t made;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct claimed *all;
static struct offer *offers;

static struct claimed **object_find_locked(uint64_t handle)
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
	at = object_find_locked(handle);
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
	at = object_find_locked(handle);
	found = *at;
	if (found && !--found->claims) {
		*at = found->next;
		free(found);
	}
	pthread_mutex_unlock(&lock);
}

void check_offer_begin(uint64_t number, uint64_t base, uint64_t size)
{
	struct offer *offer;

	if (!check_is(CHECK_FREE))
		return;
	offer = malloc(sizeof(*offer));
	if (!offer)
		return;
	pthread_mutex_lock(&lock);
	*offer = (struct offer){offers, number, base, size, stack_id_here()};
	offers = offer;
	pthread_mutex_unlock(&lock);
}

void check_offer_end(uint64_t number)
{
	struct offer **at = &offers, *found;

	if (!check_is(CHECK_FREE))
		return;
	pthread_mutex_lock(&lock);
	while ((found = *at) && found->number != number)
		at = &found->next;
	if (found) {
		*at = found->next;
		free(found);
	}
	pthread_mutex_unlock(&lock);
}

void check_offered(uint64_t base, uint64_t size, void (*describe)(const void *arg),
		   const void *arg)
{
	struct report report = {.check = "offered"};
	const struct offer *offer;
	struct trace here;
	uint32_t made = 0;

	pthread_mutex_lock(&lock);
	for (offer = offers; offer && !made; offer = offer->next) {
		if (offer->base < base + size && base < offer->base + offer->size)
			made = offer->made ?: UINT32_MAX;
	}
	pthread_mutex_unlock(&lock);
	if (!made)
		return;
	made = made == UINT32_MAX ? 0 : made;
	trace_take(&here);
	report.here = &here;
	report.about = trace_place(stack_get(made));
	if (!report_begin(&report, "memory is freed while it is offered: processes may "
				   "import it by its key"))
		return;
	report_trace("offered", stack_get(made));
	describe(arg);
	report_end("close the key with aclrtIpcMemClose before the memory is freed");
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
