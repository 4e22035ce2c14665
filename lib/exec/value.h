/* SPDX-License-Identifier: MIT */
/* Stream tasks that write or wait for 64 bits of memory. As stream_submit. */
#ifndef LIB_VALUE_H
#define LIB_VALUE_H

#include <stdint.h>

/* When a wait is over, @now being what the memory holds. */
enum value_rule {
	VALUE_GEQ, /* (int64_t)(now - value) >= 0 */
	VALUE_EQ,  /* now == value */
	VALUE_AND, /* now & value */
	VALUE_NOR, /* ~(now | value) */
};

int value_write(void *addr, uint64_t value, uintptr_t stream);
int value_wait(void *addr, uint64_t value, enum value_rule rule, uintptr_t stream);

#endif /* LIB_VALUE_H */
