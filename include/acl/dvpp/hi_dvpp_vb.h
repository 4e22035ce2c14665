/* SPDX-License-Identifier: MIT */
/*
 * Pools of video blocks: one piece of media memory, divided into blocks of one length.
 *
 * A block has room for the pool's blk_size bytes and starts on a multiple of 128; it is
 * a segment by the rule of Secondary Memory Allocation (ALIGN_UP[len,32] + 32 bytes).
 * It may have several users: who gets it is one, each hi_mpi_vb_block_copyref makes one
 * more, and it is free again when all have released it. The memory is of the device that
 * the thread has set when the pool is made, and good for copies as other media memory.
 * Any thread. (Media data processing reference, "VB".)
 *
 * What fails says why in aclGetRecentErrMsg. Codes: HI_ERR_VB_UNEXIST a pool or block
 * that is not alive; HI_ERR_VB_NOT_READY in a child after fork().
 */
#ifndef ACL_DVPP_HI_DVPP_VB_H
#define ACL_DVPP_HI_DVPP_VB_H

#include "hi_media_common.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HI_MAX_MMZ_NAME_LEN 32
#define HI_VB_INVALID_POOLID (-1) /* compare with (hi_vb_pool)HI_VB_INVALID_POOLID */
#define HI_VB_INVALID_HANDLE (-1)

/* Limits here: pools at a time, and blocks of one pool. */
#define HI_VB_MAX_POOLS 256
#define HI_VB_MAX_BLOCKS 4096

typedef hi_u32 hi_vb_pool;
typedef hi_u32 hi_vb_blk;

/* How blocks are mapped: always for the host, cached; taken and not looked at. */
typedef enum hiVB_REMAP_MODE_E {
	VB_REMAP_MODE_NONE = 0,
	VB_REMAP_MODE_NOCACHE = 1,
	VB_REMAP_MODE_CACHED = 2
} hi_vb_remap_mode;

typedef struct {
	hi_u64 blk_size; /* bytes of a block, from 1 */
	hi_u32 blk_cnt;	 /* 1 to HI_VB_MAX_BLOCKS */
	hi_vb_remap_mode remap_mode;
	hi_char mmz_name[HI_MAX_MMZ_NAME_LEN]; /* not looked at: there is one memory */
} hi_vb_pool_config;

#define HI_ERR_VB_ILLEGAL_PARAM                                                          \
	HI_DEFINE_ERR(HI_ID_VB, HI_ERR_LEVEL_ERROR, HI_ERR_ILLEGAL_PARAM)
#define HI_ERR_VB_UNEXIST HI_DEFINE_ERR(HI_ID_VB, HI_ERR_LEVEL_ERROR, HI_ERR_UNEXIST)
#define HI_ERR_VB_NULL_PTR HI_DEFINE_ERR(HI_ID_VB, HI_ERR_LEVEL_ERROR, HI_ERR_NULL_PTR)
#define HI_ERR_VB_NO_MEM HI_DEFINE_ERR(HI_ID_VB, HI_ERR_LEVEL_ERROR, HI_ERR_NO_MEM)
#define HI_ERR_VB_NO_BUF HI_DEFINE_ERR(HI_ID_VB, HI_ERR_LEVEL_ERROR, HI_ERR_NO_BUF)
#define HI_ERR_VB_NOT_READY HI_DEFINE_ERR(HI_ID_VB, HI_ERR_LEVEL_ERROR, HI_ERR_NOT_READY)
#define HI_ERR_VB_BUSY HI_DEFINE_ERR(HI_ID_VB, HI_ERR_LEVEL_ERROR, HI_ERR_BUSY)

/**
 * hi_mpi_vb_create_pool - take the memory of a pool
 *
 * Returns the pool, to be ended with hi_mpi_vb_destroy_pool; HI_VB_INVALID_POOLID for
 * NULL, a size or count out of range, a remap_mode that is none, without a context, when
 * memory is short, and when HI_VB_MAX_POOLS pools live.
 */
ACL_FUNC_VISIBILITY hi_vb_pool
hi_mpi_vb_create_pool(const hi_vb_pool_config *vb_pool_cfg);

/**
 * hi_mpi_vb_destroy_pool - give it back
 *
 * Returns HI_SUCCESS; HI_ERR_VB_UNEXIST; HI_ERR_VB_BUSY while blocks have users.
 */
ACL_FUNC_VISIBILITY hi_s32 hi_mpi_vb_destroy_pool(hi_vb_pool pool);

/**
 * hi_mpi_vb_get_block - a free block of a pool
 * @blk_size: bytes that are needed, from 1 to the pool's blk_size
 * @mmz_name: not looked at; may be NULL
 *
 * Its bytes are what the user before left. Returns the block; HI_VB_INVALID_HANDLE when
 * none is free, for a size out of range and a pool that is not alive.
 */
ACL_FUNC_VISIBILITY hi_vb_blk hi_mpi_vb_get_block(hi_vb_pool pool, hi_u64 blk_size,
						  const hi_char *mmz_name);

/* hi_mpi_vb_release_block - one user less. HI_SUCCESS; HI_ERR_VB_UNEXIST. */
ACL_FUNC_VISIBILITY hi_s32 hi_mpi_vb_release_block(hi_vb_blk vb_blk);

/* hi_mpi_vb_handle_to_addr - the block's first byte; NULL for one that is not alive. */
ACL_FUNC_VISIBILITY hi_void *hi_mpi_vb_handle_to_addr(hi_vb_blk vb_blk);

/* hi_mpi_vb_block_copyref - one user more. HI_SUCCESS; HI_ERR_VB_UNEXIST. */
ACL_FUNC_VISIBILITY hi_s32 hi_mpi_vb_block_copyref(hi_vb_blk vb_blk);

#ifdef __cplusplus
}
#endif

#endif /* ACL_DVPP_HI_DVPP_VB_H */
