// SPDX-License-Identifier: GPL-2.0
/*
 * The model: which files, regions and mappings there are, what their pages must
 * hold, and what the accounts must say. It is exact: nobody else uses the device.
 */
#include "fuzz.h"
#include "../kmod/admin.h"

#define PAGES(bytes) ((bytes) / PAGE)

static void file_settle(struct world *w, struct vfile *f);

void world_init(struct world *w)
{
	int i;

	memset(w, 0, sizeof(*w));
	for (i = 0; i < FILES; i++)
		w->files[i].fd = -1;
	w->control = dev_open(O_RDWR);
	if (w->control < 0)
		wrong("no device: error %d", w->control);
	w->base = dev_info(w->control);
	/* Limits are for who has it not. */
	drop_cap(CAP_SYS_RESOURCE);
	w->card = open("/dev/dri/card0", O_RDWR | O_CLOEXEC);
	w->next_id = 1;
}

struct vfile *world_file(struct world *w, unsigned int obj)
{
	int i;

	for (i = 0; i < FILES; i++)
		if (w->files[(obj + i) % FILES].fd >= 0)
			return &w->files[(obj + i) % FILES];
	return NULL;
}

/* A handle that can be used: its file has a descriptor. */
struct handle *world_handle(struct world *w, unsigned int obj)
{
	int i;

	for (i = 0; i < HANDLES; i++) {
		struct handle *h = &w->handles[(obj + i) % HANDLES];

		if (h->used && w->files[h->file].fd >= 0)
			return h;
	}
	return NULL;
}

struct handle *world_find(struct world *w, const struct vfile *f, uint32_t number)
{
	int i;

	for (i = 0; i < HANDLES; i++) {
		struct handle *h = &w->handles[i];

		if (h->used && &w->files[h->file] == f && h->number == number)
			return h;
	}
	return NULL;
}

struct map *world_map(struct world *w, unsigned int obj)
{
	int i;

	for (i = 0; i < MAPS; i++)
		if (w->maps[(obj + i) % MAPS].used)
			return &w->maps[(obj + i) % MAPS];
	return NULL;
}

struct region *world_add_region(struct world *w)
{
	int i;

	for (i = 0; i < REGIONS; i++) {
		struct region *r = &w->regions[i];

		if (r->used)
			continue;
		memset(r, 0, sizeof(*r));
		r->id = w->next_id++;
		return r;
	}
	return NULL;
}

static bool overlap(const struct region *a, const struct region *b)
{
	return a->phys < b->phys + b->size && b->phys < a->phys + a->size;
}

/* A new region with all its fields filled: it must be like no other. */
void region_added(struct world *w, struct region *r)
{
	int i;

	if (!r->phys || r->phys % r->align || r->phys % PAGE)
		wrong("physical address %#llx is not aligned to %#llx",
		      (unsigned long long)r->phys, (unsigned long long)r->align);
	for (i = 0; i < REGIONS; i++) {
		const struct region *o = &w->regions[i];

		if (o == r || !o->used)
			continue;
		if (overlap(r, o))
			wrong("two regions at one place: %#llx+%#llx and %#llx+%#llx",
			      (unsigned long long)r->phys, (unsigned long long)r->size,
			      (unsigned long long)o->phys, (unsigned long long)o->size);
	}
	r->used = true;
}

struct handle *world_add_handle(struct world *w)
{
	int i;

	for (i = 0; i < HANDLES; i++) {
		struct handle *h = &w->handles[i];

		if (h->used)
			continue;
		memset(h, 0, sizeof(*h));
		return h;
	}
	return NULL;
}

void handle_added(struct world *w, struct handle *h)
{
	int i;

	if (!h->number)
		wrong("handle 0");
	for (i = 0; i < HANDLES; i++) {
		const struct handle *o = &w->handles[i];

		if (o->used && o->file == h->file &&
		    (o->number == h->number || (o->offset == h->offset && h->offset)))
			wrong("handle %u given twice", h->number);
	}
	h->used = true;
	if (h->region >= 0)
		w->regions[h->region].handles++;
}

void handle_gone(struct world *w, struct handle *h)
{
	h->used = false;
	if (h->region < 0) {
		w->users[h->user].refs--;
		return;
	}
	w->regions[h->region].handles--;
	region_settle(&w->regions[h->region]);
}

static bool region_lives(const struct region *r)
{
	return r->used && (r->handles || r->maps || r->bufs);
}

/* Forgets the region if nothing needs it any more. */
void region_settle(struct region *r)
{
	if (!region_lives(r) && !r->pins)
		r->used = false;
}

struct map *world_add_map(struct world *w)
{
	int i;

	for (i = 0; i < MAPS; i++)
		if (!w->maps[i].used)
			return &w->maps[i];
	return NULL;
}

void map_gone(struct world *w, struct map *m)
{
	struct region *r = &w->regions[m->region];

	m->used = false;
	r->maps--;
	if (m->file >= 0) {
		w->files[m->file].maps--;
		file_settle(w, &w->files[m->file]);
	}
	if (m->buf >= 0) {
		w->bufs[m->buf].maps--;
		buf_settle(w, &w->bufs[m->buf]);
	}
	region_settle(r);
}

void map_counted(struct world *w, const struct map *m)
{
	w->regions[m->region].maps++;
	if (m->file >= 0)
		w->files[m->file].maps++;
	if (m->buf >= 0)
		w->bufs[m->buf].maps++;
}

/*
 * [from, from + len) of the mapping becomes a mapping of its own, in @m, or goes;
 * what is before and behind stays, in other slots.
 */
void map_cut(struct world *w, struct map *m, size_t from, size_t len, bool gone)
{
	const struct map whole = *m;
	struct map *rest;

	if (from) {
		rest = world_add_map(w);
		*rest = whole;
		rest->len = from;
		map_counted(w, rest);
	}
	if (from + len < whole.len) {
		rest = world_add_map(w);
		*rest = whole;
		rest->addr += from + len;
		rest->off += from + len;
		rest->len -= from + len;
		map_counted(w, rest);
	}
	m->addr += from;
	m->off += from;
	m->len = len;
	if (gone)
		map_gone(w, m);
}

/* An open file that is closed and not mapped takes its handles along. */
static void file_settle(struct world *w, struct vfile *f)
{
	int i;

	if (f->fd >= 0 || f->maps)
		return;
	for (i = 0; i < HANDLES; i++) {
		struct handle *h = &w->handles[i];

		if (h->used && &w->files[h->file] == f)
			handle_gone(w, h);
	}
}

/* A dma-buf without descriptor and mapping lets go of its region. */
void buf_settle(struct world *w, struct buf *b)
{
	if (!b->used || b->fd >= 0 || b->maps)
		return;
	b->used = false;
	if (b->region < 0) {
		w->users[b->user].refs--;
		return;
	}
	w->regions[b->region].bufs--;
	region_settle(&w->regions[b->region]);
}

void file_closed(struct world *w, struct vfile *f)
{
	f->fd = -1;
	file_settle(w, f);
}

static bool is_dirty(const struct region *r, uint64_t page)
{
	return r->dirty[page / 8] & (1 << page % 8);
}

static uint64_t stamp(const struct region *r, uint64_t page)
{
	return (r->id * TRACKED_PAGES + page + 1) * 0x9E3779B97F4A7C15ULL;
}

void map_stamp(struct world *w, struct map *m, uint64_t page)
{
	struct region *r = &w->regions[m->region];
	uint64_t index = PAGES(m->off) + page, i;
	volatile uint64_t *word = (void *)(m->addr + page * PAGE);

	if (index >= TRACKED_PAGES)
		return;
	for (i = 0; i < PAGE / 8; i++)
		word[i] = stamp(r, index);
	r->dirty[index / 8] |= 1 << index % 8;
}

/* A page holds what was written to it through any mapping, else zeroes. */
void map_verify(struct world *w, struct map *m, uint64_t page)
{
	const struct region *r = &w->regions[m->region];
	uint64_t index = PAGES(m->off) + page, want = 0, i;
	volatile const uint64_t *word = (void *)(m->addr + page * PAGE);

	if (index >= TRACKED_PAGES)
		return;
	if (is_dirty(r, index))
		want = stamp(r, index);
	for (i = 0; i < PAGE / 8; i++)
		if (word[i] != want)
			wrong("page %llu of region %llu holds %#llx at word %llu, not %#llx",
			      (unsigned long long)index, (unsigned long long)r->id,
			      (unsigned long long)word[i], (unsigned long long)i,
			      (unsigned long long)want);
}

/* The accounts must be those of the start, less what lives and what is held. */
void world_check(struct world *w)
{
	struct aclkm_info want = w->base, now = dev_info(w->control);
	int i, tries;

	for (i = 0; i < REGIONS; i++) {
		const struct region *r = &w->regions[i];

		if (!r->used)
			continue;
		want.free -= r->size;
		if (region_lives(r))
			want.nr_regions++;
		else
			want.held += r->size;
	}
	for (i = 0; i < USERS; i++)
		if (w->users[i].refs)
			want.pinned += w->users[i].bytes;
	/* The driver looks every 100 ms whether what holds a region is gone. */
	for (tries = 0; now.held > want.held && tries < 500; tries++) {
		usleep(10 * 1000);
		now = dev_info(w->control);
	}
	if (now.pinned != want.pinned)
		wrong("%llu bytes pinned, should be %llu", (unsigned long long)now.pinned,
		      (unsigned long long)want.pinned);
	if (now.free != want.free || now.held != want.held || now.nr_regions != want.nr_regions ||
	    now.total != want.total || now.nr_arenas != want.nr_arenas)
		wrong("accounts: free %llu held %llu regions %llu, should be %llu, %llu, %llu",
		      (unsigned long long)now.free, (unsigned long long)now.held,
		      (unsigned long long)now.nr_regions, (unsigned long long)want.free,
		      (unsigned long long)want.held, (unsigned long long)want.nr_regions);
	if (now.largest_free > now.free)
		wrong("largest free piece %llu of %llu free bytes",
		      (unsigned long long)now.largest_free, (unsigned long long)now.free);
}

/* The end of a program: everything is given up, and the accounts must be as at the start. */
void world_reset(struct world *w)
{
	struct aclkm_info now;
	int i;

	for (i = 0; i < PINS; i++) {
		if (!w->pins[i].used)
			continue;
		close(w->pins[i].pipe[0]);
		close(w->pins[i].pipe[1]);
		w->pins[i].used = false;
		w->regions[w->pins[i].region].pins--;
		region_settle(&w->regions[w->pins[i].region]);
	}
	for (i = 0; i < MAPS; i++) {
		struct map *m = &w->maps[i];

		if (!m->used)
			continue;
		if (munmap(m->addr, m->len))
			wrong("munmap of %#zx bytes: errno %d", m->len, errno);
		map_gone(w, m);
	}
	for (i = 0; i < BUFS; i++) {
		if (!w->bufs[i].used)
			continue;
		close(w->bufs[i].fd);
		w->bufs[i].fd = -1;
		buf_settle(w, &w->bufs[i]);
	}
	for (i = 0; i < FILES; i++) {
		if (w->files[i].fd < 0)
			continue;
		close(w->files[i].fd);
		file_closed(w, &w->files[i]);
	}
	world_check(w);
	world_shrink(w);
	world_check(w);
	now = dev_info(w->control);
	if (now.largest_free != w->base.largest_free)
		wrong("largest free piece %llu, was %llu before the program",
		      (unsigned long long)now.largest_free,
		      (unsigned long long)w->base.largest_free);
}
