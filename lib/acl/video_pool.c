// SPDX-License-Identifier: MIT
/*
 * Pools of video blocks, on a pool of segments of one length. The number of a block
 * says its pool, which of its blocks it is and how often that was given, so that a
 * block that was released is told from the same one given anew.
 */
#include "acl/dvpp/hi_dvpp.h"

#include <pthread.h>
#include <stdlib.h>

#include "aclkm/pool.h"
#include "aclkm/rules.h"
#include "base/base.h"
#include "acl/context.h"
#include "acl/result.h"

#define BLOCK_SHIFT 8
#define TURN_SHIFT 20
#define POOL_MASK ((1U << BLOCK_SHIFT) - 1)
#define BLOCK_MASK ((1U << (TURN_SHIFT - BLOCK_SHIFT)) - 1)
#define TURNS ((1U << (32 - TURN_SHIFT)) - 1) /* without the last: -1 is no block */
#define POOL_TURNS ((1U << (32 - BLOCK_SHIFT)) - 1)

_Static_assert(HI_VB_MAX_POOLS == POOL_MASK + 1 && HI_VB_MAX_BLOCKS == BLOCK_MASK + 1,
	       "numbers of 32 bits");

struct block {
	void *addr;
	uint32_t users; /* 0: free */
	uint32_t turn;
};

struct video_pool {
	struct aclkm_pool *pool;
	uint64_t size; /* of a block */
	uint32_t count, used, next;
	hi_vb_pool number;
	struct block blocks[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct video_pool *pools[HI_VB_MAX_POOLS];
static uint32_t turns[HI_VB_MAX_POOLS];

#define NO_POOL ((hi_vb_pool)HI_VB_INVALID_POOLID)
#define NO_BLOCK ((hi_vb_blk)HI_VB_INVALID_HANDLE)

static int enter(const char *call)
{
	return api_enter(call) ? acl_refuse(HI_ERR_VB_NOT_READY, "%s", aclkm_last_error())
			       : HI_SUCCESS;
}

static struct video_pool *find_pool_locked(hi_vb_pool number)
{
	struct video_pool *pool = pools[number & POOL_MASK];

	if (pool && pool->number == number)
		return pool;
	acl_refuse(HI_ERR_VB_UNEXIST, "pool = %#x: never created, or destroyed already",
		   number);
	return NULL;
}

static struct block *find_block_locked(hi_vb_blk number, struct video_pool **pool)
{
	uint32_t at = number >> BLOCK_SHIFT & BLOCK_MASK;
	struct block *block;

	*pool = pools[number & POOL_MASK];
	if (*pool && at < (*pool)->count) {
		block = &(*pool)->blocks[at];
		if (block->users && block->turn == number >> TURN_SHIFT)
			return block;
	}
	acl_refuse(HI_ERR_VB_UNEXIST, "vb_blk = %#x: never given, or released already",
		   number);
	return NULL;
}

static aclError video_pool_check_config(const hi_vb_pool_config *config, uint64_t *size)
{
	uint64_t stride;
	aclError code = acl_need(config, "vb_pool_cfg");

	if (code)
		return code;
	if (!config->blk_cnt || config->blk_cnt > HI_VB_MAX_BLOCKS)
		return acl_refuse(HI_ERR_VB_ILLEGAL_PARAM,
				  "blk_cnt = %u: must be from 1 to %d", config->blk_cnt,
				  HI_VB_MAX_BLOCKS);
	if ((uint32_t)config->remap_mode > VB_REMAP_MODE_CACHED)
		return acl_refuse(HI_ERR_VB_ILLEGAL_PARAM,
				  "remap_mode = %d: must be from 0 to 2",
				  (int)config->remap_mode);
	if (aclkm_segment_stride(config->blk_size, config_get()->padding,
				 ACLKM_RULE_ALIGN_MEDIA, &stride) ||
	    __builtin_mul_overflow(stride, (uint64_t)config->blk_cnt, size))
		return acl_refuse(HI_ERR_VB_ILLEGAL_PARAM,
				  "blk_size = %llu: must be 1 or more, and %u blocks of "
				  "it must fit in 64 bits",
				  (unsigned long long)config->blk_size, config->blk_cnt);
	return context_need();
}

static struct video_pool *make(const char *call, const hi_vb_pool_config *config,
			       uint64_t size)
{
	const struct aclkm_pool_options options = {.kind = ACLKM_POOL_MEDIA,
						   .pages = ACLKM_PAGES_HUGE_FIRST,
						   .size = size,
						   .block = config->blk_size};
	struct video_pool *pool =
		calloc(1, sizeof(*pool) + config->blk_cnt * sizeof(pool->blocks[0]));

	if (pool && !aclkm_pool_make(&options, &pool->pool)) {
		pool->size = config->blk_size;
		pool->count = config->blk_cnt;
		return pool;
	}
	api_enter(call);
	acl_refuse(HI_ERR_VB_NO_MEM, "%u blocks of %llu bytes: %s", config->blk_cnt,
		   (unsigned long long)config->blk_size,
		   pool ? aclkm_last_error() : "no memory for the library's own records");
	free(pool);
	return NULL;
}

static hi_vb_pool video_pool_add(struct video_pool *pool)
{
	uint32_t at = 0;

	pthread_mutex_lock(&lock);
	while (at < HI_VB_MAX_POOLS && pools[at])
		at++;
	if (at < HI_VB_MAX_POOLS) {
		pool->number = turns[at] << BLOCK_SHIFT | at;
		turns[at] = (turns[at] + 1) % POOL_TURNS;
		pools[at] = pool;
	}
	pthread_mutex_unlock(&lock);
	return at < HI_VB_MAX_POOLS ? pool->number : NO_POOL;
}

hi_vb_pool hi_mpi_vb_create_pool(const hi_vb_pool_config *vb_pool_cfg)
{
	struct video_pool *pool;
	uint64_t size = 0;
	hi_vb_pool number;

	if (enter(__func__) || video_pool_check_config(vb_pool_cfg, &size))
		return NO_POOL;
	pool = make(__func__, vb_pool_cfg, size);
	if (!pool)
		return NO_POOL;
	number = video_pool_add(pool);
	if (number != NO_POOL)
		return number;
	aclkm_pool_destroy(pool->pool, 0);
	free(pool);
	api_enter(__func__);
	acl_refuse(HI_ERR_VB_NO_BUF, "%d pools live: there are no more", HI_VB_MAX_POOLS);
	return NO_POOL;
}

hi_s32 hi_mpi_vb_destroy_pool(hi_vb_pool pool)
{
	struct video_pool *found;
	hi_s32 code = enter(__func__);

	if (code)
		return code;
	pthread_mutex_lock(&lock);
	found = find_pool_locked(pool);
	if (!found)
		code = HI_ERR_VB_UNEXIST;
	else if (found->used)
		code = acl_refuse(HI_ERR_VB_BUSY, "pool = %#x: %u blocks have users",
				  pool, found->used);
	else
		pools[pool & POOL_MASK] = NULL;
	pthread_mutex_unlock(&lock);
	if (!code) {
		aclkm_pool_destroy(found->pool, ACLKM_POOL_FORCE);
		free(found);
	}
	return code;
}

/* The free block behind the one that was given last. */
static struct block *video_pool_take_locked(struct video_pool *pool, uint32_t *at)
{
	struct block *block;

	while (pool->blocks[pool->next].users)
		pool->next = (pool->next + 1) % pool->count;
	*at = pool->next;
	block = &pool->blocks[*at];
	if (aclkm_segment_alloc(pool->pool, pool->size, &block->addr))
		return NULL;
	pool->next = (pool->next + 1) % pool->count;
	pool->used++;
	block->users = 1;
	block->turn = (block->turn + 1) % TURNS;
	return block;
}

static hi_vb_blk get_locked(const char *call, struct video_pool *pool, hi_u64 size)
{
	struct block *block;
	uint32_t at = 0;

	if (!size || size > pool->size) {
		acl_refuse(HI_ERR_VB_ILLEGAL_PARAM,
			   "blk_size = %llu: must be from 1 to the pool's %llu",
			   (unsigned long long)size, (unsigned long long)pool->size);
		return NO_BLOCK;
	}
	if (pool->used == pool->count) {
		acl_refuse(HI_ERR_VB_NO_BUF, "pool = %#x: all %u blocks have users",
			   pool->number, pool->count);
		return NO_BLOCK;
	}
	block = video_pool_take_locked(pool, &at);
	if (!block) {
		api_enter(call);
		acl_refuse(HI_ERR_VB_NO_BUF, "pool = %#x: %s", pool->number,
			   aclkm_last_error());
		return NO_BLOCK;
	}
	return block->turn << TURN_SHIFT | at << BLOCK_SHIFT | (pool->number & POOL_MASK);
}

hi_vb_blk hi_mpi_vb_get_block(hi_vb_pool pool, hi_u64 blk_size, const hi_char *mmz_name)
{
	struct video_pool *found;
	hi_vb_blk number = NO_BLOCK;

	(void)mmz_name;
	if (enter(__func__))
		return NO_BLOCK;
	pthread_mutex_lock(&lock);
	found = find_pool_locked(pool);
	if (found)
		number = get_locked(__func__, found, blk_size);
	pthread_mutex_unlock(&lock);
	return number;
}

/* The last user gives the block back. */
static hi_s32 add_users(const char *call, hi_vb_blk number, int32_t users)
{
	struct video_pool *pool;
	struct block *block;
	hi_s32 code = enter(call);

	if (code)
		return code;
	pthread_mutex_lock(&lock);
	block = find_block_locked(number, &pool);
	if (!block) {
		code = HI_ERR_VB_UNEXIST;
	} else {
		block->users += (uint32_t)users;
		if (!block->users) {
			pool->used--;
			aclkm_segment_free(pool->pool, block->addr);
		}
	}
	pthread_mutex_unlock(&lock);
	return code;
}

hi_s32 hi_mpi_vb_release_block(hi_vb_blk vb_blk)
{
	return add_users(__func__, vb_blk, -1);
}

hi_s32 hi_mpi_vb_block_copyref(hi_vb_blk vb_blk)
{
	return add_users(__func__, vb_blk, 1);
}

hi_void *hi_mpi_vb_handle_to_addr(hi_vb_blk vb_blk)
{
	struct video_pool *pool;
	struct block *block;
	void *addr;

	if (enter(__func__))
		return NULL;
	pthread_mutex_lock(&lock);
	block = find_block_locked(vb_blk, &pool);
	addr = block ? block->addr : NULL;
	pthread_mutex_unlock(&lock);
	return addr;
}
