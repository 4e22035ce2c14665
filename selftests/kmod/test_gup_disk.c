// SPDX-License-Identifier: GPL-2.0
/*
 * O_DIRECT to and from a disk, by read() and write() and by io_uring with
 * registered buffers. What was written is read back through the page cache, and
 * the other way round. The disk is the guest's /dev/vda, and is overwritten.
 */
#include "gup.h"
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "kselftest_harness.h"

#define DISK "/dev/vda"

GUP_FIXTURE

struct disk {
	struct mover m;
	int direct, cached;
	uint64_t size, at;
	/* io_uring */
	int ring;
	unsigned int *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

/* Each move goes to another part of the disk. */
static uint64_t place(struct disk *d, size_t len)
{
	uint64_t at = d->at;

	if (at + len > d->size)
		at = 0;
	d->at = (at + len + PAGE - 1) & -PAGE;
	return at;
}

static int read_cached(struct disk *d, void *copy, size_t len, uint64_t at)
{
	posix_fadvise(d->cached, at, len, POSIX_FADV_DONTNEED);
	return pread(d->cached, copy, len, at) == len ? 0 : -EIO;
}

static int write_cached(struct disk *d, const void *copy, size_t len, uint64_t at)
{
	return pwrite(d->cached, copy, len, at) == len && !fsync(d->cached) ? 0 : -EIO;
}

static int result(ssize_t n, size_t len)
{
	if (n < 0)
		return -errno;
	return n == len ? 0 : -EFAULT;
}

static int direct_out(struct mover *m, void *mem, size_t len, void *copy)
{
	struct disk *d = (struct disk *)m;
	uint64_t at = place(d, len);

	return result(pwrite(d->direct, mem, len, at), len) ?: read_cached(d, copy, len, at);
}

static int direct_in(struct mover *m, void *mem, size_t len, const void *copy)
{
	struct disk *d = (struct disk *)m;
	uint64_t at = place(d, len);

	return write_cached(d, copy, len, at) ?: result(pread(d->direct, mem, len, at), len);
}

/* ------------------------------------------------------------------ io_uring */

static int ring_open(struct disk *d)
{
	struct io_uring_params p = {};
	char *sq, *cq;

	d->ring = syscall(SYS_io_uring_setup, 4, &p);
	if (d->ring < 0)
		return -errno;
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, d->ring, IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(*d->cqes), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, d->ring, IORING_OFF_CQ_RING);
	d->sqes = mmap(NULL, p.sq_entries * sizeof(*d->sqes), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_POPULATE, d->ring, IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || d->sqes == MAP_FAILED)
		return -errno;
	d->sq_tail = (unsigned int *)(sq + p.sq_off.tail);
	d->sq_mask = (unsigned int *)(sq + p.sq_off.ring_mask);
	d->sq_array = (unsigned int *)(sq + p.sq_off.array);
	d->cq_head = (unsigned int *)(cq + p.cq_off.head);
	d->cq_tail = (unsigned int *)(cq + p.cq_off.tail);
	d->cq_mask = (unsigned int *)(cq + p.cq_off.ring_mask);
	d->cqes = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
	return 0;
}

static int ring_register(struct disk *d, void *mem, size_t len)
{
	struct iovec iov = { mem, len };

	return syscall(SYS_io_uring_register, d->ring, IORING_REGISTER_BUFFERS, &iov, 1) ?
		-errno : 0;
}

static int ring_unregister(struct disk *d)
{
	return syscall(SYS_io_uring_register, d->ring, IORING_UNREGISTER_BUFFERS, NULL, 0) ?
		-errno : 0;
}

/* One READ_FIXED or WRITE_FIXED of buffer 0, and its result. */
static int ring_move(struct disk *d, int op, void *mem, size_t len, uint64_t at)
{
	unsigned int tail = *d->sq_tail, slot = tail & *d->sq_mask, head;
	int res;

	d->sqes[slot] = (struct io_uring_sqe){ .opcode = op, .fd = d->direct, .off = at,
					       .addr = (uintptr_t)mem, .len = len };
	d->sq_array[slot] = slot;
	__atomic_store_n(d->sq_tail, tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, d->ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return -errno;
	head = *d->cq_head;
	if (head == __atomic_load_n(d->cq_tail, __ATOMIC_ACQUIRE))
		return -EIO;
	res = d->cqes[head & *d->cq_mask].res;
	__atomic_store_n(d->cq_head, head + 1, __ATOMIC_RELEASE);
	return res < 0 ? res : res == len ? 0 : -EFAULT;
}

static int ring_out(struct mover *m, void *mem, size_t len, void *copy)
{
	struct disk *d = (struct disk *)m;
	uint64_t at = place(d, len);
	int err = ring_register(d, mem, len);

	if (err)
		return err;
	err = ring_move(d, IORING_OP_WRITE_FIXED, mem, len, at);
	return ring_unregister(d) ?: err ?: read_cached(d, copy, len, at);
}

static int ring_in(struct mover *m, void *mem, size_t len, const void *copy)
{
	struct disk *d = (struct disk *)m;
	uint64_t at = place(d, len);
	int err = write_cached(d, copy, len, at) ?: ring_register(d, mem, len);

	if (err)
		return err;
	err = ring_move(d, IORING_OP_READ_FIXED, mem, len, at);
	return ring_unregister(d) ?: err;
}

/* Plain READ and WRITE: pages are taken for the time of the call only. */
static int plain_out(struct mover *m, void *mem, size_t len, void *copy)
{
	struct disk *d = (struct disk *)m;
	uint64_t at = place(d, len);

	return ring_move(d, IORING_OP_WRITE, mem, len, at) ?: read_cached(d, copy, len, at);
}

static int plain_in(struct mover *m, void *mem, size_t len, const void *copy)
{
	struct disk *d = (struct disk *)m;
	uint64_t at = place(d, len);

	return write_cached(d, copy, len, at) ?: ring_move(d, IORING_OP_READ, mem, len, at);
}

/*
 * Linux 6.1 registers no memory behind a file but that of shmem and hugetlbfs,
 * whatever its pages are. A private mapping of the disk tells.
 */
static bool registers_mapped_files(struct disk *d)
{
	char *mem = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, d->cached, 0);
	int err;

	if (mem == MAP_FAILED)
		return false;
	err = ring_register(d, mem, PAGE);
	if (!err)
		ring_unregister(d);
	munmap(mem, PAGE);
	return !err;
}

static bool open_disk(struct disk *d)
{
	*d = (struct disk){ .m = { .align = 512, .longest = LONGEST }, .ring = -1 };
	d->m.copy = mmap(NULL, LONGEST, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	d->direct = open(DISK, O_RDWR | O_DIRECT | O_CLOEXEC);
	d->cached = open(DISK, O_RDWR | O_CLOEXEC);
	if (d->m.copy == MAP_FAILED || d->direct < 0 || d->cached < 0 ||
	    ioctl(d->cached, BLKGETSIZE64, &d->size) || d->size < 2 * LONGEST) {
		printf("# %s: %s, %llu bytes\n", DISK, strerror(errno),
		       (unsigned long long)d->size);
		return false;
	}
	return true;
}

static void close_disk(struct disk *d)
{
	close(d->direct);
	close(d->cached);
	if (d->ring >= 0)
		close(d->ring);
	munmap(d->m.copy, LONGEST);
}

/* --------------------------------------------------------------------- tests */

#define NEED_DISK() do { \
	if (access(DISK, F_OK)) \
		SKIP(return, "needs a disk to overwrite as " DISK); \
} while (0)

#define NEED_REGISTER() do { \
	if (!registers_mapped_files(&d)) { \
		close_disk(&d); \
		SKIP(return, "this kernel registers only anonymous, shmem and hugetlbfs memory"); \
	} \
} while (0)

TEST_F_TIMEOUT(gup, o_direct, 600)
{
	struct disk d;

	NEED_MODE();
	NEED_DISK();
	ASSERT_TRUE(open_disk(&d));
	d.m.out = direct_out;
	d.m.in = direct_in;
	EXPECT_TRUE(gup_walk(&d.m, self->fd, variant->flags, variant->unit));
	close_disk(&d);
}

TEST_F_TIMEOUT(gup, io_uring, 600)
{
	struct disk d;

	NEED_MODE();
	NEED_DISK();
	ASSERT_TRUE(open_disk(&d));
	ASSERT_EQ(0, ring_open(&d));
	d.m.out = plain_out;
	d.m.in = plain_in;
	EXPECT_TRUE(gup_walk(&d.m, self->fd, variant->flags, variant->unit));
	close_disk(&d);
}

TEST_F_TIMEOUT(gup, io_uring_fixed, 600)
{
	struct disk d;

	NEED_MODE();
	NEED_DISK();
	ASSERT_TRUE(open_disk(&d));
	ASSERT_EQ(0, ring_open(&d));
	NEED_REGISTER();
	d.m.out = ring_out;
	d.m.in = ring_in;
	EXPECT_TRUE(gup_walk(&d.m, self->fd, variant->flags, variant->unit));
	close_disk(&d);
}

/* Registered as a whole once, and used in parts, also those whose mapping has gone. */
TEST_F_TIMEOUT(gup, io_uring_registered_then_unmapped, 120)
{
	uint64_t size = variant->unit > 4 * SIZE_2M ? variant->unit : 4 * SIZE_2M;
	struct gup_region r;
	struct disk d;
	uint64_t at;

	NEED_MODE();
	NEED_DISK();
	ASSERT_TRUE(open_disk(&d));
	ASSERT_EQ(0, ring_open(&d));
	NEED_REGISTER();
	ASSERT_TRUE(gup_open(&r, self->fd, size, variant->flags));
	pattern_fill(r.mem, 0, 4 * SIZE_2M, 1);
	if (!r.gup) {
		EXPECT_GT(0, ring_register(&d, r.mem, size));
		gup_close(&r);
		close_disk(&d);
		return;
	}
	ASSERT_EQ(0, ring_register(&d, r.mem, size));
	ASSERT_EQ(0, munmap(r.mem + SIZE_2M - PAGE, SIZE_2M + 3 * PAGE));
	for (at = 0; at < 4 * SIZE_2M; at += 192 * KIB + 512) {
		size_t len = 4 * SIZE_2M - at < 160 * KIB ? 4 * SIZE_2M - at : 160 * KIB;

		len &= -512ULL;
		ASSERT_EQ(0, ring_move(&d, IORING_OP_WRITE_FIXED, r.mem + at, len, PAGE));
		ASSERT_EQ(0, read_cached(&d, d.m.copy, len, PAGE));
		ASSERT_TRUE(pattern_is(d.m.copy, at, len, 1));
	}
	ASSERT_EQ(0, ring_unregister(&d));
	gup_close(&r);
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
	close_disk(&d);
}

/* Takes all that is free; true if none of it overlaps the watched memory. */
static bool rest_is_elsewhere(int fd, uint64_t phys, uint64_t size)
{
	struct aclkm_query query;
	struct aclkm_alloc alloc;
	bool elsewhere = true;
	int other = dev_open(O_RDWR);

	while (elsewhere && !dev_alloc_flags(other, dev_info(fd).largest_free, 0, 0, &alloc)) {
		if (dev_query(other, alloc.handle, &query))
			abort();
		elsewhere = query.phys + query.size <= phys || phys + size <= query.phys;
	}
	elsewhere = elsewhere && !dev_info(fd).free;
	close(other);
	return elsewhere;
}

enum release { BY_UNREGISTER, BY_CLOSE };

static bool held_until(int fd, const struct aclkm_info *before, uint32_t flags, uint64_t size,
		       enum release how, bool *gup)
{
	struct aclkm_info now;
	struct aclkm_query query;
	struct gup_region r;
	struct disk d;
	int owner = dev_open(O_RDWR);
	bool ok = true;

	if (!open_disk(&d) || ring_open(&d) || !gup_open(&r, owner, size, flags))
		return false;
	*gup = r.gup;
	if (dev_query(owner, r.alloc.handle, &query))
		abort();
	pattern_fill(r.mem, 0, PAGE, 9);
	if (r.gup) {
		ok = !ring_register(&d, r.mem, size);
		gup_close(&r);
		close(owner);
		now = dev_info(fd);
		if (!ok || now.held != before->held + size || now.free != before->free - size ||
		    now.nr_regions != before->nr_regions) {
			printf("# registered, then freed: held %llu, free %llu, regions %llu\n",
			       now.held, now.free, now.nr_regions);
			ok = false;
		}
		ok = ok && rest_is_elsewhere(fd, query.phys, size);
		usleep(300 * 1000);
		ok = ok && dev_info(fd).held == before->held + size;
		/* The ring still reaches it. */
		ok = ok && !ring_move(&d, IORING_OP_WRITE_FIXED, r.mem, PAGE, 0) &&
		     !read_cached(&d, d.m.copy, PAGE, 0) && pattern_is(d.m.copy, 0, PAGE, 9);
		if (how == BY_UNREGISTER)
			ok = ok && !ring_unregister(&d);
	} else {
		gup_close(&r);
		close(owner);
	}
	close_disk(&d);
	return ok;
}

TEST_F_TIMEOUT(gup, held_until_unregistered, 120)
{
	uint64_t size = variant->unit > 4 * SIZE_2M ? variant->unit : 4 * SIZE_2M;
	struct disk d;
	bool gup;

	NEED_MODE();
	NEED_DISK();
	ASSERT_TRUE(open_disk(&d));
	ASSERT_EQ(0, ring_open(&d));
	NEED_REGISTER();
	close_disk(&d);
	EXPECT_TRUE(held_until(self->fd, &self->before, variant->flags, size, BY_UNREGISTER, &gup));
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
}

struct victim {
	int fd;
	struct aclkm_info before;
	uint32_t flags;
	uint64_t size;
};

static int register_and_die(void *arg)
{
	struct victim *v = arg;
	bool gup;

	if (!held_until(v->fd, &v->before, v->flags, v->size, BY_CLOSE, &gup))
		return 1;
	kill(getpid(), SIGKILL);
	return 2;
}

TEST_F_TIMEOUT(gup, held_until_killed, 120)
{
	struct victim v = { self->fd, self->before, variant->flags,
			    variant->unit > 4 * SIZE_2M ? variant->unit : 4 * SIZE_2M };
	struct disk d;

	NEED_MODE();
	NEED_DISK();
	ASSERT_TRUE(open_disk(&d));
	ASSERT_EQ(0, ring_open(&d));
	NEED_REGISTER();
	close_disk(&d);
	EXPECT_EQ(-SIGKILL, in_child(register_and_die, &v));
	EXPECT_TRUE(accounts_back(self->fd, &self->before));
}

TEST_HARNESS_MAIN
