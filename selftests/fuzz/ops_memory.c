// SPDX-License-Identifier: GPL-2.0
/* The operations on mappings, and on the memory behind them. */
#include "ops.h"

#include <sys/uio.h>

#define PIN_PAGES 4

static size_t whole_pages(uint64_t bytes)
{
	return (bytes + PAGE - 1) / PAGE * PAGE;
}

static unsigned int free_slots(const struct world *w)
{
	unsigned int n = 0, i;

	for (i = 0; i < MAPS; i++)
		n += !w->maps[i].used;
	return n;
}

/* First, last and some page between, or all of a short one. */
static void verify_some(struct world *w, struct map *m, uint64_t seed)
{
	uint64_t pages = m->len / PAGE, i;

	for (i = 0; i < (pages < 16 ? pages : 16); i++)
		map_verify(w, m, pages <= 16 ? i : i == 0 ? 0 : i == 1 ? pages - 1 : seed++ % pages);
}

/* The handle of the file that the range at this offset is inside of, as a whole. */
static struct handle *mappable(struct world *w, const struct vfile *f, uint64_t offset, uint64_t len)
{
	int i;

	if (!len || offset % PAGE)
		return NULL;
	for (i = 0; i < HANDLES; i++) {
		struct handle *h = &w->handles[i];

		if (h->used && h->region >= 0 && &w->files[h->file] == f && offset >= h->offset &&
		    offset - h->offset < h->size && len <= h->size - (offset - h->offset))
			return h;
	}
	return NULL;
}

/*
 * Any offset and length: what the region and the file allow must succeed, all
 * else fail. Offsets never handed out among them.
 */
void op_mmap(struct world *w, const struct call *c)
{
	struct handle *h = world_handle(w, c->obj);
	struct vfile *f = h ? &w->files[h->file] : world_file(w, c->obj);
	int prot = c->mode & 1 ? PROT_READ : PROT_READ | PROT_WRITE;
	int flags = c->mode & 2 && c->mode & 4 ? MAP_PRIVATE : MAP_SHARED;
	uint64_t size = h ? h->size : 2 * PAGE, offset = h ? h->offset : 0;
	uint64_t skip = 0, len = size;
	struct map *m = world_add_map(w);
	void *p;

	if (!f || !m)
		return;
	switch (c->mode >> 3 & 7) {
	case 0 ... 2:
		break;
	case 3 ... 4:
		skip = c->small % (size / PAGE) * PAGE;
		len = 1 + c->x % (size - skip);
		break;
	case 5:
		skip = c->x;
		break;
	case 6:
		len = c->x;
		break;
	case 7:
		offset = c->y;
		break;
	}
	offset += skip;
	/* The C library makes a signed offset of it; nothing huge that is no bug to refuse. */
	p = mmap(NULL, len, prot, flags, f->fd, (off_t)offset);
	h = mappable(w, f, offset, len);
	if (flags != MAP_SHARED || (prot & PROT_WRITE && (f->readonly || (h && h->readonly))))
		h = NULL;
	answer_valid(p == MAP_FAILED ? -errno : 0, h);
	if (p == MAP_FAILED)
		return;
	*m = (struct map){
		.used = true,
		.writable = prot & PROT_WRITE,
		.readonly = f->readonly || h->readonly,
		.addr = p,
		.len = whole_pages(len),
		.off = h->start + (offset - h->offset),
		.region = h->region,
		.file = f - w->files,
		.buf = -1,
	};
	map_counted(w, m);
	if (!(c->mode & 64))
		verify_some(w, m, c->y);
}

/* A part of the mapping, whole pages of it. */
static void choose_part(const struct map *m, const struct call *c, size_t *from, size_t *len)
{
	size_t pages = m->len / PAGE;

	*from = 0;
	*len = m->len;
	if (c->mode % 3 == 0)
		return;
	*from = c->small % pages * PAGE;
	*len = (1 + c->x % (pages - *from / PAGE)) * PAGE;
}

void op_munmap(struct world *w, const struct call *c)
{
	struct map *m = world_map(w, c->obj);
	size_t from, len;

	if (!m || free_slots(w) < 2)
		return;
	choose_part(m, c, &from, &len);
	answer(munmap(m->addr + from, len) ? -errno : 0, 0);
	map_cut(w, m, from, len, true);
}

/* Moving and shrinking work, growing never does. */
void op_mremap(struct world *w, const struct call *c)
{
	struct map *m = world_map(w, c->obj);
	size_t new_len;
	void *p;

	if (!m)
		return;
	new_len = c->mode & 1 ? m->len : (1 + c->small % (m->len / PAGE + 4)) * PAGE;
	if (c->mode & 2 && new_len <= m->len) {
		void *to = mmap(NULL, new_len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (to == MAP_FAILED)
			abort();
		p = mremap(m->addr, m->len, new_len, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	} else {
		p = mremap(m->addr, m->len, new_len, MREMAP_MAYMOVE);
	}
	answer_valid(p == MAP_FAILED ? -errno : 0, new_len <= m->len);
	if (p == MAP_FAILED)
		return;
	m->addr = p;
	m->len = new_len;
	verify_some(w, m, c->y);
}

void op_mprotect(struct world *w, const struct call *c)
{
	struct map *m = world_map(w, c->obj);
	bool writable = c->mode & 4;
	size_t from, len;
	int err;

	if (!m || free_slots(w) < 2)
		return;
	choose_part(m, c, &from, &len);
	err = mprotect(m->addr + from, len, writable ? PROT_READ | PROT_WRITE : PROT_READ) ? -errno : 0;
	answer_valid(err, !writable || !m->readonly);
	if (err)
		return;
	map_cut(w, m, from, len, false);
	m->writable = writable;
}

/* Whatever the kernel says of the advice: the contents stay. */
void op_madvise(struct world *w, const struct call *c)
{
	static const int advice[] = {
		MADV_DONTNEED, MADV_DONTFORK, MADV_DOFORK, MADV_DONTDUMP, MADV_HUGEPAGE, MADV_NOHUGEPAGE,
		MADV_MERGEABLE, MADV_COLD, MADV_PAGEOUT, MADV_REMOVE, MADV_FREE, MADV_POPULATE_READ,
	};
	struct map *m = world_map(w, c->obj);
	int which = advice[c->small % (sizeof(advice) / sizeof(*advice))];
	size_t from, len;

	if (!m || free_slots(w) < 2)
		return;
	choose_part(m, c, &from, &len);
	/* On a part some of these would split the mapping, which later calls must know. */
	if (which != MADV_DONTNEED && which != MADV_POPULATE_READ) {
		from = 0;
		len = m->len;
	}
	if (!madvise(m->addr + from, len, which)) {
		current_op->succeeded++;
		if (which == MADV_DONTFORK || which == MADV_DOFORK)
			m->not_inherited = which == MADV_DONTFORK;
	}
	verify_some(w, m, c->y);
}

void op_write(struct world *w, const struct call *c)
{
	struct map *m = world_map(w, c->obj);

	if (!m || !m->writable)
		return;
	map_stamp(w, m, c->small % (m->len / PAGE));
	answer(0, 0);
}

void op_verify(struct world *w, const struct call *c)
{
	struct map *m = world_map(w, c->obj);
	uint64_t i;

	if (!m)
		return;
	if (c->mode % 4)
		verify_some(w, m, c->x);
	else
		for (i = 0; i < m->len / PAGE; i++)
			map_verify(w, m, i);
	answer(0, 0);
}

/* The device is mapped, not read or written. */
void op_read_file(struct world *w, const struct call *c)
{
	struct vfile *f = world_file(w, c->obj);
	char byte = 0;

	if (!f)
		return;
	answer(read(f->fd, &byte, 1) < 0 ? -errno : 0, -EINVAL);
	if (!f->readonly)
		answer(write(f->fd, &byte, 1) < 0 ? -errno : 0, -EINVAL);
}

/* A child that sees the same memory, writes, unmaps, and ends in one of two ways. */
void op_fork(struct world *w, const struct call *c)
{
	struct map *m = world_map(w, c->obj);
	struct region *r;
	uint64_t page;
	int status;
	pid_t pid;

	if (!m)
		return;
	r = &w->regions[m->region];
	page = c->small % (m->len / PAGE);
	/* Newer kernels let nobody take that back for mappings of drivers. */
	if (m->not_inherited && madvise(m->addr, m->len, MADV_DOFORK))
		return;
	m->not_inherited = false;
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		wrong("fork: errno %d", errno);
	if (!pid) {
		if (m->writable)
			map_stamp(w, m, page);
		if (c->mode & 1)
			munmap(m->addr + page * PAGE, PAGE);
		if (c->mode & 2)
			raise(SIGKILL);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		wrong("waitpid: errno %d", errno);
	if (m->writable && m->off / PAGE + page < TRACKED_PAGES)
		r->dirty[(m->off / PAGE + page) / 8] |= 1 << (m->off / PAGE + page) % 8;
	map_verify(w, m, page);
	answer(0, 0);
}

/* get_user_pages(): references that outlive the mapping and the region. */
void op_pin(struct world *w, const struct call *c)
{
	struct map *m = world_map(w, c->obj);
	struct pin *pin = &w->pins[c->small % PINS];
	struct iovec iov;
	size_t page, pages;
	ssize_t got;

	if (!m || pin->used)
		return;
	if (pipe2(pin->pipe, O_CLOEXEC | O_NONBLOCK))
		abort();
	page = c->x % (m->len / PAGE);
	pages = 1 + c->y % PIN_PAGES;
	if (pages > m->len / PAGE - page)
		pages = m->len / PAGE - page;
	iov.iov_base = m->addr + page * PAGE;
	iov.iov_len = pages * PAGE;
	got = vmsplice(pin->pipe[1], &iov, 1, SPLICE_F_NONBLOCK);
	if (w->regions[m->region].gup || !w->regions[m->region].huge_1g)
		answer_valid(got < 0 ? -errno : 0, w->regions[m->region].gup);
	if (got < 0) {
		close(pin->pipe[0]);
		close(pin->pipe[1]);
		return;
	}
	pin->used = true;
	pin->bytes = got;
	pin->region = m->region;
	w->regions[m->region].pins++;
}

void op_unpin(struct world *w, const struct call *c)
{
	struct pin *pin = NULL;
	unsigned int i;
	static char buf[PIN_PAGES * PAGE];

	for (i = 0; i < PINS && !pin; i++)
		if (w->pins[(c->small + i) % PINS].used)
			pin = &w->pins[(c->small + i) % PINS];
	if (!pin)
		return;
	if (c->mode & 1 && read(pin->pipe[0], buf, sizeof(buf)) != (ssize_t)pin->bytes)
		wrong("a pipe lost bytes");
	close(pin->pipe[0]);
	close(pin->pipe[1]);
	answer(0, 0);
	pin->used = false;
	w->regions[pin->region].pins--;
	region_settle(&w->regions[pin->region]);
}
