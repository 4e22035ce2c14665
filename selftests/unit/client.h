/* SPDX-License-Identifier: MIT */
/* What the tests of the AscendCL layer share. */
#ifndef CLIENT_H
#define CLIENT_H

#include <pthread.h>
#include <unistd.h>
#include <stdint.h>

#include "acl/acl.h"
#include "acl/dvpp/hi_dvpp.h"
#include "acl/ops/acl_dvpp.h"
#include "aclkm/aclkm.h"
#include "tap.h"

#define KIB 1024UL
#define MIB (1024UL * KIB)

/* A device that is small enough for a guest, unless the caller said its own. */
__attribute__((unused)) static void small_device(void)
{
	setenv("ACLKM_MEM", "48M", 0);
}

/*
 * For tests that look at bytes which a program may not touch, or at what threads keep:
 * AddressSanitizer is told of no blocks then, and the library's own work is checked.
 */
__attribute__((unused)) static void without_guard(void)
{
	setenv("ACLKM_GUARD", "0", 0);
}

__attribute__((unused)) static void need_device(void)
{
	if (aclrtSetDevice(0)) {
		printf("# %s\n", aclkm_last_error());
		bail_out("aclrtSetDevice(0) fails");
	}
}

__attribute__((unused)) static bool on_kmod(void)
{
	struct aclkm_memory_totals totals;

	return !aclkm_memory_totals(&totals) && !strcmp(totals.backend, "kmod");
}

__attribute__((unused)) static size_t free_bytes(void)
{
	size_t free = 0, total = 0;

	aclrtGetMemInfo(ACL_HBM_MEM, &free, &total);
	return free;
}

/* The recent error text holds @word; reading clears it. */
__attribute__((unused)) static bool recent_has(const char *word)
{
	const char *text = aclGetRecentErrMsg();
	bool has = text && strstr(text, word);

	if (!has)
		printf("# no \"%s\" in: %s\n", word, text ? text : "(none)");
	return has;
}

__attribute__((unused)) static void in_thread(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fn, arg))
		bail_out("no thread");
	pthread_join(thread, NULL);
}

#endif /* CLIENT_H */
