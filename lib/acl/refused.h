/* SPDX-License-Identifier: MIT */
/*
 * Functions of AscendCL that are declared so that programs compile and load, and that
 * cannot be done here: one line each in refused_*.c, by what is missing.
 *
 * The line takes the function's type from its header. All parameters are ignored, so the
 * body has none: an alias gives it the function's name and type.
 */
#ifndef LIB_ACL_REFUSED_H
#define LIB_ACL_REFUSED_H

#include "acl/result.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wattribute-alias"
#endif

/* 207000; the text names the function and what is missing. */
aclError refused_code(const char *function, const char *missing);

#define REFUSED_ALIAS(name)                                                              \
	extern __typeof__(name) name                                                     \
		__attribute__((alias("refused_" #name), visibility("default")))

/* A function that returns an aclError. */
#define REFUSED(name, missing)                                                           \
	static __attribute__((used)) aclError refused_##name(void)                       \
	{                                                                                \
		return refused_code(#name, missing);                                     \
	}                                                                                \
	REFUSED_ALIAS(name)

/* A function that returns something else: @value, and the text as well. */
#define REFUSED_AS(type, value, name, missing)                                           \
	static __attribute__((used)) type refused_##name(void)                           \
	{                                                                                \
		refused_code(#name, missing);                                            \
		return value;                                                            \
	}                                                                                \
	REFUSED_ALIAS(name)

/* A function that returns nothing. */
#define REFUSED_VOID(name, missing)                                                      \
	static __attribute__((used)) void refused_##name(void)                           \
	{                                                                                \
		refused_code(#name, missing);                                            \
	}                                                                                \
	REFUSED_ALIAS(name)

#endif /* LIB_ACL_REFUSED_H */
