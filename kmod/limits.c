// SPDX-License-Identifier: GPL-2.0
/*
 * What users may hold. A user pays for a region from ALLOC until its memory is
 * back in the arena, however long a mapping, a dma-buf or a pin keeps it.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "aclkm.h"

struct aclkm_limits aclkm_limits;

static DEFINE_SPINLOCK(users_lock);
static LIST_HEAD(users);

/* Only asked where there is a limit: asking is audited. */
static bool exempt(void)
{
	return capable(CAP_SYS_RESOURCE);
}

/**
 * aclkm_user_open() - find or make the account of a user
 * @uid:	who
 *
 * Return: the account with a reference, or NULL without memory.
 */
struct aclkm_user *aclkm_user_open(kuid_t uid)
{
	struct aclkm_user *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT), *user;

	if (!fresh)
		return NULL;
	fresh->uid = uid;
	spin_lock(&users_lock);
	list_for_each_entry(user, &users, list) {
		if (uid_eq(user->uid, uid)) {
			user->refs++;
			spin_unlock(&users_lock);
			kfree(fresh);
			return user;
		}
	}
	fresh->refs = 1;
	list_add(&fresh->list, &users);
	spin_unlock(&users_lock);
	return fresh;
}

/**
 * aclkm_user_get() - take one more reference
 * @user:	the account
 */
void aclkm_user_get(struct aclkm_user *user)
{
	spin_lock(&users_lock);
	user->refs++;
	spin_unlock(&users_lock);
}

/**
 * aclkm_user_put() - drop a reference; the last one forgets the user
 * @user:	the account
 */
void aclkm_user_put(struct aclkm_user *user)
{
	bool last;

	spin_lock(&users_lock);
	last = !--user->refs;
	if (last)
		list_del(&user->list);
	spin_unlock(&users_lock);
	if (last)
		kfree(user);
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
	bool free = (max_bytes || max_regions) && exempt();
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
	spin_unlock(&users_lock);
}

/**
 * aclkm_root_reserve() - what the caller must leave free on each node
 */
u64 aclkm_root_reserve(void)
{
	u64 bytes = READ_ONCE(aclkm_limits.root_reserve);

	return bytes && !exempt() ? bytes : 0;
}
