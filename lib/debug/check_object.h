/* SPDX-License-Identifier: MIT */
/* What lives and is no block, for the check "leak": physical memory by its handle. */
#ifndef LIB_CHECK_OBJECT_H
#define LIB_CHECK_OBJECT_H

#include <stdint.h>

/* One more claim on it, and one less: the last one ends it. */
void check_object_take(uint64_t handle, uint64_t size);
void check_object_give(uint64_t handle);

/* Memory that other processes may import by a key, until the key is closed. */
void check_offer_begin(uint64_t number, uint64_t base, uint64_t size);
void check_offer_end(uint64_t number);

/* The block goes: reports an offer of it. @describe: what the block is. */
void check_offered(uint64_t base, uint64_t size, void (*describe)(const void *arg),
		   const void *arg);

/* At the end of the process: reports what lives. */
void check_objects_report(void);

#endif /* LIB_CHECK_OBJECT_H */
