// SPDX-License-Identifier: GPL-2.0
/* The table of operations, and those that are ioctls. */
#include "ops.h"

#include <stddef.h>

struct op ops[] = {
	/* The first two are where a new program begins. */
	{ "open", 2, op_open },
	{ "alloc", 12, op_alloc },
	{ "close", 1, op_close },
	{ "info", 1, op_info },
	{ "free", 5, op_free },
	{ "query", 3, op_query },
	{ "unknown", 1, op_unknown },
	{ "mmap", 12, op_mmap },
	{ "munmap", 6, op_munmap },
	{ "mremap", 3, op_mremap },
	{ "mprotect", 2, op_mprotect },
	{ "madvise", 3, op_madvise },
	{ "write", 5, op_write },
	{ "verify", 5, op_verify },
	{ "read", 1, op_read_file },
	{ "fork", 1, op_fork },
	{ "pin", 3, op_pin },
	{ "unpin", 3, op_unpin },
	{ "export", 5, op_export, ACLKM_FEATURE_DMABUF },
	{ "import", 5, op_import, ACLKM_FEATURE_DMABUF },
	{ "buf_mmap", 5, op_buf_mmap, ACLKM_FEATURE_DMABUF },
	{ "buf_close", 3, op_buf_close, ACLKM_FEATURE_DMABUF },
	{ "buf_sync", 2, op_buf_sync, ACLKM_FEATURE_DMABUF },
	{ "sync", 3, op_sync, ACLKM_FEATURE_DMABUF },
	{ "pin_user", 3, op_pin_user, ACLKM_FEATURE_PIN },
	{ "phys", 2, op_phys, ACLKM_FEATURE_PIN },
	{ "attach", 3, op_attach, ACLKM_FEATURE_DMABUF },
	{ "limit", 1, op_limit },
	{ "look", 1, op_look },
	{ "map", 2, op_map, ACLKM_FEATURE_MAP },
	{ "grow", 1, op_grow },
};
const unsigned int nr_ops = sizeof(ops) / sizeof(*ops);

enum { BEND_NONE, BEND_WORD, BEND_SHORT, BEND_ZERO_TAIL, BEND_TAIL, BEND_POINTER, BEND_READONLY, BENDS };

/* Two pages, then one that cannot be touched. */
static unsigned char *window(int prot)
{
	static unsigned char *base;

	if (!base) {
		base = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (base == MAP_FAILED || mprotect(base + 2 * PAGE, PAGE, PROT_NONE))
			abort();
	}
	if (mprotect(base, 2 * PAGE, prot))
		abort();
	return base;
}

static unsigned long cmd_of_size(unsigned long cmd, size_t size)
{
	return _IOC(_IOC_DIR(cmd), _IOC_TYPE(cmd), _IOC_NR(cmd), size);
}

void bend_word(void *arg, size_t size, const struct call *c)
{
	if (c->bend % BENDS == BEND_WORD)
		memcpy((unsigned char *)arg + c->mode * 4 % size, &c->y, 4);
}

/* The shortest struct that a call ever had: INFO has grown. */
static size_t first_size(unsigned long cmd)
{
	return cmd == ACLKM_IOC_INFO ? offsetof(struct aclkm_info, poisoned) : _IOC_SIZE(cmd);
}

int ioctl_bent(int fd, unsigned long cmd, void *arg, const struct call *c, struct bent *bent)
{
	size_t size = _IOC_SIZE(cmd), send = size, tail = 1 + c->x % 64, i;
	bool in = _IOC_DIR(cmd) & _IOC_WRITE, out = _IOC_DIR(cmd) & _IOC_READ;
	unsigned char *end = window(PROT_READ | PROT_WRITE) + 2 * PAGE, *at;
	unsigned int bend = c->bend % BENDS;
	int err;

	bent->early = 0;
	bent->late = 0;
	switch (bend) {
	case BEND_WORD:
		bend_word(arg, size, c);
		break;
	case BEND_SHORT:
		send = c->x % size;
		if (send < first_size(cmd))
			bent->early = -EINVAL;
		break;
	case BEND_ZERO_TAIL:
		send = size + tail;
		break;
	case BEND_TAIL:
		send = size + tail;
		if (in)
			bent->early = -E2BIG;
		break;
	case BEND_POINTER:
		/* What only gives is found out when it does. */
		*(in ? &bent->early : &bent->late) = -EFAULT;
		break;
	case BEND_READONLY:
		if (out)
			bent->late = -EFAULT;
		break;
	}

	memset(end - 2 * PAGE, 0x5A, 2 * PAGE);
	at = end - send;
	memcpy(at, arg, send < size ? send : size);
	if (send > size)
		memset(at + size, 0, send - size);
	if (bend == BEND_TAIL)
		at[size + c->y % tail] = 1 + c->y % 255;
	if (bend == BEND_POINTER)
		at += PAGE / 2;
	if (bend == BEND_READONLY)
		window(PROT_READ);

	err = ioctl(fd, cmd_of_size(cmd, send), at) ? -errno : 0;

	for (i = 1; bend != BEND_POINTER && i <= 64; i++)
		if (at[-i] != 0x5A)
			wrong("bytes before the struct were written");
	if (bend == BEND_ZERO_TAIL || (bend == BEND_TAIL && !in))
		for (i = 0; i < tail; i++)
			if (at[size + i] && bend == BEND_ZERO_TAIL)
				wrong("bytes behind the known struct were written");
	if (!bent->early && bend != BEND_POINTER)
		memcpy(arg, at, send < size ? send : size);
	return err;
}

void op_open(struct world *w, const struct call *c)
{
	struct vfile *f = NULL;
	int i, fd;

	/* Not one whose mappings still keep its handles alive. */
	for (i = 0; i < FILES; i++)
		if (w->files[i].fd < 0 && !w->files[i].maps)
			f = &w->files[i];
	if (!f)
		return;
	fd = dev_open(c->mode % 4 ? O_RDWR : O_RDONLY);
	answer(fd < 0 ? fd : 0, 0);
	f->fd = fd;
	f->readonly = !(c->mode % 4);
}

void op_close(struct world *w, const struct call *c)
{
	struct vfile *f = world_file(w, c->obj);

	if (!f)
		return;
	answer(close(f->fd) ? -errno : 0, 0);
	file_closed(w, f);
}

void op_info(struct world *w, const struct call *c)
{
	struct vfile *f = world_file(w, c->obj);
	struct aclkm_info info;
	struct bent bent;
	int err;

	if (!f)
		return;
	memset(&info, 0xAA, sizeof(info));
	err = ioctl_bent(f->fd, ACLKM_IOC_INFO, &info, c, &bent);
	answer(err, bent.early ? bent.early : bent.late);
	if (!err && (info.abi_version != ACLKM_ABI_VERSION || info.granule != PAGE ||
		     info.align_max != ACLKM_ALIGN_MAX || info.features != w->base.features))
		wrong("INFO changed its mind");
}

static bool one_bit_at_most(uint32_t v)
{
	return !(v & (v - 1));
}

/* What sizes are rounded up to. */
static uint64_t alloc_unit(uint32_t flags)
{
	return flags & ACLKM_ALLOC_HUGE_1G ? GIB : flags & ACLKM_ALLOC_HUGE_2M ? 2 * MIB : PAGE;
}

/* The rules of struct aclkm_alloc. */
static int alloc_rules(const struct world *w, const struct aclkm_alloc *a)
{
	uint32_t known = ACLKM_ALLOC_WC | ACLKM_ALLOC_UC | ACLKM_ALLOC_NODE_PREFER |
			 ACLKM_ALLOC_SMALL | ACLKM_ALLOC_HUGE_2M | ACLKM_ALLOC_HUGE_1G;

	/* A driver without dma-bufs is one of before the flags. */
	if (!(w->base.features & ACLKM_FEATURE_DMABUF))
		known = 0;
	if (!a->size || a->flags & ~known || a->reason)
		return -EINVAL;
	if (a->size > ~0ULL - alloc_unit(a->flags) + 1)
		return -EINVAL;
	if (a->flags & (ACLKM_ALLOC_WC | ACLKM_ALLOC_UC) && alloc_unit(a->flags) > PAGE)
		return -EINVAL;
	if (!one_bit_at_most(a->flags & (ACLKM_ALLOC_WC | ACLKM_ALLOC_UC)) ||
	    !one_bit_at_most(a->flags & (ACLKM_ALLOC_SMALL | ACLKM_ALLOC_HUGE_2M | ACLKM_ALLOC_HUGE_1G)))
		return -EINVAL;
	if ((a->align & (a->align - 1)) || a->align > ACLKM_ALIGN_MAX)
		return -EINVAL;
	if (a->node != ACLKM_NODE_ANY && a->node != 0)
		return -EINVAL;
	if (a->flags & (ACLKM_ALLOC_WC | ACLKM_ALLOC_UC) && !(w->base.features & ACLKM_FEATURE_CACHE))
		return -EOPNOTSUPP;
	return 0;
}

/* Mostly small: clearing memory is what takes an emulator longest. */
static uint64_t alloc_size(const struct call *c)
{
	switch (c->mode % 16) {
	case 0:
		return c->x;
	case 4:
		return 2 * MIB * (1 + c->small % 2);
	case 8 ... 11:
		return 1 + c->x % (256 * KIB);
	default:
		return (1 + c->small % 16) * PAGE - c->obj % 3;
	}
}

static void look_at_new(struct world *w, struct vfile *f, struct region *r,
			const struct aclkm_alloc *asked, const struct aclkm_alloc *got)
{
	uint64_t unit = alloc_unit(asked->flags);
	struct handle *h = world_add_handle(w);
	struct aclkm_query query;
	int err = dev_query(f->fd, got->handle, &query);

	if (err)
		wrong("QUERY of a handle just given: %d", err);
	if (got->size != (asked->size + unit - 1) / unit * unit || query.size != got->size)
		wrong("asked for %llu bytes, got %llu", (unsigned long long)asked->size,
		      (unsigned long long)got->size);
	if (query.offset != got->offset || query.node != got->node)
		wrong("ALLOC and QUERY differ");
	r->size = got->size;
	r->align = asked->align > unit ? asked->align : unit;
	r->phys = query.phys;
	r->gup = query.flags & ACLKM_QUERY_GUP;
	r->huge_1g = asked->flags & ACLKM_ALLOC_HUGE_1G;
	if (!r->gup && !(asked->flags & (ACLKM_ALLOC_WC | ACLKM_ALLOC_UC | ACLKM_ALLOC_HUGE_1G)))
		wrong("an ordinary region that get_user_pages does not take");
	region_added(w, r);
	h->file = f - w->files;
	h->region = r - w->regions;
	h->number = got->handle;
	h->offset = got->offset;
	h->size = got->size;
	h->readonly = f->readonly;
	handle_added(w, h);
}

void op_alloc(struct world *w, const struct call *c)
{
	struct vfile *f = world_file(w, c->obj);
	struct aclkm_info before = dev_info(w->control);
	struct region *r = world_add_region(w);
	struct aclkm_alloc alloc = {}, asked;
	struct bent bent;
	int err, want;

	if (!f || !r || !world_add_handle(w))
		return;
	alloc.size = alloc_size(c);
	alloc.align = c->mode & 16 ? 1ULL << c->y % 32 : 0;
	if (c->mode & 32 && w->base.features & ACLKM_FEATURE_DMABUF)
		alloc.flags = 1U << c->small % 6;
	if (alloc.flags == ACLKM_ALLOC_HUGE_1G && !gib_allowed)
		alloc.flags = 0;
	alloc.node = ACLKM_NODE_ANY;
	asked = as_sent(&alloc, sizeof(alloc), c);
	err = ioctl_bent(f->fd, ACLKM_IOC_ALLOC, &alloc, c, &bent);
	want = bent.early ? bent.early : alloc_rules(w, &asked);
	if (err == -ENOSPC && !want) {
		/* Right where no piece is long enough, or none is aligned. */
		if (asked.align <= PAGE && alloc_unit(asked.flags) == PAGE && asked.size <= before.largest_free)
			wrong("no space for %llu bytes with a free piece of %llu",
			      (unsigned long long)asked.size,
			      (unsigned long long)before.largest_free);
		if (!bent.late && (alloc.free != before.free || alloc.largest_free != before.largest_free))
			wrong("the reason given for ENOSPC differs from INFO");
		return;
	}
	answer(err, want ? want : bent.late);
	if (!err)
		look_at_new(w, f, r, &asked, &alloc);
}

/* One that is there, mostly, and its file; or any number. */
uint32_t choose_handle(struct world *w, const struct call *c, struct vfile **f)
{
	struct handle *h = world_handle(w, c->small);

	if (!h || c->mode % 8 == 0)
		return c->small;
	*f = &w->files[h->file];
	return h->number;
}

void op_free(struct world *w, const struct call *c)
{
	struct vfile *f = world_file(w, c->obj);
	struct aclkm_free req = {}, asked;
	struct handle *h;
	struct bent bent;
	int err, want;

	if (!f)
		return;
	req.handle = choose_handle(w, c, &f);
	asked = as_sent(&req, sizeof(req), c);
	err = ioctl_bent(f->fd, ACLKM_IOC_FREE, &req, c, &bent);
	want = bent.early;
	h = world_find(w, f, asked.handle);
	if (!want && asked.flags)
		want = -EINVAL;
	if (!want && !h)
		want = -ENOENT;
	answer(err, want);
	if (!err)
		handle_gone(w, h);
}

void op_query(struct world *w, const struct call *c)
{
	struct vfile *f = world_file(w, c->obj);
	struct aclkm_query query = {}, asked;
	struct bent bent;
	struct handle *h;
	int err, want;

	if (!f)
		return;
	query.handle = choose_handle(w, c, &f);
	asked = as_sent(&query, sizeof(query), c);
	err = ioctl_bent(f->fd, ACLKM_IOC_QUERY, &query, c, &bent);
	h = world_find(w, f, asked.handle);
	want = bent.early;
	if (!want && (asked.flags || asked.cache))
		want = -EINVAL;
	if (!want && !h)
		want = -ENOENT;
	if (!want)
		want = bent.late;
	answer(err, want);
	if (!err && (query.handle != h->number || query.size != h->size || query.offset != h->offset))
		wrong("QUERY of handle %u differs from what it was given with", h->number);
	if (!err && h->region >= 0 && query.phys != w->regions[h->region].phys + h->start)
		wrong("handle %u has moved in memory", h->number);
}

/* A number, direction or type that no call has. */
void op_unknown(struct world *w, const struct call *c)
{
	static const unsigned long cmds[] = {
		ACLKM_IOC_INFO, ACLKM_IOC_ALLOC, ACLKM_IOC_FREE, ACLKM_IOC_QUERY, ACLKM_IOC_EXPORT,
		ACLKM_IOC_IMPORT, ACLKM_IOC_SYNC, ACLKM_IOC_PIN, ACLKM_IOC_PHYS,
		ACLKM_IOC_MAP,
	};
	unsigned long cmd = _IOC(c->mode % 4, c->mode & 4 ? c->obj : ACLKM_IOC_MAGIC, c->small % 256,
				 c->x % PAGE);
	struct vfile *f = world_file(w, c->obj);
	unsigned char *at = window(PROT_READ | PROT_WRITE);
	unsigned int i;

	if (!f)
		return;
	for (i = 0; i < sizeof(cmds) / sizeof(*cmds); i++)
		if (cmd_of_size(cmd, 0) == cmd_of_size(cmds[i], 0))
			return;
	/* What the core of the kernel answers itself: FIOCLEX, FIONBIO, FIONREAD, ... */
	if (_IOC_TYPE(cmd) == 'T' || _IOC_TYPE(cmd) == 'f' || _IOC_TYPE(cmd) == 'X' || !_IOC_TYPE(cmd))
		return;
	memset(at, c->y, 2 * PAGE);
	answer(ioctl(f->fd, cmd, at) ? -errno : 0, -ENOTTY);
}
