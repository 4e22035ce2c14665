// SPDX-License-Identifier: MIT
#include "aclkm/aclkm.h"

const char *aclkm_version(void)
{
	return ACLKM_VERSION;
}
