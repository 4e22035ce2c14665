/* SPDX-License-Identifier: MIT */
/* The native interface of libaclkm, all of it. */
#ifndef ACLKM_ACLKM_H
#define ACLKM_ACLKM_H

#include "error.h"
#include "memory.h"
#include "pool.h"
#include "rules.h"
#include "stats.h"

#define ACLKM_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

/* aclkm_version - version of the library that runs; a constant string. */
ACLKM_API const char *aclkm_version(void);

#ifdef __cplusplus
}
#endif

#endif /* ACLKM_ACLKM_H */
