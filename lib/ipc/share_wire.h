/* SPDX-License-Identifier: MIT */
/*
 * The messages between a process that offers memory and one that imports it, the names of
 * the sockets, and the rule which processes trust each other. Shared by share_server.c
 * and share_client.c.
 *
 * A number names an offer: 24 random bits find the process, 40 random bits find the offer
 * and cannot be guessed. Sockets are abstract names, and files in ACLKM_IPC_DIR.
 */
#ifndef LIB_SHARE_WIRE_H
#define LIB_SHARE_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "backend/backend.h"

#define SHARE_SECRET_BITS 40
#define SHARE_MAGIC 0x61636b74U /* a change of the messages changes it */

enum share_kind { SHARE_PHYSICAL = 1, SHARE_MEMORY, SHARE_EVENT, SHARE_NOTIFY };

/* What goes over with the file. */
struct share_item {
	uint32_t kind; /* enum share_kind */
	uint32_t device;
	uint32_t host;
	uint32_t attr;
	uint64_t offset; /* in the file */
	uint64_t size;
	uint64_t page_size;
	uint64_t flags;
	int32_t fd;
	int32_t pages; /* enum aclkm_pages */
};

struct share_request {
	uint32_t magic;
	uint32_t kind;
	uint64_t number;
};

enum share_reason {
	SHARE_NO_REASON,
	SHARE_NOT_NAMED,
	SHARE_OTHER_PIDS,
	SHARE_OTHER_USER
};

struct share_answer {
	int32_t err;	 /* 0, or enum aclkm_error */
	uint32_t reason; /* enum share_reason */
	struct share_item item;
};

/* Where the process of @number listens. The length of the name. */
socklen_t share_abstract_name(uint64_t number, struct sockaddr_un *name);

/* The same in @folder; 0: the path is too long for a socket. */
socklen_t share_file_name(uint64_t number, const char *folder, struct sockaddr_un *name);

/*
 * Whether the process at the other end is of this user, or root's. A user that has no
 * number in this user namespace never is.
 */
bool share_trusts(int fd, struct ucred *peer);

/* Whether @uid stands for users without a number in this user namespace. */
bool share_uid_is_unknown(uid_t uid);

/*
 * Whether the file can be mapped as @item says: a memfd that cannot shrink, or a dma-buf;
 * long enough. False: the text of why in @why.
 */
bool share_item_is_sound(const struct share_item *item, const char **why);

#endif /* LIB_SHARE_WIRE_H */
