// SPDX-License-Identifier: MIT
/*
 * Each block of device memory has pages of its own, without any right. An access of the
 * program faults; it is reported, and the block is open from then on. An access of the
 * library that is not announced opens the block, too, and nothing is said of it.
 */
#include "debug/check_host.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "base/base.h"

HIDDEN _Atomic bool check_host;

static struct sigaction host_before;
static bool (*_Atomic host_touched)(uint64_t at, bool by_library);
static pthread_once_t host_once = PTHREAD_ONCE_INIT;

static const void *host_pc(const void *context)
{
#if defined(__x86_64__)
	return (const void *)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return (const void *)((const ucontext_t *)context)->uc_mcontext.pc;
#else
	(void)context;
	return NULL;
#endif
}

/* A task that is no function of the program's, or code of a library that is a file. */
static bool host_is_library(const void *context)
{
	Dl_info own, at, program;

	if (outcall_in_task && !outcall_is_active())
		return true;
	return dladdr((void *)(uintptr_t)check_hide, &own) &&
	       dladdr(host_pc(context), &at) &&
	       dladdr((void *)getauxval(AT_ENTRY), &program) &&
	       own.dli_fbase == at.dli_fbase && own.dli_fbase != program.dli_fbase;
}

/* What the program would have got without the check. */
static void host_pass_on(int number, siginfo_t *info, void *context)
{
	if (host_before.sa_flags & SA_SIGINFO && host_before.sa_sigaction)
		host_before.sa_sigaction(number, info, context);
	else if (host_before.sa_handler != SIG_DFL && host_before.sa_handler != SIG_IGN)
		host_before.sa_handler(number);
	else
		sigaction(number, &host_before, NULL);
}

static void host_faults(int number, siginfo_t *info, void *context)
{
	bool (*touched)(uint64_t at, bool by_library) = atomic_load(&host_touched);

	if (info->si_code <= 0 || !touched ||
	    !touched((uint64_t)(uintptr_t)info->si_addr, host_is_library(context)))
		host_pass_on(number, info, context);
}

static void host_catch(void)
{
	struct sigaction action = {.sa_sigaction = host_faults};

	sigaction(SIGSEGV, NULL, &host_before);
	action.sa_mask = host_before.sa_mask;
	action.sa_flags = SA_SIGINFO | (host_before.sa_flags & SA_ONSTACK);
	sigaction(SIGSEGV, &action, NULL);
}

void check_host_start(bool (*touched)(uint64_t at, bool by_library))
{
	atomic_store(&host_touched, touched);
}

void check_hide(uint64_t base, uint64_t size)
{
	pthread_once(&host_once, host_catch);
	mprotect((void *)(uintptr_t)base, size, PROT_NONE);
}

void check_show(uint64_t base, uint64_t size)
{
	mprotect((void *)(uintptr_t)base, size, PROT_READ | PROT_WRITE);
}
