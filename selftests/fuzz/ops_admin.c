// SPDX-License-Identifier: GPL-2.0
/* The operations of an administrator: limits, arenas that come and go, looking at everything. */
#include "ops.h"
#include "../kmod/admin.h"

/* What a limit can be set to; behind the first four: nothing that is a size. */
static const char * const sizes[] = {
	"0", "1", "4096\n", "64K", "", " ", "-1", "4X", "K", "0x", "18446744073709551616", "16777216T",
	"1 1", "4096\n\n1",
};

#define GOOD_SIZES 4

static void text_answer(const char *name, int got, bool valid)
{
	if (got != (valid ? 0 : -EINVAL))
		wrong("writing to %s answers %d", name, got);
	current_op->succeeded += !got;
}

/* A limit is what was written last, holds, and is gone when it is 0 again. */
void op_limit(struct world *w, const struct call *c)
{
	static const struct { const char *name; bool of_alloc; } limits[] = {
		{ "limits/file_bytes", true }, { "limits/user_bytes", true },
		{ "limits/file_regions", false }, { "limits/user_regions", false },
		{ "limits/root_reserve", false },
	};
	static const uint64_t values[GOOD_SIZES] = { 0, 1, 4096, 65536 };
	unsigned int which = c->obj % 5, size = c->small % (sizeof(sizes) / sizeof(*sizes));
	const char *name = limits[which].name;
	struct vfile *f = world_file(w, c->mode);
	struct aclkm_alloc alloc;
	int err;

	/* An empty write does not reach the driver. */
	if (!*sizes[size])
		return;
	text_answer(name, sysfs_write(name, sizes[size]), size < GOOD_SIZES);
	if (sysfs_get(name) != (size < GOOD_SIZES ? values[size] : 0))
		wrong("%s is not what was written to it", name);
	if (size < GOOD_SIZES && values[size] && limits[which].of_alloc && f) {
		err = dev_alloc(f->fd, values[size] + 1 + c->x % PAGE, 0, &alloc);
		if (err != -EDQUOT || alloc.limit != values[size])
			wrong("more than %s allows: error %d, limit %llu", name, err,
			      (unsigned long long)alloc.limit);
	}
	if (sysfs_set(name, 0))
		wrong("%s cannot be set to 0", name);
}

static void look_at(const char *path)
{
	static char text[64 * KIB];
	ssize_t len = file_read(path, text, sizeof(text));

	if (len <= 0)
		wrong("reading %s gives %zd", path, len);
}

/* All that the driver tells, which must agree with itself. */
void op_look(struct world *w, const struct call *c)
{
	static const char * const names[] = {
		"arenas", "total", "free", "largest_free", "clean", "dirty", "held", "regions", "pinned",
	};
	struct vfile *f = world_file(w, c->obj);
	struct aclkm_info info;
	char path[64];
	int i;

	look_at("/sys/kernel/debug/aclkm/arenas");
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		sysfs_get(names[i]);
	info = dev_info(w->control);
	if (sysfs_get("total") != info.total || sysfs_get("free") != info.free ||
	    sysfs_get("regions") != info.nr_regions || sysfs_get("pinned") != info.pinned)
		wrong("sysfs and INFO differ");
	if (f) {
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", f->fd);
		look_at(path);
	}
	current_op->succeeded++;
}

/* The extents of one answer of MAP follow each other, and none is empty. */
static void check_map(const struct aclkm_map *map, uint64_t asked_offset, bool same_arena,
		      uint64_t room, const struct aclkm_map_extent *extents)
{
	uint64_t at = same_arena && asked_offset < map->size ? asked_offset : same_arena ? map->size : 0;
	uint64_t i;

	if (map->count > room)
		wrong("MAP wrote %llu extents of %llu", (unsigned long long)map->count,
		      (unsigned long long)room);
	for (i = 0; i < map->count; i++) {
		const struct aclkm_map_extent *e = &extents[i];

		if (!e->len || e->offset > at || (i && e->offset != at) ||
		    e->state > ACLKM_STATE_LOST || e->reserved)
			wrong("MAP has an extent of %llu bytes at %llu, expected at %llu",
			      (unsigned long long)e->len, (unsigned long long)e->offset,
			      (unsigned long long)at);
		at = e->offset + e->len;
	}
	if (map->offset != at || (map->count < room && map->offset != map->size))
		wrong("MAP goes on at %llu, not %llu of %llu", (unsigned long long)map->offset,
		      (unsigned long long)at, (unsigned long long)map->size);
	if (map->free > map->size || map->clean > map->free)
		wrong("MAP has more free than there is");
}

void op_map(struct world *w, const struct call *c)
{
	enum { EXTENTS = 96 };
	static struct aclkm_map_extent extents[EXTENTS];
	struct vfile *f = world_file(w, c->obj);
	struct aclkm_map req = {}, asked;
	struct bent bent;
	int err, want;

	if (!f)
		return;
	req.arena = c->mode & 16 ? c->small % 4 : 0;
	req.offset = c->mode & 32 ? c->x % w->base.total : 0;
	req.count = c->y % (EXTENTS + 1);
	req.extents = (uintptr_t)extents;
	asked = as_sent(&req, sizeof(req), c);
	if (asked.extents != req.extents || asked.count > EXTENTS)
		return;
	err = ioctl_bent(f->fd, ACLKM_IOC_MAP, &req, c, &bent);
	want = bent.early;
	if (!want && (asked.flags || asked.reserved))
		want = -EINVAL;
	/* Ids of arenas are not followed: there may be none from this one on. */
	if (!want && err == -ENOENT && asked.arena)
		return;
	if (!want)
		want = bent.late;
	answer(err, want);
	if (!err)
		check_map(&req, asked.offset, req.arena == asked.arena, asked.count, extents);
}

/* One more arena, which goes when the program ends; or a request that is none. */
void op_grow(struct world *w, const struct call *c)
{
	static const char * const bad[] = {
		"1", "2M:4K", "2M:2M:9", "2M:1:0", "3M:2M", "x", "2M:1G", "2M:2M:0:0", "0", ",", "2M::x",
	};
	uint64_t bytes = (1 + c->small % 2) * 2 * MIB;
	char text[32];
	int err;

	if (c->mode % 4) {
		const char *spec = bad[c->x % (sizeof(bad) / sizeof(*bad))];

		text_answer(spec, sysfs_write("grow", spec), false);
		text_answer("shrink", sysfs_write("shrink", c->y & 1 ? "1M" : "-2M"), false);
		return;
	}
	if (w->nr_grown == GROWN)
		return;
	snprintf(text, sizeof(text), "%llu:2M", (unsigned long long)bytes);
	err = sysfs_write("grow", text);
	/* The kernel may have none. */
	if (err == -ENOMEM)
		return;
	text_answer("grow", err, true);
	w->grown[w->nr_grown++] = bytes;
	w->base.total += bytes;
	w->base.free += bytes;
	w->base.nr_arenas++;
}

/* Nothing is in use: what has grown can go, the last first. */
void world_shrink(struct world *w)
{
	while (w->nr_grown) {
		uint64_t bytes = w->grown[--w->nr_grown];

		if (sysfs_set("shrink", bytes))
			wrong("%llu bytes that grew do not go", (unsigned long long)bytes);
		w->base.total -= bytes;
		w->base.free -= bytes;
		w->base.nr_arenas--;
	}
}
