/* SPDX-License-Identifier: MIT */
/*
 * Memory for media data processing, the acldvpp way.
 *
 * Programs define ENABLE_DVPP_INTERFACE before this header for other stacks;
 * here it makes no difference.
 */
#ifndef ACL_OPS_ACL_DVPP_H
#define ACL_OPS_ACL_DVPP_H

#include "../acl.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * acldvppMalloc - memory for media data processing
 * @devPtr: out; a multiple of 128
 * @size:   bytes, from 1
 *
 * Huge pages where there are any; ALIGN_UP[size,32] + 32 bytes. Also good as
 * ordinary device memory in copies. Not initialised. Free with acldvppFree.
 * Any thread with a context. (AscendCL API reference, "acldvppMalloc";
 * Secondary Memory Allocation.)
 *
 * Returns 0; 100000 NULL, size 0 or near 2^64; 107002 no context; 207001 memory
 * is short; 507000 in a child after fork().
 */
ACL_FUNC_VISIBILITY aclError acldvppMalloc(void **devPtr, size_t size);

/**
 * acldvppMallocWithCfg - the same with a policy and attributes
 *
 * As aclrtMallocWithCfg takes them, but @policy is one item. Free with acldvppFree.
 *
 * Returns as acldvppMalloc; 100000 and 107000 for @cfg as aclrtMallocWithCfg.
 */
ACL_FUNC_VISIBILITY aclError acldvppMallocWithCfg(void **devPtr, size_t size,
						  aclrtMemMallocPolicy policy,
						  aclrtMallocConfig *cfg);

/**
 * acldvppFree - free memory of acldvppMalloc, and only of that
 * @devPtr: exactly the address that was given
 *
 * Returns 0; 100000 NULL; 107000 for an address that is unknown, inside a
 * block, freed already, or of another kind of memory; 507000 in a child after
 * fork().
 */
ACL_FUNC_VISIBILITY aclError acldvppFree(void *devPtr);

/*
 * Pictures and streams of video, for files that name them beside memory. Nothing here
 * decodes: each function below answers 207000. Functions that are not declared are out
 * of scope.
 */

typedef struct acldvppPicDesc acldvppPicDesc;
typedef struct acldvppBatchPicDesc acldvppBatchPicDesc;
typedef struct acldvppRoiConfig acldvppRoiConfig;
typedef struct acldvppResizeConfig acldvppResizeConfig;
typedef struct acldvppBorderConfig acldvppBorderConfig;
typedef struct acldvppLutMap acldvppLutMap;
typedef struct acldvppChannelDesc acldvppChannelDesc;
typedef struct acldvppJpegeConfig acldvppJpegeConfig;
typedef struct aclvdecChannelDesc aclvdecChannelDesc;
typedef struct acldvppStreamDesc acldvppStreamDesc;
typedef struct aclvdecFrameConfig aclvdecFrameConfig;
typedef struct aclvencChannelDesc aclvencChannelDesc;
typedef struct aclvencFrameConfig aclvencFrameConfig;
typedef struct acldvppHist acldvppHist;

typedef void (*aclvdecCallback)(acldvppStreamDesc *input, acldvppPicDesc *output,
				void *userData);
typedef void (*aclvencCallback)(acldvppPicDesc *input, acldvppStreamDesc *output,
				void *userdata);

typedef enum acldvppPixelFormat {
	PIXEL_FORMAT_YUV_400 = 0,
	PIXEL_FORMAT_YUV_SEMIPLANAR_420 = 1,
	PIXEL_FORMAT_YVU_SEMIPLANAR_420 = 2,
	PIXEL_FORMAT_YUV_SEMIPLANAR_422 = 3,
	PIXEL_FORMAT_YVU_SEMIPLANAR_422 = 4,
	PIXEL_FORMAT_YUV_SEMIPLANAR_444 = 5,
	PIXEL_FORMAT_YVU_SEMIPLANAR_444 = 6,
	PIXEL_FORMAT_YUYV_PACKED_422 = 7,
	PIXEL_FORMAT_UYVY_PACKED_422 = 8,
	PIXEL_FORMAT_YVYU_PACKED_422 = 9,
	PIXEL_FORMAT_VYUY_PACKED_422 = 10,
	PIXEL_FORMAT_YUV_PACKED_444 = 11,
	PIXEL_FORMAT_RGB_888 = 12,
	PIXEL_FORMAT_BGR_888 = 13,
	PIXEL_FORMAT_ARGB_8888 = 14,
	PIXEL_FORMAT_ABGR_8888 = 15,
	PIXEL_FORMAT_RGBA_8888 = 16,
	PIXEL_FORMAT_BGRA_8888 = 17,
	PIXEL_FORMAT_YUV_SEMI_PLANNER_420_10BIT = 18,
	PIXEL_FORMAT_YVU_SEMI_PLANNER_420_10BIT = 19,
	PIXEL_FORMAT_YVU_PLANAR_420 = 20,
	PIXEL_FORMAT_YVU_PLANAR_422 = 21,
	PIXEL_FORMAT_YVU_PLANAR_444 = 22,
	PIXEL_FORMAT_RGB_444 = 23,
	PIXEL_FORMAT_BGR_444 = 24,
	PIXEL_FORMAT_ARGB_4444 = 25,
	PIXEL_FORMAT_ABGR_4444 = 26,
	PIXEL_FORMAT_RGBA_4444 = 27,
	PIXEL_FORMAT_BGRA_4444 = 28,
	PIXEL_FORMAT_RGB_555 = 29,
	PIXEL_FORMAT_BGR_555 = 30,
	PIXEL_FORMAT_RGB_565 = 31,
	PIXEL_FORMAT_BGR_565 = 32,
	PIXEL_FORMAT_ARGB_1555 = 33,
	PIXEL_FORMAT_ABGR_1555 = 34,
	PIXEL_FORMAT_RGBA_1555 = 35,
	PIXEL_FORMAT_BGRA_1555 = 36,
	PIXEL_FORMAT_ARGB_8565 = 37,
	PIXEL_FORMAT_ABGR_8565 = 38,
	PIXEL_FORMAT_RGBA_8565 = 39,
	PIXEL_FORMAT_BGRA_8565 = 40,
	PIXEL_FORMAT_RGB_BAYER_8BPP = 50,
	PIXEL_FORMAT_RGB_BAYER_10BPP = 51,
	PIXEL_FORMAT_RGB_BAYER_12BPP = 52,
	PIXEL_FORMAT_RGB_BAYER_14BPP = 53,
	PIXEL_FORMAT_RGB_BAYER_16BPP = 54,
	PIXEL_FORMAT_BGR_888_PLANAR = 70,
	PIXEL_FORMAT_HSV_888_PACKAGE = 71,
	PIXEL_FORMAT_HSV_888_PLANAR = 72,
	PIXEL_FORMAT_LAB_888_PACKAGE = 73,
	PIXEL_FORMAT_LAB_888_PLANAR = 74,
	PIXEL_FORMAT_S8C1 = 75,
	PIXEL_FORMAT_S8C2_PACKAGE = 76,
	PIXEL_FORMAT_S8C2_PLANAR = 77,
	PIXEL_FORMAT_S16C1 = 78,
	PIXEL_FORMAT_U8C1 = 79,
	PIXEL_FORMAT_U16C1 = 80,
	PIXEL_FORMAT_S32C1 = 81,
	PIXEL_FORMAT_U32C1 = 82,
	PIXEL_FORMAT_U64C1 = 83,
	PIXEL_FORMAT_S64C1 = 84,
	PIXEL_FORMAT_YUV_SEMIPLANAR_440 = 1000,
	PIXEL_FORMAT_YVU_SEMIPLANAR_440 = 1001,
	PIXEL_FORMAT_FLOAT32 = 1002,
	PIXEL_FORMAT_BUTT = 1003,
	PIXEL_FORMAT_UNKNOWN = 10000
} acldvppPixelFormat;

typedef enum acldvppStreamFormat {
	H265_MAIN_LEVEL = 0,
	H264_BASELINE_LEVEL = 1,
	H264_MAIN_LEVEL = 2,
	H264_HIGH_LEVEL = 3
} acldvppStreamFormat;

typedef enum acldvppChannelMode {
	DVPP_CHNMODE_VPC = 1,
	DVPP_CHNMODE_JPEGD = 2,
	DVPP_CHNMODE_JPEGE = 4,
	DVPP_CHNMODE_PNGD = 8
} acldvppChannelMode;

typedef enum acldvppBorderType {
	BORDER_CONSTANT = 0,
	BORDER_REPLICATE = 1,
	BORDER_REFLECT = 2,
	BORDER_REFLECT_101 = 3
} acldvppBorderType;

typedef enum acldvppJpegFormat {
	ACL_JPEG_CSS_444 = 0,
	ACL_JPEG_CSS_422 = 1,
	ACL_JPEG_CSS_420 = 2,
	ACL_JPEG_CSS_GRAY = 3,
	ACL_JPEG_CSS_440 = 4,
	ACL_JPEG_CSS_411 = 5,
	ACL_JPEG_CSS_UNKNOWN = 1000
} acldvppJpegFormat;

ACL_FUNC_VISIBILITY aclError acldvppJpegGetImageInfo(const void *data, uint32_t size,
						     uint32_t *width, uint32_t *height,
						     int32_t *components);
ACL_FUNC_VISIBILITY aclError acldvppJpegGetImageInfoV2(const void *data, uint32_t size,
						       uint32_t *width, uint32_t *height,
						       int32_t *components,
						       acldvppJpegFormat *format);
ACL_FUNC_VISIBILITY aclError acldvppPngGetImageInfo(const void *data, uint32_t dataSize,
						    uint32_t *width, uint32_t *height,
						    int32_t *components);

#ifdef __cplusplus
}
#endif

#endif /* ACL_OPS_ACL_DVPP_H */
