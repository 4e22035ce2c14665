/* SPDX-License-Identifier: MIT */
/* Arithmetic that a copy engine does on its way. */
#ifndef ACL_RT_REDUCE_H
#define ACL_RT_REDUCE_H

#include "../acl_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is done (AscendCL API reference, "aclrtReduceKind"). */
typedef enum {
	ACL_RT_MEMCPY_SDMA_AUTOMATIC_SUM = 10,
	ACL_RT_MEMCPY_SDMA_AUTOMATIC_MAX = 11,
	ACL_RT_MEMCPY_SDMA_AUTOMATIC_MIN = 12,
	ACL_RT_MEMCPY_SDMA_AUTOMATIC_EQUAL = 13 /* refused: no document says what it is */
} aclrtReduceKind;

/**
 * aclrtReduceAsync - dst[i] = dst[i] OP src[i]
 * @dst, @src: memory that the library knows, a multiple of an element's size
 * @count:     bytes of @src, a multiple of an element's size
 * @type:      INT8, INT16, INT32, FLOAT16, FLOAT or BF16
 * @reserve:   NULL
 *
 * A task of the stream. Sums of integers wrap around; those of 16-bit floats are rounded
 * to the nearest. (AscendCL API reference, "aclrtReduceAsync".)
 *
 * Returns 0; 100000 NULL, or @reserve; 107002 no context; 107000 another @kind, count 0,
 * alignment, memory that is not the library's; 107003 a stream that is not alive; 207000
 * EQUAL or another @type.
 */
ACL_FUNC_VISIBILITY aclError aclrtReduceAsync(void *dst, const void *src, uint64_t count,
					      aclrtReduceKind kind, aclDataType type,
					      aclrtStream stream, void *reserve);

#ifdef __cplusplus
}
#endif

#endif /* ACL_RT_REDUCE_H */
