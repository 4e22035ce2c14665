/* SPDX-License-Identifier: MIT */
/* Types, codes and memory of the hi_mpi media interface (DVPP V2). */
#ifndef ACL_DVPP_HI_MEDIA_COMMON_H
#define ACL_DVPP_HI_MEDIA_COMMON_H

#include "../acl_base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef unsigned char hi_u8;
typedef unsigned short hi_u16;
typedef unsigned int hi_u32;
typedef signed char hi_s8;
typedef short hi_s16;
typedef int hi_s32;
typedef unsigned long hi_ulong;
typedef char hi_char;
typedef void hi_void;
#if defined(__GNUC__)
__extension__ typedef unsigned long long hi_u64;
__extension__ typedef long long hi_s64;
#else
typedef unsigned long long hi_u64;
typedef long long hi_s64;
#endif

#define HI_SUCCESS 0
#define HI_FAILURE (-1)

/*
 * Codes are 0xA0000000 | module << 16 | level << 13 | id, with level 4 for
 * errors (media data processing reference, "Return Codes").
 */
#define HI_DEFINE_ERR(module, level, id)                                                 \
	((hi_s32)(0xA0000000U | ((hi_u32)(module) << 16) | ((hi_u32)(level) << 13) |     \
		  (hi_u32)(id)))

typedef enum { HI_ERR_LEVEL_ERROR = 4 } hi_err_level;

/* Those that memory and its pools have to do with. */
typedef enum {
	HI_ID_VB = 1,
	HI_ID_SYS = 2,
	HI_ID_VDEC = 5,
	HI_ID_VPC = 7,
	HI_ID_VENC = 8
} hi_mod_id;

typedef enum {
	HI_ERR_ILLEGAL_PARAM = 3,
	HI_ERR_EXIST = 4,
	HI_ERR_UNEXIST = 5,
	HI_ERR_NULL_PTR = 6,
	HI_ERR_NOT_CFG = 7,
	HI_ERR_NOT_SUPPORT = 8,
	HI_ERR_NOT_PERM = 9,
	HI_ERR_NO_MEM = 12,
	HI_ERR_NO_BUF = 13,
	HI_ERR_BUF_EMPTY = 14,
	HI_ERR_BUF_FULL = 15,
	HI_ERR_NOT_READY = 16,
	HI_ERR_BUSY = 18,
	HI_ERR_TIMEOUT = 20
} hi_errno;

#define HI_ERR_SYS_ILLEGAL_PARAM                                                         \
	HI_DEFINE_ERR(HI_ID_SYS, HI_ERR_LEVEL_ERROR, HI_ERR_ILLEGAL_PARAM)
#define HI_ERR_SYS_NULL_PTR HI_DEFINE_ERR(HI_ID_SYS, HI_ERR_LEVEL_ERROR, HI_ERR_NULL_PTR)
#define HI_ERR_SYS_NOT_SUPPORT                                                           \
	HI_DEFINE_ERR(HI_ID_SYS, HI_ERR_LEVEL_ERROR, HI_ERR_NOT_SUPPORT)
#define HI_ERR_SYS_NOT_PERM HI_DEFINE_ERR(HI_ID_SYS, HI_ERR_LEVEL_ERROR, HI_ERR_NOT_PERM)
#define HI_ERR_SYS_NO_MEM HI_DEFINE_ERR(HI_ID_SYS, HI_ERR_LEVEL_ERROR, HI_ERR_NO_MEM)
#define HI_ERR_SYS_NOT_READY                                                             \
	HI_DEFINE_ERR(HI_ID_SYS, HI_ERR_LEVEL_ERROR, HI_ERR_NOT_READY)

/* @x rounded up to a multiple of @align, for values that do not overflow. */
#ifndef ALIGN_UP
#define ALIGN_UP(x, align) ((((x) + ((align)-1)) / (align)) * (align))
#endif

/**
 * hi_mpi_sys_init - start the media system
 *
 * Calls are counted. Memory does not ask for it. Any thread.
 *
 * Returns HI_SUCCESS; HI_ERR_SYS_NOT_READY in a child after fork().
 */
ACL_FUNC_VISIBILITY hi_s32 hi_mpi_sys_init(hi_void);

/**
 * hi_mpi_sys_exit - stop the media system
 *
 * Memory stays. Any thread.
 *
 * Returns HI_SUCCESS; HI_ERR_SYS_NOT_READY when it is not started.
 */
ACL_FUNC_VISIBILITY hi_s32 hi_mpi_sys_exit(hi_void);

/**
 * hi_mpi_dvpp_malloc - memory for media data processing
 * @dev_id:  reserved; the device is the one that the thread has set
 * @dev_ptr: out; a multiple of 128
 * @size:    bytes, from 1
 *
 * As acldvppMalloc: ALIGN_UP[size,32] + 32 bytes. Free with hi_mpi_dvpp_free.
 * (AscendCL API reference, "hi_mpi_dvpp_malloc"; Secondary Memory Allocation.)
 *
 * Returns HI_SUCCESS; HI_ERR_SYS_NULL_PTR (0xA0028006) for NULL;
 * HI_ERR_SYS_ILLEGAL_PARAM (0xA0028003) for size 0 or near 2^64;
 * HI_ERR_SYS_NOT_READY without a context or in a child after fork();
 * HI_ERR_SYS_NO_MEM when memory is short.
 */
ACL_FUNC_VISIBILITY hi_s32 hi_mpi_dvpp_malloc(hi_u32 dev_id, hi_void **dev_ptr,
					      hi_u64 size);

/**
 * hi_mpi_dvpp_free - free memory of hi_mpi_dvpp_malloc, and only of that
 * @dev_ptr: exactly the address that was given
 *
 * Returns HI_SUCCESS; HI_ERR_SYS_NULL_PTR; HI_ERR_SYS_ILLEGAL_PARAM for an
 * address that is unknown, inside a block, freed already, or of another kind;
 * HI_ERR_SYS_NOT_READY in a child after fork().
 */
ACL_FUNC_VISIBILITY hi_s32 hi_mpi_dvpp_free(hi_void *dev_ptr);

#ifdef __cplusplus
}
#endif

#endif /* ACL_DVPP_HI_MEDIA_COMMON_H */
