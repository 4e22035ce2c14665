// SPDX-License-Identifier: GPL-2.0
/*
 * Hibernation. The kernel saves the memory that it knows, arenas with it, but not that
 * of a carve-out: after the machine was off, a carve-out holds anything. So the machine
 * does not hibernate while a carve-out has regions, and afterwards none of its memory
 * counts as clean. Suspend to RAM keeps all memory.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/notifier.h>
#include <linux/sizes.h>
#include <linux/suspend.h>

#include "aclkm.h"

static void power_wake_arenas(void)
{
	struct aclkm_arena *arena;

	down_read(&aclkm_arenas_lock);
	list_for_each_entry(arena, &aclkm_arenas, list)
		aclkm_arena_wake(arena);
	up_read(&aclkm_arenas_lock);
}

static int power_prepare(void)
{
	struct aclkm_arena *arena;
	int err = 0;

	down_read(&aclkm_arenas_lock);
	list_for_each_entry(arena, &aclkm_arenas, list) {
		if (!arena->carveout || aclkm_carveout_is_saved(arena->carveout))
			continue;
		err = aclkm_arena_sleep(arena);
		if (err) {
			pr_err("no hibernation: regions use arena %u, %llu MiB carved out at boot, which the kernel does not save; free them first\n",
			       arena->id, arena->size / SZ_1M);
			break;
		}
	}
	up_read(&aclkm_arenas_lock);
	return err;
}

static int power_notify(struct notifier_block *block, unsigned long event, void *unused)
{
	int err = 0;

	if (event == PM_HIBERNATION_PREPARE)
		err = power_prepare();
	/* Also sent where the machine did not hibernate, but not to who refused. */
	if (event == PM_POST_HIBERNATION || err)
		power_wake_arenas();
	return notifier_from_errno(err);
}

static struct notifier_block power_notifier = { .notifier_call = power_notify };

/**
 * aclkm_power_init() - follow hibernation
 *
 * Return: 0 or an error.
 */
int aclkm_power_init(void)
{
	return register_pm_notifier(&power_notifier);
}

/**
 * aclkm_power_exit() - follow it no longer
 */
void aclkm_power_exit(void)
{
	unregister_pm_notifier(&power_notifier);
}
