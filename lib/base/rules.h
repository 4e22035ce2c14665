/* SPDX-License-Identifier: MIT */
/* The arithmetic that the library uses inside; the public part is aclkm/rules.h. */
#ifndef LIB_RULES_H
#define LIB_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "aclkm/rules.h"

static inline bool is_power_of_two(uint64_t v)
{
	return v && !(v & (v - 1));
}

/* Largest power of two that divides @v; @v is not 0. */
static inline uint64_t natural_alignment(uint64_t v)
{
	return v & (~v + 1);
}

static inline bool is_padding(uint32_t padding)
{
	return padding == 0 || padding == 16 || padding == 32;
}

#endif /* LIB_RULES_H */
