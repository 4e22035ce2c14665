// SPDX-License-Identifier: MIT
/* Pools of video blocks: blocks of one length in media memory, with users. */
#include "client.h"

#define BLOCK 3110400UL /* 1920x1080 YUV420SP */
#define COUNT 4

static const hi_vb_pool no_pool = (hi_vb_pool)HI_VB_INVALID_POOLID;
static const hi_vb_blk no_block = (hi_vb_blk)HI_VB_INVALID_HANDLE;

static void *without_context(void *arg)
{
	hi_vb_pool_config config = {.blk_size = 100, .blk_cnt = 1};

	(void)arg;
	ok(hi_mpi_vb_create_pool(&config) == no_pool, "no pool without a context");
	ok(recent_has("no context"), "the text says so");
	return NULL;
}

static void test_arguments(void)
{
	hi_vb_pool_config config = {.blk_size = 0, .blk_cnt = 1};

	ok(hi_mpi_vb_create_pool(NULL) == no_pool, "create: NULL");
	ok(hi_mpi_vb_create_pool(&config) == no_pool, "create: blocks of 0 bytes");
	ok(recent_has("hi_mpi_vb_create_pool: blk_size = 0"), "the text says so");
	config = (hi_vb_pool_config){.blk_size = 100, .blk_cnt = 0};
	ok(hi_mpi_vb_create_pool(&config) == no_pool, "create: no blocks");
	config.blk_cnt = HI_VB_MAX_BLOCKS + 1;
	ok(hi_mpi_vb_create_pool(&config) == no_pool, "create: too many");
	config = (hi_vb_pool_config){.blk_size = UINT64_MAX - 40, .blk_cnt = 1};
	ok(hi_mpi_vb_create_pool(&config) == no_pool, "create: beyond 64 bits");
	config = (hi_vb_pool_config){.blk_size = 1ULL << 62, .blk_cnt = 5};
	ok(hi_mpi_vb_create_pool(&config) == no_pool, "create: all beyond 64 bits");
	config = (hi_vb_pool_config){
		.blk_size = 100, .blk_cnt = 1, .remap_mode = (hi_vb_remap_mode)3};
	ok(hi_mpi_vb_create_pool(&config) == no_pool, "create: no mode");
	config = (hi_vb_pool_config){.blk_size = 1ULL << 40, .blk_cnt = 2};
	ok(hi_mpi_vb_create_pool(&config) == no_pool, "create: more than there is");
	ok(recent_has("2 blocks of 1099511627776 bytes"), "the text says of what");
	is((unsigned int)hi_mpi_vb_destroy_pool(no_pool), 0xA0018005, "destroy: none");
	is((unsigned int)hi_mpi_vb_release_block(no_block), 0xA0018005, "release: none");
	is((unsigned int)hi_mpi_vb_block_copyref(no_block), 0xA0018005, "share: none");
	ok(!hi_mpi_vb_handle_to_addr(no_block), "the address of none");
	ok(hi_mpi_vb_get_block(no_pool, 100, NULL) == no_block, "a block of none");
	in_thread(without_context, NULL);
}

static void test_blocks(void)
{
	hi_vb_pool_config config = {.blk_size = BLOCK, .blk_cnt = COUNT};
	hi_vb_pool pool = hi_mpi_vb_create_pool(&config);
	hi_vb_blk blocks[COUNT], again;
	char *addr[COUNT];
	aclrtPtrAttributes where;
	size_t before;
	void *host;
	int i, j, bad = 0;

	ok(pool != no_pool, "a pool");
	before = free_bytes();
	for (i = 0; i < COUNT; i++) {
		blocks[i] = hi_mpi_vb_get_block(pool, i ? BLOCK : 1, i ? NULL : "x");
		addr[i] = hi_mpi_vb_handle_to_addr(blocks[i]);
		bad += blocks[i] == no_block || !addr[i] || (uintptr_t)addr[i] % 128;
		memset(addr[i], i + 1, BLOCK);
	}
	is(bad, 0, "its blocks start on multiples of 128");
	is(free_bytes(), before, "and are the pool's memory");
	for (i = 0; i < COUNT; i++) {
		for (j = 0; j < COUNT; j++)
			bad += i != j && addr[i] < addr[j] + 3110528 &&
			       addr[j] < addr[i] + 3110528;
		bad += addr[i][0] != i + 1 || addr[i][BLOCK - 1] != i + 1;
	}
	is(bad, 0, "each has its stride by the rule to itself");
	is(aclrtPointerGetAttributes(addr[1] + 5, &where), 0, "where it is");
	is(where.location.type, ACL_MEM_LOCATION_TYPE_DEVICE, "device memory");
	if (aclrtMallocHost(&host, BLOCK))
		bail_out("no host memory");
	is(aclrtMemcpyAsync(host, BLOCK, addr[2], BLOCK, ACL_MEMCPY_DEVICE_TO_HOST,
			    NULL) |
		   aclrtSynchronizeStream(NULL),
	   0, "copy a frame");
	ok(((char *)host)[0] == 3 && ((char *)host)[BLOCK - 1] == 3, "it is there");
	aclrtFreeHost(host);

	ok(hi_mpi_vb_get_block(pool, BLOCK, NULL) == no_block, "no fifth one");
	ok(recent_has("all 4 blocks have users"), "the text says so");
	is((unsigned int)hi_mpi_vb_destroy_pool(pool), 0xA0018012, "destroy: busy");
	is(hi_mpi_vb_block_copyref(blocks[1]), 0, "a second user");
	is(hi_mpi_vb_release_block(blocks[1]), 0, "the first releases it");
	ok(hi_mpi_vb_handle_to_addr(blocks[1]) == addr[1], "it is alive");
	ok(hi_mpi_vb_get_block(pool, BLOCK, NULL) == no_block, "and not free");
	is(hi_mpi_vb_release_block(blocks[1]), 0, "the second, too");
	ok(!hi_mpi_vb_handle_to_addr(blocks[1]), "it is free");
	is((unsigned int)hi_mpi_vb_release_block(blocks[1]), 0xA0018005,
	   "released once more");
	ok(hi_mpi_vb_get_block(pool, BLOCK + 1, NULL) == no_block, "more than a block");
	ok(hi_mpi_vb_get_block(pool, 0, NULL) == no_block, "nothing");
	again = hi_mpi_vb_get_block(pool, BLOCK, NULL);
	ok(again != no_block && again != blocks[1], "given anew it has another number");
	ok(hi_mpi_vb_handle_to_addr(again) == addr[1], "and the same memory");
	is((unsigned int)hi_mpi_vb_block_copyref(blocks[1]), 0xA0018005,
	   "the number before names nothing");
	blocks[1] = again;
	is((unsigned int)hi_mpi_dvpp_free(hi_mpi_vb_handle_to_addr(again)), 0xA0028003,
	   "a block is not freed as memory");
	for (i = 0; i < COUNT; i++)
		bad += hi_mpi_vb_release_block(blocks[i]) != 0;
	is(bad, 0, "release all");
	is(hi_mpi_vb_destroy_pool(pool), 0, "destroy");
	is((unsigned int)hi_mpi_vb_destroy_pool(pool), 0xA0018005, "again");
	ok(hi_mpi_vb_get_block(pool, 1, NULL) == no_block, "it has no blocks");
	ok(free_bytes() > before, "the memory is there again");
}

static void test_many(void)
{
	hi_vb_pool_config config = {.blk_size = 1, .blk_cnt = 1};
	static hi_vb_pool pools[HI_VB_MAX_POOLS];
	int i, bad = 0;

	for (i = 0; i < HI_VB_MAX_POOLS; i++)
		bad += (pools[i] = hi_mpi_vb_create_pool(&config)) == no_pool;
	is(bad, 0, "256 pools");
	ok(hi_mpi_vb_create_pool(&config) == no_pool, "not one more");
	ok(recent_has("hi_mpi_vb_create_pool: 256 pools live"), "the text says so");
	for (i = 0; i < HI_VB_MAX_POOLS; i++)
		bad += hi_mpi_vb_destroy_pool(pools[i]) != 0;
	is(bad, 0, "destroy them");
	config.blk_cnt = HI_VB_MAX_BLOCKS;
	pools[0] = hi_mpi_vb_create_pool(&config);
	for (i = 0; i < HI_VB_MAX_BLOCKS; i++)
		bad += hi_mpi_vb_get_block(pools[0], 1, NULL) == no_block;
	is(bad, 0, "4096 blocks");
	is((unsigned int)hi_mpi_vb_destroy_pool(pools[0]), 0xA0018012, "busy");
}

static hi_vb_pool shared;
static _Atomic int wrong;

/* Nobody else writes a block while one has it. */
static void *use(void *arg)
{
	hi_vb_blk block;
	uint64_t *word;
	int i;

	aclrtSetDevice(0);
	for (i = 0; i < 2000; i++) {
		block = hi_mpi_vb_get_block(shared, 4096, NULL);
		if (block == no_block)
			continue;
		word = hi_mpi_vb_handle_to_addr(block);
		word[0] = word[511] = (uintptr_t)arg;
		wrong += hi_mpi_vb_block_copyref(block) != 0;
		wrong += hi_mpi_vb_release_block(block) != 0;
		wrong += word[0] != (uintptr_t)arg || word[511] != (uintptr_t)arg;
		wrong += hi_mpi_vb_release_block(block) != 0;
	}
	return NULL;
}

static void test_threads(void)
{
	hi_vb_pool_config config = {.blk_size = 4096, .blk_cnt = 3};
	pthread_t threads[4];
	uintptr_t i;

	shared = hi_mpi_vb_create_pool(&config);
	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, use, (void *)(i + 1));
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	is(wrong, 0, "four threads share three blocks");
	is(hi_mpi_vb_destroy_pool(shared), 0, "all are free in the end");
}

int main(void)
{
	small_device();
	need_device();
	test_arguments();
	test_blocks();
	test_many();
	test_threads();
	return done_testing();
}
