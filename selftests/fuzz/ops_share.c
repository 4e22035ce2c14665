// SPDX-License-Identifier: GPL-2.0
/* The operations on dma-bufs, on pinned memory, and those that look or hand over. */
#include "ops.h"

#include <drm.h>
#include <linux/dma-buf.h>

#define USER_PAGES 16
#define EXTENTS 4

/* What a call must answer that this driver does not have. */
static int without(const struct world *w, uint64_t feature)
{
	return w->base.features & feature ? 0 : -ENOTTY;
}

/* Aligned parts of the handle's memory, and others. */
static void choose_range(const struct handle *h, const struct call *c, __u64 *offset, __u64 *len)
{
	uint64_t size = h ? h->size : PAGE;

	*offset = 0;
	*len = 0;
	switch (c->mode >> 4 & 3) {
	case 0:
		break;
	case 1 ... 2:
		*offset = c->x % (size / PAGE) * PAGE;
		*len = (1 + c->y % ((size - *offset) / PAGE)) * PAGE;
		break;
	case 3:
		*offset = c->x;
		*len = c->y;
		break;
	}
}

void op_export(struct world *w, const struct call *c)
{
	struct vfile *f = world_file(w, c->obj);
	struct aclkm_export req = {}, asked;
	struct handle *h;
	struct buf *b = NULL;
	struct bent bent;
	int err, want, i;

	for (i = 0; i < BUFS; i++)
		if (!w->bufs[i].used)
			b = &w->bufs[i];
	if (!f || !b)
		return;
	req.handle = choose_handle(w, c, &f);
	h = world_find(w, f, req.handle);
	req.flags = ACLKM_EXPORT_CLOEXEC | (c->small & 64 ? ACLKM_EXPORT_READ_ONLY : 0);
	choose_range(h, c, &req.offset, &req.len);
	asked = as_sent(&req, sizeof(req), c);
	err = ioctl_bent(f->fd, ACLKM_IOC_EXPORT, &req, c, &bent);
	h = world_find(w, f, asked.handle);

	want = without(w, ACLKM_FEATURE_DMABUF);
	if (!want)
		want = bent.early;
	if (!want && (asked.flags & ~(ACLKM_EXPORT_CLOEXEC | ACLKM_EXPORT_READ_ONLY) || asked.reserved ||
		      asked.offset % PAGE || asked.len % PAGE))
		want = -EINVAL;
	if (!want && !h)
		want = -ENOENT;
	if (!want && (asked.offset >= h->size || asked.len > h->size - asked.offset))
		want = -EINVAL;
	if (!want)
		want = bent.late;
	answer(err, want);
	if (err)
		return;
	*b = (struct buf){
		.used = true,
		.readonly = h->readonly || asked.flags & ACLKM_EXPORT_READ_ONLY,
		.fd = req.fd,
		.region = h->region,
		.user = h->user,
		.start = h->start + asked.offset,
		.size = asked.len ? asked.len : h->size - asked.offset,
	};
	if (b->region >= 0)
		w->regions[b->region].bufs++;
	else
		w->users[b->user].refs++;
}

static struct buf *choose_buf(struct world *w, unsigned int obj)
{
	int i;

	for (i = 0; i < BUFS; i++)
		if (w->bufs[(obj + i) % BUFS].used && w->bufs[(obj + i) % BUFS].fd >= 0)
			return &w->bufs[(obj + i) % BUFS];
	return NULL;
}

void op_import(struct world *w, const struct call *c)
{
	struct vfile *f = world_file(w, c->obj);
	struct handle *h = world_add_handle(w);
	struct buf *b = choose_buf(w, c->small);
	struct aclkm_import req = {}, asked;
	struct bent bent;
	int err, want, i;

	if (!f || !h)
		return;
	req.fd = b && c->mode % 8 ? b->fd : c->mode % 16 ? w->control : (int)c->x;
	asked = as_sent(&req, sizeof(req), c);
	err = ioctl_bent(f->fd, ACLKM_IOC_IMPORT, &req, c, &bent);
	b = NULL;
	for (i = 0; i < BUFS; i++)
		if (w->bufs[i].used && w->bufs[i].fd >= 0 && w->bufs[i].fd == asked.fd)
			b = &w->bufs[i];

	want = without(w, ACLKM_FEATURE_DMABUF);
	if (!want)
		want = bent.early;
	if (!want && (asked.flags || asked.reserved))
		want = -EINVAL;
	if (!want && !b)
		want = fcntl(asked.fd, F_GETFD) < 0 ? -EBADF : -EINVAL;
	if (!want && b->region < 0)
		want = -EOPNOTSUPP;
	if (!want)
		want = bent.late;
	answer(err, want);
	if (err)
		return;
	if (req.size != b->size)
		wrong("imported %llu bytes of %llu", (unsigned long long)req.size,
		      (unsigned long long)b->size);
	h->file = f - w->files;
	h->region = b->region;
	h->number = req.handle;
	h->offset = req.offset;
	h->start = b->start;
	h->size = b->size;
	h->readonly = b->readonly || f->readonly;
	handle_added(w, h);
}

void op_buf_mmap(struct world *w, const struct call *c)
{
	struct buf *b = choose_buf(w, c->obj);
	int prot = c->mode & 1 ? PROT_READ : PROT_READ | PROT_WRITE;
	int flags = c->mode & 2 && c->mode & 4 ? MAP_PRIVATE : MAP_SHARED;
	struct map *m = world_add_map(w);
	uint64_t off = 0, len;
	bool valid;
	void *p;

	if (!b || !m)
		return;
	len = b->size;
	if (c->mode & 8) {
		off = c->x % (b->size / PAGE + 1) * PAGE;
		len = 1 + c->y % (b->size + PAGE);
	}
	p = mmap(NULL, len, prot, flags, b->fd, off);
	len = (len + PAGE - 1) / PAGE * PAGE;
	valid = b->region >= 0 && flags == MAP_SHARED && off < b->size && len <= b->size - off &&
		!(prot & PROT_WRITE && b->readonly);
	answer_valid(p == MAP_FAILED ? -errno : 0, valid);
	if (p == MAP_FAILED)
		return;
	*m = (struct map){
		.used = true,
		.writable = prot & PROT_WRITE,
		.readonly = b->readonly,
		.addr = p,
		.len = len,
		.off = b->start + off,
		.region = b->region,
		.file = -1,
		.buf = b - w->bufs,
	};
	map_counted(w, m);
	map_verify(w, m, c->y % (len / PAGE));
}

void op_buf_close(struct world *w, const struct call *c)
{
	struct buf *b = choose_buf(w, c->obj);

	if (!b)
		return;
	answer(close(b->fd) ? -errno : 0, 0);
	b->fd = -1;
	buf_settle(w, b);
}

/* Begin and end of processor access by the dma-buf's own call. */
void op_buf_sync(struct world *w, const struct call *c)
{
	struct buf *b = choose_buf(w, c->obj);
	struct dma_buf_sync sync = { .flags = c->mode % 16 };
	bool valid = !(sync.flags & ~(uint64_t)DMA_BUF_SYNC_VALID_FLAGS_MASK) && sync.flags & DMA_BUF_SYNC_RW;

	if (!b)
		return;
	if (valid && b->readonly && sync.flags & DMA_BUF_SYNC_WRITE)
		answer(ioctl(b->fd, DMA_BUF_IOCTL_SYNC, &sync) ? -errno : 0, -EACCES);
	else
		answer_valid(ioctl(b->fd, DMA_BUF_IOCTL_SYNC, &sync) ? -errno : 0, valid);
}

/* A device takes the dma-buf, uses it while the processor does, and lets it go. */
void op_attach(struct world *w, const struct call *c)
{
	struct drm_prime_handle prime = {};
	struct dma_buf_sync sync = {};
	struct drm_gem_close gem = {};
	struct buf *b = choose_buf(w, c->obj);
	struct handle *h = world_handle(w, c->small);
	struct aclkm_sync req = { .flags = ACLKM_SYNC_READ };
	int err;

	if (!b || w->card < 0)
		return;
	prime.fd = b->fd;
	err = ioctl(w->card, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime) ? -errno : 0;
	/* It maps it to write, but the newest kernels' vgem only when somebody looks. */
	answer(err, b->readonly && err ? -EACCES : 0);
	if (err)
		return;
	sync.flags = (b->readonly ? DMA_BUF_SYNC_READ : DMA_BUF_SYNC_RW) |
		     (c->mode & 1 ? DMA_BUF_SYNC_END : DMA_BUF_SYNC_START);
	if (ioctl(b->fd, DMA_BUF_IOCTL_SYNC, &sync))
		wrong("sync of an attached dma-buf: errno %d", errno);
	if (h) {
		req.flags |= c->mode & 2 ? ACLKM_SYNC_START : ACLKM_SYNC_END;
		req.handle = h->number;
		req.len = h->size;
		err = dev_ioctl(w->files[h->file].fd, ACLKM_IOC_SYNC, &req);
		if (err)
			wrong("SYNC of a handle: %d", err);
	}
	gem.handle = prime.handle;
	if (ioctl(w->card, DRM_IOCTL_GEM_CLOSE, &gem))
		wrong("closing what was attached: errno %d", errno);
}

void op_sync(struct world *w, const struct call *c)
{
	struct vfile *f = world_file(w, c->obj);
	struct aclkm_sync req = {}, asked;
	struct handle *h;
	struct bent bent;
	int err, want;

	if (!f)
		return;
	req.handle = choose_handle(w, c, &f);
	h = world_find(w, f, req.handle);
	req.flags = c->small >> 6 & 15;
	choose_range(h, c, &req.offset, &req.len);
	if (!req.len && h)
		req.len = h->size;
	asked = as_sent(&req, sizeof(req), c);
	err = ioctl_bent(f->fd, ACLKM_IOC_SYNC, &req, c, &bent);
	h = world_find(w, f, asked.handle);

	want = without(w, ACLKM_FEATURE_DMABUF);
	if (!want)
		want = bent.early;
	if (!want && (asked.flags & ~15u || !(asked.flags & 12) || (asked.flags & 3) == 0 ||
		      (asked.flags & 3) == 3))
		want = -EINVAL;
	if (!want && !h)
		want = -ENOENT;
	if (!want && (!asked.len || asked.offset >= h->size || asked.len > h->size - asked.offset))
		want = -EINVAL;
	if (!want && asked.flags & ACLKM_SYNC_WRITE && h->readonly)
		want = -EACCES;
	answer(err, want);
}

/* Pins anonymous memory of this process; or what is not there, or not writable. */
void op_pin_user(struct world *w, const struct call *c)
{
	struct vfile *f = world_file(w, c->obj);
	struct handle *h = world_add_handle(w);
	struct user *u = NULL;
	struct aclkm_pin req = {}, asked;
	struct bent bent;
	int err, want, i;
	bool inside;

	for (i = 0; i < USERS; i++)
		if (!w->users[i].refs)
			u = &w->users[i];
	if (!f || !h || !u)
		return;
	if (!u->mem) {
		u->mem = mmap(NULL, (USER_PAGES + 1) * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (u->mem == MAP_FAILED || mprotect(u->mem + USER_PAGES * PAGE, PAGE, PROT_NONE))
			abort();
	}
	req.addr = (uintptr_t)u->mem + c->small % USER_PAGES * PAGE;
	req.len = (1 + c->x % USER_PAGES) * PAGE;
	req.flags = c->mode & 1 ? ACLKM_PIN_READ_ONLY : 0;
	asked = as_sent(&req, sizeof(req), c);
	/* A word of the address changed: whether something is there nobody knows. */
	if (asked.addr != req.addr)
		return;
	err = ioctl_bent(f->fd, ACLKM_IOC_PIN, &req, c, &bent);

	inside = asked.len <= (uintptr_t)u->mem + USER_PAGES * PAGE - asked.addr;
	want = without(w, ACLKM_FEATURE_PIN);
	if (!want)
		want = bent.early;
	if (!want && (asked.flags & ~ACLKM_PIN_READ_ONLY || !asked.len || asked.len % PAGE ||
		      asked.addr + asked.len < asked.addr))
		want = -EINVAL;
	if (!want && !inside) {
		/* Fault, or too much for the account before it came to that. */
		answer_valid(err, false);
		return;
	}
	if (!want)
		want = bent.late;
	answer(err, want);
	if (err)
		return;
	u->refs = 1;
	u->bytes = asked.len;
	h->file = f - w->files;
	h->region = -1;
	h->user = u - w->users;
	h->number = req.handle;
	h->size = asked.len;
	h->readonly = f->readonly || asked.flags & ACLKM_PIN_READ_ONLY;
	handle_added(w, h);
}

void op_phys(struct world *w, const struct call *c)
{
	struct vfile *f = world_file(w, c->obj);
	struct aclkm_phys_extent extents[EXTENTS] = {};
	struct aclkm_phys req = {}, asked;
	struct handle *h;
	struct bent bent;
	int err, want;

	if (!f)
		return;
	req.handle = choose_handle(w, c, &f);
	req.first = c->mode & 32 ? c->x : 0;
	req.count = c->mode & 16 ? c->y % (EXTENTS + 1) : EXTENTS;
	req.extents = (uintptr_t)extents;
	asked = as_sent(&req, sizeof(req), c);
	if (asked.extents != req.extents || asked.count > EXTENTS)
		return;
	err = ioctl_bent(f->fd, ACLKM_IOC_PHYS, &req, c, &bent);
	h = world_find(w, f, asked.handle);

	want = without(w, ACLKM_FEATURE_PIN);
	if (!want)
		want = bent.early;
	if (!want && asked.flags)
		want = -EINVAL;
	if (!want && !h)
		want = -ENOENT;
	if (!want)
		want = bent.late;
	answer(err, want);
	if (err || h->region < 0)
		return;
	if (req.total != 1 || req.count != (asked.count && !asked.first))
		wrong("a region is one piece, not %llu of %llu", (unsigned long long)req.count,
		      (unsigned long long)req.total);
	if (req.count && (extents[0].phys != w->regions[h->region].phys + h->start ||
			  extents[0].len != h->size))
		wrong("PHYS differs from QUERY");
}
