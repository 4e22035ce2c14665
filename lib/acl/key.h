/* SPDX-License-Identifier: MIT */
/* Keys of what processes share: text that names a number of lib/ipc/share.h. */
#ifndef LIB_ACL_KEY_H
#define LIB_ACL_KEY_H

#include "acl/acl_base.h"

#define KEY_LENGTH 65 /* with the NUL */

/* 107000 for less room than a key needs. */
aclError key_check_length(size_t len);
void key_write(uint64_t number, char *key);

/* 100000, 107017. */
aclError key_read(const char *key, uint64_t *number);

/* 100000, 107000. */
aclError key_check_pids(const int32_t *pids, size_t count);

/* What nobody offers is 107017, what is another's 207006. */
aclError key_result(int err);

#endif /* LIB_ACL_KEY_H */
