// SPDX-License-Identifier: GPL-2.0
/*
 * What users and cgroups may hold. A user pays for a region from ALLOC until its memory
 * is back in the arena, however long a mapping, a dma-buf or a pin keeps it, and for
 * pinned memory from PIN until it is unpinned.
 *
 * The account is that of the user who opened the file. Neither fork, exec nor a
 * passed descriptor changes it. For the cgroup, which must contain the process that
 * allocates, it is that of the caller of ALLOC: regions are memory "aclkm" of the
 * kernel's dmem controller, whose limits administrators write to dmem.max.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/user_namespace.h>

#include "aclkm.h"
#include "compat.h"

struct aclkm_limits aclkm_limits;

static DEFINE_SPINLOCK(users_lock);
static LIST_HEAD(users);

/**
 * aclkm_limits_exempt() - whether the caller's rights lift a limit
 * @capability:	CAP_*
 *
 * A refusal by a limit is no security event: the audit log does not hear of it.
 */
bool aclkm_limits_exempt(int capability)
{
	return ns_capable_noaudit(&init_user_ns, capability);
}

/*
 * The real user of the calling process pays for what it allocates. A user namespace
 * has users of its own, as many as its creator has subordinate ids; where a user
 * other than root created it, or one that it lies in, that user pays.
 */
static kuid_t limits_payer(void)
{
	const struct user_namespace *ns;
	kuid_t uid = current_uid();

	for (ns = current_user_ns(); ns->parent; ns = ns->parent)
		if (!uid_eq(ns->owner, GLOBAL_ROOT_UID))
			uid = ns->owner;
	return uid;
}

/**
 * aclkm_user_open() - find or make the account that pays for the calling process
 *
 * The account stays until its files are closed and what it pays for is uncharged.
 *
 * Return: the account, for aclkm_user_close(), or NULL without memory.
 */
struct aclkm_user *aclkm_user_open(void)
{
	struct aclkm_user *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT), *user;
	kuid_t uid = limits_payer();

	if (!fresh)
		return NULL;
	fresh->uid = uid;
	spin_lock(&users_lock);
	list_for_each_entry(user, &users, list) {
		if (uid_eq(user->uid, uid)) {
			user->files++;
			spin_unlock(&users_lock);
			kfree(fresh);
			return user;
		}
	}
	fresh->files = 1;
	list_add(&fresh->list, &users);
	spin_unlock(&users_lock);
	return fresh;
}

/* Unlocks the accounts, after one of a user's counts became less. */
static void limits_unlock_and_forget(struct aclkm_user *user)
	__releases(&users_lock)
{
	bool idle = !user->files && !user->regions && !user->pinned;

	if (idle)
		list_del(&user->list);
	spin_unlock(&users_lock);
	if (idle)
		kfree(user);
}

/**
 * aclkm_user_close() - a file of a user is closed
 * @user:	the account
 */
void aclkm_user_close(struct aclkm_user *user)
{
	spin_lock(&users_lock);
	user->files--;
	limits_unlock_and_forget(user);
}

/**
 * aclkm_user_charge() - make a user pay for a region
 * @user:	who
 * @bytes:	its size
 * @alloc:	the reason and the limit are filled if it fails
 *
 * Return: 0 or -EDQUOT.
 */
int aclkm_user_charge(struct aclkm_user *user, u64 bytes, struct aclkm_alloc *alloc)
{
	u64 max_bytes = READ_ONCE(aclkm_limits.user_bytes);
	u64 max_regions = READ_ONCE(aclkm_limits.user_regions);
	bool free = (max_bytes || max_regions) && aclkm_limits_exempt(CAP_SYS_RESOURCE);
	int err = -EDQUOT;

	spin_lock(&users_lock);
	if (max_regions && user->regions >= max_regions && !free) {
		alloc->reason = ACLKM_REASON_USER_REGIONS;
		alloc->limit = max_regions;
	} else if (max_bytes && !free &&
		   (user->bytes > max_bytes || bytes > max_bytes - user->bytes)) {
		alloc->reason = ACLKM_REASON_USER_BYTES;
		alloc->limit = max_bytes;
	} else {
		user->bytes += bytes;
		user->regions++;
		err = 0;
	}
	spin_unlock(&users_lock);
	return err;
}

/**
 * aclkm_user_uncharge() - a region of this user is gone
 * @user:	who
 * @bytes:	its size
 */
void aclkm_user_uncharge(struct aclkm_user *user, u64 bytes)
{
	spin_lock(&users_lock);
	user->bytes -= bytes;
	user->regions--;
	limits_unlock_and_forget(user);
}

/**
 * aclkm_user_charge_pin() - make a user pay for memory that is about to be pinned
 * @user:	who opened the file
 * @bytes:	page-aligned
 *
 * The caller's RLIMIT_MEMLOCK bounds all that @user has pinned, in whatever process.
 *
 * Return: 0 or -ENOMEM.
 */
int aclkm_user_charge_pin(struct aclkm_user *user, u64 bytes)
{
	u64 limit = rlimit(RLIMIT_MEMLOCK);
	bool free = limit == RLIM_INFINITY || aclkm_limits_exempt(CAP_IPC_LOCK);
	int err = -ENOMEM;

	spin_lock(&users_lock);
	if (free || (user->pinned <= limit && bytes <= limit - user->pinned)) {
		user->pinned += bytes;
		err = 0;
	}
	spin_unlock(&users_lock);
	return err;
}

/**
 * aclkm_user_uncharge_pin() - memory that @user paid for is unpinned
 * @user:	who
 * @bytes:	as charged
 */
void aclkm_user_uncharge_pin(struct aclkm_user *user, u64 bytes)
{
	spin_lock(&users_lock);
	user->pinned -= bytes;
	limits_unlock_and_forget(user);
}

/**
 * aclkm_root_reserve() - what the caller must leave free on each node
 */
u64 aclkm_root_reserve(void)
{
	u64 bytes = READ_ONCE(aclkm_limits.root_reserve);

	return bytes && !aclkm_limits_exempt(CAP_SYS_RESOURCE) ? bytes : 0;
}

#ifdef ACLKM_DMEM_REGISTER
/* NULL where the kernel is built without the controller. */
static struct dmem_cgroup_region *cgroup_region;

/**
 * aclkm_cgroup_init() - let cgroups have limits
 *
 * The capacity that dmem.capacity shows is all memory of the machine: arenas come and go.
 *
 * Return: 0 or an error.
 */
int aclkm_cgroup_init(void)
{
	cgroup_region = ACLKM_DMEM_REGISTER(PFN_PHYS(totalram_pages()));
	return PTR_ERR_OR_ZERO(cgroup_region);
}

/**
 * aclkm_cgroup_exit() - nothing is charged any more
 */
void aclkm_cgroup_exit(void)
{
	dmem_cgroup_unregister_region(cgroup_region);
}

/**
 * aclkm_cgroup_possible() - whether cgroups are charged for regions
 */
bool aclkm_cgroup_possible(void)
{
	return cgroup_region;
}

/**
 * aclkm_cgroup_charge() - charge the caller's cgroup for a region
 * @bytes:	its size
 * @cgroup:	filled, for aclkm_cgroup_uncharge()
 *
 * Return: 0, -EDQUOT (a limit of the cgroup, or of one above it), or -ENOMEM.
 */
int aclkm_cgroup_charge(u64 bytes, struct dmem_cgroup_pool_state **cgroup)
{
	int err;

	*cgroup = NULL;
	if (!cgroup_region)
		return 0;
	err = dmem_cgroup_try_charge(cgroup_region, bytes, cgroup, NULL);
	return err == -EAGAIN ? -EDQUOT : err;
}

/**
 * aclkm_cgroup_uncharge() - a region is gone
 * @cgroup:	what was charged, or NULL
 * @bytes:	its size
 */
void aclkm_cgroup_uncharge(struct dmem_cgroup_pool_state *cgroup, u64 bytes)
{
	if (cgroup)
		dmem_cgroup_uncharge(cgroup, bytes);
}
#else
int aclkm_cgroup_init(void)
{
	return 0;
}

void aclkm_cgroup_exit(void)
{
}

bool aclkm_cgroup_possible(void)
{
	return false;
}

int aclkm_cgroup_charge(u64 bytes, struct dmem_cgroup_pool_state **cgroup)
{
	*cgroup = NULL;
	return 0;
}

void aclkm_cgroup_uncharge(struct dmem_cgroup_pool_state *cgroup, u64 bytes)
{
}
#endif
