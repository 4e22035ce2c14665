// SPDX-License-Identifier: MIT
#include "acl/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acl/result.h"

#define KEY_PREFIX "aclkm-ipc-"

aclError key_result(int err)
{
	return acl_result_for(err, ACLKM_ERR_HANDLE, ACL_ERROR_RT_INVALID_HANDLE);
}

aclError key_check_pids(const int32_t *pids, size_t count)
{
	size_t i;
	aclError code = acl_need(pids, "pid") ?: acl_need_size(count, "number of pids");

	for (i = 0; i < count && !code; i++) {
		if (pids[i] <= 0)
			code = acl_refuse(ACL_ERROR_RT_PARAM_INVALID,
					  "pid[%zu] = %d: must be 1 or more", i, pids[i]);
	}
	return code;
}

aclError key_check_length(size_t len)
{
	if (len >= KEY_LENGTH)
		return ACL_SUCCESS;
	return acl_refuse(ACL_ERROR_RT_PARAM_INVALID, "len = %zu: must be %d or more",
			  len, KEY_LENGTH);
}

void key_write(uint64_t number, char *key)
{
	memset(key, 0, KEY_LENGTH);
	snprintf(key, KEY_LENGTH, KEY_PREFIX "%016llx", (unsigned long long)number);
}

aclError key_read(const char *key, uint64_t *number)
{
	size_t prefix = strlen(KEY_PREFIX);
	char *end = NULL;
	aclError code = acl_need(key, "key");

	if (code)
		return code;
	if (!strncmp(key, KEY_PREFIX, prefix) && key[prefix] != '-')
		*number = strtoull(key + prefix, &end, 16);
	if (!end || *end || end != key + prefix + 16)
		return acl_refuse(ACL_ERROR_RT_INVALID_HANDLE,
				  "key = \"%.40s\": not one of this library", key);
	return ACL_SUCCESS;
}
