/* SPDX-License-Identifier: MIT */
/* Dumps of operators. There are none here: each function answers 207000, or NULL. */
#ifndef ACL_ACL_DUMP_H
#define ACL_ACL_DUMP_H

#include "acl_base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACL_DUMP_API __attribute__((visibility("default")))
#define ACL_DUMP_MAX_FILE_PATH_LENGTH 4096
#define ACL_OP_DUMP_OP_AICORE_ARGS 0x00000001U

typedef struct acldumpChunk {
	char fileName[ACL_DUMP_MAX_FILE_PATH_LENGTH];
	uint32_t bufLen;
	uint32_t isLastChunk;
	int64_t offset;
	int32_t flag;
	__extension__ uint8_t dataBuf[0];
} acldumpChunk;

ACL_FUNC_VISIBILITY aclError acldumpRegCallback(
	int32_t (*const messageCallback)(const acldumpChunk *, int32_t), int32_t flag);
ACL_FUNC_VISIBILITY void acldumpUnregCallback(void);
ACL_FUNC_VISIBILITY aclError aclopStartDumpArgs(uint32_t dumpType, const char *path);
ACL_FUNC_VISIBILITY aclError aclopStopDumpArgs(uint32_t dumpType);
ACL_FUNC_VISIBILITY const char *acldumpGetPath(void);

#ifdef __cplusplus
}
#endif

#endif /* ACL_ACL_DUMP_H */
