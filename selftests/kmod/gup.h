/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Regions of every size and mapping mode, moved whole and in awkward parts by
 * whatever takes pages with get_user_pages(). Each program brings its movers.
 */
#ifndef ACLKM_SELFTEST_GUP_H
#define ACLKM_SELFTEST_GUP_H

#include "common.h"

#define SIZE_2M (2 * MIB)
/* Longest single move; larger regions are moved at their ends and in the middle. */
#define LONGEST (64 * MIB)

struct gup_region {
	int fd;
	char *mem;
	uint64_t size;
	uint64_t unit;		/* bytes that its largest page-table entries cover */
	uint64_t hole, hole_end; /* unmapped part, both 0 if there is none */
	bool gup;		/* what QUERY says */
	struct aclkm_alloc alloc;
};

/**
 * struct mover - something that takes pages
 * @out:	copies @len bytes at @mem into @copy, through the kernel; 0 or -errno
 * @in:		the other way
 * @align:	of address and length, in bytes
 * @longest:	bytes it moves in one call of @out or @in
 */
struct mover {
	int (*out)(struct mover *m, void *mem, size_t len, void *copy);
	int (*in)(struct mover *m, void *mem, size_t len, const void *copy);
	size_t align;
	size_t longest;
	char *copy;		/* LONGEST bytes of ordinary memory */
	uint64_t moved;
	uint64_t seed;
};

static inline bool gup_open(struct gup_region *r, int fd, uint64_t size, uint32_t flags)
{
	struct aclkm_query query;
	int err;

	*r = (struct gup_region){ .fd = fd, .size = size };
	err = dev_alloc_flags(fd, size, 0, flags, &r->alloc);
	if (err) {
		printf("# ALLOC of %llu bytes, flags %#x: %d\n", (unsigned long long)size, flags,
		       err);
		return false;
	}
	if (dev_query(fd, r->alloc.handle, &query))
		abort();
	r->unit = query.map_page;
	r->gup = query.flags & ACLKM_QUERY_GUP;
	r->mem = dev_map(fd, r->alloc.offset, size);
	if (r->mem == MAP_FAILED) {
		printf("# mmap: %s\n", strerror(errno));
		return false;
	}
	return true;
}

static inline void gup_close(struct gup_region *r)
{
	munmap(r->mem, r->size);
	if (dev_free(r->fd, r->alloc.handle))
		abort();
}

static inline bool gup_fail(const struct gup_region *r, const char *what, uint64_t off,
			    uint64_t len, int err)
{
	printf("# region of %llu bytes, entries of %llu, bytes %llu+%llu: %s: %d\n",
	       (unsigned long long)r->size, (unsigned long long)r->unit,
	       (unsigned long long)off, (unsigned long long)len, what, err);
	return false;
}

#define GUARD 64ULL

/* One range out and in again, each byte checked, and those around it as well. */
static inline bool gup_move_range(struct mover *m, struct gup_region *r, uint64_t off,
				  uint64_t len)
{
	uint64_t before = off < GUARD ? off : GUARD;
	uint64_t after = r->size - off - len < GUARD ? r->size - off - len : GUARD;
	uint64_t seed = ++m->seed;
	int err;

	/* Around a hole there may be nothing to guard. */
	if (r->hole_end)
		before = after = 0;
	pattern_fill(r->mem + off - before, off - before, before + len + after, seed);
	memset(m->copy, 0, len);
	err = m->out(m, r->mem + off, len, m->copy);
	/* What is left of a mapping that was cut may have smaller entries, which can be. */
	if (!r->gup)
		return err < 0 || (r->hole_end && pattern_is(m->copy, off, len, seed)) ||
		       gup_fail(r, "pages were taken, QUERY says they cannot be", off, len, err);
	if (err)
		return gup_fail(r, "out", off, len, err);
	if (!pattern_is(m->copy, off, len, seed))
		return gup_fail(r, "wrong bytes came out", off, len, 0);

	pattern_fill(m->copy, off, len, seed + (1ULL << 32));
	err = m->in(m, r->mem + off, len, m->copy);
	if (err)
		return gup_fail(r, "in", off, len, err);
	if (!pattern_is(r->mem + off, off, len, seed + (1ULL << 32)))
		return gup_fail(r, "wrong bytes went in", off, len, 0);
	if (!pattern_is(r->mem + off - before, off - before, before, seed) ||
	    !pattern_is(r->mem + off + len, off + len, after, seed))
		return gup_fail(r, "bytes beside the range changed", off, len, 0);
	m->moved += 2 * len;
	return true;
}

/* As far as the range is inside, aligned for the mover and not in the hole. */
static inline bool gup_move(struct mover *m, struct gup_region *r, uint64_t off, uint64_t len)
{
	off -= off % m->align;
	len -= len % m->align;
	if (len > m->longest)
		len = m->longest;
	if (!len || off > r->size || len > r->size - off)
		return true;
	if (off < r->hole_end && r->hole < off + len)
		return true;
	return gup_move_range(m, r, off, len);
}

static inline bool gup_ranges(struct mover *m, struct gup_region *r)
{
	const uint64_t size = r->size, half = size / 2 & -PAGE;
	uint64_t at;
	int i;

	if (!gup_move(m, r, 0, size) || !gup_move(m, r, 0, PAGE) ||
	    !gup_move(m, r, size - PAGE, PAGE) || !gup_move(m, r, 512, PAGE) ||
	    !gup_move(m, r, 3, 5) || !gup_move(m, r, half, PAGE) ||
	    !gup_move(m, r, half + 3 * PAGE + 513, 7 * PAGE + 1031))
		return false;
	if (size > LONGEST && (!gup_move(m, r, half - 8 * MIB, 16 * MIB) ||
			       !gup_move(m, r, size - 16 * MIB, 16 * MIB)))
		return false;
	/* Where one huge entry ends and the next begins, and inside the second. */
	for (at = SIZE_2M; at < size && at <= 3 * SIZE_2M; at += SIZE_2M) {
		if (!gup_move(m, r, at - 3 * PAGE - 512, 6 * PAGE + 1024) ||
		    !gup_move(m, r, at - PAGE, 2 * PAGE) ||
		    !gup_move(m, r, at + 5 * PAGE + 17, 100 * PAGE + 333) ||
		    !gup_move(m, r, at + 511 * PAGE, PAGE))
			return false;
	}
	for (i = 0; i < 8; i++) {
		uint64_t len = 1 + random() % (size < MIB ? size : MIB);

		if (!gup_move(m, r, (random() * 2ULL * PAGE + random()) % size, len))
			return false;
	}
	return true;
}

/* Takes [off, off + len) out of the mapping and moves what is left of it. */
static inline bool gup_hole(struct mover *m, struct gup_region *r, uint64_t off, uint64_t len)
{
	int err;

	if (munmap(r->mem + off, len))
		abort();
	r->hole = off;
	r->hole_end = off + len;
	if (!gup_ranges(m, r) ||
	    (off && !gup_move(m, r, off - PAGE, PAGE)) ||
	    (r->hole_end < r->size && !gup_move(m, r, r->hole_end, PAGE)))
		return false;
	if (!off)
		return true;
	/* Nothing can be taken across the hole's edge. */
	err = m->out(m, r->mem + off - PAGE, 2 * PAGE, m->copy);
	return err < 0 || gup_fail(r, "moved what is not mapped", off - PAGE, 2 * PAGE, err);
}

/* Regions of every size that fits, whole and with holes; the accounts after each. */
static inline bool gup_walk(struct mover *m, int fd, uint32_t flags, uint64_t unit)
{
	static const uint64_t sizes[] = { PAGE, 2 * PAGE, 64 * KIB, SIZE_2M, SIZE_2M + 12 * KIB,
					  8 * MIB, 64 * MIB, GIB };
	struct aclkm_info before = dev_info(fd);
	struct gup_region r;
	int i, walked = 0;
	bool ok;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (sizes[i] % unit || sizes[i] > before.largest_free)
			continue;
		if (!gup_open(&r, fd, sizes[i], flags))
			return false;
		ok = gup_ranges(m, &r);
		if (ok && r.size >= 64 * KIB)
			ok = gup_hole(m, &r, r.size / 2 & -PAGE, PAGE);
		gup_close(&r);
		/* A hole of whole huge entries and a bit, and one at the beginning. */
		if (ok && r.size >= 8 * MIB && r.size < GIB) {
			if (!gup_open(&r, fd, sizes[i], flags))
				return false;
			ok = gup_hole(m, &r, SIZE_2M - PAGE, SIZE_2M + 2 * PAGE);
			gup_close(&r);
			if (!gup_open(&r, fd, sizes[i], flags))
				return false;
			ok = ok && gup_hole(m, &r, 0, 3 * PAGE);
			gup_close(&r);
		}
		if (!accounts_back(fd, &before))
			return false;
		if (!ok)
			return false;
		walked++;
	}
	if (r.gup)
		printf("# %d sizes, %llu MiB moved and checked\n", walked,
		       (unsigned long long)(m->moved / MIB));
	return walked > 0;
}

/*
 * One fixture for all programs: a variant for each mapping mode. Include
 * kselftest_harness.h, then use this once.
 */
#define GUP_FIXTURE \
FIXTURE(gup) { \
	int fd; \
	struct aclkm_info before; \
	long long pinned; \
}; \
FIXTURE_VARIANT(gup) { \
	uint32_t flags; \
	uint64_t feature; \
	uint64_t unit; \
}; \
FIXTURE_VARIANT_ADD(gup, default) { .unit = PAGE }; \
FIXTURE_VARIANT_ADD(gup, small) { \
	.flags = ACLKM_ALLOC_SMALL, .feature = ACLKM_FEATURE_HUGE_2M, .unit = PAGE \
}; \
FIXTURE_VARIANT_ADD(gup, huge_2m) { \
	.flags = ACLKM_ALLOC_HUGE_2M, .feature = ACLKM_FEATURE_HUGE_2M, .unit = SIZE_2M \
}; \
FIXTURE_VARIANT_ADD(gup, huge_1g) { \
	.flags = ACLKM_ALLOC_HUGE_1G, .feature = ACLKM_FEATURE_HUGE_1G, .unit = GIB \
}; \
FIXTURE_VARIANT_ADD(gup, wc) { \
	.flags = ACLKM_ALLOC_WC, .feature = ACLKM_FEATURE_CACHE, .unit = 8 * MIB \
}; \
FIXTURE_VARIANT_ADD(gup, uc) { \
	.flags = ACLKM_ALLOC_UC, .feature = ACLKM_FEATURE_CACHE, .unit = 8 * MIB \
}; \
FIXTURE_SETUP(gup) \
{ \
	self->fd = dev_open(O_RDWR); \
	ASSERT_LE(0, self->fd); \
	self->before = dev_info(self->fd); \
	self->pinned = pinned_pages(); \
} \
FIXTURE_TEARDOWN(gup) \
{ \
	EXPECT_TRUE(accounts_back(self->fd, &self->before)); \
	EXPECT_EQ(self->pinned, pinned_pages()); \
	close(self->fd); \
}

/* First line of each test: a skip in the setup would not stop it. */
#define NEED_MODE() do { \
	if (!dev_has(self->fd, variant->feature)) \
		SKIP(return, "this driver has not feature %#llx", \
		     (unsigned long long)variant->feature); \
	if (self->before.largest_free < variant->unit) \
		SKIP(return, "no free piece of %llu bytes", \
		     (unsigned long long)variant->unit); \
} while (0)

#endif /* ACLKM_SELFTEST_GUP_H */
