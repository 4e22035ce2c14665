/* SPDX-License-Identifier: MIT */
/* What the allocation calls share. */
#ifndef LIB_ACL_MEMORY_H
#define LIB_ACL_MEMORY_H

#include "acl/rt/memory.h"
#include "map/map.h"

/* The pages that HUGE_FIRST means for a block of @size. */
enum aclkm_pages memory_huge_first(size_t size);

/* The pages of a policy with one item; strict: 107000 for one that is not listed. */
aclError memory_pages(aclrtMemMallocPolicy policy, size_t size, enum aclkm_pages *out);

/* The tag that a configuration asks for; NULL is none. 100000, 107000. */
aclError memory_config(const aclrtMallocConfig *cfg, struct block_tag *out);

#endif /* LIB_ACL_MEMORY_H */
