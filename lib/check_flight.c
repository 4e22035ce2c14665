// SPDX-License-Identifier: MIT
/*
 * What asynchronous copies need until they are done. Whole pages of host memory inside
 * a destination are made inaccessible, those of a source read-only, until the copy
 * runs; the program's access faults, is reported, and goes on.
 */
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "place.h"
#include "report.h"
#include "va.h"
#include "worker.h"

/* Copies wait so long, so that there is time to do wrong. */
#define HOLD_NS 3000000L

struct side {
	uint64_t base;
	uint64_t size;
	uint64_t page_base; /* protected; size 0: nothing is */
	uint64_t page_size;
	bool is_source;
};

struct flight {
	struct flight *prev, *next;
	struct side sides[2];
	const void *stream;
	struct trace submitted;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct flight *flights;
static struct sigaction old_action;
static pthread_once_t handler_once = PTHREAD_ONCE_INIT;

static bool overlaps(const struct side *side, uint64_t base, uint64_t size)
{
	return base < side->base + side->size && side->base < base + size;
}

static void unprotect(struct side *side)
{
	if (!side->page_size)
		return;
	mprotect((void *)(uintptr_t)side->page_base, side->page_size,
		 PROT_READ | PROT_WRITE);
	side->page_size = 0;
}

static void report_access(const struct flight *flight, const struct side *side,
			  uint64_t addr)
{
	struct trace here;

	trace_take(&here);
	here.function = "";
	report_begin("in-flight", &here, false,
		     "%p was %s while an asynchronous copy in stream %p still %s it",
		     (void *)(uintptr_t)addr, side->is_source ? "written" : "accessed",
		     flight->stream, side->is_source ? "reads" : "writes");
	report_trace("copy submitted", &flight->submitted);
	report_end("synchronise the stream, or wait for an event behind the copy, before "
		   "the host uses the buffer");
}

/* True: the fault was ours, and the access can be tried again. */
static bool handle(uint64_t addr)
{
	struct flight *flight;
	bool ours = false;
	int i;

	pthread_mutex_lock(&lock);
	for (flight = flights; flight; flight = flight->next) {
		for (i = 0; i < 2; i++) {
			struct side *side = &flight->sides[i];

			if (addr - side->page_base >= side->page_size)
				continue;
			ours = true;
			unprotect(side);
			if (!worker_in_task)
				report_access(flight, side, addr);
		}
	}
	pthread_mutex_unlock(&lock);
	return ours;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	if (handle((uint64_t)(uintptr_t)info->si_addr))
		return;
	/* Another copy may have landed meanwhile, else it is the program's own fault. */
	if (old_action.sa_flags & SA_SIGINFO && old_action.sa_sigaction) {
		old_action.sa_sigaction(number, info, context);
		return;
	}
	if (old_action.sa_handler != SIG_DFL && old_action.sa_handler != SIG_IGN) {
		old_action.sa_handler(number);
		return;
	}
	sigaction(SIGSEGV, &old_action, NULL);
}

static void install(void)
{
	struct sigaction action = {.sa_sigaction = on_fault,
				   .sa_flags = SA_SIGINFO | SA_NODEFER};

	sigaction(SIGSEGV, &action, &old_action);
}

/* Whole pages inside the side, if it is host memory of this library. */
static void protect(struct side *side)
{
	uint64_t mask = va_page_size() - 1;
	uint64_t from = (side->base + mask) & ~mask;
	uint64_t to = (side->base + side->size) & ~mask;
	struct place_info place;

	if (from >= to || !place_describe((void *)(uintptr_t)side->base, &place) ||
	    place.place != PLACE_HOST || place.registered || place.page_size > mask + 1)
		return;
	if (mprotect((void *)(uintptr_t)from, to - from,
		     side->is_source ? PROT_READ : PROT_NONE))
		return;
	side->page_base = from;
	side->page_size = to - from;
}

struct flight *check_flight(const void *dst, const void *src, uint64_t count,
			    const void *stream)
{
	struct flight *flight;

	if (!check_is(CHECK_FLIGHT))
		return NULL;
	flight = calloc(1, sizeof(*flight));
	if (!flight)
		return NULL;
	pthread_once(&handler_once, install);
	flight->sides[0] = (struct side){.base = (uint64_t)(uintptr_t)dst, .size = count};
	flight->sides[1] = (struct side){
		.base = (uint64_t)(uintptr_t)src, .size = count, .is_source = true};
	flight->stream = stream;
	trace_take(&flight->submitted);
	check_odd_begin();
	pthread_mutex_lock(&lock);
	flight->next = flights;
	if (flights)
		flights->prev = flight;
	flights = flight;
	protect(&flight->sides[0]);
	protect(&flight->sides[1]);
	pthread_mutex_unlock(&lock);
	return flight;
}

void check_landing(struct flight *flight)
{
	const struct timespec hold = {.tv_nsec = HOLD_NS};

	if (!flight)
		return;
	nanosleep(&hold, NULL);
	pthread_mutex_lock(&lock);
	unprotect(&flight->sides[0]);
	unprotect(&flight->sides[1]);
	pthread_mutex_unlock(&lock);
}

void check_landed(struct flight *flight)
{
	if (!flight)
		return;
	pthread_mutex_lock(&lock);
	unprotect(&flight->sides[0]);
	unprotect(&flight->sides[1]);
	if (flight->prev)
		flight->prev->next = flight->next;
	else
		flights = flight->next;
	if (flight->next)
		flight->next->prev = flight->prev;
	pthread_mutex_unlock(&lock);
	check_odd_end();
	free(flight);
}

bool check_in_flight(uint64_t base, uint64_t size, const char *doing)
{
	struct flight *flight;
	struct trace here;
	bool found = false;
	int i;

	pthread_mutex_lock(&lock);
	for (flight = flights; flight && !found; flight = flight->next) {
		for (i = 0; i < 2 && !found; i++) {
			if (!overlaps(&flight->sides[i], base, size))
				continue;
			found = true;
			unprotect(&flight->sides[i]);
			trace_take(&here);
			report_begin("in-flight", &here, false,
				     "memory is %s while an asynchronous copy in stream "
				     "%p still %s it",
				     doing, flight->stream,
				     flight->sides[i].is_source ? "reads" : "writes");
			report_trace("copy submitted", &flight->submitted);
		}
	}
	pthread_mutex_unlock(&lock);
	return found;
}
