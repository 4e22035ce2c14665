/* SPDX-License-Identifier: MIT */
/* What all forms of copies share: the argument rules, and where they are done. */
#ifndef LIB_ACL_TRANSFER_H
#define LIB_ACL_TRANSFER_H

#include "acl/rt/copy.h"
#include "map/map.h"
#include "exec/exec.h"

#define TRANSFER_ALIGN 64 /* of asynchronous copies, by the founding documents */

/* @height rows of @width bytes; 1 row for a plain copy. */
struct transfer {
	void *dst;
	size_t room; /* bytes at @dst; of one row: the pitch */
	const void *src;
	size_t count; /* bytes of one row */
	size_t source_pitch;
	size_t height;
};

/* Pointers, kind, context, room; in this order. @transfer->count is not 0. */
aclError transfer_check(const struct transfer *transfer, aclrtMemcpyKind kind);

/* Now, in this thread; the second for a call that has checked no task of it. */
void transfer_now(const struct transfer *transfer);
void transfer_at_once(const struct transfer *transfer);

/*
 * In the stream, if both sides can wait; else after the stream, now. The rules of
 * asynchronous copies: no host to host (207000), alignment (strict: 107008).
 */
aclError transfer_async(const struct transfer *transfer, aclrtMemcpyKind kind,
			uintptr_t stream);

/*
 * All of an asynchronous copy of one piece, if it is an ordinary one: aligned, between
 * blocks of ours, no checks wanted. False: nothing was done, go the long way.
 */
bool transfer_quick(void *dst, size_t room, const void *src, size_t count,
		    aclrtMemcpyKind kind, aclrtStream stream, aclError *code);

/* transfer_async without the rules, which hold; @now as transfer_rules has said. */
aclError transfer_start(const struct transfer *transfer, bool now, uintptr_t stream);

/*
 * Adds @next to @run if it goes on where that ends on both sides, so that both can be
 * one copy of one piece. False: nothing was added.
 */
bool transfer_join(struct transfer *run, const struct transfer *next);

/* The rules alone. @now: it must be done now, as transfer_async would. */
aclError transfer_rules(const struct transfer *transfer, aclrtMemcpyKind kind, bool *now);

#endif /* LIB_ACL_TRANSFER_H */
