/* SPDX-License-Identifier: MIT */
/* What the forms of `aclkm map` share: the owners of regions and their colours. */
#ifndef CMD_MAP_H
#define CMD_MAP_H

#include <stdio.h>

#include "arenas.h"

#define MAP_COLOURS 6

/**
 * struct owner - a process that has regions
 * @known:	the caller may know who it is; one owner stands for all others
 * @uid, @pid:	valid if @known
 * @name:	of its program; empty if it has ended
 * @regions:	how many
 * @bytes:	in all of them
 * @huge, @pinned, @shared: bytes in regions of that kind
 */
struct owner {
	bool known;
	uid_t uid;
	pid_t pid;
	char name[32];
	uint64_t regions;
	uint64_t bytes;
	uint64_t huge;
	uint64_t pinned;
	uint64_t shared;
};

/**
 * struct map_view - what there is to be drawn
 * @arenas, @nr_arenas: the arenas
 * @owners, @nr_owners: in the order in which their regions appear
 */
struct map_view {
	struct arena *arenas;
	size_t nr_arenas;
	struct owner *owners;
	size_t nr_owners;
};

/* Index of the owner of a region that the view has. */
size_t map_owner(const struct map_view *view, const struct aclkm_map_extent *extent);

bool map_is_huge(const struct aclkm_map_extent *extent);

/* "1234 root ffmpeg" */
void map_owner_text(const struct owner *owner, char *text, size_t room);

/* "region", "free, clean" and the like. */
const char *map_state_text(const struct aclkm_map_extent *extent);

void map_print_terminal(const struct map_view *view);
void map_write_svg(const struct map_view *view, FILE *to);
void map_write_html(const struct map_view *view, FILE *to);

#endif /* CMD_MAP_H */
