/* SPDX-License-Identifier: MIT */
/* The file that aclInit is given. */
#ifndef LIB_ACL_INIT_FILE_H
#define LIB_ACL_INIT_FILE_H

#include "acl/acl_base.h"

/* What has a meaning here, and all of it for those who are called. */
struct init_file {
	long message_mode;   /* "err_msg_mode": 0 or 1 */
	long default_device; /* "default_device": -1: none */
	char *text;	     /* NULL: none was given */
};

/* NULL and "" are no file. After an error @out holds nothing. */
aclError init_file_read(const char *path, struct init_file *out);
void init_file_free(struct init_file *file);

#endif /* LIB_ACL_INIT_FILE_H */
