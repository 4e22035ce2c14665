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
