// SPDX-License-Identifier: MIT
#include "arenas.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define STEP 512

/* One call of MAP; its extents come behind those that the arena has. */
static int read_step(int fd, struct arena *arena, bool extents, uint64_t *offset,
		     uint64_t *have)
{
	struct aclkm_map map = {.arena = arena->map.arena, .offset = *offset};
	struct aclkm_map_extent *more;

	if (extents) {
		more = realloc(arena->extents, (*have + STEP) * sizeof(*more));
		if (!more)
			return ENOMEM;
		arena->extents = more;
		map.extents = (uintptr_t)(more + *have);
		map.count = STEP;
	}
	if (ioctl(fd, ACLKM_IOC_MAP, &map))
		return errno;
	*offset = map.offset;
	*have += map.count;
	arena->map = map;
	arena->map.count = *have;
	return 0;
}

static int read_arena(int fd, uint32_t id, bool extents, struct arena *arena)
{
	uint64_t offset = 0, have = 0;
	int err;

	memset(arena, 0, sizeof(*arena));
	arena->map.arena = id;
	do {
		err = read_step(fd, arena, extents, &offset, &have);
	} while (!err && extents && offset < arena->map.size);
	/* The arena was given back while it was read: the next one is at its place. */
	if (err) {
		free(arena->extents);
		arena->extents = NULL;
	}
	return err;
}

struct arena *arenas_read(const struct driver *driver, bool extents, size_t *count,
			  int *error)
{
	struct arena *arenas = calloc(1, sizeof(*arenas)), *more;
	uint32_t id = 0;

	*count = 0;
	*error = arenas ? 0 : ENOMEM;
	while (!*error) {
		*error = read_arena(driver->fd, id, extents, &arenas[*count]);
		if (*error)
			break;
		id = arenas[*count].map.arena + 1;
		more = realloc(arenas, (*count + 2) * sizeof(*arenas));
		if (more)
			arenas = more;
		else
			*error = ENOMEM;
		++*count;
	}
	if (*error == ENOENT) {
		*error = 0;
		return arenas;
	}
	arenas_free(arenas, *count);
	*count = 0;
	return NULL;
}

void arenas_free(struct arena *arenas, size_t count)
{
	size_t i;

	for (i = 0; arenas && i < count; i++)
		free(arenas[i].extents);
	free(arenas);
}
